/**
 * What is derived from the device's store key, one key for one use. Salted with the store's id, so that two stores under
 * one key share nothing.
 */
import { toUtf8 } from '../base/utf8.ts';
import type { Crypto } from '../crypto/crypto.ts';

export const STORE_ID_BYTES = 16;

export interface StoreKeys {
  readonly storeId: Uint8Array;
  /** Of this the keys are made that records of journal and snapshots are sealed under, one for each file. */
  readonly seal: Uint8Array;
  /** Seals what may be lost (scrap.ts). */
  readonly scrap: Uint8Array;
  /** Authenticates the headers of files. */
  readonly header: Uint8Array;
  /** Proves in the store's own header that the key is the right one. */
  readonly check: Uint8Array;
}

export function deriveKeys(crypto: Crypto, storeKey: Uint8Array, storeId: Uint8Array): StoreKeys {
  const derive = (use: string): Uint8Array => crypto.hkdfSha256(storeKey, storeId, toUtf8(`coterie/store/${use}`), 32);
  return {
    storeId,
    seal: derive('seal'),
    scrap: derive('scrap'),
    header: derive('header'),
    check: derive('check'),
  };
}
