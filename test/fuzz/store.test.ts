/**
 * What a disk gives back: readers of store/. Everything on it is under the store's key, so what opens is ours; the attacker here is a disk
 * that flips, cuts, moves and invents bytes, or somebody who writes into the folder without the key.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { fromHex, toHex } from '../../src/base/bytes.ts';
import type { ChunkId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { DiskError } from '../../src/store/disk.ts';
import { unlock } from '../../src/store/header.ts';
import { deriveKeys } from '../../src/store/keys.ts';
import { claimFolder } from '../../src/store/lock.ts';
import { entriesIn, ENTRY_HEAD_BYTES, EntryKind, readEntry, writeEntry } from '../../src/store/pack.ts';
import { FileKind, packEntries, Purpose, Sealer, unpackEntries } from '../../src/store/record.ts';
import { HEADER_BYTES, readFence, readHeader, writeFence, writeHeader } from '../../src/store/segment.ts';
import { readSnapshot, writeSnapshot } from '../../src/store/snapshot.ts';
import { StoreError } from '../../src/sync/ports.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { FOLDER, KEY, openOn } from '../store/places.ts';
import { attack, bounded, fixed, TIMEOUT_MS } from './attack.ts';
import { changedBytes } from './mutations.ts';

const crypto = nodeCrypto(seededRandom('fuzz store'));
const bytesOf = (length: number) => crypto.randomBytes(length);
const keys = deriveKeys(crypto, KEY, bytesOf(16));
const sealer = new Sealer(crypto, keys);
const place = { kind: FileKind.journal, generation: 3, number: 7 } as const;
const ENTRIES = [bytesOf(0), bytesOf(1), bytesOf(300)];
const PLAINS = [
  packEntries(Purpose.entries, ENTRIES, 9),
  packEntries(Purpose.entries, []),
  writeFence(
    [place].map((one) => ({ ...one, length: 90 })),
    true,
  ),
];
const RECORDS = PLAINS.map((plain) => sealer.seal(place, 0, plain));
const isOurs = (plain: Uint8Array) => PLAINS.some((ours) => toHex(ours) === toHex(plain));

attack({
  name: 'L1 a record',
  valid: RECORDS,
  opaque: true,
  runs: 600,
  read: (bytes) => {
    const opened = sealer.open(place, bytes, 0);
    if (!opened) return undefined;
    assert.ok(isOurs(opened.plain));
    unpackEntries(opened.plain);
    readFence(opened.plain);
    return true;
  },
});

describe('L1 records in a row', function () {
  this.timeout(TIMEOUT_MS);

  it('L1 what is damaged is passed over, what is whole is found, and every byte is one or the other', () => {
    const first = sealer.seal(place, 0, PLAINS[0]!);
    const second = sealer.seal(place, first.length, PLAINS[1]!);
    const check = fc.property(changedBytes([Uint8Array.from([...first, ...second])]), (bytes) => {
      bounded(bytes.length, () => {
        let at = 0;
        for (const stretch of sealer.read(place, bytes, 0)) {
          assert.ok(stretch.offset === at && stretch.end > at);
          at = stretch.end;
          if (stretch.kind === 'record') assert.ok(isOurs(stretch.plain));
        }
        assert.equal(at, bytes.length);
      });
    });
    fc.assert(check, fixed(51));
  });
});

attack({
  name: 'L1 the header of a file',
  valid: [writeHeader(crypto, keys, place)],
  opaque: true,
  read: (bytes) => {
    const generation = readHeader(crypto, keys, place.kind, place.number, bytes);
    if (generation === undefined) return undefined;
    assert.equal(generation, place.generation);
    // Records follow a header.
    return bytes.length > HEADER_BYTES ? true : writeHeader(crypto, keys, place);
  },
});

const CHUNK = toHex(bytesOf(32)) as ChunkId;

attack({
  name: 'L2 an entry of a pack',
  valid: [writeEntry(EntryKind.chunk, CHUNK, bytesOf(200)), writeEntry(EntryKind.removal, CHUNK, bytesOf(0))],
  opaque: true,
  read: (bytes) => {
    for (const entry of entriesIn(bytes, false).entries) assert.ok(entry.end <= bytes.length);
    const entry = readEntry(bytes, 0);
    if (!entry) return undefined;
    assert.equal(fromHex(entry.id)?.length, 32);
    return entry.end < bytes.length ? true : writeEntry(entry.kind, entry.id, bytes.slice(ENTRY_HEAD_BYTES, entry.end));
  },
});

// ---- whole files ---------------------------------------------------------------------------------------------------------

/** A store with two openings behind it, a snapshot, a segment after it, and small chunks; what was appended, in order. */
async function wroteStore(): Promise<{ readonly disk: MemoryDisk; readonly appended: readonly string[] }> {
  const disk = new MemoryDisk();
  const appended = Array.from({ length: 12 }, (_, i) => toHex(bytesOf(20 + i)));
  const first = await openOn(disk.mount());
  await first.log.replay(() => undefined);
  for (const record of appended.slice(0, 4)) await first.log.append([fromHex(record)!]);
  await first.log.compact(appended.slice(0, 4).map((record) => fromHex(record)!));
  for (const record of appended.slice(4, 8)) await first.log.append([fromHex(record)!]);
  await first.chunks.put(CHUNK, bytesOf(500));
  await first.chunks.sync();
  await first.close();
  const second = await openOn(disk.mount());
  await second.log.replay(() => undefined);
  await second.log.append(appended.slice(8).map((record) => fromHex(record)!));
  await second.close();
  return { disk, appended };
}

