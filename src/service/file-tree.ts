/**
 * What a Files tool shows: the folders and files of its rows, under names that are safe and stand once (F2, F4). Folders are
 * computed when asked for and kept until something in them changes.
 */
import type { AccountId, DeltaId } from '../base/ids.ts';
import type { RowChange } from '../sync/fold.ts';
import type { Row } from '../sync/reducer.ts';
import type { Content } from '../tools/files/content.ts';
import { clashKey } from '../tools/files/safe-name.ts';
import { presentFolder, type SiblingInput } from '../tools/files/present.ts';
import type { FolderId } from '../tools/files/deltas.ts';
import { ITEMS, itemFromRow, VERSIONS, versionFromRow, type Item, type Version } from '../tools/files/rows.ts';
import type { FileChange } from './api.ts';

export interface TreeEntry {
  readonly id: DeltaId;
  readonly name: string;
  readonly item: Item;
  readonly version: Version;
  readonly versionId: DeltaId;
  readonly conflictOf: string | undefined;
}

export interface Lineage {
  /** The content in chunks at the bottom. */
  readonly bottom: Content;
  /** Differences upon it. */
  readonly patches: number;
}

type Folder = Map<string, TreeEntry>;

/** A folder as it was shown; `path`: undefined where it was not. */
interface Shown {
  readonly id: FolderId;
  readonly folder: Folder;
  readonly path: string | undefined;
}

const ROOT = '';

export interface TreeSource {
  /** Of a folder, whatever has become of them. */
  children(folder: FolderId): readonly DeltaId[];
  row(table: string, key: string): Row | undefined;
  nameOf(account: AccountId): string;
}

export class FileTree {
  readonly #source: TreeSource;
  readonly #folders = new Map<string, Folder>();
  /** Where each item was last shown, to tell what moved. */
  readonly #parents = new Map<DeltaId, FolderId>();

  constructor(source: TreeSource) {
    this.#source = source;
  }

  item(id: DeltaId): Item | undefined {
    const row = this.#source.row(ITEMS, id);
    return row && itemFromRow(row);
  }

  version(id: DeltaId): Version | undefined {
    const row = this.#source.row(VERSIONS, id);
    if (!row) return undefined;
    const known = this.#versions.get(row);
    if (known) return known;
    const version = versionFromRow(row);
    this.#versions.set(row, version);
    return version;
  }

  /** Read once for each row: every save looks at many. */
  readonly #versions = new WeakMap<Row, Version>();

  /** What a version's content stands upon (F1). A version never changes, so this is found once. A member may make any chain long. */
  lineage(id: DeltaId): Lineage | undefined {
    const above: DeltaId[] = [];
    let lineage: Lineage | undefined;
    for (let at: DeltaId | undefined = id; at !== undefined;) {
      lineage = this.#lineages.get(at);
      const version: Version | undefined = lineage ? undefined : this.version(at);
      if (!version?.content) break;
      above.push(at);
      at = version.content.kind === 'patch' ? version.parents[0] : undefined;
    }
    for (const at of above.toReversed()) {
      lineage = lineage
        ? { bottom: lineage.bottom, patches: lineage.patches + 1 }
        : { bottom: this.version(at)!.content!, patches: 0 };
      this.#lineages.set(at, lineage);
    }
    return lineage;
  }

  readonly #lineages = new Map<DeltaId, Lineage>();

  /** The entry at `/a/b`; undefined where there is none. The root has no entry: ask `folder`. */
  at(path: string): TreeEntry | undefined {
    let folder: FolderId = undefined;
    let entry: TreeEntry | undefined;
    for (const name of partsOf(path)) {
      if (entry && !entry.item.folder) return undefined;
      entry = this.folder(folder).get(name);
      if (!entry) return undefined;
      folder = entry.id;
    }
    return entry;
  }

  folder(id: FolderId): ReadonlyMap<string, TreeEntry> {
    return this.#folder(id);
  }

