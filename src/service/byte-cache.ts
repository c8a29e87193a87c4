/** The bytes of versions that were read or written last: an editor saves what it has just read. */
import type { DeltaId } from '../base/ids.ts';

const MAX_BYTES = 32 * 1024 * 1024;
/** A larger file is streamed from its chunks instead. */
const MAX_ENTRY_BYTES = 4 * 1024 * 1024;

export class ByteCache {
  readonly #entries = new Map<DeltaId, Uint8Array>();
  #bytes = 0;

  get(version: DeltaId): Uint8Array | undefined {
    const bytes = this.#entries.get(version);
    if (bytes) {
      this.#entries.delete(version);
      this.#entries.set(version, bytes);
    }
    return bytes;
  }

  put(version: DeltaId, bytes: Uint8Array): void {
    if (bytes.length > MAX_ENTRY_BYTES || this.#entries.has(version)) return;
    this.#entries.set(version, bytes.slice());
    this.#bytes += bytes.length;
    for (const [oldest, old] of this.#entries) {
      if (this.#bytes <= MAX_BYTES) return;
      this.#entries.delete(oldest);
      this.#bytes -= old.length;
    }
  }
}
