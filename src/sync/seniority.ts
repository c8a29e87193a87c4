/** key(cred) of A1 and what follows from it: who is senior to whom, and in which order verdicts are given (A6). */
import type { DeltaId } from '../base/ids.ts';
import { Role, type Control } from './control.ts';
import type { Node } from './graph.ts';

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
