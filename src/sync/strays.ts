/**
 * What is here and is let go of as if it had never come: no other feed has it in its past, and none will that others take. Each is taken off the end
 * of its lane; whoever counts it elsewhere is told what that was.
 */
import type { DeviceId } from '../base/ids.ts';
import type { Branches } from './branches.ts';
import type { Delta } from './delta.ts';
import type { Lane, Node, Past } from './lane.ts';
import type { Lanes } from './lanes.ts';

/** D8: of a branch all have acknowledged a rival of, what nothing else has in its past. `own`: the device that holds the copy, which lets go of nothing of its own. */
export function takeStrays(lanes: Lanes, branches: Branches, stable: Past, own: DeviceId): ReadonlySet<Node> {
  const strays = new Set<Node>();
  const isLost = (lane: Lane) => branches.isContested(lane) && branches.hasStableRival(lane, stable);
  // What hangs on a branch first.
  for (const lane of lanes.branches.toSorted((a, b) => b.first - a.first)) {
    if (lane.device === own || !isLost(lane)) continue;
    const end = Math.max(lane.cut, stable[lane.number] ?? 0, namedElsewhere(lanes, lane));
    for (const stray of lane.takeBeyond(end)) strays.add(stray);
  }
  return strays;
}

/**
 * What `isEnded`, with what goes on from that in its lane, but for what of it something has in its past that stays, of another lane. It is looked for what stays, since
 * of what goes each may be named by the next: somebody can have a thousand feeds of his so, and to take off one after the other would take seconds.
 */
export function takeEnded({ all }: Lanes, isEnded: (delta: Delta) => boolean, own: DeviceId): ReadonlySet<Node> {
  const endBeyond = (lane: Lane, named: number) => {
    if (lane.device === own) return lane.end;
    const first = lane.nodes.slice(Math.max(0, named - lane.cut)).find(({ delta }) => isEnded(delta));
    return first ? first.delta.seq - 1 : lane.end;
  };
  const ends = all.map((lane) => endBeyond(lane, lane.cut));
  const more = [...all];
  for (const lane of more)
    lane.at(ends[lane.number]!)?.past.forEach((named, number) => {
      if (number === lane.number || named <= ends[number]!) return;
      ends[number] = endBeyond(all[number]!, named);
      more.push(all[number]!);
    });
  return new Set(all.flatMap((lane) => lane.takeBeyond(ends[lane.number]!)));
}

/** Up to where other lanes have it in their past. */
function namedElsewhere(lanes: Lanes, lane: Lane): number {
  let named = 0;
  for (const other of lanes.all) if (other !== lane) named = Math.max(named, other.tip?.past[lane.number] ?? 0);
  return named;
}
