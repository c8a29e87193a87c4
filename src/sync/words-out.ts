/**
 * Who is out by which words, and what he has to be told besides, so that he holds them for true (K2, A4, L7): by all that is judged. Of a device that is
 * held out, of an account that is not in the workspace any more, and of whoever was out, back in again or not.
 */
import { push } from '../base/group.ts';
import type { AccountId, DeviceId } from '../base/ids.ts';
import type { ControlWords } from './control-words.ts';
import { MAY_VOID, takenOutBy } from './control.ts';
import { NOBODY, type Credentials } from './credentials.ts';
import type { DeviceStanding } from './device-standing.ts';
import { compareNodes, inPast, type Node } from './graph.ts';
import type { Accepted } from './seniority.ts';

/** With its place among all. */
interface Attempt {
  readonly node: Node;
  readonly at: number;
}

export class WordsOut {
  readonly #words: ControlWords;
  readonly #credentials: Credentials;
  readonly #devices: DeviceStanding;
  #accepted: readonly Accepted[] = [];
  /** Words that would void others, and are void, as their authors are cut off, by whom they would take out or down: seldom any. */
  readonly #onDevices = new Map<DeviceId, Attempt[]>();
  readonly #onPeople = new Map<AccountId, Attempt[]>();
  /** What cuts off those who would have cut off the author of a word, as far as it was asked for. */
  readonly #behind = new Map<Node, readonly Node[]>();
  #leaves: ReadonlyMap<AccountId, readonly Node[]> = new Map();

  constructor(words: ControlWords, credentials: Credentials, devices: DeviceStanding) {
    this.#words = words;
    this.#credentials = credentials;
    this.#devices = devices;
  }

  /** The verdicts are others. `accepted`: in D6 order. */
  follow(accepted: readonly Accepted[]): void {
    this.#accepted = accepted;
    for (const map of [this.#onDevices, this.#onPeople, this.#behind]) map.clear();
    let at = 0;
    for (const { node, control } of this.#words.refused()) {
      if (!MAY_VOID.has(control.kind) || !this.#words.isCutOff(node.delta.id)) continue;
      const attempt = { node, at: at++ };
      if (control.kind === 'remove' || control.kind === 'setRole') push(this.#onPeople, control.account, attempt);
      for (const device of new Set(takenOutBy(control))) push(this.#onDevices, device, attempt);
    }
    const leaves = new Map<AccountId, Node[]>();
    for (const { node, control } of accepted) {
      const account = control.kind === 'leave' ? this.#words.namedAuthorOf(node) : undefined;
      if (account !== undefined) push(leaves, account, node);
    }
    this.#leaves = leaves;
  }

  /**
   * The words that hold a member's device out, first the one that took it out (K2). Of what was dropped, behind that, those which cut off who has let it
   * in again: it may have heard of the drop, and that it is in again, and by these alone it is not.
   */
  holdingOut(device: DeviceId): readonly Node[] {
    const account = this.#devices.accountOf(device);
    const best = account === undefined ? undefined : this.#credentials.bestNow(account);
    const word = best && this.#devices.heldOutBy(device, account!, best.key);
    if (!word) return NONE;
    // Of another word what comes after it is not for its device.
    if (word.kind !== 'drop') return this.withWhatTheyStandBy([word.node]);
    const others = new Set(
      this.#devices.voidReturnsOf(device, word.node).flatMap((node) => this.#credentials.cutsOf(node)),
    );
    const behind = [...others].filter((one) => !inPast(one, word.node)).sort(compareNodes);
    return this.withWhatTheyStandBy([word.node, ...behind]);
  }

  /**
   * K2: whatever else takes somebody out or down, and is not in the past of a drop. What is dropped may have been let in again by who was cut off by
   * one of them before others took that of him, and nobody holds it any more (world “alder.889”).
   */
  reachingBeside(drop: Node): readonly Node[] {
    const onPeople = [...this.#credentials.restrictions()].flat();
    const onDevices = this.#accepted.filter(({ control }) => takenOutBy(control).length > 0);
    const all = new Set([...onPeople, ...onDevices].map(({ node }) => node));
    return [...all].filter((node) => node !== drop && !inPast(node, drop)).sort(compareNodes);
  }

  /**
   * Words, and behind them what cuts off those who would have cut off their authors, and so on: who has heard of these, and not of that, holds the words
   * for void (K2, world “umber.10958”). But for a drop, what comes after one of them is not for whom it takes out.
   */
  withWhatTheyStandBy(words: readonly Node[]): readonly Node[] {
    const isNotForIt = (one: Node) =>
      words.some((word) => inPast(one, word) || (word.delta.kind !== 'drop' && inPast(word, one)));
    const all = new Set(words);
    for (const word of all) for (const cut of this.#cutsBehind(word)) if (!isNotForIt(cut)) all.add(cut);
    return [...all];
  }

  /** Of each asked once: a long row of them stands behind every device that one of them holds out. */
  #cutsBehind(word: Node): readonly Node[] {
    const known = this.#behind.get(word);
    if (known) return known;
    const cuts = [...new Set(this.#attemptsOn(word).flatMap((attempt) => this.#credentials.cutsOf(attempt)))];
    this.#behind.set(word, cuts);
    return cuts;
  }

  /** Words against the author of another, beyond whose cut that lies, and void, as their own authors are cut off. */
  #attemptsOn(word: Node): readonly Node[] {
    const account = this.#words.namedAuthorOf(word);
    const onPerson = account === undefined ? undefined : this.#onPeople.get(account);
    const onDevice = this.#onDevices.get(word.delta.device);
    const attempts = [...(onPerson ?? []), ...(onDevice ?? [])].sort((a, b) => a.at - b.at);
    return attempts.flatMap(({ node }) => (word === node || inPast(word, node) ? [] : node));
  }

  /**
   * The words that took an account out of the workspace, where it is not in it, in D6 order. More than one where they did not know of each other:
   * of two that give it other roles neither may have done it alone.
   */
  departuresOf(account: AccountId): readonly Node[] {
    const restrictions = this.#credentials.restrictionsOf(account).filter((r) => r.spares === NOBODY);
    const words = [...restrictions.map((r) => r.node), ...this.#credentials.leavesOf(account)].sort(compareNodes);
    return words.filter((word) => !words.some((other) => inPast(word, other)));
  }

  /** A4: the words that took an account out or down, whether it was let in or raised again since or not. */
  restrictionsOf(account: AccountId): readonly Node[] {
    return this.#credentials.restrictionsOf(account).map(({ node }) => node);
  }

  /** Words that took a device or its person out, whether they were let in again since or not. A leave is none: till it is seen it cuts nothing. */
  against(): ReadonlyMap<DeviceId | AccountId, readonly Accepted[]> {
    const words = new Map<DeviceId | AccountId, Accepted[]>();
    for (const accepted of this.#accepted) {
      const { control } = accepted;
      if (control.kind === 'remove') push(words, control.account, accepted);
      for (const device of takenOutBy(control)) push(words, device, accepted);
    }
    return words;
  }

  /** Whether anybody has left. */
  get hasLeaves(): boolean {
    return this.#leaves.size > 0;
  }

  /** Of an account the accepted leaves (A7), in D6 order. */
  leavesOf(account: AccountId): readonly Node[] {
    return this.#leaves.get(account) ?? NONE;
  }
}

const NONE: readonly Node[] = [];
