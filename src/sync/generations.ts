/**
 * The feeds of one device, one after the other (D2): what of an older one counts since a later one has begun, and what of a later one.
 * Both follow from the set of deltas alone, and nothing that comes late, and counts, stands before what others may have folded (L4):
 *
 * - Of an older feed counts what others have named who did not know of a later one. Before all know of that, what is folded is in the
 *   past of where the older one ends, too.
 * - What the first of the later feeds begins upon counts as well; and what it names afterwards, of a lost tail that has come back, if what of
 *   that does not count by others sorts behind all that the later one had acknowledged by then.
 * - In a later feed nothing counts that stands as if an older one were not: of what others have named of that, who did not know of a later one, it
 *   has not acknowledged what that has, or sorts before it. So whoever knows of a later feed can say nothing more, in an older one, against it.
 * - Who folds upon what nobody has named yet, names it before he knows of the later one.
 *
 * So what a damaged store had lost counts again when it has come back in time, what a copy of the store goes on writing does not, and
 * nobody takes back, by a feed that knows less, what all have acknowledged.
 */
import { push } from '../base/group.ts';
import type { DeviceId } from '../base/ids.ts';
import type { Branches } from './branches.ts';
import type { Delta } from './delta.ts';
import {
  beginningOf,
  compareNodes,
  nodeAlong,
  reachAlong,
  type Closed,
  type Lane,
  type Node,
  type Past,
} from './lane.ts';
import type { Lanes } from './lanes.ts';

export class Generations {
  readonly #lanes: Lanes;
  readonly #branches: Branches;
  readonly #hasAcknowledged: (node: Node) => boolean;
  /** The lanes of each device, of its newest feed first, and of one feed the branches before the trunk. */
  readonly #newestFirst = new Map<DeviceId, Lane[]>();
  /** Those in whose place a later one has begun: few, and often none. */
  readonly #closed = new Set<Lane>();
  /** While nothing changes: of each device that is asked about, up to where its feeds are named here. */
  #still: Map<DeviceId, ReadonlyMap<Lane, number>> | undefined;

  /** `hasAcknowledged`: whether who holds the copy has a delta in what he has written. */
  constructor(lanes: Lanes, branches: Branches, hasAcknowledged: (node: Node) => boolean) {
    this.#lanes = lanes;
    this.#branches = branches;
    this.#hasAcknowledged = hasAcknowledged;
  }

