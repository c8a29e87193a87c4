/**
 * The two ciphers in plain JavaScript. XChaCha20-Poly1305 is always this one: neither OpenSSL nor Electron's BoringSSL
 * offers it under node:crypto. AES-256-GCM is the fallback where node:crypto misses it; both give the same bytes.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { Crypto } from '../crypto.ts';
import { TAG_BYTES } from '../crypto.ts';

type Aead = Pick<Crypto, 'seal' | 'open'>;
type GcmAead = Pick<Crypto, 'sealGcm' | 'openGcm'>;

export const xchacha: Aead = {
  seal: (key, nonce, plaintext, associated, room) => xchacha20poly1305(key, nonce, associated).encrypt(plaintext, room),
  open: (key, nonce, sealed, associated) => opened(xchacha20poly1305(key, nonce, associated), sealed),
};

export const nobleGcm: GcmAead = {
  sealGcm: (key, nonce, plaintext, associated) => gcm(key, nonce, associated).encrypt(plaintext),
  openGcm: (key, nonce, sealed, associated) => opened(gcm(key, nonce, associated), sealed),
};

/** A wrong tag is an expected answer, which noble gives as an exception. */
function opened(cipher: { decrypt(sealed: Uint8Array): Uint8Array }, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  try {
    return cipher.decrypt(sealed);
  } catch {
    return undefined;
  }
}
