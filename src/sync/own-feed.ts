/**
 * The feed that this device writes in a copy (D1, D2): which one it is, how much of it is on disk, and what its next delta says. It judges
 * nothing, and takes nothing in: that is the copy's.
 */
import type { DeltaId, DeviceId, FeedId, ToolId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Value } from '../protocol/codec.ts';
import { MAX_DEPS } from '../protocol/limits.ts';
import type { Authority } from './authority.ts';
import { controlBody } from './control.ts';
import { DELTA_VERSION, generationOf, signDelta, type Delta, type Signer } from './delta.ts';
import type { Endings } from './endings.ts';
import type { Entrances } from './entrances.ts';
import { inPast, type Graph, type Node, type Vector } from './graph.ts';
import { reachOf, type Lane } from './lane.ts';

/** What a delta says, whoever signs it. */
export interface Entry {
  readonly tool: ToolId | undefined;
  readonly kind: string;
  readonly body: Value;
}

type Place = Pick<Delta, 'feed' | 'seq'>;

export interface OwnFeedOptions {
  readonly crypto: Crypto;
  readonly workspace: WorkspaceId;
  readonly feed: FeedId;
  readonly graph: Graph;
  readonly authority: Authority;
  readonly entrances: Entrances;
  readonly endings: Endings;
}

export class OwnFeed {
  readonly #crypto: Crypto;
  readonly #workspace: WorkspaceId;
  readonly #graph: Graph;
  readonly #authority: Authority;
  readonly #entrances: Entrances;
  readonly #endings: Endings;
  #feed: FeedId;
  /** Highest seq on disk of each feed that was written here since the opening: what is beyond it nobody may hear of yet (D1). */
  readonly #durable = new Map<FeedId, number>();
  /** Until something enters: it is asked for whenever it is asked when to wake. */
  #isAckDue: boolean | undefined;

  constructor({ crypto, workspace, feed, graph, authority, entrances, endings }: OwnFeedOptions) {
    this.#crypto = crypto;
    this.#workspace = workspace;
    this.#graph = graph;
    this.#authority = authority;
    this.#entrances = entrances;
    this.#endings = endings;
    this.#feed = feed;
    this.#durable.set(feed, 0);
  }

  get feed(): FeedId {
    return this.#feed;
  }

  get device(): DeviceId {
    return this.#feed.split('.')[0] as DeviceId;
  }

  get generation(): number {
    return generationOf(this.#feed);
  }

  get #tip(): Node | undefined {
    return this.#graph.tip(this.#feed);
  }

  /**
   * D2: whether it is of an earlier feed of this device. What of that has come back and waits here wants nothing that this device has acknowledged the end
   * of: all who are waited for may have, and have folded what knows of a later feed, and who was taken out would name it to them (A4). But where another
   * device names it: that needs all of what it rests on, as everybody else has it (world “kestrel.39896”).
   */
  isLost({ device, generation }: Pick<Delta, 'device' | 'generation'>): boolean {
    return device === this.device && generation < this.generation;
  }

  /** D2: what is written from now on stands in this feed of the same device. */
  begin(feed: FeedId): void {
    this.#feed = feed;
    this.#durable.set(feed, 0);
    this.changed();
  }

  /** Something is here that was not before, or not any more. */
  changed(): void {
    this.#isAckDue = undefined;
  }

  // ---- what is on disk (D1) -------------------------------------------------------------------------------------------

  /** Up to this one it is. Answers whether that is more than before. */
  madeDurable({ feed, seq }: Place): boolean {
    const before = this.#durable.get(feed);
    if (before === undefined || before >= seq) return false;
    this.#durable.set(feed, seq);
    return true;
  }

  /** All that is here of the feed is: it came from there. */
  allDurable(): void {
    this.#durable.set(this.#feed, this.#tip?.delta.seq ?? 0);
  }

