/** K2: who is out, and was away since before all that the word rests on was folded, hears it alone, with that by which its author stands above him. */
import assert from 'node:assert/strict';
import type { DeltaId } from '../../src/base/ids.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import type { Delta } from '../../src/sync/delta.ts';
import { Office, threePeople, type Desk } from './office.ts';
import { Person } from './team.ts';

const outBy = ({ engine }: Desk) => engine.expulsion?.delta.kind;

function setRole(by: Desk, { person }: Desk, role: Role): void {
  by.control('setRole', controlBody.setRole(person.account, role));
}

/** By devices alone: `kind` removeDevice or drop. */
function takeOut(by: Desk, { device }: Desk, kind: 'removeDevice' | 'drop'): void {
  by.control(kind, controlBody.devices([device], by.engine.keys.make(new Set([device]))));
}

function freeze(by: Desk, { device }: Desk): void {
  by.control('freeze', controlBody.freeze(device, new Map(), by.engine.keys.make(new Set([device]))));
}

/** Until all that was said is folded, or acknowledged and in no log that is served. */
function fold(office: Office, ...desks: readonly Desk[]): void {
  for (const desk of desks) desk.post('that is folded');
  office.rest();
  for (const desk of desks) desk.post('and more');
  office.rest();
}

function lastOf({ engine }: Desk, kind: string): Delta {
  return [...engine.replica.nodes()].findLast(({ delta }) => delta.kind === kind)!.delta;
}

function meet(office: Office, carol: Desk, ...others: readonly Desk[]): void {
  office.expire(carol);
  office.comeBack(carol);
  office.link(...others, carol);
}

/** A founder with two devices, or beside her another manager, Bob who is one after them, and Carol. */
function withTwoDevices(seed: string, isOthers = false) {
  const office = new Office(seed);
  const [bobby, carla] = [office.team.person('Bob'), office.team.person('Carol')];
  for (const person of [bobby, carla]) office.team.founder.admit(person);
  const [laptop, bob, carol] = [office.team.alice, bobby, carla].map((person) => office.open(person)) as [
    Desk,
    Desk,
    Desk,
  ];
  const second = isOthers ? office.team.person('Dave') : new Person(office.team.crypto, 'Alice', office.team.alice);
  const tablet = office.open(second, laptop);
  if (isOthers) laptop.admit(second, Role.manager);
  else letIn(laptop, tablet);
  setRole(laptop, bob, Role.manager);
  office.link(laptop, tablet, bob, carol);
  office.rest();
  return { office, laptop, tablet, bob, carol };
}

function letIn(by: Desk, { device, person: { account, certificate } }: Desk): void {
  const box = by.engine.keys.box([{ device, agreementKey: certificate.agreementKey }])!;
  by.control('addDevice', controlBody.addDevice(account, [certificate], box));
}

