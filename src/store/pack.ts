/**
 * One pack: a file header (segment.ts), then entries. Integers are little-endian.
 *
 * | offset | bytes | field |
 * | --- | --- | --- |
 * | 0 | 4 | marker `CtP0`: where reading resumes after damage |
 * | 4 | 4 | CRC-32 of bytes 8 to the end |
 * | 8 | 1 | 1 a chunk, 2 its removal (no bytes follow) |
 * | 9 | 3 | zero |
 * | 12 | 4 | n, length of the chunk |
 * | 16 | 32 | chunk id |
 * | 48 | n | the chunk, ciphertext already |
 */
import { crc32 } from 'node:zlib';
import { fromHex, releaseBytes } from '../base/bytes.ts';
import type { ChunkId } from '../base/ids.ts';
import type { DiskFile } from './disk.ts';
import { readAround } from './sectors.ts';
import { HEADER_BYTES } from './segment.ts';

export const EntryKind = { chunk: 1, removal: 2 } as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

const MARKER = Buffer.from('CtP0', 'latin1');
const MARKER_AS_NUMBER = MARKER.readUInt32LE();
export const ENTRY_HEAD_BYTES = 48;
/** Only smaller chunks go into packs; a longer length is damage. */
const MAX_ENTRY_BYTES = 64 * 1024;

export interface Pack {
  readonly number: number;
  readonly file: DiskFile;
  /** Bytes that count; what a failed write left behind them is overwritten. */
  length: number;
  /** Up to here nothing is lost if the machine stops now. */
  syncedLength: number;
  /** Bytes of entries that are the ones in use. */
  liveBytes: number;
  /** Chunks that stand in it and are not in use there. */
  readonly dead: Set<ChunkId>;
  readonly removals: Set<ChunkId>;
}

export interface Entry {
  readonly kind: EntryKind;
  readonly id: ChunkId;
  readonly offset: number;
  readonly end: number;
}

export function emptyPack(number: number, file: DiskFile, length: number): Pack {
  return { number, file, length, syncedLength: 0, liveBytes: 0, dead: new Set(), removals: new Set() };
}

export function deadBytes(pack: Pack): number {
  return pack.length - HEADER_BYTES - pack.liveBytes;
}

export function writeEntry(kind: EntryKind, id: ChunkId, bytes: Uint8Array): Uint8Array {
  const entry = new Uint8Array(ENTRY_HEAD_BYTES + bytes.length);
  const view = new DataView(entry.buffer);
  entry.set(MARKER, 0);
  entry[8] = kind;
  view.setUint32(12, bytes.length, true);
  entry.set(fromHex(id)!, 16);
  entry.set(bytes, ENTRY_HEAD_BYTES);
  view.setUint32(4, crc32(entry.subarray(8)), true);
  return entry;
}

/** The whole entry that starts here, or undefined. A store has as many as it has small files, and reads them all when it is opened. */
export function readEntry(bytes: Uint8Array, offset: number): Entry | undefined {
  return readEntryIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset);
}

function readEntryIn(buffer: Buffer, offset: number): Entry | undefined {
  if (offset + ENTRY_HEAD_BYTES > buffer.length || buffer.readUInt32LE(offset) !== MARKER_AS_NUMBER) return undefined;
  const length = buffer.readUInt32LE(offset + 12);
  const end = offset + ENTRY_HEAD_BYTES + length;
  if (length > MAX_ENTRY_BYTES || end > buffer.length) return undefined;
  if (buffer.readUInt32LE(offset + 4) !== crc32(buffer.subarray(offset + 8, end))) return undefined;
  const kind = buffer[offset + 8];
  if (kind !== EntryKind.chunk && kind !== EntryKind.removal) return undefined;
  return { kind, id: buffer.toString('hex', offset + 16, offset + ENTRY_HEAD_BYTES) as ChunkId, offset, end };
}

/** Of the file, at a time: more than the longest entry. */
const READ_BYTES = 1024 * 1024;

/**
 * Every entry of a file that is whole; what lies between them is passed over, and its chunks are fetched again. The file is never in memory
 * as a whole. `unreadable` is called where the disk cannot read a part of it, which is passed over, too.
 */
export async function* readEntries(
  file: DiskFile,
  size: number,
  unreadable: () => void,
): AsyncGenerator<readonly Entry[]> {
  for (let start = HEADER_BYTES; start < size;) {
    const bytes = await readAround(file, start, READ_BYTES, unreadable);
    if (bytes.length === 0) return;
    const { entries, next } = entriesIn(bytes, start + bytes.length < size);
    yield entries.map(({ kind, id, offset, end }) => ({ kind, id, offset: start + offset, end: start + end }));
    releaseBytes(bytes);
    start += next;
  }
}

/** Those that begin in these bytes, and where to look on: with `isMore` after them, what begins near their end is not looked at. */
export function entriesIn(
  bytes: Uint8Array,
  isMore: boolean,
): { readonly entries: readonly Entry[]; readonly next: number } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const enough = isMore ? bytes.length - ENTRY_HEAD_BYTES - MAX_ENTRY_BYTES : bytes.length;
  const entries: Entry[] = [];
  let at = 0;
  while (at < enough) {
    const entry = readEntryIn(buffer, at);
    if (entry) entries.push(entry);
    const next = entry ? entry.end : buffer.indexOf(MARKER, at + 1);
    at = next < 0 ? enough : next;
  }
  return { entries, next: at };
}
