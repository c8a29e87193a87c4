/** Whose acknowledgement is waited for, and what may be folded and forgotten upon it (L4). */
import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.ts';
import type { DeltaId } from '../../src/base/ids.ts';
import { controlBody, headsKept, Role } from '../../src/sync/control.ts';
import { feedOf, signDelta, type Delta } from '../../src/sync/delta.ts';
import { boxEpoch } from '../../src/sync/epoch.ts';
import { Replica } from '../../src/sync/replica.ts';
import { makePerson } from '../sim/people.ts';
import { firstCopyOf } from '../sim/pruning.ts';
import { chatBody } from '../../src/tools/chat/deltas.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { CHAT, NOW, stateOf, Team, type Copy } from './team.ts';

const ack = (copy: Copy): DeltaId => copy.control('ack', controlBody.ack());

/** What the one lacks of the other's. */
function tell(from: Copy, to: Copy): void {
  assert.deepEqual(to.take(from.replica.serving.lacking(to.replica.vector(), Number.MAX_SAFE_INTEGER)), []);
}

function tipOf({ replica, person }: Copy): DeltaId {
  const feed = feedOf(person.device, 0);
  return replica.nodeAt(feed, replica.vector().get(feed)!)!.delta.id;
}

function foldedBy(copy: Copy): readonly DeltaId[] {
  return copy.replica.advance().folded.map(({ node }) => node.delta.id);
}

describe('L4 what all have acknowledged', () => {
  it('L4 is folded when the last of all devices has, and not before', () => {
    const team = new Team(60);
    const alice = team.founder;
    const [bob, carol] = [team.join('Bob'), team.join('Carol')];
    const post = bob.post('for all');
    for (const copy of [alice, carol]) tell(bob, copy);
    for (const copy of [alice, bob]) ack(copy);
    tell(bob, alice);
    // Carol has said nothing yet.
    assert.deepEqual(foldedBy(alice), []);
    alice.meet(carol);
    ack(carol);
    tell(carol, alice);
    assert.deepEqual(foldedBy(alice), []); // of Bob she knows, and not that Carol was let in
    bob.meet(alice);
    ack(bob);
    tell(bob, alice);
    ack(alice);
    assert.deepEqual(foldedBy(alice), [post]);
    assert.equal(alice.replica.node(post)?.delta.bytes.length ?? 0, 0);
  });

  it('L4 is not folded before who was let in, and is known to be, has said anything', () => {
    const team = new Team(65);
    const alice = team.founder;
    const [bob, carol] = [team.join('Bob'), team.join('Carol')];
    bob.meet(alice);
    const post = bob.post('for all, Carol too');
    tell(bob, alice);
    ack(alice);
    tell(alice, bob);
    ack(bob);
    tell(bob, alice);
    // All who have written have acknowledged it, and that Carol is in; what she writes first may rest on her admission alone.
    assert.deepEqual(foldedBy(alice), []);
    tell(alice, carol);
    ack(carol);
    tell(carol, alice);
    assert.deepEqual(foldedBy(alice), [post]);
  });

  it('L4 forgets what tools have written, and no control delta', () => {
    const { alice, bob } = two(66);
    const admit = alice.replica.roster.members.get(bob.person.account)!.credential;
    const word = alice.setPerm('chat', 'add', Role.guest, false);
    const post = alice.post('before more of its feed');
    alice.meet(bob);
    for (let round = 0; round < 3; round++) {
      for (const copy of [alice, bob]) ack(copy);
      alice.meet(bob);
    }
    const { forgotten } = alice.replica.advance();
    assert.ok(forgotten > 0 && alice.replica.node(post) === undefined);
    for (const id of [admit, word]) assert.ok(alice.replica.node(id)!.delta.bytes.length > 0);
    const held = new Set([...alice.replica.nodes()].map(({ delta }) => delta.id));
    assert.ok(held.has(admit) && held.has(word));
  });

  it('L4 is not folded while a control delta is known that not all have acknowledged', () => {
    const { alice, bob } = two(61);
    const post = bob.post('before the word');
    alice.meet(bob);
    for (const copy of [alice, bob]) ack(copy);
    alice.meet(bob);
    alice.setPerm('chat', 'add', Role.guest, false);
    assert.deepEqual(foldedBy(alice), []);
    alice.meet(bob);
    ack(bob);
    tell(bob, alice);
    assert.deepEqual(foldedBy(alice), [post]);
  });

  it('L4 stays whole in the log while something in its past is not folded', () => {
    const team = new Team(62);
    const alice = team.founder;
    const [bob, carol] = [team.join('Bob'), team.join('Carol')];
    for (const copy of [bob, carol]) tell(alice, copy);
    for (const copy of [bob, carol]) ack(copy);
    for (const copy of [bob, carol]) tell(copy, alice);
    ack(alice);
    for (const copy of [bob, carol]) tell(alice, copy);
    // Carol does not hear of it: it is not stable, and sorts before what is.
    bob.post('low');
    const posts = ['1', '2', '3'].map((text) => alice.post(text));
    for (const copy of [bob, carol]) tell(alice, copy);
    const word = ack(carol);
    tell(carol, bob);
    ack(bob);
    tell(bob, alice);
    ack(alice);
    assert.ok(!foldedBy(alice).includes(posts[2]!));
    const carols = feedOf(carol.person.device, 0);
    assert.ok((alice.replica.feeds.cut().get(carols) ?? 0) < alice.replica.node(word)!.delta.seq);
    const own = feedOf(team.alice.device, 0);
    assert.ok((alice.replica.feeds.cut().get(own) ?? 0) > 0);
  });

  function two(seed: number): { team: Team; alice: Copy; bob: Copy } {
    const team = new Team(seed);
    return { team, alice: team.founder, bob: team.join('Bob') };
  }
});

