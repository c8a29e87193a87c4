/**
 * Keeping copies in step (S1–S4): for each of the other devices, what it is known to hold, what was sent, and what is due.
 * Pure: every call answers with what to send; the caller seals, sends, and says what became of it.
 *
 * - A direct path opens: both say `have`; each then sends what the other lacks, as far as its credit goes (`credit.ts`).
 * - A new delta goes at once to every open path, and at once to the relay of those that have none (S4).
 * - Acks wait for each other for a second: all write theirs when all has been said, and nobody waits for one (L4).
 * - What a direct peer has not acknowledged after 2 s goes to its relay too. A second copy costs one look-up (S3).
 * - Each device is answerable for its own feeds; others' deltas are served to whoever says `have`.
 * - Whoever was taken out of the workspace is told so, and nothing after it; a change of keys goes before what comes after it
 *   (`passage.ts`).
 * - Two that hold the same, and have done so for a while, tell each other what it adds up to: it is the same, or something is wrong (L6).
 * - Who cannot be served from the log, since what he lacks is folded, gets the base part by part, then what comes after it (L6, `offering.ts`).
 *
 * Here is who is heard and answered, and when something is due: what goes next is `batches.ts`, through a relay `relaying.ts`, under which key `told.ts`.
 */
import type { DeviceId, FeedId } from '../base/ids.ts';
import { MAX_DEVICES } from '../protocol/limits.ts';
import { Apart } from './apart.ts';
import { Batches, type Made } from './batches.ts';
import type { Node } from './graph.ts';
import { Held } from './held.ts';
import { isSubstance } from './lane.ts';
import type { Message } from './messages.ts';
import { Offering } from './offering.ts';
import { merged, type Outgoing } from './outgoing.ts';
import { covers as isTold, type Gate } from './passage.ts';
import { aim, calm, covers, newPeer, raise, rewind, type Mark, type Peer } from './peer.ts';
import { Lane } from './ports.ts';
import { isRecent } from '../base/recent.ts';
import { Relaying, RETRY_MS } from './relaying.ts';
import type { Ingest, Replica } from './replica.ts';
import { Sums } from './sums.ts';
import { Told } from './told.ts';

const NEVER = Number.POSITIVE_INFINITY;
export const ACK_PATIENCE_MS = 2_000;
/**
 * Acks that have come, or were written here, go on together, so long after the first: passed on one by one, those of a hundred devices are ten
 * thousand messages, most of them in vain. What is no ack takes them along.
 */
export const ACK_SPREAD_MS = 1_000;
const ASK_AGAIN_MS = 5_000;
/** Who cannot answer (his history is another, D8) is asked ever more seldom: at last every five minutes. */
const MAX_ASKS_DOUBLED = 6;
/** A path that answers nothing is tried again after 2, 4, 8 … s, as often as this: then it is the transport's to give it up. */
const MAX_RESTARTS = 6;
export class Session {
  readonly #replicaNow: () => Replica;
  readonly #self: DeviceId;
  readonly #peers = new Map<DeviceId, Peer>();
  /** The time when anything happened last. */
  #latest = 0;
  /** What ours adds up to (L6). */
  readonly #sums: Sums;
  readonly #held: Held;
  readonly #apart: Apart;
  /** When acks that wait for others go on; undefined where none do. */
  #spreadAt: number | undefined;
  /** Whose queue can be written to: the device has a relay and so do we, or its address is reachable. */
  readonly #relayable: (device: DeviceId) => boolean;
  readonly #gate: Gate;
  readonly #offering: Offering;
  readonly #batches: Batches;
  readonly #relaying: Relaying;
  /** Devices that nobody has told of, by when they were asked last. */
  readonly #askedUnknown = new Map<DeviceId, number>();
  /** Whether others are to say what they hold before anything is written here (D2). */
  readonly #isUntold: () => boolean;
  /** Under which epoch each is spoken to. */
  readonly told: Told;

