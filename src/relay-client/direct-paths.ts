/**
 * The direct rung (T1): keeps a connection to every device that a route names, and takes in whoever proves a device.
 *
 * | rule | figure |
 * | --- | --- |
 * | tries again after all addresses failed | 0.5 s doubling to 60 s, jittered; at once with a new address, every HURRY_MS at most |
 * | the higher device id lets the other dial first | 100 ms, on the first try |
 * | devices that no route names | MAX_STRANGER_CONNECTIONS, the oldest gives way; STRANGER_* rates |
 */
import { Emitter } from '../base/event.ts';
import type { DeviceId } from '../base/ids.ts';
import type { ChannelPeer } from '../protocol/channel.ts';
import {
  MAX_ADDRESSES,
  MAX_INBOUND_CONNECTIONS,
  MAX_LAN_CANDIDATES,
  MAX_STRANGER_CONNECTIONS,
  STRANGER_BURST_BYTES,
  STRANGER_BURST_FRAMES,
  STRANGER_BYTES_PER_S,
  STRANGER_FRAMES_PER_S,
} from '../protocol/limits.ts';
import type { Lane, Reach, Route } from '../sync/ports.ts';
import { readAddress } from './addresses.ts';
import { Backoff } from './backoff.ts';
import { dial } from './dial.ts';
import { Dialer } from './dialer.ts';
import { DirectPeer } from './direct-peer.ts';
import type { LinkContext, LinkEvents, SecureLink } from './secure-link.ts';
import { TokenBucket } from './token-bucket.ts';

const FIRST_RETRY_MS = 500;
const MOST_RETRY_MS = 60_000;
const LOWER_FIRST_MS = 100;
/** A connection that lasted this long was a good one: its end starts the tries anew. */
const STEADY_MS = 10_000;
/** An announcement is repeated every 30 s; three missed ones and the address is old. */
const LAN_ADDRESS_MS = 95_000;
/** However often someone on the LAN claims to be a device, or a member says that he is elsewhere, no address is dialled for it more often. */
const HURRY_MS = 2_000;

export interface DirectPacket {
  readonly from: DeviceId;
  readonly bytes: Uint8Array;
}

/** A device that a route names. */
interface Wanted {
  readonly device: DeviceId;
  addresses: readonly string[];
  readonly heard: Map<string, number>;
  readonly backoff: Backoff;
  dialer: Dialer | undefined;
  /** Tries what was just heard, while all that was known before is being tried. */
  beside: Dialer | undefined;
  cancelWake: () => void;
  hurried_ms: number;
  /** When it was last connected. */
  since_ms: number;
}

export class DirectPaths {
  readonly #context: LinkContext;
  readonly #own: DeviceId;
  readonly #random: () => number;
  readonly #wanted = new Map<DeviceId, Wanted>();
  /** Every device with a connection, wanted or not; strangers in the order they came. */
  readonly #peers = new Map<DeviceId, DirectPeer>();
  readonly #pending = new Set<SecureLink>();
  #running = false;

  readonly #packets = new Emitter<DirectPacket>();
  readonly #reaches = new Emitter<{ readonly device: DeviceId; readonly reach: Reach }>();
  readonly onPacket = this.#packets.event;
  readonly onReach = this.#reaches.event;

  constructor(context: LinkContext, own: DeviceId, random: () => number) {
    this.#context = context;
    this.#own = own;
    this.#random = random;
  }

