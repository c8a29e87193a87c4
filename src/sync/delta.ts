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
 * | time | count | milliseconds since 1970, of a day that there is: a claim, never a verdict (D6) |
 * | tool | 0 or 8 | the tool it is for; empty: control (section 3) |
 * | kind | text | what the tool does with it |
 * | body | any | as the tool says |
 *
 * id = SHA-256("coterie delta 1" ‖ workspace ‖ signed); the signature is Ed25519 over the same bytes. The workspace
 * (32 bytes; zeros in its genesis, whose id it is) is thus bound by id and signature without travelling in every delta.
 */
import { concatBytes, toHex } from '../base/bytes.ts';
import type { DeltaId, DeviceId, FeedId, ToolId, WorkspaceId } from '../base/ids.ts';
import { fromHex } from '../base/bytes.ts';
import { domain, FORMAT } from '../base/format.ts';
import { IdNames } from '../base/id-names.ts';
import { err, ok, type Result } from '../base/result.ts';
import { KEY_BYTES, SIGNATURE_BYTES, type Crypto } from '../crypto/crypto.ts';
import { decodeInPlace, encode, type Value } from '../protocol/codec.ts';
import { MAX_DELTA_BYTES, MAX_DEPS, MAX_FEED_GENERATION, MAX_TIME_MS } from '../protocol/limits.ts';
import { Reading } from '../protocol/reading.ts';

export const DELTA_VERSION = FORMAT;
export const TOOL_ID_BYTES = 8;
const ID_BYTES = 32;
const MAX_KIND_LENGTH = 24;
const FIELDS = 11;
/** Feeds whose names are known by their devices' first byte. */
const FEEDS_KNOWN = 256;
const DOMAIN = domain('delta');
const NO_WORKSPACE = new Uint8Array(ID_BYTES);
const NONE = new Uint8Array(0);
const NO_DEPS: readonly DeltaId[] = [];

/** Which delta, and where it stands: known before it has come. */
export type DeltaPlace = Pick<Delta, 'id' | 'feed' | 'seq'>;

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

export function generationOf(feed: FeedId): number {
  return Number(feed.slice(feed.indexOf('.') + 1));
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

/** Reads the shape and computes the id; the signature is not checked here (D7: one check per run). */
export function readDelta(
  crypto: Crypto,
  workspace: WorkspaceId | undefined,
  bytes: Uint8Array,
): Result<Delta, DeltaError> {
  return new DeltaReader(crypto, workspace).read(bytes);
}

type FeedName = Pick<Delta, 'device' | 'generation' | 'feed'>;

/** Deltas that are held whole, by their ids. */
export type KnownDeltas = (id: DeltaId) => Delta | undefined;

/** `readDelta` for many of one workspace: what they have in common is made once. */
export class DeltaReader {
  readonly #crypto: Crypto;
  readonly #scope: Uint8Array;
  readonly #names = new IdNames();
  readonly #feeds = new Array<FeedName | undefined>(FEEDS_KNOWN);
  /** Of the last: most come again. */
  #kind = '';

  constructor(crypto: Crypto, workspace: WorkspaceId | undefined) {
    this.#crypto = crypto;
    this.#scope = concatBytes(DOMAIN, scopeOf(workspace));
  }

  /**
   * What a delta of a tool holds are parts of these bytes, which must not change: it goes from the log as those that came with it do.
   * A control delta stays for ever, and is a copy, lest it keep its neighbours. Of a copy of one that is known no more is read than that it
   * is (S3).
   */
  read(bytes: Uint8Array, known?: KnownDeltas): Result<Delta, DeltaError> {
    if (bytes.length > MAX_DELTA_BYTES) return err({ tag: 'badDelta', reason: 'tooLarge' });
    const signed = signedIn(bytes);
    if (!signed) return err({ tag: 'badDelta', reason: 'malformed' });
    const id = this.#crypto.sha256Hex(this.#scope, signed) as DeltaId;
    const held = known?.(id);
    if (held) return ok(held);
    const delta = this.#read(bytes, signed, id, bytes.length < bytes.buffer.byteLength);
    return delta ? ok(delta) : err({ tag: 'badDelta', reason: 'malformed' });
  }

  /** `inWorkspace`: its id, unless it is a genesis. */
  #read(bytes: Uint8Array, signed: Uint8Array, inWorkspace: DeltaId, isPart: boolean): Delta | undefined {
    const reading = new Reading(signed);
    const hasFields = reading.array(FIELDS) !== undefined;
    const version = hasFields ? reading.count() : undefined;
    const deviceAt = version === undefined ? undefined : reading.bytes(KEY_BYTES);
    const generation = deviceAt === undefined ? undefined : reading.count(MAX_FEED_GENERATION);
    const seq = generation === undefined ? undefined : reading.count();
    if (version === undefined || deviceAt === undefined || generation === undefined || !seq) return undefined;
    const prev = this.#optionalId(reading, signed, ID_BYTES);
    if (prev === undefined || (seq === 1) !== (prev === '')) return undefined;
    const deps = this.#deps(reading, signed);
    const credential = deps && this.#optionalId(reading, signed, ID_BYTES);
    const time = credential === undefined ? undefined : reading.count(MAX_TIME_MS);
    const tool = time === undefined ? undefined : this.#optionalId(reading, signed, TOOL_ID_BYTES);
    const kind = tool === undefined ? undefined : reading.text(MAX_KIND_LENGTH, this.#kind);
    if (!deps || credential === undefined || time === undefined || tool === undefined || kind === undefined)
      return undefined;
    if (tool === '' && isPart) return this.#readCopy(new Uint8Array(bytes), inWorkspace);
    const body = decodeInPlace(signed, reading.at, 1);
    if (!body.ok) return undefined;
    this.#kind = kind;
    const device = this.#names.nameOf(signed, deviceAt, KEY_BYTES) as DeviceId;
    const isGenesis = tool === '' && kind === 'genesis';
    const id = isGenesis ? this.#crypto.sha256Hex(DOMAIN, NO_WORKSPACE, signed) : inWorkspace;
    // The next of its feed names it.
    this.#names.learn(id);
    return {
      id: id as DeltaId,
      version,
      device,
      feed: this.#feedOf(device, generation),
      generation,
      seq,
      prev: prev === '' ? undefined : (prev as DeltaId),
      deps,
      credential: credential === '' ? undefined : (credential as DeltaId),
      time,
      tool: tool === '' ? undefined : (tool as ToolId),
      kind,
      body: body.value,
      bytes,
    };
  }

  #readCopy(bytes: Uint8Array, inWorkspace: DeltaId): Delta | undefined {
    return this.#read(bytes, signedIn(bytes)!, inWorkspace, false);
  }

  /** Sorted, each once. */
  #deps(reading: Reading, signed: Uint8Array): readonly DeltaId[] | undefined {
    const count = reading.array(0, MAX_DEPS);
    if (count === undefined) return undefined;
    if (count === 0) return NO_DEPS;
    const deps: DeltaId[] = [];
    for (let i = 0; i < count; i++) {
      const at = reading.bytes(ID_BYTES);
      if (at === undefined) return undefined;
      const dep = this.#names.nameOf(signed, at, ID_BYTES) as DeltaId;
      if (i > 0 && dep <= deps[i - 1]!) return undefined;
      deps.push(dep);
    }
    return deps;
  }

  /** Hexadecimal of an id, '' for an empty byte string, undefined for anything else. */
  #optionalId(reading: Reading, signed: Uint8Array, length: number): string | undefined {
    const at = reading.bytes(0, length);
    if (at === undefined) return undefined;
    if (at === reading.at) return '';
    return reading.at - at === length ? this.#names.nameOf(signed, at, length) : undefined;
  }

  #feedOf(device: DeviceId, generation: number): FeedId {
    const place = Number.parseInt(device.slice(0, 2), 16);
    const known = this.#feeds[place];
    if (known?.device === device && known.generation === generation) return known.feed;
    const feed = feedOf(device, generation);
    this.#feeds[place] = { device, generation, feed };
    return feed;
  }
}

