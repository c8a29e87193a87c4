/**
 * A delta: the unit of synchronisation (D1), signed plaintext (D3). All numbers are CBOR integers.
 *
 * Stored and forwarded form: `[signed, signature]`, where `signed` is the byte string of this array:
 *
 * | field | bytes | meaning |
 * | --- | --- | --- |
 * | version | 0 | format; another one is kept and stops the folding (D10) |
 * | device | 32 | the author's signing key |
 * | generation | count | which of the device's feeds (D2); with `device` it is the feed |
 * | seq | count | 1, 2, 3 … |
 * | prev | 0 or 32 | id of seq − 1 in this feed; empty for seq 1 |
 * | deps | ≤ 32 × 32 | maximal heads outside the own feed (D5), sorted |
 * | credential | 0 or 32 | the delta that gave the author his role (A1); empty in a genesis |
 * | time | count | milliseconds since 1970: a claim, never a verdict (D6) |
 * | tool | 0 or 8 | the tool it is for; empty: control (section 3) |
 * | kind | text | what the tool does with it |
 * | body | any | as the tool says |
 *
 * id = SHA-256("coterie delta 0" ‖ workspace ‖ signed); the signature is Ed25519 over the same bytes. The workspace
 * (32 bytes; zeros in its genesis, whose id it is) is thus bound by id and signature without travelling in every delta.
 */
import { concatBytes, toHex } from '../base/bytes.ts';
import type { DeltaId, DeviceId, FeedId, ToolId, WorkspaceId } from '../base/ids.ts';
import { fromHex } from '../base/bytes.ts';
import { domain, FORMAT } from '../base/format.ts';
import { err, ok, type Result } from '../base/result.ts';
import { KEY_BYTES, SIGNATURE_BYTES, type Crypto } from '../crypto/crypto.ts';
import { asArray, asBytes, asCount, asList, asText, decodeInPlace, encode, type Value } from '../protocol/codec.ts';
import { MAX_DELTA_BYTES, MAX_DEPS, MAX_FEED_GENERATION } from '../protocol/limits.ts';

export const DELTA_VERSION = FORMAT;
export const TOOL_ID_BYTES = 8;
const ID_BYTES = 32;
const MAX_KIND_LENGTH = 24;
const DOMAIN = domain('delta');
const NO_WORKSPACE = new Uint8Array(ID_BYTES);
const NONE = new Uint8Array(0);

export interface Delta {
  readonly id: DeltaId;
  readonly version: number;
  readonly device: DeviceId;
  readonly feed: FeedId;
  readonly generation: number;
  readonly seq: number;
  readonly prev: DeltaId | undefined;
  readonly deps: readonly DeltaId[];
  readonly credential: DeltaId | undefined;
  readonly time: number;
  readonly tool: ToolId | undefined;
  readonly kind: string;
  readonly body: Value;
  /** As it came: stored, hashed and forwarded (D4). */
  readonly bytes: Uint8Array;
}

export interface DeltaDraft {
  readonly generation: number;
  readonly seq: number;
  readonly prev: DeltaId | undefined;
  readonly deps: readonly DeltaId[];
  readonly credential: DeltaId | undefined;
  readonly time: number;
  readonly tool: ToolId | undefined;
  readonly kind: string;
  readonly body: Value;
}

export interface DeltaError {
  readonly tag: 'badDelta';
  readonly reason: 'malformed' | 'tooLarge' | 'badSignature';
}

export interface Signer {
  readonly device: DeviceId;
  readonly seed: Uint8Array;
}

export function feedOf(device: DeviceId, generation: number): FeedId {
  return `${device}.${generation}` as FeedId;
}

export function idBytes(id: string): Uint8Array {
  return fromHex(id)!;
}

/** The genesis has no workspace yet: pass undefined. */
export function signDelta(
  crypto: Crypto,
  signer: Signer,
  workspace: WorkspaceId | undefined,
  draft: DeltaDraft,
): Delta {
  const signed = encode([
    DELTA_VERSION,
    idBytes(signer.device),
    draft.generation,
    draft.seq,
    draft.prev === undefined ? NONE : idBytes(draft.prev),
    draft.deps.toSorted().map(idBytes),
    draft.credential === undefined ? NONE : idBytes(draft.credential),
    draft.time,
    draft.tool === undefined ? NONE : idBytes(draft.tool),
    draft.kind,
    draft.body,
  ]);
  const subject = subjectOf(workspace, signed);
  return {
    ...draft,
    version: DELTA_VERSION,
    id: toHex(crypto.sha256(subject)) as DeltaId,
    device: signer.device,
    feed: feedOf(signer.device, draft.generation),
    bytes: encode([signed, crypto.sign(signer.seed, subject)]),
  };
}

