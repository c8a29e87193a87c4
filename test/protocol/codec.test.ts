import assert from 'node:assert/strict';
import { encode as cborgEncode } from 'cborg';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { fromHex, toHex } from '../../src/base/bytes.ts';
import { asText, decode, decodeInPlace, encode, type Value } from '../../src/protocol/codec.ts';
import { MAX_CBOR_DEPTH } from '../../src/protocol/limits.ts';

const bytes = (hex: string) => fromHex(hex)!;

function nested(depth: number): Value {
  return depth === 0 ? null : [nested(depth - 1)];
}

/** Appendix A of RFC 8949, the rows of the kinds that are used. */
const RFC8949: readonly (readonly [Value, string])[] = [
  [0, '00'],
  [1, '01'],
  [10, '0a'],
  [23, '17'],
  [24, '1818'],
  [25, '1819'],
  [100, '1864'],
  [1000, '1903e8'],
  [1000000, '1a000f4240'],
  [1000000000000, '1b000000e8d4a51000'],
  [-1, '20'],
  [-10, '29'],
  [-100, '3863'],
  [-1000, '3903e7'],
  [false, 'f4'],
  [true, 'f5'],
  [null, 'f6'],
  [new Uint8Array(0), '40'],
  [Uint8Array.of(1, 2, 3, 4), '4401020304'],
  ['', '60'],
  ['a', '6161'],
  ['IETF', '6449455446'],
  ['"\\', '62225c'],
  ['\u00fc', '62c3bc'],
  ['\u6c34', '63e6b0b4'],
  ['\ud800\udd51', '64f0908591'],
  [[], '80'],
  [[1, 2, 3], '83010203'],
  [[1, [2, 3], [4, 5]], '8301820203820405'],
  [
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
    '98190102030405060708090a0b0c0d0e0f101112131415161718181819',
  ],
];

const REFUSED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['an integer in one byte too many', '1817'],
  ['an integer in two bytes too many', '1900ff'],
  ['an integer in four bytes too many', '1a0000ffff'],
  ['an integer in eight bytes too many', '1b00000000ffffffff'],
  ['a negative integer in one byte too many', '3817'],
  ['a negative integer in eight bytes too many', '3b00000000ffffffff'],
  ['a length in one byte too many', '5803010203'],
  ['a text length in two bytes too many', '79000161'],
  ['a count in one byte too many', '980101'],
  ['2^53', '1b0020000000000000'],
  ['-2^53', '3b001fffffffffffff'],
  ['2^64 - 1', '1bffffffffffffffff'],
  ['the integer 1 as a half float', 'f93c00'],
  ['the integer 1 as a single float', 'fa3f800000'],
  ['the integer 1 as a double float', 'fb3ff0000000000000'],
  ['a float', 'fb3ff199999999999a'],
  ['NaN', 'f97e00'],
  ['undefined', 'f7'],
  ['a simple value', 'f0'],
  ['false in two bytes', 'f814'],
  ['a break alone', 'ff'],
  ['an indefinite byte string', '5f42010243030405ff'],
  ['an indefinite text', '7f657374726561646d696e67ff'],
  ['an indefinite array', '9f0102ff'],
  ['a break in an array', '8201ff'],
  ['an empty map', 'a0'],
  ['a map', 'a161610a'],
  ['a map in an array', '81a0'],
  ['a tag', 'c11a514b67b0'],
  ['a big number', 'c249010000000000000000'],
  ['the reserved head 1c', '1c'],
  ['the reserved head 5e', '5e'],
  ['text of a cut character', '61c3'],
  ['text of an over-long character', '62c080'],
  ['text of a lone surrogate', '63eda080'],
  ['a cut head', '19'],
  ['a cut integer', '1903'],
  ['a cut byte string', '4401'],
  ['a cut text', '6261'],
  ['a cut array', '8201'],
  ['a byte after the value', '0000'],
  ['a value after the value', '81018102'],
  ['a byte string said to have 4 GiB', '5affffffff'],
  ['a byte string said to have 2^63 bytes', '5b8000000000000000'],
  ['an array said to have 2^32 - 1 elements', '9affffffff00'],
];

/** Values as they may stand on the wire. */
const { value: anyValue } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: MAX_CBOR_DEPTH - 2 },
    fc.maxSafeInteger(),
    fc.integer(),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 30 }),
  ),
}));

