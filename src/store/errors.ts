import { StoreError } from '../sync/ports.ts';
import { DiskError } from './disk.ts';

/** What a disk answers, in the words of the store's ports. Messages name what was being done, never a path or a key. */
export function asStoreError(error: unknown, doing: string): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof DiskError) {
    switch (error.code) {
      case 'full':
        return new StoreError('diskFull', `no space left while ${doing}`, { cause: error });
      case 'exists':
        return new StoreError('inUse', `another owner was met while ${doing}`, { cause: error });
      case 'inUse':
        return new StoreError('inUse', 'the store has an owner already', { cause: error });
      case 'io':
      case 'unreadable':
        return new StoreError('io', `the disk failed while ${doing}`, { cause: error });
    }
  }
  return new StoreError('io', `failed while ${doing}`, { cause: error });
}

/** Runs what talks to the disk, so that only StoreErrors leave the room. */
export async function guarded<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStoreError(error, doing);
  }
}
