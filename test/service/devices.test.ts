/** Several devices of one person (I2, I4), with real stores and sockets. */
import assert from 'node:assert/strict';
import type { JoinInfo, ServiceError } from '../../src/service/api.ts';
import { LINK_CODE_LASTS_MS } from '../../src/protocol/limits.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { envelopeTag } from '../../src/sync/envelope.ts';
import { epochOf } from '../../src/sync/epoch.ts';
import { decodeRecord } from '../../src/service/records.ts';
import type { LogStore } from '../../src/sync/ports.ts';
import { House, link, linkEnd, request, twice, type Person } from './house.ts';

const refusedWith = (code: ServiceError['code'], reason?: string) => (error: unknown) => {
  assert.equal((error as ServiceError).name, 'ServiceError', String(error));
  assert.equal((error as ServiceError).code, code);
  if (reason !== undefined) assert.equal((error as ServiceError).detail['reason'], reason);
  return true;
};

const isIn = (person: Person, workspace: string) =>
  person.until(async () => (await person.info(workspace))?.state === 'open');

const deviceCount = (person: Person, count: number) =>
  person.until(async () => (await person.api.devices()).length === count);

describe('Several devices of one person', function () {
  this.timeout(60_000);
  let house: House;
  let laptop: Person;
  let desktop: Person;

  beforeEach(async () => {
    house = await House.build();
  });
  afterEach(() => house.close());

  async function moveIn(options: { direct?: boolean } = {}): Promise<void> {
    laptop = await house.move('Alice', options);
    desktop = await house.move('Alice at her desk', options);
  }

  it('I2, I4 a linked device is in every workspace, and both share everything', async () => {
    await moveIn();
    const workspace = await laptop.api.createWorkspace({ name: 'Apollo' });
    const [files, chat] = await laptop.tools(workspace);
    await laptop.write(workspace, files!, '/plan.txt', 'the plan\n');
    await laptop.api.post(workspace, chat!, 'from the laptop');
    await link(laptop, desktop);
    await isIn(desktop, workspace);
    const joins = desktop.events.flatMap((event) => (event.type === 'join' ? [event.join] : []));
    assert.deepEqual(joins.at(-1), { ...joins.at(-1), state: 'done', own: true });
    await desktop.write(workspace, files!, '/second.txt', 'at the desk\n');
    await desktop.api.post(workspace, chat!, 'from the desk');
    const listing = await house.converged(workspace, laptop, desktop);
    assert.equal(listing.length, 4);

    const [here, there] = [await laptop.api.identity(), await desktop.api.identity()];
    assert.equal(here.account, there.account);
    assert.notEqual(here.device, there.device);
    // One member, whose posts are his own on both, and nothing of which is unread.
    for (const person of [laptop, desktop]) {
      const info = await person.info(workspace);
      assert.deepEqual(
        info.members.map(({ name, self }) => [name, self]),
        [['Alice', true]],
      );
      assert.equal(info.unread, 0);
      assert.ok((await person.api.chat(workspace, chat!, { limit: 9 })).posts.every(({ self }) => self));
    }
  });

  it('I2 later workspaces of either device are on both, joined ones too', async () => {
    await moveIn();
    const bob = await house.move('Bob');
    await link(laptop, desktop);
    const created = await desktop.api.createWorkspace({ name: 'Made at the desk' });
    await isIn(laptop, created);
    const joined = await bob.api.createWorkspace({ name: 'Made by Bob' });
    await house.join(bob, laptop, joined, { confirm: false });
    await isIn(desktop, joined);
    const [files, chat] = await bob.tools(joined);
    await bob.write(joined, files!, '/from-bob.txt', 'for both\n');
    await desktop.api.post(joined, chat!, 'thank you');
    await house.converged(joined, bob, laptop, desktop);
    const alice = (await bob.info(joined)).members.filter(({ self }) => !self);
    assert.equal(alice.length, 1);
  });

  it('I2 a third device is known to all, whoever made its code', async () => {
    await moveIn();
    const tablet = await house.move('Alice on the train');
    await link(laptop, desktop);
    await link(desktop, tablet);
    await deviceCount(laptop, 3);
    await deviceCount(tablet, 3);
    const workspace = await tablet.api.createWorkspace({ name: 'Apollo' });
    await isIn(laptop, workspace);
    await isIn(desktop, workspace);
  });

  it('I2 by relay alone, and everything comes the same', async () => {
    await house.startRelay();
    await moveIn({ direct: false });
    const workspace = await laptop.api.createWorkspace({ name: 'Apollo' });
    const [files] = await laptop.tools(workspace);
    await laptop.write(workspace, files!, '/plan.txt', 'the plan\n');
    await laptop.until(async () => (await laptop.api.relay()).state === 'connected');
    await link(laptop, desktop);
    await isIn(desktop, workspace);
    await house.converged(workspace, laptop, desktop);
  });

  it('I2 the code is for one: a second machine that comes with it is told so', async () => {
    await moveIn();
    const mallory = await house.move('Mallory');
    const { code } = await laptop.api.makeLinkCode('vscode');
    await desktop.api.linkDevice(code);
    const asked = await request(laptop);
    const refused = linkEnd(mallory);
    await mallory.api.linkDevice(code);
    assert.deepEqual([(await refused).state, (await refused).reason], ['refused', 'used']);
    assert.deepEqual(await laptop.api.deviceRequests(), [asked]);
    const done = linkEnd(desktop);
    await laptop.api.answerDevice(asked.id, true);
    assert.equal((await done).state, 'done');
    // And it is used up: who comes later with the account of nobody is told the same.
    const again = linkEnd(mallory);
    await mallory.api.linkDevice(code);
    assert.equal((await again).reason, 'used');
    assert.notEqual((await mallory.api.identity()).account, (await laptop.api.identity()).account);
  });

  it('I2 who is declined gets nothing, and may come with another code', async () => {
    await moveIn();
    const before = await desktop.api.identity();
    const { code } = await laptop.api.makeLinkCode('vscode');
    const refused = linkEnd(desktop);
    await desktop.api.linkDevice(code);
    await laptop.api.answerDevice((await request(laptop)).id, false);
    assert.equal((await refused).reason, 'declined');
    assert.deepEqual(await desktop.api.identity(), before);
    await link(laptop, desktop);
  });

  for (const how of ['removed', 'left'] as const)
    it(`K2 one that was away when its person ${how === 'left' ? 'left' : 'was removed'} hears it from another of his, whose copy is gone`, async () => {
      await moveIn();
      await link(laptop, desktop);
      const bob = await house.move('Bob');
      const workspace = await bob.api.createWorkspace({ name: 'Apollo' });
      await house.join(bob, laptop, workspace, { confirm: false });
      await isIn(desktop, workspace);
      await house.converged(workspace, bob, laptop, desktop);
      await desktop.close();
      // What it lacks then nobody will tell it.
      await bob.api.post(workspace, (await bob.tools(workspace))[1]!, 'meanwhile');
      await house.converged(workspace, bob, laptop);
      const { account } = await laptop.api.identity();
      if (how === 'left') await laptop.api.leaveWorkspace(workspace);
      else await bob.api.removeMember(workspace, account);
      const isOut = (person: Person) =>
        person.until(
          async () => (await person.info(workspace)) === undefined && (await person.api.closed())[0]?.how === how,
        );
      await isOut(laptop);
      await bob.close();
      await laptop.close();
      await laptop.open();
      await desktop.open();
      await isOut(desktop);
      await desktop.close();
      assert.ok(!(await desktop.kept(workspace)).includes('delta'));
      await desktop.open();
      // By a new invitation both are in again.
      await bob.open();
      await house.join(bob, laptop, workspace, { confirm: false });
      await isIn(desktop, workspace);
      await house.converged(workspace, bob, laptop, desktop);
    });

  it('K2 D1 L7 nothing is written into a copy that goes, as what its person has written is kept already', async () => {
    await moveIn();
    await link(laptop, desktop);
    const bob = await house.move('Bob');
    const workspace = await bob.api.createWorkspace({ name: 'Apollo' });
    await house.join(bob, laptop, workspace, { confirm: false });
    await isIn(desktop, workspace);
    await house.converged(workspace, bob, laptop, desktop);
    await desktop.close();
    // What it lacks then nobody will tell it: it does not know of the word in its copy.
    const chat = (await bob.tools(workspace))[1]!;
    await bob.api.post(workspace, chat, 'meanwhile');
    await house.converged(workspace, bob, laptop);
    await laptop.api.leaveWorkspace(workspace);
    await laptop.until(async () => (await laptop.api.closed()).length === 1);
    await bob.close();
    let [isClosing, goOn] = [() => {}, () => {}];
    const closing = new Promise<void>((resolve) => (isClosing = resolve));
    const later = new Promise<void>((resolve) => (goOn = resolve));
    const isOfClosing = (bytes: Uint8Array) => {
      const record = decodeRecord(bytes);
      return record?.kind === 'local' && record.key.startsWith('closed/');
    };
    const around = (log: LogStore): LogStore => ({
      replay: (each) => log.replay(each),
      append: async (records) => {
        if (records.some(isOfClosing)) {
          isClosing();
          await later;
        }
        return log.append(records);
      },
      compact: (records) => log.compact(records),
      get journalBytes() {
        return log.journalBytes;
      },
      close: () => log.close(),
    });
    await desktop.open({ around });
    await closing;
    const posting = desktop.api.post(workspace, chat, 'too late').then(
      () => 'written',
      (error: unknown) => (error as ServiceError).code,
    );
    goOn();
    assert.equal(await posting, 'notPermitted');
    await desktop.until(async () => (await desktop.api.closed())[0]?.how === 'left');
  });

  it('I2 a code expires, by the clock of the device that made it', async () => {
    await moveIn();
    const { code, expires } = await laptop.api.makeLinkCode('vscode');
    laptop.aheadMs = LINK_CODE_LASTS_MS + 1;
    const refused = linkEnd(desktop);
    await desktop.api.linkDevice(code);
    assert.equal((await refused).reason, 'expired');
    assert.deepEqual(await laptop.api.deviceRequests(), []);
    desktop.aheadMs = expires + LINK_CODE_LASTS_MS - Date.now();
    await assert.rejects(desktop.api.linkDevice(code), refusedWith('linkCodeExpired'));
  });

  it('I2 a code that was replaced or withdrawn opens nothing', async () => {
    await moveIn();
    const first = await laptop.api.makeLinkCode('vscode');
    const second = await laptop.api.makeLinkCode('vscode');
    await desktop.api.linkDevice(first.code);
    await desktop.until(async () => (await desktop.api.linking())?.state === 'waiting');
    await desktop.api.linkDevice(second.code);
    assert.equal((await request(laptop)).name, "Alice at her desk's laptop");
    await laptop.api.withdrawLinkCode();
    assert.deepEqual(await laptop.api.deviceRequests(), []);
  });

  it('I2 what is no code is told apart, and a machine in use is not taken over', async () => {
    await moveIn();
    const { code, link: text } = await laptop.api.makeLinkCode('vscode');
    await assert.rejects(desktop.api.linkDevice('hello'), refusedWith('badLinkCode', 'notACode'));
    await assert.rejects(desktop.api.linkDevice(code.slice(0, -9)), refusedWith('badLinkCode', 'damaged'));
    await assert.rejects(laptop.api.linkDevice(text), refusedWith('badLinkCode', 'own'));
    const own = await desktop.api.createWorkspace({ name: 'Mine' });
    await assert.rejects(desktop.api.linkDevice(text), refusedWith('inOtherAccount'));
    await assert.rejects(desktop.api.restoreAccount(await laptop.api.recoveryPhrase()), refusedWith('inOtherAccount'));
    assert.equal((await desktop.info(own)).state, 'open');
  });

  it('I2 a machine that has come into use by the time that it is accepted is not taken over, and its person is told', async () => {
    await moveIn();
    const before = await desktop.api.identity();
    const { code } = await laptop.api.makeLinkCode('vscode');
    const ended = linkEnd(desktop);
    await desktop.api.linkDevice(code);
    const asked = await request(laptop);
    const own = await desktop.api.createWorkspace({ name: 'Mine' });
    await laptop.api.answerDevice(asked.id, true);
    assert.deepEqual([(await ended).state, (await ended).reason], ['refused', 'inUse']);
    assert.deepEqual(await desktop.api.identity(), before);
    await desktop.api.renameWorkspace(own, 'Still mine');
  });

  it('I2 a machine whose secrets cannot be kept is not taken over, and its person is told', async () => {
    await moveIn();
    const before = await desktop.api.identity();
    desktop.keepsSecrets = false;
    const { code } = await laptop.api.makeLinkCode('vscode');
    const ended = linkEnd(desktop);
    await desktop.api.linkDevice(code);
    await laptop.api.answerDevice((await request(laptop)).id, true);
    assert.deepEqual([(await ended).state, (await ended).reason], ['refused', 'notKept']);
    assert.deepEqual(await desktop.api.identity(), before);
  });

  it('I2 who cancels while the secrets of the account go to the storage stays who he is', async () => {
    await moveIn();
    const [before, secrets] = [await desktop.api.identity(), desktop.secrets];
    const putBack = new Promise<void>((resolve) => {
      let isFirst = true;
      desktop.whileKeeping = async () => {
        if (isFirst) await desktop.api.cancelLink();
        else resolve();
        isFirst = false;
      };
    });
    const { code } = await laptop.api.makeLinkCode('vscode');
    await desktop.api.linkDevice(code);
    await laptop.api.answerDevice((await request(laptop)).id, true);
    await Promise.race([putBack, desktop.next(({ type }) => type === 'devices')]);
    assert.deepEqual([await desktop.api.identity(), desktop.secrets], [before, secrets]);
    assert.equal(await desktop.api.linking(), undefined);
  });

  it('I2 an account is taken on once at a time, though it is asked for twice', async () => {
    await moveIn();
    let [now, most] = [0, 0];
    desktop.whileKeeping = async () => {
      most = Math.max(most, ++now);
      await new Promise((resume) => void setImmediate(resume));
      now--;
    };
    const phrase = await laptop.api.recoveryPhrase();
    await Promise.all([desktop.api.restoreAccount(phrase), desktop.api.restoreAccount(phrase)]);
    assert.equal(most, 1);
    await link(laptop, desktop);
  });

  it('I2 what is begun while the secrets of another account go to the storage is not left behind by it', async () => {
    await moveIn();
    const [before, secrets] = [await desktop.api.identity(), desktop.secrets];
    let own = '';
    desktop.whileKeeping = async () => {
      own ||= await desktop.api.createWorkspace({ name: 'Mine' });
    };
    const phrase = await laptop.api.recoveryPhrase();
    await assert.rejects(desktop.api.restoreAccount(phrase), refusedWith('inOtherAccount'));
    assert.deepEqual(desktop.secrets, secrets);
    await desktop.close();
    await desktop.open();
    assert.deepEqual(await desktop.api.identity(), before);
    await desktop.api.renameWorkspace(own, 'Still mine');
  });

  it('I2 either side restarts in between, and it goes on', async () => {
    await moveIn();
    const workspace = await laptop.api.createWorkspace({ name: 'Apollo' });
    const { code } = await laptop.api.makeLinkCode('vscode');
    await desktop.api.linkDevice(code);
    const asked = await request(laptop);
    await laptop.close();
    await desktop.close();
    await laptop.open();
    assert.deepEqual(await laptop.api.deviceRequests(), [asked]);
    await laptop.api.answerDevice(asked.id, true);
    await laptop.close();
    await desktop.open();
    await laptop.open();
    await isIn(desktop, workspace);
    await house.converged(workspace, laptop, desktop);
    assert.equal((await desktop.api.devices()).length, 2);
  });

  it('I2 a removed device loses its copies, reads nothing later, and is not let in again', async () => {
    await moveIn();
    const bob = await house.move('Bob');
    const workspace = await laptop.api.createWorkspace({ name: 'Apollo' });
    const [files, chat] = await laptop.tools(workspace);
    await house.join(laptop, bob, workspace, { confirm: false });
    await link(laptop, desktop);
    await isIn(desktop, workspace);
    await house.converged(workspace, laptop, desktop, bob);
    const { device } = await desktop.api.identity();
    await desktop.close();
    await laptop.api.removeDevice(device);
    await deviceCount(laptop, 1);
    await laptop.api.post(workspace, chat!, 'after it was taken out');
    const known = desktop.records.length;
    await desktop.open();
    const notice = await desktop.notice('deviceRemoved');
    assert.equal(notice.detail['name'], 'Apollo');
    await desktop.until(async () => (await desktop.api.workspaces()).length === 0);
    assert.deepEqual(
      (await desktop.api.closed()).map(({ how }) => how),
      ['device'],
    );
    const heardBy = (person: Person, from = 0) =>
      Buffer.concat(person.records.slice(from)).includes('after it was taken out');
    await bob.until(async () => heardBy(bob));
    assert.equal(heardBy(desktop, known), false);
    // The person is a member still, on the other device.
    await laptop.write(workspace, files!, '/goes-on.txt', 'yes\n');
    await house.converged(workspace, laptop, bob);
    assert.equal((await bob.info(workspace)).members.length, 2);
    const later = await laptop.api.createWorkspace({ name: 'Later' });
    await house.join(laptop, bob, later, { confirm: false });
    assert.deepEqual(await desktop.api.workspaces(), []);
    await assert.rejects(laptop.api.removeDevice(device), refusedWith('notFound'));
    await assert.rejects(
      laptop.api.removeDevice((await laptop.api.identity()).device),
      refusedWith('notPermitted', 'self'),
    );
  });

  it('I2 K2 a device is taken out of every other workspace where one was deleted for all', async () => {
    await moveIn();
    const deleted = await laptop.api.createWorkspace({ name: 'Deleted' });
    const goesOn = await laptop.api.createWorkspace({ name: 'Goes on' });
    await link(laptop, desktop);
    for (const workspace of [deleted, goesOn]) await isIn(desktop, workspace);
    await house.converged(goesOn, laptop, desktop);
    const { device } = await desktop.api.identity();
    await desktop.close();
    await laptop.api.deleteWorkspace(deleted);
    assert.deepEqual(
      (await laptop.api.workspaces()).map(({ name, state }) => [name, state]),
      [
        ['Deleted', 'closed'],
        ['Goes on', 'open'],
      ],
    );
    await laptop.api.removeDevice(device);
    await desktop.open();
    const notice = await desktop.notice('deviceRemoved');
    assert.equal(notice.detail['name'], 'Goes on');
  });

  it('I4, F1 one that is let in after another was taken out gets what was written before', async () => {
    await moveIn();
    const workspace = await laptop.api.createWorkspace({ name: 'Apollo' });
    const [files] = (await laptop.tools(workspace)) as [string];
    await laptop.write(workspace, files, '/notes.txt', 'first\n');
    await link(laptop, desktop);
    await isIn(desktop, workspace);
    await desktop.write(workspace, files, '/notes.txt', 'at the desk\n');
    await house.converged(workspace, laptop, desktop);
    await laptop.api.removeDevice((await desktop.api.identity()).device);
    await laptop.write(workspace, files, '/notes.txt', 'and since\n');
    const tablet = await house.move('Alice on the way');
    await tablet.api.restoreAccount(await laptop.api.recoveryPhrase());
    await link(laptop, tablet);
    await isIn(tablet, workspace);
    await house.converged(workspace, laptop, tablet);
  });

  it('I2 every device knows the others by name, and any may name any', async () => {
    await moveIn();
    await laptop.api.createWorkspace({ name: 'Apollo' });
    await link(laptop, desktop);
    const names = async (person: Person) => (await person.api.devices()).map(({ name }) => name).sort();
    const both = ["Alice at her desk's laptop", "Alice's laptop"];
    await laptop.until(async () => (await names(laptop)).join() === both.join());
    await desktop.until(async () => (await names(desktop)).join() === both.join());
    const { device } = await desktop.api.identity();
    await laptop.api.renameDevice(device, 'The big one');
    await desktop.until(async () => (await desktop.api.identity()).deviceName === 'The big one');
    await desktop.api.renameDevice(device, 'The loud one');
    await laptop.until(async () => (await names(laptop)).includes('The loud one'));
    const [self, other] = await laptop.api.devices();
    assert.deepEqual([self!.self, other!.self, other!.online], [true, false, true]);
    assert.ok(other!.added > Date.now() - 120_000 && other!.lastHeard! > Date.now() - 120_000);
    await laptop.until(async () => (await laptop.api.devices())[1]!.inSync);
    await assert.rejects(laptop.api.renameDevice('00'.repeat(32), 'x'), refusedWith('notFound'));
    await assert.rejects(laptop.api.renameDevice(device, ' '), refusedWith('badName'));
  });
});

