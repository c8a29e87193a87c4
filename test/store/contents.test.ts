import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { concatBytes } from '../../src/base/bytes.ts';
import type { ChunkId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { MAX_INLINE_CHUNKS, MAX_PATCH_CHAIN, SINGLE_CHUNK_BYTES } from '../../src/protocol/limits.ts';
import { ContentDamaged, ContentMissing, Contents, type GenerationKeys } from '../../src/store/contents.ts';
import { generationKey } from '../../src/sync/epoch.ts';
import { StoreError } from '../../src/sync/ports.ts';
import {
  contentFromValue,
  contentToValue,
  encodeChunkList,
  sealChunk,
  type ChunkedContent,
  type ChunkRef,
  type Content,
} from '../../src/tools/files/content.ts';
import { MemoryChunks } from '../fakes/memory-chunks.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { assertSameBytes } from '../fakes/same-bytes.ts';
import { seededBytes, seededText } from '../fakes/seeded-bytes.ts';
import { openOn } from './places.ts';

const MIB = 1024 * 1024;
const crypto = nodeCrypto();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

class Epochs implements GenerationKeys {
  readonly #keys = new Map<string, Uint8Array>();
  #current = '';

  constructor() {
    this.next(1);
  }

  next(seed: number): void {
    this.#current = String(seed).padStart(16, '0');
    this.#keys.set(this.#current, generationKey(crypto, seededBytes(32, seed)));
  }
  current() {
    return { generation: this.#current, key: this.#keys.get(this.#current)! };
  }
  find(generation: string) {
    return this.#keys.get(generation);
  }
}

/** The garbage collector by hand: what is left after it is what is really held. */
function collector(): { collect(): void } {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Buffers found dead are freed in the background, which the next round waits for.
  return { collect: () => [collect, collect].forEach((round) => round()) };
}

async function* pieces(bytes: Uint8Array, size = MIB): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function bench() {
  const chunks = new MemoryChunks();
  const keys = new Epochs();
  return { chunks, keys, contents: new Contents({ crypto, chunks, keys }) };
}

async function failure<E extends Error>(type: new (...args: never[]) => E, work: () => Promise<unknown>): Promise<E> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof type, `${String(error)} is no ${type.name}`);
    return error;
  }
  return assert.fail(`no ${type.name}`);
}