  /** What of another copy's is on disk, of feeds that were not written in this one; and what has come with the base, be it more than that had. */
  takeOver(other: OwnFeed): void {
    const cut = this.#graph.cut();
    for (const [feed, seq] of other.#durable)
      if (!this.#durable.has(feed)) this.#durable.set(feed, Math.max(seq, cut.get(feed) ?? 0));
  }

  isDurable({ feed, seq }: Place): boolean {
    return seq <= (this.#durable.get(feed) ?? seq);
  }

  get isAllDurable(): boolean {
    return this.durableEnds().every(([feed, seq]) => (this.#graph.tip(feed)?.delta.seq ?? 0) <= seq);
  }

  durableEnds(): readonly (readonly [FeedId, number])[] {
    return [...this.#durable];
  }

  /** Of what is held what others may be told. */
  durableIn(held: Vector): Vector {
    const vector = new Map(held);
    for (const [feed, seq] of this.#durable) {
      // Of an older feed of ours some may have been folded in a copy before this one, and not be here yet.
      const told = Math.min(seq, held.get(feed) ?? 0);
      if (told === 0) vector.delete(feed);
      else vector.set(feed, told);
    }
    return vector;
  }

  // ---- what is to be said ---------------------------------------------------------------------------------------------

  /** D8: it has two histories, and cannot go on. */
  get #isForked(): boolean {
    return this.#endings.forked.has(this.device);
  }

  /**
   * Whether it should say what has been seen (L4): something that is no ack is here and not in its past. An ack asks
   * for none, so it ends.
   */
  get isAckDue(): boolean {
    return !this.#isForked && (this.#isAckDue ??= this.#hasUnseen());
  }

  #hasUnseen(): boolean {
    const tip = this.#tip;
    const seenOf = (lane: Lane) => tip?.past[lane.number] ?? 0;
    const unseen = this.#graph.lanes.filter(
      (lane) =>
        lane.feed !== this.#feed &&
        lane.substance >= lane.first &&
        lane.substance > seenOf(lane) &&
        this.#graph.canBeNamed(lane, tip),
    );
    if (unseen.length === 0 || unseen.some(({ parent }) => !parent)) return unseen.length > 0;
    // Of branches that stand against each other none is named before others have (D8).
    const heads = this.#graph.headsOutside(this.#feed);
    return unseen.some((lane) => heads.some((head) => reachOf(head, lane.number) > seenOf(lane)));
  }

  /**
   * D2: what was lost of an older feed of the device has come back, and is not in its past: it may count again only when it is, and what is
   * written here only then.
   */
  get hasComeBack(): boolean {
    const { generation } = this;
    const tip = this.#tip;
    if (!tip || this.#isForked) return false;
    return this.#graph
      .lanesOf(this.device)
      .some((lane) => lane.generation < generation && !lane.parent && lane.end > (tip.past[lane.number] ?? 0));
  }

  /** D2: of what this device had written in another feed, and has come back, what waits for its past: that may be taken no more. */
  comeBack(): readonly Delta[] {
    return this.#graph.waiting === 0 ? [] : [...this.#graph.waitingDeltas()].filter((delta) => this.isLost(delta));
  }

  /**
   * D2: whether a delta is in what was written here, or has to be in the past of whatever is written next that counts: with what that
   * cites (A3), and with what lets its device in, where it has written nothing yet (I4) or comes back (L7). Who can write nothing need not.
   */
  hasAcknowledged(node: Node): boolean {
    const { device } = this;
    if (node.delta.device === device) return true;
    const hasIt = (end: Node) => end === node || inPast(node, end);
    const tips = this.#graph.lanesOf(device).flatMap(({ tip }) => tip ?? []);
    if (tips.some(hasIt)) return true;
    const account = this.#authority.accountOf(device);
    const cited = account === undefined ? undefined : this.#authority.bestCredential(account);
    if (!cited || hasIt(this.#graph.get(cited.id)!)) return true;
    const entrances = this.#endings.standingEntrances(device);
    if (tips.length === 0) return entrances.every(hasIt);
    return this.#endings.returned([device]).size > 0 && entrances.slice(-1).some(hasIt);
  }

  /**
   * I4: whether the first delta can have in its past what lets its device in. Where that stands in a branch of a feed, and all else
   * rests on another (D8), it can not, and nobody would take what is written here.
   */
  get canBegin(): boolean {
    return this.#tip !== undefined || !this.#entrances.has(this.device) || this.#mayBegin(this.heads());
  }

  #mayBegin(named: readonly Node[]): boolean {
    return this.#entrances.rests(named, this.device);
  }

  // ---- the next delta -------------------------------------------------------------------------------------------------

  /** What the next but `ahead` would look like to those who judge it: everything here is in its past. */
  draft(device: DeviceId, entry: Entry, ahead: number, now: number): Node {
    const tip = this.#tip;
    const delta: Delta = {
      ...{ id: `draft ${ahead}` as DeltaId, version: DELTA_VERSION, device, feed: this.#feed },
      ...{ generation: this.generation, seq: (tip?.delta.seq ?? 0) + 1 + ahead, prev: undefined, deps: [] },
      ...{ credential: this.#credentialOf(device), time: now, bytes: NO_BYTES },
      ...entry,
    };
    const height = this.#graph.height + 1 + ahead;
    return { delta, height, lane: tip?.lane ?? NO_LANE, past: this.#graph.everything(), arrival: 0 };
  }

  /**
   * What an ack has to name before the next delta: what is to be named by who does not know of a later feed yet (D2), where the feed has begun or
   * may begin with these alone (I4), or more heads than one delta names (D5). Undefined: nothing, the next comes at once.
   */
  toNameBefore(): readonly Node[] | undefined {
    const first = this.#graph.toNameFirst(this.#feed);
    if (first.length > 0 && (this.#tip || this.#mayBegin(first))) return first;
    const heads = this.heads();
    return heads.length > MAX_DEPS ? heads : undefined;
  }

  /** What the next would name: where that is more than one delta can, first what holds that without which it would not count. */
  heads(): readonly Node[] {
    const heads = this.#graph.headsOutside(this.#feed);
    if (heads.length <= MAX_DEPS) return heads;
    const holding = (node: Node) => heads.find((head) => head === node || inPast(node, head)) ?? [];
    return [...new Set([...this.#foundations().flatMap(holding), ...heads])];
  }

  /** What the next has to have in its past: what it cites (A3), and, of a feed that has not begun, what lets its device in, the newest first (I4, L7). */
  #foundations(): readonly Node[] {
    const cited = this.#credentialOf(this.device);
    const entrances = this.#tip ? [] : this.#endings.standingEntrances(this.device).toReversed();
    return [(cited && this.#graph.get(cited)) ?? [], ...entrances].flat();
  }

  /** The next, which names the heads that are here, or the first of others. */
  sign(signer: Signer, entry: Entry, now: number, named: readonly Node[] = this.heads()): Delta {
    const prev = this.#tip;
    const isGenesis = entry.tool === undefined && entry.kind === 'genesis';
    return signDelta(this.#crypto, signer, isGenesis ? undefined : this.#workspace, {
      generation: this.generation,
      seq: (prev?.delta.seq ?? 0) + 1,
      prev: prev?.delta.id,
      deps: named.slice(0, MAX_DEPS).map((head) => head.delta.id),
      credential: this.#credentialOf(signer.device),
      time: now,
      ...entry,
    });
  }

  #credentialOf(device: DeviceId): DeltaId | undefined {
    const account = this.#authority.accountOf(device);
    return account === undefined ? undefined : this.#authority.bestCredential(account)?.id;
  }
}

export const ACK: Entry = { tool: undefined, kind: 'ack', body: controlBody.ack() };

const NO_BYTES = new Uint8Array(0);
const NO_LANE = -1;
