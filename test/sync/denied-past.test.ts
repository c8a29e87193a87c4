/** D2, L6: a hostile member begins feeds as if he had acknowledged nothing, and names what some copies have forgotten and others have not. */
import assert from 'node:assert/strict';
import type { DeltaId } from '../../src/base/ids.ts';
import { controlBody } from '../../src/sync/control.ts';
import { feedOf, signDelta, type Delta } from '../../src/sync/delta.ts';
import { Desk, Office } from './office.ts';

interface Team {
  readonly office: Office;
  readonly alice: Desk;
  readonly bob: Desk;
  readonly carol: Desk;
  readonly mallory: Desk;
}

function four(seed: string): Team {
  const office = new Office(seed);
  const { founder, alice } = office.team;
  const people = ['Bob', 'Carol', 'Mallory'].map((name) => office.team.person(name));
  for (const person of people) founder.admit(person);
  const [bob, carol, mallory] = people.map((person) => office.open(person)) as [Desk, Desk, Desk];
  return { office, alice: office.open(alice), bob, carol, mallory };
}

/** Mallory's, in a feed of this generation, its first or its next: it names one delta alone. */
function denial({ office, mallory }: Team, generation: number, named: DeltaId, before?: Delta): Delta {
  const { crypto, workspace } = office.team;
  const { person, engine } = mallory;
  return signDelta(crypto, person.signer, workspace, {
    ...{ generation, seq: (before?.seq ?? 0) + 1, prev: before?.id, deps: [named] },
    ...{ credential: engine.replica.roster.members.get(person.account)!.credential, time: office.now },
    ...{ tool: undefined, kind: 'ack', body: controlBody.ack() },
  });
}

const outOfStep = (desks: readonly Desk[]) => desks.map(({ engine }) => engine.isOutOfStep);

/** All have acknowledged what was said; those that fold forget it. Answers a post that is forgotten, and all that was there before the acknowledgements. */
function forgotten({ office, alice, bob, carol, mallory }: Team, folding: readonly Desk[]) {
  office.link(alice, bob, carol, mallory);
  for (let n = 0; n < 4; n++) for (const desk of [alice, bob, carol]) desk.post(`${n} from ${desk.person.name}`);
  office.pump();
  office.spread();
  const before = [...bob.engine.replica.nodes()].map(({ delta }) => delta);
  const post = before.find(({ kind, device }) => kind === 'post' && device === carol.device)!;
  for (let round = 0; round < 8; round++) {
    office.now += 61_000;
    for (const desk of folding) desk.wake();
    if (round < 2 && !folding.includes(bob)) bob.write(...bob.engine.duties(office.now));
    office.pump();
    office.spread();
  }
  for (const { engine } of folding) assert.equal(engine.replica.node(post.id), undefined);
  return { post, before };
}

