/**
 * Keys and membership at the engine (section 4): who is told what, under which epoch. What passes here is sealed bytes: whoever
 * opens them could read them, so a removed member's engine, modified or not, stands for all that he can know.
 */
import assert from 'node:assert/strict';
import { MAX_CHAT_TEXT_BYTES, MAX_MESSAGE_BYTES } from '../../src/protocol/limits.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { feedOf, type Delta } from '../../src/sync/delta.ts';
import { ACK_EVERY_MS, ACK_IDLE_MS, FIRST_ACK_MS } from '../../src/sync/duties.ts';
import { envelopeTag, openMessage } from '../../src/sync/envelope.ts';
import type { FeedMark } from '../../src/sync/messages.ts';
import type { Outgoing } from '../../src/sync/outgoing.ts';
import { ACK_SPREAD_MS } from '../../src/sync/session.ts';
import { Desk, threePeople, type Office } from './office.ts';
import { stateOf, type Person } from './team.ts';

/** Bob’s store was put back to before all that he has written was folded: it is opened as it was, and goes on in another feed. */
function putBackToBeforeFolding(seed: string) {
  const { office, alice, bob, carol } = threePeople(seed);
  office.link(alice, bob);
  bob.post('before');
  office.pump();
  const kept = [...bob.engine.replica.nodes()].map(({ delta }) => delta.bytes);
  for (const text of ['lost', 'lost, too']) bob.post(text);
  alice.remove(carol);
  office.rest();
  office.leave(bob);
  alice.post('upon all that');
  office.rest();
  const feed = feedOf(bob.device, 0);
  const { feeds } = alice.engine.replica;
  assert.equal(feeds.cut().get(feed), alice.engine.replica.vector().get(feed), 'all of it is folded');
  return { office, alice, again: putBack(office, bob.person, kept), feed };
}

/** D2: his store, as it was when it held these alone; what has waited for him at the relay is gone. */
function putBack(office: Office, person: Person, kept: readonly Uint8Array[]): Desk {
  const again = new Desk(office, person);
  again.engine.keys.add({ ...office.team.epoch, key: office.team.epoch.key.slice() });
  for (const bytes of kept) again.engine.restore(bytes);
  again.engine.opened();
  again.engine.beginFeed(1);
  again.engine.awaitWord();
  office.desks.set(again.device, again);
  office.arrive(again);
  office.expire(again);
  return again;
}

