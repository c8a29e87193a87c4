import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.ts';
import { IdNames } from '../../src/base/id-names.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

describe('names of ids', () => {
  const random = seededRandom('id names');

  it('are their hexadecimal, whatever came before in their place', () => {
    const names = new IdNames();
    const near = random(32);
    const ids = Array.from({ length: 5_000 }, (_, i) => {
      const id = i % 3 === 0 ? near.slice() : random(i % 3 === 1 ? 32 : 8);
      if (i % 3 === 0) id[2 + (i % 30)]! ^= 1 << (i % 8);
      return id;
    });
    for (const id of [...ids, ...ids.toReversed()]) {
      const bytes = new Uint8Array(50);
      bytes.set(id, 7);
      assert.equal(names.nameOf(bytes, 7, id.length), toHex(id));
    }
  });

  it('are known once they were learnt, and a longer id is another', () => {
    const names = new IdNames();
    const id = random(32);
    names.learn(toHex(id));
    assert.equal(names.nameOf(id, 0, 32), toHex(id));
    assert.equal(names.nameOf(id, 0, 8), toHex(id.subarray(0, 8)));
    assert.equal(names.nameOf(id, 0, 32), toHex(id));
  });
});
