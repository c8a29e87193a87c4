import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { AccountId, ChunkId, DeltaId, DeviceId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { MAX_OFFERED_PARCELS } from '../../src/protocol/limits.ts';
import { ChunkExchange } from '../../src/service/chunk-exchange.ts';
import { CommitQueue } from '../../src/service/commit-queue.ts';
import { ContentNeeds } from '../../src/service/content-needs.ts';
import type { Hub } from '../../src/service/hub.ts';
import { LocalState } from '../../src/service/local-state.ts';
import type { ContentStore } from '../../src/service/ports.ts';
import type { ParcelNotice } from '../../src/sync/messages.ts';
import { StoreError, type ChunkStore, type LogStore, type Transport } from '../../src/sync/ports.ts';
import type { ChunkRef, Content } from '../../src/tools/files/content.ts';
import { VERSIONS, versionToRow } from '../../src/tools/files/rows.ts';

const workspace = 'ab'.repeat(32) as WorkspaceId;
const isOfTheDisk = (error: unknown) => assert.ok(error instanceof StoreError);
const parcel = (): ParcelNotice => ({
  relay: 'coterie-relay://there/key',
  parcel: randomBytes(32),
  chunks: [{ id: 'cd'.repeat(32) as ChunkId, offset: 0, length: 1 }],
});

describe('Parcels that are offered while the disk takes nothing', () => {
  it('L1, R9 only so many are taken up as are remembered at all, however many are offered; others are when there is room', async () => {
    const local = new LocalState();
    let [isFull, written, offered] = [true, 0, 0];
    const log = {
      append: async (records: readonly Uint8Array[]) => {
        if (isFull) throw new StoreError('diskFull', 'no space left');
        written += records.length;
      },
    } as Partial<LogStore> as LogStore;
    const clock = { now: () => 0, wakeAt: () => () => undefined };
    const commits = new CommitQueue(log, local, clock, { failed: () => undefined, saved: () => needs.saved() });
    const hub = {
      local,
      commit: (records: readonly Uint8Array[]) => commits.commit(records),
      get isDiskFailing() {
        return commits.failing;
      },
    } as unknown as Hub;
    const exchange = {
      offered: (parcels) => void (offered += parcels.length),
    } as Partial<ChunkExchange> as ChunkExchange;
    const needs = new ContentNeeds(hub, workspace, {} as ContentStore, exchange);
    const many = () => Array.from({ length: 128 }, parcel);
    for (let n = 0; n < 3 * MAX_OFFERED_PARCELS; n += 128) await needs.offered(many()).catch(isOfTheDisk);
    assert.equal(offered, 0);
    isFull = false;
    await commits.commit([]);
    assert.deepEqual([written, offered], [MAX_OFFERED_PARCELS, MAX_OFFERED_PARCELS]);
    isFull = true;
    await assert.rejects(needs.offered([parcel()]), { code: 'diskFull' });
    isFull = false;
    await commits.commit([]);
    assert.equal(offered, MAX_OFFERED_PARCELS + 1);
  });
});

describe('More content that is lacking than there is room for', () => {
  it('F1, D4 each file has its turn, also behind one that nobody has, and none is forgotten', async () => {
    const id = (file: number, n: number) => (1_000 * file + n).toString(16).padStart(64, '0') as ChunkId;
    const list = (file: number) => id(900 + file, 0);
    // The first is made up, and takes all the room there is.
    const files = [12, 3, 3, 3, 3].map((count, file) => Array.from({ length: count }, (_, n) => id(file, n)));
    const held = new Set<ChunkId>(files.map((_, file) => list(file)));
    const alarms: { at: number; ring: () => void }[] = [];
    let now = 0;
    const clock = {
      now: () => now,
      wakeAt: (at: number, ring: () => void) => {
        const alarm = { at, ring };
        alarms.push(alarm);
        return () => void (alarms.includes(alarm) && alarms.splice(alarms.indexOf(alarm), 1));
      },
    };
    const asked = new Set<ChunkId>();
    const bob = 'bb' as DeviceId;
    const chunks = { has: (one: ChunkId) => held.has(one) } as Partial<ChunkStore> as ChunkStore;
    const exchange = new ChunkExchange({
      ...{ clock, chunks, maxLacking: 8, crypto: nodeCrypto() },
      keys: { find: () => new Uint8Array(32), current: () => assert.fail('nothing is written here') },
      transport: { reach: () => 'direct' } as Partial<Transport> as Transport,
      ...{ relay: () => undefined, devices: () => [bob], isDiskFailing: () => false },
      sendDirect: (_, message) => {
        const ids = message.kind === 'want' ? message.chunks : [];
        for (const one of ids) asked.add(one);
        queueMicrotask(() => void exchange.received(bob, { kind: 'chunks', chunks: [], absent: ids }));
        return true;
      },
      sendByRelay: async () => false,
      ...{ onArrived: () => undefined, onProgress: () => undefined, onLocked: () => undefined },
      ...{ onWhole: () => undefined, onFault: (error: unknown) => assert.fail(String(error)) },
    });
    const refOf = (one: ChunkId): ChunkRef => ({ generation: 'ab'.repeat(8), id: one, bytes: 1 });
    const contents = {
      chunkRefs: async (content: Content & { kind: 'chunks' }) =>
        files[files.findIndex((_, file) => list(file) === content.chunks[0]!.id)]!.map(refOf),
    } as Partial<ContentStore> as ContentStore;
    const contentOf = (file: number): Content => ({
      ...{ kind: 'chunks', bytes: files[file]!.length, sha256: new Uint8Array(32), indirect: true },
      chunks: [refOf(list(file))],
    });
    const hub = {
      clock,
      local: new LocalState(),
      emit: () => undefined,
      fault: (error: unknown) => assert.fail(String(error)),
    } as unknown as Hub;
    const needs = new ContentNeeds(hub, workspace, contents, exchange);
    const version = { item: 'ef'.repeat(32) as DeltaId, parents: [], live: true, author: 'ef'.repeat(32) as AccountId };
    const rowOf = (file: number) => versionToRow({ ...version, content: contentOf(file), time: 0, height: 0 });
    const tool = 'ef'.repeat(32) as ToolId;
    needs.restore(() => files.map((_, file) => ({ tool, table: VERSIONS, key: `${file}`, row: rowOf(file) })));
    for (let turns = 0; turns < 60; turns++) {
      for (let ticks = 0; ticks < 20; ticks++) await Promise.resolve();
      const [next] = alarms.splice(0, 1);
      if (!next) break;
      now = Math.max(now, next.at);
      next.ring();
    }
    assert.deepEqual(
      files.map((ids) => ids.every((one) => asked.has(one))),
      [false, true, true, true, true],
    );
    assert.deepEqual(
      [needs.lacks(contentOf(1)), exchange.lackingChunks > 0, exchange.lackingChunks <= 16],
      [true, true, true],
    );
    for (const one of files.flat()) held.add(one);
    assert.equal(needs.lacks(contentOf(1)), true);
    needs.arrived();
    for (let ticks = 0; ticks < 20; ticks++) await Promise.resolve();
    assert.equal(needs.lacks(contentOf(1)), false);
    needs.stop();
  });
});
