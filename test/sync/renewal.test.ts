/** L6: a copy that has settled what others have in another way begins anew, with the base of one of them. */
import assert from 'node:assert/strict';
import type { DeltaId, DeviceId } from '../../src/base/ids.ts';
import { recordsOf } from '../../src/service/journal.ts';
import { decodeRecord } from '../../src/service/records.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { ACK } from '../../src/sync/own-feed.ts';
import { Sources } from '../../src/sync/sources.ts';
import { chatBody } from '../../src/tools/chat/deltas.ts';
import { Desk, Office, threePeople } from './office.ts';
import { stateOf } from './team.ts';

const newest = ({ engine, device }: Desk) => {
  const feed = feedOf(device, engine.generation);
  return engine.replica.nodeAt(feed, engine.replica.vector().get(feed)!)!.delta;
};

/**
 * Carol has acknowledged Alice's post to Bob alone, who has folded it; to Alice she shows a feed that names it again, as if she had not. Alice
 * takes that, and Bob cannot: of what Alice writes upon it he takes nothing any more.
 */
function passedBy(seed: string) {
  const { office, alice, bob, carol } = threePeople(seed);
  office.link(alice, bob, carol);
  for (const desk of [alice, bob, carol]) desk.post(`first words of ${desk.person.name}`);
  office.rest();
  assert.ok(alice.engine.replica.base.isThere && bob.engine.replica.base.isThere);
  office.leave(carol);
  alice.post('the post');
  const post = newest(alice);
  alice.post('and another');
  office.rest();
  office.leave(alice);
  office.arrive(carol);
  office.link(bob, carol);
  office.rest();
  assert.equal(bob.engine.replica.node(post.id), undefined, 'Bob has forgotten it');
  office.leave(carol);
  const { credential } = carol.engine.replica.roster.members.get(carol.person.account)!;
  const again = office.team.forge(carol.person, { generation: 1, seq: 1, deps: [post.id], credential });
  office.arrive(alice);
  alice.hear(carol, again);
  office.rest(); // Alice acknowledges what Carol has shown her
  office.link(alice, bob);
  office.rest();
  assert.equal(bob.engine.replica.isOutOfStep, true);
  alice.post('what Bob cannot take');
  office.rest();
  assert.equal(bob.texts().includes('what Bob cannot take'), false);
  return { office, alice, bob, carol };
}

/**
 * All three have acknowledged Alice's two posts when Carol names the first of them in another feed, to Alice alone, as if she had not the second:
 * Alice folds the first, and Bob, who has not heard of it, both.
 */
function passedByWhatIsFolded(seed: string) {
  const { office, alice, bob, carol } = threePeople(seed);
  office.link(alice, bob, carol);
  alice.post('the post');
  const post = newest(alice);
  alice.post('and another');
  acknowledge(alice, bob, carol);
  for (const desk of [bob, carol]) office.leave(desk);
  const { credential } = carol.engine.replica.roster.members.get(carol.person.account)!;
  const again = office.team.forge(carol.person, { generation: 1, seq: 1, deps: [post.id], credential });
  alice.hear(carol, again);
  alice.post('what Bob cannot take');
  for (const desk of [alice, bob]) assert.ok(desk.engine.replica.advance().folded.length > 0);
  assert.equal(alice.engine.replica.node(post.id)!.delta.bytes.length, 0, 'Alice has its place alone');
  assert.equal(bob.engine.replica.node(post.id), undefined);
  for (const desk of [bob, carol]) office.expire(desk);
  return { office, alice, bob, carol, post, again };
}

/** Each says that he has seen all, and nobody folds it. */
function acknowledge(...desks: readonly Desk[]): void {
  const { office } = desks[0]!;
  for (let round = 0; round < 3; round++) {
    office.now += 61_000;
    for (const desk of desks) {
      const duties = desk.engine.duties(office.now);
      if (duties.length > 0) desk.write(...duties);
      office.pump();
    }
    office.spread();
  }
}

function admitted(sponsor: Desk, office: Office): Desk {
  const person = office.team.person('Dave');
  const box = sponsor.engine.keys.box([{ device: person.device, agreementKey: person.certificate.agreementKey }])!;
  sponsor.control(
    'admit',
    controlBody.admit(person.account, Role.participant, 'Dave', [person.certificate], undefined, box),
  );
  office.pump();
  return office.open(person, sponsor);
}

const renew = (desk: Desk, from: Desk): void => {
  desk.office.send(desk, desk.engine.renewFrom({ from: from.device, generation: 7 }));
  desk.office.pump();
};

/**
 * Alice has dropped Bob, who is away, and folded alone what she has written since; he has let Carol in meanwhile, and so has Alice. `older`: Alice's feed up to
 * there, as it is on her disk.
 */
