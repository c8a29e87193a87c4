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

export const KEPT: readonly Kept[] = [
  {
    // A place in a feed that was to be wrong was the second delta's own: those who were told it heard no more of its author.
    name: 'D8 S1 what is only out of place is no fork (world “every run.32”)',
    plan: {
      config: {
        seed: 'every run.32',
        big: false,
        people: 4,
        founding: 2,
        hostile: 2,
        manyDevices: 0.5,
        directPaths: 6,
        relayShare: 1,
        network: { latency_ms: [20, 3000], loss: 0, duplication: 0, reorders: false, relayLifetime_ms: 2592000000 },
        fsync_ms: 400,
        journal: false,
        realCrypto: false,
        skew_ms: 0,
        duration_ms: 1200000,
      },
      acts: [
        { at: 247207, kind: 'join', salt: 28 },
        { at: 278340, kind: 'wrongPlace', salt: 32 },
        { at: 308871, kind: 'files', salt: 20 },
      ],
    },
  },
];
