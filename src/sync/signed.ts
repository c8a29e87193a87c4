/**
 * What is said, sealed and opened (K5): the one way to do it, on either path. Directly the channel has proved who says it, and the
 * message is sealed as it is. By a relay only the relay says whose it is, and inside the seal whoever holds its key: what is sealed then
 * is `[message bytes, signature 64]`, once for all who are sent it. The signature is that of the sender's device, whose id is the key that it
 * is checked by, over `coterie message 1` ‖ the associated data of the seal (its tag, and its workspace's id) ‖ SHA-256 of the message bytes:
 * so it is good in no other seal and no other workspace.
 *
 * Each form is refused on the other path.
 */
import { concatBytes, releaseBytes } from '../base/bytes.ts';
import { domain } from '../base/format.ts';
import type { DeviceId } from '../base/ids.ts';
import { SIGNATURE_BYTES, type Crypto } from '../crypto/crypto.ts';
import { asArray, asBytes, decodeInPlace, encode } from '../protocol/codec.ts';
import { MAX_MESSAGE_BYTES } from '../protocol/limits.ts';
import { idBytes, type Signer } from './delta.ts';
import { associatedOf, envelopeTag, openMessage, sealMessage, type SealKey } from './envelope.ts';
import { decodeMessage, encodeMessage, type Message } from './messages.ts';
import type { Arrived, Path } from './ports.ts';

const DOMAIN = domain('message');

declare const path: unique symbol;
/** What may go on this path, and on no other. */
export type Sealed<P extends Path> = Uint8Array & { readonly [path]: P };

export function sealSaid<P extends Path>(
  crypto: Crypto,
  signer: Signer,
  key: SealKey,
  path: P,
  message: Message,
): Sealed<P> {
  const said = encodeMessage(signer.device, message);
  const plain = path === 'direct' ? said : encode([said, crypto.sign(signer.seed, subjectOf(crypto, key, said))]);
  const sealed = sealMessage(crypto, key, plain);
  for (const one of new Set([plain, said])) releaseBytes(one);
  return sealed as Sealed<P>;
}

/**
 * Undefined where it is under another seal. Else what it says, which is nothing that anybody is to hear where it is no message in the form of its path, or
 * does not come from the device that it is said to come from.
 */
export function openSaid(
  crypto: Crypto,
  key: Omit<SealKey, 'tag'>,
  arrived: Pick<Arrived, 'from' | 'path' | 'bytes'>,
): { readonly message: Message | undefined } | undefined {
  const tag = envelopeTag(arrived.bytes);
  const plain = tag === undefined ? undefined : openMessage(crypto, key, arrived.bytes);
  if (tag === undefined || !plain) return undefined;
  const said = arrived.path === 'direct' ? plain : signedBy(crypto, { ...key, tag }, arrived.from, plain);
  const decoded = said && decodeMessage(said);
  return { message: decoded?.ok && arrived.from.startsWith(decoded.value.sender) ? decoded.value.message : undefined };
}

function signedBy(crypto: Crypto, key: SealKey, device: DeviceId, plain: Uint8Array): Uint8Array | undefined {
  const decoded = decodeInPlace(plain);
  const fields = decoded.ok ? asArray(decoded.value, 2) : undefined;
  const [said, signature] = [asBytes(fields?.[0], 1, MAX_MESSAGE_BYTES), asBytes(fields?.[1], SIGNATURE_BYTES)];
  if (!said || !signature) return undefined;
  return crypto.verify(idBytes(device), subjectOf(crypto, key, said), signature) ? said : undefined;
}

function subjectOf(crypto: Crypto, { tag, workspace }: SealKey, said: Uint8Array): Uint8Array {
  return concatBytes(DOMAIN, associatedOf(idBytes(tag), workspace), crypto.sha256(said));
}
