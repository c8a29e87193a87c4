/** What a device says that was stolen, and that its person has taken out (K2, A7): nothing for him, to whoever knows that. */
import assert from 'node:assert/strict';
import type { DeltaId } from '../../src/base/ids.ts';
import type { Delta } from '../../src/sync/delta.ts';
import { controlBody } from '../../src/sync/control.ts';
import { type Desk, Office } from './office.ts';
import { Person } from './team.ts';

/** Bob's second device, which he takes out where it is `isOut`, and which says that he leaves, upon what nobody has. */
function stolen(seed: string, isOut: boolean): { office: Office; alice: Desk; bob: Desk; leave: Delta } {
  const office = new Office(seed);
  const { team } = office;
  const person = team.person('Bob');
  team.founder.admit(person);
  const alice = office.open(team.alice);
  const bob = office.open(person);
  office.link(alice, bob);
  const { credential } = bob.engine.replica.roster.members.get(person.account)!;
  const thief = new Person(team.crypto, 'Thief', person);
  const box = bob.engine.keys.box([{ device: thief.device, agreementKey: thief.certificate.agreementKey }])!;
  bob.control('addDevice', controlBody.addDevice(person.account, [thief.certificate], box));
  office.rest();
  const without = () => bob.engine.keys.make(new Set([thief.device]));
  if (isOut) bob.control('removeDevice', controlBody.devices([thief.device], without()));
  office.rest();
  const deps = ['ab'.repeat(32) as DeltaId];
  const leave = team.forge(thief, {
    generation: 7,
    seq: 1,
    deps,
    credential,
    tool: undefined,
    kind: 'leave',
    body: [],
  });
  return { office, alice, bob, leave };
}

/** However often those who have not what it rests on are asked for that. */
function isAskedInVain(office: Office, alice: Desk): void {
  for (let times = 0; times < 8; times++) {
    office.now += 5_000 * 2 ** times + 1_000;
    alice.post(`word ${times}`);
    office.pump();
  }
}

describe('A leave that rests on what nobody has', () => {
  it('K2 A7 of a device that its person has taken out is believed by none of his others', () => {
    const { office, alice, bob, leave } = stolen('stolen', true);
    bob.hear({ device: leave.device } as Desk, leave);
    assert.ok(bob.engine.replica.isWaiting(leave.id));
    isAskedInVain(office, alice);
    assert.equal(bob.engine.expulsion, undefined);
  });

  it('K2 nor where the device itself tells it, or another of his', () => {
    const { bob, leave } = stolen('stolen, told', true);
    for (const from of [leave.device, 'c'.repeat(64) as Delta['device']])
      assert.equal(bob.engine.hearOut(leave.bytes, from), false);
    assert.equal(bob.engine.expulsion, undefined);
  });

  it('K2 A7 of one that is in is believed: it is he', () => {
    const heard = stolen('not stolen', false);
    heard.bob.hear({ device: heard.leave.device } as Desk, heard.leave);
    isAskedInVain(heard.office, heard.alice);
    assert.equal(heard.bob.engine.expulsion?.delta.id, heard.leave.id);
    const told = stolen('not stolen, told', false);
    assert.ok(told.bob.engine.hearOut(told.leave.bytes, told.leave.device));
    assert.equal(told.bob.engine.expulsion?.delta.id, told.leave.id);
  });
});
