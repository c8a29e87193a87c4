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
  {
    // A founder froze a device that a junior had let in: promised, and void.
    name: 'A10 D9 a senior freezes a device that a junior has let in (world “forks.5”)',
    plan: {
      config: {
        seed: 'forks.5',
        big: false,
        people: 4,
        founding: 3,
        hostile: 1,
        manyDevices: 0.1,
        directPaths: 7,
        relayShare: 0.5,
        network: { latency_ms: [20, 3000], loss: 0.02, duplication: 0, reorders: false, relayLifetime_ms: 60000 },
        fsync_ms: 0,
        journal: false,
        realCrypto: false,
        skew_ms: 5000,
        duration_ms: 60000,
      },
      acts: [
        { at: 9671, kind: 'join', salt: 0 },
        { at: 37799, kind: 'addDevice', salt: 18 },
        { at: 44963, kind: 'freeze', salt: 1 },
      ],
    },
  },
  {
    // A device that had been added left for its account: the leave was judged before the addition.
    name: 'A7 D9 a device that was added leaves for its account (world “forks.16”)',
    plan: {
      config: {
        seed: 'forks.16',
        big: false,
        people: 8,
        founding: 7,
        hostile: 0,
        manyDevices: 0.5,
        directPaths: 7,
        relayShare: 0.5,
        network: { latency_ms: [10, 80], loss: 0.02, duplication: 0, reorders: false, relayLifetime_ms: 2592000000 },
        fsync_ms: 2,
        journal: true,
        realCrypto: false,
        skew_ms: 86400000,
        duration_ms: 60000,
      },
      acts: [
        { at: 3541, kind: 'addDevice', salt: 26 },
        { at: 4226, kind: 'leave', salt: 23 },
      ],
    },
  },
  {
    // A profile that was concurrent with the removal of its device was judged otherwise when it came alone.
    name: 'A4 L5 a profile beyond the cut is void whenever it comes (world “forks.21”)',
    plan: {
      config: {
        seed: 'forks.21',
        big: false,
        people: 5,
        founding: 2,
        hostile: 0,
        manyDevices: 0.5,
        directPaths: 6,
        relayShare: 0.5,
        network: { latency_ms: [20, 3000], loss: 0, duplication: 0, reorders: false, relayLifetime_ms: 2592000000 },
        fsync_ms: 0,
        journal: false,
        realCrypto: false,
        skew_ms: 0,
        duration_ms: 60000,
      },
      acts: [
        { at: 11732, kind: 'join', salt: 22 },
        { at: 30025, kind: 'profile', salt: 27 },
        { at: 30462, kind: 'removeDevice', salt: 31 },
      ],
    },
  },
  {
    // A device of the founder's added a tool while another dropped it: by height its word came first.
    name: 'A4 L5 what a dropped device has written at the same time is void (world “forks.40”)',
    plan: {
      config: {
        seed: 'forks.40',
        big: false,
        people: 6,
        founding: 6,
        hostile: 1,
        manyDevices: 0.5,
        directPaths: 2,
        relayShare: 0,
        network: { latency_ms: [10, 80], loss: 0, duplication: 0, reorders: false, relayLifetime_ms: 2592000000 },
        fsync_ms: 0,
        journal: false,
        realCrypto: false,
        skew_ms: 5000,
        duration_ms: 300000,
      },
      acts: [{ at: 75867, kind: 'drop', salt: 27 }],
    },
  },
  {
    // A device crashed after it had heard that it was out and before it had erased its copy.
    name: 'K2 a device that crashes when it hears that it is out erases its copy all the same (world “forks.51”)',
    plan: {
      config: {
        seed: 'forks.51',
        big: false,
        people: 5,
        founding: 3,
        hostile: 0,
        manyDevices: 0.5,
        directPaths: 4,
        relayShare: 1,
        network: { latency_ms: [1, 5], loss: 0, duplication: 0.05, reorders: false, relayLifetime_ms: 60000 },
        fsync_ms: 30,
        journal: false,
        realCrypto: false,
        skew_ms: 0,
        duration_ms: 60000,
      },
      acts: [
        { at: 22032, kind: 'join', salt: 69 },
        { at: 30895, kind: 'crash', salt: 70 },
        { at: 33630, kind: 'removeDevice', salt: 72 },
        { at: 34656, kind: 'crash', salt: 37 },
      ],
    },
  },
  {
    // One who had been dropped himself, and did not know it, let in again a device that he had dropped: it holds his key, in good faith.
    name: 'K2 L7 a dropped device that another dropped one lets in again (world “evening.33”)',
    plan: {
      config: {
        seed: 'evening.33',
        big: true,
        people: 18,
        founding: 2,
        hostile: 2,
        manyDevices: 0.2,
        directPaths: 3,
        relayShare: 0.3,
        network: { latency_ms: [20, 3000], loss: 0.15, duplication: 0, reorders: true, relayLifetime_ms: 2592000000 },
        fsync_ms: 400,
        journal: false,
        realCrypto: false,
        skew_ms: 86400000,
        duration_ms: 2400000,
      },
      acts: [
        { at: 1138073, kind: 'drop', salt: 45 },
        { at: 1451950, kind: 'drop', salt: 108 },
        { at: 1565934, kind: 'drop', salt: 87 },
        { at: 2004224, kind: 'readdDevice', salt: 20 },
      ],
    },
  },
  {
    // A drop by his own manager, whose word alone could come, was believed to be of no account: they went on for ever.
    name: 'K2 a manager drops devices of his own account, and the word alone comes (world “pr.18”)',
    plan: {
      config: {
        seed: 'pr.18',
        big: false,
        people: 4,
        founding: 3,
        hostile: 2,
        manyDevices: 0.5,
        directPaths: 2,
        relayShare: 0,
        network: { latency_ms: [20, 3000], loss: 0, duplication: 0, reorders: false, relayLifetime_ms: 2592000000 },
        fsync_ms: 2,
        journal: false,
        realCrypto: false,
        skew_ms: 86400000,
        duration_ms: 1200000,
      },
      acts: [{ at: 1111278, kind: 'drop', salt: 17 }],
    },
  },
  {
    // A restored device acknowledged what it had lost before anybody had told it of that; the others had forgotten it.
    name: 'D1 D2 L1 a restored device forks nothing (world “pr.65”)',
    plan: {
      config: {
        seed: 'pr.65',
        big: false,
        people: 3,
        founding: 2,
        hostile: 0,
        manyDevices: 0.3,
        directPaths: 5,
        relayShare: 1,
        network: { latency_ms: [1, 5], loss: 0, duplication: 0, reorders: false, relayLifetime_ms: 600000 },
        fsync_ms: 30,
        journal: false,
        realCrypto: false,
        skew_ms: 86400000,
        duration_ms: 300000,
      },
      acts: [
        { at: 61633, kind: 'backUp', salt: 44 },
        { at: 66289, kind: 'files', salt: 32 },
        { at: 295074, kind: 'restore', salt: 60 },
      ],
    },
  },
  {
    // A hostile device that was dropped and let in again goes on in its old feed, and names what others have forgotten.
    name: 'L7 S1 nobody honest is cut off by who takes what a dropped device goes on writing (world “pr.27”)',
    plan: {
      config: {
        seed: 'pr.27',
        big: false,
        people: 4,
        founding: 2,
        hostile: 1,
        manyDevices: 0.1,
        directPaths: 5,
        relayShare: 1,
        network: { latency_ms: [20, 3000], loss: 0, duplication: 0, reorders: true, relayLifetime_ms: 2592000000 },
        fsync_ms: 2,
        journal: false,
        realCrypto: false,
        skew_ms: 5000,
        duration_ms: 300000,
      },
      acts: [
        { at: 45677, kind: 'join', salt: 80 },
        { at: 225510, kind: 'absence', salt: 50 },
        { at: 271869, kind: 'files', salt: 23 },
        { at: 277220, kind: 'escalate', salt: 58 },
      ],
    },
  },
  {
    // Its first copy was a base with its first admission in it: it acknowledged that before the word that let it in again had come.
    name: 'I4 L7 who is let in again writes nothing before that word is here (world “prof.1”)',
    plan: {
      config: {
        seed: 'prof.1',
        big: false,
        people: 6,
        founding: 2,
        hostile: 0,
        manyDevices: 0.5,
        directPaths: 6,
        relayShare: 1,
        network: { latency_ms: [20, 3000], loss: 0.15, duplication: 0, reorders: false, relayLifetime_ms: 2592000000 },
        fsync_ms: 2,
        journal: false,
        realCrypto: false,
        skew_ms: 0,
        duration_ms: 1200000,
      },
      acts: [
        { at: 153883, kind: 'freeze', salt: 33 },
        { at: 366044, kind: 'drop', salt: 4 },
        { at: 401681, kind: 'posts', salt: 51 },
        { at: 406209, kind: 'readdDevice', salt: 37 },
      ],
    },
  },
  {
    // It heard of both words together, with entries of its own that nobody takes, and wrote on upon these.
    name: 'L7 S1 who was dropped and let in again while away begins anew (world “prof.19”)',
    plan: {
      config: {
        seed: 'prof.19',
        big: true,
        people: 19,
        founding: 5,
        hostile: 1,
        manyDevices: 0.2,
        directPaths: 2,
        relayShare: 0.1,
        network: { latency_ms: [10, 80], loss: 0.15, duplication: 0, reorders: false, relayLifetime_ms: 60000 },
        fsync_ms: 30,
        journal: false,
        realCrypto: false,
        skew_ms: 5000,
        duration_ms: 120000,
      },
      acts: [
        { at: 68510, kind: 'absence', salt: 126 },
        { at: 107252, kind: 'readdDevice', salt: 47 },
        { at: 114329, kind: 'files', salt: 36 },
      ],
    },
  },
  {
    // She was told by who had forgotten all that the word rests on, and had never heard of the device that said it: she went on by herself for ever.
    name: 'K2 I4 the word alone comes, of a device that is not known (world “win.458”)',
    plan: {
      config: {
        seed: 'win.458',
        big: false,
        people: 4,
        founding: 2,
        hostile: 1,
        manyDevices: 0.3,
        directPaths: 1,
        relayShare: 0,
        network: { latency_ms: [20, 3000], loss: 0.15, duplication: 0.05, reorders: false, relayLifetime_ms: 60000 },
        fsync_ms: 0,
        journal: false,
        realCrypto: false,
        skew_ms: 5000,
        duration_ms: 300000,
      },
      acts: [
        { at: 8243, kind: 'files', salt: 24 },
        { at: 9534, kind: 'posts', salt: 44 },
        { at: 17411, kind: 'move', salt: 37 },
        { at: 19052, kind: 'join', salt: 21 },
        { at: 23133, kind: 'crash', salt: 14 },
        { at: 23320, kind: 'addDevice', salt: 29 },
        { at: 140488, kind: 'absence', salt: 23 },
      ],
    },
  },
  {
    // She let her second device in, which dropped her at once: the founder had never heard of it, and listened to nobody he did not know.
    name: 'I4 who let it in is gone before anybody has heard of it (world “noon.28”)',
    plan: {
      config: {
        seed: 'noon.28',
        big: false,
        people: 3,
        founding: 2,
        hostile: 2,
        manyDevices: 0.3,
        directPaths: 2,
        relayShare: 0.5,
        network: { latency_ms: [20, 3000], loss: 0.15, duplication: 0.05, reorders: false, relayLifetime_ms: 600000 },
        fsync_ms: 2,
        journal: false,
        realCrypto: false,
        skew_ms: 5000,
        duration_ms: 60000,
      },
      acts: [
        { at: 29082, kind: 'addDevice', salt: 28 },
        { at: 44910, kind: 'drop', salt: 18 },
      ],
    },
  },
  {
    // All that was for it went under the key it was let in with, which it never had, and was not given any more.
    name: 'K2 L7 in again and out before it has heard: under a key it has (world “noon.19”)',
    plan: {
      config: {
        seed: 'noon.19',
        big: false,
        people: 4,
        founding: 2,
        hostile: 0,
        manyDevices: 0.5,
        directPaths: 2,
        relayShare: 0,
        network: { latency_ms: [20, 3000], loss: 0, duplication: 0.05, reorders: true, relayLifetime_ms: 2592000000 },
        fsync_ms: 2,
        journal: false,
        realCrypto: false,
        skew_ms: 0,
        duration_ms: 60000,
      },
      acts: [
        { at: 1327, kind: 'join', salt: 39 },
        { at: 11865, kind: 'addDevice', salt: 4 },
        { at: 16124, kind: 'deadPath', salt: 1 },
        { at: 17100, kind: 'drop', salt: 18 },
        { at: 34335, kind: 'readdDevice', salt: 37 },
        { at: 38344, kind: 'addDevice', salt: 60 },
        { at: 50285, kind: 'drop', salt: 59 },
        { at: 55299, kind: 'partition', salt: 11 },
        { at: 57099, kind: 'clockJump', salt: 42 },
      ],
    },
  },
  {
    // Its word was beyond the cut of the drop for the device it took out: that went on for ever as a member of a workspace it was out of.
    name: 'K2 A4 two devices of a person take each other out, and others have heard the one that was dropped first (world “gold.1668”)',
    plan: {
      config: {
        seed: 'gold.1668',
        big: false,
        people: 4,
        founding: 2,
        hostile: 0,
        manyDevices: 0.3,
        directPaths: 2,
        relayShare: 1,
        network: { latency_ms: [20, 3000], loss: 0, duplication: 0, reorders: false, relayLifetime_ms: 600000 },
        fsync_ms: 30,
        journal: false,
        realCrypto: false,
        skew_ms: 5000,
        duration_ms: 300000,
      },
      acts: [
        { at: 63782, kind: 'clockJump', salt: 17 },
        { at: 132337, kind: 'absence', salt: 18 },
        { at: 252013, kind: 'freeze', salt: 0 },
        { at: 258502, kind: 'crash', salt: 13 },
      ],
    },
  },
  {
    // The one that it took out held it for a member, and was told by all others.
    name: 'K2 A4 likewise, where the one that was dropped is in again (world “win.2722”)',
    plan: {
      config: {
        seed: 'win.2722',
        big: false,
        people: 3,
        founding: 2,
        hostile: 0,
        manyDevices: 0.1,
        directPaths: 1,
        relayShare: 0,
        network: { latency_ms: [10, 80], loss: 0, duplication: 0, reorders: false, relayLifetime_ms: 60000 },
        fsync_ms: 400,
        journal: false,
        realCrypto: false,
        skew_ms: 0,
        duration_ms: 300000,
      },
      acts: [
        { at: 86233, kind: 'invite', salt: 31 },
        { at: 91683, kind: 'absence', salt: 42 },
        { at: 114158, kind: 'posts', salt: 11 },
        { at: 180123, kind: 'absence', salt: 8 },
        { at: 202797, kind: 'drop', salt: 7 },
        { at: 236696, kind: 'join', salt: 51 },
        { at: 242262, kind: 'freeze', salt: 34 },
      ],
    },
  },
  {
    // It waited for the word of the first for ever: it wrote nothing, acknowledged nothing, and all kept their old keys.
    name: 'K4 L7 I4 who let a device in was out himself, and another lets it in (world “win.805”)',
    plan: {
      config: {
        seed: 'win.805',
        big: false,
        people: 4,
        founding: 4,
        hostile: 0,
        manyDevices: 0.1,
        directPaths: 1,
        relayShare: 1,
        network: { latency_ms: [1, 5], loss: 0, duplication: 0, reorders: false, relayLifetime_ms: 60000 },
        fsync_ms: 400,
        journal: false,
        realCrypto: false,
        skew_ms: 0,
        duration_ms: 300000,
      },
      acts: [
        { at: 17838, kind: 'absence', salt: 75 },
        { at: 137380, kind: 'crash', salt: 58 },
        { at: 150819, kind: 'absence', salt: 64 },
        { at: 152091, kind: 'posts', salt: 35 },
        { at: 225336, kind: 'edit', salt: 1 },
        { at: 228563, kind: 'absence', salt: 68 },
        { at: 285385, kind: 'readdDevice', salt: 39 },
      ],
    },
  },
];
