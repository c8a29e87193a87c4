/**
 * The side of the device that is there already (I2): it makes a link code, asks its person about whoever comes with it, and gives that
 * device the account. One code at a time, for one device. Kept in local state, so that it outlives the window that shows it:
 * [secret 32, expires, stage, who asks or null, the device that came of it 32 or none].
 */
import { fromBase64Url, toHex } from '../base/bytes.ts';
import type { DeviceId } from '../base/ids.ts';
import { MAX_CERTIFICATE_BYTES, readCertificate, type Certificate } from '../protocol/certificate.ts';
import { asArray, asBytes, asCount, asList, asText, type Value } from '../protocol/codec.ts';
import { LINK_CODE_LASTS_MS, MAX_ADDRESSES, MAX_ADDRESS_BYTES, MAX_NAME_BYTES } from '../protocol/limits.ts';
import { idBytes } from '../sync/delta.ts';
import { linkNumber, linkSubject, writeLinkCode } from '../sync/device-link.ts';
import type { SealKey } from '../sync/envelope.ts';
import { capabilityOf } from '../sync/epoch.ts';
import { invitationKeys } from '../sync/invitation.ts';
import { DeclineReason, senderMark, type Message, type OwnDevice } from '../sync/messages.ts';
import { type CallKey, ServiceError, type DeviceRequestInfo, type LinkCodeInfo } from './api.ts';
import type { Hub } from './hub.ts';
import { answer } from './sealed-words.ts';

/** `asked`: the person is to say; `accepted`: the account may be given, again and again; `done`: its device is known. */
const STAGES = ['open', 'asked', 'accepted', 'done', 'declined'] as const;
type Stage = (typeof STAGES)[number];

/** Who comes with a code. */
export interface Asker {
  readonly certificate: Certificate;
  readonly name: string;
  readonly relay: string;
  readonly addresses: readonly string[];
}

interface Code {
  readonly secret: Uint8Array;
  readonly expires: number;
  readonly stage: Stage;
  readonly asker: Asker | undefined;
  readonly device: DeviceId | undefined;
}

export interface LinkCodesOptions {
  readonly hub: Hub;
  /** Base64url, as the secret storage has it. */
  accountSeed(): string;
  /** It is a device of ours: answers all there are, this one first. */
  welcome(asker: Asker): Promise<readonly OwnDevice[]>;
  /** It knows us now, and can be told of the workspaces. */
  welcomed(): void;
}

const KEY = 'link';

export class LinkCodes {
  readonly #options: LinkCodesOptions;
  readonly #hub: Hub;
  #code: Code | undefined;

  constructor(options: LinkCodesOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#code = readCode(options.hub, options.hub.local.get(KEY));
  }

  /** What comes with the code, were it only to be told that it is no good. */
  get seal(): SealKey | undefined {
    return this.#code && invitationKeys(this.#hub.crypto, this.#code.secret).seal;
  }

