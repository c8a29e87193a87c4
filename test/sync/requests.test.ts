/** D8, A7: what a peer is asked for again and again, and does not give. */
import assert from 'node:assert/strict';
import type { DeltaId, DeviceId } from '../../src/base/ids.ts';
import { Requests } from '../../src/sync/requests.ts';
import { NOW } from './team.ts';

const PEER = '0a'.repeat(32) as DeviceId;
const [ONE, OTHER] = ['0b'.repeat(32), '0c'.repeat(32)] as DeltaId[];
const HOUR_MS = 3_600_000;

describe('What is fetched of a peer', () => {
  it('A7 D2 is in vain when the same was asked four times, and that says nothing of what it was not asked for', () => {
    const requests = new Requests();
    for (let times = 0; times < 4; times++) {
      assert.deepEqual(requests.inVain(PEER), []);
      assert.equal(requests.fetches(PEER, [ONE!], NOW + times * HOUR_MS), true);
    }
    assert.deepEqual(requests.inVain(PEER), [ONE]);
    assert.equal(requests.fetches(PEER, [OTHER!], NOW + 4 * HOUR_MS), true);
    assert.deepEqual(requests.inVain(PEER), []);
  });

  it('D8 is not asked for again at once: the same would be missing', () => {
    const requests = new Requests();
    assert.equal(requests.fetches(PEER, [ONE!], NOW), true);
    assert.equal(requests.fetches(PEER, [ONE!], NOW + 1), false);
    assert.equal(requests.fetches(PEER, [OTHER!], NOW + 1), true);
    assert.equal(requests.fetches(PEER, [], NOW + HOUR_MS), false);
  });
});
