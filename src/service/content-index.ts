/**
 * What is asked of rows by anything but their keys (L1): which items a folder has, which posts come before one. Disposable: it is made of
 * the rows, or taken up from an image and brought up to date. Branches by table, nothing else; what the tables are is the tools'.
 */
import { fromHex, toHex } from '../base/bytes.ts';
import type { DeltaId, ToolId, WorkspaceId } from '../base/ids.ts';
import type { RowChange } from '../sync/fold.ts';
import { chatQueries, chatSchema, POSTS, postFromRow } from '../tools/chat/rows.ts';
import type { FolderId } from '../tools/files/deltas.ts';
import { filesQueries, filesSchema, ITEMS, itemFromRow } from '../tools/files/rows.ts';
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
    const statements: Statement[] = [];
    for (const change of changes) {
      if (change.table === POSTS) statements.push(postStatement(this.#scopeOf(workspace, change.tool), change));
      else if (change.table === ITEMS) statements.push(itemStatement(this.#scopeOf(workspace, change.tool), change));
    }
    this.#index.apply(statements);
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

function postStatement(scope: number, { key, row }: RowChange): Statement {
  const id = fromHex(key)!;
  return row
    ? { sql: chatQueries.put, args: [scope, id, postFromRow(row).height] }
    : { sql: chatQueries.drop, args: [scope, id] };
}

function itemStatement(scope: number, { key, row }: RowChange): Statement {
  const id = fromHex(key)!;
  if (!row) return { sql: filesQueries.drop, args: [scope, id] };
  const { parent } = itemFromRow(row);
  return { sql: filesQueries.put, args: [scope, id, parent === undefined ? ROOT : fromHex(parent)!] };
}
