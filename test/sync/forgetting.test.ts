/**
 * Replicas that forget at different times, and one beside each that never does (L4, L5): members, honest and hostile, act and
 * hear of each other in parts; whoever has forgotten has the same workspace as if he had not.
 */
import assert from 'node:assert/strict';
import type { FeedId } from '../../src/base/ids.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import type { Delta } from '../../src/sync/delta.ts';
import { inPast, type Node } from '../../src/sync/graph.ts';
import { genesisId, Replica, type Entry } from '../../src/sync/replica.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { seededBelow, seededRandom } from '../fakes/seeded-random.ts';
import { ACTS, ROLES, tryAct } from './acts.ts';
import { Copy, stateOf, Team, type Person } from './team.ts';

interface Counts {
  folded: number;
  forgotten: number;
  forks: number;
  backdated: number;
  outOfStep: number;
  compared: number;
  atRest: number;
}

/** A copy that forgets, and a replica that was told the same and does not. */
class Watched extends Copy {
  readonly whole: Replica;
  protected override readonly holdsPromises = false;
  #arrived = 0;

  constructor(team: Team, person: Person) {
    super(team, person);
    const own = `${person.device}.0` as FeedId;
    const { crypto } = team;
    this.whole = new Replica({
      crypto,
      workspace: genesisId(team.genesis),
      reducers: [chatReducer, filesReducer],
      own,
    });
  }

  follow(): void {
    for (const node of this.replica.nodes()) {
      if (node.arrival <= this.#arrived) continue;
      this.whole.restore(node.delta.bytes);
      this.#arrived = node.arrival;
    }
  }

  /** Whether both are the same workspace, but for what is forgotten. */
  check(what: string, counts: Counts): void {
    this.follow();
    counts.compared++;
    if (this.replica.isOutOfStep) {
      counts.outOfStep++;
      return;
    }
    const [mine, theirs] = [stateOf(this.replica), stateOf(this.whole)];
    assert.deepEqual(mine.rows, theirs.rows, `rows, ${what}`);
    assert.deepEqual(mine.roster, theirs.roster, `roster, ${what}`);
    for (const node of this.replica.nodes()) {
      const { id, kind } = node.delta;
      const verdict = this.replica.verdictOf(id);
      // What is folded, and still there as the end of its feed, has no verdict any more.
      if (verdict !== undefined) assert.equal(verdict, this.whole.verdictOf(id), `${kind}, ${what}`);
    }
  }

  /** From another, what is lacking, or a part of it, and what that rests on. */
  hear(from: Watched, bytes: number): void {
    this.take(from.replica.serving.lacking(this.replica.vector(), bytes));
    for (let lacking = this.replica.missing().join(); lacking !== '';) {
      this.take(from.replica.serving.byIds(this.replica.missing()));
      const now = this.replica.missing().join();
      if (now === lacking) break;
      lacking = now;
    }
    this.follow();
  }

  override write(...entries: readonly Entry[]): readonly Node[] {
    const nodes = super.write(...entries);
    this.follow();
    return nodes;
  }
}

class World {
  readonly team: Team;
  readonly copies: Watched[] = [];
  readonly people: Person[];
  readonly counts: Counts;
  readonly #random: (length: number) => Uint8Array;
  readonly #hostile: ReadonlySet<Person>;

  constructor(seed: number, hostile: number, counts: Counts) {
    this.counts = counts;
    this.team = new Team(seed);
    this.#random = seededRandom(`forgetting ${seed}`);
    this.people = [this.team.alice, ...['Bob', 'Carol', 'Dave', 'Eve'].map((name) => this.team.person(name))];
    this.#hostile = new Set(this.people.slice(1, 1 + hostile));
    for (const person of this.people) this.copies.push(new Watched(this.team, person));
    const [alice] = this.copies as [Watched];
    for (const { delta } of this.team.founder.replica.nodes()) alice.replica.restore(delta.bytes);
    for (const person of this.people.slice(1)) alice.admit(person, this.pick(ROLES.slice(1)));
    for (const copy of this.copies) copy.hear(alice, 1e6);
  }

