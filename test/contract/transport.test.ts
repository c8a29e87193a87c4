import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Emitter } from '../../src/base/event.ts';
import { startRelay } from '../../src/relay/relay.ts';
import type { Transport } from '../../src/sync/ports.ts';
import { PumpedNetwork } from '../fakes/pumped-network.ts';
import { makeDevice, makeTransport, SkippingClock } from '../relay-client/devices.ts';
import { until } from '../relay-client/events.ts';
import { listen, transportContract, type TransportWorld } from './transport.ts';

for (const seed of [1, 2, 3]) {
  transportContract(`in memory, seed ${seed}`, async (): Promise<TransportWorld> => {
    const network = new PumpedNetwork({ seed });
    const relay = network.addRelay();
    const settle = async () => void (await network.settle());
    return {
      relay: relay.text,
      async start(number) {
        const { device } = makeDevice(number);
        const transport = network.createTransport(device);
        const member = listen(device, transport, () => {});
        await transport.start();
        return member;
      },
      async wait(holds) {
        await settle();
        if (!holds()) throw new Error('nothing moves any more, and it does not hold');
      },
      async complete(promise) {
        promise.catch(() => {});
        await settle();
        return promise;
      },
      windOn: () => {},
      setRelayUp: async (up) => relay.setUp(up),
      close: async () => {},
    };
  });
}

transportContract('on sockets', async (): Promise<TransportWorld> => {
  const folder = await mkdtemp(join(tmpdir(), 'coterie-transport-'));
  const first = await startRelay({ folder, port: 0 });
  let relay: typeof first | undefined = first;
  const transports: Transport[] = [];
  const heard = new Emitter<void>();
  const clock = new SkippingClock();
  return {
    relay: first.address,
    async start(number) {
      const device = makeDevice(number);
      const transport = makeTransport(device, { clock });
      transports.push(transport);
      const member = listen(device.device, transport, () => heard.fire());
      await transport.start();
      return member;
    },
    wait: (holds) => until(holds, heard.event),
    complete: (promise) => promise,
    windOn: (duration_ms) => clock.skip(duration_ms),
    async setRelayUp(up) {
      if (up) relay = await startRelay({ folder, port: first.port });
      else await relay?.stop();
    },
    async close() {
      for (const transport of transports) await transport.stop();
      await relay?.stop();
      await rm(folder, { recursive: true });
    },
  };
});
