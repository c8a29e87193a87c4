/**
 * D2: the feeds of one device, one after the other. Mallory has several; what of them counts follows from what there is, in whatever order
 * it came.
 */
import assert from 'node:assert/strict';
import type { DeltaId, FeedId } from '../../src/base/ids.ts';
import { feedOf, type Delta } from '../../src/sync/delta.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { boxEpoch } from '../../src/sync/epoch.ts';
import { frameOf } from '../../src/sync/frame.ts';
import { Graph, inPast } from '../../src/sync/graph.ts';
import { ACK } from '../../src/sync/own-feed.ts';
import { Replica } from '../../src/sync/replica.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { Dice } from '../sim/dice.ts';
import { Talk } from './talk.ts';
import { CHAT, Copy, Person, stateOf, Team } from './team.ts';

function isAside({ graph }: Talk, { id }: Delta): boolean {
  return graph.isAside(graph.get(id)!);
}

/** Forgets each feed up to one of these. */
function forgetUpTo({ graph }: Talk, ends: readonly Delta[]): void {
  const upTo = new Map(ends.map(({ feed, seq }) => [feed, seq]));
  graph.forget(graph.lanes.map(({ feed }) => upTo.get(feed) ?? 0));
}

/** Somebody's store as it stands now, and the feed that he writes when it was put back to that. */
function putBack({ team, person, replica }: Copy): Copy {
  const { crypto, workspace } = team;
  const own = feedOf(person.device, 1);
  const again = new Copy(team, person, new Replica({ crypto, workspace, reducers: [chatReducer, filesReducer], own }));
  for (const { delta } of replica.nodes()) again.replica.restore(delta.bytes);
  return again;
}

describe('D2 a later feed of a device', () => {
  it('D2 takes the place of the one before: what nobody has named of that, and it has not seen, stands aside, whenever it comes', () => {
    for (const isLate of [true, false]) {
      const talk = new Talk();
      const { mallory, genesis } = talk;
      const first = talk.add(mallory, undefined, [genesis]);
      const lost = talk.say(mallory, first, []);
      if (!isLate) assert.equal(talk.take(lost), 'added');
      talk.add(mallory, undefined, [first], 1);
      if (isLate) assert.equal(talk.take(lost), 'added');
      assert.deepEqual([isAside(talk, first), isAside(talk, lost)], [false, true]);
    }
  });

  it('D2 L4 takes nothing back that others have named, and counts for nothing till it knows of it', () => {
    const talk = new Talk();
    const { alice, mallory, genesis } = talk;
    const first = talk.add(mallory, undefined, [genesis]);
    const second = talk.add(mallory, first, []);
    const seen = talk.add(alice, genesis, [second]);
    const low = talk.add(mallory, undefined, [genesis], 1);
    assert.deepEqual(
      [first, second, low].map((delta) => isAside(talk, delta)),
      [false, false, true],
    );
    const high = talk.add(mallory, low, [seen], 1);
    assert.deepEqual(
      [low, high].map((delta) => isAside(talk, delta)),
      [true, false],
    );
  });

  it('D2 L4 counts for nothing without what the older one had acknowledged, wherever it stands', () => {
    const talk = new Talk();
    const { alice, bob, mallory, genesis } = talk;
    const said = talk.add(alice, genesis, []);
    const older = talk.add(mallory, undefined, [said]);
    talk.add(alice, said, [older]);
    const apart = [0, 1, 2, 3].reduce<Delta | undefined>(
      (prev) => talk.add(bob, prev, prev ? [] : [genesis]),
      undefined,
    )!;
    const low = talk.add(mallory, undefined, [apart], 1);
    assert.equal(isAside(talk, low), true);
    assert.equal(isAside(talk, talk.add(mallory, low, [said], 1)), false);
  });

  it('D2 what others name who know of it does not count', () => {
    const talk = new Talk();
    const { alice, mallory, genesis } = talk;
    const first = talk.add(mallory, undefined, [genesis]);
    const later = talk.add(mallory, undefined, [first], 1);
    const known = talk.add(alice, genesis, [later]);
    const copied = talk.add(mallory, first, []);
    talk.add(alice, known, [copied]);
    assert.equal(isAside(talk, copied), true);
  });

  it('D2 L4 nothing more can be said against it, in an older one, once others have acknowledged it (world “oak.3187”)', () => {
    const talk = new Talk();
    const { alice, bob, mallory, genesis } = talk;
    const first = talk.add(mallory, undefined, [genesis]);
    const seen = talk.add(alice, genesis, [first]);
    const later = talk.add(mallory, undefined, [first], 1);
    const known = talk.add(alice, seen, [later]);
    for (const upon of [known, talk.add(bob, undefined, [seen])]) {
      const more = talk.add(mallory, first, [upon]);
      talk.add(alice, known, [more]);
      assert.deepEqual([isAside(talk, later), isAside(talk, more)], [false, true]);
    }
  });

  it('D2 L4 one that begins between two others when all know of the last says nothing of the first (world “two hostile 217”)', () => {
    for (const isNamed of [false, true]) {
      const talk = new Talk();
      const { alice, bob, mallory, genesis } = talk;
      const first = talk.add(mallory, undefined, [genesis]);
      const last = talk.add(mallory, undefined, [genesis], 3);
      const knows = talk.add(alice, genesis, [last]);
      assert.equal(isAside(talk, first), true);
      const between = talk.add(mallory, undefined, [knows, first], 2);
      assert.deepEqual(
        [first, between].map((delta) => isAside(talk, delta)),
        [true, true],
      );
      // Somebody who did not know of the last had it in his past after all.
      if (isNamed) {
        const early = talk.add(mallory, undefined, [first], 1);
        talk.add(bob, undefined, [early]);
        assert.equal(isAside(talk, first), false);
      }
    }
  });

  it('D2 a tail that was lost comes back with it, where it stands behind all that it had acknowledged', () => {
    for (const isInTime of [true, false]) {
      const talk = new Talk();
      const { alice, mallory, genesis } = talk;
      const first = talk.add(mallory, undefined, [genesis]);
      const said = talk.add(alice, talk.add(alice, genesis, []), []);
      const lost = isInTime ? talk.say(mallory, first, [said]) : talk.say(mallory, first, []);
      const later = talk.add(mallory, undefined, isInTime ? [first] : [said, first], 1);
      assert.equal(talk.take(lost), 'added');
      assert.equal(isAside(talk, lost), true, 'nobody has named it');
      talk.add(mallory, later, [lost], 1);
      assert.equal(isAside(talk, lost), !isInTime);
    }
  });

  it('D2 L5 so does what stands behind what counts anyhow, whenever others turn out to have named that', () => {
    for (const isLate of [false, true]) {
      const talk = new Talk();
      const { alice, bob, mallory, genesis } = talk;
      const early = talk.add(mallory, undefined, [genesis]);
      const said = talk.add(alice, genesis, []);
      const lost = talk.add(mallory, early, [talk.add(alice, talk.add(alice, said, []), [])]);
      const unaware = talk.say(bob, undefined, [early]);
      const takeIt = () => assert.equal(talk.take(unaware), 'added');
      if (!isLate) takeIt();
      const later = talk.add(mallory, undefined, [said], 1);
      talk.add(mallory, later, [lost], 1);
      if (isLate) assert.deepEqual([isAside(talk, early), isAside(talk, lost)], [true, true]);
      if (isLate) takeIt();
      assert.deepEqual([isAside(talk, early), isAside(talk, lost)], [false, false]);
    }
  });

  it('D2 L5 what counts is the same in every order, and as the rule says', () => {
    // The last three are among the few in which it matters what counts anyhow.
    for (const seed of [...Array.from({ length: 50 }, (_, i) => i), 146, 442, 552]) {
      const dice = new Dice(`generations ${seed}`);
      const [talk, said] = ramble(dice);
      const aside = new Rule(talk, said).aside();
      for (let order = 0; order < 3; order++) {
        const other = new Talk();
        for (let left = dice.shuffled(said); left.length > 0;)
          left = left.filter((delta) => other.take(delta) !== 'added');
        const found = said.filter((delta) => isAside(other, delta));
        assert.deepEqual(
          found.map(({ id }) => id),
          aside.map(({ id }) => id),
          `in order ${order} of world ${seed}`,
        );
      }
    }
  });
});

