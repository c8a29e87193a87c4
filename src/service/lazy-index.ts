/**
 * An index that takes changes in at once and works them in when somebody asks, or a moment later: a save must not wait for a
 * table that nobody is looking at. The index is disposable (L1), so nothing can be lost here.
 */
import type { Clock } from '../sync/ports.ts';
import type { Index, IndexChanges, SqlValue } from './ports.ts';

const WORK_IN_AFTER_MS = 100;
/** A long catch-up is worked in behind it, or as it comes: so many are a few megabytes. */
const MAX_WAITING = 20_000;

export class LazyIndex implements Index {
  readonly #index: Index;
  readonly #clock: Clock;
  #waiting: IndexChanges[] = [];
  #length = 0;
  #cancel: (() => void) | undefined;
  #changedAt = 0;

  constructor(index: Index, clock: Clock) {
    this.#index = index;
    this.#clock = clock;
  }

  define(schema: readonly string[]): void {
    this.#index.define(schema);
  }

  apply(changes: IndexChanges): void {
    if (changes.length === 0) return;
    this.#waiting.push(changes);
    this.#length += changes.length;
    if (this.#length > MAX_WAITING) this.#workIn();
    else this.#planWork();
  }

  /** When nothing more has come for a moment. */
  #planWork(): void {
    this.#changedAt = this.#clock.now();
    this.#cancel ??= this.#clock.wakeAt(this.#changedAt + WORK_IN_AFTER_MS, () => {
      this.#cancel = undefined;
      if (this.#clock.now() < this.#changedAt + WORK_IN_AFTER_MS) this.#planWork();
      else this.#workIn();
    });
  }

  query<T>(sql: string, args: SqlValue[]): T[] {
    this.#workIn();
    return this.#index.query<T>(sql, args);
  }

  image(): Uint8Array {
    this.#workIn();
    return this.#index.image();
  }

  takeUp(image: Uint8Array | undefined): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#forget();
    this.#index.takeUp(image);
  }

  close(): void {
    this.#cancel?.();
    this.#forget();
    this.#index.close();
  }

  #workIn(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const [waiting, length] = [this.#waiting, this.#length];
    this.#forget();
    if (length === 0) return;
    this.#index.apply({
      length,
      *[Symbol.iterator]() {
        for (const changes of waiting) yield* changes;
      },
    });
  }

  #forget(): void {
    this.#waiting = [];
    this.#length = 0;
  }
}
