/**
 * What damage has set aside (`recovery.ts`): it is there to be looked at, and never read again by the store. It may hold what was erased since, under a key that
 * stays (K2, K4). So it goes when two snapshots have been written after it: what could be read of it is in both.
 */
import type { Disk } from './disk.ts';
import { numbersOf } from './segment.ts';
import { SNAPSHOT } from './snapshot.ts';

export const QUARANTINE = 'quarantine';

/** `folder`: the log's. What cannot be removed now is so at the next opening. */
export async function emptyQuarantine(disk: Disk, folder: string): Promise<void> {
  const [older, newer] = numbersOf(await disk.list(folder), SNAPSHOT);
  if (older === undefined || newer === undefined) return;
  for (const name of await disk.list(`${folder}/${QUARANTINE}`))
    if (Number.parseInt(name, 10) < older) await disk.remove(`${folder}/${QUARANTINE}/${name}`).catch(() => undefined);
}
