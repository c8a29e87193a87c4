/**
 * Which window owns a store (L3): the one that the newest record names, for as long as its local socket is open.
 *
 * | in the store's folder | what |
 * |---|---|
 * | `owner/<generation>/record` | JSON: `socket`, a path or pipe name of its own; `token`, base64url of 32 bytes |
 *
 * An owner listens first, and then publishes its record by renaming a folder into place, which succeeds for one only.
 * A socket's name is random and never used again, so that a dead record is dead for ever: it can be superseded by the
 * next generation, but never revives. Nobody unlinks what another may have made. Of the records the newest two are kept;
 * as the newest is never removed, one who was slow and published an old number anew finds a newer one, and steps back.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64Url, toBase64Url } from '../base/bytes.ts';
import { TOKEN_BYTES } from './socket-proof.ts';

export interface OwnerRecord {
  readonly socket: string;
  readonly token: Uint8Array;
}

const RECORDS = 'owner';
const KEPT = 2;
/** A small file of ours: a larger one is none. */
const MAX_RECORD_LENGTH = 4_096;

/** The newest record, if any; `undefined` as a record where it cannot be read: then nobody can be reached by it. */
export async function newestRecord(
  folder: string,
): Promise<{ readonly generation: number; readonly record: OwnerRecord | undefined } | undefined> {
  const generation = (await generations(folder)).at(-1);
  if (generation === undefined) return undefined;
  return { generation, record: await readRecord(join(folder, RECORDS, String(generation), 'record')) };
}

export function newToken(): Uint8Array {
  return new Uint8Array(randomBytes(TOKEN_BYTES));
}

/** Publishes a record as this generation. False where another was faster. */
export async function publishRecord(folder: string, generation: number, record: OwnerRecord): Promise<boolean> {
  const records = join(folder, RECORDS);
  await mkdir(records, { recursive: true, mode: 0o700 });
  const draft = await mkdtemp(join(records, 'draft-'));
  const text = JSON.stringify({ socket: record.socket, token: toBase64Url(record.token) });
  try {
    await writeFile(join(draft, 'record'), text, { mode: 0o600 });
    // Fails where the folder is there: it is never empty.
    await rename(draft, join(records, String(generation)));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (TAKEN.has(codeOf(error))) return false;
    throw error;
  }
  if ((await generations(folder)).at(-1) === generation) return true;
  await rm(join(records, String(generation)), { recursive: true, force: true });
  return false;
}

/** Removes what dead owners left behind: their records but the newest two, their sockets. Failing is harmless. */
export async function removeOlderRecords(folder: string, generation: number): Promise<void> {
  const records = join(folder, RECORDS);
  for (const old of (await generations(folder)).filter((each) => each < generation)) {
    const record = await readRecord(join(records, String(old), 'record'));
    if (record && process.platform !== 'win32') await unlink(record.socket).catch(() => undefined);
    if (old > generation - KEPT) continue;
    await rm(join(records, String(old)), { recursive: true, force: true }).catch(() => undefined);
  }
}

const TAKEN: ReadonlySet<string> = new Set(['EEXIST', 'ENOTEMPTY', 'EPERM', 'EACCES', 'EBUSY', 'ENOTDIR']);

async function generations(folder: string): Promise<readonly number[]> {
  const names = await readdir(join(folder, RECORDS)).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => /^[1-9]\d{0,14}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

async function readRecord(path: string): Promise<OwnerRecord | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    // Not knowing who owns the store is no reason to take it.
    throw error;
  });
  if (text.length > MAX_RECORD_LENGTH) return undefined;
  try {
    const { socket, token } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const bytes = typeof token === 'string' ? fromBase64Url(token) : undefined;
    return typeof socket === 'string' && bytes?.length === TOKEN_BYTES ? { socket, token: bytes } : undefined;
  } catch {
    return undefined;
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
