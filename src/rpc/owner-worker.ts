/** The window's side of its worker thread: starts it, hands it the secrets, and ends it with everything flushed. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { unreachable } from '../base/assert.ts';
import type { Event } from '../base/event.ts';
import type { DeviceSecrets, Settings } from '../service/api.ts';
import { removeClaimsOf } from '../store/lock.ts';
import { MessagePortDuplex } from './message-port.ts';
import { OnceEvent } from './once-event.ts';
import type { MessageDuplex } from './port.ts';
import { CLOSE_TIMEOUT_MS } from './rpc-limits.ts';
import { ServiceFailure } from './service-failure.ts';
import type { Beside, FromWorker, ToWorker } from './worker-control.ts';

/** The editor's secret storage, as this room may know it. */
export interface SecretsDoor {
  read(): Promise<DeviceSecrets | undefined>;
  write(secrets: DeviceSecrets): Promise<void>;
}

export interface OwnerWorkerOptions {
  readonly folder: string;
  readonly workerPath: string;
  readonly wasmPath: string;
  readonly secrets: SecretsDoor;
  readonly settings: Settings;
  readonly build: string;
  /** What to do with a store that is locked; without it, nothing. */
  readonly beside?: Beside;
}

/**
 * What is young is looked through often, and a large nursery is touched all over before that: a service that rests would keep tens of
 * megabytes for it, and catching up is no quicker by it.
 */
const LIMITS = { maxYoungGenerationSizeMb: 12 };

export class OwnerWorker {
  readonly duplex: MessageDuplex;
  readonly #worker: Worker;
  readonly #secrets: SecretsDoor;
  readonly #outcome = new OnceEvent<'open' | 'lost' | ServiceFailure>();
  readonly #ended = new OnceEvent<ServiceFailure | undefined>();
  /** Resolves when the thread has ended, and the store is free. */
  readonly #gone: Promise<void>;
  #crash: ServiceFailure | undefined;
  /** Once the thread is gone: with why, unless it was asked to go and has flushed everything. */
  readonly onEnded: Event<ServiceFailure | undefined> = this.#ended.event;

  private constructor(options: OwnerWorkerOptions) {
    this.#secrets = options.secrets;
    const { port1, port2 } = new MessageChannel();
    this.duplex = new MessagePortDuplex(port1);
    this.#worker = new Worker(options.workerPath, { name: 'coterie', resourceLimits: LIMITS });
    this.#worker.on('message', (message: FromWorker) => this.#arrived(message));
    const { folder, wasmPath, settings, build, beside } = options;
    // An exception nobody caught over there ends the thread, and must not end the host. `exit` follows.
    this.#worker.on('error', (cause) => {
      this.#crash ??= new ServiceFailure('internal', { reason: 'crashed' }, { cause });
    });
    // Gone, a worker has no number any more.
    const { threadId } = this.#worker;
    this.#gone = new Promise<void>((resolve) => this.#worker.on('exit', () => resolve())).then(async () => {
      // Only this process knows that the thread has ended, and is not just slow. Who is told so may open the store at once.
      await removeClaimsOf(folder, threadId).catch(() => undefined);
      this.#end(this.#crash ?? new ServiceFailure('stopped', { reason: 'exited' }));
    });
    const begin = beside ? { beside } : {};
    this.#post({ type: 'start', folder, wasmPath, settings, build, ...begin, port: port2 }, [port2]);
  }

  /** Undefined where another window owns the store. Throws the ServiceFailure that kept the store from opening. */
  static async start(options: OwnerWorkerOptions): Promise<OwnerWorker | undefined> {
    const worker = new OwnerWorker(options);
    const outcome = await new Promise<'open' | 'lost' | ServiceFailure>((resolve) => worker.#outcome.event(resolve));
    if (outcome === 'open') return worker;
    await worker.#terminate();
    if (outcome === 'lost') return undefined;
    throw outcome;
  }

  /** Throws the ServiceFailure of the last flush. */
  async close(): Promise<void> {
    const ended = new Promise<ServiceFailure | undefined>((resolve) => this.#ended.event(resolve));
    this.#post({ type: 'close' });
    const timer = setTimeout(() => this.#end(new ServiceFailure('storeFailed', { reason: 'slow' })), CLOSE_TIMEOUT_MS);
    const failure = await ended;
    clearTimeout(timer);
    await this.#terminate();
    if (failure) throw failure;
  }

  async #terminate(): Promise<void> {
    await this.#worker.terminate();
    await this.#gone;
  }

  #arrived(message: FromWorker): void {
    switch (message.type) {
      case 'open':
      case 'lost':
        return this.#outcome.fire(message.type);
      case 'failed':
        return this.#outcome.fire(new ServiceFailure(message.code, message.detail));
      case 'closed':
        return this.#end(message.failure && new ServiceFailure(message.failure.code, message.failure.detail));
      case 'wantSecrets':
        void this.#readSecrets();
        return;
      case 'keepSecrets':
        void this.#keepSecrets(message.secrets);
        return;
      default:
        unreachable(message);
    }
  }

  async #readSecrets(): Promise<void> {
    try {
      this.#post({ type: 'secrets', secrets: await this.#secrets.read() });
    } catch (cause) {
      this.#outcome.fire(new ServiceFailure('locked', { reason: 'secrets' }, { cause }));
    }
  }

  /** Kept is what can be read again: some secret storages take everything and hold nothing. */
  async #keepSecrets(secrets: DeviceSecrets): Promise<void> {
    try {
      await this.#secrets.write(secrets);
      const kept = await this.#secrets.read();
      this.#post({ type: 'secretsKept', kept: kept !== undefined && sameSecrets(kept, secrets) });
    } catch {
      this.#post({ type: 'secretsKept', kept: false });
    }
  }

  #post(message: ToWorker, transfer: readonly MessagePort[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #end(failure: ServiceFailure | undefined): void {
    this.#outcome.fire(failure ?? new ServiceFailure('stopped'));
    this.#ended.fire(failure);
  }
}

function sameSecrets(a: DeviceSecrets, b: DeviceSecrets): boolean {
  return (
    a.accountSeed === b.accountSeed &&
    a.signingSeed === b.signingSeed &&
    a.agreementSecret === b.agreementSecret &&
    a.storeKey === b.storeKey
  );
}
