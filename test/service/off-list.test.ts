/** A8: rows that were removed of workspaces that are deleted for all. */
import assert from 'node:assert/strict';
import type { WorkspaceId } from '../../src/base/ids.ts';
import { LocalState } from '../../src/service/local-state.ts';
import { OffList } from '../../src/service/off-list.ts';
import type { SharedWorkspace } from '../../src/service/shared-workspace.ts';

const id = '0a'.repeat(32) as WorkspaceId;
const deletedBy = (word: string | undefined): SharedWorkspace => {
  return { id, roster: { deleted: word === undefined ? undefined : { delta: { id: word } } } } as never;
};

describe('What is off the list', () => {
  it('A8 is listed again where the word turns out void, and is not taken for removed by another word', () => {
    const offList = new OffList(new LocalState());
    offList.put(deletedBy('a word'));
    assert.equal(offList.has(deletedBy('a word')), true);
    assert.equal(offList.has(deletedBy(undefined)), false);
    assert.equal(offList.has(deletedBy('another')), false);
  });

  it('A8 is not remembered of what is gone', () => {
    const local = new LocalState();
    const offList = new OffList(local);
    offList.put(deletedBy('a word'));
    offList.tidy(() => true);
    assert.equal(offList.has(deletedBy('a word')), true);
    offList.tidy(() => false);
    assert.deepEqual([...local.under('forgotten/')], []);
  });
});
