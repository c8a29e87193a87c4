/**
 * A file of vectors: how it is made, and how it is proved from what stands in it alone. A frozen one is never made again, so its
 * proof may not rest on the examples that it was made of.
 */
import { fromHex, toHex } from '../../src/base/bytes.ts';

export interface VectorSet<Vector> {
  readonly file: string;
  /** What a reader needs to know beside PROTOCOL.md. */
  readonly about: string;
  readonly make: () => readonly Vector[];
  readonly prove: (vector: Vector) => void;
}

/** Made once, when it is defined: what is drawn from one seed is drawn in the same order, whatever is proved in between. */
export function vectorSet<Vector>(set: VectorSet<Vector>): VectorSet<unknown> {
  const made = set.make();
  return { ...set, make: () => made, prove: (vector) => set.prove(vector as Vector) };
}

export const hex = toHex;

export function bytes(text: string): Uint8Array {
  const read = fromHex(text);
  if (!read) throw new Error('a vector is hexadecimal');
  return read;
}
