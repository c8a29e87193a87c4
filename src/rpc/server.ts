import type { Transferable } from 'node:worker_threads';
import type { Disposable } from '../base/disposable.ts';
import type { Event } from '../base/event.ts';
import type { CallKey, CoterieApi, ServiceEvent } from '../service/api.ts';
import { CallMemory } from './call-memory.ts';
import { EventPacer } from './event-pacer.ts';
import { type Call, type ChatPlace, clientMessageOf, type ServerMessage } from './messages.ts';
import { METHODS } from './methods.ts';
import { type MessageDuplex, MessageTooLargeError } from './port.ts';
import { MAX_RPC_SERVED_AT_ONCE, RPC_PROTOCOL } from './rpc-limits.ts';
import { ServiceFailure, serviceErrorOf } from './service-failure.ts';
import { withOwnBytes } from './own-bytes.ts';

export interface ApiServerOptions {
  /** What this side was built from: a client of another build is refused. */
  readonly build: string;
  /** Told of errors that are none of the service's: our faults. The client learns `internal` and nothing else. */
  readonly onFault?: (error: unknown) => void;
}

export interface Served {
  readonly api: CoterieApi;
  /** For one call, that is not done twice under its key. */
  apiFor(call: CallKey): CoterieApi;
  readonly events: Event<ServiceEvent>;
}

/** Serves one service to any number of clients: the window beside the worker and its guests. */
export class ApiServer {
  readonly #build: string;
  readonly #onFault: (error: unknown) => void;
  readonly #memory = new CallMemory();
  readonly #connections = new Set<Connection>();
  readonly #running = new Set<Promise<void>>();
  #serving: Served | undefined;
  #draining = false;

  constructor(options: ApiServerOptions) {
    this.#build = options.build;
    this.#onFault = options.onFault ?? (() => undefined);
  }

  /** Clients may come before the service is open: they are told that it is opening, and welcomed in `open`. */
  accept(duplex: MessageDuplex): void {
    const connection = new Connection(duplex, this.#build, (call) => this.#serve(connection, call));
    this.#connections.add(connection);
    duplex.onClose(() => {
      connection.dispose();
      this.#connections.delete(connection);
    });
    if (this.#serving) connection.open(this.#serving.events);
  }

  open(serving: Served): void {
    this.#serving = serving;
    for (const connection of this.#connections) connection.open(serving.events);
  }

  /**
   * Calls that come from now on are not answered, nor those that fail because everything stops: their clients ask the
   * next owner. Resolves when those that run have ended, which the caller hurries by closing the service.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  close(): void {
    for (const connection of [...this.#connections]) connection.close();
  }

  #serve(connection: Connection, call: Call): void {
    if (this.#draining || !this.#serving) return;
    const key = METHODS[call.method] === 'once' ? call.key : undefined;
    const api = key === undefined ? this.#serving.api : this.#serving.apiFor(key);
    const run = async () => (api[call.method] as (...args: readonly unknown[]) => Promise<unknown>)(...call.args);
    const outcome = key === undefined ? run() : this.#memory.once(key, run);
    const served = outcome
      .then((value) => connection.answer(call.id, value))
      .catch((error: unknown) => this.#fail(connection, call.id, error))
      .finally(() => {
        this.#running.delete(served);
        connection.served();
      });
    this.#running.add(served);
  }

  #fail(connection: Connection, id: number, error: unknown): void {
    const known = error instanceof MessageTooLargeError ? new ServiceFailure('tooLarge') : serviceErrorOf(error);
    if (!known) this.#onFault(error);
    const { code, detail } = known ?? new ServiceFailure('internal');
    if (this.#draining && (code === 'stopped' || code === 'internal')) return;
    connection.send({ type: 'failure', id, code, detail });
  }
}

class Connection implements Disposable {
  readonly #duplex: MessageDuplex;
  readonly #build: string;
  readonly #serve: (call: Call) => void;
  readonly #pacer = new EventPacer((event) => this.send({ type: 'event', event }));
  #subscription: Disposable | undefined;
  #events: Event<ServiceEvent> | undefined;
  /** A window makes nothing of what is said in a chat that it does not show: when it opens one it asks for the posts. */
  #shown: ReadonlySet<string> = new Set();
  #greeted = false;
  #welcomed = false;
  #running = 0;

  constructor(duplex: MessageDuplex, build: string, serve: (call: Call) => void) {
    this.#duplex = duplex;
    this.#build = build;
    this.#serve = serve;
    duplex.onMessage((message) => this.#arrived(message));
  }

  open(events: Event<ServiceEvent>): void {
    this.#events = events;
    if (this.#greeted) this.#welcome();
  }

  send(message: ServerMessage, transfer: readonly Transferable[] = []): void {
    this.#duplex.send(message, transfer);
  }

  /** One of its calls has ended, however it did. */
  served(): void {
    this.#running--;
  }

  answer(id: number, value: unknown): void {
    const { value: own, transfer } = withOwnBytes(value);
    this.send({ type: 'answer', id, value: own }, transfer);
  }

  close(): void {
    this.#duplex.close();
    this.dispose();
  }

  dispose(): void {
    this.#subscription?.dispose();
    this.#pacer.dispose();
  }

  #arrived(value: unknown): void {
    const message = clientMessageOf(value);
    if (message?.type === 'hello' && !this.#greeted) this.#greet(message.protocol, message.build);
    else if (message?.type === 'call' && this.#welcomed && this.#running < MAX_RPC_SERVED_AT_ONCE) {
      this.#running++;
      this.#serve(message);
    } else if (message?.type === 'ping' && this.#welcomed) this.send({ type: 'pong' });
    else if (message?.type === 'shows' && this.#welcomed) this.#shown = new Set(message.chats.map(chatKey));
    else this.close();
  }

  #greet(protocol: number, build: string): void {
    this.#greeted = true;
    if (protocol !== RPC_PROTOCOL || build !== this.#build) {
      this.send({ type: 'refused', protocol: RPC_PROTOCOL, build: this.#build });
      return this.close();
    }
    this.send({ type: 'opening' });
    if (this.#events) this.#welcome();
  }

  #welcome(): void {
    this.#welcomed = true;
    this.send({ type: 'welcome' });
    this.#subscription = this.#events!((event) => {
      if (event.type !== 'chat' || this.#shown.has(chatKey(event))) this.#pacer.push(event);
    });
  }
}

function chatKey({ workspace, tool }: ChatPlace): string {
  return `${workspace}.${tool}`;
}

/** Serves an open service on one port. */
export function serveApi(api: CoterieApi, events: Event<ServiceEvent>, port: MessageDuplex, build = ''): ApiServer {
  const server = new ApiServer({ build });
  server.open({ api, apiFor: () => api, events });
  server.accept(port);
  return server;
}
