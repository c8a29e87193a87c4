/**
 * What the sessions of a relay share: store, parcels, who is subscribed, and what each account may do a second.
 * Nothing here knows of sockets.
 */
import { toHex } from '../base/bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { Code } from '../protocol/relay-messages.ts';
import type { RelayIdentity } from './identity.ts';
import type { RelayLimits } from './limits.ts';
import { Parcels } from './parcels.ts';
import { TokenBucket } from './rate.ts';
import {
  RelayStoreError,
  type DeviceKeys,
  type Placement,
  type Registration,
  type RelayStore,
  type Submission,
} from './store.ts';
import type { NoticeSink } from './subscription.ts';
import { Subscription } from './subscription.ts';

const DAY_MS = 86_400_000;

export interface HubOptions {
  readonly crypto: Crypto;
  readonly identity: RelayIdentity;
  readonly store: RelayStore;
  readonly folder: string;
  readonly limits: RelayLimits;
  readonly openRegistration: boolean;
  readonly now: () => number;
}

interface AccountRate {
  readonly requests: TokenBucket;
  readonly bytes: TokenBucket;
  sessions: number;
  forgetting: NodeJS.Timeout | undefined;
}

export class Hub {
  readonly crypto: Crypto;
  readonly identity: RelayIdentity;
  readonly limits: RelayLimits;
  readonly store: RelayStore;
  readonly parcels: Parcels;
  readonly now: () => number;
  /** Requests of all devices without a queue here. */
  readonly strangers: TokenBucket;
  /** Resolves when the relay must end (R7). */
  readonly failed: Promise<RelayStoreError>;
  #fail: (error: RelayStoreError) => void = () => {};
  #broken = false;
  readonly #openRegistration: boolean;
  readonly #tokenHash: string;
  readonly #badTokens: TokenBucket;
  readonly #newDevices: TokenBucket;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #accounts = new Map<string, AccountRate>();

  constructor({ crypto, identity, store, folder, limits, openRegistration, now }: HubOptions) {
    this.crypto = crypto;
    this.identity = identity;
    this.store = store;
    this.limits = limits;
    this.now = now;
    this.parcels = new Parcels(folder, store, limits.parcelQuotaBytes);
    this.failed = new Promise((resolve) => (this.#fail = resolve));
    this.#openRegistration = openRegistration;
    this.#tokenHash = this.#hashOf(identity.token);
    this.strangers = new TokenBucket(limits.strangersRequestRate, now());
    this.#badTokens = new TokenBucket(limits.badTokenRate, now());
    this.#newDevices = new TokenBucket(limits.newDeviceRate, now());
  }

  /** Nothing is acknowledged any more (R7). */
  get broken(): boolean {
    return this.#broken;
  }

  fail(error: unknown): void {
    // A store that was closed on purpose takes no more calls: that is the end of the relay, not a fault.
    if (this.#broken || (error instanceof RelayStoreError && error.code === 'closed')) return;
    this.#broken = true;
    this.#fail(error instanceof RelayStoreError ? error : new RelayStoreError('io', String(error), { cause: error }));
  }

  /** R4: by invite token, unless the operator opened it. A device that stands here already needs none. */
  async register(keys: DeviceKeys, token: string): Promise<Code> {
    const found = await this.store.registration(keys);
    if (found === 'registered') return Code.ok;
    if (found === 'otherKeys') return Code.refused;
    if (!this.#openRegistration && this.#hashOf(token) !== this.#tokenHash) {
      return this.#badTokens.tryTake(1, this.now()) ? Code.refused : Code.tooFast;
    }
    if (!this.#newDevices.tryTake(1, this.now())) return Code.tooFast;
    const registration: Registration = await this.store.register(keys);
    return registration === 'registered' ? Code.ok : Code.refused;
  }

  async submit(submission: Submission): Promise<readonly Placement[]> {
    const placements = await this.store.submit(submission, this.now());
    const { sender, messageId, body } = submission;
    placements.forEach(({ position, marked }, i) => {
      const subscription = this.#subscriptions.get(toHex(submission.recipients[i]!.device));
      if (position > 0) this.watch(subscription?.committed({ type: 'message', position, sender, messageId, body }));
      if (marked) this.watch(subscription?.look());
    });
    return placements;
  }

  /** Who is not there, whose capability is not right and who does not exist look alike. */
  ephemeral({ sender, messageId, recipients, body }: Submission): readonly Code[] {
    return recipients.map(({ device, hash }) =>
      this.#subscriptions.get(toHex(device))?.ephemeral(sender, messageId, hash, body) === true
        ? Code.ok
        : Code.unavailable,
    );
  }

  /** R1: the newest wins. */
  subscribe(device: Uint8Array, sink: NoticeSink): Subscription {
    const key = toHex(device);
    this.#subscriptions.get(key)?.replaced();
    const subscription = new Subscription(device, this.store, sink);
    this.#subscriptions.set(key, subscription);
    return subscription;
  }

  unsubscribe(device: Uint8Array, subscription: Subscription): void {
    subscription.stop();
    const key = toHex(device);
    if (this.#subscriptions.get(key) === subscription) this.#subscriptions.delete(key);
  }

  isSubscribed(device: Uint8Array, subscription: Subscription | undefined): boolean {
    return subscription !== undefined && this.#subscriptions.get(toHex(device)) === subscription;
  }

  setCapabilities(device: Uint8Array, hashes: readonly Uint8Array[]): void {
    this.#subscriptions.get(toHex(device))?.setCapabilities(hashes);
  }

  /**
   * Removes what has stood longer than its time, and tells whom it was for (R3, R9). Messages are written over, and where the disk has no room for that
   * they stay till the next time; parcels go all the same, for their files are room.
   */
  async expire(): Promise<void> {
    const before = this.now() - this.limits.ttlDays * DAY_MS;
    await unlessFull(this.#expireMessages(before));
    await unlessFull(this.parcels.expire(before));
  }

  async #expireMessages(before: number): Promise<void> {
    const marked = await this.store.expireMessages(before);
    for (const device of marked) this.watch(this.#subscriptions.get(toHex(device))?.look());
  }

  enter(account: string): AccountRate {
    const now = this.now();
    let rate = this.#accounts.get(account);
    if (!rate) {
      const { accountRequestRate, accountByteRate } = this.limits;
      rate = {
        requests: new TokenBucket(accountRequestRate, now),
        bytes: new TokenBucket(accountByteRate, now),
        sessions: 0,
        forgetting: undefined,
      };
      this.#accounts.set(account, rate);
    }
    rate.sessions++;
    clearTimeout(rate.forgetting);
    return rate;
  }

  /** What it has taken is remembered for as long as it makes a difference: or whoever comes back would have everything anew. */
  leave(account: string): void {
    const rate = this.#accounts.get(account);
    if (!rate || --rate.sessions > 0) return;
    const now = this.now();
    const full_ms = Math.max(rate.requests.fullIn(now), rate.bytes.fullIn(now));
    rate.forgetting = setTimeout(() => this.#accounts.delete(account), full_ms).unref();
  }

  /** For work that nobody waits for: its failure is the store's. */
  watch(work: Promise<void> | undefined): void {
    if (work) unlessFull(work).catch((error: unknown) => this.fail(error));
  }

  #hashOf(token: string): string {
    return toHex(this.crypto.sha256(Buffer.from(token, 'utf8')));
  }
}

/** For want of room it did not happen, and nothing else is lost. */
async function unlessFull(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof RelayStoreError) || error.code !== 'full') throw error;
  }
}
