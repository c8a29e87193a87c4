/**
 * D2, D8: one device both forks a feed and begins later ones. What counts, how far a feed is closed and what stands in a base follow from the set of
 * deltas alone. `COTERIE_FORKED_WORLDS=5000 npm run unit -- test/sync/forked-generations.test.ts` looks at as many drawn worlds as one likes.
 */
import assert from 'node:assert/strict';
import type { Delta } from '../../src/sync/delta.ts';
import { frameOf } from '../../src/sync/frame.ts';
import type { Graph } from '../../src/sync/graph.ts';
import { reachOf, type Lane } from '../../src/sync/lane.ts';
import { Dice } from '../sim/dice.ts';
import { Talk } from './talk.ts';

const WORLDS = Number(process.env['COTERIE_FORKED_WORLDS'] ?? 80);

/** Of a device's deltas those that stand aside, as they are named in a scene. */
function aside({ graph }: Talk, named: Readonly<Record<string, Delta>>): string[] {
  return Object.keys(named).filter((name) => graph.isAside(graph.get(named[name]!.id)!));
}

function takeAll(talk: Talk, deltas: readonly Delta[]): void {
  for (const delta of deltas) assert.equal(talk.take(delta), 'added');
}

/** All that there is is folded. */
function frameOfAll(graph: Graph) {
  graph.forget(graph.everything());
  return frameOf(graph, undefined);
}

