/**
 * The Files tool's canonical rows, and how they are indexed and asked for.
 *
 * | table | key | row |
 * | --- | --- | --- |
 * | items | item id | [is folder, parent folder 0 or 32, name, creator 32, created time, height, [head version 32 …], folders below] |
 * | versions | version id | [item 32, [parent version 32 …], is live, content or null, author 32, time, height] |
 */
import { fromHex, toHex } from '../../base/bytes.ts';
import { isDeltaId, type AccountId, type DeltaId } from '../../base/ids.ts';
import { asArray, asBytes, asCount, asFlag, asList, type Value } from '../../protocol/codec.ts';
import { MAX_DEPS, MAX_FOLDER_DEPTH, MAX_HEADS, MAX_TIME_MS } from '../../protocol/limits.ts';
import type { Row } from '../../sync/reducer.ts';
import { contentFromValue, contentToValue, type Content } from './content.ts';
import { asFileName, asFolder, type FolderId } from './deltas.ts';

export const ITEMS = 'items';
export const VERSIONS = 'versions';

export interface Item {
  readonly folder: boolean;
  readonly parent: FolderId;
  readonly name: string;
  readonly creator: AccountId;
  readonly created: number;
  readonly height: number;
  /** Versions that no other names as a parent. */
  readonly heads: readonly DeltaId[];
  /** Of a folder: how deep other folders have stood in it, one in the other; 0 of a file. */
  readonly below: number;
}

export interface Version {
  readonly item: DeltaId;
  readonly parents: readonly DeltaId[];
  /** False: the item is gone, as far as this version knows. */
  readonly live: boolean;
  /** Undefined for folders and for versions that are not live. */
  readonly content: Content | undefined;
  readonly author: AccountId;
  readonly time: number;
  readonly height: number;
}

const NONE = new Uint8Array(0);
const ID_BYTES = 32;
const ids = (value: Value): readonly DeltaId[] => (value as readonly Uint8Array[]).map((id) => toHex(id) as DeltaId);

export function itemToRow(item: Item): Row {
  const parent = item.parent === undefined ? NONE : fromHex(item.parent)!;
  const heads = item.heads.map((head) => fromHex(head)!);
  return [item.folder, parent, item.name, fromHex(item.creator)!, item.created, item.height, heads, item.below];
}

/** Of a row that the reducer has put, or `isItemRow` has let in. */
export function itemFromRow(row: Row): Item {
  const [folder, parent, name, creator, created, height, heads, below] = row as [
    boolean,
    Uint8Array,
    string,
    Uint8Array,
    number,
    number,
    Value,
    number,
  ];
  return {
    folder,
    parent: parent.length === 0 ? undefined : (toHex(parent) as DeltaId),
    name,
    creator: toHex(creator) as AccountId,
    created,
    height,
    heads: ids(heads),
    below,
  };
}

/** Of a row that is sound: what its item stands in, empty for the root, without reading the rest. */
export function parentInRow(row: Row): Uint8Array {
  return row[1] as Uint8Array;
}

/** Whether this could stand in the table under that key (L6). */
export function isItemRow(key: string, row: Value): boolean {
  const f = asArray(row, 8);
  const [folder, parent, creator] = [asFlag(f?.[0]), asFolder(f?.[1]), asBytes(f?.[3], ID_BYTES)];
  if (!isDeltaId(key) || folder === undefined || !parent || asFileName(f?.[2]) === undefined || !creator) return false;
  if (asCount(f?.[7], folder ? MAX_FOLDER_DEPTH - 1 : 0) === undefined) return false;
  return (
    parent.id !== key &&
    asCount(f?.[4], MAX_TIME_MS) !== undefined &&
    isHeight(f?.[5]) &&
    isIdList(f?.[6], 1, MAX_HEADS)
  );
}

export function versionToRow(version: Version): Row {
  return [
    fromHex(version.item)!,
    version.parents.map((parent) => fromHex(parent)!),
    version.live,
    version.content === undefined ? null : contentToValue(version.content),
    fromHex(version.author)!,
    version.time,
    version.height,
  ];
}

/** Of a row that the reducer has put, or `isVersionRow` has let in. */
export function versionFromRow(row: Row): Version {
  const [item, parents, live, content, author, time, height] = row as [
    Uint8Array,
    Value,
    boolean,
    Value,
    Uint8Array,
    number,
    number,
  ];
  return {
    item: toHex(item) as DeltaId,
    parents: ids(parents),
    live,
    content: content === null ? undefined : contentFromValue(content),
    author: toHex(author) as AccountId,
    time,
    height,
  };
}

/** Whether this could stand in the table under that key (L6). */
export function isVersionRow(key: string, row: Value): boolean {
  const f = asArray(row, 7);
  const [item, live, author] = [asBytes(f?.[0], ID_BYTES), asFlag(f?.[2]), asBytes(f?.[4], ID_BYTES)];
  if (!isDeltaId(key) || !item || live === undefined || !author) return false;
  if (asCount(f?.[5], MAX_TIME_MS) === undefined || !isHeight(f?.[6]) || !isIdList(f?.[1], 0, MAX_DEPS)) return false;
  const parents = ids(f![1]!);
  // The first version has its item's id, and is what has no parents.
  const isFirst = toHex(item) === key;
  if (isFirst !== (parents.length === 0) || parents.includes(key) || (isFirst && !live)) return false;
  if (f![3] === null) return true;
  const content = contentFromValue(f![3]);
  return live && content !== undefined && (content.kind === 'chunks' || parents.length === 1);
}

/** A tool's delta has the genesis in its past. */
function isHeight(value: Value | undefined): boolean {
  return (asCount(value) ?? 0) > 1;
}

function isIdList(value: Value | undefined, minimum: number, maximum: number): boolean {
  const list = asList(value, maximum, (id) => asBytes(id, ID_BYTES));
  return list !== undefined && list.length >= minimum && new Set(list.map(toHex)).size === list.length;
}

/** Scopes are numbers of tools; ids are 32 bytes, of the root none. */
export const filesSchema = [
  'create table files (scope integer, item blob, parent blob, primary key (scope, item)) without rowid',
  'create index files_parent on files (scope, parent)',
];

export const filesQueries = {
  put: 'insert or replace into files values (?, ?, ?)',
  drop: 'delete from files where scope = ? and item = ?',
  clear: 'delete from files where scope = ?',
  children: 'select item as id from files where scope = ? and parent = ?',
};
