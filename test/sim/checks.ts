/** What must hold of every world, whatever happened in it. */
import { groupBy } from '../../src/base/group.ts';
import type { DeltaId, DeviceId, FeedId } from '../../src/base/ids.ts';
import { readControl, takenOutBy, type Control } from '../../src/sync/control.ts';
import { feedOf, type Delta } from '../../src/sync/delta.ts';
import { tagOf } from '../../src/sync/epoch.ts';
import type { Node } from '../../src/sync/graph.ts';
import { Replica } from '../../src/sync/replica.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { checkAuthority } from './authority-check.ts';
import type { Doing } from './acts.ts';
import { Digest, hashOf, type Hashed } from './digest.ts';
import type { SimDevice } from './device.ts';
import type { Dice } from './dice.ts';
import { isPast, Past, type Placed } from './past.ts';
import { checkBases, checkLogs, firstCopyOf } from './pruning.ts';
import type { World } from './world.ts';

const NOBODY = '0'.repeat(64) as DeviceId;

/** A replica of nobody's, that is given deltas and writes none. */
export function reader(world: World): Replica {
  const { crypto, workspace, reader } = world;
  return new Replica({ crypto, workspace, reducers: [chatReducer, filesReducer], own: feedOf(NOBODY, 0), reader });
}

