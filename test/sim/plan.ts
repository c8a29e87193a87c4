/**
 * What a world is to be, drawn from its seed before it begins: who is there, how bad network and disks are, and which acts
 * happen when. An act draws what it needs from a stream of its own, so that a world with fewer acts is the same world otherwise,
 * and a failing one can be shrunk.
 */
import { Dice } from './dice.ts';
import type { NetworkConfig } from './network.ts';

export type ActKind = (typeof ACTS)[number]['kind'];

export interface Act {
  readonly at: number;
  readonly kind: ActKind;
  readonly salt: number;
}

export interface WorldConfig {
  readonly seed: string;
  readonly big: boolean;
  /** How many deltas are to be written by the end of the acts: in a big world bursts of posts and files see to it. */
  readonly deltas?: number;
  readonly people: number;
  /** Of these, how many are let in at the start; the others knock later. */
  readonly founding: number;
  readonly hostile: number;
  /** Share of the people with two or three devices. */
  readonly manyDevices: number;
  /** To how many others a device can connect directly, on average. */
  readonly directPaths: number;
  /** In the quiet, of many: to how many it connects of those it knows, beside its neighbours in the ring. */
  readonly quietPaths?: number;
  readonly relayShare: number;
  readonly network: NetworkConfig;
  readonly fsync_ms: number;
  readonly journal: boolean;
  readonly realCrypto: boolean;
  /** Milliseconds by which clocks may be wrong. */
  readonly skew_ms: number;
  readonly duration_ms: number;
}

export interface Plan {
  readonly config: WorldConfig;
  readonly acts: readonly Act[];
}

/**
 * How often each act is drawn: `calm` in any world, `faults` where things break, `hostile` where somebody is; in a rough world content, which is
 * most of what is written elsewhere, as often as `rough` says.
 */
const ACTS = [
  { kind: 'posts', calm: 30, rough: 6 },
  { kind: 'edit', calm: 6, rough: 1 },
  { kind: 'unpost', calm: 3, rough: 1 },
  { kind: 'files', calm: 14, rough: 3 },
  { kind: 'folder', calm: 5, rough: 1 },
  { kind: 'version', calm: 10, rough: 2 },
  { kind: 'delete', calm: 3, rough: 1 },
  { kind: 'move', calm: 6, rough: 1 },
  { kind: 'profile', calm: 2, rough: 1 },
  { kind: 'rename', calm: 1, rough: 1 },
  { kind: 'tool', calm: 1, rough: 1 },
  { kind: 'setPerm', calm: 3, rough: 1 },
  { kind: 'setRole', calm: 3 },
  { kind: 'invite', calm: 3 },
  { kind: 'revoke', calm: 1 },
  { kind: 'join', calm: 5 },
  { kind: 'remove', calm: 2 },
  { kind: 'leave', calm: 1 },
  { kind: 'addDevice', calm: 3 },
  { kind: 'removeDevice', calm: 1 },
  { kind: 'drop', calm: 1 },
  { kind: 'readdDevice', calm: 2 },
  { kind: 'absence', calm: 2 },
  { kind: 'renew', calm: 1 },
  { kind: 'freeze', calm: 2 },
  { kind: 'audit', calm: 2, rough: 1 },
  { kind: 'crash', faults: 6 },
  { kind: 'offline', faults: 8 },
  { kind: 'partition', faults: 3 },
  { kind: 'cut', faults: 6 },
  { kind: 'deadPath', faults: 4 },
  { kind: 'relayDown', faults: 3 },
  { kind: 'clockJump', faults: 2 },
  { kind: 'backUp', faults: 2 },
  { kind: 'restore', faults: 2 },
  { kind: 'compact', faults: 2 },
  { kind: 'backdate', hostile: 6 },
  { kind: 'fork', hostile: 1 },
  { kind: 'forgedDeps', hostile: 3 },
  { kind: 'escalate', hostile: 8 },
  { kind: 'meddle', hostile: 6 },
  { kind: 'replay', hostile: 4 },
  { kind: 'garbage', hostile: 4 },
  { kind: 'lie', hostile: 4 },
  { kind: 'badBody', hostile: 4 },
  { kind: 'badBox', hostile: 2 },
  { kind: 'impersonate', hostile: 3 },
  { kind: 'halfSigned', hostile: 3 },
  { kind: 'wrongPlace', hostile: 3 },
  { kind: 'lowFeed', hostile: 3 },
  { kind: 'forgedBase', hostile: 3 },
  { kind: 'forgedSender', hostile: 3 },
] as const satisfies readonly { kind: string; calm?: number; rough?: number; faults?: number; hostile?: number }[];

