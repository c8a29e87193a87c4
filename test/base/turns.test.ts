import assert from 'node:assert/strict';
import { Turns } from '../../src/base/turns.ts';

describe('Work in turns', () => {
  /** Work that says when it begins, and ends when it is told how. */
  const works = () => {
    const began: string[] = [];
    const end = new Map<string, (error?: Error) => void>();
    const work = (name: string) => () => {
      began.push(name);
      return new Promise<string>((resolve, reject) =>
        end.set(name, (error) => (error ? reject(error) : resolve(name))),
      );
    };
    return { began, end, work };
  };
  const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));

  it('begins when what was asked for before it is over, also where that has failed', async () => {
    const { began, end, work } = works();
    const turns = new Turns<string>();
    const [first, second] = [turns.run('a', work('first')), turns.run('a', work('second'))];
    await turnOfLoop();
    assert.deepEqual(began, ['first']);
    end.get('first')!(new Error('of the first'));
    await assert.rejects(first, /of the first/);
    await turnOfLoop();
    assert.deepEqual(began, ['first', 'second']);
    end.get('second')!();
    assert.equal(await second, 'second');
  });

  it('waits for no other key', async () => {
    const { began, work } = works();
    const turns = new Turns<string>();
    void turns.run('a', work('of a'));
    void turns.run('b', work('of b'));
    await turnOfLoop();
    assert.deepEqual(began, ['of a', 'of b']);
  });

  it('knows of a key while there is something to wait for, and forgets it', async () => {
    const { end, work } = works();
    const turns = new Turns<string>();
    const all = [turns.run('a', work('first')), turns.run('a', work('second'))];
    let isOver = false;
    const over = turns.end('a')!.then(() => (isOver = true));
    await turnOfLoop();
    end.get('first')!();
    await turnOfLoop();
    assert.equal(isOver, false);
    assert.equal(turns.ends().length, 1);
    end.get('second')!(new Error('of the second'));
    await Promise.allSettled(all);
    await over;
    assert.deepEqual([turns.end('a'), turns.ends()], [undefined, []]);
  });
});
