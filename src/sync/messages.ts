/**
 * What members say to each other (K5, S1): `[kind, sender 8, …]` in CBOR, signed where it goes by a relay (`signed.ts`), padded, sealed
 * once, and sent to every recipient on that path as the same bytes. `sender` is the first 8 bytes of the id of the device that the channel, or
 * that signature, proves.
 *
 * | kind | name | fields after the sender |
 * | --- | --- | --- |
 * | 0 | deltas | [[delta bytes …] …]: runs of feeds |
 * | 1 | have | vector, whether an answer is wanted, first 8 bytes of the state root at this vector or none (L6) |
 * | 2 | got | [[first 8 bytes of the device, generation, seq] …] of what is durable, of the feeds that changed |
 * | 3 | want | [chunk id 32 …] |
 * | 4 | chunks | [[chunk id 32, bytes] …], [chunk id 32 …] that are not here |
 * | 5 | parcels | [[relay address, parcel id 32, [[chunk id 32, offset, length] …]] …] |
 * | 6 | presence | state (0 leaving, 1 online, 2 idle), [address …], whether an answer is wanted |
 * | 7 | join | certificate, member name, relay address, [address …], [delta id 32 …] it is said after, signature 64 (N2) |
 * | 8 | welcome | admit delta bytes, total deltas, certificate (N4) |
 * | 9 | declined | reason code, first 8 bytes of the device that has asked (N4) |
 * | 10 | needKey | tag 8 of an epoch whose key the sender lacks (K1) |
 * | 11 | key | epoch notice: that epoch, boxed to whom it is sent |
 * | 12 | fetch | [delta id 32 …] that something waits for (D5, D8) |
 * | 13 | needBase | root 32 of the base it has begun with, or none; index of the part wanted (L6) |
 * | 14 | base | root 32, index, number of parts, bytes |
 * | 15 | account | seed 32 of an account, to its new device (I2, `device-link.ts`) |
 * | 16 | devices | [[certificate, device name, relay address, [address …]] …] of the sender's account, its own first |
 * | 17 | workspace | workspace 32, its name, the addDevice delta that lets the recipient in, total deltas |
 * | 18 | nameDevice | what the recipient is to be called |
 * | 19 | continued | an invitation into a workspace that goes on where this one is, sealed under the seal of the two devices (A7) |
 * | 20 | folded | [[delta id 32, device 32, generation, seq] …] that is fetched, or named, and is folded: its place alone is left (L4, L6) |
 * | 21 | out | workspace 32, the delta by which the person is out of it, or none: no copy is here (K2) |
 * | 22 | askAnew | [delta id 32 …] by which who asked is out: he is to say that he asks after them (N2) |
 *
 * vector = [[device 32, generation, seq, first 8 bytes of the id at seq] …].
 */
