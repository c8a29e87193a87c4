/** Something that holds a resource until it is told to let go. Letting go twice is harmless. */
export interface Disposable {
  dispose(): void;
}

/** Holds what was made together, and lets go of it in the opposite order. */
export class DisposableStore implements Disposable {
  readonly #held: Disposable[] = [];
  #disposed = false;

  add<T extends Disposable>(disposable: T): T {
    if (this.#disposed) disposable.dispose();
    else this.#held.push(disposable);
    return disposable;
  }

  dispose(): void {
    this.#disposed = true;
    for (let held = this.#held.pop(); held; held = this.#held.pop()) held.dispose();
  }
}
