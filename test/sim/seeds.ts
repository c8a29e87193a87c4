/**
 * Worlds that failed once, as they were when they did: shrunk to the acts that matter, with what was the matter. They stay, so
 * that what was mended stays mended.
 */
import type { Plan } from './plan.ts';

export interface Kept {
  /** The rule that was broken, and what by. */
  readonly name: string;
  readonly plan: Plan;
}

export const KEPT: readonly Kept[] = [];
