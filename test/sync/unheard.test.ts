/** I4: who was let in by somebody whom the others have not heard since, and may never hear again: world “noon.28”. */
import assert from 'node:assert/strict';
import type { DeltaId, DeviceId } from '../../src/base/ids.ts';
import { MAX_TOLD_IN_VAIN } from '../../src/protocol/limits.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { boxEpoch, readEpochNotice, type EpochTag } from '../../src/sync/epoch.ts';
import { markOf } from '../../src/sync/messages.ts';
import { makePerson } from '../sim/people.ts';
import { Desk, threePeople, type Office } from './office.ts';
import { Person, Team } from './team.ts';

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
  const box = boxFor(by, person);
  by.control(
    'admit',
    controlBody.admit(person.account, Role.participant, person.name, [person.certificate], undefined, box),
  );
  return welcome(office, by, person);
}

/** With an empty copy, also where it had another before it was dropped. */
function add(office: Office, by: Desk, person: Person): Desk {
  addDevice(by, person);
  return welcome(office, by, person);
}

function addDevice(by: Desk, person: Person): void {
  by.control('addDevice', controlBody.addDevice(person.account, [person.certificate], boxFor(by, person)));
}

function takeOut(by: Desk, kind: 'removeDevice' | 'drop', { device }: Desk): void {
  by.control(kind, controlBody.devices([device], by.engine.keys.make(new Set([device]))));
}

/**
 * Alice has removed Carol, and has let Dave in, who lets Carol in again while Alice is away. Carol begins anew; `known` are words from before,
 * which name her, and not Dave, and `before` is the key of then.
 */
function letInByDave(seed: string) {
  const { office, alice, bob, carol: removed } = threePeople(seed);
  const before = office.team.epoch.tag;
  office.link(alice, bob, removed);
  const known = [...alice.engine.replica.nodes()].map(({ delta }) => delta);
  office.leave(bob);
  alice.remove(removed);
  office.pump();
  const dave = admit(office, alice);
  office.link(alice, dave);
  office.rest();
  for (const away of [alice, removed]) office.leave(away);
  const { account, name, certificate } = removed.person;
  const body = controlBody.admit(
    account,
    Role.participant,
    name,
    [certificate],
    undefined,
    boxFor(dave, removed.person),
  );
  dave.control('admit', body);
  return { office, alice, dave, carol: welcome(office, dave, removed.person), known, before };
}

function boxFor(by: Desk, { device, certificate }: Person) {
  return by.engine.keys.box([{ device, agreementKey: certificate.agreementKey }])!;
}

