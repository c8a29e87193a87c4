/**
 * The log (L1): an append-only journal in segments, and snapshots that let old segments go.
 *
 * Appending commits in groups: whatever is there when the disk becomes free is sealed, written with one write and made
 * durable with one fsync; what arrives meanwhile shares the next. What one call appends is there wholly or not at all.
 *
 * | the disk says | the journal does |
 * | --- | --- |
 * | full, or an error, while writing | cuts the part off again, fails the group, goes on in the same segment |
 * | full, while it is opened | is read all the same, and begins its segment with the first append |
 * | the cut fails too, or the fsync fails | fails the group and leaves the segment for a new one, whose fence excludes the rest: after a failed fsync nobody knows what is on the disk |
 */
import { assert } from '../base/assert.ts';
import { joinBytes, releaseBytes } from '../base/bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { StoreError, type LogStore, type ReplayReport } from '../sync/ports.ts';
import { DiskError, type Disk, type DiskFile } from './disk.ts';
import { asStoreError, guarded } from './errors.ts';
import type { StoreKeys } from './keys.ts';
import { FileKind, grouped, packEntries, Purpose, Sealer, type Place } from './record.ts';
import { JOURNAL, Recovery, type Segment } from './recovery.ts';
import { fileName, numbersOf, SEGMENT_BYTES, writeFence, writeHeader } from './segment.ts';
import { SNAPSHOT, writeSnapshot } from './snapshot.ts';

/** Entries that come together share a record up to this: little enough to lose to one flipped bit. */
const RECORD_BYTES = 64 * 1024;
/** What one call appends stays one record up to this; beyond it a crash may keep its beginning only. */
const MAX_ATOMIC_BYTES = 16 * 1024 * 1024;

export interface JournalReport extends ReplayReport {
  /** Bytes that an earlier owner wrote after it had been replaced; they do not count (L3). */
  readonly lateBytes: number;
}

type Waiting =
  | { readonly kind: 'append'; readonly records: readonly Uint8Array[]; done(): void; failed(error: StoreError): void }
  | { readonly kind: 'roll'; done(number: number): void; failed(error: StoreError): void };
type Append = Extract<Waiting, { kind: 'append' }>;

interface Writer {
  readonly file: DiskFile;
  readonly segment: Segment;
}

export class Journal implements LogStore {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #crypto: Crypto;
  readonly #keys: StoreKeys;
  readonly #sealer: Sealer;
  #state: 'new' | 'open' | 'closed' = 'new';
  #generation = 0;
  #nextNumber = 1;
  #segments: Segment[] = [];
  #snapshots: number[] = [];
  #base = 0;
  /** Whether snapshots have taken the place of segments: the journal alone is not everything any more. */
  #pruned = false;
  #writer: Writer | undefined;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #compacting: Promise<void> = Promise.resolve();

  constructor(disk: Disk, folder: string, crypto: Crypto, keys: StoreKeys) {
    this.#disk = disk;
    this.#folder = folder;
    this.#crypto = crypto;
    this.#keys = keys;
    this.#sealer = new Sealer(crypto, keys);
  }

