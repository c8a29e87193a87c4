/**
 * Noise_XX_25519_AESGCM_SHA256, from the Noise Protocol Framework, revision 34. Section numbers are the specification's.
 *
 * XX:
 *   → e
 *   ← e, ee, s, es
 *   → s, se
 *
 * | message | bytes, with a payload of n |
 * | --- | --- |
 * | 1 | e 32, payload n in the clear |
 * | 2 | e 32, s 32 + tag 16, payload n + tag 16 |
 * | 3 | s 32 + tag 16, payload n + tag 16 |
 * | transport | payload n + tag 16 |
 *
 * Both sides' transport keys are replaced (§11.3 Rekey) before the messages numbered 2^20, 2·2^20 …: it needs no word on the
 * wire, bounds what one key seals (64 GiB, far under AES-GCM's limits), and a key taken from memory does not open what went before.
 * The nonce counts on across a rekey, as the specification has it.
 */
import { assert } from '../base/assert.ts';
import { joinBytes } from '../base/bytes.ts';
import { toUtf8 } from '../base/utf8.ts';
import { GCM_NONCE_BYTES, KEY_BYTES, TAG_BYTES, type Crypto } from '../crypto/crypto.ts';
import { MAX_NOISE_MESSAGE_BYTES } from './limits.ts';

export const NOISE_PROTOCOL = 'Noise_XX_25519_AESGCM_SHA256';
export const REKEY_EVERY_MESSAGES = 2 ** 20;
/** The specification's last nonce is 2^64 - 2; ours is where counting in doubles stays exact. */
const MAX_NONCE = Number.MAX_SAFE_INTEGER - 1;
const NOTHING = new Uint8Array(0);

/** One direction's key and nonce (§5.1), of a key that is there. */
export class CipherState {
  readonly #crypto: Crypto;
  readonly #nonceBytes = new Uint8Array(GCM_NONCE_BYTES);
  readonly #nonceView = new DataView(this.#nonceBytes.buffer);
  #key: Uint8Array;
  #nonce: number;

  constructor(crypto: Crypto, key: Uint8Array, nonce = 0) {
    assert(key.length === KEY_BYTES, 'a cipher key has 32 bytes');
    this.#crypto = crypto;
    this.#key = key;
    this.#nonce = nonce;
  }

  get nonce(): number {
    return this.#nonce;
  }

  encryptWithAd(associated: Uint8Array, plaintext: Uint8Array): Uint8Array {
    assert(this.#nonce <= MAX_NONCE, 'the nonces of this connection are used up');
    return this.#crypto.sealGcm(this.#key, this.#nonceOf(this.#nonce++), plaintext, associated);
  }

  /** Undefined where it does not verify; the nonce then stays, as the specification has it. */
  decryptWithAd(associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (this.#nonce > MAX_NONCE) return undefined;
    const plaintext = this.#crypto.openGcm(this.#key, this.#nonceOf(this.#nonce), sealed, associated);
    if (plaintext) this.#nonce++;
    return plaintext;
  }

  /** REKEY (§4.2): the first 32 bytes of 32 zeros encrypted under the nonce 2^64 - 1, which no message uses. */
  rekey(): void {
    this.#nonceView.setUint32(4, 0xffffffff);
    this.#nonceView.setUint32(8, 0xffffffff);
    const sealed = this.#crypto.sealGcm(this.#key, this.#nonceBytes, new Uint8Array(KEY_BYTES), NOTHING);
    this.#key = sealed.slice(0, KEY_BYTES);
  }

  /** AESGCM's nonce (§12.4): 32 bits of zeros and the counter in 64 bits, big-endian. */
  #nonceOf(nonce: number): Uint8Array {
    this.#nonceView.setUint32(4, Math.floor(nonce / 0x100000000));
    this.#nonceView.setUint32(8, nonce >>> 0);
    return this.#nonceBytes;
  }
}

/** A transport direction: messages without associated data, and a new key every so many of them. */
export class TransportCipher {
  readonly #cipher: CipherState;

  constructor(cipher: CipherState) {
    this.#cipher = cipher;
  }

  seal(plaintext: Uint8Array): Uint8Array {
    assert(plaintext.length + TAG_BYTES <= MAX_NOISE_MESSAGE_BYTES, 'a Noise message fits in 65,535 bytes');
    const sealed = this.#cipher.encryptWithAd(NOTHING, plaintext);
    this.#rekeyWhenDue();
    return sealed;
  }

  /** Undefined where it does not verify: a message that was changed, or is not the next one. */
  open(sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length > MAX_NOISE_MESSAGE_BYTES) return undefined;
    const plaintext = this.#cipher.decryptWithAd(NOTHING, sealed);
    if (plaintext) this.#rekeyWhenDue();
    return plaintext;
  }

  #rekeyWhenDue(): void {
    if (this.#cipher.nonce % REKEY_EVERY_MESSAGES === 0) this.#cipher.rekey();
  }
}

/** Chaining key and transcript hash (§5.2). */
class SymmetricState {
  readonly #crypto: Crypto;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #cipher: CipherState | undefined;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
    // The name is shorter than a hash, so it is padded with zeros and not hashed.
    this.#hash = new Uint8Array(32);
    this.#hash.set(toUtf8(NOISE_PROTOCOL));
    this.#chainingKey = this.#hash;
  }

  get hash(): Uint8Array {
    return this.#hash;
  }

  mixKey(input: Uint8Array): void {
    const [chainingKey, key] = this.#hkdf(input);
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(this.#crypto, key);
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#crypto.sha256(this.#hash, data);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#cipher ? this.#cipher.encryptWithAd(this.#hash, plaintext) : plaintext;
    this.mixHash(sealed);
    return sealed;
  }

  decryptAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#cipher ? this.#cipher.decryptWithAd(this.#hash, sealed) : sealed;
    if (plaintext) this.mixHash(sealed);
    return plaintext;
  }

  split(): readonly [CipherState, CipherState] {
    const [first, second] = this.#hkdf(NOTHING);
    return [new CipherState(this.#crypto, first), new CipherState(this.#crypto, second)];
  }

  /** Noise's HKDF with two outputs (§4.3) is RFC 5869's with the chaining key as salt and no info. */
  #hkdf(input: Uint8Array): readonly [Uint8Array, Uint8Array] {
    const output = this.#crypto.hkdfSha256(input, this.#chainingKey, NOTHING, 64);
    return [output.slice(0, 32), output.slice(32)];
  }
}

