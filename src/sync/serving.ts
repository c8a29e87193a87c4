/** What others lack, as they are given it: runs that are causally closed and end at a signature that stands (S1, D5, D7). */
import type { DeltaId, FeedId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MAX_MESSAGE_BYTES } from '../protocol/limits.ts';
import { checkSignature, type Delta } from './delta.ts';
import type { Graph, Node, Vector } from './graph.ts';

export class Serving {
  readonly #crypto: Crypto;
  readonly #workspace: WorkspaceId;
  readonly #graph: Graph;
  readonly #isDurable: (node: Node) => boolean;
  /** Of each feed the last delta whose signature was checked here: what is served ends there (D7). */
  readonly #checked = new Map<FeedId, Delta>();

  /** `isDurable`: of what is not yet, nobody may hear (D1). */
  constructor(crypto: Crypto, workspace: WorkspaceId, graph: Graph, isDurable: (node: Node) => boolean) {
    this.#crypto = crypto;
    this.#workspace = workspace;
    this.#graph = graph;
    this.#isDurable = isDurable;
  }

  /** Its own signature was checked, or made here. */
  checked(delta: Delta): void {
    this.#checked.set(delta.feed, delta);
  }

  /**
   * Runs that a peer with this vector lacks, until about `maxBytes` are together (S1): a causally closed share, one run per
   * feed, each ending at a signature that stands (D7). `upTo` tells up to which seq of a feed.
   */
  lacking(theirs: Vector, maxBytes: number, upTo: (feed: FeedId) => number = everything): readonly (readonly Node[])[] {
    const picked = new Map<FeedId, Node[]>();
    let bytes = 0;
    for (const node of this.#graph.beyond(theirs, upTo)) {
      if (!this.#isDurable(node)) continue;
      const run = picked.get(node.delta.feed) ?? [];
      run.push(node);
      picked.set(node.delta.feed, run);
      bytes += node.delta.bytes.length;
      if (bytes >= maxBytes) break;
    }
    const runs = [...picked.values()].map((run) => this.#toCheckedEnd(run, upTo));
    return within(Math.max(maxBytes, MESSAGE_HOLDS_BYTES), runs);
  }

  #toCheckedEnd(run: Node[], upTo: (feed: FeedId) => number): readonly Node[] {
    const picked = run.length;
    const toLastPicked = () => run.slice(0, run.findLastIndex((node, i) => i < picked && this.#stands(node)) + 1);
    let bytes = bytesOf(run);
    for (let last = run.at(-1)!; !this.#stands(last); last = run.at(-1)!) {
      const next = this.#graph.after(last);
      if (!next || next.delta.seq > upTo(next.delta.feed)) {
        // The signature that proved the rest is still waiting for its past, or was lost with it.
        return toLastPicked();
      }
      run.push(next);
      bytes += next.delta.bytes.length;
    }
    // It came in one message with what is behind the signature before it, and not with more.
    const before = bytes > MESSAGE_HOLDS_BYTES ? toLastPicked() : [];
    if (before.length > 0) return before;
    return run;
  }

  #stands({ delta }: Node): boolean {
    const checked = this.#checked.get(delta.feed);
    if (checked?.id === delta.id) return true;
    if (!checkSignature(this.#crypto, this.#workspace, delta)) return false;
    if ((checked?.seq ?? 0) < delta.seq) this.#checked.set(delta.feed, delta);
    return true;
  }

  /** Of these what is folded here: its place alone is left. */
  folded(ids: Iterable<DeltaId>): readonly Node[] {
    return [...ids].flatMap((id) => this.#graph.get(id) ?? []).filter(({ delta }) => delta.bytes.length === 0);
  }

  /** Deltas that somebody asks for by id, since something waits for them (D5): each with what of its branch is before it (D8). */
  byIds(ids: Iterable<DeltaId>): readonly (readonly Node[])[] {
    const runs = new Map<number, Node[]>();
    for (const id of ids) {
      const node = this.#graph.get(id);
      if (!node || node.delta.bytes.length === 0) continue;
      if (!this.#isDurable(node)) continue;
      const run = this.#graph.branchTo(node);
      if (run.length > (runs.get(node.lane)?.length ?? 0)) runs.set(node.lane, run);
    }
    const whole = [...runs.values()].map((run) => this.#toCheckedEnd(run, everything));
    return within(MESSAGE_HOLDS_BYTES, whole);
  }
}

/** With the heads of small deltas and the padding that is a message. */
const MESSAGE_HOLDS_BYTES = (MAX_MESSAGE_BYTES * 7) / 8;

/**
 * Of these as many as there is room for, one at least: a run goes on to the next signature that stands, which may be as far behind as a message
 * is long, in which it has come. What is left over comes with the next batch, or is asked for again.
 */
function within(room: number, runs: readonly (readonly Node[])[]): readonly (readonly Node[])[] {
  let bytes = 0;
  return runs.filter((run) => {
    const more = bytesOf(run);
    if (more === 0 || (bytes > 0 && bytes + more > room)) return false;
    bytes += more;
    return true;
  });
}

function bytesOf(run: readonly Node[]): number {
  return run.reduce((sum, { delta }) => sum + delta.bytes.length, 0);
}

function everything(): number {
  return Number.POSITIVE_INFINITY;
}
