/**
 * An index that takes changes in at once and works them in when somebody asks, or a moment later: a save must not wait for a
 * table that nobody is looking at. The index is disposable (L1), so nothing can be lost here.
 */
import type { Clock } from '../sync/ports.ts';
import type { Index, SqlValue } from './ports.ts';

type Change = Parameters<Index['apply']>[0][number];

const WORK_IN_AFTER_MS = 100;
/** A long catch-up is worked in as it comes. */
const MAX_WAITING = 2_000;

export class LazyIndex implements Index {
  readonly #index: Index;
  readonly #clock: Clock;
  #waiting: Change[] = [];
  #cancel: (() => void) | undefined;

  constructor(index: Index, clock: Clock) {
    this.#index = index;
    this.#clock = clock;
  }

  define(schema: readonly string[]): void {
    this.#index.define(schema);
  }

  apply(changes: readonly Change[]): void {
    for (const change of changes) this.#waiting.push(change);
    if (this.#waiting.length > MAX_WAITING) this.#workIn();
    else this.#cancel ??= this.#clock.wakeAt(this.#clock.now() + WORK_IN_AFTER_MS, () => this.#workIn());
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
    this.#waiting = [];
    this.#index.takeUp(image);
  }

  close(): void {
    this.#cancel?.();
    this.#waiting = [];
    this.#index.close();
  }

  #workIn(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const changes = this.#waiting;
    this.#waiting = [];
    if (changes.length > 0) this.#index.apply(changes);
  }
}
