import assert from 'node:assert/strict';
import fc from 'fast-check';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import type { WorkspaceId } from '../../src/base/ids.ts';
import { EpochKeys } from '../../src/sync/epoch-keys.ts';
import { envelopeTag, openMessage, paddedLength, sealMessage } from '../../src/sync/envelope.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { Team } from './team.ts';

const crypto = nodeCrypto(seededRandom('envelope'));
const key = { tag: '0011223344556677', key: crypto.randomBytes(32) };

describe('K5 sealed messages', () => {
  it('K5 what is sealed is opened under the same key, of whatever length', () => {
    for (const length of [0, 1, 30, 31, 32, 33, 1022, 1023, 1024, 1025, 65_536, 300_000]) {
      const plain = crypto.randomBytes(length);
      const sealed = sealMessage(crypto, key, plain);
      assert.equal(envelopeTag(sealed), key.tag);
      assert.deepEqual(openMessage(crypto, key, sealed), plain);
    }
  });

  it('K5 trailing zeros and ones of the message survive the padding', () => {
    for (const plain of [
      [0],
      [0, 0, 0],
      [1],
      [1, 0],
      [0, 1, 0, 0],
      Array<number>(31).fill(0),
      Array<number>(32).fill(1),
    ]) {
      assert.deepEqual(
        openMessage(crypto, key, sealMessage(crypto, key, Uint8Array.from(plain))),
        Uint8Array.from(plain),
      );
    }
  });

  it('K5 what is said in one workspace opens in no other that has the same key, nor outside of any', () => {
    const [one, other] = ['01', '02'].map((byte) => ({ ...key, workspace: byte.repeat(32) as WorkspaceId }));
    const plain = crypto.randomBytes(40);
    const [inOne, inNone] = [sealMessage(crypto, one!, plain), sealMessage(crypto, key, plain)];
    assert.deepEqual(openMessage(crypto, one!, inOne), plain);
    for (const seal of [other!, key]) assert.equal(openMessage(crypto, seal, inOne), undefined);
    assert.equal(openMessage(crypto, one!, inNone), undefined);
    const team = new Team('seals');
    const keys = new EpochKeys(crypto, team.workspace, team.alice.device, team.alice.agreementSecret);
    keys.add(team.epoch);
    for (const seal of [keys.epoch, keys.find(team.epoch.tag), ...keys.held()])
      assert.equal(seal?.workspace, team.workspace);
  });

  it('K5 under another key, with any bit changed, or cut short, nothing is opened and nothing is thrown', () => {
    const sealed = sealMessage(crypto, key, crypto.randomBytes(40));
    assert.equal(openMessage(crypto, { key: crypto.randomBytes(32) }, sealed), undefined);
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice();
      changed[at]! ^= 1 << (at % 8);
      assert.equal(openMessage(crypto, key, changed), undefined, `byte ${at}`);
      assert.equal(openMessage(crypto, key, sealed.subarray(0, at)), undefined, `${at} bytes`);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        assert.equal(openMessage(crypto, key, bytes), undefined);
        const tag = envelopeTag(bytes);
        assert.ok(tag === undefined || tag.length === 16);
      }),
      { seed: 3 },
    );
  });

  it('K5 the same message sealed twice is not the same bytes', () => {
    const plain = crypto.randomBytes(10);
    assert.notDeepEqual(sealMessage(crypto, key, plain), sealMessage(crypto, key, plain));
  });

  it('R3 few lengths are seen: steps of 16 below 1 KiB, at most 12 % more above', () => {
    for (let length = 1; length <= 1024; length++) {
      const padded = paddedLength(length);
      assert.ok(padded >= length && padded < length + 16 && padded % 16 === 0);
    }
    for (let length = 1025; length < 2 ** 20; length += 97) {
      const padded = paddedLength(length);
      assert.ok(padded >= length && padded <= length * 1.12, `${length} → ${padded}`);
      assert.equal(paddedLength(padded), padded);
    }
    const seen = new Set(Array.from({ length: 2 ** 20 - 1024 }, (_, i) => paddedLength(1025 + i)));
    assert.ok(seen.size < 350, `${seen.size} lengths`);
  });
});
