/** What two people compare by voice (I3): both account keys in one order, hashed; 60 digits in groups of five. */
import { concatBytes } from '../base/bytes.ts';
import { domain } from '../base/format.ts';
import type { AccountId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { idBytes } from './delta.ts';

const DOMAIN = domain('safety number');
const GROUPS = 12;
const DIGITS = 5;
/** 5 bytes modulo 100,000: the bias is below one in ten million. */
const GROUP_BYTES = 5;

export function safetyNumber(crypto: Crypto, a: AccountId, b: AccountId): string {
  const [first, second] = a < b ? [a, b] : [b, a];
  const keys = concatBytes(idBytes(first), idBytes(second));
  const bytes = crypto.hkdfSha256(keys, new Uint8Array(0), DOMAIN, GROUPS * GROUP_BYTES);
  const groups: string[] = [];
  for (let i = 0; i < bytes.length; i += GROUP_BYTES) {
    let value = 0;
    for (const byte of bytes.subarray(i, i + GROUP_BYTES)) value = value * 256 + byte;
    groups.push((value % 10 ** DIGITS).toString().padStart(DIGITS, '0'));
  }
  return groups.join(' ');
}