function foldedAlone(seed: string) {
  const office = new Office(seed);
  const [bobby, carla] = [office.team.person('Bob'), office.team.person('Carol')];
  office.team.founder.admit(bobby, Role.manager);
  const [alice, bob] = [office.open(office.team.alice), office.open(bobby)];
  office.link(alice, bob);
  office.rest();
  office.leave(alice);
  bob.admit(carla);
  const carol = office.open(carla, bob);
  office.link(bob, carol);
  office.rest();
  office.leave(bob);
  office.leave(carol);
  alice.post('folded alone');
  const post = newest(alice).id;
  alice.control('drop', controlBody.devices([bob.device], alice.engine.keys.make(new Set([bob.device]))));
  alice.admit(carla);
  const older = [...alice.engine.replica.nodes()].flatMap(({ delta }) => (delta.device === alice.device ? delta : []));
  office.arrive(alice);
  return { office, alice, bob, carol, post, older };
}

describe('L6 D2 a fresh copy of who had folded something alone, from one that lacks it', () => {
  it('L6 D2 it is void for all alike when it comes back from his disk (world “rough-tt.1151”)', () => {
    const { office, alice, carol, post, older } = foldedAlone('left behind');
    assert.deepEqual(
      alice.engine.replica.advance().folded.map(({ verdict }) => verdict),
      ['applied'],
    );
    office.arrive(carol);
    renew(alice, carol);
    office.link(alice, carol);
    alice.post('and on');
    office.rest();
    for (const { bytes } of older) alice.engine.restore(bytes);
    alice.engine.opened();
    alice.write(ACK);
    office.pump();
    assert.equal(alice.engine.replica.verdictOf(post), 'forked');
    office.rest();
    for (const desk of [alice, carol]) assert.deepEqual([desk.texts(), desk.engine.isOutOfStep], [['and on'], false]);
    assert.deepEqual(alice.engine.replica.base.present().root, carol.engine.replica.base.present().root);
  });

  it('L6 D2 L4 and it stands where somebody has begun with the copy before: he names it before the later feed, though he had written nothing', () => {
    const { office, alice, carol, post, older } = foldedAlone('begun with');
    alice.engine.replica.advance();
    const person = office.team.person('Dave');
    alice.admit(person);
    const admission = newest(alice);
    const dave = office.open(person, alice);
    office.link(alice, dave);
    assert.deepEqual([dave.texts(), dave.engine.replica.node(post)], [['folded alone'], undefined], 'out of a base');
    office.leave(dave);
    office.arrive(carol);
    renew(alice, carol);
    office.link(alice, carol);
    office.rest();
    alice.post('and on');
    office.rest();
    for (const { bytes } of [...older, admission]) alice.engine.restore(bytes);
    alice.engine.opened();
    alice.write(ACK);
    assert.equal(alice.engine.replica.verdictOf(post), 'forked', 'nobody has named it yet');
    office.arrive(dave);
    office.link(alice, carol, dave);
    // Till all have folded as far.
    for (let times = 0; times < 2; times++) office.rest();
    const { root } = dave.engine.replica.base.present();
    for (const { engine } of [alice, carol]) assert.deepEqual(engine.replica.base.present().root, root);
    assert.deepEqual(alice.texts(), ['and on', 'folded alone']);
  });
});

