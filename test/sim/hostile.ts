/**
 * What hostile members do: they hold their own seeds and all that was ever sent to them, and a client changed as they like. A
 * hostile device runs the honest code beside it, so that it hears everything; what it forges goes where it wants.
 */
import { toHex } from '../../src/base/bytes.ts';
import type { DeltaId, DeviceId, FeedId } from '../../src/base/ids.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { feedOf, signDelta, type Delta, type DeltaDraft } from '../../src/sync/delta.ts';
import type { BaseParts } from '../../src/sync/base.ts';
import { encodeMessage, headOf, markOf, type Message } from '../../src/sync/messages.ts';
import { boxEpoch, epochOf, type BoxTarget } from '../../src/sync/epoch.ts';
import type { Path } from '../../src/sync/ports.ts';
import { chatBody } from '../../src/tools/chat/deltas.ts';
import { sealedBytes, sealedLie } from '../sync/sealed-lies.ts';
import type { Doing } from './acts.ts';
import { reader } from './checks.ts';
import type { SimDevice } from './device.ts';
import type { Dice } from './dice.ts';
import { CHAT, FILES, type World } from './world.ts';

type Mischief = (world: World, device: SimDevice, dice: Dice) => void;

/** Hostile devices that are up, members or not any more: somebody who was removed goes on. */
function mischief(name: string, make: Mischief): Doing {
  return (world, dice) => {
    const devices = [...world.devices.values()].filter((device) => device.alive && world.isHostile(device.id));
    const device = dice.pickOr(devices.filter((one) => one.replica.size > 0));
    if (!device) return;
    world.counts.add(`hostile ${name}`);
    make(world, device, dice);
  };
}

interface Lie extends Partial<Omit<DeltaDraft, 'kind' | 'body'>> {
  readonly kind: string;
  readonly body: Value;
}

/** The next delta of its feed, but for what the lie changes. Its deps are of its choosing: none, unless said. */
function forge(world: World, device: SimDevice, lie: Lie): Delta {
  const generation = lie.generation ?? device.generation;
  const feed = feedOf(device.id, generation);
  const seq = lie.seq ?? tipOf(device, feed) + 1;
  const prev = seq === 1 ? undefined : device.replica.nodeAt(feed, seq - 1)?.delta.id;
  const best = device.replica.roster.members.get(device.identity.account)?.credential;
  return signDelta(world.crypto, device.identity.signer, world.workspace, {
    generation,
    seq,
    prev,
    deps: [],
    credential: best ?? lastCredential(world, device),
    time: world.now(device.id),
    tool: undefined,
    ...lie,
  });
}

/** Of somebody removed: what he was let in with, or whatever he was given since. */
function lastCredential(world: World, device: SimDevice): DeltaId | undefined {
  return ownCredentials(world, device).at(-1);
}

/** All that ever gave it a role, whether it still does or not. */
function ownCredentials(world: World, device: SimDevice): DeltaId[] {
  const ids = [...(world.made.get('admit') ?? []), ...(world.made.get('setRole') ?? [])];
  return ids.filter((id) => {
    const delta = device.replica.node(id)?.delta;
    return delta !== undefined && namesAccount(delta.body, device.identity.certificate.accountKey);
  });
}

function namesAccount(body: Value, account: Uint8Array): boolean {
  const first = Array.isArray(body) ? (body as readonly Value[])[0] : undefined;
  return (
    first instanceof Uint8Array && first.length === account.length && first.every((byte, i) => byte === account[i])
  );
}

/** Into its own copy and, as from there, to everybody. */
function publish(world: World, device: SimDevice, delta: Delta): void {
  world.note(delta);
  device.plant(delta.bytes);
}

/** Straight to some, sealed as any message. */
function tell(world: World, device: SimDevice, to: readonly DeviceId[], deltas: readonly Delta[]): void {
  say(world, device, to, { kind: 'deltas', runs: deltas.map((delta) => [delta.bytes]) });
}

function say(
  world: World,
  device: SimDevice,
  to: readonly DeviceId[],
  message: Message,
  under = device.epoch?.tag,
): void {
  throwEach(world, device, to, (path) => device.engine.seal(message, under, path));
}

