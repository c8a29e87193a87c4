/**
 * Cuts a stream into chunks where its content says so (F1), so that an insertion moves no boundary but its own:
 * FastCDC (Xia et al., USENIX ATC 2016) with normalised chunking.
 *
 * | a chunk | is cut |
 * | --- | --- |
 * | up to CHUNK_MIN_BYTES | nowhere |
 * | up to CHUNK_AVERAGE_BYTES | where the top 20 bits of the rolling hash are zero (rarer than the average) |
 * | beyond | where its top 16 bits are zero (more often), so that sizes gather around the average |
 * | at CHUNK_MAX_BYTES | in any case |
 *
 * hash = (hash << 1) + gear[byte] over 32 bits, so its top bits depend on the last 32 bytes only. A stream of up to
 * SINGLE_CHUNK_BYTES is one chunk. The gear table and these figures are part of the format: another table would
 * find none of the chunks that others have.
 */
import { CHUNK_AVERAGE_BYTES, CHUNK_MAX_BYTES, CHUNK_MIN_BYTES, SINGLE_CHUNK_BYTES } from '../../protocol/limits.ts';

const RARE_MASK = 0xfffff000 | 0;
const OFTEN_MASK = 0xffff0000 | 0;
/** Taken in and searched at a time, so that little is left to move after a cut. */
const PIECE_BYTES = 64 * 1024;

/** 256 numbers out of SplitMix32 from a fixed seed: any random-looking constants do, as long as all have the same. */
export const GEAR: Int32Array = (() => {
  const gear = new Int32Array(256);
  let state = 0x636f7465; // "cote"
  for (let i = 0; i < gear.length; i++) {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    gear[i] = mixed ^ (mixed >>> 15);
  }
  return gear;
})();

/** Holds at most one chunk and a piece; what it gives out is its own copy. */
export class Chunker {
  #held = new Uint8Array(PIECE_BYTES);
  #length = 0;
  /** How far the hash has come in the chunk that is being held. */
  #searched = 0;
  #hash = 0;
  /** Whether more has come than one chunk may hold unsearched. */
  #cutting = false;

  push(bytes: Uint8Array): readonly Uint8Array[] {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this.#take(bytes.subarray(at, at + PIECE_BYTES));
      this.#cutting ||= this.#length > SINGLE_CHUNK_BYTES;
      if (!this.#cutting) continue;
      for (let cut = this.#search(); cut > 0; cut = this.#search()) chunks.push(this.#cut(cut));
    }
    return chunks;
  }

  /** The rest. The chunker is as new after it. */
  finish(): readonly Uint8Array[] {
    const rest = this.#length > 0 ? [this.#cut(this.#length)] : [];
    this.#cutting = false;
    return rest;
  }

  #take(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#held.length) {
      const larger = new Uint8Array(Math.min(2 * length, CHUNK_MAX_BYTES + PIECE_BYTES));
      larger.set(this.#held.subarray(0, this.#length));
      this.#held = larger;
    }
    this.#held.set(piece, this.#length);
    this.#length = length;
  }

  #cut(length: number): Uint8Array {
    const chunk = this.#held.slice(0, length);
    this.#held.copyWithin(0, length, this.#length);
    this.#length -= length;
    this.#searched = 0;
    this.#hash = 0;
    return chunk;
  }

  /** Where the held chunk ends, or 0 where that is not known yet. */
  #search(): number {
    const held = this.#held;
    const end = Math.min(this.#length, CHUNK_MAX_BYTES);
    let hash = this.#hash;
    let at = Math.max(this.#searched, CHUNK_MIN_BYTES);
    for (const [mask, limit] of [
      [RARE_MASK, Math.min(end, CHUNK_AVERAGE_BYTES)],
      [OFTEN_MASK, end],
    ] as const) {
      while (at < limit) {
        hash = ((hash << 1) + GEAR[held[at++]!]!) | 0;
        if ((hash & mask) === 0) return at;
      }
    }
    this.#hash = hash;
    this.#searched = at;
    return end === CHUNK_MAX_BYTES ? end : 0;
  }
}
