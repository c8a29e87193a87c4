/**
 * Own posts that are shown as waiting until every other device is known to hold them. What a device holds of a feed it holds from the
 * beginning, so of each feed only the first that waits is ever looked at: a peer that catches up says hundreds of times what it has.
 */
import type { DeltaId, FeedId, ToolId } from '../base/ids.ts';
import type { Delta } from '../sync/delta.ts';

interface Post {
  readonly tool: ToolId;
  readonly id: DeltaId;
}

/** In the order of the feed; those before `next` are delivered. */
interface Queue {
  posts: Post[];
  next: number;
}

export class Undelivered {
  readonly #queues = new Map<FeedId, Queue>();

  /** Own deltas, in the order of their feeds; what is no post shows nowhere as waiting. */
  note({ feed, tool, id, kind }: Delta): void {
    if (tool === undefined || kind !== 'post') return;
    const queue = this.#queues.get(feed);
    if (queue) queue.posts.push({ tool, id });
    else this.#queues.set(feed, { posts: [{ tool, id }], next: 0 });
  }

  /** Those that are delivered now, by tool; they do not wait any more. */
  take(isDelivered: (id: DeltaId) => boolean): ReadonlyMap<ToolId, readonly DeltaId[]> {
    const delivered = new Map<ToolId, DeltaId[]>();
    for (const [feed, queue] of this.#queues) {
      const { posts } = queue;
      for (let post = posts[queue.next]; post && isDelivered(post.id); post = posts[++queue.next]) {
        const own = delivered.get(post.tool);
        if (own) own.push(post.id);
        else delivered.set(post.tool, [post.id]);
      }
      if (queue.next === posts.length) this.#queues.delete(feed);
      else if (queue.next * 2 > posts.length) {
        queue.posts = posts.slice(queue.next);
        queue.next = 0;
      }
    }
    return delivered;
  }
}
