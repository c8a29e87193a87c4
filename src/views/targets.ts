/** What a command is about: the row it was called on, the address it was given, or what the person picks. One candidate is picked by itself. */
import * as vscode from 'vscode';
import type { MemberInfo, ToolInfo, ToolKind, WorkspaceInfo } from '../service/api.ts';
import { counts } from './counts.ts';
import { type FilePlace, parentPath, placeOf } from './files/place.ts';
import type { House } from './house.ts';
import { notify } from './notify.ts';
import { reads } from './rights.ts';
import { roleWord } from './tree-item.ts';
import type { Node } from './tree-nodes.ts';

export interface ToolTarget {
  readonly workspace: WorkspaceInfo;
  readonly tool: ToolInfo;
}

export interface FileTarget {
  readonly place: FilePlace;
  readonly kind: 'file' | 'folder';
}

/** A row of our tree, as menus pass it; anything else that a caller of the command may pass is not. */
export function asNode(value: unknown): Node | undefined {
  return typeof value === 'object' && value !== null && 'kind' in value ? (value as Node) : undefined;
}

/** Whether something certain is meant, a row or an id: where that is not there any more, nothing else is meant in its place. */
export function isNamed(argument: unknown): boolean {
  return asNode(argument) !== undefined || typeof argument === 'string';
}

/** What a row stands in. */
export function workspaceOf(node: Node | undefined): WorkspaceInfo | undefined {
  return node !== undefined && 'workspace' in node ? node.workspace : undefined;
}

export function asPlace(value: unknown): FilePlace | undefined {
  return value instanceof vscode.Uri ? placeOf(value) : undefined;
}

export async function pickWorkspace(
  house: House,
  argument: unknown,
  may: (workspace: WorkspaceInfo) => boolean = () => true,
): Promise<WorkspaceInfo | undefined> {
  const open = house.list.workspaces.filter((workspace) => workspace.state === 'open' && may(workspace));
  const id = workspaceOf(asNode(argument))?.id ?? argument;
  const named = open.find((workspace) => workspace.id === id);
  if (named !== undefined) return named;
  return pick(isNamed(argument) ? [] : open, vscode.l10n.t('Workspace'), (workspace) => ({
    label: workspace.name,
    description: counts.members(workspace.members.length),
  }));
}

/** `may` is asked of the workspace: for whoever would only read, left out. */
export async function pickTool(
  house: House,
  argument: unknown,
  kind: ToolKind | undefined,
  may: (workspace: WorkspaceInfo) => boolean = reads,
): Promise<ToolTarget | undefined> {
  const all = house.list.workspaces
    .filter(may)
    .flatMap((workspace) => workspace.tools.map((tool) => ({ workspace, tool })))
    .filter(({ tool }) => kind === undefined || tool.kind === kind);
  const node = asNode(argument);
  const place = asPlace(argument);
  const tool = node?.kind === 'tool' ? node.tool.id : node?.kind === 'entry' ? node.tool : (place?.tool ?? argument);
  const workspace = workspaceOf(node)?.id ?? place?.workspace;
  const named = all.filter((target) => workspace === undefined || target.workspace.id === workspace);
  const found = named.find((target) => target.tool.id === tool);
  if (found !== undefined) return found;
  // On the row of a workspace one of its tools is meant, whichever.
  const isOne = place !== undefined || (isNamed(argument) && node?.kind !== 'workspace');
  return pick(isOne ? [] : named, vscode.l10n.t('Tool'), (target) => ({
    label: `$(${toolIcon(target.tool.kind)}) ${target.tool.name}`,
    description: [
      target.workspace.name,
      ...(target.workspace.state === 'closed' ? [vscode.l10n.t('deleted')] : []),
    ].join(' · '),
  }));
}

export function toolIcon(kind: ToolKind): string {
  return kind === 'files' ? 'files' : 'comment-discussion';
}

/** The folder that something is to be put into. */
export async function pickFolder(
  house: House,
  argument: unknown,
  may: (workspace: WorkspaceInfo) => boolean,
): Promise<FilePlace | undefined> {
  const given = fileOf(argument);
  if (given !== undefined) {
    const isFolder = given.kind === 'folder' || given.place.path === '/';
    return isFolder ? given.place : { ...given.place, path: parentPath(given.place.path) };
  }
  const target = await pickTool(house, argument, 'files', may);
  return target && { workspace: target.workspace.id, tool: target.tool.id, path: '/' };
}

/** The file or folder that a row or an address names; an address alone is taken for a folder only where it is a root. */
export function fileOf(argument: unknown): FileTarget | undefined {
  const node = asNode(argument);
  if (node?.kind === 'entry') {
    return { place: { workspace: node.workspace.id, tool: node.tool, path: node.path }, kind: node.entry.kind };
  }
  const place = asPlace(argument);
  return place && { place, kind: place.path === '/' ? 'folder' : 'file' };
}

/** Whose tab is in front: a picture's too, which is no text editor. Of two that are compared, the one with the keyboard. */
export function fileInFront(): FileTarget | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const isOne =
    input instanceof vscode.TabInputText ||
    input instanceof vscode.TabInputCustom ||
    input instanceof vscode.TabInputNotebook;
  return fileOf(isOne ? input.uri : vscode.window.activeTextEditor?.document.uri);
}

export async function pickMember(
  house: House,
  argument: unknown,
  may: (member: MemberInfo) => boolean,
): Promise<MemberInfo | undefined> {
  const node = asNode(argument);
  const people = new Map<string, MemberInfo>();
  for (const workspace of house.list.workspaces) {
    for (const member of workspace.members) {
      if (may(member) && !people.has(member.account)) people.set(member.account, member);
    }
  }
  if (node?.kind === 'member') return people.get(node.member.account);
  return pick([...people.values()], vscode.l10n.t('Member'), (member) => ({
    label: member.name,
    description: [roleWord(member.role), ...(member.verified ? [vscode.l10n.t('verified')] : [])].join(' · '),
  }));
}

export async function pick<T>(
  candidates: readonly T[],
  title: string,
  show: (candidate: T) => vscode.QuickPickItem,
  placeHolder = title,
): Promise<T | undefined> {
  if (candidates.length <= 1) {
    if (candidates.length === 0) {
      void notify('information', vscode.l10n.t('There is nothing here that this could be done with.'));
    }
    return candidates[0];
  }
  const rows = candidates.map((candidate) => ({ ...show(candidate), candidate }));
  return (await vscode.window.showQuickPick(rows, { title, placeHolder }))?.candidate;
}

/** Asks for a name; what is wrong with it beyond being empty, the service says. */
export async function askName(
  title: string,
  value = '',
  selection?: readonly [number, number],
): Promise<string | undefined> {
  const name = await vscode.window.showInputBox({
    title,
    value,
    ...(selection === undefined ? {} : { valueSelection: [selection[0], selection[1]] }),
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() === '' ? vscode.l10n.t('A name is needed.') : undefined),
  });
  return name?.trim();
}
