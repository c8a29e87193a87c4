/** The Chat tool as its users see it. */
import type { AccountId, DeltaId, ToolId } from '../base/ids.ts';
import { toUtf8 } from '../base/utf8.ts';
import { MAX_CHAT_TEXT_BYTES } from '../protocol/limits.ts';
import type { Entry } from '../sync/replica.ts';
import type { RowChange } from '../sync/fold.ts';
import { chatBody, type ChatDelta } from '../tools/chat/deltas.ts';
import { POSTS, postFromRow, type Post } from '../tools/chat/rows.ts';
import { type CallKey, ServiceError, type ChatPage, type ChatPost } from './api.ts';
import type { ContentIndex } from './content-index.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

const MAX_PAGE = 500;
/** Signed and made durable together: the window goes on in between. */
const CARRIED_AT_ONCE = 64;

export class Chat {
  readonly #workspace: SharedWorkspace;
  readonly #tool: ToolId;
  readonly #index: ContentIndex;

  constructor(workspace: SharedWorkspace, tool: ToolId, index: ContentIndex) {
    this.#workspace = workspace;
    this.#tool = tool;
    this.#index = index;
  }

  async post(text: string, call?: CallKey): Promise<ChatPost> {
    return this.#describe(await this.#author({ kind: 'post', text: checked(text) }, call))!;
  }

  async edit(post: string, text: string, call?: CallKey): Promise<void> {
    await this.#author({ kind: 'edit', post: this.#find(post), text: checked(text) }, call);
  }

  async delete(post: string, call?: CallKey): Promise<void> {
    await this.#author({ kind: 'unpost', post: this.#find(post) }, call);
  }

  /** Throws ServiceError('notFound'). */
  postOf(id: string): ChatPost {
    return this.#describe(this.#find(id))!;
  }

  page(options: { readonly before?: string; readonly limit: number }): ChatPage {
    const { id } = this.#workspace;
    const limit = Math.min(Math.max(1, Math.floor(options.limit)), MAX_PAGE);
    const before = options.before === undefined ? undefined : this.#row(this.#find(options.before));
    const ids = before
      ? this.#index.before(id, this.#tool, { id: options.before as DeltaId, height: before.height }, limit + 1)
      : this.#index.newest(id, this.#tool, limit + 1);
    const posts = ids.slice(0, limit).map((post) => this.#describe(post));
    return { posts: posts.filter((post) => post !== undefined).reverse(), more: ids.length > limit };
  }

  /** What changed rows mean to a panel. */
  changes(changes: readonly RowChange[]): { readonly posts: readonly ChatPost[]; readonly removed: readonly string[] } {
    const self = this.#workspace.self?.account;
    const [posts, removed]: [ChatPost[], string[]] = [[], []];
    for (const { table, key, row } of changes) {
      if (table !== POSTS) continue;
      if (row) posts.push(this.#shown(key as DeltaId, postFromRow(row), self));
      else removed.push(key);
    }
    return { posts, removed };
  }

  /** All posts, in order, into an empty chat of another workspace: told by this person, each with whose it was and from when (A7). */
  async carryInto(other: Chat, now: number, signal: AbortSignal, onCarried: (posts: number) => void): Promise<void> {
    const ids = this.#index.newest(this.#workspace.id, this.#tool, Number.MAX_SAFE_INTEGER).toReversed();
    for (let i = 0; i < ids.length && !signal.aborted; i += CARRIED_AT_ONCE) {
      const deltas = ids.slice(i, i + CARRIED_AT_ONCE).flatMap((id) => this.#carried(id, now) ?? []);
      if (deltas.length > 0) await other.#workspace.author(deltas.map((delta) => other.#entryOf(delta)));
      onCarried(deltas.length);
    }
  }

  /** Of one that was carried over before, it is told on whose it was. */
  #carried(id: DeltaId, now: number): ChatDelta | undefined {
    const post = this.#row(id);
    if (!post) return undefined;
    const { author, text, time, told } = post;
    const whose = told ?? { account: author, name: this.#workspace.nameOf(author), time };
    // A clock that was ahead, or ours that is behind: what is told was before it is told.
    return { kind: 'carry', text, told: { ...whose, time: Math.min(whose.time, now) } };
  }

  /** Posts that are the same but for what is known of them: read, delivered. */
  describeAll(ids: readonly string[]): readonly ChatPost[] {
    return ids.map((id) => this.#describe(id as DeltaId)).filter((post) => post !== undefined);
  }

  #row(id: DeltaId) {
    const row = this.#workspace.replica.fold.row(this.#tool, POSTS, id);
    return row && postFromRow(row);
  }

  #find(id: string): DeltaId {
    if (!this.#row(id as DeltaId)) throw new ServiceError('notFound', {});
    return id as DeltaId;
  }

  #describe(id: DeltaId): ChatPost | undefined {
    const post = this.#row(id);
    return post && this.#shown(id, post, this.#workspace.self?.account);
  }

  #shown(id: DeltaId, post: Post, own: AccountId | undefined): ChatPost {
    const self = post.author === own;
    return {
      id,
      author: post.author,
      authorName: this.#workspace.nameOf(post.author),
      self,
      text: post.text,
      time: post.time,
      height: post.height,
      ...(post.told ? { told: post.told } : {}),
      edited: post.edited > 0,
      unread: this.#workspace.unread.has(this.#tool, id),
      delivery: !self || this.#workspace.isDelivered(id) ? 'sent' : 'waiting',
    };
  }

  async #author(delta: ChatDelta, call: CallKey | undefined): Promise<DeltaId> {
    const nodes = await this.#workspace.author([this.#entryOf(delta)], call);
    return nodes.at(-1)!.delta.id;
  }

  #entryOf(delta: ChatDelta): Entry {
    return { tool: this.#tool, kind: delta.kind, body: chatBody(delta) };
  }
}

function checked(text: string): string {
  const trimmed = text.trimEnd();
  if (trimmed.trim() === '') throw new ServiceError('badName', { reason: 'empty' });
  if (!trimmed.isWellFormed() || toUtf8(trimmed).length > MAX_CHAT_TEXT_BYTES) throw new ServiceError('tooLarge', {});
  return trimmed;
}