describe('K the engine and its keys', () => {
  it('K2 a removal carries the new epoch: those who stay go on under it, and who is removed is told, and nothing after', () => {
    const { office, alice, bob, carol } = threePeople('K2');
    office.link(alice, bob, carol);
    alice.post('for all three');
    office.pump();
    alice.remove(carol);
    alice.post('for two');
    office.pump();
    bob.post('and from Bob');
    office.pump();
    assert.deepEqual(alice.texts(), ['and from Bob', 'for all three', 'for two']);
    assert.deepEqual(stateOf(bob.engine.replica), stateOf(alice.engine.replica));
    assert.equal(carol.engine.replica.roster.members.has(carol.person.account), false, 'she knows');
    assert.deepEqual(carol.texts(), ['for all three']);
    assert.ok(alice.engine.session.knowsItIsOut(carol.device));
    const newest = alice.engine.keys.inUse!;
    assert.notEqual(newest, office.team.epoch.tag);
    assert.equal(bob.engine.keys.inUse, newest);
    assert.equal(carol.engine.keys.find(newest), undefined);
  });

  it('D1 S1 who acknowledges says what is on disk, and not what has come since', () => {
    const { office, alice, bob } = threePeople('D1 acknowledged');
    for (const text of ['first', 'second']) alice.post(text);
    const run = [...alice.engine.replica.nodes()].slice(-2).map(({ delta }) => delta);
    const take = ({ bytes }: Delta) => bob.engine.ingest(alice.device, 'direct', [[bytes]], office.now);
    const growths = run.map(take);
    const told = growths.map((growth) => headsIn(bob.engine.stored(growth, office.now)));
    assert.deepEqual(
      told,
      run.map(({ seq }) => [seq]),
    );
  });

  it('D1 S1 who says what he holds says what is on disk, of others, too: after a crash it is sent again to who meets nobody', () => {
    const { office, alice, bob } = threePeople('D1 held');
    for (const text of ['first', 'second']) alice.post(text);
    const run = [...alice.engine.replica.nodes()].slice(-2).map(({ delta }) => delta);
    const [first, second] = run.map(({ bytes }) => bob.engine.ingest(alice.device, 'direct', [[bytes]], office.now));
    const told = () => {
      const [{ message }] = bob.engine.session.greet(alice.device, (office.now += 61_000)) as [Outgoing];
      assert.ok(message.kind === 'have');
      return message;
    };
    const seqIn = ({ vector }: ReturnType<typeof told>) => vector.find(({ feed }) => feed === run[0]!.feed)!.seq;
    const before = told();
    assert.equal(seqIn(before), run[0]!.seq - 1);
    assert.equal(bob.engine.replica.mark.workOut(), undefined, 'nor does he say what more adds up to');
    // As if Bob had crashed now: what Alice believes of him is what there is, and it goes to his relay.
    const path = 'relay';
    alice.engine.received(bob.device, path, before, bob.engine.keys.inUse!, office.now);
    assert.equal(alice.engine.session.isRelayed(bob.device), false);
    bob.engine.stored(first!, office.now);
    assert.equal(seqIn(told()), run[0]!.seq);
    bob.engine.stored(second!, office.now);
    assert.equal(seqIn(told()), run[1]!.seq);
    assert.notEqual(bob.engine.replica.mark.workOut(), undefined);
  });

  it('D5 S3 what waited is acknowledged with what it waited for', () => {
    const { office, alice, bob, carol } = threePeople('S3 waited');
    alice.post('first');
    const first = [...alice.engine.replica.nodes()].at(-1)!.delta;
    carol.hear(alice, first);
    carol.post('upon it');
    const upon = [...carol.engine.replica.nodes()].at(-1)!.delta;
    const take = ({ bytes }: Delta) => bob.engine.ingest(alice.device, 'direct', [[bytes]], office.now);
    assert.deepEqual(headsIn(bob.engine.stored(take(upon), office.now)), []);
    assert.deepEqual(new Set(headsIn(bob.engine.stored(take(first), office.now))), new Set([first.seq, upon.seq]));
  });

  it('K2 the word of it waits at the relay, for who is removed and for who stays', () => {
    const { office, alice, bob, carol } = threePeople('K2 relay');
    office.leave(bob);
    office.leave(carol);
    alice.remove(carol);
    alice.post('for Bob alone');
    office.pump();
    office.comeBack(carol);
    assert.equal(carol.engine.replica.roster.members.has(carol.person.account), false);
    assert.deepEqual(carol.texts(), []);
    office.comeBack(bob);
    assert.deepEqual(bob.texts(), ['for Bob alone']);
    assert.equal(bob.engine.keys.inUse, alice.engine.keys.inUse);
  });

  it('K2 nothing that anybody is sent after a removal opens under an epoch the removed member holds, but its past', () => {
    const { office, alice, bob, carol } = threePeople('K2 sniffed');
    office.link(alice, bob, carol);
    office.leave(bob);
    alice.remove(carol);
    alice.post('a secret');
    office.pump();
    office.comeBack(bob);
    office.link(alice, bob);
    bob.post('another');
    office.pump();
    // She has all that went over the wires, and every key that she ever held.
    const { crypto } = office.team;
    for (const desk of office.desks.values()) {
      for (const { bytes } of desk.seen) {
        const epoch = carol.engine.keys.find(envelopeTag(bytes)!);
        const opened = epoch && openMessage(crypto, epoch, bytes);
        const text = opened === undefined ? '' : Buffer.from(opened).toString('latin1');
        assert.ok(!text.includes('a secret') && !text.includes('another'));
      }
    }
    assert.deepEqual(bob.texts(), ['a secret', 'another']);
  });

  it('K3 a leave makes no epoch: whoever writes next does, first', () => {
    const { office, alice, bob, carol } = threePeople('K3');
    office.link(alice, bob, carol);
    carol.control('leave', controlBody.leave());
    office.pump();
    assert.equal(alice.engine.keys.isClean, false);
    bob.post('after she left');
    office.pump();
    assert.deepEqual(alice.texts(), ['after she left']);
    assert.ok(alice.engine.keys.isClean && bob.engine.keys.isClean);
    assert.equal(alice.engine.keys.inUse, bob.engine.keys.inUse);
    assert.equal(carol.engine.keys.find(bob.engine.keys.inUse!), undefined);
    assert.deepEqual(carol.texts(), []);
  });

  it('K3 one that was made without having seen a leave is not clean, though the leaver is boxed in none: he may have asked for it', () => {
    const { office, alice, bob, carol } = threePeople('K3 unseen');
    office.link(alice, bob, carol);
    alice.control('setRole', controlBody.setRole(bob.person.account, Role.manager));
    office.pump();
    office.leave(bob);
    const dave = office.team.person('Dave');
    const box = alice.engine.keys.box([{ device: dave.device, agreementKey: dave.certificate.agreementKey }])!;
    const body = controlBody.admit(dave.account, Role.participant, 'Dave', [dave.certificate], undefined, box);
    alice.control('admit', body);
    const desk = office.open(dave, alice);
    office.link(alice, desk);
    bob.remove(carol);
    const made = bob.engine.keys.inUse!;
    desk.control('leave', controlBody.leave());
    office.pump();
    office.arrive(bob);
    office.link(alice, bob);
    assert.equal(alice.engine.keys.inUse, made);
    assert.equal(alice.engine.keys.isClean, false);
    alice.post('under another');
    office.pump();
    assert.ok(alice.engine.keys.isClean && bob.engine.keys.isClean);
    assert.notEqual(alice.engine.keys.inUse, made);
    assert.deepEqual(bob.texts(), ['under another']);
  });

  it('K3 one is not clean that was made without having seen every word that takes somebody out: who had seen one of them may have let him in again', () => {
    const isFirst = new Set<boolean>();
    for (let n = 0; n < SEEDS; n++) {
      const { office, alice, bob, carol, dave, made } = askedForBetween(`K3 two words ${n}`);
      dave.remove(carol);
      office.comeBack(alice);
      const words = alice.engine.replica.roster.wordsOut.get(carol.device)!;
      assert.equal(words.length, 2);
      isFirst.add(words[0]!.delta.device === dave.device);
      assert.equal(alice.engine.keys.inUse, made);
      assert.ok(carol.engine.keys.find(made), 'she was given it while she was in');
      assert.equal(alice.engine.keys.isClean, false);
      alice.post('not for Carol');
      office.pump();
      assert.deepEqual(bob.texts(), ['Carol is here', 'not for Carol', 'while she is in']);
      assert.ok(alice.engine.keys.isClean && bob.engine.keys.isClean);
      assert.equal(carol.engine.keys.find(alice.engine.keys.inUse), undefined);
    }
    assert.equal(isFirst.size, 2, 'whichever of the two sorts first');
  });

  it('K3 nor one that was made without having seen what let in, and is void, who is out: who had seen it may have given it to him', () => {
    const { office, alice, bob, carol, dave, made } = askedForBetween('K3 let in in vain');
    dave.control('setRole', controlBody.setRole(bob.person.account, Role.participant));
    office.comeBack(alice);
    assert.equal(alice.engine.replica.roster.members.has(carol.person.account), false);
    assert.equal(alice.engine.keys.inUse, made);
    assert.ok(carol.engine.keys.find(made), 'she was given it while she was in');
    assert.equal(alice.engine.keys.isClean, false);
    alice.post('not for Carol');
    office.pump();
    assert.deepEqual(bob.texts(), ['Carol is here', 'not for Carol']);
    assert.ok(alice.engine.keys.isClean && bob.engine.keys.isClean);
    assert.equal(carol.engine.keys.find(alice.engine.keys.inUse), undefined);
  });

  it('K3 nor one that was made without having seen what had made void, and is void itself, the word by which somebody is out: he was in meanwhile', () => {
    const { office, alice, bob, carol } = threePeople('K3 stands again');
    const [david, zoey, eve] = ['Dave', 'Zoe', 'Eve'].map((name) => office.team.person(name)) as [
      Person,
      Person,
      Person,
    ];
    for (const person of [david, zoey]) alice.admit(person, Role.manager);
    alice.admit(eve);
    alice.control('setRole', controlBody.setRole(bob.person.account, Role.manager));
    const [dave, zoe] = [office.open(david, alice), office.open(zoey, alice)];
    office.link(alice, bob, carol, dave, zoe);
    for (const one of [dave, zoe]) one.post('here');
    for (const away of [alice, dave]) office.leave(away);
    bob.remove(carol);
    office.pump();
    zoe.control('remove', controlBody.remove(eve.account, zoe.engine.keys.make(new Set([eve.device]))));
    office.pump();
    const made = zoe.engine.keys.inUse!;
    const isIn = ({ engine }: Desk) => engine.replica.roster.devices.has(carol.device);
    assert.ok(!isIn(bob) && !isIn(zoe) && !carol.engine.keys.find(made));
    // Neither has heard of anything.
    dave.control('setRole', controlBody.setRole(bob.person.account, Role.participant));
    const word = { tool: undefined, kind: 'setRole', body: controlBody.setRole(david.account, Role.participant) };
    void alice.engine.stored(alice.engine.author([word], office.now), office.now);
    office.arrive(dave);
    office.link(bob, carol, dave, zoe);
    assert.ok(isIn(bob) && isIn(zoe) && zoe.engine.keys.isClean);
    zoe.post('while she is in');
    office.pump();
    assert.ok(carol.texts().includes('while she is in') && carol.engine.keys.find(made), 'she was given it');
    office.arrive(alice);
    office.link(alice, bob, dave, zoe);
    const members = [alice, bob, dave, zoe];
    assert.ok(!members.some(isIn), 'the first word stands again');
    assert.deepEqual(new Set(members.map(({ engine }) => engine.keys.inUse)), new Set([made]));
    assert.ok(members.every(({ engine }) => !engine.keys.isClean));
    alice.post('not for Carol');
    office.pump();
    assert.ok(members.every(({ engine }) => engine.keys.isClean && engine.keys.inUse === alice.engine.keys.inUse));
    assert.ok(
      members.every((one) => one.texts().includes('not for Carol')) && !carol.texts().includes('not for Carol'),
    );
    assert.equal(carol.engine.keys.find(alice.engine.keys.inUse!), undefined);
  });

  it('K3 nor one made without having seen what had made it void, and is void itself since its author’s role is: nothing else that takes somebody out says so', () => {
    const { office, alice, bob, carol } = threePeople('K3 stands again, by a role that is void');
    const [david, zoey, eve, zedd] = ['Dave', 'Zoe', 'Eve', 'Zed'].map((name) => office.team.person(name)) as [
      Person,
      Person,
      Person,
      Person,
    ];
    for (const person of [zoey, zedd]) alice.admit(person, Role.manager);
    for (const person of [david, eve]) alice.admit(person);
    const [dave, zoe, zed] = [david, zoey, zedd].map((person) => office.open(person, alice)) as [Desk, Desk, Desk];
    office.link(alice, bob, carol, dave, zoe, zed);
    for (const one of [dave, zoe, zed]) one.post('here');
    office.pump();
    office.leave(alice);
    zed.control('setRole', controlBody.setRole(david.account, Role.manager));
    office.pump();
    zoe.control('setRole', controlBody.setRole(bob.person.account, Role.manager));
    office.pump();
    office.leave(dave);
    bob.remove(carol);
    office.pump();
    zoe.control('remove', controlBody.remove(eve.account, zoe.engine.keys.make(new Set([eve.device]))));
    office.pump();
    const made = zoe.engine.keys.inUse!;
    const isIn = ({ engine }: Desk) => engine.replica.roster.devices.has(carol.device);
    assert.ok(!isIn(bob) && !isIn(zoe) && !carol.engine.keys.find(made));
    dave.control('setRole', controlBody.setRole(bob.person.account, Role.participant));
    const word = { tool: undefined, kind: 'setRole', body: controlBody.setRole(zedd.account, Role.participant) };
    void alice.engine.stored(alice.engine.author([word], office.now), office.now);
    office.arrive(dave);
    office.link(bob, carol, dave, zoe);
    assert.ok(isIn(bob) && isIn(zoe) && zoe.engine.keys.isClean);
    zoe.post('while she is in');
    office.pump();
    assert.ok(carol.engine.keys.find(made), 'she was given it');
    office.arrive(alice);
    office.link(alice, bob, dave, zoe, zed);
    const members = [alice, bob, dave, zoe, zed];
    assert.ok(!members.some(isIn), 'the first word stands again');
    assert.ok(members.every(({ engine }) => !engine.keys.isClean));
  });

  it('K3 of two epochs made at once both copies use the same one', () => {
    const { office, alice, bob, carol } = threePeople('K3 twice');
    const dave = office.team.person('Dave');
    office.link(alice, bob, carol);
    alice.control('setRole', controlBody.setRole(bob.person.account, Role.manager));
    alice.write({
      tool: undefined,
      kind: 'admit',
      body: controlBody.admit(
        dave.account,
        Role.participant,
        'Dave',
        [dave.certificate],
        undefined,
        alice.engine.keys.box([{ device: dave.device, agreementKey: dave.certificate.agreementKey }])!,
      ),
    });
    office.pump();
    office.leave(alice);
    alice.remove(carol);
    bob.control('remove', controlBody.remove(dave.account, bob.engine.keys.make(new Set([dave.device]))));
    office.comeBack(alice);
    office.link(alice, bob);
    // Each epoch is boxed to the one whom the other removal took out: neither is clean, and the next to write makes one.
    assert.equal(alice.engine.keys.isClean, false);
    alice.post('now');
    office.pump();
    assert.deepEqual(bob.texts(), ['now']);
    assert.ok(bob.engine.keys.isClean);
    assert.equal(alice.engine.keys.inUse, bob.engine.keys.inUse);
  });

  it('K1 a device whose box is bad asks, and any member boxes it again', () => {
    const { office, alice, bob, carol } = threePeople('K1');
    office.link(alice, bob, carol);
    // A box that is Bob's by its name and opens for nobody.
    const [commit, ephemeral, boxes] = alice.engine.keys.make(new Set([carol.device])) as [
      Uint8Array,
      Uint8Array,
      unknown[],
    ];
    const spoilt = boxes.map((box) => {
      const [prefix, sealed] = box as [Uint8Array, Uint8Array];
      const isBobs = bob.device.startsWith(Buffer.from(prefix).toString('hex'));
      return [prefix, isBobs ? sealed.map((byte) => byte ^ 1) : sealed];
    });
    alice.control('remove', controlBody.remove(carol.person.account, [commit, ephemeral, spoilt]));
    alice.post('under a key that Bob lacks');
    office.pump();
    assert.deepEqual(bob.texts(), ['under a key that Bob lacks']);
    assert.equal(bob.locked.length, 0);
  });

  it('K1 who gets no answer asks again under the seal of the two: neither may hold a key of the other’s (world “gold.1708”)', () => {
    const { office, alice, bob } = threePeople('K1 again');
    const unknown = '7'.repeat(16);
    const asked = () => bob.engine.askForKey(alice.device, 'direct', unknown, office.now).map(({ under }) => under);
    assert.deepEqual(asked(), [bob.engine.keys.inUse]);
    assert.deepEqual(asked(), [], 'not at once');
    office.now += 10_000;
    const pair = bob.engine.keys.pairWith(alice.device)!;
    assert.deepEqual(asked(), [pair]);
    assert.ok(alice.engine.sealKey(pair, bob.device), 'she can open it whatever else she holds');
  });

  it('K1 who is no member is given no key', () => {
    const { office, alice, bob, carol } = threePeople('K1 refused');
    office.link(alice, bob, carol);
    alice.remove(carol);
    alice.post('for two');
    office.pump();
    const before = carol.seen.length;
    office.send(carol, [
      {
        to: [bob.device],
        path: 'direct',
        message: { kind: 'needKey', epoch: bob.engine.keys.inUse! },
        lane: 0,
        ephemeral: false,
        under: office.team.epoch.tag,
      },
    ]);
    office.pump();
    assert.equal(carol.seen.length, before);
  });

  it('K1 K2 no key is given where the word that has made it is not here: who seems to be in may be out by it (world “birch.2362”)', () => {
    const { office, alice, bob, carol } = threePeople('K1 begun anew');
    office.link(alice, bob, carol);
    const before = [...bob.engine.replica.nodes()];
    alice.remove(carol);
    office.pump();
    // As a copy that has begun anew, from the beginning of the log.
    const again = new Desk(office, bob.person);
    for (const epoch of bob.engine.keys.held()) again.engine.keys.add(epoch);
    for (const { delta } of before) again.hear(alice, delta);
    const { inUse } = bob.engine.keys;
    assert.ok(again.engine.replica.roster.devices.has(carol.device));
    assert.deepEqual(again.engine.keyFor(carol.device, 'direct', inUse!), []);
    assert.deepEqual(again.engine.keyFor(alice.device, 'direct', inUse!), []);
    for (const { delta } of alice.engine.replica.nodes()) again.hear(alice, delta);
    assert.deepEqual(again.engine.keyFor(carol.device, 'direct', inUse!), []);
    assert.equal(again.engine.keyFor(alice.device, 'direct', inUse!).length, 1);
  });

  it('D2 who may have lost of his log writes nothing before another has said how far it went, and that is here', () => {
    const { office, alice, bob, carol } = threePeople('D2 awaits the word');
    office.link(alice, bob);
    bob.post('before');
    office.pump();
    const again = new Desk(office, bob.person);
    for (const epoch of bob.engine.keys.held()) again.engine.keys.add(epoch);
    for (const { delta } of bob.engine.replica.nodes()) if (delta.device !== bob.device) again.hear(alice, delta);
    again.engine.awaitWord();
    office.now += 61_000;
    assert.equal(again.engine.isAwaitingWord, true);
    assert.deepEqual(again.engine.duties(office.now), []);
    const feed = feedOf(bob.device, 0);
    const tip = '0'.repeat(16);
    const held = [...alice.engine.replica.vector()].map(([of, seq]) => ({ feed: of, seq, tip }));
    const have = { kind: 'have', vector: held, answer: false, root: '', needsCopy: false } as const;
    const hear = (vector: readonly FeedMark[], from = alice) =>
      again.engine.received(from.device, 'direct', { ...have, vector }, again.engine.keys.inUse!, office.now);
    hear([], carol);
    assert.equal(again.engine.isAwaitingWord, true, 'who says that he holds nothing has not told it');
    hear([{ feed, seq: 0, tip }], carol);
    assert.equal(again.engine.isAwaitingWord, true, 'nor what he has been given from here since');
    hear(have.vector);
    assert.equal(again.engine.isAwaitingWord, true, 'it is told, and not here');
    hear([]);
    assert.equal(again.engine.isAwaitingWord, true, 'nor taken it back');
    for (const { delta } of bob.engine.replica.nodes()) again.hear(alice, delta);
    assert.equal(again.engine.isAwaitingWord, false);
  });

  it('D2 L6 it is told, too, where what it had written comes with a base, in which that is folded', () => {
    const { office, alice, again, feed } = putBackToBeforeFolding('D2 the word comes with a base');
    office.link(alice, again);
    assert.deepEqual(again.texts(), ['before', 'lost', 'lost, too', 'upon all that']);
    assert.equal(again.engine.replica.vector().get(feed), alice.engine.replica.vector().get(feed));
    assert.equal(again.engine.isAwaitingWord, false);
    again.post('after');
    office.rest();
    assert.deepEqual(alice.texts(), again.texts());
  });

  it('D2 L6 nothing need come after that base', () => {
    const { office, alice, again, feed } = putBackToBeforeFolding('D2 the word comes with a base alone');
    const { base, feeds } = alice.engine.replica;
    const own = feedOf(alice.device, 0);
    const vector = [feed, own].map((one) => ({ feed: one, seq: feeds.cut().get(one)!, tip: '0'.repeat(16) }));
    const have = { kind: 'have', vector, answer: false, root: '', needsCopy: false } as const;
    again.engine.received(alice.device, 'direct', have, again.engine.keys.inUse!, office.now);
    assert.ok(again.engine.isAwaitingWord);
    const { root, parts } = base.parts();
    for (const [part, bytes] of parts.entries())
      again.engine.takeBase(alice.device, 'direct', { root, part, parts: parts.length, bytes });
    assert.equal(again.engine.isAwaitingWord, false);
  });

  it('D2 A7 who had left, and whose store was put back to before that, hears it from who has folded what he had said before (world “rough-tt.2060”)', () => {
    for (const isPastGone of [false, true]) {
      const { office, alice, bob, carol } = threePeople(`D2 A7 left ${String(isPastGone)}`);
      office.link(alice, bob, carol);
      bob.post('before');
      office.pump();
      const kept = [...bob.engine.replica.nodes()].map(({ delta }) => delta.bytes);
      for (const text of isPastGone ? ['lost', 'lost, too'] : []) bob.post(text);
      bob.control('leave', controlBody.leave());
      office.pump();
      office.leave(bob);
      office.rest();
      const again = putBack(office, bob.person, kept);
      assert.ok(again.engine.replica.roster.devices.has(again.device));
      office.link(alice, again);
      for (let times = 0; times < 4; times++) office.rest();
      assert.equal(again.engine.expulsion?.delta.kind, 'leave');
    }
  });

  it('D2 S1 who awaits that word asks for it where a path opens: it may have been said on it before he could listen', () => {
    const { office, alice, bob } = threePeople('D2 asks on a path');
    const { inUse } = alice.engine.keys;
    const asksOn = () => {
      const [have] = bob.engine.session.reached(alice.device, 'direct', office.now);
      bob.engine.session.reached(alice.device, 'none', office.now);
      return have?.message.kind === 'have' && have.message.answer;
    };
    assert.equal(asksOn(), false);
    bob.engine.awaitWord();
    assert.equal(asksOn(), true);
    const have = { kind: 'have', vector: [{ feed: feedOf(bob.device, 0), seq: 1, tip: '0'.repeat(16) }] } as const;
    const said = { ...have, answer: false, root: '', needsCopy: false };
    bob.engine.received(alice.device, 'direct', said, inUse!, office.now);
    assert.ok(bob.engine.isAwaitingWord, 'it is told, and not here');
    assert.equal(asksOn(), false);
  });

  it('D2 N4 where the only other that there is has no copy yet it asks him again when he has been given one', () => {
    const { office, alice, bob, carol } = threePeople('D2 the word of who has none');
    office.link(alice, bob, carol);
    alice.post('something');
    office.rest();
    for (const desk of [bob, carol]) alice.remove(desk);
    office.rest();
    for (const desk of [bob, carol]) office.leave(desk);
    const person = office.team.person('Dave');
    alice.admit(person);
    const dave = office.open(person, alice);
    dave.engine.keys.add(alice.engine.keys.epoch!);
    alice.engine.awaitWord();
    office.link(alice, dave);
    assert.deepEqual(dave.texts(), alice.texts());
    assert.equal(alice.engine.isAwaitingWord, false);
  });

  it('D2 what comes back of the older own feed is named at once, be it an acknowledgement: others do not take it before (world “daisy.1396”)', () => {
    const { office, alice, bob } = threePeople('D2 an ack comes back');
    office.link(alice, bob);
    alice.post('something');
    office.pump();
    const lastOf = (desk: Desk) =>
      [...desk.engine.replica.nodes()].findLast(({ delta }) => delta.device === desk.device)!.delta;
    bob.control('ack', controlBody.ack());
    const lost = lastOf(bob);
    alice.hear(bob, lost);
    alice.control('ack', controlBody.ack());
    const naming = lastOf(alice);
    const all = [...alice.engine.replica.nodes()].map(({ delta }) => delta);
    const again = new Desk(office, bob.person);
    for (const epoch of bob.engine.keys.held()) again.engine.keys.add(epoch);
    for (const delta of all) if (delta.id !== lost.id && delta !== naming) again.hear(alice, delta);
    again.engine.beginFeed(1);
    again.post('anew');
    office.now += 61_000;
    for (const delta of [naming, lost]) again.hear(alice, delta);
    assert.ok(again.engine.replica.node(lost.id));
    assert.equal(again.engine.replica.own.isAckDue, false);
    assert.deepEqual(
      again.engine.duties(office.now).map(({ kind }) => kind),
      ['ack'],
    );
    // Where it may not write, as while another copy of its store does, it is not asked for it again at once, and again.
    assert.deepEqual(again.engine.duties(office.now), []);
    assert.ok(again.engine.nextWake()! > office.now);
    again.control('ack', controlBody.ack());
    assert.equal(again.engine.replica.own.hasComeBack, false);
    assert.deepEqual(again.engine.duties(office.now + 61_000), [], 'once');
  });

  it('D2 S3 who awaits that word asks whoever is there with each beat by relay, be it that he has all', () => {
    const { office, alice, bob } = threePeople('D2 asks for the word');
    office.link(alice, bob);
    bob.post('before');
    office.rest();
    office.leave(alice);
    const beat = () => {
      office.now += 61_000;
      return bob.engine.heardBeat(alice.device, office.now).map(({ message }) => message.kind);
    };
    assert.ok(bob.engine.session.inSync(alice.device));
    assert.deepEqual(beat(), []);
    bob.engine.awaitWord();
    assert.deepEqual(beat(), ['have']);
  });

  it('L4 an ack is written when idle, at most one a minute, and never for acks alone', () => {
    const { office, alice, bob, carol } = threePeople('L4');
    office.link(alice, bob, carol);
    alice.post('something');
    office.pump();
    assert.deepEqual(bob.engine.duties(office.now), []);
    const due = bob.engine.nextWake()!;
    assert.ok(due >= office.now + ACK_IDLE_MS);
    office.now = due;
    const duties = bob.engine.duties(office.now);
    assert.deepEqual(
      duties.map(({ kind }) => kind),
      ['ack'],
    );
    bob.write(...duties);
    office.pump();
    bob.post('more');
    alice.post('and more');
    office.pump();
    office.now += ACK_IDLE_MS;
    assert.deepEqual(bob.engine.duties(office.now), [], 'not twice in a minute');
    office.now += ACK_EVERY_MS;
    bob.write(...bob.engine.duties(office.now));
    carol.write(...carol.engine.duties(office.now));
    office.pump();
    office.spread();
    office.spread(); // who heard one passes it on
    office.now += ACK_EVERY_MS;
    assert.deepEqual(bob.engine.duties(office.now), [], 'an ack asks for none');
    assert.ok(carol.engine.advance(office.now)!.folded.length > 0);
    carol.wake();
    assert.equal(carol.engine.nextWake(), undefined);
  });

  it('L4 acks of many go on together, a second after the first, and what is no ack takes them along at once', () => {
    const { office, alice, bob, carol } = threePeople('L4 spread');
    office.link(alice, bob, carol);
    alice.post('something');
    office.pump();
    const heard = (desk: Desk) => desk.seen.length;
    const ack = (desk: Desk) => desk.write({ tool: undefined, kind: 'ack', body: controlBody.ack() });
    const holdsAckOf = (desk: Desk, other: Desk) =>
      desk.engine.replica.nodeAt(feedOf(other.device, 0), 1)?.delta.kind === 'ack';
    const before = heard(alice);
    ack(bob);
    office.pump();
    assert.equal(heard(alice), before, 'it waits for others');
    assert.equal(bob.engine.nextWake(), office.now + ACK_SPREAD_MS);
    office.now += ACK_SPREAD_MS - 1;
    office.send(bob, bob.engine.tick(office.now));
    office.pump();
    assert.equal(heard(alice), before, 'for a second');
    bob.post('and more');
    office.pump();
    assert.ok(holdsAckOf(alice, bob) && holdsAckOf(carol, bob), 'what is no ack takes it along');
    ack(carol);
    office.pump();
    assert.equal(holdsAckOf(alice, carol), false);
    office.now += ACK_SPREAD_MS;
    office.send(carol, carol.engine.tick(office.now));
    office.pump();
    assert.ok(holdsAckOf(alice, carol) && holdsAckOf(bob, carol));
    assert.ok(alice.engine.session.inSync(carol.device) && carol.engine.session.inSync(bob.device));
  });

  it('L4 acks wait for no credit: what was beyond it when they came goes on as it is acknowledged', () => {
    const { office, alice, bob } = threePeople('L4 credit');
    office.link(alice, bob);
    const posts = Math.ceil((2 * MAX_MESSAGE_BYTES) / MAX_CHAT_TEXT_BYTES);
    for (let i = 0; i < posts; i++) alice.post(`${i} `.padEnd(MAX_CHAT_TEXT_BYTES, 'x'));
    alice.write({ tool: undefined, kind: 'ack', body: controlBody.ack() });
    office.pump();
    assert.equal(bob.texts().length, posts);
  });

  it('L4 what all had acknowledged when a store was closed is folded when it is opened, though nothing new comes', () => {
    const { office, alice, bob, carol } = threePeople('L4 opened');
    office.link(alice, bob, carol);
    alice.post('something');
    office.pump();
    for (const desk of [bob, carol]) desk.write({ tool: undefined, kind: 'ack', body: controlBody.ack() });
    office.pump();
    office.spread();
    // Killed before it could: all is on the disk.
    const again = new Desk(office, bob.person);
    for (const { delta } of bob.engine.replica.nodes()) again.engine.restore(delta.bytes);
    again.engine.opened();
    assert.ok(again.engine.nextWake()! <= office.now);
    assert.equal(again.engine.advance(office.now), undefined, 'a window that opens does not wait for it');
    office.now = again.engine.nextWake()!;
    assert.equal(again.engine.advance(office.now)!.folded.length, 1);
    assert.equal(again.engine.nextWake(), undefined);
  });

  it('D2 a store that was just opened writes no ack of itself before others had time to tell what it lacks', () => {
    const { office, alice, bob, carol } = threePeople('D2');
    office.link(alice, bob, carol);
    alice.post('something');
    office.pump();
    bob.engine.holdBack(office.now);
    office.now += FIRST_ACK_MS - 1;
    assert.deepEqual(bob.engine.duties(office.now), []);
    office.now += 1;
    assert.deepEqual(
      bob.engine.duties(office.now).map(({ kind }) => kind),
      ['ack'],
    );
  });

  it('D8 two who were told different histories of a third do not ask each other for ever', () => {
    const { office, alice, bob, carol } = threePeople('D8');
    const { credential } = alice.engine.replica.roster.members.get(carol.person.account)!;
    const [one, other] = ['one', 'other'].map((text) =>
      office.team.forge(carol.person, { seq: 1, credential, body: [text], deps: [credential] }),
    );
    alice.hear(carol, one!);
    bob.hear(carol, other!);
    alice.post('upon the one');
    bob.post('upon the other');
    office.link(alice, bob); // it ends
    assert.ok(alice.texts().includes('upon the one') && bob.texts().includes('upon the other'));
  });
});

