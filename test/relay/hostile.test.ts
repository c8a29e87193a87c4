/** What strangers and broken peers do to a relay. Afterwards it must serve the others as before. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { issueCertificate } from '../../src/protocol/certificate.ts';
import { encode } from '../../src/protocol/codec.ts';
import {
  MAX_FRAME_PAYLOAD_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_NOISE_MESSAGE_BYTES,
  RELAY_MAX_CAPABILITIES,
  RELAY_MAX_RECIPIENTS,
  RELAY_PARCEL_SLICE_BYTES,
} from '../../src/protocol/limits.ts';
import { XxHandshake } from '../../src/protocol/noise.ts';
import { readRelayAddress, writeRelayAddress } from '../../src/protocol/relay-address.ts';
import { Code, encodeRequest, type RelayRequest } from '../../src/protocol/relay-messages.ts';
import { DEFAULT_LIMITS } from '../../src/relay/limits.ts';
import type { RelayStore } from '../../src/relay/store.ts';
import { memoryRelayStore } from '../fakes/memory-relay-store.ts';
import { capabilityOf, crypto, Device, person, type Person } from './device.ts';
import { House } from './house.ts';

describe('relay: hostile and broken peers', () => {
  const alice = person('Alice');
  const bob = person('Bob');
  let house: House;
  beforeEach(() => (house = new House()));
  afterEach(() => house.end());

  const stillServes = async () => {
    const atBob = await house.subscriber(bob);
    const atAlice = await house.member(alice);
    const before = atBob.notices.length;
    await atAlice.submit([bob], 'as before');
    assert.equal((await atBob.bodies(before + 1)).at(-1), 'as before');
  };
  const open = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${house.relay.port}/`);
    await once(socket, 'open');
    socket.on('error', () => {});
    return socket;
  };

  it('T1 garbage instead of a handshake ends the connection', async () => {
    await house.start();
    for (const garbage of [
      new Uint8Array(0),
      new Uint8Array(31),
      new Uint8Array(33).fill(255),
      crypto.randomBytes(5_000),
    ]) {
      const socket = await open();
      socket.send(garbage);
      await once(socket, 'close');
    }
    await stillServes();
  });

  it('T1 text, and a frame over the limit, end the connection', async () => {
    await house.start();
    const talker = await open();
    talker.send('hello');
    await once(talker, 'close');
    const giant = await open();
    giant.send(new Uint8Array(MAX_NOISE_MESSAGE_BYTES + 1));
    await once(giant, 'close');
    await stillServes();
  });

  it('T1 a frame that does not open ends the connection', async () => {
    await house.start();
    const device = await house.member(alice);
    device.socket.send(crypto.randomBytes(100));
    await device.closed;
    await stillServes();
  });

  it('T1 a replayed frame ends the connection and is not accepted twice', async () => {
    await house.start();
    const atBob = await house.subscriber(bob);
    const device = await house.member(alice);
    const recipients = [{ device: bob.id, capability: capabilityOf(bob) }];
    const body = Buffer.from('once');
    device.channel.push(
      0,
      encodeRequest(99, { type: 'submit', messageId: new Uint8Array(16), ephemeral: false, recipients, body }),
    );
    const frame = device.channel.pull()!;
    device.socket.send(frame);
    await atBob.until(1);
    device.socket.send(frame);
    await device.closed;
    await stillServes();
    assert.deepEqual(await atBob.bodies(2), ['once', 'replaced']);
  });

  it('T1 a request that cannot be read ends the connection', async () => {
    await house.start();
    for (const packet of [
      crypto.randomBytes(50),
      new Uint8Array(0),
      encode([99, 1]),
      encode([3, 1, new Uint8Array(15), false, [], new Uint8Array(1)]),
      encode([6, 1, new Uint8Array(32), 10, 5, new Uint8Array(6)]),
      encode([5, -1, 1]),
    ]) {
      const device = await house.member(alice);
      device.raw(packet);
      await device.closed;
    }
    await stillServes();
  });

  it('R3 a message over the limit is not taken, however it is cut', async () => {
    await house.start();
    for (const cut of [MAX_FRAME_PAYLOAD_BYTES, 1_000]) {
      const { socket, seal } = await rawChannel(alice, house.relay.address);
      // Never the last one of its packet: the relay must not wait for it.
      const crumb = new Uint8Array(1 + cut);
      for (let sent = 0; sent <= MAX_MESSAGE_BYTES; sent += cut) socket.send(seal(crumb));
      await once(socket, 'close');
    }
    await stillServes();
  });

  it('T1 a peer without a certificate, or with another one than its key, gets no further', async () => {
    await house.start();
    await assert.rejects(Device.connect(alice, house.relay.address, new Uint8Array(0)));
    await assert.rejects(Device.connect(alice, house.relay.address, bob.certificate.bytes));
    await stillServes();
  });

  it('T1 a relay with another key than the pinned one is not spoken to', async () => {
    await house.start();
    const address = writeRelayAddress({ ...readRelayAddress(house.relay.address)!, key: crypto.randomBytes(32) });
    const device = new Device(alice, address);
    await assert.rejects(device.until(1));
    await device.closed;
  });

  it('R4 registration wants the token, and slows down who guesses', async () => {
    await house.start({ limits: { badTokenRate: { perSecond: 0.001, burst: 2 } } });
    const device = await house.connect(alice);
    assert.equal(await device.code({ type: 'subscribe' }), Code.notRegistered);
    assert.equal(await device.code({ type: 'confirm', hashes: [] }), Code.notRegistered);
    assert.equal(await device.code({ type: 'ack', position: 0 }), Code.notRegistered);
    assert.equal(await device.code({ type: 'register', token: '' }), Code.refused);
    assert.equal(await device.code({ type: 'register', token: 'wrong' }), Code.refused);
    assert.equal(await device.code({ type: 'register', token: 'wrong too' }), Code.tooFast);
    const { token } = readRelayAddress(house.relay.address)!;
    assert.equal(await device.code({ type: 'register', token }), Code.ok, 'the right one is never too fast');
    assert.equal(await device.code({ type: 'register', token: '' }), Code.ok, 'who stands here needs it no more');
  });

  it('R4 who has the token does not make up devices as fast as he likes; those that stand here are as they were', async () => {
    let now = 1e12;
    await house.start({ limits: { newDeviceRate: { perSecond: 1 / 60, burst: 2 } }, now: () => now });
    const { token } = readRelayAddress(house.relay.address)!;
    await house.member(alice);
    await house.member(bob);
    const late = await house.connect(person('Late'));
    assert.equal(await late.code({ type: 'register', token }), Code.tooFast);
    assert.equal(await late.code({ type: 'register', token: 'wrong' }), Code.refused);
    await stillServes();
    now += 60_000;
    assert.equal(await late.code({ type: 'register', token }), Code.ok);
    const later = await house.connect(person('Later'));
    assert.equal(await later.code({ type: 'register', token }), Code.tooFast);
  });

  it('R4 an open relay takes everybody', async () => {
    await house.start({ openRegistration: true });
    const device = await house.connect(alice);
    assert.equal(await device.code({ type: 'register', token: '' }), Code.ok);
  });

  it('R4 nobody takes a queue over by another account or channel key, not even with its device’s signing key', async () => {
    await house.start();
    const atBob = await house.subscriber(bob);
    const mallory = person('Mallory');
    const forged = issueCertificate(crypto, mallory.accountSeed, {
      signingSeed: bob.signingSeed,
      agreementKey: crypto.agreementKeyOf(mallory.agreementSecret),
      name: 'Bob',
      created: 1,
    });
    const intruder = await house.connect(mallory, forged.bytes);
    const { token } = readRelayAddress(house.relay.address)!;
    assert.equal(await intruder.code({ type: 'register', token }), Code.refused);
    assert.equal(await intruder.code({ type: 'subscribe' }), Code.refused);
    assert.equal(await intruder.code({ type: 'ack', position: 0 }), Code.refused);
    const recipients = [{ device: bob.id, capability: capabilityOf(bob) }];
    const body = new Uint8Array(1);
    const submit = { type: 'submit', messageId: new Uint8Array(16), ephemeral: false, recipients, body } as const;
    assert.equal(await intruder.code(submit), Code.refused);
    assert.equal(atBob.notices.length, 0, 'he was neither replaced nor written to');
  });

  it('R3 sockets that only stay open keep nobody out: of those that have proved no device the oldest goes', async () => {
    await house.start({ limits: { pendingHandshakes: 2 } });
    const [silent, greeted] = [connect(house.relay.port, '127.0.0.1'), await open()];
    const gone = [once(silent, 'close'), once(greeted, 'close')];
    silent.on('error', () => {});
    await Promise.all([open(), open()]);
    await Promise.all(gone);
    await stillServes();
  });

  it('R3 devices that have no queue here take half of the connections, and the oldest of them gives way', async () => {
    await house.start({ limits: { connections: 8 } });
    const atBob = await house.subscriber(bob);
    const strangers: Device[] = [];
    for (let i = 0; i < 12; i++) strangers.push(await house.connect(person(`Stranger ${i}`)));
    await Promise.all(strangers.slice(0, 8).map(({ closed }) => closed));
    const atAlice = await house.member(alice);
    await atAlice.submit([bob], 'as before');
    assert.deepEqual(await atBob.bodies(1), ['as before']);
    assert.deepEqual(await strangers[11]!.submit([bob], 'from a stranger'), [Code.ok]);
  });

  it('R3 strangers do not fill the memory: beyond what is for all of them, who has not gone on for the longest goes', async () => {
    await house.start({ limits: { strangersHeldBytes: 3 * MAX_MESSAGE_BYTES } });
    const read = async ({ socket }: Device) => {
      socket.ping();
      await once(socket, 'pong');
    };
    /** A message of 1 MiB but for its last frame: the relay has to keep it till that comes. */
    const begin = async (device: Device) => {
      const recipients = [{ device: bob.id, capability: capabilityOf(bob) }];
      const body = new Uint8Array(MAX_MESSAGE_BYTES - 1_000);
      const messageId = crypto.randomBytes(16);
      device.channel.push(2, encodeRequest(1, { type: 'submit', messageId, ephemeral: true, recipients, body }));
      const whole = Math.floor(MAX_MESSAGE_BYTES / MAX_FRAME_PAYLOAD_BYTES);
      for (let i = 0; i < whole; i++) device.socket.send(device.channel.pull()!);
      await read(device);
    };
    const finish = async (device: Device) => {
      device.socket.send(device.channel.pull()!);
      await read(device);
    };
    const atAlice = await house.member(alice);
    await begin(atAlice);
    const [first, mallory, third, fourth] = await Promise.all(
      ['First', 'Mallory', 'Third', 'Fourth'].map((name) => house.connect(person(name))),
    );
    await begin(first!);
    await begin(mallory!);
    await finish(first!);
    await begin(first!);
    await begin(third!);
    await read(mallory!);
    await begin(fourth!);
    await mallory!.closed;
    for (const device of [atAlice, first!, third!, fourth!]) await finish(device);
    await stillServes();
  });

  it('R3 when the house is full the oldest connection of the account with the most gives way', async () => {
    await house.start({ limits: { connections: 6 } });
    const atBob = await house.subscriber(bob);
    const atAlice = await house.member(alice);
    const mallory = person('Mallory');
    const many: Device[] = [];
    for (let i = 0; i < 4; i++) many.push(await house.member(person(`Device ${i}`, mallory.accountSeed)));
    await house.member(person('Carol'));
    await many[0]!.closed;
    many.push(await house.member(person('Device 5', mallory.accountSeed)));
    await many[1]!.closed;
    await atAlice.submit([bob], 'as before');
    assert.deepEqual(await atBob.bodies(1), ['as before']);
    assert.equal(house.relay.connections, 6);
  });

  it('R3 a house full of accounts with one connection each turns the newest away', async () => {
    await house.start({ limits: { connections: 2 } });
    const atBob = await house.subscriber(bob);
    const atAlice = await house.member(alice);
    await assert.rejects(house.connect(person('Carol')));
    await atAlice.submit([bob], 'as before');
    assert.deepEqual(await atBob.bodies(1), ['as before']);
  });

  it('R1 a device that comes back often does not shut itself out', async () => {
    await house.start({ limits: { connectionsPerDevice: 2 } });
    const first = await house.subscriber(bob);
    await house.subscriber(bob);
    await house.subscriber(bob);
    await first.closed;
    await stillServes();
  });

  it('R3 who sends too fast is slowed, and nothing of his is lost', async () => {
    await house.start({ limits: { requestRate: { perSecond: 100, burst: 10 }, queueMessages: 1_000 } });
    const atBob = await house.subscriber(bob);
    const atAlice = await house.member(alice);
    const started = performance.now();
    await Promise.all(Array.from({ length: 40 }, (_, i) => atAlice.submit([bob], String(i))));
    const passed_ms = performance.now() - started;
    assert.ok(passed_ms > 200, `forty at a hundred a second, ten of them free, took ${passed_ms} ms`);
    assert.deepEqual(
      await atBob.bodies(40),
      Array.from({ length: 40 }, (_, i) => String(i)),
    );
  });

  it('R3 who sends too fast is slowed also where he comes back for it', async () => {
    await house.start({ limits: { accountRequestRate: { perSecond: 100, burst: 10 } } });
    await (await house.member(alice)).end();
    const started = performance.now();
    for (let i = 0; i < 4; i++) {
      const again = await house.connect(alice);
      await Promise.all(Array.from({ length: 10 }, () => again.code({ type: 'subscribe' })));
      await again.end();
    }
    const passed_ms = performance.now() - started;
    assert.ok(passed_ms > 200, `forty at a hundred a second, ten of them free, took ${passed_ms} ms`);
  });

  it('R3 who makes up devices is slowed as one: a device that has a queue here does not wait for his', async () => {
    await house.start({ limits: { strangersRequestRate: { perSecond: 100, burst: 10 } } });
    const strangers = await Promise.all([1, 2, 3, 4].map((n) => house.connect(person(`Made up ${n}`))));
    const atAlice = await house.member(alice);
    const answered: string[] = [];
    const started = performance.now();
    const asked = strangers.flatMap((device) =>
      Array.from({ length: 10 }, () => device.code({ type: 'subscribe' }).then(() => answered.push('stranger'))),
    );
    for (let i = 0; i < 20; i++) await atAlice.code({ type: 'register', token: '' });
    answered.push('Alice');
    await Promise.all(asked);
    const passed_ms = performance.now() - started;
    assert.ok(passed_ms > 200, `forty at a hundred a second, ten of them free, took ${passed_ms} ms`);
    assert.ok(answered.indexOf('Alice') < 40);
  });

  it('R3 what costs the store more is slowed sooner: capabilities by the thousand, recipients by the hundred', async () => {
    await house.start({ limits: { requestRate: { perSecond: 1_000, burst: 300 } } });
    const hashes = Array.from({ length: RELAY_MAX_CAPABILITIES }, () => crypto.randomBytes(32));
    const recipients = Array.from({ length: RELAY_MAX_RECIPIENTS }, () => ({
      device: crypto.randomBytes(32),
      capability: new Uint8Array(32),
    }));
    const submit = {
      type: 'submit',
      messageId: new Uint8Array(16),
      ephemeral: false,
      recipients,
      body: new Uint8Array(1),
    };
    for (const [request, times] of [
      [{ type: 'confirm', hashes }, 2],
      [submit, 16],
    ] as readonly (readonly [RelayRequest, number])[]) {
      const device = await house.member(person('Mallory'));
      const started = performance.now();
      await Promise.all(Array.from({ length: times }, () => device.request(request)));
      await device.code({ type: 'register', token: '' });
      const passed_ms = performance.now() - started;
      assert.ok(passed_ms > 190, `${times} of ${request.type} took ${passed_ms} ms`);
    }
  });

  it('R9 who asks for more of parcels than can be under way is not read meanwhile', async () => {
    const memory = memoryRelayStore(DEFAULT_LIMITS);
    const room = (8 * 1024 * 1024) / RELAY_PARCEL_SLICE_BYTES;
    let [underWay, most] = [0, 0];
    let full: () => void = () => {};
    let resume: () => void = () => {};
    const filled = new Promise<void>((resolve) => (full = resolve));
    const resumed = new Promise<void>((resolve) => (resume = resolve));
    const parcel: RelayStore['parcel'] = async () => {
      most = Math.max(most, ++underWay);
      if (underWay === room) full();
      await resumed;
      underWay--;
      return undefined;
    };
    await house.start({ store: { ...memory, parcel } });
    const atAlice = await house.member(alice);
    const slice = {
      type: 'parcelGet',
      parcel: new Uint8Array(32),
      offset: 0,
      length: RELAY_PARCEL_SLICE_BYTES,
    } as const;
    const asked = Array.from({ length: 4 * room }, () => atAlice.code(slice));
    await filled;
    // Time for as many more to be read as the relay likes.
    await stillServes();
    resume();
    assert.deepEqual(new Set(await Promise.all(asked)), new Set([Code.notFound]));
    assert.ok(most <= room, `${most} slices at once`);
  });

  it('anything but a WebSocket on / gets a short answer', async () => {
    await house.start();
    const response = await fetch(`http://127.0.0.1:${house.relay.port}/health`);
    assert.deepEqual([response.status, await response.text()], [404, 'A Coterie relay.\n']);
    const other = new WebSocket(`ws://127.0.0.1:${house.relay.port}/other`);
    const [error] = (await once(other, 'error').catch((reason: unknown) => [reason])) as [Error];
    assert.match(error.message, /400/);
    const raw = connect(house.relay.port, '127.0.0.1');
    raw.on('error', () => {});
    raw.end('\x00\x01 not HTTP\r\n\r\n').resume();
    await once(raw, 'close');
    await stillServes();
  });
});

/** A channel below its own rules: seals whatever it is given as a frame. */
async function rawChannel(who: Person, address: string) {
  const socket = new WebSocket(`ws://127.0.0.1:${readRelayAddress(address)!.port}/`);
  socket.on('error', () => {});
  await once(socket, 'open');
  const prologue = Buffer.from('coterie channel 1');
  const noise = new XxHandshake({ crypto, role: 'initiator', prologue, staticSecret: who.agreementSecret });
  socket.send(noise.write(new Uint8Array(0))!);
  const [second] = (await once(socket, 'message')) as [Buffer];
  assert(noise.read(second));
  socket.send(noise.write(who.certificate.bytes)!);
  const transport = noise.split();
  return { socket, seal: (plaintext: Uint8Array) => transport.send.seal(plaintext) };
}
