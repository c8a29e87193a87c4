import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RecentByBytes } from '../../src/crypto/node/keys.ts';

describe('RecentByBytes', () => {
  it('D4 makes each once while it is in use, holds no more than its bound, and forgets the longest unused', () => {
    const made: number[] = [];
    const recent = new RecentByBytes(2, ([first]) => made.push(first!));
    const one = recent.get(Uint8Array.of(1));
    assert.equal(recent.get(Uint8Array.of(1)), one);
    recent.get(Uint8Array.of(2));
    recent.get(Uint8Array.of(1));
    recent.get(Uint8Array.of(3));
    assert.equal(recent.size, 2);
    assert.deepEqual(made, [1, 2, 3]);
    recent.get(Uint8Array.of(1));
    assert.deepEqual(made, [1, 2, 3], '1 was used after 2, so 2 went');
    recent.get(Uint8Array.of(2));
    assert.deepEqual(made, [1, 2, 3, 2]);
  });
});
