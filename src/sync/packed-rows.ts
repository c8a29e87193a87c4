/**
 * Rows of a base as they stand in its stream (base.ts): encoded, sorted by tool, table and key, and read when they are asked for. So
 * a workspace of a hundred thousand items costs its bytes in memory, and opening it costs no reading of what nobody looks at.
 *
 * | item | bytes |
 * | --- | --- |
 * | length | 4, big-endian |
 * | row | CBOR of [tool 8, table, key, row]; table and key are ASCII |
 */
import { assert } from '../base/assert.ts';
import { toHex } from '../base/bytes.ts';
import type { ToolId } from '../base/ids.ts';
import { fromUtf8, toUtf8 } from '../base/utf8.ts';
import { asArray, decode, encode } from '../protocol/codec.ts';
import { MAX_MESSAGE_BYTES } from '../protocol/limits.ts';
import { idBytes, TOOL_ID_BYTES } from './delta.ts';
import type { Row } from './reducer.ts';

/** Where a row stands. */
export interface RowPlace {
  readonly tool: ToolId;
  readonly table: string;
  readonly key: string;
}

export interface RowRecord extends RowPlace {
  readonly row: Row;
}

export const ROW_LENGTH_BYTES = 4;
/** What the root is counted in (root.ts): 16 bits. */
export const LEAVES = 65_536;
const MAX_TABLE_BYTES = 64;
const MAX_KEY_BYTES = 256;
/** Of an array of four and of a byte string of 8, the heads of every row. */
const [ROW_HEAD, TOOL_HEAD] = [0x84, 0x40 + TOOL_ID_BYTES];

export function encodeRow({ tool, table, key }: RowPlace, row: Row): Uint8Array {
  return encode([idBytes(tool), table, key, row]);
}

