/**
 * Device certificate (I1): an account vouches for a device's keys, and the device says that it belongs to the account.
 * Without the device's word anybody could name somebody else's device, with an agreement key of his own, from an account of his own.
 *
 * | field | bytes | meaning |
 * | --- | --- | --- |
 * | account | 32 | Ed25519 key of the account |
 * | signing | 32 | Ed25519 key of the device; it is the device's id |
 * | agreement | 32 | X25519 key of the device: epoch boxes, and its static key in the channel |
 * | name | ≤ 255 | what the person calls the device |
 * | created | count | milliseconds since 1970, a claim |
 * | account signature | 64 | by the account, over `"coterie device 1"` and the deterministic CBOR of the five fields above |
 * | device signature | 64 | by the device's signing key, over `"coterie device countersign 1"` and the same |
 */
import type { Crypto } from '../crypto/crypto.ts';
import { KEY_BYTES, SIGNATURE_BYTES } from '../crypto/crypto.ts';
import { assert } from '../base/assert.ts';
import { concatBytes, toHex } from '../base/bytes.ts';
import { domain } from '../base/format.ts';
import type { AccountId, DeviceId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { asArray, asBytes, asCount, asText, decode, encode, type Value } from './codec.ts';
import { MAX_NAME_BYTES } from './limits.ts';

export interface Certificate {
  readonly account: AccountId;
  readonly device: DeviceId;
  readonly accountKey: Uint8Array;
  readonly signingKey: Uint8Array;
  readonly agreementKey: Uint8Array;
  readonly name: string;
  readonly created: number;
  /** The certificate as it came: what is stored and handed on. */
  readonly bytes: Uint8Array;
}

export interface CertificateError {
  readonly tag: 'badCertificate';
  readonly reason: 'malformed' | 'unsoundKey' | 'badSignature';
}

const ACCOUNT_DOMAIN = domain('device');
const DEVICE_DOMAIN = domain('device countersign');
/** The longest has 501: a name of MAX_NAME_BYTES, a time past 2^32. */
export const MAX_CERTIFICATE_BYTES = 512;

export function issueCertificate(
  crypto: Crypto,
  accountSeed: Uint8Array,
  device: { signingSeed: Uint8Array; agreementKey: Uint8Array; name: string; created: number },
): Certificate {
  assert(asText(device.name, MAX_NAME_BYTES) !== undefined, 'a device name has at most MAX_NAME_BYTES');
  const { signingSeed, agreementKey, name, created } = device;
  const accountKey = crypto.signingKeyOf(accountSeed);
  const signingKey = crypto.signingKeyOf(signingSeed);
  const fields: Value[] = [accountKey, signingKey, agreementKey, name, created];
  const signed = encode(fields);
  const byAccount = crypto.sign(accountSeed, concatBytes(ACCOUNT_DOMAIN, signed));
  const byDevice = crypto.sign(signingSeed, concatBytes(DEVICE_DOMAIN, signed));
  return named({ accountKey, signingKey, agreementKey, name, created }, encode([...fields, byAccount, byDevice]));
}

export function readCertificate(crypto: Crypto, bytes: Uint8Array): Result<Certificate, CertificateError> {
  const bad = (reason: CertificateError['reason']) => err({ tag: 'badCertificate', reason } as const);
  if (bytes.length > MAX_CERTIFICATE_BYTES) return bad('malformed');
  const decoded = decode(bytes);
  const fields = decoded.ok ? asArray(decoded.value, 7) : undefined;
  const accountKey = asBytes(fields?.[0], KEY_BYTES);
  const signingKey = asBytes(fields?.[1], KEY_BYTES);
  const agreementKey = asBytes(fields?.[2], KEY_BYTES);
  const name = asText(fields?.[3], MAX_NAME_BYTES);
  const created = asCount(fields?.[4]);
  const byAccount = asBytes(fields?.[5], SIGNATURE_BYTES);
  const byDevice = asBytes(fields?.[6], SIGNATURE_BYTES);
  if (
    !fields ||
    !accountKey ||
    !signingKey ||
    !agreementKey ||
    name === undefined ||
    created === undefined ||
    !byAccount ||
    !byDevice
  ) {
    return bad('malformed');
  }
  if (!crypto.isSoundSigningKey(accountKey) || !crypto.isSoundSigningKey(signingKey)) return bad('unsoundKey');
  const signed = encode(fields.slice(0, 5));
  if (
    !crypto.verify(accountKey, concatBytes(ACCOUNT_DOMAIN, signed), byAccount) ||
    !crypto.verify(signingKey, concatBytes(DEVICE_DOMAIN, signed), byDevice)
  ) {
    return bad('badSignature');
  }
  return ok(named({ accountKey, signingKey, agreementKey, name, created }, bytes));
}

function named(
  fields: Pick<Certificate, 'accountKey' | 'signingKey' | 'agreementKey' | 'name' | 'created'>,
  bytes: Uint8Array,
): Certificate {
  return {
    ...fields,
    account: toHex(fields.accountKey) as AccountId,
    device: toHex(fields.signingKey) as DeviceId,
    bytes,
  };
}
