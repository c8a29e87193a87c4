/**
 * What all that is here adds up to (L6): who is told of it and when, and who says something else of the same deltas; and whether what is here
 * is any good for others. Nothing is sent here: `session.ts` says it, with what is held.
 *
 * Who holds the same, as far as is known, is told when nothing has come for a while, on an open path or through its relay; and what others have said is
 * held against it. It is worked out a share at a time: of a large workspace it takes seconds.
 */
import type { DeviceId } from '../base/ids.ts';
import { isRecent } from '../base/recent.ts';
import type { FeedMark, Message } from './messages.ts';
import { covers, type Peer } from './peer.ts';
import type { Replica } from './replica.ts';

/** Nothing has come for so long: then it is worth adding up … */
const IDLE_MS = 10_000;
/** … and once more when something has, after so long, or where the clock has been set back. */
const AGAIN_MS = 60 * 60_000;
/** Leaves of the tree (root.ts) that are hashed at once: some ten milliseconds of the worker's, of 100,000 items … */
const SHARE = 512;
/** … and others have their turn in between. */
const SHARE_EVERY_MS = 20;

type Peers = ReadonlyMap<DeviceId, Peer>;

export class Sums {
  readonly #replicaNow: () => Replica;
  /** Whether the copy that is here is no good for others, and whether that was said. */
  readonly #needsCopy: () => boolean;
  readonly #isRelayable: (device: DeviceId) => boolean;
  #saidNeed = false;
  /** When it is next looked whom to tell. */
  #at: number | undefined;
  readonly #differing = new Set<DeviceId>();

  /** `isRelayable`: whether a device's queue can be written to. */
  constructor(replica: () => Replica, needsCopy: () => boolean, isRelayable: (device: DeviceId) => boolean) {
    this.#replicaNow = replica;
    this.#needsCopy = needsCopy;
    this.#isRelayable = isRelayable;
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  /** When `due` is next worth asking. */
  get dueAt(): number | undefined {
    return this.#at;
  }

  /** Whether a device holds the same deltas and says that they add up to something else. */
  differs(device: DeviceId): boolean {
    return this.#differing.has(device);
  }

  /** Something has come: when nothing more has for a while, it is looked anew. */
  stirred(now: number): void {
    this.#at = now + IDLE_MS;
  }

  /** It is looked anew at once. */
  doubt(now: number): void {
    this.#at = now;
  }

  /**
   * What a peer says that the deltas add up to which are here (`ours`). Of the same deltas, each of the same id, all say one thing who know all kinds
   * of them; who says nothing says nothing else.
   */
  hear(
    peer: Peer,
    { vector, root }: Pick<Message & { kind: 'have' }, 'vector' | 'root'>,
    ours: readonly FeedMark[],
    now: number,
  ): void {
    const own = new Map(ours.map(({ feed, seq, tip }) => [feed, `${seq} ${tip}`]));
    if (own.size !== vector.length || !vector.every(({ feed, seq, tip }) => own.get(feed) === `${seq} ${tip}`)) return;
    peer.said = { of: this.#replica.arrivals, root };
    this.#at = now;
  }

  /** Who is to be told now what is here, and what it adds up to. */
  due(now: number, peers: Peers): ReadonlySet<DeviceId> {
    if (now < (this.#at ?? Number.POSITIVE_INFINITY)) return new Set();
    this.#at = undefined;
    return new Set([...this.#dueOfNeed(peers), ...this.#dueOfSum(now, peers)]);
  }

  /** Who may ask for a copy is told that this one is no good, and that it is again. */
  #dueOfNeed(peers: Peers): readonly DeviceId[] {
    const needsCopy = this.#needsCopy();
    if (needsCopy === this.#saidNeed) return [];
    this.#saidNeed = needsCopy;
    return [...peers].flatMap(([device, { introduced, last }]) => (introduced && !last ? device : []));
  }

  #dueOfSum(now: number, peers: Peers): readonly DeviceId[] {
    const { arrivals } = this.#replica;
    const same = [...peers].filter((one) => one[1].rootOf !== arrivals && this.#holdsTheSame(...one));
    const due = same.filter(([, { rootToldAt }]) => !isRecent(rootToldAt, AGAIN_MS, now));
    const later = same.filter((one) => !due.includes(one)).map(([, peer]) => peer.rootToldAt + AGAIN_MS);
    if (later.length > 0) this.#at = Math.min(...later);
    const claims = [...peers].filter(([, { said }]) => said?.of === arrivals);
    if (due.length + claims.length === 0) return [];
    if (!this.#replica.mark.prepare(SHARE)) {
      this.#at = now + SHARE_EVERY_MS;
      return [];
    }
    const mark = this.#replica.mark.workOut();
    const news = claims.filter(([device, peer]) => this.#compare(device, peer, mark));
    for (const [, peer] of due) {
      peer.rootOf = arrivals;
      if (mark !== undefined) peer.rootToldAt = now;
    }
    return mark === undefined ? [] : [...due, ...news].map(([device]) => device);
  }

  /** Answers whether it has said something else for the first time: it is to know that, too. */
  #compare(device: DeviceId, peer: Peer, mark: string | undefined): boolean {
    const { said } = peer;
    peer.said = undefined;
    if (mark === undefined || !said) return false;
    const isNews = mark !== said.root && !this.#differing.has(device);
    if (mark === said.root) this.#differing.delete(device);
    else this.#differing.add(device);
    return isNews;
  }

  #holdsTheSame(device: DeviceId, { reach, introduced, last, known }: Peer): boolean {
    const vector = this.#replica.vector();
    const isReached = reach === 'direct' ? introduced : this.#isRelayable(device);
    if (!isReached || last || known.size !== vector.size) return false;
    return covers(known, vector) && covers(vector, known);
  }
}
