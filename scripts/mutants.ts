// npm run mutants [-- --only NAMES] (a regular expression) [--from N] [--count N] (of those, in their order, the first is 1) [--workers W]: breaks one rule of the
// engine at a time, in a copy, and sees whether a test or the simulator notices. A verdict is a line, written when it is known: a run that is stopped goes on with --from.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MUTANTS } from '../test/sim/mutants/all.ts';
import { mutated, type Mutant } from '../test/sim/mutants/mutant.ts';
import { root } from './lib/project.mjs';
import { run } from './lib/run.mjs';

/** Worlds that a mutant is given to show itself in, always the same; the large ones of them are left out, which take ten times as long. */
const WORLDS = 160;
const SEED = 'mutant';
const LIMIT_S = 600;
/** On a busy machine, too, a test that has not ended by then never will. */
const TEST_TIMEOUT_MS = 120_000;
/** More of them would only stand in each other's way, and in that of whoever works beside. */
const MAX_WORKERS = 2;
/** Asked after the tests that a mutant names: the engine's, but for those that take long. */
const OTHER_TESTS = readdirSync(join(root, 'test', 'sync'))
  .filter((name) => name.endsWith('.test.ts') && !/worlds|histories|performance/.test(name))
  .map((name) => join('test', 'sync', name));
/** What is copied: all that the simulator and the tests read. */
const COPIED = ['src', 'test', 'scripts', 'l10n', 'package.json', 'tsconfig.json', '.mocharc.json'];

const VIOLATION = /^VIOLATION in world (.+), (\w+):/m;

type Verdict = 'caught' | 'SURVIVED' | 'DOES NOT APPLY' | 'DOES NOT RUN';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    from: { type: 'string', default: '1' },
    count: { type: 'string' },
    workers: { type: 'string', default: String(Math.min(MAX_WORKERS, availableParallelism())) },
  },
});

const named = MUTANTS.filter(({ name }) => values.only === undefined || new RegExp(values.only).test(name));
const first = Number(values.from) - 1;
const chosen = named.slice(first, values.count === undefined ? undefined : first + Number(values.count));
const queue = chosen.map((mutant, i) => ({ mutant, number: first + i + 1 }));
await mustPass([...new Set(chosen.flatMap(({ tests = [] }) => tests))]);
let othersPass: Promise<void> | undefined;
/** Worlds that a mutant failed in, and whether they fail without any mutation: then they tell nothing about it. */
const failsAnyway = new Map<string, Promise<boolean>>();
let caught = 0;
await Promise.all(Array.from({ length: Number(values.workers) }, work));
console.log(`mutants made=${chosen.length} caught=${caught}`);
process.exitCode = caught === chosen.length && caught > 0 ? 0 : 1;

async function work(): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'coterie-mutants-'));
  try {
    for (const name of COPIED) cpSync(join(root, name), join(copy, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { mutant, number } = next;
      const { verdict, by } = await judge(mutant, copy);
      if (verdict === 'caught') caught++;
      const place = `${number}/${named.length}`;
      console.log(`${verdict.padEnd(14)} ${place.padStart(7)} ${mutant.rule.padEnd(3)} ${mutant.name} (${by})`);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function judge(mutant: Mutant, copy: string): Promise<{ readonly verdict: Verdict; readonly by: string }> {
  const path = join(copy, mutant.file);
  const source = readFileSync(path, 'utf8');
  const changed = mutated(source, mutant);
  if (typeof changed === 'number') return { verdict: 'DOES NOT APPLY', by: `its place is there ${changed} times` };
  writeFileSync(path, changed);
  try {
    if (!(await runs(path, copy))) return { verdict: 'DOES NOT RUN', by: mutant.file };
    const by = await noticed(mutant, copy);
    return { verdict: by === undefined ? 'SURVIVED' : 'caught', by: by ?? `${WORLDS} worlds` };
  } finally {
    writeFileSync(path, source);
  }
}

/** A mutant that cannot be read as a program proves nothing. */
async function runs(path: string, copy: string): Promise<boolean> {
  const { code } = await node(copy, ['--input-type=module', '--eval', `await import(${JSON.stringify(path)})`]);
  return code === 0;
}

/** Whoever is likely to notice, and quick to ask, is asked first, and nobody after the first who does. */
async function noticed({ tests = [] }: Mutant, copy: string): Promise<string | undefined> {
  const quickly = (await noticedByTests(tests, copy)) ?? (await noticedByKept(copy));
  if (quickly !== undefined) return quickly;
  await (othersPass ??= mustPass(OTHER_TESTS));
  const others = OTHER_TESTS.filter((test) => !tests.includes(test));
  return (await noticedByTests(others, copy)) ?? noticedBySimulator(copy);
}

/** What fails without any mutation tells nothing about one. */
async function mustPass(tests: readonly string[]): Promise<void> {
  const failing = await noticedByTests(tests, root);
  if (failing !== undefined) throw new Error(`A test fails as it is: ${failing}`);
}

async function noticedByTests(tests: readonly string[], copy: string): Promise<string | undefined> {
  if (tests.length === 0) return undefined;
  const mocha = [join('node_modules', 'mocha', 'bin', 'mocha.js'), '--bail', '--timeout', String(TEST_TIMEOUT_MS)];
  const { code, output, timedOut } = await node(copy, [...mocha, ...tests]);
  if (code === 0) return undefined;
  if (timedOut) return `${tests.join(', ')}: they do not end`;
  // Mocha's own count: a file that could not be read is no test that failed.
  const failed = /^ {2}1\) (.*(?:\n {6,}.*)*)$/m.exec(output.split(/^ {2}\d+ failing$/m)[1] ?? '');
  if (failed) return failed[1]!.replaceAll(/\s*\n\s*/g, ': ').replace(/:$/, '');
  return output.includes('InvariantError') ? `an invariant in ${tests.join(', ')}` : undefined;
}

/** Worlds that failed once: without a mutation none of them fails. */
async function noticedByKept(copy: string): Promise<string | undefined> {
  const { output, timedOut } = await node(copy, ['scripts/sim.ts', '--kept', '--stop', '1']);
  const [, world, rule] = VIOLATION.exec(output) ?? [];
  if (world === undefined) return timedOut ? 'the simulator: a kept world does not end' : undefined;
  return `the simulator: kept world ${world}, ${rule}`;
}

async function noticedBySimulator(copy: string): Promise<string | undefined> {
  const except = new Set<string>();
  for (;;) {
    const args = ['--seed', SEED, '--worlds', String(WORLDS), '--small', '--workers', '1', '--stop', '1'];
    const { output, timedOut } = await node(copy, ['scripts/sim.ts', ...args, '--except', [...except].join()]);
    const [, world, rule] = VIOLATION.exec(output) ?? [];
    if (world === undefined) return timedOut ? 'the simulator: it does not end' : undefined;
    if (!(await fails(world))) return `the simulator: world ${world}, ${rule}`;
    except.add(world);
  }
}

function fails(world: string): Promise<boolean> {
  const known = failsAnyway.get(world);
  if (known) return known;
  const failing = node(root, ['scripts/sim.ts', '--world', world]).then(({ code }) => code !== 0);
  failsAnyway.set(world, failing);
  return failing;
}

function node(copy: string, args: readonly string[]) {
  const all = ['--disable-warning=ExperimentalWarning', ...args];
  return run(process.execPath, all, { cwd: copy, capture: true, timeout_s: LIMIT_S });
}
