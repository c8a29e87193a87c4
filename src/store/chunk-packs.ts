/**
 * Small chunks share packs (L2): a file each would cost a block of the disk and a name. Which chunk is where is in memory,
 * learnt by reading the packs when the store is opened. Every owner writes packs of its own, made exclusively, so an
 * earlier owner's late writes damage nothing.
 *
 * `sync` rewrites what is mostly dead: the chunks in use move to the present pack, that is fsynced, and only then the old
 * one goes. A removal moves along as long as another pack still holds the chunk it removes. Where the fsync fails, a chunk is where it was
 * before, and the pack stays as long as this owner lives: what of it is on the disk the next opening finds. So does a pack of which the disk
 * cannot read a part: another time it may. Rewriting only gives space back, so where it fails `sync` does not: it is tried again with the next.
 */
import type { ChunkId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { DiskError, type Disk } from './disk.ts';
import type { StoreKeys } from './keys.ts';
import {
  deadBytes,
  emptyPack,
  ENTRY_HEAD_BYTES,
  EntryKind,
  readEntries,
  readEntry,
  writeEntry,
  type Pack,
} from './pack.ts';
import { FileKind } from './record.ts';
import { readAround } from './sectors.ts';
import { fileName, HEADER_BYTES, numbersOf, readHeader, writeHeader } from './segment.ts';

const PACK = 'pack';
/** A pack takes no more after this: bounds what one rewriting moves. */
const PACK_BYTES = 32 * 1024 * 1024;
/** Every opening leaves a pack of its own; more small ones than this are put together. */
const SMALL_PACK_BYTES = 1024 * 1024;
const MAX_SMALL_PACKS = 8;
const NOTHING = new Uint8Array(0);

interface Place {
  readonly pack: Pack;
  readonly offset: number;
  readonly end: number;
}

export class ChunkPacks {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #crypto: Crypto;
  readonly #keys: StoreKeys;
  readonly #packs = new Map<number, Pack>();
  readonly #live = new Map<ChunkId, Place>();
  /** Where what was moved still is, until the pack goes that it was moved out of. */
  readonly #movedFrom = new Map<ChunkId, Place>();
  /** Packs whose fsync has failed. */
  readonly #doubtful = new Set<Pack>();
  /** Packs of which the disk cannot read a part. */
  readonly #unreadable = new Set<Pack>();
  #generation = 1;
  #nextNumber = 1;
  /** The pack of this owner that takes what comes. */
  #present: Pack | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(disk: Disk, folder: string, crypto: Crypto, keys: StoreKeys) {
    this.#disk = disk;
    this.#folder = folder;
    this.#crypto = crypto;
    this.#keys = keys;
  }

  static async open(disk: Disk, folder: string, crypto: Crypto, keys: StoreKeys): Promise<ChunkPacks> {
    const packs = new ChunkPacks(disk, folder, crypto, keys);
    for (const number of numbersOf(await disk.list(folder), PACK)) await packs.#learn(number);
    return packs;
  }

  has(id: ChunkId): boolean {
    return this.#live.has(id);
  }

  put(id: ChunkId, bytes: Uint8Array): Promise<void> {
    return this.#oneAtATime(() => this.#write(EntryKind.chunk, id, bytes));
  }

  /** Undefined where it is not there, not as it was written or cannot be read: then it is forgotten, to be fetched again. */
  get(id: ChunkId): Promise<Uint8Array | undefined> {
    return this.#oneAtATime(async () => (this.#live.has(id) ? this.#read(id) : undefined));
  }

  delete(id: ChunkId): Promise<void> {
    return this.#oneAtATime(async () => {
      const isUnreadable = [...this.#unreadable].some((pack) => pack.dead.has(id));
      if (!isUnreadable && !this.#live.has(id)) return;
      await this.#write(EntryKind.removal, id, NOTHING);
    });
  }

  sync(): Promise<void> {
    return this.#oneAtATime(async () => {
      const rewritten = await this.#rewrite().catch(failed);
      for (const pack of this.#packs.values()) if (pack.syncedLength < pack.length) await this.#syncPack(pack);
      // None before those that are older: what it has of removals may be of theirs.
      for (const pack of rewritten ?? []) if ((await this.#remove(pack).catch(failed)) === undefined) break;
    });
  }

  close(): Promise<void> {
    return this.#oneAtATime(async () => {
      for (const pack of this.#packs.values()) await pack.file.close();
      this.#packs.clear();
    });
  }

  async #learn(number: number): Promise<void> {
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    const path = this.#path(number);
    const file = await this.#disk.open(path);
    if (!file) return;
    const size = await file.size();
    const header = await readAround(file, 0, HEADER_BYTES, () => undefined);
    const generation = readHeader(this.#crypto, this.#keys, FileKind.pack, number, header);
    if (generation !== undefined) this.#generation = Math.max(this.#generation, generation + 1);
    // A damaged header changes nothing: each entry has its own checksum, and the chunk itself is authenticated by its reader.
    const pack = emptyPack(number, file, Math.max(size, HEADER_BYTES));
    this.#packs.set(number, pack);
    for await (const entries of readEntries(file, size, () => this.#unreadable.add(pack)))
      for (const { kind, id, offset, end } of entries) this.#enter(pack, kind, id, offset, end);
  }

  /** Packs are read in the order of their numbers and entries in the order they were written: the last word counts. */
  #enter(pack: Pack, kind: EntryKind, id: ChunkId, offset: number, end: number): void {
    this.#forget(id);
    if (kind === EntryKind.removal) {
      pack.removals.add(id);
      return;
    }
    pack.liveBytes += end - offset;
    this.#live.set(id, { pack, offset, end });
  }

  #forget(id: ChunkId): void {
    const place = this.#live.get(id);
    if (!place) return;
    this.#live.delete(id);
    place.pack.liveBytes -= place.end - place.offset;
    place.pack.dead.add(id);
  }

  async #read(id: ChunkId): Promise<Uint8Array | undefined> {
    const { pack, offset, end } = this.#live.get(id)!;
    const bytes = await readAround(pack.file, offset, end - offset, () => this.#unreadable.add(pack));
    const entry = readEntry(bytes, 0);
    if (entry?.id === id && entry.kind === EntryKind.chunk && entry.end === bytes.length) {
      return bytes.subarray(ENTRY_HEAD_BYTES);
    }
    this.#forget(id);
    return undefined;
  }

  async #write(kind: EntryKind, id: ChunkId, bytes: Uint8Array): Promise<void> {
    const pack = await this.#presentPack();
    const entry = writeEntry(kind, id, bytes);
    const offset = pack.length;
    try {
      await pack.file.write(offset, entry);
    } catch (error) {
      // What the cut leaves is no whole entry, and the next one is written over it.
      await pack.file.truncate(offset).catch(() => this.#retire(pack));
      throw error;
    }
    pack.length += entry.length;
    this.#enter(pack, kind, id, offset, pack.length);
  }

  async #presentPack(): Promise<Pack> {
    if (this.#present && this.#present.length < PACK_BYTES) return this.#present;
    const number = this.#nextNumber;
    const path = this.#path(number);
    const file = await this.#disk.create(path);
    this.#nextNumber += 1;
    try {
      const header = writeHeader(this.#crypto, this.#keys, {
        kind: FileKind.pack,
        generation: this.#generation,
        number,
      });
      await file.write(0, header);
      await this.#disk.syncFolder(this.#folder);
      this.#present = emptyPack(number, file, header.length);
      this.#packs.set(number, this.#present);
      return this.#present;
    } catch (error) {
      await file.close().catch(() => undefined);
      await this.#disk.remove(path).catch(() => undefined);
      throw error;
    }
  }

  #retire(pack: Pack): void {
    if (this.#present === pack) this.#present = undefined;
  }

  async #syncPack(pack: Pack): Promise<void> {
    const length = pack.length;
    try {
      await pack.file.sync();
    } catch (error) {
      // Nobody knows what of it is on the disk now: what was not durable before is forgotten, and goes elsewhere next time.
      this.#retire(pack);
      this.#doubtful.add(pack);
      for (const [id, place] of [...this.#live]) {
        if (place.pack === pack && place.end > pack.syncedLength) this.#takeBack(id);
      }
      throw error;
    }
    pack.syncedLength = length;
  }

  /** It is where it was moved from, if it was. */
  #takeBack(id: ChunkId): void {
    this.#forget(id);
    const before = this.#movedFrom.get(id);
    this.#movedFrom.delete(id);
    if (!before || this.#doubtful.has(before.pack)) return;
    before.pack.dead.delete(id);
    this.#enter(before.pack, EntryKind.chunk, id, before.offset, before.end);
  }

  /** Moves what is in use out of packs that are not worth their space. */
  async #rewrite(): Promise<readonly Pack[]> {
    if (this.#present && isMostlyDead(this.#present)) this.#retire(this.#present);
    const others = [...this.#packs.values()].filter((pack) => pack !== this.#present && !this.#stays(pack));
    const small = others.filter((pack) => pack.length < SMALL_PACK_BYTES);
    const worthless = new Set(others.filter((pack) => isMostlyDead(pack)));
    if (small.length > MAX_SMALL_PACKS) for (const pack of small) worthless.add(pack);
    if (worthless.size === 0) return [];

    for (const [id, place] of [...this.#live]) {
      if (!worthless.has(place.pack)) continue;
      const bytes = await this.#read(id);
      if (this.#stays(place.pack)) worthless.delete(place.pack);
      if (!bytes) continue;
      await this.#write(EntryKind.chunk, id, bytes);
      this.#movedFrom.set(id, place);
    }
    const remaining = [...this.#packs.values()].filter((pack) => !worthless.has(pack));
    for (const { removals } of worthless) {
      for (const id of removals) {
        const stillThere = remaining.some((pack) => pack.dead.has(id) || this.#unreadable.has(pack));
        if (stillThere && !this.#live.has(id)) await this.#write(EntryKind.removal, id, NOTHING);
      }
    }
    return [...worthless].sort((a, b) => a.number - b.number);
  }

  #stays(pack: Pack): boolean {
    return this.#doubtful.has(pack) || this.#unreadable.has(pack);
  }

  async #remove(pack: Pack): Promise<true> {
    await pack.file.close();
    await this.#disk.remove(this.#path(pack.number));
    this.#packs.delete(pack.number);
    for (const [id, place] of this.#movedFrom) if (place.pack === pack) this.#movedFrom.delete(id);
    return true;
  }

  #oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  #path(number: number): string {
    return `${this.#folder}/${fileName(number, PACK)}`;
  }
}

/** For what may as well be done another time: undefined where the disk has failed. */
function failed(error: unknown): undefined {
  if (!(error instanceof DiskError)) throw error;
}

/** Half of it or more, and a block of the disk at least: rewriting must give something back. */
function isMostlyDead(pack: Pack): boolean {
  const dead = deadBytes(pack);
  return dead >= 4096 && dead * 2 >= pack.length;
}
