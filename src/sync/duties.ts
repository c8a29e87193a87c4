/**
 * What this device does of itself, and when: it acknowledges what has come (L4), vouches for what it has folded (L6, `checkpoints.ts`), and folds what
 * all have acknowledged (L4). Each waits for a pause, and is done once in a while.
 */
import type { DeviceId } from '../base/ids.ts';
import { Checkpoints } from './checkpoints.ts';
import { controlBody, MAX_CUT_FEEDS, type CutAndRoot } from './control.ts';
import type { Advance } from './forgetting.ts';
import { OFFER_LASTS_MS } from './offering.ts';
import type { Entry, Replica } from './replica.ts';
import type { Roster } from './roster.ts';

/** An ack is written when nothing has happened for so long (L4) … */
export const ACK_IDLE_MS = 2_000;
/** … and at most this often. */
export const ACK_EVERY_MS = 60_000;

/** Folding is bookkeeping: it waits for a pause, and looks through what is not folded yet. */
export const ADVANCE_EVERY_MS = 60_000;

/** After opening, when others can be reached they have been by then. */
export const FIRST_ACK_MS = 10_000;

/** What of the engine bears on it. */
interface Standing {
  readonly isAwaitingWord: boolean;
  readonly isOutOfStep: boolean;
  readonly session: { readonly offeringUntil: number };
}

export class Duties {
  readonly #self: DeviceId;
  readonly #replicaNow: () => Replica;
  readonly #standing: Standing;
  readonly #checkpoints: Checkpoints;
  #grewAt = Number.NEGATIVE_INFINITY;
  #ackedAt = Number.NEGATIVE_INFINITY;
  /** When something had come last by then. */
  #ackedUpon: number | undefined;
  #vouchedAt = Number.NEGATIVE_INFINITY;
  #advancedAt = Number.NEGATIVE_INFINITY;
  /** Something has come, or changed, since it was last looked what can be folded. */
  #grewSince = false;
  /** When the first has come that may be folded next. */
  #unfoldedSince: number | undefined;

