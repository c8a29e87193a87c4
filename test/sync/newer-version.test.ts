/** D10: what only a newer version knows. Who may stop the folding for all, and who may not. */
import assert from 'node:assert/strict';
import { Role } from '../../src/sync/control.ts';
import type { Entry } from '../../src/sync/replica.ts';
import { CHAT, Team } from './team.ts';

const NEWER_CONTROL: Entry = { tool: undefined, kind: 'from next year', body: [1, 2, 3] };
const NEWER_POST: Entry = { tool: CHAT, kind: 'sing', body: ['la'] };

describe('D10 a newer version', () => {
  it('D10 begins with a manager: what comes after his word is kept, shown nowhere, and not folded', () => {
    const team = new Team('D10 manager');
    const alice = team.founder;
    const bob = team.join('Bob');
    const before = alice.post('before');
    alice.meet(bob);
    const aside = bob.post('beside it');
    alice.one(NEWER_CONTROL);
    const after = alice.post('after');
    alice.meet(bob);
    for (const copy of [alice, bob]) {
      assert.ok(copy.replica.newer.size > 0);
      assert.deepEqual(
        [before, aside, after].map((id) => copy.verdict(id)),
        ['accepted', 'accepted', 'newer'],
      );
    }
    for (const copy of [alice, bob, alice, bob]) {
      copy.control('ack', []);
      alice.meet(bob);
    }
    const folded = alice.replica.advance().folded.map(({ node }) => node.delta.id);
    assert.deepEqual(folded, [before]);
    assert.ok(alice.replica.node(after)!.delta.bytes.length > 0, 'what is after it stays, for when it is known');
    assert.equal(alice.verdict(after), 'newer');
  });

  it('D10 no other member stops anybody: his unknown words are void, and what comes after them counts', () => {
    const team = new Team('D10 member');
    const alice = team.founder;
    const bob = team.join('Bob');
    const [control, sung] = [bob.one(NEWER_CONTROL), bob.one(NEWER_POST)];
    const after = bob.post('after');
    alice.meet(bob);
    assert.ok(alice.replica.newer.size > 0);
    assert.deepEqual([...alice.replica.newer], [bob.person.device]);
    assert.equal(alice.verdict(sung), 'newer');
    assert.equal(alice.verdict(after), 'accepted');
    assert.equal(alice.verdict(alice.post('and on')), 'accepted');
    for (const copy of [alice, bob, alice, bob]) {
      copy.control('ack', []);
      alice.meet(bob);
    }
    alice.replica.advance();
    assert.equal(alice.replica.node(after), undefined, 'folded');
    assert.ok(alice.replica.node(control), 'L4 a control delta stays, known or not');
  });

  it('D10 A4 a manager’s word that a removal voids stops nobody any more', () => {
    const team = new Team('D10 voided');
    const alice = team.founder;
    const bob = team.join('Bob', alice, Role.manager);
    alice.meet(bob);
    alice.remove(bob.person);
    bob.one(NEWER_CONTROL);
    const after = bob.post('after');
    // As what was in somebody's past.
    for (const { delta } of bob.replica.nodes()) alice.replica.restore(delta.bytes);
    const reply = alice.post('in reply');
    assert.equal(alice.verdict(after), 'cutOff');
    assert.equal(alice.verdict(reply), 'accepted');
  });

  it('D10 A4 nor where it had stopped somebody before that came', () => {
    const team = new Team('D10 voided later');
    const alice = team.founder;
    const bob = team.join('Bob', alice, Role.manager);
    const carol = team.join('Carol');
    carol.meet(bob);
    bob.one(NEWER_CONTROL);
    carol.meet(bob);
    const upon = carol.post('upon it');
    assert.equal(carol.verdict(upon), 'newer');
    alice.remove(bob.person);
    carol.meet(alice);
    assert.equal(carol.verdict(upon), 'accepted');
  });
});
