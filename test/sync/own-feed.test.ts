/** What a device writes: which of what is here its next delta names. */
import assert from 'node:assert/strict';
import { MAX_DEPS } from '../../src/protocol/limits.ts';
import { controlBody } from '../../src/sync/control.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { boxEpoch } from '../../src/sync/epoch.ts';
import { Copy, Team } from './team.ts';

/** More people than a delta has deps, who have each written something that the others have not heard. */
function crowd(team: Team): readonly Copy[] {
  const people = Array.from({ length: MAX_DEPS + 4 }, (_, i) => team.join(`Member ${i}`));
  for (const copy of people) copy.meet(team.founder);
  for (const copy of people) copy.post('which nobody else has heard yet');
  return people;
}

describe('D5 more heads than a delta names', () => {
  it('D5 I4 the first that somebody new writes names what lets him in', () => {
    const team = new Team('crowd and a newcomer');
    const people = crowd(team);
    const zoe = team.person('Zoe');
    const copy = new Copy(team, zoe);
    copy.meet(...people);
    team.founder.admit(zoe);
    copy.meet(team.founder);
    const post = copy.post('from who is new');
    assert.equal(copy.verdict(post), 'accepted');
    for (const node of copy.replica.nodes())
      if (node.delta.device === zoe.device) assert.equal(copy.verdict(node.delta.id), 'accepted');
    people[0]!.meet(copy);
    assert.equal(people[0]!.verdict(post), 'accepted');
  });

  it('D5 L7 the first that who was dropped writes names what lets him in again, with what he cites (world “puffin.834”)', () => {
    const team = new Team('crowd and a return');
    const alice = team.founder;
    const zoe = team.join('Zoe');
    zoe.post('before');
    alice.meet(zoe);
    const people = crowd(team);
    const { person } = zoe;
    alice.control('drop', controlBody.devices([person.device], boxEpoch(team.crypto, team.epoch, [])));
    for (const copy of people) copy.meet(alice);
    for (const copy of people) copy.post('which nobody else has heard yet, either');
    const boxes = boxEpoch(team.crypto, team.epoch, [person.certificate]);
    alice.control('addDevice', controlBody.addDevice(person.account, [person.certificate], boxes));
    zoe.meet(...people, alice);
    zoe.replica.beginFeed(feedOf(person.device, 1));
    const written = zoe.write({ tool: undefined, kind: 'ack', body: controlBody.ack() });
    assert.ok(written.length > 1, 'an ack alone does not name them all');
    assert.deepEqual([...new Set(written.map(({ delta }) => zoe.verdict(delta.id)))], ['accepted']);
  });
});
