/** Who was taken out and let in again (L7, A4), and what is made up for when a copy is opened (L4): worlds “prof.1”, “prof.13” and “prof.19”. */
import assert from 'node:assert/strict';
import type { DeltaId } from '../../src/base/ids.ts';
import { MAX_TOLD_IN_VAIN } from '../../src/protocol/limits.ts';
import type { BasePart } from '../../src/sync/base.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { feedOf, type Delta } from '../../src/sync/delta.ts';
import { ADVANCE_EVERY_MS } from '../../src/sync/duties.ts';
import type { EpochTag } from '../../src/sync/epoch.ts';
import { Desk, Office, threePeople } from './office.ts';
import { Person, stateOf } from './team.ts';

/** Alice drops Carol's device, and lets it in again; nobody is told yet who is away. Answers the second word. */
function dropAndLetIn(alice: Desk, carol: Desk): DeltaId {
  drop(alice, carol);
  return letIn(alice, carol);
}

function drop(alice: Desk, { device }: Desk): void {
  alice.control('drop', controlBody.devices([device], alice.engine.keys.make(new Set([device]))));
}

function letIn(alice: Desk, { device, person }: Desk): DeltaId {
  const { certificate } = person;
  const box = alice.engine.keys.box([{ device, agreementKey: certificate.agreementKey }])!;
  alice.control('addDevice', controlBody.addDevice(person.account, [certificate], box));
  return [...alice.engine.replica.nodes()].findLast(({ delta }) => delta.kind === 'addDevice')!.delta.id;
}

/** All three know each other, and Carol goes away. */
function withoutCarol(seed: string): { office: Office; alice: Desk; bob: Desk; carol: Desk } {
  const three = threePeople(seed);
  const { office, alice, bob, carol } = three;
  office.link(alice, bob, carol);
  office.rest();
  office.leave(carol);
  return three;
}

/** Bob, a manager, was away and is dropped: Carol has heard of it. */
function withManagerDropped(seed: string): { office: Office; alice: Desk; bob: Desk; carol: Desk } {
  const three = threePeople(seed);
  const { office, alice, bob, carol } = three;
  office.link(alice, bob, carol);
  alice.control('setRole', controlBody.setRole(bob.person.account, Role.manager));
  office.rest();
  office.leave(bob);
  drop(alice, bob);
  office.rest();
  return three;
}

/** Bob, dropped, is let in again and begins anew. */
function backAgain(office: Office, alice: Desk, bob: Desk): Desk {
  const word = letIn(alice, bob);
  const again = new Desk(office, bob.person);
  office.desks.set(again.device, again);
  office.arrive(again);
  const { key, ...epoch } = alice.engine.keys.epoch!;
  again.engine.keys.add({ ...epoch, key: key.slice() });
  again.engine.beginFeed(1);
  again.engine.sponsored([alice], [alice.engine.replica.node(word)!.delta]);
  office.link(alice, again);
  office.rest();
  return again;
}

/** He removes Carol, who is away, and hears it from Alice when all that it rests on is folded. */
function removeAndFold(office: Office, alice: Desk, bob: Desk, carol: Desk): void {
  bob.remove(carol);
  for (let n = 0; n < 4; n++) alice.post(`later ${n}`);
  office.rest();
  office.leave(bob);
  office.expire(carol);
  office.comeBack(carol);
  office.link(alice, carol);
}

/**
 * Alice drops Bob and lets him in again, who erases his copy; then her store is put back to what it was before that. Neither has a key of the other's any
 * more, and he knows her by her certificate alone.
 */
function putBackSinceReturn(seed: string, isFolded: boolean): { office: Office; before: Desk; again: Desk } {
  const { office, alice, bob, carol } = threePeople(seed);
  office.link(alice, bob, carol);
  for (const desk of [alice, bob, carol]) desk.post(`from ${desk.person.name}`);
  if (isFolded) office.rest();
  else office.pump();
  const { replica, keys } = alice.engine;
  const { root, parts } = replica.base.parts();
  const kept = parts.map((bytes, part) => ({ root, part, parts: parts.length, bytes }));
  const known = [...replica.nodes()].map(({ delta }) => delta.bytes);
  const old = keys.epoch!.key.slice();
  for (const away of [bob, carol]) office.leave(away);
  drop(alice, bob);
  const word = replica.node(letIn(alice, bob))!.delta;
  office.leave(alice);
  const again = new Desk(office, bob.person);
  const { key, ...epoch } = keys.epoch!;
  again.engine.keys.add({ ...epoch, key: key.slice() });
  again.engine.beginFeed(1);
  again.engine.sponsored([alice.person], [word]);
  const before = new Desk(office, alice.person);
  if (isFolded) assert.ok(before.engine.restoreBase(kept, undefined));
  for (const bytes of known) before.engine.restore(bytes);
  before.engine.keys.add({ ...office.team.epoch, key: old });
  before.engine.opened();
  before.engine.beginFeed(1);
  before.engine.awaitWord();
  for (const desk of [before, again]) {
    office.desks.set(desk.device, desk);
    office.arrive(desk);
    office.expire(desk);
  }
  return { office, before, again };
}

const outBy = ({ engine }: Desk) => engine.expulsion?.delta.kind;

