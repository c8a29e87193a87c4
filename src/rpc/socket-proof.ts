/**
 * Both sides of a local socket prove that they have read the owner's token, before anything else is decoded.
 *
 * | who | bytes | what |
 * |---|---|---|
 * | guest | 8 + 32 | `COTERIE1`, the guest's nonce |
 * | owner | 32 + 32 | the owner's nonce, HMAC-SHA-256(token, `owner` guest's nonce, owner's nonce) |
 * | guest | 32 | HMAC-SHA-256(token, `guest` guest's nonce, owner's nonce) |
 *
 * The token itself never travels: names of Windows pipes are everybody's, and whoever takes a dead owner's name must
 * not learn it, nor be believed to be the owner.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';

export const TOKEN_BYTES = 32;
const NONCE_BYTES = 32;
const PROOF_BYTES = 32;
const MAGIC = Buffer.from('COTERIE1', 'latin1');

/** Owner's side: the bytes that came after the proof, or undefined where the other is not one of us. */
export async function proveAsOwner(socket: Socket, token: Uint8Array, timeout_ms: number): Promise<Proved | undefined> {
  const reader = new ProofReader(socket, timeout_ms);
  const opening = await reader.take(MAGIC.length + NONCE_BYTES);
  if (!opening || !timingSafeEqual(opening.subarray(0, MAGIC.length), MAGIC)) return reader.done(false);
  const guestNonce = opening.subarray(MAGIC.length);
  const ownerNonce = randomBytes(NONCE_BYTES);
  socket.write(Buffer.concat([ownerNonce, proof(token, 'owner', guestNonce, ownerNonce)]));
  const answer = await reader.take(PROOF_BYTES);
  return reader.done(!!answer && timingSafeEqual(answer, proof(token, 'guest', guestNonce, ownerNonce)));
}

/**
 * Guest's side. `stalled`: nothing came in time, someone holds the socket and does not answer. `closed`: it ended
 * before it was clear who is there. `impostor`: it is not the owner that the token is of.
 */
export async function proveAsGuest(
  socket: Socket,
  token: Uint8Array,
  timeout_ms: number,
): Promise<Proved | 'stalled' | 'closed' | 'impostor'> {
  const reader = new ProofReader(socket, timeout_ms);
  const guestNonce = randomBytes(NONCE_BYTES);
  socket.write(Buffer.concat([MAGIC, guestNonce]));
  const answer = await reader.take(NONCE_BYTES + PROOF_BYTES);
  if (!answer) {
    reader.done(false);
    return reader.timedOut ? 'stalled' : 'closed';
  }
  const ownerNonce = answer.subarray(0, NONCE_BYTES);
  if (!timingSafeEqual(answer.subarray(NONCE_BYTES), proof(token, 'owner', guestNonce, ownerNonce))) {
    reader.done(false);
    return 'impostor';
  }
  socket.write(proof(token, 'guest', guestNonce, ownerNonce));
  return reader.done(true) ?? 'closed';
}

interface Proved {
  readonly early: Uint8Array;
}

function proof(token: Uint8Array, who: 'owner' | 'guest', guestNonce: Uint8Array, ownerNonce: Uint8Array): Buffer {
  return createHmac('sha256', token).update(who).update(guestNonce).update(ownerNonce).digest();
}

/** Takes so many bytes off a socket, in a bounded time, and leaves the socket paused between. */
class ProofReader {
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #held: Buffer = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  #ended = false;
  timedOut = false;

  constructor(socket: Socket, timeout_ms: number) {
    this.#socket = socket;
    this.#timer = setTimeout(() => {
      this.timedOut = true;
      socket.destroy();
    }, timeout_ms);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onEnd);
    // Always followed by the close, which is what counts.
    socket.on('error', () => undefined);
  }

  readonly #onData = (bytes: Buffer) => {
    this.#held = Buffer.concat([this.#held, bytes]);
    this.#socket.pause();
    this.#wake();
  };

  readonly #onEnd = () => {
    this.#ended = true;
    this.#wake();
  };

  async take(count: number): Promise<Buffer | undefined> {
    while (this.#held.length < count) {
      if (this.#ended || this.#socket.destroyed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#socket.resume();
      });
    }
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  done(proved: boolean): Proved | undefined {
    clearTimeout(this.#timer);
    this.#socket.pause();
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('close', this.#onEnd);
    if (proved && !this.#ended) return { early: this.#held };
    this.#socket.destroy();
    return undefined;
  }
}
