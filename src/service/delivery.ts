/**
 * What a workspace sends, on its way out: sealed once for each path (K5), on a direct path or to the recipients' relays, content before the
 * word of it (R9). What was told directly is owed until the other says that it has it.
 */
import { groupBy } from '../base/group.ts';
import type { ChunkId, DeviceId } from '../base/ids.ts';
import { capabilityOf } from '../sync/epoch.ts';
import type { Engine } from '../sync/engine.ts';
import type { Node } from '../sync/graph.ts';
import type { Message } from '../sync/messages.ts';
import type { Outgoing } from '../sync/outgoing.ts';
import { Lane, TransportError } from '../sync/ports.ts';
import type { Mark } from '../sync/peer.ts';
import { readFilesDelta } from '../tools/files/deltas.ts';
import type { ChunkExchange } from './chunk-exchange.ts';
import type { Hub } from './hub.ts';
import type { Peers } from './peers.ts';
import type { ContentStore } from './ports.ts';

/** A parcel of many megabytes on a slow path takes minutes, and ends as one. */
const HAND_OVER_STALLED_MS = 10 * 60_000;

export interface DeliveryOptions {
  readonly hub: Hub;
  readonly engine: Engine;
  readonly peers: Peers;
  readonly contents: ContentStore;
  readonly exchange: ChunkExchange;
  /** What is with others, or with their relays, has changed. */
  onSettled(): void;
  onRelayFull(device: DeviceId): void;
  /** There is room again. */
  onRelayTook(device: DeviceId): void;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #hub: Hub;
  readonly #engine: Engine;
  /** What is on its way to a relay: who closes waits for it a little. */
  readonly #sending = new Set<Promise<void>>();
  /** Chunks of our own versions that a device was told of directly and has not said it has, with the delta's place in our feed. */
  readonly #owed = new Map<DeviceId, Map<ChunkId, Mark>>();
  #closed = false;
  #tellClosed!: () => void;
  readonly #whenClosed = new Promise<void>((resolve) => (this.#tellClosed = resolve));

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#engine = options.engine;
  }

  close(): void {
    this.#closed = true;
    this.#tellClosed();
  }

  send(out: readonly Outgoing[]): void {
    if (this.#closed) return;
    for (const one of out) {
      if (one.keyFirst !== undefined) this.#sendKey(one, one.keyFirst);
      if (one.path === 'relay') this.#sendRelays(one);
      else for (const device of one.to) this.#sendDirect(device, one);
      if (one.path === 'direct' && one.nodes) void this.#owe(one.to, one.nodes);
    }
  }

  #sendKey(one: Outgoing, epoch: string): void {
    for (const device of one.to) this.send(this.#engine.keyFor(device, one.path, epoch));
  }

  // ---- direct -----------------------------------------------------------------------------------------------------------

  #sendDirect(device: DeviceId, { message, under, lane }: Pick<Outgoing, 'message' | 'under' | 'lane'>): boolean {
    const bytes = this.#engine.seal(message, under, 'direct', device);
    return bytes !== undefined && this.#hub.transport.send(device, bytes, lane);
  }

  /** A word that is no delta, under the newest epoch the device was told of. */
  tell(device: DeviceId, message: Message, lane: Lane): boolean {
    return this.#sendDirect(device, { message, lane, under: this.#engine.session.told.epochFor(device) });
  }

  tellAllDirect(message: Message): void {
    const { session } = this.#engine;
    for (const device of session.devices)
      if (session.reach(device) === 'direct') this.tell(device, message, Lane.control);
  }

  // ---- by relay ---------------------------------------------------------------------------------------------------------

  /** To each relay by itself: one that is away, or takes and never answers, holds up nobody whose messages lie at another (S4). */
  #sendRelays(one: Outgoing): void {
    for (const to of groupBy(one.to, (device) => this.#options.peers.relayOf(device)).values()) {
      const sending = this.#hand({ ...one, to })
        .catch((error: unknown) => this.#hub.fault(error))
        .finally(() => this.#sending.delete(sending));
      if (!one.ephemeral) this.#sending.add(sending);
    }
  }

  async #hand(one: Outgoing): Promise<void> {
    const ready = !one.nodes || (await this.#leaveContent(one.to, one.nodes));
    const outcomes = ready ? await this.#submit(one) : one.to.map(() => 'unavailable');
    if (!one.holds || this.#closed) return;
    const stored = one.to.filter((_, i) => outcomes[i] === 'ok');
    const failed = one.to.filter((_, i) => outcomes[i] !== 'ok');
    const now = this.#hub.clock.now();
    this.#engine.session.relayFailed(failed, now);
    one.to.forEach((device, i) => {
      if (outcomes[i] === 'full') this.#options.onRelayFull(device);
      if (outcomes[i] === 'ok') this.#options.onRelayTook(device);
    });
    this.send(this.#engine.session.relayed(stored, one.holds, now));
    this.#options.onSettled();
  }

  /** A word that is no delta, in the queues of devices; answers whether one of them has it. Most often one epoch is for all. */
  async leaveWord(devices: readonly DeviceId[], message: Message): Promise<boolean> {
    const groups = groupBy(devices, (device) => this.#engine.session.told.epochFor(device));
    const outcomes = [...groups].map(([under, to]) => this.#submit({ to, message, under, ephemeral: false }));
    return (await Promise.all(outcomes)).flat().includes('ok');
  }

  async #submit(one: Pick<Outgoing, 'to' | 'message' | 'under' | 'ephemeral'>): Promise<readonly string[]> {
    const { peers } = this.#options;
    const { to, message, under, ephemeral } = one;
    const bytes = this.#engine.seal(message, under, 'relay', to[0]);
    const known = to.filter((device) => peers.relayOf(device) !== undefined);
    const recipients = known.flatMap((device) => {
      const capability = this.#capabilityOf(device);
      return capability ? [{ device, relay: peers.relayOf(device)!, capability }] : [];
    });
    if (!bytes || recipients.length === 0) return to.map(() => 'unavailable');
    try {
      const outcomes = await this.#hub.transport.submit(recipients, bytes, { ephemeral });
      const byDevice = new Map(recipients.map(({ device }, i) => [device, outcomes[i]]));
      return to.map((device) => byDevice.get(device) ?? 'unavailable');
    } catch {
      return to.map(() => 'unavailable');
    }
  }

  /** R4: of the newest epoch that the device is known to hold, since its relay knows no newer one. */
  #capabilityOf(device: DeviceId): Uint8Array | undefined {
    const { keys, session } = this.#engine;
    const tag = session.told.epochKnownTo(device);
    const epoch = (tag === undefined ? undefined : keys.find(tag)) ?? keys.epoch;
    return epoch && capabilityOf(this.#hub.crypto, epoch.key, device);
  }

  /**
   * Before closing: resolves when what others are still due is at their relays, or could not be brought there; as it does when nothing has got there
   * for a while, since a relay may take and never answer, and when this closes.
   */
  async handOver(): Promise<void> {
    for (const device of this.#owed.keys()) this.payLater(device);
    while (this.#sending.size > 0 && !this.#closed) if (!(await this.#getsOn())) return;
  }

  /** Whether one more sending has ended in time. */
  async #getsOn(): Promise<boolean> {
    const { clock } = this.#hub;
    let cancel = (): void => undefined;
    const stalled = new Promise<void>((resume) => (cancel = clock.wakeAt(clock.now() + HAND_OVER_STALLED_MS, resume)));
    const ended = Promise.race(this.#sending).then(() => true);
    return Promise.race([ended, Promise.race([stalled, this.#whenClosed]).then(() => false)]).finally(() => cancel());
  }

  // ---- content before the word of it ------------------------------------------------------------------------------------

  /**
   * Content first, then what names it: who reads the delta from his queue finds the chunks, though nobody is at home (R9).
   * False where it is worth trying again; a used-up quota is not, and the content is asked for later.
   */
  async #leaveContent(to: readonly DeviceId[], nodes: readonly Node[]): Promise<boolean> {
    try {
      const ids = await this.#chunksOf(nodes);
      return ids.length === 0 || (await this.#leaveFor(to, ids));
    } catch (error) {
      if (!(error instanceof TransportError)) this.#hub.fault(error);
      return !(error instanceof TransportError) || error.code === 'quota' || error.code === 'tooLarge';
    }
  }

  async #leaveFor(to: readonly DeviceId[], ids: readonly ChunkId[]): Promise<boolean> {
    const parcels = await this.#options.exchange.leave(ids);
    return parcels.length === 0 || this.leaveWord(to, { kind: 'parcels', parcels });
  }

  async #chunksOf(nodes: readonly Node[]): Promise<readonly ChunkId[]> {
    const ids: ChunkId[] = [];
    for (const { delta } of nodes) {
      const read = delta.tool === undefined ? undefined : readFilesDelta(delta.kind, delta.body);
      if (read?.kind !== 'file' && read?.kind !== 'ver') continue;
      for (const ref of (await this.#options.contents.chunkRefs(read.content)) ?? []) ids.push(ref.id);
    }
    return ids;
  }

  // ---- what a direct path is given, and may not have taken --------------------------------------------------------------

  async #owe(to: readonly DeviceId[], nodes: readonly Node[]): Promise<void> {
    for (const node of nodes) {
      if (node.delta.device !== this.#hub.identity.device) continue;
      const ids = await this.#chunksOf([node]).catch(() => []);
      for (const device of to) {
        const owed = this.#owed.get(device) ?? new Map<ChunkId, Mark>();
        for (const id of ids) owed.set(id, { feed: node.delta.feed, seq: node.delta.seq });
        if (owed.size > 0) this.#owed.set(device, owed);
      }
    }
  }

  /** It lacks nothing of what it has acknowledged. */
  settleWith(device: DeviceId): void {
    const owed = this.#owed.get(device);
    if (!owed) return;
    const known = new Map(this.#engine.session.memory(device).known.map(({ feed, seq }) => [feed, seq]));
    for (const [id, { feed, seq }] of owed) if ((known.get(feed) ?? 0) >= seq) owed.delete(id);
    if (owed.size === 0) this.#owed.delete(device);
  }

  /** The relay is there again: what is owed to those without a direct path goes there. */
  payAll(): void {
    for (const device of this.#owed.keys()) if (this.#engine.session.reach(device) === 'none') this.payLater(device);
  }

  payLater(device: DeviceId): void {
    const paying = this.#payByRelay(device)
      .catch(() => undefined) // the relay is away: tried again when it is back
      .finally(() => this.#sending.delete(paying));
    this.#sending.add(paying);
  }

  /** Its path is gone before it had all: the rest waits for it at the relay, though we may be gone when it comes back. */
  async #payByRelay(device: DeviceId): Promise<void> {
    const owed = this.#owed.get(device);
    if (!owed || this.#closed || this.#options.peers.relayOf(device) === undefined) return;
    const ids = [...owed.keys()];
    if (!(await this.#leaveFor([device], ids))) return;
    for (const id of ids) owed.delete(id);
    if (owed.size === 0) this.#owed.delete(device);
  }
}
