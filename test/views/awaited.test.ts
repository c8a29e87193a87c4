import assert from 'node:assert/strict';
import { ServiceError } from '../../src/service/api.ts';
import { Awaited } from '../../src/views/files/awaited.ts';
import type { FilePlace } from '../../src/views/files/place.ts';

const place = (path: string): FilePlace => ({ workspace: 'ab', tool: '01', path });

/** What is where, and what was shown of it. */
class Desk {
  readonly there = new Map<string, boolean | ServiceError>();
  readonly shown: string[] = [];
  stats = 0;
  readonly awaited = new Awaited({
    stat: async ({ path }) => {
      this.stats++;
      const present = this.there.get(path);
      if (present === undefined) throw new ServiceError('notFound', { path });
      if (present instanceof ServiceError) throw present;
      return { present };
    },
    show: ({ path }) => this.shown.push(path),
  });

  open(path: string, present: boolean | ServiceError = false): void {
    this.there.set(path, present);
    this.awaited.add(place(path));
  }
}

describe('files that are opened before they are here', () => {
  it('F3 one is shown once its content is there, and once only', async () => {
    const desk = new Desk();
    desk.open('/plan.md');
    await desk.awaited.look();
    assert.deepEqual(desk.shown, []);
    desk.there.set('/plan.md', true);
    await desk.awaited.look();
    await desk.awaited.look();
    assert.deepEqual(desk.shown, ['/plan.md']);
  });

  it('F3 what was opened twice is shown once, and what nobody opened is not', async () => {
    const desk = new Desk();
    desk.open('/twice');
    desk.open('/twice', true);
    desk.there.set('/other', true);
    await desk.awaited.look();
    assert.deepEqual(desk.shown, ['/twice']);
  });

  it('one that is renamed or deleted meanwhile is waited for no more; one that cannot be asked for now is', async () => {
    const desk = new Desk();
    desk.open('/gone');
    desk.open('/later', new ServiceError('stopped'));
    desk.there.delete('/gone');
    await desk.awaited.look();
    desk.there.set('/gone', true).set('/later', true);
    await desk.awaited.look();
    assert.deepEqual(desk.shown, ['/later']);
  });

  it('many events make one look at a time and one after it, and what arrives during a look is not missed', async () => {
    const desk = new Desk();
    desk.open('/a');
    const looks = [desk.awaited.look(), desk.awaited.look(), desk.awaited.look()];
    desk.there.set('/a', true);
    await Promise.all(looks);
    assert.deepEqual(desk.shown, ['/a']);
    assert.ok(desk.stats <= 2, `${desk.stats} questions`);
  });

  it('of too many the first is forgotten', async () => {
    const desk = new Desk();
    for (let i = 0; i <= 100; i++) desk.open(`/${i}`, true);
    await desk.awaited.look();
    assert.equal(desk.shown.length, 100);
    assert.ok(!desk.shown.includes('/0') && desk.shown.includes('/100'));
  });
});
