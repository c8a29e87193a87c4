/** L6: two that say again and again what they hold, and do not come together: whose copy gives way. Worlds “rough-nn.5562”, “rough-gg.8003”. */
import assert from 'node:assert/strict';
import type { FeedId } from '../../src/base/ids.ts';
import { Apart, LOOK_EVERY_MS, LOOKS, MANY_LOOKS } from '../../src/sync/apart.ts';
import { controlBody } from '../../src/sync/control.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { boxEpoch } from '../../src/sync/epoch.ts';
import { newPeer, type Peer } from '../../src/sync/peer.ts';
import { threePeople } from './office.ts';
import { NOW, Person, Team, type Copy } from './team.ts';

/** A copy, and what it takes the others to hold. */
class Seat {
  readonly copy: Copy;
  readonly apart: Apart;
  readonly peers = new Map<Copy['person']['device'], Peer>();
  now = NOW;

  constructor(copy: Copy, others: readonly Copy[], isRelayable = true) {
    this.copy = copy;
    for (const { person } of others) this.peers.set(person.device, { ...newPeer(), reach: 'direct', introduced: true });
    this.apart = new Apart(
      () => copy.replica,
      copy.person.device,
      this.peers,
      () => isRelayable,
    );
  }

  peer({ person }: Copy): Peer {
    return this.peers.get(person.device)!;
  }

  /** Says what it holds, as a copy has it. */
  hear(from: Copy, of: Copy = from): boolean {
    const peer = this.peer(from);
    peer.known = new Map(of.replica.vector());
    return this.apart.heard(from.person.device, peer, this.now);
  }

  /** They say it all again and again. */
  look(times: number, ...from: readonly Copy[]): void {
    for (let look = 0; look < times; look++) {
      for (const copy of from) this.hear(copy);
      this.now += LOOK_EVERY_MS;
    }
  }

  isFrom({ person }: Copy): boolean {
    return this.apart.isFrom(person.device);
  }
}

/** Alice has begun it; all hold the same. */
function three(seed: string): readonly [Copy, Copy, Copy] {
  const team = new Team(seed);
  const [bob, carol] = [team.join('Bob'), team.join('Carol')];
  bob.meet(team.founder);
  for (const copy of [bob, carol]) copy.post('here');
  team.founder.meet(bob, carol);
  bob.meet(carol);
  return [team.founder, bob, carol];
}

