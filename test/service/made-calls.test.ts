/** L3: what an owner has made durable and not answered when it is killed is not made again by the one that takes its place. */
import assert from 'node:assert/strict';
import { MessageChannel } from 'node:worker_threads';
import { toHex } from '../../src/base/bytes.ts';
import type { DeltaId } from '../../src/base/ids.ts';
import { MAX_MADE_CALLS } from '../../src/protocol/limits.ts';
import { ApiClient } from '../../src/rpc/client.ts';
import { MessagePortDuplex } from '../../src/rpc/message-port.ts';
import { ApiServer } from '../../src/rpc/server.ts';
import type { CoterieApi } from '../../src/service/api.ts';
import { LocalState } from '../../src/service/local-state.ts';
import { MadeCalls } from '../../src/service/made-calls.ts';
import { decodeRecord, deltasIn } from '../../src/service/records.ts';
import { type LogStore, StoreError } from '../../src/sync/ports.ts';
import { House, type Person } from './house.ts';

describe('A call whose owner is killed', function () {
  this.timeout(20_000);
  let house: House;
  let alice: Person;
  let workspace: string;
  let files: string;
  let chat: string;

  beforeEach(async () => {
    house = await House.build();
    alice = await house.move('Alice');
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    [files, chat] = (await alice.tools(workspace)) as [string, string];
  });
  afterEach(() => house.close());

  const posts = async () => (await alice.api.chat(workspace, chat, { limit: 99 })).posts;
  const names = async (folder = '/') => (await alice.api.list(workspace, files, folder)).map(({ name }) => name);
  const info = () => alice.info(workspace);

  /**
   * Makes a call through a window, whose owner is killed when that has written deltas so many times; then the next one has the store, and
   * the window goes on with it. Answers what the window is told in the end, and how many deltas there are of it.
   */
  async function killedIn<T>(
    call: (api: CoterieApi) => Promise<T>,
    { after = 1, durable = true, between }: Killing = {},
  ): Promise<{ readonly answer: T; readonly deltas: number }> {
    await alice.close();
    const log = new MortalLog();
    await alice.open({ around: (inner) => log.over(inner) });
    const before = deltasOf(alice);
    const window = new ApiClient('');
    const first = await attached(window, alice);
    const killed = log.dieAfter(after, durable);
    // Nothing that the dying one says is heard.
    void killed.then(() => first.close());
    const answering = call(window.api);
    await killed;
    await alice.close();
    await alice.open();
    await between?.();
    const second = await attached(window, alice);
    const answer = await answering;
    second.close();
    return { answer, deltas: deltasOf(alice) - before };
  }

  it('L3 is answered by the next one with what it made', async () => {
    const post = await killedIn((api) => api.post(workspace, chat, 'Hello'));
    assert.deepEqual([post.deltas, await posts()], [1, [post.answer]]);
    const { id } = post.answer;
    assert.equal((await killedIn((api) => api.editPost(workspace, chat, id, 'Hello!'))).deltas, 1);
    assert.deepEqual(
      (await posts()).map(({ text }) => text),
      ['Hello!'],
    );
    assert.equal((await killedIn((api) => api.deletePost(workspace, chat, id))).deltas, 1);
    assert.deepEqual(await posts(), []);

    const bytes = (text: string) => Buffer.from(text);
    const how = { create: true, overwrite: true };
    for (const text of ['one', 'two']) {
      const written = await killedIn((api) => api.write(workspace, files, '/a.txt', bytes(text), how));
      assert.equal(written.deltas, 1);
      const stat = await alice.api.stat(workspace, files, '/a.txt');
      assert.equal(stat.version, written.answer);
      assert.equal(Buffer.from(await alice.api.read(workspace, files, '/a.txt')).toString(), text);
    }
    assert.equal((await killedIn((api) => api.makeFolder(workspace, files, '/f'))).deltas, 1);
    const moving = (api: CoterieApi) => api.rename(workspace, files, '/a.txt', '/f/b.txt', { overwrite: false });
    assert.equal((await killedIn(moving)).deltas, 1);
    const copying = (api: CoterieApi) => api.copy(workspace, files, '/f', '/g', { overwrite: false });
    // The folder, then what is in it: it is done with the last.
    assert.equal((await killedIn(copying, { after: 2 })).deltas, 2);
    assert.deepEqual([await names(), await names('/f'), await names('/g')], [['f', 'g'], ['b.txt'], ['b.txt']]);
    const removing = (api: CoterieApi) => api.remove(workspace, files, '/f', { recursive: true });
    assert.equal((await killedIn(removing)).deltas, 2);
    assert.deepEqual(await names(), ['g']);
  });

  it('L3 so is one that changes the workspace', async () => {
    const added = await killedIn((api) => api.addTool(workspace, 'chat', 'Aside'));
    assert.equal(added.deltas, 1);
    assert.deepEqual(
      (await info()).tools.map(({ id }) => id),
      [files, chat, added.answer],
    );
    assert.equal((await killedIn((api) => api.renameTool(workspace, chat, 'Talk'))).deltas, 1);
    assert.equal((await killedIn((api) => api.deleteTool(workspace, added.answer))).deltas, 1);
    assert.deepEqual(
      (await info()).tools.map(({ name }) => name),
      ['Files', 'Talk'],
    );
    assert.equal((await killedIn((api) => api.renameWorkspace(workspace, 'Gemini'))).deltas, 1);
    assert.equal((await info()).name, 'Gemini');
    const asked = (api: CoterieApi) => api.setPermission(workspace, { tool: chat }, 'add', 'guest', null);
    assert.equal((await killedIn(asked)).deltas, 1);
    assert.equal((await killedIn((api) => api.leaveWorkspace(workspace))).deltas, 1);
    assert.deepEqual(await alice.api.workspaces(), []);
  });

  it('L3 a workspace that was begun is finished, and no second one made', async () => {
    for (const after of [1, 2, 3]) {
      const name = `Made in ${after}`;
      const { answer } = await killedIn((api) => api.createWorkspace({ name }), { after });
      const made = (await alice.api.workspaces()).filter((one) => one.name === name);
      assert.deepEqual(
        made.map(({ id }) => id),
        [answer],
      );
      assert.deepEqual(
        made[0]!.tools.map((tool) => tool.kind),
        ['files', 'chat'],
      );
    }
  });

  it('L3, N1 of an invitation only the next one knows the secret: the one that nobody was told is revoked', async () => {
    const terms = { role: 'participant', expiresInMs: 60_000, uses: 1, confirm: false, scheme: 'vscode' } as const;
    const { answer, deltas } = await killedIn((api) => api.invite(workspace, terms));
    assert.equal(deltas, 3);
    const bob = await house.move('Bob');
    const done = bob.next((event) => event.type === 'join' && event.join.state === 'done');
    await bob.api.acceptInvitation(answer.link);
    await done;
    await house.converged(workspace, alice, bob);
  });

  it('L3, N3 who was let in is not asked about again', async () => {
    const bob = await house.move('Bob');
    const asked = alice.next((event) => event.type === 'joinRequest');
    const terms = { role: 'participant', expiresInMs: 60_000, uses: 1, confirm: true, scheme: 'vscode' } as const;
    const { link } = await alice.api.invite(workspace, terms);
    await bob.api.acceptInvitation(link);
    await asked;
    const [request] = await alice.api.joinRequests();
    await killedIn((api) => api.answerJoin(request!.id, true));
    await bob.until(async () => (await bob.info(workspace))?.state === 'open');
    assert.deepEqual((await info()).members.map(({ name }) => name).sort(), ['Alice', 'Bob']);
  });

  it('L3 what was not durable is made by the next one', async () => {
    const { answer, deltas } = await killedIn((api) => api.post(workspace, chat, 'Hello'), { durable: false });
    assert.deepEqual([deltas, await posts()], [1, [answer]]);
  });

  it('L3, L1 a third owner knows it too, and one that has written the journal anew', async () => {
    const between = async (): Promise<void> => {
      await alice.close();
      await alice.open({ compactAboveBytes: 0 });
      await alice.close();
      await alice.open();
    };
    const { answer, deltas } = await killedIn((api) => api.post(workspace, chat, 'Hello'), { between });
    assert.deepEqual([deltas, await posts()], [1, [answer]]);
  });

  it('L3 the same words under another key are another call', async () => {
    const under = (key: string) => alice.service.apiFor(key).post(workspace, chat, 'Hello');
    const first = await under('a');
    assert.deepEqual(await under('a'), first);
    assert.notEqual((await under('b')).id, first.id);
    assert.equal((await posts()).length, 2);
  });
});

