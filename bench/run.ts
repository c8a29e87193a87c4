/**
 * `npm run bench -- NAME`: runs one benchmark. Its last line is `NAME key=value …` with units in the keys, and
 * bench/results/NAME.json gets the raw figures with the machine and the date.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../scripts/lib/project.mjs';
import { authority } from './authority.ts';
import { grow } from './grow.ts';
import { ingest } from './ingest.ts';
import { latency } from './latency.ts';
import type { Benchmark } from './lib/benchmark.ts';
import { machine } from './lib/machine.ts';
import { open } from './open.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = { authority, grow, ingest, latency, open };

const [name = ''] = process.argv.slice(2);
const benchmark = benchmarks[name];
if (!benchmark) {
  console.error(`npm run bench -- NAME, where NAME is one of: ${Object.keys(benchmarks).join(', ')}`);
  process.exit(2);
}
const before = machine();
const { figures, raw } = await benchmark((word) => console.log(word));
const results = join(root, 'bench', 'results');
await mkdir(results, { recursive: true });
const file = join(results, `${name}.json`);
// What others have added beside our figures (a test, how long it takes inside VS Code) stays; it has a date of its own.
const others = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as object;
const record = { ...others, name, date: new Date().toISOString(), machine: before, figures, raw };
await writeFile(file, `${JSON.stringify(record, null, 2)}\n`);
const line = Object.entries(figures).map(([key, value]) => `${key}=${value}`);
console.log([name, ...line].join(' '));
process.exit(0);
