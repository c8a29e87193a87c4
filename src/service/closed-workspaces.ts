/**
 * The workspaces that this person is out of and has not dismissed, and how one that is open becomes one (K2, L7): first the word that
 * it is closed and what is kept of it, durably; then the copy goes. And those that are deleted for all (A8) and he has dismissed: their copies go
 * when the others have heard of it.
 */
import type { WorkspaceId } from '../base/ids.ts';
import { Turns } from '../base/turns.ts';
import type { Node } from '../sync/graph.ts';
import { ServiceError, type ClosedInfo, type PutBack } from './api.ts';
import type { Calls } from './calls.ts';
import { ClosedWorkspace, eraseCopy, type About } from './closed-workspace.ts';
import type { Farewells } from './farewells.ts';
import type { Hub } from './hub.ts';
import type { Joins } from './joins.ts';
import { OffList } from './off-list.ts';
import { notAccepted, unsentBeyond, workEntries, type Work } from './own-work.ts';
import type { ExportEntry } from './ports.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import { putBack } from './put-back.ts';
import type { Returning } from './returning.ts';
import type { Workspaces } from './workspaces.ts';

/** Whom no word names may be in by another that is right behind. */
const RESTS_MS = 60_000;
/** A full disk may have room by then. */
const AGAIN_MS = 60_000;

/** Of others: whoever did it says. */
const HOW_BY_KIND: Readonly<Record<string, ClosedInfo['how']>> = { leave: 'left', drop: 'dropped', freeze: 'frozen' };
/** Of what takes out nobody, and has made void what had let this device in (N3, A5). */
const OVERTAKES: ReadonlySet<string> = new Set(['admit', 'addDevice', 'setPerm']);

export interface ClosedWorkspacesOptions {
  readonly hub: Hub;
  readonly farewells: Farewells;
  readonly workspaces: Workspaces;
  readonly joins: Joins;
  readonly calls: Calls;
  readonly returning: Returning;
  /** The journal is written anew, without what counts no more. */
  compact(): Promise<void>;
}

export class ClosedWorkspaces {
  readonly #options: ClosedWorkspacesOptions;
  readonly #hub: Hub;
  readonly #workspaces: Workspaces;
  readonly #offList: OffList;
  readonly #closed = new Map<WorkspaceId, ClosedWorkspace>();
  readonly #closing = new Set<WorkspaceId>();
  /** What is done about what is kept of a workspace, one after the other: each would take away, or pass by, what another is about. */
  readonly #turns = new Turns<WorkspaceId>();
  readonly #erasing = new Map<WorkspaceId, Promise<void>>();
  /** Copies that are looked at again when nothing more may have come, each with what ends that. */
  readonly #holding = new Map<WorkspaceId, () => void>();
  /** Copies that could not go for the disk, each with what ends the waiting for another try. */
  readonly #again = new Map<WorkspaceId, () => void>();

  constructor(options: ClosedWorkspacesOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#workspaces = options.workspaces;
    this.#offList = new OffList(options.hub.local);
  }

  restore(): void {
    for (const [id, value] of this.#hub.local.under('closed/')) {
      const closed = ClosedWorkspace.read(this.#hub, id as WorkspaceId, value);
      if (closed) this.#closed.set(closed.id, closed);
    }
  }

  /** A crash has come in the midst of putting back, or before it was done with; or before a copy had gone. */
  start(): void {
    this.#offList.tidy((id) => {
      const workspace = this.#workspaces.get(id)?.workspace;
      return workspace !== undefined && this.#offList.has(workspace);
    });
    this.#workspaces.each(({ id }) => this.toGo(id));
    for (const closed of this.#closed.values())
      if (closed.isBeingPutBack && this.#isBack(closed.id)) void this.#options.calls.hold(this.#goOn(closed.id));
  }

  async #goOn(id: WorkspaceId): Promise<void> {
    try {
      await this.putBack(id);
    } catch (error) {
      // What may not be written now stays listed, for its person to put back later.
      if (!(error instanceof ServiceError)) this.#hub.fault(error);
    }
  }

