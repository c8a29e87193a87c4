/**
 * What a `continued` seals for one device (A7), as text: an invitation into the new workspace, or the answer of whoever does not come
 * along, `declined/` and the new one's id. No invitation has a slash in it.
 */
import { fromHex, toHex } from '../base/bytes.ts';
import type { WorkspaceId } from '../base/ids.ts';

const DECLINED = 'declined/';
const WORKSPACE_ID_BYTES = 32;

export function declinedWord(into: WorkspaceId): string {
  return DECLINED + into;
}

/** Undefined for what is no such answer. */
export function readDeclined(text: string): WorkspaceId | undefined {
  if (!text.startsWith(DECLINED)) return undefined;
  const id = fromHex(text.slice(DECLINED.length));
  return id?.length === WORKSPACE_ID_BYTES ? (toHex(id) as WorkspaceId) : undefined;
}
