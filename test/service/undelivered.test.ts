import assert from 'node:assert/strict';
import type { DeltaId, FeedId, ToolId } from '../../src/base/ids.ts';
import type { Delta } from '../../src/sync/delta.ts';
import { Undelivered } from '../../src/service/undelivered.ts';

const [chat, other] = ['c'.repeat(16) as ToolId, 'd'.repeat(16) as ToolId];

function delta(feed: string, seq: number, tool = chat, kind = 'post'): Delta {
  return { feed: feed as FeedId, id: `${feed} ${seq}` as DeltaId, tool, kind, seq } as Delta;
}

describe('S4 own posts that wait', () => {
  it('S4 are told once, when all before them in their feed are held, too', () => {
    const waiting = new Undelivered();
    for (let seq = 1; seq <= 6; seq++) waiting.note(delta('a.0', seq, seq === 3 ? other : chat));
    waiting.note(delta('a.7', 1));
    const held = new Map([
      ['a.0', 0],
      ['a.7', 0],
    ]);
    const take = () =>
      waiting.take((id) => {
        const [feed, seq] = id.split(' ') as [string, string];
        return Number(seq) <= held.get(feed)!;
      });
    assert.equal(take().size, 0);
    held.set('a.0', 4);
    assert.deepEqual(
      [...take()],
      [
        [chat, ['a.0 1', 'a.0 2', 'a.0 4']],
        [other, ['a.0 3']],
      ],
    );
    assert.equal(take().size, 0);
    waiting.note(delta('a.0', 7));
    held.set('a.0', 7).set('a.7', 1);
    assert.deepEqual([...take()], [[chat, ['a.0 5', 'a.0 6', 'a.0 7', 'a.7 1']]]);
    waiting.note(delta('a.0', 8));
    assert.equal(take().size, 0);
    held.set('a.0', 8);
    assert.deepEqual([...take()], [[chat, ['a.0 8']]]);
  });

  it('S4 of each feed the first alone is looked at', () => {
    const waiting = new Undelivered();
    for (let seq = 1; seq <= 1_000; seq++) waiting.note(delta('a.0', seq));
    let looked = 0;
    for (let round = 0; round < 10; round++) waiting.take(() => (looked++, false));
    assert.equal(looked, 10);
  });

  it('are posts: what is no post shows nowhere as waiting', () => {
    const waiting = new Undelivered();
    waiting.note(delta('a.0', 1, chat, 'edit'));
    waiting.note({ ...delta('a.0', 2), tool: undefined });
    assert.equal(waiting.take(() => true).size, 0);
  });
});
