import { createServer, type AddressInfo, type Server } from 'node:net';
import { DirectPaths } from '../../src/relay-client/direct-paths.ts';
import { Meter } from '../../src/relay-client/meter.ts';
import type { NetworkTransport } from '../../src/relay-client/transport.ts';
import type { Clock } from '../../src/sync/ports.ts';
import { crypto, makePair, makeTransport } from './devices.ts';
import { until } from './events.ts';

/** Time that goes on only where a test says so. */
class StandingClock implements Clock {
  #now_ms = 1_000_000;
  readonly #waiting = new Set<{ readonly at: number; readonly callback: () => void }>();

  now(): number {
    return this.#now_ms;
  }

  wakeAt(at: number, callback: () => void): () => void {
    const wake = { at, callback };
    this.#waiting.add(wake);
    return () => void this.#waiting.delete(wake);
  }

  go(duration_ms: number): void {
    this.#now_ms += duration_ms;
    for (const wake of [...this.#waiting]) if (wake.at <= this.#now_ms && this.#waiting.delete(wake)) wake.callback();
  }
}

describe('direct paths', () => {
  const [low, high] = makePair();
  const clock = new StandingClock();
  const paths = new DirectPaths(
    {
      crypto,
      clock,
      meter: new Meter(undefined),
      identity: { staticSecret: low.agreementSecret, payload: low.certificate },
    },
    low.device,
    () => 0.5,
  );
  const servers: Server[] = [];
  let bob: NetworkTransport;

  beforeEach(async () => {
    bob = makeTransport(high);
    await bob.start();
  });
  afterEach(async () => {
    paths.stop();
    await bob.stop();
    for (const server of servers) server.close();
  });

  /** Takes a connection, and says nothing on it. */
  async function mute(): Promise<string> {
    const server = createServer((socket) => void socket.on('error', () => {}).resume());
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('T2 whoever claims on the LAN to be a device keeps nobody from its other addresses, however often he does', async () => {
    const silent = await Promise.all(Array.from({ length: 15 }, mute));
    const liars = await Promise.all(Array.from({ length: 4 }, mute));
    paths.start();
    paths.setRoutes([{ device: high.device, addresses: [...silent, ...bob.listening], relay: undefined }]);
    for (const liar of liars) {
      paths.heard(high.device, liar);
      // As far apart as he must be to be listened to, each address with its head start.
      for (let i = 0; i < 14; i++) clock.go(150);
    }
    await until(() => paths.reach(high.device) === 'direct', paths.onReach);
  });
});
