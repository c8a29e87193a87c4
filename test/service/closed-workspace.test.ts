/** L7: what is kept of a workspace that one is out of. */
import assert from 'node:assert/strict';
import type { DeltaId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { ClosedWorkspace } from '../../src/service/closed-workspace.ts';
import type { Hub } from '../../src/service/hub.ts';
import { LocalState } from '../../src/service/local-state.ts';
import { notAccepted, type Work } from '../../src/service/own-work.ts';
import type { ChunkKeys } from '../../src/service/ports.ts';
import { PutAnew } from '../../src/service/put-anew.ts';
import type { SharedWorkspace } from '../../src/service/shared-workspace.ts';
import { ContentMissing, Contents } from '../../src/store/contents.ts';
import { StoreError } from '../../src/sync/ports.ts';
import { filesBody } from '../../src/tools/files/deltas.ts';
import { MemoryChunks } from '../fakes/memory-chunks.ts';

const crypto = nodeCrypto();
const id = '0a'.repeat(32) as WorkspaceId;
const tool = '0b'.repeat(32) as ToolId;

describe('What is kept of a workspace that one is out of', () => {
  const chunks = new MemoryChunks();
  const makeContents = (keys: ChunkKeys) => new Contents({ crypto, chunks, keys });
  const close = (work: readonly Work[], local = new LocalState()) => {
    const hub = { crypto, chunks, local, makeContents } as unknown as Hub;
    const workspace = { id, roster: { name: 'Apollo' } } as unknown as SharedWorkspace;
    return ClosedWorkspace.close(hub, workspace, { how: 'dropped', by: '', at: 1 }, work, undefined);
  };
  const about = { tool, toolName: 'Files', text: '', reason: 'cutOff', time: 1, upon: undefined, deed: undefined };
  const fileOf = (name: string, stream: () => AsyncIterable<Uint8Array>): Work => {
    return { ...about, id: name, kind: 'file', name, stream };
  };
  async function* whole(): AsyncIterable<Uint8Array> {
    yield new Uint8Array(9);
  }
  const failing = (fault: Error) =>
    async function* (): AsyncIterable<Uint8Array> {
      yield await Promise.reject<Uint8Array>(fault);
    };

  it('L7 of a file that is not whole here the name is kept, and the others whole', async () => {
    const closed = await close([fileOf('gone', failing(new ContentMissing([]))), fileOf('there', whole)]);
    assert.deepEqual(
      closed.kept.map(({ info, content }) => [info.name, content?.bytes]),
      [
        ['gone', undefined],
        ['there', 9],
      ],
    );
  });

  it('L7 what is left of what was written anew before, and is not listed any more, hides nothing', async () => {
    const local = new LocalState();
    new PutAnew(local, id).note(0, '0e'.repeat(32) as DeltaId, { id: '0f'.repeat(32) as DeltaId, moved: undefined });
    const closed = await close([fileOf('there', whole)], local);
    assert.deepEqual(
      closed.kept.map(({ info }) => info.name),
      ['there'],
    );
  });

  it('L7 any other fault is no reason to give a file up: the copy stays', async () => {
    for (const fault of [new StoreError('io', 'the disk failed'), new Error('nobody has thought of it')])
      await assert.rejects(close([fileOf('there', failing(fault))]), fault);
  });

  it('L7 D9 a difference whose base is not here is not whole', async () => {
    const lost = '0c'.repeat(32) as DeltaId;
    const patch = { kind: 'patch', bytes: 9, sha256: new Uint8Array(32), patch: new Uint8Array(1) } as const;
    const body = filesBody({ kind: 'ver', parents: [lost], content: patch });
    const said = { id: '0d'.repeat(32) as DeltaId, tool, kind: 'ver', body, time: 1, reason: 'behind' };
    const workspace = {
      ...{ id, roster: { name: 'Apollo', tools: new Map() }, keptVoid: { all: [] }, leftBehind: { all: [said] } },
      replica: { nodes: () => [], ownWaiting: () => [], fold: { row: () => undefined } },
      ownDelta: (of: DeltaId) => (of === said.id ? said : undefined),
      contents: makeContents({ current: () => assert.fail('nothing is written'), find: () => undefined }),
    } as unknown as SharedWorkspace;
    const work = notAccepted(workspace);
    assert.equal(work.length, 1);
    const closed = await close(work);
    assert.deepEqual(
      closed.kept.map(({ content }) => content),
      [undefined],
    );
  });
});
