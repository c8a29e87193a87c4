/** A workspace as a window sees it: its tools with what is unread, its members, and who of them has everything. */
import { safetyNumber } from '../sync/safety-number.ts';
import type { Member } from '../sync/roster.ts';
import type { MemberInfo, Role as RoleName, SyncInfo, ToolKind, WorkspaceInfo } from './api.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** By their number in control deltas. */
export const ROLE_NAMES: readonly RoleName[] = ['manager', 'participant', 'guest'];

export function workspaceInfo(hub: Hub, workspace: SharedWorkspace, state: WorkspaceInfo['state']): WorkspaceInfo {
  const { id, roster, self } = workspace;
  const tools = [...roster.tools.values()].map(({ tool, kind, name }) => ({
    ...{ id: tool, kind: kind as ToolKind, name },
    unread: workspace.unread.count(tool),
  }));
  const people = [...roster.members.values()];
  return {
    id,
    name: roster.name,
    role: self && ROLE_NAMES[self.role],
    state,
    tools,
    members: people.map((member) => memberInfo(hub, workspace, member)),
    sync: syncInfo(hub, workspace, people),
    unread: tools.reduce((sum, tool) => sum + tool.unread, 0),
  };
}

function memberInfo(hub: Hub, workspace: SharedWorkspace, member: Member): MemberInfo {
  const { account } = hub.identity;
  const self = member.account === account;
  const isOnline = member.devices.some(({ certificate }) => workspace.peers.isOnline(certificate.device));
  return {
    account: member.account,
    name: member.name,
    role: ROLE_NAMES[member.role]!,
    self,
    presence: self || isOnline ? 'online' : 'offline',
    safetyNumber: self ? '' : safetyNumber(hub.crypto, account, member.account),
    verified: self || hub.local.get(`verified/${member.account}`) === true,
    inSync: self || isInSync(workspace, member),
  };
}

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
    outOfStep: workspace.replica.isOutOfStep,
  };
}

function isInSync({ engine }: SharedWorkspace, { devices }: Member): boolean {
  return devices.every(({ certificate }) => engine.session.inSync(certificate.device));
}

function isRelayed({ engine }: SharedWorkspace, { devices }: Member): boolean {
  return devices.every(({ certificate }) => engine.session.isRelayed(certificate.device));
}
