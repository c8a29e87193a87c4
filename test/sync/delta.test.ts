import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FORMAT } from '../../src/base/format.ts';
import type { DeltaId, FeedId } from '../../src/base/ids.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import {
  MAX_CBOR_DEPTH,
  MAX_DELTA_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_TIME_MS,
  MAX_WAITING_BYTES,
  MAX_WAITING_DELTAS,
} from '../../src/protocol/limits.ts';
import { controlBody } from '../../src/sync/control.ts';
import { LARGE_BATCH_BYTES } from '../../src/sync/credit.ts';
import { checkSignature, DeltaReader, feedOf, readDelta, type Delta } from '../../src/sync/delta.ts';
import { paddedLength } from '../../src/sync/envelope.ts';
import { inPast } from '../../src/sync/graph.ts';
import { encodeMessage } from '../../src/sync/messages.ts';
import { CHAT, NOW, Team, type Copy } from './team.ts';

const POSTS = 'posts';

/** A chain of a member's deltas, not told to anybody. */
function chain(team: Team, author: Copy, length: number): readonly Uint8Array[] {
  return Array.from(
    { length },
    (_, i) => author.write({ tool: CHAT, kind: 'post', body: [`post ${i}`] })[0]!.delta.bytes,
  );
}

function spoilSignature(bytes: Uint8Array): Uint8Array {
  const spoilt = bytes.slice();
  spoilt[spoilt.length - 1]! ^= 1;
  return spoilt;
}

function faultsOf(copy: Copy, runs: readonly (readonly Uint8Array[])[]): readonly string[] {
  return copy.replica.ingest(runs).faults.map(({ tag }) => tag);
}

