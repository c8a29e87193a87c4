/**
 * The joiner's side (N2, N4): asking with an invitation until there is an answer, then taking the first copy. Survives a restart. Where nothing
 * of the copy comes he asks again: he may have been taken out before it had come, and holds nothing that could tell him.
 */
import type { DeltaId, DeviceId, FeedId, WorkspaceId } from '../base/ids.ts';
import { isRecent } from '../base/recent.ts';
import { MAX_CERTIFICATE_BYTES, readCertificate, type Certificate } from '../protocol/certificate.ts';
import { asArray, asBytes, asCount, asList, asText, type Value } from '../protocol/codec.ts';
import { readControl, Role } from '../sync/control.ts';
import { readDelta, type DeltaPlace } from '../sync/delta.ts';
import { MAX_BASE_PART_BYTES, MAX_VOUCHERS } from '../protocol/limits.ts';
import type { SealKey } from '../sync/envelope.ts';
import { capabilityOf, openEpoch, type Epoch } from '../sync/epoch.ts';
import { invitationKeys, joinSubject, readInvitation, type Invitation } from '../sync/invitation.ts';
import { DeclineReason, type Message } from '../sync/messages.ts';
import type { Node } from '../sync/graph.ts';
import type { Route } from '../sync/ports.ts';
import { Since } from '../sync/since.ts';
import type { JoinInfo, JoinReason } from './api.ts';
import { Asking } from './asking.ts';
import type { Hub } from './hub.ts';
import type { KnownDevice } from './own-devices.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** A delta's share of the progress shown, beside chunks in their true size. */
const DELTA_BYTES = 400;
/** Nothing of a copy has come for so long: it may be that nothing will. */
const STALLED_MS = 60_000;

const REASONS: Readonly<Record<DeclineReason, JoinReason>> = {
  [DeclineReason.declined]: 'declined',
  [DeclineReason.expired]: 'expired',
  [DeclineReason.revoked]: 'revoked',
  [DeclineReason.used]: 'used',
  [DeclineReason.unknown]: 'unknown',
  [DeclineReason.workspaceFull]: 'workspaceFull',
  [DeclineReason.takenOut]: 'takenOut',
};

export class Joining {
  readonly invitation: Invitation;
  readonly #hub: Hub;
  readonly #seal: SealKey;
  readonly #askElsewhere: (joining: Joining) => void;
  readonly #signingSeed: Uint8Array;
  #asking: Asking;
  readonly #since = new Since();
  #state: JoinInfo['state'] = 'asking';
  #reason: JoinReason | undefined;
  #total = 0;
  readonly #entrances = new Map<DeltaId, DeltaPlace>();
  #chunkBytes = 0;
  #baseBytes = 0;
  #workspace: SharedWorkspace | undefined;
  /** What of the copy is here, to be compared. */
  #here = '';
  /** When something of it has come last; undefined: not since the start. */
  #movedAt: number | undefined;
  #cancelWatch: (() => void) | undefined;
  /** Who has said that this device is in, each of whom may give the copy, … */
  readonly #vouchers = new Map<DeviceId, Certificate>();
  /** … and who has said since something has come last that it is not. */
  readonly #deniers = new Set<DeviceId>();

  /** `askElsewhere`: where no invitation is to be asked with. */
  constructor(hub: Hub, invitation: Invitation, askElsewhere: (joining: Joining) => void) {
    this.#hub = hub;
    this.invitation = invitation;
    this.#askElsewhere = askElsewhere;
    const { signingSeed, seal } = invitationKeys(hub.crypto, invitation.secret);
    this.#seal = seal;
    this.#signingSeed = signingSeed;
    this.#asking = this.#makeAsking();
  }