describe('L1 a store in which one file was changed', function () {
  this.timeout(TIMEOUT_MS);

  for (const pattern of [/\.journal$/, /\.snapshot$/, /\.pack$/, /\/store(\.copy)?$/]) {
    it(`L1 opens with what was appended and nothing else, or says why not: ${pattern.source}`, async () => {
      const { disk, appended } = await wroteStore();
      const paths = disk.paths(pattern);
      assert.ok(paths.length > 0, 'there is no such file: the check was empty');
      const files = paths.map((path) => disk.peek(path));
      const everything = disk.paths();
      const contents = everything.map((path) => disk.peek(path));
      let opened = 0;
      const change = fc
        .nat({ max: paths.length - 1 })
        .chain((at) => changedBytes([files[at]!]).map((bytes) => ({ path: paths[at]!, bytes })));
      const check = fc.asyncProperty(change, async ({ path, bytes }) => {
        const worn = new MemoryDisk();
        await worn.makeFolder(FOLDER);
        everything.forEach((name, i) => worn.poke(name, name === path ? bytes : contents[i]!));
        const records: string[] = [];
        try {
          const store = await openOn(worn.mount());
          await store.log.replay((record) => records.push(toHex(record)));
          const chunk = await store.chunks.get(CHUNK);
          assert.ok(chunk === undefined || chunk.length === 500);
          await store.close();
        } catch (error) {
          if (!(error instanceof StoreError)) throw error;
          return;
        }
        opened++;
        assert.ok(records.every((record) => appended.includes(record)));
        assert.deepEqual(
          records,
          appended.filter((record) => records.includes(record)),
        );
      });
      await fc.assert(check, fixed(52, 120));
      assert.ok(opened > 0, 'it never opened: the check was empty');
    });
  }

  it('L1 a snapshot is whole or says that it is not', async () => {
    const disk = new MemoryDisk();
    await disk.makeFolder(FOLDER);
    const snapshotPlace = { ...place, kind: FileKind.snapshot };
    await writeSnapshot(disk, FOLDER, crypto, keys, sealer, snapshotPlace, [PLAINS[0]!, PLAINS[1]!]);
    const bytes = disk.peek(disk.paths(/\.snapshot$/)[0]!);
    assert.equal((await readSnapshot(crypto, keys, sealer, place.number, bytes)).whole, true);
    const check = fc.asyncProperty(changedBytes([bytes]), async (changed) => {
      const { whole, packed } = await readSnapshot(crypto, keys, sealer, place.number, changed);
      assert.equal(whole, toHex(changed) === toHex(bytes));
      assert.ok(packed.every(isOurs));
    });
    await fc.assert(check, fixed(53));
  });

  it('I2 the header of a store is read, or it is told why not', async () => {
    const { disk } = await wroteStore();
    const header = disk.peek(`${FOLDER}/store`);
    const check = fc.asyncProperty(changedBytes([header]), fc.boolean(), async (bytes, both) => {
      const worn = new MemoryDisk();
      await worn.makeFolder(FOLDER);
      worn.poke(`${FOLDER}/store`, bytes);
      if (both) worn.poke(`${FOLDER}/store.copy`, bytes);
      try {
        const found = await unlock(worn, FOLDER, crypto, KEY);
        assert.deepEqual(found?.storeId, header.slice(12, 28));
      } catch (error) {
        assert.ok(error instanceof StoreError);
      }
    });
    await fc.assert(check, fixed(54));
  });
});

describe('L3 a folder with files that are called like locks', function () {
  this.timeout(TIMEOUT_MS);

  it('L3 is claimed, or has an owner: no name is met with anything else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coterie-lock-'));
    try {
      const claim = await claimFolder(folder, {});
      // The host and the boot of this very machine: the rest of a name counts only beside them.
      const [, host, boot, own, start] = (await readdir(folder))[0]!.split('-');
      await claim.release();
      const part = fc.constantFrom(
        '',
        '0',
        '1',
        'deadbeef',
        '9999999999',
        't1',
        't99999999999999999999',
        '-',
        'ü',
        '%00',
        '..',
        ' ',
      );
      const name = fc.oneof(
        fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => `lock-${parts.join('-')}`),
        fc
          .tuple(
            fc.constantFrom(own, '0', '1', '9999999999', '4294967295'),
            fc.constantFrom(start, 't0', '0', '9'.repeat(20)),
          )
          .map(([pid, started]) => `lock-${host}-${boot}-${pid}-${started}-0-00000000`),
      );
      const check = fc.asyncProperty(fc.array(name, { maxLength: 3 }), async (names) => {
        const place = join(folder, 'place');
        await mkdir(place);
        for (const one of names) await writeFile(join(place, one), '');
        try {
          await (await claimFolder(place, {})).release();
          assert.deepEqual(await readdir(place), []);
        } catch (error) {
          assert.ok(error instanceof DiskError && error.code === 'inUse', String(error));
        } finally {
          await rm(place, { recursive: true });
        }
      });
      await fc.assert(check, fixed(55, 100));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
