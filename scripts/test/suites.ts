// Stages that run mocha: beside us, or inside the extension host of a real VS Code.
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { out, root, tool } from '../lib/project.mjs';
import { run } from '../lib/run.mjs';
import { sum, type Counts } from './stage.ts';

export interface MochaRun {
  readonly name: string;
  readonly files: readonly string[];
  readonly reporter: 'Dot' | 'Spec';
  readonly limit_s: number;
  /** Further options of mocha. */
  readonly args?: readonly string[];
  /** Keeps what it says until it has ended, and says it in one piece. */
  readonly quiet?: boolean;
}

/** All but what needs a VS Code around it. */
export function unitTests(): string[] {
  return globSync('test/**/*.test.ts', { cwd: root, exclude: ['test/vscode/**', 'test/e2e/**'] }).sort();
}

/** Pure rooms and their like: they compute from the first moment to the last. All others have sockets, threads and timers, and wait. */
const COMPUTING = /^test[\\/](base|crypto|fuzz|protocol|sim|store|sync|tools)[\\/]/;

/** Two processes side by side: while the tests of the one wait, those of the other compute. */
export async function runUnit(limit_s: number): Promise<Counts> {
  const all = unitTests();
  const computing = all.filter((file) => COMPUTING.test(file));
  const waiting = all.filter((file) => !COMPUTING.test(file));
  const common = { reporter: 'Dot', limit_s, quiet: true } as const;
  return sum(
    await Promise.all([
      runMocha({ ...common, name: 'unit-computing', files: computing }),
      runMocha({ ...common, name: 'unit-waiting', files: waiting }),
    ]),
  );
}

export function endToEndTests(): string[] {
  return globSync('test/e2e/**/*.test.ts', { cwd: root }).sort();
}

export async function runMocha({
  name,
  files,
  reporter,
  limit_s,
  args = [],
  quiet = false,
}: MochaRun): Promise<Counts> {
  if (files.length === 0) return { passed: 0, failed: 0 };
  const counts = freshFile(`counts-${name}.json`);
  const program = [
    tool('mocha', 'bin', 'mocha.js'),
    '--reporter',
    'scripts/lib/counting-reporter.cjs',
    '--forbid-only',
    ...args,
    ...files,
  ];
  const env = { COTERIE_TEST_COUNTS: counts, COTERIE_TEST_REPORTER: reporter };
  const command = ['--disable-warning=ExperimentalWarning', ...program];
  const { code, output, timedOut } = await run(process.execPath, command, {
    ...{ cwd: root, env, timeout_s: limit_s },
    capture: quiet,
  });
  if (quiet) console.log(`${name}:\n${output.trimEnd()}\n`);
  if (timedOut) console.log(`Stopped after ${limit_s} s.`);
  if (!existsSync(counts)) return { passed: 0, failed: 1 };
  const { passes, failures } = JSON.parse(readFileSync(counts, 'utf8')) as { passes: number; failures: number };
  // Mocha can fail with no failed test: a hook outside any test, an error nobody caught, a process that would not end.
  return { passed: passes, failed: code === 0 ? failures : Math.max(failures, 1) };
}

interface InHostTest {
  readonly fullTitle: string;
  readonly err: { readonly message?: string; readonly stack?: string };
}

interface InHostResults {
  readonly stats: { readonly passes: number; readonly failures: number };
  readonly tests: readonly InHostTest[];
  /** Hooks that failed are in here, and are no tests. */
  readonly failures: readonly InHostTest[];
}

export async function runInsideVSCode(): Promise<Counts> {
  if (globSync('test/vscode/*.test.ts', { cwd: root }).length === 0) return { passed: 0, failed: 0 };
  // Only now: it needs what npm installs.
  const { runInHost } = await import('../vscode/in-host.ts');
  const results = freshFile('in-host.json');
  const code = await runInHost({
    extension: root,
    tests: join(root, 'out-test', 'index.cjs'),
    env: { COTERIE_TEST_RESULTS: results },
    screenshot: join(out, 'in-host.png'),
  });
  if (!existsSync(results)) {
    console.log(`The run inside VS Code ended (${code}) without a report: out/in-host.png shows how it looked.`);
    return { passed: 0, failed: 1 };
  }
  const { stats, tests, failures } = JSON.parse(readFileSync(results, 'utf8')) as InHostResults;
  const failed = new Set(failures.map(({ fullTitle }) => fullTitle));
  for (const { fullTitle } of tests) if (!failed.has(fullTitle)) console.log(`  ok   ${fullTitle}`);
  for (const { fullTitle, err } of failures) console.log(`  FAIL ${fullTitle}\n${err.stack ?? err.message ?? ''}`);
  return { passed: stats.passes, failed: code === 0 ? stats.failures : Math.max(stats.failures, 1) };
}

/** A path in out/ where nothing of an earlier run stands. */
function freshFile(name: string): string {
  mkdirSync(out, { recursive: true });
  const path = join(out, name);
  rmSync(path, { force: true });
  return path;
}
