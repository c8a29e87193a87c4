import assert from 'node:assert/strict';
import { cp, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDisk } from '../../src/store/node-disk.ts';
import { placeOf } from '../../src/store/place.ts';
import { openOn } from './places.ts';

describe('the place of a store', () => {
  let folder: string;
  let store: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coterie-place-'));
    store = join(folder, 'store');
    await use();
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function use(): Promise<void> {
    const { log, close } = await openOn(nodeDisk(), store);
    await log.replay(() => undefined);
    await log.append([Uint8Array.of(1)]);
    await close();
  }

  /** The clock of a file system has steps. */
  async function laterThan(folder: string): Promise<void> {
    const probe = join(folder, 'probe');
    const { ctimeNs } = await stat(join(folder, 'store'), { bigint: true });
    do await writeFile(probe, '');
    while ((await stat(probe, { bigint: true })).ctimeNs <= ctimeNs);
    await rm(probe);
  }

  it('D2 stays the same while the store is used, and when its folder gets another name', async () => {
    const place = await placeOf(store);
    assert.notEqual(place, undefined);
    await use();
    assert.equal(await placeOf(store), place);
    await rename(store, join(folder, 'renamed'));
    assert.equal(await placeOf(join(folder, 'renamed')), place);
  });

  it('D2 is another for a copy with all its times, and for a back-up that was restored', async () => {
    const place = await placeOf(store);
    const backUp = join(folder, 'back-up');
    await laterThan(store);
    await cp(store, backUp, { recursive: true, preserveTimestamps: true });
    assert.notEqual(await placeOf(backUp), place);
    await rm(store, { recursive: true });
    await laterThan(backUp);
    await cp(backUp, store, { recursive: true, preserveTimestamps: true });
    assert.notEqual(await placeOf(store), place);
    assert.notEqual(await placeOf(store), await placeOf(backUp));
  });

  it('D2 is unknown where there is no store', async () => {
    assert.equal(await placeOf(join(folder, 'elsewhere')), undefined);
  });
});
