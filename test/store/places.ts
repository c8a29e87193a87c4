/** Stores for tests: on the memory disk and in a fresh folder of the real one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import type { Disk } from '../../src/store/disk.ts';
import { nodeDisk } from '../../src/store/node-disk.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

export const FOLDER = '/store';
export const crypto = nodeCrypto();
export const KEY = seededRandom('store key')(32);

export function openOn(disk: Disk, folder = FOLDER, key = KEY): Promise<Store> {
  return openStore({ folder, key, crypto, disk });
}

export interface StorePlace {
  readonly disk: Disk;
  readonly folder: string;
  dispose(): Promise<void>;
}

export const places: Readonly<Record<string, () => Promise<StorePlace>>> = {
  'memory disk': async () => ({ disk: new MemoryDisk(), folder: FOLDER, dispose: async () => undefined }),
  'real disk': async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coterie-store-'));
    return { disk: nodeDisk(), folder, dispose: () => rm(folder, { recursive: true, force: true }) };
  },
};
