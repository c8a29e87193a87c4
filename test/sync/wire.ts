/** A wire for sessions: direct queues in order, mailboxes at a relay, time that moves when nothing else does. One seed, one run. */
import assert from 'node:assert/strict';
import type { DeviceId } from '../../src/base/ids.ts';
import { decodeMessage, encodeMessage, type Message } from '../../src/sync/messages.ts';
import type { Outgoing } from '../../src/sync/outgoing.ts';
import { Session } from '../../src/sync/session.ts';
import { seededBelow, seededRandom } from '../fakes/seeded-random.ts';
import { NOW, type Copy } from './team.ts';

interface Letter {
  readonly from: DeviceId;
  readonly path: 'direct' | 'relay';
  readonly bytes: Uint8Array;
}

export class Station {
  readonly copy: Copy;
  readonly session: Session;
  readonly wire: Wire;
  hasRelay = true;

  constructor(wire: Wire, copy: Copy) {
    this.wire = wire;
    this.copy = copy;
    this.session = new Session(
      () => copy.replica,
      this.device,
      (device) => this.hasRelay && wire.stations.get(device)?.hasRelay === true,
      {
        stepsOf: () => [],
        inUse: undefined,
        boxedTo: () => [],
        givenBy: () => undefined,
        holds: () => false,
        pairWith: () => undefined,
      },
      () => false,
    );
    this.follow();
  }

  get device(): DeviceId {
    return this.copy.person.device;
  }

  follow(): void {
    this.session.setDevices(this.copy.replica.roster.devices.keys());
  }

  /** Something was written to the copy. */
  grown(): void {
    this.wire.dispatch(this, this.session.grown(this.wire.now));
  }
}

export class Wire {
  now = NOW;
  loss = 0;
  relayUp = true;
  /** Requests to the relay that wait until `relaysAnswer` is true again. */
  relaysAnswer = true;
  readonly stations = new Map<DeviceId, Station>();
  readonly random: (length: number) => Uint8Array;
  readonly #ways = new Map<string, (() => void)[]>();
  readonly #links = new Set<string>();
  readonly #offline = new Set<DeviceId>();
  /** What was handed to the wire, since the test began. */
  messages = 0;
  bytes = 0;
  readonly log: Outgoing[] = [];

  constructor(seed: number | string) {
    this.random = seededRandom(`wire ${seed}`);
  }

  add(copy: Copy): Station {
    const station = new Station(this, copy);
    this.stations.set(station.device, station);
    return station;
  }

  link(a: Station, b: Station): void {
    this.#links.add(pair(a, b));
    this.dispatch(a, a.session.reached(b.device, 'direct', this.now));
    this.dispatch(b, b.session.reached(a.device, 'direct', this.now));
  }

  /** A connection that the one was told of before the other was a member to it. */
  linkUntold(untold: Station, told: Station): void {
    this.#links.add(pair(untold, told));
    this.dispatch(told, told.session.reached(untold.device, 'direct', this.now));
  }

  /** What is on its way is lost. */
  cut(a: Station, b: Station): void {
    if (!this.#links.delete(pair(a, b))) return;
    this.#ways.delete(`direct ${a.device} ${b.device}`);
    this.#ways.delete(`direct ${b.device} ${a.device}`);
    this.dispatch(a, a.session.reached(b.device, 'none', this.now));
    this.dispatch(b, b.session.reached(a.device, 'none', this.now));
  }

  linked(a: Station, b: Station): boolean {
    return this.#links.has(pair(a, b));
  }

  setOnline(station: Station, online: boolean): void {
    if (online) this.#offline.delete(station.device);
    else this.#offline.add(station.device);
    if (!online) for (const other of this.stations.values()) this.cut(station, other);
  }

  isOnline(device: DeviceId): boolean {
    return !this.#offline.has(device);
  }

  below(bound: number): number {
    return seededBelow(this.random, bound);
  }

  dispatch(from: Station, out: readonly Outgoing[]): void {
    for (const one of out) {
      this.log.push(one);
      const bytes = encodeMessage(from.device, one.message);
      for (const to of one.to) {
        this.messages++;
        this.bytes += bytes.length;
        if (one.path === 'direct') this.#sendDirect(from, to, bytes);
      }
      if (one.path === 'relay') this.#submit(from, one, bytes);
    }
  }

  #sendDirect(from: Station, to: DeviceId, bytes: Uint8Array): void {
    const station = this.stations.get(to);
    if (!station || !this.linked(from, station) || this.#lost()) return;
    this.#enqueue(`direct ${from.device} ${to}`, () =>
      this.#deliver(station, { from: from.device, path: 'direct', bytes }),
    );
  }

