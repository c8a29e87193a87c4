/**
 * The number of the format: of what members sign, hash, seal and say to each other. 0 is free to change with every commit. From 1 on
 * it is frozen: the vectors of test/vectors are what it is, and nothing writes them anew (scripts/vectors.ts). What a device keeps on
 * its own disk has numbers of its own.
 */
import { toUtf8 } from './utf8.ts';

export const FORMAT: number = 0;

/** What stands before what is signed, or in what a key is derived for, so that one is never taken for another. */
export function domain(name: string): Uint8Array {
  return toUtf8(`coterie ${name} ${FORMAT}`);
}
