import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync, utimesSync } from 'node:fs';
import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { importPaths, type ImportOptions, type ImportProgress, type ImportSink } from '../../src/bridges/import.ts';
import { concatBytes } from '../../src/base/bytes.ts';
import { MAX_FILE_BYTES, MAX_FOLDER_DEPTH } from '../../src/protocol/limits.ts';
import { assertSameBytes } from '../fakes/same-bytes.ts';
import { seededBytes } from '../fakes/seeded-bytes.ts';
import { temporaryFolder } from './real-tree.ts';

const MIB = 1024 * 1024;

/** Keeps what it is given, in the order it came; `onPiece` is where a test lets the world change. */
class KeepingSink implements ImportSink {
  readonly order: string[] = [];
  readonly files = new Map<string, Uint8Array>();
  readonly modified = new Map<string, number>();
  onPiece: (path: string, piece: number) => void = () => {};
  attempts = 0;
  atOnce = 0;
  peak = 0;

  async folder(path: string): Promise<void> {
    this.order.push(`${path}/`);
  }

  async file(
    path: string,
    stream: AsyncIterable<Uint8Array>,
    info: { modified: number; bytes: number },
  ): Promise<void> {
    this.attempts++;
    this.peak = Math.max(this.peak, ++this.atOnce);
    try {
      const parts: Uint8Array[] = [];
      for await (const part of stream) {
        assert.ok(part.length <= MIB);
        parts.push(part);
        this.onPiece(path, parts.length);
      }
      this.order.push(path);
      this.files.set(path, concatBytes(...parts));
      this.modified.set(path, info.modified);
      assert.equal(this.files.get(path)!.length, info.bytes);
    } finally {
      this.atOnce--;
    }
  }
}

