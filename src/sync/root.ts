/**
 * The root of a workspace's rows (L6): what two replicas with the same deltas agree on, and the alarm where they do not. A
 * tree of two levels over the canonical rows, of which only what has changed is hashed again:
 *
 * | hash | SHA-256 over |
 * | --- | --- |
 * | leaf bucket | [tool 8, table, key, row] of each row in it, in CBOR, sorted by tool, table and key |
 * | bucket | number (one byte) and hash of each leaf bucket of it that is not empty |
 * | root | number and hash of each bucket that is not empty |
 *
 * A row belongs to the leaf bucket that 16 bits of FNV-1a over its tool, table and key name: the upper 8 the bucket.
 */
import { joinBytes } from '../base/bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { encode } from '../protocol/codec.ts';
import { idBytes } from './delta.ts';
import type { Row } from './reducer.ts';
import type { Cell } from './rows.ts';

const FAN = 256;

interface Leaf {
  readonly cells: Set<Cell>;
  hash: Uint8Array | undefined;
}

interface Branch {
  readonly leaves: Map<number, Leaf>;
  hash: Uint8Array | undefined;
}

export class RowTree {
  readonly #crypto: Crypto;
  readonly #valueOf: (cell: Cell) => Row | undefined;
  readonly #branches = new Map<number, Branch>();
  readonly #stale = new Set<Branch>();
  #root: Uint8Array | undefined;

  constructor(crypto: Crypto, valueOf: (cell: Cell) => Row | undefined) {
    this.#crypto = crypto;
    this.#valueOf = valueOf;
  }

  /** A row has come, changed or gone. */
  touch(cell: Cell): void {
    const place = placeOf(cell);
    const branch: Branch = this.#branches.get(place >>> 8) ?? { leaves: new Map<number, Leaf>(), hash: undefined };
    this.#branches.set(place >>> 8, branch);
    const leaf: Leaf = branch.leaves.get(place % FAN) ?? { cells: new Set<Cell>(), hash: undefined };
    branch.leaves.set(place % FAN, leaf);
    if (this.#valueOf(cell) === undefined) leaf.cells.delete(cell);
    else leaf.cells.add(cell);
    leaf.hash = undefined;
    branch.hash = undefined;
    this.#root = undefined;
    this.#stale.add(branch);
  }

  root(): Uint8Array {
    for (const branch of this.#stale) {
      for (const [number, leaf] of branch.leaves) {
        if (leaf.cells.size === 0) branch.leaves.delete(number);
        else leaf.hash ??= this.#hashRows(leaf.cells);
      }
      branch.hash = this.#hashChildren(branch.leaves);
    }
    this.#stale.clear();
    for (const [number, branch] of this.#branches) if (branch.leaves.size === 0) this.#branches.delete(number);
    return (this.#root ??= this.#hashChildren(this.#branches));
  }

  #hashRows(cells: ReadonlySet<Cell>): Uint8Array {
    const sorted = cells.size === 1 ? cells : [...cells].sort(compareCells);
    const rows: Uint8Array[] = [];
    for (const cell of sorted) rows.push(encodeRow(cell, this.#valueOf(cell)!));
    return this.#crypto.sha256(joinBytes(rows));
  }

  #hashChildren(children: ReadonlyMap<number, { readonly hash: Uint8Array | undefined }>): Uint8Array {
    const numbers = [...children.keys()].sort((a, b) => a - b);
    return this.#crypto.sha256(
      joinBytes(numbers.flatMap((number) => [Uint8Array.of(number), children.get(number)!.hash!])),
    );
  }
}

export function encodeRow({ tool, table, key }: Cell, row: Row): Uint8Array {
  return encode([idBytes(tool), table, key, row]);
}

export function compareCells(a: Cell, b: Cell): number {
  return compareText(a.tool, b.tool) || compareText(a.table, b.table) || compareText(a.key, b.key);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function placeOf({ tool, table, key }: Cell): number {
  let hash = 0x811c9dc5;
  for (const text of [tool, table, key]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return ((hash >>> 16) ^ hash) & 0xffff;
}
