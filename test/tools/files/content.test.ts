import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toHex } from '../../../src/base/bytes.ts';
import type { ChunkId } from '../../../src/base/ids.ts';
import { nodeCrypto } from '../../../src/crypto/node/crypto.ts';
import { decode, encode, type Value } from '../../../src/protocol/codec.ts';
import {
  CHUNK_MAX_BYTES,
  CHUNK_MIN_BYTES,
  MAX_FILE_BYTES,
  MAX_INLINE_CHUNKS,
  MAX_LISTED_CHUNKS,
  MAX_PATCHED_BYTES,
  MAX_PATCH_BYTES,
} from '../../../src/protocol/limits.ts';
import { generationKey } from '../../../src/sync/epoch.ts';
import {
  chunkId,
  contentFromValue,
  contentToValue,
  decodeChunkList,
  encodeChunkList,
  openChunk,
  sealChunk,
  type ChunkedContent,
  type ChunkRef,
  type Content,
} from '../../../src/tools/files/content.ts';
import { seededBytes } from '../../fakes/seeded-bytes.ts';

const crypto = nodeCrypto();
const SHA = seededBytes(32, 1);
const A = '0001020304050607';
const B = '08090a0b0c0d0e0f';
const ref = (generation: string, seed: number, bytes: number): ChunkRef => ({
  generation,
  id: toHex(seededBytes(32, seed)) as ChunkId,
  bytes,
});
const chunked = (chunks: readonly ChunkRef[], bytes?: number, indirect = false): ChunkedContent => ({
  kind: 'chunks',
  bytes: bytes ?? chunks.reduce((sum, chunk) => sum + chunk.bytes, 0),
  sha256: SHA,
  chunks,
  indirect,
});
const throughBytes = (content: Content): Content | undefined => {
  const decoded = decode(encode(contentToValue(content)));
  return decoded.ok ? contentFromValue(decoded.value) : undefined;
};

const anyRef = fc
  .record({
    generation: fc.constantFrom(A, B, 'ffffffffffffffff'),
    seed: fc.nat(1000),
    bytes: fc.integer({ min: 1, max: CHUNK_MAX_BYTES }),
  })
  .map(({ generation, seed, bytes }) => ref(generation, seed, bytes));
const anyRefs = (length: fc.ArrayConstraints) => fc.uniqueArray(anyRef, { ...length, selector: ({ id }) => id });
const anyContent: fc.Arbitrary<Content> = fc.oneof(
  anyRefs({ maxLength: MAX_INLINE_CHUNKS }).map((chunks) => chunked(chunks)),
  fc
    .tuple(anyRefs({ minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: MAX_FILE_BYTES }))
    .map(([chunks, bytes]) => chunked(chunks, bytes, true)),
  fc
    .uint8Array({ minLength: 1, maxLength: 400 })
    .map((patch): Content => ({ kind: 'patch', bytes: 1000, sha256: SHA, patch })),
);

