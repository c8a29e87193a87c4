/**
 * LAN presence (T2): announces this device by UDP multicast on IPv4 and IPv6 every 30 s and at once when someone appears, and
 * reports the addresses of the devices it looks for. It is a convenience: whatever fails here (no network, no multicast, a
 * firewall) is let be, and tried again with the next announcement. A datagram that says something false costs one connection
 * attempt, since whoever answers must prove the device.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { Emitter } from '../base/event.ts';
import type { DeviceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Clock } from '../sync/ports.ts';
import { isLoopback, machineAdapters, writeAddress } from './addresses.ts';
import {
  ANNOUNCEMENT_BYTES,
  hourOf,
  readAnnouncement,
  tagOf,
  TagTable,
  writeAnnouncement,
} from './lan-announcement.ts';
import type { Tap } from './meter.ts';
import { TokenBucket } from './token-bucket.ts';

export interface LanGroup {
  /** IPv4 multicast group. */
  readonly group: string;
  readonly port: number;
  /** IPv4 address of the one adapter to use. */
  readonly interface: string;
}

/** Organisation-local (RFC 2365), and link-local and transient (RFC 4291); the port is that of T1. */
const GROUP_4 = '239.192.24.92';
const GROUP_6 = 'ff12::2492';
const GROUP_PORT = 2492;
const ANNOUNCE_MS = 30_000;
/** Heard less long ago: not someone new. */
const APPEARED_MS = 65_000;
/** However many appear, we answer not more often. */
const ANSWER_MS = 1_000;
/** Datagrams looked at: a LAN of 250 devices that all announce at once. */
const DATAGRAM_BURST = 500;
const DATAGRAMS_PER_S = 50;
const MAX_ADAPTERS = 8;

interface Adapter {
  readonly family: 4 | 6;
  /** As `setMulticastInterface` takes it. */
  readonly name: string;
}

interface LanTime {
  /** What is waited by. */
  readonly clock: Clock;
  /** By what the hour in the tags is told: others tell it by theirs. */
  readonly wall_ms: () => number;
}

export class LanDiscovery {
  readonly #crypto: Crypto;
  readonly #clock: Clock;
  readonly #wall_ms: () => number;
  readonly #own: DeviceId;
  readonly #choice: LanGroup | undefined;
  readonly #tap: Tap | undefined;
  readonly #tags: TagTable;
  readonly #bucket: TokenBucket;
  readonly #lastHeard_ms = new Map<DeviceId, number>();
  #listeners: Socket[] = [];
  readonly #senders = new Map<string, Socket>();
  #running = false;
  #port = 0;
  #onlyLoopback = false;
  #announced_ms = -Infinity;
  #answering = false;
  #cancelWake: () => void = () => {};
  #cancelAnswer: () => void = () => {};

  readonly #found = new Emitter<{ readonly device: DeviceId; readonly address: string }>();
  readonly onFound = this.#found.event;

  constructor(crypto: Crypto, time: LanTime, own: DeviceId, choice: LanGroup | undefined, tap: Tap | undefined) {
    this.#crypto = crypto;
    this.#clock = time.clock;
    this.#wall_ms = time.wall_ms;
    this.#own = own;
    this.#choice = choice;
    this.#tap = tap;
    this.#tags = new TagTable(crypto);
    this.#bucket = new TokenBucket(DATAGRAM_BURST, DATAGRAMS_PER_S, this.#clock.now());
  }

