/** What every ChunkStore keeps, whatever it is made of (L2). */
import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.ts';
import type { ChunkId } from '../../src/base/ids.ts';
import type { ChunkStore } from '../../src/sync/ports.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

export interface ChunkStoreUnderTest {
  /** Opens the same store again; the last one is given up first. */
  open(): Promise<ChunkStore>;
  dispose(): Promise<void>;
}

const random = seededRandom('chunk-store contract');

export function chunk(length: number): { readonly id: ChunkId; readonly bytes: Uint8Array } {
  return { id: toHex(random(32)) as ChunkId, bytes: random(length) };
}

export function chunkStoreContract(name: string, make: () => Promise<ChunkStoreUnderTest>): void {
  describe(`ChunkStore contract: ${name}`, () => {
    let subject: ChunkStoreUnderTest;
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(() => subject.dispose());

    it('L2 gives back chunks of every size, at once and after opening again', async () => {
      let store = await subject.open();
      const chunks = [0, 1, 100, 65_535, 65_536, 65_537, 960 * 1024].map(chunk);
      for (const { id, bytes } of chunks) await store.put(id, bytes);
      await check(store);
      await store.sync();
      await check(store);
      store = await subject.open();
      await check(store);

      async function check(store: ChunkStore): Promise<void> {
        for (const { id, bytes } of chunks) {
          assert.ok(store.has(id));
          assert.deepEqual(toHex((await store.get(id))!), toHex(bytes));
        }
      }
    });

    it('L2 knows nothing it was not given', async () => {
      const store = await subject.open();
      const { id } = chunk(1);
      assert.equal(store.has(id), false);
      assert.equal(await store.get(id), undefined);
      await store.delete(id);
    });

    it('L2 forgets what is deleted, for good, and takes it again', async () => {
      let store = await subject.open();
      const [small, large, kept] = [chunk(500), chunk(100_000), chunk(501)];
      for (const { id, bytes } of [small, large, kept]) await store.put(id, bytes);
      await store.sync();
      for (const { id } of [small, large]) await store.delete(id);
      assert.equal(await store.get(small.id), undefined);
      await store.sync();
      store = await subject.open();
      assert.deepEqual(
        [small, large, kept].map(({ id }) => store.has(id)),
        [false, false, true],
      );
      for (const { id, bytes } of [small, large]) await store.put(id, bytes);
      await store.sync();
      store = await subject.open();
      for (const { id, bytes } of [small, large, kept]) assert.equal(toHex((await store.get(id))!), toHex(bytes));
    });

    it('L2 takes the same chunk from two at once', async () => {
      const store = await subject.open();
      for (const { id, bytes } of [chunk(200), chunk(200_000)]) {
        await Promise.all([store.put(id, bytes), store.put(id, bytes)]);
        await store.put(id, bytes);
        assert.equal(toHex((await store.get(id))!), toHex(bytes));
      }
    });

    it('L2 takes, gives and syncs all at once', async () => {
      const store = await subject.open();
      const chunks = Array.from({ length: 40 }, (_, i) => chunk(i % 2 === 0 ? 1_000 : 70_000));
      await Promise.all(
        chunks.map(async ({ id, bytes }, i) => {
          await store.put(id, bytes);
          if (i % 7 === 0) await store.sync();
          assert.equal(toHex((await store.get(id))!), toHex(bytes));
        }),
      );
    });
  });
}
