/** The journal where the disk tears, fills up, flips bits and lies. */
import assert from 'node:assert/strict';
import { deriveKeys } from '../../src/store/keys.ts';
import { Journal, type JournalReport } from '../../src/store/journal.ts';
import { FileKind, HEAD_BYTES, packEntries, Purpose, Sealer } from '../../src/store/record.ts';
import { HEADER_BYTES, SEGMENT_BYTES } from '../../src/store/segment.ts';
import { NOTHING_KEPT, StoreError } from '../../src/sync/ports.ts';
import { hexOf, record } from '../contract/log-store.ts';
import { LONG_RUN_FACTOR } from '../fakes/long-run.ts';
import { MemoryDisk } from '../fakes/memory-disk.ts';
import { seededBelow, seededRandom } from '../fakes/seeded-random.ts';
import { concatBytes, toHex } from '../../src/base/bytes.ts';
import { crypto, FOLDER, KEY } from './places.ts';

const keys = deriveKeys(crypto, KEY, seededRandom('store id')(16));
const withCode = (code: StoreError['code']) => (error: unknown) => error instanceof StoreError && error.code === code;
const segmentsOf = (disk: MemoryDisk): string[] => disk.paths(/\.journal$/);
const lastSegment = (disk: MemoryDisk): string => segmentsOf(disk).at(-1)!;

interface Opened {
  readonly log: Journal;
  readonly records: string[];
  readonly report: JournalReport;
}

async function open(disk: MemoryDisk, folder = FOLDER): Promise<Opened> {
  const mounted = disk.mount();
  await mounted.makeFolder(folder);
  const log = new Journal(mounted, folder, crypto, keys);
  const records: string[] = [];
  const report = await log.replay((bytes) => records.push(toHex(bytes)));
  return { log, records, report };
}

function copyOf(disk: MemoryDisk): MemoryDisk {
  const copy = new MemoryDisk();
  for (const path of disk.paths()) copy.poke(path, disk.peek(path));
  return copy;
}

