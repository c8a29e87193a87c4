/** L7: what was kept of a workspace is written into it anew, over crashes, once and whole. Real stores and sockets. */
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceError } from '../../src/service/api.ts';
import { Contents } from '../../src/store/contents.ts';
import { StoreError, type LogStore } from '../../src/sync/ports.ts';
import { House, type OpenOptions, type Person } from './house.ts';

/** A store that comes back as it was looks as if it had never been away: no new feed (D2). */
const place = 'of the disk';

describe('Putting back what was kept', function () {
  this.timeout(60_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let apollo: string;
  let files: string;
  let chat: string;

  beforeEach(async () => {
    house = await House.build();
    alice = await house.move('Alice');
    bob = await house.move('Bob', { place });
    apollo = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, apollo, { confirm: false });
    [files, chat] = (await alice.tools(apollo)) as [string, string];
  });
  afterEach(() => house.close());

  /** Bob works alone, is dropped meanwhile, and is in again: what he has done is kept. `meanwhile`: what Alice does. */
  const kept = async (alone: () => Promise<unknown>, meanwhile = async (): Promise<unknown> => undefined) => {
    await house.converged(apollo, alice, bob);
    await bob.close();
    await meanwhile();
    await alice.close();
    await bob.open({ place });
    const { device } = await bob.api.identity();
    await alone();
    await bob.close();
    await alice.open();
    await alice.api.dropDevices(apollo, [device]);
    await bob.open({ place });
    await bob.until(async () => (await bob.api.closed())[0]?.how === 'dropped' && !(await bob.info(apollo)));
    const waits = bob.next((event) => event.type === 'notice' && event.code === 'workWaits');
    await bob.api.fetchAgain(apollo);
    await waits;
    await house.converged(apollo, alice, bob);
  };
  const rename = (from: string, to: string) => bob.api.rename(apollo, files, from, to, { overwrite: false });
  const ifDone = (error: unknown) => assert.equal((error as ServiceError).code, 'notFound');
  /** The disk as it is now, to go back to. */
  const save = async (state: string) => {
    const at = join(house.folder, 'states', state);
    await rm(at, { recursive: true, force: true });
    await cp(bob.folder, at, { recursive: true });
  };
  const backTo = async (state: string, options: OpenOptions = {}) => {
    await bob.close();
    await rm(bob.folder, { recursive: true });
    await cp(join(house.folder, 'states', state), bob.folder, { recursive: true });
    await bob.open({ place, ...options });
  };
  /** Keeps the disk as it is before each write. */
  const keepingEach = (states: string[]): ((log: LogStore) => LogStore) => {
    const before = async (): Promise<void> => {
      const state = `before write ${states.length}`;
      await save(state);
      states.push(state);
    };
    return (log: LogStore) => ({
      replay: (each) => log.replay(each),
      append: async (records) => {
        await before();
        await log.append(records);
      },
      compact: (records) => log.compact(records),
      get journalBytes() {
        return log.journalBytes;
      },
      close: () => log.close(),
    });
  };

  it('L7 after a crash at any write a restart goes on: nothing is doubled, and nothing is lost', async () => {
    await alice.write(apollo, files, '/moved.txt', 'moved');
    await bob.write(apollo, files, '/old.txt', 'old');
    await kept(
      async () => {
        const { id } = await bob.api.post(apollo, chat, 'first words');
        await bob.api.editPost(apollo, chat, id, 'first words, edited');
        await bob.write(apollo, files, '/draft.md', '# Draft');
        await bob.write(apollo, files, '/draft.md', '# Draft, second');
        await bob.api.makeFolder(apollo, files, '/sketches');
        await bob.write(apollo, files, '/sketches/a.md', '# A');
        await rename('/moved.txt', '/taken.txt');
        await rename('/taken.txt', '/sketches/moved.txt');
        await rename('/draft.md', '/sketches/draft.md');
        await bob.api.remove(apollo, files, '/old.txt', { recursive: false });
        await bob.api.post(apollo, chat, 'last words');
      },
      () => alice.write(apollo, files, '/taken.txt', 'the name is taken'),
    );
    await bob.close();
    await save('before');
    await alice.close();
    const states: string[] = [];
    await backTo('before', { around: keepingEach(states) });
    states.length = 0;
    assert.deepEqual(await bob.api.putBack(apollo), { posts: 3, files: 3, deeds: 5, left: 0 });
    const expected = await bob.listing(apollo);
    for (const piece of ['Bob: first words, edited', 'Bob: last words', '/sketches/draft.md'])
      assert.equal(expected.filter((line) => line.startsWith(piece)).length, 1, piece);
    let begun = 0;
    for (const [i, state] of states.entries()) {
      await backTo(state);
      // It goes on by itself where it has begun, also if it is asked for again.
      const hasBegun = (await bob.api.closed())[0]?.work.length !== 11;
      if (!hasBegun || i % 2 === 0) await bob.api.putBack(apollo).catch(ifDone);
      begun += Number(hasBegun);
      await bob.until(async () => (await bob.api.closed()).length === 0);
      assert.deepEqual(await bob.listing(apollo), expected, state);
    }
    assert.ok(begun >= 10, 'each piece is a write of its own');
  });

  it('L7 asked for twice at once it is done once, and both are told', async () => {
    await kept(() => bob.api.post(apollo, chat, 'kept'));
    const reports = await Promise.all([bob.api.putBack(apollo), bob.api.putBack(apollo)]);
    assert.deepEqual(
      reports.map(({ posts }) => posts),
      [1, 1],
    );
    assert.deepEqual(await bob.listing(apollo), ['Bob: kept']);
  });

  it('L7 who is dropped again before he has put it back keeps that, too', async () => {
    await kept(() => bob.api.post(apollo, chat, 'kept first'));
    await kept(() => bob.api.post(apollo, chat, 'kept then'));
    const [closed] = await bob.api.closed();
    assert.deepEqual(
      closed!.work.map(({ text }) => text),
      ['kept first', 'kept then'],
    );
    assert.equal((await bob.api.putBack(apollo)).posts, 2);
    assert.deepEqual(await house.converged(apollo, alice, bob), ['Bob: kept first', 'Bob: kept then']);
  });

  it('L7 D9 who saves what was not accepted where he is in again has that, and what is kept from before', async () => {
    await kept(() => bob.api.post(apollo, chat, 'kept'));
    const { account } = await bob.api.identity();
    await bob.close();
    await alice.api.setRole(apollo, account, 'guest');
    await alice.close();
    await bob.open({ place });
    await bob.api.post(apollo, chat, 'as a guest');
    await alice.open();
    await bob.until(async () => (await bob.api.notAccepted(apollo)).length === 1);
    const into = join(house.folder, 'saved');
    await mkdir(into);
    await bob.api.saveWork(apollo, into, 'saving');
    assert.equal(await readFile(join(into, 'chat.md'), 'utf8'), 'kept\n\n---\n\nas a guest');
  });

  it('L7 L1 on a full disk nothing that was kept goes before what it has become is saved', async () => {
    await kept(() => bob.write(apollo, files, '/draft.txt', 'the only one'));
    await bob.close();
    let isFull = true;
    const full = (log: LogStore): LogStore => ({
      replay: (each) => log.replay(each),
      append: (records) => (isFull ? Promise.reject(new StoreError('diskFull', 'no space left')) : log.append(records)),
      compact: (records) => log.compact(records),
      get journalBytes() {
        return log.journalBytes;
      },
      close: () => log.close(),
    });
    await bob.open({ place, around: full });
    await assert.rejects(bob.api.putBack(apollo), { code: 'diskFull' });
    // The last try fails, too: what was in line for the disk is gone.
    await bob.close();
    isFull = false;
    await bob.open({ place });
    assert.deepEqual(await bob.api.putBack(apollo), { posts: 0, files: 1, deeds: 0, left: 0 });
    assert.equal(Buffer.from(await bob.api.read(apollo, files, '/draft.txt')).toString(), 'the only one');
  });

  it('L7 L2 what was kept and is damaged on the disk holds up nothing else, and stays listed', async () => {
    await kept(async () => {
      for (const name of ['one', 'two', 'three']) await bob.write(apollo, files, `/${name}.txt`, name.repeat(40_000));
      await bob.api.post(apollo, chat, 'last words');
    });
    await bob.close();
    const names = await readdir(join(bob.folder, 'chunks'), { recursive: true });
    await rm(
      join(
        bob.folder,
        'chunks',
        names.find((name) => /[0-9a-f]{64}$/.test(name))!,
      ),
    );
    await bob.open({ place });
    assert.deepEqual(await bob.api.putBack(apollo), { posts: 1, files: 2, deeds: 0, left: 1 });
    assert.equal((await bob.api.closed())[0]!.work.length, 1);
  });

  it('L7 files with the same content each have it', async () => {
    await kept(async () => {
      for (const name of ['one', 'two']) await bob.write(apollo, files, `/${name}.txt`, 'the same');
    });
    assert.equal((await bob.api.putBack(apollo)).files, 2);
    for (const name of ['one', 'two'])
      assert.equal(Buffer.from(await bob.api.read(apollo, files, `/${name}.txt`)).toString(), 'the same');
  });

  it('L7 who removes the row while it is put back has what is done by then, and what he writes later is kept whole', async () => {
    const texts = async () =>
      (await bob.api.chat(apollo, chat, { limit: 50 })).posts.map(({ text }) => text.replace(/ \d+$/, ''));
    const write = async (text: string): Promise<void> => {
      for (let i = 0; i < 12; i++) await bob.api.post(apollo, chat, `${text} ${i}`);
    };
    await kept(() => write('first'));
    const begun = bob.next((event) => event.type === 'chat');
    const putting = bob.api.putBack(apollo);
    await begun;
    await bob.api.forget(apollo);
    assert.deepEqual(await bob.api.closed(), []);
    const { posts, left } = await putting;
    assert.ok(posts > 0 && posts < 12, `${posts} were written anew`);
    assert.equal(left, 0);
    assert.equal((await texts()).length, posts);
    await house.converged(apollo, alice, bob);
    await bob.close();
    const onDisk = (await bob.kept(apollo)).filter((key) => /^(anew|kept|closed|putting)/.test(key));
    assert.deepEqual(onDisk, []);
    await bob.open({ place });
    await kept(() => write('second'));
    assert.equal((await bob.api.closed())[0]!.work.length, 12);
    assert.equal((await bob.api.putBack(apollo)).posts, 12);
    assert.equal((await texts()).filter((text) => text === 'second').length, 12);
  });

  describe('L7 who is dropped again, and removes the row from the list as that comes', () => {
    const { writeStream, chunkRefs } = Contents.prototype;
    let isBegun: Promise<void>;
    let begin: () => void;

    beforeEach(async () => {
      isBegun = new Promise((resolve) => (begin = resolve));
      await kept(() => bob.write(apollo, files, '/first.txt', 'first '.repeat(40_000)));
      await bob.close();
      await alice.close();
      await bob.open({ place });
      const { device } = await bob.api.identity();
      await bob.write(apollo, files, '/second.txt', 'second '.repeat(40_000));
      await bob.close();
      await alice.open();
      await alice.api.dropDevices(apollo, [device]);
    });
    afterEach(() => Object.assign(Contents.prototype, { writeStream, chunkRefs }));

    /** The disk takes its time for what comes first of it. */
    const slowly = async <T>(act: () => Promise<T>): Promise<T> => {
      begin();
      await new Promise((resume) => setTimeout(resume, 500));
      return act();
    };
    /** What is listed, and can be read, also after a restart. */
    const saved = async (): Promise<readonly string[]> => {
      await bob.until(async () => !(await bob.info(apollo)) && (await bob.api.closed()).length === 1);
      await bob.close();
      await bob.open({ place });
      const [closed] = await bob.api.closed();
      const into = join(house.folder, 'saved');
      await mkdir(into);
      const { files: count, skipped } = await bob.api.saveWork(apollo, into, 'save');
      assert.deepEqual([count, skipped], [closed!.work.length, []]);
      const texts = (await readdir(into, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
      assert.equal(texts.length, closed!.work.length);
      return closed!.work.map(({ name }) => name);
    };

    it('keeps all of it where it was being kept already: he has not seen what came to it', async () => {
      Contents.prototype.writeStream = function (this: Contents, ...given) {
        return slowly(() => writeStream.apply(this, given));
      };
      await bob.open({ place });
      await isBegun;
      await bob.api.forget(apollo);
      assert.deepEqual(await saved(), ['first.txt', 'second.txt']);
    });

    it('keeps what is new alone where the row went first', async () => {
      Contents.prototype.chunkRefs = function (this: Contents, content) {
        return slowly(() => chunkRefs.call(this, content));
      };
      await bob.open({ place });
      const forgetting = bob.api.forget(apollo);
      await isBegun;
      await forgetting;
      assert.deepEqual(await saved(), ['second.txt']);
    });
  });
});
