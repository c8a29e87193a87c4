/** L6, K2, D1: from whom a base is taken, to whom it is given, and what it must not take away. */
import assert from 'node:assert/strict';
import type { DeltaId } from '../../src/base/ids.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { envelopeTag } from '../../src/sync/envelope.ts';
import { openSaid } from '../../src/sync/signed.ts';
import { chatBody } from '../../src/tools/chat/deltas.ts';
import { Desk, threePeople, type Office } from './office.ts';
import { CHAT } from './team.ts';

/** Three with a short history, which all have folded. */
function folded(seed: string): { office: Office; alice: Desk; bob: Desk; carol: Desk } {
  const people = threePeople(seed);
  const { office, alice, bob, carol } = people;
  office.link(alice, bob, carol);
  for (let n = 0; n < 5; n++) alice.post(`alice ${n}`);
  office.pump();
  office.rest();
  for (const desk of [alice, bob, carol]) assert.ok(desk.engine.replica.base.isThere);
  return people;
}

/** Somebody new, whom nothing has reached yet; `isVouchedFor`: the word says what he will begin with. */
function admit(office: Office, by: Desk, name: string, isVouchedFor: boolean): Desk {
  const person = office.team.person(name);
  const box = by.engine.keys.box([{ device: person.device, agreementKey: person.certificate.agreementKey }])!;
  const seen = isVouchedFor ? by.engine.replica.base.present() : undefined;
  const body = controlBody.admit(person.account, Role.participant, name, [person.certificate], undefined, box, seen);
  by.control('admit', body);
  office.pump();
  const desk = office.open(person, by);
  desk.engine.keys.add(by.engine.keys.epoch!);
  return desk;
}

/** Answers whether the base was begun with. */
function give(to: Desk, from: Desk, what = from.engine.replica.base.parts()): boolean {
  const { root, parts } = what;
  let hasBegun = false;
  for (const [part, bytes] of parts.entries())
    hasBegun = !!to.engine.takeBase(from.device, 'direct', { root, part, parts: parts.length, bytes }).replaced;
  return hasBegun;
}

/** Kinds of the messages that a device was sent and can read. */
function kindsSeen(desk: Desk): string[] {
  return desk.seen.flatMap((letter) => {
    const epoch = desk.engine.keys.find(envelopeTag(letter.bytes)!);
    return (epoch && openSaid(desk.office.team.crypto, epoch, letter)?.message?.kind) ?? [];
  });
}

describe('L6 a base is taken', () => {
  it('L6 from who let one in, or a manager that one knows, and from nobody else', () => {
    const { office, alice, bob } = folded('guards from');
    const dave = admit(office, alice, 'Dave', true);
    assert.equal(give(dave, bob), false);
    assert.equal(dave.engine.replica.size, 0);
    assert.equal(give(dave, alice), true);
  });

  it('L6 by who has written nothing in his feed, and by nobody else, whoever gives it', () => {
    const { alice, bob } = folded('guards written');
    const { replica } = bob.engine;
    assert.equal(give(bob, alice), false);
    assert.equal(bob.engine.replica, replica);
  });

  it('L6 D1 without what is on one’s own disk, and nowhere else, being lost', () => {
    const { office, alice, bob } = folded('guards own');
    office.leave(bob);
    bob.post('not told yet');
    bob.engine.beginFeed(1);
    assert.equal(give(bob, alice), true);
    assert.ok(bob.texts().includes('not told yet'));
    assert.ok(!alice.texts().includes('not told yet'));
  });
});

