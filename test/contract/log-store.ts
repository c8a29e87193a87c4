/** What every LogStore keeps, whatever it is made of (L1). */
import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.ts';
import type { LogStore, ReplayReport } from '../../src/sync/ports.ts';
import { StoreError } from '../../src/sync/ports.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

export interface LogStoreUnderTest {
  /** Opens the same log again after the last one was closed. */
  open(): Promise<LogStore>;
  dispose(): Promise<void>;
}

export async function replayed(log: LogStore): Promise<{ records: string[]; report: ReplayReport }> {
  const records: string[] = [];
  const report = await log.replay((record) => records.push(toHex(record)));
  return { records, report };
}

export function record(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function hexOf(...texts: readonly string[]): string[] {
  return texts.map((text) => toHex(record(text)));
}

export function logStoreContract(name: string, make: () => Promise<LogStoreUnderTest>): void {
  describe(`LogStore contract: ${name}`, () => {
    let subject: LogStoreUnderTest;
    const open: LogStore[] = [];

    beforeEach(async () => {
      subject = await make();
    });
    afterEach(async () => {
      for (const log of open.splice(0)) await log.close();
      await subject.dispose();
    });

    async function start(): Promise<LogStore> {
      const log = await subject.open();
      open.push(log);
      return log;
    }
    async function again(log: LogStore): Promise<{ log: LogStore; records: string[]; report: ReplayReport }> {
      await log.close();
      const next = await start();
      return { log: next, ...(await replayed(next)) };
    }

    it('L1 begins empty', async () => {
      const { records, report } = await replayed(await start());
      assert.deepEqual(records, []);
      assert.equal(report.records, 0);
      assert.equal(report.cutBytes, 0);
      assert.equal(report.quarantined, 0);
    });

    it('L1 gives back what was appended, in order, over several openings', async () => {
      let log = await start();
      await replayed(log);
      await log.append([record('one'), record('two')]);
      await log.append([record('three')]);
      ({ log } = await again(log));
      await log.append([record('four'), record('')]);
      const { records, report } = await again(log);
      assert.deepEqual(records, hexOf('one', 'two', 'three', 'four', ''));
      assert.equal(report.records, 5);
    });

    it('L1 keeps the order of calls that did not wait for one another', async () => {
      const log = await start();
      await replayed(log);
      const texts = Array.from({ length: 50 }, (_, i) => `record ${i}`);
      await Promise.all(texts.map((text) => log.append([record(text)])));
      const { records } = await again(log);
      assert.deepEqual(records, hexOf(...texts));
    });

    it('L1 keeps large and random records byte for byte', async () => {
      const random = seededRandom('log-store contract');
      const log = await start();
      await replayed(log);
      const large = [random(300_000), random(1), random(70_000)];
      await log.append(large);
      const { records } = await again(log);
      assert.deepEqual(records, large.map(toHex));
    });

    it('L1 compacting replaces everything before the call and nothing after', async () => {
      let log = await start();
      await replayed(log);
      await log.append([record('old')]);
      const before = log.append([record('before')]);
      const compacted = log.compact([record('state 1'), record('state 2')]);
      const after = log.append([record('after')]);
      await Promise.all([before, compacted, after]);
      let records: string[];
      ({ log, records } = await again(log));
      assert.deepEqual(records, hexOf('state 1', 'state 2', 'after'));
      await log.compact([record('state 3')]);
      await log.compact([record('state 4')]);
      await log.append([record('last')]);
      ({ records } = await again(log));
      assert.deepEqual(records, hexOf('state 4', 'last'));
    });

    it('L1 tells whether compacting is worth it', async () => {
      let log = await start();
      await replayed(log);
      const empty = log.journalBytes;
      await log.append([record('x'.repeat(10_000))]);
      assert.ok(log.journalBytes >= empty + 10_000);
      ({ log } = await again(log));
      assert.ok(log.journalBytes >= empty + 10_000);
      await log.compact([record('small')]);
      assert.ok(log.journalBytes < 1_000);
    });

    it('L1 refuses to append once closed', async () => {
      const log = await start();
      await replayed(log);
      await log.close();
      await assert.rejects(log.append([record('late')]), StoreError);
      await log.close();
    });
  });
}
