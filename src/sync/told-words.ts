/**
 * What a device is told of words that take it out and cannot come in here (K2): they rest on what is folded elsewhere, or stand beyond an end of who says them, or
 * are void here by words which others hold for void. By whom they are believed is in `hearsay.ts`.
 */
import type { AccountId, DeviceId, FeedId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MAX_TOLD_IN_VAIN } from '../protocol/limits.ts';
import type { Authority } from './authority.ts';
import { readControl, takesOut } from './control.ts';
import type { Delta } from './delta.ts';
import type { Endings } from './endings.ts';
import type { Graph, Node } from './graph.ts';
import { Hearsay } from './hearsay.ts';
import type { Roster } from './roster.ts';
import type { Accepted } from './seniority.ts';

export interface ToldWordsOptions {
  readonly crypto: Crypto;
  readonly graph: Graph;
  readonly authority: Authority;
  readonly endings: Endings;
  /** The control deltas that let a device in. */
  readonly entrancesOf: (device: DeviceId) => readonly Node[];
  /** Whether others wait for a device. */
  readonly isIn: (device: DeviceId) => boolean;
}

/** By what one question is answered, in which nothing changes. */
interface Asking {
  readonly roster: Roster;
  readonly hearsay: Hearsay;
  /** Whose devices are that are let in by what does not come in here. */
  readonly letIn: Map<DeviceId, AccountId | undefined>;
}

export class ToldWords {
  readonly #crypto: Crypto;
  readonly #graph: Graph;
  readonly #authority: Authority;
  readonly #endings: Endings;
  readonly #entrancesOf: (device: DeviceId) => readonly Node[];
  readonly #isIn: (device: DeviceId) => boolean;
  /** K2: of each author the last word that takes this device out, is not taken here, and was told by another member. */
  readonly #told = new Map<DeviceId, Delta>();
  /** Of each device the last word told likewise that lets it in, by one that is out here, or was let in by such a word. */
  readonly #toldToLetIn = new Map<DeviceId, Delta>();

  constructor({ crypto, graph, authority, endings, entrancesOf, isIn }: ToldWordsOptions) {
    this.#crypto = crypto;
    this.#graph = graph;
    this.#authority = authority;
    this.#endings = endings;
    this.#entrancesOf = entrancesOf;
    this.#isIn = isIn;
  }

