/** What is held here as it is said to others (`have`), and what of it they mean who say what they hold, or have taken (`got`). */
import type { DeviceId, FeedId } from '../base/ids.ts';
import type { Node, Vector } from './graph.ts';
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

  /**
   * K2: to who is out, by `last`. The feeds that he may know of, up to what is in the past of the word or what he has `shown` to hold; where that is
   * forgotten here, and has no name any more, up to the end. Nothing of who came later, nor what all adds up to.
   */
  haveUpTo(last: Node, shown: Vector, answer: boolean): Message {
    const here = [...this.#replica.durable()].map(([feed, seq]) => ({ feed, seq }));
    const vector = this.#marks(new Map(this.upTo(last, shown, here).map(({ feed, seq }) => [feed, seq])));
    return { kind: 'have', vector, answer, root: '', needsCopy: false };
  }

  /** Of what is here. */
  upTo(last: Node, shown: Vector, here: readonly Mark[]): readonly Mark[] {
    return here.flatMap(({ feed, seq }) => {
      const until = Math.min(seq, Math.max(this.#replica.feeds.reach(last, feed), shown.get(feed) ?? 0));
      return until === 0 ? [] : { feed, seq: this.#replica.nodeAt(feed, until) ? until : seq };
    });
  }

  /** Of what somebody says that he holds what only he can name who does; and what is folded here, which has no name any more. */
  shownBy(vector: readonly FeedMark[]): Map<FeedId, number> {
    const cut = this.#replica.feeds.cut();
    const isShown = ({ feed, seq, tip }: FeedMark) => {
      const node = this.#replica.nodeAt(feed, seq);
      return node ? node.delta.id.startsWith(tip) : seq <= (cut.get(feed) ?? 0);
    };
    return new Map(vector.filter(isShown).map(({ feed, seq }) => [feed, seq]));
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
