/** A workspace as a window sees it: its tools with what is unread, its members, and who of them has everything. */
import { groupBy } from '../base/group.ts';
import type { DeviceId } from '../base/ids.ts';
import type { DeviceRecord, Member } from '../sync/roster.ts';
import { safetyNumber } from '../sync/safety-number.ts';
import type { Absence } from './absence.ts';
import type {
  AbsentDevice,
  MemberDeviceInfo,
  MemberInfo,
  Role as RoleName,
  SyncInfo,
  ToolKind,
  WorkspaceInfo,
} from './api.ts';
import type { Hub } from './hub.ts';
import { mayIn } from './permissions.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** What of a hosted workspace is shown. */
interface Shown {
  readonly workspace: SharedWorkspace;
  readonly absence: Absence;
}

/** By their number in control deltas. */
export const ROLE_NAMES: readonly RoleName[] = ['manager', 'participant', 'guest'];

export function workspaceInfo(hub: Hub, { workspace, absence }: Shown, state: WorkspaceInfo['state']): WorkspaceInfo {
  const { id, roster, self } = workspace;
  const out = groupBy(roster.goneRecords, ([, { certificate }]) => certificate.account);
  const tools = [...roster.tools.values()].map(({ tool, kind, name }) => ({
    ...{ id: tool, kind: kind as ToolKind, name },
    may: state === 'open' ? mayIn(workspace, kind, tool) : [],
    unread: workspace.unread.count(tool),
  }));
  const people = [...roster.members.values()];
  return {
    id,
    name: roster.name,
    role: self && ROLE_NAMES[self.role],
    state,
    tools,
    may: state === 'open' ? mayIn(workspace, 'workspace') : [],
    members: people.map((member) => ({
      ...memberInfo(hub, workspace, member),
      devices: deviceInfos(hub, workspace, member, out.get(member.account) ?? [], absence.since),
    })),
    sync: syncInfo(hub, workspace, people),
    unread: tools.reduce((sum, tool) => sum + tool.unread, 0),
  };
}

/** Those of a member that are in the workspace, and those that were dropped or frozen. */
function deviceInfos(
  hub: Hub,
  workspace: SharedWorkspace,
  { account, devices }: Member,
  out: readonly (readonly [DeviceId, DeviceRecord])[],
  absentSince: ReadonlyMap<DeviceId, number>,
): readonly MemberDeviceInfo[] {
  const { roster, self, forks } = workspace;
  const isAbove = account === self?.account || workspace.replica.people.isSenior(self?.account ?? account, account);
  const describe = (record: DeviceRecord): Omit<MemberDeviceInfo, 'standing' | 'forked' | 'mayTakeOut'> => {
    const { device } = record.certificate;
    const isSelf = device === workspace.device;
    const online = isSelf || workspace.peers.isOnline(device);
    return { device, name: isSelf ? hub.deviceName() : record.name, self: isSelf, online };
  };
  const active = devices.map((record): MemberDeviceInfo => {
    const { device } = record.certificate;
    const since = absentSince.get(device);
    return {
      ...describe(record),
      standing: 'active',
      forked: forks.has(device),
      mayTakeOut: workspace.isManager && isAbove && device !== workspace.device,
      ...(since === undefined ? {} : { absentSince: since }),
    };
  });
  const gone = out.flatMap(([device, record]): readonly MemberDeviceInfo[] => {
    const word = roster.gone.get(device)!.delta;
    const standing = word.kind === 'drop' ? 'dropped' : word.kind === 'freeze' ? 'frozen' : undefined;
    if (standing === undefined) return [];
    const by = workspace.replica.people.accountOf(word.device);
    const told = { by: by === undefined ? '' : workspace.nameOf(by), forked: false, mayTakeOut: false };
    return [{ ...describe(record), standing, ...told }];
  });
  return [...active, ...gone];
}

/** L7: devices that have held back the log for long, as of the last look. */
export function absentDevices(hub: Hub, shown: Shown): readonly AbsentDevice[] {
  const { members } = workspaceInfo(hub, shown, 'open');
  return members.flatMap(({ account, name: member, devices }) =>
    devices.filter(({ absentSince }) => absentSince !== undefined).map((device) => ({ ...device, account, member })),
  );
}

/** A manager, once of each device that he may drop. Answers whether something is to go to disk. */
export function tellAbsent(hub: Hub, shown: Shown): boolean {
  const { workspace, absence } = shown;
  if (!workspace.isManager || workspace.roster.deleted) return false;
  const all = absence.since.size === 0 ? [] : absentDevices(hub, shown);
  const absent = all.filter(({ mayTakeOut }) => mayTakeOut);
  const untold = new Set(absence.takeUntold(absent.map(({ device }) => device as DeviceId)));
  if (untold.size === 0) return false;
  const members = new Set(absent.filter(({ device }) => untold.has(device as DeviceId)).map(({ member }) => member));
  const detail = { name: workspace.roster.name, members: [...members].join(', '), count: String(untold.size) };
  hub.emit({ type: 'notice', code: 'absent', workspace: workspace.id, detail });
  hub.emit({ type: 'workspaces' });
  return true;
}

function memberInfo(hub: Hub, workspace: SharedWorkspace, member: Member): Omit<MemberInfo, 'devices'> {
  const { account } = hub.identity;
  const self = member.account === account;
  const isOnline = member.devices.some(({ certificate }) => workspace.peers.isOnline(certificate.device));
  return {
    account: member.account,
    name: member.name,
    role: ROLE_NAMES[member.role]!,
    self,
    presence: self || isOnline ? 'online' : 'offline',
    safetyNumber: self ? '' : safetyNumberWith(hub, member),
    verified: self || hub.local.get(`verified/${member.account}`) === true,
    inSync: self || isInSync(workspace, member),
  };
}

/** The list is asked for many times a second while much comes in. */
function safetyNumberWith({ crypto, identity }: Hub, member: Member): string {
  const known = safetyNumbers.get(member);
  if (known !== undefined) return known;
  const made = safetyNumber(crypto, identity.account, member.account);
  safetyNumbers.set(member, made);
  return made;
}

const safetyNumbers = new WeakMap<Member, string>();

function syncInfo(hub: Hub, workspace: SharedWorkspace, people: readonly Member[]): SyncInfo {
  const others = people.filter(({ account }) => account !== hub.identity.account);
  const behind = others.filter((member) => !isInSync(workspace, member));
  return {
    others: others.length,
    inSync: others.length - behind.length,
    relayed: behind.filter((member) => isRelayed(workspace, member)).length,
    missingChunks: workspace.lackingChunks,
    missingBytes: workspace.exchange.lackingBytes,
    differing: [...new Set(workspace.differing)].map((account) => workspace.nameOf(account)),
    outOfStep: workspace.engine.isOutOfStep,
    newer: workspace.newer.map((account) => workspace.nameOf(account)),
    renewing: workspace.engine.renewal !== undefined,
  };
}

function isInSync({ engine }: SharedWorkspace, { devices }: Member): boolean {
  return devices.every(({ certificate }) => engine.session.inSync(certificate.device));
}

function isRelayed({ engine }: SharedWorkspace, { devices }: Member): boolean {
  return devices.every(({ certificate }) => engine.session.isRelayed(certificate.device));
}
