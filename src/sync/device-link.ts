/**
 * How a further device of an account comes to it (I2), and what the devices of an account say to each other.
 *
 * A **link code** is a checked text (`checked-text.ts`) of
 * `["link", 0, account 32, expires, secret 32, [[device 32, relay address, [direct address …]] …]]`. Its secret gives the same
 * keys as an invitation's (`invitation.ts`): one to sign the asking, one to seal what is said.
 *
 * | step | who | message | under |
 * | --- | --- | --- | --- |
 * | 1 | the new device, as whoever it was made | join, signed for `linkSubject` | the code's seal |
 * | 2 | the person compares the number on both, and accepts | | |
 * | 3 | the device that made the code | account: the account's seed | the code's seal |
 * | 4 | the new device, with new keys and a certificate by that account | join | the code's seal |
 * | 5 | the device that made the code | devices: it is one of them | the code's seal |
 * | 6 | and, of each workspace | workspace: the addDevice that lets it in | the pair's seal |
 *
 * The **pair's seal** of two devices of one account is HKDF(X25519(one's secret, the other's key), "coterie pair 1" ‖ the lower
 * device id ‖ the higher): a device that is not trusted any more can neither read nor write it, though it holds the account's seed.
 * With a workspace's id behind these it is for two devices of that workspace which hold no epoch together any more (K4).
 */
import { concatBytes, toHex } from '../base/bytes.ts';
import { domain, FORMAT } from '../base/format.ts';
import type { AccountId, DeviceId, WorkspaceId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts';
import { asBytes, asCount, asList, type Value } from '../protocol/codec.ts';
import type { Certificate } from '../protocol/certificate.ts';
import { MAX_ADDRESSES } from '../protocol/limits.ts';
import { readChecked, readRoute, routeValue, writeChecked } from './checked-text.ts';
import { idBytes } from './delta.ts';
import type { SealKey } from './envelope.ts';
import { invitationSeal } from './invitation.ts';
import type { Route } from './ports.ts';

export interface LinkCode {
  readonly account: AccountId;
  /** Milliseconds since 1970, by the clock of the device that made it: it is the one that looks. */
  readonly expires: number;
  readonly secret: Uint8Array;
  /** The devices that may answer. */
  readonly routes: readonly Route[];
}

export interface LinkCodeError {
  readonly tag: 'notACode' | 'damaged' | 'newer';
}

const WORD = 'link';
const MAX_ROUTES = 4;
const NONE = new Uint8Array(0);
const SUBJECT_DOMAIN = domain('link');
const NUMBER_DOMAIN = domain('link number');
const PAIR_DOMAIN = domain('pair');
/** 40 bits: who has got hold of the code cannot make keys in ten minutes that show the same. */
const NUMBER_GROUPS = 3;
const NUMBER_DIGITS = 4;
const GROUP_BYTES = 4;

export function writeLinkCode(crypto: Crypto, { account, expires, secret, routes }: LinkCode): string {
  const named = routes
    .slice(0, MAX_ROUTES)
    .map((route) => routeValue({ ...route, addresses: route.addresses.slice(0, MAX_ADDRESSES) }));
  return writeChecked(crypto, [WORD, FORMAT, idBytes(account), expires, secret, named]);
}

export function readLinkCode(crypto: Crypto, text: string): Result<LinkCode, LinkCodeError> {
  const read = readChecked(crypto, text);
  if (!read.ok) return err({ tag: read.error.tag === 'foreign' ? 'notACode' : 'damaged' });
  const fields = read.value;
  if (fields[0] !== WORD) return err({ tag: 'notACode' });
  if (typeof fields[1] === 'number' && fields[1] > FORMAT) return err({ tag: 'newer' });
  const code = readFields(fields);
  return code ? ok(code) : err({ tag: 'damaged' });
}

function readFields(f: readonly Value[]): LinkCode | undefined {
  const [account, expires, secret] = [asBytes(f[2], KEY_BYTES), asCount(f[3]), asBytes(f[4], KEY_BYTES)];
  const routes = asList(f[5], MAX_ROUTES, readRoute);
  if (f.length !== 6 || f[1] !== FORMAT || !account || expires === undefined || !secret || !routes) return undefined;
  return { account: toHex(account) as AccountId, expires, secret, routes };
}

/** What a new device signs with the code's one-time key. */
export function linkSubject(account: AccountId, certificate: Uint8Array): Uint8Array {
  return concatBytes(SUBJECT_DOMAIN, idBytes(account), certificate);
}

/** Shown on both devices: the same where the one that asks is the one that the person sits at. */
export function linkNumber(crypto: Crypto, secret: Uint8Array, certificate: Uint8Array): string {
  const bytes = crypto.hkdfSha256(secret, crypto.sha256(certificate), NUMBER_DOMAIN, NUMBER_GROUPS * GROUP_BYTES);
  const groups: string[] = [];
  for (let i = 0; i < bytes.length; i += GROUP_BYTES) {
    let value = 0;
    for (const byte of bytes.subarray(i, i + GROUP_BYTES)) value = value * 256 + byte;
    groups.push((value % 10 ** NUMBER_DIGITS).toString().padStart(NUMBER_DIGITS, '0'));
  }
  return groups.join(' ');
}

/** Undefined where the other's key is of low order. */
export function pairSeal(
  crypto: Crypto,
  own: OwnKeys,
  other: OthersKeys,
  workspace?: WorkspaceId,
): SealKey | undefined {
  return sealBetween(crypto, PAIR_DOMAIN, own, other, workspace);
}

export interface OwnKeys {
  readonly device: DeviceId;
  readonly agreementSecret: Uint8Array;
}

export type OthersKeys = Pick<Certificate, 'device' | 'agreementKey'>;

/** For another purpose, another key. Undefined where the other's key is of low order. */
export function sealBetween(
  crypto: Crypto,
  purpose: Uint8Array,
  own: OwnKeys,
  other: OthersKeys,
  workspace?: WorkspaceId,
): SealKey | undefined {
  const shared = crypto.agree(own.agreementSecret, other.agreementKey);
  const [lower, higher] = own.device < other.device ? [own.device, other.device] : [other.device, own.device];
  const info = concatBytes(purpose, idBytes(lower), idBytes(higher), idBytes(workspace ?? ''));
  return shared && invitationSeal(crypto, crypto.hkdfSha256(shared, NONE, info, KEY_BYTES));
}
