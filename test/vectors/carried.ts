/** Vectors of what carries it: the channel, the relay's messages, the LAN's datagrams, and content. */
import assert from 'node:assert/strict';
import type { ChunkId, DeviceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { SecureChannel } from '../../src/protocol/channel.ts';
import { decode } from '../../src/protocol/codec.ts';
import {
  decodeNotice,
  decodeRequest,
  encodeNotice,
  encodeRequest,
  type RelayNotice,
  type RelayRequest,
} from '../../src/protocol/relay-messages.ts';
import { readAnnouncement, tagOf, writeAnnouncement } from '../../src/relay-client/lan-announcement.ts';
import { generationKey } from '../../src/sync/epoch.ts';
import { Chunker } from '../../src/tools/files/chunker.ts';
import { openChunk, sealChunk } from '../../src/tools/files/content.ts';
import { applyPatch, makePatch } from '../../src/tools/files/patch.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { notation } from './notation.ts';
import { bytes, hex, vectorSet } from './set.ts';

const crypto = nodeCrypto(seededRandom('vectors of what carries'));
const some = (length: number) => crypto.randomBytes(length);
const id = <T extends string>(length = 32) => hex(some(length)) as T;

const REQUESTS: readonly RelayRequest[] = [
  { type: 'register', token: 'a token' },
  { type: 'confirm', hashes: [some(32), some(32)] },
  {
    type: 'submit',
    messageId: some(16),
    ephemeral: false,
    recipients: [{ device: some(32), capability: some(32) }],
    body: some(9),
  },
  { type: 'subscribe' },
  { type: 'ack', position: 70_000 },
  { type: 'parcelPut', parcel: some(32), total: 1_000, offset: 7, bytes: some(9) },
  { type: 'parcelGet', parcel: some(32), offset: 7, length: 900 },
  { type: 'parcelKeep', parcel: some(32), references: 0 },
];
const NOTICES: readonly RelayNotice[] = [
  { type: 'answer', request: 3, code: 0, value: [0, 2] },
  { type: 'deliver', position: 70_000, sender: some(32), messageId: some(16), body: some(9) },
  { type: 'marker', position: 9, reason: 1 },
  { type: 'replaced' },
  { type: 'hello', limits: [['queueBytes', 67_108_864]] },
];

interface RelayVector {
  readonly type: string;
  readonly bytes: string;
  readonly notation: string;
}

function relayVector(type: string, packet: Uint8Array): RelayVector {
  const decoded = decode(packet);
  assert.ok(decoded.ok);
  return { type, bytes: hex(packet), notation: notation(decoded.value) };
}

const relay = vectorSet<RelayVector>({
  file: 'relay-messages.json',
  about: 'Packets between a device and a relay, of every type; a request’s id is its place here, from 1.',
  make: () => [
    ...REQUESTS.map((request, i) => relayVector(request.type, encodeRequest(i + 1, request))),
    ...NOTICES.map((notice) => relayVector(notice.type, encodeNotice(notice))),
  ],
  prove(vector) {
    const [request, notice] = [decodeRequest(bytes(vector.bytes)), decodeNotice(bytes(vector.bytes))];
    assert.notEqual(request.ok, notice.ok);
    if (request.ok) {
      assert.equal(request.value.request.type, vector.type);
      assert.equal(hex(encodeRequest(request.value.id, request.value.request)), vector.bytes);
    }
    if (notice.ok) {
      assert.equal(notice.value.type, vector.type);
      assert.equal(hex(encodeNotice(notice.value)), vector.bytes);
    }
    assert.deepEqual(relayVector(vector.type, bytes(vector.bytes)), vector);
  },
});

interface ChannelVector {
  readonly initiatorStatic: string;
  readonly initiatorEphemeral: string;
  readonly responderStatic: string;
  readonly responderEphemeral: string;
  readonly lane: number;
  readonly packet: string;
  readonly handshake: readonly string[];
  /** The packet as the initiator sends it, then as the responder does. */
  readonly frames: readonly [string, string];
}

/** Without certificates, as a relay is: the published vectors have payloads. */
function speak(input: Omit<ChannelVector, 'handshake' | 'frames'>): ChannelVector {
  const [initiator, responder] = (['initiator', 'responder'] as const).map(
    (role) =>
      new SecureChannel({
        crypto: { ...crypto, randomBytes: () => bytes(input[`${role}Ephemeral`]) },
        role,
        identity: { staticSecret: bytes(input[`${role}Static`]), payload: new Uint8Array(0) },
        expect: 'any',
      }),
  ) as [SecureChannel, SecureChannel];
  const handshake = initiator.start();
  for (let to = responder; handshake.length < 3; to = to === responder ? initiator : responder) {
    const received = to.receive(handshake.at(-1)!);
    assert.ok(received.ok);
    handshake.push(...received.value.send);
  }
  assert.ok(responder.receive(handshake[2]!).ok);
  const frames = [
    [initiator, responder],
    [responder, initiator],
  ].map(([from, to]) => {
    from!.push(input.lane, bytes(input.packet));
    const frame = from!.pull()!;
    const received = to!.receive(frame);
    assert.ok(received.ok);
    assert.deepEqual(
      received.value.packets.map(({ lane, bytes: packet }) => [lane, hex(packet)]),
      [[input.lane, input.packet]],
    );
    return hex(frame);
  }) as [string, string];
  return { ...input, handshake: handshake.map(hex), frames };
}

const channel = vectorSet<ChannelVector>({
  file: 'channel.json',
  about: 'A channel (T1) from given secrets, both sides without a certificate: three handshake frames, then one packet each way.',
  make: () =>
    [0, 40].map((length) =>
      speak({
        initiatorStatic: id(),
        initiatorEphemeral: id(),
        responderStatic: id(),
        responderEphemeral: id(),
        lane: length === 0 ? 0 : 3,
        packet: id(length),
      }),
    ),
  prove: (vector) => assert.deepEqual(speak(vector), vector),
});

interface LanVector {
  readonly device: string;
  readonly hour: number;
  readonly tag: string;
  readonly port: number;
  readonly datagram: string;
}

const lan = vectorSet<LanVector>({
  file: 'lan.json',
  about: 'A datagram on the LAN (T2); `hour` counts from 1970.',
  make() {
    const [device, hour, port] = [id<DeviceId>(), 500_000, 2492];
    const tag = tagOf(crypto, device, hour);
    return [{ device, hour, tag, port, datagram: hex(writeAnnouncement(tag, port)) }];
  },
  prove({ device, hour, tag, port, datagram }) {
    assert.equal(tagOf(crypto, device as DeviceId, hour), tag);
    assert.deepEqual(readAnnouncement(bytes(datagram)), { tag, port });
    assert.equal(hex(writeAnnouncement(tag, port)), datagram);
  },
});

interface ChunkVector {
  readonly epochKey: string;
  readonly kg: string;
  readonly plaintext: string;
  readonly id: string;
  readonly bytes: string;
}

function chunkOf(epochKey: string, plaintext: string): ChunkVector {
  const kg = generationKey(crypto, bytes(epochKey));
  const sealed = sealChunk(crypto, kg, bytes(plaintext));
  return { epochKey, kg: hex(kg), plaintext, id: sealed.id, bytes: hex(sealed.bytes) };
}

const chunks = vectorSet<ChunkVector>({
  file: 'chunks.json',
  about: 'Chunks under an epoch’s chunk key (F1).',
  make: () => [1, 33, 300].map((length) => chunkOf(id(), id(length))),
  prove(vector) {
    assert.deepEqual(chunkOf(vector.epochKey, vector.plaintext), vector);
    const plaintext = openChunk(crypto, bytes(vector.kg), vector.id as ChunkId, bytes(vector.bytes));
    assert.equal(plaintext && hex(plaintext), vector.plaintext);
  },
});

interface CutVector {
  readonly seed: string;
  readonly length: number;
  readonly chunks: readonly number[];
}

function cut(seed: string, length: number): CutVector {
  const chunker = new Chunker();
  const parts = [...chunker.push(seededRandom(seed)(length)), ...chunker.finish()];
  return { seed, length, chunks: parts.map((part) => part.length) };
}

const cuts = vectorSet<CutVector>({
  file: 'cuts.json',
  about: 'Where a stream is cut (F1): the stream is SHA-256 of `seed/0`, of `seed/1` and so on, in ASCII, as long as `length` says.',
  make: () => [cut('short', 262_144), cut('long', 2_000_000)],
  prove: (vector) => assert.deepEqual(cut(vector.seed, vector.length), vector),
});

interface PatchVector {
  readonly before: string;
  readonly patch: string;
  readonly after: string;
}

const patches = vectorSet<PatchVector>({
  file: 'patches.json',
  about: 'Differences (F1): what `patch` makes of `before`. Another writer may find another patch; a reader makes the same of it.',
  make() {
    const before = some(300);
    const after = Uint8Array.from([...before.subarray(0, 90), ...some(20), ...before.subarray(95)]);
    return [{ before: hex(before), patch: hex(makePatch(before, after)!), after: hex(after) }];
  },
  prove({ before, patch, after }) {
    const made = applyPatch(bytes(before), bytes(patch));
    assert.equal(made && hex(made), after);
  },
});

export const CARRIED = [relay, channel, lan, chunks, cuts, patches];
