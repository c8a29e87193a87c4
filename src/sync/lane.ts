/**
 * Lanes: what the past of a delta is counted in. A feed is one lane; where it forks (D8), what is before the fork is one
 * lane and each branch another that hangs on its end, so that "up to seq" says exactly which deltas are meant. The cut into
 * lanes depends on the set of deltas alone, not on which branch was seen first; only their numbers are local.
 */
import type { DeltaId, DeviceId, FeedId } from '../base/ids.ts';
import { isAck, type Delta } from './delta.ts';

export interface Node {
  readonly delta: Delta;
  /** 1 + the highest in its past; 1 for the genesis (D6). */
  readonly height: number;
  /** Number of the lane it stands in. */
  readonly lane: number;
  /** Its past but for its own lane. Shared along a feed for as long as nothing new is named in deps. */
  readonly past: Past;
  /** Position in the order of arrival: what is unread is counted by it. Local, never part of a verdict. */
  readonly arrival: number;
}

/** By the number of a lane, the highest seq that is in. 0 or nothing: none of it. */
export type Past = readonly number[];

/** What a lane is written through; to everybody else a node is fixed. */
export type MutableNode = { -readonly [K in keyof Node]: Node[K] };

/**
 * How much of a feed counts since a later one of its device has begun (D2): of the one history that leads to the end of the lane, so of a branch (D8) what
 * who has not seen the fork holds for the feed.
 */
export interface Closed {
  /** Up to where others have named it who did not know of that. */
  readonly named: number;
  /** Up to where the later feed has it in its past and may bring it in. */
  readonly seen: number;
}

export class Lane {
  readonly number: number;
  readonly feed: FeedId;
  readonly device: DeviceId;
  readonly generation: number;
  /** The lane this one branched off at its end; undefined for the beginning of a feed. */
  parent: Lane | undefined;
  /** seq of its first delta, and of a branch its id: what tells it from its rivals. */
  readonly first: number;
  readonly firstId: DeltaId | undefined;
  /** Up to here only control deltas are still whole; `first - 1` where all is. */
  cut: number;
  /** The delta at `cut`: what the next one names as prev. Without a body, unless it is a control delta. */
  frontier: Node | undefined;
  /** Control deltas at or before `cut`, by seq. */
  readonly kept = new Map<number, Node>();
  /** Before `cut`, folded: the places of deltas that something after a cut still names (D5), by seq. */
  readonly places = new Map<number, Node>();
  /** Everything after `cut`. */
  nodes: Node[] = [];
  /** Highest seq that is not an ack; below `first` where there is none, as in a branch that was let go of (D8). */
  substance = 0;
  /** Where a later feed of the device has begun (D2, `generations.ts`). */
  closed: Closed | undefined;
  /** What is folded of `closed.named`: a base tells of nothing that is not (L6). */
  namedAtCut = 0;
  /** Whether branches hang on its end. */
  isForked = false;
  /** Of a branch (D8): up to where other devices have it in their past, or it is folded. */
  named = 0;

  constructor(number: number, place: Pick<Lane, 'feed' | 'device' | 'generation' | 'parent' | 'first' | 'firstId'>) {
    this.number = number;
    this.feed = place.feed;
    this.device = place.device;
    this.generation = place.generation;
    this.parent = place.parent;
    this.first = place.first;
    this.firstId = place.firstId;
    this.cut = place.first - 1;
  }

  /** D2: what is beyond has no effect, since a later feed has begun. */
  get counts(): number {
    return this.closed ? Math.max(this.closed.named, this.closed.seen) : Number.POSITIVE_INFINITY;
  }

  /** One more. */
  append(node: Node): void {
    this.nodes.push(node);
    if (isSubstance(node)) this.substance = node.delta.seq;
  }

  /** What is beyond a place, which is not before the cut, goes. */
  takeBeyond(end: number): Node[] {
    const gone = this.nodes.splice(end - this.cut);
    this.substance = Math.min(this.substance, this.end);
    return gone;
  }

  /** seq of its last delta; `first - 1` where it has none. */
  get end(): number {
    return this.cut + this.nodes.length;
  }

  get isNamed(): boolean {
    return this.named >= this.first;
  }

