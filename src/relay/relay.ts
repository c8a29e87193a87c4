/** The relay as a whole: opens the store, listens, and lets go of everything in the opposite order. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { nodeCrypto } from '../crypto/node/crypto.ts';
import { HANDSHAKE_TIMEOUT_MS, MAX_NOISE_MESSAGE_BYTES } from '../protocol/limits.ts';
import { DEFAULT_PORT, writeRelayAddress } from '../protocol/relay-address.ts';
import { Hub } from './hub.ts';
import { loadIdentity, RelayStartError } from './identity.ts';
import { DEFAULT_LIMITS, type RelayLimits } from './limits.ts';
import { Session } from './session.ts';
import { openThreadedStore } from './store-thread.ts';
import { RelayStoreError, type RelayStore } from './store.ts';
import { wsPipe } from './ws-pipe.ts';

const EXPIRE_EVERY_MS = 3_600_000;

export interface RelayOptions {
  readonly folder: string;
  /** 0 takes any free one. */
  readonly port?: number;
  readonly host?: string;
  /** The name or address by which devices reach it: `host` where absent. */
  readonly publicHost?: string;
  readonly openRegistration?: boolean;
  readonly limits?: Partial<RelayLimits>;
  readonly now?: () => number;
  /** Another store than the one in the folder. */
  readonly store?: RelayStore & { readonly failed?: Promise<RelayStoreError> };
}

export interface RunningRelay {
  /** Text form, with the registration token: what goes into the setting `coterie.relay`. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Connections at this moment, handshakes included. */
  readonly connections: number;
  /** Resolves when the relay has stopped by itself, because nobody can say any more what is durable (R7). */
  readonly failed: Promise<RelayStoreError>;
  addressFor(host: string): string;
  /** Removes what has stood longer than its time; happens by itself every hour. */
  expire(): Promise<void>;
  stop(): Promise<void>;
}

/** Throws RelayStartError. */
export async function startRelay(options: RelayOptions): Promise<RunningRelay> {
  const { folder, host = '127.0.0.1', port = DEFAULT_PORT, now = Date.now } = options;
  const limits: RelayLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const crypto = nodeCrypto();
  const identity = loadIdentity(crypto, folder);
  const store = options.store ?? (await openStore(folder, limits));
  const hub = new Hub({
    crypto,
    identity,
    store,
    folder,
    limits,
    openRegistration: options.openRegistration ?? false,
    now,
  });
  const doors = new Doors(hub);
  let bound: number;
  try {
    await hub.parcels.start();
    await hub.expire();
    bound = await doors.listen(port, host);
  } catch (error) {
    await store.close();
    throw asStartError(error, port, host);
  }

  const expiry = setInterval(() => hub.watch(hub.expire()), EXPIRE_EVERY_MS);
  let stopping: Promise<void> | undefined;
  const stop = () =>
    (stopping ??= (async () => {
      clearInterval(expiry);
      await doors.close();
      await store.close();
    })());
  // Not when it ends because we do.
  void store.failed?.then((error) => (stopping ? undefined : hub.fail(error)));
  const failed = hub.failed.then(async (error) => {
    await stop();
    return error;
  });
  const addressFor = (name: string) =>
    writeRelayAddress({ host: name, port: bound, key: identity.staticKey, token: identity.token });
  return {
    ...{ address: addressFor(options.publicHost ?? host), host, port: bound, failed, addressFor, stop },
    expire: () => hub.expire(),
    get connections() {
      return doors.sessions;
    },
  };
}

