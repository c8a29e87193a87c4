/**
 * A base (L6): the state of a workspace at a cut that all have acknowledged, to start from without what is folded in it. It is
 * one stream of items, each with its length (4 bytes, big-endian) before its CBOR, cut into parts of 64 KiB:
 *
 * | item | is |
 * | --- | --- |
 * | head | [format, workspace 32, last of what is folded (D6): height, id 0 or 32; number of lanes, places, control deltas, rows] |
 * | lane | [device 32, generation, parent + 1 or 0, first seq, first id 0 or 32, cut, closed, id at the cut 0 or 32, its height, its past] |
 * | place | [lane, seq, id 32, height, past]: of a folded delta that is not the end of its lane, and that something after the cut names |
 * | control delta | [lane, delta bytes, height, past] |
 * | row | [tool 8, table, key, row] |
 *
 * A base of nothing is a head alone, with no end and no counts: of a copy in which nothing is folded (L6).
 *
 * closed = [] or, where a later feed of the device is folded too, [named, seen] (generations.ts). past = [lane, seq, lane, seq …], by rising lane. Lanes (lane.ts) are sorted by device, generation, first seq and first id,
 * places by lane and seq, control deltas in D6 order, rows by tool, table and key: the same cut before the same tail is the same
 * base, whoever writes it, so a copy may be taken from several. Control deltas stay whole; of what is folded nothing new names
 * anything but the end of a lane.
 *
 * root = SHA-256("coterie base " and the format ‖ root of the rows (root.ts) ‖ SHA-256 of the frame), where the frame is the CBOR of
 * [end, lanes, places, [lane, delta id 32, height, past] of each control delta].
 */
