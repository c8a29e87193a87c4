/**
 * After what somebody asks to be let in (N2, L7). A join can be kept by whoever has it on the way, a relay say, and be played again when he who sent it
 * has left since, or was dropped once more, and does not ask. So who is out, and was in before, names in it the words by which he is out: no
 * join from before these can. He is told them by whom he asks (`askAnew`). It is a client's conduct, no verdict rests on it.
 */
import type { DeltaId } from '../base/ids.ts';
import { MAX_SINCE_WORDS } from '../protocol/limits.ts';
import { inPast, type Node } from './graph.ts';

/**
 * Of the words by which he who asks is out those that he does not name. A word that the invitation has in its past he need not: nobody can have asked
 * with that before.
 */
export function unsaid(words: Iterable<Node>, since: readonly DeltaId[], invite?: Node): readonly DeltaId[] {
  const later = [...new Set(words)].filter((word) => !invite || !inPast(word, invite));
  const asked = later.slice(0, MAX_SINCE_WORDS).map(({ delta }) => delta.id);
  return asked.filter((id) => !since.includes(id));
}

/** Of who asks: what he has been told. Those whom he asks need not know of the same words. */
export class Since {
  readonly #words: Set<DeltaId>;

  constructor(words: readonly DeltaId[] = []) {
    this.#words = new Set(words);
  }

  get words(): readonly DeltaId[] {
    return [...this.#words];
  }

  /** Answers whether there is another among them. */
  add(words: readonly DeltaId[]): boolean {
    const before = this.#words.size;
    for (const word of words) if (this.#words.size < MAX_SINCE_WORDS) this.#words.add(word);
    return this.#words.size > before;
  }
}
