/** What a run of many worlds must have exercised: where one of these did not happen, nothing was proved about it. */
import type { Counts } from './counts.ts';

/** A run of this many worlds has some of everything. */
const ENOUGH_WORLDS = 400;
const LARGE_SHARE = 0.2;
/** Two or three of a hundred have been seen: more of them, and what holds everybody together is not proved. */
const APART_SHARE = 0.06;

const MUST_HAPPEN = [
  'audits',
  'bases at the same cut',
  'clock jumps',
  'copies begun with a base',
  'copies compared that had forgotten',
  'copies renewed',
  'crashes that lost something',
  'crashes with a torn write',
  'dead paths',
  'devices dropped while away',
  'dropped devices let in again',
  'fault badBase',
  'fault badSignature',
  'fault fork',
  'first copies compared',
  'folded verdicts checked',
  'gaps told by the relay',
  'hostile backdating by who was removed',
  'hostile bad boxes',
  'hostile escalations',
  'hostile words on who is in',
  'hostile feeds that know less',
  'hostile forged bases',
  'hostile forged dependencies',
  'epoch keys erased',
  'hostile forks',
  'hostile garbage',
  'hostile impersonations',
  'hostile lies of what is held',
  'hostile replays',
  'joins at two doors',
  'joins by link',
  'logs at rest',
  'members equal in the end',
  'messages by relay',
  'messages doubled',
  'messages lost',
  'messages lost with their path',
  'messages out of order',
  'messages under an erased key',
  'partitions',
  'prunes',
  'relay outages',
  'removals in force',
  'restored back-ups',
  'snapshots',
  'void deltas',
  'worlds with a journal',
  'worlds with real cryptography',
] as const;

/** What is missing, in words; nothing for a run too small to tell. */
export function vacuous(counts: Counts, worlds: number): readonly string[] {
  if (worlds < ENOUGH_WORLDS) return [];
  const missing: string[] = MUST_HAPPEN.filter((name) => counts.get(name) === 0);
  if (!hasLargeShare(counts, worlds)) missing.push(`a fifth of large worlds (${largeOnes(counts, worlds)})`);
  const apart = counts.get('worlds that have come apart');
  if (apart > APART_SHARE * worlds) missing.push(`worlds that stay together (${apart} of ${worlds} have come apart)`);
  return missing;
}

/** Whether a fifth of them had 20 devices and 500 deltas in the end, not in their plans alone. */
export function hasLargeShare(counts: Counts, worlds: number): boolean {
  return counts.get('large worlds') >= LARGE_SHARE * worlds;
}

/** Said of every run. */
export function largeOnes(counts: Counts, worlds: number): string {
  const large = counts.get('large worlds');
  return `${large} of ${worlds} worlds, ${((100 * large) / Math.max(1, worlds)).toFixed(1)} %, had 20 devices and 500 deltas or more`;
}
