/**
 * Words on devices that are in force from the beginning, and out by one another (A4): whose sure cutter stands is judged in his turn, and is void; what that
 * alone has cut is in no doubt any more, and what it cuts in its turn is out. All that is one look, and no pass for each, where a pass would say nothing else.
 */
import { push } from '../base/group.ts';
import type { DeltaId, DeviceId } from '../base/ids.ts';
import type { DeviceRestriction } from './device-standing.ts';
import { inPast } from './graph.ts';
import { isInert, type Accepted } from './seniority.ts';

export interface Doubts {
  readonly early: ReadonlyMap<DeltaId, DeviceRestriction>;
  readonly doubtful: ReadonlySet<DeviceRestriction>;
  /** Of these, what a word cuts that is not of them. */
  readonly cut: readonly DeviceRestriction[];
  readonly all: Iterable<Accepted>;
  readonly cutsOn: (word: DeviceRestriction) => readonly DeviceRestriction[];
  readonly isLetIn: (word: DeviceRestriction) => boolean;
}

/** What is to be judged in its turn: `cut`, and what passes one after the other would find to be so besides. */
export function outByOneAnother({ early, doubtful, cut, all, cutsOn, isLetIn }: Doubts): Iterable<DeviceRestriction> {
  const out = new Set(cut);
  const doubts = new Set(doubtful);
  const cuts = new Map([...doubtful].map((word) => [word, cutsOn(word)]));
  const cutBy = new Map<DeviceRestriction, DeviceRestriction[]>();
  for (const [word, cutters] of cuts) for (const cutter of cutters) push(cutBy, cutter, word);
  const byDevice = new Map<DeviceId, Accepted[]>();
  for (const one of all) push(byDevice, one.node.delta.device, one);

  /** From the beginning, and whatever is judged later: a drop may be undone by that (L7). */
  const isVoidInTurn = (word: DeviceRestriction) =>
    cuts.get(word)!.some((by) => by.kind !== 'drop' && !doubts.has(by) && !out.has(by) && isEarly(by));
  const isEarly = ({ node }: DeviceRestriction) => early.has(node.delta.id);
  /** Whether nothing but itself is judged otherwise without it, that anything rests on. */
  const isAlone = ({ kind, node, devices }: DeviceRestriction) => {
    const isUnmoved = (one: Accepted) =>
      early.has(one.node.delta.id) || isInert(one.control) || (kind === 'removeDevice' && inPast(one.node, node));
    return kind !== 'drop' && devices.every((device) => (byDevice.get(device) ?? []).every(isUnmoved));
  };

  for (let last = cut; last.length > 0;) {
    for (const word of last) doubts.delete(word);
    if (!last.every((word) => isVoidInTurn(word) && isAlone(word))) break;
    const sure = new Set<DeviceRestriction>();
    for (const word of last)
      for (const freed of cutBy.get(word) ?? [])
        if (doubts.has(freed) && isLetIn(freed) && cuts.get(freed)!.every((by) => out.has(by))) sure.add(freed);
    for (const word of sure) doubts.delete(word);
    const next = new Set([...sure].flatMap((word) => cutBy.get(word) ?? []).filter((word) => doubts.has(word)));
    for (const word of next) out.add(word);
    last = [...next];
  }
  return out;
}