  below(bound: number): number {
    return seededBelow(this.#random, bound);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  step(act: number): void {
    const copy = this.pick(this.copies);
    const kind = this.below(44);
    // Whose feed has two histories, and who knows it, is at an end.
    const isOver = copy.replica.people.forked.has(copy.person.device);
    if (kind < ACTS) {
      if (isOver) return;
      // A member that leaves or is taken out stops the others' acknowledgements from counting for long: seldom.
      if (![13, 18].includes(kind) || this.below(6) === 0) tryAct(kind, act, copy, this.people, (n) => this.below(n));
    } else if (kind < 30) {
      copy.hear(this.pick(this.copies), 1 + this.below(4000));
    } else if (kind < 34) {
      if (copy.replica.own.isAckDue && !isOver) copy.control('ack', controlBody.ack());
    } else if (kind < 38) {
      this.advance(copy);
    } else if (this.#hostile.has(copy.person)) {
      this.#branch(copy, act);
    }
    copy.check(`act ${act}`, this.counts);
  }

  advance(copy: Watched): void {
    const { folded, forgotten } = copy.replica.advance();
    this.counts.folded += folded.length;
    this.counts.forgotten += forgotten;
  }

  /**
   * A second history of his own feed, for somebody who has not heard of the first, upon something old: as if he had not
   * acknowledged what he has.
   */
  #branch(copy: Watched, act: number): void {
    const { team } = this;
    const { device } = copy.person;
    const target = this.pick(this.copies.filter((other) => other !== copy));
    const feed = `${device}.0` as FeedId;
    const seq = (target.replica.vector().get(feed) ?? 0) + 1;
    const rival = copy.replica.nodeAt(feed, seq);
    const before = copy.replica.nodeAt(feed, seq - 1);
    if (!rival || !before) return;
    const others = [...target.replica.nodes()].filter((node) => {
      const known = copy.replica.node(node.delta.id);
      return known && node.delta.device !== device && !inPast(known, before);
    });
    const { credential } = [...copy.replica.nodes()].findLast(({ delta }) => delta.device === device)!.delta;
    const deps = others.length > 0 && this.below(4) > 0 ? [this.pick(others).delta.id] : [];
    const base = { seq, prev: before.delta.id, credential, deps };
    const forged: Delta =
      this.below(3) > 0
        ? team.forge(copy.person, { ...base, body: [`branch ${act}`] })
        : team.forge(copy.person, {
            ...base,
            tool: undefined,
            kind: 'setPerm',
            body: controlBody.setPerm('chat', 'add', Role.participant, this.below(2) === 0),
          });
    if (target.replica.ingest([[forged.bytes]]).added.length > 0) this.counts.backdated++;
    target.follow();
  }

  /** Everybody hears everybody, and says so, until nothing moves. */
  settle(): void {
    for (let round = 0; round < 12; round++) {
      for (const copy of this.copies) for (const other of this.copies) if (copy !== other) copy.hear(other, 1e9);
      const due = this.copies.filter(
        ({ replica, person }) =>
          replica.own.isAckDue &&
          replica.roster.devices.has(person.device) &&
          !replica.people.forked.has(person.device),
      );
      if (due.length === 0) break;
      for (const copy of due) copy.control('ack', controlBody.ack());
    }
  }

  end(seed: number): void {
    this.settle();
    for (const copy of this.copies) {
      this.counts.forks += copy.replica.people.forked.size;
      this.advance(copy);
      copy.check(`end of ${seed}`, this.counts);
    }
    const sound = this.copies.filter(({ replica }) => !replica.isOutOfStep && replica.missing().length === 0);
    const sets = new Map<string, unknown>();
    for (const { whole, replica, person } of sound) {
      // What who is out goes on writing nobody takes from him; his client erases it.
      if (!replica.roster.devices.has(person.device)) continue;
      const set = [...whole.nodes()]
        .map(({ delta }) => delta.id)
        .sort()
        .join();
      const { rows } = stateOf(replica);
      if (sets.has(set)) assert.deepEqual(rows, sets.get(set), 'the same deltas are the same rows');
      sets.set(set, rows);
    }
    if (this.#hostile.size > 0) return;
    assert.ok(sets.size <= 1, 'after quiet all hold the same');
    for (const { replica, person } of this.copies) {
      if (!replica.roster.devices.has(person.device)) continue;
      // D10: what only a newer version would know is never folded, nor what comes after it.
      if (replica.newer.size > 0) continue;
      assert.ok(isAtRest(replica), 'L4 at rest there are control deltas, and the last acks of each feed');
      this.counts.atRest++;
    }
  }
}

/**
 * L4: control deltas, and of each feed its last entry; before that an ack that others have not seen when they wrote their last, since
 * an ack asks for none.
 */
function isAtRest(replica: Replica): boolean {
  const acks = new Map<FeedId, number>();
  for (const { delta } of replica.tail()) {
    if (delta.tool !== undefined) return false;
    if (delta.kind === 'ack') acks.set(delta.feed, (acks.get(delta.feed) ?? 0) + 1);
  }
  const isControl = ({ delta }: Node) => delta.tool === undefined;
  return [...replica.nodes()].every(isControl) && [...acks.values()].every((count) => count <= 2);
}

describe('L4 forgetting', function () {
  this.timeout(300_000);
  const zero = (): Counts => ({
    folded: 0,
    forgotten: 0,
    forks: 0,
    backdated: 0,
    outOfStep: 0,
    compared: 0,
    atRest: 0,
  });
  const WORLDS = 12;
  const all = { honest: zero(), hostile: zero() };

  for (let seed = 1; seed <= WORLDS; seed++) {
    it(`L4 L5 base and re-folded tail are the whole fold, whenever who forgets what (seed ${seed})`, () => {
      const world = new World(seed, 0, all.honest);
      for (let act = 0; act < 250; act++) world.step(act);
      world.end(seed);
    });

    it(`L4 D8 so they are where a member forks his feed and writes as if he had not acknowledged (seed ${seed})`, () => {
      const world = new World(seed, 1, all.hostile);
      for (let act = 0; act < 250; act++) world.step(act);
      world.end(seed);
    });
  }

  it('the worlds were not empty', () => {
    for (const { folded, forgotten, compared } of Object.values(all)) {
      assert.ok(folded > 100 && forgotten > folded && compared > 1000, JSON.stringify(all));
    }
    assert.ok(all.honest.atRest > WORLDS && all.honest.outOfStep === 0, JSON.stringify(all));
    assert.ok(all.hostile.backdated > WORLDS && all.hostile.forks > all.hostile.backdated, JSON.stringify(all));
  });
});
