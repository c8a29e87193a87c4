/** Shared files as VS Code's own: every operation of a file system, each one call of the service. */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable.ts';
import type { CoterieApi, FileEntry } from '../../service/api.ts';
import { errorCode } from '../errors.ts';
import type { House } from '../house.ts';
import { addsTo, edits } from '../rights.ts';
import { doneSentences } from '../sentences.ts';
import { copyAcross, moveAcross } from './across.ts';
import { isOpen, isUnsaved, openFiles } from './open-files.ts';
import { baseName, type FilePlace, placeOf } from './place.ts';
import { requirePlace, uriOf } from './uri.ts';
import { Versions } from './versions.ts';
import { readWhole } from './whole.ts';

/** VS Code stats once right after a save; by then it has, and may be told that what stands there is another version. */
const AFTER_SAVE_MS = [50, 1000];

export class CoterieFiles implements vscode.FileSystemProvider, Disposable {
  readonly #house: House;
  readonly #changes = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly #lacking = new vscode.EventEmitter<FilePlace>();
  readonly #held = new DisposableStore();
  readonly versions = new Versions();

  constructor(house: House) {
    this.#house = house;
    this.#held.add(this.#changes);
    this.#held.add(this.#lacking);
    this.#held.add(house.session.onState(({ kind }) => kind === 'open' && this.#lookAgain()));
    this.#held.add(
      house.session.events((event) => {
        if (event.type !== 'files') return;
        const { workspace, tool } = event;
        this.#changes.fire(
          event.changes.map(({ path, type }) => ({ type: changeTypes[type], uri: uriOf({ workspace, tool, path }) })),
        );
        const remain = event.changes.filter(({ type }) => type !== 'deleted').map(({ path }) => path);
        void this.#tellBelow({ workspace, tool }, remain);
      }),
    );
  }

  get onDidChangeFile(): vscode.Event<vscode.FileChangeEvent[]> {
    return this.#changes.event;
  }

  /** Somebody reads a file whose content is not here, and nobody who has it. */
  get onLacking(): vscode.Event<FilePlace> {
    return this.#lacking.event;
  }

  /** The service tells of every change, watched or not. */
  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const place = requirePlace(uri);
    return this.#mapped(uri, async (api) => {
      if (place.path === '/') return this.#root(uri, place);
      const entry = await api.stat(place.workspace, place.tool, place.path);
      return this.#statOf(uri, place, entry);
    });
  }

  async readDirectory(uri: vscode.Uri): Promise<[string, vscode.FileType][]> {
    const { workspace, tool, path } = requirePlace(uri);
    return this.#mapped(uri, async (api) => {
      const entries = await api.list(workspace, tool, path);
      return entries.map(({ name, kind }): [string, vscode.FileType] => [name, fileTypes[kind]]);
    });
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const place = requirePlace(uri);
    return this.#orLacking(place, uri, async (api) => {
      const whole = await readWhole(api, place);
      if (whole === undefined) throw vscode.FileSystemError.FileIsADirectory(uri);
      const key = uri.toString();
      // Whoever compares, or another extension: the unsaved text is not upon that.
      if (isUnsaved(key)) this.versions.readBeside(key, whole.version);
      else this.versions.read(key, whole.version);
      return whole.bytes;
    });
  }

  async writeFile(
    uri: vscode.Uri,
    content: Uint8Array,
    options: { readonly create: boolean; readonly overwrite: boolean },
  ): Promise<void> {
    const { workspace, tool, path } = requirePlace(uri);
    const key = uri.toString();
    await this.#mapped(uri, async (api) => {
      const base = this.versions.base(key);
      const { create, overwrite } = options;
      // Exactly these bytes: what VS Code gives may be a view into something larger.
      const bytes = content.slice();
      const change = { create, overwrite, ...(base === undefined ? {} : { base }) };
      const write = api.write(workspace, tool, path, bytes, change).then((written) => {
        this.versions.read(key, written);
        return written;
      });
      this.versions.writing(key, write);
      const version = await write;
      const shown = await this.#shownAfter(api, { workspace, tool, path });
      if (shown.version !== version) this.#readAgain(uri);
    });
  }

  async createDirectory(uri: vscode.Uri): Promise<void> {
    const { workspace, tool, path } = requirePlace(uri);
    await this.#mapped(uri, (api) => api.makeFolder(workspace, tool, path));
  }

  async delete(uri: vscode.Uri, options: { readonly recursive: boolean }): Promise<void> {
    const { workspace, tool, path } = requirePlace(uri);
    await this.#mapped(uri, async (api) => {
      await api.remove(workspace, tool, path, { recursive: options.recursive });
      this.versions.forget(uri.toString());
    });
  }

  async rename(from: vscode.Uri, to: vscode.Uri, options: { readonly overwrite: boolean }): Promise<void> {
    const [source, target] = [requirePlace(from), requirePlace(to)];
    await this.#mapped(from, async (api) => {
      if (sameTool(source, target)) {
        await api.rename(source.workspace, source.tool, source.path, target.path, { overwrite: options.overwrite });
        this.versions.forget(to.toString());
        this.versions.move(from.toString(), to.toString());
      } else {
        // Between workspaces the content is the same and everything else is not: it is added there, then removed here.
        const isWhole = await moveAcross(api, source, target, options.overwrite);
        if (!isWhole) void this.#house.say.show(doneSentences.movedInPart, { path: source.path });
        this.versions.forget(from.toString());
      }
    });
  }

  async copy(from: vscode.Uri, to: vscode.Uri, options: { readonly overwrite: boolean }): Promise<void> {
    const [source, target] = [requirePlace(from), requirePlace(to)];
    await this.#mapped(from, async (api) => {
      if (sameTool(source, target)) {
        await api.copy(source.workspace, source.tool, source.path, target.path, { overwrite: options.overwrite });
      } else {
        await copyAcross(api, source, target, options.overwrite);
      }
    });
  }

  dispose(): void {
    this.#held.dispose();
  }

  /** What changed while nobody told, or in the last moments of an owner that died: tabs ask for it. */
  #lookAgain(): void {
    const open = openFiles().filter(({ uri }) => placeOf(uri) !== undefined);
    if (open.length > 0) this.#changes.fire(open.map(({ uri }) => ({ type: vscode.FileChangeType.Changed, uri })));
  }

  /**
   * Of a folder that is back, or that another has taken the place of, the service tells as of one; and VS Code looks at open files only
   * where they are told of themselves. What it holds for deleted it reads again where it is created.
   */
  async #tellBelow(tool: Omit<FilePlace, 'path'>, folders: readonly string[]): Promise<void> {
    for (const { uri } of openFiles()) {
      const place = placeOf(uri);
      if (place === undefined || !sameTool(place, tool)) continue;
      if (!folders.some((folder) => place.path.startsWith(`${folder}/`))) continue;
      const isThere = await this.stat(uri).then(
        () => true,
        (error: unknown) =>
          error instanceof vscode.FileSystemError && error.code === 'FileNotFound' ? false : undefined,
      );
      if (isThere !== undefined) this.#changes.fire([{ type: changeTypes[isThere ? 'created' : 'deleted'], uri }]);
    }
  }

  async #root(uri: vscode.Uri, { workspace, tool }: FilePlace): Promise<vscode.FileStat> {
    const { list } = this.#house;
    if (list.tool(workspace, tool) === undefined) await list.reload();
    if (list.tool(workspace, tool)?.kind !== 'files') throw vscode.FileSystemError.FileNotFound(uri);
    return {
      type: vscode.FileType.Directory,
      ctime: 0,
      mtime: 0,
      size: 0,
      ...this.#permissions(workspace, tool, 'folder'),
    };
  }

  #statOf(uri: vscode.Uri, place: FilePlace, entry: FileEntry): vscode.FileStat {
    return {
      type: fileTypes[entry.kind],
      ctime: entry.created,
      mtime: this.versions.stat(uri.toString(), entry.version, entry.modified),
      size: entry.bytes,
      ...this.#permissions(place.workspace, place.tool, entry.kind),
    };
  }

  /** Who may not write sees an editor that does not take what it could not keep. */
  #permissions(
    workspace: string,
    tool: string,
    kind: FileEntry['kind'],
  ): { readonly permissions?: vscode.FilePermission } {
    const info = this.#house.list.tool(workspace, tool);
    const isTaken = info === undefined || (kind === 'folder' ? addsTo(info) : edits(info));
    return isTaken ? {} : { permissions: vscode.FilePermission.Readonly };
  }

  /** Somebody else may have moved the file meanwhile: the save went well, but not where VS Code looks. */
  async #shownAfter(api: CoterieApi, { workspace, tool, path }: FilePlace): Promise<FileEntry> {
    try {
      return await api.stat(workspace, tool, path);
    } catch (error) {
      if (errorCode(error) !== 'notFound') throw error;
      throw vscode.FileSystemError.Unavailable(
        vscode.l10n.t(
          '“{0}” was saved, and then moved, renamed or deleted by somebody else. Nothing was lost: look for it in the workspace.',
          baseName(path),
        ),
      );
    }
  }

  /** What was saved has become a conflict copy: the tab, which believes to show it, reads what stands there. */
  #readAgain(uri: vscode.Uri): void {
    for (const delay_ms of AFTER_SAVE_MS) {
      const timer = setTimeout(() => {
        this.versions.touch(uri.toString());
        this.#changes.fire([{ type: vscode.FileChangeType.Changed, uri }]);
      }, delay_ms);
      this.#held.add({ dispose: () => clearTimeout(timer) });
    }
  }

  /** A reading that tells of what is not here. */
  async #orLacking<T>(place: FilePlace, uri: vscode.Uri, read: (api: CoterieApi) => Promise<T>): Promise<T> {
    return this.#mapped(
      uri,
      async (api) => {
        try {
          return await read(api);
        } catch (error) {
          if (errorCode(error) === 'notPresent') this.#lacking.fire(place);
          throw error;
        }
      },
      { reason: 'opened' },
    );
  }

  async #mapped<T>(
    uri: vscode.Uri,
    work: (api: CoterieApi) => Promise<T>,
    detail: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    try {
      return await work(await this.#house.session.api());
    } catch (error) {
      if (error instanceof vscode.FileSystemError) throw error;
      // What is typed in a tab that shows it, now or later, is upon what that has read, though another item may come to stand there.
      if (errorCode(error) === 'notFound' && !isOpen(uri.toString())) this.versions.forget(uri.toString());
      throw this.#fileSystemError(error, uri, detail);
    }
  }

  #fileSystemError(error: unknown, uri: vscode.Uri, detail: Readonly<Record<string, string>>): vscode.FileSystemError {
    const text = this.#house.say.textOf(error, { path: placeOf(uri)?.path ?? '', ...detail });
    switch (errorCode(error)) {
      case 'notFound':
        return vscode.FileSystemError.FileNotFound(uri);
      case 'exists':
        // Of the two that a move names VS Code knows not which; nor that the name is taken in other letters (F4).
        return vscode.FileSystemError.FileExists(text);
      case 'notAFolder':
        return vscode.FileSystemError.FileNotADirectory(uri);
      case 'isAFolder':
        return vscode.FileSystemError.FileIsADirectory(uri);
      case 'notPermitted':
        return vscode.FileSystemError.NoPermissions(text);
      case 'noIdentity':
      case 'notEmpty':
      case 'badName':
      case 'notPresent':
      case 'tooLarge':
      case 'diskFull':
      case 'storeFailed':
      case 'locked':
      case 'inUse':
      case 'stopped':
      case 'cancelled':
        return vscode.FileSystemError.Unavailable(text);
      default:
        this.#house.say.log.error(`file system: ${errorCode(error)}`);
        return vscode.FileSystemError.Unavailable(text);
    }
  }
}

const fileTypes = { file: vscode.FileType.File, folder: vscode.FileType.Directory } as const;

const changeTypes = {
  created: vscode.FileChangeType.Created,
  changed: vscode.FileChangeType.Changed,
  deleted: vscode.FileChangeType.Deleted,
} as const;

function sameTool(a: Omit<FilePlace, 'path'>, b: Omit<FilePlace, 'path'>): boolean {
  return a.workspace === b.workspace && a.tool === b.tool;
}
