/** What is in whose past, worked out from what the deltas name, and from nothing that the engine has worked out itself (D5, D6). */
import type { DeltaId, FeedId } from '../../src/base/ids.ts';
import type { Delta } from '../../src/sync/delta.ts';

export interface Placed {
  readonly delta: Delta;
  readonly height: number;
  /** Highest seq of every feed in its past, its own included. */
  readonly vector: ReadonlyMap<FeedId, number>;
  /** What of feeds that are forked is in its past: of these a number says too little (D8). */
  readonly ofForked: ReadonlySet<DeltaId>;
  /** Whether its own feed is. */
  readonly isForked: boolean;
}

export class Past {
  readonly #placed = new Map<DeltaId, Placed>();
  /** What names no past that could be, in words. */
  readonly faults: string[] = [];

  /** In an order in which everything comes after its past. */
  constructor(deltas: Iterable<Delta>) {
    const all = [...deltas];
    const forked = forkedIn(all);
    for (const delta of all) this.#place(delta, forked);
  }

  #place(delta: Delta, forked: ReadonlySet<FeedId>): void {
    const fault = (what: string) =>
      this.faults.push(`${delta.kind} ${delta.seq} of ${delta.device.slice(0, 8)} ${what}`);
    const vector = new Map<FeedId, number>();
    const ofForked = new Set<DeltaId>();
    let height = 0;
    for (const id of delta.prev === undefined ? delta.deps : [delta.prev, ...delta.deps]) {
      const before = this.#placed.get(id);
      if (!before) {
        fault('comes before its past');
        continue;
      }
      const own = before.delta.feed === delta.feed;
      if (own !== (id === delta.prev)) fault('names its own feed among the others');
      if (own && before.delta.seq !== delta.seq - 1) fault('does not follow what it says it follows');
      height = Math.max(height, before.height);
      raise(vector, before.delta.feed, before.delta.seq);
      for (const [feed, seq] of before.vector) raise(vector, feed, seq);
      for (const one of before.ofForked) ofForked.add(one);
      if (before.isForked) ofForked.add(id);
    }
    this.#placed.set(delta.id, { delta, height: height + 1, vector, ofForked, isForked: forked.has(delta.feed) });
  }

  get(id: DeltaId): Placed | undefined {
    return this.#placed.get(id);
  }

  all(): Iterable<Placed> {
    return this.#placed.values();
  }
}

export function isPast(inner: Placed, outer: Placed): boolean {
  if (inner.isForked) return outer.ofForked.has(inner.delta.id);
  return (outer.vector.get(inner.delta.feed) ?? 0) >= inner.delta.seq;
}

/** D6. */
export function compare(a: Placed, b: Placed): number {
  return a.height - b.height || (a.delta.id < b.delta.id ? -1 : a.delta.id > b.delta.id ? 1 : 0);
}

function forkedIn(deltas: readonly Delta[]): ReadonlySet<FeedId> {
  const forked = new Set<FeedId>();
  const seen = new Map<string, DeltaId>();
  for (const { id, feed, seq } of deltas) {
    const place = `${feed} ${seq}`;
    if ((seen.get(place) ?? id) !== id) forked.add(feed);
    seen.set(place, id);
  }
  return forked;
}

function raise(vector: Map<FeedId, number>, feed: FeedId, seq: number): void {
  if ((vector.get(feed) ?? 0) < seq) vector.set(feed, seq);
}
