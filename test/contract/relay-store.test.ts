import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openThreadedStore } from '../../src/relay/store-thread.ts';
import { memoryRelayStore } from '../fakes/memory-relay-store.ts';
import { relayStoreContract } from './relay-store.ts';

relayStoreContract('in memory', async (limits) => memoryRelayStore(limits));

relayStoreContract('SQLite in a thread', async (limits) => {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-relay-'));
  const store = await openThreadedStore(folder, limits);
  const close = store.close.bind(store);
  store.close = async () => {
    await close();
    rmSync(folder, { recursive: true });
  };
  return store;
});
