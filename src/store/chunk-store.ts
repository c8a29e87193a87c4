import type { ChunkId } from '../base/ids.ts';
import { assert } from '../base/assert.ts';
import type { ChunkStore } from '../sync/ports.ts';
import type { ChunkFiles } from './chunk-files.ts';
import type { ChunkPacks } from './chunk-packs.ts';
import { guarded } from './errors.ts';

/** Chunks under this size live in packs (L2). The same figure as in protocol/limits.ts, which this room may not know. */
export const PACK_BELOW_BYTES = 64 * 1024;

/** Chunks, ciphertext already: large ones are files, small ones share packs (L2). */
export class DiskChunkStore implements ChunkStore {
  readonly #files: ChunkFiles;
  readonly #packs: ChunkPacks;
  /** The same chunk may come from two peers at once. */
  readonly #arriving = new Map<ChunkId, Promise<void>>();

  constructor(files: ChunkFiles, packs: ChunkPacks) {
    this.#files = files;
    this.#packs = packs;
  }

  has(id: ChunkId): boolean {
    return this.#files.has(id) || this.#packs.has(id);
  }

  put(id: ChunkId, bytes: Uint8Array): Promise<void> {
    assert(/^[0-9a-f]{64}$/.test(id), 'a chunk id is 32 bytes');
    if (this.has(id)) return Promise.resolve();
    const arriving = this.#arriving.get(id);
    if (arriving) return arriving;
    const put = guarded('storing a chunk', () =>
      bytes.length < PACK_BELOW_BYTES ? this.#packs.put(id, bytes) : this.#files.put(id, bytes),
    ).finally(() => this.#arriving.delete(id));
    this.#arriving.set(id, put);
    return put;
  }

  async get(id: ChunkId): Promise<Uint8Array | undefined> {
    return guarded('reading a chunk', async () => (await this.#files.get(id)) ?? (await this.#packs.get(id)));
  }

  async delete(id: ChunkId): Promise<void> {
    await this.#arriving.get(id)?.catch(() => undefined);
    await guarded('removing a chunk', async () => {
      await this.#files.delete(id);
      await this.#packs.delete(id);
    });
  }

  async sync(): Promise<void> {
    await Promise.allSettled(this.#arriving.values());
    await guarded('making chunks durable', async () => {
      await this.#files.sync();
      await this.#packs.sync();
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#arriving.values());
    await guarded('closing the chunks', () => this.#packs.close());
  }
}
