/** L1: what the journal is given of deltas that came together. */
import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.ts';
import type { WorkspaceId } from '../../src/base/ids.ts';
import { decodeRecord, deltaRecords, deltasIn } from '../../src/service/records.ts';

const WORKSPACE = '11'.repeat(32) as WorkspaceId;

describe('L1 records of deltas', () => {
  it('L1 all of them, in their order, few records, none of them long', () => {
    for (const lengths of [
      [],
      [1],
      [300, 300],
      Array.from({ length: 2_500 }, (_, n) => 1 + (n % 7)),
      [40_000, 1, 40_000, 9],
    ]) {
      const deltas = lengths.map((length, n) => new Uint8Array(length).fill(n));
      const records = deltaRecords(WORKSPACE, deltas);
      const read = records.map((bytes) => decodeRecord(bytes)!);
      assert.deepEqual(read.flatMap(deltasIn).map(toHex), deltas.map(toHex));
      for (const record of read) assert.ok(record.kind !== 'local' && record.workspace === WORKSPACE);
      const bytes = lengths.reduce((sum, length) => sum + length, 0);
      assert.ok(records.length <= 2 * Math.ceil(bytes / 32_768) + Math.ceil(lengths.length / 1_000));
      for (const [i, record] of read.entries())
        assert.ok(deltasIn(record).length === 1 || records[i]!.length < 40_000, `${records[i]!.length} bytes`);
    }
  });
});
