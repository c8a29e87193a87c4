/** I2: becoming one of a person's devices, where the disk takes nothing. */
import assert from 'node:assert/strict';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import type { Hub } from '../../src/service/hub.ts';
import { Linking } from '../../src/service/linking.ts';
import { DeclineReason, senderMark } from '../../src/sync/messages.ts';
import { StoreError } from '../../src/sync/ports.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { makePerson } from '../sim/people.ts';

describe('Becoming a device of an account', () => {
  const crypto = nodeCrypto(seededRandom('linking'));
  const [self, other] = makePerson(crypto, 'Alice', 2).devices;
  let isFull: boolean;
  let asked: number;
  let alarms: (() => void)[];

  function linking(): Linking {
    [isFull, asked, alarms] = [true, 0, []];
    const hub = {
      ...{ crypto, identity: self, deviceName: () => 'desktop', relay: () => undefined, emit: () => undefined },
      clock: { now: () => 0, wakeAt: (_: number, ring: () => void) => (alarms.push(ring), () => undefined) },
      transport: { listening: [], send: () => ++asked > 0 },
    } as unknown as Hub;
    const write = async () => {
      if (isFull) throw new StoreError('diskFull', 'no space left');
    };
    const routes = [{ device: other!.device, addresses: [], relay: undefined }];
    const code = { account: self!.account, expires: 1, secret: new Uint8Array(32), routes };
    return new Linking({ hub, code, adopt: write, linked: write, refused: write });
  }

  it('I2 L1 which the others are is asked for until that is on the disk', async () => {
    const one = linking();
    one.ask();
    const devices = { kind: 'devices' as const, devices: [] };
    await assert.rejects(one.answered(other!.device, devices), StoreError);
    alarms.pop()!();
    assert.deepEqual([one.info().state, asked], ['waiting', 2]);
    isFull = false;
    await one.answered(other!.device, devices);
    assert.equal(one.info().state, 'done');
    alarms.pop()!();
    assert.equal(asked, 2);
  });

  it('I2 L1 whose code is no good is told so, though it cannot be forgotten on the disk', async () => {
    const one = linking();
    one.ask();
    const declined = { kind: 'declined' as const, reason: DeclineReason.declined, to: senderMark(self!.device) };
    await assert.rejects(one.answered(other!.device, declined), StoreError);
    assert.deepEqual([one.info().state, one.info().reason], ['refused', 'declined']);
  });
});
