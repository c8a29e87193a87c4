import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatBytes, toHex } from '../../src/base/bytes.ts';
import { asArray, asBytes, asCount, asText, decode, encode } from '../../src/protocol/codec.ts';
import { Reading } from '../../src/protocol/reading.ts';

/** [count up to a bound, byte string, text, array of counts], by the codec, and by the reading of it. */
type Shape = readonly [number, string, string, readonly number[]];
const [MOST, LONG] = [70_000, 300];

function byCodec(bytes: Uint8Array): Shape | undefined {
  const decoded = decode(bytes);
  const f = decoded.ok ? asArray(decoded.value, 4) : undefined;
  const [count, id, text] = [asCount(f?.[0], MOST), asBytes(f?.[1], 0, LONG), asText(f?.[2], LONG)];
  const counts = asArray(f?.[3], 0, 3)?.map((one) => asCount(one));
  if (count === undefined || !id || text === undefined || !counts || counts.includes(undefined)) return undefined;
  return [count, toHex(id), text, counts as number[]];
}

function byReading(bytes: Uint8Array, likely: string): Shape | undefined {
  const reading = new Reading(bytes);
  if (reading.array(4) === undefined) return undefined;
  const count = reading.count(MOST);
  const start = count === undefined ? undefined : reading.bytes(0, LONG);
  const end = reading.at;
  const text = start === undefined ? undefined : reading.text(LONG, likely);
  const length = text === undefined ? undefined : reading.array(0, 3);
  if (count === undefined || start === undefined || text === undefined || length === undefined) return undefined;
  const counts = Array.from({ length }, () => reading.count());
  if (counts.includes(undefined) || !reading.isAtEnd) return undefined;
  return [count, toHex(bytes.subarray(start, end)), text, counts as number[]];
}

const shapes = fc.tuple(
  fc.oneof(fc.nat(300), fc.maxSafeInteger()),
  fc.uint8Array({ maxLength: LONG + 1 }),
  fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 110 })),
  fc.array(fc.oneof(fc.nat(30), fc.maxSafeInteger()), { maxLength: 4 }),
);
const changes = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));

describe('D4 a reading', () => {
  it('D4 answers what the codec answers, of what is valid and of what is cut short, changed or longer', () => {
    let taken = 0;
    fc.assert(
      fc.property(shapes, fc.array(changes, { maxLength: 2 }), fc.nat(3), (shape, changed, more) => {
        const valid = encode(shape);
        const bytes = more === 3 ? valid.slice(0, -1) : concatBytes(valid, new Uint8Array(more % 2));
        for (const [at, byte] of changed) bytes[at % bytes.length] = byte;
        const expected = byCodec(bytes);
        if (expected) taken++;
        for (const likely of ['', shape[2], 'post']) assert.deepEqual(byReading(bytes, likely), expected);
      }),
      { seed: 1, numRuns: 3_000 },
    );
    assert.ok(taken > 150, `${taken} were valid`);
  });

  it('D4 refuses each head but the shortest, whatever it is of', () => {
    for (const [major, read] of [
      [0, (bytes) => new Reading(bytes).count()],
      [2, (bytes) => new Reading(bytes).bytes(0, LONG)],
      [3, (bytes) => new Reading(bytes).text(LONG)],
      [4, (bytes) => new Reading(bytes).array(0, LONG)],
    ] as readonly (readonly [number, (bytes: Uint8Array) => unknown])[]) {
      const heads = [[5], [24, 5], [25, 0, 5], [26, 0, 0, 0, 5], [27, 0, 0, 0, 0, 0, 0, 0, 5]];
      const taken = heads.map(([form, ...rest]) => {
        const bytes = Uint8Array.from([(major << 5) | form!, ...rest, 97, 97, 97, 97, 97]);
        return read(bytes) !== undefined;
      });
      assert.deepEqual(taken, [true, false, false, false, false], `major ${major}`);
      for (const form of [28, 29, 30, 31]) assert.equal(read(Uint8Array.of((major << 5) | form, 0, 0)), undefined);
    }
  });

  it('D4 takes no byte of a broken text for a letter of the likely one', () => {
    const latin = Uint8Array.of(0x61, 0xe9);
    assert.equal(new Reading(latin).text(8, 'é'), undefined);
    assert.equal(new Reading(encode('é')).text(8, 'é'), 'é');
  });

  it('D4 ends where it is told to', () => {
    const bytes = encode([1, 'post']);
    const reading = new Reading(bytes, 1, bytes.length - 1);
    assert.equal(reading.count(), 1);
    assert.equal(reading.text(8), undefined);
  });
});