describe('K2 a device that hears from another of its person’s that he is out', () => {
  it('K2 believes the word though nothing that it rests on comes, of its person alone, and not where it knows it', () => {
    const { office, alice, bob, carol } = threePeople('farewell');
    office.link(alice, bob, carol);
    office.rest();
    office.leave(carol);
    alice.post('which she does not have');
    alice.remove(bob);
    alice.remove(carol);
    const words = [...alice.engine.replica.nodes()].filter(({ delta }) => delta.kind === 'remove');
    const [ofBob, ofCarol] = words.map(({ delta }) => delta.bytes);
    const { device: sister } = office.team.person('Carol at her desk');
    assert.equal(carol.engine.hearOut(ofBob!, sister), false);
    const forged = ofCarol!.slice();
    forged[forged.length - 1]! ^= 1;
    assert.equal(carol.engine.hearOut(forged, sister), false);
    assert.equal(outBy(carol), undefined);
    assert.equal(carol.engine.hearOut(ofCarol!, sister), true);
    assert.equal(outBy(carol), 'remove');
    // Who is in again since knows the word: it says no more.
    office.comeBack(carol);
    office.link(alice, carol);
    alice.admit(carol.person);
    for (const { delta } of alice.engine.replica.nodes()) carol.hear(alice, delta);
    assert.equal(outBy(carol), undefined);
    assert.equal(carol.engine.hearOut(ofCarol!, sister), false);
  });

  it('K2 A7 believes a leave of another device of its person, though that is not known to be in, and of nobody else', () => {
    const { office, alice, bob, carol } = threePeople('farewell leave');
    office.link(alice, bob, carol);
    office.rest();
    office.leave(carol);
    alice.post('which she does not have');
    office.pump();
    bob.control('leave', controlBody.leave());
    const ofBob = [...bob.engine.replica.nodes()].find(({ delta }) => delta.kind === 'leave')!.delta.bytes;
    assert.equal(carol.engine.hearOut(ofBob, bob.device), false);
    const sister = new Person(office.team.crypto, 'Carol at her desk', carol.person);
    const word = office.team.forge(sister, { seq: 1, tool: undefined, kind: 'leave', body: [] }).bytes;
    assert.equal(carol.engine.hearOut(word, alice.device), false);
    assert.equal(carol.engine.hearOut(word, sister.device), true);
  });
});

