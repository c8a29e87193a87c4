/**
 * State = base + re-fold of the unstable content deltas in D6 order (L5). A delta that arrives late, or a verdict that
 * changes, is done in its place, and those behind it that rest on what it changed are done again, so every replica with the
 * same set has the same rows. What all have acknowledged becomes the base, and is not done again (L4).
 */
import type { ToolId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { compareNodes, type Node } from './graph.ts';
import type { ContentVoid, Row, Transaction } from './reducer.ts';
import type { PackedRows, RowPlace, RowRecord } from './packed-rows.ts';
import { RowTree } from './root.ts';
import { Rows, type Cell, type Place } from './rows.ts';
import type { VoidReason } from './verdict.ts';

export type FoldVerdict = 'applied' | ContentVoid | VoidReason | 'unknownTool' | 'newer';

/** A verdict, with what it rested on: whoever gives it knows what that is, and whether it would be another now. */
export interface Judged {
  readonly verdict: FoldVerdict;
}

/** Applies one delta through its tool's reducer: judged, then reduced. */
export type Apply<J extends Judged> = (node: Node, transaction: Transaction) => J;

/** A delta with the verdict that stands for ever. */
export interface Folded {
  readonly node: Node;
  readonly verdict: FoldVerdict;
}

interface Entry<J extends Judged = Judged> extends Place {
  readonly node: Node;
  /** Undefined until it is done. */
  judged: J | undefined;
  reads: readonly Cell[];
  writes: readonly Cell[];
  isDue: boolean;
}

export interface RowChange {
  readonly tool: ToolId;
  readonly table: string;
  readonly key: string;
  readonly row: Row | undefined;
}

/** Where rows are, or may be, others than those of the base. */
export interface Upon {
  /** Tools that show nowhere, sorted. */
  readonly hidden: readonly ToolId[];
  readonly places: readonly RowPlace[];
}

export class Fold<J extends Judged = Judged> {
  readonly #apply: Apply<J>;
  /** In D6 order. */
  #entries: Entry<J>[] = [];
  readonly #rows = new Rows();
  readonly #touched = new Set<Cell>();
  /** Tools that have been hidden or are shown again since the last telling, and whether a base has come. */
  readonly #turned = new Set<ToolId>();
  #isBaseUntold = false;
  #hidden: ReadonlySet<ToolId> = new Set();
  /** Over the rows as they stand, and over the base: made when first asked for. */
  #tree: RowTree | undefined;
  /** Cells that have changed and of which the tree has not heard: a write is not to pay for what may not be asked for. */
  readonly #unhashed = new Set<Cell>();
  #baseTree: RowTree | undefined;

  constructor(apply: Apply<J>) {
    this.#apply = apply;
  }

  verdictOf(node: Node): FoldVerdict | undefined {
    const entry = this.#entries[this.#placeOf(node) - 1];
    return entry?.node === node ? entry.judged?.verdict : undefined;
  }

  row(tool: ToolId, table: string, key: string): Row | undefined {
    return this.#hidden.has(tool) ? undefined : this.#rows.row({ tool, table, key });
  }

  /** As all have acknowledged it, whatever was written upon that. */
  baseRow(tool: ToolId, table: string, key: string): Row | undefined {
    const place = { tool, table, key };
    const cell = this.#rows.find(place);
    return cell ? cell.base : this.#rows.row(place);
  }

  /** Reads as the rows stand now; what is put shows in this transaction alone, and nowhere else. */
  rehearsal(tool: ToolId): Transaction {
    const put = new Map<string, Row | undefined>();
    const name = (table: string, key: string) => `${table}/${key}`;
    return {
      get: (table, key) => {
        const full = name(table, key);
        return put.has(full) ? put.get(full) : this.#rows.row({ tool, table, key });
      },
      put: (table, key, row) => void put.set(name(table, key), row),
    };
  }

  /** Every row, in no order. */
  *rows(): Generator<RowChange> {
    for (const record of this.#rows.all()) if (!this.#hidden.has(record.tool)) yield record;
  }

  /** Every row of the tables of a name, also of tools that show nowhere, to be looked through while others come and go: some are told twice. */
  scan(table: string): Iterable<RowRecord> {
    return this.#rows.scan(table);
  }

  /** What tells the rows that show from those of the base as it is packed. */
  get upon(): Upon {
    return { hidden: [...this.#hidden].sort(), places: [...this.#rows.loose()] };
  }

  /** What of deleted tools is here shows nowhere. */
  hide(tools: ReadonlySet<ToolId>): void {
    const changed = [...this.#hidden, ...tools].filter((tool) => this.#hidden.has(tool) !== tools.has(tool));
    this.#hidden = tools;
    for (const tool of changed) this.#turned.add(tool);
  }

  insertAll(nodes: readonly Node[]): void {
    if (nodes.length === 0) return;
    const made = (node: Node): Entry<J> => ({ node, judged: undefined, reads: NONE, writes: NONE, isDue: true });
    const added = nodes.toSorted(compareNodes).map(made);
    const behind = this.#entries.splice(this.#placeOf(added[0]!.node));
    for (const entry of behind.length === 0 ? added : merged(added, behind)) this.#entries.push(entry);
    this.#run(added);
  }

  /** These are as if they had never come: most had no effect, and of the others it is undone. */
  withdraw(nodes: ReadonlySet<Node>): void {
    const gone = this.#entries.filter(({ node }) => nodes.has(node));
    this.#entries = this.#entries.filter(({ node }) => !nodes.has(node));
    // They are not done again for each other.
    for (const entry of gone) entry.isDue = true;
    const more = new Queue<Entry<J>>();
    for (const entry of gone) {
      for (const cell of entry.reads) cell.forgetReader(entry);
      for (const cell of entry.writes) this.#write(cell, entry, undefined, false, more);
    }
    this.#run([], more);
  }

  /** Does those again that are judged differently now, and what rests on them. */
  reconsider(differs: (node: Node, judged: J) => boolean): void {
    const due = this.#entries.filter(({ node, judged }) => !judged || differs(node, judged));
    for (const entry of due) entry.isDue = true;
    this.#run(due);
  }

  /** Rows changed since the last call, with what they hold now. */
  takeChanges(): readonly RowChange[] {
    const changes: RowChange[] = [];
    for (const { tool, table, key, row } of this.#touched)
      changes.push({ tool, table, key, row: this.#hidden.has(tool) ? undefined : row });
    for (const place of this.#untold()) {
      const { tool, table, key } = place;
      const cell = this.#rows.find(place);
      if (!cell || !this.#touched.has(cell)) changes.push({ tool, table, key, row: this.row(tool, table, key) });
    }
    this.baseIsTold();
    this.#turned.clear();
    this.#touched.clear();
    return changes;
  }

  /** What has changed as a whole: the base that has come, and tools that show now or do not any more. */
  *#untold(): Generator<RowPlace> {
    if (this.#isBaseUntold) for (const { tool } of this.#rows.packed.tools()) this.#turned.add(tool);
    for (const tool of this.#turned) yield* this.#rows.placesOf(tool);
  }

  /** Who asks for changes knows the rows of the base that was loaded. */
  baseIsTold(): void {
    this.#isBaseUntold = false;
  }

  /** Of all rows, hidden ones too (L6). */
  root(crypto: Crypto): Uint8Array {
    return this.#treeOf(crypto).root();
  }

  /** Does a share of the work that `root` will need; answers whether nothing of it is left. */
  prepareRoot(crypto: Crypto, leaves: number): boolean {
    return this.#treeOf(crypto).prepare(leaves);
  }

  #treeOf(crypto: Crypto): RowTree {
    this.#tellTree();
    return (this.#tree ??= new RowTree(crypto, this.#rows, (cell) => cell.row));
  }

  #tellTree(): void {
    for (const cell of this.#unhashed) this.#tree?.touch(cell);
    this.#unhashed.clear();
  }

  // ---- the base -----------------------------------------------------------------------------------------------------

  baseRoot(crypto: Crypto): Uint8Array {
    return (this.#baseTree ??= new RowTree(crypto, this.#rows, (cell) => cell.base)).root();
  }

  /** Rows of the base, encoded, by tool, table and key. */
  encodedBase(): Iterable<Uint8Array> {
    return this.#rows.encodedBase();
  }

  /** Rows of a base that was made elsewhere, or before, in the place of nothing. */
  load(rows: PackedRows): void {
    this.#rows.load(rows);
    this.#isBaseUntold = true;
  }

  /** The base as it stands, packed anew. */
  repack(rows: PackedRows): void {
    this.#tellTree();
    this.#rows.repack(rows);
    this.#tree?.repacked();
    this.#baseTree?.repacked();
  }

  /** Deltas that are not folded into the base, in D6 order. */
  *unstable(): Generator<Node> {
    for (const { node } of this.#entries) yield node;
  }

  /** Folds the longest beginning of which `isStable` is true into the base; answers what was folded, in D6 order. */
  absorb(isStable: (node: Node) => boolean): readonly Folded[] {
    const end = this.#entries.findIndex((entry) => !isStable(entry.node));
    const absorbed = this.#entries.splice(0, end < 0 ? this.#entries.length : end);
    const last = absorbed.at(-1);
    if (!last) return [];
    // Before any of them is dropped.
    this.#tellTree();
    const cells = new Set<Cell>();
    for (const entry of absorbed) {
      for (const cell of entry.reads) cells.add(cell);
      for (const cell of entry.writes) cells.add(cell);
    }
    for (const cell of cells) {
      cell.absorb(last);
      this.#baseTree?.touch(cell);
      if (cell.isSpare) this.#rows.drop(cell);
    }
    return absorbed.map(({ node, judged }) => ({ node, verdict: judged!.verdict }));
  }

  // ---- doing --------------------------------------------------------------------------------------------------------

  /** Behind which of them a delta stands, itself among those before. Most arrive in order: look from the end. */
  #placeOf(node: Node): number {
    let at = this.#entries.length;
    if (at === 0 || compareNodes(this.#entries[at - 1]!.node, node) <= 0) return at;
    let low = 0;
    while (low < at) {
      const middle = (low + at) >>> 1;
      if (compareNodes(this.#entries[middle]!.node, node) <= 0) low = middle + 1;
      else at = middle;
    }
    return low;
  }

  /** In D6 order: doing one may make others behind it due. */
  #run(due: readonly Entry<J>[], more = new Queue<Entry<J>>()): void {
    for (let i = 0; i < due.length || more.first;) {
      const next = due[i];
      const entry = more.first && (!next || compareNodes(more.first.node, next.node) < 0) ? more.take() : due[i++]!;
      if (!entry.isDue) continue;
      entry.isDue = false;
      this.#do(entry, more);
    }
  }

  #do(entry: Entry<J>, more: Queue<Entry<J>>): void {
    for (const cell of entry.reads) cell.forgetReader(entry);
    const before = entry.writes;
    const stage = new Stage(this.#rows, entry);
    entry.judged = this.#apply(entry.node, stage);
    entry.reads = stage.reads;
    entry.writes = stage.writes;
    for (const cell of entry.reads) cell.read(entry);
    for (let i = 0; i < entry.writes.length; i++) this.#write(entry.writes[i]!, entry, stage.rows[i], true, more);
    for (const cell of before) if (!entry.writes.includes(cell)) this.#write(cell, entry, undefined, false, more);
  }

  #write(cell: Cell, entry: Entry<J>, row: Row | undefined, stands: boolean, more: Queue<Entry<J>>): void {
    const shown = cell.row;
    for (const reader of cell.write(entry, row, stands) as readonly Entry<J>[]) {
      if (reader.isDue) continue;
      reader.isDue = true;
      more.add(reader);
    }
    if (cell.row === shown) return;
    this.#touched.add(cell);
    if (this.#tree) this.#unhashed.add(cell);
  }
}

const NONE: readonly never[] = [];

/**
 * What a delta reads at its place, and puts. It touches few rows: lists are quicker than sets. They stay with it, so one of one is made
 * as long as that: a list that grows takes room for seventeen.
 */
class Stage implements Transaction {
  reads: readonly Cell[] = NONE;
  writes: readonly Cell[] = NONE;
  /** What is put, in the order of `writes`. */
  rows: (Row | undefined)[] = [];
  readonly #all: Rows;
  readonly #entry: Entry;

  constructor(all: Rows, entry: Entry) {
    this.#all = all;
    this.#entry = entry;
  }

  get(table: string, key: string): Row | undefined {
    const cell = this.#cell(table, key);
    const at = this.writes.indexOf(cell);
    if (at >= 0) return this.rows[at];
    if (!this.reads.includes(cell)) this.reads = this.reads.length === 0 ? [cell] : [...this.reads, cell];
    return cell.before(this.#entry);
  }

  put(table: string, key: string, row: Row | undefined): void {
    const cell = this.#cell(table, key);
    const at = this.writes.indexOf(cell);
    if (at >= 0) this.rows[at] = row;
    else {
      this.writes = this.writes.length === 0 ? [cell] : [...this.writes, cell];
      this.rows = this.rows.length === 0 ? [row] : [...this.rows, row];
    }
  }

  #cell(table: string, key: string): Cell {
    return this.#all.cell(this.#entry.node.delta.tool!, table, key);
  }
}

/** Entries by D6 order, the first in front: a binary heap. */
class Queue<T extends Place> {
  readonly #heap: T[] = [];

  get first(): T | undefined {
    return this.#heap[0];
  }

  add(entry: T): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (compareNodes(heap[above]!.node, entry.node) <= 0) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = entry;
  }

  take(): T {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && compareNodes(heap[below + 1]!.node, heap[below]!.node) < 0) below++;
      if (compareNodes(last.node, heap[below]!.node) <= 0) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function merged<T extends Place>(a: readonly T[], b: readonly T[]): readonly T[] {
  const all: T[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const first = j >= b.length || (i < a.length && compareNodes(a[i]!.node, b[j]!.node) < 0);
    all.push(first ? a[i++]! : b[j++]!);
  }
  return all;
}