  get tip(): Node | undefined {
    return this.nodes.at(-1) ?? this.frontier;
  }

  at(seq: number): Node | undefined {
    if (seq > this.cut) return this.nodes[seq - this.cut - 1];
    return seq === this.cut ? this.frontier : (this.kept.get(seq) ?? this.places.get(seq));
  }

  /** The last, of those that are not forgotten, of what holds for a beginning of the lane. */
  lastOf(holds: (node: Node) => boolean): Node | undefined {
    let last: Node | undefined;
    for (let [from, to] = [Math.max(this.cut, this.first), this.end]; from <= to;) {
      const middle = (from + to) >>> 1;
      const node = this.at(middle);
      if (node && holds(node)) [last, from] = [node, middle + 1];
      else to = middle - 1;
    }
    return last;
  }

  /** Whether both can be in one history of the feed: one is the other, or hangs on it. */
  isInLineWith(other: Lane): boolean {
    return hangsOn(this, other) || hangsOn(other, this);
  }
}

/** The first delta of a feed, in the lane where that stands, or, where it is forgotten, what is known of those that were folded with it. */
export function beginningOf(lane: Lane): Node | undefined {
  return lane.first === 1 ? (lane.at(1) ?? lane.tip) : undefined;
}

function hangsOn(lane: Lane | undefined, other: Lane): boolean {
  for (let at = lane; at; at = at.parent) if (at === other) return true;
  return false;
}

/** An ack asks for none, but for the one that begins a later feed: all are to acknowledge that, and till then the older one counts, too (D2). */
export function isSubstance({ delta }: Node): boolean {
  return !isAck(delta) || (delta.generation > 0 && delta.seq === 1);
}

/** Whether `inner` is in the past of `outer`; a delta is not in its own past (D5). */
export function inPast(inner: Node, outer: Node): boolean {
  if (inner.lane === outer.lane) return inner.delta.seq < outer.delta.seq;
  return (outer.past[inner.lane] ?? 0) >= inner.delta.seq;
}

/** Up to where a delta has a lane in its past, itself included. */
export function reachOf(node: Node, lane: number): number {
  return node.lane === lane ? node.delta.seq : (node.past[lane] ?? 0);
}

/** The delta at a place in the one history of a feed that leads to a lane: what is before a branch stands in what that hangs on. */
export function nodeAlong(lane: Lane, seq: number): Node | undefined {
  let at = lane;
  while (seq < at.first && at.parent) at = at.parent;
  return at.at(seq);
}

/** Up to where a past goes in the one history of the feed that leads to a lane. */
export function reachAlong(past: Past, lane: Lane): number {
  for (let at: Lane | undefined = lane; at; at = at.parent) {
    const seq = past[at.number] ?? 0;
    if (seq > 0) return seq;
  }
  return 0;
}

/** D6: causal, then (height, id). Height alone respects causality, since it grows along every edge. */
export function compareNodes(a: Node, b: Node): number {
  return a.height - b.height || (a.delta.id < b.delta.id ? -1 : a.delta.id > b.delta.id ? 1 : 0);
}

/** The past of a delta that stands in `lane` upon these. */
export function pastUpon(lane: number, prev: Node | undefined, deps: readonly Node[]): Past {
  const others = prev && prev.lane !== lane ? [prev, ...deps] : deps;
  if (others.length === 0) return prev?.past ?? NOTHING;
  const past = prev ? prev.past.slice() : [];
  const raise = (at: number, seq: number) => {
    while (past.length <= at) past.push(0);
    if (past[at]! < seq) past[at] = seq;
  };
  for (const other of others) {
    raise(other.lane, other.delta.seq);
    for (let at = 0; at < other.past.length; at++) if (other.past[at]! > 0) raise(at, other.past[at]!);
  }
  return past;
}

/** A past in which a lane ends, and what is beyond its end, where that is in it, is in a branch now. Of what stands on the branch itself: none. */
export function recounted(past: Past, lane: Lane, branch: Lane | undefined): Past {
  const anew = past.slice();
  while (anew.length <= Math.max(lane.number, branch?.number ?? 0)) anew.push(0);
  if (branch) anew[branch.number] = anew[lane.number]!;
  anew[lane.number] = lane.end;
  return anew;
}

const NOTHING: Past = [];