describe('L7 a device that was dropped and let in again', () => {
  it('L7 K1 D2 is given a copy by who has lost the word with a part of his store: neither has a key of the other’s (world “ash.7475”)', () => {
    for (const isFolded of [false, true]) {
      const { office, before, again } = putBackSinceReturn(`return to who lost it ${String(isFolded)}`, isFolded);
      office.link(before, again);
      office.rest();
      assert.deepEqual(again.texts(), ['from Alice', 'from Bob', 'from Carol']);
      again.post('back');
      before.post('too');
      office.rest();
      for (const desk of [before, again]) assert.ok(['back', 'too'].every((text) => desk.texts().includes(text)));
    }
  });

  it('L7 A4 is out for itself where it has written on meanwhile: nobody takes any more of that feed', () => {
    const { office, alice, bob, carol } = withoutCarol('return written');
    carol.post('unsent');
    dropAndLetIn(alice, carol);
    office.rest();
    office.comeBack(carol);
    office.link(alice, bob, carol);
    assert.ok(carol.engine.replica.roster.devices.has(carol.device), 'it has heard of both words');
    assert.equal(carol.engine.expulsion?.delta.kind, 'drop');
    assert.deepEqual(alice.texts(), []);
    // In another feed, upon what the others hold, it goes on.
    carol.engine.beginFeed(1);
    assert.equal(carol.engine.expulsion, undefined);
    for (const desk of [alice, bob]) assert.equal(desk.engine.expulsion, undefined);
  });

  it('L7 A4 writes nothing more upon that, and lets nobody in by it, who could go on nowhere (world “rough-ss.162”)', () => {
    const { office, alice, bob, carol } = withoutCarol('return goes on');
    carol.post('unsent');
    dropAndLetIn(alice, carol);
    drop(alice, bob);
    office.comeBack(carol);
    office.link(alice, carol);
    const { certificate } = bob.person;
    const box = carol.engine.keys.box([{ device: bob.device, agreementKey: certificate.agreementKey }])!;
    const body = controlBody.addDevice(bob.person.account, [certificate], box);
    const entry = { tool: undefined, kind: 'addDevice', body };
    assert.ok(carol.engine.replica.roster.devices.has(carol.device), 'it is in again');
    const refused = [alice, carol].map(({ engine }) => engine.wouldRefuse([entry], office.now));
    assert.deepEqual(refused, [undefined, 'cutOff'], 'any member lets in who was dropped, but she');
    assert.equal(
      carol.engine.replica.wouldRefuse(carol.device, [entry], office.now),
      undefined,
      'it would count in her copy',
    );
  });

  it('L7 K2 hears of the word that took it out, alone, where what it lacks has been folded since (world “dec.14”)', () => {
    const { office, alice, bob, carol } = withoutCarol('return folded');
    for (let n = 0; n < 4; n++) alice.post(`before ${n}`);
    drop(alice, carol);
    office.rest();
    // It is folded itself, and in no log that is served.
    for (const desk of [alice, bob]) desk.post('after');
    office.rest();
    const word = [...alice.engine.replica.nodes()].find(({ delta }) => delta.kind === 'drop')!.delta;
    assert.ok(alice.engine.replica.feeds.cut().get(word.feed)! >= word.seq);
    assert.ok(
      !alice.engine.replica.feeds.reaches(carol.engine.replica.vector()),
      'what she lacks is in no log any more',
    );
    letIn(alice, carol);
    office.expire(carol);
    office.comeBack(carol);
    office.link(alice, bob, carol);
    assert.equal(carol.engine.replica.roster.gone.size, 0);
    assert.equal(carol.engine.expulsion?.delta.kind, 'drop');
  });

  it('K2 L7 hears that it is out though it never had the key that it was let in with, and is given no more (world “noon.19”)', () => {
    const { office, alice, bob, carol } = withoutCarol('in and out again');
    // Without him no key is erased (K4).
    office.leave(bob);
    dropAndLetIn(alice, carol);
    drop(alice, carol);
    office.rest();
    office.expire(carol);
    office.comeBack(carol);
    office.link(alice, carol);
    office.rest();
    assert.equal(carol.engine.expulsion?.delta.kind, 'drop');
    assert.equal(carol.engine.keys.find(alice.engine.keys.inUse as EpochTag), undefined);
  });

  it('L7 L6 is given the base after the word where it lacks what was folded before that (world “gold.1708”)', () => {
    const { office, alice, bob, carol } = withoutCarol('return word and base');
    alice.post('before');
    drop(alice, carol);
    office.pump();
    // Bob acknowledges it, and Alice folds it, and writes nothing more.
    for (const desk of [bob, alice]) {
      office.now += 61_000;
      desk.wake();
      office.pump();
      office.spread();
    }
    const word = [...alice.engine.replica.nodes()].find(({ delta }) => delta.kind === 'drop')!.delta;
    assert.equal(
      alice.engine.replica.feeds.cut().get(word.feed),
      word.seq,
      'the word is the last that is folded of its feed',
    );
    letIn(alice, carol);
    let given = 0;
    carol.takeBase = () => void given++;
    office.expire(carol);
    office.comeBack(carol);
    office.link(alice, bob, carol);
    assert.ok(given > 0, 'what is after the word does not stand for what is before it');
  });

  it('L7 goes on where it has written nothing meanwhile', () => {
    const { office, alice, bob, carol } = withoutCarol('return silent');
    dropAndLetIn(alice, carol);
    office.rest();
    office.comeBack(carol);
    office.link(alice, bob, carol);
    assert.equal(carol.engine.expulsion, undefined);
    carol.post('with the drop in its past');
    office.pump();
    for (const desk of [alice, bob]) assert.deepEqual(desk.texts(), ['with the drop in its past']);
    assert.equal(carol.engine.expulsion, undefined);
  });

  it('K2 L7 is believed when it takes somebody out since, though all that rests on is folded: the word that let it in comes along', () => {
    const { office, alice, bob, carol } = withManagerDropped('return and remove');
    office.leave(carol);
    alice.post('that rests on what she has not');
    removeAndFold(office, alice, backAgain(office, alice, bob), carol);
    assert.ok(carol.engine.replica.roster.gone.has(bob.device), 'she has not heard that he is back');
    assert.equal(carol.engine.expulsion?.delta.kind, 'remove');
  });

  it('K2 L7 is believed likewise by who has the beginning of what it has written since (world “apartA.181”)', () => {
    const { office, alice, bob, carol } = withManagerDropped('return, say and remove');
    const again = backAgain(office, alice, bob);
    office.link(alice, again, carol);
    again.post('back');
    office.rest();
    office.leave(carol);
    again.post('that rests on what she has not');
    removeAndFold(office, alice, again, carol);
    assert.ok(carol.texts().includes('back'));
    assert.ok(carol.engine.replica.roster.devices.has(bob.device));
    assert.equal(carol.engine.expulsion?.delta.kind, 'remove');
  });

  it('K2 L7 is not believed where nobody has let it in again, nor in the feed of before', () => {
    for (const isLetIn of [false, true]) {
      const { office, alice, bob, carol } = withManagerDropped(`dropped and says ${String(isLetIn)}`);
      const unknown = 'f'.repeat(64) as DeltaId;
      const body = controlBody.remove(carol.person.account, alice.engine.keys.make(new Set([carol.device])));
      const place = isLetIn ? { generation: 0, seq: 1_000, prev: unknown } : { generation: 1, seq: 1, deps: [unknown] };
      const forged = office.team.forge(bob.person, { ...place, kind: 'remove', tool: undefined, body });
      if (isLetIn) letIn(alice, bob);
      office.pump();
      carol.hear(alice, forged);
      assert.equal(carol.engine.expulsion, undefined);
    }
  });

  it('I4 L7 writes nothing before the word that lets it in is in its copy: till then it is known by an older one', () => {
    const { office, alice, carol } = withoutCarol('return early');
    const word = dropAndLetIn(alice, carol);
    const { delta } = alice.engine.replica.node(word)!;
    // Of what came before the drop it has acknowledged nothing in its new feed.
    carol.engine.beginFeed(1);
    office.now += 3_600_000;
    assert.equal(carol.engine.duties(office.now).length, 1);
    const early = office.open(carol.person);
    early.engine.beginFeed(1);
    early.engine.sponsored([alice], [{ ...delta, id: 'f'.repeat(64) as DeltaId }, delta]);
    assert.ok(early.engine.replica.roster.devices.has(carol.device));
    assert.ok(early.engine.isAwaitingWord);
    assert.deepEqual(early.engine.duties(office.now), []);
    for (const node of alice.engine.replica.nodes()) early.hear(alice, node.delta);
    assert.ok(early.engine.replica.node(delta.id));
    assert.equal(early.engine.isAwaitingWord, false);
    office.now += 3_600_000;
    assert.equal(early.engine.duties(office.now).length, 1);
  });

  it('I4 L7 K4 does not wait for the word of who was out when he let it in, where another has (world “win.805”)', () => {
    const { office, alice, bob, carol } = withoutCarol('return by who is out');
    drop(alice, carol);
    office.pump();
    office.leave(bob);
    const inVain = letIn(bob, carol);
    drop(alice, bob);
    letIn(alice, carol);
    office.expire(carol);
    const again = new Desk(office, carol.person);
    office.desks.set(again.device, again);
    office.arrive(again);
    again.engine.keys.add({ ...office.team.epoch, key: office.team.epoch.key.slice() });
    again.engine.beginFeed(1);
    again.engine.sponsored([bob], [bob.engine.replica.node(inVain)!.delta]);
    for (const { delta } of alice.engine.replica.nodes()) if (delta.seq === 1) again.hear(alice, delta);
    assert.ok(again.engine.isAwaitingWord);
    office.link(alice, again);
    office.rest();
    assert.equal(again.engine.replica.node(inVain), undefined, 'it is beyond the cut of its author, who was dropped');
    assert.equal(again.engine.isAwaitingWord, false);
    again.post('back');
    office.pump();
    assert.ok(alice.texts().includes('back'));
  });

  it('I4 L7 A4 waits for the word of who was in again when he let it in, whatever has come of that (world “rough-mm.3063”)', () => {
    const { office, alice, bob, carol } = withoutCarol('return by who is back');
    office.leave(bob);
    drop(alice, bob);
    const back = backAgain(office, alice, bob);
    drop(alice, carol);
    office.pump();
    const word = back.engine.replica.node(letIn(back, carol))!.delta;
    office.pump();
    office.expire(carol);
    const again = new Desk(office, carol.person);
    again.engine.keys.add({ ...office.team.epoch, key: office.team.epoch.key.slice() });
    again.engine.beginFeed(1);
    again.engine.sponsored([back], [word]);
    const lacks = () => !again.engine.replica.node(word.id);
    let wasOut = 0;
    for (const { delta } of alice.engine.replica.nodes()) {
      again.hear(back, delta);
      assert.equal(again.engine.isOutside, lacks(), `${delta.kind} is not the last`);
      if (lacks() && again.engine.replica.people.wasTakenOut(back.device)) wasOut++;
    }
    assert.ok(!lacks());
    assert.ok(wasOut > 2, 'it has heard first that he was out, then that he is in, then what he has written since');
  });

  it('I4 D2 does not wait for the word that its author has lost, with what had taken it out (world “ash.7475”)', () => {
    const { office, alice, bob, carol } = withoutCarol('return by who has lost it');
    office.leave(bob);
    const before = [...alice.engine.replica.nodes()];
    const word = dropAndLetIn(alice, carol);
    const { delta } = alice.engine.replica.node(word)!;
    office.leave(alice);
    // Her store was put back to before both.
    const [older, again] = [alice, carol].map(({ person }) => office.open(person)) as [Desk, Desk];
    for (const desk of [older, again]) {
      for (const node of before) desk.engine.restore(node.delta.bytes);
      desk.engine.beginFeed(1);
      desk.engine.opened();
      office.arrive(desk);
    }
    const bobs = { id: 'f'.repeat(64) as DeltaId, feed: feedOf(bob.device, 0), seq: 9 };
    again.engine.sponsored([alice], [delta]);
    office.expire(bob);
    office.comeBack(bob);
    office.link(older, bob, again);
    assert.ok(again.engine.isAwaitingWord, 'it may still come');
    older.post('from before');
    office.rest();
    assert.equal(again.engine.replica.node(word), undefined);
    assert.equal(again.engine.isAwaitingWord, false);
    again.engine.sponsored([alice], [delta, bobs]);
    assert.ok(again.engine.isAwaitingWord, 'that of another may still come');
    again.engine.sponsored([alice], [delta]);
    again.post('back');
    office.rest();
    for (const desk of [older, bob]) assert.deepEqual(desk.texts(), ['back', 'from before']);
    for (const desk of [older, bob, again])
      assert.equal(desk.engine.replica.tail().filter((n) => n.delta.tool).length, 0);
  });
});