describe('F1 contents over a chunk store', () => {
  it('F1 give back what was written, of every size, durable before it is named', async () => {
    const { chunks, contents } = bench();
    for (const size of [0, 1, 5_000, SINGLE_CHUNK_BYTES, SINGLE_CHUNK_BYTES + 1, 3 * MIB]) {
      const bytes = seededBytes(size, size + 1);
      const content = await contents.writeStream(pieces(bytes, 70_001));
      assert.equal(chunks.unsynced, 0);
      assert.equal(content.bytes, size);
      assert.equal(Buffer.from(content.sha256).toString('hex'), sha256(bytes));
      assert.deepEqual(contentFromValue(contentToValue(content)), content);
      assertSameBytes(await contents.readAll(content), bytes);
      assert.deepEqual(await contents.missing(content), []);
      assert.deepEqual(await contents.chunkRefs(content), content.chunks);
    }
  });

  it('F1, L2 a chunk that was given up when somebody else’s sync failed is not said to be durable', async () => {
    const disk = new MemoryDisk();
    const { chunks, close } = await openOn(disk);
    const contents = new Contents({ crypto, chunks, keys: new Epochs() });
    async function* meanwhile(): AsyncIterable<Uint8Array> {
      yield seededBytes(2 * MIB, 1);
      disk.fail({ on: 'sync', path: /chunks/ });
      await assert.rejects(chunks.sync());
      yield seededBytes(MIB, 2);
    }
    await failure(StoreError, () => contents.writeStream(meanwhile()));
    const content = await contents.writeStream(pieces(seededBytes(3 * MIB, 1)));
    assert.deepEqual(await contents.missing(content), []);
    await close();
  });

  it('F1 the caller may sync once for many', async () => {
    const { chunks, contents } = bench();
    await contents.writeStream(pieces(seededBytes(100, 1)), { sync: false });
    assert.deepEqual([chunks.unsynced, chunks.syncs], [1, 0]);
  });

  it('F1 a range reads only its own chunks', async () => {
    const { chunks, contents } = bench();
    const bytes = seededBytes(3 * MIB, 3);
    const content = await contents.writeStream(pieces(bytes));
    const [first, second] = content.chunks;
    for (const [offset, length] of [
      [0, 10],
      [first!.bytes - 5, 10],
      [MIB, MIB],
      [3 * MIB - 1, 50],
      [3 * MIB + 7, 5],
      [5, 0],
    ] as const) {
      const parts: Uint8Array[] = [];
      for await (const part of contents.read(content, { offset, length })) parts.push(part);
      assertSameBytes(concatBytes(...parts), bytes.slice(offset, offset + length));
    }
    await chunks.delete(first!.id);
    const parts: Uint8Array[] = [];
    for await (const part of contents.read(content, { offset: first!.bytes, length: 100 })) parts.push(part);
    assertSameBytes(concatBytes(...parts), bytes.slice(first!.bytes, first!.bytes + 100));
    assert.ok(second);
  });

  it('F1 the same file again puts nothing', async () => {
    const { chunks, contents } = bench();
    const bytes = seededBytes(2 * MIB, 4);
    const content = await contents.writeStream(pieces(bytes));
    const { puts } = chunks;
    assert.deepEqual(await contents.writeStream(pieces(bytes, 999)), content);
    assert.equal(chunks.puts, puts);
  });

  it('F1 after a new epoch a chunk that is known keeps its older generation, a new one gets the new', async () => {
    const { chunks, keys, contents } = bench();
    const bytes = seededBytes(4 * MIB, 5);
    const before = await contents.writeStream(pieces(bytes));
    keys.next(2);
    const edited = concatBytes(bytes.subarray(0, 2 * MIB), seededBytes(100, 6), bytes.subarray(2 * MIB));
    const putsBefore = chunks.puts;
    const after = await contents.writeStream(pieces(edited), { reuse: before.chunks });
    const old = after.chunks.filter(({ generation }) => generation === before.chunks[0]!.generation);
    assert.equal(chunks.puts - putsBefore, after.chunks.length - old.length);
    assert.ok(after.chunks.length - old.length <= 3, `${after.chunks.length - old.length} new chunks`);
    assertSameBytes(await contents.readAll(after), edited);
  });

  it('F1 what a version lies of the length of a chunk is not repeated', async () => {
    const { contents } = bench();
    const bytes = seededBytes(300_000, 7);
    const before = await contents.writeStream(pieces(bytes));
    const [first, ...rest] = before.chunks;
    const lie = { ...first!, bytes: 5 };
    for (const reuse of [
      [lie, ...before.chunks],
      [...before.chunks, lie],
      [lie, { ...lie, id: 'ab'.repeat(32) as typeof lie.id, bytes: first!.bytes }, ...rest],
    ])
      assert.deepEqual(await contents.writeStream(pieces(bytes), { reuse }), before);
  });

  it('F1 a reused chunk that is not here is put again, under its own generation', async () => {
    const { chunks, keys, contents } = bench();
    const bytes = seededBytes(50_000, 7);
    const before = await contents.writeStream(pieces(bytes));
    keys.next(2);
    await chunks.delete(before.chunks[0]!.id);
    assert.deepEqual(await contents.writeStream(pieces(bytes), { reuse: before.chunks }), before);
    assertSameBytes(await contents.readAll(before), bytes);
  });

  it('F1 a source that fails gives its own error, and no content', async () => {
    const { contents } = bench();
    async function* failing(): AsyncIterable<Uint8Array> {
      yield seededBytes(10, 1);
      throw new RangeError('the disk went away');
    }
    await failure(RangeError, () => contents.writeStream(failing()));
  });
});

