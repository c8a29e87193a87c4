/**
 * One connection: the channel's handshake, then a device's requests, each answered once its effect is durable.
 *
 * | limit | what happens beyond it |
 * | --- | --- |
 * | handshake time | the connection ends |
 * | a frame that does not open, a request that cannot be read, a peer without a certificate | the connection ends |
 * | requests or bytes a second, of the connection or the account, or of all strangers; capabilities and recipients cost more | reading waits until they are paid for |
 * | requests under way, with the slices of parcels that they ask for | reading waits |
 * | notices that wait to be sent | reading waits, deliveries wait in the store |
 * | what strangers hold of all this, together | one of them goes (relay.ts) |
 */
import type { DeviceId } from '../base/ids.ts';
import { TAG_BYTES } from '../crypto/crypto.ts';
import type { Certificate } from '../protocol/certificate.ts';
import { SecureChannel } from '../protocol/channel.ts';
import type { Value } from '../protocol/codec.ts';
import { HANDSHAKE_TIMEOUT_MS } from '../protocol/limits.ts';
import { Code, decodeRequest, encodeNotice, type RelayRequest } from '../protocol/relay-messages.ts';
import type { FramePipe } from './frame-pipe.ts';
import type { Hub } from './hub.ts';
import { publishedLimits } from './limits.ts';
import { TokenBucket } from './rate.ts';
import { RelayStoreError, type DeviceKeys, type Registration } from './store.ts';
import type { Subscription } from './subscription.ts';

/** Lanes of the channel: answers overtake deliveries, and parcels wait for both. */
const ANSWERS = 0;
const DELIVERIES = 1;
const PARCELS = 3;

/** What is handed to the system at once: more would only make the urgent wait behind it. */
const MAX_UNSENT_BYTES = 256 * 1024;
/** What waits in the channel before a queue's messages are left in the store. */
const CONGESTED_BYTES = 1024 * 1024;
/** What waits in the channel before the peer is not read any more: he asks faster than he takes. */
const CHOKED_BYTES = 4 * 1024 * 1024;
/** The tag of a sealed frame and its header. */
const FRAME_OVERHEAD_BYTES = TAG_BYTES + 1;
const MAX_REQUESTS_UNDER_WAY = 128;
/** So many take the store as long as a request does otherwise, about 0.1 ms. */
const HASHES_A_REQUEST = 16;
const RECIPIENTS_A_REQUEST = 8;
const MAX_BYTES_UNDER_WAY = 8 * 1024 * 1024;

interface Answer {
  readonly code: Code;
  readonly value?: Value;
  readonly lane?: number;
}

export interface SessionEvents {
  established(session: Session): void;
  /** What a device without a queue here holds in memory has changed. */
  held(session: Session, bytes: number): void;
  closed(session: Session): void;
}

