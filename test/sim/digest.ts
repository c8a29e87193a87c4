/** A sum over facts in any order: two states with the same facts have the same sum, and hardly any others. */
import type { Value } from '../../src/protocol/codec.ts';

export class Digest {
  #a = 0;
  #b = 0;

  add(...fact: readonly Value[]): void {
    this.addHashed(hashOf(fact));
  }

  /** A fact that is in many digests: hashed once. */
  addHashed([a, b]: Hashed): void {
    this.#a = (this.#a + a) >>> 0;
    this.#b = (this.#b + b) >>> 0;
  }

  get value(): string {
    return `${this.#a.toString(16)}-${this.#b.toString(16)}`;
  }
}

export type Hashed = readonly [number, number];

export function hashOf(value: Value): Hashed {
  const hash = new Hash();
  hash.value(value);
  return [hash.a, hash.b];
}

/** Two 32-bit hashes (FNV and Murmur steps) over a value and its shape. */
class Hash {
  #a = 0x811c9dc5;
  #b = 0x2f6af274;

  value(value: Value): void {
    if (typeof value === 'string') this.text(value);
    else if (typeof value === 'number') this.#number(value);
    else if (value instanceof Uint8Array) this.#bytes(value);
    else if (value === null || typeof value === 'boolean') this.#step(value === null ? 7 : value ? 5 : 3);
    else {
      this.#step(0x100 + value.length);
      for (const element of value) this.value(element);
    }
  }

  text(text: string): void {
    this.#step(0x20000 + text.length);
    const even = text.length & ~1;
    for (let i = 0; i < even; i += 2) this.#step(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    if (even < text.length) this.#step(text.charCodeAt(even));
  }

  #number(value: number): void {
    this.#step(0x30000);
    this.#step(value | 0);
    this.#step(Math.floor(value / 0x100000000));
  }

  #bytes(bytes: Uint8Array): void {
    this.#step(0x40000 + bytes.length);
    const whole = bytes.length & ~3;
    for (let i = 0; i < whole; i += 4)
      this.#step(bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    for (let i = whole; i < bytes.length; i++) this.#step(bytes[i]!);
  }

  #step(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193);
    this.#b = Math.imul(((this.#b << 13) | (this.#b >>> 19)) + word, 5) + 0x6546b64;
  }

  get a(): number {
    return finished(this.#a);
  }

  get b(): number {
    return finished(this.#b ^ this.#a);
  }
}

function finished(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