describe('D2 A4 a device that has lost its acknowledgement of a word', () => {
  it('D2 A4 lets go of what is beyond the word when that comes back, unless another names it: others may have folded without it (world “lapwing.220”)', () => {
    for (const isNamed of [false, true]) {
      const team = new Team(`acknowledgement lost ${String(isNamed)}`);
      const alice = team.founder;
      const [bob, carol, dave] = ['Bob', 'Carol', 'Dave'].map((name) => team.join(name)) as [Copy, Copy, Copy];
      for (const copy of [bob, carol, dave]) copy.write(ACK);
      alice.meet(bob, carol, dave, bob, carol, dave);
      const own = feedOf(bob.person.device, 1);
      const { crypto, workspace } = team;
      const back = new Copy(
        team,
        bob.person,
        new Replica({ crypto, workspace, reducers: [chatReducer, filesReducer], own }),
      );
      back.meet(bob);
      const [unsent, word] = [carol.post('unsent'), carol.invite()];
      alice.control('drop', controlBody.devices([carol.person.device], boxEpoch(team.crypto, team.epoch, [])));
      bob.meet(alice);
      bob.write(ACK);
      alice.meet(bob);

      back.meet(carol);
      if (isNamed) {
        dave.meet(carol);
        dave.write(ACK);
        back.meet(dave);
      }
      assert.ok(back.replica.node(unsent), 'it has not heard of the word');
      back.meet(alice);
      assert.equal(back.replica.node(unsent) !== undefined, isNamed);
      assert.equal(back.verdict(word) !== undefined, isNamed, 'nor what it says');
      back.meet(carol);
      const [ack] = back.write(ACK);
      if (isNamed) alice.meet(dave);
      alice.meet(back);
      assert.ok(alice.replica.node(ack!.delta.id), 'nothing that it names is lacking');
      assert.equal(alice.verdict(unsent), isNamed ? 'cutOff' : undefined);
      assert.deepEqual(stateOf(back.replica), stateOf(alice.replica));
    }
  });
});

