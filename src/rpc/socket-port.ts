/**
 * Messages over a local socket, after both sides have proved themselves (socket-proof.ts).
 *
 * | bytes | what |
 * |---|---|
 * | 4 | length of the message, big endian, at most MAX_RPC_MESSAGE_BYTES |
 * | length | the message, as frame-values.ts encodes structured-clone values |
 *
 * v8's format is taken because both ends are the same person and the same build, and maps, bytes and undefined come
 * through it as they are. Anything else on the socket closes that connection and nothing more.
 */
import type { Socket } from 'node:net';
import { Emitter } from '../base/event.ts';
import { decodeValue, encodeValue } from './frame-values.ts';
import { OnceEvent } from './once-event.ts';
import { type MessageDuplex, MessageTooLargeError } from './port.ts';
import { MAX_RPC_MESSAGE_BYTES, MAX_RPC_UNSENT_BYTES, RPC_LINGER_MS } from './rpc-limits.ts';

const HEADER_BYTES = 4;

export class SocketDuplex implements MessageDuplex {
  readonly #socket: Socket;
  readonly #messages = new Emitter<unknown>();
  readonly #closed = new OnceEvent<Error | undefined>();
  readonly #frames = new FrameReader((frame) => this.#arrived(frame));
  readonly #early: Uint8Array;
  #error: Error | undefined;
  #reading = false;
  #closing = false;
  readonly onClose = this.#closed.event;

  /** `early` is what came with the proof and belongs to the frames already. */
  constructor(socket: Socket, early: Uint8Array) {
    this.#socket = socket;
    this.#early = early;
    socket.setNoDelay(true);
    socket.on('error', (error) => (this.#error ??= error));
    socket.once('end', () => socket.destroy());
    socket.once('close', () => this.#closed.fire(this.#error));
    if (socket.destroyed) this.#closed.fire(undefined);
  }

  readonly onMessage = (listener: (message: unknown) => void) => {
    const subscription = this.#messages.event(listener);
    if (!this.#reading) {
      this.#reading = true;
      // Later, so that nothing is delivered from inside the subscription.
      setImmediate(() => {
        this.#read(this.#early);
        this.#socket.on('data', (bytes) => this.#read(bytes));
        this.#socket.resume();
      });
    }
    return subscription;
  };

  send(message: unknown): void {
    if (this.#socket.destroyed || this.#closing) return;
    const { head, bytes, length } = encodeValue(message);
    if (length > MAX_RPC_MESSAGE_BYTES) throw new MessageTooLargeError('a message of the rpc is too large');
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header.writeUInt32BE(length);
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(head);
    for (const part of bytes) this.#socket.write(part);
    this.#socket.uncork();
    if (this.#socket.writableLength > MAX_RPC_UNSENT_BYTES) this.#end(new Error('the other side does not read'));
  }

  /** What was sent before still goes out. */
  close(): void {
    if (this.#socket.destroyed || this.#closing) return;
    this.#closing = true;
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), RPC_LINGER_MS).unref();
  }

  #read(bytes: Uint8Array): void {
    if (this.#socket.destroyed || this.#closing) return;
    try {
      this.#frames.push(bytes);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error('what came is not a message'));
    }
  }

  #arrived(frame: Buffer): void {
    if (!this.#socket.destroyed && !this.#closing) this.#messages.fire(decodeValue(frame));
  }

  #end(error: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
  }
}

/** Cuts a stream into frames; each is gathered in one buffer of its own, so that bytes in it can be handed on uncopied. */
class FrameReader {
  readonly #each: (frame: Buffer) => void;
  readonly #header = Buffer.allocUnsafe(HEADER_BYTES);
  #headerFilled = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;

  constructor(each: (frame: Buffer) => void) {
    this.#each = each;
  }

  /** Throws where a length is beyond the limit, and what the receiver of a frame throws. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.#body ? this.#fillBody(bytes, at) : this.#fillHeader(bytes, at);
  }

  #fillHeader(bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + HEADER_BYTES - this.#headerFilled);
    this.#header.set(part, this.#headerFilled);
    this.#headerFilled += part.length;
    if (this.#headerFilled === HEADER_BYTES) {
      const length = this.#header.readUInt32BE();
      if (length === 0 || length > MAX_RPC_MESSAGE_BYTES) throw new Error('the length of a message is out of bounds');
      this.#headerFilled = 0;
      this.#body = Buffer.allocUnsafeSlow(length);
    }
    return part.length;
  }

  #fillBody(bytes: Uint8Array, at: number): number {
    const body = this.#body!;
    const part = bytes.subarray(at, at + body.length - this.#bodyFilled);
    body.set(part, this.#bodyFilled);
    this.#bodyFilled += part.length;
    if (this.#bodyFilled === body.length) {
      this.#body = undefined;
      this.#bodyFilled = 0;
      this.#each(body);
    }
    return part.length;
  }
}
