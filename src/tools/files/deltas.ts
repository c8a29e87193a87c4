/**
 * The Files tool's deltas (F1, F2, F4).
 *
 * | kind | body |
 * | --- | --- |
 * | file | [parent folder 0 or 32, name, content] — the item's id and its first version's are the delta's |
 * | folder | [parent folder 0 or 32, name] |
 * | ver | [[parent version 32 …], content]: a new version of the item its parents belong to |
 * | del | [[parent version 32 …]]: a version that says the item is gone; a version it did not know keeps it |
 * | move | [item 32, parent folder 0 or 32, name] |
 */
import { fromHex, toHex } from '../../base/bytes.ts';
import type { DeltaId } from '../../base/ids.ts';
import { asArray, asBytes, asList, asText, type Value } from '../../protocol/codec.ts';
import { MAX_DEPS, MAX_NAME_BYTES } from '../../protocol/limits.ts';
import { contentFromValue, contentToValue, type Content } from './content.ts';
import { nameProblem } from './safe-name.ts';

/** Undefined: the root of the tool. */
export type FolderId = DeltaId | undefined;

export type FilesDelta =
  | { readonly kind: 'file'; readonly parent: FolderId; readonly name: string; readonly content: Content }
  | { readonly kind: 'folder'; readonly parent: FolderId; readonly name: string }
  | { readonly kind: 'ver'; readonly parents: readonly DeltaId[]; readonly content: Content }
  | { readonly kind: 'del'; readonly parents: readonly DeltaId[] }
  | { readonly kind: 'move'; readonly item: DeltaId; readonly parent: FolderId; readonly name: string };

const NONE = new Uint8Array(0);
const folderToValue = (folder: FolderId): Value => (folder === undefined ? NONE : fromHex(folder)!);

export function filesBody(delta: FilesDelta): Value {
  switch (delta.kind) {
    case 'file':
      return [folderToValue(delta.parent), delta.name, contentToValue(delta.content)];
    case 'folder':
      return [folderToValue(delta.parent), delta.name];
    case 'ver':
      return [delta.parents.map((id) => fromHex(id)!), contentToValue(delta.content)];
    case 'del':
      return [delta.parents.map((id) => fromHex(id)!)];
    case 'move':
      return [fromHex(delta.item)!, folderToValue(delta.parent), delta.name];
  }
}

/** Fields of each body: one more or one fewer is another body, which nobody knows (D4). */
const FIELDS: ReadonlyMap<string, number> = new Map<FilesDelta['kind'], number>([
  ['file', 3],
  ['folder', 2],
  ['ver', 2],
  ['del', 1],
  ['move', 3],
]);

export function readFilesDelta(kind: string, body: Value): FilesDelta | undefined {
  const count = FIELDS.get(kind);
  const f = count === undefined ? undefined : asArray(body, count);
  switch (kind) {
    case 'file': {
      const [parent, name, content] = [asFolder(f?.[0]), asFileName(f?.[1]), contentFromValue(f?.[2])];
      if (parent === undefined || name === undefined || content?.kind !== 'chunks') return undefined;
      return { kind, parent: parent.id, name, content };
    }
    case 'folder': {
      const [parent, name] = [asFolder(f?.[0]), asFileName(f?.[1])];
      return parent === undefined || name === undefined ? undefined : { kind, parent: parent.id, name };
    }
    case 'ver': {
      const [parents, content] = [asVersions(f?.[0]), contentFromValue(f?.[1])];
      if (!parents || !content || (content.kind === 'patch' && parents.length !== 1)) return undefined;
      return { kind, parents, content };
    }
    case 'del': {
      const parents = asVersions(f?.[0]);
      return parents && { kind, parents };
    }
    case 'move': {
      const [item, parent, name] = [asBytes(f?.[0], 32), asFolder(f?.[1]), asFileName(f?.[2])];
      if (!item || parent === undefined || name === undefined) return undefined;
      return { kind, item: toHex(item) as DeltaId, parent: parent.id, name };
    }
    default:
      return undefined;
  }
}

export function asFolder(value: Value | undefined): { readonly id: FolderId } | undefined {
  const bytes = asBytes(value, 0, 32);
  if (!bytes || (bytes.length !== 0 && bytes.length !== 32)) return undefined;
  return { id: bytes.length === 0 ? undefined : (toHex(bytes) as DeltaId) };
}

/** F4: what some system refuses is shown safely later; what no folder can hold is void. */
export function asFileName(value: Value | undefined): string | undefined {
  const name = asText(value, MAX_NAME_BYTES);
  return name === undefined || nameProblem(name) !== undefined ? undefined : name;
}

function asVersions(value: Value | undefined): readonly DeltaId[] | undefined {
  const list = asList(value, MAX_DEPS, (entry) => {
    const bytes = asBytes(entry, 32);
    return bytes && (toHex(bytes) as DeltaId);
  });
  return list && list.length > 0 && new Set(list).size === list.length ? list : undefined;
}