describe('D7 A4 what is beyond a word, and is named by who had not heard it', () => {
  it('D7 A4 what is taken for what names it comes with what proves it, so that others can be given it (world “avocet.3247”)', () => {
    const team = new Team('proved by what comes after it');
    const alice = team.founder;
    const [carol, mallory] = ['Carol', 'Mallory'].map((name) => team.join(name)) as [Copy, Copy];
    for (const copy of [carol, mallory]) copy.write(ACK);
    alice.meet(carol, mallory, carol);
    const [end] = [...mallory.replica.nodes()].filter(({ delta }) => delta.device === mallory.person.device).slice(-1);
    const upon = { seq: end!.delta.seq + 1, prev: end!.delta.id, deps: [], credential: end!.delta.credential };
    const first = team.forge(mallory.person, upon);
    const next = team.forge(mallory.person, { ...upon, seq: upon.seq + 1, prev: first.id });
    const unsigned = first.bytes.slice();
    unsigned[unsigned.length - 1]! ^= 1;
    const own = [...carol.replica.nodes()].filter(({ delta }) => delta.device === carol.person.device).at(-1)!.delta;
    const unaware = team.forge(carol.person, {
      seq: own.seq + 1,
      prev: own.id,
      deps: [first.id],
      credential: own.credential,
    });
    alice.control('drop', controlBody.devices([mallory.person.device], boxEpoch(team.crypto, team.epoch, [])));
    alice.replica.ingest([[unaware.bytes]]);
    alice.replica.ingest([[unsigned, next.bytes]]);
    assert.equal(alice.verdict(first.id), 'cutOff');
    assert.ok(alice.replica.node(unaware.id));
    for (const node of alice.replica.nodes()) alice.replica.madeDurable(node);
    const [run] = alice.replica.serving.byIds([first.id]);
    assert.deepEqual(
      run?.map(({ delta }) => delta.id),
      [first.id, next.id],
    );
  });
});

describe('D2 A4 what a device has lost and somebody brings who is out', () => {
  it('D2 A4 L4 comes back, but for what rests upon his own beyond the word: all may have folded what knows of that (world “vole.8974”)', () => {
    const team = new Team('lost and brought by who is out');
    const alice = team.founder;
    const [bob, carol] = ['Bob', 'Carol'].map((name) => team.join(name)) as [Copy, Copy];
    for (const copy of [bob, carol]) copy.write(ACK);
    alice.meet(bob, carol, bob, carol);
    const { crypto, workspace } = team;
    const own = feedOf(bob.person.device, 1);
    const back = new Copy(team, bob.person, new Replica({ crypto, workspace, reducers: [chatReducer], own }));
    back.meet(bob);

    const before = bob.post('lost');
    carol.meet(bob);
    const hers = carol.post('hers');
    bob.meet(carol);
    const lost = [bob.post('lost, upon hers')];
    carol.meet(bob);
    carol.write(ACK);
    bob.meet(carol);
    lost.push(bob.post('lost, and named by nobody'));
    carol.meet(bob);
    back.write(ACK);
    alice.meet(back);
    alice.control('drop', controlBody.devices([carol.person.device], boxEpoch(crypto, team.epoch, [])));
    back.meet(alice);
    const post = back.post('since');
    alice.meet(back);
    alice.write(ACK);
    back.meet(alice);

    // What it waits for is asked for.
    back.meet(carol, carol, carol);
    assert.equal(back.verdict(post), 'accepted', 'all have acknowledged it');
    assert.ok(back.replica.node(before));
    for (const id of [hers, ...lost]) assert.ok(!back.replica.node(id));
    assert.deepEqual(new Set(back.replica.own.comeBack().map(({ id }) => id)), new Set(lost), 'it is not gone');
    const [ack] = back.write(ACK);
    alice.meet(back, back);
    assert.ok(alice.replica.node(ack!.delta.id), 'nothing that it names is lacking');
    assert.deepEqual(stateOf(alice.replica), stateOf(back.replica));
  });
});

