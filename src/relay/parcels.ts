/**
 * Parcels (R9): bytes under a random id, which is what allows reading them. A parcel is a file, written from the start to the
 * end in slices; how much of it is durable stands in the store, so a file's tail after a crash is never taken for content.
 *
 * | file | content |
 * | --- | --- |
 * | parcels/ab/abcd… | the parcel whose id, in hexadecimal, is abcd… |
 */
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toHex } from '../base/bytes.ts';
import { Code } from '../protocol/relay-messages.ts';
import { RelayStoreError, type RelayStore } from './store.ts';

/** The disk's own ways of saying that there is no room. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export interface PutAnswer {
  readonly code: Code;
  /** Where to go on. */
  readonly next: number;
}

export interface GetAnswer {
  readonly code: Code;
  readonly total: number;
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

export class Parcels {
  readonly #folder: string;
  readonly #store: RelayStore;
  readonly #quotaBytes: number;
  /** The end of the work on each parcel that is being written: slices of one are written one after another. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(folder: string, store: RelayStore, quotaBytes: number) {
    this.#folder = join(folder, 'parcels');
    this.#store = store;
    this.#quotaBytes = quotaBytes;
  }

  /** Removes files that no parcel stands for: their deletion was interrupted. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const known = new Set((await this.#store.parcelIds()).map(toHex));
    for (const folder of await readdir(this.#folder)) {
      for (const name of await readdir(join(this.#folder, folder))) {
        if (!known.has(name)) await rm(join(this.#folder, folder, name), { force: true });
      }
    }
  }

  /** Writes a slice where it is the next one; else says which is. Throws RelayStoreError. */
  put(
    id: Uint8Array,
    account: Uint8Array,
    total: number,
    offset: number,
    bytes: Uint8Array,
    now: number,
  ): Promise<PutAnswer> {
    return this.#inTurn(id, async () => {
      if (total === 0) return { code: Code.badRequest, next: 0 };
      const { code, received } = await this.#store.openParcel(id, account, total, this.#quotaBytes, now);
      if (code !== Code.ok || offset !== received || bytes.length === 0) return { code, next: received };
      await this.#write(id, offset, bytes);
      await this.#store.advanceParcel(id, offset + bytes.length, now);
      return { code: Code.ok, next: offset + bytes.length };
    });
  }

  /** Throws RelayStoreError. */
  async get(id: Uint8Array, offset: number, length: number): Promise<GetAnswer> {
    const state = await this.#store.parcel(id);
    if (!state || state.received < state.total) return { code: Code.notFound, total: 0, bytes: NOTHING };
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, state.total - offset)));
    try {
      const file = await open(this.#path(id));
      try {
        const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
        if (bytesRead < bytes.length) return { code: Code.notFound, total: 0, bytes: NOTHING };
      } finally {
        await file.close();
      }
    } catch (error) {
      // Dropped in this very moment, or lost with a disk: either way it is not here.
      if (codeOf(error) === 'ENOENT') return { code: Code.notFound, total: 0, bytes: NOTHING };
      throw asStoreError(error);
    }
    return { code: Code.ok, total: state.total, bytes };
  }

  /** Throws RelayStoreError. */
  keep(id: Uint8Array, account: Uint8Array, references: number, now: number): Promise<Code> {
    return this.#inTurn(id, async () => {
      const code = await this.#store.keepParcel(id, account, references, now);
      if (code === Code.ok && references === 0) await rm(this.#path(id), { force: true });
      return code;
    });
  }

  /** Throws RelayStoreError. */
  async expire(before: number): Promise<void> {
    for (const id of await this.#store.expireParcels(before)) {
      await this.#inTurn(id, () => rm(this.#path(id), { force: true }));
    }
  }

  async #write(id: Uint8Array, offset: number, bytes: Uint8Array): Promise<void> {
    const path = this.#path(id);
    try {
      if (offset === 0) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const file = await open(path, offset === 0 ? 'w' : 'r+', 0o600);
      try {
        await file.write(bytes, 0, bytes.length, offset);
        await file.datasync();
      } finally {
        await file.close();
      }
      if (offset === 0) await syncFolder(dirname(path));
    } catch (error) {
      throw asStoreError(error);
    }
  }

  #inTurn<T>(id: Uint8Array, work: () => Promise<T>): Promise<T> {
    const key = toHex(id);
    const before = this.#underWay.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#underWay.set(key, mine);
    const done = () => {
      if (this.#underWay.get(key) === mine) this.#underWay.delete(key);
    };
    mine.then(done, done);
    return mine;
  }

  #path(id: Uint8Array): string {
    const name = toHex(id);
    return join(this.#folder, name.slice(0, 2), name);
  }
}

/** So that the file's name survives too. Windows has no such call and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  for (const path of [folder, dirname(folder)]) {
    const handle = await open(path);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function asStoreError(error: unknown): RelayStoreError {
  if (error instanceof RelayStoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new RelayStoreError(NO_ROOM.has(codeOf(error)) ? 'full' : 'io', message, { cause: error });
}
