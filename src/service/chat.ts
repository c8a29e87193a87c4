/** The Chat tool as its users see it. */
import type { DeltaId, ToolId } from '../base/ids.ts';
import { toUtf8 } from '../base/utf8.ts';
import { MAX_CHAT_TEXT_BYTES } from '../protocol/limits.ts';
import type { RowChange } from '../sync/fold.ts';
import { chatBody, type ChatDelta } from '../tools/chat/deltas.ts';
import { POSTS, postFromRow } from '../tools/chat/rows.ts';
import { type CallKey, ServiceError, type ChatPage, type ChatPost } from './api.ts';
import type { ContentIndex } from './content-index.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

const MAX_PAGE = 500;

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
    const own = changes.filter((change) => change.table === POSTS);
    return {
      posts: own.flatMap((change) => (change.row ? [this.#describe(change.key as DeltaId)!] : [])),
      removed: own.flatMap((change) => (change.row ? [] : [change.key])),
    };
  }

  /** Posts that are the same but for what is known of them: read, delivered. */
  describeAll(ids: readonly string[]): readonly ChatPost[] {
    return ids.map((id) => this.#describe(id as DeltaId)).filter((post) => post !== undefined);
  }

  #row(id: DeltaId) {
    const row = this.#workspace.replica.row(this.#tool, POSTS, id);
    return row && postFromRow(row);
  }

  #find(id: string): DeltaId {
    if (!this.#row(id as DeltaId)) throw new ServiceError('notFound', {});
    return id as DeltaId;
  }

  #describe(id: DeltaId): ChatPost | undefined {
    const post = this.#row(id);
    if (!post) return undefined;
    const self = post.author === this.#workspace.self?.account;
    return {
      id,
      author: post.author,
      authorName: this.#workspace.nameOf(post.author),
      self,
      text: post.text,
      time: post.time,
      edited: post.edited > 0,
      unread: this.#workspace.unread.has(this.#tool, id),
      delivery: !self || this.#workspace.isDelivered(id) ? 'sent' : 'waiting',
    };
  }

  async #author(delta: ChatDelta, call: CallKey | undefined): Promise<DeltaId> {
    const entry = { tool: this.#tool, kind: delta.kind, body: chatBody(delta) };
    const nodes = await this.#workspace.author([entry], call);
    return nodes.at(-1)!.delta.id;
  }
}

function checked(text: string): string {
  const trimmed = text.trimEnd();
  if (trimmed.trim() === '') throw new ServiceError('badName', { reason: 'empty' });
  if (!trimmed.isWellFormed() || toUtf8(trimmed).length > MAX_CHAT_TEXT_BYTES) throw new ServiceError('tooLarge', {});
  return trimmed;
}
