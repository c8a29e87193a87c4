/**
 * I4, L6: who was let in by two who did not know of each other, one of them out by then. He has begun his feed upon the word of that one, which
 * those who know him by the other need not take, and cannot once they have folded on: worlds “ivy.1912”, “ivy.2350” and “ivy.6286”.
 */
import assert from 'node:assert/strict';
import { LOOK_EVERY_MS, LOOKS } from '../../src/sync/apart.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import type { Delta } from '../../src/sync/delta.ts';
import { Desk, Office, threePeople } from './office.ts';
import { stateOf, type Person } from './team.ts';

function admit(by: Desk, person: Person): void {
  const box = by.engine.keys.box([{ device: person.device, agreementKey: person.certificate.agreementKey }])!;
  by.control(
    'admit',
    controlBody.admit(person.account, Role.participant, person.name, [person.certificate], undefined, box),
  );
}

const deltasOf = ({ engine }: Desk): readonly Delta[] => [...engine.replica.nodes()].map(({ delta }) => delta);

/** Alice drops Bob, and lets Dave in; Bob has not heard it when he does, and Dave has begun by Bob's word, where he writes. Answers what Alice has said, whole. */
function letInTwice(seed: string, writes = true) {
  const office = new Office(seed);
  const [bobby, david] = [office.team.person('Bob'), office.team.person('Dave')];
  office.team.founder.admit(bobby);
  const [alice, bob] = [office.open(office.team.alice), office.open(bobby)];
  office.link(alice, bob);
  bob.post('before');
  office.rest();
  // Bob's word names this, and nobody else need.
  alice.post('the last that Bob hears');
  office.pump();
  office.leave(alice);
  admit(bob, david);
  const dave = office.open(david, bob);
  office.link(bob, dave);
  if (writes) dave.post('upon the word of Bob');
  office.pump();
  for (const desk of [bob, dave]) office.leave(desk);
  for (const desk of [alice, bob, dave]) office.expire(desk);
  office.arrive(alice);
  alice.control('drop', controlBody.devices([bob.device], alice.engine.keys.make(new Set([bob.device]))));
  const said = deltasOf(alice);
  return { office, alice, bob, dave, said };
}

/** Alice lets Dave in, too, and folds on, as if he were to begin by her word. */
function foldedOn(seed: string, writes = true) {
  const { office, alice, bob, dave, said } = letInTwice(seed, writes);
  admit(alice, dave.person);
  const all = [...said, deltasOf(alice).at(-1)!];
  office.rest();
  alice.post('and on');
  office.rest();
  office.expire(dave);
  office.arrive(dave);
  return { office, alice, bob, dave, said: all };
}

/** As long as two say again and again what they hold before they know that they do not come together. */
function comeApart(office: Office): void {
  const end = office.now + (LOOKS + 1) * LOOK_EVERY_MS;
  while (office.now < end) office.rest();
}

const outOfStep = (...desks: readonly Desk[]) => desks.map(({ engine }) => engine.isOutOfStep);

