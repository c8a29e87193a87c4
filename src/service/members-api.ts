/** The API: members, and this person's own leaving. */
import type { WorkspaceId } from '../base/ids.ts';
import type { CallKey, MembersApi } from './api.ts';
import type { Calls } from './calls.ts';
import type { Hub } from './hub.ts';
import { Membership } from './membership.ts';
import { permissionsOf } from './permissions.ts';
import { absentDevices } from './workspace-info.ts';
import type { Workspaces } from './workspaces.ts';

export function membersApi(hub: Hub, workspaces: Workspaces, calls: Calls, call?: CallKey): MembersApi {
  const change = (workspace: string, make: (membership: Membership) => Promise<void>): Promise<void> =>
    calls.change(call, () => make(new Membership(workspaces.find(workspace).workspace, call)));

  return {
    setVerified: async (account, verified) => {
      if (verified) hub.local.put(`verified/${account}`, true);
      else hub.local.drop(`verified/${account}`);
      await calls.do(() => hub.commit([]));
      hub.emit({ type: 'workspaces' });
    },

    setRole: (workspace, account, role) => change(workspace, (membership) => membership.setRole(account, role)),

    removeMember: (workspace, account) => change(workspace, (membership) => membership.remove(account)),

    absentDevices: async (workspace) => {
      const hosted = workspaces.find(workspace);
      if (hosted.absence.look()) await calls.do(() => hub.commit([]));
      return absentDevices(hub, hosted);
    },

    dropDevices: (workspace, devices) => change(workspace, (membership) => membership.drop(devices)),

    freezeDevice: (workspace, device) => change(workspace, (membership) => membership.freeze(device)),

    setPermission: (workspace, target, action, role, allow) =>
      change(workspace, (membership) => membership.setPermission(target, action, role, allow)),

    permissions: async (workspace) => permissionsOf(hub, workspaces.find(workspace).workspace),

    leaveWorkspace: async (workspace) => {
      await change(workspace, (membership) => membership.leave());
      hub.toGo(workspace as WorkspaceId);
    },

    deleteWorkspace: (workspace) => change(workspace, (membership) => membership.deleteWorkspace()),
  };
}
