/**
 * The workspaces that this device is coming into (N2, N4, I4): by an invitation, or let in by another device of its person. Each goes on
 * after a restart until the copy is whole. Kept in local state: `join/<workspace>` = [invitation text, deltas of the copy, [[id, feed, seq] of each word
 * that has let this device in …], [certificate of each that has said so …]].
 */
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import { readCertificate, type Certificate } from '../protocol/certificate.ts';
import { asArray, asText } from '../protocol/codec.ts';
import type { Epoch } from '../sync/epoch.ts';
import { writeInvitation, type Invitation } from '../sync/invitation.ts';
import type { Node } from '../sync/graph.ts';
import type { DeclineReason, Message } from '../sync/messages.ts';
import type { JoinInfo } from './api.ts';
import type { Hub } from './hub.ts';
import { Joining } from './joining.ts';
import type { KnownDevice, WorkspaceWord } from './own-devices.ts';
import { EMPTY_LOG } from './records.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import type { Workspaces } from './workspaces.ts';

const MAX_INVITATION_CHARACTERS = 16_384;

export interface JoinsOptions {
  readonly hub: Hub;
  readonly workspaces: Workspaces;
  /** The relay that an invitation brings, where there is none yet. */
  useRelay(relay: string): void;
  /** The copy of a workspace is here, and this device is in it. */
  whole(workspace: WorkspaceId): void;
  /** No invitation is there to ask with, and the copy does not come. */
  readonly askElsewhere: (joining: Joining) => void;
  /** It will not come any more: what is here of it goes. */
  erase(workspace: SharedWorkspace): Promise<void>;
  /** While a copy goes: another begins in its place when this has resolved. */
  erasing(workspace: WorkspaceId): Promise<void> | undefined;
  /** Routes, keys and capabilities are to follow at once: what is sent next needs them. */
  apply(): void;
}

export class Joins {
  readonly #options: JoinsOptions;
  readonly #hub: Hub;
  readonly #workspaces: Workspaces;
  readonly #joins = new Map<WorkspaceId, Joining>();
  /** By copies that are to go: how this device has been let in since. It comes in when they have gone, and is told so again. */
  readonly #letInAnew = new Map<SharedWorkspace, Joining>();

  constructor(options: JoinsOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#workspaces = options.workspaces;
  }

  // ---- which there are --------------------------------------------------------------------------------------------------

  get size(): number {
    return this.#joins.size;
  }

  [Symbol.iterator](): IterableIterator<Joining> {
    return this.#joins.values();
  }

  has(id: WorkspaceId): boolean {
    return this.#joins.has(id);
  }

  /** Whether a copy is on its way (`Joining.isComingInto`), and the word that takes this device out of it is no news. */
  isComingInto(workspace: SharedWorkspace, word: Node): boolean {
    return this.#joins.get(workspace.id)?.isComingInto(workspace, word) === true;
  }

  /** Whether this device is out of the copy, and has been told that it is in by a word that is not in it. */
  isLetInAnew(workspace: SharedWorkspace): boolean {
    const { entrances = [] } = this.#letInAnew.get(workspace) ?? {};
    return entrances.some(({ id }) => !workspace.replica.node(id));
  }