describe('codec', () => {
  it('D4 writes and reads the RFC’s own examples', () => {
    for (const [value, hex] of RFC8949) {
      assert.equal(toHex(encode(value)), hex);
      assert.deepEqual(decode(bytes(hex)), { ok: true, value });
    }
  });

  it('D4 holds integers up to 2^53 - 1 either way', () => {
    for (const value of [
      Number.MAX_SAFE_INTEGER,
      -Number.MAX_SAFE_INTEGER,
      2 ** 32,
      2 ** 32 - 1,
      -(2 ** 32),
      -(2 ** 32) - 1,
    ]) {
      assert.deepEqual(decode(encode(value)), { ok: true, value });
    }
  });

  for (const [name, hex] of REFUSED) {
    it(`D4 refuses ${name}`, () => {
      const decoded = decode(bytes(hex));
      assert.equal(decoded.ok, false);
      assert.equal(decoded.error.tag, 'malformed');
    });
  }

  it('D4 refuses what nests too deep, however deep, without using the stack', () => {
    assert.ok(decode(encode(nested(MAX_CBOR_DEPTH))).ok);
    assert.equal(decode(encode(nested(MAX_CBOR_DEPTH + 1))).ok, false);
    assert.equal(decode(new Uint8Array(1_000_000).fill(0x81)).ok, false);
  });

  it('D4 does not write what nobody would read', () => {
    for (const value of [1.5, NaN, Infinity, 2 ** 53]) assert.throws(() => encode([value]), /safe integer/);
  });

  it('D4 gives plain bytes: no Buffer, no part of a pool', () => {
    const encoded = encode(['Bob’s lap top, a longer name', Uint8Array.of(1, 2)]);
    assert.equal(Object.getPrototypeOf(encoded), Uint8Array.prototype);
    assert.equal(encoded.buffer.byteLength, encoded.length);
    const decoded = decode(Buffer.from(encoded));
    assert.ok(decoded.ok && Array.isArray(decoded.value));
    assert.equal(Object.getPrototypeOf(decoded.value[1]), Uint8Array.prototype);
  });

  it('D4 gives copies: what was decoded does not change with the bytes it came from', () => {
    const encoded = encode([Uint8Array.of(1, 2)]);
    const decoded = decode(encoded);
    encoded.fill(0);
    assert.deepEqual(decoded, { ok: true, value: [Uint8Array.of(1, 2)] });
  });

  it('D4 in place, byte strings are parts of what they came from, and else the same', () => {
    const encoded = encode([7, Uint8Array.of(1, 2), ['x', new Uint8Array(0)]]);
    const decoded = decodeInPlace(Buffer.from(encoded.buffer));
    assert.deepEqual(decoded, decode(encoded));
    assert.ok(decoded.ok && Array.isArray(decoded.value));
    const part = decoded.value[1] as Uint8Array;
    assert.equal(part.buffer, encoded.buffer);
    assert.equal(Object.getPrototypeOf(part), Uint8Array.prototype);
    assert.equal(decodeInPlace(encoded.subarray(1)).ok, false);
  });

  it('D4 writes what cborg writes, half a surrogate pair and every length of head too', () => {
    const lengths = [0, 1, 23, 24, 255, 256, 65_535, 65_536];
    const heads = lengths.flatMap((n): Value[] => [new Uint8Array(n), 'a'.repeat(n), 'ü'.repeat(n), n, -1 - n]);
    const texts = ['\ud83d', 'a\udc00b', '\ud83d\ud83d\ude00', '😀水ü'];
    const arrays = [23, 24, 255, 256].map((n): Value => Array.from({ length: n }, () => 0));
    for (const value of [...heads, ...texts, ...arrays]) assert.equal(toHex(encode(value)), toHex(cborgEncode(value)));
    const text = fc.string({ unit: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 20 });
    const check = fc.property(anyValue, text, (value, units) => {
      assert.equal(toHex(encode([value, units])), toHex(cborgEncode([value, units])));
    });
    fc.assert(check, { seed: 5, numRuns: 400 });
  });

  it('D4 keeps every value, a byte order mark too', () => {
    assert.deepEqual(decode(encode('\ufeffa')), { ok: true, value: '\ufeffa' });
    const check = fc.property(anyValue, (value) => {
      assert.deepEqual(decode(encode(value)), { ok: true, value });
    });
    fc.assert(check, { seed: 2, numRuns: 400 });
  });

  it('D4 has one encoding for a value: whatever is read is written back as it was', () => {
    let accepted = 0;
    const isCanonical = (input: Uint8Array) => {
      const decoded = decode(input);
      if (!decoded.ok) return;
      accepted++;
      assert.equal(toHex(encode(decoded.value)), toHex(input));
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), isCanonical), { seed: 3, numRuns: 5_000 });
    // Sound bytes with a few changed come much closer to the border than random ones.
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    const damaged = fc.property(anyValue, damage, (value, changes) => {
      const input = encode(value);
      for (const [at, byte] of changes) input[at % input.length] = byte;
      isCanonical(input);
    });
    fc.assert(damaged, { seed: 4, numRuns: 2_000 });
    assert.ok(accepted > 500, `only ${accepted} inputs were accepted: the check was empty`);
  });

  it('D4 measures text in bytes of UTF-8', () => {
    assert.equal(asText('水'.repeat(85), 255), '水'.repeat(85));
    assert.equal(asText('水'.repeat(85) + 'a', 255), undefined);
    assert.equal(asText('a'.repeat(255), 255), 'a'.repeat(255));
    assert.equal(asText('a'.repeat(256), 255), undefined);
    assert.equal(asText(null, 255), undefined);
  });
});
