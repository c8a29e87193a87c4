/**
 * What is known of another device, what was sent to it and what is due (S1–S4), and vectors of what somebody holds: up to which seq of
 * each feed. `session.ts` decides by it.
 */
import type { FeedId } from '../base/ids.ts';
import type { BaseParts } from './base.ts';
import { Credit } from './credit.ts';
import type { EpochTag } from './epoch.ts';
import type { Node } from './graph.ts';
import { covers as isTold } from './passage.ts';

export interface Mark {
  readonly feed: FeedId;
  readonly seq: number;
}

/** L6: a feed of which one of two devices holds more than the other (`apart.ts`). */
export interface Lag {
  readonly feed: FeedId;
  /** Up to where the other of them has it. */
  readonly reached: number;
  /** At so many looks no more of it had come. */
  readonly looks: number;
  readonly since: number;
  readonly lookedAt: number;
}

/** A base on its way to a peer. */
export interface Offer {
  readonly base: BaseParts;
  /** What the peer holds when it has all parts. */
  readonly ends: readonly Mark[];
  readonly since: number;
  /** Parts sent on its path, or through its relay. */
  sent: number;
  /** Parts that it has asked beyond of. */
  acknowledged: number;
}

export interface Peer {
  /** The words that take it out of the workspace, in D6 order. */
  words: readonly Node[];
  /** Of these the first that it has not been told: the last that it is told, and nothing beyond. */
  last: Node | undefined;
  /** The word that took it out before it was let in again: where it has written, and lacks what is folded since, it must hear of it. */
  returned: Node | undefined;
  /** It was told that word since it last said what it holds. */
  isWordSent: boolean;
  /** The word that takes it out beside which it was told by what that stands, since then likewise. */
  besideSent: Node | undefined;
  /** Epochs whose key it was sent outside of any delta. */
  readonly keyed: Set<EpochTag>;
  /** Epochs held here that it has shown not to hold (K4). */
  without: ReadonlySet<EpochTag>;
  /** The epoch that it spoke under last. */
  spoke: EpochTag | undefined;
  /** When it was last told that what it sends cannot be opened any more. */
  lateAt: number;
  reach: 'direct' | 'none';
  /** Whether it has said on this connection what it holds. */
  introduced: boolean;
  /** What it is known to hold durably. */
  known: Map<FeedId, number>;
  /** Of a device that is out, what it has proved to hold. */
  shown: Map<FeedId, number>;
  /** What was sent on this connection, whether acknowledged or not. */
  sent: Map<FeedId, number>;
  /** What its relay has promised to keep for it. */
  relayed: Map<FeedId, number>;
  /** Of what was sent on this connection, what is not acknowledged. */
  readonly credit: Credit;
  unackedSince: number | undefined;
  relaying: boolean;
  /** 0: at once. */
  relayRetryAt: number;
  askedAt: number;
  /** How often in vain since something came. */
  asks: number;
  /** How often in a row it was sent everything again on this connection, and when it may be next. */
  restarts: number;
  restartAt: number;
  /** What answers by relay have carried since `servedAt`, kept or not yet. */
  served: Map<FeedId, number>;
  servedAt: number;
  /** Of these, batches that its relay has not confirmed yet. */
  serving: number;
  /** How many deltas were here when it was last told what they add up to, and when that was. */
  rootOf: number;
  rootToldAt: number;
  /** It says that its copy is no good for others (L6). */
  needsCopy: boolean;
  /** What it says that they add up to, and how many were here when it did. */
  said: { readonly of: number; readonly root: string } | undefined;
  /** When it last said what it holds, or has taken. */
  heardAt: number;
  /** What it writes and does not come here, or the other way. */
  lags: readonly Lag[];
  /** How often it was asked for the next look at these, and when last, since it has answered. */
  lookAsked: { readonly times: number; readonly at: number };
  /** The base that it is given since the log does not reach back to what it holds. */
  offer: Offer | undefined;
}

export function newPeer(): Peer {
  return {
    ...{ words: [], last: undefined },
    returned: undefined,
    isWordSent: false,
    besideSent: undefined,
    keyed: new Set(),
    without: new Set(),
    spoke: undefined,
    lateAt: Number.NEGATIVE_INFINITY,
    reach: 'none',
    introduced: false,
    known: new Map(),
    shown: new Map(),
    sent: new Map(),
    relayed: new Map(),
    credit: new Credit(),
    unackedSince: undefined,
    relaying: false,
    relayRetryAt: 0,
    askedAt: Number.NEGATIVE_INFINITY,
    asks: 0,
    restarts: 0,
    restartAt: 0,
    served: new Map(),
    servedAt: Number.NEGATIVE_INFINITY,
    serving: 0,
    rootOf: 0,
    rootToldAt: Number.NEGATIVE_INFINITY,
    needsCopy: false,
    said: undefined,
    heardAt: Number.NEGATIVE_INFINITY,
    lags: [],
    lookAsked: { times: 0, at: 0 },
    offer: undefined,
  };
}

/** K2: who is out by several words is told one after the other: by all but the last it may not be. */
export function aim(peer: Peer): void {
  peer.last = peer.words.find((word) => !isTold(peer.known, word)) ?? peer.words.at(-1);
}

/** What goes before the log is sent again: the word, and of a base what it has not acknowledged. */
export function rewind(peer: Peer): void {
  peer.isWordSent = false;
  peer.besideSent = undefined;
  if (peer.offer) peer.offer.sent = peer.offer.acknowledged;
}

/** Whether parts of a base are to be sent yet: they go before the log. */
export function isUnsent({ offer }: Peer): boolean {
  return offer !== undefined && offer.sent < offer.base.parts.length;
}

export function calm(peer: Peer): void {
  peer.restarts = 0;
  peer.restartAt = 0;
}

export function raise(vector: Map<FeedId, number>, feed: FeedId, seq: number): void {
  if ((vector.get(feed) ?? 0) < seq) vector.set(feed, seq);
}

export function covers(known: ReadonlyMap<FeedId, number>, sent: ReadonlyMap<FeedId, number>): boolean {
  for (const [feed, seq] of sent) if ((known.get(feed) ?? 0) < seq) return false;
  return true;
}

export function highest(a: ReadonlyMap<FeedId, number>, b: ReadonlyMap<FeedId, number>): Map<FeedId, number> {
  const both = new Map(a);
  for (const [feed, seq] of b) raise(both, feed, seq);
  return both;
}
