/**
 * A disk that does what real ones do on their worst day. Only what was fsynced survives `crash`; names survive once their
 * folder was. A torn crash, drawn from a seeded source, keeps besides that some of the rest, with the last write cut or
 * never filled in. Faults are asked for by operation and path; space can run out; bits can flip.
 */
import { DiskError, type Claim, type Disk, type DiskFile } from '../../src/store/disk.ts';
import { seededBelow } from './seeded-random.ts';

export type Operation = 'create' | 'read' | 'write' | 'truncate' | 'sync' | 'rename' | 'remove' | 'syncFolder';

export interface Fault {
  readonly on: Operation;
  readonly path?: RegExp;
  readonly code?: 'full' | 'io';
  /** How often; once unless said. */
  times?: number;
  /** Of a write, the bytes that reach the file all the same. */
  readonly partly?: number;
  /** Of a read, the byte that cannot be read. */
  readonly at?: number;
}

type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly length: number };

class Inode {
  live: Uint8Array = new Uint8Array(0);
  durable: Uint8Array = new Uint8Array(0);
  pending: Change[] = [];

  change(change: Change): void {
    this.live = changed(this.live, change);
    this.pending.push(change);
  }

  sync(): void {
    this.durable = this.live.slice();
    this.pending = [];
  }
}

interface NameChange {
  readonly path: string;
  readonly inode: Inode | undefined;
}

export class MemoryDisk implements Disk {
  /** Bytes that may still be written. */
  space = Infinity;
  writes = 0;
  syncs = 0;
  readonly faults: Fault[] = [];
  #live = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  #names: NameChange[] = [];
  readonly #folders = new Set<string>();
  readonly #claims = new Set<string>();
  #life = 0;
  #gate: Promise<void> | undefined;
  #atGate: (() => void) | undefined;

  fail(fault: Fault): void {
    this.faults.push(fault);
  }

