/**
 * What the journal's records hold (L1), in CBOR:
 *
 * | record | form |
 * | --- | --- |
 * | delta | [0, workspace 32, delta bytes] |
 * | local | [1, key text, value]: the last one of a key counts; null takes it away. Never leaves this device. |
 */
import { fromHex, toHex } from '../base/bytes.ts';
import type { WorkspaceId } from '../base/ids.ts';
import { asArray, asBytes, asText, decode, encode, type Value } from '../protocol/codec.ts';
import { MAX_DELTA_BYTES } from '../protocol/limits.ts';

export type Record =
  | { readonly kind: 'delta'; readonly workspace: WorkspaceId; readonly bytes: Uint8Array }
  | { readonly kind: 'local'; readonly key: string; readonly value: Value };

const MAX_KEY = 512;

export function encodeRecord(record: Record): Uint8Array {
  return record.kind === 'delta'
    ? encode([0, fromHex(record.workspace)!, record.bytes])
    : encode([1, record.key, record.value]);
}

/** Undefined for a record of a newer Coterie. */
export function decodeRecord(bytes: Uint8Array): Record | undefined {
  const decoded = decode(bytes);
  const f = decoded.ok ? asArray(decoded.value, 3) : undefined;
  if (f?.[0] === 0) {
    const [workspace, delta] = [asBytes(f[1], 32), asBytes(f[2], 1, MAX_DELTA_BYTES)];
    return workspace && delta && { kind: 'delta', workspace: toHex(workspace) as WorkspaceId, bytes: delta };
  }
  const key = f?.[0] === 1 ? asText(f[1], MAX_KEY) : undefined;
  return key === undefined ? undefined : { kind: 'local', key, value: f![2]! };
}
