/**
 * What a device and a relay say to each other, each one packet of the secure channel (R1–R9). Everything is CBOR arrays.
 * The channel has proved the device's keys (its certificate is in the handshake) and the relay's (its key is pinned in the address).
 *
 * Requests, device → relay: [type, request id, …]. Each is answered by exactly one `answer` with the same request id.
 *
 * | type | name | fields after the request id |
 * | --- | --- | --- |
 * | 1 | register | token text (may be empty) |
 * | 2 | confirm | [capability hash 32 …]: the whole set, replaces the one before (R4) |
 * | 3 | submit | message id 16, ephemeral flag, [[recipient device 32, capability 32] …] ≤ 256, body (R2) |
 * | 4 | subscribe | – ; the newest subscriber of a device wins (R1) |
 * | 5 | ack | highest position handled durably: cumulative (R1) |
 * | 6 | parcelPut | parcel id 32, total bytes, offset, bytes; the answer says from where to go on (R9) |
 * | 7 | parcelGet | parcel id 32, offset, length |
 * | 8 | parcelKeep | parcel id 32, references left (0 deletes): by its owner alone |
 *
 * Notices, relay → device: [type, …].
 *
 * | type | name | fields |
 * | --- | --- | --- |
 * | 64 | answer | request id, code (below), value |
 * | 65 | deliver | position, sender device 32, message id 16, body; position 0 is ephemeral and not to be acknowledged |
 * | 66 | marker | position, reason (0 full, 1 expired): messages were not kept; ask the members what is missing |
 * | 67 | replaced | – ; another connection of this device subscribed |
 * | 68 | hello | relay's limits, [name, figure] pairs: the first notice after the handshake |
 *
 * Values: submit answers [outcome code per recipient …]; parcelPut the next offset; parcelGet [total, bytes]; hello and others null.
 */
import { err, ok, type Result } from '../base/result.ts';
import { KEY_BYTES } from '../crypto/crypto.ts';
import { asArray, asBytes, asCount, asFlag, asList, asText, decode, encode, type Value } from './codec.ts';
import {
  MAX_MESSAGE_BYTES,
  MAX_NAME_BYTES,
  RELAY_MAX_CAPABILITIES,
  RELAY_MAX_PARCEL_BYTES,
  RELAY_MAX_RECIPIENTS,
  RELAY_PARCEL_SLICE_BYTES,
} from './limits.ts';

export const MESSAGE_ID_BYTES = 16;
export const CAPABILITY_BYTES = 32;
export const PARCEL_ID_BYTES = 32;

/** Outcome of a request, and of a submit for each recipient. */
export const Code = {
  ok: 0,
  /** Unknown device and outdated capability look alike (R4). */
  refused: 1,
  full: 2,
  tooLarge: 3,
  notRegistered: 4,
  badRequest: 5,
  notFound: 6,
  quota: 7,
  tooFast: 8,
  unavailable: 9,
} as const;
export type Code = (typeof Code)[keyof typeof Code];
const MAX_CODE = 9;

export const Marker = { full: 0, expired: 1 } as const;
export type Marker = (typeof Marker)[keyof typeof Marker];

export interface Recipient {
  readonly device: Uint8Array;
  readonly capability: Uint8Array;
}

export type RelayRequest =
  | { readonly type: 'register'; readonly token: string }
  | { readonly type: 'confirm'; readonly hashes: readonly Uint8Array[] }
  | {
      readonly type: 'submit';
      readonly messageId: Uint8Array;
      readonly ephemeral: boolean;
      readonly recipients: readonly Recipient[];
      readonly body: Uint8Array;
    }
  | { readonly type: 'subscribe' }
  | { readonly type: 'ack'; readonly position: number }
  | {
      readonly type: 'parcelPut';
      readonly parcel: Uint8Array;
      readonly total: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'parcelGet'; readonly parcel: Uint8Array; readonly offset: number; readonly length: number }
  | { readonly type: 'parcelKeep'; readonly parcel: Uint8Array; readonly references: number };

export type RelayNotice =
  | { readonly type: 'answer'; readonly request: number; readonly code: Code; readonly value: Value }
  | {
      readonly type: 'deliver';
      readonly position: number;
      readonly sender: Uint8Array;
      readonly messageId: Uint8Array;
      readonly body: Uint8Array;
    }
  | { readonly type: 'marker'; readonly position: number; readonly reason: Marker }
  | { readonly type: 'replaced' }
  | { readonly type: 'hello'; readonly limits: readonly (readonly [string, number])[] };

/** Fields of each type, the type itself among them: one more or one fewer is another message, which nobody knows. */
const FIELDS: ReadonlyMap<Value | undefined, number> = new Map([
  [1, 3],
  [2, 3],
  [3, 6],
  [4, 2],
  [5, 3],
  [6, 6],
  [7, 5],
  [8, 4],
  [64, 4],
  [65, 5],
  [66, 3],
  [67, 1],
  [68, 2],
]);

export interface RelayMessageError {
  readonly tag: 'badRelayMessage';
}

export function encodeRequest(id: number, request: RelayRequest): Uint8Array {
  switch (request.type) {
    case 'register':
      return encode([1, id, request.token]);
    case 'confirm':
      return encode([2, id, [...request.hashes]]);
    case 'submit':
      return encode([
        3,
        id,
        request.messageId,
        request.ephemeral,
        request.recipients.map((r) => [r.device, r.capability]),
        request.body,
      ]);
    case 'subscribe':
      return encode([4, id]);
    case 'ack':
      return encode([5, id, request.position]);
    case 'parcelPut':
      return encode([6, id, request.parcel, request.total, request.offset, request.bytes]);
    case 'parcelGet':
      return encode([7, id, request.parcel, request.offset, request.length]);
    case 'parcelKeep':
      return encode([8, id, request.parcel, request.references]);
  }
}

