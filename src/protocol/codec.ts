/**
 * The one codec (D4): CBOR (RFC 8949) in its deterministic form (§4.2.1).
 * Values are integers, byte strings, text, arrays, null and booleans; no maps, floats, tags or indefinite lengths,
 * so that a value has one encoding and a reader needs no rule for duplicate keys.
 *
 * | head | meaning |
 * | --- | --- |
 * | 00–1b | integer ≥ 0, at most 2^53 - 1 |
 * | 20–3b | integer < 0, at least -(2^53 - 1) |
 * | 40–5a | byte string |
 * | 60–7a | text: well-formed UTF-8 |
 * | 80–9a | array, at most MAX_CBOR_DEPTH deep |
 * | f4, f5, f6 | false, true, null |
 *
 * Each length and integer stands in the shortest head that holds it. Every other byte sequence is refused.
 *
 * Reader and writer are our own. Strict as it can be told to be, cborg takes a float for an integer, mends text that is not UTF-8,
 * drops a byte order mark and recurses as deep as a stranger likes; and it writes a short value four times as slowly. The tests hold
 * what is written here against what it writes.
 */
import { assert } from '../base/assert.ts';
import { err, ok, type Result } from '../base/result.ts';
import { fromUtf8, toUtf8 } from '../base/utf8.ts';
import { MAX_CBOR_DEPTH } from './limits.ts';

export type Value = number | string | boolean | null | Uint8Array | readonly Value[];

export interface DecodeError {
  readonly tag: 'malformed';
  readonly reason: string;
}

/** An array of so few is made as long as its head says. */
const FEW = 16;
/** By the number of argument bytes (1, 2, 4, 8): a smaller argument has a shorter form. */
export const SHORTEST = [24, 0x100, 0x10000, 0x100000000] as const;

/** Where values are written before they are cut off: most are short, and asked for by the hundred thousand. */
let desk = new Uint8Array(4096);
const DESK_KEPT_BYTES = 1 << 20;
const HEAD_BYTES = 9;
/** Bytes so few are written one by one, and so is a text for as long as it is ASCII. */
const SHORT = 64;

/** The one encoding of a value, in bytes of its own. */
export function encode(value: Value): Uint8Array {
  const end = write(value, 0);
  const bytes = desk.slice(0, end);
  if (desk.length > DESK_KEPT_BYTES) desk = new Uint8Array(4096);
  return bytes;
}

function makeRoom(end: number): void {
  if (end <= desk.length) return;
  // A power of two: what a message is written on is kept for the next.
  const larger = new Uint8Array(2 ** Math.ceil(Math.log2(end)));
  larger.set(desk);
  desk = larger;
}

/** Writes a value at a place of the desk; answers where it ends. */
function write(value: Value, at: number): number {
  makeRoom(at + HEAD_BYTES);
  if (typeof value === 'number') {
    assert(Number.isSafeInteger(value), 'a number on the wire is a safe integer');
    return value >= 0 ? writeHead(0x00, value, at) : writeHead(0x20, -1 - value, at);
  }
  if (typeof value === 'string') return writeText(value, at);
  if (value instanceof Uint8Array) return writeBytes(0x40, value, at);
  if (value === null || typeof value === 'boolean') {
    desk[at] = value === null ? 0xf6 : value ? 0xf5 : 0xf4;
    return at + 1;
  }
  let end = writeHead(0x80, value.length, at);
  for (const one of value) end = write(one, end);
  return end;
}

/** In the shortest form. There is room for it. */
function writeHead(major: number, argument: number, at: number): number {
  if (argument < SHORTEST[0]) {
    desk[at] = major | argument;
    return at + 1;
  }
  const form = argument < SHORTEST[1] ? 0 : argument < SHORTEST[2] ? 1 : argument < SHORTEST[3] ? 2 : 3;
  desk[at] = major | (24 + form);
  const end = at + 1 + (1 << form);
  // Beyond 32 bits there are no shifts.
  for (let i = end - 1, left = argument; i > at; i--, left = Math.floor(left / 0x100)) desk[i] = left % 0x100;
  return end;
}

function writeText(text: string, at: number): number {
  const { length } = text;
  if (length > SHORT) return writeBytes(0x60, toUtf8(text), at);
  makeRoom(at + HEAD_BYTES + length);
  const start = writeHead(0x60, length, at);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return writeBytes(0x60, toUtf8(text), at);
    desk[start + i] = code;
  }
  return start + length;
}

function writeBytes(major: number, bytes: Uint8Array, at: number): number {
  makeRoom(at + HEAD_BYTES + bytes.length);
  const start = writeHead(major, bytes.length, at);
  if (bytes.length > SHORT) desk.set(bytes, start);
  else for (let i = 0; i < bytes.length; i++) desk[start + i] = bytes[i]!;
  return start + bytes.length;
}