describe('L6 a fresh copy', () => {
  it('L6 puts a copy right that was out of step, and takes along what nobody else had', () => {
    const { office, alice, bob } = passedBy('renewal');
    office.leave(alice);
    bob.post('written alone');
    office.arrive(alice);
    renew(bob, alice);
    office.link(alice, bob);
    office.rest();
    const { replica } = bob.engine;
    assert.equal(bob.engine.renewal, undefined, 'it has begun');
    assert.deepEqual([replica.isOutOfStep, bob.engine.isAwaitingWord, bob.engine.generation], [false, false, 7]);
    assert.ok(alice.texts().includes('written alone'));
    bob.post('and on');
    office.rest();
    assert.deepEqual(bob.texts(), alice.texts());
    assert.deepEqual(stateOf(bob.engine.replica), stateOf(alice.engine.replica));
  });

  it('L6 L4 puts a copy right that is told that what it lacks is folded, though nobody has it any more (world “ash.3785”)', () => {
    const { office, alice, bob } = passedByWhatIsFolded('renewal of what is folded');
    office.arrive(bob);
    office.link(alice, bob);
    assert.equal(bob.engine.isOutOfStep, true);
    renew(bob, alice);
    office.rest();
    assert.equal(bob.engine.isOutOfStep, false);
    assert.deepEqual(bob.texts(), alice.texts());
    assert.ok(bob.texts().includes('what Bob cannot take'));
    assert.deepEqual(stateOf(bob.engine.replica), stateOf(alice.engine.replica));
  });

  it('L6 L4 is not needed for what is said to be folded of its author alone, or by who is out, or of what is not folded here', () => {
    const { office, alice, bob, carol, post, again } = passedByWhatIsFolded('renewal of hearsay');
    const upon = newest(alice);
    const { feed, seq } = post;
    const say = (from: Desk, place = { id: post.id, feed, seq }) => {
      const under = bob.engine.keys.inUse!;
      const out = bob.engine.received(from.device, 'direct', { kind: 'folded', places: [place] }, under, 0);
      // Who was asked for it is told that it is folded here, too.
      assert.ok(out.every(({ message, to }) => message.kind === 'folded' && to[0] === from.device));
      return bob.engine.isOutOfStep;
    };
    assert.equal(say(alice), false, 'nothing waits for it');
    bob.hear(carol, again);
    assert.equal(say(alice), false, 'nobody has written upon what waits');
    const tip = carol.engine.replica.vector().get(feedOf(carol.device, 0))!;
    const prev = carol.engine.replica.nodeAt(feedOf(carol.device, 0), tip)!.delta.id;
    const { credential } = again;
    bob.hear(carol, office.team.forge(carol.person, { seq: tip + 1, prev, deps: [post.id], credential }));
    assert.ok(bob.engine.replica.missing().includes(post.id), 'what she writes next waits for it, too');
    assert.equal(say(alice), false, 'who has what it names may find it unsound');
    bob.hear(alice, upon);
    assert.equal(say(carol), false);
    assert.equal(say(alice, { id: post.id, feed, seq: 1_000 }), false);
    assert.equal(say(alice, { id: post.id, feed: feedOf(carol.device, 9), seq: 1 }), false);
    assert.equal(say(alice, { id: upon.id, feed: upon.feed, seq }), false);
    assert.equal(say(new Desk(office, office.team.person('Dave'))), false);
    assert.equal(say(alice), true);
  });

  it('L6 D2 asks at once what others hold of its own: till one has said so nothing is written (world “apartA.181”)', () => {
    const { office, alice, bob, carol } = threePeople('renewal awaits');
    office.link(alice, bob, carol);
    alice.post('before');
    office.rest();
    renew(bob, alice);
    assert.deepEqual([bob.engine.generation, bob.engine.isAwaitingWord], [7, false]);
    bob.post('and on');
    office.pump();
    assert.deepEqual(alice.texts(), ['and on', 'before']);
  });

  it('L6 begins with nothing where who is asked has folded nothing, and takes his log from its beginning (world “gold.279”)', () => {
    const { office, alice, bob, carol } = threePeople('renewal of nothing');
    office.link(alice, bob, carol);
    for (const desk of [alice, bob, carol]) desk.post(`words of ${desk.person.name}`);
    acknowledge(alice, bob, carol);
    // Of what he has settled, maybe in another way, nothing may stay: of his own feed neither.
    const before = bob.engine.replica;
    assert.ok(before.advance().folded.length > 0);
    office.leave(bob);
    bob.post('written alone');
    office.arrive(bob);
    assert.equal(alice.engine.replica.base.isThere, false);
    renew(bob, alice);
    office.link(alice, bob, carol);
    assert.notEqual(bob.engine.replica, before, 'another copy');
    assert.deepEqual([bob.engine.renewal, bob.engine.generation, bob.parts.length], [undefined, 7, 1]);
    office.rest();
    assert.equal(bob.engine.isAwaitingWord, false);
    bob.post('and on');
    office.rest();
    for (const desk of [bob, carol]) assert.deepEqual(desk.texts(), alice.texts());
    assert.ok(alice.texts().includes('written alone') && alice.texts().includes('and on'));
    assert.deepEqual(stateOf(bob.engine.replica), stateOf(alice.engine.replica));
  });

  it('L6 says to hold of the older own feed what is here alone: what was folded in the copy before comes by the log', () => {
    const { office, alice, bob, carol } = threePeople('renewal of nothing held');
    office.link(alice, bob, carol);
    for (const desk of [alice, bob, carol]) desk.post(`words of ${desk.person.name}`);
    acknowledge(alice, bob, carol);
    assert.ok(bob.engine.replica.advance().forgotten > 0);
    const { root, parts } = alice.engine.replica.base.parts();
    bob.engine.renewFrom({ from: alice.device, generation: 7 });
    bob.engine.takeBase(alice.device, 'direct', { root, part: 0, parts: parts.length, bytes: parts[0]! });
    const { replica } = bob.engine;
    assert.ok([...replica.vector()].every(([feed, seq]) => replica.nodeAt(feed, seq)));
    assert.equal(replica.vector().has(feedOf(bob.device, 0)), false);
  });

  it('L6 L1 loses nothing of its own that waits for what others’ logs bring: not to a copy after it, nor to a journal that is written anew', () => {
    const { office, alice, bob, carol } = threePeople('renewal of nothing waits');
    office.link(alice, bob, carol);
    for (const desk of [alice, bob, carol]) desk.post(`words of ${desk.person.name}`);
    acknowledge(alice, bob, carol);
    assert.ok(bob.engine.replica.advance().forgotten > 0);
    office.leave(bob);
    bob.post('written alone');
    const alone = newest(bob);
    for (const { device, engine } of [alice, carol]) {
      const { root, parts } = engine.replica.base.parts();
      bob.engine.renewFrom({ from: device, generation: 7 });
      bob.engine.takeBase(device, 'direct', { root, part: 0, parts: parts.length, bytes: parts[0]! });
      assert.equal(bob.engine.replica.node(alone.id), undefined, 'what it rests on is folded in the copy before');
    }
    const again = new Desk(office, bob.person);
    for (const record of recordsOf(bob.engine)) {
      const read = decodeRecord(record);
      if (read?.kind === 'delta') again.engine.restore(read.bytes, read.arrival);
    }
    again.engine.opened();
    for (const { delta } of alice.engine.replica.nodes()) again.hear(alice, delta);
    assert.ok(again.texts().includes('written alone'));
  });

  it('L6 comes whole from who gave it, though what lets him in was settled in the copy before, and is not in his', () => {
    const { office, alice, bob, carol } = threePeople('from who is not known any more');
    office.link(alice, bob, carol);
    alice.post('settled here alone');
    const dave = admitted(alice, office);
    office.link(alice, bob, carol, dave);
    acknowledge(alice, bob, carol, dave);
    assert.ok(bob.engine.replica.advance().folded.length > 0);
    for (const desk of [alice, carol]) office.leave(desk);
    renew(bob, dave);
    office.rest();
    assert.ok(bob.engine.replica.roster.devices.has(dave.device));
    assert.ok(bob.texts().includes('settled here alone'));
    assert.equal(bob.engine.isAwaitingWord, false);
  });

  it('L6 that begins with nothing needs nobody to vouch for it, and is there again after a restart', () => {
    const { office, alice, bob } = threePeople('renewal of nothing kept');
    alice.post('something');
    const { root, parts } = alice.engine.replica.base.parts();
    const part = { root, part: 0, parts: parts.length, bytes: parts[0]! };
    bob.engine.renewFrom({ from: alice.device, generation: 7 });
    assert.equal(bob.engine.takeBase(alice.device, 'direct', part).part, part);
    assert.ok(bob.engine.replica.isConfirmed);
    const again = new Desk(office, bob.person);
    assert.equal(again.engine.restoreBase([part], new Uint8Array(32).fill(7)), true);
    for (const { delta } of alice.engine.replica.nodes()) again.engine.restore(delta.bytes);
    again.engine.opened();
    assert.ok(again.engine.replica.isConfirmed, 'what was said of a copy before it does not hold of this');
    assert.deepEqual(again.texts(), ['something']);
  });

  it('L6 L1 takes along what was in the base of the copy before, after a restart too (worlds “ash.221”, “ash.1366”)', () => {
    const { office, alice, bob, carol } = threePeople('renewal kept');
    office.link(alice, bob, carol);
    acknowledge(alice, bob, carol);
    const partsOf = ({ engine: { replica } }: Desk) => {
      const { root, parts } = replica.base.parts();
      return parts.map((bytes, part) => ({ root, part, parts: parts.length, bytes }));
    };
    assert.equal(alice.engine.replica.base.isThere, false);
    bob.engine.replica.advance();
    // The journal as it is written anew.
    const [kept, tail] = [partsOf(bob), bob.engine.replica.tail().map(({ delta }) => delta.bytes)];
    assert.ok([...bob.engine.replica.nodes()].length > tail.length, 'some of it is in the base alone');
    bob.engine.renewFrom({ from: alice.device, generation: 7 });
    const [part] = partsOf(alice);
    assert.ok(bob.engine.takeBase(alice.device, 'direct', part!).replaced);
    const again = new Desk(office, bob.person);
    assert.equal(again.engine.restoreBase([...kept, part!], undefined), true);
    for (const bytes of tail) again.engine.restore(bytes);
    again.engine.opened();
    const idsIn = ({ engine }: Desk) => Array.from(engine.replica.nodes(), ({ delta }) => delta.id);
    assert.deepEqual(idsIn(again), idsIn(bob));
    assert.deepEqual(
      [...again.engine.replica.roster.devices.keys()],
      [alice, bob, carol].map(({ device }) => device),
    );
  });

  it('L6 of nothing is acknowledged by who has not asked for it: he keeps what he has, and the log comes', () => {
    const { office, alice, bob, carol } = threePeople('nothing unasked');
    office.link(alice, bob, carol);
    const { root, parts } = alice.engine.replica.base.parts();
    const part = { root, part: 0, parts: parts.length, bytes: parts[0]! };
    const before = bob.engine.replica;
    for (const from of [alice, carol]) {
      const { part: kept, out } = bob.engine.takeBase(from.device, 'direct', part);
      assert.equal(kept, undefined);
      assert.deepEqual(
        out.map(({ to, message }) => [...to, message]),
        [[from.device, { kind: 'needBase', root, part: 1 }]],
      );
    }
    assert.equal(bob.engine.replica, before);
    assert.equal(bob.engine.isOutOfStep, false);
    const dave = admitted(alice, office);
    office.link(alice, dave);
    assert.equal(alice.engine.session.offeringUntil, -Infinity, 'nobody is waited for');
    assert.deepEqual(stateOf(dave.engine.replica), stateOf(alice.engine.replica));
  });

  it('L6 is given by nobody who has none himself yet: who has let him in and asks him loses nothing', () => {
    const { office, alice, bob, carol } = threePeople('nothing of nobody');
    office.link(alice, bob, carol);
    alice.post('something');
    office.rest();
    assert.ok(alice.engine.replica.base.isThere);
    for (const desk of [bob, carol]) office.leave(desk);
    const dave = admitted(alice, office);
    dave.engine.keys.add(alice.engine.keys.epoch!);
    const before = alice.engine.replica;
    alice.engine.renewFrom({ from: dave.device, generation: 7 });
    office.link(alice, dave);
    assert.equal(alice.engine.replica, before);
    alice.engine.renewFrom(undefined);
    office.rest();
    assert.deepEqual(dave.texts(), ['something']);
    assert.deepEqual(alice.texts(), dave.texts());
  });

  it('L6 is asked for of who has given a base in vain, before managers; then of somebody else (world “win.526”)', () => {
    const { office, alice, bob, carol } = threePeople('renewal sources');
    office.link(alice, bob, carol);
    alice.post('something');
    office.rest();
    const online = () => true;
    const [managers, guests] = [alice.device, carol.device];
    assert.equal(bob.engine.freshCopyFrom(online), managers, 'a manager’s, where all hold the same');
    assert.equal(
      bob.engine.freshCopyFrom((device) => device === guests),
      guests,
    );
    assert.equal(
      bob.engine.freshCopyFrom((device) => device === bob.device),
      undefined,
      'not his own',
    );
    const feed = feedOf(carol.device, 0);
    const seq = bob.engine.replica.vector().get(feed)! + 5;
    const have = {
      kind: 'have',
      vector: [{ feed, seq, tip: '0'.repeat(16) }],
      answer: false,
      root: '',
      needsCopy: false,
    } as const;
    bob.engine.received(carol.device, 'direct', have, bob.engine.keys.inUse!, office.now);
    assert.equal(bob.engine.freshCopyFrom(online), guests, 'who holds what is lacking');
    bob.engine.received(
      alice.device,
      'direct',
      { ...have, vector: [{ ...have.vector[0], feed: feedOf(alice.device, 0), seq: seq + 100 }] },
      bob.engine.keys.inUse!,
      office.now,
    );
    assert.equal(bob.engine.freshCopyFrom(online), managers, 'of several that do, a manager');
    const { root, parts } = carol.engine.replica.base.parts();
    bob.engine.takeBase(carol.device, 'direct', { root, part: 0, parts: parts.length, bytes: parts[0]! });
    assert.equal(bob.engine.freshCopyFrom(online), guests, 'who has given a base');
    bob.engine.renewFrom({ from: guests, generation: 7 });
    bob.engine.renewFrom(undefined);
    assert.equal(bob.engine.freshCopyFrom(online), managers, 'not again of who has given nothing');
  });

  it('L6 is not asked for of who says that his own is no good (world “fir.9002”)', () => {
    const { office, alice, bob, carol } = threePeople('renewal of no good');
    office.link(alice, bob, carol);
    alice.post('something');
    office.rest();
    const says = ({ device }: Desk, needsCopy: boolean) => {
      const have = { kind: 'have', vector: [], answer: false, root: '', needsCopy } as const;
      bob.engine.received(device, 'direct', have, bob.engine.keys.inUse!, office.now);
      return bob.engine.freshCopyFrom(() => true);
    };
    assert.equal(says(alice, true), carol.device);
    assert.equal(says(carol, true), undefined, 'his own is good');
    assert.equal(says(alice, false), alice.device);
  });

  it('L6 is no better than that of who says that his own is no good, where it names others (world “rough-mm.1213”)', () => {
    for (const needsCopy of [true, false]) {
      const { office, alice, bob, carol } = threePeople(`renewal in want of another ${String(needsCopy)}`);
      office.link(alice, bob, carol);
      const dave = admitted(alice, office);
      office.link(alice, bob, carol, dave);
      alice.post('something');
      office.rest();
      // His store was put back to before Dave came.
      const again = office.open(bob.person);
      assert.equal(again.engine.replica.roster.devices.has(dave.device), false);
      const have = { kind: 'have', vector: [], answer: false, root: '', needsCopy } as const;
      const renewed = () => {
        again.engine.received(alice.device, 'direct', have, again.engine.keys.inUse!, office.now);
        renew(again, alice);
        assert.equal(again.engine.renewal, undefined, 'it has begun');
        return again.engine.isOutOfStep;
      };
      assert.equal(renewed(), needsCopy, 'Dave may have a better one');
      assert.ok(again.engine.replica.roster.devices.has(dave.device));
      assert.equal(renewed(), false, 'and has none, or would have been asked');
    }
  });

  it('L6 is taken of one alone where nobody’s is any good (world “fir.9002”)', () => {
    const [a, b, c] = ['0a', '0b', '0c'].map((byte) => byte.repeat(32) as DeviceId) as [DeviceId, DeviceId, DeviceId];
    const no = (device: DeviceId) => ({ device, role: 0 as const, isDirect: true, holdsMore: true, needsCopy: true });
    const sources = new Sources();
    assert.equal(sources.best([no(c), no(a)], b), a);
    assert.equal(sources.best([no(a), no(b)], c), a);
    assert.equal(sources.best([no(c), no(b)], a), undefined);
    assert.equal(sources.best([no(c), { ...no(b), needsCopy: false }], a), b);
  });

  it('L6 is good, as one who was asked has given it, whatever another gives whose own is no good by his word (world “rough-cc.11277”)', () => {
    const [a, c] = ['0a', '0c'].map((byte) => byte.repeat(32) as DeviceId) as [DeviceId, DeviceId];
    const sources = new Sources();
    const given = (needsCopy: boolean) => {
      for (let n = 0; n < 4; n++) sources.offered({ device: a, holdsMore: true, needsCopy }, 0);
      return [...sources.inVain()];
    };
    assert.deepEqual(given(true), [a]);
    sources.begunAnew(c, (device) => device === a);
    assert.deepEqual(given(true), [], 'it differs from what was asked for, too');
    sources.begunAnew(c, (device) => device === a);
    assert.deepEqual(given(true), [], 'and from the next');
    assert.deepEqual(given(false), [a], 'till he says that it is good');

    sources.begunAnew(a, (device) => device === a);
    assert.deepEqual(given(true), [a], 'of whom it was asked');
    sources.begunAnew(c, () => false);
    assert.deepEqual(given(true), [a], 'who had not said so then');
  });

  it('L6 is said at once to be no good by who is out of step, and to be good again (world “fir.9002”)', () => {
    const { office, alice, bob, carol } = threePeople('renewal of no good told');
    office.link(alice, bob, carol);
    alice.post('something');
    office.rest();
    const heard = () => bob.engine.session.needsCopy(alice.device);
    const feed = feedOf(carol.device, 0);
    const { root, parts } = carol.engine.replica.base.parts();
    const tip = '0'.repeat(16);
    const seq = alice.engine.replica.vector().get(feed)! + 5;
    const [have, part] = [
      { kind: 'have', vector: [{ feed, seq, tip }], answer: false, root: '', needsCopy: false } as const,
      { root, part: 0, parts: parts.length, bytes: parts[0]! },
    ];
    alice.engine.received(carol.device, 'direct', have, alice.engine.keys.inUse!, office.now);
    for (let times = 0; times < 4; times++) {
      assert.equal(alice.engine.isOutOfStep, false);
      alice.engine.takeBase(carol.device, 'direct', part);
    }
    assert.ok(alice.engine.isOutOfStep);
    office.rest();
    assert.ok(heard());
    alice.engine.received(carol.device, 'direct', { ...have, vector: [] }, alice.engine.keys.inUse!, office.now);
    alice.engine.takeBase(carol.device, 'direct', part);
    office.rest();
    assert.equal(alice.engine.isOutOfStep, false);
    assert.equal(heard(), false);
  });

  it('L6 is not asked for of who is known to have something else, unless most of the others have', () => {
    const { office, alice, bob, carol } = threePeople('renewal odd');
    office.link(alice, bob, carol);
    alice.post('something');
    office.rest();
    const online = () => true;
    const { session } = bob.engine;
    const differs = (...desks: readonly Desk[]) => {
      Object.defineProperty(session, 'differing', { configurable: true, get: () => desks.map(({ device }) => device) });
      return bob.engine.freshCopyFrom(online);
    };
    assert.equal(differs(alice), carol.device);
    assert.equal(differs(alice, carol), alice.device);
    // Somebody who says nothing, for he is away, does not keep it from being put right (world “rough-rr.1051”).
    const dave = admitted(alice, office);
    office.link(alice, dave);
    office.leave(dave);
    office.rest();
    assert.ok(bob.engine.replica.roster.devices.has(dave.device));
    assert.notEqual(differs(alice), alice.device);
    assert.equal(differs(alice, carol), alice.device);
  });

  it('L6 is taken from nobody else than who was asked, and by nobody who has not asked', () => {
    const { office, alice, bob, carol } = threePeople('renewal refused');
    office.link(alice, bob, carol);
    alice.post('something');
    office.rest();
    const base = alice.engine.replica.base.parts();
    const part = { kind: 'base', root: base.root, part: 0, parts: base.parts.length, bytes: base.parts[0]! } as const;
    assert.equal(bob.engine.takeBase(alice.device, 'direct', part).part, undefined, 'he has not asked');
    bob.engine.renewFrom({ from: carol.device, generation: 7 });
    assert.equal(bob.engine.takeBase(alice.device, 'direct', part).part, undefined, 'he has asked Carol');
    bob.engine.renewFrom(undefined);
    assert.equal(bob.engine.takeBase(carol.device, 'direct', part).part, undefined, 'he asks nobody any more');
    bob.engine.renewFrom({ from: alice.device, generation: 7 });
    assert.ok(bob.engine.takeBase(alice.device, 'direct', part).replaced);
  });

  it('L6 is taken from nobody else in the place of the one that was asked for, before what comes after that is here, nor from who lacks some of it (world “aspen.2104”)', () => {
    for (const { isMore, isBehind, isNoGood } of [{ isMore: true }, { isBehind: true }, { isNoGood: true }, {}] as {
      isMore?: true;
      isBehind?: true;
      isNoGood?: true;
    }[]) {
      const { office, alice, bob, carol } = threePeople(
        `renewal in the place of another ${String(isMore)} ${String(isBehind)}`,
      );
      office.link(alice, bob, carol);
      alice.post('something');
      office.rest();
      // Alice alone folds on.
      for (const { engine } of [bob, carol]) engine.advance = () => undefined;
      alice.post('something more');
      office.rest();
      if (isBehind) {
        office.leave(alice);
        carol.post('for Bob alone');
        office.rest();
      }
      office.leave(bob);
      if (isMore) carol.post('and on');
      office.pump();
      const say = (from: Desk, needsCopy: boolean) => {
        const tip = '00'.repeat(8) as DeltaId;
        const vector = [...from.engine.replica.vector()].map(([feed, seq]) => ({ feed, seq, tip }));
        const says = { kind: 'have', vector, answer: false, root: '', needsCopy } as const;
        bob.engine.received(from.device, 'relay', says, bob.engine.keys.inUse!, office.now);
      };
      say(carol, false);
      if (isNoGood) say(alice, true);
      const give = (from: Desk) => {
        const { root, parts } = from.engine.replica.base.parts();
        const all = parts.length;
        const steps = parts.map((bytes, part) =>
          bob.engine.takeBase(from.device, 'direct', { root, part, parts: all, bytes }),
        );
        return { root, all, ...steps.at(-1)! };
      };
      bob.engine.renewFrom({ from: carol.device, generation: 7 });
      assert.ok(give(carol).replaced);
      const { replaced, out, root, all } = give(carol);
      assert.equal(replaced, undefined, 'the same is not begun with again');
      assert.deepEqual(
        out.map(({ message }) => message),
        [{ kind: 'needBase', root, part: all }],
      );
      assert.equal(give(alice).replaced !== undefined, !isMore && !isBehind && !isNoGood);
    }
  });

  it('L6 of a manager is stood for by another, who has begun with it: whom he lets in is given his copy (worlds “daisy.1396”, “heath.406”)', () => {
    for (const isManager of [true, false]) {
      const { office, alice, bob, carol } = threePeople(`renewal between managers ${String(isManager)}`);
      office.link(alice, bob, carol);
      alice.control('setRole', controlBody.setRole(bob.person.account, Role.manager));
      alice.post('something');
      office.rest();
      bob.engine.replica.base.unconfirmed = new Uint8Array(32).fill(7); // as if nobody had vouched for it
      const { root, parts } = bob.engine.replica.base.parts();
      const { engine } = isManager ? alice : carol;
      engine.renewFrom({ from: bob.device, generation: 7 });
      for (const [part, bytes] of parts.entries())
        engine.takeBase(bob.device, 'relay', { root, part, parts: parts.length, bytes });
      assert.equal(engine.generation, 7);
      assert.equal(engine.replica.base.unconfirmed === undefined, isManager);
    }
  });

  it('L6 is taken from nobody who is out of the workspace by then, asked or not, by the only manager either', () => {
    const { office, alice, bob, carol } = threePeople('renewal from outside');
    office.link(alice, bob, carol);
    alice.post('something');
    office.rest();
    const base = bob.engine.replica.base.parts();
    const part = { kind: 'base', root: base.root, part: 0, parts: base.parts.length, bytes: base.parts[0]! } as const;
    alice.engine.renewFrom({ from: bob.device, generation: 7 });
    alice.remove(bob);
    office.pump();
    assert.equal(alice.engine.takeBase(bob.device, 'direct', part).part, undefined, 'he was asked, and is out since');
    alice.engine.renewFrom(undefined);
    alice.engine.beginFeed(8);
    assert.equal(alice.engine.takeBase(bob.device, 'direct', part).part, undefined);
    assert.ok(alice.engine.takeBase(carol.device, 'direct', part).replaced, 'a member’s');
  });

  it('L6 D1 what is not on disk yet when it comes is told to nobody before it is', () => {
    const { office, alice, bob, carol } = threePeople('renewal durable');
    office.link(alice, bob, carol);
    alice.post('something');
    office.rest();
    const entry = { tool: undefined, kind: 'ack', body: controlBody.ack() };
    const growth = bob.engine.author([entry], office.now);
    const feed = feedOf(bob.device, 0);
    const told = bob.engine.replica.vector().get(feed);
    bob.engine.renewFrom({ from: alice.device, generation: 7 });
    const { root, parts } = alice.engine.replica.base.parts();
    for (const [part, bytes] of parts.entries())
      bob.engine.takeBase(alice.device, 'direct', { root, part, parts: parts.length, bytes });
    assert.equal(bob.engine.generation, 7);
    assert.equal(bob.engine.replica.vector().get(feed), told);
    bob.engine.stored(growth, office.now);
    assert.equal(bob.engine.replica.vector().get(feed), told! + 1);
  });

  it('L6 D1 nor what has come from others and is not', () => {
    const { office, alice, bob, carol } = threePeople('renewal durable others');
    office.link(alice, bob, carol);
    alice.post('something');
    office.rest();
    office.leave(carol);
    carol.post('on its way to the disk');
    const feed = feedOf(carol.device, 0);
    const seq = carol.engine.replica.vector().get(feed)!;
    const { bytes } = carol.engine.replica.nodeAt(feed, seq)!.delta;
    const growth = bob.engine.ingest(carol.device, 'direct', [[bytes]], office.now);
    bob.engine.renewFrom({ from: alice.device, generation: 7 });
    const { root, parts } = alice.engine.replica.base.parts();
    for (const [part, bytes] of parts.entries())
      bob.engine.takeBase(alice.device, 'direct', { root, part, parts: parts.length, bytes });
    assert.equal(bob.engine.replica.vector().get(feed), seq);
    assert.equal(bob.engine.replica.durable().get(feed), seq - 1);
    bob.engine.stored(growth, office.now);
    assert.equal(bob.engine.replica.durable().get(feed), seq);
  });
});

