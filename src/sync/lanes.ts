/**
 * All lanes of a workspace (D2, D8), and every delta that stands in one, by its id and by its place: which lane one that comes goes on, and how a lane is
 * cut where it turns out to fork. It judges nothing. Whoever counts by lanes is told by the graph of each that begins, or is cut.
 */
import { assert } from '../base/assert.ts';
import { push } from '../base/group.ts';
import type { DeltaId, DeviceId, FeedId } from '../base/ids.ts';
import type { Delta } from './delta.ts';
import { Lane, reachOf, recounted, type MutableNode, type Node, type Past } from './lane.ts';

export class Lanes {
  readonly #all: Lane[] = [];
  readonly #nodes = new Map<DeltaId, Node>();
  readonly #feeds = new Map<FeedId, Lane[]>();
  readonly #devices = new Map<DeviceId, Lane[]>();
  readonly #branches: Lane[] = [];

  /** By their numbers. */
  get all(): readonly Lane[] {
    return this.#all;
  }

  /** Those that hang on another (D8). */
  get branches(): readonly Lane[] {
    return this.#branches;
  }

  /** Of a feed: what is before its fork first. */
  of(feed: FeedId): readonly Lane[] {
    return this.#feeds.get(feed) ?? NONE;
  }

  ofDevice(device: DeviceId): readonly Lane[] {
    return this.#devices.get(device) ?? NONE;
  }

  /** A feed before its fork. */
  trunk(feed: FeedId): Lane | undefined {
    return this.#feeds.get(feed)?.[0];
  }

  /** The lane in which a delta that is here stands. */
  home({ lane }: Node): Lane {
    return this.#all[lane]!;
  }

  get(id: DeltaId): Node | undefined {
    return this.#nodes.get(id);
  }

  // ---- what comes, and goes -------------------------------------------------------------------------------------------

  /** One more at the end of its lane. */
  append(node: Node): void {
    const lane = this.home(node);
    assert(lane.end === node.delta.seq - 1, 'a lane has no gap');
    lane.append(node);
    this.note(node);
  }

  /** It is found by its id. */
  note(node: Node): void {
    this.#nodes.set(node.delta.id, node);
  }

  /** It has gone from its lane. */
  drop({ delta: { id } }: Node): void {
    this.#nodes.delete(id);
  }

  begin(place: Pick<Lane, 'feed' | 'device' | 'generation' | 'parent' | 'first' | 'firstId'>): Lane {
    const lane = new Lane(this.#all.length, place);
    this.#all.push(lane);
    if (lane.parent) {
      this.#branches.push(lane);
      lane.parent.isForked = true;
    }
    push(this.#feeds, lane.feed, lane);
    push(this.#devices, lane.device, lane);
    return lane;
  }

  /** What of a lane is beyond `end` becomes a lane of its own, and every past is counted anew (D8). */
  cut(lane: Lane, end: number): Lane {
    const { feed, device, generation, substance, isForked } = lane;
    const hanging = this.#branches.filter(({ parent }) => parent === lane);
    const moved = lane.takeBeyond(end);
    const branch = this.begin({
      ...{ feed, device, generation, parent: lane, first: end + 1 },
      firstId: moved[0]!.delta.id,
    });
    branch.nodes = moved;
    branch.substance = substance;
    branch.isForked = isForked;
    for (const other of hanging) other.parent = branch;
    this.#recount(lane, branch);
    return branch;
  }

  #recount(lane: Lane, branch: Lane): void {
    const onBranch = new Set<Node>(branch.nodes);
    const counted = { off: new Map<Past, Past>(), on: new Map<Past, Past>() };
    for (const node of this.#nodes.values() as Iterable<MutableNode>) {
      const on = onBranch.has(node);
      if (on) node.lane = branch.number;
      if (!on && (node.past[lane.number] ?? 0) <= lane.end) continue;
      const known = on ? counted.on : counted.off;
      const past = known.get(node.past) ?? recounted(node.past, lane, on ? undefined : branch);
      known.set(node.past, past);
      node.past = past;
    }
  }

  // ---- of forks (D8) --------------------------------------------------------------------------------------------------

  /** Whether the place of a delta that would stand upon `prev` is taken: by another, or by branches that begin there. */
  isTaken({ feed, seq }: Delta, prev: Node | undefined): boolean {
    const taken = this.of(feed).filter((lane) => lane.first <= seq && seq <= lane.end);
    const upon = prev?.delta.feed === feed ? this.home(prev) : undefined;
    return upon ? taken.some((lane) => lane === upon || lane.parent === upon) : taken.length > 0;
  }

  /** The other branches that begin where a branch does. */
  rivalsOf(branch: Lane): readonly Lane[] {
    return this.of(branch.feed).filter((other) => other.parent === branch.parent && other !== branch);
  }

  /** Whether `outer` has in its past, or is, something of the feed of `inner` on a branch that stands against it. */
  holdsRival(outer: Node, inner: Node): boolean {
    const lanes = this.of(inner.delta.feed);
    if (lanes.length === 1) return false;
    const own = this.home(inner);
    return lanes.some((lane) => !lane.isInLineWith(own) && reachOf(outer, lane.number) >= lane.first);
  }

  /** Highest seq of a feed in the past of a delta, on whichever branch. */
  seenOf(feed: FeedId, { past }: Node): number {
    let seen = 0;
    for (const { number } of this.of(feed)) seen = Math.max(seen, past[number] ?? 0);
    return seen;
  }
}

const NONE: readonly Lane[] = [];
