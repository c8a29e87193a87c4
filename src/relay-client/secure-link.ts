/**
 * One secure channel over one WebSocket (T1): every binary message is one frame of the channel.
 *
 * | rule | figure |
 * | --- | --- |
 * | the handshake is over, or the socket is | HANDSHAKE_TIMEOUT_MS |
 * | ping, and the socket is dead without a sign of life | CONNECTION_IDLE_MS / 3, CONNECTION_IDLE_MS |
 * | silent so long though the last ping was answered: the clock leapt, and it is asked once more | REPLY_MS |
 * | frames are pulled from the channel | while the socket holds less than SOCKET_BUFFER_BYTES unsent, so that lanes preempt |
 * | packets wait in the channel | up to MAX_SEND_BUFFER_BYTES, then `send` answers false |
 *
 * `send` writes to the socket in the same tick. Anything that is not the protocol (text, a frame that does not open, a
 * frame too large) ends this link and nothing else.
 */
import type { RawData, WebSocket } from 'ws';
import { releaseBytes } from '../base/bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { SecureChannel, type ChannelIdentity, type ChannelOptions, type ChannelPeer } from '../protocol/channel.ts';
import {
  CONNECTION_IDLE_MS,
  HANDSHAKE_TIMEOUT_MS,
  MAX_NOISE_MESSAGE_BYTES,
  MAX_SEND_BUFFER_BYTES,
} from '../protocol/limits.ts';
import type { Clock, Lane } from '../sync/ports.ts';
import type { Meter, Path } from './meter.ts';

/** Held by the socket's own queue, beyond what the kernel took: one frame keeps it busy, two would only delay a control packet. */
const SOCKET_BUFFER_BYTES = 64 * 1024;

/** A network that has woken with its machine needs some seconds to carry anything. */
const REPLY_MS = 5_000;

/** What every link of a transport shares. */
export interface LinkContext {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly identity: ChannelIdentity;
}

/** Why a link is no more. `wrongKey`: whoever answered proved another key than the expected one. */
export interface LinkEnd {
  readonly reason: 'unreachable' | 'closed' | 'timeout' | 'wrongKey' | 'violation' | 'flood' | 'let go';
  readonly detail: string;
}

export interface LinkEvents {
  established(peer: ChannelPeer): void;
  packet(lane: Lane, bytes: Uint8Array): void;
  closed(end: LinkEnd): void;
}

export class SecureLink {
  readonly role: 'initiator' | 'responder';
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #path: Path;
  readonly #ws: WebSocket;
  readonly #channel: SecureChannel;
  #events: LinkEvents;
  /** Asked for every frame and ping once the handshake is over: false ends the link. */
  #admit: ((bytes: number) => boolean) | undefined;
  #established = false;
  #ended = false;
  #heard_ms: number;
  #sent_ms: number;
  /** There was no sign of life since the last ping. */
  #unanswered = false;
  #cancelWake: () => void;

