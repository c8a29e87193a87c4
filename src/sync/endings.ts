/**
 * Where what a device writes comes to its end for others: two histories (D8), a word that takes it out (A4, L7), a later feed (D2). What
 * is beyond such an end has no effect, and is not taken from whoever must have known it.
 */
import type { AccountId, DeviceId, FeedId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Authority } from './authority.ts';
import { takesOut } from './control.ts';
import { generationOf, type Delta, type DeltaPlace } from './delta.ts';
import { inPast, type Graph, type Node } from './graph.ts';
import type { Accepted } from './seniority.ts';
import { pastOf } from './waiting.ts';

export class Endings {
  readonly #crypto: Crypto;
  readonly #graph: Graph;
  readonly #authority: Authority;
  readonly #entrancesOf: (device: DeviceId) => readonly Node[];
  readonly #isIn: (device: DeviceId) => boolean;
  /** Accepted words that take somebody or some device out. */
  #words: ReadonlyMap<DeviceId | AccountId, readonly Accepted[]> = new Map();
  /** D8: what has shown two histories is not heard any more. */
  readonly forked = new Set<DeviceId>();

  /** `entrancesOf`: the control deltas that let a device in. `isIn`: whether others wait for it. */
  constructor(
    crypto: Crypto,
    graph: Graph,
    authority: Authority,
    entrancesOf: (device: DeviceId) => readonly Node[],
    isIn: (device: DeviceId) => boolean,
  ) {
    this.#crypto = crypto;
    this.#graph = graph;
    this.#authority = authority;
    this.#entrancesOf = entrancesOf;
    this.#isIn = isIn;
  }

  /** The verdicts on control deltas have changed. */
  follow(): void {
    this.#words = this.#authority.wordsOut.against();
  }

