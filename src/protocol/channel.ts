/**
 * The secure channel (T1): the one way in which two of us speak, on every path. It is Noise_XX_25519_AESGCM_SHA256 (noise.ts)
 * with the prologue `coterie channel 1`; the path below it carries frames in order and keeps their boundaries.
 *
 * | frame | from | bytes | content |
 * | --- | --- | --- | --- |
 * | 1 | initiator | 32 | e; no payload |
 * | 2 | responder | 96 + n | e, s, payload: the device's certificate, n ≤ 512; none from a relay |
 * | 3 | initiator | 64 + n | s, payload: the device's certificate likewise |
 * | then, both ways | both | 17 … 65,017 | a sealed frame of a packet (frame.ts) |
 *
 * A certificate counts only where its agreement key is the static key that the handshake has just proved, so a copied one is
 * worthless. The initiator checks whom he reached before he sends his own certificate; a stranger who listens learns neither.
 * A relay has no certificate: its static key is pinned in its address.
 *
 * Any fault is final. Frames carry no number: Noise counts them, so one that is lost, repeated, moved, cut or changed does not
 * open, and the channel ends. No I/O here: frames go in and come out as bytes.
 */
import { assert } from '../base/assert.ts';
import { equalBytes, releaseBytes } from '../base/bytes.ts';
import { domain } from '../base/format.ts';
import type { DeviceId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { KEY_BYTES, TAG_BYTES, type Crypto } from '../crypto/crypto.ts';
import { MAX_CERTIFICATE_BYTES, readCertificate, type Certificate, type CertificateError } from './certificate.ts';
import { PacketAssembler, PacketQueue, type Packet } from './frame.ts';
import { MAX_NOISE_MESSAGE_BYTES } from './limits.ts';
import { XxHandshake, type NoiseTransport } from './noise.ts';

export type { Packet } from './frame.ts';

export interface ChannelIdentity {
  /** X25519 secret of the device or relay. */
  readonly staticSecret: Uint8Array;
  /** The device's certificate; empty for a relay. */
  readonly payload: Uint8Array;
}

export interface ChannelPeer {
  readonly staticKey: Uint8Array;
  /** Undefined for a relay. */
  readonly certificate: Certificate | undefined;
}

export type ChannelFault =
  | { readonly tag: 'badFrame' | 'badHandshake' | 'wrongKey' | 'tooLarge' }
  | {
      readonly tag: 'badCertificate';
      /** `otherKey`: sound, but not of the key that the handshake proved. */
      readonly reason: CertificateError['reason'] | 'otherKey';
    };

export interface ChannelOptions {
  readonly crypto: Crypto;
  readonly role: 'initiator' | 'responder';
  readonly identity: ChannelIdentity;
  /** Whom to accept at the other end. */
  readonly expect: { readonly device: DeviceId } | { readonly staticKey: Uint8Array } | 'any';
}

export interface Received {
  /** Handshake frames to write now. */
  readonly send: readonly Uint8Array[];
  /** The peer, once: when the handshake has just ended. */
  readonly established: ChannelPeer | undefined;
  readonly packets: readonly Packet[];
}

const PROLOGUE = domain('channel');
const EMPTY = new Uint8Array(0);
/** The second message, the longest: e, s and its tag, certificate and its tag. */
const MAX_HANDSHAKE_BYTES = 2 * KEY_BYTES + 2 * TAG_BYTES + MAX_CERTIFICATE_BYTES;

export class SecureChannel {
  readonly #options: ChannelOptions;
  readonly #handshake: XxHandshake;
  readonly #queue = new PacketQueue();
  readonly #assembler = new PacketAssembler();
  #transport: NoiseTransport | undefined;
  #peer: ChannelPeer | undefined;
  #fault: ChannelFault | undefined;

  constructor(options: ChannelOptions) {
    assert(options.identity.payload.length <= MAX_CERTIFICATE_BYTES, 'the handshake carries a certificate at most');
    this.#options = options;
    this.#handshake = new XxHandshake({
      crypto: options.crypto,
      role: options.role,
      prologue: PROLOGUE,
      staticSecret: options.identity.staticSecret,
    });
  }

  /** The initiator's first frame; nothing for the responder. */
  start(): Uint8Array[] {
    if (this.#options.role === 'responder') return [];
    const first = this.#handshake.write(EMPTY);
    assert(first, 'the first message agrees on nothing yet');
    return [first];
  }

  receive(frame: Uint8Array): Result<Received, ChannelFault> {
    if (this.#fault) return err(this.#fault);
    const received = this.#transport ? this.#open(this.#transport, frame) : this.#shakeHands(frame);
    if (!received.ok) {
      this.#fault = received.error;
      this.#queue.clear();
    }
    return received;
  }

  get peer(): ChannelPeer | undefined {
    return this.#peer;
  }

  /** Before the handshake has ended packets wait; after a fault they are dropped, since nobody will ask for them. */
  push(lane: number, packet: Uint8Array): void {
    if (!this.#fault) this.#queue.push(lane, packet);
  }

  /** The next sealed frame. It must be written before the one pulled after it: the peer counts them. */
  pull(): Uint8Array | undefined {
    if (this.#fault || !this.#transport) return undefined;
    const plaintext = this.#queue.pull();
    if (!plaintext) return undefined;
    const frame = this.#transport.send.seal(plaintext);
    releaseBytes(plaintext);
    return frame;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  #open(transport: NoiseTransport, frame: Uint8Array): Result<Received, ChannelFault> {
    if (frame.length > MAX_NOISE_MESSAGE_BYTES) return err({ tag: 'tooLarge' });
    const plaintext = transport.receive.open(frame);
    if (!plaintext) return err({ tag: 'badFrame' });
    const taken = this.#assembler.take(plaintext);
    if (!taken.ok) return taken;
    return ok({ send: [], established: undefined, packets: taken.value ? [taken.value] : [] });
  }

  #shakeHands(frame: Uint8Array): Result<Received, ChannelFault> {
    if (frame.length > MAX_HANDSHAKE_BYTES) return err({ tag: 'tooLarge' });
    // An initiator who was not started yet cannot have been answered.
    if (this.#handshake.writes) return err({ tag: 'badHandshake' });
    const payload = this.#handshake.read(frame);
    if (!payload) return err({ tag: 'badHandshake' });
    const staticKey = this.#handshake.peerStaticKey;
    if (!staticKey) return payload.length === 0 ? this.#answer(undefined) : err({ tag: 'badHandshake' });
    const peer = this.#identify(staticKey, payload);
    return peer.ok ? this.#answer(peer.value) : peer;
  }

  /** Writes the next handshake message where it is our turn, and ends the handshake where that was the last. */
  #answer(peer: ChannelPeer | undefined): Result<Received, ChannelFault> {
    const send: Uint8Array[] = [];
    if (this.#handshake.writes) {
      const message = this.#handshake.write(this.#options.identity.payload);
      if (!message) return err({ tag: 'badHandshake' });
      send.push(message);
    }
    if (peer) {
      this.#transport = this.#handshake.split();
      this.#peer = peer;
    }
    return ok({ send, established: peer, packets: [] });
  }

  #identify(staticKey: Uint8Array, payload: Uint8Array): Result<ChannelPeer, ChannelFault> {
    const { crypto, expect } = this.#options;
    const peer: ChannelPeer = { staticKey, certificate: undefined };
    if (expect !== 'any' && 'staticKey' in expect && !equalBytes(expect.staticKey, staticKey)) {
      return err({ tag: 'wrongKey' });
    }
    const device = expect !== 'any' && 'device' in expect ? expect.device : undefined;
    if (payload.length === 0) return device === undefined ? ok(peer) : err({ tag: 'wrongKey' });
    const certificate = readCertificate(crypto, payload);
    if (!certificate.ok) return certificate;
    if (!equalBytes(certificate.value.agreementKey, staticKey))
      return err({ tag: 'badCertificate', reason: 'otherKey' });
    if (device !== undefined && certificate.value.device !== device) return err({ tag: 'wrongKey' });
    return ok({ ...peer, certificate: certificate.value });
  }
}