/** Sealed and, by the relay, signed, whatever it is. */
function sayBytes(world: World, device: SimDevice, to: readonly DeviceId[], said: Uint8Array): void {
  const [under, { seed }] = [device.epoch, device.identity.signer];
  throwEach(world, device, to, (path) => under && sealedBytes(world.crypto, { under, path, seed }, said));
}

function throwAt(world: World, device: SimDevice, to: readonly DeviceId[], bytes: Uint8Array): void {
  throwEach(world, device, to, () => bytes);
}

function throwEach(
  world: World,
  device: SimDevice,
  to: readonly DeviceId[],
  seal: (path: Path) => Uint8Array | undefined,
): void {
  for (const one of to) {
    const path = world.network.isOpen(device.id, one) ? 'direct' : 'relay';
    const bytes = seal(path);
    if (bytes) world.network.send(device.id, { path, to: [one], bytes, ephemeral: false, holds: undefined });
  }
}

function others(world: World, device: SimDevice, dice: Dice): DeviceId[] {
  return dice.shuffled([...world.devices.keys()].filter((id) => id !== device.id)).slice(0, dice.between(1, 4));
}

/** With what is not durable yet: its place is taken, and another delta there would be a fork. */
function tipOf({ replica }: SimDevice, feed: FeedId): number {
  let seq = replica.vector().get(feed) ?? 0;
  while (replica.nodeAt(feed, seq + 1)) seq++;
  return seq;
}

function ownTip(device: SimDevice): number {
  return tipOf(device, feedOf(device.id, device.generation));
}

/** A delta with nothing new in its past: after a removal it claims to have been written before it. */
const backdate = mischief('backdating', (world, device, dice) => {
  const text = `backdated ${dice.word()}`;
  const lie: Lie = dice.chance(0.7)
    ? { tool: CHAT, kind: 'post', body: chatBody({ kind: 'post', text }) }
    : { kind: 'admit', body: admitBody(world, device, dice, Role.participant) };
  if (!device.replica.roster.devices.has(device.id)) world.counts.add('hostile backdating by who was removed');
  const credential = dice.chance(0.3) ? dice.pickOr(ownCredentials(world, device)) : undefined;
  const time = world.time - dice.below(86_400_000);
  publish(world, device, forge(world, device, { ...lie, time, ...(credential ? { credential } : {}) }));
});

/** Two histories of one feed, one for some and one for others (D8). */
const fork = mischief('forks', (world, device, dice) => {
  const tip = ownTip(device);
  if (tip < 2) return;
  const seq = dice.chance(0.5) ? tip + 1 : dice.between(2, tip);
  const post = (text: string) => forge(world, device, { seq, tool: CHAT, kind: 'post', body: [text] });
  const [one, other] = [post(`fork a ${dice.word()}`), post(`fork b ${dice.word()}`)];
  world.forked.add(device.id);
  const them = others(world, device, dice);
  tell(world, device, them.slice(0, them.length >> 1), [one]);
  tell(world, device, them.slice(them.length >> 1), [other]);
  if (seq === tip + 1) publish(world, device, dice.chance(0.5) ? one : other);
});

/** A feed of its own for a lie that is no fork: any device may begin one (D2). */
function newFeed(dice: Dice): number {
  return dice.between(100, 1_000_000_000);
}

/** A later feed that knows less than the older one: as if its device had acknowledged nothing, or little (D2, L4). */
const lowFeed = mischief('feeds that know less', (world, device, dice) => {
  const generation = newFeed(dice);
  const known = dice.pickOr([...device.replica.nodes()].filter(({ delta }) => delta.device !== device.id));
  const entrances = [...(world.made.get('genesis') ?? []), ...(world.made.get('admit') ?? [])];
  const named = dice.chance(0.5) ? known?.delta.id : dice.pickOr(entrances.filter((id) => device.replica.node(id)));
  const deps = named === undefined ? [] : [named];
  const post = (lie: Partial<Lie>) =>
    forge(world, device, { generation, tool: CHAT, kind: 'post', body: [`out of the past ${dice.word()}`], ...lie });
  const first = post({ seq: 1, deps });
  const run = [first, post({ seq: 2, prev: first.id, deps: dice.chance(0.5) ? [] : headsOf(device, dice) })];
  if (dice.chance(0.5)) for (const delta of run) publish(world, device, delta);
  else tell(world, device, others(world, device, dice), run);
});

