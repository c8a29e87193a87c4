/** Which items of a workspace what others write makes unread (`unread.ts` keeps them), and which are gone and cannot be read any more. */
import type { AccountId, DeltaId, ToolId } from '../base/ids.ts';
import type { Value } from '../protocol/codec.ts';
import type { RowChange } from '../sync/fold.ts';
import type { Node } from '../sync/graph.ts';
import type { Replica } from '../sync/replica.ts';
import { isChatKind } from '../tools/chat/deltas.ts';
import { POSTS } from '../tools/chat/rows.ts';
import { readFilesDelta } from '../tools/files/deltas.ts';
import { ITEMS, itemFromRow, VERSIONS, versionFromRow } from '../tools/files/rows.ts';
import type { FileTree } from './file-tree.ts';
import type { Unread } from './unread.ts';

export class UnreadItems {
  readonly #unread: Unread;
  readonly #account: AccountId;
  readonly #replicaNow: () => Replica;
  readonly #tree: (tool: ToolId) => FileTree;

  constructor(unread: Unread, account: AccountId, replica: () => Replica, tree: (tool: ToolId) => FileTree) {
    this.#unread = unread;
    this.#account = account;
    this.#replicaNow = replica;
    this.#tree = tree;
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  restore(): void {
    this.#unread.restore((tool, item) => this.#isThere(tool, item));
    for (const node of this.#replica.nodes()) this.note(node);
  }

  /** A delta has come in. */
  note(node: Node): void {
    const { delta, arrival } = node;
    if (delta.tool === undefined || this.#replica.people.accountOf(delta.device) === this.#account) return;
    const item = this.#itemMadeUnreadBy(node);
    if (item === undefined || !this.#isThere(delta.tool, item)) return;
    // What a delta has made is there only where it counts; what it has changed is there anyway.
    if (item === delta.id || this.#replica.verdictOf(delta.id) === 'accepted')
      this.#unread.note(delta.tool, item, arrival);
  }

  /** It leaves the log (L4). */
  keep(node: Node): void {
    const item = this.#itemMadeUnreadBy(node);
    if (item !== undefined) this.#unread.keep(node.delta.tool!, item);
  }

  /** Of rows that have changed those that are gone. */
  forget(tool: ToolId, changes: readonly RowChange[]): void {
    for (const { table, key, row } of changes)
      if (table === POSTS ? row === undefined : table === ITEMS && !this.#isThere(tool, key))
        this.#unread.forget(tool, key);
  }

  #itemMadeUnreadBy({ delta }: Node): string | undefined {
    return unreadItem(delta.kind, delta.body, delta.id, (version) => this.#itemOf(delta.tool!, version));
  }

  /** What is gone cannot be read, nor be unread. */
  #isThere(tool: ToolId, item: string): boolean {
    if (this.#replica.fold.row(tool, POSTS, item)) return true;
    const row = this.#replica.fold.row(tool, ITEMS, item);
    return row !== undefined && itemFromRow(row).heads.some((head) => this.#tree(tool).version(head)?.live === true);
  }

  #itemOf(tool: ToolId, version: DeltaId): string | undefined {
    const row = this.#replica.fold.row(tool, VERSIONS, version);
    return row && versionFromRow(row).item;
  }
}

/** The item that an accepted delta makes unread; undefined where it makes none. */
function unreadItem(
  kind: string,
  body: Value,
  id: DeltaId,
  itemOf: (version: DeltaId) => string | undefined,
): string | undefined {
  if (isChatKind(kind)) return kind === 'post' ? id : undefined;
  const files = readFilesDelta(kind, body);
  if (files?.kind === 'file') return id;
  return files?.kind === 'ver' ? itemOf(files.parents[0]!) : undefined;
}
