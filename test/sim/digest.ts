/** A sum over facts in any order: two states with the same facts have the same sum, and hardly any others. */
import type { Value } from '../../src/protocol/codec.ts';

export class Digest {
  #a = 0;
  #b = 0;

  add(...fact: readonly Value[]): void {
    const hash = new Hash();
    hash.value(fact);
    this.#a = (this.#a + hash.a) >>> 0;
    this.#b = (this.#b + hash.b) >>> 0;
  }

  get value(): string {
    return `${this.#a.toString(16)}-${this.#b.toString(16)}`;
  }
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
    for (let i = 0; i < text.length; i++) this.#step(text.charCodeAt(i));
  }

  #number(value: number): void {
    this.#step(0x30000);
    this.#step(value | 0);
    this.#step(Math.floor(value / 0x100000000));
  }

  #bytes(bytes: Uint8Array): void {
    this.#step(0x40000 + bytes.length);
    for (const byte of bytes) this.#step(byte);
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
