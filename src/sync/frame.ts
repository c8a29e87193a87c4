/**
 * The frame of a base out of a graph (L6): its lanes up to the cut, and its control deltas, counted as everybody counts them.
 * A branch whose rivals are all beyond the cut is not a branch there.
 */
import type { ControlRecord, Frame, OrderPlace } from './base.ts';
import { compareNodes, type Graph, type Node, type Past } from './graph.ts';
import { reachAlong, type Closed, type Lane } from './lane.ts';
import type { LaneRecord, PlaceRecord } from './places.ts';

/** Lanes that are one at the cut: the first and the last of them. */
interface Strand {
  readonly head: Lane;
  readonly tail: Lane;
}

export function frameOf(graph: Graph, end: OrderPlace | undefined): Frame {
  const strands = strandsOf(graph);
  const numbers = new Map<Lane, number>();
  for (const [number, { head, tail }] of strands.entries()) {
    for (let lane: Lane | undefined = tail; lane; lane = lane === head ? undefined : lane.parent) {
      numbers.set(lane, number);
    }
  }
  const numberOf = (lane: Lane): number | undefined => numbers.get(lane);
  const past = (own: number, counted: Past) => recount(graph, counted, own, numberOf);
  const lanes = strands.map(({ head, tail }, number): LaneRecord => {
    const { feed, device, generation, first, firstId, parent } = head;
    const { frontier } = tail;
    return {
      ...{ feed, device, generation, first, firstId, cut: tail.cut, closed: closedOf(strands, tail) },
      parent: parent && numberOf(parent),
      end: frontier && { id: frontier.delta.id, height: frontier.height, past: past(number, frontier.past) },
    };
  });
  const controls: { readonly node: Node; readonly record: ControlRecord }[] = [];
  for (const lane of graph.lanes) {
    for (const node of lane.kept.values()) {
      const own = numberOf(lane)!;
      const { delta, height } = node;
      controls.push({ node, record: { lane: own, delta, height, past: past(own, node.past) } });
    }
  }
  controls.sort((a, b) => compareNodes(a.node, b.node));
  const places = [...graph.lanes.flatMap(({ places: named }) => [...named.values()]), ...joints(graph, strands)].map(
    ({ delta: { id, seq }, height, lane, past: counted }): PlaceRecord => {
      const own = numberOf(graph.lanes[lane]!)!;
      return { lane: own, seq, id, height, past: past(own, counted) };
    },
  );
  places.sort((a, b) => a.lane - b.lane || a.seq - b.seq);
  return { end, lanes, places, controls: controls.map(({ record }) => record) };
}

/** Where the lanes of a strand meet: ends of theirs here, but not of the one lane that they are at the cut. There their places stay if something after it names them. */
function joints(graph: Graph, strands: readonly Strand[]): readonly Node[] {
  const met: Node[] = [];
  for (const { head, tail } of strands)
    for (let lane = tail; lane !== head;) {
      lane = lane.parent!;
      if (lane.frontier && !lane.kept.has(lane.cut)) met.push(lane.frontier);
    }
  if (met.length === 0) return met;
  const named = new Set(graph.lanes.flatMap(({ nodes }) => nodes.flatMap(({ delta }) => delta.deps)));
  return met.filter(({ delta }) => named.has(delta.id));
}

/**
 * D2: as long as no later feed is folded it goes without saying. Who folds that knows that all have acknowledged it: what others have named
 * stays as it is, but for who is not known to all, so what is folded tells it; and what the later one brings in is counted up to its own cut.
 * The last lane of a strand tells it of all of that, since it is counted along the history that leads to it.
 */
function closedOf(strands: readonly Strand[], lane: Lane): Closed | undefined {
  const later = strands
    .filter(({ head, tail }) => head.device === lane.device && head.generation > lane.generation && tail.frontier)
    .sort((a, b) => a.head.generation - b.head.generation);
  if (later.length === 0) return undefined;
  // One that forks at once brings in nothing.
  const next = later.find(({ head }) => !head.parent)?.tail.frontier;
  const seen = next ? Math.min(lane.closed?.seen ?? 0, reachAlong(next.past, lane)) : 0;
  return { named: lane.namedAtCut, seen };
}

function strandsOf(graph: Graph): readonly Strand[] {
  const isHere = new Set<Lane>();
  for (const lane of graph.lanes) {
    if (lane.cut < lane.first) continue;
    for (let at: Lane | undefined = lane; at && !isHere.has(at); at = at.parent) isHere.add(at);
  }
  const branchesOf = (lane: Lane) => [...isHere].filter((other) => other.parent === lane);
  const strands: Strand[] = [];
  for (const head of isHere) {
    if (head.parent && branchesOf(head.parent).length === 1) continue;
    let tail = head;
    for (let next = branchesOf(tail); next.length === 1; next = branchesOf(tail)) tail = next[0]!;
    strands.push({ head, tail });
  }
  return strands.sort((a, b) => compareLanes(a.head, b.head));
}

function compareLanes(a: Lane, b: Lane): number {
  if (a.device !== b.device) return a.device < b.device ? -1 : 1;
  const byPlace = a.generation - b.generation || a.first - b.first;
  return byPlace || ((a.firstId ?? '') < (b.firstId ?? '') ? -1 : 1);
}

/** A past in the numbers of the base. What is in its own strand is told by its seq. */
function recount(graph: Graph, past: Past, own: number, numberOf: (lane: Lane) => number | undefined): Past {
  const anew: number[] = [];
  for (const [number, seq] of past.entries()) {
    const strand = seq > 0 ? numberOf(graph.lanes[number]!) : undefined;
    if (strand === undefined || strand === own) continue;
    while (anew.length <= strand) anew.push(0);
    anew[strand] = Math.max(anew[strand]!, seq);
  }
  return anew;
}
