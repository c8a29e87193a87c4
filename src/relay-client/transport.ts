/**
 * The transport (T1–T3, S4): direct connections, this device's own relay, other people's relays, and LAN discovery, behind the
 * one port that the engine sees. Nothing on the way of a `send` or a `submit` waits for a timer: where a connection is open,
 * the bytes are on its socket when the call returns.
 */
import { assert } from '../base/assert.ts';
import { Emitter } from '../base/event.ts';
import { fromHex } from '../base/bytes.ts';
import type { DeviceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { readCertificate } from '../protocol/certificate.ts';
import { MAX_MESSAGE_BYTES, RELAY_MAX_CAPABILITIES } from '../protocol/limits.ts';
import { readRelayAddress, type RelayAddress } from '../protocol/relay-address.ts';
import {
  TransportError,
  type Arrived,
  type Clock,
  type Lane,
  type Reach,
  type RelayRecipient,
  type RelayState,
  type Route,
  type SubmitOutcome,
  type Transport,
} from '../sync/ports.ts';
import { reachableAddresses } from './addresses.ts';
import { DirectListener } from './direct-listener.ts';
import { DirectPaths } from './direct-paths.ts';
import { LanDiscovery, type LanGroup } from './lan-discovery.ts';
import { Meter, type Counters, type Tap } from './meter.ts';
import { RelayMailbox } from './relay-mailbox.ts';
import { RelayPool, type RelayEnd } from './relay-pool.ts';
import { SecureLink, type LinkContext } from './secure-link.ts';
import { SteadyClock, thisMachine } from './steady-clock.ts';

/** A laptop that changes its network has other addresses a moment later. */
const ADDRESSES_CHECK_MS = 30_000;

export interface TransportOptions {
  readonly crypto: Crypto;
  /** This device's certificate. */
  readonly certificate: Uint8Array;
  /** X25519 secret of the certificate's agreement key. */
  readonly agreementSecret: Uint8Array;
  /** What is waited by; the hour is never asked of it. */
  readonly clock?: Clock;
  /** Milliseconds since 1970, as the machine is set: by the hour the devices of a LAN know each other. */
  readonly wall_ms?: () => number;
  /** 0 does not listen; a taken one is followed by the next free. */
  readonly directPort: number | 'ephemeral';
  /** What to bind the listener to; everything where it is not said. */
  readonly host?: string;
  readonly lanDiscovery: boolean | LanGroup;
  /** For jitter alone. */
  readonly random?: () => number;
  readonly tap?: Tap;
}

export interface NetworkTransport extends Transport {
  readonly counters: Counters;
}

export function createTransport(options: TransportOptions): NetworkTransport {
  return new SocketTransport(options);
}

class SocketTransport implements NetworkTransport {
  readonly #options: TransportOptions;
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #listener: DirectListener;
  readonly #direct: DirectPaths;
  readonly #relays: RelayPool;
  readonly #lan: LanDiscovery | undefined;
  #mailbox: RelayMailbox | undefined;
  #ownRelay: { readonly text: string; readonly address: RelayAddress | undefined } | undefined;
  #capabilities: readonly Uint8Array[] = [];
  #relayState: RelayState = { state: 'off' };
  #listening: readonly string[] = [];
  #started = false;
  #stopped = false;
  #cancelWake: () => void = () => {};

  readonly #arrivals = new Emitter<Arrived>();
  readonly #relayStates = new Emitter<RelayState>();
  readonly #gaps = new Emitter<void>();
  readonly #listenings = new Emitter<readonly string[]>();
  readonly onArrived = this.#arrivals.event;
  readonly onReach: Transport['onReach'];
  readonly onRelayState = this.#relayStates.event;
  readonly onGap = this.#gaps.event;
  readonly onListening = this.#listenings.event;

  constructor(options: TransportOptions) {
    const { crypto, certificate, agreementSecret } = options;
    const own = readCertificate(crypto, certificate);
    assert(own.ok, 'the own certificate is sound');
    const { device } = own.value;
    const random = options.random ?? Math.random;
    this.#options = options;
    this.#clock = options.clock ?? new SteadyClock(thisMachine());
    this.#meter = new Meter(options.tap);
    const context: LinkContext = {
      crypto,
      clock: this.#clock,
      meter: this.#meter,
      identity: { staticSecret: agreementSecret, payload: certificate },
    };
    this.#direct = new DirectPaths(context, device, random);
    this.onReach = this.#direct.onReach;
    this.#direct.onPacket(({ from, bytes }) => this.#arrivals.fire({ from, path: 'direct', bytes, handled: () => {} }));
    this.#listener = new DirectListener(this.#clock, this.#meter, (ws, socket) =>
      this.#direct.accept(
        (events) => new SecureLink(context, 'direct', 'responder', 'any', ws, events),
        () => this.#listener.proved(socket),
      ),
    );
    this.#relays = new RelayPool(context, random);
    if (options.lanDiscovery !== false) {
      const choice = options.lanDiscovery === true ? undefined : options.lanDiscovery;
      const time = { clock: this.#clock, wall_ms: options.wall_ms ?? (() => Date.now()) };
      this.#lan = new LanDiscovery(crypto, time, device, choice, options.tap);
      this.#lan.onFound(({ device: found, address }) => this.#direct.heard(found, address));
    }
  }

  get counters(): Counters {
    return this.#meter.counters;
  }

  get listening(): readonly string[] {
    return this.#listening;
  }

  get relayState(): RelayState {
    return this.#relayState;
  }

  async start(): Promise<void> {
    assert(!this.#started, 'a transport starts once');
    this.#started = true;
    const { directPort, host } = this.#options;
    if (directPort !== 0) await this.#listener.listen(host ?? '::', directPort);
    if (this.#isStopped()) return this.#listener.close();
    this.#direct.start();
    this.#checkAddresses();
    this.#applyRelay();
    await this.#lan?.start({ host: this.#listener.host, port: this.#listener.port ?? 0 });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWake();
    this.#lan?.stop();
    this.#mailbox?.dispose();
    this.#mailbox = undefined;
    this.#relays.stop();
    this.#direct.stop();
    await this.#listener.close();
  }

  setRoutes(routes: readonly Route[]): void {
    this.#direct.setRoutes(routes);
    this.#lan?.lookFor(routes.map(({ device }) => device));
  }

  reach(device: DeviceId): Reach {
    return this.#direct.reach(device);
  }

  send(device: DeviceId, bytes: Uint8Array, lane: Lane): boolean {
    assert(bytes.length <= MAX_MESSAGE_BYTES, 'a message has at most MAX_MESSAGE_BYTES');
    return this.#direct.send(device, bytes, lane);
  }

  setRelay(text: string | undefined): void {
    const isWorking = this.#relayState.state === 'connected' || this.#relayState.state === 'connecting';
    if (isWorking && text === this.#ownRelay?.text) return;
    this.#ownRelay = text === undefined || text === '' ? undefined : { text, address: readRelayAddress(text) };
    if (this.#started && !this.#stopped) this.#applyRelay();
  }

  setCapabilities(hashes: readonly Uint8Array[]): void {
    this.#capabilities = hashes.slice(0, RELAY_MAX_CAPABILITIES);
    this.#mailbox?.setCapabilities(this.#capabilities);
  }

  async submit(
    recipients: readonly RelayRecipient[],
    bytes: Uint8Array,
    { ephemeral }: { readonly ephemeral: boolean },
  ): Promise<readonly SubmitOutcome[]> {
    const outcomes: SubmitOutcome[] = recipients.map(() => 'unavailable');
    const places = new Map<string, number[]>();
    recipients.forEach(({ relay }, at) => places.set(relay, [...(places.get(relay) ?? []), at]));
    const parts = [...places].map(async ([text, group]) => {
      const relay = this.#relayOf(text);
      if (!relay) return;
      const to = group.map((at) => ({
        device: fromHex(recipients[at]!.device)!,
        capability: recipients[at]!.capability,
      }));
      const answered = await relay.end.outbox.submit(to, relay.address.token, bytes, ephemeral);
      group.forEach((at, i) => (outcomes[at] = answered[i]!));
    });
    await Promise.all(parts);
    return outcomes;
  }

  async putParcel(id: Uint8Array, bytes: Uint8Array): Promise<void> {
    await this.#ownEnd().parcels.put(id, bytes);
  }

  async getParcel(text: string, id: Uint8Array, offset: number, length: number): ReturnType<Transport['getParcel']> {
    const relay = this.#relayOf(text);
    if (!relay) throw new TransportError(this.#stopped ? 'stopped' : 'unreachable', 'no such relay');
    return relay.end.parcels.get(id, offset, length);
  }

  async dropParcel(id: Uint8Array): Promise<void> {
    await this.#ownEnd().parcels.drop(id);
  }

  #ownEnd(): RelayEnd {
    const own = this.#ownRelay && this.#relayOf(this.#ownRelay.text);
    if (!own) throw new TransportError(this.#stopped ? 'stopped' : 'unreachable', 'no relay is set');
    return own.end;
  }

  #relayOf(text: string): { readonly end: RelayEnd; readonly address: RelayAddress } | undefined {
    const address = readRelayAddress(text);
    if (!address || this.#stopped || !this.#started) return undefined;
    return { end: this.#relays.at(address), address };
  }

  #applyRelay(): void {
    this.#mailbox?.dispose();
    this.#mailbox = undefined;
    if (!this.#ownRelay) return this.#setRelayState({ state: 'off' });
    const { address } = this.#ownRelay;
    if (!address) {
      return this.#setRelayState({
        state: 'failed',
        reason: 'badAddress',
        detail: 'this is not the address of a relay',
      });
    }
    const { connection } = this.#relays.at(address);
    this.#mailbox = new RelayMailbox(connection, address.token, this.#capabilities, this.#clock, {
      arrived: (from, bytes, handled) => this.#arrivals.fire({ from, path: 'relay', bytes, handled }),
      gap: () => this.#gaps.fire(),
      state: (state) => this.#setRelayState(state),
    });
    this.#mailbox.start();
  }

  #setRelayState(state: RelayState): void {
    if (JSON.stringify(state) === JSON.stringify(this.#relayState)) return;
    this.#relayState = state;
    this.#relayStates.fire(state);
  }

  #checkAddresses(): void {
    const { port, host } = this.#listener;
    if (port === undefined) return;
    const listening = reachableAddresses(host, port);
    if (listening.join() !== this.#listening.join()) {
      this.#listening = listening;
      this.#listenings.fire(listening);
    }
    this.#cancelWake = this.#clock.wakeAt(this.#clock.now() + ADDRESSES_CHECK_MS, () => this.#checkAddresses());
  }

  /** Apart, because it may be stopped while it starts. */
  #isStopped(): boolean {
    return this.#stopped;
  }
}
