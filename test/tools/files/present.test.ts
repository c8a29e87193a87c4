import assert from 'node:assert/strict';
import fc from 'fast-check';
import { clashKey, safeName } from '../../../src/tools/files/safe-name.ts';
import { presentFolder, type SiblingInput } from '../../../src/tools/files/present.ts';

const head = (version: string, memberName = 'Alice') => ({ version, memberName });
const file = (order: number, name: string, ...heads: SiblingInput['heads']): SiblingInput => ({
  item: `item${order}`,
  name,
  kind: 'file',
  order: String(order).padStart(4, '0'),
  heads: heads.length > 0 ? heads : [head(`v${order}`)],
});
const folder = (order: number, name: string): SiblingInput => ({ ...file(order, name), kind: 'folder', heads: [] });
const namesOf = (siblings: readonly SiblingInput[]) => presentFolder(siblings).map(({ shownName }) => shownName);

describe('F4 what a folder shows', () => {
  it('F4 names as they are, the earlier item first', () => {
    assert.deepEqual(namesOf([file(2, 'b.txt'), folder(3, 'empty'), file(1, 'a.txt')]), ['a.txt', 'b.txt', 'empty']);
  });

  it('F4 the earlier of two that clash keeps the plain name, whatever their case', () => {
    assert.deepEqual(namesOf([file(3, 'readme.MD'), file(1, 'README.md'), folder(2, 'Readme.md')]), [
      'README.md',
      'Readme.md (2)',
      'readme (3).MD',
    ]);
  });

  it('F4 a made name gives way to a plain one', () => {
    assert.deepEqual(namesOf([file(1, 'x'), file(2, 'x'), file(3, 'x (2)')]), ['x', 'x (3)', 'x (2)']);
  });

  it('F4 hostile names are shown safely', () => {
    assert.deepEqual(namesOf([file(1, '../../evil'), file(2, '..'), file(3, 'con'), file(4, '')]), [
      '.._.._evil',
      '__',
      'con_',
      '_',
    ]);
  });

  it('F4 a file without heads is deleted, and shown nowhere', () => {
    assert.deepEqual(namesOf([{ ...file(1, 'gone'), heads: [] }, file(2, 'gone')]), ['gone']);
  });

  it('F2 further heads are conflict copies named after the member', () => {
    const shown = presentFolder([
      file(1, 'plan.txt', head('v1'), head('v2', 'Bob'), head('v3', 'Bob'), head('v4', 'Carol')),
    ]);
    assert.deepEqual(shown, [
      { item: 'item1', version: 'v1', shownName: 'plan.txt', conflictOf: undefined },
      { item: 'item1', version: 'v2', shownName: 'plan (conflict copy of Bob).txt', conflictOf: 'Bob' },
      { item: 'item1', version: 'v3', shownName: 'plan (conflict copy of Bob) (2).txt', conflictOf: 'Bob' },
      { item: 'item1', version: 'v4', shownName: 'plan (conflict copy of Carol).txt', conflictOf: 'Carol' },
    ]);
  });

  it('F2 a member whose name is a path or very long makes no path and no over-long name', () => {
    const hostile = `../${'x'.repeat(300)}/..\u202e`;
    const [, copy] = presentFolder([file(1, `${'y'.repeat(250)}.txt`, head('v1'), head('v2', hostile))]);
    assert.equal(safeName(copy!.shownName), copy!.shownName);
    assert.ok(Buffer.byteLength(copy!.shownName) <= 255 && copy!.shownName.endsWith('.txt'));
    assert.equal(copy!.conflictOf, hostile);
  });

  it('F2 F4 the names are unique, safe, and the same on every replica', () => {
    const name = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'A', '.', ' ', '(', '2', ')', '/', 'é'), maxLength: 6 }),
      fc.constantFrom(
        'a',
        'A',
        'a (2)',
        'a (conflict copy of Bob)',
        'a.txt',
        'A.TXT',
        'a (2).txt',
        'con',
        'con_',
        'x'.repeat(300),
      ),
    );
    const member = fc.constantFrom('Bob', 'bob', 'B/b', 'Bob) (2', 'Ann');
    const sibling = fc.record({
      name,
      kind: fc.constantFrom('file' as const, 'folder' as const),
      order: fc.nat(5),
      members: fc.array(member, { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(sibling, { maxLength: 25 }), fc.nat(), (rows, turn) => {
        const siblings = rows.map(({ name, kind, order, members }, i): SiblingInput => ({
          item: `i${String(i).padStart(2, '0')}`,
          name,
          kind,
          order: String(order),
          heads: members.map((memberName, n) => ({ version: `${i}.${n}`, memberName })),
        }));
        const shown = presentFolder(siblings);
        const by = turn % Math.max(1, siblings.length);
        const turned = [...siblings.slice(by), ...siblings.slice(0, by)].reverse();
        assert.deepEqual(presentFolder(turned), shown);
        assert.equal(
          shown.length,
          siblings.reduce((sum, { heads }) => sum + heads.length, 0),
        );
        assert.equal(new Set(shown.map(({ shownName }) => clashKey(shownName))).size, shown.length);
        for (const { shownName } of shown) assert.equal(safeName(shownName), shownName);
      }),
      { seed: 31, numRuns: 1000 },
    );
  });

  it('F4 nor do long names that differ only in what is cut off them', function () {
    this.timeout(5_000);
    const name = (i: number) => `${'x'.repeat(247)}${String(i).padStart(4, '0')}.txt`;
    const shown = namesOf(Array.from({ length: 6_000 }, (_, i) => file(i, name(i % 3_000))));
    assert.equal(shown.at(-1), `${'x'.repeat(244)} (3001).txt`);
    const folders = namesOf(
      Array.from({ length: 6_000 }, (_, i) => folder(i, `${'x'.repeat(248)}.${(i % 3_000) + 1e4}`)),
    );
    for (const names of [shown, folders]) assert.equal(new Set(names.map(clashKey)).size, names.length);
  });

  it('F4 ten thousand items of one name take no quadratic time', function () {
    this.timeout(5_000);
    const shown = namesOf(Array.from({ length: 10_000 }, (_, i) => file(i, 'same.txt')));
    assert.equal(shown.at(-1), 'same (10000).txt');
  });
});