describe('D deltas', () => {
  it('D3 a delta is read as it was signed, and its signature stands', () => {
    const team = new Team(1);
    const delta = team.forge(team.alice, { seq: 2, prev: team.genesis.id, body: [1, 'x', null, [true]] });
    const read = readDelta(team.crypto, team.workspace, delta.bytes);
    assert.ok(read.ok);
    assert.deepEqual(read.value, delta);
    assert.ok(checkSignature(team.crypto, team.workspace, read.value));
  });

  it('D3 no byte of a delta can be changed: it is not read, or its signature falls', () => {
    const team = new Team(2);
    const { bytes } = team.forge(team.alice, { seq: 2, prev: team.genesis.id, deps: [] });
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 128]) {
        const changed = bytes.slice();
        changed[at]! ^= bit;
        const read = readDelta(team.crypto, team.workspace, changed);
        assert.ok(!read.ok || !checkSignature(team.crypto, team.workspace, read.value), `byte ${at}`);
      }
    }
  });

  it('D3 a delta of another workspace has another id, and its signature falls', () => {
    const [here, there] = [new Team(3), new Team(4)];
    const delta = there.forge(there.alice, { seq: 2, prev: there.genesis.id });
    const read = readDelta(here.crypto, here.workspace, delta.bytes);
    assert.ok(read.ok && read.value.id !== delta.id);
    assert.deepEqual(faultsOf(here.founder, [[delta.bytes]]), ['badSignature']);
  });

  it('D4 whatever comes in, the reader answers', () => {
    const team = new Team(5);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.equal(readDelta(team.crypto, team.workspace, bytes).ok, false);
      }),
      { seed: 1 },
    );
    const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.maxSafeInteger(),
        fc.uint8Array({ maxLength: 40 }),
        fc.string(),
        fc.constantFrom(null, true, false),
        fc.array(tie('value'), { maxLength: 12 }),
      ),
    })).value;
    fc.assert(
      fc.property(fc.array(value, { minLength: 11, maxLength: 11 }), (fields) => {
        const bytes = encode([encode(fields), new Uint8Array(64)]);
        assert.doesNotThrow(() => readDelta(team.crypto, team.workspace, bytes));
        assert.doesNotThrow(() => team.founder.replica.ingest([[bytes]]));
      }),
      { seed: 2 },
    );
  });

  it('D4 a field too long, too large or out of order is refused', () => {
    const team = new Team(6);
    const { bytes } = team.forge(team.alice, { seq: 2, prev: team.genesis.id, deps: [] });
    const outer = decode(bytes);
    assert.ok(outer.ok);
    const [signed, signature] = outer.value as [Uint8Array, Uint8Array];
    const inner = decode(signed);
    assert.ok(inner.ok);
    const fields = inner.value as readonly Value[];
    const ids = Array.from({ length: 33 }, (_, i) => new Uint8Array(32).fill(i));
    const changes: readonly [number, Value][] = [
      [0, -1],
      [1, new Uint8Array(31)],
      [2, 2 ** 32],
      [3, 0],
      [3, 1], // has a prev
      [4, new Uint8Array(0)], // has none, yet is not the first
      [4, new Uint8Array(31)],
      [5, ids],
      [5, [ids[1]!, ids[0]!]],
      [5, [ids[0]!, ids[0]!]],
      [6, new Uint8Array(16)],
      [7, -1],
      [8, new Uint8Array(7)],
      [9, 'k'.repeat(25)],
      [9, 7],
    ];
    for (const [at, change] of changes) {
      const changed = encode([encode(fields.with(at, change)), signature]);
      const read = readDelta(team.crypto, team.workspace, changed);
      assert.ok(!read.ok && read.error.reason === 'malformed', `field ${at}`);
    }
    for (const count of [10, 12]) {
      const other = count === 10 ? fields.slice(0, 10) : [...fields, null];
      assert.equal(readDelta(team.crypto, team.workspace, encode([encode(other), signature])).ok, false);
    }
    const large = readDelta(team.crypto, team.workspace, new Uint8Array(MAX_DELTA_BYTES + 1));
    assert.ok(!large.ok && large.error.reason === 'tooLarge');
  });

  it('D4 a body nests as deep as it may inside its delta, and no deeper', () => {
    const team = new Team(20);
    const nested = (depth: number): Value => (depth === 0 ? [1] : [nested(depth - 1)]);
    const deepest = { seq: 2, prev: team.genesis.id, deps: [], body: nested(MAX_CBOR_DEPTH - 2) };
    const { bytes } = team.forge(team.alice, deepest);
    const read = readDelta(team.crypto, team.workspace, bytes);
    assert.ok(read.ok);
    assert.deepEqual(read.value.body, deepest.body);
    const { bytes: deeper } = team.forge(team.alice, { ...deepest, body: nested(MAX_CBOR_DEPTH - 1) });
    assert.equal(readDelta(team.crypto, team.workspace, deeper).ok, false);
  });

  it('D3 one reader for many reads each as if it were alone', () => {
    const team = new Team(21);
    const bob = team.join('Bob');
    const alice = team.founder;
    for (let i = 0; i < 40; i++) {
      const writer = i % 3 === 0 ? bob : alice;
      bob.meet(alice);
      writer.write({ tool: CHAT, kind: i % 2 === 0 ? 'post' : 'edit', body: [`${i}`] });
      if (i % 10 === 0) alice.control('rename', controlBody.rename(`Apollo ${i}`));
    }
    bob.meet(alice);
    const deltas = [...alice.replica.nodes()].map(({ delta }) => delta);
    const reader = new DeltaReader(team.crypto, team.workspace);
    for (const delta of [...deltas, ...deltas.toReversed()]) {
      const alone = readDelta(team.crypto, team.workspace, delta.bytes.slice());
      assert.deepEqual(reader.read(delta.bytes.slice()), alone);
      assert.ok(alone.ok && alone.value.id === delta.id);
    }
  });

  it('L4 a delta of a tool is a part of what it came in, a control delta is a copy', () => {
    const team = new Team(22);
    const post = team.forge(team.alice, { seq: 2, prev: team.genesis.id, tool: CHAT, body: [new Uint8Array(70)] });
    const word = team.forge(team.alice, { seq: 2, prev: team.genesis.id, tool: undefined, body: [new Uint8Array(70)] });
    for (const [{ bytes }, isPart] of [
      [post, true],
      [word, false],
    ] as const) {
      const message = new Uint8Array(5_000);
      message.set(bytes, 1_000);
      const read = readDelta(team.crypto, team.workspace, message.subarray(1_000, 1_000 + bytes.length));
      assert.ok(read.ok);
      const [inBody] = read.value.body as readonly [Uint8Array];
      for (const part of [read.value.bytes, inBody]) assert.equal(part.buffer === message.buffer, isPart);
      assert.deepEqual(read.value.bytes, bytes);
    }
  });

  it('D3 a time that no day has is none: whoever shows it would stop there', () => {
    const team = new Team(39);
    const timed = (time: number) =>
      readDelta(team.crypto, team.workspace, team.forge(team.alice, { seq: 2, prev: team.genesis.id, time }).bytes);
    const last = timed(MAX_TIME_MS);
    assert.ok(last.ok);
    assert.equal(new Date(last.value.time).toISOString(), '+275760-09-13T00:00:00.000Z');
    assert.equal(timed(MAX_TIME_MS + 1).ok, false);
  });

  it('D4 an own delta that others would refuse is not made, and the feed goes on', () => {
    const team = new Team(7);
    assert.throws(() => team.founder.write({ tool: CHAT, kind: 'post', body: [new Uint8Array(MAX_DELTA_BYTES)] }));
    assert.throws(() => team.founder.write({ tool: CHAT, kind: 'k'.repeat(40), body: [] }));
    assert.equal(team.founder.verdict(team.founder.post('goes on')), 'accepted');
  });

  it('D4 half a surrogate pair is the same text for its author and for others', () => {
    const team = new Team(8);
    const bob = team.join('Bob');
    const id = team.founder.post('half \ud83d of a smile');
    bob.meet(team.founder);
    assert.deepEqual(team.founder.replica.fold.row(CHAT, POSTS, id), bob.replica.fold.row(CHAT, POSTS, id));
  });
});