describe('A device of one’s own, taken out before the copy has come', function () {
  this.timeout(60_000);
  let house: House;
  let laptop: Person;
  let desktop: Person;
  let workspace: string;
  let anew: ReturnType<typeof twice>;

  /** Let in, and nothing but that gets through to it. */
  beforeEach(async () => {
    house = await House.build();
    anew = twice();
    [laptop, desktop] = [await house.move('Alice', anew), await house.move('Alice at her desk')];
    workspace = await laptop.api.createWorkspace({ name: 'Apollo' });
    const { tag } = await keyOf(laptop);
    desktop.isLost = ({ bytes }) => envelopeTag(bytes) === tag;
    const copying = desktop.next((e) => e.type === 'join' && e.join.state === 'copying');
    await link(laptop, desktop);
    await copying;
    await desktop.close();
  });
  afterEach(() => house.close());

  async function keyOf(person: Person) {
    const kept = person
      .known()
      .find((record) => record.kind === 'local' && record.key.startsWith(`epoch/${workspace}/`));
    assert.ok(kept?.kind === 'local' && kept.value instanceof Uint8Array);
    return epochOf(nodeCrypto(), kept.value.slice());
  }

  /** It hears everything again, and all that it was given is erased where it was (K4). */
  async function awayWhile(takesOut: () => Promise<unknown>): Promise<JoinInfo> {
    // An ack is written once a minute, and now it is a minute later.
    laptop.aheadMs = 120_000;
    await takesOut();
    await anew.done;
    desktop.isLost = () => false;
    const ended = desktop.next((e) => e.type === 'join' && ['done', 'refused', 'failed'].includes(e.join.state));
    await desktop.open();
    const event = await ended;
    assert.ok(event.type === 'join');
    return event.join;
  }

  const desk = async () => {
    const { members } = await laptop.info(workspace);
    return members.find(({ self }) => self)!.devices.find(({ device }) => device !== laptopDevice)!.device;
  };
  let laptopDevice: string;
  beforeEach(async () => void (laptopDevice = (await laptop.api.identity()).device));

  it('N4 K4 one that was taken out of it is told so by the other, and nothing of it stays', async () => {
    const out = await desk();
    const { state, reason, own } = await awayWhile(() => laptop.api.removeDevice(out));
    assert.deepEqual([state, reason, own], ['refused', 'deviceTakenOut', true]);
    assert.deepEqual(await desktop.api.joins(), []);
    assert.deepEqual(await desktop.api.workspaces(), []);
    await desktop.close();
    assert.deepEqual(await desktop.kept(workspace), []);
    await desktop.open();
  });

  it('N4 L7 one that was dropped is let in again by the other', async () => {
    const out = await desk();
    assert.equal((await awayWhile(() => laptop.api.dropDevices(workspace, [out]))).state, 'done');
    await house.converged(workspace, laptop, desktop);
    assert.deepEqual(await desktop.api.closed(), []);
  });
});

