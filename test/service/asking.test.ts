/** N2: asking to be let in, again and again, until there is an answer. */
import assert from 'node:assert/strict';
import type { DeviceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { Asking } from '../../src/service/asking.ts';
import type { Hub } from '../../src/service/hub.ts';
import { invitationKeys } from '../../src/sync/invitation.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { makePerson } from '../sim/people.ts';

describe('Asking to be let in', () => {
  const crypto = nodeCrypto(seededRandom('asking'));
  const [self] = makePerson(crypto, 'Bob', 1).devices;

  it('N2 a queue is given it once in ten minutes, and once more when the clock was set back', async () => {
    let [now, submitted, told] = [3_600_000, 0, 0];
    const hub = {
      ...{ crypto, identity: self, relay: () => 'here', clock: { now: () => now, wakeAt: () => () => undefined } },
      transport: {
        ...{ listening: [], relayState: { state: 'connected' }, send: () => false },
        submit: async () => (submitted++, ['ok']),
      },
    } as unknown as Hub;
    const asking = new Asking({
      ...{ hub, seal: invitationKeys(crypto, new Uint8Array(32)).seal },
      routes: [{ device: 'aa'.repeat(32) as DeviceId, relay: 'there', addresses: [] }],
      ...{ name: () => 'Bob', since: () => [], sign: () => new Uint8Array(64), onAsked: () => void told++ },
    });
    const askTwice = async () => {
      for (let times = 0; times < 2; times++) asking.ask();
      for (let turns = 0; turns < 20; turns++) await Promise.resolve();
      return [submitted, told];
    };
    assert.deepEqual(await askTwice(), [1, 1]);
    now += 10 * 60_000;
    assert.deepEqual(await askTwice(), [2, 2]);
    now = 1_000;
    assert.deepEqual(await askTwice(), [3, 3]);
    asking.stop();
  });
});
