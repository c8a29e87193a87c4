/**
 * What all have acknowledged (L4). Only entries of feeds count, and one that is held has its whole past here, so a delta is
 * stable when it is in the past of, or is, the newest entry of every active device. An active device's next entry then has it
 * in its past, too: whatever is still on its way stands behind it in D6 order, and no cut can void it.
 */
import type { AccountId, DeviceId } from '../base/ids.ts';
import type { Authority } from './authority.ts';
import { inPast, type Graph, type Node, type Past } from './graph.ts';
import { beginningOf, isSubstance, reachOf, type Lane } from './lane.ts';
import type { Roster } from './roster.ts';

/** Highest stable seq of each lane. `entrances`: the control deltas that let a device in, of which any may be in its first. */
export function stableIn(
  graph: Graph,
  active: Iterable<DeviceId>,
  entrances: (device: DeviceId) => readonly Node[],
): Past {
  const stable = [...graph.everything()];
  const shown = new Map([...active].map((device) => [device, newestOf(graph.lanesOf(device))]));
  const newest = graph.isForked ? withoutLost(graph, shown, entrances) : shown;
  for (const [device, tips] of newest) {
    const known = tips.length > 0 ? [...tips, ...olderOf(graph, device, newest, entrances(device))] : entrances(device);
    if (known.length === 0) return [];
    for (const node of known) {
      for (const lane of graph.lanes) {
        const seen = node.delta.device === device ? reachOf(node, lane.number) : reachOfEntrance(node, lane);
        if (stable[lane.number]! > seen) stable[lane.number] = seen;
      }
    }
  }
  return stable;
}

/**
 * D2: so far at least goes what is to come of who was let in by it. Where its author has begun a later feed since, that may know of this or not: so what of the older one counts by
 * him alone, or does not, is not settled before (world “dunlin.16368”).
 */
function reachOfEntrance(entrance: Node, lane: Lane): number {
  const seen = reachOf(entrance, lane.number);
  return entrance.delta.feed === lane.feed ? Math.min(seen, lane.counts) : seen;
}

/** Where its newest feed ends; on all branches where it has forked. */
function newestOf(lanes: readonly Lane[]): readonly Node[] {
  const generation = newestGeneration(lanes);
  return endsOf(lanes.filter((lane) => lane.generation === generation));
}

/**
 * D8: of a device with two histories what it says on a branch that nobody has named, while all others have a rival of that in their past, is nothing: none of them
 * can name it any more, and who has not heard of it folds without it. `shown`: where the newest feed of each ends.
 */
function withoutLost(
  graph: Graph,
  shown: ReadonlyMap<DeviceId, readonly Node[]>,
  entrances: (device: DeviceId) => readonly Node[],
): ReadonlyMap<DeviceId, readonly Node[]> {
  const allHave = (rival: Lane) =>
    [...shown].every(([device, tips]) => {
      const known = tips.length > 0 ? tips : entrances(device);
      return device === rival.device || known.every((node) => reachOf(node, rival.number) >= rival.first);
    });
  const isLost = (lane: Lane) => {
    for (let at = lane; at.parent; at = at.parent) if (!at.isNamed && graph.rivalsOf(at).some(allHave)) return true;
    return false;
  };
  return new Map([...shown].map(([device, tips]) => [device, tips.filter(({ lane }) => !isLost(graph.lanes[lane]!))]));
}

/**
 * D2: where its older feeds end, for as long as not all know of the newest: they take what comes of them, and of one that nobody knows yet.
 * Whatever comes, and counts, has acknowledged as much as these.
 */
function olderOf(
  graph: Graph,
  device: DeviceId,
  newest: ReadonlyMap<DeviceId, readonly Node[]>,
  entrances: readonly Node[],
): readonly Node[] {
  const lanes = graph.lanesOf(device);
  const generation = newestGeneration(lanes);
  if (generation === 0) return [];
  const began = lanes.filter((lane) => lane.generation === generation && !lane.parent);
  const isKnown = [...newest].every(
    ([other, tips]) => other === device || tips.every((tip) => began.every((lane) => reachOf(tip, lane.number) > 0)),
  );
  if (isKnown) return [];
  const older = endsOf(lanes.filter((lane) => lane.generation < generation));
  return older.length > 0 ? older : entrances;
}

function newestGeneration(lanes: readonly Lane[]): number {
  return lanes.reduce((newest, lane) => (lane.end > 0 ? Math.max(newest, lane.generation) : newest), 0);
}

function endsOf(lanes: readonly Lane[]): readonly Node[] {
  return lanes.filter(({ isForked }) => !isForked).flatMap(({ tip }) => tip ?? []);
}