import { assert } from '../base/assert.ts';
import { equalBytes, joinBytes, joinInPlace, toHex } from '../base/bytes.ts';
import { domain, FORMAT } from '../base/format.ts';
import type { DeltaId, DeviceId, WorkspaceId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts';
import { asArray, asBytes, asCount, decode, encode, type Value } from '../protocol/codec.ts';
import {
  MAX_BASE_CONTROLS,
  MAX_BASE_LANES,
  MAX_BASE_PART_BYTES,
  MAX_BASE_PARTS,
  MAX_BASE_PAST_NUMBERS,
  MAX_BASE_PLACES,
  MAX_BASE_ROWS,
  MAX_DELTA_BYTES,
  MAX_FEED_GENERATION,
  MAX_MESSAGE_BYTES,
} from '../protocol/limits.ts';
import type { CutAndRoot } from './control.ts';
import { feedOf, idBytes, DeltaReader, type Delta } from './delta.ts';
import type { Closed, Past } from './lane.ts';
import type { LaneRecord, PlaceRecord } from './places.ts';
import { PackedRows } from './packed-rows.ts';

const ID_BYTES = 32;
const LENGTH_BYTES = 4;
const DOMAIN = domain('base');
const NONE = new Uint8Array(0);

/** A place in D6 order. */
export interface OrderPlace {
  readonly height: number;
  readonly id: DeltaId;
}

export interface ControlRecord {
  readonly lane: number;
  readonly delta: Delta;
  readonly height: number;
  readonly past: Past;
}

/** All of a base but its rows. Pasts are counted in its own lanes. */
export interface Frame {
  readonly end: OrderPlace | undefined;
  readonly lanes: readonly LaneRecord[];
  readonly places: readonly PlaceRecord[];
  readonly controls: readonly ControlRecord[];
}

export interface Base extends Frame {
  readonly root: Uint8Array;
  readonly rows: PackedRows;
}

/** A base as it is given away, or kept in a journal. */
export interface BaseParts {
  readonly root: Uint8Array;
  readonly parts: readonly Uint8Array[];
}

export interface BasePart {
  readonly root: Uint8Array;
  readonly part: number;
  readonly parts: number;
  readonly bytes: Uint8Array;
}

export interface BaseError {
  readonly tag: 'badBase';
  readonly reason:
    | 'malformed'
    | 'newer' // of a format that is not known
    | 'foreign' // of another workspace
    | 'outOfTurn' // not the part that is next
    | 'changed' // a part of another base: begin anew
    | 'badRow' // one that no tool of the workspace could have put
    | 'badSignature' // a control delta that its author has not signed
    | 'badRoot'; // it does not add up to what it says
}

export const badBase = (reason: BaseError['reason']) => err<BaseError>({ tag: 'badBase', reason });

/** Of a copy in which nothing is folded: who begins anew with it takes the log from its beginning. */
export const NOTHING_FOLDED: Frame = { end: undefined, lanes: [], places: [], controls: [] };

export function rootOfNothing(crypto: Crypto): Uint8Array {
  return baseRootOf(crypto, crypto.sha256(), NOTHING_FOLDED);
}

/** Up to where each feed is in it, before any fork. */
export function cutOf({ lanes }: Frame): CutAndRoot['cut'] {
  return new Map(lanes.flatMap(({ feed, cut, parent }) => (parent === undefined && cut > 0 ? [[feed, cut]] : [])));
}

export function baseRootOf(crypto: Crypto, rowsRoot: Uint8Array, { end, lanes, places, controls }: Frame): Uint8Array {
  const ends = controls.map(({ lane, delta, height, past }) => [lane, idBytes(delta.id), height, pastToValue(past)]);
  const framed = encode([endToValue(end), lanes.map(laneToValue), places.map(placeToValue), ends]);
  return crypto.sha256(DOMAIN, rowsRoot, crypto.sha256(framed));
}

// ---- writing ----------------------------------------------------------------------------------------------------------

/** `rows`: each encoded, sorted (packed-rows.ts); as they stand in the parts, they come back. */
export function writeBase(
  workspace: WorkspaceId,
  root: Uint8Array,
  frame: Frame,
  rows: readonly Uint8Array[],
): BaseParts & { readonly rows: PackedRows } {
  const counts = [frame.lanes.length, frame.places.length, frame.controls.length, rows.length];
  const items = [
    encode([FORMAT, idBytes(workspace), ...endToValue(frame.end), ...counts]),
    ...frame.lanes.map((lane) => encode(laneToValue(lane))),
    ...frame.places.map((place) => encode(placeToValue(place))),
    ...frame.controls.map(({ lane, delta, height, past }) => encode([lane, delta.bytes, height, pastToValue(past)])),
  ];
  const framed = withLengths(items);
  const stream = joinBytes([...framed, ...withLengths(rows)]);
  const packed = PackedRows.read(stream, lengthInAll(framed), rows.length);
  assert(packed !== undefined, 'rows that are written can be read');
  const parts: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += MAX_BASE_PART_BYTES) {
    parts.push(stream.subarray(at, at + MAX_BASE_PART_BYTES));
  }
  return { root, parts, rows: packed };
}

function withLengths(items: readonly Uint8Array[]): readonly Uint8Array[] {
  return items.flatMap((item) => [lengthOf(item), item]);
}

function lengthInAll(items: readonly Uint8Array[]): number {
  return items.reduce((sum, { length }) => sum + length, 0);
}

function lengthOf({ length }: Uint8Array): Uint8Array {
  return Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length);
}

function endToValue(end: OrderPlace | undefined): readonly Value[] {
  return end ? [end.height, idBytes(end.id)] : [0, NONE];
}

function laneToValue(lane: LaneRecord): Value {
  const { device, generation, parent, first, firstId, cut, closed, end } = lane;
  return [
    idBytes(device),
    generation,
    parent === undefined ? 0 : parent + 1,
    first,
    firstId === undefined ? NONE : idBytes(firstId),
    cut,
    closed ? [closed.named, closed.seen] : [],
    end ? idBytes(end.id) : NONE,
    end?.height ?? 0,
    pastToValue(end?.past ?? []),
  ];
}

function placeToValue({ lane, seq, id, height, past }: PlaceRecord): Value {
  return [lane, seq, idBytes(id), height, pastToValue(past)];
}

function pastToValue(past: Past): Value {
  return past.flatMap((seq, lane) => (seq > 0 ? [lane, seq] : []));
}

