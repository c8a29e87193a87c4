/**
 * Reading the log back after anything may have happened to it (L1, L3). The newest whole snapshot is the base; the segments
 * from its number on follow.
 *
 * | what is met | what is done |
 * | --- | --- |
 * | damage in the last commit of a segment that no later one fences | cut with what follows: it was never acknowledged |
 * | a stretch that the disk cannot read | as other damage, wherever it stands: it may have been acknowledged, and be read another time |
 * | other damage | set aside in `quarantine/`, counted, and reading resumes at the next record that opens |
 * | a segment that a later one fences is gone or too short | counted as a damaged stretch |
 * | anything beyond a fence | left alone, counted as late: an owner wrote it that was none any more |
 * | a damaged snapshot | set aside; the one before it is the base, and its segments are still there |
 * | one that the disk cannot read | left where it is; else as a damaged one. Where no other is whole, and the segments are not everything, nothing is opened |
 * | no whole snapshot, and segments from before it gone | what opens in the newest damaged one |
 */
import { releaseBytes } from '../base/bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { NOTHING_KEPT } from '../sync/ports.ts';
import type { Disk, DiskError } from './disk.ts';
import type { StoreKeys } from './keys.ts';
import {
  commitStart,
  FileKind,
  Purpose,
  unpackEntries,
  wholeRecords,
  type Place,
  type Sealer,
  type Stretch,
} from './record.ts';
import { QUARANTINE } from './quarantine.ts';
import { isUnreadable, readAround } from './sectors.ts';
import { fileName, HEADER_BYTES, numbersOf, readFence, readHeader, type Fence, type Fenced } from './segment.ts';
import { deliverSnapshot, readSnapshot, SNAPSHOT, TEMPORARY, type Snapshot } from './snapshot.ts';

export const JOURNAL = 'journal';
/** Enough for the fence of any journal that is compacted now and then. */
const FENCE_WITHIN_BYTES = 64 * 1024;
const BREATHE_BYTES = 1024 * 1024;
/** Of a segment of which the disk has read nothing that tells it. */
const UNKNOWN_GENERATION = 0;
/** Of a segment without a header: where none of so many whole records is ours, none is. */
const MAX_GUESSED_BY = 8;

export interface Segment {
  readonly number: number;
  readonly generation: number;
  /** Bytes of it that count. */
  length: number;
  /** Whether it holds more than its header and fence. */
  filled: boolean;
}

export interface Recovered {
  readonly segments: readonly Segment[];
  readonly snapshots: readonly number[];
  /** Of the snapshot that was taken, 0 where there was none. */
  readonly base: number;
  /** Whether the segments alone are not everything any more. */
  readonly pruned: boolean;
  readonly highestGeneration: number;
  readonly highestNumber: number;
  readonly records: number;
  readonly cutBytes: number;
  readonly quarantined: number;
  readonly lateBytes: number;
}

interface Head {
  readonly number: number;
  readonly generation: number | undefined;
  readonly fence: Fence | undefined;
}

export class Recovery {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #crypto: Crypto;
  readonly #keys: StoreKeys;
  readonly #sealer: Sealer;
  readonly #each: (record: Uint8Array) => unknown;
  #records = 0;
  #cutBytes = 0;
  #quarantined = 0;
  #lateBytes = 0;
  #highestGeneration = 0;
  #breath = 0;

  constructor(
    disk: Disk,
    folder: string,
    crypto: Crypto,
    keys: StoreKeys,
    sealer: Sealer,
    each: (record: Uint8Array) => unknown,
  ) {
    this.#disk = disk;
    this.#folder = folder;
    this.#crypto = crypto;
    this.#keys = keys;
    this.#sealer = sealer;
    this.#each = each;
  }

