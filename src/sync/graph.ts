/**
 * The set of deltas of one workspace, as a graph (D2, D5, D6, D8). It answers what is in whose past; it judges nothing.
 * A delta comes in only when its past is there; others wait in a bounded buffer.
 */
import { assert } from '../base/assert.ts';
import type { DeltaId, DeviceId, FeedId } from '../base/ids.ts';
import { MAX_WAITING_BYTES, MAX_WAITING_DELTAS } from '../protocol/limits.ts';
import type { Delta } from './delta.ts';

export interface Node {
  readonly delta: Delta;
  /** 1 + the highest in its past; 1 for the genesis (D6). */
  readonly height: number;
  /** Highest seq of every other feed in its past. Shared along a feed for as long as nothing new is named in deps. */
  readonly others: ReadonlyMap<FeedId, number>;
  /** Position in the order of arrival: what is unread is counted by it. Local, never part of a verdict. */
  readonly arrival: number;
}

/** Per feed, the seq that is held without a gap. */
export type Vector = ReadonlyMap<FeedId, number>;

export type InsertOutcome =
  | { readonly outcome: 'added'; readonly node: Node }
  | { readonly outcome: 'known' }
  | { readonly outcome: 'waiting'; readonly missing: readonly DeltaId[] }
  | { readonly outcome: 'fork'; readonly device: DeviceId }
  | { readonly outcome: 'broken' } // seq and prev, or deps, contradict what is here
  | { readonly outcome: 'overflow' };

const NO_OTHERS: ReadonlyMap<FeedId, number> = new Map();

export class Graph {
  readonly #nodes = new Map<DeltaId, Node>();
  readonly #feeds = new Map<FeedId, Node[]>();
  /** Deltas that nothing here names yet, one per feed at most. */
  readonly #heads = new Map<FeedId, Node>();
  readonly #waiting = new Map<DeltaId, Delta>();
  readonly #waitingFor = new Map<DeltaId, Set<DeltaId>>();
  #waitingBytes = 0;
  #arrivals = 0;

  get size(): number {
    return this.#nodes.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get arrivals(): number {
    return this.#arrivals;
  }

  get(id: DeltaId): Node | undefined {
    return this.#nodes.get(id);
  }

  has(id: DeltaId): boolean {
    return this.#nodes.has(id) || this.#waiting.has(id);
  }

  feeds(): ReadonlyMap<FeedId, readonly Node[]> {
    return this.#feeds;
  }

  tip(feed: FeedId): Node | undefined {
    return this.#feeds.get(feed)?.at(-1);
  }

  at(feed: FeedId, seq: number): Node | undefined {
    return this.#feeds.get(feed)?.[seq - 1];
  }

