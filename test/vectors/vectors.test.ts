/**
 * The bytes of the format, frozen with it. Each vector is proved from what stands in its file. While the format is 0 the files also are
 * what the examples of today give, and `npm run vectors` writes them anew; from 1 on nothing does.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { FORMAT } from '../../src/base/format.ts';
import { fileOf, SETS, vectorFolder } from './files.ts';

describe('D4 vectors', () => {
  for (const set of SETS) {
    const read = () => JSON.parse(readFileSync(join(vectorFolder, set.file), 'utf8')) as ReturnType<typeof fileOf>;

    it(`D4 each of ${set.file} is read, and written the same`, () => {
      const { format, vectors } = read();
      assert.equal(format, FORMAT, 'npm run vectors');
      assert.ok(vectors.length > 0);
      for (const vector of vectors) set.prove(vector);
    });

    it(`D4 ${set.file} is proved wrong by another byte`, () => {
      for (const vector of read().vectors) assert.throws(() => set.prove(spoilt(vector)));
    });

    if (FORMAT === 0) {
      it(`D4 ${set.file} is of today (npm run vectors)`, () => {
        assert.deepEqual(read(), JSON.parse(JSON.stringify(fileOf(set))));
      });
    }
  }
});

/** With the last field that is a text, or a list of some, made another. */
function spoilt(vector: unknown): unknown {
  const entries = Object.entries(vector as Record<string, unknown>);
  const at = entries.findLastIndex(([, value]) => (typeof value === 'string' && value !== '') || Array.isArray(value));
  const [key, value] = entries[at]!;
  const other = typeof value === 'string' ? value.replace(/.$/, (last) => (last === '0' ? '1' : '0')) : [];
  return { ...(vector as object), [key]: other };
}
