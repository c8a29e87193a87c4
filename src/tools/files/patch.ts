/**
 * Binary differences for small edits (F1): copies out of the content before, and inserted bytes.
 * A patch is a row of operations, each beginning with a varint (LEB128, at most 4 bytes) of 2 × length + kind:
 *
 * | kind | then | does |
 * | --- | --- | --- |
 * | 0 insert | length bytes | appends them; length is not 0 |
 * | 1 copy | varint, zigzag: start − cursor | appends `length` bytes of `before` from start; length 0 means to its end |
 *
 * The cursor is where the last copy ended, 0 at first. So an edit of one line is: copy, insert, copy to the end, in
 * about ten bytes beside the inserted ones.
 */
import { MAX_PATCHED_BYTES, MAX_PATCH_BYTES } from '../../protocol/limits.ts';

const INSERT = 0;
const COPY = 1;
/** What is looked up in `before`: shorter matches are mostly chance, and break a row of text into many copies. */
const WINDOW_BYTES = 16;
/** Where the bytes go on in the place where they were, less is enough: that copy takes two or three bytes. */
const IN_PLACE_BYTES = 8;
/** Places with the same window that are tried: repetitive text has thousands of them. */
const MAX_TRIES = 16;
const MAX_VARINT_BYTES = 4;

/** Undefined where a patch would not be under half the size of `after`, or either is too large for one. */
export function makePatch(before: Uint8Array, after: Uint8Array): Uint8Array | undefined {
  if (before.length > MAX_PATCHED_BYTES || after.length > MAX_PATCHED_BYTES) return undefined;
  const writer = new PatchWriter(after, Math.min(Math.ceil(after.length / 2) - 1, MAX_PATCH_BYTES));
  const prefix = sharedPrefix(before, after);
  const suffix = sharedSuffix(before, after, prefix);
  if (prefix > 0) writer.copy(0, prefix);
  const end = after.length - suffix;
  if (!writeMiddle(writer, before, after, prefix, end)) return undefined;
  if (suffix > 0) writer.copyToEnd(before.length - suffix);
  return writer.finish();
}

/** The content after, or undefined where the patch is not one for these bytes, or would make too much of them. */
export function applyPatch(before: Uint8Array, patch: Uint8Array): Uint8Array | undefined {
  if (before.length > MAX_PATCHED_BYTES || patch.length > MAX_PATCH_BYTES) return undefined;
  const length = run(before, patch, undefined);
  if (length === undefined) return undefined;
  const after = new Uint8Array(length);
  run(before, patch, after);
  return after;
}

/** Walks the operations: first without a target, to check them and learn the length, then again to carry them out. */
function run(before: Uint8Array, patch: Uint8Array, after: Uint8Array | undefined): number | undefined {
  const reader = new VarintReader(patch);
  let cursor = 0;
  let written = 0;
  while (reader.at < patch.length) {
    const head = reader.next();
    if (head === undefined) return undefined;
    let length = head >>> 1;
    let from = patch;
    let start = reader.at;
    if ((head & 1) === COPY) {
      const zigzag = reader.next();
      if (zigzag === undefined) return undefined;
      from = before;
      start = cursor + ((zigzag >>> 1) ^ -(zigzag & 1));
      if (length === 0) length = before.length - start;
      cursor = start + length;
    } else {
      reader.at += length;
    }
    if (length <= 0 || start < 0 || start + length > from.length) return undefined;
    if (written + length > MAX_PATCHED_BYTES) return undefined;
    after?.set(from.subarray(start, start + length), written);
    written += length;
  }
  return written;
}

/** Finds what of after[start, end) stands in `before`. False as soon as the patch has grown too large. */
function writeMiddle(writer: PatchWriter, before: Uint8Array, after: Uint8Array, start: number, end: number): boolean {
  let pending = start; // what of `after` is neither copied nor inserted yet
  if (end - start >= 2 * WINDOW_BYTES && before.length >= WINDOW_BYTES) {
    const index = new WindowIndex(before);
    for (let at = start; at + WINDOW_BYTES <= end;) {
      if (!writer.hasRoom(at - pending)) return false;
      const match = index.longest(after, at, end, writer.cursor + (at - pending));
      if (!match) {
        at++;
        continue;
      }
      let back = 0;
      while (at - back > pending && match.start > back && before[match.start - back - 1] === after[at - back - 1])
        back++;
      writer.insert(pending, at - back);
      writer.copy(match.start - back, match.length + back);
      at += match.length;
      pending = at;
    }
  }
  writer.insert(pending, end);
  return writer.hasRoom(0);
}

