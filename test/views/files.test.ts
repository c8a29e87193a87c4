import assert from 'node:assert/strict';
import fc from 'fast-check';
import { baseName, childPath, parentPath, partsOf, placeOf } from '../../src/views/files/place.ts';
import { Versions } from '../../src/views/files/versions.ts';

const workspace = 'ab'.repeat(32);
const tool = '0123456789abcdef';

describe('addresses of shared files', () => {
  it('name a place and come back as it', () => {
    for (const path of ['/', '/a', '/deep/in/the folder', '/Übung/日本.txt', '/#?%']) {
      assert.deepEqual(placeOf(partsOf({ workspace, tool, path })), { workspace, tool, path });
    }
  });

  it('name a folder the same with and without a slash at the end', () => {
    const uri = { scheme: 'coterie', authority: `${workspace}.${tool}` };
    assert.equal(placeOf({ ...uri, path: '/a/' })?.path, '/a');
    assert.equal(placeOf({ ...uri, path: '' })?.path, '/');
  });

  it('that point nowhere are no place', () => {
    for (const authority of ['', workspace, `${workspace}.`, `.${tool}`, `${workspace}.${tool}.x`, 'Apollo.Files']) {
      assert.equal(placeOf({ scheme: 'coterie', authority, path: '/a' }), undefined, authority);
    }
    assert.equal(placeOf({ scheme: 'file', authority: `${workspace}.${tool}`, path: '/a' }), undefined);
  });

  it('a child’s parent is its folder and its last part its name', () => {
    const name = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !text.includes('/'));
    const folder = fc.array(name, { maxLength: 4 }).map((names) => `/${names.join('/')}`);
    fc.assert(
      fc.property(folder, name, (at, child) => {
        assert.equal(parentPath(childPath(at, child)), at);
        assert.equal(baseName(childPath(at, child)), child);
      }),
      { seed: 11 },
    );
  });
});

describe('what VS Code has seen of a file', () => {
  it('F2: a write builds on what was read, not on what the stat before the save found', () => {
    const versions = new Versions();
    versions.stat('f', 'v1', 1000);
    versions.read('f', 'v1');
    versions.stat('f', 'v2', 2000);
    assert.equal(versions.base('f'), 'v1');
    versions.read('f', 'v2');
    assert.equal(versions.base('f'), 'v2');
  });

  it('F2: nothing read is nothing known', () => {
    const versions = new Versions();
    versions.stat('f', 'v1', 1000);
    assert.equal(versions.base('f'), undefined);
  });

  it('the same version has the same time, however often it is looked at', () => {
    const versions = new Versions();
    assert.equal(versions.stat('f', 'v1', 1000), 1000);
    assert.equal(versions.stat('f', 'v1', 1000), 1000);
  });

  it('D6: a newer version is newer to VS Code even if its author’s clock is behind', () => {
    const versions = new Versions();
    assert.equal(versions.stat('f', 'v1', 5000), 5000);
    assert.equal(versions.stat('f', 'v2', 3000), 5001);
    assert.equal(versions.stat('f', 'v2', 3000), 5001);
    assert.equal(versions.stat('f', 'v3', 9000), 9000);
  });

  it('F2: what became a conflict copy or a merge is read again', () => {
    const versions = new Versions();
    const before = versions.stat('f', 'v2', 5000);
    versions.touch('f');
    assert.ok(versions.stat('f', 'v2', 5000) > before);
  });

  it('a write of our own is known as ours before anybody asks whose it is', async () => {
    const versions = new Versions();
    let answer: (() => void) | undefined;
    const write = new Promise<void>((resolve) => (answer = resolve)).then(() => versions.read('f', 'ours'));
    versions.writing('f', write);
    const asked = versions.settled('f').then(() => versions.base('f'));
    assert.equal(versions.base('f'), undefined);
    answer!();
    assert.equal(await asked, 'ours');
    versions.writing('f', Promise.reject(new Error('disk full')));
    await versions.settled('f');
    await versions.settled('never written');
  });

  it('F2: what is read beside unsaved text is no base, till the text is that; what was saved meanwhile is', () => {
    const versions = new Versions();
    versions.read('f', 'v1');
    versions.readBeside('f', 'v2');
    assert.equal(versions.base('f'), 'v1');
    versions.adopt('f');
    assert.equal(versions.base('f'), 'v2');
    versions.readBeside('f', 'v3');
    versions.read('f', 'ours');
    versions.adopt('f');
    assert.equal(versions.base('f'), 'ours');
    versions.readBeside('f', 'v4');
    versions.forget('f');
    versions.adopt('f');
    assert.equal(versions.base('f'), undefined);
  });

  it('F2: what was read goes along with a file that is moved, and with a folder all that is in it, and nothing else does', () => {
    const versions = new Versions();
    for (const key of ['w/a', 'w/a/b', 'w/ab']) versions.read(key, `of ${key}`);
    versions.move('w/a', 'w/c');
    assert.deepEqual(
      ['w/a', 'w/a/b', 'w/c', 'w/c/b', 'w/ab'].map((key) => versions.base(key)),
      [undefined, undefined, 'of w/a', 'of w/a/b', 'of w/ab'],
    );
    assert.equal(versions.stat('w/c', 'newer', 0), 1, 'a newer version is newer to VS Code there, too');
  });

  it('a file that is gone is forgotten, and the memory is bounded', () => {
    const versions = new Versions();
    versions.read('first', 'v1');
    for (let i = 0; i < 10_000; i++) versions.read(`f${i}`, 'v');
    assert.equal(versions.base('first'), undefined);
    versions.forget('f9999');
    assert.equal(versions.base('f9999'), undefined);
    assert.equal(versions.base('f9998'), 'v');
  });
});
