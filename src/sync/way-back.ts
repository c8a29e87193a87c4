/**
 * How a device that was dropped comes back (L7). It is out of the epochs, and who has not heard of it for long may have erased those
 * that it had (K4): so it speaks to each member's device that it knew under a seal of the two.
 *
 * | step | who | message | under |
 * | --- | --- | --- | --- |
 * | 1 | the device, when its person wants it back | join, signed by it for `returnSubject` | the seal of the two |
 * | 2 | any member's device: it writes addDevice | workspace: that addDevice | the same |
 * | or | | declined: it is not dropped here, or its person is no member | the same |
 * | or | | askAnew: the words by which it is out, where it has not asked after them (N2) | the same |
 *
 * The **return seal** is HKDF(X25519(one's secret, the other's key), "coterie return 1" ‖ the lower device id ‖ the higher ‖ workspace).
 */
import { concatBytes } from '../base/bytes.ts';
import { domain } from '../base/format.ts';
import type { DeltaId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { encode } from '../protocol/codec.ts';
import { idBytes } from './delta.ts';
import { sealBetween, type OthersKeys, type OwnKeys } from './device-link.ts';
import type { SealKey } from './envelope.ts';

const RETURN_DOMAIN = domain('return');
const SUBJECT_DOMAIN = domain('return subject');

/** Undefined where the other's key is of low order. */
export function returnSeal(
  crypto: Crypto,
  workspace: WorkspaceId,
  own: OwnKeys,
  other: OthersKeys,
): SealKey | undefined {
  return sealBetween(crypto, RETURN_DOMAIN, own, other, workspace);
}

/** What a device that comes back signs. `since`: the words by which it is out, after which it says it (N2). */
export function returnSubject(workspace: WorkspaceId, since: readonly DeltaId[], certificate: Uint8Array): Uint8Array {
  return concatBytes(SUBJECT_DOMAIN, idBytes(workspace), encode(since.map(idBytes)), certificate);
}
