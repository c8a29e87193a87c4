import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code } from '../../src/protocol/relay-messages.ts';
import { Queues } from '../../src/relay/queues.ts';
import { openTables } from '../../src/relay/tables.ts';
import { bytes, keysOf, SMALL_LIMITS } from '../contract/relay-store.ts';

describe('relay: queues whose commit the disk had no room for', () => {
  let folder: string;
  let database: DatabaseSync;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'coterie-relay-'));
    database = openTables(folder);
  });
  afterEach(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });

  it('R3 a loss after the marker was handed out makes a new one behind it, also where the first try, or an ack, was undone', () => {
    const [alice, bob] = [keysOf(1), keysOf(2)];
    const queues = new Queues(database, { ...SMALL_LIMITS, senderShare: 1, queueMessages: 1 });
    const within = <T>(end: 'COMMIT' | 'ROLLBACK', work: () => T): T => {
      database.exec('BEGIN');
      const done = work();
      database.exec(end);
      return done;
    };
    let sent = 0;
    const submit = () =>
      queues.submit(
        {
          sender: alice.device,
          messageId: bytes(16, ++sent),
          recipients: [{ device: bob.device, hash: bytes(32, 9) }],
          body: bytes(1, 1),
        },
        0,
      );
    const last = () => queues.page(bob.device, 0, 1e9).entries.at(-1)!;
    within('COMMIT', () => {
      queues.register(bob);
      queues.confirm(bob.device, [bytes(32, 9)]);
      submit();
      submit();
    });
    assert.equal(last().type, 'marker');
    const lost = [{ code: Code.full, position: 0, marked: true }];
    assert.deepEqual(within('ROLLBACK', submit), lost);
    assert.deepEqual(within('COMMIT', submit), lost);
    const { position } = last();
    assert.equal(
      within('ROLLBACK', () => queues.ack(bob.device, position)),
      true,
    );
    assert.deepEqual(within('COMMIT', submit), lost);
  });
});
