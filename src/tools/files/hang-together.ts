/**
 * Whether the rows of a Files tool, each of which is sound by itself, could have come from deltas (L6). Whoever reads rows follows
 * what they name and asks no more, so of a copy that another member gives this is asked once, before it is taken:
 *
 * | of | holds |
 * | --- | --- |
 * | an item | its folder is the root or a folder that is here; a folder in another has less below it than that, so none is in itself, nor too deep |
 * | each of its heads | is a version that is here, of this item, and nobody's parent |
 * | a version | its item is here; it has content where it is live and its item is a file, and else none |
 * | each parent of it that is here | is of the same item and before it in D6 order, so that parents of parents come to an end |
 * | one with a difference (F1) | its parent is here, and has content |
 *
 * A parent that nothing stands upon may be gone (L4).
 */
import type { DeltaId } from '../../base/ids.ts';
import type { PlacedRow } from '../../sync/reducer.ts';
import { ITEMS, itemFromRow, versionFromRow, type Item, type Version } from './rows.ts';

export function hangTogether(rows: Iterable<PlacedRow>): boolean {
  const items = new Map<DeltaId, Item>();
  const versions = new Map<DeltaId, Version>();
  for (const { table, key, row } of rows) {
    if (table === ITEMS) items.set(key as DeltaId, itemFromRow(row));
    else versions.set(key as DeltaId, versionFromRow(row));
  }
  for (const [id, version] of versions) if (!isPlaced(id, version, items, versions)) return false;
  return areHeads(items, versions) && areInFolders(items);
}

function isPlaced(
  id: DeltaId,
  { item: itemId, parents, live, content, height }: Version,
  items: ReadonlyMap<DeltaId, Item>,
  versions: ReadonlyMap<DeltaId, Version>,
): boolean {
  const item = items.get(itemId);
  if (!item || (content !== undefined) !== (live && !item.folder)) return false;
  if (content?.kind === 'patch' && !versions.get(parents[0]!)?.content) return false;
  return parents.every((parentId) => {
    const parent = versions.get(parentId);
    // Not only height: a member may name a version that he knows of and does not have in his past.
    const isBefore = parent && (parent.height < height || (parent.height === height && parentId < id));
    return !parent || (parent.item === itemId && isBefore);
  });
}

function areHeads(items: ReadonlyMap<DeltaId, Item>, versions: ReadonlyMap<DeltaId, Version>): boolean {
  const replaced = new Set([...versions.values()].flatMap((version) => version.parents));
  for (const [id, { heads }] of items) {
    if (heads.some((head) => versions.get(head)?.item !== id || replaced.has(head))) return false;
  }
  return true;
}

function areInFolders(items: ReadonlyMap<DeltaId, Item>): boolean {
  for (const { folder, parent, below } of items.values()) {
    const outer = parent === undefined ? undefined : items.get(parent);
    if (parent !== undefined && (outer?.folder !== true || (folder && outer.below <= below))) return false;
  }
  return true;
}
