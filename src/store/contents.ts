/**
 * The content of files over a chunk store (F1, L2): written as a stream or as bytes, read whole, as a stream or in
 * part. No file is held whole in memory unless the caller asks for its bytes. Which version has which parent is the
 * caller's business; a content that is a difference is resolved along a chain that the caller hands in.
 */
import { createHash } from 'node:crypto';
import { assert } from '../base/assert.ts';
import { equalBytes, joinBytes } from '../base/bytes.ts';
import type { ChunkId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import {
  MAX_FILE_BYTES,
  MAX_INLINE_CHUNKS,
  MAX_PATCHED_BYTES,
  MAX_PATCH_CHAIN,
  MAX_PATCH_CHAIN_WORK_BYTES,
} from '../protocol/limits.ts';
import { StoreError, type ChunkStore } from '../sync/ports.ts';
import { Chunker } from '../tools/files/chunker.ts';
import {
  chunkId,
  decodeChunkList,
  encodeChunkList,
  openChunk,
  sealChunk,
  type ChunkedContent,
  type ChunkRef,
  type Content,
  type Generation,
} from '../tools/files/content.ts';
import { applyPatch, makePatch } from '../tools/files/patch.ts';

export interface GenerationKeys {
  current(): { readonly generation: Generation; readonly key: Uint8Array };
  find(generation: Generation): Uint8Array | undefined;
}

export interface WriteContentOptions {
  /** Chunks of the versions before: one of them that fits is named again, with its older generation. */
  readonly reuse?: readonly ChunkRef[];
  /** False where the caller syncs the store itself, once for many files, before naming any of them. */
  readonly sync?: boolean;
}

export interface ParentContent {
  readonly content: Content;
  /** Differences that must be walked to read it: 0 for chunks. */
  readonly chain: number;
  read(): Promise<Uint8Array | undefined>;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Not all of it is here: these are to be fetched (of an indirect list that is missing, the list's own chunks first). */
export class ContentMissing extends Error {
  override readonly name = 'ContentMissing';
  readonly missing: readonly ChunkRef[];
  constructor(missing: readonly ChunkRef[]) {
    super(`${missing.length} chunks are not here`);
    this.missing = missing;
  }
}

/** What is here is not what the version says. `chunk` is named where fetching it again may help. */
export class ContentDamaged extends Error {
  override readonly name = 'ContentDamaged';
  readonly code: 'chunk' | 'list' | 'patch' | 'hash' | 'noKey';
  readonly chunk: ChunkRef | undefined;
  constructor(code: ContentDamaged['code'], chunk?: ChunkRef) {
    super(`the content is damaged: ${code}`);
    this.code = code;
    this.chunk = chunk;
  }
}

export class ContentTooLarge extends Error {
  override readonly name = 'ContentTooLarge';
}

const EMPTY: readonly ChunkRef[] = [];

export class Contents {
  readonly #crypto: Crypto;
  readonly #chunks: ChunkStore;
  readonly #keys: GenerationKeys;

  constructor(options: { readonly crypto: Crypto; readonly chunks: ChunkStore; readonly keys: GenerationKeys }) {
    this.#crypto = options.crypto;
    this.#chunks = options.chunks;
    this.#keys = options.keys;
  }

  // ---- writing ----------------------------------------------------------------------------------------------------

  /** Durable when it resolves. Throws ContentTooLarge, StoreError, and whatever the source throws. */
  async writeStream(source: AsyncIterable<Uint8Array>, options: WriteContentOptions = {}): Promise<ChunkedContent> {
    const reuse = new ReusableChunks(options.reuse ?? EMPTY);
    const hash = createHash('sha256');
    const chunker = new Chunker();
    const refs: ChunkRef[] = [];
    let bytes = 0;
    for await (const piece of source) {
      bytes += piece.length;
      if (bytes > MAX_FILE_BYTES) throw new ContentTooLarge(`more than ${MAX_FILE_BYTES} bytes`);
      hash.update(piece);
      for (const chunk of chunker.push(piece)) refs.push(await this.#put(chunk, reuse));
    }
    for (const chunk of chunker.finish()) refs.push(await this.#put(chunk, reuse));
    const indirect = refs.length > MAX_INLINE_CHUNKS;
    const chunks = indirect ? await this.#putList(refs, reuse) : refs;
    if (options.sync !== false) await this.#keep([...chunks, ...refs]);
    return { kind: 'chunks', bytes, sha256: new Uint8Array(hash.digest()), chunks, indirect };
  }

  /** A difference against the parent where that is worth it, and then no chunk is stored; else chunks. */
  async writeBytes(bytes: Uint8Array, parent?: ParentContent, options: WriteContentOptions = {}): Promise<Content> {
    if (parent && parent.chain < longestChain(bytes.length) && bytes.length <= MAX_PATCHED_BYTES) {
      const before = parent.content.bytes <= MAX_PATCHED_BYTES ? await parent.read() : undefined;
      const patch = before && makePatch(before, bytes);
      if (patch) return { kind: 'patch', bytes: bytes.length, sha256: sha256(bytes), patch };
    }
    return this.writeStream(only(bytes), options);
  }

  // ---- reading ----------------------------------------------------------------------------------------------------

  /**
   * A content in chunks, or a range of it, in order. Throws ContentMissing before the first byte where not all of it
   * is here. The SHA-256 of the whole is known only at its end: until a whole read has ended without ContentDamaged,
   * what it gave is only as good as its chunks (each is checked by its id).
   */
  async *read(content: Content, range?: ByteRange): AsyncIterable<Uint8Array> {
    const refs = await this.#dataRefs(content);
    const from = Math.min(range?.offset ?? 0, content.bytes);
    const to = Math.min(from + (range?.length ?? content.bytes), content.bytes);
    const whole = from === 0 && to === content.bytes;
    const wanted: { readonly ref: ChunkRef; readonly start: number }[] = [];
    let start = 0;
    for (const ref of refs) {
      if (start < to && start + ref.bytes > from) wanted.push({ ref, start });
      start += ref.bytes;
    }
    this.#demand(wanted.map(({ ref }) => ref));
    const hash = whole ? createHash('sha256') : undefined;
    for (const { ref, start: at } of wanted) {
      const plaintext = await this.#open(ref);
      const part = plaintext.subarray(Math.max(0, from - at), Math.min(ref.bytes, to - at));
      hash?.update(part);
      yield part;
    }
    if (hash && !equalBytes(hash.digest(), content.sha256)) throw new ContentDamaged('hash');
  }

  async readAll(content: Content): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of this.read(content)) parts.push(part);
    return parts.length === 1 ? parts[0]! : joinBytes(parts);
  }

  /** The bytes at the end of a chain: a content in chunks, then the differences upon it, each checked. */
  async resolvePatched(chain: readonly Content[]): Promise<Uint8Array> {
    const [base, ...patches] = chain;
    assert(base !== undefined, 'a chain begins with a content');
    if (base.kind !== 'chunks' || patches.length > MAX_PATCH_CHAIN) throw new ContentDamaged('patch');
    if (patches.length > 0 && base.bytes > MAX_PATCHED_BYTES) throw new ContentDamaged('patch');
    let bytes = await this.readAll(base);
    for (const content of patches) bytes = patched(bytes, content);
    return bytes;
  }

  // ---- what is here -----------------------------------------------------------------------------------------------

  /** The chunks of the list, if there is one, and of the data. Undefined where the list itself is not here. */
  async chunkRefs(content: Content): Promise<readonly ChunkRef[] | undefined> {
    if (content.kind === 'patch') return EMPTY;
    if (!content.indirect) return content.chunks;
    if (this.#missingOf(content.chunks).length > 0) return undefined;
    return [...content.chunks, ...(await this.#dataRefs(content))];
  }

  /** What is to be fetched next; of a list that is not here, only the list's own chunks are known. */
  async missing(content: Content): Promise<readonly ChunkRef[]> {
    if (content.kind === 'patch') return EMPTY;
    const ofList = this.#missingOf(content.chunks);
    if (!content.indirect || ofList.length > 0) return ofList;
    return this.#missingOf(await this.#dataRefs(content));
  }

  // ---- within -----------------------------------------------------------------------------------------------------

  async #put(plaintext: Uint8Array, reuse: ReusableChunks): Promise<ChunkRef> {
    for (const generation of reuse.generations(plaintext.length)) {
      const key = this.#keys.find(generation);
      if (!key) continue;
      const ref = reuse.find(generation, chunkId(this.#crypto, key, plaintext), plaintext.length);
      if (!ref) continue;
      if (!this.#chunks.has(ref.id)) await this.#chunks.put(ref.id, sealChunk(this.#crypto, key, plaintext).bytes);
      return ref;
    }
    const { generation, key } = this.#keys.current();
    const id = chunkId(this.#crypto, key, plaintext);
    if (!this.#chunks.has(id)) await this.#chunks.put(id, sealChunk(this.#crypto, key, plaintext).bytes);
    return { generation, id, bytes: plaintext.length };
  }

  /** A chunk whose fsync has failed is given up, and only whoever had asked for that fsync is told. */
  async #keep(refs: readonly ChunkRef[]): Promise<void> {
    await this.#chunks.sync();
    if (this.#missingOf(refs).length > 0) throw new StoreError('io', 'what was written is not on the disk');
  }

  async #putList(refs: readonly ChunkRef[], reuse: ReusableChunks): Promise<readonly ChunkRef[]> {
    const chunker = new Chunker();
    const pieces = [...chunker.push(encodeChunkList(refs)), ...chunker.finish()];
    const list: ChunkRef[] = [];
    for (const piece of pieces) list.push(await this.#put(piece, reuse));
    return list;
  }

  async #dataRefs(content: Content): Promise<readonly ChunkRef[]> {
    assert(content.kind === 'chunks', 'a difference is resolved along its chain');
    if (!content.indirect) return content.chunks;
    this.#demand(content.chunks);
    const parts: Uint8Array[] = [];
    for (const ref of content.chunks) parts.push(await this.#open(ref));
    const refs = decodeChunkList(joinBytes(parts), content.bytes);
    if (!refs) throw new ContentDamaged('list');
    return refs;
  }

  #missingOf(refs: readonly ChunkRef[]): readonly ChunkRef[] {
    const seen = new Set<ChunkId>();
    return refs.filter(({ id }) => {
      if (seen.has(id) || this.#chunks.has(id)) return false;
      seen.add(id);
      return true;
    });
  }

  #demand(refs: readonly ChunkRef[]): void {
    const missing = this.#missingOf(refs);
    if (missing.length > 0) throw new ContentMissing(missing);
  }

  async #open(ref: ChunkRef): Promise<Uint8Array> {
    const key = this.#keys.find(ref.generation);
    if (!key) throw new ContentDamaged('noKey', ref);
    const bytes = await this.#chunks.get(ref.id);
    if (!bytes) throw new ContentMissing([ref]);
    const plaintext = openChunk(this.#crypto, key, ref.id, bytes);
    if (plaintext?.length !== ref.bytes) throw new ContentDamaged('chunk', ref);
    return plaintext;
  }
}

/** Chunks known from before, found by length first: only where one could fit is a hash under its key worth taking. */
class ReusableChunks {
  readonly #byKey = new Map<string, ChunkRef>();
  readonly #generations = new Map<number, Set<Generation>>();

  constructor(refs: readonly ChunkRef[]) {
    for (const ref of refs) {
      this.#byKey.set(keyOf(ref), ref);
      const generations = this.#generations.get(ref.bytes);
      if (generations) generations.add(ref.generation);
      else this.#generations.set(ref.bytes, new Set([ref.generation]));
    }
  }

  generations(bytes: number): Iterable<Generation> {
    return this.#generations.get(bytes) ?? [];
  }

  find(generation: Generation, id: ChunkId, bytes: number): ChunkRef | undefined {
    return this.#byKey.get(keyOf({ generation, id, bytes }));
  }
}

/** With its length: who repeated what a version lies about another's chunk would be refused by all. */
function keyOf({ generation, id, bytes }: ChunkRef): string {
  return `${generation}.${id}.${bytes}`;
}

/** Small files bear longer chains: what counts is the work of reading one (F1). */
function longestChain(bytes: number): number {
  return Math.min(MAX_PATCH_CHAIN, Math.floor(MAX_PATCH_CHAIN_WORK_BYTES / Math.max(1, bytes)));
}

function patched(before: Uint8Array, content: Content): Uint8Array {
  const after = content.kind === 'patch' ? applyPatch(before, content.patch) : undefined;
  if (after?.length !== content.bytes) throw new ContentDamaged('patch');
  if (!equalBytes(sha256(after), content.sha256)) throw new ContentDamaged('hash');
  return after;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

async function* only(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
