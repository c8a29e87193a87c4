import assert from 'node:assert/strict';
import fs, { mkdtempSync, rmSync, statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code } from '../../src/protocol/relay-messages.ts';
import { DEFAULT_LIMITS } from '../../src/relay/limits.ts';
import { SqliteStore, type StoreCall } from '../../src/relay/sqlite-store.ts';
import { openThreadedStore } from '../../src/relay/store-thread.ts';

const MIB = 1024 * 1024;

describe('relay: the log that is written ahead', () => {
  const limits = { ...DEFAULT_LIMITS, queueBytes: 1024 * MIB, firstContactBytes: 1024 * MIB, senderShare: 1 };
  const device = new Uint8Array(32).fill(1);
  const keys = { device, account: device, agreement: device };
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'coterie-relay-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const message = (n: number) => ({
    sender: device,
    messageId: new Uint8Array(16).fill(n),
    recipients: [{ device, hash: device }],
    body: new Uint8Array(MIB).fill(n),
  });
  const logBytes = () => statSync(join(folder, 'relay.db-wal')).size;

  it('R6 is moved into the database when it is long, though there is never nothing to do', async () => {
    const store = await openThreadedStore(folder, limits);
    try {
      await store.register(keys);
      await store.confirm(device, [device]);
      let longest = 0;
      for (let i = 0; i < 8; i++) {
        const submitted = Array.from({ length: 12 }, (_, n) => store.submit(message(12 * i + n), 0));
        for (const placements of await Promise.all(submitted)) assert.equal(placements[0]!.code, Code.ok);
        longest = Math.max(longest, logBytes());
      }
      assert.ok(longest < 90 * MIB, `${Math.round(longest / MIB)} MiB of log`);
      assert.equal((await store.page(device, 0, 1e9)).entries.length, 96);
    } finally {
      await store.close();
    }
  }).timeout(60_000);

  it('R6 what comes all at once is no single transaction', async () => {
    const store = await openThreadedStore(folder, limits);
    try {
      await store.register(keys);
      await store.confirm(device, [device]);
      const submitted = Array.from({ length: 100 }, (_, n) => store.submit(message(n), 0));
      // All were asked for in one turn; the first batch must not take them all along.
      await submitted[0];
      assert.ok(logBytes() < 40 * MIB, `${Math.round(logBytes() / MIB)} MiB of log`);
      await Promise.all(submitted);
      assert.ok(logBytes() < 90 * MIB, `${Math.round(logBytes() / MIB)} MiB of log`);
    } finally {
      await store.close();
    }
  }).timeout(60_000);

  it('R7 what stands in it is counted off the room, for it needs as much again in the database', () => {
    const { statfsSync } = fs;
    let free = 1e12;
    fs.statfsSync = ((path: string) => ({ ...statfsSync(path), bavail: free, bsize: 1 })) as typeof statfsSync;
    syncBuiltinESMExports();
    const store = new SqliteStore(folder, limits);
    try {
      const commit = (call: StoreCall) => store.commit([call])[0]!.ok;
      assert.ok(commit({ name: 'register', values: [keys] }));
      for (let n = 0; n < 4; n++) assert.ok(commit({ name: 'submit', values: [message(n), 0] }));
      free = limits.reserveBytes + 4 * MIB;
      assert.equal(commit({ name: 'submit', values: [message(5), 0] }), false);
      assert.ok(commit({ name: 'ack', values: [device, 1] }), 'what makes room is taken');
      store.checkpoint();
      assert.ok(commit({ name: 'submit', values: [message(5), 0] }));
    } finally {
      store.close();
      fs.statfsSync = statfsSync;
      syncBuiltinESMExports();
    }
  });
});