/** Alice has a laptop, a tablet and a phone, and knows Bob. */
function withThreeDevices(seed: string) {
  const office = new Office(seed);
  const bobby = office.team.person('Bob');
  office.team.founder.admit(bobby);
  const [laptop, bob] = [office.team.alice, bobby].map((person) => office.open(person)) as [Desk, Desk];
  const [tablet, phone] = ['tablet', 'phone'].map(() => {
    const desk = office.open(new Person(office.team.crypto, 'Alice', office.team.alice), laptop);
    letIn(laptop, desk);
    return desk;
  }) as [Desk, Desk];
  office.link(laptop, phone, tablet, bob);
  office.rest();
  return { office, laptop, tablet, phone, bob };
}

/**
 * Alice's laptop takes her tablet out; the tablet, away with Bob, has not heard it and takes the laptop out. Bob has heard the tablet first.
 * `isBackIn`: her phone has let the tablet in again meanwhile. Answers the tablet's word.
 */
function whereTwoTakeEachOtherOut(seed: string, kind: 'drop' | 'removeDevice', isBackIn = false) {
  const { office, laptop, tablet, phone, bob } = withThreeDevices(seed);
  for (const desk of [bob, tablet]) office.leave(desk);
  laptop.control(kind, controlBody.devices([tablet.device], laptop.engine.keys.make(new Set([tablet.device]))));
  office.pump();
  if (isBackIn) letIn(phone, tablet);
  office.pump();
  office.leave(phone);
  for (const desk of [bob, tablet]) {
    office.expire(desk);
    office.comeBack(desk);
  }
  office.link(bob, tablet);
  const epoch = tablet.engine.keys.make(new Set([laptop.device]));
  tablet.control('removeDevice', controlBody.devices([laptop.device], epoch));
  office.pump();
  const word = [...tablet.engine.replica.nodes()].findLast(({ delta }) => delta.device === tablet.device)!.delta;
  return { office, laptop, tablet, bob, word };
}

/**
 * Alice's laptop drops her tablet, which has not heard it and drops her phone, and then the laptop. The phone has all these words, by which it is in itself; it
 * lets the laptop in again, and that the tablet, in a later feed. Answers the laptop's first word, and its last.
 */
function whereOneOfThemIsLetInAgain(seed: string) {
  const { office, laptop, tablet, phone, bob } = withThreeDevices(seed);
  for (const desk of [tablet, phone]) office.leave(desk);
  drop(laptop, tablet);
  for (const desk of [phone, laptop]) drop(tablet, desk);
  for (const desk of [tablet, laptop]) for (const { delta } of desk.engine.replica.tail()) phone.hear(desk, delta);
  for (const desk of [laptop, bob]) office.leave(desk);
  const answer = [...laptop.engine.replica.nodes()].findLast(({ delta }) => delta.kind === 'drop')!.delta;
  const ack = { credential: office.team.genesis.id, tool: undefined, kind: 'ack', body: controlBody.ack() };
  const first = office.team.forge(laptop.person, { ...ack, generation: 1, seq: 1, deps: [letIn(phone, laptop)] });
  const { device, account, certificate } = tablet.person;
  const box = phone.engine.keys.box([{ device, agreementKey: certificate.agreementKey }])!;
  const addition = { kind: 'addDevice', body: controlBody.addDevice(account, [certificate], box) };
  const next = { generation: 1, seq: 2, prev: first.id };
  const second = office.team.forge(laptop.person, { ...ack, ...next });
  const entrance = office.team.forge(laptop.person, { ...ack, ...next, ...addition, seq: 3, prev: second.id });
  for (const delta of [first, second, entrance]) phone.hear(laptop, delta);
  assert.equal(phone.engine.replica.verdictOf(entrance.id), 'accepted');
  return { office, laptop, tablet, phone, answer, entrance };
}

