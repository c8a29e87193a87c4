/** Rows that another member gives (L6): what the reducers would take, and what they would not. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { fromHex } from '../../src/base/bytes.ts';
import type { DeltaId, ToolId } from '../../src/base/ids.ts';
import type { Value } from '../../src/protocol/codec.ts';
import { MAX_TIME_MS } from '../../src/protocol/limits.ts';
import { Role } from '../../src/sync/control.ts';
import type { PlacedRow, Reducer } from '../../src/sync/reducer.ts';
import { chatReducer } from '../../src/tools/chat/reducer.ts';
import { POSTS } from '../../src/tools/chat/rows.ts';
import { contentToValue } from '../../src/tools/files/content.ts';
import { filesReducer } from '../../src/tools/files/reducer.ts';
import { ITEMS, VERSIONS } from '../../src/tools/files/rows.ts';
import { CONTENTS, withOtherCounts } from '../fakes/every-kind.ts';
import { seededBelow, seededRandom } from '../fakes/seeded-random.ts';
import { CHAT, contentOf, FILES, NOW, Team, type Copy } from '../sync/team.ts';
import { rowsOf } from './stored-rows.ts';

const patch = { kind: 'patch', bytes: 100, sha256: new Uint8Array(32), patch: new Uint8Array(10) } as const;
const other = 'ab'.repeat(32) as DeltaId;

/** Does something to what is there: mostly what a person would, sometimes what nobody may. */
function act(copy: Copy, below: (bound: number) => number, known: DeltaId[]): void {
  const pick = () => known[below(known.length)]!;
  const folder = () => (below(3) === 0 ? undefined : pick());
  const acts: readonly (() => DeltaId)[] = [
    () => copy.file(`${below(9)}.ts`, folder()),
    () => copy.files({ kind: 'folder', parent: folder(), name: `${below(9)}` }),
    () => copy.files({ kind: 'ver', parents: [pick()], content: below(2) === 0 ? patch : contentOf(`${below(99)}`) }),
    () => copy.files({ kind: 'ver', parents: [...new Set([pick(), pick()])], content: contentOf('merged') }),
    () => copy.files({ kind: 'del', parents: [pick()] }),
    () => copy.files({ kind: 'move', item: pick(), parent: folder(), name: `moved ${below(9)}` }),
    () => copy.post('hello'),
    () => copy.chat({ kind: 'edit', post: pick(), text: 'edited' }),
    () => copy.chat({ kind: 'unpost', post: pick() }),
  ];
  known.push(acts[below(acts.length)]!());
}

function isTaken(reducer: Reducer, rows: readonly PlacedRow[]): boolean {
  return rows.every(({ table, key, row }) => reducer.isRow(table, key, row)) && reducer.hangTogether(rows);
}

describe('L6 rows that come from another member', () => {
  it('L6 whatever the reducers put, of whatever members did at once, they would take', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 5; seed++) {
      const random = seededRandom(`rows ${seed}`);
      const team = new Team(`rows ${seed}`);
      const copies = [team.founder, team.join('Bob'), team.join('Carol', team.founder, Role.guest)];
      const known: DeltaId[] = [team.founder.file('a.ts'), team.founder.post('hi')];
      for (let i = 0; i < 60; i++) {
        const copy = copies[seededBelow(random, copies.length)]!;
        act(copy, (bound) => seededBelow(random, bound), known);
        if (i % 7 === 0) copy.meet(copies[seededBelow(random, copies.length)]!);
      }
      for (const { replica } of copies) {
        assert.ok(isTaken(filesReducer, rowsOf(replica, FILES)));
        assert.ok(isTaken(chatReducer, rowsOf(replica, CHAT)));
        for (const { table } of replica.fold.rows()) counts.set(table, (counts.get(table) ?? 0) + 1);
      }
    }
    for (const table of [ITEMS, VERSIONS, POSTS]) assert.ok(counts.get(table)! > 20, `${counts.get(table)} ${table}`);
  });

  it('L6 every field of a row refuses what it is not, and a row has no other number of fields', () => {
    const { founder } = new Team('fields');
    const folder = founder.files({ kind: 'folder', parent: undefined, name: 'src' });
    founder.files({ kind: 'ver', parents: [founder.file('a.ts', folder)], content: contentOf('b') });
    founder.post('hi');
    const wrong: readonly Value[] = [-1, 'x/y', '\0', ' ', null, new Uint8Array(31), new Uint8Array(33), [[]], [-1]];
    const tools: readonly (readonly [Reducer, ToolId])[] = [
      [filesReducer, FILES],
      [chatReducer, CHAT],
    ];
    let refused = 0;
    for (const [reducer, tool] of tools) {
      for (const { table, key, row } of rowsOf(founder.replica, tool)) {
        assert.ok(reducer.isRow(table, key, row));
        for (const [at, field] of row.entries()) {
          for (const value of wrong.filter((one) => field !== one)) {
            // Content may be null, and what people type may be nearly anything.
            const isSound = [`${VERSIONS} 3`, `${POSTS} 1`, `${ITEMS} 2`].includes(`${table} ${at}`);
            if (isSound && reducer.isRow(table, key, row.with(at, value))) continue;
            assert.equal(reducer.isRow(table, key, row.with(at, value)), false, `${table} ${at} ${String(value)}`);
            refused++;
          }
        }
        for (const [at, field] of row.entries())
          if (typeof field === 'number' && field >= NOW)
            assert.equal(reducer.isRow(table, key, row.with(at, MAX_TIME_MS + 1)), false);
        for (const fields of withOtherCounts(row)) assert.equal(reducer.isRow(table, key, fields as never), false);
        for (const name of ['', 'rows', 'constructor']) assert.equal(reducer.isRow(name, key, row), false);
        for (const name of ['', key.slice(2), key.toUpperCase(), `${key}00`, `${key.slice(0, -1)}\n`, 'x'.repeat(64)])
          assert.equal(reducer.isRow(table, name, row), false, name);
      }
    }
    assert.ok(refused > 200, `${refused} refused`);
  });
});

