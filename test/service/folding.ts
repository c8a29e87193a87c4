/** A store of which it is told when its journal is written anew with a base: then something is folded (L4). */
import { decodeRecord, deltasIn } from '../../src/service/records.ts';
import type { LogStore } from '../../src/sync/ports.ts';
import type { OpenOptions } from './house.ts';

export interface Folding extends OpenOptions {
  /** Resolves with the next base beside which no delta stands in which these words are: they are folded; of no words with the next base. */
  folded(words?: string): Promise<void>;
}

export function folding(): Folding {
  const waiting = new Set<{ readonly words: string | undefined; readonly resolve: () => void }>();
  const around = (log: LogStore): LogStore => ({
    replay: (each) => log.replay(each),
    append: (records) => log.append(records),
    compact: async (records) => {
      const all = [...records];
      await log.compact(all);
      const read = all.flatMap((record) => decodeRecord(record) ?? []);
      if (!read.some(({ kind }) => kind === 'base')) return;
      const deltas = read.flatMap((record) => deltasIn(record)).map((bytes) => Buffer.from(bytes));
      for (const one of waiting) {
        if (one.words !== undefined && deltas.some((delta) => delta.includes(one.words!))) continue;
        waiting.delete(one);
        one.resolve();
      }
    },
    get journalBytes() {
      return log.journalBytes;
    },
    close: () => log.close(),
  });
  const folded = (words?: string) => new Promise<void>((resolve) => void waiting.add({ words, resolve }));
  return { around, compactAboveBytes: 1, folded };
}
