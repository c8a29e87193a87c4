/**
 * The api as a client has it. A client outlives its connections: calls made while there is none wait, and those that
 * were on their way when one ended are sent again on the next (methods.ts says which, and how that stays harmless).
 */
import { randomBytes } from 'node:crypto';
import { assert } from '../base/assert.ts';
import { Emitter, type Event } from '../base/event.ts';
import type { CoterieApi, ServiceEvent } from '../service/api.ts';
import { type Call, type ChatPlace, serverMessageOf, type ServerMessage } from './messages.ts';
import { METHODS, type MethodName } from './methods.ts';
import { withOwnBytes } from './own-bytes.ts';
import { type MessageDuplex, MessageTooLargeError } from './port.ts';
import {
  MAX_CHATS_SHOWN,
  MAX_RPC_IN_FLIGHT,
  MAX_RPC_SENDS,
  MAX_RPC_WAITING,
  RPC_PROTOCOL,
  STALL_PARTS,
} from './rpc-limits.ts';
import { ServiceFailure } from './service-failure.ts';
import { StallWatch } from './stall-watch.ts';

interface Pending {
  readonly call: Call;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  sent: number;
}

/** How a connection began: only `welcome` makes it the client's. `stalled`: there is someone, who does not answer. */
export type Greeting = 'welcome' | 'closed' | 'stalled' | { readonly refusedBy: string };

export class ApiClient {
  readonly #build: string;
  readonly #keyPrefix = randomBytes(9).toString('base64url');
  readonly #events = new Emitter<ServiceEvent>();
  readonly #waiting = new Map<number, Pending>();
  readonly #inFlight = new Map<number, Pending>();
  readonly #stalls = new Emitter<boolean>();
  #duplex: MessageDuplex | undefined;
  #watch: StallWatch | undefined;
  #shown: readonly ChatPlace[] = [];
  #nextId = 1;
  #failed: ServiceFailure | undefined;

