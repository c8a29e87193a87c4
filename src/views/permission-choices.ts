/** What a person has chosen of the permissions, against what stands: pure. */
import type { PermissionAction, PermissionInfo, PermissionScope, PermissionTarget } from '../service/api.ts';

export interface PermissionChange {
  readonly action: PermissionAction;
  readonly role: PermissionInfo['role'];
  /** Null: what was said is taken back. */
  readonly allow: boolean | null;
}

/** The workspace and the kinds of its tools. */
export function scopesOf(all: readonly PermissionInfo[]): readonly PermissionScope[] {
  return [...new Set(all.map(({ scope }) => scope))];
}

export function permissionsOf(
  all: readonly PermissionInfo[],
  target: PermissionTarget,
  role?: PermissionInfo['role'],
): readonly PermissionInfo[] {
  const isOf = ({ scope, tool }: PermissionInfo) =>
    typeof target === 'string' ? tool === undefined && scope === target : tool === target.tool;
  return all.filter((one) => isOf(one) && (role === undefined || one.role === role));
}

/** Those that are not as everybody begins with; of one tool, of which something else is said than of all of its kind. */
export function changed(all: readonly PermissionInfo[]): readonly PermissionInfo[] {
  return all.filter(({ tool, allowed, otherwise, own }) => (tool === undefined ? allowed !== otherwise : own));
}

/** What is allowed, without what is said by the wider already: who may change any file may change his own. */
export function widest(all: readonly PermissionInfo[]): readonly PermissionAction[] {
  const allowed = new Set(all.filter((one) => one.allowed).map(({ action }) => action));
  const isSaid = (action: PermissionAction): boolean =>
    (action === 'editOwn' && allowed.has('edit')) || (action === 'deleteOwn' && allowed.has('delete'));
  return [...allowed].filter((action) => !isSaid(action));
}

/** What is to be said where these are to be allowed, and the others are not. */
export function changesTo(
  all: readonly PermissionInfo[],
  allowed: ReadonlySet<PermissionAction>,
): readonly PermissionChange[] {
  return all
    .filter((one) => one.allowed !== allowed.has(one.action))
    .map(({ action, role }) => ({ action, role, allow: allowed.has(action) }));
}

/** What is to be taken back so that all is as it was in the beginning, or in one tool as in all of its kind. */
export function changesBack(all: readonly PermissionInfo[]): readonly PermissionChange[] {
  return changed(all).map(({ action, role }) => ({ action, role, allow: null }));
}
