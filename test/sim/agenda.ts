/** What will happen, by time; of what is due at once, what was put down first comes first. A binary heap. */
export type Step = () => void | Promise<void>;

interface Due {
  readonly at: number;
  readonly order: number;
  readonly step: Step;
}

export class Agenda {
  readonly #heap: Due[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  get next(): number | undefined {
    return this.#heap[0]?.at;
  }

  put(at: number, step: Step): void {
    const heap = this.#heap;
    const due = { at, order: this.#order++, step };
    let i = heap.length;
    heap.push(due);
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!isBefore(due, heap[up]!)) break;
      heap[i] = heap[up]!;
      i = up;
    }
    heap[i] = due;
  }

  take(): { readonly at: number; readonly step: Step } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1]!, heap[down]!)) down++;
      if (!isBefore(heap[down]!, last)) break;
      heap[i] = heap[down]!;
      i = down;
    }
    heap[i] = last;
    return first;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at - b.at < 0 || (a.at === b.at && a.order < b.order);
}
