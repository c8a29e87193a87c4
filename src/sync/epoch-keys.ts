/**
 * The epochs of one workspace as one device sees them (K1, K3, K4): which of them it holds, which is in use, and to whom each is
 * boxed. Pure: keys come from control deltas, from a welcome, from a member who was asked, or from the device's own store.
 *
 * Who makes an epoch knowing another puts it in that one's place, for good: only of those made at once, neither knowing the other,
 * the lowest key decides. So whoever has erased what everybody has acknowledged the successor of never needs it again.
 *
 * An epoch is clean while nobody who may know it is out of the workspace: no device boxed in it, be it by a word that is void, and not its maker. Made by one
 * who leaves in the same breath it would be his to read, so a leave makes none: whoever sends next does. Nor is one clean that was made without
 * having seen every word that takes somebody out: he may have asked for it meanwhile (K1), of which nothing is written down. Of several that did it
 * at once each counts: who had seen the one alone may have let him in again. So does what let somebody in and is void: for who had it he was in. And what is void would
 * have made another word void: for who had it that one by which somebody is out, perhaps.
 */
import { equalBytes } from '../base/bytes.ts';
import { groupBy } from '../base/group.ts';
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts';
import type { Certificate } from '../protocol/certificate.ts';
import type { Value } from '../protocol/codec.ts';
import { MAX_UNANNOUNCED_KEYS } from '../protocol/limits.ts';
import { compareKeys } from './seniority.ts';
import { pairSeal } from './device-link.ts';
import type { SealKey } from './envelope.ts';
import {
  boxEpoch,
  boxedIn,
  epochOf,
  isBoxedTo,
  openChunkGeneration,
  openEpoch,
  type ChunkGeneration,
  type Epoch,
  type EpochNotice,
  type EpochTag,
} from './epoch.ts';
import { inPast, type Node } from './graph.ts';
import type { EpochStep, Gate } from './passage.ts';
import type { DeviceRecord, EpochRecord, Roster } from './roster.ts';

/** An epoch as it seals what is said in this workspace (K5). */
export type HeldEpoch = Epoch & Required<SealKey>;

/** Of a box: the first 8 bytes of a device id, in hexadecimal. */
const PREFIX_LENGTH = 16;
/** What was made for a delta that was refused is forgotten after a few more. */
const MAX_MADE = 4;

export class EpochKeys implements Gate {
  readonly #crypto: Crypto;
  readonly #self: DeviceId;
  readonly #secret: Uint8Array;
  readonly #workspace: WorkspaceId;
  readonly #held = new Map<EpochTag, HeldEpoch>();
  /** K4: what is left of those whose message key was erased, here or where the chunks' key came from. */
  readonly #generations = new Map<EpochTag, ChunkGeneration>();
  readonly #pairs = new Map<DeviceId, { readonly agreementKey: Uint8Array; readonly seal: SealKey | undefined }>();
  #records: readonly EpochRecord[] = [];
  /** Of each epoch every notice there is, in words that are void, too. */
  #notices: ReadonlyMap<EpochTag, readonly EpochNotice[]> = new Map();
  /** Made here, and in no delta yet. */
  #made: readonly Epoch[] = [];
  /** Of those that are held: sent by a member, and no word here has made them. In the order in which they came. */
  readonly #unannounced = new Set<EpochTag>();
  #inUse: HeldEpoch | undefined;
  #isClean = false;
  #steps = new Map<DeviceId, readonly EpochStep[]>();
  #devices: readonly DeviceRecord[] = [];
  /** All words that took out who is not in it any more, or let him in and are void, or had made void what took him out. */
  #toBeSeen: ReadonlySet<Node> = new Set();
  #certificates: Roster['certificates'] = new Map();
  /** N4: of who gives the first copy, as each has shown it: nothing here names him yet. */
  #sponsors: readonly Certificate[] = [];

  constructor(crypto: Crypto, workspace: WorkspaceId, self: DeviceId, agreementSecret: Uint8Array) {
    this.#crypto = crypto;
    this.#workspace = workspace;
    this.#self = self;
    this.#secret = agreementSecret;
  }

  // ---- holding ----------------------------------------------------------------------------------------------------------

