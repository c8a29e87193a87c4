/**
 * How long the thread of the extension host is busy without a break. A timer that wants to fire every PERIOD_MS fires late by what kept the
 * thread; of each such gap, Linux says how long the thread stood ready and got no processor (/proc/…/schedstat, second figure): that is
 * other people's doing and is left out. What remains is our own work, the collection of garbage and waiting for the disk, plus at most one
 * period of rest: an upper bound for the longest block in the gap. Elsewhere than on Linux nothing is left out.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';

const PERIOD_MS = 2;
/** Of the process's first thread, which is where VS Code runs extensions. */
const SCHEDSTAT = '/proc/self/schedstat';

export interface Busy {
  readonly window_ms: number;
  readonly gaps: number;
  readonly p999_ms: number;
  readonly second_ms: number;
  readonly longest_ms: number;
  /** The same gap by the clock on the wall: how long a person may have felt it. */
  readonly longestByClock_ms: number;
}

export class BusyProbe {
  readonly #began_ms = performance.now();
  readonly #file = existsSync(SCHEDSTAT) ? openSync(SCHEDSTAT, 'r') : undefined;
  readonly #buffer = Buffer.alloc(128);
  readonly #gaps: { readonly busy_ms: number; readonly clock_ms: number }[] = [];
  readonly #timer = setInterval(() => this.#look(), PERIOD_MS);
  #last = { clock_ms: performance.now(), waited_ms: this.#waited_ms() };

  stop(): Busy {
    this.#look();
    clearInterval(this.#timer);
    if (this.#file !== undefined) closeSync(this.#file);
    const gaps = this.#gaps.sort((a, b) => b.busy_ms - a.busy_ms);
    return {
      window_ms: performance.now() - this.#began_ms,
      gaps: gaps.length,
      p999_ms: gaps[Math.floor(gaps.length / 1000)]!.busy_ms,
      second_ms: gaps[1]?.busy_ms ?? 0,
      longest_ms: gaps[0]!.busy_ms,
      longestByClock_ms: Math.max(...gaps.map(({ clock_ms }) => clock_ms)),
    };
  }

  #look(): void {
    const [before, now] = [this.#last, { clock_ms: performance.now(), waited_ms: this.#waited_ms() }];
    this.#last = now;
    const clock_ms = now.clock_ms - before.clock_ms;
    this.#gaps.push({ clock_ms, busy_ms: clock_ms - (now.waited_ms - before.waited_ms) });
  }

  #waited_ms(): number {
    if (this.#file === undefined) return 0;
    const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0);
    return Number(this.#buffer.toString('latin1', 0, length).split(' ')[1]) / 1e6;
  }
}

export function wordsOf({ window_ms, gaps, p999_ms, second_ms, longest_ms, longestByClock_ms }: Busy): string {
  const [p999, second, longest, byClock] = [p999_ms, second_ms, longest_ms, longestByClock_ms].map((one) =>
    one.toFixed(1),
  );
  return `${window_ms.toFixed(0)} ms in ${gaps} gaps: p99.9 ${p999}, second ${second}, longest ${longest}, by the clock ${byClock} ms`;
}
