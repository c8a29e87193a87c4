/**
 * One file that may be lost at any time, sealed (K5): a nonce of 12 bytes, random, and AES-256-GCM under a key of its own. It is replaced in
 * one step, and not fsynced: whoever finds none, or an older one, makes it again.
 */
import { concatBytes, releaseBytes } from '../base/bytes.ts';
import { toUtf8 } from '../base/utf8.ts';
import { GCM_NONCE_BYTES, type Crypto } from '../crypto/crypto.ts';
import type { Disk } from './disk.ts';
import { guarded } from './errors.ts';
import type { StoreKeys } from './keys.ts';

export class Scrap {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #crypto: Crypto;
  readonly #key: Uint8Array;
  readonly #associated: Uint8Array;

  constructor(disk: Disk, folder: string, name: string, crypto: Crypto, keys: StoreKeys) {
    this.#disk = disk;
    this.#path = `${folder}/${name}`;
    this.#crypto = crypto;
    this.#key = keys.scrap;
    this.#associated = concatBytes(toUtf8(name), keys.storeId);
  }

  /** Undefined where it is not there, or not as it was written. */
  async read(): Promise<Uint8Array | undefined> {
    const bytes = await this.#disk.read(this.#path).catch(() => undefined);
    if (!bytes || bytes.length < GCM_NONCE_BYTES) return undefined;
    const [nonce, sealed] = [bytes.subarray(0, GCM_NONCE_BYTES), bytes.subarray(GCM_NONCE_BYTES)];
    const opened = this.#crypto.openGcm(this.#key, nonce, sealed, this.#associated);
    releaseBytes(bytes);
    return opened;
  }

  /** Throws StoreError. */
  async clear(): Promise<void> {
    await guarded('removing what may be lost', () => this.#disk.remove(this.#path));
  }

  /** Throws StoreError: then the one before is there. */
  async write(bytes: Uint8Array): Promise<void> {
    const nonce = this.#crypto.randomBytes(GCM_NONCE_BYTES);
    const sealed = this.#crypto.sealGcm(this.#key, nonce, bytes, this.#associated);
    const temporary = `${this.#path}.tmp`;
    await guarded('writing what may be lost', async () => {
      await this.#disk.remove(temporary);
      const file = await this.#disk.create(temporary);
      try {
        await file.write(0, nonce);
        await file.write(nonce.length, sealed);
      } finally {
        await file.close();
      }
      await this.#disk.rename(temporary, this.#path);
    });
  }
}
