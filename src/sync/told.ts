/**
 * Up to where each peer was told, and so under which epoch it is spoken to, and what may be shown to it (K2, `passage.ts`); and which epochs it has
 * shown to hold, or not to, by what it spoke under (K4).
 */
import type { DeviceId, FeedId } from '../base/ids.ts';
import type { EpochTag } from './epoch.ts';
import type { Node } from './graph.ts';
import { passageOf, type Gate } from './passage.ts';
import { highest, type Peer } from './peer.ts';
import type { Replica } from './replica.ts';

export class Told {
  readonly #replicaNow: () => Replica;
  readonly #gate: Gate;
  readonly #peers: ReadonlyMap<DeviceId, Peer>;

  constructor(replica: () => Replica, gate: Gate, peers: ReadonlyMap<DeviceId, Peer>) {
    this.#replicaNow = replica;
    this.#gate = gate;
    this.#peers = peers;
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  /** The newest epoch that a device is known to hold: its relay knows the capability (R4). */
  epochKnownTo(device: DeviceId): EpochTag | undefined {
    const peer = this.#peers.get(device);
    return passageOf(this.#gate, device, peer?.known ?? new Map(), peer).under;
  }

  /** The epoch that a word to a device goes under: the newest it was told of. */
  epochFor(device: DeviceId): EpochTag | undefined {
    const peer = this.#peers.get(device);
    if (!peer) return this.#gate.inUse;
    return passageOf(this.#gate, device, this.#toldTo(device, peer), peer).under;
  }

  /** Whether a delta may be shown to a device now, under the epoch that is for it: not what is beyond the next change of keys (K2). */
  mayHear(device: DeviceId, node: Node): boolean {
    const peer = this.#peers.get(device);
    const until = peer && passageOf(this.#gate, device, this.#toldTo(device, peer), peer).until;
    return peer !== undefined && (!until || this.#replica.feeds.reach(until, node.delta.feed) >= node.delta.seq);
  }

  #toldTo(device: DeviceId, peer: Peer): ReadonlyMap<FeedId, number> {
    const told = peer.reach === 'direct' ? peer.sent : highest(peer.known, peer.relayed);
    return peer.known.size > 0 ? told : highest(told, this.#replica.feeds.shownBy(device));
  }

  /** What a device said came under this: what else was known of what it can open may be wrong (K4). */
  heardUnder(device: DeviceId, tag: EpochTag): void {
    const peer = this.#peers.get(device);
    if (!peer) return;
    if (tag === this.#gate.inUse || tag !== this.#gate.pairWith(device)) {
      peer.spoke = tag;
      if (peer.without.has(tag)) peer.without = new Set([...peer.without].filter((other) => other !== tag));
      return;
    }
    peer.spoke = undefined;
    const { inUse } = this.#gate;
    // Be they in a box by a word that is void (K2): else who is out, and has erased one of these, is told under that without end.
    const held = this.#gate.boxedTo(device);
    // I4: of several words that have let this device in the last may be void for who has said another: he lacks the key that came with it.
    const given = this.#gate.givenBy(device);
    peer.without = new Set([...held, inUse, given].filter((one) => one !== undefined));
  }
}
