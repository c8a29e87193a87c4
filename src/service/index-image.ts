/**
 * The index as it was when the journal was last compacted, so that opening a workspace of a hundred thousand items need not put each of them
 * into it again. Beside the tables stands what they were made of: [form, [workspace …], tables], where a workspace is
 *
 * [workspace 32, root 32 of its base, [tool 8 that shows nowhere …], [[tool 8, table, key] …]]: rows that were others than the base's.
 *
 * What a workspace has in an image is of use to it while its base is the same; the rows that were others are put anew, and what the journal
 * has after the base comes as it always does.
 */
import { equalBytes, fromHex, toHex } from '../base/bytes.ts';
import type { ToolId, WorkspaceId } from '../base/ids.ts';
import { asArray, asBytes, asList, asText, decodeInPlace, encode, type Value } from '../protocol/codec.ts';
import type { Upon } from '../sync/fold.ts';
import type { RowPlace } from '../sync/packed-rows.ts';
import type { Replica } from '../sync/replica.ts';
import { INDEX_FORM, type ContentIndex } from './content-index.ts';

/** More rows than this upon a base, and an image saves little: it is then not made. */
const MAX_UPON = 20_000;
const MAX_WORKSPACES = 10_000;
const MAX_TEXT = 256;

/** What a workspace's part of an image was made of. */
export interface Imaged extends Upon {
  readonly root: Uint8Array;
}

export interface IndexImage {
  readonly workspaces: ReadonlyMap<WorkspaceId, Imaged>;
  readonly tables: Uint8Array;
}

/** Undefined where it would save little. */
export function writeImage(
  workspaces: ReadonlyMap<WorkspaceId, Imaged>,
  tables: () => Uint8Array,
): Uint8Array | undefined {
  let upon = 0;
  for (const { places } of workspaces.values()) upon += places.length;
  if (workspaces.size === 0 || upon > MAX_UPON) return undefined;
  const imaged = [...workspaces].map(([id, { root, hidden, places }]): Value => {
    const placed = places.map(({ tool, table, key }) => [fromHex(tool)!, table, key]);
    return [fromHex(id)!, root, hidden.map((tool) => fromHex(tool)!), placed];
  });
  return encode([INDEX_FORM, imaged, tables()]);
}

/** Undefined for one of another form. Its tables are a part of these bytes. */
export function readImage(bytes: Uint8Array): IndexImage | undefined {
  const decoded = decodeInPlace(bytes);
  const f = decoded.ok ? asArray(decoded.value, 3) : undefined;
  const imaged = f?.[0] === INDEX_FORM ? asList(f[1], MAX_WORKSPACES, readImaged) : undefined;
  const tables = asBytes(f?.[2], 1, Infinity);
  return imaged && tables ? { workspaces: new Map(imaged), tables } : undefined;
}

/** What an image of an index of this moment is made of; undefined for a workspace that has no base. */
export function imagedOf(replica: Replica): Imaged | undefined {
  return replica.base.isThere ? { root: replica.base.present().root, ...replica.fold.upon } : undefined;
}

/** The index has all of a workspace that was just restored. `imaged`: what of it is there already. */
export function bringUpToDate(index: ContentIndex, replica: Replica, imaged: Imaged | undefined): void {
  const { workspace } = replica;
  if (imaged && isOf(replica, imaged)) {
    replica.fold.baseIsTold();
    const others = imaged.places.map(({ tool, table, key }) => ({
      tool,
      table,
      key,
      row: replica.fold.row(tool, table, key),
    }));
    index.apply(workspace, others);
  } else index.forget(workspace);
  index.apply(workspace, replica.fold.takeChanges());
}

/** Whether the same tools show nowhere, too: what of them is in the tables has changed as a whole. */
function isOf(replica: Replica, { root, hidden }: Imaged): boolean {
  const now = imagedOf(replica);
  if (!now || !equalBytes(now.root, root)) return false;
  return now.hidden.length === hidden.length && now.hidden.every((tool, i) => tool === hidden[i]);
}

function readImaged(value: Value): readonly [WorkspaceId, Imaged] | undefined {
  const f = asArray(value, 4);
  const [id, root] = [asBytes(f?.[0], 32), asBytes(f?.[1], 32)];
  const hidden = asList(f?.[2], MAX_UPON, readTool);
  const places = asList(f?.[3], MAX_UPON, readPlace);
  return id && root && hidden && places
    ? [toHex(id) as WorkspaceId, { root: root.slice(), hidden, places }]
    : undefined;
}

function readTool(value: Value): ToolId | undefined {
  const tool = asBytes(value, 8);
  return tool && (toHex(tool) as ToolId);
}

function readPlace(value: Value): RowPlace | undefined {
  const f = asArray(value, 3);
  const [tool, table, key] = [f && readTool(f[0]!), asText(f?.[1], MAX_TEXT), asText(f?.[2], MAX_TEXT)];
  return tool && table !== undefined && key !== undefined ? { tool, table, key } : undefined;
}
