import assert from 'node:assert/strict';
import { EventPacer } from '../../src/rpc/event-pacer.ts';
import { EVENT_PAUSE_MS, MAX_CHANGES_PER_EVENT } from '../../src/rpc/rpc-limits.ts';
import type { ServiceEvent } from '../../src/service/api.ts';

describe('pace of events', () => {
  let pacer: EventPacer;
  let delivered: ServiceEvent[];
  let wake: () => void;
  const deliveries = async (count: number) => {
    while (delivered.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return delivered;
  };
  beforeEach(() => {
    delivered = [];
    wake = () => undefined;
    pacer = new EventPacer((event) => {
      delivered.push(event);
      wake();
    });
  });
  afterEach(() => pacer.dispose());

  it('"ask again" is said at once, and then once per pause', async () => {
    const before = performance.now();
    for (let i = 0; i < 1_000; i++) pacer.push({ type: 'workspaces' });
    assert.equal(delivered.length, 1);
    await deliveries(2);
    assert.ok(performance.now() - before >= EVENT_PAUSE_MS - 2);
    assert.equal(delivered.length, 2);
    pacer.push({ type: 'workspaces' });
    assert.equal(delivered.length, 2, 'the pause begins again with each');
    await deliveries(3);
  });

  it('of progress only the newest goes out, by operation', async () => {
    const progress = (operation: string, doneFiles: number) =>
      ({ type: 'import', operation, doneFiles, doneBytes: 0, current: '' }) as const;
    for (let done = 0; done <= 100; done++) for (const operation of ['a', 'b']) pacer.push(progress(operation, done));
    assert.deepEqual(await deliveries(4), [progress('a', 0), progress('b', 0), progress('a', 100), progress('b', 100)]);
  });

  it('changes of files are gathered in order, by tool, and none is lost', async () => {
    const files = (tool: string, ...paths: readonly string[]) =>
      ({
        type: 'files',
        workspace: 'w',
        tool,
        changes: paths.map((path) => ({ path, type: 'changed' as const })),
      }) as const;
    const first = files('t', '/0');
    pacer.push(first);
    for (let i = 1; i <= 1_200; i++) pacer.push(files('t', `/${i}`));
    pacer.push(files('u', '/other'));
    await deliveries(5);
    assert.deepEqual(
      delivered.map((event) => (event.type === 'files' ? `${event.tool} ${event.changes.length}` : event.type)),
      ['t 1', 'u 1', `t ${MAX_CHANGES_PER_EVENT}`, `t ${MAX_CHANGES_PER_EVENT}`, 't 200'],
    );
    const paths = delivered.flatMap((event) => (event.type === 'files' && event.tool === 't' ? event.changes : []));
    assert.deepEqual(
      paths.map(({ path }) => path),
      Array.from({ length: 1_201 }, (_, i) => `/${i}`),
    );
    assert.equal(first.changes.length, 1, 'what the service gave stays as it was');
  });

  it('what is said once is passed on each time', () => {
    for (let i = 0; i < 3; i++) pacer.push({ type: 'joined', workspace: 'w', name: 'Apollo' });
    assert.equal(delivered.length, 3);
  });
});
