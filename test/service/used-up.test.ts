/** N3, K2: whom an invitation has let in that was used up by somebody else at the same time, or revoked. Real stores and sockets. */
import assert from 'node:assert/strict';
import { House, type Person } from './house.ts';

describe('Whom an invitation has let in that somebody else has used up', function () {
  this.timeout(30_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let carol: Person;
  let dave: Person;
  let apollo: string;
  let chat: string;

  const invitation = {
    role: 'participant',
    expiresInMs: 3_600_000,
    uses: 1,
    confirm: false,
    scheme: 'vscode',
  } as const;

  beforeEach(async () => {
    house = await House.build();
    [alice, bob] = [await house.move('Alice'), await house.move('Bob')];
    [carol, dave] = [await house.move('Carol'), await house.move('Dave')];
    apollo = await alice.api.createWorkspace({ name: 'Apollo' });
    chat = (await alice.tools(apollo))[1]!;
    await house.join(alice, bob, apollo, { confirm: false });
    await alice.api.setRole(apollo, (await bob.api.identity()).account, 'manager');
    const { link } = await alice.api.invite(apollo, invitation);
    await alice.api.post(apollo, chat, 'for members');
    await house.converged(apollo, alice, bob);
    // Two who do not hear of each other both let somebody in by it.
    const device = new Map<Person, string>();
    for (const person of [alice, bob, carol, dave]) device.set(person, (await person.api.identity()).device);
    const sides = [
      [alice, carol],
      [bob, dave],
    ] as const;
    for (const side of sides)
      for (const person of side) person.isLost = ({ from }) => !side.some((one) => device.get(one) === from);
    const done = [carol, dave].map((joiner) => joiner.next((e) => e.type === 'join' && e.join.state === 'done'));
    for (const joiner of [carol, dave]) await joiner.api.acceptInvitation(link);
    await Promise.all(done);
  });
  afterEach(() => house.close());

  it('N3 K2 is told so, his own work is kept, and another invitation lets him in again', async () => {
    await dave.api.post(apollo, chat, 'in good faith');
    await house.converged(apollo, bob, dave);
    const told = dave.notice('overtaken');
    for (const person of [alice, bob, carol, dave]) person.isLost = () => false;
    for (const person of [alice, bob]) await person.close();
    for (const person of [alice, bob]) await person.open();
    await house.converged(apollo, alice, bob, carol);
    const names = (await bob.info(apollo)).members.map(({ name }) => name);
    assert.deepEqual(names.sort(), ['Alice', 'Bob', 'Carol']);
    // Another word by which he is in might be right behind.
    await dave.until(async () => {
      dave.pass(61_000);
      return (await dave.api.closed()).length > 0;
    });
    assert.deepEqual((await told).detail, { name: 'Apollo', member: 'Alice' });
    const [closed] = await dave.api.closed();
    assert.deepEqual([closed!.how, closed!.work.map(({ text }) => text)], ['overtaken', ['in good faith']]);
    alice.aheadMs = dave.aheadMs;
    await house.join(alice, dave, apollo, { confirm: false });
    assert.deepEqual(await dave.api.putBack(apollo), { posts: 1, files: 0, deeds: 0, left: 0 });
    await carol.until(async () =>
      (await carol.api.chat(apollo, chat, { limit: 9 })).posts.some(({ text }) => text === 'in good faith'),
    );
  });
});
