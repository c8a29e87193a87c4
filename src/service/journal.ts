/** The journal as a whole (L1, `records.ts`): read when the service opens, and written anew where that is worth it. */
import type { WorkspaceId } from '../base/ids.ts';
import type { LogStore, ReplayReport } from '../sync/ports.ts';
import type { LocalState } from './local-state.ts';
import { decodeRecord, encodeRecord } from './records.ts';
import type { Workspaces } from './workspaces.ts';

export interface JournalContent {
  /** In the order they came. */
  readonly deltas: ReadonlyMap<WorkspaceId, readonly Uint8Array[]>;
  readonly report: ReplayReport;
}

/** What only this device knows goes into `local`. Throws StoreError. */
export async function readJournal(log: LogStore, local: LocalState): Promise<JournalContent> {
  const deltas = new Map<WorkspaceId, Uint8Array[]>();
  const report = await log.replay((bytes) => {
    const record = decodeRecord(bytes);
    if (record?.kind === 'local') local.load(record.key, record.value);
    if (record?.kind !== 'delta') return;
    const own = deltas.get(record.workspace);
    if (own) own.push(record.bytes);
    else deltas.set(record.workspace, [record.bytes]);
  });
  return { deltas, report };
}

/** The whole content, anew: what counts, in the order it came. Throws StoreError. */
export async function compactJournal(log: LogStore, local: LocalState, workspaces: Workspaces): Promise<void> {
  await log.compact(whatCounts(local, workspaces));
}

function* whatCounts(local: LocalState, workspaces: Workspaces): Generator<Uint8Array> {
  yield* local.all();
  for (const { workspace } of workspaces) {
    for (const { delta } of workspace.replica.nodes()) {
      yield encodeRecord({ kind: 'delta', workspace: workspace.id, bytes: delta.bytes });
    }
  }
}
