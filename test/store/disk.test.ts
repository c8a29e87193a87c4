/** The real disk and the fake one answer alike; the fake one besides forgets what it may forget. */
import assert from 'node:assert/strict';
import { existsSync, promises } from 'node:fs';
import { DiskError } from '../../src/store/disk.ts';
import { nodeDisk } from '../../src/store/node-disk.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { FOLDER, places, type StorePlace } from './places.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (read: Uint8Array | undefined): string | undefined => read && new TextDecoder().decode(read);
const withCode = (code: DiskError['code']) => (error: unknown) => error instanceof DiskError && error.code === code;

for (const [name, make] of Object.entries(places)) {
  describe(`Disk contract: ${name}`, () => {
    let place: StorePlace;
    beforeEach(async () => {
      place = await make();
      await place.disk.makeFolder(`${place.folder}/a/b`);
    });
    afterEach(() => place.dispose());

    it('writes, reads, cuts and closes', async () => {
      const path = `${place.folder}/a/file`;
      const file = await place.disk.create(path);
      await file.write(0, bytes('hello world'));
      await file.write(6, bytes('there'));
      await file.sync();
      assert.equal(await file.size(), 11);
      assert.equal(text(await file.read(6, 100)), 'there');
      assert.equal((await file.read(50, 10)).length, 0);
      await file.truncate(5);
      await file.close();
      await file.close();
      assert.equal(text(await place.disk.read(path)), 'hello');
      const again = await place.disk.open(path);
      await again!.write(5, bytes('!'));
      await again!.close();
      assert.equal(text(await place.disk.read(path)), 'hello!');
    });

    it('writes what is larger than one write', async () => {
      const large = seededRandom(name)(300_000);
      const file = await place.disk.create(`${place.folder}/large`);
      await file.write(0, large);
      assert.deepEqual(Buffer.from(await file.read(0, 300_000)), Buffer.from(large));
      await file.close();
    });

    it('makes a file exclusively', async () => {
      const path = `${place.folder}/a/file`;
      await (await place.disk.create(path)).close();
      await assert.rejects(place.disk.create(path), withCode('exists'));
    });

    it('renames over what was there, lists and removes', async () => {
      const { disk, folder } = place;
      for (const name of ['one', 'two']) {
        const file = await disk.create(`${folder}/a/${name}`);
        await file.write(0, bytes(name));
        await file.close();
      }
      await disk.rename(`${folder}/a/one`, `${folder}/a/two`);
      await disk.syncFolder(`${folder}/a`);
      assert.deepEqual([...(await disk.list(`${folder}/a`))].sort(), ['b', 'two']);
      assert.equal(text(await disk.read(`${folder}/a/two`)), 'one');
      await disk.remove(`${folder}/a/two`);
      await disk.remove(`${folder}/a/two`);
      assert.deepEqual(await disk.list(`${folder}/a`), ['b']);
    });

    it('takes what is missing for missing', async () => {
      const { disk, folder } = place;
      assert.equal(await disk.read(`${folder}/none`), undefined);
      assert.equal(await disk.open(`${folder}/none`), undefined);
      assert.deepEqual(await disk.list(`${folder}/none`), []);
      await assert.rejects(disk.rename(`${folder}/none`, `${folder}/some`), withCode('io'));
      await assert.rejects(disk.create(`${folder}/none/file`), withCode('io'));
    });

    it('L3 is claimed by one at a time', async () => {
      const claim = await place.disk.claim(place.folder);
      await assert.rejects(place.disk.claim(place.folder), withCode('inUse'));
      await claim.release();
      await (await place.disk.claim(place.folder)).release();
    });
  });
}

describe('the real disk', () => {
  it('says that it is full', async function () {
    if (!existsSync('/dev/full')) this.skip();
    const file = (await nodeDisk().open('/dev/full'))!;
    await assert.rejects(file.write(0, bytes('no room')), withCode('full'));
    await file.close();
  });
});

describe('the real disk on Windows', () => {
  const { platform } = process;
  const { rename, unlink } = promises;
  beforeEach(() => Object.defineProperty(process, 'platform', { value: 'win32' }));
  afterEach(() => {
    Object.defineProperty(process, 'platform', { value: platform });
    Object.assign(promises, { rename, unlink });
  });
  /** A virus scanner has a file open that was just written: so many tries fail. */
  const held = <A extends unknown[]>(code: string, tries: number, then: (...args: A) => Promise<void>) => {
    return async (...args: A): Promise<void> => {
      if (tries-- > 0) throw Object.assign(new Error('held'), { code });
      return then(...args);
    };
  };

  it('L2 waits for who holds a file for a moment, and says so of who keeps it', async () => {
    const { disk, folder, dispose } = await places['real disk']!();
    try {
      await (await disk.create(`${folder}/one`)).close();
      promises.rename = held('EPERM', 3, rename);
      await disk.rename(`${folder}/one`, `${folder}/two`);
      promises.unlink = held('EBUSY', 3, unlink);
      await disk.remove(`${folder}/two`);
      assert.deepEqual(await disk.list(folder), []);
      promises.unlink = held('EBUSY', Infinity, unlink);
      await assert.rejects(disk.remove(`${folder}/two`), withCode('io'));
      promises.rename = held('ENOSPC', 1, rename);
      await assert.rejects(disk.rename(`${folder}/one`, `${folder}/two`), withCode('full'));
    } finally {
      Object.assign(promises, { unlink });
      await dispose();
    }
  });
});

describe('the memory disk', () => {
  it('forgets in a crash what was not fsynced, bytes and names', async () => {
    const disk = new MemoryDisk();
    await disk.makeFolder(FOLDER);
    const kept = await disk.create(`${FOLDER}/kept`);
    await kept.write(0, bytes('durable'));
    await kept.sync();
    await disk.syncFolder(FOLDER);
    await kept.write(7, bytes(' and not'));
    await (await disk.create(`${FOLDER}/nameless`)).sync();
    disk.crash();
    assert.deepEqual(disk.paths(), [`${FOLDER}/kept`]);
    assert.equal(text(disk.peek(`${FOLDER}/kept`)), 'durable');
    await assert.rejects(kept.write(0, bytes('from the dead')), withCode('io'));
  });

  it('tears what was not fsynced', async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 100; seed++) {
      const disk = new MemoryDisk();
      await disk.makeFolder(FOLDER);
      const file = await disk.create(`${FOLDER}/file`);
      await file.sync();
      await disk.syncFolder(FOLDER);
      await file.write(0, bytes('0123456789'));
      disk.crash(seededRandom(seed));
      lengths.add(disk.peek(`${FOLDER}/file`).length);
    }
    assert.ok(lengths.size > 4, `lengths ${[...lengths].join()}`);
  });
});