describe('L4 D8 a device with two histories', () => {
  for (const first of [0, 1]) {
    for (const isThirdAway of [false, true]) {
      const others = isThirdAway ? ', and somebody has none' : '';
      it(`L4 D8 has acknowledged what the one that all others have says, or else both (branch ${first} first${others})`, () => {
        const team = new Team(63);
        const alice = team.founder;
        const [bob, mallory] = [team.join('Bob'), team.join('Mallory')];
        const third = isThirdAway ? [team.join('Carol')] : [];
        alice.meet(bob, mallory, ...third);
        const post = bob.post('seen by one of them');
        // What is on either branch sorts behind that.
        const last = ['one', 'two', 'three'].map((text) => alice.post(text)).at(-1)!;
        const { credential } = mallory.replica.roster.members.get(mallory.person.account)!;
        const branch = (...deps: readonly DeltaId[]): Delta =>
          team.forge(mallory.person, { seq: 1, deps: deps.toSorted(), credential });
        const branches = [branch(last, post), branch(last)];
        alice.meet(bob);
        for (const carol of third) {
          tell(alice, carol);
          ack(carol);
          tell(carol, alice);
        }
        const [here, there] = [branches[first]!, branches[1 - first]!];
        alice.replica.ingest([[here.bytes]]);
        bob.replica.ingest([[there.bytes]]);
        ack(bob);
        alice.take(bob.replica.serving.lacking(alice.replica.vector(), 1e6));
        alice.replica.ingest([[there.bytes]]);
        assert.ok(branches.every(({ id }) => alice.replica.node(id)));
        ack(alice);
        // Whoever has named neither may still name the other, and what is upon it.
        assert.equal(foldedBy(alice).includes(post), first === 1 && !isThirdAway);
      });
    }
  }
});

/** A first delta, and two upon it. */
function forkOf({ team, person, replica }: Copy): Readonly<Record<'first' | 'one' | 'other', Delta>> {
  const { credential } = replica.roster.members.get(person.account)!;
  const first = team.forge(person, { seq: 1, deps: [credential], credential });
  const upon = (text: string) => team.forge(person, { seq: 2, prev: first.id, credential, body: [text] });
  return { first, one: upon('one'), other: upon('other') };
}

