import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { AckWindow } from '../../src/relay-client/ack-window.ts';
import { isLoopback, readAddress, reachableAddresses, writeAddress } from '../../src/relay-client/addresses.ts';
import { Backoff } from '../../src/relay-client/backoff.ts';
import { ByteGate } from '../../src/relay-client/byte-gate.ts';
import { DIRECT_PATH, openSocket } from '../../src/relay-client/dial.ts';
import { Meter } from '../../src/relay-client/meter.ts';
import { TokenBucket } from '../../src/relay-client/token-bucket.ts';

describe('addresses', () => {
  it('are read as they were written', () => {
    for (const [host, port] of [
      ['10.0.0.1', 2492],
      ['example.org', 1],
      ['::1', 65_535],
      ['fe80::1%eth0', 2492],
    ] as const) {
      assert.deepEqual(readAddress(writeAddress(host, port)), { host, port });
    }
  });

  it('are nothing else', () => {
    for (const text of [
      ...['', ':1', 'host', 'host:', 'host:0', 'host:65536', 'host:123456', 'a b:1', '::1:5x', 'http://x:1', 'x:1/y'],
      ...['user@host:1', '[::1]', '[x]:1', 'x\n:1', `${'x'.repeat(600)}:1`],
      // A name that ends in a number is an IPv4 address, and these are none.
      ...['999.1.1.1:1', '1.2.3.4.5:1', 'a.5:1', 'a.0x:1', '4294967296:1', '[1.2.3.4]:1', '[:::]:1'],
    ]) {
      assert.equal(readAddress(text), undefined, text);
    }
  });

  it('of a listener on one host are that host', () => {
    assert.deepEqual(reachableAddresses('127.0.0.1', 5), ['127.0.0.1:5']);
    assert.ok(reachableAddresses('::', 5).length > 0);
    assert.ok(isLoopback('127.3.2.1') && isLoopback('::1') && !isLoopback('128.0.0.1') && !isLoopback('127.evil.org'));
  });
});

describe('openSocket', () => {
  const open = (host: string, port: number) => openSocket({ host, port }, 'direct', new Meter(undefined));

  it('T1 throws for no host and no port, but fails as one does that nobody answers at', async () => {
    for (const [host, port] of [
      ...(['999.1.1.1', '1.2.3.4.5', 'a.5', 'a.0x', '4294967296', 'xn--a', ':::', 'a b', '', '/', '\0'] as const).map(
        (one) => [one, 1] as const,
      ),
      ...[-1, 0.5, 65_536, NaN].map((one) => ['127.0.0.1', one] as const),
    ]) {
      const socket = open(host, port);
      const failed = new Promise<unknown>((resolve) => socket.on('error', resolve));
      const closed = new Promise<unknown>((resolve) => socket.on('close', resolve));
      // What waits for a name server need not be waited for.
      if (port === 1) socket.terminate();
      assert.ok((await failed) instanceof Error, `${host}:${port}`);
      await closed;
    }
  });

  it('T1 says whom it asks, for a proxy that serves several', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const asked = new Promise<IncomingMessage>((resolve) => server.once('upgrade', resolve));
    const socket = open('localhost', port);
    socket.on('error', () => {});
    const { url, headers, socket: accepted } = await asked;
    assert.deepEqual([url, headers.host], [DIRECT_PATH, `localhost:${port}`]);
    socket.terminate();
    accepted.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('AckWindow', () => {
  it('R1 acknowledges a position only where all before it have been handled, in whatever order that happens', () => {
    const positions = fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(positions, fc.infiniteStream(fc.nat()), (all, choices) => {
        const delivered = [...all].sort((a, b) => a - b);
        const window = new AckWindow();
        for (const position of delivered) assert.equal(window.deliver(position), true);
        const left = [...delivered];
        while (left.length > 0) {
          const [position] = left.splice(Number(choices.next().value) % left.length, 1);
          window.handle(position!);
          const first = left.length > 0 ? Math.min(...left) : Infinity;
          assert.equal(window.through, delivered.filter((one) => one < first).at(-1) ?? 0);
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('takes no position twice, nor one before what it has', () => {
    const window = new AckWindow();
    assert.equal(window.deliver(5), true);
    assert.equal(window.deliver(5), false);
    assert.equal(window.deliver(4), false);
    window.handle(4);
    assert.equal(window.through, 0);
    window.handle(5);
    assert.equal(window.deliver(5), false);
    assert.equal(window.through, 5);
  });
});

describe('Backoff', () => {
  it('doubles up to its limit, with jitter, and starts anew', () => {
    const backoff = new Backoff(500, 60_000, () => 1);
    assert.deepEqual(
      Array.from({ length: 9 }, () => backoff.next()),
      [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000],
    );
    for (let i = 0; i < 5_000; i++) assert.ok(Number.isFinite(backoff.next()));
    backoff.reset();
    assert.equal(backoff.next(), 500);
    assert.equal(new Backoff(500, 60_000, () => 0).next(), 250);
  });
});

describe('TokenBucket', () => {
  it('allows a burst, then the rate', () => {
    const bucket = new TokenBucket(10, 2, 0);
    assert.equal(bucket.take(10, 0), true);
    assert.equal(bucket.take(1, 499), false);
    assert.equal(bucket.take(1, 500), true);
    assert.equal(bucket.take(11, 1_000_000), false);
    assert.equal(bucket.take(10, 1_000_000), true);
    // A clock that is set back neither gives nor takes.
    assert.equal(bucket.take(1, 0), false);
  });
});

describe('ByteGate', () => {
  it('lets in what fits, in order, and something too large alone', async () => {
    const gate = new ByteGate(10);
    const entered: string[] = [];
    assert.equal(gate.tryEnter(6), true);
    const large = gate.enter(50).then(() => entered.push('large'));
    const small = gate.enter(2).then(() => entered.push('small'));
    assert.equal(gate.tryEnter(1), false);
    await Promise.resolve();
    assert.deepEqual(entered, []);
    gate.leave(6);
    await large;
    assert.deepEqual(entered, ['large']);
    gate.leave(50);
    await small;
    assert.deepEqual(entered, ['large', 'small']);
    assert.equal(gate.tryEnter(8), true);
  });
});
