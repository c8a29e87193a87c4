/**
 * L6, D9: what a copy alone has settled, and what was written upon it, when it begins anew with a copy that never had it. Alice’s store
 * comes back from a back-up (D2), as if it had never been away; what Bob has folded meanwhile is nowhere but with him.
 */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccountId, DeltaId, DeviceId, ToolId, WorkspaceId } from '../../src/base/ids.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { LeftBehind, type Copy } from '../../src/service/left-behind.ts';
import { LocalState } from '../../src/service/local-state.ts';
import { decodeRecord } from '../../src/service/records.ts';
import { feedOf, type Delta } from '../../src/sync/delta.ts';
import type { LogStore } from '../../src/sync/ports.ts';
import type { Row } from '../../src/sync/reducer.ts';
import { POSTS, postToRow } from '../../src/tools/chat/rows.ts';
import { folding, type Folding } from './folding.ts';
import { House, type Person } from './house.ts';

/** Keeps what is on the disk when all before a base is written, and when that is, too, and nothing after it. */
function tearing(folder: string, into: string): (log: LogStore) => LogStore {
  return (log) => ({
    replay: (each) => log.replay(each),
    append: async (records) => {
      const at = records.findIndex((record) => decodeRecord(record)?.kind === 'base');
      if (at < 0) return log.append(records);
      await log.append(records.slice(0, at));
      await cp(folder, join(into, 'without'), { recursive: true });
      await log.append(records.slice(at, at + 1));
      await cp(folder, join(into, 'with'), { recursive: true });
      await log.append(records.slice(at + 1));
    },
    compact: (records) => log.compact(records),
    get journalBytes() {
      return log.journalBytes;
    },
    close: () => log.close(),
  });
}