describe('L4 D8 a freeze', () => {
  const freeze = (by: Copy, { device }: Copy['person']): DeltaId => {
    const kept = headsKept(by.replica.feeds.standing(), device);
    return by.control('freeze', controlBody.freeze(device, kept, boxEpoch(by.team.crypto, by.team.epoch, [])));
  };
  const baseOf = ({ replica }: Copy) => {
    const { cut, root } = replica.base.present();
    return [cut, toHex(root)];
  };

  it('L4 D8 leaves what others have folded of one history, where its author holds another that nobody has named (world “flop.2456”)', () => {
    const team = new Team(72);
    const alice = team.founder;
    const [bob, mallory] = [team.join('Bob'), team.join('Mallory')];
    alice.meet(bob);
    const { credential } = mallory.replica.roster.members.get(mallory.person.account)!;
    const [one, other] = ['one', 'other'].map((text) =>
      team.forge(mallory.person, { seq: 1, deps: [credential], credential, body: [text] }),
    ) as [Delta, Delta];
    alice.replica.ingest([[one.bytes]]);
    bob.replica.ingest([[other.bytes]]);
    ack(bob);
    alice.take(bob.replica.serving.lacking(alice.replica.vector(), 1e6));
    alice.replica.ingest([[other.bytes]]);
    ack(alice);
    tell(alice, bob);
    assert.deepEqual(foldedBy(bob), [other.id]);
    freeze(alice, mallory.person);
    assert.deepEqual(
      [one, other].map(({ id }) => alice.verdict(id)),
      ['forked', 'accepted'],
    );
    for (let round = 0; round < 2; round++) {
      alice.meet(bob);
      ack(bob);
      alice.meet(bob);
      ack(alice);
    }
    alice.meet(bob);
    for (const copy of [alice, bob]) copy.replica.advance();
    assert.deepEqual(baseOf(alice), baseOf(bob));
  });

  const MORE = {
    post: { body: ['more'] },
    ack: { tool: undefined, kind: 'ack', body: controlBody.ack() },
    profile: { tool: undefined, kind: 'profile', body: controlBody.profile('Mallory the second', '') },
  };
  for (const [kind, draft] of Object.entries(MORE)) {
    it(`L4 L6 D8 lets go of what goes on from one of two histories, and nobody can name (${kind}; world “lostbb.89”)`, () => {
      const team = new Team(73);
      const alice = team.founder;
      const [bob, carol, mallory] = [team.join('Bob'), team.join('Carol'), team.join('Mallory')];
      alice.meet(bob, carol);
      ack(carol);
      tell(carol, alice);
      const { credential } = mallory.replica.roster.members.get(mallory.person.account)!;
      const [one, other] = ['one', 'other'].map((text) =>
        team.forge(mallory.person, { seq: 1, deps: [credential], credential, body: [text] }),
      ) as [Delta, Delta];
      const two = team.forge(mallory.person, { seq: 2, prev: one.id, credential });
      const more = team.forge(mallory.person, { seq: 2, prev: one.id, deps: [tipOf(carol)], credential, ...draft });
      alice.replica.ingest([[one.bytes, two.bytes]]);
      carol.replica.ingest([[one.bytes, more.bytes]]);
      bob.replica.ingest([[other.bytes]]);
      ack(bob);
      freeze(alice, mallory.person);
      const copies = [alice, bob, carol];
      const hear = (copy: Copy) => {
        for (const from of copies)
          if (from !== copy) copy.take(from.replica.serving.lacking(copy.replica.vector(), 1e6));
        // What others have named of it is asked for.
        copy.replica.ingest([[one.bytes, two.bytes], [other.bytes]]);
      };
      for (let round = 0; round < 3; round++) {
        for (const copy of copies) {
          hear(copy);
          ack(copy);
        }
      }
      for (const copy of copies) hear(copy);
      assert.ok(carol.replica.node(more.id));
      for (const copy of copies) copy.replica.advance();
      assert.equal(carol.replica.node(more.id), undefined);
      assert.ok(carol.replica.base.isThere);
      assert.deepEqual(baseOf(carol), baseOf(alice));
      assert.deepEqual(stateOf(carol.replica), stateOf(alice.replica));
      const next = carol.post('next');
      tell(carol, alice);
      assert.equal(alice.verdict(next), 'accepted');
    });
  }

  it('L4 D8 asks for no ack that could name neither of two branches (world “rough-gg.13446”)', () => {
    const team = new Team(75);
    const alice = team.founder;
    const [bob, mallory] = [team.join('Bob'), team.join('Mallory')];
    alice.meet(bob);
    const { first, one, other } = forkOf(mallory);
    for (const { replica } of [alice, bob]) replica.ingest([[first.bytes]]);
    ack(alice);
    ack(bob);
    alice.meet(bob);
    bob.replica.ingest([[one.bytes]]);
    alice.replica.ingest([[other.bytes]]);
    assert.equal(alice.replica.own.isAckDue, true, 'she knows of one alone');
    // Of both, as where somebody who was taken out since had named the other.
    alice.replica.restore(one.bytes);
    for (const { id } of [one, other]) assert.ok(alice.replica.node(id));
    assert.equal(alice.replica.own.isAckDue, false);
    bob.post('upon the one');
    alice.take(bob.replica.serving.lacking(alice.replica.vector(), 1e6));
    assert.equal(alice.replica.own.isAckDue, true, 'Bob has named it');
    ack(alice);
    assert.equal(alice.replica.own.isAckDue, false);
  });

  it('L4 D8 asks for no ack any more where nothing is left of a branch (world “ivybA.86”)', () => {
    const team = new Team(74);
    const alice = team.founder;
    const [bob, mallory] = [team.join('Bob'), team.join('Mallory')];
    alice.meet(bob);
    const { first, one, other } = forkOf(mallory);
    alice.replica.ingest([[first.bytes, other.bytes]]);
    ack(alice);
    freeze(alice, mallory.person);
    bob.replica.ingest([[first.bytes, one.bytes]]);
    for (let round = 0; round < 2; round++) {
      bob.take(alice.replica.serving.lacking(bob.replica.vector(), 1e6));
      // What Alice has named of it is asked for.
      bob.replica.ingest([[first.bytes, other.bytes]]);
      ack(bob);
      alice.take(bob.replica.serving.lacking(alice.replica.vector(), 1e6));
      ack(alice);
    }
    assert.ok(bob.replica.node(one.id));
    assert.ok(bob.replica.node(other.id));
    bob.replica.advance();
    assert.equal(bob.replica.node(one.id), undefined);
    assert.equal(bob.replica.own.isAckDue, false);
  });

  it('L4 D8 asks for none where nothing but acks stands on the branch that others have named', () => {
    const team = new Team('acks on a branch');
    const alice = team.founder;
    const [bob, mallory] = [team.join('Bob'), team.join('Mallory')];
    const { first, other } = forkOf(mallory);
    const { credential } = mallory.replica.roster.members.get(mallory.person.account)!;
    const draft = { seq: 2, prev: first.id, credential, tool: undefined, kind: 'ack', body: controlBody.ack() };
    const said = team.forge(mallory.person, draft);
    for (const { replica } of [alice, bob]) replica.ingest([[first.bytes]]);
    ack(alice);
    ack(bob);
    alice.meet(bob);
    for (const { replica } of [alice, bob]) replica.ingest([[said.bytes]]);
    // As where somebody who was taken out since had named it.
    alice.replica.restore(other.bytes);
    ack(bob);
    tell(bob, alice);
    for (const { id } of [said, other]) assert.ok(alice.replica.node(id));
    assert.equal(alice.replica.own.isAckDue, false);
    bob.post('upon it');
    tell(bob, alice);
    assert.equal(alice.replica.own.isAckDue, true);
  });

  it('L4 D8 asks for none of whose own feed is forked, and cannot go on', () => {
    const team = new Team(75);
    const alice = team.founder;
    const mallory = team.join('Mallory');
    const { credential } = mallory.replica.roster.members.get(mallory.person.account)!;
    const { delta: first } = mallory.replica.node(mallory.post('first'))!;
    const branches = ['one', 'other'].map((text) =>
      team.forge(mallory.person, { seq: first.seq + 1, prev: first.id, credential, body: [text] }),
    ) as [Delta, Delta];
    tell(mallory, alice);
    alice.post('something');
    tell(alice, mallory);
    assert.ok(mallory.replica.own.isAckDue);
    mallory.replica.ingest(branches.map(({ bytes }) => [bytes]));
    assert.ok(mallory.replica.people.forked.has(mallory.person.device));
    assert.equal(mallory.replica.own.isAckDue, false);
  });
});

