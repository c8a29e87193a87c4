/** The Files tool as its users see it: paths in, entries and bytes out (F1–F4). */
import { joinBytes } from '../base/bytes.ts';
import type { DeltaId, ToolId } from '../base/ids.ts';
import { MAX_PATCH_CHAIN } from '../protocol/limits.ts';
import type { ChunkRef, Content } from '../tools/files/content.ts';
import { filesBody, type FilesDelta, type FolderId } from '../tools/files/deltas.ts';
import type { Version } from '../tools/files/rows.ts';
import { nameProblem, safeName } from '../tools/files/safe-name.ts';
import type { Entry } from '../sync/replica.ts';
import {
  type CallKey,
  ServiceError,
  type FileEntry,
  type ImportReport,
  type RemoveOptions,
  type WriteOptions,
} from './api.ts';
import type { ByteCache } from './byte-cache.ts';
import { partsOf, sameContent, type FileTree, type TreeEntry } from './file-tree.ts';
import { ImportInto } from './import-into.ts';
import type { Bridges, ExportEntry, ParentContent, Progress } from './ports.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

export class Files {
  readonly #workspace: SharedWorkspace;
  readonly #tool: ToolId;
  readonly #cache: ByteCache;

  constructor(workspace: SharedWorkspace, tool: ToolId, cache: ByteCache) {
    this.#workspace = workspace;
    this.#tool = tool;
    this.#cache = cache;
  }