  async run(): Promise<Recovered> {
    const names = await this.#disk.list(this.#folder);
    for (const number of numbersOf(names, TEMPORARY)) {
      // What cannot be removed now is so at the next opening: it keeps nobody from what is there.
      await this.#disk.remove(this.#path(number, TEMPORARY)).catch(() => undefined);
    }
    const numbers = numbersOf(names, JOURNAL);
    const heads: Head[] = [];
    for (const number of numbers) heads.push(await this.#readHead(number));
    const fences = fencesOf(heads);

    const missing = [...fences.lengths.values()].filter(({ number }) => !numbers.includes(number));
    const pruned = fences.pruned || missing.length > 0;

    const { base, snapshots } = await this.#readBase(numbersOf(names, SNAPSHOT), pruned);
    this.#quarantined += missing.filter(({ number }) => number >= base).length;
    const segments: Segment[] = [];
    for (const head of heads) {
      const segment = await this.#readSegment(head, fences, base);
      if (segment) segments.push(segment);
    }
    return {
      segments,
      snapshots,
      base,
      pruned,
      highestGeneration: this.#highestGeneration,
      highestNumber: Math.max(0, ...numbers, ...numbersOf(names, SNAPSHOT)),
      records: this.#records,
      cutBytes: this.#cutBytes,
      quarantined: this.#quarantined,
      lateBytes: this.#lateBytes,
    };
  }

  async #readHead(number: number): Promise<Head> {
    const file = await this.#disk.open(this.#path(number, JOURNAL));
    if (!file) return { number, generation: undefined, fence: undefined };
    try {
      const bytes = await readAround(file, 0, FENCE_WITHIN_BYTES, () => undefined);
      const generation = readHeader(this.#crypto, this.#keys, FileKind.journal, number, bytes);
      if (generation === undefined) return { number, generation, fence: undefined };
      this.#highestGeneration = Math.max(this.#highestGeneration, generation);
      const first = this.#sealer.open({ kind: FileKind.journal, generation, number }, bytes, HEADER_BYTES);
      return { number, generation, fence: first && readFence(first.plain) };
    } finally {
      await file.close();
    }
  }

  async #readBase(numbers: readonly number[], pruned: boolean): Promise<{ base: number; snapshots: number[] }> {
    const snapshots = [...numbers];
    let salvage: Snapshot | undefined;
    let unreadable: DiskError | undefined;
    for (const number of numbers.toReversed()) {
      try {
        if (await this.#deliverWhole(number)) return { base: number, snapshots };
        const bytes = await this.#disk.read(this.#path(number, SNAPSHOT));
        if (!bytes) continue;
        const snapshot = await readSnapshot(this.#crypto, this.#keys, this.#sealer, number, bytes);
        this.#highestGeneration = Math.max(this.#highestGeneration, snapshot.generation ?? 0);
        await this.#setSnapshotAside(number);
        salvage ??= snapshot;
      } catch (error) {
        // Of which a part was handed on already, it cannot be given up for another.
        if (!isUnreadable(error) || this.#records > 0) throw error;
        unreadable ??= error;
      }
      this.#quarantined += 1;
      snapshots.splice(snapshots.indexOf(number), 1);
    }
    // Another time the disk may read it, and it is more than what opens in one that is damaged.
    if (unreadable && pruned) throw unreadable;
    if (!salvage || !pruned) return { base: 0, snapshots };
    await this.#deliver(salvage);
    return { base: salvage.number, snapshots };
  }

  /** False, and nothing handed on, where it is not whole or not there. */
  async #deliverWhole(number: number): Promise<boolean> {
    const file = await this.#disk.open(this.#path(number, SNAPSHOT));
    if (!file) return false;
    try {
      const hand = (plain: Uint8Array) => this.#hand(plain);
      const generation = await deliverSnapshot(file, this.#crypto, this.#keys, this.#sealer, number, hand);
      this.#highestGeneration = Math.max(this.#highestGeneration, generation ?? 0);
      return generation !== undefined;
    } finally {
      await file.close();
    }
  }

  async #deliver(snapshot: Snapshot): Promise<void> {
    for (const plain of snapshot.packed) {
      this.#hand(plain);
      await this.#breathe(plain.length);
    }
  }

  async #readSegment(head: Head, fences: Fences, base: number): Promise<Segment | undefined> {
    const { number } = head;
    const fenced = fences.lengths.get(number);
    const needed = number >= base;
    if (fenced && !needed) return { number, generation: fenced.generation, length: fenced.length, filled: true };
    const read = await this.#readAll(number);
    if (!read) return undefined;
    const { bytes, hasGaps } = read;
    if (!fenced && number < fences.by) {
      // Whoever came later did not count it: it was empty, or made by an owner that was none any more.
      this.#lateBytes += this.#entryBytes(head, bytes);
      return undefined;
    }
    const limit = fenced?.length ?? bytes.length;
    this.#lateBytes += Math.max(0, bytes.length - limit);
    const counted = bytes.subarray(0, limit);
    const told = fenced?.generation === UNKNOWN_GENERATION ? undefined : fenced?.generation;
    const generation = head.generation ?? told ?? this.#guessGeneration(number, counted);
    const mayBeTorn = !fenced && !hasGaps;
    if (generation === undefined) {
      if (mayBeTorn) await this.#cut(number, 0, counted.length);
      else await this.#setAside(number, 0, counted);
      return hasGaps ? { number, generation: UNKNOWN_GENERATION, length: limit, filled: true } : undefined;
    }
    if (head.generation === undefined) await this.#setAside(number, 0, counted.subarray(0, HEADER_BYTES));
    const place: Place = { kind: FileKind.journal, generation, number };
    return this.#readRecords(place, counted, fenced, needed, mayBeTorn);
  }

  async #readAll(number: number): Promise<{ readonly bytes: Uint8Array; readonly hasGaps: boolean } | undefined> {
    const file = await this.#disk.open(this.#path(number, JOURNAL));
    if (!file) return undefined;
    let hasGaps = false;
    try {
      const bytes = await readAround(file, 0, await file.size(), () => (hasGaps = true));
      return { bytes, hasGaps };
    } finally {
      await file.close();
    }
  }