  infos(): readonly ClosedInfo[] {
    const { returning } = this.#options;
    return [...this.#closed.values()].map((closed) => ({
      ...closed.info(),
      isBack: this.#isBack(closed.id),
      isAsking: returning.isAsking(closed.id),
    }));
  }

  #isBack(id: WorkspaceId): boolean {
    const workspace = this.#workspaces.get(id)?.workspace;
    return workspace?.roster.devices.has(workspace.device) === true && !this.#options.joins.has(id);
  }

  /** What is kept of a closed workspace, and what was not accepted in an open one: where he is in again, it is both. Throws ServiceError('notFound'). */
  work(workspace: string): Iterable<ExportEntry> {
    const closed = this.#closed.get(workspace as WorkspaceId);
    if (closed && !this.#isBack(closed.id)) return workEntries(closed.work);
    const open = notAccepted(this.#workspaces.find(workspace).workspace);
    return workEntries([...(closed?.work ?? []), ...open]);
  }

  /**
   * The person has seen to it. Of one that is deleted for all the row goes now, and the copy when nobody needs it to hear of that (`#isHeard`). Throws
   * ServiceError('notFound').
   */
  async forget(id: WorkspaceId): Promise<void> {
    const open = this.#workspaces.get(id)?.workspace;
    const deleted = open?.roster.deleted ? open : undefined;
    const closed = this.#closed.get(id);
    if (!closed && !deleted) throw new ServiceError('notFound', {});
    if (deleted) await this.#takeOffList(deleted);
    await closed?.letGo(() => this.#turns.run(id, () => this.#forget(closed)));
    this.#hub.emit({ type: 'workspaces' });
    this.toGo(id);
  }

  /** Closed again meanwhile it is listed with work that its person has not seen: all of that stays. */
  async #forget(closed: ClosedWorkspace): Promise<void> {
    const { id } = closed;
    if (this.#closed.get(id) !== closed) return;
    // What was written anew may wait for the disk still.
    await this.#hub.commit([]);
    await closed.forget();
    this.#closed.delete(id);
    this.#options.returning.forget(id);
    await this.#hub.commit([]);
    this.#hub.changed();
  }

  /** Throws StoreError: then it stays listed. */
  async #takeOffList(workspace: SharedWorkspace): Promise<void> {
    this.#offList.put(workspace);
    try {
      await this.#hub.commit([]);
    } catch (error) {
      this.#offList.drop(workspace.id);
      throw error;
    }
  }

  // ---- back -------------------------------------------------------------------------------------------------------------

  /** This device is in it again, with a whole copy. */
  cameBack(id: WorkspaceId): void {
    this.#options.returning.forget(id);
    this.#options.farewells.forget(id);
    const closed = this.#closed.get(id);
    if (!closed) return;
    const { name, work } = closed.info();
    const detail = { name, count: String(work.length) };
    if (work.length > 0) this.#hub.emit({ type: 'notice', code: 'workWaits', workspace: id, detail });
    else void this.#options.calls.hold(this.forget(id)).catch((error: unknown) => this.#hub.fault(error));
  }

  /**
   * Throws ServiceError('notFound'), and 'notPermitted' where this person may not write there any more: the rest is kept. Who asks while it is
   * being done gets the same answer.
   */
  putBack(id: WorkspaceId): Promise<PutBack> {
    const under = this.#puttingBack.get(id);
    if (under) return under;
    const putting = this.#turns.run(id, () => this.#putBack(id)).finally(() => this.#puttingBack.delete(id));
    this.#puttingBack.set(id, putting);
    return putting;
  }

  readonly #puttingBack = new Map<WorkspaceId, Promise<PutBack>>();

  async #putBack(id: WorkspaceId): Promise<PutBack> {
    const closed = this.#closed.get(id);
    if (!closed || !this.#isBack(id)) throw new ServiceError('notFound', {});
    closed.isBeingPutBack = true;
    try {
      return await putBack(this.#hub, this.#workspaces.find(id).workspace, closed);
    } finally {
      // Where all is done, a restart still goes on till what was kept is gone.
      if (closed.kept.length === 0) await this.#forget(closed);
      else closed.isBeingPutBack = false;
      this.#hub.emit({ type: 'workspaces' });
    }
  }

  // ---- closing ----------------------------------------------------------------------------------------------------------

  /** A copy may be one that is to go: this device is out of the workspace, or that is deleted for all. */
  toGo(id: WorkspaceId): void {
    this.#expel(id, false);
    this.#letGoDeleted(id);
  }

  stop(): void {
    for (const cancel of [...this.#holding.values(), ...this.#again.values()]) cancel();
  }

  /**
   * Who was removed loses the copy as soon as he knows. Who has left keeps it until the others know, or their relays; not a device that has only
   * been told so by another of his: nobody who is in it may ever be met again. `hasRested`: nothing more of the copy has come for a while.
   */
  #expel(id: WorkspaceId, hasRested: boolean): void {
    const { calls, joins } = this.#options;
    const hosted = this.#workspaces.get(id);
    const word = hosted?.workspace.expulsion;
    if (!hosted || !word || this.#closing.has(id) || this.#again.has(id) || calls.ended) return;
    if (joins.isComingInto(hosted.workspace, word)) return;
    if (isLeaving(hosted.workspace, word) && !this.#isHandedOn(hosted.workspace, word)) return;
    if (isOnSponsor(hosted.workspace, word) && !hasRested) return this.#holdOn(hosted.workspace);
    this.#begin(hosted.workspace, () => this.#close(hosted.workspace, word));
  }

  #begin(workspace: SharedWorkspace, close: () => Promise<void>): void {
    const { id } = workspace;
    this.#closing.add(id);
    const closing = close()
      .catch((error: unknown) => this.#failed(workspace, error))
      .finally(() => {
        this.#closing.delete(id);
        // In again by then, he may have been taken out of the next copy, too.
        this.toGo(id);
      });
    void this.#options.calls.hold(closing);
  }

  /** D1: what is not on the disk yet nobody has been told of. Let in anew, he waits for nobody who may never be met again: one has it, and hands it on. */
  #isHandedOn(workspace: SharedWorkspace, word: Node): boolean {
    if (!workspace.replica.isDurable(word)) return false;
    return this.#options.joins.isLetInAnew(workspace) ? workspace.isWithAnother : workspace.isHandedOn;
  }

  /** Where the copy is there still, what is written in it meanwhile is looked for anew; else the next start goes on: the word is in the journal. */
  #failed(workspace: SharedWorkspace, error: unknown): void {
    const { id } = workspace;
    this.#hub.fault(error);
    if (this.#workspaces.get(id)?.workspace !== workspace) return;
    workspace.isGoing = false;
    const { clock } = this.#hub;
    const cancel = clock.wakeAt(clock.now() + AGAIN_MS, () => {
      this.#again.delete(id);
      this.toGo(id);
    });
    this.#again.set(id, cancel);
  }

  #holdOn(workspace: SharedWorkspace): void {
    const { id } = workspace;
    if (this.#holding.has(id)) return;
    const { clock } = this.#hub;
    const before = whatIsHere(workspace);
    const cancel = clock.wakeAt(clock.now() + RESTS_MS, () => {
      this.#holding.delete(id);
      this.#expel(id, this.#workspaces.get(id)?.workspace === workspace && whatIsHere(workspace) === before);
    });
    this.#holding.set(id, cancel);
  }

  /** A crash between the word and the copy's going does it again. */
  async #close(workspace: SharedWorkspace, word: Node): Promise<void> {
    const { id } = workspace;
    const name = workspace.roster.name;
    const { kind } = word.delta;
    const account = workspace.replica.people.accountOf(word.delta.device);
    const isOwn = account === this.#hub.identity.account;
    const isInVain = isOnSponsor(workspace, word);
    const howInVain = OVERTAKES.has(kind) ? 'overtaken' : 'letInVain';
    const how = isInVain ? howInVain : (HOW_BY_KIND[kind] ?? (isOwn ? 'device' : 'removed'));
    const by = account === undefined ? '' : workspace.nameOf(account);
    const at = Math.min(word.delta.time, this.#hub.clock.now());
    const beyond = isLeaving(workspace, word) ? [] : unsentBeyond(workspace, word);
    // What has no content is of use to who comes back alone.
    const unsent = beyond.filter(({ deed }) => how === 'dropped' || !deed);
    workspace.isGoing = true;
    await workspace.handOver();
    const isClosed = await this.#turns.run(id, () => this.#keep(workspace, word, { how, by, at }, unsent));
    if (!isClosed) return this.#hub.emit({ type: 'workspaces' });
    // Some may have taken of his feed what others never will: let in again he begins another. It goes to disk with the erasing.
    if (isInVain) this.#hub.onlyCopy.beginFeed(workspace, false);
    await this.#erase(workspace);
    const code = how === 'device' ? 'deviceRemoved' : how;
    if (code !== 'left') this.#hub.emit({ type: 'notice', code, workspace: id, detail: { name, member: by } });
    this.#hub.emit({ type: 'workspaces' });
  }

  /** Answers whether it is closed: whoever is let in again meanwhile is in this copy, and whoever comes back by a join is in by it now. */
  async #keep(workspace: SharedWorkspace, word: Node, about: About, unsent: readonly Work[]): Promise<boolean> {
    const { id } = workspace;
    const before = this.#closed.get(id);
    const closed = await ClosedWorkspace.close(this.#hub, workspace, about, unsent, before);
    const isDropped = about.how === 'dropped';
    // Who comes back from a drop begins anew in any case: of his feed nobody takes anything more.
    if (isDropped) this.#beginAnew(workspace);
    if (!isOnSponsor(workspace, word)) this.#options.farewells.keep(workspace, word);
    await this.#hub.commit([]);
    if (!isDropped && !workspace.expulsion) {
      workspace.isGoing = false;
      await closed.undo(before);
      this.#options.farewells.forget(id);
      await this.#hub.commit([]);
      return false;
    }
    this.#closed.set(id, closed);
    return true;
  }

  // ---- deleted for all --------------------------------------------------------------------------------------------------

  #letGoDeleted(id: WorkspaceId): void {
    const workspace = this.#workspaces.get(id)?.workspace;
    if (!workspace || !this.#offList.has(workspace) || !this.#isHeard(workspace)) return;
    if (this.#closing.has(id) || this.#again.has(id) || this.#options.calls.ended) return;
    this.#begin(workspace, () => this.#eraseDeleted(workspace));
  }

  /**
   * The device that has deleted it tells the others: it waits for all of them or their relays, as who has left does. Any other waits for one that has
   * all of its own: that hands it on.
   */
  #isHeard(workspace: SharedWorkspace): boolean {
    const word = workspace.roster.deleted;
    if (!word || !workspace.replica.isDurable(word)) return false;
    return workspace.isHandedOn || (word.delta.device !== workspace.device && workspace.isWithAnother);
  }

  /** That it is off the list is on the disk till nothing of it is: a crash in between does it again. */
  async #eraseDeleted(workspace: SharedWorkspace): Promise<void> {
    await workspace.handOver();
    await this.#hub.commit([]);
    await this.#erase(workspace);
    this.#offList.drop(workspace.id);
    await this.#hub.commit([]);
  }

  // ---- erasing ----------------------------------------------------------------------------------------------------------

  /** Whom to ask, and another feed, are on disk before the copy goes. */
  #beginAnew(workspace: SharedWorkspace): void {
    this.#options.returning.remember(workspace);
    this.#hub.onlyCopy.beginFeed(workspace, false);
  }

  async #erase(workspace: SharedWorkspace): Promise<void> {
    this.#options.joins.letGo(workspace);
    await this.#eraseAll(workspace);
    // A join that was begun meanwhile has waited for this.
    this.#options.joins.ask();
  }

  /** The first copy will never be whole. Who was asked for it anew without an invitation is asked no more where nothing else waits for it. */
  async giveUp(workspace: SharedWorkspace): Promise<void> {
    if (!this.#closed.has(workspace.id)) this.#options.returning.forget(workspace.id);
    this.#workspaces.letGo(workspace);
    await this.#options.calls.hold(this.#eraseAll(workspace));
    this.#hub.emit({ type: 'workspaces' });
  }

  /** While a copy is being erased: another in its place would lose its keys, chunks and rows with it. Resolves when it could begin. */
  erasing(id: WorkspaceId): Promise<void> | undefined {
    return this.#erasing.get(id);
  }

  async #eraseAll(workspace: SharedWorkspace): Promise<void> {
    workspace.close();
    const others = [...this.#workspaces].map((hosted) => hosted.workspace).filter((one) => one !== workspace);
    const erasing = eraseCopy(this.#hub, workspace, others, () => {
      if (this.#workspaces.get(workspace.id)?.workspace === workspace) this.#workspaces.letGo(workspace);
      this.#hub.emit({ type: 'workspaces' });
    }).finally(() => this.#erasing.delete(workspace.id));
    this.#erasing.set(
      workspace.id,
      erasing.catch(() => undefined),
    );
    await erasing;
    // Two generations are kept on the disk: after the second nothing of it is left.
    await this.#hub.commit([]);
    await this.#options.compact();
    await this.#options.compact();
    this.#hub.changed();
  }
}

/** Of a leave that has come into the copy itself. */
function isLeaving({ replica }: SharedWorkspace, { delta }: Node): boolean {
  return delta.kind === 'leave' && replica.node(delta.id) !== undefined;
}

/** Of whoever has let this device in, who was out himself: it names nobody else. */
function isOnSponsor({ engine }: SharedWorkspace, word: Node): boolean {
  return word === engine.wordOnSponsor;
}

function whatIsHere({ replica, engine }: SharedWorkspace): string {
  return [replica.arrivals, engine.basePartsHere?.here].join();
}