describe('L6 D2 a later feed in a base', () => {
  it('L6 D2 tells of the older one only what is folded of what others have named: what is not they may not have yet', () => {
    const talk = new Talk();
    const { alice, bob, mallory, genesis } = talk;
    const first = talk.add(mallory, undefined, [genesis]);
    const named = talk.add(mallory, first, []);
    const unaware = talk.add(bob, undefined, [named]);
    const beyond = talk.add(mallory, named, []);
    talk.add(talk.team.person('Carol'), undefined, [beyond]);
    const later = talk.add(mallory, undefined, [genesis], 1);
    const seen = talk.add(alice, genesis, [later, first]);
    const isOlder = ({ feed }: { readonly feed: FeedId }) => feed === feedOf(mallory.device, 0);
    assert.deepEqual(talk.graph.lanes.find(isOlder)?.closed, { named: 3, seen: 0 });
    forgetUpTo(talk, [first, later, seen, talk.add(bob, unaware, [seen])]);
    assert.deepEqual(frameOf(talk.graph, undefined).lanes.find(isOlder)?.closed, { named: 2, seen: 0 });
  });

  it('L6 D2 how much of the older one counts is in the frame, and comes back with it', () => {
    const talk = new Talk();
    const { alice, bob, mallory, genesis } = talk;
    const first = talk.add(mallory, undefined, [genesis]);
    const named = talk.add(mallory, first, []);
    const unaware = talk.add(bob, undefined, [named]);
    const later = talk.add(mallory, undefined, [genesis], 1);
    const seen = talk.add(alice, genesis, [later, first]);
    const aware = talk.add(bob, unaware, [seen]);
    // Of the older feed the second is not folded yet.
    forgetUpTo(talk, [first, later, seen, aware]);
    const frame = frameOf(talk.graph, undefined);
    const older = frame.lanes.find(({ device, generation }) => device === mallory.device && generation === 0);
    assert.deepEqual(older?.closed, { named: 2, seen: 0 });

    const begun = new Graph();
    for (const lane of frame.lanes) begun.loadLane(lane);
    for (const place of frame.places) begun.loadPlace(place);
    begun.loaded(0);
    const copied = talk.say(mallory, named, []);
    for (const delta of [named, copied]) assert.equal(begun.insert(delta).outcome, 'added');
    assert.deepEqual(
      [named, copied].map(({ id }) => begun.isAside(begun.get(id)!)),
      [false, true],
    );
  });
});

describe('L6 D2 D8 a later feed of a device that forks the older', () => {
  it('L6 D2 D8 what counts of the older one is in the frame the same, whether the fork has shown before the later feed or after (world “swan.980”)', () => {
    const frames = [true, false].map((isForkFirst) => {
      const talk = new Talk();
      const { alice, bob, mallory, genesis } = talk;
      const first = talk.add(mallory, undefined, [genesis]);
      const second = talk.add(mallory, first, []);
      const rival = talk.say(mallory, first, []);
      const begun = talk.say(mallory, undefined, [genesis], 1);
      const naming = talk.say(alice, genesis, [second]);
      const order = isForkFirst ? [rival, naming, begun] : [naming, begun, rival];
      for (const delta of order) assert.equal(talk.take(delta), 'added');
      talk.add(bob, undefined, [second, begun]);
      forgetUpTo(talk, [genesis, first, begun]);
      const trunk = frameOf(talk.graph, undefined).lanes.find(
        ({ device, generation, parent }) => device === mallory.device && generation === 0 && parent === undefined,
      );
      return trunk?.closed;
    });
    assert.deepEqual(frames[1], frames[0]);
  });

  it('D2 D8 the older one counts for others no further than its fork, whether that has shown before the later feed or after', () => {
    for (const isForkFirst of [true, false]) {
      for (const isNamed of [true, false]) {
        const talk = new Talk();
        const { alice, mallory, genesis } = talk;
        const first = talk.add(mallory, undefined, [genesis]);
        const second = talk.add(mallory, first, []);
        const rival = talk.say(mallory, first, []);
        // Others have named what is beyond the fork, or the later feed begins upon it.
        const naming = isNamed ? [talk.say(alice, genesis, [second])] : [];
        const begun = talk.say(mallory, undefined, [isNamed ? genesis : second], 1);
        for (const delta of isForkFirst ? [rival, ...naming, begun] : [...naming, begun, rival])
          assert.equal(talk.take(delta), 'added');
        const end = talk.graph.closedAt(second, () => true);
        assert.equal(end, first.seq);
      }
    }
  });
});

describe('L6 D2 a base of a copy that had folded before it heard of the later feed', () => {
  it('L6 D2 is what it is where nothing was folded yet: the first of what others have named is not asked for any more (world “tea.1089”)', () => {
    const talk = new Talk();
    const { alice, bob, mallory, genesis } = talk;
    const carol = talk.team.person('Carol');
    const began = talk.add(alice, genesis, []);
    const first = talk.add(mallory, undefined, [began]);
    const second = talk.add(mallory, first, []);
    const unaware = [talk.add(alice, began, [second]), talk.add(bob, undefined, [second])];
    // Not folded: what it names keeps its place.
    const apart = talk.add(carol, undefined, [genesis]);
    const folder = new Talk();
    for (const delta of [began, first, second, ...unaware, apart]) assert.equal(folder.take(delta), 'added');
    forgetUpTo(folder, [second, ...unaware]);

    const low = talk.add(mallory, undefined, [genesis], 1);
    const high = talk.add(mallory, low, unaware, 1);
    const aware = [talk.add(alice, unaware[0], [high]), talk.add(bob, unaware[1], [high])];
    for (const delta of [low, high, ...aware]) assert.equal(folder.take(delta), 'added');
    const frames = [talk, folder].map((one) => {
      forgetUpTo(one, [second, high, ...aware]);
      return frameOf(one.graph, undefined);
    });
    assert.deepEqual(frames[1], frames[0]);
    const older = frames[0]!.lanes.find(({ device, generation }) => device === mallory.device && generation === 0);
    assert.deepEqual(older?.closed, { named: 2, seen: 2 });
  });
});

