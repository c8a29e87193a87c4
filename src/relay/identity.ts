/**
 * What a relay keeps of itself in its data folder, readable by its user alone.
 *
 * | file | content, as base64url text |
 * | --- | --- |
 * | relay.key | its X25519 static secret, 32 bytes: devices pin its public key |
 * | registration-token | 18 random bytes, to be handed to whoever may register |
 *
 * Neither is ever overwritten: with another key every device's address of this relay would be worthless.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fromBase64Url, toBase64Url } from '../base/bytes.ts';
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts';

const TOKEN_BYTES = 18;

export interface RelayIdentity {
  readonly staticSecret: Uint8Array;
  readonly staticKey: Uint8Array;
  readonly token: string;
}

/** The operator has to look at this: the message is a sentence for him. */
export class RelayStartError extends Error {
  override readonly name = 'RelayStartError';
  readonly code: 'badData' | 'portInUse' | 'cannotListen' | 'dataInUse';
  constructor(code: RelayStartError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Reads the identity of a data folder, or makes folder and identity. Throws RelayStartError. */
export function loadIdentity(crypto: Crypto, folder: string): RelayIdentity {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const staticSecret = load(join(folder, 'relay.key'), KEY_BYTES, crypto);
    const token = toBase64Url(load(join(folder, 'registration-token'), TOKEN_BYTES, crypto));
    return { staticSecret, staticKey: crypto.agreementKeyOf(staticSecret), token };
  } catch (error) {
    if (error instanceof RelayStartError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new RelayStartError('badData', `The relay cannot use its data folder ${folder}: ${reason}`, { cause: error });
  }
}

function load(path: string, length: number, crypto: Crypto): Uint8Array {
  if (existsSync(path)) {
    const bytes = fromBase64Url(readFileSync(path, 'utf8').trim());
    if (bytes?.length === length) return bytes;
    throw new RelayStartError(
      'badData',
      `The file ${path} is damaged. Restore it from a copy; the relay will not replace it by itself.`,
    );
  }
  const bytes = crypto.randomBytes(length);
  const partial = `${path}.partial`;
  const file = openSync(partial, 'w', 0o600);
  chmodSync(partial, 0o600);
  writeSync(file, `${toBase64Url(bytes)}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(partial, path);
  return bytes;
}