  /**
   * K2: a word that takes a device out and rests on what is folded elsewhere, so that it can never come in here. It is believed of
   * who stands above the device's account as far as is known, for he could say it in any case: of any manager where its own admission
   * has not come, of somebody who has left where the device has not heard it (A7). Of a device that is not known here, or was taken out, the
   * word that let it in comes along; that was taken out is believed in a feed that it has begun since (L7).
   */
  wordAgainst(device: DeviceId, account: AccountId, roster: Roster): Node | undefined {
    const wordsAgainst = (of: DeviceId) => this.#endings.wordsAgainst(of);
    const [crypto, graph, authority] = [this.#crypto, this.#graph, this.#authority];
    const hearsay = new Hearsay({ crypto, graph, authority, roster, wordsAgainst });
    const asking: Asking = { roster, hearsay, letIn: new Map() };
    for (const delta of graph.waiting > 0 ? graph.waitingDeltas() : []) {
      if (!takesOut(this.#crypto, delta, device, account)) continue;
      const author = hearsay.accountBehind(delta) ?? this.#accountLetInBeyond(delta.device, asking);
      if (author !== undefined && hearsay.couldSay(delta, author, account)) return outsideOf(delta);
    }
    for (const delta of this.#told.values()) {
      if (this.#graph.get(delta.id)) continue;
      const author = this.#isFromBefore(delta)
        ? this.#accountGoneOn(delta, roster)
        : this.#accountDropped(delta, asking);
      if (author !== undefined && hearsay.couldSay(delta, author, account)) return outsideOf(delta);
    }
    return graph.waiting > 0 ? this.#wordInDoubt(device, account, hearsay) : undefined;
  }

  /** K2, A4: one that is here, and void by words which others hold for void (`Hearsay.isDoubtful`). */
  #wordInDoubt(device: DeviceId, account: AccountId, hearsay: Hearsay): Node | undefined {
    for (const { node } of this.#authority.refused()) {
      const cuts = takesOut(this.#crypto, node.delta, device, account) ? this.#authority.cutsOf(node) : [];
      const author = this.#authority.accountOf(node.delta.device);
      if (cuts.length === 0 || author === undefined || !cuts.every(hearsay.isDoubtful)) continue;
      if (hearsay.couldSay(node.delta, author, account)) return node;
    }
    return undefined;
  }

  /**
   * K2, A4: words that take this device out, from beyond the end of who says them, so that they do not come in here. One stands for whoever had
   * it first: of that its coming from another member is the proof, since he serves what he has taken; its author holds it in any case. What he had
   * lost, and has back in a later feed (D2), its author tells himself: he stands by it.
   */
  hear(run: readonly Delta[], from: DeviceId, own: FeedId, { devices }: Roster): void {
    for (const delta of run) {
      if (delta.tool !== undefined || this.#graph.get(delta.id)) continue;
      this.#hearLetIn(delta, from, own, devices);
      // Of others nothing is believed; so one word of each device that was ever let in is kept, and no more.
      if (!this.#endings.takesOutOwn(delta, own) || !this.#isEverLetIn(delta.device)) continue;
      if (devices.has(from) && (from !== delta.device || this.#isFromBefore(delta)))
        this.#told.set(delta.device, delta);
    }
  }

  /** I4: whom it lets in others have in, too, and take what he says. */
  #hearLetIn(delta: Delta, from: DeviceId, own: FeedId, devices: Roster['devices']): void {
    if (delta.kind !== 'addDevice' || !devices.has(from) || from === delta.device) return;
    const isFromOutside = !this.#isIn(delta.device) || this.#endings.isCutOff(delta, own);
    const control = isFromOutside && this.#isEverLetIn(delta.device) ? readControl(this.#crypto, delta) : undefined;
    for (const { device } of control?.kind === 'addDevice' ? control.certificates : []) {
      this.#toldToLetIn.delete(device);
      this.#toldToLetIn.set(device, delta);
      this.#forgetToldBefore();
    }
  }

  /** Who is out can make up others. What is true is told again. */
  #forgetToldBefore(): void {
    if (this.#toldToLetIn.size <= MAX_TOLD_IN_VAIN) return;
    const [first] = this.#toldToLetIn.keys();
    this.#toldToLetIn.delete(first!);
    this.#told.delete(first!);
  }

  #isEverLetIn(device: DeviceId): boolean {
    const isKnown = this.#authority.accountOf(device) !== undefined;
    return isKnown || this.#toldToLetIn.has(device) || this.#entrancesOf(device).length > 0;
  }

  /** D2: beyond what counts of its feed since a later one of its device has begun. */
  #isFromBefore(delta: Delta): boolean {
    return delta.seq > this.#graph.closedAt(delta, () => true);
  }

  /** The member whose device goes on in the later feed, and could say the same in that. */
  #accountGoneOn({ device, id }: Delta, { devices }: Roster): AccountId | undefined {
    if (this.#endings.forked.has(device) || this.#graph.get(id) || !devices.has(device)) return undefined;
    return this.#authority.accountOf(device);
  }

  /**
   * The member whose device said it without having heard that his own account had taken that out, or who had let it in: such words of both sides stand. Where
   * it was dropped, or is in again, the other need not be a thief; where not, each of the two goes on by itself. What others hold for void cuts nothing.
   */
  #accountDropped({ device, feed, seq, kind }: Delta, asking: Asking): AccountId | undefined {
    const account = this.#authority.accountOf(device);
    if (account === undefined) return this.#accountLetInBeyond(device, asking);
    if (this.#endings.forked.has(device)) return undefined;
    const { hearsay, roster } = asking;
    const tip = this.#graph.tip(feed);
    // What it knows, as it has begun the feed since (L7), cuts nothing.
    const cutBy = this.#endings.wordsAgainst(device).filter((word) => this.#endings.isCutShortBy(word, feed, seq, tip));
    const isMutual = ({ node: word, control }: Accepted) =>
      kind !== 'remove' &&
      this.#authority.accountOf(word.delta.device) === account &&
      (control.kind === 'drop' || roster.devices.has(device));
    const isBelieved = cutBy.every((word) => hearsay.isDoubtful(word.node) || isMutual(word));
    return cutBy.length > 0 && isBelieved ? account : undefined;
  }

  /** I4: of a device that nothing lets in here but such a word: whose it is for all who have taken that. */
  #accountLetInBeyond(device: DeviceId, asking: Asking): AccountId | undefined {
    const { letIn } = asking;
    if (!letIn.has(device)) {
      // Two may have let in each other.
      letIn.set(device, undefined);
      const isUnknown = this.#authority.accountOf(device) === undefined && !this.#endings.forked.has(device);
      letIn.set(device, isUnknown ? this.#findLetInBeyond(device, asking) : undefined);
    }
    return letIn.get(device);
  }

  #findLetInBeyond(device: DeviceId, asking: Asking): AccountId | undefined {
    const here = this.#entrancesOf(device).map(({ delta }) => delta);
    for (const entrance of [...here, this.#toldToLetIn.get(device) ?? []].flat()) {
      const control = readControl(this.#crypto, entrance);
      const account = control?.kind === 'addDevice' ? control.account : undefined;
      if (account !== undefined && this.#accountDropped(entrance, asking) === account) return account;
    }
    return undefined;
  }
}

const NO_LANE = -1;

/** What is believed, and not in the graph. */
export function outsideOf(delta: Delta): Node {
  return { delta, height: Number.MAX_SAFE_INTEGER, lane: NO_LANE, past: [], arrival: 0 };
}