export interface NoiseOptions {
  readonly crypto: Crypto;
  readonly role: 'initiator' | 'responder';
  readonly prologue: Uint8Array;
  readonly staticSecret: Uint8Array;
}

/** What the handshake leaves behind (§5.3, end). */
export interface NoiseTransport {
  readonly send: TransportCipher;
  readonly receive: TransportCipher;
  readonly peerStaticKey: Uint8Array;
  /** The transcript's hash, the same on both sides and unique to this connection (§11.2). */
  readonly handshakeHash: Uint8Array;
}

/**
 * The three messages of XX (§5.3, §7.5), written out rather than interpreted from tokens: there is one pattern.
 * Reading answers undefined for whatever does not verify, after which the handshake is of no more use.
 */
export class XxHandshake {
  readonly #crypto: Crypto;
  readonly #initiator: boolean;
  readonly #symmetric: SymmetricState;
  readonly #staticSecret: Uint8Array;
  readonly #ephemeralSecret: Uint8Array;
  #peerEphemeral: Uint8Array | undefined;
  #peerStatic: Uint8Array | undefined;
  /** Number of messages written and read so far: 0 to 3. */
  #done = 0;

  constructor(options: NoiseOptions) {
    this.#crypto = options.crypto;
    this.#initiator = options.role === 'initiator';
    this.#staticSecret = options.staticSecret;
    this.#ephemeralSecret = options.crypto.randomBytes(KEY_BYTES);
    this.#symmetric = new SymmetricState(options.crypto);
    this.#symmetric.mixHash(options.prologue);
  }

  /** Whether the next message is ours to write. */
  get writes(): boolean {
    return this.#done < 3 && (this.#done % 2 === 0) === this.#initiator;
  }

  /** The peer's static key; proved only once the message that carries it was read without a fault. */
  get peerStaticKey(): Uint8Array | undefined {
    return this.#peerStatic;
  }

  /** Undefined where the peer's key is of low order, so that nothing secret could be agreed. */
  write(payload: Uint8Array): Uint8Array | undefined {
    assert(this.writes, 'the next handshake message is the peer’s');
    const message = this.#done++;
    const parts: Uint8Array[] = [];
    if (message < 2) parts.push(this.#writeEphemeral());
    if (message === 1 && !this.#mixAgreed(this.#ephemeralSecret, this.#peerEphemeral)) return undefined;
    if (message > 0) {
      parts.push(this.#symmetric.encryptAndHash(this.#crypto.agreementKeyOf(this.#staticSecret)));
      // es for the responder, se for the initiator: our static with their ephemeral.
      if (!this.#mixAgreed(this.#staticSecret, this.#peerEphemeral)) return undefined;
    }
    parts.push(this.#symmetric.encryptAndHash(payload));
    return joinBytes(parts);
  }

  /** The payload, or undefined where the message is not what the handshake must have next. */
  read(bytes: Uint8Array): Uint8Array | undefined {
    assert(!this.writes && this.#done < 3, 'the next handshake message is ours');
    const message = this.#done++;
    let at = 0;
    if (message < 2) {
      if (bytes.length < KEY_BYTES) return undefined;
      this.#peerEphemeral = bytes.slice(0, KEY_BYTES);
      at = KEY_BYTES;
      this.#symmetric.mixHash(this.#peerEphemeral);
    }
    if (message === 1 && !this.#mixAgreed(this.#ephemeralSecret, this.#peerEphemeral)) return undefined;
    if (message > 0) {
      if (bytes.length < at + KEY_BYTES + TAG_BYTES) return undefined;
      this.#peerStatic = this.#symmetric.decryptAndHash(bytes.subarray(at, at + KEY_BYTES + TAG_BYTES));
      at += KEY_BYTES + TAG_BYTES;
      // The same agreement from the other end: their static with our ephemeral.
      if (!this.#peerStatic || !this.#mixAgreed(this.#ephemeralSecret, this.#peerStatic)) return undefined;
    }
    return this.#symmetric.decryptAndHash(bytes.subarray(at))?.slice();
  }

  /** After the third message. */
  split(): NoiseTransport {
    assert(this.#done === 3 && this.#peerStatic, 'the handshake is not over');
    const [fromInitiator, fromResponder] = this.#symmetric.split();
    return {
      send: new TransportCipher(this.#initiator ? fromInitiator : fromResponder),
      receive: new TransportCipher(this.#initiator ? fromResponder : fromInitiator),
      peerStaticKey: this.#peerStatic,
      handshakeHash: this.#symmetric.hash,
    };
  }

  #writeEphemeral(): Uint8Array {
    const key = this.#crypto.agreementKeyOf(this.#ephemeralSecret);
    this.#symmetric.mixHash(key);
    return key;
  }

  #mixAgreed(secret: Uint8Array, publicKey: Uint8Array | undefined): boolean {
    const shared = publicKey && this.#crypto.agree(secret, publicKey);
    if (!shared) return false;
    this.#symmetric.mixKey(shared);
    return true;
  }
}