export function comparePlaces(a: RowPlace, b: RowPlace): number {
  return compareText(a.tool, b.tool) || compareText(a.table, b.table) || compareText(a.key, b.key);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** FNV-1a over the names, folded to 16 bits. */
export function leafOf({ tool, table, key }: RowPlace): number {
  return leafUpon(hashed(hashed(FNV_BASIS, tool), table), key);
}

const FNV_BASIS = 0x811c9dc5;

function hashed(hash: number, text: string): number {
  let next = hash;
  for (let i = 0; i < text.length; i++) next = Math.imul(next ^ text.charCodeAt(i), 0x01000193);
  return next;
}

function leafUpon(hash: number, key: string): number {
  const next = hashed(hash, key);
  return ((next >>> 16) ^ next) & (LEAVES - 1);
}

/** Row numbers sorted by leaf, the leaves that there are, and where the rows of each begin. */
interface ByLeaf {
  readonly rows: Uint32Array;
  readonly leaves: Uint16Array;
  readonly begins: Uint32Array;
}

/** More than a base can hold: a leaf and a row's number are one number to sort by. */
const ROWS_OF_LEAF = 2 ** 32;
const NO_ROWS = new Uint32Array(0);

/** Rows of one table: they have all but their keys in common. */
interface Table {
  readonly tool: ToolId;
  readonly table: string;
  /** From the beginning of a row to the head of its key. */
  readonly keyAt: number;
  readonly first: number;
  end: number;
}

export class PackedRows {
  readonly #bytes: Uint8Array;
  /** Where the CBOR of each begins. */
  readonly #starts: Uint32Array;
  readonly #tables: readonly Table[];
  readonly #byName = new Map<string, Table>();
  /** Made when first asked for. */
  #byLeaf: ByLeaf | undefined;

  private constructor(bytes: Uint8Array, starts: Uint32Array, tables: readonly Table[]) {
    this.#bytes = bytes;
    this.#starts = starts;
    this.#tables = tables;
    for (const table of tables) this.#byName.set(`${table.tool}/${table.table}`, table);
  }

  static readonly none = new PackedRows(new Uint8Array(0), new Uint32Array(0), []);

  /**
   * The last `count` items of a stream, from `at`. Undefined where that is not what stands there, or not in their order, each once.
   * What a row holds is not looked at. The bytes are kept, and must not change.
   */
  static read(bytes: Uint8Array, at: number, count: number): PackedRows | undefined {
    // Each is as long as its length and its heads at least: a count cannot promise more than is there.
    if (count > (bytes.length - at) / ROW_LENGTH_BYTES) return undefined;
    const starts = new Uint32Array(count);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const tables: Table[] = [];
    let next = at;
    let key: Span = [0, 0];
    for (let n = 0; n < count; n++) {
      const start = next + ROW_LENGTH_BYTES;
      if (start > bytes.length) return undefined;
      next = start + view.getUint32(start - ROW_LENGTH_BYTES);
      if (next > bytes.length || next - start > MAX_MESSAGE_BYTES) return undefined;
      starts[n] = start;
      const last = tables.at(-1);
      const isNext = last !== undefined && hasHeads(bytes, start, next, starts[n - 1]!, last.keyAt);
      const table = isNext ? last : readTable(bytes, start, next, n);
      if (!table || (last && !isNext && comparePlaces({ ...last, key: '' }, { ...table, key: '' }) >= 0))
        return undefined;
      const ownKey = keyIn(bytes, start + table.keyAt);
      if (!ownKey || ownKey[1] >= next || !isAscii(bytes, ownKey)) return undefined;
      if (isNext && compareBytes(bytes, key[0], key[1], bytes, ownKey[0], ownKey[1]) >= 0) return undefined;
      key = ownKey;
      table.end = n + 1;
      if (!isNext) tables.push(table);
    }
    return next === bytes.length ? new PackedRows(bytes, starts, tables) : undefined;
  }

  get size(): number {
    return this.#starts.length;
  }

  /** The row of a sound pack. */
  row({ tool, table, key }: RowPlace): Row | undefined {
    if (this.size === 0) return undefined;
    const within = this.#byName.get(`${tool}/${table}`);
    const number = within && this.#numberOf(within, toUtf8(key));
    return number === undefined ? undefined : this.#mustRead(number);
  }

  placeOf(number: number): RowPlace {
    const { tool, table, keyAt } = this.#tableOf(number);
    const [from, end] = keyIn(this.#bytes, this.#starts[number]! + keyAt)!;
    return { tool, table, key: fromUtf8(this.#bytes.subarray(from, end))! };
  }

  /** What it holds, as it stands. */
  encoded(number: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[number], this.#endOf(number));
  }

  /** Undefined where it cannot be read. */
  at(number: number): RowRecord | undefined {
    const row = this.#read(number);
    return row && { ...this.placeOf(number), row };
  }

  /** Rows of every tool's table of a name; what else there is is not read. */
  *inTables(name: string): Generator<RowRecord> {
    for (const { table, first, end } of this.#tables)
      for (let n = first; table === name && n < end; n++) yield this.at(n)!;
  }

  /** Numbers of the rows of each tool. */
  *tools(): Generator<{ readonly tool: ToolId; readonly first: number; readonly end: number }> {
    for (let i = 0; i < this.#tables.length;) {
      const { tool, first } = this.#tables[i]!;
      while (this.#tables[i]?.tool === tool) i++;
      yield { tool, first, end: this.#tables[i - 1]!.end };
    }
  }

  /** Leaves in which there is a row, ascending: of a small base a few of all that could be. */
  leaves(): Iterable<number> {
    return (this.#byLeaf ??= this.#sortByLeaf()).leaves;
  }

  /** Numbers of the rows in a leaf, in their order. */
  inLeaf(leaf: number): Uint32Array {
    const { rows, leaves, begins } = (this.#byLeaf ??= this.#sortByLeaf());
    const at = placeIn(leaves, leaf);
    return leaves[at] === leaf ? rows.subarray(begins[at], begins[at + 1]) : NO_ROWS;
  }

  #sortByLeaf(): ByLeaf {
    const keys = new Float64Array(this.size);
    for (const { tool, table, first, end } of this.#tables) {
      const hash = hashed(hashed(FNV_BASIS, tool), table);
      for (let n = first; n < end; n++) keys[n] = leafUpon(hash, this.placeOf(n).key) * ROWS_OF_LEAF + n;
    }
    keys.sort();
    const rows = Uint32Array.from(keys, (key) => key % ROWS_OF_LEAF);
    const leaves: number[] = [];
    const begins: number[] = [];
    for (let at = 0; at < keys.length; at++) {
      const leaf = Math.floor(keys[at]! / ROWS_OF_LEAF);
      if (leaf === leaves.at(-1)) continue;
      leaves.push(leaf);
      begins.push(at);
    }
    return { rows, leaves: Uint16Array.from(leaves), begins: Uint32Array.from([...begins, keys.length]) };
  }

  #tableOf(number: number): Table {
    // There are as many as tools have tables: few.
    return this.#tables.find(({ end }) => number < end)!;
  }

  #numberOf({ first, end, keyAt }: Table, key: Uint8Array): number | undefined {
    let [low, high] = [first, end];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const [from, to] = keyIn(this.#bytes, this.#starts[middle]! + keyAt)!;
      const order = compareBytes(this.#bytes, from, to, key, 0, key.length);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  #endOf(number: number): number {
    const next = this.#starts[number + 1];
    return next === undefined ? this.#bytes.length : next - ROW_LENGTH_BYTES;
  }

  /** A copy: one row that is kept must not keep all. */
  #read(number: number): Row | undefined {
    const decoded = decode(this.encoded(number));
    return asArray(decoded.ok ? asArray(decoded.value, 4)?.[3] : undefined, 0, MAX_MESSAGE_BYTES);
  }

  #mustRead(number: number): Row {
    const row = this.#read(number);
    assert(row !== undefined, 'what a pack holds was written here, or has been looked at');
    return row;
  }
}

/** Where a leaf stands among these, or would. */
function placeIn(leaves: Uint16Array, leaf: number): number {
  let [low, high] = [0, leaves.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (leaves[middle]! < leaf) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a row, from `start` to `end`, has the same before its key as one before it. */
function hasHeads(bytes: Uint8Array, start: number, end: number, before: number, keyAt: number): boolean {
  if (start + keyAt >= end) return false;
  for (let i = 0; i < keyAt; i++) if (bytes[start + i] !== bytes[before + i]) return false;
  return true;
}

/** What a row that begins a table says of it. */
function readTable(bytes: Uint8Array, start: number, end: number, first: number): Table | undefined {
  const tableAt = start + 2 + TOOL_ID_BYTES;
  if (tableAt >= end || bytes[start] !== ROW_HEAD || bytes[start + 1] !== TOOL_HEAD) return undefined;
  const table = textIn(bytes, tableAt, MAX_TABLE_BYTES);
  if (!table || table[1] >= end || !isAscii(bytes, table)) return undefined;
  return {
    tool: toHex(bytes.subarray(start + 2, tableAt)) as ToolId,
    table: fromUtf8(bytes.subarray(table[0], table[1]))!,
    keyAt: table[1] - start,
    first,
    end: first + 1,
  };
}

type Span = readonly [from: number, end: number];

function isAscii(bytes: Uint8Array, [from, end]: Span): boolean {
  for (let i = from; i < end; i++) if (bytes[i]! >= 0x80) return false;
  return true;
}

const keyIn = (bytes: Uint8Array, at: number) => textIn(bytes, at, MAX_KEY_BYTES);

/** Where a text whose head stands at `at` begins and ends. */
function textIn(bytes: Uint8Array, at: number, maxBytes: number): Span | undefined {
  const head = bytes[at] ?? 0;
  let [start, length] = [at + 1, head - 0x60];
  if (head === 0x78) [start, length] = [at + 2, bytes[at + 1] ?? 0];
  if (head === 0x79) [start, length] = [at + 3, (bytes[at + 1] ?? 0) * 256 + (bytes[at + 2] ?? 0)];
  const isShortest = start === at + 1 ? length >= 0 && length < 24 : length >= (start === at + 2 ? 24 : 256);
  const end = start + length;
  return isShortest && length <= maxBytes && end <= bytes.length ? [start, end] : undefined;
}

function compareBytes(a: Uint8Array, aFrom: number, aEnd: number, b: Uint8Array, bFrom: number, bEnd: number): number {
  const length = Math.min(aEnd - aFrom, bEnd - bFrom);
  for (let i = 0; i < length; i++) {
    const difference = a[aFrom + i]! - b[bFrom + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aFrom - (bEnd - bFrom);
}
