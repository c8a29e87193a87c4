/**
 * The service of one device: its workspaces, the paths to other devices, and the API that every window calls. It routes what
 * arrives to the workspace it is for, keeps the one commit queue, and knows nothing of any tool's inside.
 */
import { fromBase64Url, toBase64Url, toHex } from '../base/bytes.ts';
import { Emitter } from '../base/event.ts';
import type { AccountId, DeltaId, DeviceId, ToolId, WorkspaceId } from '../base/ids.ts';
import { toUtf8 } from '../base/utf8.ts';
import { issueCertificate, readCertificate } from '../protocol/certificate.ts';
import { asBytes, asCount, asText } from '../protocol/codec.ts';
import { MAX_NAME_BYTES, MAX_TOOLS } from '../protocol/limits.ts';
import { readRelayAddress } from '../protocol/relay-address.ts';
import { controlBody } from '../sync/control.ts';
import { readDelta, signDelta } from '../sync/delta.ts';
import { envelopeTag, openMessage } from '../sync/envelope.ts';
import { boxEpoch, capabilityOf, epochOf, type Epoch } from '../sync/epoch.ts';
import {
  invitationSeal,
  readInvitation,
  writeInvitation,
  type Invitation as InvitationContent,
} from '../sync/invitation.ts';
import type { Node } from '../sync/graph.ts';
import { decodeMessage } from '../sync/messages.ts';
import { StoreError, type Arrived, type RelayState, type Route, type Transport } from '../sync/ports.ts';
import { safetyNumber } from '../sync/safety-number.ts';
import {
  ServiceError,
  type ChatPage,
  type ChatPost,
  type ClosedInfo,
  type CoterieApi,
  type DeviceInfo,
  type DeviceRequestInfo,
  type DeviceSecrets,
  type FileEntry,
  type IdentityInfo,
  type ImportReport,
  type Invitation,
  type InvitationInfo,
  type JoinInfo,
  type JoinRequestInfo,
  type LinkCodeInfo,
  type LinkInfo,
  type RelayInfo,
  type Role,
  type ServiceEvent,
  type Settings,
  type ToolKind,
  type WorkInfo,
  type WorkspaceInfo,
  type WriteOptions,
} from './api.ts';
import { Account, type AccountLock } from './account.ts';
import { ByteCache } from './byte-cache.ts';
import { Chat } from './chat.ts';
import { ClosedWorkspace, eraseCopy } from './closed-workspace.ts';
import { CommitQueue } from './commit-queue.ts';
import { indexSchema } from './content-index.ts';
import { Files } from './files.ts';
import type { Hub, Identity } from './hub.ts';
import { Inviting, type InviteOptions } from './inviting.ts';
import { Joining } from './joining.ts';
import { LazyIndex } from './lazy-index.ts';
import { Membership } from './membership.ts';
import { notAccepted, unsentBeyond, workEntries } from './own-work.ts';
import type { WorkspaceWord } from './own-devices.ts';
import { LocalState } from './local-state.ts';
import { LockedMessages } from './locked-messages.ts';
import type { Progress, ServiceOptions } from './ports.ts';
import { decodeRecord, encodeRecord } from './records.ts';
import { generationKey, ROLE_NAMES, SharedWorkspace } from './shared-workspace.ts';

const PRESENCE_EVERY_MS = 30_000;
/** VS Code gives an extension about 5 s to end. */
const HAND_OVER_MS = 2_000;
/** A journal this long is worth a snapshot at the next start or stop. */
const COMPACT_ABOVE_BYTES = 8 * 1024 * 1024;
const TOOL_ID_BYTES = 8;
/** Each chunk that comes in fails on a full disk: one word for all of them. */
const STORE_TOLD_AGAIN_MS = 60_000;

interface Hosted {
  readonly workspace: SharedWorkspace;
  readonly inviting: Inviting;
}

export class Service implements CoterieApi {
  readonly #options: ServiceOptions;
  readonly #local = new LocalState();
  readonly #events = new Emitter<ServiceEvent>();
  readonly #workspaces = new Map<WorkspaceId, Hosted>();
  readonly #joins = new Map<WorkspaceId, Joining>();
  readonly #operations = new Map<string, AbortController>();
  /** Calls under way that write: the store stays open until they have ended. */
  readonly #working = new Set<Promise<unknown>>();
  /** What is taken in and not on disk yet: a relay may forget it only then (R1). */
  #unsaved: Arrived[] = [];
  readonly #cache = new ByteCache();
  readonly #commits: CommitQueue;
  #settings: Settings;
  #secrets: DeviceSecrets;
  #account!: Account;
  #identity!: Identity;
  #transport!: Transport;
  #hub!: Hub;
  #cancelBeat: (() => void) | undefined;
  #storeToldAt = Number.NEGATIVE_INFINITY;
  #changePending = false;
  #closed = false;

  readonly events = this.#events.event;

