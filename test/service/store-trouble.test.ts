/** L1, R1: what came in while the disk took nothing. */
import assert from 'node:assert/strict';
import type { DeviceId } from '../../src/base/ids.ts';
import { MAX_UNSAVED_MESSAGES } from '../../src/protocol/limits.ts';
import { StoreTrouble } from '../../src/service/store-trouble.ts';
import { StoreError, type Arrived, type Path } from '../../src/sync/ports.ts';

describe('What came in while the disk took nothing', () => {
  let handled: string[];
  let trouble: StoreTrouble;
  const arrive = (name: string, path: Path): Arrived => ({
    ...{ from: 'bb' as DeviceId, path, bytes: new Uint8Array(100) },
    handled: () => void handled.push(name),
  });
  beforeEach(() => {
    handled = [];
    trouble = new StoreTrouble({ clock: { now: () => 0, wakeAt: () => () => undefined }, emit: () => undefined }, (e) =>
      assert.fail(String(e)),
    );
  });

  it('R1 what came by a relay is acknowledged when it is on disk, once, and not before', () => {
    trouble.hold(arrive('one', 'relay'));
    trouble.hold(arrive('two', 'relay'));
    assert.deepEqual(handled, []);
    trouble.release();
    trouble.release();
    assert.deepEqual(handled, ['one', 'two']);
  });

  it('L1 of what came directly nothing is held: nobody waits to hear of it', () => {
    trouble.hold(arrive('direct', 'direct'));
    trouble.release();
    assert.deepEqual(handled, []);
  });

  it('L1, R1 no more are held than a relay keeps: the rest is not acknowledged, and comes again', () => {
    for (let n = 0; n <= MAX_UNSAVED_MESSAGES; n++) trouble.hold(arrive(`${n}`, 'relay'));
    trouble.release();
    assert.deepEqual([handled.length, handled.at(-1)], [MAX_UNSAVED_MESSAGES, `${MAX_UNSAVED_MESSAGES - 1}`]);
    trouble.hold(arrive('later', 'relay'));
    trouble.release();
    assert.equal(handled.at(-1), 'later', 'there is room again');
  });

  it('L1 its person is told once a minute, also when the clock was set back', () => {
    let [now, told] = [3_600_000, 0];
    const clock = { now: () => now, wakeAt: () => () => undefined };
    const full = new StoreTrouble({ clock, emit: () => void told++ }, undefined);
    const fail = () => full.fault(new StoreError('diskFull', 'no space left'));
    for (let times = 0; times < 2; times++) fail();
    assert.equal(told, 1);
    now = 1_000;
    for (let times = 0; times < 2; times++) fail();
    assert.equal(told, 2);
  });
});
