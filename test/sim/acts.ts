/** What honest people do in a world: they write what their devices let them, with what they have heard of. */
import type { DeltaId, DeviceId } from '../../src/base/ids.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { RENEWAL_PATIENCE_MS } from '../../src/service/renewing.ts';
import { controlBody, headsKept, Role } from '../../src/sync/control.ts';
import type { Entry } from '../../src/sync/replica.ts';
import { chatBody, type ChatDelta } from '../../src/tools/chat/deltas.ts';
import type { ChunkedContent } from '../../src/tools/files/content.ts';
import { filesBody, type FilesDelta } from '../../src/tools/files/deltas.ts';
import type { SimDevice } from './device.ts';
import type { Dice } from './dice.ts';
import type { Identity } from './people.ts';
import { CHAT, FILES, type World } from './world.ts';

export type Doing = (world: World, dice: Dice) => void | Promise<void>;

const chat = (delta: ChatDelta): Entry => ({ tool: CHAT, kind: delta.kind, body: chatBody(delta) });
const files = (delta: FilesDelta): Entry => ({ tool: FILES, kind: delta.kind, body: filesBody(delta) });

function contentOf(dice: Dice): ChunkedContent {
  return { kind: 'chunks', bytes: 0, sha256: dice.bytes(32), chunks: [], indirect: false };
}

/** Something of these kinds that this device has heard of. Newer things are likelier: people work on what is at hand. */
function known(world: World, device: SimDevice, dice: Dice, ...kinds: readonly string[]): DeltaId | undefined {
  for (let tries = 0; tries < 6; tries++) {
    const ids = world.made.get(dice.pick(kinds));
    if (!ids) continue;
    const id = ids[dice.chance(0.5) ? ids.length - 1 - dice.below(Math.min(8, ids.length)) : dice.below(ids.length)]!;
    if (device.replica.node(id)) return id;
  }
  return undefined;
}

type Writing = (world: World, device: SimDevice, dice: Dice) => readonly Entry[] | undefined;

/** One who is a member writes; where he may not, nothing is written. */
function writing(make: Writing): Doing {
  return (world, dice) => {
    const device = dice.pickOr(world.members());
    const entries = device && make(world, device, dice);
    if (entries) world.written(device.write(entries));
  };
}

const control = (kind: string, body: Entry['body']): readonly Entry[] => [{ tool: undefined, kind, body }];

/** Somebody of all people, whatever he is to the workspace. */
const anybody = (world: World, dice: Dice) => dice.pick(world.people);

/** How much is written at once: in a big world so much that by the end of its acts all is written that was planned. */
function burst(world: World, dice: Dice, few: number, many: readonly [number, number]): number {
  const { big, deltas } = world.config;
  if (!big) return dice.between(1, few);
  if (deltas === undefined) return dice.between(...many);
  const lacking = Math.max(0, deltas - world.counts.get('deltas'));
  return dice.between(1, 2 * few) + Math.min(MAX_BURST, Math.ceil(lacking / Math.max(1, world.burstsLeft)));
}

const MAX_BURST = 90;

const posts = writing((world, _, dice) =>
  Array.from({ length: burst(world, dice, 4, [16, 36]) }, (_, i) =>
    chat({ kind: 'post', text: `${dice.word().toString(36)} ${i}` }),
  ),
);

const edit = writing((world, device, dice) => {
  const post = known(world, device, dice, 'post');
  return post && [chat({ kind: 'edit', post, text: `edited ${dice.word().toString(36)}` })];
});

const unpost = writing((world, device, dice) => {
  const post = known(world, device, dice, 'post');
  return post && [chat({ kind: 'unpost', post })];
});

const addFiles = writing((world, device, dice) => {
  const parent = dice.chance(0.5) ? known(world, device, dice, 'folder') : undefined;
  return Array.from({ length: burst(world, dice, 2, [6, 16]) }, (_, i) =>
    files({ kind: 'file', parent, name: `file ${dice.below(1000)} ${i}`, content: contentOf(dice) }),
  );
});

const folder = writing((world, device, dice) => [
  files({ kind: 'folder', parent: known(world, device, dice, 'folder'), name: `folder ${dice.below(100)}` }),
]);

const version = writing((world, device, dice) => {
  const parent = known(world, device, dice, 'file', 'ver');
  return parent && [files({ kind: 'ver', parents: [parent], content: contentOf(dice) })];
});

const del = writing((world, device, dice) => {
  const parent = known(world, device, dice, 'file', 'ver', 'folder');
  return parent && [files({ kind: 'del', parents: [parent] })];
});

