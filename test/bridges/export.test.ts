import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BridgeError, toBridgeError } from '../../src/bridges/bridge-error.ts';
import { ContentMissing } from '../../src/store/contents.ts';
import { exportEntries, type ExportEntry } from '../../src/bridges/export.ts';
import type { ImportProgress } from '../../src/bridges/import.ts';
import { MAX_FOLDER_DEPTH } from '../../src/protocol/limits.ts';
import { seededBytes } from '../fakes/seeded-bytes.ts';
import { digestOf, temporaryFolder } from './real-tree.ts';

const MODIFIED = 1_600_000_000_000;
const folder = (path: string): ExportEntry => ({ kind: 'folder', path });
const file = (path: string, text = path, read?: () => AsyncIterable<Uint8Array>): ExportEntry => ({
  kind: 'file',
  path,
  modified: MODIFIED,
  read:
    read ??
    async function* () {
      yield Buffer.from(text);
    },
});

describe('F4 export into a local folder', () => {
  let outer: string;
  let into: string;
  let remove: () => Promise<void>;
  const put = (
    entries: readonly ExportEntry[],
    signal = new AbortController().signal,
    onProgress?: (p: ImportProgress) => void,
  ) => exportEntries(entries, { into, signal, ...(onProgress ? { onProgress } : {}) });
  const paths = async (root = into) => [...(await digestOf(root)).keys()];
  const text = (path: string) => readFile(join(into, path), 'utf8');

  beforeEach(async () => {
    ({ path: outer, remove } = await temporaryFolder());
    into = join(outer, 'into');
    await mkdir(into);
  });
  afterEach(() => remove());

  it('F4 writes files and folders as they are, with their times, and nothing else', async () => {
    const seen: ImportProgress[] = [];
    const report = await put(
      [folder('a'), folder('a/empty'), file('a/b/c.txt', 'deep'), file('é.txt', '')],
      undefined,
      (p) => seen.push(p),
    );
    assert.deepEqual(await paths(), ['a', 'a/b', 'a/b/c.txt', 'a/empty', 'é.txt']);
    assert.equal(await text('a/b/c.txt'), 'deep');
    const stats = await stat(join(into, 'a/b/c.txt'));
    assert.equal(stats.mtimeMs, MODIFIED);
    assert.equal(stats.mode & 0o111, 0);
    assert.deepEqual(report, { files: 2, folders: 3, bytes: 4, skipped: [], cancelled: false });
    assert.deepEqual(seen.at(-1), { doneFiles: 2, doneBytes: 4, current: 'é.txt' });
  });

  it('F4 nothing escapes the folder', async () => {
    await put([
      file('../escaped'),
      file('/etc/coterie-escaped'),
      file('a/../../../b'),
      file('..\\up'),
      file('C:\\x'),
      folder('..'),
    ]);
    assert.deepEqual((await readdir(outer)).sort(), ['into']);
    for (const path of await paths()) assert.doesNotMatch(path, /(^|\/)\.\.?(\/|$)|\\|:/);
    assert.equal((await paths()).filter((path) => !path.includes('/')).length, 5);
  });

  it('F4 names that some system refuses are written under safe ones', async () => {
    await put([
      file('aux/what?/x'),
      file('aux.c'),
      file('what?.txt'),
      file('dots...'),
      file('photo\u202egpj.exe'),
      file('half\ud800'),
    ]);
    assert.deepEqual(await paths(), [
      'aux_',
      'aux_.c',
      'aux_/what_',
      'aux_/what_/x',
      'dots___',
      'half_',
      'photogpj.exe',
      'what_.txt',
    ]);
  });

  it('F5 .git is left out in every spelling, and reported', async () => {
    const report = await put([
      file('.git/hooks/post-checkout'),
      folder('a/.GIT'),
      file('a/.git. '),
      file('GIT~1/config'),
      file('a/.gitignore'),
    ]);
    assert.deepEqual(await paths(), ['a', 'a/.gitignore']);
    assert.deepEqual(
      report.skipped.map(({ reason }) => reason),
      ['name', 'name', 'name', 'name'],
    );
  });

  it('F4 what stands there is neither overwritten nor entered', async () => {
    await writeFile(join(into, 'x.txt'), 'mine');
    await mkdir(join(into, 'd'));
    await writeFile(join(into, 'd/y'), 'mine');
    await put([file('x.txt', 'theirs'), folder('d'), file('d/y', 'theirs'), file('x (2).txt', 'second')]);
    assert.deepEqual(await paths(), ['d', 'd (2)', 'd (2)/y', 'd/y', 'x (2) (2).txt', 'x (2).txt', 'x.txt']);
    assert.deepEqual(await Promise.all(['x.txt', 'd/y', 'x (2).txt', 'd (2)/y', 'x (2) (2).txt'].map(text)), [
      'mine',
      'mine',
      'theirs',
      'theirs',
      'second',
    ]);
  });

  it('F4 no link is followed, whether it stands there or comes in the middle', async function () {
    if (process.platform === 'win32') this.skip();
    const outside = join(outer, 'outside');
    await mkdir(outside);
    await symlink(outside, join(into, 'd'));
    await symlink(join(outside, 'made-by-link'), join(into, 'f'));
    async function* entries(): AsyncIterable<ExportEntry> {
      yield file('d/x');
      yield file('f');
      yield file('e/1');
      await rename(join(into, 'e'), join(into, 'e-moved'));
      await symlink(outside, join(into, 'e'));
      yield file('e/2');
      yield folder('e/deep');
    }
    const report = await exportEntries(entries(), { into, signal: new AbortController().signal });
    assert.deepEqual(await readdir(outside), []);
    assert.deepEqual(report.skipped, [
      { path: 'e/2', reason: 'link' },
      { path: 'e/deep', reason: 'link' },
    ]);
    assert.equal(await text('d (2)/x'), 'd/x');
    assert.equal(await text('f (2)'), 'f');
  });

  it('F4 the folder itself may be reached by a link: the person chose it', async function () {
    if (process.platform === 'win32') this.skip();
    await symlink(into, join(outer, 'way'));
    await exportEntries([file('a/x')], { into: join(outer, 'way'), signal: new AbortController().signal });
    assert.equal(await text('a/x'), 'a/x');
  });

  it('F4 paths too deep or empty are reported', async () => {
    const deep = Array<string>(MAX_FOLDER_DEPTH + 1)
      .fill('d')
      .join('/');
    const report = await put([file(deep), file(''), folder('/')]);
    assert.deepEqual(
      report.skipped.map(({ reason }) => reason),
      ['name', 'name', 'name'],
    );
    assert.deepEqual(await paths(), []);
  });

  it('F1 content that is not here or damaged leaves no file behind, and the rest goes on', async () => {
    const report = await put([
      file('broken.bin', '', async function* () {
        yield seededBytes(100_000, 1);
        throw new Error('ContentDamaged');
      }),
      file('coming.bin', '', async function* () {
        yield seededBytes(1000, 2);
        throw new ContentMissing([]);
      }),
      file('good'),
    ]);
    assert.deepEqual(await paths(), ['good']);
    assert.deepEqual(report, {
      files: 1,
      folders: 0,
      bytes: 4,
      skipped: [
        { path: 'broken.bin', reason: 'unreadable' },
        { path: 'coming.bin', reason: 'not here' },
      ],
      cancelled: false,
    });
  });

  it('F1 can be cancelled in the middle of a file, and leaves no part of it', async () => {
    const stop = new AbortController();
    const report = await put(
      [
        file('1'),
        file('2', '', async function* () {
          yield seededBytes(1000, 1);
          stop.abort();
          yield seededBytes(1000, 2);
        }),
        file('3'),
      ],
      stop.signal,
    );
    assert.deepEqual(await paths(), ['1']);
    assert.deepEqual([report.files, report.cancelled, report.skipped], [1, true, []]);
  });

  it('F1 a folder that is gone, or goes in the middle, is a BridgeError with a stable code', async () => {
    await assert.rejects(
      exportEntries([file('x')], { into: join(outer, 'nowhere'), signal: new AbortController().signal }),
      { name: 'BridgeError', code: 'notFound' },
    );
    async function* entries(): AsyncIterable<ExportEntry> {
      yield file('a/1');
      await rm(into, { recursive: true });
      yield file('a/2');
    }
    await assert.rejects(exportEntries(entries(), { into, signal: new AbortController().signal }), {
      name: 'BridgeError',
      code: 'notFound',
    });
  });

  it('F1 a full disk, a write-protected one and a failing one have codes of their own', () => {
    const codeOf = (code: string) => toBridgeError(Object.assign(new Error('the system'), { code })).code;
    assert.deepEqual(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO'].map(codeOf), [
      'diskFull',
      'diskFull',
      'notPermitted',
      'notPermitted',
      'io',
    ]);
    assert.equal(toBridgeError('no error at all').code, 'io');
    assert.ok(toBridgeError(undefined) instanceof BridgeError);
  });
});
