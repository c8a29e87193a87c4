/**
 * A4, A7, L4: nobody waits for who is out. He goes on writing all the same, knowing the word, and names what some copies have forgotten and others
 * have not: who has heard the word does not take it.
 */
import assert from 'node:assert/strict';
import { controlBody, Role } from '../../src/sync/control.ts';
import { feedOf, signDelta, type Delta } from '../../src/sync/delta.ts';
import { Desk, Office } from './office.ts';

/** How somebody is out. Answers who is. */
const WORDS: ReadonlyMap<string, (alice: Desk, mallory: Desk) => Desk> = new Map([
  [
    'was removed',
    (alice, mallory) => {
      alice.remove(mallory);
      return mallory;
    },
  ],
  [
    'was dropped',
    (alice, mallory) => {
      const epoch = alice.engine.keys.make(new Set([mallory.device]));
      alice.control('drop', controlBody.devices([mallory.device], epoch));
      return mallory;
    },
  ],
  [
    'has left',
    (_, mallory) => {
      mallory.control('leave', controlBody.leave());
      return mallory;
    },
  ],
]);

/** What Mallory, who is out, writes next in the feed that he has or in another: it names this alone. */
function writtenBy({ engine, person, device, office }: Desk, generation: number, named: Delta): Delta {
  const feed = feedOf(device, 0);
  const end = generation === 0 ? engine.replica.vector().get(feed) : undefined;
  const last = end && engine.replica.nodeAt(feed, end)!.delta;
  return signDelta(office.team.crypto, person.signer, office.team.workspace, {
    ...{ generation, seq: last ? last.seq + 1 : 1, prev: last ? last.id : undefined, deps: [named.id] },
    ...{ credential: office.team.genesis.id, time: office.now, tool: undefined, kind: 'ack', body: controlBody.ack() },
  });
}

/** Mallory, who may make nobody a manager, lets somebody in as one: void, but something has let him in (I4). */
function letInInVain(alice: Desk, mallory: Desk): Desk {
  const { office, engine, person, device } = mallory;
  const puppet = office.team.person('Puppet');
  const box = engine.keys.box([{ device: puppet.device, agreementKey: puppet.certificate.agreementKey }])!;
  const feed = feedOf(device, 0);
  const last = engine.replica.nodeAt(feed, engine.replica.vector().get(feed)!)!.delta;
  const admit = signDelta(office.team.crypto, person.signer, office.team.workspace, {
    ...{ generation: 0, seq: last.seq + 1, prev: last.id, deps: [] },
    ...{ credential: engine.replica.roster.members.get(person.account)!.credential, time: office.now, tool: undefined },
    ...{
      kind: 'admit',
      body: controlBody.admit(puppet.account, Role.manager, 'Puppet', [puppet.certificate], undefined, box),
    },
  });
  for (const desk of [mallory, alice]) desk.hear(mallory, admit);
  assert.equal(engine.replica.verdictOf(admit.id), 'notPermitted');
  return new Desk(office, puppet);
}

describe('A4 A7 L4 who is out, and knows it', () => {
  for (const [what, say] of new Map([...WORDS, ['was let in in vain', letInInVain]]))
    for (const generation of [0, 1])
      it(`A4 L4 and ${what} holds up nobody, in feed ${generation}, by naming what some have forgotten`, () => {
        const office = new Office(`out for good ${what}`);
        const people = ['Bob', 'Carol', 'Mallory'].map((name) => office.team.person(name));
        for (const person of people) office.team.founder.admit(person);
        const [bob, carol, mallory] = people.map((person) => office.open(person)) as [Desk, Desk, Desk];
        const alice = office.open(office.team.alice);
        const honest = [alice, bob, carol];
        office.link(alice, bob, carol, mallory);
        mallory.post('hello');
        office.rest();
        const outside = say(alice, mallory);
        office.rest();
        if (outside === mallory) office.leave(mallory);

        for (let n = 0; n < 4; n++) for (const desk of honest) desk.post(`${n} from ${desk.person.name}`);
        office.pump();
        office.spread();
        const posts = [...bob.engine.replica.nodes()].map(({ delta }) => delta).filter(({ kind }) => kind === 'post');
        const named = posts.find(({ device }) => device === carol.device)!;
        for (let round = 0; round < 8; round++) {
          office.now += 61_000;
          for (const desk of outside === mallory ? [alice, carol] : [alice, carol, mallory]) desk.wake();
          if (round < 2) bob.write(...bob.engine.duties(office.now));
          office.pump();
          office.spread();
        }
        assert.equal(alice.engine.replica.node(named.id), undefined, 'she has forgotten it');
        assert.ok(bob.engine.replica.node(named.id), 'he has not');

        bob.hear(outside, writtenBy(outside, generation, named));
        office.pump();
        bob.post('on');
        office.rest();
        for (const desk of honest) assert.ok(desk.texts().includes('on'), desk.person.name);
        assert.deepEqual(
          honest.map(({ engine }) => engine.isOutOfStep),
          [false, false, false],
        );
      });

  it('L7 is taken again upon what has let him in since, also where both come at once', () => {
    const office = new Office('out and in');
    const person = office.team.person('Mallory');
    office.team.founder.admit(person);
    const [alice, mallory] = [office.open(office.team.alice), office.open(person)];
    office.link(alice, mallory);
    WORDS.get('was dropped')!(alice, mallory);
    office.rest();
    office.leave(mallory);
    const { crypto, workspace } = office.team;
    const box = alice.engine.keys.box([{ device: person.device, agreementKey: person.certificate.agreementKey }])!;
    const tip = alice.engine.replica.nodeAt(
      feedOf(alice.device, 0),
      alice.engine.replica.vector().get(feedOf(alice.device, 0))!,
    )!;
    const letIn = signDelta(crypto, alice.person.signer, workspace, {
      ...{ generation: 0, seq: tip.delta.seq + 1, prev: tip.delta.id, deps: [] },
      ...{ credential: office.team.genesis.id, time: office.now, tool: undefined, kind: 'addDevice' },
      body: controlBody.addDevice(person.account, [person.certificate], box),
    });
    const back = writtenBy(mallory, 1, letIn);
    const { nodes } = alice.engine.ingest(mallory.device, 'direct', [[letIn.bytes], [back.bytes]], office.now);
    assert.deepEqual(
      nodes.map(({ delta }) => delta.kind),
      ['addDevice', 'ack'],
    );
  });
});
