/** L7: how long something is held, by marks that outlive a restart, whatever the clock does meanwhile. */
import assert from 'node:assert/strict';
import type { DeviceId, WorkspaceId } from '../../src/base/ids.ts';
import { Absence, forgetHeld, SETTLE_MS } from '../../src/service/absence.ts';
import { LocalState } from '../../src/service/local-state.ts';

const DAY_MS = 24 * 60 * 60_000;
const [SELF, BOB, CAROL] = ['aa', 'bb', 'cc'].map((byte) => byte.repeat(32) as DeviceId) as [
  DeviceId,
  DeviceId,
  DeviceId,
];

class Bench {
  readonly id = '11'.repeat(32) as WorkspaceId;
  now = 1_800_000_000_000;
  days = 21;
  arrivals = 10;
  readonly local = new LocalState();
  /** By device the first arrival that it has not acknowledged. */
  readonly first = new Map<DeviceId, number>();
  absence = this.open();

  open(): Absence {
    const arrivals = () => this.arrivals;
    const hub = {
      local: this.local,
      clock: { now: () => this.now, wakeAt: () => () => undefined },
      absentAfterDays: () => this.days,
    };
    return (this.absence = new Absence(hub, {
      id: this.id,
      device: SELF,
      replica: {
        get arrivals() {
          return arrivals();
        },
        roster: { records: new Map([SELF, BOB, CAROL].map((device) => [device, undefined])) },
        people: { heldBackFrom: (device) => this.first.get(device) },
      },
    }));
  }

  /** As the service looks: often, while the machine is awake. */
  pass(ms: number): void {
    for (const until = this.now + ms; this.now < until;) {
      this.now = Math.min(until, this.now + SETTLE_MS);
      this.absence.look();
    }
  }

  get absent(): readonly DeviceId[] {
    return [...this.absence.since.keys()];
  }
}

describe('L7 the marks of what is held', () => {
  it('L7 L6 go with the copy that they were of: in another one arrivals are counted anew', () => {
    const bench = new Bench();
    bench.absence.look();
    bench.pass(30 * DAY_MS);
    // In the copy before the tenth had come thirty days ago.
    forgetHeld(bench.local, bench.id);
    bench.arrivals = 3;
    bench.first.set(CAROL, 2);
    bench.pass(DAY_MS);
    assert.deepEqual(bench.absent, []);
    bench.pass(21 * DAY_MS);
    assert.deepEqual(bench.absent, [CAROL]);
  });

  it('L7 after as many days as the setting says, and not a day sooner', () => {
    const bench = new Bench();
    bench.absence.look();
    bench.first.set(CAROL, 10);
    bench.pass(20 * DAY_MS);
    assert.deepEqual(bench.absent, []);
    bench.pass(DAY_MS);
    assert.deepEqual(bench.absent, [CAROL]);
    assert.equal(bench.now - bench.absence.since.get(CAROL)!, 21 * DAY_MS);
    bench.days = 30;
    bench.absence.look();
    assert.deepEqual(bench.absent, []);
    bench.days = 7;
    bench.absence.look();
    assert.deepEqual(bench.absent, [CAROL]);
    bench.first.delete(CAROL);
    bench.absence.look();
    assert.deepEqual(bench.absent, [], 'it has acknowledged');
  });

  it('L7 what came later is counted from when it came; what nobody waits for needs no mark', () => {
    const bench = new Bench();
    bench.first.set(CAROL, 3);
    bench.absence.look();
    bench.pass(10 * DAY_MS);
    bench.first.set(BOB, 11);
    bench.arrivals = 15;
    bench.pass(DAY_MS);
    bench.pass(11 * DAY_MS);
    assert.deepEqual(bench.absent, [CAROL]);
    bench.pass(11 * DAY_MS);
    assert.deepEqual(bench.absent.sort(), [BOB, CAROL]);
    const kept = () => (bench.local.get(`held/${'11'.repeat(32)}/marks`) as unknown[]).length;
    assert.equal(kept(), 2);
    bench.first.clear();
    for (let day = 0; day < 500; day++) {
      bench.arrivals++;
      bench.pass(DAY_MS);
      assert.ok(kept() <= 2);
    }
    bench.first.set(CAROL, bench.arrivals + 1);
    for (let day = 0; day < 500; day++) {
      bench.arrivals++;
      bench.pass(DAY_MS);
    }
    assert.equal(kept(), 400, 'a year and a month of them');
    assert.deepEqual(bench.absent, [CAROL]);
  }).timeout(20_000);

  it('L7 kept over a restart; who was away himself, or asleep, hears the others first', () => {
    const bench = new Bench();
    bench.first.set(CAROL, 10);
    bench.absence.look();
    bench.now += 30 * DAY_MS;
    bench.open().look();
    assert.deepEqual(bench.absent, []);
    bench.pass(SETTLE_MS);
    assert.deepEqual(bench.absent, [CAROL]);
    // The lid was closed.
    bench.now += 2 * DAY_MS;
    bench.absence.look();
    assert.deepEqual(bench.absent, []);
    bench.pass(SETTLE_MS);
    assert.deepEqual(bench.absent, [CAROL]);
  });

  it('L7 a clock that was ahead for a while calls nobody absent', () => {
    const bench = new Bench();
    bench.first.set(CAROL, 10);
    bench.now += 400 * DAY_MS;
    bench.open().look();
    bench.now -= 400 * DAY_MS;
    bench.pass(SETTLE_MS);
    bench.pass(20 * DAY_MS);
    assert.deepEqual(bench.absent, []);
    bench.pass(2 * DAY_MS);
    assert.deepEqual(bench.absent, [CAROL]);
  });

  it('L7 a person is told of each once, and again when it was back in between', () => {
    const { absence, local } = new Bench();
    assert.deepEqual(absence.takeUntold([]), []);
    assert.deepEqual(absence.takeUntold([CAROL]), [CAROL]);
    assert.deepEqual(absence.takeUntold([BOB, CAROL]), [BOB]);
    assert.deepEqual(absence.takeUntold([BOB]), []);
    assert.deepEqual(absence.takeUntold([BOB, CAROL]), [CAROL]);
    assert.ok(local.takeUnsaved().length > 0);
  });

  it('L7 what is kept and cannot be read is not believed', () => {
    for (const value of [7, [[1]], [[1, 2, 3]], [['x', 1]], 'marks']) {
      const bench = new Bench();
      bench.local.put(`held/${'11'.repeat(32)}/marks`, value);
      bench.first.set(CAROL, 1);
      bench.open();
      bench.pass(2 * SETTLE_MS);
      assert.deepEqual(bench.absent, []);
    }
  });
});
