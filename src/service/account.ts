/**
 * The account on this device (I2): its recovery phrase, its other devices, and how a further one comes to it. The way in from either side
 * ends in one account on both: this device takes on the other's, as long as it has nothing of its own that would be lost by that.
 */
import { fromBase64Url } from '../base/bytes.ts';
import type { DeviceId } from '../base/ids.ts';
import { Turns } from '../base/turns.ts';
import { asArray, asText } from '../protocol/codec.ts';
import { readLinkCode, type LinkCode } from '../sync/device-link.ts';
import type { SealKey } from '../sync/envelope.ts';
import type { Message } from '../sync/messages.ts';
import type { Route } from '../sync/ports.ts';
import { ServiceError, type LinkInfo } from './api.ts';
import type { Hub } from './hub.ts';
import { LinkCodes } from './link-codes.ts';
import { Linking } from './linking.ts';
import { OwnDevices, type OwnDevicesOptions } from './own-devices.ts';
import { mustBeSeed, phraseOfSeed } from './recovery-phrase.ts';

export interface AccountOptions extends OwnDevicesOptions {
  /** Base64url, as the secret storage has it. */
  accountSeed(): string;
  /** Whether there is no workspace here, and none on its way. */
  isEmpty(): boolean;
  /** This device becomes a new one of another account. Throws ServiceError('locked') where its secrets cannot be kept, and what `mustBeFree` throws. */
  adopt(seed: Uint8Array, mustBeFree: () => void): Promise<void>;
  /** The relay that a link code brings, where there is none yet. */
  useRelay(relay: string): void;
}

/** Who a message comes to, by the seal that it is under. */
export type AccountLock = 'code' | 'linking' | 'pair';

const KEY = 'linking';
const MAX_CODE_CHARACTERS = 16_384;

export class Account {
  readonly #options: AccountOptions;
  readonly #hub: Hub;
  devices: OwnDevices;
  codes: LinkCodes;
  #linking: Linking | undefined;

