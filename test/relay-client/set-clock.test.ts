import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { Code } from '../../src/protocol/relay-messages.ts';
import { SteadyClock } from '../../src/relay-client/steady-clock.ts';
import type { NetworkTransport, TransportOptions } from '../../src/relay-client/transport.ts';
import { Lane, type RelayState } from '../../src/sync/ports.ts';
import { makeDevice, makePair, makeTransport, SettableMachine, type TestDevice } from './devices.ts';
import { collect, next, until } from './events.ts';
import { Proxy } from './proxy.ts';
import { ScriptedRelay } from './scripted-relay.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const isConnected = ({ state }: RelayState) => state === 'connected';
const isFailed = ({ state }: RelayState) => state === 'failed';

describe('SteadyClock', () => {
  const machine = { wall: 5_000_000, steady: 70 };
  const told: number[] = [];
  let clock: SteadyClock;

  beforeEach(() => {
    Object.assign(machine, { wall: 5_000_000, steady: 70 });
    told.length = 0;
    clock = new SteadyClock({
      wall_ms: () => machine.wall,
      steady_ms: () => machine.steady,
      after: (duration_ms) => {
        told.push(duration_ms);
        return () => {};
      },
    });
  });

  function pass(wall_ms: number, steady_ms: number): number {
    const before = clock.now();
    machine.wall += wall_ms;
    machine.steady += steady_ms;
    return clock.now() - before;
  }

  it('begins with the hour, and goes on when the machine is set back, as if it were not', () => {
    assert.equal(clock.now(), 5_000_000);
    assert.equal(pass(-HOUR_MS, 0), 0);
    assert.equal(pass(300, 300), 300);
    assert.equal(pass(-HOUR_MS + 20, 20), 20);
  });

  it('goes on by what was slept, also after it was set back', () => {
    assert.equal(pass(8 * HOUR_MS, 10), 8 * HOUR_MS);
    pass(-HOUR_MS, 0);
    assert.equal(pass(HOUR_MS, 10), HOUR_MS);
    assert.equal(pass(100, 100), 100);
  });

  it('a system whose steady clock counts sleep tells it once', () => {
    assert.equal(pass(HOUR_MS, HOUR_MS), HOUR_MS);
  });

  it('is not hurried by a wall clock in whole milliseconds, nor by one that is being corrected', () => {
    const exact = { passed: 0 };
    const other = new SteadyClock({
      wall_ms: () => Math.floor(1_000 + exact.passed * 1.0005),
      steady_ms: () => exact.passed,
      after: () => () => {},
    });
    const began = other.now();
    let before = began;
    for (let read = 0; read < 100_000; read++) {
      exact.passed += 0.3;
      assert.ok(other.now() > before);
      before = other.now();
    }
    assert.ok(Math.abs(before - began - exact.passed) < 1);
  });

  it('waits as long as was meant when it is read, whatever the hour is', () => {
    const at = clock.now() + 500;
    machine.wall -= HOUR_MS;
    clock.wakeAt(at, () => {});
    machine.steady += 200;
    clock.wakeAt(at, () => {});
    clock.wakeAt(at - 10_000, () => {});
    assert.deepEqual(told, [500, 300, 0]);
  });
});

