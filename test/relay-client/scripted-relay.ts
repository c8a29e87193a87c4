/** A relay that does what a test tells it, however wrong: the channel is the real one, the answers are the script's. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { Emitter } from '../../src/base/event.ts';
import { SecureChannel } from '../../src/protocol/channel.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { writeRelayAddress } from '../../src/protocol/relay-address.ts';
import {
  Code,
  decodeRequest,
  encodeNotice,
  type RelayNotice,
  type RelayRequest,
} from '../../src/protocol/relay-messages.ts';
import { crypto } from './devices.ts';

export interface Asked {
  readonly session: ScriptedSession;
  readonly id: number;
  readonly request: RelayRequest;
}

/** What to answer; `silence` for nothing, undefined for what an obliging relay would say. */
export type Script = (
  request: RelayRequest,
  session: ScriptedSession,
) => { readonly code: Code; readonly value?: Value } | 'silence' | undefined;

const SECRET = crypto.sha256(Uint8Array.of(77));

export class ScriptedRelay {
  script: Script = () => undefined;
  port = 0;
  /** Whether it says hello after the handshake. */
  greets = true;
  readonly asked: Asked[] = [];
  readonly sessions: ScriptedSession[] = [];
  readonly #server: Server = createServer();
  readonly #sockets = new WebSocketServer({ server: this.#server, perMessageDeflate: false });
  readonly #requests = new Emitter<Asked>();
  readonly #joins = new Emitter<ScriptedSession>();
  readonly onRequest = this.#requests.event;
  readonly onSession = this.#joins.event;

  static async start(port = 0): Promise<ScriptedRelay> {
    const relay = new ScriptedRelay();
    relay.#sockets.on('connection', (socket) => void new ScriptedSession(relay, socket));
    await new Promise<void>((resolve) => relay.#server.listen(port, '127.0.0.1', resolve));
    relay.port = (relay.#server.address() as AddressInfo).port;
    return relay;
  }

  get address(): string {
    return writeRelayAddress({
      host: '127.0.0.1',
      port: this.port,
      key: crypto.agreementKeyOf(SECRET),
      token: 'token',
    });
  }

  /** Everything asked so far of one kind. */
  all<T extends RelayRequest['type']>(type: T): readonly Extract<RelayRequest, { readonly type: T }>[] {
    return this.asked
      .map(({ request }) => request)
      .filter((request): request is Extract<RelayRequest, { readonly type: T }> => request.type === type);
  }

  async stop(): Promise<void> {
    for (const { socket } of this.sessions) socket.terminate();
    this.#sockets.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  // ---- for its sessions -----------------------------------------------------------------------------------------

  joined(session: ScriptedSession): void {
    this.sessions.push(session);
    if (this.greets) session.notify({ type: 'hello', limits: [['messageBytes', 1_048_576]] });
    this.#joins.fire(session);
  }

  took(asked: Asked): void {
    this.asked.push(asked);
    const answer = this.script(asked.request, asked.session) ?? obliging(asked.request);
    if (answer !== 'silence') asked.session.answer(asked.id, answer.code, answer.value ?? null);
    this.#requests.fire(asked);
  }
}

export class ScriptedSession {
  readonly socket: WebSocket;
  readonly #channel: SecureChannel;

  constructor(relay: ScriptedRelay, socket: WebSocket) {
    this.socket = socket;
    this.#channel = new SecureChannel({
      crypto,
      role: 'responder',
      identity: { staticSecret: SECRET, payload: new Uint8Array(0) },
      expect: 'any',
    });
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const received = this.#channel.receive(data as Buffer);
      if (!received.ok) return socket.terminate();
      for (const frame of received.value.send) socket.send(frame);
      if (received.value.established) relay.joined(this);
      for (const { bytes } of received.value.packets) {
        const decoded = decodeRequest(bytes);
        if (!decoded.ok) throw new Error('a device asked nonsense');
        relay.took({ session: this, ...decoded.value });
      }
    });
  }

  answer(request: number, code: Code, value: Value = null): void {
    this.notify({ type: 'answer', request, code, value });
  }

  notify(notice: RelayNotice): void {
    this.packet(encodeNotice(notice));
  }

  deliver(position: number, word: string, sender = new Uint8Array(32).fill(5)): void {
    const body = new TextEncoder().encode(word);
    this.notify({ type: 'deliver', position, sender, messageId: new Uint8Array(16), body });
  }

  /** Any bytes, sealed as they should be. */
  packet(bytes: Uint8Array): void {
    this.#channel.push(0, bytes);
    for (let frame = this.#channel.pull(); frame; frame = this.#channel.pull()) this.socket.send(frame);
  }
}

function obliging(request: RelayRequest): { readonly code: Code; readonly value?: Value } {
  switch (request.type) {
    case 'submit':
      return { code: Code.ok, value: request.recipients.map(() => Code.ok) };
    case 'parcelPut':
      return { code: Code.ok, value: request.offset + request.bytes.length };
    case 'parcelGet':
      return { code: Code.notFound };
    default:
      return { code: Code.ok };
  }
}
