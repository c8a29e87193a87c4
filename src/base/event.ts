import type { Disposable } from './disposable.ts';

/** Subscribe with a listener, stop by disposing what comes back. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

/** Listeners are called in the order they came, over a copy: one may leave while being called. */
export class Emitter<T> implements Disposable {
  readonly #listeners = new Set<(value: T) => void>();

  readonly event: Event<T> = (listener) => {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  };

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  fire(value: T): void {
    for (const listener of [...this.#listeners]) listener(value);
  }

  dispose(): void {
    this.#listeners.clear();
  }
}
