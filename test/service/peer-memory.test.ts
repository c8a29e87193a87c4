/** What is remembered of others across a restart costs the journal little, however many they are. */
import assert from 'node:assert/strict';
import type { DeviceId, FeedId, WorkspaceId } from '../../src/base/ids.ts';
import { LocalState } from '../../src/service/local-state.ts';
import { PeerMemory } from '../../src/service/peer-memory.ts';
import type { Mark } from '../../src/sync/peer.ts';
import type { Session } from '../../src/sync/session.ts';

const workspace = 'aa' as WorkspaceId;
const HOUR_MS = 3_600_000;

/** So many devices, each with a feed; what each holds of the others. */
function team(size: number) {
  const devices = Array.from({ length: size }, (_, i) => String(i).padStart(64, '0') as DeviceId);
  const known = new Map(
    devices.map((device) => [device, devices.map((one): Mark => ({ feed: `${one}.0` as FeedId, seq: 1 }))]),
  );
  const local = new LocalState();
  let [now, bytes, records] = [0, 0, 0];
  let alarm: { at: number; ring: () => void } | undefined;
  const memory = new PeerMemory(
    {
      clock: {
        now: () => now,
        wakeAt: (at, ring) => {
          alarm = { at, ring };
          return () => (alarm = undefined);
        },
      },
      local,
      commit: async () => {
        const unsaved = local.takeUnsaved();
        records += unsaved.length;
        for (const record of unsaved) bytes += record.length;
      },
    },
    workspace,
    {
      devices,
      memory: (device: DeviceId) => ({ known: known.get(device)!, relayed: [] }),
    } as Partial<Session> as Session,
  );
  return {
    devices,
    known,
    memory,
    local,
    written: () => ({ bytes, records }),
    pass: (ms: number) => {
      now += ms;
      if (!alarm || alarm.at > now) return;
      const { ring } = alarm;
      alarm = undefined;
      ring();
    },
  };
}

describe('What is remembered of other devices', () => {
  it('L1 of whom nothing has changed nothing is written again', () => {
    const { devices, known, memory, written, pass } = team(3);
    memory.changed();
    pass(60_000);
    assert.equal(written().records, 3);
    known.set(devices[1]!, [{ feed: `${devices[0]!}.0` as FeedId, seq: 2 }]);
    memory.changed();
    pass(60_000);
    assert.equal(written().records, 4);
    memory.changed();
    pass(60_000);
    assert.equal(written().records, 4);
  });

  it('L1 fifty who are never at rest cost the journal some megabytes an hour, and what is held is written at the end', () => {
    const { devices, known, memory, written, pass, local } = team(50);
    const all = (seq: number) => devices.map((one): Mark => ({ feed: `${one}.0` as FeedId, seq }));
    for (let at = 0; at < HOUR_MS; at += 1_000) {
      for (const device of devices) known.set(device, all(at));
      memory.changed();
      pass(1_000);
    }
    assert.ok(written().bytes < 5_000_000, `${written().bytes} bytes`);
    for (const device of devices) known.set(device, all(HOUR_MS));
    memory.close();
    assert.equal(local.takeUnsaved().length, 50);
  });
});
