/** A folder as people have them: several hundred files in several encodings, deep and non-ASCII names, a large binary. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { seededBytes, seededText } from '../fakes/seeded-bytes.ts';

const MIB = 1024 * 1024;

export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'coterie-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Relative path and bytes of each file; `emptyFolder` beside them. */
export function realFiles(): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let i = 0; i < 320; i++) {
    files.set(`src/module-${i % 17}/part-${i % 5}/file-${i}.ts`, seededText(200 + ((i * 977) % 30_000), i + 1));
  }
  const words = 'Grüße, señor — čeština';
  files.set('text/utf-8.txt', Buffer.from(`${words} 日本語\r\n`));
  files.set('text/utf-8-bom.txt', Buffer.from(`\ufeff${words}\n`));
  files.set('text/utf-16-le.txt', Buffer.from(`\ufeff${words}`, 'utf16le'));
  files.set('text/utf-16-be.txt', Buffer.from(`\ufeff${words}`, 'utf16le').swap16());
  files.set('text/latin-1.txt', Buffer.from('Grüße, señor', 'latin1'));
  files.set('text/shift-jis.txt', Uint8Array.of(0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea, 0x0a));
  files.set('text/no newline, no\u00a0words', Buffer.from('x'));
  files.set(
    'pictures/dot.png',
    Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), seededBytes(40_000, 400)]),
  );
  files.set('pictures/日本語 фото 👩‍👩‍👧.jpg', seededBytes(300_000, 401));
  files.set('data/large.bin', seededBytes(30 * MIB, 402));
  files.set(`${Array.from({ length: 30 }, (_, i) => `tief ${i} é`).join('/')}/ganz unten.txt`, Buffer.from('deep'));
  files.set('empty.txt', new Uint8Array(0));
  files.set('.hidden/.env', Buffer.from('A=1\n'));
  return files;
}

export async function writeTree(root: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), bytes);
  }
}

/** What lies under a folder: SHA-256 of each file, `folder` for each folder. */
export async function digestOf(root: string): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const digest = entry.isDirectory() ? 'folder' : sha256(await readFile(path));
    digests.set(path.slice(root.length + 1).replaceAll('\\', '/'), digest);
  }
  return new Map([...digests].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
