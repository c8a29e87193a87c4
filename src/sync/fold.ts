/**
 * State = the re-fold of the content deltas in D6 order (L5). A delta that arrives late, or a verdict that changes, takes
 * back what stands behind its place and applies it again, so every replica with the same set has the same rows.
 */
import type { DeltaId, ToolId } from '../base/ids.ts';
import { compareNodes, type Node } from './graph.ts';
import type { ContentVoid, Row, Transaction } from './reducer.ts';
import type { VoidReason } from './authority.ts';

export type FoldVerdict = 'applied' | ContentVoid | VoidReason | 'unknownTool';

/** Applies one delta through its tool's reducer: judged, then reduced. */
export type Apply = (node: Node, transaction: Transaction) => FoldVerdict;

interface Entry {
  readonly node: Node;
  verdict: FoldVerdict;
  /** What each row held before, in the order of the puts. */
  undo: { readonly key: string; readonly before: Row | undefined }[];
}

export interface RowChange {
  readonly tool: ToolId;
  readonly table: string;
  readonly key: string;
  readonly row: Row | undefined;
}

const SEPARATOR = '\u0000';

export class Fold {
  readonly #apply: Apply;
  readonly #entries: Entry[] = [];
  readonly #verdicts = new Map<DeltaId, Entry>();
  readonly #rows = new Map<string, Row>();
  readonly #touched = new Set<string>();

  constructor(apply: Apply) {
    this.#apply = apply;
  }

  verdictOf(id: DeltaId): FoldVerdict | undefined {
    return this.#verdicts.get(id)?.verdict;
  }

  row(tool: ToolId, table: string, key: string): Row | undefined {
    return this.#rows.get(rowKey(tool, table, key));
  }

  /** Reads as the rows stand now; what is put shows in this transaction alone, and nowhere else. */
  rehearsal(tool: ToolId): Transaction {
    const put = new Map<string, Row | undefined>();
    return {
      get: (table, key) => {
        const full = rowKey(tool, table, key);
        return put.has(full) ? put.get(full) : this.#rows.get(full);
      },
      put: (table, key, row) => void put.set(rowKey(tool, table, key), row),
    };
  }

  /** Every row, in no order. */
  *rows(): Generator<RowChange> {
    for (const [key, row] of this.#rows) yield { ...splitKey(key), row };
  }

  /** Takes back once for all of them, from the place of the first. */
  insertAll(nodes: readonly Node[]): void {
    const added = nodes.toSorted(compareNodes).map((node): Entry => ({ node, verdict: 'applied', undo: [] }));
    if (added.length === 0) return;
    const behind = this.#takeBack(this.#placeOf(added[0]!.node));
    this.#applyAll(behind.length === 0 ? added : merged(added, behind));
  }

  /** Applies everything again, from the first delta that is judged differently now. */
  reconsider(differs: (node: Node) => boolean): void {
    const first = this.#entries.findIndex((entry) => differs(entry.node));
    if (first >= 0) this.#applyAll(this.#takeBack(first));
  }

  /** Rows changed since the last call, with what they hold now. */
  takeChanges(): readonly RowChange[] {
    const changes = [...this.#touched].map((key) => ({ ...splitKey(key), row: this.#rows.get(key) }));
    this.#touched.clear();
    return changes;
  }

  /** Most deltas arrive in order: look from the end. */
  #placeOf(node: Node): number {
    let at = this.#entries.length;
    while (at > 0 && compareNodes(this.#entries[at - 1]!.node, node) > 0) at--;
    return at;
  }

  #takeBack(from: number): Entry[] {
    const taken = this.#entries.splice(from);
    for (const entry of taken.toReversed()) {
      for (const { key, before } of entry.undo.toReversed()) this.#set(key, before);
      entry.undo = [];
    }
    return taken;
  }

  #applyAll(entries: readonly Entry[]): void {
    for (const entry of entries) {
      entry.verdict = this.#apply(entry.node, this.#transactionOf(entry));
      this.#entries.push(entry);
      this.#verdicts.set(entry.node.delta.id, entry);
    }
  }

  #transactionOf(entry: Entry): Transaction {
    const tool = entry.node.delta.tool!;
    return {
      get: (table, key) => this.#rows.get(rowKey(tool, table, key)),
      put: (table, key, row) => {
        const full = rowKey(tool, table, key);
        entry.undo.push({ key: full, before: this.#rows.get(full) });
        this.#set(full, row);
      },
    };
  }

  #set(key: string, row: Row | undefined): void {
    if (row === undefined) this.#rows.delete(key);
    else this.#rows.set(key, row);
    this.#touched.add(key);
  }
}

function merged(a: readonly Entry[], b: readonly Entry[]): readonly Entry[] {
  const all: Entry[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const first = j >= b.length || (i < a.length && compareNodes(a[i]!.node, b[j]!.node) < 0);
    all.push(first ? a[i++]! : b[j++]!);
  }
  return all;
}

function rowKey(tool: ToolId, table: string, key: string): string {
  return tool + SEPARATOR + table + SEPARATOR + key;
}

function splitKey(full: string): { tool: ToolId; table: string; key: string } {
  const [tool, table, key] = full.split(SEPARATOR) as [ToolId, string, string];
  return { tool, table, key };
}
