/**
 * Which position may be acknowledged (R1): the highest of which all that were delivered before it have been handled.
 * A relay may deliver positions with holes between them (what expired), but never in another order.
 */
export class AckWindow {
  /** Delivered and not acknowledgeable yet, oldest first; true once handled. */
  readonly #delivered = new Map<number, boolean>();
  #last = 0;
  #through = 0;

  /** False where the relay breaks the order: such a position is covered by the acknowledgement of a later one. */
  deliver(position: number): boolean {
    if (position <= this.#last) return false;
    this.#last = position;
    this.#delivered.set(position, false);
    return true;
  }

  handle(position: number): void {
    if (!this.#delivered.has(position)) return;
    this.#delivered.set(position, true);
    for (const [first, handled] of this.#delivered) {
      if (!handled) return;
      this.#delivered.delete(first);
      this.#through = first;
    }
  }

  /** 0 where nothing has been handled yet. */
  get through(): number {
    return this.#through;
  }
}
