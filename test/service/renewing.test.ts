/** L6: a person fetches a fresh copy of a workspace from another member's device. Real stores and sockets. */
import assert from 'node:assert/strict';
import type { DeviceId } from '../../src/base/ids.ts';
import { ServiceError, type ServiceEvent } from '../../src/service/api.ts';
import { Renewing, RENEWAL_PATIENCE_MS } from '../../src/service/renewing.ts';
import type { Renewal } from '../../src/sync/givers.ts';
import { folding, type Folding } from './folding.ts';
import { House, type Person } from './house.ts';

describe('A fresh copy', function () {
  this.timeout(60_000);
  let house: House;
  let alice: Person;
  let bob: Person;
  let apollo: string;
  let files: string;
  let chat: string;
  let fold: Folding;

  beforeEach(async () => {
    house = await House.build();
    fold = folding();
    const done = fold.folded();
    alice = await house.move('Alice', fold);
    bob = await house.move('Bob');
    apollo = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, apollo, { confirm: false });
    [files, chat] = (await alice.tools(apollo)) as [string, string];
    await alice.write(apollo, files, '/plan.txt', 'the plan '.repeat(400));
    await bob.api.post(apollo, chat, 'seen');
    await house.converged(apollo, alice, bob);
    // Each has written with all that is there in its past; and what is settled is folded once a minute.
    for (const person of [alice, bob]) {
      await person.api.post(apollo, chat, `${person.name} has seen it all`);
      await house.converged(apollo, alice, bob);
    }
    for (const person of [alice, bob]) person.aheadMs = 240_000;
    await alice.api.post(apollo, chat, 'and on');
    await done;
  });
  afterEach(() => house.close());

  const text = async (person: Person, path: string) =>
    Buffer.from(await person.api.read(apollo, files, path)).toString();

  it('L6 takes the place of the one that is there: the same shows, what nobody else had comes along, and both write on', async () => {
    await alice.close();
    await bob.api.post(apollo, chat, 'written alone');
    await bob.write(apollo, files, '/alone.txt', 'alone');
    await alice.open();
    await bob.until(async () =>
      (await bob.info(apollo)).members.some(({ presence, self }) => !self && presence === 'online'),
    );
    assert.equal(await bob.api.renewCopy(apollo), 'Alice');
    const { detail } = await bob.notice('renewed');
    assert.deepEqual([detail['name'], detail['member']], ['Apollo', 'Alice']);
    await bob.until(async () => !(await bob.info(apollo)).sync.renewing);
    const before = await house.converged(apollo, alice, bob);
    assert.ok(before.includes('Bob: written alone'));
    assert.deepEqual(await bob.api.notAccepted(apollo), [], 'what has come along is not listed as lost');
    await bob.until(() =>
      bob.api.post(apollo, chat, 'and on').then(
        () => true,
        (error: unknown) => {
          // Till Alice has told how far his older feed goes nothing is written (D2).
          assert.ok(error instanceof ServiceError && error.code === 'awaitsWord');
          return false;
        },
      ),
    );
    await alice.write(apollo, files, '/plan.txt', 'another plan');
    const whole = await house.converged(apollo, alice, bob);
    assert.ok(whole.includes('Bob: and on'));
    assert.deepEqual([await text(bob, '/plan.txt'), await text(alice, '/alone.txt')], ['another plan', 'alone']);
    await bob.close();
    assert.equal(bob.alarms, 0, 'a service that is closed waits for nothing');
    await bob.open();
    assert.deepEqual(await bob.listing(apollo), whole);
    await bob.until(() =>
      bob.api.post(apollo, chat, 'after a restart').then(
        () => true,
        () => false,
      ),
    );
    assert.ok((await house.converged(apollo, alice, bob)).includes('Bob: after a restart'));
    assert.deepEqual(
      [...alice.notices, ...bob.notices].filter(({ code }) => code === 'fork' || code === 'ownFork'),
      [],
    );
  });

  it('L6 what comes after it is unread, and what was is still, after a restart, too', async () => {
    const unread = async () => (await bob.info(apollo)).tools.find(({ id }) => id === chat)!.unread;
    for (let n = 0; n < 20; n++) await alice.api.post(apollo, chat, `many ${n}`);
    await house.converged(apollo, alice, bob);
    await bob.api.markSeen(apollo, chat);
    await alice.api.post(apollo, chat, 'not seen yet');
    await house.converged(apollo, alice, bob);
    assert.equal(await unread(), 1);
    // It is in the past of what he writes, seen or not: it need not wait for an acknowledgement that may come after the next look (once a minute).
    await bob.api.post(apollo, chat, 'written without a look');
    await house.converged(apollo, alice, bob);
    const done = fold.folded('not seen yet');
    for (const person of [alice, bob]) person.aheadMs += 240_000;
    await alice.api.post(apollo, chat, 'nor this');
    await done;
    await house.converged(apollo, alice, bob);
    assert.equal(await unread(), 2);
    assert.equal(await bob.api.renewCopy(apollo), 'Alice');
    await bob.notice('renewed');
    assert.equal(await unread(), 2);
    await alice.api.post(apollo, chat, 'since then');
    await house.converged(apollo, alice, bob);
    assert.equal(await unread(), 3);
    await bob.close();
    await bob.open();
    assert.equal(await unread(), 3);
  });

  it('L6 nobody who could be asked is there: it says so, and nothing is changed', async () => {
    await alice.close();
    await bob.until(async () =>
      (await bob.info(apollo)).members.every(({ presence, self }) => self || presence === 'offline'),
    );
    await assert.rejects(bob.api.renewCopy(apollo), { code: 'nobodyOnline' });
    assert.equal((await bob.info(apollo)).sync.renewing, false);
    await bob.api.post(apollo, chat, 'goes on');
  });
});