// ---- reading ----------------------------------------------------------------------------------------------------------

/** How much there may be of each in a base. What was kept here is read whatever there is of it: it was here before. */
type Counts = Readonly<Record<'lanes' | 'places' | 'controls' | 'rows', number>>;

const OF_OTHERS: Counts = {
  lanes: MAX_BASE_LANES,
  places: MAX_BASE_PLACES,
  controls: MAX_BASE_CONTROLS,
  rows: MAX_BASE_ROWS,
};
const ANY = Number.MAX_SAFE_INTEGER;
const OWN: Counts = { lanes: ANY, places: ANY, controls: ANY, rows: ANY };

/** Takes the parts of a base, one after the other; it says which one is next, so a copy can go on with another member. */
export class BaseReader {
  readonly #reader: DeltaReader;
  readonly #workspace: WorkspaceId;
  readonly #parts: Uint8Array[] = [];
  #root: Uint8Array | undefined;
  #total: number | undefined;

  constructor(crypto: Crypto, workspace: WorkspaceId) {
    this.#reader = new DeltaReader(crypto, workspace);
    this.#workspace = workspace;
  }

  /** Number of the part to ask for. */
  get next(): number {
    return this.#parts.length;
  }

  /** Undefined before the first part. */
  get total(): number | undefined {
    return this.#total;
  }

  get root(): Uint8Array | undefined {
    return this.#root;
  }

  get isWhole(): boolean {
    return this.#parts.length === this.#total;
  }