import { toHex } from '../base/bytes.ts';
import type { ChunkId, DeltaId, DeviceId, FeedId, WorkspaceId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { KEY_BYTES, SIGNATURE_BYTES } from '../crypto/crypto.ts';
import { MAX_CERTIFICATE_BYTES } from '../protocol/certificate.ts';
import {
  asArray,
  asBytes,
  asCount,
  asFlag,
  asList,
  asText,
  decode,
  decodeInPlace,
  encode,
  type Value,
} from '../protocol/codec.ts';
import {
  MAX_ADDRESSES,
  MAX_ADDRESS_BYTES,
  MAX_BASE_PARTS,
  MAX_BASE_PART_BYTES,
  MAX_DELTA_BYTES,
  MAX_FETCH_IDS,
  MAX_FEED_GENERATION,
  MAX_MESSAGE_BYTES,
  MAX_NAME_BYTES,
  MAX_OWN_DEVICES,
  MAX_SEALED_INVITATION_BYTES,
  MAX_SINCE_WORDS,
  RELAY_MAX_PARCEL_BYTES,
} from '../protocol/limits.ts';
import { feedOf, idBytes, type DeltaPlace } from './delta.ts';
import { EPOCH_TAG_BYTES, epochNoticeValue, readEpochNotice, type EpochNotice, type EpochTag } from './epoch.ts';

export interface FeedMark {
  readonly feed: FeedId;
  readonly seq: number;
  /** First 8 bytes of the id at seq, hexadecimal: two histories show (D8). */
  readonly tip: string;
}

/** How far a feed is held: said after every change, so it is short. Whoever hears it knows the feed. */
export interface Head {
  /** Hexadecimal of the first 8 bytes of the device. */
  readonly device: SenderMark;
  readonly generation: number;
  readonly seq: number;
}

export interface ParcelNotice {
  readonly relay: string;
  readonly parcel: Uint8Array;
  readonly chunks: readonly { readonly id: ChunkId; readonly offset: number; readonly length: number }[];
}

/** `takenOut`: after he was let in. Before his first copy has come nothing else can tell him (N4). */
export const DeclineReason = {
  declined: 0,
  expired: 1,
  revoked: 2,
  used: 3,
  unknown: 4,
  workspaceFull: 5,
  takenOut: 6,
} as const;
export type DeclineReason = (typeof DeclineReason)[keyof typeof DeclineReason];

export type Message =
  | { readonly kind: 'deltas'; readonly runs: readonly (readonly Uint8Array[])[] }
  | {
      readonly kind: 'have';
      readonly vector: readonly FeedMark[];
      readonly answer: boolean;
      /** Hexadecimal of 8 bytes; empty where it is not said. */
      readonly root: string;
      /** Its sender's copy is no good for others: it is out of step, or lacks the word that let him in (L6). */
      readonly needsCopy: boolean;
    }
  | { readonly kind: 'got'; readonly heads: readonly Head[] }
  | { readonly kind: 'want'; readonly chunks: readonly ChunkId[] }
  | {
      readonly kind: 'chunks';
      readonly chunks: readonly { readonly id: ChunkId; readonly bytes: Uint8Array }[];
      readonly absent: readonly ChunkId[];
    }
  | { readonly kind: 'parcels'; readonly parcels: readonly ParcelNotice[] }
  | {
      readonly kind: 'presence';
      readonly state: 0 | 1 | 2;
      readonly addresses: readonly string[];
      readonly answer: boolean;
    }
  | {
      readonly kind: 'join';
      readonly certificate: Uint8Array;
      readonly name: string;
      readonly relay: string;
      readonly addresses: readonly string[];
      /** The words by which the sender was out, as far as he has been told: this is said after them, and is no older word that is played again. */
      readonly since: readonly DeltaId[];
      readonly signature: Uint8Array;
    }
  | {
      readonly kind: 'welcome';
      readonly admit: Uint8Array;
      readonly total: number;
      /** Of the sender: till the copy is here nothing names him there. */
      readonly certificate: Uint8Array;
    }
  /** `to`: who has asked. Whoever else holds the same link can open it, too, and be given it by a relay. */
  | { readonly kind: 'declined'; readonly reason: DeclineReason; readonly to: SenderMark }
  | { readonly kind: 'needKey'; readonly epoch: EpochTag }
  | { readonly kind: 'key'; readonly notice: EpochNotice }
  | { readonly kind: 'fetch'; readonly ids: readonly DeltaId[] }
  | { readonly kind: 'needBase'; readonly root: Uint8Array; readonly part: number }
  | {
      readonly kind: 'base';
      readonly root: Uint8Array;
      readonly part: number;
      readonly parts: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'account'; readonly seed: Uint8Array }
  | { readonly kind: 'devices'; readonly devices: readonly OwnDevice[] }
  | {
      readonly kind: 'workspace';
      readonly workspace: WorkspaceId;
      readonly name: string;
      readonly admit: Uint8Array;
      readonly total: number;
    }
  | { readonly kind: 'nameDevice'; readonly name: string }
  /** For one device alone of all that hold the epoch: `device-link.ts` has the seal. */
  | { readonly kind: 'continued'; readonly sealed: Uint8Array }
  | { readonly kind: 'folded'; readonly places: readonly DeltaPlace[] }
  /** `word`: empty where nothing of the workspace is here. */
  | { readonly kind: 'out'; readonly workspace: WorkspaceId; readonly word: Uint8Array }
  | { readonly kind: 'askAnew'; readonly since: readonly DeltaId[] };

/** A device of one's own account, as another of it knows it. */
export interface OwnDevice {
  readonly certificate: Uint8Array;
  readonly name: string;
  readonly relay: string;
  readonly addresses: readonly string[];
}

/** Hexadecimal of the first 8 bytes of a device id. */
export type SenderMark = string;

/** What stands for a device in a message. */
export function senderMark(device: DeviceId): SenderMark {
  return device.slice(0, 2 * SENDER_BYTES);
}

export interface MessageError {
  readonly tag: 'badMessage';
}

const TIP_BYTES = 8;
/** Enough that two states with one vector do not look alike by chance; a member who lies gains nothing by it. */
export const ROOT_MARK_BYTES = 8;
const SENDER_BYTES = 8;
const MAX_LIST = 65_536;
/** Fields of each kind, kind and sender among them: one more or one fewer is another message, which nobody knows (D4). */
const FIELDS: ReadonlyMap<Value | undefined, number> = new Map([
  [0, 3],
  [1, 6],
  [2, 3],
  [3, 3],
  [4, 4],
  [5, 3],
  [6, 5],
  [7, 8],
  [8, 5],
  [9, 4],
  [10, 3],
  [11, 3],
  [12, 3],
  [13, 4],
  [14, 6],
  [15, 3],
  [16, 3],
  [17, 6],
  [18, 3],
  [19, 3],
  [20, 3],
  [21, 4],
  [22, 3],
]);
const MAX_FIELDS = Math.max(...FIELDS.values());

export function encodeMessage(sender: SenderMark, message: Message): Uint8Array {
  const from = idBytes(sender).subarray(0, SENDER_BYTES);
  switch (message.kind) {
    case 'deltas':
      return encode([0, from, message.runs.map((run) => [...run])]);
    case 'have':
      return encode([
        1,
        from,
        message.vector.map(markToValue),
        message.answer,
        idBytes(message.root),
        message.needsCopy,
      ]);
    case 'got':
      return encode([2, from, message.heads.map((h) => [idBytes(h.device), h.generation, h.seq])]);
    case 'want':
      return encode([3, from, message.chunks.map(idBytes)]);
    case 'chunks':
      return encode([4, from, message.chunks.map((c) => [idBytes(c.id), c.bytes]), message.absent.map(idBytes)]);
    case 'parcels':
      return encode([5, from, message.parcels.map(parcelToValue)]);
    case 'presence':
      return encode([6, from, message.state, [...message.addresses], message.answer]);
    case 'join':
      return encode([
        7,
        from,
        message.certificate,
        message.name,
        message.relay,
        [...message.addresses],
        message.since.map(idBytes),
        message.signature,
      ]);
    case 'welcome':
      return encode([8, from, message.admit, message.total, message.certificate]);
    case 'declined':
      return encode([9, from, message.reason, idBytes(message.to)]);
    case 'needKey':
      return encode([10, from, idBytes(message.epoch)]);
    case 'key':
      return encode([11, from, epochNoticeValue(message.notice)]);
    case 'fetch':
      return encode([12, from, message.ids.map(idBytes)]);
    case 'needBase':
      return encode([13, from, message.root, message.part]);
    case 'base':
      return encode([14, from, message.root, message.part, message.parts, message.bytes]);
    case 'account':
      return encode([15, from, message.seed]);
    case 'devices':
      return encode([16, from, message.devices.map((d) => [d.certificate, d.name, d.relay, [...d.addresses]])]);
    case 'workspace':
      return encode([17, from, idBytes(message.workspace), message.name, message.admit, message.total]);
    case 'nameDevice':
      return encode([18, from, message.name]);
    case 'continued':
      return encode([19, from, message.sealed]);
    case 'folded':
      return encode([20, from, message.places.map(placeToValue)]);
    case 'out':
      return encode([21, from, idBytes(message.workspace), message.word]);
    case 'askAnew':
      return encode([22, from, message.since.map(idBytes)]);
  }
}

export function decodeMessage(bytes: Uint8Array): Result<{ sender: SenderMark; message: Message }, MessageError> {
  // Deltas keep what they hold of the message: they came together, and go from the log together (`DeltaReader`).
  const decoded = isOfDeltas(bytes) ? decodeInPlace(bytes) : decode(bytes);
  const fields = decoded.ok ? asArray(decoded.value, 2, MAX_FIELDS) : undefined;
  const sender = asBytes(fields?.[1], SENDER_BYTES);
  const message = fields?.length === FIELDS.get(fields?.[0]) ? fields && readMessage(fields) : undefined;
  return sender && message ? ok({ sender: toHex(sender), message }) : err({ tag: 'badMessage' });
}

/** By the heads of an array of three and of the kind. */
function isOfDeltas(bytes: Uint8Array): boolean {
  return bytes[0] === 0x83 && bytes[1] === 0;
}

function readMessage(f: readonly Value[]): Message | undefined {
  switch (f[0]) {
    case 0: {
      const runs = asList(f[2], MAX_LIST, (run) =>
        asList(run, MAX_LIST, (delta) => asBytes(delta, 1, MAX_DELTA_BYTES)),
      );
      return runs && { kind: 'deltas', runs };
    }
    case 1: {
      const [vector, answer, root] = [asList(f[2], MAX_LIST, readMark), asFlag(f[3]), asNoneOr(f[4], ROOT_MARK_BYTES)];
      const needsCopy = asFlag(f[5]);
      if (!vector || answer === undefined || !root || needsCopy === undefined) return undefined;
      return { kind: 'have', vector, answer, root: toHex(root), needsCopy };
    }
    case 2: {
      const heads = asList(f[2], MAX_LIST, readHead);
      return heads && { kind: 'got', heads };
    }
    case 3: {
      const chunks = asList(f[2], MAX_LIST, asChunkId);
      return chunks && { kind: 'want', chunks };
    }
    case 4: {
      const chunks = asList(f[2], MAX_LIST, (entry) => {
        const pair = asArray(entry, 2);
        const [id, bytes] = [asChunkId(pair?.[0]), asBytes(pair?.[1], 1, MAX_MESSAGE_BYTES)];
        return id && bytes ? { id, bytes } : undefined;
      });
      const absent = asList(f[3], MAX_LIST, asChunkId);
      return chunks && absent ? { kind: 'chunks', chunks, absent } : undefined;
    }
    case 5: {
      const parcels = asList(f[2], MAX_LIST, readParcel);
      return parcels && { kind: 'parcels', parcels };
    }
    case 6: {
      const [state, addresses, answer] = [asCount(f[2], 2) as 0 | 1 | 2 | undefined, readAddresses(f[3]), asFlag(f[4])];
      return state !== undefined && addresses && answer !== undefined
        ? { kind: 'presence', state, addresses, answer }
        : undefined;
    }
    case 7: {
      const [certificate, name, relay] = [
        asBytes(f[2], 1, MAX_CERTIFICATE_BYTES),
        asText(f[3], MAX_NAME_BYTES),
        asAddress(f[4]),
      ];
      const [addresses, since, signature] = [readAddresses(f[5]), readSince(f[6]), asBytes(f[7], SIGNATURE_BYTES)];
      if (!certificate || !name?.trim() || relay === undefined || !addresses || !since || !signature) return undefined;
      return { kind: 'join', certificate, name, relay, addresses, since, signature };
    }
    case 8: {
      const [admit, total] = [asBytes(f[2], 1, MAX_DELTA_BYTES), asCount(f[3])];
      const certificate = asBytes(f[4], 1, MAX_CERTIFICATE_BYTES);
      if (!admit || total === undefined || !certificate) return undefined;
      return { kind: 'welcome', admit, total, certificate };
    }
    case 9: {
      const reason = asCount(f[2], DeclineReason.takenOut) as DeclineReason | undefined;
      const to = asBytes(f[3], SENDER_BYTES);
      return reason === undefined || !to ? undefined : { kind: 'declined', reason, to: toHex(to) };
    }
    case 10: {
      const epoch = asBytes(f[2], EPOCH_TAG_BYTES);
      return epoch && { kind: 'needKey', epoch: toHex(epoch) };
    }
    case 11: {
      const notice = readEpochNotice(f[2]);
      return notice && { kind: 'key', notice };
    }
    case 12: {
      const ids = asList(f[2], MAX_FETCH_IDS, asDeltaId);
      return ids && { kind: 'fetch', ids };
    }
    case 13: {
      const [root, part] = [asNoneOr(f[2], KEY_BYTES), asCount(f[3], MAX_BASE_PARTS)];
      return root && part !== undefined ? { kind: 'needBase', root, part } : undefined;
    }
    case 14: {
      const [root, part, parts] = [
        asBytes(f[2], KEY_BYTES),
        asCount(f[3], MAX_BASE_PARTS),
        asCount(f[4], MAX_BASE_PARTS),
      ];
      const bytes = asBytes(f[5], 1, MAX_BASE_PART_BYTES);
      if (!root || part === undefined || parts === undefined || part >= parts || !bytes) return undefined;
      return { kind: 'base', root, part, parts, bytes: bytes };
    }
    case 15: {
      const seed = asBytes(f[2], KEY_BYTES);
      return seed && { kind: 'account', seed };
    }
    case 16: {
      const devices = asList(f[2], MAX_OWN_DEVICES, readOwnDevice);
      return devices && { kind: 'devices', devices };
    }
    case 17: {
      const [workspace, name] = [asBytes(f[2], KEY_BYTES), asText(f[3], MAX_NAME_BYTES)];
      const [admit, total] = [asBytes(f[4], 1, MAX_DELTA_BYTES), asCount(f[5])];
      if (!workspace || name === undefined || !admit || total === undefined) return undefined;
      return { kind: 'workspace', workspace: toHex(workspace) as WorkspaceId, name, admit, total };
    }
    case 18: {
      const name = asText(f[2], MAX_NAME_BYTES);
      return name?.trim() ? { kind: 'nameDevice', name } : undefined;
    }
    case 19: {
      const sealed = asBytes(f[2], 1, MAX_SEALED_INVITATION_BYTES);
      return sealed && { kind: 'continued', sealed };
    }
    case 20: {
      const places = asList(f[2], MAX_FETCH_IDS, readPlace);
      return places && { kind: 'folded', places };
    }
    case 21: {
      const [workspace, word] = [asBytes(f[2], KEY_BYTES), asBytes(f[3], 0, MAX_DELTA_BYTES)];
      return workspace && word && { kind: 'out', workspace: toHex(workspace) as WorkspaceId, word };
    }
    case 22: {
      const since = readSince(f[2]);
      return since && { kind: 'askAnew', since };
    }
    default:
      return undefined;
  }
}

export function markOf(feed: FeedId, seq: number, tip: DeltaId): FeedMark {
  return { feed, seq, tip: tip.slice(0, 2 * TIP_BYTES) };
}

function markToValue({ feed, seq, tip }: FeedMark): Value {
  const [device, generation] = feed.split('.') as [string, string];
  return [idBytes(device), Number(generation), seq, idBytes(tip)];
}

export function headOf(feed: FeedId, seq: number): Head {
  const [device, generation] = feed.split('.') as [DeviceId, string];
  return { device: senderMark(device), generation: Number(generation), seq };
}

function readHead(value: Value): Head | undefined {
  const f = asArray(value, 3);
  const [device, generation] = [asBytes(f?.[0], SENDER_BYTES), asCount(f?.[1], MAX_FEED_GENERATION)];
  const seq = asCount(f?.[2]);
  return device && generation !== undefined && seq ? { device: toHex(device), generation, seq } : undefined;
}

function readMark(value: Value): FeedMark | undefined {
  const f = asArray(value, 4);
  const [device, generation] = [asBytes(f?.[0], KEY_BYTES), asCount(f?.[1], MAX_FEED_GENERATION)];
  const [seq, tip] = [asCount(f?.[2]), asBytes(f?.[3], TIP_BYTES)];
  if (!device || generation === undefined || !seq || !tip) return undefined;
  return { feed: feedOf(toHex(device) as DeviceId, generation), seq, tip: toHex(tip) };
}

function placeToValue({ id, feed, seq }: DeltaPlace): Value {
  const [device, generation] = feed.split('.') as [string, string];
  return [idBytes(id), idBytes(device), Number(generation), seq];
}

function readPlace(value: Value): DeltaPlace | undefined {
  const f = asArray(value, 4);
  const [id, device] = [asDeltaId(f?.[0]), asBytes(f?.[1], KEY_BYTES)];
  const [generation, seq] = [asCount(f?.[2], MAX_FEED_GENERATION), asCount(f?.[3])];
  if (!id || !device || generation === undefined || !seq) return undefined;
  return { id, feed: feedOf(toHex(device) as DeviceId, generation), seq };
}

function parcelToValue({ relay, parcel, chunks }: ParcelNotice): Value {
  return [relay, parcel, chunks.map((c) => [idBytes(c.id), c.offset, c.length])];
}

function readParcel(value: Value): ParcelNotice | undefined {
  const f = asArray(value, 3);
  const [relay, parcel] = [asAddress(f?.[0]), asBytes(f?.[1], KEY_BYTES)];
  const chunks = asList(f?.[2], MAX_LIST, (entry) => {
    const c = asArray(entry, 3);
    const [id, offset, length] = [
      asChunkId(c?.[0]),
      asCount(c?.[1], RELAY_MAX_PARCEL_BYTES),
      asCount(c?.[2], MAX_MESSAGE_BYTES),
    ];
    return id && offset !== undefined && length ? { id, offset, length } : undefined;
  });
  return relay !== undefined && parcel && chunks ? { relay, parcel, chunks } : undefined;
}

function readOwnDevice(value: Value): OwnDevice | undefined {
  const f = asArray(value, 4);
  const [certificate, name, relay] = [
    asBytes(f?.[0], 1, MAX_CERTIFICATE_BYTES),
    asText(f?.[1], MAX_NAME_BYTES),
    asAddress(f?.[2]),
  ];
  const addresses = readAddresses(f?.[3]);
  if (!certificate || name === undefined || relay === undefined || !addresses) return undefined;
  return { certificate, name, relay, addresses };
}

function asChunkId(value: Value | undefined): ChunkId | undefined {
  const bytes = asBytes(value, KEY_BYTES);
  return bytes && (toHex(bytes) as ChunkId);
}

function asDeltaId(value: Value | undefined): DeltaId | undefined {
  const bytes = asBytes(value, KEY_BYTES);
  return bytes && (toHex(bytes) as DeltaId);
}

function readSince(value: Value | undefined): readonly DeltaId[] | undefined {
  return asList(value, MAX_SINCE_WORDS, asDeltaId);
}

/** So many bytes of a root, or none. */
function asNoneOr(value: Value | undefined, length: number): Uint8Array | undefined {
  return asBytes(value, 0) ?? asBytes(value, length);
}

function asAddress(value: Value | undefined): string | undefined {
  return asText(value, MAX_ADDRESS_BYTES);
}

function readAddresses(value: Value | undefined): readonly string[] | undefined {
  return asList(value, MAX_ADDRESSES, asAddress);
}
