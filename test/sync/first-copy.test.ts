/** L6, N4: who begins takes the base part by part, then what comes after; who has left long ago hears the last word alone (K2). */
import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.ts';
import { readJournal, recordsOf } from '../../src/service/journal.ts';
import { LocalState } from '../../src/service/local-state.ts';
import { encodeRecord } from '../../src/service/records.ts';
import type { BasePart } from '../../src/sync/base.ts';
import type { LogStore } from '../../src/sync/ports.ts';
import { controlBody, Role } from '../../src/sync/control.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { Desk, threePeople, type Office } from './office.ts';
import { stateOf } from './team.ts';

/** A workspace with a history that is folded, of which the base has several parts. */
function withHistory(seed: string): { office: Office; alice: Desk; bob: Desk; carol: Desk } {
  const people = threePeople(seed);
  const { office, alice, bob, carol } = people;
  office.link(alice, bob, carol);
  for (let n = 0; n < 100; n++) {
    alice.post(`alice ${n} ${'x'.repeat(1_500)}`);
    bob.post(`bob ${n}`);
  }
  office.pump();
  office.rest();
  for (const desk of [alice, bob, carol])
    assert.ok(desk.engine.replica.base.isThere, 'all is acknowledged, and folded');
  assert.equal([...alice.engine.replica.nodes()].filter(({ delta }) => delta.kind === 'post').length, 0);
  return people;
}

function admit(by: Desk, office: Office, name: string, isVouching = true): Desk {
  const person = office.team.person(name);
  const box = by.engine.keys.box([{ device: person.device, agreementKey: person.certificate.agreementKey }])!;
  const seen = isVouching ? by.engine.replica.base.present() : undefined;
  const body = controlBody.admit(person.account, Role.participant, name, [person.certificate], undefined, box, seen);
  by.control('admit', body);
  const desk = office.open(person, by);
  desk.engine.keys.add(by.engine.keys.epoch!);
  return desk;
}

/** Parts of bases as the service reads them from its disk. */
async function readBack(records: readonly Uint8Array[]): Promise<readonly BasePart[]> {
  const log = {
    replay: (each: (record: Uint8Array) => unknown) => {
      for (const record of records) each(record);
      return Promise.resolve({ records: records.length, cutBytes: 0, quarantined: 0 });
    },
  } as Partial<LogStore> as LogStore;
  const { logs } = await readJournal(log, new LocalState());
  return [...logs.values()].flatMap(({ parts }) => parts);
}

