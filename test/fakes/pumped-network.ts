/**
 * A network in memory that stands still until it is pumped: the Transport port for tests of the engine. One seed is one run.
 *
 * What is on its way waits in queues, one for each direction of each connection, which keep their order; a step moves the head
 * of one of them, chosen by the seed. Nothing happens by itself, so a test decides who is reached when:
 *
 * | fault | how |
 * | --- | --- |
 * | a device without network | `setOnline(device, false)`: its connections break, what was on its way on them is lost |
 * | no direct path between two | `setBlocked(a, b, true)` |
 * | two halves that do not see each other, nor each other's relays | `partition([[a, relay], [b]])`, `heal()` |
 * | a connection that breaks | `cut(a, b)`; it comes back by itself |
 * | messages that vanish on a connection that stands | `loss`, for direct and ephemeral ones: a part from 0 to 1 |
 * | a relay that is down, full, or has other keys | `relay.setUp(false)`, `limits`, an address with another key |
 * | a device that is gone | `transport.stop()` |
 */
import { createHash } from 'node:crypto';
import { toHex } from '../../src/base/bytes.ts';
import { Emitter } from '../../src/base/event.ts';
import type { DeviceId } from '../../src/base/ids.ts';
import {
  MAX_MESSAGE_BYTES,
  MAX_SEND_BUFFER_BYTES,
  RELAY_FIRST_CONTACT_MESSAGES,
  RELAY_QUEUE_BYTES,
  RELAY_QUEUE_MESSAGES,
} from '../../src/protocol/limits.ts';
import { readRelayAddress, writeRelayAddress, type RelayAddress } from '../../src/protocol/relay-address.ts';
import {
  TransportError,
  type Arrived,
  type Lane,
  type Reach,
  type RelayRecipient,
  type RelayState,
  type Route,
  type SubmitOutcome,
  type Transport,
} from '../../src/sync/ports.ts';
import { seededBelow, seededRandom } from './seeded-random.ts';

export interface PumpedNetworkOptions {
  readonly seed: number | string;
  /** The part of direct and of ephemeral messages that vanishes. */
  readonly loss?: number;
  /** Whether devices find each other without addresses. */
  readonly lan?: boolean;
}

export interface FakeRelayLimits {
  readonly queueMessages: number;
  readonly queueBytes: number;
  readonly firstContactMessages: number;
}

/** Rounds without anything to pump before the network is held to be quiet: promises chain. */
const QUIET_ROUNDS = 20;

export class PumpedNetwork {
  readonly random: (length: number) => Uint8Array;
  loss: number;
  readonly lan: boolean;
  readonly relays = new Map<string, FakeRelay>();
  readonly #transports = new Map<DeviceId, PumpedTransport>();
  readonly #ways = new Map<string, (() => void)[]>();
  readonly #offline = new Set<string>();
  readonly #blocked = new Set<string>();
  #connections = 0;
  #islands: readonly ReadonlySet<string>[] = [];

  constructor({ seed, loss = 0, lan = false }: PumpedNetworkOptions) {
    this.random = seededRandom(`network ${seed}`);
    this.loss = loss;
    this.lan = lan;
  }

  /** `name` is its host. Whoever registers needs the token in the address. */
  addRelay(name = `relay${this.relays.size + 1}`, limits: Partial<FakeRelayLimits> = {}): FakeRelay {
    const address: RelayAddress = { host: name, port: 2492, key: this.random(32), token: 'token' };
    const relay = new FakeRelay(this, address, limits);
    this.relays.set(name, relay);
    return relay;
  }

  /** A device's transport. A device that restarts asks again: the one before must have stopped. */
  createTransport(device: DeviceId, options: { readonly listens?: boolean } = {}): PumpedTransport {
    const before = this.#transports.get(device);
    if (before && !before.isStopped) throw new Error('the device has a transport already');
    const transport = new PumpedTransport(this, device, options.listens ?? true);
    this.#transports.set(device, transport);
    return transport;
  }

