/**
 * What goes next to a peer that holds so much, in one message, and under which key: the word that it is out, or was; the base, where the log does
 * not reach back to what it holds (`offering.ts`); and then runs of the log, up to where it may be told (`passage.ts`). Of direct paths and relays alike.
 */
import type { DeviceId, FeedId } from '../base/ids.ts';
import type { Node } from './graph.ts';
import type { Message } from './messages.ts';
import type { Offering } from './offering.ts';
import type { Outgoing } from './outgoing.ts';
import { covers as isTold, passageOf, type Gate, type Passage } from './passage.ts';
import { covers, isUnsent, raise, type Mark, type Peer } from './peer.ts';
import type { Replica } from './replica.ts';

interface Load {
  readonly message: Message;
  readonly nodes: readonly Node[];
  /** What he holds with it. */
  readonly ends: readonly Mark[];
  readonly bytes: number;
}

export interface Batch {
  readonly what: Pick<Outgoing, 'message' | 'nodes' | 'under' | 'keyFirst'>;
  readonly ends: readonly Mark[];
  readonly bytes: number;
}

/** By what is in them and under which epoch: equal batches are one message, sealed once (K5). */
export type Made = Map<string, Message>;

export class Batches {
  readonly #replicaNow: () => Replica;
  readonly #gate: Gate;
  readonly #offering: Offering;

  constructor(replica: () => Replica, gate: Gate, offering: Offering) {
    this.#replicaNow = replica;
    this.#gate = gate;
    this.#offering = offering;
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  /** Undefined where it is told all that it may be told now. */
  next(
    device: DeviceId,
    peer: Peer,
    held: ReadonlyMap<FeedId, number>,
    maxBytes: number,
    made: Made,
  ): Batch | undefined {
    const isReached = !isUnsent(peer) && this.#replica.feeds.reaches(held);
    // Most are told all there is already.
    if (isReached && covers(held, this.#replica.vector())) return undefined;
    const passage = passageOf(this.#gate, device, held, peer);
    const load = isReached
      ? (this.#runs(held, maxBytes, made, passage) ?? this.#besideLog(peer, held))
      : this.#beforeLog(device, peer, held);
    return load && this.#sealed(load, peer, passage);
  }

  /** Of some feeds alone. What is in the others it is told by who writes them: who lacks it when this comes waits for it, and asks. */
  nextOf(
    feeds: (feed: FeedId) => boolean,
    device: DeviceId,
    peer: Peer,
    held: ReadonlyMap<FeedId, number>,
    maxBytes: number,
    made: Made,
  ): Batch | undefined {
    const told = new Map(held);
    for (const [feed, seq] of this.#replica.vector()) if (!feeds(feed)) raise(told, feed, seq);
    const passage = passageOf(this.#gate, device, told, peer);
    const load = this.#runs(held, maxBytes, made, passage, feeds);
    return load && this.#sealed(load, peer, passage);
  }

  #sealed({ message, nodes, ends, bytes }: Load, peer: Peer, passage: Passage): Batch {
    return { what: { message, nodes, ...this.#key(peer, passage) }, ends, bytes };
  }

  /** What a message is sealed under, and whether the key must go first: once. */
  #key(peer: Peer, { under, keyFirst }: Passage): Pick<Outgoing, 'under' | 'keyFirst'> {
    if (keyFirst === undefined || peer.keyed.has(keyFirst)) return { under };
    peer.keyed.add(keyFirst);
    return { under, keyFirst };
  }

  #runs(
    from: ReadonlyMap<FeedId, number>,
    maxBytes: number,
    made: Made,
    { under, until }: Passage,
    only: (feed: FeedId) => boolean = () => true,
  ): Load | undefined {
    const upTo = (feed: FeedId) =>
      only(feed) ? (until ? this.#replica.feeds.reach(until, feed) : Number.POSITIVE_INFINITY) : 0;
    const runs = this.#replica.serving.lacking(from, maxBytes, upTo);
    if (runs.length === 0) return undefined;
    const nodes = runs.flat();
    const ends = runs.map((run) => ({ feed: run.at(-1)!.delta.feed, seq: run.at(-1)!.delta.seq }));
    const bytes = nodes.reduce((sum, node) => sum + node.delta.bytes.length, 0);
    const key = `${under} ${runs.map((run) => `${run[0]!.delta.id}+${run.length}`).join()}`;
    const message: Message = made.get(key) ?? {
      kind: 'deltas',
      runs: runs.map((run) => run.map((node) => node.delta.bytes)),
    };
    made.set(key, message);
    return { message, ends, bytes, nodes };
  }

  /** What goes before the log to a peer that it does not reach; undefined where there is nothing, or nothing left of it. */
  #beforeLog(device: DeviceId, peer: Peer, held: ReadonlyMap<FeedId, number>): Load | undefined {
    if (peer.last) return this.#bareWord(peer.last, held) ?? this.#besideLog(peer, held);
    // Who has nothing begins with the base.
    const word = held.size > 0 && !peer.isWordSent ? this.#bareWord(peer.returned, held) : undefined;
    if (word) {
      peer.isWordSent = true;
      // What is before it in its feed is lacking as before: the log still does not reach.
      return { ...word, ends: [] };
    }
    const part = this.#offering.next(device, peer);
    return part && { ...part, bytes: part.message.bytes.length, nodes: [] };
  }

  /** Who was taken out, and lacks what is folded since: the word alone (K2), also where he was let in again (L7). */
  #bareWord(word: Node | undefined, held: ReadonlyMap<FeedId, number>): Load | undefined {
    if (!word || isTold(held, word) || !this.#replica.isDurable(word)) return undefined;
    const { bytes, feed, seq } = word.delta;
    const message: Message = {
      kind: 'deltas',
      runs: [...this.#groundsOf(word, held).map(({ delta }) => [delta.bytes]), [bytes]],
    };
    return { message, ends: [{ feed, seq }], bytes: bytes.length, nodes: [] };
  }

  /**
   * K2: to who has been told that he is out, and all that rests on, by what it stands, without which he may hold it for void: that may have come since, and its
   * past is not for him.
   */
  #besideLog(peer: Peer, held: ReadonlyMap<FeedId, number>): Load | undefined {
    const { last, besideSent } = peer;
    const grounds = last && last !== besideSent ? this.#groundsOf(last, held) : [];
    if (grounds.length === 0) return undefined;
    peer.besideSent = last;
    const message: Message = { kind: 'deltas', runs: grounds.map(({ delta }) => [delta.bytes]) };
    // They wait there, and what is before them in their feeds is lacking as before.
    return { message, ends: [], bytes: grounds.reduce((sum, { delta }) => sum + delta.bytes.length, 0), nodes: [] };
  }

  #groundsOf(word: Node, held: ReadonlyMap<FeedId, number>): readonly Node[] {
    return this.#replica.people.groundsOf(word, held).filter((node) => this.#replica.isDurable(node));
  }
}
