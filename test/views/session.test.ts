import assert from 'node:assert/strict';
import type { ChatPlace } from '../../src/rpc/messages.ts';
import { type CoterieApi, ServiceError } from '../../src/service/api.ts';
import { type Connection, Session, type SessionState } from '../../src/views/session.ts';
import { WorkspaceList } from '../../src/views/workspace-list.ts';
import { FakeService } from '../fakes/fake-service.ts';

describe('the window’s session', () => {
  function world(options: {
    exists: boolean;
    connect?: (beside?: { readonly phrase?: string }) => Promise<Connection>;
  }) {
    const service = new FakeService();
    const timers: (() => void)[] = [];
    let connects = 0;
    const session = new Session({
      storeExists: async () => options.exists,
      connect: async (beside) => {
        connects++;
        return options.connect?.(beside) ?? service;
      },
      later: (_delay_ms, run) => {
        timers.push(run);
        return { dispose: () => undefined };
      },
    });
    const states: SessionState['kind'][] = [];
    session.onState(({ kind }) => states.push(kind));
    return { service, session, states, timers, connects: () => connects };
  }

  it('starts nothing where no store exists', async () => {
    const { session, connects } = world({ exists: false });
    await session.open();
    assert.equal(connects(), 0);
    assert.equal(session.state.kind, 'empty');
    await assert.rejects(session.api(), { code: 'noIdentity' });
  });

  it('starts the service for a first create', async () => {
    const { session, states } = world({ exists: false });
    await session.api({ create: true });
    assert.deepEqual(states, ['connecting', 'open']);
  });

  it('I2: a locked store goes aside only when the person says so', async () => {
    const asked: unknown[] = [];
    const service = new FakeService();
    const { session } = world({
      exists: true,
      connect: async (beside) => {
        asked.push(beside);
        if (!beside) throw new ServiceError('locked');
        return service;
      },
    });
    await session.open();
    assert.equal(session.state.kind, 'locked');
    assert.equal(await session.beginBeside({ phrase: 'abandon' }), service.api);
    assert.deepEqual(asked, [undefined, { phrase: 'abandon' }]);
    assert.equal(session.state.kind, 'open');
  });

  it('connects once, however many ask at the same time', async () => {
    const { session, connects } = world({ exists: true });
    await Promise.all([session.api(), session.api(), session.open()]);
    assert.equal(connects(), 1);
  });

  for (const [code, kind] of [
    ['locked', 'locked'],
    ['inUse', 'inUse'],
    ['storeFailed', 'failed'],
  ] as const) {
    it(`I2, L3: shows ${kind} where the store answers ${code}, and a new try can open it`, async () => {
      let healed = false;
      const service = new FakeService();
      const connect = async (): Promise<Connection> => {
        if (!healed) throw new ServiceError(code);
        return service;
      };
      const { session } = world({ exists: true, connect });
      await session.open();
      assert.equal(session.state.kind, kind);
      healed = true;
      await session.open();
      assert.equal(session.state.kind, 'open');
    });
  }

  it('L3: connects anew when the connection ends by itself, and not when the window closes it', async () => {
    const { session, service, timers, connects, states } = world({ exists: true });
    await session.open();
    service.closed.fire(undefined);
    assert.equal(session.current, undefined);
    assert.equal(timers.length, 1);
    timers[0]!();
    await session.api();
    assert.equal(connects(), 2);
    assert.deepEqual(states, ['connecting', 'open', 'connecting', 'connecting', 'open']);
    await session.close();
    assert.equal(service.disposed, true);
    service.closed.fire(undefined);
    assert.equal(timers.length, 1);
  });

  it('tells which chats it shows, also the service that it connects to anew', async () => {
    const { session, service, timers } = world({ exists: true });
    const [one, two] = [1, 2].map((n) => ({ workspace: 'apollo', tool: `chat ${n}` })) as [ChatPlace, ChatPlace];
    session.shows(one);
    await session.open();
    const shown = session.shows(two);
    service.closed.fire(undefined);
    timers[0]!();
    await session.api();
    shown.dispose();
    shown.dispose();
    assert.deepEqual(service.shown, [[one], [one, two], [one, two], [one]]);
  });

  it('L3: a store in use is tried again until it is not, and meanwhile looks so', async () => {
    let inUse = true;
    const service = new FakeService();
    const { session, states, timers } = world({
      exists: true,
      connect: async () => {
        if (inUse) throw new ServiceError('inUse', { reason: 'stalled' });
        return service;
      },
    });
    await session.open();
    timers.shift()!();
    await assert.rejects(session.api());
    assert.deepEqual(states, ['connecting', 'inUse', 'inUse']);
    inUse = false;
    timers.shift()!();
    await session.api();
    assert.deepEqual([states.at(-1), timers.length], ['open', 0]);
  });

  it('L3: says when the owner has stopped answering and when it answers, and stays open', async () => {
    const { session, service, states } = world({ exists: true });
    const told: boolean[] = [];
    session.onStalled((stalled) => told.push(stalled));
    await session.open();
    service.owner.fire('stalled');
    assert.equal(session.stalled, true);
    assert.equal(session.current, service.api);
    service.owner.fire('answers');
    service.owner.fire('stalled');
    service.closed.fire(undefined);
    assert.deepEqual(told, [true, false, true, false]);
    assert.deepEqual(states, ['connecting', 'open', 'connecting']);
  });

  it('L3: where another window has become the owner, the views ask anew', async () => {
    const { session, service, states } = world({ exists: true });
    await session.open();
    service.owner.fire('changed');
    assert.deepEqual(states, ['connecting', 'open', 'open']);
  });

  it('passes the service’s events on, and none of a lost connection', async () => {
    const { session, service } = world({ exists: true });
    const seen: string[] = [];
    session.events(({ type }) => seen.push(type));
    await session.open();
    service.emitter.fire({ type: 'workspaces' });
    service.closed.fire(undefined);
    service.emitter.fire({ type: 'workspaces' });
    assert.deepEqual(seen, ['workspaces']);
  });

  it('keeps the list of workspaces up to date, and asks at most once more for many events', async () => {
    const { session, service } = world({ exists: true });
    const list = new WorkspaceList(session);
    const api: CoterieApi = await session.api();
    const id = await api.createWorkspace({ name: 'Apollo' });
    await list.reload();
    await list.reload();
    assert.equal(list.workspace(id)?.name, 'Apollo');
    const before = service.calls.filter((name) => name === 'workspaces').length;
    for (let i = 0; i < 50; i++) service.emitter.fire({ type: 'workspaces' });
    await list.reload();
    const asked = service.calls.filter((name) => name === 'workspaces').length - before;
    assert.ok(asked >= 1 && asked <= 2, `asked ${asked} times`);
    const tool = list.workspace(id)!.tools[1]!;
    service.postAs(id, tool.id, 'hello');
    await list.reload();
    assert.equal(list.unread, 1);
    assert.equal(list.tool(id, tool.id)?.unread, 1);
    list.dispose();
  });

  it('I2 the list says while this machine is becoming one of the person’s devices, and that it has', async () => {
    const { service, session } = world({ exists: true });
    const list = new WorkspaceList(session);
    await session.api();
    const states: unknown[] = [];
    for (const state of [undefined, 'asking', 'waiting', 'refused', 'waiting', 'done'] as const) {
      service.link = state && { state, number: '12 34' };
      if (service.link) service.emitter.fire({ type: 'link', link: service.link });
      await list.reload();
      states.push(list.lists.linking);
    }
    assert.deepEqual(states, [undefined, 'underWay', 'underWay', undefined, 'underWay', 'done']);
    list.dispose();
  });
});