describe('I4 L6 who was let in twice, and has begun upon the word of who was out', () => {
  it('L6 A4 is out of step himself, and not who has folded without him (worlds “ivy.2350”, “ivy.6286”)', () => {
    const { office, alice, dave } = foldedOn('two entrances');
    office.link(alice, dave);
    comeApart(office);
    assert.deepEqual(outOfStep(alice, dave), [false, true]);
  });

  it('L6 I4 A4 begins upon the other word alone where he has both by then, and is in step (world “pear.2235”)', () => {
    const { office, alice, bob, dave, said } = foldedOn('two entrances, upon both', false);
    for (const delta of said) dave.hear(bob, delta);
    dave.post('upon the word of Alice');
    const first = deltasOf(dave).at(-1)!;
    assert.deepEqual([first.seq, first.deps], [1, [said.at(-1)!.id]]);
    office.link(alice, dave);
    office.rest();
    assert.deepEqual(outOfStep(alice, dave), [false, false]);
    assert.deepEqual(stateOf(dave.engine.replica), stateOf(alice.engine.replica));
  });

  it('L6 I4 is out of step where his store has begun upon both', () => {
    const { office, alice, bob, dave, said } = foldedOn('two entrances, begun upon both', false);
    const [his, hers] = [deltasOf(bob).at(-1)!, said.at(-1)!];
    const deps = [his.id, hers.id].sort();
    const first = office.team.forge(dave.person, { seq: 1, deps, credential: hers.id, body: ['upon both'] });
    const again = new Desk(office, dave.person);
    office.desks.set(dave.device, again);
    again.engine.keys.add({ ...alice.engine.keys.epoch!, key: alice.engine.keys.epoch!.key.slice() });
    again.engine.restoreBase(dave.parts, undefined);
    for (const { bytes } of [...deltasOf(dave), ...said, first]) again.engine.restore(bytes);
    again.engine.opened();
    assert.ok(again.engine.replica.node(first.id));
    office.arrive(again);
    office.link(alice, again);
    comeApart(office);
    assert.deepEqual(outOfStep(alice, again), [false, true]);
  });

  it('L6 I4 is so, though he has all words, and begins anew (world “ivy.1912”)', () => {
    const { office, alice, bob, dave, said } = foldedOn('two entrances, heard');
    for (const delta of said) dave.hear(bob, delta);
    office.link(alice, dave);
    comeApart(office);
    assert.deepEqual(outOfStep(alice, dave), [false, true]);
    office.send(dave, dave.engine.renewFrom({ from: alice.device, generation: 1 }));
    office.pump();
    office.rest();
    assert.deepEqual(outOfStep(alice, dave), [false, false]);
    dave.post('upon the word of Alice');
    office.rest();
    assert.deepEqual(alice.texts(), ['and on', 'before', 'the last that Bob hears', 'upon the word of Alice']);
    assert.deepEqual(stateOf(dave.engine.replica), stateOf(alice.engine.replica));
  });

  it('L6 D5 is taken where nothing was folded: the word of who was out comes in for what he has written', () => {
    const { office, alice, dave } = letInTwice('two entrances, not folded');
    admit(alice, dave.person);
    office.expire(dave);
    office.arrive(dave);
    office.link(alice, dave);
    office.rest();
    dave.post('and on');
    office.rest();
    assert.deepEqual(outOfStep(alice, dave), [false, false]);
    assert.deepEqual(alice.texts(), ['and on', 'before', 'the last that Bob hears']);
    assert.deepEqual(stateOf(dave.engine.replica), stateOf(alice.engine.replica));
  });

  it('L6 A4 leaves him in step who has let him in so, and has begun anew with a base in which he was out (world “ivy.1912”)', () => {
    const { office, alice, bob, dave, said } = foldedOn('two entrances, back again');
    for (const delta of said) dave.hear(bob, delta);
    const { device, person } = bob;
    const box = alice.engine.keys.box([{ device, agreementKey: person.certificate.agreementKey }])!;
    alice.control('addDevice', controlBody.addDevice(person.account, [person.certificate], box));
    const word = deltasOf(alice).at(-1)!;
    const again = new Desk(office, person);
    office.desks.set(device, again);
    again.engine.keys.add({ ...alice.engine.keys.epoch!, key: alice.engine.keys.epoch!.key.slice() });
    again.engine.beginFeed(1);
    again.engine.sponsored([alice], [word]);
    office.arrive(again);
    office.link(alice, again);
    assert.ok(again.engine.replica.base.isThere);
    // What waits for its past is fetched.
    for (let round = 0; round < 2; round++) for (const delta of deltasOf(dave)) again.hear(dave, delta);
    assert.deepEqual([again.engine.isOutOfStep, again.texts()], [false, alice.texts()]);
  });
});

describe('L4 A4 a copy that has folded beside what is beyond the end of a feed', () => {
  it('L4 D8 is out of step all the same where somebody has taken that who counts', () => {
    const { office, alice, bob, carol } = threePeople('beyond, and taken');
    office.link(alice, bob, carol);
    for (const desk of [alice, bob, carol]) desk.post(`words of ${desk.person.name}`);
    office.rest();
    alice.post('the last that Bob hears');
    const named = deltasOf(alice).at(-1)!;
    office.pump();
    for (const desk of [alice, carol]) office.leave(desk);
    bob.post('beyond');
    const beyond = deltasOf(bob).at(-1)!;
    office.leave(bob);
    for (const desk of [alice, carol]) {
      office.expire(desk);
      office.arrive(desk);
    }
    office.link(alice, carol);
    assert.deepEqual(beyond.deps, [named.id]);
    alice.control('drop', controlBody.devices([bob.device], alice.engine.keys.make(new Set([bob.device]))));
    office.rest();
    for (const desk of [alice, carol]) desk.post('and on');
    office.rest();
    assert.equal(alice.engine.replica.node(named.id), undefined, 'it is forgotten');
    const { credential } = alice.engine.replica.roster.members.get(carol.person.account)!;
    const { feed, seq, id: prev } = deltasOf(alice).findLast(({ device }) => device === carol.device)!;
    const upon = office.team.forge(carol.person, { seq: seq + 1, prev, deps: [beyond.id], credential });
    assert.equal(upon.feed, feed);
    const heard = (...deltas: readonly Delta[]) => {
      for (const delta of deltas) alice.hear(carol, delta);
      return alice.engine.isOutOfStep;
    };
    assert.equal(heard(beyond, named), false, 'nobody has taken it');
    assert.equal(heard(upon, beyond, named), true);
  });
});
