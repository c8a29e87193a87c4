/** What is held here as it is said to others (`have`), and what of it they mean who say what they hold, or have taken (`got`). */
import type { DeviceId, FeedId } from '../base/ids.ts';
import type { Vector } from './graph.ts';
import { headOf, markOf, type FeedMark, type Head, type Message } from './messages.ts';
import type { Mark } from './peer.ts';
import type { Replica } from './replica.ts';

export class Held {
  readonly #replicaNow: () => Replica;
  /** Whether the copy that is here is no good for others. */
  readonly #needsCopy: () => boolean;
  /** Of feeds that are here, by what heads say of them: looked for once. */
  readonly #feedsByHead = new Map<string, FeedId>();
  /** L6: a device that is told that nothing is here, so that it gives its base. */
  hiddenFrom: DeviceId | undefined;

  constructor(replica: () => Replica, needsCopy: () => boolean) {
    this.#replicaNow = replica;
    this.#needsCopy = needsCopy;
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  have(to: DeviceId, answer: boolean): Message {
    return {
      kind: 'have',
      vector: to === this.hiddenFrom ? [] : this.#marks(this.#replica.durable()),
      answer,
      root: this.#replica.mark.known,
      needsCopy: this.#needsCopy(),
    };
  }

  /** On disk or not: what adds up to one thing (L6). */
  all(): readonly FeedMark[] {
    return this.#marks(this.#replica.vector());
  }

  #marks(vector: Vector): readonly FeedMark[] {
    const marks: FeedMark[] = [];
    for (const [feed, seq] of vector) {
      const end = this.#replica.nodeAt(feed, seq);
      if (end) marks.push(markOf(feed, seq, end.delta.id));
    }
    return marks;
  }

  lacks(theirs: readonly FeedMark[]): boolean {
    const ours = this.#replica.vector();
    return theirs.some(({ feed, seq }) => (ours.get(feed) ?? 0) < seq);
  }

  /** Of what somebody has sent, to be acknowledged: what is here. Not what has come since: it is not on disk yet. */
  headsOf(sent: readonly Mark[]): readonly Head[] {
    const vector = this.#replica.vector();
    const seqOf = ({ feed, seq }: Mark) => Math.min(seq, vector.get(feed) ?? 0);
    return sent.flatMap((mark) => (seqOf(mark) > 0 ? headOf(mark.feed, seqOf(mark)) : []));
  }

  /** The feeds that are meant: nobody acknowledges what is not here. */
  marksOf(heads: readonly Head[]): readonly Mark[] {
    const vector = this.#replica.vector();
    const marks: Mark[] = [];
    /** Of all feeds that are here, looked through once, however many heads name none of them. */
    let byName: ReadonlyMap<string, FeedId> | undefined;
    for (const head of heads) {
      const name = nameOf(head);
      let feed = this.#feedsByHead.get(name);
      if (feed === undefined || !vector.has(feed)) {
        byName ??= new Map([...vector.keys()].map((one) => [nameOf(headOf(one, 1)), one]));
        feed = byName.get(name);
        if (feed === undefined) continue;
        this.#feedsByHead.set(name, feed);
      }
      marks.push({ feed, seq: head.seq });
    }
    return marks;
  }
}

function nameOf({ device, generation }: Head): string {
  return `${device}.${generation}`;
}
