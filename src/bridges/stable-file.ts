/**
 * A real file that is read as one whole: either every byte is of one state of the file, or the stream fails at its end.
 * Size, time of change and identity are asked of the open file before the first byte and after the last one, and of
 * the path too, since an editor may have put another file in its place. Links are not followed and a pipe is never
 * waited for, even where one has taken the file's place since it was found.
 */
import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { MAX_FILE_BYTES } from '../protocol/limits.ts';

export type FileProblem = 'changed' | 'unreadable' | 'link' | 'special' | 'tooLarge';

export class FileProblemError extends Error {
  override readonly name = 'FileProblemError';
  readonly code: FileProblem;
  constructor(code: FileProblem, options?: { cause?: unknown }) {
    super(`the file cannot be read: ${code}`, options);
    this.code = code;
  }
}

const READ_BYTES = 1024 * 1024;
// Windows has neither; there a link is found by the look before, and a pipe is no file.
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants as typeof constants & Partial<typeof constants>;

export class StableFile {
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #before: BigIntStats;
  #problem: FileProblemError | undefined;

  /** Throws FileProblemError. */
  static async open(path: string): Promise<StableFile> {
    const handle = await attempt(() => open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    try {
      const stats = await attempt(() => handle.stat({ bigint: true }));
      if (!stats.isFile()) throw new FileProblemError('special');
      if (stats.size > MAX_FILE_BYTES) throw new FileProblemError('tooLarge');
      return new StableFile(path, handle, stats);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(path: string, handle: FileHandle, before: BigIntStats) {
    this.#path = path;
    this.#handle = handle;
    this.#before = before;
    this.bytes = Number(before.size);
    this.modified = Math.max(0, Number(before.mtimeMs));
  }

  /** What went wrong while it was read, whatever the reader made of the failure. */
  get problem(): FileProblem | undefined {
    return this.#problem?.code;
  }

  /** Each piece is the reader's to keep. Throws FileProblemError, or the signal's reason. */
  async *read(signal: AbortSignal): AsyncIterable<Uint8Array> {
    try {
      for (let position = 0; ;) {
        signal.throwIfAborted();
        // One byte more than should be left: so the read that gets all of it sees the end as well.
        const piece = new Uint8Array(Math.min(READ_BYTES, this.bytes - position + 1));
        const { bytesRead } = await attempt(() => this.#handle.read(piece, 0, piece.length, position));
        position += bytesRead;
        if (position > this.bytes) throw new FileProblemError('changed');
        if (bytesRead > 0) yield piece.subarray(0, bytesRead);
        if (bytesRead === 0 || (position === this.bytes && bytesRead < piece.length)) {
          await this.#check(position);
          return;
        }
      }
    } catch (error) {
      if (error instanceof FileProblemError) this.#problem = error;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #check(read: number): Promise<void> {
    const now = await attempt(() => this.#handle.stat({ bigint: true }));
    const atPath = await lstat(this.#path, { bigint: true }).catch(() => undefined);
    const before = this.#before;
    const same =
      read === this.bytes &&
      now.size === before.size &&
      now.mtimeNs === before.mtimeNs &&
      atPath?.ino === before.ino &&
      atPath.dev === before.dev;
    if (!same) throw new FileProblemError('changed');
  }
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new FileProblemError(code === 'ELOOP' ? 'link' : code === 'ENXIO' ? 'special' : 'unreadable', {
      cause: error,
    });
  }
}
