/** Restored back-ups and copied profiles (D2): a feed never forks where it can be helped, and nothing is lost. */
import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64Url } from '../../src/base/bytes.ts';
import type { DeviceId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { MAX_FEED_GENERATION } from '../../src/protocol/limits.ts';
import type { ServiceError, ServiceEvent } from '../../src/service/api.ts';
import { LocalState } from '../../src/service/local-state.ts';
import { generationIn, OnlyCopy, type WrittenWorkspace } from '../../src/service/only-copy.ts';
import { readDelta } from '../../src/sync/delta.ts';
import { envelopeTag } from '../../src/sync/envelope.ts';
import { returnSeal } from '../../src/sync/way-back.ts';
import { House, type Person } from './house.ts';

const crypto = nodeCrypto();
/** A store that comes back with its whole disk looks as if it had never been away. */
const place = 'of the disk';

const refusedWith = (code: ServiceError['code']) => (error: unknown) => {
  assert.equal((error as ServiceError).code, code, String(error));
  return true;
};

describe('A store that was restored or copied', function () {
  this.timeout(30_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let workspace: string;
  let chat: string;
  let device: string;

  beforeEach(async () => {
    house = await House.build();
    alice = await house.move('Alice');
    bob = await house.move('Bob');
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    chat = (await alice.tools(workspace))[1]!;
    await house.join(alice, bob, workspace, { confirm: false });
    await alice.api.post(workspace, chat, 'before the back-up');
    await has(bob, 'before the back-up');
    device = (await alice.api.identity()).device;
  });
  afterEach(() => house.close());

  const posts = async (person: Person) =>
    (await person.api.chat(workspace, chat, { limit: 99 })).posts.map(({ text }) => text);
  const has = (person: Person, ...texts: readonly string[]) =>
    person.until(async () => {
      const all = await posts(person);
      return texts.every((text) => all.includes(text));
    });
  /** Leaves the store closed. */
  const backUp = async () => {
    await alice.close();
    await cp(alice.folder, join(house.folder, 'back-up'), { recursive: true });
  };
  const restore = async () => {
    await alice.close();
    await rm(alice.folder, { recursive: true });
    await cp(join(house.folder, 'back-up'), alice.folder, { recursive: true });
  };
  /** As soon as another has told what the store may lack. */
  const post = (person: Person, text: string) =>
    person.until(async () => {
      try {
        await person.api.post(workspace, chat, text);
        return true;
      } catch (error) {
        if ((error as ServiceError).code === 'awaitsWord') return false;
        throw error;
      }
    });
  const keysOf = ({ secrets }: Person, of: string) => {
    const agreementSecret = fromBase64Url(secrets.agreementSecret)!;
    return { device: of as DeviceId, agreementSecret, agreementKey: crypto.agreementKeyOf(agreementSecret) };
  };
  const noticed = (code: string) => [alice, bob].flatMap(({ notices }) => notices.filter((one) => one.code === code));

  /** Which of Alice's feeds each of her posts stands in, as a person was given them. */
  const generationOf = (person: Person, text: string) => {
    for (const record of person.known()) {
      if (record.kind !== 'delta' || record.workspace !== workspace) continue;
      const read = readDelta(crypto, workspace as WorkspaceId, record.bytes);
      if (!read.ok || read.value.device !== device || read.value.kind !== 'post') continue;
      if (Buffer.from(read.value.bytes).includes(text)) return read.value.generation;
    }
    throw new assert.AssertionError({ message: `nobody was given “${text}”` });
  };

  it('D2 L4 a back-up that is restored twice writes when it has heard what it lacks, and no feed forks and nothing is lost', async () => {
    await backUp();
    await alice.open();
    await alice.api.post(workspace, chat, 'after the back-up');
    await has(bob, 'after the back-up');
    for (const text of ['restored', 'restored again']) {
      await bob.close();
      await restore();
      await alice.open();
      assert.ok((await posts(alice)).includes('before the back-up'), 'it can be read at once');
      await assert.rejects(alice.api.post(workspace, chat, 'refused'), refusedWith('awaitsWord'));
      // Nor after it was closed: it has heard of nothing.
      await alice.close();
      await alice.open();
      await assert.rejects(alice.api.post(workspace, chat, 'refused'), refusedWith('awaitsWord'));
      await bob.open();
      await post(alice, text);
      await has(bob, text);
    }
    for (const person of [alice, bob])
      await has(person, 'before the back-up', 'after the back-up', 'restored', 'restored again');
    await house.converged(workspace, alice, bob);
    assert.deepEqual([...noticed('fork'), ...noticed('ownFork'), ...noticed('usedTwice')], []);
    assert.equal(generationOf(bob, 'after the back-up'), 0);
    assert.notEqual(generationOf(bob, 'restored'), 0);
    assert.notEqual(generationOf(bob, 'restored again'), 0);
    assert.notEqual(generationOf(bob, 'restored'), generationOf(bob, 'restored again'));
  });

  describe('from before those came who could tell what it lacks', () => {
    let carol: Person;
    const link = async (person: Person) => {
      const options = { role: 'participant', expiresInMs: 60_000, uses: 1, confirm: false, scheme: 'vscode' } as const;
      return (await person.api.invite(workspace, options)).link;
    };
    /** Carol comes when it was backed up, the key changes, and all is folded: she holds no key any more that the back-up knows. */
    const goOnWith = async (other: Person) => {
      await alice.open();
      await house.join(alice, carol, workspace, { confirm: false });
      const { account } = await other.api.identity();
      await alice.api.removeMember(workspace, account);
      await carol.until(async () => (await carol.info(workspace)).members.length === 2);
      for (const person of [alice, carol]) await person.api.post(workspace, chat, `by ${person.name} since`);
      for (const person of [alice, carol]) await has(person, 'by Alice since', 'by Carol since');
      const hasErased = () =>
        carol.known().some((one) => one.kind === 'local' && one.key.startsWith(`generation/${workspace}/`));
      while (!hasErased()) {
        for (const person of [alice, carol]) person.pass(61_000);
        await new Promise((turn) => setImmediate(turn));
      }
      // He has not heard it perhaps, and would tell what it lacks as far as he knows.
      await other.close();
      await restore();
      await alice.open();
    };
    const isWhole = async () => {
      const since = ['by Alice since', 'by Carol since'];
      await has(alice, ...since);
      await post(alice, 'restored');
      await has(carol, 'restored', ...since);
      await house.converged(workspace, alice, carol);
      await alice.until(async () => (await alice.api.joins()).length === 0);
      assert.deepEqual(
        [...noticed('fork'), ...noticed('ownFork'), ...noticed('usedTwice'), ...noticed('outOfStep')],
        [],
      );
    };

    beforeEach(async () => {
      carol = await house.move('Carol');
    });

    it('D2 N4 K4 it is led to one of them by an invitation, as a member, and hears it', async () => {
      await backUp();
      await goOnWith(bob);
      await assert.rejects(alice.api.post(workspace, chat, 'refused'), refusedWith('awaitsWord'));
      const text = await link(carol);
      assert.equal((await alice.api.readInvitation(text)).alreadyMember, false);
      await alice.api.acceptInvitation(text);
      await isWhole();
      assert.equal((await alice.api.readInvitation(text)).alreadyMember, true);
      await assert.rejects(alice.api.acceptInvitation(text), refusedWith('alreadyMember'));
    });

    it('D2 N4 L6 so is one that was alone in it by then, and has gone on by itself', async () => {
      workspace = await alice.api.createWorkspace({ name: 'Gemini' });
      chat = (await alice.tools(workspace))[1]!;
      await backUp();
      await alice.open();
      await house.join(alice, bob, workspace, { confirm: false });
      await alice.close();
      await goOnWith(bob);
      await alice.api.post(workspace, chat, 'alone');
      await alice.api.acceptInvitation(await link(carol));
      await isWhole();
      const left = await alice.api.notAccepted(workspace);
      assert.deepEqual(
        left.map(({ text }) => text),
        ['alone'],
        'it contradicts what she had acknowledged, and is kept for her',
      );
    });

    it('D2 N4 nothing of it goes where nobody answers, and its person gives that up', async () => {
      await backUp();
      await goOnWith(bob);
      const text = await link(carol);
      await carol.close();
      await alice.api.acceptInvitation(text);
      assert.equal((await alice.info(workspace)).state, 'open', 'what is there can be read');
      await alice.api.cancelJoin(workspace);
      assert.deepEqual(await posts(alice), ['before the back-up']);
      assert.equal((await alice.info(workspace)).state, 'open');
      assert.deepEqual(await alice.api.joins(), []);
    });
  });

  it('D2 L7 K1 whom it had dropped and let in again since is given a copy, though neither has a key of the other’s', async () => {
    await backUp();
    await alice.open();
    const bobs = await bob.api.identity();
    await alice.api.dropDevices(workspace, [bobs.device]);
    await bob.until(async () => (await bob.api.closed())[0]?.how === 'dropped');
    // That he is in again is all that he hears.
    const seal = returnSeal(crypto, workspace as WorkspaceId, keysOf(bob, bobs.device), keysOf(alice, device))!;
    bob.isLost = ({ bytes }) => envelopeTag(bytes) !== seal.tag;
    const copying = bob.next((e) => e.type === 'join' && e.join.state === 'copying');
    await bob.api.fetchAgain(workspace);
    await copying;
    // He knows her by her certificate alone, over a restart, too.
    await bob.close();
    await restore();
    await bob.open();
    const heard = new Promise<void>((resolve) => {
      bob.isLost = () => {
        resolve();
        return false;
      };
    });
    await alice.open();
    await heard;
    for (const person of [alice, bob]) person.aheadMs += 20_000;
    await has(bob, 'before the back-up');
    await post(bob, 'back');
    await has(alice, 'back');
    await house.converged(workspace, alice, bob);
  });

  it('D2 a store that is opened where it was goes on in its feed', async () => {
    for (let i = 0; i < 3; i++) {
      await alice.close();
      await alice.open();
    }
    await alice.api.post(workspace, chat, 'the same feed');
    await has(bob, 'the same feed');
    assert.equal(generationOf(bob, 'the same feed'), 0);
  });

  it('D2 one that came back with its whole disk learns of its later feed from others, and goes on above it', async () => {
    await alice.close();
    await alice.open({ place });
    await backUp();
    await alice.open({ place });
    await post(alice, 'after the snapshot');
    await has(bob, 'after the snapshot');
    await restore();
    // What was written only just now would be another copy's that is in use.
    alice.aheadMs = 120_000;
    await alice.open({ place });
    await has(alice, 'after the snapshot');
    await post(alice, 'in the new feed');
    await has(bob, 'in the new feed');
    assert.deepEqual([...noticed('fork'), ...noticed('ownFork'), ...noticed('usedTwice')], []);
    assert.ok(generationOf(bob, 'in the new feed') > generationOf(bob, 'after the snapshot'));
  });

  it('D2 a copy in use beside the store is noticed, nothing forks, and one goes on when the other is closed', async () => {
    const copy = await house.move('Copy of Alice');
    await copy.close();
    await copy.forget();
    copy.secrets = alice.secrets;
    await alice.close();
    await alice.open({ place });
    await backUp();
    await cp(join(house.folder, 'back-up'), copy.folder, { recursive: true });
    await copy.open({ place });
    await post(copy, 'on the copy');
    await has(bob, 'on the copy');
    await copy.close();
    // By her clock she has been open since long before that.
    await alice.open({ place, clockBehindMs: 300_000 });
    await alice.notice('usedTwice');
    await assert.rejects(alice.api.post(workspace, chat, 'refused'), refusedWith('usedTwice'));
    await alice.close();
    await copy.open({ place });
    await post(copy, 'more on the copy');
    await has(bob, 'more on the copy');
    await copy.close();
    await bob.close();
    await alice.open({ place });
    await bob.open();
    await post(alice, 'alone again');
    for (const person of [alice, bob]) await has(person, 'on the copy', 'more on the copy', 'alone again');
    await house.converged(workspace, alice, bob);
    assert.equal((await posts(bob)).includes('refused'), false);
    assert.deepEqual([...noticed('fork'), ...noticed('ownFork')], []);
  });

  it('D2 N2 who was out and is let in again, before his old copy has gone, takes his own old deltas for no other copy of his', async () => {
    // Written long after this opening.
    for (const person of [alice, bob]) person.aheadMs = 120_000;
    await bob.api.post(workspace, chat, 'before he left');
    await has(alice, 'before he left');
    await bob.api.leaveWorkspace(workspace);
    await house.join(alice, bob, workspace, { confirm: false });
    await has(bob, 'before he left');
    await bob.api.post(workspace, chat, 'back again');
    await has(alice, 'back again');
    assert.deepEqual([...noticed('fork'), ...noticed('ownFork'), ...noticed('usedTwice')], []);
  });

  it('D8 a feed that has forked all the same is not written on, and its person is told', async () => {
    await alice.close();
    await alice.open({ place });
    await post(alice, 'at home here');
    await backUp();
    await alice.open({ place });
    await post(alice, 'one history');
    await has(bob, 'one history');
    await bob.close();
    await restore();
    await alice.open({ place });
    await alice.api.post(workspace, chat, 'another history');
    await bob.open();
    await has(bob, 'one history');
    await bob.api.post(workspace, chat, 'an answer to the one');
    assert.equal((await alice.notice('ownFork')).detail['name'], 'Apollo');
    await assert.rejects(alice.api.post(workspace, chat, 'refused'), refusedWith('ownFork'));
    // Which of the two histories would count depends on nobody's having heard it first: neither does, and both are kept for her.
    const kept = (await alice.api.notAccepted(workspace)).map(({ text }) => text);
    assert.ok(kept.includes('another history') && !(await posts(alice)).includes('another history'));
    // Elsewhere it is as good as ever.
    const other = await alice.api.createWorkspace({ name: 'Other' });
    await alice.api.post(other, (await alice.tools(other))[1]!, 'fine');
    await alice.close();
    await alice.open({ place });
    await assert.rejects(alice.api.post(workspace, chat, 'refused'), refusedWith('ownFork'));
  });
});

describe('What a store knows of other copies of itself', () => {
  const minute = 60_000;
  let local: LocalState;
  let notices: string[];
  let onlyCopy: OnlyCopy;
  beforeEach(() => {
    local = new LocalState();
    notices = [];
    open();
  });

  const open = () => {
    const emit = (event: ServiceEvent) => void (event.type === 'notice' && notices.push(event.code));
    onlyCopy = new OnlyCopy({ crypto, local, emit });
  };
  class Written implements WrittenWorkspace {
    readonly id: WorkspaceId;
    readonly roster = { name: 'Apollo' };
    readonly openedAt = 100 * minute;
    generation = 0;
    generations: readonly number[] = [];
    constructor(id: string) {
      this.id = id as WorkspaceId;
    }
    isAwaiting = false;
    beginFeed(generation: number): void {
      this.generation = generation;
    }
    awaitWord(): void {
      this.isAwaiting = true;
    }
  }
  const at = (generation: number, time = 0) => [{ delta: { generation, time } }];

  it('D2 L6 feeds begin above what a base says of them, however often, and nobody else writes as this device by that', () => {
    const workspace = new Written('w');
    for (let i = 0; i < 10; i++) {
      workspace.generations = [0, workspace.generation + 1];
      const { generation } = workspace;
      onlyCopy.begunWith(workspace);
      assert.ok(workspace.generation > generation + 1);
    }
    const { generation } = workspace;
    onlyCopy.begunWith(workspace);
    assert.equal(workspace.generation, generation, 'it is above them');
    assert.deepEqual([notices, onlyCopy.barred(workspace.id)], [[], undefined]);
  });

  it('D2 feeds begin above what is found, in each workspace by itself, and not for what is below', () => {
    const many = Array.from({ length: 20 }, (_, i) => new Written(`w${i}`));
    for (const workspace of many) {
      onlyCopy.found(workspace, at(7));
      const { generation } = workspace;
      assert.ok(generation > 7);
      onlyCopy.found(workspace, at(generation - 1));
      onlyCopy.found(workspace, []);
      assert.equal(workspace.generation, generation);
      assert.equal(generationIn(local, workspace.id), generation);
      assert.equal(onlyCopy.barred(workspace.id), undefined);
    }
    assert.equal(new Set(many.map(({ generation }) => generation)).size > 15, true, 'two copies take different steps');
    assert.deepEqual(notices, []);
  });

  it('D2 a copied or damaged log is written on above all of its own feeds that are in it, folded or not', () => {
    const workspace = new Written('copied');
    workspace.generations = [0, 41, 3];
    onlyCopy.beginFeed(workspace, true);
    assert.ok(workspace.generation > 41);
    assert.ok(workspace.isAwaiting);
    const cut = new Written('cut');
    onlyCopy.beginFeed(cut, false);
    assert.ok(cut.generation > 0 && !cut.isAwaiting, 'what was torn off nobody has heard of');
    assert.equal(generationIn(local, workspace.id), workspace.generation);
    assert.deepEqual(notices, []);
  });

  it('D2 two copies that would take turns are in use twice, and so is one that was written since the opening', () => {
    const [turns, later] = [new Written('turns'), new Written('later')];
    for (let i = 0; i < 4; i++) onlyCopy.found(turns, at(turns.generation));
    assert.equal(onlyCopy.barred(turns.id), undefined);
    onlyCopy.found(turns, at(turns.generation));
    assert.equal(onlyCopy.barred(turns.id), 'usedTwice');
    open();
    onlyCopy.found(later, at(0, 101 * minute));
    assert.equal(onlyCopy.barred(later.id), undefined, 'within the slack');
    const { generation } = later;
    onlyCopy.found(later, at(generation, 101 * minute + 1));
    assert.equal(onlyCopy.barred(later.id), 'usedTwice');
    assert.ok(later.generation > generation, 'the next opening does not write on in the feed of the other');
    assert.equal(onlyCopy.barred(turns.id), 'usedTwice', 'it is the whole store that is used twice');
    assert.deepEqual(notices, ['usedTwice', 'usedTwice']);
  });

  it('D2 no generation is beyond what others read', () => {
    const workspace = new Written('high');
    onlyCopy.found(workspace, at(MAX_FEED_GENERATION - 1));
    assert.equal(workspace.generation, MAX_FEED_GENERATION);
  });

  it('D2 a store that is in another place with every start is taken at its word only so often', () => {
    assert.equal(onlyCopy.hasMoved('first'), false);
    assert.equal(onlyCopy.hasMoved('first'), false);
    assert.equal(onlyCopy.hasMoved(undefined), false);
    const moved = Array.from({ length: 100 }, (_, i) => onlyCopy.hasMoved(`place ${i}`));
    assert.equal(moved.filter(Boolean).length, 32);
    assert.ok(moved.slice(0, 32).every(Boolean));
  });

  it('D8 an own fork is told once, and remembered', () => {
    const workspace = new Written('forked');
    onlyCopy.forked(workspace);
    onlyCopy.forked(workspace);
    assert.deepEqual(notices, ['ownFork']);
    open();
    assert.equal(onlyCopy.barred(workspace.id), 'ownFork');
    assert.equal(onlyCopy.barred('another' as WorkspaceId), undefined);
  });
});
