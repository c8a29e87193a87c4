import assert from 'node:assert/strict';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { setStoreAside } from '../../src/store/aside.ts';
import { nodeDisk } from '../../src/store/node-disk.ts';
import { openStore } from '../../src/store/store.ts';
import { StoreError } from '../../src/sync/ports.ts';

const crypto = nodeCrypto();
const [first, second] = [crypto.randomBytes(32), crypto.randomBytes(32)];
const record = Uint8Array.of(1, 2, 3);

describe('a store that is set aside', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coterie-aside-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function write(key: Uint8Array): Promise<void> {
    const { log, close } = await openStore({ folder, key, crypto });
    await log.replay(() => undefined);
    await log.append([record]);
    await close();
  }

  async function read(at: string, key: Uint8Array): Promise<number> {
    const { log, close } = await openStore({ folder: at, key, crypto });
    let records = 0;
    await log.replay(() => records++);
    await close();
    return records;
  }

  it('I2 opens with its own key still, and another begins where it was', async () => {
    await write(first);
    await assert.rejects(write(second), (error: unknown) => error instanceof StoreError && error.code === 'locked');
    assert.equal(await setStoreAside(folder), 'aside-1');
    await write(second);
    assert.equal(await read(folder, second), 1);
    assert.equal(await read(join(folder, 'aside-1'), first), 1);
    assert.equal(await setStoreAside(folder), 'aside-2');
    assert.equal(await read(join(folder, 'aside-2'), second), 1);
  });

  it('I2 a stop at any step in between is gone on with, and loses nothing', async () => {
    assert.equal(await setStoreAside(folder), undefined);
    for (let stopAfter = 0; stopAfter < 5; stopAfter++) {
      await write(first);
      let renames = 0;
      const disk = nodeDisk();
      const stopping = {
        ...disk,
        rename: async (from: string, to: string) => {
          if (renames++ === stopAfter) throw new Error('stopped');
          await disk.rename(from, to);
        },
      };
      await assert.rejects(setStoreAside(folder, stopping));
      const name = (await setStoreAside(folder))!;
      assert.equal(await read(join(folder, name), first), 1, `after ${stopAfter} of the parts`);
      assert.deepEqual(
        (await readdir(folder)).filter((one) => !one.startsWith('aside-')),
        [],
      );
      await rename(join(folder, name), join(folder, `kept-${stopAfter}`));
      await rm(join(folder, `kept-${stopAfter}`), { recursive: true });
    }
  });

  it('L3 one that is open is left alone', async () => {
    const { close } = await openStore({ folder, key: first, crypto });
    await assert.rejects(
      setStoreAside(folder),
      (error: unknown) => error instanceof StoreError && error.code === 'inUse',
    );
    await close();
  });
});
