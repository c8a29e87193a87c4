/** Canonical rows on their way into the index (L1): which statements a changed row becomes. Branches by tool kind, nothing else. */
import type { WorkspaceId } from '../base/ids.ts';
import type { RowChange } from '../sync/fold.ts';
import { chatQueries, chatSchema, POSTS, postFromRow } from '../tools/chat/rows.ts';
import { filesQueries, filesSchema, ITEMS, itemFromRow } from '../tools/files/rows.ts';
import type { SqlValue } from './ports.ts';

export const indexSchema: readonly string[] = [...chatSchema, ...filesSchema];

interface Statement {
  readonly sql: string;
  readonly args: SqlValue[];
}

export function statementsOf(workspace: WorkspaceId, change: RowChange): readonly Statement[] {
  if (change.table === POSTS) return [chatStatement(workspace, change)];
  return change.table === ITEMS ? [filesStatement(workspace, change)] : [];
}

function chatStatement(workspace: WorkspaceId, { tool, key, row }: RowChange): Statement {
  if (!row) return { sql: chatQueries.drop, args: [tool, key] };
  const post = postFromRow(row);
  return {
    sql: chatQueries.put,
    args: [workspace, tool, key, post.height, post.author, post.text, post.time, post.edited],
  };
}

function filesStatement(workspace: WorkspaceId, { tool, key, row }: RowChange): Statement {
  if (!row) return { sql: filesQueries.drop, args: [tool, key] };
  return { sql: filesQueries.put, args: [workspace, tool, key, itemFromRow(row).parent ?? ''] };
}
