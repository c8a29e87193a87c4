/** Deltas that wait for their past (D5), bounded, and what they wait for. */
import type { DeltaId, DeviceId, FeedId } from '../base/ids.ts';
import { MAX_WAITING_BYTES, MAX_WAITING_DELTAS } from '../protocol/limits.ts';
import type { Delta } from './delta.ts';

/** Of one device: what waits, in the order in which it came, and the memory that it was the first to keep. */
interface Load {
  readonly ids: Set<DeltaId>;
  bytes: number;
}

export class Waiting {
  readonly #deltas = new Map<DeltaId, Delta>();
  /** By what is missing: who waits for it. */
  readonly #waiters = new Map<DeltaId, Set<DeltaId>>();
  /** What they keep in memory: a delta is a part of what it came in, and keeps the whole. By how many, and whose was the first. */
  readonly #kept = new Map<ArrayBufferLike, { count: number; readonly by: Load }>();
  /** By device; of those that nothing has let in together: anybody can make them up. */
  readonly #loads = new Map<DeviceId | undefined, Load>();
  readonly #loadOf = new Map<DeltaId, Load>();
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
  add(delta: Delta, missing: readonly DeltaId[], isIn = true): boolean {
    if (this.#deltas.has(delta.id)) return true;
    const by = isIn ? delta.device : undefined;
    const load = this.#loads.get(by) ?? { ids: new Set(), bytes: 0 };
    this.#loads.set(by, load);
    if (!this.#makeRoomFor(delta, load)) return false;
    this.#deltas.set(delta.id, delta);
    this.#turns++;
    this.#keep(delta, load);
    for (const id of missing) {
      const waiters = this.#waiters.get(id) ?? new Set();
      this.#waiters.set(id, waiters.add(delta.id));
    }
    return true;
  }

  /**
   * Where there is none, what came first goes of the device of which most waits, as long as that is more than of the one whose delta this is: a member may
   * have as much wait as there is room for, and others' have to wait for what he has forked (D8).
   */
  #makeRoomFor({ bytes: { buffer } }: Delta, own: Load): boolean {
    for (;;) {
      const more = this.#kept.has(buffer) ? 0 : buffer.byteLength;
      const isFull = this.#deltas.size >= MAX_WAITING_DELTAS;
      if (!isFull && this.#bytes + more <= MAX_WAITING_BYTES) return true;
      const sizeOf = ({ ids, bytes }: Load) => (isFull ? ids.size : bytes);
      const most = [...this.#loads.values()].reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a), own);
      const [first] = most.ids;
      if (first === undefined || sizeOf(most) <= sizeOf(own) + (isFull ? 1 : more)) return false;
      this.discard(this.#deltas.get(first)!);
    }
  }

  #keep({ id, bytes: { buffer } }: Delta, load: Load): void {
    load.ids.add(id);
    this.#loadOf.set(id, load);
    const kept = this.#kept.get(buffer);
    if (kept) return void kept.count++;
    this.#kept.set(buffer, { count: 1, by: load });
    load.bytes += buffer.byteLength;
    this.#bytes += buffer.byteLength;
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
    this.#loadOf.get(id)!.ids.delete(id);
    this.#loadOf.delete(id);
    const kept = this.#kept.get(buffer)!;
    if (--kept.count > 0) return;
    this.#kept.delete(buffer);
    kept.by.bytes -= buffer.byteLength;
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

  /** Of all that waits what is wanted. */
  allWanted(mayWant: MayWant): ReadonlySet<Delta> {
    return new Set([...this.#deltas.values()].filter(this.wanted(mayWant).byOtherFeed));
  }

  /**
   * Of what somebody waits for, by whom that may want it: of another feed, and of another device. Be it by what waits for what waits for it. As it is now:
   * each that waits is looked at once, however many are asked for.
   */
  wanted(mayWant: MayWant): WantedBy {
    /** Of all of a feed it is the same, as far as others want it or not. */
    const ofFeed = { wanted: new Map<FeedId, boolean>(), unwanted: new Map<FeedId, boolean>() };
    const mayFeedWant = (waiter: Delta, isWanted: boolean) => {
      const known = ofFeed[isWanted ? 'wanted' : 'unwanted'];
      const may = known.get(waiter.feed) ?? mayWant(waiter, isWanted);
      known.set(waiter.feed, may);
      return may;
    };
    const wanting = new Map<DeltaId, Wanting>();
    const look = (id: DeltaId) => {
      const by = new Wanting();
      for (const waiter of this.waitersOf(id)) {
        const behind = wanting.get(waiter.id);
        if (mayFeedWant(waiter, behind?.hasOtherDevice(waiter.device) === true)) by.add(waiter);
        if (behind) by.addAll(behind);
        if (by.isFull) break;
      }
      wanting.set(id, by);
    };
    for (const { id } of this.inOrder().toReversed()) look(id);
    for (const id of this.missing()) look(id);
    return {
      byOtherFeed: ({ id, feed }) => wanting.get(id)?.hasOtherFeed(feed) === true,
      byOtherDevice: ({ id, device }) => wanting.get(id)?.hasOtherDevice(device) === true,
    };
  }

  /** What those of these rest on that wait, as far as it waits itself, or has not come. */
  lackingUnder(ids: Iterable<DeltaId>): ReadonlySet<DeltaId> {
    const lacking = new Set<DeltaId>();
    const open = [...ids];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const delta = this.#deltas.get(id);
      const unseen = delta ? pastOf(delta).filter((one) => this.#waiters.has(one) && !lacking.has(one)) : NONE;
      for (const one of unseen) lacking.add(one);
      open.push(...unseen);
    }
    return lacking;
  }

  /** These were here, and are not any more: what waits for something else, and names them, waits for them, too. */
  areGone(ids: ReadonlySet<DeltaId>): void {
    for (const delta of this.#deltas.values())
      for (const id of pastOf(delta)) {
        if (!ids.has(id)) continue;
        const waiters = this.#waiters.get(id) ?? new Set();
        this.#waiters.set(id, waiters.add(delta.id));
        this.#turns++;
      }
  }

  /** Whether something waits for it. */
  isWaitedFor(id: DeltaId): boolean {
    return this.#waiters.has(id);
  }

  /** What is waited for and has not come at all. */
  missing(): readonly DeltaId[] {
    return [...this.#waiters.keys()].filter((id) => !this.#deltas.has(id));
  }
}

/** Whether what waits wants what it waits for. `isWanted`: it is wanted itself, by another device. */
export type MayWant = (waiter: Delta, isWanted: boolean) => boolean;

/** Who wants something, as others may ask. */
export interface WantedBy {
  readonly byOtherFeed: (delta: Pick<Delta, 'id' | 'feed'>) => boolean;
  readonly byOtherDevice: (delta: Pick<Delta, 'id' | 'device'>) => boolean;
}

/** Who wants a delta: two of a kind are enough, of which one is another than its own. */
class Wanting {
  readonly #feeds = new Set<FeedId>();
  readonly #devices = new Set<DeviceId>();

  get isFull(): boolean {
    return this.#devices.size >= 2;
  }

  add({ feed, device }: Pick<Delta, 'feed' | 'device'>): void {
    addTo(this.#feeds, feed);
    addTo(this.#devices, device);
  }

  /** Whoever wants what waits for it. */
  addAll(other: Wanting): void {
    for (const feed of other.#feeds) addTo(this.#feeds, feed);
    for (const device of other.#devices) addTo(this.#devices, device);
  }

  hasOtherFeed(own: FeedId): boolean {
    return [...this.#feeds].some((feed) => feed !== own);
  }

  hasOtherDevice(own: DeviceId): boolean {
    return [...this.#devices].some((device) => device !== own);
  }
}

function addTo<T>(few: Set<T>, one: T): void {
  if (few.size < 2) few.add(one);
}

const NONE: readonly never[] = [];

/** What a delta names: prev and deps (D5). */
export function pastOf(delta: Delta): readonly DeltaId[] {
  return delta.prev === undefined ? delta.deps : [delta.prev, ...delta.deps];
}
