/**
 * The window's one connection to the service. Nothing is started until it is needed: `api()` is the door by which everything asks, and only
 * a first create or accept may make a store. A connection that ends by itself (the owning window has closed) is made anew.
 */
import type { Disposable } from '../base/disposable.ts';
import { Emitter, type Event } from '../base/event.ts';
import type { ChatPlace } from '../rpc/messages.ts';
import type { OwnerState } from '../rpc/window.ts';
import type { Beside } from '../rpc/worker-control.ts';
import type { CoterieApi, ServiceErrorCode, ServiceEvent } from '../service/api.ts';
import { errorCode } from './errors.ts';

/** What src/rpc/window.ts gives. */
export interface Connection {
  readonly api: CoterieApi;
  readonly events: Event<ServiceEvent>;
  readonly onClosed: Event<Error | undefined>;
  readonly onOwner: Event<OwnerState>;
  /** Which chats the window shows: it is told of no others. */
  show(chats: readonly ChatPlace[]): void;
  dispose(): Promise<void>;
}

export interface SessionPorts {
  storeExists(): Promise<boolean>;
  /** `beside`: the person's word that a locked store is to be set aside, and whose account begins beside it. */
  connect(beside?: Beside): Promise<Connection>;
  /** Calls back after a while; disposing forgets it. */
  later(delay_ms: number, run: () => void): Disposable;
}

export type SessionState =
  /** Nothing was ever made here. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'locked' }
  | { readonly kind: 'inUse' }
  | { readonly kind: 'failed'; readonly code: ServiceErrorCode };

/** There is no store, and what was asked for does not make one. */
export class NoStoreError extends Error {
  override readonly name = 'NoStoreError';
  readonly code = 'noIdentity';
}

/** Takeover of a closed owner's store takes up to 2 s (L3); after these we wait for a person to try again. */
const RECONNECT_DELAYS_MS = [0, 100, 250, 500, 1000, 2000, 4000];
/** A window that does not answer may again: asked as often, at no cost to it. */
const IN_USE_DELAY_MS = 1000;

export class Session implements Disposable {
  readonly #ports: SessionPorts;
  readonly #events = new Emitter<ServiceEvent>();
  readonly #states = new Emitter<SessionState>();
  readonly #stalls = new Emitter<boolean>();
  #state: SessionState = { kind: 'empty' };
  #connection: Connection | undefined;
  #connecting: Promise<Connection> | undefined;
  #subscriptions: Disposable[] = [];
  #retry: Disposable | undefined;
  #stalled = false;
  #disposed = false;

  constructor(ports: SessionPorts) {
    this.#ports = ports;
  }

  readonly events: Event<ServiceEvent> = this.#events.event;
  readonly onState: Event<SessionState> = this.#states.event;

  /** While open: whether the window that owns the store has stopped answering. What is asked waits, and goes on when it does (L3). */
  readonly onStalled: Event<boolean> = this.#stalls.event;

  get stalled(): boolean {
    return this.#stalled;
  }

  /** A chat is shown from now on, until this is disposed of. */
  shows(chat: ChatPlace): Disposable {
    this.#shown.add(chat);
    this.#connection?.show([...this.#shown]);
    return {
      dispose: () => {
        if (this.#shown.delete(chat)) this.#connection?.show([...this.#shown]);
      },
    };
  }

  readonly #shown = new Set<ChatPlace>();

  get state(): SessionState {
    return this.#state;
  }

  /** The service where it is connected now. */
  get current(): CoterieApi | undefined {
    return this.#connection?.api;
  }

  /** The service, started where a store exists, and with `create` also where none does. */
  async api(options: { readonly create?: boolean } = {}): Promise<CoterieApi> {
    if (this.#connection !== undefined) return this.#connection.api;
    if (this.#connecting === undefined && options.create !== true && !(await this.#ports.storeExists())) {
      throw new NoStoreError('There is no store on this machine.');
    }
    return (await this.#connect()).api;
  }

  /** I2: a locked store goes aside, and a new one begins, of the phrase's account or of a new one. */
  async beginBeside(beside: Beside): Promise<CoterieApi> {
    // A try that is under way knows nothing of it.
    await this.#connecting?.catch(() => undefined);
    return this.#connection?.api ?? (await this.#connect(beside)).api;
  }

  /** Connects where a store exists, and says how that went in `state`; never throws. */
  async open(): Promise<void> {
    try {
      await this.api();
    } catch {
      // The state tells.
    }
  }

  async close(): Promise<void> {
    this.#disposed = true;
    this.#retry?.dispose();
    const connection = this.#connection ?? (await this.#connecting?.catch(() => undefined));
    this.#forget();
    await connection?.dispose();
  }

  dispose(): void {
    void this.close();
  }

  #connect(beside?: Beside): Promise<Connection> {
    this.#connecting ??= this.#start(beside).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #start(beside?: Beside): Promise<Connection> {
    this.#retry?.dispose();
    // Tried again by itself, it is still in use until it is not.
    if (this.#state.kind !== 'inUse') this.#become({ kind: 'connecting' });
    try {
      const connection = await this.#ports.connect(beside);
      if (this.#disposed) return connection;
      this.#connection = connection;
      connection.show([...this.#shown]);
      this.#subscriptions = [
        connection.events((event) => this.#events.fire(event)),
        connection.onClosed(() => this.#lost(connection)),
        connection.onOwner((owner) => {
          // The views ask anew: the last that the one before has told may not have come.
          if (owner === 'changed') this.#become({ kind: 'open' });
          else this.#stall(owner === 'stalled');
        }),
      ];
      this.#become({ kind: 'open' });
      return connection;
    } catch (error) {
      this.#become(stateOf(errorCode(error)));
      if (this.#state.kind === 'inUse' && !this.#disposed)
        this.#retry = this.#ports.later(IN_USE_DELAY_MS, () => void this.open());
      throw error;
    }
  }

  #lost(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#forget();
    if (this.#disposed) return;
    this.#become({ kind: 'connecting' });
    this.#reconnect(0);
  }

  #reconnect(attempt: number): void {
    const delay_ms = RECONNECT_DELAYS_MS[attempt];
    if (delay_ms === undefined || this.#disposed) return;
    this.#retry = this.#ports.later(delay_ms, () => {
      this.#connect().catch((error: unknown) => {
        // Locked does not heal by waiting, and in use is tried again already.
        const code = errorCode(error);
        if (code !== 'locked' && code !== 'inUse') this.#reconnect(attempt + 1);
      });
    });
  }

  #forget(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#subscriptions = [];
    this.#connection = undefined;
    if (this.#stalled) this.#stall(false);
  }

  #stall(stalled: boolean): void {
    this.#stalled = stalled;
    this.#stalls.fire(stalled);
  }

  #become(state: SessionState): void {
    this.#state = state;
    this.#states.fire(state);
  }
}

function stateOf(code: ServiceErrorCode): SessionState {
  switch (code) {
    case 'locked':
    case 'inUse':
      return { kind: code };
    case 'noIdentity':
      return { kind: 'empty' };
    default:
      return { kind: 'failed', code };
  }
}