/** Of so many worlds in a row these: a fifth and some, whatever chance says, have at least 20 devices and 500 deltas. */
const ROUND = 9;
const BIG_ONES: readonly number[] = [2, 6];
/** Written by the end of the acts; the quiet brings an acknowledgement of each device and more. */
const BIG_DELTAS = [500, 560] as const;
/** Of a crowd more would only be more of the same: each acknowledges every minute what it has heard, and all tell all. */
const CROWD = 20;
const LARGEST_CROWD = 50;
/** Most of what goes wrong goes wrong among few, in an hour's hundredth: these are what a hundred thousand worlds are made of. */
const FEW = 5;
const SOME = 8;
const DURATIONS_MS = [60_000, 60_000, 120_000, 300_000, 300_000, 1_200_000];
const CROWD_MS = [60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 120_000, 120_000, 120_000, 600_000];

/**
 * What a seed begins with whose worlds are rough: few people, among whom words about who is in, lost logs and broken paths follow one
 * another with little between. Where a rule is wrong, these show it soonest.
 */
export const ROUGH = 'rough';

export function planWorld(seed: string): Plan {
  const dice = new Dice(`plan ${seed}`);
  const isRough = seed.startsWith(ROUGH);
  const big = !isRough && BIG_ONES.includes(Number(/\d+$/.exec(seed)?.[0] ?? dice.word()) % ROUND);
  const faulty = dice.chance(isRough ? 0.9 : 0.8);
  const config: WorldConfig = {
    seed,
    big,
    people: big
      ? dice.between(CROWD, dice.chance(0.03) ? LARGEST_CROWD : CROWD)
      : dice.between(3, dice.chance(0.2) ? SOME : FEW),
    ...(big ? { deltas: dice.between(...BIG_DELTAS), quietPaths: 1 } : {}),
    founding: 0,
    hostile: dice.chance(0.55) ? (dice.chance(0.3) ? 2 : 1) : 0,
    manyDevices: big ? dice.pick([0.05, 0.1, 0.2]) : dice.pick([0.1, 0.3, 0.5]),
    directPaths: big ? dice.between(2, 3) : dice.pick([1, 2, 2, 3, 7]),
    relayShare: big ? dice.pick([0, 0.1, 0.3]) : dice.pick([0, 0.5, 1, 1]),
    network: {
      latency_ms: dice.pick([
        [1, 5],
        [10, 80],
        [20, 3000],
      ] as const),
      loss: faulty ? dice.pick([0, 0, 0.02, 0.15]) : 0,
      duplication: faulty ? dice.pick([0, 0, 0.05]) : 0,
      reorders: faulty && dice.chance(0.3),
      relayLifetime_ms: dice.pick([60_000, 600_000, 30 * 86_400_000]),
    },
    fsync_ms: dice.pick([0, 2, 30, 400]),
    journal: dice.chance(0.06),
    realCrypto: dice.chance(0.02),
    skew_ms: dice.pick([0, 0, 5_000, 86_400_000]),
    duration_ms: big ? dice.pick(CROWD_MS) : dice.pick(DURATIONS_MS),
  };
  const founding = dice.between(Math.min(2, config.people), Math.max(2, config.people - dice.below(4)));
  const acts = big ? dice.between(30, 44) : dice.between(15, 80);
  const whole = { ...config, founding };
  return { config: whole, acts: drawActs(dice, whole, { faulty, isRough }, acts) };
}

function drawActs(
  dice: Dice,
  config: WorldConfig,
  { faulty, isRough }: { readonly faulty: boolean; readonly isRough: boolean },
  count: number,
): Act[] {
  const weights = ACTS.map((act) => {
    if ('faults' in act) return faulty ? act.faults : 0;
    if ('hostile' in act) return config.hostile > 0 ? act.hostile : 0;
    if (isRough && 'rough' in act) return act.rough;
    return config.big && (act.kind === 'posts' || act.kind === 'files') ? 2 * act.calm : act.calm;
  });
  const total = weights.reduce<number>((sum, weight) => sum + weight, 0);
  const acts: Act[] = [];
  for (let salt = 0; salt < count; salt++) {
    let left = dice.below(total);
    const at = weights.findIndex((weight) => (left -= weight) < 0);
    acts.push({ at: dice.below(config.duration_ms), kind: ACTS[at]!.kind, salt });
  }
  return acts.sort((a, b) => a.at - b.at);
}
