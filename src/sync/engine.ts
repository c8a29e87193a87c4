/**
 * One device's part in one workspace, pure: its copy (`copy.ts`), who is told what (`session.ts`), and its keys
 * (`epoch-keys.ts`). Whatever happens is told to it with the time; what is to be shown, stored and sent comes back as values.
 *
 * The way of a change: `author` signs and applies → the caller makes the nodes durable → `stored` says what to send (D1).
 * The way back: `ingest` verifies and applies → the caller makes the nodes durable → `stored` acknowledges.
 * Nothing is on a timer here: `nextWake` says when `tick` is worth calling, and `duties` what this device should write of itself (`duties.ts`).
 * How it has come in is `entrance.ts`, how it is out `expulsion.ts`, and of whom it takes a base `givers.ts`.
 */
import { equalBytes } from '../base/bytes.ts';
import type { AccountId, DeviceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Certificate } from '../protocol/certificate.ts';
import { MAX_FETCH_IDS } from '../protocol/limits.ts';
import { AwaitedWord } from './awaited-word.ts';
import { rootOfNothing, type BasePart, type BaseReader } from './base.ts';
import { controlBody, type CutAndRoot } from './control.ts';
import { Copy, type CopyOptions } from './copy.ts';
import type { DeltaPlace, Signer } from './delta.ts';
import { Duties } from './duties.ts';
import type { SealKey } from './envelope.ts';
import { Entrance } from './entrance.ts';
import { EpochKeys } from './epoch-keys.ts';
import { readEpochNotice, type ChunkGeneration, type Epoch, type EpochTag } from './epoch.ts';
import { Expulsion } from './expulsion.ts';
import type { FoldVerdict } from './fold.ts';
import type { Advance } from './forgetting.ts';
import { Givers, type Renewal } from './givers.ts';
import type { Node } from './graph.ts';
import type { Message } from './messages.ts';
import type { Outgoing } from './outgoing.ts';
import { Lane, type Path } from './ports.ts';
import type { IngestFault } from './proof.ts';
import type { Entry, Replica } from './replica.ts';
import type { Mark } from './peer.ts';
import { Requests } from './requests.ts';
import type { Roster } from './roster.ts';
import { Session } from './session.ts';
import { sealSaid, type Sealed } from './signed.ts';

export interface EngineIdentity {
  readonly account: AccountId;
  readonly device: DeviceId;
  readonly signer: Signer;
  /** X25519 secret: opens this device's boxes. */
  readonly agreementSecret: Uint8Array;
}

export interface EngineOptions extends CopyOptions {
  readonly identity: EngineIdentity;
  /** Whether a device's queue can be written to. */
  relayable(device: DeviceId): boolean;
}

/** Who has let this device in. */
export interface Sponsor {
  readonly device: DeviceId;
  /** As he has shown it, for the seal of the two (K4): nothing here names him yet. */
  readonly certificate?: Certificate | undefined;
}

/** What has come into the copy: to be shown, made durable together with the keys, then told to `stored`. */
export interface Growth {
  readonly nodes: readonly Node[];
  /** Epochs whose keys were found in it: to be remembered. */
  readonly opened: readonly Epoch[];
  readonly faults: readonly IngestFault[];
  /** Whom it came from; undefined for what is ours. */
  readonly source: GrowthSource | undefined;
}

interface GrowthSource {
  readonly from: DeviceId;
  readonly path: 'direct' | 'relay';
  readonly heard: readonly Mark[];
  readonly held: readonly Mark[];
  readonly gap: boolean;
}

/** What became of a part of a base (L6). */
export interface BaseStep {
  /** To be made durable before `out` is sent; undefined where it was not taken. */
  readonly part: BasePart | undefined;
  /** What the copy was until it began with this base, where it does now: all that is shown may be another. */
  readonly replaced: Replica | undefined;
  /** Epochs whose keys were found in it: to be remembered. */
  readonly opened: readonly Epoch[];
  readonly faults: readonly IngestFault[];
  readonly out: readonly Outgoing[];
}

