/** F2: a person is told what he and somebody else have changed at the same time, and not more often than he can read it. */
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { Emitter } from '../../src/base/event.ts';
import type { ServiceEvent } from '../../src/service/api.ts';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// These import `vscode`: after its fake.
const { Say } = await import('../../src/views/say.ts');
const { showNotices } = await import('../../src/views/notices.ts');

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;

function open() {
  const events = new Emitter<ServiceEvent>();
  const never = () => ({ dispose: () => undefined });
  const house = {
    say: new Say(() => ({ warn: () => undefined }) as never),
    session: { events: events.event, onStalled: never },
    list: { onChange: never },
  } as unknown as House;
  const held = showNotices(house);
  const conflict = (path: string) => {
    const detail = { name: 'Apollo', member: 'Bob', tool: 'bb', path, copy: `${path} (conflict copy of Bob)` };
    events.fire({ type: 'notice', code: 'conflict', workspace: 'aa', detail });
  };
  const told = () => {
    const texts = vscode.shown.map(({ text }) => text.replace(/ at the same time.*/, ''));
    vscode.clear();
    return texts;
  };
  return { conflict, told, held };
}

describe('F2 what two have changed at the same time', () => {
  beforeEach(() => {
    vscode.clear();
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  });
  afterEach(() => mock.timers.reset());

  it('is told by the name of the file and of the member', () => {
    const { conflict, told } = open();
    conflict('/docs/plan.md');
    mock.timers.tick(SECOND_MS);
    assert.deepEqual(told(), ['plan.md was changed by you and by Bob']);
  });

  it('is told together where it comes together, and after that at the end of a minute, however much comes', () => {
    const { conflict, told } = open();
    for (let number = 0; number < 1000; number++) conflict(`/${number}`);
    mock.timers.tick(SECOND_MS);
    assert.deepEqual(told(), ['1000 files were changed by you and by others']);
    for (let number = 0; number < 20; number++) {
      conflict(`/${number}`);
      mock.timers.tick(SECOND_MS);
    }
    assert.deepEqual(told(), []);
    mock.timers.tick(MINUTE_MS);
    assert.deepEqual(told(), ['20 files were changed by you and by others']);
  });

  it('is not told by a window that has gone', () => {
    const { conflict, told, held } = open();
    conflict('/plan.md');
    held.dispose();
    mock.timers.tick(MINUTE_MS);
    assert.deepEqual(told(), []);
  });
});
