/** Lets so many bytes be under way at once; who comes later waits in line. Something larger than all goes alone. */
export class ByteGate {
  readonly #most: number;
  #taken = 0;
  readonly #line: { readonly amount: number; readonly enter: () => void }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** True where the bytes may go now, in this tick. */
  tryEnter(amount: number): boolean {
    if (this.#line.length > 0 || !this.#fits(amount)) return false;
    this.#taken += amount;
    return true;
  }

  enter(amount: number): Promise<void> {
    if (this.tryEnter(amount)) return Promise.resolve();
    return new Promise((enter) => this.#line.push({ amount, enter }));
  }

  leave(amount: number): void {
    this.#taken -= amount;
    for (let first = this.#line[0]; first && this.#fits(first.amount); first = this.#line[0]) {
      this.#line.shift();
      this.#taken += first.amount;
      first.enter();
    }
  }

  #fits(amount: number): boolean {
    return this.#taken === 0 || this.#taken + amount <= this.#most;
  }
}