describe('The recovery phrase', function () {
  this.timeout(60_000);
  let house: House;
  beforeEach(async () => {
    house = await House.build();
  });
  afterEach(() => house.close());

  it('I2 restores the account, not the device, and outlives a restart', async () => {
    const lost = await house.move('Alice');
    const found = await house.move('Alice again');
    const phrase = await lost.api.recoveryPhrase();
    assert.equal(phrase.split(' ').length, 24);
    await assert.rejects(found.api.restoreAccount(phrase.replace(/\w+$/, '')), refusedWith('badPhrase', 'length'));
    const slip = phrase.split(' ').with(4, 'qwerty').join(' ');
    await assert.rejects(found.api.restoreAccount(slip), (error: unknown) => {
      assert.deepEqual((error as ServiceError).detail, { reason: 'word', place: '5', word: 'qwerty', near: '' });
      return true;
    });
    await found.api.restoreAccount(phrase.toUpperCase());
    const [before, after] = [await lost.api.identity(), await found.api.identity()];
    assert.equal(after.account, before.account);
    assert.notEqual(after.device, before.device);
    assert.equal(await found.api.recoveryPhrase(), phrase);
    await found.close();
    await found.open();
    assert.deepEqual(await found.api.identity(), after);
    // And it works as anybody's: a workspace of its own is the account's.
    const workspace = await found.api.createWorkspace({ name: 'Anew' });
    assert.equal((await found.info(workspace)).members[0]!.account, before.account);
  });

  it('I2 a device restored by the phrase is let into the workspaces by a link code, and keeps what it has', async () => {
    const laptop = await house.move('Alice');
    const found = await house.move('Alice again');
    const workspace = await laptop.api.createWorkspace({ name: 'Apollo' });
    await found.api.restoreAccount(await laptop.api.recoveryPhrase());
    const { device } = await found.api.identity();
    const own = await found.api.createWorkspace({ name: 'Made before' });
    await link(laptop, found);
    await isIn(found, workspace);
    await isIn(laptop, own);
    assert.equal((await found.api.identity()).device, device);
    await house.converged(workspace, laptop, found);
    await house.converged(own, laptop, found);
  });

  it('I2 the phrase alone opens no workspace: a device that nobody let in is told nothing', async () => {
    const laptop = await house.move('Alice');
    const thief = await house.move('Somebody with the words');
    const workspace = await laptop.api.createWorkspace({ name: 'Apollo' });
    await thief.api.restoreAccount(await laptop.api.recoveryPhrase());
    const { code } = await laptop.api.makeLinkCode('vscode');
    const refused = linkEnd(thief);
    await thief.api.linkDevice(code);
    await laptop.api.answerDevice((await request(laptop)).id, false);
    assert.equal((await refused).reason, 'declined');
    assert.deepEqual(await thief.api.workspaces(), []);
    assert.equal((await laptop.api.devices()).length, 1);
    assert.equal((await laptop.info(workspace)).members.length, 1);
  });

  it('I2 secrets that cannot be kept change nothing', async () => {
    const [lost, found] = [await house.move('Alice'), await house.move('Alice again')];
    const before = await found.api.identity();
    found.keepsSecrets = false;
    await assert.rejects(found.api.restoreAccount(await lost.api.recoveryPhrase()), refusedWith('locked', 'notKept'));
    assert.deepEqual(await found.api.identity(), before);
    await found.api.createWorkspace({ name: 'Still mine' });
  });
});
