import type { Event } from '../base/event.ts';

/** An event that happens once, and is told to late listeners as well. */
export class OnceEvent<T> {
  readonly #listeners = new Set<(value: T) => void>();
  #fired: { readonly value: T } | undefined;

  readonly event: Event<T> = (listener) => {
    if (this.#fired) listener(this.#fired.value);
    else this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  };

  get fired(): boolean {
    return this.#fired !== undefined;
  }

  fire(value: T): void {
    if (this.#fired) return;
    this.#fired = { value };
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(value);
  }
}