describe('L6 a base is given', () => {
  it('L6 by nobody who has one for which nobody has vouched', () => {
    const { office, alice } = folded('guards vouched');
    const eve = admit(office, alice, 'Eve', false);
    const dave = admit(office, alice, 'Dave', false);
    assert.equal(give(dave, alice), true);
    for (const { delta } of alice.engine.replica.tail()) dave.hear(alice, delta);
    assert.equal(dave.engine.replica.isConfirmed, false);
    eve.engine.sponsored([dave]);
    assert.ok(dave.engine.replica.roster.devices.has(eve.device));
    office.link(dave, eve);
    assert.ok(!kindsSeen(eve).includes('base'));
    assert.equal(eve.engine.replica.base.isThere, false);
    // A manager's word for just that changes it.
    alice.control('checkpoint', controlBody.checkpoint(dave.engine.replica.base.present()));
    office.link(alice, dave, eve);
    assert.ok(dave.engine.replica.isConfirmed);
  });

  it('L6 N4 by another who has let in who is to have it, where one of them has none to give (world “every run.18”)', () => {
    const { office, alice } = folded('guards sponsors');
    const eve = admit(office, alice, 'Eve', false);
    const dave = admit(office, alice, 'Dave', false);
    assert.equal(give(dave, alice), true);
    for (const { delta } of alice.engine.replica.tail()) dave.hear(alice, delta);
    eve.engine.sponsored([dave]);
    office.link(alice, dave, eve);
    office.rest();
    assert.equal(eve.engine.replica.size, 0, 'nothing here says that Alice is a manager');
    eve.engine.sponsored([alice, dave]);
    office.link(alice, eve);
    assert.deepEqual(eve.texts(), alice.texts());
  });

  it('L6 as it stood when it began: meanwhile nothing is folded', () => {
    const { office, alice, bob, carol } = folded('guards offering');
    const dave = admit(office, alice, 'Dave', true);
    // He hears nothing of what he is sent.
    dave.take = () => undefined;
    office.link(alice, dave);
    const have = { kind: 'have', vector: [], answer: false, root: '', needsCopy: false } as const;
    office.send(alice, alice.engine.received(dave.device, 'direct', have, alice.engine.keys.inUse!, office.now));
    assert.ok(alice.engine.session.offeringUntil > office.now);
    bob.post('more');
    office.pump();
    const { root } = alice.engine.replica.base.present();
    for (let n = 0; n < 3; n++) {
      office.now += 61_000;
      for (const desk of [alice, bob, carol]) desk.wake();
      office.pump();
    }
    assert.deepEqual(alice.engine.replica.base.present().root, root);
    // Whoever is so slow is waited for no longer, though nothing more comes (world “run.25”).
    office.now += 11 * 60_000;
    assert.ok(alice.engine.nextWake()! <= office.now);
    alice.wake();
    assert.notDeepEqual(alice.engine.replica.base.present().root, root);
  });

  it('L6 so it is, too, where all that is to be folded was here when the store was opened', () => {
    const { office, alice, bob, carol } = folded('guards opened');
    bob.post('more');
    office.pump();
    office.now += 61_000;
    for (const desk of [bob, carol]) desk.wake();
    office.pump();
    office.spread();
    alice.control('ack', controlBody.ack());
    const { root, parts } = alice.engine.replica.base.parts();
    const again = new Desk(office, alice.person);
    const kept = parts.map((bytes, part) => ({ root, part, parts: parts.length, bytes }));
    assert.equal(again.engine.restoreBase(kept, undefined), true);
    for (const { delta } of alice.engine.replica.tail()) again.engine.restore(delta.bytes);
    again.engine.opened();
    assert.equal(again.engine.advance(office.now), undefined, 'not at once');
    const have = { kind: 'have', vector: [], answer: false, root: '', needsCopy: false } as const;
    again.engine.received(carol.device, 'direct', have, again.engine.keys.inUse!, office.now);
    office.now += 61_000;
    assert.equal(again.engine.advance(office.now), undefined);
    office.now += 10 * 60_000;
    assert.ok(again.engine.advance(office.now)!.folded.length > 0);
  });

  it('L6 L4 nor does one who asks for it again and again keep anybody from folding', () => {
    const { office, alice, bob, carol } = folded('guards asking');
    const { inUse } = alice.engine.keys;
    const have = { kind: 'have', vector: [], answer: false, root: '', needsCopy: false } as const;
    bob.post('more');
    office.pump();
    const before = alice.engine.replica.base.present().root;
    for (let minutes = 0; minutes < 14; minutes++) {
      office.now += 61_000;
      for (const desk of [alice, bob, carol]) desk.wake();
      office.pump();
      // He has it, and has nothing.
      const { root } = alice.engine.replica.base.present();
      const all = { kind: 'needBase', root, part: 9 } as const;
      for (const message of [all, have]) alice.engine.received(carol.device, 'direct', message, inUse!, office.now);
    }
    assert.notDeepEqual(alice.engine.replica.base.present().root, before);
  });

  it('L6 D1 L4 without what is not on its giver’s disk yet: that is folded when it is (world “losth.107”)', () => {
    const { office, alice, bob, carol } = folded('guards durable');
    for (const desk of [bob, carol]) alice.remove(desk);
    office.rest();
    const body = chatBody({ kind: 'post', text: 'not durable' });
    const growth = alice.engine.author([{ tool: CHAT, kind: 'post', body }], office.now);
    const cutLater = () => {
      office.now += 61_000;
      alice.engine.advance(office.now);
      return alice.engine.replica.feeds.cut().get(growth.nodes.at(-1)!.delta.feed)!;
    };
    const { seq } = growth.nodes.at(-1)!.delta;
    assert.ok(cutLater() < seq, 'she is alone, and the disk is slow');
    alice.engine.stored(growth, office.now);
    assert.equal(cutLater(), seq);
  });

  it('K2 to nobody who was taken out', () => {
    const { office, alice, bob, carol } = folded('guards out');
    office.leave(carol);
    alice.post('while she was away');
    office.pump();
    alice.remove(carol);
    for (let n = 0; n < 5; n++) alice.post(`later ${n}`);
    office.pump();
    office.rest();
    office.comeBack(carol);
    office.link(alice, bob, carol);
    assert.ok(!kindsSeen(carol).includes('base'));
    assert.equal(carol.engine.expulsion?.delta.kind, 'remove');
  });
});

