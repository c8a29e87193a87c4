/** Rows packed as a base has them, in their order. */
import assert from 'node:assert/strict';
import { joinBytes } from '../../src/base/bytes.ts';
import { comparePlaces, encodeRow, PackedRows, type RowRecord } from '../../src/sync/packed-rows.ts';

export function stream(rows: readonly Uint8Array[]): Uint8Array {
  return joinBytes(rows.flatMap((row) => [Uint8Array.of(0, 0, row.length >>> 8, row.length & 255), row]));
}

export function packed(records: readonly RowRecord[]): PackedRows {
  const sorted = records.toSorted(comparePlaces);
  const rows = PackedRows.read(stream(sorted.map((record) => encodeRow(record, record.row))), 0, sorted.length);
  assert.ok(rows);
  return rows;
}
