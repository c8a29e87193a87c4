/** Which feeds a copy holds something of, folded or not, and up to where: what is known of a device by what it has written. */
import type { DeviceId, FeedId } from '../base/ids.ts';
import { generationOf, type DeltaPlace } from './delta.ts';
import type { Graph, Node, Vector } from './graph.ts';

export class Feeds {
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Up to where each is folded. */
  cut(): Vector {
    return this.#graph.cut();
  }

  /** D8: up to where what is here of each feed has its effect, as far as forks go: what a freeze leaves to it. */
  standing(): Vector {
    return this.#graph.standing();
  }

  /** Up to which seq of a feed the past of a delta goes, itself included; of a forked one up to the fork. */
  reach(node: Node, feed: FeedId): number {
    return this.#graph.reach(node, feed);
  }

  /** Whether a peer that holds this can be served from the log: else it takes the base first. */
  reaches(theirs: Vector): boolean {
    return this.#graph.reaches(theirs);
  }

  /** What a device has held when it wrote the last that is here of it: that, with its past (D5). Of one that has begun again from an older store it may lack some since (D2). */
  shownBy(device: DeviceId): Vector {
    return this.#graph.shownBy(device);
  }

  /** Whether a device has written here: then it has acknowledged all that is folded (L4). */
  hasWritten(device: DeviceId): boolean {
    return this.#graph.lanesOf(device).some((lane) => lane.end > 0);
  }

  /** Of which feeds of a device something is here (D2). */
  generationsOf(device: DeviceId): readonly number[] {
    return this.#graph
      .lanesOf(device)
      .filter(({ end }) => end > 0)
      .map(({ generation }) => generation);
  }

  /** D2: where the newest feed of a device goes to, as far as is known here, be it by what waits for its past; up to its fork. */
  newestKnown(device: DeviceId): { readonly generation: number; readonly seq: number } | undefined {
    const written = this.#graph.lanesOf(device).filter(({ parent, end }) => !parent && end > 0);
    const ends = written.map(({ generation, end: seq }) => ({ generation, seq }));
    const waiting = [...this.#graph.waitingDeltas()].filter((delta) => delta.device === device);
    return [...ends, ...waiting].sort((a, b) => b.generation - a.generation || b.seq - a.seq)[0];
  }

  /** D2: whether a later feed of its device has begun without a delta, which nobody is known to have named: it counts no more. */
  isLeftBehind({ feed, seq }: DeltaPlace): boolean {
    const [device] = feed.split('.') as [DeviceId];
    return seq > this.#graph.closedAt({ device, feed, generation: generationOf(feed) }, () => true);
  }
}