  setOnline(device: DeviceId, online: boolean): void {
    if (online) this.#offline.delete(device);
    else this.#offline.add(device);
    this.changed();
  }

  /** Whether the direct path between two is blocked, as by a firewall. */
  setBlocked(a: DeviceId, b: DeviceId, blocked: boolean): void {
    if (blocked) this.#blocked.add(pairKey(a, b));
    else this.#blocked.delete(pairKey(a, b));
    this.changed();
  }

  /** Devices (ids) and relays (names) see only who is on their island; who is on none sees everybody on none. */
  partition(islands: readonly (readonly string[])[]): void {
    this.#islands = islands.map((island) => new Set(island));
    this.changed();
  }

  heal(): void {
    this.partition([]);
  }

  /** Breaks a direct connection; what is on its way is lost. */
  cut(a: DeviceId, b: DeviceId): void {
    this.#disconnect(a, b);
    this.changed();
  }

  get inFlight(): number {
    let count = 0;
    for (const way of this.#ways.values()) count += way.length;
    return count;
  }

  /** Moves one thing; false where nothing is on its way. */
  step(): boolean {
    const ways = [...this.#ways].filter(([, way]) => way.length > 0);
    if (ways.length === 0) return false;
    const [key, way] = ways[seededBelow(this.random, ways.length)]!;
    const move = way.shift()!;
    if (way.length === 0) this.#ways.delete(key);
    move();
    return true;
  }

  /** Pumps until nothing moves any more, with time between for promises; answers how many steps that took. */
  async settle(most = 1_000_000): Promise<number> {
    let steps = 0;
    for (let quiet = 0; quiet < QUIET_ROUNDS; quiet++) {
      while (this.step()) {
        quiet = 0;
        if (++steps > most) throw new Error(`the network does not settle in ${most} steps`);
        await Promise.resolve();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    return steps;
  }

  // ---- for transports and relays --------------------------------------------------------------------------------

  enqueue(way: string, move: () => void): void {
    const queue = this.#ways.get(way);
    if (queue) queue.push(move);
    else this.#ways.set(way, [move]);
  }

  drop(way: string): void {
    this.#ways.delete(way);
  }

  loses(): boolean {
    return this.loss > 0 && seededBelow(this.random, 1_000_000) < this.loss * 1_000_000;
  }

  sees(a: string, b: string): boolean {
    if (this.#offline.has(a) || this.#offline.has(b)) return false;
    return this.#islandOf(a) === this.#islandOf(b);
  }

  transport(device: DeviceId): PumpedTransport | undefined {
    const transport = this.#transports.get(device);
    return transport?.isRunning === true ? transport : undefined;
  }

  /** Makes and breaks connections after anything has changed. */
  changed(): void {
    const running = [...this.#transports.values()].filter((transport) => transport.isRunning);
    for (const [i, a] of running.entries()) {
      for (const b of running.slice(i + 1)) this.#reconcile(a, b);
    }
    for (const transport of running) transport.reconsiderRelay();
  }

  forget(device: DeviceId): void {
    for (const other of this.#transports.values()) this.#disconnect(device, other.device);
  }

  #reconcile(a: PumpedTransport, b: PumpedTransport): void {
    const isWanted = a.dials(b) || b.dials(a);
    const isPossible = this.sees(a.device, b.device) && !this.#blocked.has(pairKey(a.device, b.device));
    if (!isWanted || !isPossible) return this.#disconnect(a.device, b.device);
    if (a.isLinked(b.device)) return;
    const connection = ++this.#connections;
    a.link(b.device, connection);
    b.link(a.device, connection);
    // Both ends learn of it in one step, so that nothing arrives from whom one does not reach yet.
    this.enqueue(`link ${pairKey(a.device, b.device)}`, () => {
      a.tellLinked(b.device, connection);
      b.tellLinked(a.device, connection);
    });
  }

  #disconnect(a: DeviceId, b: DeviceId): void {
    if (a === b) return;
    this.drop(wayOf(a, b));
    this.drop(wayOf(b, a));
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const transport = this.#transports.get(to);
      if (!transport?.isLinked(from)) continue;
      transport.unlink(from);
      this.enqueue(`link ${pairKey(a, b)}`, () => transport.tellLost(from));
    }
  }

  #islandOf(name: string): number {
    return this.#islands.findIndex((island) => island.has(name));
  }
}

export class PumpedTransport implements Transport {
  readonly device: DeviceId;
  readonly listening: readonly string[];
  readonly #network: PumpedNetwork;
  /** The number of the connection that stands to each device, and of the one that the engine was told of. */
  readonly #links = new Map<DeviceId, number>();
  readonly #told = new Map<DeviceId, number>();
  readonly #queuedBytes = new Map<DeviceId, number>();
  #routes: readonly Route[] = [];
  #relayText: string | undefined;
  #relayState: RelayState = { state: 'off' };
  #capabilities: readonly Uint8Array[] = [];
  #state: 'new' | 'running' | 'stopped' = 'new';

  readonly #arrivals = new Emitter<Arrived>();
  readonly #reaches = new Emitter<{ readonly device: DeviceId; readonly reach: Reach }>();
  readonly #relayStates = new Emitter<RelayState>();
  readonly #gaps = new Emitter<void>();
  readonly onArrived = this.#arrivals.event;
  readonly onReach = this.#reaches.event;
  readonly onRelayState = this.#relayStates.event;
  readonly onGap = this.#gaps.event;
  readonly onListening = new Emitter<readonly string[]>().event;

  constructor(network: PumpedNetwork, device: DeviceId, listens: boolean) {
    this.#network = network;
    this.device = device;
    this.listening = listens ? [`${device.slice(0, 16)}.fake:2492`] : [];
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  get relayState(): RelayState {
    return this.#relayState;
  }

  async start(): Promise<void> {
    this.#state = 'running';
    this.#network.changed();
  }

  async stop(): Promise<void> {
    this.#leaveRelay();
    this.#state = 'stopped';
    this.#network.forget(this.device);
  }

  setRoutes(routes: readonly Route[]): void {
    this.#routes = routes;
    this.#network.changed();
  }

  setRelay(text: string | undefined): void {
    if (text !== this.#relayText) this.#leaveRelay();
    this.#relayText = text;
    if (text === undefined) this.#setRelayState({ state: 'off' });
    this.reconsiderRelay();
  }

  setCapabilities(hashes: readonly Uint8Array[]): void {
    this.#capabilities = hashes;
    const relay = this.#ownRelay();
    if (relay && this.#relayState.state === 'connected') {
      this.#network.enqueue(upOf(this.device, relay), () => relay.confirm(this.device, hashes));
    }
  }

  reach(device: DeviceId): Reach {
    return this.#told.has(device) ? 'direct' : 'none';
  }

  send(device: DeviceId, bytes: Uint8Array, lane: Lane): boolean {
    void lane;
    const peer = this.#network.transport(device);
    const queued = this.#queuedBytes.get(device) ?? 0;
    const link = this.#links.get(device);
    if (!this.isRunning || !peer || link === undefined || link !== this.#told.get(device)) return false;
    if (queued + bytes.length > MAX_SEND_BUFFER_BYTES) return false;
    if (this.#network.loses()) return true;
    this.#queuedBytes.set(device, queued + bytes.length);
    // The wire has its own bytes: a sender who changes his afterwards changes nothing.
    const copy = bytes.slice();
    this.#network.enqueue(wayOf(this.device, device), () => {
      this.#queuedBytes.set(device, (this.#queuedBytes.get(device) ?? copy.length) - copy.length);
      if (peer.isRunning) peer.arrive({ from: this.device, path: 'direct', bytes: copy, handled: () => {} });
    });
    return true;
  }

  async submit(
    recipients: readonly RelayRecipient[],
    bytes: Uint8Array,
    { ephemeral }: { readonly ephemeral: boolean },
  ): Promise<readonly SubmitOutcome[]> {
    const copy = bytes.slice();
    return Promise.all(
      recipients.map(({ device, relay: text, capability }) =>
        this.#ask<SubmitOutcome>(text, 'unavailable', (relay) =>
          ephemeral
            ? relay.passOn(this.device, device, capability, copy)
            : relay.place(this.device, device, capability, copy),
        ),
      ),
    );
  }

  async putParcel(id: Uint8Array, bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice();
    const stored = await this.#ask(this.#relayText ?? '', undefined, (relay) => {
      relay.parcels.set(toHex(id), copy);
      return true;
    });
    if (!stored) throw new TransportError(this.isStopped ? 'stopped' : 'unreachable', 'no relay');
  }

  async getParcel(text: string, id: Uint8Array, offset: number, length: number): ReturnType<Transport['getParcel']> {
    const found = await this.#ask(text, undefined, (relay) => ({ bytes: relay.parcels.get(toHex(id)) }));
    if (!found) throw new TransportError(this.isStopped ? 'stopped' : 'unreachable', 'no relay');
    if (!found.bytes) return undefined;
    return { total: found.bytes.length, bytes: found.bytes.slice(offset, offset + length) };
  }

  async dropParcel(id: Uint8Array): Promise<void> {
    const dropped = await this.#ask(this.#relayText ?? '', undefined, (relay) => {
      relay.parcels.delete(toHex(id));
      return true;
    });
    if (!dropped) throw new TransportError(this.isStopped ? 'stopped' : 'unreachable', 'no relay');
  }