const move = writing((world, device, dice) => {
  const item = known(world, device, dice, 'file', 'folder', 'folder');
  const parent = dice.chance(0.7) ? known(world, device, dice, 'folder') : undefined;
  return item && [files({ kind: 'move', item, parent, name: `moved ${dice.below(1000)}` })];
});

const profile = writing((world, device, dice) =>
  control('profile', controlBody.profile(`${world.nameOf(device.id)} ${dice.below(100)}`, '')),
);

const rename = writing((_, _device, dice) => control('rename', controlBody.rename(`World ${dice.below(100)}`)));

const tool = writing((_, _device, dice) => {
  if (dice.chance(0.05)) return control('deleteTool', controlBody.deleteTool(dice.pick([CHAT, FILES])));
  if (dice.chance(0.5))
    return control('renameTool', controlBody.renameTool(dice.pick([CHAT, FILES]), `Tool ${dice.below(9)}`));
  return control(
    'addTool',
    controlBody.addTool(dice.pick([CHAT, FILES]), dice.pick(['chat', 'files']), `Tool ${dice.below(9)}`),
  );
});

/** Of all tools of a kind or of one of them, or as the wider scope says: by chance of its own, so that the acts are else what they were. */
const setPerm = writing((_, _device, dice) => {
  const ofTool = dice.fork('of one tool');
  const scope = dice.pick(['chat', 'files', 'workspace']);
  const tool = scope === 'workspace' || ofTool.chance(0.5) ? undefined : scope === 'chat' ? CHAT : FILES;
  const action = dice.pick(['add', 'edit', 'editOwn', 'delete', 'invite', 'uninvite', 'addTools']);
  const role = dice.pick([Role.participant, Role.participant, Role.guest]);
  const allow = dice.chance(0.65);
  const said = ofTool.chance(0.2) ? undefined : allow;
  return control('setPerm', controlBody.setPerm(tool === undefined ? scope : { tool }, action, role, said));
});

const setRole = writing((world, _, dice) =>
  control(
    'setRole',
    controlBody.setRole(
      anybody(world, dice).account,
      dice.pick([Role.manager, Role.participant, Role.participant, Role.guest]),
    ),
  ),
);

const invite = writing((world, device, dice) =>
  control(
    'invite',
    controlBody.invite(
      dice.bytes(32),
      dice.bytes(32),
      dice.pick([Role.participant, Role.participant, Role.guest, Role.manager]),
      world.now(device.id) + 7 * 86_400_000,
      dice.between(1, 2),
      false,
    ),
  ),
);

const revoke = writing((world, device, dice) => {
  const id = known(world, device, dice, 'invite');
  return id && control('revoke', controlBody.revoke(id));
});

const leave = writing((_, _device, dice) => (dice.chance(0.4) ? control('leave', controlBody.leave()) : undefined));

/** Somebody removed is cut at what his remover has seen of him. */
const remove = writing((world, device, dice) => {
  const { account, devices } = anybody(world, dice);
  return control(
    'remove',
    controlBody.remove(
      account,
      newEpoch(
        device,
        devices.map((one) => one.device),
      ),
    ),
  );
});

/** K2: what keeps somebody out carries an epoch that he is not boxed in. */
function newEpoch(device: SimDevice, without: readonly DeviceId[]): Value {
  return device.engine.keys.make(new Set(without));
}

/** Somebody knocks with or without a link, often at two doors at once (N3); whoever was removed or left may come back. */
const join: Doing = (world, dice) => {
  const outsiders = world.people.filter((person) => {
    const device = world.devices.get(person.devices[0]!.device)!;
    return device.alive && !device.replica.roster.devices.has(device.id);
  });
  const person = dice.pickOr(outsiders);
  const doors = dice.shuffled(world.members()).slice(0, dice.chance(0.35) ? 2 : 1);
  if (!person) return;
  const role = dice.pick([Role.participant, Role.participant, Role.guest, Role.manager]);
  let asked: DeltaId | undefined;
  for (const door of doors) {
    const id = dice.chance(0.6) ? (asked ?? known(world, door, dice, 'invite')) : undefined;
    asked ??= id;
    const invited = id === undefined ? undefined : door.replica.roster.invites.get(id);
    if (!world.admit(door, person, invited?.role ?? role, invited?.id)) continue;
    world.counts.add(invited ? 'joins by link' : 'joins');
    if (doors.length > 1) world.counts.add('joins at two doors');
  }
};

/** A further device of a member, let in by one of his own (I4). */
const addDevice: Doing = (world, dice) => {
  const own = dice.shuffled(world.members()).find((device) => sparesOf(world, device).length > 0);
  if (own && world.addDevices(own, [dice.pick(sparesOf(world, own))])) world.counts.add('devices added');
};

