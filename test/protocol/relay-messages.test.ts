import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { toHex } from '../../src/base/bytes.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import {
  MAX_MESSAGE_BYTES,
  MAX_NAME_BYTES,
  RELAY_MAX_CAPABILITIES,
  RELAY_MAX_PARCEL_BYTES,
  RELAY_MAX_RECIPIENTS,
  RELAY_PARCEL_SLICE_BYTES,
} from '../../src/protocol/limits.ts';
import {
  Code,
  decodeNotice,
  decodeRequest,
  encodeNotice,
  encodeRequest,
  Marker,
  type RelayNotice,
  type RelayRequest,
} from '../../src/protocol/relay-messages.ts';

const key = (fill: number) => new Uint8Array(32).fill(fill);
const messageId = new Uint8Array(16).fill(7);
const body = Uint8Array.of(1, 2, 3);
const recipient = { device: key(1), capability: key(2) };

const REQUESTS: readonly RelayRequest[] = [
  { type: 'register', token: '' },
  { type: 'register', token: 'a'.repeat(MAX_NAME_BYTES) },
  { type: 'confirm', hashes: [] },
  { type: 'confirm', hashes: [key(3), key(4)] },
  { type: 'submit', messageId, ephemeral: false, recipients: [recipient], body },
  {
    type: 'submit',
    messageId,
    ephemeral: true,
    recipients: Array.from({ length: RELAY_MAX_RECIPIENTS }, () => recipient),
    body,
  },
  { type: 'subscribe' },
  { type: 'ack', position: 0 },
  { type: 'ack', position: Number.MAX_SAFE_INTEGER },
  { type: 'parcelPut', parcel: key(5), total: 10, offset: 7, bytes: body },
  { type: 'parcelPut', parcel: key(5), total: 0, offset: 0, bytes: new Uint8Array(0) },
  { type: 'parcelGet', parcel: key(5), offset: 0, length: RELAY_PARCEL_SLICE_BYTES },
  { type: 'parcelKeep', parcel: key(5), references: 0 },
];

const NOTICES: readonly RelayNotice[] = [
  { type: 'answer', request: 1, code: Code.ok, value: [0, 1] },
  { type: 'answer', request: 2, code: Code.unavailable, value: null },
  { type: 'deliver', position: 0, sender: key(6), messageId, body },
  { type: 'marker', position: 9, reason: Marker.full },
  { type: 'marker', position: 9, reason: Marker.expired },
  { type: 'replaced' },
  { type: 'hello', limits: [] },
  { type: 'hello', limits: [['queueBytes', 1_000]] },
];

const requestOf = (...fields: readonly Value[]) => decodeRequest(encode(fields)).ok;
const noticeOf = (...fields: readonly Value[]) => decodeNotice(encode(fields)).ok;
const many = (count: number, value: Value) => Array.from({ length: count }, () => value);