describe('L4 D2 a feed that knows less', () => {
  it('L4 D2 changes nothing of what is folded elsewhere, and what was applied of it is undone where the older one shows', () => {
    const team = new Team('knows less');
    const [alice, bob] = [team.founder, team.join('Bob')];
    bob.meet(alice);
    alice.post('which Bob has seen');
    bob.meet(alice);
    const posts = ['one', 'two'].map((text) => bob.post(text));
    const { credential } = bob.replica.roster.members.get(bob.person.account)!;
    const low = team.forge(bob.person, {
      generation: 1,
      seq: 1,
      deps: [credential],
      credential,
      body: ['out of the past'],
    });
    const carol = team.join('Carol');
    carol.meet(alice);
    carol.replica.ingest([[low.bytes]]);
    assert.equal(carol.verdict(low.id), 'accepted', 'of the older feed nothing has come');
    const older = [...bob.replica.nodes()].filter(({ delta }) => delta.device === bob.person.device);
    carol.replica.ingest([older.map(({ delta }) => delta.bytes)]);
    assert.equal(carol.verdict(low.id), 'forked', 'it stands as if what was acknowledged there were not');
    alice.meet(bob);
    alice.control('ack', controlBody.ack());
    carol.meet(alice);
    assert.deepEqual(
      [...posts, low.id].map((id) => carol.verdict(id)),
      ['accepted', 'accepted', 'forked'],
    );
    alice.replica.ingest([[low.bytes]]);
    assert.deepEqual(stateOf(alice.replica), stateOf(carol.replica));
  });

  for (const isAlone of [false, true]) {
    const out = isAlone ? 'not where nobody else had it: from there others have it folded' : 'where others had it, too';
    it(`L6 D2 puts out of step who has folded it before the older one shows, ${out} (world “rough-mm.1213”)`, () => {
      const team = new Team(`folded before the older one shows, alone ${String(isAlone)}`);
      const before = team.founder;
      const others = isAlone ? [] : [team.join('Bob', before)];
      const again = putBack(before);
      // Lost with the store: whom nobody else here knows, and what was said to him.
      const dave = team.join('Dave', before);
      before.post('to Dave');
      dave.meet(before);
      dave.write(ACK);
      const said = again.post('as if Dave were not');
      for (const copy of [...others, again]) {
        again.meet(...others);
        copy.write(ACK);
      }
      again.meet(...others);
      assert.deepEqual(
        again.replica.advance().folded.map(({ node, verdict }) => [node.delta.id, verdict]),
        [[said, 'applied']],
      );
      const older = [...dave.replica.nodes()].filter(({ delta }) => delta.device === team.alice.device);
      const daves = [...dave.replica.nodes()].filter(({ delta }) => delta.device === dave.person.device);
      const runs = [daves, older].map((run) => run.map(({ delta }) => delta));
      again.hearRuns(...runs);
      assert.ok(again.replica.roster.devices.has(dave.person.device));
      const [named] = again.write(ACK);
      for (const bob of others) {
        bob.hearRuns([named!.delta], runs[0]!);
        bob.hearRuns(runs[1]!);
        assert.deepEqual([bob.verdict(said), bob.replica.isOutOfStep], ['forked', false]);
      }
      assert.equal(again.replica.isOutOfStep, !isAlone);
    });
  }

  it('L4 D2 undoes it with whichever delta of the older one shows it', () => {
    const team = new Team('knows less, and is shown late');
    const [alice, bob] = [team.founder, team.join('Bob')];
    const early = bob.post('before it knew of more');
    alice.post('which Bob has seen');
    bob.meet(alice);
    bob.write(ACK);
    const { credential } = bob.replica.roster.members.get(bob.person.account)!;
    const low = team.forge(bob.person, {
      generation: 1,
      seq: 1,
      deps: [credential],
      credential,
      body: ['of the past'],
    });
    const carol = team.join('Carol');
    carol.meet(alice);
    const older = [...bob.replica.nodes()].filter(({ delta }) => delta.device === bob.person.device);
    assert.deepEqual(older.map(({ delta }) => delta.id).indexOf(early), 0);
    carol.hearRuns([older[0]!.delta], [low]);
    assert.equal(carol.verdict(low.id), 'accepted');
    carol.hearRuns([older[1]!.delta]);
    assert.equal(carol.verdict(low.id), 'forked');
  });

  it('L4 D2 what is here of the older one is named before the later, by who may have folded upon it: till then it counts for him alone', () => {
    const { carol, alice, bob, older, low } = heardOfBoth();
    assert.deepEqual([carol.verdict(older), carol.verdict(low.id)], ['accepted', 'forked']);
    assert.equal(carol.replica.mark.isAhead, true);
    assert.equal(carol.replica.mark.workOut(), undefined);
    const [named, said] = carol.write({ tool: CHAT, kind: 'post', body: ['upon both'] });
    assert.deepEqual([named!.delta.kind, said!.delta.kind], ['ack', 'post']);
    const upon = carol.replica.node(named!.delta.id)!;
    const isIn = (id: DeltaId) => inPast(carol.replica.node(id)!, upon);
    assert.deepEqual([isIn(older), isIn(low.id)], [true, false]);
    assert.deepEqual([carol.verdict(older), carol.verdict(low.id)], ['accepted', 'forked']);
    assert.equal(carol.replica.mark.isAhead, false);
    carol.meet(alice, bob);
    for (const copy of [alice, bob]) assert.deepEqual(stateOf(copy.replica), stateOf(carol.replica));
    const another = carol.write({ tool: CHAT, kind: 'post', body: ['nothing is left to be named'] });
    assert.equal(another.length, 1);
  });

  for (const isKnown of [true, false]) {
    it(`L4 D2 nothing is named first where the later one has acknowledged all that it had, ${isKnown ? 'and itself' : 'whatever it lacks of it'}`, () => {
      const team = new Team('denies nothing');
      const [alice, bob] = [team.founder, team.join('Bob')];
      const { credential } = bob.replica.roster.members.get(bob.person.account)!;
      const older = ['one', 'two', 'which nobody has named'].map((text) => bob.post(text)).at(-1)!;
      const deps = [isKnown ? older : credential];
      const later = team.forge(bob.person, { generation: 1, seq: 1, deps, credential, body: ['and goes on'] });
      alice.meet(bob);
      alice.replica.ingest([[later.bytes]]);
      assert.equal(alice.replica.mark.isAhead, false);
      assert.equal(alice.write({ tool: CHAT, kind: 'post', body: ['upon both'] }).length, 1);
      assert.deepEqual([alice.verdict(older), alice.verdict(later.id)], [isKnown ? 'accepted' : 'forked', 'accepted']);
    });
  }

  it('L4 D2 I4 so it is by who has written nothing yet, upon what lets him in', () => {
    const team = new Team('names first, and joins');
    const [alice, mallory] = [team.founder, team.join('Mallory')];
    alice.post('which Mallory has seen');
    mallory.meet(alice);
    const early = team.join('Early');
    const { credential } = mallory.replica.roster.members.get(mallory.person.account)!;
    const older = mallory.post('before');
    const more = mallory.post('and more');
    const later = { generation: 1, seq: 1, deps: [credential], credential, body: ['out of the past'] };
    early.meet(mallory);
    early.replica.ingest([[team.forge(mallory.person, later).bytes]]);
    const nodes = early.write({ tool: CHAT, kind: 'post', body: ['upon both'] });
    assert.deepEqual(
      nodes.map(({ delta }) => delta.kind),
      ['ack', 'post'],
    );
    alice.meet(early);
    assert.deepEqual(
      [older, more, ...nodes.map(({ delta }) => delta.id)].map((id) => alice.verdict(id)),
      ['accepted', 'accepted', 'accepted', 'accepted'],
    );
  });

  it('L4 D2 I4 till whom it lets in has written something, nothing of it is settled (world “dunlin.16368”)', () => {
    const team = new Team('lets in, and is lost');
    const alice = team.founder;
    const again = putBack(alice);
    const lost = alice.post('lost with the store');
    const bob = team.join('Bob');
    // She was alone, and goes on. What was lost sorts before all that, so she cannot bring it in.
    for (let acks = 0; acks < 3; acks++) again.write(ACK);
    again.take(bob.replica.serving.lacking(again.replica.vector(), Number.MAX_SAFE_INTEGER));
    again.write(ACK);
    const foldedAs = () => again.replica.advance().folded.find(({ node }) => node.delta.id === lost)?.verdict;
    assert.deepEqual([again.verdict(lost), foldedAs()], ['forked', undefined]);
    bob.write(ACK);
    again.take(bob.replica.serving.lacking(again.replica.vector(), Number.MAX_SAFE_INTEGER));
    again.write(ACK);
    assert.deepEqual([again.verdict(lost), foldedAs()], ['accepted', 'applied']);
  });

  it('L4 D2 L7 and not by who comes back, let in again by who knows of the later: it would be beyond the word that took him out', () => {
    const { team, carol, alice, low, older } = heardOfBoth();
    const dave = team.join('Dave').person;
    carol.take(alice.replica.serving.lacking(carol.replica.vector(), Number.MAX_SAFE_INTEGER));
    // As he knows of the later, it counts for nobody by him; but it stays.
    const { credential } = alice.replica.roster.members.get(dave.account)!;
    const deps = [older, low.id, credential].sort();
    carol.hearRuns([team.forge(dave, { seq: 1, deps, credential, body: ['upon both'] })]);
    alice.replica.ingest([[low.bytes]]);
    const { device, account, certificate } = carol.person;
    alice.control('drop', controlBody.devices([device], boxEpoch(team.crypto, team.epoch, [])));
    const boxes = boxEpoch(team.crypto, team.epoch, [certificate]);
    alice.control('addDevice', controlBody.addDevice(account, [certificate], boxes));
    carol.meet(alice);
    assert.ok(carol.replica.node(older));
    const written = carol.write({ tool: CHAT, kind: 'post', body: ['back'] });
    assert.deepEqual(
      written.map(({ delta }) => [delta.kind, carol.verdict(delta.id)]),
      [['post', 'accepted']],
    );
  });

  it('L4 D2 A3 nor by who has become something else by a word that knows of it: he cites that (world “flop.802”)', () => {
    const { carol, alice, low } = heardOfBoth();
    alice.replica.ingest([[low.bytes]]);
    alice.setRole(carol.person, Role.manager);
    carol.meet(alice);
    const written = carol.write({ tool: CHAT, kind: 'post', body: ['as a manager'] });
    assert.deepEqual(
      written.map(({ delta }) => [delta.kind, carol.verdict(delta.id)]),
      [['post', 'accepted']],
    );
  });

  it('L4 D2 I4 nor by whom only what is void lets in without knowing of it (world “fir.576”)', () => {
    const { team, bob, carol } = heardOfBoth();
    const tablet = new Person(team.crypto, 'Carol', carol.person);
    const boxes = boxEpoch(team.crypto, team.epoch, [tablet.certificate]);
    const addition = controlBody.addDevice(tablet.account, [tablet.certificate], boxes);
    assert.notEqual(bob.verdict(bob.control('addDevice', addition)), 'accepted');
    carol.meet(bob);
    carol.control('addDevice', addition);
    bob.post('which nobody has named either');
    const copy = team.copyOf(tablet, carol);
    copy.meet(bob);
    const written = copy.write({ tool: CHAT, kind: 'post', body: ['by the tablet'] });
    assert.deepEqual(
      written.map(({ delta }) => [delta.kind, copy.verdict(delta.id)]),
      [['post', 'accepted']],
    );
  });

  it('L4 D2 I4 nothing more of the older one is taken by who has written nothing yet, where a word that lets him in knows of the later (world “tea.964”)', () => {
    const team = new Team('knows less, and joins');
    const [alice, mallory] = [team.founder, team.join('Mallory')];
    const early = team.join('Early');
    mallory.meet(alice);
    const { credential } = mallory.replica.roster.members.get(mallory.person.account)!;
    const later = { generation: 1, seq: 1, deps: [credential], credential, body: ['out of the past'] };
    alice.replica.ingest([[team.forge(mallory.person, later).bytes]]);
    const late = team.join('Late');
    early.meet(alice);
    const more = mallory.control('ack', controlBody.ack());
    const run = [...mallory.replica.nodes()].filter(({ delta }) => delta.device === mallory.person.device);
    for (const joiner of [early, late]) joiner.replica.ingest([run.map(({ delta }) => delta.bytes)]);
    assert.ok(
      early.replica.node(more),
      'his first delta need not have the later one in its past, as far as others know',
    );
    assert.equal(late.replica.node(more), undefined, 'others fold as if he had acknowledged the later one');
  });
});

