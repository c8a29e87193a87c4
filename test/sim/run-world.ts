/** One world from its beginning to the quiet, and what was found in it. */
import { honest, type Doing } from './acts.ts';
import type { DeviceId } from '../../src/base/ids.ts';
import { audit, checkWorld, setOf } from './checks.ts';
import type { Counts } from './counts.ts';
import type { SimDevice } from './device.ts';
import { Dice } from './dice.ts';
import { faults } from './faults.ts';
import { hostile } from './hostile.ts';
import { START } from './people.ts';
import type { ActKind, Plan } from './plan.ts';
import { World, type Violation } from './world.ts';

const DOINGS: Readonly<Record<ActKind, Doing>> = { ...honest, ...faults, ...hostile, audit };

/**
 * Longest that members who can reach each other may need to come to rest: clocks that were set back make them wait an hour; and once an hour they tell by relay
 * what all adds up to (L6), by which some hear what they lack, and tell the next.
 */
const QUIET_MS = 6 * 3_600_000;

/** Who is given a copy that is out of step as well asks another. */
const RENEWALS = 3;

const FEW = 10;
/** Connected to so many of those it knows, where its plan says nothing. */
const QUIET_PATHS = 3;

/** Acts that write much at once in a big world. */
const BURSTS: ReadonlySet<ActKind> = new Set(['posts', 'files']);

export interface Outcome {
  readonly violations: readonly Violation[];
  readonly counts: Counts;
  readonly deltas: number;
}

export async function runWorld({ config, acts }: Plan): Promise<Outcome> {
  const world = new World(config);
  const dice = new Dice(`world ${config.seed}`);
  const { counts } = world;
  try {
    await world.begin();
    const begun = world.time;
    world.burstsLeft = acts.filter(({ kind }) => BURSTS.has(kind)).length;
    for (const { at, kind, salt } of acts) {
      await world.run(begun + at);
      counts.add('acts');
      await DOINGS[kind](world, dice.fork(salt));
      if (BURSTS.has(kind)) world.burstsLeft--;
      await world.settle();
    }
    await world.run(begun + config.duration_ms);
    const rests = (await quiet(world, dice.fork('quiet'))) && (await renewed(world));
    checkWorld(world, dice.fork('checks'), rests);
  } catch (error) {
    world.violate('exception', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  counts.add('steps', world.steps);
  counts.add('messages', world.network.messages);
  counts.add('simulated minutes', Math.round((world.time - START) / 60_000));
  for (const name of config.journal ? ['worlds with a journal'] : []) counts.add(name);
  if (config.realCrypto) counts.add('worlds with real cryptography');
  const deltas = counts.get('deltas');
  if (world.devices.size >= 20 && deltas >= 500) counts.add('large worlds');
  counts.add('devices', world.devices.size);
  counts.most('most people', world.people.length);
  return { violations: world.violations, counts, deltas };
}

/**
 * Each is connected to some it knows, and in a ring: what one has finds a way to nearly everybody, and not by every way there is.
 * Few are then all connected, as they are in the end outside, and so are many where it has not.
 */
async function quiet(world: World, dice: Dice): Promise<boolean> {
  await world.heal();
  const ids = dice.shuffled([...world.devices.values()].filter(({ id }) => !world.isHostile(id)).map(({ id }) => id));
  const some = ids.length > FEW ? (world.config.quietPaths ?? QUIET_PATHS) : 1;
  for (const [i, id] of ids.entries()) {
    const known = ids.filter((other) => world.devices.get(id)!.session.isPeer(other));
    for (const other of [...dice.shuffled(known).slice(0, some), ids[(i + 1) % ids.length]!])
      if (other !== id) world.connect(id, other);
  }
  await world.settle();
  const rests = await world.run(world.time + QUIET_MS);
  if (ids.length > FEW) {
    if (!rests || isEven(world, ids)) return rests;
    world.counts.add('worlds connected once more');
  }
  for (const [i, a] of ids.entries()) for (const b of ids.slice(i + 1)) world.connect(a, b);
  await world.settle();
  return world.run(world.time + QUIET_MS);
}

/** Who has no copy any more shows nobody that he is online. */
function isThere(world: World, id: DeviceId): boolean {
  const device = world.devices.get(id);
  return device?.alive === true && !world.isHostile(id) && device.replica.size > 0;
}

/** L6: whose copy says that it is out of step fetches a fresh one, as its person is told to, of whom his device would. */
async function renewed(world: World): Promise<boolean> {
  for (let tries = 0; tries < RENEWALS; tries++) {
    const asked = new Map<SimDevice, DeviceId>();
    for (const device of outOfStep(world)) {
      const from = device.engine.freshCopyFrom((id) => isThere(world, id));
      if (from === undefined) continue;
      asked.set(device, from);
      world.connect(device.id, from);
      device.renewFrom(from);
    }
    if (asked.size === 0) return true;
    world.counts.add('copies that are renewed in the end', asked.size);
    await world.settle();
    if (!(await world.run(world.time + QUIET_MS))) return false;
    for (const [device, from] of asked) device.stopRenewing(from);
  }
  return true;
}

/**
 * Also who was given a copy, by who let it in, in which it is not: it is on its way. And whose copy nobody has vouched for, where it adds up to something else than
 * others': its person is told so, and which it may be.
 */
function outOfStep(world: World): readonly SimDevice[] {
  return [...world.devices.values()].filter(
    ({ alive, id, sponsors, engine, session }) =>
      alive &&
      !world.isHostile(id) &&
      (engine.isOutOfStep || (!engine.replica.isConfirmed && session.differing.length > 0)) &&
      (sponsors.size > 0 || engine.replica.roster.devices.has(id)),
  );
}

/** Whether all whom the best informed knows as members hold the same, and nobody else holds anything, nor waits for another's word (D2), or for a copy (N4). */
function isEven(world: World, ids: readonly DeviceId[]): boolean {
  const held = new Map(ids.map((id) => [id, world.heldBy(world.devices.get(id)!)]));
  const [best, most] = [...held].reduce((a, b) => (b[1].length > a[1].length ? b : a));
  const { roster } = world.devices.get(best)!.replica;
  const set = setOf(most);
  const isEvenWith = (id: DeviceId) =>
    roster.devices.has(id) && setOf(held.get(id)!) === set && !world.devices.get(id)!.engine.isAwaitingWord;
  return ids.every((id) => (held.get(id)!.length === 0 ? !roster.devices.has(id) : isEvenWith(id)));
}