/** What became of a message that cannot be opened: whether it may be later, and what its sender is told. */
export interface LockedOut {
  readonly waits: boolean;
  readonly out: readonly Outgoing[];
}

export interface TakenKey {
  readonly key: Epoch | ChunkGeneration;
  readonly isLasting: boolean;
}

export interface EngineAdvance extends Advance {
  /** Of epochs whose message keys were erased what is left: to be remembered in their place (K4). */
  readonly erased: readonly ChunkGeneration[];
}

/** K2: what brings the word to a device that is out, and what it wrote before that; what it answers is in the hands of who is told. */
const HEARD_OF_WHO_IS_OUT: ReadonlySet<Message['kind']> = new Set([
  ...(['have', 'got', 'deltas', 'fetch', 'needBase', 'needKey', 'base', 'folded', 'presence'] as const),
]);

const NOT_TAKEN: BaseStep = { part: undefined, replaced: undefined, opened: [], faults: [], out: [] };

export class Engine {
  readonly keys: EpochKeys;
  readonly session: Session;
  readonly #duties: Duties;
  readonly #requests = new Requests();
  readonly #expulsion: Expulsion;
  readonly #awaited: AwaitedWord;
  readonly #entrance: Entrance;
  readonly #crypto: Crypto;
  readonly #identity: EngineIdentity;
  readonly #copy: Copy;
  readonly #givers: Givers;

  constructor(options: EngineOptions) {
    const { crypto, identity, workspace } = options;
    this.#crypto = crypto;
    this.#identity = identity;
    this.#copy = new Copy(options, () => this.#entrance.awaited);
    const replica = () => this.replica;
    this.#duties = new Duties(identity.device, replica, this);
    this.#entrance = new Entrance(identity.device, replica);
    this.#expulsion = new Expulsion(crypto, identity, replica);
    this.#awaited = new AwaitedWord(identity.device, replica);
    this.keys = new EpochKeys(crypto, workspace, identity.device, identity.agreementSecret);
    const relayable = (device: DeviceId) => options.relayable(device);
    const needsCopy = () => this.#givers.needsCopy;
    const isUntold = () => this.#awaited.isUntold;
    this.session = new Session(replica, identity.device, relayable, this.keys, needsCopy, isUntold);
    this.#givers = new Givers(identity, this.#copy, this.session, this.#entrance);
  }

  /** Another one after a base was taken. */
  get replica(): Replica {
    return this.#copy.replica;
  }

  // ---- the own store ----------------------------------------------------------------------------------------------------

  /**
   * Parts of bases as they were made durable, before any delta. Answers whether there is a whole one. `unconfirmed`: the root of one that nobody had
   * vouched for. `arrivals`: how many deltas had arrived by then.
   */
  restoreBase(parts: readonly BasePart[], unconfirmed: Uint8Array | undefined, arrivals = 0): boolean {
    return this.#copy.restore(parts, unconfirmed, arrivals);
  }

  /** What was durable here once. `opened` follows, after the last. */
  restore(bytes: Uint8Array, arrival?: number): void {
    this.replica.restore(bytes, arrival);
  }

  /** Everything that was durable is back, and may all be acknowledged by now. Answers keys that were not remembered. */
  opened(): readonly Epoch[] {
    // What all had acknowledged when it was closed is not folded yet, and nothing more need ever come.
    this.#duties.lookAgain();
    return this.#follow();
  }

  /** D2: a store that was restored learns of its later feed at the first contact: for a while it writes nothing of itself. */
  holdBack(now: number): void {
    this.#duties.holdBack(now);
  }

  /** D2: this store lacks a part of its feed. */
  awaitWord(): void {
    this.#awaited.begin();
  }

