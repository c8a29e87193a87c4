/**
 * One workspace on this device: its replica, who is told what, its keys, and what the windows hear of it. The way of a
 * change: validate → sign → apply → durable → send; the way back: open → verify → the same door → durable → acknowledge.
 */
import { toHex } from '../base/bytes.ts';
import type { AccountId, ChunkId, DeltaId, DeviceId, ToolId, WorkspaceId } from '../base/ids.ts';
import { asArray, asCount, asList, asText, type Value } from '../protocol/codec.ts';
import { controlBody, Role, type Control } from '../sync/control.ts';
import { feedOf, idBytes } from '../sync/delta.ts';
import { sealMessage, type SealKey } from '../sync/envelope.ts';
import { capabilityOf } from '../sync/epoch.ts';
import type { RowChange } from '../sync/fold.ts';
import type { Node } from '../sync/graph.ts';
import { encodeMessage, type Message, type ParcelNotice } from '../sync/messages.ts';
import { Lane, TransportError, type Route } from '../sync/ports.ts';
import { Replica, type Entry } from '../sync/replica.ts';
import type { DeviceRecord, Member, Roster } from '../sync/roster.ts';
import { safetyNumber } from '../sync/safety-number.ts';
import { Session, type Mark, type Outgoing } from '../sync/session.ts';
import { chatReducer } from '../tools/chat/reducer.ts';
import { filesReducer } from '../tools/files/reducer.ts';
import { readFilesDelta } from '../tools/files/deltas.ts';
import { ITEMS, itemFromRow, VERSIONS, versionFromRow } from '../tools/files/rows.ts';
import { POSTS } from '../tools/chat/rows.ts';
import { readChatDelta } from '../tools/chat/deltas.ts';
import {
  ServiceError,
  type MemberInfo,
  type Role as RoleName,
  type SyncInfo,
  type ToolKind,
  type WorkspaceInfo,
} from './api.ts';
import { ChunkExchange } from './chunk-exchange.ts';
import { statementsOf } from './content-index.ts';
import { FileTree } from './file-tree.ts';
import type { Hub } from './hub.ts';
import { Keyring } from './keyring.ts';
import { readMarks, writeMarks } from './peer-memory.ts';
import type { ContentStore } from './ports.ts';
import { encodeRecord } from './records.ts';
import { Unread } from './unread.ts';
import type { ChunkRef, Content } from '../tools/files/content.ts';

export const ROLE_NAMES: readonly RoleName[] = ['manager', 'participant', 'guest'];
/** Beats come every 30 s (T2): two may be lost. */
const PRESENCE_LASTS_MS = 75_000;
/** One restart may send this much again; written more often it would cost a commit each. */
const REMEMBER_AFTER_MS = 3_000;

export interface WorkspaceListener {
  chat(tool: ToolId, changes: readonly RowChange[]): void;
  /** Posts of ours that everybody is now known to hold. */
  delivered(tool: ToolId, posts: readonly DeltaId[]): void;
}

interface Seen {
  readonly state: 1 | 2;
  readonly until: number;
}

export class SharedWorkspace {
  readonly id: WorkspaceId;
  readonly replica: Replica;
  readonly keyring: Keyring;
  readonly unread: Unread;
  readonly contents: ContentStore;
  readonly exchange: ChunkExchange;
  readonly #hub: Hub;
  readonly #session: Session;
  readonly #generation: number;
  readonly #trees = new Map<ToolId, FileTree>();
  readonly #presence = new Map<DeviceId, Seen>();
  readonly #addresses = new Map<DeviceId, readonly string[]>();
  /** Whoever let us in: not in the roster until the first copy is here. */
  #sponsor: Route | undefined;
  readonly #listener: WorkspaceListener;
  #cancelWake: (() => void) | undefined;
  #cancelRemember: (() => void) | undefined;
  #closed = false;

