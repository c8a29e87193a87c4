/** Deltas that nothing here names yet, and which of them the next delta of a feed names (D5, D8), and which first (D2). */
import type { DeviceId, FeedId } from '../base/ids.ts';
import type { Generations } from './generations.ts';
import { inPast, type Lane, type Node } from './lane.ts';
import type { Lanes } from './lanes.ts';
import { pastOf } from './waiting.ts';

export class Heads {
  readonly #lanes: Lanes;
  readonly #generations: Generations;
  readonly #heads = new Set<Node>();

  constructor(lanes: Lanes, generations: Generations) {
    this.#lanes = lanes;
    this.#generations = generations;
  }

  /** A delta has come in upon these. */
  take(node: Node, prev: Node | undefined, deps: readonly Node[]): void {
    if (prev) this.#heads.delete(prev);
    for (const dep of deps) this.#heads.delete(dep);
    this.#heads.add(node);
  }

  /** These are not here any more: what only they had named is a head again. */
  drop(gone: ReadonlySet<Node>): void {
    for (const node of gone) this.#heads.delete(node);
    const ends = this.#lanes.all.flatMap(({ tip }) => tip ?? []);
    for (const { delta } of gone) {
      for (const id of pastOf(delta)) this.#addUnnamed(this.#lanes.get(id), ends);
    }
  }

  /** A base is here: what it ends with. */
  load(): void {
    const ends = this.#lanes.all.flatMap(({ frontier }) => frontier ?? []);
    for (const end of ends) this.#addUnnamed(end, ends);
  }

  #addUnnamed(node: Node | undefined, ends: readonly Node[]): void {
    if (node && !ends.some((end) => inPast(node, end))) this.#heads.add(node);
  }

  /** The greatest of theirs (D6). */
  get height(): number {
    let height = 0;
    for (const head of this.#heads) height = Math.max(height, head.height);
    return height;
  }

  /**
   * The maximal heads outside a feed: the deps of its next delta (D5). Of a fork only what does not stand against what else
   * would be in its past (D8), and in the place of the rest what only that has named.
   */
  outside(feed: FeedId): readonly Node[] {
    const heads = [...this.#heads].filter((head) => head.delta.feed !== feed);
    const prev = this.#lanes.trunk(feed)?.tip;
    const all = prev ? [prev, ...heads] : heads;
    const canStand = (node: Node) => !this.#isRivalIn(all, node);
    const standing = heads.filter(canStand);
    if (standing.length === heads.length) return standing;
    const named = prev ? [prev, ...standing] : standing;
    const ends = this.#lanes.all.flatMap(({ tip }) => (tip && tip.delta.feed !== feed && canStand(tip) ? tip : []));
    const rest = ends.filter((end) => !named.some((other) => other === end || inPast(end, other)));
    return [...standing, ...rest.filter((end) => !rest.some((other) => other !== end && inPast(end, other)))];
  }

  /**
   * D2: what the next delta of a feed has to name, before it knows of a later feed of some device, since nobody else has named the end of the
   * older one so: that, and whatever else does not know of the later. Maximal (D5).
   */
  toNameFirst(feed: FeedId): readonly Node[] {
    const unnamed = this.#generations.unnamedEnds();
    if (unnamed.length === 0) return NONE;
    const oldest = this.#oldestOf(unnamed);
    const isUnaware = (node: Node) => !oldest.some((lane) => this.#generations.knowsLater(node, lane));
    const prev = this.#lanes.trunk(feed)?.tip;
    const ends = this.#lanes.all.flatMap((lane) => (lane.feed === feed ? [] : (lane.lastOf(isUnaware) ?? [])));
    const news = ends.filter((end) => !prev || !(inPast(end, prev) || this.#lanes.holdsRival(prev, end)));
    const isNamed = (end: Node) => !this.#heads.has(end) && news.some((other) => inPast(end, other));
    return news.filter((end) => !isNamed(end) && !this.#isRivalIn(news, end));
  }

  /** Of each device the oldest feed of which something is to be named: no later one is to be known. */
  #oldestOf(unnamed: readonly Node[]): readonly Lane[] {
    const oldest = new Map<DeviceId, Lane>();
    for (const lane of unnamed.map((end) => this.#lanes.home(end))) {
      const before = oldest.get(lane.device);
      if (!before || lane.generation < before.generation) oldest.set(lane.device, lane);
    }
    return [...oldest.values()];
  }

  /** Whether others hold a branch of the feed of a delta that stands against it. Of most feeds there is one history, and the others need not be asked. */
  #isRivalIn(others: readonly Node[], node: Node): boolean {
    const isForked = this.#lanes.of(node.delta.feed).length > 1;
    return isForked && others.some((other) => other !== node && this.#lanes.holdsRival(other, node));
  }
}

const NONE: readonly Node[] = [];