export class Session {
  readonly #pipe: FramePipe;
  readonly #hub: Hub;
  readonly #events: SessionEvents;
  readonly #channel: SecureChannel;
  readonly #requests: TokenBucket;
  readonly #bytes: TokenBucket;
  #keys: DeviceKeys | undefined;
  #device: DeviceId | undefined;
  #account = '';
  #accountRate: ReturnType<Hub['enter']> | undefined;
  #standing: Registration = 'unknown';
  #subscription: Subscription | undefined;
  /** Frames that came after reading was paused. */
  readonly #inbox: Uint8Array[] = [];
  /** Reasons to read no further: something must be known first, or a debt be paid. */
  #holds = 0;
  #requestsUnderWay = 0;
  #bytesUnderWay = 0;
  /** Of packets that have not come whole. */
  #partialBytes = 0;
  /** What it was last said to hold. */
  #heldBytes = 0;
  #paused = false;
  #closed = false;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(pipe: FramePipe, hub: Hub, events: SessionEvents) {
    this.#pipe = pipe;
    this.#hub = hub;
    this.#events = events;
    this.#requests = new TokenBucket(hub.limits.requestRate, hub.now());
    this.#bytes = new TokenBucket(hub.limits.byteRate, hub.now());
    this.#channel = new SecureChannel({
      crypto: hub.crypto,
      role: 'responder',
      identity: { staticSecret: hub.identity.staticSecret, payload: new Uint8Array(0) },
      expect: 'any',
    });
    this.#later(HANDSHAKE_TIMEOUT_MS, () => {
      if (!this.#keys) this.close();
    });
    pipe.listen({
      frame: (bytes) => this.#arrived(bytes),
      drained: () => this.#drained(),
      closed: () => this.#ended(),
    });
  }

  /** Its device's id, once it has proved it. */
  get device(): DeviceId | undefined {
    return this.#device;
  }

  /** Its account, once it has proved its device. */
  get account(): string {
    return this.#account;
  }

  /** It has proved a device that has no queue here, or that is not known yet. */
  get isStranger(): boolean {
    return this.#keys !== undefined && this.#standing !== 'registered';
  }

  close(): void {
    if (!this.#closed) this.#pipe.close();
    this.#ended();
  }

  // ---- in -------------------------------------------------------------------------------------------------------

  #arrived(frame: Uint8Array): void {
    // Till the other side has closed too, it may send on.
    if (this.#closed) return;
    this.#inbox.push(frame);
    this.#work();
  }

  #work(): void {
    while (!this.#closed && !this.#busy) {
      const frame = this.#inbox.shift();
      if (!frame) break;
      this.#read(frame);
    }
    this.#weigh();
    const pause = this.#busy && !this.#closed;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#pipe.pause();
    else this.#pipe.resume();
  }

  #weigh(): void {
    const { queuedBytes } = this.#channel;
    const held = this.isStranger
      ? this.#partialBytes + this.#bytesUnderWay + queuedBytes + this.#pipe.bufferedBytes
      : 0;
    if (this.#closed || held === this.#heldBytes) return;
    this.#heldBytes = held;
    this.#events.held(this, held);
  }

  get #busy(): boolean {
    return (
      this.#holds > 0 ||
      this.#requestsUnderWay >= MAX_REQUESTS_UNDER_WAY ||
      this.#bytesUnderWay >= MAX_BYTES_UNDER_WAY ||
      this.#channel.queuedBytes >= CHOKED_BYTES
    );
  }

  #read(frame: Uint8Array): void {
    const received = this.#channel.receive(frame);
    if (!received.ok) return this.close();
    const { send, established, packets } = received.value;
    for (const bytes of send) this.#pipe.send(bytes);
    if (established) {
      if (!established.certificate) return this.close();
      this.#establish(established.certificate);
    }
    if (this.#keys && !established) this.#partialBytes += frame.length - FRAME_OVERHEAD_BYTES;
    for (const { bytes } of packets) this.#partialBytes -= bytes.length;
    const cost = packets.reduce((sum, packet) => sum + this.#request(packet.bytes), 0);
    this.#owe(frame.length, cost);
  }

  #establish(certificate: Certificate): void {
    const keys = {
      device: certificate.signingKey,
      account: certificate.accountKey,
      agreement: certificate.agreementKey,
    };
    this.#keys = keys;
    this.#device = certificate.device;
    this.#account = certificate.account;
    this.#accountRate = this.#hub.enter(this.#account);
    this.#events.established(this);
    void this.#holding(async () => {
      try {
        this.#standing = await this.#hub.store.registration(keys);
        this.#notify(encodeNotice({ type: 'hello', limits: publishedLimits(this.#hub.limits) }), ANSWERS);
      } catch (error) {
        this.#hub.fail(error);
      }
    });
  }

  /** What has been taken beyond the rates is paid in time. */
  #owe(bytes: number, requests: number): void {
    const now = this.#hub.now();
    const debt_ms = Math.max(
      this.#bytes.take(bytes, now),
      this.#requests.take(requests, now),
      this.#accountRate?.bytes.take(bytes, now) ?? 0,
      this.#accountRate?.requests.take(requests, now) ?? 0,
      this.isStranger ? this.#hub.strangers.take(requests, now) : 0,
    );
    if (debt_ms > 0) void this.#holding(() => new Promise((resolve) => this.#later(debt_ms, resolve)));
  }

  async #holding(work: () => Promise<void>): Promise<void> {
    this.#holds++;
    try {
      await work();
    } finally {
      this.#holds--;
      this.#work();
    }
  }

  // ---- requests -------------------------------------------------------------------------------------------------

  /** Answers what it costs, in requests. */
  #request(bytes: Uint8Array): number {
    const keys = this.#keys;
    const decoded = decodeRequest(bytes);
    if (!keys || !decoded.ok) {
      this.close();
      return 0;
    }
    const { id, request } = decoded.value;
    // What a parcel's reader asks for takes room from then on, though he has sent next to nothing for it.
    const held = bytes.length + (request.type === 'parcelGet' ? request.length : 0);
    this.#requestsUnderWay++;
    this.#bytesUnderWay += held;
    const done = () => {
      this.#requestsUnderWay--;
      this.#bytesUnderWay -= held;
      this.#work();
    };
    this.#handle(keys, request)
      .then((answer) => this.#answer(id, answer))
      .catch((error: unknown) => {
        if (!(error instanceof RelayStoreError) || error.code !== 'full') return this.#hub.fail(error);
        this.#answer(id, { code: Code.unavailable });
      })
      .finally(done);
    return costOf(request, this.isStranger);
  }

  /** Every case reaches the store before it waits for anything: so requests take effect in the order they came. */
  async #handle(keys: DeviceKeys, request: RelayRequest): Promise<Answer> {
    const { store, parcels } = this.#hub;
    switch (request.type) {
      case 'register': {
        let code: Code = Code.refused;
        await this.#holding(async () => {
          code = await this.#hub.register(keys, request.token);
          if (code === Code.ok) this.#standing = 'registered';
        });
        return { code };
      }
      case 'submit':
        return this.#submit(keys, request);
      case 'parcelGet': {
        const { code, total, bytes } = await parcels.get(request.parcel, request.offset, request.length);
        return { code, value: code === Code.ok ? [total, bytes] : null, lane: PARCELS };
      }
      default:
    }
    if (this.#standing !== 'registered') {
      return { code: this.#standing === 'otherKeys' ? Code.refused : Code.notRegistered };
    }
    switch (request.type) {
      case 'confirm':
        await store.confirm(keys.device, request.hashes);
        this.#hub.setCapabilities(keys.device, request.hashes);
        return { code: Code.ok };
      case 'subscribe':
        return this.#subscribe(keys);
      case 'ack':
        if (!this.#hub.isSubscribed(keys.device, this.#subscription)) return { code: Code.refused };
        return { code: (await store.ack(keys.device, request.position)) ? Code.ok : Code.badRequest };
      case 'parcelPut': {
        const { parcel, total, offset, bytes } = request;
        const { code, next } = await parcels.put(parcel, keys.account, total, offset, bytes, this.#hub.now());
        return { code, value: next };
      }
      case 'parcelKeep':
        return { code: await parcels.keep(request.parcel, keys.account, request.references, this.#hub.now()) };
    }
  }

  async #submit(keys: DeviceKeys, request: Extract<RelayRequest, { type: 'submit' }>): Promise<Answer> {
    const submission = {
      sender: keys.device,
      messageId: request.messageId,
      recipients: request.recipients.map(({ device, capability }) => ({
        device,
        hash: this.#hub.crypto.sha256(capability),
      })),
      body: request.body,
    };
    // Whoever comes under a registered device's name with other keys speaks for nobody.
    if (this.#standing === 'otherKeys') return { code: Code.refused };
    if (request.ephemeral) return { code: Code.ok, value: [...this.#hub.ephemeral(submission)] };
    const placements = await this.#hub.submit(submission);
    return { code: Code.ok, value: placements.map((placement) => placement.code) };
  }

  /** The answer goes out before the first delivery. */
  async #subscribe(keys: DeviceKeys): Promise<Answer> {
    if (this.#hub.isSubscribed(keys.device, this.#subscription)) return { code: Code.ok };
    const subscription = this.#hub.subscribe(keys.device, {
      congested: () => this.#channel.queuedBytes >= CONGESTED_BYTES,
      deliver: (notice) => this.#notify(notice, DELIVERIES),
      replaced: () => this.#notify(encodeNotice({ type: 'replaced' }), ANSWERS),
    });
    this.#subscription = subscription;
    this.#hub.watch(subscription.start());
    return { code: Code.ok };
  }

  // ---- out ------------------------------------------------------------------------------------------------------

  #answer(request: number, { code, value = null, lane = ANSWERS }: Answer): void {
    if (!this.#hub.broken) this.#notify(encodeNotice({ type: 'answer', request, code, value }), lane);
  }

  #notify(notice: Uint8Array, lane: number): void {
    if (this.#closed) return;
    this.#channel.push(lane, notice);
    this.#pump();
  }

  #pump(): void {
    while (!this.#closed && this.#pipe.bufferedBytes < MAX_UNSENT_BYTES) {
      const frame = this.#channel.pull();
      if (!frame) return;
      this.#pipe.send(frame);
    }
  }

  #drained(): void {
    this.#pump();
    this.#hub.watch(this.#subscription?.drained());
    this.#work();
  }

  // ---- end ------------------------------------------------------------------------------------------------------

  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#keys && this.#subscription) this.#hub.unsubscribe(this.#keys.device, this.#subscription);
    if (this.#accountRate) this.#hub.leave(this.#account);
    this.#inbox.length = 0;
    this.#events.closed(this);
  }

  #later(after_ms: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, after_ms);
    this.#timers.add(timer);
  }
}

/** In requests of one row: each capability and each recipient is some more in the one thread of the store, which is everybody's. */
function costOf(request: RelayRequest, ofStranger: boolean): number {
  // What a stranger would confirm does not come to the store, and must not be owed by all of them.
  if (request.type === 'confirm') return ofStranger ? 1 : 1 + request.hashes.length / HASHES_A_REQUEST;
  return request.type === 'submit' ? 1 + request.recipients.length / RECIPIENTS_A_REQUEST : 1;
}
