/** K1, R1: messages under a key that has not come yet. */
import assert from 'node:assert/strict';
import type { DeviceId } from '../../src/base/ids.ts';
import { MAX_LOCKED_MESSAGES } from '../../src/protocol/limits.ts';
import { LockedMessages } from '../../src/service/locked-messages.ts';

const MINUTE_MS = 60_000;

describe('Messages that wait for a key', () => {
  let handled: string[];
  const arrive = (name: string, path: 'direct' | 'relay') => ({
    ...{ from: 'bb' as DeviceId, path, bytes: new Uint8Array(100) },
    handled: () => void handled.push(name),
  });
  beforeEach(() => void (handled = []));

  it('K1 R1 one that came by a relay does not keep the queue for longer than ten minutes, though nothing more comes', () => {
    const locked = new LockedMessages();
    locked.hold('direct', arrive('direct', 'direct'), 0);
    locked.hold('relay', arrive('relay', 'relay'), 0);
    locked.expire(10 * MINUTE_MS);
    assert.deepEqual(handled, []);
    // Whoever sent what is given up is asked by who looks from time to time: it is not given up behind his back.
    locked.hold('late', arrive('late', 'relay'), 11 * MINUTE_MS);
    assert.deepEqual(handled, []);
    const over = locked.expire(11 * MINUTE_MS).map(({ from, path }) => [from, path]);
    assert.deepEqual([handled, over], [['relay'], [['bb', 'relay']]]);
    assert.deepEqual(
      locked.take(() => true).map(({ path }) => path),
      ['direct', 'relay'],
      'the others wait on',
    );
    locked.expire(25 * 60 * MINUTE_MS);
    assert.deepEqual(handled, ['relay'], 'who takes it says so himself');
  });

  it('K1 of more than there is room for the oldest goes', () => {
    const locked = new LockedMessages();
    for (let n = 0; n <= MAX_LOCKED_MESSAGES; n++) locked.hold('tag', arrive(`${n}`, 'direct'), n);
    assert.deepEqual(handled, ['0']);
    assert.equal(locked.take(() => true).length, MAX_LOCKED_MESSAGES);
  });
});
