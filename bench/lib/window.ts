/** A window without its views: it runs the worker as it ships, follows its events, and asks what a window asks. */
import { join } from 'node:path';
import { root } from '../../scripts/lib/project.mjs';
import { mustRun } from '../../scripts/lib/run.mjs';
import type { ConnectOptions } from '../../src/rpc/window.ts';
import type { DeviceSecrets } from '../../src/service/api.ts';

/** Builds what ships: it opens several times faster than its source. */
export async function built(): Promise<void> {
  await mustRun(process.execPath, ['esbuild.mjs', '--minify'], { cwd: root, capture: true, timeout_s: 120 });
}

export function windowOptions(folder: string, name: string, secrets: DeviceSecrets): ConnectOptions {
  return {
    folder,
    workerPath: join(root, 'dist', 'worker.cjs'),
    wasmPath: join(root, 'dist', 'sql-wasm.wasm'),
    secrets: { read: async () => secrets, write: async () => undefined },
    settings: { relay: '', name, deviceName: 'bench', directPort: 0, lanDiscovery: false },
  };
}
