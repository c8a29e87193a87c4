/** The folder that Alice shares: what people have in one, generated, and the same at every run. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { realFiles, writeTree } from '../../bridges/real-tree.ts';
import { seededText } from '../../fakes/seeded-bytes.ts';

/** A source file of ordinary length; what its saves cost is measured. */
export const PROGRAM = 'program.c';
const PROGRAM_BYTES = 20_000;

/** Writes the folder and returns its path. */
export async function makeRealFolder(parent: string, name: string): Promise<string> {
  const root = join(parent, name);
  const files = new Map(realFiles());
  files.set('pictures/gradient.png', png(320, 200));
  files.set('pictures/dot.png', png(1, 1));
  files.set('notes.txt', Buffer.from('Notes of the team.\n'));
  files.set('both.txt', Buffer.from('What both of us change.\n'));
  files.set(PROGRAM, seededText(PROGRAM_BYTES, 20));
  await writeTree(root, files);
  await mkdir(join(root, 'nothing in here'));
  return root;
}

/** A picture that any viewer shows: colours that run into each other. */
export function png(width: number, height: number): Uint8Array {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rows.set([(255 * x) / width, (255 * y) / height, 128], y * (1 + 3 * width) + 1 + 3 * x);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
