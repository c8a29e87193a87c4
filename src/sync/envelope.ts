/**
 * A sealed message (K5): `tag 8 ‖ nonce 24 ‖ XChaCha20-Poly1305(key, nonce, padded plaintext, associated data)`.
 * The tag tells which key, an epoch's or an invitation's; it says nothing to who does not hold it, but that two messages
 * belong to one group. Associated data are the tag and, where the key is one of a workspace, its id: a member of two can put the key of the one into the other,
 * and what is said in the one opens in that alone.
 *
 * Padding (R3): the plaintext, a byte 1, then zeros, up to a multiple of 16 below 1 KiB and to a Padmé length above (at most
 * 12 % more): lengths leak little.
 */
import { concatBytes, toHex } from '../base/bytes.ts';
import type { WorkspaceId } from '../base/ids.ts';
import { SEAL_NONCE_BYTES, TAG_BYTES, type Crypto } from '../crypto/crypto.ts';
import { idBytes } from './delta.ts';
import { EPOCH_TAG_BYTES } from './epoch.ts';

const STEP_BYTES = 16;
const PADME_FROM_BYTES = 1024;
const HEAD_BYTES = EPOCH_TAG_BYTES + SEAL_NONCE_BYTES;

export interface SealKey {
  /** Hexadecimal of 8 bytes. */
  readonly tag: string;
  readonly key: Uint8Array;
  /** For what is said in it alone; undefined for what is said in none. */
  readonly workspace?: WorkspaceId;
}

export function sealMessage(crypto: Crypto, { tag, key, workspace }: SealKey, plaintext: Uint8Array): Uint8Array {
  const tagBytes = idBytes(tag);
  const nonce = crypto.randomBytes(SEAL_NONCE_BYTES);
  const message = new Uint8Array(HEAD_BYTES + paddedLength(plaintext.length + 1) + TAG_BYTES);
  message.set(tagBytes);
  message.set(nonce, EPOCH_TAG_BYTES);
  message.set(plaintext, HEAD_BYTES);
  message[HEAD_BYTES + plaintext.length] = 1;
  const associated = associatedOf(tagBytes, workspace);
  crypto.seal(key, nonce, message.subarray(HEAD_BYTES, -TAG_BYTES), associated, message.subarray(HEAD_BYTES));
  return message;
}

/** Which key it is sealed under, or undefined where it is too short to be sealed. */
export function envelopeTag(bytes: Uint8Array): string | undefined {
  return bytes.length < HEAD_BYTES + TAG_BYTES + STEP_BYTES ? undefined : toHex(bytes.subarray(0, EPOCH_TAG_BYTES));
}

export function openMessage(
  crypto: Crypto,
  { key, workspace }: Omit<SealKey, 'tag'>,
  bytes: Uint8Array,
): Uint8Array | undefined {
  if (bytes.length < HEAD_BYTES + TAG_BYTES) return undefined;
  const associated = associatedOf(bytes.subarray(0, EPOCH_TAG_BYTES), workspace);
  const padded = crypto.open(key, bytes.subarray(EPOCH_TAG_BYTES, HEAD_BYTES), bytes.subarray(HEAD_BYTES), associated);
  if (!padded) return undefined;
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end--;
  return end >= 0 && padded[end] === 1 ? padded.subarray(0, end) : undefined;
}

export function associatedOf(tag: Uint8Array, workspace: WorkspaceId | undefined): Uint8Array {
  return workspace === undefined ? tag : concatBytes(tag, idBytes(workspace));
}

export function paddedLength(length: number): number {
  if (length <= PADME_FROM_BYTES) return Math.ceil(length / STEP_BYTES) * STEP_BYTES;
  const exponent = Math.floor(Math.log2(length));
  const kept = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** (exponent - kept);
  return Math.ceil(length / step) * step;
}