describe('relay messages', () => {
  it('R1 requests are read as they were written', () => {
    for (const [id, request] of REQUESTS.entries()) {
      assert.deepEqual(decodeRequest(encodeRequest(id, request)), { ok: true, value: { id, request } });
    }
  });

  it('R1 notices are read as they were written', () => {
    for (const notice of NOTICES) assert.deepEqual(decodeNotice(encodeNotice(notice)), { ok: true, value: notice });
  });

  it('R1 a submit has the documented bytes', () => {
    const [, , , , submit] = REQUESTS;
    assert.equal(
      toHex(encodeRequest(5, submit!)),
      `86030550${'07'.repeat(16)}f481825820${'01'.repeat(32)}5820${'02'.repeat(32)}43010203`,
    );
  });

  it('D4 requests of the wrong shape are refused', () => {
    const device: Value = [key(1), key(2)];
    assert.ok(requestOf(3, 0, messageId, false, [device], body), 'or the cases below prove nothing');
    for (const fields of [
      [],
      [1],
      ['1', 0, ''],
      [0, 0],
      [9, 0, 0],
      [1, -1, ''],
      [1, 0],
      [1, 0, 'a'.repeat(MAX_NAME_BYTES + 1)],
      [1, 0, body],
      [2, 0, [key(1), new Uint8Array(31)]],
      [2, 0, many(RELAY_MAX_CAPABILITIES + 1, key(1))],
      [3, 0, new Uint8Array(15), false, [device], body],
      [3, 0, messageId, 0, [device], body],
      [3, 0, messageId, false, [], body],
      [3, 0, messageId, false, [[key(1)]], body],
      [3, 0, messageId, false, [[key(1), key(2), key(3)]], body],
      [3, 0, messageId, false, many(RELAY_MAX_RECIPIENTS + 1, device), body],
      [3, 0, messageId, false, [device], new Uint8Array(0)],
      [3, 0, messageId, false, [device], new Uint8Array(MAX_MESSAGE_BYTES + 1)],
      [3, 0, messageId, false, [device]],
      [5, 0, -1],
      [5, 0, null],
      [6, 0, key(1), 10, 8, body],
      [6, 0, key(1), RELAY_MAX_PARCEL_BYTES + 1, 0, body],
      [6, 0, new Uint8Array(16), 10, 0, body],
      [6, 0, key(1), RELAY_MAX_PARCEL_BYTES, 0, new Uint8Array(RELAY_PARCEL_SLICE_BYTES + 1)],
      [7, 0, key(1), 0, RELAY_PARCEL_SLICE_BYTES + 1],
      [7, 0, key(1), -1, 1],
      [8, 0, key(1), RELAY_MAX_RECIPIENTS + 1],
    ] satisfies Value[][]) {
      assert.equal(requestOf(...fields), false, toHex(encode(fields)).slice(0, 80));
    }
    assert.equal(decodeRequest(encode(1)).ok, false);
  });

  it('D4 notices of the wrong shape are refused', () => {
    assert.ok(noticeOf(65, 1, key(1), messageId, body), 'or the cases below prove nothing');
    for (const fields of [
      [],
      [63],
      [69, 0],
      [64, 0, 10, null],
      [64, 0, 0],
      [64, -1, 0, null],
      [65, -1, key(1), messageId, body],
      [65, 1, new Uint8Array(31), messageId, body],
      [65, 1, key(1), key(1), body],
      [65, 1, key(1), messageId, new Uint8Array(0)],
      [66, 1, 2],
      [68, [['a']]],
      [68, [['a', -1]]],
      [68, many(65, ['a', 1])],
      [68],
    ] satisfies Value[][]) {
      assert.equal(noticeOf(...fields), false, toHex(encode(fields)).slice(0, 80));
    }
  });

  it('D4 trailing fields are refused, so that a message has one form', () => {
    for (const request of REQUESTS) {
      const decoded = decode(encodeRequest(1, request));
      assert.ok(decoded.ok && Array.isArray(decoded.value));
      assert.equal(requestOf(...(decoded.value as Value[]), 0), false, request.type);
    }
    for (const notice of NOTICES) {
      const decoded = decode(encodeNotice(notice));
      assert.ok(decoded.ok && Array.isArray(decoded.value));
      assert.equal(noticeOf(...(decoded.value as Value[]), 0), false, notice.type);
    }
  });

  it('D4 any bytes are answered without an exception, and what is read is written back the same', () => {
    let accepted = 0;
    const check = (bytes: Uint8Array) => {
      const request = decodeRequest(bytes);
      if (request.ok) assert.deepEqual(encodeRequest(request.value.id, request.value.request), bytes);
      const notice = decodeNotice(bytes);
      if (notice.ok) assert.deepEqual(encodeNotice(notice.value), bytes);
      accepted += Number(request.ok || notice.ok);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), check), { seed: 6, numRuns: 2_000 });
    const sound = [...REQUESTS.map((request, id) => encodeRequest(id, request)), ...NOTICES.map(encodeNotice)];
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
    const damaged = fc.property(fc.constantFrom(...sound), changes, (message, damage) => {
      const bytes = message.slice();
      for (const [at, byte] of damage) bytes[at % bytes.length] = byte;
      check(bytes);
    });
    fc.assert(damaged, { seed: 7, numRuns: 2_000 });
    assert.ok(accepted > 400, `only ${accepted} inputs were accepted: the check was empty`);
  });
});
