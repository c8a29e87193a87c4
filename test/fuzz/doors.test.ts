/** Readers at the other doors: the LAN, addresses in others' records, links, the local socket, the device's own records, the relay's store. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Serializer } from 'node:v8';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { toHex } from '../../src/base/bytes.ts';
import type { FeedId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { decode, encode } from '../../src/protocol/codec.ts';
import { decodeRequest, encodeRequest, type RelayRequest } from '../../src/protocol/relay-messages.ts';
import { DEFAULT_LIMITS } from '../../src/relay/limits.ts';
import { openThreadedStore } from '../../src/relay/store-thread.ts';
import type { RelayStore } from '../../src/relay/store.ts';
import { readAddress, writeAddress } from '../../src/relay-client/addresses.ts';
import { readAnnouncement, writeAnnouncement } from '../../src/relay-client/lan-announcement.ts';
import { decodeValue, encodeValue } from '../../src/rpc/frame-values.ts';
import { clientMessageOf, serverMessageOf } from '../../src/rpc/messages.ts';
import { newestRecord } from '../../src/rpc/owner-record.ts';
import { readMarks, writeMarks } from '../../src/service/peer-memory.ts';
import { decodeRecord, encodeRecord } from '../../src/service/records.ts';
import { invitationOfLink, invitationOfText } from '../../src/views/invitation-text.ts';
import { memoryRelayStore } from '../fakes/memory-relay-store.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { attack, bounded, fixed, TIMEOUT_MS } from './attack.ts';
import { changedBytes, changedItems } from './mutations.ts';
import { survivesText } from './texts.ts';

const crypto = nodeCrypto(seededRandom('fuzz doors'));
const bytesOf = (length: number) => crypto.randomBytes(length);

attack({
  name: 'T2 a datagram on the LAN',
  valid: [writeAnnouncement(toHex(bytesOf(16)), 2492), writeAnnouncement(toHex(bytesOf(16)), 0)],
  opaque: true,
  read: (bytes) => {
    const read = readAnnouncement(bytes);
    return read && writeAnnouncement(read.tag, read.port);
  },
});

survivesText({
  name: 'T1 an address of a device',
  valid: ['192.168.1.7:2492', '[fe80::1%eth0]:2492', 'host.example:1'],
  read: (text) => {
    const address = readAddress(text);
    if (!address) return false;
    assert.deepEqual(readAddress(writeAddress(address.host, address.port)), address);
    return true;
  },
});

const SECRET = Buffer.from(bytesOf(200)).toString('base64url');
survivesText({
  name: 'N1 what a link or a clipboard holds',
  valid: [
    `vscode://coterie.coterie/join#${SECRET}`,
    `vscode://coterie.coterie/join?i=${SECRET}&windowId=1`,
    `<vscode-insiders://coterie.coterie/join?${SECRET}>`,
  ],
  read: (text) => {
    // Taken apart as VS Code hands it to us; it has decoded nothing that a browser would not have.
    const [, query = '', fragment = ''] = /^[^?#]*\??([^#]*)#?(.*)$/s.exec(text) ?? [];
    invitationOfLink({ path: '/join', query, fragment });
    invitationOfLink({ path: text, query: text, fragment: '' });
    return invitationOfText(text).includes(SECRET);
  },
});

const feed = (generation: number) => `${toHex(bytesOf(32))}.${generation}` as FeedId;

attack({
  name: 'L1 what a record of the journal holds',
  valid: [
    encodeRecord({ kind: 'delta', workspace: toHex(bytesOf(32)) as WorkspaceId, bytes: bytesOf(120) }),
    encodeRecord({
      kind: 'deltas',
      workspace: toHex(bytesOf(32)) as WorkspaceId,
      deltas: [bytesOf(9), bytesOf(30)],
    }),
    encodeRecord({ kind: 'local', key: 'seen/1', value: [1, [2, null], 'x'] }),
    encodeRecord({ kind: 'local', key: '', value: null }),
  ],
  read: (bytes) => {
    const record = decodeRecord(bytes);
    return record && encodeRecord(record);
  },
});

attack({
  name: 'L1 what is remembered of a peer',
  valid: [
    encode(
      writeMarks([
        { feed: feed(0), seq: 1 },
        { feed: feed(2), seq: 70_000 },
      ]),
    ),
    encode([]),
  ],
  read: (bytes) => {
    const decoded = decode(bytes);
    if (!decoded.ok) return undefined;
    const marks = readMarks(decoded.value);
    // A memory that cannot be read is none: it costs a message more.
    return marks.length > 0 ? encode(writeMarks(marks)) : toHex(bytes) === '80' ? bytes : undefined;
  },
});

// ---- the local socket ----------------------------------------------------------------------------------------------------

const frameOf = (value: unknown): Uint8Array => {
  const { head, bytes } = encodeValue(value);
  return new Uint8Array(Buffer.concat([head, ...bytes]));
};

function bareFrame(value: unknown): Uint8Array {
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  const body = serializer.releaseBuffer();
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return new Uint8Array(Buffer.concat([head, body]));
}

describe('L3 frames of the local socket', function () {
  this.timeout(TIMEOUT_MS);

  const frames = [
    frameOf({ type: 'hello', protocol: 1, build: 'x' }),
    frameOf({ type: 'call', id: 7, method: 'list', args: ['w', 't', '/'], key: 'k' }),
    frameOf({ type: 'call', id: 8, method: 'write', args: ['w', 't', '/a', bytesOf(40), { create: true }] }),
    frameOf({ type: 'event', event: { type: 'workspaces' } }),
    bareFrame([
      new Map([[1n, new Date(0)]]),
      new Set([-0, NaN, undefined]),
      /x/g,
      new Float64Array(3),
      { __proto__: 1 },
    ]),
  ];
  /** The socket's owner closes the connection on an error, and on nothing else. */
  const read = (frame: Uint8Array): boolean =>
    bounded(frame.length, () => {
      try {
        const value = decodeValue(frame);
        clientMessageOf(value);
        serverMessageOf(value);
        return true;
      } catch (error) {
        assert.ok(error instanceof Error);
        return false;
      }
    });

  it('L3 are values or errors, whatever was changed in them', () => {
    const counts = { values: 0, errors: 0 };
    const input = fc.oneof(changedBytes(frames), fc.uint8Array({ maxLength: 100 }));
    fc.assert(
      fc.property(input, (frame) => void counts[read(frame) ? 'values' : 'errors']++),
      fixed(61, 1_500),
    );
    assert.ok(counts.values > 0 && counts.errors > 0, 'the check was empty');
  });

  it('L3 that promise what does not follow make nothing of it', () => {
    // v8 15: tags of a dense and a sparse array, a string, an object, an array buffer and a view, each of 2^28 to 2^32.
    for (const tag of ['A', 'a', '"', 'c', 'o', 'B', 'V', 'Z', '~', 'u', ';', "'", '\\']) {
      for (const length of [
        [0xff, 0xff, 0xff, 0xff, 0x0f],
        [0x80, 0x80, 0x80, 0x80, 0x01],
      ]) {
        const body = [0xff, 0x0f, tag.charCodeAt(0), ...length, ...length, 0, 0];
        read(Uint8Array.from([0, 0, 0, body.length, ...body]));
        read(Uint8Array.from([0, 0, 0, body.length, ...body, ...new Uint8Array(64)]));
      }
    }
    const deep = Uint8Array.from([0xff, 0x0f, ...Array.from({ length: 100_000 }, () => [0x41, 0x01]).flat()]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(deep.length);
    assert.equal(read(new Uint8Array(Buffer.concat([head, deep]))), false);
  });

  it('L3 an owner’s record that somebody has written over is none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coterie-owner-'));
    try {
      await mkdir(join(folder, 'owner', '1'), { recursive: true });
      const record = JSON.stringify({ socket: '/tmp/x', token: Buffer.from(bytesOf(32)).toString('base64url') });
      const text = fc.oneof(
        fc.json(),
        fc.string({ unit: 'binary' }),
        fc.constantFrom('null', '[]', '{}', '{"socket":1,"token":2}', '{"token":"a"}', '"'),
        changedBytes([new TextEncoder().encode(record)]).map((bytes) => Buffer.from(bytes).toString('latin1')),
      );
      const check = fc.asyncProperty(text, async (one) => {
        await writeFile(join(folder, 'owner', '1', 'record'), one);
        const found = await newestRecord(folder);
        assert.equal(found?.generation, 1);
        if (found.record) assert.equal(found.record.token.length, 32);
      });
      await fc.assert(check, fixed(62, 150));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

// ---- the relay's store ---------------------------------------------------------------------------------------------------

describe('R1 the relay’s store, by whatever requests come to it', function () {
  this.timeout(TIMEOUT_MS);

  const [alice, bob, stranger] = [1, 2, 3].map((n) => new Uint8Array(32).fill(n)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const capability = bytesOf(32);
  const sound: readonly RelayRequest[] = [
    { type: 'confirm', hashes: [crypto.sha256(capability)] },
    {
      type: 'submit',
      messageId: bytesOf(16),
      ephemeral: false,
      recipients: [{ device: bob, capability }],
      body: bytesOf(20),
    },
    {
      type: 'submit',
      messageId: bytesOf(16),
      ephemeral: false,
      recipients: [alice, bob, stranger].map((device) => ({ device, capability })),
      body: bytesOf(20),
    },
    { type: 'ack', position: 1 },
    { type: 'parcelPut', parcel: bytesOf(32), total: 100, offset: 0, bytes: bytesOf(100) },
    { type: 'parcelKeep', parcel: bytesOf(32), references: 0 },
  ];

  /** What the relay's session does of it, as far as the store is concerned. */
  async function carryOut(store: RelayStore, device: Uint8Array, request: RelayRequest): Promise<unknown> {
    switch (request.type) {
      case 'register':
        return store.register({ device, account: device, agreement: device });
      case 'confirm':
        return store.confirm(device, request.hashes);
      case 'submit': {
        const recipients = request.recipients.map((one) => ({
          device: one.device,
          hash: crypto.sha256(one.capability),
        }));
        return store.submit({ sender: device, messageId: request.messageId, recipients, body: request.body }, 1_000);
      }
      case 'subscribe':
        return store.page(device, 0, 1_000);
      case 'ack':
        return store.ack(device, request.position);
      case 'parcelPut':
        return store.openParcel(request.parcel, device, request.total, 1_000_000, 1_000);
      case 'parcelGet':
        return (await store.parcel(request.parcel)) ?? null;
      case 'parcelKeep':
        return store.keepParcel(request.parcel, device, request.references, 1_000);
    }
  }

  it('R1 SQLite and plain lists answer the same, and nothing throws', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coterie-relay-'));
    const limits = {
      ...DEFAULT_LIMITS,
      queueMessages: 40,
      queueBytes: 5_000,
      firstContactMessages: 4,
      reserveBytes: 0,
    };
    const [real, plain] = [await openThreadedStore(folder, limits), memoryRelayStore(limits)];
    try {
      for (const store of [real, plain]) {
        for (const device of [alice, bob]) await store.register({ device, account: device, agreement: device });
      }
      let carried = 0;
      const bytes = fc.oneof(
        changedItems(sound.map((request, id) => encodeRequest(id, request))),
        fc.constantFrom(...[...sound, { type: 'subscribe' } as const].map((request, id) => encodeRequest(id, request))),
      );
      const check = fc.asyncProperty(fc.constantFrom(alice, bob, stranger), bytes, async (device, input) => {
        const decoded = decodeRequest(input);
        if (!decoded.ok) return;
        carried++;
        const { request } = decoded.value;
        // Only registered devices come so far as this.
        if (device === stranger && request.type !== 'register') return;
        assert.deepEqual(await carryOut(real, device, request), await carryOut(plain, device, request));
      });
      await fc.assert(check, { ...fixed(63, 600), endOnFailure: true });
      assert.ok(carried > 100, 'few requests were carried out: the check was empty');
    } finally {
      await real.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
