/** Bytes: the few operations that every room needs, without Node's Buffer. */

/** The code of each digit. */
const DIGIT_CODES = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** Arguments of one call; ids have 32 bytes. */
const HEX_BLOCK_BYTES = 64;
const DIGITS = Int8Array.from({ length: 128 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return digit;
});
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Lower-case hexadecimal. Every id passes here: its letters are joined at once, since a text grown by twos is a tree to be felled later. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length <= HEX_BLOCK_BYTES) return hexOfBlock(bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at += HEX_BLOCK_BYTES)
    text += hexOfBlock(bytes.subarray(at, at + HEX_BLOCK_BYTES));
  return text;
}

function hexOfBlock(bytes: Uint8Array): string {
  const codes = new Array<number>(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    codes[2 * i] = DIGIT_CODES[byte >> 4]!;
    codes[2 * i + 1] = DIGIT_CODES[byte & 15]!;
  }
  return String.fromCharCode(...codes);
}

/** The bytes of a hexadecimal text, or undefined where it is not one. Ids are texts: every delta and message comes by here. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const byte = (digitOf(text.charCodeAt(2 * i)) << 4) | digitOf(text.charCodeAt(2 * i + 1));
    if (byte < 0) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}

/** The value of a hexadecimal digit, or -1. */
function digitOf(code: number): number {
  return DIGITS[code] ?? -1;
}

/** Base64 with the URL alphabet and no padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += BASE64URL[group >> 18]! + BASE64URL[(group >> 12) & 63]!;
    if (left > 1) text += BASE64URL[(group >> 6) & 63]!;
    if (left > 2) text += BASE64URL[group & 63]!;
  }
  return text;
}

/** The bytes of an unpadded base64url text, or undefined where it is not one or not the shortest form. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of text) {
    const value = BASE64URL.indexOf(letter);
    if (value < 0) return undefined;
    held = ((held << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 255;
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return joinBytes(parts);
}

/** The same of a list, of any length: a call takes about 100,000 arguments, and fewer the deeper the stack. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The same, but no copy where they lie one behind the other in memory already. */
export function joinInPlace(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  let end = first?.byteOffset;
  for (const { buffer, byteOffset, length } of parts) {
    if (buffer !== first!.buffer || byteOffset !== end) return joinBytes(parts);
    end += length;
  }
  return first && end !== undefined
    ? new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset)
    : new Uint8Array(0);
}

/**
 * Gives the memory of bytes back at once, where the engine can and they are all that is in it: nobody may look at them any more. The
 * collector counts objects: it lets a hundred megabytes pile up behind a few hundred of them, and what is given back late stays with the
 * process.
 */
export function releaseBytes({ buffer, byteLength }: Uint8Array): void {
  const { transfer } = buffer as { transfer?: (length: number) => ArrayBuffer };
  if (buffer.byteLength !== byteLength) return;
  try {
    transfer?.call(buffer, 0);
  } catch {
    // Its host keeps a hold on it: then it goes with the next collection.
  }
}

/** Not in constant time: never for comparing secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
