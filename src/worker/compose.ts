/** Composition root of the worker: the real adapters, handed to the service. */
import { exportEntries } from '../bridges/export.ts';
import { importPaths } from '../bridges/import.ts';
import { fromBase64Url } from '../base/bytes.ts';
import { nodeCrypto } from '../crypto/node/crypto.ts';
import { systemClock } from '../relay-client/system-clock.ts';
import { createTransport, type NetworkTransport, type TransportOptions } from '../relay-client/transport.ts';
import { Service } from '../service/service.ts';
import { Contents } from '../store/contents.ts';
import { openIndex } from '../store/index-db.ts';
import { nodeDisk } from '../store/node-disk.ts';
import { placeOf } from '../store/place.ts';
import { openStore } from '../store/store.ts';
import { reportFault } from './fault.ts';
import type { Compose, Composed, ComposeOptions } from './run.ts';

/** A window whose worker crashed frees the store as soon as its thread is at it; the guest that is elected then must not give up before. */
const CRASHED_OWNER_MS = 5_000;

/** What a test or a benchmark may look at or arrange, and a window never does. */
export interface ComposeExtras {
  readonly transport?: Partial<Pick<TransportOptions, 'host' | 'directPort' | 'lanDiscovery' | 'tap'>>;
  readonly onTransport?: (transport: NetworkTransport) => void;
}

export const composeService: Compose = (options) => composeWith(options, {});

export async function composeWith(
  { folder, secrets, settings, wasm, keepSecrets }: ComposeOptions,
  extras: ComposeExtras,
): Promise<Composed> {
  const crypto = nodeCrypto();
  const disk = nodeDisk({ patience_ms: CRASHED_OWNER_MS });
  const store = await openStore({ folder, key: fromBase64Url(secrets.storeKey)!, crypto, disk });
  try {
    const place = await placeOf(folder);
    const service = await Service.open({
      ...(place === undefined ? {} : { place }),
      secrets,
      settings,
      crypto,
      clock: systemClock,
      log: store.log,
      chunks: store.chunks,
      index: await openIndex({ wasm }),
      indexImage: store.indexImage,
      bridges: { importPaths, exportEntries },
      ...(keepSecrets ? { keepSecrets } : {}),
      onFault: reportFault,
      makeContents: (keys) => new Contents({ crypto, chunks: store.chunks, keys }),
      makeTransport: (setup) => {
        const transport = createTransport({ crypto, ...setup, ...extras.transport });
        extras.onTransport?.(transport);
        return transport;
      },
    });
    const close = async (): Promise<void> => {
      try {
        await service.close();
      } finally {
        // The election is open to the next as soon as this thread is gone: it holds the store no longer than that, whatever has failed.
        await store.close();
      }
    };
    return { api: service.api, apiFor: (call) => service.apiFor(call), events: service.events, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}