describe('L6 who does not come together', () => {
  it('L6 of as many on either side those without the most senior give way, once it has been looked often enough', () => {
    const [alice, bob] = three('L6 apart, two');
    bob.post('alice cannot take it');
    const [hers, his] = [new Seat(alice, [bob]), new Seat(bob, [alice])];
    for (let look = 1; look < LOOKS; look++) {
      assert.equal(his.hear(alice), false);
      assert.equal(hers.hear(bob), false);
      his.now += LOOK_EVERY_MS;
      hers.now += LOOK_EVERY_MS;
      assert.equal(his.isFrom(alice) || hers.isFrom(bob), false);
    }
    assert.equal(his.hear(alice), true);
    assert.equal(hers.hear(bob), true);
    assert.deepEqual([his.isFrom(alice), hers.isFrom(bob)], [true, true]);
    assert.deepEqual([his.apart.isSo, hers.apart.isSo], [true, false]);
    assert.equal(his.hear(alice), false, 'it is told once');
  });

  it('L6 what is said at once, or by a clock that was set back, is one look; and one that shows more begins anew', () => {
    const [alice, bob] = three('L6 apart, looks');
    bob.post('one');
    const his = new Seat(bob, [alice]);
    for (let n = 0; n < 2 * LOOKS; n++) his.hear(alice);
    for (let n = 0; n < 2 * LOOKS; n++) {
      his.now -= LOOK_EVERY_MS;
      his.hear(alice);
    }
    assert.equal(his.isFrom(alice), false);
    his.now += LOOK_EVERY_MS;
    his.look(LOOKS - 2, alice);
    assert.equal(his.isFrom(alice), false);
    alice.meet(bob);
    bob.post('two');
    his.look(LOOKS - 1, alice);
    assert.equal(his.isFrom(alice), false);
    his.look(1, alice);
    assert.equal(his.isFrom(alice), true);
    alice.meet(bob);
    his.hear(alice);
    assert.equal(his.isFrom(alice), false);
  });

  it('L6 of two that both think themselves with the more, the junior gives way to a senior manager in the end, and to nobody else', () => {
    const [alice, bob, carol] = three('L6 apart, and both with the more');
    for (const copy of [alice, bob]) copy.post('to nobody');
    const hers = new Seat(alice, [bob]);
    const his = new Seat(bob, [alice, carol]);
    const others = [new Seat(bob, [carol]), new Seat(carol, [bob, alice])] as const;
    const isSo = () => [hers, his, ...others].map(({ apart }) => apart.isSo);
    const look = (times: number): void => {
      for (let one = 0; one < times; one++) {
        hers.look(1, bob);
        his.peer(carol).known = new Map(bob.replica.vector());
        his.apart.heard(carol.person.device, his.peer(carol), his.now);
        his.look(1, alice);
        others[1].peer(alice).known = new Map(carol.replica.vector());
        others[1].apart.heard(alice.person.device, others[1].peer(alice), others[1].now);
        others[1].look(1, bob);
      }
    };
    look(LOOKS);
    assert.deepEqual(isSo(), [false, false, false, false], 'Alice does not know of Carol');
    look(MANY_LOOKS - LOOKS - 1);
    assert.deepEqual(isSo(), [false, false, false, false]);
    assert.equal(his.hear(alice), true, 'it is told that nobody has given way');
    assert.deepEqual(isSo(), [false, true, false, false]);
    look(MANY_LOOKS);
    assert.equal(others[1].isFrom(bob), true);
    assert.deepEqual(isSo(), [false, true, false, false], 'Bob is no manager');
  });

  it('L6 the fewer give way, be the most senior with them, and who was not heard of since is with nobody', () => {
    const [alice, bob, carol] = three('L6 apart, three');
    alice.post('to nobody');
    const seats = [
      new Seat(alice, [bob, carol]),
      new Seat(bob, [alice, carol]),
      new Seat(carol, [alice, bob]),
    ] as const;
    seats[1].look(LOOKS, alice, carol);
    seats[2].look(LOOKS, alice);
    seats[0].look(LOOKS, bob, carol);
    assert.deepEqual(
      seats.map(({ apart }) => apart.isSo),
      [true, false, true],
    );
    seats[2].hear(bob);
    assert.equal(seats[2].apart.isSo, false);
  });

  it('L6 who has said that his own copy is no good, or has two histories, or is out, need not come together with this', () => {
    const [alice, bob, carol] = three('L6 apart, no good');
    carol.post('to nobody');
    const hers = new Seat(carol, [alice, bob]);
    hers.peer(alice).needsCopy = true;
    hers.peer(bob).needsCopy = true;
    hers.look(LOOKS, alice, bob);
    assert.equal(hers.apart.isSo, false);
    hers.peer(alice).needsCopy = false;
    assert.equal(hers.apart.isSo, true);
    const two = carol.team.forge(alice.person, {
      seq: 4,
      prev: alice.replica.nodeAt(feedOf(alice.person.device, 0), 3)!.delta.id,
    });
    carol.hearRuns([two]);
    assert.ok(carol.replica.people.forked.has(alice.person.device));
    assert.equal(hers.isFrom(alice), false);
    hers.peer(bob).needsCopy = false;
    assert.equal(hers.isFrom(bob), true);
    const [dave, erin] = three('L6 apart, out');
    const his = new Seat(dave, [erin]);
    dave.post('to nobody');
    his.look(LOOKS, erin);
    assert.equal(his.isFrom(erin), true);
    dave.remove(erin.person);
    assert.equal(his.isFrom(erin), false);
  });

  it('L6 who gives way stays with that, be it said then of the copy of the other that it is no good: they would take turns (world “heron.9192”)', () => {
    const [alice, bob, carol] = three('L6 apart, in turns');
    carol.post('to nobody');
    const hers = new Seat(carol, [alice, bob]);
    hers.look(LOOKS, alice, bob);
    assert.equal(hers.apart.isSo, true);
    for (const copy of [alice, bob]) hers.peer(copy).needsCopy = true;
    assert.equal(hers.apart.isSo, true);
    hers.hear(alice);
    assert.equal(hers.apart.isSo, true);
    hers.hear(alice, carol);
    assert.equal(hers.isFrom(alice), false);
    hers.hear(bob, carol);
    assert.equal(hers.apart.isSo, false, 'they have come together');
    carol.post('to nobody again');
    hers.look(LOOKS, alice, bob);
    assert.equal(hers.apart.isSo, false, 'it is said before she gives way');
  });

  it('L6 of devices of one person the one of the lowest id stays as it is, in the end, too, where it does not know of others that are with the other (world “rough-xx.1041”)', () => {
    for (const isWithOthers of [false, true]) {
      const [alice, , carol] = three('L6 apart, one person');
      const { team } = alice;
      const other = new Person(team.crypto, 'Alice', alice.person);
      const epoch = boxEpoch(team.crypto, team.epoch, [other.certificate]);
      alice.control('addDevice', controlBody.addDevice(other.account, [other.certificate], epoch));
      const home = team.copyOf(other, alice);
      home.post('to nobody');
      const [low, high] = [alice, home].sort((a, b) => (a.person.device < b.person.device ? -1 : 1)) as [Copy, Copy];
      const [lower, higher] = [new Seat(low, [high]), new Seat(high, [low, carol])];
      const look = () => {
        lower.look(1, high);
        if (isWithOthers) higher.hear(carol, high);
        higher.look(1, low);
      };
      for (let n = 0; n < LOOKS; n++) look();
      assert.deepEqual([lower.apart.isSo, higher.apart.isSo], [false, !isWithOthers]);
      for (let n = LOOKS; n < MANY_LOOKS; n++) look();
      assert.deepEqual([lower.apart.isSo, higher.apart.isSo], [false, true]);
    }
  });

  it('L6 an older feed that does not come says nothing (D2), nor who holds nothing and is given a base', () => {
    const [alice, bob] = three('L6 apart, older feeds');
    const his = new Seat(bob, [alice]);
    bob.post('of the feed before');
    bob.replica.beginFeed(feedOf(bob.person.device, 1));
    his.look(LOOKS, alice);
    assert.equal(his.isFrom(alice), false);
    bob.post('of the feed of now');
    his.look(LOOKS, alice);
    assert.equal(his.isFrom(alice), true);
    his.apart.begunAnew();
    assert.equal(his.apart.isSo, false);
    for (let look = 0; look < LOOKS; look++) {
      his.peer(alice).known = new Map();
      his.apart.heard(alice.person.device, his.peer(alice), his.now);
      his.now += LOOK_EVERY_MS;
    }
    assert.equal(his.isFrom(alice), false);
  });

  it('L6 what somebody claims to have written, and never gives, puts him apart, and nobody who is with others', () => {
    const [alice, bob, carol] = three('L6 apart, claims');
    const his = new Seat(bob, [alice, carol]);
    for (let look = 0; look < LOOKS; look++) {
      his.hear(alice);
      his.peer(carol).known = new Map([...carol.replica.vector(), [`${carol.person.device}.7` as FeedId, 99]]);
      his.apart.heard(carol.person.device, his.peer(carol), his.now);
      his.now += LOOK_EVERY_MS;
    }
    assert.deepEqual([his.isFrom(carol), his.isFrom(alice), his.apart.isSo], [true, false, false]);
  });

  it('L6 who lags is asked when it is time to look again: on an open path some times, through a relay once till he answers', () => {
    const [alice, bob] = three('L6 apart, asked');
    bob.post('to nobody');
    const his = new Seat(bob, [alice]);
    assert.equal(his.apart.dueAt, Number.POSITIVE_INFINITY);
    his.hear(alice);
    const asked = () => {
      his.now = his.apart.dueAt;
      return Number.isFinite(his.now) ? his.apart.due(his.now) : [];
    };
    assert.equal(his.apart.dueAt, NOW + LOOK_EVERY_MS);
    assert.deepEqual(his.apart.due(NOW + LOOK_EVERY_MS - 1), []);
    let times = 0;
    while (asked().length > 0) times++;
    assert.equal(times, 4);
    his.peer(alice).reach = 'none';
    his.now = NOW + 100 * LOOK_EVERY_MS;
    his.hear(alice);
    assert.deepEqual([asked(), asked()], [[alice.person.device], []]);
    const unrelayed = new Seat(bob, [alice], false);
    unrelayed.hear(alice);
    unrelayed.peer(alice).reach = 'none';
    assert.equal(unrelayed.apart.dueAt, Number.POSITIVE_INFINITY);
  });

  it('L6 in engines at work: who takes nothing of another finds his copy out of step, and the two others do not', () => {
    const { office, alice, bob, carol } = threePeople('L6 apart, engines');
    const ingest = alice.engine.ingest.bind(alice.engine);
    const isOfBob = (bytes: Uint8Array) => Buffer.from(bytes).includes(Buffer.from(bob.device, 'hex'));
    alice.engine.ingest = (from, path, runs, now) => {
      const heard = runs.filter((run) => !run.some(isOfBob));
      return ingest(from, path, heard, now);
    };
    office.link(alice, bob, carol);
    bob.post('alice cannot take it');
    office.pump();
    const isOutOfStep = () => [alice, bob, carol].map(({ engine }) => engine.isOutOfStep);
    for (let round = 0; round < LOOKS; round++) {
      assert.deepEqual(isOutOfStep(), [false, false, false]);
      office.now += LOOK_EVERY_MS;
      office.rest();
    }
    assert.deepEqual(isOutOfStep(), [true, false, false]);
    assert.ok(bob.engine.session.needsCopy(alice.device));
    assert.ok([bob.device, carol.device].includes(alice.engine.freshCopyFrom(() => true)!));
    alice.engine.ingest = ingest;
    office.send(alice, alice.engine.renewFrom({ from: bob.device, generation: 1 }));
    office.pump();
    office.rest();
    assert.deepEqual(alice.texts(), ['alice cannot take it']);
    assert.deepEqual(isOutOfStep(), [false, false, false]);
  });
});
