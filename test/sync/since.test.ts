/** N2: after what somebody asks. What the service makes of it: `test/service/asked-before.test.ts`. */
import assert from 'node:assert/strict';
import type { DeltaId } from '../../src/base/ids.ts';
import { MAX_SINCE_WORDS } from '../../src/protocol/limits.ts';
import { controlBody } from '../../src/sync/control.ts';
import { Since, unsaid } from '../../src/sync/since.ts';
import { Team } from './team.ts';

const id = (i: number) => i.toString(16).padStart(64, '0') as DeltaId;

describe('What an asking is said after', () => {
  it('N2 is every word by which who asks is out, but those that the invitation has in its past', () => {
    const team = new Team('since');
    const { founder } = team;
    const bob = team.join('Bob');
    const before = founder.invite();
    const [left] = bob.write({ tool: undefined, kind: 'leave', body: controlBody.leave() });
    founder.meet(bob);
    const removed = founder.control('removeDevice', controlBody.devices([bob.person.device], null));
    const after = founder.invite();
    const words = [left!, founder.replica.node(removed)!, left!];
    const [first, second] = [founder.replica.node(before), founder.replica.node(after)];
    assert.deepEqual(unsaid(words, [], first), [left!.delta.id, removed]);
    assert.deepEqual(unsaid(words, [left!.delta.id], first), [removed]);
    assert.deepEqual(unsaid(words, [removed, id(7), left!.delta.id], first), []);
    assert.deepEqual(unsaid(words, [], second), []);
    assert.deepEqual(unsaid(words, []), [left!.delta.id, removed]);
  });

  it('N2 is no more than a join has room for, whoever makes up words without end', () => {
    const told = new Since([id(0)]);
    assert.equal(told.add([id(0)]), false);
    let changes = 0;
    for (let i = 0; i < 1_000; i++) if (told.add([id(i)])) changes++;
    assert.equal(changes, MAX_SINCE_WORDS - 1);
    assert.deepEqual(
      told.words,
      Array.from({ length: MAX_SINCE_WORDS }, (_, i) => id(i)),
    );
  });
});
