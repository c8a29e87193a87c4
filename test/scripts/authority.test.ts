/** The authority command: worlds in, verdicts out, through the real program and the production engine. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Stage } from '../../scripts/authority/stage.ts';
import { readWorld, WorldError } from '../../scripts/authority/world.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', '..', 'scripts', 'authority.ts');

interface Written {
  readonly id: string;
  readonly author: string;
  readonly past: readonly string[];
  readonly [key: string]: unknown;
}

const genesis: Written = { id: 'g', author: 'alice', device: 0, type: 'genesis', past: [] };
const admit = (
  id: string,
  author: string,
  target: string,
  role: string,
  cred: string,
  past: readonly string[],
): Written => ({
  ...{ id, author, target, role, cred, past },
  ...{ type: 'admit', device: 0 },
});
const bob = admit('bob', 'alice', 'bob', 'manager', 'g', ['g']);
const carol = admit('carol', 'alice', 'carol', 'participant', 'g', ['g', 'bob']);
const base = [genesis, bob, carol];
const baseIds = ['g', 'bob', 'carol'];

const play = (ops: readonly Written[]) => new Stage().play(readWorld(JSON.stringify({ ops })));
const data = (id: string, author: string, cred: string, past: readonly string[], device = 0): Written => ({
  ...{ id, author, cred, past, device },
  type: 'data',
});

describe('A the authority command', function () {
  this.timeout(60_000);

  it('A7 of two managers who remove each other the senior’s removal stands', () => {
    const { accepted, members } = play([
      ...base,
      { id: 'r1', author: 'alice', type: 'remove', target: 'bob', cred: 'g', past: baseIds },
      { id: 'r2', author: 'bob', type: 'remove', target: 'alice', cred: 'bob', past: baseIds },
    ]);
    assert.deepEqual(accepted, [...baseIds, 'r1']);
    assert.deepEqual(members, { alice: 'manager', carol: 'participant' });
  });

  it('A4 what the removed wrote is cut where the removal did not know it, on whichever of his devices', () => {
    const { accepted } = play([
      ...base,
      data('before', 'carol', 'carol', baseIds, 3),
      { id: 'r', author: 'alice', type: 'remove', target: 'carol', cred: 'g', past: [...baseIds, 'before'] },
      data('backdated', 'carol', 'carol', baseIds, 11),
      data('after', 'carol', 'carol', [...baseIds, 'before', 'r'], 3),
    ]);
    assert.deepEqual(accepted, [...baseIds, 'before', 'r']);
  });

  it('A4 a re-admission restores what is written upon it, and no more', () => {
    const ops = [
      ...base,
      { id: 'r', author: 'alice', type: 'remove', target: 'carol', cred: 'g', past: baseIds },
      admit('again', 'alice', 'carol', 'guest', 'g', [...baseIds, 'r']),
      {
        id: 'up',
        author: 'bob',
        type: 'setRole',
        target: 'carol',
        role: 'participant',
        cred: 'bob',
        past: [...baseIds, 'r', 'again'],
      },
      data('old', 'carol', 'carol', baseIds, 1),
      data('as guest', 'carol', 'again', [...baseIds, 'r', 'again'], 2),
      data('new', 'carol', 'up', [...baseIds, 'r', 'again', 'up'], 4),
    ];
    const { accepted, members } = play(ops);
    assert.deepEqual(accepted, [...baseIds, 'r', 'again', 'up', 'new']);
    assert.equal(members['carol'], 'participant');
  });

  it('A2 nobody grants above his own role, and a junior reaches no senior', () => {
    const { accepted } = play([
      ...base,
      admit('too high', 'carol', 'dave', 'manager', 'carol', baseIds),
      { id: 'upwards', author: 'bob', type: 'remove', target: 'alice', cred: 'bob', past: baseIds },
      {
        id: 'demote',
        author: 'bob',
        type: 'setRole',
        target: 'carol',
        role: 'guest',
        cred: 'bob',
        past: [...baseIds, 'upwards'],
      },
      data('demoted', 'carol', 'carol', [...baseIds, 'upwards', 'demote'], 5),
    ]);
    assert.deepEqual(accepted, [...baseIds, 'demote']);
  });

  it('A5 a concurrent deny voids, one that was not in the way does not', () => {
    const deny = { id: 'deny', author: 'alice', type: 'setPerm', role: 'participant', perm: 'edit', allow: false };
    const { accepted } = play([
      ...base,
      data('first', 'carol', 'carol', baseIds, 1),
      { ...deny, cred: 'g', past: [...baseIds, 'first'] },
      data('meanwhile', 'carol', 'carol', baseIds, 2),
      data('known', 'carol', 'carol', [...baseIds, 'first', 'deny'], 1),
    ]);
    assert.deepEqual(accepted, [...baseIds, 'first', 'deny']);
  });

  it('D5 more than 32 heads are merged by acks first', () => {
    const people = Array.from({ length: 40 }, (_, i) => `p${String(i).padStart(2, '0')}`);
    const admits = people.map((name, i) =>
      admit(name, 'alice', name, 'participant', 'g', ['g', ...people.slice(0, i)]),
    );
    const posts = people.map((name) => data(`post ${name}`, name, name, ['g', ...people]));
    const all = ['g', ...people, ...posts.map(({ id }) => id)];
    const { accepted } = play([genesis, ...admits, ...posts, data('last', 'alice', 'g', all)]);
    assert.deepEqual(accepted, [...all, 'last']);
  });

  it('prints what stands, who is a member and the order of the real ids, in one line of JSON', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coterie-authority-'));
    try {
      const path = join(folder, 'world.json');
      await writeFile(path, JSON.stringify({ ops: base.toReversed() }));
      const { stdout } = await run(process.execPath, [program, path]);
      const printed = JSON.parse(stdout) as { accepted: string[]; members: object; order: string[] };
      assert.deepEqual(printed.accepted, baseIds);
      assert.deepEqual(printed.members, { alice: 'manager', bob: 'manager', carol: 'participant' });
      assert.deepEqual(printed.order.toSorted(), baseIds.toSorted());
      assert.deepEqual(printed, play(base));
      await writeFile(path, '{"ops":[{"id":"g"}]}');
      const failed = await run(process.execPath, [program, path]).catch((error: unknown) => error);
      const { code, stderr } = failed as { code: number; stderr: string };
      assert.equal(code, 2);
      assert.match(stderr, /operation 1: "author" is a text/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says what is wrong with a world that is none', () => {
    const bad: readonly [unknown, RegExp][] = [
      [[], /a world is/],
      [{ ops: [] }, /one genesis/],
      [{ ops: [genesis, { ...bob, past: ['h'] }] }, /is nowhere/],
      [{ ops: [genesis, bob, { ...carol, past: ['bob'] }] }, /not closed/],
      [{ ops: [genesis, genesis] }, /stands twice/],
      [{ ops: [genesis, bob, { ...carol, past: ['g'] }] }, /same device is not in its past/],
      [{ ops: [{ ...genesis, device: 12 }] }, /from 0 to 11/],
      [{ ops: [genesis, { ...bob, role: 'king' }] }, /"role" is one of/],
    ];
    for (const [world, word] of bad) {
      assert.throws(
        () => readWorld(JSON.stringify(world)),
        (error: unknown) => error instanceof WorldError && word.test(error.message),
      );
    }
  });
});
