/** What must hold of every world, whatever happened in it. */
import type { DeviceId } from '../../src/base/ids.ts';
import { readControl, type Control } from '../../src/sync/control.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { tagOf } from '../../src/sync/epoch.ts';
import type { Node } from '../../src/sync/graph.ts';
import { Replica } from '../../src/sync/replica.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { checkAuthority } from './authority-check.ts';
import type { Doing } from './acts.ts';
import { Digest } from './digest.ts';
import type { SimDevice } from './device.ts';
import type { Dice } from './dice.ts';
import { isPast, Past, type Placed } from './past.ts';
import type { World } from './world.ts';

const NOBODY = '0'.repeat(64) as DeviceId;

/** A replica of nobody's, that is given deltas and writes none. */
function reader(world: World): Replica {
  const { crypto, workspace } = world;
  return new Replica({ crypto, workspace, reducers: [chatReducer, filesReducer], own: feedOf(NOBODY, 0) });
}

/** All that replicas with the same deltas must agree on, in one number. */
export function stateOf(replica: Replica): string {
  const digest = new Digest();
  for (const { tool, table, key, row } of replica.rows()) digest.add('row', tool, table, key, row ?? null);
  for (const { delta } of replica.nodes()) digest.add('verdict', delta.id, String(replica.verdictOf(delta.id)));
  const { name, members, tools, invites, epochs } = replica.roster;
  digest.add('name', name);
  for (const member of members.values()) {
    digest.add('member', member.account, member.name, member.role, member.credential);
    for (const { certificate, relay } of member.devices) digest.add('device', certificate.device, relay);
  }
  for (const { tool, kind, name: toolName } of tools.values()) digest.add('tool', tool, kind, toolName);
  for (const { id, usesLeft, revoked } of invites.values()) digest.add('invite', id, usesLeft, revoked);
  epochs.forEach(({ maker }, i) => digest.add('epoch', maker.delta.id, i));
  return digest.value;
}

export function setOf(nodes: Iterable<Node>): string {
  const digest = new Digest();
  for (const { delta } of nodes) digest.add(delta.id);
  return digest.value;
}

/** A6, L5: what came bit by bit is what comes at once, in another order. */
export const audit: Doing = (world, dice) => {
  const device = dice.pickOr([...world.devices.values()].filter(({ alive }) => alive));
  if (!device) return;
  world.counts.add('audits');
  compareWithBatch(world, device.replica, dice, world.nameOf(device.id));
};

function compareWithBatch(world: World, replica: Replica, dice: Dice, name: string): void {
  const nodes = [...replica.nodes()];
  const batch = reader(world);
  batch.ingest(runsOf(dice, nodes));
  if (batch.size !== nodes.length)
    return world.violate('D5', `a copy of ${name}'s takes ${batch.size} of ${nodes.length} deltas`);
  if (stateOf(batch) !== stateOf(replica))
    world.violate('L5', `${name}'s state is not what its ${nodes.length} deltas make at once`);
}

/** Each feed whole, in chance's order of feeds: most things wait for their past. Each ends at a signature (D7). */
function runsOf(dice: Dice, nodes: readonly Node[]): (readonly Uint8Array[])[] {
  const feeds = new Map<string, Uint8Array[]>();
  for (const { delta } of nodes) {
    const run = feeds.get(delta.feed);
    if (run) run.push(delta.bytes);
    else feeds.set(delta.feed, [delta.bytes]);
  }
  return dice.shuffled([...feeds.values()]);
}

/** After the quiet. */
export function checkWorld(world: World, dice: Dice, cameToRest: boolean): void {
  const honest = [...world.devices.values()].filter(({ id }) => !world.isHostile(id));
  const union = reader(world);
  for (const { replica } of honest)
    if (replica.size > 0) for (const run of runsOf(dice, lacking(union, replica))) union.ingest([run]);
  const live = honest.filter(({ id, replica }) => union.roster.devices.has(id) && replica.size > 0);
  for (const device of honest) checkDevice(world, device);
  checkAuthority(world, union);
  checkKeys(world, union);
  if (live.length === 0) return;
  if (world.forked.size > 0) return checkSameSets(world, live);
  if (!cameToRest) world.violate('S1', 'the world does not come to rest');
  checkEqual(world, live, dice);
  checkMembers(world, union, live);
}

function lacking(union: Replica, replica: Replica): Node[] {
  return [...replica.nodes()].filter(({ delta }) => !union.node(delta.id));
}

/** Everybody who is a member has everything that any of them has, and it means the same to all. */
function checkEqual(world: World, live: readonly SimDevice[], dice: Dice): void {
  const largest = live.reduce((a, b) => (b.replica.size > a.replica.size ? b : a));
  const set = setOf(largest.replica.nodes());
  const state = stateOf(largest.replica);
  for (const device of live) {
    const { replica } = device;
    if (setOf(replica.nodes()) !== set) {
      const lacks = [...largest.replica.nodes()].filter(({ delta }) => !replica.node(delta.id));
      const more = [...replica.nodes()].filter(({ delta }) => !largest.replica.node(delta.id));
      const what = (nodes: readonly Node[]) =>
        nodes
          .slice(0, 3)
          .map(({ delta }) => `${world.nameOf(delta.device)} ${delta.kind} ${delta.seq}`)
          .join(', ');
      world.violate(
        'S1',
        `${world.nameOf(device.id)} lacks ${lacks.length} (${what(lacks)}) and has ${more.length} (${what(more)}) beside ${world.nameOf(largest.id)}`,
      );
    } else if (stateOf(replica) !== state) {
      world.violate(
        'L5',
        `${world.nameOf(device.id)} and ${world.nameOf(largest.id)} have the same deltas and not the same state`,
      );
    }
  }
  compareWithBatch(world, largest.replica, dice, world.nameOf(largest.id));
  for (const device of live) {
    for (const id of device.acknowledged)
      if (!largest.replica.node(id))
        world.violate('D1', `what ${world.nameOf(device.id)} was told is safe is not with the others`);
  }
  world.counts.add('members equal in the end', live.length);
  world.counts.most('most devices', live.length);
}

