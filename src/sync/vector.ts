/** Vectors: how far feeds go, each up to its fork, which is what devices tell each other (S1); and what somebody lacks who has told one. */
import type { DeviceId, FeedId } from '../base/ids.ts';
import type { Branches } from './branches.ts';
import { reachOf, type Node } from './lane.ts';
import type { Lanes } from './lanes.ts';

/** Per feed, the seq that is held without a gap; of a forked feed, what is before its fork. */
export type Vector = ReadonlyMap<FeedId, number>;

/** What is here. Made anew for who asks. */
export function vectorOf(lanes: Lanes): Map<FeedId, number> {
  const vector = new Map<FeedId, number>();
  for (const { parent, feed, end } of lanes.all) if (!parent && end > 0) vector.set(feed, end);
  return vector;
}

/** D8: the same, but that of a forked feed the branch goes on, against which none stands that others have named. */
export function standingIn(lanes: Lanes, branches: Branches): Vector {
  const standing = vectorOf(lanes);
  for (const lane of lanes.branches)
    if (lane.end >= lane.first && !branches.isContested(lane))
      standing.set(lane.feed, Math.max(standing.get(lane.feed) ?? 0, lane.end));
  return standing;
}

/** The last that is here of a device, in its newest feed, with its past. */
export function shownBy(lanes: Lanes, device: DeviceId): Vector {
  const shown = new Map<FeedId, number>();
  const written = lanes.ofDevice(device).filter(({ parent, end }) => !parent && end > 0);
  const last = written.sort((a, b) => b.generation - a.generation)[0]?.tip;
  if (last) for (const { parent, feed, number } of lanes.all) if (!parent) shown.set(feed, reachOf(last, number));
  return shown;
}

/** Of a lane, what is still to be told. */
interface Cursor {
  readonly nodes: readonly Node[];
  at: number;
  readonly end: number;
}

/** What who holds this lacks of feeds before their forks, in the order of arrival: every delta after its past. */
export function* beyond(lanes: Lanes, theirs: Vector, upTo: (feed: FeedId) => number): Generator<Node> {
  const cursors: Cursor[] = [];
  for (const { parent, feed, cut, nodes } of lanes.all) {
    if (parent) continue;
    const at = Math.max(0, (theirs.get(feed) ?? 0) - cut);
    const end = Math.min(nodes.length, upTo(feed) - cut);
    if (at < end) cursors.push({ nodes, at, end });
  }
  for (let next = firstOf(cursors); next; next = firstOf(cursors)) yield next.nodes[next.at++]!;
}

function firstOf(cursors: readonly Cursor[]): Cursor | undefined {
  let first: Cursor | undefined;
  for (const cursor of cursors) {
    if (cursor.at >= cursor.end) continue;
    if (!first || cursor.nodes[cursor.at]!.arrival < first.nodes[first.at]!.arrival) first = cursor;
  }
  return first;
}
