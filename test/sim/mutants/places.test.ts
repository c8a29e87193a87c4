import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { MUTANTS } from './all.ts';
import { mutated } from './mutant.ts';

describe('mutants', () => {
  it('each of them has one place in the source as it is', () => {
    const astray = MUTANTS.flatMap((mutant) => {
      const source = readFileSync(new URL(`../../../${mutant.file}`, import.meta.url), 'utf8');
      const found = mutated(source, mutant);
      return typeof found === 'number' ? [`${mutant.file}, ${mutant.name}: ${found} places`] : [];
    });
    assert.deepEqual(astray, []);
    assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length, 'and a name of its own');
  });
});
