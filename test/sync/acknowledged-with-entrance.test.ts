/**
 * A4, I4, L7: what lets a device in will be in the past of whatever it writes next, so it has acknowledged what that has in its past: others have folded that, as
 * nobody waited for it while it was out. It takes nothing that is beyond a word there, and lets go of what it had taken of it.
 */
import assert from 'node:assert/strict';
import { BaseReader } from '../../src/sync/base.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { boxEpoch } from '../../src/sync/epoch.ts';
import type { Vector } from '../../src/sync/graph.ts';
import { ACK } from '../../src/sync/own-feed.ts';
import { Replica } from '../../src/sync/replica.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { Copy, stateOf, Team, type Person } from './team.ts';

const ORDERS = ['before', 'with it', 'after'] as const;
type Order = (typeof ORDERS)[number];

function emptyCopy(team: Team, person: Person, generation: number): Copy {
  const { crypto, workspace } = team;
  const own = feedOf(person.device, generation);
  return new Copy(team, person, new Replica({ crypto, workspace, reducers: [chatReducer, filesReducer], own }));
}

/** A copy that has begun with the base of another, and has nothing of what comes after that. */
function begunWith({ team, replica }: Copy, person: Person): Copy {
  const { parts, root } = replica.base.parts();
  const reader = new BaseReader(team.crypto, team.workspace);
  parts.forEach((bytes, part) => reader.add({ root, part, parts: parts.length, bytes }));
  const base = reader.read();
  assert.ok(base.ok);
  const copy = emptyCopy(team, person, 0);
  assert.ok(copy.replica.load(base.value, false).ok);
  return copy;
}

function drop(by: Copy, { device }: Person): void {
  by.control('drop', controlBody.devices([device], boxEpoch(by.team.crypto, by.team.epoch, [])));
}

function letInAgain(by: Copy, { account, certificate }: Person): void {
  by.control(
    'addDevice',
    controlBody.addDevice(account, [certificate], boxEpoch(by.team.crypto, by.team.epoch, [certificate])),
  );
}

/** All of both at once, as in one batch. What is let go of at once is not for the disk. */
function hearBoth({ replica }: Copy, ...others: readonly Copy[]): void {
  const nothing: Vector = new Map();
  const all = others.flatMap((other) => other.replica.serving.lacking(nothing, Number.MAX_SAFE_INTEGER));
  const { added } = replica.ingest(all.map((run) => run.map(({ delta }) => delta.bytes)));
  for (const node of added) {
    assert.equal(replica.node(node.delta.id), node);
    replica.madeDurable(node);
  }
}

/** Hears what lets it in from one, before, with or after what the other has from beyond a word. */
function hear(copy: Copy, order: Order, inside: Copy, outside: Copy): void {
  if (order === 'before') copy.meet(outside);
  if (order === 'with it') hearBoth(copy, inside, outside);
  copy.meet(inside, outside);
}

/**
 * Alice has dropped Bob, who had let Carol in, and has not heard it: all but these two have folded without what he has said since, and Alice has let Carol in.
 * `hasWritten`: whether Carol had meanwhile, in the copy that is gone.
 */
function letInByWhoIsOut(seed: string, hasWritten: boolean) {
  const team = new Team(seed);
  const alice = team.founder;
  const bob = team.join('Bob', alice, Role.manager);
  const dave = team.join('Dave');
  for (const copy of [bob, dave]) copy.write(ACK);
  alice.meet(bob, dave, bob);
  const carol = team.join('Carol', bob);
  if (hasWritten) carol.write(ACK);
  bob.meet(carol);
  dave.meet(bob);
  dave.post('folded');
  bob.meet(dave);
  const unsent = bob.post('unsent');
  drop(alice, bob.person);
  dave.meet(alice);
  dave.write(ACK);
  alice.meet(dave);
  alice.write(ACK);
  dave.meet(alice);
  assert.ok(alice.replica.advance().forgotten > 0);
  alice.admit(carol.person);
  dave.meet(alice);
  return { alice, bob, dave, unsent, back: emptyCopy(team, carol.person, 1) };
}

/**
 * Alice has removed Mallory, and dropped Bob, who was away; she has folded without him, and lets him in again. Dave has not folded. `isNamed`: Carol, who had not
 * heard that, has named what Mallory has beyond it, and nothing is folded.
 */
function letInAgainAfter(seed: string, isNamed = false) {
  const team = new Team(seed);
  const alice = team.founder;
  const [bob, dave, mallory] = ['Bob', 'Dave', 'Mallory'].map((name) => team.join(name)) as [Copy, Copy, Copy];
  for (const copy of [bob, dave, mallory]) copy.write(ACK);
  const carol = team.join('Carol');
  carol.write(ACK);
  if (!isNamed) carol.control('leave', controlBody.leave());
  alice.meet(bob, dave, mallory, carol, bob, dave, mallory);
  dave.post('folded');
  mallory.meet(dave);
  const unsent = mallory.post('unsent');
  if (isNamed) {
    carol.meet(mallory);
    carol.write(ACK);
  }
  alice.meet(dave);
  alice.remove(mallory.person);
  drop(alice, bob.person);
  dave.meet(alice);
  dave.write(ACK);
  alice.meet(dave);
  alice.write(ACK);
  assert.equal(alice.replica.advance().forgotten > 0, !isNamed);
  letInAgain(alice, bob.person);
  dave.meet(alice);
  return { team, alice, bob, carol, dave, mallory, unsent };
}

