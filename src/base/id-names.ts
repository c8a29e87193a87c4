/**
 * Names of ids that come again and again: a delta names its device, its feed's last, its credential and its tool, and nearly all of them
 * stood in those before it. One text for all of them takes no memory of its own, and a map finds it without comparing letters.
 */
import { toHex } from './bytes.ts';

/** Ids are hashes or keys, so their first bytes spread them. Each place knows the last that came: who is not there is spelt anew. */
const PLACES = 1024;

export class IdNames {
  readonly #names = new Array<string | undefined>(PLACES);

  /** Lower-case hexadecimal of `length` bytes. */
  nameOf(bytes: Uint8Array, at: number, length: number): string {
    const place = ((bytes[at]! << 8) | bytes[at + 1]!) % PLACES;
    const known = this.#names[place];
    if (known !== undefined && isNameOf(known, bytes, at, length)) return known;
    return (this.#names[place] = toHex(bytes.subarray(at, at + length)));
  }

  /** That this will be asked for. */
  learn(name: string): void {
    this.#names[Number.parseInt(name.slice(0, 4), 16) % PLACES] = name;
  }
}

function isNameOf(name: string, bytes: Uint8Array, at: number, length: number): boolean {
  if (name.length !== 2 * length) return false;
  for (let i = 0; i < length; i++) {
    const byte = bytes[at + i]!;
    if (name.charCodeAt(2 * i) !== DIGIT_CODES[byte >> 4] || name.charCodeAt(2 * i + 1) !== DIGIT_CODES[byte & 15])
      return false;
  }
  return true;
}

const DIGIT_CODES = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
