/** What a delta of a tool holds, and what the chunks of a file hold: decoders of tools/. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { toHex } from '../../src/base/bytes.ts';
import type { AccountId, ChunkId, DeltaId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { asArray, decode, encode, type Value } from '../../src/protocol/codec.ts';
import { MAX_PATCHED_BYTES } from '../../src/protocol/limits.ts';
import { chatBody, readChatDelta } from '../../src/tools/chat/deltas.ts';
import {
  contentFromValue,
  contentToValue,
  decodeChunkList,
  encodeChunkList,
  openChunk,
  sealChunk,
  type ChunkRef,
} from '../../src/tools/files/content.ts';
import { filesBody, readFilesDelta } from '../../src/tools/files/deltas.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { POSTS, postFromRow, postToRow } from '../../src/tools/chat/rows.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { applyPatch, makePatch } from '../../src/tools/files/patch.ts';
import {
  ITEMS,
  itemFromRow,
  itemToRow,
  VERSIONS,
  versionFromRow,
  versionToRow,
  type Item,
  type Version,
} from '../../src/tools/files/rows.ts';
import { nameProblem, safeName } from '../../src/tools/files/safe-name.ts';
import { CHAT_DELTAS, CONTENTS, FILES_DELTAS } from '../fakes/every-kind.ts';
import { seededBytes, seededText } from '../fakes/seeded-bytes.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { attack, bounded, fixed, TIMEOUT_MS } from './attack.ts';
import { changedBytes } from './mutations.ts';
import { survivesText } from './texts.ts';

const crypto = nodeCrypto(seededRandom('fuzz tools'));
const bytesOf = (length: number) => crypto.randomBytes(length);
const id = <T extends string>(length = 32) => toHex(bytesOf(length)) as T;

const [one, two] = [id(8), id(8)];
const CHUNKS: readonly ChunkRef[] = [
  { generation: one, id: id<ChunkId>(), bytes: 70_000 },
  { generation: two, id: id<ChunkId>(), bytes: 300_000 },
  { generation: one, id: id<ChunkId>(), bytes: 1 },
];
const fileBytes = CHUNKS.reduce((sum, { bytes }) => sum + bytes, 0);
/** Reads a body of the kind that stands before it, `[kind, body]`, so that one set of inputs does for all kinds. */
function readKind<T extends { readonly kind: string }>(
  bytes: Uint8Array,
  read: (kind: string, body: Value) => T | undefined,
  bodyOf: (delta: T) => Value,
): Uint8Array | undefined {
  const decoded = decode(bytes);
  const [kind, body = null] = decoded.ok ? (asArray(decoded.value, 2) ?? []) : [];
  const delta = typeof kind === 'string' ? read(kind, body) : undefined;
  if (!delta) return undefined;
  return encode([delta.kind, bodyOf(delta)]);
}

attack({
  name: 'F1 a delta of Files',
  valid: FILES_DELTAS.map((delta) => encode([delta.kind, filesBody(delta)])),
  runs: 800,
  read: (bytes) => readKind(bytes, readFilesDelta, filesBody),
});

attack({
  name: 'D9 a delta of Chat',
  valid: CHAT_DELTAS.map((delta) => encode([delta.kind, chatBody(delta)])),
  read: (bytes) => readKind(bytes, readChatDelta, chatBody),
});

attack({
  name: 'F1 the content of a version',
  valid: CONTENTS.map((content) => encode(contentToValue(content))),
  runs: 800,
  read: (bytes) => {
    const decoded = decode(bytes);
    const content = decoded.ok ? contentFromValue(decoded.value) : undefined;
    return content && encode(contentToValue(content));
  },
});

attack({
  name: 'F1 a list of chunks',
  valid: [encodeChunkList(CHUNKS)],
  read: (bytes) => {
    const chunks = decodeChunkList(bytes, fileBytes);
    return chunks && encodeChunkList(chunks);
  },
});

const kg = bytesOf(32);
const plain = bytesOf(300);
const sealed = sealChunk(crypto, kg, plain);

attack({
  name: 'F1 a chunk',
  valid: [sealed.bytes],
  opaque: true,
  read: (bytes) => openChunk(crypto, kg, sealed.id, bytes) && sealed.bytes,
});

