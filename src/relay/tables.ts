/**
 * The relay's tables in SQLite (R6). Sizes are of what counts against a limit.
 *
 * | table | a row |
 * | --- | --- |
 * | devices | a registered device: its keys, the next position of its queue, the last acknowledged, what its queue holds |
 * | capabilities | hash of a capability that the device has confirmed |
 * | bodies | a message, stored once for all its recipients (R2); `accepted`: ids of the devices it was ever put before |
 * | queue | a place in a device's queue: a body, or a marker |
 * | shares | what one sender fills of a device's queue, or of its first-contact queue |
 * | parcels | a parcel's owner and state; its bytes are a file |
 */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { RelayStoreError } from './store.ts';

const DATABASE_NAME = 'relay.db';
/** SQLite's name for the log that is written ahead. */
export const LOG_NAME = `${DATABASE_NAME}-wal`;

const VERSION = 1;

const SCHEMA = `
CREATE TABLE devices (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  account BLOB NOT NULL,
  agreement BLOB NOT NULL,
  next INTEGER NOT NULL DEFAULT 1,
  acked INTEGER NOT NULL DEFAULT 0,
  messages INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  strangerMessages INTEGER NOT NULL DEFAULT 0,
  strangerBytes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE capabilities (
  device INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (device, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE bodies (
  id INTEGER PRIMARY KEY,
  sender BLOB NOT NULL,
  message BLOB NOT NULL,
  received INTEGER NOT NULL,
  size INTEGER NOT NULL,
  refs INTEGER NOT NULL,
  accepted TEXT NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (sender, message)
) STRICT;
CREATE TABLE queue (
  device INTEGER NOT NULL,
  position INTEGER NOT NULL,
  body INTEGER,
  marker INTEGER,
  stranger INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (device, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX markers ON queue (device, marker) WHERE marker IS NOT NULL;
CREATE TABLE shares (
  device INTEGER NOT NULL,
  sender BLOB NOT NULL,
  stranger INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (device, sender, stranger)
) STRICT, WITHOUT ROWID;
CREATE TABLE parcels (
  id BLOB PRIMARY KEY,
  account BLOB NOT NULL,
  total INTEGER NOT NULL,
  received INTEGER NOT NULL DEFAULT 0,
  refs INTEGER NOT NULL DEFAULT 1,
  renewed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX parcels_by_account ON parcels (account, total);
PRAGMA user_version = ${VERSION};
`;

/** Opens or makes the database of a data folder. Throws RelayStoreError. */
export function openTables(folder: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, DATABASE_NAME));
    // Exclusive: a second relay on the same folder is told so, and no shared-memory file is needed.
    // Full: a commit has reached the disk when it returns. secure_delete: what is acknowledged is overwritten (R5).
    // No automatic checkpoint: one in the middle of a commit would double its latency; the store does it when idle, or when the log is long.
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA secure_delete = ON;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA cache_size = -65536;
    `);
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > VERSION) throw new RelayStoreError('newer', 'the data folder was written by a newer relay');
    if (version < VERSION) database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    return database;
  } catch (error) {
    database?.close();
    throw asStoreError(error);
  }
}

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

export function asStoreError(error: unknown): RelayStoreError {
  if (error instanceof RelayStoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const errcode = typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  const code = errcode === SQLITE_BUSY ? 'inUse' : errcode === SQLITE_FULL ? 'full' : 'io';
  return new RelayStoreError(code, message, { cause: error });
}
