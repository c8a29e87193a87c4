/**
 * What every Transport does, the one in memory and the one on sockets. A world makes the devices and relays of a test, lets time
 * pass in its own way, and hides nothing else: what is asked here is asked of the port.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { DeviceId } from '../../src/base/ids.ts';
import { readRelayAddress, writeRelayAddress } from '../../src/protocol/relay-address.ts';
import { Lane, type Arrived, type Reach, type RelayState, type Transport } from '../../src/sync/ports.ts';

/** A transport and everything that it has said. */
export interface Member {
  readonly device: DeviceId;
  readonly transport: Transport;
  readonly arrived: Arrived[];
  readonly reaches: { readonly device: DeviceId; readonly reach: Reach }[];
  readonly states: RelayState[];
  gaps: number;
}

export interface TransportWorld {
  /** The text of the one relay's address, with its token. */
  readonly relay: string;
  /** Device number so-and-so, started. One that was stopped may be made again. */
  start(number: number): Promise<Member>;
  /** Lets time pass until it holds. */
  wait(holds: () => boolean): Promise<void>;
  /** Lets time pass until the promise is settled. */
  complete<T>(promise: Promise<T>): Promise<T>;
  /** Time goes by; nothing is waited for. */
  windOn(duration_ms: number): void;
  setRelayUp(up: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Records what a transport says; `heard` is called after each. */
export function listen(device: DeviceId, transport: Transport, heard: () => void): Member {
  const member: Member = { device, transport, arrived: [], reaches: [], states: [], gaps: 0 };
  transport.onArrived((arrived) => {
    member.arrived.push(arrived);
    heard();
  });
  transport.onReach((reach) => {
    member.reaches.push(reach);
    heard();
  });
  transport.onRelayState((state) => {
    member.states.push(state);
    heard();
  });
  transport.onGap(() => {
    member.gaps++;
    heard();
  });
  return member;
}

const text = (words: string) => new TextEncoder().encode(words);
const words = (arrived: readonly Arrived[]) => arrived.map(({ bytes }) => new TextDecoder().decode(bytes));
const hashOf = (capability: Uint8Array) => Uint8Array.from(createHash('sha256').update(capability).digest());
const durable = { ephemeral: false };

export function transportContract(name: string, open: () => Promise<TransportWorld>): void {
  describe(`Transport: ${name}`, () => {
    let world: TransportWorld;
    let alice: Member;
    let bob: Member;
    const capability = new Uint8Array(32).fill(1);

    beforeEach(async () => {
      world = await open();
      alice = await world.start(1);
      bob = await world.start(2);
    });
    afterEach(() => world.close());

    const routesTo = ({ device, transport }: Member) => [{ device, addresses: transport.listening, relay: undefined }];

    /** `from` names `to`; both reach each other. */
    async function connect(from: Member, to: Member): Promise<void> {
      from.transport.setRoutes(routesTo(to));
      await world.wait(
        () => from.transport.reach(to.device) === 'direct' && to.transport.reach(from.device) === 'direct',
      );
    }

    async function subscribe(member: Member): Promise<void> {
      member.transport.setCapabilities([hashOf(capability)]);
      member.transport.setRelay(world.relay);
      await world.wait(() => member.transport.relayState.state === 'connected');
    }

    function submit(from: Member, to: Member, bytes: Uint8Array, options = durable) {
      const recipient = { device: to.device, relay: world.relay, capability };
      return world.complete(from.transport.submit([recipient], bytes, options));
    }

    describe('direct', () => {
      it('T3 reaches whom a route names, and is reached by him', async () => {
        assert.equal(alice.transport.reach(bob.device), 'none');
        assert.equal(alice.transport.send(bob.device, text('too early'), Lane.control), false);
        await connect(alice, bob);
        assert.deepEqual(alice.reaches, [{ device: bob.device, reach: 'direct' }]);
        assert.deepEqual(bob.reaches, [{ device: alice.device, reach: 'direct' }]);
        assert.equal(bob.arrived.length, 0);
      });

      it('T3 carries bytes as they are, from the device that sent them, in order', async () => {
        await connect(alice, bob);
        for (let i = 0; i < 100; i++)
          assert.equal(alice.transport.send(bob.device, text(`${i}`), Lane.structured), true);
        await world.wait(() => bob.arrived.length === 100);
        assert.deepEqual(
          words(bob.arrived),
          Array.from({ length: 100 }, (_, i) => `${i}`),
        );
        for (const { from, path } of bob.arrived) assert.deepEqual([from, path], [alice.device, 'direct']);
        bob.arrived[0]!.handled();
        assert.equal(bob.transport.send(alice.device, text('back'), Lane.control), true);
        await world.wait(() => alice.arrived.length === 1);
        assert.deepEqual(words(alice.arrived), ['back']);
      });

      it('S1 carries a message of the largest size', async () => {
        await connect(alice, bob);
        const large = Uint8Array.from({ length: 1024 * 1024 }, (_, i) => i * 7);
        assert.equal(alice.transport.send(bob.device, large, Lane.chunks), true);
        await world.wait(() => bob.arrived.length === 1);
        assert.equal(Buffer.compare(bob.arrived[0]!.bytes, large), 0);
      });

      it('answers false where the buffer is full, and true again once it has drained', async () => {
        bob.transport.setRoutes(routesTo(alice));
        await connect(alice, bob);
        const megabyte = new Uint8Array(1024 * 1024);
        let sent = 0;
        while (alice.transport.send(bob.device, megabyte, Lane.chunks)) assert.ok(++sent < 64, 'there is a limit');
        assert.ok(sent >= 7);
        await world.wait(() => bob.arrived.length === sent);
        assert.equal(alice.transport.send(bob.device, megabyte, Lane.chunks), true);
      });

      it('lets go of whom no route names any more', async () => {
        await connect(alice, bob);
        alice.transport.setRoutes([]);
        await world.wait(() => alice.reaches.length === 2 && bob.reaches.length === 2);
        assert.equal(alice.transport.reach(bob.device), 'none');
        assert.equal(alice.transport.send(bob.device, text('gone'), Lane.control), false);
      });

      it('T3 notices that a device has stopped, and reaches it when it is back', async () => {
        await connect(alice, bob);
        await bob.transport.stop();
        await world.wait(() => alice.transport.reach(bob.device) === 'none');
        assert.equal(alice.transport.send(bob.device, text('gone'), Lane.control), false);
        bob = await world.start(2);
        await connect(alice, bob);
        alice.transport.send(bob.device, text('again'), Lane.control);
        await world.wait(() => bob.arrived.length === 1);
      });

      it('reaches both ways once where both name each other', async () => {
        alice.transport.setRoutes(routesTo(bob));
        bob.transport.setRoutes(routesTo(alice));
        await world.wait(() => alice.reaches.length > 0 && bob.reaches.length > 0);
        alice.transport.send(bob.device, text('there'), Lane.control);
        bob.transport.send(alice.device, text('back'), Lane.control);
        await world.wait(() => alice.arrived.length === 1 && bob.arrived.length === 1);
        assert.equal(alice.reaches.length, 1);
        assert.equal(bob.reaches.length, 1);
      });
    });

    describe('by relay', () => {
      it('R1 keeps what is submitted until its recipient comes, in order', async () => {
        await subscribe(bob);
        await bob.transport.stop();
        for (let i = 0; i < 20; i++) assert.deepEqual(await submit(alice, bob, text(`${i}`)), ['ok']);
        bob = await world.start(2);
        await subscribe(bob);
        await world.wait(() => bob.arrived.length === 20);
        assert.deepEqual(
          words(bob.arrived),
          Array.from({ length: 20 }, (_, i) => `${i}`),
        );
        for (const { from, path } of bob.arrived) assert.deepEqual([from, path], [alice.device, 'relay']);
      });

      it('R1 delivers again what was not handled, and nothing before it', async () => {
        await subscribe(bob);
        for (const word of ['a', 'b', 'c', 'd']) await submit(alice, bob, text(word));
        await world.wait(() => bob.arrived.length === 4);
        const [a, b, , d] = bob.arrived;
        for (const one of [b, a, d]) one!.handled();
        // `d` is handled, but `c` before it is not: both come again.
        await submit(alice, bob, text('e'));
        await world.wait(() => bob.arrived.length === 5);
        await acknowledged();
        await bob.transport.stop();
        bob = await world.start(2);
        await subscribe(bob);
        await world.wait(() => bob.arrived.length >= 3);
        assert.deepEqual(words(bob.arrived), ['c', 'd', 'e']);
      });

      /** Acknowledgements are grouped; once they had their time, what bob asks next is answered after them. */
      async function acknowledged(): Promise<void> {
        world.windOn(1_000);
        await world.complete(bob.transport.putParcel(new Uint8Array(32).fill(7), new Uint8Array(10)));
      }

      it('R2 answers for each recipient, in order', async () => {
        await subscribe(bob);
        const carol = await world.start(3);
        await subscribe(carol);
        const unknown = await world.start(4);
        const recipients = [carol, unknown, bob].map(({ device }) => ({ device, relay: world.relay, capability }));
        const outcomes = await world.complete(alice.transport.submit(recipients, text('to all'), durable));
        assert.deepEqual(outcomes, ['ok', 'refused', 'ok']);
        await world.wait(() => bob.arrived.length === 1 && carol.arrived.length === 1);
      });

      it('R4 takes first contact without a capability, but passes nothing fleeting on', async () => {
        await subscribe(bob);
        const recipient = { device: bob.device, relay: world.relay, capability: new Uint8Array(32) };
        const send = (bytes: Uint8Array, ephemeral: boolean) =>
          world.complete(alice.transport.submit([recipient], bytes, { ephemeral }));
        assert.deepEqual(await send(text('live'), true), ['unavailable']);
        assert.deepEqual(await send(text('may I join?'), false), ['ok']);
        await world.wait(() => bob.arrived.length === 1);
        assert.deepEqual(words(bob.arrived), ['may I join?']);
      });

      it('S4 passes ephemeral messages to whom is there, and keeps them for nobody', async () => {
        await subscribe(bob);
        assert.deepEqual(await submit(alice, bob, text('live'), { ephemeral: true }), ['ok']);
        await world.wait(() => bob.arrived.length === 1);
        bob.arrived[0]!.handled();
        await bob.transport.stop();
        await world.wait(() => true);
        bob = await world.start(2);
        await subscribe(bob);
        await submit(alice, bob, text('kept'));
        await world.wait(() => bob.arrived.length === 1);
        assert.deepEqual(words(bob.arrived), ['kept']);
      });

      it('R9 keeps parcels, hands out ranges of them to who knows the id, and forgets them when told', async () => {
        await subscribe(bob);
        const id = new Uint8Array(32).fill(9);
        const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 31);
        assert.equal(await world.complete(alice.transport.getParcel(world.relay, id, 0, 10)), undefined);
        await world.complete(bob.transport.putParcel(id, bytes));
        const range = await world.complete(alice.transport.getParcel(world.relay, id, 1_000_000, 1_500_000));
        assert.equal(range?.total, bytes.length);
        assert.equal(Buffer.compare(range.bytes, bytes.subarray(1_000_000, 2_500_000)), 0);
        const rest = await world.complete(alice.transport.getParcel(world.relay, id, 2_999_000, 1_500_000));
        assert.equal(rest?.bytes.length, 1_000);
        await world.complete(bob.transport.dropParcel(id));
        assert.equal(await world.complete(alice.transport.getParcel(world.relay, id, 0, 10)), undefined);
      });

      it('R9 has nowhere to put a parcel without a relay', async () => {
        const put = bob.transport.putParcel(new Uint8Array(32), new Uint8Array(10));
        await assert.rejects(world.complete(put), { code: 'unreachable' });
      });

      it('says whether the relay is there, and why not', async () => {
        assert.deepEqual(bob.transport.relayState, { state: 'off' });
        await subscribe(bob);
        assert.deepEqual(
          bob.states.map(({ state }) => state),
          ['connecting', 'connected'],
        );
        bob.transport.setRelay(undefined);
        assert.deepEqual(bob.transport.relayState, { state: 'off' });
        const address = readRelayAddress(world.relay)!;
        for (const [wrong, reason] of [
          ['coterie-relay://nothing', 'badAddress'],
          [writeRelayAddress({ ...address, key: new Uint8Array(32).fill(3) }), 'wrongKey'],
        ] as const) {
          bob.transport.setRelay(wrong);
          await world.wait(() => bob.transport.relayState.state === 'failed');
          const state = bob.transport.relayState;
          assert.equal(state.state === 'failed' && state.reason, reason);
        }
        const carol = await world.start(3);
        carol.transport.setRelay(writeRelayAddress({ ...address, token: 'guessed' }));
        await world.wait(() => carol.transport.relayState.state === 'failed');
        const refused = carol.transport.relayState;
        assert.equal(refused.state === 'failed' && refused.reason, 'refused');
      });

      it('R4 a wrong key is given nothing', async () => {
        const address = readRelayAddress(world.relay)!;
        const relay = writeRelayAddress({ ...address, key: new Uint8Array(32).fill(3) });
        const outcome = alice.transport.submit([{ device: bob.device, relay, capability }], text('secret'), durable);
        assert.deepEqual(await world.complete(outcome), ['unavailable']);
        await assert.rejects(world.complete(alice.transport.getParcel(relay, new Uint8Array(32), 0, 1)));
      });

      it('answers `unavailable` while the relay is down, and delivers once it is back', async () => {
        await subscribe(bob);
        await submit(alice, bob, text('before'));
        await world.wait(() => bob.arrived.length === 1);
        bob.arrived[0]!.handled();
        await world.setRelayUp(false);
        await world.wait(() => bob.transport.relayState.state === 'failed');
        assert.deepEqual(await submit(alice, bob, text('lost')), ['unavailable']);
        await world.setRelayUp(true);
        await world.wait(() => bob.transport.relayState.state === 'connected');
        let outcome = await submit(alice, bob, text('after'));
        while (outcome[0] === 'unavailable') outcome = await submit(alice, bob, text('after'));
        assert.deepEqual(outcome, ['ok']);
        await world.wait(() => words(bob.arrived).includes('after'));
      });
    });

    it('answers after it was stopped, without doing anything', async () => {
      await subscribe(bob);
      await alice.transport.stop();
      assert.equal(alice.transport.send(bob.device, text('late'), Lane.control), false);
      assert.deepEqual(await submit(alice, bob, text('late')), ['unavailable']);
      await assert.rejects(world.complete(alice.transport.getParcel(world.relay, new Uint8Array(32), 0, 1)), {
        code: 'stopped',
      });
    });
  });
}