describe('L6 rows of Files that hang together', () => {
  const team = new Team('hang together');
  const copy = team.founder;
  const outer = copy.files({ kind: 'folder', parent: undefined, name: 'outer' });
  const inner = copy.files({ kind: 'folder', parent: outer, name: 'inner' });
  const file = copy.file('a.ts', inner);
  const beside = copy.file('b.ts');
  const second = copy.files({ kind: 'ver', parents: [file], content: patch });
  const gone = copy.files({ kind: 'del', parents: [beside] });
  const rows = rowsOf(copy.replica, FILES);

  /** The rows, with one of them made another by its fields, or left out. */
  function changed(table: string, key: DeltaId, change: Readonly<Record<number, Value>> | undefined) {
    return rows.flatMap((one) => {
      if (one.table !== table || one.key !== key) return [one];
      return change ? [{ ...one, row: one.row.map((field, at) => change[at] ?? field) }] : [];
    });
  }
  const bytes = (...ids: readonly DeltaId[]) => ids.map((id) => fromHex(id)!);

  it('L6 as they are, and without a version that nothing stands upon', () => {
    assert.ok(isTaken(filesReducer, rows));
    assert.ok(isTaken(filesReducer, changed(VERSIONS, beside, undefined)));
  });

  const faults: readonly (readonly [string, readonly PlacedRow[]])[] = [
    ['a folder that is not here', changed(ITEMS, outer, undefined)],
    ['a folder that is a file', changed(ITEMS, file, { 1: bytes(beside)[0]! })],
    ['a folder in itself, by another', changed(ITEMS, outer, { 1: bytes(inner)[0]! })],
    ['a folder deeper than the one it stands in', changed(ITEMS, inner, { 7: 1 })],
    ['a head that is not here', changed(VERSIONS, second, undefined)],
    ['a head of another item', changed(ITEMS, file, { 6: bytes(gone) })],
    ['a head that was replaced', changed(ITEMS, file, { 6: bytes(file) })],
    ['an item that is not here', changed(ITEMS, file, undefined)],
    ['content of what is gone', changed(VERSIONS, gone, { 2: true })],
    ['a folder with content', changed(VERSIONS, inner, { 3: contentToValue(CONTENTS[0]!) })],
    ['a parent of another item', changed(VERSIONS, second, { 1: bytes(beside) })],
    ['a parent that comes later', changed(VERSIONS, file, { 6: 1_000 })],
    ['a difference against nothing', changed(VERSIONS, second, { 1: bytes(other) })],
  ];
  for (const [name, given] of faults) {
    it(`L6 are refused with ${name}`, () => {
      assert.ok(
        given.every((one) => filesReducer.isRow(one.table, one.key, one.row)),
        'each by itself is sound',
      );
      assert.equal(filesReducer.hangTogether(given), false);
    });
  }
});
