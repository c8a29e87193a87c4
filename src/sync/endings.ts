/**
 * Where what a device writes comes to its end for others: two histories (D8), a word that takes it out (A4, L7), a later feed (D2). What
 * is beyond such an end has no effect, and is not taken from whoever must have known it.
 */
import type { AccountId, DeviceId, FeedId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Authority } from './authority.ts';
import { readControl, Role } from './control.ts';
import type { Delta } from './delta.ts';
import { inPast, type Graph, type Node } from './graph.ts';
import type { Roster } from './roster.ts';
import type { Accepted } from './seniority.ts';

export class Endings {
  readonly #crypto: Crypto;
  readonly #graph: Graph;
  readonly #authority: Authority;
  /** Accepted words that take somebody or some device out. */
  #words: ReadonlyMap<DeviceId | AccountId, readonly Accepted[]> = new Map();
  /** D8: what has shown two histories is not heard any more. */
  readonly forked = new Set<DeviceId>();

  constructor(crypto: Crypto, graph: Graph, authority: Authority) {
    this.#crypto = crypto;
    this.#graph = graph;
    this.#authority = authority;
  }

  /** The verdicts on control deltas have changed. */
  follow(words: ReadonlyMap<DeviceId | AccountId, readonly Accepted[]>): void {
    this.#words = words;
  }

  wasDropped(device: DeviceId): boolean {
    return (this.#words.get(device) ?? []).some(({ control }) => control.kind === 'drop');
  }

  /**
   * What has no effect since its device has shown two histories (D8), was taken out (A4) or has begun another feed (D2) is taken only
   * where others, who did not know that yet, have it in their past. It may name as if it had not what its device has acknowledged, or
   * need not acknowledge any more: who has forgotten that could not take it. Nothing is forgotten before all have acknowledged the
   * word, or the other feed; so who has done that takes nothing more, and what he has taken before is in the past of his word.
   */
  isBeyond(delta: Delta, own: FeedId): boolean {
    const { device, seq } = delta;
    if (this.#graph.has(delta.id)) return false;
    if (this.forked.has(device)) return true;
    if (this.#words.size > 0 && this.#wordsAgainst(device).some((word) => this.#isCutBy(word, delta, own))) return true;
    // What was lost with a store comes back to its own device first, which names it then.
    return !own.startsWith(device) && seq > this.#graph.closedAt(delta, (node) => this.#hasAcknowledged(node, own));
  }

  /** Whether the device of a feed has written with a delta in its past. */
  #hasAcknowledged(node: Node, own: FeedId): boolean {
    const [device] = own.split('.') as [DeviceId];
    return this.#graph.lanesOf(device).some(({ tip }) => tip && (tip === node || inPast(node, tip)));
  }

  #wordsAgainst(device: DeviceId): readonly Accepted[] {
    const account = this.#authority.accountOf(device);
    return [...(this.#words.get(device) ?? []), ...((account && this.#words.get(account)) ?? [])];
  }

  /** It is beyond what the word leaves to its feed, and was written without having seen the word. */
  #isCutBy({ node: word, control }: Accepted, { feed, seq, prev, deps }: Delta, own: FeedId): boolean {
    if (!this.#hasAcknowledged(word, own)) return false;
    if (seq <= this.#endUnder(word, control, feed)) return false;
    return ![...(prev === undefined ? [] : [prev]), ...deps].some((id) => {
      const before = this.#graph.get(id);
      return before !== undefined && (before === word || inPast(word, before));
    });
  }

  /**
   * A4, L7: the word beyond whose cut a feed has gone on as if it had not heard of it. Who has acknowledged the word takes nothing
   * more of this feed, and nothing upon it, even where its device has been let in again: it begins another, upon a copy that is fresh.
   */
  endOf(own: FeedId): Node | undefined {
    const [device] = own.split('.') as [DeviceId];
    return this.#wordsAgainst(device).find(({ node: word, control }) => {
      const next = this.#graph.at(own, this.#endUnder(word, control, own) + 1);
      return next !== undefined && next !== word && !inPast(word, next);
    })?.node;
  }

  /** Of devices that are in: those that have been let in again, each with the last word that took it out (L7). */
  returned(devices: Iterable<DeviceId>): ReadonlyMap<DeviceId, Node> {
    const words = new Map<DeviceId, Node>();
    for (const device of this.#words.size > 0 ? devices : []) {
      const last = this.#wordsAgainst(device).at(-1);
      if (last) words.set(device, last.node);
    }
    return words;
  }

  /** Up to where a word leaves a feed its effect. */
  #endUnder(word: Node, control: Accepted['control'], feed: FeedId): number {
    return control.kind === 'freeze' ? (control.kept.get(feed) ?? 0) : this.#graph.reach(word, feed);
  }

  /**
   * K2: a word that takes a device out and rests on what is folded elsewhere, so that it can never come in here. It is believed of
   * who stands above the device's account as far as is known, for he could say it in any case: of any manager where its own admission
   * has not come.
   */
  wordAgainst(device: DeviceId, account: AccountId, { devices, members }: Roster): Node | undefined {
    if (this.#graph.waiting === 0) return undefined;
    for (const delta of this.#graph.waitingDeltas()) {
      const author = devices.get(delta.device)?.account;
      if (author === undefined || !this.#takesOut(delta, device, account)) continue;
      const isManager = members.get(author)?.role === Role.manager;
      const isOurs = author === account && (isManager || delta.kind === 'removeDevice');
      const isAbove = isManager && this.#authority.isSenior(author, account);
      if (isOurs || isAbove) return { delta, height: Number.MAX_SAFE_INTEGER, lane: NO_LANE, past: [], arrival: 0 };
    }
    return undefined;
  }

  #takesOut(delta: Delta, device: DeviceId, account: AccountId): boolean {
    if (!TAKES_OUT.has(delta.kind) || delta.tool !== undefined) return false;
    const control = readControl(this.#crypto, delta);
    if (control?.kind === 'remove') return control.account === account;
    if (control?.kind === 'removeDevice' || control?.kind === 'drop') return control.devices.includes(device);
    return control?.kind === 'freeze' && control.device === device;
  }
}

/** Kinds of control deltas that may take a device out. */
const TAKES_OUT: ReadonlySet<string> = new Set(['remove', 'removeDevice', 'freeze', 'drop']);
const NO_LANE = -1;
