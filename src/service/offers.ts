/**
 * Workspaces that members continue elsewhere (A7) and ask this person into. One of each member and workspace, kept until it is accepted,
 * declined or expired; accepted, it is a join like any other (N2). Who declines says so to whoever asks, and says it again where he is
 * asked again, as he has not heard it then. Kept in local state: `offer/<account>.<workspace>` = [invitation text, name of the workspace, who
 * continues it, whether it was declined, whether that is on its way].
 */
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import { fromUtf8 } from '../base/utf8.ts';
import { asArray, asFlag, asText, type Value } from '../protocol/codec.ts';
import { MAX_NAME_BYTES, MAX_OFFERS, MAX_SEALED_INVITATION_BYTES } from '../protocol/limits.ts';
import { pairSeal } from '../sync/device-link.ts';
import { openMessage } from '../sync/envelope.ts';
import { readInvitation, type Invitation } from '../sync/invitation.ts';
import { safetyNumber } from '../sync/safety-number.ts';
import { ServiceError, type CallKey, type OfferInfo } from './api.ts';
import { declinedWord, readDeclined } from './continued-word.ts';
import type { Continuing } from './continuing.ts';
import type { Hub, OfferSource } from './hub.ts';
import type { Joins } from './joins.ts';
import { ROLE_NAMES } from './workspace-info.ts';
import type { Workspaces } from './workspaces.ts';

interface Offer {
  readonly id: string;
  readonly text: string;
  readonly invitation: Invitation;
  readonly name: string;
  readonly by: string;
  readonly isDeclined: boolean;
  /** That it was declined. */
  readonly isTold: boolean;
}

const PREFIX = 'offer/';

export class Offers {
  readonly #hub: Hub;
  readonly #workspaces: Workspaces;
  readonly #joins: Joins;
  readonly #continuing: Continuing;

  constructor(hub: Hub, workspaces: Workspaces, joins: Joins, continuing: Continuing) {
    this.#hub = hub;
    this.#workspaces = workspaces;
    this.#joins = joins;
    this.#continuing = continuing;
  }

