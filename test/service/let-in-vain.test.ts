/** K2, A4: whom somebody has let in who was out himself, and had not heard it. Real stores and sockets. */
import assert from 'node:assert/strict';
import type { DeviceId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { deltasIn } from '../../src/service/records.ts';
import { capabilityOf, epochOf } from '../../src/sync/epoch.ts';
import { sealSaid } from '../../src/sync/signed.ts';
import { House, type Person } from './house.ts';

const crypto = nodeCrypto();
const MINUTE_MS = 60_000;

describe('Whom somebody has let in who was out himself', function () {
  this.timeout(30_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let dave: Person;
  let apollo: string;
  let chat: string;

  const texts = async (person: Person) =>
    (await person.api.chat(apollo, chat, { limit: 99 })).posts.map(({ text }) => text);

  /** Alice, who does not know him, tells him something under the key that he was let in with. */
  async function bring(run: readonly Uint8Array[]): Promise<void> {
    const [from, to] = [await alice.api.identity(), await dave.api.identity()].map(({ device }) => device as DeviceId);
    const epoch = alice.known().find((record) => record.kind === 'local' && record.key.startsWith(`epoch/${apollo}/`));
    assert.ok(epoch?.kind === 'local' && epoch.value instanceof Uint8Array);
    const { key, tag } = epochOf(crypto, epoch.value);
    const seed = Buffer.from(alice.secrets.signingSeed, 'base64url');
    const seal = { key, tag, workspace: apollo as WorkspaceId };
    const bytes = sealSaid(crypto, { device: from!, seed }, seal, 'relay', { kind: 'deltas', runs: [run] });
    const recipient = { device: to!, relay: house.relay!.address, capability: capabilityOf(crypto, key, to!) };
    for (const person of [alice, dave])
      await person.until(async () => (await person.api.relay()).state === 'connected');
    assert.deepEqual(await alice.transport!.submit([recipient], bytes, { ephemeral: false }), ['ok']);
  }

  beforeEach(async () => {
    house = await House.build();
    [alice, bob, dave] = [await house.move('Alice'), await house.move('Bob'), await house.move('Dave')];
    apollo = await alice.api.createWorkspace({ name: 'Apollo' });
    chat = (await alice.tools(apollo))[1]!;
    await house.join(alice, bob, apollo, { confirm: false });
    await alice.api.post(apollo, chat, 'for members');
    await house.converged(apollo, alice, bob);
    await bob.close();
    await alice.api.removeMember(apollo, (await alice.info(apollo)).members.find(({ self }) => !self)!.account);
    await alice.close();
    // He has not heard it.
    await bob.open();
    await house.join(bob, dave, apollo, { confirm: false });
    await dave.api.post(apollo, chat, 'in good faith');
    for (const person of [bob, dave]) await person.close();
    await dave.takes(apollo, alice.known().flatMap(deltasIn));
  });
  afterEach(() => house.close());

  it('K2 A4 is told so when nothing more comes; his own work is kept, and he may be invited anew', async () => {
    await dave.open();
    dave.pass(MINUTE_MS / 2);
    assert.deepEqual(await dave.api.closed(), [], 'another word by which he is in may be right behind');
    dave.pass(MINUTE_MS);
    const told = await dave.notice('letInVain');
    assert.deepEqual(told.detail, { name: 'Apollo', member: 'Alice' });
    assert.equal(await dave.info(apollo), undefined);
    const [closed] = await dave.api.closed();
    assert.deepEqual([closed!.how, closed!.by], ['letInVain', 'Alice']);
    assert.deepEqual(
      closed!.work.map(({ text }) => text),
      ['in good faith'],
    );
    alice.aheadMs = dave.aheadMs;
    await alice.open();
    await house.join(alice, dave, apollo, { confirm: false });
    await dave.notice('workWaits');
    assert.deepEqual(await dave.api.putBack(apollo), { posts: 1, files: 0, deeds: 0, left: 0 });
    await alice.until(async () => (await texts(alice)).includes('in good faith'));
    await house.converged(apollo, alice, dave);
  });

  it('K2 is not told so while more comes', async () => {
    await house.startRelay();
    const before = alice.known().flatMap(deltasIn).length;
    await alice.open();
    await alice.api.post(apollo, chat, 'written since');
    const since = alice.known().flatMap(deltasIn).slice(before);
    await dave.open();
    dave.pass(MINUTE_MS / 2);
    const { length } = dave.records;
    await bring(since);
    await dave.until(async () => dave.records.length > length);
    dave.pass(MINUTE_MS / 2 + 1);
    // What was begun is done then.
    await dave.close();
    assert.ok((await dave.kept(apollo)).includes('delta'));
  });

  it('K2 is told after a restart in that minute, when it has passed anew', async () => {
    await dave.open();
    dave.pass(MINUTE_MS / 2);
    await dave.close();
    await dave.open();
    dave.pass(MINUTE_MS / 2);
    assert.deepEqual(await dave.api.closed(), []);
    await dave.close();
    assert.equal(dave.alarms, 0);
    await dave.open();
    dave.pass(2 * MINUTE_MS);
    await dave.notice('letInVain');
    await dave.close();
    const kept = await dave.kept(apollo);
    assert.ok(!kept.includes('delta'), kept.join());
  });
});
