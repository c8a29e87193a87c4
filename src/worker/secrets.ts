import { randomBytes } from 'node:crypto';
import { fromBase64Url, toBase64Url } from '../base/bytes.ts';
import type { DeviceSecrets } from '../service/api.ts';

const SECRET_BYTES = 32;

/** Of a new device: made once, and kept by the window before anything is encrypted with them (I2). */
export function newSecrets(accountSeed?: Uint8Array): DeviceSecrets {
  const secret = () => toBase64Url(randomBytes(SECRET_BYTES));
  const account = accountSeed ? toBase64Url(accountSeed) : secret();
  return { accountSeed: account, signingSeed: secret(), agreementSecret: secret(), storeKey: secret() };
}

export function areSecrets(value: unknown): value is DeviceSecrets {
  if (typeof value !== 'object' || value === null) return false;
  const { accountSeed, signingSeed, agreementSecret, storeKey } = value as Readonly<Record<string, unknown>>;
  return [accountSeed, signingSeed, agreementSecret, storeKey].every(
    (secret) => typeof secret === 'string' && fromBase64Url(secret)?.length === SECRET_BYTES,
  );
}
