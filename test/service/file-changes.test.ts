/** F1, F2, F4: what is written, moved, copied, added and deleted where something else stands already: nothing is lost that nobody meant. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileChange } from '../../src/service/api.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { seededBytes } from '../fakes/seeded-bytes.ts';
import { House, type Person } from './house.ts';

describe('Files that meet others', function () {
  this.timeout(30_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let workspace: string;
  let files: string;

  beforeEach(async () => {
    house = await House.build();
    alice = await house.move('Alice');
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    [files] = (await alice.tools(workspace)) as [string];
  });
  afterEach(() => house.close());

  const upon = (base: string) => ({ create: false, overwrite: true, base });
  const copyOfAlice = (stem = 'a') => `/${stem} (conflict copy of Alice).txt`;

  async function withBob(): Promise<void> {
    bob = await house.move('Bob');
    await house.join(alice, bob, workspace, { confirm: false });
    await house.converged(workspace, alice, bob);
  }

  /** Each file with its text, each folder. */
  async function shows(person = alice, at = ''): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const { name, kind } of await person.api.list(workspace, files, at === '' ? '/' : at)) {
      const path = `${at}/${name}`;
      if (kind === 'folder') lines.push(path, ...(await shows(person, path)));
      else lines.push(`${path}: ${Buffer.from(await person.api.read(workspace, files, path)).toString()}`);
    }
    return lines.sort();
  }

  const write = (path: string, text: string, base: string) =>
    alice.api.write(workspace, files, path, Buffer.from(text), upon(base));

  /** /a.txt, in which stands the first of these, and conflict copies with the others. */
  async function conflict(...texts: readonly string[]): Promise<string> {
    const base = await alice.write(workspace, files, '/a.txt', 'base');
    for (const text of texts) await write('/a.txt', text, base);
    return base;
  }

  function changesOf(person: Person, from: number): readonly string[] {
    const changes = person.events
      .slice(from)
      .flatMap((event): readonly FileChange[] => (event.type === 'files' && event.tool === files ? event.changes : []));
    return changes.map(({ path, type }) => `${type} ${path}`).sort();
  }

  describe('deleted', () => {
    it('F2 a file goes alone: the conflict copy beside it stays under its own name, with everybody', async () => {
      await conflict('one', 'two');
      await withBob();
      assert.deepEqual(await shows(bob), [`${copyOfAlice()}: two`, '/a.txt: one']);
      const from = bob.events.length;
      await alice.api.remove(workspace, files, '/a.txt', { recursive: true });
      await house.converged(workspace, alice, bob);
      for (const person of [alice, bob]) assert.deepEqual(await shows(person), [`${copyOfAlice()}: two`]);
      assert.ok(changesOf(bob, from).includes('deleted /a.txt'));
      await alice.api.remove(workspace, files, copyOfAlice(), { recursive: false });
      assert.deepEqual(await shows(), []);
    });

    it('F2 a file that VS Code replaces, by deleting it first, takes no conflict copy with it', async () => {
      await conflict('one', 'two');
      await alice.write(workspace, files, '/b.txt', 'bee');
      await alice.api.remove(workspace, files, '/a.txt', { recursive: false });
      await alice.api.rename(workspace, files, '/b.txt', '/a.txt', { overwrite: true });
      assert.deepEqual(await shows(), [`${copyOfAlice()}: two`, '/a.txt: bee']);
    });

    it('F2 a folder goes with the conflict copies in it', async () => {
      await conflict('one', 'two');
      await alice.api.makeFolder(workspace, files, '/f');
      await alice.api.rename(workspace, files, '/a.txt', '/f/a.txt', { overwrite: false });
      assert.equal((await shows()).length, 3);
      await alice.api.remove(workspace, files, '/f', { recursive: true });
      assert.deepEqual(await shows(), []);
    });
  });

  describe('moved and copied onto others', () => {
    const over = { overwrite: true };
    const rename = (from: string, to: string, person = alice) => person.api.rename(workspace, files, from, to, over);
    const copy = (from: string, to: string, person = alice) => person.api.copy(workspace, files, from, to, over);

    it('F2 what is overwritten goes alone: the conflict copies beside it stay, by their name', async () => {
      await withBob();
      await conflict('one', 'two');
      await alice.write(workspace, files, '/b.txt', 'bee');
      await copy('/b.txt', '/a.txt');
      const copied = [`${copyOfAlice()}: two`, '/a.txt: bee', '/b.txt: bee'];
      assert.deepEqual(await shows(), copied);
      await conflict('one', 'two');
      await alice.write(workspace, files, '/b.txt', 'bee');
      const before = await shows();
      assert.equal(before.length, 4);
      await rename('/b.txt', '/a.txt');
      const renamed = before.filter((line) => !line.startsWith('/b.txt'));
      assert.deepEqual(
        await shows(),
        renamed.map((line) => (line.startsWith('/a.txt') ? '/a.txt: bee' : line)),
      );
      await house.converged(workspace, alice, bob);
      assert.deepEqual(await shows(bob), await shows());
    });

    it('F2 a conflict copy in place of the file beside it settles the conflict', async () => {
      await withBob();
      await conflict('one', 'two');
      await rename(copyOfAlice(), '/a.txt');
      await house.converged(workspace, alice, bob);
      for (const person of [alice, bob]) assert.deepEqual(await shows(person), ['/a.txt: two']);
      await conflict('one', 'two');
      await rename('/a.txt', copyOfAlice());
      assert.deepEqual(await shows(), [`${copyOfAlice()}: one`]);
    });

    it('F2 a conflict copy of several takes the place of the file, and the others stay', async () => {
      await conflict('one', 'two', 'three');
      const second = '/a (conflict copy of Alice) (2).txt';
      assert.deepEqual(await shows(), [`${second}: three`, `${copyOfAlice()}: two`, '/a.txt: one'].sort());
      await rename(second, '/a.txt');
      assert.deepEqual(await shows(), [`${copyOfAlice()}: two`, '/a.txt: three']);
    });

    it('F2 a conflict copy takes another name, or that of another file', async () => {
      await conflict('one', 'two');
      await alice.api.rename(workspace, files, copyOfAlice(), '/b.txt', { overwrite: false });
      assert.deepEqual(await shows(), ['/a.txt: one', '/b.txt: two']);
      await alice.api.remove(workspace, files, '/a.txt', { recursive: false });
      await conflict('three', 'four');
      await rename(copyOfAlice(), '/b.txt');
      assert.deepEqual(await shows(), ['/a.txt: three', '/b.txt: four']);
    });

    it('F1 nothing is overwritten by what is not here', async () => {
      await alice.write(workspace, files, '/y.txt', 'kept');
      const text = 'a line that is long enough to be worth a difference\n'.repeat(2_000);
      await alice.write(workspace, files, '/x.txt', text);
      await alice.write(workspace, files, '/x.txt', `${text}more`);
      await alice.api.makeFolder(workspace, files, '/f');
      await alice.api.copy(workspace, files, '/y.txt', '/f/y.txt', { overwrite: false });
      await alice.api.makeFolder(workspace, files, '/g');
      await rename('/x.txt', '/g/x.txt');
      await withBob();
      await bob.whole(workspace);
      await alice.close();
      await bob.close();
      for (const name of await readdir(bob.folder, { recursive: true })) {
        if (name.endsWith('.pack') || /chunks.*[0-9a-f]{64}$/.test(name)) await rm(join(bob.folder, name));
      }
      await bob.open();
      const before = (await bob.api.list(workspace, files, '/')).map(({ name }) => name).sort();
      await assert.rejects(copy('/g/x.txt', '/y.txt', bob), { code: 'notPresent' });
      await assert.rejects(copy('/g', '/f', bob), { code: 'notPresent' });
      assert.deepEqual((await bob.api.list(workspace, files, '/')).map(({ name }) => name).sort(), before);
      assert.deepEqual(
        (await bob.api.list(workspace, files, '/f')).map(({ name }) => name),
        ['y.txt'],
      );
    });

    it('F1 nothing is overwritten where there is no room for what takes its place', async () => {
      const disk = new MemoryDisk();
      await alice.close();
      await alice.open({ disk });
      workspace = await alice.api.createWorkspace({ name: 'Gemini' });
      [files] = (await alice.tools(workspace)) as [string];
      await alice.write(workspace, files, '/y.txt', 'kept');
      const bytes = seededBytes(200_000, 1);
      await alice.write(workspace, files, '/x.bin', bytes);
      await alice.write(workspace, files, '/x.bin', bytes.with(7, 7));
      disk.fail({ on: 'write', path: /chunks|pack/, code: 'full', times: Infinity });
      await assert.rejects(copy('/x.bin', '/y.txt'), { code: 'diskFull' });
      disk.faults.length = 0;
      assert.equal((await shows()).at(-1), '/y.txt: kept');
    });

    it('A5 who may not do all of it does nothing of it', async () => {
      await conflict('one', 'two');
      await alice.write(workspace, files, '/b.txt', 'bee');
      await withBob();
      await bob.write(workspace, files, '/mine.txt', 'mine');
      await house.converged(workspace, alice, bob);
      const before = await shows(bob);
      const refused = { code: 'notPermitted' };
      await assert.rejects(rename(copyOfAlice(), '/c.txt', bob), refused);
      await assert.rejects(rename('/mine.txt', '/b.txt', bob), refused);
      await assert.rejects(copy('/mine.txt', '/b.txt', bob), refused);
      assert.deepEqual(await shows(bob), before);
      // He may write, and so say which it is to be.
      await rename(copyOfAlice(), '/a.txt', bob);
      assert.deepEqual(await shows(bob), ['/a.txt: two', '/b.txt: bee', '/mine.txt: mine']);
    });

    it('F4 a folder does not give way to what is in it', async () => {
      await alice.api.makeFolder(workspace, files, '/f');
      await alice.write(workspace, files, '/f/a.txt', 'a');
      await assert.rejects(rename('/f/a.txt', '/f'), { code: 'notEmpty' });
      await assert.rejects(copy('/f/a.txt', '/f'), { code: 'notEmpty' });
      assert.deepEqual(await shows(), ['/f', '/f/a.txt: a']);
    });

    it('F4 a folder with all that is in it gives way to another, and to a file', async () => {
      for (const folder of ['/f', '/g', '/g/h']) await alice.api.makeFolder(workspace, files, folder);
      for (const path of ['/f/a.txt', '/g/b.txt', '/g/h/c.txt']) await alice.write(workspace, files, path, path);
      await copy('/g', '/f');
      const copied = ['/f', '/f/b.txt: /g/b.txt', '/f/h', '/f/h/c.txt: /g/h/c.txt'];
      const there = ['/g', '/g/b.txt: /g/b.txt', '/g/h', '/g/h/c.txt: /g/h/c.txt'];
      assert.deepEqual(await shows(), [...copied, ...there]);
      await rename('/f', '/g');
      assert.deepEqual(await shows(), there);
      await alice.write(workspace, files, '/z', 'zed');
      await rename('/z', '/g');
      assert.deepEqual(await shows(), ['/g: zed']);
    });
  });

  describe('saved', () => {
    it('F2 where another file stands by now: both stand, and what was read is there again', async () => {
      await withBob();
      const base = await alice.write(workspace, files, '/a.txt', 'base');
      await alice.write(workspace, files, '/b.tmp', 'unseen');
      await alice.api.rename(workspace, files, '/b.tmp', '/a.txt', { overwrite: true });
      const version = await write('/a.txt', 'typed upon base', base);
      await house.converged(workspace, alice, bob);
      for (const person of [alice, bob])
        assert.deepEqual(await shows(person), ['/a (2).txt: unseen', '/a.txt: typed upon base']);
      assert.equal((await alice.api.stat(workspace, files, '/a.txt')).version, version);
      // The next save builds upon that one.
      await write('/a.txt', 'typed on', version);
      assert.deepEqual(await shows(), ['/a (2).txt: unseen', '/a.txt: typed on']);
    });

    it('F2 where another file stands by now, and the one that was read has been moved: it goes there', async () => {
      const base = await alice.write(workspace, files, '/a.txt', 'base');
      await alice.api.rename(workspace, files, '/a.txt', '/old.txt', { overwrite: false });
      await alice.write(workspace, files, '/a.txt', 'unseen');
      await write('/a.txt', 'typed upon base', base);
      assert.deepEqual(await shows(), ['/a.txt: unseen', '/old.txt: typed upon base']);
    });

    it('F2 upon what was read, where it stands there as another file or version: nothing is doubled', async () => {
      await conflict('one', 'two');
      const { version } = await alice.api.stat(workspace, files, copyOfAlice());
      await alice.api.rename(workspace, files, copyOfAlice(), '/b.txt', { overwrite: false });
      await write('/b.txt', 'two and more', version);
      assert.deepEqual(await shows(), ['/a.txt: one', '/b.txt: two and more']);
      await conflict('one', 'two');
      const copy = await alice.api.stat(workspace, files, copyOfAlice());
      await alice.api.rename(workspace, files, copyOfAlice(), '/a.txt', { overwrite: true });
      await write('/a.txt', 'two and more', copy.version);
      assert.deepEqual(await shows(), ['/a.txt: two and more', '/b.txt: two and more']);
    });

    it('F2 upon what nobody knows any more: beside what stands there', async () => {
      await alice.write(workspace, files, '/a.txt', 'unseen');
      const version = await write('/a.txt', 'typed', '00'.repeat(32));
      assert.deepEqual(await shows(), ['/a (2).txt: typed', '/a.txt: unseen']);
      await write('/a.txt', 'typed on', version);
      assert.deepEqual(await shows(), ['/a (2).txt: typed on', '/a.txt: unseen']);
    });
  });

  describe('added from the disk', () => {
    let disk: string;
    beforeEach(async () => {
      disk = join(house.folder, 'disk', 'p');
      await mkdir(disk, { recursive: true });
    });

    async function put(path: string, text: string): Promise<void> {
      await mkdir(dirname(join(disk, path)), { recursive: true });
      await writeFile(join(disk, path), text);
    }
    const add = () => alice.api.importPaths(workspace, files, '/', [disk], randomUUID());
    const below = (lines: readonly string[]) => lines.map((line) => `/p${line}`);

    async function items(at = ''): Promise<readonly string[]> {
      const ids: string[] = [];
      for (const { item, kind, name } of await alice.api.list(workspace, files, at === '' ? '/' : at))
        ids.push(item, ...(kind === 'folder' ? await items(`${at}/${name}`) : []));
      return ids.sort();
    }

    it('F4 what differs in its case alone stays two, and each is brought up to date', async () => {
      const texts: string[] = [];
      // More than are added at once.
      const numbers = Array.from({ length: 80 }, (_, i) => i);
      for (const round of ['first', 'second']) {
        texts.length = 0;
        for (const folder of ['Docs', 'docs'])
          for (const name of ['A.txt', 'a.txt', ...numbers]) {
            texts.push(`${folder}/${name} ${round}`);
            await put(`${folder}/${name}`, texts.at(-1)!);
          }
        const before = round === 'second' ? await items() : undefined;
        await add();
        const lines = await shows();
        assert.deepEqual(
          lines.filter((line) => !line.includes(': ')),
          below(['', '/Docs', '/docs (2)']),
        );
        const shown = lines.filter((line) => line.includes(': '));
        assert.deepEqual(shown.map((line) => line.split(': ')[1]!).sort(), texts.sort());
        if (before) assert.deepEqual(await items(), before);
      }
    });

    it('F4 beside what others have given the same name in other letters', async () => {
      await alice.api.makeFolder(workspace, files, '/p');
      await alice.write(workspace, files, '/p/readme.md', 'theirs');
      await put('README.md', 'from the disk');
      for (let n = 0; n < 2; n++) {
        await add();
        assert.deepEqual(await shows(), below(['', '/README (2).md: from the disk', '/readme.md: theirs']));
      }
    });

    it('F4 what some system refuses is there once, however often it is added', async () => {
      for (const text of ['one', 'two', 'three']) {
        await put('12:30.txt', text);
        await put('what?/x.txt', text);
        const before = await items();
        await add();
        assert.deepEqual(await shows(), below(['', `/12_30.txt: ${text}`, '/what_', `/what_/x.txt: ${text}`]));
        if (text !== 'one') assert.deepEqual(await items(), before);
      }
      // And as it is shown to who exports it.
      await rm(disk, { recursive: true });
      await put('12_30.txt', 'four');
      await put('what_/x.txt', 'four');
      await add();
      assert.deepEqual(await shows(), below(['', '/12_30.txt: four', '/what_', '/what_/x.txt: four']));
      // Where both are there they are two.
      for (const name of ['12:30.txt', '12_30.txt']) await put(name, name);
      for (let n = 0; n < 2; n++) {
        await add();
        const texts = (await shows()).flatMap((line) => (line.startsWith('/p/12') ? line.split(': ')[1]! : []));
        assert.deepEqual(texts.sort(), ['12:30.txt', '12_30.txt']);
      }
    });

    it('F4 which of two names is which does not depend on the file that is read first', async () => {
      await put('12:30.txt', 'by its own name');
      await add();
      // The small one is read long before the other.
      const large = 'by its own name again'.repeat(200_000);
      for (const [name, text] of [['12:30.txt', large] as const, ['12_30.txt', 'small'] as const])
        await put(name, text);
      for (let n = 0; n < 2; n++) {
        await add();
        const lines = (await shows()).filter((line) => line.startsWith('/p/12'));
        assert.deepEqual(lines.map((line) => [line.slice(0, line.indexOf(':')), line.length > 1000]).sort(), [
          ['/p/12_30 (2).txt', false],
          ['/p/12_30.txt', true],
        ]);
      }
    });

    it('F4 a name with its marks apart is the one that has them joined, unless both are there', async () => {
      const [joined, apart] = ['caf\u00e9', 'cafe\u0301'];
      await put(`${joined}/${joined}.txt`, 'joined');
      await add();
      await rm(disk, { recursive: true });
      await put(`${apart}/${apart}.txt`, 'apart');
      await add();
      assert.deepEqual(await shows(), below(['', `/${joined}`, `/${joined}/${joined}.txt: apart`]));
      await rm(disk, { recursive: true });
      await alice.api.remove(workspace, files, '/p', { recursive: true });
      for (let n = 0; n < 2; n++) {
        await put(`${apart}.txt`, `apart ${n}`);
        await put(`${joined}.txt`, `joined ${n}`);
        await add();
        const lines = await shows();
        assert.deepEqual(
          lines.map((line) => line.split(': ')[1] ?? ''),
          ['', `apart ${n}`, `joined ${n}`],
        );
      }
    });

    it('F2 of a file with conflict copies the one that is shown plainly is brought up to date', async () => {
      await conflict('one', 'two');
      await alice.api.makeFolder(workspace, files, '/p');
      await alice.api.rename(workspace, files, '/a.txt', '/p/a.txt', { overwrite: false });
      await put('a.txt', 'from the disk');
      await add();
      const texts = (await shows()).slice(1).map((line) => line.split(': ')[1]);
      assert.deepEqual(texts.sort(), ['from the disk', 'two']);
    });

    it('F4 a file beside a folder of its name, and the other way round', async () => {
      await alice.api.makeFolder(workspace, files, '/p');
      await alice.api.makeFolder(workspace, files, '/p/x');
      await alice.write(workspace, files, '/p/y', 'theirs');
      await put('x', 'file');
      await put('y/z', 'in the folder');
      for (let n = 0; n < 2; n++) {
        await add();
        const expected = ['', '/x', '/x (2): file', '/y (2)', '/y (2)/z: in the folder', '/y: theirs'];
        assert.deepEqual(await shows(), below(expected));
      }
    });
  });
});
