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
import { comparePlaces, encodeRow, leafOf, LEAVES, type RowPlace } from './packed-rows.ts';
import type { Row } from './reducer.ts';
import type { Cell, Rows } from './rows.ts';

const FAN = 256;
const HASH_BYTES = 32;

interface Encoded {
  readonly place: RowPlace;
  readonly bytes: Uint8Array;
}

export class RowTree {
  readonly #crypto: Crypto;
  readonly #rows: Rows;
  /** Of a row that has a cell. */
  readonly #valueOf: (cell: Cell) => Row | undefined;
  /** Cells whose row is not in the pack, by leaf. */
  #loose = new Map<number, Set<Cell>>();
  /** Hashes of leaves, by branch and place in it: a small workspace has few of either. */
  readonly #leaves = new Map<number, Map<number, Uint8Array>>();
  readonly #branches = new Map<number, Uint8Array>();
  /** Leaves that are not as they were hashed. */
  readonly #stale = new Set<number>();
  /** Branches of which a leaf was hashed since they were. */
  readonly #staleBranches = new Set<number>();
  #root: Uint8Array | undefined;

  constructor(crypto: Crypto, rows: Rows, valueOf: (cell: Cell) => Row | undefined) {
    this.#crypto = crypto;
    this.#rows = rows;
    this.#valueOf = valueOf;
    for (const leaf of rows.packed.leaves()) this.#stale.add(leaf);
    for (const cell of rows.cells()) this.touch(cell);
  }

  /** A row that has a cell has come, changed or gone. */
  touch(cell: Cell): void {
    const leaf = leafOf(cell);
    this.#stale.add(leaf);
    this.#root = undefined;
    if (cell.packed !== undefined) return;
    const loose = this.#loose.get(leaf);
    if (loose) loose.add(cell);
    else this.#loose.set(leaf, new Set([cell]));
  }

  /** The same rows, of which others are in the pack. */
  repacked(): void {
    this.#loose = new Map();
    const stale = new Set(this.#stale);
    const root = this.#root;
    for (const cell of this.#rows.cells()) this.touch(cell);
    // Nothing has changed but where it is kept.
    this.#stale.clear();
    for (const leaf of stale) this.#stale.add(leaf);
    this.#root = root;
  }

  root(): Uint8Array {
    if (this.#root) return this.#root;
    this.prepare(LEAVES);
    for (const branch of this.#staleBranches) this.#hashBranch(branch);
    this.#staleBranches.clear();
    return (this.#root = this.#hashChildren(this.#branches));
  }

  /** Hashes so many of the leaves that are stale, so that nobody has to wait for all of them; answers whether none is any more. */
  prepare(leaves: number): boolean {
    let left = leaves;
    for (const leaf of this.#stale) {
      if (left-- === 0) return false;
      this.#hashLeaf(leaf);
      this.#stale.delete(leaf);
      this.#staleBranches.add(Math.floor(leaf / FAN));
    }
    return true;
  }

  #hashLeaf(leaf: number): void {
    const rows = this.#rowsIn(leaf);
    const [branch, at] = [Math.floor(leaf / FAN), leaf % FAN];
    const leaves = this.#leaves.get(branch) ?? new Map<number, Uint8Array>();
    this.#leaves.set(branch, leaves);
    if (rows.length === 0) leaves.delete(at);
    else leaves.set(at, this.#crypto.sha256(rows.length === 1 ? rows[0]!.bytes : joinBytes(rows.map(bytesOf))));
  }

  #rowsIn(leaf: number): readonly Encoded[] {
    const rows: Encoded[] = [];
    const { packed } = this.#rows;
    for (const number of packed.inLeaf(leaf)) {
      const place = packed.placeOf(number);
      const cell = this.#rows.find(place);
      const bytes = cell ? this.#encoded(cell) : packed.encoded(number);
      if (bytes) rows.push({ place, bytes });
    }
    for (const cell of this.#loose.get(leaf) ?? []) {
      const bytes = this.#encoded(cell);
      if (bytes) rows.push({ place: cell, bytes });
      else this.#loose.get(leaf)!.delete(cell);
    }
    return rows.length < 2 ? rows : rows.sort((a, b) => comparePlaces(a.place, b.place));
  }

  #encoded(cell: Cell): Uint8Array | undefined {
    const row = this.#valueOf(cell);
    return row && encodeRow(cell, row);
  }

  #hashBranch(branch: number): void {
    const leaves = this.#leaves.get(branch);
    if (!leaves || leaves.size === 0) this.#branches.delete(branch);
    else this.#branches.set(branch, this.#hashChildren(leaves));
  }

  #hashChildren(children: ReadonlyMap<number, Uint8Array>): Uint8Array {
    const sorted = [...children].sort(([a], [b]) => a - b);
    const bytes = new Uint8Array(sorted.length * (1 + HASH_BYTES));
    for (const [i, [number, hash]] of sorted.entries()) {
      bytes[i * (1 + HASH_BYTES)] = number;
      bytes.set(hash, i * (1 + HASH_BYTES) + 1);
    }
    return this.#crypto.sha256(bytes);
  }
}

const bytesOf = ({ bytes }: Encoded): Uint8Array => bytes;