  // ---- for the network and its relays ---------------------------------------------------------------------------

  dials(other: PumpedTransport): boolean {
    const route = this.#routes.find(({ device }) => device === other.device);
    if (!route || other.listening.length === 0) return false;
    return this.#network.lan || route.addresses.some((address) => other.listening.includes(address));
  }

  isLinked(device: DeviceId): boolean {
    return this.#links.has(device);
  }

  link(device: DeviceId, connection: number): void {
    this.#links.set(device, connection);
  }

  unlink(device: DeviceId): void {
    this.#links.delete(device);
    this.#queuedBytes.delete(device);
  }

  tellLinked(device: DeviceId, connection: number): void {
    if (!this.isRunning || this.#links.get(device) !== connection) return;
    this.#told.set(device, connection);
    this.#reaches.fire({ device, reach: 'direct' });
  }

  tellLost(device: DeviceId): void {
    if (this.#told.delete(device) && this.isRunning) this.#reaches.fire({ device, reach: 'none' });
  }

  arrive(arrived: Arrived): void {
    this.#arrivals.fire(arrived);
  }

  gap(): void {
    this.#gaps.fire();
  }

  /** Connects to the own relay where that is possible now, and notices where it no longer is. */
  reconsiderRelay(): void {
    if (!this.isRunning || this.#relayText === undefined) return;
    const address = readRelayAddress(this.#relayText);
    if (!address) return this.#setRelayState({ state: 'failed', reason: 'badAddress', detail: 'not an address' });
    const relay = this.#network.relays.get(address.host);
    if (!relay || !relay.isUp || !this.#network.sees(this.device, relay.name)) {
      if (relay) this.#network.drop(downOf(relay, this.device));
      relay?.leave(this.device);
      return this.#setRelayState({ state: 'failed', reason: 'unreachable', detail: 'no answer' });
    }
    if (toHex(relay.address.key) !== toHex(address.key)) {
      return this.#setRelayState({ state: 'failed', reason: 'wrongKey', detail: 'another key' });
    }
    if (relay.address.token !== address.token) {
      return this.#setRelayState({ state: 'failed', reason: 'refused', detail: 'another token' });
    }
    if (this.#relayState.state === 'connected' || this.#relayState.state === 'connecting') return;
    this.#setRelayState({ state: 'connecting' });
    this.#network.enqueue(upOf(this.device, relay), () => {
      if (this.#relayState.state !== 'connecting' || this.#ownRelay() !== relay) return;
      relay.confirm(this.device, this.#capabilities);
      this.#network.enqueue(downOf(relay, this.device), () => this.#setRelayState({ state: 'connected' }));
      relay.subscribe(this.device);
    });
  }

  #ownRelay(): FakeRelay | undefined {
    const address = this.#relayText === undefined ? undefined : readRelayAddress(this.#relayText);
    return address && this.#network.relays.get(address.host);
  }

  #leaveRelay(): void {
    const relay = this.#ownRelay();
    if (!relay) return;
    relay.leave(this.device);
    this.#network.drop(downOf(relay, this.device));
    if (this.isRunning) this.#setRelayState({ state: 'off' });
  }

  /** A request and its answer, each of which may find the way broken. */
  #ask<T>(text: string, otherwise: T, act: (relay: FakeRelay) => T): Promise<T> {
    const address = readRelayAddress(text);
    const relay = address && this.#network.relays.get(address.host);
    const isThere = () =>
      this.isRunning &&
      relay?.isUp === true &&
      toHex(relay.address.key) === toHex(address?.key ?? relay.address.key) &&
      this.#network.sees(this.device, relay.name);
    return new Promise((resolve) => {
      // The answers have their own way: a subscription that is dropped must not leave a promise open.
      const way = `ask ${this.device} ${relay?.name ?? ''}`;
      this.#network.enqueue(way, () => {
        if (!relay || !isThere()) return resolve(otherwise);
        const value = act(relay);
        this.#network.enqueue(way, () => resolve(isThere() ? value : otherwise));
      });
    });
  }

