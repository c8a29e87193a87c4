/**
 * The new device's side of becoming one of a person's devices (I2): it asks with a link code, shows the number that the person compares,
 * is given the account, and asks once more as a device of it. Survives a restart at every step: what it is by then says how far it was.
 */
import { equalBytes } from '../base/bytes.ts';
import type { DeviceId } from '../base/ids.ts';
import { idBytes } from '../sync/delta.ts';
import { linkNumber, linkSubject, readLinkCode, type LinkCode } from '../sync/device-link.ts';
import type { SealKey } from '../sync/envelope.ts';
import { capabilityOf } from '../sync/epoch.ts';
import { invitationKeys } from '../sync/invitation.ts';
import { DeclineReason, type Message, type OwnDevice } from '../sync/messages.ts';
import type { Route } from '../sync/ports.ts';
import { ServiceError, type LinkInfo } from './api.ts';
import { Asking } from './asking.ts';
import type { Hub } from './hub.ts';

type Reason = NonNullable<LinkInfo['reason']>;

export interface LinkingOptions {
  readonly hub: Hub;
  readonly code: LinkCode;
  /** The account is ours from now on: the identity becomes one of its devices. Throws ServiceError('inOtherAccount' | 'locked'), and what `mustBeWanted` throws. */
  adopt(seed: Uint8Array, mustBeWanted: () => void): Promise<void>;
  /** We are one of these. */
  linked(devices: readonly OwnDevice[]): Promise<void>;
  /** The code is no good, or the person said no. */
  refused(): Promise<void>;
}

export class Linking {
  readonly seal: SealKey;
  readonly #options: LinkingOptions;
  readonly #asking: Asking;
  /** Of the keys that ask: compared before the account is given, and so not made anew with those that come with it. */
  readonly #number: string;
  #state: LinkInfo['state'] = 'asking';
  #reason: Reason | undefined;
  #adopting = false;
  #hasAdopted = false;
  #isStopped = false;

  constructor(options: LinkingOptions) {
    const { hub, code } = options;
    this.#options = options;
    const { signingSeed, seal } = invitationKeys(hub.crypto, code.secret);
    this.seal = seal;
    this.#number = linkNumber(hub.crypto, code.secret, hub.identity.certificate.bytes);
    this.#asking = new Asking({
      hub,
      seal,
      routes: code.routes,
      name: () => hub.deviceName(),
      since: () => [],
      sign: (certificate) => hub.crypto.sign(signingSeed, linkSubject(code.account, certificate)),
      onAsked: () => {
        if (this.#state === 'asking') this.#become('waiting');
      },
    });
  }

  static read(options: Omit<LinkingOptions, 'code'>, text: string): Linking | undefined {
    const code = readLinkCode(options.hub.crypto, text);
    return code.ok ? new Linking({ ...options, code: code.value }) : undefined;
  }

  get routes(): readonly Route[] {
    return this.#options.code.routes;
  }

  /** The answers come with this one (R4). */
  get capability(): Uint8Array {
    const { hub } = this.#options;
    return capabilityOf(hub.crypto, this.seal.key, hub.identity.device);
  }

  get ended(): boolean {
    return this.#state === 'done' || this.#state === 'refused';
  }

  info(): LinkInfo {
    const reason = this.#reason;
    return { state: this.#state, number: this.#number, ...(reason === undefined ? {} : { reason }) };
  }

  ask(): void {
    if (!this.ended) this.#asking.ask();
  }

  /** Its person wants it no more, or not now. */
  stop(): void {
    this.#isStopped = true;
    this.#asking.stop();
  }

  async answered(from: DeviceId, message: Message): Promise<void> {
    const { code, hub } = this.#options;
    if (this.ended || this.#isStopped || !code.routes.some(({ device }) => device === from)) return;
    const isAdopted = hub.identity.account === code.account;
    if (message.kind === 'declined') {
      // A late word about the asking before.
      if (!this.#hasAdopted) await this.#refused(reasonOf(message.reason));
    } else if (message.kind === 'account' && !isAdopted && !this.#adopting) {
      if (!equalBytes(hub.crypto.signingKeyOf(message.seed), idBytes(code.account))) return;
      await this.#adopt(message.seed);
    } else if (message.kind === 'devices' && isAdopted) {
      await this.#options.linked(message.devices);
      this.#asking.stop();
      this.#become('done');
    }
  }

  /** A machine that is in use by now, or whose secrets cannot be kept, never will be one: its person is told, and nothing is asked any more. */
  async #adopt(seed: Uint8Array): Promise<void> {
    const { code, hub } = this.#options;
    this.#adopting = true;
    try {
      await this.#options.adopt(seed, () => this.#mustBeWanted());
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      if (this.#isStopped) return;
      return await this.#refused(error.code === 'inOtherAccount' ? 'inUse' : 'notKept');
    } finally {
      this.#adopting = false;
      // Also where the disk has failed: it is of that account by then, and asks as its device.
      if (hub.identity.account === code.account) {
        this.#hasAdopted = true;
        this.#asking.askAnew();
      }
    }
  }

  /** A secret storage may ask its person, who has had time to think better of it. */
  #mustBeWanted(): void {
    if (this.#isStopped) throw new ServiceError('stopped', {});
  }

  /** Told also where the disk fails: what was to be forgotten goes from it later. */
  async #refused(reason: Reason): Promise<void> {
    this.#reason = reason;
    this.#asking.stop();
    try {
      await this.#options.refused();
    } finally {
      this.#become('refused');
    }
  }

  #become(state: LinkInfo['state']): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.hub.emit({ type: 'link', link: this.info() });
  }
}

function reasonOf(reason: DeclineReason): Reason {
  return reason === DeclineReason.expired ? 'expired' : reason === DeclineReason.used ? 'used' : 'declined';
}
