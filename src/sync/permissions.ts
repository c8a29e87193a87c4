/** The default permissions (PRODUCT.md): what a role may do where nobody has set anything. Managers may do everything. */
import { Role } from './control.ts';

/** 'workspace' or a tool's kind. */
export type Scope = string;
/** What an author does: own content is his account's. */
export type Action =
  'add' | 'edit' | 'editOwn' | 'delete' | 'deleteOwn' | 'invite' | 'uninvite' | 'addTools' | 'deleteTools';

const PARTICIPANT: Readonly<Record<Scope, readonly Action[]>> = {
  workspace: ['invite', 'addTools'],
  files: ['add', 'edit', 'editOwn', 'deleteOwn'],
  chat: ['add', 'editOwn', 'deleteOwn'],
};

/** Guests view; viewing is everybody's and is not a permission (A9). */
export function allowedByDefault(scope: Scope, action: Action, role: Role): boolean {
  if (role === Role.manager) return true;
  return role === Role.participant && (PARTICIPANT[scope] ?? []).includes(action);
}