/** Carol holds what Bob has written last, which nobody has named, and of a later feed of his what does not know of that. */
function heardOfBoth() {
  const team = new Team('names first');
  const [alice, bob, carol] = [team.founder, team.join('Bob'), team.join('Carol')];
  for (const copy of [bob, carol]) copy.meet(alice);
  bob.control('ack', controlBody.ack());
  alice.post('which Bob has seen');
  for (const copy of [bob, carol]) copy.meet(alice);
  carol.control('ack', controlBody.ack());
  const older = bob.post('which nobody has named');
  const { credential } = bob.replica.roster.members.get(bob.person.account)!;
  const low = team.forge(bob.person, { generation: 1, seq: 1, deps: [credential], credential, body: ['of the past'] });
  carol.meet(bob);
  carol.hearRuns([low]);
  return { team, alice, bob, carol, older, low };
}

/** Three people write upon some of what there is; Mallory in up to four feeds, at once. Answers what was taken but for the genesis. */
function ramble(dice: Dice): [Talk, Delta[]] {
  const talk = new Talk();
  const tips = new Map<string, Delta>([['Alice 0', talk.genesis]]);
  const said: Delta[] = [];
  for (let i = dice.between(6, 24); i > 0; i--) {
    const by: Person = dice.pick([talk.alice, talk.bob, talk.mallory, talk.mallory]);
    const generation = by === talk.mallory ? dice.below(4) : 0;
    const feed = `${by.name} ${generation}`;
    const others = [...tips].filter(([other]) => other !== feed).map(([, tip]) => tip);
    const older = said.filter((delta) => dice.chance(0.2) && delta.device !== by.device);
    const delta = talk.say(
      by,
      tips.get(feed),
      dice.shuffled([...others, ...older]).slice(0, dice.between(1, 2)),
      generation,
    );
    if (talk.take(delta) !== 'added') continue;
    tips.set(feed, delta);
    said.push(delta);
  }
  return [talk, said];
}

