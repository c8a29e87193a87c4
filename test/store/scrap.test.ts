/** L1: what may be lost: sealed, replaced in one step, and never wrong. */
import assert from 'node:assert/strict';
import { toUtf8 } from '../../src/base/utf8.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { FOLDER, openOn } from './places.ts';

const PATH = `${FOLDER}/index`;

describe('L1 a scrap of the store', () => {
  let disk: MemoryDisk;
  beforeEach(() => {
    disk = new MemoryDisk();
  });

  it('L1 is read as it was written last, by the next owner, too', async () => {
    const store = await openOn(disk);
    assert.equal(await store.indexImage.read(), undefined);
    await store.indexImage.write(toUtf8('one'));
    await store.indexImage.write(toUtf8('another, longer one'));
    await store.close();
    const next = await openOn(disk);
    assert.deepEqual(await next.indexImage.read(), toUtf8('another, longer one'));
    await next.close();
  });

  it('K2 is gone when it is cleared, and may be cleared again', async () => {
    const store = await openOn(disk);
    await store.indexImage.write(toUtf8('of a workspace that was erased'));
    await store.indexImage.clear();
    await store.indexImage.clear();
    assert.equal(await store.indexImage.read(), undefined);
    assert.deepEqual(disk.paths(/index/), []);
    await store.close();
  });

  it('L1 K5 nothing of it can be read on the disk', async () => {
    const store = await openOn(disk);
    await store.indexImage.write(toUtf8('what nobody else may read'));
    assert.equal(Buffer.from(disk.peek(PATH)).includes('nobody'), false);
    await store.close();
  });

  it('L1 whatever happens to it, it is whole or it is not there', async () => {
    const store = await openOn(disk);
    await store.indexImage.write(toUtf8('whole'));
    const { length } = disk.peek(PATH);
    for (let at = 0; at < length; at++) {
      disk.flipBit(PATH, at);
      assert.equal(await store.indexImage.read(), undefined, `byte ${at}`);
      disk.flipBit(PATH, at);
    }
    assert.deepEqual(await store.indexImage.read(), toUtf8('whole'));
    disk.space = 10;
    await assert.rejects(store.indexImage.write(toUtf8('more than there is space for')));
    assert.deepEqual(await store.indexImage.read(), toUtf8('whole'));
    disk.space = Infinity;
    await store.indexImage.write(toUtf8('again'));
    assert.deepEqual(await store.indexImage.read(), toUtf8('again'));
    await store.close();
  });
});