function sparesOf(world: World, device: SimDevice): Identity[] {
  const { roster } = device.replica;
  return world.personOf.get(device.id)!.devices.filter(({ device: id }) => !roster.devices.has(id) && isUp(world, id));
}

function isUp(world: World, id: DeviceId): boolean {
  return world.devices.get(id)!.alive;
}

/** What was dropped comes back by any member (L7). */
const readdDevice: Doing = (world, dice) => {
  const by = dice.pickOr(world.members());
  const dropped = [...(by?.replica.roster.gone ?? [])].filter(([, word]) => word.delta.kind === 'drop');
  const id = dice.pickOr(dropped.filter(([device]) => isUp(world, device)))?.[0];
  const identity = id && world.devices.get(id)!.identity;
  if (by && identity && world.addDevices(by, [identity])) world.counts.add('dropped devices let in again');
};

/** One of a member's devices, lost or stolen (K2), or one that has not been heard of for long (L7). */
const takeDevice = (kind: 'removeDevice' | 'drop'): Doing => {
  return writing((world, device, dice) => {
    const others = [...device.replica.roster.devices.keys()].filter((id) => id !== device.id);
    const [first, second] = dice.shuffled(others).slice(0, kind === 'drop' ? dice.between(1, 2) : 1);
    // A4: of one's own by a word of its own.
    const isOwn = (id: DeviceId) => world.personOf.get(id) === world.personOf.get(device.id);
    const targets = [first, second].filter((id) => id !== undefined && isOwn(id) === isOwn(first!)) as DeviceId[];
    return targets.length === 0 ? undefined : control(kind, controlBody.devices(targets, newEpoch(device, targets)));
  });
};

/** L6: somebody has his copy begin anew, with that of somebody who can be reached; of who goes away meanwhile nothing comes. */
const renew: Doing = (world, dice) => {
  const members = world.members().filter(({ id, replica }) => isUp(world, id) && replica.size > 0);
  const device = dice.pickOr(members);
  const from = dice.pickOr(members.filter(({ id }) => id !== device?.id && device?.session.isPeer(id)));
  // Not who is out as far as it knows.
  if (!device || !from || !device.replica.roster.devices.has(from.id)) return;
  device.renewFrom(from.id);
  world.agenda.put(world.time + RENEWAL_PATIENCE_MS, () => device.stopRenewing(from.id));
  world.counts.add('fresh copies asked for');
};

/** Somebody is away for so long that a manager drops his device (L7); when it is back it is let in again, and begins anew. */
const absence: Doing = (world, dice) => {
  const manager = dice.pickOr(
    world.members().filter(({ id, replica }) => replica.roster.devices.get(id)?.role === Role.manager),
  );
  const away = dice.pickOr([...(manager?.replica.roster.devices.keys() ?? [])].filter((id) => id !== manager?.id));
  if (!manager || !away || world.offline.has(away) || !isUp(world, away)) return;
  const after = (share: number, step: () => void) =>
    world.agenda.put(world.time + share * world.config.duration_ms, step);
  world.goOffline(away);
  after(0.2, () => {
    if (!manager.alive || !world.offline.has(away)) return;
    const body = controlBody.devices([away], newEpoch(manager, [away]));
    if (world.written(manager.control('drop', body))) world.counts.add('devices dropped while away');
  });
  after(0.4, () => {
    if (world.offline.has(away)) world.goOnline(away);
  });
  after(0.5, () => {
    const by = dice.pickOr(
      world.members().filter(({ replica }) => replica.roster.gone.get(away)?.delta.kind === 'drop'),
    );
    const { identity } = world.devices.get(away)!;
    if (by && isUp(world, away) && world.addDevices(by, [identity])) world.counts.add('dropped devices let in again');
  });
};

/** Who has shown two histories is held to what the manager has of one (D8); now and then one who has not. */
const freeze = writing((world, device, dice) => {
  const devices = [...device.replica.roster.devices.keys()].filter((id) => id !== device.id);
  const forked = devices.filter((id) => world.forked.has(id));
  const target = dice.pickOr(forked.length > 0 ? forked : dice.chance(0.2) ? devices : []);
  if (!target) return undefined;
  const kept = headsKept(device.replica.feeds.standing(), target);
  return control('freeze', controlBody.freeze(target, kept, newEpoch(device, [target])));
});

export const honest = {
  addDevice,
  readdDevice,
  absence,
  renew,
  removeDevice: takeDevice('removeDevice'),
  drop: takeDevice('drop'),
  freeze,
  posts,
  edit,
  unpost,
  files: addFiles,
  folder,
  version,
  delete: del,
  move,
  profile,
  rename,
  tool,
  setPerm,
  setRole,
  invite,
  revoke,
  join,
  remove,
  leave,
} satisfies Record<string, Doing>;