describe('F1 a chunk under another id', function () {
  this.timeout(TIMEOUT_MS);

  it('F1 is not opened: GCM commits to no key, the id does', () => {
    const others = fc
      .constantFrom(bytesOf(0), bytesOf(1), plain, bytesOf(300))
      .map((bytes) => sealChunk(crypto, kg, bytes));
    const check = fc.property(others, (other) => {
      assert.equal(openChunk(crypto, kg, sealed.id, other.bytes) !== undefined, other.id === sealed.id);
    });
    fc.assert(check, fixed(41, 20));
  });
});

// ---- differences ---------------------------------------------------------------------------------------------------------

const BEFORE = seededText(3_000, 1);
const AFTERS = [
  Uint8Array.from([...BEFORE.subarray(0, 900), ...seededBytes(40, 2), ...BEFORE.subarray(950)]),
  Uint8Array.from([...BEFORE.subarray(1_500), ...BEFORE.subarray(0, 1_500)]),
  BEFORE,
];
const PATCHES = AFTERS.map((after) => makePatch(BEFORE, after)!);

attack({
  name: 'F1 a difference',
  valid: PATCHES,
  opaque: true,
  runs: 800,
  read: (bytes) => {
    const after = applyPatch(BEFORE, bytes);
    if (!after) return undefined;
    assert.ok(after.length <= MAX_PATCHED_BYTES);
    return true;
  },
});

describe('F1 a difference that repeats', function () {
  this.timeout(TIMEOUT_MS);

  it('F1 makes no more than a patched file may have, and says so before it allocates', () => {
    // Copies of everything there is, three bytes each: a patch of 30 KB that promises 30 MB.
    const all = Uint8Array.of(...varint(2 * BEFORE.length + 1), ...varint(0));
    const back = Uint8Array.of(...varint(2 * BEFORE.length + 1), ...varint(2 * BEFORE.length - 1));
    const bomb = Uint8Array.from([...all, ...Array.from({ length: 10_000 }, () => [...back]).flat()]);
    assert.equal(
      bounded(0, () => applyPatch(BEFORE, bomb)),
      undefined,
    );
    const few = Uint8Array.from([...all, ...back, ...back]);
    assert.equal(applyPatch(BEFORE, few)?.length, 3 * BEFORE.length);
  });

  it('F1 any before and any patch are answered', () => {
    const check = fc.property(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 60 }), (before, patch) => {
      bounded(before.length + patch.length, () => applyPatch(before, patch));
    });
    fc.assert(check, fixed(42, 1_000));
    const changed = fc.property(fc.uint8Array({ maxLength: 60 }), changedBytes(PATCHES), (before, patch) => {
      bounded(before.length + patch.length, () => applyPatch(before, patch));
    });
    fc.assert(changed, fixed(43));
  });
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

// ---- rows and names ------------------------------------------------------------------------------------------------------

describe('L6 rows', function () {
  this.timeout(TIMEOUT_MS);

  it('L6 are written and read the same, whatever members have put into them', () => {
    const hash = <T extends string>() =>
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => toHex(bytes) as T);
    const time = fc.maxSafeNat();
    const ordinary = { noNullPrototype: true };
    const item: fc.Arbitrary<Item> = fc.record(
      {
        folder: fc.boolean(),
        parent: fc.option(hash<DeltaId>(), { nil: undefined }),
        name: fc.string({ unit: 'binary', maxLength: 60 }),
        creator: hash<AccountId>(),
        created: time,
        height: time,
        heads: fc.array(hash<DeltaId>(), { maxLength: 4 }),
        below: fc.nat(),
      },
      ordinary,
    );
    const version: fc.Arbitrary<Version> = fc.record(
      {
        item: hash<DeltaId>(),
        parents: fc.array(hash<DeltaId>(), { maxLength: 4 }),
        live: fc.boolean(),
        content: fc.option(fc.constantFrom(...CONTENTS), { nil: undefined }),
        author: hash<AccountId>(),
        time,
        height: time,
      },
      ordinary,
    );
    const again = (row: Value): readonly Value[] => {
      const decoded = decode(encode(row));
      assert.ok(decoded.ok);
      return decoded.value as readonly Value[];
    };
    fc.assert(
      fc.property(item, version, (anItem, aVersion) => {
        assert.deepEqual(itemFromRow(again(itemToRow(anItem))), anItem);
        assert.deepEqual(versionFromRow(again(versionToRow(aVersion))), aVersion);
      }),
      fixed(44),
    );
  });
});

