/** Disks on their worst day, as the person meets them (L1, L2): told, nothing lost, mended from the other member. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededBytes } from '../fakes/seeded-bytes.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { decodeRecord } from '../../src/service/records.ts';
import { readDelta } from '../../src/sync/delta.ts';
import type { LogStore } from '../../src/sync/ports.ts';
import { House, link, type Person } from './house.ts';

function isAddDevice(bytes: Uint8Array): boolean {
  const record = decodeRecord(bytes);
  if (record?.kind !== 'delta') return false;
  const delta = readDelta(nodeCrypto(), record.workspace, record.bytes);
  return delta.ok && delta.value.kind === 'addDevice';
}

describe('A disk in trouble', function () {
  this.timeout(40_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let disk: MemoryDisk;
  let workspace: string;
  let files: string;
  let chat: string;

  async function shared(): Promise<void> {
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    [files, chat] = (await alice.tools(workspace)) as [string, string];
    await alice.write(workspace, files, '/a.txt', 'first\n');
    await house.join(alice, bob, workspace, { confirm: false });
    await house.converged(workspace, alice, bob);
  }

  beforeEach(async () => {
    house = await House.build();
    disk = new MemoryDisk();
    alice = await house.move('Alice', { disk });
    bob = await house.move('Bob');
  });
  afterEach(() => house.close());

  it('L1, D1 full: told once, the change kept in memory, then saved and sent when there is space', async () => {
    await shared();
    disk.space = 0;
    await assert.rejects(alice.api.post(workspace, chat, 'typed on a full disk'), {
      code: 'diskFull',
      detail: { reason: 'kept' },
    });
    await assert.rejects(alice.api.post(workspace, chat, 'and this'), { code: 'diskFull' });
    await assert.rejects(alice.write(workspace, files, '/b.bin', randomBytes(300_000)), {
      code: 'diskFull',
      detail: { reason: 'diskFull' },
    });
    assert.equal(alice.notices.filter((notice) => notice.code === 'diskFull').length, 1);
    assert.deepEqual(
      (await alice.api.chat(workspace, chat, { limit: 9 })).posts.map((post) => post.text),
      ['typed on a full disk', 'and this'],
    );
    assert.deepEqual((await bob.api.chat(workspace, chat, { limit: 9 })).posts, [], 'not durable, so not sent');
    disk.space = Infinity;
    await bob.until(async () => (await bob.api.chat(workspace, chat, { limit: 9 })).posts.length === 2);
    await house.converged(workspace, alice, bob);
    await alice.close();
    disk.crash();
    await alice.open({ disk });
    assert.equal((await alice.api.chat(workspace, chat, { limit: 9 })).posts.length, 2);
  });

  it('F1, L2 failing for somebody else who makes durable what an import has written: the import fails, and names nothing', async () => {
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    [files] = (await alice.tools(workspace)) as [string];
    const path = join(house.folder, 'big.bin');
    await writeFile(path, seededBytes(24_000_000, 3));
    let other: Promise<unknown> | undefined;
    alice.service.events((event) => {
      if (event.type !== 'import' || other || event.doneBytes < 8_000_000) return;
      disk.fail({ on: 'sync', path: /chunks/ });
      other = alice.write(workspace, files, '/small.bin', Buffer.from(seededBytes(300_000, 9))).catch(() => undefined);
    });
    await assert.rejects(alice.api.importPaths(workspace, files, '/', [path], 'op'));
    assert.ok(other);
    await other;
    await assert.rejects(alice.api.stat(workspace, files, '/big.bin'), { code: 'notFound' });
    await alice.api.importPaths(workspace, files, '/', [path], 'op again');
    assert.equal((await alice.api.read(workspace, files, '/big.bin')).length, 24_000_000);
  });

  it('I2, L1 full while another account is taken on by its phrase: told, and at work as that account all the same', async () => {
    workspace = await bob.api.createWorkspace({ name: 'Apollo' });
    disk.space = 0;
    await assert.rejects(alice.api.restoreAccount(await bob.api.recoveryPhrase()), { code: 'diskFull' });
    const { account, device } = await alice.api.identity();
    assert.equal(account, (await bob.api.identity()).account);
    disk.space = Infinity;
    await link(bob, alice);
    await alice.until(async () => (await alice.info(workspace))?.state === 'open');
    await house.converged(workspace, alice, bob);
    await alice.close();
    disk.crash();
    await alice.open({ disk });
    assert.equal((await alice.api.identity()).device, device);
    assert.equal((await alice.info(workspace)).state, 'open');
  });

  it('I2, L1 full while a code makes it a device of another account: goes on when there is space', async () => {
    workspace = await bob.api.createWorkspace({ name: 'Apollo' });
    alice.whileKeeping = async () => void (disk.space = 0);
    const full = alice.next((event) => event.type === 'notice' && event.code === 'diskFull');
    const linked = link(bob, alice);
    await full;
    disk.space = Infinity;
    await linked;
    await alice.until(async () => (await alice.info(workspace))?.state === 'open');
    await house.converged(workspace, alice, bob);
  });

  it('L1 full from the start: what is there is read all the same, and what is written is saved when there is space', async () => {
    await shared();
    await alice.close();
    disk.space = 0;
    await alice.open({ disk });
    assert.deepEqual(Buffer.from(await alice.api.read(workspace, files, '/a.txt')).toString(), 'first\n');
    await assert.rejects(alice.api.post(workspace, chat, 'typed on a full disk'), { detail: { reason: 'kept' } });
    disk.space = Infinity;
    await bob.until(async () => (await bob.api.chat(workspace, chat, { limit: 9 })).posts.length === 1);
    await alice.close();
    disk.crash();
    await alice.open({ disk });
    assert.equal((await alice.api.chat(workspace, chat, { limit: 9 })).posts.length, 1);
  });

  it('D1, N4 full while somebody is let in: he is told when that is saved, however often he asks', async () => {
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const other = await alice.api.createWorkspace({ name: 'Gemini' });
    const options = { role: 'participant', expiresInMs: 60_000, uses: 1, confirm: true, scheme: 'vscode' } as const;
    const { link } = await alice.api.invite(workspace, options);
    const revoked = await alice.api.invite(other, options);
    await alice.api.revokeInvitation(other, revoked.id);
    const asked = alice.next((e) => e.type === 'joinRequest');
    await bob.api.acceptInvitation(link);
    const event = await asked;
    assert.ok(event.type === 'joinRequest');
    disk.space = 0;
    await assert.rejects(alice.api.answerJoin(event.request.id, true), { code: 'diskFull' });
    await bob.api.acceptInvitation(link);
    // On the same path, after it.
    const refused = bob.next((e) => e.type === 'join' && e.join.workspace === other && e.join.state === 'refused');
    await bob.api.acceptInvitation(revoked.link);
    await refused;
    const { joins } = bob.api;
    assert.deepEqual((await joins()).find((one) => one.workspace === workspace)?.state, 'waiting');
    disk.space = Infinity;
    await bob.until(async () => (await bob.info(workspace)).sync.missingChunks === 0);
    await house.converged(workspace, alice, bob);
  });

  it('D1, L7 full while a device that was dropped is let in again: it is told when that is saved', async () => {
    await shared();
    const other = await alice.api.createWorkspace({ name: 'Gemini' });
    const options = { role: 'participant', expiresInMs: 60_000, uses: 1, confirm: true, scheme: 'vscode' } as const;
    const revoked = await alice.api.invite(other, options);
    await alice.api.revokeInvitation(other, revoked.id);
    await alice.api.dropDevices(workspace, [(await bob.api.identity()).device]);
    await bob.until(async () => (await bob.api.closed())[0]?.how === 'dropped');
    disk.space = 0;
    const full = alice.notice('diskFull');
    await bob.api.fetchAgain(workspace);
    await full;
    await bob.api.fetchAgain(workspace);
    // On the same path, after it.
    const refused = bob.next((e) => e.type === 'join' && e.join.workspace === other && e.join.state === 'refused');
    await bob.api.acceptInvitation(revoked.link);
    await refused;
    assert.ok((await bob.api.joins()).every((one) => one.workspace !== workspace));
    assert.equal((await bob.api.closed())[0]!.isAsking, true);
    disk.space = Infinity;
    await bob.until(async () => (await bob.info(workspace)).sync.missingChunks === 0);
    await house.converged(workspace, alice, bob);
  });

  it('D1, I4 full while a device of one’s own is let in: it is told when that is saved', async () => {
    let isFilling = false;
    const around = (log: LogStore): LogStore => ({
      replay: (each) => log.replay(each),
      append: (records) => {
        if (isFilling && records.some(isAddDevice)) disk.space = 0;
        return log.append(records);
      },
      compact: (records) => log.compact(records),
      get journalBytes() {
        return log.journalBytes;
      },
      close: () => log.close(),
    });
    await alice.close();
    await alice.open({ disk, around });
    const desktop = await house.move('Alice at her desk');
    await link(alice, desktop);
    const { device } = await desktop.api.identity();
    await desktop.close();
    await alice.api.renameDevice(device, 'The desk');
    isFilling = true;
    const full = alice.notice('diskFull');
    const later = await alice.api.createWorkspace({ name: 'Later' });
    await full;
    await desktop.open();
    // On the same path, after it.
    await desktop.until(async () => (await desktop.api.devices()).some(({ name }) => name === 'The desk'));
    assert.deepEqual(await desktop.api.joins(), []);
    assert.equal(await desktop.info(later), undefined);
    isFilling = false;
    disk.space = Infinity;
    await alice.api.post(later, (await alice.tools(later))[1]!, 'saved, and all before it');
    await desktop.close();
    await desktop.open();
    await desktop.until(async () => (await desktop.info(later)).state === 'open');
    await house.converged(later, alice, desktop);
  });

  it('S3, R1 full while others write: nothing is acknowledged that is not durable, and all of it comes', async () => {
    await shared();
    disk.space = 0;
    await bob.api.post(workspace, chat, 'from Bob');
    await bob.write(workspace, files, '/c.bin', seededBytes(500_000, 4));
    await alice.notice('diskFull');
    assert.equal((await bob.info(workspace)).sync.inSync, 0);
    disk.space = Infinity;
    await house.converged(workspace, alice, bob);
    await bob.until(async () => (await bob.info(workspace)).sync.inSync === 1);
  });

  it('L1, F1 full while others write: no content is sent again and again that cannot be kept, and it comes when there is space', async () => {
    await shared();
    disk.space = 0;
    await assert.rejects(alice.api.post(workspace, chat, 'kept in memory'), { detail: { reason: 'kept' } });
    let came = 0;
    alice.isLost = ({ bytes }) => {
      came += bytes.length;
      return false;
    };
    await bob.write(workspace, files, '/c.bin', seededBytes(2_000_000, 4));
    // Long enough for what was asked for to come, and for it to be asked for again.
    for (let n = 0; n < 40; n++) {
      const { id } = await bob.api.post(workspace, chat, `post ${n}`);
      const has = async () => (await alice.api.chat(workspace, chat, { limit: 99 })).posts.some((one) => one.id === id);
      await alice.until(has);
      if (n % 10 === 9) alice.pass(21_000);
    }
    assert.ok(came < 1_000_000, `${came} bytes`);
    disk.space = Infinity;
    await house.converged(workspace, alice, bob);
  });

  it('L1, K2, L7 full while the copy of who was taken out goes: it stays till what is his own is kept, and goes then', async () => {
    const apollo = await bob.api.createWorkspace({ name: 'Apollo' });
    await house.join(bob, alice, apollo, { confirm: false });
    const [tool] = (await alice.tools(apollo)) as [string];
    await house.converged(apollo, alice, bob);
    const { account } = await alice.api.identity();
    await bob.close();
    const draft = seededBytes(600_000, 5);
    await alice.write(apollo, tool, '/draft.bin', draft);
    await alice.close();
    await bob.open();
    await bob.api.removeMember(apollo, account);
    // There is room for the word that it is closed, and not for the file.
    disk.fail({ on: 'write', path: /chunks/, code: 'full', times: Infinity });
    await alice.open({ disk });
    await alice.until(async () => alice.notices.some(({ code }) => code === 'diskFull' || code === 'removed'));
    assert.deepEqual(await alice.api.closed(), []);
    disk.faults.length = 0;
    alice.pass(60_000);
    await alice.notice('removed');
    const folder = join(house.folder, 'saved');
    await mkdir(folder);
    assert.equal((await alice.api.saveWork(apollo, folder, 'save')).files, 1);
    assert.deepEqual(await readFile(join(folder, 'draft.bin')), Buffer.from(draft));
  });

  it('L1 full while a workspace is made: refused, and nothing of it comes up later', async () => {
    disk.space = 0;
    await assert.rejects(alice.api.createWorkspace({ name: 'Gemini' }), { code: 'diskFull' });
    assert.deepEqual(await alice.api.workspaces(), []);
    disk.space = Infinity;
    await alice.api.createWorkspace({ name: 'Apollo' });
    await alice.close();
    await alice.open({ disk });
    assert.deepEqual(
      (await alice.api.workspaces()).map((one) => one.name),
      ['Apollo'],
    );
  });

  it('L1, D2 a flipped bit in the journal: told, set aside, fetched again, no second history', async () => {
    await shared();
    for (let i = 0; i < 8; i++) await alice.api.post(workspace, chat, `post ${i}`);
    await house.converged(workspace, alice, bob);
    await alice.close();
    const path = disk.paths(/journal$/).toSorted((a, b) => disk.peek(b).length - disk.peek(a).length)[0]!;
    disk.flipBit(path, disk.peek(path).length - 2_500);
    await alice.open({ disk });
    await alice.notice('damaged');
    await alice.api.post(workspace, chat, 'after the damage');
    await bob.until(async () => (await bob.listing(workspace)).length === 10);
    const listing = await house.converged(workspace, alice, bob);
    assert.equal(listing.length, 10);
    assert.deepEqual(
      bob.notices.filter((notice) => notice.code === 'fork'),
      [],
    );
  });

  it('L1, D2 damage is told of once: the next start finds a journal without it, and goes on in the same feed', async () => {
    await shared();
    for (let i = 0; i < 8; i++) await alice.api.post(workspace, chat, `post ${i}`);
    await house.converged(workspace, alice, bob);
    await alice.close();
    const path = disk.paths(/journal$/).toSorted((a, b) => disk.peek(b).length - disk.peek(a).length)[0]!;
    disk.flipBit(path, disk.peek(path).length - 2_500);
    await alice.open({ disk });
    await alice.notice('damaged');
    await alice.api.post(workspace, chat, 'after the damage');
    await house.converged(workspace, alice, bob);
    await alice.close();
    await bob.close();
    await alice.open({ disk });
    alice.pass(1_000);
    await alice.api.post(workspace, chat, 'with nobody there who could tell what is lacking');
    assert.equal(alice.notices.filter(({ code }) => code === 'damaged').length, 1);
    await bob.open();
    assert.equal((await house.converged(workspace, alice, bob)).length, 11);
  });

  it('L1, D9, K2 what was written upon something that the disk has lost is listed as not accepted, and kept when the copy goes', async () => {
    const apollo = await bob.api.createWorkspace({ name: 'Apollo' });
    await house.join(bob, alice, apollo, { confirm: false });
    const [tool, talk] = (await alice.tools(apollo)) as [string, string];
    await house.converged(apollo, alice, bob);
    await bob.close();
    await alice.api.post(apollo, talk, 'first');
    const path = disk.paths(/journal$/).at(-1)!;
    const at = disk.peek(path).length;
    await alice.api.post(apollo, talk, 'lost');
    const draft = seededBytes(300_000, 5);
    await alice.write(apollo, tool, '/draft.bin', draft);
    await alice.write(apollo, tool, '/draft.bin', draft.with(7, 7));
    await alice.api.post(apollo, talk, 'last');
    await alice.close();
    disk.flipBit(path, at + 60);
    await alice.open({ disk });
    const listed = async () =>
      (await alice.api.notAccepted(apollo)).map(({ kind, name, text }) => `${kind} ${name}${text}`);
    const expected = ['file draft.bin', 'file draft.bin', 'post last'];
    assert.deepEqual(await listed(), expected);
    await bob.open();
    await bob.until(async () => (await bob.api.chat(apollo, talk, { limit: 9 })).posts.length === 1);
    await bob.api.removeMember(apollo, (await alice.api.identity()).account);
    await alice.notice('removed');
    const [closed] = await alice.api.closed();
    assert.deepEqual(
      closed!.work.map(({ kind, name, text }) => `${kind} ${name}${text}`),
      expected,
    );
    const folder = join(house.folder, 'saved');
    await mkdir(folder);
    assert.equal((await alice.api.saveWork(apollo, folder, 'save')).files, 3);
    assert.deepEqual(await readFile(join(folder, 'draft.bin')), Buffer.from(draft));
    assert.deepEqual(await readFile(join(folder, '2 draft.bin')), Buffer.from(draft.with(7, 7)));
  });

  it('L1, D2 a torn tail: cut, told, and what was saved before is there', async () => {
    await shared();
    await alice.api.post(workspace, chat, 'kept');
    await house.converged(workspace, alice, bob);
    await alice.close();
    const path = disk.paths(/journal$/).toSorted((a, b) => disk.peek(b).length - disk.peek(a).length)[0]!;
    disk.poke(path, Buffer.concat([disk.peek(path), randomBytes(300)]));
    await alice.open({ disk });
    await alice.until(async () => alice.notices.some(({ code }) => code === 'tailCut' || code === 'damaged'));
    await alice.api.post(workspace, chat, 'and on');
    await house.converged(workspace, alice, bob);
  });

  it('L1 the tail lost though others have it: it comes back, and what is written next is no fork (D2, D8)', async () => {
    await shared();
    for (let i = 0; i < 5; i++) await alice.api.post(workspace, chat, `post ${i}`);
    await house.converged(workspace, alice, bob);
    await bob.api.post(workspace, chat, 'has seen them');
    await house.converged(workspace, alice, bob);
    await alice.close();
    const path = disk.paths(/journal$/).toSorted((a, b) => disk.peek(b).length - disk.peek(a).length)[0]!;
    disk.poke(path, disk.peek(path).subarray(0, -1_600));
    await alice.open({ disk });
    await alice.api.post(workspace, chat, 'written above the gap');
    const has = (listing: readonly string[], text: string) => listing.filter((line) => line.startsWith(text)).length;
    const isBack = (listing: readonly string[]) => has(listing, 'Alice: post') === 5;
    for (const person of [bob, alice]) await person.until(async () => isBack(await person.listing(workspace)));
    // It stands as if what Bob has seen were not: that is settled elsewhere, perhaps. She finds it where what counts for nobody is.
    const left = await alice.api.notAccepted(workspace);
    assert.deepEqual(
      left.map(({ text }) => text),
      ['written above the gap'],
    );
    await alice.api.post(workspace, chat, 'written upon what came back');
    const whole = await house.converged(workspace, alice, bob);
    assert.deepEqual([has(whole, 'Alice: post'), has(whole, 'Alice: written upon')], [5, 1]);
    assert.deepEqual(
      bob.notices.filter((notice) => notice.code === 'fork'),
      [],
    );
  });

  it('I2 the key is gone: locked, and the store stays as it is', async () => {
    await shared();
    await alice.close();
    const before = disk.paths().map((path) => [path, Buffer.from(disk.peek(path)).toString('base64')]);
    const storeKey = randomBytes(32).toString('base64url');
    await assert.rejects(alice.open({ disk, storeKey }), { name: 'StoreError', code: 'locked' });
    const after = disk.paths().map((path) => [path, Buffer.from(disk.peek(path)).toString('base64')]);
    const kept = (list: string[][]) => list.filter(([path]) => !path!.includes('/lock'));
    assert.deepEqual(kept(after), kept(before));
    await alice.open({ disk });
    await house.converged(workspace, alice, bob);
  });
});

describe('Chunks that go missing (L2, F1)', function () {
  this.timeout(40_000);
  let house: House;
  beforeEach(async () => (house = await House.build()));
  afterEach(() => house.close());

  async function chunkFiles(person: Person): Promise<readonly string[]> {
    const names = await readdir(join(person.folder, 'chunks'), { recursive: true });
    return names.filter((name) => /[0-9a-f]{64}$/.test(name)).map((name) => join(person.folder, 'chunks', name));
  }

  it('deleted or damaged while running: the reader waits a moment and gets the bytes from the other member', async () => {
    const alice = await house.move('Alice');
    const bob = await house.move('Bob');
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [files] = (await alice.tools(workspace)) as [string];
    const bytes = seededBytes(5_000_000, 9);
    await alice.write(workspace, files, '/big.bin', bytes);
    await house.join(alice, bob, workspace, { confirm: false });
    await bob.whole(workspace);
    const paths = await chunkFiles(bob);
    assert.ok(paths.length >= 5);
    await rm(paths[0]!);
    const damaged = await readFile(paths[1]!);
    damaged[damaged.length >> 1]! ^= 4;
    await writeFile(paths[1]!, damaged);
    assert.deepEqual(Buffer.from(await bob.api.read(workspace, files, '/big.bin')), Buffer.from(bytes));
    assert.equal((await chunkFiles(bob)).length, paths.length);
  });

  it('deleted while away: fetched after the start; with nobody there, said to be not present', async () => {
    const alice = await house.move('Alice');
    const bob = await house.move('Bob');
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [files] = (await alice.tools(workspace)) as [string];
    const bytes = seededBytes(2_000_000, 10);
    await alice.write(workspace, files, '/big.bin', bytes);
    // A difference in the delta itself, upon content in chunks.
    const small = seededBytes(100_000, 11);
    await alice.write(workspace, files, '/patched.bin', small);
    small[50_000]! ^= 1;
    await alice.write(workspace, files, '/patched.bin', small);
    await house.join(alice, bob, workspace, { confirm: false });
    await bob.whole(workspace);
    await bob.close();
    for (const path of await chunkFiles(bob)) await rm(path);
    await alice.close();
    await bob.open();
    for (const path of ['/big.bin', '/patched.bin']) {
      await assert.rejects(bob.api.read(workspace, files, path), { code: 'notPresent' });
      assert.equal((await bob.api.stat(workspace, files, path)).present, false, path);
    }
    await alice.open();
    await bob.whole(workspace);
    assert.deepEqual(Buffer.from(await bob.api.read(workspace, files, '/big.bin')), Buffer.from(bytes));
    assert.deepEqual(Buffer.from(await bob.api.read(workspace, files, '/patched.bin')), Buffer.from(small));
  });
});