  /** What was taken, in order. */
  get here(): readonly BasePart[] {
    const [root, parts] = [this.#root, this.#total];
    return root && parts ? this.#parts.map((bytes, part) => ({ root, part, parts, bytes })) : [];
  }

  /** Whether a part is one of the same base as those that are here. */
  isOf({ root, parts }: BasePart): boolean {
    return this.#root !== undefined && equalBytes(root, this.#root) && parts === this.#total;
  }

  add({ root, part, parts, bytes }: BasePart): Result<'more' | 'whole', BaseError> {
    const isLast = part === parts - 1;
    if (root.length !== ID_BYTES || parts > MAX_BASE_PARTS || bytes.length === 0) return badBase('malformed');
    if (bytes.length > MAX_BASE_PART_BYTES || (!isLast && bytes.length < MAX_BASE_PART_BYTES))
      return badBase('malformed');
    if (this.#root && (!equalBytes(root, this.#root) || parts !== this.#total)) return badBase('changed');
    if (part !== this.next || part >= parts) return badBase('outOfTurn');
    this.#root = root;
    this.#total = parts;
    this.#parts.push(bytes);
    return ok(this.isWhole ? 'whole' : 'more');
  }

  /** What the parts say, when they are whole. Whether it adds up to the root shows when it is loaded. `isOwn`: it was kept here, as a whole. */
  read(isOwn = false): Result<Base, BaseError> {
    if (!this.isWhole) return badBase('outOfTurn');
    const stream = joinInPlace(this.#parts);
    const items = new Items(stream);
    const head = readHead(items.next(), this.#workspace, isOwn ? OWN : OF_OTHERS);
    if (!head.ok) return head;
    const { end, counts } = head.value;
    const pasts = new Pasts(counts.lanes, isOwn ? ANY : MAX_BASE_PAST_NUMBERS);
    const lanes: LaneRecord[] = [];
    const places: PlaceRecord[] = [];
    const controls: ControlRecord[] = [];
    const isFramed =
      takes(counts.lanes, lanes, () => readLane(items.next(), lanes, pasts)) &&
      takes(counts.places, places, () => readPlace(items.next(), lanes, pasts)) &&
      takes(counts.controls, controls, () => this.#readControl(items.next(), lanes, pasts));
    const rows = isFramed ? PackedRows.read(stream, items.at, counts.rows) : undefined;
    const frame = { end, lanes, places, controls };
    if (!rows || (!isOfNothing(frame, rows) && !this.#isSound(frame))) return badBase('malformed');
    return ok({ root: this.#root!, ...frame, rows });
  }

  /** The genesis is there, and each delta and each place once. */
  #isSound({ lanes, places, controls }: Frame): boolean {
    const whole = controls.map(({ lane, delta: { seq, id } }) => ({ lane, seq, id }));
    const keyOf = ({ lane, seq }: Pick<PlaceRecord, 'lane' | 'seq'>) => `${lane} ${seq}`;
    const taken = new Set(whole.map(keyOf));
    const ends = lanes.flatMap(({ end, cut }, lane) => (end ? [{ lane, seq: cut, id: end.id }] : []));
    const all = [...ends.filter((end) => !taken.has(keyOf(end))), ...places, ...whole];
    const ids = new Set(all.map(({ id }) => id as string));
    return ids.size === all.length && new Set(all.map(keyOf)).size === all.length && ids.has(this.#workspace);
  }

  #readControl(value: Value | undefined, lanes: readonly LaneRecord[], pasts: Pasts): ControlRecord | undefined {
    const fields = asArray(value, 4);
    const lane = asCount(fields?.[0], lanes.length - 1);
    const bytes = asBytes(fields?.[1], 1, MAX_DELTA_BYTES);
    const [height, past] = [asCount(fields?.[2]), pasts.read(fields?.[3])];
    const delta = bytes && this.#reader.read(bytes);
    if (lane === undefined || !height || !past || !delta?.ok || delta.value.tool !== undefined) return undefined;
    const home = lanes[lane]!;
    const { id, feed, seq } = delta.value;
    if (feed !== home.feed || seq < home.first || seq > home.cut) return undefined;
    if (seq === home.cut && id !== home.end?.id) return undefined;
    return { lane, delta: delta.value, height, past };
  }
}

function isOfNothing({ end, lanes, places, controls }: Frame, rows: PackedRows): boolean {
  return !end && lanes.length + places.length + controls.length + rows.size === 0;
}

/** Whether so many can be read; they go into the list. */
function takes<T>(count: number, list: T[], read: () => T | undefined): boolean {
  while (list.length < count) {
    const one = read();
    if (one === undefined) return false;
    list.push(one);
  }
  return true;
}

/** The items of a stream, one after the other. */
class Items {
  readonly #stream: Uint8Array;
  /** Where the next one begins. */
  at = 0;

  constructor(stream: Uint8Array) {
    this.#stream = stream;
  }

  /** Its value; undefined for one that cannot be read, or is not there. */
  next(): Value | undefined {
    const { buffer, byteOffset, length: end } = this.#stream;
    const start = this.at + LENGTH_BYTES;
    if (start > end) return undefined;
    const length = new DataView(buffer, byteOffset, end).getUint32(this.at);
    if (length > MAX_MESSAGE_BYTES || start + length > end) return undefined;
    this.at = start + length;
    const decoded = decode(this.#stream.subarray(start, this.at));
    return decoded.ok ? decoded.value : undefined;
  }
}

interface Head {
  readonly end: OrderPlace | undefined;
  readonly counts: Counts;
}

function readHead(value: Value | undefined, workspace: WorkspaceId, limits: Counts): Result<Head, BaseError> {
  const f = asArray(value, 1, 16);
  const format = asCount(f?.[0]);
  if (format === undefined) return badBase('malformed');
  if (format !== FORMAT) return badBase('newer');
  const [of, height, id] = [asBytes(f?.[1], ID_BYTES), asCount(f?.[2]), asBytes(f?.[3], 0, ID_BYTES)];
  const lanes = asCount(f?.[4], limits.lanes);
  const places = asCount(f?.[5], limits.places);
  const controls = asCount(f?.[6], limits.controls);
  const rows = asCount(f?.[7], limits.rows);
  if (!of || height === undefined || !id || f?.length !== 8) return badBase('malformed');
  if (toHex(of) !== workspace) return badBase('foreign');
  if (lanes === undefined || places === undefined || controls === undefined || rows === undefined)
    return badBase('malformed');
  if (id.length !== (height > 0 ? ID_BYTES : 0)) return badBase('malformed');
  const end = height > 0 ? { height, id: toHex(id) as DeltaId } : undefined;
  return ok({ end, counts: { lanes, places, controls, rows } });
}

function readLane(value: Value | undefined, before: readonly LaneRecord[], pasts: Pasts): LaneRecord | undefined {
  const f = asArray(value, 10);
  const device = asBytes(f?.[0], KEY_BYTES);
  const [generation, parent] = [asCount(f?.[1], MAX_FEED_GENERATION), asCount(f?.[2], before.length)];
  const [first, firstId, cut] = [asCount(f?.[3]), asBytes(f?.[4], 0, ID_BYTES), asCount(f?.[5])];
  const [closed, endId] = [readClosed(f?.[6]), asBytes(f?.[7], 0, ID_BYTES)];
  const [height, past] = [asCount(f?.[8]), pasts.read(f?.[9])];
  if (!f || !device || generation === undefined || parent === undefined || !first || !firstId) return undefined;
  if (cut === undefined || cut < first - 1 || !closed || !endId || height === undefined || !past) return undefined;
  const deviceId = toHex(device) as DeviceId;
  const feed = feedOf(deviceId, generation);
  const upon = parent === 0 ? undefined : before[parent - 1]!;
  // The beginning of a feed stands alone and has no name; a branch hangs on the end of a lane of its feed, and has one.
  const isSound = upon
    ? upon.feed === feed && upon.cut === first - 1 && firstId.length === ID_BYTES
    : first === 1 && firstId.length === 0 && !before.some((lane) => lane.feed === feed);
  const isEmpty = cut < first;
  if (!isSound || endId.length !== (isEmpty ? 0 : ID_BYTES) || isEmpty !== (height === 0)) return undefined;
  return {
    ...{ feed, device: deviceId, generation, parent: upon ? parent - 1 : undefined, first, cut },
    firstId: upon ? (toHex(firstId) as DeltaId) : undefined,
    closed: closed === 'open' ? undefined : closed,
    end: isEmpty ? undefined : { id: toHex(endId) as DeltaId, height, past },
  };
}

function readClosed(value: Value | undefined): Closed | 'open' | undefined {
  const f = asArray(value, 0, 2);
  const [named, seen] = [asCount(f?.[0]), asCount(f?.[1])];
  if (f?.length === 0) return 'open';
  return f?.length === 2 && named !== undefined && seen !== undefined ? { named, seen } : undefined;
}

function readPlace(value: Value | undefined, lanes: readonly LaneRecord[], pasts: Pasts): PlaceRecord | undefined {
  const f = asArray(value, 5);
  const [lane, seq, id] = [asCount(f?.[0], lanes.length - 1), asCount(f?.[1]), asBytes(f?.[2], ID_BYTES)];
  const [height, past] = [asCount(f?.[3]), pasts.read(f?.[4])];
  if (lane === undefined || !seq || !id || !height || !past) return undefined;
  const home = lanes[lane]!;
  return home.first <= seq && seq < home.cut ? { lane, seq, id: toHex(id) as DeltaId, height, past } : undefined;
}

/** Reads pasts, counted in the lanes that there are, as long as there is room for all numbers that they are written out in. */
class Pasts {
  readonly #lanes: number;
  #room: number;

  constructor(lanes: number, room: number) {
    this.#lanes = lanes;
    this.#room = room;
  }

  read(value: Value | undefined): Past | undefined {
    const fields = asArray(value, 0, 2 * this.#lanes);
    if (!fields || fields.length % 2 !== 0) return undefined;
    const last = fields.length === 0 ? -1 : asCount(fields[fields.length - 2], this.#lanes - 1);
    if (last === undefined || last >= this.#room) return undefined;
    this.#room -= last + 1;
    const past: number[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      const [lane, seq] = [asCount(fields[i], last), asCount(fields[i + 1])];
      if (lane === undefined || lane < past.length || !seq) return undefined;
      while (past.length < lane) past.push(0);
      past.push(seq);
    }
    return past;
  }
}