/** A past that is not there, that is in its own feed, or that is too long. */
const forgedDeps = mischief('forged dependencies', (world, device, dice) => {
  const generation = newFeed(dice);
  const nowhere = toHex(dice.bytes(32)) as DeltaId;
  const post = (lie: Partial<Lie>) =>
    forge(world, device, { generation, tool: CHAT, kind: 'post', body: ['what was before?'], ...lie });
  const first = post({ seq: 1 });
  const second = post({ seq: 2, prev: first.id });
  const many = Array.from({ length: 33 }, () => toHex(dice.bytes(32)) as DeltaId);
  const lies = [
    post({ seq: 1, deps: [nowhere], generation: newFeed(dice) }),
    post({ seq: 1, deps: many, generation: newFeed(dice) }),
    post({ seq: 3, prev: second.id, deps: [first.id] }),
    post({ seq: 3, prev: second.id, deps: [second.id] }),
  ];
  tell(world, device, others(world, device, dice), [first, second, dice.pick(lies)]);
});

/** More than its role allows (A2), in every way there is. */
const escalate = mischief('escalations', (world, device, dice) => {
  const someone = dice.pick(world.people);
  const credential = dice.pick([
    undefined,
    dice.pickOr([...(world.made.get('genesis') ?? []), ...(world.made.get('admit') ?? [])]),
    dice.pickOr(ownCredentials(world, device)),
  ]);
  const deps = headsOf(device, dice);
  const lies: readonly Lie[] = [
    { kind: 'setRole', body: controlBody.setRole(device.identity.account, Role.manager) },
    { kind: 'setRole', body: controlBody.setRole(someone.account, dice.pick([Role.manager, Role.guest])) },
    { kind: 'remove', body: controlBody.remove(world.people[0]!.account, null) },
    { kind: 'remove', body: controlBody.remove(someone.account, null) },
    { kind: 'admit', body: admitBody(world, device, dice, Role.manager) },
    { kind: 'setPerm', body: controlBody.setPerm('workspace', 'uninvite', Role.participant, true) },
    { kind: 'setPerm', body: controlBody.setPerm('chat', 'add', Role.participant, false) },
    { kind: 'rename', body: controlBody.rename('Mine') },
    { kind: 'deleteTool', body: controlBody.deleteTool(dice.pick([CHAT, FILES])) },
  ];
  const lie = dice.pick(lies);
  publish(world, device, forge(world, device, { ...lie, deps, ...(credential ? { credential } : {}) }));
});

/** Words about which devices and invitations count, be they his to say or not, under a credential that is his or somebody else's. */
const meddle = mischief('words on who is in', (world, device, dice) => {
  const someone = dice.pick(world.people);
  const certificates = someone.devices.map(({ certificate }) => certificate);
  const devices = [dice.pick(certificates).device];
  // To who is out he could give any key that he has, by whatever word.
  const members = [...device.replica.roster.records.values()].map(({ certificate }) => certificate);
  const boxes = boxEpoch(world.crypto, device.epoch ?? epochOf(world.crypto, dice.bytes(32)), members);
  const invite = dice.pickOr(world.made.get('invite') ?? []);
  const lies: readonly Lie[] = [
    ...(invite ? [{ kind: 'revoke', body: controlBody.revoke(invite) }] : []),
    { kind: 'drop', body: controlBody.devices(devices, boxes) },
    { kind: 'removeDevice', body: controlBody.devices(devices, boxes) },
    { kind: 'addDevice', body: controlBody.addDevice(someone.account, certificates, boxes) },
    { kind: 'leave', body: controlBody.leave() },
  ];
  const cited = dice.pickOr([...(world.made.get('genesis') ?? []), ...(world.made.get('admit') ?? [])]);
  const credential = dice.pick([undefined, cited, dice.pickOr(ownCredentials(world, device))]);
  const lie = dice.pick(lies);
  const deps = headsOf(device, dice);
  publish(world, device, forge(world, device, { ...lie, deps, ...(credential ? { credential } : {}) }));
});

function admitBody(world: World, device: SimDevice, dice: Dice, role: Role): Value {
  const person = dice.pick(world.people);
  const epoch = device.epoch ?? epochOf(world.crypto, dice.bytes(32));
  const boxes = boxEpoch(world.crypto, epoch, []);
  return controlBody.admit(
    person.account,
    role,
    person.name,
    person.devices.map(({ certificate }) => certificate),
    undefined,
    boxes,
  );
}