describe('The memory of calls', () => {
  const delta = (number: number) => number.toString(16).padStart(64, '0') as DeltaId;

  it('L3 holds the last so many, in as many places', () => {
    const local = new LocalState();
    let calls = new MadeCalls(local);
    const count = MAX_MADE_CALLS + 10;
    for (let number = 0; number < count; number++) calls.note({ key: `call ${number}`, delta: delta(number) });
    calls = new MadeCalls(reloaded(local));
    assert.equal([...local.all()].length, MAX_MADE_CALLS);
    assert.equal(calls.find('call 9'), undefined);
    assert.equal(calls.find('call 10')?.delta, delta(10));
    assert.equal(calls.find(`call ${count - 1}`)?.delta, delta(count - 1));
    calls.note({ key: 'one more' });
    assert.deepEqual([calls.find('one more')?.delta, calls.find('call 10')], [undefined, undefined]);
  });

  it('L3 a key that makes something anew stands for the last', () => {
    const local = new LocalState();
    const calls = new MadeCalls(local);
    calls.note({ key: 'call', delta: delta(1) });
    calls.note({ key: 'call', delta: delta(2) });
    for (const memory of [calls, new MadeCalls(reloaded(local))]) assert.equal(memory.find('call')?.delta, delta(2));
    assert.equal([...local.all()].length, 1);
  });

  it('L3 what is none of its entries is passed over', () => {
    const local = new LocalState();
    new MadeCalls(local).note({ key: 'call', delta: delta(1) });
    const odd = [null, 'text', [1, 'a'], [-1, 'a', new Uint8Array(32)], [7, 'elsewhere', new Uint8Array(32)]];
    odd.forEach((value, at) => local.load(`made/${at + 1}`, value));
    const calls = new MadeCalls(local);
    assert.equal(calls.find('call')?.delta, delta(1));
    assert.equal(calls.find('elsewhere'), undefined);
  });
});

