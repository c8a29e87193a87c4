/** D2: whose word it is that a store waits for which lacks a part of its feed, and what it waits for by it. */
import assert from 'node:assert/strict';
import { AwaitedWord } from '../../src/sync/awaited-word.ts';
import { feedOf, type Delta } from '../../src/sync/delta.ts';
import { Desk, Office, threePeople } from './office.ts';
import type { Person } from './team.ts';

/** Bob's store, put back to before he had written anything: of these it holds what `isBefore` says. */
function putBack(seed: string) {
  const { office, alice, bob, carol } = threePeople(seed);
  office.link(alice, bob, carol);
  for (let n = 0; n < 3; n++) alice.post(`${n}`);
  office.pump();
  bob.post('lost');
  office.pump();
  const [again, before] = [new Desk(office, bob.person), new Desk(office, bob.person)];
  const copy = { is: again };
  const word = new AwaitedWord(bob.device, () => copy.is.engine.replica);
  /** Another base takes the place of what has come. */
  const begin = (isOlder: boolean) => {
    copy.is = isOlder ? before : again;
    word.begunAnew();
  };
  const all = [...alice.engine.replica.nodes()].map(({ delta }) => delta);
  const hear = (isHeard: (delta: Delta) => boolean) => {
    for (const { bytes } of all.filter(isHeard)) {
      const growth = again.engine.ingest(carol.device, 'direct', [[bytes]], office.now);
      again.engine.stored(growth, office.now);
    }
  };
  const marks = (...ends: readonly (readonly [Desk, number, number?])[]) =>
    ends.map(([desk, seq, generation = 0]) => ({ feed: feedOf(desk.device, generation), seq, tip: '' }));
  const end = (desk: Desk) => alice.engine.replica.vector().get(feedOf(desk.device, 0))!;
  return { alice, bob, word, again, begin, hear, marks, end };
}

describe('D2 the word that a store waits for which lacks a part of its feed', () => {
  it('D2 is nobody’s who lacks what is known here of his own newest feed: he has lost it, too, or begins anew (world “rough-ii.2874”)', () => {
    const { alice, word, hear, marks, end } = putBack('D2 a word of who has lost his own');
    hear(({ device, seq }) => device === alice.device && seq < end(alice));
    const hears = (...told: ReturnType<typeof marks>) => {
      word.begin();
      word.hear(alice.device, told);
      return !word.isAwaited;
    };
    const here = end(alice) - 1;
    assert.equal(hears(...marks([alice, here - 1])), false);
    assert.equal(hears(...marks([alice, here])), true);
    assert.equal(
      hears(...marks([alice, here - 1], [alice, 1, 1])),
      true,
      'he has heard what he lacked, and begun a later one',
    );
  });

  it('D2 is nobody’s who lacks what waits here of his own', () => {
    const { alice, word, hear, marks, end } = putBack('D2 a word of who has lost what waits');
    hear(({ device, seq }) => device === alice.device && seq !== end(alice) - 1);
    const here = end(alice) - 2;
    word.begin();
    word.hear(alice.device, marks([alice, here]));
    assert.equal(word.isAwaited, true);
    word.hear(alice.device, marks([alice, end(alice)]));
    assert.equal(word.isAwaited, false);
  });

  it('D2 is awaited again where another base takes the place of the copy, and is older than what it told (world “kestrel.31337”)', () => {
    const { alice, bob, word, again, begin, hear, marks, end } = putBack('D2 an older base');
    again.engine.beginFeed(1);
    word.begin();
    word.hear(alice.device, marks([alice, end(alice)], [bob, end(bob)]));
    hear(() => true);
    word.settle();
    assert.equal(word.isAwaited, false, 'all has come');
    begin(true);
    assert.deepEqual([word.isAwaited, word.isUntold], [true, false], 'and is not here any more');
    begin(false);
    assert.equal(word.isAwaited, false, 'it is here again');
    word.goOn();
    begin(true);
    assert.equal(word.isAwaited, false, 'he has written meanwhile');
  });

  it('D2 is awaited no more by who was alone, and has written: he goes on, also when somebody is there again (world “dipper.14715”)', () => {
    const office = new Office('D2 alone, and goes on');
    const alice = office.open(office.team.alice);
    const [bob, carol] = ['Bob', 'Carol'].map((name) => office.team.person(name)) as [Person, Person];
    alice.engine.beginFeed(1);
    alice.engine.awaitWord();
    assert.equal(alice.engine.isAwaitingWord, false, 'nobody is there');
    alice.admit(bob);
    assert.equal(alice.engine.isAwaitingWord, false);
    // Whom she had let in before, and has lost with the store, says that there is more.
    const vector = [{ feed: feedOf(alice.device, 0), seq: 9, tip: '' }];
    const have = { kind: 'have', vector, answer: false, root: '', needsCopy: false } as const;
    alice.engine.received(carol.device, 'direct', have, alice.engine.keys.inUse!, office.now);
    assert.equal(alice.engine.isAwaitingWord, false);
    alice.post('for whom she has let in since');
  });
});
