/**
 * The member's side of a return (L7, `way-back.ts`): whichever member's device is asked by one that was dropped lets it in again, as long
 * as its person is a member. Nobody is asked about it: the drop was for being away.
 */
import type { DeviceId } from '../base/ids.ts';
import { isRecent } from '../base/recent.ts';
import { readCertificate, type Certificate } from '../protocol/certificate.ts';
import { controlBody } from '../sync/control.ts';
import { idBytes } from '../sync/delta.ts';
import type { SealKey } from '../sync/envelope.ts';
import type { Node } from '../sync/graph.ts';
import { DeclineReason, senderMark, type Message } from '../sync/messages.ts';
import { unsaid } from '../sync/since.ts';
import { returnSeal, returnSubject } from '../sync/way-back.ts';
import { ServiceError } from './api.ts';
import type { Hub } from './hub.ts';
import { answer } from './sealed-words.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** All of a copy goes to a relay again. */
const SERVE_AGAIN_MS = 60_000;

type JoinMessage = Message & { kind: 'join' };

export interface ReturnLock {
  readonly device: DeviceId;
  readonly seal: SealKey;
}

export class Readmitting {
  readonly #hub: Hub;
  readonly #workspace: SharedWorkspace;
  /** A curve operation each: made once. */
  readonly #seals = new Map<DeviceId, SealKey | undefined>();
  readonly #answering = new Set<DeviceId>();
  /** By what word a device is in whose copy was brought to its relay last, and when. */
  readonly #served = new Map<DeviceId, { readonly letIn: Node; readonly at: number }>();

  constructor(hub: Hub, workspace: SharedWorkspace) {
    this.#hub = hub;
    this.#workspace = workspace;
  }

  /**
   * Of each device that was ever dropped: one that is in again already may not have heard it. And of this person's own, which have no
   * invitation to ask with where their first copy does not come (N4).
   */
  locks(): readonly ReturnLock[] {
    const { replica, roster } = this.#workspace;
    const { account } = this.#hub.identity;
    const known = [...roster.goneRecords, ...roster.records].filter(
      ([device, { certificate }]) => certificate.account === account || replica.people.wasDropped(device),
    );
    return known.flatMap(([device, { certificate }]) => {
      const seal = device === this.#workspace.device ? undefined : this.#sealOf(certificate);
      return seal ? [{ device, seal }] : [];
    });
  }

  #sealOf(certificate: Certificate): SealKey | undefined {
    const { device } = certificate;
    if (!this.#seals.has(device))
      this.#seals.set(device, returnSeal(this.#hub.crypto, this.#workspace.id, this.#hub.identity, certificate));
    return this.#seals.get(device);
  }

  async asked(from: DeviceId, message: JoinMessage): Promise<void> {
    const { crypto } = this.#hub;
    const { roster, id } = this.#workspace;
    const record = roster.goneRecords.get(from) ?? roster.records.get(from);
    const certificate = readCertificate(crypto, message.certificate);
    if (!record || !certificate.ok || certificate.value.device !== from || this.#answering.has(from)) return;
    if (!crypto.verify(idBytes(from), returnSubject(id, message.since, message.certificate), message.signature)) return;
    this.#answering.add(from);
    try {
      await this.#answer(record.certificate, message);
    } finally {
      this.#answering.delete(from);
    }
  }

  async #answer(certificate: Certificate, asked: JoinMessage): Promise<void> {
    const { device } = certificate;
    const { peers, roster } = this.#workspace;
    const since = this.isDropped(device) ? unsaid(roster.wordsOut.get(device) ?? [], asked.since) : [];
    if (since.length > 0) return this.#send(certificate, asked, { kind: 'askAnew', since });
    const reason = roster.devices.has(device) ? undefined : await this.letIn(certificate);
    const to = senderMark(device);
    if (reason !== undefined) return this.#send(certificate, asked, { kind: 'declined', reason, to });
    peers.meet(device, asked.addresses, asked.relay);
    const { id, roster: now, replica } = this.#workspace;
    const { letIn } = now.records.get(device)!;
    // D1: it asks again.
    if (!replica.isDurable(letIn)) return;
    const { bytes: admit } = letIn.delta;
    await this.#send(certificate, asked, {
      kind: 'workspace',
      workspace: id,
      name: now.name,
      admit,
      total: replica.size,
    });
    this.serve(device, letIn);
  }

  /** The copy, to its relay. It may have asked many times by the time that this device reads it. */
  serve(device: DeviceId, letIn: Node): void {
    const now = this.#hub.clock.now();
    const served = this.#served.get(device);
    if (served?.letIn === letIn && isRecent(served.at, SERVE_AGAIN_MS, now)) return;
    this.#served.set(device, { letIn, at: now });
    this.#workspace.serveByRelay(device);
  }

  /** L7: it was let in, and its person is still: whoever is asked lets it in again. */
  isDropped(device: DeviceId): boolean {
    const { gone, goneRecords, members } = this.#workspace.roster;
    const account = goneRecords.get(device)?.certificate.account;
    return gone.get(device)?.delta.kind === 'drop' && account !== undefined && members.has(account);
  }

  /** Answers why it is not in now: `revoked` where nobody who knows as much could let it in, `unknown` where another may. */
  async letIn(certificate: Certificate): Promise<DeclineReason | undefined> {
    const { account, device } = certificate;
    const { engine } = this.#workspace;
    if (!this.isDropped(device)) return DeclineReason.revoked;
    const epoch = engine.keys.box([certificate]);
    if (!epoch) return DeclineReason.unknown;
    try {
      await this.#workspace.control('addDevice', controlBody.addDevice(account, [certificate], epoch));
    } catch (error) {
      if (error instanceof ServiceError) return DeclineReason.unknown; // full, or this device may not write itself
      throw error;
    }
    return this.#workspace.roster.devices.has(device) ? undefined : DeclineReason.revoked;
  }

  async #send(certificate: Certificate, { relay }: JoinMessage, message: Message): Promise<void> {
    await answer(this.#hub, this.#sealOf(certificate)!, { device: certificate.device, relay }, message);
  }
}