async function openStore(folder: string, limits: RelayLimits): Promise<NonNullable<RelayOptions['store']>> {
  try {
    return await openThreadedStore(folder, limits);
  } catch (error) {
    if (error instanceof RelayStoreError && error.code === 'inUse') {
      throw new RelayStartError('dataInUse', `Another relay is using the data folder ${folder}.`, { cause: error });
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new RelayStartError('badData', `The relay cannot use its data folder ${folder}: ${reason}.`, {
      cause: error,
    });
  }
}

/**
 * The port and whoever comes in by it. Who has not proved a device yet is one of a few: a newcomer pushes the oldest out, so that sockets that only
 * stay open keep nobody from coming in. So it is with devices that have no queue here, which anybody can make up; and when the house is full, with
 * those of whichever account takes the most of it.
 */
class Doors {
  readonly #hub: Hub;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #sessions = new Set<Session>();
  /** Oldest first. */
  readonly #unproved = new Set<Socket>();
  /** What strangers hold in memory; first who has not gone on for the longest. */
  readonly #held = new Map<Session, number>();
  #heldBytes = 0;

  constructor(hub: Hub) {
    this.#hub = hub;
    // Nothing is served but the way in: a TLS proxy's health check gets its 404 like everybody else.
    this.#server = createServer({ connectionsCheckingInterval: 1_000 }, (_request, response) => {
      response.writeHead(404, { 'content-type': 'text/plain', connection: 'close' }).end('A Coterie relay.\n');
    });
    this.#server.headersTimeout = HANDSHAKE_TIMEOUT_MS;
    this.#server.requestTimeout = HANDSHAKE_TIMEOUT_MS;
    this.#server.maxConnections = hub.limits.connections + hub.limits.pendingHandshakes;
    this.#sockets = new WebSocketServer({
      server: this.#server,
      path: '/',
      // Ciphertext does not compress, and a deflate context costs memory for each connection.
      perMessageDeflate: false,
      maxPayload: MAX_NOISE_MESSAGE_BYTES,
      clientTracking: true,
    });
    this.#server.on('connection', (socket) => this.#cameIn(socket));
    this.#sockets.on('connection', (socket, { socket: below }) => {
      const session = new Session(wsPipe(socket), hub, {
        established: (one) => {
          this.#unproved.delete(below);
          this.#crowd(one);
        },
        held: (one, bytes) => this.#weigh(one, bytes),
        closed: (one) => {
          this.#sessions.delete(one);
          this.#weigh(one, 0);
        },
      });
      this.#sessions.add(session);
    });
    // `listen` reports its own.
    this.#sockets.on('error', () => {});
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  async close(): Promise<void> {
    for (const session of [...this.#sessions]) session.close();
    for (const socket of this.#sockets.clients) socket.terminate();
    await new Promise<void>((resolve) => {
      this.#sockets.close(() => this.#server.close(() => resolve()));
      this.#server.closeAllConnections();
    });
  }

  #cameIn(socket: Socket): void {
    this.#unproved.add(socket);
    socket.once('close', () => this.#unproved.delete(socket));
    if (this.#unproved.size <= this.#hub.limits.pendingHandshakes) return;
    const [oldest] = this.#unproved;
    oldest?.destroy();
  }

  #weigh(session: Session, bytes: number): void {
    const before = this.#held.get(session) ?? 0;
    // Who holds less than before has finished something, or taken it.
    if (bytes < before) this.#held.delete(session);
    if (bytes > 0) this.#held.set(session, bytes);
    this.#heldBytes += bytes - before;
    for (const stalest of this.#held.keys()) {
      if (this.#heldBytes <= this.#hub.limits.strangersHeldBytes) return;
      stalest.close();
    }
  }

  /** A device that comes back before its lost connections were noticed must not be kept out by them: the oldest go. */
  #crowd(newest: Session): void {
    const { connectionsPerDevice, connections } = this.#hub.limits;
    const all = [...this.#sessions];
    const same = all.filter((session) => session.device === newest.device);
    const strangers = all.filter((session) => session.isStranger);
    for (const session of [...beyond(same, connectionsPerDevice), ...beyond(strangers, connections / 2)])
      session.close();
    const proved = [...this.#sessions].filter(({ device }) => device !== undefined);
    if (proved.length > connections) oldestOfTheMost(proved, newest).close();
  }
}

/** Of the account with the most; where none has two, nobody is better than another, and the newest goes. */
function oldestOfTheMost(sessions: readonly Session[], newest: Session): Session {
  const accounts = new Map<string, Session[]>();
  for (const session of sessions) {
    const same = accounts.get(session.account);
    if (same) same.push(session);
    else accounts.set(session.account, [session]);
  }
  let most: readonly Session[] = [newest];
  for (const same of accounts.values()) if (same.length > most.length) most = same;
  return most[0]!;
}

/** The oldest of them. */
function beyond(sessions: readonly Session[], most: number): readonly Session[] {
  return sessions.slice(0, Math.max(0, sessions.length - Math.floor(most)));
}

function asStartError(error: unknown, port: number, host: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new RelayStartError(
      'portInUse',
      `Port ${port} on ${host} is in use. Stop the other program, or choose another port with --port.`,
    );
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    const why = code === 'EACCES' ? 'that needs more rights' : 'this machine has no such address';
    return new RelayStartError('cannotListen', `The relay cannot listen on ${host}, port ${port}: ${why}.`);
  }
  return error;
}