  constructor(self: DeviceId, replica: () => Replica, standing: Standing) {
    this.#self = self;
    this.#replicaNow = replica;
    this.#standing = standing;
    this.#checkpoints = new Checkpoints(self);
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  follow(roster: Roster): void {
    this.#checkpoints.follow(roster);
  }

  // ---- when -------------------------------------------------------------------------------------------------------------

  /** A clock that its person has set back says nothing of the time that has gone by: what has happened is as long ago as before. */
  #lookAtClock(now: number): void {
    const back_ms = this.#seenAt - now;
    this.#seenAt = now;
    if (!(back_ms > 0)) return;
    if (this.#ackedUpon === this.#grewAt) this.#ackedUpon -= back_ms;
    if (this.#unfoldedSince !== undefined) this.#unfoldedSince -= back_ms;
    this.#grewAt -= back_ms;
    this.#ackedAt -= back_ms;
    this.#vouchedAt -= back_ms;
    this.#advancedAt -= back_ms;
  }

  #seenAt = Number.NEGATIVE_INFINITY;

  /** Deltas have come. */
  grown(now: number): void {
    this.#lookAtClock(now);
    this.#grewAt = now;
    this.#grewSince = true;
    this.#unfoldedSince ??= now;
  }

  /** More may be folded, or erased, than when it was last looked. */
  lookAgain(): void {
    this.#grewSince = true;
  }

  /** D2: a store that was restored learns of its later feed at the first contact: for a while it writes nothing of itself. */
  holdBack(now: number): void {
    this.#grewAt = now + FIRST_ACK_MS - ACK_IDLE_MS;
  }

  /** When `entries` and `advance` are next worth calling: undefined where they are not before something comes. */
  dueAt(): readonly (number | undefined)[] {
    return [this.#ackDueAt(), this.#advanceDueAt(), this.#checkpointDueAt()];
  }

  // ---- what it writes ---------------------------------------------------------------------------------------------------

  /** What this device should write of itself now (L4, L6); often nothing. */
  entries(now: number): readonly Entry[] {
    this.#lookAtClock(now);
    if (now >= (this.#ackDueAt() ?? Number.POSITIVE_INFINITY)) {
      this.#ackedAt = now;
      this.#ackedUpon = this.#grewAt;
      return [{ tool: undefined, kind: 'ack', body: controlBody.ack() }];
    }
    if (now < (this.#checkpointDueAt() ?? Number.POSITIVE_INFINITY)) return [];
    this.#vouchedAt = now;
    const seen = this.vouched();
    return seen ? [{ tool: undefined, kind: 'checkpoint', body: controlBody.checkpoint(seen) }] : [];
  }

  /** L6: what this device has folded, to be vouched for in an admit or a checkpoint; undefined where it cannot be. */
  vouched(): CutAndRoot | undefined {
    return this.#canVouch() ? this.#replica.base.present() : undefined;
  }

  /** Somebody has vouched for what it began with, and it has no more feeds than a word holds: that would be void by its form. */
  #canVouch(): boolean {
    const replica = this.#replica;
    return replica.base.isThere && replica.isConfirmed && replica.feeds.cut().size <= MAX_CUT_FEEDS;
  }

  /** L6: by whom what is folded can be held against what is folded elsewhere. */
  #checkpointDueAt(): number | undefined {
    if (this.#grewSince || this.#standing.isAwaitingWord || this.#replica.roster.deleted) return undefined;
    // D8: whose feed is forked cannot go on in it.
    if (this.#replica.people.forked.has(this.#self)) return undefined;
    const at = this.#checkpoints.dueAt(this.#grewAt);
    if (at === undefined || this.#standing.isOutOfStep || !this.#canVouch()) return undefined;
    // Whose feed cannot go on (D8) is not asked for it all the time.
    return Math.max(at, this.#vouchedAt + ACK_EVERY_MS);
  }

  #ackDueAt(): number | undefined {
    if (
      this.#standing.isAwaitingWord ||
      !(this.#replica.own.isAckDue || this.#replica.own.hasComeBack) ||
      this.#replica.roster.deleted ||
      !this.#replica.roster.devices.has(this.#self)
    )
      return undefined;
    // Until then it shows nowhere, and others do not take it, be it an ack alone.
    if (this.#replica.own.hasComeBack)
      // Who may write nothing here, as where another copy of the store writes too, is not asked for it all the time.
      return this.#ackedUpon === this.#grewAt ? this.#ackedAt + ACK_EVERY_MS : this.#grewAt;
    return Math.max(this.#grewAt + ACK_IDLE_MS, this.#ackedAt + ACK_EVERY_MS);
  }

  // ---- what it folds ----------------------------------------------------------------------------------------------------

  /** L4: what all have acknowledged, when that is due; undefined when it is not. */
  advance(now: number): Advance | undefined {
    this.#lookAtClock(now);
    if (now < (this.#advanceDueAt() ?? Number.POSITIVE_INFINITY)) return undefined;
    const isOpening = this.#advancedAt === Number.NEGATIVE_INFINITY && this.#grewAt === Number.NEGATIVE_INFINITY;
    this.#advancedAt = now;
    // What was due when it was closed may be much: a window that opens does not wait for it.
    if (isOpening) {
      this.#unfoldedSince = now;
      return undefined;
    }
    this.#grewSince = false;
    this.#unfoldedSince = undefined;
    const advance = this.#replica.advance();
    this.#checkpoints.folded(advance.folded.length);
    return advance;
  }

  /** While somebody is given a base it stays as it is. */
  #advanceDueAt(): number | undefined {
    if (!this.#grewSince) return undefined;
    // Nobody is waited for longer than that, or who asks for a base again and again would keep everything from being folded.
    const latest = (this.#unfoldedSince ?? this.#grewAt) + OFFER_LASTS_MS;
    const offeringUntil = Math.min(this.#standing.session.offeringUntil, latest);
    return Math.max(this.#grewAt + ACK_IDLE_MS, this.#advancedAt + ADVANCE_EVERY_MS, offeringUntil);
  }
}