  private constructor(options: ServiceOptions) {
    this.#options = { ...options, index: new LazyIndex(options.index, options.clock) };
    this.#settings = options.settings;
    this.#secrets = options.secrets;
    this.#commits = new CommitQueue(options.log, this.#local, options.clock, {
      failed: (error) => this.#storeFailed(error),
      saved: () => this.#storeRecovered(),
    });
  }

  /** Everything is there from the encrypted store before the network is touched. Throws StoreError. */
  static async open(options: ServiceOptions): Promise<Service> {
    const service = new Service(options);
    await service.#restore();
    try {
      await service.#transport.start();
    } catch (error) {
      await service.#transport.stop();
      throw error;
    }
    service.#connect();
    return service;
  }

  // ---- opening ----------------------------------------------------------------------------------------------------------

  async #restore(): Promise<void> {
    const deltas = new Map<WorkspaceId, Uint8Array[]>();
    const report = await this.#options.log.replay((bytes) => {
      const record = decodeRecord(bytes);
      if (record?.kind === 'local') this.#local.load(record.key, record.value);
      if (record?.kind !== 'delta') return;
      const own = deltas.get(record.workspace);
      if (own) own.push(record.bytes);
      else deltas.set(record.workspace, [record.bytes]);
    });
    this.#options.index.define(indexSchema);
    this.#identity = this.#ownIdentity();
    this.#transport = this.#makeTransport();
    this.#hub = this.#makeHub();
    this.#account = this.#makeAccount();
    const whole = report.cutBytes === 0 && report.quarantined === 0;
    for (const [id, list] of deltas) {
      if (!whole) this.#beginFeed(id, list);
      this.#host(id, list);
    }
    for (const [id, value] of this.#local.under('closed/')) {
      const closed = ClosedWorkspace.read(this.#hub, id as WorkspaceId, value);
      if (closed) this.#closedWorkspaces.set(closed.id, closed);
    }
    for (const [id, value] of this.#local.under('join/')) this.#resumeJoin(id as WorkspaceId, value);
    // A full disk must not keep anybody from reading what is there.
    await this.#commits.commit([]).catch(() => undefined);
    const { compactAboveBytes = COMPACT_ABOVE_BYTES } = this.#options;
    if (this.#options.log.journalBytes > compactAboveBytes)
      await this.#compact().catch((error: unknown) => this.#storeFailed(error));
    if (report.cutBytes > 0)
      this.#later({ type: 'notice', code: 'tailCut', detail: { bytes: String(report.cutBytes) } });
    if (report.quarantined > 0)
      this.#later({ type: 'notice', code: 'damaged', detail: { count: String(report.quarantined) } });
  }

  /** D2: what a damaged log has lost may be with others; written again under the same seq it would be a fork. */
  #beginFeed(id: WorkspaceId, deltas: readonly Uint8Array[]): void {
    const key = generationKey(id);
    let highest = asCount(this.#local.get(key)) ?? 0;
    for (const bytes of deltas) {
      const read = readDelta(this.#options.crypto, id, bytes);
      if (read.ok && read.value.device === this.#identity.device) highest = Math.max(highest, read.value.generation);
    }
    this.#local.put(key, highest + 1);
  }

  /** What is said before anybody listens is said when the first window does. */
  #later(event: ServiceEvent): void {
    this.#options.clock.wakeAt(this.#options.clock.now() + 1_000, () => {
      if (!this.#closed) this.#emit(event);
    });
  }

  #ownIdentity(): Identity {
    const { crypto, clock } = this.#options;
    const [accountSeed, signingSeed, agreementSecret] = [
      this.#secrets.accountSeed,
      this.#secrets.signingSeed,
      this.#secrets.agreementSecret,
    ].map((secret) => fromBase64Url(secret)!) as [Uint8Array, Uint8Array, Uint8Array];
    const stored = asBytes(this.#local.get('certificate'), 1, 4096);
    const known = stored && readCertificate(crypto, stored);
    const agreementKey = crypto.agreementKeyOf(agreementSecret);
    const device = toHex(crypto.signingKeyOf(signingSeed)) as DeviceId;
    const account = toHex(crypto.signingKeyOf(accountSeed)) as AccountId;
    // One of other secrets was left by a stop in the middle of taking on an account.
    const isOurs = known?.ok && known.value.device === device && known.value.account === account;
    // Without a name: a relay, and whoever dials, sees the certificate (R5).
    const certificate = isOurs
      ? known.value
      : issueCertificate(crypto, accountSeed, { signingSeed, agreementKey, name: '', created: clock.now() });
    if (!isOurs) this.#local.put('certificate', certificate.bytes);
    return { account, device, certificate, signer: { device, seed: signingSeed }, agreementSecret };
  }

  #makeTransport(): Transport {
    return this.#options.makeTransport({
      certificate: this.#identity.certificate.bytes,
      agreementSecret: this.#identity.agreementSecret,
      directPort: this.#settings.directPort,
      lanDiscovery: this.#settings.lanDiscovery,
    });
  }

  #makeAccount(): Account {
    return new Account({
      hub: this.#hub,
      accountSeed: () => this.#secrets.accountSeed,
      workspaces: () => this.#wholeWorkspaces(),
      isEmpty: () => this.#workspaces.size === 0 && this.#joins.size === 0,
      adopt: (seed) => this.#adopt(seed),
      entered: (word, sponsor) => this.#entered(word, sponsor),
      renamed: () => void this.#announce(),
      useRelay: (relay) => this.#useRelay(relay),
    });
  }

  /** Those that this device is in, and holds whole. */
  *#wholeWorkspaces(): Generator<SharedWorkspace> {
    for (const [id, { workspace }] of [...this.#workspaces])
      if (!this.#joins.has(id) && workspace.roster.devices.has(this.#identity.device)) yield workspace;
  }

  /**
   * Becomes a new device of another account: with keys of its own, since a relay knows the old ones as somebody else's. The secrets
   * first: what was kept of the old ones is of no use to anybody.
   */
  async #adopt(accountSeed: Uint8Array): Promise<void> {
    const { crypto } = this.#options;
    const secrets: DeviceSecrets = {
      accountSeed: toBase64Url(accountSeed),
      signingSeed: toBase64Url(crypto.randomBytes(32)),
      agreementSecret: toBase64Url(crypto.randomBytes(32)),
      storeKey: this.#secrets.storeKey,
    };
    if (!(await this.#options.keepSecrets?.(secrets))) throw new ServiceError('locked', { reason: 'notKept' });
    this.#secrets = secrets;
    await this.#transport.stop();
    this.#identity = this.#ownIdentity();
    await this.#commits.commit([]);
    this.#transport = this.#makeTransport();
    await this.#transport.start();
    this.#listen();
  }

  #makeHub(): Hub {
    const { crypto, clock, index, chunks } = this.#options;
    // Both are others once this device has taken on another account.
    const [transport, identity] = [() => this.#transport, () => this.#identity];
    return {
      get transport() {
        return transport();
      },
      get identity() {
        return identity();
      },
      crypto,
      clock,
      index,
      chunks,
      local: this.#local,
      makeContents: (keys) => this.#options.makeContents(keys),
      displayName: () => shortened(this.#settings.name.trim() || this.#settings.deviceName || 'Somebody'),
      deviceName: () => shortened(asText(this.#local.get('deviceName'), MAX_NAME_BYTES) ?? this.#settings.deviceName),
      relay: () => this.#relayText(),
      commit: (records) => this.#commits.commit(records),
      emit: (event) => this.#emit(event),
      changed: () => this.#changed(),
      expelled: (workspace) => this.#expelled(workspace),
      fault: (error) => this.#fault(error),
    };
  }

  #host(id: WorkspaceId, deltas: readonly Uint8Array[]): Hosted {
    const workspace = new SharedWorkspace(this.#hub, id, {
      chat: (tool, changes) => {
        const chat = new Chat(workspace, tool, this.#options.index);
        this.#emit({ type: 'chat', workspace: id, tool, ...chat.changes(changes) });
      },
      delivered: (tool, ids) => {
        const posts = new Chat(workspace, tool, this.#options.index).describeAll(ids);
        this.#emit({ type: 'chat', workspace: id, tool, posts, removed: [] });
      },
    });
    for (const bytes of deltas) workspace.engine.restore(bytes);
    workspace.opened();
    const hosted = { workspace, inviting: new Inviting(this.#hub, workspace) };
    this.#workspaces.set(id, hosted);
    return hosted;
  }

  #resumeJoin(id: WorkspaceId, value: unknown): void {
    const joining = Joining.read(this.#hub, value);
    if (!joining) return this.#local.drop(`join/${id}`);
    this.#joins.set(id, joining);
    if ([...this.#local.under(`epoch/${id}/`)].length === 0) return;
    const hosted = this.#workspaces.get(id) ?? this.#host(id, []);
    const { routes } = joining.invitation;
    const sponsor = routes.find((route) => Array.isArray(value) && route.device === value[2]) ?? routes[0];
    joining.copying(hosted.workspace);
    if (sponsor) hosted.workspace.sponsored(sponsor);
  }

  #listen(): void {
    const transport = this.#transport;
    transport.onArrived((arrived) => void this.#arrived(arrived));
    transport.onReach(({ device, reach }) => this.#reached(device, reach));
    transport.onRelayState((state) => this.#relayChanged(state));
    transport.onGap(() => this.#hosted((workspace) => workspace.askEveryone()));
    transport.onListening(() => this.#hosted((workspace) => workspace.beat(1, false)));
    transport.setRelay(this.#relayText());
    this.#applyChange();
  }

  #connect(): void {
    this.#listen();
    this.#hosted((workspace) => workspace.start());
    for (const id of this.#workspaces.keys()) this.#expelled(id);
    this.#beat(true);
    for (const joining of this.#joins.values()) joining.ask();
    this.#account.start();
    void this.#announce();
  }

  #beat(first: boolean): void {
    if (this.#closed) return;
    this.#hosted((workspace) => workspace.beat(1, first));
    this.#account.tick();
    this.#cancelBeat = this.#options.clock.wakeAt(this.#options.clock.now() + PRESENCE_EVERY_MS, () =>
      this.#beat(false),
    );
  }

  #hosted(each: (workspace: SharedWorkspace) => void): void {
    for (const { workspace } of this.#workspaces.values()) each(workspace);
  }

  async #announce(): Promise<void> {
    for (const { workspace } of this.#workspaces.values()) await workspace.announceSelf().catch(() => undefined);
  }

  #closing: Promise<void> | undefined;

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#handOver();
    this.#hosted((workspace) => workspace.beat(0, false));
    this.#closed = true;
    this.#cancelBeat?.();
    for (const operation of this.#operations.values()) operation.abort();
    for (const joining of this.#joins.values()) joining.stop();
    this.#account.stop();
    this.#hosted((workspace) => workspace.close());
    await Promise.allSettled(this.#working);
    await this.#commits.close().catch(() => undefined);
    await this.#transport.stop();
    await this.#options.log.close();
    this.#options.index.close();
  }

  /** Who closes right after a change takes a moment for it to reach the relay; a slow or dead one must not hold up the window. */
  async #handOver(): Promise<void> {
    const { clock } = this.#options;
    let cancel = (): void => undefined;
    const patience = new Promise<void>((resume) => (cancel = clock.wakeAt(clock.now() + HAND_OVER_MS, resume)));
    const handing = [...this.#workspaces.values()].map(({ workspace }) => workspace.handOver());
    await Promise.race([Promise.allSettled(handing), patience]);
    cancel();
  }

  /** The journal's whole content, anew: what counts, in the order it came (L1). */
  async #compact(): Promise<void> {
    const { local, workspaces } = { local: this.#local, workspaces: this.#workspaces };
    await this.#options.log.compact(
      (function* () {
        yield* local.all();
        for (const [id, { workspace }] of workspaces) {
          for (const node of workspace.replica.nodes()) {
            yield encodeRecord({ kind: 'delta', workspace: id, bytes: node.delta.bytes });
          }
        }
      })(),
    );
  }

  // ---- what arrives -----------------------------------------------------------------------------------------------------

  async #arrived(arrived: Arrived): Promise<void> {
    if (this.#closed || this.#isLocked(arrived)) return;
    try {
      await this.#route(arrived);
    } catch (error) {
      if (error instanceof StoreError && this.#commits.failing) return void this.#unsaved.push(arrived);
      // One message is at fault, ours or theirs: it must not stop the others.
      this.#fault(error);
      // Not durable: a relay keeps it and gives it again.
      if (error instanceof StoreError) return;
    }
    arrived.handled();
  }

  /** K1: a member's, under an epoch that we have no key of yet. It waits for the key, which he is asked for. */
  #isLocked(arrived: Arrived): boolean {
    const tag = envelopeTag(arrived.bytes);
    if (tag === undefined || this.#locks().has(tag)) return false;
    const workspaces = [...this.#workspaces.values()].filter(({ workspace }) => workspace.isPeer(arrived.from));
    if (workspaces.length === 0) return false;
    this.#lockedMessages.hold(tag, arrived, this.#options.clock.now());
    for (const { workspace } of workspaces) workspace.lockedOut(arrived.from, arrived.path, tag);
    return true;
  }

  readonly #lockedMessages = new LockedMessages();

  #unlock(): void {
    for (const arrived of this.#lockedMessages.take((tag) => this.#locks().has(tag))) void this.#arrived(arrived);
  }

  /** An error that nobody waits for: told, never thrown. */
  #fault(error: unknown): void {
    if (error instanceof ServiceError || this.#closed) return;
    if (!(error instanceof StoreError)) return this.#options.onFault?.(error);
    const now = this.#options.clock.now();
    if (now - this.#storeToldAt < STORE_TOLD_AGAIN_MS) return;
    this.#storeFailed(error);
  }

  /** Which key, which workspace, which message: what fits nowhere is dropped without a word. */
  async #route({ from, path, bytes }: Arrived): Promise<void> {
    const tag = envelopeTag(bytes);
    const lock = tag === undefined ? undefined : this.#locks().get(tag);
    const opened = lock && openMessage(this.#options.crypto, lock.key, bytes);
    const decoded = opened && decodeMessage(opened);
    // The channel, or the relay by its channel, has proved who sent it; a member cannot speak in another's name.
    if (!lock || !decoded?.ok || !from.startsWith(decoded.value.sender)) return;
    const { message } = decoded.value;
    this.#account.devices.heardFrom(from);
    if (lock.kind === 'account') return this.#account.received(lock.of, from, message);
    if (lock.kind === 'epoch')
      return this.#workspaces.get(lock.workspace)?.workspace.received(from, path, message, tag!);
    if (lock.kind === 'invite' && message.kind === 'join') {
      return this.#workspaces.get(lock.workspace)?.inviting.asked(lock.invite, from, message);
    }
    if (lock.kind === 'join') return this.#answered(lock.workspace, from, message);
  }

  #lockCache: Map<string, Lock> | undefined;

  #locks(): ReadonlyMap<string, Lock> {
    if (this.#lockCache) return this.#lockCache;
    const locks = new Map<string, Lock>();
    for (const [id, { workspace, inviting }] of this.#workspaces) {
      for (const seal of workspace.keyring.sealKeys())
        locks.set(seal.tag, { kind: 'epoch', workspace: id, key: seal.key });
      for (const invite of inviting.known()) {
        const seal = invitationSeal(this.#options.crypto, invite.sealKey);
        locks.set(seal.tag, { kind: 'invite', workspace: id, key: seal.key, invite: invite.id });
      }
    }
    for (const [id, joining] of this.#joins) {
      const seal = joining.sealKey;
      if (!joining.ended) locks.set(seal.tag, { kind: 'join', workspace: id, key: seal.key });
    }
    for (const { seal, of } of this.#account.locks()) locks.set(seal.tag, { kind: 'account', of, key: seal.key });
    return (this.#lockCache = locks);
  }

  async #answered(id: WorkspaceId, from: DeviceId, message: Parameters<SharedWorkspace['received']>[2]): Promise<void> {
    const joining = this.#joins.get(id);
    const sponsor = joining?.invitation.routes.find((route) => route.device === from);
    if (!joining || !sponsor) return;
    if (message.kind === 'declined') {
      joining.declined(message.reason);
      this.#local.drop(`join/${id}`);
      await this.#commits.commit([]);
      return this.#changed();
    }
    const epoch = message.kind === 'welcome' ? joining.welcomed(message) : undefined;
    if (epoch) await this.#copy(joining, epoch, sponsor, this.#joinText(id) ?? '');
  }

  /** Another device of this person has let this one in (I4): as a join that was answered before it was asked. */
  async #entered(word: WorkspaceWord, sponsor: Route): Promise<void> {
    const { workspace: id } = word;
    if (this.#joins.has(id) || this.#workspaces.get(id)?.workspace.roster.devices.has(this.#identity.device)) return;
    const joining = Joining.letIn(this.#hub, word, sponsor);
    const epoch = joining.welcomed(word);
    if (!epoch) return;
    this.#joins.set(id, joining);
    // Its person has a name there already.
    this.#local.put(`said/${id}`, this.#hub.displayName());
    await this.#copy(joining, epoch, sponsor, writeInvitation(this.#options.crypto, joining.invitation));
  }

  async #copy(joining: Joining, epoch: Epoch, sponsor: Route, text: string): Promise<void> {
    const { workspace: id } = joining;
    const hosted = this.#workspaces.get(id) ?? this.#host(id, []);
    hosted.workspace.keyring.remember([epoch]);
    this.#local.put(`join/${id}`, [text, joining.total, sponsor.device]);
    joining.copying(hosted.workspace);
    this.#applyChange();
    hosted.workspace.sponsored(sponsor);
    // Not before: the first of the copy may be right behind the welcome, and finds nobody who takes it until the sponsor is known.
    await this.#commits.commit([]);
    this.#emit({ type: 'workspaces' });
  }

  #joinText(id: WorkspaceId): string | undefined {
    const stored = this.#local.get(`join/${id}`);
    return Array.isArray(stored) ? asText(stored[0] as string, 16_384) : undefined;
  }

  #reached(device: DeviceId, reach: 'direct' | 'none'): void {
    this.#hosted((workspace) => workspace.reached(device, reach));
    if (reach === 'direct') {
      for (const joining of this.#joins.values())
        if (joining.routes.some((route) => route.device === device)) joining.ask();
      this.#account.reached(device);
    }
  }

  #relayChanged(state: RelayState): void {
    this.#emit({ type: 'relay', relay: relayInfo(state) });
    if (state.state !== 'connected') return;
    this.#hosted((workspace) => {
      workspace.relayUp();
      workspace.beat(1, true);
    });
    for (const joining of this.#joins.values()) joining.ask();
    this.#account.tick();
    void this.#announce();
  }

  // ---- what is closed -----------------------------------------------------------------------------------------------------

  readonly #closedWorkspaces = new Map<WorkspaceId, ClosedWorkspace>();
  readonly #closingWorkspaces = new Set<WorkspaceId>();

  /** Who was removed loses the copy as soon as he knows. Who has left keeps it until the others know, or their relays. */
  #expelled(id: WorkspaceId): void {
    const hosted = this.#workspaces.get(id);
    const word = hosted?.workspace.expulsion;
    if (!hosted || !word || this.#closingWorkspaces.has(id) || this.#closed) return;
    const left = word.delta.kind === 'leave';
    if (left && !hosted.workspace.isHandedOn) return;
    this.#closingWorkspaces.add(id);
    const closing = this.#closeWorkspace(hosted.workspace, word)
      .catch((error: unknown) => this.#fault(error)) // tried again with the next start: the word is in the journal
      .finally(() => this.#closingWorkspaces.delete(id));
    this.#working.add(closing);
    void closing.finally(() => this.#working.delete(closing));
  }

  /** First the word that it is closed and what is kept, durably; then the copy goes. A crash between does it again. */
  async #closeWorkspace(workspace: SharedWorkspace, word: Node): Promise<void> {
    const { id } = workspace;
    const name = workspace.roster.name;
    const how = word.delta.kind === 'leave' ? 'left' : 'removed';
    const account = workspace.replica.accountOf(word.delta.device);
    const by = account === undefined ? '' : workspace.nameOf(account);
    const at = Math.min(word.delta.time, this.#options.clock.now());
    const unsent = how === 'left' ? [] : unsentBeyond(workspace, word);
    await workspace.handOver();
    const closed = await ClosedWorkspace.close(this.#hub, workspace, { how, by, at }, unsent);
    await this.#commits.commit([]);
    this.#closedWorkspaces.set(id, closed);
    await this.#letGo(workspace);
    const code = word.delta.kind === 'removeDevice' ? 'deviceRemoved' : 'removed';
    if (how === 'removed') this.#emit({ type: 'notice', code, workspace: id, detail: { name, member: by } });
    this.#emit({ type: 'workspaces' });
  }

  async #letGo(workspace: SharedWorkspace): Promise<void> {
    const { id } = workspace;
    workspace.close();
    this.#workspaces.delete(id);
    this.#joins.get(id)?.stop();
    this.#joins.delete(id);
    this.#local.drop(`join/${id}`);
    await eraseCopy(this.#hub, workspace);
    // Two generations are kept on the disk: after the second nothing of it is left.
    await this.#commits.commit([]);
    await this.#compact();
    await this.#compact();
    this.#changed();
  }

  // ---- what changes -----------------------------------------------------------------------------------------------------

  #emit(event: ServiceEvent): void {
    this.#events.fire(event);
    if (event.type === 'workspaces' || event.type === 'files') this.#joinsProgressed();
  }

  #joinsProgressed(): void {
    for (const [id, joining] of this.#joins) {
      if (!joining.progressed()) continue;
      this.#joins.delete(id);
      this.#local.drop(`join/${id}`);
      void this.#commits.commit([]).catch(() => undefined);
      void this.#announce();
      this.#changed();
    }
  }

  /** Many things change at once: routes, keys and capabilities are made anew once for all of them. */
  #changed(): void {
    this.#lockCache = undefined;
    if (this.#changePending || this.#closed) return;
    this.#changePending = true;
    this.#options.clock.wakeAt(this.#options.clock.now(), () => {
      this.#changePending = false;
      this.#applyChange();
    });
  }

  #applyChange(): void {
    if (this.#closed) return;
    this.#lockCache = undefined;
    this.#transport.setRoutes(this.#routes());
    this.#transport.setCapabilities(this.#capabilities());
    this.#unlock();
    this.#account.follow();
  }

  #routes(): readonly Route[] {
    const routes = new Map<DeviceId, Route>();
    for (const { workspace } of this.#workspaces.values())
      for (const route of workspace.routes()) routes.set(route.device, route);
    for (const joining of this.#joins.values()) {
      for (const route of joining.routes) if (!routes.has(route.device)) routes.set(route.device, route);
    }
    for (const route of this.#account.routes()) if (!routes.has(route.device)) routes.set(route.device, route);
    routes.delete(this.#identity.device);
    return [...routes.values()];
  }

  #capabilities(): readonly Uint8Array[] {
    const { crypto } = this.#options;
    const { device } = this.#identity;
    const shown: Uint8Array[] = [];
    for (const { workspace, inviting } of this.#workspaces.values()) {
      shown.push(...workspace.keyring.capabilities(device));
      for (const invite of inviting.known()) shown.push(capabilityOf(crypto, invite.sealKey, device));
    }
    for (const joining of this.#joins.values()) shown.push(joining.capability);
    shown.push(...this.#account.capabilities());
    return shown.map((capability) => crypto.sha256(capability));
  }

  /** The person's own setting, else the one an invitation brought. */
  #relayText(): string | undefined {
    const text = this.#settings.relay.trim() || asText(this.#local.get('relay'), 1024) || '';
    return text === '' ? undefined : text;
  }

  #useRelay(relay: string): void {
    this.#local.put('relay', relay);
    this.#transport.setRelay(relay);
  }

  #storeFailed(error: unknown): void {
    this.#storeToldAt = this.#options.clock.now();
    const reason = error instanceof StoreError ? error.code : 'io';
    this.#emit({ type: 'notice', code: reason === 'diskFull' ? 'diskFull' : 'storeFailed', detail: { reason } });
  }

  #storeRecovered(): void {
    this.#hosted((workspace) => workspace.saved());
    for (const arrived of this.#unsaved.splice(0)) arrived.handled();
  }

  // ---- API: identity ----------------------------------------------------------------------------------------------------

  async identity(): Promise<IdentityInfo> {
    const { account, device } = this.#identity;
    return { account, device, name: this.#hub.displayName(), deviceName: this.#hub.deviceName() };
  }

  async configure(settings: Settings): Promise<void> {
    if (settings.relay.trim() !== '' && !readRelayAddress(settings.relay))
      throw new ServiceError('badRelayAddress', {});
    this.#settings = settings;
    this.#transport.setRelay(this.#relayText());
    await this.#announce();
  }

  async relay(): Promise<RelayInfo> {
    return relayInfo(this.#transport.relayState);
  }

  async setVerified(account: string, verified: boolean): Promise<void> {
    if (verified) this.#local.put(`verified/${account}`, true);
    else this.#local.drop(`verified/${account}`);
    await this.#commit();
    this.#emit({ type: 'workspaces' });
  }

  // ---- API: workspaces --------------------------------------------------------------------------------------------------

  async workspaces(): Promise<readonly WorkspaceInfo[]> {
    const open = [...this.#workspaces.values()].filter(({ workspace }) => workspace.self !== undefined);
    return open.map(({ workspace }) => workspace.info(this.#stateOf(workspace)));
  }

  #stateOf(workspace: SharedWorkspace): WorkspaceInfo['state'] {
    if (workspace.roster.deleted) return 'closed';
    return this.#joins.has(workspace.id) ? 'joining' : 'open';
  }

  async createWorkspace({ name }: { readonly name: string }): Promise<string> {
    const { crypto, clock } = this.#options;
    const { certificate, signer, device } = this.#identity;
    const epoch = epochOf(crypto, crypto.randomBytes(32));
    const boxes = boxEpoch(crypto, epoch, [{ device, agreementKey: certificate.agreementKey }]);
    const body = controlBody.genesis(
      named(name),
      this.#hub.displayName(),
      [certificate],
      boxes,
      crypto.randomBytes(16),
    );
    const genesis = signDelta(crypto, signer, undefined, {
      generation: 0,
      seq: 1,
      prev: undefined,
      deps: [],
      credential: undefined,
      time: clock.now(),
      tool: undefined,
      kind: 'genesis',
      body,
    });
    const id = genesis.id as string as WorkspaceId;
    const hosted = this.#host(id, []);
    hosted.workspace.keyring.remember([epoch]);
    const record = encodeRecord({ kind: 'delta', workspace: id, bytes: genesis.bytes });
    try {
      await this.#commit([record]);
    } catch (error) {
      // It did not happen: nothing of it may come up with the next start.
      hosted.workspace.close();
      this.#workspaces.delete(id);
      this.#commits.withdraw([record]);
      throw error;
    }
    hosted.workspace.replica.restore(genesis.bytes);
    hosted.workspace.opened();
    await this.addTool(id, 'files', 'Files');
    await this.addTool(id, 'chat', 'Chat');
    await hosted.workspace.announceSelf();
    this.#changed();
    return id;
  }

  async renameWorkspace(workspace: string, name: string): Promise<void> {
    await this.#do(() => this.#find(workspace).workspace.control('rename', controlBody.rename(named(name))));
  }

  async addTool(workspace: string, kind: ToolKind, name: string): Promise<string> {
    const { workspace: target } = this.#find(workspace);
    if (target.roster.tools.size >= MAX_TOOLS) throw new ServiceError('tooLarge', { what: 'tools' });
    const tool = toHex(this.#options.crypto.randomBytes(TOOL_ID_BYTES)) as ToolId;
    await this.#do(() => target.control('addTool', controlBody.addTool(tool, kind, named(name))));
    return tool;
  }

  async renameTool(workspace: string, tool: string, name: string): Promise<void> {
    const { workspace: target } = this.#findTool(workspace, tool);
    await this.#do(() => target.control('renameTool', controlBody.renameTool(tool as ToolId, named(name))));
  }

  async deleteTool(workspace: string, tool: string): Promise<void> {
    const { workspace: target } = this.#findTool(workspace, tool);
    await this.#do(() => target.control('deleteTool', controlBody.deleteTool(tool as ToolId)));
  }

  async markSeen(workspace: string, tool: string, item?: string): Promise<void> {
    const { workspace: target, kind } = this.#findTool(workspace, tool);
    const seen = target.see(tool as ToolId, item);
    if (seen.length === 0) return;
    if (kind === 'chat') {
      const posts = new Chat(target, tool as ToolId, this.#options.index).describeAll(seen);
      this.#emit({ type: 'chat', workspace, tool, posts, removed: [] });
    }
    await this.#commit();
  }

  // ---- API: members -----------------------------------------------------------------------------------------------------

  async setRole(workspace: string, account: string, role: Role): Promise<void> {
    await this.#do(() => this.#membership(workspace).setRole(account, role));
  }

  async removeMember(workspace: string, account: string): Promise<void> {
    await this.#do(() => this.#membership(workspace).remove(account));
  }

  async setPermission(workspace: string, scope: string, action: string, role: Role, allow: boolean): Promise<void> {
    await this.#do(() => this.#membership(workspace).setPermission(scope, action, role, allow));
  }

  async leaveWorkspace(workspace: string): Promise<void> {
    await this.#do(() => this.#membership(workspace).leave());
    this.#expelled(workspace as WorkspaceId);
  }

  async deleteWorkspace(workspace: string): Promise<void> {
    await this.#do(() => this.#membership(workspace).deleteWorkspace());
  }

  #membership(workspace: string): Membership {
    return new Membership(this.#find(workspace).workspace);
  }

  async notAccepted(workspace: string): Promise<readonly WorkInfo[]> {
    return notAccepted(this.#find(workspace).workspace).map(({ stream: _, ...info }) => info);
  }

  async closed(): Promise<readonly ClosedInfo[]> {
    return [...this.#closedWorkspaces.values()].map((closed) => closed.info());
  }

  async saveWork(workspace: string, localFolder: string, operation: string): Promise<ImportReport> {
    const closed = this.#closedWorkspaces.get(workspace as WorkspaceId);
    const entries = closed ? closed.entries() : workEntries(notAccepted(this.#find(workspace).workspace));
    return this.#long(operation, (signal, onProgress) =>
      this.#options.bridges.exportEntries(entries, { into: localFolder, signal, onProgress }),
    );
  }

  async forget(workspace: string): Promise<void> {
    const id = workspace as WorkspaceId;
    const deleted = this.#workspaces.get(id)?.workspace;
    if (deleted?.roster.deleted) await this.#do(() => this.#letGo(deleted));
    const closed = this.#closedWorkspaces.get(id);
    if (!closed && !deleted?.roster.deleted) throw new ServiceError('notFound', {});
    await this.#do(async () => closed?.forget());
    this.#closedWorkspaces.delete(id);
    await this.#commit();
    this.#emit({ type: 'workspaces' });
  }

  // ---- API: joining -----------------------------------------------------------------------------------------------------

  invite(workspace: string, options: InviteOptions): Promise<Invitation> {
    return this.#do(() => this.#find(workspace).inviting.invite(options));
  }

  async revokeInvitation(workspace: string, invitation: string): Promise<void> {
    await this.#do(() => this.#find(workspace).inviting.revoke(invitation));
  }

  async readInvitation(text: string): Promise<InvitationInfo> {
    const { workspace, workspaceName, inviterName, inviter, role, expires } = this.#readInvitation(text);
    return {
      workspaceName,
      workspace,
      inviterName,
      inviterAccount: inviter,
      safetyNumber: safetyNumber(this.#options.crypto, this.#identity.account, inviter),
      role: ROLE_NAMES[role]!,
      expires,
      alreadyMember: this.#workspaces.get(workspace)?.workspace.self !== undefined,
    };
  }

  #readInvitation(text: string): InvitationContent {
    const read = readInvitation(this.#options.crypto, text);
    if (read.ok) return read.value;
    throw new ServiceError(read.error.tag === 'newer' ? 'invitationForeign' : 'badInvitation', {
      reason: read.error.tag,
    });
  }

  async acceptInvitation(text: string): Promise<JoinInfo> {
    const invitation = this.#readInvitation(text);
    if (this.#workspaces.get(invitation.workspace)?.workspace.self) throw new ServiceError('alreadyMember', {});
    if (invitation.expires < this.#options.clock.now()) throw new ServiceError('invitationExpired', {});
    this.#joins.get(invitation.workspace)?.stop();
    const joining = new Joining(this.#hub, invitation);
    this.#joins.set(invitation.workspace, joining);
    const relay = invitation.routes.find((route) => route.relay !== undefined)?.relay;
    if (this.#relayText() === undefined && relay !== undefined) this.#useRelay(relay);
    this.#local.put(`join/${invitation.workspace}`, [invitationText(text), 0]);
    await this.#commit();
    this.#applyChange();
    joining.ask();
    return joining.info();
  }

  async joins(): Promise<readonly JoinInfo[]> {
    return [...this.#joins.values()].map((joining) => joining.info());
  }

  async cancelJoin(workspace: string): Promise<void> {
    const joining = this.#joins.get(workspace as WorkspaceId);
    if (!joining) return;
    joining.stop();
    this.#joins.delete(workspace as WorkspaceId);
    this.#local.drop(`join/${workspace}`);
    await this.#commit();
    this.#changed();
  }

  async joinRequests(): Promise<readonly JoinRequestInfo[]> {
    return [...this.#workspaces.values()].flatMap(({ inviting }) => inviting.requests());
  }

  async answerJoin(request: string, accept: boolean): Promise<void> {
    for (const { inviting } of this.#workspaces.values()) {
      if (await this.#do(() => inviting.answer(request, accept))) return;
    }
    throw new ServiceError('notFound', {});
  }

  // ---- API: devices -----------------------------------------------------------------------------------------------------

  async recoveryPhrase(): Promise<string> {
    return this.#account.phrase();
  }

  async restoreAccount(phrase: string): Promise<void> {
    await this.#do(() => this.#account.restore(phrase));
  }

  makeLinkCode(scheme: string): Promise<LinkCodeInfo> {
    return this.#do(() => this.#account.codes.make(scheme));
  }

  async withdrawLinkCode(): Promise<void> {
    await this.#do(() => this.#account.codes.withdraw());
  }

  async deviceRequests(): Promise<readonly DeviceRequestInfo[]> {
    return this.#account.codes.requests();
  }

  async answerDevice(request: string, accept: boolean): Promise<void> {
    await this.#do(() => this.#account.codes.answer(request, accept));
  }

  linkDevice(code: string): Promise<LinkInfo> {
    return this.#do(() => this.#account.link(code));
  }

  async linking(): Promise<LinkInfo | undefined> {
    return this.#account.linking();
  }

  async cancelLink(): Promise<void> {
    await this.#do(() => this.#account.cancelLink());
  }

  async devices(): Promise<readonly DeviceInfo[]> {
    return this.#account.devices.infos();
  }

  async renameDevice(device: string, name: string): Promise<void> {
    await this.#do(() => this.#account.devices.rename(device, named(name)));
  }

  async removeDevice(device: string): Promise<void> {
    await this.#do(() => this.#account.devices.remove(device));
  }

  // ---- API: files -------------------------------------------------------------------------------------------------------

  async stat(workspace: string, tool: string, path: string): Promise<FileEntry> {
    return this.#files(workspace, tool).stat(path);
  }

  async list(workspace: string, tool: string, path: string): Promise<readonly FileEntry[]> {
    return this.#files(workspace, tool).list(path);
  }

  async read(
    workspace: string,
    tool: string,
    path: string,
    range?: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array> {
    return this.#do(() => this.#files(workspace, tool).read(path, range));
  }

  async write(
    workspace: string,
    tool: string,
    path: string,
    bytes: Uint8Array,
    options: WriteOptions,
  ): Promise<string> {
    return this.#do(() => this.#files(workspace, tool).write(path, bytes, options));
  }

  async makeFolder(workspace: string, tool: string, path: string): Promise<void> {
    await this.#do(() => this.#files(workspace, tool).makeFolder(path));
  }

  async remove(workspace: string, tool: string, path: string, options: { readonly recursive: boolean }): Promise<void> {
    await this.#do(() => this.#files(workspace, tool).remove(path, options));
  }

  async rename(
    workspace: string,
    tool: string,
    from: string,
    to: string,
    options: { readonly overwrite: boolean },
  ): Promise<void> {
    await this.#do(() => this.#files(workspace, tool).rename(from, to, options));
  }

  async copy(
    workspace: string,
    tool: string,
    from: string,
    to: string,
    options: { readonly overwrite: boolean },
  ): Promise<void> {
    await this.#do(() => this.#files(workspace, tool).copy(from, to, options));
  }

  async importPaths(
    workspace: string,
    tool: string,
    folder: string,
    localPaths: readonly string[],
    operation: string,
  ): Promise<ImportReport> {
    return this.#long(operation, (signal, onProgress) =>
      this.#files(workspace, tool).import(this.#options.bridges, folder, localPaths, signal, onProgress),
    );
  }

  async exportPath(
    workspace: string,
    tool: string,
    path: string,
    localFolder: string,
    operation: string,
  ): Promise<ImportReport> {
    return this.#long(operation, (signal, onProgress) =>
      this.#files(workspace, tool).export(this.#options.bridges, path, localFolder, signal, onProgress),
    );
  }

  async cancel(operation: string): Promise<void> {
    this.#operations.get(operation)?.abort();
  }

  async #long<T>(
    operation: string,
    work: (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    this.#operations.set(operation, controller);
    try {
      return await this.#do(() =>
        work(controller.signal, (progress) => this.#emit({ type: 'import', operation, ...progress })),
      );
    } finally {
      this.#operations.delete(operation);
    }
  }

  // ---- API: chat --------------------------------------------------------------------------------------------------------

  async post(workspace: string, tool: string, text: string): Promise<ChatPost> {
    return this.#do(() => this.#chat(workspace, tool).post(text));
  }

  async editPost(workspace: string, tool: string, post: string, text: string): Promise<void> {
    await this.#do(() => this.#chat(workspace, tool).edit(post, text));
  }

  async deletePost(workspace: string, tool: string, post: string): Promise<void> {
    await this.#do(() => this.#chat(workspace, tool).delete(post));
  }

  async chat(
    workspace: string,
    tool: string,
    options: { readonly before?: string; readonly limit: number },
  ): Promise<ChatPage> {
    return this.#chat(workspace, tool).page(options);
  }

  // ---- within -----------------------------------------------------------------------------------------------------------

  #find(workspace: string): Hosted {
    const hosted = this.#workspaces.get(workspace as WorkspaceId);
    if (!hosted?.workspace.self) throw new ServiceError('notFound', {});
    return hosted;
  }

  #findTool(workspace: string, tool: string, kind?: ToolKind): Hosted & { readonly kind: string } {
    const hosted = this.#find(workspace);
    const record = hosted.workspace.roster.tools.get(tool as ToolId);
    if (!record || (kind !== undefined && record.kind !== kind)) throw new ServiceError('notFound', {});
    return { ...hosted, kind: record.kind };
  }

  #files(workspace: string, tool: string): Files {
    return new Files(this.#findTool(workspace, tool, 'files').workspace, tool as ToolId, this.#cache);
  }

  #chat(workspace: string, tool: string): Chat {
    return new Chat(this.#findTool(workspace, tool, 'chat').workspace, tool as ToolId, this.#options.index);
  }

  #commit(records: readonly Uint8Array[] = []): Promise<void> {
    return this.#do(() => this.#commits.commit(records));
  }

  /** What the adapters throw becomes what the API promises. */
  async #do<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new ServiceError('stopped', {});
    const working = this.#translated(work);
    this.#working.add(working);
    return working.finally(() => this.#working.delete(working));
  }

  async #translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw serviceError(error);
    }
  }
}

type Lock =
  | { readonly kind: 'account'; readonly of: AccountLock; readonly key: Uint8Array }
  | { readonly kind: 'epoch' | 'join'; readonly workspace: WorkspaceId; readonly key: Uint8Array }
  | { readonly kind: 'invite'; readonly workspace: WorkspaceId; readonly key: Uint8Array; readonly invite: DeltaId };

const BRIDGE_CODES: Readonly<Record<string, ServiceError['code']>> = {
  diskFull: 'diskFull',
  notPermitted: 'notPermitted',
  notFound: 'notFound',
};

function serviceError(error: unknown): unknown {
  if (error instanceof StoreError)
    return new ServiceError(error.code === 'diskFull' ? 'diskFull' : 'storeFailed', { reason: error.code });
  if (error instanceof Error && error.name === 'BridgeError') {
    const code = (error as Error & { readonly code?: string }).code ?? '';
    return new ServiceError(BRIDGE_CODES[code] ?? 'internal', { reason: code });
  }
  return error;
}

function relayInfo(state: RelayState): RelayInfo {
  return state.state === 'failed'
    ? { state: 'failed', reason: state.reason, detail: state.detail }
    : { state: state.state };
}

function named(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '' || !trimmed.isWellFormed() || toUtf8(trimmed).length > MAX_NAME_BYTES) {
    throw new ServiceError('badName', { name: trimmed.slice(0, 40) });
  }
  return trimmed;
}

/** A name somebody typed long ago must not keep the service from starting. */
function shortened(name: string): string {
  let short = name.toWellFormed();
  while (toUtf8(short).length > MAX_NAME_BYTES) short = short.slice(0, -1).toWellFormed();
  return short;
}

/** The part of a link or file that is the invitation: all that is worth keeping. */
function invitationText(text: string): string {
  return text.split(/[\s#?&=]+/).find((part) => /^[A-Za-z0-9_-]{64,}$/.test(part)) ?? text;
}