  get #tree(): FileTree {
    return this.#workspace.tree(this.#tool);
  }

  // ---- looking ----------------------------------------------------------------------------------------------------------

  stat(path: string): FileEntry {
    if (partsOf(path).length === 0) return this.#rootEntry();
    return this.#describe(this.#find(path));
  }

  list(path: string): readonly FileEntry[] {
    return [...this.#tree.folder(this.#folderAt(path)).values()].map((entry) => this.#describe(entry));
  }

  async read(path: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
    const entry = this.#find(path);
    if (entry.item.folder) throw new ServiceError('isAFolder', { path });
    const bytes = await this.#guard(path, () => this.#bytesOf(entry.versionId, range));
    this.#workspace.see(this.#tool, entry.id);
    return bytes;
  }

  #find(path: string): TreeEntry {
    const entry = this.#tree.at(path);
    if (!entry) throw new ServiceError('notFound', { path });
    return entry;
  }

  #folderAt(path: string): FolderId {
    if (partsOf(path).length === 0) return undefined;
    const entry = this.#find(path);
    if (!entry.item.folder) throw new ServiceError('notAFolder', { path });
    return entry.id;
  }

  #rootEntry(): FileEntry {
    const blank = { bytes: 0, modified: 0, created: 0, modifiedBy: '', version: '', present: true, unread: false };
    return { item: '', name: '', kind: 'folder', ...blank };
  }

  #describe({ id, name, item, version, versionId, conflictOf }: TreeEntry): FileEntry {
    const { content } = version;
    return {
      item: id,
      name,
      kind: item.folder ? 'folder' : 'file',
      bytes: content?.bytes ?? 0,
      modified: version.time,
      created: item.created,
      modifiedBy: this.#workspace.nameOf(version.author),
      version: versionId,
      present: this.#isPresent(versionId),
      unread: this.#workspace.unread.has(this.#tool, id),
      ...(conflictOf === undefined ? {} : { conflictOf }),
    };
  }

  /** A difference is no more here than what it stands upon. */
  #isPresent(versionId: DeltaId): boolean {
    const lineage = this.#tree.lineage(versionId);
    return !lineage || !this.#workspace.lacks(lineage.bottom);
  }

  // ---- bytes ------------------------------------------------------------------------------------------------------------

  async #bytesOf(
    versionId: DeltaId,
    range?: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array> {
    const content = this.#content(versionId);
    const cached = this.#cache.get(versionId);
    if (cached) return range ? cached.subarray(range.offset, range.offset + range.length) : cached;
    if (range && content.kind === 'chunks') {
      const parts: Uint8Array[] = [];
      for await (const part of this.#workspace.contents.read(content, range)) parts.push(part);
      return joinBytes(parts);
    }
    const bytes = await this.#whole(versionId);
    this.#cache.put(versionId, bytes);
    return range ? bytes.subarray(range.offset, range.offset + range.length) : bytes;
  }

  #whole(versionId: DeltaId): Promise<Uint8Array> {
    const chain = this.#chain(versionId);
    return chain.length === 1
      ? this.#workspace.contents.readAll(chain[0]!)
      : this.#workspace.contents.resolvePatched(chain);
  }

  #content(versionId: DeltaId): Content {
    const content = this.#tree.version(versionId)?.content;
    if (!content) throw new ServiceError('notFound', {});
    return content;
  }

  /** The content in chunks at the bottom, then the differences upon it. */
  #chain(versionId: DeltaId): readonly Content[] {
    const chain: Content[] = [];
    for (let at: DeltaId | undefined = versionId; at !== undefined && chain.length <= MAX_PATCH_CHAIN;) {
      const version: Version | undefined = this.#tree.version(at);
      if (!version?.content) break;
      chain.unshift(version.content);
      at = version.content.kind === 'patch' ? version.parents[0] : undefined;
    }
    return chain;
  }

  #parentContent(versionId: DeltaId): ParentContent | undefined {
    const content = this.#tree.version(versionId)?.content;
    const lineage = this.#tree.lineage(versionId);
    if (!content || !lineage) return undefined;
    return { content, chain: lineage.patches, read: () => this.#bytesOf(versionId).catch(() => undefined) };
  }

  /** What is not here, or not as it was written, is fetched first of all: waited for as long as somebody is there to send it. */
  async #guard<T>(path: string, work: () => Promise<T>): Promise<T> {
    for (let last: string | undefined; ;) {
      try {
        return await work();
      } catch (error) {
        const lacking = this.#repair(error, path);
        const key = lacking.map((ref) => ref.id).join();
        if (key === last || !(await this.#workspace.exchange.fetch(lacking)))
          throw new ServiceError('notPresent', { path });
        last = key;
      }
    }
  }

  /** The chunks that a read has failed for. Throws what no fetching mends. */
  #repair(error: unknown, path: string): readonly ChunkRef[] {
    if (!(error instanceof Error)) throw error;
    const { missing, chunk } = error as { readonly missing?: readonly ChunkRef[]; readonly chunk?: ChunkRef };
    if (error.name === 'ContentMissing' && missing) return missing;
    if (error.name === 'ContentTooLarge') throw new ServiceError('tooLarge', { path });
    if (error.name !== 'ContentDamaged') throw error;
    if (!chunk) throw new ServiceError('notPresent', { path, reason: 'damaged' });
    this.#workspace.exchange.replace(chunk);
    return [chunk];
  }

  // ---- changing ---------------------------------------------------------------------------------------------------------

  async write(path: string, bytes: Uint8Array, options: WriteOptions, call?: CallKey): Promise<string> {
    const entry = this.#tree.at(path);
    if (!entry) {
      if (!options.create) throw new ServiceError('notFound', { path });
      return this.#create(path, bytes, call);
    }
    if (entry.item.folder) throw new ServiceError('isAFolder', { path });
    if (!options.overwrite) throw new ServiceError('exists', { path });
    return this.#guard(path, () => this.#newVersion(entry, bytes, options.base as DeltaId | undefined, call));
  }

  async #create(path: string, bytes: Uint8Array, call?: CallKey): Promise<string> {
    const { parent, name } = this.#newPlace(path);
    const content = await this.#guard(path, () => this.#workspace.contents.writeBytes(bytes));
    const version = await this.#author([{ kind: 'file', parent, name, content }], call);
    this.#cache.put(version, bytes);
    return version;
  }

  /** Upon what the writer had read (F2): where somebody was quicker, both stay, and where another file stands there by now. */
  async #newVersion(entry: TreeEntry, bytes: Uint8Array, base: DeltaId | undefined, call?: CallKey): Promise<string> {
    const parents = this.#parentsOf(entry, base);
    const parent = parents.length === 1 ? this.#parentContent(parents[0]!) : undefined;
    const bottom = parents.length > 0 ? this.#tree.lineage(parents[0]!)?.bottom : entry.version.content;
    const reuse = (bottom && (await this.#workspace.contents.chunkRefs(bottom))) ?? [];
    const content = await this.#workspace.contents.writeBytes(bytes, parent, { reuse });
    const beside: FilesDelta = { kind: 'file', parent: entry.item.parent, name: entry.name, content };
    const version = await this.#author([parents.length > 0 ? { kind: 'ver', parents, content } : beside], call);
    this.#cache.put(version, bytes);
    return version;
  }

  /**
   * What a new version stands upon. Where the writer had read what stood there before as another file, a version of that one: be it deleted, it is there
   * again by that. None where nobody knows any more what he had read: then a file beside this one.
   */
  #parentsOf(entry: TreeEntry, base: DeltaId | undefined): readonly DeltaId[] {
    if (base === undefined || base === entry.versionId) return this.#tree.headsOf(entry);
    const read = this.#tree.version(base);
    if (!read?.content) return [];
    // Under whatever id, nothing stands there that he has not seen.
    return sameContent(read, entry.version) ? this.#tree.headsOf(entry) : [base];
  }

  async makeFolder(path: string, call?: CallKey): Promise<void> {
    const { parent, name } = this.#newPlace(path);
    await this.#author([{ kind: 'folder', parent, name }], call);
  }

  async remove(path: string, { recursive, version }: RemoveOptions, call?: CallKey): Promise<void> {
    const entry = this.#find(path);
    if (version !== undefined && entry.versionId !== version) throw new ServiceError('notFound', { path });
    if (!recursive && [...this.#below(entry)].length > 1) throw new ServiceError('notEmpty', { path });
    // VS Code replaces a file by deleting it first: a conflict copy that took the name meanwhile would be what is replaced.
    const room = version === undefined ? this.#makeRoom(entry) : this.#delsOf([entry]);
    const moves = room.some(({ kind }) => kind === 'move');
    await this.#author(room, call).catch((error: unknown) => {
      // Who may delete and not edit cannot give the copy its own name.
      if (!moves || !(error instanceof ServiceError && error.code === 'notPermitted')) throw error;
      return this.#author(this.#delsOf([entry]), call);
    });
  }

  /**
   * Given by its path a file goes alone: what stands beside it stays. What falls with a folder falls whole, what is in it first. One for each
   * item: none stands upon another that is written with it.
   */
  #delsOf(entries: readonly TreeEntry[]): readonly FilesDelta[] {
    const parents = new Map<DeltaId, readonly DeltaId[]>();
    for (const entry of entries.filter(({ item }) => !item.folder))
      parents.set(entry.id, [...(parents.get(entry.id) ?? []), ...this.#tree.headsOf(entry)]);
    const folders = entries
      .filter(({ item }) => item.folder)
      .flatMap((folder) => [...this.#below(folder)].toReversed());
    for (const { id, item } of folders) parents.set(id, item.heads);
    return [...parents.values()].map((heads): FilesDelta => ({ kind: 'del', parents: heads }));
  }

  /** The entry and everything in it, each item once. */
  *#below(entry: TreeEntry): Generator<TreeEntry> {
    yield entry;
    if (!entry.item.folder) return;
    for (const child of this.#tree.folder(entry.id).values())
      if (child.conflictOf === undefined) yield* this.#below(child);
  }

  /** All at once, or nothing of it: what is overwritten goes only where something takes its place. */
  async rename(from: string, to: string, options: { readonly overwrite: boolean }, call?: CallKey): Promise<void> {
    const entry = this.#find(from);
    if (to !== from && isWithin(to, from)) throw new ServiceError('badName', { path: to });
    const taken = this.#taken(from, to, entry, options.overwrite);
    const { parent, name } = this.#placeBeside(to, [entry, taken]);
    if (entry.conflictOf !== undefined) return this.#renameCopy(entry, { from, to, taken }, call);
    const move: FilesDelta = { kind: 'move', item: entry.id, parent, name };
    await this.#author([move, ...this.#makeRoom(taken, entry)], call);
  }

  /** A conflict copy has no item of its own yet: it becomes one. In place of what it stands beside it settles the conflict. */
  async #renameCopy(
    entry: TreeEntry,
    { from, to, taken }: { readonly from: string; readonly to: string; readonly taken: TreeEntry | undefined },
    call?: CallKey,
  ): Promise<void> {
    const content = await this.#ownContent(entry, from);
    const others = this.#copiesOf(entry).filter((copy) => copy.versionId !== entry.versionId);
    if (taken?.id === entry.id && taken.conflictOf === undefined && others.length === 0) {
      const parents = [...this.#tree.headsOf(taken), ...this.#tree.headsOf(entry)];
      await this.#author([{ kind: 'ver', parents, content }], call);
      return;
    }
    const { parent, name } = this.#placeBeside(to, [entry, taken]);
    const file: FilesDelta = { kind: 'file', parent, name, content };
    await this.#author([...this.#makeRoom(taken, entry), file], call);
  }

  /** What takes several steps, as a folder, is done with the last: `call` goes with that one. */
  async copy(from: string, to: string, options: { readonly overwrite: boolean }, call?: CallKey): Promise<void> {
    const entry = this.#find(from);
    if (isWithin(to, from)) throw new ServiceError('exists', { path: to });
    const taken = this.#taken(from, to, entry, options.overwrite);
    this.#placeBeside(to, [taken]);
    // Whatever can fail for want of content, or of room for it, does so before anything is written.
    const contents = new Map<DeltaId, Content>();
    for (const { path, entry: one } of this.#from(entry, partsOf(from).slice(0, -1).join('/')))
      if (!one.item.folder) contents.set(one.versionId, await this.#ownContent(one, `/${path}`));
    await this.#copyInto(entry, to, contents, taken, call);
  }

  async #copyInto(
    entry: TreeEntry,
    to: string,
    contents: ReadonlyMap<DeltaId, Content>,
    taken: TreeEntry | undefined,
    call: CallKey | undefined,
  ): Promise<void> {
    const { parent, name } = this.#placeBeside(to, [taken]);
    const room = this.#makeRoom(taken);
    if (!entry.item.folder) {
      const content = contents.get(entry.versionId) ?? (await this.#ownContent(entry, to));
      await this.#author([...room, { kind: 'file', parent, name, content }], call);
      return;
    }
    const children = [...this.#tree.folder(entry.id).values()];
    const last = children.at(-1);
    await this.#author([...room, { kind: 'folder', parent, name }], last ? undefined : call);
    for (const child of children)
      await this.#copyInto(child, `${to}/${child.name}`, contents, undefined, child === last ? call : undefined);
  }

  /** What stands where another is to go. Throws where it is not to be overwritten. */
  #taken(from: string, to: string, entry: TreeEntry, overwrite: boolean): TreeEntry | undefined {
    const taken = this.#tree.at(to);
    if (!taken || (taken.id === entry.id && taken.versionId === entry.versionId)) return undefined;
    if (!overwrite) throw new ServiceError('exists', { path: to });
    // A folder cannot give way to what is in it.
    if (isWithin(from, to)) throw new ServiceError('notEmpty', { path: to });
    return taken;
  }

  /**
   * Removes what is overwritten by `entry`, and that too where it is a conflict copy. One beside what is overwritten stays, under the name that it
   * has. Of one item what moves it comes first: who looks at what is not written yet finds no version in it that is new.
   */
  #makeRoom(taken: TreeEntry | undefined, entry?: TreeEntry): readonly FilesDelta[] {
    const gone = [taken, entry?.conflictOf === undefined ? undefined : entry].filter((one) => one !== undefined);
    const stays = taken && this.#copiesOf(taken).find((copy) => gone.every((one) => one.versionId !== copy.versionId));
    const isMoved = entry?.conflictOf === undefined && entry?.id === taken?.id;
    const deltas: FilesDelta[] = [];
    if (stays && taken.conflictOf === undefined && !isMoved)
      deltas.push({ kind: 'move', item: stays.id, parent: stays.item.parent, name: stays.name });
    return [...deltas, ...this.#delsOf(gone)];
  }

  /** The conflict copies of a file. */
  #copiesOf({ id, item }: TreeEntry): readonly TreeEntry[] {
    return [...this.#tree.folder(item.parent).values()].filter((one) => one.id === id && one.conflictOf !== undefined);
  }

  /** A difference stands upon its parent alone: what becomes a file gets chunks of its own. */
  async #ownContent({ versionId }: TreeEntry, path: string): Promise<Content> {
    const content = this.#content(versionId);
    if (content.kind === 'chunks') return content;
    return this.#guard(path, async () => this.#workspace.contents.writeBytes(await this.#bytesOf(versionId)));
  }

  #newPlace(path: string): { readonly parent: FolderId; readonly name: string } {
    return this.#placeBeside(path, []);
  }

  /** Beside a name that is the same to some system it would be shown under another (F4): none may have it but those who leave. */
  #placeBeside(
    path: string,
    leaving: readonly (TreeEntry | undefined)[],
  ): { readonly parent: FolderId; readonly name: string } {
    const place = this.#place(path);
    const clash = this.#tree.clashes(place.parent, place.name);
    const leaves = leaving.some((one) => one?.id === clash?.id && one?.versionId === clash?.versionId);
    if (clash && !leaves) throw new ServiceError('exists', { path });
    return place;
  }

  #place(path: string): { readonly parent: FolderId; readonly name: string } {
    const parts = partsOf(path);
    const name = parts.at(-1) ?? '';
    const problem = nameProblem(name);
    // What would be shown under another name is refused here; from outside it still comes, and is shown safely (F4).
    if (problem !== undefined || safeName(name) !== name)
      throw new ServiceError('badName', { path, problem: problem ?? 'system' });
    return { parent: this.#folderAt(parts.slice(0, -1).join('/')), name };
  }

  /** Answers the last one's id. */
  async #author(deltas: readonly FilesDelta[], call?: CallKey): Promise<DeltaId> {
    const entries = deltas.map((delta): Entry => ({ tool: this.#tool, kind: delta.kind, body: filesBody(delta) }));
    const nodes = await this.#workspace.author(entries, call);
    return nodes.at(-1)!.delta.id;
  }

  // ---- real folders -----------------------------------------------------------------------------------------------------

  async import(
    bridges: Bridges,
    folder: string,
    localPaths: readonly string[],
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ): Promise<ImportReport> {
    const sink = new ImportInto(this.#workspace, this.#tool, this.#tree, this.#folderAt(folder));
    const report = await bridges.importPaths(localPaths, { signal, sink, onProgress });
    await sink.flush();
    return report;
  }

  export(
    bridges: Bridges,
    path: string,
    into: string,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ): Promise<ImportReport> {
    const shown = partsOf(path).length === 0 ? this.#within(undefined, '') : this.#from(this.#find(path), '');
    return bridges.exportEntries(this.#exported(shown), { into, signal, onProgress });
  }

  *#exported(shown: Iterable<Shown>): Generator<ExportEntry> {
    for (const { path, entry } of shown) {
      if (entry.item.folder) yield { kind: 'folder', path };
      else yield { kind: 'file', path, modified: entry.version.time, read: () => this.#streamOf(entry.versionId) };
    }
  }

  /** What is in a folder, each folder before what is in it. */
  *#within(folder: FolderId, above: string): Generator<Shown> {
    for (const entry of this.#tree.folder(folder).values()) yield* this.#from(entry, above);
  }

  *#from(entry: TreeEntry, above: string): Generator<Shown> {
    const path = above === '' ? entry.name : `${above}/${entry.name}`;
    yield { path, entry };
    if (entry.item.folder) yield* this.#within(entry.id, path);
  }

  // ---- into another workspace -------------------------------------------------------------------------------------------

  get bytes(): number {
    return [...this.#within(undefined, '')].reduce((sum, { entry }) => sum + (entry.version.content?.bytes ?? 0), 0);
  }

  /**
   * Everything that is shown here now, into an empty tool of another workspace, as new files of this person (A7). What is not here, and
   * nobody is there to send, is left out. A signal ends it; what was begun is signed then all the same, so that whoever takes it back
   * finds every chunk.
   */
  async carryInto(other: Files, signal: AbortSignal, onCarried: (carried: CarriedFile) => void): Promise<void> {
    const sink = new ImportInto(other.#workspace, other.#tool, other.#tree, undefined);
    try {
      for (const { path, entry } of this.#within(undefined, '')) {
        if (signal.aborted) return;
        if (entry.item.folder) {
          await sink.folder(path);
          onCarried({ path, kind: 'folder', bytes: 0 });
          continue;
        }
        const isHere = await this.#carryFile(sink, path, entry, signal);
        const bytes = isHere ? (entry.version.content?.bytes ?? 0) : 0;
        onCarried({ path, kind: isHere ? 'file' : 'absent', bytes });
      }
    } finally {
      await sink.flush();
    }
  }

  async #carryFile(sink: ImportInto, path: string, entry: TreeEntry, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#guard(path, () => sink.file(path, untilAborted(signal, this.#streamOf(entry.versionId))));
      return true;
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'notPresent') return false;
      throw error;
    }
  }

  async *#streamOf(versionId: DeltaId): AsyncIterable<Uint8Array> {
    const content = this.#content(versionId);
    if (content.kind === 'chunks') yield* this.#workspace.contents.read(content);
    else yield await this.#bytesOf(versionId);
  }
}

/** One step of carrying over. */
export interface CarriedFile {
  readonly path: string;
  /** `absent`: its content is not here, and it was left out. */
  readonly kind: 'file' | 'folder' | 'absent';
  readonly bytes: number;
}

interface Shown {
  /** Within what is walked, without a slash in front. */
  readonly path: string;
  readonly entry: TreeEntry;
}

function isWithin(path: string, folder: string): boolean {
  return `${path}/`.startsWith(`${folder}/`);
}

/** A name beside one that is taken. */
export function freeName(tree: FileTree, parent: FolderId, name: string): string {
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let n = 2; ; n++) {
    const candidate = `${stem} (${n})${extension}`;
    if (!tree.clashes(parent, candidate)) return candidate;
  }
}

async function* untilAborted(signal: AbortSignal, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const piece of source) {
    if (signal.aborted) return;
    yield piece;
  }
}
