import assert from 'node:assert/strict';
import { inTurns } from '../../src/service/in-turns.ts';

describe('R4 what has room for so many', () => {
  it('R4 takes one of each group in turns, so that a long one leaves the others theirs', () => {
    const long = Array.from({ length: 10 }, (_, i) => `long ${i}`);
    assert.deepEqual(inTurns([long, ['a', 'b'], [], ['c']], 6), ['long 0', 'a', 'c', 'long 1', 'b', 'long 2']);
    assert.deepEqual(inTurns([['a', 'b'], ['c']], 6), ['a', 'c', 'b']);
    assert.deepEqual(inTurns([], 6), []);
  });
});
