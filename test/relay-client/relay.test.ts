import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { toHex } from '../../src/base/bytes.ts';
import { RELAY_MAX_CAPABILITIES } from '../../src/protocol/limits.ts';
import { Code } from '../../src/protocol/relay-messages.ts';
import type { NetworkTransport } from '../../src/relay-client/transport.ts';
import type { RelayState } from '../../src/sync/ports.ts';
import { crypto, FaultyCrypto, makeDevice, makeTransport, SkippingClock } from './devices.ts';
import { collect, next, until } from './events.ts';
import { ScriptedRelay } from './scripted-relay.ts';

const MINUTE_MS = 60_000;
const capability = new Uint8Array(32).fill(1);
const durable = { ephemeral: false };
const isConnected = ({ state }: RelayState) => state === 'connected';
const isFailed = ({ state }: RelayState) => state === 'failed';

describe('the relay client', () => {
  let relay: ScriptedRelay;
  let clock: SkippingClock;
  let transport: NetworkTransport;

  beforeEach(async () => {
    relay = await ScriptedRelay.start();
    clock = new SkippingClock();
    transport = makeTransport(makeDevice(1), { clock, directPort: 0 });
    await transport.start();
  });
  afterEach(async () => {
    await transport.stop();
    await relay.stop();
  });

  async function connect(): Promise<void> {
    const connected = next(transport.onRelayState, isConnected);
    transport.setRelay(relay.address);
    await connected;
  }

  function recipients(count = 1) {
    return Array.from({ length: count }, (_, i) => ({
      device: makeDevice(100 + i).device,
      relay: relay.address,
      capability,
    }));
  }

  const submit = (bytes = new Uint8Array(10), ephemeral = false) =>
    transport.submit(recipients(), bytes, { ephemeral });

  describe('own queue', () => {
    it('R4 confirms no more than a relay takes, also where the relay comes after the capabilities', async () => {
      const many = Array.from({ length: RELAY_MAX_CAPABILITIES + 1 }, (_, i) =>
        crypto.sha256(Uint8Array.of(i >> 8, i)),
      );
      transport.setCapabilities(many);
      await connect();
      assert.equal(relay.all('confirm')[0]!.hashes.length, RELAY_MAX_CAPABILITIES);
    });

    it('R1 registers with the token, confirms the capabilities and subscribes', async () => {
      transport.setCapabilities([capability]);
      await connect();
      assert.deepEqual(
        relay.asked.map(({ request }) => request.type),
        ['register', 'confirm', 'subscribe'],
      );
      assert.equal(relay.all('register')[0]!.token, 'token');
      assert.deepEqual(relay.all('confirm')[0]!.hashes.map(toHex), [toHex(capability)]);
    });

    it('R4 confirms again when the capabilities change, and only then', async () => {
      await connect();
      assert.equal(relay.all('confirm').length, 1);
      transport.setCapabilities([]);
      transport.setCapabilities([capability]);
      transport.setCapabilities([capability, new Uint8Array(32)]);
      await until(() => relay.all('confirm').at(-1)!.hashes.length === 2, relay.onRequest);
      assert.ok(relay.all('confirm').length <= 3);
    });

    it('R1 acknowledges only what everything before it has been handled, in groups', async () => {
      await connect();
      const arrived = collect(transport.onArrived);
      const session = relay.sessions[0]!;
      for (const position of [3, 4, 7, 9]) session.deliver(position, `${position}`);
      await until(() => arrived.length === 4, transport.onArrived);
      arrived[1]!.handled();
      arrived[2]!.handled();
      clock.skip(MINUTE_MS / 60);
      assert.equal(relay.all('ack').length, 0);
      arrived[0]!.handled();
      await until(() => relay.all('ack').length === 1, relay.onRequest);
      assert.equal(relay.all('ack')[0]!.position, 7);
      arrived[3]!.handled();
      arrived[3]!.handled();
      await until(() => relay.all('ack').length === 2, relay.onRequest);
      assert.equal(relay.all('ack')[1]!.position, 9);
    });

    it('R1 groups the acknowledgements of a moment', async () => {
      await connect();
      const arrived = collect(transport.onArrived);
      for (let position = 1; position <= 200; position++) relay.sessions[0]!.deliver(position, 'x');
      await until(() => arrived.length === 200, transport.onArrived);
      for (const one of arrived) one.handled();
      await until(() => relay.all('ack').at(-1)?.position === 200, relay.onRequest);
      assert.ok(relay.all('ack').length <= 3);
    });

    it('R1 does not acknowledge what is ephemeral', async () => {
      await connect();
      const arrived = next(transport.onArrived);
      relay.sessions[0]!.deliver(0, 'live');
      (await arrived).handled();
      await submit();
      clock.skip(1_000);
      await submit();
      assert.equal(relay.all('ack').length, 0);
    });

    it('R1 an acknowledgement of an older connection is not sent on a newer one', async () => {
      await connect();
      const arrived = collect(transport.onArrived);
      relay.sessions[0]!.deliver(5, 'a');
      await until(() => arrived.length === 1, transport.onArrived);
      const again = next(transport.onRelayState, isConnected);
      relay.sessions[0]!.socket.terminate();
      await again;
      // The relay may have another store by now, in which 5 is something else.
      arrived[0]!.handled();
      await submit();
      clock.skip(1_000);
      await submit();
      assert.equal(relay.all('ack').length, 0);
    });

    it('R3 a marker tells of a gap and is acknowledged in its turn', async () => {
      await connect();
      const gap = next(transport.onGap);
      const arrived = next(transport.onArrived);
      relay.sessions[0]!.deliver(1, 'a');
      relay.sessions[0]!.notify({ type: 'marker', position: 2, reason: 0 });
      await gap;
      (await arrived).handled();
      await until(() => relay.all('ack').length === 1, relay.onRequest);
      assert.equal(relay.all('ack')[0]!.position, 2);
    });

    it('R1 two copies of a device do not take turns: the replaced one stays away for minutes, and says so', async () => {
      await connect();
      const failed = next(transport.onRelayState, isFailed);
      relay.sessions[0]!.notify({ type: 'replaced' });
      assert.match(JSON.stringify(await failed), /another copy/);
      clock.skip(4 * MINUTE_MS);
      await skipUntil(submit());
      assert.equal(relay.all('subscribe').length, 1);
      const connected = next(transport.onRelayState, isConnected);
      await skipUntil(connected);
      assert.equal(relay.all('subscribe').length, 2);
    });

    it('R1 a relay that says so again and again is asked once, when the wait is over', async () => {
      await connect();
      const failed = next(transport.onRelayState, isFailed);
      for (let i = 0; i < 10; i++) relay.sessions[0]!.notify({ type: 'replaced' });
      await failed;
      // Answered behind all that was said before.
      await submit();
      const connected = next(transport.onRelayState, isConnected);
      await skipUntil(connected);
      await submit();
      assert.equal(relay.all('register').length, 2);
    });

    it('a refused registration is said, and asked again only after minutes', async () => {
      relay.script = ({ type }) => (type === 'register' ? { code: Code.refused } : undefined);
      const failed = next(transport.onRelayState, isFailed);
      transport.setRelay(relay.address);
      const state = await failed;
      assert.equal(state.state === 'failed' && state.reason, 'refused');
      clock.skip(2 * MINUTE_MS);
      await skipUntil(submit());
      assert.equal(relay.all('register').length, 1);
      assert.equal(relay.all('subscribe').length, 0);
      relay.script = () => undefined;
      const connected = next(transport.onRelayState, isConnected);
      await skipUntil(connected);
    });

    it('another key is said, given nothing, and tried again only after minutes', async () => {
      const wrong = relay.address.replace(/\/[\w-]{43}\//, `/${'A'.repeat(42)}E/`);
      const failed = next(transport.onRelayState, isFailed);
      transport.setRelay(wrong);
      const state = await failed;
      assert.equal(state.state === 'failed' && state.reason, 'wrongKey');
      assert.equal(relay.sessions.length, 0);
      clock.skip(MINUTE_MS);
      assert.deepEqual(transport.relayState, state);
      const mended = next(transport.onRelayState, isConnected);
      transport.setRelay(relay.address);
      await mended;
    });
  });

  describe('a relay that misbehaves', () => {
    it('that is down: says unreachable, and is back soon after it is', async () => {
      const { port, address } = relay;
      await relay.stop();
      const failed = next(transport.onRelayState, isFailed);
      transport.setRelay(address);
      const state = await failed;
      assert.equal(state.state === 'failed' && state.reason, 'unreachable');
      assert.deepEqual(await submit(), ['unavailable']);
      relay = await ScriptedRelay.start(port);
      const connected = next(transport.onRelayState, isConnected);
      clock.skip(MINUTE_MS);
      await connected;
    });

    it('that says nothing after the handshake', async () => {
      relay.greets = false;
      const joined = next(relay.onSession);
      const failed = next(transport.onRelayState, isFailed);
      transport.setRelay(relay.address);
      await joined;
      const outcome = submit();
      await skipUntil(failed);
      assert.equal(transport.relayState.state, 'failed');
      relay.greets = true;
      assert.ok(['ok', 'unavailable'].includes((await skipUntil(outcome))[0]!));
      await skipUntil(until(() => isConnected(transport.relayState), transport.onRelayState));
    });

    it('that says hello and then nothing', async () => {
      relay.script = () => 'silence';
      const asked = next(relay.onRequest);
      const failed = next(transport.onRelayState, isFailed);
      transport.setRelay(relay.address);
      await asked;
      const outcome = submit();
      const state = await skipUntil(failed);
      assert.match(JSON.stringify(state), /unreachable/);
      assert.deepEqual(await skipUntil(outcome), ['unavailable']);
      // It wakes up again.
      relay.script = () => undefined;
      await skipUntil(until(() => isConnected(transport.relayState), transport.onRelayState));
    });

    it('T1 whose address has the form of one and is none: told as bad, and others are reached', async () => {
      for (const host of ['999.1.1.1', '1.2.3.4.5', 'a.5', '[:::]']) {
        const bad = relay.address.replace('127.0.0.1', host);
        transport.setRelay(bad);
        assert.match(JSON.stringify(transport.relayState), /badAddress/, host);
        const to = [...recipients(), { ...recipients()[0]!, relay: bad }];
        assert.deepEqual(await transport.submit(to, new Uint8Array(10), durable), ['ok', 'unavailable']);
        await assert.rejects(transport.getParcel(bad, new Uint8Array(32), 0, 1), { code: 'unreachable' });
      }
      await connect();
    });

    it('T1 to which no socket can even be begun: told as not reachable, and tried again', async () => {
      const faulty = new FaultyCrypto();
      const other = makeTransport(makeDevice(2), { clock, directPort: 0, crypto: faulty.crypto });
      await other.start();
      faulty.fails = true;
      other.setRelay(relay.address);
      assert.match(JSON.stringify(other.relayState), /unreachable/);
      clock.skip(MINUTE_MS);
      assert.ok(faulty.faults > 1, 'it is tried again');
      faulty.fails = false;
      const connected = next(other.onRelayState, isConnected);
      clock.skip(MINUTE_MS);
      await connected;
      await other.stop();
    });

    it('that takes connections and never shakes hands', async () => {
      const mute = createServer((socket) => void socket.on('error', () => {}).resume());
      await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
      const failed = next(transport.onRelayState, isFailed);
      transport.setRelay(addressAt((mute.address() as { port: number }).port));
      assert.match(JSON.stringify(await skipUntil(failed)), /unreachable/);
      transport.setRelay(undefined);
      await new Promise((resolve) => mute.close(resolve));
    });

    it('that is no relay but some web server', async () => {
      const web = createServer((socket) => {
        socket.on('error', () => {}).resume();
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello');
      });
      await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
      const failed = next(transport.onRelayState, isFailed);
      transport.setRelay(addressAt((web.address() as { port: number }).port));
      assert.match(JSON.stringify(await failed), /unreachable/);
      transport.setRelay(undefined);
      await new Promise((resolve) => web.close(resolve));
    });

    for (const [what, spoil] of [
      ['garbage in a frame', (session) => session.socket.send(crypto.randomBytes(100))],
      ['text', (session) => session.socket.send('hello')],
      ['a frame too large', (session) => session.socket.send(new Uint8Array(70_000))],
      ['garbage in a packet', (session) => session.packet(Uint8Array.of(1, 2, 3))],
      ['an answer to nothing', (session) => session.answer(4_711, Code.ok)],
    ] as readonly (readonly [string, (session: ScriptedRelay['sessions'][number]) => void])[]) {
      it(`that sends ${what}: the connection ends, and the next one is good`, async () => {
        await connect();
        const failed = next(transport.onRelayState, isFailed);
        spoil(relay.sessions[0]!);
        await failed;
        const connected = next(transport.onRelayState, isConnected);
        clock.skip(MINUTE_MS);
        await connected;
        assert.deepEqual(await submit(), ['ok']);
      });
    }

    for (const [what, push] of [
      ['deliveries', (session) => session.deliver(1, 'unasked')],
      ['greetings', (session) => session.notify({ type: 'hello', limits: [] })],
    ] as readonly (readonly [string, (session: ScriptedRelay['sessions'][number]) => void])[]) {
      it(`that is another’s, and sends ${what} that nobody has asked for: the connection ends`, async () => {
        assert.deepEqual(await submit(), ['ok']);
        const [session] = relay.sessions;
        const ended = new Promise((resolve) => session!.socket.once('close', resolve));
        push(session!);
        await ended;
        clock.skip(MINUTE_MS);
        assert.deepEqual(await submit(), ['ok']);
      });
    }

    it('that repeats a frame: it does not open twice', async () => {
      await connect();
      const arrived = collect(transport.onArrived);
      const { socket } = relay.sessions[0]!;
      const send = socket.send.bind(socket) as (frame: Uint8Array) => void;
      socket.send = ((frame: Uint8Array) => {
        send(frame);
        send(frame);
      }) as typeof socket.send;
      const failed = next(transport.onRelayState, isFailed);
      relay.sessions[0]!.deliver(1, 'once');
      await failed;
      assert.equal(arrived.length, 1);
    });

    it('that is slow: an answer after 15 s is an answer', async () => {
      relay.script = ({ type }) => (type === 'submit' ? 'silence' : undefined);
      await connect();
      const asked = next(relay.onRequest, ({ request }) => request.type === 'submit');
      const outcome = submit();
      const { id, session } = await asked;
      clock.skip(15_000);
      session.answer(id, Code.ok, [Code.ok]);
      assert.deepEqual(await outcome, ['ok']);
      assert.equal(relay.sessions.length, 1);
    });

    it('that falls silent: after 45 s without a sign of life the connection is given up', async () => {
      await connect();
      relay.sessions[0]!.socket.pause();
      const failed = next(transport.onRelayState, isFailed);
      for (let i = 0; i < 5; i++) clock.skip(15_000);
      await failed;
    });
  });

  describe('submitting', () => {
    it('R2 groups by relay: one request to each, the body once', async () => {
      const other = await ScriptedRelay.start();
      const to = recipients(4).map((one, i) => (i % 2 === 0 ? one : { ...one, relay: addressAt(other.port) }));
      assert.deepEqual(await transport.submit(to, new Uint8Array(10), durable), ['ok', 'ok', 'ok', 'ok']);
      assert.deepEqual(
        [relay, other].map((one) => one.all('submit').map((request) => request.recipients.length)),
        [[2], [2]],
      );
      await other.stop();
    });

    it('R2 the request is on its way when the call returns', async () => {
      await connect();
      const before = transport.counters.relaySentBytes;
      const outcome = submit(new Uint8Array(1_000));
      assert.ok(transport.counters.relaySentBytes >= before + 1_000);
      await outcome;
    });

    it('R2 splits what has more recipients than a request may', async () => {
      const outcomes = await transport.submit(recipients(600), new Uint8Array(10), durable);
      assert.equal(outcomes.length, 600);
      const requests = relay.all('submit');
      assert.deepEqual(
        requests.map((request) => request.recipients.length),
        [256, 256, 88],
      );
      assert.equal(new Set(requests.map(({ messageId }) => toHex(messageId))).size, 3);
    });

    it('R1 submits again under the same id where the connection broke before the answer', async () => {
      relay.script = ({ type }, session) => {
        if (type !== 'submit' || relay.all('submit').length > 1) return undefined;
        session.socket.terminate();
        return 'silence';
      };
      await connect();
      assert.deepEqual(await skipUntil(submit()), ['ok']);
      const [first, second] = relay.all('submit');
      assert.deepEqual(second!.messageId, first!.messageId);
    });

    it('S4 does not repeat what is ephemeral', async () => {
      relay.script = ({ type }, session) => {
        if (type !== 'submit') return undefined;
        session.socket.terminate();
        return 'silence';
      };
      await connect();
      assert.deepEqual(await submit(new Uint8Array(10), true), ['unavailable']);
      assert.equal(relay.all('submit').length, 1);
    });

    it('gives up after a few tries where the relay breaks every time', async () => {
      relay.script = ({ type }, session) => {
        if (type !== 'submit') return undefined;
        session.socket.terminate();
        return 'silence';
      };
      assert.deepEqual(await skipUntil(submit()), ['unavailable']);
      assert.ok(relay.all('submit').length <= 4);
    });

    it('R4 registers with the token of the address where the relay asks for that', async () => {
      let registered = false;
      relay.script = ({ type }) => {
        if (type === 'register') registered = true;
        return type === 'submit' && !registered ? { code: Code.notRegistered } : undefined;
      };
      assert.deepEqual(await submit(), ['ok']);
      assert.deepEqual(
        relay.asked.map(({ request }) => request.type),
        ['submit', 'register', 'submit'],
      );
      registered = false;
      relay.script = ({ type }) => (type === 'submit' ? { code: Code.notRegistered } : undefined);
      assert.deepEqual(await submit(), ['notRegistered']);
    });

    it('gives each code its outcome', async () => {
      const codes = [Code.ok, Code.refused, Code.full, Code.tooLarge, Code.quota, Code.unavailable, Code.badRequest];
      relay.script = ({ type }) => (type === 'submit' ? { code: Code.ok, value: codes } : undefined);
      assert.deepEqual(await transport.submit(recipients(codes.length), new Uint8Array(10), durable), [
        ...['ok', 'refused', 'full', 'tooLarge', 'full', 'unavailable', 'refused'],
      ]);
      relay.script = ({ type }) => (type === 'submit' ? { code: Code.full } : undefined);
      assert.deepEqual(await submit(), ['full']);
    });

    it('waits a little where the relay finds it too fast', async () => {
      relay.script = ({ type }) =>
        type === 'submit' && relay.all('submit').length < 3 ? { code: Code.tooFast } : undefined;
      assert.deepEqual(await skipUntil(submit()), ['ok']);
      assert.equal(relay.all('submit').length, 3);
    });

    it('answers that are nonsense count as none', async () => {
      for (const value of [null, [], [0, 0], ['ok'], [99], 7]) {
        relay.script = ({ type }) => (type === 'submit' ? { code: Code.ok, value } : undefined);
        assert.deepEqual(await submit(), ['unavailable']);
      }
    });

    it('R3 what no relay could take is not sent', async () => {
      assert.deepEqual(await submit(new Uint8Array(1024 * 1024)), ['tooLarge']);
      assert.equal(relay.all('submit').length, 0);
    });

    it('an address that is none is unavailable, and does not hold up the others', async () => {
      const to = recipients(2).map((one, i) => (i === 0 ? { ...one, relay: 'nonsense' } : one));
      assert.deepEqual(await transport.submit(to, new Uint8Array(10), durable), ['unavailable', 'ok']);
    });

    it('many large ones go through a bounded window, in order', async () => {
      await connect();
      const outcomes = Array.from({ length: 40 }, (_, i) => submit(new Uint8Array(500_000).fill(i)));
      for (const outcome of await Promise.all(outcomes)) assert.deepEqual(outcome, ['ok']);
      assert.deepEqual(
        relay.all('submit').map(({ body }) => body[0]),
        Array.from({ length: 40 }, (_, i) => i),
      );
    });
  });

  describe('parcels', () => {
    const SLICE = 512 * 1024;
    const id = new Uint8Array(32).fill(8);
    const bytes = Uint8Array.from({ length: 5 * SLICE + 1_000 }, (_, i) => (i * 2654435761) >>> 13);

    /** Keeps what is put, as a relay would: only the slice that is next. */
    function keep(store: { held: Uint8Array }) {
      relay.script = (request) => {
        if (request.type !== 'parcelPut') return undefined;
        if (request.offset === store.held.length) store.held = Buffer.concat([store.held, request.bytes]);
        return { code: Code.ok, value: store.held.length };
      };
    }

    it('R9 goes in slices and arrives whole', async () => {
      const store = { held: new Uint8Array(0) };
      keep(store);
      await connect();
      await transport.putParcel(id, bytes);
      assert.equal(Buffer.compare(store.held, bytes), 0);
    });

    it('R9 many at once, and a message among them, all get through', async () => {
      const held = new Map<string, number>();
      relay.script = (request) => {
        if (request.type !== 'parcelPut') return undefined;
        const key = toHex(request.parcel);
        if (request.offset === (held.get(key) ?? 0)) held.set(key, request.offset + request.bytes.length);
        return { code: Code.ok, value: held.get(key) ?? 0 };
      };
      await connect();
      const puts = Array.from({ length: 16 }, (_, i) => transport.putParcel(new Uint8Array(32).fill(i), bytes));
      assert.deepEqual(await submit(new Uint8Array(1_000_000)), ['ok']);
      await Promise.all(puts);
      assert.deepEqual(
        [...held.values()],
        Array.from({ length: 16 }, () => bytes.length),
      );
    }).timeout(30_000);

    it('R9 goes on from where an earlier try stopped', async () => {
      const store = { held: bytes.slice(0, 2 * SLICE + 17) };
      keep(store);
      await connect();
      await transport.putParcel(id, bytes);
      assert.equal(Buffer.compare(store.held, bytes), 0);
      const sent = relay.all('parcelPut').reduce((sum, request) => sum + request.bytes.length, 0);
      assert.equal(sent, bytes.length - 2 * SLICE - 17);
    });

    it('R9 goes on after the connection broke in the middle', async () => {
      const store = { held: new Uint8Array(0) };
      keep(store);
      const obey = relay.script;
      let broken = false;
      relay.script = (request, session) => {
        if (!broken && store.held.length >= 2 * SLICE) {
          broken = true;
          session.socket.terminate();
          return 'silence';
        }
        return obey(request, session);
      };
      await connect();
      await skipUntil(transport.putParcel(id, bytes));
      assert.equal(broken, true);
      assert.equal(Buffer.compare(store.held, bytes), 0);
    });

    it('R9 follows a relay that wants to go on elsewhere', async () => {
      const store = { held: new Uint8Array(0) };
      keep(store);
      const obey = relay.script;
      let forgot = false;
      relay.script = (request, session) => {
        if (!forgot && store.held.length >= 3 * SLICE) {
          forgot = true;
          store.held = store.held.slice(0, SLICE + 5);
        }
        return obey(request, session);
      };
      await connect();
      await transport.putParcel(id, bytes);
      assert.equal(Buffer.compare(store.held, bytes), 0);
    });

    it('R9 gives up where the relay never takes anything', async () => {
      relay.script = ({ type }) => (type === 'parcelPut' ? { code: Code.ok, value: 0 } : undefined);
      await connect();
      await assert.rejects(transport.putParcel(id, bytes), { name: 'TransportError', code: 'unreachable' });
    });

    for (const [code, expected] of [
      [Code.quota, 'quota'],
      [Code.full, 'full'],
      [Code.tooLarge, 'tooLarge'],
      [Code.notRegistered, 'refused'],
      [Code.unavailable, 'unreachable'],
    ] as const) {
      it(`R9 says why a relay does not take it: ${expected}`, async () => {
        relay.script = ({ type }) => (type === 'parcelPut' ? { code } : undefined);
        await connect();
        await assert.rejects(transport.putParcel(id, bytes), { name: 'TransportError', code: expected });
      });
    }

    it('R9 answers that are nonsense are an error', async () => {
      await connect();
      for (const value of [
        null,
        [],
        [10],
        [10, new Uint8Array(11)],
        ['x', new Uint8Array(5)],
        [10, new Uint8Array(3)],
      ]) {
        relay.script = ({ type }) => (type === 'parcelGet' ? { code: Code.ok, value } : undefined);
        await assert.rejects(transport.getParcel(relay.address, id, 0, 5), { name: 'TransportError' });
      }
      relay.script = ({ type }) => (type === 'parcelPut' ? { code: Code.ok, value: 1e12 } : undefined);
      await assert.rejects(transport.putParcel(id, bytes), { name: 'TransportError' });
    });

    it('R9 a relay that is gone is an error, not a missing parcel', async () => {
      const { address } = relay;
      await relay.stop();
      await assert.rejects(skipUntil(transport.getParcel(address, id, 0, 5)), { code: 'unreachable' });
    });
  });

  function addressAt(port: number): string {
    return relay.address.replace(/:\d+\//, `:${port}/`);
  }

  /** Winds the clock forward, a second at a time, until the promise is settled. */
  async function skipUntil<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => void (settled = true);
    promise.then(settle, settle);
    while (!settled) {
      clock.skip(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return promise;
  }
});
