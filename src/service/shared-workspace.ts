/**
 * One workspace on this device: the engine with its disk and its paths, and what the windows hear of it. The way of a
 * change: validate → sign → apply → durable → send; the way back: open → verify → the same door → durable → acknowledge.
 */
import { toUtf8 } from '../base/utf8.ts';
import type { AccountId, DeltaId, DeviceId, ToolId, WorkspaceId } from '../base/ids.ts';
import type { Value } from '../protocol/codec.ts';
import { Role, type Control } from '../sync/control.ts';
import type { DeltaPlace } from '../sync/delta.ts';
import { pairSeal } from '../sync/device-link.ts';
import { Engine, type Growth } from '../sync/engine.ts';
import { sealMessage } from '../sync/envelope.ts';
import type { RowChange } from '../sync/fold.ts';
import type { Node } from '../sync/graph.ts';
import type { Message } from '../sync/messages.ts';
import type { Outgoing } from '../sync/outgoing.ts';
import { Lane, type Route } from '../sync/ports.ts';
import type { Entry, Replica } from '../sync/replica.ts';
import type { Member, Roster } from '../sync/roster.ts';
import { chatReducer } from '../tools/chat/reducer.ts';
import type { Content } from '../tools/files/content.ts';
import { filesReducer } from '../tools/files/reducer.ts';
import { VERSIONS } from '../tools/files/rows.ts';
import { type CallKey, ServiceError } from './api.ts';
import { ChunkExchange } from './chunk-exchange.ts';
import { KeptError } from './commit-queue.ts';
import { ContentNeeds } from './content-needs.ts';
import { Delivery } from './delivery.ts';
import type { FileTree } from './file-tree.ts';
import { Folding } from './folding.ts';
import { FreshCopy } from './fresh-copy.ts';
import type { Hub } from './hub.ts';
import { bringUpToDate, type Imaged } from './index-image.ts';
import { KeptVoid } from './kept-void.ts';
import { Keyring } from './keyring.ts';
import { generationIn } from './only-copy.ts';
import { LeftBehind, type Said } from './left-behind.ts';
import type { KnownDevice } from './own-devices.ts';
import { PeerMemory } from './peer-memory.ts';
import { Peers } from './peers.ts';
import type { ContentStore } from './ports.ts';
import { Presence } from './presence.ts';
import { deltaRecords, encodeRecord, type KeptLog } from './records.ts';
import { ShownRows } from './shown-rows.ts';
import { Tidings } from './tidings.ts';
import { Undelivered } from './undelivered.ts';
import { Unread } from './unread.ts';
import { UnreadItems } from './unread-items.ts';
import { WantedKeys } from './wanted-keys.ts';

export interface WorkspaceListener {
  chat(tool: ToolId, changes: readonly RowChange[]): void;
  /** Posts of ours that everybody is now known to hold. */
  delivered(tool: ToolId, posts: readonly DeltaId[]): void;
}

export class SharedWorkspace {
  readonly id: WorkspaceId;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  readonly engine: Engine;
  readonly keyring: Keyring;
  readonly unread: Unread;
  readonly contents: ContentStore;
  readonly exchange: ChunkExchange;
  readonly peers: Peers;
  readonly needs: ContentNeeds;
  readonly leftBehind: LeftBehind;
  readonly keptVoid: KeptVoid;
  readonly #hub: Hub;
  readonly #delivery: Delivery;
  readonly #tidings: Tidings;
  readonly #presence: Presence;
  readonly #wanted: WantedKeys;
  readonly #memory: PeerMemory;
  readonly #unreadItems: UnreadItems;
  readonly #shown: ShownRows;
  readonly #freshCopy: FreshCopy;
  readonly #folding: Folding;
  readonly #listener: WorkspaceListener;
  /** The copy is about to be erased, and what is to be kept of it was looked for: what is written now would be lost. */
  isGoing = false;
  #cancelWake: (() => void) | undefined;
  #closed = false;

