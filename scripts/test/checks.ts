// Checks that read the source: each is one program, and counts as one test.
import { root, tool } from '../lib/project.mjs';
import { run } from '../lib/run.mjs';
import { type Counts, sum } from './stage.ts';

// Two at a time: the usual number of cores, and each of these takes one.
const AT_ONCE = 2;
const LIMIT_S = 240;

export interface Check {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

const types = (project: string): Check => ({
  name: `types of ${project}`,
  program: tool('typescript', 'bin', 'tsc'),
  args: ['--project', project],
});

export const checks = {
  types: [types('tsconfig.json'), types('tsconfig.core.json'), types('tsconfig.webviews.json')],
  lint: [{ name: 'lint', program: tool('eslint', 'bin', 'eslint.js'), args: ['--max-warnings', '0', '.'] }],
  layers: [
    {
      name: 'layers',
      program: tool('dependency-cruiser', 'bin', 'dependency-cruise.mjs'),
      args: ['--config', '.dependency-cruiser.cjs', 'src', 'test'],
    },
  ],
  'dead-code': [{ name: 'dead code', program: tool('knip', 'bin', 'knip.js'), args: [] }],
  format: [{ name: 'format', program: tool('prettier', 'bin', 'prettier.cjs'), args: ['--check', '.'] }],
} as const satisfies Record<string, readonly Check[]>;

/** Runs the checks side by side; each is told when it is done, and only a failed one at length. */
export async function runChecks(all: readonly Check[]): Promise<Counts> {
  const waiting = [...all];
  const results: Counts[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results.push(await runCheck(next));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return sum(results);
}

async function runCheck({ name, program, args }: Check): Promise<Counts> {
  const start = performance.now();
  const { code, output } = await run(process.execPath, [program, ...args], {
    cwd: root,
    capture: true,
    timeout_s: LIMIT_S,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (code !== 0) console.log(output);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}
