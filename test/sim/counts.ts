/** What worlds exercised: printed at the end of a run, so that one in which nothing happened shows. */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  /** For what only the highest of a run says something. */
  most(name: string, value: number): void {
    this.#counts.set(name, Math.max(this.#counts.get(name) ?? 0, value));
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  merge(others: Iterable<readonly [string, number]>): void {
    for (const [name, count] of others) {
      if (name.startsWith(MOST)) this.most(name, count);
      else this.add(name, count);
    }
  }

  entries(): readonly (readonly [string, number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** Names of counts of which the highest is kept, not the sum. */
export const MOST = 'most ';
