/**
 * The service of one device: the nouns of this room put together, their opening and their closing. What the windows call is `api`, a file
 * for each group of calls; what arrives from others comes by the switchboard. It knows nothing of any tool's inside.
 */
import { equalBytes, releaseBytes } from '../base/bytes.ts';
import { Emitter } from '../base/event.ts';
import type { WorkspaceId } from '../base/ids.ts';
import type { ReplayReport } from '../sync/ports.ts';
import { Account } from './account.ts';
import type { CallKey, CoterieApi, ServiceEvent } from './api.ts';
import { ByteCache } from './byte-cache.ts';
import { Calls } from './calls.ts';
import { chatApi } from './chat-api.ts';
import { ClosedWorkspaces } from './closed-workspaces.ts';
import { Continuing } from './continuing.ts';
import { continuingApi } from './continuing-api.ts';
import { CommitQueue } from './commit-queue.ts';
import { ContentIndex } from './content-index.ts';
import { devicesApi } from './devices-api.ts';
import { filesApi } from './files-api.ts';
import { Farewells } from './farewells.ts';
import type { Hub } from './hub.ts';
import { identityApi } from './identity-api.ts';
import { joiningApi } from './joining-api.ts';
import { imagedOf, readImage, writeImage, type Imaged } from './index-image.ts';
import { Joins } from './joins.ts';
import { compactJournal, readJournal, type JournalContent } from './journal.ts';
import { LazyIndex } from './lazy-index.ts';
import { LocalState } from './local-state.ts';
import { MadeCalls } from './made-calls.ts';
import { membersApi } from './members-api.ts';
import { Offers } from './offers.ts';
import { ownWorkApi } from './own-work-api.ts';
import { OnlyCopy } from './only-copy.ts';
import type { ServiceOptions } from './ports.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import { Returning } from './returning.ts';
import { StoreTrouble } from './store-trouble.ts';
import { Switchboard } from './switchboard.ts';
import { ThisDevice } from './this-device.ts';
import { tellAbsent } from './workspace-info.ts';
import { Workspaces } from './workspaces.ts';
import { workspacesApi } from './workspaces-api.ts';

const PRESENCE_EVERY_MS = 30_000;
/** VS Code gives an extension about 5 s to end. */
const HAND_OVER_MS = 2_000;
/** A journal this long is worth a snapshot: at the start, and when something has left a log. */
const COMPACT_ABOVE_BYTES = 8 * 1024 * 1024;
/** This long it is worth one though nothing leaves a log, since somebody is away. */
const COMPACT_IN_ANY_CASE_ABOVE_BYTES = 64 * 1024 * 1024;
/** By then the first window listens. */
const NOTICE_AFTER_MS = 1_000;

export class Service {
  readonly api: CoterieApi;
  readonly #options: ServiceOptions;
  readonly #local: LocalState;
  readonly #events = new Emitter<ServiceEvent>();
  readonly #made: MadeCalls;
  readonly #calls: Calls;
  readonly #trouble: StoreTrouble;
  readonly #commits: CommitQueue;
  readonly #device: ThisDevice;
  readonly #hub: Hub;
  readonly #workspaces: Workspaces;
  readonly #joins: Joins;
  readonly #account: Account;
  readonly #farewells: Farewells;
  readonly #returning: Returning;
  readonly #closed: ClosedWorkspaces;
  readonly #continuing: Continuing;
  readonly #offers: Offers;
  readonly #switchboard: Switchboard;
  readonly #cache = new ByteCache();
  readonly #index: ContentIndex;
  #cancelBeat: (() => void) | undefined;
  #isShortening = false;
  #closing: Promise<void> | undefined;

  readonly events = this.#events.event;

