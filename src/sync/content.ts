/**
 * Content deltas of one replica: judged by the settled control deltas, reduced by their tools, and judged again when these
 * change. What a verdict rests on but the rows is kept with it, so that only they are done again for whom it is another.
 */
import type { AccountId, DeviceId, ToolId } from '../base/ids.ts';
import type { Authority } from './authority.ts';
import type { OrderPlace } from './base.ts';
import type { Role } from './control.ts';
import { idBytes } from './delta.ts';
import { Fold, type Folded, type FoldVerdict, type Judged } from './fold.ts';
import { compareNodes, inPast, type Graph, type Node } from './graph.ts';
import type { PackedRows, RowRecord } from './packed-rows.ts';
import type { Action } from './permissions.ts';
import type { Reducer, Transaction } from './reducer.ts';
import type { Roster } from './roster.ts';
import type { ToolWords } from './tool-words.ts';
import type { VoidReason } from './verdict.ts';

/** What the verdict on a content delta rests on, but for the rows and what its tool asks. */
interface Premises {
  readonly refused: VoidReason | undefined;
  /** In which its author stands; undefined where he does not. */
  readonly role: Role | undefined;
  readonly toolKind: string | undefined;
  /** D10: it comes after what a manager has said in words that only a newer version knows. */
  readonly isNewer: boolean;
  readonly author: AccountId | undefined;
}

interface Judgement extends Judged, Premises {
  /** What its tool asked, and was told. */
  readonly answers: readonly Answer[];
}

interface Answer {
  readonly action: Action;
  readonly isAllowed: boolean;
}

export class Content {
  readonly fold: Fold<Judgement>;
  readonly #graph: Graph;
  readonly #authority: Authority;
  readonly #reducers: ReadonlyMap<string, Reducer>;
  /** The last of each author: most say the same, and rest on the same, as the one before. */
  readonly #last = new Map<AccountId | undefined, Judgement>();
  readonly #accountBytes = new Map<AccountId, Uint8Array>();
  #tools: ToolWords;
  /** D10: deltas of another version, and of kinds of control that are not known. */
  #foreign: Node[] = [];
  /** D10: who has written of a known tool in a kind that is not known. */
  readonly #unknownKindsOf = new Set<DeviceId>();
  /** Came when what stands behind them was in the base already. */
  #late: Node[] = [];
  #end: OrderPlace | undefined;
  #wasDoubtful = false;
  /** D2: of each device that has begun a later feed, in the newest, the first that is folded as counting, and others had: they may judge it anew. */
  readonly #counted = new Map<DeviceId, Node>();