/** Where somebody has two histories, what is the same set is the same state. */
function checkSameSets(world: World, live: readonly SimDevice[]): void {
  const states = new Map<string, string>();
  for (const { replica, id } of live) {
    const set = setOf(replica.nodes());
    const state = stateOf(replica);
    if ((states.get(set) ?? state) !== state)
      world.violate('L5', `${world.nameOf(id)} has the deltas of another and not his state`);
    states.set(set, state);
  }
}

function checkDevice(world: World, device: SimDevice): void {
  const { replica } = device;
  for (const id of device.acknowledged)
    if (!replica.node(id)) world.violate('L1', `${world.nameOf(device.id)} lost what it was told is safe`);
  for (const id of world.unauthentic)
    if (replica.node(id)) world.violate('D7', `${world.nameOf(device.id)} keeps what nobody has signed`);
}

/**
 * K2: no device that is out holds a key that was made by who knew that it is; but for one that was let in again in good faith, by
 * who did not know that he was out himself: his word is void, and the key that he has boxed in it is known.
 */
function checkKeys(world: World, union: Replica): void {
  const { epochs, gone } = union.roster;
  const past = new Past([...union.nodes()].map(({ delta }) => delta));
  world.counts.add('boxes of epochs', epochs.length);
  for (const [id, word] of gone) {
    const device = world.devices.get(id);
    const out = past.get(word.delta.id);
    if (!device || !out) continue;
    const given = new Set(inVain(world, union, past, id).map(({ control }) => tagOf(control.epoch.commit)));
    const known = new Set<string>();
    for (const { notice, maker } of epochs) {
      const tag = tagOf(notice.commit);
      // Who boxes an older key to somebody new makes none.
      if (known.has(tag)) continue;
      known.add(tag);
      const made = past.get(maker.delta.id);
      if (!made || (made !== out && !isPast(out, made))) continue;
      world.counts.add('keys kept from who is out');
      if (!device.engine.keys.find(tag)) continue;
      if (given.has(tag)) world.counts.add('keys given by who was out');
      else world.violate('K2', `${world.nameOf(id)}, who is out, holds a key that was made afterwards`);
    }
  }
}

interface Addition {
  readonly placed: Placed;
  readonly control: Control & { kind: 'admit' | 'addDevice' };
}

/** What lets a device in and is void since its author was out: he and the device need not have heard of that. */
function inVain(world: World, union: Replica, past: Past, device: DeviceId): readonly Addition[] {
  const found: Addition[] = [];
  for (const placed of past.all()) {
    const { delta } = placed;
    if (delta.tool !== undefined || (delta.kind !== 'admit' && delta.kind !== 'addDevice')) continue;
    if (union.verdictOf(delta.id) !== 'cutOff') continue;
    const control = readControl(world.crypto, delta);
    if (control?.kind !== 'admit' && control?.kind !== 'addDevice') continue;
    if (control.certificates.some((certificate) => certificate.device === device)) found.push({ placed, control });
  }
  return found;
}

/**
 * K2: whoever is out has heard it, and his client has erased his copy, unless he was let in again in good faith: what voids that
 * lies beyond the word that took him out, and is not for him. K3: all members use the same key, where one is clean, and nobody
 * who is out holds it.
 */
function checkMembers(world: World, union: Replica, live: readonly SimDevice[]): void {
  const past = new Past([...union.nodes()].map(({ delta }) => delta));
  for (const [id, word] of union.roster.gone) {
    const device = world.devices.get(id);
    if (!device || world.isHostile(id) || word.delta.kind === 'leave' || device.replica.size === 0) continue;
    const out = past.get(word.delta.id)!;
    const believes =
      device.replica.node(word.delta.id) &&
      inVain(world, union, past, id).some(({ placed }) => isPast(out, placed) && device.replica.node(placed.delta.id));
    if (believes) world.counts.add('let in again by who was out');
    else world.violate('K2', `${world.nameOf(id)} does not know of the ${word.delta.kind} that took it out`);
  }
  const clean = live.filter(({ engine }) => engine.keys.isClean);
  const used = new Set(clean.map(({ engine }) => engine.keys.inUse));
  if (clean.length === live.length && used.size > 1)
    world.violate('K3', `${live.length} devices use ${used.size} keys`);
  if (used.size > 0) world.counts.add('worlds under a clean key');
  for (const tag of used) {
    for (const id of union.roster.gone.keys())
      if (tag !== undefined && world.devices.get(id)?.engine.keys.find(tag))
        world.violate('K3', `${world.nameOf(id)}, who is out, holds the key that members use`);
  }
}
