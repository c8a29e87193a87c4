/** What a person may do, as rows, menus and commands ask for it (A5): what he may not is not offered. Pure. */
import type { PermissionAction, ToolInfo, ToolKind, WorkspaceInfo } from '../service/api.ts';

/** Words for `when` clauses on the row of a workspace and of its members. */
export function workspaceRights(workspace: WorkspaceInfo): readonly string[] {
  if (workspace.state !== 'open') return [];
  const words: readonly (readonly [PermissionAction, string])[] = [
    ['addTools', 'toolAdder'],
    ['deleteTools', 'toolDeleter'],
    ['invite', 'inviter'],
    ['uninvite', 'remover'],
  ];
  const may = words.filter(([action]) => workspace.may.includes(action)).map(([, word]) => word);
  return manages(workspace) ? [...may, 'manager'] : may;
}

/** Words for `when` clauses on the row of a tool and of what is in it. */
export function toolRights(workspace: WorkspaceInfo, tool: ToolInfo | undefined): readonly string[] {
  if (workspace.state !== 'open' || tool === undefined) return [];
  const may = (...actions: readonly PermissionAction[]) => actions.some((action) => tool.may.includes(action));
  return [
    ...(may('add') ? ['writer'] : []),
    ...(may('edit', 'editOwn') ? ['editor'] : []),
    ...(may('delete', 'deleteOwn') ? ['deleter'] : []),
    ...workspaceRights(workspace),
  ];
}

/** A8: what was deleted for all is there to be read until it is removed from the list. */
export function reads({ state }: WorkspaceInfo): boolean {
  return state !== 'joining';
}

export function manages({ role, state }: WorkspaceInfo): boolean {
  return state === 'open' && role === 'manager';
}

/** A7: nobody is left who could do what managers alone may. */
export function lacksManager({ state, members }: WorkspaceInfo): boolean {
  return state === 'open' && members.length > 0 && !members.some(({ role }) => role === 'manager');
}

export function invites({ may }: WorkspaceInfo): boolean {
  return may.includes('invite');
}

export function removes({ may }: WorkspaceInfo): boolean {
  return may.includes('uninvite');
}

export function addsTools({ may }: WorkspaceInfo): boolean {
  return may.includes('addTools');
}

export function deletesTools({ state, may }: WorkspaceInfo): boolean {
  return state === 'open' && may.includes('deleteTools');
}

/** Into a tool that stands there. */
export function addsTo(tool: ToolInfo | undefined): boolean {
  return tool?.may.includes('add') ?? false;
}

/** Into some tool of a kind. */
export function addsToSome(kind: ToolKind): (workspace: WorkspaceInfo) => boolean {
  return ({ state, tools }) => state === 'open' && tools.some((tool) => tool.kind === kind && addsTo(tool));
}

/** Whether a file's tab takes what is typed. */
export function edits(tool: ToolInfo | undefined): boolean {
  return tool === undefined || tool.may.includes('edit') || tool.may.includes('editOwn');
}
