import assert from 'node:assert/strict';
import { inTurns } from '../../src/base/group.ts';

describe('Of groups one each in turns', () => {
  const many = Array.from({ length: 10 }, (_, i) => `many ${i}`);

  it('R4 N3 leaves room for those of whom there are few', () => {
    assert.deepEqual(inTurns([many, ['a', 'b'], [], ['c']], 6), ['many 0', 'a', 'c', 'many 1', 'b', 'many 2']);
    assert.deepEqual(inTurns([many, ['one']], 1), ['many 0']);
  });

  it('R4 N3 is all where there is room, and none of nothing', () => {
    assert.deepEqual(inTurns([['a', 'b'], ['c']], 6), ['a', 'c', 'b']);
    assert.equal(inTurns([many, ['one']], 100).length, 11);
    assert.deepEqual(inTurns([], 6), []);
  });
});