describe('D2 D8 a device that forks a feed and begins a later one', () => {
  for (const end of ['where it forks', 'before'])
    it(`D2 D8 what the later one brings in of a branch counts the same, whether the rival has come before it or after: others have named what ends ${end}`, () => {
      for (const isRivalLast of [true, false]) {
        const talk = new Talk();
        const { bob, mallory, genesis } = talk;
        const carol = talk.team.person('Carol');
        const m1 = talk.add(mallory, undefined, [genesis]);
        const m2 = talk.add(mallory, m1, []);
        const m3 = talk.add(mallory, m2, []);
        const x4 = talk.say(mallory, m3, []);
        const x5 = talk.say(mallory, x4, []);
        const y4 = talk.say(mallory, m3, []);
        talk.add(bob, undefined, [end === 'before' ? m1 : m3]);
        const g1 = talk.say(mallory, undefined, [genesis], 1);
        const g2 = talk.say(mallory, g1, [x5], 1);
        takeAll(talk, isRivalLast ? [x4, x5, g1, g2, y4] : [y4, x4, x5, g1, g2]);
        talk.add(carol, undefined, [g2]);
        assert.deepEqual(aside(talk, { m1, m2, m3, x4, x5, y4 }), ['y4']);
      }
    });

  it('D2 D8 a later feed goes on by the branch that others have named, whoever holds another that nobody has', () => {
    for (const order of ['x2 y2', 'y2 x2', 'x2']) {
      const talk = new Talk();
      const { alice, bob, mallory, genesis } = talk;
      const said = talk.add(alice, genesis, []);
      const m1 = talk.add(mallory, undefined, [said]);
      const g1 = talk.add(mallory, undefined, [genesis], 1);
      const [x2, y2] = [talk.say(mallory, g1, [m1], 1), talk.say(mallory, g1, [said], 1)];
      takeAll(
        talk,
        order.split(' ').map((name) => (name === 'x2' ? x2 : y2)),
      );
      assert.deepEqual(aside(talk, { m1 }), order === 'x2' ? [] : ['m1'], 'neither is named yet');
      talk.add(bob, undefined, [x2]);
      assert.deepEqual(aside(talk, { m1, g1, x2 }), []);
    }
  });

  it('D2 D8 what stands on a branch that nobody has named names nothing of an older feed, whichever came first', () => {
    for (const isRivalLast of [true, false]) {
      const talk = new Talk();
      const { alice, bob, mallory, genesis } = talk;
      const m1 = talk.add(mallory, undefined, [genesis]);
      const [x1, y1] = [talk.say(bob, undefined, [m1]), talk.say(bob, undefined, [genesis])];
      const g1 = talk.say(mallory, undefined, [genesis], 1);
      takeAll(talk, isRivalLast ? [x1, g1, y1] : [y1, x1, g1]);
      talk.add(alice, genesis, [g1, y1]);
      assert.deepEqual(aside(talk, { m1, y1 }), ['m1']);
    }
  });

  it('D2 D8 what others name of a branch who do not know of the later one counts the same, in either order', () => {
    for (const isRivalLast of [true, false]) {
      const talk = new Talk();
      const { alice, bob, mallory, genesis } = talk;
      const m1 = talk.add(mallory, undefined, [genesis]);
      const x2 = talk.say(mallory, m1, []);
      const y2 = talk.say(mallory, m1, []);
      const g1 = talk.say(mallory, undefined, [genesis], 1);
      takeAll(talk, isRivalLast ? [x2, g1, y2] : [y2, g1, x2]);
      talk.add(alice, genesis, [m1]);
      talk.add(bob, undefined, [x2]);
      assert.deepEqual(aside(talk, { m1, x2, y2 }), ['y2']);
      assert.equal(
        talk.graph.closedAt(m1, () => true),
        m1.seq,
      );
    }
  });

  it('D2 D8 a later feed that forks at once brings in nothing of the older, whichever branch has come first', () => {
    for (const isBringerFirst of [true, false]) {
      const talk = new Talk();
      const { alice, bob, mallory, genesis } = talk;
      const m1 = talk.add(mallory, undefined, [genesis]);
      const x1 = talk.say(mallory, undefined, [m1], 1);
      const y1 = talk.say(mallory, undefined, [genesis], 1);
      takeAll(talk, isBringerFirst ? [x1, y1] : [y1, x1]);
      talk.add(alice, genesis, [y1]);
      talk.add(bob, undefined, [x1]);
      assert.deepEqual(aside(talk, { m1, x1, y1 }), ['m1', 'x1', 'y1']);
    }
  });

  it('D2 D8 and takes the place of the older, also where that comes after it', () => {
    for (const isOlderFirst of [true, false]) {
      const talk = new Talk();
      const { mallory, genesis } = talk;
      const m1 = talk.say(mallory, undefined, [genesis]);
      const begun = [0, 1].map(() => talk.say(mallory, undefined, [genesis], 1));
      takeAll(talk, isOlderFirst ? [m1, ...begun] : [...begun, m1]);
      assert.deepEqual(aside(talk, { m1 }), ['m1']);
    }
  });

  it('L6 D2 D8 and says in a base that it has, so that nothing more of the older counts by it', () => {
    const talk = new Talk();
    const { alice, bob, mallory, genesis } = talk;
    const m1 = talk.add(mallory, undefined, [genesis]);
    const begun = [0, 1].map(() => talk.add(mallory, undefined, [genesis], 1));
    talk.add(alice, genesis, [begun[0]!]);
    talk.add(bob, undefined, [begun[1]!]);
    const older = frameOfAll(talk.graph).lanes.find(({ feed }) => feed === m1.feed);
    assert.deepEqual(older?.closed, { named: 0, seen: 0 });
  });

  it('L6 D2 D8 what is in a base of a branch is told of its own history, however much was folded before the fork has shown', () => {
    const frames = [true, false].map((isFoldedFirst) => {
      const talk = new Talk();
      const { alice, bob, mallory, genesis } = talk;
      const carol = talk.team.person('Carol');
      const m1 = talk.add(mallory, undefined, [genesis]);
      talk.add(alice, genesis, [m1]);
      const [x2, y2] = [talk.say(mallory, m1, []), talk.say(mallory, m1, [])];
      const g1 = talk.say(mallory, undefined, [genesis], 1);
      takeAll(talk, [x2, g1]);
      if (isFoldedFirst) talk.graph.forget(talk.graph.lanes.map(({ feed, end }) => (feed === m1.feed ? m1.seq : end)));
      takeAll(talk, [y2]);
      talk.add(bob, undefined, [g1, x2]);
      talk.add(carol, undefined, [g1, y2]);
      const { lanes } = frameOfAll(talk.graph);
      return [x2, y2].map(({ id }) => lanes.find(({ firstId }) => firstId === id)?.closed);
    });
    assert.deepEqual(frames[1], frames[0]);
  });
});

describe('L6 D8 a base of a branch whose rival is not in it', () => {
  it('L6 D5 D8 is as if there had been none, also with the place of what stands before the two and is still named (world “hobby.34147”)', () => {
    const frames = [false, true].map((isRivalHere) => {
      const talk = new Talk();
      const { bob, mallory, genesis, graph } = talk;
      const m1 = talk.add(mallory, undefined, [genesis]);
      talk.add(bob, undefined, [m1]);
      const [x2, y2] = [talk.say(mallory, m1, []), talk.say(mallory, m1, [])];
      takeAll(talk, isRivalHere ? [x2, y2] : [x2]);
      const isFolded = ({ device, first, firstId }: Lane) =>
        device !== bob.device && (first === 1 || firstId === x2.id);
      graph.forget(graph.lanes.map((lane) => (isFolded(lane) ? lane.end : lane.cut)));
      return frameOf(graph, undefined);
    });
    assert.deepEqual(
      frames[0]!.places.map(({ seq }) => seq),
      [1],
    );
    assert.deepEqual(frames[1], frames[0]);
  });
});