  /** From now on fsyncs wait. `reached` resolves when one does; `release` lets all go on. */
  holdSyncs(): { readonly reached: Promise<void>; release(): void } {
    let open = (): void => undefined;
    this.#gate = new Promise((resolve) => (open = resolve));
    const reached = new Promise<void>((resolve) => (this.#atGate = resolve));
    return {
      reached,
      release: () => {
        this.#gate = undefined;
        open();
      },
    };
  }

  /** The machine stops. Everything open is dead; what comes back is what was durable, and if torn, some of the rest. */
  crash(torn?: (length: number) => Uint8Array): void {
    this.#life += 1;
    this.#claims.clear();
    if (torn) {
      for (const { path, inode } of this.#names.slice(0, seededBelow(torn, this.#names.length + 1))) {
        apply(this.#durable, path, inode);
      }
    }
    this.#names = [];
    this.#live = new Map(this.#durable);
    for (const inode of new Set(this.#live.values())) {
      let bytes = inode.durable;
      if (torn) bytes = tornEnd(bytes, inode.pending, torn);
      inode.live = bytes.slice();
      inode.sync();
    }
  }

  /** The process stops, the machine does not: nothing is lost, and nothing more is durable. */
  killProcess(): void {
    this.#life += 1;
    this.#claims.clear();
  }

  /** The disk as one process sees it: gone with the next crash. */
  mount(): Disk {
    const life = this.#life;
    const alive = <A extends unknown[], T>(call: (...args: A) => Promise<T>) => {
      return async (...args: A): Promise<T> => {
        if (life !== this.#life) throw new DiskError('io', 'this process is no more');
        return call.apply(this, args);
      };
    };
    return {
      makeFolder: alive(this.makeFolder),
      list: alive(this.list),
      read: alive(this.read),
      create: alive(this.create),
      open: alive(this.open),
      rename: alive(this.rename),
      remove: alive(this.remove),
      syncFolder: alive(this.syncFolder),
      claim: alive(this.claim),
    };
  }

  flipBit(path: string, offset: number, bit = 0): void {
    const inode = this.#inode(path);
    inode.live = inode.live.slice();
    inode.live[offset]! ^= 1 << bit;
    inode.sync();
  }

  /** Files whose path matches, sorted. */
  paths(pattern = /./): string[] {
    return [...this.#live.keys()].filter((path) => pattern.test(path)).sort();
  }

  peek(path: string): Uint8Array {
    return this.#inode(path).live.slice();
  }

  poke(path: string, bytes: Uint8Array): void {
    const inode = this.#live.get(path) ?? new Inode();
    inode.live = new Uint8Array(bytes);
    inode.sync();
    this.#live.set(path, inode);
    this.#durable.set(path, inode);
  }

  async makeFolder(folder: string): Promise<void> {
    for (let path = folder; path.length > 1; path = folderOf(path)) this.#folders.add(path);
  }

  async list(folder: string): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const path of [...this.#live.keys(), ...this.#folders]) {
      if (path.startsWith(`${folder}/`)) names.add(path.slice(folder.length + 1).split('/')[0]!);
    }
    return [...names];
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    this.#meet('read', path, (at) => at < (this.#live.get(path)?.live.length ?? 0));
    return this.#live.get(path)?.live.slice();
  }

  async create(path: string): Promise<DiskFile> {
    this.#meet('create', path);
    if (!this.#folders.has(folderOf(path))) throw new DiskError('io', 'no such folder');
    if (this.#live.has(path)) throw new DiskError('exists', 'the name is taken');
    const inode = new Inode();
    this.#name(path, inode);
    return this.#file(path, inode);
  }

  async open(path: string): Promise<DiskFile | undefined> {
    const inode = this.#live.get(path);
    return inode && this.#file(path, inode);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#meet('rename', from);
    const inode = this.#live.get(from);
    if (!inode) throw new DiskError('io', 'no such file');
    this.#name(to, inode);
    this.#name(from, undefined);
  }

  async remove(path: string): Promise<void> {
    this.#meet('remove', path);
    if (this.#live.has(path)) this.#name(path, undefined);
  }

  async syncFolder(folder: string): Promise<void> {
    this.#meet('syncFolder', folder);
    for (const { path, inode } of this.#names) if (folderOf(path) === folder) apply(this.#durable, path, inode);
    this.#names = this.#names.filter(({ path }) => folderOf(path) !== folder);
  }

  async claim(folder: string): Promise<Claim> {
    if (this.#claims.has(folder)) throw new DiskError('inUse', 'the folder has an owner');
    this.#claims.add(folder);
    const life = this.#life;
    return {
      release: async () => {
        if (life === this.#life) this.#claims.delete(folder);
      },
    };
  }

  #file(path: string, inode: Inode): DiskFile {
    const life = this.#life;
    let closed = false;
    const usable = (): void => {
      if (closed || life !== this.#life) throw new DiskError('io', 'the file is not open');
    };
    return {
      size: async () => {
        usable();
        return inode.live.length;
      },
      read: async (offset, length) => {
        usable();
        this.#meet('read', path, (at) => at >= offset && at < offset + length);
        return inode.live.slice(offset, offset + length);
      },
      write: async (offset, bytes) => {
        usable();
        this.writes += 1;
        this.#write(path, inode, offset, bytes);
      },
      truncate: async (length) => {
        usable();
        this.#meet('truncate', path);
        this.space += Math.max(0, inode.live.length - length);
        inode.change({ kind: 'truncate', length });
      },
      sync: async () => {
        usable();
        if (this.#gate) {
          this.#atGate?.();
          await this.#gate;
          usable();
        }
        this.syncs += 1;
        this.#meet('sync', path);
        inode.sync();
      },
      close: async () => {
        closed = true;
      },
    };
  }

  #write(path: string, inode: Inode, offset: number, bytes: Uint8Array): void {
    const fault = this.#faultFor('write', path);
    const room = fault ? (fault.partly ?? 0) : this.space;
    // A copy, of a Buffer too: what was written does not change with the writer's memory.
    const reached = new Uint8Array(bytes.subarray(0, Math.max(0, Math.min(bytes.length, room))));
    if (reached.length > 0) inode.change({ kind: 'write', offset, bytes: reached });
    this.space -= reached.length;
    if (fault) throw new DiskError(fault.code ?? 'io', 'a fault was asked for');
    if (reached.length < bytes.length) throw new DiskError('full', 'no space left');
  }

  #meet(operation: Operation, path: string, isMet: (at: number) => boolean = () => true): void {
    const fault = this.#faultFor(operation, path, isMet);
    if (fault) throw new DiskError(fault.code ?? (operation === 'read' ? 'unreadable' : 'io'), 'a fault was asked for');
  }

  #faultFor(operation: Operation, path: string, isMet: (at: number) => boolean = () => true): Fault | undefined {
    const at = this.faults.findIndex(
      ({ on, path: pattern, at }) =>
        on === operation && (pattern?.test(path) ?? true) && (at === undefined || isMet(at)),
    );
    const fault = this.faults[at];
    if (!fault) return undefined;
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times === 0) this.faults.splice(at, 1);
    return fault;
  }

  #name(path: string, inode: Inode | undefined): void {
    apply(this.#live, path, inode);
    this.#names.push({ path, inode });
  }

  #inode(path: string): Inode {
    const inode = this.#live.get(path);
    if (!inode) throw new Error('a test asks for a file that is not there');
    return inode;
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function apply(names: Map<string, Inode>, path: string, inode: Inode | undefined): void {
  if (inode) names.set(path, inode);
  else names.delete(path);
}

function changed(bytes: Uint8Array, change: Change): Uint8Array {
  const end = change.kind === 'write' ? Math.max(bytes.length, change.offset + change.bytes.length) : change.length;
  const after = new Uint8Array(end);
  after.set(bytes.subarray(0, end));
  if (change.kind === 'write') after.set(change.bytes, change.offset);
  return after;
}

function tornEnd(durable: Uint8Array, pending: readonly Change[], random: (length: number) => Uint8Array): Uint8Array {
  const whole = seededBelow(random, pending.length + 1);
  let bytes = durable;
  for (const change of pending.slice(0, whole)) bytes = changed(bytes, change);
  const last = pending[whole];
  if (last?.kind !== 'write') return bytes;
  const reached = last.bytes.slice(0, seededBelow(random, last.bytes.length + 1));
  // The length reached the disk and the data did not: a stretch of zeros.
  if (seededBelow(random, 3) === 0) reached.fill(0, seededBelow(random, reached.length + 1));
  // Disks write what they were given in the order that suits them: a hole, with the rest behind it.
  if (seededBelow(random, 3) === 0) {
    const whole = new Uint8Array(last.bytes);
    const from = seededBelow(random, whole.length + 1);
    whole.fill(0, from, from + 512 + seededBelow(random, whole.length));
    return changed(bytes, { kind: 'write', offset: last.offset, bytes: whole });
  }
  return changed(bytes, { kind: 'write', offset: last.offset, bytes: reached });
}