describe('journal', () => {
  let disk: MemoryDisk;
  beforeEach(() => {
    disk = new MemoryDisk();
  });

  describe('group commit', () => {
    it('L1 calls that arrive during an fsync share the next one, in one write', async () => {
      const { log } = await open(disk);
      const gate = disk.holdSyncs();
      const first = log.append([record('first')]);
      await gate.reached;
      const { writes, syncs } = disk;
      const more = Array.from({ length: 100 }, (_, i) => log.append([record(`more ${i}`)]));
      gate.release();
      await Promise.all([first, ...more]);
      assert.equal(disk.writes - writes, 1);
      assert.equal(disk.syncs - syncs, 2);
    });

    it('L1 is not acknowledged before the fsync', async () => {
      const { log } = await open(disk);
      const gate = disk.holdSyncs();
      let acknowledged = false;
      const append = log.append([record('first')]).then(() => (acknowledged = true));
      await gate.reached;
      await new Promise(setImmediate);
      assert.equal(acknowledged, false);
      gate.release();
      await append;
    });

    it('L1 what is acknowledged survives a crash at once', async () => {
      const { log } = await open(disk);
      await log.append([record('acknowledged')]);
      disk.crash();
      assert.deepEqual((await open(disk)).records, hexOf('acknowledged'));
    });
  });

  describe('a torn tail', () => {
    it('L1 is cut, whatever its length, and what was acknowledged stays', async () => {
      const { log } = await open(disk);
      await log.append([record('kept')]);
      const path = lastSegment(disk);
      const kept = disk.peek(path).length;
      await log.append([record('torn'), record('with it')]);
      const whole = disk.peek(path);
      for (let length = kept; length < whole.length; length++) {
        const torn = new MemoryDisk();
        torn.poke(path, whole.slice(0, length));
        const { log, records, report } = await open(torn);
        assert.deepEqual(records, hexOf('kept'), `cut at ${length}`);
        assert.equal(report.cutBytes, length - kept);
        assert.equal(report.quarantined, 0);
        await log.append([record('new')]);
        torn.crash();
        const again = await open(torn);
        assert.deepEqual(again.records, hexOf('kept', 'new'));
        assert.equal(again.report.cutBytes, 0);
        assert.equal(again.report.lateBytes, 0);
      }
    });

    it('L1 of zeros, where the length reached the disk and the data did not, is cut', async () => {
      const { log } = await open(disk);
      await log.append([record('kept')]);
      const path = lastSegment(disk);
      disk.crash();
      disk.poke(path, Buffer.concat([disk.peek(path), new Uint8Array(4096)]));
      const { records, report } = await open(disk);
      assert.deepEqual(records, hexOf('kept'));
      assert.equal(report.cutBytes, 4096);
    });

    it('L1 of a commit that reached the disk with a hole, what follows the hole is cut too', async () => {
      const { log } = await open(disk);
      await log.append([record('kept')]);
      const path = lastSegment(disk);
      const kept = disk.peek(path).length;
      const records = [1, 2, 3].map((n) => new Uint8Array(50_000).fill(n));
      await Promise.all(records.map((one) => log.append([one])));
      const whole = disk.peek(path);
      for (const hole of [0, 1, 2]) {
        const holed = new MemoryDisk();
        holed.poke(path, whole.slice().fill(0, kept + hole * 50_100, kept + hole * 50_100 + 4096));
        const { records: read, report } = await open(holed);
        assert.deepEqual(read, [...hexOf('kept'), ...records.slice(0, hole).map(toHex)]);
        assert.deepEqual([report.quarantined, report.cutBytes > 0], [0, true]);
      }
      await log.append([record('a later commit')]);
      const holed = new MemoryDisk();
      holed.poke(path, disk.peek(path).fill(0, kept + 60_000, kept + 64_096));
      const { records: read, report } = await open(holed);
      assert.deepEqual(read, [...hexOf('kept'), toHex(records[0]!), toHex(records[2]!), ...hexOf('a later commit')]);
      assert.deepEqual([report.quarantined, report.cutBytes], [1, 0]);
    });

    it('L1 a segment torn in its own making is cut away, and its predecessor is whole', async () => {
      const { log } = await open(disk);
      await log.append([record('kept')]);
      disk.crash();
      await open(disk);
      const path = lastSegment(disk);
      const whole = disk.peek(path);
      for (let length = 0; length < whole.length; length += 7) {
        const torn = new MemoryDisk();
        for (const other of segmentsOf(disk)) torn.poke(other, disk.peek(other));
        torn.poke(path, whole.slice(0, length));
        const { records, report } = await open(torn);
        assert.deepEqual(records, hexOf('kept'), `cut at ${length}`);
        assert.equal(report.quarantined, 0);
      }
    });
  });

  describe('a damaged middle', () => {
    it('L1 any flipped bit loses at most the record it hits, which is set aside and reported', async () => {
      const { log } = await open(disk);
      const texts = ['alpha', 'beta', 'gamma', 'delta'];
      for (const text of texts) await log.append([record(text)]);
      await log.close();
      const whole = disk.peek(lastSegment(disk));
      const path = lastSegment(disk);
      for (let offset = 0; offset < whole.length; offset += 3) {
        const flipped = new MemoryDisk();
        flipped.poke(path, whole);
        flipped.flipBit(path, offset, offset % 8);
        const { records, report } = await open(flipped);
        const lost = hexOf(...texts).filter((text) => !records.includes(text));
        assert.ok(lost.length <= 1, `offset ${offset} lost ${lost.length}`);
        assert.deepEqual(
          records,
          hexOf(...texts).filter((text) => !lost.includes(text)),
        );
        assert.ok(report.quarantined === 1 || report.cutBytes > 0, `offset ${offset} was not reported`);
        if (report.quarantined > 0) assert.equal(flipped.paths(/quarantine/).length, 1);
        else assert.deepEqual(lost, hexOf('delta'));
      }
    });

    it('L1 at the beginning of the newest segment, after openings that wrote nothing, takes along what it hits alone', async () => {
      let { log } = await open(disk);
      await log.append([record('first')]);
      for (let opening = 0; opening < 5; opening++) {
        await log.close();
        ({ log } = await open(disk));
      }
      await log.append([record('second')]);
      await log.append([record('third')]);
      await log.close();
      const path = lastSegment(disk);
      const [whole, withinFence] = [disk.peek(path), HEADER_BYTES + 50];
      for (const until of [HEADER_BYTES, withinFence]) {
        disk.poke(path, whole.slice().fill(0, 0, until));
        const { records, report } = await open(copyOf(disk));
        assert.deepEqual(records, hexOf('first', 'second', 'third'), `zeros until ${until}`);
        assert.equal(report.cutBytes, 0);
        assert.ok(report.quarantined > 0);
      }
    });

    it('L1 in a segment that a later one fences is never taken for a torn tail', async () => {
      let { log } = await open(disk);
      await log.append([record('first')]);
      await log.append([record('second')]);
      await log.close();
      const path = lastSegment(disk);
      ({ log } = await open(disk));
      await log.append([record('third')]);
      await log.close();
      disk.flipBit(path, disk.peek(path).length - 1);
      const { records, report } = await open(disk);
      assert.deepEqual(records, hexOf('first', 'third'));
      assert.equal(report.quarantined, 1);
      assert.equal(report.cutBytes, 0);
    });

    it('L1 that the disk cannot read takes along what stands in it, is never cut, and may be read another time', async () => {
      const texts = ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(6000));
      const write = async (): Promise<void> => {
        const { log } = await open(disk);
        for (const text of texts) await log.append([record(text)]);
        await log.close();
      };
      await write();
      const newest = lastSegment(disk);
      const { length } = disk.peek(newest);
      for (const at of [10, 9000, 20_000, length - 1]) {
        for (const isFenced of [false, true]) {
          const failing = copyOf(disk);
          if (isFenced) {
            const { log } = await open(failing);
            await log.append([record('later')]);
            await log.close();
          }
          failing.fail({ on: 'read', path: new RegExp(newest), at, times: Infinity });
          const { records, report, log } = await open(failing);
          const lost = hexOf(...texts).filter((text) => !records.includes(text));
          assert.ok(lost.length > 0 || at < 4096, `at ${at}`);
          assert.ok(lost.length <= 2, `at ${at}: ${lost.length} lost`);
          assert.deepEqual([report.quarantined > 0, report.cutBytes], [true, 0], `at ${at}`);
          await log.append([record('new')]);
          await log.close();
          failing.faults.length = 0;
          assert.deepEqual((await open(failing)).records, hexOf(...texts, ...(isFenced ? ['later'] : []), 'new'));
        }
      }
    });

    it('L1 all of a segment that the disk cannot read may be read another time', async () => {
      const { log } = await open(disk);
      await log.append([record('all in one sector')]);
      await log.close();
      disk.fail({ on: 'read', path: new RegExp(lastSegment(disk)), times: Infinity });
      for (const text of ['one', 'two']) {
        const { log, records, report } = await open(disk);
        assert.deepEqual(records, text === 'one' ? [] : hexOf('one'));
        assert.deepEqual([report.quarantined > 0, report.cutBytes], [true, 0]);
        await log.append([record(text)]);
        await log.close();
      }
      disk.faults.length = 0;
      assert.deepEqual((await open(disk)).records, hexOf('all in one sector', 'one', 'two'));
    });

    it('L1 a segment that is gone, or too short, is reported', async () => {
      let { log } = await open(disk);
      await log.append([record('first')]);
      const length = disk.peek(lastSegment(disk)).length;
      await log.append([record('second')]);
      await log.close();
      const path = lastSegment(disk);
      ({ log } = await open(disk));
      await log.append([record('third')]);
      await log.close();
      disk.poke(path, disk.peek(path).slice(0, length));
      const short = await open(disk);
      assert.deepEqual(short.records, hexOf('first', 'third'));
      assert.equal(short.report.quarantined, 1);
      await short.log.close();
      await disk.remove(path);
      const gone = await open(disk);
      assert.deepEqual(gone.records, hexOf('third'));
      assert.equal(gone.report.quarantined, 1);
    });

    it('L1 a record of another place, segment or store does not open', async () => {
      const { log } = await open(disk);
      await log.append([record('one')]);
      const path = lastSegment(disk);
      const start = disk.peek(path).length;
      await log.append([record('two')]);
      await log.close();
      const bytes = disk.peek(path);
      const copied = bytes.slice(start);
      disk.poke(path, Buffer.concat([bytes, copied]));
      const { records, report } = await open(disk);
      assert.deepEqual(records, hexOf('one', 'two'));
      assert.equal(report.cutBytes, copied.length);
      const foreign = new MemoryDisk();
      foreign.poke(path, bytes);
      await foreign.makeFolder(FOLDER);
      const other = new Journal(foreign, FOLDER, crypto, deriveKeys(crypto, KEY, seededRandom('another')(16)));
      await other.replay(() => assert.fail('a record of another store was read'));
    });
  });

  describe('a full disk', () => {
    it('L1 says so, keeps everything, and goes on once there is space', async () => {
      const { log } = await open(disk);
      await log.append([record('before')]);
      for (const space of [0, 1, 20, 60, 400]) {
        disk.space = space;
        await assert.rejects(log.append([record('x'.repeat(1000))]), withCode('diskFull'));
      }
      disk.space = Infinity;
      await log.append([record('after')]);
      disk.crash();
      const { records, report } = await open(disk);
      assert.deepEqual(records, hexOf('before', 'after'));
      assert.deepEqual([report.cutBytes, report.quarantined, report.lateBytes], [0, 0, 0]);
    });

    it('L1 even where the partial write cannot be cut off', async () => {
      const { log } = await open(disk);
      await log.append([record('before')]);
      disk.fail({ on: 'write', path: /journal$/, code: 'full', partly: 30 });
      disk.fail({ on: 'truncate' });
      await assert.rejects(log.append([record('x'.repeat(1000))]), withCode('diskFull'));
      await log.append([record('after')]);
      disk.crash();
      const { records, report } = await open(disk);
      assert.deepEqual(records, hexOf('before', 'after'));
      assert.equal(report.quarantined, 0);
    });

    it('L1 and then nothing that was refused comes back', async () => {
      const { log } = await open(disk);
      await log.append([record('before')]);
      // Three records in one commit, of which two reach the disk whole.
      disk.fail({ on: 'write', path: /journal$/, code: 'full', partly: 250_000 });
      disk.fail({ on: 'truncate' });
      const refused = [1, 2, 3].map((n) => log.append([new Uint8Array(100_000).fill(n)]));
      for (const one of refused) await assert.rejects(one, withCode('diskFull'));
      await log.append([record('after')]);
      disk.killProcess();
      assert.deepEqual((await open(disk)).records, hexOf('before', 'after'));
    });

    it('L1 while a segment begins', async () => {
      const { log } = await open(disk);
      disk.fail({ on: 'sync', code: 'io' });
      await assert.rejects(log.append([record('lost')]), withCode('io'));
      disk.space = 10;
      await assert.rejects(log.append([record('no room')]), withCode('diskFull'));
      disk.space = Infinity;
      await log.append([record('after')]);
      disk.crash();
      assert.deepEqual((await open(disk)).records, hexOf('after'));
    });

    it('L1 while compacting, which then leaves everything as it was', async () => {
      const { log } = await open(disk);
      await log.append([record('before')]);
      disk.space = 500;
      await assert.rejects(log.compact([record('y'.repeat(2000))]), withCode('diskFull'));
      disk.space = Infinity;
      assert.deepEqual(disk.paths(/tmp$/), []);
      await log.append([record('after')]);
      disk.crash();
      assert.deepEqual((await open(disk)).records, hexOf('before', 'after'));
    });
  });

  describe('a failing disk', () => {
    it('L1 after a failed fsync nothing of that segment is trusted, and what failed never returns', async () => {
      const { log } = await open(disk);
      await log.append([record('before')]);
      disk.fail({ on: 'sync', path: /journal$/ });
      await assert.rejects(log.append([record('failed')]), withCode('io'));
      await log.append([record('after')]);
      assert.equal(segmentsOf(disk).length, 2);
      disk.killProcess();
      const { records, report } = await open(disk);
      assert.deepEqual(records, hexOf('before', 'after'));
      assert.equal(report.quarantined, 0);
      assert.ok(report.lateBytes > 0);
    });

    it('L1 what only seemed durable when a process ended is made so before it is handed on', async () => {
      const { log } = await open(disk);
      const gate = disk.holdSyncs();
      const append = log.append([record('written')]);
      append.catch(() => undefined);
      await gate.reached;
      disk.killProcess();
      gate.release();
      await assert.rejects(append);
      const first = await open(disk);
      assert.deepEqual(first.records, hexOf('written'));
      disk.crash();
      assert.deepEqual((await open(disk)).records, hexOf('written'));
    });
  });

  describe('owners', () => {
    it("L3 each writes a segment of its own, and a stale owner's late writes are ignored and reported", async () => {
      const stale = await open(disk);
      await stale.log.append([record('in time')]);
      const owner = await open(disk);
      assert.deepEqual(owner.records, hexOf('in time'));
      await stale.log.append([record('too late')]);
      await owner.log.append([record('by the owner')]);
      const { records, report } = await open(disk);
      assert.deepEqual(records, hexOf('in time', 'by the owner'));
      assert.ok(report.lateBytes > 0);
      assert.equal(report.quarantined, 0);
    });

    it('L3 a stale owner that begins a segment is refused', async () => {
      const stale = await open(disk);
      const owner = await open(disk);
      await assert.rejects(stale.log.compact([record('old state')]), withCode('inUse'));
      await owner.log.append([record('by the owner')]);
      await owner.log.close();
      assert.deepEqual((await open(disk)).records, hexOf('by the owner'));
    });

    it('L3 openings that write nothing leave nothing behind', async () => {
      const { log } = await open(disk);
      await log.append([record('one')]);
      await log.close();
      for (let i = 0; i < 5; i++) await (await open(disk)).log.close();
      assert.equal(segmentsOf(disk).length, 2);
    });
  });

  it('K5 seals what is in one file under one key, and what is in another under another, though both are written in turns', () => {
    const sealer = new Sealer(crypto, keys);
    const [journal, snapshot] = [FileKind.journal, FileKind.snapshot].map((kind) => ({
      kind,
      generation: 1,
      number: 7,
    }));
    const plain = packEntries(Purpose.entries, [record('one')]);
    const nonces = [journal!, snapshot!, journal!, snapshot!, { ...journal!, number: 8 }].map((place) => {
      const sealed = sealer.seal(place, HEADER_BYTES, plain);
      const at = concatBytes(new Uint8Array(HEADER_BYTES), sealed);
      assert.deepEqual(sealer.open(place, at, HEADER_BYTES)?.plain, plain);
      return toHex(sealed.subarray(12, HEAD_BYTES));
    });
    const salts = nonces.map((nonce) => nonce.slice(0, 24));
    assert.deepEqual([salts[2], salts[3]], [salts[0], salts[1]]);
    assert.equal(new Set(salts).size, 3);
    assert.equal(new Set(nonces.map((nonce) => nonce.slice(24))).size, 5);
  });

  it('L1 segments roll at their limit, and all of them are read', async function () {
    this.timeout(30_000);
    const { log } = await open(disk);
    const large = new Uint8Array(6 * 1024 * 1024);
    for (let i = 0; i < 5; i++) await log.append([large.fill(i)]);
    assert.equal(segmentsOf(disk).length, 2);
    assert.ok(disk.peek(segmentsOf(disk)[0]!).length >= SEGMENT_BYTES);
    await log.close();
    const firsts: (number | undefined)[] = [];
    await new Journal(disk, FOLDER, crypto, keys).replay((bytes) => firsts.push(bytes[0]));
    assert.deepEqual(firsts, [0, 1, 2, 3, 4]);
  });

  describe('a snapshot', () => {
    async function withTwo(): Promise<MemoryDisk> {
      const { log } = await open(disk);
      await log.append([record('a')]);
      await log.compact([record('A')]);
      await log.append([record('b')]);
      await log.compact([record('A'), record('B')]);
      await log.append([record('c')]);
      await log.close();
      return disk;
    }

    it('L1 two generations are kept, and the segments of the older one', async () => {
      const { log } = await open(disk);
      for (let i = 0; i < 5; i++) {
        await log.append([record(`text ${i}`)]);
        await log.compact([record(`state ${i}`)]);
      }
      assert.equal(disk.paths(/snapshot$/).length, 2);
      // Of the older snapshot: its own segment, and the one begun by the newer.
      assert.equal(segmentsOf(disk).length, 2);
    });

    it('L1 damaged anywhere falls back to the one before and its segments', async () => {
      await withTwo();
      const path = disk.paths(/snapshot$/).at(-1)!;
      const all = disk.paths();
      const length = disk.peek(path).length;
      for (let offset = 0; offset < length; offset += 11) {
        const damaged = new MemoryDisk();
        for (const other of all) damaged.poke(other, disk.peek(other));
        damaged.flipBit(path, offset, offset % 8);
        const { records, report } = await open(damaged);
        assert.deepEqual(records, hexOf('A', 'b', 'c'), `offset ${offset}`);
        assert.equal(report.quarantined, 1);
        assert.equal(damaged.paths(/quarantine/).length, 1);
      }
      for (let end = 0; end < length; end++) {
        const short = new MemoryDisk();
        for (const other of all) short.poke(other, disk.peek(other));
        short.poke(path, disk.peek(path).slice(0, end));
        assert.deepEqual((await open(short)).records, hexOf('A', 'b', 'c'), `cut at ${end}`);
      }
    });

    it('L1 the only one damaged falls back to the journal from its beginning', async () => {
      await (await open(disk)).log.close();
      const { log } = await open(disk);
      await log.append([record('a')]);
      await log.compact([record('A')]);
      await log.append([record('b')]);
      await log.close();
      const path = disk.paths(/snapshot$/)[0]!;
      disk.flipBit(path, disk.peek(path).length - 3);
      const { records } = await open(disk);
      assert.deepEqual(records, hexOf('a', 'b'));
    });

    it('L1 that the disk cannot read falls back too, and stays where it is: another time it may be read', async () => {
      await withTwo();
      const [older, newer] = disk.paths(/snapshot$/) as [string, string];
      for (const [unreadable, expected] of [
        [[newer], hexOf('A', 'b', 'c')],
        [[older], hexOf('A', 'B', 'c')],
        [[older, newer], undefined],
      ] as const) {
        const failing = copyOf(disk);
        for (const path of unreadable) failing.fail({ on: 'read', path: new RegExp(path), times: Infinity });
        if (expected) {
          const { records, report } = await open(failing);
          assert.deepEqual(records, expected);
          assert.equal(report.quarantined, unreadable.includes(newer) ? 1 : 0);
        } else await assert.rejects(open(failing), withCode('io'));
        assert.deepEqual(failing.paths(/snapshot/), [older, newer]);
      }
    });

    it('L1 damaged, and held by another program, is where it was, and the one before is read', async () => {
      await withTwo();
      const path = disk.paths(/snapshot$/).at(-1)!;
      disk.flipBit(path, 100);
      disk.fail({ on: 'rename', path: /snapshot$/ });
      const { log, records } = await open(disk);
      assert.deepEqual(records, hexOf('A', 'b', 'c'));
      assert.ok(disk.paths().includes(path));
      await log.compact([record('A'), record('B'), record('C')]);
      await log.close();
      assert.deepEqual((await open(disk)).records, hexOf('A', 'B', 'C'));
    });

    it('L1 all of them damaged: what still opens is not thrown away', async () => {
      const { log } = await open(disk);
      const large = Array.from({ length: 4 }, (_, i) => new Uint8Array(60_000).fill(i));
      await log.append([record('a')]);
      await log.compact(large);
      await log.append([record('b')]);
      await log.compact(large);
      await log.append([record('c')]);
      await log.close();
      for (const path of disk.paths(/snapshot$/)) disk.flipBit(path, 1000);
      const { records, report } = await open(disk);
      assert.deepEqual(records, [...large.slice(1).map(toHex), ...hexOf('c')]);
      assert.equal(report.quarantined, 2);
    });

    it('L1 larger than is ever held at once is read whole, or not at all', async () => {
      const { log } = await open(disk);
      await log.append([record('a')]);
      await log.compact([record('A')]);
      // Many in a record, and one alone in each.
      const large = [
        ...Array.from({ length: 2_000 }, (_, i) => new Uint8Array(700).fill(i % 251)),
        ...Array.from({ length: 40 }, (_, i) => new Uint8Array(70_000 + i).fill(i)),
      ];
      await log.append([record('b')]);
      await log.compact(large);
      await log.append([record('c')]);
      await log.close();
      const path = disk.paths(/snapshot$/).at(-1)!;
      const expected = [...large.map(toHex), ...hexOf('c')];
      assert.deepEqual((await open(disk)).records, expected);
      const { length } = disk.peek(path);
      for (const offset of [100, 1_000_000, 2_500_000, length - 60_000, length - 5]) {
        disk.flipBit(path, offset);
        const copy = new MemoryDisk();
        for (const other of disk.paths()) copy.poke(other, disk.peek(other));
        disk.flipBit(path, offset);
        assert.deepEqual((await open(copy)).records, hexOf('A', 'b', 'c'), `offset ${offset}`);
      }
    });

    it('L1 what a reader says it has not kept is read by nobody again, and the rest stays as it was read', async () => {
      const { log } = await open(disk);
      const large = Array.from({ length: 30 }, (_, i) => new Uint8Array(70_000 + i).fill(i));
      await log.compact(large);
      await log.close();
      const kept: Uint8Array[] = [];
      const lengths: number[] = [];
      const again = new Journal(disk.mount(), FOLDER, crypto, keys);
      await again.replay((bytes) => {
        lengths.push(bytes.length);
        if (lengths.length % 2 === 0) return NOTHING_KEPT;
        kept.push(bytes);
        return undefined;
      });
      assert.deepEqual(
        lengths,
        large.map(({ length }) => length),
      );
      assert.deepEqual(
        kept,
        large.filter((_, i) => i % 2 === 0),
      );
    });

    it('L1 after a fallback compacting goes on as before', async () => {
      await withTwo();
      disk.flipBit(disk.paths(/store.\d+\.snapshot$/).at(-1)!, 60);
      let { log } = await open(disk);
      await log.compact([record('A'), record('B'), record('C')]);
      await log.append([record('d')]);
      await log.close();
      let records: string[];
      ({ log, records } = await open(disk));
      assert.deepEqual(records, hexOf('A', 'B', 'C', 'd'));
      await log.close();
      disk.flipBit(disk.paths(/store.\d+\.snapshot$/).at(-1)!, 60);
      ({ records } = await open(disk));
      assert.deepEqual(records, hexOf('A', 'b', 'c', 'd'));
    });

    it('L1 what changes after the call is not in it', async () => {
      const { log } = await open(disk);
      const state = [record('one')];
      const compacted = log.compact(state);
      state.push(record('two'));
      await log.append([record('two')]);
      await compacted;
      await log.close();
      assert.deepEqual((await open(disk)).records, hexOf('one', 'two'));
    });
  });

  it('L1 L3 any crash, torn write, full disk or failed fsync: the acknowledged stay, in order; the failed never return', async function () {
    this.timeout(60_000 * Math.max(1, LONG_RUN_FACTOR));
    const met = { crashes: 0, failed: 0, compacted: 0, cut: 0, survivedUnacknowledged: 0 };
    for (let seed = 1; seed <= 40 * LONG_RUN_FACTOR; seed++) await world(seed, met);
    // The worlds were not empty ones.
    for (const [what, times] of Object.entries(met)) assert.ok(times > 4, `${what}: ${times}`);
  });
});