describe('L6 D2 a later feed that denies what its device had acknowledged', () => {
  it('L6 D2 puts nobody out of step by itself, whoever brings what it names', () => {
    const team = four('denied by one');
    const { office, alice, bob, carol, mallory } = team;
    const honest = [alice, bob, carol];
    const { post } = forgotten(team, [...honest, mallory]);
    for (const desk of honest) for (const delta of [denial(team, 1, post.id), post]) desk.hear(mallory, delta);
    office.pump();
    office.rest();
    assert.deepEqual(outOfStep(honest), [false, false, false]);
    alice.post('on');
    office.rest();
    for (const desk of honest) assert.ok(desk.texts().includes('on'));
  });

  it('L6 D2 puts nobody out of step by what its own device has upon it: nobody has taken it', () => {
    const team = four('denied for nobody');
    const { office, alice, bob, carol, mallory } = team;
    const honest = [alice, bob, carol];
    const { post } = forgotten(team, [...honest, mallory]);
    const { replica } = mallory.engine;
    const feed = feedOf(mallory.device, 0);
    const tip = replica.nodeAt(feed, replica.vector().get(feed)!)!.delta;
    const one = denial(team, 1, post.id);
    const upon = denial(team, 0, one.id, tip);
    for (const desk of honest) for (const delta of [upon, one, post]) desk.hear(mallory, delta);
    office.pump();
    office.rest();
    assert.deepEqual(outOfStep(honest), [false, false, false]);
  });

  it('L6 D2 puts out of step who has folded what another goes on upon, who has not: his copy is good, and they begin anew with it', () => {
    const team = four('denied to one');
    const { office, alice, bob, carol, mallory } = team;
    const honest = [alice, bob, carol];
    const { post } = forgotten(team, [alice, carol, mallory]);
    assert.ok(bob.engine.replica.node(post.id), 'he has acknowledged it, and not folded');
    bob.hear(mallory, denial(team, 1, post.id));
    office.pump();
    assert.deepEqual(outOfStep(honest), [false, false, false]);
    bob.post('on');
    office.rest();
    assert.deepEqual(outOfStep(honest), [true, false, true]);
    office.leave(mallory);
    assert.equal(
      alice.engine.freshCopyFrom(() => true),
      bob.device,
    );
    for (const desk of [alice, carol]) {
      const from = desk.engine.freshCopyFrom((device) => device !== mallory.device)!;
      office.send(desk, desk.engine.renewFrom({ from, generation: 1 }));
      office.rest();
    }
    assert.deepEqual(outOfStep(honest), [false, false, false]);
    for (const desk of honest) assert.deepEqual(desk.texts(), bob.texts());
  });

  it('L6 D2 is out of step itself, where it does so in good faith, when it is given a base in vain', () => {
    const team = four('denied by mistake');
    const { office, alice, mallory } = team;
    const { before } = forgotten(team, [alice, team.bob, team.carol, mallory]);
    office.leave(mallory);
    const again = new Desk(office, mallory.person);
    for (const { bytes, device } of before) if (device !== mallory.device) again.engine.restore(bytes);
    again.engine.keys.add(office.team.epoch);
    again.engine.opened();
    again.engine.beginFeed(1);
    again.post('as if nothing had been said');
    office.desks.set(again.device, again);
    office.arrive(again);
    office.link(alice, again);
    office.rest();
    assert.deepEqual(outOfStep([alice, again]), [false, true]);
  });
});

describe('L6 A4 a later feed of a device that was dropped, and is in again', () => {
  it('L6 A4 puts nobody out of step by itself where it has begun upon what had let the device in before', () => {
    const team = four('as before the drop');
    const { office, alice, bob, carol, mallory } = team;
    const honest = [alice, bob, carol];
    office.link(...honest, mallory);
    mallory.post('before');
    office.rest();
    office.leave(mallory);
    const { device, person } = mallory;
    const { credential } = alice.engine.replica.roster.members.get(person.account)!;
    alice.control('drop', controlBody.devices([device], alice.engine.keys.make(new Set([device]))));
    alice.post('that Mallory has not acknowledged');
    const { delta: post } = [...alice.engine.replica.nodes()].find(
      ({ delta }) => delta.kind === 'post' && delta.device === alice.device,
    )!;
    for (const desk of honest) {
      office.rest();
      desk.post('and on');
    }
    office.rest();
    const box = alice.engine.keys.box([{ device, agreementKey: person.certificate.agreementKey }])!;
    alice.control('addDevice', controlBody.addDevice(person.account, [person.certificate], box));
    office.rest();
    for (const desk of honest) assert.equal(desk.engine.replica.node(post.id), undefined, 'it is folded');
    const denies = denial(team, 1, post.id);
    const upon = office.team.forge(person, { generation: 1, seq: 1, deps: [credential, post.id].sort(), credential });
    for (const desk of honest) for (const delta of [denies, upon, post]) desk.hear(mallory, delta);
    assert.deepEqual(outOfStep(honest), [false, false, false]);
  });
});