function partsOf({ engine }: Desk): readonly BasePart[] {
  const { root, parts } = engine.replica.base.parts();
  return parts.map((bytes, part) => ({ root, part, parts: parts.length, bytes }));
}

describe('K2 A4 two devices of a person that take each other out, neither having heard of it', () => {
  it('K2 L7 who had only dropped the other believes its word of who has it (worlds “gold.1668”, “win.2722”)', () => {
    const { office, laptop, tablet, bob, word } = whereTwoTakeEachOtherOut('each other dropped', 'drop');
    office.leave(tablet);
    office.link(bob, laptop);
    assert.ok(bob.engine.replica.roster.gone.has(laptop.device), 'both words stand');
    assert.equal(laptop.engine.replica.node(word.id), undefined, 'it is beyond the cut of the drop');
    assert.equal(laptop.engine.expulsion?.delta.id, word.id);
  });

  it('K2 does not believe it of its author alone: all others may have heard of the drop first, and not taken it', () => {
    const { laptop, tablet, word } = whereTwoTakeEachOtherOut('each other alone', 'drop');
    laptop.hear(tablet, word);
    assert.equal(laptop.engine.expulsion, undefined);
  });

  it('K2 L7 does not believe it of who is out for it: he goes on with who has it, holding for void that he is out (world “rough-nn.10866”)', () => {
    const { office, laptop, tablet, bob, word } = whereTwoTakeEachOtherOut('each other and a third', 'drop');
    office.leave(tablet);
    const { account } = bob.person;
    laptop.control('remove', controlBody.remove(account, laptop.engine.keys.make(new Set([bob.device]))));
    office.link(bob, laptop);
    for (let times = 0; times < 2; times++) laptop.hear(bob, word);
    assert.ok(laptop.engine.replica.roster.gone.has(bob.device));
    assert.equal(laptop.engine.replica.node(word.id), undefined, 'it is beyond the cut of the drop');
    assert.equal(laptop.engine.expulsion, undefined);
    assert.ok(bob.engine.replica.roster.devices.has(bob.device), 'that he is out is beyond the cut of the word');
    assert.equal(bob.engine.expulsion, undefined);
  });

  it('K2 who had taken the other out as one that is stolen goes on, unless that is in again', () => {
    for (const isBackIn of [false, true]) {
      const { office, laptop, tablet, bob, word } = whereTwoTakeEachOtherOut('stolen', 'removeDevice', isBackIn);
      office.leave(tablet);
      office.link(bob, laptop);
      assert.ok(bob.engine.replica.roster.gone.has(laptop.device));
      assert.equal(laptop.engine.replica.node(word.id), undefined);
      assert.equal(laptop.engine.expulsion?.delta.id, isBackIn ? word.id : undefined);
    }
  });

  it('I4 L7 A4 who is let in again by who has both words comes in, though its own comes to it first, by which that one is out (world “rough-vv.1011”)', () => {
    for (const isTold of [true, false]) {
      const scene = whereOneOfThemIsLetInAgain(`in again ${String(isTold)}`);
      const { office, laptop, tablet, phone, answer, entrance } = scene;
      const again = new Desk(office, tablet.person);
      office.desks.set(again.device, again);
      office.arrive(again);
      again.engine.keys.add({ ...phone.engine.keys.epoch!, key: phone.engine.keys.epoch!.key.slice() });
      again.engine.restoreBase(partsOf(phone), undefined);
      again.engine.beginFeed(1);
      again.engine.sponsored([phone, laptop], isTold ? [entrance] : []);
      for (const { delta } of tablet.engine.replica.tail()) again.hear(phone, delta);
      assert.ok(again.engine.replica.roster.gone.has(phone.device));
      again.hear(phone, answer);
      assert.equal(again.engine.replica.node(answer.id), undefined, 'it is beyond the cut of its own word');
      office.arrive(phone);
      office.link(phone, again);
      office.rest();
      const { replica, isOutside } = again.engine;
      assert.equal(isOutside, false);
      assert.equal(replica.node(entrance.id) !== undefined, isTold, 'nobody takes more who has not been told of it');
      if (isTold) assert.deepEqual(stateOf(replica), stateOf(phone.engine.replica));
    }
  });

  it('K2 A4 does not believe what another than its own account has cut: that is void', () => {
    const { office, alice, bob, carol } = withManagerDropped('dropped by a senior');
    const { head } = {
      head: [...bob.engine.replica.nodes()].findLast(({ delta }) => delta.device === bob.device)!.delta,
    };
    const body = controlBody.devices([carol.device], alice.engine.keys.make(new Set([carol.device])));
    const place = { seq: head.seq + 1, prev: head.id, tool: undefined, kind: 'removeDevice' };
    const word = office.team.forge(bob.person, { ...place, body });
    carol.hear(alice, word);
    assert.equal(carol.engine.replica.node(word.id), undefined);
    assert.equal(carol.engine.expulsion, undefined);
  });
});

/**
 * The same, but that the tablet has let in a watch of hers by then, and it is that one which drops the laptop. Bob has heard the tablet first. `hasMet`: the laptop has taken
 * of Bob what has let the watch in, as he had named that.
 */
