import type { ChunkId } from '../../src/base/ids.ts';
import type { ChunkStore } from '../../src/sync/ports.ts';

/** A ChunkStore in memory that counts: what a test asks about is how much was put, and whether it was synced after. */
export class MemoryChunks implements ChunkStore {
  readonly held = new Map<ChunkId, Uint8Array>();
  puts = 0;
  putBytes = 0;
  syncs = 0;
  unsynced = 0;

  has(id: ChunkId): boolean {
    return this.held.has(id);
  }

  async put(id: ChunkId, bytes: Uint8Array): Promise<void> {
    this.puts++;
    this.unsynced++;
    this.putBytes += bytes.length;
    this.held.set(id, bytes.slice());
  }

  async get(id: ChunkId): Promise<Uint8Array | undefined> {
    return this.held.get(id)?.slice();
  }

  async delete(id: ChunkId): Promise<void> {
    this.held.delete(id);
  }

  async sync(): Promise<void> {
    this.syncs++;
    this.unsynced = 0;
  }
}
