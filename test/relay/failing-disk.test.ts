import assert from 'node:assert/strict';
import { Code } from '../../src/protocol/relay-messages.ts';
import { RelayStoreError, type RelayStore } from '../../src/relay/store.ts';
import { memoryRelayStore } from '../fakes/memory-relay-store.ts';
import { DEFAULT_LIMITS } from '../../src/relay/limits.ts';
import { person } from './device.ts';
import { House } from './house.ts';

describe('relay: a failing disk', () => {
  const alice = person('Alice');
  const bob = person('Bob');
  let house: House;
  beforeEach(() => (house = new House()));
  afterEach(() => house.end());

  const failing = (): { store: RelayStore; break: (code: 'io' | 'full' | undefined) => void } => {
    let broken: 'io' | 'full' | undefined;
    const memory = memoryRelayStore(DEFAULT_LIMITS);
    const submit: RelayStore['submit'] = async (...values) => {
      if (broken) throw new RelayStoreError(broken, 'injected');
      return memory.submit(...values);
    };
    return { store: { ...memory, submit }, break: (code) => (broken = code) };
  };

  it('R7 after an error nothing is acknowledged, every connection ends, and the relay stops', async () => {
    const disk = failing();
    await house.start({ store: disk.store });
    const atBob = await house.subscriber(bob);
    const atAlice = await house.member(alice);
    assert.deepEqual(await atAlice.submit([bob], 'good'), [Code.ok]);
    await atBob.until(1);
    disk.break('io');
    await assert.rejects(atAlice.submit([bob], 'lost'), /closed before the answer/);
    assert.equal((await house.relay.failed).code, 'io');
    await atBob.closed;
    assert.equal(atBob.notices.length, 1);
    await assert.rejects(house.connect(alice));
  });

  it('R7 a full disk refuses what is new and goes on', async () => {
    const disk = failing();
    await house.start({ store: disk.store });
    const atBob = await house.subscriber(bob);
    const atAlice = await house.member(alice);
    disk.break('full');
    const submit = {
      type: 'submit',
      messageId: new Uint8Array(16),
      ephemeral: false,
      body: new Uint8Array(1),
    } as const;
    const recipients = [{ device: bob.id, capability: new Uint8Array(32) }];
    assert.equal(await atAlice.code({ ...submit, recipients }), Code.unavailable);
    disk.break(undefined);
    assert.deepEqual(await atAlice.submit([bob], 'again'), [Code.ok]);
    assert.deepEqual(await atBob.bodies(1), ['again']);
  });
});
