/** L6: two that hold the same deltas tell each other what they add up to, and an alarm shows where that is not the same. */
import assert from 'node:assert/strict';
import { controlBody } from '../../src/sync/control.ts';
import { envelopeTag } from '../../src/sync/envelope.ts';
import type { Message } from '../../src/sync/messages.ts';
import { openSaid } from '../../src/sync/signed.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { POSTS, postFromRow, postToRow } from '../../src/tools/chat/rows.ts';
import type { Reducer } from '../../src/sync/reducer.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { Desk, threePeople, type Office } from './office.ts';

const HOUR_MS = 60 * 60_000;

/** One of another version, or with a fault: it shouts. */
const shouting: Reducer = {
  ...chatReducer,
  apply(transaction, node, context) {
    const put: typeof transaction.put = (table, key, row) =>
      transaction.put(
        table,
        key,
        table === POSTS && row ? postToRow({ ...postFromRow(row), text: postFromRow(row).text.toUpperCase() }) : row,
      );
    return chatReducer.apply({ get: (table, key) => transaction.get(table, key), put }, node, context);
  },
};

/** In the place of somebody's: it has what all had in the beginning. */
function seat(office: Office, old: Desk, reducers: readonly Reducer[]): Desk {
  const desk = new Desk(office, old.person, reducers);
  desk.engine.keys.add({ ...office.team.epoch, key: office.team.epoch.key.slice() });
  for (const { delta } of office.team.founder.replica.nodes()) desk.engine.restore(delta.bytes);
  desk.engine.opened();
  office.desks.set(old.device, desk);
  return desk;
}

function havesTo(desk: Desk): readonly (Message & { kind: 'have' })[] {
  return desk.seen.flatMap((letter) => {
    const key = desk.engine.keys.find(envelopeTag(letter.bytes)!);
    const message = key && openSaid(desk.office.team.crypto, key, letter)?.message;
    return message?.kind === 'have' ? [message] : [];
  });
}

