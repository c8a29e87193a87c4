/**
 * The relay's store on SQLite (R6), synchronous: a batch of calls is one transaction, so what arrives during a commit shares
 * the next. Runs in a thread of its own (store-thread.ts).
 */
import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { err, type Result } from '../base/result.ts';
import type { QueueLimits } from './limits.ts';
import { ParcelRows } from './parcel-rows.ts';
import { Queues } from './queues.ts';
import type { RelayStore } from './store.ts';
import { asStoreError, LOG_NAME, openTables } from './tables.ts';

type SyncStore = {
  readonly [Name in Exclude<keyof RelayStore, 'close'>]: (
    ...values: Parameters<RelayStore[Name]>
  ) => Awaited<ReturnType<RelayStore[Name]>>;
};

export type StoreCall = {
  readonly [Name in keyof SyncStore]: { readonly name: Name; readonly values: Parameters<SyncStore[Name]> };
}[keyof SyncStore];

/** What a call has come to. */
export type Outcome = Result<unknown, { readonly code: 'full'; readonly message: string }>;

const FULL: Outcome = err({ code: 'full', message: 'no room on the disk' });

/** A log as long as this is moved into the database between two batches: it is disk, and the time a start takes. */
const LONG_LOG_BYTES = 64 * 1024 * 1024;

/** Calls that fill the disk; the others make room, or need next to none. */
const NEW_CONTENT: ReadonlySet<StoreCall['name']> = new Set(['register', 'submit', 'openParcel', 'advanceParcel']);

export class SqliteStore {
  readonly #database: DatabaseSync;
  readonly #calls: SyncStore;
  readonly #parcels: ParcelRows;
  readonly #folder: string;
  readonly #reserveBytes: number;
  /** What moving it has left of the log, for want of room: it is not tried again for that. */
  #leftBytes = 0;

  /** Throws RelayStoreError. */
  constructor(folder: string, limits: QueueLimits) {
    this.#folder = folder;
    this.#reserveBytes = limits.reserveBytes;
    this.#database = openTables(folder);
    const queues = new Queues(this.#database, limits);
    const parcels = new ParcelRows(this.#database);
    this.#parcels = parcels;
    this.#calls = {
      registration: (...values) => queues.registration(...values),
      register: (...values) => queues.register(...values),
      confirm: (...values) => queues.confirm(...values),
      capabilities: (...values) => queues.capabilities(...values),
      submit: (...values) => queues.submit(...values),
      page: (...values) => queues.page(...values),
      ack: (...values) => queues.ack(...values),
      expireMessages: (...values) => queues.expireMessages(...values),
      openParcel: (...values) => parcels.openParcel(...values),
      advanceParcel: (...values) => parcels.advanceParcel(...values),
      parcel: (...values) => parcels.parcel(...values),
      keepParcel: (...values) => parcels.keepParcel(...values),
      expireParcels: (...values) => parcels.expireParcels(...values),
      parcelIds: () => parcels.parcelIds(),
    };
  }

  /**
   * Carries out all of them, in order and durably; what the disk has no room for fails alone. Throws RelayStoreError where
   * nobody can say what is durable.
   */
  commit(calls: readonly StoreCall[]): Outcome[] {
    const room = this.#hasRoom();
    const all = this.#transact(calls, room);
    return all ?? calls.map((call) => this.#transact([call], room)?.[0] ?? FULL);
  }

  /** Undefined where the disk was full: then nothing has happened. */
  #transact(calls: readonly StoreCall[], room: boolean): Outcome[] | undefined {
    try {
      this.#database.exec('BEGIN');
      const outcomes = calls.map(({ name, values }): Outcome => {
        if (!room && NEW_CONTENT.has(name)) return FULL;
        const call = this.#calls[name] as (...all: readonly unknown[]) => unknown;
        return { ok: true, value: call(...values) };
      });
      this.#database.exec('COMMIT');
      return outcomes;
    } catch (error) {
      const storeError = asStoreError(error);
      if (storeError.code !== 'full') throw storeError;
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#parcels.forget();
      return undefined;
    }
  }

  /** Whether the log has become so long that it should be moved now. */
  get hasLongLog(): boolean {
    return this.#logBytes - this.#leftBytes >= LONG_LOG_BYTES;
  }

  /** What stands in the log will need as much again in the database. */
  #hasRoom(): boolean {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize >= this.#reserveBytes + this.#logBytes;
  }

  get #logBytes(): number {
    return statSync(join(this.#folder, LOG_NAME), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Moves the log into the database and empties it: what was acknowledged is then on the disk no more. */
  checkpoint(): void {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      // The log stays, and with it everything that is in it; it is tried again.
      const storeError = asStoreError(error);
      if (storeError.code !== 'full') throw storeError;
    }
    this.#leftBytes = this.#logBytes;
  }

  close(): void {
    this.#database.close();
  }
}
