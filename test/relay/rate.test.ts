import assert from 'node:assert/strict';
import { TokenBucket } from '../../src/relay/rate.ts';

describe('relay: token bucket', () => {
  const rate = { perSecond: 10, burst: 5 };

  it('R3 gives a burst at once, then tells how long to wait', () => {
    const bucket = new TokenBucket(rate, 0);
    assert.deepEqual([bucket.take(5, 0), bucket.take(1, 0), bucket.take(1, 0)], [0, 100, 200]);
    assert.equal(bucket.take(1, 200), 100);
    assert.equal(bucket.take(1, 1_000), 0);
  });

  it('R3 knows when nothing is left of what was taken', () => {
    const bucket = new TokenBucket(rate, 0);
    assert.equal(bucket.fullIn(0), 0);
    bucket.take(8, 0);
    assert.deepEqual([bucket.fullIn(0), bucket.fullIn(300), bucket.fullIn(900)], [800, 500, 0]);
  });

  it('R3 never saves up more than a burst, and bears a clock that goes back', () => {
    const bucket = new TokenBucket(rate, 1_000);
    assert.equal(bucket.tryTake(6, 1_000_000), false);
    assert.equal(bucket.tryTake(5, 1_000_000), true);
    assert.equal(bucket.tryTake(1, 0), false);
    assert.equal(bucket.tryTake(1, 100), true);
  });
});