  constructor(graph: Graph, authority: Authority, tools: ToolWords, reducers: readonly Reducer[]) {
    this.#graph = graph;
    this.#authority = authority;
    this.#tools = tools;
    this.#reducers = new Map(reducers.map((reducer) => [reducer.kind, reducer]));
    this.fold = new Fold((node, transaction) => this.#apply(node, transaction));
  }

  /** D10: a delta of a newer version, or of a kind of control that is not known. */
  addForeign(node: Node): void {
    this.#foreign.push(node);
    this.#barriers = undefined;
  }

  /** D10: devices that have written what only a newer version knows. */
  get newer(): ReadonlySet<DeviceId> {
    return new Set([...this.#foreign.map(({ delta }) => delta.device), ...this.#unknownKindsOf]);
  }

  get sawNewer(): boolean {
    return this.#foreign.length > 0 || this.#unknownKindsOf.size > 0;
  }

  /** The control deltas have changed: which tools there are, and of what kind. */
  learnTools(words: ToolWords, { tools }: Roster): void {
    this.#barriers = undefined;
    this.#tools = words;
    this.fold.hide(new Set([...words.ever()].filter((tool) => !tools.has(tool))));
  }

  insertAll(nodes: readonly Node[]): void {
    const end = this.#end;
    if (end) for (const node of nodes) if (isBefore(node, end)) this.#late.push(node);
    this.#graph.whileStill(() => this.fold.insertAll(nodes));
  }

  /** D8, D2, A4: these have left the graph. */
  withdraw(nodes: ReadonlySet<Node>): void {
    this.#foreign = this.#foreign.filter((node) => !nodes.has(node));
    this.#barriers = undefined;
    this.fold.withdraw(nodes);
  }

  /** The last that was folded into the base. */
  get end(): OrderPlace | undefined {
    return this.#end;
  }

  /**
   * Whether rows that another gives (L6) could have been put by the tools that there are: a tool trusts what stands in its rows. Of a tool that was
   * added twice, as one kind and as another, by who did not know of each other, rows of both may be there.
   */
  couldHold(rows: PackedRows): boolean {
    for (const { tool, first, end } of rows.tools()) {
      const reducers = this.#reducersOf(tool);
      const kindOf = ({ table, key, row }: RowRecord) =>
        reducers.findIndex((reducer) => reducer.isRow(table, key, row));
      for (let n = first; n < end; n++) {
        const record = rows.at(n);
        if (!record || kindOf(record) < 0) return false;
      }
      const isOf = (record: RowRecord, at: number) => reducers.length === 1 || kindOf(record) === at;
      for (const [at, reducer] of reducers.entries())
        if (!reducer.hangTogether(recordsOf(rows, first, end, (record) => isOf(record, at)))) return false;
    }
    return true;
  }

  /** Of every kind that a tool was added as. */
  #reducersOf(tool: ToolId): readonly Reducer[] {
    return [...this.#tools.kindsOf(tool)].flatMap((kind) => this.#reducers.get(kind) ?? []);
  }

  /** What a base holds (L6), in the place of everything. */
  load(rows: PackedRows, end: OrderPlace | undefined): void {
    this.fold.load(rows);
    this.#end = end;
  }

  /**
   * L6: others' base may be another. Something counts that stands before the end of this one: they may have done it in its place. Or something in it counts
   * no more, since an older feed of its device had said more (D2): whoever had not folded it yet has it void.
   */
  get isDoubtful(): boolean {
    const isLate = this.#late.some((node) => this.fold.verdictOf(node) === 'applied');
    return this.#wasDoubtful || isLate || this.#hasAside();
  }

  #hasAside(): boolean {
    const { arrivals } = this.#graph;
    if (this.#aside.asOf !== arrivals) {
      const isAside = [...this.#counted.values()].some((node) => this.#graph.isAside(node));
      this.#aside = { asOf: arrivals, isAside };
    }
    return this.#aside.isAside;
  }

  /** As of what had arrived: it is asked for often. */
  #aside = { asOf: 0, isAside: false };

  /** A restriction that arrives late undoes what it voids (L5): those whose premises are others now. */
  reconsider(): void {
    this.#graph.whileStill(() => this.fold.reconsider((node, before) => this.#isJudgedAnew(node, before)));
  }

  /** What would be said of a delta that is not written yet and has everything here in its past. */
  rehearse(draft: Node, stage: Transaction): FoldVerdict {
    return this.#reduce(draft, this.#premisesOf(draft), stage, []);
  }

  /** L4: folds what is stable into the base, as far as there is nothing before it that is not. Answers what was folded. */
  absorb(isStable: (node: Node) => boolean): readonly Folded[] {
    this.#wasDoubtful = this.isDoubtful;
    const first = this.barriers().toSorted(compareNodes)[0];
    const absorbed = this.fold.absorb((node) => isStable(node) && !(first && compareNodes(node, first) >= 0));
    const last = absorbed.at(-1)?.node;
    // What is void may come when what stands behind it is folded: for whom it came before, it was not the end either.
    if (last && !(this.#end && isBefore(last, this.#end))) this.#end = { height: last.height, id: last.delta.id };
    for (const folded of absorbed) this.#count(folded);
    return absorbed;
  }

  /** Who is alone has nobody who could judge it otherwise: from him others have it in a base. */
  #count({ node, verdict }: Folded): void {
    const { device, generation } = node.delta;
    if (verdict !== 'applied' || generation <= (this.#counted.get(device)?.delta.generation ?? 0)) return;
    if (this.#graph.isNamedByOthers(node)) this.#counted.set(device, node);
  }

  /**
   * D10: where a newer version begins; nothing after it is folded. Only a manager begins one: any member could else stop the
   * workspace for all, for ever, with a word that means nothing. What others write in unknown words is void.
   */
  barriers(): readonly Node[] {
    const stands = (node: Node) => this.#authority.isManagers(node) && this.#authority.judge(node).accepted;
    return (this.#barriers ??= this.#foreign.filter(stands));
  }

  /** Until the control deltas change, or another comes: every content delta asks, and anybody can write many that are none. */
  #barriers: readonly Node[] | undefined;

  #isJudgedAnew(node: Node, before: Judgement): boolean {
    const now = this.#premisesOf(node);
    if (!isSame(before, now)) return true;
    return before.answers.some(
      ({ action, isAllowed }) =>
        this.#authority.settings.can(node, now.role!, now.toolKind!, action, node.delta.tool) !== isAllowed,
    );
  }

  #premisesOf(node: Node): Premises {
    const judged = this.#authority.judge(node);
    const refused = judged.accepted ? (this.#graph.isAside(node) ? 'forked' : undefined) : judged.reason;
    const toolKind = this.#toolKindAt(node);
    const isNewer =
      refused === undefined && this.#foreign.length > 0 && this.barriers().some((barrier) => inPast(barrier, node));
    const role = judged.accepted ? judged.role : undefined;
    return { refused, role, toolKind, isNewer, author: this.#authority.accountOf(node.delta.device) };
  }

  /** The kind of a tool that was added, and not deleted again, in the past of a delta. */
  #toolKindAt(node: Node): string | undefined {
    return this.#tools.additionSeen(node.delta.tool!, (word) => inPast(word, node))?.kind;
  }

  /** The same as the author's last where it says the same: a hundred thousand of one kind are to be one. */
  #apply(node: Node, transaction: Transaction): Judgement {
    const answers: Answer[] = [];
    const premises = this.#premisesOf(node);
    const verdict = this.#reduce(node, premises, transaction, answers);
    const last = this.#last.get(premises.author);
    if (last?.verdict === verdict && isSame(last, premises) && areSame(last.answers, answers)) return last;
    const judgement = { verdict, ...premises, answers };
    this.#last.set(premises.author, judgement);
    return judgement;
  }

  #reduce(node: Node, premises: Premises, transaction: Transaction, answers: Answer[]): FoldVerdict {
    const { refused, role, toolKind, isNewer, author } = premises;
    if (refused) return refused;
    if (isNewer) return 'newer';
    const reducer = toolKind === undefined ? undefined : this.#reducers.get(toolKind);
    if (toolKind === undefined || !reducer || author === undefined) return 'unknownTool';
    if (!reducer.kinds.includes(node.delta.kind)) {
      this.#unknownKindsOf.add(node.delta.device);
      return 'newer';
    }
    const can = (action: Action) => {
      const isAllowed = this.#authority.settings.can(node, role!, toolKind, action, node.delta.tool);
      answers.push({ action, isAllowed });
      return isAllowed;
    };
    return reducer.apply(transaction, node, { author, authorBytes: this.#bytesOf(author), can }) ?? 'applied';
  }

  #bytesOf(author: AccountId): Uint8Array {
    const known = this.#accountBytes.get(author);
    if (known) return known;
    const bytes = idBytes(author);
    this.#accountBytes.set(author, bytes);
    return bytes;
  }
}

function isSame(a: Premises, b: Premises): boolean {
  return (
    a.refused === b.refused &&
    a.role === b.role &&
    a.toolKind === b.toolKind &&
    a.isNewer === b.isNewer &&
    a.author === b.author
  );
}

function areSame(a: readonly Answer[], b: readonly Answer[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ action, isAllowed }, i) => action === b[i]!.action && isAllowed === b[i]!.isAllowed)
  );
}

function* recordsOf(
  rows: PackedRows,
  first: number,
  end: number,
  isWanted: (record: RowRecord) => boolean,
): Generator<RowRecord> {
  for (let n = first; n < end; n++) {
    const record = rows.at(n)!;
    if (isWanted(record)) yield record;
  }
}

function isBefore({ height, delta }: Node, place: OrderPlace): boolean {
  return height < place.height || (height === place.height && delta.id < place.id);
}