describe('F1 import of real files and folders', () => {
  let root: string;
  let remove: () => Promise<void>;
  let sink: KeepingSink;
  const at = (path: string) => join(root, path);
  const bring = (paths: readonly string[], options: Partial<ImportOptions> = {}) =>
    importPaths(paths, { signal: new AbortController().signal, sink, retryAfter_ms: 1, ...options });

  beforeEach(async () => {
    ({ path: root, remove } = await temporaryFolder());
    sink = new KeepingSink();
  });
  afterEach(() => remove());

  it('F1 keeps names, empty files, empty folders and times; a folder comes before what is in it', async () => {
    await mkdir(at('top/empty folder'), { recursive: true });
    await mkdir(at('top/b'));
    await writeFile(at('top/b/empty.txt'), '');
    await writeFile(at('top/b/text.txt'), 'text');
    const decomposed = 'e\u0301tude.txt';
    await writeFile(at(`top/${decomposed}`), 'as on disk');
    utimesSync(at('top/b/text.txt'), 1_600_000_000, 1_600_000_000);
    const report = await bring([at('top')], { concurrency: 1 });
    assert.deepEqual(
      sink.order,
      ['top/', 'top/b/', 'top/b/empty.txt', 'top/b/text.txt', `top/${decomposed}`, 'top/empty folder/'].sort(byWalk),
    );
    assert.equal(sink.modified.get('top/b/text.txt'), 1_600_000_000_000);
    assert.deepEqual(report, { files: 3, folders: 3, bytes: 14, skipped: [], cancelled: false });
  });

  it('F1 takes single files, and two of one name from different places', async () => {
    await mkdir(at('a'));
    await mkdir(at('b'));
    await writeFile(at('a/x.txt'), '1');
    await writeFile(at('b/X.txt'), '2');
    await bring([at('a/x.txt'), at('b/X.txt'), at('b/../a/x.txt')]);
    assert.deepEqual([...sink.files.keys()].sort(), ['X (2).txt', 'x.txt']);
  });

  it('F1 streams a large file in pieces, with progress that ends at its size', async () => {
    const bytes = seededBytes(5 * MIB + 17, 1);
    await writeFile(at('large.bin'), bytes);
    const seen: ImportProgress[] = [];
    await bring([at('large.bin')], { onProgress: (progress) => seen.push(progress) });
    assertSameBytes(sink.files.get('large.bin'), bytes);
    assert.ok(seen.length >= 6);
    assert.deepEqual(seen.at(-1), { doneFiles: 1, doneBytes: bytes.length, current: 'large.bin' });
  });

  it('F1 hundreds of small files go several at once, but not all', async () => {
    await mkdir(at('many'));
    for (let i = 0; i < 300; i++) writeFileSync(at(`many/${i}`), `file ${i}`);
    const report = await bring([at('many')], { concurrency: 6 });
    assert.equal(report.files, 300);
    assert.ok(sink.peak > 1 && sink.peak <= 6, `${sink.peak} at once`);
  });

  it('F5 refuses .git in every spelling, and what is in it', async () => {
    for (const name of ['.git', 'sub/.GIT', 'git~1']) await mkdir(at(`top/${name}/hooks`), { recursive: true });
    await writeFile(at('top/.git/config'), 'x');
    await writeFile(at('top/.gitignore'), 'x');
    const report = await bring([at('top')], { concurrency: 1 });
    assert.deepEqual(sink.order, ['top/', 'top/.gitignore', 'top/sub/'].sort(byWalk));
    assert.deepEqual(
      report.skipped,
      ['top/.git', 'top/git~1', 'top/sub/.GIT'].map((path) => ({ path, reason: 'name' })),
    );
  });

  it('F4 leaves out links, sockets, pipes, and names that are none, and says so', async function () {
    if (process.platform === 'win32') this.skip();
    await mkdir(at('top'));
    await writeFile(at('secret.txt'), 'outside');
    await symlink(at('secret.txt'), at('top/link'));
    await symlink('/', at('top/link to all'));
    await symlink('nowhere', at('top/dangling'));
    execFileSync('mkfifo', [at('top/pipe')]);
    const server: Server = createServer().listen(at('top/socket'));
    await once(server, 'listening');
    await writeFile(Buffer.concat([Buffer.from(at('top/')), Buffer.of(0x66, 0xff, 0x2e)]), 'latin');
    await writeFile(at('top/back\\slash'), 'x');
    await writeFile(at('top/new\nline'), 'x');
    await writeFile(at('top/good.txt'), 'good');
    try {
      const report = await bring([at('top')]);
      assert.deepEqual([...sink.files.keys()], ['top/good.txt']);
      assert.deepEqual(Object.fromEntries(report.skipped.map(({ path, reason }) => [path.slice(4), reason])), {
        'back\\slash': 'name',
        dangling: 'link',
        'f\ufffd.': 'name',
        link: 'link',
        'link to all': 'link',
        'new\nline': 'name',
        pipe: 'special',
        socket: 'special',
      });
    } finally {
      server.close();
    }
  });

  it('F4 leaves out folders nested too deep, and keeps those that are not', async () => {
    const names = (depth: number) => Array.from({ length: depth }, (_, i) => `d${i}`);
    await mkdir(at(names(MAX_FOLDER_DEPTH + 1).join('/')), { recursive: true });
    const report = await bring([at('d0')]);
    assert.equal(report.folders, MAX_FOLDER_DEPTH);
    assert.deepEqual(report.skipped, [{ path: names(MAX_FOLDER_DEPTH + 1).join('/'), reason: 'name' }]);
  });

  it('F1 leaves out a file beyond the limit without reading it', async () => {
    await writeFile(at('huge'), '');
    await truncate(at('huge'), MAX_FILE_BYTES + 1);
    assert.deepEqual((await bring([at('huge')])).skipped, [{ path: 'huge', reason: 'too large' }]);
    assert.equal(sink.attempts, 0);
  });

  it('F1 reports what is not there, what vanishes, and what may not be read', async function () {
    await mkdir(at('top'));
    for (const name of ['1', '2', '3']) await writeFile(at(`top/${name}`), name);
    sink.onPiece = (path) => {
      if (path === 'top/1') rmSync(at('top/3'));
    };
    const report = await bring([at('top'), at('nowhere')], { concurrency: 1 });
    assert.deepEqual(report.skipped, [
      { path: 'nowhere', reason: 'unreadable' },
      { path: 'top/3', reason: 'unreadable' },
    ]);
    assert.deepEqual([...sink.files.keys()], ['top/1', 'top/2']);
    if (process.platform === 'win32' || process.getuid!() === 0) return; // nothing is unreadable for root
    await writeFile(at('locked'), 'x', { mode: 0 });
    await mkdir(at('closed'), { mode: 0 });
    assert.deepEqual((await bring([at('locked'), at('closed')])).skipped, [
      { path: 'closed', reason: 'unreadable' },
      { path: 'locked', reason: 'unreadable' },
    ]);
  });

  describe('F1 a file that changes while it is being added', () => {
    const changes: Record<string, (path: string) => void> = {
      grows: (path) => appendFileSync(path, 'more'),
      shrinks: (path) => truncateSync(path, 1_500_000),
      'is written over in its size': (path) => {
        writeFileSync(path, seededBytes(3 * MIB, 3));
        utimesSync(path, 1_700_000_000, 1_700_000_000);
      },
      'is replaced by another': (path) => {
        writeFileSync(`${path}.new`, seededBytes(3 * MIB, 4));
        renameSync(`${path}.new`, path);
      },
    };
    for (const [what, change] of Object.entries(changes)) {
      it(`F1 and ${what} is read again, and is whole then`, async () => {
        const path = at('moving.bin');
        await writeFile(path, seededBytes(3 * MIB, 2));
        let changed = false;
        sink.onPiece = (_, piece) => {
          if (changed || piece < 2) return;
          changed = true;
          change(path);
        };
        const seen: ImportProgress[] = [];
        const report = await bring([path], { onProgress: (progress) => seen.push(progress) });
        const now = new Uint8Array(await readFile(path));
        assertSameBytes(sink.files.get('moving.bin'), now);
        assert.equal(seen.at(-1)?.doneBytes, now.length);
        assert.deepEqual([report.files, report.skipped, sink.attempts], [1, [], 2]);
      });
    }

    it('F1 and never rests is reported after three readings, and the others are added', async () => {
      await mkdir(at('top'));
      await writeFile(at('top/log'), 'begin');
      await writeFile(at('top/quiet'), 'quiet');
      sink.onPiece = (path) => {
        if (path === 'top/log') appendFileSync(at('top/log'), 'x');
      };
      const report = await bring([at('top')]);
      assert.deepEqual(report, {
        files: 1,
        folders: 1,
        bytes: 5,
        skipped: [{ path: 'top/log', reason: 'kept changing' }],
        cancelled: false,
      });
      assert.equal(sink.attempts, 4);
      assert.equal(sink.files.has('top/log'), false);
    });

    for (const hiding of ['wraps', 'swallows'])
      it(`F1 is reported even where the sink ${hiding} the failure`, async () => {
        await writeFile(at('log'), 'begin');
        const report = await bring([at('log')], {
          sink: {
            folder: async () => {},
            async file(_, stream) {
              try {
                for await (const _piece of stream) appendFileSync(at('log'), 'x');
              } catch {
                if (hiding === 'wraps') throw new Error('wrapped by the sink');
              }
            },
          },
        });
        assert.deepEqual(report.skipped, [{ path: 'log', reason: 'kept changing' }]);
      });
  });

  it('F1 can be cancelled in the middle of a file; what was added stays in the report', async () => {
    await mkdir(at('top'));
    await writeFile(at('top/1'), 'first');
    await writeFile(at('top/2'), seededBytes(8 * MIB, 5));
    await writeFile(at('top/3'), 'never');
    const stop = new AbortController();
    sink.onPiece = (path, piece) => {
      if (path === 'top/2' && piece === 3) stop.abort();
    };
    const report = await bring([at('top')], { signal: stop.signal, concurrency: 1 });
    assert.deepEqual(report, { files: 1, folders: 1, bytes: 5, skipped: [], cancelled: true });
    assert.deepEqual([...sink.files.keys()], ['top/1']);
    assert.equal((await bring([at('top')], { signal: stop.signal })).files, 0);
  });

  it('F1 what the sink throws ends the import, for all files under way', async () => {
    await mkdir(at('top'));
    for (let i = 0; i < 50; i++)
      writeFileSync(at(`top/${i}`), seededBytes(2 * MIB, i + 1).subarray(0, i === 7 ? 10 : 2 * MIB));
    class DiskFull extends Error {}
    const keep = sink.file.bind(sink);
    sink.file = async (path, stream, info) => {
      if (basename(path) === '7') throw new DiskFull('the store');
      await keep(path, stream, info);
    };
    await assert.rejects(bring([at('top')]), DiskFull);
    assert.equal(sink.atOnce, 0, 'a file was still being read when the import had ended');
    assert.ok(sink.files.size < 49);
    sink.folder = async () => {
      throw new DiskFull('the store');
    };
    await assert.rejects(bring([at('top')]), DiskFull);
  });
});

/** The walk's order: by bytes of the names, a folder right before what it holds. */
function byWalk(a: string, b: string): number {
  const key = (path: string) => path.replace(/\/$/, '').split('/');
  const [x, y] = [key(a), key(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const order = Buffer.compare(Buffer.from(x[i]!), Buffer.from(y[i]!));
    if (order !== 0) return order;
  }
  return x.length - y.length;
}
