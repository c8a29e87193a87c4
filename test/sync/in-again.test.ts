/**
 * A4, L4: who was taken out, and is in again, names what he had written while he was out: that may name what some copies have forgotten and others have not,
 * as nobody waited for him. Nobody takes it for his sake, whatever he has forgotten himself. Worlds “rough-gg.8003” and “rough-ii.1910”.
 */
import assert from 'node:assert/strict';
import type { DeltaId } from '../../src/base/ids.ts';
import { controlBody } from '../../src/sync/control.ts';
import { feedOf, signDelta, type Delta } from '../../src/sync/delta.ts';
import { type Desk, Office } from './office.ts';

interface Scene {
  readonly office: Office;
  readonly alice: Desk;
  readonly bob: Desk;
  readonly carol: Desk;
  readonly mallory: Desk;
}

function fourPeople(seed: string): Scene {
  const office = new Office(seed);
  const people = ['Bob', 'Carol', 'Mallory'].map((name) => office.team.person(name));
  for (const person of people) office.team.founder.admit(person);
  const [bob, carol, mallory] = people.map((person) => office.open(person)) as [Desk, Desk, Desk];
  const scene = { office, alice: office.open(office.team.alice), bob, carol, mallory };
  office.link(scene.alice, bob, carol, mallory);
  mallory.post('hello');
  office.rest();
  return scene;
}

/** How Mallory is out, and in again. */
const WORDS: ReadonlyMap<string, Record<'takeOut' | 'letIn', (alice: Desk, mallory: Desk) => void>> = new Map([
  [
    'dropped',
    {
      takeOut: (alice: Desk, { device }: Desk) =>
        alice.control('drop', controlBody.devices([device], alice.engine.keys.make(new Set([device])))),
      letIn: (alice: Desk, { person: { account, device, certificate } }: Desk) => {
        const box = alice.engine.keys.box([{ device, agreementKey: certificate.agreementKey }])!;
        alice.control('addDevice', controlBody.addDevice(account, [certificate], box));
      },
    },
  ],
  [
    'gone',
    {
      takeOut: (alice: Desk, mallory: Desk) => mallory.control('leave', controlBody.leave()),
      letIn: (alice: Desk, { person }: Desk) => alice.admit(person),
    },
  ],
  [
    'removed',
    {
      takeOut: (alice: Desk, mallory: Desk) => alice.remove(mallory),
      letIn: (alice: Desk, { person }: Desk) => alice.admit(person),
    },
  ],
]);

/** Alice and Carol fold what all have acknowledged, and forget it; Bob acknowledges, and does not fold. */
function settle({ office, alice, bob, carol }: Scene): void {
  for (let round = 0; round < 8; round++) {
    office.now += 61_000;
    for (const desk of [alice, carol]) desk.wake();
    if (round < 4) bob.write(...bob.engine.duties(office.now));
    office.pump();
    office.spread();
  }
}

/** An acknowledgement of Mallory's upon these, in a feed of this generation: after the one before, or its first; in the one that he had its next. */
function ackOf(
  { office, alice, mallory: { engine, person, device } }: Scene,
  generation: number,
  deps: DeltaId[],
  before?: Delta,
): Delta {
  const feed = feedOf(device, 0);
  const tip = generation === 0 ? engine.replica.nodeAt(feed, engine.replica.vector().get(feed)!)!.delta : before;
  const credential = alice.engine.replica.roster.members.get(person.account)?.credential ?? office.team.genesis.id;
  return signDelta(office.team.crypto, person.signer, office.team.workspace, {
    ...{ generation, seq: (tip?.seq ?? 0) + 1, prev: tip?.id, deps: [...deps].sort() },
    ...{ credential, time: office.now, tool: undefined, kind: 'ack', body: controlBody.ack() },
  });
}

/** What he names is said before the word, as by who has not heard it, or after it. */
const CASES = [...WORDS].flatMap(([what, words]) =>
  [false, true].flatMap((knows) =>
    (knows || what !== 'gone'
      ? [
          [0, 2],
          [1, 0],
          [1, 2],
        ]
      : []
    ).map(([written, upon]) => ({
      ...{ what, words, knows, written: written!, upon: upon! },
    })),
  ),
);

const nodesOf = ({ engine }: Desk) => [...engine.replica.nodes()].map(({ delta }) => delta);

describe('A4 A7 L4 who is in again, and names what he had written while he was out', () => {
  for (const { what, words, knows, written, upon } of CASES)
    it(`A4 A7 L4 and was ${what}, ${knows ? 'and knew it, ' : ''}in feed ${written}, and names it in feed ${upon}`, () => {
      const scene = fourPeople(`in again ${what} ${String(knows)} ${written} ${upon}`);
      const { office, alice, bob, carol, mallory } = scene;
      const honest = [alice, bob, carol];
      const takeOut = () => {
        words.takeOut(alice, mallory);
        office.pump();
        office.leave(mallory);
      };
      if (knows) takeOut();
      for (let n = 0; n < 4; n++) for (const desk of honest) desk.post(`${n} from ${desk.person.name}`);
      office.pump();
      const named = nodesOf(bob).find(({ kind, device }) => kind === 'post' && device === carol.device)!;
      if (!knows) takeOut();
      settle(scene);
      assert.equal(alice.engine.replica.node(named.id), undefined, 'she has forgotten it');
      assert.ok(bob.engine.replica.node(named.id), 'he has not');

      const one = ackOf(scene, written, [named.id]);
      words.letIn(alice, mallory);
      office.pump();
      const entrance = nodesOf(bob).findLast(({ kind }) => kind === 'admit' || kind === 'addDevice')!;
      const again = ackOf(scene, upon, [entrance.id, one.id]);
      for (let round = 0; round < 2; round++) for (const delta of [again, one]) bob.hear(mallory, delta);
      office.pump();
      bob.post('on');
      office.rest();
      for (const desk of honest) {
        assert.equal(desk.engine.replica.node(one.id), undefined);
        assert.equal(desk.engine.isOutOfStep, false);
        assert.ok(desk.texts().includes('on'), desk.person.name);
      }
    });

  for (const [what, { takeOut, letIn }] of WORDS)
    for (const written of [0, 1])
      it(`L6 A4 puts nobody out of step by it who was ${what}, in feed ${written}: nobody has taken it`, () => {
        const scene = fourPeople(`in again for nobody ${what} ${written}`);
        const { office, alice, bob, carol, mallory } = scene;
        const honest = [alice, bob, carol];
        for (let n = 0; n < 4; n++) for (const desk of honest) desk.post(`${n} from ${desk.person.name}`);
        office.pump();
        const named = nodesOf(bob).find(({ kind, device }) => kind === 'post' && device === carol.device)!;
        takeOut(alice, mallory);
        office.pump();
        office.leave(mallory);
        office.rest();
        for (const desk of honest) assert.equal(desk.engine.replica.node(named.id), undefined, 'all have forgotten it');
        const one = ackOf(scene, written, [named.id]);
        letIn(alice, mallory);
        office.pump();
        const entrance = nodesOf(bob).findLast(({ kind }) => kind === 'admit' || kind === 'addDevice')!;
        const first = ackOf(scene, 2, [entrance.id]);
        const again = ackOf(scene, 2, [one.id], first);
        for (const desk of honest) for (const delta of [first, again, one, named]) desk.hear(mallory, delta);
        office.rest();
        for (const desk of honest) {
          assert.ok(desk.engine.replica.node(first.id));
          assert.equal(desk.engine.isOutOfStep, false);
        }
      });
});