  #setRelayState(state: RelayState): void {
    if (JSON.stringify(state) === JSON.stringify(this.#relayState)) return;
    this.#relayState = state;
    this.#relayStates.fire(state);
  }
}

interface Entry {
  readonly position: number;
  readonly from: DeviceId;
  /** Absent for a marker: something was not kept. */
  readonly bytes: Uint8Array | undefined;
  readonly isFirstContact: boolean;
  handled: boolean;
}

/** The relay's rules as far as an engine can notice them: queues, capabilities, first contact, fullness, at least once. */
export class FakeRelay {
  readonly address: RelayAddress;
  readonly limits: FakeRelayLimits;
  readonly parcels = new Map<string, Uint8Array>();
  readonly #network: PumpedNetwork;
  /** By device: what its capabilities' hashes are, and what waits for it. */
  readonly #registered = new Map<DeviceId, { hashes: ReadonlySet<string>; readonly queue: Entry[] }>();
  readonly #subscribed = new Set<DeviceId>();
  #position = 0;
  #isUp = true;

  constructor(network: PumpedNetwork, address: RelayAddress, limits: Partial<FakeRelayLimits>) {
    this.#network = network;
    this.address = address;
    this.limits = {
      queueMessages: limits.queueMessages ?? RELAY_QUEUE_MESSAGES,
      queueBytes: limits.queueBytes ?? RELAY_QUEUE_BYTES,
      firstContactMessages: limits.firstContactMessages ?? RELAY_FIRST_CONTACT_MESSAGES,
    };
  }

