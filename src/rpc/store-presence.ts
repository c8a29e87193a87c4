import { access } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Whether there is a store in the folder: a look at the disk, so that a window without one starts nothing. Where that cannot be told there may be one, and a
 * device that is taken for new is given new secrets in place of its own (I2). Its header stands there twice.
 */
export async function storeExists(folder: string): Promise<boolean> {
  const missing = await Promise.all([isMissing(join(folder, 'store')), isMissing(join(folder, 'store.copy'))]);
  return !missing.every((is) => is);
}

function isMissing(path: string): Promise<boolean> {
  return access(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}
