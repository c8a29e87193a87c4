/**
 * What the journal's records hold (L1), in CBOR:
 *
 * | record | form |
 * | --- | --- |
 * | delta | [0, workspace 32, delta bytes], or with a fourth: its place in the order of arrival, where what came before it is in a base |
 * | local | [1, key text, value]: the last one of a key counts; null takes it away. Never leaves this device. |
 * | base | [2, workspace 32, root 32, part, parts, bytes, deltas that had arrived]: a part of a base (L6); the last whole one counts |
 */
import { fromHex, toHex } from '../base/bytes.ts';
import type { WorkspaceId } from '../base/ids.ts';
import { asArray, asBytes, asCount, asText, decodeInPlace, encode, type Value } from '../protocol/codec.ts';
import { MAX_BASE_PART_BYTES, MAX_BASE_PARTS, MAX_DELTA_BYTES } from '../protocol/limits.ts';
import type { BasePart } from '../sync/base.ts';

export interface DeltaRecord {
  readonly bytes: Uint8Array;
  readonly arrival?: number | undefined;
}

export type Record =
  | ({ readonly kind: 'delta'; readonly workspace: WorkspaceId } & DeltaRecord)
  | { readonly kind: 'local'; readonly key: string; readonly value: Value }
  | { readonly kind: 'base'; readonly workspace: WorkspaceId; readonly part: BasePart; readonly arrivals: number };

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

export function encodeRecord(record: Record): Uint8Array {
  switch (record.kind) {
    case 'delta': {
      const { workspace, bytes, arrival } = record;
      return encode([0, fromHex(workspace)!, bytes, ...(arrival === undefined ? [] : [arrival])]);
    }
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
  const key = f?.[0] === 1 && f.length === 3 ? asText(f[1], MAX_KEY) : undefined;
  return key === undefined ? undefined : { kind: 'local', key, value: f![2]! };
}

function readDeltaRecord(f: readonly Value[]): Record | undefined {
  const [workspace, bytes] = [asBytes(f[1], 32), asBytes(f[2], 1, MAX_DELTA_BYTES)];
  const arrival = f[3] === undefined ? undefined : asCount(f[3]);
  if (!workspace || !bytes || f.length > 4 || (f.length === 4 && arrival === undefined)) return undefined;
  return { kind: 'delta', workspace: toHex(workspace) as WorkspaceId, bytes, arrival };
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