describe('D7 signatures of runs', () => {
  it('D7 a run whose last signature is bad is dropped, and taken when it comes whole', () => {
    const team = new Team(10);
    const bob = team.join('Bob');
    const run = chain(team, team.founder, 5);
    assert.deepEqual(faultsOf(bob, [[...run.slice(0, 4), spoilSignature(run[4]!)]]), ['badSignature']);
    assert.equal([...bob.replica.fold.rows()].length, 0);
    assert.deepEqual(faultsOf(bob, [run]), []);
    assert.equal([...bob.replica.fold.rows()].length, 5);
  });

  it('D7 a bad signature in the middle is proved by a good one at the end', () => {
    const team = new Team(11);
    const bob = team.join('Bob');
    const run = chain(team, team.founder, 5);
    assert.deepEqual(faultsOf(bob, [run.with(2, spoilSignature(run[2]!))]), []);
    assert.equal([...bob.replica.fold.rows()].length, 5);
  });

  it('D7 what is served on ends at a good signature, whatever share was asked for', () => {
    const team = new Team(12);
    const bob = team.join('Bob');
    const carol = team.join('Carol');
    bob.meet(team.founder);
    const run = chain(team, team.founder, 5);
    bob.replica.ingest([run.with(1, spoilSignature(run[1]!)).with(2, spoilSignature(run[2]!))]);
    for (let bytes = 1; bytes < 2000; bytes += 100) {
      const fresh = team.copyOf(carol.person, carol);
      for (let rounds = 0; rounds < 20; rounds++) {
        const runs = bob.replica.serving.lacking(fresh.replica.vector(), bytes);
        if (runs.length === 0) break;
        assert.deepEqual(fresh.take(runs), []);
      }
      assert.equal([...fresh.replica.fold.rows()].length, 5);
    }
  });

  it('D7 S1 what is served fits into a message, however far behind the next good signature is', () => {
    const team = new Team(37);
    const [bob, carol] = [team.join('Bob'), team.join('Carol')];
    carol.meet(team.founder);
    bob.meet(team.founder);
    const fresh = team.copyOf(team.person('Dave'), carol);
    const long = (author: Copy, posts: number) =>
      Array.from(
        { length: posts },
        (_, i) => author.write({ tool: CHAT, kind: 'post', body: [`${i} `.padEnd(30_000, 'x')] })[0]!.delta.bytes,
      );
    bob.replica.ingest([long(team.founder, 15)]);
    // Before it in its feed are good ones, which the message that it came in had not to hold.
    bob.replica.ingest([long(carol, 10)]);
    bob.replica.ingest([
      long(carol, 30).map((bytes, i, { length }) => (i === length - 1 ? bytes : spoilSignature(bytes))),
    ]);
    for (let batches = 0; batches < 4; batches++) {
      const runs = bob.replica.serving.lacking(fresh.replica.vector(), LARGE_BATCH_BYTES);
      const deltas = runs.map((run) => run.map(({ delta }) => delta.bytes));
      const { length } = encodeMessage(bob.person.signer.device, { kind: 'deltas', runs: deltas });
      assert.ok(paddedLength(length + 1) < MAX_MESSAGE_BYTES, `${length} bytes`);
      assert.deepEqual(fresh.take(runs), []);
    }
    assert.equal(fresh.replica.size, bob.replica.size);
  });

  it('D7 where the proof of a run is still waiting, its beginning is kept but not served', () => {
    const team = new Team(13);
    const alice = team.founder;
    const bob = team.join('Bob');
    const carol = team.join('Carol');
    alice.meet(carol);
    bob.meet(alice);
    const [first] = chain(team, alice, 1);
    carol.post('that Alice has seen');
    const lacking = carol.replica.serving.lacking(alice.replica.vector(), 1e6);
    alice.take(lacking);
    const [second] = chain(team, alice, 1);
    // Bob has the first delta under a bad signature; the second, which proves it, waits for Carol's.
    const ingest = bob.replica.ingest([[spoilSignature(first!), second!]]);
    assert.deepEqual([ingest.added.length, ingest.missing.length, ingest.faults.length], [1, 1, 0]);
    const dave = team.copyOf(team.person('Dave'), carol);
    assert.deepEqual(bob.replica.serving.lacking(dave.replica.vector(), 1e6), []);
    bob.take(lacking);
    assert.deepEqual(dave.take(lacking), []);
    assert.deepEqual(dave.take(bob.replica.serving.lacking(dave.replica.vector(), 1e6)), []);
    assert.equal(dave.replica.size, alice.replica.size);
  });

  it('D7 what was restored without its proof is not served, nor does it stop anything', () => {
    const team = new Team(14);
    const bob = team.join('Bob');
    const run = chain(team, team.founder, 2);
    const before = bob.replica.vector();
    bob.replica.restore(spoilSignature(run[0]!));
    assert.deepEqual(bob.replica.serving.lacking(before, 1e6), []);
    assert.deepEqual(faultsOf(bob, [[run[1]!]]), []);
    assert.equal(bob.replica.serving.lacking(before, 1e6).flat().length, 2);
  });

  it('D7 a run that is not a chain, a prev of another feed, a delta by another hand', () => {
    const team = new Team(15);
    const alice = team.founder;
    const bob = team.join('Bob');
    const run = chain(team, alice, 3);
    assert.deepEqual(faultsOf(bob, [[run[0]!, run[2]!]]), ['brokenChain']);
    assert.deepEqual(faultsOf(bob, [[run[1]!, run[0]!]]), ['brokenChain']);
    const mallory = team.person('Mallory');
    const forged = team.forge(mallory, { seq: 2, prev: team.genesis.id });
    assert.deepEqual(faultsOf(bob, [[forged.bytes]]), ['brokenChain']);
    const skipping = team.forge(team.alice, { seq: 9, prev: team.genesis.id });
    assert.deepEqual(faultsOf(bob, [[skipping.bytes]]), ['brokenChain']);
    assert.deepEqual(faultsOf(bob, [run]), []);
  });

  it('D7 a good signature proves only what its own delta follows: another put before it is not kept', () => {
    const team = new Team(18);
    const bob = team.join('Bob');
    const run = chain(team, team.founder, 2);
    const first = readDelta(team.crypto, team.workspace, run[0]!);
    assert.ok(first.ok);
    const forged = spoilSignature(team.forge(team.alice, { ...first.value, body: ['put in his mouth'] }).bytes);
    const size = bob.replica.size;
    assert.deepEqual(faultsOf(bob, [[forged, run[1]!]]), ['brokenChain']);
    assert.equal(bob.replica.size, size);
    assert.deepEqual(faultsOf(bob, [run]), []);
    assert.equal(bob.replica.size, size + 2);
  });

  it('D7 L4 a control delta needs a good signature of its own: what proves it is forgotten before it is', () => {
    const team = new Team(19);
    const alice = team.founder;
    const bob = team.join('Bob');
    const renamed = alice.control('rename', controlBody.rename('Gemini'));
    const post = alice.post('upon it');
    const [word, last] = [renamed, post].map((id) => alice.replica.node(id)!.delta.bytes) as [Uint8Array, Uint8Array];
    assert.deepEqual(faultsOf(bob, [[spoilSignature(word), last]]), ['badSignature']);
    assert.equal(bob.replica.node(renamed), undefined);
    assert.deepEqual(faultsOf(bob, [[word, last]]), []);
    assert.equal(bob.replica.roster.name, 'Gemini');
  });

  it('D7 L4 nor is it proved by what waits for it: who passes it on could spoil the signature that a base needs', () => {
    const team = new Team(38);
    const alice = team.founder;
    const bob = team.join('Bob');
    const renamed = alice.control('rename', controlBody.rename('Gemini'));
    const named = alice.control('rename', controlBody.rename('Mercury'));
    const post = alice.post('upon both');
    const [first, second, last] = [renamed, named, post].map((id) => alice.replica.node(id)!.delta.bytes) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    assert.deepEqual(faultsOf(bob, [[last]]), []);
    assert.deepEqual(faultsOf(bob, [[spoilSignature(first), second, last]]), ['badSignature']);
    assert.deepEqual(faultsOf(bob, [[second]]), []);
    // What waits is here already, as it came first.
    assert.deepEqual(faultsOf(bob, [[first, spoilSignature(second), last]]), []);
    for (const id of [renamed, named])
      assert.ok(checkSignature(team.crypto, team.workspace, bob.replica.node(id)!.delta));
    assert.equal(bob.replica.roster.name, 'Mercury');
    assert.equal(bob.replica.size, alice.replica.size);
  });

  it('D7 garbage and empty runs are faults at most', () => {
    const team = new Team(16);
    const { founder } = team;
    assert.deepEqual(faultsOf(founder, [[]]), []);
    assert.deepEqual(faultsOf(founder, [[new Uint8Array(0)], [new Uint8Array([1, 2, 3])]]), ['badDelta', 'badDelta']);
  });

  it('S3 what is here already is known by its id: nothing is added twice', () => {
    const team = new Team(17);
    const bob = team.join('Bob');
    const run = chain(team, team.founder, 3);
    const first = bob.replica.ingest([run]);
    const again = bob.replica.ingest([run, run.slice(1)]);
    assert.deepEqual([first.added.length, again.added.length, again.faults.length], [3, 0, 0]);
    const { seq } = first.added.at(-1)!.delta;
    assert.deepEqual(
      again.heard.map((mark) => mark.seq),
      [seq, seq],
    );
  });
});

