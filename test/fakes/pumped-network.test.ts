import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { DeviceId } from '../../src/base/ids.ts';
import { Lane, type RelayRecipient } from '../../src/sync/ports.ts';
import { PumpedNetwork, type PumpedTransport } from './pumped-network.ts';

const idOf = (name: string) => createHash('sha256').update(name).digest('hex') as DeviceId;
const capability = new Uint8Array(32).fill(1);
const hash = Uint8Array.from(createHash('sha256').update(capability).digest());

describe('PumpedNetwork', () => {
  async function world(seed = 1) {
    const network = new PumpedNetwork({ seed, lan: true });
    const relay = network.addRelay();
    const log: string[] = [];
    const make = async (name: string): Promise<PumpedTransport> => {
      const transport = network.createTransport(idOf(name));
      transport.onArrived(({ bytes, path, handled }) => {
        log.push(`${name} ${path} ${bytes[0]}`);
        handled();
      });
      transport.onReach(({ reach }) => log.push(`${name} ${reach}`));
      transport.setCapabilities([hash]);
      transport.setRelay(relay.text);
      await transport.start();
      return transport;
    };
    const alice = await make('alice');
    const bob = await make('bob');
    alice.setRoutes([{ device: bob.device, addresses: [], relay: relay.text }]);
    await network.settle();
    log.length = 0;
    const toBob: readonly RelayRecipient[] = [{ device: bob.device, relay: relay.text, capability }];
    return { network, relay, alice, bob, log, toBob };
  }

  it('nothing moves by itself, and one step moves one thing', async () => {
    const { network, alice, bob, log } = await world();
    for (const byte of [1, 2]) alice.send(bob.device, Uint8Array.of(byte), Lane.control);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(log, []);
    assert.equal(network.step(), true);
    assert.deepEqual(log, ['bob direct 1']);
    assert.equal(network.inFlight, 1);
    assert.equal(network.step(), true);
    assert.equal(network.step(), false);
  });

  it('one seed is one run, another seed another', async () => {
    const run = async (seed: number) => {
      const { network, alice, bob, log, toBob } = await world(seed);
      for (let i = 0; i < 20; i++) {
        alice.send(bob.device, Uint8Array.of(i), Lane.control);
        bob.send(alice.device, Uint8Array.of(i), Lane.control);
        void alice.submit(toBob, Uint8Array.of(i), { ephemeral: false });
      }
      await network.settle();
      assert.equal(log.length, 60);
      return log.join();
    };
    assert.equal(await run(1), await run(1));
    assert.notEqual(await run(1), await run(2));
  });

  it('a cut loses what is on its way, says so, and heals', async () => {
    const { network, alice, bob, log } = await world();
    alice.send(bob.device, Uint8Array.of(1), Lane.control);
    network.cut(alice.device, bob.device);
    assert.equal(alice.send(bob.device, Uint8Array.of(2), Lane.control), false);
    await network.settle();
    assert.deepEqual([...log].sort(), ['alice direct', 'alice none', 'bob direct', 'bob none']);
    assert.ok(log.indexOf('alice none') < log.indexOf('alice direct'));
    assert.equal(alice.send(bob.device, Uint8Array.of(3), Lane.control), true);
  });

  it('partitions separate devices from each other and from relays', async () => {
    const { network, relay, alice, bob, toBob } = await world();
    network.partition([[alice.device, relay.name], [bob.device]]);
    await network.settle();
    assert.equal(alice.reach(bob.device), 'none');
    assert.deepEqual([alice.relayState.state, bob.relayState.state], ['connected', 'failed']);
    const kept = alice.submit(toBob, Uint8Array.of(1), { ephemeral: false });
    await network.settle();
    assert.deepEqual(await kept, ['ok']);
    assert.equal(relay.queued(bob.device), 1);
    network.heal();
    await network.settle();
    assert.equal(alice.reach(bob.device), 'direct');
    assert.equal(relay.queued(bob.device), 0);
  });

  it('a blocked path leaves the relay, and a device offline leaves nothing', async () => {
    const { network, alice, bob, toBob } = await world();
    network.setBlocked(alice.device, bob.device, true);
    await network.settle();
    assert.equal(alice.reach(bob.device), 'none');
    const sent = alice.submit(toBob, Uint8Array.of(1), { ephemeral: false });
    await network.settle();
    assert.deepEqual(await sent, ['ok']);
    network.setOnline(alice.device, false);
    const lost = alice.submit(toBob, Uint8Array.of(2), { ephemeral: false });
    await network.settle();
    assert.deepEqual(await lost, ['unavailable']);
  });

  it('R3 a full queue refuses, keeps what it has, and leaves a marker', async () => {
    const network = new PumpedNetwork({ seed: 1 });
    const relay = network.addRelay('small', { queueMessages: 2 });
    const alice = network.createTransport(idOf('alice'));
    let bob = network.createTransport(idOf('bob'));
    bob.setCapabilities([hash]);
    bob.setRelay(relay.text);
    await alice.start();
    await bob.start();
    await network.settle();
    await bob.stop();
    const to = [{ device: bob.device, relay: relay.text, capability }];
    const outcomes = [1, 2, 3].map((byte) => alice.submit(to, Uint8Array.of(byte), { ephemeral: false }));
    await network.settle();
    assert.deepEqual((await Promise.all(outcomes)).flat(), ['ok', 'ok', 'full']);
    bob = network.createTransport(idOf('bob'));
    const heard: string[] = [];
    bob.onArrived(({ bytes, handled }) => {
      heard.push(`${bytes[0]}`);
      handled();
    });
    bob.onGap(() => heard.push('gap'));
    bob.setRelay(relay.text);
    bob.setCapabilities([hash]);
    await bob.start();
    await network.settle();
    assert.deepEqual(heard, ['1', '2', 'gap']);
    assert.equal(relay.queued(bob.device), 0);
  });

  it('loses the part of direct messages that it is told to', async () => {
    const { network, alice, bob, log } = await world();
    network.loss = 0.5;
    for (let i = 0; i < 200; i++) assert.equal(alice.send(bob.device, Uint8Array.of(i), Lane.control), true);
    await network.settle();
    assert.ok(log.length > 60 && log.length < 140, `${log.length} of 200`);
  });
});