/** The rule, word for word, over sets. */
class Rule {
  readonly #talk: Talk;
  readonly #all: readonly Delta[];
  readonly #pasts = new Map<DeltaId, ReadonlySet<Delta>>();

  constructor(talk: Talk, said: readonly Delta[]) {
    this.#talk = talk;
    this.#all = [talk.genesis, ...said];
    for (const outer of this.#all)
      this.#pasts.set(outer.id, new Set(this.#all.filter((inner) => inner !== outer && talk.isIn(inner, outer))));
  }

  aside(): Delta[] {
    return this.#all.filter((delta) => delta.seq > this.#counts(delta) || this.#isBehind(delta));
  }

  #feed(device: string, generation: number): Delta[] {
    return this.#all
      .filter((delta) => delta.device === device && delta.generation === generation)
      .sort((a, b) => a.seq - b.seq);
  }

  #past(delta: Delta): ReadonlySet<Delta> {
    return this.#pasts.get(delta.id)!;
  }

  /** How much of a feed is in the past of a delta. */
  #reach(delta: Delta, device: string, generation: number): number {
    return [...this.#past(delta)].filter((one) => one.device === device && one.generation === generation).length;
  }

  #isBefore(a: Delta, b: Delta): boolean {
    const [first, second] = [this.#talk.graph.get(a.id)!, this.#talk.graph.get(b.id)!];
    return first.height < second.height || (first.height === second.height && a.id < b.id);
  }

  /** Up to where others have named a feed who did not know of a later one. */
  #named({ device, generation }: Delta): number {
    const isLater = (one: Delta) => one.device === device && one.generation > generation;
    const unaware = this.#all.filter((one) => one.device !== device && ![...this.#past(one)].some(isLater));
    return Math.max(0, ...unaware.map((one) => this.#reach(one, device, generation)));
  }

  /** The first later feed whose beginning counts. */
  #next({ device, generation }: Delta): readonly Delta[] {
    const later = this.#all.filter((one) => one.device === device && one.generation > generation && one.seq === 1);
    const inTurn = later.sort((a, b) => a.generation - b.generation);
    return this.#feed(device, inTurn.find((one) => this.#hasBegun(one))!.generation);
  }

  #hasBegun(first: Delta): boolean {
    const { device, generation } = first;
    if (!this.#all.some((one) => one.device === device && one.generation > generation)) return true;
    return this.#named(first) > 0 || this.#reach(this.#next(first)[0]!, device, generation) > 0;
  }

  #counts(delta: Delta): number {
    const { device, generation } = delta;
    const later = this.#all.filter((one) => one.device === device && one.generation > generation);
    if (later.length === 0) return Number.POSITIVE_INFINITY;
    const next = this.#next(delta);
    const older = this.#feed(device, generation);
    let counts = Math.max(this.#named(delta), this.#reach(next[0]!, device, generation));
    for (const [i, prev] of next.slice(0, -1).entries()) {
      const reach = this.#reach(next[i + 1]!, device, generation);
      if (reach > counts && this.#isBefore(prev, older[counts]!)) counts = reach;
    }
    return counts;
  }

  #isBehind(delta: Delta): boolean {
    const { device } = delta;
    for (let generation = 0; generation < delta.generation; generation++) {
      const older = this.#feed(device, generation);
      const named = older.length > 0 ? older[this.#named(older[0]!) - 1] : undefined;
      if (!named || this.#past(delta).has(named)) continue;
      const isUnknown = [...this.#past(named)].some((one) => one.device !== device && !this.#past(delta).has(one));
      if (isUnknown || this.#isBefore(delta, named)) return true;
    }
    return false;
  }
}

describe('I4 D8 a device that a branch lets in', () => {
  it('I4 D8 writes nothing where all else rests on the other branch: nobody could take it (world “gum.388”)', () => {
    const team = new Team('let in by a branch');
    const [alice, mallory] = [team.founder, team.join('Mallory', team.founder, Role.manager)];
    const carla = team.person('Carla');
    const { credential } = mallory.replica.roster.members.get(mallory.person.account)!;
    const box = boxEpoch(team.crypto, team.epoch, [carla.certificate]);
    const admission = controlBody.admit(carla.account, Role.participant, 'Carla', [carla.certificate], undefined, box);
    const draft = { seq: 1, deps: [credential], credential };
    const admit = team.forge(mallory.person, { ...draft, tool: undefined, kind: 'admit', body: admission });
    const rival = team.forge(mallory.person, draft);
    alice.replica.ingest([[rival.bytes]]);
    alice.post('upon the other branch');
    const carol = new Copy(team, carla);
    carol.replica.ingest([...alice.replica.nodes()].map(({ delta }) => [delta.bytes]));
    assert.equal(carol.replica.own.canBegin, true, 'nobody has let her in yet');
    carol.replica.restore(admit.bytes);
    assert.equal(carol.replica.people.isLetIn(carla.device), true);
    assert.equal(carol.replica.own.canBegin, false);
  });
});