function whereItHasLetInAnother(seed: string, kind: 'drop' | 'removeDevice', hasMet = false) {
  const { office, laptop, tablet, phone, bob } = withThreeDevices(seed);
  for (const desk of [bob, tablet, phone]) office.leave(desk);
  laptop.control(kind, controlBody.devices([tablet.device], laptop.engine.keys.make(new Set([tablet.device]))));
  office.pump();
  office.leave(laptop);
  for (const desk of [bob, tablet]) {
    office.expire(desk);
    office.comeBack(desk);
  }
  office.link(bob, tablet);
  const watch = office.open(new Person(office.team.crypto, 'Alice', office.team.alice), tablet);
  letIn(tablet, watch);
  office.link(bob, tablet, watch);
  office.rest();
  bob.post('upon that');
  office.pump();
  const before = [...bob.engine.replica.nodes()];
  const epoch = watch.engine.keys.make(new Set([laptop.device]));
  watch.control('drop', controlBody.devices([laptop.device], epoch));
  office.pump();
  const [addition, word] = ['addDevice', 'drop'].map(
    (kind) => [...bob.engine.replica.nodes()].findLast(({ delta }) => delta.kind === kind)!.delta,
  ) as [Delta, Delta];
  bob.post('upon the drop');
  office.pump();
  for (const desk of [tablet, watch]) office.leave(desk);
  office.expire(laptop);
  office.arrive(laptop);
  // What waits is wanted when it comes again.
  for (const { delta } of hasMet ? [...before, ...before] : []) laptop.hear(bob, delta);
  if (hasMet) laptop.post('who has seen it');
  return { office, laptop, tablet, watch, bob, addition, word };
}

describe('K2 A4 I4 a device that takes another of its person out, and was let in by one that the other had taken out', () => {
  for (const hasMet of [false, true])
    it(`K2 I4 is believed by who had only dropped that one, of who has its word${hasMet ? ', though all is here that it rests on' : ''} (world “rough-rr.4204”)`, () => {
      const { laptop, watch, bob, addition, word } = whereItHasLetInAnother('watch', 'drop', hasMet);
      const { gone, devices } = bob.engine.replica.roster;
      assert.ok(gone.has(laptop.device) && devices.has(watch.device));
      for (const delta of hasMet ? [addition, word] : [word, addition]) laptop.hear(bob, delta);
      assert.equal(laptop.engine.replica.node(addition.id) !== undefined, hasMet);
      assert.equal(laptop.engine.replica.node(word.id), undefined, 'it counts for nobody who knows the drop');
      assert.equal(laptop.engine.expulsion?.delta.id, word.id);
    });

  it('K2 I4 is believed by who is told the words alone, as all that they rest on is folded', () => {
    const { office, laptop, bob, word } = whereItHasLetInAnother('watch folded', 'drop');
    office.leave(laptop);
    for (const text of ['that is folded', 'and more']) {
      bob.post(text);
      office.rest();
    }
    office.arrive(laptop);
    office.link(bob, laptop);
    assert.equal(laptop.engine.expulsion?.delta.id, word.id);
  });

  it('K2 is not believed where nobody else is known to have taken what let it in', () => {
    const { laptop, tablet, watch, addition, word } = whereItHasLetInAnother('watch alone', 'drop');
    laptop.hear(tablet, addition);
    for (const delta of [addition, word]) laptop.hear(watch, delta);
    assert.equal(laptop.engine.expulsion, undefined);
  });

  it('K2 I4 is believed of whom that one has let in, and so on; though two have let each other in', () => {
    for (const kind of ['drop', 'removeDevice'] as const) {
      const { office, laptop, watch, bob, addition } = whereItHasLetInAnother('ring', kind);
      const ring = new Person(office.team.crypto, 'Alice', office.team.alice);
      const lost = { seq: 1_000, prev: 'f'.repeat(64) as DeltaId, tool: undefined };
      const lettingIn = ({ device, account, certificate }: Person) => {
        const box = laptop.engine.keys.box([{ device, agreementKey: certificate.agreementKey }])!;
        return { ...lost, kind: 'addDevice', body: controlBody.addDevice(account, [certificate], box) };
      };
      const body = controlBody.devices([laptop.device], laptop.engine.keys.make(new Set([laptop.device])));
      const [again, further] = [
        office.team.forge(ring, lettingIn(watch.person)),
        office.team.forge(watch.person, lettingIn(ring)),
      ];
      const word = office.team.forge(ring, { ...lost, seq: 1_001, kind: 'drop', body });
      for (const delta of [addition, further, word]) laptop.hear(bob, delta);
      assert.equal(laptop.engine.expulsion?.delta.id, kind === 'drop' ? word.id : undefined);
      for (const delta of [again, word]) laptop.hear(bob, delta);
      assert.equal(laptop.engine.expulsion, undefined, 'she knows nothing of whom the last has let in');
    }
  });

  it('K2 I4 who is out can make up whom it has let in, of whom no more than some are kept; what is true is told again', () => {
    const { office, laptop, tablet, bob, addition, word } = whereItHasLetInAnother('watches made up', 'drop');
    laptop.hear(bob, addition);
    for (let seq = 1_000; seq < 1_000 + MAX_TOLD_IN_VAIN; seq++) {
      const { account, certificate } = new Person(office.team.crypto, 'Alice', office.team.alice);
      const box = laptop.engine.keys.box([certificate])!;
      const body = controlBody.addDevice(account, [certificate], box);
      const lost = { seq, prev: 'f'.repeat(64) as DeltaId, tool: undefined, kind: 'addDevice' };
      laptop.hear(bob, office.team.forge(tablet.person, { ...lost, body }));
    }
    const outBy = () => laptop.engine.expulsion?.delta.id;
    laptop.hear(bob, word);
    assert.equal(outBy(), undefined);
    for (const delta of [addition, word]) laptop.hear(bob, delta);
    assert.equal(outBy(), word.id);
  });

  it('K2 is not believed by who has taken that one out as one that is stolen', () => {
    for (const hasMet of [false, true]) {
      const { laptop, bob, addition, word } = whereItHasLetInAnother('watch of a thief', 'removeDevice', hasMet);
      for (const delta of [addition, word]) laptop.hear(bob, delta);
      assert.equal(laptop.engine.expulsion, undefined);
    }
  });
});

