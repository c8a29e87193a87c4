import { toHex } from '../../src/base/bytes.ts';
import type { Value } from '../../src/protocol/codec.ts';

/** A value in the diagnostic notation of CBOR (RFC 8949, §8): what a person reads beside the bytes. */
export function notation(value: Value): string {
  if (value instanceof Uint8Array) return `h'${toHex(value)}'`;
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(notation).join(', ')}]`;
  return JSON.stringify(value);
}