  /** Answers whether it is new. One that was erased does not come back (K4). */
  add(epoch: Epoch): boolean {
    if (this.#held.has(epoch.tag) || this.#generations.has(epoch.tag)) return false;
    this.#held.set(epoch.tag, { ...epoch, workspace: this.#workspace });
    this.#choose();
    return true;
  }

  /** Chunks of an epoch whose message key is not to be here (K4). Answers whether that is new. */
  addGeneration(generation: ChunkGeneration): boolean {
    if (this.#generations.has(generation.tag) || this.#held.has(generation.tag)) return false;
    this.#generations.set(generation.tag, generation);
    return true;
  }

  /**
   * K4: all but the one in use, once every active device has acknowledged all control deltas that are known: nobody seals under
   * another one. Nothing can be opened any more that was; what is left of each is answered, to be remembered in its place.
   */
  eraseOld(): readonly ChunkGeneration[] {
    if (!this.#isClean) return [];
    const erased: ChunkGeneration[] = [];
    for (const [tag, { key, commit, chunkKey }] of this.#held) {
      // Of what no word is known yet the word may be on its way.
      if (tag === this.#inUse?.tag || !this.#notices.has(tag)) continue;
      const generation = { tag, commit, chunkKey };
      this.#held.delete(tag);
      this.#generations.set(tag, generation);
      this.#made = this.#made.filter((made) => made.tag !== tag);
      key.fill(0);
      erased.push(generation);
    }
    if (erased.length > 0) this.#choose();
    return erased;
  }

  /** All that was said is here, and no word of these is part of it. */
  forgetUnannounced(): void {
    if (this.#isClean) for (const tag of this.#unannounced) this.#forget(tag);
  }

  /** As if it had not been sent: whoever uses it is asked for it, or its word has a box. */
  #forget(tag: EpochTag): void {
    this.#unannounced.delete(tag);
    this.#held.get(tag)?.key.fill(0);
    this.#held.delete(tag);
    this.#choose();
  }

  /** K4: what is under it stays closed. */
  isErased(tag: EpochTag): boolean {
    return this.#generations.has(tag);
  }

  /** What is left of those that are erased. */
  generations(): readonly ChunkGeneration[] {
    return [...this.#generations.values()];
  }

  /** Kg of a generation (F1). */
  chunkKey(tag: EpochTag): Uint8Array | undefined {
    return this.#held.get(tag)?.chunkKey ?? this.#generations.get(tag)?.chunkKey;
  }

  held(): readonly HeldEpoch[] {
    return [...this.#held.values()];
  }

  holds(tag: EpochTag): boolean {
    return this.#held.has(tag);
  }

  find(tag: EpochTag): HeldEpoch | undefined {
    return this.#held.get(tag);
  }

  /** What a message to or from a device is under: an epoch, or the seal of the two. */
  sealKey(tag: EpochTag, device: DeviceId): SealKey | undefined {
    const epoch = this.#held.get(tag);
    if (epoch) return epoch;
    const pair = this.#pairWith(device);
    return pair?.tag === tag ? pair : undefined;
  }

  pairWith(device: DeviceId): EpochTag | undefined {
    return this.#pairWith(device)?.tag;
  }

  sponsored(by: readonly Certificate[]): void {
    this.#sponsors = by;
  }

  #pairWith(device: DeviceId): SealKey | undefined {
    const certificate = this.#certificates.get(device) ?? this.#sponsors.find((one) => one.device === device);
    if (!certificate) return undefined;
    const known = this.#pairs.get(device);
    if (known?.agreementKey === certificate.agreementKey) return known.seal;
    const own = { device: this.#self, agreementSecret: this.#secret };
    const between = pairSeal(this.#crypto, own, certificate, this.#workspace);
    const seal = between && { ...between, workspace: this.#workspace };
    this.#pairs.set(device, { agreementKey: certificate.agreementKey, seal });
    return seal;
  }

  /** Takes the members as they are now. Answers the epochs that are known to be the workspace's for the first time: to be remembered. */
  follow(roster: Roster): readonly Epoch[] {
    this.#records = roster.epochs;
    const notices = [...roster.epochs.map(({ notice }) => notice), ...roster.boxedInVain];
    this.#notices = groupBy(notices, ({ tag }) => tag);
    this.#devices = [...roster.members.values()].flatMap(({ devices }) => devices);
    this.#certificates = roster.certificates;
    this.#isLive = prefixesOf(this.#devices);
    const out = [...roster.wordsOut.values(), roster.letInVain].flat();
    this.#toBeSeen = new Set(out.length > 0 ? [...out, ...roster.voidedInVain] : out);
    const opened: Epoch[] = [];
    for (const tag of this.#unannounced) {
      if (!this.#notices.has(tag)) continue;
      this.#unannounced.delete(tag);
      opened.push(this.#held.get(tag)!);
    }
    for (const { notice } of roster.epochs) {
      const epoch = this.open(notice);
      if (epoch) opened.push(epoch);
    }
    this.#choose();
    return opened;
  }

  #isLive: (prefix: string) => boolean = () => false;

  /** A box that was not open yet and opens now. */
  open(notice: EpochNotice): Epoch | undefined {
    const { tag } = notice;
    if (this.#held.has(tag) || this.#generations.has(tag)) return undefined;
    const made = this.#made.find(({ commit }) => equalBytes(commit, notice.commit));
    const epoch = made ?? openEpoch(this.#crypto, notice, this.#self, this.#secret);
    return epoch && this.add(epoch) ? epoch : undefined;
  }

  /**
   * A key that a member has sent (K1). Before the word of its making is here it opens what comes under it, and is not to be remembered:
   * `follow` answers it when that has come.
   */
  take(notice: EpochNotice): Epoch | undefined {
    const epoch = this.open(notice);
    if (!epoch || this.#notices.has(epoch.tag)) return epoch;
    this.#unannounced.add(epoch.tag);
    for (const tag of this.#unannounced) {
      if (this.#unannounced.size <= MAX_UNANNOUNCED_KEYS) break;
      this.#forget(tag);
    }
    return epoch;
  }

  /** Whether the word that makes it, or boxes it, is here. */
  isAnnounced(tag: EpochTag): boolean {
    return this.#notices.has(tag);
  }

  /** Whether a member has sent it, and no word here has made it. */
  isUnannounced(tag: EpochTag): boolean {
    return this.#unannounced.has(tag);
  }

  /** I4: whether it came with the word that lets this device in, or was asked for since: none that is here has it in a box for this device. */
  isGiven(tag: EpochTag): boolean {
    if (!this.#held.has(tag) || this.#unannounced.has(tag)) return false;
    return !this.stepsOf(this.#self).some((step) => step.tag === tag);
  }

  boxedTo(device: DeviceId): readonly EpochTag[] {
    const isBoxed = (tag: EpochTag) => this.#notices.get(tag)?.some((notice) => isBoxedTo(notice, device)) === true;
    return [...this.#held.keys()].filter(isBoxed);
  }

  /** I4: what whoever let this device in is told under while nothing that is here names him: what is in a box here he need not hold. */
  givenBy(device: DeviceId): EpochTag | undefined {
    if (this.#certificates.has(device)) return undefined;
    return [...this.#held.keys()].findLast((tag) => this.isGiven(tag));
  }

  /** The key of chunks from before this device was let in, of who has erased the other (K4): of an epoch that a word here has made. */
  openGeneration(notice: EpochNotice): ChunkGeneration | undefined {
    if (!this.#notices.get(notice.tag)?.some(({ commit }) => equalBytes(commit, notice.commit))) return undefined;
    const generation = openChunkGeneration(this.#crypto, notice, this.#self, this.#secret);
    return generation && this.addGeneration(generation) ? generation : undefined;
  }

  // ---- which is in use --------------------------------------------------------------------------------------------------

  /** K3: of those that no other has followed the one with the lowest (maker's key, id); where that is not held, the newest held. */
  get epoch(): HeldEpoch | undefined {
    return this.#inUse;
  }

  get inUse(): EpochTag | undefined {
    return this.#inUse?.tag;
  }

  /** Whether what is in use is clean: if not, whoever is about to write makes a new one first (K3). */
  get isClean(): boolean {
    return this.#isClean;
  }

  #choose(): void {
    this.#steps = new Map();
    const isHeld = ({ notice }: EpochRecord) => this.#held.has(notice.tag);
    const last = [...this.#lastMakers()];
    last.sort((a, b) => compareKeys(a.key, b.key) || (a.maker.delta.id < b.maker.delta.id ? -1 : 1));
    const first = last[0] && isHeld(last[0]) ? last[0] : undefined;
    this.#isClean = first !== undefined && this.#clean(first);
    const chosen = first ?? this.#records.findLast(isHeld);
    this.#inUse = chosen ? this.#held.get(chosen.notice.tag) : this.#held.values().next().value;
  }

  /** Of the makers those that are in no other's past: seldom more than one. */
  #lastMakers(): ReadonlySet<EpochRecord> {
    const last = new Set<EpochRecord>();
    for (const record of this.#makers()) {
      if ([...last].some(({ maker }) => inPast(record.maker, maker))) continue;
      for (const other of last) if (inPast(other.maker, record.maker)) last.delete(other);
      last.add(record);
    }
    return last;
  }

  /** Of each epoch the delta that made it: the first that commits to its key. The others box it to more devices. */
  #makers(): EpochRecord[] {
    const makers = new Map<EpochTag, EpochRecord>();
    for (const record of this.#records) {
      const { tag } = record.notice;
      if (!makers.has(tag)) makers.set(tag, record);
    }
    return [...makers.values()];
  }

  #clean({ maker, notice }: EpochRecord): boolean {
    if (!this.#isLive(maker.delta.device)) return false;
    if (![...this.#toBeSeen].every((word) => word === maker || inPast(word, maker))) return false;
    const boxes = this.#notices.get(notice.tag) ?? [];
    return boxes.every((one) => [...boxedIn(one)].every(this.#isLive));
  }

  // ---- boxing -----------------------------------------------------------------------------------------------------------

  /** A new epoch, boxed to every device but these: for the body of whatever makes it (K2). It is held once that is here. */
  make(without: ReadonlySet<DeviceId> = new Set()): Value {
    const epoch = epochOf(this.#crypto, this.#crypto.randomBytes(KEY_BYTES));
    this.#made = [...this.#made.slice(1 - MAX_MADE), epoch];
    return boxEpoch(
      this.#crypto,
      epoch,
      this.#targets((device) => !without.has(device)),
    );
  }

  /** The epoch in use, boxed to these devices; undefined where none is held. */
  box(targets: readonly { readonly device: DeviceId; readonly agreementKey: Uint8Array }[]): Value | undefined {
    return this.#inUse && boxEpoch(this.#crypto, this.#inUse, targets);
  }

  /**
   * An epoch, boxed to one of the devices (K1). Who came after it is given the key of its chunks alone (F1), and everybody is where the
   * other is erased (K4). Undefined where either is not known here.
   */
  boxTo(tag: EpochTag, device: DeviceId): Value | undefined {
    const held = this.#held.get(tag);
    const generation = held ?? this.#generations.get(tag);
    const targets = this.#targets((other) => other === device);
    if (!generation || targets.length === 0) return undefined;
    const isFor = tag === this.inUse || this.#isMeantFor(tag, device);
    const { commit, chunkKey } = generation;
    return boxEpoch(this.#crypto, { commit, key: held && isFor ? held.key : chunkKey }, targets);
  }

  /** Whether it was boxed to a device by its maker, or by whom it was boxed to before: whoever came later could box anything to himself, and ask for what is in it. */
  #isMeantFor(tag: EpochTag, device: DeviceId): boolean {
    const meant = new Set<string>();
    for (const { notice, maker } of this.#records) {
      const by = maker.delta.device.slice(0, PREFIX_LENGTH);
      if (notice.tag !== tag || (meant.size > 0 && !meant.has(by))) continue;
      for (const prefix of [by, ...boxedIn(notice)]) meant.add(prefix);
    }
    return meant.has(device.slice(0, PREFIX_LENGTH));
  }

  #targets(wanted: (device: DeviceId) => boolean): { device: DeviceId; agreementKey: Uint8Array }[] {
    return this.#devices
      .map(({ certificate }) => ({ device: certificate.device, agreementKey: certificate.agreementKey }))
      .filter(({ device }) => wanted(device));
  }

  stepsOf(device: DeviceId): readonly EpochStep[] {
    const known = this.#steps.get(device);
    if (known) return known;
    const steps: EpochStep[] = [];
    for (const { notice, maker, lets } of this.#records) {
      const { tag } = notice;
      if (!this.#held.has(tag) || !isBoxedTo(notice, device)) continue;
      steps.push({ tag, word: lets.includes(device) ? undefined : maker });
    }
    this.#steps.set(device, steps);
    return steps;
  }
}

function prefixesOf(devices: readonly DeviceRecord[]): (id: string) => boolean {
  const prefixes = new Set(devices.map(({ certificate }) => certificate.device.slice(0, PREFIX_LENGTH)));
  return (id) => prefixes.has(id.slice(0, PREFIX_LENGTH));
}