const ROWS = [
  ...CONTENTS.map((content, at) => ({
    table: VERSIONS,
    key: id<DeltaId>(),
    row: versionToRow({
      item: id<DeltaId>(),
      parents: [id<DeltaId>()],
      live: true,
      content,
      author: id<AccountId>(),
      time: 1_800_000_000_000,
      height: at + 2,
    }),
  })),
  ...[undefined, id<DeltaId>()].map((parent) => ({
    table: ITEMS,
    key: id<DeltaId>(),
    row: itemToRow({
      folder: parent !== undefined,
      parent,
      name: 'ünï 😀.md',
      creator: id<AccountId>(),
      created: 1_800_000_000_000,
      height: 2,
      heads: [id<DeltaId>(), id<DeltaId>()],
      below: 0,
    }),
  })),
  {
    table: POSTS,
    key: id<DeltaId>(),
    row: postToRow({ author: id<AccountId>(), text: 'hello', time: 1_800_000_000_000, edited: 0, height: 70_000 }),
  },
];

attack({
  name: 'L6 a row that another member gives',
  valid: ROWS.map(({ table, key, row }) => encode([table, key, row])),
  runs: 800,
  read: (bytes) => {
    const decoded = decode(bytes);
    const [table, key, row] = decoded.ok ? (asArray(decoded.value, 3) ?? []) : [];
    if (typeof table !== 'string' || typeof key !== 'string' || !Array.isArray(row)) return undefined;
    const reducer = table === POSTS ? chatReducer : filesReducer;
    if (!reducer.isRow(table, key, row)) return undefined;
    // Each hangs together with nothing, or by itself: either way there is an answer.
    assert.equal(typeof reducer.hangTogether([{ table, key, row }]), 'boolean');
    const again =
      table === ITEMS
        ? itemToRow(itemFromRow(row))
        : table === VERSIONS
          ? versionToRow(versionFromRow(row))
          : postToRow(postFromRow(row));
    return encode([table, key, again]);
  },
});

describe('L6 rows that are sound one by one', function () {
  this.timeout(TIMEOUT_MS);

  it('L6 are answered together, whatever they name', () => {
    const ids = [1, 2, 3, 4].map((byte) => new Uint8Array(32).fill(byte));
    const anId = fc.constantFrom(...ids);
    const heads = fc.uniqueArray(anId, { minLength: 1, maxLength: 3 });
    const item = fc.tuple(anId, fc.boolean(), fc.option(anId), heads, fc.integer({ min: 0, max: 2 }));
    const version = fc.tuple(
      anId,
      anId,
      fc.uniqueArray(anId, { maxLength: 3 }),
      fc.boolean(),
      fc.integer({ min: 2, max: 5 }),
    );
    const counts = { whole: 0, refused: 0 };
    const check = fc.property(
      fc.array(item, { maxLength: 4 }),
      fc.array(version, { maxLength: 6 }),
      (items, versions) => {
        const rows = [
          ...items.map(([key, folder, parent, versionIds, below]) => ({
            table: ITEMS,
            key: toHex(key),
            row: [folder, parent ?? new Uint8Array(0), 'a', new Uint8Array(32), 0, 2, versionIds, folder ? below : 0],
          })),
          ...versions.map(([key, of, parents, live, height]) => ({
            table: VERSIONS,
            key: toHex(key),
            row: [of, parents, live, null, new Uint8Array(32), 0, height],
          })),
        ].filter(({ table, key, row }) => filesReducer.isRow(table, key, row));
        counts[filesReducer.hangTogether(rows) ? 'whole' : 'refused']++;
      },
    );
    fc.assert(check, fixed(45, 1_000));
    assert.ok(counts.whole > 0 && counts.refused > 0, JSON.stringify(counts));
  });
});

survivesText({
  name: 'F4 a name of a file',
  valid: ['a.ts', 'CON', 'a'.repeat(255), 'ünï 😀.md', 'trailing. '],
  read: (name) => {
    const safe = safeName(name);
    assert.ok(!/[/\\\0]/.test(safe) && safe !== '' && safe !== '.' && safe !== '..', safe);
    assert.equal(safeName(safe), safe);
    return nameProblem(name) === undefined;
  },
});
