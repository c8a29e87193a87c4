// npm test [-- --only STAGE,STAGE]: all that is checked, from a fresh clone to two people in two VS Codes.
// A check of the source counts as one test, a suite as what it runs. The last line is always `N passed, N failed`.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './lib/project.mjs';
import { mustRun } from './lib/run.mjs';
import { checks, runChecks } from './test/checks.ts';
import { type Counts, type Stage, sum, tell } from './test/stage.ts';
import { endToEndTests, runInsideVSCode, runMocha, runUnit } from './test/suites.ts';

const LIMIT_MS = 20 * 60_000;

const stages: readonly Stage[] = [
  { name: 'build', run: () => must('esbuild.mjs') },
  ...Object.entries(checks).map(([name, all]) => ({ name, run: () => runChecks(all) })),
  { name: 'unit', run: () => runUnit(900) },
  { name: 'package', run: () => must('scripts/package.ts') },
  { name: 'vscode', run: runInsideVSCode },
  { name: 'e2e', run: endToEnd },
];

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = values.only?.split(',') ?? stages.map(({ name }) => name);
const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name));
if (unknown.length > 0) {
  console.log(`No such stage: ${unknown.join(', ')}. There are: ${stages.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}

const start = performance.now();
const results: Counts[] = [];
setTimeout(
  () => finish({ passed: 0, failed: 1 }, `Stopped: everything together may take ${LIMIT_MS / 60_000} minutes.`),
  LIMIT_MS,
).unref();

if (!existsSync(join(root, 'node_modules'))) results.push(await tell({ name: 'install', run: install }));
for (const stage of stages) if (wanted.includes(stage.name)) results.push(await tell(stage));
finish({ passed: 0, failed: 0 }, '');

function finish(last: Counts, word: string): never {
  const { passed, failed } = sum([...results, last]);
  console.log(`\n${word}${word === '' ? '' : '\n'}${((performance.now() - start) / 1000).toFixed(0)} s`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

async function install(): Promise<Counts> {
  await mustRun('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root });
  return { passed: 1, failed: 0 };
}

/** One of our own scripts, which must succeed. */
async function must(script: string): Promise<Counts> {
  const output = await mustRun(process.execPath, [script], { cwd: root, capture: true, timeout_s: 180 });
  if (output !== '') console.log(output.trimEnd());
  return { passed: 1, failed: 0 };
}

/** People in their own VS Codes. The steps of a story build on each other: its first failure ends it, and not the other stories. */
async function endToEnd(): Promise<Counts> {
  const args = ['--bail', '--timeout', '120000', '--slow', '30000'];
  const results: Counts[] = [];
  for (const file of endToEndTests()) {
    results.push(await runMocha({ name: basename(file), files: [file], reporter: 'Spec', limit_s: 600, args }));
  }
  return sum(results);
}
