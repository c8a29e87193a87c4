/**
 * What is to be sent: a message, to whom, by which path and under which key. The engine and the session answer with these; the caller seals and
 * sends them, and says of what went to a relay what became of it.
 */
import type { DeviceId } from '../base/ids.ts';
import type { EpochTag } from './epoch.ts';
import type { Node } from './graph.ts';
import type { Message } from './messages.ts';
import type { Mark } from './peer.ts';
import type { Lane } from './ports.ts';

export interface Outgoing {
  readonly to: readonly DeviceId[];
  readonly path: 'direct' | 'relay';
  readonly message: Message;
  readonly lane: Lane;
  /** Lost where nobody listens: for what is worth nothing later. */
  readonly ephemeral: boolean;
  /** The epoch it is sealed under (K5). */
  readonly under: EpochTag | undefined;
  /** The first of these is to be given the key of the epoch in use before it (K1). */
  readonly keyFirst?: EpochTag;
  /** Of a relayed batch: what the recipients will hold; to be told to `relayed` or `relayFailed`. */
  readonly holds?: readonly Mark[];
  /** The deltas in it, for who must see to their content first. */
  readonly nodes?: readonly Node[];
}

/** The same message to several devices is one sending. */
export function merged(out: readonly Outgoing[]): readonly Outgoing[] {
  const byMessage = new Map<Message | Outgoing, Outgoing>();
  for (const one of out) {
    const key = one.keyFirst === undefined ? one.message : one;
    const before = byMessage.get(key);
    byMessage.set(key, before ? { ...before, to: [...before.to, ...one.to] } : one);
  }
  return [...byMessage.values()];
}
