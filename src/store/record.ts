/**
 * Sealed records, the unit in which journal and snapshot are written (L1). Integers are little-endian.
 *
 * | offset | bytes | field |
 * | --- | --- | --- |
 * | 0 | 4 | marker `CtR0`: where reading resumes after damage |
 * | 4 | 4 | n, length of the ciphertext with its tag |
 * | 8 | 4 | CRC-32 of bytes 4..8 and 12..36+n: tells damage by the disk, quickly |
 * | 12 | 24 | nonce, random |
 * | 36 | n | AES-256-GCM (K5), see below |
 *
 * All that comes is sealed once more on its way to the disk, and all of it is opened before a window shows anything: so by the cipher that
 * node:crypto has. Its nonces of 12 bytes are too short to be random for ever under one key: so each file has a key of its own,
 * HMAC-SHA256(the store's seal key, the first 12 bytes of the nonces), which are drawn once for the file, and the last 12 are the nonce under
 * it.
 *
 * Associated data: kind of file (1), store id (16), generation (4), number of the file (4), offset of the record in it (8):
 * a record opens only where it was written.
 *
 * The plaintext is a purpose (1), how many bytes before this record its commit began (4), and a list of entries, each a
 * length (4) and its bytes. Several entries share one record so that what was appended together is there together, and
 * what shares an fsync shares a tag. A commit may still be several records, and a machine that stops may have written the
 * later of them only: what follows damage and belongs to the same commit was never acknowledged.
 */
import { crc32 } from 'node:zlib';
import { assert } from '../base/assert.ts';
import { equalBytes, releaseBytes } from '../base/bytes.ts';
import { GCM_NONCE_BYTES, SEAL_NONCE_BYTES, TAG_BYTES, type Crypto } from '../crypto/crypto.ts';
import { STORE_ID_BYTES, type StoreKeys } from './keys.ts';

export const Purpose = { entries: 0, fence: 1, end: 2 } as const;
export type Purpose = (typeof Purpose)[keyof typeof Purpose];

export const FileKind = { journal: 1, snapshot: 2, pack: 3 } as const;
export type FileKind = (typeof FileKind)[keyof typeof FileKind];

/** Which file a record stands in. */
export interface Place {
  readonly kind: FileKind;
  readonly generation: number;
  readonly number: number;
}

const MARKER = Buffer.from('CtR0', 'latin1');
/** Of the plaintext, before the entries. */
export const ENTRIES_AT = 5;
export const HEAD_BYTES = 12 + SEAL_NONCE_BYTES;
const SALT_BYTES = SEAL_NONCE_BYTES - GCM_NONCE_BYTES;
/** A longer length is damage, not a record: bounds what a flipped bit can make us check. */
export const MAX_RECORD_BYTES = 32 * 1024 * 1024;

export type Stretch =
  | { readonly kind: 'record'; readonly offset: number; readonly end: number; readonly plain: Uint8Array }
  | { readonly kind: 'damaged'; readonly offset: number; readonly end: number };

export class Sealer {
  readonly #crypto: Crypto;
  readonly #keys: StoreKeys;

  constructor(crypto: Crypto, keys: StoreKeys) {
    this.#crypto = crypto;
    this.#keys = keys;
  }

  seal(place: Place, offset: number, plain: Uint8Array): Uint8Array {
    const length = plain.length + TAG_BYTES;
    assert(length <= MAX_RECORD_BYTES, 'a record within its limit');
    const nonce = this.#nonceFor(place);
    const record = new Uint8Array(HEAD_BYTES + length);
    record.set(MARKER, 0);
    const view = new DataView(record.buffer);
    view.setUint32(4, length, true);
    record.set(nonce, 12);
    record.set(plain, HEAD_BYTES);
    this.#seal(nonce, record.subarray(HEAD_BYTES), this.#associated(place, offset));
    view.setUint32(8, checksum(record, 0, record.length), true);
    return record;
  }

  /**
   * The record that starts at `offset`, or undefined where none that is whole and ours does. `before`: bytes of the file that are before
   * these.
   */
  open(place: Place, bytes: Uint8Array, offset: number, before = 0): { plain: Uint8Array; end: number } | undefined {
    const end = wholeUntil(bytes, offset);
    if (end === undefined) return undefined;
    const nonce = bytes.subarray(offset + 12, offset + HEAD_BYTES);
    const sealed = bytes.subarray(offset + HEAD_BYTES, end);
    const plain = this.#open(nonce, sealed, this.#associated(place, before + offset));
    return plain && { plain, end };
  }

