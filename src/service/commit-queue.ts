/**
 * The way to the disk. What could not be written stays in line, in order, before what comes after it: the journal never has a
 * later delta of our feed without the earlier ones, and nothing that was typed is lost while the process lives.
 */
import { StoreError, type Clock, type LogStore } from '../sync/ports.ts';
import type { LocalState } from './local-state.ts';

const RETRY_MS = 5_000;

export class CommitQueue {
  readonly #log: LogStore;
  readonly #local: LocalState;
  readonly #clock: Clock;
  readonly #onFailure: (error: StoreError) => void;
  #failed: readonly Uint8Array[] = [];
  #cancelRetry: (() => void) | undefined;
  #recovering: Promise<void> | undefined;

  constructor(log: LogStore, local: LocalState, clock: Clock, onFailure: (error: StoreError) => void) {
    this.#log = log;
    this.#local = local;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Resolves when these, and all before them, are durable. Throws StoreError. */
  async commit(records: readonly Uint8Array[]): Promise<void> {
    const all = [...records, ...this.#local.takeUnsaved()];
    if (this.#failed.length > 0) return this.#recover(all);
    if (all.length === 0) return;
    try {
      await this.#log.append(all);
    } catch (error) {
      this.#keep(all, error);
      throw error;
    }
  }

  /** One try at a time, with everything that waits. */
  async #recover(more: readonly Uint8Array[]): Promise<void> {
    this.#failed = [...this.#failed, ...more];
    await this.#recovering?.catch(() => undefined);
    if (this.#failed.length === 0) return;
    const all = this.#failed;
    this.#recovering = this.#log.append(all).then(() => {
      this.#failed = this.#failed.slice(all.length);
      this.#cancelRetry?.();
      this.#cancelRetry = undefined;
    });
    await this.#recovering;
  }

  #keep(records: readonly Uint8Array[], error: unknown): void {
    const first = this.#failed.length === 0;
    this.#failed = [...this.#failed, ...records];
    if (first && error instanceof StoreError) this.#onFailure(error);
    this.#retryLater();
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.#clock.wakeAt(this.#clock.now() + RETRY_MS, () => {
      this.#cancelRetry = undefined;
      this.#recover([]).catch(() => this.#retryLater());
    });
  }

  async close(): Promise<void> {
    await this.commit([]);
    this.#cancelRetry?.();
  }
}
