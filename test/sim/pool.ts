/** Worlds by the thousand, on every core: each worker takes the next number, runs that world and says what it found. */
import { Worker } from 'node:worker_threads';
import { Counts } from './counts.ts';
import type { Violation } from './world.ts';

export interface Finding {
  readonly seed: string;
  readonly violations: readonly Violation[];
}

export interface Totals {
  readonly counts: Counts;
  readonly findings: readonly Finding[];
  readonly worlds: number;
  readonly deltas: number;
  /** The number that would have been next. */
  readonly end: number;
}

export interface Report {
  readonly seed: string;
  readonly deltas: number;
  readonly violations: readonly Violation[];
  readonly counts: readonly (readonly [string, number])[];
}

export interface PoolOptions {
  /** Worlds are named `<seed>.<number>`. */
  readonly seed: string;
  /** The number of the first. */
  readonly from?: number;
  readonly worlds: number;
  readonly workers: number;
  /** No world begins later than this. */
  readonly budget_ms?: number;
  /** No world begins after so many have failed. */
  readonly maxFindings?: number;
  /** Worlds that are left out. */
  readonly except?: ReadonlySet<string>;
  onReport?(report: Report, done: number): void;
}

/** A world of twenty devices makes 200 MB and keeps a tenth: with room for the young, little of it is ever moved. */
const ROOMY = { maxYoungGenerationSizeMb: 192 };

export async function runWorlds(options: PoolOptions): Promise<Totals> {
  const { seed, from = 0, worlds, workers, budget_ms = Infinity, maxFindings = Infinity, except } = options;
  const counts = new Counts();
  const findings: Finding[] = [];
  const end = performance.now() + budget_ms;
  let next = from;
  let done = 0;
  let deltas = 0;
  const more = () => next < from + worlds && performance.now() < end && findings.length < maxFindings;
  const take = (report: Report) => {
    done++;
    deltas += report.deltas;
    counts.merge(report.counts);
    const { violations } = report;
    if (violations.length > 0) findings.push({ seed: report.seed, violations });
    options.onReport?.(report, done);
  };
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL('worker.ts', import.meta.url), { resourceLimits: ROOMY });
      const give = () => {
        while (except?.has(`${seed}.${next}`)) next++;
        if (more()) worker.postMessage(`${seed}.${next++}`);
        else void worker.terminate().then(() => resolve());
      };
      worker.on('message', (report: Report) => {
        take(report);
        give();
      });
      worker.on('error', reject);
      give();
    });
  await Promise.all(Array.from({ length: Math.min(workers, worlds) }, work));
  return { counts, findings, worlds: done, deltas, end: Math.min(next, from + worlds) };
}
