/** F2, F3: files that are moved into another workspace while others work on them. */
import assert from 'node:assert/strict';
import type { CoterieApi } from '../../src/service/api.ts';
import { moveAcross } from '../../src/views/files/across.ts';
import { House, type Person } from '../service/house.ts';

describe('Files that are moved into another workspace', function () {
  this.timeout(20_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let apollo: string;
  let gemini: string;
  let shared: string;
  let own: string;

  beforeEach(async () => {
    house = await House.build();
    [alice, bob] = [await house.move('Alice'), await house.move('Bob')];
    [apollo, gemini] = [
      await alice.api.createWorkspace({ name: 'Apollo' }),
      await alice.api.createWorkspace({ name: 'Gemini' }),
    ];
    [shared, own] = [(await alice.tools(apollo))[0]!, (await alice.tools(gemini))[0]!];
    await house.join(alice, bob, apollo, { confirm: false });
  });
  afterEach(() => house.close());

  const move = (api: CoterieApi, path: string) =>
    moveAcross(api, { workspace: apollo, tool: shared, path }, { workspace: gemini, tool: own, path }, false);

  /** Alice's service, where something happens once she has copied a file of this name. */
  function copying(name: string, meanwhile: () => Promise<void>): CoterieApi {
    const write: CoterieApi['write'] = async (workspace, tool, path, ...rest) => {
      const version = await alice.api.write(workspace, tool, path, ...rest);
      if (path.endsWith(name)) await meanwhile();
      return version;
    };
    return { ...alice.api, write };
  }

  async function shows(workspace: string): Promise<readonly string[]> {
    const lines: string[] = [];
    const [tool] = (await alice.tools(workspace)) as [string];
    const walk = async (path: string): Promise<void> => {
      for (const { name, kind } of await alice.api.list(workspace, tool, path === '' ? '/' : path)) {
        const at = `${path}/${name}`;
        if (kind === 'folder') await walk(at);
        lines.push(
          kind === 'folder' ? at : `${at} ${Buffer.from(await alice.api.read(workspace, tool, at)).toString()}`,
        );
      }
    };
    await walk('');
    return lines.sort();
  }

  async function plans(): Promise<void> {
    await alice.api.makeFolder(apollo, shared, '/plans');
    await alice.api.makeFolder(apollo, shared, '/plans/old');
    for (const name of ['a', 'b', 'old/c']) await alice.write(apollo, shared, `/plans/${name}`, name);
    await house.converged(apollo, alice, bob);
  }
  const moved = ['/plans', '/plans/a a', '/plans/b b', '/plans/old', '/plans/old/c old/c'];

  it('F1 a large one is of one version in the copy, though another comes while it is read in slices', async () => {
    const [first, second] = [new Uint8Array(9_000_000).fill(1), new Uint8Array(9_500_000).fill(2)];
    await alice.api.write(apollo, shared, '/large.bin', first, { create: true, overwrite: false });
    let slices = 0;
    const read: CoterieApi['read'] = async (...asked) => {
      const bytes = await alice.api.read(...asked);
      if (++slices === 1)
        await alice.api.write(apollo, shared, '/large.bin', second, { create: false, overwrite: true });
      return bytes;
    };
    assert.equal(await move({ ...alice.api, read }, '/large.bin'), true);
    const copy = await alice.api.read(gemini, own, '/large.bin');
    assert.equal(Buffer.compare(copy, second), 0);
    assert.deepEqual(await shows(apollo), []);
  });

  it('go with all that is in them where nobody changes anything', async () => {
    await plans();
    assert.equal(await move(alice.api, '/plans'), true);
    assert.deepEqual([await shows(apollo), await shows(gemini)], [[], moved]);
  });

  it('F2 leave what another member saves and adds meanwhile, and the folders that hold it', async () => {
    await plans();
    const api = copying('/b', async () => {
      await bob.write(apollo, shared, '/plans/a', 'changed by Bob');
      await bob.write(apollo, shared, '/plans/new', 'added by Bob');
      await house.converged(apollo, alice, bob);
    });
    assert.equal(await move(api, '/plans'), false);
    assert.deepEqual(await shows(apollo), ['/plans', '/plans/a changed by Bob', '/plans/new added by Bob']);
    assert.deepEqual(await shows(gemini), moved);
    assert.deepEqual(await house.converged(apollo, alice, bob), await bob.listing(apollo));
  });

  it('F2 leave the conflict copy that has come to stand beside one meanwhile', async () => {
    const base = await alice.write(apollo, shared, '/a', Buffer.from([0, 1, 2]));
    await alice.write(apollo, shared, '/a', Buffer.from([0, 1, 3]));
    await house.converged(apollo, alice, bob);
    const api = copying('/a', async () => {
      const options = { create: false, overwrite: true, base };
      await bob.api.write(apollo, shared, '/a', Buffer.from('Bob’s own'), options);
      await alice.until(async () => (await alice.api.list(apollo, shared, '/')).length === 2);
    });
    assert.equal(await move(api, '/a'), false);
    assert.equal((await shows(apollo)).length, 1);
    assert.equal((await shows(gemini)).length, 1);
    assert.notDeepEqual(await shows(apollo), await shows(gemini));
  });

  it('F2 go with the conflict copies that stood beside them before', async () => {
    await alice.api.makeFolder(apollo, shared, '/plans');
    const base = await alice.write(apollo, shared, '/plans/a', Buffer.from([0, 1, 2]));
    await alice.write(apollo, shared, '/plans/a', Buffer.from([0, 1, 3]));
    await house.converged(apollo, alice, bob);
    await bob.api.write(apollo, shared, '/plans/a', Buffer.from('Bob’s own'), { create: false, overwrite: true, base });
    await alice.until(async () => (await alice.api.list(apollo, shared, '/plans')).length === 2);
    const before = await shows(apollo);
    assert.equal(await move(alice.api, '/plans'), true);
    assert.deepEqual([await shows(apollo), await shows(gemini)], [[], before]);
  });
});
