/**
 * One device in a world: production's replica, session, keys and records, joined as the service joins them. What it says goes
 * through `Surroundings`, where the world decides what becomes of it. This is the one file of the simulator that knows how the
 * parts of the engine are put together.
 */
import type { DeltaId, DeviceId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import type { Crypto } from '../../src/crypto/crypto.ts';
import { decodeRecord, encodeRecord } from '../../src/service/records.ts';
import { readControl } from '../../src/sync/control.ts';
import { feedOf, readDelta } from '../../src/sync/delta.ts';
import { envelopeTag, openMessage, sealMessage } from '../../src/sync/envelope.ts';
import { openEpoch, tagOf, type Epoch, type EpochTag } from '../../src/sync/epoch.ts';
import type { Node } from '../../src/sync/graph.ts';
import { decodeMessage, encodeMessage, type Message } from '../../src/sync/messages.ts';
import { Replica, type Entry } from '../../src/sync/replica.ts';
import { Session, type Mark, type Outgoing } from '../../src/sync/session.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import type { Counts } from './counts.ts';
import type { SimLog } from './log.ts';
import type { Identity } from './people.ts';

export type Path = 'direct' | 'relay';

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
  readonly counts: Counts;
  /** By this device's clock. */
  now(device: DeviceId): number;
  send(from: DeviceId, packet: Packet): void;
  /** Something was appended: its fsync is due some time. */
  appended(device: DeviceId): void;
  isRelayable(device: DeviceId): boolean;
  /** Whether a direct path between the two is open. */
  isConnected(a: DeviceId, b: DeviceId): boolean;
  /** Deltas of others were taken in. */
  heard(device: DeviceId, nodes: readonly Node[]): void;
  /** It may want to be woken at another time. */
  changed(device: DeviceId): void;
}

/** What a device of a removed member must never get hold of. */
export type HeldEpochs = ReadonlySet<EpochTag>;

export class SimDevice {
  readonly identity: Identity;
  readonly log: SimLog;
  readonly #around: Surroundings;
  replica!: Replica;
  session!: Session;
  generation = 0;
  /** Whoever let it in: not in the roster until the first copy is here. */
  sponsor: DeviceId | undefined;
  #epochs = new Map<EpochTag, Epoch>();
  #current: Epoch | undefined;
  #life = 0;
  #alive = false;
  /** Own deltas that were durable here: their author was told that they are safe. */
  readonly acknowledged = new Set<DeltaId>();
  /** The same, though a restored back-up may have taken some of it. */
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

