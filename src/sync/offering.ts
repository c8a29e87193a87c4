/**
 * The base that is given to who cannot be served from the log (L6), since what he lacks is folded: part by part, each when the one before it has
 * come, and all of them before the log.
 */
import type { DeviceId } from '../base/ids.ts';
import { equalBytes } from '../base/bytes.ts';
import { MAX_BASE_PART_BYTES } from '../protocol/limits.ts';
import { Role } from './control.ts';
import type { Message } from './messages.ts';
import { calm, covers, raise, type Mark, type Offer, type Peer } from './peer.ts';
import type { Replica } from './replica.ts';
import { hasManagers } from './roster.ts';

interface Part {
  readonly message: Message & { kind: 'base' };
  /** What he holds with it. */
  readonly ends: readonly Mark[];
}

/** While a base is on its way it is not folded further, or who has it would need the next one; whoever is so slow does. */
export const OFFER_LASTS_MS = 10 * 60_000;

export class Offering {
  readonly #replicaNow: () => Replica;
  readonly #peers: ReadonlyMap<DeviceId, Peer>;
  /** The time when anything happened last. */
  readonly #latest: () => number;

  constructor(replica: () => Replica, peers: ReadonlyMap<DeviceId, Peer>, latest: () => number) {
    this.#replicaNow = replica;
    this.#peers = peers;
    this.#latest = latest;
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  /** Until when somebody is being given a base: what is folded meanwhile would not be in it, nor in the log. */
  get until(): number {
    return Math.max(
      ...[...this.#peers.values()].map(({ offer }) => (offer ? offer.since + OFFER_LASTS_MS : -Infinity)),
    );
  }

  /** Several who join at once are given the same bytes. */
  make(): Offer {
    const { root, cut } = this.#replica.base.present();
    const ends = [...cut].map(([feed, seq]) => ({ feed, seq }));
    const same = [...this.#peers.values()].find(({ offer }) => offer && equalBytes(offer.base.root, root));
    return {
      base: same?.offer?.base ?? this.#replica.base.parts(),
      ends,
      since: this.#latest(),
      sent: 0,
      acknowledged: 0,
    };
  }

  /** The next part; undefined where all are sent, or where nobody has vouched for what they would be parts of. */
  next(device: DeviceId, peer: Peer): Part | undefined {
    // A manager who has lost his copy is the one who can vouch for it; where there is none any more, nobody ever will.
    const mayVouch = this.#replica.roster.devices.get(device)?.role === Role.manager;
    if (!this.#replica.isConfirmed && !mayVouch && hasManagers(this.#replica.roster)) return undefined;
    peer.offer ??= this.make();
    const { base, sent } = peer.offer;
    const bytes = base.parts[sent];
    if (!bytes) return undefined;
    peer.offer.sent++;
    // With the last part it holds what is in all of them.
    const isLast = peer.offer.sent === base.parts.length;
    return {
      message: { kind: 'base', root: base.root, part: sent, parts: base.parts.length, bytes },
      ends: isLast ? peer.offer.ends : [],
    };
  }

  /** It asks for the next part: what is before it has come. Of a base that is not offered any more it is given this one. */
  acknowledged(peer: Peer, offer: Offer, { root, part }: Message & { kind: 'needBase' }, now: number): void {
    const isThis = equalBytes(root, offer.base.root);
    const next = isThis ? Math.min(part, offer.base.parts.length) : 0;
    // What it asks for again was lost on its way; what is before it, or still on its way, is not sent twice.
    if (!isThis || next < offer.acknowledged) offer.sent = next;
    offer.sent = Math.max(offer.sent, next);
    offer.acknowledged = next;
    if (isThis && part >= offer.base.parts.length) {
      for (const { feed, seq } of offer.ends) raise(peer.known, feed, seq);
      for (const { feed, seq } of offer.ends) raise(peer.sent, feed, seq);
      peer.offer = undefined;
    }
    peer.credit.settle();
    for (let sent = next; sent < offer.sent; sent++) peer.credit.sent(MAX_BASE_PART_BYTES);
    // By a relay nothing is sent again: it is there till it is fetched.
    if (offer.sent > next && peer.reach === 'direct') peer.unackedSince = now;
    else if (covers(peer.known, peer.sent)) peer.unackedSince = undefined;
    calm(peer);
  }
}
