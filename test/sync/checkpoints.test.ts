/** L6: when a manager's device vouches for what is folded, and who believes a base by that word. */
import assert from 'node:assert/strict';
import type { DeviceId } from '../../src/base/ids.ts';
import { Checkpoints, CHECKPOINT_REST_MS } from '../../src/sync/checkpoints.ts';
import { controlBody, MAX_CUT_FEEDS, Role, type CutAndRoot } from '../../src/sync/control.ts';
import { Desk, Office, threePeople } from './office.ts';
import { Team } from './team.ts';

const DAY_MS = 24 * 60 * 60_000;

const checkpointsOf = ({ engine }: Desk) =>
  [...engine.replica.nodes()].filter(({ delta }) => delta.kind === 'checkpoint' && delta.tool === undefined);

function atWork(seed: string): { office: Office; alice: Desk; bob: Desk; carol: Desk } {
  const people = threePeople(seed);
  const { office, alice, bob, carol } = people;
  office.link(alice, bob, carol);
  for (let n = 0; n < 20; n++) alice.post(`alice ${n}`);
  bob.post('bob');
  office.pump();
  return people;
}

describe('L6 checkpoints', () => {
  it('L6 one is written at rest by a manager, of what all have folded, and not again for its own acknowledgements', () => {
    const { office, alice, bob, carol } = atWork('at rest');
    office.rest();
    for (const desk of [alice, bob, carol]) {
      const [word, ...more] = checkpointsOf(desk);
      assert.deepEqual([word?.delta.device, more], [alice.device, []]);
      assert.equal(desk.engine.replica.verdictOf(word!.delta.id), 'accepted');
    }
    for (let day = 0; day < 3; day++) {
      office.now += DAY_MS;
      office.rest();
    }
    assert.equal(checkpointsOf(bob).length, 1, 'nothing was said meanwhile');
    bob.post('of another day');
    office.pump();
    office.rest();
    assert.equal(checkpointsOf(bob).length, 2);
    bob.post('of the same day');
    office.pump();
    office.rest();
    assert.equal(checkpointsOf(bob).length, 2);
    // What it adds up to is told once an hour.
    office.now += 3_600_000;
    office.rest();
    assert.equal(alice.engine.nextWake(), undefined, 'nothing is waited for');
  });

  it('L6 D8 one that cannot be written is not asked for again at once (world “lostaa.91”)', () => {
    const { office, alice } = atWork('not written');
    const { engine } = alice;
    const tried: number[] = [];
    const duties = engine.duties.bind(engine);
    engine.duties = (now) => {
      const due = duties(now);
      if (due[0]?.kind !== 'checkpoint') return due;
      tried.push(now);
      return [];
    };
    office.rest();
    assert.ok(tried.length > 0);
    assert.deepEqual(duties(office.now), []);
    assert.ok(engine.nextWake()! > office.now, 'nor is it waited for till then');
    engine.duties = duties;
    office.rest();
    assert.equal(checkpointsOf(alice).length, 1, 'later it is');
  });

  it('L6 of more feeds than a word holds none is written, and who is let in is let in without', function () {
    this.timeout(60_000);
    const office = new Office('many feeds');
    const bobby = office.team.person('Bob');
    office.team.founder.admit(bobby);
    const [alice, bob] = [office.open(office.team.alice), office.open(bobby)];
    // Alone, and in a few words: what comes of it is looked at, not how it goes.
    for (let feed = 1; feed <= MAX_CUT_FEEDS; feed++) {
      alice.engine.beginFeed(feed);
      alice.post(`of feed ${feed}`);
    }
    office.link(alice, bob);
    office.rest();
    const { replica } = alice.engine;
    assert.ok(replica.feeds.cut().size > MAX_CUT_FEEDS);
    assert.equal(alice.engine.vouched(), undefined);
    assert.deepEqual(checkpointsOf(alice), []);
    const dave = office.team.person('Dave');
    const box = alice.engine.keys.box([dave.certificate])!;
    const admitting = (seen: CutAndRoot | undefined) => ({
      tool: undefined,
      kind: 'admit',
      body: controlBody.admit(dave.account, Role.participant, 'Dave', [dave.certificate], undefined, box, seen),
    });
    assert.equal(alice.engine.wouldRefuse([admitting(replica.base.present())], office.now), 'malformed');
    alice.write(admitting(alice.engine.vouched()));
    office.pump();
    assert.ok(bob.engine.replica.roster.members.has(dave.account));
  });

  it('L6 L7 who was let in by a word that vouches for nothing believes its base by the next one, a day or not', () => {
    const { office, alice, bob, carol } = atWork('let in bare');
    office.rest();
    office.leave(carol);
    const { person } = carol;
    const epoch = alice.engine.keys.make(new Set([person.device]));
    alice.control('drop', controlBody.devices([person.device], epoch));
    bob.post('while she is away');
    office.pump();
    office.rest();
    assert.equal(checkpointsOf(bob).length, 1);
    // Bob, who is no manager, lets her in again: nothing in his word vouches for what he gives her.
    const box = bob.engine.keys.box([person.certificate])!;
    bob.control('addDevice', controlBody.addDevice(person.account, [person.certificate], box));
    office.pump();
    // Her copy had gone, and its keys with it.
    const again = new Desk(office, person);
    again.engine.beginFeed(5);
    again.engine.keys.add(bob.engine.keys.epoch!);
    again.engine.sponsored([bob]);
    again.engine.opened();
    office.desks.set(person.device, again);
    office.comeBack(again);
    office.link(bob, again);
    assert.ok(again.engine.replica.base.isThere);
    assert.equal(again.engine.replica.isConfirmed, false);
    office.link(alice, bob, again);
    again.post('back again');
    office.pump();
    office.rest();
    assert.equal(checkpointsOf(again).length, 2);
    assert.equal(again.engine.replica.isConfirmed, true);
    office.rest();
    assert.equal(checkpointsOf(again).length, 2, 'once');
    assert.deepEqual(again.engine.replica.base.present(), alice.engine.replica.base.present());
  });

  it('L6 a base that was made up is confirmed by no word about the true one', () => {
    const { office, alice, bob, carol } = atWork('made up');
    office.rest();
    for (const desk of [bob, carol]) assert.ok(desk.engine.replica.isConfirmed);
    const { engine } = carol;
    engine.replica.base.unconfirmed = new Uint8Array(32).fill(7);
    assert.equal(
      engine.replica.isConfirmed,
      false,
      'what has come since is folded in it: another state than the word is about',
    );
    assert.ok(alice.engine.replica.roster.vouchers.length > 0);
  });

  it('L6 the managers take turns, and who is alone vouches for nobody', () => {
    const team = new Team('turns');
    const self = team.alice.device;
    const other = ((self[0] === '0' ? 'f' : '0') + self.slice(1)) as DeviceId;
    const { roster } = team.founder.replica;
    const member = roster.devices.get(self)!;
    const due = (...devices: readonly DeviceId[]) => {
      const checkpoints = new Checkpoints(self);
      checkpoints.folded(1);
      checkpoints.follow({ ...roster, devices: new Map(devices.map((device) => [device, member])) });
      return checkpoints.dueAt(10 * DAY_MS);
    };
    assert.equal(due(self), undefined);
    const first = 10 * DAY_MS + CHECKPOINT_REST_MS;
    assert.equal(due(self, other), other < self ? first + 60_000 : first);
    assert.equal(due(other), undefined, 'who is out');
    const bob = team.join('Bob');
    const checkpoints = new Checkpoints(bob.person.device);
    checkpoints.folded(20_000);
    checkpoints.follow(bob.replica.roster);
    assert.equal(checkpoints.dueAt(DAY_MS), undefined, 'who is no manager');
  });
});
