import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exportEntries, type ExportEntry } from '../../src/bridges/export.ts';
import { importPaths } from '../../src/bridges/import.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { Contents } from '../../src/store/contents.ts';
import { generationKey } from '../../src/sync/epoch.ts';
import type { Content } from '../../src/tools/files/content.ts';
import { MemoryChunks } from '../fakes/memory-chunks.ts';
import { seededBytes } from '../fakes/seeded-bytes.ts';
import { digestOf, realFiles, temporaryFolder, writeTree } from './real-tree.ts';

describe('F1 a real folder through contents and out again', function () {
  this.timeout(60_000);

  it('F1 330 files of every kind are the same, byte for byte, name for name', async () => {
    const { path: root, remove } = await temporaryFolder();
    try {
      const source = join(root, 'Projekt Ä');
      await writeTree(source, realFiles());
      await mkdir(join(source, 'empty folder'));
      const crypto = nodeCrypto();
      const key = generationKey(crypto, seededBytes(32, 1));
      const keys = { current: () => ({ generation: '0011223344556677', key }), find: () => key };
      const chunks = new MemoryChunks();
      const contents = new Contents({ crypto, chunks, keys });
      const added: { path: string; content?: Content }[] = [];
      const { signal } = new AbortController();
      const report = await importPaths([source], {
        signal,
        sink: {
          folder: async (path) => void added.push({ path }),
          file: async (path, stream) =>
            void added.push({ path, content: await contents.writeStream(stream, { sync: false }) }),
        },
      });
      await chunks.sync();
      assert.deepEqual(report.skipped, []);
      assert.equal(report.files, realFiles().size);
      assert.ok(report.files > 330 && report.bytes > 30 * 1024 * 1024);

      const out = join(root, 'out');
      await mkdir(out);
      const entries = added.map(({ path, content }): ExportEntry =>
        content ? { kind: 'file', path, modified: 0, read: () => contents.read(content) } : { kind: 'folder', path },
      );
      const written = await exportEntries(entries, { into: out, signal });
      assert.deepEqual(written, report);
      assert.deepEqual(await digestOf(join(out, 'Projekt Ä')), await digestOf(source));
      for (const bytes of chunks.held.values()) assert.equal(Buffer.from(bytes).includes('readonly'), false);
    } finally {
      await remove();
    }
  });
});