function fieldsOf(bytes: Uint8Array): readonly Value[] | undefined {
  const decoded = decode(bytes);
  const fields = decoded.ok ? asArray(decoded.value, 1, 6) : undefined;
  return fields?.length === FIELDS.get(fields?.[0]) ? fields : undefined;
}

export function decodeRequest(bytes: Uint8Array): Result<{ id: number; request: RelayRequest }, RelayMessageError> {
  const fields = fieldsOf(bytes);
  const id = asCount(fields?.[1]);
  const request = fields && readRequest(fields);
  return request && id !== undefined ? ok({ id, request }) : err({ tag: 'badRelayMessage' });
}

function readRequest(fields: readonly Value[]): RelayRequest | undefined {
  switch (fields[0]) {
    case 1: {
      const token = asText(fields[2], MAX_NAME_BYTES);
      return token === undefined ? undefined : { type: 'register', token };
    }
    case 2: {
      const hashes = asList(fields[2], RELAY_MAX_CAPABILITIES, (v) => asBytes(v, 32));
      return hashes && { type: 'confirm', hashes };
    }
    case 3: {
      const messageId = asBytes(fields[2], MESSAGE_ID_BYTES);
      const ephemeral = asFlag(fields[3]);
      const recipients = asList(fields[4], RELAY_MAX_RECIPIENTS, readRecipient);
      const body = asBytes(fields[5], 1, MAX_MESSAGE_BYTES);
      if (!messageId || ephemeral === undefined || !recipients || recipients.length === 0 || !body) return undefined;
      return { type: 'submit', messageId, ephemeral, recipients, body };
    }
    case 4:
      return { type: 'subscribe' };
    case 5: {
      const position = asCount(fields[2]);
      return position === undefined ? undefined : { type: 'ack', position };
    }
    case 6: {
      const parcel = asBytes(fields[2], PARCEL_ID_BYTES);
      const total = asCount(fields[3], RELAY_MAX_PARCEL_BYTES);
      const offset = asCount(fields[4], RELAY_MAX_PARCEL_BYTES);
      const bytes = asBytes(fields[5], 0, RELAY_PARCEL_SLICE_BYTES);
      if (!parcel || total === undefined || offset === undefined || !bytes || offset + bytes.length > total)
        return undefined;
      return { type: 'parcelPut', parcel, total, offset, bytes };
    }
    case 7: {
      const parcel = asBytes(fields[2], PARCEL_ID_BYTES);
      const offset = asCount(fields[3], RELAY_MAX_PARCEL_BYTES);
      const length = asCount(fields[4], RELAY_PARCEL_SLICE_BYTES);
      return parcel && offset !== undefined && length !== undefined
        ? { type: 'parcelGet', parcel, offset, length }
        : undefined;
    }
    case 8: {
      const parcel = asBytes(fields[2], PARCEL_ID_BYTES);
      const references = asCount(fields[3], RELAY_MAX_RECIPIENTS);
      return parcel && references !== undefined ? { type: 'parcelKeep', parcel, references } : undefined;
    }
    default:
      return undefined;
  }
}

function readRecipient(value: Value): Recipient | undefined {
  const pair = asArray(value, 2);
  const device = asBytes(pair?.[0], KEY_BYTES);
  const capability = asBytes(pair?.[1], CAPABILITY_BYTES);
  return device && capability ? { device, capability } : undefined;
}

export function encodeNotice(notice: RelayNotice): Uint8Array {
  switch (notice.type) {
    case 'answer':
      return encode([64, notice.request, notice.code, notice.value]);
    case 'deliver':
      return encode([65, notice.position, notice.sender, notice.messageId, notice.body]);
    case 'marker':
      return encode([66, notice.position, notice.reason]);
    case 'replaced':
      return encode([67]);
    case 'hello':
      return encode([68, notice.limits.map(([name, figure]) => [name, figure])]);
  }
}

export function decodeNotice(bytes: Uint8Array): Result<RelayNotice, RelayMessageError> {
  const fields = fieldsOf(bytes);
  const notice = fields && readNotice(fields);
  return notice ? ok(notice) : err({ tag: 'badRelayMessage' });
}

function readNotice(fields: readonly Value[]): RelayNotice | undefined {
  switch (fields[0]) {
    case 64: {
      const request = asCount(fields[1]);
      const code = asCount(fields[2], MAX_CODE) as Code | undefined;
      const value = fields[3];
      return request !== undefined && code !== undefined && value !== undefined
        ? { type: 'answer', request, code, value }
        : undefined;
    }
    case 65: {
      const position = asCount(fields[1]);
      const sender = asBytes(fields[2], KEY_BYTES);
      const messageId = asBytes(fields[3], MESSAGE_ID_BYTES);
      const body = asBytes(fields[4], 1, MAX_MESSAGE_BYTES);
      return position !== undefined && sender && messageId && body
        ? { type: 'deliver', position, sender, messageId, body }
        : undefined;
    }
    case 66: {
      const position = asCount(fields[1]);
      const reason = asCount(fields[2], 1) as Marker | undefined;
      return position !== undefined && reason !== undefined ? { type: 'marker', position, reason } : undefined;
    }
    case 67:
      return { type: 'replaced' };
    case 68: {
      const limits = asList(fields[1], 64, readLimit);
      return limits && { type: 'hello', limits };
    }
    default:
      return undefined;
  }
}

function readLimit(value: Value): readonly [string, number] | undefined {
  const pair = asArray(value, 2);
  const name = asText(pair?.[0], MAX_NAME_BYTES);
  const figure = asCount(pair?.[1]);
  return name !== undefined && figure !== undefined ? [name, figure] : undefined;
}