describe('D8 forks', () => {
  it('D8 two deltas for one place prove a fork, and no more is taken from that device', () => {
    const team = new Team(20);
    const bob = team.join('Bob');
    const mallory = team.join('Mallory');
    const carol = team.copyOf(team.alice, team.founder);
    carol.meet(mallory);
    const credential = mallory.replica.roster.members.get(mallory.person.account)!.credential;
    const branch = (text: string): Delta =>
      team.forge(mallory.person, { seq: 1, deps: [credential], credential, body: [text] });
    const [one, other] = [branch('yes'), branch('no')];
    assert.deepEqual(faultsOf(carol, [[one.bytes]]), []);
    assert.deepEqual(faultsOf(carol, [[other.bytes]]), ['fork']);
    const next = team.forge(mallory.person, { seq: 2, prev: one.id, credential });
    assert.deepEqual(faultsOf(carol, [[next.bytes]]), ['fork']);
    carol.meet(bob);
    assert.equal(carol.verdict(one.id), 'accepted');
  });

  for (const hasWritten of [true, false]) {
    const name = hasWritten
      ? 'D8 of two histories neither counts beyond the fork, where both are needed and whichever came first'
      : 'D8 of two histories that counts which others need, where of the other nobody but its holder knows';
    it(name, () => ofTwoHistories(hasWritten));
  }

  /** Carol holds the one and Bob the other; `hasWritten`: so has Carol, upon the one. */
  function ofTwoHistories(hasWritten: boolean): void {
    const team = new Team(23);
    const mallory = team.join('Mallory');
    const before = mallory.post('before');
    team.founder.meet(mallory);
    const [bob, carol] = [team.join('Bob'), team.copyOf(team.person('Carol'), team.founder)];
    const credential = mallory.replica.roster.members.get(mallory.person.account)!.credential;
    const branch = (text: string): Delta =>
      team.forge(mallory.person, { seq: 2, prev: before, credential, body: [text] });
    const [one, other] = [branch('yes'), branch('no')];
    assert.deepEqual(faultsOf(carol, [[one.bytes]]), []);
    assert.deepEqual(faultsOf(bob, [[other.bytes]]), []);
    assert.equal(bob.verdict(other.id), 'accepted');
    team.founder.admit(carol.person);
    carol.meet(team.founder);
    if (hasWritten) carol.post('I have read this');
    const answer = bob.post('I have read it');
    carol.take(bob.replica.serving.lacking(carol.replica.vector(), 1e6));
    assert.deepEqual(carol.replica.missing(), [other.id]);
    // What others rest on, and no more.
    const more = team.forge(mallory.person, { seq: 3, prev: other.id, credential });
    assert.deepEqual(faultsOf(carol, [[other.bytes, more.bytes]]), ['fork']);
    assert.equal(carol.replica.node(more.id), undefined);
    const verdicts = [before, one.id, other.id, answer].map((id) => carol.verdict(id));
    assert.deepEqual(verdicts, ['accepted', 'forked', hasWritten ? 'forked' : 'accepted', 'accepted']);
  }

  it('D8 a branch that somebody names later takes its effect from the other, though that was applied', () => {
    const team = new Team(24);
    const mallory = team.join('Mallory');
    const before = mallory.post('before');
    team.founder.meet(mallory);
    const [bob, dave, carol] = [team.join('Bob'), team.join('Dave'), team.join('Carol')];
    const credential = mallory.replica.roster.members.get(mallory.person.account)!.credential;
    const [one, other] = ['yes', 'no'].map((text) =>
      team.forge(mallory.person, { seq: 2, prev: before, credential, body: [text] }),
    ) as [Delta, Delta];
    const verdicts = () => [one, other].map(({ id }) => carol.verdict(id));
    for (const [copy, branch] of [
      [bob, other],
      [dave, one],
      [carol, one],
    ] as const)
      assert.deepEqual(faultsOf(copy, [[branch.bytes]]), []);
    for (const copy of [bob, dave]) copy.post('I have read it');
    carol.take(bob.replica.serving.lacking(carol.replica.vector(), 1e6));
    carol.replica.ingest([[other.bytes]]);
    assert.deepEqual(verdicts(), ['forked', 'accepted'], 'only Bob has named one');
    const daves = dave.replica.serving
      .lacking(carol.replica.vector(), 1e6)
      .filter((run) => run[0]!.delta.device === dave.person.device);
    carol.take(daves);
    assert.deepEqual(verdicts(), ['forked', 'forked']);
  });

  it("D8 a genesis of a member's other workspace is no fork of his: nobody can silence him with it", () => {
    const team = new Team(21);
    const bob = team.join('Bob');
    const elsewhere = team.signGenesis(bob.person);
    const alice = team.founder;
    assert.deepEqual(faultsOf(alice, [[elsewhere.bytes]]), ['badDelta']);
    const post = bob.post('heard');
    alice.meet(bob);
    assert.equal(alice.verdict(post), 'accepted');
    assert.deepEqual(faultsOf(alice, [[elsewhere.bytes]]), ['badDelta']);
    const second = bob.post('still heard');
    alice.meet(bob);
    assert.equal(alice.verdict(second), 'accepted');
  });

  it('D8 a fork needs a signature: what anybody can make up proves nothing', () => {
    const team = new Team(22);
    const bob = team.join('Bob');
    const alice = team.founder;
    bob.post('first');
    alice.meet(bob);
    const madeUp = spoilSignature(team.forge(bob.person, { seq: 1 }).bytes);
    assert.deepEqual(faultsOf(alice, [[madeUp]]), ['badSignature']);
    const post = bob.post('heard');
    alice.meet(bob);
    assert.equal(alice.verdict(post), 'accepted');
  });
});

