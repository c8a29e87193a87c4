import assert from 'node:assert/strict';
import { BATCH_BYTES, MAX_DELTA_BYTES, MAX_MESSAGE_BYTES } from '../../src/protocol/limits.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { markOf } from '../../src/sync/messages.ts';
import { ACK_PATIENCE_MS } from '../../src/sync/session.ts';
import { stateOf, Team } from './team.ts';
import { Wire, type Station } from './wire.ts';

function meeting(seed: number | string, names: readonly string[]): { wire: Wire; stations: Station[] } {
  const team = new Team(seed);
  const others = names.map((name) => team.join(name));
  const copies = [team.founder, ...others];
  for (const copy of copies) copy.meet(team.founder);
  for (const copy of copies) copy.meet(team.founder);
  const wire = new Wire(seed);
  return { wire, stations: copies.map((copy) => wire.add(copy)) };
}

function write(station: Station, posts: number, length = 10): void {
  for (let i = 0; i < posts; i++) station.copy.post(`${i} `.padEnd(length, 'x'));
}

function assertSame(stations: readonly Station[]): void {
  const [first, ...others] = stations.map(({ copy }) => stateOf(copy.replica));
  for (const other of others) assert.deepEqual(other, first);
}

describe('S sessions', function () {
  this.timeout(60_000);

  it('S1 two who were apart have the same after one round trip, in few messages', () => {
    const { wire, stations } = meeting(1, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    write(alice, 500);
    write(bob, 300);
    wire.link(alice, bob);
    wire.pump();
    assertSame(stations);
    // Two introductions; batches of 64 KiB for some 160 KiB each way; an acknowledgement each.
    assert.ok(wire.messages <= 2 + 2 * 8, `${wire.messages} messages`);
    assert.ok(alice.session.inSync(bob.device) && bob.session.inSync(alice.device));
  });

  it('S1 a new delta is one message and one acknowledgement', () => {
    const { wire, stations } = meeting(2, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    wire.link(alice, bob);
    wire.pump();
    const before = wire.messages;
    for (let i = 0; i < 50; i++) {
      write(alice, 1);
      alice.grown();
      wire.pump();
    }
    assert.equal(wire.messages - before, 100);
    assert.ok(alice.session.inSync(bob.device));
  });

  it('S1 at rest nothing is sent and nobody is woken, in a mesh of three too', () => {
    const { wire, stations } = meeting(3, ['Bob', 'Carol']);
    const [alice, bob, carol] = stations as [Station, Station, Station];
    wire.link(alice, bob);
    wire.link(bob, carol);
    wire.link(alice, carol);
    wire.pump();
    const before = wire.messages;
    for (const station of stations) {
      write(station, 5);
      station.grown();
    }
    wire.pass(10 * 60_000);
    assertSame(stations);
    for (const a of stations) {
      for (const b of stations) if (a !== b) assert.ok(a.session.inSync(b.device));
      assert.equal(a.session.nextWake(), undefined);
    }
    // Each of three changes goes to two, who each pass it on once and hear that it was there: no more than that.
    assert.ok(wire.messages - before <= 40, `${wire.messages - before} messages`);
    const rest = wire.messages;
    wire.pass(60 * 60_000);
    assert.equal(wire.messages, rest);
  });

  it('S1 no more than 1 MiB, and what one batch goes beyond it, is unacknowledged on a path', () => {
    const { wire, stations } = meeting(4, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    alice.hasRelay = false;
    wire.link(alice, bob);
    wire.pump();
    write(alice, 300, 16_000);
    const before = wire.bytes;
    alice.grown();
    const most = MAX_MESSAGE_BYTES + BATCH_BYTES + MAX_DELTA_BYTES;
    assert.ok(
      wire.bytes - before <= most && wire.bytes - before > MAX_MESSAGE_BYTES / 2,
      `${wire.bytes - before} bytes`,
    );
    write(alice, 10, 16_000);
    alice.grown();
    assert.ok(wire.bytes - before <= most);
    wire.pump();
    assertSame(stations);
  });

  it('S1 a long catch-up over a quick path goes in few large batches', () => {
    const { wire, stations } = meeting(22, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    write(alice, 300, 16_000);
    wire.link(alice, bob);
    wire.pump();
    assertSame(stations);
    // Of 4.8 MB; 16 small batches go before anything is acknowledged, and two that grow.
    assert.ok(wire.sent('deltas') <= 34, `${wire.sent('deltas')} batches`);
    assert.ok(alice.session.inSync(bob.device));
  });

  it('S1 what a neighbour brings is passed on: a line of three without a relay', () => {
    const { wire, stations } = meeting(5, ['Bob', 'Carol']);
    const [alice, bob, carol] = stations as [Station, Station, Station];
    for (const station of stations) station.hasRelay = false;
    wire.link(alice, bob);
    wire.link(bob, carol);
    wire.pump();
    write(alice, 10);
    write(carol, 10);
    alice.grown();
    carol.grown();
    wire.pump();
    assertSame(stations);
  });

  it('S1 who was connected before he was a member is reached by his first word', () => {
    const { wire, stations } = meeting(18, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    alice.hasRelay = false;
    write(alice, 20);
    write(bob, 20);
    wire.linkUntold(alice, bob);
    wire.pump();
    assertSame(stations);
    assert.equal(alice.session.reach(bob.device), 'direct');
    write(alice, 1);
    alice.grown();
    wire.pump();
    assertSame(stations);
  });

  it('S3 a second copy is acknowledged, so its sender is content', () => {
    const { wire, stations } = meeting(6, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    wire.link(alice, bob);
    wire.pump();
    write(alice, 1);
    const node = [...alice.copy.replica.nodes()].at(-1)!;
    const { added } = bob.copy.replica.ingest([[node.delta.bytes]]);
    for (const one of added) bob.copy.replica.madeDurable(one);
    alice.grown();
    wire.pass(60_000);
    assert.ok(alice.session.inSync(bob.device));
    assert.equal(wire.sent('deltas'), 1);
  });

  it('S4 with no direct path a change goes to the relay at once', () => {
    const { wire, stations } = meeting(7, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    write(alice, 3);
    alice.grown();
    wire.pump();
    assert.equal(wire.sent('deltas', 'relay'), 1);
    assertSame([alice, bob]);
  });

  it('S4 what a direct peer has not acknowledged after 2 s goes to his relay, and not before', () => {
    const { wire, stations } = meeting(8, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    wire.link(alice, bob);
    wire.pump();
    wire.loss = 1;
    write(alice, 3);
    alice.grown();
    wire.pass(ACK_PATIENCE_MS - 1);
    assert.equal(wire.sent('deltas', 'relay'), 0);
    wire.pass(1);
    assert.equal(wire.sent('deltas', 'relay'), 1);
    assertSame([alice, bob]);
    wire.loss = 0;
    wire.pass(60_000);
    assert.ok(alice.session.inSync(bob.device));
  });

  it('S4 one message is stored once for all who are away', () => {
    const { wire, stations } = meeting(9, ['Bob', 'Carol', 'Dave']);
    const [alice] = stations as [Station];
    write(alice, 3);
    alice.grown();
    const batches = wire.log.filter((one) => one.message.kind === 'deltas');
    assert.equal(batches.length, 1);
    assert.equal(batches[0]!.to.length, 3);
    wire.pump();
    assertSame(stations);
  });

  it('S4 what a relay did not take is tried again after 10 s, at once when it is back, and not more often', () => {
    const { wire, stations } = meeting(10, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    wire.relayUp = false;
    write(alice, 3);
    alice.grown();
    wire.pass(60_000);
    const tries = wire.sent('deltas', 'relay');
    assert.ok(tries >= 5 && tries <= 7, `${tries} tries in a minute`);
    wire.relayUp = true;
    wire.dispatch(alice, alice.session.relayUp(wire.now));
    wire.pump();
    assert.equal(wire.sent('deltas', 'relay'), tries + 1);
    assertSame([alice, bob]);
    wire.pass(60_000);
    assert.equal(alice.session.nextWake(), undefined);
  });

  it('S4 a relay that is slow to answer is not sent the same again', () => {
    const { wire, stations } = meeting(11, ['Bob']);
    const [alice] = stations as [Station, Station];
    wire.relaysAnswer = false;
    write(alice, 3);
    alice.grown();
    wire.pass(60_000);
    write(alice, 1);
    alice.grown();
    assert.equal(wire.sent('deltas', 'relay'), 1);
    wire.relaysAnswer = true;
    wire.pump();
    assertSame(stations);
  });

  it('S4 two who meet by relay alone, each with news: no storm of questions and copies', () => {
    const { wire, stations } = meeting(12, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    write(alice, 200, 8_000);
    write(bob, 200, 8_000);
    wire.dispatch(alice, alice.session.greet(bob.device, wire.now));
    wire.dispatch(bob, bob.session.greet(alice.device, wire.now));
    wire.pass(60_000);
    assertSame([alice, bob]);
    const content = 2 * 200 * 8_300;
    assert.ok(wire.bytes < 2 * content, `${wire.bytes} bytes for ${content}`);
    assert.ok(wire.messages < 60, `${wire.messages} messages`);
  });

  it('S4 who lacks more than a queue is sent at a time gets it all, once, by relay alone', () => {
    const team = new Team(17);
    const bob = team.join('Bob');
    const wire = new Wire(17);
    const [alice, joiner] = [wire.add(team.founder), wire.add(bob)] as const;
    // What Carol wrote is Alice's to serve, but not hers to leave in queues of her own accord.
    const carol = team.join('Carol');
    for (let i = 0; i < 1300; i++) carol.post(`${i} `.padEnd(16_000, 'x'));
    team.founder.meet(carol);
    alice.follow();
    wire.dispatch(alice, alice.session.serveByRelay(joiner.device));
    wire.dispatch(joiner, joiner.session.greet(alice.device, wire.now));
    wire.pass(20_000);
    assertSame([alice, joiner]);
    const content = 1300 * 16_000;
    assert.ok(wire.bytes > content && wire.bytes < 1.2 * content, `${wire.bytes} bytes for ${content}`);
  });

  it('S4 who comes back after everybody left finds everything in his queue', () => {
    const { wire, stations } = meeting(13, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    wire.setOnline(bob, false);
    write(alice, 100, 5_000);
    alice.grown();
    wire.pass(10_000);
    wire.setOnline(alice, false);
    wire.setOnline(bob, true);
    wire.pump();
    assertSame([alice, bob]);
  });

  it('D5 who is told by relay of what rests on a third’s word asks its author for that', () => {
    const { wire, stations } = meeting(17, ['Bob', 'Carol']);
    const [alice, bob, carol] = stations as [Station, Station, Station];
    // Carol has no way to Bob of her own.
    carol.hasRelay = false;
    wire.link(alice, carol);
    wire.pump();
    write(carol, 3);
    carol.grown();
    wire.pump();
    write(alice, 1);
    alice.grown();
    wire.pump();
    assertSame([alice, bob, carol]);
  });

  it('D2 S1 who says that he holds less than he did is sent what he has lost', () => {
    const { wire, stations } = meeting(18, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    const { team, person } = bob.copy;
    const backup = team.copyOf(person, alice.copy);
    wire.link(alice, bob);
    write(alice, 20);
    alice.grown();
    wire.pump();
    assert.ok(alice.session.inSync(bob.device));
    wire.cut(alice, bob);
    const restored = wire.add(backup);
    wire.link(alice, restored);
    wire.pump();
    assertSame([alice, restored]);
  });

  it('D2 S4 who says by relay that he holds less than had come is sent that again at once: it is on its way no more (world “ash.2782”)', () => {
    const { wire, stations } = meeting(26, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    const { team, person } = bob.copy;
    const backup = team.copyOf(person, alice.copy);
    write(alice, 20);
    wire.dispatch(bob, bob.session.greet(alice.device, wire.now));
    wire.pump();
    assertSame([alice, bob]);
    const restored = wire.add(backup);
    wire.now += 6_000;
    wire.dispatch(restored, restored.session.greet(alice.device, wire.now));
    wire.pump();
    assertSame([alice, restored]);
  });

  it('a removed device is no peer any more and hears nothing', () => {
    const { wire, stations } = meeting(14, ['Bob', 'Carol']);
    const [alice, bob, carol] = stations as [Station, Station, Station];
    wire.link(alice, bob);
    wire.link(alice, carol);
    wire.pump();
    alice.copy.remove(bob.copy.person);
    alice.follow();
    const before = wire.log.length;
    write(alice, 1);
    alice.grown();
    wire.pass(60_000);
    assert.ok(wire.log.slice(before).every(({ to }) => !to.includes(bob.device)));
    assert.equal(alice.session.isPeer(bob.device), false);
  });

  it('what is known of a device outlives a restart', () => {
    const { wire, stations } = meeting(15, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    wire.link(alice, bob);
    wire.pump();
    const { known, relayed } = alice.session.memory(bob.device);
    const again = new Wire(16).add(alice.copy);
    assert.equal(again.session.inSync(bob.device), false);
    again.session.remember(bob.device, known, relayed);
    assert.equal(again.session.inSync(bob.device), true);
  });

  it('S1 D4 what a device says that it holds of feeds that nobody here has is not written down', () => {
    const { wire, stations } = meeting(17, ['Bob']);
    const [alice, bob] = stations as [Station, Station];
    wire.link(alice, bob);
    wire.pump();
    const before = alice.session.memory(bob.device).known;
    assert.ok(before.length > 0);
    const held = alice.copy.replica.vector();
    const vector = [
      ...[...held].map(([feed, seq]) => markOf(feed, seq, alice.copy.replica.nodeAt(feed, seq)!.delta.id)),
      ...Array.from({ length: 1_000 }, (_, i) => ({ feed: feedOf(bob.device, 7 + i), seq: 1, tip: '00'.repeat(8) })),
    ];
    const have = { kind: 'have', vector, answer: false, root: '', needsCopy: false } as const;
    alice.session.received(bob.device, 'direct', have, wire.now);
    assert.equal(alice.session.lacksOf(bob.device), true, 'it is believed that there is more');
    assert.equal(alice.session.memory(bob.device).known.length, held.size);
  });

  for (let seed = 100; seed < 130; seed++) {
    it(`S1 S3 S4 three copies converge whatever the network does (seed ${seed})`, () => {
      const { wire, stations } = meeting(seed, ['Bob', 'Carol']);
      wire.loss = [0, 0.05, 0.3][seed % 3]!;
      const any = () => stations[wire.below(stations.length)]!;
      for (let act = 0; act < 150; act++) {
        const [a, b] = [any(), any()];
        switch (wire.below(8)) {
          case 0:
          case 1:
          case 2:
            write(a, 1 + wire.below(4), 1 + wire.below(30_000));
            a.grown();
            break;
          case 3:
            if (a !== b && !wire.linked(a, b) && wire.isOnline(a.device) && wire.isOnline(b.device)) wire.link(a, b);
            break;
          case 4:
            if (a !== b) wire.cut(a, b);
            break;
          case 5:
            wire.setOnline(a, wire.below(2) === 0);
            break;
          case 6:
            wire.relayUp = wire.below(3) > 0;
            if (wire.relayUp) for (const station of stations) wire.dispatch(station, station.session.relayUp(wire.now));
            break;
          default:
            for (let i = wire.below(20); i > 0; i--) wire.step();
            if (wire.below(3) === 0) wire.pass(wire.below(4_000));
        }
      }
      wire.relayUp = true;
      for (const station of stations) wire.setOnline(station, true);
      for (const a of stations) wire.dispatch(a, a.session.relayUp(wire.now));
      // Half of the seeds end with direct paths, the others with the relay alone.
      if (seed % 2 === 0) {
        for (const [i, a] of stations.entries())
          for (const b of stations.slice(i + 1)) if (!wire.linked(a, b)) wire.link(a, b);
        wire.pass(120_000);
      } else {
        for (const a of stations) for (const b of stations) if (a !== b) wire.cut(a, b);
        for (let round = 0; round < 20; round++) {
          for (const a of stations)
            for (const b of stations) if (a !== b) wire.dispatch(a, a.session.greet(b.device, wire.now));
          wire.pass(30_000);
        }
      }
      assertSame(stations);
      assert.ok(stations[0]!.copy.replica.size > 50, 'the run was not empty');
      wire.loss = 0;
      wire.pass(10 * 60_000);
      const rest = wire.messages;
      wire.pass(60 * 60_000);
      assert.equal(wire.messages, rest, 'at rest nothing is sent');
    });
  }
});
