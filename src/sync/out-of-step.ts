/**
 * Whether a copy is out of step: its base may be another than other copies', for somebody who had acknowledged it has written, on a branch of his feed, as
 * if he had not (D8): a base from a manager puts it right. So does it where others cannot take the own feed, which has begun upon a word that they
 * need not take (L6).
 */
import type { DeltaId, DeviceId } from '../base/ids.ts';
import type { Authority } from './authority.ts';
import type { Content } from './content.ts';
import { MAY_VOID } from './control.ts';
import type { Delta, DeltaPlace } from './delta.ts';
import type { Endings } from './endings.ts';
import { inPast, type Graph, type Node } from './graph.ts';
import type { OwnFeed } from './own-feed.ts';
import type { PassedBy } from './passed-by.ts';
import { pastOf } from './waiting.ts';

export interface OutOfStepOptions {
  readonly graph: Graph;
  readonly authority: Authority;
  readonly content: Content;
  readonly endings: Endings;
  readonly own: OwnFeed;
  readonly passedBy: PassedBy;
}

export class OutOfStep {
  readonly #options: OutOfStepOptions;
  /** Somebody's delta rests on what belongs into our base and is not there. */
  #isPassedBy = false;
  /** A member has told that something in the past of our feed is folded there, without what names it. */
  #isLeftOut = false;
  /** Control deltas that have not seen all that is in the base. */
  readonly #lateControls: Node[] = [];

  constructor(options: OutOfStepOptions) {
    this.#options = options;
  }

  get isSo(): boolean {
    const { authority, content, endings, own } = this.#options;
    const reachesBack = this.#lateControls.some(({ delta }) => authority.verdictOf(delta.id)?.accepted);
    const isLeftOut = this.#isLeftOut && (endings.isUponEnded(own.feed) || this.#hasDenied());
    return this.#isPassedBy || isLeftOut || reachesBack || content.isDoubtful;
  }

  /**
   * D2: whether the own feed has begun without what this device had written in an earlier one, as who was told of too little when he had restored a
   * back-up: others had forgotten what that had acknowledged.
   */
  #hasDenied(): boolean {
    const { graph, own } = this.#options;
    const first = graph.at(own.feed, 1);
    const earlier = graph
      .lanesOf(own.device)
      .flatMap(({ generation, tip }) => (generation < own.generation && tip) || []);
    return first !== undefined && earlier.some((tip) => !inPast(tip, first));
  }

  /** A control delta is here that is not in the base. */
  note(node: Node): void {
    if (MAY_VOID.has(node.delta.kind) && !this.#options.graph.coversCut(node)) this.#lateControls.push(node);
  }

  /** Something has come that is folded here, or a rival of that. Answers whether what waits for it may count for others. */
  isPassedBy(waiters: Iterable<Delta>): boolean {
    if (!this.#options.passedBy.mayCount(waiters)) return false;
    this.#isPassedBy = true;
    return true;
  }

  /**
   * L6: a member has folded what something here waits for. Where it is folded here, too, what waits for it names what its author had
   * acknowledged: that cannot come in here, nor what others have written upon it. What nobody else has taken need not be sound. Answers what is
   * folded here, too, and waited for.
   */
  hearFolded(places: readonly DeltaPlace[], from: DeviceId): readonly DeltaPlace[] {
    const { graph, own } = this.#options;
    const tip = graph.tip(own.feed);
    if (tip && places.some(({ feed, seq }) => graph.reach(tip, feed) >= seq)) this.#isLeftOut = true;
    const too = places.filter((place) => this.#hasForgotten(place) && graph.waitersOf(place).length > 0);
    this.#passBy(new Set(too.map(({ id }) => id)), from);
    return too;
  }

  #passBy(folded: ReadonlySet<DeltaId>, from: DeviceId): void {
    const { graph } = this.#options;
    if (folded.size === 0 || this.#isPassedBy) return;
    const waiters = [...graph.wantedWaiting()].filter(
      (waiter) => waiter.device !== from && pastOf(waiter).some((id) => folded.has(id)),
    );
    this.isPassedBy(waiters);
  }

  #hasForgotten({ id, feed, seq }: DeltaPlace): boolean {
    const { graph } = this.#options;
    const [device] = feed.split('.') as [DeviceId];
    const lanes = graph.lanesOf(device).filter((lane) => lane.feed === feed);
    return !graph.get(id) && lanes.some(({ first, cut }) => first <= seq && seq <= cut);
  }
}
