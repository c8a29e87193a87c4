import assert from 'node:assert/strict';
import { BATCH_BYTES, MAX_MESSAGE_BYTES } from '../../src/protocol/limits.ts';
import { Credit, LARGE_BATCH_BYTES } from '../../src/sync/credit.ts';

/** As a session does: batches until nothing more may go. */
function spend(credit: Credit): number {
  let bytes = 0;
  while (!credit.isSpent) {
    bytes += credit.batchBytes;
    credit.sent(credit.batchBytes);
  }
  return bytes;
}

describe('S1 credit', () => {
  it('S1 1 MiB goes before anything is acknowledged, and what one batch is beyond it', () => {
    const credit = new Credit();
    assert.equal(spend(credit), MAX_MESSAGE_BYTES);
    credit.acknowledged(10);
    credit.sent(credit.batchBytes);
    assert.ok(credit.isSpent, 'a batch has gone, and one of twice its size has taken its place');
  });

  it('S1 four of the largest batches are under way, and never more, however they grow', () => {
    const credit = new Credit();
    const underWay: number[] = [];
    let most = 0;
    for (let round = 0; round < 50; round++) {
      while (!credit.isSpent) {
        underWay.push(credit.batchBytes);
        credit.sent(credit.batchBytes);
      }
      const bytes = underWay.reduce((sum, one) => sum + one, 0);
      assert.ok(bytes >= MAX_MESSAGE_BYTES && bytes < 4 * LARGE_BATCH_BYTES + LARGE_BATCH_BYTES, `${bytes} bytes`);
      most = Math.max(most, bytes);
      underWay.shift();
      credit.acknowledged(round % 7 === 6 ? 1_500 : 20);
    }
    assert.ok(most >= 4 * LARGE_BATCH_BYTES);
  });

  it('S1 batches grow to half a message while each is acknowledged at once, and are small again where one is not', () => {
    const credit = new Credit();
    spend(credit);
    const sizes = [20, 20, 20, 20, 1_500, 20].map((after_ms) => {
      credit.acknowledged(after_ms);
      return credit.batchBytes / BATCH_BYTES;
    });
    assert.deepEqual(sizes, [2, 4, 8, 8, 1, 2]);
    assert.equal(MAX_MESSAGE_BYTES / BATCH_BYTES, 16);
  });

  it('S1 of a path that is new, or had to be begun again, nothing is known', () => {
    const credit = new Credit();
    spend(credit);
    credit.acknowledged(20);
    credit.restart();
    assert.equal(credit.batchBytes, BATCH_BYTES);
    assert.equal(spend(credit), MAX_MESSAGE_BYTES);
  });

  it('S1 who has acknowledged everything is given the next batch as large as he can take it', () => {
    const credit = new Credit();
    spend(credit);
    credit.acknowledged(20);
    credit.settle();
    assert.equal(credit.batchBytes, 2 * BATCH_BYTES);
    credit.sent(MAX_MESSAGE_BYTES - 1);
    assert.ok(!credit.isSpent, 'what was under way before is not any more');
  });
});