  #submit(from: Station, one: Outgoing, bytes: Uint8Array): void {
    this.#enqueue(`submit ${from.device}`, () => {
      const stored = this.relayUp && this.isOnline(from.device);
      if (!stored) return from.session.relayFailed(one.holds ? one.to : [], this.now);
      for (const to of one.to) {
        const station = this.stations.get(to);
        if (!station || (one.ephemeral && (!this.isOnline(to) || this.#lost()))) continue;
        this.#enqueue(`mail ${to}`, () => this.#deliver(station, { from: from.device, path: 'relay', bytes }));
      }
      if (one.holds) this.dispatch(from, from.session.relayed(one.to, one.holds, this.now));
    });
  }

  #deliver(station: Station, letter: Letter): void {
    const { session, copy } = station;
    const decoded = decodeMessage(letter.bytes);
    assert.ok(decoded.ok, 'what a session sends can be read');
    const { message } = decoded.value;
    if (message.kind !== 'deltas')
      return this.dispatch(station, session.received(letter.from, letter.path, message, this.now));
    const ingest = copy.replica.ingest(message.runs);
    for (const node of ingest.added) copy.replica.madeDurable(node);
    if (ingest.controlChanged) station.follow();
    const gap = ingest.missing.length > 0 || ingest.faults.length > 0;
    this.dispatch(station, session.ingested(letter.from, letter.path, ingest, gap, this.now));
  }

  #lost(): boolean {
    return this.loss > 0 && this.below(1000) < this.loss * 1000;
  }

  #enqueue(way: string, step: () => void): void {
    const queue = this.#ways.get(way);
    if (queue) queue.push(step);
    else this.#ways.set(way, [step]);
  }

  /** Moves one thing on its way, chosen by the seed. */
  step(): boolean {
    const ways = [...this.#ways].filter(([way, queue]) => queue.length > 0 && this.#isOpen(way));
    if (ways.length === 0) return false;
    const [, queue] = ways[this.below(ways.length)]!;
    queue.shift()!();
    return true;
  }

  #isOpen(way: string): boolean {
    if (way.startsWith('submit ')) return this.relaysAnswer;
    return !way.startsWith('mail ') || (this.relayUp && this.isOnline(way.slice(5) as DeviceId));
  }

  /** Until nothing is on its way. Answers how many steps it took. */
  pump(limit = 20_000): number {
    let steps = 0;
    while (this.step()) assert.ok(++steps < limit, 'the wire comes to rest');
    return steps;
  }

  /** Lets time pass, waking each session when it asked to be. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    let wakes = 0;
    for (;;) {
      this.pump();
      const wake = Math.min(
        ...[...this.stations.values()].map(({ session }) => session.nextWake() ?? Number.POSITIVE_INFINITY),
      );
      if (wake > end) break;
      assert.ok(++wakes < 1000 + milliseconds / 500, 'nobody is woken for nothing');
      this.now = Math.max(wake, this.now);
      for (const station of this.stations.values()) this.dispatch(station, station.session.tick(this.now));
    }
    this.now = end;
  }

  sent(kind: Message['kind'], path?: 'direct' | 'relay'): number {
    return this.log.filter((one) => one.message.kind === kind && (path === undefined || one.path === path)).length;
  }
}

function pair(a: Station, b: Station): string {
  return [a.device, b.device].sort().join(' ');
}
