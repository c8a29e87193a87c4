/**
 * Setting a locked store aside (I2): it is never overwritten, so what is to begin beside it needs the folder. Everything goes into
 * `aside-<number>` of the same folder, the header last: until it has gone, there is a locked store, and a stop in between is gone on
 * with. Put back, under the key it was made with, it opens.
 */
import type { Disk } from './disk.ts';
import { guarded } from './errors.ts';
import { nodeDisk } from './node-disk.ts';

const HEADER = 'store';
const PARTS = ['log', 'chunks', 'packs', 'store.copy', HEADER] as const;

/** Answers the folder's name, undefined where there is nothing to set aside. Throws StoreError: `inUse` where somebody has it open after all. */
export async function setStoreAside(folder: string, disk: Disk = nodeDisk()): Promise<string | undefined> {
  return guarded('setting the store aside', async () => {
    const claim = await disk.claim(folder);
    try {
      const present = await disk.list(folder);
      const parts = PARTS.filter((part) => present.includes(part));
      if (parts.length === 0) return undefined;
      const name = await nextName(disk, folder);
      const aside = `${folder}/${name}`;
      await disk.makeFolder(aside);
      for (const part of parts) await disk.rename(`${folder}/${part}`, `${aside}/${part}`);
      await disk.syncFolder(aside);
      await disk.syncFolder(folder);
      return name;
    } finally {
      await claim.release();
    }
  });
}

/** The one that was begun and has no header yet, or a new one. */
async function nextName(disk: Disk, folder: string): Promise<string> {
  const numbers = (await disk.list(folder)).flatMap((name) => /^aside-(\d{1,6})$/.exec(name)?.[1] ?? []).map(Number);
  const newest = Math.max(0, ...numbers);
  const isWhole = newest === 0 || (await disk.list(`${folder}/aside-${newest}`)).includes(HEADER);
  return `aside-${isWhole ? newest + 1 : newest}`;
}