  vector(): Vector {
    return new Map([...this.#feeds].map(([feed, nodes]) => [feed, nodes.length]));
  }

  /** The maximal heads outside a feed: the deps of its next delta (D5). */
  headsOutside(feed: FeedId): readonly Node[] {
    return [...this.#heads.values()].filter((head) => head.delta.feed !== feed);
  }

  /** What a peer with this vector lacks, in the order of arrival: every delta after its past. */
  *beyond(theirs: Vector, upTo: (feed: FeedId) => number = everything): Generator<Node> {
    const cursors = [...this.#feeds].map(([feed, nodes]) => ({
      nodes,
      at: theirs.get(feed) ?? 0,
      end: Math.min(nodes.length, upTo(feed)),
    }));
    for (;;) {
      let first: (typeof cursors)[number] | undefined;
      for (const cursor of cursors) {
        if (cursor.at >= cursor.end) continue;
        if (!first || cursor.nodes[cursor.at]!.arrival < first.nodes[first.at]!.arrival) first = cursor;
      }
      if (!first) return;
      yield first.nodes[first.at++]!;
    }
  }

  /** Ids that waiting deltas lack and that nobody has sent. */
  missing(): readonly DeltaId[] {
    return [...this.#waitingFor.keys()].filter((id) => !this.#waiting.has(id));
  }

  /** Takes a delta in, or says why not. What waited for it is answered by `released`. */
  insert(delta: Delta): InsertOutcome {
    if (this.#nodes.has(delta.id)) return { outcome: 'known' };
    if (this.at(delta.feed, delta.seq)) return { outcome: 'fork', device: delta.device };
    const missing = this.#pastOf(delta).filter((id) => !this.#nodes.has(id));
    if (missing.length > 0) return this.#wait(delta, missing);
    return this.#add(delta);
  }

  /** Waiting deltas whose past is complete now that `id` is in; they are no longer waiting. */
  released(id: DeltaId): readonly Delta[] {
    const free: Delta[] = [];
    for (const waiter of this.#waitingFor.get(id) ?? []) {
      const delta = this.#waiting.get(waiter);
      if (!delta || this.#pastOf(delta).some((past) => !this.#nodes.has(past))) continue;
      this.#waiting.delete(waiter);
      this.#waitingBytes -= delta.bytes.length;
      free.push(delta);
    }
    this.#waitingFor.delete(id);
    return free;
  }

  #pastOf(delta: Delta): readonly DeltaId[] {
    return delta.prev === undefined ? delta.deps : [delta.prev, ...delta.deps];
  }

  #wait(delta: Delta, missing: readonly DeltaId[]): InsertOutcome {
    if (this.#waiting.has(delta.id)) return { outcome: 'waiting', missing };
    if (this.#waiting.size >= MAX_WAITING_DELTAS || this.#waitingBytes + delta.bytes.length > MAX_WAITING_BYTES) {
      return { outcome: 'overflow' };
    }
    this.#waiting.set(delta.id, delta);
    this.#waitingBytes += delta.bytes.length;
    for (const id of missing) {
      const waiters = this.#waitingFor.get(id) ?? new Set();
      this.#waitingFor.set(id, waiters.add(delta.id));
    }
    return { outcome: 'waiting', missing };
  }

  #add(delta: Delta): InsertOutcome {
    const prev = delta.prev === undefined ? undefined : this.#nodes.get(delta.prev);
    const deps = delta.deps.map((id) => this.#nodes.get(id)!);
    if (prev && (prev.delta.feed !== delta.feed || prev.delta.seq !== delta.seq - 1)) return { outcome: 'broken' };
    if (deps.some((dep) => dep.delta.feed === delta.feed)) return { outcome: 'broken' };
    const node: Node = {
      delta,
      height: 1 + Math.max(prev?.height ?? 0, ...deps.map((dep) => dep.height)),
      others: pastVector(prev, deps),
      arrival: ++this.#arrivals,
    };
    const feed = this.#feeds.get(delta.feed) ?? [];
    assert(feed.length === delta.seq - 1, 'a feed has no gap');
    feed.push(node);
    this.#feeds.set(delta.feed, feed);
    this.#nodes.set(delta.id, node);
    this.#heads.set(delta.feed, node);
    for (const dep of deps) if (this.#heads.get(dep.delta.feed) === dep) this.#heads.delete(dep.delta.feed);
    return { outcome: 'added', node };
  }
}

/** Whether `inner` is in the past of `outer`; a delta is not in its own past (D5). */
export function inPast(inner: Node, outer: Node): boolean {
  if (inner.delta.feed === outer.delta.feed) return inner.delta.seq < outer.delta.seq;
  return (outer.others.get(inner.delta.feed) ?? 0) >= inner.delta.seq;
}

/** D6: causal, then (height, id). Height alone respects causality, since it grows along every edge. */
export function compareNodes(a: Node, b: Node): number {
  return a.height - b.height || (a.delta.id < b.delta.id ? -1 : a.delta.id > b.delta.id ? 1 : 0);
}

function everything(): number {
  return Number.POSITIVE_INFINITY;
}

function pastVector(prev: Node | undefined, deps: readonly Node[]): ReadonlyMap<FeedId, number> {
  if (deps.length === 0) return prev?.others ?? NO_OTHERS;
  const vector = new Map(prev?.others);
  const raise = (feed: FeedId, seq: number) => {
    if ((vector.get(feed) ?? 0) < seq) vector.set(feed, seq);
  };
  for (const dep of deps) {
    raise(dep.delta.feed, dep.delta.seq);
    for (const [feed, seq] of dep.others) raise(feed, seq);
  }
  return vector;
}