describe('What a copy alone has settled', function () {
  this.timeout(60_000);
  const place = 'of the disk';
  let house: House;
  let alice: Person;
  let bob: Person;
  let folds: { readonly alice: Folding; readonly bob: Folding };
  let apollo: string;
  let files: string;
  let chat: string;

  beforeEach(async () => {
    house = await House.build();
    folds = { alice: folding(), bob: folding() };
    alice = await house.move('Alice', { ...folds.alice, place });
    bob = await house.move('Bob', folds.bob);
    apollo = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, apollo, { confirm: false });
    [files, chat] = (await alice.tools(apollo)) as [string, string];
    await alice.write(apollo, files, '/plan.txt', 'the plan '.repeat(400));
    await settle('the first words', alice, bob);
  });
  afterEach(() => house.close());

  /** Bob says something, all have it in their past, and these people fold it. */
  const settle = async (words: string, ...people: readonly Person[]) => {
    await bob.api.post(apollo, chat, words);
    await house.converged(apollo, alice, bob);
    const foldings = people.map((person) => (person === alice ? folds.alice : folds.bob).folded(words));
    for (const person of [alice, bob]) {
      await person.api.post(apollo, chat, `${person.name} has seen ${words.length} letters`);
      await house.converged(apollo, alice, bob);
    }
    for (const person of people) person.aheadMs += 240_000;
    await people[0]!.api.post(apollo, chat, 'and on');
    await Promise.all(foldings);
    await house.converged(apollo, alice, bob);
  };

  const sees = (person: Person) =>
    person.until(async () =>
      (await person.info(apollo)).members.some(({ presence, self }) => !self && presence === 'online'),
    );

  /** Alice’s store comes back as it was before Bob had written what is called these words, which he alone has folded. */
  const settledAlone = async (words: string, also = async (): Promise<void> => {}) => {
    await alice.close();
    await cp(alice.folder, join(house.folder, 'back-up'), { recursive: true });
    await alice.open({ ...folds.alice, place });
    await sees(bob);
    await also();
    await settle(words, bob);
    await alice.close();
    await rm(alice.folder, { recursive: true });
    await cp(join(house.folder, 'back-up'), alice.folder, { recursive: true });
  };
  const chatPost = async (words: string) =>
    (await bob.api.chat(apollo, chat, { limit: 99 })).posts.find(({ text }) => text === words)!.id;
  /** Bob begins anew with Alice’s copy. */
  const renew = async () => {
    await alice.open({ ...folds.alice, place });
    await sees(bob);
    assert.equal(await bob.api.renewCopy(apollo), 'Alice');
    await bob.notice('renewed');
    return house.converged(apollo, alice, bob);
  };
  const listed = async () =>
    (await bob.api.notAccepted(apollo)).map(({ kind, name, text }) => `${kind} ${name}${text}`);
  const saved = async (name: string) => {
    const folder = await mkdtemp(join(house.folder, 'saved-'));
    await bob.api.saveWork(apollo, folder, name);
    return readFile(join(folder, name), 'utf8');
  };

  it('L6 D9 what was written upon it does not come along into a fresh copy: it is listed, to be taken over, after a restart too', async () => {
    await settledAlone('folded here alone');
    await bob.api.post(apollo, chat, 'written upon it');
    await bob.write(apollo, files, '/upon.txt', 'a file upon it');
    const whole = await renew();
    assert.equal(whole.filter((line) => line.includes('upon')).length, 0);
    for (let times = 0; times < 2; times++) {
      const list = await listed();
      for (const piece of ['post written upon it', 'file upon.txt']) assert.ok(list.includes(piece), piece);
      assert.ok((await bob.api.notAccepted(apollo)).every(({ reason }) => reason === 'apart'));
      assert.ok((await saved('chat.md')).includes('written upon it'));
      assert.equal(await saved('upon.txt'), 'a file upon it');
      await bob.close();
      await bob.open(folds.bob);
    }
    await alice.api.post(apollo, chat, 'and on');
    assert.ok((await house.converged(apollo, alice, bob)).includes('Alice: and on'));
  });

  it('L6 D9 nor does what it has folded itself: posts, edits, and versions with what they are made upon', async () => {
    const plan = 'the plan '.repeat(400);
    await settledAlone('folded here alone', async () => {
      await bob.api.editPost(apollo, chat, await chatPost('the first words'), 'the first words, edited');
      await bob.write(apollo, files, '/plan.txt', `${plan} as Bob has it`);
      await bob.write(apollo, files, '/own.txt', 'his own');
      await alice.write(apollo, files, '/hers.txt', plan);
      await house.converged(apollo, alice, bob);
      await alice.api.post(apollo, chat, 'of Alice, and so not listed');
    });
    await bob.write(apollo, files, '/hers.txt', `${plan} as Bob has hers`);
    const whole = await renew();
    assert.ok(whole.includes('Bob: the first words') && !whole.some((line) => line.includes('alone')));
    for (let times = 0; times < 2; times++) {
      assert.deepEqual((await listed()).filter((piece) => !/has seen|and on/.test(piece)).sort(), [
        'file hers.txt',
        'file own.txt',
        'file plan.txt',
        'post folded here alone',
        'post the first words, edited',
      ]);
      assert.equal(await saved('plan.txt'), `${plan} as Bob has it`);
      assert.equal(await saved('own.txt'), 'his own');
      assert.equal(await saved('hers.txt'), `${plan} as Bob has hers`);
      assert.ok((await saved('chat.md')).includes('the first words, edited'));
      await bob.close();
      await bob.open(folds.bob);
    }
  });

  it('L6 D9 and a crash while the fresh copy is written loses nothing of it, and lists nothing that is there', async () => {
    await settledAlone('folded here alone');
    await bob.close();
    const states = tearing(bob.folder, join(house.folder, 'torn'));
    await bob.open({ ...folds.bob, around: states });
    await bob.api.post(apollo, chat, 'written upon it');
    await renew();
    await alice.close();
    for (const [state, expected] of [
      ['without', []],
      ['with', ['post folded here alone', 'post written upon it']],
    ] as const) {
      await bob.close();
      await rm(bob.folder, { recursive: true });
      await cp(join(house.folder, 'torn', state), bob.folder, { recursive: true });
      await bob.open(folds.bob);
      const all = await bob.listing(apollo);
      assert.equal(all.includes('Bob: folded here alone'), state === 'without');
      assert.deepEqual(
        (await listed()).filter((piece) => !/has seen|and on/.test(piece)),
        expected,
      );
    }
  });

  it('L6 D9 and nothing of it is listed that is in the other’s log: it comes along with that', async () => {
    await settle('folded here first', bob);
    await alice.close();
    await bob.api.post(apollo, chat, 'written upon it');
    const whole = await renew();
    for (const words of ['folded here first', 'written upon it']) assert.ok(whole.includes(`Bob: ${words}`), words);
    assert.deepEqual(await listed(), []);
    await alice.api.deletePost(apollo, chat, await chatPost('folded here first'));
    assert.ok(!(await house.converged(apollo, alice, bob)).includes('Bob: folded here first'));
    assert.deepEqual(await listed(), [], 'nor when it is deleted then');
  });
});

