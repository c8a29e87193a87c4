import assert from 'node:assert/strict';
import { Code, Marker } from '../../src/protocol/relay-messages.ts';
import { capabilityOf, crypto, person, type Deliver } from './device.ts';
import { House } from './house.ts';

describe('relay: queues', () => {
  const alice = person('Alice');
  const bob = person('Bob');
  const carol = person('Carol');
  let house: House;
  beforeEach(() => (house = new House()));
  afterEach(() => house.end());

  it('R1 a message waits for its recipient, survives a restart, and is gone after its ack', async () => {
    await house.start();
    await house.member(bob);
    const atAlice = await house.member(alice);
    assert.deepEqual(await atAlice.submit([bob], 'one'), [Code.ok]);
    assert.deepEqual(await atAlice.submit([bob], 'two'), [Code.ok]);

    await house.restart();
    const first = await house.subscriber(bob);
    assert.deepEqual(await first.bodies(2), ['one', 'two']);
    const [one] = first.notices as Deliver[];
    assert.deepEqual(Buffer.from(one!.sender), Buffer.from(alice.id));
    assert.equal(await first.code({ type: 'ack', position: one!.position }), Code.ok);

    await house.restart();
    const second = await house.subscriber(bob);
    assert.deepEqual(await second.bodies(1), ['two'], 'the ack has survived, and no more than it was acknowledged');
  });

  it('R1 a live subscriber gets what is committed, in order, behind what waited', async () => {
    await house.start();
    await house.member(bob);
    const atAlice = await house.member(alice);
    await Promise.all(['1', '2', '3'].map((body) => atAlice.submit([bob], body)));
    const atBob = await house.subscriber(bob);
    await Promise.all(['4', '5', '6'].map((body) => atAlice.submit([bob], body)));
    assert.deepEqual(await atBob.bodies(6), ['1', '2', '3', '4', '5', '6']);
  });

  it('R1 nothing is lost or repeated while a subscriber reads and others write', async () => {
    await house.start({ limits: { senderShare: 1 } });
    await house.member(bob);
    const atAlice = await house.member(alice);
    const big = Buffer.alloc(40_000, 'x');
    const send = (from: number, to: number) => {
      const sent: Promise<unknown>[] = [];
      for (let i = from; i < to; i++) sent.push(atAlice.submit([bob], Buffer.concat([Buffer.from(`${i} `), big])));
      return Promise.all(sent);
    };
    await send(0, 60);
    const rest = send(60, 120);
    const atBob = await house.subscriber(bob);
    await Promise.all([rest, atBob.until(120)]);
    const numbers = (await atBob.bodies(120)).map((body) => Number.parseInt(body, 10));
    assert.deepEqual(
      numbers,
      Array.from({ length: 120 }, (_, i) => i),
    );
  });

  it('R1 a subscriber who does not read costs no memory and misses nothing', async () => {
    await house.start();
    const atBob = await house.subscriber(bob);
    const atAlice = await house.member(alice);
    atBob.socket.pause();
    const body = Buffer.alloc(250_000, 'y');
    for (let i = 0; i < 60; i++) assert.deepEqual(await atAlice.submit([bob], body), [Code.ok]);
    atBob.socket.resume();
    const notices = await atBob.until(60);
    assert.deepEqual(
      notices.map((notice) => notice.type === 'deliver' && notice.position),
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
  });

  it('R1 the newest subscriber wins, and the other is told', async () => {
    await house.start();
    const first = await house.subscriber(bob);
    const second = await house.subscriber(bob);
    assert.deepEqual(await first.until(1), [{ type: 'replaced' }]);
    const atAlice = await house.member(alice);
    await atAlice.submit([bob], 'for the newest');
    assert.deepEqual(await second.bodies(1), ['for the newest']);
    assert.equal(await first.code({ type: 'ack', position: 1 }), Code.refused, 'he may not make it go away');
    assert.equal(first.notices.length, 1);
    assert.equal(await second.code({ type: 'ack', position: 1 }), Code.ok);
  });

  it('R1 a submit that is repeated is accepted once', async () => {
    await house.start();
    const atBob = await house.subscriber(bob);
    const atAlice = await house.member(alice);
    const id = crypto.randomBytes(16);
    for (let i = 0; i < 3; i++) assert.deepEqual(await atAlice.submit([bob], 'once', { id }), [Code.ok]);
    await atAlice.submit([bob], 'then');
    assert.deepEqual(await atBob.bodies(2), ['once', 'then']);
  });

  it('R1 an ack for what was never delivered is refused and takes nothing away', async () => {
    await house.start();
    const atBob = await house.subscriber(bob);
    const atAlice = await house.member(alice);
    await atAlice.submit([bob], 'still here');
    assert.equal(await atBob.code({ type: 'ack', position: 1_000_000 }), Code.badRequest);
    await house.restart();
    assert.deepEqual(await (await house.subscriber(bob)).bodies(1), ['still here']);
  });

  it('R2 one body goes to several, and each outcome is told', async () => {
    await house.start();
    const atBob = await house.subscriber(bob);
    const atCarol = await house.subscriber(carol);
    const atAlice = await house.member(alice);
    const outcomes = await atAlice.submit([bob, person('Nobody'), carol], 'to all');
    assert.deepEqual(outcomes, [Code.ok, Code.refused, Code.ok]);
    assert.deepEqual([await atBob.bodies(1), await atCarol.bodies(1)], [['to all'], ['to all']]);
  });

  it('R3 a full queue refuses, keeps what it has, and its owner is told', async () => {
    await house.start({ limits: { queueMessages: 4, senderShare: 1 } });
    const atBob = await house.member(bob);
    const atAlice = await house.member(alice);
    for (let i = 0; i < 4; i++) assert.deepEqual(await atAlice.submit([bob], `kept ${i}`), [Code.ok]);
    assert.deepEqual(await atAlice.submit([bob], 'too much'), [Code.full]);
    await atBob.code({ type: 'subscribe' });
    const notices = await atBob.until(5);
    assert.deepEqual(notices[4], { type: 'marker', position: 5, reason: Marker.full });
    assert.deepEqual((await atBob.bodies(4)).slice(0, 4), ['kept 0', 'kept 1', 'kept 2', 'kept 3']);

    // To a live subscriber the marker comes as soon as something is refused.
    assert.deepEqual(await atAlice.submit([bob], 'too much again'), [Code.full]);
    assert.deepEqual((await atBob.until(6))[5], { type: 'marker', position: 6, reason: Marker.full });
    assert.equal(await atBob.code({ type: 'ack', position: 6 }), Code.ok);
    assert.deepEqual(await atAlice.submit([bob], 'room again'), [Code.ok]);
  });

  it('R3 one sender has his share, and leaves the others theirs', async () => {
    await house.start({ limits: { queueMessages: 8 } });
    await house.member(bob);
    const atAlice = await house.member(alice);
    const atCarol = await house.member(carol);
    for (let i = 0; i < 2; i++) assert.deepEqual(await atAlice.submit([bob], 'mine'), [Code.ok]);
    assert.deepEqual(await atAlice.submit([bob], 'more than mine'), [Code.full]);
    assert.deepEqual(await atCarol.submit([bob], 'hers'), [Code.ok]);
  });

  it('R2, R3 a message id names one body: what a queue holds is counted as what is taken off it', async () => {
    await house.start({ limits: { queueBytes: 1_000, senderShare: 1 } });
    const atBob = await house.subscriber(bob);
    await house.member(carol);
    const atMallory = await house.connect(person('Mallory'));
    const [small, big] = [Buffer.alloc(1, 'x'), Buffer.alloc(900, 'x')];
    let delivered = 0;
    const both = async (first: Uint8Array, second: Uint8Array) => {
      const id = crypto.randomBytes(16);
      assert.deepEqual(await atMallory.submit([carol], first, { id }), [Code.ok]);
      if (first === second) delivered++;
      assert.deepEqual(await atMallory.submit([bob], second, { id }), [first === second ? Code.ok : Code.refused]);
    };
    await both(small, small);
    await both(small, big);
    await both(big, small);
    await atBob.until(delivered);
    assert.equal(await atBob.code({ type: 'ack', position: delivered }), Code.ok);
    // Nothing waits: there is room for as much as ever, and for no more.
    const atAlice = await house.member(alice);
    assert.deepEqual(await atAlice.submit([bob], Buffer.alloc(1_000, 'y')), [Code.ok]);
    assert.deepEqual(await atAlice.submit([bob], small), [Code.full]);
  });

  it('R3 what nobody fetched in thirty days goes, and its recipient is told', async () => {
    const day = 86_400_000;
    let now = 1_000 * day;
    await house.start({ now: () => now });
    const atBob = await house.subscriber(bob);
    const atAlice = await house.member(alice);
    await atAlice.submit([bob], 'old');
    await atBob.until(1);
    now += 29 * day;
    await atAlice.submit([bob], 'young');
    await house.relay.expire();
    now += 2 * day;
    await house.relay.expire();
    assert.deepEqual((await atBob.until(3))[2], { type: 'marker', position: 3, reason: Marker.expired });
    const again = await house.subscriber(bob);
    assert.deepEqual(await again.bodies(2), ['young', 'marker']);
  });

  it('R3 publishes its limits', async () => {
    await house.start({ limits: { queueMessages: 123 } });
    const device = await house.connect(alice);
    // `connect` has taken the hello away: the next connection shows it.
    const { Device } = await import('./device.ts');
    const raw = new Device(bob, house.relay.address);
    const [hello] = await raw.until(1);
    assert(hello?.type === 'hello');
    assert.equal(new Map(hello.limits).get('queueMessages'), 123);
    await raw.end();
    await device.end();
  });

  it('R1 ephemeral messages reach a live subscriber and nobody else, ever', async () => {
    await house.start();
    const atBob = await house.subscriber(bob);
    await house.member(carol);
    const atAlice = await house.member(alice);
    const outcomes = await atAlice.submit([bob, carol, person('Nobody')], 'typing', { ephemeral: true });
    assert.deepEqual(outcomes, [Code.ok, Code.unavailable, Code.unavailable]);
    const [notice] = await atBob.until(1);
    assert.deepEqual(notice?.type === 'deliver' && [notice.position, Buffer.from(notice.body).toString()], [
      0,
      'typing',
    ]);
    const wrong = await atAlice.submit([bob], 'x', { ephemeral: true, capability: new Uint8Array(32) });
    assert.deepEqual(wrong, [Code.unavailable], 'a wrong capability and an absent device look alike');
    await atAlice.submit([bob, carol], 'kept');
    assert.deepEqual(await atBob.bodies(2), ['typing', 'kept']);
    assert.deepEqual(await (await house.subscriber(carol)).bodies(1), ['kept']);
    assert.deepEqual(await (await house.subscriber(bob)).bodies(1), ['kept']);
  });

  it('R4 a wrong capability leads to the small first-contact queue, and an outdated one looks the same', async () => {
    await house.start({ limits: { firstContactMessages: 8 } });
    const atBob = await house.subscriber(bob);
    const atAlice = await house.connect(alice);
    const capability = crypto.randomBytes(32);
    const outdated = capabilityOf(bob);
    await atBob.code({ type: 'confirm', hashes: [crypto.sha256(capability)] });
    assert.deepEqual(await atAlice.submit([bob], 'outdated', { capability: outdated }), [Code.ok]);
    assert.deepEqual(await atAlice.submit([bob], 'unknown', { capability: crypto.randomBytes(32) }), [Code.ok]);
    assert.deepEqual(await atAlice.submit([bob], 'beyond', { capability: outdated }), [Code.refused]);
    assert.deepEqual(await atAlice.submit([bob], 'beyond', { capability: crypto.randomBytes(32) }), [Code.refused]);
    assert.deepEqual(await atAlice.submit([bob], 'right', { capability }), [Code.ok]);
    assert.deepEqual(await atBob.bodies(3), ['outdated', 'unknown', 'right']);
  });

  it('R4 a new confirmation counts at once, for what is live too', async () => {
    await house.start();
    const atBob = await house.subscriber(bob);
    const atAlice = await house.member(alice);
    await atBob.code({ type: 'confirm', hashes: [] });
    assert.deepEqual(await atAlice.submit([bob], 'x', { ephemeral: true }), [Code.unavailable]);
  });
});