describe('L4 D8 a rival of what is folded', () => {
  it('L4 D8 puts a copy out of step where somebody names it who need not know what was folded', () => {
    const team = new Team(68);
    const alice = team.founder;
    const [bob, mallory, carol] = [team.join('Bob'), team.join('Mallory'), team.join('Carol')];
    const { credential } = mallory.replica.roster.members.get(mallory.person.account)!;
    for (const copy of [bob, mallory, carol]) alice.meet(copy);
    const folded = mallory.post('one history');
    for (let round = 0; round < 3; round++) {
      alice.meet(bob, mallory, carol, bob, mallory);
      for (const copy of [alice, bob, mallory, carol]) ack(copy);
    }
    alice.meet(bob, mallory, carol);
    assert.ok(alice.replica.advance().forgotten > 0 && alice.replica.node(folded) === undefined);
    const rival = team.forge(mallory.person, { seq: 1, deps: [credential], credential, body: ['another history'] });
    assert.deepEqual(alice.replica.ingest([[rival.bytes]]).added, []);
    assert.equal(alice.replica.isOutOfStep, false, 'alone it is nothing');
    const dave = team.person('Dave');
    const admit = alice.admit(dave);
    const named = (naming: Delta): boolean => {
      assert.deepEqual(alice.replica.ingest([[naming.bytes]]).missing, [rival.id]);
      assert.equal(alice.replica.isOutOfStep, false);
      alice.replica.ingest([[rival.bytes]]);
      return alice.replica.isOutOfStep;
    };
    // What let him in has seen the one history: nobody takes what names the other upon it.
    assert.equal(named(team.forge(dave, { seq: 1, deps: [admit, rival.id], credential: admit })), false);
    // As if Bob had lost what he had acknowledged: that counts for nobody (D2), but where somebody else goes on upon it.
    const credentialOf = ({ replica, person }: Copy) => replica.roster.members.get(person.account)!.credential;
    const begun = { generation: 1, seq: 1, deps: [rival.id], credential: credentialOf(bob) };
    const lost = team.forge(bob.person, begun);
    assert.equal(named(lost), false);
    const { delta: last } = carol.replica.node(tipOf(carol))!;
    const on = { seq: last.seq + 1, prev: last.id, deps: [lost.id], credential: credentialOf(carol) };
    assert.equal(named(team.forge(carol.person, on)), true);
  });
});

