/** What goes wrong in a world without anybody's will. Each ends by itself, or with the quiet at the end. */
import type { Doing } from './acts.ts';
import type { SimDevice } from './device.ts';
import type { World } from './world.ts';

const backUps = new WeakMap<SimDevice, () => void>();

const crash: Doing = (world, dice) => {
  const device = dice.pickOr([...world.devices.values()].filter(({ alive }) => alive));
  if (!device) return;
  stop(world, device);
  const torn = dice.chance(0.5);
  const pending = device.log.pending;
  const lost = device.log.crash(torn ? dice : undefined);
  world.counts.add('crashes');
  if (pending) world.counts.add(torn ? 'crashes with a torn write' : 'crashes with something not fsynced');
  if (lost) world.counts.add('crashes that lost something');
  world.agenda.put(world.time + dice.below(world.config.duration_ms / 4), () => begin(world, device));
};

function stop(world: World, device: SimDevice): void {
  world.network.cutAll(device.id);
  device.stop();
}

async function begin(world: World, device: SimDevice): Promise<void> {
  if (device.alive) return;
  const before = [...device.acknowledged];
  await device.start();
  world.changed(device.id);
  world.counts.add('restarts');
  if (!world.restored.has(device.id)) {
    for (const id of before)
      if (!world.holds(device, id)) world.violate('L1', `${world.nameOf(device.id)} lost a delta that was durable`);
  }
  if (!world.offline.has(device.id)) world.goOnline(device.id);
}

const offline: Doing = (world, dice) => {
  const device = dice.pick([...world.devices.values()]);
  if (world.offline.has(device.id)) return;
  world.goOffline(device.id);
  world.counts.add('devices offline');
  world.agenda.put(world.time + dice.below(world.config.duration_ms / 2), () => {
    if (world.offline.has(device.id)) world.goOnline(device.id);
  });
};

const partition: Doing = (world, dice) => {
  const part = new Set([...world.devices.keys()].filter(() => dice.chance(0.5)));
  world.divide(part);
  world.counts.add('partitions');
  world.agenda.put(world.time + dice.below(world.config.duration_ms / 3), () => world.divide(undefined));
};

const cut: Doing = (world, dice) => {
  const path = dice.pickOr(world.network.openPaths());
  if (!path) return;
  world.network.cut(...path);
  world.agenda.put(world.time + dice.below(30_000), () => world.connect(...path));
};

const deadPath: Doing = (world, dice) => {
  const path = dice.pickOr(world.network.openPaths());
  if (!path) return;
  world.network.cut(...path);
  world.network.open(...path, true);
  world.counts.add('dead paths');
  world.agenda.put(world.time + dice.below(120_000), () => {
    world.network.cut(...path);
    world.connect(...path);
  });
};

const relayDown: Doing = (world, dice) => {
  if (!world.network.relayUp) return;
  world.network.relayUp = false;
  world.counts.add('relay outages');
  world.agenda.put(world.time + dice.below(world.config.duration_ms / 4), () => {
    world.network.relayBack(
      [...world.devices.values()].filter(({ alive, id }) => alive && !world.offline.has(id)).map(({ id }) => id),
    );
  });
};

const clockJump: Doing = (world, dice) => {
  const device = dice.pick([...world.devices.values()]);
  world.jumpClock(device.id, dice.below(2 * 3_600_000) - 3_600_000);
  world.counts.add('clock jumps');
};

const backUp: Doing = (world, dice) => {
  const device = dice.pick([...world.devices.values()]);
  backUps.set(device, device.log.backUp());
};

/** D2: the disk is put back to what it was; whoever starts from it opens a new feed above what others know of the old one. */
const restore: Doing = async (world, dice) => {
  const device = dice.pickOr([...world.devices.values()].filter((one) => backUps.has(one) && one.alive));
  if (!device || world.isHostile(device.id)) return;
  stop(world, device);
  device.log.crash(undefined);
  backUps.get(device)!();
  world.restored.add(device.id);
  await device.start(true);
  world.changed(device.id);
  world.counts.add('restored back-ups');
  if (!world.offline.has(device.id)) world.goOnline(device.id);
};

const compact: Doing = async (world, dice) => {
  const device = dice.pickOr([...world.devices.values()].filter(({ alive }) => alive));
  if (!device) return;
  await device.log.fsync();
  await device.log.compact(device.records());
  world.changed(device.id);
  world.counts.add('snapshots');
};

export const faults = {
  crash,
  offline,
  partition,
  cut,
  deadPath,
  relayDown,
  clockJump,
  backUp,
  restore,
  compact,
} satisfies Record<string, Doing>;
