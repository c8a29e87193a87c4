import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AccountId, DeltaId } from '../../../src/base/ids.ts';
import type { Value } from '../../../src/protocol/codec.ts';
import { MAX_CHAT_TEXT_BYTES } from '../../../src/protocol/limits.ts';
import { Role } from '../../../src/sync/control.ts';
import { chatBody, readChatDelta, type ChatDelta } from '../../../src/tools/chat/deltas.ts';
import { POSTS, postFromRow } from '../../../src/tools/chat/rows.ts';
import { CHAT, Team, type Copy } from '../../sync/team.ts';

const NOBODY = 'ab'.repeat(32) as DeltaId;

function textOf(copy: Copy, post: DeltaId): string | undefined {
  const row = copy.replica.fold.row(CHAT, POSTS, post);
  return row && postFromRow(row).text;
}

function trio(seed: number): { alice: Copy; bob: Copy; carol: Copy } {
  const team = new Team(seed);
  const bob = team.join('Bob');
  const carol = team.join('Carol', team.founder, Role.guest);
  bob.meet(team.founder);
  return { alice: team.founder, bob, carol };
}

describe('chat', () => {
  it('D1 a post stands under its delta, with its author, for all', () => {
    const { alice, bob } = trio(1);
    const post = bob.post('hello\nworld 👋');
    alice.meet(bob);
    const row = postFromRow(alice.replica.fold.row(CHAT, POSTS, post)!);
    assert.deepEqual([row.text, row.author, row.edited], ['hello\nworld 👋', bob.person.account, 0]);
    assert.equal(row.height, alice.replica.node(post)!.height);
  });

  it('A5 participants edit and delete their own, managers everybody’s, guests nothing', () => {
    const { alice, bob, carol } = trio(2);
    const [byAlice, byBob] = [alice.post('by Alice'), bob.post('by Bob')];
    for (const copy of [bob, carol]) alice.meet(copy);
    for (const copy of [bob, carol]) alice.meet(copy);
    const says = (copy: Copy, delta: ChatDelta) => copy.verdict(copy.chat(delta));
    assert.equal(says(bob, { kind: 'edit', post: byAlice, text: 'mine now' }), 'notPermitted');
    assert.equal(says(bob, { kind: 'unpost', post: byAlice }), 'notPermitted');
    assert.equal(says(carol, { kind: 'post', text: 'a guest' }), 'notPermitted');
    assert.equal(says(carol, { kind: 'edit', post: byBob, text: 'a guest' }), 'notPermitted');
    assert.equal(says(carol, { kind: 'unpost', post: byBob }), 'notPermitted');
    assert.equal(says(bob, { kind: 'edit', post: byBob, text: 'better' }), 'accepted');
    assert.deepEqual([textOf(bob, byAlice), textOf(bob, byBob)], ['by Alice', 'better']);
    alice.meet(bob, carol);
    assert.equal(says(alice, { kind: 'edit', post: byBob, text: 'moderated' }), 'accepted');
    assert.equal(says(alice, { kind: 'unpost', post: byBob }), 'accepted');
    assert.equal(textOf(alice, byBob), undefined);
  });

  it('A5 an edited post stays its author’s, in its place', () => {
    const { alice, bob } = trio(3);
    const post = bob.post('one');
    alice.meet(bob);
    const before = postFromRow(alice.replica.fold.row(CHAT, POSTS, post)!);
    alice.chat({ kind: 'edit', post, text: 'two' });
    const after = postFromRow(alice.replica.fold.row(CHAT, POSTS, post)!);
    assert.deepEqual({ ...after, text: before.text, edited: 0 }, before);
    assert.ok(after.edited > 0);
  });

  it('A5 an edit shows as one, whatever time it claims: a manager puts no other words in anybody’s mouth', () => {
    const { alice, bob } = trio(19);
    const post = bob.post('yes');
    alice.meet(bob);
    alice.now = -1;
    alice.chat({ kind: 'edit', post, text: 'no' });
    const { text, edited } = postFromRow(alice.replica.fold.row(CHAT, POSTS, post)!);
    assert.equal(text, 'no');
    assert.ok(edited > 0);
  });

  it('D6 of two concurrent edits the later in order stands, on both sides; a deletion beats an edit it did not see', () => {
    const { alice, bob } = trio(4);
    const [first, second] = [bob.post('first'), bob.post('second')];
    alice.meet(bob);
    bob.chat({ kind: 'edit', post: first, text: 'by Bob' });
    alice.chat({ kind: 'edit', post: first, text: 'by Alice' });
    bob.chat({ kind: 'unpost', post: second });
    alice.chat({ kind: 'edit', post: second, text: 'too late' });
    alice.meet(bob);
    assert.equal(textOf(alice, first), textOf(bob, first));
    assert.deepEqual([textOf(alice, second), textOf(bob, second)], [undefined, undefined]);
  });

  it('D9 an edit of what is not there, or was deleted, is void', () => {
    const { alice } = trio(5);
    assert.equal(alice.verdict(alice.chat({ kind: 'edit', post: NOBODY, text: 'x' })), 'noTarget');
    assert.equal(alice.verdict(alice.chat({ kind: 'unpost', post: NOBODY })), 'noTarget');
    const post = alice.post('x');
    alice.chat({ kind: 'unpost', post });
    assert.equal(alice.verdict(alice.chat({ kind: 'edit', post, text: 'y' })), 'noTarget');
    assert.equal(textOf(alice, post), undefined);
  });

  it('A7 a post that was carried over is its carrier’s, who tells whose it was; only who may edit others’ posts tells, and nobody edits it', () => {
    const { alice, bob, carol } = trio(8);
    const told = { account: carol.person.account, name: 'Carol', time: 1_700_000_000_000 };
    const carry: ChatDelta = { kind: 'carry', text: 'what Carol wrote', told };
    const says = (copy: Copy, delta: ChatDelta) => copy.verdict(copy.chat(delta));
    assert.equal(says(bob, carry), 'notPermitted', 'a participant puts no words into another’s mouth');
    assert.equal(says(carol, carry), 'notPermitted');
    const id = alice.chat(carry);
    const row = postFromRow(alice.replica.fold.row(CHAT, POSTS, id)!);
    assert.deepEqual([row.author, row.text, row.told], [alice.person.account, 'what Carol wrote', told]);
    assert.equal(says(alice, { kind: 'edit', post: id, text: 'what she did not' }), 'noTarget');
    bob.meet(alice);
    assert.deepEqual(bob.replica.fold.row(CHAT, POSTS, id), alice.replica.fold.row(CHAT, POSTS, id));
    assert.equal(says(alice, { kind: 'unpost', post: id }), 'accepted');
  });

  it('A4 what a removal voids is taken back from under later edits', () => {
    const { alice, bob } = trio(6);
    alice.remove(bob.person);
    const post = bob.post('unseen');
    bob.chat({ kind: 'edit', post, text: 'unseen either' });
    alice.meet(bob);
    for (const copy of [alice, bob]) assert.equal(textOf(copy, post), undefined);
  });

  it('D9 bodies of another form are void: empty, too long, of other types, of an unknown kind', () => {
    const { alice } = trio(7);
    const bad: readonly [string, Value][] = [
      ['post', []],
      ['post', ['']],
      ['post', [' \n\t']],
      ['post', ['x'.repeat(MAX_CHAT_TEXT_BYTES + 1)]],
      ['post', ['ä'.repeat(MAX_CHAT_TEXT_BYTES / 2 + 1)]],
      ['post', [7]],
      ['post', 'text'],
      ['edit', [new Uint8Array(31), 'x']],
      ['edit', [new Uint8Array(32)]],
      ['unpost', ['id']],
      ['carry', ['x', new Uint8Array(31), 'Bob', 1]],
      ['carry', [' ', new Uint8Array(32), 'Bob', 1]],
      ['carry', ['x', new Uint8Array(32), 'Bob', -1]],
      ['carry', ['x', new Uint8Array(32), 'Bob']],
    ];
    assert.equal(alice.verdict(alice.one({ tool: CHAT, kind: 'react', body: ['👍'] })), 'newer');
    for (const [kind, body] of bad) {
      assert.equal(
        alice.verdict(alice.one({ tool: CHAT, kind, body })),
        'malformed',
        `${kind} ${JSON.stringify(body).slice(0, 40)}`,
      );
    }
    assert.equal(alice.verdict(alice.post('x'.repeat(MAX_CHAT_TEXT_BYTES))), 'accepted');
  });

  it('D4 what is written is read, and whatever is read answers', () => {
    const id = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString('hex') as DeltaId);
    const text = fc.string({ minLength: 1 }).filter((one) => one.trim() !== '');
    const delta: fc.Arbitrary<ChatDelta> = fc.oneof(
      fc.record({ kind: fc.constant('post' as const), text }),
      fc.record({ kind: fc.constant('edit' as const), post: id, text }),
      fc.record({ kind: fc.constant('unpost' as const), post: id }),
      fc.record({
        kind: fc.constant('carry' as const),
        text,
        told: fc.record(
          { account: id.map((one) => one as string as AccountId), name: fc.string(), time: fc.nat() },
          { noNullPrototype: true },
        ),
      }),
    );
    fc.assert(
      fc.property(delta, (one) => assert.deepEqual(readChatDelta(one.kind, chatBody(one)), { ...one })),
      { seed: 7 },
    );
  });
});