  /** Said again and again until he is in: the same is heard once. Nobody asks into a workspace in another's name. */
  async came({ workspace, name, by, certificate }: OfferSource, sealed: Uint8Array): Promise<void> {
    const { crypto, identity } = this.#hub;
    const seal = pairSeal(crypto, identity, certificate);
    const opened = seal && openMessage(crypto, seal, sealed);
    const text = opened && fromUtf8(opened);
    const into = text === undefined ? undefined : readDeclined(text);
    if (into !== undefined) return this.#continuing.declined(certificate.account, workspace, into);
    const read = text === undefined ? undefined : readInvitation(crypto, text);
    if (text === undefined || !read?.ok || read.value.inviter !== certificate.account) return;
    const offer: Offer = {
      ...{ id: `${certificate.account}.${workspace}`, text, invitation: read.value, name, by },
      ...{ isDeclined: false, isTold: false },
    };
    const all = this.#all();
    const known = all.find(({ id }) => id === offer.id);
    if (known?.text === text && known.isDeclined) return this.#tellDeclined(known, certificate.device);
    if (known?.text === text || !this.#isOpen(offer) || (!known && all.length >= MAX_OFFERS)) return;
    this.#keep(offer);
    await this.#hub.commit([]);
    this.#hub.emit({ type: 'offer', offer: this.#describe(offer) });
  }

  infos(): readonly OfferInfo[] {
    return this.#all()
      .filter((offer) => !offer.isDeclined && this.#isOpen(offer))
      .map((offer) => this.#describe(offer));
  }

  /** Throws ServiceError('notFound'), 'invitationExpired' and 'alreadyMember'. */
  async answer(id: string, accept: boolean, call?: CallKey): Promise<void> {
    const offer = this.#all().find((one) => one.id === id);
    if (!offer) throw new ServiceError('notFound', {});
    if (!accept) {
      this.#keep({ ...offer, isDeclined: true, isTold: false });
    } else {
      await this.#accept(offer);
      this.#hub.local.drop(PREFIX + id);
    }
    await this.#hub.commit([], call);
    this.#hub.emit({ type: 'workspaces' });
    if (!accept) await this.retell();
  }

  /** A path is open: who asks and has not been told yet that this person does not come along is. */
  async retell(device?: DeviceId): Promise<void> {
    for (const offer of this.#all())
      if (offer.isDeclined && !offer.isTold && this.#isOpen(offer)) await this.#tellDeclined(offer, device);
  }

  /** To the devices of whoever asks; which of them does, they know. */
  async #tellDeclined(offer: Offer, only?: DeviceId): Promise<void> {
    const { inviter, workspace: into } = offer.invitation;
    const old = this.#workspaces.get(offer.id.split('.')[1] as WorkspaceId)?.workspace;
    const devices = (old?.roster.members.get(inviter)?.devices ?? []).map(({ certificate }) => certificate.device);
    let isTold = false;
    for (const device of devices.filter((one) => only === undefined || one === only))
      isTold = (await old!.tellContinued(device, declinedWord(into))) !== undefined || isTold;
    // Meanwhile it may have been accepted after all.
    const now = this.#all().find(({ id }) => id === offer.id);
    if (!isTold || !now?.isDeclined || now.isTold) return;
    this.#keep({ ...now, isTold });
    await this.#hub.commit([]);
  }

  async #accept({ invitation, text }: Offer): Promise<void> {
    // A crash in between has left the offer beside its join.
    if (this.#joins.has(invitation.workspace)) return;
    if (this.#isIn(invitation.workspace)) throw new ServiceError('alreadyMember', {});
    if (invitation.expires < this.#hub.clock.now()) throw new ServiceError('invitationExpired', {});
    await this.#joins.accept(invitation, text);
  }

  /** What has expired, or was taken on another device, goes. */
  restore(): void {
    for (const offer of this.#all()) if (!this.#isOpen(offer)) this.#hub.local.drop(PREFIX + offer.id);
  }

  #isIn(workspace: WorkspaceId): boolean {
    return this.#joins.has(workspace) || this.#workspaces.get(workspace)?.workspace.self !== undefined;
  }

  #isOpen({ invitation }: Offer): boolean {
    return invitation.expires >= this.#hub.clock.now() && !this.#isIn(invitation.workspace);
  }

  #describe({ id, invitation, name, by }: Offer): OfferInfo {
    const { workspaceName, inviter, role, expires } = invitation;
    return {
      ...{ id, name, newName: workspaceName, by, role: ROLE_NAMES[role]!, expires },
      safetyNumber: safetyNumber(this.#hub.crypto, this.#hub.identity.account, inviter),
    };
  }

  #keep({ id, text, name, by, isDeclined, isTold }: Offer): void {
    this.#hub.local.put(PREFIX + id, [text, name, by, isDeclined, isTold]);
  }

  #all(): readonly Offer[] {
    return [...this.#hub.local.under(PREFIX)].flatMap(([id, value]) => this.#read(id, value) ?? []);
  }

  #read(id: string, value: Value): Offer | undefined {
    const f = asArray(value, 5);
    const text = asText(f?.[0], MAX_SEALED_INVITATION_BYTES);
    const [name, by] = [asText(f?.[1], MAX_NAME_BYTES), asText(f?.[2], MAX_NAME_BYTES)];
    const [isDeclined, isTold] = [asFlag(f?.[3]), asFlag(f?.[4])];
    const invitation = text === undefined ? undefined : readInvitation(this.#hub.crypto, text);
    if (text === undefined || !invitation?.ok || name === undefined || by === undefined) return undefined;
    if (isDeclined === undefined || isTold === undefined) return undefined;
    return { id, text, invitation: invitation.value, name, by, isDeclined, isTold };
  }
}
