import type { Store } from '../../src/store/store.ts';
import { openOn, places } from '../store/places.ts';
import { chunkStoreContract } from './chunk-store.ts';

for (const [name, make] of Object.entries(places)) {
  chunkStoreContract(`the store's chunks on a ${name}`, async () => {
    const { disk, folder, dispose } = await make();
    let store: Store | undefined;
    return {
      open: async () => {
        await store?.close();
        store = await openOn(disk, folder);
        return store.chunks;
      },
      dispose: async () => {
        await store?.close();
        await dispose();
      },
    };
  });
}
