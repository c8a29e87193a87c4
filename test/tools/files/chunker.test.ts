import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { concatBytes } from '../../../src/base/bytes.ts';
import {
  CHUNK_AVERAGE_BYTES,
  CHUNK_MAX_BYTES,
  CHUNK_MIN_BYTES,
  SINGLE_CHUNK_BYTES,
} from '../../../src/protocol/limits.ts';
import { Chunker, GEAR } from '../../../src/tools/files/chunker.ts';
import { seededBytes } from '../../fakes/seeded-bytes.ts';

const MIB = 1024 * 1024;

function chunksOf(bytes: Uint8Array, pieceSizes: readonly number[] = [bytes.length]): readonly Uint8Array[] {
  const chunker = new Chunker();
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = pieceSizes[i % pieceSizes.length]!;
    chunks.push(...chunker.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return [...chunks, ...chunker.finish()];
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const littleEndian = (numbers: Int32Array) => {
  const bytes = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((number, i) => bytes.setInt32(4 * i, number, true));
  return new Uint8Array(bytes.buffer);
};

/** The rule of the header, written down a second time over a whole file: each byte asked about on its own. */
function plainReference(bytes: Uint8Array): readonly number[] {
  if (bytes.length <= SINGLE_CHUNK_BYTES) return bytes.length > 0 ? [bytes.length] : [];
  const lengths: number[] = [];
  let start = 0;
  while (start < bytes.length) {
    let length = Math.min(CHUNK_MAX_BYTES, bytes.length - start);
    let hash = 0n;
    for (let n = CHUNK_MIN_BYTES; n < length; n++) {
      hash = ((hash << 1n) + BigInt(GEAR[bytes[start + n]!]! >>> 0)) & 0xffff_ffffn;
      const zeros = n + 1 <= CHUNK_AVERAGE_BYTES ? 20n : 16n;
      if (hash >> (32n - zeros) === 0n) length = n + 1;
    }
    lengths.push(length);
    start += length;
  }
  return lengths;
}

describe('F1 content-defined chunks', () => {
  it('F1 a file of up to 256 KiB is one chunk, an empty one none', () => {
    assert.deepEqual(chunksOf(new Uint8Array(0)), []);
    for (const length of [1, CHUNK_MIN_BYTES, SINGLE_CHUNK_BYTES - 1, SINGLE_CHUNK_BYTES]) {
      const bytes = seededBytes(length, 1);
      assert.deepEqual(chunksOf(bytes, [10_000]), [bytes]);
    }
  });

  it('F1 cuts where the plain reference does', function () {
    this.timeout(60_000);
    const bytes = seededBytes(3 * MIB, 2);
    const lengths = chunksOf(bytes).map((chunk) => chunk.length);
    assert.deepEqual(lengths, plainReference(bytes));
    assert.ok(lengths.length > 5);
  });

  it('F1 the chunks are the file, whatever pieces it comes in', () => {
    const bytes = seededBytes(2 * MIB + 12_345, 3);
    const whole = chunksOf(bytes).map(sha256);
    assert.equal(sha256(concatBytes(...chunksOf(bytes))), sha256(bytes));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700_000 }), { minLength: 1, maxLength: 5 }), (sizes) => {
        assert.deepEqual(
          chunksOf(bytes, sizes.length === 1 ? [sizes[0]! + 5_000] : [...sizes, 50_000]).map(sha256),
          whole,
        );
      }),
      { seed: 7, numRuns: 25 },
    );
  });

  it('F1 keeps to its sizes, and gathers around the average', () => {
    const chunks = chunksOf(seededBytes(30 * MIB, 4), [MIB]);
    const lengths = chunks.map((chunk) => chunk.length);
    for (const length of lengths.slice(0, -1)) assert.ok(length > CHUNK_MIN_BYTES && length <= CHUNK_MAX_BYTES);
    const average = (30 * MIB) / chunks.length;
    assert.ok(average > CHUNK_AVERAGE_BYTES * 0.8 && average < CHUNK_AVERAGE_BYTES * 1.4, `average ${average}`);
    const near = lengths.filter((length) => length > CHUNK_AVERAGE_BYTES / 2 && length < CHUNK_AVERAGE_BYTES * 2);
    assert.ok(near.length / lengths.length > 0.75, `${near.length} of ${lengths.length} near the average`);
  });

  it('F1 content without any boundary is cut at the maximum', () => {
    const lengths = chunksOf(new Uint8Array(2 * MIB), [MIB]).map((chunk) => chunk.length);
    assert.deepEqual(lengths, [CHUNK_MAX_BYTES, CHUNK_MAX_BYTES, 2 * MIB - 2 * CHUNK_MAX_BYTES]);
  });

  it('F1 an insertion changes few chunks', () => {
    const bytes = seededBytes(10 * MIB, 5);
    const inserted = concatBytes(bytes.subarray(0, 5 * MIB), seededBytes(777, 6), bytes.subarray(5 * MIB));
    const known = new Set(chunksOf(bytes).map(sha256));
    const fresh = chunksOf(inserted)
      .map(sha256)
      .filter((id) => !known.has(id));
    assert.ok(fresh.length >= 1 && fresh.length <= 3, `${fresh.length} new chunks`);
  });

  it('F1 is as new after its end', () => {
    const chunker = new Chunker();
    const bytes = seededBytes(4 * MIB, 8);
    const first = [...chunker.push(bytes), ...chunker.finish()].map(sha256);
    assert.deepEqual([...chunker.push(bytes), ...chunker.finish()].map(sha256), first);
    // A file of one chunk, though there is a boundary in it: it would be found if the end had left anything behind.
    const boundary = chunksOf(bytes)
      .slice(0, -1)
      .find((chunk) => chunk.length < SINGLE_CHUNK_BYTES - 1000)!;
    const small = concatBytes(boundary, seededBytes(1000, 9));
    assert.deepEqual([chunker.push(small).length, chunker.finish().length], [0, 1]);
  });

  it('F1 the gear table is the one of the format', () => {
    // Frozen: with another table nobody's chunks would be found again.
    assert.equal(GEAR.length, 256);
    assert.equal(new Set(GEAR).size, 256);
    assert.equal(sha256(littleEndian(GEAR)), '6bbe3a647debf823e8dd96a3d1b760379b586e5a9404204decb5b085e5fc43b0');
  });
});
