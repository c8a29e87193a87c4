import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { elect as electFor } from '../../src/rpc/election.ts';
import { dial, type LocalListener } from '../../src/rpc/local-socket.ts';
import { newestRecord, newToken, publishRecord } from '../../src/rpc/owner-record.ts';
import { temporaryFolder, TestProcess } from './fixtures/processes.ts';

const ELECTOR = join(import.meta.dirname, 'fixtures', 'elector-process.ts');

describe('election', function () {
  this.timeout(60_000);
  const home = temporaryFolder();
  const processes: TestProcess[] = [];
  const listening: LocalListener[] = [];
  const elect = async (folder: string, stalledAfter_ms?: number) => {
    const listener = await electFor(folder, (guest) => guest.close(), stalledAfter_ms);
    if (listener) listening.push(listener);
    return listener;
  };
  const elector = async () => {
    const process = new TestProcess(ELECTOR);
    processes.push(process);
    await process.next('ready');
    return process;
  };
  after(async () => {
    await Promise.all(processes.map((process) => process.kill()));
    await Promise.all(listening.map((listener) => listener.close()));
    home.remove();
  });

  it('L3 of two processes that start together exactly one owns the store, 50 times', async () => {
    const [one, two] = [await elector(), await elector()];
    const wins = [0, 0];
    for (let round = 0; round < 50; round++) {
      const folder = join(home.path, `race${round}`);
      // Every other time over what a dead owner has left behind.
      if (round % 2 === 1) await leaveDeadOwner(folder, 1 + (round % 5));
      one.send({ elect: folder });
      two.send({ elect: folder });
      const won = [await one.next('won'), await two.next('won')];
      assert.equal(won.filter(Boolean).length, 1, `round ${round}: ${won.join()}`);
      wins[won[0] ? 0 : 1]!++;
    }
    assert.equal(wins[0]! + wins[1]!, 50);
    for (const process of [one, two]) {
      process.send({ release: true });
      await process.next('released');
    }
  });

  it('L3 ten at once over one dead owner: one wins, and the records do not pile up', async () => {
    const folder = join(home.path, 'crowd');
    await leaveDeadOwner(folder, 7);
    for (let round = 0; round < 5; round++) {
      const listeners = await Promise.all(Array.from({ length: 10 }, () => elect(folder)));
      const won = listeners.filter((listener) => listener !== undefined);
      assert.equal(won.length, 1);
      assert.equal((await newestRecord(folder))!.generation, 8 + round);
      await won[0]!.close();
      listening.length = 0;
    }
    assert.deepEqual(readdirSync(join(folder, 'owner')).sort(), ['11', '12']);
  });

  it('L3 a stalled owner whose socket is open is not robbed', async () => {
    const folder = join(home.path, 'stalled');
    const owner = await elector();
    owner.send({ elect: folder });
    assert.equal(await owner.next('won'), true);
    owner.child.kill('SIGSTOP');
    try {
      assert.equal(await elect(folder, 300), undefined);
      assert.equal((await dial((await newestRecord(folder))!.record!, 100)).state, 'stalled');
    } finally {
      owner.child.kill('SIGCONT');
    }
    const dialled = await dial((await newestRecord(folder))!.record!, 5_000);
    assert.equal(dialled.state, 'open');
    await owner.kill();
    const listener = await elect(folder);
    assert.ok(listener, 'but a dead one is succeeded');
    await listener.close();
  });

  it('L3 one who comes late with an old number steps back', async () => {
    const folder = join(home.path, 'late');
    const record = { socket: '/nowhere', token: newToken() };
    assert.equal(await publishRecord(folder, 5, record), true);
    assert.equal(await publishRecord(folder, 5, record), false, 'taken');
    assert.equal(await publishRecord(folder, 3, record), false, 'cleared away, and superseded');
    assert.deepEqual(readdirSync(join(folder, 'owner')), ['5']);
  });

  it('L3 a disk without room for one record more keeps nobody from opening his store, and nothing is left of a try that failed', async () => {
    const folder = join(home.path, 'full');
    await leaveDeadOwner(folder, 1);
    await leaveDeadOwner(folder, 2);
    const { writeFile } = fsPromises;
    const owned = () => readdirSync(join(folder, 'owner')).sort();
    let room = 3;
    fsPromises.writeFile = async (...args: Parameters<typeof writeFile>) => {
      if (owned().length > room) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      return writeFile(...args);
    };
    syncBuiltinESMExports();
    try {
      room = 1;
      await assert.rejects(elect(folder), { code: 'ENOSPC' });
      assert.deepEqual(owned(), ['2']);
      room = 2;
      const listener = await elect(folder);
      assert.ok(listener);
      assert.deepEqual(owned(), ['2', '3']);
      await listener.close();
    } finally {
      fsPromises.writeFile = writeFile;
      syncBuiltinESMExports();
    }
  });

  it('L3 a damaged record is a dead owner', async () => {
    for (const [index, text] of [
      '',
      '{',
      '{"socket":1}',
      'x'.repeat(10_000),
      '{"socket":"/x","token":"AA"}',
    ].entries()) {
      const folder = join(home.path, `damaged${index}`);
      mkdirSync(join(folder, 'owner', '1'), { recursive: true });
      writeFileSync(join(folder, 'owner', '1', 'record'), text);
      const listener = await elect(folder);
      assert.ok(listener, text);
      await listener.close();
    }
  });

  it('L3 whoever else has taken the names of the folders for sockets keeps nobody from opening his store', async function () {
    if (process.platform === 'win32') return this.skip();
    const folder = join(home.path, 'squatted');
    const { getuid } = process;
    // As if each of them belonged to somebody else.
    const nobody = 4_242_424;
    process.getuid = () => nobody;
    try {
      const listener = (await elect(folder))!;
      const place = statSync(dirname(listener.path));
      assert.deepEqual([place.uid, place.mode & 0o777], [getuid!(), 0o700]);
      const dialled = await dial((await newestRecord(folder))!.record!, 5_000);
      assert.equal(dialled.state, 'open');
      await listener.close();
      assert.equal(existsSync(dirname(listener.path)), false, 'it is gone with its owner');
    } finally {
      process.getuid = getuid!;
      for (const each of new Set([tmpdir(), '/tmp', process.env['XDG_RUNTIME_DIR'] ?? '/tmp']))
        rmSync(join(each, `coterie-${nobody}`), { recursive: true, force: true });
    }
  });

  it('the token is for this person alone', async function () {
    if (process.platform === 'win32') return this.skip();
    const folder = join(home.path, 'modes');
    const listener = await elect(folder);
    assert.ok(listener);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder, 'owner', '1')).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder, 'owner', '1', 'record')).mode & 0o777, 0o600);
    assert.equal(statSync(join(listener.path, '..')).mode & 0o777, 0o700);
    assert.ok(Buffer.byteLength(listener.path) <= 103);
    await listener.close();
  });
});

async function leaveDeadOwner(folder: string, generation: number): Promise<void> {
  await publishRecord(folder, generation, { socket: join(folder, 'nobody'), token: newToken() });
}
