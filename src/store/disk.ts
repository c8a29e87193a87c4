/**
 * The file system as the store needs it, and no larger: small enough that a fake can forget what was not fsynced.
 * Paths are joined with '/', which Node takes on every system. What fails throws a DiskError; nothing else is thrown.
 *
 * | call | what is promised when it resolves |
 * | --- | --- |
 * | makeFolder | the folder and its parents are there, durably |
 * | create | a new, empty file of this name was made by this call alone; its name is durable after syncFolder |
 * | write, truncate | visible to readers; durable after sync |
 * | rename | replaces what had the name, in one step; durable after syncFolder |
 * | claim | nobody else claims this folder until release, nor did when the call was made |
 */
export interface Disk {
  makeFolder(folder: string): Promise<void>;
  /** Names of the files and folders in it; none where it does not exist. */
  list(folder: string): Promise<readonly string[]>;
  /** The whole file, or undefined where there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Fails with `exists` where the name is taken. */
  create(path: string): Promise<DiskFile>;
  /** For reading and writing; undefined where there is none. */
  open(path: string): Promise<DiskFile | undefined>;
  rename(from: string, to: string): Promise<void>;
  /** Harmless where there is none. */
  remove(path: string): Promise<void>;
  syncFolder(folder: string): Promise<void>;
  /** Fails with `inUse`. */
  claim(folder: string): Promise<Claim>;
}

export interface DiskFile {
  size(): Promise<number>;
  /** Shorter than asked where the file ends. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** All of the bytes, or a failure after which any part of them may be there. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  truncate(length: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Claim {
  release(): Promise<void>;
}

/** `unreadable`: the file was opened, and the disk does not give back what stands in it. `io`: whatever else. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: 'full' | 'io' | 'unreadable' | 'exists' | 'inUse';
  constructor(code: DiskError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
