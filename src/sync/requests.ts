/** What peers are asked for when it is lacking here, and not again at once: pasts that no feed leads to (D8), and keys (K1). */
import type { DeltaId, DeviceId } from '../base/ids.ts';
import { isRecent } from '../base/recent.ts';
import { MAX_LOCKED_MESSAGES } from '../protocol/limits.ts';
import type { EpochTag } from './epoch.ts';

/** The same is fetched of the same peer again after 5, 10 … s, at last every five minutes. */
const FETCH_AGAIN_MS = 5_000;
const MAX_FETCHES_DOUBLED = 6;

/** Who has no answer asks again. */
const ASK_KEY_AGAIN_MS = 10_000;
/** So often in a row the same: then he who has it does not give it. */
const FETCHES_IN_VAIN = 3;

interface Fetch {
  readonly ids: readonly DeltaId[];
  readonly at: number;
  readonly times: number;
}

export class Requests {
  /** What each peer was asked for last, when, and how often in vain. */
  readonly #fetched = new Map<DeviceId, Fetch>();
  readonly #keyAskedAt = new Map<string, number>();

  /**
   * Whether a peer is asked for these now. An answer that brings nothing that counts here, as of a device that is not heard any more, leaves the
   * same missing: asked again at once, two would keep each other busy for ever.
   */
  fetches(from: DeviceId, ids: readonly DeltaId[], now: number): boolean {
    const before = this.#fetched.get(from);
    const same = before !== undefined && before.ids.length === ids.length && ids.every((id, i) => id === before.ids[i]);
    const times = same ? before.times + 1 : 0;
    if (
      ids.length === 0 ||
      (same && isRecent(before.at, FETCH_AGAIN_MS * 2 ** Math.min(before.times, MAX_FETCHES_DOUBLED), now))
    )
      return false;
    this.#fetched.set(from, { ids, at: now, times });
    return true;
  }

  /** What a peer was asked for last, where it has not given that though it was asked again and again. */
  inVain(from: DeviceId): readonly DeltaId[] {
    const fetch = this.#fetched.get(from);
    return fetch && fetch.times >= FETCHES_IN_VAIN ? fetch.ids : [];
  }

  /** Whether it is asked for the key of an epoch now, and whether it was before. */
  asksKey(from: DeviceId, epoch: EpochTag, now: number): 'first' | 'again' | undefined {
    const asking = `${from} ${epoch}`;
    const before = this.#keyAskedAt.get(asking);
    if (before !== undefined && isRecent(before, ASK_KEY_AGAIN_MS, now)) return undefined;
    if (this.#keyAskedAt.size >= MAX_LOCKED_MESSAGES) this.#keyAskedAt.clear();
    this.#keyAskedAt.set(asking, now);
    return before === undefined ? 'first' : 'again';
  }
}