  get name(): string {
    return this.address.host;
  }

  /** Its address as text, with the token. */
  get text(): string {
    return writeRelayAddress(this.address);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  setUp(up: boolean): void {
    this.#isUp = up;
    this.#network.changed();
  }

  /** What waits for a device: delivered or not, but not acknowledged. */
  queued(device: DeviceId): number {
    return this.#registered.get(device)?.queue.length ?? 0;
  }

  /** Everything that it keeps: for tests that search it for what it must not know. */
  contents(): readonly Uint8Array[] {
    const bodies = [...this.#registered.values()].flatMap(({ queue }) => queue.map(({ bytes }) => bytes));
    return [...bodies.filter((bytes) => bytes !== undefined), ...this.parcels.values()];
  }

  confirm(device: DeviceId, hashes: readonly Uint8Array[]): void {
    const known = this.#registered.get(device);
    const set = new Set(hashes.map(toHex));
    if (known) known.hashes = set;
    else this.#registered.set(device, { hashes: set, queue: [] });
  }

  /** Everything that is not acknowledged comes (again). */
  subscribe(device: DeviceId): void {
    this.#subscribed.add(device);
    for (const entry of this.#registered.get(device)?.queue ?? []) {
      entry.handled = false;
      this.#deliver(device, entry);
    }
  }

  leave(device: DeviceId): void {
    this.#subscribed.delete(device);
  }

  place(from: DeviceId, to: DeviceId, capability: Uint8Array, bytes: Uint8Array): SubmitOutcome {
    const recipient = this.#registered.get(to);
    if (bytes.length > MAX_MESSAGE_BYTES - 1024) return 'tooLarge';
    if (!recipient) return 'refused';
    const isFirstContact = !this.#admits(recipient.hashes, capability);
    if (isFirstContact) {
      const waiting = recipient.queue.filter((entry) => entry.isFirstContact).length;
      if (waiting >= this.limits.firstContactMessages) return 'refused';
    } else if (!this.#hasRoom(recipient.queue, bytes.length)) {
      const last = recipient.queue.at(-1);
      if (!last || last.bytes) this.#add(to, recipient.queue, from, undefined, false);
      return 'full';
    }
    this.#add(to, recipient.queue, from, bytes, isFirstContact);
    return 'ok';
  }

  passOn(from: DeviceId, to: DeviceId, capability: Uint8Array, bytes: Uint8Array): SubmitOutcome {
    const recipient = this.#registered.get(to);
    if (!recipient || !this.#admits(recipient.hashes, capability) || !this.#subscribed.has(to)) return 'unavailable';
    if (this.#network.loses()) return 'ok';
    this.#network.enqueue(downOf(this, to), () =>
      this.#network.transport(to)?.arrive({ from, path: 'relay', bytes: bytes.slice(), handled: () => {} }),
    );
    return 'ok';
  }

  #admits(hashes: ReadonlySet<string>, capability: Uint8Array): boolean {
    return hashes.has(createHash('sha256').update(capability).digest('hex'));
  }

  #hasRoom(queue: readonly Entry[], more: number): boolean {
    const bytes = queue.reduce((sum, entry) => sum + (entry.bytes?.length ?? 0), more);
    return queue.length < this.limits.queueMessages && bytes <= this.limits.queueBytes;
  }

  #add(to: DeviceId, queue: Entry[], from: DeviceId, bytes: Uint8Array | undefined, isFirstContact: boolean): void {
    const entry = { position: ++this.#position, from, bytes, isFirstContact, handled: false };
    queue.push(entry);
    if (this.#subscribed.has(to)) this.#deliver(to, entry);
  }

  #deliver(to: DeviceId, entry: Entry): void {
    this.#network.enqueue(downOf(this, to), () => {
      const transport = this.#network.transport(to);
      if (!transport) return;
      const { bytes } = entry;
      const handled = () => this.#handled(to, entry);
      if (bytes) return transport.arrive({ from: entry.from, path: 'relay', bytes: bytes.slice(), handled });
      transport.gap();
      handled();
    });
  }

  /** An acknowledgement travels too, and covers only what stands before it. */
  #handled(device: DeviceId, entry: Entry): void {
    entry.handled = true;
    this.#network.enqueue(`up ${device} ${this.name}`, () => {
      if (!this.#subscribed.has(device)) return;
      const queue = this.#registered.get(device)?.queue ?? [];
      while (queue[0]?.handled) queue.shift();
    });
  }
}

function wayOf(from: DeviceId, to: DeviceId): string {
  return `direct ${from} ${to}`;
}

function upOf(device: DeviceId, relay: FakeRelay): string {
  return `up ${device} ${relay.name}`;
}

function downOf(relay: FakeRelay, device: DeviceId): string {
  return `down ${relay.name} ${device}`;
}

function pairKey(a: DeviceId, b: DeviceId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
