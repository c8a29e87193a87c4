/**
 * Which branches of forked feeds others have named, and so which of them count (D8). Whichever came first, here alone, says nothing:
 *
 * - Named is what another device has in its past, but for what is itself on a branch that nobody has named: it may be here alone.
 * - A branch counts where others have named it, and none that stands against it.
 * - What is folded all have named.
 */
import type { Lane, Node, Past } from './lane.ts';
import type { Lanes } from './lanes.ts';

export class Branches {
  readonly #lanes: Lanes;

  constructor(lanes: Lanes) {
    this.#lanes = lanes;
  }

  /** A delta has come in. Answers whether more of a branch is named than was. */
  take(node: Node): boolean {
    if (this.isUnnamed(node)) return false;
    let isNews = false;
    for (const lane of this.#lanes.branches) {
      const named = node.past[lane.number] ?? 0;
      if (lane.device === node.delta.device || named < lane.first || named <= lane.named) continue;
      lane.named = named;
      isNews = true;
    }
    if (isNews) this.takeAll();
    return isNews;
  }

  /** Of each lane the last says what all before it do. */
  takeAll(): void {
    for (const lane of this.#lanes.all) {
      const last = lane.parent ? lane.at(lane.named) : lane.tip;
      if (last) this.take(last);
    }
  }

  /** Of a lane, the last that is not here alone. */
  lastShared(lane: Lane): Node | undefined {
    return lane.parent && this.isContested(lane) ? lane.at(lane.named) : lane.tip;
  }

  /** A lane was cut: who stands on its branch himself may have named others. */
  takeAnew(): void {
    for (const lane of this.#lanes.branches) lane.named = lane.cut;
    this.takeAll();
  }

  /**
   * Whether it is on a branch, and no other device has it in its past. Others need not hold it, nor will they where they have another: it can say
   * nothing of who may do what.
   */
  isUnnamed(node: Node): boolean {
    const own = this.#lanes.all[node.lane];
    return own?.parent !== undefined && node.delta.seq > own.named;
  }

  /** Whether it is such a one, and its branch does not stand: others hold another for the feed, or none. Beyond what is named of one that stands it is the end of the feed. */
  isAlone(node: Node): boolean {
    return this.isUnnamed(node) && this.isContested(this.#lanes.all[node.lane]!);
  }

  /**
   * Whether another branch stands against it. One that nobody has named is no other's: whoever holds it, since it came first, holds for the feed what
   * all others do.
   */
  isContested(lane: Lane): boolean {
    for (let at = lane; at.parent; at = at.parent) {
      if (!at.isNamed || this.#lanes.rivalsOf(at).some(({ isNamed }) => isNamed)) return true;
    }
    return false;
  }

  /** Whether all have acknowledged one that stands against it: then nobody can name this one any more. */
  hasStableRival(lane: Lane, stable: Past): boolean {
    for (let at = lane; at.parent; at = at.parent) {
      if (this.#lanes.rivalsOf(at).some(({ number, first }) => (stable[number] ?? 0) >= first)) return true;
    }
    return false;
  }
}
