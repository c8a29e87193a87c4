/** Lets so much work on files go on at once; the rest waits in line. Each takes a descriptor, of which a process has few. */
export class FileGate {
  readonly #most: number;
  #inside = 0;
  readonly #line: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside < this.#most) this.#inside++;
    else await new Promise<void>((enter) => this.#line.push(enter));
    try {
      return await work();
    } finally {
      // Whoever is next takes the place over.
      const next = this.#line.shift();
      if (next) next();
      else this.#inside--;
    }
  }
}
