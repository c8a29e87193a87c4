import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { Emitter } from '../../src/base/event.ts';
import { MAX_INBOUND_CONNECTIONS, MAX_PENDING_HANDSHAKES } from '../../src/protocol/limits.ts';
import { SecureChannel } from '../../src/protocol/channel.ts';
import { SOCKET_OPTIONS } from '../../src/relay-client/secure-link.ts';
import type { NetworkTransport, TransportOptions } from '../../src/relay-client/transport.ts';
import { Lane } from '../../src/sync/ports.ts';
import {
  crypto,
  FaultyCrypto,
  makeDevice,
  makePair,
  makeTransport,
  SkippingClock,
  type TestDevice,
} from './devices.ts';
import { collect, next, until } from './events.ts';
import { Proxy } from './proxy.ts';

const bytes = (length: number) => new Uint8Array(length).fill(3);

describe('direct connections', () => {
  let clock: SkippingClock;
  const open: NetworkTransport[] = [];
  const [low, high] = makePair();

  beforeEach(() => {
    clock = new SkippingClock();
  });
  afterEach(async () => {
    for (const transport of open.splice(0)) await transport.stop();
  });

  async function start(device: TestDevice, options: Partial<TransportOptions> = {}): Promise<NetworkTransport> {
    const transport = makeTransport(device, { clock, ...options });
    open.push(transport);
    await transport.start();
    return transport;
  }

  const portOf = (transport: NetworkTransport) => Number(transport.listening[0]!.split(':').at(-1));

  function route(from: NetworkTransport, { device }: TestDevice, ...addresses: readonly string[]): void {
    from.setRoutes([{ device, addresses, relay: undefined }]);
  }

  describe('listening', () => {
    it('T1 takes the next free port where the wanted one is taken', async () => {
      const taken = createServer();
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      const { port } = taken.address() as AddressInfo;
      const transport = await start(low, { directPort: port });
      assert.ok(portOf(transport) > port && portOf(transport) <= port + 20);
      await new Promise((resolve) => taken.close(resolve));
    });

    it('does not listen at port 0, nor at an address that the machine has not', async () => {
      assert.deepEqual((await start(low, { directPort: 0 })).listening, []);
      assert.deepEqual((await start(high, { host: '192.0.2.1' })).listening, []);
    });

    it('listens everywhere where no host is said, and names addresses that others can use', async () => {
      const transport = makeTransport(low, { clock, host: '::' });
      open.push(transport);
      const listening = next(transport.onListening);
      await transport.start();
      assert.deepEqual(await listening, transport.listening);
      for (const address of transport.listening) assert.doesNotMatch(address, /^(::|0\.0\.0\.0|\[fe80)/);
      const other = await start(high);
      const reached = next(other.onReach);
      route(other, low, ...transport.listening);
      assert.equal((await reached).reach, 'direct');
    });

    for (const [what, request] of [
      ['garbage', '\0\x01\x02 no HTTP\r\n\r\n'],
      ['a page of a browser', upgrade('/coterie', 'Origin: http://evil.example')],
      ['another path', upgrade('/other')],
      ['a plain request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['an endless header', `GET /coterie HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`],
    ] as const) {
      it(`turns ${what} away, and nobody else`, async () => {
        const alice = await start(low);
        const socket = connect(portOf(alice), '127.0.0.1');
        socket.on('error', () => {});
        let answer = '';
        socket.on('data', (data) => (answer += data.toString()));
        socket.write(request);
        await new Promise((resolve) => socket.on('close', resolve));
        assert.doesNotMatch(answer, /^HTTP\/1.1 101/);
        await meet(alice);
      });
    }

    it('sockets that only stay open push out each other, not a member', async () => {
      const alice = await start(low);
      const idle = Array.from({ length: MAX_PENDING_HANDSHAKES + 20 }, () => connect(portOf(alice), '127.0.0.1'));
      for (const socket of idle) socket.on('error', () => {});
      const closed = new Emitter<void>();
      let gone = 0;
      for (const socket of idle) {
        socket.resume().on('close', () => {
          gone++;
          closed.fire();
        });
      }
      await until(() => gone >= 20, closed.event);
      await meet(alice);
      // And their time is limited.
      clock.skip(11_000);
      await until(() => gone === idle.length, closed.event);
    });
  });

  describe('dialling', () => {
    it('T1 goes on to the next address where one fails, hangs or is no address', async () => {
      const bob = await start(high);
      const mute = createServer((socket) => void socket.on('error', () => {}).resume());
      await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
      const hanging = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
      const alice = await start(low);
      const reached = next(alice.onReach);
      route(alice, high, 'nonsense', 'http://x/:1', '127.0.0.1:1', hanging, ...bob.listening);
      await reached;
      await alice.stop();
      await new Promise((resolve) => mute.close(resolve));
    });

    it('T1 goes on where an address has the form of one and is none, also where there is no other', async () => {
      const bob = await start(high);
      const alice = await start(low);
      const none = ['999.1.1.1:1', '1.2.3.4.5:1', 'a.5:1', 'a.0x:1', '[::1%0.5]:1'];
      route(alice, high, ...none);
      // The tries after the first one are made by the clock.
      for (let minute = 0; minute < 5; minute++) clock.skip(61_000);
      assert.equal(alice.reach(high.device), 'none');
      const reached = next(alice.onReach);
      route(alice, high, ...none, ...bob.listening);
      assert.deepEqual(await reached, { device: high.device, reach: 'direct' });
    });

    it('T1 what fails before a socket is there is a try that failed: the next one is made', async () => {
      const bob = await start(high);
      const faulty = new FaultyCrypto();
      const alice = await start(low, { crypto: faulty.crypto });
      faulty.fails = true;
      route(alice, high, ...bob.listening);
      assert.ok(faulty.faults > 0);
      clock.skip(61_000);
      assert.ok(faulty.faults > 1, 'it is tried again');
      faulty.fails = false;
      const reached = next(alice.onReach);
      clock.skip(61_000);
      assert.deepEqual(await reached, { device: high.device, reach: 'direct' });
    });

    it('T1 whoever answers must prove the device: another one is not taken for it', async () => {
      const bob = await start(high);
      const mallory = await start(makeDevice(66));
      const alice = await start(low);
      const heard = collect(mallory.onArrived);
      const reached = next(alice.onReach);
      route(alice, high, ...mallory.listening, ...bob.listening);
      assert.deepEqual(await reached, { device: high.device, reach: 'direct' });
      assert.equal(alice.reach(makeDevice(66).device), 'none');
      assert.equal(mallory.reach(low.device), 'none');
      assert.equal(heard.length, 0);
    });

    it('T1 a copied certificate without its key proves nothing', async () => {
      const alice = await start(low);
      const thief = await start({ ...high, agreementSecret: makeDevice(66).agreementSecret });
      route(thief, low, ...alice.listening);
      const reached = collect(alice.onReach);
      await meet(alice);
      assert.ok(reached.every(({ device }) => device !== high.device));
    });

    it('tries again when it failed, and at once when a new address is known', async () => {
      const alice = await start(low);
      route(alice, high, '127.0.0.1:1');
      const bob = await start(high);
      const reached = next(alice.onReach);
      // No clock is wound here: the try is due to the address.
      route(alice, high, '127.0.0.1:1', ...bob.listening);
      await reached;
    });

    it('T1 who names other addresses again and again is dialled at once only now and then, and the last are tried all the same', async () => {
      const bob = await start(high);
      const alice = await start(low);
      let accepted = 0;
      const third = createServer((socket) => {
        accepted++;
        socket.on('error', () => {}).resume();
      });
      await new Promise<void>((resolve) => third.listen(0, '127.0.0.1', resolve));
      const { port } = third.address() as AddressInfo;
      const rounds = 20;
      for (let round = 1; round <= rounds; round++) {
        route(alice, high, `127.0.0.1:${port}`, `127.0.0.1:${round}`);
        // What was dialled before has come by the time that this one has.
        const probe = connect(port, '127.0.0.1');
        await new Promise((resolve) => third.once('connection', resolve));
        await new Promise((resolve) => probe.once('close', resolve).end());
      }
      assert.ok(accepted - rounds <= 3, `${accepted - rounds} times`);
      const reached = next(alice.onReach);
      route(alice, high, ...bob.listening);
      clock.skip(2_000);
      await reached;
      third.close();
    });

    it('comes back after a connection broke', async () => {
      const bob = await start(high);
      const proxy = await Proxy.start(portOf(bob));
      const alice = await start(low);
      const reaches = collect(alice.onReach);
      route(alice, high, proxy.address);
      await until(() => reaches.length === 1, alice.onReach);
      proxy.cut();
      await until(() => reaches.length === 2, alice.onReach);
      assert.equal(alice.reach(high.device), 'none');
      clock.skip(1_000);
      await until(() => reaches.length === 3, alice.onReach);
      assert.equal(alice.reach(high.device), 'direct');
      await proxy.stop();
    });

    it('notices a network that is gone without a word: after 45 s of silence', async () => {
      const bob = await start(high);
      const proxy = await Proxy.start(portOf(bob));
      const alice = await start(low);
      const reached = next(alice.onReach);
      route(alice, high, proxy.address);
      await reached;
      proxy.freeze();
      const lost = next(alice.onReach);
      for (let i = 0; i < 4; i++) clock.skip(15_000);
      assert.equal((await lost).reach, 'none');
      await proxy.stop();
    });

    it('T1 both at once: each sees the other once, nothing is lost, and one connection stays', async () => {
      let crossed = 0;
      for (let round = 0; round < 5; round++) {
        const alice = await start(low);
        const bob = await start(high);
        const toAlice = await Proxy.start(portOf(alice));
        const toBob = await Proxy.start(portOf(bob));
        const reaches = [collect(alice.onReach), collect(bob.onReach)];
        const heard = collect(bob.onArrived);
        const said = collect(alice.onArrived);
        // The head start of the lower id is taken away from it: both dial in the same tick.
        route(bob, low, toAlice.address);
        route(alice, high, toBob.address);
        clock.skip(100);
        await until(() => reaches.every((list) => list.length > 0), alice.onReach, bob.onReach);
        for (let i = 0; i < 50; i++) {
          alice.send(high.device, Uint8Array.of(i), Lane.structured);
          bob.send(low.device, Uint8Array.of(i), Lane.structured);
          clock.skip(100);
        }
        await until(() => heard.length === 50 && said.length === 50, alice.onArrived, bob.onArrived);
        clock.skip(3_000);
        for (let i = 50; i < 60; i++) {
          alice.send(high.device, Uint8Array.of(i), Lane.structured);
          bob.send(low.device, Uint8Array.of(i), Lane.structured);
        }
        await until(() => heard.length === 60 && said.length === 60, alice.onArrived, bob.onArrived);
        for (const list of reaches) assert.equal(list.length, 1);
        assert.ok(toAlice.accepted <= 1 && toBob.accepted <= 1, 'nobody dials twice');
        if (toAlice.accepted + toBob.accepted === 2) crossed++;
        await alice.stop();
        await bob.stop();
        await toAlice.stop();
        await toBob.stop();
      }
      assert.ok(crossed > 0, 'the connections crossed at least once');
    });

    it('a device that restarts is heard on its new connection, though the old one seems to stand', async () => {
      const alice = await start(low);
      const proxy = await Proxy.start(portOf(alice));
      const first = await start(high);
      const reached = next(alice.onReach);
      route(first, low, proxy.address);
      await reached;
      clock.skip(12_000);
      proxy.freeze();
      // The first one's process is gone; its socket at Alice's side is not.
      const second = await start(high);
      const again = next(second.onReach);
      route(second, low, ...alice.listening);
      await again;
      const heard = next(second.onArrived);
      second.send(low.device, Uint8Array.of(1), Lane.control);
      await next(alice.onArrived);
      assert.equal(alice.send(high.device, bytes(10), Lane.control), true);
      await heard;
      await proxy.stop();
    });
  });

  describe('sending', () => {
    it('S1 the bytes are on the socket when `send` returns', async () => {
      const alice = await start(low);
      const bob = await meet(alice);
      const before = alice.counters.directSentBytes;
      alice.send(bob, bytes(500), Lane.control);
      const sent = alice.counters.directSentBytes - before;
      assert.ok(sent >= 500 && sent < 540, `${sent} bytes for a message of 500`);
    });

    it('S1 a control message overtakes the chunks that wait', async () => {
      const alice = await start(low);
      const bob = await start(high);
      const reached = next(bob.onReach);
      route(bob, low, ...alice.listening);
      route(alice, high, ...bob.listening);
      await reached;
      const heard = collect(bob.onArrived);
      for (let i = 0; i < 7; i++) alice.send(high.device, bytes(1_000_000), Lane.chunks);
      alice.send(high.device, bytes(1), Lane.control);
      await until(() => heard.length === 8, bob.onArrived);
      const place = heard.findIndex((arrived) => arrived.bytes.length === 1);
      assert.ok(place < 7, `it came after ${place} of 7 large ones`);
    });

    it('S1 between what comes together others get their turn: what has come is made durable and acknowledged meanwhile', async () => {
      const alice = await start(low);
      const bob = await start(high);
      route(bob, low, ...alice.listening);
      await next(alice.onReach);
      const heard = collect(bob.onArrived);
      let atTurn = 0;
      bob.onArrived(() => void setImmediate(() => (atTurn ||= heard.length)));
      for (let i = 0; i < 20; i++) alice.send(high.device, bytes(100), Lane.structured);
      await until(() => heard.length === 20, bob.onArrived);
      assert.equal(atTurn, 1);
    });
  });

  describe('hostile peers', () => {
    it('garbage, text, large and repeated frames end that connection, and no other', async () => {
      const alice = await start(low);
      const bob = await meet(alice);
      const reaches = collect(alice.onReach);
      for (const spoil of [
        (ws: WebSocket) => ws.send(crypto.randomBytes(200)),
        (ws: WebSocket) => ws.send(new Uint8Array(0)),
        (ws: WebSocket) => ws.send('text'),
        (ws: WebSocket) => ws.send(new Uint8Array(70_000)),
      ]) {
        for (const shakes of [false, true]) {
          const ws = await knock(alice, shakes ? 50 : undefined);
          const closed = new Promise((resolve) => ws.on('close', resolve));
          spoil(ws);
          await closed;
        }
      }
      assert.equal(alice.reach(bob), 'direct');
      assert.ok(reaches.every(({ device }) => device !== bob));
    });

    it('a recorded connection that is played again proves nobody and delivers nothing', async () => {
      const alice = await start(low);
      const proxy = await Proxy.start(portOf(alice));
      const bob = await start(high);
      const heard = collect(alice.onArrived);
      route(bob, low, proxy.address);
      await next(bob.onReach);
      bob.send(low.device, bytes(100), Lane.control);
      await until(() => heard.length === 1, alice.onArrived);
      const record = Buffer.concat(proxy.recorded[0]!);
      await bob.stop();
      await until(() => alice.reach(high.device) === 'none', alice.onReach);
      const socket = connect(portOf(alice), '127.0.0.1');
      socket.on('error', () => {}).resume();
      const closed = new Promise((resolve) => socket.on('close', resolve));
      socket.write(record);
      await closed;
      assert.equal(heard.length, 1);
      assert.equal(alice.reach(high.device), 'none');
      await proxy.stop();
    });

    it('a stranger who floods is thrown out; a member may send as much', async () => {
      const alice = await start(low);
      const bob = await start(high);
      route(bob, low, ...alice.listening);
      await next(bob.onReach);
      const lost = next(bob.onReach);
      for (let i = 0; i < 7; i++) bob.send(low.device, bytes(1_000_000), Lane.chunks);
      assert.equal((await lost).reach, 'none');
      const heard = collect(alice.onArrived);
      route(alice, high, ...bob.listening);
      await until(
        () => bob.reach(low.device) === 'direct' && alice.reach(high.device) === 'direct',
        bob.onReach,
        alice.onReach,
      );
      for (let i = 0; i < 7; i++) assert.equal(bob.send(low.device, bytes(1_000_000), Lane.chunks), true);
      await until(() => heard.filter((arrived) => arrived.bytes.length === 1_000_000).length >= 7, alice.onArrived);
    });

    it('strangers have few places, of which the oldest is given up', async () => {
      const alice = await start(low);
      const bob = await start(high);
      const reached = next(alice.onReach);
      route(alice, high, ...bob.listening);
      await reached;
      const reaches = collect(alice.onReach);
      for (let i = 0; i < 33; i++) await knock(alice, 200 + i);
      await until(() => reaches.length >= 34, alice.onReach);
      assert.equal(alice.reach(makeDevice(200).device), 'none');
      assert.equal(alice.reach(makeDevice(232).device), 'direct');
      assert.equal(alice.reach(high.device), 'direct');
    });

    for (const [who, number] of [
      ['strangers who are given up', (i: number) => 1_000 + i],
      ['the connections that one has too many of', () => 1_000],
    ] as const) {
      it(`T1 ${who}, and do not hear of it, keep nobody out`, async () => {
        // For as long as this a goodbye is waited for: here longer than making so many takes.
        const options: { closeTimeout: number } = SOCKET_OPTIONS;
        const { closeTimeout } = options;
        options.closeTimeout = 60_000;
        const deaf: WebSocket[] = [];
        try {
          const alice = await start(low);
          for (let i = 0; i < MAX_INBOUND_CONNECTIONS + MAX_PENDING_HANDSHAKES; i++) {
            const ws = await knock(alice, number(i));
            ws.pause();
            deaf.push(ws);
          }
          await knock(alice, 999);
        } finally {
          options.closeTimeout = closeTimeout;
          for (const ws of deaf) ws.terminate();
        }
      }).timeout(60_000);
    }
  });

  it('no plaintext, no name and no device id is in the recorded traffic', async () => {
    const seen: Uint8Array[] = [];
    const alice = await start(low, { tap: (_direction, _path, frame) => seen.push(frame.slice()) });
    const bob = await start(high);
    const reached = next(bob.onReach);
    route(bob, low, ...alice.listening);
    await reached;
    const secret = 'the plan of the Apollo team';
    bob.send(low.device, new TextEncoder().encode(secret), Lane.control);
    await next(alice.onArrived);
    const traffic = Buffer.concat(seen);
    assert.ok(traffic.length > 300);
    for (const word of [secret, 'Apollo', 'device 2', 'device 3']) assert.equal(traffic.includes(word), false, word);
    for (const { device } of [low, high]) assert.equal(traffic.includes(Buffer.from(device, 'hex')), false);
  });

  /** Somebody new connects to `alice`: she is still at home. */
  async function meet(alice: NetworkTransport): Promise<TestDevice['device']> {
    const visitor = makeDevice(90);
    const transport = await start(visitor);
    const reached = next(alice.onReach, ({ device }) => device === visitor.device);
    route(transport, low, ...alice.listening);
    await reached;
    return visitor.device;
  }

  /** A bare WebSocket to `alice`; with a number, that device has shaken hands on it. */
  async function knock(alice: NetworkTransport, number?: number): Promise<WebSocket> {
    const ws = new WebSocket(`ws://127.0.0.1:${portOf(alice)}/coterie`);
    ws.on('error', () => {});
    await new Promise((resolve) => ws.on('open', resolve));
    if (number === undefined) return ws;
    const device = makeDevice(number);
    const channel = new SecureChannel({
      crypto,
      role: 'initiator',
      identity: { staticSecret: device.agreementSecret, payload: device.certificate },
      expect: 'any',
    });
    // Answered behind the handshake's last frame.
    const taken = new Promise((resolve) => ws.once('pong', resolve));
    ws.once('message', (answer) => {
      const received = channel.receive(answer as Buffer);
      if (received.ok) for (const frame of received.value.send) ws.send(frame);
      ws.ping();
    });
    for (const frame of channel.start()) ws.send(frame);
    await taken;
    return ws;
  }
});

function upgrade(path: string, ...headers: readonly string[]): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
