import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ChunkId, WorkspaceId } from '../../src/base/ids.ts';
import { MAX_OFFERED_PARCELS } from '../../src/protocol/limits.ts';
import type { ChunkExchange } from '../../src/service/chunk-exchange.ts';
import { CommitQueue } from '../../src/service/commit-queue.ts';
import { ContentNeeds } from '../../src/service/content-needs.ts';
import type { Hub } from '../../src/service/hub.ts';
import { LocalState } from '../../src/service/local-state.ts';
import type { ContentStore } from '../../src/service/ports.ts';
import type { ParcelNotice } from '../../src/sync/messages.ts';
import { StoreError, type LogStore } from '../../src/sync/ports.ts';

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
