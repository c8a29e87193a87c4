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
  readonly #leaves = new Map<number, Uint8Array>();
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
    for (let leaf = 0; leaf < LEAVES; leaf++) if (rows.packed.inLeaf(leaf).length > 0) this.#stale.add(leaf);
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
    return (this.#root = this.#hashChildren([...this.#branches]));
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
    if (rows.length === 0) this.#leaves.delete(leaf);
    else this.#leaves.set(leaf, this.#crypto.sha256(joinBytes(rows.map(({ bytes }) => bytes))));
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
    const leaves: [number, Uint8Array][] = [];
    for (let at = 0; at < FAN; at++) {
      const hash = this.#leaves.get(branch * FAN + at);
      if (hash) leaves.push([at, hash]);
    }
    if (leaves.length === 0) this.#branches.delete(branch);
    else this.#branches.set(branch, this.#hashChildren(leaves));
  }

  #hashChildren(children: readonly (readonly [number, Uint8Array])[]): Uint8Array {
    const sorted = [...children].sort(([a], [b]) => a - b);
    return this.#crypto.sha256(joinBytes(sorted.flatMap(([number, hash]) => [Uint8Array.of(number), hash])));
  }
}