describe('L6 the first copy', () => {
  it('L6 N4 comes as the base and what is after it, on a direct path: what is folded costs its rows, not its history', () => {
    const { office, alice } = withHistory('first direct');
    const dave = admit(alice, office, 'Dave');
    alice.post('after the cut');
    office.link(alice, dave);
    assert.deepEqual(stateOf(dave.engine.replica), stateOf(alice.engine.replica));
    assert.ok(dave.parts.length > 1);
    assert.equal(dave.engine.replica.size, alice.engine.replica.size);
    assert.ok(dave.engine.replica.isConfirmed, 'who let him in has vouched for it');
    dave.post('here I am');
    office.pump();
    assert.ok(alice.texts().includes('here I am'));
    office.rest();
    assert.deepEqual(dave.engine.replica.base.present(), alice.engine.replica.base.present());
    assert.equal([...dave.engine.replica.nodes()].filter(({ delta }) => delta.kind === 'post').length, 0);
  });

  it('S1 N4 who begins with nothing asks what the other holds, since he may not have heard it: what he writes goes at once', () => {
    const { office, alice } = withHistory('first asks');
    const dave = admit(alice, office, 'Dave');
    const asks = ({ engine }: Desk, to: Desk) =>
      engine.session
        .reached(to.device, 'direct', office.now)
        .map(({ message }) => 'answer' in message && message.answer);
    assert.deepEqual(asks(dave, alice), [true]);
    assert.deepEqual(asks(alice, dave), [false]);
  });

  it('L6 N4 waits at the relay, when who let in has gone', () => {
    const { office, alice } = withHistory('first relay');
    const dave = admit(alice, office, 'Dave');
    office.leave(dave);
    office.send(alice, alice.engine.session.serveByRelay(dave.device));
    alice.post('and this');
    office.pump();
    office.leave(alice);
    office.comeBack(dave);
    assert.ok(dave.texts().includes('and this'));
    assert.equal(dave.texts().length, 201);
    assert.deepEqual(stateOf(dave.engine.replica), stateOf(alice.engine.replica));
  });

  it('L6 R2 keeps nobody awake who has given it to a relay, and is asked for what is there already (world “tern.2044”)', () => {
    const { office, alice } = withHistory('first relay asked');
    const dave = admit(alice, office, 'Dave');
    office.leave(dave);
    const out = alice.engine.session.serveByRelay(dave.device);
    const part = out.map(({ message }) => message).find((message) => message.kind === 'base');
    assert.ok(part);
    const asks = { kind: 'needBase', root: part.root, part: 0 } as const;
    alice.engine.received(dave.device, 'relay', asks, alice.engine.keys.inUse!, office.now);
    office.now += 60_000;
    alice.engine.tick(office.now);
    assert.ok((alice.engine.session.nextWake() ?? Number.POSITIVE_INFINITY) > office.now);
  });

  it('L6 goes on after a kill with the part that is next', () => {
    const { office, alice } = withHistory('first killed');
    const dave = admit(alice, office, 'Dave');
    const before = alice.seen.length;
    let parts = 0;
    const take = dave.takeBase.bind(dave);
    dave.takeBase = (letter, message) => {
      // Killed after the second part: nothing of what was on its way is heard.
      if (++parts <= 2) take(letter, message);
    };
    office.link(alice, dave);
    assert.equal(dave.parts.length, 2);
    office.leave(dave);
    const again = office.open(dave.person, alice);
    again.engine.keys.add(alice.engine.keys.epoch!);
    assert.equal(again.engine.restoreBase(dave.parts, undefined), false);
    assert.equal(again.engine.basePartsHere!.here, 2);
    office.comeBack(again);
    office.link(alice, again);
    assert.deepEqual(stateOf(again.engine.replica), stateOf(alice.engine.replica));
    assert.deepEqual(again.parts[0]!.part, 2, 'the first two were not sent again');
    assert.ok(alice.seen.length > before);
  });

  it('L6 of which another has given a part is kept till one has written, and no longer', () => {
    const { office, alice, bob } = withHistory('first of two, left');
    const dave = admit(alice, office, 'Dave');
    office.link(alice, dave);
    const { parts } = bob.engine.replica.base.parts();
    const [bytes] = parts;
    dave.engine.sponsored([alice, bob]);
    const root = new Uint8Array(32).fill(7);
    dave.engine.takeBase(bob.device, 'direct', { root, part: 0, parts: parts.length, bytes: bytes! });
    assert.deepEqual(
      dave.engine.partsHere.map(({ part }) => part),
      [0],
    );
    dave.post('here I am');
    assert.deepEqual(dave.engine.partsHere, []);
  });

  it('L6 N4 comes from each of two who give it at once, though they have folded another share of the log', () => {
    const { office, alice, bob, carol } = threePeople('first of two');
    office.link(alice, bob, carol);
    alice.control('setRole', controlBody.setRole(bob.person.account, Role.manager));
    // More than is on its way to a peer at once.
    for (let n = 0; n < 50; n++) alice.post(`alice ${n} ${'x'.repeat(30_000)}`);
    office.pump();
    office.rest();
    alice.post('one more');
    office.pump();
    for (let round = 0; round < 4; round++) {
      office.now += 61_000;
      for (const desk of [bob, carol]) desk.wake();
      office.pump();
      alice.control('ack', controlBody.ack());
      office.pump();
      office.spread();
    }
    assert.notDeepEqual(alice.engine.replica.base.present().root, bob.engine.replica.base.present().root);
    const dave = admit(alice, office, 'Dave');
    dave.engine.sponsored([alice, bob]);
    office.link(alice, bob, dave);
    assert.deepEqual(dave.texts(), bob.texts());
    assert.ok(new Set(dave.parts.map(({ root }) => toHex(root))).size > 1, 'parts of both came in turns');
    // So they stand in the journal.
    const kept = dave.parts.map((part) =>
      encodeRecord({ kind: 'base', workspace: office.team.workspace, part, arrivals: 0 }),
    );
    return readBack(kept).then((parts) => {
      const again = new Desk(office, dave.person);
      assert.equal(again.engine.restoreBase(parts, undefined), true);
      assert.deepEqual(again.engine.replica.base.present().root, dave.engine.replica.base.present().root);
    });
  });

  it('L6 L1 is whole at the next start, though the journal was written anew while it was on its way', async () => {
    const { office, alice } = withHistory('first compacted');
    const dave = admit(alice, office, 'Dave');
    const { workspace } = office.team;
    const parts = alice.engine.replica.base.parts().parts.length;
    assert.ok(parts > 1);
    let kept: Uint8Array[] = [];
    const take = dave.takeBase.bind(dave);
    dave.takeBase = (letter, message) => {
      take(letter, message);
      kept.push(encodeRecord({ kind: 'base', workspace, part: dave.parts.at(-1)!, arrivals: 0 }));
      if (message.part === 0) kept = [...recordsOf(dave.engine)];
    };
    office.link(alice, dave);
    const again = new Desk(office, dave.person);
    assert.equal(again.engine.restoreBase(await readBack(kept), undefined), true);
    assert.deepEqual(again.engine.replica.base.present().root, alice.engine.replica.base.present().root);
  });

  it('L6 kept, it is begun with at the next start, and what came after it is taken on', () => {
    const { office, alice } = withHistory('first kept');
    const dave = admit(alice, office, 'Dave');
    office.link(alice, dave);
    dave.post('mine');
    office.pump();
    const again = new Desk(office, dave.person);
    assert.equal(again.engine.restoreBase(dave.parts, undefined), true);
    for (const { delta } of dave.engine.replica.nodes()) again.engine.restore(delta.bytes);
    again.engine.opened();
    assert.deepEqual(stateOf(again.engine.replica), stateOf(dave.engine.replica));
    assert.deepEqual(again.engine.replica.vector(), dave.engine.replica.vector());
  });

  it('L6 shows how far the one is of which a part has come last, though another that was given up is farther', () => {
    const { office, alice, bob } = withHistory('first given up');
    const dave = admit(alice, office, 'Dave');
    dave.engine.sponsored([alice, bob]);
    const { root, parts } = alice.engine.replica.base.parts();
    const give = (from: Desk, of: Uint8Array, part: number) =>
      dave.engine.takeBase(from.device, 'direct', { root: of, part, parts: parts.length, bytes: parts[part]! });
    for (const part of [0, 1]) give(alice, root, part);
    assert.deepEqual(dave.engine.basePartsHere, { here: 2, all: parts.length });
    give(bob, new Uint8Array(32).fill(7), 0);
    assert.deepEqual(dave.engine.basePartsHere, { here: 1, all: parts.length });
    give(alice, root, 2);
    assert.equal(dave.engine.basePartsHere, undefined);
  });

  it('L6 a base that a member makes up is not taken by who has a copy, nor one that does not add up by who has none', () => {
    const { office, alice, bob, carol } = withHistory('first forged');
    const before = stateOf(carol.engine.replica);
    const { root, parts } = bob.engine.replica.base.parts();
    for (const [part, bytes] of parts.entries()) {
      const step = carol.engine.takeBase(bob.device, 'direct', { root, part, parts: parts.length, bytes });
      assert.deepEqual([step.part, step.replaced], [undefined, undefined]);
    }
    assert.deepEqual(stateOf(carol.engine.replica), before);
    const dave = admit(alice, office, 'Dave');
    const faults: string[] = [];
    for (const [part, whole] of parts.entries()) {
      const bytes = whole.slice();
      if (part === 1) bytes[bytes.length >> 1]! ^= 1;
      const step = dave.engine.takeBase(alice.device, 'direct', { root, part, parts: parts.length, bytes });
      faults.push(...step.faults.map(({ tag }) => tag));
      assert.equal(step.replaced, undefined);
    }
    assert.deepEqual(faults, ['badBase']);
    assert.equal(dave.engine.replica.size, 0);
    office.link(alice, dave);
    assert.deepEqual(stateOf(dave.engine.replica), stateOf(alice.engine.replica), 'and the true one is taken after it');
  });

  it('L6 that a member gives in vain, again and again, says that what he has folded is lacking here: the copy is out of step', () => {
    const { office, alice, carol } = withHistory('first in vain');
    const { root, parts } = alice.engine.replica.base.parts();
    const part = { root, part: 0, parts: parts.length, bytes: parts[0]! };
    const give = (times: number): boolean => {
      for (let n = 0; n < times; n++) carol.engine.takeBase(alice.device, 'direct', part);
      return carol.engine.isOutOfStep;
    };
    assert.equal(give(10), false, 'she holds all that Alice has said to hold');
    const say = (ahead: number): void => {
      const feed = feedOf(alice.device, 0);
      const seq = carol.engine.replica.vector().get(feed)! + ahead;
      const have = {
        kind: 'have',
        vector: [{ feed, seq, tip: '0'.repeat(16) }],
        answer: false,
        root: '',
        needsCopy: false,
      } as const;
      carol.engine.received(alice.device, 'direct', have, alice.engine.keys.inUse!, office.now);
    };
    say(5);
    assert.equal(give(3), false, 'it may come by the log');
    assert.equal(give(1), true);
    say(0);
    assert.equal(carol.engine.isOutOfStep, false, 'it has come');
  });

  it('L6 nobody serves on what nobody has vouched for', () => {
    const { office, alice, bob } = withHistory('first unconfirmed');
    const dave = admit(alice, office, 'Dave');
    // Folded further than what was vouched for, before he was served.
    const { root, parts } = (() => {
      const person = office.team.person('Eve');
      const box = alice.engine.keys.box([{ device: person.device, agreementKey: person.certificate.agreementKey }])!;
      alice.control('admit', controlBody.admit(person.account, 2, 'Eve', [person.certificate], undefined, box));
      office.pump();
      const eve = office.open(person, alice);
      const other = bob.engine.replica.base.parts();
      void eve;
      return other;
    })();
    for (const [part, bytes] of parts.entries())
      dave.engine.takeBase(alice.device, 'direct', { root, part, parts: parts.length, bytes });
    assert.ok(dave.engine.replica.base.isThere);
    assert.equal(dave.engine.replica.isConfirmed, false, 'the word that vouches for it is not here yet');
    office.link(alice, dave);
    assert.equal(dave.engine.replica.isConfirmed, true);
  });

  it('L6 A7 but where no manager is left who could vouch: whom a member lets in then gets his copy (world “dove.340”)', () => {
    for (const isLeft of [true, false]) {
      const { office, alice, bob } = withHistory(`unconfirmed, and no manager ${String(isLeft)}`);
      office.rest();
      if (isLeft) alice.control('leave', controlBody.leave());
      office.rest();
      office.leave(alice);
      bob.engine.replica.base.unconfirmed = new Uint8Array(32).fill(7); // as if nobody had vouched for it
      const dave = admit(bob, office, 'Dave', false);
      office.link(bob, dave);
      office.rest();
      assert.equal(dave.engine.replica.roster.devices.has(dave.device), isLeft);
      assert.equal(bob.engine.replica.isConfirmed, false);
    }
  });
});

describe('K2 who was taken out long ago', () => {
  it('K2 hears the word alone, where what it rests on is folded, and believes it of who is above him', () => {
    const { office, alice, bob, carol } = withHistory('gone');
    office.leave(carol);
    alice.remove(carol);
    for (let n = 0; n < 10; n++) alice.post(`later ${n}`);
    office.pump();
    office.rest();
    assert.equal([...alice.engine.replica.nodes()].filter(({ delta }) => delta.kind === 'post').length, 0);
    office.comeBack(carol);
    office.link(bob, carol);
    assert.equal(carol.engine.expulsion?.delta.kind, 'remove');
    assert.ok(!carol.texts().some((text) => text.startsWith('later')));
  });

  it('K2 does not believe it of who is not', () => {
    const { office, alice, bob, carol } = withHistory('not gone');
    const [first] = [...alice.engine.replica.nodes()];
    const forged = office.team.forge(bob.person, {
      seq: 1_000,
      prev: first!.delta.id,
      kind: 'remove',
      tool: undefined,
      body: controlBody.remove(carol.person.account, alice.engine.keys.make(new Set([carol.device]))),
    });
    carol.hear(bob, forged);
    assert.equal(carol.engine.expulsion, undefined);
  });
});
