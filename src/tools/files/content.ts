/**
 * The content of one version of a file (F1), as it stands in a delta, and the sealing of its chunks.
 *
 * The form is told by the number of fields:
 *
 * | fields | form |
 * | --- | --- |
 * | bytes, sha256, patch | a difference against the one parent's content (patch.ts) |
 * | bytes, sha256, generations, chunks, indirect | `generations`: 8 bytes each, in order of first use; `chunks`: [generation index, id, length] each |
 *
 * `indirect`: the chunks hold, one after the other, the CBOR of [generations, chunks] of the real list, which is
 * what happens to a file of more than MAX_INLINE_CHUNKS chunks. A content has one encoding, and a reader refuses others.
 *
 * | chunk | is |
 * | --- | --- |
 * | Kg | HKDF(epoch key, info `coterie chunks 1`) |
 * | id | HMAC(Kg, plaintext) |
 * | key | HKDF(Kg, info `coterie chunk key 1` and the id) |
 * | bytes | AES-256-GCM(key, twelve zero bytes, plaintext), associated data empty |
 *
 * The zero nonce is sound because a key never meets two plaintexts: it is derived from the id, and the id is a
 * keyed hash of the plaintext. In return equal plaintexts of a generation have equal bytes, so only missing chunks
 * travel; who lacks Kg can neither test a guess of the content nor link chunks of two generations. GCM does not
 * commit to its key, so the id is computed again after opening.
 */
import { concatBytes, fromHex, toHex } from '../../base/bytes.ts';
import { domain } from '../../base/format.ts';
import type { ChunkId } from '../../base/ids.ts';
import { GCM_NONCE_BYTES, KEY_BYTES, type Crypto } from '../../crypto/crypto.ts';
import { asArray, asBytes, asCount, asFlag, asList, decode, encode, type Value } from '../../protocol/codec.ts';
import {
  CHUNK_MAX_BYTES,
  MAX_CHUNK_LIST_BYTES,
  MAX_FILE_BYTES,
  MAX_INLINE_CHUNKS,
  MAX_LISTED_CHUNKS,
  MAX_PATCHED_BYTES,
  MAX_PATCH_BYTES,
} from '../../protocol/limits.ts';

/** Which epoch's chunk key: 8 bytes in hexadecimal. */
export type Generation = string;

export interface ChunkRef {
  readonly generation: Generation;
  readonly id: ChunkId;
  /** Of the plaintext. */
  readonly bytes: number;
}

export interface ChunkedContent {
  readonly kind: 'chunks';
  readonly bytes: number;
  readonly sha256: Uint8Array;
  readonly chunks: readonly ChunkRef[];
  /** The chunks hold the encoded list of the real chunks. */
  readonly indirect: boolean;
}

export interface PatchedContent {
  readonly kind: 'patch';
  readonly bytes: number;
  readonly sha256: Uint8Array;
  /** Against the single parent version's content. */
  readonly patch: Uint8Array;
}

export type Content = ChunkedContent | PatchedContent;

export const GENERATION_BYTES = 8;
const HASH_BYTES = 32;
/** A file's chunks may stem from many epochs, each of which some membership change has made. */
const MAX_GENERATIONS = 4096;

// ---- encoding -----------------------------------------------------------------------------------------------------

export function contentToValue(content: Content): Value {
  if (content.kind === 'patch') return [content.bytes, content.sha256, content.patch];
  const [generations, chunks] = listToValue(content.chunks);
  return [content.bytes, content.sha256, generations, chunks, content.indirect];
}

/** The content, or undefined where the value is not one, breaks a limit, or its lengths do not add up. */
export function contentFromValue(value: Value | undefined): Content | undefined {
  const fields = asArray(value, 3, 5);
  const bytes = asCount(fields?.[0], MAX_FILE_BYTES);
  const sha256 = asBytes(fields?.[1], HASH_BYTES);
  if (!fields || bytes === undefined || !sha256) return undefined;
  if (fields.length === 3) {
    const patch = asBytes(fields[2], 1, MAX_PATCH_BYTES);
    if (!patch || bytes > MAX_PATCHED_BYTES || 2 * patch.length >= bytes) return undefined;
    return { kind: 'patch', bytes, sha256, patch };
  }
  const chunks = listFromValue(fields[2], fields[3], MAX_INLINE_CHUNKS);
  const indirect = asFlag(fields[4]);
  if (!chunks || indirect === undefined) return undefined;
  const sum = sumOf(chunks);
  if (indirect ? bytes === 0 || sum === 0 || sum > MAX_CHUNK_LIST_BYTES : sum !== bytes) return undefined;
  return { kind: 'chunks', bytes, sha256, chunks, indirect };
}

