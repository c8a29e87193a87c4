// npm run mutants [-- --only NAMES] (a regular expression): breaks one rule of the engine at a time, in a copy, and sees whether the simulator or a test notices.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MUTANTS } from '../test/sim/mutants/all.ts';
import { mutated, type Mutant } from '../test/sim/mutants/mutant.ts';
import { root } from './lib/project.mjs';
import { run } from './lib/run.mjs';

/** Worlds that a mutant is given to show itself in, always the same. */
const WORLDS = 160;
const SEED = 'mutant';
const LIMIT_S = 600;
/** What is copied: all that the simulator and the tests read. */
const COPIED = ['src', 'test', 'scripts', 'l10n', 'package.json', 'tsconfig.json', '.mocharc.json'];

type Verdict = 'caught' | 'SURVIVED' | 'DOES NOT APPLY' | 'DOES NOT RUN';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    'no-baseline': { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
});

const chosen = MUTANTS.filter(({ name }) => values.only === undefined || new RegExp(values.only).test(name));
const queue = [...chosen];
/** Worlds that fail without any mutation tell nothing about one. */
const failing = values['no-baseline'] ? [] : await failingWorlds();
if (failing.length > 0) console.log(`Left out, since they fail as it is: ${failing.join(', ')}`);
let caught = 0;
await Promise.all(Array.from({ length: Number(values.workers) }, work));
console.log(`mutants made=${chosen.length} caught=${caught}`);
process.exitCode = caught === chosen.length && caught > 0 ? 0 : 1;

async function work(): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'coterie-mutants-'));
  try {
    for (const name of COPIED) cpSync(join(root, name), join(copy, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const { verdict, by } = await judge(mutant, copy);
      if (verdict === 'caught') caught++;
      console.log(`${verdict.padEnd(14)} ${mutant.rule.padEnd(3)} ${mutant.name} (${by})`);
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
    const byTests = mutant.tests && (await noticedByTests(mutant.tests, copy));
    const by = byTests ?? (await noticedBySimulator(copy));
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

async function noticedByTests(tests: readonly string[], copy: string): Promise<string | undefined> {
  const { code, output } = await node(copy, [join('node_modules', 'mocha', 'bin', 'mocha.js'), '--bail', ...tests]);
  // Mocha's own count: a file that could not be read is no test that failed.
  const failed = /^ {2}\d+ failing$/m.test(output) || output.includes('InvariantError');
  return code !== 0 && failed ? tests.join(', ') : undefined;
}

async function noticedBySimulator(copy: string): Promise<string | undefined> {
  const args = [
    'scripts/sim.ts',
    '--seed',
    SEED,
    '--worlds',
    String(WORLDS),
    '--workers',
    '1',
    '--stop',
    '1',
    '--except',
    failing.join(),
  ];
  const { output, timedOut } = await node(copy, args);
  const violated = /^VIOLATION in world (\S+), (\w+)/m.exec(output);
  if (violated) return `the simulator: world ${violated[1]}, ${violated[2]}`;
  return timedOut ? 'the simulator: it does not end' : undefined;
}

async function failingWorlds(): Promise<string[]> {
  const args = ['scripts/sim.ts', '--seed', SEED, '--worlds', String(WORLDS)];
  const { output } = await node(root, args);
  return [...new Set([...output.matchAll(/^VIOLATION in world ([^\s,]+)/gm)].map((found) => found[1]!))];
}

function node(copy: string, args: readonly string[]) {
  const all = ['--disable-warning=ExperimentalWarning', ...args];
  return run(process.execPath, all, { cwd: copy, capture: true, timeout_s: LIMIT_S });
}
