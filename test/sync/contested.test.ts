/** Control words on a branch of a feed with two histories (D8): they count where others have it, and nowhere else. */
import assert from 'node:assert/strict';
import { controlBody, headsKept, Role } from '../../src/sync/control.ts';
import type { Delta, DeltaDraft } from '../../src/sync/delta.ts';
import { boxEpoch } from '../../src/sync/epoch.ts';
import { stateOf, Team, type Copy, type Person } from './team.ts';

type Word = Pick<DeltaDraft, 'tool' | 'kind' | 'body'>;

function word(kind: string, body: DeltaDraft['body']): Word {
  return { tool: undefined, kind, body };
}

/** Mallory, a manager, has a word in one history of his, and a post in the other. */
class Fork {
  readonly team: Team;
  readonly alice: Copy;
  readonly bob: Copy;
  readonly carol: Copy;
  readonly mallory: Person;
  readonly one: Delta;
  readonly other: Delta;

  constructor(seed: string, said: (fork: Fork) => Word) {
    this.team = new Team(seed);
    this.alice = this.team.founder;
    const { alice } = this;
    [this.bob, this.carol] = [this.team.join('Bob'), this.team.join('Carol')];
    const mallory = this.team.join('Mallory', alice, Role.manager);
    this.mallory = mallory.person;
    for (const copy of [this.bob, this.carol]) alice.meet(copy);
    for (const copy of [this.bob, this.carol]) this.ack(copy);
    alice.meet(this.bob, this.carol, this.bob);
    this.one = this.forge(said(this));
    this.other = this.forge({ tool: undefined, kind: 'ack', body: controlBody.ack() });
  }

  forge(draft: Partial<DeltaDraft>): Delta {
    const { credential } = this.alice.replica.roster.members.get(this.mallory.account)!;
    return this.team.forge(this.mallory, { seq: 1, deps: [credential], credential, ...draft });
  }

  ack(copy: Copy): void {
    copy.control('ack', controlBody.ack());
  }

  /** What the others hold, and of the branches what they have named: that is asked for. */
  hear(copy: Copy, from: readonly Copy[], ...branches: readonly Delta[]): void {
    for (const other of from)
      if (other !== copy) copy.take(other.replica.serving.lacking(copy.replica.vector(), Number.MAX_SAFE_INTEGER));
    copy.replica.ingest(branches.map(({ bytes }) => [bytes]));
  }

  rosterOf({ replica }: Copy): unknown {
    return stateOf(replica).roster;
  }
}

const WORDS: Readonly<Record<string, (fork: Fork) => Word>> = {
  'lets somebody in': ({ team }) => {
    const { account, certificate } = team.person('Eve');
    const box = boxEpoch(team.crypto, team.epoch, [certificate]);
    return word('admit', controlBody.admit(account, Role.manager, 'Eve', [certificate], undefined, box));
  },
  'takes somebody out': ({ bob }) => word('remove', controlBody.remove(bob.person.account, null)),
  'gives its only reader a role': ({ carol }) =>
    word('setRole', controlBody.setRole(carol.person.account, Role.manager)),
  'forbids something': () => word('setPerm', controlBody.setPerm('chat', 'add', Role.participant, false)),
};

describe('D8 A1 L6 a word on a branch that nobody has named, of which all others have another', () => {
  for (const [what, said] of Object.entries(WORDS)) {
    it(`D8 A1 L6 has no effect, whom it was told to goes on like all, and it is let go of when the device is frozen (${what})`, () => {
      const fork = new Fork(`contested: ${what}`, said);
      const { alice, bob, carol, one, other } = fork;
      const copies = [alice, bob, carol];
      carol.replica.ingest([[one.bytes]]);
      assert.equal(carol.verdict(one.id), 'accepted', 'there is no other yet');
      alice.replica.ingest([[other.bytes]]);
      fork.ack(alice);
      for (const copy of [bob, carol]) fork.hear(copy, copies, other);
      assert.deepEqual(
        [one, other].map(({ id }) => carol.replica.node(id)?.delta.id),
        [one.id, other.id],
      );
      assert.equal(carol.verdict(one.id), 'forked');
      for (const copy of [bob, carol]) assert.deepEqual(fork.rosterOf(copy), fork.rosterOf(alice));
      const post = carol.post('upon what all have');
      for (const copy of [alice, bob]) fork.hear(copy, copies);
      assert.deepEqual(
        copies.map((copy) => copy.verdict(post)),
        ['accepted', 'accepted', 'accepted'],
      );

      const kept = headsKept(alice.replica.feeds.standing(), fork.mallory.device);
      const box = boxEpoch(fork.team.crypto, fork.team.epoch, []);
      alice.control('freeze', controlBody.freeze(fork.mallory.device, kept, box));
      for (let round = 0; round < 3; round++) {
        for (const copy of copies) {
          fork.hear(copy, copies);
          fork.ack(copy);
        }
      }
      for (const copy of copies) fork.hear(copy, copies);
      for (const copy of copies) assert.ok(copy.replica.advance().folded.length > 0);
      assert.equal(carol.replica.node(one.id), undefined);
      for (const copy of [bob, carol]) assert.deepEqual(stateOf(copy.replica), stateOf(alice.replica));
    });
  }

  it('D8 L6 nor beyond what others have named of the branch', () => {
    const fork = new Fork('contested: beyond', WORDS['forbids something']!);
    const { alice, bob, carol, one, other } = fork;
    const further = fork.forge({ seq: 2, prev: one.id, deps: [], ...WORDS['takes somebody out']!(fork) });
    bob.replica.ingest([[one.bytes]]);
    fork.ack(bob);
    alice.replica.ingest([[other.bytes]]);
    fork.ack(alice);
    carol.replica.ingest([[one.bytes, further.bytes]]);
    assert.equal(carol.verdict(further.id), 'accepted');
    const copies = [alice, bob, carol];
    for (let round = 0; round < 2; round++) for (const copy of copies) fork.hear(copy, copies, one, other);
    assert.deepEqual(
      [one, further].map(({ id }) => carol.verdict(id)),
      ['accepted', 'forked'],
    );
    assert.equal(alice.verdict(one.id), 'accepted', 'both have been named');
    for (const copy of [bob, carol]) assert.deepEqual(fork.rosterOf(copy), fork.rosterOf(alice));
  });
});

describe('D8 A6 a word on a branch that others have named', () => {
  for (const isFirst of [true, false]) {
    it(`D8 A6 counts, whether that was known before its rival or not (${isFirst ? 'before' : 'after'})`, () => {
      const fork = new Fork(`named ${isFirst}`, WORDS['forbids something']!);
      const { alice, bob, carol, one, other } = fork;
      bob.replica.ingest([[one.bytes]]);
      alice.replica.ingest([[other.bytes]]);
      carol.replica.ingest([[one.bytes]]);
      for (const copy of [alice, bob]) fork.ack(copy);
      if (isFirst) fork.hear(carol, [bob]);
      fork.hear(carol, [alice], other);
      assert.equal(carol.verdict(one.id), isFirst ? 'accepted' : 'forked');
      fork.hear(carol, [bob]);
      assert.equal(carol.verdict(one.id), 'accepted');
      const copies = [alice, bob, carol];
      for (const copy of copies) fork.hear(copy, copies, one, other);
      for (const copy of [bob, carol]) assert.deepEqual(fork.rosterOf(copy), fork.rosterOf(alice));
    });
  }
});