describe('L4 D8 what was folded before its time', () => {
  it('L4 D8 puts a copy out of step when something comes that counts before it', () => {
    for (const isFolded of [false, true]) {
      const team = new Team(71);
      const alice = team.founder;
      const bob = team.join('Bob');
      alice.meet(bob);
      bob.post('early');
      for (const text of ['1', '2', '3']) alice.post(text);
      // As if Bob had acknowledged them.
      if (isFolded) assert.ok(alice.replica.advance([alice.person.device]).folded.length > 0);
      tell(bob, alice);
      assert.equal(alice.replica.isOutOfStep, isFolded);
    }
  });
});

describe('L4 D2 a device that has begun another feed', () => {
  it('L4 D2 has acknowledged what its older feed has, until all know of the newer one', () => {
    const team = new Team(67);
    const alice = team.founder;
    const [bob, carol] = [team.join('Bob'), team.join('Carol')];
    for (const copy of [bob, carol]) alice.meet(copy);
    for (const copy of [bob, carol]) ack(copy);
    alice.meet(bob, carol, bob);
    const post = alice.post('not known to the older feed');
    alice.meet(carol);
    ack(carol);
    tell(carol, alice);
    ack(alice);
    const { credential } = bob.replica.roster.members.get(bob.person.account)!;
    const deps = [tipOf(alice)];
    const first = { generation: 1, seq: 1, deps, credential, tool: undefined, kind: 'ack', body: [] };
    assert.deepEqual(alice.replica.ingest([[team.forge(bob.person, first).bytes]]).faults, []);
    ack(alice);
    // Carol takes what comes of Bob's older feed: she does not know that it has an end.
    assert.deepEqual(foldedBy(alice), []);
    tell(alice, carol);
    ack(carol);
    tell(carol, alice);
    assert.deepEqual(foldedBy(alice), [post]);
  });

  it('L4 D2 that begins high has acknowledged what let it in, until all know of it: another may begin below', () => {
    const team = new Team(68);
    const alice = team.founder;
    const [bob, carol] = [team.join('Bob'), team.join('Carol')];
    alice.meet(carol);
    ack(carol);
    tell(carol, alice);
    const post = alice.post('before anything of Bob’s');
    tell(alice, carol);
    ack(carol);
    tell(carol, alice);
    const { credential } = bob.replica.roster.members.get(bob.person.account)!;
    const first = { generation: 5, seq: 1, deps: [tipOf(carol)], credential, tool: undefined, kind: 'ack', body: [] };
    alice.replica.ingest([[team.forge(bob.person, first).bytes]]);
    ack(alice);
    // To Carol he may show a third feed that begins with his admission.
    assert.deepEqual(foldedBy(alice), []);
    tell(alice, carol);
    ack(carol);
    tell(carol, alice);
    assert.deepEqual(foldedBy(alice), [post]);
  });

  it('L4 D2 does not bring in what stands before the end of the base', () => {
    const team = new Team(69);
    const alice = team.founder;
    const bob = team.join('Bob');
    ack(bob);
    alice.meet(bob);
    const [lost] = bob.write({
      tool: CHAT,
      kind: 'post',
      body: chatBody({ kind: 'post', text: 'lost with the store' }),
    });
    for (const text of ['1', '2', '3']) alice.post(text);
    const { credential } = bob.replica.roster.members.get(bob.person.account)!;
    const draft = { generation: 1, credential, tool: undefined, kind: 'ack', body: [] };
    const first = team.forge(bob.person, { ...draft, seq: 1, deps: [tipOf(alice)] });
    alice.replica.ingest([[first.bytes]]);
    ack(alice);
    assert.equal(foldedBy(alice).length, 3);
    const back = team.forge(bob.person, { ...draft, seq: 2, prev: first.id, deps: [lost!.delta.id] });
    assert.deepEqual(alice.replica.ingest([[back.bytes]]).missing, [lost!.delta.id]);
    assert.equal(alice.replica.isOutOfStep, false);
    alice.replica.ingest([[lost!.delta.bytes]]);
    assert.equal(alice.verdict(lost!.delta.id), 'forked');
    assert.equal(alice.replica.isOutOfStep, false);
  });
});

