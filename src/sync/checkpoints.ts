/**
 * When a manager's device vouches for the state that it has folded (L6), so that who begins with a base, or has begun with one that nobody
 * vouched for, can hold it against a word.
 *
 * A checkpoint is a control delta: it is never forgotten, and every device acknowledges it. So there is one
 * - when all is at rest, and the others have folded as far: a word that comes before they have is about another state than theirs;
 * - where something was folded since the last word that vouches, an admission or a checkpoint: at most one a day, but for very much;
 * - or where a device was let in by a word that vouches for nothing (addDevice): once, whatever the day;
 * - by one of the managers: they take turns.
 */
import type { DeviceId } from '../base/ids.ts';
import { Role } from './control.ts';
import { inPast } from './graph.ts';
import type { Roster } from './roster.ts';

const CHECKPOINT_EVERY_MS = 24 * 60 * 60_000;
/** So many folded deltas are worth one before the day is over. */
const CHECKPOINT_FOLDED = 10_000;
/** Whoever has what this device has has folded it by then: each does so once a minute, after a pause (`duties.ts`). */
export const CHECKPOINT_REST_MS = 150_000;
/** What the one before has written is here by then, and its turn is over. */
const TURN_MS = 60_000;

export class Checkpoints {
  readonly #self: DeviceId;
  #vouchers = 0;
  #vouchedAt: readonly number[] = [];
  /** Content deltas folded here since the last word that vouches. */
  #folded = 0;
  /** Somebody was let in by a word that vouches for nothing. */
  #isOwed = false;
  /** Which of the managers' devices this is; undefined for none. */
  #turn: number | undefined;

  constructor(self: DeviceId) {
    this.#self = self;
  }

  folded(count: number): void {
    this.#folded += count;
  }

  follow({ vouchers, records, devices }: Roster): void {
    if (vouchers.length !== this.#vouchers) this.#folded = 0;
    this.#vouchers = vouchers.length;
    this.#vouchedAt = vouchers.map(({ node }) => node.delta.time);
    const added = [...records.values()].filter(({ letIn }) => letIn.delta.kind === 'addDevice');
    this.#isOwed = added.some(({ letIn }) => !vouchers.some(({ node }) => inPast(letIn, node)));
    const managers = [...devices].filter(([, { role }]) => role === Role.manager).map(([device]) => device);
    const turn = managers.sort().indexOf(this.#self);
    this.#turn = turn < 0 || devices.size < 2 ? undefined : turn;
  }

  /** `restsSince`: nothing has come since then, and what could be folded is. Undefined where none is due before something does. */
  dueAt(restsSince: number): number | undefined {
    if (this.#turn === undefined || !Number.isFinite(restsSince)) return undefined;
    const at = restsSince + CHECKPOINT_REST_MS + this.#turn * TURN_MS;
    // A clock that is ahead says nothing of when.
    const last = this.#vouchedAt.reduce((latest, time) => (time <= at ? Math.max(latest, time) : latest), 0);
    const isTime = this.#folded >= CHECKPOINT_FOLDED || (this.#folded > 0 && at - last >= CHECKPOINT_EVERY_MS);
    return isTime || this.#isOwed ? at : undefined;
  }
}
