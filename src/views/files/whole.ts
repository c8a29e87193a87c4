/** The whole of a shared file, as the service gives it. */
import type { CoterieApi } from '../../service/api.ts';
import type { FilePlace } from './place.ts';

/** Larger files come in slices of this size, so that neither the worker nor the host stops for one. */
export const READ_SLICE_BYTES = 4 * 1024 * 1024;

export async function readWhole(
  api: CoterieApi,
  { workspace, tool, path }: FilePlace,
  size: number,
): Promise<Uint8Array> {
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
