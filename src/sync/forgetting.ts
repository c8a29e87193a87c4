/** What all active devices have acknowledged is folded into the base, and forgotten (L4): how far that goes, and what it waits for. */
import type { DeviceId } from '../base/ids.ts';
import type { Content } from './content.ts';
import type { Entrances } from './entrances.ts';
import type { Folded } from './fold.ts';
import type { Graph, Node, Past } from './graph.ts';
import type { OwnBase } from './own-base.ts';
import type { OwnFeed } from './own-feed.ts';
import { cutBefore, stableIn } from './stability.ts';

/** What has become the base (L4). */
export interface Advance {
  readonly folded: readonly Folded[];
  readonly forgotten: number;
}

export interface ForgettingOptions {
  readonly graph: Graph;
  readonly content: Content;
  readonly entrances: Entrances;
  readonly own: OwnFeed;
  readonly base: OwnBase;
}

export class Forgetting {
  readonly #options: ForgettingOptions;
  /** Every control delta, in the base or not. */
  #controls: Node[] = [];
  /** Of these what not all have acknowledged, as far as is known. */
  #unstable: Node[] = [];
  /** Up to where all had acknowledged each lane, when that was looked at last. */
  #stable: Past = [];

  constructor(options: ForgettingOptions) {
    this.#options = options;
  }

  /** A control delta is here, be it in a base: that says nothing of who had acknowledged it. */
  note(node: Node): void {
    this.#controls.push(node);
    this.#unstable.push(node);
  }

  /** Whether all active devices have acknowledged every control delta that is here, as far as `advance` has found. */
  get isSettled(): boolean {
    return this.#unstable.length === 0;
  }

  /** Up to where all have acknowledged each lane; of the own feeds no more than is on disk (D1): what is folded is given away in a base. */
  stable(active: Iterable<DeviceId>): Past {
    const { graph, entrances, own } = this.#options;
    const stable = [...stableIn(graph, active, (device) => entrances.of(device))];
    for (const [feed, seq] of own.durableEnds()) {
      const lane = graph.tip(feed)?.lane;
      if (lane !== undefined) stable[lane] = Math.min(stable[lane] ?? 0, seq);
    }
    return stable;
  }

  /** D8: lets go of what nobody can name any more. Answers what that was. */
  dropStrays(stable: Past): ReadonlySet<Node> {
    const { graph, own } = this.#options;
    return graph.isForked ? graph.dropStrays(stable, own.device) : NO_STRAYS;
  }

  /** These are as if they had never come. */
  withdraw(nodes: ReadonlySet<Node>): void {
    this.#controls = this.#controls.filter((node) => !nodes.has(node));
    this.#unstable = this.#unstable.filter((node) => !nodes.has(node));
  }

  /** Folds into the base what is stable, as far as it goes, and forgets it. */
  advance(stable: Past): Advance {
    const { graph, content, base } = this.#options;
    const isStable = ({ lane, delta }: Node) => (stable[lane] ?? 0) >= delta.seq;
    this.#unstable = this.#doubtful(stable).filter((node) => !isStable(node));
    this.#stable = stable;
    if (this.#unstable.length > 0) return { folded: [], forgotten: 0 };
    const folded = content.absorb(isStable);
    const open = [...content.fold.unstable(), ...content.barriers()];
    const before = graph.size;
    graph.forget(cutBefore(graph, stable, open));
    base.changed();
    return { folded, forgotten: before - graph.size };
  }

  /**
   * What may not be stable. What was stays so, but where somebody turns out to know less than was held of him: who had written nothing, as far as was
   * known here, has begun upon another word than that which lets him in here. He may name what a word cuts off that is in the base, and what he writes
   * is not to be judged for good before he has acknowledged that (world “rough-gg.11600”).
   */
  #doubtful(stable: Past): readonly Node[] {
    const goesBack = this.#stable.some((seq, lane) => (stable[lane] ?? 0) < seq);
    return goesBack ? this.#controls : this.#unstable;
  }
}

const NO_STRAYS: ReadonlySet<Node> = new Set();
