/** The store as a whole: whose it is, what opens it, and what a stranger finds in its folder. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, watch, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ChunkId } from '../../src/base/ids.ts';
import { removeClaimsOf } from '../../src/store/lock.ts';
import { nodeDisk } from '../../src/store/node-disk.ts';
import { storeExists, type Store } from '../../src/store/store.ts';
import { StoreError } from '../../src/sync/ports.ts';
import { chunk } from '../contract/chunk-store.ts';
import { hexOf, record, replayed } from '../contract/log-store.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { crypto, FOLDER, KEY, openOn } from './places.ts';

const withCode = (code: StoreError['code']) => (error: unknown) => error instanceof StoreError && error.code === code;

describe('store', () => {
  let disk: MemoryDisk;
  beforeEach(() => {
    disk = new MemoryDisk();
  });

  async function filled(): Promise<void> {
    const store = await openOn(disk);
    await store.log.replay(() => undefined);
    await store.log.append([record('kept')]);
    await store.close();
  }
  async function contents(): Promise<string[]> {
    const store = await openOn(disk);
    const { records } = await replayed(store.log);
    await store.close();
    return records;
  }
  const snapshot = (): string => JSON.stringify(disk.paths().map((path) => [path, Array.from(disk.peek(path))]));

  it('is there once it was opened', async () => {
    assert.equal(await storeExists(FOLDER, disk), false);
    await filled();
    assert.equal(await storeExists(FOLDER, disk), true);
  });

  it('K2 K4 keeps what damage has set aside until two snapshots were written since, and no longer: it may hold what was erased', async () => {
    await filled();
    const [segment] = disk.paths(/\.journal$/);
    const bytes = Uint8Array.from(disk.peek(segment!));
    await filled();
    bytes[bytes.length - 1]! ^= 1;
    disk.poke(segment!, bytes);
    const setAside = () => disk.paths(/quarantine/).length;
    const openings: number[] = [];
    for (let n = 0; n < 3; n++) {
      const store = await openOn(disk);
      openings.push(setAside());
      await store.log.replay(() => undefined);
      if (n > 0) await store.log.compact([record('kept')]);
      if (n > 0) await store.log.compact([record('kept')]);
      await store.close();
    }
    const left = setAside();
    await (await openOn(disk)).close();
    assert.deepEqual([...openings, left, setAside()], [0, 1, 0, 0, 0]);
    assert.deepEqual(await contents(), hexOf('kept'));
  });

  it('I2 is locked to a wrong or missing key, and is not changed by the attempt', async () => {
    await filled();
    const before = snapshot();
    for (const key of [seededRandom('wrong')(32), new Uint8Array(0), KEY.slice(0, 31), new Uint8Array(32)]) {
      await assert.rejects(openOn(disk, FOLDER, key), withCode('locked'));
    }
    assert.equal(snapshot(), before);
    assert.deepEqual(await contents(), hexOf('kept'));
  });

  it('I2 is not begun without a key', async () => {
    await assert.rejects(openOn(disk, FOLDER, new Uint8Array(16)), withCode('locked'));
    assert.equal(await storeExists(FOLDER, disk), false);
  });

  it('says that it is newer, and is not changed', async () => {
    await filled();
    for (const name of ['store', 'store.copy']) {
      const header = disk.peek(`${FOLDER}/${name}`);
      const newer = Buffer.concat([header, new Uint8Array(10)]);
      newer[8] = 7;
      disk.poke(`${FOLDER}/${name}`, newer);
    }
    const before = snapshot();
    await assert.rejects(openOn(disk), withCode('newer'));
    assert.equal(snapshot(), before);
  });

  it('mends a damaged header from its copy, and the copy from it', async () => {
    await filled();
    for (const name of ['store', 'store.copy']) {
      for (let offset = 0; offset < 64; offset++) {
        const sound = disk.peek(`${FOLDER}/${name}`);
        disk.flipBit(`${FOLDER}/${name}`, offset, offset % 8);
        assert.deepEqual(await contents(), hexOf('kept'), `${name} at ${offset}`);
        assert.deepEqual(disk.peek(`${FOLDER}/${name}`), sound);
      }
    }
  });

  it('opens by its copy where the disk cannot read the header, and mends it', async () => {
    await (await openOn(disk)).close();
    for (const name of ['store', 'store.copy']) {
      disk.fail({ on: 'read', path: new RegExp(`${FOLDER}/${name}$`) });
      await (await openOn(disk)).close();
    }
    disk.fail({ on: 'read', path: /store\/store/, times: 2 });
    await assert.rejects(openOn(disk), withCode('io'));
    await (await openOn(disk)).close();
  });

  it('with both headers damaged or gone says so, and is never begun anew over what is there', async () => {
    await filled();
    const names = ['store', 'store.copy'].map((name) => `${FOLDER}/${name}`);
    for (const name of names) disk.flipBit(name, 30);
    await assert.rejects(openOn(disk), withCode('damaged'));
    for (const name of names) await disk.remove(name);
    const before = snapshot();
    await assert.rejects(openOn(disk), withCode('damaged'));
    assert.equal(snapshot(), before);
  });

  it('survives a crash in its first moments', async () => {
    for (let seed = 0; seed < 40; seed++) {
      disk = new MemoryDisk();
      const opening = openOn(disk.mount());
      opening.catch(() => undefined);
      for (let turns = 0; turns < seed * 3; turns++) await Promise.resolve();
      disk.crash(seededRandom(seed));
      await opening.catch(() => undefined);
      assert.deepEqual(await contents(), []);
    }
  });

  it('an opening that fails for the disk leaves no claim behind', async () => {
    disk.fail({ on: 'read' });
    await assert.rejects(openOn(disk), withCode('io'));
    disk.space = 0;
    await assert.rejects(openOn(disk), withCode('diskFull'));
    disk.space = Infinity;
    assert.deepEqual(await contents(), []);
  });

  it('opens though something that is left over cannot be removed', async () => {
    await filled();
    for (const name of ['log/00000009.tmp', 'chunks/new/left']) disk.poke(`${FOLDER}/${name}`, new Uint8Array(9));
    disk.fail({ on: 'remove', times: Infinity });
    assert.deepEqual(await contents(), hexOf('kept'));
    disk.faults.length = 0;
    assert.deepEqual(await contents(), hexOf('kept'));
    assert.deepEqual(disk.paths(/tmp|left/), []);
  });

  it('L3 has one owner at a time', async () => {
    const store = await openOn(disk);
    await assert.rejects(openOn(disk), withCode('inUse'));
    await store.close();
    await (await openOn(disk)).close();
  });
});

describe('store on the real disk', () => {
  let folder: string;
  let store: Store | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coterie-store-'));
  });
  afterEach(async () => {
    await store?.close();
    store = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  const locks = async () => (await readdir(folder)).filter((name) => name.startsWith('lock-')).sort();

  it('L1 L2 holds no plaintext, name or key, in contents or file names', async () => {
    const secrets = ['Apollo', 'Alice Example', 'The launch is on Tuesday.', 'src/guidance/landing.ts'];
    store = await openOn(nodeDisk(), folder);
    await store.log.replay(() => undefined);
    for (const secret of secrets) await store.log.append([record(secret), record(secret.repeat(30))]);
    await store.log.compact(secrets.map((secret) => record(`state of ${secret}`)));
    await store.log.append(secrets.map(record));
    // Chunks arrive as ciphertext: what the store must not add is a plain name.
    for (const secret of secrets) {
      const nonce = crypto.randomBytes(24);
      const sealed = crypto.seal(KEY, nonce, record(secret.repeat(1 + 4000 * (secret.length % 2))), new Uint8Array(0));
      await store.chunks.put(Buffer.from(crypto.sha256(nonce)).toString('hex') as ChunkId, sealed);
    }
    await store.chunks.sync();
    await store.close();
    store = undefined;

    const needles = [...secrets.map((secret) => Buffer.from(secret)), Buffer.from(KEY)];
    let searched = 0;
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const haystack = Buffer.concat([
        Buffer.from(entry.name),
        entry.isFile() ? await readFile(path) : Buffer.alloc(0),
      ]);
      searched += haystack.length;
      for (const needle of needles) {
        for (const form of [needle, Buffer.from(needle.toString('hex')), Buffer.from(needle.toString('base64'))]) {
          assert.equal(haystack.includes(form), false, `${needle.toString()} lies open`);
        }
      }
    }
    assert.ok(searched > 10_000);
  });

  it('L1 comes back after the process was killed in the middle of writing', async function () {
    this.timeout(30_000);
    const source = `
      import { openStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/store.ts'))};
      import { nodeCrypto } from ${JSON.stringify(join(import.meta.dirname, '../../src/crypto/node/crypto.ts'))};
      const key = Uint8Array.from(Buffer.from('${Buffer.from(KEY).toString('hex')}', 'hex'));
      const store = await openStore({ folder: process.argv[1], key, crypto: nodeCrypto() });
      await store.log.replay(() => undefined);
      for (let i = 0; ; i++) {
        await store.log.append([new TextEncoder().encode('record ' + i)]);
        process.stdout.write(i + '\\n');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      if (said.split('\n').length > 100) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const acknowledged = Number(said.trimEnd().split('\n').at(-1)) + 1;
    assert.ok(acknowledged >= 100);
    // Its lock is still there, and nobody holds it.
    assert.equal((await locks()).length, 1);
    store = await openOn(nodeDisk(), folder);
    const { records, report } = await replayed(store.log);
    assert.ok(records.length >= acknowledged && records.length <= acknowledged + 1);
    assert.deepEqual(records, hexOf(...records.map((_, i) => `record ${i}`)));
    assert.equal(report.quarantined, 0);
  });

  it('L3 is refused to another living process', async function () {
    this.timeout(30_000);
    const source = `
      import { nodeDisk } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/node-disk.ts'))};
      await nodeDisk().claim(process.argv[1]);
      process.stdout.write('held');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await assert.rejects(openOn(nodeDisk(), folder), withCode('inUse'));
    const [its] = await locks();
    // Whatever its number there, a thread of another process is none of ours.
    await removeClaimsOf(folder, Number(its!.split('-')[5]));
    await assert.rejects(openOn(nodeDisk(), folder), withCode('inUse'));
    child.kill('SIGKILL');
    await once(child, 'close');
    store = await openOn(nodeDisk(), folder);
  });

  it('L3 of a thread that ended is freed by who has seen it end, while others wait for it', async () => {
    const source = `
      import { nodeDisk } from ${JSON.stringify(new URL('../../src/store/node-disk.ts', import.meta.url).href)};
      import { parentPort, workerData } from 'node:worker_threads';
      await nodeDisk().claim(workerData);
      parentPort.postMessage('held');
      setInterval(() => undefined, 1000);`;
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    const worker = new Worker(url, { workerData: folder });
    const { threadId } = worker;
    await once(worker, 'message');
    await removeClaimsOf(folder, threadId + 1);
    await assert.rejects(openOn(nodeDisk(), folder), withCode('inUse'));
    await worker.terminate();
    // By its name alone nobody can tell.
    await assert.rejects(openOn(nodeDisk(), folder), withCode('inUse'));
    const [its] = await locks();
    const changes = watch(folder);
    const opening = openOn(nodeDisk({ patience_ms: 60_000 }), folder);
    // It has made its own lock, and has stepped back: it waits.
    let steps = 0;
    for await (const { filename } of changes)
      if (filename?.startsWith('lock-') && filename !== its && ++steps === 2) break;
    await removeClaimsOf(folder, threadId);
    store = await opening;
    // What lives is left alone, whoever it is that has ended.
    await removeClaimsOf(folder, threadId);
    await assert.rejects(openOn(nodeDisk(), folder), withCode('inUse'));
    assert.equal((await locks()).length, 1);
  });

  it('L3 an ended thread frees nothing of another process, start, boot or host', async () => {
    const own = await nodeDisk().claim(folder);
    const [mine] = await locks();
    const [, host, boot, pid, start, thread, token] = mine!.split('-');
    await own.release();
    const others = [
      `lock-00000000-${boot}-${pid}-${start}-${thread}-${token}`,
      `lock-${host}-00000000-${pid}-${start}-${thread}-${token}`,
      `lock-${host}-${boot}-4194305-${start}-${thread}-${token}`,
      `lock-${host}-${boot}-${pid}-t1-${thread}-${token}`,
      `lock-${host}-${boot}-${pid}-${start}-${Number(thread) + 1}-${token}`,
    ];
    for (const name of [...others, mine!]) await writeFile(join(folder, name), '');
    await removeClaimsOf(folder, Number(thread));
    assert.deepEqual(await locks(), others.sort());
  });

  it('L3 locks of the dead are removed: another start of the process, another boot, a silent host', async () => {
    await (await openOn(nodeDisk(), folder)).close();
    const own = await nodeDisk().claim(folder);
    const [mine] = await locks();
    await own.release();
    const [, host, boot, pid, start, thread, token] = mine!.split('-');
    const dead = [
      `lock-${host}-${boot}-${pid}-t1-${thread}-00000000`,
      `lock-${host}-00000000-${pid}-${start}-${thread}-${token}`,
      `lock-${host}-${boot}-4194305-${start}-0-${token}`,
      'lock-nonsense',
    ];
    for (const name of dead) await writeFile(join(folder, name), '');
    const silent = join(folder, `lock-00000000-${boot}-${pid}-${start}-${thread}-${token}`);
    await writeFile(silent, '');
    await assert.rejects(openOn(nodeDisk(), folder), withCode('inUse'), `${hostname()} is not the only host`);
    await utimes(silent, new Date(0), new Date(0));
    store = await openOn(nodeDisk(), folder);
    assert.equal((await locks()).length, 1);
    const { id, bytes } = chunk(10);
    await store.chunks.put(id, bytes);
  });
});