  get isAwaitingWord(): boolean {
    return (this.#awaited.isAwaited && this.session.devices.length > 0) || this.isOutside || !this.replica.own.canBegin;
  }

  /** I4, L7: the word that let it in is not here yet: what it wrote before that comes would not count. */
  get isOutside(): boolean {
    return this.#entrance.isOutside;
  }

  /** S3, D2: a beat by relay of who was online before: a word may be lost, so who is not known to have all is asked, and whoever is there while one is awaited. */
  heardBeat(from: DeviceId, now: number): readonly Outgoing[] {
    return this.session.inSync(from) && !this.isAwaitingWord ? [] : this.session.greet(from, now);
  }

  /**
   * Of whom the first copy comes (N4), each of whom may give it, and the words that let us in, often one: nothing is written before one of them is in
   * the copy. Another may never come: its author was taken out himself meanwhile.
   */
  sponsored(sponsors: readonly Sponsor[], entrances: Iterable<DeltaPlace> = []): void {
    this.#entrance.by(
      sponsors.map(({ device }) => device),
      entrances,
    );
    this.keys.sponsored(sponsors.flatMap(({ certificate }) => certificate ?? []));
    this.#follow();
  }

  /** D2: from now on another feed is written. */
  beginFeed(generation: number): void {
    this.#copy.beginFeed(generation);
  }

  get generation(): number {
    return this.#copy.generation;
  }

  // ---- writing ----------------------------------------------------------------------------------------------------------