describe('L4 a copy that is not out of step', () => {
  it('L4 I4 for what a device names that nobody has let in, or that was let in since, of what is forgotten (world “gold.552”)', () => {
    const { office, alice, bob, carol } = threePeople('named by nobody');
    office.link(alice, bob, carol);
    alice.post('the post');
    const post = newest(alice);
    for (const desk of [bob, carol]) desk.post(`words of ${desk.person.name}`);
    office.rest();
    assert.equal(bob.engine.replica.node(post.id), undefined, 'Bob has forgotten it');
    const dave = office.team.person('Dave');
    const { credential } = carol.engine.replica.roster.members.get(carol.person.account)!;
    const forge = (body: string) =>
      office.team.forge(dave, { seq: 1, deps: [post.id], credential, body: chatBody({ kind: 'post', text: body }) });
    const named = () => {
      bob.hear(carol, post);
      return bob.engine.replica.isOutOfStep;
    };
    // Anybody can make up devices.
    bob.hear(carol, forge('of nobody'));
    assert.equal(named(), false);
    // Whoever lets him in has acknowledged it, and what rests on that word has it in its past.
    const box = alice.engine.keys.box([{ device: dave.device, agreementKey: dave.certificate.agreementKey }])!;
    alice.control(
      'admit',
      controlBody.admit(dave.account, Role.participant, 'Dave', [dave.certificate], undefined, box),
    );
    office.pump();
    assert.ok(bob.engine.replica.people.isLetIn(dave.device));
    bob.hear(carol, forge('of before'));
    assert.equal(named(), false);
  });
});

