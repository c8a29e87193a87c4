/**
 * The provider of every program of ours. node:crypto does what it has; what Electron's node:crypto misses, noble does:
 *
 * | operation | by |
 * | --- | --- |
 * | Ed25519 sign and verify, X25519, SHA-256, HMAC, HKDF | node:crypto; it is the only verifier (I1) |
 * | AES-256-GCM | node:crypto, noble where it is not there: the same bytes |
 * | XChaCha20-Poly1305, soundness of Ed25519 keys | noble |
 */
import {
  createHash,
  createHmac,
  diffieHellman,
  hash as nodeHash,
  hkdfSync,
  randomBytes as systemRandom,
  sign as nodeSign,
  verify as nodeVerify,
  type KeyObject,
} from 'node:crypto';
import { toHex } from '../../base/bytes.ts';
import { KEY_BYTES, SIGNATURE_BYTES, type Crypto } from '../crypto.ts';
import { nobleGcm, xchacha } from '../noble/aead.ts';
import { isSoundSigningKey } from '../noble/sound-key.ts';
import { nodeGcm, nodeHasGcm } from './gcm.ts';
import { privateKeyOf, publicKeyOf, rawPublicKey, RecentByBytes } from './keys.ts';

/** Members' keys in use: 50 workspaces of 150 devices at most, far fewer at once; a miss costs some 20 µs. */
const PUBLIC_KEYS_KEPT = 1024;
/** One's own device and account. Agreement secrets are never kept: ephemeral ones must be forgotten. */
const SIGNING_KEYS_KEPT = 8;

export function nodeCrypto(random: (length: number) => Uint8Array = systemRandom): Crypto {
  const signingKeys = new RecentByBytes(SIGNING_KEYS_KEPT, (seed) => privateKeyOf('ed25519', seed));
  const verifyKeys = new RecentByBytes(PUBLIC_KEYS_KEPT, (key) => publicKeyOf('ed25519', key));
  const soundness = new RecentByBytes(PUBLIC_KEYS_KEPT, isSoundSigningKey);

  return {
    randomBytes: (length) => plain(random(length)),

    sha256: (...parts) => (isShort(parts) ? shortSha256(parts) : longSha256(parts)),

    sha256Hex: (...parts) => (isShort(parts) ? hashAtOnce(parts, 'hex') : toHex(longSha256(parts))),

    hmacSha256(key, ...parts) {
      const hmac = createHmac('sha256', key);
      for (const part of parts) hmac.update(part);
      return plain(hmac.digest());
    },

    hkdfSha256: (ikm, salt, info, length) => new Uint8Array(hkdfSync('sha256', ikm, salt, info, length)),

    signingKeyOf: (seed) => rawPublicKey(signingKeys.get(seed)),

    sign: (seed, message) => plain(nodeSign(null, message, signingKeys.get(seed))),

    verify(publicKey, message, signature) {
      if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
      try {
        return nodeVerify(null, message, verifyKeys.get(publicKey), signature);
      } catch {
        return false; // a key that is not a point
      }
    },

    isSoundSigningKey: (publicKey) => publicKey.length === KEY_BYTES && soundness.get(publicKey),

    agreementKeyOf: (secret) => rawPublicKey(privateKeyOf('x25519', secret)),

    agree: (secret, publicKey) => agreed(privateKeyOf('x25519', secret), publicKey),

    // The key object takes half the time: OpenSSL works out its public half.
    agreeing(secret) {
      const privateKey = privateKeyOf('x25519', secret);
      return (publicKey) => agreed(privateKey, publicKey);
    },

    ...xchacha,
    ...(nodeHasGcm() ? nodeGcm : nobleGcm),
  };
}

function agreed(privateKey: KeyObject, publicKey: Uint8Array): Uint8Array | undefined {
  if (publicKey.length !== KEY_BYTES) return undefined;
  try {
    const shared = diffieHellman({ privateKey, publicKey: publicKeyOf('x25519', publicKey) });
    return shared.some((byte) => byte !== 0) ? plain(shared) : undefined;
  } catch {
    return undefined; // OpenSSL and BoringSSL refuse an all-zero output themselves
  }
}

/** A delta's: hashed at once, without an object of OpenSSL's for each, it takes 1.0 µs instead of 2.4. */
const SHORT_BYTES = 4096;
const short = Buffer.allocUnsafeSlow(SHORT_BYTES);

/** Older hosts do not hash at once. */
function isShort(parts: readonly Uint8Array[]): boolean {
  let length = 0;
  for (const part of parts) length += part.length;
  return length <= SHORT_BYTES && typeof nodeHash === 'function';
}

function hashAtOnce(parts: readonly Uint8Array[], as: 'binary' | 'hex'): string {
  let length = 0;
  for (const part of parts) {
    short.set(part, length);
    length += part.length;
  }
  return nodeHash('sha256', short.subarray(0, length), as);
}

function shortSha256(parts: readonly Uint8Array[]): Uint8Array {
  // As letters, which come over quicker than a Buffer that must be made.
  const letters = hashAtOnce(parts, 'binary');
  const digest = new Uint8Array(letters.length);
  for (let i = 0; i < digest.length; i++) digest[i] = letters.charCodeAt(i);
  return digest;
}

function longSha256(parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return plain(hash.digest());
}

/** A Buffer's bytes as what the face promises: no Buffer leaves this room, since its slice() is not a copy. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
