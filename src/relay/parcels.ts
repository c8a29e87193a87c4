/**
 * Parcels (R9): bytes under a random id, which is what allows reading them. A parcel is a file, written from the start to the
 * end in slices; how much of it is durable stands in the store, so a file's tail after a crash is never taken for content.
 *
 * | file | content |
 * | --- | --- |
 * | parcels/ab/abcd… | the parcel whose id, in hexadecimal, is abcd… |
 *
 * | what goes wrong with one file | what happens |
 * | --- | --- |
 * | it is lost, or shorter than what was acknowledged | not handed out; who puts it is told to begin again |
 * | it cannot be opened, read or looked at; no room; no descriptor left | `unavailable`: nothing has happened |
 * | it cannot be removed | tried again with the next expiry and the next start |
 * | a write or a flush fails otherwise | the relay ends (R7) |
 */
import { mkdir, open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromHex, toHex } from '../base/bytes.ts';
import { Turns } from '../base/turns.ts';
import { RELAY_PARCEL_EACH_BYTES } from '../protocol/limits.ts';
import { Code } from '../protocol/relay-messages.ts';
import { FileGate } from './file-gate.ts';
import { RelayStoreError, type RelayStore } from './store.ts';

/** The system's ways of saying that there is no room, on the disk or among the open files. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE']);

/** Files open at once: more than the system's threads work on, and few of the 1,024 that a process may have beside its sockets. */
const MAX_FILES_AT_WORK = 64;