  get capability(): Uint8Array | undefined {
    const { seal } = this;
    return seal && capabilityOf(this.#hub.crypto, seal.key, this.#hub.identity.device);
  }

  /** The one before is good for nothing any more. */
  async make(scheme: string): Promise<LinkCodeInfo> {
    const { crypto, clock, identity, transport } = this.#hub;
    const [secret, expires] = [crypto.randomBytes(32), clock.now() + LINK_CODE_LASTS_MS];
    const route = { device: identity.device, addresses: transport.listening.slice(0, 8), relay: this.#hub.relay() };
    await this.#become({ secret, expires, stage: 'open', asker: undefined, device: undefined });
    const code = writeLinkCode(crypto, { account: identity.account, expires, secret, routes: [route] });
    return { code, link: `${scheme}://coterie.coterie/link#${code}`, expires };
  }

  async withdraw(): Promise<void> {
    if (!this.#code || this.#code.stage === 'done') return;
    this.#code = undefined;
    this.#hub.local.drop(KEY);
    await this.#hub.commit([]);
    this.#hub.changed();
  }

  // ---- answering --------------------------------------------------------------------------------------------------------

  async asked(sender: DeviceId, message: Message): Promise<void> {
    const { crypto, identity } = this.#hub;
    const code = this.#code;
    if (!code || message.kind !== 'join') return;
    const certificate = readCertificate(crypto, message.certificate);
    if (!certificate.ok || certificate.value.device !== sender) return;
    const subject = linkSubject(identity.account, message.certificate);
    if (!crypto.verify(invitationKeys(crypto, code.secret).publicKey, subject, message.signature)) return;
    const { name, relay, addresses } = message;
    const asker: Asker = { certificate: certificate.value, name, relay, addresses };
    const isAnswered = code.stage === 'accepted' || code.stage === 'done';
    if (isAnswered && this.#isOurs(asker)) await this.#joined(code, asker);
    else await this.#askedFirst(code, asker);
  }

  /** It has the account: from this code, or from the recovery phrase. */
  #isOurs({ certificate }: Asker): boolean {
    return certificate.account === this.#hub.identity.account;
  }

  /** The first that comes is the one the person is asked about. */
  async #askedFirst(code: Code, asker: Asker): Promise<void> {
    const { device } = asker.certificate;
    if (code.asker && code.asker.certificate.device !== device) return this.#decline(asker, DeclineReason.used);
    switch (code.stage) {
      case 'open':
        if (code.expires < this.#hub.clock.now()) return this.#decline(asker, DeclineReason.expired);
        await this.#become({ ...code, stage: 'asked', asker });
        return this.#hub.emit({ type: 'deviceRequest', request: this.#describe(code, asker) });
      case 'asked':
        return;
      case 'accepted':
        return this.#give(asker);
      case 'declined':
        return this.#decline(asker, DeclineReason.declined);
      case 'done':
        return this.#decline(asker, DeclineReason.used);
    }
  }

  /** It holds the account: the first such that comes with an accepted code is the device that was accepted. */
  async #joined(code: Code, asker: Asker): Promise<void> {
    const { device } = asker.certificate;
    const isExpected = code.stage === 'accepted' || (code.stage === 'done' && code.device === device);
    if (!isExpected) return this.#decline(asker, DeclineReason.used);
    if (code.stage === 'accepted') await this.#become({ ...code, stage: 'done', device });
    await this.#welcome(asker);
  }

  async #welcome(asker: Asker): Promise<void> {
    const devices = await this.#options.welcome(asker);
    await this.#send(asker, { kind: 'devices', devices });
    this.#options.welcomed();
  }

  requests(): readonly DeviceRequestInfo[] {
    const code = this.#code;
    return code?.stage === 'asked' && code.asker ? [this.#describe(code, code.asker)] : [];
  }

  /** Throws ServiceError('notFound') where nobody asks as that. */
  async answer(request: string, accept: boolean, call?: CallKey): Promise<void> {
    const code = this.#code;
    const asker = code?.asker;
    if (!code || !asker || code.stage !== 'asked' || asker.certificate.device !== request)
      throw new ServiceError('notFound', {});
    const { device } = asker.certificate;
    if (!accept) {
      await this.#become({ ...code, stage: 'declined' }, call);
      await this.#decline(asker, DeclineReason.declined);
    } else if (this.#isOurs(asker)) {
      await this.#become({ ...code, stage: 'done', device }, call);
      await this.#welcome(asker);
    } else {
      await this.#become({ ...code, stage: 'accepted' }, call);
      await this.#give(asker);
    }
  }

  #describe(code: Code, { certificate, name }: Asker): DeviceRequestInfo {
    const number = linkNumber(this.#hub.crypto, code.secret, certificate.bytes);
    return { id: certificate.device, name, number };
  }

  #give(asker: Asker): Promise<void> {
    return this.#send(asker, { kind: 'account', seed: fromBase64Url(this.#options.accountSeed())! });
  }

  #decline(asker: Asker, reason: DeclineReason): Promise<void> {
    return this.#send(asker, { kind: 'declined', reason, to: senderMark(asker.certificate.device) });
  }

  async #send({ certificate, relay }: Asker, message: Message): Promise<void> {
    const { seal } = this;
    if (seal) await answer(this.#hub, seal, { device: certificate.device, relay }, message);
  }

  // ---- keeping ----------------------------------------------------------------------------------------------------------

  async #become(code: Code, call?: CallKey): Promise<void> {
    const { secret, expires, stage, asker, device } = code;
    const isNew = this.#code?.secret !== secret;
    this.#code = code;
    this.#hub.local.put(KEY, [
      secret,
      expires,
      STAGES.indexOf(stage),
      asker ? [asker.certificate.bytes, asker.name, asker.relay, [...asker.addresses]] : null,
      device === undefined ? new Uint8Array(0) : idBytes(device),
    ]);
    await this.#hub.commit([], call);
    if (isNew) this.#hub.changed();
  }
}

function readCode(hub: Hub, value: Value | undefined): Code | undefined {
  const f = asArray(value, 5);
  const [secret, expires, stage] = [asBytes(f?.[0], 32), asCount(f?.[1]), asCount(f?.[2], STAGES.length - 1)];
  const device = asBytes(f?.[4], 0, 32);
  if (!secret || expires === undefined || stage === undefined || !device) return undefined;
  const asker = readAsker(hub, f?.[3]);
  return {
    ...{ secret, expires, asker, stage: STAGES[stage]! },
    device: device.length === 32 ? (toHex(device) as DeviceId) : undefined,
  };
}

function readAsker(hub: Hub, value: Value | undefined): Asker | undefined {
  const f = asArray(value, 4);
  const [bytes, name, relay] = [
    asBytes(f?.[0], 1, MAX_CERTIFICATE_BYTES),
    asText(f?.[1], MAX_NAME_BYTES),
    asText(f?.[2], MAX_ADDRESS_BYTES),
  ];
  const addresses = asList(f?.[3], MAX_ADDRESSES, (address) => asText(address, MAX_ADDRESS_BYTES));
  const certificate = bytes && readCertificate(hub.crypto, bytes);
  if (!certificate?.ok || name === undefined || relay === undefined || !addresses) return undefined;
  return { certificate: certificate.value, name, relay, addresses };
}
