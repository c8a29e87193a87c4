/**
 * How long to wait before the next try: doubling from `first_ms` to `most_ms`, each with jitter between half and all of it,
 * so that a team whose relay comes back does not knock all at once.
 */
export class Backoff {
  readonly #first_ms: number;
  readonly #most_ms: number;
  readonly #random: () => number;
  #tries = 0;

  constructor(first_ms: number, most_ms: number, random: () => number) {
    this.#first_ms = first_ms;
    this.#most_ms = most_ms;
    this.#random = random;
  }

  next(): number {
    const whole_ms = Math.min(this.#most_ms, this.#first_ms * 2 ** Math.min(this.#tries++, 30));
    return whole_ms * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#tries = 0;
  }
}
