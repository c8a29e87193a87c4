/** L1: what may be lost: sealed, replaced in one step, and never wrong. */
import assert from 'node:assert/strict';
import { toUtf8 } from '../../src/base/utf8.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { FOLDER, openOn } from './places.ts';

const PATH = `${FOLDER}/index`;
const PIECE = 1024 * 1024;

async function put(disk: MemoryDisk, bytes: Uint8Array): Promise<void> {
  await disk.remove(PATH);
  const file = await disk.create(PATH);
  await file.write(0, bytes);
  await file.close();
}

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

  it('K2 is gone when it is cleared, also what a stop has left of its writing', async () => {
    const store = await openOn(disk);
    disk.poke(`${PATH}.tmp`, toUtf8('half of an image'));
    await store.indexImage.clear();
    assert.deepEqual(disk.paths(/index/), []);
    await store.close();
  });

  it('L1 takes no room on a full disk that had none for it', async () => {
    const store = await openOn(disk);
    await store.indexImage.write(toUtf8('one'));
    disk.space = PIECE;
    await assert.rejects(store.indexImage.write(new Uint8Array(3 * PIECE)));
    assert.deepEqual(disk.paths(/index/), [PATH]);
    assert.deepEqual(await store.indexImage.read(), toUtf8('one'));
    await store.close();
  });

  it('L1 goes to the disk in pieces, and none of them can take the place of another, or be missing', async () => {
    const store = await openOn(disk);
    const long = Uint8Array.from({ length: 2 * PIECE + 1000 }, (_, i) => (i * i) >> 7);
    for (const length of [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, long.length]) {
      await store.indexImage.write(long.subarray(0, length));
      assert.deepEqual(await store.indexImage.read(), long.slice(0, length), `${length} bytes`);
    }
    const whole = disk.peek(PATH);
    const sealed = 12 + PIECE + 16;
    const [head, first, second, last] = [
      whole.slice(0, 16),
      whole.slice(16, 16 + sealed),
      whole.slice(16 + sealed, 16 + 2 * sealed),
      whole.slice(16 + 2 * sealed),
    ] as const;
    const damaged = [
      [head, first, second],
      [head, first, last],
      [head, second, first, last],
      [head, first, first, last],
      [head, first, second, last, last],
      [head],
      [],
    ];
    for (const [i, parts] of damaged.entries()) {
      await put(disk, Buffer.concat(parts));
      assert.equal(await store.indexImage.read(), undefined, `damaged ${i}`);
    }
    await store.indexImage.write(long);
    const other = disk.peek(PATH);
    await put(disk, Buffer.concat([head, first, second, other.slice(16 + 2 * sealed)]));
    assert.equal(await store.indexImage.read(), undefined, 'the last piece of another writing');
    await put(disk, whole);
    assert.deepEqual(await store.indexImage.read(), long);
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