  readonly events: Event<ServiceEvent> = this.#events.event;
  /** Whether the owner gives no sign of life while calls are on their way; told when that changes. */
  readonly onStalled: Event<boolean> = this.#stalls.event;
  readonly api: CoterieApi = apiOf((method, args) => this.#call(method, args));

  constructor(build: string) {
    this.#build = build;
  }

  /**
   * Greets, and once welcome sends everything that waits. An owner that has said that it opens is waited for; with a time after which it
   * counts as stalled it is watched from then on.
   */
  attach(duplex: MessageDuplex, stalledAfter_ms?: number): Promise<Greeting> {
    assert(!this.#duplex, 'a client has one connection');
    return new Promise((resolve) => {
      const timer = stalledAfter_ms === undefined ? undefined : setTimeout(() => greeted('stalled'), stalledAfter_ms);
      const greeted = (greeting: Greeting) => {
        clearTimeout(timer);
        resolve(greeting);
        if (greeting !== 'welcome') duplex.close();
      };
      duplex.onClose(() => {
        this.#detach(duplex);
        greeted('closed');
      });
      duplex.onMessage((value) => {
        const message = serverMessageOf(value);
        this.#watch?.heard();
        if (message?.type === 'opening') clearTimeout(timer);
        else if (message?.type === 'refused') greeted({ refusedBy: message.build });
        else if (message?.type === 'welcome') {
          this.#duplex = duplex;
          if (stalledAfter_ms !== undefined) this.#watch = this.#watched(duplex, stalledAfter_ms / STALL_PARTS);
          greeted('welcome');
          if (this.#shown.length > 0) this.#tellShown();
          this.#sendWaiting();
        } else if (message) this.#arrived(message);
      });
      duplex.send({ type: 'hello', protocol: RPC_PROTOCOL, build: this.#build });
    });
  }

  /** Which chats are shown: what is said in others is not told. What is asked for after this misses nothing. */
  show(chats: readonly ChatPlace[]): void {
    this.#shown = chats;
    this.#tellShown();
  }

  #tellShown(): void {
    this.#duplex?.send({ type: 'shows', chats: this.#shown.slice(-MAX_CHATS_SHOWN) });
  }

  /** Tells the views as the service would: after a takeover everything may be otherwise. */
  announce(event: ServiceEvent): void {
    this.#events.fire(event);
  }

  /** The end: what waits and what comes is rejected. */
  fail(error: ServiceFailure): void {
    this.#failed ??= error;
    const lost = [...this.#inFlight.values(), ...this.#waiting.values()];
    this.#inFlight.clear();
    this.#waiting.clear();
    for (const { reject } of lost) reject(this.#failed);
    this.#duplex?.close();
  }

  #call(method: MethodName, args: readonly unknown[]): Promise<unknown> {
    if (this.#failed) return Promise.reject(this.#failed);
    if (this.#waiting.size >= MAX_RPC_WAITING)
      return Promise.reject(new ServiceFailure('internal', { reason: 'busy' }));
    const id = this.#nextId++;
    const key = METHODS[method] === 'once' ? { key: `${this.#keyPrefix}.${id}` } : {};
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { call: { type: 'call', id, method, args, ...key }, resolve, reject, sent: 0 });
      this.#sendWaiting();
    });
  }

  #watched(duplex: MessageDuplex, patience_ms: number): StallWatch {
    return new StallWatch(patience_ms, {
      expects: () => this.#inFlight.size > 0,
      ask: () => duplex.send({ type: 'ping' }),
      tell: (stalled) => this.#stalls.fire(stalled),
    });
  }

  #sendWaiting(): void {
    if (!this.#duplex) return;
    for (const [id, pending] of this.#waiting) {
      if (this.#inFlight.size >= MAX_RPC_IN_FLIGHT) return;
      this.#waiting.delete(id);
      this.#inFlight.set(id, pending);
      pending.sent++;
      this.#send(this.#duplex, pending);
    }
  }

  #send(duplex: MessageDuplex, { call, reject }: Pending): void {
    try {
      const owned = call.args.map(withOwnBytes);
      const transfer = owned.flatMap((argument) => argument.transfer);
      duplex.send({ ...call, args: owned.map((argument) => argument.value) }, transfer);
      this.#watch?.sent();
    } catch (error) {
      this.#inFlight.delete(call.id);
      reject(error instanceof MessageTooLargeError ? new ServiceFailure('tooLarge') : error);
    }
  }

  #arrived(message: ServerMessage): void {
    if (message.type === 'event') return this.#events.fire(message.event);
    if (message.type !== 'answer' && message.type !== 'failure') return;
    const pending = this.#inFlight.get(message.id);
    if (!pending) return;
    this.#inFlight.delete(message.id);
    if (message.type === 'answer') pending.resolve(message.value);
    else pending.reject(new ServiceFailure(message.code, message.detail));
    this.#sendWaiting();
  }

  #detach(duplex: MessageDuplex): void {
    if (this.#duplex !== duplex) return;
    this.#duplex = undefined;
    this.#watch?.dispose();
    this.#watch = undefined;
    const older = [...this.#inFlight];
    const newer = [...this.#waiting];
    this.#inFlight.clear();
    this.#waiting.clear();
    for (const [id, pending] of [...older, ...newer]) this.#waiting.set(id, pending);
    for (const [id, { call, reject, sent }] of older) {
      if (METHODS[call.method] !== 'long' && sent < MAX_RPC_SENDS) continue;
      this.#waiting.delete(id);
      reject(new ServiceFailure('stopped'));
    }
  }
}

/** A client with one connection and no other: calls fail when it closes. */
export function apiClient(port: MessageDuplex, build = ''): ApiClient {
  const client = new ApiClient(build);
  void client.attach(port).then((greeting) => {
    if (typeof greeting === 'object') client.fail(versionFailure(build, greeting.refusedBy));
    port.onClose(() => client.fail(new ServiceFailure('stopped')));
  });
  return client;
}

/** Another window, of another version of Coterie, has the store. */
export function versionFailure(ours: string, theirs: string): ServiceFailure {
  return new ServiceFailure('inUse', { reason: 'version', ours, theirs });
}

function apiOf(call: (method: MethodName, args: readonly unknown[]) => Promise<unknown>): CoterieApi {
  const names = Object.keys(METHODS) as MethodName[];
  const methods = names.map((name) => [name, (...args: readonly unknown[]) => call(name, args)] as const);
  return Object.fromEntries(methods) as unknown as CoterieApi;
}
