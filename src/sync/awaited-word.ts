/**
 * What a store waits for that is known to lack a part of its feed (D2): it may have acknowledged what it does not know of any more. What it wrote
 * upon what it has others might have forgotten (L4): it writes nothing before one of them has told what it lacks.
 */
import type { DeviceId } from '../base/ids.ts';
import { generationOf } from './delta.ts';
import type { FeedMark } from './messages.ts';
import type { Replica } from './replica.ts';

export class AwaitedWord {
  readonly #self: DeviceId;
  readonly #replicaNow: () => Replica;
  /** What another holds of our feeds, when it has said so; and who has said that it holds nothing: what it says then it has from here. */
  #awaits: { told: readonly FeedMark[] | undefined; readonly empty: Set<DeviceId> } | undefined;
  /** What it has told, and is here. */
  #heard: readonly FeedMark[] = [];

  constructor(self: DeviceId, replica: () => Replica) {
    this.#self = self;
    this.#replicaNow = replica;
  }

  get isAwaited(): boolean {
    return this.#awaits !== undefined;
  }

  /** Nobody has told yet. */
  get isUntold(): boolean {
    return this.#awaits !== undefined && !this.#awaits.told;
  }

  begin(): void {
    this.#awaits = { told: undefined, empty: new Set() };
    this.#heard = [];
  }

  /** The copy has begun with another base, which may be older, and lack what had come (world “kestrel.31337”). */
  begunAnew(): void {
    if (!this.#awaits && !this.#isHere(this.#heard)) this.#awaits = { told: this.#heard, empty: new Set() };
    this.settle();
  }

  /** It has written, as there was nobody to wait for: what it knows no more it goes on without (world “dipper.14715”). */
  goOn(): void {
    this.#awaits = undefined;
    this.#heard = [];
  }

  /** Another says what it holds. */
  hear(from: DeviceId, vector: readonly FeedMark[]): void {
    if (!this.#awaits) return;
    const { empty } = this.#awaits;
    // Who holds nothing, or says so to be given a base (L6), has told nothing of it.
    if (vector.length === 0) empty.add(from);
    else if ((!empty.has(from) || this.#areAllEmpty(empty)) && !this.#lacksItsOwn(from, vector))
      this.#awaits.told = vector.filter(({ feed }) => feed.startsWith(this.#self));
    this.settle();
  }

  /**
   * Whether what is known here of another's newest feed is not with himself: he has lost it as well, or is beginning anew, and had acknowledged more than
   * he holds. When that has come back to him, or he has begun a later one, he knows as much as any.
   */
  #lacksItsOwn(from: DeviceId, vector: readonly FeedMark[]): boolean {
    const known = this.#replicaNow().feeds.newestKnown(from);
    if (!known) return false;
    const isThere = ({ feed, seq }: FeedMark) =>
      feed.startsWith(from) && (generationOf(feed) - known.generation || seq - known.seq) >= 0;
    return !vector.some(isThere);
  }

  /** Nobody is known who could tell more. */
  #areAllEmpty(empty: ReadonlySet<DeviceId>): boolean {
    const others = [...this.#replicaNow().roster.devices.keys()].filter((device) => device !== this.#self);
    return others.every((device) => empty.has(device));
  }

  /** It is awaited no more where all is here of which it told. */
  settle(): void {
    const told = this.#awaits?.told;
    if (!told || !this.#isHere(told)) return;
    this.#heard = told;
    this.#awaits = undefined;
  }

  #isHere(told: readonly FeedMark[]): boolean {
    if (told.length === 0) return true;
    const vector = this.#replicaNow().vector();
    return told.every(({ feed, seq }) => (vector.get(feed) ?? 0) >= seq);
  }
}
