/**
 * Messages under an epoch whose key is not here yet: the word of it comes from another member, or by another path, and may be
 * later. They are kept, few and for a while; a relay is told that one was handled only when it was, or was given up.
 */
import type { DeviceId } from '../base/ids.ts';
import type { Arrived } from '../sync/ports.ts';
import { MAX_LOCKED_BYTES, MAX_LOCKED_MESSAGES } from '../protocol/limits.ts';

/** A member who is asked for a key answers within a day, or all that was under it comes another way. */
const KEEP_MS = 24 * 60 * 60_000;
/**
 * As long as one is kept that came by a relay, nothing that came after it may be acknowledged there (R1), and the queue fills. Its sender is asked for what
 * is lacking when it is given up.
 */
const KEEP_QUEUED_MS = 10 * 60_000;

interface Locked {
  readonly tag: string;
  readonly arrived: Arrived;
  readonly until: number;
}

export class LockedMessages {
  #locked: Locked[] = [];
  #bytes = 0;

  hold(tag: string, arrived: Arrived, now: number): void {
    this.#locked.push({ tag, arrived, until: now + (arrived.path === 'relay' ? KEEP_QUEUED_MS : KEEP_MS) });
    this.#bytes += arrived.bytes.length;
    while (this.#locked.length > MAX_LOCKED_MESSAGES || this.#bytes > MAX_LOCKED_BYTES) this.#giveUp();
  }

  /** From time to time, though nothing more comes. Answers what was given up: its senders are to say what they hold. */
  expire(now: number): readonly Arrived[] {
    const over = this.#locked.filter(({ until }) => until < now);
    for (const locked of over) this.#giveUp(locked);
    return over.map(({ arrived }) => arrived);
  }

  /** The oldest: whoever sent it is asked what is missing when he is next met. */
  #giveUp(one = this.#locked[0]!): void {
    this.#locked = this.#locked.filter((locked) => locked !== one);
    this.#bytes -= one.arrived.bytes.length;
    one.arrived.handled();
  }

  /** Those that can be opened now, in the order they came; they are held no longer. */
  take(isKnown: (tag: string, from: DeviceId) => boolean): readonly Arrived[] {
    if (this.#locked.length === 0) return [];
    const open = this.#locked.filter(({ tag, arrived }) => isKnown(tag, arrived.from));
    this.#locked = this.#locked.filter((locked) => !open.includes(locked));
    for (const { arrived } of open) this.#bytes -= arrived.bytes.length;
    return open.map(({ arrived }) => arrived);
  }
}