describe('F1 a file of 30 MB', function () {
  this.timeout(60_000);

  it('F1 travels as chunks named in a list; an insertion in its middle makes few new ones', async () => {
    const { chunks, keys, contents } = bench();
    const bytes = seededBytes(30 * MIB, 8);
    const before = await contents.writeStream(pieces(bytes));
    assert.ok(before.indirect && before.chunks.length <= MAX_INLINE_CHUNKS);
    const refs = (await contents.chunkRefs(before))!;
    assert.ok(refs.length > 90 && refs.length < 160, `${refs.length} chunks`);

    keys.next(2);
    const inserted = concatBytes(bytes.subarray(0, 15 * MIB), seededBytes(1234, 9), bytes.subarray(15 * MIB));
    const putsBefore = chunks.puts;
    const after = await contents.writeStream(pieces(inserted), { reuse: refs });
    assert.ok(chunks.puts - putsBefore <= 4, `${chunks.puts - putsBefore} new chunks`);
    const hash = createHash('sha256');
    for await (const part of contents.read(after)) hash.update(part);
    assert.equal(hash.digest('hex'), sha256(inserted));
  });

  it('F1 is never held whole: not when written, not when read', async () => {
    const { chunks, contents } = bench();
    const { collect } = collector();
    let peak = 0;
    let calls = 0;
    const measure = (kept: number) => {
      if (calls++ % 12 !== 0) return;
      collect();
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - kept);
    };
    collect();
    const base = process.memoryUsage().arrayBuffers;
    async function* source(): AsyncIterable<Uint8Array> {
      for (let i = 0; i < 32; i++) {
        yield seededBytes(MIB, 100 + i);
        measure(base + chunks.putBytes);
      }
    }
    const content = await contents.writeStream(source());
    const written = peak;
    peak = 0;
    for await (const part of contents.read(content)) {
      assert.ok(part.length > 0);
      measure(base + chunks.putBytes);
    }
    assert.ok(
      written < 12 * MIB && peak < 12 * MIB,
      `${written} and ${peak} bytes beside the store; the file has 32 MiB`,
    );
  });
});

describe('F1 versions as differences', () => {
  const text = seededText(20_000, 10);
  const edit = (bytes: Uint8Array, n: number) =>
    concatBytes(bytes.subarray(0, 100 * n), new TextEncoder().encode(`edit ${n}\n`), bytes.subarray(100 * n));

  it('F1 a one-line save stores no chunk, and is read through its parent', async () => {
    const { chunks, contents } = bench();
    const base = await contents.writeBytes(text);
    const { puts, syncs } = chunks;
    const after = edit(text, 5);
    const saved = await contents.writeBytes(after, { content: base, chain: 0, read: () => contents.readAll(base) });
    assert.ok(saved.kind === 'patch' && saved.patch.length < 40);
    assert.deepEqual([chunks.puts, chunks.syncs], [puts, syncs]);
    assertSameBytes(await contents.resolvePatched([base, saved]), after);
    assert.deepEqual(await contents.missing(saved), []);
    assert.deepEqual(await contents.chunkRefs(saved), []);
  });

  it('F1 a chain ends at its limit with a whole version', async () => {
    const { contents } = bench();
    const chain: Content[] = [await contents.writeBytes(text)];
    let bytes = text;
    for (let n = 1; n <= MAX_PATCH_CHAIN + 1; n++) {
      const before = bytes;
      bytes = edit(bytes, n);
      chain.push(
        await contents.writeBytes(bytes, { content: chain.at(-1)!, chain: chain.length - 1, read: async () => before }),
      );
    }
    assert.deepEqual(
      chain.map(({ kind }) => kind),
      ['chunks', ...Array<string>(MAX_PATCH_CHAIN).fill('patch'), 'chunks'],
    );
    assertSameBytes(await contents.readAll(chain.at(-1)!), bytes);
    const before = await contents.resolvePatched(chain.slice(0, -1));
    assertSameBytes(edit(before, MAX_PATCH_CHAIN + 1), bytes);
  });

  it('F1 a parent that is not here, an unlike one and an emptied file give whole versions', async () => {
    const { contents } = bench();
    const base = await contents.writeBytes(text);
    for (const [bytes, read] of [
      [edit(text, 1), async () => undefined],
      [seededBytes(20_000, 11), async () => text],
      [new Uint8Array(0), async () => text],
    ] as const) {
      const content = await contents.writeBytes(bytes, { content: base, chain: 0, read });
      assert.equal(content.kind, 'chunks');
      assertSameBytes(await contents.readAll(content), bytes);
    }
  });

  it('F1 a difference that does not fit its parent, or makes other bytes than it says, is damaged', async () => {
    const { contents } = bench();
    const base = await contents.writeBytes(text);
    const saved = (await contents.writeBytes(edit(text, 3), {
      content: base,
      chain: 0,
      read: async () => text,
    })) as Extract<Content, { kind: 'patch' }>;
    const other = await contents.writeBytes(seededText(20_000, 12));
    const short = await contents.writeBytes(text.subarray(0, 50));
    const lying = { ...saved, sha256: seededBytes(32, 1) };
    const longer = { ...saved, bytes: saved.bytes + 1 };
    for (const [chain, code] of [
      [[other, saved], 'hash'],
      [[short, saved], 'patch'],
      [[base, lying], 'hash'],
      [[base, longer], 'patch'],
      [[base, base], 'patch'],
      [[saved], 'patch'],
      [[base, ...Array<Content>(MAX_PATCH_CHAIN + 1).fill(saved)], 'patch'],
    ] as const) {
      assert.equal((await failure(ContentDamaged, () => contents.resolvePatched(chain))).code, code);
    }
  });
});

