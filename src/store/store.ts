/**
 * One encrypted folder that holds everything a device knows (L1, L2).
 *
 *   store, store.copy                 what the folder is, and the proof of the key (header.ts)
 *   lock-…                            who owns it (lock.ts)
 *   log/00000007.journal              segments (segment.ts), sealed records (record.ts)
 *   log/00000007.snapshot             snapshots (snapshot.ts)
 *   log/quarantine/                   damaged stretches, as they were found, till two snapshots are newer (quarantine.ts)
 *   chunks/ab/<id>, chunks/new/<id>   chunks (chunk-files.ts)
 *   packs/00000003.pack               small chunks (chunk-packs.ts)
 *   index                             an image of the index (scrap.ts)
 */
import type { Crypto } from '../crypto/crypto.ts';
import { StoreError, type ChunkStore } from '../sync/ports.ts';
import { ChunkFiles } from './chunk-files.ts';
import { ChunkPacks } from './chunk-packs.ts';
import { DiskChunkStore } from './chunk-store.ts';
import type { Disk } from './disk.ts';
import { guarded } from './errors.ts';
import { createHeader, hasHeader, unlock } from './header.ts';
import { Journal } from './journal.ts';
import { nodeDisk } from './node-disk.ts';
import { emptyQuarantine } from './quarantine.ts';
import { Scrap } from './scrap.ts';

export interface StoreOptions {
  readonly folder: string;
  /** 32 bytes, from the keychain. A missing or wrong one leaves the store as it is (I2). */
  readonly key: Uint8Array;
  readonly crypto: Crypto;
  readonly disk?: Disk;
}

export interface Store {
  readonly log: Journal;
  readonly chunks: ChunkStore;
  readonly indexImage: Scrap;
  close(): Promise<void>;
}

/** Opens the store, or makes it where there is none. Throws StoreError. */
export async function openStore({ folder, key, crypto, disk = nodeDisk() }: StoreOptions): Promise<Store> {
  return guarded('opening the store', async () => {
    await disk.makeFolder(folder);
    const claim = await disk.claim(folder);
    try {
      const keys = (await unlock(disk, folder, crypto, key)) ?? (await begin(disk, folder, crypto, key));
      for (const name of ['log', 'chunks', 'packs']) await disk.makeFolder(`${folder}/${name}`);
      await emptyQuarantine(disk, `${folder}/log`);
      const log = new Journal(disk, `${folder}/log`, crypto, keys);
      const chunks = new DiskChunkStore(
        await ChunkFiles.open(disk, `${folder}/chunks`),
        await ChunkPacks.open(disk, `${folder}/packs`, crypto, keys),
      );
      const close = async (): Promise<void> => {
        try {
          await log.close();
          await chunks.close();
        } finally {
          await claim.release();
        }
      };
      const indexImage = new Scrap(disk, folder, 'index', crypto, keys);
      return { log, chunks, indexImage, close };
    } catch (error) {
      await claim.release();
      throw error;
    }
  });
}

export async function storeExists(folder: string, disk: Disk = nodeDisk()): Promise<boolean> {
  return guarded('looking for a store', () => hasHeader(disk, folder));
}

/** A folder that lost its header is not an empty one: what is in it was written under an id that is gone. */
async function begin(disk: Disk, folder: string, crypto: Crypto, key: Uint8Array) {
  for (const name of ['log', 'packs']) {
    if ((await disk.list(`${folder}/${name}`)).length > 0) {
      throw new StoreError('damaged', 'the store has lost its header');
    }
  }
  return createHeader(disk, folder, crypto, key);
}
