/**
 * One device in a world: production's engine, records and locked messages, joined as the service joins them. What it says goes
 * through `Surroundings`, where the world decides what becomes of it. This is the one file of the simulator that knows how the
 * parts are put together.
 */
import type { DeltaId, DeviceId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import type { Crypto } from '../../src/crypto/crypto.ts';
import type { Certificate } from '../../src/protocol/certificate.ts';
import { asBytes, type Value } from '../../src/protocol/codec.ts';
import { recordsOf } from '../../src/service/journal.ts';
import { LockedMessages } from '../../src/service/locked-messages.ts';
import { decodeRecord, encodeRecord } from '../../src/service/records.ts';
import type { BasePart } from '../../src/sync/base.ts';
import { readControl } from '../../src/sync/control.ts';
import { type Delta, type DeltaReader, readDelta } from '../../src/sync/delta.ts';
import { Engine, type Growth } from '../../src/sync/engine.ts';
import { envelopeTag, type SealKey } from '../../src/sync/envelope.ts';
import {
  chunkGenerationOf,
  epochOf,
  openEpoch,
  type ChunkGeneration,
  type Epoch,
  type EpochTag,
} from '../../src/sync/epoch.ts';
import type { Folded } from '../../src/sync/fold.ts';
import type { Node } from '../../src/sync/graph.ts';
import type { Message } from '../../src/sync/messages.ts';
import type { Outgoing } from '../../src/sync/outgoing.ts';
import type { Entry, Replica } from '../../src/sync/replica.ts';
import type { Mark } from '../../src/sync/peer.ts';
import type { Path } from '../../src/sync/ports.ts';
import type { Roster } from '../../src/sync/roster.ts';
import type { Session } from '../../src/sync/session.ts';
import { openSaid } from '../../src/sync/signed.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import type { Counts } from './counts.ts';
import type { SimLog } from './log.ts';
import type { Identity } from './people.ts';
import type { Life } from './pruning.ts';

export interface Packet {
  readonly path: Path;
  readonly to: readonly DeviceId[];
  readonly bytes: Uint8Array;
  readonly ephemeral: boolean;
  /** Of what goes to a relay and is not ephemeral: to be told what became of it. */
  readonly holds: readonly Mark[] | undefined;
}

export interface Surroundings {
  readonly crypto: Crypto;
  readonly workspace: WorkspaceId;
  readonly reader: DeltaReader;
  readonly counts: Counts;
  /** By this device's clock. */
  now(device: DeviceId): number;
  send(from: DeviceId, packet: Packet): void;
  /** Something was appended: its fsync is due some time. */
  appended(device: DeviceId): void;
  isHostile(device: DeviceId): boolean;
  isRelayable(device: DeviceId): boolean;
  /** As it shows it with the word that lets another in. */
  certificateOf(device: DeviceId): Certificate | undefined;
  /** Whether a direct path between the two is open. */
  isConnected(a: DeviceId, b: DeviceId): boolean;
  /** It is open again, from its disk. */
  reopened(by: SimDevice): void;
  /** It begins anew, with the copy of another; to be told how that is called. */
  renewing(by: SimDevice, before: Replica, from: DeviceId): (life: Life) => void;
  /** It has begun with the base of another, unasked. */
  begunWith(by: SimDevice, from: DeviceId): void;
  /** It has written something. */
  wrote(device: SimDevice, nodes: readonly Node[]): void;
  /** Whether a delta that was ever durable is in a copy, folded or not. */
  holds(copy: Pick<SimDevice, 'replica'>, id: DeltaId): boolean;
  /** These are in its copy for good, whoever wrote them. */
  took(deltas: Iterable<Delta>): void;
  /** These are in its base now (L4). */
  folded(device: SimDevice, folded: readonly Folded[]): void;
  /** Deltas of others were taken in, and others were not. */
  heard(device: DeviceId, growth: Growth): void;
  /** It has heard that it is out of the workspace. */
  expelled(device: SimDevice): void;
  /** It may want to be woken at another time. */
  changed(device: DeviceId): void;
}

interface Arrival {
  readonly from: DeviceId;
  readonly path: Path;
  readonly bytes: Uint8Array;
  /** To be called when what it brought is durable: only then may a relay forget it (R1). */
  handled(): void;
}

export class SimDevice {
  readonly identity: Identity;
  readonly log: SimLog;
  readonly #around: Surroundings;
  engine!: Engine;
  #locked = new LockedMessages();
  /** Which of its feeds it writes (D2). */
  generation = 0;
  /** Since its disk was put back, or it has begun anew, it has not heard what is lacking (D2). */
  #awaitsWord = false;
  /** Whoever let it in: not in the roster until the first copy is here. */
  readonly sponsors = new Set<DeviceId>();
  /** Words of whoever did. */
  readonly #entrances = new Map<DeltaId, Delta>();
  /** By which it has come in. */
  readonly #used = new Set<DeltaId>();
  /** The last that it was told while it had a copy of before: with that it begins anew. */
  #welcome: { readonly by: DeviceId; readonly word: Uint8Array; readonly id: DeltaId } | undefined;
  #life = 0;
  /** How many it has begun with. */
  #copies = 0;
  #alive = false;
  /** Own deltas that were durable here: their author was told that they are safe. */
  readonly acknowledged = new Set<DeltaId>();
  /** Own deltas of the copy before that wait for their past in this one. */
  readonly beside = new Set<DeltaId>();
  /** The same, though a restored back-up or its owner's removal may have taken some of it. */
  readonly onceDurable = new Set<DeltaId>();

  constructor(around: Surroundings, identity: Identity, log: SimLog) {
    this.#around = around;
    this.identity = identity;
    this.log = log;
  }

  get id(): DeviceId {
    return this.identity.device;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get isFirstCopy(): boolean {
    return this.#copies === 0;
  }

  get lifeName(): Life {
    return `${this.id} ${this.#copies}`;
  }

  get replica(): Replica {
    return this.engine.replica;
  }

  get session(): Session {
    return this.engine.session;
  }

  get #now(): number {
    return this.#around.now(this.id);
  }

  // ---- its life -----------------------------------------------------------------------------------------------------------

  /** Starts from what the disk has kept; `isPutBack`: from what it had kept some time ago, in a new feed (D2). */
  start(isPutBack = false): void | Promise<void> {
    if (isPutBack) {
      this.generation++;
      this.acknowledged.clear();
      this.beside.clear();
    }
    const records = this.log.replay();
    if (records instanceof Promise) return records.then((kept) => this.#open(kept, isPutBack));
    this.#open(records, isPutBack);
  }

  #open(records: readonly Uint8Array[], isPutBack = false): void {
    const { crypto, workspace, reader } = this.#around;
    this.engine = new Engine({
      crypto,
      workspace,
      reader,
      reducers: [chatReducer, filesReducer],
      identity: this.identity,
      // As the service: a store is opened as it was, and then another feed begins.
      generation: isPutBack ? this.generation - 1 : this.generation,
      relayable: (device) => this.#around.isRelayable(device),
    });
    this.#locked = new LockedMessages();
    this.#alive = true;
    const read = records.flatMap((bytes) => decodeRecord(bytes) ?? []);
    const parts = read.flatMap((record) => (record.kind === 'base' ? record : []));
    const unconfirmed = read.findLast((record) => record.kind === 'local' && record.key === UNCONFIRMED);
    this.engine.restoreBase(
      parts.map(({ part }) => part),
      unconfirmed?.kind === 'local' ? asBytes(unconfirmed.value, 32) : undefined,
      parts.at(-1)?.arrivals,
    );
    for (const record of read) {
      if (record.kind === 'delta') this.engine.restore(record.bytes, record.arrival);
    }
    this.#restoreKeys(new Map(read.flatMap((record) => (record.kind === 'local' ? [[record.key, record.value]] : []))));
    this.#around.took(deltasOf(this.replica.nodes()));
    // What a torn write has kept was promised to nobody; now it is there, and is told.
    for (const { delta } of this.replica.nodes()) if (delta.device === this.id) this.#acknowledge(delta.id);
    this.#remember(this.engine.opened());
    if (isPutBack) this.engine.beginFeed(this.generation);
    this.#waitForCopy();
    this.#awaitsWord ||= isPutBack;
    if (this.#awaitsWord) this.engine.awaitWord();
    this.#around.reopened(this);
    if (this.#renewedFrom) {
      this.engine.beginFeed(++this.generation);
      this.engine.awaitWord();
      this.renewFrom(this.#renewedFrom);
    }
    if (this.engine.expulsion) this.#around.expelled(this);
    this.#dispatch(this.engine.tick(this.#now));
  }

  /** What is erased (K4) first: it does not come back. */
  #restoreKeys(local: ReadonlyMap<string, Value>): void {
    const { crypto } = this.#around;
    // A copy: what is erased (K4) is overwritten, and a back-up of the records shall keep it.
    const kept = (prefix: string) =>
      [...local].flatMap(([key, value]) => (key.startsWith(prefix) ? (asBytes(value, 32)?.slice() ?? []) : []));
    for (const key of kept(GENERATION)) this.engine.keys.addGeneration(chunkGenerationOf(crypto, key));
    for (const key of kept(EPOCH)) this.engine.keys.add(epochOf(crypto, key));
  }

  /** The process is gone, and with it all that was not on the disk. */
  stop(): void {
    this.#life++;
    this.#alive = false;
  }

  /** Everything that must not be lost, for a snapshot. */
  records(): readonly Uint8Array[] {
    const { keys } = this.engine;
    return [
      ...keys.held().map(keyRecord),
      ...keys.generations().flatMap(generationRecords),
      ...this.#unconfirmedRecord(),
      ...recordsOf(this.engine),
    ];
  }

  /** L6: that nobody has vouched yet for what the copy begins with. */
  #unconfirmedRecord(): readonly Uint8Array[] {
    const { isConfirmed, base } = this.replica;
    return isConfirmed ? [] : [encodeRecord({ kind: 'local', key: UNCONFIRMED, value: base.unconfirmed! })];
  }

  #partRecord(part: BasePart): Uint8Array {
    return encodeRecord({ kind: 'base', workspace: this.#around.workspace, part, arrivals: 0 });
  }

  /** What was others' goes, and with the next joining it begins a new feed (K2, D2): at once where it has been let in again already (L7). */
  async erase(): Promise<void> {
    const entrance = this.replica.roster.devices.has(this.id) ? this.replica.people.entranceOf(this.id) : undefined;
    // Not a second time by a word that it has come in by: whoever serves that has not heard what has taken it out since.
    const isFresh = entrance && !this.#used.has(entrance.delta.id);
    const again = isFresh ? { by: entrance.delta.device, word: entrance.delta.bytes } : undefined;
    // The one that it came in by is in its copy, and ends with it.
    const words = this.#welcome === undefined ? [] : [this.#welcome.id, ...this.#entrances.keys()];
    const welcome = words.every((word) => this.replica.node(word)) ? again : this.#welcome;
    this.#welcome = undefined;
    this.stop();
    this.sponsors.clear();
    this.#renewedFrom = undefined;
    this.#entrances.clear();
    this.#copies++;
    this.generation++;
    this.acknowledged.clear();
    this.beside.clear();
    await this.log.fsync();
    await this.log.compact([]);
    await this.log.compact([]);
    this.#open([]);
    if (!welcome) return;
    this.letIn(welcome.by, welcome.word);
    this.#welcome = undefined;
  }

  #record(bytes: Uint8Array): Uint8Array {
    return encodeRecord({ kind: 'delta', workspace: this.#around.workspace, bytes });
  }

  // ---- writing ------------------------------------------------------------------------------------------------------------

  /** Undefined where it would have no effect: nothing is written then (D9). */
  write(entries: readonly Entry[]): readonly Node[] | undefined {
    if (this.engine.isAwaitingWord) return undefined;
    this.#awaitsWord = false;
    if (this.#refuses(entries)) return undefined;
    const growth = this.engine.author(entries, this.#now);
    const { nodes } = growth;
    this.#around.wrote(this, nodes);
    this.#store(growth, () => {
      for (const { delta } of nodes) this.#acknowledge(delta.id);
    });
    return nodes;
  }

  /** K2: a hostile one, whose copy does not go, writes in it whatever counts there. */
  #refuses(entries: readonly Entry[]): boolean {
    const { engine, replica } = this;
    const refused = this.#around.isHostile(this.id)
      ? replica.wouldRefuse(this.id, entries, this.#now)
      : engine.wouldRefuse(entries, this.#now);
    return refused !== undefined;
  }

  control(kind: string, body: Entry['body']): readonly Node[] | undefined {
    return this.write([{ tool: undefined, kind, body }]);
  }

  content(tool: ToolId, kind: string, body: Entry['body']): Entry {
    return { tool, kind, body };
  }

  /** Deltas that come from nowhere on the network: the genesis of a founder, what a hostile member has forged. */
  plant(...run: readonly Uint8Array[]): void {
    const growth = this.engine.ingest(this.id, 'direct', [run], this.#now);
    this.#store(growth, () => {
      for (const { delta } of growth.nodes) if (delta.device === this.id) this.#acknowledge(delta.id);
    });
    // Nobody sent it: what it is due to others goes as after writing.
    this.#dispatch(this.session.grown(this.#now));
  }

  #acknowledge(id: DeltaId): void {
    this.acknowledged.add(id);
    this.onceDurable.add(id);
  }

  #store(growth: Growth, durable: () => void): void {
    const life = this.#life;
    const { nodes, opened } = growth;
    // As they are now: who is alone may have folded them before they are durable.
    const deltas = deltasOf(nodes);
    if (this.engine.expulsion) this.#around.expelled(this);
    const stored = (): void => {
      if (life !== this.#life) return;
      this.#around.took(deltas);
      durable();
      this.#dispatch(this.engine.stored(growth, this.#now));
      this.#unlock();
    };
    // A copy of what is on its way to the disk is answered when that is there, as in the service.
    if (nodes.length === 0 && !this.log.pending) return stored();
    this.log.append([...opened.map(keyRecord), ...deltas.map(({ bytes }) => this.#record(bytes))], stored);
    this.#around.appended(this.id);
  }

  /** Keys that this device holds from now on. */
  #remember(epochs: readonly Epoch[]): void {
    if (epochs.length === 0) return;
    this.log.append(epochs.map(keyRecord), () => undefined);
    this.#around.appended(this.id);
  }

  #rememberGenerations(generations: readonly ChunkGeneration[]): void {
    if (generations.length === 0) return;
    this.log.append(generations.flatMap(generationRecords), () => undefined);
    this.#around.appended(this.id);
  }

  // ---- hearing ------------------------------------------------------------------------------------------------------------

  receive(from: DeviceId, path: Path, bytes: Uint8Array, handled: () => void): void {
    const arrival = { from, path, bytes, handled };
    if (this.#isLocked(arrival)) return;
    const opened = this.#heard(arrival);
    if (!opened || !this.engine.listensTo(from, opened.message, opened.under)) return handled();
    const { message, under } = opened;
    this.session.told.heardUnder(from, under);
    switch (message.kind) {
      case 'deltas':
        return this.#ingest(arrival, message.runs);
      case 'key':
        this.#keyCame(message);
        return handled();
      case 'base':
        return this.#baseCame(arrival, message);
      default:
        this.#dispatch(this.engine.received(from, path, message, under, this.#now));
        return handled();
    }
  }

  #ingest({ from, path, handled }: Arrival, runs: readonly (readonly Uint8Array[])[]): void {
    const growth = this.engine.ingest(from, path, runs, this.#now);
    this.#around.heard(this.id, growth);
    const isNews = growth.nodes.some(({ delta }) => delta.tool === undefined);
    if (isNews && this.replica.roster !== this.#pathsOf) this.#followPaths();
    this.#store(growth, handled);
  }

  /** L6: a part of the first copy. What is asked for next is asked for when this one is on disk. */
  #baseCame({ from, path, handled }: Arrival, message: Message & { kind: 'base' }): void {
    const life = this.#life;
    const { renewal } = this.engine;
    const { part, replaced, opened, faults, out } = this.engine.takeBase(from, path, message);
    for (const { tag } of faults) this.#around.counts.add(`fault ${tag}`);
    if (replaced) this.#around.counts.add(renewal ? 'copies renewed' : 'copies begun with a base');
    const durable = (): void => {
      if (replaced && renewal) {
        const given = this.#around.renewing(this, replaced, from);
        this.#copies++;
        given(this.lifeName);
        this.generation = renewal.generation;
        this.#awaitsWord = true;
        this.#renewedFrom = undefined;
      } else if (replaced) this.#around.begunWith(this, from);
      // As the service: who has not written since takes another unasked (L6).
      if (replaced) this.#keepBeside(replaced);
      handled();
      if (life !== this.#life) return;
      this.#dispatch(out);
      if (!replaced) return;
      this.#followPaths();
      this.#unlock();
    };
    if (!part) return durable();
    const unconfirmed = replaced ? this.#unconfirmedRecord() : [];
    this.log.append([...opened.map(keyRecord), ...unconfirmed, this.#partRecord(part)], durable);
    this.#around.appended(this.id);
  }

  /**
   * D9: own deltas that cannot come along, also what the copy before had folded alone, are kept as what is not accepted. What it held whole
   * comes along once its past has come.
   */
  #keepBeside(before: Replica): void {
    for (const id of this.acknowledged) {
      if (this.#around.holds(this, id) || !this.#around.holds({ replica: before }, id)) continue;
      this.acknowledged.delete(id);
      if (before.node(id)?.delta.bytes.length) this.beside.add(id);
      this.#around.counts.add('own deltas kept beside a fresh copy');
    }
  }

  /** L6: its copy begins anew, with the base of another device. */
  renewFrom(from: DeviceId): void {
    this.#renewedFrom = from;
    this.#dispatch(this.engine.renewFrom({ from, generation: this.generation + 1 }));
  }

  /** Nothing has come. */
  stopRenewing(from: DeviceId): void {
    if (this.#renewedFrom !== from) return;
    this.#renewedFrom = undefined;
    if (this.#alive) this.#dispatch(this.engine.renewFrom(undefined));
  }

  /** On disk at once, as whatever a crash leaves: it asks again, in a feed that is another in any case. */
  #renewedFrom: DeviceId | undefined;

  /** K1: a member's, under an epoch that we have no key of yet. It waits for the key, which he is asked for. */
  #isLocked(arrival: Arrival): boolean {
    const tag = envelopeTag(arrival.bytes);
    if (tag === undefined || this.engine.sealKey(tag, arrival.from)) return false;
    this.#around.counts.add('messages under a key not held');
    if (!this.session.isPeer(arrival.from)) return false;
    const { waits, out } = this.engine.lockedOut(arrival.from, arrival.path, tag, this.#now);
    if (waits) this.#locked.hold(tag, arrival, this.#now);
    else {
      this.#around.counts.add('messages under an erased key');
      arrival.handled();
    }
    this.#dispatch(out);
    return true;
  }

  #unlock(): void {
    const { keys } = this.engine;
    const isSettled = (tag: EpochTag, from: DeviceId) => keys.sealKey(tag, from) !== undefined || keys.isErased(tag);
    for (const { from, path, bytes, handled } of this.#locked.take(isSettled)) {
      this.#around.counts.add('messages unlocked');
      this.receive(from, path, bytes, handled);
    }
  }

  #keyCame(message: Message & { kind: 'key' }): void {
    const came = this.engine.takeKey(message);
    if (!came) return;
    this.#around.counts.add('keys asked for and given');
    const { key, isLasting } = came;
    if (isLasting && 'key' in key) this.#remember([key]);
    else if (isLasting) this.#rememberGenerations([key]);
    this.#unlock();
  }

  #heard(arrival: Arrival): { readonly message: Message; readonly under: EpochTag } | undefined {
    const tag = envelopeTag(arrival.bytes);
    const seal = tag === undefined ? undefined : this.engine.sealKey(tag, arrival.from);
    const message = seal && this.#said(seal, arrival);
    if (!seal || !message) {
      this.#around.counts.add('messages not opened');
      return undefined;
    }
    return { message, under: seal.tag };
  }

  /** What is sealed once for several (K5) is the same to each who holds the key that its tag names. */
  #said(seal: SealKey, arrival: Arrival): Message | undefined {
    const { from, path, bytes } = arrival;
    const known = opened.get(bytes);
    if (known?.under === seal.tag && known.from === from && known.path === path) return known.message;
    const said = openSaid(this.#around.crypto, seal, arrival);
    if (said) opened.set(bytes, { under: seal.tag, from, path, message: said.message });
    return said?.message;
  }

  reached(device: DeviceId, reach: 'direct' | 'none'): void {
    if (this.session.isPeer(device)) this.#dispatch(this.session.reached(device, reach, this.#now));
  }

  /** The transport tells of a path that was there before its other end was a member. */
  #followPaths(): void {
    this.#pathsOf = this.replica.roster;
    for (const device of this.session.all)
      if (this.session.reach(device) === 'none' && this.#around.isConnected(this.id, device))
        this.reached(device, 'direct');
  }

  #pathsOf: Roster | undefined;

  relayed(devices: readonly DeviceId[], holds: readonly Mark[]): void {
    this.#dispatch(this.session.relayed(devices, holds, this.#now));
  }

  relayFailed(devices: readonly DeviceId[]): void {
    this.session.relayFailed(devices, this.#now);
    this.#dispatch([]);
  }

  relayUp(): void {
    this.#dispatch(this.session.relayUp(this.#now));
  }

  /** The relay has dropped something: whoever is a member may know what. */
  askEveryone(): void {
    for (const device of this.session.devices) this.#dispatch(this.session.greet(device, this.#now));
  }

  /** A beat of another's presence came by relay. */
  heardBeat(device: DeviceId): void {
    if (this.session.isPeer(device)) this.#dispatch(this.engine.heardBeat(device, this.#now));
  }

  get nextWake(): number | undefined {
    return this.engine.nextWake();
  }

  tick(): void {
    const duties = this.engine.duties(this.#now);
    if (duties.length > 0) this.write(duties);
    this.#fold();
    this.#dispatch(this.engine.tick(this.#now));
  }

  /** L4. */
  #fold(): void {
    const advance = this.engine.advance(this.#now);
    if (!advance) return;
    const { counts } = this.#around;
    counts.add('deltas folded', advance.folded.length);
    this.#around.folded(this, advance.folded);
    counts.add('deltas forgotten', advance.forgotten);
    if (advance.forgotten > 0) counts.add('prunes');
    counts.add('epoch keys erased', advance.erased.length);
    this.#rememberGenerations(advance.erased);
  }

  #dispatch(out: readonly Outgoing[]): void {
    for (const one of out) {
      if (one.keyFirst !== undefined)
        for (const device of one.to) this.#dispatch(this.engine.keyFor(device, one.path, one.keyFirst));
      const { path, to, message, ephemeral, holds, under } = one;
      const bytes = this.engine.seal(message, under, path, to[0]);
      if (bytes && under !== undefined && !this.engine.keys.find(under))
        this.#around.counts.add('messages under a pair’s seal');
      if (bytes) this.#around.send(this.id, { path, to, bytes, ephemeral, holds });
      else if (holds) this.session.relayFailed(to, this.#now);
    }
    this.#around.changed(this.id);
  }

  /** Out of the copy that is here, and told that it is in by a word that is not there. */
  get isLetInAnew(): boolean {
    return this.#welcome !== undefined && !this.replica.node(this.#welcome.id);
  }

  // ---- joining, and keys ------------------------------------------------------------------------------------------------------

  get epoch(): Epoch | undefined {
    return this.engine.keys.epoch;
  }

  /** Somebody let it in: the admit holds its box, and he answers for the first copy (N4). */
  letIn(sponsor: DeviceId, admit: Uint8Array): void {
    const { crypto, workspace } = this.#around;
    const delta = readDelta(crypto, workspace, admit);
    const control = delta.ok ? readControl(crypto, delta.value) : undefined;
    if (control?.kind !== 'admit' && control?.kind !== 'addDevice') return;
    const epoch = openEpoch(crypto, control.epoch, this.id, this.identity.agreementSecret);
    if (!epoch || !delta.ok) return;
    this.#welcome = { by: sponsor, word: admit, id: delta.value.id };
    // A copy in which it is in, or is out, may have to go first: then it comes in by this. Till then nothing is waited for, nor remembered, as in the service.
    if (this.replica.roster.devices.has(this.id) && !this.engine.isOutside) return;
    if (this.engine.expulsion && !this.engine.isOutside) return this.#around.expelled(this);
    this.#entrances.set(delta.value.id, delta.value);
    this.#used.add(delta.value.id);
    if (this.engine.keys.add(epoch)) this.#remember([epoch]);
    this.sponsors.add(sponsor);
    this.#waitForCopy();
    this.#followPaths();
    this.#dispatch([]);
  }

  #waitForCopy(): void {
    const sponsors = [...this.sponsors].map((device) => ({ device, certificate: this.#around.certificateOf(device) }));
    this.engine.sponsored(sponsors, this.#entrances.values());
  }
}

interface Opened {
  readonly under: EpochTag;
  readonly from: DeviceId;
  readonly path: Path;
  readonly message: Message | undefined;
}

const opened = new WeakMap<Uint8Array, Opened>();

/** Of the root of a base that nobody has vouched for yet. */
const UNCONFIRMED = 'unconfirmed';

const EPOCH = 'epoch/';
const GENERATION = 'generation/';

function deltasOf(nodes: Iterable<Node>): readonly Delta[] {
  return Array.from(nodes, ({ delta }) => delta);
}

function keyRecord({ tag, key }: Epoch): Uint8Array {
  return encodeRecord({ kind: 'local', key: EPOCH + tag, value: key });
}

/** K4: the key of the chunks in the place of the epoch's. */
function generationRecords({ tag, chunkKey }: ChunkGeneration): readonly Uint8Array[] {
  return [
    encodeRecord({ kind: 'local', key: GENERATION + tag, value: chunkKey }),
    encodeRecord({ kind: 'local', key: EPOCH + tag, value: null }),
  ];
}
