/**
 * Under which epoch a device may be told what (K2, K4): it is brought from one epoch to the next, each change of keys before
 * anything that comes after it. What lies before a change may still go under the old key, since whoever held that was meant to
 * read it; what lies beyond goes under the new one, to who has been sent the box.
 *
 * Order is what it rests on: a direct path and a relay both deliver one sender's messages in the order they were sent.
 *
 * Old epochs are erased (K4). Who comes with one that is not held here any more, from a store that was restored or out of the
 * workspace and not knowing it, has no epoch in common with this device: the seal of the two takes its place, till he has the next.
 */
import type { DeviceId, FeedId } from '../base/ids.ts';
import type { EpochTag } from './epoch.ts';
import type { Node } from './graph.ts';

/** An epoch that is boxed to a device. */
export interface EpochStep {
  readonly tag: EpochTag;
  /** The control delta that boxes it; undefined where the device holds the key from the start: it was let in with it. */
  readonly word: Node | undefined;
}

/** What a session asks of the keys. */
export interface Gate {
  /** Epochs boxed to a device, in the order of their words, as far as this device holds them. */
  stepsOf(device: DeviceId): readonly EpochStep[];
  /** Clean and held (K3); undefined where there is none. */
  readonly inUse: EpochTag | undefined;
  /** Epochs that are held here and in a box for a device, be it by a word that is void: he holds them, too. */
  boxedTo(device: DeviceId): readonly EpochTag[];
  /** Whether the message key of an epoch is held here. */
  holds(tag: EpochTag): boolean;
  /** The key that came with what let this device in, where nothing here names the other yet (I4). */
  givenBy(device: DeviceId): EpochTag | undefined;
  /** The seal between this device and another (K4); undefined where its certificate is not known here. */
  pairWith(device: DeviceId): EpochTag | undefined;
}

/** What is known of who is told. */
export interface Listener {
  /** The word that takes it out of the workspace: nothing after it is for it. */
  readonly last: Node | undefined;
  /** Epochs that it has shown not to hold. */
  readonly without: ReadonlySet<EpochTag>;
  /** The epoch that it spoke under last. */
  readonly spoke: EpochTag | undefined;
}

export interface Passage {
  readonly under: EpochTag | undefined;
  /** The last delta that may go under it, with its past; undefined: everything. */
  readonly until: Node | undefined;
  /** The epoch in use is not boxed to it: the key must go first. */
  readonly keyFirst: EpochTag | undefined;
}

/**
 * What may go next to a device that holds, or was sent, `told`. Where it may hold none of the epochs that its copy knows any more, as one that has
 * begun anew with an older base, it is told under what it spoke under, before the seal of the two, for which it may lack our certificate.
 */
export function passageOf(
  gate: Gate,
  device: DeviceId,
  told: ReadonlyMap<FeedId, number>,
  { last, without, spoke }: Listener = NOBODY,
): Passage {
  const shown = spoke !== undefined && gate.holds(spoke) ? spoke : gate.pairWith(device);
  let under: EpochTag | undefined;
  for (const { tag, word } of gate.stepsOf(device)) {
    if (word && !covers(told, word)) return { under: under ?? shown, until: word, keyFirst: undefined };
    if (!without.has(tag)) under = tag;
  }
  if (last) {
    const held = under ?? gate.boxedTo(device).findLast((tag) => !without.has(tag));
    return { under: held ?? shown, until: last, keyFirst: undefined };
  }
  const given = gate.givenBy(device);
  // Who has lost that word with a part of his store (D2) has lost the key with it.
  if (given !== undefined) return { under: without.has(given) ? shown : given, until: undefined, keyFirst: undefined };
  const { inUse } = gate;
  if (inUse !== undefined && without.has(inUse))
    return { under: gate.pairWith(device) ?? under, until: undefined, keyFirst: undefined };
  // A store that was put back to before its first copy holds none at all.
  if (inUse === undefined) return { under: under ?? shown, until: undefined, keyFirst: undefined };
  if (inUse === under) return { under, until: undefined, keyFirst: undefined };
  const isBoxed = gate.stepsOf(device).some((step) => step.tag === inUse);
  return { under: inUse, until: undefined, keyFirst: isBoxed ? undefined : inUse };
}

const NOBODY: Listener = { last: undefined, without: new Set(), spoke: undefined };

export function covers(vector: ReadonlyMap<FeedId, number>, { delta }: Node): boolean {
  return (vector.get(delta.feed) ?? 0) >= delta.seq;
}