describe('a machine whose clock is set', () => {
  const [low, high] = makePair(40);
  const open: NetworkTransport[] = [];
  const proxies: Proxy[] = [];
  const servers: Server[] = [];
  let machine: SettableMachine;
  let relay: ScriptedRelay;

  beforeEach(async () => {
    machine = new SettableMachine();
    relay = await ScriptedRelay.start();
  });
  afterEach(async () => {
    for (const transport of open.splice(0)) await transport.stop();
    for (const proxy of proxies.splice(0)) await proxy.stop();
    for (const server of servers.splice(0)) server.close();
    await relay.stop();
  });

  async function start(device: TestDevice, options: Partial<TransportOptions> = {}): Promise<NetworkTransport> {
    const transport = makeTransport(device, { clock: new SteadyClock(machine), ...options });
    open.push(transport);
    await transport.start();
    return transport;
  }

  function route(from: NetworkTransport, { device }: TestDevice, ...addresses: readonly string[]): void {
    from.setRoutes([{ device, addresses, relay: undefined }]);
  }

  function submit(from: NetworkTransport, to = relay.address) {
    const recipient = { device: makeDevice(100).device, relay: to, capability: new Uint8Array(32).fill(1) };
    return from.submit([recipient], new Uint8Array(10), { ephemeral: false });
  }

  /** A member behind a proxy, connected; its own clock is another's and right. */
  async function connectBehindProxy(from: NetworkTransport): Promise<Proxy> {
    const other = makeTransport(high);
    open.push(other);
    await other.start();
    const proxy = await Proxy.start(Number(other.listening[0]!.split(':').at(-1)));
    proxies.push(proxy);
    const reached = next(from.onReach);
    route(from, high, proxy.address);
    await reached;
    return proxy;
  }

  /** Time goes by, and every socket has its turn meanwhile: `real_ms` for each step. */
  async function pass(duration_ms: number, step_ms = SECOND_MS, real_ms = 2): Promise<void> {
    for (let passed = 0; passed < duration_ms; passed += step_ms) {
      machine.skip(step_ms);
      await new Promise((resolve) => setTimeout(resolve, real_ms));
    }
  }

  /** Takes connections, counts them and breaks them. */
  async function startBreaker() {
    const breaker = { accepted: 0, address: '' };
    const server = createServer((socket) => {
      breaker.accepted++;
      socket.on('error', () => {}).destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    breaker.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return breaker;
  }

  describe('back by an hour', () => {
    it("S4 another's relay that is up again is written to within the wait that was meant", async () => {
      const alice = await start(low, { directPort: 0 });
      const { port } = relay;
      await relay.stop();
      assert.deepEqual(await submit(alice), ['unavailable']);
      machine.leap(-HOUR_MS);
      relay = await ScriptedRelay.start(port);
      machine.skip(30 * SECOND_MS);
      assert.deepEqual(await submit(alice), ['ok']);
    });

    it('T1 a member who names a new address is dialled within two seconds, and one who is tried again is tried again', async () => {
      const bob = await start(high);
      const alice = await start(low);
      route(alice, high, '127.0.0.1:1');
      route(alice, high, '127.0.0.1:1', '127.0.0.1:2');
      machine.leap(-HOUR_MS);
      const reached = next(alice.onReach);
      route(alice, high, '127.0.0.1:1', ...bob.listening);
      machine.skip(2 * SECOND_MS);
      assert.deepEqual(await reached, { device: high.device, reach: 'direct' });
    });

    it('R1 a queue that rests does so no longer than it was to, also over a new connection', async () => {
      const alice = await start(low, { directPort: 0 });
      relay.script = ({ type }) => (type === 'register' ? { code: Code.refused } : undefined);
      const refused = next(alice.onRelayState, isFailed);
      alice.setRelay(relay.address);
      await refused;
      machine.leap(-HOUR_MS);
      relay.script = () => undefined;
      const rejoined = next(relay.onSession);
      const failedAgain = next(alice.onRelayState, (state) => state.state === 'failed' && state.reason === 'refused');
      relay.sessions[0]!.socket.terminate();
      await next(alice.onRelayState, isFailed);
      machine.skip(SECOND_MS);
      await rejoined;
      await failedAgain;
      const connected = next(alice.onRelayState, isConnected);
      machine.skip(4 * MINUTE_MS);
      assert.equal(relay.all('register').length, 1);
      machine.skip(MINUTE_MS);
      await connected;
    });

    it('T1 a network that is gone without a word is noticed after 45 s of silence', async () => {
      const alice = await start(low);
      const proxy = await connectBehindProxy(alice);
      const reaches = collect(alice.onReach);
      machine.leap(-HOUR_MS);
      proxy.freeze();
      await pass(44 * SECOND_MS);
      assert.equal(reaches.length, 0);
      await pass(16 * SECOND_MS);
      assert.equal(reaches[0]?.reach, 'none');
    });

    it('R1 a relay that stops answering is given up after 20 s', async () => {
      const alice = await start(low, { directPort: 0 });
      const connected = next(alice.onRelayState, isConnected);
      alice.setRelay(relay.address);
      await connected;
      relay.script = () => 'silence';
      void submit(alice);
      await until(() => relay.all('submit').length === 1, relay.onRequest);
      machine.leap(-HOUR_MS);
      const failed = next(alice.onRelayState, isFailed);
      await pass(26 * SECOND_MS);
      await failed;
    });

    it('T2 is announced and heard on the LAN by the hour that others have', async () => {
      const lanDiscovery = { group: '239.255.77.2', port: 20_000 + (process.pid % 20_000), interface: '127.0.0.1' };
      machine.leap(3 * HOUR_MS);
      const alice = await start(low, { lanDiscovery, wall_ms: () => machine.wall_ms() });
      machine.leap(-3 * HOUR_MS);
      const bob = makeTransport(high, { lanDiscovery });
      open.push(bob);
      await bob.start();
      const reached = Promise.all([next(alice.onReach), next(bob.onReach)]);
      alice.setRoutes([{ device: high.device, addresses: [], relay: undefined }]);
      bob.setRoutes([{ device: low.device, addresses: [], relay: undefined }]);
      await pass(5 * SECOND_MS, 100);
      await reached;
    });
  });

  describe('forward by an hour', () => {
    it('T1 whoever answers is not taken for dead', async () => {
      const alice = await start(low);
      const proxy = await connectBehindProxy(alice);
      const connected = next(alice.onRelayState, isConnected);
      alice.setRelay(relay.address);
      await connected;
      const reaches = collect(alice.onReach);
      const states = collect(alice.onRelayState);
      await pass(20 * SECOND_MS, SECOND_MS, 10);
      machine.leap(HOUR_MS);
      await pass(2 * MINUTE_MS, SECOND_MS, 10);
      assert.deepEqual(reaches, []);
      assert.deepEqual(states, []);
      assert.equal(proxy.accepted, 1);
      assert.equal(relay.sessions.length, 1);
      assert.equal(alice.send(high.device, new Uint8Array(1), Lane.control), true);
    });

    it('R1 a request that was under way has some seconds more to be answered', async () => {
      const alice = await start(low, { directPort: 0 });
      const connected = next(alice.onRelayState, isConnected);
      alice.setRelay(relay.address);
      await connected;
      const states = collect(alice.onRelayState);
      relay.script = ({ type }) => (type === 'submit' ? 'silence' : undefined);
      const outcome = submit(alice);
      await until(() => relay.all('submit').length === 1, relay.onRequest);
      machine.leap(HOUR_MS);
      await pass(7 * SECOND_MS);
      const { session, id } = relay.asked.at(-1)!;
      session.answer(id, Code.ok, [Code.ok]);
      assert.deepEqual(await outcome, ['ok']);
      assert.deepEqual(states, []);
      assert.equal(relay.all('submit').length, 1);
    });

    it('T1 S4 who is not there is dialled no more often for it', async () => {
      const breaker = await startBreaker();
      const alice = await start(low, { directPort: 0 });
      const gone = relay.address.replace(/127\.0\.0\.1:\d+/, breaker.address);
      route(alice, high, breaker.address);
      for (let i = 0; i < 10; i++) {
        await submit(alice, gone);
        await pass(30 * SECOND_MS, 5 * SECOND_MS);
      }
      const before = breaker.accepted;
      machine.leap(HOUR_MS);
      for (let i = 0; i < 20; i++) {
        route(alice, high, breaker.address, `127.0.0.1:${(i % 9) + 1}`);
        await submit(alice, gone);
        await pass(50, 50);
      }
      // The relay once, for it is written to; the member for his addresses and because it is due.
      assert.ok(breaker.accepted - before <= 5, `${breaker.accepted - before} times`);
    });
  });

  describe('that slept for an hour', () => {
    it("S4 another's relay is tried at once by who writes, though its wait was not slept off", async () => {
      const alice = await start(low, { directPort: 0 });
      const { port } = relay;
      await relay.stop();
      for (let i = 0; i < 8; i++) {
        assert.deepEqual(await submit(alice), ['unavailable']);
        machine.skip(i < 7 ? 30 * SECOND_MS : 0);
      }
      relay = await ScriptedRelay.start(port);
      assert.deepEqual(await submit(alice), ['unavailable']);
      machine.leap(HOUR_MS);
      assert.deepEqual(await submit(alice), ['ok']);
    });

    it('T1 a connection that did not outlast it is noticed within 20 s', async () => {
      const alice = await start(low);
      const proxy = await connectBehindProxy(alice);
      const reaches = collect(alice.onReach);
      proxy.freeze();
      machine.leap(HOUR_MS);
      await pass(21 * SECOND_MS);
      assert.equal(reaches[0]?.reach, 'none');
    });
  });
});
