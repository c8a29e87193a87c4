/**
 * The one door by which a delta enters a copy (`enter`), whether it is ours, another's or read back from the journal, and what follows from all that has
 * come in by it: that is worked out, all of it at once, when somebody looks (`settle`). What is before the door is in `intake.ts` and `writing.ts`.
 */
import type { DeltaId } from '../base/ids.ts';
import type { Authority } from './authority.ts';
import type { Content } from './content.ts';
import { isKnownControl } from './control.ts';
import { DELTA_VERSION, isAck, type Delta } from './delta.ts';
import type { Durability } from './durability.ts';
import type { Endings } from './endings.ts';
import type { Entrances } from './entrances.ts';
import type { Forgetting } from './forgetting.ts';
import { inPast, type Graph, type Node } from './graph.ts';
import type { OutOfStep } from './out-of-step.ts';
import type { OwnBase } from './own-base.ts';
import type { OwnFeed } from './own-feed.ts';
import type { PassedBy } from './passed-by.ts';
import { rosterOf, type Roster } from './roster.ts';
import type { StateMark } from './state-mark.ts';
import { ToolWords } from './tool-words.ts';

export interface DoorOptions {
  readonly graph: Graph;
  readonly authority: Authority;
  readonly tools: ToolWords;
  readonly content: Content;
  readonly entrances: Entrances;
  readonly endings: Endings;
  readonly own: OwnFeed;
  readonly base: OwnBase;
  readonly durability: Durability;
  readonly passedBy: PassedBy;
  readonly outOfStep: OutOfStep;
  readonly forgetting: Forgetting;
  readonly stateMark: StateMark;
}

export class Door {
  readonly #parts: DoorOptions;
  /** Come in, and not yet judged and applied. */
  readonly #entered: Node[] = [];
  #controls = 0;
  /** D2, D8: what stands aside may be other deltas than before. */
  #isRecut = false;
  /** D2: what this device had written before in another feed has come; or what was in another copy (`tookOver`). */
  #hasComeAgain = false;
  /** I4: the words by which this device is, or was, in since the copy was opened. */
  readonly #letInBy = new Set<DeltaId>();
  #ahead: readonly Node[] = [];
  #roster: Roster;

  constructor(parts: DoorOptions) {
    this.#parts = parts;
    this.#roster = rosterOf(parts.authority, parts.tools);
  }

  /** As it was when somebody looked last: for what may not look itself, since it is asked while something comes in. */
  get lastRoster(): Roster {
    return this.#roster;
  }

  /** How many control deltas, but for acks, have entered. */
  get controls(): number {
    return this.#controls;
  }

  // ---- in ---------------------------------------------------------------------------------------------------------------

  /** It is in the graph. `isRecut`: by this one what stands aside may be other deltas than before. */
  enter(node: Node, isRecut = false): void {
    if (isRecut) this.#isRecut = true;
    this.#enter(node, false);
  }

  /** The same of one that this device has written. */
  enterOwn(node: Node, isRecut: boolean): void {
    this.#enter(node, false);
    if (this.#turnsAhead() || isRecut) this.#isRecut = true;
  }

  /** L6: what entered last was in another copy, whatever the base that is here knows. */
  tookOver(): void {
    this.#hasComeAgain = true;
  }

  /** Of a base, and so in everybody's past. */
  enterFolded(node: Node): void {
    this.#enter(node, true);
  }

  #enter(node: Node, isFolded: boolean): void {
    const { content, durability, entrances, forgetting, outOfStep, own } = this.#parts;
    const { delta } = node;
    durability.changed();
    own.changed();
    if (delta.device === own.device && delta.feed !== own.feed) this.#hasComeAgain = true;
    if (delta.version !== DELTA_VERSION || (delta.tool === undefined && !isKnownControl(delta.kind))) {
      content.addForeign(node);
      return;
    }
    if (isAck(delta)) return;
    if (delta.tool === undefined) {
      this.#controls++;
      forgetting.note(node);
      if (!isFolded) outOfStep.note(node);
      entrances.note(node);
    }
    this.#entered.push(node);
  }