describe('L4 A7 who has left', () => {
  it('L4 A7 is waited for until each of his devices knows it', () => {
    const team = new Team(64);
    const alice = team.founder;
    const carol = makePerson(team.crypto, 'Carol', 2);
    const certificates = carol.devices.map(({ certificate }) => certificate);
    const body = controlBody.admit(
      ...([carol.account, Role.participant, carol.name, certificates, undefined] as const),
      boxEpoch(team.crypto, team.epoch, certificates),
    );
    const admit = alice.control('admit', body);
    const [first, second] = [carol.devices[0]!, carol.devices[1]!];
    const say = (by: typeof first, kind: string, deps: readonly DeltaId[]): DeltaId => {
      const delta = signDelta(team.crypto, by.signer, team.workspace, {
        ...{ generation: 0, seq: 1, prev: undefined, deps, credential: admit, time: NOW, tool: undefined, kind },
        body: [],
      });
      assert.deepEqual(alice.replica.ingest([[delta.bytes]]).faults, []);
      return delta.id;
    };
    const leave = say(first, 'leave', [admit]);
    assert.equal(alice.replica.roster.members.has(carol.account), false);
    assert.deepEqual([...alice.replica.people.active].sort(), [team.alice.device, second.device].sort());
    say(second, 'ack', [leave]);
    assert.deepEqual([...alice.replica.people.active], [team.alice.device]);
  });
});

