/**
 * A snapshot holds everything up to a place in the journal: `00000007.snapshot` stands for all segments below 7 (L1).
 * It is a file header, records of entries, and at last a record of purpose `end` with the count of entries (8), without
 * which it is not whole. It is written under another name, fsynced, renamed, and the folder fsynced.
 */
import { releaseBytes } from '../base/bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { StoreError } from '../sync/ports.ts';
import type { Disk, DiskFile } from './disk.ts';
import type { StoreKeys } from './keys.ts';
import {
  ENTRIES_AT,
  FileKind,
  HEAD_BYTES,
  lengthAt,
  packEntries,
  Purpose,
  unpackEntries,
  type Place,
  type Sealer,
} from './record.ts';
import { fileName, HEADER_BYTES, readHeader, writeHeader } from './segment.ts';

export const SNAPSHOT = 'snapshot';
export const TEMPORARY = 'tmp';

/** One write to the disk while a snapshot is made: long enough to be quick, short enough to let other work in between. */
const WRITE_BYTES = 1024 * 1024;

export interface Snapshot {
  readonly number: number;
  readonly generation: number | undefined;
  /** Plaintexts of its records, `end` left out. */
  readonly packed: readonly Uint8Array[];
  readonly whole: boolean;
}

/** Of the file, at a time. */
const READ_BYTES = 1024 * 1024;
/** Plaintext that is held from the first look to the second: a store of a few thousand items is opened once. */
const HELD_BYTES = 2 * 1024 * 1024;

/**
 * Hands on what a whole snapshot holds, though it is never in memory as a whole: all of it is opened to see that it is whole, and what was
 * too much to be held meanwhile is opened again. Half a snapshot and the one before it must not be mixed: undefined, and nothing handed on,
 * where it is not whole. Answers its generation.
 */
export async function deliverSnapshot(
  file: DiskFile,
  crypto: Crypto,
  keys: StoreKeys,
  sealer: Sealer,
  number: number,
  each: (plain: Uint8Array) => void,
): Promise<number | undefined> {
  const header = await file.read(0, HEADER_BYTES);
  const generation = readHeader(crypto, keys, FileKind.snapshot, number, header);
  if (generation === undefined) return undefined;
  const place: Place = { kind: FileKind.snapshot, generation, number };
  const held: Uint8Array[] = [];
  let [heldBytes, heldUntil, entries] = [0, HEADER_BYTES, 0];
  let promised: number | undefined;
  for await (const record of recordsOf(file, sealer, place, HEADER_BYTES)) {
    if (!record || promised !== undefined) return undefined;
    const { plain, end } = record;
    if (plain[0] === Purpose.end) {
      promised = endCount(plain);
      if (promised === undefined) return undefined;
      continue;
    }
    entries += countEntries(plain);
    if (heldBytes + plain.length > HELD_BYTES) {
      heldBytes = HELD_BYTES;
      releaseBytes(plain);
    } else {
      held.push(plain);
      [heldBytes, heldUntil] = [heldBytes + plain.length, end];
    }
  }
  if (promised !== entries) return undefined;
  for (const plain of held.splice(0)) each(plain);
  for await (const record of recordsOf(file, sealer, place, heldUntil)) {
    if (!record) throw new StoreError('io', 'a snapshot has changed while it was read');
    if (record.plain[0] !== Purpose.end) each(record.plain);
  }
  return generation;
}

/** Its records to the end, one after the other; undefined, and no more, where something else stands. */
async function* recordsOf(
  file: DiskFile,
  sealer: Sealer,
  place: Place,
  from: number,
): AsyncGenerator<{ readonly plain: Uint8Array; readonly end: number } | undefined> {
  const size = await file.size();
  let bytes: Uint8Array = new Uint8Array(0);
  let start = from;
  let at = from;
  const read = async (length: number): Promise<void> => {
    releaseBytes(bytes);
    [bytes, start] = [await file.read(at, length), at];
  };
  while (at < size) {
    if (start + bytes.length - at < HEAD_BYTES) await read(READ_BYTES);
    const length = lengthAt(bytes, at - start);
    if (length !== undefined && start + bytes.length - at < length) await read(Math.max(length, READ_BYTES));
    const record = length === undefined ? undefined : sealer.open(place, bytes, at - start, start);
    if (!record) {
      yield undefined;
      return;
    }
    at = start + record.end;
    yield { plain: record.plain, end: at };
  }
  releaseBytes(bytes);
}