describe('F1 content that is not all here, or not what it says', () => {
  async function large() {
    const made = bench();
    const bytes = seededBytes(24 * MIB, 13);
    const content = await made.contents.writeStream(pieces(bytes));
    assert.ok(content.indirect);
    return { ...made, bytes, content, refs: (await made.contents.chunkRefs(content))! };
  }

  it('F1 names all chunks that are missing before it gives a byte', async () => {
    const { chunks, contents } = bench();
    const content = await contents.writeStream(pieces(seededBytes(3 * MIB, 14)));
    const gone = [content.chunks[1]!, content.chunks.at(-1)!];
    for (const { id } of gone) await chunks.delete(id);
    let given = 0;
    const error = await failure(ContentMissing, async () => {
      for await (const part of contents.read(content)) given += part.length;
    });
    assert.deepEqual([error.missing, given], [gone, 0]);
    assert.deepEqual(await contents.missing(content), gone);
  });

  it('F1 of a list that is missing asks for the list first, then for the data', async () => {
    const { chunks, contents, content, refs } = await large();
    const listed = content.chunks;
    const data = refs.slice(listed.length);
    const kept = new Map(chunks.held);
    chunks.held.clear();
    assert.deepEqual(await contents.missing(content), listed);
    assert.equal(await contents.chunkRefs(content), undefined);
    assert.deepEqual((await failure(ContentMissing, () => contents.readAll(content))).missing, listed);
    for (const { id } of listed) chunks.held.set(id, kept.get(id)!);
    assert.deepEqual(await contents.missing(content), data);
    assert.deepEqual(await contents.chunkRefs(content), refs);
    assert.deepEqual((await failure(ContentMissing, () => contents.readAll(content))).missing, data);
  }).timeout(20_000);

  it('F1 a chunk with a flipped bit is named, so that it can be fetched again', async () => {
    const { chunks, contents } = bench();
    const content = await contents.writeStream(pieces(seededBytes(MIB, 15)));
    const damaged = content.chunks[1]!;
    chunks.held.get(damaged.id)![1000]! ^= 4;
    const error = await failure(ContentDamaged, () => contents.readAll(content));
    assert.deepEqual([error.code, error.chunk], ['chunk', damaged]);
  });

  it('F1 a version whose hash, chunk length or generation is a lie is damaged', async () => {
    const { contents } = bench();
    const content = await contents.writeStream(pieces(seededBytes(1000, 16)));
    const ref = content.chunks[0]!;
    const lies: readonly (readonly [ChunkedContent, string])[] = [
      [{ ...content, sha256: seededBytes(32, 1) }, 'hash'],
      [{ ...content, bytes: 999, chunks: [{ ...ref, bytes: 999 }] }, 'chunk'],
      [{ ...content, chunks: [{ ...ref, generation: 'ff00ff00ff00ff00' }] }, 'noKey'],
    ];
    for (const [lie, code] of lies)
      assert.equal((await failure(ContentDamaged, () => contents.readAll(lie))).code, code);
  });

  it('F1 a list that is none, or of another length, is damaged', async () => {
    const { chunks, keys, contents } = bench();
    const { generation, key } = keys.current();
    const some: ChunkRef = { generation, id: '00'.repeat(32) as ChunkId, bytes: 500 };
    for (const list of [seededBytes(300, 17), encodeChunkList([some]), encodeChunkList([])]) {
      const { id, bytes } = sealChunk(crypto, key, list);
      await chunks.put(id, bytes);
      const content: Content = {
        kind: 'chunks',
        bytes: 501,
        sha256: seededBytes(32, 1),
        chunks: [{ generation, id, bytes: list.length }],
        indirect: true,
      };
      assert.equal((await failure(ContentDamaged, () => contents.readAll(content))).code, 'list');
      assert.equal((await failure(ContentDamaged, () => contents.missing(content))).code, 'list');
    }
  });
});
