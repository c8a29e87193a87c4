import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import {
  ANNOUNCEMENT_BYTES,
  hourOf,
  readAnnouncement,
  TagTable,
  tagOf,
  writeAnnouncement,
} from '../../src/relay-client/lan-announcement.ts';
import type { NetworkTransport, TransportOptions } from '../../src/relay-client/transport.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { crypto, makeDevice, makePair, makeTransport, SkippingClock, type TestDevice } from './devices.ts';
import { collect, next, until } from './events.ts';

const HOUR_MS = 3_600_000;

describe('LAN announcements', () => {
  const { device } = makeDevice(1);

  it('T2 are read as they were written', () => {
    const tag = tagOf(crypto, device, 7);
    const datagram = writeAnnouncement(tag, 50_123);
    assert.equal(datagram.length, ANNOUNCEMENT_BYTES);
    assert.deepEqual(readAnnouncement(datagram), { tag, port: 50_123 });
  });

  it('T2 are nothing else', () => {
    const datagram = writeAnnouncement(tagOf(crypto, device, 7), 2492);
    for (let length = 0; length < ANNOUNCEMENT_BYTES; length++) {
      assert.equal(readAnnouncement(datagram.subarray(0, length)), undefined);
    }
    assert.equal(readAnnouncement(new Uint8Array([...datagram, 0])), undefined);
    for (let at = 0; at < 9; at++) {
      const other = datagram.slice();
      other[at]! ^= 1;
      assert.equal(readAnnouncement(other), undefined);
    }
    const random = seededRandom('datagrams');
    for (let i = 0; i < 1_000; i++) assert.equal(readAnnouncement(random(ANNOUNCEMENT_BYTES)), undefined);
  });

  it('T2 show another tag every hour, which only who knows the device can tell', () => {
    const now_ms = 500_000 * HOUR_MS + 10;
    const hour = hourOf(now_ms);
    assert.notEqual(tagOf(crypto, device, hour), tagOf(crypto, device, hour + 1));
    const table = new TagTable(crypto);
    assert.equal(table.find(tagOf(crypto, device, hour), now_ms), undefined);
    table.set([makeDevice(2).device, device]);
    for (const near of [hour - 1, hour, hour + 1]) {
      assert.equal(table.find(tagOf(crypto, device, near), now_ms), device);
    }
    for (const far of [hour - 2, hour + 2]) assert.equal(table.find(tagOf(crypto, device, far), now_ms), undefined);
    assert.equal(table.find(tagOf(crypto, device, hour + 2), now_ms + HOUR_MS), device);
  });
});

