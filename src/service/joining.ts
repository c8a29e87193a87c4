/** The joiner's side (N2, N4): asking with an invitation until there is an answer, then taking the first copy. Survives a restart. */
import type { DeltaId, FeedId, WorkspaceId } from '../base/ids.ts';
import { asArray, asCount, asText, type Value } from '../protocol/codec.ts';
import { readControl, Role } from '../sync/control.ts';
import { readDelta, type DeltaPlace } from '../sync/delta.ts';
import { MAX_BASE_PART_BYTES } from '../protocol/limits.ts';
import type { SealKey } from '../sync/envelope.ts';
import { capabilityOf, openEpoch, type Epoch } from '../sync/epoch.ts';
import { invitationKeys, joinSubject, readInvitation, type Invitation } from '../sync/invitation.ts';
import { DeclineReason, type Message } from '../sync/messages.ts';
import type { Route } from '../sync/ports.ts';
import type { JoinInfo } from './api.ts';
import { Asking } from './asking.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** A delta's share of the progress shown, beside chunks in their true size. */
const DELTA_BYTES = 400;

const REASONS: Readonly<Record<DeclineReason, NonNullable<JoinInfo['reason']>>> = {
  [DeclineReason.declined]: 'declined',
  [DeclineReason.expired]: 'expired',
  [DeclineReason.revoked]: 'revoked',
  [DeclineReason.used]: 'used',
  [DeclineReason.unknown]: 'unknown',
  [DeclineReason.workspaceFull]: 'workspaceFull',
};

export class Joining {
  readonly invitation: Invitation;
  readonly #hub: Hub;
  readonly #seal: SealKey;
  readonly #asking: Asking;
  #state: JoinInfo['state'] = 'asking';
  #reason: JoinInfo['reason'] | undefined;
  #total = 0;
  #entrance: DeltaPlace | undefined;
  #chunkBytes = 0;
  #baseBytes = 0;
  #workspace: SharedWorkspace | undefined;

  constructor(hub: Hub, invitation: Invitation) {
    this.#hub = hub;
    this.invitation = invitation;
    const { signingSeed, seal } = invitationKeys(hub.crypto, invitation.secret);
    this.#seal = seal;
    this.#asking = new Asking({
      hub,
      seal,
      routes: invitation.routes,
      name: () => hub.displayName(),
      sign: (certificate) =>
        hub.crypto.sign(signingSeed, joinSubject(invitation.workspace, invitation.invite, certificate)),
      onAsked: () => {
        if (this.#state === 'asking') this.#become('waiting');
      },
    });
  }

  /** Into a workspace that another device of this person is in: no invitation, and nothing to ask. */
  static letIn(hub: Hub, { workspace, name }: Message & { kind: 'workspace' }, sponsor: Route): Joining {
    return new Joining(hub, {
      ...{ workspace, workspaceName: name, inviterName: hub.displayName(), inviter: hub.identity.account },
      ...{ invite: workspace as string as DeltaId, role: Role.guest, expires: 0, secret: hub.crypto.randomBytes(32) },
      routes: [sponsor],
    });
  }

  /** What a restart goes on with. */
  static read(hub: Hub, value: unknown): Joining | undefined {
    const f = asArray(value as never, 2, 4);
    const [text, total] = [asText(f?.[0], 16_384), asCount(f?.[1])];
    const invitation = text === undefined ? undefined : readInvitation(hub.crypto, text);
    if (!invitation?.ok) return undefined;
    const joining = new Joining(hub, invitation.value);
    joining.#total = total ?? 0;
    joining.#entrance = readPlace(f?.[3]);
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

  /** The addDevice that let this device in: it may have been in before, and nothing is written before this one is in the copy (I4, L7). */
  get entrance(): DeltaPlace | undefined {
    return this.#entrance;
  }

  get total(): number {
    return this.#total;
  }

  get routes(): readonly Route[] {
    return this.#workspace || this.#state === 'refused' ? [] : this.invitation.routes;
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
    if (this.ended || this.#workspace) this.#asking.stop();
    else this.#asking.ask();
  }

  // ---- answers ----------------------------------------------------------------------------------------------------------

  declined(reason: DeclineReason): void {
    if (this.#workspace) return;
    this.#reason = REASONS[reason];
    this.#become('refused');
    this.stop();
  }

  /** The epoch of the first copy, where the welcome holds our box for the workspace of the link. */
  welcomed(message: Pick<Message & { kind: 'welcome' }, 'admit' | 'total'>): Epoch | undefined {
    const { crypto, identity } = this.#hub;
    const delta = readDelta(crypto, this.workspace, message.admit);
    const control = delta.ok ? readControl(crypto, delta.value) : undefined;
    if (!delta.ok || (control?.kind !== 'admit' && control?.kind !== 'addDevice')) return undefined;
    if (control.account !== identity.account) return undefined;
    this.#total = message.total;
    if (control.kind === 'addDevice') this.#entrance = delta.value;
    return openEpoch(crypto, control.epoch, identity.device, identity.agreementSecret);
  }

  /** Whether the first copy is this one. */
  isInto(workspace: SharedWorkspace): boolean {
    return this.#workspace === workspace;
  }

  copying(workspace: SharedWorkspace): void {
    this.#asking.stop();
    this.#workspace = workspace;
    this.#become('copying');
  }

  /** Something of the copy has come. Answers whether all of it is here. */
  progressed(): boolean {
    const workspace = this.#workspace;
    if (!workspace || this.ended) return false;
    this.#progress();
    // Who let us in said so after all that was there: the word of it comes in when its whole past is here. Where this device was in before, what
    // lets it in again may come last: a restart in between is to wait for it, too (I4, L7).
    const isIn = workspace.roster.devices.has(this.#hub.identity.device);
    if (isIn && !workspace.engine.isOutside && workspace.lackingChunks === 0) this.#become('done');
    else this.#hub.emit({ type: 'join', join: this.info() });
    return this.#state === 'done';
  }

  stop(): void {
    this.#asking.stop();
  }

  #become(state: JoinInfo['state']): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#hub.emit({ type: 'join', join: this.info() });
  }
}

function readPlace(value: Value | undefined): DeltaPlace | undefined {
  const f = asArray(value, 3);
  const [id, feed, seq] = [asText(f?.[0], 64), asText(f?.[1], 80), asCount(f?.[2])];
  return id && feed && seq ? { id: id as DeltaId, feed: feed as FeedId, seq } : undefined;
}
