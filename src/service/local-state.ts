/**
 * What only this device knows: its names, epoch keys, what was seen, what others are known to hold. Journalled like
 * everything else, never sent.
 */
import type { Value } from '../protocol/codec.ts';
import { encodeRecord } from './records.ts';

export class LocalState {
  readonly #values = new Map<string, Value>();
  #unsaved = new Map<string, Value>();

  load(key: string, value: Value): void {
    if (value === null) this.#values.delete(key);
    else this.#values.set(key, value);
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  /** Goes to disk with the next commit. */
  put(key: string, value: Value): void {
    this.load(key, value);
    this.#unsaved.set(key, value);
  }

  drop(key: string): void {
    if (this.#values.has(key)) this.put(key, null);
  }

  *under(prefix: string): Generator<readonly [string, Value]> {
    for (const [key, value] of this.#values) if (key.startsWith(prefix)) yield [key.slice(prefix.length), value];
  }

  takeUnsaved(): readonly Uint8Array[] {
    const records = [...this.#unsaved].map(([key, value]) => encodeRecord({ kind: 'local', key, value }));
    this.#unsaved = new Map();
    return records;
  }

  *all(): Generator<Uint8Array> {
    for (const [key, value] of this.#values) yield encodeRecord({ kind: 'local', key, value });
  }
}
