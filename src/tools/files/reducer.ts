/**
 * Files: items with versions (F1, F2, F4). A version replaces the heads it names; two that name the same parent both stay, so
 * nothing is lost, and the folder shows the later one as a conflict copy. A rename is a move, not a delete and an add.
 */
import type { AccountId, DeltaId } from '../../base/ids.ts';
import { MAX_FOLDER_DEPTH, MAX_HEADS, MAX_HEADS_OF_MEMBER } from '../../protocol/limits.ts';
import type { Node } from '../../sync/graph.ts';
import type { Context, ContentVoid, Reducer, Transaction } from '../../sync/reducer.ts';
import { readFilesDelta, type FilesDelta, type FolderId } from './deltas.ts';
import { hangTogether } from './hang-together.ts';
import {
  isItemRow,
  isVersionRow,
  ITEMS,
  itemFromRow,
  itemToRow,
  VERSIONS,
  versionFromRow,
  versionToRow,
  type Item,
  type Version,
} from './rows.ts';

export const filesReducer: Reducer = {
  kind: 'files',
  kinds: ['file', 'folder', 'ver', 'del', 'move'],
  apply(transaction, node, context) {
    const delta = readFilesDelta(node.delta.kind, node.delta.body);
    if (!delta) return 'malformed';
    switch (delta.kind) {
      case 'file':
      case 'folder':
        return add(transaction, node, context, delta);
      case 'ver':
      case 'del':
        return version(transaction, node, context, delta);
      case 'move':
        return move(transaction, context, delta);
    }
  },
  isRow(table, key, row) {
    if (table === ITEMS) return isItemRow(key, row);
    return table === VERSIONS && isVersionRow(key, row);
  },
  hangTogether,
};

function add(
  transaction: Transaction,
  node: Node,
  context: Context,
  delta: FilesDelta & { kind: 'file' | 'folder' },
): ContentVoid | undefined {
  if (!context.can('add')) return 'notPermitted';
  const way = isFolder(transaction, delta.parent) ? wayTo(transaction, delta.parent) : undefined;
  if (!way || way.length >= MAX_FOLDER_DEPTH) return 'noTarget';
  const { id, time } = node.delta;
  putItem(transaction, id, {
    folder: delta.kind === 'folder',
    parent: delta.parent,
    name: delta.name,
    creator: context.author,
    created: time,
    height: node.height,
    heads: [id],
    below: 0,
  });
  if (delta.kind === 'folder') deepen(transaction, way, 0);
  putVersion(transaction, id, {
    item: id,
    parents: [],
    live: true,
    content: delta.kind === 'file' ? delta.content : undefined,
    author: context.author,
    time,
    height: node.height,
  });
  return undefined;
}

function version(
  transaction: Transaction,
  node: Node,
  context: Context,
  delta: FilesDelta & { kind: 'ver' | 'del' },
): ContentVoid | undefined {
  const parents = delta.parents.map((id) => getVersion(transaction, id));
  const itemId = parents[0]?.item;
  const item = itemId && getItem(transaction, itemId);
  if (!item || parents.some((parent) => parent?.item !== itemId)) return 'noTarget';
  if (delta.kind === 'ver' && item.folder) return 'noTarget';
  if (delta.kind === 'ver' && delta.content.kind === 'patch' && !parents[0]!.content) return 'noTarget';
  const own = item.creator === context.author;
  const allowed =
    delta.kind === 'ver'
      ? context.can('edit') || (own && context.can('editOwn'))
      : context.can('delete') || (own && context.can('deleteOwn'));
  if (!allowed) return 'notPermitted';
  const others = item.heads.filter((head) => !delta.parents.includes(head));
  // What it changes was replaced meanwhile.
  if (others.length === item.heads.length && isFull(transaction, others, context.author)) return 'noTarget';
  const { id, time } = node.delta;
  putVersion(transaction, id, {
    item: itemId,
    parents: delta.parents,
    live: delta.kind === 'ver',
    content: delta.kind === 'ver' ? delta.content : undefined,
    author: context.author,
    time,
    height: node.height,
  });
  putItem(transaction, itemId, { ...item, heads: [...others, id] });
  return undefined;
}

/** F2: whether no more may stand beside these: each would have all of them in its row, and nobody could name them all. */
function isFull(transaction: Transaction, heads: readonly DeltaId[], author: AccountId): boolean {
  if (heads.length >= MAX_HEADS) return true;
  if (heads.length < MAX_HEADS_OF_MEMBER) return false;
  const own = heads.filter((head) => getVersion(transaction, head)?.author === author);
  return own.length >= MAX_HEADS_OF_MEMBER;
}

function move(
  transaction: Transaction,
  context: Context,
  delta: FilesDelta & { kind: 'move' },
): ContentVoid | undefined {
  const item = getItem(transaction, delta.item);
  if (!item || !isFolder(transaction, delta.parent)) return 'noTarget';
  if (!(context.can('edit') || (item.creator === context.author && context.can('editOwn')))) return 'notPermitted';
  // Two members may each have moved one folder into the other: the later move in D6 order finds the first one's and is void.
  const way = wayTo(transaction, delta.parent);
  if (way.includes(delta.item) || way.length + item.below >= MAX_FOLDER_DEPTH) return 'noTarget';
  putItem(transaction, delta.item, { ...item, parent: delta.parent, name: delta.name });
  if (item.folder) deepen(transaction, way, item.below);
  return undefined;
}

function isFolder(transaction: Transaction, folder: FolderId): boolean {
  return folder === undefined || getItem(transaction, folder)?.folder === true;
}

/** A folder and those it stands in, the nearest first: never more than MAX_FOLDER_DEPTH. */
function wayTo(transaction: Transaction, folder: FolderId): readonly DeltaId[] {
  const way: DeltaId[] = [];
  for (let at = folder; at !== undefined; at = getItem(transaction, at)?.parent) way.push(at);
  return way;
}

/**
 * A folder in which others stand so deep has come to the end of a way. What goes again leaves the figures: without them whoever moves a folder would have to
 * look at all that is in it, and whoever did not look could put one way below another without end.
 */
function deepen(transaction: Transaction, way: readonly DeltaId[], below: number): void {
  for (const [i, folder] of way.entries()) {
    const item = getItem(transaction, folder)!;
    // Those above have more in any case.
    if (item.below > below + i) return;
    putItem(transaction, folder, { ...item, below: below + i + 1 });
  }
}

function getItem(transaction: Transaction, id: DeltaId): Item | undefined {
  const row = transaction.get(ITEMS, id);
  return row && itemFromRow(row);
}

function putItem(transaction: Transaction, id: DeltaId, item: Item): void {
  transaction.put(ITEMS, id, itemToRow(item));
}

function getVersion(transaction: Transaction, id: DeltaId): Version | undefined {
  const row = transaction.get(VERSIONS, id);
  return row && versionFromRow(row);
}

function putVersion(transaction: Transaction, id: DeltaId, version: Version): void {
  transaction.put(VERSIONS, id, versionToRow(version));
}