interface Match {
  readonly start: number;
  readonly length: number;
}

/** Every window of `before` that begins at a multiple of its size, by a hash of its first half: any match of 31 bytes covers one. */
class WindowIndex {
  readonly #before: Uint8Array;
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #shift: number;

  constructor(before: Uint8Array) {
    const count = Math.floor(before.length / WINDOW_BYTES);
    const bits = Math.max(4, 32 - Math.clz32(count));
    this.#before = before;
    this.#heads = new Int32Array(1 << bits); // 1 + the window's number; 0 for none
    this.#next = new Int32Array(count);
    this.#shift = 32 - bits;
    for (let window = count - 1; window >= 0; window--) {
      const slot = hashAt(before, window * WINDOW_BYTES) >>> this.#shift;
      this.#next[window] = this.#heads[slot]!;
      this.#heads[slot] = window + 1;
    }
  }

  /** The place in `before` with the most bytes in common with after[at, end); `expected` is tried first and wins a tie. */
  longest(after: Uint8Array, at: number, end: number, expected: number): Match | undefined {
    let start = expected;
    let length = this.#shared(expected, after, at, end);
    if (length < IN_PLACE_BYTES) length = 0;
    let window = this.#heads[hashAt(after, at) >>> this.#shift]!;
    for (let tries = 0; window > 0 && tries < MAX_TRIES; tries++) {
      const candidate = (window - 1) * WINDOW_BYTES;
      const shared = this.#shared(candidate, after, at, end);
      if (shared >= WINDOW_BYTES && shared > length) {
        start = candidate;
        length = shared;
      }
      window = this.#next[window - 1]!;
    }
    return length > 0 ? { start, length } : undefined;
  }

  #shared(start: number, after: Uint8Array, at: number, end: number): number {
    const before = this.#before;
    const maximum = Math.min(end - at, before.length - start);
    let length = 0;
    while (length < maximum && before[start + length] === after[at + length]) length++;
    return length;
  }
}

function hashAt(bytes: Uint8Array, at: number): number {
  const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  const high = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
  return Math.imul(Math.imul(low, 0x9e3779b1) ^ high ^ (low >>> 15), 0x85ebca6b);
}

function sharedPrefix(a: Uint8Array, b: Uint8Array): number {
  const maximum = Math.min(a.length, b.length);
  let length = 0;
  while (length < maximum && a[length] === b[length]) length++;
  return length;
}

function sharedSuffix(a: Uint8Array, b: Uint8Array, prefix: number): number {
  const maximum = Math.min(a.length, b.length) - prefix;
  let length = 0;
  while (length < maximum && a[a.length - 1 - length] === b[b.length - 1 - length]) length++;
  return length;
}

/** Writes operations as long as they fit; what does not is remembered, and then there is no patch. */
class PatchWriter {
  readonly #after: Uint8Array;
  readonly #limit: number;
  readonly #parts: Uint8Array[] = [];
  #length = 0;
  /** Where the last copy ended in `before`. */
  cursor = 0;

  constructor(after: Uint8Array, limit: number) {
    this.#after = after;
    this.#limit = limit;
  }

  hasRoom(bytes: number): boolean {
    return this.#length + bytes <= this.#limit;
  }

  insert(start: number, end: number): void {
    if (end <= start) return;
    this.#push(varint(2 * (end - start) + INSERT));
    this.#push(this.#after.subarray(start, end));
  }

  copyToEnd(start: number): void {
    this.copy(start, 0);
  }

  copy(start: number, length: number): void {
    const distance = start - this.cursor;
    this.#push(varint(2 * length + COPY));
    this.#push(varint(distance < 0 ? -2 * distance - 1 : 2 * distance));
    this.cursor = start + length;
  }

  finish(): Uint8Array | undefined {
    if (this.#length > this.#limit) return undefined;
    const patch = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      patch.set(part, at);
      at += part.length;
    }
    return patch;
  }

  #push(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length <= this.#limit) this.#parts.push(bytes);
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left >>>= 7) bytes.push((left & 127) | 128);
  bytes.push(left);
  return Uint8Array.from(bytes);
}

class VarintReader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): number | undefined {
    let value = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) return undefined;
      value |= (byte & 127) << (7 * i);
      if (byte < 128) return value;
    }
    return undefined;
  }
}
