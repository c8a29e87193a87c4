/** Where imported files go: their content is stored as it streams, their deltas are signed in batches (F1, F4). */
import type { ToolId } from '../base/ids.ts';
import { StoreError } from '../sync/ports.ts';
import type { Entry } from '../sync/replica.ts';
import type { Content } from '../tools/files/content.ts';
import { filesBody, type FolderId } from '../tools/files/deltas.ts';
import type { FileTree, TreeEntry } from './file-tree.ts';
import { NamesThere } from './names-there.ts';
import type { ImportSink } from './ports.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** Added files are signed and made durable together, this many at a time: one fsync for all, and one look at the folder that they come into. */
const IMPORT_BATCH = 128;
const IMPORT_BATCH_BYTES = 32 * 1024 * 1024;

interface Imported {
  readonly path: string;
  readonly content: Content;
}

export class ImportInto implements ImportSink {
  readonly #workspace: SharedWorkspace;
  readonly #tool: ToolId;
  readonly #tree: FileTree;
  readonly #folders: Map<string, FolderId>;
  #waiting: Imported[] = [];
  #waitingBytes = 0;
  #turn: Promise<void> = Promise.resolve();
  /** What this import has brought up to date, by its id; and what it has added, by its place. */
  readonly #met = new Set<string>();

  constructor(workspace: SharedWorkspace, tool: ToolId, tree: FileTree, root: FolderId) {
    this.#workspace = workspace;
    this.#tool = tool;
    this.#tree = tree;
    this.#folders = new Map([['', root]]);
  }

  async folder(path: string): Promise<void> {
    const { parent, name } = this.#placeOf(path);
    const existing = this.#existing(parent, name, this.#namesIn(parent, 'folder'));
    if (existing) {
      this.#folders.set(path, existing.id);
      return;
    }
    const body = filesBody({ kind: 'folder', parent, name });
    const nodes = await this.#workspace.author([{ tool: this.#tool, kind: 'folder', body }]);
    this.#folders.set(path, nodes.at(-1)!.delta.id);
  }

  async file(path: string, stream: AsyncIterable<Uint8Array>): Promise<void> {
    const content = await this.#workspace.contents.writeStream(stream, { sync: false });
    this.#waiting.push({ path, content });
    this.#waitingBytes += content.bytes;
    if (this.#waiting.length >= IMPORT_BATCH || this.#waitingBytes >= IMPORT_BATCH_BYTES) await this.flush();
  }

  /** One after the other: several files end at once. */
  flush(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#flush());
    return this.#turn;
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    [this.#waiting, this.#waitingBytes] = [[], 0];
    await this.#workspace.syncContent();
    await this.#demandKept(batch);
    await this.#workspace.author(this.#entriesOf(batch));
  }

  /** Whose own name stands there comes first: a file that is read sooner, and is shown under that name, would take its place. */
  #entriesOf(batch: readonly Imported[]): readonly Entry[] {
    const there = new Map<FolderId, NamesThere>();
    const placed = batch.map(({ path, content }) => {
      const { parent, name } = this.#placeOf(path);
      const names = there.get(parent) ?? this.#namesIn(parent, 'file');
      there.set(parent, names);
      return { parent, name, names, content };
    });
    const named = new Set(placed.filter(({ names, name }) => names.own(name).some((entry) => this.#isFree(entry))));
    return [...named, ...placed.filter((one) => !named.has(one))].map(({ parent, name, names, content }) =>
      this.#entryOf(parent, name, names, content),
    );
  }

  /** A chunk whose fsync has failed is given up, and only whoever had asked for that fsync is told (L2). */
  async #demandKept(batch: readonly { readonly content: Content }[]): Promise<void> {
    for (const { content } of batch) {
      const missing = await this.#workspace.contents.missing(content);
      if (missing.length > 0) throw new StoreError('io', 'what was imported is not on the disk');
    }
  }

  /**
   * A file that is there already gets a new version; adding a folder again brings it up to date. What is new goes under the name that it has on
   * the disk: others have it safely, and once (F4).
   */
  #entryOf(parent: FolderId, name: string, names: NamesThere, content: Content): Entry {
    const existing = this.#existing(parent, name, names);
    if (!existing) return { tool: this.#tool, kind: 'file', body: filesBody({ kind: 'file', parent, name, content }) };
    const parents = this.#tree.headsOf(existing);
    return { tool: this.#tool, kind: 'ver', body: filesBody({ kind: 'ver', parents, content }) };
  }

  /**
   * What was added before from under this name, by the name that it was given, not the one that is shown: two whose names differ in their case
   * alone are two here, too. Else what is shown by it, as what was exported is; or what another system spells with other marks (NFC). Each once in an
   * import: no two of its files are made one.
   */
  #existing(parent: FolderId, name: string, names: NamesThere): TreeEntry | undefined {
    const place = (own: string) => `${parent ?? ''}/${own}`;
    const isOther = (entry: TreeEntry) => this.#isFree(entry) && !this.#met.has(place(entry.item.name));
    const found =
      names.own(name).find((entry) => this.#isFree(entry)) ??
      names.shown(name).find(isOther) ??
      names.composed(name).find(isOther);
    this.#met.add(found ? found.id : place(name));
    return found;
  }

  /** Not met in this import yet. */
  #isFree({ id }: TreeEntry): boolean {
    return !this.#met.has(id);
  }

  #namesIn(parent: FolderId, kind: 'file' | 'folder'): NamesThere {
    const isFolder = kind === 'folder';
    const all = [...this.#tree.folder(parent).values()];
    return new NamesThere(all.filter(({ item, conflictOf }) => conflictOf === undefined && item.folder === isFolder));
  }

  #placeOf(path: string): { readonly parent: FolderId; readonly name: string } {
    const cut = path.lastIndexOf('/');
    return { parent: this.#folders.get(cut < 0 ? '' : path.slice(0, cut)), name: path.slice(cut + 1) };
  }
}