  private constructor(options: ServiceOptions, local: LocalState) {
    const { log, clock, onFault } = options;
    this.#options = options;
    this.#index = new ContentIndex(options.index);
    this.#local = local;
    this.#made = new MadeCalls(local);
    this.#calls = new Calls((event) => this.#emit(event), this.#made);
    this.#trouble = new StoreTrouble({ clock, emit: (event) => this.#emit(event) }, onFault);
    this.#commits = new CommitQueue(log, local, clock, {
      failed: (error) => this.#trouble.failed(error),
      saved: () => this.#saved(),
    });
    this.#device = new ThisDevice(options, local);
    this.#hub = this.#makeHub();
    this.#farewells = new Farewells(this.#hub);
    this.#workspaces = new Workspaces(this.#hub, (records) => this.#commits.withdraw(records));
    this.#joins = this.#makeJoins();
    this.#account = this.#makeAccount();
    this.#returning = new Returning({
      hub: this.#hub,
      entered: (word, sponsor) => this.#joins.entered(word, sponsor),
      declined: (id, from, reason, isLast) => this.#joins.declinedElsewhere(id, from, reason, isLast),
    });
    this.#closed = this.#makeClosed();
    this.#continuing = this.#makeContinuing();
    this.#offers = new Offers(this.#hub, this.#workspaces, this.#joins, this.#continuing);
    this.#switchboard = this.#makeSwitchboard();
    this.api = this.apiFor(undefined);
  }

  /** Everything is there from the encrypted store before the network is touched. Throws StoreError. */
  static async open(given: ServiceOptions): Promise<Service> {
    const options = { ...given, index: new LazyIndex(given.index, given.clock) };
    const local = new LocalState();
    const [journal, image] = await Promise.all([readJournal(options.log, local), options.indexImage?.read()]);
    const service = new Service(options, local);
    await service.#restore(journal, image);
    const { transport } = service.#device;
    try {
      await transport.start();
    } catch (error) {
      await transport.stop();
      throw error;
    }
    service.#connect();
    return service;
  }

  // ---- putting together -------------------------------------------------------------------------------------------------

  #makeHub(): Hub {
    const { crypto, clock, chunks } = this.#options;
    const index = this.#index;
    const device = this.#device;
    const commits = this.#commits;
    return {
      // Both are others once this device has taken on another account.
      get transport() {
        return device.transport;
      },
      get identity() {
        return device.identity;
      },
      crypto,
      clock,
      index,
      chunks,
      local: this.#local,
      onlyCopy: new OnlyCopy({ crypto, local: this.#local, emit: (event) => this.#emit(event) }),
      makeContents: (keys) => this.#options.makeContents(keys),
      displayName: () => device.displayName(),
      deviceName: () => device.deviceName(),
      absentAfterDays: () => device.absentAfterDays(),
      relay: () => device.relay(),
      get isDiskFailing() {
        return commits.failing;
      },
      commit: (records, call, delta) => {
        if (call !== undefined) this.#made.note({ key: call, delta });
        return commits.commit(records);
      },
      emit: (event) => this.#emit(event),
      changed: () => this.#switchboard.changed(),
      toGo: (workspace) => this.#closed.toGo(workspace),
      offered: (from, sealed) => this.#offers.came(from, sealed),
      forgotten: () => void this.#compactIf(false),
      erased: () => void this.#calls.hold(this.#wipe()),
      fault: (error) => {
        if (!this.#calls.ended) this.#trouble.fault(error);
      },
    };
  }

  #makeJoins(): Joins {
    return new Joins({
      hub: this.#hub,
      workspaces: this.#workspaces,
      useRelay: (relay) => this.#device.useRelay(relay),
      whole: (workspace) => this.#closed.cameBack(workspace),
      askElsewhere: ({ workspace, invitation }) =>
        this.#returning.askAgain(workspace, invitation.workspaceName, this.#account.devices.doors()),
      erase: (copy) => this.#closed.giveUp(copy),
      erasing: (workspace) => this.#closed.erasing(workspace),
      apply: () => this.#switchboard.apply(),
    });
  }

  #makeAccount(): Account {
    return new Account({
      hub: this.#hub,
      accountSeed: () => this.#device.accountSeed,
      workspaces: () => this.#wholeWorkspaces(),
      isEmpty: () => this.#workspaces.size === 0 && this.#joins.size === 0,
      adopt: async (seed, mustBeFree) => {
        const { transport } = this.#device;
        try {
          await this.#device.adopt(seed, mustBeFree, () => {
            this.#returning.forgetAll();
            return this.#commits.commit([]);
          });
        } finally {
          if (this.#device.transport !== transport) this.#switchboard.listen();
        }
      },
      entered: (word, sponsor) => this.#joins.entered(word, sponsor),
      farewells: this.#farewells,
      takenOut: ({ workspace, word }, from) => {
        const isComing = this.#joins.has(workspace);
        const copy = this.#workspaces.get(workspace)?.workspace;
        if (!isComing) copy?.hearOut(word, from);
        return isComing || copy !== undefined;
      },
      renamed: () => void this.#workspaces.announce(),
      useRelay: (relay) => this.#device.useRelay(relay),
    });
  }

  /** Those that this device is in, and holds whole. */
  *#wholeWorkspaces(): Generator<SharedWorkspace> {
    for (const { workspace } of [...this.#workspaces])
      if (
        !this.#joins.has(workspace.id) &&
        !this.#continuing.isUnfinished(workspace.id) &&
        workspace.roster.devices.has(this.#device.identity.device)
      )
        yield workspace;
  }

  #makeClosed(): ClosedWorkspaces {
    return new ClosedWorkspaces({
      hub: this.#hub,
      farewells: this.#farewells,
      workspaces: this.#workspaces,
      joins: this.#joins,
      calls: this.#calls,
      returning: this.#returning,
      compact: () => this.#compact(),
    });
  }

  #makeContinuing(): Continuing {
    return new Continuing({
      hub: this.#hub,
      workspaces: this.#workspaces,
      cache: this.#cache,
      compact: () => this.#compact(),
    });
  }

  #makeSwitchboard(): Switchboard {
    return new Switchboard({
      hub: this.#hub,
      workspaces: this.#workspaces,
      joins: this.#joins,
      account: this.#account,
      returning: this.#returning,
      continuing: this.#continuing,
      offers: this.#offers,
      held: (arrived) => {
        if (this.#commits.failing) this.#trouble.hold(arrived);
        return this.#commits.failing;
      },
    });
  }

  /** The same for one call, under the key that a window gave it (L3). */
  apiFor(call: CallKey | undefined): CoterieApi {
    const { bridges } = this.#options;
    const [hub, workspaces, joins, calls] = [this.#hub, this.#workspaces, this.#joins, this.#calls];
    return {
      ...identityApi(this.#device, workspaces),
      ...workspacesApi(hub, workspaces, joins, this.#continuing, calls, call),
      ...membersApi(hub, workspaces, calls, call),
      ...ownWorkApi(workspaces, this.#closed, calls, bridges),
      ...joiningApi(hub, workspaces, joins, this.#returning, calls, call),
      ...continuingApi(this.#continuing, this.#offers, calls, call),
      ...devicesApi(this.#account, calls, call),
      ...filesApi(workspaces, calls, bridges, this.#cache, call),
      ...chatApi(hub, workspaces, calls, call),
    };
  }

  // ---- opening ----------------------------------------------------------------------------------------------------------

  async #restore({ logs, report }: JournalContent, image: Uint8Array | undefined): Promise<void> {
    const imaged = this.#takeUp(image, logs);
    const { onlyCopy } = this.#hub;
    const hasMoved = onlyCopy.hasMoved(this.#options.place);
    const isOlder = hasMoved || report.quarantined > 0;
    for (const [id, log] of logs) {
      const { workspace } = this.#workspaces.host(id, log, imaged?.get(id));
      if (isOlder || report.cutBytes > 0) onlyCopy.beginFeed(workspace, isOlder);
    }
    this.#closed.restore();
    this.#joins.restore();
    this.#returning.restore();
    this.#offers.restore();
    // A full disk must not keep anybody from reading what is there.
    await this.#commits.commit([]).catch(() => undefined);
    await this.#undoHalves();
    // Damage that stays would be met again with each start.
    if (!(await this.#compactIf(report.quarantined > 0))) await this.#imageIfOther(imaged);
    this.#tellDamage(report);
  }

  /** Answers what of the image is of use. */
  #takeUp(bytes: Uint8Array | undefined, logs: JournalContent['logs']): ReadonlyMap<WorkspaceId, Imaged> | undefined {
    const image = bytes && readImage(bytes);
    if (!image || !this.#index.takeUp(image.tables)) return undefined;
    // The index has a copy.
    releaseBytes(bytes);
    for (const id of this.#index.workspaces) if (!logs.has(id)) this.#index.forget(id);
    return image.workspaces;
  }

  /** A disk that cannot be written keeps them marked, and out of sight, until the next start. */
  async #undoHalves(): Promise<void> {
    const undone = await this.#continuing.restore().catch(() => []);
    for (const name of undone) this.#later({ type: 'notice', code: 'continueUndone', detail: { name } });
  }

  #tellDamage({ cutBytes, quarantined }: ReplayReport): void {
    if (cutBytes > 0) this.#later({ type: 'notice', code: 'tailCut', detail: { bytes: String(cutBytes) } });
    if (quarantined > 0) this.#later({ type: 'notice', code: 'damaged', detail: { count: String(quarantined) } });
  }

  /** What is said before anybody listens is said when the first window does. */
  #later(event: ServiceEvent): void {
    const { clock } = this.#options;
    clock.wakeAt(clock.now() + NOTICE_AFTER_MS, () => {
      if (!this.#calls.ended) this.#emit(event);
    });
  }

  #connect(): void {
    this.#switchboard.listen();
    this.#workspaces.each((workspace) => workspace.start());
    for (const { renewing } of this.#workspaces) renewing.watch();
    this.#closed.start();
    this.#beat(true);
    this.#joins.ask();
    this.#account.tick();
    this.#returning.start();
    void this.#workspaces.announce();
  }

  #beat(first: boolean): void {
    if (this.#calls.ended) return;
    const { clock } = this.#options;
    this.#workspaces.each((workspace) => workspace.beat(1, first));
    this.#lookForAbsent();
    void this.#compactIfVeryLong();
    this.#account.tick();
    this.#switchboard.tick();
    this.#cancelBeat = clock.wakeAt(clock.now() + PRESENCE_EVERY_MS, () => this.#beat(false));
  }

  /** L7: how long things are held is written down, and a manager is told who holds back the log. */
  #lookForAbsent(): void {
    const looked = [...this.#workspaces].map((hosted) => hosted.absence.look());
    const told = [...this.#workspaces].map((hosted) => tellAbsent(this.#hub, hosted));
    if ([...looked, ...told].includes(true)) void this.#commits.commit([]).catch(() => undefined); // told by the queue
  }

  // ---- open -------------------------------------------------------------------------------------------------------------

  #emit(event: ServiceEvent): void {
    // Of what is not to be seen yet nobody hears.
    if (
      (event.type === 'files' || event.type === 'chat') &&
      this.#continuing.isUnfinished(event.workspace as WorkspaceId)
    )
      return;
    this.#events.fire(event);
    if (event.type === 'workspaces' || event.type === 'files') this.#joins.progressed();
  }

  #saved(): void {
    this.#workspaces.each((workspace) => workspace.saved());
    this.#trouble.release();
  }

  /** Also where the journal is long. Answers whether it was tried. */
  async #compactIf(isDue: boolean): Promise<boolean> {
    const { log, compactAboveBytes = COMPACT_ABOVE_BYTES } = this.#options;
    if (this.#calls.ended || (!isDue && log.journalBytes <= compactAboveBytes)) return false;
    await this.#compact().catch((error: unknown) => this.#trouble.fault(error));
    return true;
  }

  async #compactIfVeryLong(): Promise<void> {
    if (this.#isShortening || this.#options.log.journalBytes <= COMPACT_IN_ANY_CASE_ABOVE_BYTES) return;
    this.#isShortening = true;
    await this.#compactIf(true);
    this.#isShortening = false;
  }

  /**
   * Where the image was lost, or is of an older base, the next start shall not put everything into the index again; and one that tells of
   * what is not here any more is not to stay.
   */
  async #imageIfOther(found: ReadonlyMap<WorkspaceId, Imaged> | undefined): Promise<void> {
    const imaged = this.#imaged();
    const isOther =
      [...(found?.keys() ?? [])].some((id) => !imaged.has(id)) ||
      [...imaged].some(([id, { root }]) => {
        const known = found?.get(id);
        return !known || !equalBytes(known.root, root);
      });
    if (isOther) await this.#keepImage(this.#makeImage(imaged));
  }

  #makeImage(imaged: ReadonlyMap<WorkspaceId, Imaged>): Uint8Array | undefined {
    return this.#options.indexImage && writeImage(imaged, () => this.#index.image());
  }

  /** Without it the next start is slower, and no more. An old one may tell of a workspace that was erased (K2). */
  async #keepImage(image: Uint8Array | undefined): Promise<void> {
    const { indexImage } = this.#options;
    await (image ? indexImage?.write(image) : indexImage?.clear())?.catch(() => undefined);
  }

  /** What the index is made of, by workspace; what has no base is put into it anew with each start. */
  #imaged(): ReadonlyMap<WorkspaceId, Imaged> {
    const imaged = new Map<WorkspaceId, Imaged>();
    for (const { workspace } of this.#workspaces) {
      const own = imagedOf(workspace.replica);
      if (own) imaged.set(workspace.id, own);
    }
    return imaged;
  }

  /** K4: two generations are kept on the disk; after the second nothing is left of what counts no more. */
  async #wipe(): Promise<void> {
    try {
      await this.#commits.commit([]);
      await this.#compact();
      await this.#compact();
    } catch (error) {
      // With the next snapshots it goes all the same.
      this.#trouble.failed(error);
    }
  }

  async #compact(): Promise<void> {
    const compacted = compactJournal(this.#options.log, this.#local, this.#workspaces);
    // Of the moment of the records, and written after them: an older image goes with older records.
    const image = this.#makeImage(this.#imaged());
    await compacted;
    await this.#keepImage(image);
  }

  // ---- closing ----------------------------------------------------------------------------------------------------------

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#handOver();
    this.#workspaces.each((workspace) => workspace.beat(0, false));
    this.#calls.end();
    this.#switchboard.close();
    this.#cancelBeat?.();
    this.#joins.stop();
    this.#account.stop();
    this.#returning.stop();
    this.#closed.stop();
    for (const { renewing } of this.#workspaces) renewing.stop();
    this.#workspaces.each((workspace) => workspace.close());
    await this.#calls.settled();
    await this.#commits.close().catch(() => undefined);
    await this.#device.transport.stop();
    await this.#options.log.close();
    this.#options.index.close();
  }

  /** Who closes right after a change takes a moment for it to reach the relay; a slow or dead one must not hold up the window. */
  async #handOver(): Promise<void> {
    const { clock } = this.#options;
    let cancel = (): void => undefined;
    const patience = new Promise<void>((resume) => (cancel = clock.wakeAt(clock.now() + HAND_OVER_MS, resume)));
    const handing = [...this.#workspaces].map(({ workspace }) => workspace.handOver());
    await Promise.race([Promise.allSettled(handing), patience]);
    cancel();
  }
}
