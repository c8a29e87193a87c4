/** The joiner's side (N2, N4): asking with an invitation until there is an answer, then taking the first copy. Survives a restart. */
import type { WorkspaceId } from '../base/ids.ts';
import { asArray, asCount, asText } from '../protocol/codec.ts';
import { readControl } from '../sync/control.ts';
import { readDelta } from '../sync/delta.ts';
import { sealMessage, type SealKey } from '../sync/envelope.ts';
import { capabilityOf, openEpoch, type Epoch } from '../sync/epoch.ts';
import { invitationKeys, joinSubject, readInvitation, type Invitation } from '../sync/invitation.ts';
import { DeclineReason, encodeMessage, type Message } from '../sync/messages.ts';
import { Lane, type Route } from '../sync/ports.ts';
import type { JoinInfo } from './api.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** Direct paths open and close: a second asking costs nothing. */
const ASK_AGAIN_MS = 5_000;
/** A queue keeps what it was given. */
const RELAY_ASK_AGAIN_MS = 10 * 60_000;
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
  readonly #signature: Uint8Array;
  #state: JoinInfo['state'] = 'asking';
  #reason: JoinInfo['reason'] | undefined;
  #total = 0;
  #chunkBytes = 0;
  #relayAskedAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #workspace: SharedWorkspace | undefined;

  constructor(hub: Hub, invitation: Invitation) {
    this.#hub = hub;
    this.invitation = invitation;
    const keys = invitationKeys(hub.crypto, invitation.secret);
    this.#seal = keys.seal;
    const subject = joinSubject(invitation.workspace, invitation.invite, hub.identity.certificate.bytes);
    this.#signature = hub.crypto.sign(keys.signingSeed, subject);
  }

  /** What a restart goes on with. */
  static read(hub: Hub, value: unknown): Joining | undefined {
    const f = asArray(value as never, 2, 3);
    const [text, total] = [asText(f?.[0], 16_384), asCount(f?.[1])];
    const invitation = text === undefined ? undefined : readInvitation(hub.crypto, text);
    if (!invitation?.ok) return undefined;
    const joining = new Joining(hub, invitation.value);
    joining.#total = total ?? 0;
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
      state: this.#state,
      doneBytes: done,
      totalBytes: Math.max(done, this.#total * DELTA_BYTES + this.#chunkBytes),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    };
  }

  #progress(): number {
    if (!this.#workspace) return 0;
    const { replica, exchange } = this.#workspace;
    this.#chunkBytes = Math.max(this.#chunkBytes, exchange.lackingBytes);
    return Math.min(replica.size, this.#total) * DELTA_BYTES + this.#chunkBytes - exchange.lackingBytes;
  }

  // ---- asking -----------------------------------------------------------------------------------------------------------

  ask(): void {
    this.#cancel?.();
    if (this.ended || this.#workspace) return;
    const bytes = this.#message();
    let direct = false;
    for (const { device } of this.invitation.routes)
      direct = this.#hub.transport.send(device, bytes, Lane.control) || direct;
    if (!direct) this.#askByRelay(bytes);
    if (direct && this.#state === 'asking') this.#become('waiting');
    this.#cancel = this.#hub.clock.wakeAt(this.#hub.clock.now() + ASK_AGAIN_MS, () => this.ask());
  }

  #message(): Uint8Array {
    const { crypto, identity, transport } = this.#hub;
    const message: Message = {
      kind: 'join',
      certificate: identity.certificate.bytes,
      name: this.#hub.displayName(),
      relay: this.#hub.relay() ?? '',
      addresses: transport.listening.slice(0, 16),
      signature: this.#signature,
    };
    return sealMessage(crypto, this.#seal, encodeMessage(identity.device, message));
  }

  #askByRelay(bytes: Uint8Array): void {
    const now = this.#hub.clock.now();
    const recipients = this.invitation.routes.flatMap((route) =>
      route.relay === undefined
        ? []
        : [
            {
              device: route.device,
              relay: route.relay,
              capability: capabilityOf(this.#hub.crypto, this.#seal.key, route.device),
            },
          ],
    );
    // The answer comes to our own queue: without one connected, asking by relay is in vain.
    if (recipients.length === 0 || this.#hub.transport.relayState.state !== 'connected') return;
    if (now - this.#relayAskedAt < RELAY_ASK_AGAIN_MS) return;
    this.#relayAskedAt = now;
    this.#hub.transport
      .submit(recipients, bytes, { ephemeral: false })
      .then((outcomes) => {
        if (outcomes.includes('ok')) this.#become('waiting');
        else this.#relayAskedAt = Number.NEGATIVE_INFINITY;
      })
      .catch(() => {
        this.#relayAskedAt = Number.NEGATIVE_INFINITY;
      });
  }

  // ---- answers ----------------------------------------------------------------------------------------------------------

  declined(reason: DeclineReason): void {
    if (this.#workspace) return;
    this.#reason = REASONS[reason];
    this.#become('refused');
    this.stop();
  }

  /** The epoch of the first copy, where the welcome holds our box for the workspace of the link. */
  welcomed(message: Message & { kind: 'welcome' }): Epoch | undefined {
    const { crypto, identity } = this.#hub;
    const delta = readDelta(crypto, this.workspace, message.admit);
    const control = delta.ok ? readControl(crypto, delta.value) : undefined;
    if (control?.kind !== 'admit' || control.account !== identity.account) return undefined;
    this.#total = message.total;
    return openEpoch(crypto, control.epoch, identity.device, identity.agreementSecret);
  }

  copying(workspace: SharedWorkspace): void {
    this.#cancel?.();
    this.#workspace = workspace;
    this.#become('copying');
  }

  /** Something of the copy has come. Answers whether all of it is here. */
  progressed(): boolean {
    const workspace = this.#workspace;
    if (!workspace || this.ended) return false;
    this.#progress();
    const whole = workspace.self !== undefined && workspace.replica.size >= this.#total;
    if (whole && workspace.lackingChunks === 0) this.#become('done');
    else this.#hub.emit({ type: 'join', join: this.info() });
    return this.#state === 'done';
  }

  stop(): void {
    this.#cancel?.();
  }

  #become(state: JoinInfo['state']): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#hub.emit({ type: 'join', join: this.info() });
  }
}
