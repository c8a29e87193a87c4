import assert from 'node:assert/strict';
import { House, type Person } from './house.ts';

describe('Nobody at home', function () {
  this.timeout(40_000);
  let house: House;
  let alice: Person;
  let bob: Person;

  beforeEach(async () => {
    house = await House.build();
    await house.startRelay();
  });
  afterEach(() => house.close());

  it('S4, R9 a new version for one who was there a moment ago comes by the relay, content included', async () => {
    alice = await house.move('Alice');
    bob = await house.move('Bob');
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [files, chat] = await alice.tools(workspace);
    await house.join(alice, bob, workspace, { confirm: true });
    const text = (word: string) => Buffer.from(`${word} Notes of the team.\n`);
    await alice.api.write(workspace, files!, '/notes.txt', text(''), { create: true, overwrite: false });
    await house.converged(workspace, alice, bob);
    await bob.close();
    await alice.api.write(workspace, files!, '/notes.txt', text('later'), { create: false, overwrite: true });
    await alice.api.post(workspace, chat!, 'See you tomorrow');
    await alice.until(async () => (await alice.api.workspaces())[0]!.sync.relayed === 1);
    await alice.close();
    await bob.open();
    await bob.until(async () => (await bob.api.chat(workspace, chat!, { limit: 9 })).posts.length === 1);
    await bob.until(async () => (await bob.api.stat(workspace, files!, '/notes.txt')).present);
    assert.deepEqual(Buffer.from(await bob.api.read(workspace, files!, '/notes.txt')), text('later'));
  });
});
