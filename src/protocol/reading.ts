/**
 * Reads CBOR of a known shape (codec.ts) field by field, where each array and byte string that a value is made of would cost more than
 * what it says: of a catch-up every delta passes here. It refuses what the codec refuses.
 *
 * Each method answers undefined where something else stands, or nothing; then the rest is not to be read.
 */
import { fromUtf8 } from '../base/utf8.ts';
import { SHORTEST } from './codec.ts';

const [COUNT, BYTES, TEXT, ARRAY] = [0, 2, 3, 4] as const;

export class Reading {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  /** Where the next value begins. */
  at: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.at === this.#end;
  }

  /** How many elements follow. */
  array(minimum: number, maximum = minimum): number | undefined {
    const count = this.#argument(ARRAY);
    return count !== undefined && count >= minimum && count <= maximum ? count : undefined;
  }

  /** A non-negative integer. */
  count(maximum: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const count = this.#argument(COUNT);
    return count !== undefined && count <= maximum ? count : undefined;
  }

  /** Where a byte string begins; it ends at `at`. */
  bytes(minimum: number, maximum = minimum): number | undefined {
    return this.#span(BYTES, minimum, maximum);
  }

  /** A text of at most so many bytes in UTF-8; where it is the `likely` one, that. */
  text(maximumBytes: number, likely = ''): string | undefined {
    const start = this.#span(TEXT, 0, maximumBytes);
    if (start === undefined) return undefined;
    return this.#says(likely, start) ? likely : fromUtf8(this.#bytes.subarray(start, this.at));
  }

  #says(text: string, start: number): boolean {
    if (text.length !== this.at - start) return false;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      // Beyond ASCII a letter is no byte.
      if (code >= 0x80 || code !== this.#bytes[start + i]) return false;
    }
    return true;
  }

  #span(major: number, minimum: number, maximum: number): number | undefined {
    const length = this.#argument(major);
    if (length === undefined || length < minimum || length > maximum || length > this.#end - this.at) return undefined;
    const start = this.at;
    this.at += length;
    return start;
  }

  #argument(major: number): number | undefined {
    if (this.at >= this.#end) return undefined;
    const head = this.#bytes[this.at]!;
    if (head >> 5 !== major) return undefined;
    const short = head & 31;
    if (short < 24) {
      this.at++;
      return short;
    }
    const form = short - 24;
    const end = this.at + 1 + (1 << form);
    if (form > 3 || end > this.#end) return undefined;
    let argument = 0;
    for (let at = this.at + 1; at < end; at++) argument = argument * 256 + this.#bytes[at]!;
    this.at = end;
    return argument < SHORTEST[form]! ? undefined : argument;
  }
}