  wasDropped(device: DeviceId): boolean {
    return (this.#words.get(device) ?? []).some(({ control }) => control.kind === 'drop');
  }

  /**
   * What has no effect since its device has shown two histories (D8), was taken out (A4) or has begun another feed (D2) is taken only
   * where others, who did not know that yet, have it in their past. It may name as if it had not what its device has acknowledged, or
   * need not acknowledge any more: who has forgotten that could not take it. Nothing is forgotten before all have acknowledged the
   * word, or the other feed; so who has done that takes nothing more, and what he has taken before is in the past of his word, or, of a
   * branch, is let go of (`Graph.dropStrays`).
   */
  isBeyond(delta: Delta, own: FeedId): boolean {
    const isPast = this.forked.has(delta.device) || this.#isPastEnd(delta, own, this.#mayHaveSeen);
    return isPast && !this.#graph.has(delta.id);
  }

  /** Whether it is beyond such an end, here or not, as far as what it names is here. */
  isBarred(delta: Delta, own: FeedId): boolean {
    return this.forked.has(delta.device) || this.#isPastEnd(delta, own);
  }

  /** `isSpared`: whether it is not to be held against it that it has not seen a word. */
  #isPastEnd(delta: Delta, own: FeedId, isSpared: (word: Node, delta: Delta) => boolean = noWord): boolean {
    const { device, seq } = delta;
    if (this.isCutOff(delta, own, isSpared)) return true;
    if (this.#isLetInVain(delta, own)) return true;
    // What was lost with a store comes back to its own device first, which names it then.
    return !own.startsWith(device) && seq > this.#graph.closedAt(delta, (node) => this.#hasAcknowledged(node, own));
  }

  /**
   * What has let a device in that it was not taken out after (A4): a feed that it begins upon what was there before counts nowhere, for it has not heard the
   * word, or rests on what has let it in since.
   */
  entrancesSince(device: DeviceId, own: FeedId): readonly Node[] {
    const words = this.wordsAgainst(device).filter(({ node }) => this.#hasAcknowledged(node, own));
    return this.#entrancesOf(device).filter((entrance) => words.every(({ node }) => inPast(node, entrance)));
  }

  /**
   * Whether the device of a feed has written with a delta in its past, or is to: whatever it writes next has what lets it in in its past (I4, L7), be that said
   * after it was taken out, and others have folded what that knows, or fold it (L4). What is folded all have acknowledged, who began with the base of it, too.
   */
  #hasAcknowledged(node: Node, own: FeedId): boolean {
    if (this.#graph.isFolded(node)) return true;
    const [device] = own.split('.') as [DeviceId];
    const hasIt = (end: Node) => end === node || inPast(node, end);
    const tips = this.#graph.lanesOf(device).flatMap(({ tip }) => tip ?? []);
    return tips.some(hasIt) || this.standingEntrances(device).some(hasIt);
  }

  /** Of what has let a device in what stands. */
  standingEntrances(device: DeviceId): readonly Node[] {
    return this.#entrancesOf(device).filter(({ delta: { id } }) => this.#authority.verdictOf(id)?.accepted === true);
  }

  /** Accepted words that take a device out, or its person. */
  wordsAgainst(device: DeviceId): readonly Accepted[] {
    const account = this.#authority.accountOf(device);
    return [...(this.#words.get(device) ?? []), ...((account && this.#words.get(account)) ?? [])];
  }

  /** A4, A7, L7: whether it is beyond a word by which its device is out, or was, for whoever has acknowledged that. */
  isCutOff(delta: Delta, own: FeedId, isSpared: (word: Node, delta: Delta) => boolean = noWord): boolean {
    const isCutBy = (word: Accepted) => this.#isCutBy(word, delta, own) && !isSpared(word.node, delta);
    if (this.#words.size > 0 && this.wordsAgainst(delta.device).some(isCutBy)) return true;
    return this.#leavesOf(delta.device).some((leave) => this.#isOutBy(leave, delta, own));
  }

  #leavesOf(device: DeviceId): readonly Node[] {
    const { wordsOut } = this.#authority;
    const account = wordsOut.hasLeaves ? this.#authority.accountOf(device) : undefined;
    return account === undefined ? [] : wordsOut.leavesOf(account);
  }

  /** It is beyond what the word leaves to its feed, and was written without having seen the word, or by who is out since. */
  #isCutBy(accepted: Accepted, delta: Delta, own: FeedId): boolean {
    const { node: word } = accepted;
    if (!this.#hasAcknowledged(word, own)) return false;
    if (delta.seq <= endUnder(this.#graph, accepted, delta.feed)) return false;
    const named = this.#namedBy(delta);
    // The first of a feed waits for its past, which may hold the word; what goes on comes again, after what it goes on from.
    if (named.length === 0 && (delta.prev === undefined || this.takesOutOwn(delta, own))) return false;
    return !hasSeen(named, word) || this.#isOutBy(word, delta, own);
  }

  /** Of who is in again what is lacking may hold the word: so it waits, and that is wanted, though it be beyond an end itself. */
  readonly #mayHaveSeen = (word: Node, delta: Delta): boolean => {
    if (!this.#isIn(delta.device)) return false;
    const named = this.#namedBy(delta);
    return named.length > 0 && named.length < pastOf(delta).length && !hasSeen(named, word);
  };

  /**
   * Its author had seen the word by which he is out, and nothing that lets him in again: nobody waits for him any more (L4), and he could name
   * what others have forgotten. So it is when he is in again, by what it has not seen; who is in all the same needs nothing that lets him in again.
   */
  #isOutBy(word: Node, delta: Delta, own: FeedId): boolean {
    if (!this.#hasAcknowledged(word, own)) return false;
    const named = this.#namedBy(delta);
    if (named.length < pastOf(delta).length || !hasSeen(named, word)) return false;
    const entrances = this.#entrancesOf(delta.device);
    // The last most often is the one, however often it was taken out.
    if (entrances.findLast((entrance) => inPast(word, entrance) && hasSeen(named, entrance))) return false;
    return !this.#isIn(delta.device) || this.standingEntrances(delta.device).some((entrance) => inPast(word, entrance));
  }

  /** The same of who was never in: all that lets its device in is void, for whoever has acknowledged it. */
  #isLetInVain(delta: Delta, own: FeedId): boolean {
    const { device } = delta;
    if (this.#isIn(device)) return false;
    const named = this.#namedBy(delta);
    if (named.length < pastOf(delta).length) return false;
    const entrances = this.#entrancesOf(device).filter((entrance) => hasSeen(named, entrance));
    const isVoid = ({ delta: { id } }: Node) => this.#authority.verdictOf(id)?.accepted === false;
    return entrances.length > 0 && entrances.every((one) => isVoid(one) && this.#hasAcknowledged(one, own));
  }

  /** Of what it names what is here. */
  #namedBy(delta: Delta): readonly Node[] {
    return pastOf(delta).flatMap((id) => this.#graph.get(id) ?? []);
  }

  /** K2: what it rests on may be folded elsewhere, so that nobody can say here what its author had seen (`told-words.ts`). */
  takesOutOwn(delta: Delta, own: FeedId): boolean {
    const [device] = own.split('.') as [DeviceId];
    const account = this.#authority.accountOf(device);
    return account !== undefined && takesOut(this.#crypto, delta, device, account);
  }

  /**
   * A4, L7: the word beyond whose cut a feed has gone on as if it had not heard of it. Who has acknowledged the word takes nothing
   * more of this feed, and nothing upon it, even where its device has been let in again: it begins another, upon a copy that is fresh.
   */
  endOf(own: FeedId): Node | undefined {
    const [device] = own.split('.') as [DeviceId];
    return this.wordsAgainst(device).find((word) => this.#goesOnBeyond(word, own))?.node;
  }

  /**
   * The same of a feed that its device wrote before, and that is here alone where it ends, as in a fresh copy (L6): let in again it would name that in the
   * feed of now, and nobody who has acknowledged the word takes it for its own sake.
   */
  endBefore(own: FeedId): Node | undefined {
    const [device] = own.split('.') as [DeviceId];
    for (const word of this.wordsAgainst(device))
      for (const { feed, parent } of this.#graph.lanesOf(device)) {
        const isBeyond = feed !== own && !parent && this.#goesOnBeyond(word, feed) !== undefined;
        if (isBeyond && !this.#graph.isNamedByOthers(this.#graph.tip(feed)!)) return word.node;
      }
    return undefined;
  }

  /** What a feed has next beyond a word, as if it had not heard of it. */
  #goesOnBeyond(accepted: Accepted, feed: FeedId): Node | undefined {
    const { node: word } = accepted;
    const next = this.#graph.at(feed, endUnder(this.#graph, accepted, feed) + 1);
    return next !== undefined && next !== word && !inPast(word, next) ? next : undefined;
  }

  /** Of devices that are in: those that have been let in again, each with the last word that took it out (L7). */
  returned(devices: Iterable<DeviceId>): ReadonlyMap<DeviceId, Node> {
    const words = new Map<DeviceId, Node>();
    for (const device of this.#words.size > 0 ? devices : []) {
      const last = this.wordsAgainst(device).at(-1);
      if (last) words.set(device, last.node);
    }
    return words;
  }

  /**
   * A4, L7: whether a place is beyond the cut of a word on its device. Not in a feed that has the word in its past, nor in one that is later than all that are here:
   * the device may have begun that when it was in again.
   */
  isCutShort({ feed, seq }: DeltaPlace): boolean {
    const [device] = feed.split('.') as [DeviceId];
    const tip = this.#graph.tip(feed);
    if (!tip && this.#graph.lanesOf(device).every(({ generation }) => generation < generationOf(feed))) return false;
    return this.wordsAgainst(device).some((word) => this.isCutShortBy(word, feed, seq, tip));
  }

  /** The same of one word; `tip`: the last that is here of the feed. */
  isCutShortBy(word: Accepted, feed: FeedId, seq: number, tip: Node | undefined): boolean {
    return seq > endUnder(this.#graph, word, feed) && !(tip && inPast(word.node, tip));
  }
}

/** Up to where a word leaves a feed its effect. */
export function endUnder(graph: Graph, { node, control }: Accepted, feed: FeedId): number {
  return control.kind === 'freeze' ? (control.kept.get(feed) ?? 0) : graph.reach(node, feed);
}

/** Whether who names these has a delta in his past with them. */
function hasSeen(named: readonly Node[], one: Node): boolean {
  return named.some((before) => before === one || inPast(one, before));
}

const noWord = () => false;