/** What the chunks of an indirect content hold. */
export function encodeChunkList(chunks: readonly ChunkRef[]): Uint8Array {
  return encode(listToValue(chunks));
}

/** The real chunks of an indirect content of `fileBytes`, or undefined where the list is not one of such a file. */
export function decodeChunkList(bytes: Uint8Array, fileBytes: number): readonly ChunkRef[] | undefined {
  if (bytes.length > MAX_CHUNK_LIST_BYTES) return undefined;
  const decoded = decode(bytes);
  const fields = decoded.ok ? asArray(decoded.value, 2) : undefined;
  const chunks = listFromValue(fields?.[0], fields?.[1], MAX_LISTED_CHUNKS);
  return chunks && sumOf(chunks) === fileBytes ? chunks : undefined;
}

function listToValue(chunks: readonly ChunkRef[]): readonly [Value, Value] {
  const generations = [...new Set(chunks.map((chunk) => chunk.generation))];
  const indexOf = new Map(generations.map((generation, index) => [generation, index]));
  return [
    generations.map((generation) => fromHex(generation)!),
    chunks.map((chunk) => [indexOf.get(chunk.generation)!, fromHex(chunk.id)!, chunk.bytes]),
  ];
}

/**
 * Refuses what `listToValue` would not have written: generations twice, unused, or not in order of first use. And one chunk with two lengths or
 * under two generations, which no writer makes: an id is a keyed hash of one plaintext under one key, and a generation is named by that key; where
 * the writer names again what another has listed, it finds that by generation and id, so the same each time.
 */
function listFromValue(
  generationsValue: Value | undefined,
  chunksValue: Value | undefined,
  maximum: number,
): readonly ChunkRef[] | undefined {
  const generations = asList(generationsValue, MAX_GENERATIONS, (element) => {
    const bytes = asBytes(element, GENERATION_BYTES);
    return bytes && toHex(bytes);
  });
  if (!generations || new Set(generations).size !== generations.length) return undefined;
  let used = 0;
  const first = new Map<ChunkId, ChunkRef>();
  const chunks = asList(chunksValue, maximum, (element): ChunkRef | undefined => {
    const fields = asArray(element, 3);
    const index = asCount(fields?.[0], used);
    const id = asBytes(fields?.[1], HASH_BYTES);
    const bytes = asCount(fields?.[2], CHUNK_MAX_BYTES);
    const generation = index === undefined ? undefined : generations[index];
    if (generation === undefined || !id || !bytes) return undefined;
    if (index === used) used++;
    const ref = { generation, id: toHex(id) as ChunkId, bytes };
    const before = first.get(ref.id);
    if (!before) first.set(ref.id, ref);
    return !before || (before.generation === generation && before.bytes === bytes) ? ref : undefined;
  });
  return used === generations.length ? chunks : undefined;
}

function sumOf(chunks: readonly ChunkRef[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
}

// ---- sealing ------------------------------------------------------------------------------------------------------

const NO_BYTES = new Uint8Array(0);
const ZERO_NONCE = new Uint8Array(GCM_NONCE_BYTES);
const CHUNK_KEY_INFO = domain('chunk key');

/** The id alone: whether a chunk is here already is asked before it is sealed. */
export function chunkId(crypto: Crypto, kg: Uint8Array, plaintext: Uint8Array): ChunkId {
  return toHex(crypto.hmacSha256(kg, plaintext)) as ChunkId;
}

export function sealChunk(crypto: Crypto, kg: Uint8Array, plaintext: Uint8Array): { id: ChunkId; bytes: Uint8Array } {
  const id = chunkId(crypto, kg, plaintext);
  return { id, bytes: crypto.sealGcm(chunkKey(crypto, kg, id), ZERO_NONCE, plaintext, NO_BYTES) };
}

/** The plaintext, or undefined where the tag or the id does not fit. */
export function openChunk(crypto: Crypto, kg: Uint8Array, id: ChunkId, bytes: Uint8Array): Uint8Array | undefined {
  const plaintext = crypto.openGcm(chunkKey(crypto, kg, id), ZERO_NONCE, bytes, NO_BYTES);
  return plaintext && chunkId(crypto, kg, plaintext) === id ? plaintext : undefined;
}

function chunkKey(crypto: Crypto, kg: Uint8Array, id: ChunkId): Uint8Array {
  return crypto.hkdfSha256(kg, NO_BYTES, concatBytes(CHUNK_KEY_INFO, fromHex(id)!), KEY_BYTES);
}