describe('F1 content as it stands in a delta', () => {
  it('F1 comes back as it was, and has one encoding', () => {
    fc.assert(
      fc.property(anyContent, (content) => {
        const back = throughBytes(content);
        assert.deepEqual(back, content);
        assert.deepEqual(encode(contentToValue(back)), encode(contentToValue(content)));
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  it('F1 an empty file has no chunks', () => {
    assert.deepEqual(throughBytes(chunked([])), chunked([]));
  });

  it('F1 a difference costs its own bytes, the hash and six more', () => {
    const patch = seededBytes(40, 2);
    const value = contentToValue({ kind: 'patch', bytes: 20_000, sha256: SHA, patch });
    assert.equal(encode(value).length, 40 + 32 + 8);
  });

  it('F1 a chunk costs 41 bytes, its generation none after the first', () => {
    const one = encode(contentToValue(chunked([ref(A, 1, 200_000)]))).length;
    const two = encode(contentToValue(chunked([ref(A, 1, 200_000), ref(A, 2, 200_000)]))).length;
    assert.equal(two - one, 41);
  });

  const good = contentToValue(chunked([ref(A, 1, 10), ref(B, 2, 20)])) as Value[];
  const [bytes, sha, generations, chunks, indirect] = good as [number, Uint8Array, Value[], Value[][], boolean];
  const genA = generations[0];
  const changed = (...[g, i, n]: Value[]): Value => [bytes, sha, generations, [[g!, i!, n!], chunks[1]!], indirect];
  const id = chunks[0]![1]!;
  const patch = seededBytes(10, 3);
  const hostile: readonly (readonly [string, Value | undefined])[] = [
    ['nothing', undefined],
    ['a number', 5],
    ['no fields', []],
    ['four fields', [bytes, sha, generations, chunks]],
    ['six fields', [...good, 0]],
    ['lengths that do not add up', [bytes + 1, sha, generations, chunks, indirect]],
    ['a negative length', [-1, sha, [], [], false]],
    ['a file beyond the limit', [MAX_FILE_BYTES + 1, sha, generations, chunks, true]],
    ['a short hash', [bytes, sha.subarray(1), generations, chunks, indirect]],
    ['a flag that is none', [bytes, sha, generations, chunks, 0]],
    ['a generation too long', [bytes, sha, [genA!, seededBytes(9, 1)], chunks, indirect]],
    ['a generation twice', [bytes, sha, [genA!, genA!], chunks, indirect]],
    ['a generation unused', [bytes, sha, [...generations, seededBytes(8, 4)], chunks, indirect]],
    ['generations out of order', [bytes, sha, generations, [chunks[1]!, chunks[0]!], indirect]],
    [
      'generations out of order, each used',
      [bytes + 20, sha, generations, [chunks[1]!, chunks[0]!, chunks[1]!], indirect],
    ],
    ['a generation that is not listed', changed(7, id, 10)],
    ['an empty chunk', [20, sha, generations, [[0, id, 0], chunks[1]!], indirect]],
    [
      'a chunk beyond the maximum',
      [CHUNK_MAX_BYTES + 21, sha, generations, [[0, id, CHUNK_MAX_BYTES + 1], chunks[1]!], indirect],
    ],
    ['a negative chunk', [5, sha, generations, [[0, id, -15], chunks[1]!], indirect]],
    ['a chunk id too short', changed(0, seededBytes(31, 1), 10)],
    ['a chunk with a field more', [bytes, sha, generations, [[0, id, 10, 1], chunks[1]!], indirect]],
    ['more chunks than stand inline', [65, sha, [genA!], Array.from({ length: 65 }, () => [0, id, 1]), false]],
    ['an indirect list of nothing', [bytes, sha, [], [], true]],
    ['an indirect list of an empty file', [0, sha, generations, chunks, true]],
    [
      'an indirect list beyond its limit',
      [bytes, sha, [genA!], Array.from({ length: 64 }, () => [0, id, CHUNK_MAX_BYTES]), true],
    ],
    ['an empty difference', [100, sha, new Uint8Array(0)]],
    ['a difference beyond its limit', [MAX_PATCHED_BYTES, sha, new Uint8Array(MAX_PATCH_BYTES + 1)]],
    ['a difference not under half the size', [20, sha, patch]],
    ['a difference of too large a file', [MAX_PATCHED_BYTES + 1, sha, patch]],
  ];
  for (const [what, value] of hostile) {
    it(`F1 refuses ${what}`, () => assert.equal(contentFromValue(value), undefined));
  }
  it('F1 refuses these for their faults alone', () => assert.ok(contentFromValue(good)));
});

describe('F1 the list of chunks that is content itself', () => {
  const refs = Array.from({ length: 5000 }, (_, i) => ref(i < 2000 ? A : B, i + 1, 70_000 + i));
  const sum = refs.reduce((total, { bytes }) => total + bytes, 0);

  it('F1 comes back as it was', () => {
    assert.deepEqual(decodeChunkList(encodeChunkList(refs), sum), refs);
  });
  it('F1 is refused for a file of another length, damaged, or cut short', () => {
    const list = encodeChunkList(refs);
    assert.equal(decodeChunkList(list, sum + 1), undefined);
    assert.equal(decodeChunkList(list.subarray(0, -1), sum), undefined);
    assert.equal(decodeChunkList(new Uint8Array(0), 0), undefined);
    assert.equal(decodeChunkList(seededBytes(5000, 1), sum), undefined);
  });
});

describe('F1 a chunk that a file names more than once', () => {
  const [first, second] = [ref(A, 1, 100), ref(B, 2, 100)];
  const listed = (refs: readonly ChunkRef[]) => {
    const bytes = refs.reduce((total, one) => total + one.bytes, 0);
    const inline = { kind: 'chunks', bytes, sha256: seededBytes(32, 1), chunks: refs, indirect: false } as const;
    return [contentFromValue(contentToValue(inline))?.kind, decodeChunkList(encodeChunkList(refs), bytes)?.length];
  };

  it('F1 is the same each time', () => assert.deepEqual(listed([first, second, first, second]), ['chunks', 4]));
  it('F1 is refused with two lengths', () =>
    assert.deepEqual(listed([first, second, { ...first, bytes: 99 }]), [undefined, undefined]));
  it('F1 is refused with two generations', () =>
    assert.deepEqual(listed([first, second, { ...first, generation: B }]), [undefined, undefined]));
  it('F1 is listed at its shortest at most as often as the longest file has room for', () => {
    const list = (length: number) => Array.from({ length }, () => ref(A, 1, 1));
    assert.equal(decodeChunkList(encodeChunkList(list(MAX_LISTED_CHUNKS)), MAX_LISTED_CHUNKS)?.length, 262_144);
    const more = MAX_LISTED_CHUNKS + 1;
    assert.equal(decodeChunkList(encodeChunkList(list(more)), more), undefined);
    assert.ok(Math.ceil(MAX_FILE_BYTES / (CHUNK_MIN_BYTES + 1)) <= MAX_LISTED_CHUNKS);
  });
});

describe('F1 sealing of chunks', () => {
  const kg = generationKey(crypto, seededBytes(32, 10));
  const plaintext = seededBytes(5000, 11);

  it('F1 opens what was sealed, also what is empty', () => {
    for (const bytes of [plaintext, new Uint8Array(0)]) {
      const sealed = sealChunk(crypto, kg, bytes);
      assert.equal(sealed.id, chunkId(crypto, kg, bytes));
      assert.deepEqual(openChunk(crypto, kg, sealed.id, sealed.bytes), bytes);
    }
  });

  it('F1 equal plaintexts are one chunk in a generation, and share nothing across two', () => {
    const other = generationKey(crypto, seededBytes(32, 12));
    const [one, again, elsewhere] = [kg, kg, other].map((key) => sealChunk(crypto, key, plaintext));
    assert.deepEqual(one, again);
    assert.notEqual(elsewhere!.id, one!.id);
    assert.notDeepEqual(elsewhere!.bytes.subarray(0, 16), one!.bytes.subarray(0, 16));
    assert.equal(openChunk(crypto, other, one!.id, one!.bytes), undefined);
  });

  it('F1 the ciphertext shows nothing of the plaintext', () => {
    const { bytes } = sealChunk(crypto, kg, new TextEncoder().encode('a secret sentence '.repeat(100)));
    assert.equal(Buffer.from(bytes).includes('secret'), false);
  });

  it('F1 a flipped bit anywhere, a foreign id and a truncated chunk are refused', () => {
    const { id, bytes } = sealChunk(crypto, kg, plaintext.subarray(0, 100));
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 1;
      assert.equal(openChunk(crypto, kg, id, flipped), undefined);
    }
    assert.equal(openChunk(crypto, kg, toHex(seededBytes(32, 13)) as ChunkId, bytes), undefined);
    for (const length of [0, 5, 16, 115]) assert.equal(openChunk(crypto, kg, id, bytes.subarray(0, length)), undefined);
  });

  it('F1 bytes of another plaintext under the key of an id are refused, though their tag is right', () => {
    // What a member who knows Kg can make: the tag alone would let it pass.
    const { id } = sealChunk(crypto, kg, plaintext);
    const info = Buffer.concat([Buffer.from('coterie chunk key 1'), Buffer.from(id, 'hex')]);
    const key = crypto.hkdfSha256(kg, new Uint8Array(0), info, 32);
    const forged = crypto.sealGcm(key, new Uint8Array(12), seededBytes(5000, 14), new Uint8Array(0));
    assert.ok(crypto.openGcm(key, new Uint8Array(12), forged, new Uint8Array(0)));
    assert.equal(openChunk(crypto, kg, id, forged), undefined);
  });
});
