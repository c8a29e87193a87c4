import assert from 'node:assert/strict';
import type { DeltaId, ToolId } from '../../src/base/ids.ts';
import { Fold, type Judged } from '../../src/sync/fold.ts';
import type { Node } from '../../src/sync/graph.ts';
import type { Row, Transaction } from '../../src/sync/reducer.ts';

const TOOL = '0000000000000001' as ToolId;

/** What the fold looks at in a node: its place, its tool, and here the text it appends. */
function node(height: number, text: string): Node {
  return { height, delta: { id: text as DeltaId, tool: TOOL, kind: text } } as unknown as Node;
}

function appending(refused: ReadonlySet<string> = new Set()): Fold {
  return new Fold(({ delta }: Node, transaction: Transaction): Judged => {
    if (refused.has(delta.kind)) return { verdict: 'notPermitted' };
    for (const part of [delta.kind, '.']) {
      const before = (transaction.get('t', 'k')?.[0] as string | undefined) ?? '';
      transaction.put('t', 'k', [before + part]);
    }
    return { verdict: 'applied' };
  });
}

const held = (fold: Fold): Row | undefined => fold.row(TOOL, 't', 'k');

describe('L5 the fold', () => {
  it('L5 what comes late takes its place, and what stands behind it is done again', () => {
    const fold = appending();
    fold.insertAll([node(3, 'c')]);
    fold.insertAll([node(5, 'e'), node(1, 'a')]);
    fold.insertAll([node(4, 'd'), node(2, 'b')]);
    assert.deepEqual(held(fold), ['a.b.c.d.e.']);
  });

  it('L5 at one height the id decides', () => {
    const fold = appending();
    for (const text of ['z', 'm', 'a']) fold.insertAll([node(1, text)]);
    assert.deepEqual(held(fold), ['a.m.z.']);
  });

  it('L5 a row put twice by one delta comes back as it was before both', () => {
    const refused = new Set<string>();
    const fold = appending(refused);
    const second = node(2, 'b');
    fold.insertAll([node(1, 'a'), second, node(3, 'c')]);
    refused.add('b');
    fold.reconsider(({ delta }) => delta.kind === 'b');
    assert.deepEqual(held(fold), ['a.c.']);
    assert.equal(fold.verdictOf(second), 'notPermitted');
    assert.equal(fold.verdictOf(node(2, 'b')), undefined, 'of another that stands in its place nothing is said');
    refused.add('a').add('c');
    fold.reconsider(() => true);
    assert.equal(held(fold), undefined);
    assert.deepEqual([...fold.rows()], []);
    refused.clear();
    fold.reconsider(() => true);
    assert.deepEqual(held(fold), ['a.b.c.']);
  });

  it('L4 D6 what becomes the base is the beginning in D6 order, however it came', () => {
    const fold = appending();
    fold.insertAll([node(3, 'c')]);
    fold.insertAll([node(5, 'e'), node(2, 'b'), node(4, 'd')]);
    fold.insertAll([node(1, 'a')]);
    const foldedUpTo = (height: number) => fold.absorb((one) => one.height <= height).map((one) => one.node.delta.kind);
    // Stable, and behind something that is not: it stays.
    assert.deepEqual(
      fold.absorb((one) => one.height !== 2).map((one) => one.node.delta.kind),
      ['a'],
    );
    assert.deepEqual(foldedUpTo(3), ['b', 'c']);
    assert.deepEqual(
      [...fold.unstable()].map(({ delta }) => delta.kind),
      ['d', 'e'],
    );
    assert.deepEqual(held(fold), ['a.b.c.d.e.']);
    assert.deepEqual(foldedUpTo(9), ['d', 'e']);
  });

  it('L5 changes are told once, with what the rows hold then', () => {
    const refused = new Set<string>();
    const fold = appending(refused);
    fold.insertAll([node(1, 'a')]);
    fold.insertAll([node(2, 'b')]);
    assert.deepEqual(fold.takeChanges(), [{ tool: TOOL, table: 't', key: 'k', row: ['a.b.'] }]);
    assert.deepEqual(fold.takeChanges(), []);
    refused.add('a').add('b');
    fold.reconsider(() => true);
    assert.deepEqual(fold.takeChanges(), [{ tool: TOOL, table: 't', key: 'k', row: undefined }]);
  });
});