/** What stands in the folder: whatever else somebody has put there is not ours. */
const FOLDER_NAME = /^[0-9a-f]{2}$/;
const FILE_NAME = /^[0-9a-f]{64}$/;

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
  /** The work on each parcel that is being written: slices of one are written one after another. */
  readonly #turns = new Turns<string>();
  /** The end of what wants to be alone: turns begin after it. */
  #alone: Promise<unknown> = Promise.resolve();
  readonly #files = new FileGate(MAX_FILES_AT_WORK);
  /** Names of files that no parcel stands for, and that could not be removed yet. */
  readonly #left = new Set<string>();

  constructor(folder: string, store: RelayStore, quotaBytes: number) {
    this.#folder = join(folder, 'parcels');
    this.#store = store;
    this.#quotaBytes = quotaBytes;
  }

  /** Removes files that no parcel stands for: their deletion was interrupted. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const known = new Set((await this.#store.parcelIds()).map(toHex));
    for (const folder of await readdir(this.#folder, { withFileTypes: true })) {
      if (!folder.isDirectory() || !FOLDER_NAME.test(folder.name)) continue;
      for (const file of await readdir(join(this.#folder, folder.name), { withFileTypes: true })) {
        if (file.isFile() && FILE_NAME.test(file.name) && !known.has(file.name))
          await this.#remove(fromHex(file.name)!);
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
      const terms = { eachBytes: RELAY_PARCEL_EACH_BYTES, begin: offset === 0 && bytes.length > 0 };
      const { code, received } = await this.#store.openParcel(id, account, total, this.#quotaBytes, now, terms);
      if (code !== Code.ok) return { code, next: received };
      if (received > 0 && !(await this.#holds(id, received))) {
        await this.#store.advanceParcel(id, 0, now);
        return { code, next: 0 };
      }
      if (offset !== received || bytes.length === 0) return { code, next: received };
      await this.#write(id, offset, bytes);
      await this.#store.advanceParcel(id, offset + bytes.length, now);
      return { code: Code.ok, next: offset + bytes.length };
    });
  }

  /** Throws RelayStoreError. */
  async get(id: Uint8Array, offset: number, length: number): Promise<GetAnswer> {
    const state = await this.#store.parcel(id);
    if (!state || state.received < state.total) return { code: Code.notFound, total: 0, bytes: NOTHING };
    try {
      const bytes = await this.#read(id, offset, Math.max(0, Math.min(length, state.total - offset)));
      return bytes ? { code: Code.ok, total: state.total, bytes } : { code: Code.notFound, total: 0, bytes: NOTHING };
    } catch (error) {
      // Dropped in this very moment, or lost with a disk: either way it is not here.
      const code = codeOf(error) === 'ENOENT' ? Code.notFound : Code.unavailable;
      return { code, total: 0, bytes: NOTHING };
    }
  }

  /** Throws RelayStoreError. */
  keep(id: Uint8Array, account: Uint8Array, references: number, now: number): Promise<Code> {
    return this.#inTurn(id, async () => {
      const code = await this.#store.keepParcel(id, account, references, now);
      if (code === Code.ok && references === 0) await this.#remove(id);
      return code;
    });
  }

  /** Throws RelayStoreError. */
  async expire(before: number): Promise<void> {
    const removals = await this.#whileNobodyWrites(async () => {
      const expired = (await this.#store.expireParcels(before)).map((id) => ({ id, key: toHex(id) }));
      // Who waits to write such a parcel begins it anew, and not before its file is gone.
      const awaited = expired.filter(({ key }) => this.#turns.end(key) !== undefined);
      const others = expired.filter(({ key }) => this.#turns.end(key) === undefined);
      const turns = others.map(({ id }) => this.#inTurn(id, () => this.#remove(id)));
      await Promise.all(awaited.map(({ id }) => this.#remove(id)));
      return turns;
    });
    await Promise.all(removals);
    for (const id of [...this.#left].map((key) => fromHex(key)!)) {
      await this.#inTurn(id, async () => {
        if (!(await this.#store.parcel(id))) await this.#remove(id);
      });
    }
  }

  /** Undefined where the file is shorter. */
  #read(id: Uint8Array, offset: number, length: number): Promise<Uint8Array | undefined> {
    return this.#files.run(async () => {
      const bytes = Buffer.alloc(length);
      const file = await open(this.#path(id));
      try {
        const { bytesRead } = await file.read(bytes, 0, length, offset);
        return bytesRead < length ? undefined : bytes;
      } finally {
        await file.close();
      }
    });
  }

  /** Whether so much of it is there still: a check of the disk after a crash takes files away, and so do virus scanners. */
  async #holds(id: Uint8Array, length: number): Promise<boolean> {
    try {
      return (await stat(this.#path(id))).size >= length;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw unavailable(error);
    }
  }

  #write(id: Uint8Array, offset: number, bytes: Uint8Array): Promise<void> {
    const path = this.#path(id);
    return this.#files.run(async () => {
      const file = await this.#openToWrite(path, offset === 0);
      try {
        try {
          await writeAll(file, bytes, offset);
          await file.datasync();
        } finally {
          await file.close();
        }
        if (offset === 0) await syncFolder(dirname(path));
      } catch (error) {
        throw asStoreError(error);
      }
    });
  }

  async #openToWrite(path: string, fromStart: boolean): Promise<FileHandle> {
    try {
      if (fromStart) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      return await open(path, fromStart ? 'w' : 'r+', 0o600);
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** What is in the way of it, a virus scanner for one, is in the way of this file alone. */
  async #remove(id: Uint8Array): Promise<void> {
    this.#left.delete(toHex(id));
    try {
      await this.#files.run(() => rm(this.#path(id), { force: true }));
    } catch {
      this.#left.add(toHex(id));
    }
  }

  #inTurn<T>(id: Uint8Array, work: () => Promise<T>): Promise<T> {
    const alone = this.#alone;
    return this.#turns.run(toHex(id), () => alone.then(work));
  }

  /** After all turns that have begun or wait, and before all that are asked for from now on. */
  #whileNobodyWrites<T>(work: () => Promise<T>): Promise<T> {
    const mine = Promise.all([...this.#turns.ends(), this.#alone]).then(work);
    this.#alone = mine.catch(() => {});
    return mine;
  }

  #path(id: Uint8Array): string {
    const name = toHex(id);
    return join(this.#folder, name.slice(0, 2), name);
  }
}

/** The system may take a part only, near the end of the disk or of what a user may have. */
async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
    if (bytesWritten === 0) throw new RelayStoreError('full', 'the disk takes no more');
    done += bytesWritten;
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

/** Of what came before anything was written: nothing has happened, and nothing else is lost. */
function unavailable(error: unknown): RelayStoreError {
  return new RelayStoreError('full', error instanceof Error ? error.message : String(error), { cause: error });
}

function asStoreError(error: unknown): RelayStoreError {
  if (error instanceof RelayStoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new RelayStoreError(NO_ROOM.has(codeOf(error)) ? 'full' : 'io', message, { cause: error });
}
