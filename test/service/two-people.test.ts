import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { House, type Person } from './house.ts';

describe('Two people share files and chat', function () {
  this.timeout(60_000);
  let house: House;
  let alice: Person;
  let bob: Person;

  beforeEach(async () => {
    house = await House.build();
  });
  afterEach(() => house.close());

  it('N1-N4 joins directly, with confirmation, and holds the same copy (S1)', async () => {
    alice = await house.move('Alice');
    bob = await house.move('Bob');
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [files, chat] = await alice.tools(workspace);
    await alice.api.write(workspace, files!, '/hello.txt', Buffer.from('hello\n'), { create: true, overwrite: false });
    await alice.api.post(workspace, chat!, 'first');
    await house.join(alice, bob, workspace, { confirm: true });
    assert.equal(Buffer.from(await bob.api.read(workspace, files!, '/hello.txt')).toString(), 'hello\n');
    assert.deepEqual(
      (await bob.api.chat(workspace, chat!, { limit: 10 })).posts.map((p) => p.text),
      ['first'],
    );
    const arrived = bob.next((e) => e.type === 'chat' && e.posts.some((p) => p.text === 'second'));
    await alice.api.post(workspace, chat!, 'second');
    await arrived;
    const back = alice.next((e) => e.type === 'chat' && e.posts.some((p) => p.text === 'from Bob'));
    await bob.api.post(workspace, chat!, 'from Bob');
    await back;
  });

  it('S4, R9 nobody at home: everything comes by the relay, content included', async () => {
    await house.startRelay();
    alice = await house.move('Alice');
    bob = await house.move('Bob', { direct: false });
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [files, chat] = await alice.tools(workspace);
    await house.join(alice, bob, workspace, { confirm: false });
    await bob.close();
    const bytes = randomBytes(3_000_000);
    await alice.api.write(workspace, files!, '/big.bin', bytes, { create: true, overwrite: false });
    await alice.api.post(workspace, chat!, 'while you were away');
    await alice.until(async () => (await alice.api.workspaces())[0]!.sync.relayed === 1);
    await alice.close();
    await bob.open({ direct: false });
    await bob.until(async () => (await bob.api.chat(workspace, chat!, { limit: 9 })).posts.length === 1);
    await bob.until(async () => (await bob.api.stat(workspace, files!, '/big.bin')).present);
    assert.deepEqual(Buffer.from(await bob.api.read(workspace, files!, '/big.bin')), bytes);
  });

  it('L1 everything is there after a restart, before any network', async () => {
    alice = await house.move('Alice');
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [files, chat] = await alice.tools(workspace);
    const folder = join(house.folder, 'real');
    await mkdir(join(folder, 'deep', 'ünïcode'), { recursive: true });
    for (let i = 0; i < 30; i++) await writeFile(join(folder, 'deep', `f${i}.txt`), `file ${i}\n`);
    await writeFile(join(folder, 'deep', 'ünïcode', 'empty'), '');
    const report = await alice.api.importPaths(workspace, files!, '/', [folder], 'op1');
    assert.equal(report.files, 31);
    await alice.api.post(workspace, chat!, 'kept');
    await alice.close();
    await alice.open({ direct: false });
    assert.equal((await alice.api.list(workspace, files!, '/real/deep')).length, 31);
    assert.equal(Buffer.from(await alice.api.read(workspace, files!, '/real/deep/f7.txt')).toString(), 'file 7\n');
    assert.equal((await alice.api.chat(workspace, chat!, { limit: 9 })).posts[0]!.text, 'kept');
  });

  it('F2 both changed it: a conflict copy, nothing lost', async () => {
    alice = await house.move('Alice');
    bob = await house.move('Bob');
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [files] = await alice.tools(workspace);
    await alice.api.write(workspace, files!, '/a.txt', Buffer.from('base\n'), { create: true, overwrite: false });
    await house.join(alice, bob, workspace, { confirm: false });
    const base = (await alice.api.stat(workspace, files!, '/a.txt')).version;
    await Promise.all([
      alice.api.write(workspace, files!, '/a.txt', Buffer.from('alice\n'), { create: false, overwrite: true, base }),
      bob.api.write(workspace, files!, '/a.txt', Buffer.from('bob\n'), { create: false, overwrite: true, base }),
    ]);
    for (const person of [alice, bob])
      await person.until(async () => {
        const entries = await person.api.list(workspace, files!, '/');
        return entries.length === 2 && entries.every((e) => e.present);
      });
    const names = async (p: Person) => (await p.api.list(workspace, files!, '/')).map((e) => e.name).sort();
    assert.deepEqual(await names(alice), await names(bob));
    const texts = await Promise.all(
      (await names(bob)).map(async (n) => Buffer.from(await bob.api.read(workspace, files!, `/${n}`)).toString()),
    );
    assert.deepEqual(texts.sort(), ['alice\n', 'bob\n']);
  });

  it('F2 who has changed a file at the same time as somebody else is told so, once, and nobody else is', async () => {
    [alice, bob] = [await house.move('Alice'), await house.move('Bob')];
    const carol = await house.move('Carol');
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [files] = await alice.tools(workspace);
    const base = await alice.write(workspace, files!, '/a.txt', 'base\n');
    await alice.write(workspace, files!, '/b.txt', 'alone\n');
    const write = (person: Person, path: string, text: string, upon: string) =>
      person.api.write(workspace, files!, path, Buffer.from(text), { create: false, overwrite: true, base: upon });
    // One's own versions beside each other are nobody else's.
    const { version } = await alice.api.stat(workspace, files!, '/b.txt');
    await write(alice, '/b.txt', 'first\n', version);
    await write(alice, '/b.txt', 'second\n', version);
    for (const person of [bob, carol]) await house.join(alice, person, workspace, { confirm: false });
    await Promise.all([write(alice, '/a.txt', 'alice\n', base), write(bob, '/a.txt', 'bob\n', base)]);
    await house.converged(workspace, alice, bob, carol);
    const copy = (await carol.api.list(workspace, files!, '/')).find(
      ({ name, conflictOf }) => conflictOf !== undefined && name.startsWith('a '),
    );
    // Saved again beside the copy, it is the same conflict.
    const { version: shown } = await bob.api.stat(workspace, files!, '/a.txt');
    await write(bob, '/a.txt', 'more\n', shown);
    await house.converged(workspace, alice, bob, carol);
    const told = (person: Person) =>
      person.notices
        .filter(({ code }) => code === 'conflict')
        .map(({ workspace: where, detail }) => ({ where, detail }));
    const of = (member: string) => ({
      where: workspace,
      detail: { name: 'Apollo', member, tool: files!, path: '/a.txt', copy: `/${copy!.name}` },
    });
    assert.deepEqual(told(alice), [of('Bob')]);
    assert.deepEqual(told(bob), [of('Alice')]);
    assert.deepEqual(told(carol), []);
  });
});