  constructor(
    context: LinkContext,
    path: Path,
    role: 'initiator' | 'responder',
    expect: ChannelOptions['expect'],
    ws: WebSocket,
    events: LinkEvents,
  ) {
    this.role = role;
    this.#clock = context.clock;
    this.#meter = context.meter;
    this.#path = path;
    this.#ws = ws;
    this.#events = events;
    this.#channel = new SecureChannel({ crypto: context.crypto, role, identity: context.identity, expect });
    this.#heard_ms = this.#sent_ms = this.#clock.now();
    this.#cancelWake = this.#clock.wakeAt(this.#heard_ms + HANDSHAKE_TIMEOUT_MS, () => this.#handshakeLate());
    ws.binaryType = 'nodebuffer';
    ws.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    ws.on('ping', () => this.#onSign(0));
    ws.on('pong', () => this.#onSign(0));
    // A WebSocket always ends with `close`; `error` only says why, and has nothing to add for a person.
    ws.on('error', (error) => this.#end({ reason: 'unreachable', detail: codeOf(error) }));
    ws.on('close', (code) =>
      this.#end({ reason: this.#established ? 'closed' : 'unreachable', detail: `closed ${code}` }),
    );
    if (ws.readyState === ws.OPEN) this.#start();
    else ws.on('open', () => this.#start());
  }

  get isEstablished(): boolean {
    return this.#established && !this.#ended;
  }

  /** Bytes in the channel that the socket has not taken yet. */
  get queuedBytes(): number {
    return this.#channel.queuedBytes;
  }

  /** When the peer last gave a sign of life. */
  get heard_ms(): number {
    return this.#heard_ms;
  }

  /** When the socket last took a frame: a slow path is not a dead one. */
  get sent_ms(): number {
    return this.#sent_ms;
  }

  /** Hands the link to its next owner; packets of the same tick already go there. */
  attach(events: LinkEvents): void {
    this.#events = events;
  }

  limit(admit: ((bytes: number) => boolean) | undefined): void {
    this.#admit = admit;
  }

  /** False where the link is not open or the packet does not fit into its buffer. */
  send(lane: Lane, packet: Uint8Array): boolean {
    if (!this.isEstablished || this.#channel.queuedBytes + packet.length > MAX_SEND_BUFFER_BYTES) return false;
    this.#channel.push(lane, packet);
    this.#pump();
    return true;
  }

  /** Asks the peer for a sign of life before its time. */
  ping(): void {
    if (!this.isEstablished) return;
    this.#unanswered = true;
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }

  /** Says goodbye and closes; what the socket has taken still goes out. */
  end(reason: LinkEnd['reason'] = 'let go', detail = ''): void {
    if (this.#ended) return;
    this.#end({ reason, detail });
  }

  /** Lets go of the socket at once. */
  destroy(): void {
    this.#end({ reason: 'let go', detail: '' });
    this.#ws.terminate();
  }

  #start(): void {
    if (this.#ended) return;
    for (const frame of this.#channel.start()) this.#write(frame);
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#ended) return;
    if (!isBinary || !(data instanceof Uint8Array)) return this.#violated('text');
    if (!this.#onSign(data.length)) return;
    this.#meter.tap?.('received', this.#path, data);
    const received = this.#channel.receive(data);
    if (this.#established) releaseBytes(data);
    if (!received.ok) {
      const { tag } = received.error;
      return this.#violated(tag, tag === 'wrongKey' ? 'wrongKey' : 'violation');
    }
    const { send, established, packets } = received.value;
    for (const frame of send) this.#write(frame);
    if (established) this.#onEstablished(established);
    for (const { lane, bytes } of packets) {
      if (this.#hasEnded()) return;
      this.#events.packet(lane as Lane, bytes);
    }
    if (send.length > 0) this.#pump();
  }

  #onEstablished(peer: ChannelPeer): void {
    this.#established = true;
    this.#cancelWake();
    this.#watchIdle();
    this.#events.established(peer);
  }

  /** False where the peer sends more than it may. */
  #onSign(bytes: number): boolean {
    this.#heard_ms = this.#clock.now();
    this.#unanswered = false;
    if (!this.#established || !this.#admit || this.#admit(bytes)) return true;
    this.#end({ reason: 'flood', detail: '' });
    this.#ws.terminate();
    return false;
  }

  #pump(): void {
    while (!this.#ended && this.#ws.bufferedAmount < SOCKET_BUFFER_BYTES) {
      const frame = this.#channel.pull();
      if (!frame) return;
      this.#write(frame, () => this.#flushed(frame));
    }
  }

  #flushed(frame: Uint8Array): void {
    releaseBytes(frame);
    this.#sent_ms = this.#clock.now();
    if (this.#channel.queuedBytes > 0) this.#pump();
  }

  #write(frame: Uint8Array, flushed?: () => void): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#meter.tap?.('sent', this.#path, frame);
    this.#ws.send(frame, flushed);
  }

  #handshakeLate(): void {
    this.#end({ reason: 'timeout', detail: 'handshake' });
    this.#ws.terminate();
  }

  #watchIdle(after_ms = CONNECTION_IDLE_MS / 3): void {
    this.#cancelWake = this.#clock.wakeAt(this.#clock.now() + after_ms, () => {
      if (this.#ended) return;
      const isSilent = this.#clock.now() - this.#heard_ms >= CONNECTION_IDLE_MS;
      if (isSilent && this.#unanswered) {
        this.#end({ reason: 'timeout', detail: 'silence' });
        this.#ws.terminate();
        return;
      }
      this.ping();
      this.#watchIdle(isSilent ? REPLY_MS : undefined);
    });
  }

  #violated(detail: string, reason: LinkEnd['reason'] = 'violation'): void {
    this.#end({ reason, detail });
    this.#ws.terminate();
  }

  #end(end: LinkEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelWake();
    if (this.#ws.readyState === this.#ws.CONNECTING) this.#ws.terminate();
    else this.#ws.close();
    this.#events.closed(end);
  }

  /** Apart, because a listener that was just called may have ended it. */
  #hasEnded(): boolean {
    return this.#ended;
  }
}

/** Room for one frame and no more: what is larger never reaches memory as a whole. */
export const SOCKET_OPTIONS = {
  perMessageDeflate: false,
  // A turn for each frame: what is taken in of a long catch-up goes to the disk, and is acknowledged, while more of it comes.
  allowSynchronousEvents: false,
  maxPayload: MAX_NOISE_MESSAGE_BYTES,
  // A goodbye that is not answered within this is taken as one.
  closeTimeout: 1_000,
} as const;

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'socket error';
}
