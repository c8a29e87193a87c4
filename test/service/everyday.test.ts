/** What a team does all day (S1–S4, F2–F4, L1): three members, moved files, counts, long journals, many small edits. */
import assert from 'node:assert/strict';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileChange } from '../../src/service/api.ts';
import type { LogStore } from '../../src/sync/ports.ts';
import { seededBytes } from '../fakes/seeded-bytes.ts';
import { House, type Person } from './house.ts';

describe('A team', function () {
  this.timeout(40_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let workspace: string;
  let files: string;
  let chat: string;

  async function two(): Promise<void> {
    alice = await house.move('Alice');
    bob = await house.move('Bob');
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    [files, chat] = (await alice.tools(workspace)) as [string, string];
    await house.join(alice, bob, workspace, { confirm: false });
  }

  beforeEach(async () => (house = await House.build()));
  afterEach(() => house.close());

  it('S1, N4 of three: one lets the next in while the first is away, who finds all the same when he returns', async () => {
    await two();
    await alice.write(workspace, files, '/from alice.bin', seededBytes(2_500_000, 1));
    await alice.api.post(workspace, chat, 'I am off');
    await house.converged(workspace, alice, bob);
    await alice.close();
    const carol = await house.move('Carol');
    await house.join(bob, carol, workspace, { confirm: false });
    await carol.write(workspace, files, '/from carol.txt', 'hello\n');
    await carol.api.post(workspace, chat, 'I am new');
    await house.converged(workspace, bob, carol);
    await alice.open();
    await alice.until(async () => (await alice.info(workspace)).members.length === 3);
    await alice.until(async () => (await alice.api.list(workspace, files, '/')).length === 2);
    const listing = await house.converged(workspace, alice, bob, carol);
    assert.equal(listing.length, 4);
    await bob.until(async () => (await bob.info(workspace)).sync.inSync === 2);
  });

  it('S4, T2 of three with a relay: the one who returns learns where the new one is, and all know that they are in step', async function () {
    // Presence may be lost on its way; it comes again every 30 s.
    this.timeout(80_000);
    await house.startRelay();
    await two();
    await house.converged(workspace, alice, bob);
    await alice.close();
    const carol = await house.move('Carol');
    await house.join(bob, carol, workspace, { confirm: false });
    await carol.write(workspace, files, '/from carol.bin', seededBytes(900_000, 8));
    await alice.open();
    await alice.until(async () => (await alice.listing(workspace)).length === 1);
    await house.converged(workspace, alice, bob, carol);
    for (const person of [alice, bob, carol])
      await person.until(async () => (await person.info(workspace)).sync.inSync === 2);
  });

  it('F2 a folder that is deleted with all that is in it shows no more, whoever has looked into it', async () => {
    await two();
    const folders = ['/plans', '/plans/old', '/plans/old/deep'];
    for (const path of folders) await alice.api.makeFolder(workspace, files, path);
    for (const path of folders) await alice.write(workspace, files, `${path}/notes.txt`, 'what is planned\n');
    await house.converged(workspace, alice, bob);
    const shown = async (person: Person, path: string) =>
      (await person.api.list(workspace, files, path)).map(({ name }) => name).toSorted();
    for (const person of [alice, bob])
      for (const path of folders) assert.ok((await shown(person, path)).includes('notes.txt'));
    await alice.api.remove(workspace, files, '/plans/old', { recursive: true });
    await house.converged(workspace, alice, bob);
    for (const person of [alice, bob]) assert.deepEqual(await shown(person, '/plans'), ['notes.txt']);
    await alice.api.remove(workspace, files, '/plans', { recursive: true });
    await house.converged(workspace, alice, bob);
    for (const person of [alice, bob]) assert.deepEqual(await shown(person, '/'), []);
  });

  /** What Bob's window hears until his copy is as Alice's. */
  async function heard(act: () => Promise<unknown>): Promise<readonly string[]> {
    const from = bob.events.length;
    await act();
    await house.converged(workspace, alice, bob);
    const changes = bob.events
      .slice(from)
      .flatMap((event): readonly FileChange[] => (event.type === 'files' && event.tool === files ? event.changes : []));
    // A folder that comes or goes brings its content along, whether that is said or not.
    const outer = changes.filter(({ type }) => type !== 'changed').map(({ path }) => `${path}/`);
    const told = changes.filter(({ path }) => !outer.some((folder) => path.startsWith(folder)));
    return [...new Set(told.map(({ path, type }) => `${type} ${path}`))].sort();
  }

  it('F4 renamed, moved, copied and deleted: the other side hears exactly that', async () => {
    await two();
    await alice.api.makeFolder(workspace, files, '/docs');
    await alice.write(workspace, files, '/docs/a.txt', 'a\n');
    await alice.api.makeFolder(workspace, files, '/old');
    await house.converged(workspace, alice, bob);
    const keep = { overwrite: false };
    const { api } = alice;
    assert.deepEqual(await heard(() => alice.write(workspace, files, '/docs/a.txt', 'more\n')), [
      'changed /docs/a.txt',
    ]);
    assert.deepEqual(await heard(() => api.rename(workspace, files, '/docs/a.txt', '/docs/b.txt', keep)), [
      'created /docs/b.txt',
      'deleted /docs/a.txt',
    ]);
    assert.deepEqual(await heard(() => api.rename(workspace, files, '/docs/b.txt', '/old/b.txt', keep)), [
      'created /old/b.txt',
      'deleted /docs/b.txt',
    ]);
    assert.deepEqual(await heard(() => api.rename(workspace, files, '/old', '/new', keep)), [
      'created /new',
      'deleted /old',
    ]);
    assert.deepEqual(await heard(() => api.copy(workspace, files, '/new', '/docs/copy', keep)), ['created /docs/copy']);
    assert.equal(Buffer.from(await bob.api.read(workspace, files, '/docs/copy/b.txt')).toString(), 'more\n');
    await assert.rejects(api.remove(workspace, files, '/docs', { recursive: false }), { code: 'notEmpty' });
    assert.ok(
      (await heard(() => api.remove(workspace, files, '/docs', { recursive: true }))).includes('deleted /docs'),
    );
    const listing = await house.converged(workspace, alice, bob);
    assert.deepEqual(
      listing.map((line) => line.split(' ')[0]),
      ['/new', '/new/b.txt'],
    );
  });

  it('D4 what is too long is refused where it is typed, and nothing is written', async () => {
    await two();
    const written = alice.records.length;
    const { api } = alice;
    await assert.rejects(api.post(workspace, chat, 'x'.repeat(33_000)), { code: 'tooLarge' });
    await assert.rejects(api.post(workspace, chat, '   '), { code: 'badName' });
    await assert.rejects(api.makeFolder(workspace, files, `/${'ü'.repeat(128)}`), { code: 'badName' });
    await assert.rejects(api.renameWorkspace(workspace, 'n'.repeat(256)), { code: 'badName' });
    await assert.rejects(api.createWorkspace({ name: '  ' }), { code: 'badName' });
    for (const name of ['..', 'a\u0000b'])
      await assert.rejects(api.makeFolder(workspace, files, `/${name}`), { code: 'badName' });
    assert.equal(alice.records.length, written);
  });

  it('S4 a post is shown as sent when everybody has it, each for itself, across a restart', async () => {
    const [alice, bob] = [await house.move('Alice'), await house.move('Bob')];
    const apollo = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, apollo, { confirm: false });
    const [, chat] = await alice.tools(apollo);
    await alice.api.post(apollo, chat!, 'first');
    const deliveries = async () => {
      const { posts } = await alice.api.chat(apollo, chat!, { limit: 10 });
      return posts.map(({ text, delivery }) => `${text} ${delivery}`);
    };
    await alice.until(async () => (await deliveries()).join() === 'first sent');
    await bob.close();
    await alice.api.post(apollo, chat!, 'second');
    assert.deepEqual(await deliveries(), ['first sent', 'second waiting']);
    await alice.close();
    await alice.open();
    assert.deepEqual(await deliveries(), ['first sent', 'second waiting']);
    const delivered = alice.next(
      (e) => e.type === 'chat' && e.posts.some(({ text, delivery }) => text === 'second' && delivery === 'sent'),
    );
    await bob.open();
    await delivered;
    assert.deepEqual(await deliveries(), ['first sent', 'second sent']);
  });

  it('D6 a post says where it stands in the order of the chat, whatever its author’s clock says', async () => {
    [alice, bob] = [await house.move('Alice'), await house.move('Bob', { clockBehindMs: 60 * 60_000 })];
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    [, chat] = (await alice.tools(workspace)) as [string, string];
    await house.join(alice, bob, workspace, { confirm: false });
    const told: number[] = [];
    for (const [from, to, text] of [
      [alice, bob, 'one'],
      [alice, bob, 'two'],
      [bob, alice, 'three'],
      [bob, alice, 'four'],
    ] as const) {
      const comes = to.next((e) => e.type === 'chat' && e.posts.some((post) => post.text === text));
      await from.api.post(workspace, chat, text);
      const event = await comes;
      if (event.type === 'chat') told.push(...event.posts.map(({ height }) => height));
    }
    const { posts } = await alice.api.chat(workspace, chat, { limit: 9 });
    assert.deepEqual(
      posts.map(({ text }) => text),
      ['one', 'two', 'three', 'four'],
    );
    const heights = posts.map(({ height }) => height);
    assert.deepEqual(
      heights,
      [...new Set(heights)].toSorted((a, b) => a - b),
    );
    assert.deepEqual(told, heights);
    assert.ok(posts[2]!.time < posts[1]!.time);
  });

  it('counts what is unread, across a restart, and not what is gone', async () => {
    await two();
    const posts = [];
    for (let i = 0; i < 4; i++) posts.push(await alice.api.post(workspace, chat, `post ${i}`));
    await alice.write(workspace, files, '/a.txt', 'a\n');
    await alice.write(workspace, files, '/b.txt', 'b\n');
    const unread = async () => (await bob.info(workspace)).tools.map((tool) => tool.unread);
    await bob.until(async () => (await unread()).join() === '2,4');
    assert.equal((await bob.info(workspace)).unread, 6);
    await bob.api.markSeen(workspace, chat, posts[0]!.id);
    await bob.api.read(workspace, files, '/a.txt');
    await alice.api.deletePost(workspace, chat, posts[1]!.id);
    await bob.until(async () => (await unread()).join() === '1,2');
    await bob.close();
    await bob.open();
    assert.deepEqual(await unread(), [1, 2]);
    await bob.api.markSeen(workspace, chat);
    await alice.api.remove(workspace, files, '/b.txt', { recursive: false });
    await bob.until(async () => (await unread()).join() === '0,0');
    await bob.close();
    await bob.open();
    assert.deepEqual(await unread(), [0, 0]);
    assert.equal((await alice.info(workspace)).unread, 0);
  });

  it('stops adding when told to: what was added stays, whole, and the report says so', async () => {
    await two();
    const folder = join(house.folder, 'many');
    await mkdir(folder);
    for (let i = 0; i < 200; i++) await writeFile(join(folder, `f${i}.txt`), `file ${i}\n`);
    const started = alice.next((e) => e.type === 'import' && e.doneFiles >= 5);
    const adding = alice.api.importPaths(workspace, files, '/', [folder], 'op');
    await started;
    await alice.api.cancel('op');
    const report = await adding;
    assert.equal(report.cancelled, true);
    const listing = await house.converged(workspace, alice, bob);
    assert.ok(listing.length > 1 && listing.length < 201);
    assert.equal(listing.length - 1, report.files);
    const again = await alice.api.importPaths(workspace, files, '/', [folder], 'op2');
    assert.equal(again.files, 200);
    assert.equal((await house.converged(workspace, alice, bob)).length, 201);
  });

  it('F1 a file that changes while it is added: as it was at one moment, or left out and said', async () => {
    await two();
    const path = join(house.folder, 'growing.log');
    await writeFile(path, seededBytes(3_000_000, 5));
    let growing = true;
    const grow = (async () => {
      while (growing) await appendFile(path, 'x'.repeat(1_000));
    })();
    const report = await alice.api.importPaths(workspace, files, '/', [path], 'op');
    growing = false;
    await grow;
    assert.equal(report.files + report.skipped.length, 1);
    for (const skipped of report.skipped) assert.equal(skipped.reason, 'kept changing');
    const listing = await house.converged(workspace, alice, bob);
    assert.equal(listing.length, report.files);
  });

  it('L1 a long journal is compacted at the start, and all is there', async () => {
    await two();
    for (let i = 0; i < 60; i++)
      await alice.write(workspace, files, '/note.txt', `version ${i}\n${'line\n'.repeat(200)}`);
    await alice.api.post(workspace, chat, 'kept');
    const before = await house.converged(workspace, alice, bob);
    await alice.close();
    await alice.open({ compactAboveBytes: 1_000 });
    assert.deepEqual(await alice.listing(workspace), before);
    await alice.api.post(workspace, chat, 'after');
    await alice.close();
    await alice.open();
    await bob.api.post(workspace, chat, 'heard');
    const after = await house.converged(workspace, alice, bob);
    assert.equal(after.length, before.length + 2);
    assert.deepEqual([alice.notices, bob.notices], [[], []]);
  });

  it('L1 a journal that grows though nothing leaves the log, since somebody is away, is compacted all the same', async () => {
    await two();
    await bob.close();
    await alice.close();
    let [grown, compacted] = [false, 0];
    const around = (log: LogStore): LogStore => ({
      replay: (each) => log.replay(each),
      append: (records) => log.append(records),
      compact: async (records) => {
        await log.compact(records);
        compacted++;
        grown = false;
      },
      get journalBytes() {
        return grown ? 65 * 1024 * 1024 : log.journalBytes;
      },
      close: () => log.close(),
    });
    await alice.open({ around });
    await alice.api.post(workspace, chat, 'while Bob is away');
    alice.pass(30_000);
    assert.equal(compacted, 0);
    grown = true;
    alice.pass(30_000);
    alice.pass(30_000);
    await alice.close();
    assert.equal(compacted, 1);
  });

  it('L1 D1 a workspace that is being founded while the journal is written anew is in it', async () => {
    let [grown, isFounding] = [false, false];
    let compacted = () => {};
    const around = (log: LogStore): LogStore => ({
      replay: (each) => log.replay(each),
      append: async (records) => {
        await log.append(records);
        if (!isFounding) return;
        isFounding = false;
        grown = true;
        const done = new Promise<void>((resolve) => (compacted = resolve));
        alice.pass(30_000);
        await done;
      },
      compact: async (records) => {
        await log.compact(records);
        grown = false;
        compacted();
      },
      get journalBytes() {
        return grown ? 65 * 1024 * 1024 : log.journalBytes;
      },
      close: () => log.close(),
    });
    alice = await house.move('Alice', { around });
    isFounding = true;
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [, chat] = (await alice.tools(workspace)) as [string, string];
    await alice.api.post(workspace, chat, 'kept');
    await alice.close();
    await alice.open();
    assert.equal((await alice.listing(workspace)).length, 1);
  });

  it('F4 nothing is renamed onto a name that some system takes for another’s; by its own name in other letters it can be', async () => {
    alice = await house.move('Alice');
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    [files] = (await alice.tools(workspace)) as [string];
    for (const name of ['/readme.md', '/notes.md']) await alice.write(workspace, files, name, `${name}\n`);
    for (const overwrite of [false, true])
      await assert.rejects(alice.api.rename(workspace, files, '/notes.md', '/README.md', { overwrite }), {
        code: 'exists',
      });
    await alice.api.rename(workspace, files, '/readme.md', '/ReadMe.md', { overwrite: false });
    const names = (await alice.api.list(workspace, files, '/')).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['ReadMe.md', 'notes.md']);
  });

  it('S1 many small edits of two people make no storm of messages', async () => {
    let messages = 0;
    let bytes = 0;
    const tap = (direction: 'sent' | 'received', path: string, one: Uint8Array) => {
      if (direction !== 'sent' || path !== 'direct') return;
      messages++;
      bytes += one.length;
    };
    alice = await house.move('Alice', { tap });
    bob = await house.move('Bob', { tap });
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    [files, chat] = (await alice.tools(workspace)) as [string, string];
    await house.join(alice, bob, workspace, { confirm: false });
    await house.converged(workspace, alice, bob);
    const edits = 100;
    [messages, bytes] = [0, 0];
    for (let i = 0; i < edits; i++) {
      await Promise.all([alice.api.post(workspace, chat, `alice ${i}`), bob.api.post(workspace, chat, `bob ${i}`)]);
    }
    await house.converged(workspace, alice, bob);
    for (const person of [alice, bob]) await person.until(async () => (await person.info(workspace)).sync.inSync === 1);
    // A delta and its acknowledgement; deltas that cross add some.
    assert.ok(messages <= edits * 2 * 4, `${messages} messages for ${edits * 2} edits`);
    assert.ok(bytes <= edits * 2 * 3_000, `${bytes} bytes`);
  });
});
