/**
 * The direct listener (T1): TCP 2492 or the next free port, WebSocket upgrades on DIRECT_PATH.
 * Whoever has not proved a device yet is one of at most MAX_PENDING_HANDSHAKES: a newcomer pushes the oldest out, so that
 * sockets that only stay open cannot keep a member from coming in (an honest handshake is over in milliseconds).
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { HANDSHAKE_TIMEOUT_MS, MAX_INBOUND_CONNECTIONS, MAX_PENDING_HANDSHAKES } from '../protocol/limits.ts';
import type { Clock } from '../sync/ports.ts';
import { DIRECT_PATH } from './dial.ts';
import type { Meter } from './meter.ts';
import { SOCKET_OPTIONS } from './secure-link.ts';

/** Ports tried after the wanted one: several people's editors on one machine. */
const PORT_TRIES = 21;

export class DirectListener {
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #onSocket: (ws: WebSocket, socket: Socket) => void;
  readonly #upgrader = new WebSocketServer({ ...SOCKET_OPTIONS, noServer: true, clientTracking: false });
  readonly #sockets = new Set<Socket>();
  /** Oldest first, with what stops their time from running out. */
  readonly #unproved = new Map<Socket, () => void>();
  #server: Server | undefined;
  #host = '';

  constructor(clock: Clock, meter: Meter, onSocket: (ws: WebSocket, socket: Socket) => void) {
    this.#clock = clock;
    this.#meter = meter;
    this.#onSocket = onSocket;
  }

  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /** The host it is bound to: IPv4 alone where the machine has no IPv6. */
  get host(): string {
    return this.#host;
  }

  /** Undefined where no port is free: the device then only dials. */
  async listen(host: string, first: number | 'ephemeral'): Promise<number | undefined> {
    const ports = first === 'ephemeral' ? [0] : Array.from({ length: PORT_TRIES }, (_, i) => first + i);
    const hosts = host === '::' ? ['::', '0.0.0.0'] : [host];
    for (const oneHost of hosts) {
      for (const port of ports) {
        if (port > 65_535) break;
        const tried = await this.#tryListen(oneHost, port);
        if (tried === 'listening') return this.port;
        if (tried === 'no such address') break;
      }
    }
    return undefined;
  }

  /** The socket's peer has proved a device: it no longer stands in the way of others. */
  proved(socket: Socket): void {
    this.#unproved.get(socket)?.();
    this.#unproved.delete(socket);
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #tryListen(host: string, port: number): Promise<'listening' | 'taken' | 'no such address'> {
    const server = createServer((_request, response) => {
      response.writeHead(426, { connection: 'close' }).end();
    });
    server.on('connection', (socket) => this.#onConnection(socket));
    server.on('upgrade', (request: IncomingMessage, socket, head: Buffer) => this.#onUpgrade(request, socket, head));
    server.on('clientError', (_error, socket) => void socket.destroy());
    const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen({ host, port }, () => resolve(undefined));
    });
    if (failure) return failure.code === 'EADDRINUSE' || failure.code === 'EACCES' ? 'taken' : 'no such address';
    // Out of descriptors, say: accepting fails, what is open stays.
    server.on('error', () => {});
    this.#server = server;
    this.#host = host;
    return 'listening';
  }

  #onConnection(socket: Socket): void {
    if (this.#sockets.size >= MAX_INBOUND_CONNECTIONS + MAX_PENDING_HANDSHAKES) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    this.#meter.watch(socket, 'direct');
    this.#sockets.add(socket);
    const cancel = this.#clock.wakeAt(this.#clock.now() + HANDSHAKE_TIMEOUT_MS, () => void socket.destroy());
    this.#unproved.set(socket, cancel);
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.proved(socket);
    });
    if (this.#unproved.size > MAX_PENDING_HANDSHAKES) {
      const [oldest] = this.#unproved.keys();
      oldest?.destroy();
    }
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A browser names its page's origin: no page has business here.
    if (request.url !== DIRECT_PATH || request.headers.origin !== undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
      return;
    }
    this.#upgrader.handleUpgrade(request, socket, head, (ws) => this.#onSocket(ws, request.socket));
  }
}