  /** `port` 0 where nothing listens; a listener on loopback is announced there alone. */
  async start(listener: { readonly host: string; readonly port: number }): Promise<void> {
    this.#running = true;
    this.#port = listener.port;
    this.#onlyLoopback = listener.port !== 0 && isLoopback(listener.host);
    await Promise.all([this.#listen(4), ...(this.#choice ? [] : [this.#listen(6)])]);
    this.#announceRegularly();
  }

  stop(): void {
    this.#running = false;
    this.#cancelWake();
    this.#cancelAnswer();
    for (const socket of [...this.#listeners, ...this.#senders.values()]) close(socket);
    this.#listeners = [];
    this.#senders.clear();
  }

  lookFor(devices: readonly DeviceId[]): void {
    this.#tags.set(devices);
    const looked = new Set(devices);
    let isNew = false;
    for (const device of looked) isNew ||= !this.#lastHeard_ms.has(device);
    for (const device of [...this.#lastHeard_ms.keys()]) if (!looked.has(device)) this.#lastHeard_ms.delete(device);
    if (isNew) this.#announceSoon();
  }

  #announceRegularly(): void {
    this.#announce();
    this.#cancelWake = this.#clock.wakeAt(this.#clock.now() + ANNOUNCE_MS, () => this.#announceRegularly());
  }

  #announceSoon(): void {
    if (!this.#running || this.#answering) return;
    const earliest_ms = this.#announced_ms + ANSWER_MS;
    if (this.#clock.now() >= earliest_ms) return this.#announce();
    this.#answering = true;
    this.#cancelAnswer = this.#clock.wakeAt(earliest_ms, () => {
      this.#answering = false;
      this.#announce();
    });
  }

  #announce(): void {
    if (!this.#running) return;
    this.#announced_ms = this.#clock.now();
    const datagram = writeAnnouncement(tagOf(this.#crypto, this.#own, hourOf(this.#wall_ms())), this.#port);
    const adapters = this.#adapters();
    for (const [key, socket] of [...this.#senders]) {
      if (!adapters.some((adapter) => keyOf(adapter) === key)) this.#dropSender(key, socket);
    }
    for (const adapter of adapters) {
      this.#join(adapter);
      this.#sendOn(adapter, datagram);
    }
  }

  #sendOn(adapter: Adapter, datagram: Uint8Array): void {
    const key = keyOf(adapter);
    const group = adapter.family === 6 ? GROUP_6 : (this.#choice?.group ?? GROUP_4);
    const send = (socket: Socket): void => {
      this.#tap?.('sent', 'lan', datagram);
      socket.send(datagram, this.#choice?.port ?? GROUP_PORT, group, (error) => {
        if (error) this.#dropSender(key, socket);
      });
    };
    const open = this.#senders.get(key);
    if (open) return quietly(() => send(open));
    const socket = createSocket({ type: adapter.family === 6 ? 'udp6' : 'udp4' });
    this.#senders.set(key, socket);
    socket.unref();
    socket.on('error', () => this.#dropSender(key, socket));
    const address = adapter.family === 6 ? '::' : adapter.name;
    socket.bind({ port: 0, address, exclusive: true }, () => {
      quietly(() => {
        socket.setMulticastInterface(adapter.name);
        socket.setMulticastLoopback(true);
        socket.setMulticastTTL(1);
        send(socket);
      });
    });
  }

  #dropSender(key: string, socket: Socket): void {
    if (this.#senders.get(key) === socket) this.#senders.delete(key);
    close(socket);
  }

  async #listen(family: 4 | 6): Promise<void> {
    const socket =
      family === 4
        ? createSocket({ type: 'udp4', reuseAddr: true })
        : createSocket({ type: 'udp6', reuseAddr: true, ipv6Only: true });
    socket.unref();
    const bound = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.bind({ port: this.#choice?.port ?? GROUP_PORT, exclusive: false }, () => resolve(true));
    });
    if (!bound || !this.#isRunning()) return close(socket);
    socket.on('error', () => {
      this.#listeners = this.#listeners.filter((listener) => listener !== socket);
      close(socket);
    });
    socket.on('message', (datagram, from) => this.#onDatagram(datagram, from));
    this.#listeners.push(socket);
  }

  /** Adapters come and go: joining is repeated, and refused where it stands. */
  #join({ family, name }: Adapter): void {
    const group = family === 6 ? GROUP_6 : (this.#choice?.group ?? GROUP_4);
    for (const listener of this.#listeners) {
      quietly(() => {
        if ((listener.address().family === 'IPv6') === (family === 6)) listener.addMembership(group, name);
      });
    }
  }

  #onDatagram(datagram: Uint8Array, from: RemoteInfo): void {
    const now_ms = this.#clock.now();
    if (!this.#running || datagram.length !== ANNOUNCEMENT_BYTES || !this.#bucket.take(1, now_ms)) return;
    const announcement = readAnnouncement(datagram);
    const device = announcement && this.#tags.find(announcement.tag, this.#wall_ms());
    if (!announcement || device === undefined) return;
    this.#tap?.('received', 'lan', datagram);
    const before_ms = this.#lastHeard_ms.get(device) ?? -Infinity;
    this.#lastHeard_ms.set(device, now_ms);
    // Who does not listen is answered only by who does, or two of them would answer each other for ever.
    const isAsking = announcement.port === 0 && this.#port !== 0;
    if (now_ms - before_ms > APPEARED_MS || isAsking) this.#announceSoon();
    if (announcement.port !== 0) this.#found.fire({ device, address: writeAddress(from.address, announcement.port) });
  }

  #adapters(): readonly Adapter[] {
    if (this.#choice) return [{ family: 4, name: this.#choice.interface }];
    const found: Adapter[] = [];
    for (const [name, addresses] of Object.entries(machineAdapters())) {
      for (const { address, family, internal } of addresses ?? []) {
        if (this.#onlyLoopback && !internal) continue;
        if (family === 'IPv4') found.push({ family: 4, name: address });
        else if (address.toLowerCase().startsWith('fe80:')) found.push({ family: 6, name: `::%${name}` });
      }
    }
    return found.slice(0, MAX_ADAPTERS);
  }

  /** Apart, because it may have been stopped while a socket was being bound. */
  #isRunning(): boolean {
    return this.#running;
  }
}

function keyOf({ family, name }: Adapter): string {
  return `${family} ${name}`;
}

/** What the network refuses is let be. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // No multicast here, or the adapter has just gone.
  }
}

function close(socket: Socket): void {
  quietly(() => socket.close());
}
