import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { DeltaId } from '../../src/base/ids.ts';
import { Role } from '../../src/sync/control.ts';
import { compareKeys, type Key } from '../../src/sync/seniority.ts';
import { Team } from './team.ts';

const key = (role: Role, height: number, id: string): Key => ({ role, height, id: id.repeat(64) as DeltaId });

describe('A1 seniority', () => {
  it('A1 role counts before height, and height before id; lower is senior', () => {
    const rising = [
      key(Role.manager, 1, 'f'),
      key(Role.manager, 9, 'a'),
      key(Role.manager, 9, 'b'),
      key(Role.manager, 10, '0'),
      key(Role.participant, 2, 'c'),
      key(Role.guest, 2, 'a'),
      key(Role.guest, 3, '0'),
    ];
    for (const [i, a] of rising.entries()) {
      for (const [j, b] of rising.entries()) assert.equal(Math.sign(compareKeys(a, b)), Math.sign(i - j));
    }
  });

  it('A1 each delta cites the one that gave its author the role he acts in', () => {
    const team = new Team('seniority');
    const { founder } = team;
    const bob = team.join('Bob');
    founder.meet(bob);
    const admit = bob.replica.roster.members.get(bob.person.account)!.credential;
    const cited = (id: DeltaId) => bob.replica.node(id)!.delta.credential;
    assert.equal(cited(bob.post('as a participant')), admit);
    const promotion = founder.setRole(bob.person, Role.manager);
    founder.meet(bob);
    assert.equal(cited(bob.post('as a manager')), promotion);
    assert.equal(founder.replica.node(promotion)!.delta.credential, team.genesis.id);
  });
});
