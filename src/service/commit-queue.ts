/**
 * The way to the disk: one write at a time, and whatever comes during it shares the next. What could not be written stays in
 * line, in order, before what comes after it: the journal never has a later delta of our feed without the earlier ones, and
 * nothing that was typed is lost while the process lives.
 */
import { StoreError, type Clock, type LogStore } from '../sync/ports.ts';
import type { LocalState } from './local-state.ts';

const RETRY_MS = 5_000;

/** The disk has failed for a change that stands all the same: it is in line, and whoever made it need not make it again. */
export class KeptError extends StoreError {
  static of(error: unknown): unknown {
    return error instanceof StoreError ? new KeptError(error.code, error.message, { cause: error }) : error;
  }
}

export interface CommitListener {
  /** Once until it is well again. */
  failed(error: unknown): void;
  /** What had failed is on disk now. */
  saved(): void;
}

export class CommitQueue {
  readonly #log: LogStore;
  readonly #local: LocalState;
  readonly #clock: Clock;
  readonly #listener: CommitListener;
  #line: Uint8Array[] = [];
  #turn: Promise<void> = Promise.resolve();
  /** The write that has not begun: whoever comes now goes with it. */
  #next: Promise<void> | undefined;
  #failing = false;
  #closed = false;
  #cancelRetry: (() => void) | undefined;

  constructor(log: LogStore, local: LocalState, clock: Clock, listener: CommitListener) {
    this.#log = log;
    this.#local = local;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Whether something waits that could not be written. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Resolves when these, and all before them, are durable. Throws StoreError: they stay in line all the same. */
  commit(records: readonly Uint8Array[]): Promise<void> {
    this.#line = [...this.#line, ...records, ...this.#local.takeUnsaved()];
    if (this.#line.length === 0) return this.#turn;
    this.#next ??= this.#turn = this.#turn.catch(() => undefined).then(() => this.#write());
    return this.#next;
  }

  /** Takes back what could not be written: its author was told that it did not happen. */
  withdraw(records: readonly Uint8Array[]): void {
    this.#line = this.#line.filter((record) => !records.includes(record));
    if (this.#line.length === 0 && this.#failing) this.#recovered();
  }

  async #write(): Promise<void> {
    this.#next = undefined;
    const records = this.#line;
    this.#line = [];
    try {
      if (records.length > 0) await this.#log.append(records);
    } catch (error) {
      this.#line = [...records, ...this.#line];
      this.#failed(error);
      throw error;
    }
    if (this.#failing) this.#recovered();
  }

  #failed(error: unknown): void {
    const first = !this.#failing;
    this.#failing = true;
    if (!this.#closed)
      this.#cancelRetry ??= this.#clock.wakeAt(this.#clock.now() + RETRY_MS, () => {
        this.#cancelRetry = undefined;
        this.commit([]).catch(() => undefined); // has planned the next try
      });
    if (first) this.#listener.failed(error);
  }

  #recovered(): void {
    this.#failing = false;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    if (this.#line.length === 0 && this.#next === undefined) this.#turn = Promise.resolve();
    this.#listener.saved();
  }

  /** One last try. */
  async close(): Promise<void> {
    this.#closed = true;
    try {
      await this.commit([]);
    } finally {
      this.#cancelRetry?.();
    }
  }
}
