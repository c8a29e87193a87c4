/** The rows of the Coterie view, and what each offers: pure, so that a test can read a tree without a window. */
import type {
  ClosedInfo,
  FileEntry,
  JoinInfo,
  JoinRequestInfo,
  MemberDeviceInfo,
  MemberInfo,
  OfferInfo,
  ToolInfo,
  WorkspaceInfo,
} from '../service/api.ts';
import { toolRights, workspaceRights } from './rights.ts';
import type { Lists } from './workspace-list.ts';

export type Node =
  | { readonly kind: 'workspace'; readonly workspace: WorkspaceInfo }
  | { readonly kind: 'tool'; readonly workspace: WorkspaceInfo; readonly tool: ToolInfo }
  | { readonly kind: 'members'; readonly workspace: WorkspaceInfo; readonly requests: readonly JoinRequestInfo[] }
  | { readonly kind: 'member'; readonly workspace: WorkspaceInfo; readonly member: MemberInfo }
  | {
      readonly kind: 'device';
      readonly workspace: WorkspaceInfo;
      readonly member: MemberInfo;
      readonly device: MemberDeviceInfo;
    }
  | { readonly kind: 'request'; readonly workspace: WorkspaceInfo; readonly request: JoinRequestInfo }
  | { readonly kind: 'join'; readonly join: JoinInfo }
  | { readonly kind: 'offer'; readonly offer: OfferInfo }
  | { readonly kind: 'closed'; readonly closed: ClosedInfo }
  | EntryNode;

export interface EntryNode {
  readonly kind: 'entry';
  readonly workspace: WorkspaceInfo;
  readonly tool: string;
  readonly path: string;
  readonly entry: FileEntry;
}

/** The same for the same thing, whatever has changed in it: VS Code keeps by it what is expanded and selected. */
export function nodeId(node: Node): string {
  switch (node.kind) {
    case 'workspace':
      return node.workspace.id;
    case 'tool':
      return `${node.workspace.id}.${node.tool.id}`;
    case 'members':
      return `${node.workspace.id}/members`;
    case 'member':
      return `${node.workspace.id}/members/${node.member.account}`;
    case 'device':
      return `${node.workspace.id}/members/${node.member.account}/${node.device.device}`;
    case 'request':
      return `${node.workspace.id}/requests/${node.request.id}`;
    case 'join':
      return `join/${node.join.workspace}`;
    case 'offer':
      return `offer/${node.offer.id}`;
    case 'closed':
      return `closed/${node.closed.id}`;
    case 'entry':
      return `${node.workspace.id}.${node.tool}${node.path}`;
  }
}

/** What menus ask for in `when` clauses: the kind first, then what this member may do. Ends with a blank, so that words match whole. */
export function contextValue(node: Node): string {
  switch (node.kind) {
    case 'workspace':
      if (node.workspace.state === 'closed') return words('workspace', 'closed');
      return words('workspace', isDoubtful(node.workspace) ? 'doubtful' : '', ...workspaceRights(node.workspace));
    case 'tool':
      return words('tool', node.tool.kind, ...toolRights(node.workspace, node.tool));
    case 'members':
      return words('members', ...workspaceRights(node.workspace));
    case 'member':
      return words(
        'member',
        node.member.self ? 'self' : 'other',
        node.member.verified ? 'verified' : 'unverified',
        ...workspaceRights(node.workspace),
      );
    case 'device': {
      const { standing, forked, absentSince, mayTakeOut } = node.device;
      const state = [forked ? 'forked' : '', absentSince === undefined ? '' : 'absent', mayTakeOut ? 'below' : ''];
      return words('device', standing, ...state, ...workspaceRights(node.workspace));
    }
    case 'request':
      return words('request', ...workspaceRights(node.workspace));
    case 'join':
      return words('join', node.join.state);
    case 'offer':
      return words('offer');
    case 'closed':
      return words('closed', closedState(node.closed), hasWork(node.closed) ? 'work' : '');
    case 'entry': {
      const tool = node.workspace.tools.find(({ id }) => id === node.tool);
      return words('entry', node.entry.kind, ...toolRights(node.workspace, tool));
    }
  }
}

/** A fresh copy may put it right (L6). */
function isDoubtful({ sync: { differing, outOfStep, renewing } }: WorkspaceInfo): boolean {
  return !renewing && (outOfStep || differing.length > 0);
}

