/**
 * L6, D9: what a copy alone has settled, and what was written upon it, when it begins anew with a copy that never had it. Alice’s store
 * comes back from a back-up (D2), as if it had never been away; what Bob has folded meanwhile is nowhere but with him.
 */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeRecord, deltasIn } from '../../src/service/records.ts';
import type { LogStore } from '../../src/sync/ports.ts';
import { House, type OpenOptions, type Person } from './house.ts';

/** Resolves when the journal was written anew with a base, and without deltas in which these words stand: they are folded. */
function folding(): OpenOptions & { folded(words: string): Promise<void> } {
  const waiting = new Set<{ readonly words: string; readonly resolve: () => void }>();
  const around = (log: LogStore): LogStore => ({
    replay: (each) => log.replay(each),
    append: (records) => log.append(records),
    compact: async (records) => {
      const all = [...records];
      await log.compact(all);
      const read = all.flatMap((record) => decodeRecord(record) ?? []);
      if (!read.some(({ kind }) => kind === 'base')) return;
      const deltas = read.flatMap((record) => deltasIn(record)).map((bytes) => Buffer.from(bytes));
      for (const one of waiting) {
        if (deltas.some((delta) => delta.includes(one.words))) continue;
        waiting.delete(one);
        one.resolve();
      }
    },
    get journalBytes() {
      return log.journalBytes;
    },
    close: () => log.close(),
  });
  const folded = (words: string) => new Promise<void>((resolve) => void waiting.add({ words, resolve }));
  return { around, compactAboveBytes: 1, folded };
}

describe('What a copy alone has settled', function () {
  this.timeout(60_000);
  const place = 'of the disk';
  let house: House;
  let alice: Person;
  let bob: Person;
  let folds: { readonly alice: ReturnType<typeof folding>; readonly bob: ReturnType<typeof folding> };
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
  const settledAlone = async (words: string) => {
    await alice.close();
    await cp(alice.folder, join(house.folder, 'back-up'), { recursive: true });
    await alice.open({ ...folds.alice, place });
    await sees(bob);
    await settle(words, bob);
    await alice.close();
    await rm(alice.folder, { recursive: true });
    await cp(join(house.folder, 'back-up'), alice.folder, { recursive: true });
  };
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

  it('L6 D9 and nothing of it is listed that is in the other’s log: it comes along with that', async () => {
    await settle('folded here first', bob);
    await alice.close();
    await bob.api.post(apollo, chat, 'written upon it');
    const whole = await renew();
    for (const words of ['folded here first', 'written upon it']) assert.ok(whole.includes(`Bob: ${words}`), words);
    assert.deepEqual(await listed(), []);
  });
});