  /**
   * A lane is there, and empty. Where a later one has come before it nobody has named it; of a branch counts what does of what it hangs on. `folded`:
   * out of a base (L6), so much of it counts, in whose place a later one is folded; what others name beyond that is told by what comes after the base.
   */
  begin(lane: Lane, folded?: Closed): void {
    const isTrunk = ({ parent }: Lane) => Number(!parent);
    push(this.#newestFirst, lane.device, lane);
    this.#lanesOf(lane.device).sort((a, b) => b.generation - a.generation || isTrunk(a) - isTrunk(b));
    const closed = folded ?? lane.parent?.closed ?? (this.#hasLater(lane) ? NOTHING : undefined);
    if (closed) this.#close(lane, closed);
    lane.namedAtCut = folded?.named ?? lane.parent?.namedAtCut ?? 0;
  }

  /**
   * A delta has come in, at the end of its lane. `isNews`: more of a branch is named by it than was (D8). Answers whether others count now, or do not any
   * more.
   */
  take(node: Node, lane: Lane, isNews: boolean): boolean {
    const isOther = this.#closeEarlier(node, lane);
    const isMore = this.#countNamed(node);
    const isHeard = isNews && this.#hearBranches();
    return this.#putsBehind(lane) || isOther || isMore || isHeard;
  }

  /** More of branches is named (D8), and says what it does of other feeds; and another may be what stands of a feed. */
  #hearBranches(): boolean {
    const named = this.#lanes.branches.filter(({ isNamed }) => isNamed);
    if (named.length !== this.#standing) {
      this.#standing = named.length;
      return this.#countAnew();
    }
    let isOther = false;
    for (const lane of this.#closed) if (this.#raise(lane, this.#namedOn(named, lane))) isOther = true;
    return isOther;
  }

  /** Of what others have named, and what that brings in, when other branches stand. */
  #countAnew(): boolean {
    let isOther = false;
    for (const one of this.#closed) {
      const { named, seen } = one.closed!;
      one.closed = { named: Math.max(one.namedAtCut, this.#namedOn(this.#lanes.all, one)), seen };
      isOther ||= one.closed.named !== named;
    }
    for (const device of new Set([...this.#closed].map((one) => one.device)))
      if (this.#bringInAnew(device, Number.POSITIVE_INFINITY)) isOther = true;
    return isOther;
  }

  /** How many branches were named when it was last asked which of them stand. */
  #standing = 0;

  /** Up to where a feed is named on these lanes by who does not know of a later one. */
  #namedOn(lanes: readonly Lane[], lane: Lane): number {
    let named = 0;
    for (const other of lanes) {
      if (other.device === lane.device) continue;
      const last = other.lastOf((node) => !this.#branches.isAlone(node) && !this.knowsLater(node, lane));
      if (last) named = Math.max(named, reachAlong(last.past, lane));
    }
    return named;
  }

  /** So much of it counts: a later one has begun. */
  #close(lane: Lane, closed: Closed): void {
    lane.closed = closed;
    this.#closed.add(lane);
  }

  /**
   * A delta is folded: what it names is the same in every base of that cut. What others name who are not known to all may come later, and is told by
   * what comes after the base.
   */
  settle({ past, delta: { device } }: Node): void {
    for (const lane of this.#closed) {
      const named = reachAlong(past, lane);
      if (lane.device === device || named <= lane.namedAtCut || this.#knowsLater(past, lane)) continue;
      lane.namedAtCut = named;
    }
  }

  /**
   * What was beyond the end of a lane is a lane of its own now (D8), and counts as it did, since it was begun upon that. By `closedAt` others take what is
   * not here: as much as by who had seen the fork before. Of older feeds the lane says no more than before its fork, nor
   * do other feeds count by what is on the branch, where nobody has named that. What is folded of a later feed had no more of the lane than is folded.
   */
  split(): void {
    this.#standing = this.#lanes.branches.filter(({ isNamed }) => isNamed).length;
    this.#countAnew();
  }

  /** Whether a delta of a feed before its fork has no effect, for what other feeds of its device say. */
  isAside(node: Node, lane: Lane): boolean {
    if (this.#closed.size === 0) return false;
    const { seq } = node.delta;
    return (seq > lane.counts && seq > this.#namedOf(lane.device).get(lane)!) || this.#isBehind(node, lane);
  }

  /**
   * While somebody asks about many deltas, and nothing changes here, nor what who holds the copy has acknowledged: how far each feed is named here is
   * looked for once. One who begins hundreds of feeds would have it looked for as often as their square.
   */
  whileStill<T>(act: () => T): T {
    if (this.#still) return act();
    this.#still = new Map();
    try {
      return act();
    } finally {
      this.#still = undefined;
    }
  }

  /** Up to where each feed of a device is named here, the oldest first. */
  #namedOf(device: DeviceId): ReadonlyMap<Lane, number> {
    const before = this.#still?.get(device);
    if (before) return before;
    let known: number | undefined;
    const knownOf = () => (known ??= this.#knownOf(device));
    const feeds = [...this.#withNext(device)].reverse();
    const named = new Map(feeds.map(([lane, next]) => [lane, this.#namedHere(lane, next, knownOf)]));
    this.#still?.set(device, named);
    return named;
  }

  /** Up to where a feed counts, as far as a later one of its device says whose beginning is `known`; of a forked one up to its fork. */
  closedAt(
    { device, feed, generation }: Pick<Delta, 'device' | 'feed' | 'generation'>,
    known: (first: Node) => boolean,
  ): number {
    const isClosed = this.#lanes.ofDevice(device).some((lane) => {
      const first = lane.generation > generation ? beginningOf(lane) : undefined;
      return first !== undefined && known(first);
    });
    return isClosed ? (this.#lanes.trunk(feed)?.counts ?? 0) : Number.POSITIVE_INFINITY;
  }

  /** Where what is here of an older feed ends that nobody has named, and that who holds the copy is to name before he knows of the later. */
  unnamedEnds(): readonly Node[] {
    const ends: Node[] = [];
    for (const device of new Set([...this.#closed].map((lane) => lane.device))) {
      for (const [lane, named] of this.#namedOf(device)) {
        const end = named > (lane.closed?.named ?? 0) ? lane.at(named) : undefined;
        if (end) ends.push(end);
      }
    }
    return ends;
  }

  // ---- of older feeds -------------------------------------------------------------------------------------------------

  /** The first of the later feeds that has begun, before its fork, and counts from its beginning. */
  #nextOf({ device, generation }: Lane): Lane | undefined {
    let next: Lane | undefined;
    for (const lane of this.#lanesOf(device)) {
      if (lane.generation <= generation) break;
      if (this.#hasBegun(lane, next)) next = lane;
    }
    return next;
  }

  /** Whether a later feed has begun, be it forked from its beginning. */
  #hasLater({ device, generation }: Lane): boolean {
    return this.#lanesOf(device).some((lane) => lane.generation > generation && lane.end >= lane.first);
  }

  #lanesOf(device: DeviceId): Lane[] {
    return this.#newestFirst.get(device) ?? [];
  }

  /** Each lane of a device with the one that is the next for it: those after it say whether one has begun. */
  *#withNext(device: DeviceId): Generator<readonly [Lane, Lane | undefined]> {
    let next: Lane | undefined;
    for (const lane of this.#lanesOf(device)) {
      yield [lane, next];
      if (this.#hasBegun(lane, next)) next = lane;
    }
  }

  /**
   * Whether a feed has begun, as others hold it, and its beginning counts, whatever a later one may bring in since (`next`: the first of these that has
   * begun). One that comes when all know of a later one does not, and says nothing of those before it: what of them counts may be folded.
   */
  #hasBegun(trunk: Lane, next: Lane | undefined): boolean {
    if (trunk.parent) return false;
    const lane = trunk.end === 0 ? this.#lineOf(trunk)[1] : trunk;
    if (!lane) return false;
    const { closed } = lane;
    if (!closed || closed.named > 0) return true;
    const first = next && nodeAlong(this.#endOf(next), 1);
    return first ? reachAlong(first.past, lane) > 0 : closed.seen > 0;
  }

  #closeEarlier(node: Node, lane: Lane): boolean {
    if (lane.generation === 0 || (lane.parent && this.#branches.isContested(lane))) return false;
    let isOther = false;
    for (const [one, next] of this.#withNext(lane.device)) {
      if (one.generation >= lane.generation) continue;
      const before = one.counts;
      one.namedAtCut = one.closed ? one.namedAtCut : this.#namedByOthers(one, ({ frontier }) => frontier);
      const closed = { named: one.closed?.named ?? this.#namedByOthers(one), seen: one.closed?.seen ?? 0 };
      if (node.delta.seq === 1) this.#close(one, { ...closed, seen: this.#seenAnew(one, closed, next) });
      else if (next && this.#endOf(next) === lane) one.closed = { ...closed, seen: this.#seenFrom(node, one, closed) };
      isOther ||= Math.min(before, one.end) !== Math.min(one.counts, one.end);
    }
    return isOther;
  }

  /**
   * Up to where an older feed comes in by a delta of the later one that follows it, after those before it. It is asked of the first that does
   * not count anyhow whether it stands behind what all may have folded: one that is forgotten was there, in vain, for an earlier delta.
   */
  #seenFrom(node: Node, earlier: Lane, { named, seen }: Closed): number {
    const reach = reachAlong(node.past, earlier);
    if (node.delta.seq === 1) return reach;
    const counts = Math.max(named, seen);
    if (reach <= counts) return Math.max(reach, seen);
    const [prev, first] = [nodeAlong(this.#lanes.home(node), node.delta.seq - 1), nodeAlong(earlier, counts + 1)];
    return prev && first && compareNodes(prev, first) < 0 ? reach : seen;
  }

  /** Of everybody but its device, as long as no later feed is here. */
  #namedByOthers(lane: Lane, endOf = (other: Lane) => this.#branches.lastShared(other)): number {
    let named = 0;
    for (const other of this.#lanes.all) {
      const end = other.device === lane.device ? undefined : endOf(other);
      if (end) named = Math.max(named, reachAlong(end.past, lane));
    }
    return named;
  }

  #countNamed(node: Node): boolean {
    if (this.#closed.size === 0 || this.#branches.isAlone(node)) return false;
    let isMore = false;
    for (const lane of this.#closed) {
      const named = reachAlong(node.past, lane);
      if (lane.device === node.delta.device || named <= lane.closed!.named || this.#knowsLater(node.past, lane))
        continue;
      if (this.#raise(lane, named)) isMore = true;
    }
    return isMore;
  }

  /** More of a feed turns out to be named. Answers whether others count now. */
  #raise(lane: Lane, named: number): boolean {
    const closed = lane.closed!;
    if (named <= closed.named) return false;
    const before = lane.counts;
    lane.closed = { named, seen: this.#seenAnew(lane, { ...closed, named }, this.#nextOf(lane)) };
    const isMore = lane.counts > before || this.#putsBehind(lane);
    return (closed.named === 0 && this.#bringInAnew(lane.device, lane.generation)) || isMore;
  }

  /** Another feed is the next for those before a generation, or is shorter: of them counts what it says. Answers whether that is other than it was. */
  #bringInAnew(device: DeviceId, generation: number): boolean {
    let isOther = false;
    for (const [one, next] of this.#withNext(device)) {
      if (one.generation >= generation || !one.closed) continue;
      const before = one.counts;
      one.closed = { ...one.closed, seen: this.#seenAnew(one, one.closed, next) };
      isOther ||= one.counts !== before;
    }
    return isOther;
  }

  /** More of it counts by others, or another feed is the next: what that has brought in may stand behind it. */
  #seenAnew(earlier: Lane, { named, seen: before }: Closed, next: Lane | undefined): number {
    if (!next) return 0;
    const line = this.#lineOf(next);
    const isCut = line.some(({ first, cut }) => cut >= first);
    // Of one whose beginning is forgotten all know: it has brought in no more than its last that is here could.
    let seen = isCut ? Math.min(before, reachAlong(line.findLast(({ tip }) => tip)!.tip!.past, earlier)) : 0;
    for (const { nodes } of line) for (const node of nodes) seen = this.#seenFrom(node, earlier, { named, seen });
    return seen;
  }

  /** A feed as others hold it: what is before its fork, and the branch that stands upon that (D8). */
  #lineOf(trunk: Lane): readonly Lane[] {
    const line = [trunk];
    for (let end = trunk; end.isForked;) {
      const upon = this.#lanes.of(end.feed).find((lane) => lane.parent === end && !this.#branches.isContested(lane));
      if (!upon) break;
      line.push((end = upon));
    }
    return line;
  }

  #endOf(trunk: Lane): Lane {
    return trunk.isForked ? this.#lineOf(trunk).at(-1)! : trunk;
  }

  /** Whether a delta has something of a later feed than this in its past, or stands in one. */
  knowsLater({ delta, past }: Node, lane: Lane): boolean {
    return (delta.device === lane.device && delta.generation > lane.generation) || this.#knowsLater(past, lane);
  }

  #knowsLater(past: Past, { device, generation }: Lane): boolean {
    return this.#newestIn(past, device) > generation;
  }

  /** The newest feed of a device in a past, -1 for none. A past does not change: it is looked through once. */
  #newestIn(past: Past, device: DeviceId): number {
    const known = this.#newest.get(past) ?? new Map<DeviceId, number>();
    let newest = known.get(device);
    if (newest !== undefined) return newest;
    newest = this.#lanesOf(device).find((lane) => (past[lane.number] ?? 0) > 0)?.generation ?? -1;
    this.#newest.set(past, known.set(device, newest));
    return newest;
  }

  readonly #newest = new WeakMap<Past, Map<DeviceId, number>>();

  /**
   * Up to where an older feed is named here by who does not know of a later one. Who holds the copy has folded upon what came before he heard of
   * that (L4), and names it first: till then it counts for him alone. `next`: the later feed that follows it. `knownOf`: the newest feed of the
   * device that he knows of, where it is asked for.
   */
  #namedHere(lane: Lane, next: Lane | undefined, knownOf = () => this.#knownOf(lane.device)): number {
    const named = Math.min(lane.closed?.named ?? 0, lane.end);
    if (!lane.closed || lane.parent || lane.isForked || named === lane.end || lane.generation < knownOf()) return named;
    const end = lane.lastOf((node) => !this.knowsLater(node, lane));
    const later = next && this.#lineOf(next).find(({ nodes }) => nodes.length > 0)?.nodes[0];
    // What nobody has named is folded nowhere but in the base of who was alone; who knows all that it had acknowledged denies nothing else that may be.
    const deniesBase = later !== undefined && Math.max(named, reachAlong(later.past, lane)) < lane.cut;
    if (!end || (later && !deniesBase && this.#knowsAllOf(later, end))) return named;
    return Math.max(named, end.delta.seq);
  }

  /** The newest feed of a device of which who holds the copy knows in what he has written. What is folded all do. */
  #knownOf(device: DeviceId): number {
    for (const lane of this.#lanesOf(device)) {
      const first = beginningOf(lane);
      if (first && (lane.cut > 0 || this.#hasAcknowledged(first))) return lane.generation;
    }
    return -1;
  }

  /** Where older feeds of its device end, as others have named them, that a delta has not in its past. */
  standingBefore(node: Node, { device, generation }: Lane): readonly Node[] {
    if (this.#closed.size === 0 || generation === 0) return [];
    return this.#lanesOf(device).flatMap((earlier) => {
      const named = earlier.closed?.named ?? 0;
      if (earlier.generation >= generation || named <= reachAlong(node.past, earlier)) return [];
      return nodeAlong(earlier, named) ?? [];
    });
  }

  // ---- of later feeds -------------------------------------------------------------------------------------------------

  /**
   * Whether an older feed of its device has said more than a delta, as far as others have named it: acknowledged what it has not, or written what
   * sorts behind it and may be folded.
   */
  #isBehind(node: Node, { device, generation }: Lane): boolean {
    if (generation === 0) return false;
    for (const [earlier, named] of this.#namedOf(device)) {
      if (earlier.generation >= generation) return false;
      if (this.#standsBefore(earlier, named, node)) return true;
    }
    return false;
  }

  /** Whether an older feed, up to `named`, has said more than a delta. One that is forgotten has not: the later one had it in its past, or is folded itself. */
  #standsBefore(earlier: Lane, named: number, node: Node): boolean {
    const last = named > reachAlong(node.past, earlier) ? nodeAlong(earlier, named) : undefined;
    return last !== undefined && (!this.#knowsAllOf(node, last) || compareNodes(last, node) > 0);
  }

  /** Whether what one delta has in its past of other devices' feeds is in the past of another of the same device. */
  #knowsAllOf(later: Node, { past, delta: { device } }: Node): boolean {
    return past.every((seq, lane) => seq <= (later.past[lane] ?? 0) || this.#lanes.all[lane]!.device === device);
  }

  /** Whether something in later feeds stands as if what has come into this one were not. */
  #putsBehind(lane: Lane): boolean {
    const named = this.#namedHere(lane, this.#nextOf(lane));
    return this.#lanesOf(lane.device).some((later) => {
      const first = later.nodes[0];
      return later.generation > lane.generation && first !== undefined && this.#standsBefore(lane, named, first);
    });
  }
}

const NOTHING: Closed = { named: 0, seen: 0 };