describe('What of a folded post a copy lacks', () => {
  const [own, hers] = ['aa', 'bb'].map((byte) => byte.repeat(32));
  const whose = { account: own as AccountId, device: own as DeviceId };
  const [tool, id] = ['cc'.repeat(32) as ToolId, 'dd'.repeat(32) as DeltaId];
  const post = (text: string, edited = 0, author = own) =>
    postToRow({ author: author as AccountId, text, time: 1_000, edited, height: 3 });

  /** All of it is folded, up to there in this person’s feed and that of another. */
  function copyOf(row: Row | undefined, seq: number, herSeq = 9): Copy {
    const find = (_: ToolId, table: string, key: string) => (table === POSTS && key === id ? row : undefined);
    return {
      nodes: () => [].values(),
      node: () => undefined,
      fold: { rows: () => (row ? [{ tool, table: POSTS, key: id, row }] : []), row: find, baseRow: find },
      feeds: {
        cut: () =>
          new Map([
            [feedOf(own as DeviceId, 0), seq],
            [feedOf(hers as DeviceId, 0), herSeq],
          ]),
      },
      verdictOf: () => undefined,
      people: { accountOf: (device) => device as string as AccountId },
    };
  }
  const left = (before: Copy, copy: Copy) => {
    const behind = new LeftBehind(new LocalState(), 'ee'.repeat(32) as WorkspaceId);
    behind.begun(before, copy, whose);
    return behind.all.map(({ kind, body }) => [kind, (body as readonly Value[]).at(-1)]);
  };

  it('D9 is listed where the copy never had it, and not where it had and somebody has taken it away', () => {
    assert.deepEqual(left(copyOf(post('alone'), 5), copyOf(undefined, 4)), [['post', 'alone']]);
    assert.deepEqual(left(copyOf(post('alone'), 5), copyOf(undefined, 5)), []);
    assert.deepEqual(left(copyOf(post('alone'), 5), copyOf(undefined, 5, 3)), [], 'another’s feed says nothing of his');
  });

  it('D9 is listed as it was edited last, and not where the other copy has a later edit; nor is another’s', () => {
    assert.deepEqual(left(copyOf(post('later', 3), 5), copyOf(post('first', 2), 4)), [['edit', 'later']]);
    assert.deepEqual(left(copyOf(post('first', 2), 5), copyOf(post('later', 3), 4)), []);
    assert.deepEqual(left(copyOf(post('hers', 0, hers), 5), copyOf(undefined, 4)), []);
  });

  it('D9 is kept over a restart until it is here', () => {
    const local = new LocalState();
    const workspace = 'ee'.repeat(32) as WorkspaceId;
    new LeftBehind(local, workspace).begun(copyOf(post('later', 3), 5), copyOf(post('first', 2), 4), whose);
    const again = new LeftBehind(local, workspace);
    again.restore(copyOf(post('first', 2), 4));
    assert.deepEqual(
      again.all.map(({ kind, reason }) => [kind, reason]),
      [['edit', 'apart']],
    );
    again.settle(copyOf(post('later', 3), 4));
    assert.deepEqual([again.all, [...local.under('behind/')]], [[], []]);
  });

  it('D2 D9 what has come back, and waits for what is taken no more, is listed till it is here', () => {
    const [local, workspace] = [new LocalState(), 'ee'.repeat(32) as WorkspaceId];
    const behind = new LeftBehind(local, workspace);
    const said = { device: own as DeviceId, tool, time: 1_000 };
    const waiting = [
      { ...said, id, kind: 'post', body: ['lost'] },
      { ...said, id: '01'.repeat(32) as DeltaId, tool: undefined, kind: 'ack', body: [] },
    ] as unknown as readonly Delta[];
    behind.hold(waiting);
    assert.deepEqual(
      behind.all.map(({ kind, reason }) => [kind, reason]),
      [['post', 'apart']],
    );
    const again = new LeftBehind(local, workspace);
    again.restore(copyOf(undefined, 4));
    assert.equal(again.all.length, 1);
    again.settle(copyOf(post('lost'), 4));
    assert.deepEqual(again.all, []);
  });
});
