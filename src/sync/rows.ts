/**
 * The rows of a workspace while the order of the deltas behind them may still change. Each row has a base value, which all
 * have acknowledged, and above it what each unstable delta put, in D6 order; it remembers who read it, too. So one that comes
 * late is done in its place, and of those behind it only they are done again that read what it changed (L5).
 *
 * A row has a cell while an unstable delta has read or put it, or the base has changed in it since it was packed; else it is in the
 * pack (packed-rows.ts) alone.
 */
import type { ToolId } from '../base/ids.ts';
import { compareNodes, type Node } from './graph.ts';
import { comparePlaces, encodeRow, PackedRows, type RowPlace, type RowRecord } from './packed-rows.ts';
import type { Row } from './reducer.ts';

/** A delta at its place in the order, as rows know it. */
export interface Place {
  readonly node: Node;
}

interface Written {
  readonly place: Place;
  readonly row: Row | undefined;
}

const NONE: readonly never[] = [];

export class Cell {
  readonly tool: ToolId;
  readonly table: string;
  readonly key: string;
  base: Row | undefined;
  /** What the pack has in its place; it is the base itself as long as that has not changed. */
  packed: Row | undefined;
  /** What is put above the base, in D6 order. */
  #written: Written[] | undefined;
  #readers: Place[] | undefined;

  constructor({ tool, table, key }: RowPlace, packed?: Row) {
    this.tool = tool;
    this.table = table;
    this.key = key;
    this.base = packed;
    this.packed = packed;
  }

  get row(): Row | undefined {
    const written = this.#written;
    return written === undefined || written.length === 0 ? this.base : written[written.length - 1]!.row;
  }

  /** It says no more than the pack, and nobody has looked. */
  get isSpare(): boolean {
    return this.base === this.packed && !this.#written?.length && !this.#readers?.length;
  }

