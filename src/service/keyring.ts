/**
 * The epochs a device holds, as its store remembers them, and the keys of chunks that come from them (K1, K3, K4, F1). Of an epoch
 * that is erased the key of its chunks is kept in its place: content outlives the messages that told of it.
 */
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { asBytes } from '../protocol/codec.ts';
import type { SealKey } from '../sync/envelope.ts';
import type { EpochKeys } from '../sync/epoch-keys.ts';
import { capabilityOf, chunkGenerationOf, epochOf, type ChunkGeneration, type Epoch } from '../sync/epoch.ts';
import type { LocalState } from './local-state.ts';
import type { ChunkKeys } from './ports.ts';

export class Keyring implements ChunkKeys {
  readonly #crypto: Crypto;
  readonly #local: LocalState;
  readonly #epochs: string;
  readonly #generations: string;
  readonly #keys: EpochKeys;

  constructor(crypto: Crypto, local: LocalState, workspace: WorkspaceId, keys: EpochKeys) {
    this.#crypto = crypto;
    this.#local = local;
    this.#epochs = epochsOf(workspace);
    this.#generations = generationsOf(workspace);
    this.#keys = keys;
    // What is erased first: it does not come back.
    for (const key of this.#kept(this.#generations)) keys.addGeneration(chunkGenerationOf(crypto, key));
    for (const key of this.#kept(this.#epochs)) keys.add(epochOf(crypto, key));
  }

  #kept(prefix: string): readonly Uint8Array[] {
    return [...this.#local.under(prefix)].flatMap(([, value]) => asBytes(value, 32) ?? []);
  }

  /** Keys that this device holds from now on: they go to disk with the next commit. */
  remember(epochs: readonly Epoch[]): void {
    for (const epoch of epochs) {
      this.#keys.add(epoch);
      this.#local.put(this.#epochs + epoch.tag, epoch.key);
    }
  }

  /** K4: of these only the keys of the chunks, from the next commit on; the old record is gone when the journal was written anew. */
  rememberGenerations(generations: readonly ChunkGeneration[]): void {
    for (const { tag, chunkKey } of generations) {
      this.#local.put(this.#generations + tag, chunkKey);
      this.#local.drop(this.#epochs + tag);
    }
  }

  /** What a member was asked for. */
  take(key: Epoch | ChunkGeneration): void {
    if ('key' in key) this.remember([key]);
    else this.rememberGenerations([key]);
  }

  sealKeys(): readonly SealKey[] {
    return this.#keys.held();
  }

  current(): { readonly generation: string; readonly key: Uint8Array } {
    const { epoch } = this.#keys;
    if (!epoch) throw new Error('a workspace without an epoch holds no content');
    return { generation: epoch.tag, key: epoch.chunkKey };
  }

  find(generation: string): Uint8Array | undefined {
    return this.#keys.chunkKey(generation);
  }

  /** What others show to write into a device's queue (R4): of the epochs that are not erased. */
  capabilities(device: DeviceId): readonly Uint8Array[] {
    return this.#keys.held().map((epoch) => capabilityOf(this.#crypto, epoch.key, device));
  }
}

function epochsOf(workspace: WorkspaceId): string {
  return `epoch/${workspace}/`;
}

function generationsOf(workspace: WorkspaceId): string {
  return `generation/${workspace}/`;
}
