/**
 * What the journal's records hold (L1), in CBOR:
 *
 * | record | form |
 * | --- | --- |
 * | delta | [0, workspace 32, delta bytes], or with a fourth: its place in the order of arrival, where what came before it is in a base |
 * | deltas | [3, workspace 32, [delta bytes …]]: as they arrived, one after the other |
 * | local | [1, key text, value]: the last one of a key counts; null takes it away. Never leaves this device. |
 * | base | [2, workspace 32, root 32, part, parts, bytes, deltas that had arrived]: a part of a base (L6); the last whole one counts, and of those before it the control deltas |
 */
import { fromHex, toHex } from '../base/bytes.ts';
import type { WorkspaceId } from '../base/ids.ts';
import { asArray, asBytes, asCount, asList, asText, decodeInPlace, encode, type Value } from '../protocol/codec.ts';
import { MAX_BASE_PART_BYTES, MAX_BASE_PARTS, MAX_DELTA_BYTES } from '../protocol/limits.ts';
import type { BasePart } from '../sync/base.ts';

export interface DeltaRecord {
  readonly bytes: Uint8Array;
  readonly arrival?: number | undefined;
}

export type Record =
  | ({ readonly kind: 'delta'; readonly workspace: WorkspaceId } & DeltaRecord)
  | { readonly kind: 'deltas'; readonly workspace: WorkspaceId; readonly deltas: readonly Uint8Array[] }
  | { readonly kind: 'local'; readonly key: string; readonly value: Value }
  | { readonly kind: 'base'; readonly workspace: WorkspaceId; readonly part: BasePart; readonly arrivals: number };

/** The deltas of a record that has some: each a part of its bytes. */
export function deltasIn(record: Record): readonly Uint8Array[] {
  if (record.kind === 'delta') return [record.bytes];
  return record.kind === 'deltas' ? record.deltas : [];
}

/** What the journal holds of one workspace, in the order it came. */
export interface KeptLog {
  /** Parts of bases (L6), before all deltas. */
  readonly parts: readonly BasePart[];
  /** How many deltas had arrived when the last part was written. */
  readonly arrivals: number;
  readonly deltas: readonly DeltaRecord[];
}

export const EMPTY_LOG: KeptLog = { parts: [], arrivals: 0, deltas: [] };

const MAX_KEY = 512;
/** Deltas in one record, and their bytes: what one flipped bit may take along. */
const MAX_TOGETHER = 1_000;
const TOGETHER_BYTES = 32 * 1024;

/** Records of deltas that arrived one after the other: as few as may be, for each costs as much again as a small delta. */
export function deltaRecords(workspace: WorkspaceId, deltas: readonly Uint8Array[]): readonly Uint8Array[] {
  const records: Uint8Array[] = [];
  let together: Uint8Array[] = [];
  let bytes = 0;
  const close = (): void => {
    const [first, second] = together;
    if (first && second) records.push(encodeRecord({ kind: 'deltas', workspace, deltas: together }));
    else if (first) records.push(encodeRecord({ kind: 'delta', workspace, bytes: first }));
    [together, bytes] = [[], 0];
  };
  for (const delta of deltas) {
    if (together.length === MAX_TOGETHER || bytes + delta.length > TOGETHER_BYTES) close();
    together.push(delta);
    bytes += delta.length;
  }
  close();
  return records;
}

export function encodeRecord(record: Record): Uint8Array {
  switch (record.kind) {
    case 'delta': {
      const { workspace, bytes, arrival } = record;
      return encode([0, fromHex(workspace)!, bytes, ...(arrival === undefined ? [] : [arrival])]);
    }
    case 'deltas':
      return encode([3, fromHex(record.workspace)!, record.deltas]);
    case 'local':
      return encode([1, record.key, record.value]);
    case 'base': {
      const { root, part, parts, bytes } = record.part;
      return encode([2, fromHex(record.workspace)!, root, part, parts, bytes, record.arrivals]);
    }
  }
}

/** Undefined for a record of a newer Coterie. What it holds is a part of these bytes. */
export function decodeRecord(bytes: Uint8Array): Record | undefined {
  const decoded = decodeInPlace(bytes);
  const f = decoded.ok ? asArray(decoded.value, 3, 7) : undefined;
  if (f?.[0] === 0) return readDeltaRecord(f);
  if (f?.[0] === 2) return readBaseRecord(f);
  if (f?.[0] === 3) return readDeltasRecord(f);
  const key = f?.[0] === 1 && f.length === 3 ? asText(f[1], MAX_KEY) : undefined;
  return key === undefined ? undefined : { kind: 'local', key, value: f![2]! };
}

function readDeltaRecord(f: readonly Value[]): Record | undefined {
  const [workspace, bytes] = [asBytes(f[1], 32), asBytes(f[2], 1, MAX_DELTA_BYTES)];
  const arrival = f[3] === undefined ? undefined : asCount(f[3]);
  if (!workspace || !bytes || f.length > 4 || (f.length === 4 && arrival === undefined)) return undefined;
  return { kind: 'delta', workspace: toHex(workspace) as WorkspaceId, bytes, arrival };
}

function readDeltasRecord(f: readonly Value[]): Record | undefined {
  const workspace = asBytes(f[1], 32);
  const deltas = asList(f[2], MAX_TOGETHER, (bytes) => asBytes(bytes, 1, MAX_DELTA_BYTES));
  if (!workspace || !deltas || f.length !== 3) return undefined;
  return { kind: 'deltas', workspace: toHex(workspace) as WorkspaceId, deltas };
}

function readBaseRecord(f: readonly Value[]): Record | undefined {
  const [workspace, root, part, parts] = [
    asBytes(f[1], 32),
    asBytes(f[2], 32),
    asCount(f[3], MAX_BASE_PARTS),
    asCount(f[4], MAX_BASE_PARTS),
  ];
  const [bytes, arrivals] = [asBytes(f[5], 1, MAX_BASE_PART_BYTES), asCount(f[6])];
  if (!workspace || !root || part === undefined || parts === undefined || !bytes || arrivals === undefined)
    return undefined;
  return { kind: 'base', workspace: toHex(workspace) as WorkspaceId, part: { root, part, parts, bytes }, arrivals };
}
