/** A window without its views: it runs the worker as it ships, follows its events, and asks what a window asks. */
import { join } from 'node:path';
import type { ConnectOptions } from '../../src/rpc/window.ts';
import type { DeviceSecrets } from '../../src/service/api.ts';

/** `dist`: where what ships was built (`built.ts`). */
export function windowOptions(dist: string, folder: string, name: string, secrets: DeviceSecrets): ConnectOptions {
  return {
    folder,
    workerPath: join(dist, 'worker.cjs'),
    wasmPath: join(dist, 'sql-wasm.wasm'),
    secrets: { read: async () => secrets, write: async () => undefined },
    settings: { relay: '', name, deviceName: 'bench', directPort: 0, lanDiscovery: false },
  };
}