  async #readRecords(
    place: Place,
    bytes: Uint8Array,
    fenced: Fenced | undefined,
    needed: boolean,
    mayBeTorn: boolean,
  ): Promise<Segment | undefined> {
    const { number, generation } = place;
    let filled = false;
    let soundUntil = HEADER_BYTES;
    /** Damage that may be a torn commit, and what was read behind it: it counts once a later commit is met. */
    const doubtful: Stretch[] = [];
    const take = async (stretch: Stretch): Promise<void> => {
      soundUntil = stretch.end;
      if (stretch.kind === 'damaged') {
        filled = true;
        return this.#setAside(number, stretch.offset, bytes.subarray(stretch.offset, stretch.end));
      }
      if (stretch.plain[0] === Purpose.entries) {
        filled = true;
        if (needed) this.#hand(stretch.plain);
      }
      return this.#breathe(stretch.end - stretch.offset);
    };
    for (const stretch of this.#sealer.read(place, bytes, HEADER_BYTES)) {
      const [torn] = doubtful;
      const later = stretch.kind === 'record' && torn && commitStart(stretch.plain, stretch.offset) > torn.offset;
      if (later) for (const settled of doubtful.splice(0)) await take(settled);
      if (mayBeTorn && (doubtful.length > 0 || stretch.kind === 'damaged')) doubtful.push(stretch);
      else await take(stretch);
    }
    const [torn] = doubtful;
    if (torn) {
      await this.#cut(number, torn.offset, bytes.length - torn.offset);
      return { number, generation, length: torn.offset, filled };
    }
    if (!fenced) await this.#makeDurable(number);
    if (fenced && soundUntil === bytes.length && bytes.length < fenced.length) this.#quarantined += 1;
    return { number, generation, length: bytes.length, filled };
  }

  #entryBytes({ number, generation }: Head, bytes: Uint8Array): number {
    if (generation === undefined) return 0;
    let length = 0;
    for (const stretch of this.#sealer.read({ kind: FileKind.journal, generation, number }, bytes, HEADER_BYTES)) {
      if (stretch.kind === 'record' && stretch.plain[0] === Purpose.entries) length += stretch.end - stretch.offset;
    }
    return length;
  }

  /**
   * A damaged header does not take its records along: they say themselves whether a generation is the right one. There are as many to try as
   * there were openings, for each of which began a segment: none is above the number.
   */
  #guessGeneration(number: number, bytes: Uint8Array): number | undefined {
    let tried = 0;
    for (const offset of wholeRecords(bytes, HEADER_BYTES)) {
      if (++tried > MAX_GUESSED_BY) break;
      for (let generation = number; generation > 0; generation--) {
        if (!this.#sealer.open({ kind: FileKind.journal, generation, number }, bytes, offset)) continue;
        this.#highestGeneration = Math.max(this.#highestGeneration, generation);
        return generation;
      }
    }
    return undefined;
  }

  #hand(plain: Uint8Array): void {
    const { entries } = unpackEntries(plain);
    // Of several each is a copy.
    let isKept = entries.length === 1;
    for (const entry of entries) {
      this.#records += 1;
      if (this.#each(entry) === NOTHING_KEPT) isKept = false;
    }
    if (!isKept) releaseBytes(plain);
  }

  /** A process that ended between writing and fsyncing left records that only seem durable. */
  async #makeDurable(number: number): Promise<void> {
    const file = await this.#disk.open(this.#path(number, JOURNAL));
    try {
      await file?.sync();
    } finally {
      await file?.close();
    }
  }

  async #cut(number: number, offset: number, bytes: number): Promise<void> {
    this.#cutBytes += bytes;
    const path = this.#path(number, JOURNAL);
    if (offset === 0) return this.#disk.remove(path);
    const file = await this.#disk.open(path);
    try {
      await file?.truncate(offset);
      await file?.sync();
    } finally {
      await file?.close();
    }
  }

  /** The original stays until the next compacting, so a copy that fails loses nothing. */
  async #setAside(number: number, offset: number, bytes: Uint8Array): Promise<void> {
    this.#quarantined += 1;
    const folder = `${this.#folder}/${QUARANTINE}`;
    try {
      await this.#disk.makeFolder(folder);
      const file = await this.#disk.create(`${folder}/${fileName(number, JOURNAL)}-${offset}`);
      await file.write(0, bytes).finally(() => file.close());
    } catch {
      // Already there since the last opening, or no space.
    }
  }

  /** Where it cannot be moved, it stays until it is older than two that are whole. */
  async #setSnapshotAside(number: number): Promise<void> {
    const folder = `${this.#folder}/${QUARANTINE}`;
    try {
      await this.#disk.makeFolder(folder);
      await this.#disk.rename(this.#path(number, SNAPSHOT), `${folder}/${fileName(number, SNAPSHOT)}`);
    } catch {
      // No space, or another program has it open.
    }
  }

  async #breathe(bytes: number): Promise<void> {
    this.#breath += bytes;
    if (this.#breath < BREATHE_BYTES) return;
    this.#breath = 0;
    await new Promise(setImmediate);
  }

  #path(number: number, extension: string): string {
    return `${this.#folder}/${fileName(number, extension)}`;
  }
}

/** What the newest segment that has a readable fence says of the others. */
interface Fences {
  readonly by: number;
  readonly lengths: ReadonlyMap<number, Fenced>;
  readonly pruned: boolean;
}

function fencesOf(heads: readonly Head[]): Fences {
  const newest = heads.findLast((head) => head.fence !== undefined);
  const segments = newest?.fence?.segments ?? [];
  return {
    by: newest?.number ?? 0,
    lengths: new Map(segments.map((fenced) => [fenced.number, fenced])),
    pruned: newest?.fence?.pruned ?? false,
  };
}
