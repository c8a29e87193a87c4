/** A device as a relay sees one: real keys, a real channel over a real WebSocket, and what has arrived so far. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { toHex } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate, type Certificate } from '../../src/protocol/certificate.ts';
import { SecureChannel } from '../../src/protocol/channel.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { readRelayAddress } from '../../src/protocol/relay-address.ts';
import {
  Code,
  decodeNotice,
  encodeRequest,
  type RelayNotice,
  type RelayRequest,
} from '../../src/protocol/relay-messages.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

export const crypto = nodeCrypto(seededRandom('relay tests'));

export interface Person {
  readonly accountSeed: Uint8Array;
  readonly signingSeed: Uint8Array;
  readonly agreementSecret: Uint8Array;
  readonly certificate: Certificate;
  readonly id: Uint8Array;
}

export function person(
  name: string,
  accountSeed = crypto.randomBytes(32),
  signingSeed = crypto.randomBytes(32),
): Person {
  const agreementSecret = crypto.randomBytes(32);
  const certificate = issueCertificate(crypto, accountSeed, {
    signingSeed,
    agreementKey: crypto.agreementKeyOf(agreementSecret),
    name,
    created: 1,
  });
  return { accountSeed, signingSeed, agreementSecret, certificate, id: certificate.signingKey };
}

/** What others must show to send to a person. */
export function capabilityOf(who: Person): Uint8Array {
  return crypto.sha256(who.id, new Uint8Array([1]));
}

type Answer = Extract<RelayNotice, { type: 'answer' }>;
export type Deliver = Extract<RelayNotice, { type: 'deliver' }>;

export class Device {
  readonly who: Person;
  readonly socket: WebSocket;
  readonly channel: SecureChannel;
  /** Everything but answers, in the order it came. */
  readonly notices: RelayNotice[] = [];
  readonly closed: Promise<void>;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #waiting: { count: number; resolve: () => void }[] = [];
  #lastRequest = 0;
  readonly #established: Promise<void>;

  constructor(who: Person, address: string, payload = who.certificate.bytes) {
    this.who = who;
    const relay = readRelayAddress(address);
    assert(relay);
    this.channel = new SecureChannel({
      crypto,
      role: 'initiator',
      identity: { staticSecret: who.agreementSecret, payload },
      expect: { staticKey: relay.key },
    });
    this.socket = new WebSocket(`ws://${relay.host}:${relay.port}/`, { perMessageDeflate: false });
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
    this.#established = new Promise((resolve, reject) => {
      this.socket.on('error', reject);
      this.socket.on('close', () => reject(new Error('closed in the handshake')));
      this.socket.on('message', (frame: Buffer) => {
        const received = this.channel.receive(frame);
        if (!received.ok) {
          reject(new Error(received.error.tag));
          return this.socket.terminate();
        }
        for (const bytes of received.value.send) this.socket.send(bytes);
        if (received.value.established) resolve();
        for (const packet of received.value.packets) this.#notice(packet.bytes);
      });
    });
    this.#established.catch(() => {});
    this.socket.on('open', () => this.channel.start().forEach((frame) => this.socket.send(frame)));
  }

  /** Connected, and greeted with the relay's limits. */
  static async connect(who: Person, address: string, payload?: Uint8Array): Promise<Device> {
    const device = new Device(who, address, payload);
    await device.#established;
    await device.until(1);
    assert.equal(device.notices.shift()?.type, 'hello');
    return device;
  }

  /** Connected, registered and confirmed. */
  static async member(who: Person, address: string): Promise<Device> {
    const device = await Device.connect(who, address);
    const token = readRelayAddress(address)!.token;
    assert.equal(await device.code({ type: 'register', token }), Code.ok);
    assert.equal(await device.code({ type: 'confirm', hashes: [crypto.sha256(capabilityOf(who))] }), Code.ok);
    return device;
  }

  /** A member who is subscribed. */
  static async subscriber(who: Person, address: string): Promise<Device> {
    const device = await Device.member(who, address);
    assert.equal(await device.code({ type: 'subscribe' }), Code.ok);
    return device;
  }

  request(request: RelayRequest): Promise<Answer> {
    const id = ++this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, resolve);
      void this.closed.then(() => reject(new Error('closed before the answer')));
      this.raw(encodeRequest(id, request));
    });
  }

  async code(request: RelayRequest): Promise<Code> {
    return (await this.request(request)).code;
  }

  async submit(
    to: readonly Person[],
    body: Uint8Array | string,
    options: { id?: Uint8Array; capability?: Uint8Array; ephemeral?: boolean } = {},
  ): Promise<Value> {
    const answer = await this.request({
      type: 'submit',
      messageId: options.id ?? crypto.randomBytes(16),
      ephemeral: options.ephemeral ?? false,
      recipients: to.map((one) => ({ device: one.id, capability: options.capability ?? capabilityOf(one) })),
      body: typeof body === 'string' ? Buffer.from(body) : body,
    });
    assert.equal(answer.code, Code.ok);
    return answer.value;
  }

  /** Bytes as one packet of the channel, whatever they are. */
  raw(packet: Uint8Array): void {
    this.channel.push(0, packet);
    for (let frame = this.channel.pull(); frame; frame = this.channel.pull()) this.socket.send(frame);
  }

  /** Resolves once so many notices are there. */
  async until(count: number): Promise<readonly RelayNotice[]> {
    if (this.notices.length < count) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push({ count, resolve });
        void this.closed.then(() => reject(new Error(`closed after ${this.notices.length} of ${count} notices`)));
      });
    }
    return this.notices;
  }

  async bodies(count: number): Promise<readonly string[]> {
    return (await this.until(count)).map((notice) =>
      notice.type === 'deliver' ? Buffer.from(notice.body).toString() : notice.type,
    );
  }

  get id(): string {
    return toHex(this.who.id);
  }

  async end(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.terminate();
    await once(this.socket, 'close');
  }

  #notice(bytes: Uint8Array): void {
    const decoded = decodeNotice(bytes);
    assert(decoded.ok, 'the relay speaks its own language');
    const notice = decoded.value;
    if (notice.type === 'answer') {
      this.#answers.get(notice.request)?.(notice);
      this.#answers.delete(notice.request);
      return;
    }
    this.notices.push(notice);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.notices.length < count) return true;
      resolve();
      return false;
    });
  }
}