/** Of one that may be damaged: what opens in it. */
export async function readSnapshot(
  crypto: Crypto,
  keys: StoreKeys,
  sealer: Sealer,
  number: number,
  bytes: Uint8Array,
): Promise<Snapshot> {
  const generation = readHeader(crypto, keys, FileKind.snapshot, number, bytes);
  if (generation === undefined) return { number, generation, packed: [], whole: false };
  const packed: Uint8Array[] = [];
  let entries = 0;
  let promised: number | undefined;
  let sound = true;
  let breath = 0;
  for (const stretch of sealer.read({ kind: FileKind.snapshot, generation, number }, bytes, HEADER_BYTES)) {
    if (stretch.kind === 'damaged') {
      sound = false;
      continue;
    }
    if (stretch.plain[0] === Purpose.end) {
      promised = endCount(stretch.plain);
    } else {
      packed.push(stretch.plain);
      entries += countEntries(stretch.plain);
    }
    breath += stretch.plain.length;
    if (breath > WRITE_BYTES) {
      breath = 0;
      await new Promise(setImmediate);
    }
  }
  return { number, generation, packed, whole: sound && promised === entries };
}

export async function writeSnapshot(
  disk: Disk,
  folder: string,
  crypto: Crypto,
  keys: StoreKeys,
  sealer: Sealer,
  place: Place,
  packed: readonly Uint8Array[],
): Promise<void> {
  const temporary = `${folder}/${fileName(place.number, TEMPORARY)}`;
  await disk.remove(temporary);
  const file = await disk.create(temporary);
  try {
    await writeRecords(file, writeHeader(crypto, keys, place), sealer, place, packed);
    await file.sync();
    await file.close();
    await disk.rename(temporary, `${folder}/${fileName(place.number, SNAPSHOT)}`);
    await disk.syncFolder(folder);
  } catch (error) {
    await file.close().catch(() => undefined);
    await disk.remove(temporary).catch(() => undefined);
    throw error;
  }
}

async function writeRecords(
  file: DiskFile,
  header: Uint8Array,
  sealer: Sealer,
  place: Place,
  packed: readonly Uint8Array[],
): Promise<void> {
  let parts: Uint8Array[] = [header];
  let offset = header.length;
  let written = 0;
  let entries = 0;
  const flush = async (): Promise<void> => {
    await file.write(written, Buffer.concat(parts));
    written = offset;
    parts = [];
    await new Promise(setImmediate);
  };
  const add = (plain: Uint8Array): void => {
    const record = sealer.seal(place, offset, plain);
    parts.push(record);
    offset += record.length;
  };
  for (const plain of packed) {
    add(plain);
    entries += countEntries(plain);
    if (offset - written >= WRITE_BYTES) await flush();
  }
  add(endRecord(entries));
  await flush();
}

function endRecord(entries: number): Uint8Array {
  const count = new Uint8Array(8);
  new DataView(count.buffer).setBigUint64(0, BigInt(entries), true);
  return packEntries(Purpose.end, [count]);
}

function endCount(plain: Uint8Array): number | undefined {
  const count = unpackEntries(plain).entries[0];
  return count?.length === 8
    ? Number(new DataView(count.buffer, count.byteOffset, 8).getBigUint64(0, true))
    : undefined;
}

function countEntries(plain: Uint8Array): number {
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  let count = 0;
  for (let at = ENTRIES_AT; at < plain.length; at += 4 + view.getUint32(at, true)) count += 1;
  return count;
}
