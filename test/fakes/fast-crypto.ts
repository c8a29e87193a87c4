/**
 * Cryptography for worlds by the hundred thousand: what every operation promises to who keeps to the face, at a hundredth of the
 * price, and no secrecy at all. Who signs, boxes or opens needs the seed, secret or key that the face asks for; a simulated
 * member holds his own and no other's, so nothing is forged, though anybody who read this file could.
 *
 * | operation | here |
 * | --- | --- |
 * | sha256 | a 256-bit mixing hash (four lanes of MurmurHash3, spread over eight words) |
 * | signature | hash of public key and message, twice |
 * | public signing key | hash of the seed |
 * | agreement key | the secret, masked; shared: hash of both secrets' XOR, which both sides can compute |
 * | seal | the plaintext under a 32-byte pad, then 16 bytes of a hash of key, nonce, associated data and plaintext |
 */
import {
  GCM_NONCE_BYTES,
  KEY_BYTES,
  SEAL_NONCE_BYTES,
  SIGNATURE_BYTES,
  TAG_BYTES,
  type Crypto,
} from '../../src/crypto/crypto.ts';
import { equalBytes, toHex } from '../../src/base/bytes.ts';
import { assert } from '../../src/base/assert.ts';

const SIGNING = Uint8Array.of(1);
const SIGNATURE = Uint8Array.of(2);
const SHARED = Uint8Array.of(3);
const SEAL = Uint8Array.of(4);
const PAD = Uint8Array.of(5);
const MAC = Uint8Array.of(6);
const MASK = 0x5a;

export function fastCrypto(random: (length: number) => Uint8Array): Crypto {
  const signingKeyOf = (seed: Uint8Array) => hash([SIGNING, seed]);
  const signatureOf = (publicKey: Uint8Array, message: Uint8Array) => {
    const half = hash([SIGNATURE, publicKey, message]);
    const signature = new Uint8Array(SIGNATURE_BYTES);
    signature.set(half);
    signature.set(half, half.length);
    return signature;
  };
  const agreementKeyOf = (secret: Uint8Array) => secret.map((byte) => byte ^ MASK);
  const agree = (secret: Uint8Array, publicKey: Uint8Array) => {
    if (publicKey.length !== KEY_BYTES || publicKey.every((byte) => byte === 0)) return undefined;
    return hash([SHARED, secret.map((byte, i) => byte ^ publicKey[i]! ^ MASK)]);
  };
  return {
    randomBytes: random,
    sha256: (...parts) => hash(parts),
    sha256Hex: (...parts) => toHex(hash(parts)),
    hmacSha256: (key, ...parts) => hash([MAC, Uint8Array.of(key.length), key, ...parts]),
    hkdfSha256: (ikm, salt, info, length) => {
      const output = new Uint8Array(length);
      for (let at = 0, block = 0; at < length; at += 32, block++) {
        const lengths = Uint8Array.of(block, ikm.length, salt.length);
        output.set(hash([lengths, ikm, salt, info]).subarray(0, length - at), at);
      }
      return output;
    },
    signingKeyOf,
    sign: (seed, message) => signatureOf(signingKeyOf(seed), message),
    verify: (publicKey, message, signature) =>
      publicKey.length === KEY_BYTES && equalBytes(signature, signatureOf(publicKey, message)),
    isSoundSigningKey: (publicKey) => publicKey.length === KEY_BYTES && publicKey.some((byte) => byte !== 0),
    agreementKeyOf,
    agree,
    agreeing: (secret) => (publicKey) => agree(secret, publicKey),
    seal: (key, nonce, plaintext, associated, room) =>
      sealed(SEAL_NONCE_BYTES, key, nonce, plaintext, associated, room),
    open: (key, nonce, bytes, associated) => opened(SEAL_NONCE_BYTES, key, nonce, bytes, associated),
    sealGcm: (key, nonce, plaintext, associated) => sealed(GCM_NONCE_BYTES, key, nonce, plaintext, associated),
    openGcm: (key, nonce, bytes, associated) => opened(GCM_NONCE_BYTES, key, nonce, bytes, associated),
  };
}

