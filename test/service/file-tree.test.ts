/** The folders and files of a tool's rows, where a member has made them as no client of ours does. */
import assert from 'node:assert/strict';
import type { AccountId, DeltaId } from '../../src/base/ids.ts';
import type { Row } from '../../src/sync/reducer.ts';
import { FileTree } from '../../src/service/file-tree.ts';
import type { Content } from '../../src/tools/files/content.ts';
import { VERSIONS, versionToRow } from '../../src/tools/files/rows.ts';

const id = (number: number) => number.toString(16).padStart(64, '0') as DeltaId;
const BOTTOM: Content = { kind: 'chunks', bytes: 0, sha256: new Uint8Array(32), chunks: [], indirect: false };
const PATCH: Content = { kind: 'patch', bytes: 9, sha256: new Uint8Array(32), patch: new Uint8Array(1) };

/** Versions 0, 1 … each upon the one before; of what `contentOf` says. */
function treeOf(length: number, contentOf: (version: number) => Content): FileTree {
  const row = (version: number): Row =>
    versionToRow({
      ...{ item: id(0), live: true, author: '00'.repeat(32) as AccountId, time: 0, height: version + 1 },
      ...{ parents: version === 0 ? [] : [id(version - 1)], content: contentOf(version) },
    });
  const rows = new Map(Array.from({ length }, (_, version) => [id(version), row(version)]));
  return new FileTree({
    children: () => [], // no folder is asked for
    row: (table, key) => (table === VERSIONS ? rows.get(key as DeltaId) : undefined),
    nameOf: () => '',
  });
}

describe('F1 what a version’s content stands upon', () => {
  it('F1 the chunks at the bottom, and how many differences are upon them', () => {
    const tree = treeOf(6, (version) => (version === 0 || version === 3 ? BOTTOM : PATCH));
    assert.deepEqual(
      [0, 1, 2, 3, 5].map((version) => tree.lineage(id(version))),
      [0, 1, 2, 0, 2].map((patches) => ({ bottom: BOTTOM, patches })),
    );
    assert.equal(tree.lineage(id(99)), undefined);
  });

  it('F1 a chain of differences that a member made without end is followed all the same', () => {
    const tree = treeOf(30_000, (version) => (version === 0 ? BOTTOM : PATCH));
    assert.equal(tree.lineage(id(29_999))?.patches, 29_999);
    assert.equal(tree.lineage(id(15_000))?.patches, 15_000);
  });

  it('F1 a difference whose base is in no row stands upon itself', () => {
    const tree = treeOf(3, () => PATCH);
    assert.deepEqual(tree.lineage(id(2)), { bottom: PATCH, patches: 2 });
  });
});
