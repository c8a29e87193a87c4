/** The real disk. */
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { DiskError, type Disk, type DiskFile } from './disk.ts';
import { claimFolder, type ClaimOptions } from './lock.ts';

const openFd = promisify(fs.open);
const closeFd = promisify(fs.close);
const readFd = promisify(fs.read);
const writeFd = promisify(fs.write);
const truncateFd = promisify(fs.ftruncate);
const fsync = promisify(fs.fsync);
const fdatasync = promisify(fs.fdatasync);
const statFd = promisify(fs.fstat);

/** A write this small goes to the page cache sooner than a thread of the pool would take it up. */
const WRITE_AT_ONCE_BYTES = 64 * 1024;

const HELD: ReadonlySet<string> = new Set(['EACCES', 'EBUSY', 'EPERM']);
/** A second and a quarter in all. */
const LONGEST_PAUSE_MS = 640;

export function nodeDisk(options: ClaimOptions = {}): Disk {
  return {
    makeFolder: (folder) =>
      asked(async () => {
        const first = await fs.promises.mkdir(folder, { recursive: true, mode: 0o700 });
        if (first !== undefined) await syncFolder(`${first}/..`);
      }),
    list: (folder) => asked(() => unlessMissing(fs.promises.readdir(folder), [])),
    read: (path) =>
      asked(() => unlessMissing<Uint8Array | undefined>(fs.promises.readFile(path), undefined), 'unreadable'),
    create: (path) => asked(async () => new NodeFile(await openFd(path, 'wx+', 0o600))),
    open: (path) =>
      asked(async () => {
        const fd = await unlessMissing<number | undefined>(openFd(path, 'r+'), undefined);
        return fd === undefined ? undefined : new NodeFile(fd);
      }),
    rename: (from, to) => asked(() => unlessHeld(() => fs.promises.rename(from, to))),
    remove: (path) =>
      asked(() =>
        unlessMissing(
          unlessHeld(() => fs.promises.unlink(path)),
          undefined,
        ),
      ),
    syncFolder: (folder) => asked(() => syncFolder(folder)),
    claim: (folder) => asked(() => claimFolder(folder, options)),
  };
}

class NodeFile implements DiskFile {
  readonly #fd: number;
  #closed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  size(): Promise<number> {
    return asked(async () => (await statFd(this.#fd)).size);
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return asked(async () => {
      const bytes = new Uint8Array(length);
      let at = 0;
      while (at < length) {
        const { bytesRead } = await readFd(this.#fd, bytes, at, length - at, offset + at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return bytes.subarray(0, at);
    }, 'unreadable');
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return asked(async () => {
      // A disk that is nearly full writes a part and says so; the next call fails.
      for (let at = 0; at < bytes.length;) {
        const left = bytes.length - at;
        at +=
          left <= WRITE_AT_ONCE_BYTES
            ? fs.writeSync(this.#fd, bytes, at, left, offset + at)
            : (await writeFd(this.#fd, bytes, at, left, offset + at)).bytesWritten;
      }
    });
  }

  truncate(length: number): Promise<void> {
    return asked(() => truncateFd(this.#fd, length));
  }

  /** The data and the length that finds it; times of access are nobody's loss. */
  sync(): Promise<void> {
    return asked(() => fdatasync(this.#fd));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await asked(() => closeFd(this.#fd));
  }
}

/** Windows opens no folders, and makes names durable with the file. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const fd = await openFd(folder, 'r');
  try {
    await fsync(fd);
  } finally {
    await closeFd(fd);
  }
}

/** On Windows a file that another program has open, such as a virus scanner what was just written, is neither renamed nor removed meanwhile. */
async function unlessHeld(work: () => Promise<void>): Promise<void> {
  for (let pause_ms = 10; ; pause_ms *= 2) {
    try {
      return await work();
    } catch (error) {
      if (process.platform !== 'win32' || !HELD.has(codeOf(error)) || pause_ms > LONGEST_PAUSE_MS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause_ms));
  }
}

async function unlessMissing<T>(work: Promise<T>, missing: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return missing;
    throw error;
  }
}

/** `failed`: what it means where the disk itself fails. */
async function asked<T>(work: () => Promise<T>, failed: 'io' | 'unreadable' = 'io'): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DiskError) throw error;
    const code = codeOf(error);
    switch (code) {
      case 'ENOSPC':
      case 'EDQUOT':
        throw new DiskError('full', 'no space left on the disk', { cause: error });
      case 'EEXIST':
        throw new DiskError('exists', 'the name is taken', { cause: error });
      case 'EIO':
        throw new DiskError(failed, 'the disk failed', { cause: error });
      default:
        throw new DiskError('io', `the disk answered ${code}`, { cause: error });
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'without a code';
}