  get #now(): number {
    return this.#around.now(this.id);
  }

  // ---- its life -----------------------------------------------------------------------------------------------------------

  /** Starts from what the disk has kept. */
  start(): void | Promise<void> {
    const records = this.log.replay();
    if (records instanceof Promise) return records.then((kept) => this.#open(kept));
    this.#open(records);
  }

  #open(records: readonly Uint8Array[]): void {
    const { crypto, workspace } = this.#around;
    const own = feedOf(this.id, this.generation);
    this.replica = new Replica({ crypto, workspace, reducers: [chatReducer, filesReducer], own });
    const gate = { stepsOf: () => [], inUse: undefined };
    this.session = new Session(this.replica, this.id, (device) => this.#around.isRelayable(device), gate);
    this.#epochs = new Map();
    this.#current = undefined;
    this.#alive = true;
    for (const bytes of records) {
      const record = decodeRecord(bytes);
      if (record?.kind === 'delta') this.replica.restore(record.bytes);
    }
    // What a torn write has kept was promised to nobody; now it is there, and is told.
    for (const { delta } of this.replica.nodes()) if (delta.device === this.id) this.#acknowledge(delta.id);
    this.#followRoster();
  }

  /** The process is gone, and with it all that was not on the disk. */
  stop(): void {
    this.#life++;
    this.#alive = false;
  }

  /** Everything that must not be lost, for a snapshot. */
  records(): readonly Uint8Array[] {
    return [...this.replica.nodes()].map((node) => this.#record(node.delta.bytes));
  }

  #record(bytes: Uint8Array): Uint8Array {
    return encodeRecord({ kind: 'delta', workspace: this.#around.workspace, bytes });
  }

  // ---- writing ------------------------------------------------------------------------------------------------------------

  /** Undefined where it would have no effect: nothing is written then (D9). */
  write(entries: readonly Entry[]): readonly Node[] | undefined {
    if (this.replica.wouldRefuse(this.id, entries, this.#now)) return undefined;
    const nodes = this.replica.author(this.identity.signer, this.generation, entries, this.#now);
    this.#grown(nodes);
    this.#store(nodes, () => {
      for (const { delta } of nodes) this.#acknowledge(delta.id);
      this.#dispatch(this.session.grown(this.#now));
    });
    return nodes;
  }

  control(kind: string, body: Entry['body']): readonly Node[] | undefined {
    return this.write([{ tool: undefined, kind, body }]);
  }

  content(tool: ToolId, kind: string, body: Entry['body']): Entry {
    return { tool, kind, body };
  }

  /** A delta that comes from nowhere on the network: the genesis of a founder, what a hostile member has forged. */
  plant(...run: readonly Uint8Array[]): void {
    const { added } = this.replica.ingest([run]);
    this.#grown(added);
    this.#store(added, () => {
      for (const { delta } of added) if (delta.device === this.id) this.#acknowledge(delta.id);
      this.#dispatch(this.session.grown(this.#now));
    });
  }

  #acknowledge(id: DeltaId): void {
    this.acknowledged.add(id);
    this.onceDurable.add(id);
  }

  #store(nodes: readonly Node[], then: () => void): void {
    const life = this.#life;
    if (nodes.length === 0) return then();
    this.log.append(
      nodes.map((node) => this.#record(node.delta.bytes)),
      () => {
        if (life !== this.#life) return;
        for (const node of nodes) this.replica.madeDurable(node);
        then();
      },
    );
    this.#around.appended(this.id);
  }

  // ---- hearing ------------------------------------------------------------------------------------------------------------

  /** `handled` is called when what it brought is durable: only then may a relay forget it (R1). */
  receive(from: DeviceId, path: Path, bytes: Uint8Array, handled: () => void): void {
    const message = this.open(from, bytes);
    if (!message || !(this.session.isPeer(from) || from === this.sponsor)) return handled();
    if (message.kind === 'welcome') {
      this.#welcomed(message.admit);
      return handled();
    }
    if (message.kind !== 'deltas') {
      this.#dispatch(this.session.received(from, path, message, this.#now));
      return handled();
    }
    const ingest = this.replica.ingest(message.runs);
    for (const { tag } of ingest.faults) this.#around.counts.add(`fault ${tag}`);
    this.#around.heard(this.id, ingest.added);
    this.#grown(ingest.added);
    this.#store(ingest.added, () => {
      const gap = ingest.missing.length > 0 || ingest.faults.length > 0;
      this.#dispatch(this.session.ingested(from, path, ingest.added, gap, this.#now, ingest.heard));
      handled();
    });
  }

  open(from: DeviceId, bytes: Uint8Array): Message | undefined {
    const tag = envelopeTag(bytes);
    const epoch = tag === undefined ? undefined : this.#epochs.get(tag);
    const plaintext = epoch && openMessage(this.#around.crypto, epoch.key, bytes);
    const decoded = plaintext && decodeMessage(plaintext);
    if (!decoded) {
      this.#around.counts.add(tag !== undefined && !epoch ? 'messages under a key not held' : 'messages not opened');
      return undefined;
    }
    return decoded.ok && from.startsWith(decoded.value.sender) ? decoded.value.message : undefined;
  }

  reached(device: DeviceId, reach: 'direct' | 'none'): void {
    if (this.session.isPeer(device)) this.#dispatch(this.session.reached(device, reach, this.#now));
  }

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

  /** A beat of another's presence came by relay: whoever is not known to have all is greeted. */
  heardBeat(device: DeviceId): void {
    if (this.session.isPeer(device) && !this.session.inSync(device))
      this.#dispatch(this.session.greet(device, this.#now));
  }

  get nextWake(): number | undefined {
    return this.session.nextWake();
  }

  tick(): void {
    this.#dispatch(this.session.tick(this.#now));
  }

  #dispatch(out: readonly Outgoing[]): void {
    for (const { path, to, message, ephemeral, holds } of out) {
      const bytes = this.seal(message);
      if (bytes) this.#around.send(this.id, { path, to, bytes, ephemeral, holds });
      else if (holds) this.session.relayFailed(to, this.#now);
    }
    this.#around.changed(this.id);
  }

  readonly #sealed = new WeakMap<Message, Uint8Array>();

  seal(message: Message): Uint8Array | undefined {
    const known = this.#sealed.get(message);
    if (known || !this.#current) return known;
    const bytes = sealMessage(this.#around.crypto, this.#current, encodeMessage(this.id, message));
    this.#sealed.set(message, bytes);
    return bytes;
  }

  // ---- who is here, and under which keys ------------------------------------------------------------------------------------

  get epoch(): Epoch | undefined {
    return this.#current;
  }

  get heldEpochs(): HeldEpochs {
    return new Set(this.#epochs.keys());
  }

  /** Somebody let it in: the admit holds its box, and he answers for the first copy (N4). */
  letIn(sponsor: DeviceId, admit: Uint8Array): void {
    this.sponsor = sponsor;
    this.#welcomed(admit);
    this.#followRoster();
  }

  #welcomed(admit: Uint8Array): void {
    const { crypto, workspace } = this.#around;
    const delta = readDelta(crypto, workspace, admit);
    const control = delta.ok ? readControl(crypto, delta.value) : undefined;
    if (control?.kind !== 'admit') return;
    const epoch = openEpoch(crypto, control.epoch, this.id, this.identity.agreementSecret);
    if (!epoch) return;
    this.#epochs.set(epoch.tag, epoch);
    this.#current ??= epoch;
  }

  #grown(nodes: readonly Node[]): void {
    if (nodes.some((node) => node.delta.tool === undefined)) this.#followRoster();
  }

  #followRoster(): void {
    const { roster } = this.replica;
    for (const { notice } of roster.epochs) {
      const tag = tagOf(notice.commit);
      if (this.#epochs.has(tag)) continue;
      const epoch = openEpoch(this.#around.crypto, notice, this.id, this.identity.agreementSecret);
      if (epoch) this.#epochs.set(tag, epoch);
    }
    const latest = roster.epochs.findLast(({ notice }) => this.#epochs.has(tagOf(notice.commit)));
    if (latest) this.#current = this.#epochs.get(tagOf(latest.notice.commit));
    const devices = [...roster.devices.keys()];
    const before = new Set(this.session.devices);
    this.session.setDevices(this.sponsor ? [...devices, this.sponsor] : devices);
    // The transport tells of a path that was there before its other end was a member.
    for (const device of this.session.devices)
      if (!before.has(device) && this.#around.isConnected(this.id, device)) this.reached(device, 'direct');
  }
}
