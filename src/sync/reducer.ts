/**
 * What a tool gives the engine: a pure function over a small transaction (ARCHITECTURE, *Reducers and rows*).
 * Rows are canonical codec values; a tool reads and writes them through its own typed shapes.
 */
import type { AccountId } from '../base/ids.ts';
import type { Value } from '../protocol/codec.ts';
import type { Node } from './graph.ts';
import type { Action } from './permissions.ts';

export type Row = readonly Value[];

export interface PlacedRow {
  readonly table: string;
  readonly key: string;
  readonly row: Row;
}

export interface Transaction {
  get(table: string, key: string): Row | undefined;
  /** Undefined deletes. */
  put(table: string, key: string, row: Row | undefined): void;
}

export interface Context {
  /** The author's account. */
  readonly author: AccountId;
  /** The same as it stands in rows: one for all of his, which must not change. */
  readonly authorBytes: Uint8Array;
  can(action: Action): boolean;
}

/** Why a content delta has no effect (D9). */
export type ContentVoid = 'malformed' | 'notPermitted' | 'noTarget';

export interface Reducer {
  /** Which kind of tool it is for. */
  readonly kind: string;
  /** Kinds of deltas it knows; another one is of a newer version (D10). */
  readonly kinds: readonly string[];
  /** Applies a delta; answers why it is void, having put nothing, where it is. */
  apply(transaction: Transaction, node: Node, context: Context): ContentVoid | undefined;
  /**
   * Whether `apply` could have put this there, by what stands in it: asked of every row that another member gives (L6) before it is
   * put. The tool's own readers, which trust rows, may have it then.
   */
  isRow(table: string, key: string, row: Value): boolean;
  /** Whether all rows of one tool, each of which `isRow`, hang together: whoever follows what they name ends, and finds it. */
  hangTogether(rows: Iterable<PlacedRow>): boolean;
}