describe('K2 A4 a device that was taken out, and let in again by what a copy from before has lost', () => {
  /** What the laptop believes after it has taken the tablet out: that somebody has let it in again, and it has dropped the laptop. */
  function believed(by: 'phone' | 'bob', hasHeard: boolean) {
    const { office, laptop, ...others } = withThreeDevices(`taken out, and says ${by} ${String(hasHeard)}`);
    const { person, device } = others.tablet;
    if (!hasHeard) office.leave(others[by]);
    laptop.control('removeDevice', controlBody.devices([device], laptop.engine.keys.make(new Set([device]))));
    office.rest();
    const lost = { seq: 1_000, prev: 'f'.repeat(64) as DeltaId, tool: undefined };
    const box = laptop.engine.keys.box([{ device, agreementKey: person.certificate.agreementKey }])!;
    const again = controlBody.addDevice(person.account, [person.certificate], box);
    const drop = controlBody.devices([laptop.device], laptop.engine.keys.make(new Set([laptop.device])));
    const word = office.team.forge(person, { ...lost, generation: 1, kind: 'drop', body: drop });
    const believes = () => laptop.engine.expulsion?.delta.id;
    laptop.hear(others.bob, word);
    assert.equal(believes(), undefined, 'nobody has let it in');
    laptop.hear(others.bob, office.team.forge(others[by].person, { ...lost, kind: 'addDevice', body: again }));
    return { word: word.id, expulsion: believes() };
  }

  it('K2 A4 is believed when it takes that out, where another device of its person has let it in (world “ash.1702”)', () => {
    const { word, expulsion } = believed('phone', true);
    assert.equal(expulsion, word);
  });

  it('K2 A4 is not where that device may not have heard that it was out', () => {
    assert.equal(believed('phone', false).expulsion, undefined);
  });

  it('K2 A4 is not where somebody else has let it in', () => {
    assert.equal(believed('bob', true).expulsion, undefined);
  });
});

/**
 * Alice says on her tablet, which is away, that she leaves. Her laptop has not heard it: `word` is what it writes, and all others fold. The
 * laptop and Bob are there, `away` is not.
 */
function whereOneLeaves(seed: string, word: (laptop: Desk, tablet: Desk, carol: Desk) => void) {
  const { office, alice: laptop, bob, carol } = threePeople(seed);
  const tablet = office.open(new Person(office.team.crypto, 'Alice', office.team.alice), laptop);
  letIn(laptop, tablet);
  office.link(laptop, bob, carol, tablet);
  office.rest();
  for (const desk of [tablet, carol]) office.leave(desk);
  tablet.control('leave', controlBody.leave());
  laptop.post('that the word rests on');
  word(laptop, tablet, carol);
  for (let n = 0; n < 4; n++) laptop.post(`later ${n}`);
  office.rest();
  return { office, laptop, tablet, bob, carol };
}

describe('K2 A7 who has left, and whose other device has not heard it', () => {
  it('K2 A7 believes that of what it has said of him: nobody takes his leaving any more (world “ash.1485”)', () => {
    const { office, laptop, tablet } = whereOneLeaves('leaves and is dropped', (by, at, carol) => {
      drop(by, carol);
      drop(by, at);
    });
    assert.equal(tablet.engine.expulsion?.delta.kind, 'leave');
    letIn(laptop, tablet);
    office.expire(tablet);
    office.comeBack(tablet);
    office.link(laptop, tablet);
    assert.ok(!laptop.engine.replica.feeds.reaches(tablet.engine.replica.vector()), 'what the word rests on is folded');
    assert.ok(tablet.engine.replica.roster.gone.has(laptop.device));
    assert.equal(tablet.engine.expulsion?.delta.kind, 'drop');
  });

  it('K2 A7 so does everybody else who has heard of the leaving first', () => {
    const { office, laptop, tablet, bob, carol } = whereOneLeaves('leaves and drops', (by, at, other) => {
      drop(by, other);
      drop(by, at);
    });
    const leave = [...tablet.engine.replica.nodes()].findLast(({ delta }) => delta.kind === 'leave')!.delta;
    office.expire(carol);
    carol.hear(tablet, leave);
    assert.ok(carol.engine.replica.roster.gone.has(laptop.device));
    office.comeBack(carol);
    office.link(bob, carol);
    assert.equal(carol.engine.expulsion?.delta.kind, 'drop');
  });

  it('K2 A7 hears that it was dropped beside that, where it has both: nobody takes anything of it any more (world “oak.919”)', () => {
    const { office, alice, bob, carol } = threePeople('leaves beside a drop');
    const phone = office.open(new Person(office.team.crypto, 'Bob', bob.person), bob);
    letIn(bob, phone);
    office.link(alice, bob, carol, phone);
    office.rest();
    for (const desk of [bob, phone]) office.leave(desk);
    bob.control('leave', controlBody.leave());
    drop(alice, phone);
    office.comeBack(phone);
    office.link(alice, carol, phone);
    assert.equal(phone.engine.replica.roster.gone.get(phone.device)?.delta.kind, 'leave');
    assert.equal(phone.engine.expulsion?.delta.kind, 'drop');
  });

  it('K2 A7 nobody believes one that has said so itself, nor one of who is no manager', () => {
    const { office, alice, bob, carol } = threePeople('leaves and goes on');
    office.link(alice, bob, carol);
    const unknown = 'f'.repeat(64) as DeltaId;
    for (const desk of [bob, alice]) {
      const body = controlBody.devices([carol.device], desk.engine.keys.make(new Set([carol.device])));
      const place = { seq: 1_000, prev: unknown, tool: undefined, kind: 'drop' };
      desk.control('leave', controlBody.leave());
      office.pump();
      assert.ok(carol.engine.replica.roster.gone.has(desk.device));
      carol.hear(desk, office.team.forge(desk.person, { ...place, body }));
      assert.equal(carol.engine.expulsion, undefined);
    }
  });
});

describe('L4 a copy that is opened', () => {
  it('L4 folds what all had acknowledged when it was closed, though nothing more comes; not at once', () => {
    const { office, alice, bob, carol } = threePeople('reopened');
    office.link(alice, bob, carol);
    alice.post('acknowledged by all');
    office.pump();
    const whole = new Map<DeltaId, Uint8Array>();
    for (let round = 0; round < 4; round++) {
      for (const { delta } of bob.engine.replica.nodes()) whole.set(delta.id, delta.bytes);
      office.now += 61_000;
      for (const desk of [alice, bob, carol]) desk.wake();
      office.pump();
    }
    assert.ok(bob.engine.replica.base.isThere);
    // It was closed before it had folded, and finds all that it had.
    const again = new Desk(office, bob.person);
    for (const bytes of whole.values()) again.engine.restore(bytes);
    again.engine.opened();
    assert.equal(again.engine.advance(office.now), undefined);
    office.now += ADVANCE_EVERY_MS;
    assert.ok(again.engine.nextWake()! <= office.now);
    assert.ok(again.engine.advance(office.now)!.folded.length > 0);
    assert.ok(again.engine.replica.base.isThere);
  });
});