  start(): void {
    this.#running = true;
    for (const wanted of this.#wanted.values()) this.#dialSoon(wanted, this.#headStart(wanted));
  }

  stop(): void {
    this.#running = false;
    for (const wanted of this.#wanted.values()) this.#rest(wanted);
    for (const link of [...this.#pending]) link.destroy();
    for (const peer of [...this.#peers.values()]) for (const link of peer.links) link.destroy();
  }

  setRoutes(routes: readonly Route[]): void {
    const named = new Map(routes.filter(({ device }) => device !== this.#own).map((route) => [route.device, route]));
    for (const wanted of [...this.#wanted.values()]) if (!named.has(wanted.device)) this.#letGo(wanted);
    for (const route of named.values()) this.#want(route);
  }

  isWanted(device: DeviceId): boolean {
    return this.#wanted.has(device);
  }

  reach(device: DeviceId): Reach {
    return this.#peers.has(device) ? 'direct' : 'none';
  }

  send(device: DeviceId, bytes: Uint8Array, lane: Lane): boolean {
    return this.#peers.get(device)?.link?.send(lane, bytes) ?? false;
  }

  /** An address that a device was heard to have: tried beside those of its route, for as long as it is heard. */
  heard(device: DeviceId, address: string): void {
    const wanted = this.#wanted.get(device);
    if (!wanted) return;
    const now_ms = this.#context.clock.now();
    wanted.heard.delete(address);
    wanted.heard.set(address, now_ms);
    if (wanted.heard.size > MAX_LAN_CANDIDATES) wanted.heard.delete([...wanted.heard.keys()][0]!);
    if (this.#peers.has(device) || now_ms - wanted.hurried_ms < HURRY_MS) return;
    if (wanted.dialer) this.#dialBeside(wanted, address);
    else this.#hurry(wanted);
  }

  /** Anybody on the LAN can make a device be heard: what is under way goes on. */
  #dialBeside(wanted: Wanted, address: string): void {
    wanted.hurried_ms = this.#context.clock.now();
    wanted.beside?.cancel();
    wanted.beside = this.#dialer(wanted, [address], () => {});
    wanted.beside.start();
  }

  /** There is something new to try: now, or as soon as that is not too often. */
  #hurry(wanted: Wanted): void {
    const now_ms = this.#context.clock.now();
    const wait_ms = Math.max(0, wanted.hurried_ms + HURRY_MS - now_ms);
    if (wait_ms === 0) {
      wanted.hurried_ms = now_ms;
      wanted.backoff.reset();
    }
    this.#rest(wanted);
    this.#dialSoon(wanted, wait_ms);
  }

  /** A socket that came in; `proved` is called once it is known to belong to a device. */
  accept(makeLink: (events: LinkEvents) => SecureLink, proved: () => void): void {
    const link: SecureLink = makeLink({
      established: (peer) => {
        this.#pending.delete(link);
        proved();
        if (!this.#running) link.destroy();
        else this.#adopt(link, peer);
      },
      packet: () => {},
      closed: () => void this.#pending.delete(link),
    });
    this.#pending.add(link);
  }

  #want(route: Route): void {
    const addresses = route.addresses.slice(0, MAX_ADDRESSES);
    const before = this.#wanted.get(route.device);
    if (before) {
      const isNew = addresses.some((address) => !before.addresses.includes(address));
      before.addresses = addresses;
      if (isNew && !this.#peers.has(route.device)) this.#hurry(before);
      return;
    }
    const wanted: Wanted = {
      device: route.device,
      addresses,
      heard: new Map(),
      backoff: new Backoff(FIRST_RETRY_MS, MOST_RETRY_MS, this.#random),
      dialer: undefined,
      beside: undefined,
      cancelWake: () => {},
      hurried_ms: -Infinity,
      since_ms: -Infinity,
    };
    this.#wanted.set(route.device, wanted);
    const peer = this.#peers.get(route.device);
    if (peer) for (const link of peer.links) link.limit(undefined);
    else this.#dialSoon(wanted, this.#headStart(wanted));
  }

  #letGo(wanted: Wanted): void {
    this.#wanted.delete(wanted.device);
    this.#rest(wanted);
    for (const link of this.#peers.get(wanted.device)?.links ?? []) link.end();
  }

  #headStart({ device }: Wanted): number {
    return this.#own < device ? 0 : LOWER_FIRST_MS;
  }

  #rest(wanted: Wanted): void {
    wanted.cancelWake();
    for (const dialer of [wanted.dialer, wanted.beside]) dialer?.cancel();
    wanted.dialer = wanted.beside = undefined;
  }

  #dialSoon(wanted: Wanted, after_ms: number): void {
    if (!this.#running) return;
    if (after_ms === 0) return this.#dial(wanted);
    wanted.cancelWake = this.#context.clock.wakeAt(this.#context.clock.now() + after_ms, () => this.#dial(wanted));
  }

  #dial(wanted: Wanted): void {
    if (!this.#running || wanted.dialer || this.#peers.has(wanted.device)) return;
    const now_ms = this.#context.clock.now();
    for (const [address, at_ms] of [...wanted.heard]) if (now_ms - at_ms > LAN_ADDRESS_MS) wanted.heard.delete(address);
    // What was heard a moment ago is the surest.
    const addresses = [...new Set([...[...wanted.heard.keys()].reverse(), ...wanted.addresses])];
    if (addresses.length === 0) return;
    wanted.dialer = this.#dialer(wanted, addresses, () => {
      wanted.dialer = undefined;
      this.#dialSoon(wanted, wanted.backoff.next());
    });
    wanted.dialer.start();
  }

  #dialer(wanted: Wanted, addresses: readonly string[], lost: () => void): Dialer {
    const open = (address: string, events: LinkEvents) => this.#open(wanted.device, address, events);
    const won = (link: SecureLink, peer: ChannelPeer) => {
      this.#rest(wanted);
      this.#adopt(link, peer);
    };
    return new Dialer(this.#context.clock, addresses, open, { won, lost });
  }

  #open(device: DeviceId, text: string, events: LinkEvents): SecureLink | undefined {
    const address = readAddress(text);
    return address && dial(this.#context, address, 'direct', { device }, events);
  }

  #adopt(link: SecureLink, { certificate }: ChannelPeer): void {
    const device = certificate?.device;
    // A relay has no certificate, and nothing to say here; oneself neither.
    if (device === undefined || device === this.#own) return link.destroy();
    const wanted = this.#wanted.get(device);
    if (!wanted && this.#peers.size >= MAX_INBOUND_CONNECTIONS) return link.destroy();
    if (!wanted) this.#limit(link, device);
    link.attach({
      established: () => {},
      packet: (_lane, bytes) => this.#packets.fire({ from: device, bytes }),
      closed: () => this.#lost(device, link),
    });
    const before = this.#peers.get(device);
    const peer = before ?? new DirectPeer(this.#own, device, this.#context.clock);
    this.#peers.set(device, peer);
    peer.add(link);
    if (wanted) {
      wanted.since_ms = this.#context.clock.now();
      this.#rest(wanted);
    }
    if (!before) this.#reaches.fire({ device, reach: 'direct' });
  }

  #lost(device: DeviceId, link: SecureLink): void {
    const peer = this.#peers.get(device);
    if (!peer) return;
    peer.remove(link);
    if (peer.link) return;
    this.#peers.delete(device);
    this.#reaches.fire({ device, reach: 'none' });
    const wanted = this.#wanted.get(device);
    if (!wanted || wanted.dialer || this.#peers.has(device)) return;
    // Whoever takes us in only to throw us out is not asked at full speed again.
    if (this.#context.clock.now() - wanted.since_ms >= STEADY_MS) wanted.backoff.reset();
    this.#dialSoon(wanted, wanted.backoff.next());
  }

  #limit(link: SecureLink, device: DeviceId): void {
    const { clock } = this.#context;
    const bytes = new TokenBucket(STRANGER_BURST_BYTES, STRANGER_BYTES_PER_S, clock.now());
    const frames = new TokenBucket(STRANGER_BURST_FRAMES, STRANGER_FRAMES_PER_S, clock.now());
    link.limit((size) => frames.take(1, clock.now()) && bytes.take(size, clock.now()));
    if (this.#peers.has(device)) return;
    const strangers = [...this.#peers.values()].filter((peer) => !this.#wanted.has(peer.device));
    if (strangers.length < MAX_STRANGER_CONNECTIONS) return;
    // No goodbye: whoever does not answer it would stand in others' way meanwhile.
    for (const oldest of strangers[0]!.links) oldest.destroy();
  }
}