  #makeAsking(): Asking {
    const { crypto } = this.#hub;
    const { workspace, invite, routes } = this.invitation;
    return new Asking({
      ...{ hub: this.#hub, seal: this.#seal, routes },
      name: () => this.#hub.displayName(),
      since: () => this.#since.words,
      sign: (certificate, since) => crypto.sign(this.#signingSeed, joinSubject(workspace, invite, since, certificate)),
      onAsked: () => {
        if (this.#state === 'asking' && !this.#workspace) this.#become('waiting');
      },
    });
  }

  /** Into a workspace that another device of this person is in: no invitation, and nothing to ask. */
  static letIn(
    hub: Hub,
    { workspace, name }: Message & { kind: 'workspace' },
    sponsor: Route,
    askElsewhere: (joining: Joining) => void,
  ): Joining {
    const invitation: Invitation = {
      ...{ workspace, workspaceName: name, inviterName: hub.displayName(), inviter: hub.identity.account },
      ...{ invite: workspace as string as DeltaId, role: Role.guest, expires: 0, secret: hub.crypto.randomBytes(32) },
      routes: [sponsor],
    };
    return new Joining(hub, invitation, askElsewhere);
  }

  get isLetIn(): boolean {
    return (this.invitation.invite as string) === this.workspace;
  }

  /** What a restart goes on with. */
  static read(hub: Hub, value: unknown, askElsewhere: (joining: Joining) => void): Joining | undefined {
    const f = asArray(value as never, 2, 4);
    const [text, total] = [asText(f?.[0], 16_384), asCount(f?.[1])];
    const invitation = text === undefined ? undefined : readInvitation(hub.crypto, text);
    if (!invitation?.ok) return undefined;
    const joining = new Joining(hub, invitation.value, askElsewhere);
    joining.#total = total ?? 0;
    for (const place of asList(f?.[2] ?? [], MAX_VOUCHERS, readPlace) ?? []) joining.#letInBy(place);
    const certificates = f?.[3] === undefined ? [] : asList(f[3], MAX_VOUCHERS, (one) => readVoucher(hub, one));
    joining.vouchedBy(certificates ?? []);
    return joining;
  }

  get workspace(): WorkspaceId {
    return this.invitation.workspace;
  }

  get sealKey(): SealKey {
    return this.#seal;
  }

  /** The welcome comes with this capability (R4). */
  get capability(): Uint8Array {
    return capabilityOf(this.#hub.crypto, this.#seal.key, this.#hub.identity.device);
  }

  /**
   * The words that have let this device in: it may have been in before, and have been taken out, and nothing is written before one of these is in the
   * copy (I4, L7), nor believed that it is out.
   */
  get entrances(): readonly DeltaPlace[] {
    return [...this.#entrances.values()];
  }

  #letInBy({ id, feed, seq }: DeltaPlace): void {
    if (this.#entrances.size < MAX_VOUCHERS) this.#entrances.set(id, { id, feed, seq });
  }

  get total(): number {
    return this.#total;
  }

  get routes(): readonly Route[] {
    return this.ended || this.#isIn ? [] : this.invitation.routes;
  }

  get ended(): boolean {
    return this.#state === 'done' || this.#state === 'refused' || this.#state === 'failed';
  }

  info(): JoinInfo {
    const done = this.#progress();
    return {
      workspace: this.workspace,
      workspaceName: this.invitation.workspaceName,
      // Nobody invites himself.
      own: this.invitation.inviter === this.#hub.identity.account,
      state: this.#state,
      doneBytes: done,
      totalBytes: Math.max(done, this.#baseBytes + this.#total * DELTA_BYTES + this.#chunkBytes),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    };
  }

  #progress(): number {
    if (!this.#workspace) return 0;
    const { replica, exchange, engine } = this.#workspace;
    this.#chunkBytes = Math.max(this.#chunkBytes, exchange.lackingBytes);
    const { here = 0, all = 0 } = engine.basePartsHere ?? {};
    this.#baseBytes = Math.max(this.#baseBytes, all * MAX_BASE_PART_BYTES);
    const base = all > 0 ? here * MAX_BASE_PART_BYTES : this.#baseBytes;
    return base + Math.min(replica.size, this.#total) * DELTA_BYTES + this.#chunkBytes - exchange.lackingBytes;
  }

  // ---- asking -----------------------------------------------------------------------------------------------------------

  ask(): void {
    if (this.ended) this.stop();
    else if (!this.#workspace) this.#asking.ask();
    else if (this.isStalled) this.#askAgain();
  }

  #askAgain(): void {
    if (this.isLetIn) this.#askElsewhere(this);
    else this.#asking.ask();
  }

  /** Somebody who may answer knows this device to be out by these words, and its asking to be from before them, for all that it says. */
  askAfter(words: readonly DeltaId[]): void {
    if (this.ended || !this.#since.add(words)) return;
    if (!this.#workspace || this.isStalled) this.#asking.askAnew();
  }

  /** Nothing of the copy comes: it is asked again whether this device is in. */
  get isStalled(): boolean {
    if (!this.#workspace || this.ended || this.#isIn) return false;
    return this.#movedAt === undefined || !isRecent(this.#movedAt, STALLED_MS, this.#hub.clock.now());
  }

  // ---- answers ----------------------------------------------------------------------------------------------------------

  /**
   * Somebody who may answer says that this device is not in, for what reason; `isLast`: all others who may have said so. Answers whether the
   * join is over by that: of a copy that comes it is not.
   */
  declined(from: DeviceId, reason: DeclineReason, isLast = false): boolean {
    if (this.ended || (this.#workspace && !this.#isBelieved(from, reason, isLast))) return false;
    this.#reason = this.#reasonOf(reason);
    this.#state = 'refused';
    this.stop();
    return true;
  }

  #reasonOf(reason: DeclineReason): JoinReason {
    return this.#workspace && this.isLetIn ? 'deviceTakenOut' : REASONS[reason];
  }

  /**
   * Each who has said that this device is in may take that back. Another may not have heard of it yet, or be out himself: of him it is believed
   * that it was taken out once the invitation has expired, and none of the others has told anything in that time.
   */
  #isBelieved(from: DeviceId, reason: DeclineReason, isLast: boolean): boolean {
    if (!this.isStalled) return false;
    if (isLast) return true;
    if (reason === DeclineReason.unknown) return false; // he cannot let it in: another may
    this.#deniers.add(from);
    if (this.#vouchers.size > 0 && [...this.#vouchers.keys()].every((device) => this.#deniers.has(device))) return true;
    if (this.isLetIn || reason !== DeclineReason.takenOut) return false;
    if (this.#hub.clock.now() > this.invitation.expires) return true;
    this.#reason = 'takenOut';
    this.tell();
    return false;
  }

  get vouchers(): readonly Certificate[] {
    return [...this.#vouchers.values()];
  }

  vouchedBy(certificates: Iterable<Certificate>): void {
    for (const certificate of certificates)
      if (this.#vouchers.size < MAX_VOUCHERS) this.#vouchers.set(certificate.device, certificate);
  }

  isVouchedBy(device: DeviceId): boolean {
    return this.#vouchers.has(device);
  }

  /** Of whom the copy may come: all who have said that this device is in, for one of them may have none to give. */
  get sponsors(): readonly KnownDevice[] {
    const { routes } = this.invitation;
    return this.vouchers.map((certificate) => {
      const { device } = certificate;
      const route = routes.find((one) => one.device === device) ?? { device, addresses: [], relay: undefined };
      return { certificate, route };
    });
  }

  /** The epoch of the first copy, where the welcome holds our box for the workspace of the link. */
  welcomed(message: Pick<Message & { kind: 'welcome' }, 'admit' | 'total'>): Epoch | undefined {
    const { crypto, identity } = this.#hub;
    const delta = readDelta(crypto, this.workspace, message.admit);
    const control = delta.ok ? readControl(crypto, delta.value) : undefined;
    if (!delta.ok || !control || !('certificates' in control)) return undefined;
    if (control.certificates.some(({ account }) => account !== identity.account)) return undefined;
    this.#total = message.total;
    const epoch = openEpoch(crypto, control.epoch, identity.device, identity.agreementSecret);
    if (epoch) this.#letInBy(delta.value);
    return epoch;
  }

  /** Whether the first copy is this one. */
  isInto(workspace: SharedWorkspace | undefined): boolean {
    return workspace !== undefined && this.#workspace === workspace;
  }

  /** Whether the copy has begun by this: one from before, which waits to hear what it lacks (D2), may hold what its person has written. */
  hasBegun(workspace: SharedWorkspace | undefined): workspace is SharedWorkspace {
    return this.isInto(workspace) && !workspace!.isFromBefore;
  }

  /** Whether the first copy is this one, and nothing can have been written in it here. */
  isOnlyComing(workspace: SharedWorkspace | undefined): workspace is SharedWorkspace {
    return this.hasBegun(workspace) && !this.#isIn;
  }

  /**
   * Whether the copy is this one, and what takes this device out by it is no news: none of the words that have let it in is there yet; or it was dropped, and
   * more of the copy has come just now: who lets it in again for the asking (L7) has said so right behind that.
   */
  isComingInto(workspace: SharedWorkspace, { delta }: Node): boolean {
    if (!this.isInto(workspace) || this.ended) return false;
    if (workspace.engine.isOutside) return true;
    return delta.kind === 'drop' && (!this.isStalled || this.#whatIsHere() !== this.#here);
  }

  /** Whether another word that lets this device in, or the same, may bring what does not come. */
  get mayBeLetInAnew(): boolean {
    return this.isLetIn && this.isStalled;
  }

  /** Somebody has answered that this device is in. */
  copying(workspace: SharedWorkspace, by: Certificate): void {
    this.vouchedBy([by]);
    this.goOn(workspace);
    this.#moved();
  }

  /** What is here of the copy is what was when the service was last open: it is not known whether this device is still in. */
  goOn(workspace: SharedWorkspace): void {
    this.#workspace = workspace;
    this.#here = this.#whatIsHere();
    this.#become('copying');
  }

  /** Something of the copy has come. Answers whether all of it is here. */
  progressed(): boolean {
    const workspace = this.#workspace;
    if (!workspace || this.ended) return false;
    this.#progress();
    const here = this.#whatIsHere();
    if (here !== this.#here) this.#moved();
    this.#here = here;
    // Who let us in said so after all that was there: the word of it comes in when its whole past is here. Where this device was in before, what
    // lets it in again may come last: a restart in between is to wait for it, too (I4, L7).
    // While the copy is being closed for what took the device out before, nobody can write in it; who closes it says when it stays.
    if (this.#isIn && !workspace.isGoing && !this.#isContentComing(workspace.lackingChunks)) this.#end();
    else this.tell();
    return this.#state === 'done';
  }

  /** What nobody has any more, or never had, is lacking for good: it is fetched when somebody comes who has it, as by who is long in. */
  #isContentComing(lacking: number): boolean {
    const now = this.#hub.clock.now();
    const isSame = lacking === this.#lacking?.chunks;
    // A clock that was set back says nothing of the time that has gone by.
    if (!this.#lacking || !isSame || now < this.#lacking.since) this.#lacking = { chunks: lacking, since: now };
    if (!this.#cancelWatch) this.#watch(now);
    return lacking > 0 && isRecent(this.#lacking.since, STALLED_MS, now);
  }

  #lacking: { readonly chunks: number; readonly since: number } | undefined;

  #end(): void {
    this.stop();
    this.#become('done');
  }

  get #isIn(): boolean {
    const { roster, engine, awaitsWord } = this.#workspace ?? {};
    return roster?.devices.has(this.#hub.identity.device) === true && engine?.isOutside === false && !awaitsWord;
  }

  #whatIsHere(): string {
    const { replica, exchange, engine } = this.#workspace!;
    return [replica.size, engine.basePartsHere?.here, exchange.lackingBytes].join();
  }

  /** What was said against it counts no more. */
  #moved(): void {
    this.#asking.stop();
    this.#asking = this.#makeAsking();
    this.#deniers.clear();
    this.#reason = undefined;
    this.#movedAt = this.#hub.clock.now();
    if (this.#state === 'asking') this.#state = 'copying';
    if (!this.#cancelWatch) this.#watch(this.#movedAt);
  }

  #watch(movedAt: number): void {
    this.#cancelWatch = this.#hub.clock.wakeAt(movedAt + STALLED_MS, () => {
      this.#cancelWatch = undefined;
      if (this.ended) return;
      // It is looked whether content is coming still.
      if (this.#isIn) return this.#hub.emit({ type: 'workspaces' });
      if (!this.isStalled) return this.#watch(this.#movedAt!);
      // Nothing is behind the word by which it is out, where there is one.
      if (this.#workspace?.expulsion) this.#hub.toGo(this.workspace);
      this.#become('asking');
      this.ask();
    });
  }

  stop(): void {
    this.#asking.stop();
    this.#cancelWatch?.();
    this.#cancelWatch = undefined;
  }

  /** Its person wants it no more, or is told otherwise why nothing comes of it. */
  giveUp(): void {
    this.stop();
    if (!this.ended) this.#become('failed');
  }

  /** What has become of it. */
  tell(): void {
    this.#hub.emit({ type: 'join', join: this.info() });
  }

  #become(state: JoinInfo['state']): void {
    if (this.#state === state) return;
    this.#state = state;
    this.tell();
  }
}

function readVoucher(hub: Hub, value: Value): Certificate | undefined {
  const bytes = asBytes(value, 1, MAX_CERTIFICATE_BYTES);
  const certificate = bytes && readCertificate(hub.crypto, bytes);
  return certificate?.ok ? certificate.value : undefined;
}

function readPlace(value: Value): DeltaPlace | undefined {
  const f = asArray(value, 3);
  const [id, feed, seq] = [asText(f?.[0], 64), asText(f?.[1], 80), asCount(f?.[2])];
  return id && feed && seq ? { id: id as DeltaId, feed: feed as FeedId, seq } : undefined;
}
