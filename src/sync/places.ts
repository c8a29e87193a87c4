/**
 * What is left in the lanes of what is folded (L4, L6), be it forgotten here or out of a base: of each lane its control deltas, whole, and the places of
 * the delta at its cut and of those that something after a cut still names (D5). A place says which delta it was, how high, and upon what, so that what names
 * it is taken, and counted, as by who has forgotten nothing.
 */
import type { DeltaId, DeviceId, FeedId } from '../base/ids.ts';
import { isAck, type Delta } from './delta.ts';
import type { Generations } from './generations.ts';
import { reachOf, type Closed, type Lane, type MutableNode, type Node, type Past } from './lane.ts';
import type { Lanes } from './lanes.ts';
import type { Vector } from './vector.ts';

/** A lane up to a cut (L6). Lanes are numbered by their place among all of the base. */
export interface LaneRecord {
  readonly feed: FeedId;
  readonly device: DeviceId;
  readonly generation: number;
  readonly parent: number | undefined;
  readonly first: number;
  readonly firstId: DeltaId | undefined;
  readonly cut: number;
  /** D2: where a later feed of the device is folded, too. */
  readonly closed: Closed | undefined;
  /** The delta at the cut; undefined for the empty beginning of a feed that forks at once. */
  readonly end: { readonly id: DeltaId; readonly height: number; readonly past: Past } | undefined;
}

/** Of a base: the place of a folded delta before the end of its lane, that something after the cut names. */
export interface PlaceRecord {
  readonly lane: number;
  readonly seq: number;
  readonly id: DeltaId;
  readonly height: number;
  readonly past: Past;
}

export class Places {
  readonly #lanes: Lanes;
  readonly #generations: Generations;
  /** Until something is forgotten. */
  #cut: Vector | undefined;

  constructor(lanes: Lanes, generations: Generations) {
    this.#lanes = lanes;
    this.#generations = generations;
  }

  /** Up to where each feed is folded. */
  cut(): Vector {
    if (this.#cut) return this.#cut;
    const cut = new Map<FeedId, number>();
    for (const lane of this.#lanes.all) if (!lane.parent && lane.cut > 0) cut.set(lane.feed, lane.cut);
    return (this.#cut = cut);
  }

  /** Whether who holds as much lacks nothing of what is folded. */
  reaches(theirs: Vector): boolean {
    return this.#lanes.all.every(
      ({ parent, cut, feed }) => parent !== undefined || cut === 0 || (theirs.get(feed) ?? 0) >= cut,
    );
  }

  isFolded(node: Node): boolean {
    return node.delta.seq <= this.#lanes.home(node).cut;
  }

  /** Whether the place of a delta that is not here is at or before the cut: it was folded, or is a rival of what was. */
  isForgotten({ feed, seq }: Delta, prev: Node | undefined): boolean {
    if (prev?.delta.feed === feed) return seq <= this.#lanes.home(prev).cut;
    return this.#lanes.of(feed).some((lane) => lane.first <= seq && seq <= lane.cut);
  }

  /** Whether all that was forgotten is in the past of a delta. */
  coversCut(node: Node): boolean {
    return this.#lanes.all.every((lane) => lane.cut < lane.first || reachOf(node, lane.number) >= lane.cut);
  }

  // ---- forgetting (L4) ------------------------------------------------------------------------------------------------

  /** What is at or before the cut, which is closed under past. */
  forget(cut: Past): void {
    this.#cut = undefined;
    for (const lane of this.#lanes.all) this.#forgetIn(lane, Math.min(cut[lane.number] ?? 0, lane.end));
    const named = new Set(this.#lanes.all.flatMap(({ nodes }) => nodes.flatMap(({ delta }) => delta.deps)));
    for (const { places } of this.#lanes.all) {
      for (const [seq, place] of places) {
        if (named.has(place.delta.id)) continue;
        places.delete(seq);
        this.#lanes.drop(place);
      }
    }
  }

  /** Leaves the place of each delta, but for control deltas. */
  #forgetIn(lane: Lane, upTo: number): void {
    if (upTo <= lane.cut) return;
    const gone = lane.nodes.splice(0, upTo - lane.cut);
    if (lane.frontier && !isKept(lane.frontier.delta)) lane.places.set(lane.cut, lane.frontier);
    const last = gone.at(-1)!;
    for (const node of gone) {
      this.#generations.settle(node);
      if (isKept(node.delta)) lane.kept.set(node.delta.seq, node);
      else (node as MutableNode).delta = placeOf(node.delta);
      if (node !== last && !isKept(node.delta)) lane.places.set(node.delta.seq, node);
    }
    lane.cut = upTo;
    lane.named = Math.max(lane.named, upTo);
    lane.frontier = last;
  }

  // ---- out of a base (L6) ---------------------------------------------------------------------------------------------

  /** A lane, after those it hangs on. */
  loadLane({ closed, cut, end, ...place }: LaneRecord): void {
    const parent = place.parent === undefined ? undefined : this.#lanes.all[place.parent];
    const lane = this.#lanes.begin({ ...place, parent });
    this.#generations.begin(lane, closed);
    this.#cut = undefined;
    lane.cut = cut;
    lane.named = cut;
    lane.substance = cut;
    if (end) lane.frontier = this.#load(lane, placeOf({ ...place, id: end.id, seq: cut }), end);
  }

  /** After all lanes. */
  loadPlace({ lane, seq, id, ...counted }: PlaceRecord): void {
    const home = this.#lanes.all[lane]!;
    home.places.set(seq, this.#load(home, placeOf({ ...home, id, seq }), counted));
  }

  /** After all lanes: a control delta, in D6 order. */
  loadControl(delta: Delta, lane: number, counted: Pick<Node, 'height' | 'past' | 'arrival'>): Node {
    const home = this.#lanes.all[lane]!;
    const node = this.#load(home, delta, counted);
    home.kept.set(delta.seq, node);
    if (delta.seq === home.cut) home.frontier = node;
    return node;
  }

  #load({ number }: Lane, delta: Delta, counted: Pick<Node, 'height' | 'past'> & Partial<Node>): Node {
    const { height, past, arrival = 0 } = counted;
    const node: Node = { delta, height, lane: number, past, arrival };
    this.#lanes.note(node);
    return node;
  }
}

/** L4: control deltas stay; an ack says what the place of a later one says, and a place says nothing but itself. */
function isKept(delta: Delta): boolean {
  return delta.tool === undefined && !isAck(delta) && delta.bytes.length > 0;
}

/** What is left of a delta that was folded: its place in its feed. */
function placeOf({
  id,
  device,
  feed,
  generation,
  seq,
}: Pick<Delta, 'id' | 'device' | 'feed' | 'generation' | 'seq'>): Delta {
  const none = { version: 0, prev: undefined, deps: [], credential: undefined, time: 0, tool: undefined };
  return { ...none, id, device, feed, generation, seq, kind: 'ack', body: null, bytes: NO_BYTES };
}

const NO_BYTES = new Uint8Array(0);
