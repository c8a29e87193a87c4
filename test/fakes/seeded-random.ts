/**
 * Random bytes that are the same in every run of the same seed: SHA-256 of seed and counter. Uniform, and slow enough
 * that nobody mistakes it for the system's.
 */
import { createHash } from 'node:crypto';

export function seededRandom(seed: number | string): (length: number) => Uint8Array {
  let counter = 0;
  let block = new Uint8Array(0);
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      if (block.length === 0) block = Uint8Array.from(createHash('sha256').update(`${seed}/${counter++}`).digest());
      const take = Math.min(block.length, length - at);
      bytes.set(block.subarray(0, take), at);
      block = block.subarray(take);
      at += take;
    }
    return bytes;
  };
}

/** An integer from 0 up to, not including, `bound`. */
export function seededBelow(random: (length: number) => Uint8Array, bound: number): number {
  const [a, b, c, d] = random(4) as Uint8Array & [number, number, number, number];
  return Math.floor(((a * 0x1000000 + b * 0x10000 + c * 0x100 + d) / 0x100000000) * bound);
}
