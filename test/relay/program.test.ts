import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRelayAddress } from '../../src/protocol/relay-address.ts';
import { Code } from '../../src/protocol/relay-messages.ts';
import { crypto, Device, person } from './device.ts';
import { Program } from './program.ts';

describe('relay: the program', function () {
  this.timeout(30_000);
  const alice = person('Alice Liddell');
  const bob = person('Bob Sawyer');
  let folder: string;
  let running: Program[];
  const start = (args: readonly string[] = [], shell?: string) => {
    const program = new Program(['--host', '127.0.0.1', '--port', '0', '--data', folder, ...args], shell);
    running.push(program);
    return program;
  };
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'coterie-relay-')), 'data');
    running = [];
  });
  afterEach(async () => {
    for (const program of running) {
      program.child.kill('SIGKILL');
      await program.exited;
    }
    rmSync(join(folder, '..'), { recursive: true, force: true });
  });

  it('R6 one command: says what to put into the setting, and ends by a signal', async () => {
    const program = start();
    const address = await program.ready();
    assert.match(program.out, /"coterie.relay"/);
    assert.match(program.out, /^relay listening on 127\.0\.0\.1:\d+$/m);
    const device = await Device.member(alice, address);
    program.child.kill('SIGTERM');
    assert.equal(await program.exited, 0);
    assert.match(program.out, /relay stopped\n$/);
    assert.equal(program.errors, '');
    await device.closed;
  });

  it('R6 keeps its key and token between runs, readable by nobody else', async () => {
    const first = start();
    const before = readRelayAddress(await first.ready())!;
    first.child.kill('SIGINT');
    assert.equal(await first.exited, 0);
    for (const name of ['relay.key', 'registration-token', 'relay.db'])
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
    const print = new Program([
      '--data',
      folder,
      '--port',
      '4711',
      '--public-host',
      'relay.example.org',
      '--print-address',
    ]);
    assert.equal(await print.exited, 0);
    const lines = print.out.trimEnd().split('\n');
    assert.deepEqual(readRelayAddress(lines[0]!), { ...before, host: 'relay.example.org', port: 4711 });
    assert.ok(
      lines.every((line) => readRelayAddress(line)),
      'addresses and nothing else',
    );
  });

  it('R1 R6 kill -9 right after an acknowledged submit: the message is there', async () => {
    const first = start();
    const address = await first.ready();
    await (await Device.member(bob, address)).end();
    const atAlice = await Device.member(alice, address);
    const last = Array.from({ length: 50 }, (_, i) => atAlice.submit([bob], `message ${i}`));
    assert.deepEqual(await last.at(-1), [Code.ok]);
    first.child.kill('SIGKILL');
    await first.exited;

    const atBob = await Device.subscriber(bob, await start().ready());
    const bodies = await atBob.bodies(50);
    assert.deepEqual(
      bodies,
      Array.from({ length: 50 }, (_, i) => `message ${i}`),
    );
    await atBob.end();
  });

  it('R1 kill -9 right after an ack was answered: it is not delivered again', async () => {
    const first = start();
    const address = await first.ready();
    const atBob = await Device.subscriber(bob, address);
    const atAlice = await Device.member(alice, address);
    await atAlice.submit([bob], 'one');
    await atAlice.submit([bob], 'two');
    await atBob.until(2);
    assert.equal(await atBob.code({ type: 'ack', position: 1 }), Code.ok);
    first.child.kill('SIGKILL');
    await first.exited;
    const again = await Device.subscriber(bob, await start().ready());
    assert.deepEqual(await again.bodies(1), ['two']);
    await again.end();
  });

  it('R7 a disk that fails: acknowledges no more, says so in one line, exits; what was acknowledged is kept', async function () {
    if (process.platform === 'win32') this.skip();
    // No file may grow beyond 2 MB: to the program that is a write error of the disk (EFBIG).
    const program = start([], 'ulimit -f 2048');
    const address = await program.ready();
    await (await Device.member(bob, address)).end();
    const atAlice = await Device.member(alice, address);
    let kept = 0;
    await assert.rejects(async () => {
      for (;;) {
        assert.deepEqual(await atAlice.submit([bob], Buffer.alloc(100_000, 'x')), [Code.ok]);
        kept++;
      }
    }, /closed before the answer/);
    assert.equal(await program.exited, 1);
    assert.match(program.errors, /^relay stopped: the disk failed \(.*\)\. .*\n$/);
    assert.ok(kept > 0);
    const atBob = await Device.subscriber(bob, await start().ready());
    await atBob.until(kept);
    await atBob.end();
  });

  it('R5 the disk shows no plaintext, no name and no address; after the ack, nothing of the message', async () => {
    const program = start();
    const address = await program.ready();
    const atBob = await Device.subscriber(bob, address);
    const atAlice = await Device.member(alice, address);
    const secret = 'as it was submitted: sealed, in real life';
    const id = crypto.randomBytes(16);
    await atAlice.submit([bob], secret, { id });
    const [notice] = await atBob.until(1);
    const holds = (what: string | Uint8Array) =>
      filesIn(folder).filter((file) =>
        readFileSync(file).includes(typeof what === 'string' ? what : Buffer.from(what)),
      );
    assert.notDeepEqual(holds(secret), [], 'or the search is in vain');
    for (const name of ['Alice', 'Liddell', 'Bob Sawyer', '127.0.0.1', address, bob.certificate.bytes]) {
      assert.deepEqual(holds(name), [], String(name));
    }
    assert(notice?.type === 'deliver');
    assert.equal(await atBob.code({ type: 'ack', position: notice.position }), Code.ok);
    // While it runs: the log is emptied as soon as nothing is to do.
    if (holds(secret).length > 0) for await (const _change of watch(folder)) if (holds(secret).length === 0) break;
    assert.deepEqual(holds(id), []);
    program.child.kill('SIGTERM');
    await program.exited;
    assert.deepEqual([holds(secret), holds(id)], [[], []]);
    assert.doesNotMatch(program.out + program.errors, /Alice|Bob/);
    await atBob.closed;
    await atAlice.closed;
  });

  it('says in a sentence what is wrong, and exits with 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const expect = async (program: Program, sentence: RegExp) => {
      running.push(program);
      assert.equal(await program.exited, 1);
      assert.match(program.errors, sentence);
      assert.doesNotMatch(program.errors, /\n {4}at /, 'no stack trace');
    };
    await expect(
      new Program(['--host', '127.0.0.1', '--port', String(port), '--data', folder]),
      new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is in use\\.`),
    );
    taken.close();
    await expect(new Program(['--port', '70000']), /^--port 70000 is not a port/);
    await expect(new Program(['--prot', '1']), /Unknown option '--prot'/);
    await expect(new Program(['--public-host', 'no host/name', '--data', folder]), /^no host\/name is not a host name/);
    await expect(
      new Program(['--host', '192.0.2.1', '--port', '0', '--data', folder]),
      /this machine has no such address/,
    );

    const first = start();
    await first.ready();
    await expect(start(), /^Another relay is using the data folder /);
    first.child.kill('SIGTERM');
    await first.exited;

    writeFileSync(join(folder, 'relay.key'), 'rubbish');
    await expect(start(), /relay\.key is damaged\. .* will not replace it/);
    assert.equal(readFileSync(join(folder, 'relay.key'), 'utf8'), 'rubbish');
    rmSync(join(folder, 'relay.key'));
    for (const name of readdirSync(folder)) if (name.startsWith('relay.db')) rmSync(join(folder, name));
    writeFileSync(join(folder, 'relay.db'), 'this is no database, however long it may be read for one'.repeat(100));
    await expect(start(), /^The relay cannot use its data folder .*not a database/);
    assert.ok(existsSync(join(folder, 'relay.key')));
  });
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