describe('D2 L5 L6 D8 what counts and what is in a base where feeds fork and begin anew', function () {
  this.timeout(Math.max(60_000, WORLDS * 1_000));

  it(`D2 L5 L6 D8 is the same in every order of arrival, in ${WORLDS} drawn worlds`, () => {
    for (let [world, forked] = [0, 0]; forked < WORLDS; world++) {
      const dice = new Dice(`forked generations ${world}`);
      const [talk, said] = ramble(dice);
      if (!talk.graph.isForked) continue;
      forked++;
      const first = seenIn(talk, said);
      for (let order = 0; order < 2; order++) {
        const other = inAnotherOrder(said, dice);
        assert.deepEqual(seenIn(other, said, dice.pick(said)), first, `in order ${order} of world ${world}`);
      }
    }
  });

  it(`D2 L5 D8 is the same for who holds what nobody has named, in ${WORLDS / 2} drawn worlds`, () => {
    for (let [world, compared] = [0, 0]; compared < WORLDS / 2; world++) {
      const [talk, said] = ramble(new Dice(`unnamed branches ${world}`));
      const alone = new Set(said.filter((delta) => isOnUnnamed(talk, delta)));
      const rest = said.filter((delta) => !alone.has(delta));
      const isNamed = rest.some((delta) => [...alone].some((one) => talk.isIn(one, delta)));
      if (alone.size === 0 || isNamed || isForkOpen(talk)) continue;
      compared++;
      const other = new Talk();
      takeAll(other, rest);
      const [all, without] = [talk, other].map(({ graph }) => rest.filter(({ id }) => graph.isAside(graph.get(id)!)));
      assert.deepEqual(all, without, `world ${world}`);
    }
  });
});

function isOnUnnamed({ graph }: Talk, { id }: Delta): boolean {
  const { parent, isNamed } = graph.lanes[graph.get(id)!.lane]!;
  return parent !== undefined && !isNamed;
}

/** Whether somewhere a feed forks, and others have named none of its branches: they may hold any. */
function isForkOpen({ graph: { lanes } }: Talk): boolean {
  const forks = new Set(lanes.flatMap(({ parent }) => parent ?? []));
  return [...forks].some((fork) => !lanes.some(({ parent, isNamed }) => parent === fork && isNamed));
}

/** Four people write upon some of what there is; Mallory in up to four feeds at once; she and Bob fork theirs. Answers what was taken but for the genesis. */
function ramble(dice: Dice): readonly [Talk, readonly Delta[]] {
  const talk = new Talk();
  const people = [talk.alice, talk.bob, talk.team.person('Carol'), talk.mallory, talk.mallory, talk.mallory];
  const tips = new Map<string, Delta>([[talk.genesis.feed, talk.genesis]]);
  const said: Delta[] = [];
  for (let i = dice.between(8, 24); i > 0; i--) {
    const by = dice.pick(people);
    const generation = by === talk.mallory ? dice.below(4) : 0;
    const mine = by === talk.alice && generation === 0 ? [talk.genesis] : [];
    mine.push(...said.filter((delta) => delta.device === by.device && delta.generation === generation));
    const isFork = (by === talk.mallory || by === talk.bob) && mine.length > 0 && dice.chance(0.4);
    const end = mine.length > 0 ? tips.get(mine[0]!.feed) : undefined;
    const prev = !isFork ? end : dice.chance(0.35) ? undefined : dice.pick(mine);
    const others = [...tips.values()].filter(({ feed }) => feed !== mine[0]?.feed);
    const older = said.filter((delta) => delta.device !== by.device && dice.chance(0.25));
    const isBare = prev !== undefined && dice.chance(0.4);
    const deps = isBare ? [] : dice.shuffled([...others, ...older]).slice(0, dice.between(1, 2));
    const delta = talk.say(by, prev, deps, generation);
    if (talk.take(delta) !== 'added') continue;
    tips.set(delta.feed, delta);
    said.push(delta);
  }
  return [talk, said];
}

function inAnotherOrder(said: readonly Delta[], dice: Dice): Talk {
  const talk = new Talk();
  for (let left = dice.shuffled(said); left.length > 0;) {
    const before = left.length;
    left = left.filter((delta) => talk.take(delta) !== 'added');
    assert.ok(left.length < before, 'what was taken once is taken in every order');
  }
  return talk;
}

/** What follows from the set. All is folded by it: at once, or up to a delta first. */
function seenIn({ graph, mallory }: Talk, said: readonly Delta[], before?: Delta) {
  const feeds = new Map(said.filter(({ device }) => device === mallory.device).map((delta) => [delta.feed, delta]));
  const aside = said.filter(({ id }) => graph.isAside(graph.get(id)!)).map(({ id }) => id);
  const closedAt = [...feeds].map(([feed, delta]) => [feed, graph.closedAt(delta, () => true)]);
  const end = before && graph.get(before.id)!;
  if (end) graph.forget(graph.lanes.map(({ number }) => reachOf(end, number)));
  return { aside, closedAt, frame: frameOfAll(graph) };
}
