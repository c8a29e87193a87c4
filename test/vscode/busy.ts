/**
 * How long the thread of the extension host is busy without a break. A timer that wants to fire every PERIOD_MS fires late by what kept the
 * thread; what did so in each such gap Linux tells in /proc/self/schedstat:
 *
 * | part of a gap | whose doing | counts as |
 * | --- | --- | --- |
 * | the thread had a processor (first figure) | our work: the code and the collection of garbage | `work_ms` and `busy_ms` |
 * | it stood ready and got none (second figure) | other programs' | neither |
 * | it slept | a disk or another thread waited for; or rest, at most one period of it | `busy_ms` |
 *
 * Each is an upper bound for the longest block in the gap. Elsewhere than on Linux both are the time by the clock.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';

const PERIOD_MS = 2;
/** Of the process's first thread, which is where VS Code runs extensions. */
const SCHEDSTAT = '/proc/self/schedstat';

interface Figures {
  readonly clock_ms: number;
  readonly work_ms: number;
  readonly busy_ms: number;
}

export interface Busy {
  readonly window_ms: number;
  readonly gaps: number;
  readonly longest: Figures;
  readonly second: Figures;
}

export class BusyProbe {
  readonly #began_ms = performance.now();
  readonly #file = existsSync(SCHEDSTAT) ? openSync(SCHEDSTAT, 'r') : undefined;
  readonly #buffer = Buffer.alloc(128);
  readonly #gaps: Figures[] = [];
  readonly #timer = setInterval(() => this.#look(), PERIOD_MS);
  /** Since some beginning. */
  #last = this.#now();

  stop(): Busy {
    this.#look();
    clearInterval(this.#timer);
    if (this.#file !== undefined) closeSync(this.#file);
    const [longest, second] = [this.#ranked(0), this.#ranked(1)];
    return { window_ms: performance.now() - this.#began_ms, gaps: this.#gaps.length, longest, second };
  }

  /** Each kind of figure for itself. */
  #ranked(rank: number): Figures {
    const at = (key: keyof Figures): number => this.#gaps.map((gap) => gap[key]).sort((a, b) => b - a)[rank] ?? 0;
    return { clock_ms: at('clock_ms'), work_ms: at('work_ms'), busy_ms: at('busy_ms') };
  }

  #look(): void {
    const [before, now] = [this.#last, this.#now()];
    this.#last = now;
    this.#gaps.push({
      clock_ms: now.clock_ms - before.clock_ms,
      work_ms: now.work_ms - before.work_ms,
      busy_ms: now.busy_ms - before.busy_ms,
    });
  }

  #now(): Figures {
    const clock_ms = performance.now();
    if (this.#file === undefined) return { clock_ms, work_ms: clock_ms, busy_ms: clock_ms };
    const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0);
    const [worked_ns, waited_ns] = this.#buffer.toString('latin1', 0, length).split(' ').map(Number);
    return { clock_ms, work_ms: worked_ns! / 1e6, busy_ms: clock_ms - waited_ns! / 1e6 };
  }
}

export function wordsOf({ window_ms, gaps, longest, second }: Busy): string {
  const both = (key: keyof Figures): string => `${longest[key].toFixed(1)} and ${second[key].toFixed(1)} ms`;
  const figures = `at work ${both('work_ms')}, busy ${both('busy_ms')}, by the clock ${both('clock_ms')}`;
  return `${window_ms.toFixed(0)} ms in ${gaps} gaps, the two longest: ${figures}`;
}
