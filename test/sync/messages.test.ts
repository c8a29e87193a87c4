import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DeviceId } from '../../src/base/ids.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import { decodeMessage, encodeMessage } from '../../src/sync/messages.ts';
import { MESSAGES, withOtherCounts } from '../fakes/every-kind.ts';

const DEVICE = '0a'.repeat(32) as DeviceId;
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

/** Kinds of messages there are: 0 to 22. */
const KINDS = 23;

function fieldsOf(bytes: Uint8Array): readonly Value[] {
  const decoded = decode(bytes);
  assert.ok(decoded.ok);
  return decoded.value as readonly Value[];
}

describe('S1 messages', () => {
  it('S1 there is an example of every kind, and no kind beyond', () => {
    const kinds = new Set(MESSAGES.map((message) => fieldsOf(encodeMessage(DEVICE, message))[0]));
    assert.deepEqual(
      [...kinds].sort((a, b) => Number(a) - Number(b)),
      [...Array(KINDS).keys()],
    );
    for (const fields of [2, 3, 4, 5, 6, 7].map((count) => Array.from({ length: count }, () => new Uint8Array(8)))) {
      for (const kind of [KINDS, -1, 'kind', null, new Uint8Array(0)]) {
        assert.equal(decodeMessage(encode([kind, ...fields])).ok, false);
      }
    }
  });

  for (const message of MESSAGES) {
    it(`D4 ${message.kind} is refused with one field more or one fewer`, () => {
      for (const fields of withOtherCounts(fieldsOf(encodeMessage(DEVICE, message)))) {
        assert.equal(decodeMessage(encode(fields)).ok, false);
      }
    });
  }

  it('S1 the mark of a root, and the root asked for, are whole or empty', () => {
    const [have, needBase] = [
      [1, new Uint8Array(8), [], true],
      [13, new Uint8Array(8)],
    ] as const;
    for (let length = 0; length <= 33; length++) {
      const bytes = new Uint8Array(length);
      assert.equal(decodeMessage(encode([...have, bytes, false])).ok, length === 0 || length === 8);
      assert.equal(decodeMessage(encode([...needBase, bytes, 0])).ok, length === 0 || length === 32);
    }
  });

  it('S1 every kind is read as it was written', () => {
    for (const message of MESSAGES) {
      const decoded = decodeMessage(encodeMessage(DEVICE, message));
      assert.ok(decoded.ok, message.kind);
      assert.deepEqual(decoded.value, { sender: DEVICE.slice(0, 16), message });
    }
  });

  it('S1 a message cut short, or with one byte changed, is read or refused, never an exception', () => {
    for (const message of MESSAGES) {
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
    for (const message of MESSAGES) {
      const fields = fieldsOf(encodeMessage(DEVICE, message));
      for (let at = 0; at < fields.length; at++) {
        const refused = wrong.filter((value) => !decodeMessage(encode(fields.with(at, value))).ok).length;
        assert.ok(refused >= wrong.length - 2, `${message.kind}, field ${at}: ${refused} of ${wrong.length}`);
        assert.equal(decodeMessage(encode(fields.slice(0, at))).ok, false, `${message.kind} with ${at} fields`);
      }
    }
  });
});