describe('K2 A1 a word that comes alone, as what it rests on is folded', () => {
  it('K2 A1 is believed of who was made a manager by what is folded, too', () => {
    const { office, alice, bob, carol } = threePeople('promoted and folded');
    office.link(alice, bob, carol);
    office.rest();
    office.leave(carol);
    alice.post('that what follows rests on');
    setRole(alice, bob, Role.manager);
    office.rest();
    bob.remove(carol);
    fold(office, alice, bob);
    carol.hear(alice, lastOf(bob, 'remove'));
    assert.equal(outBy(carol), undefined, 'she has not heard that he is one');
    office.leave(alice);
    meet(office, carol, bob);
    assert.equal(outBy(carol), 'remove');
    assert.ok(!carol.texts().includes('and more'));
  });

  it('K2 A5 is believed of who was allowed to remove others by what is folded', () => {
    const { office, alice, bob, carol } = threePeople('allowed and folded');
    office.link(alice, bob, carol);
    office.rest();
    office.leave(carol);
    alice.post('that what follows rests on');
    alice.control('setPerm', controlBody.setPerm('workspace', 'uninvite', Role.participant, true));
    office.rest();
    bob.remove(carol);
    fold(office, alice, bob);
    carol.hear(alice, lastOf(bob, 'remove'));
    assert.equal(outBy(carol), undefined, 'she has not heard that he may');
    office.leave(alice);
    meet(office, carol, bob);
    assert.equal(outBy(carol), 'remove');
  });

  it('K2 A4 is believed of who is junior, where a senior has given its target a lower role meanwhile (world “rough-ee.2972”)', () => {
    const { office, alice, bob, carol } = threePeople('demoted and folded');
    office.link(alice, bob, carol);
    for (const desk of [carol, bob]) {
      setRole(alice, desk, Role.manager);
      office.rest();
    }
    office.leave(carol);
    alice.post('that what follows rests on');
    setRole(alice, carol, Role.participant);
    office.rest();
    bob.remove(carol);
    fold(office, alice, bob);
    office.leave(alice);
    meet(office, carol, bob);
    assert.equal(outBy(carol), 'remove');
  });

  it('K2 A7 is believed of who was junior, where its person has left meanwhile, and is in again as less (world “rough-ss.2218”)', () => {
    const { office, laptop, tablet, bob, carol } = withTwoDevices('left and folded');
    office.leave(tablet);
    carol.post('that what follows rests on');
    office.rest();
    laptop.control('leave', controlBody.leave());
    office.rest();
    office.leave(laptop);
    bob.admit(tablet.person);
    for (const desk of [laptop, tablet]) takeOut(bob, desk, 'removeDevice');
    fold(office, bob, carol);
    office.leave(carol);
    assert.ok(!bob.engine.replica.feeds.reaches(tablet.engine.replica.vector()));
    meet(office, tablet, bob);
    assert.equal(outBy(tablet), 'removeDevice');
    assert.ok(!tablet.texts().includes('and more'));
  });

  /** Carol alone hears that the laptop has taken Bob down, or out; he takes her out meanwhile, and knows no more than the tablet. */
  function takenDownUnheard(seed: string, attempt: 'setRole' | 'drop') {
    const people = withTwoDevices(seed);
    const { office, laptop, tablet, bob, carol } = people;
    for (const desk of [laptop, tablet, bob, carol]) office.leave(desk);
    if (attempt === 'setRole') setRole(laptop, bob, Role.participant);
    else takeOut(laptop, bob, 'drop');
    for (const desk of [laptop, carol]) office.arrive(desk);
    office.link(laptop, carol);
    carol.post('that has heard it');
    for (const desk of [laptop, carol]) office.leave(desk);
    for (const desk of [tablet, bob]) {
      office.expire(desk);
      office.arrive(desk);
    }
    office.link(tablet, bob);
    if (attempt === 'setRole') freeze(bob, carol);
    else bob.remove(carol);
    office.pump();
    assert.equal(outBy(carol), undefined);
    return people;
  }

  for (const attempt of ['setRole', 'drop'] as const) {
    const by = attempt === 'setRole' ? 'freeze' : 'remove';
    for (const isFolded of [true, false])
      it(`K2 A4 is believed of whom a device has taken down or out that was out by then (${attempt}${isFolded ? '' : ', and all comes with it'}, world “rough-hh.2542”)`, () => {
        const { office, laptop, tablet, bob, carol } = takenDownUnheard(`cut ${attempt} ${String(isFolded)}`, attempt);
        tablet.post('not for her');
        takeOut(tablet, laptop, 'drop');
        if (isFolded) fold(office, tablet, bob);
        else office.pump();
        meet(office, carol, bob, tablet);
        assert.equal(outBy(carol), by);
        assert.ok(!carol.texts().includes('not for her'));
      });

    it(`K2 A4 is believed when that comes, though all that it rests on has come before, and is folded since (${attempt})`, () => {
      const { office, laptop, tablet, bob, carol } = takenDownUnheard(`cut later ${attempt}`, attempt);
      for (const { delta } of bob.engine.replica.nodes()) carol.hear(bob, delta);
      assert.equal(outBy(carol), undefined, 'she holds it for void');
      tablet.post('not for her');
      takeOut(tablet, laptop, 'drop');
      fold(office, tablet, bob);
      assert.ok(!tablet.engine.replica.feeds.reaches(carol.engine.replica.vector()));
      meet(office, carol, bob, tablet);
      assert.equal(outBy(carol), by);
    });
  }

  for (const cut of ['setRole', 'remove'] as const)
    it(`K2 A4 is believed likewise of whom a person has taken down that was taken ${cut === 'remove' ? 'out' : 'down'} by then`, () => {
      const { office, laptop, tablet: dave, bob, carol } = withTwoDevices(`person cut since ${cut}`, true);
      for (const desk of [laptop, bob, dave, carol]) office.leave(desk);
      setRole(dave, bob, Role.participant);
      for (const desk of [dave, carol]) office.arrive(desk);
      office.link(dave, carol);
      for (const desk of [dave, carol]) office.leave(desk);
      for (const desk of [laptop, bob]) {
        office.expire(desk);
        office.arrive(desk);
      }
      office.link(laptop, bob);
      bob.remove(carol);
      office.pump();
      laptop.post('not for her');
      if (cut === 'remove') laptop.remove(dave);
      else setRole(laptop, dave, Role.participant);
      fold(office, laptop, bob);
      meet(office, carol, bob, laptop);
      assert.equal(outBy(carol), 'remove');
    });

  /** What rests on what never comes: by whoever has made it up, or has left out what it rests on. */
  function nowhere(office: Office, by: Desk, kind: string, body: Value): Delta {
    const place = { seq: 1_000, prev: 'ab'.repeat(32) as DeltaId, tool: undefined };
    return office.team.forge(by.person, { ...place, kind, body });
  }

  it('K2 A2 is not believed for a role that somebody has given who may not, or its target itself', () => {
    const { office, alice, bob, carol } = threePeople('demoted by who may not');
    office.link(alice, bob, carol);
    for (const desk of [carol, bob]) {
      setRole(alice, desk, Role.manager);
      office.rest();
    }
    const participant = (by: Desk, { person }: Desk) =>
      nowhere(office, by, 'setRole', controlBody.setRole(person.account, Role.participant));
    for (const by of [bob, carol]) carol.hear(alice, participant(by, carol));
    carol.hear(alice, participant(alice, bob));
    carol.hear(alice, nowhere(office, bob, 'remove', controlBody.remove(carol.person.account, null)));
    assert.equal(outBy(carol), undefined);
    carol.hear(alice, participant(alice, carol));
    assert.equal(outBy(carol), 'remove');
  });

  it('K2 A4 is not believed of whom somebody has taken down, and is taken out then by who may not, or who knew that', () => {
    const { office, laptop, tablet, bob, carol } = withTwoDevices('cut by who may not');
    office.leave(bob);
    setRole(laptop, bob, Role.participant);
    office.rest();
    freezeUnheard(office, bob, carol);
    const out = (by: Desk) =>
      nowhere(office, by, 'drop', controlBody.devices([laptop.device], laptop.engine.keys.make()));
    carol.hear(laptop, out(bob));
    assert.equal(outBy(carol), undefined, 'he may not');
    carol.hear(laptop, out(tablet));
    assert.equal(outBy(carol), undefined, 'what the tablet has written knows that he is no manager any more');
  });

  function freezeUnheard(office: Office, bob: Desk, carol: Desk): void {
    const body = controlBody.freeze(carol.device, new Map(), bob.engine.keys.make(new Set([carol.device])));
    carol.hear(bob, nowhere(office, bob, 'freeze', body));
    assert.equal(outBy(carol), undefined);
  }
});
