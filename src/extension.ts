/** Composition root of a window. Nothing is read or started before `activate` has returned, and no thread before it is needed. */
import * as vscode from 'vscode';
import { developmentFile, fileSecrets, storedSecrets } from './views/secrets.ts';
import { readSettings } from './views/settings.ts';
import { type CoterieWindow, openWindow } from './views/window.ts';

let open: CoterieWindow | undefined;

export function activate(context: vscode.ExtensionContext): TestDoor | undefined {
  const began_ms = performance.now();
  const began = threadCpu_ms();
  const { file, refused } = developmentFile(process.env);
  const secrets = file === undefined ? storedSecrets(context.secrets) : fileSecrets(file);
  const folder = context.globalStorageUri.fsPath;
  const inDist = (name: string): string => vscode.Uri.joinPath(context.extensionUri, 'dist', name).fsPath;

  const window = openWindow({
    context,
    makeLog: () => vscode.window.createOutputChannel('Coterie', { log: true }),
    development: file !== undefined,
    storeExists: async () => (await import('./rpc/store-presence.ts')).storeExists(folder),
    connect: async (beside) => {
      const { connectService } = await import('./rpc/window.ts');
      const [workerPath, wasmPath] = [inDist('worker.cjs'), inDist('sql-wasm.wasm')];
      const begin = beside ? { beside } : {};
      return connectService({ folder, workerPath, wasmPath, secrets, settings: readSettings(), ...begin });
    },
  });
  open = window;
  context.subscriptions.push(window);
  setImmediate(() => {
    if (refused)
      window.house.say.log.warn('COTERIE_DEV_SECRETS without COTERIE_DEV=1 is refused: the secret storage is used.');
    void window.start();
  });

  const activation_ms = performance.now() - began_ms;
  if (context.extensionMode !== vscode.ExtensionMode.Test) return undefined;
  return { window, activation_ms, activationCpu_ms: threadCpu_ms() - began };
}

/** Of this thread: what compiles and collects beside it holds nobody up. An older VS Code's Node tells the whole process alone. */
function threadCpu_ms(): number {
  const { user, system } =
    'threadCpuUsage' in process ? process.threadCpuUsage() : (process as NodeJS.Process).cpuUsage();
  return (user + system) / 1000;
}

/** What is not written yet is written before VS Code ends. */
export async function deactivate(): Promise<void> {
  await open?.close();
}

/** For tests inside VS Code alone. */
export interface TestDoor {
  readonly window: CoterieWindow;
  readonly activation_ms: number;
  /** Of it, what the processor worked for this thread: the rest, it was somewhere else. */
  readonly activationCpu_ms: number;
}
