/** The epochs a device holds, per workspace, and which key a tag in front of a message means (K1, K3, K5). */
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { asBytes } from '../protocol/codec.ts';
import type { SealKey } from '../sync/envelope.ts';
import { capabilityOf, epochOf, openEpoch, tagOf, type Epoch } from '../sync/epoch.ts';
import type { Roster } from '../sync/roster.ts';
import { generationKey } from '../tools/files/content.ts';
import type { LocalState } from './local-state.ts';
import type { ChunkKeys } from './ports.ts';

export class Keyring implements ChunkKeys {
  readonly #crypto: Crypto;
  readonly #local: LocalState;
  readonly #prefix: string;
  readonly #epochs = new Map<string, Epoch>();
  readonly #chunkKeys = new Map<string, Uint8Array>();
  #current: Epoch | undefined;

  constructor(crypto: Crypto, local: LocalState, workspace: WorkspaceId) {
    this.#crypto = crypto;
    this.#local = local;
    this.#prefix = `epoch/${workspace}/`;
    for (const [, value] of local.under(this.#prefix)) {
      const key = asBytes(value, 32);
      if (key) this.#include(epochOf(crypto, key));
    }
  }

  add(epoch: Epoch): void {
    if (this.#epochs.has(epoch.tag)) return;
    this.#local.put(this.#prefix + epoch.tag, epoch.key);
    this.#include(epoch);
  }

  #include(epoch: Epoch): void {
    this.#epochs.set(epoch.tag, epoch);
    this.#chunkKeys.set(epoch.tag, generationKey(this.#crypto, epoch.key));
    this.#current ??= epoch;
  }

  /** Opens what the roster boxes to this device, and chooses the epoch in use: the first made that we hold (K3). */
  follow(roster: Roster, device: DeviceId, agreementSecret: Uint8Array): void {
    for (const { notice } of roster.epochs) {
      const epoch = this.#epochs.has(tagOf(notice.commit))
        ? undefined
        : openEpoch(this.#crypto, notice, device, agreementSecret);
      if (epoch) this.add(epoch);
    }
    const latest = roster.epochs.findLast((record) => this.#epochs.has(tagOf(record.notice.commit)));
    if (latest) this.#current = this.#epochs.get(tagOf(latest.notice.commit));
  }

  get epoch(): Epoch | undefined {
    return this.#current;
  }

  sealKeys(): readonly SealKey[] {
    return [...this.#epochs.values()];
  }

  current(): { readonly generation: string; readonly key: Uint8Array } {
    const epoch = this.#current;
    if (!epoch) throw new Error('a workspace without an epoch holds no content');
    return { generation: epoch.tag, key: this.#chunkKeys.get(epoch.tag)! };
  }

  find(generation: string): Uint8Array | undefined {
    return this.#chunkKeys.get(generation);
  }

  /** What others show to write into a device's queue (R4), newest epoch first. */
  capabilities(device: DeviceId): readonly Uint8Array[] {
    return [...this.#epochs.values()].map((epoch) => capabilityOf(this.#crypto, epoch.key, device));
  }
}
