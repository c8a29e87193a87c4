/** AES-256-GCM by node:crypto: ciphertext, then the 16-byte tag (NIST SP 800-38D). */
import { createCipheriv, createDecipheriv, getCiphers } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { releaseBytes } from '../../base/bytes.ts';
import { GCM_NONCE_BYTES, KEY_BYTES, TAG_BYTES, type Crypto } from '../crypto.ts';

const NAME = 'aes-256-gcm';

export const nodeGcm: Pick<Crypto, 'sealGcm' | 'openGcm'> = {
  sealGcm(key, nonce, plaintext, associated) {
    assert(key.length === KEY_BYTES && nonce.length === GCM_NONCE_BYTES, 'AES-256-GCM takes 32 and 12 bytes');
    const cipher = createCipheriv(NAME, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(associated);
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    const body = cipher.update(plaintext);
    sealed.set(body);
    releaseBytes(body);
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  },

  openGcm(key, nonce, sealed, associated) {
    assert(key.length === KEY_BYTES && nonce.length === GCM_NONCE_BYTES, 'AES-256-GCM takes 32 and 12 bytes');
    if (sealed.length < TAG_BYTES) return undefined;
    const body = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(NAME, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(body));
    const plaintext = decipher.update(sealed.subarray(0, body));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  },
};

/** Electron links BoringSSL, whose list of ciphers is shorter and differs between versions. */
export function nodeHasGcm(): boolean {
  return getCiphers().some((name) => name.toLowerCase() === NAME);
}
