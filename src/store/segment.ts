/**
 * Files of the log and of the packs begin alike; a segment is such a file in which an owner appends records (L1, L3).
 *
 * | offset | bytes | field |
 * | --- | --- | --- |
 * | 0 | 8 | magic: `CotJrnl\n`, `CotSnap\n` or `CotPack\n` |
 * | 8 | 2 | format version, 0 |
 * | 10 | 2 | zero |
 * | 12 | 16 | store id |
 * | 28 | 4 | generation: which opening of the store wrote it; each is one above the highest there was |
 * | 32 | 4 | number, the same as in the file's name |
 * | 36 | 16 | HMAC-SHA256 of bytes 0..36 under the header key, its first 16 bytes |
 *
 * The first record of a segment is a **fence**: of every earlier segment that counts, its number (4), generation (4) and
 * length (8). What an earlier owner writes beyond it comes too late and does not count. An entry for number 0 says that
 * snapshots have taken the place of some: the journal alone is not everything any more.
 */
import { equalBytes } from '../base/bytes.ts';
import { toUtf8 } from '../base/utf8.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { STORE_ID_BYTES, type StoreKeys } from './keys.ts';
import { FileKind, packEntries, Purpose, unpackEntries, type Place } from './record.ts';

export const FORMAT = 0;
export const HEADER_BYTES = 52;
/** A segment takes no more after this: bounds what is read at once, and what compacting must keep. */
export const SEGMENT_BYTES = 16 * 1024 * 1024;

const MAC_BYTES = 16;
const MAC_AT = HEADER_BYTES - MAC_BYTES;
const MAGIC = {
  [FileKind.journal]: toUtf8('CotJrnl\n'),
  [FileKind.snapshot]: toUtf8('CotSnap\n'),
  [FileKind.pack]: toUtf8('CotPack\n'),
} as const;

export function writeHeader(crypto: Crypto, keys: StoreKeys, place: Place): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(MAGIC[place.kind], 0);
  view.setUint16(8, FORMAT, true);
  header.set(keys.storeId, 12);
  view.setUint32(28, place.generation, true);
  view.setUint32(32, place.number, true);
  header.set(crypto.hmacSha256(keys.header, header.subarray(0, MAC_AT)).subarray(0, MAC_BYTES), MAC_AT);
  return header;
}

/** The generation, or undefined where the header is not whole, not of this store or not of this file. */
export function readHeader(
  crypto: Crypto,
  keys: StoreKeys,
  kind: FileKind,
  number: number,
  bytes: Uint8Array,
): number | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const mac = crypto.hmacSha256(keys.header, bytes.subarray(0, MAC_AT)).subarray(0, MAC_BYTES);
  const sound =
    equalBytes(mac, bytes.subarray(MAC_AT, HEADER_BYTES)) &&
    equalBytes(bytes.subarray(0, 8), MAGIC[kind]) &&
    view.getUint16(8, true) === FORMAT &&
    equalBytes(bytes.subarray(12, 12 + STORE_ID_BYTES), keys.storeId) &&
    view.getUint32(32, true) === number;
  return sound ? view.getUint32(28, true) : undefined;
}

export interface Fenced {
  readonly number: number;
  readonly generation: number;
  readonly length: number;
}

export interface Fence {
  readonly segments: readonly Fenced[];
  readonly pruned: boolean;
}

export function writeFence(segments: readonly Fenced[], pruned: boolean): Uint8Array {
  const marked = pruned ? [{ number: 0, generation: 0, length: 0 }, ...segments] : segments;
  return packEntries(
    Purpose.fence,
    marked.map(({ number, generation, length }) => {
      const entry = new Uint8Array(16);
      const view = new DataView(entry.buffer);
      view.setUint32(0, number, true);
      view.setUint32(4, generation, true);
      view.setBigUint64(8, BigInt(length), true);
      return entry;
    }),
  );
}

/** Undefined where the record is no fence. */
export function readFence(plain: Uint8Array): Fence | undefined {
  const { purpose, entries } = unpackEntries(plain);
  if (purpose !== Purpose.fence) return undefined;
  const all = entries.map((entry) => {
    const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
    return {
      number: view.getUint32(0, true),
      generation: view.getUint32(4, true),
      length: Number(view.getBigUint64(8, true)),
    };
  });
  const segments = all.filter(({ number }) => number !== 0);
  return { segments, pruned: segments.length < all.length };
}

/** `00000007.journal` and the like; numbers sort as names do. */
export function fileName(number: number, extension: string): string {
  return `${String(number).padStart(8, '0')}.${extension}`;
}

/** Numbers of the files with this extension, ascending. */
export function numbersOf(names: readonly string[], extension: string): readonly number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const parts = /^(\d{8})\.([a-z]+)$/.exec(name);
    if (parts && parts[2] === extension) numbers.push(Number(parts[1]));
  }
  return numbers.sort((a, b) => a - b);
}