/** Of two words at one height the ids say which is the first: among so many histories both are. */
const SEEDS = 6;

/**
 * Alice has removed Carol, and Bob has let her in again; Alice has not heard of it when she makes an epoch, which Carol is given by Bob.
 * Dave, who is above Bob, has heard of nothing.
 */
function askedForBetween(seed: string) {
  const { office, alice, bob, carol } = threePeople(seed);
  const [david, eve] = [office.team.person('Dave'), office.team.person('Eve')];
  alice.admit(david, Role.manager);
  alice.admit(eve);
  alice.control('setRole', controlBody.setRole(bob.person.account, Role.manager));
  const dave = office.open(david, alice);
  office.link(alice, bob, carol, dave);
  bob.post('Carol is here');
  office.leave(dave);
  alice.remove(carol);
  office.pump();
  office.leave(alice);
  bob.admit(carol.person);
  office.pump();
  alice.control('remove', controlBody.remove(eve.account, alice.engine.keys.make(new Set([eve.device]))));
  office.pump();
  const made = bob.engine.keys.inUse!;
  bob.post('while she is in');
  office.pump();
  assert.deepEqual(carol.texts(), ['Carol is here', 'while she is in']);
  return { office, alice, bob, carol, dave, made };
}

/** Up to where what is sent acknowledges feeds. */
function headsIn(out: readonly Outgoing[]): readonly number[] {
  return out.flatMap(({ message }) => (message.kind === 'got' ? message.heads.map(({ seq }) => seq) : []));
}