  /** In its room, which has as much beyond the plaintext as a tag is long. */
  #seal(nonce: Uint8Array, room: Uint8Array, associated: Uint8Array): void {
    const { key, rest } = this.#keyOf(nonce);
    const sealed = this.#crypto.sealGcm(key, rest, room.subarray(0, -TAG_BYTES), associated);
    room.set(sealed);
    releaseBytes(sealed);
  }

  #open(nonce: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Uint8Array | undefined {
    const { key, rest } = this.#keyOf(nonce);
    return this.#crypto.openGcm(key, rest, sealed, associated);
  }

  #nonceFor({ kind, generation, number }: Place): Uint8Array {
    const nonce = this.#crypto.randomBytes(SEAL_NONCE_BYTES);
    const written = this.#written.get(kind);
    if (written?.generation === generation && written.number === number) nonce.set(written.salt);
    else this.#written.set(kind, { generation, number, salt: nonce.slice(0, SALT_BYTES) });
    return nonce;
  }

  /** Of each kind the file that is being written. */
  readonly #written = new Map<
    FileKind,
    { readonly generation: number; readonly number: number; readonly salt: Uint8Array }
  >();

  #keyOf(nonce: Uint8Array): { readonly key: Uint8Array; readonly rest: Uint8Array } {
    const salt = nonce.slice(0, SALT_BYTES);
    if (!this.#known || !equalBytes(this.#known.salt, salt))
      this.#known = { salt, key: this.#crypto.hmacSha256(this.#keys.seal, salt) };
    return { key: this.#known.key, rest: nonce.subarray(SALT_BYTES) };
  }

  /** Of the file that was read or written last. */
  #known: { readonly salt: Uint8Array; readonly key: Uint8Array } | undefined;

  /** Everything from `start` to the end: records, and between them what is none. */
  *read(place: Place, bytes: Uint8Array, start: number): Generator<Stretch> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let offset = start;
    while (offset < bytes.length) {
      const record = this.open(place, bytes, offset);
      if (record) {
        yield { kind: 'record', offset, ...record };
        offset = record.end;
        continue;
      }
      const damaged = offset;
      for (offset += 1; offset < bytes.length; offset += 1) {
        const marker = buffer.indexOf(MARKER, offset);
        offset = marker < 0 ? bytes.length : marker;
        if (marker >= 0 && this.open(place, bytes, offset)) break;
      }
      yield { kind: 'damaged', offset: damaged, end: Math.min(offset, bytes.length) };
    }
  }

  #associated(place: Place, offset: number): Uint8Array {
    const bytes = new Uint8Array(1 + STORE_ID_BYTES + 16);
    const view = new DataView(bytes.buffer);
    bytes[0] = place.kind;
    bytes.set(this.#keys.storeId, 1);
    view.setUint32(17, place.generation, true);
    view.setUint32(21, place.number, true);
    view.setBigUint64(25, BigInt(offset), true);
    return bytes;
  }
}

/** Where one that is whole begins, be it another file's. */
export function* wholeRecords(bytes: Uint8Array, start: number): Generator<number> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = buffer.indexOf(MARKER, start); offset >= 0;) {
    const end = wholeUntil(bytes, offset);
    if (end !== undefined) yield offset;
    offset = buffer.indexOf(MARKER, end ?? offset + 1);
  }
}

function wholeUntil(bytes: Uint8Array, offset: number): number | undefined {
  const length = lengthAt(bytes, offset);
  if (length === undefined || offset + length > bytes.length) return undefined;
  const sum = new DataView(bytes.buffer, bytes.byteOffset + offset, HEAD_BYTES).getUint32(8, true);
  return sum === checksum(bytes, offset, offset + length) ? offset + length : undefined;
}

function checksum(bytes: Uint8Array, offset: number, end: number): number {
  return crc32(bytes.subarray(offset + 12, end), crc32(bytes.subarray(offset + 4, offset + 8)));
}

/** How long the record is that begins at `offset`, whole or not; undefined where none does. */
export function lengthAt(bytes: Uint8Array, offset: number): number | undefined {
  if (offset + HEAD_BYTES > bytes.length) return undefined;
  for (let i = 0; i < MARKER.length; i++) if (bytes[offset + i] !== MARKER[i]) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset + offset, HEAD_BYTES).getUint32(4, true);
  return length < TAG_BYTES || length > MAX_RECORD_BYTES ? undefined : HEAD_BYTES + length;
}

/** `back` is the distance to the beginning of its commit. */
export function packEntries(purpose: Purpose, entries: readonly Uint8Array[], back = 0): Uint8Array {
  let length = ENTRIES_AT;
  for (const entry of entries) length += 4 + entry.length;
  const plain = new Uint8Array(length);
  const view = new DataView(plain.buffer);
  plain[0] = purpose;
  view.setUint32(1, back, true);
  let at = ENTRIES_AT;
  for (const entry of entries) {
    view.setUint32(at, entry.length, true);
    plain.set(entry, at + 4);
    at += 4 + entry.length;
  }
  return plain;
}

/** Copies where there are several, so that one that is kept does not keep its neighbours. What is sealed is ours: other shapes are a fault of ours. */
export function unpackEntries(plain: Uint8Array): { purpose: number; entries: Uint8Array[] } {
  assert(plain.length >= ENTRIES_AT, 'a record has a purpose');
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  const entries: Uint8Array[] = [];
  let at = ENTRIES_AT;
  while (at < plain.length) {
    const length = view.getUint32(at, true);
    assert(at + 4 + length <= plain.length, 'an entry lies within its record');
    const entry = plain.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    const isAlone = entries.length === 0 && at === plain.length;
    entries.push(isAlone ? entry : new Uint8Array(entry));
  }
  return { purpose: plain[0]!, entries };
}

/** Where the commit began that this record, at `offset`, is part of. */
export function commitStart(plain: Uint8Array, offset: number): number {
  return offset - new DataView(plain.buffer, plain.byteOffset, plain.byteLength).getUint32(1, true);
}

/** Groups of entries of about so many bytes, each to become one record. */
export function* grouped(entries: Iterable<Uint8Array>, targetBytes: number): Generator<Uint8Array[]> {
  let group: Uint8Array[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (group.length > 0 && bytes + entry.length > targetBytes) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(entry);
    bytes += entry.length + 4;
  }
  if (group.length > 0) yield group;
}
