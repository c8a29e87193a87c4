/**
 * Whether a copy is out of step: its base may be another than other copies', for somebody who had acknowledged it has written, on a branch of his feed, as
 * if he had not (D8): a base from a manager puts it right. Who does not come together with others, whatever the reason, is told by `apart.ts` (L6).
 */
import type { DeviceId } from '../base/ids.ts';
import type { Authority } from './authority.ts';
import type { Content } from './content.ts';
import { MAY_VOID } from './control.ts';
import type { Delta, DeltaPlace } from './delta.ts';
import type { Graph, Node } from './graph.ts';
import type { PassedBy } from './passed-by.ts';
import { pastOf } from './waiting.ts';

export interface OutOfStepOptions {
  readonly graph: Graph;
  readonly authority: Authority;
  readonly content: Content;
  readonly passedBy: PassedBy;
}

export class OutOfStep {
  readonly #options: OutOfStepOptions;
  /** Somebody's delta rests on what belongs into our base and is not there. */
  #isPassedBy = false;
  /** Control deltas that have not seen all that is in the base. */
  readonly #lateControls: Node[] = [];

  constructor(options: OutOfStepOptions) {
    this.#options = options;
  }

  get isSo(): boolean {
    const { authority, content } = this.#options;
    const reachesBack = this.#lateControls.some(({ delta }) => authority.verdictOf(delta.id)?.accepted);
    return this.#isPassedBy || reachesBack || content.isDoubtful;
  }

  /** A control delta is here that is not in the base. */
  note(node: Node): void {
    if (MAY_VOID.has(node.delta.kind) && !this.#options.graph.coversCut(node)) this.#lateControls.push(node);
  }

  /** Something has come that is folded here, or a rival of that, and these wait for it: they may count for others. */
  lookAt(waiters: Iterable<Delta>): void {
    this.#isPassedBy ||= this.#options.passedBy.mayCount(waiters);
  }

  /**
   * L6: a member has folded what something here waits for. Where it is folded here, too, what waits for it names what its author had
   * acknowledged: that cannot come in here, nor what others have written upon it. What nobody else has taken need not be sound.
   */
  hearFolded(places: readonly DeltaPlace[], from: DeviceId): void {
    const { graph } = this.#options;
    const folded = new Set(places.filter((place) => this.#hasForgotten(place)).map(({ id }) => id));
    if (folded.size === 0 || this.#isPassedBy) return;
    const isUponIt = (waiter: Delta) => waiter.device !== from && pastOf(waiter).some((id) => folded.has(id));
    this.lookAt([...graph.wantedWaiting()].filter(isUponIt));
  }

  #hasForgotten({ id, feed, seq }: DeltaPlace): boolean {
    const { graph } = this.#options;
    const [device] = feed.split('.') as [DeviceId];
    const lanes = graph.lanesOf(device).filter((lane) => lane.feed === feed);
    return !graph.get(id) && lanes.some(({ first, cut }) => first <= seq && seq <= cut);
  }
}
