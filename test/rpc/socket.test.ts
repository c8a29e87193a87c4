import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { ApiClient } from '../../src/rpc/client.ts';
import { dial, LocalListener } from '../../src/rpc/local-socket.ts';
import { newToken, type OwnerRecord } from '../../src/rpc/owner-record.ts';
import type { MessageDuplex } from '../../src/rpc/port.ts';
import { MAX_GUESTS, MAX_RPC_MESSAGE_BYTES, RPC_PROTOCOL } from '../../src/rpc/rpc-limits.ts';
import { ApiServer } from '../../src/rpc/server.ts';
import { proveAsGuest } from '../../src/rpc/socket-proof.ts';
import { fakeApi, served } from './fixtures/fake-api.ts';
import { temporaryFolder } from './fixtures/processes.ts';

describe('local socket', () => {
  const home = temporaryFolder();
  const token = newToken();
  let listener: LocalListener;
  let guests: MessageDuplex[];
  let server: ApiServer;
  let record: OwnerRecord;
  let dialled: MessageDuplex[];
  let onGuest: () => void;
  beforeEach(async () => {
    guests = [];
    dialled = [];
    onGuest = () => undefined;
    server = new ApiServer({ build: 'b' });
    const read = async (_w: string, _t: string, _p: string, range?: { readonly length: number }) =>
      new Uint8Array(range!.length).fill(9, 0, 30_000_000);
    const write = async (_w: string, _t: string, _p: string, bytes: Uint8Array) =>
      `${bytes.constructor.name} ${bytes.length}`;
    server.open(served(fakeApi({ relay: async () => ({ state: 'off' }), read, write })));
    listener = await LocalListener.open(home.path, token, (guest) => {
      guests.push(guest);
      server.accept(guest);
      onGuest();
    });
    record = { socket: listener.path, token };
  });
  afterEach(async () => {
    for (const duplex of dialled) duplex.close();
    await listener.close();
  });
  after(() => home.remove());

  const connect = async () => {
    const found = await dial(record, 5_000);
    assert.equal(found.state, 'open');
    assert.ok('duplex' in found);
    dialled.push(found.duplex);
    return found.duplex;
  };
  const guest = async () => {
    const client = new ApiClient('b');
    assert.equal(await client.attach(await connect()), 'welcome');
    return client;
  };
  const stillServes = async (client: ApiClient) => assert.deepEqual(await client.api.relay(), { state: 'off' });

  it('carries calls and large bytes both ways', async () => {
    const { api } = await guest();
    const bytes = await api.read('w', 't', '/a', { offset: 0, length: 30_000_000 });
    assert.deepEqual([bytes.constructor, bytes.length, bytes[0], bytes.at(-1)], [Uint8Array, 30_000_000, 9, 9]);
    const write = (content: Uint8Array) => api.write('w', 't', '/a', content, { create: true, overwrite: true });
    assert.equal(await write(Buffer.alloc(3_000_000)), 'Uint8Array 3000000');
    assert.equal(await write(new Uint8Array(0)), 'Uint8Array 0');
  });

  it('a call too large for a message is told so, and the others go on', async () => {
    const client = await guest();
    const { api } = client;
    const tooLarge = new Uint8Array(MAX_RPC_MESSAGE_BYTES + 1);
    await assert.rejects(api.write('w', 't', '/a', tooLarge, { create: true, overwrite: true }), { code: 'tooLarge' });
    const length = MAX_RPC_MESSAGE_BYTES + 1;
    await assert.rejects(api.read('w', 't', '/a', { offset: 0, length }), { code: 'tooLarge' });
    await stillServes(client);
  });

  it('who does not know the token is closed before anything is decoded', async () => {
    const witness = await guest();
    assert.equal((await dial({ ...record, token: newToken() }, 5_000)).state, 'dead', 'nor is the owner believed');
    for (const opening of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'.repeat(10)),
      randomBytes(1_000),
      Buffer.concat([Buffer.from('COTERIE1'), randomBytes(32), randomBytes(32), framed({ type: 'hello' })]),
      Buffer.concat([Buffer.from('COTERIE1'), token, token]),
    ]) {
      const socket = createConnection(record.socket);
      socket.write(opening);
      socket.resume();
      await closeOf(socket);
    }
    assert.equal(guests.length, 1);
    await stillServes(witness);
  });

  it('one who opens and goes, or says half of it, harms nothing', async () => {
    const witness = await guest();
    for (const opening of ['', 'COTERIE1', 'COTERIE1'.repeat(5)]) {
      const socket = createConnection(record.socket);
      socket.end(opening);
      socket.resume();
      await closeOf(socket);
    }
    await stillServes(witness);
  });

  it('garbage after the proof closes that connection only', async () => {
    const witness = await guest();
    const hello = framed({ type: 'hello', protocol: RPC_PROTOCOL, build: 'b' });
    for (const garbage of [
      // Of a length that nothing has: chance would now and then make a short one, of which more is waited for.
      Buffer.concat([Buffer.from([255]), randomBytes(100_000)]),
      Buffer.from([0, 0, 0, 0]),
      Buffer.from([255, 255, 255, 255, 1]),
      framed(undefined),
      Buffer.from([0, 0, 0, 1, 9]),
      Buffer.from([0, 0, 0, 6, 255, 255, 255, 255, 0, 0]),
      Buffer.concat([Buffer.from([0, 0, 0, 9, 0, 0, 0, 5]), randomBytes(5)]),
      Buffer.concat([hello, framed({ type: 'call', id: 1, method: '__proto__', args: [] })]),
      Buffer.concat([hello, framed({ type: 'call', id: 1, method: 'relay', args: [] }).fill(255, 12)]),
    ]) {
      const socket = createConnection(record.socket);
      assert.notEqual(typeof (await proveAsGuest(socket, token, 5_000)), 'string');
      socket.on('error', () => undefined);
      socket.write(garbage);
      socket.resume();
      await closeOf(socket);
    }
    await stillServes(witness);
  });

  it('messages in pieces and many in one piece are the same messages', async () => {
    const socket = createConnection(record.socket);
    const proved = await proveAsGuest(socket, token, 5_000);
    assert.ok(typeof proved === 'object');
    const call = (id: number) => framed({ type: 'call', id, method: 'relay', args: [] });
    const stream = Buffer.concat([
      framed({ type: 'hello', protocol: RPC_PROTOCOL, build: 'b' }),
      call(1),
      call(2),
      call(3),
    ]);
    let received = 0;
    const expected = Buffer.concat([
      framed({ type: 'opening' }),
      framed({ type: 'welcome' }),
      ...[1, 2, 3].map((id) => framed({ type: 'answer', id, value: { state: 'off' } })),
    ]).length;
    const all = new Promise<void>((resolve) =>
      socket.on('data', (bytes) => {
        received += bytes.length;
        if (received === expected) resolve();
      }),
    );
    socket.resume();
    const cut = stream.length - call(1).length * 2;
    for (const byte of stream.subarray(0, cut))
      await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    socket.write(stream.subarray(cut));
    await all;
    socket.destroy();
  });

  it('another build is refused over the socket too', async () => {
    const client = new ApiClient('newer');
    assert.deepEqual(await client.attach(await connect()), { refusedBy: 'b' });
  });

  it('L3 a full house is not a dead owner', async () => {
    for (let i = 0; i < MAX_GUESTS; i++) await connect();
    assert.equal((await dial(record, 5_000)).state, 'unclear');
    const left = new Promise<void>((resolve) => guests[0]!.onClose(() => resolve()));
    dialled[0]!.close();
    await left;
    assert.equal((await dial(record, 5_000)).state, 'open');
  });

  it('L3 an impostor on a name that the owner has left learns nothing and is not believed', async () => {
    const socketPath = join(home.path, 'impostor');
    const heard: Buffer[] = [];
    const impostor = createServer((socket) => {
      socket.on('data', (bytes) => {
        heard.push(bytes);
        socket.write(Buffer.concat([bytes.subarray(8), bytes.subarray(8)]));
      });
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => impostor.listen(socketPath, resolve));
    assert.equal((await dial({ socket: socketPath, token }, 5_000)).state, 'dead');
    assert.equal(Buffer.concat(heard).length, 40);
    assert.equal(Buffer.concat(heard).includes(Buffer.from(token)), false);
    await new Promise<void>((resolve) => impostor.close(() => resolve()));
  });

  it('closing the listener closes the guests, after what was sent', async () => {
    const client = await guest();
    const closed = new Promise<void>((resolve) => dialled[0]!.onClose(() => resolve()));
    const relay = client.api.relay();
    await relay;
    await listener.close();
    await closed;
    assert.equal((await dial(record, 5_000)).state, 'dead');
  });
});

function framed(message: unknown): Buffer {
  const body = serialize(message);
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(4 + body.length);
  lengths.writeUInt32BE(body.length, 4);
  return Buffer.concat([lengths, body]);
}

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}
