/** Who may do what in a workspace, as a person sees it (A5): by role, with who has changed what stands. */
import { Role } from '../sync/control.ts';
import { allowedByDefault, askedOf, type Action } from '../sync/permissions.ts';
import { TOOL_KINDS, type PermissionAction, type PermissionInfo, type PermissionScope } from './api.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** The workspace, and the kinds of tools that stand in it. */
export function scopesOf({ roster }: SharedWorkspace): readonly PermissionScope[] {
  const kinds = new Set([...roster.tools.values()].map(({ kind }) => kind));
  return ['workspace', ...TOOL_KINDS.filter((kind) => kinds.has(kind))];
}

export function permissionsOf(hub: Hub, workspace: SharedWorkspace): readonly PermissionInfo[] {
  return scopesOf(workspace).flatMap((scope) =>
    askedOf(scope).flatMap((action) => [
      permission(hub, workspace, scope, action, 'participant'),
      permission(hub, workspace, scope, action, 'guest'),
    ]),
  );
}

function permission(
  { clock, identity }: Hub,
  workspace: SharedWorkspace,
  scope: PermissionScope,
  action: Action,
  role: 'participant' | 'guest',
): PermissionInfo {
  const { replica } = workspace;
  const { allowed, setBy } = replica.allowance(scope, action, Role[role]);
  const last = setBy.toSorted((a, b) => a.delta.time - b.delta.time).at(-1);
  const account = last && replica.accountOf(last.delta.device);
  return {
    ...{ scope, action: action as PermissionAction, role, allowed },
    byDefault: allowedByDefault(scope, action, Role[role]),
    ...(last && account !== undefined
      ? {
          changed: {
            by: workspace.nameOf(account),
            self: account === identity.account,
            at: Math.min(last.delta.time, clock.now()),
          },
        }
      : {}),
  };
}

/** What this person may do now. */
export function mayIn({ replica, self }: SharedWorkspace, scope: string): readonly PermissionAction[] {
  if (!self) return [];
  return askedOf(scope).filter((action) => replica.allowance(scope, action, self.role).allowed) as PermissionAction[];
}
