/**
 * The default permissions (PRODUCT.md): what a role may do where nobody has set anything. Managers may do everything, which
 * nobody can change; guests view. Viewing is everybody's and is not a permission (A9).
 */
import { Role } from './control.ts';

/** 'workspace' or a tool's kind: what there are defaults for. */
export type Scope = string;
/**
 * What an author does: own content is his account's. Who may `edit` or `delete` may do so to his own, too, unless that alone is denied
 * him. Deleting the workspace and configuring (permissions, download settings) are managers' whatever is set (A8, A10).
 */
export type Action =
  | ('add' | 'edit' | 'editOwn' | 'delete' | 'deleteOwn' | 'rename' | 'configure')
  | ('invite' | 'uninvite' | 'addTools' | 'deleteTools' | 'deleteWorkspace');

const TO_HIS_OWN: readonly Action[] = ['add', 'editOwn', 'deleteOwn'];
const TO_ALL: readonly Action[] = ['add', 'edit', 'editOwn', 'delete', 'deleteOwn'];

const PARTICIPANT: ReadonlyMap<Scope, readonly Action[]> = new Map<Scope, readonly Action[]>([
  ['workspace', ['invite', 'addTools']],
  ['calendar', TO_HIS_OWN],
  ['discussion', TO_HIS_OWN],
  ['files', ['add', 'edit', 'editOwn', 'deleteOwn']],
  ['pictures', ['add', 'rename']],
  ['notepad', TO_ALL],
  ['sketchpad', TO_ALL],
  ['chat', TO_HIS_OWN],
  ['forms', TO_HIS_OWN],
  ['tasks', TO_HIS_OWN],
  ['meetings', TO_HIS_OWN],
]);

/** What tools and words ask about, and a manager may so say for the other roles: all else is managers' or everybody's whatever is set. */
const ASKED: ReadonlyMap<Scope, readonly Action[]> = new Map<Scope, readonly Action[]>([
  ['workspace', ['invite', 'uninvite', 'addTools', 'deleteTools']],
  ['files', TO_ALL],
  ['chat', TO_ALL],
]);

export function askedOf(scope: Scope): readonly Action[] {
  return ASKED.get(scope) ?? [];
}

export function allowedByDefault(scope: Scope, action: Action, role: Role): boolean {
  if (role === Role.manager) return true;
  return role === Role.participant && (PARTICIPANT.get(scope) ?? []).includes(action);
}
