/** What of a copy is on disk, of the own feed and of what others have sent, and what they may be told by that (D1). */
import type { DeltaId } from '../base/ids.ts';
import type { Delta } from './delta.ts';
import type { Graph, Node, Vector } from './graph.ts';
import type { OwnFeed } from './own-feed.ts';

export class Durability {
  readonly #graph: Graph;
  readonly #own: OwnFeed;
  /** Of others: come in, and not on disk yet. */
  readonly #unsaved = new Map<DeltaId, Delta>();
  /** What was read from the disk, and waited for its past then. */
  readonly #restored = new Set<DeltaId>();
  /** Until something enters or becomes durable: it is asked for with every message. */
  #vector: Vector | undefined;

  constructor(graph: Graph, own: OwnFeed) {
    this.#graph = graph;
    this.#own = own;
  }

  // ---- what becomes of it ---------------------------------------------------------------------------------------------

  /** Something is held that was not before, or another feed is the own one. */
  changed(): void {
    this.#vector = undefined;
  }

  /** From others, and is to be made durable. */
  cameIn({ delta }: Node): void {
    this.#unsaved.set(delta.id, delta);
  }

  /** What was in another copy is in this one. */
  takeOver(other: Durability): void {
    for (const [id, delta] of other.#unsaved) if (this.#graph.get(id)) this.#unsaved.set(id, delta);
    this.#vector = undefined;
  }

  /** These are as if they had never come (D8). */
  withdraw(nodes: ReadonlySet<Node>): void {
    for (const { delta } of nodes) this.#unsaved.delete(delta.id);
    this.#vector = undefined;
  }

  /** From the disk: its past is not here. */
  waits({ id, device }: Delta): void {
    if (device === this.#own.device) this.#restored.add(id);
  }

  /** It is on disk, an own one with those before it. */
  madeDurable({ delta }: Node): void {
    this.#unsaved.delete(delta.id);
    if (this.#own.madeDurable(delta)) this.#vector = undefined;
  }

  // ---- what others may be told ----------------------------------------------------------------------------------------

  /** What is held, of the own feed only what is durable. As it is now: it does not change with the copy. */
  vector(): Vector {
    return (this.#vector ??= this.#own.durableIn(this.#graph.vector()));
  }

  /**
   * Of what is held what is on disk, of others' feeds, too. Who is told that it is here may never send it again, and keeps that across a restart:
   * after a crash it might be lacking here for good.
   */
  durable(): Vector {
    const [vector, cut] = [new Map(this.vector()), this.#graph.cut()];
    for (const { feed, seq } of this.#unsaved.values()) {
      // What is folded nobody sends again in any case: a base comes in its place.
      const before = Math.min(Math.max(seq - 1, cut.get(feed) ?? 0), vector.get(feed) ?? 0);
      if (before === 0) vector.delete(feed);
      else vector.set(feed, before);
    }
    return vector;
  }

  /** Whether all that is held is on disk. */
  get isWhole(): boolean {
    return this.#own.isAllDurable && this.#unsaved.size === 0;
  }

  /**
   * Of this device what is on disk and waits for its past (L6): nobody else need have it, and what a fresh copy lacks of that past comes by
   * others' logs. What others have sent they send again: it is on disk when it has come in, and not before.
   */
  ownWaiting(): readonly Delta[] {
    return [...this.#graph.waitingDeltas()].filter(
      ({ id, device }) => device === this.#own.device && this.#restored.has(id),
    );
  }
}