  /** Why entries would have no effect (D9), or undefined where all would be accepted. */
  wouldRefuse(entries: readonly Entry[], now: number): Exclude<FoldVerdict, 'applied'> | undefined {
    const refused = this.replica.wouldRefuse(this.#identity.device, entries, now);
    // K2, L7: a copy that has to go may count it still, as where it is in again; nobody else takes it then, nor whom it would let in.
    return refused ?? (this.#expulsion.word && 'cutOff');
  }

  /** Signs and applies. Where no epoch is clean a new one goes before them: what they say is not for who has left (K3). */
  author(entries: readonly Entry[], now: number): Growth {
    // Who has written takes no base any more that he has not asked for: what is here of one is of no use.
    if (!this.renewal) this.#copy.incoming.clear();
    this.#awaited.goOn();
    const all = this.#needsEpoch(entries) ? [this.#epochEntry(), ...entries] : entries;
    const nodes = this.replica.author(this.#identity.signer, all, now);
    return this.#grown({ nodes, faults: [], source: undefined }, now);
  }

  #needsEpoch(entries: readonly Entry[]): boolean {
    if (this.keys.isClean || !this.keys.epoch || !this.replica.roster.devices.has(this.#identity.device)) return false;
    return !entries.every(({ tool, kind }) => tool === undefined && CARRIES_NO_SECRET.has(kind));
  }

  #epochEntry(): Entry {
    return { tool: undefined, kind: 'epoch', body: controlBody.epoch(this.keys.make()) };
  }

  /** What this device should write of itself now (L4, L6); often nothing. */
  duties(now: number): readonly Entry[] {
    return this.#duties.entries(now);
  }

  /** L6: what this device has folded, to be vouched for in an admit or a checkpoint; undefined where it cannot be. */
  vouched(): CutAndRoot | undefined {
    return this.#duties.vouched();
  }

  // ---- hearing ----------------------------------------------------------------------------------------------------------

  /** Runs of deltas from another device; what is dropped stands in `faults`. */
  ingest(from: DeviceId, path: 'direct' | 'relay', runs: readonly (readonly Uint8Array[])[], now: number): Growth {
    const { added, heard, held, missing, faults } = this.replica.ingest(runs, from);
    const gap = missing.length > 0 || faults.length > 0;
    return this.#grown({ nodes: added, faults, source: { from, path, heard, held, gap } }, now);
  }

  #grown(growth: Omit<Growth, 'opened'>, now: number): Growth {
    if (growth.nodes.length > 0) this.#duties.grown(now);
    // Most control deltas are acks, and say nothing of who is in it.
    const opened = this.replica.roster === this.#followed ? [] : this.#follow();
    return { ...growth, opened };
  }

  #followed: Roster | undefined;

  /** What the control deltas add up to now: whose keys, and who is told what. */
  #follow(): readonly Epoch[] {
    const { roster } = this.replica;
    this.#followed = roster;
    if (this.#givers.devicesInCharge.length > 0) this.replica.base.unconfirmed = undefined;
    const opened = this.keys.follow(roster);
    this.#duties.follow(roster);
    const all = [...roster.devices.keys()];
    const told = new Map(roster.wordsTold);
    for (const [sponsor, words] of this.#entrance.sponsors()) {
      if (!words) all.push(sponsor);
      else if (words.length > 0) told.set(sponsor, words);
    }
    // K2, N3: whom this one has let in nobody else may know.
    for (const device of this.replica.people.letInVain())
      if (!told.has(device)) told.set(device, this.replica.people.cutsOfWhoLetIn(device));
    this.session.setDevices(all, told, this.replica.people.returned());
    return opened;
  }

  /** It is on disk: now others may hear of it (D1), and its sender that it is here. */
  stored({ nodes, source }: Growth, now: number): readonly Outgoing[] {
    for (const node of nodes) this.replica.madeDurable(node);
    // What was not on the disk yet when it was folded last may be folded now (L4).
    if (nodes.length > 0) this.#duties.lookAgain();
    this.#awaited.settle();
    if (!source) return this.session.grown(now, nodes);
    const { from, path, gap } = source;
    const out = this.session.ingested(from, path, { added: nodes, ...source }, gap, now);
    return [...out, ...(gap ? this.#fetchPast(from, path, now) : [])];
  }

  /** What something waits for and no feed of ours leads to: a branch (D8). */
  #fetchPast(from: DeviceId, path: 'direct' | 'relay', now: number): readonly Outgoing[] {
    const ids = this.replica.missing().slice(0, MAX_FETCH_IDS);
    if (this.#isMember(from)) this.#expulsion.hearLost(this.#requests.inVain(from));
    return this.#requests.fetches(from, ids, now) ? [this.#say(from, path, { kind: 'fetch', ids })] : [];
  }

  /**
   * Whether a message is listened to: of a member's device any. Of a device that is not known what it holds, and its deltas, where it has
   * the key in use, and nobody who is out has that: who let it in has not been heard of it, and may be gone (I4). Who lacks the word yet that let
   * himself in knows too little to say which that is, and listens under the key that he was let in with: whoever did may be gone, too. So does who lacks the word
   * of a key that a member has given him: he may know none of those who are there now, and who is known to him have nothing to give, as where nobody
   * has vouched for their copies (L6).
   */
  listensTo(from: DeviceId, { kind }: Message, under: EpochTag): boolean {
    if (this.session.isPeer(from)) return !this.session.isTakenOut(from) || this.#hearsOfWhoIsOut(kind);
    if (kind !== 'have' && kind !== 'deltas') return false;
    if (this.isOutside && this.keys.isGiven(under)) return true;
    if (this.keys.isUnannounced(under)) return true;
    return this.keys.isClean && under === this.keys.inUse;
  }

  /** Who is out here, and comes in by another's word (I4), may be given its key by whom it holds for out. */
  #hearsOfWhoIsOut(kind: Message['kind']): boolean {
    return HEARD_OF_WHO_IS_OUT.has(kind) || (kind === 'key' && this.isOutside);
  }

  /** `under`: the epoch it came under. */
  received(
    from: DeviceId,
    path: 'direct' | 'relay',
    message: Message,
    under: EpochTag,
    now: number,
  ): readonly Outgoing[] {
    // D2: who is out may say what he likes of feeds that are not his.
    if (message.kind === 'have' && !this.session.isGone(from)) this.#awaited.hear(from, message.vector);
    switch (message.kind) {
      case 'have':
      case 'got':
      case 'needBase': {
        const heard = this.session.received(from, path, message, now);
        // He has been given something since he said that he held nothing, or is there at least.
        const isAsked = message.kind !== 'have' && this.#awaited.isUntold;
        const out = isAsked ? [...heard, ...this.session.askHeld(from, path, now)] : heard;
        // Who is not known is answered under what it has shown to hold.
        return this.session.isPeer(from) ? out : out.map((one) => ({ ...one, under }));
      }
      case 'fetch':
        return this.#serve(from, path, message);
      case 'needKey':
        return this.#giveKey(from, path, message.epoch, under);
      case 'folded':
        if (this.#isMember(from)) this.#hearFolded(from, message.places);
        return [];
      default:
        return [];
    }
  }

  /** L6: what something here rests on is folded there, without what names it. */
  #hearFolded(from: DeviceId, places: readonly DeltaPlace[]): void {
    this.#expulsion.hearLost(places.map(({ id }) => id));
    this.replica.hearFolded(places, from);
  }

  #serve(from: DeviceId, path: 'direct' | 'relay', { ids }: Message & { kind: 'fetch' }): readonly Outgoing[] {
    const mayHear = (node: Node) => this.session.told.mayHear(from, node);
    const shown = this.replica.serving.byIds(ids).filter((run) => run.every(mayHear));
    const runs = shown.map((run) => run.map(({ delta }) => delta.bytes));
    const places = this.replica.serving.folded(ids).filter(mayHear);
    return [
      ...(runs.length > 0 ? [this.#say(from, path, { kind: 'deltas', runs })] : []),
      ...(places.length > 0
        ? [this.#say(from, path, { kind: 'folded', places: places.map(({ delta }) => delta) })]
        : []),
    ];
  }

  #say(to: DeviceId, path: 'direct' | 'relay', message: Message, under = this.session.told.epochFor(to)): Outgoing {
    return { to: [to], path, message, lane: Lane.control, ephemeral: false, under };
  }

  /** The word that took this device out of the workspace. */
  get expulsion(): Node | undefined {
    return this.#expulsion.word ?? this.wordOnSponsor;
  }

  /**
   * K2, A4: the word that cuts off who has let this device in: not while it is to hear what it lacks (D2). What comes right behind may have it in all
   * the same: it is to be believed when nothing more has come for a minute.
   */
  get wordOnSponsor(): Node | undefined {
    return this.isAwaitingWord ? undefined : this.#expulsion.onSponsor;
  }

  /** K2: another device of this person's says by what word he is out. Answers whether it is believed: not before this one has heard what it lacks (D2). */
  hearOut(bytes: Uint8Array, from: DeviceId): boolean {
    return !this.isAwaitingWord && this.#expulsion.hear(bytes, from);
  }

  // ---- keys -------------------------------------------------------------------------------------------------------------

  /** What has come can be opened by: the key that its tag names, of an epoch or of the two devices (K4). */
  sealKey(tag: EpochTag, from: DeviceId): SealKey | undefined {
    return this.keys.sealKey(tag, from);
  }

  /**
   * A peer's message came under a key that is not held. Where that was erased it is late (K4): its sender gives what was in it again,
   * and it need not be kept. Else it waits for the key, which he is asked for (K1).
   */
  lockedOut(from: DeviceId, path: 'direct' | 'relay', tag: EpochTag, now: number): LockedOut {
    if (this.keys.isErased(tag)) return { waits: false, out: this.session.late(from, path, now) };
    const asked = this.askForKey(from, path, tag, now);
    return { waits: true, out: [...asked, ...this.session.askAgain(from, path, now)] };
  }

  /** Something came under an epoch that is not held: its sender is asked for it (K1), not with every message. */
  askForKey(from: DeviceId, path: 'direct' | 'relay', epoch: EpochTag, now: number): readonly Outgoing[] {
    const asked = this.session.isPeer(from) ? this.#requests.asksKey(from, epoch, now) : undefined;
    if (!asked) return [];
    // Who has not answered may hold no epoch of those that are held here: then neither can open what the other asks.
    const under = asked === 'again' ? this.keys.pairWith(from) : undefined;
    return [this.#say(from, path, { kind: 'needKey', epoch }, under ?? this.session.told.epochFor(from))];
  }

  /** To a member's device, under an epoch that it holds. */
  #giveKey(to: DeviceId, path: 'direct' | 'relay', epoch: EpochTag, under: EpochTag | undefined): readonly Outgoing[] {
    // Where the word that has made it is not here yet, as in a copy that has begun anew, nor are those that are known to it: who is in may be out.
    if (!this.replica.roster.devices.has(to) || !this.keys.isAnnounced(epoch)) return [];
    const notice = readEpochNotice(this.keys.boxTo(epoch, to));
    return notice ? [this.#say(to, path, { kind: 'key', notice }, under)] : [];
  }

  /** The word that goes before the first message under an epoch that was never boxed to a device. */
  keyFor(to: DeviceId, path: 'direct' | 'relay', epoch: EpochTag): readonly Outgoing[] {
    return this.#giveKey(to, path, epoch, this.keys.stepsOf(to).at(-1)?.tag ?? this.keys.pairWith(to));
  }

  /**
   * A key that was asked for, or sent before its first use: of an epoch of this workspace, or of none that counts. Of one that its
   * sender has erased it is that of the chunks alone (K4). `isLasting`: to be remembered; another one is kept in memory until the word of
   * its making is here, or everything else has come to rest.
   */
  takeKey(message: Message & { kind: 'key' }): TakenKey | undefined {
    const key = this.keys.take(message.notice) ?? this.keys.openGeneration(message.notice);
    if (!key) return undefined;
    const isLasting = this.keys.isAnnounced(key.tag);
    // Of one that is older it is looked again when it may go (K4): who is out may have been heard under it, and no more.
    if (!isLasting || key.tag !== this.keys.inUse) this.#duties.lookAgain();
    return { key, isLasting };
  }

  // ---- the base (L6) ----------------------------------------------------------------------------------------------------

  /** A part of a base, from who may give us one: then the next is asked for, and with the last one the copy begins with it. */
  takeBase(from: DeviceId, path: 'direct' | 'relay', part: BasePart): BaseStep {
    const isOfNothing = equalBytes(part.root, rootOfNothing(this.#crypto));
    // The log comes after it, from its beginning: nothing that is here need go.
    if (isOfNothing && this.renewal?.from !== from)
      return { ...NOT_TAKEN, out: [this.#askForPart(from, path, part.root, 1)] };
    // Given again, since the answer was long on its way.
    if (!this.renewal && this.#copy.hasBegunWith(part.root))
      return { ...NOT_TAKEN, out: [this.#askForPart(from, path, part.root, part.parts)] };
    if (!this.#givers.mayGive(from)) {
      this.#givers.refused(from, part.part);
      this.session.doubt();
      return NOT_TAKEN;
    }
    const reader = this.#copy.incoming.readerFor(from, part);
    const added = reader.add(part);
    const { next } = reader;
    if (!added.ok) {
      const isGap = added.error.reason === 'outOfTurn' && part.part > next;
      if (isGap) return { ...NOT_TAKEN, out: [this.#askForPart(from, path, part.root, next)] };
      return added.error.reason === 'outOfTurn' ? NOT_TAKEN : { ...NOT_TAKEN, faults: [badBaseOf(from)] };
    }
    const out = [this.#askForPart(from, path, part.root, next)];
    if (added.value === 'more') return { ...NOT_TAKEN, part, out };
    const replaced = this.replica;
    if (!this.#begin(reader, from, path)) return { ...NOT_TAKEN, faults: [badBaseOf(from)] };
    const opened = this.#follow();
    return { part, replaced, opened, faults: [], out: [...out, ...this.#endRenewal(from)] };
  }

  /** L6: the copy may have folded what others have in another way, or lacks what members have folded. */
  get isOutOfStep(): boolean {
    return this.#givers.isOutOfStep;
  }

  /** L6: whose copy should take the place of this one, of those that are online. */
  freshCopyFrom(isOnline: (device: DeviceId) => boolean): DeviceId | undefined {
    return this.#givers.freshCopyFrom(isOnline);
  }

  #isMember(device: DeviceId): boolean {
    return this.replica.roster.devices.has(device);
  }

  /** Begins with a base; what was here and is not in it comes after. */
  #begin(reader: BaseReader, from: DeviceId, path: 'direct' | 'relay'): boolean {
    const { renewal } = this.#givers;
    const isAsked = renewal?.from === from;
    const before = this.replica.roster;
    if (!this.#copy.begin(reader, isAsked ? renewal.generation : undefined)) return false;
    if (this.#givers.isBetweenManagers(from) && (isAsked || path === 'direct'))
      this.replica.base.unconfirmed = undefined;
    this.#givers.begunAnew(isAsked ? from : undefined, before);
    if (isAsked) {
      this.awaitWord();
      this.#entrance.add(from);
    } else this.#awaited.begunAnew();
    return true;
  }

  /**
   * L6: asks a device for its base, to begin with that in the place of what is here. What is written before it has come goes into the feed of
   * now, and comes after the base; what is written then, into one of a higher generation (D2): the feed of now may have acknowledged what
   * is not in the base. Undefined: it is asked no more.
   */
  renewFrom(renewal: Renewal | undefined): readonly Outgoing[] {
    this.#givers.ask(renewal);
    return this.session.renewFrom(renewal?.from);
  }

  #endRenewal(from: DeviceId): readonly Outgoing[] {
    if (this.renewal?.from !== from) return [];
    this.#givers.ask(undefined);
    return this.session.begunAnew();
  }

  get renewal(): Renewal | undefined {
    return this.#givers.renewal;
  }

  #askForPart(to: DeviceId, path: 'direct' | 'relay', root: Uint8Array, part: number): Outgoing {
    return { ...this.#say(to, path, { kind: 'needBase', root, part }), ephemeral: true };
  }

  /** Of a base that is on its way: how many parts are here, and how many there are. */
  get basePartsHere(): { readonly here: number; readonly all: number } | undefined {
    return this.#copy.incoming.progress;
  }

  /** Of bases that are on their way: to be kept, as they came. */
  get partsHere(): readonly BasePart[] {
    return this.#copy.incoming.here;
  }

  /** L4: folds what all have acknowledged, when that is due, and erases the epochs that nobody needs (K4); undefined when it is not. */
  advance(now: number): EngineAdvance | undefined {
    const advance = this.#duties.advance(now);
    if (!advance) return undefined;
    const { isSettled } = this.replica;
    if (isSettled && !this.#isBehind) this.keys.forgetUnannounced();
    return { ...advance, erased: isSettled ? this.keys.eraseOld() : [] };
  }

  /** A member has said that he holds what is not here: the word of a key may be among it. */
  get #isBehind(): boolean {
    return this.session.devices.some((device) => this.session.lacksOf(device));
  }

  // ---- sealing ----------------------------------------------------------------------------------------------------------

  readonly #sealed = {
    direct: new WeakMap<Message, { readonly under: EpochTag; readonly bytes: Sealed<'direct'> }>(),
    relay: new WeakMap<Message, { readonly under: EpochTag; readonly bytes: Sealed<'relay'> }>(),
  };

  /** Sealed once, the same bytes to everybody who is sent it on the same path under the same epoch (K5). `to`: whom, or one of them. */
  seal<P extends Path>(message: Message, under: EpochTag | undefined, path: P, to?: DeviceId): Sealed<P> | undefined {
    const key = under === undefined ? this.keys.epoch : to ? this.keys.sealKey(under, to) : this.keys.find(under);
    if (!key) return undefined;
    const sealed = this.#sealed[path] as WeakMap<Message, { readonly under: EpochTag; readonly bytes: Sealed<P> }>;
    const known = sealed.get(message);
    if (known?.under === key.tag) return known.bytes;
    const bytes = sealSaid(this.#crypto, this.#identity.signer, key, path, message);
    sealed.set(message, { under: key.tag, bytes });
    return bytes;
  }

  // ---- time -------------------------------------------------------------------------------------------------------------

  tick(now: number): readonly Outgoing[] {
    return this.session.tick(now);
  }

  /** When `tick` and `duties` are next worth calling. */
  nextWake(): number | undefined {
    const times = [this.session.nextWake(), ...this.#duties.dueAt()].filter((at) => at !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}

/** They say nothing that who has left should not read; a new epoch with each of them would be one from every member. */
const CARRIES_NO_SECRET: ReadonlySet<string> = new Set([
  ...['ack', 'leave', 'epoch', 'checkpoint'],
  // They bring an epoch of their own (K2).
  ...['remove', 'removeDevice', 'freeze', 'drop'],
]);

function badBaseOf(device: DeviceId): IngestFault {
  return { tag: 'badBase', device };
}