/** With the key, and the last word that it has said. */
function welcome(office: Office, by: Desk, person: Person): Desk {
  const desk = new Desk(office, person);
  const { key, ...epoch } = by.engine.keys.epoch!;
  desk.engine.keys.add({ ...epoch, key: key.slice() });
  desk.engine.sponsored([by], [[...by.engine.replica.nodes()].at(-1)!.delta]);
  office.desks.set(desk.device, desk);
  office.arrive(desk);
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
    const have = { kind: 'have', vector: [], answer: true, root: '', needsCopy: false } as const;
    const old = alice.engine.keys.inUse as EpochTag;
    assert.ok(alice.engine.listensTo(dave.device, have, old));
    alice.remove(carol);
    assert.notEqual(alice.engine.keys.inUse, old);
    assert.equal(alice.engine.listensTo(dave.device, have, old), false);
    assert.ok(alice.engine.listensTo(dave.device, have, alice.engine.keys.inUse as EpochTag));
  });

  it('I4 K1 speaks under the key in use to who has made it, also where it holds an older one (world “gum.1759”)', () => {
    const { office, alice, bob, carol } = threePeople('unheard under an older key');
    office.link(alice, bob, carol);
    office.rest();
    office.leave(bob);
    alice.remove(carol);
    office.rest();
    for (const away of [alice, carol]) office.leave(away);
    // He has not heard of it yet, so he lets Dave in under the older one.
    const dave = admit(office, bob);
    office.link(bob, dave);
    office.rest();
    office.comeBack(bob);
    office.rest();
    assert.equal(dave.engine.keys.inUse, alice.engine.keys.inUse);
    office.leave(bob);
    office.expire(alice);
    office.comeBack(alice);
    dave.post('is anybody there?');
    office.link(alice, dave);
    office.rest();
    assert.deepEqual(alice.texts(), ['is anybody there?']);
  });

  it('I4 is heard by who lacks the word that let himself in, under the key that came with it (world “ash.2782”)', () => {
    const { office, alice, bob, carol } = threePeople('unheard by who is new');
    office.link(alice, bob, carol);
    alice.remove(carol);
    office.pump();
    const dave = admit(office, alice);
    office.leave(dave);
    bob.post('welcome');
    office.pump();
    // Of his copy the beginning has come, from when nobody but she was in it; and she is never seen again.
    const [genesis] = alice.engine.replica.nodes();
    dave.hear(alice, genesis!.delta);
    office.leave(alice);
    office.expire(dave);
    office.comeBack(dave);
    const [have, needKey] = [
      { kind: 'have', vector: [], answer: false, root: '', needsCopy: false } as const,
      { kind: 'needKey', epoch: bob.engine.keys.inUse! } as const,
    ];
    const [given, other] = [bob.engine.keys.inUse, office.team.epoch.tag] as const;
    assert.ok(dave.engine.listensTo(bob.device, have, given!));
    assert.equal(dave.engine.listensTo(bob.device, have, other), false);
    assert.equal(dave.engine.listensTo(bob.device, needKey, given!), false);
    office.link(bob, dave);
    office.rest();
    assert.equal(dave.engine.isAwaitingWord, false);
    assert.deepEqual(dave.texts(), ['welcome']);
    // He knows enough now to say what is in use, whatever else he is given.
    dave.engine.keys.add({ ...office.team.epoch, key: office.team.epoch.key.slice() });
    assert.equal(dave.engine.listensTo('f'.repeat(64) as DeviceId, have, other), false);
    bob.control('epoch', controlBody.epoch(bob.engine.keys.make()));
    office.pump();
    assert.notEqual(dave.engine.keys.inUse, given);
    assert.equal(dave.engine.listensTo('f'.repeat(64) as DeviceId, have, given!), false);
  });

  it('I4 K4 is answered under that key, though the words that are here have another in a box (world “ash.2782”)', () => {
    const { office, alice, bob, carol } = threePeople('unheard by who is back');
    const before = office.team.epoch.tag;
    office.link(alice, bob, carol);
    office.leave(carol);
    const known = [...alice.engine.replica.nodes()];
    alice.control('drop', controlBody.devices([carol.device], alice.engine.keys.make(new Set([carol.device]))));
    const drop = [...alice.engine.replica.nodes()].at(-1)!;
    const dave = admit(office, alice);
    office.link(alice, dave);
    const back = add(office, alice, carol.person);
    for (const away of [alice, bob]) office.leave(away);
    const have = { kind: 'have', vector: [], answer: false, root: '', needsCopy: false } as const;
    for (const { delta } of known) back.hear(alice, delta);
    assert.equal(back.engine.keys.inUse, before);
    office.link(dave, back);
    assert.equal(back.engine.isAwaitingWord, false);
    // Who knows that another has followed does not listen under that which it has in a box.
    const again = add(office, alice, carol.person);
    for (const { delta } of [...known, drop]) again.hear(alice, delta);
    assert.ok(again.engine.isAwaitingWord);
    assert.ok(again.engine.listensTo(dave.device, have, alice.engine.keys.inUse!));
    assert.equal(again.engine.listensTo(dave.device, have, before), false);
  });

  it('I4 K1 is heard under a key that a member has given to who lacks the word of it (world “rough-ss.3544”)', () => {
    const { office, alice, bob, carol } = threePeople('unheard under a key that was asked for');
    office.link(alice, bob, carol);
    office.rest();
    office.leave(carol);
    // She is in again before she has heard that she was out, and is spoken to under the key that she was let in with.
    takeOut(alice, 'drop', carol);
    addDevice(alice, carol.person);
    const dave = admit(office, alice);
    office.link(alice, dave);
    dave.post('welcome');
    office.rest();
    for (const away of [alice, bob]) office.leave(away);
    office.expire(carol);
    office.arrive(carol);
    office.link(dave, carol);
    office.leave(dave);
    assert.deepEqual(carol.texts(), []);
    // Alice says what she holds, is asked for her key, and has nothing more to give.
    const { replica, keys } = alice.engine;
    const vector = [...replica.vector()].map(([feed, seq]) => markOf(feed, seq, replica.nodeAt(feed, seq)!.delta.id));
    const have = { kind: 'have', vector, answer: false, root: '', needsCopy: false } as const;
    carol.engine.received(alice.device, 'direct', have, keys.inUse!, office.now);
    carol.engine.takeKey({ kind: 'key', notice: readEpochNotice(keys.boxTo(keys.inUse!, carol.device))! });
    office.rest();
    const fetch = { kind: 'fetch', ids: [] } as const;
    assert.equal(carol.engine.listensTo(dave.device, fetch, keys.inUse!), false);
    office.arrive(dave);
    office.link(dave, carol);
    office.rest();
    assert.ok(carol.engine.replica.roster.devices.has(dave.device));
    assert.deepEqual(carol.texts(), ['welcome']);
  });

  it('I4 K1 is told under the key that it has given by whom it let in, though what is here has another in a box (world “ash.12873”)', () => {
    const { dave, carol, known, before } = letInByDave('unheard by whom it let in');
    const given = dave.engine.keys.inUse!;
    assert.equal(dave.engine.keys.find(before), undefined);
    for (const delta of known) carol.hear(dave, delta);
    assert.equal(carol.engine.keys.inUse, before, 'as far as it knows');
    assert.equal(carol.engine.session.told.epochFor(dave.device), given);
  });

  it('K2 I4 tells whom it has let in by what is void that he is out under the key of that (world “ash.12873”)', () => {
    const { office, alice, dave, carol, known, before } = letInByDave('let in by what is void');
    const given = dave.engine.keys.inUse!;
    for (const delta of known) carol.hear(dave, delta);
    office.leave(carol);
    // She had not heard of it.
    alice.control('setRole', controlBody.setRole(dave.person.account, Role.guest));
    office.comeBack(alice);
    office.link(alice, dave);
    assert.equal(dave.engine.replica.roster.gone.get(carol.device)?.delta.kind, 'remove');
    assert.deepEqual(
      [before, given].map((tag) => dave.engine.keys.boxedTo(carol.device).includes(tag)),
      [false, true],
    );
    assert.equal(dave.engine.session.told.epochFor(carol.device), given);
    office.arrive(carol);
    office.link(dave, carol);
    assert.equal(carol.engine.expulsion?.delta.kind, 'remove');
  });

  it('K2 I4 tells another of its person that he is out, once that one lets it in (world “fir.5167”)', () => {
    const { office, alice: laptop, bob, carol } = threePeople('unheard by its own');
    const another = () => new Person(office.team.crypto, 'Alice', laptop.person);
    const whyOut = () => laptop.engine.expulsion?.delta.kind;
    for (const away of [bob, carol]) office.leave(away);
    const phone = add(office, laptop, another());
    office.link(laptop, phone);
    office.rest();
    for (const away of [laptop, phone]) office.leave(away);
    office.arrive(phone);
    takeOut(phone, 'removeDevice', laptop);
    const tablet = add(office, phone, another());
    office.link(phone, tablet);
    office.rest();
    addDevice(tablet, laptop.person);
    takeOut(tablet, 'drop', phone);
    office.leave(phone);
    office.arrive(laptop);
    // Nobody whom it knows can tell it.
    office.expire(laptop);
    office.link(laptop, tablet);
    office.rest();
    assert.equal(whyOut(), undefined);
    addDevice(laptop, tablet.person);
    office.link(laptop, tablet);
    office.rest();
    assert.equal(whyOut(), 'removeDevice');
    assert.ok(tablet.engine.replica.roster.devices.has(laptop.device));
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
    const known = { kind: 'have', vector: [], answer: true, root: '', needsCopy: false } as const;
    assert.deepEqual(alice.engine.received(dave.device, 'direct', known, inUse, office.now), []);
  });
});

