/**
 * The number of the format: of what members sign, hash, seal and say to each other. It is frozen: the vectors of test/vectors are what
 * it is, and nothing writes them anew (scripts/vectors.ts); what changes it has the next number. What a device keeps on its own disk has
 * numbers of its own.
 */
import { toUtf8 } from './utf8.ts';

export const FORMAT: number = 1;

/** What stands before what is signed, or in what a key is derived for, so that one is never taken for another. */
export function domain(name: string): Uint8Array {
  return toUtf8(`coterie ${name} ${FORMAT}`);
}
