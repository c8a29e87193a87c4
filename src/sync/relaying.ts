/**
 * What goes to a peer through its relay: own deltas that no direct path has taken, one batch at a time, stored once for all (S4, R2); and answers to
 * who asks without a direct path, or joins, in which is everything it lacks, several batches at a time.
 */
import type { DeviceId, FeedId } from '../base/ids.ts';
import { isRecent } from '../base/recent.ts';
import { MAX_MESSAGE_BYTES } from '../protocol/limits.ts';
import type { Batch, Batches, Made } from './batches.ts';
import type { Outgoing } from './outgoing.ts';
import { highest, raise, rewind, type Mark, type Peer } from './peer.ts';
import { Lane } from './ports.ts';
import type { Replica } from './replica.ts';

export const RETRY_MS = 10_000;
/** What an answer by relay has carried is not sent again for so long: it may still be on its way through the queue. */
const SERVE_AGAIN_MS = 30_000;
/** One relayed message: well under the frame's and message's limits with seal and padding. */
const BATCH_BYTES = MAX_MESSAGE_BYTES / 4;
/** Of an answer by relay, on their way at once: 2 MiB. */
const SERVE_BATCHES = 8;

export class Relaying {
  readonly #replicaNow: () => Replica;
  readonly #self: DeviceId;
  readonly #batches: Batches;

  constructor(replica: () => Replica, self: DeviceId, batches: Batches) {
    this.#replicaNow = replica;
    this.#self = self;
    this.#batches = batches;
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  // ---- own deltas -------------------------------------------------------------------------------------------------------

  /** Whether all that is ours is with it or with its relay. */
  isDone(peer: Peer): boolean {
    return !this.#lacksOurs([peer.known, peer.relayed]);
  }

  /** Whether of what is ours something is in none of these. */
  #lacksOurs(held: readonly ReadonlyMap<FeedId, number>[]): boolean {
    for (const [feed, seq] of this.#replica.vector())
      if (this.#isOurs(feed) && !held.some((one) => (one.get(feed) ?? 0) >= seq)) return true;
    return false;
  }

  /** Others are answerable for what they have written themselves. */
  readonly #isOurs = (feed: FeedId): boolean => feed.startsWith(this.#self);

  /** The next batch of what is ours, where one is due and none is on its way. */
  due(device: DeviceId, peer: Peer, now: number, made: Made): Outgoing | undefined {
    if (peer.relaying || peer.relayRetryAt > 0) return undefined;
    const served = this.#servedTo(peer, now);
    if (!this.#lacksOurs([peer.known, peer.relayed, served])) return undefined;
    const held = highest(highest(peer.known, peer.relayed), served);
    // Who has nothing yet is given the base first; whoever has written here has acknowledged all that is in it.
    if (!this.#replica.feeds.reaches(held)) {
      if (!this.#replica.feeds.hasWritten(device)) return undefined;
      for (const [feed, seq] of this.#replica.feeds.cut()) raise(held, feed, seq);
    }
    const batch = this.#batches.nextOf(this.#isOurs, device, peer, held, BATCH_BYTES, made);
    if (!batch) return undefined;
    peer.relaying = true;
    return toRelay(device, batch);
  }

  // ---- answers ----------------------------------------------------------------------------------------------------------

  #servedTo(peer: Peer, now: number): ReadonlyMap<FeedId, number> {
    if (!isRecent(peer.servedAt, SERVE_AGAIN_MS, now)) peer.served = new Map();
    return peer.served;
  }

  /** Everything anew, whatever is on its way. */
  serveAfresh(device: DeviceId, peer: Peer, now: number): readonly Outgoing[] {
    peer.served = new Map();
    peer.serving = 0;
    rewind(peer);
    return this.serveAgain(device, peer, now);
  }

  /** Two who ask each other by relay both answer; what the first answer carried is not in the second. */
  serveAgain(device: DeviceId, peer: Peer, now: number): readonly Outgoing[] {
    const isUnderWay = peer.offer !== undefined && peer.offer.sent > 0 && isRecent(peer.servedAt, SERVE_AGAIN_MS, now);
    if (this.#servedTo(peer, now).size === 0 && !isUnderWay) {
      peer.servedAt = now;
      peer.serving = 0;
      rewind(peer);
    }
    return this.serve(device, peer);
  }

  /** Everything a peer lacks, through its relay. */
  serve(device: DeviceId, peer: Peer): readonly Outgoing[] {
    const out: Outgoing[] = [];
    const held = highest(peer.known, peer.served);
    while (peer.serving < SERVE_BATCHES) {
      const batch = this.#batches.next(device, peer, held, BATCH_BYTES, new Map());
      if (!batch) break;
      for (const { feed, seq } of batch.ends) {
        raise(held, feed, seq);
        raise(peer.served, feed, seq);
      }
      peer.serving++;
      out.push(toRelay(device, batch));
    }
    return out;
  }

  // ---- what has become of it --------------------------------------------------------------------------------------------

  /** Its relay has it: an answer goes on. */
  stored(device: DeviceId, peer: Peer, holds: readonly Mark[], now: number): readonly Outgoing[] {
    peer.relaying = false;
    for (const { feed, seq } of holds) raise(peer.relayed, feed, seq);
    if (peer.serving === 0) return [];
    peer.serving--;
    peer.servedAt = now;
    return this.serve(device, peer);
  }

  failed(peer: Peer, now: number): void {
    peer.relaying = false;
    peer.served = new Map();
    peer.serving = 0;
    peer.relayRetryAt = now + RETRY_MS;
  }
}

function toRelay(device: DeviceId, { what, ends }: Batch): Outgoing {
  return { to: [device], path: 'relay', ...what, lane: Lane.structured, ephemeral: false, holds: ends };
}
