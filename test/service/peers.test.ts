/** T2: where other devices are reached, as they say it. */
import assert from 'node:assert/strict';
import type { DeviceId, WorkspaceId } from '../../src/base/ids.ts';
import type { Hub } from '../../src/service/hub.ts';
import { LocalState } from '../../src/service/local-state.ts';
import { Peers } from '../../src/service/peers.ts';
import type { Roster } from '../../src/sync/roster.ts';

describe('The other devices of a workspace', () => {
  it('T2 nothing is made anew for who has closed meanwhile', () => {
    let changed = 0;
    const alarms = new Set<() => void>();
    const wakeAt = (_: number, ring: () => void) => {
      alarms.add(ring);
      return () => alarms.delete(ring);
    };
    const hub = { local: new LocalState(), clock: { now: () => 0, wakeAt }, changed: () => void changed++ };
    const none = { records: new Map(), goneRecords: new Map() } as unknown as Roster;
    const peers = new Peers(hub as unknown as Hub, '0a'.repeat(32) as WorkspaceId, () => none);
    for (const device of ['1'.repeat(64), '2'.repeat(64)] as DeviceId[])
      for (const address of ['192.0.2.1:1', '192.0.2.1:2']) peers.learnAddresses(device, [address]);
    assert.deepEqual([changed, alarms.size], [2, 2]);
    peers.close();
    assert.equal(alarms.size, 0);
    peers.learnAddresses('1'.repeat(64) as DeviceId, ['192.0.2.1:3']);
    assert.deepEqual([changed, alarms.size], [2, 0], 'nor is anybody waited for after that');
  });

  it('T2 a clock that is set back keeps nobody from being found elsewhere, nor for there who is gone', () => {
    let now = 3_600_000;
    let changed = 0;
    const hub = {
      local: new LocalState(),
      clock: { now: () => now, wakeAt: () => () => undefined },
      changed: () => void changed++,
      transport: { reach: () => 'none' },
    } as unknown as Hub;
    const none = { records: new Map(), goneRecords: new Map() } as unknown as Roster;
    const peers = new Peers(hub, '0a'.repeat(32) as WorkspaceId, () => none);
    const one = '1'.repeat(64) as DeviceId;
    peers.learnAddresses(one, ['192.0.2.1:1']);
    peers.heardFrom(one, false);
    assert.ok(peers.isOnline(one));
    now = 1_000;
    peers.learnAddresses(one, ['192.0.2.1:2']);
    assert.equal(changed, 2);
    assert.ok(!peers.isOnline(one));
    peers.heardFrom(one, false);
    assert.ok(peers.isOnline(one));
  });

  it('T2 one that says again and again that it is elsewhere has all made anew for it now and then, the last for what it said last', () => {
    let now = 0;
    let changed = 0;
    const alarms: { readonly at: number; readonly ring: () => void }[] = [];
    const hub = {
      local: new LocalState(),
      clock: { now: () => now, wakeAt: (at: number, ring: () => void) => void alarms.push({ at, ring }) },
      changed: () => void changed++,
    } as unknown as Hub;
    const none = { records: new Map(), goneRecords: new Map() } as unknown as Roster;
    const peers = new Peers(hub, '0a'.repeat(32) as WorkspaceId, () => none);
    const [one, other] = ['1'.repeat(64), '2'.repeat(64)] as [DeviceId, DeviceId];
    for (let i = 1; i <= 1_000; i++) peers.learnAddresses(one, [`192.0.2.1:${i}`]);
    assert.equal(changed, 1, 'at once, and no more');
    assert.deepEqual(peers.routeOf(one).addresses, ['192.0.2.1:1000']);
    peers.learnAddresses(other, ['192.0.2.2:1']);
    assert.equal(changed, 2, 'another is not held up by it');
    assert.equal(alarms.length, 1);
    now = alarms[0]!.at;
    assert.ok(now <= 5_000);
    alarms[0]!.ring();
    assert.equal(changed, 3, 'for what it has said last');
    peers.learnAddresses(one, ['192.0.2.1:1000']);
    assert.deepEqual([changed, alarms.length], [3, 1], 'the same is no news');
  });
});
