/** L6: the root is what the rows are, however they came to be it. */
import assert from 'node:assert/strict';
import type { ToolId } from '../../src/base/ids.ts';
import { toHex } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { RowTree } from '../../src/sync/root.ts';
import { Cell } from '../../src/sync/rows.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const crypto = nodeCrypto(seededRandom('root'));
const CHAT = '00000000000000c1' as ToolId;

const cellOf = (key: number, value: string): Cell => new Cell(CHAT, 'posts', String(key), [value]);

function treeOf(cells: readonly Cell[]): RowTree {
  const tree = new RowTree(crypto, (cell) => cell.base);
  for (const cell of cells) tree.touch(cell);
  return tree;
}

describe('L6 the root of the rows', () => {
  it('L6 is another when a row changes, comes or goes, and the same when it is as it was', () => {
    const cells = Array.from({ length: 2_000 }, (_, key) => cellOf(key, `row ${key}`));
    const tree = treeOf(cells);
    const before = toHex(tree.root());
    const roots = new Set([before]);
    for (const key of [0, 7, 1_999]) {
      const cell = cells[key]!;
      const { base } = cell;
      for (const value of [['another'], undefined]) {
        cell.base = value;
        tree.touch(cell);
        const now = toHex(tree.root());
        assert.equal(now, toHex(treeOf(cells.filter((one) => one.base !== undefined)).root()));
        roots.add(now);
      }
      cell.base = base;
      tree.touch(cell);
      assert.equal(toHex(tree.root()), before);
    }
    assert.equal(roots.size, 7);
  });

  it('L6 is the same in whatever order the rows came', () => {
    const cells = Array.from({ length: 500 }, (_, key) => cellOf(key, `row ${key}`));
    assert.deepEqual(treeOf(cells).root(), treeOf(cells.toReversed()).root());
  });
});
