/** Deltas that wait for their past (D5), bounded, and what they wait for. */
import type { DeltaId, DeviceId, FeedId } from '../base/ids.ts';
import { MAX_WAITING_BYTES, MAX_WAITING_DELTAS } from '../protocol/limits.ts';
import type { Delta } from './delta.ts';

export class Waiting {
  readonly #deltas = new Map<DeltaId, Delta>();
  /** By what is missing: who waits for it. */
  readonly #waiters = new Map<DeltaId, Set<DeltaId>>();
  /** What they keep in memory: a delta is a part of what it came in, and keeps the whole. */
  readonly #kept = new Map<ArrayBufferLike, number>();
  #bytes = 0;
  #turns = 0;

  /** How often something has come to wait, or waits no more. */
  get turns(): number {
    return this.#turns;
  }

  get size(): number {
    return this.#deltas.size;
  }

  all(): Iterable<Delta> {
    return this.#deltas.values();
  }

  has(id: DeltaId): boolean {
    return this.#deltas.has(id);
  }

  get(id: DeltaId): Delta | undefined {
    return this.#deltas.get(id);
  }

  /** False where there is no room: it has to come again. */
  add(delta: Delta, missing: readonly DeltaId[]): boolean {
    if (this.#deltas.has(delta.id)) return true;
    const { buffer } = delta.bytes;
    const others = this.#kept.get(buffer) ?? 0;
    const more = others > 0 ? 0 : buffer.byteLength;
    if (this.#deltas.size >= MAX_WAITING_DELTAS || this.#bytes + more > MAX_WAITING_BYTES) return false;
    this.#deltas.set(delta.id, delta);
    this.#turns++;
    this.#kept.set(buffer, others + 1);
    this.#bytes += more;
    for (const id of missing) {
      const waiters = this.#waiters.get(id) ?? new Set();
      this.#waiters.set(id, waiters.add(delta.id));
    }
    return true;
  }

  /** Those who waited for `id` and lack nothing more; they are not waiting any longer. */
  released(id: DeltaId, isHere: (id: DeltaId) => boolean): readonly Delta[] {
    const waiters = this.#waiters.get(id);
    if (!waiters) return NONE;
    const free: Delta[] = [];
    for (const waiter of waiters) {
      const delta = this.#deltas.get(waiter);
      if (!delta || !pastOf(delta).every(isHere)) continue;
      this.#remove(delta);
      free.push(delta);
    }
    this.#waiters.delete(id);
    return free;
  }

  /** Who waits for it. */
  waitersOf(id: DeltaId): readonly Delta[] {
    return [...(this.#waiters.get(id) ?? [])].flatMap((waiter) => this.#deltas.get(waiter) ?? []);
  }

  /** It can never come in. */
  discard(delta: Delta): void {
    this.#remove(delta);
    for (const id of pastOf(delta)) {
      const waiters = this.#waiters.get(id);
      if (waiters?.delete(delta.id) && waiters.size === 0) this.#waiters.delete(id);
    }
  }

  #remove({ id, bytes: { buffer } }: Delta): void {
    if (!this.#deltas.delete(id)) return;
    this.#turns++;
    const others = this.#kept.get(buffer)! - 1;
    if (others > 0) return void this.#kept.set(buffer, others);
    this.#kept.delete(buffer);
    this.#bytes -= buffer.byteLength;
  }

  /** Each after what of it waits itself. */
  inOrder(): readonly Delta[] {
    const ready: Delta[] = [];
    const left = new Map<DeltaId, number>();
    for (const one of this.#deltas.values()) {
      const before = new Set(pastOf(one).filter((id) => this.#deltas.has(id))).size;
      left.set(one.id, before);
      if (before === 0) ready.push(one);
    }
    for (const { id } of ready) {
      for (const waiter of this.waitersOf(id)) {
        const before = left.get(waiter.id)! - 1;
        left.set(waiter.id, before);
        if (before === 0) ready.push(waiter);
      }
    }
    return ready;
  }

  /** Of all that waits what is wanted (`isWanted`), each looked at once. */
  allWanted(isIn: (device: DeviceId) => boolean): ReadonlySet<Delta> {
    const wanted = new Set<Delta>();
    /** Feeds that want it: of two one is another than its own. */
    const wanting = new Map<DeltaId, ReadonlySet<FeedId>>();
    for (const one of this.inOrder().toReversed()) {
      const feeds = new Set<FeedId>();
      for (const waiter of this.waitersOf(one.id)) {
        const those = isIn(waiter.device) ? [waiter.feed] : NONE;
        for (const feed of [...those, ...(wanting.get(waiter.id) ?? NONE)]) if (feeds.size < 2) feeds.add(feed);
        if (feeds.size === 2) break;
      }
      wanting.set(one.id, feeds);
      if ([...feeds].some((feed) => feed !== one.feed)) wanted.add(one);
    }
    return wanted;
  }

  /** What is waited for and has not come at all. */
  missing(): readonly DeltaId[] {
    return [...this.#waiters.keys()].filter((id) => !this.#deltas.has(id));
  }

  /**
   * Whether something of another feed, of a device that `isIn`, waits for it, or for what waits for it. `known`: what was answered before,
   * while nothing more has come to wait; a chain of thousands is walked once.
   */
  isWanted(
    id: DeltaId,
    feed: FeedId,
    known: Map<DeltaId, boolean>,
    isIn: (device: DeviceId) => boolean = () => true,
  ): boolean {
    if (!this.#waiters.has(id)) return false;
    const before = known.get(id);
    if (before !== undefined) return before;
    /** What is looked at, each with what it waits for. */
    const seen = new Map<DeltaId, DeltaId | undefined>([[id, undefined]]);
    for (const at of seen.keys()) {
      for (const waiter of this.waitersOf(at)) {
        const answer = waiter.feed === feed || !isIn(waiter.device) ? known.get(waiter.id) : true;
        if (answer === undefined && !seen.has(waiter.id)) seen.set(waiter.id, at);
        if (answer !== true) continue;
        for (let on: DeltaId | undefined = at; on !== undefined; on = seen.get(on)) known.set(on, true);
        return true;
      }
    }
    for (const one of seen.keys()) known.set(one, false);
    return false;
  }
}

const NONE: readonly never[] = [];

/** What a delta names: prev and deps (D5). */
export function pastOf(delta: Delta): readonly DeltaId[] {
  return delta.prev === undefined ? delta.deps : [delta.prev, ...delta.deps];
}
