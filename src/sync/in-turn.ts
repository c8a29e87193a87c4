/**
 * Words on devices that are judged in their turn, since what cuts them is in force (A4), each with what that was. Where these go round, one of another and that one in the
 * end of the first, each was put aside by what was put aside in its turn: then none is out by what stands, and all are in force.
 */
import { push } from '../base/group.ts';
import type { DeltaId } from '../base/ids.ts';
import type { DeviceRestriction } from './device-standing.ts';

interface Aside {
  readonly word: DeviceRestriction;
  readonly by: readonly DeltaId[];
}

export class InTurn {
  readonly #all = new Map<DeltaId, Aside>();
  /** Since it was last looked. */
  #latest: DeltaId[] = [];
  /** Once in force by this, a word that is put aside again stays so. */
  readonly #wereRings = new Set<DeltaId>();

  has(id: DeltaId): boolean {
    return this.#all.has(id);
  }

  put(word: DeviceRestriction, by: readonly DeltaId[]): void {
    const { id } = word.node.delta;
    this.#all.set(id, { word, by });
    this.#latest.push(id);
  }

  /** Of these what goes round, and is to be in force: it is not judged in its turn any more. */
  takeRings(): readonly DeviceRestriction[] {
    const rings = new Set<DeltaId>();
    for (const id of this.#latest) if (!rings.has(id)) for (const one of this.#ringOf(id)) rings.add(one);
    this.#latest = [];
    const words = [...rings].flatMap((id) => (this.#wereRings.has(id) ? [] : this.#all.get(id)!.word));
    for (const { node } of words) {
      this.#all.delete(node.delta.id);
      this.#wereRings.add(node.delta.id);
    }
    return words;
  }

  /** Whatever is one of another with it, in turns. */
  #ringOf(id: DeltaId): ReadonlySet<DeltaId> {
    const before = reached(id, (one) => this.#all.get(one)?.by.filter((by) => this.#all.has(by)) ?? []);
    if (!before.has(id)) return NONE;
    const after = new Map<DeltaId, DeltaId[]>();
    for (const one of before) for (const by of this.#all.get(one)!.by) push(after, by, one);
    return reached(id, (one) => after.get(one) ?? []);
  }
}

const NONE: ReadonlySet<DeltaId> = new Set();

/** By one step or more. */
function reached(from: DeltaId, next: (id: DeltaId) => readonly DeltaId[]): ReadonlySet<DeltaId> {
  const seen = new Set<DeltaId>();
  const open = [...next(from)];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...next(id));
  }
  return seen;
}