  #folder(id: FolderId): Folder {
    const key = id ?? ROOT;
    const known = this.#folders.get(key);
    if (known) return known;
    const folder = this.#compute(id);
    this.#folders.set(key, folder);
    for (const entry of folder.values()) this.#parents.set(entry.id, id);
    return folder;
  }

  /** Whether a name would clash with one that is there, on some system (F4). */
  clashes(folder: FolderId, name: string): TreeEntry | undefined {
    const key = clashKey(name);
    for (const entry of this.folder(folder).values()) if (clashKey(entry.name) === key) return entry;
    return undefined;
  }

  /** The path shown for an item; undefined where it is not shown. */
  pathOf(id: FolderId): string | undefined {
    if (id === undefined) return '';
    const item = this.item(id);
    const above = item && this.pathOf(item.parent);
    if (above === undefined || !item) return undefined;
    for (const entry of this.folder(item.parent).values()) {
      if (entry.id === id && entry.conflictOf === undefined) return `${above}/${entry.name}`;
    }
    return undefined;
  }

  /** Takes changed rows in; answers what that does to the paths. Folders nobody has asked for yet report nothing. */
  apply(changes: readonly RowChange[]): readonly FileChange[] {
    const touched = new Set<string>();
    const contents = new Set<DeltaId>();
    const quick: FileChange[] = [];
    for (const change of changes) {
      if (change.table !== ITEMS) continue;
      const id = change.key as DeltaId;
      const item = change.row && itemFromRow(change.row);
      const replaced = item && this.#replaceVersion(id, item);
      if (replaced) {
        quick.push(...replaced);
        continue;
      }
      contents.add(id);
      if (this.#parents.has(id)) this.#touch(this.#parents.get(id), touched);
      if (item) this.#touch(item.parent, touched);
    }
    return [...quick, ...this.#anew(touched).flatMap((before) => this.#diff(before, contents))];
  }

  /** Lets go of what was computed of these, all at once, since of a folder within another it depends what that one shows. Answers what was shown. */
  #anew(touched: ReadonlySet<string>): readonly Shown[] {
    const shown = [...touched].flatMap((key): Shown | [] => {
      const folder = this.#folders.get(key);
      const id = key === ROOT ? undefined : (key as DeltaId);
      return folder ? { id, folder, path: this.pathOf(id) } : [];
    });
    for (const key of touched) this.#folders.delete(key);
    return shown;
  }

  /** The everyday change, a new version of a file that has one head before and after, leaves its folder's names as they are. */
  #replaceVersion(id: DeltaId, item: Item): readonly FileChange[] | undefined {
    const parent = this.#parents.get(id);
    const folder = parent === item.parent ? this.#folders.get(parent ?? ROOT) : undefined;
    const shown = folder && [...folder.values()].filter((entry) => entry.id === id);
    const before = shown?.length === 1 ? shown[0] : undefined;
    const [versionId, second] = item.heads;
    if (!folder || !before || before.item.name !== item.name || before.item.heads.length !== 1) return undefined;
    const version = versionId !== undefined && second === undefined ? this.version(versionId) : undefined;
    const above = this.pathOf(parent);
    if (!version?.live || versionId === undefined || above === undefined) return undefined;
    folder.set(before.name, { ...before, item, version, versionId });
    return isOnlyDeeper(before.item, item) ? [] : [{ path: `${above}/${before.name}`, type: 'changed' }];
  }

  /** A folder that was deleted shows as long as something in it lives: what changes in it may change it, too. */
  #touch(folder: FolderId, touched: Set<string>): void {
    for (let at = folder; ;) {
      touched.add(at ?? ROOT);
      const item = at === undefined ? undefined : this.item(at);
      if (!item || this.#liveHeads(item).length > 0) return;
      at = item.parent;
    }
  }

  #diff({ id, folder: before, path }: Shown, contents: ReadonlySet<DeltaId>): FileChange[] {
    const above = this.pathOf(id) ?? path;
    if (above === undefined) return [];
    const after = this.folder(id);
    const changes: FileChange[] = [];
    for (const [name, entry] of before) {
      const now = after.get(name);
      if (!now) changes.push({ path: `${above}/${name}`, type: 'deleted' });
      else if (now.versionId !== entry.versionId || now.id !== entry.id || contents.has(entry.id)) {
        if (!isOnlyDeeper(entry.item, now.item)) changes.push({ path: `${above}/${name}`, type: 'changed' });
      }
    }
    for (const name of after.keys()) if (!before.has(name)) changes.push({ path: `${above}/${name}`, type: 'created' });
    return changes;
  }

  #compute(folder: FolderId): Folder {
    const siblings = new Map<string, { input: SiblingInput; item: Item }>();
    for (const id of this.#source.children(folder)) {
      const item = this.item(id);
      if (item && this.#isShown(id, item)) siblings.set(id, { input: this.#sibling(id, item), item });
    }
    const shown = new Map<string, TreeEntry>();
    for (const one of presentFolder([...siblings.values()].map((s) => s.input))) {
      const id = one.item as DeltaId;
      const item = siblings.get(id)!.item;
      const versionId = (one.version || id) as DeltaId;
      const version = this.version(versionId);
      if (version)
        shown.set(one.shownName, { id, name: one.shownName, item, version, versionId, conflictOf: one.conflictOf });
    }
    return shown;
  }

  #isShown(id: DeltaId, item: Item): boolean {
    if (this.#liveHeads(item).length > 0) return true;
    return item.folder && this.folder(id).size > 0;
  }

  #sibling(id: DeltaId, item: Item): SiblingInput {
    const heads = item.folder ? [] : this.#liveHeads(item);
    return {
      item: id,
      name: item.name,
      kind: item.folder ? 'folder' : 'file',
      order: item.height.toString().padStart(12, '0') + id,
      heads: heads.map(([version, { author }]) => ({ version, memberName: this.#source.nameOf(author) })),
    };
  }

  /** Live heads in D6 order, equal content once (F2): the first is shown plainly, the later are the conflict copies. */
  #liveHeads(item: Item): readonly (readonly [DeltaId, Version])[] {
    const heads: [DeltaId, Version][] = [];
    for (const id of item.heads) {
      const version = this.version(id);
      if (version?.live) heads.push([id, version]);
    }
    heads.sort(([a, x], [b, y]) => x.height - y.height || (a < b ? -1 : 1));
    return heads.filter(([, version], i) => !heads.slice(0, i).some(([, earlier]) => sameContent(earlier, version)));
  }

  /** Live heads that the one shown stands for: itself and its equals. A new version names them all. */
  headsOf({ item, version, versionId }: TreeEntry): readonly DeltaId[] {
    return item.heads.filter((head) => {
      const other = this.version(head);
      return head === versionId || (other?.live === true && sameContent(other, version));
    });
  }
}

/** Whether a folder is as it was, but that another has come to stand deep in it: that is told of the other. */
function isOnlyDeeper(before: Item, now: Item): boolean {
  return now.folder && before.below !== now.below && before.heads.join() === now.heads.join();
}

export function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '');
}

export function sameContent(a: Version, b: Version): boolean {
  if (!a.content || !b.content) return false;
  return a.content.bytes === b.content.bytes && a.content.sha256.every((byte, i) => byte === b.content!.sha256[i]);
}
