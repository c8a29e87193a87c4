/**
 * Epochs (K1): a random 256-bit key, committed to by the control delta that makes it and boxed to every device.
 *
 * Chunks (F1) are made under a key of their own, Kg = HKDF(key, "coterie chunks 1", 32), which outlives the epoch's (K4):
 * content of an old generation stays readable when no message of its time is. commit = HKDF(Kg, "coterie epoch commit 1", 32),
 * so that either key can be held against it; its first 8 bytes are the epoch's **tag**, which stands in front of every message
 * sealed under it and names the generation of the chunks made under it.
 *
 * A set of boxes: `[ephemeral X25519 key 32, [[first 8 bytes of the device id, AES-256-GCM(key) 48] …]]`, where a box's key is
 * HKDF(X25519(ephemeral, device), salt = commit, info = "coterie box 1" ‖ device's X25519 key, 32) with a zero nonce:
 * the ephemeral key is fresh, so no box key is used twice.
 */
import { concatBytes, equalBytes, toHex } from '../base/bytes.ts';
import { domain } from '../base/format.ts';
import type { DeviceId } from '../base/ids.ts';
import { GCM_NONCE_BYTES, KEY_BYTES, TAG_BYTES, type Crypto } from '../crypto/crypto.ts';
import { asArray, asBytes, asList, type Value } from '../protocol/codec.ts';
import { MAX_DEVICES } from '../protocol/limits.ts';
import { idBytes } from './delta.ts';

export const EPOCH_TAG_BYTES = 8;
const DEVICE_PREFIX_BYTES = 8;
const BOX_BYTES = KEY_BYTES + TAG_BYTES;
const CHUNKS_INFO = domain('chunks');
const COMMIT_INFO = domain('epoch commit');
const BOX_INFO = domain('box');
const CAPABILITY_INFO = domain('capability');
const NONE = new Uint8Array(0);
const ZERO_NONCE = new Uint8Array(GCM_NONCE_BYTES);

/** Hexadecimal of the first 8 bytes of the commitment. */
export type EpochTag = string;

export interface Epoch {
  readonly tag: EpochTag;
  readonly commit: Uint8Array;
  /** Of messages. */
  readonly key: Uint8Array;
  /** Kg: of chunks (F1). */
  readonly chunkKey: Uint8Array;
}

/** What is left of an epoch whose message key was erased, or never given (K4). */
export type ChunkGeneration = Omit<Epoch, 'key'>;

export interface BoxTarget {
  readonly device: DeviceId;
  readonly agreementKey: Uint8Array;
}

export interface EpochNotice {
  readonly tag: EpochTag;
  readonly commit: Uint8Array;
  readonly boxes: Boxes;
}

export interface Boxes {
  readonly ephemeral: Uint8Array;
  readonly entries: readonly { readonly prefix: Uint8Array; readonly box: Uint8Array }[];
}

export function epochOf(crypto: Crypto, key: Uint8Array): Epoch {
  return { key, ...chunkGenerationOf(crypto, generationKey(crypto, key)) };
}

/** Kg (F1). */
export function generationKey(crypto: Crypto, epochKey: Uint8Array): Uint8Array {
  return crypto.hkdfSha256(epochKey, NONE, CHUNKS_INFO, KEY_BYTES);
}

export function chunkGenerationOf(crypto: Crypto, chunkKey: Uint8Array): ChunkGeneration {
  const commit = crypto.hkdfSha256(chunkKey, NONE, COMMIT_INFO, KEY_BYTES);
  return { chunkKey, commit, tag: tagOf(commit) };
}

export function tagOf(commit: Uint8Array): EpochTag {
  return toHex(commit.subarray(0, EPOCH_TAG_BYTES));
}

export function boxEpoch(crypto: Crypto, epoch: Pick<Epoch, 'key' | 'commit'>, targets: readonly BoxTarget[]): Value {
  const secret = crypto.randomBytes(KEY_BYTES);
  const agree = crypto.agreeing(secret);
  const boxes: Value[] = [];
  for (const target of targets) {
    const key = boxKey(crypto, agree(target.agreementKey), target.agreementKey, epoch.commit);
    if (!key) continue; // a key of low order: its device has shut itself out
    const box = crypto.sealGcm(key, ZERO_NONCE, epoch.key, NONE);
    boxes.push([idBytes(target.device).slice(0, DEVICE_PREFIX_BYTES), box]);
  }
  return [epoch.commit, crypto.agreementKeyOf(secret), boxes];
}

