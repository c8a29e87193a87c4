/**
 * Writes shared files and folders into a local folder. The entries stem from other members, the folder is the
 * person's own, so:
 *
 * - Every part of a path becomes a safe name of its own (F4): nothing escapes the folder. `.git` in any spelling is
 *   left out and reported (F5).
 * - Nothing that stands there is overwritten or entered: the folders written into are made by us, and a name that is
 *   taken (also by another spelling, if the file system says so) gets ` (2)`.
 * - No link is followed: files are made exclusively under a temporary name beside their place, and put there when whole.
 * - Files are not executable, and not fsynced: the workspace still has them.
 *
 * Content that is not here yet is left out and reported as `not here`, what is damaged as `unreadable`; a failing disk throws BridgeError.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, realpath, rename, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_FOLDER_DEPTH } from '../protocol/limits.ts';
import type { ImportReport } from '../service/api.ts';
import { isGitName, safeName, withSuffix } from '../tools/files/safe-name.ts';
import { BridgeError, systemCode, toBridgeError } from './bridge-error.ts';
import type { ImportProgress } from './import.ts';

export type ExportEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | {
      readonly kind: 'file';
      /** `a/b`, in shown names. */
      readonly path: string;
      /** Milliseconds since 1970. */
      readonly modified: number;
      read(): AsyncIterable<Uint8Array>;
    };

export interface ExportOptions {
  /** An existing folder. */
  readonly into: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ImportProgress) => void;
}

type SkipReason = ImportReport['skipped'][number]['reason'];

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants as typeof constants & Partial<typeof constants>;
/** More entries of one name than any folder has. */
const MAX_NAME_TRIES = 10_000;
const SECOND_MS = 1000;

export async function exportEntries(
  entries: AsyncIterable<ExportEntry> | Iterable<ExportEntry>,
  options: ExportOptions,
): Promise<ImportReport> {
  const root = await attempt(() => realpath(options.into));
  return new Export(root, options).run(entries);
}

/** This entry cannot be written; the others can. */
class Skip extends Error {
  readonly reason: SkipReason;
  constructor(reason: SkipReason) {
    super(reason);
    this.reason = reason;
  }
}

class Export {
  readonly #options: ExportOptions;
  /** Folders that stand already: their path among the entries, and where it lies on the disk. */
  readonly #places: Map<string, string>;
  readonly #skipped: { path: string; reason: SkipReason }[] = [];
  #files = 0;
  #folders = 0;
  #bytes = 0;
  #progressBytes = 0;

  constructor(root: string, options: ExportOptions) {
    this.#options = options;
    this.#places = new Map([['', root]]);
  }

  async run(entries: AsyncIterable<ExportEntry> | Iterable<ExportEntry>): Promise<ImportReport> {
    const isCancelled = () => this.#options.signal.aborted;
    for await (const entry of entries) {
      if (isCancelled()) break;
      try {
        await this.#write(entry);
      } catch (error) {
        if (isCancelled()) break;
        if (!(error instanceof Skip)) throw error;
        this.#skipped.push({ path: entry.path, reason: error.reason });
      }
    }
    return {
      files: this.#files,
      folders: this.#folders,
      bytes: this.#bytes,
      skipped: this.#skipped,
      cancelled: isCancelled(),
    };
  }

  async #write(entry: ExportEntry): Promise<void> {
    const parts = entry.path.split('/').filter((part) => part !== '');
    if (parts.length === 0 || parts.length > MAX_FOLDER_DEPTH || parts.some(isGitName)) throw new Skip('name');
    if (entry.kind === 'folder') {
      await this.#folder(parts);
      return;
    }
    const folder = await this.#folder(parts.slice(0, -1));
    const bytes = await this.#file(folder, safeName(parts.at(-1)!), entry);
    this.#files++;
    this.#bytes += bytes;
    this.#report(entry.path);
  }

  /** Where the folder lies, made if it is not there yet. */
  async #folder(parts: readonly string[]): Promise<string> {
    const path = parts.join('/');
    const known = this.#places.get(path);
    if (known !== undefined) return known;
    const parent = await this.#folder(parts.slice(0, -1));
    await demandRealFolder(parent);
    const place = await underFreeName(parent, safeName(parts.at(-1)!), 'folder', (free) => mkdir(free));
    this.#places.set(path, place);
    this.#folders++;
    return place;
  }

  async #file(folder: string, name: string, entry: ExportEntry & { kind: 'file' }): Promise<number> {
    await demandRealFolder(folder);
    const temporary = join(folder, `.coterie-${randomBytes(8).toString('hex')}.part`);
    const handle = await attempt(() => open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666));
    let read = 0;
    try {
      try {
        for await (const piece of readable(entry)) {
          this.#options.signal.throwIfAborted();
          await attempt(() => writeAll(handle, piece));
          read += piece.length;
          this.#progressBytes += piece.length;
          this.#report(entry.path);
        }
        const modified_s = Math.max(0, entry.modified) / SECOND_MS;
        // A file system without times, or a time it cannot hold, is no reason to fail.
        await handle.utimes(modified_s, modified_s).catch(() => undefined);
      } finally {
        await handle.close();
      }
      // The name is taken by an empty file of ours first: a rename alone would replace what stands there.
      const place = await underFreeName(folder, name, 'file', async (free) => (await open(free, 'wx')).close());
      await attempt(() => rename(temporary, place)).catch(async (error: unknown) => {
        await unlink(place).catch(() => undefined);
        throw error;
      });
    } catch (error) {
      this.#progressBytes -= read;
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    return read;
  }

  #report(current: string): void {
    this.#options.onProgress?.({ doneFiles: this.#files, doneBytes: this.#progressBytes, current });
  }
}

/** What the source throws concerns this file alone. */
async function* readable(entry: ExportEntry & { kind: 'file' }): AsyncIterable<Uint8Array> {
  try {
    yield* entry.read();
  } catch (error) {
    throw new Skip(error instanceof Error && error.name === 'ContentMissing' ? 'not here' : 'unreadable');
  }
}

/** Somebody may have put a link in the place of a folder that we made. */
async function demandRealFolder(folder: string): Promise<void> {
  const real = await attempt(() => realpath(folder));
  // Some file systems give names back decomposed.
  if (real.normalize('NFC') !== folder.normalize('NFC')) throw new Skip('link');
}

async function underFreeName(
  folder: string,
  name: string,
  kind: 'file' | 'folder',
  make: (path: string) => Promise<unknown>,
): Promise<string> {
  for (let number = 1; number <= MAX_NAME_TRIES; number++) {
    const path = join(folder, number === 1 ? name : withSuffix(name, ` (${number})`, kind));
    try {
      await make(path);
      return path;
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENAMETOOLONG' || code === 'EINVAL') throw new Skip('name');
      if (code !== 'EEXIST' && code !== 'EISDIR') throw toBridgeError(error);
    }
  }
  throw new Skip('name');
}

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let at = 0; at < piece.length;) at += (await handle.write(piece, at)).bytesWritten;
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BridgeError ? error : toBridgeError(error);
  }
}