  // ---- what follows -----------------------------------------------------------------------------------------------------

  /** Judges and applies what has come in, all of it at once: whoever looks calls this first. */
  settle(): Roster {
    if (this.#entered.length > 0 || this.#isRecut || this.#hasComeAgain) this.#judge();
    return this.#roster;
  }

  #judge(): void {
    const { authority, base, content } = this.#parts;
    const entered = this.#entered.splice(0);
    const controls = entered.filter((node) => node.delta.tool === undefined);
    let reaches = this.#isRecut;
    if (controls.length > 0) reaches = authority.addAll(controls) || reaches;
    const isTurned = this.#isRecut && authority.recut();
    this.#isRecut = false;
    if (controls.length > 0 || isTurned) this.#followControls();
    if (this.#turnsAhead()) reaches = true;
    if (reaches) content.reconsider();
    content.insertAll(entered.filter((node) => node.delta.tool !== undefined));
    // Before anything more is folded: the word is about what is folded now.
    if (controls.length > 0 || isTurned) base.seekVoucher(this.#roster.vouchers);
    if (this.#isLetInAnew() || this.#hasComeAgain) this.#letGoOfEnded();
  }

  /** The verdicts on control deltas are others. */
  #followControls(): void {
    const { authority, content, endings, passedBy } = this.#parts;
    const tools = new ToolWords(authority);
    this.#roster = rosterOf(authority, tools);
    endings.follow();
    passedBy.endsChanged();
    content.learnTools(tools, this.#roster);
  }

  /**
   * D2: whether what counts here alone is something else than when this was asked last: what is written here has named it, or knows of the later
   * feed without it. No delta that comes says so.
   */
  #turnsAhead(): boolean {
    const before = this.#ahead;
    this.#ahead = this.#parts.graph.ahead();
    return before.length !== this.#ahead.length || before.some((end, i) => end !== this.#ahead[i]);
  }

  /** I4, L7: whether this device is in by a word by which it was not before. Each is asked about once: what is let go of with it may make others stand. */
  #isLetInAnew(): boolean {
    const { endings, own } = this.#parts;
    if (!this.#roster.devices.has(own.device)) return false;
    const before = this.#letInBy.size;
    for (const { delta } of endings.standingEntrances(own.device)) this.#letInBy.add(delta.id);
    return this.#letInBy.size > before;
  }

  // ---- out again --------------------------------------------------------------------------------------------------------

  /**
   * D2, A4: what was taken before it was known that this device had acknowledged an end of its feed, in what it has lost since, or is to with what lets it in:
   * others may have folded upon that, and could take nothing that names it. What lets it in it cannot do without.
   */
  #letGoOfEnded(): void {
    const { endings, graph, own } = this.#parts;
    this.#hasComeAgain = false;
    const { byOtherFeed: isWanted } = graph.wanted();
    const entrances = endings.standingEntrances(own.device);
    const isFoundation = (node: Node) => entrances.some((entrance) => entrance === node || inPast(node, entrance));
    const isEnded = (delta: Delta) =>
      endings.isBarred(delta, own.feed) && !isWanted(delta) && !isFoundation(graph.get(delta.id)!);
    this.withdraw(graph.letGo(isEnded, own.device));
  }

  /** D8: these have left the graph, as if they had never come. */
  withdraw(gone: ReadonlySet<Node>): void {
    if (gone.size === 0) return;
    const { authority, content, durability, entrances, forgetting, own, stateMark } = this.#parts;
    for (const one of [forgetting, entrances, durability, content]) one.withdraw(gone);
    stateMark.changed();
    own.changed();
    if (!authority.withdraw(gone)) return;
    this.#followControls();
    content.reconsider();
  }
}
