/**
 * This device (I2): its keys and who it is by them, what it and its person are called, its relay, and the transport that goes out under
 * these keys. All of it becomes another when the device takes on another account.
 */
import { fromBase64Url, toBase64Url, toHex } from '../base/bytes.ts';
import type { AccountId, DeviceId } from '../base/ids.ts';
import { issueCertificate, MAX_CERTIFICATE_BYTES, readCertificate } from '../protocol/certificate.ts';
import { asBytes, asText } from '../protocol/codec.ts';
import { MAX_NAME_BYTES } from '../protocol/limits.ts';
import { readRelayAddress } from '../protocol/relay-address.ts';
import type { RelayState, Transport } from '../sync/ports.ts';
import { ServiceError, type DeviceSecrets, type IdentityInfo, type RelayInfo, type Settings } from './api.ts';
import type { Identity } from './hub.ts';
import type { LocalState } from './local-state.ts';
import { shortened } from './names.ts';
import type { ServiceOptions } from './ports.ts';

/** A week: less would call absent who is ill. A year: the marks of what is held go back no further (`absence.ts`). */
const ABSENT_AFTER_DAYS = { least: 7, byItself: 21, most: 365 };

export class ThisDevice {
  readonly #options: ServiceOptions;
  readonly #local: LocalState;
  #settings: Settings;
  #secrets: DeviceSecrets;
  #identity: Identity;
  #transport: Transport;

  constructor(options: ServiceOptions, local: LocalState) {
    this.#options = options;
    this.#local = local;
    this.#settings = options.settings;
    this.#secrets = options.secrets;
    this.#identity = this.#ownIdentity();
    this.#transport = this.#makeTransport();
  }

  get identity(): Identity {
    return this.#identity;
  }

  get transport(): Transport {
    return this.#transport;
  }

  /** Base64url, as the secret storage has it. */
  get accountSeed(): string {
    return this.#secrets.accountSeed;
  }

  #ownIdentity(): Identity {
    const { crypto, clock } = this.#options;
    const [accountSeed, signingSeed, agreementSecret] = [
      this.#secrets.accountSeed,
      this.#secrets.signingSeed,
      this.#secrets.agreementSecret,
    ].map((secret) => fromBase64Url(secret)!) as [Uint8Array, Uint8Array, Uint8Array];
    const stored = asBytes(this.#local.get('certificate'), 1, MAX_CERTIFICATE_BYTES);
    const known = stored && readCertificate(crypto, stored);
    const agreementKey = crypto.agreementKeyOf(agreementSecret);
    const device = toHex(crypto.signingKeyOf(signingSeed)) as DeviceId;
    const account = toHex(crypto.signingKeyOf(accountSeed)) as AccountId;
    // One of other secrets was left by a stop in the middle of taking on an account.
    const isOurs = known?.ok && known.value.device === device && known.value.account === account;
    // Without a name: a relay, and whoever dials, sees the certificate (R5).
    const certificate = isOurs
      ? known.value
      : issueCertificate(crypto, accountSeed, { signingSeed, agreementKey, name: '', created: clock.now() });
    if (!isOurs) this.#local.put('certificate', certificate.bytes);
    return { account, device, certificate, signer: { device, seed: signingSeed }, agreementSecret };
  }

  #makeTransport(): Transport {
    return this.#options.makeTransport({
      certificate: this.#identity.certificate.bytes,
      agreementSecret: this.#identity.agreementSecret,
      directPort: this.#settings.directPort,
      lanDiscovery: this.#settings.lanDiscovery,
    });
  }

  /**
   * Becomes a new device of another account: with keys of its own, since a relay knows the old ones as somebody else's. The secrets
   * first: what was kept of the old ones is of no use to anybody. Throws ServiceError('locked') where they cannot be kept, and what `mustBeFree`
   * throws: a secret storage may ask its person, who has begun something meanwhile that only the old ones can go on with. What `commit` throws
   * is thrown when the device is the new one, and at work.
   */
  async adopt(accountSeed: Uint8Array, mustBeFree: () => void, commit: () => Promise<void>): Promise<void> {
    const { crypto } = this.#options;
    const secrets: DeviceSecrets = {
      accountSeed: toBase64Url(accountSeed),
      signingSeed: toBase64Url(crypto.randomBytes(32)),
      agreementSecret: toBase64Url(crypto.randomBytes(32)),
      storeKey: this.#secrets.storeKey,
    };
    if (!(await this.#options.keepSecrets?.(secrets))) throw new ServiceError('locked', { reason: 'notKept' });
    try {
      mustBeFree();
    } catch (error) {
      await this.#options.keepSecrets?.(this.#secrets);
      throw error;
    }
    // With nothing in between: who begins something now does so as the new device.
    this.#secrets = secrets;
    this.#identity = this.#ownIdentity();
    try {
      await this.#transport.stop();
      await commit();
    } finally {
      // Also where the disk has failed: what was to be written is tried again, and meanwhile nobody could be reached.
      this.#transport = this.#makeTransport();
      await this.#transport.start();
    }
  }

  // ---- what it is called, and its relay ---------------------------------------------------------------------------------

  /** What others see. */
  displayName(): string {
    return shortened(this.#settings.name.trim() || this.#settings.deviceName || 'Somebody');
  }

  deviceName(): string {
    return shortened(asText(this.#local.get('deviceName'), MAX_NAME_BYTES) ?? this.#settings.deviceName);
  }

  /** L7. */
  absentAfterDays(): number {
    const { least, most, byItself } = ABSENT_AFTER_DAYS;
    const wanted = this.#settings.absentAfterDays ?? byItself;
    return Number.isFinite(wanted) ? Math.min(Math.max(Math.floor(wanted), least), most) : byItself;
  }

  info(): IdentityInfo {
    const { account, device } = this.#identity;
    return { account, device, name: this.displayName(), deviceName: this.deviceName() };
  }

  /** Throws ServiceError('badRelayAddress'). */
  configure(settings: Settings): void {
    if (settings.relay.trim() !== '' && !readRelayAddress(settings.relay))
      throw new ServiceError('badRelayAddress', {});
    this.#settings = settings;
    this.#transport.setRelay(this.relay());
  }

  /** The person's own setting, else the one an invitation brought. */
  relay(): string | undefined {
    const text = this.#settings.relay.trim() || asText(this.#local.get('relay'), 1024) || '';
    return text === '' ? undefined : text;
  }

  /** One that an invitation or a link code brings. Nobody here has written it, so one that cannot be dialled is passed over. */
  useRelay(relay: string): void {
    if (!readRelayAddress(relay)) return;
    this.#local.put('relay', relay);
    this.#transport.setRelay(relay);
  }
}

export function relayInfo(state: RelayState): RelayInfo {
  return state.state === 'failed'
    ? { state: 'failed', reason: state.reason, detail: state.detail }
    : { state: state.state };
}
