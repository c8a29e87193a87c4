/** The statements of the queues, prepared once, typed: what SQL answers is checked nowhere else. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { DeviceKeys } from './store.ts';

export interface DeviceRow {
  readonly id: number;
  readonly key: Uint8Array;
  readonly account: Uint8Array;
  readonly agreement: Uint8Array;
  readonly next: number;
  readonly acked: number;
  readonly messages: number;
  readonly bytes: number;
  readonly strangerMessages: number;
  readonly strangerBytes: number;
}

interface BodyRow {
  readonly id: number;
  readonly sender: Uint8Array;
  readonly message: Uint8Array;
  readonly size: number;
  readonly refs: number;
  readonly accepted: string;
}

interface PlaceRow {
  readonly position: number;
  readonly body: number | null;
  readonly stranger: number;
}

interface FullPlaceRow {
  readonly position: number;
  readonly marker: number | null;
  readonly sender: Uint8Array | null;
  readonly message: Uint8Array | null;
  readonly size: number | null;
  readonly body: Uint8Array | null;
}

export type QueueStatements = ReturnType<typeof prepareQueues>;

export function prepareQueues(database: DatabaseSync) {
  const one = <Row>(sql: string) => {
    const statement = database.prepare(sql);
    return (...values: SQLInputValue[]) => statement.get(...values) as unknown as Row | undefined;
  };
  const all = <Row>(sql: string) => {
    const statement = database.prepare(sql);
    return (...values: SQLInputValue[]) => statement.all(...values) as unknown as Row[];
  };
  const run = (sql: string) => {
    const statement = database.prepare(sql);
    return (...values: SQLInputValue[]) => Number(statement.run(...values).lastInsertRowid);
  };

  const device = one<DeviceRow>('SELECT * FROM devices WHERE key = ?');
  const devices = all<{ id: number; key: Uint8Array }>('SELECT id, key FROM devices');
  const addDevice = run('INSERT INTO devices (key, account, agreement) VALUES (?, ?, ?)');
  const takePosition = one<{ position: number }>(
    'UPDATE devices SET next = next + 1 WHERE id = ? RETURNING next - 1 AS position',
  );
  const setAcked = run('UPDATE devices SET acked = ? WHERE id = ?');
  const growKnown = run('UPDATE devices SET messages = messages + ?, bytes = bytes + ? WHERE id = ?');
  const growStranger = run(
    'UPDATE devices SET strangerMessages = strangerMessages + ?, strangerBytes = strangerBytes + ? WHERE id = ?',
  );

  const clearCapabilities = run('DELETE FROM capabilities WHERE device = ?');
  const addCapability = run('INSERT OR IGNORE INTO capabilities (device, hash) VALUES (?, ?)');
  const capabilities = all<{ hash: Uint8Array }>('SELECT hash FROM capabilities WHERE device = ?');
  const capability = one<{ found: number }>('SELECT 1 AS found FROM capabilities WHERE device = ? AND hash = ?');

  const share = one<{ messages: number; bytes: number }>(
    'SELECT messages, bytes FROM shares WHERE device = ? AND sender = ? AND stranger = ?',
  );
  const growShare = run(`
    INSERT INTO shares (device, sender, stranger, messages, bytes) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, bytes = bytes + excluded.bytes`);
  const dropEmptyShares = run('DELETE FROM shares WHERE device = ? AND messages <= 0');

  const bodyColumns = 'id, sender, message, size, refs, accepted';
  const body = one<BodyRow>(`SELECT ${bodyColumns} FROM bodies WHERE id = ?`);
  const bodyOf = one<BodyRow>(`SELECT ${bodyColumns} FROM bodies WHERE sender = ? AND message = ?`);
  const addBody = run(
    'INSERT INTO bodies (sender, message, received, size, refs, accepted, body) VALUES (?, ?, ?, ?, 0, ?, ?)',
  );
  const refer = run('UPDATE bodies SET refs = refs + ?, accepted = ? WHERE id = ?');
  const dropBody = run('DELETE FROM bodies WHERE id = ?');

  const enqueue = run('INSERT INTO queue (device, position, body, stranger) VALUES (?, ?, ?, ?)');
  const enqueueMarker = run('INSERT INTO queue (device, position, marker) VALUES (?, ?, ?)');
  const dequeue = run('DELETE FROM queue WHERE device = ? AND position = ?');
  const markers = all<{ position: number; marker: number }>(
    'SELECT position, marker FROM queue WHERE device = ? AND marker IS NOT NULL',
  );
  const upTo = all<PlaceRow>('SELECT position, body, stranger FROM queue WHERE device = ? AND position <= ?');
  const receivedBefore = all<PlaceRow>(`
    SELECT queue.position, queue.body, queue.stranger FROM queue JOIN bodies ON bodies.id = queue.body
    WHERE queue.device = ? AND bodies.received < ?`);
  const places = database.prepare(`
    SELECT queue.position, queue.marker, bodies.sender, bodies.message, bodies.size, bodies.body
    FROM queue LEFT JOIN bodies ON bodies.id = queue.body
    WHERE queue.device = ? AND queue.position > ? ORDER BY queue.position`);

  return {
    device: (key: Uint8Array) => device(key),
    devices: () => devices(),
    addDevice: (keys: DeviceKeys) => addDevice(keys.device, keys.account, keys.agreement),
    takePosition: (id: number) => takePosition(id)!.position,
    setAcked: (id: number, position: number) => setAcked(position, id),
    grow: (id: number, stranger: boolean, messages: number, bytes: number) =>
      (stranger ? growStranger : growKnown)(messages, bytes, id),
    clearCapabilities: (id: number) => clearCapabilities(id),
    addCapability: (id: number, hash: Uint8Array) => addCapability(id, hash),
    capabilities: (id: number) => capabilities(id).map((row) => row.hash),
    hasCapability: (id: number, hash: Uint8Array) => capability(id, hash) !== undefined,
    share: (id: number, sender: Uint8Array, stranger: boolean) =>
      share(id, sender, stranger ? 1 : 0) ?? { messages: 0, bytes: 0 },
    growShare: (id: number, sender: Uint8Array, stranger: boolean, messages: number, bytes: number) =>
      growShare(id, sender, stranger ? 1 : 0, messages, bytes),
    dropEmptyShares: (id: number) => dropEmptyShares(id),
    body: (id: number) => body(id)!,
    bodyOf: (sender: Uint8Array, message: Uint8Array) => bodyOf(sender, message),
    addBody: (sender: Uint8Array, message: Uint8Array, received: number, bytes: Uint8Array, accepted: string) =>
      addBody(sender, message, received, bytes.length, accepted, bytes),
    refer: (id: number, change: number, accepted: string) => refer(change, accepted, id),
    dropBody: (id: number) => dropBody(id),
    enqueue: (id: number, position: number, bodyId: number, stranger: boolean) =>
      enqueue(id, position, bodyId, stranger ? 1 : 0),
    enqueueMarker: (id: number, position: number, reason: number) => enqueueMarker(id, position, reason),
    dequeue: (id: number, position: number) => dequeue(id, position),
    markers: (id: number) => markers(id),
    upTo: (id: number, position: number) => upTo(id, position),
    receivedBefore: (id: number, before: number) => receivedBefore(id, before),
    places: (id: number, after: number) => places.iterate(id, after) as unknown as Iterable<FullPlaceRow>,
  };
}
