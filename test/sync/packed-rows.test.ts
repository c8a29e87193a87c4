/** L6: rows as they stand in a base, found without being read. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ToolId } from '../../src/base/ids.ts';
import { encode } from '../../src/protocol/codec.ts';
import { comparePlaces, encodeRow, leafOf, LEAVES, PackedRows, type RowRecord } from '../../src/sync/packed-rows.ts';
import { packed, stream } from './packed.ts';

const TOOLS = ['00000000000000c1', '00000000000000f2'] as string[] as ToolId[];

const record: fc.Arbitrary<RowRecord> = fc.record(
  {
    tool: fc.constantFrom(...TOOLS),
    table: fc.constantFrom('items', 'versions', 'a table with a name longer than that'),
    key: fc.stringMatching(/^[ -~]{0,40}$/),
    row: fc.array(fc.oneof(fc.nat(), fc.string(), fc.boolean()), { maxLength: 4 }),
  },
  { noNullPrototype: true },
);

const nameOf = ({ tool, table, key }: RowRecord): string => `${tool}/${table}/${key}`;

describe('L6 packed rows', () => {
  it('L6 each is found under its name, and nothing else is', () => {
    fc.assert(
      fc.property(fc.uniqueArray(record, { selector: nameOf, maxLength: 60 }), record, (records, other) => {
        const rows = packed(records);
        assert.equal(rows.size, records.length);
        for (const one of records) assert.deepEqual(rows.row(one), one.row);
        const isThere = records.some((one) => nameOf(one) === nameOf(other));
        assert.equal(rows.row(other) !== undefined, isThere);
        const sorted = records.toSorted(comparePlaces);
        assert.deepEqual(
          sorted.map((_, n) => rows.at(n)),
          sorted,
        );
        for (const [n, one] of sorted.entries()) assert.ok(rows.inLeaf(leafOf(one)).includes(n));
        const byTool = [...rows.tools()].flatMap(({ tool, first, end }) => sorted.slice(first, end).map(() => tool));
        assert.deepEqual(
          byTool,
          sorted.map(({ tool }) => tool),
        );
        assert.deepEqual(
          [...rows.inTables(other.table)],
          sorted.filter(({ table }) => table === other.table),
        );
      }),
    );
  });

  it('L6 a leaf has its rows and no others', () => {
    const records = Array.from({ length: 500 }, (_, n) => ({ tool: TOOLS[0]!, table: 'posts', key: `${n}`, row: [n] }));
    const rows = packed(records);
    let count = 0;
    for (let leaf = 0; leaf < LEAVES; leaf++) {
      for (const n of rows.inLeaf(leaf)) assert.equal(leafOf(rows.placeOf(n)), leaf);
      count += rows.inLeaf(leaf).length;
    }
    assert.equal(count, 500);
  });

  it('L6 what is out of order, twice there, not ASCII, cut short or longer than it says is refused', () => {
    const row = (key: string, table = 'posts', tool = TOOLS[0]!) => encodeRow({ tool, table, key }, [1]);
    const read = (rows: readonly Uint8Array[], count = rows.length) => PackedRows.read(stream(rows), 0, count);
    assert.ok(read([row('a'), row('b'), row('a', 'tables'), row('a', 'a', TOOLS[1])]));
    for (const rows of [
      [row('b'), row('a')],
      [row('a'), row('a')],
      [row('a', 'tables'), row('a', 'posts')],
      [row('a', 'posts', TOOLS[1]), row('a')],
      [row('a'), row('b', 'tables'), row('c')],
      [row('\u00e4')],
      [row('a'), row('\u00e4')],
      [row('a', 't\u00e4')],
      [row('a'.repeat(257))],
      [encode([])],
      [encode(['0000000000000000', 'posts', 'a', []])],
    ])
      assert.equal(read(rows), undefined);
    const two = [row('a'), row('b')];
    for (const count of [0, 1, 3, 2 ** 31]) assert.equal(read(two, count), undefined);
    const bytes = stream(two);
    for (let length = 0; length < bytes.length; length++)
      assert.equal(PackedRows.read(bytes.subarray(0, length), 0, 2), undefined);
  });

  it('L6 whatever bytes come: an answer or none, never an exception', () => {
    const sound = stream([encodeRow({ tool: TOOLS[0]!, table: 'posts', key: 'ab' }, ['x', 7])]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
        const bytes = sound.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        const rows = PackedRows.read(bytes, 0, 1);
        rows?.at(0);
      }),
    );
  });
});
