/** What a delta may name (D5, D8, I4): judged by its past alone, so that it is taken everywhere or nowhere. */
import assert from 'node:assert/strict';
import type { DeltaId, DeviceId } from '../../src/base/ids.ts';
import { feedOf, type Delta } from '../../src/sync/delta.ts';
import { Talk } from './talk.ts';

describe('D5 what a delta names', () => {
  it('D5 is not of its own feed', () => {
    const talk = new Talk();
    const { mallory, genesis } = talk;
    const first = talk.add(mallory, undefined, [genesis]);
    const second = talk.add(mallory, first, []);
    assert.equal(talk.take(talk.say(mallory, second, [second])), 'broken');
    assert.equal(talk.take(talk.say(mallory, second, [first])), 'broken');
    assert.equal(talk.take(talk.say(mallory, second, [])), 'added');
  });

  it('D5 is in the past of nothing else that it names', () => {
    const talk = new Talk();
    const { alice, bob, mallory, genesis } = talk;
    const [one, other] = [talk.add(alice, genesis, []), talk.add(bob, undefined, [genesis])];
    const upon = talk.add(bob, other, [one]);
    assert.equal(talk.take(talk.say(mallory, undefined, [one, upon])), 'broken');
    const first = talk.add(mallory, undefined, [upon]);
    assert.equal(talk.take(talk.say(mallory, first, [one])), 'broken');
    const next = talk.add(alice, one, []);
    assert.equal(talk.take(talk.say(mallory, first, [next])), 'added');
  });

  it('D5 is a head no longer, and with its past in the past of what names it', () => {
    const talk = new Talk();
    const { alice, bob, mallory, genesis } = talk;
    const one = talk.add(alice, genesis, []);
    const upon = talk.add(bob, undefined, [one]);
    const feed = feedOf(mallory.device, 0);
    assert.deepEqual(
      talk.graph.headsOutside(feed).map(({ delta }) => delta.id),
      [upon.id],
    );
    const last = talk.add(mallory, undefined, [upon]);
    for (const before of [genesis, one, upon]) assert.ok(talk.isIn(before, last));
    assert.ok(!talk.isIn(last, last) && !talk.isIn(last, genesis));
    assert.deepEqual(
      talk.graph.headsOutside(feedOf(alice.device, 0)).map(({ delta }) => delta.id),
      [last.id],
    );
    assert.deepEqual(talk.graph.headsOutside(feed), []);
  });

  it('D5 A4 may be let go of while what names it waits for something else: then that waits for it, too', () => {
    const talk = new Talk();
    const { alice, bob, mallory, genesis } = talk;
    const ended = talk.add(mallory, undefined, [genesis]);
    const late = talk.say(alice, genesis, []);
    const waiter = talk.say(bob, undefined, [ended, late]);
    assert.equal(talk.take(waiter), 'waiting');
    const gone = talk.graph.letGo(({ device }) => device === mallory.device, alice.device);
    assert.deepEqual(
      [...gone].map(({ delta }) => delta.id),
      [ended.id],
    );
    assert.deepEqual(new Set(talk.graph.missing()), new Set([ended.id, late.id]));
    assert.equal(talk.take(late), 'added');
    assert.deepEqual(talk.graph.released(late.id), []);
    assert.equal(talk.take(ended), 'added');
    assert.deepEqual(talk.graph.released(ended.id), [waiter]);
  });

  it('D5 A4 says that others have named it only where one of them is in', () => {
    const out = new Set<DeviceId>();
    const talk = new Talk({ isIn: (device) => !out.has(device) });
    const { alice, bob, mallory, genesis } = talk;
    const one = talk.graph.get(talk.add(mallory, undefined, [genesis]).id)!;
    assert.equal(talk.graph.isNamedByOthers(one), false);
    const named = talk.add(bob, undefined, [talk.graph.tip(feedOf(mallory.device, 0))!.delta]);
    assert.equal(talk.graph.isNamedByOthers(one), true);
    out.add(bob.device);
    assert.equal(talk.graph.isNamedByOthers(one), false);
    talk.add(alice, genesis, [named]);
    assert.equal(talk.graph.isNamedByOthers(one), true);
  });

  it('I4 lets a feed begin where its device was let in, and nowhere else', () => {
    const entrance: { id?: DeltaId } = {};
    const talk = new Talk({
      isLetIn: (delta, deps) => deps.length === 0 || deps.some(({ delta: { id } }) => id === entrance.id),
    });
    const { alice, bob, genesis } = talk;
    const admit = talk.add(alice, genesis, []);
    entrance.id = admit.id;
    assert.equal(talk.take(talk.say(bob, undefined, [genesis])), 'broken');
    assert.equal(talk.take(talk.say(bob, undefined, [admit])), 'added');
  });
});

