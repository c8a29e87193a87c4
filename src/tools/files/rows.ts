/**
 * The Files tool's canonical rows, and how they are indexed and asked for.
 *
 * | table | key | row |
 * | --- | --- | --- |
 * | items | item id | [is folder, parent folder 0 or 32, name, creator 32, created time, height, [head version 32 …]] |
 * | versions | version id | [item 32, [parent version 32 …], is live, content or null, author 32, time, height] |
 */
import { fromHex, toHex } from '../../base/bytes.ts';
import type { AccountId, DeltaId } from '../../base/ids.ts';
import type { Value } from '../../protocol/codec.ts';
import type { Row } from '../../sync/reducer.ts';
import { contentFromValue, contentToValue, type Content } from './content.ts';
import type { FolderId } from './deltas.ts';

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
const ids = (value: Value): readonly DeltaId[] => (value as readonly Uint8Array[]).map((id) => toHex(id) as DeltaId);

export function itemToRow(item: Item): Row {
  const parent = item.parent === undefined ? NONE : fromHex(item.parent)!;
  const heads = item.heads.map((head) => fromHex(head)!);
  return [item.folder, parent, item.name, fromHex(item.creator)!, item.created, item.height, heads];
}

export function itemFromRow(row: Row): Item {
  const [folder, parent, name, creator, created, height, heads] = row as [
    boolean,
    Uint8Array,
    string,
    Uint8Array,
    number,
    number,
    Value,
  ];
  return {
    folder,
    parent: parent.length === 0 ? undefined : (toHex(parent) as DeltaId),
    name,
    creator: toHex(creator) as AccountId,
    created,
    height,
    heads: ids(heads),
  };
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

export const filesSchema = [
  'create table files (workspace text, tool text, item text, parent text, primary key (tool, item)) without rowid',
  'create index files_parent on files (tool, parent)',
];

export const filesQueries = {
  put: 'insert or replace into files values (?, ?, ?, ?)',
  drop: 'delete from files where tool = ? and item = ?',
  children: 'select item from files where tool = ? and parent = ?',
};
