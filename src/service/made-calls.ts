/**
 * What recent calls have made (L3). The key that a window has given to a call goes to disk in one append with what the call makes there, so
 * that both are there or neither. Where the one who did it is gone before it has answered, the next owner is asked again under the same
 * key: it answers what was made, and does not make it twice.
 *
 * Kept in local state, in as many places as are remembered, each written over by a later call: `made/<place>` = [number, key text, what was
 * made: the id of its last delta 32, or none].
 */
import { fromHex, toHex } from '../base/bytes.ts';
import type { DeltaId } from '../base/ids.ts';
import { asArray, asBytes, asCount, asText } from '../protocol/codec.ts';
import { MAX_CALL_KEY_LENGTH, MAX_MADE_CALLS } from '../protocol/limits.ts';
import type { CallKey } from './api.ts';
import type { LocalState } from './local-state.ts';

/** A call that is durable: with its last delta, where it has made any. */
export interface Made {
  readonly key: CallKey;
  readonly delta?: DeltaId | undefined;
}

export class MadeCalls {
  readonly #local: LocalState;
  readonly #made = new Map<CallKey, Made & { readonly number: number }>();
  readonly #keys = new Map<number, CallKey>();
  #next = 0;

  constructor(local: LocalState) {
    this.#local = local;
    for (const [place, value] of local.under('made/')) {
      const f = asArray(value, 3);
      const [number, key, delta] = [asCount(f?.[0]), asText(f?.[1], MAX_CALL_KEY_LENGTH), asBytes(f?.[2], 0, 32)];
      if (number === undefined || key === undefined || !delta || placeOf(number) !== place) continue;
      this.#know(number, { key, delta: delta.length === 32 ? (toHex(delta) as DeltaId) : undefined });
    }
  }

  find(key: CallKey): Made | undefined {
    return this.#made.get(key);
  }

  /** Goes to disk with the next commit, which is to be that of what was made. */
  note(made: Made): void {
    const number = this.#made.get(made.key)?.number ?? this.#next;
    this.#know(number, made);
    const delta = made.delta === undefined ? new Uint8Array(0) : fromHex(made.delta)!;
    this.#local.put(`made/${placeOf(number)}`, [number, made.key, delta]);
  }

  /** In the place of the one that is so much older. */
  #know(number: number, made: Made): void {
    const place = number % MAX_MADE_CALLS;
    const before = this.#keys.get(place);
    if (before !== undefined) this.#made.delete(before);
    this.#keys.set(place, made.key);
    this.#made.set(made.key, { ...made, number });
    this.#next = Math.max(this.#next, number + 1);
  }
}

function placeOf(number: number): string {
  return String(number % MAX_MADE_CALLS);
}
