import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../src/relay/limits.ts';
import { openThreadedStore, type ThreadedStore } from '../../src/relay/store-thread.ts';

describe('relay: the thread of the store', () => {
  const device = new Uint8Array(32).fill(1);
  let folder: string;
  let store: ThreadedStore;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'coterie-relay-'));
    store = await openThreadedStore(folder, DEFAULT_LIMITS);
    await store.register({ device, account: device, agreement: device });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it('R1 an ack is answered also where the batch before it took longer than an ack waits for company', async () => {
    const message = { sender: device, messageId: new Uint8Array(16), recipients: [{ device, hash: device }] };
    // A turn after which timers come before what the thread has answered.
    await new Promise((resolve) => setImmediate(resolve));
    void store.submit({ ...message, body: new Uint8Array(1) }, 0);
    // The batch goes out now; the ack waits for the next one, and this turn outlasts its patience.
    await Promise.resolve();
    const ack = store.ack(device, 1);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    // Nothing else is asked of it: whoever waits for this one alone would wait for ever.
    assert.equal(await ack, true);
  });
});