  /** What a delta at this place finds. */
  before(place: Place): Row | undefined {
    const at = placeIn(this.#written ?? NONE, place, placeOfWritten);
    return at === 0 ? this.base : this.#written![at - 1]!.row;
  }

  read(place: Place): void {
    const readers = this.#readers;
    if (!readers) {
      this.#readers = [place];
      return;
    }
    readers.splice(placeIn(readers, place, itself), 0, place);
  }

  forgetReader(place: Place): void {
    const at = placeIn(this.#readers ?? NONE, place, itself);
    if (this.#readers?.[at] === place) this.#readers.splice(at, 1);
  }

  /** Puts what a delta says now, or takes back what it said; answers who has read what was there in between. */
  write(place: Place, row: Row | undefined, stands: boolean): readonly Place[] {
    if (!this.#written && stands) {
      // Of most rows the only one: a list that grows takes room for seventeen.
      this.#written = [{ place, row }];
      return sameRow(this.base, row) ? NONE : this.#readersUpTo(place, undefined);
    }
    const written = (this.#written ??= []);
    const at = placeIn(written, place, placeOfWritten);
    const known = written[at]?.place === place ? written[at] : undefined;
    const before = known ? known.row : at === 0 ? this.base : written[at - 1]!.row;
    if (stands) written.splice(at, known ? 1 : 0, { place, row });
    else if (known) written.splice(at, 1);
    const now = stands ? row : at === 0 ? this.base : written[at - 1]!.row;
    if (sameRow(before, now)) return NONE;
    return this.#readersUpTo(place, written[stands ? at + 1 : at]?.place);
  }

  #readersUpTo(from: Place, next: Place | undefined): readonly Place[] {
    const readers = this.#readers;
    if (!readers || readers.length === 0) return NONE;
    let first = placeIn(readers, from, itself);
    if (readers[first] === from) first++;
    let end = readers.length;
    if (next) {
      end = placeIn(readers, next, itself);
      if (readers[end] === next) end++;
    }
    return first >= end ? NONE : readers.slice(first, end);
  }

  /** What was put at or before this place is the base now. */
  absorb(last: Place): void {
    const upTo = (list: readonly { readonly node: Node }[]) => {
      const at = placeIn(list, last, itself);
      return list[at] === last ? at + 1 : at;
    };
    if (this.#readers) this.#readers.splice(0, upTo(this.#readers));
    if (!this.#written) return;
    const at = placeIn(this.#written, last, placeOfWritten);
    const absorbed = this.#written.splice(0, this.#written[at]?.place === last ? at + 1 : at);
    if (absorbed.length > 0) this.base = absorbed.at(-1)!.row;
    if (this.#written.length === 0) this.#written = undefined;
    if (this.#readers?.length === 0) this.#readers = undefined;
  }
}

const itself = (place: Place): Place => place;
const placeOfWritten = ({ place }: Written): Place => place;

/** Where a place stands, or would: most are at the end. */
function placeIn<T>(list: readonly T[], place: Place, of: (one: T) => Place): number {
  let high = list.length;
  if (high === 0 || compareNodes(of(list[high - 1]!).node, place.node) < 0) return high;
  let low = 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareNodes(of(list[middle]!).node, place.node) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function sameRow(a: Row | undefined, b: Row | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && sameValue(a, b));
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  }
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((one, i) => sameValue(one, b[i]));
}

/** All rows, by tool, table and key. */
export class Rows {
  readonly #tools = new Map<ToolId, Map<string, Map<string, Cell>>>();
  #packed = PackedRows.none;

  get packed(): PackedRows {
    return this.#packed;
  }

  row(place: RowPlace): Row | undefined {
    const cell = this.find(place);
    return cell ? cell.row : this.#packed.row(place);
  }

  find({ tool, table, key }: RowPlace): Cell | undefined {
    return this.#tools.get(tool)?.get(table)?.get(key);
  }

  /** Made where it is not there: who reads it is to be told when it comes. */
  cell(tool: ToolId, table: string, key: string): Cell {
    let tables = this.#tools.get(tool);
    if (!tables) this.#tools.set(tool, (tables = new Map<string, Map<string, Cell>>()));
    let cells = tables.get(table);
    if (!cells) tables.set(table, (cells = new Map<string, Cell>()));
    let cell = cells.get(key);
    if (!cell) {
      const place = { tool, table, key };
      cells.set(key, (cell = new Cell(place, this.#packed.row(place))));
    }
    return cell;
  }

  /** What a spare cell says the pack says. */
  drop({ tool, table, key }: Cell): void {
    this.#tools.get(tool)?.get(table)?.delete(key);
  }

  *cells(): Generator<Cell> {
    for (const tables of this.#tools.values()) for (const cells of tables.values()) yield* cells.values();
  }

  /** Every row there is, in no order. */
  *all(): Generator<RowRecord> {
    for (const cell of this.cells()) {
      const { tool, table, key, row } = cell;
      if (row !== undefined) yield { tool, table, key, row };
    }
    for (let n = 0; n < this.#packed.size; n++) if (!this.find(this.#packed.placeOf(n))) yield this.#packed.at(n)!;
  }

  /** Every place of one tool in which something is, or was. */
  *placesOf(tool: ToolId): Generator<RowPlace> {
    for (const cells of this.#tools.get(tool)?.values() ?? []) yield* cells.values();
    for (const { tool: packed, first, end } of this.#packed.tools()) {
      if (packed !== tool) continue;
      for (let n = first; n < end; n++) {
        const place = this.#packed.placeOf(n);
        if (!this.find(place)) yield place;
      }
    }
  }

  /** Of what is not as it is packed. */
  *loose(): Generator<RowPlace> {
    for (const cell of this.cells()) {
      const { tool, table, key } = cell;
      if (!cell.isSpare) yield { tool, table, key };
    }
  }

  /**
   * Every row of the base as it is packed, and every one that has a cell, of the tables of a name: some are told twice, none is left out
   * whatever comes meanwhile.
   */
  *scan(name: string): Generator<RowRecord> {
    yield* this.#packed.inTables(name);
    for (const { tool, table, key, row } of this.cells())
      if (table === name && row !== undefined) yield { tool, table, key, row };
  }

  // ---- the base ---------------------------------------------------------------------------------------------------------

  /** Encoded rows of the base, in their order. */
  *encodedBase(): Generator<Uint8Array> {
    const loose = [...this.cells()].filter(({ base, packed }) => base !== undefined && packed === undefined);
    loose.sort(comparePlaces);
    let next = 0;
    for (let n = 0; n < this.#packed.size; n++) {
      const place = this.#packed.placeOf(n);
      for (let cell = loose[next]; cell && comparePlaces(cell, place) < 0; cell = loose[++next])
        yield encodeRow(cell, cell.base!);
      const cell = this.find(place);
      if (!cell || cell.base === cell.packed) yield this.#packed.encoded(n);
      else if (cell.base !== undefined) yield encodeRow(cell, cell.base);
    }
    for (const cell of loose.slice(next)) yield encodeRow(cell, cell.base!);
  }

  /** The base of a copy that begins with one. */
  load(packed: PackedRows): void {
    this.#packed = packed;
  }

  /** The base as it stands, packed anew: what of it only cells said is not said twice. */
  repack(packed: PackedRows): void {
    this.#packed = packed;
    for (const cell of [...this.cells()]) {
      cell.packed = cell.base;
      if (cell.isSpare) this.drop(cell);
    }
  }
}