  /** `replica`: another one after a base was taken. */
  constructor(
    replica: () => Replica,
    self: DeviceId,
    relayable: (device: DeviceId) => boolean,
    gate: Gate,
    needsCopy: () => boolean,
    isUntold: () => boolean = () => false,
  ) {
    this.#isUntold = isUntold;
    this.#replicaNow = replica;
    this.#self = self;
    this.#relayable = relayable;
    this.#gate = gate;
    this.#sums = new Sums(replica, needsCopy, relayable);
    this.#held = new Held(replica, needsCopy);
    this.#apart = new Apart(replica, self, this.#peers, relayable);
    this.told = new Told(replica, gate, this.#peers);
    this.#offering = new Offering(replica, this.#peers, () => this.#latest);
    this.#batches = new Batches(replica, gate, this.#offering);
    this.#relaying = new Relaying(replica, self, this.#batches);
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  /**
   * The other devices of the workspace, as the roster has them, and those that were taken out of it and may not know yet, with
   * the words that did it. New ones start with nothing known. `returned`: words that took out who has been let in again since.
   */
  setDevices(
    devices: Iterable<DeviceId>,
    gone: ReadonlyMap<DeviceId, readonly Node[]> = new Map(),
    returned: ReadonlyMap<DeviceId, Node> = new Map(),
  ): void {
    const wanted = new Set([...devices, ...gone.keys()]);
    wanted.delete(this.#self);
    for (const device of this.#peers.keys()) if (!wanted.has(device)) this.#peers.delete(device);
    for (const device of wanted) {
      const peer = this.#peers.get(device) ?? newPeer();
      this.#peers.set(device, peer);
      peer.words = gone.get(device) ?? [];
      aim(peer);
      if (peer.last) peer.offer = undefined;
      peer.returned = returned.get(device);
    }
  }

  /** Of the workspace: not those that are only to be told that they are out of it. */
  get devices(): readonly DeviceId[] {
    return [...this.#peers].filter(([, peer]) => !peer.last).map(([device]) => device);
  }

  /** With those that are only to be told that they are out of it. */
  get all(): readonly DeviceId[] {
    return [...this.#peers.keys()];
  }

  /** Whether a device that was taken out of the workspace has said that it knows. */
  knowsItIsOut(device: DeviceId): boolean {
    const peer = this.#peers.get(device);
    return peer?.last !== undefined && isTold(peer.known, peer.last);
  }

  /** L6: devices of the workspace that hold the same deltas and say that they add up to something else. */
  get differing(): readonly DeviceId[] {
    return this.devices.filter((device) => this.#sums.differs(device));
  }

  /** L6: whether some do not come together with this device, and the copy that is here has to give way. */
  get isApart(): boolean {
    return this.#apart.isSo;
  }

  /** L6: whether a device does not come together with this. */
  isApartFrom(device: DeviceId): boolean {
    return this.#apart.isFrom(device);
  }

  /** Whether a device is only to be told that it is out of the workspace. */
  isGone(device: DeviceId): boolean {
    return this.#peers.get(device)?.last !== undefined;
  }

  /** Whether it was taken out: not one whose person leaves, who hands on what he has (A7). */
  isTakenOut(device: DeviceId): boolean {
    const last = this.#peers.get(device)?.last;
    return last !== undefined && last.delta.kind !== 'leave';
  }

  isPeer(device: DeviceId): boolean {
    return this.#peers.has(device);
  }

  reach(device: DeviceId): 'direct' | 'none' {
    return this.#peers.get(device)?.reach ?? 'none';
  }

  /** Whether a device is known to hold all we hold. */
  inSync(device: DeviceId): boolean {
    const known = this.#peers.get(device)?.known;
    if (!known) return false;
    for (const [feed, seq] of this.#replica.vector()) if ((known.get(feed) ?? 0) < seq) return false;
    return true;
  }

  /** Looks anew whether the copy that is here is good for others. */
  doubt(): void {
    this.#sums.doubt(this.#latest);
  }

  /** Whether a device has said that its copy is no good for others. */
  needsCopy(device: DeviceId): boolean {
    return this.#peers.get(device)?.needsCopy === true;
  }

  /** Whether something is lacking here of what a device has said that it holds. */
  lacksOf(device: DeviceId): boolean {
    const peer = this.#peers.get(device);
    return peer !== undefined && !covers(this.#replica.vector(), peer.known);
  }

  /** Whether every device of the workspace is known to hold a delta. */
  allHold(node: Node): boolean {
    return [...this.#peers.values()].every((peer) => peer.last !== undefined || isTold(peer.known, node));
  }

  /** Whether all that is ours is with a device or with its relay. */
  isRelayed(device: DeviceId): boolean {
    const peer = this.#peers.get(device);
    return peer !== undefined && this.#relaying.isDone(peer);
  }

  /** L6: from now on this device is told that nothing is here, so that it gives its base; who was told so before, what there is. */
  renewFrom(device: DeviceId | undefined): readonly Outgoing[] {
    const before = this.#held.hiddenFrom;
    this.#held.hiddenFrom = device;
    return [before, device].flatMap((one) => (one === undefined ? [] : this.#tellHeld(one, false)));
  }

  /** L6: with another base here, less may be here than a moment ago: all are told what is, and asked, for nothing is written before one has said (D2). */
  begunAnew(): readonly Outgoing[] {
    this.#held.hiddenFrom = undefined;
    this.#apart.begunAnew();
    return this.devices.flatMap((device) => this.#tellHeld(device, true));
  }

  #tellHeld(device: DeviceId, answer: boolean): readonly Outgoing[] {
    const path = this.reach(device) === 'direct' ? 'direct' : 'relay';
    if (!this.#peers.has(device) || (path === 'relay' && !this.#relayable(device))) return [];
    return [this.#reply(device, path, this.#have(device, answer), false)];
  }

  /** What is kept of a device across a restart. */
  memory(device: DeviceId): { known: readonly Mark[]; relayed: readonly Mark[] } {
    const peer = this.#peers.get(device);
    const here = this.#replica.vector();
    // Of feeds that are not here anybody can make up thousands, and all would be written down again and again.
    const marks = (map: ReadonlyMap<FeedId, number> = new Map()) =>
      [...map].flatMap(([feed, seq]) => (here.has(feed) ? { feed, seq } : []));
    return { known: marks(peer?.known), relayed: marks(peer?.relayed) };
  }

  remember(device: DeviceId, known: readonly Mark[], relayed: readonly Mark[]): void {
    const peer = this.#peers.get(device);
    if (!peer) return;
    for (const { feed, seq } of known) raise(peer.known, feed, seq);
    for (const { feed, seq } of relayed) raise(peer.relayed, feed, seq);
  }

  // ---- what happens ---------------------------------------------------------------------------------------------------

  reached(device: DeviceId, reach: 'direct' | 'none', now: number): readonly Outgoing[] {
    const peer = this.#peers.get(device);
    if (!peer || peer.reach === reach) return [];
    peer.reach = reach;
    peer.introduced = false;
    peer.rootOf = 0;
    peer.keyed.clear();
    peer.spoke = undefined;
    peer.sent = new Map(peer.known);
    peer.credit.restart();
    rewind(peer);
    calm(peer);
    // Waits for its introduction as for an acknowledgement.
    peer.unackedSince = reach === 'direct' ? now : undefined;
    if (reach !== 'direct') return this.#relayDue(now);
    // Who begins with nothing, or waits to be told (D2), may have been told on this path what the other holds, before he could listen.
    const isAsked = this.#replica.size === 0 || this.#isUntold();
    return [this.#direct(device, this.#have(device, isAsked), Lane.control)];
  }

  /** New deltas are here, our own or another's: they go to whom they are due. `nodes`: where it is known which. */
  grown(now: number, nodes?: readonly Node[]): readonly Outgoing[] {
    this.#latest = now;
    this.#sums.stirred(now);
    if (nodes && this.#canWait(nodes, now)) return [];
    return [...this.#pumpAll(now), ...this.#relayDue(now)];
  }

  /** The relay is there again: what failed is tried again at once. */
  relayUp(now: number): readonly Outgoing[] {
    for (const peer of this.#peers.values()) peer.relayRetryAt = 0;
    return this.#relayDue(now);
  }

  received(from: DeviceId, path: 'direct' | 'relay', message: Message, now: number): readonly Outgoing[] {
    this.#latest = now;
    const peer = this.#peers.get(from);
    if (!peer) return this.#heardUnknown(from, path, message, now);
    if (peer.rootOf !== this.#replica.arrivals) this.#sums.stirred(now);
    switch (message.kind) {
      case 'have':
        return this.#heard(from, peer, path, message, now);
      case 'got':
        return this.#acknowledged(from, peer, this.#held.marksOf(message.heads), now);
      case 'needBase':
        return this.#baseAcknowledged(from, peer, path, message, now);
      default:
        return [];
    }
  }

  /**
   * I4: a device that nobody has told of yet is asked for what it has and is lacking here: what lets it in is part of that. Not again and again: it may not
   * know this one either, and would ask in turn.
   */
  #heardUnknown(from: DeviceId, path: 'direct' | 'relay', message: Message, now: number): readonly Outgoing[] {
    if (message.kind !== 'have' || !this.#held.lacks(message.vector)) return [];
    if (now < (this.#askedUnknown.get(from) ?? Number.NEGATIVE_INFINITY) + ASK_AGAIN_MS) return [];
    if (this.#askedUnknown.size >= MAX_DEVICES) this.#askedUnknown.clear();
    this.#askedUnknown.set(from, now);
    return [this.#reply(from, path, this.#held.have(from, false), true)];
  }

  /** Others' deltas are durable here: say so to who sent them, and pass on what somebody else is due. */
  ingested(
    from: DeviceId,
    path: 'direct' | 'relay',
    { added, heard, held }: Pick<Ingest, 'added' | 'heard' | 'held'>,
    gap: boolean,
    now: number,
  ): readonly Outgoing[] {
    const peer = this.#peers.get(from);
    const out: Outgoing[] = [];
    if (peer) {
      if (added.length > 0) peer.asks = 0;
      if (added.length > 0) this.#sums.stirred(now);
      for (const { feed, seq } of heard) {
        raise(peer.known, feed, seq);
        raise(peer.sent, feed, seq);
        if (peer.last) raise(peer.shown, feed, seq);
      }
      // A copy of what is here already is acknowledged too, or its sender would send it again and again.
      const heads = this.#held.headsOf(peer.last ? this.#held.upTo(peer.last, peer.shown, held) : held);
      if (heads.length > 0) out.push(this.#reply(from, path, { kind: 'got', heads }, true));
      if (gap) out.push(...this.askAgain(from, path, now));
    }
    return added.length === 0 || this.#canWait(added, now) ? out : [...out, ...this.#pumpAll(now)];
  }

  /** Whether these are acks alone, to be passed on with others that come meanwhile. */
  #canWait(nodes: readonly Node[], now: number): boolean {
    if (nodes.some(isSubstance)) return false;
    this.#spreadAt ??= now + ACK_SPREAD_MS;
    return this.#isSpreading(now);
  }

  #isSpreading(now: number): boolean {
    return this.#spreadAt !== undefined && isRecent(this.#spreadAt - ACK_SPREAD_MS, ACK_SPREAD_MS, now);
  }

  /** Something waits for a past that has not come (D5), or a relay has dropped messages: ask. */
  askAgain(device: DeviceId, path: 'direct' | 'relay', now: number): readonly Outgoing[] {
    const peer = this.#peers.get(device);
    const rests_ms = ASK_AGAIN_MS * 2 ** Math.min(peer?.asks ?? 0, MAX_ASKS_DOUBLED);
    if (!peer || isRecent(peer.askedAt, rests_ms, now)) return [];
    peer.askedAt = now;
    peer.asks++;
    return [this.#reply(device, path, this.#have(device, false), false)];
  }

  /**
   * It has sent something under an epoch that is erased here (K4). Whatever it was, it is asked to say what it holds, under the seal
   * of the two, and is told what is here: each then sends what the other lacks.
   */
  late(device: DeviceId, path: 'direct' | 'relay', now: number): readonly Outgoing[] {
    const peer = this.#peers.get(device);
    const under = this.#gate.pairWith(device);
    if (!peer || under === undefined || isRecent(peer.lateAt, ASK_AGAIN_MS, now)) return [];
    peer.lateAt = now;
    return [{ to: [device], path, message: this.#have(device, true), lane: Lane.control, ephemeral: false, under }];
  }

  /** Greets a device that is online behind a relay: what it lacks, and what we lack, will show. */
  greet(device: DeviceId, now: number): readonly Outgoing[] {
    const peer = this.#peers.get(device);
    if (!peer || peer.reach === 'direct' || !this.#relayable(device)) return [];
    if (isRecent(peer.askedAt, ASK_AGAIN_MS, now)) return [];
    peer.askedAt = now;
    return [this.#reply(device, 'relay', this.#have(device, true), true)];
  }

  /** Asks a device to say what it holds. */
  askHeld(device: DeviceId, path: 'direct' | 'relay', now: number): readonly Outgoing[] {
    const peer = this.#peers.get(device);
    if (!peer || isRecent(peer.askedAt, ASK_AGAIN_MS, now)) return [];
    peer.askedAt = now;
    return [this.#reply(device, path, this.#have(device, true), true)];
  }

  /** A joiner without a direct path gets everything through the relay. */
  serveByRelay(device: DeviceId): readonly Outgoing[] {
    const peer = this.#peers.get(device);
    if (!peer || peer.reach === 'direct') return [];
    return this.#relaying.serveAfresh(device, peer, this.#latest);
  }

  relayed(devices: readonly DeviceId[], holds: readonly Mark[], now: number): readonly Outgoing[] {
    const out: Outgoing[] = [];
    for (const device of devices) {
      const peer = this.#peers.get(device);
      if (peer) out.push(...this.#relaying.stored(device, peer, holds, now));
    }
    return [...out, ...this.#relayDue(now)];
  }

  relayFailed(devices: readonly DeviceId[], now: number): void {
    for (const device of devices) {
      const peer = this.#peers.get(device);
      if (peer) this.#relaying.failed(peer, now);
    }
  }

  tick(now: number): readonly Outgoing[] {
    this.#latest = now;
    const due = this.#isSpreading(now) ? [] : this.#pumpAll(now);
    return [...this.#relayDue(now), ...due, ...this.#sumsDue(now), ...this.#looksDue(now)];
  }

  /** When `tick` is next worth calling. */
  nextWake(): number | undefined {
    let at = Math.min(this.#sums.dueAt ?? NEVER, this.#spreadAt ?? NEVER, this.#apart.dueAt);
    for (const { unackedSince, restartAt, relayRetryAt } of this.#peers.values()) {
      if (unackedSince !== undefined) at = Math.min(at, Math.max(unackedSince + ACK_PATIENCE_MS, restartAt));
      if (relayRetryAt > 0) at = Math.min(at, relayRetryAt);
    }
    return at === NEVER ? undefined : at;
  }

  // ---- answers ----------------------------------------------------------------------------------------------------------

  #heard(
    from: DeviceId,
    peer: Peer,
    path: 'direct' | 'relay',
    message: Message & { kind: 'have' },
    now: number,
  ): readonly Outgoing[] {
    // A connection from before it was a member: nobody told us, and it does not know yet what we hold.
    const untold = path === 'direct' && peer.reach === 'none';
    if (untold) peer.reach = 'direct';
    peer.needsCopy = message.needsCopy;
    if (peer.last) peer.shown = this.#held.shownBy(message.vector);
    if (message.root !== '') this.#sums.hear(peer, message, this.#held.all(), now);
    const answer = message.answer || untold ? [this.#reply(from, path, this.#have(from, false), true)] : [];
    // It has lain in a queue, and its sender has said newer things since, directly.
    if (path === 'relay' && peer.reach === 'direct') return answer;
    // What has come is on its way no more, though it may be lost since.
    for (const [feed, seq] of peer.served) if ((peer.known.get(feed) ?? 0) >= seq) peer.served.delete(feed);
    // What a peer says replaces what was believed: it may have lost what it once had (D2).
    peer.known = new Map(message.vector.map(({ feed, seq }) => [feed, seq]));
    if (this.#apart.heard(from, peer, now)) this.#sums.doubt(now);
    aim(peer);
    peer.relayed = new Map();
    // Who says that he holds nothing may mean to begin anew: he gets a base before the log, be it one of nothing. Without it he would keep what he has.
    // Who has no copy yet has nothing to give, and no log that would come after it.
    if (this.#replica.feeds.reaches(peer.known))
      peer.offer = peer.known.size > 0 || peer.last || this.#replica.size === 0 ? undefined : this.#offering.make();
    if (path === 'relay')
      return [...answer, ...this.#askWhatWeLack(from, message, now), ...this.#relaying.serveAgain(from, peer, now)];
    peer.introduced = true;
    peer.sent = new Map(peer.known);
    peer.credit.settle();
    peer.unackedSince = undefined;
    rewind(peer);
    calm(peer);
    return [...answer, ...this.#pump(from, peer, now, new Map())];
  }

  /** Who is to hear what is here, and what it adds up to (L6). */
  #sumsDue(now: number): readonly Outgoing[] {
    return [...this.#sums.due(now, this.#peers)].map((device) =>
      this.#reply(device, this.reach(device) === 'direct' ? 'direct' : 'relay', this.#have(device, false), true),
    );
  }

  /** Who is to say what he holds, since something has not come (L6). */
  #looksDue(now: number): readonly Outgoing[] {
    return this.#apart
      .due(now)
      .map((device) =>
        this.#reply(device, this.reach(device) === 'direct' ? 'direct' : 'relay', this.#have(device, true), true),
      );
  }

  // ---- the base (L6) ----------------------------------------------------------------------------------------------------

  /** Until when somebody is being given a base: what is folded meanwhile would not be in it, nor in the log. */
  get offeringUntil(): number {
    return this.#offering.until;
  }

  #baseAcknowledged(
    from: DeviceId,
    peer: Peer,
    path: 'direct' | 'relay',
    message: Message & { kind: 'needBase' },
    now: number,
  ): readonly Outgoing[] {
    if (peer.offer) this.#offering.acknowledged(peer, peer.offer, message, now);
    else if (this.#replica.feeds.reaches(peer.known)) return [];
    return this.#goOn(from, peer, path, now);
  }

  #goOn(from: DeviceId, peer: Peer, path: 'direct' | 'relay', now: number): readonly Outgoing[] {
    if (path === 'direct') return this.#pump(from, peer, now, new Map());
    return peer.offer ? this.#relaying.serve(from, peer) : this.#relaying.serveAgain(from, peer, now);
  }

  /** An answer says what we lack; without one asked for, we ask, but not again and again while it is on its way. */
  #askWhatWeLack(from: DeviceId, { vector, answer }: Message & { kind: 'have' }, now: number): readonly Outgoing[] {
    return !answer && this.#held.lacks(vector) ? this.askAgain(from, 'relay', now) : [];
  }

  #acknowledged(from: DeviceId, peer: Peer, vector: readonly Mark[], now: number): readonly Outgoing[] {
    const news = vector.some(({ feed, seq }) => (peer.known.get(feed) ?? 0) < seq);
    for (const { feed, seq } of vector) raise(peer.known, feed, seq);
    this.#apart.acknowledged(from, peer, now);
    aim(peer);
    if (peer.reach === 'direct' && !peer.introduced) return [];
    const isFull = peer.credit.isSpent;
    // What is acknowledged may have been learnt in another way already.
    if (covers(peer.known, peer.sent)) {
      calm(peer);
      peer.credit.settle();
      peer.unackedSince = undefined;
    } else {
      if (!news) return [];
      calm(peer);
      peer.credit.acknowledged(now - (peer.unackedSince ?? now));
      if (peer.unackedSince !== undefined) peer.unackedSince = now;
    }
    // Where there was room all the time, nothing is left to be sent but acks that wait.
    return this.#isSpreading(now) && !isFull ? [] : this.#pump(from, peer, now, new Map());
  }

  #pumpAll(now: number): readonly Outgoing[] {
    this.#spreadAt = undefined;
    const made: Made = new Map();
    return merged([...this.#peers].flatMap(([device, peer]) => this.#pump(device, peer, now, made)));
  }

  /** Sends what the peer lacks on its open path, within its credit (S1). Equal batches are one message, sealed once (K5). */
  #pump(device: DeviceId, peer: Peer, now: number, made: Made): readonly Outgoing[] {
    if (peer.reach !== 'direct' || !peer.introduced) return [];
    const out: Outgoing[] = [];
    while (!peer.credit.isSpent) {
      const batch = this.#batches.next(device, peer, peer.sent, peer.credit.batchBytes, made);
      if (!batch) break;
      const { what, ends, bytes } = batch;
      for (const { feed, seq } of ends) raise(peer.sent, feed, seq);
      peer.credit.sent(bytes);
      peer.unackedSince ??= now;
      out.push({ to: [device], path: 'direct', ...what, lane: Lane.structured, ephemeral: false });
    }
    return out;
  }

  /** Own deltas that no direct path has taken: to the relays, one batch at a time per peer, stored once for all (S4, R2). */
  #relayDue(now: number): readonly Outgoing[] {
    const made: Made = new Map();
    const out: Outgoing[] = [];
    for (const [device, peer] of this.#peers) {
      if (!isRecent(peer.relayRetryAt - RETRY_MS, RETRY_MS, now)) peer.relayRetryAt = 0;
      const direct = peer.reach === 'direct';
      if (direct && (peer.unackedSince === undefined || isRecent(peer.unackedSince, ACK_PATIENCE_MS, now))) continue;
      if (direct && this.#isRestartDue(peer, now)) out.push(...this.#restart(device, peer, now));
      const batch = this.#relayable(device) ? this.#relaying.due(device, peer, now, made) : undefined;
      if (batch) out.push(batch);
    }
    return merged(out);
  }

  #isRestartDue({ restarts, restartAt }: Peer, now: number): boolean {
    const waits_ms = ACK_PATIENCE_MS * 2 ** restarts;
    return restartAt !== Number.POSITIVE_INFINITY && !isRecent(restartAt - waits_ms, waits_ms, now);
  }

  /** A direct path that took bytes and answers nothing: what it has not acknowledged is sent again (S3: copies are cheap). */
  #restart(device: DeviceId, peer: Peer, now: number): readonly Outgoing[] {
    peer.restarts++;
    peer.restartAt =
      peer.restarts > MAX_RESTARTS ? Number.POSITIVE_INFINITY : now + ACK_PATIENCE_MS * 2 ** peer.restarts;
    if (!peer.introduced) return [this.#direct(device, this.#have(device, true), Lane.control)];
    peer.sent = new Map(peer.known);
    peer.credit.restart();
    rewind(peer);
    const again = this.#pump(device, peer, now, new Map());
    if (again.length === 0) peer.unackedSince = undefined;
    return again;
  }

  /** What is held here, as a device is told it: who is out hears of nothing beyond the word that he is told (K2). */
  #have(device: DeviceId, answer: boolean): Message {
    const peer = this.#peers.get(device);
    return peer?.last && device !== this.#held.hiddenFrom
      ? this.#held.haveUpTo(peer.last, peer.shown, answer)
      : this.#held.have(device, answer);
  }

  #direct(device: DeviceId, message: Message, lane: Lane): Outgoing {
    return { to: [device], path: 'direct', message, lane, ephemeral: false, under: this.told.epochFor(device) };
  }

  #reply(device: DeviceId, path: 'direct' | 'relay', message: Message, ephemeral: boolean): Outgoing {
    return { to: [device], path, message, lane: Lane.control, ephemeral, under: this.told.epochFor(device) };
  }
}