/** The newest of other feeds that it knows: what honest clients would name. */
function headsOf(device: SimDevice, dice: Dice): DeltaId[] {
  const ids = [...device.replica.vector()]
    .filter(([feed]) => !feed.startsWith(device.id))
    .flatMap(([feed, seq]) => device.replica.nodeAt(feed, seq)?.delta.id ?? []);
  return dice.shuffled(ids).slice(0, dice.below(5)).sort();
}

/** What was sent before, again, by who has no business with it. */
const replay = mischief('replays', (world, device, dice) => {
  for (let i = 0; i < 5; i++) {
    const heard = dice.pickOr(world.network.overheard);
    if (heard) throwAt(world, device, dice.chance(0.5) ? [heard.to] : others(world, device, dice), heard.bytes);
  }
});

/** Noise: no message at all, one with flipped bits, and noise that is sealed as a message. */
const garbage = mischief('garbage', (world, device, dice) => {
  const to = others(world, device, dice);
  throwAt(world, device, to, dice.bytes(dice.below(300)));
  const heard = dice.pickOr(world.network.overheard);
  if (heard) throwAt(world, device, to, flipped(heard.bytes, dice));
  if (device.epoch) {
    sayBytes(world, device, to, dice.bytes(dice.below(200)));
    const vector = [...device.replica.vector()].map(([feed, seq]) => ({
      feed,
      seq: seq + dice.below(50),
      tip: '0000000000000000',
    }));
    const have = encodeMessage(device.id, { kind: 'have', vector, answer: true, root: '', needsCopy: false });
    sayBytes(world, device, to, dice.chance(0.5) ? have : flipped(have, dice));
  }
  const node = dice.pickOr([...device.replica.nodes()]);
  if (!node) return;
  say(world, device, to, { kind: 'deltas', runs: [[flipped(node.delta.bytes, dice)]] });
});

/** In good form, and not so: what it holds, has folded, lacks, or has heard. */
const lie = mischief('lies of what is held', (world, device, dice) => {
  const nodes = [...device.replica.nodes()];
  const deltas = dice.shuffled(nodes.map(({ delta }) => delta)).slice(0, dice.between(1, 5));
  const marks = [...device.replica.vector()].map(([feed, seq]) => ({
    ...{ feed, seq: dice.below(seq + 1), tip: dice.pick(['0000000000000000', deltas[0]?.id.slice(0, 16) ?? '']) },
  }));
  const root = device.replica.base.isThere ? device.replica.base.parts().root : dice.bytes(32);
  const have = { kind: 'have', answer: dice.chance(0.5), root: '', needsCopy: dice.chance(0.3) } as const;
  const messages: readonly Message[] = [
    { ...have, vector: [] },
    { ...have, vector: marks.filter(({ seq, tip }) => seq > 0 && tip !== '') },
    { kind: 'folded', places: deltas },
    { kind: 'needBase', root, part: dice.below(3) },
    { kind: 'fetch', ids: [...deltas.map(({ id }) => id), toHex(dice.bytes(32)) as DeltaId] },
    { kind: 'needKey', epoch: device.epoch?.tag ?? toHex(dice.bytes(16)) },
  ];
  const to = others(world, device, dice);
  for (const message of dice.shuffled(messages).slice(0, 3)) say(world, device, to, message);
});

function flipped(bytes: Uint8Array, dice: Dice): Uint8Array {
  const changed = bytes.slice();
  for (let i = dice.between(1, 3); i > 0 && changed.length > 0; i--)
    changed[dice.below(changed.length)]! ^= 1 << dice.below(8);
  return changed;
}

/** Signed, in order, and nonsense inside. */
const badBody = mischief('bad bodies', (world, device, dice) => {
  const kinds = ['admit', 'remove', 'setRole', 'setPerm', 'invite', 'revoke', 'addTool', 'profile', 'rename'];
  const bodies: readonly Value[] = [null, [], [1, 2, 3], ['x'], [dice.bytes(32), 7], [dice.bytes(31)], [[[]]], true];
  const lie: Lie = dice.chance(0.5)
    ? { kind: dice.pick(kinds), body: dice.pick(bodies) }
    : {
        tool: dice.pick([CHAT, FILES]),
        kind: dice.pick(['post', 'edit', 'file', 'ver', 'move', 'del']),
        body: dice.pick(bodies),
      };
  publish(world, device, forge(world, device, { ...lie, deps: headsOf(device, dice) }));
});

