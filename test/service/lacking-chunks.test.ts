import assert from 'node:assert/strict';
import type { ChunkId, DeviceId } from '../../src/base/ids.ts';
import { MAX_LACKING_CHUNKS } from '../../src/protocol/limits.ts';
import { LackingChunks } from '../../src/service/lacking-chunks.ts';
import type { ChunkRef } from '../../src/tools/files/content.ts';

const [bob, carol] = ['bb' as DeviceId, 'cc' as DeviceId];
const ref = (id: string, bytes = 1, generation = 'here'): ChunkRef => ({ generation, id: id as ChunkId, bytes });
const isOpenable = ({ generation }: ChunkRef) => generation === 'here';

function filled(refs: readonly ChunkRef[], limit?: number): LackingChunks {
  const lacking = new LackingChunks(limit);
  for (const one of refs) lacking.add(one, isOpenable(one));
  return lacking;
}

function nexts(lacking: LackingChunks, device: DeviceId, count = Infinity): string {
  const ids: ChunkId[] = [];
  for (let id: ChunkId | undefined; ids.length < count && (id = lacking.next(device)) !== undefined;) ids.push(id);
  return ids.join('');
}

const words = (text: string) => [...text].map((id) => ref(id));

describe('Chunks that are lacking', () => {
  it('F1 each device is asked for each once, in order, also for what is named when it has come to the end', () => {
    const lacking = filled(words('abc'));
    assert.deepEqual([nexts(lacking, bob, 2), nexts(lacking, carol), nexts(lacking, bob)], ['ab', 'abc', 'c']);
    lacking.delete('b' as ChunkId);
    for (const one of words('ade')) lacking.add(one, true);
    assert.deepEqual([nexts(lacking, bob), nexts(lacking, carol), nexts(lacking, bob)], ['de', 'de', '']);
  });

  it('F1 who has got more is asked again for what he lacked, and before that for what he was not asked for yet', () => {
    const lacking = filled(words('abcd'));
    assert.equal(nexts(lacking, bob, 2), 'ab');
    for (const id of 'ab') lacking.setAbsentAt(bob, id as ChunkId);
    for (let times = 0; times < 3; times++) lacking.refresh(bob);
    assert.equal(nexts(lacking, bob, 2), 'cd');
    for (const id of 'cd') lacking.setAbsentAt(bob, id as ChunkId);
    assert.equal(nexts(lacking, bob), 'ab');
    lacking.leave(bob);
    assert.equal(nexts(lacking, bob), 'ab');
  });

  it('F1 what is opened goes first, the last before the others, and all at once many times over', () => {
    const lacking = filled(words('abcdef'));
    lacking.hurry(words('cd'), isOpenable);
    lacking.hurry(words('xe'), isOpenable);
    assert.equal([...lacking.all()].join(''), 'xecdabf');
    assert.deepEqual([nexts(lacking, bob, 3), lacking.size, lacking.bytes], ['xec', 7, 7]);
    for (let times = 0; times < 100; times++) lacking.hurry(words('abcdefx'.charAt(times % 7)), isOpenable);
    assert.deepEqual([nexts(lacking, carol).length, lacking.size], [7, 7]);
  });

  it('F1 K1 what needs a key waits for it, and of very many keys each has its turn', () => {
    const lacking = filled([ref('a', 1, 'x'), ref('b', 1, 'y'), ref('c', 1, 'z'), ref('a', 2, 'z')]);
    assert.deepEqual([nexts(lacking, bob), lacking.size, lacking.locked(2), lacking.locked(2)].flat(), [
      ...['', 3, 'x', 'y', 'z', 'x'],
    ]);
    lacking.unlock('z');
    assert.deepEqual([nexts(lacking, bob), lacking.isWanted('b' as ChunkId)], ['ca', false]);
    lacking.delete('b' as ChunkId);
    assert.deepEqual(lacking.locked(9), ['x']);
    lacking.add(ref('d'), true);
    lacking.unlock('x');
    assert.equal(nexts(lacking, bob), 'd');
  });

  it('F1 D4 no more is remembered than there is room for: the newest, however it is named, and whatever is opened', () => {
    const lacking = filled(words('abcd'), 4);
    assert.deepEqual([lacking.dropped, lacking.isCrowded], [0, true]);
    lacking.hurry(words('a'), isOpenable);
    lacking.add(ref('e'), true);
    lacking.add(ref('e', 2, 'locked'), false);
    assert.deepEqual([lacking.dropped, [...lacking.all()].join('')], [1, 'ae']);
    for (const bytes of [3, 4, 5, 6, 7, 8]) lacking.add(ref('f', bytes, 'locked'), false);
    assert.ok(lacking.named('f' as ChunkId).length <= 4);
    lacking.hurry(words('ghijkl'), isOpenable);
    assert.equal([...lacking.all()].join('').slice(0, 6), 'ghijkl');
    lacking.hurry(words('mnopqr'), isOpenable);
    assert.deepEqual([[...lacking.all()].join('').slice(0, 6), lacking.size <= 10], ['mnopqr', true]);
    assert.equal(
      lacking.bytes,
      [...'mnopqr'].length + lacking.size - 6 + (lacking.named('f' as ChunkId)[0]?.bytes ?? 1) - 1,
    );
  });

  it('F1 D4 whatever a message asks of it does not take longer when as much is lacking as may be', function () {
    this.timeout(60_000);
    const id = (n: number) => n.toString(16).padStart(64, '0');
    const refs = Array.from({ length: MAX_LACKING_CHUNKS }, (_, n) => ref(id(n)));
    const lacking = filled(refs);
    for (const one of refs) lacking.setAbsentAt(bob, one.id);
    assert.equal(nexts(lacking, bob), '');
    const began = performance.now();
    for (let times = 0; times < 1_000; times++) {
      lacking.refresh(carol);
      assert.equal(nexts(lacking, bob), '');
      lacking.hurry([refs[times]!], isOpenable);
    }
    // A thousand walks over all of it took half a minute.
    assert.ok(performance.now() - began < 2_000);
  });
});
