/** The inviter's side (N1–N5): making invitations, answering those who come with one. */
import { groupBy, inTurns } from '../base/group.ts';
import { toHex } from '../base/bytes.ts';
import type { AccountId, DeltaId, DeviceId, WorkspaceId } from '../base/ids.ts';
import { KEY_BYTES } from '../crypto/crypto.ts';
import { asArray, asBytes, asList, asText, type Value } from '../protocol/codec.ts';
import { readCertificate, type Certificate } from '../protocol/certificate.ts';
import {
  MAX_DEVICES,
  MAX_MEMBERS,
  MAX_OPEN_INVITATIONS,
  MAX_PENDING_JOINS,
  MAX_SINCE_WORDS,
} from '../protocol/limits.ts';
import { certificatesIn, controlBody, readControl, Role } from '../sync/control.ts';
import { idBytes } from '../sync/delta.ts';
import { inPast } from '../sync/lane.ts';
import {
  invitationFile,
  invitationKeys,
  invitationSeal,
  joinSubject,
  writeInvitation,
  type Invitation as InvitationContent,
} from '../sync/invitation.ts';
import { DeclineReason, senderMark, type Message } from '../sync/messages.ts';
import type { Route } from '../sync/ports.ts';
import type { DeviceRecord, InviteRecord } from '../sync/roster.ts';
import { safetyNumber } from '../sync/safety-number.ts';
import { unsaid } from '../sync/since.ts';
import { type CallKey, ServiceError, type Invitation, type JoinRequestInfo, type Role as RoleName } from './api.ts';
import type { Hub } from './hub.ts';
import type { Readmitting } from './readmitting.ts';
import { answer } from './sealed-words.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import { ROLE_NAMES } from './workspace-info.ts';

export interface InviteOptions {
  readonly role: RoleName;
  readonly expiresInMs: number;
  readonly uses: number;
  readonly confirm: boolean;
  readonly scheme: string;
}

type JoinMessage = Message & { kind: 'join' };

interface Asking {
  readonly invite: DeltaId;
  readonly certificate: Certificate;
  readonly name: string;
  readonly relay: string;
  readonly addresses: readonly string[];
  readonly since: readonly DeltaId[];
}

/** Whom an invitation is for, where it is for somebody who is known. */
function expectedKey(workspace: WorkspaceId, invite: DeltaId): string {
  return `expected/${workspace}/${invite}`;
}

export class Inviting {
  readonly #hub: Hub;
  readonly #workspace: SharedWorkspace;
  readonly #readmitting: Readmitting;

  constructor(hub: Hub, workspace: SharedWorkspace, readmitting: Readmitting) {
    this.#hub = hub;
    this.#workspace = workspace;
    this.#readmitting = readmitting;
  }

  async invite(options: InviteOptions, call?: CallKey): Promise<Invitation> {
    const { crypto, clock, identity } = this.#hub;
    const { roster, self } = this.#workspace;
    const role = ROLE_NAMES.indexOf(options.role) as Role;
    if (!self || role < self.role) throw new ServiceError('notPermitted', {});
    const own = this.open().filter(({ inviter }) => inviter === identity.account);
    if (own.length >= MAX_OPEN_INVITATIONS) throw new ServiceError('tooLarge', { what: 'invitations' });
    const secret = crypto.randomBytes(32);
    const keys = invitationKeys(crypto, secret);
    const expires = clock.now() + options.expiresInMs;
    const body = controlBody.invite(keys.publicKey, keys.seal.key, role, expires, options.uses, options.confirm);
    const node = await this.#workspace.control('invite', body, call);
    const content: InvitationContent = {
      workspace: this.#workspace.id,
      invite: node.delta.id,
      workspaceName: roster.name,
      inviterName: self.name,
      inviter: identity.account,
      role,
      expires,
      secret,
      routes: this.#routes(),
    };
    const text = writeInvitation(crypto, content);
    return { id: node.delta.id, link: `${options.scheme}://coterie.coterie/join#${text}`, file: invitationFile(text) };
  }

  /** For one account that its person has been asked about already: whoever else comes with it is asked about. */
  async inviteMember(account: AccountId, options: Omit<InviteOptions, 'uses' | 'confirm'>): Promise<Invitation> {
    const invitation = await this.invite({ ...options, uses: 1, confirm: true });
    this.#hub.local.put(expectedKey(this.#workspace.id, invitation.id as DeltaId), idBytes(account));
    await this.#hub.commit([]);
    return invitation;
  }

  #isExpected({ invite, certificate }: Asking): boolean {
    const account = asBytes(this.#hub.local.get(expectedKey(this.#workspace.id, invite)), 32);
    return account !== undefined && toHex(account) === certificate.account;
  }

