/**
 * One file that may be lost at any time, sealed (K5). It is replaced in one step, and not fsynced: whoever finds none, or an older one, makes
 * it again.
 *
 * | bytes | field |
 * | --- | --- |
 * | 16 | random: which writing it is |
 * | 12 | of each piece: nonce, random |
 * | n + 16 | AES-256-GCM of 1 MiB, of the last piece of what is left, under a key of its own; associated: the name of the file, the id of the store, the writing, the piece's number (4) and how many there are (4) |
 *
 * In pieces, since it is read beside all else that opening takes: as one it would be in memory twice.
 */
import { concatBytes, releaseBytes } from '../base/bytes.ts';
import { toUtf8 } from '../base/utf8.ts';
import { GCM_NONCE_BYTES, TAG_BYTES, type Crypto } from '../crypto/crypto.ts';
import type { Disk, DiskFile } from './disk.ts';
import { guarded } from './errors.ts';
import type { StoreKeys } from './keys.ts';

const WRITING_BYTES = 16;
const PIECE_BYTES = 1024 * 1024;
const SEALED_PIECE_BYTES = GCM_NONCE_BYTES + PIECE_BYTES + TAG_BYTES;

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
    const file = await this.#disk.open(this.#path).catch(() => undefined);
    if (!file) return undefined;
    try {
      return await this.#readPieces(file);
    } catch {
      return undefined;
    } finally {
      await file.close().catch(() => undefined);
    }
  }

  async #readPieces(file: DiskFile): Promise<Uint8Array | undefined> {
    const sealedBytes = (await file.size()) - WRITING_BYTES;
    const pieces = Math.ceil(sealedBytes / SEALED_PIECE_BYTES);
    const length = sealedBytes - pieces * (GCM_NONCE_BYTES + TAG_BYTES);
    if (pieces < 1 || length < 0) return undefined;
    const writing = await file.read(0, WRITING_BYTES);
    const bytes = new Uint8Array(length);
    for (let n = 0; n < pieces; n++) {
      const sealed = await file.read(WRITING_BYTES + n * SEALED_PIECE_BYTES, SEALED_PIECE_BYTES);
      const [nonce, rest] = [sealed.subarray(0, GCM_NONCE_BYTES), sealed.subarray(GCM_NONCE_BYTES)];
      const piece = this.#crypto.openGcm(this.#key, nonce, rest, this.#placeOf(writing, n, pieces));
      if (!piece || n * PIECE_BYTES + piece.length > length) return undefined;
      bytes.set(piece, n * PIECE_BYTES);
      releaseBytes(piece);
      releaseBytes(sealed);
    }
    return bytes;
  }

  #placeOf(writing: Uint8Array, piece: number, pieces: number): Uint8Array {
    const place = new Uint8Array(8);
    const view = new DataView(place.buffer);
    view.setUint32(0, piece, true);
    view.setUint32(4, pieces, true);
    return concatBytes(this.#associated, writing, place);
  }

  /** Throws StoreError. */
  async clear(): Promise<void> {
    await guarded('removing what may be lost', async () => {
      await this.#disk.remove(this.#path);
      // Left by a stop in the middle of writing.
      await this.#disk.remove(this.#temporary);
    });
  }

  /** Throws StoreError: then the one before is there. */
  async write(bytes: Uint8Array): Promise<void> {
    await guarded('writing what may be lost', async () => {
      await this.#disk.remove(this.#temporary);
      const file = await this.#disk.create(this.#temporary);
      try {
        await this.#writePieces(file, bytes).finally(() => file.close());
        await this.#disk.rename(this.#temporary, this.#path);
      } catch (error) {
        await this.#disk.remove(this.#temporary).catch(() => undefined);
        throw error;
      }
    });
  }

  get #temporary(): string {
    return `${this.#path}.tmp`;
  }

  async #writePieces(file: DiskFile, bytes: Uint8Array): Promise<void> {
    const writing = this.#crypto.randomBytes(WRITING_BYTES);
    await file.write(0, writing);
    const pieces = Math.max(1, Math.ceil(bytes.length / PIECE_BYTES));
    for (let n = 0; n < pieces; n++) {
      const nonce = this.#crypto.randomBytes(GCM_NONCE_BYTES);
      const piece = bytes.subarray(n * PIECE_BYTES, (n + 1) * PIECE_BYTES);
      const sealed = this.#crypto.sealGcm(this.#key, nonce, piece, this.#placeOf(writing, n, pieces));
      await file.write(WRITING_BYTES + n * SEALED_PIECE_BYTES, concatBytes(nonce, sealed));
    }
  }
}