describe('D8 what a delta names of a fork', () => {
  function forked() {
    const talk = new Talk();
    const { mallory, genesis } = talk;
    const branches = [talk.add(mallory, undefined, [genesis]), talk.add(mallory, undefined, [genesis])] as const;
    return { talk, branches };
  }

  it('D8 is one branch of it', () => {
    const { talk, branches } = forked();
    const { alice, bob, genesis } = talk;
    assert.equal(talk.take(talk.say(bob, undefined, branches)), 'broken');
    const seen = talk.add(alice, genesis, [branches[0]]);
    // By who has seen the other, too.
    assert.equal(talk.take(talk.say(bob, undefined, [seen, branches[1]])), 'broken');
    assert.equal(talk.take(talk.say(bob, undefined, [branches[1]])), 'added');
  });

  it('D8 stays the one that its author has seen', () => {
    const { talk, branches } = forked();
    const { alice, bob, genesis } = talk;
    const seen = talk.add(alice, genesis, [branches[0]]);
    const other = talk.add(bob, undefined, [branches[1]]);
    assert.equal(talk.take(talk.say(alice, seen, [branches[1]])), 'broken');
    // But for what comes with another's word: those two would never hear of each other again.
    assert.equal(talk.take(talk.say(alice, seen, [other])), 'added');
  });

  it('D8 of the own feed is none that has seen another branch of it', () => {
    const { talk, branches } = forked();
    const { bob, mallory } = talk;
    const seen = talk.add(bob, undefined, [branches[1]]);
    assert.equal(talk.take(talk.say(mallory, branches[0], [seen])), 'broken');
    assert.equal(talk.take(talk.say(mallory, branches[1], [seen])), 'added');
  });

  it('D8 is nothing that has seen the place which it takes itself', () => {
    const talk = new Talk();
    const { bob, mallory, genesis } = talk;
    const first = talk.add(mallory, undefined, [genesis]);
    const second = talk.add(mallory, first, []);
    const seen = talk.add(bob, undefined, [second]);
    assert.equal(talk.take(talk.say(mallory, first, [seen])), 'broken');
    assert.equal(talk.take(talk.say(mallory, second, [seen])), 'added');
  });
});

describe('D8 a branch that nobody has named', () => {
  it('D8 stands against none, whichever came first, till somebody has: then neither counts', () => {
    for (const isFirst of [true, false]) {
      const talk = new Talk();
      const { alice, bob, mallory, genesis } = talk;
      const before = talk.add(mallory, undefined, [genesis]);
      const [one, other] = [talk.say(mallory, before, []), talk.say(mallory, before, [])];
      for (const branch of isFirst ? [one, other] : [other, one]) assert.equal(talk.take(branch), 'added');
      const isAside = (delta: Delta) => talk.graph.isAside(talk.graph.get(delta.id)!);
      assert.deepEqual([before, one, other].map(isAside), [false, true, true], 'neither is named');
      talk.add(alice, genesis, [one]);
      const further = talk.add(mallory, one, []);
      assert.deepEqual([before, one, further, other].map(isAside), [false, false, false, true]);
      talk.add(bob, undefined, [other]);
      assert.deepEqual([before, one, further, other].map(isAside), [false, true, true, true]);
    }
  });

  it('D8 is told from one that is, where its rival has gone before: what others have named before the fork was seen counts on', () => {
    const talk = new Talk();
    const { alice, mallory, genesis } = talk;
    const before = talk.add(mallory, undefined, [genesis]);
    const one = talk.add(mallory, before, []);
    talk.add(alice, genesis, [one]);
    const other = talk.add(mallory, before, []);
    const isAside = (delta: Delta) => talk.graph.isAside(talk.graph.get(delta.id)!);
    assert.deepEqual([one, other].map(isAside), [false, true]);
  });

  it('D8 L6 is not named by what stands on another such branch: of two hostile feeds the one would count by the other, here alone', () => {
    for (const isFirst of [true, false]) {
      const talk = new Talk();
      const { alice, bob, mallory, genesis } = talk;
      const [one, other] = [talk.add(mallory, undefined, [genesis]), talk.say(mallory, undefined, [genesis])];
      const [naming, silent] = [talk.say(bob, undefined, [one]), talk.say(bob, undefined, [genesis])];
      assert.equal(talk.take(other), 'added');
      for (const branch of isFirst ? [naming, silent] : [silent, naming]) assert.equal(talk.take(branch), 'added');
      const isAside = (delta: Delta) => talk.graph.isAside(talk.graph.get(delta.id)!);
      talk.add(alice, genesis, [other, silent]);
      assert.deepEqual([one, other, naming, silent].map(isAside), [true, false, true, false]);
      // Somebody has it after all.
      talk.add(talk.team.person('Carol'), undefined, [naming]);
      assert.deepEqual([one, other, naming, silent].map(isAside), [true, true, true, true]);
    }
  });

  it('D8 is named by what stands on another one, once that is named, be it by its own device', () => {
    for (const isFirst of [true, false]) {
      const talk = new Talk();
      const { bob, mallory, genesis } = talk;
      const one = talk.add(mallory, undefined, [genesis]);
      const naming = talk.say(bob, undefined, [one]);
      for (const delta of isFirst
        ? [naming, talk.say(bob, undefined, [genesis])]
        : [talk.say(bob, undefined, [genesis]), naming])
        assert.equal(talk.take(delta), 'added');
      talk.add(mallory, undefined, [genesis]);
      const isUnnamed = ({ id }: Delta) => talk.graph.isUnnamed(talk.graph.get(id)!);
      assert.deepEqual([one, naming].map(isUnnamed), [true, true]);
      talk.add(mallory, undefined, [naming], 1);
      assert.deepEqual([one, naming].map(isUnnamed), [false, false]);
    }
  });
});