/** Refuses what `encode` would not have written, byte for byte. Byte strings are copies. */
export function decode(bytes: Uint8Array): Result<Value, DecodeError> {
  const input = plain(bytes);
  return read(input, false);
}

/**
 * The same, but byte strings are parts of the input: for bytes that are kept as long as what is read of them, and never change.
 * A hundred of them then cost no copy and no memory of their own. `from`: where it begins; `depth`: of arrays around it that were read before.
 */
export function decodeInPlace(bytes: Uint8Array, from = 0, depth = 0): Result<Value, DecodeError> {
  const input = plain(bytes);
  return read(input, true, from, depth);
}

/** No Buffer, whose parts would be Buffers, and whose slice is no copy. */
function plain(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function malformed(reason: string): Result<never, DecodeError> {
  return err({ tag: 'malformed', reason });
}

function read(bytes: Uint8Array, isInPlace: boolean, from = 0, depth = 0): Result<Value, DecodeError> {
  /** The arrays that are not complete yet, the outermost first. */
  const open: { readonly items: Value[]; readonly count: number; next: number }[] = [];
  let at = from;
  for (;;) {
    const head = bytes[at++];
    if (head === undefined) return malformed('cut short');
    const major = head >> 5;
    let argument = head & 31;
    if (major === 7 ? head < 0xf4 || head > 0xf6 : major > 4 || argument > 27) {
      return malformed('a kind of value that is not used');
    }
    if (major !== 7 && argument >= 24) {
      const form = argument - 24;
      const end = at + (1 << form);
      if (end > bytes.length) return malformed('cut short');
      for (argument = 0; at < end; at++) argument = argument * 256 + bytes[at]!;
      if (argument < SHORTEST[form]!) return malformed('not the shortest form');
    }

    let value: Value;
    switch (major) {
      case 0:
      case 1:
        value = major === 0 ? argument : -1 - argument;
        if (!Number.isSafeInteger(value)) return malformed('too large a number');
        break;
      case 2:
      case 3: {
        if (argument > bytes.length - at) return malformed('cut short');
        const start = at;
        at += argument;
        const content =
          major === 3
            ? fromUtf8(bytes.subarray(start, at))
            : isInPlace
              ? bytes.subarray(start, at)
              : bytes.slice(start, at);
        if (content === undefined) return malformed('text that is not UTF-8');
        value = content;
        break;
      }
      case 4:
        // Each element has a byte at least, so a count cannot promise more than was sent.
        if (argument > bytes.length - at) return malformed('cut short');
        // As long as it will be: one that grows takes room for seventeen. A long one may be an empty promise.
        value = argument <= FEW ? new Array<Value>(argument) : [];
        if (argument > 0) {
          if (open.length + depth >= MAX_CBOR_DEPTH) return malformed('nested too deep');
          open.push({ items: value as Value[], count: argument, next: 0 });
          continue;
        }
        break;
      default:
        value = head === 0xf6 ? null : head === 0xf5;
    }

    // The value goes into the innermost open array; where that completes the array, the array is the next value.
    for (let array = open.at(-1); array; array = open.at(-1)) {
      array.items[array.next++] = value;
      if (array.next < array.count) break;
      value = array.items;
      open.pop();
    }
    if (open.length === 0) return at === bytes.length ? ok(value) : malformed('bytes after the value');
  }
}

// ---- readers: each answers undefined where the value is not of that shape -----------------------------------------

export function asArray(value: Value | undefined, minimum: number, maximum = minimum): readonly Value[] | undefined {
  return Array.isArray(value) && value.length >= minimum && value.length <= maximum ? value : undefined;
}

export function asBytes(value: Value | undefined, minimum: number, maximum = minimum): Uint8Array | undefined {
  return value instanceof Uint8Array && value.length >= minimum && value.length <= maximum ? value : undefined;
}

/** A non-negative integer. */
export function asCount(value: Value | undefined, maximum: number = Number.MAX_SAFE_INTEGER): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= maximum ? value : undefined;
}

/** A text of at most so many bytes in UTF-8. */
export function asText(value: Value | undefined, maximumBytes: number): string | undefined {
  if (typeof value !== 'string' || value.length > maximumBytes) return undefined;
  // A UTF-16 unit takes at most three bytes: most texts need no counting.
  return 3 * value.length <= maximumBytes || toUtf8(value).length <= maximumBytes ? value : undefined;
}

export function asFlag(value: Value | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** Each element read by `read`, or undefined where one cannot be. */
export function asList<T>(
  value: Value | undefined,
  maximum: number,
  read: (element: Value) => T | undefined,
): readonly T[] | undefined {
  const elements = asArray(value, 0, maximum);
  if (!elements) return undefined;
  const list: T[] = [];
  for (const element of elements) {
    const one = read(element);
    if (one === undefined) return undefined;
    list.push(one);
  }
  return list;
}