async function world(seed: number, met: Record<string, number>): Promise<void> {
  const random = seededRandom(`journal world ${seed}`);
  const below = (bound: number): number => seededBelow(random, bound);
  const disk = new MemoryDisk();
  let certain: string[] = [];
  let possible: string[] = [];
  let made = 0;
  let { log } = await open(disk);

  const make = (): Uint8Array[] => {
    // Now and then large ones, so that a commit is several records.
    const most = below(6) === 0 ? 50_000 : 200;
    return Array.from({ length: 1 + below(3) }, () => record(`${seed}/${made++}/${'.'.repeat(below(most))}`));
  };
  const settle = async (pending: { hex: string[]; done: Promise<void> }[]): Promise<void> => {
    for (const { hex, done } of pending) {
      try {
        await done;
        // Later records are acknowledged: what failed before them is gone for good.
        possible = [];
        certain.push(...hex);
      } catch {
        possible.push(...hex);
        met['failed']!++;
      }
    }
  };
  const start = (): { hex: string[]; done: Promise<void> } => {
    const records = make();
    const done = log.append(records);
    done.catch(() => undefined);
    return { hex: records.map(toHex), done };
  };
  const reopen = async (inFlight: readonly string[] = []): Promise<void> => {
    const opened = await open(disk);
    ({ log } = opened);
    const context = `seed ${seed}`;
    assert.deepEqual(opened.records.slice(0, certain.length), certain, context);
    const rest = opened.records.slice(certain.length);
    let at = 0;
    for (const hex of rest) {
      at = possible.indexOf(hex, at) + 1;
      assert.ok(at > 0, `${context}: a record that cannot be there`);
    }
    // Whatever survived without being acknowledged has no holes: a feed goes on from its last delta.
    const survived = rest.filter((hex) => inFlight.includes(hex));
    assert.deepEqual(survived, inFlight.slice(0, survived.length), `${context}: a hole`);
    assert.equal(opened.report.quarantined, 0, context);
    if (rest.length > 0) met['survivedUnacknowledged']!++;
    if (opened.report.cutBytes > 0) met['cut']!++;
    certain = opened.records;
    possible = [];
  };

  for (let step = 0; step < 25; step++) {
    switch (below(7)) {
      case 0:
      case 1:
        await settle(Array.from({ length: 1 + below(4) }, start));
        break;
      case 2: {
        // A full disk or a failing one, for a while.
        if (below(2) === 0) disk.fail({ on: 'sync', code: 'io' });
        else disk.fail({ on: 'write', code: 'full', partly: below(300) });
        if (below(3) === 0) disk.fail({ on: 'truncate' });
        await settle([start()]);
        disk.faults.length = 0;
        break;
      }
      case 3: {
        const compacted = log.compact(certain.map((hex) => Buffer.from(hex, 'hex')));
        const ok = compacted.then(
          () => met['compacted']!++,
          () => undefined,
        );
        possible = [];
        await settle([start(), start()]);
        await ok;
        break;
      }
      case 4: {
        // Stops in the middle of whatever is going on.
        const compacted = below(2) === 0 ? log.compact(certain.map((hex) => Buffer.from(hex, 'hex'))) : undefined;
        compacted?.catch(() => undefined);
        const pending = Array.from({ length: 1 + below(3) }, start);
        for (let turns = below(14); turns > 0; turns--) {
          await (below(4) === 0 ? new Promise(setImmediate) : Promise.resolve());
        }
        if (below(4) === 0) disk.killProcess();
        else disk.crash(below(3) === 0 ? undefined : random);
        met['crashes']!++;
        await settle(pending);
        await reopen(pending.flatMap(({ hex }) => hex).filter((hex) => !certain.includes(hex)));
        break;
      }
      default:
        if (below(3) === 0) {
          await log.close();
          await reopen();
        } else await settle([start()]);
    }
  }
}
