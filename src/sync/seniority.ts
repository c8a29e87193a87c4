/** key(cred) of A1 and what follows from it: who is senior to whom, and in which order verdicts are given (A6). */
import type { DeltaId } from '../base/ids.ts';
import { Role, type Control } from './control.ts';
import { compareNodes, type Node } from './graph.ts';

/** Lower is senior. */
export interface Key {
  readonly role: Role;
  readonly height: number;
  readonly id: DeltaId;
}

export interface Accepted {
  readonly node: Node;
  readonly control: Control;
}

/** With the key of what it cites: it has a place in the order of A6. */
export interface Entry extends Accepted {
  readonly key: Key;
}

/** Of a delta that gives a role; undefined for others. */
export function keyOf({ node, control }: Accepted): Key | undefined {
  const role =
    control.kind === 'genesis'
      ? Role.manager
      : control.kind === 'admit' || control.kind === 'setRole'
        ? control.role
        : undefined;
  return role === undefined ? undefined : { role, height: node.height, id: node.delta.id };
}

export function compareKeys(a: Key, b: Key): number {
  return a.role - b.role || a.height - b.height || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Nobody's verdict rests on them, and theirs on nothing that is judged later. */
const IS_INERT: ReadonlySet<Control['kind']> = new Set([
  'ack',
  'profile',
  'checkpoint',
  'epoch',
  'rename',
  'renameTool',
]);

export function isInert({ kind }: Control): boolean {
  return IS_INERT.has(kind);
}

/**
 * A6. Nothing rests on the inert: they are judged when all that may restrict their authors has been. The genesis stands before all
 * that rests on it, its founder's leave, too.
 */
export function compareEntries(a: Entry, b: Entry): number {
  const inert = Number(isInert(a.control)) - Number(isInert(b.control));
  return inert || compareKeys(a.key, b.key) || rankOf(a) - rankOf(b) || compareNodes(a.node, b.node);
}

function rankOf({ control }: Entry): number {
  return control.kind === 'genesis' ? 0 : control.kind === 'leave' ? 1 : 2;
}
