/**
 * Whether 32 bytes are an Ed25519 key that has one meaning (I1): a point in its only canonical encoding (RFC 8032 §5.1.3),
 * of the prime-order subgroup and not its neutral element. node:crypto has no such question, so it is asked here;
 * signatures themselves are checked by node:crypto alone.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { KEY_BYTES } from '../crypto.ts';

export function isSoundSigningKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== KEY_BYTES) return false;
  try {
    const point = ed25519.Point.fromBytes(publicKey, false);
    if (point.isSmallOrder() || !point.isTorsionFree()) return false;
    return point.toBytes().every((byte, at) => byte === publicKey[at]);
  } catch {
    return false;
  }
}