function sealed(
  nonceBytes: number,
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  associated: Uint8Array,
  room: Uint8Array = new Uint8Array(plaintext.length + TAG_BYTES),
): Uint8Array {
  assert(key.length === KEY_BYTES && nonce.length === nonceBytes, 'a seal takes a key and a nonce of its length');
  assert(room.length === plaintext.length + TAG_BYTES, 'there is room for what is sealed, and no more');
  const tag = tagOf(key, nonce, plaintext, associated);
  mask(room, plaintext, hash([PAD, key, nonce]));
  room.set(tag, plaintext.length);
  return room;
}

function opened(
  nonceBytes: number,
  key: Uint8Array,
  nonce: Uint8Array,
  bytes: Uint8Array,
  associated: Uint8Array,
): Uint8Array | undefined {
  assert(key.length === KEY_BYTES && nonce.length === nonceBytes, 'a seal takes a key and a nonce of its length');
  if (bytes.length < TAG_BYTES) return undefined;
  const plaintext = new Uint8Array(bytes.length - TAG_BYTES);
  mask(plaintext, bytes.subarray(0, plaintext.length), hash([PAD, key, nonce]));
  return equalBytes(tagOf(key, nonce, plaintext, associated), bytes.subarray(plaintext.length)) ? plaintext : undefined;
}

function mask(into: Uint8Array, from: Uint8Array, pad: Uint8Array): void {
  for (let i = 0; i < from.length; i++) into[i] = from[i]! ^ pad[i & 31]!;
}

function tagOf(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Uint8Array {
  const lengths = Uint8Array.of(key.length, nonce.length, associated.length & 255);
  return hash([SEAL, lengths, key, nonce, associated, plaintext]).subarray(0, TAG_BYTES);
}

/** Where parts are put one after the other, to be read by words; a world hashes millions of times. */
let desk = new Uint8Array(1 << 16);
let words = new Int32Array(desk.buffer);

function roomFor(length: number): void {
  if (length <= desk.length) return;
  desk = new Uint8Array(2 * length + (4 - ((2 * length) & 3)));
  words = new Int32Array(desk.buffer);
}

/** Of the parts one after the other, wherever one ends and the next begins. Words are little-endian, as every machine's here are. */
function hash(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  roomFor(length);
  const bytes = desk;
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  const whole = length & ~3;
  let a = 0x9368e53c;
  let b = 0x2f6af274;
  let c = 0x586dcd20;
  let d = 0x0cd1ab31;
  for (let i = 0; i < whole >> 2; i++) {
    const spread = Math.imul(words[i]!, 0xcc9e2d51);
    const mixed = Math.imul((spread << 15) | (spread >>> 17), 0x1b873593);
    const turned = a ^ mixed;
    a = (Math.imul(((b << 13) | (b >>> 19)) + mixed, 5) + 0xe6546b64) | 0;
    b = ((c ^ mixed) << 17) | ((c ^ mixed) >>> 15);
    c = (d + Math.imul(mixed, 0x85ebca6b)) | 0;
    d = ((turned << 11) | (turned >>> 21)) ^ Math.imul(a, 0xc2b2ae35);
  }
  let rest = 0;
  for (let i = whole; i < length; i++) rest = (rest << 8) | bytes[i]!;
  a ^= Math.imul(rest + 1, 0xcc9e2d51);
  d ^= length;
  const output = new Uint8Array(32);
  for (let i = 0; i < 32; i += 4) {
    a = finished(a + b + i);
    b = finished(b ^ c);
    c = finished(c + d);
    d = finished(d ^ a);
    const word = a ^ c;
    output[i] = word;
    output[i + 1] = word >>> 8;
    output[i + 2] = word >>> 16;
    output[i + 3] = word >>> 24;
  }
  return output;
}

function finished(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
