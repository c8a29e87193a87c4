import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ChunkId, DeltaId, DeviceId, WorkspaceId } from '../../src/base/ids.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import { feedOf } from '../../src/sync/delta.ts';
import { decodeMessage, encodeMessage, markOf, type Message } from '../../src/sync/messages.ts';

const DEVICE = '0a'.repeat(32) as DeviceId;
const CHUNK = 'c0'.repeat(32) as ChunkId;
const vector = [
  markOf(feedOf(DEVICE, 0), 7, 'ab'.repeat(32) as DeltaId),
  markOf(feedOf(DEVICE, 3), 1, 'cd'.repeat(32) as DeltaId),
];
const EXAMPLES: readonly Message[] = [
  { kind: 'deltas', runs: [[new Uint8Array([1, 2]), new Uint8Array([3])], [new Uint8Array([4])]] },
  { kind: 'have', vector, answer: true, root: '' },
  { kind: 'got', heads: [{ device: '0102030405060708', generation: 3, seq: 7 }] },
  { kind: 'want', chunks: [CHUNK] },
  { kind: 'chunks', chunks: [{ id: CHUNK, bytes: new Uint8Array(5) }], absent: [CHUNK] },
  {
    kind: 'parcels',
    parcels: [{ relay: 'r', parcel: new Uint8Array(32), chunks: [{ id: CHUNK, offset: 0, length: 9 }] }],
  },
  { kind: 'presence', state: 1, addresses: ['10.0.0.1:2492'], answer: false },
  {
    kind: 'join',
    certificate: new Uint8Array(200),
    name: 'Bob',
    relay: '',
    addresses: [],
    signature: new Uint8Array(64),
  },
  { kind: 'welcome', admit: new Uint8Array(300), total: 12 },
  { kind: 'declined', reason: 2 },
  { kind: 'needKey', epoch: '0102030405060708' },
  {
    kind: 'key',
    notice: {
      commit: new Uint8Array(32),
      boxes: { ephemeral: new Uint8Array(32), entries: [{ prefix: new Uint8Array(8), box: new Uint8Array(48) }] },
    },
  },
  { kind: 'fetch', ids: [DEVICE as string as DeltaId] },
  { kind: 'needBase', root: new Uint8Array(0), part: 3 },
  { kind: 'base', root: new Uint8Array(32), part: 3, parts: 4, bytes: new Uint8Array(100) },
  { kind: 'account', seed: new Uint8Array(32) },
  {
    kind: 'devices',
    devices: [{ certificate: new Uint8Array(200), name: 'Laptop', relay: '', addresses: ['192.168.1.7:2492'] }],
  },
  {
    kind: 'workspace',
    workspace: DEVICE as string as WorkspaceId,
    name: 'Apollo',
    admit: new Uint8Array(300),
    total: 12,
  },
  { kind: 'nameDevice', name: 'The big one' },
];

const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.maxSafeInteger(),
    fc.constantFrom(8, 31, 32, 33, 64).chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
    fc.string(),
    fc.constantFrom<Value>(null, true, false),
    fc.array(tie('value'), { maxLength: 5 }),
  ),
})).value;

describe('S1 messages', () => {
  it('S1 every kind is read as it was written', () => {
    for (const message of EXAMPLES) {
      const decoded = decodeMessage(encodeMessage(DEVICE, message));
      assert.ok(decoded.ok, message.kind);
      assert.deepEqual(decoded.value, { sender: DEVICE.slice(0, 16), message });
    }
  });

  it('S1 a message cut short, or with one byte changed, is read or refused, never an exception', () => {
    for (const message of EXAMPLES) {
      const bytes = encodeMessage(DEVICE, message);
      for (let at = 0; at < bytes.length; at++) {
        assert.equal(decodeMessage(bytes.subarray(0, at)).ok, false);
        for (const bits of [1, 0x20, 0xff]) {
          const changed = bytes.slice();
          changed[at]! ^= bits;
          const decoded = decodeMessage(changed);
          if (decoded.ok) assert.ok(encodeMessage(decoded.value.sender, decoded.value.message).length > 0);
        }
      }
    }
  });

  it('S1 whatever bytes and values come in, the answer is a Result', () => {
    const check = (bytes: Uint8Array) => {
      const decoded = decodeMessage(bytes);
      assert.ok(decoded.ok || decoded.error.tag === 'badMessage');
      // What was read can be written: nothing half-checked came through.
      if (decoded.ok) assert.ok(decodeMessage(encodeMessage(decoded.value.sender, decoded.value.message)).ok);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), check), { seed: 4, numRuns: 2000 });
    const fields = fc.tuple(fc.integer({ min: -1, max: 11 }), fc.array(anyValue, { maxLength: 6 }), fc.boolean());
    fc.assert(
      fc.property(fields, ([kind, rest, sender]) => {
        check(encode([kind, sender ? new Uint8Array(32) : 'nobody', ...rest]));
      }),
      { seed: 5, numRuns: 5000 },
    );
  });

  it('S1 each field of each kind refuses what it is not', () => {
    const wrong: readonly Value[] = [-1, 2 ** 40, 'x'.repeat(600), new Uint8Array(600), null, [[[]]], [-1]];
    for (const message of EXAMPLES) {
      const decoded = decode(encodeMessage(DEVICE, message));
      assert.ok(decoded.ok);
      const fields = decoded.value as readonly Value[];
      for (let at = 0; at < fields.length; at++) {
        const refused = wrong.filter((value) => !decodeMessage(encode(fields.with(at, value))).ok).length;
        assert.ok(refused >= wrong.length - 2, `${message.kind}, field ${at}: ${refused} of ${wrong.length}`);
        assert.equal(decodeMessage(encode(fields.slice(0, at))).ok, false, `${message.kind} with ${at} fields`);
      }
    }
  });
});
