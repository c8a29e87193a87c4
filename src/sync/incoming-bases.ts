/** Bases of which not all parts are here yet (L6), and what of them is kept over a restart. What is begun with when one is whole is the copy's. */
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { BaseReader, type BasePart } from './base.ts';

export class IncomingBases {
  readonly #newReader: () => BaseReader;
  /** In the order in which they were begun: by who gives them, or as they were on the disk. */
  readonly #readers = new Map<DeviceId | number, BaseReader>();
  /** Of which a part has come last. */
  #latest: BaseReader | undefined;

  constructor(crypto: Crypto, workspace: WorkspaceId) {
    this.#newReader = () => new BaseReader(crypto, workspace);
  }

  /** Parts as they were made durable, in order. Answers those that are whole, in the order in which they were. */
  restore(parts: readonly BasePart[]): readonly BaseReader[] {
    const whole: BaseReader[] = [];
    for (const [i, part] of parts.entries()) {
      let [key, reader] = this.#readerOf(part) ?? [];
      if (part.part === 0) {
        if (key !== undefined) this.#readers.delete(key);
        reader = this.#newReader();
        this.#readers.set((key = i), reader);
      }
      if (key === undefined || reader?.add(part).ok !== true || !reader.isWhole) continue;
      whole.push(reader);
      this.#readers.delete(key);
    }
    // Of those that were begun and given up there may be many: the one that is farthest is gone on with.
    const [most] = [...this.#readers].sort(([, a], [, b]) => b.next - a.next);
    for (const key of this.#readers.keys()) if (key !== most?.[0]) this.#readers.delete(key);
    this.#latest = most?.[1];
    return whole;
  }

  /** That a part of a base belongs to, if it is the same, whoever gave what is before it. */
  #readerOf(part: BasePart): readonly [DeviceId | number, BaseReader] | undefined {
    return [...this.#readers].find(([, reader]) => reader.isOf(part));
  }

  /**
   * Where a part goes that a device gives. Two who give a copy at once have often folded another share of the log: each base comes by itself, and the first
   * that is whole is begun with. In the place of each other, part by part, neither ever would be. Of each giver there is one.
   */
  readerFor(from: DeviceId, part: BasePart): BaseReader {
    const own = this.#readers.get(from);
    if (own?.isOf(part)) return (this.#latest = own);
    const reader = this.#readerOf(part)?.[1] ?? this.#newReader();
    this.#readers.set(from, reader);
    return (this.#latest = reader);
  }

  /** It is whole: it is on its way no more. */
  end(reader: BaseReader): void {
    for (const [giver, one] of this.#readers) if (one === reader) this.#readers.delete(giver);
    if (this.#latest === reader) this.#latest = undefined;
  }

  /** None can be taken any more. */
  clear(): void {
    this.#readers.clear();
    this.#latest = undefined;
  }

  /** To be kept, as they came. */
  get here(): readonly BasePart[] {
    return [...new Set(this.#readers.values())].flatMap((reader) => reader.here);
  }

  /** How many parts are here, and how many there are, of the one to which one has come last: others may have been given up. */
  get progress(): { readonly here: number; readonly all: number } | undefined {
    const { next, total } = this.#latest ?? {};
    return next === undefined || total === undefined ? undefined : { here: next, all: total };
  }
}