/** An admit whose boxes hold nothing, or not what they say (K1). */
const badBox = mischief('bad boxes', (world, device, dice) => {
  const person = dice.pick(world.people);
  const targets = person.devices.map(({ certificate: { device, agreementKey } }) => ({ device, agreementKey }));
  const real = boxEpoch(world.crypto, epochOf(world.crypto, dice.bytes(32)), targets) as readonly Value[];
  const boxes: Value = dice.pick([
    [dice.bytes(32), real[1]!, real[2]!],
    [real[0]!, dice.bytes(32), real[2]!],
    [real[0]!, new Uint8Array(32), real[2]!],
    real,
    lyingBox(world, device, dice, targets),
    lyingBox(world, device, dice, targets),
  ]);
  const body = controlBody.admit(
    person.account,
    Role.guest,
    person.name,
    person.devices.map(({ certificate }) => certificate),
    undefined,
    boxes,
  );
  publish(world, device, forge(world, device, { kind: 'admit', body, deps: headsOf(device, dice) }));
});

/** It opens, and holds another key than everybody's who is said to share it: who takes it is cut off from them. */
function lyingBox(world: World, device: SimDevice, dice: Dice, targets: readonly BoxTarget[]): Value {
  const commit = device.epoch?.commit ?? dice.bytes(32);
  return boxEpoch(world.crypto, { commit, key: dice.bytes(32) }, targets);
}

/** A first delta that nobody has signed and a second that is: together they are authentic (D7), and have to stay together. */
const halfSigned = mischief('runs signed at their end', (world, device, dice) => {
  const seq = ownTip(device) + 1;
  const post = (lie: Partial<Lie>) =>
    forge(world, device, { tool: CHAT, kind: 'post', body: [`half signed ${dice.word()}`], ...lie });
  const first = post({ seq });
  const bare = first.bytes.slice();
  bare[bare.length - 1]! ^= 1;
  const second = post({ seq: seq + 1, prev: first.id });
  if (seq === 1) return;
  device.plant(bare, second.bytes);
  for (const delta of [first, second]) world.note(delta);
});

/** A place in a feed that is not the next one: after something older, after another's, or far ahead. */
const wrongPlace = mischief('wrong places', (world, device, dice) => {
  const generation = newFeed(dice);
  const post = (lie: Partial<Lie>) =>
    forge(world, device, { generation, tool: CHAT, kind: 'post', body: ['out of place'], ...lie });
  const first = post({ seq: 1 });
  const second = post({ seq: 2, prev: first.id });
  const another = dice.pickOr([...device.replica.nodes()])?.delta;
  const lies = [
    post({ seq: 3, prev: first.id }),
    post({ seq: 4, prev: second.id }),
    post({ seq: 3 + dice.below(4), prev: another?.id ?? first.id }),
    post({ seq: (another?.seq ?? 1) + 1, prev: another?.id ?? first.id, generation: newFeed(dice) }),
  ];
  tell(world, device, others(world, device, dice), [first, second, dice.pick(lies)]);
});

/** As if from another's device: with his name and no key of his (D7), alone or before one's own. */
const impersonate = mischief('impersonations', (world, device, dice) => {
  const victim = dice.pick([...world.devices.values()].filter(({ id }) => id !== device.id));
  const seq = (device.replica.vector().get(feedOf(victim.id, 0)) ?? 0) + 1;
  const prev = seq === 1 ? undefined : device.replica.nodeAt(feedOf(victim.id, 0), seq - 1)?.delta.id;
  const signer = { device: victim.id, seed: device.identity.signer.seed };
  const delta = signDelta(world.crypto, signer, world.workspace, {
    generation: 0,
    seq,
    prev,
    deps: [],
    credential: device.replica.roster.members.get(victim.identity.account)?.credential,
    time: world.time,
    tool: CHAT,
    kind: 'post',
    body: ['I am not who I say'],
  });
  world.unauthentic.add(delta.id);
  tell(world, device, others(world, device, dice), [delta]);
});