/** Whether the author's signature stands (D7). */
export function checkSignature(crypto: Crypto, workspace: WorkspaceId, delta: Delta): boolean {
  const parts = partsOf(delta.bytes);
  const scope = delta.kind === 'genesis' && delta.tool === undefined ? undefined : workspace;
  if (!parts) return false;
  const [signed, signature] = [delta.bytes.subarray(parts.at, parts.end), delta.bytes.subarray(parts.signatureAt)];
  return crypto.verify(idBytes(delta.device), subjectOf(scope, signed), signature);
}

function subjectOf(workspace: WorkspaceId | undefined, signed: Uint8Array): Uint8Array {
  return concatBytes(DOMAIN, scopeOf(workspace), signed);
}

function scopeOf(workspace: WorkspaceId | undefined): Uint8Array {
  return workspace === undefined ? NO_WORKSPACE : idBytes(workspace);
}

/** What is signed: a part of a delta's bytes, which it keeps as they came. */
function signedIn(bytes: Uint8Array): Uint8Array | undefined {
  const parts = partsOf(bytes);
  return parts && bytes.subarray(parts.at, parts.end);
}

/** Where what is signed begins and ends in a delta's bytes, and where its signature begins. */
function partsOf(bytes: Uint8Array): { at: number; end: number; signatureAt: number } | undefined {
  const reading = new Reading(bytes);
  const at = reading.array(2) === undefined ? undefined : reading.bytes(1, MAX_DELTA_BYTES);
  const end = reading.at;
  const signatureAt = at === undefined ? undefined : reading.bytes(SIGNATURE_BYTES);
  return at === undefined || signatureAt === undefined || !reading.isAtEnd ? undefined : { at, end, signatureAt };
}

/** The delta that begins a workspace, of whichever. */
export function isGenesis(delta: Delta): boolean {
  return delta.tool === undefined && delta.kind === 'genesis';
}

/** What says no more than how far its author holds all (L4). */
export function isAck(delta: Delta): boolean {
  return delta.tool === undefined && delta.kind === 'ack';
}