describe('D5 past', () => {
  it('D5 S1 runs of one message that name each other come in as they follow, and none has to wait for what comes with it', () => {
    const team = new Team(23);
    const alice = team.founder;
    const bob = team.join('Bob');
    bob.meet(alice);
    const others = ['Carol', 'Dave'].map((name) => team.copyOf(team.person(name), bob));
    const before = alice.replica.vector();
    const written: DeltaId[] = [];
    // Of the third turn there is more than may wait, if it had to.
    for (const [turn, count] of [1, 1, MAX_WAITING_BYTES / MAX_DELTA_BYTES + 8, 1].entries()) {
      const body = [new Uint8Array(count === 1 ? 1 : MAX_DELTA_BYTES - 1_000)];
      const writer = turn % 2 === 0 ? alice : bob;
      for (let i = 0; i < count; i++) written.push(writer.write({ tool: CHAT, kind: 'post', body })[0]!.delta.id);
      alice.meet(bob);
    }
    const runs = alice.replica.serving
      .lacking(before, Number.POSITIVE_INFINITY)
      .map((run) => run.map(({ delta }) => delta.bytes));
    assert.equal(runs.length, 2);
    for (const [i, message] of [runs, runs.toReversed()].entries()) {
      const { added, faults, missing, heard } = others[i]!.replica.ingest(message);
      assert.deepEqual([faults, missing], [[], []]);
      assert.deepEqual(
        added.map(({ delta }) => delta.id),
        written,
      );
      assert.equal(heard.length, 2);
    }
  });

  it('D5 a delta waits for its past, in whatever order it comes, and says what it lacks', () => {
    const team = new Team(30);
    const bob = team.join('Bob');
    const run = chain(team, team.founder, 6);
    const ids = [...team.founder.replica.nodes()].slice(-6).map(({ delta }) => delta.id);
    for (const at of [5, 3, 4, 1, 2]) {
      const { added, missing } = bob.replica.ingest([[run[at]!]]);
      assert.equal(added.length, 0);
      assert.ok(missing.length > 0 && !missing.includes(ids[at]!));
    }
    assert.deepEqual(bob.replica.missing(), [ids[0]]);
    const { added, missing } = bob.replica.ingest([[run[0]!]]);
    assert.deepEqual(
      added.map(({ delta }) => delta.id),
      ids,
    );
    assert.deepEqual(missing, []);
  });

  it('D5 the buffer of waiting deltas is bounded, and what was dropped can come again', function () {
    this.timeout(120_000);
    const team = new Team(31);
    const bob = team.join('Bob');
    const [first, ...run] = chain(team, team.founder, MAX_WAITING_DELTAS + 6);
    const { faults } = bob.replica.ingest([run]);
    assert.deepEqual([...new Set(faults.map(({ tag }) => tag))], ['overflow']);
    assert.equal(faults.length, 5);
    assert.equal(bob.replica.ingest([[first!]]).added.length, MAX_WAITING_DELTAS + 1);
    assert.equal(bob.replica.ingest([run.slice(-5)]).added.length, 5);
  });

  it('D5 more than 32 heads are merged by acks first; deps never exceed 32', () => {
    const team = new Team(32);
    const alice = team.founder;
    const people = Array.from({ length: 45 }, (_, i) => team.person(`P${i}`));
    for (const person of people) alice.admit(person);
    const copies = people.map((person) => team.copyOf(person, alice));
    for (const copy of copies) copy.post('at once');
    for (const copy of copies) alice.take(copy.replica.serving.lacking(alice.replica.vector(), 1e6));
    const nodes = alice.write({ tool: CHAT, kind: 'post', body: ['all heard'] });
    assert.deepEqual(
      nodes.map(({ delta }) => delta.kind),
      ['ack', 'post'],
    );
    assert.ok(nodes.every(({ delta }) => delta.deps.length <= 32));
    const last = nodes.at(-1)!;
    assert.ok(copies.every(({ person }) => inPast(alice.replica.nodeAt(`${person.device}.0` as FeedId, 1)!, last)));
    assert.equal(alice.verdict(nodes[0]!.delta.id), 'accepted');
    assert.equal(alice.write({ tool: CHAT, kind: 'post', body: ['next'] })[0]!.delta.deps.length, 0);
  });

  it('D6 height is one more than the highest in the past', () => {
    const team = new Team(33);
    const alice = team.founder;
    const bob = team.join('Bob');
    const height = (copy: Copy, id: DeltaId) => copy.replica.node(id)!.height;
    const [a1, b1] = [alice.post('a'), bob.post('b')];
    assert.equal(height(alice, a1), height(bob, b1));
    const a2 = alice.post('a');
    alice.meet(bob);
    assert.equal(height(bob, bob.post('b')), height(alice, a2) + 1);
  });

  it('D10 a delta of a newer version is kept, passed on and counted, and shows', () => {
    const team = new Team(34);
    const bob = team.join('Bob');
    const { delta } = bob.write({ tool: CHAT, kind: 'post', body: ['x'] })[0]!;
    const outer = decode(delta.bytes);
    const inner = outer.ok ? decode((outer.value as [Uint8Array, Uint8Array])[0]) : outer;
    assert.ok(inner.ok);
    const signed = encode((inner.value as readonly Value[]).with(0, FORMAT + 1));
    const domain = new TextEncoder().encode('coterie delta 1');
    const subject = new Uint8Array([...domain, ...Buffer.from(team.workspace, 'hex'), ...signed]);
    const bytes = encode([signed, team.crypto.sign(bob.person.signer.seed, subject)]);
    const { added } = team.founder.replica.ingest([[bytes]]);
    assert.equal(added.length, 1);
    assert.ok(team.founder.replica.newer.size > 0);
    assert.ok(
      team.founder.write({ tool: CHAT, kind: 'post', body: ['y'] })[0]!.delta.deps.includes(added[0]!.delta.id),
    );
  });

  it('D1 what is not durable yet is told to nobody', () => {
    const team = new Team(35);
    const alice = team.founder;
    const before = alice.replica.vector();
    const nodes = alice.replica.author(team.alice.signer, [{ tool: CHAT, kind: 'post', body: ['soon'] }], NOW);
    assert.deepEqual(alice.replica.vector(), before);
    assert.deepEqual(alice.replica.serving.lacking(before, 1e6), []);
    alice.replica.madeDurable(nodes[0]!);
    assert.equal(alice.replica.serving.lacking(before, 1e6).flat().length, 1);
  });

  it('D2 D1 in a feed that is begun anew the old one is in the past, and of neither is told what is not durable', () => {
    const team = new Team(36);
    const alice = team.founder;
    const bob = team.join('Bob');
    const entry = { tool: CHAT, kind: 'post', body: ['soon'] };
    const [old] = alice.replica.author(team.alice.signer, [entry], NOW);
    const before = alice.replica.vector();
    alice.replica.beginFeed(feedOf(team.alice.device, 3));
    const [begun] = alice.replica.author(team.alice.signer, [entry], NOW);
    assert.deepEqual([begun!.delta.seq, begun!.delta.prev], [1, undefined]);
    assert.ok(inPast(old!, begun!));
    assert.deepEqual(alice.replica.vector(), before);
    assert.deepEqual(alice.replica.serving.lacking(before, 1e6), []);
    alice.replica.madeDurable(old!);
    alice.replica.madeDurable(begun!);
    const lacking = alice.replica.serving.lacking(before, 1e6);
    assert.deepEqual(
      lacking.flat().map(({ delta }) => delta.id),
      [old!.delta.id, begun!.delta.id],
    );
    bob.replica.ingest(
      alice.replica.serving.lacking(bob.replica.vector(), 1e6).map((run) => run.map(({ delta }) => delta.bytes)),
    );
    assert.deepEqual(bob.replica.vector(), alice.replica.vector());
    assert.equal(bob.verdict(begun!.delta.id), 'accepted');
  });
});
