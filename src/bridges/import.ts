/**
 * Adds real files and folders: walks them depth first, in the order of their names' bytes, and streams every file into
 * a sink. What cannot be added is left out and reported, and the rest goes on:
 *
 * | reported as | what |
 * | --- | --- |
 * | name | not UTF-8, over-long, with characters no name may have; `.git` in any spelling; folders nested too deep |
 * | link | symbolic links: what they point to may lie outside of what was chosen |
 * | special | sockets, pipes, devices |
 * | too large | more than MAX_FILE_BYTES |
 * | unreadable | what the system does not let us read, or what vanished meanwhile |
 * | kept changing | files that changed under the reader, three times in a row |
 *
 * What the sink throws ends the import and is thrown on: a full disk is not a property of one file.
 */
import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fromUtf8 } from '../base/utf8.ts';
import { MAX_FILE_BYTES, MAX_FOLDER_DEPTH } from '../protocol/limits.ts';
import type { ImportReport } from '../service/api.ts';
import { clashKey, isGitName, nameProblem, withSuffix } from '../tools/files/safe-name.ts';
import { FileProblemError, StableFile } from './stable-file.ts';

export interface ImportSink {
  /** Called before anything in the folder. Paths are `a/b`, relative to the place of import. */
  folder(path: string): Promise<void>;
  /** A file is to be taken up only once its stream has ended well: where the file changes, the stream throws at its end. */
  file(path: string, stream: AsyncIterable<Uint8Array>, info: ImportedFile): Promise<void>;
}

export interface ImportedFile {
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly bytes: number;
}

export interface ImportProgress {
  readonly doneFiles: number;
  readonly doneBytes: number;
  readonly current: string;
}

export interface ImportOptions {
  readonly signal: AbortSignal;
  readonly sink: ImportSink;
  /** At every piece and every file: who shows it thins it out. */
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Files at once: small ones wait for the disk more than they work. */
  readonly concurrency?: number;
  /** Before a file that changed is read again, and twice that before the last time. */
  readonly retryAfter_ms?: number;
}

type SkipReason = ImportReport['skipped'][number]['reason'];

interface FoundFile {
  readonly path: string;
  readonly relative: string;
}

const CONCURRENCY = 8;
const RETRIES = 2;
const RETRY_AFTER_MS = 100;

export async function importPaths(paths: readonly string[], options: ImportOptions): Promise<ImportReport> {
  return new Import(options).run(paths);
}

class Import {
  readonly #options: ImportOptions;
  /** Aborts with the caller's signal, and when one of several files has ended the import. */
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #skipped: { path: string; reason: SkipReason }[] = [];
  #files = 0;
  #folders = 0;
  #bytes = 0;
  /** Bytes as they are read: goes back where a file is read again. */
  #progressBytes = 0;

  constructor(options: ImportOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
  }

