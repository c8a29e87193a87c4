import { openOn, places } from '../store/places.ts';
import { logStoreContract } from './log-store.ts';

for (const [name, make] of Object.entries(places)) {
  logStoreContract(`the store's journal on a ${name}`, async () => {
    const { disk, folder, dispose } = await make();
    return {
      open: async () => {
        const store = await openOn(disk, folder);
        const { log } = store;
        // Closing the log closes the store, which would otherwise still be owned.
        return {
          replay: (each) => log.replay(each),
          append: (records) => log.append(records),
          compact: (records) => log.compact(records),
          get journalBytes() {
            return log.journalBytes;
          },
          close: () => store.close(),
        };
      },
      dispose,
    };
  });
}
