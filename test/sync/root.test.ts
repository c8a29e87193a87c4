/** L6: the root is what the rows are, however they came to be it. */
import assert from 'node:assert/strict';
import type { ToolId } from '../../src/base/ids.ts';
import { toHex } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { RowTree } from '../../src/sync/root.ts';
import { Rows } from '../../src/sync/rows.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { packed } from './packed.ts';

const crypto = nodeCrypto(seededRandom('root'));
const CHAT = '00000000000000c1' as ToolId;

type Values = ReadonlyMap<number, string>;

const numbered = (count: number): Map<number, string> =>
  new Map(Array.from({ length: count }, (_, key) => [key, `row ${key}`]));

function put(rows: Rows, tree: RowTree | undefined, key: number, value: string | undefined): void {
  const cell = rows.cell(CHAT, 'posts', String(key));
  cell.base = value === undefined ? undefined : [value];
  tree?.touch(cell);
}

/** Of rows that all have cells, put in the order of the map. */
function rootOf(values: Values): string {
  const rows = new Rows();
  for (const [key, value] of values) put(rows, undefined, key, value);
  return toHex(new RowTree(crypto, rows, (cell) => cell.base).root());
}

function pack(values: Values) {
  return packed([...values].map(([key, value]) => ({ tool: CHAT, table: 'posts', key: String(key), row: [value] })));
}

describe('L6 the root of the rows', () => {
  it('L6 is another when a row changes, comes or goes, and the same when it is as it was', () => {
    const values = numbered(2_000);
    const rows = new Rows();
    for (const [key, value] of values) put(rows, undefined, key, value);
    const tree = new RowTree(crypto, rows, (cell) => cell.base);
    const before = toHex(tree.root());
    const roots = new Set([before]);
    for (const key of [0, 7, 1_999]) {
      for (const value of ['another', undefined]) {
        put(rows, tree, key, value);
        const now = toHex(tree.root());
        const expected = new Map(values);
        if (value === undefined) expected.delete(key);
        else expected.set(key, value);
        assert.equal(now, rootOf(expected));
        roots.add(now);
      }
      put(rows, tree, key, values.get(key));
      assert.equal(toHex(tree.root()), before);
    }
    assert.equal(roots.size, 7);
  });

  it('L6 is the same in whatever order the rows came', () => {
    const values = numbered(500);
    assert.equal(rootOf(values), rootOf(new Map([...values].reverse())));
  });

  it('L6 is the same whether rows are packed or have cells, and after they are packed anew', () => {
    const values = numbered(400);
    const rows = new Rows();
    rows.load(pack(values));
    const tree = new RowTree(crypto, rows, (cell) => cell.base);
    assert.equal(toHex(tree.root()), rootOf(values));
    for (let round = 0; round < 3; round++) {
      for (let step = 0; step < 60; step++) {
        const key = (step * 37 + round * 11) % 450;
        const value = step % 3 === 0 ? undefined : `round ${round}, step ${step}`;
        put(rows, tree, key, value);
        if (value === undefined) values.delete(key);
        else values.set(key, value);
        // Read, and left as it was.
        rows.cell(CHAT, 'posts', String((key + 1) % 450));
      }
      if (round < 2) assert.equal(toHex(tree.root()), rootOf(values));
      const anew = packed(
        [...values].map(([key, value]) => ({ tool: CHAT, table: 'posts', key: String(key), row: [value] })),
      );
      assert.deepEqual(
        [...rows.encodedBase()].map(toHex),
        Array.from({ length: anew.size }, (_, n) => toHex(anew.encoded(n))),
      );
      rows.repack(anew);
      tree.repacked();
      assert.equal([...rows.cells()].length, 0, 'the pack says it all');
      assert.equal(toHex(tree.root()), rootOf(values));
    }
  });
});
