/**
 * The file `store` says what the folder is, and proves the key (I2). It is never changed; `store.copy` holds the same bytes,
 * so that one flipped bit, or one bad sector, does not lock everything away.
 *
 * | offset | bytes | field |
 * | --- | --- | --- |
 * | 0 | 8 | magic `CotStor\n` |
 * | 8 | 2 | format version, little-endian |
 * | 10 | 2 | zero |
 * | 12 | 16 | store id, random |
 * | 28 | 32 | HMAC-SHA256 of bytes 0..28 under the check key |
 * | 60 | 4 | CRC-32 of bytes 0..60: tells a damaged header from a wrong key |
 */
import { crc32 } from 'node:zlib';
import { equalBytes } from '../base/bytes.ts';
import { toUtf8 } from '../base/utf8.ts';
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts';
import { StoreError } from '../sync/ports.ts';
import type { Disk, DiskError } from './disk.ts';
import { deriveKeys, STORE_ID_BYTES, type StoreKeys } from './keys.ts';
import { isUnreadable } from './sectors.ts';
import { FORMAT } from './segment.ts';

const NAME = 'store';
const COPY = 'store.copy';
const TEMPORARY = 'store.tmp';
const MAGIC = toUtf8('CotStor\n');
const CHECK_AT = 28;
const CRC_AT = 60;
const HEADER_BYTES = 64;

type Read =
  | { readonly kind: 'missing' | 'damaged' | 'newer' }
  | { readonly kind: 'unreadable'; readonly error: DiskError }
  | { readonly kind: 'sound'; readonly bytes: Uint8Array; readonly storeId: Uint8Array };

export async function hasHeader(disk: Disk, folder: string): Promise<boolean> {
  const kinds = [await readOne(disk, `${folder}/${NAME}`), await readOne(disk, `${folder}/${COPY}`)];
  return kinds.some(({ kind }) => kind !== 'missing');
}

/** The keys of the store that is there, or undefined where none is. Throws `locked`, `newer` or `damaged`. */
export async function unlock(
  disk: Disk,
  folder: string,
  crypto: Crypto,
  key: Uint8Array,
): Promise<StoreKeys | undefined> {
  const first = await readOne(disk, `${folder}/${NAME}`);
  const second = await readOne(disk, `${folder}/${COPY}`);
  if (first.kind === 'missing' && second.kind === 'missing') return undefined;
  if (first.kind === 'newer' || second.kind === 'newer') {
    throw new StoreError('newer', 'the store was written by a newer version');
  }
  const sound = first.kind === 'sound' ? first : second;
  // Another time it may be read.
  for (const one of [first, second]) if (sound.kind !== 'sound' && one.kind === 'unreadable') throw one.error;
  if (sound.kind !== 'sound') throw new StoreError('damaged', 'the header of the store is damaged');
  const keys = key.length === KEY_BYTES ? deriveKeys(crypto, key, sound.storeId) : undefined;
  const check = keys && crypto.hmacSha256(keys.check, sound.bytes.subarray(0, CHECK_AT));
  if (!keys || !check || !equalBytes(check, sound.bytes.subarray(CHECK_AT, CRC_AT))) {
    throw new StoreError('locked', 'the key is not the one of this store');
  }
  if (first.kind !== 'sound') await writeOne(disk, folder, NAME, sound.bytes);
  if (second.kind !== 'sound') await writeOne(disk, folder, COPY, sound.bytes);
  return keys;
}

/** Only where there is none: the caller has looked, and holds the claim. */
export async function createHeader(disk: Disk, folder: string, crypto: Crypto, key: Uint8Array): Promise<StoreKeys> {
  if (key.length !== KEY_BYTES) throw new StoreError('locked', 'a store needs a key of 32 bytes');
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  const storeId = crypto.randomBytes(STORE_ID_BYTES);
  const keys = deriveKeys(crypto, key, storeId);
  header.set(MAGIC, 0);
  view.setUint16(8, FORMAT, true);
  header.set(storeId, 12);
  header.set(crypto.hmacSha256(keys.check, header.subarray(0, CHECK_AT)), CHECK_AT);
  view.setUint32(CRC_AT, crc32(header.subarray(0, CRC_AT)), true);
  await writeOne(disk, folder, NAME, header);
  await writeOne(disk, folder, COPY, header);
  return keys;
}

async function readOne(disk: Disk, path: string): Promise<Read> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await disk.read(path);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return { kind: 'unreadable', error };
  }
  if (!bytes) return { kind: 'missing' };
  if (bytes.length < 12 || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return { kind: 'damaged' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sound = bytes.length === HEADER_BYTES && view.getUint32(CRC_AT, true) === crc32(bytes.subarray(0, CRC_AT));
  if (view.getUint16(8, true) > FORMAT) return { kind: sound || bytes.length !== HEADER_BYTES ? 'newer' : 'damaged' };
  return sound
    ? { kind: 'sound', bytes, storeId: new Uint8Array(bytes.subarray(12, 12 + STORE_ID_BYTES)) }
    : { kind: 'damaged' };
}

async function writeOne(disk: Disk, folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${folder}/${TEMPORARY}`;
  await disk.remove(temporary);
  const file = await disk.create(temporary);
  try {
    await file.write(0, bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, `${folder}/${name}`);
  await disk.syncFolder(folder);
}