/** More than there is of any feed. */
const ALL_AND_MORE = Number.MAX_SAFE_INTEGER;
/** What was brought to the relay is there, and was fetched where somebody is online. */
const AFTER_RELAY_MS = 5_000;

/** K5: the relay of whoever hears it is this member's, and says that another has sent what he has sealed: that the other holds more than there is. */
const forgedSender = mischief('forged senders', (world, device, dice) => {
  const under = device.epoch;
  const [victim, ...rest] = dice.shuffled([...world.devices.keys()].filter((id) => !world.isHostile(id)));
  if (!under || !victim) return;
  const feeds = [...device.replica.vector().keys()];
  const vector = feeds.map((feed) => markOf(feed, ALL_AND_MORE, toHex(dice.bytes(32)) as DeltaId));
  const messages: readonly Message[] = [
    { kind: 'have', vector, answer: false, root: '', needsCopy: dice.chance(0.5) },
    { kind: 'got', heads: feeds.map((feed) => headOf(feed, ALL_AND_MORE)) },
  ];
  const lie = { under, path: 'relay', seed: device.identity.signer.seed } as const;
  for (const message of messages) {
    const bytes = sealedLie(world.crypto, lie, victim, message);
    world.network.send(victim, { path: 'relay', to: rest, bytes, ephemeral: false, holds: undefined });
  }
  world.agenda.put(world.time + AFTER_RELAY_MS, () => {
    for (const one of rest) mustNotBelieve(world, one, victim);
  });
});

function mustNotBelieve(world: World, one: DeviceId, victim: DeviceId): void {
  const device = world.devices.get(one)!;
  if (device.alive && device.session.memory(victim).known.some(({ seq }) => seq === ALL_AND_MORE))
    world.violate('K5', `${world.nameOf(one)} believes of ${world.nameOf(victim)} what another has said in its name`);
}

/** L6: a base that was changed on its way, or that leaves out what it likes: to who has a copy, and to who has none yet. */
const forgedBase = mischief('forged bases', (world, device, dice) => {
  const base =
    dice.chance(0.5) && device.replica.base.isThere ? device.replica.base.parts() : ownBase(world, device, dice);
  if (!base) return;
  const { root, parts } = base;
  const [isChanged, under] = [dice.chance(0.5), device.epoch?.tag];
  const messages = parts.map((whole, part): Message => {
    const bytes = isChanged ? flipped(whole, dice) : whole;
    return { kind: 'base', root, part, parts: parts.length, bytes };
  });
  const throwAll = (to: readonly DeviceId[]): void => {
    for (const message of messages) say(world, device, to, message, under);
  };
  const newcomer = dice.chance(0.8) ? letSomebodyIn(world, device, dice) : undefined;
  if (!newcomer) return throwAll(others(world, device, dice));
  world.counts.add('hostile forged bases for whom it lets in');
  world.agenda.put(world.time + world.config.fsync_ms + AFTER_WELCOME_MS, () => {
    if (device.alive) throwAll(newcomer);
  });
});

/** Who has nothing yet takes a base from nobody but whom he was let in by. */
function letSomebodyIn(world: World, device: SimDevice, dice: Dice): readonly DeviceId[] | undefined {
  const person = dice.pickOr(
    world.people.filter(({ devices }) => {
      const first = world.devices.get(devices[0]!.device)!;
      return first.alive && first.replica.size === 0;
    }),
  );
  if (!person || !world.admit(device, person, Role.guest)) return undefined;
  return world.certificatesOf(person).map((certificate) => certificate.device);
}

/** When it has heard the welcome, and perhaps not yet the first of the copy. */
const AFTER_WELCOME_MS = 21;

/** In good form, of a beginning of what it holds, as if all had acknowledged that. */
function ownBase(world: World, device: SimDevice, dice: Dice): BaseParts | undefined {
  const held = world.heldBy(device);
  const copy = reader(world);
  for (const { bytes } of held.slice(0, dice.between(1, held.length))) copy.restore(bytes);
  copy.advance([]);
  return copy.base.isThere ? copy.base.parts() : undefined;
}

export const hostile = {
  backdate,
  fork,
  forgedDeps,
  escalate,
  meddle,
  replay,
  garbage,
  lie,
  badBody,
  badBox,
  impersonate,
  halfSigned,
  wrongPlace,
  lowFeed,
  forgedBase,
  forgedSender,
} satisfies Record<string, Doing>;