describe('L6 what it adds up to', () => {
  it('L6 two that hold the same say the same, whatever the one has folded and the other has not', () => {
    const { office, alice, bob, carol } = threePeople('L6 same');
    office.link(alice, bob, carol);
    for (let n = 0; n < 5; n++) alice.post(`post ${n}`);
    alice.control('rename', controlBody.rename('Gemini'));
    office.rest();
    office.now += HOUR_MS;
    bob.post('the last');
    office.pump();
    office.rest();
    assert.ok(alice.engine.replica.base.isThere);
    const { engine: unfolded } = seat(office, carol, [chatReducer, filesReducer]);
    const heard = [...alice.seen, ...bob.seen].flatMap((letter) => {
      const key = alice.engine.keys.find(envelopeTag(letter.bytes)!);
      const message = key && openSaid(office.team.crypto, key, letter)?.message;
      return message?.kind === 'deltas' ? [message.runs] : [];
    });
    const marks = [alice, bob].map(({ engine }) => engine.replica.mark.workOut());
    assert.equal(marks[0], marks[1]);
    assert.match(marks[0]!, /^[0-9a-f]{16}$/);
    // Of one that has heard all of it, and was never woken to fold.
    for (let n = 0; n < 3; n++)
      for (const run of heard)
        for (const node of unfolded.replica.ingest(run).added) unfolded.replica.madeDurable(node);
    assert.equal(unfolded.replica.base.isThere, false);
    assert.deepEqual(unfolded.replica.vector(), alice.engine.replica.vector());
    assert.equal(unfolded.replica.mark.workOut(), marks[0]);
    for (const desk of [alice, bob, carol]) assert.deepEqual(desk.engine.session.differing, []);
    assert.ok(havesTo(alice).some(({ root }) => root === marks[0]));
  });

  it('L6 another state of the same deltas shows on both sides, once all is quiet, and both keep what they have', () => {
    const { office, alice, bob, carol } = threePeople('L6 differs');
    const loud = seat(office, bob, [shouting, filesReducer]);
    office.link(alice, loud, carol);
    alice.post('quiet');
    office.pump();
    assert.deepEqual(alice.engine.session.differing, []);
    office.rest();
    assert.deepEqual(alice.engine.session.differing, [loud.device]);
    assert.deepEqual(carol.engine.session.differing, [loud.device]);
    assert.deepEqual([...loud.engine.session.differing].sort(), [alice.device, carol.device].sort());
    assert.deepEqual([alice.texts(), loud.texts()], [['quiet'], ['QUIET']]);
  });

  it('L6 shows on both sides likewise where they meet by their relays alone, and nobody is told more often for it', () => {
    const { office, alice, bob, carol } = threePeople('L6 differs by relay');
    const loud = seat(office, bob, [shouting, filesReducer]);
    office.leave(carol);
    alice.post('quiet');
    office.pump();
    office.rest();
    assert.deepEqual([alice.texts(), loud.texts()], [['quiet'], ['QUIET']]);
    assert.deepEqual(alice.engine.session.differing, [loud.device]);
    assert.deepEqual(loud.engine.session.differing, [alice.device]);
    const said = havesTo(loud).length;
    office.rest();
    assert.equal(havesTo(loud).length, said);
  });

  it('L6 is said anew after a while, be the clock set back meanwhile', () => {
    const { office, alice, bob, carol } = threePeople('L6 clock set back');
    office.link(alice, bob);
    office.leave(carol);
    alice.post('one');
    office.rest();
    const roots = () => havesTo(bob).filter(({ root }) => root !== '').length;
    const said = roots();
    office.now -= 24 * HOUR_MS;
    alice.post('two');
    office.pump();
    office.rest();
    assert.ok(roots() > said);
  });

  it('L6 a root that is not said, and one of other deltas, is no alarm', () => {
    const { office, alice, bob } = threePeople('L6 silent');
    office.link(alice, bob);
    alice.post('one');
    office.rest();
    // By then a manager has vouched for what is folded (L6), too.
    office.now += 3_600_000;
    office.rest();
    const { vector } = havesTo(alice).at(-1)!;
    const say = (message: Message) => {
      alice.engine.received(bob.device, 'direct', message, office.team.epoch.tag, office.now);
      alice.engine.tick(office.now);
    };
    say({ kind: 'have', vector, answer: false, root: '', needsCopy: false });
    assert.deepEqual(alice.engine.session.differing, []);
    say({ kind: 'have', vector: vector.slice(1), answer: false, root: '00'.repeat(8), needsCopy: false });
    say({
      kind: 'have',
      vector: vector.map((mark) => ({ ...mark, tip: '11'.repeat(8) })),
      answer: false,
      root: '00'.repeat(8),
      needsCopy: false,
    });
    assert.deepEqual(alice.engine.session.differing, []);
    say({ kind: 'have', vector, answer: false, root: '00'.repeat(8), needsCopy: false });
    assert.deepEqual(alice.engine.session.differing, [bob.device]);
    // It ends with its cause.
    say({ kind: 'have', vector, answer: false, root: alice.engine.replica.mark.workOut()!, needsCopy: false });
    assert.deepEqual(alice.engine.session.differing, []);
  });

  it('L6 who knows of a newer version, or of two histories, says nothing', () => {
    const { office, alice, bob, carol } = threePeople('L6 no word');
    assert.ok(alice.engine.replica.mark.workOut());
    const { credential } = alice.engine.replica.roster.members.get(carol.person.account)!;
    const forge = (text: string) =>
      office.team.forge(carol.person, { seq: 1, credential, body: [text], deps: [credential] });
    alice.hear(carol, forge('one'));
    assert.ok(alice.engine.replica.mark.workOut());
    alice.hear(carol, forge('other'));
    assert.equal(alice.engine.replica.mark.workOut(), undefined);
    const { credential: bobs } = bob.engine.replica.roster.members.get(bob.person.account)!;
    bob.hear(bob, office.team.forge(bob.person, { seq: 1, credential: bobs, kind: 'sing', deps: [bobs] }));
    assert.ok(bob.engine.replica.newer.size > 0);
    assert.equal(bob.engine.replica.mark.workOut(), undefined);
  });

  it('L6 at rest nothing is said, and while it is busy at most once an hour', () => {
    const { office, alice, bob } = threePeople('L6 cost');
    office.link(alice, bob);
    office.rest();
    const said = () => havesTo(bob).filter(({ root }) => root !== '').length;
    const before = said();
    assert.ok(before > 0);
    office.rest();
    assert.equal(said(), before);
    for (let n = 0; n < 5; n++) {
      alice.post(`post ${n}`);
      office.rest();
    }
    assert.ok(said() <= before + 1, `${said()} times`);
  });
});
