/**
 * The one codec (D4): CBOR (RFC 8949) in its deterministic form (§4.2.1), through cborg.
 * Values are integers, byte strings, text, arrays, null and booleans; no maps, floats, tags or indefinite lengths,
 * so that a value has one encoding and a reader needs no rule for duplicate keys.
 */
import { decode as cborDecode, encode as cborEncode } from 'cborg';
import { err, ok, type Result } from '../base/result.ts';
import { MAX_CBOR_DEPTH } from './limits.ts';

export type Value = number | string | boolean | null | Uint8Array | readonly Value[];

export interface DecodeError {
  readonly tag: 'malformed';
  readonly reason: string;
}

export function encode(value: Value): Uint8Array {
  return cborEncode(value);
}

/** Refuses what `encode` would not have written, byte for byte. */
export function decode(bytes: Uint8Array): Result<Value, DecodeError> {
  const depth = deepest(bytes);
  if (depth > MAX_CBOR_DEPTH) return err({ tag: 'malformed', reason: 'nested too deep' });
  try {
    const value = cborDecode(bytes, {
      strict: true,
      useMaps: false,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    }) as unknown;
    return isValue(value) ? ok(value) : err({ tag: 'malformed', reason: 'a kind of value that is not used' });
  } catch (error) {
    return err({ tag: 'malformed', reason: error instanceof Error ? error.message : 'not CBOR' });
  }
}

function isValue(value: unknown): value is Value {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value);
    case 'string':
    case 'boolean':
      return true;
    case 'object':
      if (value === null || value instanceof Uint8Array) return true;
      return Array.isArray(value) && value.every(isValue);
    default:
      return false;
  }
}

/** Depth of arrays by a scan of the heads alone: cborg recurses, so the bound must stand before it. */
function deepest(bytes: Uint8Array): number {
  const left: number[] = [];
  let deep = 0;
  for (let at = 0; at < bytes.length;) {
    const head = bytes[at++]!;
    const major = head >> 5;
    let count = head & 31;
    if (count >= 24) {
      const width = 1 << (count - 24);
      if (count > 27) return deep; // not ours; cborg says why
      count = 0;
      for (let i = 0; i < width; i++) count = count * 256 + (bytes[at++] ?? 0);
    }
    if (major === 2 || major === 3) at += count;
    const items = major === 4 ? count : major === 5 ? 2 * count : major === 6 ? 1 : 0;
    if (items > 0) {
      left.push(items);
      deep = Math.max(deep, left.length);
      if (deep > MAX_CBOR_DEPTH) return deep;
      continue;
    }
    while (left.length > 0 && --left[left.length - 1]! === 0) left.pop();
  }
  return deep;
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

/** A well-formed text of at most so many UTF-16 units (a UTF-8 text never has more units than bytes). */
export function asText(value: Value | undefined, maximumBytes: number): string | undefined {
  return typeof value === 'string' && value.length <= maximumBytes && value.isWellFormed() ? value : undefined;
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
