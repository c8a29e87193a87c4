import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatBytes, fromBase64Url, toBase64Url, toHex } from '../../src/base/bytes.ts';
import { FORMAT } from '../../src/base/format.ts';
import type { AccountId, DeviceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import { linkNumber, pairSeal, readLinkCode, writeLinkCode, type LinkCode } from '../../src/sync/device-link.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const crypto = nodeCrypto(seededRandom('device link'));
const id = <T extends string>() => toHex(crypto.randomBytes(32)) as T;
const CODE: LinkCode = {
  account: id<AccountId>(),
  expires: 1_800_000_000_000,
  secret: crypto.randomBytes(32),
  routes: [
    { device: id<DeviceId>(), relay: 'coterie-relay://relay.example:2492/key/token', addresses: ['[::1]:2492'] },
  ],
};
const TEXT = writeLinkCode(crypto, CODE);

function faultOf(text: string): string {
  const read = readLinkCode(crypto, text);
  return read.ok ? 'none' : read.error.tag;
}

function resealed(change: (fields: readonly Value[]) => readonly Value[]): string {
  const decoded = decode(fromBase64Url(TEXT)!.subarray(0, -4));
  assert.ok(decoded.ok);
  const body = encode([...change(decoded.value as readonly Value[])]);
  return toBase64Url(concatBytes(body, crypto.sha256(body).subarray(0, 4)));
}

describe('I2 link codes', () => {
  it('I2 is read as it was written, as a link, and as mail programs break it', () => {
    const broken = TEXT.match(/.{1,60}/g)!.join('\r\n> ');
    for (const text of [TEXT, `vscode://coterie.coterie/link#${TEXT}`, ` <${TEXT}> `, broken]) {
      const read = readLinkCode(crypto, text);
      assert.deepEqual(read.ok && read.value, CODE, text);
    }
  });

  it('I2 tells what was cut, what is newer and what is none apart', () => {
    assert.equal(faultOf('hello'), 'notACode');
    assert.equal(faultOf(TEXT.slice(0, -3)), 'damaged');
    assert.equal(faultOf(`vscode://coterie.coterie/link#${TEXT.slice(9)}`), 'damaged');
    assert.equal(faultOf(resealed((fields) => fields.with(0, 0))), 'notACode');
    assert.equal(faultOf(resealed((fields) => fields.with(1, FORMAT + 1))), 'newer');
    for (const at of [2, 3, 4, 5]) assert.equal(faultOf(resealed((fields) => fields.with(at, 'x'))), 'damaged');
    assert.equal(faultOf(resealed((fields) => [...fields, null])), 'damaged');
  });

  it('D4 answers to whatever anybody writes, and never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => assert.notEqual(faultOf(text), 'none')),
      { seed: 3, numRuns: 200 },
    );
    const bytes = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(bytes, (body) => {
        const text = toBase64Url(concatBytes(body, crypto.sha256(body).subarray(0, 4)));
        assert.notEqual(faultOf(text), 'none');
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it('I2 the number is that of the code and of the keys that ask, and of no other', () => {
    const certificate = crypto.randomBytes(200);
    const number = linkNumber(crypto, CODE.secret, certificate);
    assert.match(number, /^\d{4} \d{4} \d{4}$/);
    assert.equal(linkNumber(crypto, CODE.secret, certificate), number);
    assert.notEqual(linkNumber(crypto, CODE.secret, crypto.randomBytes(200)), number);
    assert.notEqual(linkNumber(crypto, crypto.randomBytes(32), certificate), number);
  });

  it('I2 a pair has one seal, both make it, and no third device does', () => {
    const device = () => {
      const agreementSecret = crypto.randomBytes(32);
      return { device: id<DeviceId>(), agreementSecret, agreementKey: crypto.agreementKeyOf(agreementSecret) };
    };
    const [laptop, desk, lost] = [device(), device(), device()];
    const seal = pairSeal(crypto, laptop, desk)!;
    assert.deepEqual(pairSeal(crypto, desk, laptop), seal);
    const others = [pairSeal(crypto, lost, desk), pairSeal(crypto, lost, laptop), pairSeal(crypto, laptop, laptop)];
    for (const other of others) assert.notDeepEqual(other!.key, seal.key);
    assert.equal(pairSeal(crypto, laptop, { device: desk.device, agreementKey: new Uint8Array(32) }), undefined);
  });
});
