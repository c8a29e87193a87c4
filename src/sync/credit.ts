/**
 * What is on its way to a peer on its open path (S1): 1 MiB at most, in batches, or four of these. For every feed in a batch both sides check
 * a signature (S2), so of a long catch-up large ones cost a fraction; over a slow path they would keep waiting what comes after them, and be
 * taken for lost (S4). So they grow while each is acknowledged at once, and are small again where one is not.
 */
import { BATCH_BYTES, MAX_MESSAGE_BYTES } from '../protocol/limits.ts';

/** Some two thousand small deltas, which keep a worker busy for some forty milliseconds; one signature is checked for each feed (D7). */
export const LARGE_BATCH_BYTES = MAX_MESSAGE_BYTES / 2;
/** One is made, one is on its way, one is taken in, and one goes to the disk: nobody waits for another. */
const UNDER_WAY = 4;
/** Then one of twice the size comes well before a sender's patience ends (S4). */
const AT_ONCE_MS = 500;

export class Credit {
  /** Bytes of each batch that is not acknowledged, in the order they were sent. */
  #underWay: number[] = [];
  #bytes = 0;
  #batchBytes = BATCH_BYTES;

  /** Of the next batch, about. */
  get batchBytes(): number {
    return this.#batchBytes;
  }

  /** Nothing more goes before something is acknowledged. */
  get isSpent(): boolean {
    return this.#bytes >= this.#most;
  }

  get #most(): number {
    return Math.max(MAX_MESSAGE_BYTES, UNDER_WAY * this.#batchBytes);
  }

  sent(bytes: number): void {
    this.#underWay.push(bytes);
    this.#bytes += bytes;
  }

  /** The first of what is under way, so long after it was sent, or after the one before it was acknowledged. */
  acknowledged(after_ms: number): void {
    this.#bytes -= this.#underWay.shift() ?? 0;
    this.#batchBytes = after_ms <= AT_ONCE_MS ? Math.min(2 * this.#batchBytes, LARGE_BATCH_BYTES) : BATCH_BYTES;
  }

  /** Nothing is under way any more. */
  settle(): void {
    this.#underWay = [];
    this.#bytes = 0;
  }

  /** Of a path that is new, or answers nothing, it is not known how quick it is. */
  restart(): void {
    this.settle();
    this.#batchBytes = BATCH_BYTES;
  }
}
