/** What a person has chosen of the permissions, against what stands: pure. */
import type { PermissionAction, PermissionInfo, PermissionScope } from '../service/api.ts';

export interface PermissionChange {
  readonly action: PermissionAction;
  readonly role: PermissionInfo['role'];
  readonly allow: boolean;
}

export function scopesOf(all: readonly PermissionInfo[]): readonly PermissionScope[] {
  return [...new Set(all.map(({ scope }) => scope))];
}

export function permissionsOf(
  all: readonly PermissionInfo[],
  scope: PermissionScope,
  role?: PermissionInfo['role'],
): readonly PermissionInfo[] {
  return all.filter((one) => one.scope === scope && (role === undefined || one.role === role));
}

/** Those that are not as everybody begins with. */
export function changed(all: readonly PermissionInfo[]): readonly PermissionInfo[] {
  return all.filter(({ allowed, byDefault }) => allowed !== byDefault);
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

/** What is to be said so that all is as it was in the beginning. */
export function changesToDefault(all: readonly PermissionInfo[]): readonly PermissionChange[] {
  return changed(all).map(({ action, role, byDefault }) => ({ action, role, allow: byDefault }));
}