  /** The secret of one that nobody was told is gone: it is good for nothing, and another takes its place. */
  async inviteAgain(untold: DeltaId, options: InviteOptions, call?: CallKey): Promise<Invitation> {
    await this.revoke(untold);
    return this.invite(options, call);
  }

  async revoke(invite: string, call?: CallKey): Promise<void> {
    if (!this.#workspace.roster.invites.has(invite as DeltaId)) throw new ServiceError('notFound', {});
    await this.#workspace.control('revoke', controlBody.revoke(invite as DeltaId), call);
  }

  /** Invitations that could still be used, as far as this device's clock knows. */
  open(): readonly InviteRecord[] {
    const now = this.#hub.clock.now();
    return [...this.#workspace.roster.invites.values()].filter(
      (invite) => !invite.revoked && invite.usesLeft > 0 && invite.expires >= now,
    );
  }

  /**
   * Invitations that somebody may yet come with, were it only to be told that they are no good: of each inviter the newest, so that who makes many keeps
   * nobody else's from being answered.
   */
  known(): readonly InviteRecord[] {
    const newest = (records: Iterable<InviteRecord>) => {
      const ofEach = [...groupBy(records, ({ inviter }) => inviter).values()];
      return inTurns(
        ofEach.map((own) => own.toReversed()),
        MAX_OPEN_INVITATIONS,
      );
    };
    return [...newest(this.#workspace.roster.invites.values()), ...newest(this.#void())];
  }

  /** Those that are void, as is whom they have let in: he holds nothing that could tell him, and is told when he asks (N4). */
  #void(): readonly InviteRecord[] {
    const { roster, replica } = this.#workspace;
    const { crypto } = this.#hub;
    const found = new Map<DeltaId, InviteRecord>();
    for (const { delta } of roster.letInVain) {
      const admit = readControl(crypto, delta);
      const node = admit?.kind === 'admit' && admit.invite ? replica.node(admit.invite) : undefined;
      const invite = node && readControl(crypto, node.delta);
      if (invite?.kind !== 'invite' || roster.invites.has(node!.delta.id)) continue;
      const { publicKey, sealKey, role, expires, confirm } = invite;
      const inviter = replica.people.accountOf(node!.delta.device);
      if (inviter === undefined) continue;
      const { id } = node!.delta;
      found.set(id, { id, inviter, publicKey, sealKey, role, expires, confirm, usesLeft: 0, revoked: true });
    }
    return [...found.values()];
  }

  #find(invite: DeltaId): InviteRecord | undefined {
    return this.#workspace.roster.invites.get(invite) ?? this.#void().find(({ id }) => id === invite);
  }

  /** Own device first, then the other managers' (N2). A joiner without a relay may use ours: its token goes along. */
  #routes(): readonly Route[] {
    const { transport, identity } = this.#hub;
    const own: Route = {
      device: identity.device,
      addresses: transport.listening.slice(0, 8),
      relay: this.#hub.relay(),
    };
    const managers = [...this.#workspace.roster.members.values()].filter((member) => member.role === Role.manager);
    const devices = new Set(managers.flatMap((member) => member.devices.map((record) => record.certificate.device)));
    return [own, ...this.#workspace.routes().filter((route) => devices.has(route.device))].slice(0, 8);
  }

  // ---- answering --------------------------------------------------------------------------------------------------------

  async asked(invite: DeltaId, sender: DeviceId, message: JoinMessage): Promise<void> {
    const certificate = readCertificate(this.#hub.crypto, message.certificate);
    const record = this.#find(invite);
    if (!certificate.ok || certificate.value.device !== sender || !record) return;
    const subject = joinSubject(this.#workspace.id, invite, message.since, message.certificate);
    if (!this.#hub.crypto.verify(record.publicKey, subject, message.signature)) return;
    const asking: Asking = {
      invite,
      certificate: certificate.value,
      name: message.name,
      relay: message.relay,
      addresses: message.addresses,
      since: message.since,
    };
    if (this.#workspace.roster.devices.has(sender)) {
      this.#workspace.peers.meet(sender, message.addresses, message.relay);
      return this.#welcome(asking);
    }
    // L7: it has not been heard since it was let in: whoever is asked lets it in again, as one that asks for its way back.
    const isDropped = this.#readmitting.isDropped(sender);
    const reason = isDropped ? undefined : this.#refusal(record, asking);
    if (reason !== undefined) return this.#decline(asking, record, reason);
    const since = this.#unsaid(asking);
    if (since.length > 0) return this.#send(asking, record, { kind: 'askAnew', since });
    if (isDropped) return this.#readmit(asking, record);
    const trusted = this.#hub.local.get(`verified/${certificate.value.account}`) === true;
    if (record.confirm && !trusted && !this.#isExpected(asking)) return this.#askPerson(asking);
    try {
      await this.#admit(asking);
    } catch (error) {
      // Nobody waits for it here: we may not invite any more, or his account is a member with another device.
      if (!(error instanceof ServiceError)) throw error;
      await this.#decline(asking, record, DeclineReason.unknown);
    }
  }

  async #readmit(asking: Asking, record: InviteRecord): Promise<void> {
    const { device } = asking.certificate;
    const { certificate } = this.#workspace.roster.goneRecords.get(device)!;
    const reason = await this.#readmitting.letIn(certificate);
    const isOut = reason === DeclineReason.revoked;
    if (reason !== undefined) return this.#decline(asking, record, isOut ? DeclineReason.takenOut : reason);
    this.#workspace.peers.meet(device, asking.addresses, asking.relay);
    await this.#welcome(asking);
  }

  /**
   * N3: expiry is checked here, by the admitting client; use and revocation by everyone. Who was let in, and is not in any more, is told that:
   * he may not know it, and comes in by no invitation that there was when he was taken out.
   */
  #refusal(record: InviteRecord, { certificate }: Asking): DeclineReason | undefined {
    if (this.#wasTakenOut(record, certificate)) return DeclineReason.takenOut;
    const reason = this.#fault(record);
    return reason !== undefined && this.#wasInVain(certificate) ? DeclineReason.takenOut : reason;
  }

  /** Who has left may come back by himself. */
  #wasTakenOut({ id }: InviteRecord, certificate: Certificate): boolean {
    const { roster, replica } = this.#workspace;
    const invite = replica.node(id);
    return this.#goneOf(certificate).some((device) => {
      const word = roster.gone.get(device);
      return invite && word && word.delta.kind !== 'leave' && inPast(invite, word);
    });
  }

  /** The device that asks, and where its person is none of us any more his others, as far as they were in. */
  #goneOf({ account, device }: Certificate): readonly DeviceId[] {
    const { goneRecords, members } = this.#workspace.roster;
    const isHis = (record: DeviceRecord) => record.certificate.account === account && !members.has(account);
    return [...goneRecords].flatMap(([other, record]) => (other === device || isHis(record) ? other : []));
  }

  /** N2: what he asks may be from before he left, and somebody else plays it again, unless he says that it is not. */
  #unsaid({ invite, certificate, since }: Asking): readonly DeltaId[] {
    const { roster, replica } = this.#workspace;
    const words = this.#goneOf(certificate).flatMap((device) => roster.wordsOut.get(device) ?? []);
    return unsaid(words, since, replica.node(invite));
  }

