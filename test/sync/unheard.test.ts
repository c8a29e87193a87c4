/** I4: who was let in by somebody whom the others have not heard since, and may never hear again: world “noon.28”. */
import assert from 'node:assert/strict';
import { controlBody, Role } from '../../src/sync/control.ts';
import type { EpochTag } from '../../src/sync/epoch.ts';
import { Desk, threePeople, type Office } from './office.ts';

/** Bob lets Dave in while he is alone, gives him a copy, and is never seen again. */
function letInByBob(seed: string): { office: Office; alice: Desk; bob: Desk; carol: Desk; dave: Desk } {
  const three = threePeople(seed);
  const { office, alice, bob, carol } = three;
  office.link(alice, bob, carol);
  office.rest();
  for (const away of [alice, carol]) office.leave(away);
  const dave = admit(office, bob);
  office.link(bob, dave);
  office.rest();
  office.leave(bob);
  for (const away of [alice, carol]) {
    // What Bob has left for them at the relay went with it.
    office.expire(away);
    office.comeBack(away);
  }
  return { ...three, dave };
}

function admit(office: Office, by: Desk): Desk {
  const person = office.team.person('Dave');
  const box = by.engine.keys.box([{ device: person.device, agreementKey: person.certificate.agreementKey }])!;
  by.control(
    'admit',
    controlBody.admit(person.account, Role.participant, person.name, [person.certificate], undefined, box),
  );
  const word = [...by.engine.replica.nodes()].findLast(({ delta }) => delta.kind === 'admit')!;
  const desk = new Desk(office, person);
  const { key, ...epoch } = by.engine.keys.epoch!;
  desk.engine.keys.add({ ...epoch, key: key.slice() });
  desk.engine.sponsored(by.device, [word.delta.id]);
  office.desks.set(desk.device, desk);
  return desk;
}

describe('A device that nobody has told of', () => {
  it('I4 is heard by who shares the key in use with it: the word that lets it in comes of itself', () => {
    const { office, alice, carol, dave } = letInByBob('unheard');
    assert.equal(alice.engine.replica.roster.devices.has(dave.device), false);
    dave.post('is anybody there?');
    office.link(alice, dave);
    office.rest();
    assert.ok(alice.engine.replica.roster.devices.has(dave.device));
    assert.deepEqual(alice.texts(), ['is anybody there?']);
    alice.post('yes');
    office.link(alice, carol, dave);
    office.rest();
    for (const desk of [carol, dave]) assert.deepEqual(desk.texts(), ['is anybody there?', 'yes']);
  });

  it('K2 I4 is not heard under a key that somebody has who is out', () => {
    const { alice, carol, dave } = letInByBob('unheard and out');
    const have = { kind: 'have', vector: [], answer: true, root: '' } as const;
    const old = alice.engine.keys.inUse as EpochTag;
    assert.ok(alice.engine.listensTo(dave.device, have, old));
    alice.remove(carol);
    assert.notEqual(alice.engine.keys.inUse, old);
    assert.equal(alice.engine.listensTo(dave.device, have, old), false);
    assert.ok(alice.engine.listensTo(dave.device, have, alice.engine.keys.inUse as EpochTag));
  });

  it('I4 is asked for deltas, and for nothing else; and only for what is lacking', () => {
    const { office, alice, dave } = letInByBob('unheard asks');
    const inUse = alice.engine.keys.inUse as EpochTag;
    for (const message of [
      { kind: 'needKey', epoch: inUse },
      { kind: 'fetch', ids: [] },
      { kind: 'want', chunks: [] },
    ] as const)
      assert.equal(alice.engine.listensTo(dave.device, message, inUse), false, message.kind);
    const known = { kind: 'have', vector: [], answer: true, root: '' } as const;
    assert.deepEqual(alice.engine.received(dave.device, 'direct', known, inUse, office.now), []);
  });
});