interface Killing {
  readonly after?: number;
  readonly durable?: boolean;
  /** Before the window finds the next owner. */
  between?(this: void): Promise<void>;
}

/** A journal whose process is killed at a point: after it nothing is written and nothing succeeds. */
class MortalLog implements LogStore {
  #inner: LogStore | undefined;
  #left = Infinity;
  #durable = true;
  #dead = false;
  #died: () => void = () => undefined;

  over(inner: LogStore): this {
    this.#inner = inner;
    return this;
  }

  /** When deltas have been written so many times; where that is not to be `durable`, instead of the last. */
  dieAfter(times: number, durable: boolean): Promise<void> {
    this.#left = times;
    this.#durable = durable;
    return new Promise((resolve) => (this.#died = resolve));
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    if (this.#dead) throw new StoreError('io', 'killed');
    const dies = records.some((bytes) => deltasIn(decodeRecord(bytes)!).length > 0) && --this.#left === 0;
    this.#dead = dies;
    if (!dies || this.#durable) await this.#inner!.append(records);
    if (!dies) return;
    this.#died();
    throw new StoreError('io', 'killed');
  }

  replay(each: (record: Uint8Array) => void): ReturnType<LogStore['replay']> {
    return this.#inner!.replay(each);
  }

  compact(records: Iterable<Uint8Array>): Promise<void> {
    return this.#inner!.compact(records);
  }

  get journalBytes(): number {
    return this.#inner!.journalBytes;
  }

  close(): Promise<void> {
    return this.#inner!.close();
  }
}

/** As a window's client is when it has found the owner. */
async function attached(window: ApiClient, person: Person): Promise<MessagePortDuplex> {
  const { port1, port2 } = new MessageChannel();
  const server = new ApiServer({ build: '', onFault: (fault) => person.faults.push(fault) });
  server.open(person.service);
  server.accept(new MessagePortDuplex(port2));
  const duplex = new MessagePortDuplex(port1);
  assert.equal(await window.attach(duplex), 'welcome');
  return duplex;
}

/** Different ones that the journal was given. */
function deltasOf(person: Person): number {
  return new Set(person.known().flatMap((record) => deltasIn(record).map(toHex))).size;
}

function reloaded(local: LocalState): LocalState {
  const again = new LocalState();
  for (const bytes of local.all()) {
    const record = decodeRecord(bytes);
    if (record?.kind === 'local') again.load(record.key, record.value);
  }
  return again;
}