  constructor(options: AccountOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.devices = new OwnDevices(options);
    this.codes = this.#makeCodes();
    const text = asText(asArray(this.#hub.local.get(KEY), 1)?.[0], MAX_CODE_CHARACTERS);
    if (text !== undefined) this.#linking = Linking.read(this.#linkingOptions(), text);
  }

  #makeCodes(): LinkCodes {
    return new LinkCodes({
      hub: this.#hub,
      accountSeed: () => this.#options.accountSeed(),
      welcome: (asker) => this.devices.welcome(asker),
      welcomed: () => this.#spread(),
    });
  }

  // ---- with the service -------------------------------------------------------------------------------------------------

  stop(): void {
    this.#linking?.stop();
  }

  /** At the start, from time to time, and whenever the relay is there again. */
  tick(): void {
    this.#linking?.ask();
    this.#spread();
  }

  /** Members, devices or keys have changed. */
  follow(): void {
    this.devices.follow();
    this.#spread();
  }

  reached(device: DeviceId): void {
    if (this.#linking?.routes.some((route) => route.device === device)) this.#linking.ask();
    this.devices.reached(device);
  }

  #spread(): void {
    this.devices.spread().catch((error: unknown) => this.#hub.fault(error));
  }

  locks(): readonly { readonly seal: SealKey; readonly of: AccountLock }[] {
    const { seal } = this.codes;
    return [
      ...(seal ? [{ seal, of: 'code' as const }] : []),
      ...(this.#linking && !this.#linking.ended ? [{ seal: this.#linking.seal, of: 'linking' as const }] : []),
      ...this.devices.seals().map((pair) => ({ seal: pair.seal, of: 'pair' as const })),
    ];
  }

  routes(): readonly Route[] {
    return [...(this.#linking && !this.#linking.ended ? this.#linking.routes : []), ...this.devices.routes()];
  }

  capabilities(): readonly Uint8Array[] {
    return [this.codes.capability, this.#linking?.capability, ...this.devices.capabilities()].filter(
      (capability) => capability !== undefined,
    );
  }

  async received(of: AccountLock, from: DeviceId, message: Message): Promise<unknown> {
    if (of === 'code') return this.codes.asked(from, message);
    if (of === 'linking') return this.#linking?.answered(from, message);
    return this.devices.received(from, message);
  }

  // ---- the phrase -------------------------------------------------------------------------------------------------------

  phrase(): string {
    return phraseOfSeed(fromBase64Url(this.#options.accountSeed())!);
  }

  /** Throws ServiceError('badPhrase' | 'inOtherAccount' | 'locked'). */
  async restore(phrase: string): Promise<void> {
    await this.#takeOn(mustBeSeed(phrase));
  }

  readonly #turns = new Turns<'account'>();

  /** One after the other: of two at once either would be at work under the keys of the other. `mustBeWanted` throws where it is wanted no more. */
  #takeOn(seed: Uint8Array, mustBeWanted = (): void => undefined): Promise<void> {
    return this.#turns.run('account', () => this.#takeOnNow(seed, mustBeWanted));
  }

  async #takeOnNow(seed: Uint8Array, mustBeWanted: () => void): Promise<void> {
    const mustBeFree = () => {
      mustBeWanted();
      this.#mustBeEmpty();
    };
    mustBeFree();
    const { device } = this.#hub.identity;
    try {
      await this.#options.adopt(seed, mustBeFree);
    } finally {
      // Also where the disk has failed: it is of the other account by then.
      if (this.#hub.identity.device !== device) this.#beginAnew();
    }
  }

  #beginAnew(): void {
    this.#hub.local.drop('link'); // of the account before
    this.devices = new OwnDevices(this.#options);
    this.codes = this.#makeCodes();
    this.#hub.emit({ type: 'devices' });
    this.#hub.emit({ type: 'workspaces' });
    this.#hub.changed();
  }

  #mustBeEmpty(): void {
    if (!this.#options.isEmpty() || this.devices.infos().length > 1) throw new ServiceError('inOtherAccount', {});
  }

  // ---- becoming a device of an account ----------------------------------------------------------------------------------

  /** Throws ServiceError('badLinkCode' | 'linkCodeExpired' | 'inOtherAccount'). */
  async link(text: string): Promise<LinkInfo> {
    const code = this.#readCode(text);
    const { account, device } = this.#hub.identity;
    if (code.routes.some((route) => route.device === device)) throw new ServiceError('badLinkCode', { reason: 'own' });
    // By this clock it is a guess: the other device says whether it is good, and a minute is left for the clocks.
    if (code.expires + 60_000 < this.#hub.clock.now()) throw new ServiceError('linkCodeExpired', {});
    if (code.account !== account) this.#mustBeEmpty();
    this.#linking?.stop();
    const linking = new Linking({ ...this.#linkingOptions(), code });
    this.#linking = linking;
    const relay = code.routes.find((route) => route.relay !== undefined)?.relay;
    if (this.#hub.relay() === undefined && relay !== undefined) this.#options.useRelay(relay);
    this.#hub.local.put(KEY, [codeText(text)]);
    await this.#hub.commit([]);
    this.#hub.changed();
    this.#hub.emit({ type: 'link', link: linking.info() });
    linking.ask();
    return linking.info();
  }

  linking(): LinkInfo | undefined {
    return this.#linking?.info();
  }

  async cancelLink(): Promise<void> {
    this.#linking?.stop();
    this.#linking = undefined;
    await this.#forgetCode();
    this.#hub.emit({ type: 'workspaces' });
  }

  async #forgetCode(): Promise<void> {
    this.#hub.local.drop(KEY);
    await this.#hub.commit([]);
    this.#hub.changed();
  }

  #readCode(text: string): LinkCode {
    const code = readLinkCode(this.#hub.crypto, text);
    if (!code.ok) throw new ServiceError('badLinkCode', { reason: code.error.tag });
    return code.value;
  }

  #linkingOptions(): Omit<ConstructorParameters<typeof Linking>[0], 'code'> {
    return {
      hub: this.#hub,
      adopt: (seed, mustBeWanted) => this.#takeOn(seed, mustBeWanted),
      linked: async (devices) => {
        await this.devices.learn(devices);
        await this.#forgetCode();
      },
      refused: () => this.#forgetCode(),
    };
  }
}

/** The part of a link that is the code: all that is worth keeping. */
function codeText(text: string): string {
  return text.split(/[\s#?&=]+/).find((part) => /^[A-Za-z0-9_-]{64,}$/.test(part)) ?? text;
}