  /** The copy that this person is out of is to go first; not one that is on its way, which does not go by such a word (`isComingInto`). */
  #mustGoFirst(workspace: SharedWorkspace, joining: Joining): boolean {
    if (!workspace.expulsion || workspace.engine.isOutside) return false;
    this.#letInAnew.set(workspace, joining);
    this.#hub.toGo(workspace.id);
    return true;
  }

  // ---- beginning --------------------------------------------------------------------------------------------------------

  /** Those that were under way when the service was last open. */
  restore(): void {
    for (const [id, value] of this.#hub.local.under('join/')) this.#resume(id as WorkspaceId, value);
  }

  #resume(id: WorkspaceId, value: unknown): void {
    const joining = Joining.read(this.#hub, value, this.#options.askElsewhere);
    if (!joining) return this.#hub.local.drop(`join/${id}`);
    this.#joins.set(id, joining);
    // Nobody has said yet that this device is in: what is here of the workspace, if anything, is a copy from before, and goes without the join.
    if (joining.entrances.length === 0) return;
    const hosted = this.#workspaces.get(id) ?? this.#workspaces.host(id, EMPTY_LOG);
    joining.goOn(hosted.workspace);
    hosted.workspace.sponsored(joining.sponsors, joining.entrances);
  }

  /** `text` is what the invitation was read from. */
  async accept(invitation: Invitation, text: string): Promise<JoinInfo> {
    const { workspace } = invitation;
    this.#joins.get(workspace)?.stop();
    const joining = new Joining(this.#hub, invitation, this.#options.askElsewhere);
    this.#joins.set(workspace, joining);
    const relay = invitation.routes.find((route) => route.relay !== undefined)?.relay;
    if (this.#hub.relay() === undefined && relay !== undefined) this.#options.useRelay(relay);
    this.#hub.local.put(`join/${workspace}`, [invitationText(text), 0]);
    await this.#hub.commit([]);
    this.#options.apply();
    joining.ask();
    return joining.info();
  }

  /**
   * Another device of this person has let this one in (I4), or a member one that was dropped (L7): as a join that was answered before it
   * was asked. Answers whether this device is in, or on its way. Where a copy that it was let in for does not come, another word may help.
   */
  async entered(word: WorkspaceWord, { certificate, route }: KnownDevice): Promise<boolean> {
    const { workspace: id } = word;
    const known = this.#workspaces.get(id)?.workspace;
    const before = this.#joins.get(id);
    if (before ? !before.mayBeLetInAnew : known?.roster.devices.has(this.#hub.identity.device)) return true;
    const joining = Joining.letIn(this.#hub, word, route, this.#options.askElsewhere);
    const epoch = joining.welcomed(word);
    // It is said again.
    if (!epoch || (known && this.#mustGoFirst(known, joining))) return false;
    before?.stop();
    joining.vouchedBy(before?.vouchers ?? []);
    this.#joins.set(id, joining);
    // Its person has a name there already.
    this.#hub.local.put(`said/${id}`, this.#hub.displayName());
    await this.#copy(joining, epoch, certificate, writeInvitation(this.#hub.crypto, joining.invitation));
    return true;
  }

  // ---- on the way -------------------------------------------------------------------------------------------------------

  /** Each that has no answer yet asks; of a device, those that it could answer. */
  ask(device?: DeviceId): void {
    for (const joining of this)
      if (device === undefined || joining.routes.some((route) => route.device === device)) joining.ask();
  }

  async answered(id: WorkspaceId, from: DeviceId, message: Message): Promise<void> {
    const joining = this.#joins.get(id);
    if (!joining?.invitation.routes.some((route) => route.device === from)) return;
    if (message.kind === 'declined') {
      if (joining.declined(from, message.reason)) await this.#over(joining);
      return;
    }
    if (message.kind === 'askAnew') return joining.askAfter(message.since);
    // Of a copy that comes nothing is to be said again.
    const isCopying = joining.isInto(this.#workspaces.get(id)?.workspace) && !joining.isStalled;
    if (message.kind !== 'welcome' || (isCopying && joining.isVouchedBy(from))) return;
    const certificate = readCertificate(this.#hub.crypto, message.certificate);
    const epoch = certificate.ok && certificate.value.device === from ? joining.welcomed(message) : undefined;
    if (certificate.ok && epoch) await this.#copy(joining, epoch, certificate.value, this.#textOf(id) ?? '');
  }

  /** The same of who was asked without an invitation. Answers whether the join, where there is one, is over by that. */
  async declinedElsewhere(id: WorkspaceId, from: DeviceId, reason: DeclineReason, isLast: boolean): Promise<boolean> {
    const joining = this.#joins.get(id);
    if (!joining) return true;
    if (!joining.isLetIn || !joining.declined(from, reason, isLast)) return false;
    await this.#over(joining);
    return true;
  }

  /** What was here of the copy goes, and last what a restart would go on with. */
  async #over(joining: Joining): Promise<void> {
    const { workspace: id } = joining;
    const copy = this.#workspaces.get(id)?.workspace;
    if (joining.hasBegun(copy)) {
      await this.#options.erase(copy);
      if (this.#joins.get(id) === joining) this.#joins.delete(id);
    }
    if (!this.#joins.has(id) || this.#joins.get(id) === joining) {
      this.#hub.local.drop(`join/${id}`);
      if (joining.isLetIn) this.#hub.local.drop(`said/${id}`);
    }
    await this.#hub.commit([]);
    joining.tell();
    this.#hub.changed();
  }

  async #copy(joining: Joining, epoch: Epoch, sponsor: Certificate, text: string): Promise<void> {
    const { workspace: id } = joining;
    // Not where there is nothing to wait for: what comes right behind is to find whose copy it is of.
    const erasing = this.#options.erasing(id);
    if (erasing) await erasing;
    if (erasing && (this.#stopped || joining.ended || this.#joins.get(id) !== joining)) return;
    const { workspace } = this.#workspaces.get(id) ?? this.#workspaces.host(id, EMPTY_LOG);
    // He asks again.
    if (this.#mustGoFirst(workspace, joining)) return;
    this.#makeReady(workspace);
    workspace.keyring.remember([epoch]);
    joining.copying(workspace, sponsor);
    const { entrances, total, vouchers } = joining;
    const places = entrances.map((word) => [word.id, word.feed, word.seq]);
    this.#hub.local.put(`join/${id}`, [text, total, places, vouchers.map(({ bytes }) => bytes)]);
    this.#options.apply();
    workspace.sponsored(joining.sponsors, joining.entrances);
    // Not before: the first of the copy may be right behind the welcome, and finds nobody who takes it until the sponsor is known.
    await this.#hub.commit([]);
    this.#hub.emit({ type: 'workspaces' });
  }

  /** D2, L6: a copy from before may have been written on by who knew nobody else: in that feed it would take no base. */
  #makeReady(workspace: SharedWorkspace): void {
    if (workspace.awaitsWord && workspace.generations.includes(workspace.generation))
      this.#hub.onlyCopy.beginFeed(workspace, true);
  }

  #textOf(id: WorkspaceId): string | undefined {
    return asText(asArray(this.#hub.local.get(`join/${id}`), 2, 4)?.[0], MAX_INVITATION_CHARACTERS);
  }

  /** Something has come. Those whose copy is whole are none any more. */
  progressed(): void {
    for (const [id, joining] of this.#joins) {
      if (!joining.progressed()) continue;
      this.#joins.delete(id);
      this.#hub.local.drop(`join/${id}`);
      void this.#hub.commit([]).catch(() => undefined);
      void this.#workspaces.announce();
      this.#hub.changed();
      this.#options.whole(id);
    }
  }

  // ---- ending -----------------------------------------------------------------------------------------------------------

  /**
   * Its person wants it no more: what is here of the copy goes, and last what a restart would go on with. Where this device is in, and only content is
   * awaited, nothing goes, since he may have written.
   */
  async cancel(id: WorkspaceId): Promise<void> {
    const joining = this.#joins.get(id);
    if (!joining) return;
    joining.giveUp();
    const copy = this.#workspaces.get(id)?.workspace;
    if (joining.isOnlyComing(copy)) await this.#options.erase(copy);
    if (this.#joins.get(id) === joining) this.#forget(id);
    await this.#hub.commit([]);
    this.#hub.changed();
  }

  /** A copy that goes takes with it the join that it came by, and not one that was begun since. */
  letGo(workspace: SharedWorkspace): void {
    this.#letInAnew.delete(workspace);
    if (this.#joins.get(workspace.id)?.isInto(workspace)) this.#forget(workspace.id);
  }

  /** Its place in local state goes with the next commit. */
  #forget(id: WorkspaceId): void {
    const joining = this.#joins.get(id);
    this.#joins.delete(id);
    this.#hub.local.drop(`join/${id}`);
    joining?.giveUp();
  }

  #stopped = false;

  stop(): void {
    this.#stopped = true;
    for (const joining of this) joining.stop();
  }
}

/** The part of a link or file that is the invitation: all that is worth keeping. */
function invitationText(text: string): string {
  return text.split(/[\s#?&=]+/).find((part) => /^[A-Za-z0-9_-]{64,}$/.test(part)) ?? text;
}
