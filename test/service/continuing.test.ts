/** A7: a workspace goes on in a new one, with its present state and chosen members. Real stores, sockets and relay. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync } from 'node:fs';
import { cp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CoterieApi, ServiceEvent } from '../../src/service/api.ts';
import { House, type OpenOptions, type Person } from './house.ts';

/** A store that comes back with its whole disk looks as if it had never been away. */
const place = 'of the disk';
const BIG = Uint8Array.from({ length: 700_000 }, (_, i) => (i * i + (i >> 9)) & 255);

const toolOf = async (person: Person, workspace: string, kind: 'files' | 'chat'): Promise<string> =>
  (await person.info(workspace)).tools.find((tool) => tool.kind === kind)!.id;

const accountOf = async (person: Person): Promise<string> => (await person.api.identity()).account;

async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size;
  return sum;
}

describe('Continuing in a new workspace', function () {
  this.timeout(60_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let carol: Person;
  let apollo: string;

  /** Alice is the only manager; Bob and Carol stand below her. */
  const three = async (options: OpenOptions = {}): Promise<void> => {
    alice = await house.move('Alice', options);
    bob = await house.move('Bob', options);
    carol = await house.move('Carol', options);
    apollo = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, apollo, { confirm: false });
    await house.join(alice, carol, apollo, { confirm: false });
    await fill();
    await house.converged(apollo, alice, bob, carol);
  };

  const fill = async (): Promise<void> => {
    const [files, chat] = [await toolOf(alice, apollo, 'files'), await toolOf(alice, apollo, 'chat')];
    await alice.api.makeFolder(apollo, files, '/docs');
    await alice.api.makeFolder(apollo, files, '/docs/empty');
    await alice.write(apollo, files, '/docs/plan.md', 'the plan\n'.repeat(400));
    // A difference upon it (F1).
    await alice.write(apollo, files, '/docs/plan.md', `${'the plan\n'.repeat(400)}and its end\n`);
    await alice.write(apollo, files, '/big.bin', BIG);
    for (const person of [alice, bob, carol]) await person.api.post(apollo, chat, `I am ${person.name}`);
  };

  /** Bob goes on without Alice. */
  const go = async (members: readonly Person[]) => {
    const all = (await bob.info(apollo)).members;
    const accounts = members.map((person) => all.find(({ name }) => name === person.name)!.account);
    const options = { name: 'Apollo (continued)', members: accounts, scheme: 'vscode' };
    return bob.api.continueWorkspace(apollo, options, 'going on');
  };

  const offerOf = async (person: Person) => {
    await person.until(async () => (await person.api.offers()).length > 0);
    return (await person.api.offers())[0]!;
  };

  const filesIn = async (person: Person, workspace: string): Promise<readonly string[]> =>
    (await person.listing(workspace)).filter((line) => line.startsWith('/'));

  beforeEach(async () => {
    house = await House.build();
    await house.startRelay();
  });
  afterEach(() => house.close());

  it('A7 whom nobody can remove is left behind: files, chat, rights and members come along, told as what they are', async () => {
    await three();
    await alice.api.setRole(apollo, await accountOf(carol), 'guest');
    await alice.api.setPermission(apollo, 'chat', 'add', 'guest', true);
    const files = await toolOf(alice, apollo, 'files');
    await alice.api.setPermission(apollo, { tool: files }, 'add', 'guest', false);
    await alice.api.setPermission(apollo, 'files', 'add', 'guest', true);
    // Said after her role was changed: whoever has it has all.
    await bob.until(async () => (await bob.api.permissions(apollo)).filter(({ own }) => own).length === 3);
    const before = await alice.listing(apollo);
    const report = await go([carol]);
    assert.deepEqual([report.files, report.folders, report.posts, report.absent], [2, 2, 3, []]);
    assert.equal(report.bytes, BIG.length + 'the plan\n'.length * 400 + 'and its end\n'.length);
    assert.deepEqual(
      report.invited.map(({ name, told }) => [name, told]),
      [['Carol', true]],
    );
    const offer = await offerOf(carol);
    assert.deepEqual(
      [offer.by, offer.name, offer.newName, offer.role],
      ['Bob', 'Apollo', 'Apollo (continued)', 'guest'],
    );
    const done = carol.next((e) => e.type === 'join' && e.join.state === 'done');
    await carol.api.answerOffer(offer.id, true);
    await done;
    assert.deepEqual(await carol.api.offers(), []);
    const asked = bob.events.filter(({ type }) => type === 'joinRequest');
    assert.deepEqual(asked, [], 'whom Bob has chosen he is not asked about again');
    const { workspace } = report;
    const listing = await house.converged(workspace, bob, carol);
    assert.deepEqual(
      listing.filter((line) => line.startsWith('/')),
      await filesIn(alice, apollo),
    );
    const [self, other] = [await bob.info(workspace), await carol.info(workspace)];
    assert.deepEqual([self.name, self.role, other.role], ['Apollo (continued)', 'manager', 'guest']);
    const chat = await toolOf(carol, workspace, 'chat');
    const { posts } = await carol.api.chat(workspace, chat, { limit: 9 });
    const bobs = await accountOf(bob);
    const there = (await alice.api.chat(apollo, await toolOf(alice, apollo, 'chat'), { limit: 9 })).posts;
    assert.deepEqual(
      posts.map(({ author, told, text }) => [author, told?.account, told?.name, text]),
      there.map(({ author, authorName, text }) => [bobs, author, authorName, text]),
      'in the order that they had',
    );
    assert.equal(posts.length, 3);
    assert.ok(posts.every(({ told, time }) => told!.time <= time));
    assert.equal((await carol.info(workspace)).tools.find(({ id }) => id === chat)!.unread, 0, 'it was read there');
    await carol.api.post(workspace, chat, 'A guest may, here too');
    const filesTool = await toolOf(carol, workspace, 'files');
    const said = (await carol.api.permissions(workspace)).filter(({ own }) => own);
    assert.deepEqual(
      said.map(({ scope, tool, action, role, allowed }) => [scope, tool, action, role, allowed]),
      [
        ['files', undefined, 'add', 'guest', true],
        ['chat', undefined, 'add', 'guest', true],
        ['files', filesTool, 'add', 'guest', false],
      ],
      'what holds for all of a kind, and what for one tool, which has another id here',
    );
    assert.notEqual(filesTool, files);
    assert.deepEqual(await alice.listing(apollo), before, 'the old one is as it was');
    assert.deepEqual(await alice.api.offers(), []);
    assert.deepEqual(
      (await alice.api.workspaces()).map(({ id }) => id),
      [apollo],
    );
  });

  it('A7 the word waits at the relay; declined, it does not come again', async () => {
    await three({ direct: false });
    await carol.close();
    const report = await go([carol]);
    assert.equal(report.invited[0]!.told, true);
    await bob.close();
    await carol.open({ direct: false });
    const offer = await offerOf(carol);
    await carol.api.answerOffer(offer.id, false);
    assert.deepEqual(await carol.api.offers(), []);
    await carol.close();
    await bob.open();
    // What she has answered waited at his relay, and he is told once.
    const notice = await bob.notice('offerDeclined');
    assert.deepEqual(notice.detail, { name: 'Apollo (continued)', member: 'Carol' });
    assert.equal(notice.workspace, report.workspace);
    await carol.open();
    // Met directly; what comes after it on the same path has come, too.
    await carol.until(async () =>
      (await carol.info(apollo)).members.some(({ name, presence }) => name === 'Bob' && presence === 'online'),
    );
    const chat = await toolOf(bob, apollo, 'chat');
    await bob.api.post(apollo, chat, 'are you there?');
    await carol.until(async () => (await carol.listing(apollo)).some((line) => line.endsWith('are you there?')));
    assert.deepEqual(await carol.api.offers(), []);
    assert.equal(carol.events.filter(({ type }) => type === 'offer').length, 1);
    assert.equal(bob.events.filter((e) => e.type === 'notice' && e.code === 'offerDeclined').length, 1);
    await carol.api.answerOffer(offer.id, true);
    await carol.until(async () => (await carol.api.workspaces()).length === 2);
  });

  it('A7 who cannot be reached is sent the link, and is in without a question; another with it is asked about', async () => {
    await three();
    await house.relay!.stop();
    await carol.close();
    const report = await go([carol]);
    const [invited] = report.invited;
    assert.equal(invited!.told, false);
    const mallory = await house.move('Mallory', { relay: '' });
    const request = bob.next((e) => e.type === 'joinRequest');
    await mallory.api.acceptInvitation(invited!.link);
    const event = await request;
    assert.ok(event.type === 'joinRequest' && event.request.name === 'Mallory');
    await carol.open();
    const done = carol.next((e) => e.type === 'join' && e.join.state === 'done');
    await carol.api.acceptInvitation(invited!.link);
    await done;
    assert.deepEqual((await bob.info(report.workspace)).members.map(({ name }) => name).sort(), ['Bob', 'Carol']);
    // When she was met he had told her, too; she is in.
    await carol.until(async () => (await carol.api.offers()).length === 0);
  });

  it('A7 cancelled, nothing of the new one is left, on the disk neither, and nobody has heard of it', async () => {
    await three();
    const [before, size] = [await bob.listing(apollo), await bytesIn(bob.folder)];
    const progress = bob.next((e) => e.type === 'import' && e.operation === 'going on');
    const going = go([carol]);
    const refused = assert.rejects(going, { code: 'cancelled' });
    await progress;
    assert.deepEqual(
      (await bob.api.workspaces()).map(({ id }) => id),
      [apollo],
      'what is not whole is in no list',
    );
    await bob.api.cancel('going on');
    await refused;
    const alone = async () => {
      assert.deepEqual(
        (await bob.api.workspaces()).map(({ id }) => id),
        [apollo],
      );
      assert.deepEqual(await bob.listing(apollo), before);
    };
    await alone();
    assert.ok((await bytesIn(bob.folder)) < size + BIG.length, 'its content is gone');
    await bob.close();
    await bob.open();
    await alone();
    assert.deepEqual(bob.notices, []);
    assert.deepEqual(await carol.api.offers(), []);
    const again = await go([carol]);
    assert.equal(again.files, 2);
  });

  it('A7 cut off by a crash, it is taken back at the next start, with a word; the old one is as it was', async () => {
    await three({ place });
    const before = await bob.listing(apollo);
    const image = join(house.folder, 'image');
    const crash = bob.next((event: ServiceEvent) => {
      if (event.type !== 'import' || event.doneFiles < 1) return false;
      // As the disk stands at this moment.
      cpSync(bob.folder, image, { recursive: true });
      return true;
    });
    const going = go([carol]).catch(() => undefined);
    await crash;
    await bob.api.cancel('going on');
    await going;
    await bob.close();
    await rm(bob.folder, { recursive: true });
    await cp(image, bob.folder, { recursive: true });
    await bob.open({ place });
    const notice = await bob.notice('continueUndone');
    assert.deepEqual(notice.detail, { name: 'Apollo' });
    assert.deepEqual(
      (await bob.api.workspaces()).map(({ id }) => id),
      [apollo],
    );
    assert.deepEqual(await bob.listing(apollo), before);
    await bob.close();
    await bob.open({ place });
    assert.equal((await bob.api.workspaces()).length, 1);
    assert.equal(bob.events.filter((e) => e.type === 'notice' && e.code === 'continueUndone').length, 1, 'said once');
  });

  it('A7 who is out of the old one is still asked along, and goes; the content is that of the files', async () => {
    await three();
    const report = await go([carol]);
    const offer = await offerOf(carol);
    await alice.api.removeMember(apollo, await accountOf(carol));
    await carol.notice('removed');
    const done = carol.next((e) => e.type === 'join' && e.join.state === 'done');
    await carol.api.answerOffer(offer.id, true);
    await done;
    await house.converged(report.workspace, bob, carol);
    const files = await toolOf(carol, report.workspace, 'files');
    const bytes = await carol.api.read(report.workspace, files, '/big.bin');
    assert.equal(createHash('sha256').update(bytes).digest('hex'), createHash('sha256').update(BIG).digest('hex'));
  });

  it('A7 whom it names must be members, and a name one that can be', async () => {
    await three();
    const attempt = (name: string, members: readonly string[]): ReturnType<CoterieApi['continueWorkspace']> =>
      bob.api.continueWorkspace(apollo, { name, members, scheme: 'vscode' }, 'x');
    await assert.rejects(attempt('New', ['ab'.repeat(32)]), { code: 'notFound' });
    await assert.rejects(attempt('New', [await accountOf(bob)]), { code: 'notFound' });
    await assert.rejects(attempt(' ', []), { code: 'badName' });
    assert.equal((await bob.api.workspaces()).length, 1);
    await alice.api.deleteWorkspace(apollo);
    await bob.until(async () => (await bob.info(apollo)).state === 'closed');
    await assert.rejects(attempt('New', []), { code: 'notPermitted' });
  });
});