  #wasInVain({ device }: Certificate): boolean {
    return this.#workspace.roster.letInVain.some(({ delta }) => {
      const control = readControl(this.#hub.crypto, delta);
      return control !== undefined && certificatesIn(control).some((one) => one.device === device);
    });
  }

  #fault(record: InviteRecord): DeclineReason | undefined {
    if (record.revoked) return DeclineReason.revoked;
    if (record.usesLeft <= 0) return DeclineReason.used;
    if (record.expires < this.#hub.clock.now()) return DeclineReason.expired;
    return this.#workspace.roster.members.size >= MAX_MEMBERS ? DeclineReason.workspaceFull : undefined;
  }

  async #askPerson(asking: Asking): Promise<void> {
    const key = this.#key(asking.certificate.device);
    if (this.#asking().some(({ certificate }) => certificate.device === asking.certificate.device)) return;
    if (this.requests().length >= MAX_PENDING_JOINS) return;
    this.#tidy();
    this.#hub.local.put(key, [
      idBytes(asking.invite),
      asking.certificate.bytes,
      asking.name,
      asking.relay,
      [...asking.addresses],
      asking.since.map(idBytes),
    ]);
    await this.#hub.commit([]);
    this.#hub.emit({ type: 'joinRequest', request: this.#describe(asking) });
  }

  requests(): readonly JoinRequestInfo[] {
    return this.#asking().map((asking) => this.#describe(asking));
  }

  /** Answers false where the request is not this workspace's. */
  async answer(request: string, accept: boolean, call?: CallKey): Promise<boolean> {
    const asking = this.#asking().find((one) => this.#requestId(one) === request);
    if (!asking) return false;
    this.#hub.local.drop(this.#key(asking.certificate.device));
    const record = this.#workspace.roster.invites.get(asking.invite);
    const reason = record && this.#refusal(record, asking);
    if (record && (!accept || reason !== undefined)) {
      await this.#hub.commit([], call);
      await this.#decline(asking, record, reason ?? DeclineReason.declined);
      if (accept) throw new ServiceError(reason === DeclineReason.expired ? 'invitationExpired' : 'notPermitted', {});
      return true;
    }
    await this.#admit(asking, call);
    return true;
  }

  #asking(): readonly Asking[] {
    const found: Asking[] = [];
    for (const [, value] of this.#hub.local.under(this.#key(''))) {
      const asking = this.#readAsking(value);
      if (!asking || this.#workspace.roster.devices.has(asking.certificate.device)) continue;
      if (this.#isGood(asking.invite) && this.#unsaid(asking).length === 0) found.push(asking);
    }
    return found;
  }

  /** Else who has asked is told when he asks again, and nobody need be asked about him. */
  #isGood(invite: DeltaId): boolean {
    const record = this.#workspace.roster.invites.get(invite);
    return record !== undefined && !record.revoked && record.usesLeft > 0;
  }

  /** Of whom nobody is asked any more. */
  #tidy(): void {
    const asking = new Set(this.#asking().map(({ certificate }) => certificate.device));
    for (const [device] of [...this.#hub.local.under(this.#key(''))])
      if (!asking.has(device as DeviceId)) this.#hub.local.drop(this.#key(device));
  }

  #readAsking(value: Value): Asking | undefined {
    const f = asArray(value, 6);
    const [invite, bytes, name, relay] = [
      asBytes(f?.[0], 32),
      asBytes(f?.[1], 1, 4096),
      asText(f?.[2], 1024),
      asText(f?.[3], 1024),
    ];
    const addresses = asList(f?.[4], MAX_DEVICES, (address) => asText(address, 1024));
    const certificate = bytes && readCertificate(this.#hub.crypto, bytes);
    const since = asList(f?.[5], MAX_SINCE_WORDS, (id) => asBytes(id, KEY_BYTES));
    if (!invite || !certificate?.ok || name === undefined || relay === undefined || !addresses || !since)
      return undefined;
    const words = since.map((id) => toHex(id) as DeltaId);
    return { invite: toHex(invite) as DeltaId, certificate: certificate.value, name, relay, addresses, since: words };
  }

  #key(device: string): string {
    return `request/${this.#workspace.id}/${device}`;
  }

  #requestId(asking: Asking): string {
    return `${this.#workspace.id}.${asking.certificate.device}`;
  }

  #describe(asking: Asking): JoinRequestInfo {
    const { account } = asking.certificate;
    return {
      id: this.#requestId(asking),
      workspace: this.#workspace.id,
      name: asking.name,
      account,
      safetyNumber: safetyNumber(this.#hub.crypto, this.#hub.identity.account, account),
      role: ROLE_NAMES[this.#workspace.roster.invites.get(asking.invite)?.role ?? Role.guest]!,
    };
  }

  async #admit(asking: Asking, call?: CallKey): Promise<void> {
    const record = this.#workspace.roster.invites.get(asking.invite);
    if (!record) return;
    const { account, device, agreementKey } = asking.certificate;
    const boxes = this.#workspace.engine.keys.box([{ device, agreementKey }]);
    if (!boxes) return;
    // L6: whoever serves him what was folded by now, this device vouches for it.
    const seen = this.#workspace.engine.vouched();
    const body = controlBody.admit(account, record.role, asking.name, [asking.certificate], asking.invite, boxes, seen);
    await this.#workspace.control('admit', body, call);
    this.#workspace.peers.meet(device, asking.addresses, asking.relay);
    this.#hub.emit({ type: 'joined', workspace: this.#workspace.id, name: asking.name });
    await this.#welcome(asking);
  }

  /** The word that he is in, and his box (N4); what follows is the ordinary exchange of members. */
  async #welcome(asking: Asking): Promise<void> {
    const { roster, replica } = this.#workspace;
    const { device } = asking.certificate;
    const record = this.#find(asking.invite);
    const letIn = roster.records.get(device)?.letIn;
    // D1: who asks while it goes to disk is answered when it is there.
    if (!record || !letIn || !replica.isDurable(letIn)) return;
    const { bytes: certificate } = this.#hub.identity.certificate;
    await this.#send(asking, record, { kind: 'welcome', admit: letIn.delta.bytes, total: replica.size, certificate });
    this.#readmitting.serve(device, letIn);
  }

  #decline(asking: Asking, record: InviteRecord, reason: DeclineReason): Promise<void> {
    return this.#send(asking, record, { kind: 'declined', reason, to: senderMark(asking.certificate.device) });
  }

  /** Under the invitation's key: the joiner holds no other yet. */
  async #send(asking: Asking, record: InviteRecord, message: Message): Promise<void> {
    const { device } = asking.certificate;
    const seal = invitationSeal(this.#hub.crypto, record.sealKey);
    await answer(this.#hub, seal, { device, relay: asking.relay }, message);
  }
}
