import assert from 'node:assert/strict';
import { MessageChannel } from 'node:worker_threads';
import type { ServiceEvent } from '../../src/service/api.ts';
import { ServiceError } from '../../src/service/api.ts';
import { apiClient, ApiClient } from '../../src/rpc/client.ts';
import { MessagePortDuplex } from '../../src/rpc/message-port.ts';
import { METHODS } from '../../src/rpc/methods.ts';
import {
  MAX_CHATS_SHOWN,
  MAX_RPC_IN_FLIGHT,
  MAX_RPC_SERVED_AT_ONCE,
  MAX_RPC_WAITING,
  RPC_PROTOCOL,
} from '../../src/rpc/rpc-limits.ts';
import { ApiServer, serveApi } from '../../src/rpc/server.ts';
import { ServiceFailure } from '../../src/rpc/service-failure.ts';
import { fakeApi, Gate, newEvents, served } from './fixtures/fake-api.ts';

const none = newEvents().event;

describe('client and server of the api', () => {
  const open: MessagePortDuplex[] = [];
  const pair = () => {
    const { port1, port2 } = new MessageChannel();
    const duplexes = [new MessagePortDuplex(port1), new MessagePortDuplex(port2)] as const;
    open.push(...duplexes);
    return duplexes;
  };
  afterEach(() => open.splice(0).forEach((duplex) => duplex.close()));

  it('answers calls with structured values, whole', async () => {
    const [here, there] = pair();
    const seen: unknown[] = [];
    const relay = { state: 'off', detail: undefined } as never;
    serveApi(
      fakeApi({ relay: async () => relay, chat: async (...args) => (seen.push(...args), { posts: [], more: true }) }),
      none,
      there,
    );
    const { api } = apiClient(here);
    assert.deepEqual(await api.relay(), { state: 'off', detail: undefined });
    assert.deepEqual(await api.chat('w', 't', { limit: 3 }), { posts: [], more: true });
    assert.deepEqual(seen, ['w', 't', { limit: 3 }]);
  });

  it('has every method of the api and no other', () => {
    const { api } = new ApiClient('');
    assert.deepEqual(Object.keys(api), Object.keys(METHODS));
    assert.equal('then' in api, false, 'so that awaiting it calls nothing');
  });

  it('carries code and detail of a ServiceError; of other errors nothing', async () => {
    const [here, there] = pair();
    const faults: unknown[] = [];
    const server = new ApiServer({ build: '', onFault: (error) => faults.push(error) });
    const fault = new TypeError('Bob’s diary.txt');
    server.open(
      served(
        fakeApi({
          stat: async (_workspace, _tool, path) => {
            throw new ServiceError('notFound', { path }, 'with words');
          },
          list: async () => {
            throw fault;
          },
        }),
      ),
    );
    server.accept(there);
    const { api } = apiClient(here);
    const notFound = await rejection(api.stat('w', 't', '/a'));
    assert.deepEqual([notFound.name, notFound.code, notFound.detail], ['ServiceError', 'notFound', { path: '/a' }]);
    const internal = await rejection(api.list('w', 't', '/'));
    assert.deepEqual([internal.code, internal.detail, internal.message], ['internal', {}, 'internal']);
    assert.equal(internal.stack!.includes('diary'), false);
    assert.deepEqual(faults, [fault]);
    assert.equal((await rejection(api.joins())).code, 'internal', 'a method that is not there');
  });

  it('hands bytes over, and leaves both sides theirs', async () => {
    const [here, there] = pair();
    const kept = Buffer.alloc(30_000_000, 7);
    const writes: Uint8Array[] = [];
    serveApi(
      fakeApi({ read: async () => kept, write: async (_w, _t, _p, bytes) => (writes.push(bytes), `${bytes.length}`) }),
      none,
      there,
    );
    const { api } = apiClient(here);
    const read = await api.read('w', 't', '/a');
    assert.deepEqual([read.constructor, read.length, read[29_999_999]], [Uint8Array, 30_000_000, 7]);
    assert.equal(kept.length, 30_000_000, 'what the service holds stays');
    const large = new Uint8Array(1_000_000).fill(5);
    assert.equal(
      await api.write('w', 't', '/a', large.subarray(100, 200_100), { create: true, overwrite: true }),
      '200000',
    );
    assert.equal(writes[0]!.buffer.byteLength, 200_000, 'only the part that is meant travels');
    assert.equal(large.length, 1_000_000);
  });

  it('L3 a call that comes again is done once', async () => {
    const gate = new Gate<string>();
    let done = 0;
    const server = new ApiServer({ build: '' });
    server.open(
      served(fakeApi({ createWorkspace: () => (done++, gate.passed), identity: async () => (done++, {} as never) })),
    );
    const client = new ApiClient('');
    const [first, firstServed] = pair();
    server.accept(firstServed);
    assert.equal(await client.attach(first), 'welcome');
    const created = client.api.createWorkspace({ name: 'Apollo' });
    await client.api.identity();
    assert.equal(done, 2);
    first.close();
    const [second, secondServed] = pair();
    server.accept(secondServed);
    assert.equal(await client.attach(second), 'welcome');
    gate.open('id');
    assert.equal(await created, 'id');
    assert.equal(done, 2, 'the second time it joined the first');
    await client.api.createWorkspace({ name: 'Apollo' });
    assert.equal(done, 3, 'a new call with the same words is another');
  });

  it('L3 calls wait while there is no connection, and go in order; a long one stops', async () => {
    const client = new ApiClient('');
    const [first, firstServed] = pair();
    serveApi(fakeApi({ importPaths: () => new Promise(() => undefined) }), none, firstServed);
    await client.attach(first);
    const importing = rejection(client.api.importPaths('w', 't', '/', ['/a'], 'op'));
    first.close();
    assert.equal((await importing).code, 'stopped');
    const posts = ['a', 'b', 'c'].map((text) => client.api.editPost('w', 't', 'p', text));
    const [second, secondServed] = pair();
    const seen: string[] = [];
    serveApi(fakeApi({ editPost: async (_w, _t, _p, text) => void seen.push(text) }), none, secondServed);
    await client.attach(second);
    await Promise.all(posts);
    assert.deepEqual(seen, ['a', 'b', 'c']);
  });

  it('L3 a call that has met the end of three owners does not take down a fourth', async () => {
    const client = new ApiClient('');
    let calls = 0;
    const created = rejection(client.api.createWorkspace({ name: 'poison' }));
    for (let owner = 0; owner < 3; owner++) {
      const [here, there] = pair();
      const ended = new Promise<void>((resolve) => here.onClose(() => resolve()));
      const createWorkspace = () => (calls++, there.close(), new Promise<string>(() => undefined));
      serveApi(fakeApi({ createWorkspace }), none, there);
      await client.attach(here);
      await ended;
    }
    assert.equal((await created).code, 'stopped');
    assert.equal(calls, 3);
  });

  it('bounds what is on its way and what waits', async () => {
    const [here, there] = pair();
    const gate = new Gate();
    const full = new Gate();
    let running = 0;
    let most = 0;
    const relay = async () => {
      most = Math.max(most, ++running);
      if (running === MAX_RPC_IN_FLIGHT) full.open();
      await gate.passed;
      running--;
      return { state: 'off' } as const;
    };
    const server = serveApi(fakeApi({ relay, identity: async () => ({}) as never }), none, there);
    const client = new ApiClient('');
    await client.attach(here);
    const calls = Array.from({ length: MAX_RPC_IN_FLIGHT + MAX_RPC_WAITING }, () => client.api.relay());
    assert.deepEqual((await rejection(client.api.relay())).detail, { reason: 'busy' });
    await full.passed;
    gate.open();
    assert.equal((await Promise.all(calls)).length, calls.length);
    assert.equal(most, MAX_RPC_IN_FLIGHT);
    server.close();
  });

  it('L3 a call that failed is no longer on its way: a window that often asks for what is not there keeps its connection', async () => {
    const [here, there] = pair();
    serveApi(
      fakeApi({
        stat: async () => {
          throw new ServiceError('notFound', {});
        },
        read: async () => new Uint8Array(MAX_RPC_SERVED_AT_ONCE),
      }),
      none,
      there,
    );
    const { api } = apiClient(here);
    for (let i = 0; i <= MAX_RPC_SERVED_AT_ONCE; i++)
      assert.equal((await rejection(api.stat('w', 't', '/.vscode/settings.json'))).code, 'notFound');
    assert.equal((await api.read('w', 't', '/a')).length, MAX_RPC_SERVED_AT_ONCE);
  });

  it('refuses another build and another protocol, and says which', async () => {
    for (const hello of [{ build: 'theirs' }, { protocol: 99 }]) {
      const [here, there] = pair();
      serveApi(fakeApi({}), none, there, 'ours');
      const answers: unknown[] = [];
      here.onMessage((message) => answers.push(message));
      here.send({ type: 'hello', protocol: RPC_PROTOCOL, build: 'ours', ...hello });
      await new Promise<void>((resolve) => here.onClose(() => resolve()));
      assert.deepEqual(answers, [{ type: 'refused', protocol: RPC_PROTOCOL, build: 'ours' }]);
    }
    const [here, there] = pair();
    serveApi(fakeApi({}), none, there, 'theirs');
    const refused = await rejection(apiClient(here, 'ours').api.relay());
    assert.equal(refused.code, 'inUse');
    assert.deepEqual(refused.detail, { reason: 'version', ours: 'ours', theirs: 'theirs' });
  });

  it('closes a connection that says what no client says', async () => {
    const call = { type: 'call', id: 1, method: 'relay', args: [] };
    const hello = { type: 'hello', protocol: RPC_PROTOCOL, build: '' };
    const bad = [
      [call],
      [hello, hello],
      [hello, { ...call, method: 'constructor' }],
      [hello, { ...call, method: 'toString' }],
      [hello, { ...call, id: 'x' }],
      [hello, { ...call, args: { length: 1 } }],
      [hello, { ...call, key: 'k'.repeat(65) }],
      [{ type: 'shows', chats: [] }],
      [hello, { type: 'shows', chats: 'all' }],
      [hello, { type: 'shows', chats: [{ workspace: 'w', tool: 1 }] }],
      [hello, { type: 'shows', chats: [{ workspace: 'w'.repeat(65), tool: 't' }] }],
      [hello, { type: 'shows', chats: Array(MAX_CHATS_SHOWN + 1).fill({ workspace: 'w', tool: 't' }) }],
      [hello, undefined],
      [hello, 'text'],
    ];
    for (const messages of bad) {
      const [here, there] = pair();
      let called = false;
      serveApi(fakeApi({ relay: async () => ((called = true), { state: 'off' }) }), none, there);
      const closed = new Promise<void>((resolve) => here.onClose(() => resolve()));
      here.onMessage(() => undefined);
      for (const message of messages) here.send(message);
      await closed;
      assert.equal(called, false);
    }
  });

  it('says that the service is opening, and welcomes when it is open', async () => {
    const [here, there] = pair();
    const server = new ApiServer({ build: '' });
    server.accept(there);
    const seen: unknown[] = [];
    const opening = new Promise<void>((resolve) => here.onMessage((message) => (seen.push(message), resolve())));
    const client = new ApiClient('');
    const greeting = client.attach(here, 60_000);
    const relay = client.api.relay();
    await opening;
    assert.deepEqual(seen, [{ type: 'opening' }]);
    server.open(served(fakeApi({ relay: async () => ({ state: 'off' }) })));
    assert.equal(await greeting, 'welcome');
    assert.deepEqual(await relay, { state: 'off' });
  });

  it('L3 an owner that does not answer is stalled', async () => {
    const [here] = pair();
    assert.equal(await new ApiClient('').attach(here, 20), 'stalled');
  });

  it('L3 an owner that gives no sign of life while a call waits is said to be stalled, until it gives one', async () => {
    const [here, there] = pair();
    const seen: unknown[] = [];
    const asked = new Promise<void>((resolve) =>
      there.onMessage((message) => {
        seen.push((message as { type: string }).type);
        if (seen.at(-1) === 'ping') resolve();
      }),
    );
    const client = new ApiClient('');
    const changes: boolean[] = [];
    const [stalled, answers] = [new Gate(), new Gate()];
    client.onStalled((now) => (changes.push(now), (now ? stalled : answers).open()));
    const greeting = client.attach(here, 80);
    there.send({ type: 'welcome' });
    assert.equal(await greeting, 'welcome');
    const relay = client.api.relay();
    await asked;
    await stalled.passed;
    assert.deepEqual(seen, ['hello', 'call', 'ping']);
    there.send({ type: 'pong' });
    await answers.passed;
    there.send({ type: 'answer', id: 1, value: { state: 'off' } });
    assert.deepEqual(await relay, { state: 'off' });
    assert.deepEqual(changes, [true, false]);
  });

  it('L3 an owner that gave a sign of life, and none again while the same call waits, is said to be stalled again', async () => {
    const [here, there] = pair();
    const client = new ApiClient('');
    const twice = new Gate();
    const changes: boolean[] = [];
    client.onStalled((now) => {
      changes.push(now);
      if (changes.length === 1) there.send({ type: 'pong' });
      if (changes.length === 3) twice.open();
    });
    const greeting = client.attach(here, 80);
    there.onMessage(() => undefined);
    there.send({ type: 'welcome' });
    assert.equal(await greeting, 'welcome');
    const relay = client.api.relay();
    await twice.passed;
    assert.deepEqual(changes, [true, false, true]);
    there.send({ type: 'answer', id: 1, value: { state: 'off' } });
    assert.deepEqual(await relay, { state: 'off' });
  });

  it('L3 an owner whose calls take their time is not stalled: it answers the question itself', async () => {
    const [here, there] = pair();
    const gate = new Gate<{ state: 'off' }>();
    const server = new ApiServer({ build: '' });
    server.open(served(fakeApi({ relay: () => gate.passed })));
    const pings = new Gate();
    let pongs = 0;
    const { send } = there;
    there.send = (message, transfer) => {
      if ((message as { type: string }).type === 'pong' && ++pongs === 3) pings.open();
      send.call(there, message, transfer);
    };
    server.accept(there);
    const client = new ApiClient('');
    client.onStalled(() => assert.fail('it answers'));
    await client.attach(here, 400);
    const relay = client.api.relay();
    await pings.passed;
    gate.open({ state: 'off' });
    assert.deepEqual(await relay, { state: 'off' });
  });

  it('events reach every client until it closes', async () => {
    const events = newEvents();
    const server = new ApiServer({ build: '' });
    server.open(served(fakeApi({}), events.event));
    const clients = await Promise.all(
      [1, 2].map(async () => {
        const [here, there] = pair();
        server.accept(there);
        const client = new ApiClient('');
        await client.attach(here);
        return { client, here };
      }),
    );
    const joined = { type: 'joined', workspace: 'w', name: 'Apollo' } as const;
    const arrivals = clients.map(({ client }) => new Promise<ServiceEvent>((resolve) => client.events(resolve)));
    events.fire(joined);
    assert.deepEqual(await Promise.all(arrivals), [joined, joined]);
    for (const { here } of clients) {
      const [served] = [new Promise<void>((resolve) => here.onClose(() => resolve()))];
      here.close();
      await served;
    }
    server.close();
    assert.equal(events.hasListeners, false);
  });

  it('what is said in a chat is told to who shows it alone, from when it says so, over a new connection too', async () => {
    const events = newEvents();
    const said = (tool: string): ServiceEvent => ({ type: 'chat', workspace: 'w', tool, posts: [], removed: [] });
    const heard: ServiceEvent[] = [];
    const client = new ApiClient('');
    client.events((event) => heard.push(event));
    const api = fakeApi({ relay: async () => undefined as never });
    for (let times = 0; times < 2; times++) {
      const [here, there] = pair();
      serveApi(api, events.event, there);
      assert.equal(await client.attach(here), 'welcome');
      if (times === 0) {
        events.fire(said('one'));
        client.show([{ workspace: 'w', tool: 'one' }]);
      }
      // What is asked for after it finds it told.
      await client.api.relay();
      events.fire(said('two'));
      events.fire(said('one'));
      await client.api.relay();
      assert.deepEqual(heard.splice(0), [said('one')]);
      here.close();
    }
  });

  it('while draining it answers what was done, and leaves the rest to the next owner', async () => {
    const [here, there] = pair();
    const gates = { done: new Gate<string>(), stopped: new Gate<string>() };
    const server = serveApi(
      fakeApi({
        createWorkspace: () => gates.done.passed,
        addTool: async () => {
          await gates.stopped.passed;
          throw new ServiceError('stopped');
        },
        relay: async () => ({ state: 'off' }),
      }),
      none,
      there,
    );
    const client = new ApiClient('');
    await client.attach(here);
    const done = client.api.createWorkspace({ name: 'a' });
    const stopped = client.api.addTool('w', 'chat', 'b');
    await client.api.relay();
    const drained = server.drain();
    const late = client.api.relay();
    gates.done.open('id');
    gates.stopped.open('');
    assert.equal(await done, 'id');
    await drained;
    server.close();
    const [again, served] = pair();
    serveApi(fakeApi({ addTool: async () => 'tool', relay: async () => ({ state: 'connected' }) }), none, served);
    await new Promise<void>((resolve) => here.onClose(() => resolve()));
    await client.attach(again);
    assert.equal(await stopped, 'tool');
    assert.deepEqual(await late, { state: 'connected' });
  });

  it('a failed client rejects what waits and what comes', async () => {
    const client = new ApiClient('');
    const waiting = rejection(client.api.relay());
    client.fail(new ServiceFailure('stopped'));
    assert.equal((await waiting).code, 'stopped');
    assert.equal((await rejection(client.api.relay())).code, 'stopped');
  });
});

async function rejection(promise: Promise<unknown>): Promise<ServiceFailure> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof ServiceFailure, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'it was to be rejected' });
}