  constructor(hub: Hub, id: WorkspaceId, listener: WorkspaceListener) {
    this.id = id;
    this.#hub = hub;
    this.openedAt = hub.clock.now();
    this.#listener = listener;
    this.engine = new Engine({
      crypto: hub.crypto,
      workspace: id,
      reducers: [chatReducer, filesReducer],
      identity: hub.identity,
      generation: generationIn(hub.local, id),
      relayable: (device) => this.peers.relayOf(device) !== undefined,
    });
    this.keyring = new Keyring(hub.crypto, hub.local, id, this.engine.keys);
    this.unread = new Unread(hub.local, id);
    this.#unreadItems = new UnreadItems(
      this.unread,
      hub.identity.account,
      () => this.replica,
      (tool) => this.tree(tool),
    );
    this.leftBehind = new LeftBehind(hub.local, id);
    this.keptVoid = new KeptVoid(hub, id);
    this.#tidings = new Tidings(hub, this);
    this.contents = hub.makeContents(this.keyring);
    this.#memory = new PeerMemory(hub, id, this.engine.session);
    this.peers = new Peers(hub, id, () => this.roster);
    this.#presence = new Presence(hub, this.engine, this.peers, (out) => this.#dispatch(out));
    this.exchange = this.#makeExchange();
    this.#wanted = new WantedKeys({
      hub,
      engine: this.engine,
      keyring: this.keyring,
      dispatch: (out) => this.#dispatch(out),
      onKey: () => this.exchange.pump(),
    });
    this.needs = new ContentNeeds(hub, id, this.contents, this.exchange);
    this.#shown = new ShownRows({
      hub,
      workspace: this,
      unread: this.#unreadItems,
      needs: this.needs,
      onChat: (tool, changes) => listener.chat(tool, changes),
    });
    this.#freshCopy = new FreshCopy({
      hub,
      workspace: this,
      tidings: this.#tidings,
      shown: this.#shown,
      dispatch: (out) => this.#dispatch(out),
    });
    this.#folding = new Folding(hub, this, this.#unreadItems, this.#freshCopy);
    this.#delivery = new Delivery({
      hub,
      engine: this.engine,
      peers: this.peers,
      contents: this.contents,
      exchange: this.exchange,
      onSettled: () => this.#syncChanged(),
      onRelayFull: (device) =>
        this.#tidings.tell('relayFull', `relayFull/${device}`, this.replica.people.accountOf(device)),
      onRelayTook: (device) => this.#tidings.over(`relayFull/${device}`),
    });
  }

  // ---- opening and closing ----------------------------------------------------------------------------------------------

  /** What the journal holds: the base, and what came after it. `imaged`: what of it is in the index already. */
  restore({ parts, arrivals, deltas }: KeptLog, imaged?: Imaged): void {
    this.engine.restoreBase(parts, this.#freshCopy.unconfirmed, arrivals);
    for (const { bytes, arrival } of deltas) this.engine.restore(bytes, arrival);
    this.keyring.remember(this.engine.opened());
    this.leftBehind.restore(this.replica);
    this.engine.holdBack(this.#now);
    if (this.awaitsWord) this.engine.awaitWord();
    // Nobody listens yet, and no folder is shown.
    bringUpToDate(this.#hub.index, this.replica, imaged);
    this.#unreadItems.restore();
    this.peers.restore();
    this.#tidings.restore();
    this.#memory.restore();
    for (const node of this.replica.nodes()) if (node.delta.device === this.device) this.#noteUndelivered(node);
    this.needs.restore(() => this.replica.fold.scan(VERSIONS));
  }

  start(): void {
    this.#freshCopy.resume();
    for (const device of this.engine.session.devices) this.reached(device, this.#hub.transport.reach(device));
    this.#dispatch(this.engine.tick(this.#now));
    this.exchange.pump();
  }

  close(): void {
    this.#closed = true;
    this.#cancelWake?.();
    this.peers.close();
    this.#memory.close();
    this.#delivery.close();
    this.exchange.stop();
    this.needs.stop();
  }

  // ---- who is here ------------------------------------------------------------------------------------------------------

  get replica(): Replica {
    return this.engine.replica;
  }

  get roster(): Roster {
    return this.replica.roster;
  }

  get self(): Member | undefined {
    return this.roster.members.get(this.#hub.identity.account);
  }

  get otherDevices(): readonly DeviceId[] {
    return this.engine.session.devices;
  }

  nameOf(account: AccountId): string {
    return this.roster.names.get(account) ?? account.slice(0, 8);
  }

  isPeer(device: DeviceId): boolean {
    return this.engine.session.isPeer(device) || this.peers.isSponsor(device);
  }

  routes(): readonly Route[] {
    return this.engine.session.all.map((device) => this.peers.routeOf(device));
  }

  /** Who answer for the first copy (N4). */
  sponsored(sponsors: readonly KnownDevice[], entrances: readonly DeltaPlace[]): void {
    this.peers.sponsors = sponsors.map(({ route }) => route);
    const certificates = sponsors.map(({ certificate }) => ({ device: certificate.device, certificate }));
    this.engine.sponsored(certificates, entrances);
    this.#hub.changed();
    for (const { device } of certificates) {
      this.reached(device, this.#hub.transport.reach(device));
      this.#dispatch(this.engine.session.greet(device, this.#now));
    }
  }

  /** Which of this device's feeds is written here (D2). */
  get generation(): number {
    return this.engine.generation;
  }

  /** Those of this device's feeds of which something is here, folded or not. */
  get generations(): readonly number[] {
    return this.replica.feeds.generationsOf(this.device);
  }

  beginFeed(generation: number): void {
    this.engine.beginFeed(generation);
  }

  awaitWord(): void {
    this.engine.awaitWord();
    this.#hub.local.put(awaitsKey(this.id), true);
  }

  /** D2: the store lacks a part of what it held, and nobody has told it yet what that is. */
  get awaitsWord(): boolean {
    return this.#hub.local.get(awaitsKey(this.id)) !== undefined;
  }

  /** The same of one in which this device has written: what its person has there may be nowhere else. */
  get isFromBefore(): boolean {
    return this.awaitsWord && this.generations.length > 0;
  }

  /** A word that is awaited may have come (D2). */
  #heard(): void {
    if (this.awaitsWord && !this.engine.isAwaitingWord) this.#hub.local.drop(awaitsKey(this.id));
  }

  // ---- writing ----------------------------------------------------------------------------------------------------------

  /**
   * Signs, applies, makes durable, then sends. Resolves when durable. Throws ServiceError('notPermitted') for who may not, before
   * anything is written; KeptError where the disk fails: the change stands all the same, and is saved and sent when it can be. `call` is
   * the one that is done when these are durable (L3). `alongside` puts into the local state what goes to disk with them, or not at all.
   */
  async author(
    entries: readonly Entry[],
    call?: CallKey,
    alongside?: (nodes: readonly Node[]) => void,
  ): Promise<readonly Node[]> {
    if (this.roster.deleted) throw new ServiceError('notPermitted', { reason: 'deleted' });
    if (this.isGoing) throw new ServiceError('notPermitted', { reason: 'cutOff' });
    const barred = this.#hub.onlyCopy.barred(this.id);
    if (barred) throw new ServiceError(barred, { name: this.roster.name });
    if (this.engine.isAwaitingWord) throw new ServiceError('awaitsWord', { name: this.roster.name });
    const refused = this.engine.wouldRefuse(entries, this.#now);
    if (refused) throw new ServiceError('notPermitted', { reason: refused });
    const growth = this.engine.author(entries, this.#now);
    const { nodes } = growth;
    alongside?.(nodes);
    // The disk works while the views hear of it. What a control delta makes this device remember must go to disk with it.
    const saving = nodes.every((node) => node.delta.tool !== undefined) ? this.#durable(growth, call) : undefined;
    saving?.catch(() => undefined); // awaited below
    this.#grown(growth);
    for (const node of nodes) this.#noteUndelivered(node);
    this.#dispatch(await (saving ?? this.#durable(growth, call)));
    return nodes.slice(-entries.length);
  }

  async control(kind: Control['kind'], body: Value, call?: CallKey): Promise<Node> {
    const nodes = await this.author([{ tool: undefined, kind, body }], call);
    return nodes.at(-1)!;
  }

  /** Answers what is to be sent now that it is on disk. */
  async #durable(growth: Growth, call?: CallKey): Promise<readonly Outgoing[]> {
    const records = deltaRecords(
      this.id,
      growth.nodes.map(({ delta }) => delta.bytes),
    );
    try {
      await this.#hub.commit(records, call, growth.nodes.at(-1)?.delta.id);
    } catch (error) {
      this.#unsaved.push(growth);
      throw KeptError.of(error);
    }
    return this.engine.stored(growth, this.#now);
  }

  /** In line for the disk: nobody else hears of them yet (D1). */
  readonly #unsaved: Growth[] = [];

  /** What the disk had refused is on it now. */
  saved(): void {
    for (const growth of this.#unsaved.splice(0)) this.#dispatch(this.engine.stored(growth, this.#now));
    this.needs.saved();
    this.#hub.emit({ type: 'workspaces' });
  }

  // ---- hearing ----------------------------------------------------------------------------------------------------------

  /** Resolves when what it brought is durable. */
  async received(from: DeviceId, path: 'direct' | 'relay', message: Message, under: string): Promise<void> {
    const isSponsor = this.peers.isSponsor(from) && !this.engine.session.isPeer(from);
    if (!isSponsor && !this.engine.listensTo(from, message, under)) return;
    this.engine.session.told.heardUnder(from, under);
    switch (message.kind) {
      case 'deltas':
        return this.#ingest(from, path, message.runs);
      case 'have':
      case 'got':
        this.#dispatch(this.engine.received(from, path, message, under, this.#now));
        this.#heard();
        this.#syncChanged();
        this.exchange.refresh(from);
        return;
      case 'needKey':
      case 'needBase':
      case 'fetch':
        return this.#dispatch(this.engine.received(from, path, message, under, this.#now));
      case 'folded':
        this.#dispatch(this.engine.received(from, path, message, under, this.#now));
        return this.#syncChanged();
      case 'key':
        return this.#wanted.came(message);
      case 'want':
        if (message.chunks.length === 0) return this.#delivery.settleWith(from);
        return this.exchange.wanted(from, path, message.chunks);
      case 'chunks':
        return this.exchange.received(from, message);
      case 'parcels':
        return this.needs.offered(message.parcels);
      case 'presence':
        return this.#presence.heard(from, path, message);
      case 'base':
        return this.#takeBase(from, path, message);
      case 'continued':
        return this.#offered(from, message.sealed);
      case 'join':
      case 'welcome':
      case 'declined':
      case 'account':
      case 'devices':
      case 'workspace':
      case 'nameDevice':
      case 'out':
      case 'askAnew':
        return;
    }
  }

  async #ingest(from: DeviceId, path: 'direct' | 'relay', runs: readonly (readonly Uint8Array[])[]): Promise<void> {
    const growth = this.engine.ingest(from, path, runs, this.#now);
    const own = growth.nodes.filter(({ delta }) => delta.device === this.device);
    this.#hub.onlyCopy.found(this, own);
    this.#grown(growth);
    for (const { tag, device } of growth.faults)
      if (tag === 'fork' || (tag !== 'overflow' && this.isPeer(from))) this.#tellFault(device ?? from, tag);
    // A copy is acknowledged only when the first one is durable, too.
    this.#dispatch(await this.#durable(growth));
    // K2: a word that is believed does not always come in.
    if (growth.nodes.length > 0 || this.expulsion) this.#syncChanged();
    this.#heard();
  }

  /** L6: a part of the first copy. What is asked for next is asked for when this one is on disk. */
  async #takeBase(from: DeviceId, path: 'direct' | 'relay', message: Message & { kind: 'base' }): Promise<void> {
    const { renewal } = this.engine;
    const { part, replaced, opened, faults, out } = this.engine.takeBase(from, path, message);
    for (const fault of faults) this.#tellFault(from, fault.tag);
    if (replaced) this.#freshCopy.begun(replaced, opened, renewal);
    if (part) await this.#hub.commit([encodeRecord({ kind: 'base', workspace: this.id, part, arrivals: 0 })]);
    this.#dispatch(out);
    this.#syncChanged();
  }

  /** L6: asks a device for its base, to begin anew with it; no device: no more. That it is asked goes to disk with the next commit. */
  renewFrom(from: DeviceId | undefined): void {
    this.#freshCopy.askOf(from);
  }

  async #offered(from: DeviceId, sealed: Uint8Array): Promise<void> {
    const certificate = this.roster.records.get(from)?.certificate;
    if (!certificate) return;
    const by = this.nameOf(certificate.account);
    await this.#hub.offered({ workspace: this.id, name: this.roster.name, by, certificate }, sealed);
  }

  /** An invitation, or the answer to one, for one device alone of all that hold the epoch (A7). Answers whether it is on its way, or at its relay. */
  async tellContinued(device: DeviceId, text: string): Promise<'direct' | 'relay' | undefined> {
    const { crypto, identity } = this.#hub;
    const certificate = this.roster.records.get(device)?.certificate;
    const seal = certificate && pairSeal(crypto, identity, certificate);
    if (!seal) return undefined;
    const message: Message = { kind: 'continued', sealed: sealMessage(crypto, seal, toUtf8(text)) };
    if (this.#delivery.tell(device, message, Lane.control)) return 'direct';
    return (await this.#delivery.leaveWord([device], message)) ? 'relay' : undefined;
  }

  /** Something came under an epoch whose key is not here (K1), or not any more (K4). */
  lockedOut(from: DeviceId, path: 'direct' | 'relay', epoch: string): void {
    this.#wanted.lockedOut(from, path, epoch);
  }

  #tellFault(device: DeviceId, tag: string): void {
    if (tag === 'fork' && device === this.device) this.#hub.onlyCopy.forked(this);
    else this.#tidings.fault(device, tag);
  }

  /** Devices that have shown two histories (D8). */
  get forks(): ReadonlySet<DeviceId> {
    return this.#tidings.forks;
  }

  /** L6: whose devices hold the same as this one and say that it adds up to something else. */
  get differing(): readonly AccountId[] {
    return this.engine.session.differing.flatMap((device) => this.replica.people.accountOf(device) ?? []);
  }

  /** D10: members who write what only a newer version knows. */
  get newer(): readonly AccountId[] {
    const { devices } = this.roster;
    return [...new Set([...this.replica.newer].flatMap((device) => devices.get(device)?.account ?? []))];
  }

  reached(device: DeviceId, reach: 'direct' | 'none'): void {
    if (!this.isPeer(device)) return;
    this.#dispatch(this.engine.session.reached(device, reach, this.#now));
    if (reach === 'direct') this.#presence.greet([device], 'direct', 1);
    else this.#delivery.payLater(device);
    this.exchange.pump();
    this.#hub.emit({ type: 'workspaces' });
  }

  relayUp(): void {
    this.#dispatch(this.engine.session.relayUp(this.#now));
    this.#delivery.payAll();
    this.exchange.pump();
  }

  /** The relay has dropped something: whoever is a member may know what. */
  askEveryone(): void {
    for (const device of this.engine.session.devices) this.ask(device);
  }

  /** What it holds, where it has no direct path on which it says so anyway. */
  ask(device: DeviceId): void {
    this.#dispatch(this.engine.session.greet(device, this.#now));
  }

  serveByRelay(device: DeviceId): void {
    this.#dispatch(this.engine.session.serveByRelay(device));
  }

  /** Before closing: resolves when what others are still due is at their relays, or could not be brought there. */
  handOver(): Promise<void> {
    return this.#delivery.handOver();
  }

  // ---- presence ---------------------------------------------------------------------------------------------------------

  beat(state: 0 | 1 | 2, answer: boolean): void {
    this.#presence.beat(state, answer);
  }

  // ---- sending ----------------------------------------------------------------------------------------------------------

  #dispatch(out: readonly Outgoing[]): void {
    if (this.#closed) return;
    this.#delivery.send(out);
    this.#plan();
  }

  /** One timer: for what the engine waits for. */
  #plan(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    const at = this.engine.nextWake();
    if (at === undefined || this.#closed) return;
    this.#cancelWake = this.#hub.clock.wakeAt(Math.max(at, this.#now + 1), () => this.#wake());
  }

  #wake(): void {
    const duties = this.engine.duties(this.#now);
    // A disk that fails is told of by the commit queue, and tried again.
    if (duties.length > 0) this.author(duties).catch((error: unknown) => this.#hub.fault(error));
    this.#folding.fold();
    this.leftBehind.hold(this.replica.own.comeBack());
    this.#dispatch(this.engine.tick(this.#now));
    this.#tidings.doubts();
  }

  /** In the log, or kept beside it. */
  ownDelta(id: DeltaId): Pick<Said, 'kind' | 'body'> | undefined {
    const there = this.replica.node(id)?.delta ?? this.leftBehind.find(id);
    return there ?? this.keptVoid.all.find(({ delta }) => delta.id === id)?.delta;
  }

  // ---- after growth -----------------------------------------------------------------------------------------------------

  #grown({ nodes, opened }: Growth): void {
    if (nodes.length === 0) return;
    this.keyring.remember(opened);
    this.leftBehind.settle(this.replica);
    if (nodes.some((node) => node.delta.tool === undefined)) {
      this.#hub.changed();
      this.#tidings.deletion();
      this.#tidings.permissions(nodes);
    }
    for (const node of nodes) this.#unreadItems.note(node);
    this.#shown.changed(this.replica.fold.takeChanges());
    this.#tidings.conflicts(nodes);
    this.#hub.emit({ type: 'workspaces' });
    if (this.expulsion || this.roster.deleted) this.#hub.toGo(this.id);
  }

  /** The word that took this device out of the workspace. */
  get expulsion(): Node | undefined {
    return this.engine.expulsion;
  }

  /** Another device of this person's says by what word he is out of it (K2). */
  hearOut(word: Uint8Array, from: DeviceId): void {
    if (this.engine.hearOut(word, from)) this.#syncChanged();
  }

  get device(): DeviceId {
    return this.#hub.identity.device;
  }

  /** Whether all that is ours is with every other device or with its relay: this copy is needed by nobody. */
  get isHandedOn(): boolean {
    return this.engine.session.devices.every((device) => this.#isHandedTo(device));
  }

  /** Whether one of them has all that is ours, or its relay has it for him. */
  get isWithAnother(): boolean {
    return this.engine.session.devices.some((device) => this.#isHandedTo(device));
  }

  #isHandedTo(device: DeviceId): boolean {
    const { session } = this.engine;
    return session.inSync(device) || session.isRelayed(device);
  }

  /** Own posts that were shown as waiting. */
  readonly #undelivered = new Undelivered();

  #noteUndelivered({ delta }: Node): void {
    if (!this.isDelivered(delta.id)) this.#undelivered.note(delta);
  }

  #tellDelivered(): void {
    const delivered = this.#undelivered.take((post) => this.isDelivered(post));
    for (const [tool, posts] of delivered) this.#listener.delivered(tool, posts);
  }

  /** The person has seen an item, or all of a tool. */
  see(tool: ToolId, item?: string): readonly string[] {
    const seen = this.unread.see(tool, item, this.replica.arrivals);
    if (seen.length > 0) this.#hub.emit({ type: 'workspaces' });
    return seen;
  }

  syncContent(): Promise<void> {
    return this.#hub.chunks.sync();
  }

  // ---- content ----------------------------------------------------------------------------------------------------------

  tree(tool: ToolId): FileTree {
    return this.#shown.tree(tool);
  }

  /** Whether some of a content is not here yet. */
  lacks(content: Content): boolean {
    return this.needs.lacks(content);
  }

  get lackingChunks(): number {
    return this.needs.lackingChunks;
  }

  #makeExchange(): ChunkExchange {
    const { crypto, clock, chunks, transport } = this.#hub;
    return new ChunkExchange({
      crypto,
      clock,
      chunks,
      transport,
      keys: this.keyring,
      relay: () => this.#hub.relay(),
      devices: () => this.engine.session.devices,
      sendDirect: (device, message, lane) => this.#delivery.tell(device, message, lane),
      sendByRelay: (devices, message) => this.#delivery.leaveWord(devices, message),
      isDiskFailing: () => this.#hub.isDiskFailing,
      onArrived: () => this.needs.arrived(),
      onProgress: () => this.#syncChanged(),
      onLocked: (generation) => this.#wanted.want(generation),
      // In the lane of acknowledgements, so that neither overtakes the other.
      onWhole: () => this.#delivery.tellAllDirect({ kind: 'want', chunks: [] }),
      onFault: (error) => this.#hub.fault(error),
    });
  }

  // ---- telling ----------------------------------------------------------------------------------------------------------

  #syncChanged(): void {
    if (this.expulsion || this.roster.deleted) this.#hub.toGo(this.id);
    this.#tidings.doubts();
    this.#tellDelivered();
    this.#hub.emit({ type: 'workspaces' });
    this.#memory.changed();
  }

  /** Whether every other device is known to hold a delta; what the log has let go of, everybody has acknowledged. */
  isDelivered(id: DeltaId): boolean {
    const node = this.replica.node(id);
    return !node || this.engine.session.allHold(node);
  }

  get isManager(): boolean {
    return this.self?.role === Role.manager;
  }

  get #now(): number {
    return this.#hub.clock.now();
  }
}

/** That nothing is written before another device has told what is lacking here (D2). */
function awaitsKey(workspace: WorkspaceId): string {
  return `awaits/${workspace}`;
}
