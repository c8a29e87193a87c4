/** K2: what is heard of a device that was taken out and keeps all its keys, and what it is told: the word, and nothing beyond. */
import assert from 'node:assert/strict';
import type { FeedId } from '../../src/base/ids.ts';
import { controlBody } from '../../src/sync/control.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { markOf, type FeedMark, type Message } from '../../src/sync/messages.ts';
import { type Desk, type Office, threePeople } from './office.ts';

/** Alice removes Carol, who is not there, and goes on with Bob; `leaves`: Carol has left instead, and all have heard it. */
function without(seed: string, leaves = false): { office: Office; alice: Desk; bob: Desk; carol: Desk } {
  const three = threePeople(seed);
  const { office, alice, bob, carol } = three;
  office.link(alice, bob, carol);
  carol.post('of Carol');
  office.rest();
  if (leaves) carol.control('leave', controlBody.leave());
  office.pump();
  office.leave(carol);
  if (!leaves) alice.remove(carol);
  bob.post('after Carol');
  office.pump();
  return three;
}

/** What she would hear, were she to say this. */
function answersTo(alice: Desk, carol: Desk, message: Message): readonly Message[] {
  const under = alice.engine.keys.held()[0]!.tag;
  if (!alice.engine.listensTo(carol.device, message, under)) return [];
  return alice.engine
    .received(carol.device, 'direct', message, under, alice.office.now)
    .map(({ message: answer }) => answer);
}

const have = (...vector: readonly FeedMark[]): Message => ({
  ...{ kind: 'have', vector, answer: true, root: '', needsCopy: false },
});

function toldBy(answers: readonly Message[]): ReadonlyMap<FeedId, number> {
  const told = answers.find(({ kind }) => kind === 'have');
  assert.ok(told?.kind === 'have');
  assert.deepEqual([told.root, told.needsCopy], ['', false]);
  return new Map(told.vector.map(({ feed, seq }) => [feed, seq]));
}

describe('K2 who was taken out', () => {
  it('K2 is told of no feed more than the word has in its past, and of none that it has not', () => {
    const { office, alice, bob, carol } = without('out, told');
    const dave = office.team.person('Dave');
    alice.admit(dave);
    const daves = office.team.forge(dave, {
      seq: 1,
      deps: [...alice.engine.replica.nodes()].slice(-1).map(({ delta }) => delta.id),
    });
    alice.hear(bob, daves);
    const vector = alice.engine.replica.vector();
    const told = toldBy(answersTo(alice, carol, have()));
    const { replica } = alice.engine;
    const word = replica.roster.gone.get(carol.device)!;
    for (const [feed, seq] of told) {
      const reach = replica.feeds.reach(word, feed);
      // What is forgotten has no name any more.
      const isNamed = replica.nodeAt(feed, reach) !== undefined;
      assert.ok(reach > 0 && (seq === reach || !isNamed), `${feed.slice(0, 8)} ${seq} ${reach}`);
    }
    assert.ok(told.get(feedOf(bob.device, 0))! < vector.get(feedOf(bob.device, 0))!);
    assert.ok(!told.has(feedOf(dave.device, 0)));
  });

  it('K2 is told no more for saying that it has more: of that it must name the last', () => {
    const { alice, bob, carol } = without('out, probes');
    const feed = feedOf(bob.device, 0);
    const seq = alice.engine.replica.vector().get(feed)!;
    const end = alice.engine.replica.nodeAt(feed, seq)!.delta.id;
    const before = toldBy(answersTo(alice, carol, have())).get(feed);
    assert.equal(toldBy(answersTo(alice, carol, have({ feed, seq, tip: '00'.repeat(8) }))).get(feed), before);
    assert.equal(toldBy(answersTo(alice, carol, have(markOf(feed, seq, end)))).get(feed), seq);
  });

  it('K2 is acknowledged no more than that, whatever it sends: the two say the same (world “linnet.2073”)', () => {
    const { office, alice, bob, carol } = without('out, acknowledged');
    const told = toldBy(answersTo(alice, carol, have()));
    const garbage = office.team.forge(carol.person, { seq: 9, deps: [] }).bytes.slice();
    garbage[garbage.length - 1]! ^= 1;
    const growth = alice.engine.ingest(carol.device, 'direct', [[garbage]], office.now);
    const answers = alice.engine.stored(growth, office.now).map(({ message }) => message);
    const heads = answers.flatMap((message) => (message.kind === 'got' ? message.heads : []));
    assert.ok(heads.length > 0);
    for (const { device, generation, seq } of heads) {
      const known = [...told].find(([feed]) => feed.startsWith(device) && feed.endsWith(`.${generation}`));
      assert.equal(seq, known?.[1], device);
    }
    assert.ok(heads.some(({ device }) => bob.device.startsWith(device)));
  });

  it('K2 is heard in what brings it the word, and in nothing else', () => {
    const { alice, carol } = without('out, heard');
    const { listensTo } = alice.engine;
    const under = alice.engine.keys.held()[0]!.tag;
    const hears = (message: Message) => listensTo.call(alice.engine, carol.device, message, under);
    const isHeard = [
      have(),
      { kind: 'got', heads: [] },
      { kind: 'deltas', runs: [] },
      { kind: 'fetch', ids: [] },
    ] as const;
    for (const message of isHeard) assert.ok(hears(message), message.kind);
    const notice = new Uint8Array(0);
    const isNot = [
      { kind: 'want', chunks: [] },
      { kind: 'parcels', parcels: [] },
      { kind: 'key', notice },
    ] as const;
    for (const message of isNot) assert.ok(!hears(message as unknown as Message), message.kind);
  });

  it('D2 says nothing to who waits for a word', () => {
    const { alice, bob, carol } = without('out, and a word is awaited');
    alice.engine.beginFeed(1);
    alice.engine.awaitWord();
    const { replica } = bob.engine;
    const all = [...replica.vector()].map(([feed, seq]) => markOf(feed, seq, replica.nodeAt(feed, seq)!.delta.id));
    answersTo(alice, carol, have(...all));
    assert.ok(alice.engine.isAwaitingWord);
    answersTo(alice, bob, have(...all));
    assert.ok(!alice.engine.isAwaitingWord);
  });
});

describe('A7 who leaves', () => {
  it('A7 hears that all is here that it holds, and is heard in all', () => {
    const { office, alice, carol } = without('leaves', true);
    office.comeBack(carol);
    office.link(alice, carol);
    office.rest();
    assert.ok(carol.engine.session.inSync(alice.device));
    const want = { kind: 'want', chunks: [] } as const;
    assert.ok(alice.engine.listensTo(carol.device, want, alice.engine.keys.held()[0]!.tag));
  });
});
