/**
 * Where a store is, so that a copy of it is known for one (D2). The header is written once and never touched; the time of its last change
 * of any kind is what no copying and no restoring of files can bring along. What is brought back with its whole disk, a snapshot of a
 * virtual machine say, looks the same: that shows at the first contact with others.
 */
import { stat } from 'node:fs/promises';

/** Undefined where the system does not say. A change of rights or a repair of the header looks like a copy: that does no harm. */
export async function placeOf(folder: string): Promise<string | undefined> {
  try {
    // The inode would say nothing more, and some file systems number anew with each mount.
    const { ctimeNs } = await stat(`${folder}/store`, { bigint: true });
    return String(ctimeNs);
  } catch {
    return undefined;
  }
}
