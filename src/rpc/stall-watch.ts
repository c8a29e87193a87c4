/**
 * Whether the owner of the store, another window, still answers (L3). While something is expected of it and nothing is heard, it is asked
 * for a sign of life, which it gives whatever the calls themselves wait for; one that gives none is stalled, until it is heard again.
 */
import type { Disposable } from '../base/disposable.ts';

export interface StallDoors {
  /** Whether calls are on their way. */
  expects(): boolean;
  ask(): void;
  tell(stalled: boolean): void;
}

export class StallWatch implements Disposable {
  readonly #doors: StallDoors;
  readonly #patience_ms: number;
  #timer: NodeJS.Timeout | undefined;
  #heard = false;
  #asked = false;
  #stalled = false;

  /** Stalled is who is silent for twice to three times this long. */
  constructor(patience_ms: number, doors: StallDoors) {
    this.#patience_ms = patience_ms;
    this.#doors = doors;
  }

  /** Something is on its way to the owner. */
  sent(): void {
    if (this.#timer === undefined && !this.#stalled) this.#begin();
  }

  heard(): void {
    this.#heard = true;
    if (!this.#stalled) return;
    this.#become(false);
    // Of a call that waits still it may be stalled again.
    if (this.#doors.expects()) this.#begin();
  }

  /** The connection is over: of an owner that is gone nothing is expected. */
  dispose(): void {
    clearTimeout(this.#timer);
    if (this.#stalled) this.#become(false);
  }

  #begin(): void {
    this.#heard = false;
    this.#asked = false;
    this.#wait();
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#look(), this.#patience_ms);
  }

  #look(): void {
    this.#timer = undefined;
    if (!this.#doors.expects()) return;
    if (this.#heard) return this.#begin();
    if (this.#asked) return this.#become(true);
    this.#asked = true;
    this.#doors.ask();
    this.#wait();
  }

  #become(stalled: boolean): void {
    this.#stalled = stalled;
    this.#doors.tell(stalled);
  }
}
