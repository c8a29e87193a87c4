/** K2, L7, A8: who is out of a workspace, and what becomes of his copy and of his own work. Real stores, sockets and relay. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { envelopeTag } from '../../src/sync/envelope.ts';
import { invitationKeys, readInvitation } from '../../src/sync/invitation.ts';
import type { ToolId } from '../../src/base/ids.ts';
import { chatBody } from '../../src/tools/chat/deltas.ts';
import { StoreError, type LogStore } from '../../src/sync/ports.ts';
import { House, type Person } from './house.ts';

const crypto = nodeCrypto();

const toolOf = async (person: Person, workspace: string, kind: 'files' | 'chat'): Promise<string> => {
  const info = (await person.api.workspaces()).find(({ id }) => id === workspace);
  return info!.tools.find((tool) => tool.kind === kind)!.id;
};

const accountOf = async (person: Person): Promise<string> => (await person.api.identity()).account;

describe('Who is out of a workspace', function () {
  this.timeout(60_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let carol: Person;
  let apollo: string;

  const three = async (options: { readonly direct?: boolean; readonly relay?: '' } = {}): Promise<void> => {
    alice = await house.move('Alice', options);
    bob = await house.move('Bob', options);
    carol = await house.move('Carol', options);
    apollo = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, apollo, { confirm: false });
    await house.join(alice, carol, apollo, { confirm: false });
    await house.converged(apollo, alice, bob, carol);
  };

  beforeEach(async () => {
    house = await House.build();
    await house.startRelay();
  });

  afterEach(() => house.close());

  it('K2 D1 who has left keeps the copy till another has the word of it', async () => {
    alice = await house.move('Alice', { relay: '' });
    bob = await house.move('Bob', { relay: '' });
    apollo = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, apollo, { confirm: false });
    await house.converged(apollo, alice, bob);
    // What others had acknowledged by then says nothing of the word: it goes to the disk first.
    alice.isLost = () => true;
    await bob.api.leaveWorkspace(apollo);
    await bob.close();
    await bob.open({ relay: '' });
    assert.deepEqual(await bob.api.closed(), []);
    alice.isLost = () => false;
    await bob.close();
    await bob.open({ relay: '' });
    await bob.until(async () => (await bob.api.closed())[0]?.how === 'left');
    await alice.until(async () => (await alice.info(apollo)).members.length === 1);
  });

  it('K2 a removed member is told who it was, and her copy is gone from the disk; the others go on', async () => {
    await three();
    const files = await toolOf(alice, apollo, 'files');
    await alice.api.write(apollo, files, '/plan.txt', Buffer.from('the plan of Apollo'), {
      create: true,
      overwrite: false,
    });
    await house.converged(apollo, alice, bob, carol);
    const told = carol.next((event) => event.type === 'notice' && event.code === 'removed');
    await alice.api.removeMember(apollo, await accountOf(carol));
    const notice = await told;
    assert.ok(notice.type === 'notice');
    assert.deepEqual(notice.detail, { name: 'Apollo', member: 'Alice' });
    assert.deepEqual(await carol.api.workspaces(), []);
    const [closed] = await carol.api.closed();
    assert.equal(closed!.how, 'removed');
    assert.equal(closed!.by, 'Alice');
    assert.deepEqual(closed!.work, []);
    await alice.api.write(apollo, files, '/next.txt', Buffer.from('without her'), { create: true, overwrite: false });
    const listing = await house.converged(apollo, alice, bob);
    assert.ok(listing.some((line) => line.includes('next.txt')));
    await carol.close();
    await carol.open();
    assert.deepEqual(await carol.api.workspaces(), []);
    assert.equal((await carol.api.closed()).length, 1);
    await carol.api.forget(apollo);
    assert.deepEqual(await carol.api.closed(), []);
  });

  it('K2 L7 the word waits at the relay; what she wrote meanwhile is kept, and saved as files', async () => {
    await three({ direct: false });
    const carols = await accountOf(carol);
    await carol.close();
    await house.relay!.stop();
    await carol.open({ direct: false });
    const chat = await toolOf(carol, apollo, 'chat');
    const files = await toolOf(carol, apollo, 'files');
    await carol.api.post(apollo, chat, 'Written on the train');
    await carol.api.write(apollo, files, '/draft.md', Buffer.from('# Draft\n'), { create: true, overwrite: false });
    await carol.api.write(apollo, files, '/draft.md', Buffer.from('# Draft, second\n'), {
      create: false,
      overwrite: true,
    });
    await carol.close();
    const connected = alice.next((event) => event.type === 'relay' && event.relay.state === 'connected');
    await house.startRelay(house.relay!.port);
    await connected;
    await alice.api.removeMember(apollo, carols);
    await alice.close();
    await bob.close();
    const told = carol.next((event) => event.type === 'notice' && event.code === 'removed');
    await carol.open({ direct: false });
    await told;
    const [closed] = await carol.api.closed();
    assert.deepEqual(
      closed!.work.map(({ kind, name, text }) => [kind, name, text]),
      [
        ['post', '', 'Written on the train'],
        ['file', 'draft.md', ''],
        ['file', 'draft.md', ''],
      ],
    );
    const folder = join(house.folder, 'saved');
    await mkdir(folder);
    const report = await carol.api.saveWork(apollo, folder, 'save');
    assert.equal(report.files, 3);
    const saved = await readdir(folder, { recursive: true });
    const texts = await Promise.all(saved.map((name) => readFile(join(folder, name), 'utf8')));
    assert.deepEqual(texts.sort(), ['# Draft\n', '# Draft, second\n', 'Written on the train']);
    await alice.open({ direct: false });
    await bob.open({ direct: false });
    await house.converged(apollo, alice, bob);
    const page = await alice.api.chat(apollo, await toolOf(alice, apollo, 'chat'), { limit: 50 });
    assert.deepEqual(page.posts, []);
  });

  it('K2 L7 however much she wrote meanwhile, all of it is kept', async () => {
    await three();
    const chat = (await toolOf(carol, apollo, 'chat')) as ToolId;
    const carols = await accountOf(carol);
    await carol.close();
    const posts = Array.from({ length: 10_001 }, (_, i) => chatBody({ kind: 'post', text: `post ${i}` }));
    await carol.author(apollo, () => posts.map((body) => ({ tool: chat, kind: 'post', body })));
    await alice.api.removeMember(apollo, carols);
    await carol.open();
    await carol.notice('removed');
    const [closed] = await carol.api.closed();
    assert.deepEqual([closed!.work.length, closed!.work[0]!.text], [10_001, 'post 0']);
  });

  it('A7 who leaves is gone when the others know, and his posts stay under his name', async () => {
    await three();
    await bob.api.post(apollo, await toolOf(bob, apollo, 'chat'), 'Farewell');
    await house.converged(apollo, alice, bob, carol);
    await bob.api.leaveWorkspace(apollo);
    await bob.until(async () => (await bob.api.closed()).length === 1);
    assert.deepEqual(await bob.api.workspaces(), []);
    await house.converged(apollo, alice, carol);
    const info = (await alice.api.workspaces())[0]!;
    assert.deepEqual(info.members.map(({ name }) => name).sort(), ['Alice', 'Carol']);
    const page = await alice.api.chat(apollo, await toolOf(alice, apollo, 'chat'), { limit: 50 });
    assert.equal(page.posts[0]!.authorName, 'Bob');
  });

  it('A7 L7 who has left and is let in again waits for nobody who does not come: one has all that is his', async () => {
    await three({ relay: '' });
    await house.converged(apollo, alice, bob, carol);
    await carol.close();
    await bob.api.post(apollo, await toolOf(bob, apollo, 'chat'), 'Farewell');
    await bob.api.leaveWorkspace(apollo);
    await alice.until(async () => (await alice.info(apollo)).members.length === 2);
    assert.deepEqual(await bob.api.closed(), [], 'Carol does not know it yet');
    await house.join(alice, bob, apollo, { confirm: false });
    await house.converged(apollo, alice, bob);
    const page = await bob.api.chat(apollo, await toolOf(bob, apollo, 'chat'), { limit: 50 });
    assert.deepEqual(
      page.posts.map(({ text }) => text),
      ['Farewell'],
    );
    await bob.until(async () => (await bob.api.closed()).length === 0);
    await bob.api.post(apollo, await toolOf(bob, apollo, 'chat'), 'Here again');
    await carol.open({ relay: '' });
    await house.converged(apollo, alice, bob, carol);
  });

  it('N4 A7 whom the copy that is still here has in again hears the answer to what he has asked', async () => {
    await three({ relay: '' });
    await carol.close();
    await bob.api.leaveWorkspace(apollo);
    await alice.until(async () => (await alice.info(apollo)).members.length === 2);
    const options = { role: 'participant', expiresInMs: 60_000, uses: 1, confirm: false, scheme: 'vscode' } as const;
    const { link } = await alice.api.invite(apollo, options);
    const invitation = readInvitation(crypto, link);
    assert.ok(invitation.ok);
    const { tag } = invitationKeys(crypto, invitation.value.secret).seal;
    bob.isLost = ({ bytes }) => envelopeTag(bytes) === tag;
    const done = bob.next((e) => e.type === 'join' && e.join.state === 'done');
    await bob.api.acceptInvitation(link);
    await bob.until(async () => (await bob.info(apollo)).members.length === 3);
    bob.isLost = () => false;
    bob.pass(5_000);
    await done;
    assert.deepEqual(await bob.api.closed(), []);
    await bob.api.post(apollo, await toolOf(bob, apollo, 'chat'), 'Here again');
    await house.converged(apollo, alice, bob);
  });

  it('A8 a deleted workspace is closed for all: each is told, exports what he wants, and lets his copy go', async () => {
    await three();
    const files = await toolOf(bob, apollo, 'files');
    await bob.api.write(apollo, files, '/keep.txt', Buffer.from('worth keeping'), { create: true, overwrite: false });
    await house.converged(apollo, alice, bob, carol);
    await assert.rejects(bob.api.deleteWorkspace(apollo), { code: 'notPermitted' });
    const told = bob.notice('deleted');
    await alice.api.deleteWorkspace(apollo);
    assert.deepEqual((await told).detail, { name: 'Apollo', member: 'Alice' });
    assert.equal((await bob.info(apollo)).state, 'closed');
    await assert.rejects(
      bob.api.write(apollo, files, '/late.txt', Buffer.from('late'), { create: true, overwrite: false }),
      { code: 'notPermitted' },
    );
    assert.equal(Buffer.from(await bob.api.read(apollo, files, '/keep.txt')).toString(), 'worth keeping');
    await bob.api.forget(apollo);
    assert.deepEqual(await bob.api.workspaces(), []);
    await bob.close();
    await bob.open();
    assert.deepEqual(await bob.api.workspaces(), []);
  });

  const rows = async (person: Person) => (await person.api.workspaces()).map(({ name }) => name);
  /** After a restart: whether anything of the copy is on the disk, or the word that its row is gone. */
  const holds = async (person: Person): Promise<boolean> => {
    await person.close();
    const kept = await person.kept(apollo);
    await person.open({ relay: '' });
    return kept.some((what) => /^(delta|base|epoch|peer|forgotten)/.test(what));
  };
  const erased = async (person: Person): Promise<void> => {
    for (let tries = 0; await holds(person); tries++) {
      assert.ok(tries < 50, `${person.name} has it still`);
      await new Promise((resume) => setTimeout(resume, 50));
    }
  };

  it('A8 who deletes it while he is alone, and removes the row, tells the others all the same: then his copy goes', async () => {
    const relay = { relay: '' } as const;
    await three(relay);
    for (const person of [bob, carol]) await person.close();
    await alice.api.deleteWorkspace(apollo);
    await alice.api.forget(apollo);
    assert.deepEqual(await rows(alice), []);
    assert.equal(await holds(alice), true);
    assert.deepEqual(await rows(alice), [], 'nor is it listed after a restart');
    await bob.open(relay);
    await bob.until(async () => (await bob.info(apollo)).state === 'closed');
    assert.equal(await holds(alice), true, 'Carol has not heard of it');
    await carol.open(relay);
    await carol.until(async () => (await carol.info(apollo)).state === 'closed');
    await erased(alice);
    assert.deepEqual(await rows(alice), []);
    assert.deepEqual(await alice.api.closed(), []);
  });

  it('A8 whom another tells of the deletion waits for nobody who does not come: who has deleted it tells them', async () => {
    const relay = { relay: '' } as const;
    await three(relay);
    await carol.close();
    await alice.api.deleteWorkspace(apollo);
    await bob.until(async () => (await bob.info(apollo)).state === 'closed');
    for (const person of [alice, bob]) await person.api.forget(apollo);
    assert.deepEqual(await rows(bob), []);
    await erased(bob);
    assert.equal(await holds(alice), true);
    await carol.open(relay);
    await carol.until(async () => (await carol.info(apollo)).state === 'closed');
    await erased(alice);
  });

  it('A8 L1 where the disk does not take that the row goes it stays, and the copy with it', async () => {
    alice = await house.move('Alice', { relay: '' });
    apollo = await alice.api.createWorkspace({ name: 'Apollo' });
    const files = await toolOf(alice, apollo, 'files');
    await alice.write(apollo, files, '/plan.txt', 'the plan of Apollo '.repeat(9_000));
    await alice.api.deleteWorkspace(apollo);
    await alice.close();
    let isFull = true;
    const around = (log: LogStore): LogStore => ({
      replay: (each) => log.replay(each),
      append: (records) => (isFull ? Promise.reject(new StoreError('diskFull', 'no space left')) : log.append(records)),
      compact: (records) => log.compact(records),
      get journalBytes() {
        return log.journalBytes;
      },
      close: () => log.close(),
    });
    await alice.open({ relay: '', around });
    await assert.rejects(alice.api.forget(apollo), { code: 'diskFull' });
    assert.deepEqual(await rows(alice), ['Apollo']);
    assert.equal((await alice.api.read(apollo, files, '/plan.txt')).length, 171_000);
    isFull = false;
    await alice.api.forget(apollo);
    await erased(alice);
  });

  it('A2 A10 roles go up and down, each within the right of who changes them', async () => {
    await three();
    await alice.api.setRole(apollo, await accountOf(bob), 'manager');
    await bob.until(async () => (await bob.api.workspaces())[0]!.role === 'manager');
    await bob.api.setRole(apollo, await accountOf(carol), 'guest');
    await carol.until(async () => (await carol.api.workspaces())[0]!.role === 'guest');
    const chat = await toolOf(carol, apollo, 'chat');
    await assert.rejects(carol.api.post(apollo, chat, 'May I?'), { code: 'notPermitted' });
    await assert.rejects(bob.api.removeMember(apollo, await accountOf(alice)), { code: 'notPermitted' });
    await alice.api.setPermission(apollo, 'chat', 'add', 'guest', true);
    await carol.until(() =>
      carol.api.post(apollo, chat, 'Now I may').then(
        () => true,
        () => false,
      ),
    );
    await house.converged(apollo, alice, bob, carol);
  });

  it('A5 everybody sees who may do what and who has changed it; what is allowed is offered, and back to default is as before', async () => {
    await three();
    await alice.api.setRole(apollo, await accountOf(carol), 'guest');
    const chat = await toolOf(alice, apollo, 'chat');
    const one = async (person: Person) => {
      const all = await person.api.permissions(apollo);
      return all.find(
        ({ scope, tool, action, role }) =>
          tool === undefined && scope === 'chat' && action === 'add' && role === 'guest',
      )!;
    };
    const mayPost = async (person: Person) =>
      (await person.info(apollo)).tools.find(({ id }) => id === chat)!.may.includes('add');
    await carol.until(async () => !(await mayPost(carol)));
    assert.deepEqual(await one(bob), {
      ...{ scope: 'chat', action: 'add', role: 'guest', allowed: false, otherwise: false, own: false },
    });
    await assert.rejects(bob.api.setPermission(apollo, 'chat', 'add', 'guest', true), { code: 'notPermitted' });
    await alice.api.setPermission(apollo, 'chat', 'add', 'guest', true);
    await carol.until(() => mayPost(carol));
    const notice = await carol.notice('permissionsChanged');
    assert.deepEqual(notice.detail, { name: 'Apollo', member: 'Alice' });
    const { changed, ...rest } = await one(carol);
    assert.deepEqual(rest, {
      ...{ scope: 'chat', action: 'add', role: 'guest', allowed: true, otherwise: false, own: true },
    });
    assert.deepEqual([changed?.by, changed?.self], ['Alice', false]);
    assert.ok(changed!.at > 0);
    assert.equal((await one(alice)).changed?.self, true);
    await carol.api.post(apollo, chat, 'Now I may');
    await alice.api.setPermission(apollo, 'chat', 'add', 'guest', false);
    await carol.until(async () => !(await mayPost(carol)));
    assert.equal((await one(carol)).allowed, false);
    await house.converged(apollo, alice, bob, carol);
    const dora = await house.move('Dora');
    await house.join(alice, dora, apollo, { confirm: false });
    assert.deepEqual(dora.notices, [], 'what was so when one came is no news');
  });

  it('A5 one of two tools of a kind is open to guests, in list, row and deed, and back it is as all are', async () => {
    await three();
    await alice.api.setRole(apollo, await accountOf(carol), 'guest');
    const [chat, news] = [await toolOf(alice, apollo, 'chat'), await alice.api.addTool(apollo, 'chat', 'News')];
    const mayPost = async () => {
      const { tools } = await carol.info(apollo);
      return [chat, news].map((tool) => tools.find(({ id }) => id === tool)?.may.includes('add'));
    };
    const isSoFor = (wanted: readonly boolean[]) => carol.until(async () => isDeepStrictEqual(await mayPost(), wanted));
    await isSoFor([false, false]);
    await alice.api.setPermission(apollo, { tool: news }, 'add', 'guest', true);
    await isSoFor([false, true]);
    await carol.api.post(apollo, news, 'Good news');
    await assert.rejects(carol.api.post(apollo, chat, 'May I?'), { code: 'notPermitted' });
    const shown = (await carol.api.permissions(apollo)).filter(({ own }) => own);
    assert.deepEqual(
      shown.map(({ scope, tool, action, role, allowed, otherwise, changed }) => [
        ...[scope, tool, action, role, allowed, otherwise],
        changed?.by,
      ]),
      [['chat', news, 'add', 'guest', true, false, 'Alice']],
    );
    await alice.api.setPermission(apollo, 'chat', 'add', 'guest', true);
    await isSoFor([true, true]);
    await alice.api.setPermission(apollo, 'chat', 'add', 'guest', null);
    await isSoFor([false, true]);
    await alice.api.setPermission(apollo, { tool: news }, 'add', 'guest', null);
    await isSoFor([false, false]);
    await assert.rejects(alice.api.setPermission(apollo, { tool: 'ab'.repeat(8) }, 'add', 'guest', true), {
      code: 'notFound',
    });
    await house.converged(apollo, alice, bob, carol);
  });

  it('A7 who stands below a manager hears so, and not that the right is lacking', async () => {
    await three();
    await alice.api.setRole(apollo, await accountOf(bob), 'manager');
    await bob.until(async () => (await bob.info(apollo)).role === 'manager');
    const senior = { code: 'notPermitted', detail: { reason: 'senior', member: 'Alice' } };
    await assert.rejects(bob.api.removeMember(apollo, await accountOf(alice)), senior);
    await assert.rejects(bob.api.setRole(apollo, await accountOf(alice), 'guest'), senior);
    const lacking = { code: 'notPermitted', detail: { reason: 'notPermitted' } };
    await assert.rejects(carol.api.removeMember(apollo, await accountOf(alice)), lacking);
  });

  it('D9 what a concurrent demotion has voided is kept under Not accepted, with its text', async () => {
    await three({ direct: false });
    await house.relay!.stop();
    await bob.api.post(apollo, await toolOf(bob, apollo, 'chat'), 'While I still could');
    await alice.api.setRole(apollo, await accountOf(bob), 'guest');
    await house.startRelay(house.relay!.port);
    await bob.until(async () => (await bob.api.workspaces())[0]!.role === 'guest');
    const [work] = await bob.api.notAccepted(apollo);
    assert.equal(work?.text, 'While I still could');
    assert.equal(work.reason, 'cutOff');
  });
});
