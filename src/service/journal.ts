/** The journal as a whole (L1, `records.ts`): read when the service opens, and written anew where that is worth it. */
import { toHex } from '../base/bytes.ts';
import type { WorkspaceId } from '../base/ids.ts';
import { MAX_BASE_PART_BYTES, MAX_BASE_PLACE_BYTES } from '../protocol/limits.ts';
import type { BasePart } from '../sync/base.ts';
import type { Engine } from '../sync/engine.ts';
import { NOTHING_KEPT, type LogStore, type ReplayReport } from '../sync/ports.ts';
import type { LocalState } from './local-state.ts';
import { decodeRecord, encodeRecord, type DeltaRecord, type KeptLog } from './records.ts';
import type { Workspaces } from './workspaces.ts';

export interface JournalContent {
  readonly logs: ReadonlyMap<WorkspaceId, KeptLog>;
  readonly report: ReplayReport;
}

/** What only this device knows goes into `local`. Throws StoreError. */
export async function readJournal(log: LogStore, local: LocalState): Promise<JournalContent> {
  const logs = new Map<WorkspaceId, { parts: BasePart[]; places: Places; arrivals: number; deltas: DeltaRecord[] }>();
  const report = await log.replay((bytes) => {
    const record = decodeRecord(bytes);
    if (record?.kind === 'local') local.load(record.key, record.value);
    if (!record || record.kind === 'local') return undefined;
    const own = logs.get(record.workspace) ?? { parts: [], places: new Places(), arrivals: 0, deltas: [] };
    logs.set(record.workspace, own);
    if (record.kind === 'delta') {
      own.deltas.push(record);
      return undefined;
    }
    if (record.kind === 'deltas') {
      for (const bytes of record.deltas) own.deltas.push({ bytes });
      return undefined;
    }
    const placed = own.places.put(record.part);
    own.parts.push(placed);
    own.arrivals = record.arrivals;
    return placed === record.part ? undefined : NOTHING_KEPT;
  });
  return { logs, report };
}

/** Of bases that came at once: what belongs to another one is joined as it is. */
const MAX_PLACES = 4;

/** Of the bases of a workspace: parts of two may have come in turns. */
class Places {
  readonly #byRoot = new Map<string, Place>();

  put(part: BasePart): BasePart {
    const root = toHex(part.root);
    const place = this.#byRoot.get(root) ?? new Place();
    this.#byRoot.set(root, place);
    for (const oldest of this.#byRoot.keys()) {
      if (this.#byRoot.size <= MAX_PLACES) break;
      this.#byRoot.delete(oldest);
    }
    const placed = place.put(part);
    // It may stand there once more, from its beginning.
    if (part.part === part.parts - 1) this.#byRoot.delete(root);
    return placed;
  }
}

/** Puts the parts of a base where they belong in its stream as they are read: they need not be there twice to be joined. */
class Place {
  #stream: Uint8Array | undefined;

  put(part: BasePart): BasePart {
    const { part: number, parts, bytes } = part;
    const length = parts * MAX_BASE_PART_BYTES;
    // Memory that nothing was written to yet costs nothing.
    if (number === 0) this.#stream = length > MAX_BASE_PLACE_BYTES ? undefined : new Uint8Array(length);
    const at = number * MAX_BASE_PART_BYTES;
    if (this.#stream?.length !== length || at + bytes.length > length) return part;
    this.#stream.set(bytes, at);
    return { ...part, root: part.root.slice(), bytes: this.#stream.subarray(at, at + bytes.length) };
  }
}

/** The whole content, anew: what counts, in the order it came, without what is folded (L4). Throws StoreError. */
export async function compactJournal(log: LogStore, local: LocalState, workspaces: Workspaces): Promise<void> {
  await log.compact(whatCounts(local, workspaces));
}

function* whatCounts(local: LocalState, workspaces: Workspaces): Generator<Uint8Array> {
  yield* local.all();
  for (const { workspace } of workspaces) yield* recordsOf(workspace.engine);
  yield* workspaces.founding;
}

/**
 * The base where something is folded, what is here of another that is on its way, what came after the one, and what of this device's own waits for its
 * past. Whoever gives a base does not send again what is here, and its last part is worth nothing without the first.
 */
export function* recordsOf({ replica, partsHere }: Pick<Engine, 'replica' | 'partsHere'>): Generator<Uint8Array> {
  const { workspace, arrivals } = replica;
  if (replica.base.isThere) {
    const { root, parts } = replica.base.parts();
    for (const [part, bytes] of parts.entries())
      yield encodeRecord({ kind: 'base', workspace, part: { root, part, parts: parts.length, bytes }, arrivals });
  }
  for (const part of partsHere) yield encodeRecord({ kind: 'base', workspace, part, arrivals });
  for (const { delta, arrival } of replica.tail())
    yield encodeRecord({ kind: 'delta', workspace, bytes: delta.bytes, arrival });
  for (const { bytes } of replica.ownWaiting()) yield encodeRecord({ kind: 'delta', workspace, bytes });
}
