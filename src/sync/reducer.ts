/**
 * What a tool gives the engine: a pure function over a small transaction (ARCHITECTURE, *Reducers and rows*).
 * Rows are canonical codec values; a tool reads and writes them through its own typed shapes.
 */
import type { AccountId } from '../base/ids.ts';
import type { Value } from '../protocol/codec.ts';
import type { Node } from './graph.ts';
import type { Action } from './permissions.ts';

export type Row = readonly Value[];

export interface Transaction {
  get(table: string, key: string): Row | undefined;
  /** Undefined deletes. */
  put(table: string, key: string, row: Row | undefined): void;
}

export interface Context {
  /** The author's account. */
  readonly author: AccountId;
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
}
