/** A token bucket. Whoever has taken more than there is owes the time until it is paid; so nothing is refused, only slowed. */
import type { Rate } from './limits.ts';

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #at_ms: number;

  constructor(rate: Rate, now_ms: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at_ms = now_ms;
  }

  /** Takes, and answers how many milliseconds to wait before taking again. */
  take(count: number, now_ms: number): number {
    this.#refill(now_ms);
    this.#tokens -= count;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#rate.perSecond) * 1000);
  }

  /** Takes only where there is enough. */
  tryTake(count: number, now_ms: number): boolean {
    this.#refill(now_ms);
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** In how many milliseconds it will be as full as a new one, if nobody takes. */
  fullIn(now_ms: number): number {
    this.#refill(now_ms);
    return Math.ceil(((this.#rate.burst - this.#tokens) / this.#rate.perSecond) * 1000);
  }

  #refill(now_ms: number): void {
    const passed_ms = Math.max(0, now_ms - this.#at_ms);
    this.#at_ms = now_ms;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + (passed_ms / 1000) * this.#rate.perSecond);
  }
}
