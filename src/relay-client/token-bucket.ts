/** A rate with a burst: `take` answers false once more was taken than time has refilled. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #at_ms: number;

  constructor(burst: number, perSecond: number, now_ms: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
    this.#at_ms = now_ms;
  }

  take(amount: number, now_ms: number): boolean {
    const refilled = (Math.max(0, now_ms - this.#at_ms) * this.#perSecond) / 1000;
    this.#left = Math.min(this.#burst, this.#left + refilled);
    this.#at_ms = now_ms;
    if (amount > this.#left) return false;
    this.#left -= amount;
    return true;
  }
}