describe('L4 D5 D8 what a branch has named first', () => {
  it('L4 D5 D8 is named by who cannot name the branch', () => {
    const team = new Team(74);
    const alice = team.founder;
    const [bob, carol, mallory] = [team.join('Bob'), team.join('Carol'), team.join('Mallory')];
    alice.meet(bob, carol);
    const { credential } = mallory.replica.roster.members.get(mallory.person.account)!;
    const [one, other] = ['one', 'other'].map((text) =>
      team.forge(mallory.person, { seq: 1, deps: [credential], credential, body: [text] }),
    ) as [Delta, Delta];
    const post = bob.post('for all');
    const more = team.forge(mallory.person, { seq: 2, prev: one.id, deps: [post], credential });
    tell(bob, carol);
    carol.replica.ingest([[one.bytes, more.bytes]]);
    alice.replica.ingest([[other.bytes]]);
    ack(alice);
    carol.take(alice.replica.serving.lacking(carol.replica.vector(), 1e6));
    carol.replica.ingest([[other.bytes]]);
    ack(carol);
    const own = carol.replica.nodeAt(feedOf(carol.person.device, 0), 1)!;
    assert.equal(carol.replica.feeds.reach(own, feedOf(bob.person.device, 0)), 1);
    assert.equal(carol.replica.own.isAckDue, false);
  });
});

/**
 * Alice has removed Bob and let Carol in, whom Bob, not having heard it, lets in as well: Carol begins upon his word, while all that Alice holds
 * has become her base.
 */
function letInByTwo(seed: string): { alice: Copy; carol: Copy; post: DeltaId } {
  const team = new Team(seed);
  const alice = team.founder;
  const bob = team.join('Bob', alice, Role.manager);
  const person = team.person('Carol');
  alice.remove(bob.person);
  alice.admit(person);
  alice.replica.advance();
  assert.ok(alice.replica.base.isThere && alice.replica.isSettled);
  bob.admit(person);
  const carol = team.copyOf(person, bob);
  const post = carol.post('upon the word of Bob');
  tell(carol, alice);
  // What is beyond the removal comes in for what names it.
  alice.take(carol.replica.serving.byIds(alice.replica.missing()));
  ack(alice);
  return { alice, carol, post };
}

describe('L4 I4 who has begun upon another word than was known to let him in', () => {
  it('L4 A4 I4 is waited for till he has acknowledged what is in the base (world “rough-gg.11600”)', () => {
    const { alice, carol, post } = letInByTwo('upon another word');
    assert.equal(alice.verdict(post), 'noCredential');
    assert.deepEqual(foldedBy(alice), [], 'who does not know of the removal may name more of what it cuts off');
    assert.equal(alice.replica.isSettled, false);
    // All of it is control deltas, which stay whole.
    const said = [...alice.replica.nodes()].map(({ delta }) => delta);
    carol.hearRuns(said.filter(({ device }) => device === alice.person.device));
    ack(carol);
    tell(carol, alice);
    const folded = alice.replica.advance().folded.map(({ node, verdict }) => [node.delta.id, verdict]);
    assert.deepEqual(folded, [[post, 'noCredential']]);
    assert.ok(alice.replica.isSettled);
  });

  it('L4 L6 I4 is so, too, by who begins with that base', () => {
    const { alice, post } = letInByTwo('upon another word, from a base');
    const { crypto, workspace } = alice.team;
    const copy = firstCopyOf(
      () => new Replica({ crypto, workspace, reducers: [chatReducer], own: feedOf(alice.person.device, 1) }),
      crypto,
      alice.replica,
    )!;
    assert.equal(copy.verdictOf(post), 'noCredential');
    assert.deepEqual([copy.advance().folded, copy.isSettled], [[], false]);
  });
});
