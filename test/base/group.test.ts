import assert from 'node:assert/strict';
import { lastInTurns } from '../../src/base/group.ts';

describe('The last of each group in turns', () => {
  const many = Array.from({ length: 9 }, (_, i) => `many ${i}`);

  it('N3 leaves room for those of whom there are few', () => {
    assert.deepEqual(lastInTurns([many, ['one'], []], 4), ['many 8', 'one', 'many 7', 'many 6']);
    assert.deepEqual(lastInTurns([many, ['one']], 1), ['many 8']);
  });

  it('N3 is all where there is room, and none of nothing', () => {
    assert.equal(lastInTurns([many, ['one']], 100).length, 10);
    assert.deepEqual(lastInTurns([], 4), []);
  });
});
