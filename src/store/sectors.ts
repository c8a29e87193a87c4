/** Reading a file of which the disk cannot give back a part: no more goes along than the sectors that are bad. */
import { DiskError, type DiskFile } from './disk.ts';

/** No disk has larger ones. */
const SECTOR_BYTES = 4096;

export function isUnreadable(error: unknown): error is DiskError {
  return error instanceof DiskError && error.code === 'unreadable';
}

/** As `file.read`, with zeros for what cannot be read: where there is such, `unreadable` is called. */
export async function readAround(
  file: DiskFile,
  offset: number,
  length: number,
  unreadable: () => void,
): Promise<Uint8Array> {
  try {
    return await file.read(offset, length);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  unreadable();
  const end = Math.min(offset + length, await file.size());
  const bytes = new Uint8Array(Math.max(0, end - offset));
  for (let at = offset; at < end;) {
    const next = Math.min(at - (at % SECTOR_BYTES) + SECTOR_BYTES, end);
    const part = await file.read(at, next - at).catch((error: unknown) => {
      if (!isUnreadable(error)) throw error;
    });
    if (part) bytes.set(part, at - offset);
    at = next;
  }
  return bytes;
}