  get journalBytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) if (segment.number >= this.#base && segment.filled) bytes += segment.length;
    return bytes;
  }

  async replay(each: (record: Uint8Array) => unknown): Promise<JournalReport> {
    assert(this.#state === 'new', 'the log is replayed once');
    return guarded('reading the journal', async () => {
      const recovery = new Recovery(this.#disk, this.#folder, this.#crypto, this.#keys, this.#sealer, each);
      const { records, cutBytes, quarantined, lateBytes, ...found } = await recovery.run();
      this.#segments = [...found.segments];
      this.#snapshots = [...found.snapshots];
      this.#base = found.base;
      this.#pruned = found.pruned;
      this.#generation = found.highestGeneration + 1;
      this.#nextNumber = found.highestNumber + 1;
      // At once rather than with the first append: from here on nothing an earlier owner writes counts. A full disk must not keep anybody from
      // reading what is there: then the first append begins it, which fences what was read here.
      await this.#beginSegment().catch(unlessFull);
      this.#state = 'open';
      return { records, cutBytes, quarantined, lateBytes };
    });
  }

  append(records: readonly Uint8Array[]): Promise<void> {
    if (this.#state !== 'open') return Promise.reject(notOpen(this.#state));
    if (records.length === 0) return Promise.resolve();
    return new Promise((done, failed) => this.#enqueue({ kind: 'append', records, done, failed }));
  }

  /** The records are taken before this returns, so later changes do not mix in; sealing and writing follow. */
  compact(records: Iterable<Uint8Array>): Promise<void> {
    if (this.#state !== 'open') return Promise.reject(notOpen(this.#state));
    const packed = Array.from(grouped(records, RECORD_BYTES), (group) => packEntries(Purpose.entries, group));
    const number = new Promise<number>((done, failed) => this.#enqueue({ kind: 'roll', done, failed }));
    const compacted = this.#compacting.then(async () => {
      const place: Place = { kind: FileKind.snapshot, generation: this.#generation, number: await number };
      await guarded('writing a snapshot', () => this.#replace(place, packed));
    });
    number.catch(() => undefined);
    this.#compacting = compacted.catch(() => undefined);
    return compacted;
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    await this.#running;
    await this.#compacting;
    const writer = this.#writer;
    this.#writer = undefined;
    await guarded('closing the journal', async () => writer?.file.close());
  }

  #enqueue(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // Calls of the same turn share the first commit too.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group: Append[] = [];
      let next = this.#waiting.shift();
      for (; next?.kind === 'append'; next = this.#waiting.shift()) group.push(next);
      if (group.length > 0) await this.#settle(group, 'writing the journal', () => this.#commit(group));
      if (next) await this.#settle([next], 'beginning a segment', () => this.#beginSegment());
    }
    this.#running = undefined;
  }

  async #settle(group: readonly Waiting[], doing: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const failure = asStoreError(error, doing);
      for (const waiting of group) waiting.failed(failure);
      return;
    }
    const number = this.#segments.at(-1)!.number;
    for (const waiting of group) waiting.done(number);
  }

  async #commit(group: readonly Append[]): Promise<void> {
    if (!this.#writer || this.#writer.segment.length >= SEGMENT_BYTES) await this.#beginSegment();
    const writer = this.#writer!;
    const { file, segment } = writer;
    const bytes = this.#sealGroup(segment, group);
    try {
      await file.write(segment.length, bytes);
    } catch (error) {
      await file.truncate(segment.length).catch(() => this.#abandon(writer));
      throw error;
    }
    try {
      await file.sync();
    } catch (error) {
      await this.#abandon(writer);
      throw error;
    }
    segment.length += bytes.length;
    segment.filled = true;
    releaseBytes(bytes);
  }

  #sealGroup({ number, generation, length }: Segment, group: readonly Append[]): Uint8Array {
    const place: Place = { kind: FileKind.journal, generation, number };
    const sealed: Uint8Array[] = [];
    let offset = length;
    for (const entries of atomicGroups(group)) {
      const plain = packEntries(Purpose.entries, entries, offset - length);
      const record = this.#sealer.seal(place, offset, plain);
      releaseBytes(plain);
      sealed.push(record);
      offset += record.length;
    }
    if (sealed.length === 1) return sealed[0]!;
    const all = joinBytes(sealed);
    for (const record of sealed) releaseBytes(record);
    return all;
  }

  /** Made exclusively, so that of two owners one is refused; durable before the first record goes in. */
  async #beginSegment(): Promise<void> {
    if (this.#writer) await this.#abandon(this.#writer);
    const kept = this.#segments.filter(({ filled }) => filled);
    const number = this.#nextNumber;
    const place: Place = { kind: FileKind.journal, generation: this.#generation, number };
    const path = this.#path(number, JOURNAL);
    const file = await this.#disk.create(path);
    // Whatever happens to this file, its name is used up.
    this.#nextNumber += 1;
    try {
      const header = writeHeader(this.#crypto, this.#keys, place);
      const head = Buffer.concat([header, this.#sealer.seal(place, header.length, writeFence(kept, this.#pruned))]);
      await file.write(0, head);
      await file.sync();
      await this.#disk.syncFolder(this.#folder);
      const segment: Segment = { number, generation: this.#generation, length: head.length, filled: false };
      const empty = this.#segments.filter(({ filled }) => !filled);
      this.#segments = [...kept, segment];
      this.#writer = { file, segment };
      for (const { number } of empty) await this.#disk.remove(this.#path(number, JOURNAL)).catch(() => undefined);
    } catch (error) {
      await file.close().catch(() => undefined);
      await this.#disk.remove(path).catch(() => undefined);
      throw error;
    }
  }

  async #abandon(writer: Writer): Promise<void> {
    if (this.#writer === writer) this.#writer = undefined;
    await writer.file.close().catch(() => undefined);
  }

  async #replace(place: Place, packed: readonly Uint8Array[]): Promise<void> {
    await writeSnapshot(this.#disk, this.#folder, this.#crypto, this.#keys, this.#sealer, place, packed);
    this.#base = place.number;
    this.#snapshots.push(place.number);
    const previous = this.#snapshots.at(-2);
    // Until there are two, the journal from its beginning is what a damaged snapshot falls back to.
    if (previous === undefined) return;
    this.#pruned = true;
    this.#segments = this.#segments.filter(({ number }) => number >= previous);
    this.#snapshots = this.#snapshots.slice(-2);
    const names = await this.#disk.list(this.#folder);
    for (const extension of [JOURNAL, SNAPSHOT]) {
      for (const number of numbersOf(names, extension)) {
        if (number < previous) await this.#disk.remove(this.#path(number, extension));
      }
    }
  }

  #path(number: number, extension: string): string {
    return `${this.#folder}/${fileName(number, extension)}`;
  }
}

/** Small calls share a record, a large one has its own, and only a huge one has several. */
function* atomicGroups(group: readonly Append[]): Generator<readonly Uint8Array[]> {
  let shared: Uint8Array[] = [];
  let bytes = 0;
  for (const { records } of group) {
    const size = records.reduce((sum, record) => sum + record.length + 4, 0);
    if (shared.length > 0 && bytes + size > RECORD_BYTES) {
      yield shared;
      shared = [];
      bytes = 0;
    }
    if (size > MAX_ATOMIC_BYTES) {
      yield* grouped(records, MAX_ATOMIC_BYTES);
      continue;
    }
    for (const record of records) shared.push(record);
    bytes += size;
  }
  if (shared.length > 0) yield shared;
}

function unlessFull(error: unknown): void {
  if (!(error instanceof DiskError && error.code === 'full')) throw error;
}

function notOpen(state: 'new' | 'closed'): StoreError {
  return new StoreError('io', state === 'new' ? 'the log was not replayed yet' : 'the log is closed');
}
