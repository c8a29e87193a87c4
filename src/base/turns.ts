/** Work of one key is done one after the other, whatever became of what went before; that of different keys side by side. */
export class Turns<Key> {
  /** The end of what is under way, or in line, for each key. */
  readonly #ends = new Map<Key, Promise<void>>();

  run<T>(key: Key, work: () => T | Promise<T>): Promise<T> {
    const turn = (this.#ends.get(key) ?? Promise.resolve()).then(work);
    const over = () => {
      if (this.#ends.get(key) === end) this.#ends.delete(key);
    };
    const end = turn.then(over, over);
    this.#ends.set(key, end);
    return turn;
  }

  /** When all that has been asked for till now is done; undefined where nothing is. It never rejects. */
  end(key: Key): Promise<void> | undefined {
    return this.#ends.get(key);
  }

  /** That of each key for which there is something. */
  ends(): readonly Promise<void>[] {
    return [...this.#ends.values()];
  }
}