  constructor(hub: Hub, id: WorkspaceId, listener: WorkspaceListener) {
    this.id = id;
    this.#hub = hub;
    this.#listener = listener;
    this.#generation = asCount(hub.local.get(generationKey(id))) ?? 0;
    const own = feedOf(hub.identity.device, this.#generation);
    this.replica = new Replica({ crypto: hub.crypto, workspace: id, reducers: [chatReducer, filesReducer], own });
    this.#session = new Session(this.replica, hub.identity.device, (device) => this.#relayOf(device) !== undefined);
    this.keyring = new Keyring(hub.crypto, hub.local, id);
    this.unread = new Unread(hub.local, id);
    this.contents = hub.makeContents(this.keyring);
    this.exchange = this.#makeExchange();
  }

  // ---- opening and closing ----------------------------------------------------------------------------------------------

  /** After every delta of the journal was restored. */
  opened(): void {
    this.#followRoster();
    this.#index(this.replica.takeChanges());
    for (const node of this.replica.nodes()) this.#noteUnread(node);
    for (const [key, value] of this.#hub.local.under(`address/${this.id}/`)) {
      const addresses = asList(value, 64, (address) => asText(address, 1024));
      if (addresses) this.#addresses.set(key as DeviceId, addresses);
    }
    for (const device of this.#session.devices) {
      const value = asArray(this.#hub.local.get(`peer/${this.id}/${device}`), 2);
      if (value) this.#session.remember(device, readMarks(value[0]), readMarks(value[1]));
    }
    for (const [, value] of this.#hub.local.under(`parcel/${this.id}/`)) this.#offerStored(value);
    this.#needAllContent();
  }

  start(): void {
    for (const device of this.#session.devices) this.reached(device, this.#hub.transport.reach(device));
    this.#dispatch(this.#session.tick(this.#now));
    this.exchange.pump();
  }

  close(): void {
    this.#closed = true;
    this.#cancelWake?.();
    this.#cancelRemember?.();
    this.#rememberPeers();
    this.exchange.stop();
  }

  // ---- who is here ------------------------------------------------------------------------------------------------------

  get roster(): Roster {
    return this.replica.roster;
  }

  get self(): Member | undefined {
    return this.roster.members.get(this.#hub.identity.account);
  }

  get otherDevices(): readonly DeviceId[] {
    return this.#session.devices;
  }

  nameOf(account: AccountId): string {
    return this.roster.members.get(account)?.name ?? account.slice(0, 8);
  }

  isPeer(device: DeviceId): boolean {
    return this.#session.isPeer(device) || this.#sponsor?.device === device;
  }

  routes(): readonly Route[] {
    const routes = this.#session.devices.map((device) => this.#routeOf(device));
    return this.#sponsor && !this.#session.isPeer(this.#sponsor.device) ? [...routes, this.#sponsor] : routes;
  }

  #routeOf(device: DeviceId): Route {
    const sponsor = this.#sponsor?.device === device ? this.#sponsor : undefined;
    const addresses = this.#addresses.get(device) ?? sponsor?.addresses ?? [];
    return { device, addresses, relay: this.#relayOf(device) };
  }

  #relayOf(device: DeviceId): string | undefined {
    const record = this.#recordOf(device);
    if (record?.relay) return record.relay;
    return this.#sponsor?.device === device ? this.#sponsor.relay : this.#joinerRelays.get(device);
  }

  readonly #joinerRelays = new Map<DeviceId, string>();

  #recordOf(device: DeviceId): DeviceRecord | undefined {
    return this.roster.devices.get(device)?.devices.find((record) => record.certificate.device === device);
  }

  /** Who answers for the first copy (N4). */
  sponsored(sponsor: Route): void {
    this.#sponsor = sponsor;
    this.#followRoster();
    this.#hub.changed();
    this.reached(sponsor.device, this.#hub.transport.reach(sponsor.device));
    this.#dispatch(this.#session.greet(sponsor.device, this.#now));
  }

  /** A device was admitted just now: how to reach it until it says so itself. */
  meet(device: DeviceId, addresses: readonly string[], relay: string): void {
    if (relay !== '') this.#joinerRelays.set(device, relay);
    this.learnAddresses(device, addresses);
  }

  learnAddresses(device: DeviceId, addresses: readonly string[]): void {
    const before = this.#addresses.get(device)?.join();
    if (addresses.length === 0 || addresses.join() === before) return;
    this.#addresses.set(device, addresses);
    this.#hub.local.put(`address/${this.id}/${device}`, [...addresses]);
    this.#hub.changed();
  }

  // ---- writing ----------------------------------------------------------------------------------------------------------

  /**
   * Signs, applies, makes durable, then sends. Resolves when durable. Throws ServiceError('notPermitted') for who may not, before
   * anything is written; StoreError where the disk fails: the change stands all the same, and is saved and sent when it can be.
   */
  async author(entries: readonly Entry[]): Promise<readonly Node[]> {
    const { signer } = this.#hub.identity;
    const refused = this.replica.wouldRefuse(signer.device, entries, this.#now);
    if (refused) throw new ServiceError('notPermitted', { reason: refused });
    const nodes = this.replica.author(signer, this.#generation, entries, this.#now);
    // The disk works while the views hear of it. What a control delta makes this device remember must go to disk with it.
    const saving = nodes.every((node) => node.delta.tool !== undefined) ? this.#durable(nodes) : undefined;
    saving?.catch(() => undefined); // awaited below
    this.#grown(nodes);
    for (const node of nodes) this.#noteUndelivered(node);
    await (saving ?? this.#durable(nodes));
    this.#dispatch(this.#session.grown(this.#now));
    return nodes;
  }

  async control(kind: Control['kind'], body: Value): Promise<Node> {
    const nodes = await this.author([{ tool: undefined, kind, body }]);
    return nodes.at(-1)!;
  }

  async #durable(nodes: readonly Node[]): Promise<void> {
    const records = nodes.map((node) => encodeRecord({ kind: 'delta', workspace: this.id, bytes: node.delta.bytes }));
    try {
      await this.#hub.commit(records);
    } catch (error) {
      this.#unsaved.push(...nodes);
      throw error;
    }
    for (const node of nodes) this.replica.madeDurable(node);
  }

  /** In line for the disk: nobody else hears of them yet (D1). */
  readonly #unsaved: Node[] = [];

  /** What the disk had refused is on it now. */
  saved(): void {
    for (const node of this.#unsaved.splice(0)) this.replica.madeDurable(node);
    this.#dispatch(this.#session.grown(this.#now));
    this.#hub.emit({ type: 'workspaces' });
  }

  // ---- hearing ----------------------------------------------------------------------------------------------------------

  /** Resolves when what it brought is durable. */
  async received(from: DeviceId, path: 'direct' | 'relay', message: Message): Promise<void> {
    if (!this.isPeer(from)) return;
    switch (message.kind) {
      case 'deltas':
        return this.#ingest(from, path, message.runs);
      case 'have':
      case 'got':
        this.#dispatch(this.#session.received(from, path, message, this.#now));
        this.#syncChanged();
        this.exchange.refresh(from);
        return;
      case 'want':
        if (message.chunks.length === 0) return this.#settleWith(from);
        return this.exchange.wanted(from, path, message.chunks);
      case 'chunks':
        return this.exchange.received(from, message);
      case 'parcels':
        return this.#offered(message.parcels);
      case 'presence':
        return this.#heardPresence(from, path, message);
      case 'join':
      case 'welcome':
      case 'declined':
        return;
    }
  }

  async #ingest(from: DeviceId, path: 'direct' | 'relay', runs: readonly (readonly Uint8Array[])[]): Promise<void> {
    const ingest = this.replica.ingest(runs);
    this.#grown(ingest.added);
    for (const fault of ingest.faults) if (fault.tag !== 'overflow') this.#tellFault(fault.device ?? from, fault.tag);
    // A copy is acknowledged only when the first one is durable, too.
    await this.#durable(ingest.added);
    const gap = ingest.missing.length > 0 || ingest.faults.length > 0;
    this.#dispatch(this.#session.ingested(from, path, ingest.added, gap, this.#now, ingest.heard));
    if (ingest.added.length > 0) this.#syncChanged();
  }

  /** Once for each member and kind: who sends rubbish sends it again and again. */
  #tellFault(device: DeviceId, tag: string): void {
    const account = this.replica.accountOf(device);
    const code = tag === 'fork' ? 'fork' : 'badDelta';
    this.#tell(code, `${code}/${account ?? device}`, account);
  }

  #tell(code: 'fork' | 'badDelta' | 'relayFull', once: string, account: AccountId | undefined): void {
    if (this.#told.has(once)) return;
    this.#told.add(once);
    const member = account === undefined ? '' : this.nameOf(account);
    this.#hub.emit({ type: 'notice', code, workspace: this.id, detail: { member } });
  }

  readonly #told = new Set<string>();

  reached(device: DeviceId, reach: 'direct' | 'none'): void {
    if (!this.isPeer(device)) return;
    this.#dispatch(this.#session.reached(device, reach, this.#now));
    if (reach === 'direct') this.#greet([device], 'direct', 1);
    else this.#payLater(device);
    this.exchange.pump();
    this.#hub.emit({ type: 'workspaces' });
  }

  relayUp(): void {
    this.#dispatch(this.#session.relayUp(this.#now));
    for (const device of this.#owed.keys()) if (this.#session.reach(device) === 'none') this.#payLater(device);
    this.exchange.pump();
  }

  /** The relay has dropped something: whoever is a member may know what. */
  askEveryone(): void {
    for (const device of this.#session.devices) this.#dispatch(this.#session.greet(device, this.#now));
  }

  serveByRelay(device: DeviceId): void {
    this.#dispatch(this.#session.serveByRelay(device));
  }

  // ---- presence ---------------------------------------------------------------------------------------------------------

  beat(state: 0 | 1 | 2, answer: boolean): void {
    const direct = this.#session.devices.filter((device) => this.#session.reach(device) === 'direct');
    const others = this.#session.devices.filter(
      (device) => !direct.includes(device) && this.#relayOf(device) !== undefined,
    );
    this.#greet(direct, 'direct', state, answer);
    this.#greet(others, 'relay', state, answer);
  }

  #greet(to: readonly DeviceId[], path: 'direct' | 'relay', state: 0 | 1 | 2, answer = false): void {
    if (to.length === 0) return;
    const message: Message = { kind: 'presence', state, addresses: this.#hub.transport.listening.slice(0, 16), answer };
    this.#dispatch([{ to, path, message, lane: Lane.control, ephemeral: true }]);
  }

  #heardPresence(from: DeviceId, path: 'direct' | 'relay', message: Message & { kind: 'presence' }): void {
    const before = this.#isOnline(from);
    if (message.state === 0) this.#presence.delete(from);
    else this.#presence.set(from, { state: message.state, until: this.#now + PRESENCE_LASTS_MS });
    this.learnAddresses(from, message.addresses);
    if (message.answer) this.#greet([from], path, 1);
    // A word by relay may be lost: who is not known to have all is greeted with each beat, until he has said so.
    if (message.state !== 0 && path === 'relay' && !(before && this.#session.inSync(from)))
      this.#dispatch(this.#session.greet(from, this.#now));
    if (before !== this.#isOnline(from)) this.#hub.emit({ type: 'workspaces' });
  }

  #isOnline(device: DeviceId): boolean {
    return this.#session.reach(device) === 'direct' || (this.#presence.get(device)?.until ?? 0) > this.#now;
  }

  // ---- sending ----------------------------------------------------------------------------------------------------------

  readonly #sealed = new WeakMap<Message, Uint8Array>();

  /** Sealed once, the same bytes to everybody (K5). */
  #seal(message: Message, under?: SealKey): Uint8Array | undefined {
    const known = this.#sealed.get(message);
    if (known) return known;
    const key = under ?? this.keyring.epoch;
    if (!key) return undefined;
    const bytes = sealMessage(this.#hub.crypto, key, encodeMessage(this.#hub.identity.device, message));
    this.#sealed.set(message, bytes);
    return bytes;
  }

  #dispatch(out: readonly Outgoing[]): void {
    if (this.#closed) return;
    for (const one of out) {
      if (one.path === 'relay') this.#sendRelay(one).catch((error: unknown) => this.#hub.fault(error));
      else for (const device of one.to) this.#sendDirect(device, one.message, one.lane);
      if (one.path === 'direct' && one.nodes) void this.#owe(one.to, one.nodes);
    }
    this.#plan();
  }

  #sendDirect(device: DeviceId, message: Message, lane: Lane): boolean {
    const bytes = this.#seal(message);
    return bytes !== undefined && this.#hub.transport.send(device, bytes, lane);
  }

  /** What is on its way to a relay: who closes waits for it a little. */
  readonly #sending = new Set<Promise<void>>();

  #sendRelay(one: Outgoing): Promise<void> {
    const sending = this.#hand(one).finally(() => this.#sending.delete(sending));
    if (!one.ephemeral) this.#sending.add(sending);
    return sending;
  }

  async #hand(one: Outgoing): Promise<void> {
    const ready = !one.nodes || (await this.#leaveContent(one.to, one.nodes));
    const outcomes = ready ? await this.#submit(one.to, one.message, one.ephemeral) : one.to.map(() => 'unavailable');
    if (!one.holds || this.#closed) return;
    const stored = one.to.filter((_, i) => outcomes[i] === 'ok');
    const failed = one.to.filter((_, i) => outcomes[i] !== 'ok');
    this.#session.relayFailed(failed, this.#now);
    one.to.forEach((device, i) => {
      if (outcomes[i] === 'full') this.#relayFull(device);
      if (outcomes[i] === 'ok') this.#told.delete(`relayFull/${device}`);
    });
    this.#dispatch(this.#session.relayed(stored, one.holds, this.#now));
    this.#syncChanged();
  }

  /** Before closing: resolves when what others are still due is at their relays, or could not be brought there. */
  async handOver(): Promise<void> {
    for (const device of this.#owed.keys()) this.#payLater(device);
    while (this.#sending.size > 0) await Promise.allSettled(this.#sending);
  }

  /**
   * Content first, then what names it: who reads the delta from his queue finds the chunks, though nobody is at home (R9).
   * False where it is worth trying again; a used-up quota is not, and the content is asked for later.
   */
  async #leaveContent(to: readonly DeviceId[], nodes: readonly Node[]): Promise<boolean> {
    try {
      const ids = await this.#chunksOf(nodes);
      return ids.length === 0 || (await this.#leaveFor(to, ids));
    } catch (error) {
      if (!(error instanceof TransportError)) this.#hub.fault(error);
      return !(error instanceof TransportError) || error.code === 'quota' || error.code === 'tooLarge';
    }
  }

  async #leaveFor(to: readonly DeviceId[], ids: readonly ChunkId[]): Promise<boolean> {
    const parcels = await this.exchange.leave(ids);
    if (parcels.length === 0) return true;
    const outcomes = await this.#submit(to, { kind: 'parcels', parcels }, false);
    return outcomes.some((outcome) => outcome === 'ok');
  }

  // ---- what a direct path is given, and may not have taken --------------------------------------------------------------

  /** Chunks of our own versions that a device was told of directly and has not said it has, with the delta's place in our feed. */
  readonly #owed = new Map<DeviceId, Map<ChunkId, Mark>>();

  async #owe(to: readonly DeviceId[], nodes: readonly Node[]): Promise<void> {
    for (const node of nodes) {
      if (node.delta.device !== this.#hub.identity.device) continue;
      const ids = await this.#chunksOf([node]).catch(() => []);
      for (const device of to) {
        const owed = this.#owed.get(device) ?? new Map<ChunkId, Mark>();
        for (const id of ids) owed.set(id, { feed: node.delta.feed, seq: node.delta.seq });
        if (owed.size > 0) this.#owed.set(device, owed);
      }
    }
  }

  #tellWhole(): void {
    const message: Message = { kind: 'want', chunks: [] };
    const direct = this.#session.devices.filter((device) => this.#session.reach(device) === 'direct');
    for (const device of direct) this.#sendDirect(device, message, Lane.control);
  }

  /** It lacks nothing of what it has acknowledged. */
  #settleWith(device: DeviceId): void {
    const owed = this.#owed.get(device);
    if (!owed) return;
    const known = new Map(this.#session.memory(device).known.map(({ feed, seq }) => [feed, seq]));
    for (const [id, { feed, seq }] of owed) if ((known.get(feed) ?? 0) >= seq) owed.delete(id);
    if (owed.size === 0) this.#owed.delete(device);
  }

  /** Its path is gone before it had all: the rest waits for it at the relay, though we may be gone when it comes back. */
  async #payByRelay(device: DeviceId): Promise<void> {
    const owed = this.#owed.get(device);
    if (!owed || this.#closed || this.#relayOf(device) === undefined) return;
    const ids = [...owed.keys()];
    if (!(await this.#leaveFor([device], ids))) return;
    for (const id of ids) owed.delete(id);
    if (owed.size === 0) this.#owed.delete(device);
  }

  #payLater(device: DeviceId): void {
    const paying = this.#payByRelay(device)
      .catch(() => undefined) // the relay is away: tried again when it is back
      .finally(() => this.#sending.delete(paying));
    this.#sending.add(paying);
  }

  async #chunksOf(nodes: readonly Node[]): Promise<readonly ChunkId[]> {
    const ids: ChunkId[] = [];
    for (const { delta } of nodes) {
      const read = delta.tool === undefined ? undefined : readFilesDelta(delta.kind, delta.body);
      if (read?.kind !== 'file' && read?.kind !== 'ver') continue;
      for (const ref of (await this.contents.chunkRefs(read.content)) ?? []) ids.push(ref.id);
    }
    return ids;
  }

  async #submit(to: readonly DeviceId[], message: Message, ephemeral: boolean): Promise<readonly string[]> {
    const bytes = this.#seal(message);
    const epoch = this.keyring.epoch;
    if (!bytes || !epoch) return to.map(() => 'unavailable');
    const known = to.filter((device) => this.#relayOf(device) !== undefined);
    const recipients = known.map((device) => ({
      device,
      relay: this.#relayOf(device)!,
      capability: capabilityOf(this.#hub.crypto, epoch.key, device),
    }));
    if (recipients.length === 0) return to.map(() => 'unavailable');
    try {
      const outcomes = await this.#hub.transport.submit(recipients, bytes, { ephemeral });
      return to.map((device) => outcomes[known.indexOf(device)] ?? 'unavailable');
    } catch {
      return to.map(() => 'unavailable');
    }
  }

  /** Told once, until there is room again. */
  #relayFull(device: DeviceId): void {
    this.#tell('relayFull', `relayFull/${device}`, this.replica.accountOf(device));
  }

  /** One timer: for what the session waits for. */
  #plan(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    const at = this.#session.nextWake();
    if (at === undefined || this.#closed) return;
    this.#cancelWake = this.#hub.clock.wakeAt(Math.max(at, this.#now + 1), () =>
      this.#dispatch(this.#session.tick(this.#now)),
    );
  }

  // ---- after growth -----------------------------------------------------------------------------------------------------

  #grown(nodes: readonly Node[]): void {
    if (nodes.length === 0) return;
    if (nodes.some((node) => node.delta.tool === undefined)) {
      this.#followRoster();
      this.#hub.changed();
    }
    for (const node of nodes) this.#noteUnread(node);
    this.#index(this.replica.takeChanges());
    this.#hub.emit({ type: 'workspaces' });
  }

  #followRoster(): void {
    const { device, agreementSecret } = this.#hub.identity;
    this.keyring.follow(this.roster, device, agreementSecret);
    const devices = [...this.roster.devices.keys()];
    this.#session.setDevices(this.#sponsor ? [...devices, this.#sponsor.device] : devices);
  }

  /** Own posts that were shown as waiting. */
  readonly #undelivered = new Map<ToolId, Set<DeltaId>>();

  #noteUndelivered({ delta }: Node): void {
    if (delta.tool === undefined || delta.kind !== 'post') return;
    const posts = this.#undelivered.get(delta.tool) ?? new Set();
    this.#undelivered.set(delta.tool, posts.add(delta.id));
  }

  #tellDelivered(): void {
    if (this.#undelivered.size === 0 || !this.isWithAll) return;
    for (const [tool, posts] of this.#undelivered) this.#listener.delivered(tool, [...posts]);
    this.#undelivered.clear();
  }

  #noteUnread({ delta, arrival }: Node): void {
    if (delta.tool === undefined || this.replica.accountOf(delta.device) === this.#hub.identity.account) return;
    if (this.replica.verdictOf(delta.id) !== 'accepted') return;
    const item = unreadItem(delta.kind, delta.body, delta.id, (version) => this.#itemOf(delta.tool!, version));
    if (item !== undefined && this.#isThere(delta.tool, item)) this.unread.note(delta.tool, item, arrival);
  }

  /** What is gone cannot be read, nor be unread. */
  #isThere(tool: ToolId, item: string): boolean {
    if (this.replica.row(tool, POSTS, item)) return true;
    const row = this.replica.row(tool, ITEMS, item);
    return row !== undefined && itemFromRow(row).heads.some((head) => this.tree(tool).version(head)?.live === true);
  }

  #itemOf(tool: ToolId, version: DeltaId): string | undefined {
    const row = this.replica.row(tool, VERSIONS, version);
    return row && versionFromRow(row).item;
  }

  #index(changes: readonly RowChange[]): void {
    if (changes.length === 0) return;
    this.#hub.index.apply(changes.flatMap((change) => statementsOf(this.id, change)));
    const byTool = new Map<ToolId, RowChange[]>();
    for (const change of changes) {
      const own = byTool.get(change.tool);
      if (own) own.push(change);
      else byTool.set(change.tool, [change]);
    }
    for (const [tool, own] of byTool) this.#toolChanged(tool, own);
  }

  #toolChanged(tool: ToolId, changes: readonly RowChange[]): void {
    for (const { table, key } of changes)
      if ((table === POSTS || table === ITEMS) && !this.#isThere(tool, key)) this.unread.forget(tool, key);
    const kind = this.roster.tools.get(tool)?.kind;
    if (kind === 'chat') this.#listener.chat(tool, changes);
    if (kind !== 'files') return;
    const paths = this.tree(tool).apply(changes);
    if (paths.length > 0) this.#hub.emit({ type: 'files', workspace: this.id, tool, changes: paths });
    for (const change of changes) if (change.table === VERSIONS && change.row) this.#needContent(change.row);
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
    const known = this.#trees.get(tool);
    if (known) return known;
    const tree = new FileTree({
      tool,
      index: this.#hub.index,
      row: (table, key) => this.replica.row(tool, table, key),
      nameOf: (account) => this.nameOf(account),
    });
    this.#trees.set(tool, tree);
    return tree;
  }

  #needContent(row: readonly Value[]): void {
    const { content } = versionFromRow(row);
    if (!content || content.kind === 'patch') return;
    this.exchange.need(content.chunks);
    const list = content.indirect ? content.chunks[0]?.id : undefined;
    if (list === undefined || this.#listed.has(list) || this.#lists.has(list)) return;
    this.#lists.set(list, content);
    void this.#needListed(list, content);
  }

  /** A long list of chunks is content itself: what it names is known once it is here. */
  async #needListed(list: ChunkId, content: Content & { kind: 'chunks' }): Promise<void> {
    try {
      const refs = await this.contents.chunkRefs(content);
      if (!refs || !this.#lists.delete(list)) return;
      this.#listed.set(list, refs);
      this.exchange.need(refs);
    } catch (error) {
      // A part of it was not on the disk as it should be; what is no list at all will never be one.
      if (error instanceof Error && error.name === 'ContentMissing') this.exchange.need(content.chunks);
      else this.#lists.delete(list);
    }
    this.#hub.emit({ type: 'workspaces' });
  }

  /** Contents whose list of chunks is itself on its way, by its first chunk. */
  readonly #lists = new Map<ChunkId, Content & { kind: 'chunks' }>();
  /** What the lists that are here name. */
  readonly #listed = new Map<ChunkId, readonly ChunkRef[]>();

  /** Whether some of a content is not here yet. */
  lacks(content: Content): boolean {
    if (content.kind === 'patch') return false;
    const list = content.indirect ? content.chunks[0]?.id : undefined;
    const refs = list === undefined ? content.chunks : this.#listed.get(list);
    return !refs || refs.some((ref) => this.exchange.lacks(ref.id));
  }

  /** Chunks known to be missing; a list that is not read yet counts for one. */
  get lackingChunks(): number {
    return this.exchange.lackingChunks + this.#lists.size;
  }

  #needAllContent(): void {
    for (const { table, row } of this.replica.rows()) if (table === VERSIONS && row) this.#needContent(row);
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
      devices: () => this.#session.devices,
      sendDirect: (device, message, lane) => this.#sendDirect(device, message, lane),
      sendByRelay: async (devices, message) => (await this.#submit(devices, message, false)).includes('ok'),
      onArrived: () => this.#contentArrived(),
      onProgress: () => this.#syncChanged(),
      // In the lane of acknowledgements, so that neither overtakes the other.
      onWhole: () => this.#tellWhole(),
      onFault: (error) => this.#hub.fault(error),
    });
  }

  #contentArrived(): void {
    for (const [list, content] of this.#lists) void this.#needListed(list, content);
    if (this.lackingChunks === 0) {
      for (const [key] of [...this.#hub.local.under(`parcel/${this.id}/`)])
        this.#hub.local.drop(`parcel/${this.id}/${key}`);
    }
  }

  /** A notice is all that leads to a parcel: it is kept until the content is here. */
  async #offered(parcels: readonly ParcelNotice[]): Promise<void> {
    for (const { relay, parcel, chunks } of parcels) {
      const value: Value = [relay, parcel, chunks.map((c) => [idBytes(c.id), c.offset, c.length])];
      this.#hub.local.put(`parcel/${this.id}/${toHex(parcel)}`, value);
    }
    await this.#hub.commit([]);
    this.exchange.offered(parcels);
  }

  #offerStored(value: Value): void {
    const f = asArray(value, 3);
    const relay = asText(f?.[0], 1024);
    const chunks = asList(f?.[2], 65_536, (entry) => {
      const c = asArray(entry, 3);
      const [offset, length] = [asCount(c?.[1]), asCount(c?.[2])];
      return c?.[0] instanceof Uint8Array && offset !== undefined && length !== undefined
        ? { id: toHex(c[0]) as ChunkId, offset, length }
        : undefined;
    });
    if (relay !== undefined && f?.[1] instanceof Uint8Array && chunks)
      this.exchange.offered([{ relay, parcel: f[1], chunks }]);
  }

  // ---- telling ----------------------------------------------------------------------------------------------------------

  #syncChanged(): void {
    this.#tellDelivered();
    this.#hub.emit({ type: 'workspaces' });
    if (this.#cancelRemember || this.#closed) return;
    this.#cancelRemember = this.#hub.clock.wakeAt(this.#now + REMEMBER_AFTER_MS, () => {
      this.#cancelRemember = undefined;
      this.#rememberPeers();
      void this.#hub.commit([]).catch(() => undefined); // tried again with the next commit
    });
  }

  #rememberPeers(): void {
    for (const device of this.#session.devices) {
      const { known, relayed } = this.#session.memory(device);
      this.#remember(device, known, relayed);
    }
  }

  #remember(device: DeviceId, known: readonly Mark[], relayed: readonly Mark[]): void {
    this.#hub.local.put(`peer/${this.id}/${device}`, [writeMarks(known), writeMarks(relayed)]);
  }

  info(state: WorkspaceInfo['state']): WorkspaceInfo {
    const tools = [...this.roster.tools.values()].map(({ tool, kind, name }) => ({
      id: tool,
      kind: kind as ToolKind,
      name,
      unread: this.unread.count(tool),
    }));
    const members = [...this.roster.members.values()].map((member) => this.#memberInfo(member));
    const self = this.self;
    return {
      id: this.id,
      name: this.roster.name,
      role: self && ROLE_NAMES[self.role],
      state,
      tools,
      members,
      sync: this.#syncInfo(members),
      unread: tools.reduce((sum, tool) => sum + tool.unread, 0),
    };
  }

  #memberInfo(member: Member): MemberInfo {
    const { account } = this.#hub.identity;
    const self = member.account === account;
    const devices = member.devices.map((record) => record.certificate.device);
    return {
      account: member.account,
      name: member.name,
      role: ROLE_NAMES[member.role]!,
      self,
      presence: self || devices.some((device) => this.#isOnline(device)) ? 'online' : 'offline',
      safetyNumber: self ? '' : safetyNumber(this.#hub.crypto, account, member.account),
      verified: self || this.#hub.local.get(`verified/${member.account}`) === true,
      inSync: self || devices.every((device) => this.#session.inSync(device)),
    };
  }

  #syncInfo(members: readonly MemberInfo[]): SyncInfo {
    const others = members.filter((member) => !member.self);
    return {
      others: others.length,
      inSync: others.filter((member) => member.inSync).length,
      relayed: others.filter((member) => !member.inSync && this.#isRelayed(member.account as AccountId)).length,
      missingChunks: this.lackingChunks,
      missingBytes: this.exchange.lackingBytes,
    };
  }

  #isRelayed(account: AccountId): boolean {
    const devices = this.roster.members.get(account)?.devices ?? [];
    return devices.every(({ certificate }) => this.#session.isRelayed(certificate.device));
  }

  /** Whether every other member is known to hold all that is here. */
  get isWithAll(): boolean {
    return this.#session.devices.every((device) => this.#session.inSync(device));
  }

  /** Own name and relay, said anew where the roster has others. */
  async announceSelf(): Promise<void> {
    const record = this.#recordOf(this.#hub.identity.device);
    if (!record || !this.self) return;
    const name = this.#hub.displayName();
    const relay = (this.#hub.relay() ?? '').split('/').slice(0, 4).join('/');
    if (record.relay === relay && this.self.name === name) return;
    await this.control('profile', controlBody.profile(name, relay));
  }

  get isManager(): boolean {
    return this.self?.role === Role.manager;
  }

  get #now(): number {
    return this.#hub.clock.now();
  }
}

/** Which of this device's feeds it writes in a workspace (D2). */
export function generationKey(workspace: WorkspaceId): string {
  return `generation/${workspace}`;
}

/** The item that a delta makes unread; undefined where it makes none. */
function unreadItem(
  kind: string,
  body: Value,
  id: DeltaId,
  itemOf: (version: DeltaId) => string | undefined,
): string | undefined {
  if (readChatDelta(kind, body)) return kind === 'post' ? id : undefined;
  const files = readFilesDelta(kind, body);
  if (files?.kind === 'file') return id;
  return files?.kind === 'ver' ? itemOf(files.parents[0]!) : undefined;
}