/** What can be saved, or put back: of a folder made or a thing moved there is nothing to save. */
export function hasWork({ isBack, work }: ClosedInfo): boolean {
  return work.some(({ kind }) => isBack || kind === 'post' || kind === 'file');
}

/** What may go from the list: what this person is out of, and what is deleted for all and stays until he has seen to it. */
export interface Forgettable {
  readonly id: string;
  readonly name: string;
  readonly isDeleted: boolean;
  readonly closed?: ClosedInfo;
}

export function forgettable({ workspaces, closed }: Pick<Rows, 'workspaces' | 'closed'>): readonly Forgettable[] {
  const deleted = workspaces.filter(({ state }) => state === 'closed');
  return [
    ...deleted.map(({ id, name }) => ({ id, name, isDeleted: true })),
    ...closed.map((one) => ({ id: one.id, name: one.name, isDeleted: false, closed: one })),
  ];
}

/** Of these the one whose row it is; undefined where it is none of them: never another. */
export function forgettableOf(all: readonly Forgettable[], node: Node): Forgettable | undefined {
  if (node.kind === 'closed') return all.find(({ id, isDeleted }) => id === node.closed.id && !isDeleted);
  return node.kind === 'workspace' ? all.find(({ id, isDeleted }) => id === node.workspace.id && isDeleted) : undefined;
}

function closedState({ how, isBack, isAsking }: ClosedInfo): string {
  if (isBack) return 'back';
  return how === 'dropped' && !isAsking ? 'dropped' : '';
}

/** What the tree is made of. */
type Rows = Omit<Lists, 'linking'>;

export function rootNodes({ workspaces, joins, offers, closed }: Rows): readonly Node[] {
  const joining = joins.filter(
    ({ workspace }) => !workspaces.some(({ id, state }) => id === workspace && state !== 'joining'),
  );
  const shown = workspaces.filter(({ id }) => !joining.some(({ workspace }) => workspace === id));
  return [
    ...shown.map((workspace): Node => ({ kind: 'workspace', workspace })),
    ...joining.map((join): Node => ({ kind: 'join', join })),
    ...offers.map((offer): Node => ({ kind: 'offer', offer })),
    ...closed.map((one): Node => ({ kind: 'closed', closed: one })),
  ];
}

export function workspaceNodes(workspace: WorkspaceInfo, { requests }: Rows): readonly Node[] {
  return [
    ...workspace.tools.map((tool): Node => ({ kind: 'tool', workspace, tool })),
    { kind: 'members', workspace, requests: requests.filter((request) => request.workspace === workspace.id) },
  ];
}

/** Who asks to join first, then ourselves, then by name. */
export function memberNodes(workspace: WorkspaceInfo, requests: readonly JoinRequestInfo[]): readonly Node[] {
  const members = [...workspace.members].sort(
    (a, b) => Number(b.self) - Number(a.self) || a.name.localeCompare(b.name) || (a.account < b.account ? -1 : 1),
  );
  return [
    ...requests.map((request): Node => ({ kind: 'request', workspace, request })),
    ...members.map((member): Node => ({ kind: 'member', workspace, member })),
  ];
}

/** A member's devices, where there is more to see than that there is one. */
export function deviceNodes(workspace: WorkspaceInfo, member: MemberInfo): readonly Node[] {
  return showsDevices(member)
    ? member.devices.map((device): Node => ({ kind: 'device', workspace, member, device }))
    : [];
}

export function showsDevices({ devices }: MemberInfo): boolean {
  return devices.length > 1 || devices.some(isRemarkable);
}

/** Away for long, dropped, frozen, or seen with two histories. */
export function isRemarkable({ standing, forked, absentSince }: MemberDeviceInfo): boolean {
  return standing !== 'active' || forked || absentSince !== undefined;
}

/** Folders first, then by name as VS Code's explorer does. */
export function sortEntries(entries: readonly FileEntry[]): readonly FileEntry[] {
  return [...entries].sort(
    (a, b) =>
      Number(b.kind === 'folder') - Number(a.kind === 'folder') ||
      a.name.localeCompare(b.name, undefined, { numeric: true, sensitivity: 'base' }) ||
      (a.name < b.name ? -1 : 1),
  );
}

function words(...parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join(' ')} `;
}