/** Of one person. */
const DEVICES = 12;

describe('K2 I4 whom a device has its copy from, and who turns out to be let in by nothing that counts', () => {
  /** `others`: devices that were let in by nothing that counts before. */
  function isToldWhy(seed: string, others: number) {
    const { office, alice, bob, carol: dropped } = threePeople(seed);
    office.link(alice, bob, dropped);
    alice.control('setRole', controlBody.setRole(bob.person.account, Role.manager));
    office.pump();
    for (const away of [bob, dropped]) office.leave(away);
    alice.remove(bob);
    office.leave(alice);
    for (const away of [bob, dropped]) office.expire(away);
    office.comeBack(bob);
    takeOut(bob, 'drop', dropped);
    for (let left = others; left > 0; left -= DEVICES) {
      const { account, name, devices } = makePerson(office.team.crypto, 'Nobody', Math.min(left, DEVICES));
      const certificates = devices.map(({ certificate }) => certificate);
      const box = bob.engine.keys.box(certificates)!;
      bob.control('admit', controlBody.admit(account, Role.participant, name, certificates, undefined, box));
    }
    const dave = admit(office, bob);
    office.link(bob, dave);
    office.leave(bob);
    const { person } = dropped;
    addDevice(dave, person);
    const carol = welcome(office, dave, person);
    carol.engine.beginFeed(1);
    office.link(dave, carol);
    assert.ok(carol.engine.replica.roster.devices.has(dave.device));
    office.leave(dave);
    office.expire(alice);
    office.comeBack(alice);
    office.link(alice, carol);
    assert.ok(!carol.engine.replica.roster.devices.has(dave.device));
    carol.post('not for Dave');
    office.pump();
    office.arrive(dave);
    office.link(carol, dave);
    assert.deepEqual(carol.texts(), ['not for Dave']);
    assert.deepEqual(dave.texts(), []);
    assert.ok(!dave.engine.replica.roster.devices.has(dave.device), 'it has heard what cuts off who had let it in');
    assert.equal(dave.engine.expulsion?.delta.kind, 'remove');
  }

  it('K2 I4 is told why, and nothing more', () => {
    isToldWhy('sponsor', 0);
  });

  it('K2 I4 so he is where more were let in so than are told of it', () => {
    isToldWhy('sponsor, and many others', MAX_TOLD_IN_VAIN);
  });
});

