import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { openIndex, type IndexDb } from '../../src/store/index-db.ts';

describe('index', () => {
  let index: IndexDb;
  beforeEach(async () => {
    const wasm = await readFile(new URL('../../node_modules/sql.js/dist/sql-wasm.wasm', import.meta.url));
    index = await openIndex({ wasm });
    index.define(['CREATE TABLE post (id INTEGER PRIMARY KEY, text TEXT NOT NULL, body BLOB)']);
  });
  afterEach(() => index.close());

  const insert = 'INSERT INTO post (id, text, body) VALUES (?, ?, ?)';
  const count = (): number => index.query<{ n: number }>('SELECT count(*) AS n FROM post')[0]!.n;

  it('L1 gives back rows as objects, with text, numbers, bytes and null', () => {
    index.apply([
      { sql: insert, args: [1, 'Grüße, 🚀', new Uint8Array([0, 255, 7])] },
      { sql: insert, args: [2, '', null] },
    ]);
    const rows = index.query<{ id: number; text: string; body: Uint8Array | null }>('SELECT * FROM post ORDER BY id');
    assert.deepEqual(rows, [
      { id: 1, text: 'Grüße, 🚀', body: new Uint8Array([0, 255, 7]) },
      { id: 2, text: '', body: null },
    ]);
    assert.deepEqual(index.query('SELECT text FROM post WHERE id = ?', [2]), [{ text: '' }]);
    assert.deepEqual(index.query('SELECT text FROM post WHERE id = ?', [3]), []);
  });

  it('L1 is taken up from its image as it was, and goes on', () => {
    index.apply([{ sql: insert, args: [1, 'in the image', new Uint8Array([1])] }]);
    const image = index.image();
    assert.equal(count(), 1, 'an image takes nothing away');
    index.apply([{ sql: insert, args: [2, 'after it', null] }]);
    index.takeUp(image);
    assert.deepEqual(index.query('SELECT text FROM post'), [{ text: 'in the image' }]);
    index.apply([{ sql: insert, args: [3, 'goes on', null] }]);
    assert.equal(count(), 2);
    index.takeUp(undefined);
    assert.throws(() => count(), /no such table/);
  });

  it('K2 what is deleted is in no image, before an image was made and after one was taken up', () => {
    const has = (text: string) => Buffer.from(index.image()).includes(text);
    const remove = (id: number) => index.apply([{ sql: 'DELETE FROM post WHERE id = ?', args: [id] }]);
    for (const id of [1, 2, 3]) index.apply([{ sql: insert, args: [id, `secret of ${id}`, null] }]);
    remove(1);
    assert.deepEqual([has('secret of 1'), has('secret of 2')], [false, true]);
    remove(2);
    assert.equal(has('secret of 2'), false);
    index.takeUp(index.image());
    remove(3);
    assert.equal(has('secret of 3'), false);
  });

  it('L1 applies all changes of a call or none', () => {
    index.apply([{ sql: insert, args: [1, 'kept', null] }]);
    const changes = [
      { sql: insert, args: [2, 'undone', null] },
      { sql: insert, args: [1, 'a second 1', null] },
    ];
    assert.throws(() => index.apply(changes), /UNIQUE/);
    assert.equal(count(), 1);
    index.apply([{ sql: insert, args: [2, 'and goes on', null] }]);
    assert.equal(count(), 2);
    assert.throws(() => index.apply([{ sql: 'INSERT INTO nowhere VALUES (1)', args: [] }]), /nowhere/);
    index.apply([]);
    assert.equal(count(), 2);
  });

  it('L1 values are never read as SQL', () => {
    index.apply([{ sql: insert, args: [1, "'); DROP TABLE post; --", null] }]);
    assert.equal(index.query<{ text: string }>('SELECT text FROM post')[0]!.text, "'); DROP TABLE post; --");
  });

  it('L1 searches words with fts4', () => {
    index.define(['CREATE VIRTUAL TABLE words USING fts4(text)']);
    index.apply([{ sql: 'INSERT INTO words (docid, text) VALUES (?, ?)', args: [7, 'the launch is on Tuesday'] }]);
    assert.deepEqual(index.query('SELECT docid FROM words WHERE words MATCH ?', ['launch']), [{ docid: 7 }]);
  });

  it('L1 indexes fast enough to be thrown away', function () {
    this.timeout(20_000);
    const changes = Array.from({ length: 20_000 }, (_, i) => ({ sql: insert, args: [i, `post number ${i}`, null] }));
    index.apply(changes);
    assert.equal(count(), 20_000);
  });
});
