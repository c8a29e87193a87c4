/** The API: invitations, from either side. */
import type { WorkspaceId } from '../base/ids.ts';
import { readInvitation, type Invitation } from '../sync/invitation.ts';
import { safetyNumber } from '../sync/safety-number.ts';
import { type CallKey, ServiceError, type InvitationInfo, type JoiningApi } from './api.ts';
import type { Calls } from './calls.ts';
import type { Hub } from './hub.ts';
import type { Joins } from './joins.ts';
import type { Returning } from './returning.ts';
import { ROLE_NAMES } from './workspace-info.ts';
import type { Workspaces } from './workspaces.ts';

export function joiningApi(
  hub: Hub,
  workspaces: Workspaces,
  joins: Joins,
  returning: Returning,
  calls: Calls,
  call?: CallKey,
): JoiningApi {
  // D2: a store that was put back to before those came who could tell it what it lacks knows none of them: an invitation leads it to one.
  const isMember = (id: WorkspaceId) => {
    const workspace = workspaces.get(id)?.workspace;
    return workspace?.self !== undefined && !workspace.awaitsWord;
  };

  return {
    invite: (workspace, options) =>
      calls.once(
        call,
        () => workspaces.find(workspace).inviting.invite(options, call),
        ({ delta }) => workspaces.find(workspace).inviting.inviteAgain(delta!, options, call),
      ),

    revokeInvitation: (workspace, invitation) =>
      calls.change(call, () => workspaces.find(workspace).inviting.revoke(invitation, call)),

    readInvitation: async (text) => {
      const invitation = mustRead(hub, text);
      return describe(hub, invitation, isMember(invitation.workspace));
    },

    acceptInvitation: async (text) => {
      const invitation = mustRead(hub, text);
      if (isMember(invitation.workspace)) throw new ServiceError('alreadyMember', {});
      if (invitation.expires < hub.clock.now()) throw new ServiceError('invitationExpired', {});
      return calls.do(() => joins.accept(invitation, text));
    },

    fetchAgain: (workspace) => calls.do(() => returning.want(workspace as WorkspaceId)),

    joins: async () => [...joins].map((joining) => joining.info()),

    cancelJoin: (workspace) => calls.do(() => joins.cancel(workspace as WorkspaceId)),

    joinRequests: async () => [...workspaces].flatMap(({ inviting }) => inviting.requests()),

    answerJoin: (request, accept) =>
      calls.change(call, async () => {
        for (const { inviting } of workspaces) if (await inviting.answer(request, accept, call)) return;
        throw new ServiceError('notFound', {});
      }),
  };
}

function mustRead(hub: Hub, text: string): Invitation {
  const read = readInvitation(hub.crypto, text);
  if (read.ok) return read.value;
  throw new ServiceError(read.error.tag === 'newer' ? 'invitationForeign' : 'badInvitation', {
    reason: read.error.tag,
  });
}

function describe(hub: Hub, invitation: Invitation, alreadyMember: boolean): InvitationInfo {
  const { workspace, workspaceName, inviterName, inviter, role, expires } = invitation;
  return {
    workspaceName,
    workspace,
    inviterName,
    inviterAccount: inviter,
    safetyNumber: safetyNumber(hub.crypto, hub.identity.account, inviter),
    role: ROLE_NAMES[role]!,
    expires,
    alreadyMember,
  };
}
