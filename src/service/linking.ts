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
import type { LinkInfo } from './api.ts';
import { Asking } from './asking.ts';
import type { Hub } from './hub.ts';

export interface LinkingOptions {
  readonly hub: Hub;
  readonly code: LinkCode;
  /** The account is ours from now on: the identity becomes one of its devices. */
  adopt(seed: Uint8Array): Promise<void>;
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
  #reason: LinkInfo['reason'];
  #adopting = false;
  #hasAdopted = false;

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

  stop(): void {
    this.#asking.stop();
  }

  async answered(from: DeviceId, message: Message): Promise<void> {
    const { code, hub } = this.#options;
    if (this.ended || !code.routes.some(({ device }) => device === from)) return;
    const isAdopted = hub.identity.account === code.account;
    if (message.kind === 'declined') {
      // A late word about the asking before.
      if (!this.#hasAdopted) await this.#refused(message.reason);
    } else if (message.kind === 'account' && !isAdopted && !this.#adopting) {
      if (!equalBytes(hub.crypto.signingKeyOf(message.seed), idBytes(code.account))) return;
      this.#adopting = true;
      await this.#options.adopt(message.seed).finally(() => (this.#adopting = false));
      this.#hasAdopted = true;
      this.#asking.askAnew();
    } else if (message.kind === 'devices' && isAdopted) {
      this.stop();
      await this.#options.linked(message.devices);
      this.#become('done');
    }
  }

  async #refused(reason: DeclineReason): Promise<void> {
    this.#reason = reason === DeclineReason.expired ? 'expired' : reason === DeclineReason.used ? 'used' : 'declined';
    this.stop();
    await this.#options.refused();
    this.#become('refused');
  }

  #become(state: LinkInfo['state']): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.hub.emit({ type: 'link', link: this.info() });
  }
}
