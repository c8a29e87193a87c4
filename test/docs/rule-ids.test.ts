/**
 * Every rule of sections 1 to 7 stands in docs/PROTOCOL.md, and in the name of a test that proves it. Names are read from the
 * sources of the tests, so that those of VS Code and of the browser count without being run here.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { root } from '../../scripts/lib/project.mjs';

/** How many rules each letter has; those of transport, relay and files (T, R, F) are not counted here. */
const RULES: Readonly<Record<string, number>> = { I: 4, D: 10, A: 10, K: 5, N: 5, L: 7, S: 6 };

/** Not proved yet, and why. What is proved goes from here; nothing is added but with a rule that is new. */
const NOT_PROVED: Readonly<Record<string, string>> = {
  S6: 'there is no live text yet, and so no update that could be undone',
};

const ID = /\b([IDAKNLS])([1-9][0-9]?)\b/g;
const all = Object.entries(RULES).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, i) => `${letter}${i + 1}`),
);

function idsIn(text: string): readonly string[] {
  return [...text.matchAll(ID)].map(([id]) => id);
}

/** The first argument of each `it`, as it stands in the source. */
function namesOfTests(): readonly string[] {
  const sources = globSync('test/**/*.test.ts', { cwd: root }).map((file) => readFileSync(`${root}/${file}`, 'utf8'));
  return sources.flatMap((source) => [...source.matchAll(/\bit\(\s*(['"`])(.*?)\1/gs)].map(([, , name]) => name!));
}

describe('the rules of the protocol', () => {
  const stated = [...readFileSync(`${root}/docs/PROTOCOL.md`, 'utf8').matchAll(/^- \*\*([A-Z][0-9]+)\*\*/gm)].map(
    ([, id]) => id!,
  );
  const names = namesOfTests();
  const proved = new Set(names.flatMap(idsIn));

  it('stand in docs/PROTOCOL.md, each once', () => {
    const here = stated.filter((id) => id[0]! in RULES);
    assert.deepEqual(here.toSorted(), all.toSorted());
  });

  it('stand in the name of a test each, but for those that are said not to be proved', () => {
    assert.ok(names.length > 500, `${names.length} tests were found`);
    const missing = all.filter((id) => !proved.has(id));
    assert.deepEqual(missing, Object.keys(NOT_PROVED));
  });

  it('are the only ones that names of tests quote', () => {
    const known = new Set(all);
    const foreign = names.filter((name) => idsIn(name).some((id) => !known.has(id)));
    assert.deepEqual(foreign, []);
  });
});
