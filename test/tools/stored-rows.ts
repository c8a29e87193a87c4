import type { ToolId } from '../../src/base/ids.ts';
import type { PlacedRow } from '../../src/sync/reducer.ts';
import type { Replica } from '../../src/sync/replica.ts';

/** The rows that a replica holds of one tool. */
export function rowsOf(replica: Replica, tool: ToolId): readonly PlacedRow[] {
  return [...replica.fold.rows()].flatMap((change) =>
    change.tool === tool && change.row ? [{ table: change.table, key: change.key, row: change.row }] : [],
  );
}
