import { access } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether there is a store in the folder: one look at the disk, so that a window without one starts nothing. */
export async function storeExists(folder: string): Promise<boolean> {
  return access(join(folder, 'store')).then(
    () => true,
    () => false,
  );
}