describe('A4 I4 L7 who is let in has acknowledged what that has in its past', () => {
  it('D2 A4 L4 by what stands, where void words had let him in, whatever he had written (world “rough-rr.8855”)', () => {
    for (const hasWritten of [true, false])
      for (const order of ORDERS) {
        const { alice, bob, dave, back, unsent } = letInByWhoIsOut(`let in ${hasWritten} ${order}`, hasWritten);
        hear(back, order, dave, bob);
        assert.equal(back.replica.node(unsent), undefined);
        const [ack] = back.write(ACK);
        alice.meet(back);
        assert.ok(alice.replica.node(ack!.delta.id), 'nothing that it names is lacking');
      }
  });

  it('A4 L7 L4 again, where he goes on in the feed that he had written before he was out (world “rough-xx.1041”)', () => {
    for (const order of ORDERS) {
      const { alice, bob, dave, mallory, unsent } = letInAgainAfter(`let in again ${order}`);
      hear(bob, order, dave, mallory);
      assert.equal(bob.replica.node(unsent), undefined);
      const [ack] = bob.write(ACK);
      assert.equal(ack!.delta.feed, feedOf(bob.person.device, 0));
      alice.meet(bob);
      assert.ok(alice.replica.node(ack!.delta.id), 'nothing that it names is lacking');
    }
  });

  it('A4 L7 D1 and lets go of it again when it comes back from the disk, where it lies before what lets him in', () => {
    const { team, bob, dave, mallory, unsent } = letInAgainAfter('let in again, from the disk');
    bob.meet(mallory);
    const disk = [...bob.replica.nodes()];
    assert.ok(bob.replica.node(unsent));
    bob.meet(dave);
    bob.write(ACK);
    const again = emptyCopy(team, bob.person, 0);
    const later = [...bob.replica.nodes()].filter((node) => !disk.includes(node));
    for (const { delta } of [...disk, ...later]) again.replica.restore(delta.bytes);
    assert.ok(again.replica.roster.devices.has(bob.person.device));
    assert.equal(again.replica.node(unsent), undefined);
    assert.deepEqual(again.replica.vector(), bob.replica.vector());
  });

  it('A4 L6 and lets go of it where that is in a base, beside which comes what was here before', () => {
    const { team, alice, bob, dave, mallory, unsent } = letInAgainAfter('let in, and given a base');
    const erin = team.person('Erin');
    const before = emptyCopy(team, erin, 0);
    before.meet(mallory);
    const credential = mallory.replica.node(unsent)!.delta.credential!;
    const other = team.forge(mallory.person, { generation: 1, seq: 1, deps: [credential], credential });
    before.hearRuns([other]);
    assert.ok(before.replica.node(other.id));
    alice.admit(erin);
    bob.meet(dave);
    for (const copy of [bob, dave, bob, dave]) {
      copy.meet(alice);
      copy.write(ACK);
      alice.meet(copy);
    }
    alice.write(ACK);
    alice.replica.advance();
    const { replica } = begunWith(alice, erin);
    assert.ok(replica.roster.devices.has(erin.device));
    replica.takeOver(before.replica);
    assert.ok(replica.roster.devices.has(erin.device));
    for (const id of [unsent, other.id]) assert.equal(replica.node(id), undefined);
  });

  it('A4 L6 with the base that he begins with, before what lets him in is here', () => {
    const { team, alice, mallory, unsent } = letInAgainAfter('let in, and nothing but a base');
    const copy = begunWith(alice, team.person('Erin'));
    assert.equal(copy.replica.roster.devices.has(mallory.person.device), false);
    const credential = mallory.replica.node(unsent)!.delta.credential!;
    const unheard = team.forge(mallory.person, { generation: 1, seq: 1, deps: [credential], credential });
    copy.hearRuns([unheard]);
    assert.equal(copy.replica.node(unheard.id), undefined);
  });

  it('A4 L4 but for what another has named who is waited for: all come to hold that', () => {
    for (const order of ORDERS) {
      const { alice, bob, carol, dave, mallory, unsent } = letInAgainAfter(`let in again, named, ${order}`, true);
      hear(bob, order, dave, mallory);
      // What is not taken before somebody is known to want it comes again.
      for (const copy of [bob, alice]) copy.meet(carol, carol);
      alice.meet(bob);
      for (const copy of [alice, bob]) assert.equal(copy.verdict(unsent), 'cutOff');
      assert.deepEqual(stateOf(bob.replica), stateOf(alice.replica));
    }
  });

  it('I4 A4 keeps what lets him in, be it beyond an end of its own feed, and what that rests on (world “rough-ww.2940”)', () => {
    const team = new Team('let in from beyond an end');
    const alice = team.founder;
    const bob = team.join('Bob', alice, Role.manager);
    bob.write(ACK);
    alice.meet(bob);
    const later = emptyCopy(team, bob.person, 1);
    later.meet(alice);
    later.post('in a later feed');
    alice.meet(later);
    alice.write(ACK);
    // As if he had not begun another, and knowing of it all the same.
    bob.meet(alice);
    const entrance = bob.admit(team.person('Nobody'));
    const carol = team.person('Carol');
    const his = bob.admit(carol);
    const copy = emptyCopy(team, carol, 0);
    for (let time = 0; time < 3; time++) {
      copy.meet(bob, alice);
      assert.ok(copy.replica.node(his));
      assert.ok(copy.replica.node(entrance), 'and what that rests on');
    }
    assert.equal(copy.verdict(his), 'accepted');
  });
});
