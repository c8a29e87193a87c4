/** Figures for whoever reads along; nothing here fails by being slow. */
import assert from 'node:assert/strict';
import { controlBody } from '../../src/sync/control.ts';
import type { Node } from '../../src/sync/graph.ts';
import { CHAT, Copy, Team } from './team.ts';

function timed<T>(work: () => T): { readonly value: T; readonly ms: number } {
  const start = performance.now();
  const value = work();
  return { value, ms: performance.now() - start };
}

function print(line: string): void {
  process.stdout.write(`      ${line}\n`);
}

function posts(copy: Copy, count: number): readonly Node[] {
  return copy.write(...Array.from({ length: count }, (_, i) => ({ tool: CHAT, kind: 'post', body: [`post ${i}`] })));
}

function inRuns(nodes: readonly Node[], length: number): readonly (readonly Uint8Array[])[] {
  const runs: Uint8Array[][] = [];
  for (let at = 0; at < nodes.length; at += length)
    runs.push(nodes.slice(at, at + length).map(({ delta }) => delta.bytes));
  return runs;
}

describe('how fast the engine is', function () {
  this.timeout(300_000);

  it('S2 10,000 chat deltas in runs of 100', () => {
    const team = new Team(1);
    const bob = team.join('Bob');
    const authored = timed(() => posts(team.founder, 10_000));
    const runs = inRuns(authored.value, 100);
    const ingested = timed(() => runs.map((run) => bob.replica.ingest([run]).added.length));
    assert.equal([...bob.replica.fold.rows()].length, 10_000);
    const restored = new Copy(team, team.alice);
    const again = timed(() => {
      for (const { delta } of team.founder.replica.nodes()) restored.replica.restore(delta.bytes);
      return restored.replica.roster;
    });
    print(
      `authored ${authored.ms.toFixed(0)} ms, ingested ${ingested.ms.toFixed(0)} ms ` +
        `(${(10_000 / ingested.ms).toFixed(1)} deltas/ms), restored ${again.ms.toFixed(0)} ms`,
    );
  });

  it('L5 two who wrote 3,000 deltas each while apart', () => {
    const team = new Team(2);
    const bob = team.join('Bob');
    posts(team.founder, 3000);
    const late = posts(bob, 3000);
    const { ms } = timed(() => inRuns(late, 300).map((run) => team.founder.replica.ingest([run])));
    assert.equal([...team.founder.replica.fold.rows()].length, 6000);
    print(`the second 3,000 taken in ${ms.toFixed(0)} ms, in runs of 300`);
    const content = team.founder.replica;
    bob.meet(team.founder);
    const removal = timed(() => team.founder.setPerm('chat', 'add', 1, false));
    print(`a permission that touches none of 6,000: ${removal.ms.toFixed(1)} ms`);
    assert.equal(content.roster.members.size, 2);
  });

  it('A6 control deltas one by one, and all at once', () => {
    const team = new Team(3);
    const alice = team.founder;
    for (const name of ['Bob', 'Carol', 'Dave', 'Eve', 'Frank']) alice.admit(team.person(name));
    const laps: number[] = [];
    for (let i = 0; i < 6; i++) {
      const lap = timed(() => {
        for (let j = 0; j < 50; j++) alice.control('profile', controlBody.profile(`Alice ${i} ${j}`, ''));
      });
      laps.push(lap.ms / 50);
    }
    const fresh = new Copy(team, team.person('Reader'));
    const nodes = [...alice.replica.nodes()];
    const batch = timed(() => fresh.take([nodes]));
    print(
      `one more on top of 0, 50 … 250: ${laps.map((ms) => ms.toFixed(2)).join(', ')} ms; ${nodes.length} at once ${batch.ms.toFixed(1)} ms`,
    );
    assert.deepEqual(batch.value, []);
  });
});