describe('Asking for a fresh copy', () => {
  const [manager, guest] = ['aa', 'bb'].map((byte) => byte.repeat(32) as DeviceId) as [DeviceId, DeviceId];

  /** A workspace of which these are online; time goes on by hand. */
  function asking(online: readonly DeviceId[]) {
    const alarms: { readonly at: number; readonly ring: () => void }[] = [];
    const events: ServiceEvent[] = [];
    let [now, here] = [0, 0];
    let renewal: Renewal | undefined;
    const workspace = {
      id: 'apollo',
      nameOf: (account: string) => account.slice(0, 2),
      renewFrom: (from: DeviceId | undefined) => void (renewal = from && { from, generation: 1 }),
      roster: { name: 'Apollo' },
      replica: { people: { accountOf: (device: DeviceId) => device } },
      peers: { isOnline: (device: DeviceId) => online.includes(device) },
      engine: {
        get renewal() {
          return renewal;
        },
        get basePartsHere() {
          return { here, all: 9 };
        },
        freshCopyFrom: (isOnline: (device: DeviceId) => boolean) => [manager, guest].find(isOnline),
      },
    } as unknown as ConstructorParameters<typeof Renewing>[1];
    const clock = {
      now: () => now,
      wakeAt: (at: number, ring: () => void) => {
        const alarm = { at, ring };
        alarms.push(alarm);
        return () => void alarms.splice(alarms.indexOf(alarm), 1);
      },
    };
    const hub = { clock, commit: async () => {}, emit: (event: ServiceEvent) => void events.push(event) };
    const pass = (ms: number, parts: number): void => {
      now += ms;
      here += parts;
      for (const alarm of alarms.filter(({ at }) => at <= now)) {
        alarms.splice(alarms.indexOf(alarm), 1);
        alarm.ring();
      }
    };
    return { renewing: new Renewing(hub, workspace), pass, events, renewal: () => renewal, alarms };
  }

  it('L6 is of whom the engine names of those that are online; where it names nobody it says so', async () => {
    assert.equal(await asking([guest, manager]).renewing.ask(), 'aa');
    assert.equal(await asking([guest]).renewing.ask(), 'bb');
    await assert.rejects(asking([]).renewing.ask(), { code: 'nobodyOnline' });
  });

  it('L6 is given up where no part has come for a minute, and goes on where one has', async () => {
    const { renewing, pass, events, renewal, alarms } = asking([manager]);
    await renewing.ask();
    for (let i = 0; i < 5; i++) pass(RENEWAL_PATIENCE_MS, 1);
    assert.equal(renewal()?.from, manager);
    pass(RENEWAL_PATIENCE_MS, 0);
    assert.equal(renewal(), undefined);
    assert.deepEqual(
      events.map((event) => event.type === 'notice' && [event.code, event.detail['member']]),
      [['notRenewed', 'aa']],
    );
    assert.equal(alarms.length, 0);
  });

  it('L6 nobody waits any more when it is here', async () => {
    const { renewing, pass, events, alarms } = asking([manager]);
    await renewing.ask();
    renewing.stop();
    assert.equal(alarms.length, 0);
    renewing.watch();
    pass(RENEWAL_PATIENCE_MS, 1);
    assert.equal(alarms.length, 1);
    assert.deepEqual(events, []);
  });
});
