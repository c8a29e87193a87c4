import assert from 'node:assert/strict';
import type { Delta } from '../../src/sync/delta.ts';
import { Graph, inPast, type Around } from '../../src/sync/graph.ts';
import { Team, type Person } from './team.ts';

/** People who say things upon what is named; nothing is signed or judged here. */
export class Talk {
  readonly team = new Team('talk');
  readonly graph: Graph;
  readonly alice = this.team.person('Alice');
  readonly bob = this.team.person('Bob');
  readonly mallory = this.team.person('Mallory');
  readonly genesis: Delta;

  constructor(around?: Partial<Around>) {
    this.graph = new Graph(around);
    this.genesis = this.say(this.alice, undefined, []);
    assert.equal(this.take(this.genesis), 'added');
  }

  say(by: Person, prev: Delta | undefined, deps: readonly Delta[], generation = 0): Delta {
    return this.team.forge(by, {
      ...{ generation, seq: (prev?.seq ?? 0) + 1, prev: prev?.id, deps: deps.map(({ id }) => id).sort() },
      body: [this.#said++],
    });
  }

  #said = 0;

  /** Second branches, too. */
  take(delta: Delta): string {
    return this.graph.insert(delta, true).outcome;
  }

  /** Said and taken. */
  add(by: Person, prev: Delta | undefined, deps: readonly Delta[], generation = 0): Delta {
    const delta = this.say(by, prev, deps, generation);
    assert.equal(this.take(delta), 'added');
    return delta;
  }

  isIn(inner: Delta, outer: Delta): boolean {
    return inPast(this.graph.get(inner.id)!, this.graph.get(outer.id)!);
  }
}