/** All that replicas with the same deltas must agree on, in one number, whatever they have forgotten. */
export function stateOf(replica: Replica): string {
  const digest = new Digest();
  for (const { tool, table, key, row } of replica.fold.rows()) digest.add('row', tool, table, key, row ?? null);
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

/** The same for the same deltas. */
export function setOf(deltas: readonly Delta[]): string {
  const digest = new Digest();
  for (const delta of deltas) digest.addHashed(hashOfId(delta));
  return digest.value;
}

/** Every device of a world holds it. */
function hashOfId(delta: Delta): Hashed {
  let hash = idHashes.get(delta);
  if (!hash) idHashes.set(delta, (hash = hashOf(delta.id)));
  return hash;
}

const idHashes = new WeakMap<Delta, Hashed>();

/** A6, L5: what came bit by bit is what comes at once, in another order. */
export const audit: Doing = (world, dice) => {
  // Who has forked holds both branches, whatever others want of them (D8).
  const device = dice.pickOr([...world.devices.values()].filter(({ alive, id }) => alive && !world.forked.has(id)));
  if (!device) return;
  world.counts.add('audits');
  compareWithBatch(world, device, dice);
  compareWithFirstCopy(world, device);
};

/** L6: also to who has not forgotten anything himself, and to who has forked. */
function compareWithFirstCopy(world: World, device: SimDevice): void {
  const { replica } = device;
  if (!replica.base.isThere || replica.mark.isAhead) return;
  world.counts.add('first copies compared');
  const copy = firstCopyOf(() => reader(world), world.crypto, replica);
  if (!copy) return world.violate('L6', `the base of ${world.nameOf(device.id)}'s does not add up`);
  if (stateOf(copy) !== stateOf(replica))
    world.violate('L6', `who begins with ${world.nameOf(device.id)}'s base has not his state`);
}

/** L4, L5: also what somebody has forgotten, of which no verdict flips. */
function compareWithBatch(world: World, device: SimDevice, dice: Dice): void {
  const held = world.heldBy(device);
  if (!isComparable(world, device)) return;
  const batch = batchOf(world, device, held, dice);
  if (batch) compareWith(world, device, batch);
}

/** What deltas make that come at once. */
interface Batch {
  readonly replica: Replica;
  readonly size: number;
  readonly state: string;
}

/** Of what a device holds, in chance's order. */
function batchOf(world: World, { id }: SimDevice, deltas: readonly Delta[], dice: Dice): Batch | undefined {
  const replica = reader(world);
  takeAll(replica, dice, deltas);
  // D8: who wanted the second branch may have been taken out before it could come in.
  for (const { id: one, device, bytes } of world.forked.size > 0 ? deltas : [])
    if (world.forked.has(device) && !replica.node(one)) replica.restore(bytes);
  const { size } = replica;
  if (size === deltas.length) return { replica, size, state: stateOf(replica) };
  world.violate('D5', `a copy of ${world.nameOf(id)}'s takes ${size} of ${deltas.length} deltas`);
  return undefined;
}

/** A device that holds what is in the batch. */
function compareWith(world: World, device: SimDevice, batch: Batch, state = stateOf(device.replica)): void {
  const [name, { replica }] = [world.nameOf(device.id), device];
  world.counts.add('copies compared with a batch');
  if (replica.size < batch.size) world.counts.add('copies compared that had forgotten');
  if (batch.state !== state)
    return world.violate('L5', `${name}'s state is not what its ${batch.size} deltas make at once`);
  for (const { delta } of replica.nodes()) {
    const [verdict, whole] = [replica.verdictOf(delta.id), batch.replica.verdictOf(delta.id)];
    // What is folded, and still there as the end of its feed, has no verdict any more.
    if (verdict !== undefined && verdict !== whole)
      return world.violate('L5', `${name} holds ${delta.kind} ${delta.seq} for ${verdict}, which is ${whole}`);
  }
}

/** D8: who has folded what a fork has changed since is put right by a manager's base, and till then says so. */
function isComparable(world: World, { replica, lifeName }: SimDevice): boolean {
  if (replica.isOutOfStep) world.counts.add('copies out of step');
  // L6: a hostile sponsor or manager gave it what it begins with.
  const isGiven = world.counts.get('hostile forged bases') > 0 && !replica.isConfirmed;
  if (isGiven) world.counts.add('copies that nobody vouches for');
  // D2: something counts for it alone till it has written again.
  if (replica.mark.isAhead) world.counts.add('copies ahead of the others');
  return !replica.isOutOfStep && !isGiven && !replica.mark.isAhead && !world.odd.has(lifeName);
}

/** Each feed whole, in chance's order of feeds: most things wait for their past. A second branch is taken when something waits for it. */
function takeAll(replica: Replica, dice: Dice, deltas: readonly Delta[]): void {
  let runs = dice.shuffled(chainsOf(deltas));
  for (let before = -1; before !== replica.size;) {
    before = replica.size;
    // One by one: of two branches whole runs decide which is there first, not what happens to be complete (D8).
    for (const run of runs) replica.ingest([run.map(({ bytes }) => bytes)]);
    runs = runs.filter((run) => run.some(({ id }) => !replica.node(id)));
  }
}

/** Each ends at a signature (D7). */
function chainsOf(deltas: readonly Delta[]): Delta[][] {
  const ends = new Map<DeltaId, Delta[]>();
  const chains: Delta[][] = [];
  for (const delta of deltas) {
    let chain = delta.prev && ends.get(delta.prev);
    if (!chain) chains.push((chain = []));
    chain.push(delta);
    if (delta.prev) ends.delete(delta.prev);
    ends.set(delta.id, chain);
  }
  return chains;
}

/** After the quiet. */
export function checkWorld(world: World, dice: Dice, cameToRest: boolean): void {
  const honest = [...world.devices.values()].filter(({ id }) => !world.isHostile(id));
  for (const device of honest) checkDevice(world, device);
  // With what only those held who have erased their copies since.
  const all = reader(world);
  for (const { bytes } of world.archive.values()) all.restore(bytes);
  for (const device of honest) checkHasCopy(world, all, device);
  const past = new Past([...all.nodes()].map(({ delta }) => delta));
  const additions = additionsIn(world, all, past);
  for (const device of honest) checkIsSomebody(world, device, additions);
  const invalid = additions.filter(({ verdict }) => verdict === 'cutOff' || verdict === 'invitation');
  const sides = sidesOf(
    world,
    honest,
    additions.filter(({ verdict }) => verdict !== 'accepted'),
  );
  if (sides.length > 1) world.counts.add('worlds that have come apart');
  if (!cameToRest) world.violate('S1', 'the world does not come to rest');
  for (const side of sides)
    checkSide(world, side, { isOnly: sides.length === 1, invalid, additions, all: past }, dice, cameToRest);
}

/**
 * N4: whom an honest device has let in, and holds for in, has a copy in the end, and is in by it: the two find a seal under which they hear each other. Who is in himself by
 * what is void may have none to give, and those who could vouch for it do not hear him; nor has he as long as nobody has vouched for his (L6).
 */
function checkHasCopy(world: World, all: Replica, { id, sponsors, replica, engine }: SimDevice): void {
  const by = [...sponsors].find((one) => {
    const { roster, isConfirmed } = world.devices.get(one)!.replica;
    const isIn = roster.devices.has(one) && all.roster.devices.has(one);
    return !world.isHostile(one) && isIn && roster.devices.has(id) && isConfirmed;
  });
  if (by === undefined || (replica.size > 0 && !engine.isOutside)) return;
  const hasNo = replica.size > 0 ? 'has no copy in which it is in' : 'has no copy';
  world.violate('N4', `${world.nameOf(id)} ${hasNo}, and is in for ${world.nameOf(by)}, which has let it in`);
}

/**
 * K2: who is not in his own copy, though something has let him in, knows by what he is out, if he need not hear more first (D2, D8). Whom hostile members
 * alone have let in, by what is void, has never come in: his join goes on until its person gives it up.
 */
function checkIsSomebody(
  world: World,
  { id, replica, engine, alive }: SimDevice,
  additions: readonly Addition[],
): void {
  if (!alive || !replica.people.isLetIn(id) || replica.roster.devices.has(id)) return;
  world.counts.add('devices that are nobody in their own copy');
  if (engine.expulsion || engine.isAwaitingWord || replica.people.forked.size > 0) return;
  const here = namingIt(world, additions, id).filter(({ placed }) => replica.node(placed.delta.id));
  if (here.every(({ placed }) => world.isHostile(placed.delta.device))) return;
  world.violate('K2', `${world.nameOf(id)} goes on with a copy in which it is nobody`);
}

/**
 * Who goes on beside whom. Of devices that have taken each other out of the workspace, the one not having heard it of the other, each
 * goes on without the other, and so does who was let in again, in good faith, by who did not know that he was out himself, or that he is in
 * by nothing but what stands in a feed which has ended for others (A4, L4, D2): what lies beyond its own word a copy takes of nobody, so nobody
 * can bring them together. All others are on one side.
 */
function sidesOf(
  world: World,
  honest: readonly SimDevice[],
  invalid: readonly Addition[],
): readonly (readonly SimDevice[])[] {
  const sides: SimDevice[][] = [];
  const withCopy = honest.filter(({ replica }) => replica.size > 0);
  const isNear = (side: readonly SimDevice[], device: SimDevice) =>
    side.some((other) => !areApart(world, device, other, invalid));
  for (const device of withCopy.filter((one) => !bringsNobody(world, one))) {
    const near = sides.filter((side) => isNear(side, device));
    for (const side of near) sides.splice(sides.indexOf(side), 1);
    sides.push([device, ...near.flat()]);
  }
  for (const device of withCopy.filter((one) => bringsNobody(world, one))) {
    const side = sides.find(
      (one) => isNear(one, device) && one.some(({ replica }) => replica.roster.certificates.has(device.id)),
    );
    if (side) side.push(device);
    else sides.push([device]);
  }
  return sides;
}

/**
 * Who has left, and has his copy still, tells nobody anything, nor does whom by what he knows himself nothing has ever let in that counts, nor has he
 * anything to tell who holds but what a hostile member has made up: two sides that have him alone in common do not come together by him, and one that
 * does not know him has nothing of his.
 */
function bringsNobody(world: World, device: SimDevice): boolean {
  return !device.replica.roster.devices.has(device.id) || isMisled(world, device);
}

function areApart(world: World, a: SimDevice, b: SimDevice, invalid: readonly Addition[]): boolean {
  if (isAloneAgain(a, b) || isAloneAgain(b, a)) return true;
  const [word, answer] = [wordOn(a, b.id), wordOn(b, a.id)];
  if (word !== undefined && answer !== undefined && !(b.replica.node(word) && a.replica.node(answer))) return true;
  if (isBehindIt(world, word, b) || isBehindIt(world, answer, a)) return true;
  if (wordsOn(a, b).some((one) => isDeafTo(world, one, a, b))) return true;
  if (wordsOn(b, a).some((one) => isDeafTo(world, one, b, a))) return true;
  if (wordsOn(a, b).some((one) => isVoidFor(world, one, b, a))) return true;
  if (wordsOn(b, a).some((one) => isVoidFor(world, one, a, b))) return true;
  return isOnlyByItself(world, b, a, invalid) || isOnlyByItself(world, a, b, invalid);
}

/**
 * D2: what it holds is from when it was alone in the workspace, or with devices that are not in, for its store was put back, or a crash took what came
 * then: it knows nobody to ask, and not whom it has let in since.
 */
function isAloneAgain({ id, replica }: SimDevice, other: SimDevice): boolean {
  const known = [...replica.roster.devices.keys()];
  const isAlone = known.every((device) => device === id || !other.replica.roster.devices.has(device));
  return isAlone && !known.includes(other.id);
}

/**
 * D2: what others hold of its own may be with hostile devices alone, and none of them need tell it; and whom it knows from before may have no copy any
 * more, having left, say, or none in which it is in, or one that has begun with its own, and can tell nothing.
 */
function awaitsInVain(world: World, { id, engine, session }: SimDevice): boolean {
  const couldTell = world.couldTell.get(id);
  const tells = (device: DeviceId) => {
    const { replica, lifeName } = world.devices.get(device)!;
    return !world.isHostile(device) && replica.roster.devices.has(id) && couldTell?.has(lifeName) !== false;
  };
  return engine.isAwaitingWord && !session.devices.some(tells);
}

/** Whether a device is out for one side, and in for another, or was let in by what a side that is alone again has lost. */
function isElsewhere(world: World, side: readonly SimDevice[], device: SimDevice): boolean {
  const others = [...world.devices.values()].filter((one) => !world.isHostile(one.id) && !side.includes(one));
  return (
    side.some((one) => isAloneAgain(one, device)) ||
    others.some(({ id, replica }) => replica.roster.devices.has(device.id) && replica.roster.devices.has(id))
  );
}

/** Whether it thinks itself in, by what is void, or by what its author has lost since (D2), and another does not. */
function isOnlyByItself(world: World, one: SimDevice, other: SimDevice, invalid: readonly Addition[]): boolean {
  const { id, replica } = one;
  const isIn = replica.roster.devices.has(id);
  if (!(isIn || hasLeftUnheard(one, other)) || other.replica.roster.devices.has(id)) return false;
  const isAside = (word: Delta) =>
    isBehindIt(world, word.id, other) || isOnInEnded(world, word, other) || isLetInAside(world, word, one, other);
  if (entrancesAbove(one, other).some(isAside)) return true;
  // Of who has left that alone by which he was in last: before it he may have been in by what is void, too.
  const last = isIn ? undefined : replica.people.entranceOf(id)?.delta.id;
  return namingIt(world, invalid, id).some(
    ({ placed }) => placed.delta.id === (last ?? placed.delta.id) && replica.node(placed.delta.id),
  );
}

/** A7: it is out by its own leave alone, which another has not taken: what it was in by may be what lies between the two. */
function hasLeftUnheard({ id, replica }: SimDevice, other: SimDevice): boolean {
  const word = replica.roster.gone.get(id)?.delta;
  return word?.kind === 'leave' && !other.replica.node(word.id);
}

/**
 * I4, K1: let in by a device that has told nobody else, being hostile, or having had to erase its copy (K2) before it could, or that has lost the word with
 * its store (D2), and whomever it had told with his; and that had not the key in use itself, or has made another. Whom nobody has heard of is listened to
 * under that key alone, while nobody who is out may know it, since older ones are held by who is out, and of a newer one nothing is known.
 */
function isLetInAside(world: World, word: Delta, one: SimDevice, other: SimDevice): boolean {
  const { engine, replica } = other;
  const canTell = !world.isHostile(word.device) && world.devices.get(word.device)!.replica.node(word.id) !== undefined;
  if (canTell || replica.node(word.id) || engine.keys.inUse === undefined) return false;
  const its = one.engine.keys.inUse;
  return !speaksUnderKeyOf(one, other) || (its !== undefined && !engine.keys.find(its));
}

/** I4: the word that has let it in, that which has let in the author of that, and so on: as far as another has neither the word nor whom it lets in. */
function entrancesAbove({ id, replica }: SimDevice, other: SimDevice): readonly Delta[] {
  const words = new Set<Delta>();
  for (let device = id; !other.replica.roster.devices.has(device);) {
    const word = replica.people.entranceOf(device)?.delta;
    if (!word || words.has(word) || other.replica.node(word.id)) break;
    words.add(word);
    device = word.device;
  }
  return [...words];
}

/** L7: it was said by who went on, as no client of ours does, in a feed that ends for others with the word that had taken him out. */
function isOnInEnded(world: World, word: Delta | undefined, { replica }: SimDevice): boolean {
  if (!word || !world.isHostile(word.device) || replica.node(word.id)) return false;
  return wasTakenOut(replica, word.device);
}

/** D2: the author of a word has begun another feed since that does not know the word, and somebody has heard that first. */
function isBehindIt(world: World, word: DeltaId | undefined, { replica }: SimDevice): boolean {
  const delta = word && world.archive.get(word);
  return (
    delta !== undefined &&
    !replica.node(delta.id) &&
    replica.feeds.generationsOf(delta.device).some((generation) => generation > delta.generation)
  );
}

/**
 * Whether somebody does not have a word against it, or what that stands by (K2), whose author it has taken out itself, and nobody can bring it: who has
 * the word has the author for out, too, or is not known to it, or tells it in vain.
 */
function isDeafTo(world: World, word: DeltaId, whose: SimDevice, one: SimDevice): boolean {
  const { replica } = one;
  const author = world.archive.get(word)?.device;
  if (author === undefined || replica.node(word)) return false;
  const hasTakenOut = wasTakenOut(replica, author);
  // Whom it does not know it does not hear, but under its own key (I4): others have to tell it.
  if (!replica.roster.certificates.has(whose.id))
    return author === whose.id || hasTakenOut || !speaksUnderKeyOf(whose, one);
  if (whose.replica.roster.devices.has(author)) return isStolenFor(world, author, one);
  return hasTakenOut;
}

/** Whether a device is out for a copy, or was, and is in again (L7). */
function wasTakenOut({ roster, people }: Replica, device: DeviceId): boolean {
  return roster.gone.has(device) || people.returned().has(device);
}

/**
 * A4: whether a word on somebody is void for himself, by another on its author, which nobody can bring to whose word it is: two devices of a person that take each
 * other out, neither having heard of it, part those who heard the one first from those who heard the other, also in what the two have said before.
 */
function isVoidFor(world: World, word: DeltaId, whom: SimDevice, whose: SimDevice): boolean {
  const author = world.archive.get(word)?.device;
  if (author === undefined || whom.replica.verdictOf(word) !== 'cutOff') return false;
  const cut = wordOn(whom, author);
  return cut !== undefined && (isDeafTo(world, cut, whom, whose) || isToldByOutsider(world, cut, whom, whose));
}

/**
 * L7: whose device one has taken out, in again or not, of that one believes a word where a third tells it that is in: not where he is out himself. So its own author does not
 * have it back, who has begun anew with the copy of the other meanwhile (D2), having lost it.
 */
function isToldByOutsider(world: World, word: DeltaId, third: SimDevice, { replica }: SimDevice): boolean {
  const author = world.archive.get(word)?.device;
  if (author === undefined || replica.node(word)) return false;
  return wasTakenOut(replica, author) && !replica.roster.devices.has(third.id);
}

/** I4: whether who is not known to a device can be heard by it: whoever has erased that key since (K4) can not. */
function speaksUnderKeyOf(whose: SimDevice, { engine: { keys } }: SimDevice): boolean {
  return keys.isClean && keys.inUse !== undefined && whose.engine.keys.find(keys.inUse) !== undefined;
}

/** A4: whether a device has taken out another of its person, and not only dropped it: what that says of it is never believed, whoever tells it. */
function isStolenFor(world: World, other: DeviceId, { id, replica }: SimDevice): boolean {
  const word = replica.roster.gone.get(other)?.delta;
  const person = world.personOf.get(id);
  const isOwn = [other, word?.device].every((device) => device !== undefined && world.personOf.get(device) === person);
  return isOwn && word?.kind !== 'drop';
}

/** The last word by which one has, or had, another for out. */
function wordOn({ replica }: SimDevice, id: DeviceId): DeltaId | undefined {
  return (replica.roster.gone.get(id) ?? replica.people.returned().get(id))?.delta.id;
}

/** All words by which one has another for out, and holds them for good (K2); the last that it had, of who is in again. */
function wordsOn(one: SimDevice, other: SimDevice): readonly DeltaId[] {
  const words = one.replica.roster.wordsOut.get(other.id);
  return words?.map(({ delta }) => delta.id) ?? [wordOn(one, other.id) ?? []].flat();
}

interface Whole {
  readonly isOnly: boolean;
  /** What lets devices in, and is void. */
  readonly invalid: readonly Addition[];
  /** All that lets devices in, whoever has it. */
  readonly additions: readonly Addition[];
  /** All that was ever durable anywhere. */
  readonly all: Past;
}

function checkSide(world: World, side: readonly SimDevice[], whole: Whole, dice: Dice, cameToRest: boolean): void {
  const { isOnly, invalid, additions } = whole;
  const union = reader(world);
  takeAll(union, dice, unionOf(side.map((device) => world.heldBy(device))));
  const members = side.filter(({ id }) => union.roster.devices.has(id));
  const heard = members.filter((device) => !isMisled(world, device));
  const misled = members.length - heard.length;
  if (misled > 0) world.counts.add('copies out of step of who was let in by a hostile member', misled);
  const here = heard.filter((device) => !isLeaving(device));
  if (here.length < heard.length)
    world.counts.add('copies of who has left, and is in again', heard.length - here.length);
  const given = here.filter((device) => !waitsForCopyInVain(device, here));
  if (given.length < here.length) world.counts.add('copies that nobody may give', here.length - given.length);
  const live = given.filter((device) => !isBeforeAll(device, given));
  if (live.length < given.length) world.counts.add('copies from before all who are there', given.length - live.length);
  const past = new Past([...union.nodes()].map(({ delta }) => delta));
  checkAuthority(world, union, past);
  world.folds.check(world, union, isOnly ? undefined : side);
  checkBases(world, live);
  // With what nobody of this side has heard: who was let in by it had its key.
  const unheard = [...invalid, ...additions.filter(({ placed }) => !union.node(placed.delta.id))];
  checkKeys(world, union, past, side, whole);
  if (live.length === 0) return;
  if (world.forked.size > 0) return checkSameSets(world, live);
  checkEqual(world, live, past, dice);
  checkAlarms(world, live);
  if (cameToRest) checkLogs(world, live);
  compareWithFirstCopy(world, dice.pick(live));
  checkMembers(world, union, past, side, live, unheard);
}

/**
 * A7: who has left, and waits till others have what he wrote, does not go on with what has let him in again beside his leave: his copy goes. Nobody has told him so, and what
 * that rests on may be folded: he is a member without a copy.
 */
function isLeaving({ engine, replica, isLetInAnew }: SimDevice): boolean {
  const word = engine.expulsion?.delta;
  return word?.kind === 'leave' && replica.node(word.id) !== undefined && !isLetInAnew;
}

/**
 * N4, L6: who has no copy in which it is in, and is in for none but whose own copy nobody has vouched for, since who let both in had been dropped and had not heard it:
 * nobody may give it one, and whoever knows better has to let it in again.
 */
function waitsForCopyInVain({ id, engine }: SimDevice, members: readonly SimDevice[]): boolean {
  const mayGive = ({ replica }: SimDevice) => replica.isConfirmed && replica.roster.devices.has(id);
  return engine.isOutside && !members.some((other) => other.id !== id && mayGive(other));
}

/**
 * D2, K4: whose disk was put back to before anybody came who is there now, and who holds none of their keys: none of them can tell him anything,
 * and he knows it, and writes nothing.
 */
function isBeforeAll({ id, engine, replica }: SimDevice, members: readonly SimDevice[]): boolean {
  if (!engine.isAwaitingWord) return false;
  const isStranger = (other: SimDevice) =>
    !replica.roster.devices.has(other.id) && engine.keys.held().every(({ tag }) => !other.engine.keys.find(tag));
  return members.length > 1 && members.every((other) => other.id === id || isStranger(other));
}

function unionOf(held: readonly (readonly Delta[])[]): Delta[] {
  const all = new Map(held.flat().map((delta) => [delta.id, delta]));
  return [...all.values()];
}

/**
 * Acks in an older feed of a hostile device, of which honest ones know a later, and which none of them has named: some have taken one for what waited for it, and
 * was no good, and the others take nothing more of that feed. And those of a device that is out, or was never in: who has acknowledged that takes none, and some
 * have taken one before (A4, I4). It has no effect, and asks for no acknowledgement; whoever writes next names it, and then all have it.
 */
function idleIn(world: World, past: Past, live: readonly SimDevice[]): ReadonlySet<DeltaId> {
  const named = new Map<FeedId, number>();
  for (const { delta, vector } of past.all())
    for (const [feed, seq] of world.isHostile(delta.device) ? [] : vector)
      named.set(feed, Math.max(seq, named.get(feed) ?? 0));
  const hasLater = (device: DeviceId, generation: number) =>
    [...named.keys()].some((feed) => feed.startsWith(device) && Number(feed.split('.')[1]) > generation);
  const isUnnamedAck = ({ feed, seq, kind, tool }: Delta) =>
    tool === undefined && kind === 'ack' && seq > (named.get(feed) ?? 0);
  const isOut = (device: DeviceId) => live.every(({ replica }) => !replica.roster.devices.has(device));
  const isOver = ({ device, generation }: Delta) =>
    isOut(device) || (world.isHostile(device) && hasLater(device, generation));
  const isIdle = (delta: Delta) => isUnnamedAck(delta) && isOver(delta);
  return new Set([...past.all()].flatMap(({ delta }) => (isIdle(delta) ? delta.id : [])));
}

/** Everybody who is a member has everything that any of them has, and it means the same to all. */
function checkEqual(world: World, live: readonly SimDevice[], past: Past, dice: Dice): void {
  const idle = idleIn(world, past, live);
  const held = new Map(live.map((device) => [device, world.heldBy(device)]));
  const setIn = (deltas: readonly Delta[]) => setOf(deltas.filter(({ id }) => !idle.has(id)));
  const [largest, most] = [...held].reduce((a, b) => (b[1].length > a[1].length ? b : a));
  const set = setIn(most);
  const state = stateOf(largest.replica);
  // One for all who hold the same.
  const comparable = new Set(live.filter((device) => isComparable(world, device)));
  const batch = comparable.size > 0 ? batchOf(world, largest, most, dice) : undefined;
  for (const [device, deltas] of held) {
    if (setIn(deltas) !== set) {
      world.violate(
        'S1',
        `${world.nameOf(device.id)} ${difference(world, deltas, most)} beside ${world.nameOf(largest.id)}`,
      );
      compareWithBatch(world, device, dice);
      continue;
    }
    const own = device === largest ? state : stateOf(device.replica);
    if (own !== state)
      world.violate(
        'L5',
        `${world.nameOf(device.id)} and ${world.nameOf(largest.id)} have the same deltas and not the same state`,
      );
    if (batch && comparable.has(device)) compareWith(world, device, batch, own);
  }
  for (const device of live) {
    if (device.replica.mark.isAhead && !awaitsInVain(world, device))
      world.violate('D2', `${world.nameOf(device.id)} has not named what counts for it alone`);
    // Who is not in yet by what is here waits for that (N4).
    if (device.engine.isAwaitingWord && !device.engine.isOutside && !awaitsInVain(world, device))
      world.violate('D2', `${world.nameOf(device.id)} has heard all, and waits to be told what it lacks`);
    for (const id of device.acknowledged)
      if (!world.holds(largest, id) && isMissed(world, device, id))
        world.violate('D1', `what ${world.nameOf(device.id)} was told is safe is not with the others`);
  }
  world.counts.add('members equal in the end', live.length);
  world.counts.most('most devices', live.length);
}

function difference(world: World, some: readonly Delta[], others: readonly Delta[]): string {
  const [lacks, more] = [without(others, some), without(some, others)];
  const first = (deltas: readonly Delta[]) =>
    deltas
      .slice(0, 3)
      .map((delta) => `${world.nameOf(delta.device)} ${delta.kind} ${delta.seq}`)
      .join(', ');
  return `lacks ${lacks.length} (${first(lacks)}) and has ${more.length} (${first(more)})`;
}

/**
 * L6: who knows nobody but by a base that the one who let him in has made up, who is hostile. That says that it is out of step: there is no one
 * whom he could ask for another.
 */
function isMisled(world: World, { replica, sponsors }: SimDevice): boolean {
  const isForged = world.counts.get('hostile forged bases') > 0;
  return isForged && replica.isOutOfStep && [...sponsors].some((sponsor) => world.isHostile(sponsor));
}

/** L6: nobody says that another's state is not his where it is; a state that a hostile sponsor has made up may show. */
function checkAlarms(world: World, live: readonly SimDevice[]): void {
  for (const { session, replica, id } of live) {
    if (replica.mark.known !== '') world.counts.add('states told');
    for (const device of session.differing) {
      const other = world.devices.get(device);
      if (!other || world.isHostile(device) || !isComparable(world, other) || !replica.isConfirmed) continue;
      world.violate('L6', `${world.nameOf(id)} holds ${world.nameOf(device)} for another state of the same deltas`);
    }
  }
}

function without(some: readonly Delta[], others: readonly Delta[]): Delta[] {
  const ids = new Set(others.map(({ id }) => id));
  return some.filter(({ id }) => !ids.has(id));
}

/** Where somebody has two histories, what is the same set is the same state. */
function checkSameSets(world: World, live: readonly SimDevice[]): void {
  const states = new Map<string, string>();
  const places = groupBy(world.archive.values(), ({ feed, seq }) => `${feed} ${seq}`);
  // Of two for one place that which is not there as itself is not the one that was folded, perhaps. What is there may be nowhere durable yet.
  const isSure = ({ replica }: SimDevice, { id, feed, seq }: Delta) =>
    replica.node(id) !== undefined || places.get(`${feed} ${seq}`)!.length === 1;
  for (const device of live) {
    if (!isComparable(world, device)) continue;
    const held = world.heldBy(device).filter((delta) => isSure(device, delta));
    // D8: whoever holds the proof that somebody has two histories holds more than who does not.
    const set = [setOf(held), ...[...device.replica.people.forked].sort()].join();
    const state = stateOf(device.replica);
    if ((states.get(set) ?? state) !== state)
      world.violate('L5', `${world.nameOf(device.id)} has the deltas of another and not his state`);
    states.set(set, state);
  }
}

/** Not what went with an erased copy; nor an acknowledgement, which says nothing any more in a copy that was begun anew. */
function isMissed(world: World, { isFirstCopy }: SimDevice, id: DeltaId): boolean {
  if (world.abandoned.has(id)) return false;
  return isFirstCopy || world.archive.get(id)?.kind !== 'ack';
}

function checkDevice(world: World, device: SimDevice): void {
  for (const id of device.acknowledged)
    if (!world.holds(device, id) && isMissed(world, device, id))
      world.violate('L1', `${world.nameOf(device.id)} lost what it was told is safe`);
  const waiting = new Set(device.replica.ownWaiting().map(({ id }) => id));
  // What rests on what has been folded without it waits for ever.
  for (const id of device.beside)
    if (!world.holds(device, id) && !waiting.has(id) && hasPastOf(world, device, id))
      world.violate('L6', `${world.nameOf(device.id)} has lost what waited beside its fresh copy`);
  for (const id of world.unauthentic)
    if (world.holds(device, id)) world.violate('D7', `${world.nameOf(device.id)} keeps what nobody has signed`);
}

/** Whether all that a delta names is here. */
function hasPastOf(world: World, device: SimDevice, id: DeltaId): boolean {
  const { prev, deps } = world.archive.get(id)!;
  return [...(prev ? [prev] : []), ...deps].every((named) => world.holds(device, named));
}

/**
 * K2: no device that is out holds a key that was made by who knew that it is; but for one that was given it in good faith: by who knew what made the key (K1) and
 * what has let the device in again, and not what voids that, or takes the device out beside; and for one that a hostile member has given away.
 */
function checkKeys(
  world: World,
  union: Replica,
  past: Past,
  side: readonly SimDevice[],
  { all, additions }: Whole,
): void {
  const { epochs, wordsOut } = union.roster;
  world.counts.add('boxes of epochs', epochs.length);
  for (const [id, words] of wordsOut) {
    const device = world.devices.get(id);
    // Whom what these stand by takes out is another: who has seen that alone need not know.
    const against = words.filter(({ delta }) => isAgainst(world, delta, id));
    const out = against.flatMap(({ delta }) => past.get(delta.id) ?? []);
    if (!device || out.length < against.length || isElsewhere(world, side, device)) continue;
    const letIn = namingIt(world, additions, id);
    const seenBy = ({ delta }: Node) => {
      const made = past.get(delta.id);
      return made ? out.filter((word) => made === word || isPast(word, made)) : [];
    };
    // By a hostile member, with a word beside that by which somebody honest had made it, who had not seen what takes the device out.
    const isSaidAgain = (tag: string, by: Node) =>
      world.isHostile(by.delta.device) &&
      epochs.some(
        ({ notice, maker }) =>
          tagOf(notice.commit) === tag && !world.isHostile(maker.delta.device) && !areEnough(seenBy(maker), out),
      );
    const known = new Set<string>();
    for (const { notice, maker } of epochs) {
      const tag = tagOf(notice.commit);
      // Who boxes an older key to somebody new makes none.
      if (known.has(tag)) continue;
      known.add(tag);
      if (!areEnough(seenBy(maker), out) || isSaidAgain(tag, maker)) continue;
      world.counts.add('keys kept from who is out');
      if (!device.engine.keys.find(tag)) continue;
      const made = all.get(maker.delta.id)!;
      if (letIn.some(({ placed }) => isInFor(world, all, id, [placed, made])))
        world.counts.add('keys given in good faith');
      else if (isInForHostile(world, union, id) || isBoxedByHostile(world, letIn, tag))
        world.counts.add('keys given by hostile members');
      else world.violate('K2', `${world.nameOf(id)}, who is out, holds a key that was made afterwards`);
    }
  }
}

/** Whether a device is in for who knows these words with their past, and nothing else. */
function isInFor(world: World, all: Past, device: DeviceId, words: readonly Placed[]): boolean {
  const view = reader(world);
  for (const one of all.all())
    if (words.some((word) => word === one || isPast(one, word))) view.restore(one.delta.bytes);
  return view.roster.devices.has(device);
}

/** What a hostile member holds himself nobody can keep him from giving away. */
function isBoxedByHostile(world: World, letIn: readonly Addition[], tag: string): boolean {
  return letIn.some(
    ({ placed, control }) => world.isHostile(placed.delta.device) && tagOf(control.epoch.commit) === tag,
  );
}

/** Whether a word is about a device or its person, or is its person's leave. */
function isAgainst(world: World, word: Delta, device: DeviceId): boolean {
  const person = world.personOf.get(device);
  const control = readControl(world.crypto, word);
  if (control?.kind === 'remove' || control?.kind === 'setRole') return control.account === person?.account;
  if (control?.kind === 'leave') return world.personOf.get(word.device) === person;
  return control !== undefined && takenOutBy(control).includes(device);
}

/** A4: whether who has seen these of the words by which somebody is out has him for out: of two other roles neither does it alone. */
function areEnough(seen: readonly Placed[], all: readonly Placed[]): boolean {
  return seen.some(({ delta }) => delta.kind !== 'setRole') || (seen.length > 0 && seen.length === all.length);
}

interface Addition {
  readonly placed: Placed;
  readonly control: Control & { kind: 'admit' | 'addDevice' };
  readonly verdict: ReturnType<Replica['verdictOf']>;
}

/** What lets devices in, void or not: of what is void, since its author was out or its invitation used up, he and the device need not have heard. */
function additionsIn(world: World, all: Replica, past: Past): readonly Addition[] {
  const found: Addition[] = [];
  for (const placed of past.all()) {
    const { delta } = placed;
    if (delta.tool !== undefined || (delta.kind !== 'admit' && delta.kind !== 'addDevice')) continue;
    const control = readControl(world.crypto, delta);
    if (control?.kind === 'admit' || control?.kind === 'addDevice')
      found.push({ placed, control, verdict: all.verdictOf(delta.id) });
  }
  return found;
}

/** A hostile member, who has let it in by what nobody takes of him, gives it what he holds himself: that nobody can keep from it. */
function isInForHostile(world: World, { roster }: Replica, id: DeviceId): boolean {
  return [...roster.devices.keys()].some(
    (other) => world.isHostile(other) && world.devices.get(other)?.replica.roster.devices.has(id) === true,
  );
}

/** Of these, which name a device, or let its person in again with whatever devices of his were known. */
function namingIt(world: World, additions: readonly Addition[], device: DeviceId): readonly Addition[] {
  const account = world.personOf.get(device)?.account;
  return additions.filter(
    ({ control }) =>
      control.certificates.some((certificate) => certificate.device === device) ||
      (control.kind === 'admit' && control.account === account),
  );
}

/**
 * N4: whether a word was told in vain to a device that has nothing to erase, and that nothing it holds has ever let in, void or not; or none of the words
 * by which it was let in anew, though what the word rests on may bring, and be no more than, that by which it was in before (a genesis, whose feed has no
 * gaps; world “rough-gg.5527”). What the word rests on besides is folded elsewhere, and it is given no copy any more: it asks again, and is told so. Or its
 * store was put back to before it joined, and it has no key under which it could hear it.
 */
function isToldInVain({ id, replica, engine }: SimDevice, { delta }: Node): boolean {
  const cannotHear = replica.isWaiting(delta.id) || engine.keys.held().length === 0;
  const isYetToComeIn = engine.isOutside || !replica.people.isLetIn(id);
  return cannotHear && isYetToComeIn && replica.fold.rows()[Symbol.iterator]().next().done === true;
}

/**
 * K2: whoever is out has heard it, and his client has erased his copy, unless he was let in again in good faith: what voids that
 * lies beyond the word that took him out, and is not for him. K3: all members use the same key, where one is clean, and nobody
 * who is out holds it.
 */
function checkMembers(
  world: World,
  union: Replica,
  past: Past,
  side: readonly SimDevice[],
  live: readonly SimDevice[],
  invalid: readonly Addition[],
): void {
  for (const [id, word] of union.roster.gone) {
    const device = side.find((one) => one.id === id);
    if (!device || word.delta.kind === 'leave') continue;
    if (isToldInVain(device, word)) {
      world.counts.add('devices out before they had come in');
      continue;
    }
    const out = past.get(word.delta.id)!;
    const believes =
      device.replica.node(word.delta.id) &&
      namingIt(world, invalid, id).some(({ placed }) => isPast(out, placed) && device.replica.node(placed.delta.id));
    if (believes) world.counts.add('let in again by who was out');
    else world.violate('K2', `${world.nameOf(id)} does not know of the ${word.delta.kind} that took it out`);
  }
  const clean = live.filter(({ engine }) => engine.keys.isClean);
  const used = new Set(clean.map(({ engine }) => engine.keys.inUse));
  if (clean.length === live.length && used.size > 1)
    world.violate('K3', `${live.length} devices use ${used.size} keys`);
  if (used.size > 0) world.counts.add('worlds under a clean key');
  for (const tag of used) {
    for (const id of union.roster.gone.keys()) {
      const device = world.devices.get(id);
      if (!device || isElsewhere(world, side, device) || tag === undefined || !device.engine.keys.find(tag)) continue;
      if (namingIt(world, invalid, id).some(({ control }) => tagOf(control.epoch.commit) === tag))
        world.counts.add('keys given by who was out');
      else if (isInForHostile(world, union, id)) world.counts.add('keys given by hostile members');
      else world.violate('K3', `${world.nameOf(id)}, who is out, holds the key that members use`);
    }
  }
}