describe('LAN discovery', () => {
  const [low, high] = makePair(20);
  let clock: SkippingClock;
  const open: NetworkTransport[] = [];
  // Of its own, so that neither a Coterie on this machine nor another run of this test takes part.
  const lanDiscovery = { group: '239.255.77.1', port: 20_000 + (process.pid % 20_000), interface: '127.0.0.1' };

  beforeEach(() => {
    clock = new SkippingClock();
  });
  afterEach(async () => {
    for (const transport of open.splice(0)) await transport.stop();
  });

  async function start(device: TestDevice, options: Partial<TransportOptions> = {}): Promise<NetworkTransport> {
    const transport = makeTransport(device, { clock, lanDiscovery, ...options });
    open.push(transport);
    await transport.start();
    return transport;
  }

  const nameOnly = ({ device }: TestDevice) => [{ device, addresses: [], relay: undefined }];

  it('T2 two devices on one machine find each other without an address', async () => {
    const alice = await start(low);
    const bob = await start(high);
    const reached = [next(alice.onReach), next(bob.onReach)];
    alice.setRoutes(nameOnly(high));
    bob.setRoutes(nameOnly(low));
    await tick(Promise.all(reached));
    assert.equal(alice.reach(high.device), 'direct');
  });

  it('T2 one that does not listen hears of the other, and dials', async () => {
    const alice = await start(low, { directPort: 0 });
    const bob = await start(high);
    alice.setRoutes(nameOnly(high));
    bob.setRoutes(nameOnly(low));
    await tick(until(() => alice.reach(high.device) === 'direct', alice.onReach));
  });

  it('T2 strangers are not dialled', async () => {
    const alice = await start(low);
    const bob = await start(high);
    const stranger = await start(makeDevice(70));
    alice.setRoutes(nameOnly(high));
    bob.setRoutes(nameOnly(low));
    await tick(until(() => alice.reach(high.device) === 'direct', alice.onReach));
    assert.equal(alice.reach(makeDevice(70).device), 'none');
    assert.equal(stranger.reach(low.device), 'none');
  });

  it('T2 hostile datagrams do nothing: garbage, floods, and a false address for a device', async () => {
    const alice = await start(low);
    const hostile = createSocket({ type: 'udp4', reuseAddr: true });
    await new Promise<void>((resolve) => hostile.bind(0, '127.0.0.1', resolve));
    hostile.setMulticastInterface('127.0.0.1');
    alice.setRoutes(nameOnly(high));
    const random = seededRandom('hostile');
    const liar = writeAnnouncement(tagOf(crypto, high.device, hourOf(clock.now())), 1);
    for (let i = 0; i < 300; i++) await cast(hostile, random(i % 40));
    for (let i = 0; i < 5; i++) await cast(hostile, liar);
    await cast(hostile, random(8_000));
    hostile.close();
    const bob = await start(high);
    bob.setRoutes(nameOnly(low));
    await tick(until(() => alice.reach(high.device) === 'direct', alice.onReach));
  });

  it('T2 shows neither device ids nor names', async () => {
    const seen: Uint8Array[] = [];
    const heard = collect((await start(low)).onReach);
    const bob = await start(high, { tap: (_direction, path, bytes) => void (path === 'lan' && seen.push(bytes)) });
    bob.setRoutes(nameOnly(low));
    await tick(until(() => bob.reach(low.device) === 'direct', bob.onReach));
    assert.ok(seen.length > 0);
    const all = Buffer.concat(seen);
    for (const { device } of [low, high]) assert.equal(all.includes(Buffer.from(device, 'hex')), false);
    assert.ok(heard.length <= 1);
  });

  it('T2 a machine without such an adapter or group is no error', async () => {
    const alice = await start(low, { lanDiscovery: { ...lanDiscovery, interface: '192.0.2.1' } });
    const bob = await start(high, { lanDiscovery: { ...lanDiscovery, group: '10.0.0.1' } });
    clock.skip(31_000);
    bob.setRoutes([{ device: low.device, addresses: alice.listening, relay: undefined }]);
    await tick(until(() => bob.reach(low.device) === 'direct', bob.onReach));
  });

  it('T2 a machine that does not tell its adapters is no error: it is where its addresses are known', async () => {
    const { networkInterfaces } = os;
    os.networkInterfaces = () => {
      throw new Error('not permitted');
    };
    syncBuiltinESMExports();
    try {
      const alice = await start(low, { lanDiscovery: true, host: '0.0.0.0' });
      clock.skip(31_000);
      const bob = await start(high, { lanDiscovery: false });
      bob.setRoutes([{ device: low.device, addresses: alice.listening, relay: undefined }]);
      await tick(until(() => bob.reach(low.device) === 'direct', bob.onReach));
    } finally {
      os.networkInterfaces = networkInterfaces;
      syncBuiltinESMExports();
    }
  });

  it('T2 runs on every adapter of this machine, whatever they are', async () => {
    const alice = await start(low, { lanDiscovery: true });
    const bob = await start(high, { lanDiscovery: true });
    alice.setRoutes(nameOnly(high));
    bob.setRoutes(nameOnly(low));
    await tick(until(() => alice.reach(high.device) === 'direct', alice.onReach));
  });

  function cast(socket: Socket, datagram: Uint8Array): Promise<void> {
    return new Promise((resolve) => socket.send(datagram, lanDiscovery.port, lanDiscovery.group, () => resolve()));
  }

  /** Winds the clock on while sockets do their part. */
  async function tick<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => void (settled = true);
    promise.then(settle, settle);
    while (!settled) {
      clock.skip(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return promise;
  }
});
