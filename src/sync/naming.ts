/**
 * What a delta may name (D2, D5, D8), which is fixed by its past alone. So a replica that has forgotten what is folded everywhere (L4), and one that has
 * not, take in the same deltas:
 *
 * - Deps are maximal (D5): none is in the past of prev or of another. A device whose newest entry has something in its past
 *   can never name it again, so nobody needs what all have acknowledged.
 * - Nothing names a branch of a feed whose rival is in the past of what else it names, and no feed goes on upon the sight of
 *   its own fork (D8). Whoever has acknowledged one branch cannot bring in another.
 *
 * What breaks these is broken: not taken, nor anything upon it, on every replica alike. Where a feed begins is for whoever judges to say (I4).
 */
import type { Delta } from './delta.ts';
import { inPast, type Node } from './lane.ts';
import type { Lanes } from './lanes.ts';

/** `prev`, `deps`: what it names, all of which is here. */
export function mayName(lanes: Lanes, delta: Delta, prev: Node | undefined, deps: readonly Node[]): boolean {
  if (prev && !isPrevOf(prev, delta)) return false;
  const named = prev ? [prev, ...deps] : deps;
  return deps.every((dep) => {
    if (dep.delta.feed === delta.feed || lanes.seenOf(delta.feed, dep) >= delta.seq) return false;
    if (prev && lanes.holdsRival(dep, prev)) return false;
    return named.every((other) => other === dep || !(inPast(dep, other) || lanes.holdsRival(other, dep)));
  });
}

/** Whether one is the place before the other's in one feed. */
export function isPrevOf({ delta: { feed, seq } }: Node, delta: Delta): boolean {
  return feed === delta.feed && seq === delta.seq - 1;
}
