/** L7, D8: devices that were away for long are dropped and come back; those with two histories are frozen. Real stores, sockets and relay. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { deltasIn } from '../../src/service/records.ts';
import { readDelta } from '../../src/sync/delta.ts';
import type { Disk } from '../../src/store/disk.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { seededBytes } from '../fakes/seeded-bytes.ts';
import { House, type OpenOptions, type Person } from './house.ts';

const DAY_MS = 24 * 60 * 60_000;
const MINUTE_MS = 60_000;

describe('A device that was away for long', function () {
  this.timeout(60_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let carol: Person;
  let apollo: string;
  let files: string;
  let chat: string;

  const three = async (options: OpenOptions = {}): Promise<void> => {
    alice = await house.move('Alice', options);
    bob = await house.move('Bob', options);
    carol = await house.move('Carol', options);
    apollo = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, apollo, { confirm: false });
    await house.join(alice, carol, apollo, { confirm: false });
    [files, chat] = (await alice.tools(apollo)) as [string, string];
    await alice.write(apollo, files, '/plan.txt', 'the plan\n');
    await house.converged(apollo, alice, bob, carol);
  };

  const deviceOf = async (person: Person) => (await person.api.identity()).device;
  const drop = async (by: Person, whom: string) => by.api.dropDevices(apollo, [whom]);
  const closedAs = (person: Person, how: string) =>
    person.until(async () => (await person.api.closed())[0]?.how === how && (await person.info(apollo)) === undefined);
  /** Carol's, as somebody else sees it. */
  const isDropped = (by: Person) =>
    by.until(async () => {
      const { devices } = (await by.info(apollo)).members.find(({ name }) => name === 'Carol')!;
      return devices.every(({ standing }) => standing === 'dropped');
    });
  const isIn = (person: Person) => person.until(async () => (await person.info(apollo))?.state === 'open');
  const posts = async (person: Person) =>
    (await person.api.chat(apollo, chat, { limit: 99 })).posts.map(({ text }) => text);
  /** Time passes while the machine is awake. */
  const ahead = async (person: Person, ms: number): Promise<void> => {
    person.aheadMs += ms;
    await person.api.absentDevices(apollo);
  };

  beforeEach(async () => {
    house = await House.build();
  });

  let release = (): void => undefined;
  afterEach(() => {
    release();
    return house.close();
  });

  it('L7 holds back the log: a manager sees it after 21 days, kept over restarts, and not before he has been awake for a while', async () => {
    await three();
    const carols = await deviceOf(carol);
    await carol.close();
    await alice.api.post(apollo, chat, 'Carol does not hear this');
    await house.converged(apollo, alice, bob);
    // The mark of what is held.
    await ahead(alice, 2 * DAY_MS);
    await ahead(alice, 9 * DAY_MS);
    const bobs = await deviceOf(bob);
    await alice.close();
    alice.aheadMs += 12 * DAY_MS + MINUTE_MS;
    await alice.open();
    assert.deepEqual(await alice.api.absentDevices(apollo), [], 'what others have acknowledged may be on its way');
    await bob.until(async () => (await bob.info(apollo)).sync.inSync > 0);
    // Bob's own clock stands: he acknowledges what there is.
    await alice.until(async () =>
      (await alice.info(apollo)).members.some(({ presence, self }) => !self && presence === 'online'),
    );
    for (let i = 0; i < 2; i++) await ahead(alice, 6 * MINUTE_MS);
    const absent = await alice.api.absentDevices(apollo);
    assert.deepEqual(
      absent
        .filter(({ device }) => device !== bobs)
        .map(({ device, member, mayTakeOut }) => [device, member, mayTakeOut]),
      [[carols, 'Carol', true]],
    );
    const since = absent.find(({ device }) => device === carols)!.absentSince!;
    assert.ok(Math.abs(since - (Date.now() + 2 * DAY_MS)) < DAY_MS, 'since the first mark at which it was held');
    const member = (await alice.info(apollo)).members.find(({ name }) => name === 'Carol')!;
    assert.equal(member.devices[0]!.absentSince, since);
    // Who may not drop is not offered it, nor may he.
    await assert.rejects(drop(bob, carols), { code: 'notPermitted' });
    await drop(alice, carols);
    await bob.until(async () => {
      const info = (await bob.info(apollo)).members.find(({ name }) => name === 'Carol')!;
      return info.devices[0]?.standing === 'dropped' && info.devices[0].by === 'Alice';
    });
    assert.ok((await alice.api.absentDevices(apollo)).every(({ device }) => device !== carols));
  });

  it('L7 A1 a manager does not drop the devices of a senior one', async () => {
    await three();
    await alice.api.setRole(apollo, (await bob.api.identity()).account, 'manager');
    await bob.until(async () => (await bob.info(apollo)).role === 'manager');
    await assert.rejects(drop(bob, await deviceOf(alice)), { code: 'notPermitted' });
    const alices = (await bob.info(apollo)).members.find(({ name }) => name === 'Alice')!.devices[0]!;
    assert.equal(alices.mayTakeOut, false);
    await assert.rejects(drop(bob, '00'.repeat(32)), { code: 'notFound' });
  });

  it('L7 comes back with one click: a fresh copy in a new feed, and what it had not sent is put back', async () => {
    await house.startRelay();
    await three();
    const carols = await deviceOf(carol);
    await carol.close();
    await alice.write(apollo, files, '/plan.txt', 'the plan, second\n');
    await house.converged(apollo, alice, bob);
    await alice.close();
    await bob.close();
    // On the train: nobody hears it.
    await house.relay!.stop();
    await carol.open();
    await carol.api.post(apollo, chat, 'Written on the train');
    await carol.write(apollo, files, '/plan.txt', 'the plan of Carol\n');
    await carol.write(apollo, files, '/draft.md', '# Draft\n');
    await carol.write(apollo, files, '/draft.md', '# Draft, second\n');
    await carol.close();
    await house.startRelay(house.relay!.port);
    await alice.open();
    await bob.open();
    await drop(alice, carols);
    await isDropped(bob);
    await alice.close();
    // Any member lets her in again: a participant is enough.
    await carol.open();
    const told = await carol.notice('dropped');
    assert.deepEqual(told.detail, { name: 'Apollo', member: 'Alice' });
    await closedAs(carol, 'dropped');
    await carol.api.fetchAgain(apollo);
    await isIn(carol);
    await carol.notice('workWaits');
    const [kept] = await carol.api.closed();
    assert.equal(kept!.isBack, true);
    assert.deepEqual(
      kept!.work.map(({ kind, name, text }) => [kind, name, text]),
      [
        ['post', '', 'Written on the train'],
        ['file', 'plan.txt', ''],
        ['file', 'draft.md', ''],
        ['file', 'draft.md', ''],
      ],
    );
    assert.deepEqual(await posts(carol), []);
    const report = await carol.api.putBack(apollo);
    assert.deepEqual(report, { posts: 1, files: 3, deeds: 0, left: 0 });
    assert.deepEqual(await carol.api.closed(), []);
    await alice.open();
    const listing = await house.converged(apollo, alice, bob, carol);
    assert.deepEqual(await posts(alice), ['Written on the train']);
    assert.equal(listing.filter((line) => line.includes('draft')).length, 1, 'two versions of one file');
    const draft = await alice.api.read(apollo, files, '/draft.md');
    assert.equal(Buffer.from(draft).toString(), '# Draft, second\n');
    // Alice had changed it meanwhile: both stay (F2).
    const plans = (await alice.api.list(apollo, files, '/')).filter(({ name }) => name.includes('plan'));
    const texts = await Promise.all(
      plans.map(async ({ name }) => Buffer.from(await alice.api.read(apollo, files, `/${name}`)).toString()),
    );
    assert.deepEqual(texts.sort(), ['the plan of Carol\n', 'the plan, second\n']);
    assert.equal(await deviceOf(carol), carols);
    const info = (await alice.info(apollo)).members.find(({ name }) => name === 'Carol')!;
    assert.deepEqual(
      info.devices.map(({ standing }) => standing),
      ['active'],
    );
    await carol.api.post(apollo, chat, 'And I write again');
    await alice.until(async () => (await posts(alice)).includes('And I write again'));
    assert.deepEqual(
      [alice, bob, carol].flatMap(({ notices }) => notices.filter(({ code }) => code === 'fork' || code === 'ownFork')),
      [],
    );
  });

  it('L7 what it had moved, deleted and unposted is done anew, in order; what others have changed meanwhile stands', async () => {
    await house.startRelay();
    await three();
    const carols = await deviceOf(carol);
    await alice.write(apollo, files, '/moved.txt', 'moved by two\n');
    for (const name of ['old', 'both']) await carol.write(apollo, files, `/${name}.txt`, `${name}\n`);
    const said = await carol.api.post(apollo, chat, 'Said too early');
    await house.converged(apollo, alice, bob, carol);
    await carol.close();
    await bob.api.rename(apollo, files, '/moved.txt', '/of Bob.txt', { overwrite: false });
    await alice.write(apollo, files, '/both.txt', 'both, second\n');
    await house.converged(apollo, alice, bob);
    await alice.close();
    await bob.close();
    await house.relay!.stop();
    await carol.open();
    await carol.api.makeFolder(apollo, files, '/sketches');
    await carol.write(apollo, files, '/sketches/a.md', '# A\n');
    await carol.api.rename(apollo, files, '/plan.txt', '/plan of Carol.txt', { overwrite: false });
    await carol.api.rename(apollo, files, '/plan of Carol.txt', '/sketches/plan.txt', { overwrite: false });
    await carol.api.rename(apollo, files, '/moved.txt', '/of Carol.txt', { overwrite: false });
    await carol.write(apollo, files, '/draft.md', '# Draft\n');
    for (const path of ['/old.txt', '/both.txt', '/draft.md'])
      await carol.api.remove(apollo, files, path, { recursive: false });
    await carol.api.deletePost(apollo, chat, said.id);
    await carol.close();
    await house.startRelay(house.relay!.port);
    await alice.open();
    await bob.open();
    await drop(alice, carols);
    await isDropped(bob);
    await carol.open();
    await closedAs(carol, 'dropped');
    // Kept over a restart.
    await carol.close();
    await carol.open();
    await carol.api.fetchAgain(apollo);
    await isIn(carol);
    await carol.notice('workWaits');
    const [kept] = await carol.api.closed();
    assert.deepEqual(
      kept!.work.map(({ kind, name, text }) => `${kind} ${name}${text}`),
      [
        ...[
          'folder sketches',
          'file a.md',
          'move plan of Carol.txt',
          'move plan.txt',
          'move of Carol.txt',
          'file draft.md',
        ],
        ...['deletion old.txt', 'deletion both.txt', 'deletion draft.md', 'deletion Said too early'],
      ],
    );
    const saved = join(house.folder, 'saved');
    await mkdir(saved);
    assert.equal((await carol.api.saveWork(apollo, saved, 'save')).files, 2, 'a deed is nothing to be saved');
    const before = await alice.listing(apollo);
    assert.ok(before.some((line) => line.includes('old.txt')));
    assert.deepEqual(await carol.api.putBack(apollo), { posts: 0, files: 2, deeds: 6, left: 0 });
    assert.deepEqual(await carol.api.closed(), []);
    // The last of it: nothing goes any more while it is looked at.
    for (const person of [alice, bob]) await person.until(async () => (await posts(person)).length === 0);
    await house.converged(apollo, alice, bob, carol);
    const names = async (folder: string) =>
      (await alice.api.list(apollo, files, folder)).map(({ name }) => name).toSorted();
    assert.deepEqual(await names('/'), ['both.txt', 'of Bob.txt', 'sketches']);
    assert.deepEqual(await names('/sketches'), ['a.md', 'plan.txt']);
    assert.equal(Buffer.from(await alice.api.read(apollo, files, '/both.txt')).toString(), 'both, second\n');
    assert.deepEqual(await posts(alice), []);
  });

  it('L7 K2 the word waits at the relay, asking and answer too; nothing is lost over restarts in between', async () => {
    await house.startRelay();
    await three({ direct: false });
    const carols = await deviceOf(carol);
    await alice.api.setRole(apollo, (await bob.api.identity()).account, 'manager');
    await bob.until(async () => (await bob.info(apollo)).role === 'manager');
    await house.converged(apollo, alice, bob, carol);
    await carol.close();
    await house.relay!.stop();
    await carol.open({ direct: false });
    await carol.api.post(apollo, chat, 'Before I heard');
    await carol.close();
    const connected = bob.next((event) => event.type === 'relay' && event.relay.state === 'connected');
    await house.startRelay(house.relay!.port);
    await connected;
    // Bob did not let her in: where her relay is he knows from her own word.
    await drop(bob, carols);
    await isDropped(alice);
    await alice.close();
    await bob.close();
    await carol.open({ direct: false });
    await closedAs(carol, 'dropped');
    await carol.api.fetchAgain(apollo);
    assert.equal((await carol.api.closed())[0]!.isAsking, true);
    await carol.until(async () => (await carol.api.relay()).state === 'connected');
    await carol.close();
    await bob.open({ direct: false });
    await carol.open({ direct: false });
    await isIn(carol);
    await carol.notice('workWaits');
    const folder = join(house.folder, 'saved');
    await mkdir(folder);
    assert.equal((await carol.api.saveWork(apollo, folder, 'save')).files, 1);
    assert.deepEqual(await readdir(folder), ['chat.md']);
    assert.equal((await carol.api.putBack(apollo)).posts, 1);
    await alice.open({ direct: false });
    await house.converged(apollo, alice, bob, carol);
    assert.deepEqual(await posts(alice), ['Before I heard']);
  });

  it('L7 who is taken out of the next copy while the one before is still going is told, and loses that, too', async () => {
    await three();
    const carols = await deviceOf(carol);
    await carol.close();
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    release = open;
    await carol.open({
      around: (log) => ({
        replay: (each) => log.replay(each),
        append: (records) => log.append(records),
        compact: async (records) => {
          const all = [...records];
          await gate;
          await log.compact(all);
        },
        get journalBytes() {
          return log.journalBytes;
        },
        close: () => log.close(),
      }),
    });
    await drop(alice, carols);
    await closedAs(carol, 'dropped');
    await carol.api.fetchAgain(apollo);
    await isIn(carol);
    await carol.until(async () => (await carol.api.closed()).length === 0);
    await house.converged(apollo, alice, bob, carol);
    carol.records.length = 0;
    await drop(alice, carols);
    const isDrop = (bytes: Uint8Array) => {
      const delta = readDelta(nodeCrypto(), apollo as WorkspaceId, bytes);
      return delta.ok && delta.value.kind === 'drop';
    };
    await carol.until(async () => carol.known().some((record) => deltasIn(record).some(isDrop)));
    open();
    await closedAs(carol, 'dropped');
  });

  it('L7 who is let in again while his copy is being erased begins when that is gone, and keeps the keys and content of the next', async () => {
    await three();
    const disk = new MemoryDisk();
    let isHeld = false;
    let reached = (): void => undefined;
    const atGate = new Promise<void>((resolve) => (reached = resolve));
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slow = new Proxy<Disk>(disk, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== 'remove') return value.bind(target) as unknown;
        return async (path: string) => {
          if (isHeld && /chunks\/[0-9a-f]{2}\//.test(path)) {
            reached();
            await gate;
          }
          await target.remove(path);
        };
      },
    });
    const dave = await house.move('Dave', { disk: slow });
    await house.join(alice, dave, apollo, { confirm: false });
    await alice.write(apollo, files, '/big.bin', seededBytes(300_000, 3));
    await house.converged(apollo, alice, bob, carol, dave);
    isHeld = true;
    await drop(alice, await deviceOf(dave));
    await atGate;
    await dave.api.fetchAgain(apollo);
    await bob.until(async () => {
      const { devices } = (await bob.info(apollo)).members.find(({ name }) => name === 'Dave')!;
      return devices.every(({ standing }) => standing !== 'dropped');
    });
    dave.pass(10_000);
    // As long as a copy takes.
    for (let i = 0; i < 30; i++) {
      await alice.api.post(apollo, chat, `post ${i}`);
      await bob.until(async () => (await posts(bob)).includes(`post ${i}`));
    }
    release();
    await dave.notice('dropped');
    dave.pass(10_000);
    await isIn(dave);
    await house.converged(apollo, alice, bob, carol, dave);
    for (const person of [alice, bob, carol, dave]) await person.close();
    await dave.open({ disk: slow });
    assert.deepEqual(Buffer.from(await dave.api.read(apollo, files, '/big.bin')), Buffer.from(seededBytes(300_000, 3)));
  });

  it('L7 with nothing unsent it is simply there again; who is no member any more is not let in', async () => {
    await three();
    const carols = await deviceOf(carol);
    await drop(alice, carols);
    await closedAs(carol, 'dropped');
    await carol.api.fetchAgain(apollo);
    await isIn(carol);
    await carol.until(async () => (await carol.api.closed()).length === 0);
    await house.converged(apollo, alice, bob, carol);
    // A second time, and out of the workspace before she asks.
    await drop(alice, carols);
    await closedAs(carol, 'dropped');
    await alice.api.removeMember(apollo, (await carol.api.identity()).account);
    await bob.until(async () => (await bob.info(apollo)).members.length === 2);
    await carol.api.fetchAgain(apollo);
    assert.deepEqual((await carol.notice('notLetIn')).detail, { name: 'Apollo' });
    assert.equal((await carol.api.closed())[0]!.isAsking, false);
    await carol.api.forget(apollo);
    assert.deepEqual(await carol.api.closed(), []);
    await assert.rejects(carol.api.fetchAgain(apollo), { code: 'notFound' });
    await alice.api.post(apollo, chat, 'without Carol');
    await house.converged(apollo, alice, bob);
    assert.equal((await alice.info(apollo)).members.length, 2);
    assert.equal(await carol.info(apollo), undefined);
  });
});
