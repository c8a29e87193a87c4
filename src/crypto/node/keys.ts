/**
 * Raw 32-byte keys as node:crypto's key objects. The DER of such a key is a fixed prefix and the bytes (RFC 8410 §7, §4).
 *
 * | kind | prefix |
 * | --- | --- |
 * | private, PKCS #8 | `302e020100300506032b65` oid `04220420` |
 * | public, SPKI | `302a300506032b65` oid `032100` |
 *
 * The oid's last byte is 70 for Ed25519 and 6e for X25519.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { KEY_BYTES } from '../crypto.ts';

type Curve = 'ed25519' | 'x25519';

const OID = { ed25519: '70', x25519: '6e' } as const;

export function privateKeyOf(curve: Curve, secret: Uint8Array): KeyObject {
  assert(secret.length === KEY_BYTES, 'a secret key has 32 bytes');
  const prefix = Buffer.from(`302e020100300506032b65${OID[curve]}04220420`, 'hex');
  return createPrivateKey({ key: Buffer.concat([prefix, secret]), format: 'der', type: 'pkcs8' });
}

export function publicKeyOf(curve: Curve, key: Uint8Array): KeyObject {
  assert(key.length === KEY_BYTES, 'a public key has 32 bytes');
  const prefix = Buffer.from(`302a300506032b65${OID[curve]}032100`, 'hex');
  return createPublicKey({ key: Buffer.concat([prefix, key]), format: 'der', type: 'spki' });
}

/** The raw public half of a private key object. */
export function rawPublicKey(privateKey: KeyObject): Uint8Array {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return Uint8Array.from(der.subarray(der.length - KEY_BYTES));
}

/** Remembers the most recently used results of `make`, up to a bound, by the bytes that they were made from. */
export class RecentByBytes<T> {
  readonly #capacity: number;
  readonly #make: (bytes: Uint8Array) => T;
  readonly #held = new Map<string, T>();

  constructor(capacity: number, make: (bytes: Uint8Array) => T) {
    this.#capacity = capacity;
    this.#make = make;
  }

  get(bytes: Uint8Array): T {
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const held = this.#held.get(name);
    const value = held ?? this.#make(bytes);
    // Deleted and set again, so that the map's order is the order of use.
    if (held !== undefined) this.#held.delete(name);
    else if (this.#held.size >= this.#capacity) this.#held.delete(this.#held.keys().next().value!);
    this.#held.set(name, value);
    return value;
  }

  get size(): number {
    return this.#held.size;
  }
}
