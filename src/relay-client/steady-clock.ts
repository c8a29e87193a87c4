import type { Clock } from '../sync/ports.ts';

/** What a machine has to tell time by. */
export interface Timekeeping {
  /** Milliseconds since 1970, as the machine is set: it may be set to any other at any time. */
  wall_ms(): number;
  /** Milliseconds since some moment: never set, but on some systems it stands still while the machine sleeps. */
  steady_ms(): number;
  after(duration_ms: number, callback: () => void): () => void;
}

/** By how much the wall clock must have got ahead of the steady one to have leapt: a wall clock that is only corrected does not. */
const LEAP_MS = 1_000;

/**
 * The time by which is waited. It begins with the hour and is no hour after that: what others compare is asked of the wall clock.
 *
 * | the machine | this clock |
 * | --- | --- |
 * | is set back | goes on: a wait stays as long as it was meant to be |
 * | sleeps | has gone on when it wakes, by what the wall clock says: what was waited for is due |
 * | is set forward | leaps with it, for that cannot be told from sleep: nobody is to be taken for silent who had no time to speak |
 */
export class SteadyClock implements Clock {
  readonly #machine: Timekeeping;
  #ahead_ms: number;
  /** How far the wall clock is ahead of the steady one; least since it last leapt. */
  #least_ms: number;

  constructor(machine: Timekeeping) {
    this.#machine = machine;
    this.#ahead_ms = this.#least_ms = machine.wall_ms() - machine.steady_ms();
  }

  now(): number {
    const steady_ms = this.#machine.steady_ms();
    const ahead_ms = this.#machine.wall_ms() - steady_ms;
    if (ahead_ms - this.#least_ms >= LEAP_MS) {
      this.#ahead_ms += ahead_ms - this.#least_ms;
      this.#least_ms = ahead_ms;
    } else {
      this.#least_ms = Math.min(this.#least_ms, ahead_ms);
    }
    return steady_ms + this.#ahead_ms;
  }

  wakeAt(at: number, callback: () => void): () => void {
    return this.#machine.after(Math.max(0, at - this.now()), callback);
  }
}

export function thisMachine(): Timekeeping {
  return {
    wall_ms: () => Date.now(),
    steady_ms: () => performance.now(),
    after(duration_ms, callback) {
      // A timer takes whole milliseconds, and drops what is over.
      const timer = setTimeout(callback, Math.ceil(duration_ms));
      return () => clearTimeout(timer);
    },
  };
}
