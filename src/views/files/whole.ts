/** The whole of a shared file, as the service gives it. */
import type { CoterieApi, FileEntry } from '../../service/api.ts';
import type { FilePlace } from './place.ts';

/** Larger files come in slices of this size, so that neither the worker nor the host stops for one. */
export const READ_SLICE_BYTES = 4 * 1024 * 1024;
/** How often a file that changes while it is read in slices is begun again. */
const READ_ATTEMPTS = 5;

export interface Whole {
  readonly bytes: Uint8Array;
  /** Looked at before reading: if a newer one comes in between, what builds on this loses nothing. */
  readonly version: string;
}

/**
 * Of one version, but where it is another each time that it is read. `entry`: what stands there, where that was looked at. Answers undefined of a
 * folder.
 */
export async function readWhole(api: CoterieApi, place: FilePlace, entry?: FileEntry): Promise<Whole | undefined> {
  let before = entry ?? (await statOf(api, place));
  for (let attempt = 1; ; attempt++) {
    if (before.kind === 'folder') return undefined;
    const { bytes: size, version } = before;
    const bytes = await readOf(api, place, size);
    if (size <= READ_SLICE_BYTES || attempt === READ_ATTEMPTS) return { bytes, version };
    before = await statOf(api, place);
    if (before.version === version) return { bytes, version };
  }
}

function statOf(api: CoterieApi, { workspace, tool, path }: FilePlace): Promise<FileEntry> {
  return api.stat(workspace, tool, path);
}

async function readOf(api: CoterieApi, { workspace, tool, path }: FilePlace, size: number): Promise<Uint8Array> {
  if (size <= READ_SLICE_BYTES) return api.read(workspace, tool, path);
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const slice = await api.read(workspace, tool, path, { offset: at, length: Math.min(READ_SLICE_BYTES, size - at) });
    // It has become shorter meanwhile.
    if (slice.length === 0) break;
    bytes.set(slice.subarray(0, size - at), at);
    at += slice.length;
  }
  return at < size ? bytes.subarray(0, at) : bytes;
}
