/** What is sealed by who may lie: any bytes, in anybody's name, signed by whom he can, in the form of either path (K5). */
import { concatBytes } from '../../src/base/bytes.ts';
import { domain } from '../../src/base/format.ts';
import type { DeviceId } from '../../src/base/ids.ts';
import type { Crypto } from '../../src/crypto/crypto.ts';
import { encode } from '../../src/protocol/codec.ts';
import { idBytes } from '../../src/sync/delta.ts';
import { sealMessage, type SealKey } from '../../src/sync/envelope.ts';
import { encodeMessage, type Message } from '../../src/sync/messages.ts';
import type { Path } from '../../src/sync/ports.ts';

export interface Lie {
  readonly under: SealKey;
  readonly path: Path;
  /** Ed25519 seed: where it goes by a relay. */
  readonly seed: Uint8Array;
}

export function sealedBytes(crypto: Crypto, { under, path, seed }: Lie, said: Uint8Array): Uint8Array {
  return sealMessage(crypto, under, path === 'direct' ? said : signed(crypto, under, seed, said));
}

/** `sender`: in whose name. */
export function sealedLie(crypto: Crypto, lie: Lie, sender: DeviceId, message: Message): Uint8Array {
  return sealedBytes(crypto, lie, encodeMessage(sender, message));
}

/** As the protocol says, and not by the code that is tested. */
export function signed(
  crypto: Crypto,
  { tag, workspace }: Omit<SealKey, 'key'>,
  seed: Uint8Array,
  said: Uint8Array,
): Uint8Array {
  const seal = workspace === undefined ? idBytes(tag) : concatBytes(idBytes(tag), idBytes(workspace));
  return encode([said, crypto.sign(seed, concatBytes(domain('message'), seal, crypto.sha256(said)))]);
}
