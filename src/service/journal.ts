/** The journal as a whole (L1, `records.ts`): read when the service opens, and written anew where that is worth it. */
import type { WorkspaceId } from '../base/ids.ts';
import type { BasePart } from '../sync/base.ts';
import type { LogStore, ReplayReport } from '../sync/ports.ts';
import type { Replica } from '../sync/replica.ts';
import type { LocalState } from './local-state.ts';
import { decodeRecord, encodeRecord, type DeltaRecord, type KeptLog } from './records.ts';
import type { Workspaces } from './workspaces.ts';

export interface JournalContent {
  readonly logs: ReadonlyMap<WorkspaceId, KeptLog>;
  readonly report: ReplayReport;
}

/** What only this device knows goes into `local`. Throws StoreError. */
export async function readJournal(log: LogStore, local: LocalState): Promise<JournalContent> {
  const logs = new Map<WorkspaceId, { parts: BasePart[]; arrivals: number; deltas: DeltaRecord[] }>();
  const report = await log.replay((bytes) => {
    const record = decodeRecord(bytes);
    if (record?.kind === 'local') local.load(record.key, record.value);
    if (!record || record.kind === 'local') return;
    const own = logs.get(record.workspace) ?? { parts: [], arrivals: 0, deltas: [] };
    logs.set(record.workspace, own);
    if (record.kind === 'delta') return void own.deltas.push(record);
    if (record.kind === 'deltas') {
      for (const bytes of record.deltas) own.deltas.push({ bytes });
      return;
    }
    own.parts.push(record.part);
    own.arrivals = record.arrivals;
  });
  return { logs, report };
}

/** The whole content, anew: what counts, in the order it came, without what is folded (L4). Throws StoreError. */
export async function compactJournal(log: LogStore, local: LocalState, workspaces: Workspaces): Promise<void> {
  await log.compact(whatCounts(local, workspaces));
}

function* whatCounts(local: LocalState, workspaces: Workspaces): Generator<Uint8Array> {
  yield* local.all();
  for (const { workspace } of workspaces) yield* recordsOf(workspace.replica);
}

/** The base where something is folded, and what came after it. */
export function* recordsOf(replica: Replica): Generator<Uint8Array> {
  const { workspace, arrivals } = replica;
  if (replica.hasBase) {
    const { root, parts } = replica.base();
    for (const [part, bytes] of parts.entries())
      yield encodeRecord({ kind: 'base', workspace, part: { root, part, parts: parts.length, bytes }, arrivals });
  }
  for (const { delta, arrival } of replica.tail())
    yield encodeRecord({ kind: 'delta', workspace, bytes: delta.bytes, arrival });
}
