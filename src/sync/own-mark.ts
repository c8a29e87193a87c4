/**
 * What this copy says it adds up to (L6): nothing where that says nothing. So it is while something is not durable and so not told (D1), where something of a
 * newer version is here (D10), where somebody has two histories (D8), where something counts here alone till the next own delta (D2), and in a
 * copy that knows itself out of step.
 */
import type { Content } from './content.ts';
import type { Door } from './door.ts';
import type { Durability } from './durability.ts';
import type { Endings } from './endings.ts';
import type { Graph } from './graph.ts';
import type { OutOfStep } from './out-of-step.ts';
import type { StateMark } from './state-mark.ts';

export interface OwnMarkOptions {
  readonly door: Door;
  readonly graph: Graph;
  readonly content: Content;
  readonly endings: Endings;
  readonly durability: Durability;
  readonly outOfStep: OutOfStep;
  readonly stateMark: StateMark;
}

export class OwnMark {
  readonly #options: OwnMarkOptions;

  constructor(options: OwnMarkOptions) {
    this.#options = options;
  }

  /** Undefined where it says nothing. Costs what has changed since it was last asked for. */
  workOut(): string | undefined {
    return this.#isComparable() ? this.#options.stateMark.workOut() : undefined;
  }

  /** Does a share of the work that this will need, and answers whether nothing is left of it. */
  prepare(leaves: number): boolean {
    return !this.#isComparable() || this.#options.stateMark.prepare(leaves);
  }

  /** The same where it is known already; empty where it would have to be worked out. */
  get known(): string {
    const { known } = this.#options.stateMark;
    return known !== undefined && this.#isComparable() ? known : '';
  }

  /** D2: something counts here that for others counts when the next own delta has come to them: what it is to name first. */
  get isAhead(): boolean {
    return this.#options.graph.ahead().length > 0;
  }

  #isComparable(): boolean {
    const { content, door, durability, endings, graph, outOfStep } = this.#options;
    door.settle();
    if (graph.isForked || endings.forked.size > 0 || content.sawNewer || outOfStep.isSo) return false;
    if (this.isAhead) return false;
    return durability.isWhole;
  }
}