describe('K2 A7 a word that rests on what is folded elsewhere', () => {
  it('K2 A7 of a junior is not believed for a leave that a device has said which is out', () => {
    const isBelieved = (isOut: boolean) => {
      const team = new Team('left by who is out');
      const alice = team.founder;
      const other = new Person(team.crypto, 'Alice', alice.person);
      const box = boxEpoch(team.crypto, team.epoch, [other.certificate]);
      alice.control('addDevice', controlBody.addDevice(other.account, [other.certificate], box));
      const { person: mallory } = team.join('Mallory', alice, Role.manager);
      const { credential } = alice.replica.roster.members.get(mallory.account)!;
      if (isOut) alice.control('removeDevice', controlBody.devices([other.device], box));
      // What it names never comes.
      const elsewhere = { seq: 1, deps: ['ab'.repeat(32) as DeltaId], tool: undefined };
      const genesis = team.genesis.id;
      const leave = team.forge(other, { ...elsewhere, credential: genesis, kind: 'leave', body: controlBody.leave() });
      const body = controlBody.remove(alice.person.account, null);
      const remove = team.forge(mallory, { ...elsewhere, credential, kind: 'remove', body });
      assert.deepEqual(alice.hearRuns([leave], [remove]), []);
      return alice.replica.people.wordAgainst(alice.person.device, alice.person.account)?.delta.id === remove.id;
    };
    assert.deepEqual([isBelieved(false), isBelieved(true)], [true, false]);
  });
});
