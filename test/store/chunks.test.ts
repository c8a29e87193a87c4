/** Chunk files and packs where the disk tears, fills up and flips bits (L2). */
import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.ts';
import type { ChunkId } from '../../src/base/ids.ts';
import { PACK_BELOW_BYTES as LIMIT } from '../../src/protocol/limits.ts';
import { PACK_BELOW_BYTES } from '../../src/store/chunk-store.ts';
import type { Store } from '../../src/store/store.ts';
import { StoreError } from '../../src/sync/ports.ts';
import { chunk } from '../contract/chunk-store.ts';
import { LONG_RUN_FACTOR } from '../fakes/long-run.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { seededBelow, seededRandom } from '../fakes/seeded-random.ts';
import { openOn } from './places.ts';

const withCode = (code: StoreError['code']) => (error: unknown) => error instanceof StoreError && error.code === code;
const packsOf = (disk: MemoryDisk): string[] => disk.paths(/\.pack$/);

describe('chunk store', () => {
  let disk: MemoryDisk;
  let store: Store;
  const open = async (): Promise<void> => {
    store = await openOn(disk.mount());
  };
  const holds = async (...chunks: ReturnType<typeof chunk>[]): Promise<boolean[]> => {
    const answers: boolean[] = [];
    for (const { id, bytes } of chunks) {
      const read = await store.chunks.get(id);
      assert.ok(!read || toHex(read) === toHex(bytes), 'other bytes than were put');
      answers.push(read !== undefined);
      assert.equal(store.chunks.has(id), read !== undefined);
    }
    return answers;
  };
  const putAll = async (...chunks: ReturnType<typeof chunk>[]): Promise<void> => {
    for (const { id, bytes } of chunks) await store.chunks.put(id, bytes);
  };

  beforeEach(async () => {
    disk = new MemoryDisk();
    await open();
  });

  it('L2 packs what is under the limit of the protocol, and nothing else', async () => {
    assert.equal(PACK_BELOW_BYTES, LIMIT);
    await putAll(chunk(LIMIT - 1));
    assert.equal(packsOf(disk).length, 1);
    assert.equal(disk.paths(/chunks/).length, 0);
    await putAll(chunk(LIMIT));
    assert.equal(disk.paths(/chunks/).length, 1);
  });

  it('L2 a pack is read in pieces when it is opened: every chunk is found, and damage takes those along that it hits', async () => {
    const random = seededRandom('in pieces');
    const below = (bound: number) => seededBelow(random, bound);
    const sizeOf = (i: number) => (i % 5 === 0 ? 1 + below(50) : 50_000 + below(LIMIT - 50_001));
    const chunks = Array.from({ length: 50 }, (_, i) => chunk(sizeOf(i)));
    await putAll(...chunks);
    await store.chunks.sync();
    await store.close();
    const [path] = packsOf(disk) as [string];
    assert.ok(disk.peek(path).length > 2 * 1024 * 1024);
    await open();
    assert.deepEqual(await holds(...chunks), Array(50).fill(true));
    await store.close();
    for (const piece of [1, 2]) {
      const copy = new MemoryDisk();
      for (const other of disk.paths()) copy.poke(other, disk.peek(other));
      const at = piece * 1024 * 1024;
      for (let offset = at - 500; offset < at + 500; offset += 9) copy.flipBit(path, offset, offset % 8);
      store = await openOn(copy);
      const lost = chunks.filter(({ id }) => !store.chunks.has(id)).length;
      assert.ok(lost >= 1 && lost <= 6, `${lost} lost at ${at}`);
      await store.close();
    }
    await open();
  });

  it('L2 what was synced survives a crash, and what was not is not claimed to be there', async () => {
    for (let seed = 0; seed < 30; seed++) {
      disk = new MemoryDisk();
      await open();
      const synced = [chunk(1000), chunk(70_000), chunk(10)];
      const not = [chunk(1001), chunk(70_001), chunk(11)];
      await putAll(...synced);
      await store.chunks.sync();
      await putAll(...not);
      disk.crash(seed % 3 === 0 ? undefined : seededRandom(seed));
      await open();
      assert.deepEqual(await holds(...synced), [true, true, true], `seed ${seed}`);
      assert.deepEqual(disk.paths(/chunks.new/), []);
      await holds(...not);
      assert.equal(store.chunks.has(not[1]!.id), false);
      await putAll(...not);
      await store.chunks.sync();
      disk.crash();
      await open();
      assert.deepEqual(await holds(...synced, ...not), Array(6).fill(true), `seed ${seed}`);
    }
  });

  it('L2 what only seemed durable when a process ended is so after the next sync', async () => {
    const chunks = [chunk(1000), chunk(2000)];
    await putAll(...chunks);
    disk.killProcess();
    await open();
    assert.deepEqual(await holds(...chunks), [true, true]);
    await store.chunks.sync();
    disk.crash();
    await open();
    assert.deepEqual(await holds(...chunks), [true, true]);
  });

  it('L2 a name that only seemed durable when a process ended is so after the next sync', async () => {
    const large = chunk(70_000);
    await putAll(large);
    disk.fail({ on: 'syncFolder', path: /chunks/ });
    await assert.rejects(store.chunks.sync(), withCode('io'));
    disk.killProcess();
    await open();
    assert.deepEqual(await holds(large), [true]);
    await store.chunks.sync();
    disk.crash();
    await open();
    assert.deepEqual(await holds(large), [true]);
  });

  it('L2 a damaged chunk is not given out, and is forgotten so that it is fetched again', async () => {
    const [small, large] = [chunk(1000), chunk(70_000)];
    await putAll(small, large);
    await store.chunks.sync();
    disk.flipBit(packsOf(disk)[0]!, 500);
    disk.flipBit(disk.paths(/chunks/)[0]!, 500);
    assert.deepEqual([store.chunks.has(small.id), store.chunks.has(large.id)], [true, true]);
    assert.deepEqual(await holds(small, large), [false, false]);
    await putAll(small, large);
    assert.deepEqual(await holds(small, large), [true, true]);
    await store.chunks.sync();
    await store.close();
    await open();
    assert.deepEqual(await holds(small, large), [true, true]);
  });

  it('L2 a flipped bit anywhere in a pack costs at most the chunk it hits', async () => {
    const chunks = [chunk(60), chunk(0), chunk(90)];
    await putAll(...chunks);
    await store.chunks.sync();
    await store.close();
    const path = packsOf(disk)[0]!;
    const whole = disk.peek(path);
    for (let offset = 0; offset < whole.length; offset += 5) {
      disk.poke(path, whole);
      disk.flipBit(path, offset, offset % 8);
      await open();
      const held = await holds(...chunks);
      assert.ok(held.filter((one) => !one).length <= 1, `offset ${offset}`);
      await store.close();
    }
  });

  it('L2 a chunk that the disk cannot read is forgotten, so that it is fetched again, and stays where it is: another time it may be read', async () => {
    const [small, large, other] = [chunk(1000), chunk(70_000), chunk(2000)];
    await putAll(small, large, other);
    await store.chunks.sync();
    disk.fail({ on: 'read', path: /1\.pack$/, at: 500, times: Infinity });
    disk.fail({ on: 'read', path: new RegExp(large.id), times: Infinity });
    assert.deepEqual(await holds(small, large, other), [false, false, true]);
    await store.chunks.sync();
    const faults = disk.faults.splice(0);
    await store.close();
    await open();
    assert.deepEqual(await holds(small, large, other), [true, true, true]);
    disk.faults.push(...faults);
    assert.deepEqual(await holds(small, large), [false, false]);
    await putAll(small, large);
    await store.chunks.sync();
    disk.faults.length = 0;
    disk.crash();
    await open();
    assert.deepEqual(await holds(small, large, other), [true, true, true]);
    disk.fail({ on: 'read', path: /pack$/, times: 2 });
    disk.fail({ on: 'read', path: new RegExp(large.id) });
    assert.deepEqual(await holds(small, large), [false, false]);
    for (const { id } of [small, large]) await store.chunks.delete(id);
    await store.chunks.sync();
    await store.close();
    await open();
    assert.deepEqual(await holds(small, large, other), [false, false, true]);
  });

  it('L2 an emptied or truncated chunk file is forgotten', async () => {
    const large = chunk(70_000);
    await putAll(large);
    await store.chunks.sync();
    const path = disk.paths(/chunks/)[0]!;
    for (const length of [0, 7, 8, 69_000]) {
      disk.poke(path, disk.peek(path).slice(0, length));
      await store.close();
      await open();
      assert.deepEqual(await holds(large), [false]);
      await putAll(large);
      await store.chunks.sync();
    }
  });

  it('L2 a full disk says so, keeps what was there, and takes more once there is space', async () => {
    const [before, small, large, after] = [chunk(500), chunk(1000), chunk(70_000), chunk(501)];
    await putAll(before);
    disk.space = 300;
    await assert.rejects(store.chunks.put(small.id, small.bytes), withCode('diskFull'));
    await assert.rejects(store.chunks.put(large.id, large.bytes), withCode('diskFull'));
    assert.deepEqual(await holds(before, small, large), [true, false, false]);
    disk.space = Infinity;
    await putAll(small, large, after);
    await store.chunks.sync();
    disk.crash();
    await open();
    assert.deepEqual(await holds(before, small, large, after), [true, true, true, true]);
  });

  it('L2 after a failed fsync nothing that was not durable before is claimed to be there', async () => {
    const [durable, small, large] = [chunk(500), chunk(1000), chunk(70_000)];
    await putAll(durable);
    await store.chunks.sync();
    await putAll(small);
    disk.fail({ on: 'sync', path: /pack$/ });
    await assert.rejects(store.chunks.sync(), withCode('io'));
    assert.deepEqual(await holds(durable, small), [true, false]);
    await putAll(large);
    disk.fail({ on: 'sync', path: /chunks/ });
    await assert.rejects(store.chunks.sync(), withCode('io'));
    assert.deepEqual(await holds(large), [false]);
    await putAll(small, large);
    await store.chunks.sync();
    disk.crash();
    await open();
    assert.deepEqual(await holds(durable, small, large), [true, true, true]);
  });

  it('L2 after a failed fsync nothing goes that was durable before: what was being moved to another pack is where it was', async () => {
    const [kept, dead] = [
      Array.from({ length: 3 }, () => chunk(10_000)),
      Array.from({ length: 9 }, () => chunk(10_000)),
    ];
    await putAll(...kept, ...dead);
    await store.chunks.sync();
    for (const { id } of dead) await store.chunks.delete(id);
    disk.fail({ on: 'sync', path: /0002\.pack$/ });
    await assert.rejects(store.chunks.sync(), withCode('io'));
    assert.deepEqual(await holds(...kept), [true, true, true]);
    await putAll(chunk(10_000));
    await store.chunks.sync();
    await store.chunks.sync();
    assert.deepEqual(await holds(...kept), [true, true, true]);
    await store.close();
    await open();
    assert.deepEqual(await holds(...kept), [true, true, true]);
  });

  it('L2 a pack whose fsync has failed is not thrown away: what is in it may be durable, and is found at the next opening', async () => {
    const chunks = Array.from({ length: 3 }, () => chunk(10_000));
    await putAll(...chunks);
    await store.chunks.sync();
    await store.close();
    await open();
    disk.fail({ on: 'sync', path: /pack$/ });
    await assert.rejects(store.chunks.sync(), withCode('io'));
    await putAll(chunk(10_000));
    await store.chunks.sync();
    await store.close();
    await open();
    assert.deepEqual(await holds(...chunks), [true, true, true]);
  });

  it('L2 a pack that is half dead is rewritten, and its space comes back', async () => {
    const chunks = Array.from({ length: 20 }, () => chunk(1000));
    await putAll(...chunks);
    await store.chunks.sync();
    const before = disk.peek(packsOf(disk)[0]!).length;
    for (const { id } of chunks.slice(0, 15)) await store.chunks.delete(id);
    await store.chunks.sync();
    const after = packsOf(disk).reduce((sum, path) => sum + disk.peek(path).length, 0);
    assert.ok(after < before / 2, `${after} of ${before}`);
    assert.deepEqual(await holds(...chunks.slice(15)), Array(5).fill(true));
    disk.crash();
    await open();
    assert.deepEqual(
      await holds(...chunks),
      chunks.map((_, i) => i >= 15),
    );
  });

  it('L2 a full disk that has no room to rewrite a pack keeps nothing from being made durable that is written', async () => {
    const chunks = Array.from({ length: 10 }, () => chunk(1000));
    await putAll(...chunks);
    await store.chunks.sync();
    for (const { id } of chunks.slice(3)) await store.chunks.delete(id);
    const fresh = chunk(500);
    await putAll(fresh);
    disk.space = 100;
    await store.chunks.sync();
    disk.crash();
    disk.space = Infinity;
    await open();
    assert.deepEqual(await holds(fresh, ...chunks), [true, ...chunks.map((_, i) => i < 3)]);
    await putAll(chunk(500));
    await store.chunks.sync();
    assert.ok(!packsOf(disk)[0]!.endsWith('00000001.pack'));
  });

  it('L2 a stretch of a pack that the disk cannot read keeps nobody from opening the store, nor from saving what is new', async () => {
    const [first, bad, last] = [chunk(10_000), chunk(10_000), chunk(10_000)];
    const dead = Array.from({ length: 9 }, () => chunk(10_000));
    await putAll(first, bad, last, ...dead);
    await store.chunks.sync();
    const [path] = packsOf(disk) as [string];
    disk.fail({ on: 'read', path: new RegExp(path), at: 15_000, times: Infinity });
    for (const { id } of dead) await store.chunks.delete(id);
    await store.chunks.sync();
    await store.close();
    await open();
    assert.deepEqual(await holds(first, last), [true, true]);
    const fresh = chunk(10_000);
    await putAll(fresh);
    await store.chunks.sync();
    await store.close();
    disk.faults.length = 0;
    await open();
    // Another time it may be read.
    assert.deepEqual(await holds(first, bad, last, fresh), [true, true, true, true]);
    assert.deepEqual(
      await holds(...dead),
      dead.map(() => false),
    );
  });

  it('L2 an old pack that another program holds goes another time, and nothing that was removed comes back of it', async () => {
    const reopen = async (): Promise<void> => {
      await store.close();
      await open();
    };
    const [removed, kept, later] = [chunk(5000), chunk(6000), chunk(5000)];
    await putAll(removed, kept);
    await store.chunks.sync();
    await reopen();
    await store.chunks.delete(removed.id);
    await putAll(later);
    await store.chunks.sync();
    for (let n = 0; n < 7; n++) {
      await reopen();
      await putAll(chunk(100));
      await store.chunks.sync();
    }
    await reopen();
    await store.chunks.delete(later.id);
    // Its removal stands in a pack that goes, too.
    disk.fail({ on: 'remove', path: /00000001\.pack$/ });
    await store.chunks.sync();
    await reopen();
    assert.deepEqual(await holds(removed, kept, later), [false, true, false]);
    await putAll(chunk(100));
    await store.chunks.sync();
    await reopen();
    assert.deepEqual(await holds(removed, kept, later), [false, true, false]);
    assert.ok(!packsOf(disk)[0]!.endsWith('00000001.pack'));
  });

  it('L2 the small packs of many openings are put together', async () => {
    const chunks: ReturnType<typeof chunk>[] = [];
    for (let i = 0; i < 12; i++) {
      chunks.push(chunk(100));
      await putAll(chunks.at(-1)!);
      await store.chunks.sync();
      await store.close();
      await open();
    }
    assert.ok(packsOf(disk).length <= 10);
    assert.deepEqual(await holds(...chunks), Array(12).fill(true));
  });

  it('L2 any crash: what was synced is there, what was deleted before a sync is not', async function () {
    this.timeout(60_000 * Math.max(1, LONG_RUN_FACTOR));
    let crashes = 0;
    let deletions = 0;
    for (let seed = 1; seed <= 30 * LONG_RUN_FACTOR; seed++) {
      const random = seededRandom(`chunk world ${seed}`);
      const below = (bound: number): number => seededBelow(random, bound);
      disk = new MemoryDisk();
      await open();
      const pool = Array.from({ length: 12 }, (_, i) => chunk(i < 9 ? 300 + 900 * i : PACK_BELOW_BYTES + i));
      const durable = new Map<ChunkId, boolean>();
      const wanted = new Map<ChunkId, boolean>();
      // Put or deleted since the last sync: a crash may take either side.
      const touched = new Set<ChunkId>();
      for (let step = 0; step < 60; step++) {
        const one = pool[below(pool.length)]!;
        switch (below(5)) {
          case 0:
          case 1:
            await store.chunks.put(one.id, one.bytes);
            if (!wanted.get(one.id)) touched.add(one.id);
            wanted.set(one.id, true);
            break;
          case 2:
            await store.chunks.delete(one.id);
            if (wanted.get(one.id)) touched.add(one.id);
            wanted.set(one.id, false);
            deletions += 1;
            break;
          case 3:
            await store.chunks.sync();
            touched.clear();
            for (const [id, there] of wanted) durable.set(id, there);
            break;
          case 4: {
            if (below(3) > 0) break;
            const syncing = below(2) === 0 ? store.chunks.sync() : undefined;
            syncing?.catch(() => undefined);
            for (let turns = below(40); turns > 0; turns--) await Promise.resolve();
            disk.crash(below(3) === 0 ? undefined : random);
            await syncing?.catch(() => undefined);
            crashes += 1;
            await open();
            for (const candidate of pool) {
              const [held] = await holds(candidate);
              if (!touched.has(candidate.id)) {
                assert.equal(held, durable.get(candidate.id) ?? false, `seed ${seed}, step ${step}`);
              }
              durable.set(candidate.id, held!);
              wanted.set(candidate.id, held!);
            }
            touched.clear();
            break;
          }
        }
      }
    }
    assert.ok(crashes > 50 && deletions > 200);
  });
});
