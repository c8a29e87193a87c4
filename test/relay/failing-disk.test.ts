import assert from 'node:assert/strict';
import { readRelayAddress } from '../../src/protocol/relay-address.ts';
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
    const register: RelayStore['register'] = async (...values) => {
      if (broken) throw new RelayStoreError(broken, 'injected');
      return memory.register(...values);
    };
    return { store: { ...memory, submit, register }, break: (code) => (broken = code) };
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

  it('R7 who could not register for want of room is answered on, and may ask again', async () => {
    const disk = failing();
    await house.start({ store: disk.store });
    const { token } = readRelayAddress(house.relay.address)!;
    const atAlice = await house.connect(alice);
    disk.break('full');
    assert.equal(await atAlice.code({ type: 'register', token }), Code.unavailable);
    assert.equal(await atAlice.code({ type: 'subscribe' }), Code.notRegistered);
    disk.break(undefined);
    assert.equal(await atAlice.code({ type: 'register', token }), Code.ok);
    assert.equal(await atAlice.code({ type: 'subscribe' }), Code.ok);
  });

  it('R7 with little room left it takes nothing new, while what is there can be fetched and acknowledged', async () => {
    await house.start();
    await house.member(bob);
    await (await house.member(alice)).submit([bob], 'from before');

    await house.restart({ limits: { reserveBytes: Number.MAX_SAFE_INTEGER } });
    const atBob = await house.connect(bob);
    await atBob.code({ type: 'subscribe' });
    assert.deepEqual(await atBob.bodies(1), ['from before']);
    const recipients = [{ device: bob.id, capability: new Uint8Array(32) }];
    const submit = {
      type: 'submit',
      messageId: new Uint8Array(16),
      ephemeral: false,
      body: new Uint8Array(1),
    } as const;
    const put = {
      type: 'parcelPut',
      parcel: new Uint8Array(32),
      total: 1,
      offset: 0,
      bytes: new Uint8Array(1),
    } as const;
    // All at once, so that they share a commit.
    const codes = await Promise.all([
      atBob.code({ ...submit, recipients }),
      atBob.code({ type: 'ack', position: 1 }),
      atBob.code(put),
    ]);
    assert.deepEqual(codes, [Code.unavailable, Code.ok, Code.unavailable]);

    await house.restart();
    const again = await house.connect(bob);
    await again.code({ type: 'subscribe' });
    assert.deepEqual(await again.submit([bob], 'room again', { capability: new Uint8Array(32) }), [Code.ok]);
    assert.deepEqual(await again.bodies(1), ['room again']);
  });

  describe('that is full when something expires', () => {
    const DAY_MS = 86_400_000;
    /** What expires of messages is written over first, and takes room for that. */
    const withoutRoom = async () => {
      const memory = memoryRelayStore(DEFAULT_LIMITS);
      const parcel = new Uint8Array(32).fill(7);
      await memory.openParcel(parcel, alice.id, 10, 1e9, Date.now() - 31 * DAY_MS);
      const expireMessages: RelayStore['expireMessages'] = async () => {
        throw new RelayStoreError('full', 'injected');
      };
      return { store: { ...memory, expireMessages }, parcel };
    };

    it('R7 the relay starts all the same, and devices fetch what is there', async () => {
      await house.start({ store: (await withoutRoom()).store });
      const atBob = await house.subscriber(bob);
      assert.deepEqual(await (await house.member(alice)).submit([bob], 'as before'), [Code.ok]);
      assert.deepEqual(await atBob.bodies(1), ['as before']);
    });

    it('R9 parcels, which make room, go though messages could not', async () => {
      const { store, parcel } = await withoutRoom();
      await house.start({ store });
      assert.equal(await store.parcel(parcel), undefined);
    });
  });
});
