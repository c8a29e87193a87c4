import { join } from 'node:path';
import { root } from '../../scripts/lib/project.mjs';
import { FORMAT } from '../../src/base/format.ts';
import { CARRIED } from './carried.ts';
import { SAID } from './said.ts';
import type { VectorSet } from './set.ts';

export const vectorFolder = join(root, 'test', 'vectors');
export const SETS: readonly VectorSet<unknown>[] = [...SAID, ...CARRIED];

/** What stands in the file of a set. */
export function fileOf({ about, make }: VectorSet<unknown>): {
  readonly source: string;
  readonly format: number;
  readonly vectors: readonly unknown[];
} {
  return { source: `Made by this project. ${about}`, format: FORMAT, vectors: make() };
}