/**
 * Reads the shape and computes the id; the signature is not checked here (D7: one check per run). `known`: deltas that are held, by
 * their ids; of a copy of one of them no more is read than that it is (S3).
 */
export function readDelta(
  crypto: Crypto,
  workspace: WorkspaceId | undefined,
  bytes: Uint8Array,
  known?: (id: DeltaId) => Delta | undefined,
): Result<Delta, DeltaError> {
  if (bytes.length > MAX_DELTA_BYTES) return err({ tag: 'badDelta', reason: 'tooLarge' });
  const parts = splitDelta(bytes);
  if (!parts) return err({ tag: 'badDelta', reason: 'malformed' });
  const id = idOf(crypto, workspace, parts.signed);
  const held = known?.(id);
  if (held) return ok(held);
  const fields = decodeInPlace(parts.signed);
  const delta = fields.ok ? readFields(asArray(fields.value, 11)) : undefined;
  if (!delta) return err({ tag: 'badDelta', reason: 'malformed' });
  const isGenesis = delta.kind === 'genesis' && delta.tool === undefined;
  return ok({ ...delta, id: isGenesis ? idOf(crypto, undefined, parts.signed) : id, bytes });
}

function idOf(crypto: Crypto, workspace: WorkspaceId | undefined, signed: Uint8Array): DeltaId {
  return toHex(crypto.sha256(DOMAIN, scopeOf(workspace), signed)) as DeltaId;
}

/** Whether the author's signature stands (D7). */
export function checkSignature(crypto: Crypto, workspace: WorkspaceId, delta: Delta): boolean {
  const parts = splitDelta(delta.bytes);
  const scope = delta.kind === 'genesis' && delta.tool === undefined ? undefined : workspace;
  return parts !== undefined && crypto.verify(idBytes(delta.device), subjectOf(scope, parts.signed), parts.signature);
}

function subjectOf(workspace: WorkspaceId | undefined, signed: Uint8Array): Uint8Array {
  return concatBytes(DOMAIN, scopeOf(workspace), signed);
}

function scopeOf(workspace: WorkspaceId | undefined): Uint8Array {
  return workspace === undefined ? NO_WORKSPACE : idBytes(workspace);
}

function splitDelta(bytes: Uint8Array): { signed: Uint8Array; signature: Uint8Array } | undefined {
  // A delta keeps its bytes as they came: what is read of them may be parts of them.
  const outer = decodeInPlace(bytes);
  const pair = outer.ok ? asArray(outer.value, 2) : undefined;
  const signed = asBytes(pair?.[0], 1, MAX_DELTA_BYTES);
  const signature = asBytes(pair?.[1], SIGNATURE_BYTES);
  return signed && signature ? { signed, signature } : undefined;
}

function readFields(fields: readonly Value[] | undefined): Omit<Delta, 'id' | 'bytes'> | undefined {
  if (!fields) return undefined;
  const version = asCount(fields[0]);
  const device = asBytes(fields[1], KEY_BYTES);
  const generation = asCount(fields[2], MAX_FEED_GENERATION);
  const seq = asCount(fields[3]);
  const prev = optionalId(fields[4], ID_BYTES);
  const deps = asList(fields[5], MAX_DEPS, (dep) => asBytes(dep, ID_BYTES));
  const credential = optionalId(fields[6], ID_BYTES);
  const time = asCount(fields[7]);
  const tool = optionalId(fields[8], TOOL_ID_BYTES);
  const kind = asText(fields[9], MAX_KIND_LENGTH);
  const body = fields[10];
  if (version === undefined || !device || generation === undefined || seq === undefined || seq === 0 || !deps)
    return undefined;
  if (prev === undefined || credential === undefined || time === undefined || tool === undefined) return undefined;
  if (kind === undefined || body === undefined || (seq === 1) !== (prev === '')) return undefined;
  const depIds = deps.map((dep) => toHex(dep) as DeltaId);
  if (depIds.some((dep, i) => i > 0 && dep <= depIds[i - 1]!)) return undefined;
  const deviceId = toHex(device) as DeviceId;
  return {
    version,
    device: deviceId,
    feed: feedOf(deviceId, generation),
    generation,
    seq,
    prev: prev === '' ? undefined : (prev as DeltaId),
    deps: depIds,
    credential: credential === '' ? undefined : (credential as DeltaId),
    time,
    tool: tool === '' ? undefined : (tool as ToolId),
    kind,
    body,
  };
}

/** Hexadecimal of an id, '' for an empty byte string, undefined for anything else. */
function optionalId(value: Value | undefined, length: number): string | undefined {
  const bytes = asBytes(value, 0, length);
  return bytes && (bytes.length === 0 || bytes.length === length) ? toHex(bytes) : undefined;
}