describe('L6 a manager without his copy', () => {
  it('L6 D2 who is the only one takes it from whoever has it, and stands for it; a manager whose devices are out is none', () => {
    for (const isBeside of [false, true]) {
      const { office, alice, bob, carol } = threePeople(`only manager ${String(isBeside)}`);
      office.link(alice, bob, carol);
      if (isBeside) {
        alice.control('setRole', controlBody.setRole(carol.person.account, Role.manager));
        const epoch = alice.engine.keys.make(new Set([carol.device]));
        alice.control('removeDevice', controlBody.devices([carol.device], epoch));
        office.pump();
      }
      const early = [...alice.engine.replica.nodes()].map(({ delta }) => delta.bytes);
      for (const desk of isBeside ? [alice, bob] : [alice, bob, carol]) desk.post(`words of ${desk.person.name}`);
      office.rest();
      assert.ok(bob.engine.replica.base.isThere);
      office.leave(alice);
      office.leave(carol);
      bob.engine.replica.base.unconfirmed = new Uint8Array(32).fill(7); // as if nobody had vouched for it
      const again = new Desk(office, alice.person);
      const { key, ...epoch } = alice.engine.keys.epoch!;
      again.engine.keys.add({ ...epoch, key: key.slice() });
      for (const bytes of early) again.engine.restore(bytes);
      again.engine.opened();
      again.engine.beginFeed(1);
      again.engine.awaitWord();
      office.desks.set(again.device, again);
      office.arrive(again);
      office.link(again, bob);
      office.rest();
      assert.deepEqual(again.texts(), bob.texts());
      assert.ok(again.engine.replica.isConfirmed);
      again.post('and on');
      office.rest();
      assert.deepEqual(again.texts(), bob.texts());
    }
  });
});

describe('L7 A7 a leave that nobody takes', () => {
  it('L7 of who was dropped before he said it does not keep him waiting: he hears that he was', () => {
    for (const isFolded of [false, true]) {
      const { office, alice, bob, carol } = threePeople(`dropped, and left ${String(isFolded)}`);
      office.link(alice, bob, carol);
      office.leave(carol);
      carol.control('leave', controlBody.leave());
      alice.post('meanwhile');
      const epoch = alice.engine.keys.make(new Set([carol.device]));
      alice.control('drop', controlBody.devices([carol.device], epoch));
      if (isFolded) office.rest();
      else office.pump();
      office.arrive(carol);
      office.link(alice, carol);
      office.rest();
      assert.equal(carol.engine.expulsion?.delta.kind, 'drop', isFolded ? 'folded' : 'not folded');
    }
  });
});
