/**
 * The doors of the engine: what it needs of the world, as small as can be (T3). Fakes of these (test/fakes) and the real
 * things (store/, relay-client/) pass the same contract suites (test/contract).
 */
import type { Event } from '../base/event.ts';
import type { ChunkId, DeviceId } from '../base/ids.ts';

/** What goes first when a path is narrow (S1). */
export const Lane = { control: 0, structured: 1, text: 2, chunks: 3 } as const;
export type Lane = (typeof Lane)[keyof typeof Lane];

/** How a device is reached. Learnt from invitations, member records and presence. */
export interface Route {
  readonly device: DeviceId;
  /** `host:port` of its direct listener, best first. */
  readonly addresses: readonly string[];
  /** Where its queue lives (text form of a RelayAddress), if anywhere. */
  readonly relay: string | undefined;
}

export type Path = 'direct' | 'relay';

export interface Arrived {
  /** Directly the channel has proved it; by a relay it is the relay's word, and the message has to prove it (`signed.ts`). */
  readonly from: DeviceId;
  readonly path: Path;
  readonly bytes: Uint8Array;
  /** To be called once what arrived is durable: only then may a relay forget it (R1). Harmless for direct ones. */
  handled(): void;
}

export type Reach = 'direct' | 'none';

export type RelayState =
  | { readonly state: 'off' | 'connecting' | 'connected' }
  | {
      readonly state: 'failed';
      readonly reason: 'unreachable' | 'wrongKey' | 'refused' | 'badAddress';
      readonly detail: string;
    };

export type SubmitOutcome = 'ok' | 'refused' | 'full' | 'tooLarge' | 'notRegistered' | 'unavailable';

export interface RelayRecipient {
  readonly device: DeviceId;
  readonly relay: string;
  readonly capability: Uint8Array;
}

export interface Transport {
  /** Whom to keep a connection to. Devices that are no longer named are let go. */
  setRoutes(routes: readonly Route[]): void;
  /** Own relay (text form), or undefined for none. Connects, registers, confirms, subscribes, and keeps at it. */
  setRelay(address: string | undefined): void;
  /** SHA-256 of every capability that senders to this device may show (R4). */
  setCapabilities(hashes: readonly Uint8Array[]): void;
  /** Where this device listens, for invitations and presence: `host:port`, best first; empty where it does not. */
  readonly listening: readonly string[];
  readonly relayState: RelayState;
  reach(device: DeviceId): Reach;
  /** Queues bytes on the direct connection; false where none is open or its buffer is full. */
  send(device: DeviceId, bytes: Uint8Array, lane: Lane): boolean;
  /** Resolves once the relays have made it durable (or, ephemeral, passed it on): one outcome per recipient, in order. */
  submit(
    recipients: readonly RelayRecipient[],
    bytes: Uint8Array,
    options: { readonly ephemeral: boolean },
  ): Promise<readonly SubmitOutcome[]>;
  /** Stores a parcel at the own relay (R9); resumes where an earlier try stopped. Throws TransportError. */
  putParcel(id: Uint8Array, bytes: Uint8Array): Promise<void>;
  /** Fetches a range of a parcel from any relay. Undefined where it is not there (any more). Throws TransportError. */
  getParcel(
    relay: string,
    id: Uint8Array,
    offset: number,
    length: number,
  ): Promise<{ readonly total: number; readonly bytes: Uint8Array } | undefined>;
  dropParcel(id: Uint8Array): Promise<void>;
  readonly onArrived: Event<Arrived>;
  readonly onReach: Event<{ readonly device: DeviceId; readonly reach: Reach }>;
  readonly onRelayState: Event<RelayState>;
  /** The relay did not keep everything: ask the members what is missing. */
  readonly onGap: Event<void>;
  readonly onListening: Event<readonly string[]>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: 'unreachable' | 'wrongKey' | 'refused' | 'full' | 'quota' | 'tooLarge' | 'stopped';
  constructor(code: TransportError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** What a reader of records answers where it keeps nothing of the bytes: their memory is given back. */
export const NOTHING_KEPT = 'nothing kept';

/** The journal with its snapshots (L1): an ordered list of opaque records that outlives the process. */
export interface LogStore {
  /** Reads everything that is there, oldest first; `each` may answer NOTHING_KEPT. Called once, before anything else. */
  replay(each: (record: Uint8Array) => unknown): Promise<ReplayReport>;
  /** Resolves when all of them are durable, together and in order; what arrives during an fsync shares the next. Throws StoreError. */
  append(records: readonly Uint8Array[]): Promise<void>;
  /** Replaces everything up to now by these records: temp file, fsync, rename, two generations kept. Throws StoreError. */
  compact(records: Iterable<Uint8Array>): Promise<void>;
  /** Bytes of journal since the last snapshot: whether compacting is worth it. */
  readonly journalBytes: number;
  close(): Promise<void>;
}

export interface ReplayReport {
  readonly records: number;
  /** Bytes of a torn tail that were cut (never acknowledged to anyone). */
  readonly cutBytes: number;
  /** Damaged stretches in the middle, set aside in a quarantine file: ask the members for what they held. */
  readonly quarantined: number;
}

/** Encrypted, content-addressed chunks (L2). The bytes are ciphertext already. */
export interface ChunkStore {
  has(id: ChunkId): boolean;
  /** The bytes may be on their way to disk when this resolves; `sync` makes all before it durable. Throws StoreError. */
  put(id: ChunkId, bytes: Uint8Array): Promise<void>;
  get(id: ChunkId): Promise<Uint8Array | undefined>;
  delete(id: ChunkId): Promise<void>;
  sync(): Promise<void>;
}

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: 'locked' | 'inUse' | 'diskFull' | 'io' | 'damaged' | 'newer';
  constructor(code: StoreError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Time, as the pure rooms may know it: handed in, never asked for. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once at or after `at`; the disposer cancels. */
  wakeAt(at: number, callback: () => void): () => void;
}
