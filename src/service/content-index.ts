/**
 * What is asked of rows by anything but their keys (L1): which items a folder has, which posts come before one. Disposable: it is made of
 * the rows, or taken up from an image and brought up to date. Branches by table, nothing else; what the tables are is the tools'.
 */
import { fromHex, toHex } from '../base/bytes.ts';
import type { DeltaId, ToolId, WorkspaceId } from '../base/ids.ts';
import type { RowChange } from '../sync/fold.ts';
import { chatQueries, chatSchema, DROP_AT_ONCE, heightOfPost, POSTS, PUT_AT_ONCE } from '../tools/chat/rows.ts';
import type { FolderId } from '../tools/files/deltas.ts';
import { filesQueries, filesSchema, ITEMS, parentInRow } from '../tools/files/rows.ts';
import type { Index, SqlValue } from './ports.ts';

/** Tools have numbers here: two workspaces may have a tool of the same id, and members choose ids. */
const scopesSchema = [
  'create table scopes (scope integer primary key, workspace text, tool text, unique (workspace, tool))',
];
const schema: readonly string[] = [...scopesSchema, ...chatSchema, ...filesSchema];

/** An image is of use to who has the same tables. */
export const INDEX_FORM = schema.join('\n');

const ROOT = new Uint8Array(0);

interface Statement {
  readonly sql: string;
  readonly args: SqlValue[];
}

interface Scope {
  readonly scope: number;
  readonly workspace: string;
  readonly tool: string;
}

export class ContentIndex {
  readonly #index: Index;
  readonly #scopes = new Map<string, number>();

  constructor(index: Index) {
    this.#index = index;
    index.define(schema);
  }

  apply(workspace: WorkspaceId, changes: readonly RowChange[]): void {
    // As long as they wait to be worked in they are the changes, which are there anyway.
    const indexed = changes.filter(({ table }) => table === POSTS || table === ITEMS);
    if (indexed.length === 0) return;
    const tools = new Set(indexed.map(({ tool }) => tool));
    const scoped = new Map([...tools].map((tool) => [tool, this.#scopeOf(workspace, tool)]));
    this.#index.apply({
      length: indexed.length,
      *[Symbol.iterator]() {
        for (const [tool, scope] of scoped) {
          const own = scoped.size === 1 ? indexed : indexed.filter((change) => change.tool === tool);
          yield* postStatements(scope, own);
          for (const change of own) if (change.table === ITEMS) yield itemStatement(scope, change);
        }
      },
    });
  }

  /** Nothing of it any more. */
  forget(workspace: WorkspaceId): void {
    for (const [name, scope] of this.#scopes) {
      if (!name.startsWith(workspace)) continue;
      const args = [scope];
      this.#index.apply([filesQueries.clear, chatQueries.clear].map((sql) => ({ sql, args })));
    }
  }

  /** Of items, whatever has become of them. */
  children(workspace: WorkspaceId, tool: ToolId, folder: FolderId): readonly DeltaId[] {
    const parent = folder === undefined ? ROOT : fromHex(folder)!;
    return this.#ids(filesQueries.children, [this.#scopeOf(workspace, tool), parent]);
  }

  /** Posts, the newest first. */
  newest(workspace: WorkspaceId, tool: ToolId, limit: number): readonly DeltaId[] {
    return this.#ids(chatQueries.newest, [this.#scopeOf(workspace, tool), limit]);
  }

  /** Posts before one, the newest first. */
  before(
    workspace: WorkspaceId,
    tool: ToolId,
    post: { readonly id: DeltaId; readonly height: number },
    limit: number,
  ): readonly DeltaId[] {
    const { id, height } = post;
    return this.#ids(chatQueries.before, [this.#scopeOf(workspace, tool), height, fromHex(id)!, limit]);
  }

  #ids(sql: string, args: SqlValue[]): readonly DeltaId[] {
    return this.#index.query<{ id: Uint8Array }>(sql, args).map(({ id }) => toHex(id) as DeltaId);
  }

  #scopeOf(workspace: WorkspaceId, tool: ToolId): number {
    const name = `${workspace}/${tool}`;
    const known = this.#scopes.get(name);
    if (known !== undefined) return known;
    const scope = this.#scopes.size + 1;
    this.#scopes.set(name, scope);
    this.#index.apply([{ sql: 'insert into scopes values (?, ?, ?)', args: [scope, workspace, tool] }]);
    return scope;
  }

  // ---- as a whole -------------------------------------------------------------------------------------------------------

  image(): Uint8Array {
    return this.#index.image();
  }

  /** An image that was made here, of the same form. False where it cannot be used after all: then this is empty. */
  takeUp(image: Uint8Array): boolean {
    this.#scopes.clear();
    try {
      this.#index.takeUp(image);
      const scopes = this.#index.query<Scope>('select scope, workspace, tool from scopes', []);
      for (const { scope, workspace, tool } of scopes) this.#scopes.set(`${workspace}/${tool}`, scope);
      return true;
    } catch {
      this.#index.takeUp(undefined);
      this.#index.define(schema);
      return false;
    }
  }

  /** Of which workspaces it has something. */
  get workspaces(): ReadonlySet<WorkspaceId> {
    return new Set([...this.#scopes.keys()].map((name) => name.split('/')[0] as WorkspaceId));
  }
}

/** Each post is in the changes once. */
function* postStatements(scope: number, changes: readonly RowChange[]): Generator<Statement> {
  const [put, dropped]: [SqlValue[][], Uint8Array[]] = [[], []];
  for (const { table, key, row } of changes) {
    if (table !== POSTS) continue;
    if (row) put.push([scope, heightOfPost(row), fromHex(key)!]);
    else dropped.push(fromHex(key)!);
  }
  let at = 0;
  for (; at + PUT_AT_ONCE <= put.length; at += PUT_AT_ONCE)
    yield { sql: chatQueries.putMany, args: put.slice(at, at + PUT_AT_ONCE).flat() };
  for (const args of put.slice(at)) yield { sql: chatQueries.put, args };
  for (at = 0; at < dropped.length; at += DROP_AT_ONCE) {
    const ids = dropped.slice(at, at + DROP_AT_ONCE);
    const again = Array.from({ length: DROP_AT_ONCE - ids.length }, () => ids[0]!);
    yield { sql: chatQueries.drop, args: [scope, ...ids, ...again] };
  }
}

function itemStatement(scope: number, { key, row }: RowChange): Statement {
  const id = fromHex(key)!;
  if (!row) return { sql: filesQueries.drop, args: [scope, id] };
  return { sql: filesQueries.put, args: [scope, id, parentInRow(row)] };
}