/** Whose acknowledgement is waited for. `named`: every device that some control delta lets in. */
export function activeDevices(
  graph: Graph,
  authority: Authority,
  roster: Roster,
  named: Iterable<DeviceId>,
): ReadonlySet<DeviceId> {
  const active = new Set(roster.devices.keys());
  for (const device of authority.wordsOut.hasLeaves ? named : [])
    if (isLeaving(graph, authority, roster, device)) active.add(device);
  return active;
}

/** Whether it is waited for: of members' devices, and of those of somebody who is leaving. */
export function isActive(graph: Graph, authority: Authority, roster: Roster, device: DeviceId): boolean {
  return roster.devices.has(device) || isLeaving(graph, authority, roster, device);
}

/** A device of somebody who has left that has not seen it: what it writes until then counts (A7). */
function isLeaving(graph: Graph, authority: Authority, roster: Roster, device: DeviceId): boolean {
  const account = authority.wordsOut.hasLeaves ? authority.accountOf(device) : undefined;
  if (account === undefined || roster.members.has(account) || isRemoved(authority, account)) return false;
  const tips = newestOf(graph.lanesOf(device));
  const leaves = authority.wordsOut.leavesOf(account);
  const hasSeen = leaves.some((leave) => tips.every((tip) => tip === leave || inPast(leave, tip)));
  return tips.length === 0 || !hasSeen;
}

/**
 * L7: the arrival of the first delta, no ack, that a device could have acknowledged since `letIn` and has not; undefined where it
 * has acknowledged all that is here. Where its feed has begun beside a control delta that is in the base, nothing more is folded since then.
 */
export function firstUnacknowledged(graph: Graph, device: DeviceId, letIn: Node): number | undefined {
  const lanes = graph.lanesOf(device);
  const tips = newestOf(lanes);
  const known = tips.length > 0 ? tips : [letIn];
  let first = Number.POSITIVE_INFINITY;
  for (const lane of graph.lanes) {
    if (!known.some((node) => graph.canBeNamed(lane, node))) continue;
    const seen = Math.min(...known.map((node) => reachOf(node, lane.number)));
    if (lacksFolded(lane, seen)) first = Math.min(first, beganAt(lanes));
    if (lane.device !== device) first = Math.min(first, firstSubstance(lane, seen)?.arrival ?? first);
  }
  return first === Number.POSITIVE_INFINITY ? undefined : Math.max(first, letIn.arrival);
}

/** Whether there is a control delta in the base that a past does not reach. */
function lacksFolded(lane: Lane, seen: number): boolean {
  return seen < lane.cut && [...lane.kept.keys()].some((seq) => seq > seen);
}

/** The arrival of the beginning of its newest feed; 0 where there is none. */
function beganAt(lanes: readonly Lane[]): number {
  const generation = newestGeneration(lanes);
  const began = lanes.find((lane) => lane.generation === generation && !lane.parent);
  return (began && beginningOf(began)?.arrival) ?? 0;
}

/** What is forgotten all have acknowledged. */
function firstSubstance(lane: Lane, after: number): Node | undefined {
  if (lane.substance <= after) return undefined;
  for (let seq = Math.max(after, lane.cut) + 1; seq <= lane.end; seq++) {
    const node = lane.at(seq)!;
    if (isSubstance(node)) return node;
  }
  return undefined;
}

function isRemoved(authority: Authority, account: AccountId): boolean {
  return authority.accepted.some(({ control }) => control.kind === 'remove' && control.account === account);
}

/**
 * The longest beginning of each lane that holds, and has in its past, nothing that is not folded: what may be forgotten.
 * `open`: stable or not, what is not in the base.
 */
export function cutBefore(graph: Graph, stable: Past, open: Iterable<Node>): Past {
  const openFrom: number[] = graph.lanes.map(() => Number.POSITIVE_INFINITY);
  for (const node of open) {
    openFrom[node.lane] = Math.min(openFrom[node.lane]!, node.delta.seq);
    for (const end of graph.standingBefore(node)) openFrom[end.lane] = Math.min(openFrom[end.lane]!, end.delta.seq + 1);
  }
  const isClosed = (past: Past) => past.every((seq, lane) => seq < openFrom[lane]!);
  return graph.lanes.map((lane) => {
    const limit = Math.min(stable[lane.number] ?? 0, openFrom[lane.number]! - 1);
    let cut = lane.cut;
    let sound: Past | undefined;
    while (cut < limit) {
      const { past } = lane.at(cut + 1)!;
      if (past !== sound && !isClosed(past)) break;
      sound = past;
      cut++;
    }
    return cut;
  });
}
