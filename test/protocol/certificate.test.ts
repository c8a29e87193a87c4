import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { concatBytes, fromHex, toHex } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate, MAX_CERTIFICATE_BYTES, readCertificate } from '../../src/protocol/certificate.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import { MAX_NAME_BYTES } from '../../src/protocol/limits.ts';
import { toUtf8 } from '../../src/base/utf8.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import vector from '../vectors/certificate.json' with { type: 'json' };

const crypto = nodeCrypto(seededRandom('certificate'));
const accountSeed = crypto.randomBytes(32);
const signingSeed = crypto.randomBytes(32);
const signingKey = crypto.signingKeyOf(signingSeed);
const agreementKey = crypto.agreementKeyOf(crypto.randomBytes(32));
const created = 1_700_000_000_000;

function issue(name = 'Alice’s desk') {
  return issueCertificate(crypto, accountSeed, { signingSeed, agreementKey, name, created });
}

function fieldsOf(bytes: Uint8Array): readonly Value[] {
  const decoded = decode(bytes);
  assert.ok(decoded.ok && Array.isArray(decoded.value));
  return decoded.value as readonly Value[];
}

const ACCOUNT_DOMAIN = 'coterie device 1';
const DEVICE_DOMAIN = 'coterie device countersign 1';

function signature(fields: readonly Value[], seed: Uint8Array, domain: string): Uint8Array {
  return crypto.sign(seed, concatBytes(toUtf8(domain), encode(fields)));
}

/** Signs whatever stands in the fields, as a hostile account and device could. */
function signed(fields: readonly Value[], account = accountSeed, device = signingSeed): Uint8Array {
  return encode([...fields, signature(fields, account, ACCOUNT_DOMAIN), signature(fields, device, DEVICE_DOMAIN)]);
}

function reasonOf(bytes: Uint8Array): string | undefined {
  const read = readCertificate(crypto, bytes);
  return read.ok ? undefined : read.error.reason;
}

