/**
 * The door to this device's secret keys (I2): VS Code's SecretStorage. For development alone, `COTERIE_DEV=1` together with
 * `COTERIE_DEV_SECRETS=<file>` puts them into that file instead, unencrypted (docs/USING.md); the file alone is refused.
 */
import type * as vscode from 'vscode';
import type { DeviceSecrets } from '../service/api.ts';

export interface SecretsDoor {
  read(): Promise<DeviceSecrets | undefined>;
  write(secrets: DeviceSecrets): Promise<void>;
}

export const SECRET_KEY = 'coterie.device';

export function storedSecrets(storage: Pick<vscode.SecretStorage, 'get' | 'store'>): SecretsDoor {
  return {
    read: async () => parseSecrets(await storage.get(SECRET_KEY)),
    async write(secrets) {
      const before = await storage.get(SECRET_KEY);
      if (before !== undefined && opensAnother(before, secrets)) await storage.store(await freeKey(storage), before);
      await storage.store(SECRET_KEY, JSON.stringify(secrets));
    },
  };
}

/** I2: what opened a store that was set aside, or may still, is kept beside what opens the new one. */
function opensAnother(before: string, secrets: DeviceSecrets): boolean {
  return parseSecrets(before)?.storeKey !== secrets.storeKey;
}

async function freeKey(storage: Pick<vscode.SecretStorage, 'get'>): Promise<string> {
  for (let number = 1; ; number++) {
    const key = `${SECRET_KEY}.aside-${number}`;
    if ((await storage.get(key)) === undefined) return key;
  }
}

/** The file of development secrets, where both variables stand; `refused` where the file stands alone. */
export function developmentFile(env: Readonly<Record<string, string | undefined>>): {
  readonly file?: string;
  readonly refused: boolean;
} {
  const file = env['COTERIE_DEV_SECRETS'];
  if (file === undefined || file === '') return { refused: false };
  return env['COTERIE_DEV'] === '1' ? { file, refused: false } : { refused: true };
}

export function fileSecrets(file: string): SecretsDoor {
  return {
    async read() {
      const { readFile } = await import('node:fs/promises');
      try {
        return parseSecrets(await readFile(file, 'utf8'));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(secrets) {
      const { readFile, writeFile } = await import('node:fs/promises');
      const before = await readFile(file, 'utf8').catch(() => undefined);
      if (before !== undefined && opensAnother(before, secrets))
        await writeFile(`${file}.aside-${Date.now()}`, before, { mode: 0o600 });
      await writeFile(file, JSON.stringify(secrets), { mode: 0o600 });
    },
  };
}

/** What is not four secrets is none: the service then finds the store locked, and nothing is overwritten. */
export function parseSecrets(text: string | undefined): DeviceSecrets | undefined {
  if (text === undefined) return undefined;
  try {
    const { accountSeed, signingSeed, agreementSecret, storeKey } = JSON.parse(text) as Record<string, unknown>;
    if (!isSecret(accountSeed) || !isSecret(signingSeed) || !isSecret(agreementSecret) || !isSecret(storeKey))
      return undefined;
    return { accountSeed, signingSeed, agreementSecret, storeKey };
  } catch {
    return undefined;
  }
}

/** 32 bytes in base64url. */
function isSecret(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value);
}
