/** Who may do what in a workspace, as a person sees it (A5): by role, with who has changed what stands. */
import type { ToolId } from '../base/ids.ts';
import { Role } from '../sync/control.ts';
import { askedOf, type Action } from '../sync/permissions.ts';
import { TOOL_KINDS, type PermissionAction, type PermissionInfo, type PermissionScope, type ToolKind } from './api.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** The workspace or a kind of tool, or one tool of that kind. */
interface Target {
  readonly scope: PermissionScope;
  readonly tool: ToolId | undefined;
}

/** The workspace, the kinds of tools that stand in it, and each of these. */
function targetsOf({ roster }: SharedWorkspace): readonly Target[] {
  const tools = [...roster.tools.values()].filter(({ kind }) => TOOL_KINDS.includes(kind as ToolKind));
  const kinds = TOOL_KINDS.filter((kind) => tools.some((tool) => tool.kind === kind));
  return [
    ...(['workspace', ...kinds] as const).map((scope) => ({ scope, tool: undefined })),
    ...tools.map(({ tool, kind }) => ({ scope: kind as ToolKind, tool })),
  ];
}

export function permissionsOf(hub: Hub, workspace: SharedWorkspace): readonly PermissionInfo[] {
  return targetsOf(workspace).flatMap((target) =>
    askedOf(target.scope).flatMap((action) => [
      permission(hub, workspace, target, action, 'participant'),
      permission(hub, workspace, target, action, 'guest'),
    ]),
  );
}

function permission(
  { clock, identity }: Hub,
  workspace: SharedWorkspace,
  { scope, tool }: Target,
  action: Action,
  role: 'participant' | 'guest',
): PermissionInfo {
  const { replica } = workspace;
  const { allowed, otherwise, isOwn, setBy } = replica.people.allowance(scope, action, Role[role], tool);
  const last = setBy.toSorted((a, b) => a.delta.time - b.delta.time).at(-1);
  const account = last && replica.people.accountOf(last.delta.device);
  return {
    ...{ scope, ...(tool === undefined ? {} : { tool }), action: action as PermissionAction, role },
    ...{ allowed, otherwise, own: isOwn },
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

/** What this person may do now: to the workspace itself, or in a tool of a kind. */
export function mayIn({ replica, self }: SharedWorkspace, scope: string, tool?: ToolId): readonly PermissionAction[] {
  if (!self) return [];
  const may = askedOf(scope).filter((action) => replica.people.allowance(scope, action, self.role, tool).allowed);
  return may as PermissionAction[];
}