describe('device certificate', () => {
  it('I1 says who vouches for which keys, and is read as it was issued', () => {
    const issued = issue();
    const read = readCertificate(crypto, issued.bytes);
    assert.deepEqual(read, { ok: true, value: issued });
    assert.equal(issued.account, toHex(crypto.signingKeyOf(accountSeed)));
    assert.equal(issued.device, toHex(signingKey));
    assert.deepEqual([issued.name, issued.created], ['Alice’s desk', created]);
  });

  it('I1 has the bytes of the vector', () => {
    const hex = (text: string) => fromHex(text)!;
    const certificate = issueCertificate(crypto, hex(vector.accountSeed), {
      signingSeed: hex(vector.signingSeed),
      agreementKey: hex(vector.agreementKey),
      name: vector.name,
      created: vector.created,
    });
    assert.equal(toHex(certificate.bytes), vector.bytes);
    assert.ok(readCertificate(crypto, hex(vector.bytes)).ok);
  });

  it('I1 allows the longest name, and no longer one', () => {
    for (const name of ['', 'a'.repeat(MAX_NAME_BYTES), '水'.repeat(85)]) {
      const { bytes } = issue(name);
      assert.ok(bytes.length <= MAX_CERTIFICATE_BYTES);
      assert.equal(reasonOf(bytes), undefined);
    }
    assert.throws(() => issue('a'.repeat(MAX_NAME_BYTES + 1)), /name/);
    const fields = fieldsOf(issue().bytes).slice(0, 5);
    assert.equal(reasonOf(signed(fields.with(3, 'a'.repeat(MAX_NAME_BYTES + 1)))), 'malformed');
  });

  it('I1 refuses it with any bit changed, and cut anywhere', () => {
    const { bytes } = issue();
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << (at % 8);
      assert.notEqual(reasonOf(changed), undefined, `byte ${at}`);
      assert.equal(reasonOf(bytes.subarray(0, at)), 'malformed');
    }
    assert.equal(reasonOf(concatBytes(bytes, Uint8Array.of(0))), 'malformed');
  });

  it('I1 refuses another account’s or another device’s signature', () => {
    const fields = fieldsOf(issue().bytes).slice(0, 5);
    assert.equal(reasonOf(signed(fields)), undefined);
    assert.equal(reasonOf(signed(fields, crypto.randomBytes(32))), 'badSignature');
    assert.equal(reasonOf(signed(fields, accountSeed, crypto.randomBytes(32))), 'badSignature');
  });

  it('I1 refuses what an account alone says of somebody else’s device', () => {
    const victim = issue();
    const malloryAccount = crypto.randomBytes(32);
    const malloryDevice = crypto.randomBytes(32);
    const forged = fieldsOf(victim.bytes)
      .slice(0, 5)
      .with(0, crypto.signingKeyOf(malloryAccount))
      .with(2, crypto.agreementKeyOf(crypto.randomBytes(32)));
    const byAccount = signature(forged, malloryAccount, ACCOUNT_DOMAIN);
    assert.equal(reasonOf(encode([...forged, byAccount])), 'malformed', 'as it sufficed before');
    assert.equal(reasonOf(signed(forged, malloryAccount, malloryAccount)), 'badSignature');
    assert.equal(reasonOf(signed(forged, malloryAccount, malloryDevice)), 'badSignature');
    const lent = fieldsOf(victim.bytes)[6]!;
    assert.equal(reasonOf(encode([...forged, byAccount, lent])), 'badSignature', 'the device spoke of another account');
  });

  it('I1 refuses a signature made for something else', () => {
    const fields = fieldsOf(issue().bytes).slice(0, 5);
    const [byAccount, byDevice] = [
      signature(fields, accountSeed, ACCOUNT_DOMAIN),
      signature(fields, signingSeed, DEVICE_DOMAIN),
    ];
    assert.equal(reasonOf(encode([...fields, byAccount, byDevice])), undefined);
    assert.equal(reasonOf(encode([...fields, byDevice, byAccount])), 'badSignature');
    for (const domain of ['', DEVICE_DOMAIN]) {
      assert.equal(reasonOf(encode([...fields, signature(fields, accountSeed, domain), byDevice])), 'badSignature');
    }
    for (const domain of ['', ACCOUNT_DOMAIN]) {
      assert.equal(reasonOf(encode([...fields, byAccount, signature(fields, signingSeed, domain)])), 'badSignature');
    }
  });

  it('I1 refuses fields of the wrong shape, signed or not', () => {
    const fields = fieldsOf(issue().bytes).slice(0, 5);
    for (const [at, value] of [
      [0, new Uint8Array(31)],
      [1, new Uint8Array(33)],
      [1, 'text'],
      [2, null],
      [3, new Uint8Array(3)],
      [4, -1],
      [4, 'now'],
    ] as const) {
      assert.equal(reasonOf(signed(fields.with(at, value))), 'malformed', `field ${at}`);
    }
    assert.equal(reasonOf(signed(fields.slice(0, 4))), 'malformed');
    assert.equal(reasonOf(signed([...fields, 0])), 'malformed');
    assert.equal(reasonOf(new Uint8Array(MAX_CERTIFICATE_BYTES + 1)), 'malformed');
  });

  it('I1 refuses keys with torsion, of low order, or not a point', () => {
    const fields = fieldsOf(issue().bytes).slice(0, 5);
    for (const key of ['01' + '00'.repeat(31), '00'.repeat(32), 'ff'.repeat(32), '02' + '00'.repeat(31)]) {
      assert.equal(reasonOf(signed(fields.with(1, fromHex(key)!))), 'unsoundKey', key);
      assert.equal(reasonOf(signed(fields.with(0, fromHex(key)!))), 'unsoundKey', key);
    }
  });

  it('D4 answers any bytes, and any damage, without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        assert.equal(readCertificate(crypto, bytes).ok, false);
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});
