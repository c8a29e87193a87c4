/** Accounts and their devices, made from a world's chance. */
import type { AccountId, DeviceId } from '../../src/base/ids.ts';
import { toHex } from '../../src/base/bytes.ts';
import type { Crypto } from '../../src/crypto/crypto.ts';
import { issueCertificate, type Certificate } from '../../src/protocol/certificate.ts';
import type { Signer } from '../../src/sync/delta.ts';

/** 5 January 2026: where worlds begin. */
export const START = Date.UTC(2026, 0, 5);

export interface Identity {
  readonly account: AccountId;
  readonly device: DeviceId;
  readonly signer: Signer;
  readonly certificate: Certificate;
  readonly agreementSecret: Uint8Array;
}

export interface Person {
  readonly name: string;
  readonly account: AccountId;
  readonly devices: readonly Identity[];
}

export function makePerson(crypto: Crypto, name: string, devices: number): Person {
  const accountSeed = crypto.randomBytes(32);
  return {
    name,
    account: toHex(crypto.signingKeyOf(accountSeed)) as AccountId,
    devices: Array.from({ length: devices }, (_, i) => makeDevice(crypto, accountSeed, `${name} ${i + 1}`)),
  };
}

function makeDevice(crypto: Crypto, accountSeed: Uint8Array, name: string): Identity {
  const seed = crypto.randomBytes(32);
  const agreementSecret = crypto.randomBytes(32);
  const certificate = issueCertificate(crypto, accountSeed, {
    signingSeed: seed,
    agreementKey: crypto.agreementKeyOf(agreementSecret),
    name,
    created: START,
  });
  const { account, device } = certificate;
  return { account, device, signer: { device, seed }, certificate, agreementSecret };
}
