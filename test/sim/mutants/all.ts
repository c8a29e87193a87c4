import { authority } from './authority.ts';
import { generations } from './generations.ts';
import { graph } from './graph.ts';
import { journal } from './journal.ts';
import { keys } from './keys.ts';
import type { Mutant } from './mutant.ts';
import { ownWork } from './own-work.ts';
import { pruning } from './pruning.ts';
import { session } from './session.ts';
import { words } from './words.ts';

export const MUTANTS: readonly Mutant[] = [
  ...authority,
  ...graph,
  ...generations,
  ...pruning,
  ...words,
  ...session,
  ...journal,
  ...keys,
  ...ownWork,
];
