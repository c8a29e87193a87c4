/** F1, F2, F4: what is written, moved, copied, added and deleted where something else stands already: nothing is lost that nobody meant. */
import assert from 'node:assert/strict';
import type { FileChange } from '../../src/service/api.ts';
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
    it('F2 a file goes alone: the conflict copy beside it takes its name, with everybody', async () => {
      await conflict('one', 'two');
      await withBob();
      assert.deepEqual(await shows(bob), [`${copyOfAlice()}: two`, '/a.txt: one']);
      const from = bob.events.length;
      await alice.api.remove(workspace, files, '/a.txt', { recursive: true });
      await house.converged(workspace, alice, bob);
      for (const person of [alice, bob]) assert.deepEqual(await shows(person), ['/a.txt: two']);
      // A tab on the path shows what stands there now.
      assert.deepEqual(changesOf(bob, from), ['changed /a.txt', `deleted ${copyOfAlice()}`]);
      await alice.api.remove(workspace, files, '/a.txt', { recursive: false });
      assert.deepEqual(await shows(), []);
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
});