describe('K2 a word that rests on what will never come', () => {
  const nowhere = 'ab'.repeat(32) as DeltaId;

  function word(office: Office, by: Desk, against: Desk) {
    const notice = by.engine.keys.make(new Set([against.device]));
    const body = controlBody.remove(against.person.account, notice);
    return office.team.forge(by.person, { seq: 1_000, prev: nowhere, tool: undefined, kind: 'remove', body });
  }

  it('K2 takes out whom its author stands above', () => {
    const { office, alice, carol } = folded('guards above');
    carol.hear(alice, word(office, alice, carol));
    assert.equal(carol.engine.expulsion?.delta.kind, 'remove');
  });

  it('K2 D1 is told when it is on its author’s disk, and not before', () => {
    const { office, alice, carol } = folded('guards word durable');
    const body = controlBody.devices([carol.device], alice.engine.keys.make(new Set([carol.device])));
    const growth = alice.engine.author([{ tool: undefined, kind: 'drop', body }], office.now);
    // As from a back-up: what she says to hold is folded at Alice's.
    const vector = [{ feed: growth.nodes[0]!.delta.feed, seq: 1, tip: '0'.repeat(16) }];
    const have = { kind: 'have', vector, answer: false, root: '', needsCopy: false } as const;
    office.send(alice, alice.engine.received(carol.device, 'direct', have, alice.engine.keys.inUse!, office.now));
    office.pump();
    const told = () => carol.engine.expulsion?.delta.kind;
    assert.equal(told(), undefined);
    office.send(alice, alice.engine.stored(growth, office.now));
    office.pump();
    assert.equal(told(), 'drop');
  });

  it('K2 takes out nobody else', () => {
    const { office, alice, bob, carol } = folded('guards below');
    carol.hear(bob, word(office, bob, carol));
    alice.hear(bob, word(office, bob, alice));
    assert.equal(carol.engine.expulsion, undefined);
    assert.equal(alice.engine.expulsion, undefined);
  });
});
