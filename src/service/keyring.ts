/** The epochs a device holds, as its store remembers them, and the keys of chunks that come from them (K1, K3, F1). */
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { asBytes } from '../protocol/codec.ts';
import type { SealKey } from '../sync/envelope.ts';
import type { EpochKeys } from '../sync/epoch-keys.ts';
import { capabilityOf, epochOf, type Epoch } from '../sync/epoch.ts';
import { generationKey } from '../tools/files/content.ts';
import type { LocalState } from './local-state.ts';
import type { ChunkKeys } from './ports.ts';

export class Keyring implements ChunkKeys {
  readonly #crypto: Crypto;
  readonly #local: LocalState;
  readonly #prefix: string;
  readonly #keys: EpochKeys;
  readonly #chunkKeys = new Map<string, Uint8Array>();

  constructor(crypto: Crypto, local: LocalState, workspace: WorkspaceId, keys: EpochKeys) {
    this.#crypto = crypto;
    this.#local = local;
    this.#prefix = `epoch/${workspace}/`;
    this.#keys = keys;
    for (const [, value] of local.under(this.#prefix)) {
      const key = asBytes(value, 32);
      if (key) this.#include(epochOf(crypto, key));
    }
  }

  /** Keys that this device holds from now on: they go to disk with the next commit. */
  remember(epochs: readonly Epoch[]): void {
    for (const epoch of epochs) {
      this.#local.put(this.#prefix + epoch.tag, epoch.key);
      this.#include(epoch);
    }
  }

  #include(epoch: Epoch): void {
    this.#keys.add(epoch);
    this.#chunkKeys.set(epoch.tag, generationKey(this.#crypto, epoch.key));
  }

  sealKeys(): readonly SealKey[] {
    return this.#keys.held();
  }

  current(): { readonly generation: string; readonly key: Uint8Array } {
    const { epoch } = this.#keys;
    if (!epoch) throw new Error('a workspace without an epoch holds no content');
    return { generation: epoch.tag, key: this.#chunkKeys.get(epoch.tag)! };
  }

  find(generation: string): Uint8Array | undefined {
    return this.#chunkKeys.get(generation);
  }

  /** What others show to write into a device's queue (R4). */
  capabilities(device: DeviceId): readonly Uint8Array[] {
    return this.#keys.held().map((epoch) => capabilityOf(this.#crypto, epoch.key, device));
  }
}
