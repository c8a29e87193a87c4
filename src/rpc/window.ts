/**
 * A window's way to the service. One window per store owns it and runs the worker thread; the others are its guests, over
 * the local socket that the worker listens on. When it closes, the guests elect the next owner among them, and nothing
 * that a view holds changes: calls wait meanwhile, and go on (L3).
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Emitter, type Event } from '../base/event.ts';
import type { CoterieApi, ServiceEvent, Settings } from '../service/api.ts';
import { ApiClient, versionFailure } from './client.ts';
import type { ChatPlace } from './messages.ts';
import { dial } from './local-socket.ts';
import { OnceEvent } from './once-event.ts';
import { newestRecord } from './owner-record.ts';
import { OwnerWorker, type OwnerWorkerOptions, type SecretsDoor } from './owner-worker.ts';
import { ELECTION_MS, ELECTION_PAUSE_MS, RPC_STALLED_MS } from './rpc-limits.ts';
import { ServiceFailure } from './service-failure.ts';
import type { Beside } from './worker-control.ts';

/**
 * What becomes of the owner, as its guest sees it: `stalled` gives no sign of life while calls wait for it, and is not robbed (L3); it
 * `answers` again; or it has `changed`, maybe to this window, and what the one before told last may not have come.
 */
export type OwnerState = 'stalled' | 'answers' | 'changed';

export interface WindowService {
  readonly api: CoterieApi;
  readonly events: Event<ServiceEvent>;
  /** Once; with a ServiceError where it was not `dispose`. A late listener is told too. */
  readonly onClosed: Event<Error | undefined>;
  readonly onOwner: Event<OwnerState>;
  /** A guest may become the owner. */
  readonly role: 'owner' | 'guest';
  /** Which chats this window shows: what is said in others it is not told. */
  show(chats: readonly ChatPlace[]): void;
  /** Resolves when everything is flushed. Throws the ServiceError that kept it from being. */
  dispose(): Promise<void>;
}

export interface ConnectOptions {
  /** Where the store is, or will be. */
  readonly folder: string;
  readonly workerPath: string;
  readonly wasmPath: string;
  readonly secrets: SecretsDoor;
  readonly settings: Settings;
  /** After how long an owner that does not answer counts as stalled. */
  readonly stalledAfter_ms?: number;
  /** The person's word that a locked store is to be set aside (I2): counts for this connecting, not for a later takeover. */
  readonly beside?: Beside;
}

/**
 * Throws a ServiceError: `locked` (a store without its secrets), `inUse` (detail `reason`: `version`, `stalled` or
 * `unsettled`), or what else kept the store from opening.
 */
export async function connectService(options: ConnectOptions): Promise<WindowService> {
  const link = new ServiceLink(options, await buildOf(options.workerPath));
  await link.connect();
  return link;
}

class ServiceLink implements WindowService {
  readonly #options: OwnerWorkerOptions;
  readonly #stalledAfter_ms: number;
  readonly #client: ApiClient;
  readonly #closed = new OnceEvent<Error | undefined>();
  readonly #owner = new Emitter<OwnerState>();
  #settings: Settings;
  #beside: Beside | undefined;
  #worker: OwnerWorker | undefined;
  #disposing: Promise<void> | undefined;
  #connecting: Promise<void> | undefined;
  #release: () => void = () => undefined;
  #over = false;
  readonly api: CoterieApi;
  readonly events: Event<ServiceEvent>;
  readonly onClosed = this.#closed.event;
  readonly onOwner = this.#owner.event;

  constructor(options: ConnectOptions, build: string) {
    const { beside, ...lasting } = options;
    this.#options = { ...lasting, build };
    this.#beside = beside;
    this.#stalledAfter_ms = options.stalledAfter_ms ?? RPC_STALLED_MS;
    this.#settings = options.settings;
    this.#client = new ApiClient(build);
    this.events = this.#client.events;
    this.#client.onStalled((stalled) => this.#owner.fire(stalled ? 'stalled' : 'answers'));
    // An owner to be starts with the settings of now, not with those of when its window opened.
    const api = this.#client.api;
    this.api = { ...api, configure: (settings) => api.configure((this.#settings = settings)) };
  }

  get role(): 'owner' | 'guest' {
    return this.#worker ? 'owner' : 'guest';
  }

  show(chats: readonly ChatPlace[]): void {
    this.#client.show(chats);
  }

  async connect(): Promise<void> {
    await this.#settle(Date.now() + ELECTION_MS);
    this.#beside = undefined;
  }

  dispose(): Promise<void> {
    this.#disposing ??= this.#dispose();
    return this.#disposing;
  }

  async #dispose(): Promise<void> {
    // An election that is under way ends first, so that a worker it starts is not left behind.
    await this.#connecting?.catch(() => undefined);
    try {
      await this.#worker?.close();
    } finally {
      this.#end(undefined);
    }
  }

  /** Finds the owner or becomes it; tries until then, or until the deadline. */
  async #settle(deadline: number): Promise<void> {
    for (;;) {
      if (await this.#tryGuest(deadline)) return;
      if (this.#leaving()) return;
      if (await this.#tryOwner()) return;
      if (this.#leaving()) return;
      if (Date.now() > deadline) throw new ServiceFailure('inUse', { reason: 'unsettled' });
      await new Promise((resolve) => setTimeout(resolve, ELECTION_PAUSE_MS));
    }
  }

  #leaving(): boolean {
    return this.#disposing !== undefined;
  }

  async #tryGuest(deadline: number): Promise<boolean> {
    const newest = await newestRecord(this.#options.folder);
    if (!newest?.record) return false;
    const dialled = await dial(newest.record, this.#stalledAfter_ms);
    if (dialled.state === 'stalled' && deadline !== Infinity) throw new ServiceFailure('inUse', { reason: 'stalled' });
    if (dialled.state !== 'open') return false;
    const greeting = await this.#client.attach(dialled.duplex, this.#stalledAfter_ms);
    if (greeting === 'stalled' && deadline !== Infinity) throw new ServiceFailure('inUse', { reason: 'stalled' });
    if (typeof greeting === 'object') throw versionFailure(this.#options.build, greeting.refusedBy);
    if (greeting !== 'welcome') return false;
    this.#release = () => dialled.duplex.close();
    dialled.duplex.onClose(() => this.#lost());
    return true;
  }

  async #tryOwner(): Promise<boolean> {
    const beside = this.#beside ? { beside: this.#beside } : {};
    const worker = await OwnerWorker.start({ ...this.#options, ...beside, settings: this.#settings });
    if (!worker) return false;
    this.#worker = worker;
    worker.onEnded((failure) => this.#end(failure));
    return (await this.#client.attach(worker.duplex)) === 'welcome';
  }

  /** The owner's window has closed: this one takes over, or finds who did. A stalled one keeps the connection open. */
  #lost(): void {
    if (this.#leaving() || this.#over) return;
    this.#connecting = this.#settle(Infinity).then(
      () => {
        this.#client.announce({ type: 'workspaces' });
        this.#owner.fire('changed');
      },
      (error: unknown) => this.#end(asFailure(error)),
    );
  }

  #end(failure: ServiceFailure | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#client.fail(failure ?? new ServiceFailure('stopped'));
    this.#release();
    this.#closed.fire(failure);
  }
}

function asFailure(error: unknown): ServiceFailure {
  return error instanceof ServiceFailure ? error : new ServiceFailure('internal', {}, { cause: error });
}

/** Two windows understand each other where they run the same worker, byte for byte. */
export async function buildOf(workerPath: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(workerPath))
    .digest('hex')
    .slice(0, 32);
}
