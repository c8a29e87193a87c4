/**
 * The relay's store: registered devices, their queues, and what is known of parcels (R1–R4, R9). Whatever resolves is
 * durable. Calls are carried out in the order they were made, so what a call answers includes everything before it.
 *
 * | kept | how long |
 * | --- | --- |
 * | device key, account, agreement key, hashes of capabilities | from registration on |
 * | body, sender, message id, time of receipt | until every recipient has acknowledged it, or it expires |
 * | parcel id, account, size, time | until its owner drops it, or it expires |
 *
 * No names, no addresses, and nothing of a message after its last ack (R5).
 */
import type { Code, Marker } from '../protocol/relay-messages.ts';

export interface DeviceKeys {
  readonly device: Uint8Array;
  readonly account: Uint8Array;
  readonly agreement: Uint8Array;
}

export interface Submission {
  readonly sender: Uint8Array;
  readonly messageId: Uint8Array;
  /** The hash is SHA-256(capability shown). */
  readonly recipients: readonly { readonly device: Uint8Array; readonly hash: Uint8Array }[];
  readonly body: Uint8Array;
}

/** What became of a submission for one recipient, in the order of its recipients. */
export interface Placement {
  readonly code: Code;
  /** Position in the recipient's queue; 0 where nothing was put there (refused, or it is there already). */
  readonly position: number;
  /** Whether a marker now stands in the recipient's queue for it. */
  readonly marked: boolean;
}

export type Entry =
  | {
      readonly type: 'message';
      readonly position: number;
      readonly sender: Uint8Array;
      readonly messageId: Uint8Array;
      readonly body: Uint8Array;
    }
  | { readonly type: 'marker'; readonly position: number; readonly reason: Marker };

/** Of one page: an entry takes some hundred bytes on its way beside its body, and messages may be of one byte. */
export const MAX_PAGE_ENTRIES = 1_024;

export interface Page {
  readonly entries: readonly Entry[];
  /** Nothing stands behind the last entry. */
  readonly end: boolean;
}

export type Registration = 'unknown' | 'registered' | 'otherKeys';

export interface ParcelState {
  readonly total: number;
  readonly received: number;
}

export interface ParcelTerms {
  /** What each parcel counts against the quota beside its bytes; nothing where absent. */
  readonly eachBytes?: number;
  /** False only asks: what is not there does not begin to be. */
  readonly begin?: boolean;
}

export interface RelayStore {
  /** Whether the device stands here, and under these very keys: a queue belongs to whoever registered it. */
  registration(keys: DeviceKeys): Promise<Registration>;
  /** Registers, or finds it registered already. */
  register(keys: DeviceKeys): Promise<Registration>;
  /** R4: replaces the whole set. */
  confirm(device: Uint8Array, hashes: readonly Uint8Array[]): Promise<void>;
  capabilities(device: Uint8Array): Promise<readonly Uint8Array[]>;
  /** R1–R4. The same sender and message id is put into a queue once, and with a body of another size into none. */
  submit(submission: Submission, now: number): Promise<readonly Placement[]>;
  /** Entries behind a position, oldest first, at least one where there is one and MAX_PAGE_ENTRIES at most. */
  page(device: Uint8Array, after: number, maxBytes: number): Promise<Page>;
  /** R1: cumulative. False for a position that was never given out. */
  ack(device: Uint8Array, position: number): Promise<boolean>;
  /** R3: removes what was received before then. Answers the devices that now have a marker. */
  expireMessages(before: number): Promise<readonly Uint8Array[]>;

  /** Makes room for a parcel, or finds it begun: `ok` with its state, `refused` (another's), `badRequest` (another size), `quota`. */
  openParcel(
    id: Uint8Array,
    account: Uint8Array,
    total: number,
    quotaBytes: number,
    now: number,
    terms?: ParcelTerms,
  ): Promise<{ readonly code: Code; readonly received: number }>;
  /** So many bytes of it are durable on disk. */
  advanceParcel(id: Uint8Array, received: number, now: number): Promise<void>;
  parcel(id: Uint8Array): Promise<ParcelState | undefined>;
  /** 0 references delete it: `ok`, `notFound`, or `refused` where it is another account's. Otherwise renews it. */
  keepParcel(id: Uint8Array, account: Uint8Array, references: number, now: number): Promise<Code>;
  /** Removes parcels that nobody renewed since; answers their ids. */
  expireParcels(before: number): Promise<readonly Uint8Array[]>;
  parcelIds(): Promise<readonly Uint8Array[]>;

  close(): Promise<void>;
}

/**
 * `full`: the disk has no room; what was asked for did not happen and nothing else is lost.
 * `io`: nobody can say what is durable (R7); the relay must stop.
 */
export class RelayStoreError extends Error {
  override readonly name = 'RelayStoreError';
  readonly code: 'full' | 'io' | 'inUse' | 'newer' | 'closed';
  constructor(code: RelayStoreError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
