/**
 * The life of the worker thread: elected, given its secrets, open, closed. It serves the window beside it and its guests
 * in the same way; the host only passes messages on.
 */
import { readFile } from 'node:fs/promises';
import type { MessagePort } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import type { Event } from '../base/event.ts';
import { elect } from '../rpc/election.ts';
import type { LocalListener } from '../rpc/local-socket.ts';
import { MessagePortDuplex } from '../rpc/message-port.ts';
import { RPC_LINGER_MS } from '../rpc/rpc-limits.ts';
import { ApiServer } from '../rpc/server.ts';
import { storeExists } from '../rpc/store-presence.ts';
import type { Beside, FromWorker, ToWorker, WorkerFailure, WorkerStart } from '../rpc/worker-control.ts';
import {
  type CallKey,
  type CoterieApi,
  type DeviceSecrets,
  ServiceError,
  type ServiceEvent,
  type Settings,
} from '../service/api.ts';
import { mustBeSeed } from '../service/recovery-phrase.ts';
import { setStoreAside } from '../store/aside.ts';
import { StoreError } from '../sync/ports.ts';
import { reportFault } from './fault.ts';
import { areSecrets, newSecrets } from './secrets.ts';

export interface ComposeOptions {
  readonly folder: string;
  readonly secrets: DeviceSecrets;
  readonly settings: Settings;
  /** sql.js's. */
  readonly wasm: Uint8Array;
  /** Of another account (I2); false where they cannot be kept. */
  readonly keepSecrets?: (secrets: DeviceSecrets) => Promise<boolean>;
}

export interface Composed {
  readonly api: CoterieApi;
  /** For one call, under the key that a window gave it (L3). */
  apiFor(call: CallKey): CoterieApi;
  readonly events: Event<ServiceEvent>;
  /** Resolves when everything is flushed. */
  close(): Promise<void>;
}

export type Compose = (options: ComposeOptions) => Promise<Composed>;

/** Runs until the window says close, or the store cannot be opened, or is another window's. */
export async function runWorker(port: MessagePort, compose: Compose): Promise<void> {
  const window = new WindowDoor(port);
  const start = await window.next('start');
  const server = new ApiServer({ build: start.build, onFault: reportFault });
  let listener: LocalListener | undefined;
  let composed: Composed | undefined;
  try {
    listener = await elect(start.folder, (guest) => server.accept(guest));
    if (!listener) return window.leave({ type: 'lost' });
    composed = await open(window, start, compose);
  } catch (error) {
    server.close();
    await listener?.close();
    return window.leave({ type: 'failed', ...failureOf(error) });
  }
  server.open(composed);
  server.accept(new MessagePortDuplex(start.port));
  window.tell({ type: 'open' });

  await window.next('close');
  // Guests elect as soon as the listener is closed: by then the store must be let go.
  const failure = await closed(server, composed);
  server.close();
  await listener.close();
  window.leave({ type: 'closed', failure });
}

async function open(window: WindowDoor, start: WorkerStart, compose: Compose): Promise<Composed> {
  const wasm = new Uint8Array(await readFile(start.wasmPath));
  const { folder, settings, beside } = start;
  const composeWith = (secrets: DeviceSecrets) =>
    compose({ folder, secrets, settings, wasm, keepSecrets: (others) => window.keep(others) });
  try {
    return await composeWith(await secretsFor(window, folder));
  } catch (error) {
    if (!beside || !isLocked(error)) throw error;
    return composeWith(await beginBeside(window, folder, beside));
  }
}

function isLocked(error: unknown): boolean {
  return (error instanceof ServiceError || error instanceof StoreError) && error.code === 'locked';
}

/** A store without its secrets stays locked: new ones would open nothing, and overwrite the last hope (I2). */
async function secretsFor(window: WindowDoor, folder: string): Promise<DeviceSecrets> {
  window.tell({ type: 'wantSecrets' });
  const { secrets } = await window.next('secrets');
  if (secrets !== undefined) {
    if (!areSecrets(secrets)) throw new ServiceError('locked', { reason: 'secrets' });
    return secrets;
  }
  if (await storeExists(folder)) throw new ServiceError('locked', { reason: 'missing' });
  return newDevice(window, newSecrets());
}

/** The person has said so: the locked store goes aside as it is. A phrase is looked at before anything is touched. */
async function beginBeside(window: WindowDoor, folder: string, { phrase }: Beside): Promise<DeviceSecrets> {
  const fresh = newSecrets(phrase === undefined ? undefined : mustBeSeed(phrase));
  await setStoreAside(folder);
  return newDevice(window, fresh);
}

async function newDevice(window: WindowDoor, fresh: DeviceSecrets): Promise<DeviceSecrets> {
  if (!(await window.keep(fresh))) throw new ServiceError('locked', { reason: 'notKept' });
  return fresh;
}

async function closed(server: ApiServer, composed: Composed): Promise<WorkerFailure | undefined> {
  const drained = server.drain();
  try {
    await composed.close();
    // What the closed service has not ended by now never ends: its callers ask the next owner.
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, RPC_LINGER_MS))]);
    return undefined;
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): WorkerFailure {
  if (error instanceof ServiceError) return { code: error.code, detail: error.detail };
  if (error instanceof StoreError) {
    const { code } = error;
    if (code === 'locked' || code === 'inUse' || code === 'diskFull') return { code, detail: {} };
    return { code: 'storeFailed', detail: { reason: code } };
  }
  const system = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (system === 'ENOSPC' || system === 'EDQUOT') return { code: 'diskFull', detail: {} };
  if (/^E[A-Z]+$/.test(system)) return { code: 'storeFailed', detail: { reason: system } };
  reportFault(error);
  return { code: 'internal', detail: {} };
}

/** The window's messages, each waited for by what it is: none is lost that comes early. */
class WindowDoor {
  readonly #port: MessagePort;
  readonly #early = new Map<ToWorker['type'], ToWorker>();
  readonly #awaited = new Map<ToWorker['type'], (message: ToWorker) => void>();

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: ToWorker) => {
      const awaited = this.#awaited.get(message.type);
      this.#awaited.delete(message.type);
      if (awaited) awaited(message);
      else this.#early.set(message.type, message);
    });
  }

  async next<T extends ToWorker['type']>(type: T): Promise<Extract<ToWorker, { readonly type: T }>> {
    assert(!this.#awaited.has(type), 'one waits for a message');
    const early = this.#early.get(type);
    this.#early.delete(type);
    const message = early ?? (await new Promise<ToWorker>((resolve) => this.#awaited.set(type, resolve)));
    return message as Extract<ToWorker, { readonly type: T }>;
  }

  tell(message: FromWorker): void {
    this.#port.postMessage(message);
  }

  /** Answers whether the window can read them back. */
  async keep(secrets: DeviceSecrets): Promise<boolean> {
    this.tell({ type: 'keepSecrets', secrets });
    return (await this.next('secretsKept')).kept;
  }

  /** The last word: nothing keeps the thread alive afterwards. */
  leave(message: FromWorker): void {
    this.tell(message);
    this.#port.close();
  }
}
