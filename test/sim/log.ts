/**
 * A device's log on a simulated disk: what is appended is durable when its fsync comes, some time later. A crash keeps what was
 * fsynced, and where it tears, a part of the rest. In a share of the worlds it is the real journal on the memory disk; in the
 * others a list that keeps the same promises, a hundred times cheaper.
 */
import type { Crypto } from '../../src/crypto/crypto.ts';
import { deriveKeys } from '../../src/store/keys.ts';
import { Journal } from '../../src/store/journal.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import type { Dice } from './dice.ts';

type Records = readonly Uint8Array[];

export interface SimLog {
  /** Whether something waits for an fsync. */
  readonly pending: boolean;
  /** `durable` is called within an fsync, if the device lives to see it. */
  append(records: Records, durable: () => void): void;
  /** Where what was given is on its way to the disk: resolves when it waits for its fsync. */
  written(): void | Promise<void>;
  /** The disk has done what it was given until now. */
  fsync(): void | Promise<void>;
  /** Keeps what was durable; torn, some of the rest too, each append wholly or not at all. Answers whether something was lost. */
  crash(torn: Dice | undefined): boolean;
  replay(): Records | Promise<Records>;
  compact(records: Records): void | Promise<void>;
  /** A back-up of the disk as it is, which can be put back. */
  backUp(): () => void;
}

export class ListLog implements SimLog {
  #durable: Uint8Array[] = [];
  #waiting: { readonly records: Records; readonly durable: () => void }[] = [];

  get pending(): boolean {
    return this.#waiting.length > 0;
  }

  append(records: Records, durable: () => void): void {
    this.#waiting.push({ records, durable });
  }

  written(): void {}

  fsync(): void {
    for (const { records, durable } of this.#waiting.splice(0)) {
      this.#durable.push(...records);
      durable();
    }
  }

  crash(torn: Dice | undefined): boolean {
    const waiting = this.#waiting.splice(0);
    const kept = torn ? torn.below(waiting.length + 1) : 0;
    for (const { records } of waiting.slice(0, kept)) this.#durable.push(...records);
    return kept < waiting.length;
  }

  replay(): Records {
    return this.#durable;
  }

  compact(records: Records): void {
    this.#durable = [...records];
  }

  backUp(): () => void {
    const image = [...this.#durable];
    return () => void (this.#durable = [...image]);
  }
}

const FOLDER = '/log';

export class JournalLog implements SimLog {
  readonly #crypto: Crypto;
  readonly #key: Uint8Array;
  #disk = new MemoryDisk();
  #journal: Journal | undefined;
  #gate: ReturnType<MemoryDisk['holdSyncs']> | undefined;
  #waiting: { readonly settled: Promise<boolean>; readonly durable: () => void }[] = [];

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
    this.#key = crypto.randomBytes(32);
  }

  get pending(): boolean {
    return this.#waiting.length > 0;
  }

  append(records: Records, durable: () => void): void {
    this.#gate ??= this.#disk.holdSyncs();
    const settled = this.#journal!.append(records).then(
      () => true,
      () => false,
    );
    this.#waiting.push({ settled, durable });
  }

  written(): Promise<void> | undefined {
    return this.#gate?.reached;
  }

  /** What was given until now shares one commit or the next; both are done before anybody hears of it and gives more. */
  async fsync(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    this.#gate?.release();
    this.#gate = undefined;
    const settled = await Promise.all(waiting.map((one) => one.settled));
    waiting.forEach(({ durable }, i) => settled[i] && durable());
  }

  crash(torn: Dice | undefined): boolean {
    const lost = this.#waiting.length > 0;
    this.#disk.crash(torn?.bytes);
    // What stood at the gate goes on, and finds its process gone.
    this.#gate?.release();
    this.#gate = undefined;
    this.#waiting = [];
    this.#journal = undefined;
    return lost;
  }

  async replay(): Promise<Records> {
    const records: Uint8Array[] = [];
    const disk = this.#disk.mount();
    await disk.makeFolder(FOLDER);
    const keys = deriveKeys(this.#crypto, this.#key, new Uint8Array(16));
    this.#journal = new Journal(disk, FOLDER, this.#crypto, keys);
    await this.#journal.replay((record) => records.push(record));
    return records;
  }

  async compact(records: Records): Promise<void> {
    await this.fsync();
    await this.#journal!.compact(records);
  }

  backUp(): () => void {
    const files = this.#disk.paths().map((path) => [path, this.#disk.peek(path)] as const);
    return () => {
      this.#disk = new MemoryDisk();
      for (const [path, bytes] of files) this.#disk.poke(path, bytes);
    };
  }
}