/** The form that `readEpochNotice` reads. */
export function epochNoticeValue({ commit, boxes }: EpochNotice): Value {
  return [commit, boxes.ephemeral, boxes.entries.map(({ prefix, box }) => [prefix, box])];
}

/** Whether there is a box for a device; whether it opens, only that device knows. */
export function isBoxedTo(notice: EpochNotice, device: DeviceId): boolean {
  return boxedIn(notice).has(device.slice(0, 2 * DEVICE_PREFIX_BYTES));
}

/** Hexadecimal of the first bytes of every device that there is a box for. A notice does not change: read once. */
export function boxedIn({ boxes }: EpochNotice): ReadonlySet<string> {
  let known = prefixes.get(boxes);
  if (!known) prefixes.set(boxes, (known = new Set(boxes.entries.map(({ prefix }) => toHex(prefix)))));
  return known;
}

const prefixes = new WeakMap<Boxes, ReadonlySet<string>>();

export function readEpochNotice(value: Value | undefined): EpochNotice | undefined {
  const fields = asArray(value, 3);
  const commit = asBytes(fields?.[0], KEY_BYTES);
  const ephemeral = asBytes(fields?.[1], KEY_BYTES);
  const entries = asList(fields?.[2], MAX_DEVICES, (entry) => {
    const pair = asArray(entry, 2);
    const prefix = asBytes(pair?.[0], DEVICE_PREFIX_BYTES);
    const box = asBytes(pair?.[1], BOX_BYTES);
    return prefix && box ? { prefix, box } : undefined;
  });
  return commit && ephemeral && entries ? { tag: tagOf(commit), commit, boxes: { ephemeral, entries } } : undefined;
}

/** The epoch, where one of the boxes is ours and holds what the commitment says; undefined for a bad or missing box. */
export function openEpoch(
  crypto: Crypto,
  notice: EpochNotice,
  device: DeviceId,
  secret: Uint8Array,
): Epoch | undefined {
  return openAs(epochOf, crypto, notice, device, secret);
}

/** In the same way, where the box holds the key of the chunks alone: its sender has erased the other (K4). */
export function openChunkGeneration(
  crypto: Crypto,
  notice: EpochNotice,
  device: DeviceId,
  secret: Uint8Array,
): ChunkGeneration | undefined {
  return openAs(chunkGenerationOf, crypto, notice, device, secret);
}

function openAs<T extends { readonly commit: Uint8Array }>(
  of: (crypto: Crypto, key: Uint8Array) => T,
  crypto: Crypto,
  notice: EpochNotice,
  device: DeviceId,
  secret: Uint8Array,
): T | undefined {
  for (const key of keysIn(crypto, notice, device, secret)) {
    const opened = of(crypto, key);
    if (equalBytes(opened.commit, notice.commit)) return opened;
  }
  return undefined;
}

function* keysIn(crypto: Crypto, notice: EpochNotice, device: DeviceId, secret: Uint8Array): Generator<Uint8Array> {
  const prefix = idBytes(device).subarray(0, DEVICE_PREFIX_BYTES);
  for (const entry of notice.boxes.entries) {
    if (!equalBytes(entry.prefix, prefix)) continue;
    const shared = crypto.agree(secret, notice.boxes.ephemeral);
    const boxed = boxKey(crypto, shared, crypto.agreementKeyOf(secret), notice.commit);
    const key = boxed && crypto.openGcm(boxed, ZERO_NONCE, entry.box, NONE);
    if (key?.length === KEY_BYTES) yield key;
  }
}

/** R4: what a sender shows to a recipient's relay; the relay holds its SHA-256. */
export function capabilityOf(crypto: Crypto, key: Uint8Array, recipient: DeviceId): Uint8Array {
  return crypto.hkdfSha256(key, idBytes(recipient), CAPABILITY_INFO, KEY_BYTES);
}

function boxKey(
  crypto: Crypto,
  shared: Uint8Array | undefined,
  deviceKey: Uint8Array,
  commit: Uint8Array,
): Uint8Array | undefined {
  return shared && crypto.hkdfSha256(shared, commit, concatBytes(BOX_INFO, deviceKey), KEY_BYTES);
}