  async run(paths: readonly string[]): Promise<ImportReport> {
    const found = this.#walkAll(paths);
    const workers = Array.from({ length: this.#options.concurrency ?? CONCURRENCY }, () => this.#work(found));
    const failures = (await Promise.allSettled(workers)).filter((worker) => worker.status === 'rejected');
    const cancelled = this.#options.signal.aborted;
    // The first to fail stopped the others, whose reason is then its own.
    const cause = this.#stop.signal.aborted ? (this.#stop.signal.reason as Failure).cause : undefined;
    if (failures.length > 0 && !cancelled) throw cause;
    const skipped = this.#skipped.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    return { files: this.#files, folders: this.#folders, bytes: this.#bytes, skipped, cancelled };
  }

  async #work(found: AsyncGenerator<FoundFile>): Promise<void> {
    try {
      for (;;) {
        const next = await found.next();
        if (next.done) return;
        await this.#importFile(next.value);
      }
    } catch (error) {
      this.#stop.abort(new Failure(error));
      throw error;
    }
  }

  // ---- finding ----------------------------------------------------------------------------------------------------

  async *#walkAll(paths: readonly string[]): AsyncGenerator<FoundFile> {
    const taken = new Set<string>();
    for (const path of new Set(paths.map((one) => resolve(one)))) {
      const name = basename(path);
      if (this.#refusesName(name, name)) continue;
      // Two that were chosen in different places may share a name: both are wanted.
      let unique = name;
      for (let number = 2; taken.has(clashKey(unique)); number++) unique = withSuffix(name, ` (${number})`, 'file');
      taken.add(clashKey(unique));
      yield* this.#walk(path, unique, 1);
    }
  }

  async *#walk(path: string, relative: string, depth: number): AsyncGenerator<FoundFile> {
    this.#signal.throwIfAborted();
    const stats = await lstat(path).catch(() => undefined);
    const reason = stats ? reasonAgainst(stats, depth) : 'unreadable';
    if (reason) return this.#skip(relative, reason);
    if (stats?.isFile()) {
      yield { path, relative };
      return;
    }
    const names = await readdir(path, { encoding: 'buffer' }).catch(() => undefined);
    if (!names) return this.#skip(relative, 'unreadable');
    await this.#options.sink.folder(relative);
    this.#folders++;
    for (const bytes of names.sort((a, b) => a.compare(b))) {
      const name = fromUtf8(bytes);
      const child = `${relative}/${name ?? bytes.toString('utf8')}`;
      if (this.#refusesName(name, child) || name === undefined) continue;
      yield* this.#walk(join(path, name), child, depth + 1);
    }
  }

  /** True where nothing of that name may be added; it is then reported. */
  #refusesName(name: string | undefined, relative: string): boolean {
    const refused = name === undefined || nameProblem(name) !== undefined || isGitName(name);
    if (refused) this.#skip(relative, 'name');
    return refused;
  }

  #skip(path: string, reason: SkipReason): void {
    this.#skipped.push({ path, reason });
  }

  // ---- reading ----------------------------------------------------------------------------------------------------

  async #importFile(found: FoundFile): Promise<void> {
    for (let tries = 0; ; tries++) {
      const reason = await this.#tryFile(found);
      if (!reason) return;
      if (reason !== 'kept changing' || tries === RETRIES) return this.#skip(found.relative, reason);
      const wait_ms = (this.#options.retryAfter_ms ?? RETRY_AFTER_MS) * (tries + 1);
      await delay(wait_ms, undefined, { signal: this.#signal });
    }
  }

  /** Why it was not taken up, if so. Throws what the sink throws. */
  async #tryFile({ path, relative }: FoundFile): Promise<SkipReason | undefined> {
    let file: StableFile;
    try {
      file = await StableFile.open(path);
    } catch (error) {
      if (error instanceof FileProblemError) return reasonOf(error.code);
      throw error;
    }
    let read = 0;
    const counted = this.#counted(file, relative, (bytes) => (read += bytes));
    try {
      await this.#options.sink.file(relative, counted, { modified: file.modified, bytes: file.bytes });
    } catch (error) {
      this.#progressBytes -= read;
      // The sink may have wrapped what the stream threw: the file knows better.
      if (file.problem) return reasonOf(file.problem);
      throw error;
    } finally {
      await file.close();
    }
    if (file.problem) return reasonOf(file.problem);
    this.#files++;
    this.#bytes += file.bytes;
    this.#report(relative);
    return undefined;
  }

  async *#counted(file: StableFile, relative: string, count: (bytes: number) => void): AsyncIterable<Uint8Array> {
    for await (const piece of file.read(this.#signal)) {
      count(piece.length);
      this.#progressBytes += piece.length;
      this.#report(relative);
      yield piece;
    }
  }

  #report(current: string): void {
    this.#options.onProgress?.({ doneFiles: this.#files, doneBytes: this.#progressBytes, current });
  }
}

/** Carries what ended the import to the files that were under way. */
class Failure extends Error {
  constructor(cause: unknown) {
    super('another file ended the import', { cause });
  }
}

function reasonAgainst(stats: Stats, depth: number): SkipReason | undefined {
  if (stats.isSymbolicLink()) return 'link';
  if (stats.isFile()) return stats.size > MAX_FILE_BYTES ? 'too large' : undefined;
  if (!stats.isDirectory()) return 'special';
  return depth > MAX_FOLDER_DEPTH ? 'name' : undefined;
}

function reasonOf(problem: FileProblemError['code']): SkipReason {
  switch (problem) {
    case 'changed':
      return 'kept changing';
    case 'tooLarge':
      return 'too large';
    default:
      return problem;
  }
}
