/** What the workspaces of one device share: who we are, the disk, the paths, and what the windows hear. */
import type { AccountId, DeltaId, DeviceId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Certificate } from '../protocol/certificate.ts';
import type { Signer } from '../sync/delta.ts';
import type { ChunkStore, Clock, Lane, RelayRecipient, SubmitOutcome, Transport } from '../sync/ports.ts';
import type { Sealed } from '../sync/signed.ts';
import type { CallKey, ServiceEvent } from './api.ts';
import type { LocalState } from './local-state.ts';
import type { OnlyCopy } from './only-copy.ts';
import type { ContentIndex } from './content-index.ts';
import type { ChunkKeys, ContentStore } from './ports.ts';

export interface Identity {
  readonly account: AccountId;
  readonly device: DeviceId;
  readonly certificate: Certificate;
  readonly signer: Signer;
  readonly agreementSecret: Uint8Array;
}

/** Who asks, and out of which workspace. */
export interface OfferSource {
  readonly workspace: WorkspaceId;
  readonly name: string;
  readonly by: string;
  readonly certificate: Certificate;
}

/** Nothing goes out on a path but what was sealed for it (K5). */
export interface OwnTransport extends Transport {
  send(device: DeviceId, bytes: Sealed<'direct'>, lane: Lane): boolean;
  submit(
    recipients: readonly RelayRecipient[],
    bytes: Sealed<'relay'>,
    options: { readonly ephemeral: boolean },
  ): Promise<readonly SubmitOutcome[]>;
}

export interface Hub {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly local: LocalState;
  readonly onlyCopy: OnlyCopy;
  readonly index: ContentIndex;
  readonly chunks: ChunkStore;
  readonly transport: OwnTransport;
  readonly identity: Identity;
  makeContents(keys: ChunkKeys): ContentStore;
  /** What others see. */
  displayName(): string;
  /** What this person calls this device; in no certificate, since a relay sees those (R5). */
  deviceName(): string;
  /** L7: after how many days of holding back the log a device is called absent. */
  absentAfterDays(): number;
  /** Text form of the own relay's address, with its token; undefined for none. */
  relay(): string | undefined;
  /** The last commit has failed: what is made or taken in waits in memory until one does not. */
  readonly isDiskFailing: boolean;
  /**
   * Makes records, and whatever local state has changed, durable; the key of the call that made them with them or not at all (L3). Throws
   * StoreError; what failed is tried again with the next.
   */
  commit(records: readonly Uint8Array[], call?: CallKey, lastDelta?: DeltaId): Promise<void>;
  emit(event: ServiceEvent): void;
  /** Devices, addresses, relays, keys or invitations have changed: routes and capabilities are made anew. */
  changed(): void;
  /** This device is out of a workspace, or that is deleted for all: its copy may be to go. */
  toGo(workspace: WorkspaceId): void;
  /** A member continues a workspace elsewhere (A7), and asks this person along, or answers that; resolves when that is durable. */
  offered(from: OfferSource, sealed: Uint8Array): Promise<void>;
  /** Something has left a log: the journal may be worth writing anew. */
  forgotten(): void;
  /** A key was erased (K4): what the journal still has of it goes. */
  erased(): void;
  /** An error that nobody waits for. */
  fault(error: unknown): void;
}
