// npm run sim -- --seed S --worlds N [--from I] [--workers W] [--budget SECONDS] [--stop FAILURES] [--except S.I,…] [--small]: worlds S.I … S.I+N-1, what they exercised, and what broke.
// npm run sim -- --sum FILE …: what runs have printed, added up.
// npm run sim -- --kept [--stop FAILURES]: the worlds that failed once.
// npm run sim -- --world S.I [--shrink]: one of them; shrunk, the plan that still fails goes to out/sim-S.I.json.
// npm run sim -- --world FILE.json [--shrink]: a plan as it was written; what a name makes may be another since.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { added, isSound, linesOf, readPiece, type Piece } from '../test/sim/piece.ts';
import { planWorld, type Plan } from '../test/sim/plan.ts';
import { runWorlds } from '../test/sim/pool.ts';
import { runWorld } from '../test/sim/run-world.ts';
import { KEPT } from '../test/sim/seeds.ts';
import { shrink } from '../test/sim/shrink.ts';
import type { Violation } from '../test/sim/world.ts';
import { out } from './lib/project.mjs';

const SHRINK_TRIES = 150;
const PROGRESS_EVERY = 1000;

// There is a worker on every core: threads that help to collect garbage are in their way.
setFlagsFromString('--single-threaded-gc');
// All that a world has kept is garbage when it ends: a heap that may be large from its beginning is seldom looked through meanwhile.
setFlagsFromString('--initial-heap-size=512');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    worlds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '0' },
    sum: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
    budget: { type: 'string' },
    stop: { type: 'string' },
    except: { type: 'string', default: '' },
    small: { type: 'boolean', default: false },
    kept: { type: 'boolean', default: false },
    world: { type: 'string' },
    shrink: { type: 'boolean', default: false },
  },
});

process.exitCode = (await run()) ? 0 : 1;

function run(): boolean | Promise<boolean> {
  if (values.sum) return sum(positionals);
  if (values.kept) return kept();
  return values.world === undefined ? many() : one(values.world);
}

async function kept(): Promise<boolean> {
  let worlds = 0;
  let deltas = 0;
  let violations = 0;
  let failed = 0;
  for (const { plan } of KEPT) {
    if (failed >= Number(values.stop ?? Infinity)) break;
    const outcome = await runWorld(plan);
    print(plan.config.seed, outcome.violations);
    worlds++;
    deltas += outcome.deltas;
    violations += outcome.violations.length;
    if (outcome.violations.length > 0) failed++;
  }
  console.log(`sim worlds=${worlds} deltas=${deltas} violations=${violations}`);
  return violations === 0;
}

async function many(): Promise<boolean> {
  const started = performance.now();
  const { seed } = values;
  const from = Number(values.from);
  const { findings, end, ...totals } = await runWorlds({
    seed,
    from,
    worlds: Number(values.worlds),
    workers: Number(values.workers),
    ...(values.budget === undefined ? {} : { budget_ms: Number(values.budget) * 1000 }),
    except: new Set([...values.except.split(','), ...(values.small ? largeWorlds() : [])]),
    ...(values.stop === undefined ? {} : { maxFindings: Number(values.stop) }),
    onReport: (report, done) => {
      print(report.seed, report.violations);
      if (done % PROGRESS_EVERY === 0) console.log(`${done} worlds, ${Math.round(secondsSince(started))} s`);
    },
  });
  const seconds = secondsSince(started);
  console.log(`${seconds.toFixed(1)} s, ${(totals.worlds / seconds).toFixed(1)} worlds a second`);
  const violations = findings.reduce((all, finding) => all + finding.violations.length, 0);
  return conclude({ ...totals, violations, spans: [{ seed, from, end }] });
}

function sum(files: readonly string[]): boolean {
  const pieces = files.flatMap((file) => readPiece(readFileSync(file, 'utf8')) ?? []);
  const all = pieces.length === files.length ? added(pieces) : undefined;
  if (all) return conclude(all);
  console.log('one of these is not what a run has printed to its end, or two have run the same worlds');
  return false;
}

function conclude(piece: Piece): boolean {
  for (const line of linesOf(piece)) console.log(line);
  return isSound(piece);
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

function largeWorlds(): string[] {
  const names = Array.from({ length: Number(values.worlds) }, (_, i) => `${values.seed}.${Number(values.from) + i}`);
  return names.filter((name) => planWorld(name).config.big);
}

async function one(world: string): Promise<boolean> {
  const plan = world.endsWith('.json') ? (JSON.parse(readFileSync(world, 'utf8')) as Plan) : planWorld(world);
  const { seed } = plan.config;
  const { violations, counts, deltas } = await runWorld(plan);
  console.log(JSON.stringify(plan.config));
  for (const [name, count] of counts.entries()) console.log(`${String(count).padStart(10)}  ${name}`);
  print(seed, violations);
  if (values.shrink && violations.length > 0) {
    const small = await shrink(plan, new Set(violations.map(({ rule }) => rule)), SHRINK_TRIES);
    const file = join(out, `sim-${seed}.json`);
    mkdirSync(out, { recursive: true });
    writeFileSync(file, `${JSON.stringify(small)}\n`);
    print(
      `${seed} with ${small.acts.length} of ${plan.acts.length} acts, in ${file}`,
      (await runWorld(small)).violations,
    );
  }
  console.log(`sim worlds=1 deltas=${deltas} violations=${violations.length}`);
  return violations.length === 0;
}

function print(seed: string, violations: readonly Violation[]): void {
  for (const { rule, detail } of violations) console.log(`VIOLATION in world ${seed}, ${rule}: ${detail}`);
}
