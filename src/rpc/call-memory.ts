import { MAX_REMEMBERED_CALLS } from './rpc-limits.ts';

/**
 * The outcomes of recent calls by idempotency id (L3), shared by all connections of an owner: a call that comes again,
 * because its connection went away before the answer, joins the first one or gets its outcome, and is not done twice.
 */
export class CallMemory {
  readonly #outcomes = new Map<string, Promise<unknown>>();
  readonly #limit: number;

  constructor(limit: number = MAX_REMEMBERED_CALLS) {
    this.#limit = limit;
  }

  once(key: string, run: () => Promise<unknown>): Promise<unknown> {
    const known = this.#outcomes.get(key);
    if (known) return known;
    const outcome = run();
    // Whoever asks is told of a rejection; that nobody else looks at it is no fault.
    outcome.catch(() => undefined);
    this.#outcomes.set(key, outcome);
    if (this.#outcomes.size > this.#limit) this.#outcomes.delete(this.#outcomes.keys().next().value!);
    return outcome;
  }
}
