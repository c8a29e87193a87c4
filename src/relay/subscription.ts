/**
 * The one active subscriber of a device's queue (R1). He is read to from the store until he has everything, and from then on
 * is handed what is committed, as it is committed. Where he takes it too slowly he is read to again, so a slow one costs no memory.
 */
import { toHex } from '../base/bytes.ts';
import { encodeNotice } from '../protocol/relay-messages.ts';
import type { Entry, RelayStore } from './store.ts';

/** One reading: some round trips' worth on a fast path, and no more memory than a message or two. */
const PAGE_BYTES = 256 * 1024;

/** Where notices go: a session. */
export interface NoticeSink {
  /** Whether so much waits that no more should be handed over now. `drained` follows. */
  congested(): boolean;
  deliver(notice: Uint8Array): void;
  /** Another one has taken the subscription over. */
  replaced(): void;
}

export class Subscription {
  readonly #device: Uint8Array;
  readonly #store: RelayStore;
  readonly #sink: NoticeSink;
  #capabilities = new Set<string>();
  /** The last position handed over. */
  #cursor = 0;
  #state: 'reading' | 'live' | 'waiting' | 'stopped' = 'waiting';
  /** Something was committed while a page was being read. */
  #more = false;

  constructor(device: Uint8Array, store: RelayStore, sink: NoticeSink) {
    this.#device = device;
    this.#store = store;
    this.#sink = sink;
  }

  async start(): Promise<void> {
    this.setCapabilities(await this.#store.capabilities(this.#device));
    await this.#read();
  }

  stop(): void {
    this.#state = 'stopped';
  }

  replaced(): void {
    this.stop();
    this.#sink.replaced();
  }

  setCapabilities(hashes: readonly Uint8Array[]): void {
    this.#capabilities = new Set(hashes.map(toHex));
  }

  /** A message has been committed to the queue. */
  committed(entry: Entry): Promise<void> | undefined {
    if (this.#state !== 'live' || this.#sink.congested()) return this.look();
    this.#hand(entry);
    return undefined;
  }

  /** Something has been committed that is to be read from the store. */
  look(): Promise<void> | undefined {
    this.#more = true;
    if (this.#state !== 'live') return undefined;
    this.#state = 'waiting';
    return this.#read();
  }

  /** Passes on what is not stored: only now, only with a capability, only where it does not pile up. */
  ephemeral(sender: Uint8Array, messageId: Uint8Array, hash: Uint8Array, body: Uint8Array): boolean {
    if (this.#state === 'stopped' || this.#sink.congested() || !this.#capabilities.has(toHex(hash))) return false;
    this.#sink.deliver(encodeNotice({ type: 'deliver', position: 0, sender, messageId, body }));
    return true;
  }

  drained(): Promise<void> | undefined {
    return this.#state === 'waiting' && !this.#sink.congested() ? this.#read() : undefined;
  }

  async #read(): Promise<void> {
    if (this.#state !== 'waiting') return;
    this.#more = true;
    while (this.#more && !this.#sink.congested()) {
      this.#state = 'reading';
      this.#more = false;
      const page = await this.#store.page(this.#device, this.#cursor, PAGE_BYTES);
      if (this.#stopped) return;
      for (const entry of page.entries) this.#hand(entry);
      if (!page.end) this.#more = true;
    }
    this.#state = this.#more ? 'waiting' : 'live';
  }

  /** Asked anew after an await. */
  get #stopped(): boolean {
    return this.#state === 'stopped';
  }

  #hand(entry: Entry): void {
    this.#cursor = entry.position;
    this.#sink.deliver(
      entry.type === 'message'
        ? encodeNotice({ ...entry, type: 'deliver' })
        : encodeNotice({ type: 'marker', position: entry.position, reason: entry.reason }),
    );
  }
}
