/**
 * Chunks as files (L2). A chunk is written as `chunks/new/<id>` and becomes `chunks/ab/<id>` (its first byte) by `sync`,
 * once it is fsynced: whatever has its final name is whole, and `new` is emptied when the store is opened.
 *
 * | offset | bytes | field |
 * | --- | --- | --- |
 * | 0 | 4 | magic `CtC0` |
 * | 4 | 4 | CRC-32 of the rest, little-endian |
 * | 8 | | the chunk, ciphertext already |
 */
import { crc32 } from 'node:zlib';
import { equalBytes } from '../base/bytes.ts';
import type { ChunkId } from '../base/ids.ts';
import { toUtf8 } from '../base/utf8.ts';
import type { Disk } from './disk.ts';
import { isUnreadable } from './sectors.ts';

const MAGIC = toUtf8('CtC0');
const HEAD_BYTES = 8;
const NEW = 'new';
/** Fsyncs under way at once: file systems commit them together. */
const SYNCS_AT_ONCE = 8;

export class ChunkFiles {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #known = new Map<ChunkId, 'new' | 'kept'>();
  /** Whose file the disk could not read. It stays: another time it may be read. */
  readonly #unreadable = new Set<ChunkId>();
  /** Folders whose names are not durable yet. */
  readonly #touched = new Set<string>();
  readonly #made = new Set<string>();
  #syncing: Promise<void> = Promise.resolve();

  private constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  static async open(disk: Disk, folder: string): Promise<ChunkFiles> {
    const files = new ChunkFiles(disk, folder);
    await disk.makeFolder(`${folder}/${NEW}`);
    for (const name of await disk.list(`${folder}/${NEW}`)) {
      // What cannot be removed now is so at the next opening: it keeps nobody from what is there.
      await disk.remove(`${folder}/${NEW}/${name}`).catch(() => undefined);
    }
    for (const first of await disk.list(folder)) {
      if (!/^[0-9a-f]{2}$/.test(first)) continue;
      files.#made.add(`${folder}/${first}`);
      // A process that ended between renaming and fsyncing left names that only seem durable.
      files.#touched.add(`${folder}/${first}`);
      for (const name of await disk.list(`${folder}/${first}`)) {
        if (/^[0-9a-f]{64}$/.test(name) && name.startsWith(first)) files.#known.set(name as ChunkId, 'kept');
      }
    }
    return files;
  }

  has(id: ChunkId): boolean {
    return this.#known.has(id);
  }

  async put(id: ChunkId, bytes: Uint8Array): Promise<void> {
    const head = new Uint8Array(HEAD_BYTES);
    head.set(MAGIC, 0);
    new DataView(head.buffer).setUint32(4, crc32(bytes), true);
    const path = this.#newPath(id);
    // Left by a removal that failed.
    await this.#disk.remove(path);
    const file = await this.#disk.create(path);
    try {
      await file.write(0, Buffer.concat([head, bytes]));
      await file.close();
    } catch (error) {
      await file.close().catch(() => undefined);
      await this.#disk.remove(path).catch(() => undefined);
      throw error;
    }
    this.#known.set(id, 'new');
  }

  /** Undefined where it is not there, not as it was written or cannot be read: then it is forgotten, to be fetched again. */
  async get(id: ChunkId): Promise<Uint8Array | undefined> {
    const state = this.#known.get(id);
    if (!state) return undefined;
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.#disk.read(state === 'new' ? this.#newPath(id) : this.#keptPath(id));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.#known.delete(id);
      this.#unreadable.add(id);
      return undefined;
    }
    // Made durable, and so renamed, while it was being looked for.
    if (!bytes && state === 'new' && this.#known.get(id) === 'kept') return this.get(id);
    if (bytes && isSound(bytes)) return bytes.subarray(HEAD_BYTES);
    await this.delete(id);
    return undefined;
  }

  async delete(id: ChunkId): Promise<void> {
    const isThere = this.#known.delete(id);
    if (!this.#unreadable.delete(id) && !isThere) return;
    await this.#disk.remove(this.#newPath(id));
    await this.#disk.remove(this.#keptPath(id));
    this.#touched.add(this.#keptFolder(id));
  }

  sync(): Promise<void> {
    const synced = this.#syncing.then(() => this.#sync());
    this.#syncing = synced.catch(() => undefined);
    return synced;
  }

  async #sync(): Promise<void> {
    const fresh = [...this.#known].filter(([, state]) => state === 'new').map(([id]) => id);
    for (let at = 0; at < fresh.length; at += SYNCS_AT_ONCE) {
      const outcomes = await Promise.allSettled(fresh.slice(at, at + SYNCS_AT_ONCE).map((id) => this.#keep(id)));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    }
    for (const folder of [...this.#touched]) {
      this.#touched.delete(folder);
      try {
        await this.#disk.syncFolder(folder);
      } catch (error) {
        this.#touched.add(folder);
        throw error;
      }
    }
  }

  async #keep(id: ChunkId): Promise<void> {
    const file = await this.#disk.open(this.#newPath(id));
    if (!file) return;
    try {
      await file.sync();
    } catch (error) {
      // Nobody knows what is on the disk now, and a second fsync would answer that all is well.
      await file.close().catch(() => undefined);
      await this.delete(id).catch(() => undefined);
      throw error;
    }
    await file.close();
    const folder = this.#keptFolder(id);
    if (!this.#made.has(folder)) {
      await this.#disk.makeFolder(folder);
      this.#made.add(folder);
    }
    if (!this.#known.has(id)) return;
    this.#touched.add(folder);
    await this.#disk.rename(this.#newPath(id), this.#keptPath(id));
    if (this.#known.has(id)) this.#known.set(id, 'kept');
    else await this.#disk.remove(this.#keptPath(id));
  }

  #newPath(id: ChunkId): string {
    return `${this.#folder}/${NEW}/${id}`;
  }

  #keptPath(id: ChunkId): string {
    return `${this.#keptFolder(id)}/${id}`;
  }

  #keptFolder(id: ChunkId): string {
    return `${this.#folder}/${id.slice(0, 2)}`;
  }
}

function isSound(bytes: Uint8Array): boolean {
  if (bytes.length < HEAD_BYTES || !equalBytes(bytes.subarray(0, 4), MAGIC)) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(4, true) === crc32(bytes.subarray(HEAD_BYTES));
}
