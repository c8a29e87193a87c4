/** A clock that its person sets back, or that was ahead when the machine began: nothing waits till it has come to where it was. */
import assert from 'node:assert/strict';
import { ACK_EVERY_MS, ACK_IDLE_MS } from '../../src/sync/duties.ts';
import { Requests } from '../../src/sync/requests.ts';
import type { DeltaId, DeviceId } from '../../src/base/ids.ts';
import { threePeople } from './office.ts';
import { stateOf, Team } from './team.ts';
import { Wire, type Station } from './wire.ts';

const BACK_MS = 3_600_000;

function two(seed: string): { wire: Wire; alice: Station; bob: Station } {
  const team = new Team(seed);
  const [alice, bob] = [team.founder, team.join('Bob')];
  for (let times = 0; times < 2; times++) bob.meet(alice);
  const wire = new Wire(seed);
  return { wire, alice: wire.add(alice), bob: wire.add(bob) };
}

/** Whoever is woken meanwhile, be it by something else, looks again. */
function setBack(wire: Wire, ...stations: readonly Station[]): void {
  wire.now -= BACK_MS;
  for (const station of stations) wire.dispatch(station, station.session.tick(wire.now));
  wire.pump();
}

describe('A clock that is set back', () => {
  it('S4 what a relay did not take goes to it as soon as it is looked at again', () => {
    const { wire, alice, bob } = two('back, by relay');
    wire.relayUp = false;
    alice.copy.post('by relay');
    alice.grown();
    wire.pump();
    assert.ok(alice.session.nextWake()! > wire.now);
    wire.relayUp = true;
    setBack(wire, alice);
    assert.deepEqual(stateOf(bob.copy.replica), stateOf(alice.copy.replica));
  });

  it('S3 S4 what a silent path has swallowed goes by relay', () => {
    const { wire, alice, bob } = two('back, silent path');
    wire.link(alice, bob);
    wire.pump();
    wire.loss = 1;
    alice.copy.post('swallowed');
    alice.grown();
    wire.pump();
    setBack(wire, alice);
    assert.equal(wire.sent('deltas', 'relay'), 1);
  });

  it('D5 what is lacking is asked for again', () => {
    const requests = new Requests();
    const ids = ['ab' as DeltaId];
    const bob = 'b' as DeviceId;
    assert.ok(requests.fetches(bob, ids, BACK_MS));
    assert.ok(!requests.fetches(bob, ids, BACK_MS + 1));
    assert.ok(requests.fetches(bob, ids, 1));
    assert.ok(!requests.fetches(bob, ids, 2));
  });

  it('L4 what has come is acknowledged after as long as ever', () => {
    const { office, alice, bob, carol } = threePeople('back, acknowledgement');
    office.link(alice, bob, carol);
    office.rest();
    for (let times = 0; times < 2; times++) {
      bob.post('to be acknowledged');
      office.pump();
      office.now -= BACK_MS;
      assert.deepEqual(alice.engine.duties(office.now), []);
      office.now += ACK_EVERY_MS + ACK_IDLE_MS;
      assert.deepEqual(
        alice.engine.duties(office.now).map(({ kind }) => kind),
        ['ack'],
      );
    }
  });
});