describe('K2 A4 who is out by two words that did not know of each other', () => {
  it('K2 A4 is told both: by the one he has he is what it says (world “fir.1186”)', () => {
    const isFirst = new Set<boolean>();
    // Both stand at one height: the ids say which is the first.
    for (let n = 0; n < 6; n++) {
      const { office, alice, bob, carol } = threePeople(`two demotions ${n}`);
      office.link(alice, bob, carol);
      for (const { person } of [bob, carol])
        alice.control('setRole', controlBody.setRole(person.account, Role.manager));
      office.rest();
      const demote = (by: Desk, role: Role) => by.control('setRole', controlBody.setRole(carol.person.account, role));
      for (const desk of [bob, carol]) office.leave(desk);
      demote(alice, Role.participant);
      office.leave(alice);
      for (const desk of [bob, carol]) office.arrive(desk);
      office.link(bob, carol);
      demote(bob, Role.guest);
      office.rest();
      office.leave(carol);
      office.arrive(alice);
      office.link(alice, bob);
      office.rest();
      assert.equal(carol.engine.replica.roster.members.get(carol.person.account)?.role, Role.guest);
      const words = bob.engine.replica.roster.wordsOut.get(carol.device)!;
      assert.equal(words.length, 2);
      isFirst.add(words[0]!.delta.device === bob.device);
      office.arrive(carol);
      office.link(bob, carol);
      assert.equal(carol.engine.expulsion?.delta.kind, 'setRole');
      assert.equal(bob.engine.session.knowsItIsOut(carol.device), true);
    }
    assert.equal(isFirst.size, 2);
  });
});

describe('K2 L7 what was dropped, and let in again by who could not', () => {
  it('K2 L7 is told why that is void, by which it is out again (world “gum.2452”)', () => {
    const { office, alice, bob, carol } = threePeople('void return');
    office.link(alice, bob, carol);
    const setRole = (role: Role) => alice.control('setRole', controlBody.setRole(bob.person.account, role));
    setRole(Role.manager);
    office.rest();
    office.leave(carol);
    drop(alice, carol);
    office.rest();
    // Bob has not heard that he is no manager any more when he lets her device in again.
    office.leave(bob);
    setRole(Role.participant);
    office.leave(alice);
    office.arrive(bob);
    const again = backAgain(office, bob, carol);
    office.leave(again);
    office.arrive(alice);
    office.link(alice, bob);
    alice.post('not for her');
    office.rest();
    const words = bob.engine.replica.roster.wordsOut.get(again.device)!;
    assert.deepEqual(
      words.map(({ delta }) => delta.kind),
      ['drop', 'setRole'],
    );
    assert.equal(bob.engine.replica.roster.gone.get(again.device), words[0]);
    const told = () => again.engine.expulsion?.delta.kind;
    assert.equal(told(), undefined, 'it has heard of the drop, and that it is in again');
    office.arrive(again);
    office.link(bob, again);
    assert.equal(told(), 'drop');
    assert.ok(!again.texts().includes('not for her'));
  });
});

describe('K2 L7 what was dropped, and let in again by who was dropped himself by then', () => {
  it('K2 L7 is told so by who has never heard that it was let in again (world “alder.889”)', () => {
    const { office, alice, bob, carol } = threePeople('return that nobody holds');
    office.link(alice, bob, carol);
    office.rest();
    office.leave(carol);
    drop(alice, carol);
    office.rest();
    const { root, parts } = bob.engine.replica.base.parts();
    office.leave(bob);
    drop(alice, bob);
    office.leave(alice);
    const again = backAgain(office, bob, carol);
    for (const [part, bytes] of parts.entries())
      again.engine.takeBase(bob.device, 'direct', { root, part, parts: parts.length, bytes });
    assert.ok(again.engine.isOutside, 'it waits for the word that has let it in');
    office.leave(again);
    assert.deepEqual(
      alice.engine.replica.roster.wordsOut.get(again.device)!.map(({ delta }) => delta.kind),
      ['drop'],
    );
    office.arrive(alice);
    office.arrive(again);
    office.link(alice, again);
    assert.equal(again.engine.expulsion?.delta.kind, 'drop');
    assert.ok(!again.engine.isOutside);
  });
});

describe('K2 A4 what was dropped by who was dropped himself, by who was taken out himself', () => {
  it('K2 A4 is told what makes the word against it stand, which it holds for void (world “umber.10958”)', () => {
    const { office, laptop, tablet, phone, bob } = withThreeDevices('word behind a word');
    office.leave(tablet);
    office.leave(phone);
    drop(laptop, phone);
    office.pump();
    drop(phone, bob);
    const words = [laptop, phone].map(
      ({ engine: { replica }, device }) => [...replica.nodes()].findLast(({ delta }) => delta.device === device)!.delta,
    );
    bob.hear(tablet, words[1]!);
    assert.equal(bob.engine.replica.verdictOf(words[1]!.id), 'cutOff');
    office.leave(laptop);
    office.leave(bob);
    // The tablet has heard of neither.
    const epoch = tablet.engine.keys.make(new Set([laptop.device]));
    tablet.control('removeDevice', controlBody.devices([laptop.device], epoch));
    for (const word of words) tablet.hear(phone, word);
    assert.ok(tablet.engine.replica.roster.gone.has(bob.device));
    const told = () => bob.engine.expulsion?.delta.id;
    assert.equal(told(), undefined);
    for (const desk of [tablet, bob]) office.arrive(desk);
    office.link(tablet, bob);
    assert.equal(told(), words[1]!.id);
  });
});
