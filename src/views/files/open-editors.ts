/**
 * Open tabs of shared files. A clean one is refreshed by VS Code itself, from the file system's events. A dirty one is left alone, and its
 * person is told, once for each newer version. One whose content is not here yet shows it once it is. What a person looks at counts as seen.
 */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable.ts';
import type { House } from '../house.ts';
import { notify } from '../notify.ts';
import { errorSentence } from '../sentences.ts';
import { Awaited } from './awaited.ts';
import { isUnsaved } from './open-files.ts';
import { baseName, type FilePlace, placeOf } from './place.ts';
import type { CoterieFiles } from './provider.ts';
import { uriOf } from './uri.ts';

export class OpenEditors implements Disposable {
  readonly #house: House;
  readonly #files: CoterieFiles;
  readonly #held = new DisposableStore();
  /** The version that the person of a dirty tab was told of. */
  readonly #told = new Map<string, string>();
  readonly #awaited = new Awaited({
    stat: async ({ workspace, tool, path }) => (await this.#house.session.api()).stat(workspace, tool, path),
    show: (place) => void this.#show(place),
  });

  constructor(house: House, files: CoterieFiles) {
    this.#house = house;
    this.#files = files;
    this.#held.add(house.session.events(({ type }) => type === 'workspaces' && void this.#awaited.look()));
    this.#held.add(
      files.onDidChangeFile((changes) => {
        for (const { uri, type } of changes) {
          const place = type === vscode.FileChangeType.Deleted ? undefined : placeOf(uri);
          if (place === undefined) continue;
          void this.#warn(place);
          if (isActive(place)) void this.#seen(place);
        }
      }),
    );
    this.#held.add(files.onLacking((place) => void this.#await(place)));
    this.#held.add(vscode.window.tabGroups.onDidChangeTabs(() => this.#lookAtActive()));
    this.#held.add(vscode.window.tabGroups.onDidChangeTabGroups(() => this.#lookAtActive()));
    this.#held.add(vscode.workspace.onDidCloseTextDocument(({ uri }) => void this.#told.delete(uri.toString())));
  }

  dispose(): void {
    this.#held.dispose();
  }

  #lookAtActive(): void {
    const place = activePlace();
    if (place !== undefined) void this.#seen(place);
  }

  async #seen(place: FilePlace): Promise<void> {
    const api = this.#house.session.current;
    if (api === undefined || !vscode.window.state.focused) return;
    try {
      const entry = await api.stat(place.workspace, place.tool, place.path);
      if (entry.unread) await api.markSeen(place.workspace, place.tool, entry.item);
    } catch {
      // Gone meanwhile, or the connection is: it stays unread.
    }
  }

  /** VS Code's own page for a tab that has failed says that it has, and no more. Who reads without a tab is not spoken to. */
  async #await(place: FilePlace): Promise<void> {
    if (tabsOf(place).length === 0) return;
    this.#awaited.add(place);
    const sentence = errorSentence('notPresent', { reason: 'opened' });
    await this.#house.say.once(`notPresent ${uriOf(place).toString()}`, sentence, { path: place.path });
  }

  /** As the button of that page would, in each group where the tab is in front; one behind reads when it comes forward. */
  async #show(place: FilePlace): Promise<void> {
    for (const { group, isActive, isPreview } of tabsOf(place)) {
      if (!isActive) continue;
      const options = { viewColumn: group.viewColumn, preserveFocus: true, preview: isPreview };
      await vscode.commands.executeCommand('vscode.open', uriOf(place), options);
    }
  }

  async #warn(place: FilePlace): Promise<void> {
    const uri = uriOf(place);
    const key = uri.toString();
    const api = this.#house.session.current;
    if (api === undefined || !isUnsaved(key)) return;
    try {
      await this.#files.versions.settled(key);
      const entry = await api.stat(place.workspace, place.tool, place.path);
      // Our own save, or told already.
      if (entry.version === this.#files.versions.base(key) || entry.version === this.#told.get(key)) return;
      // It may have been saved while we asked.
      if (!isUnsaved(key)) return;
      this.#told.set(key, entry.version);
      await this.#tell(uri, place, entry.modifiedBy);
    } catch {
      // Gone meanwhile: VS Code shows that itself.
    }
  }

  async #tell(uri: vscode.Uri, place: FilePlace, author: string): Promise<void> {
    const compare = vscode.l10n.t('Compare');
    const members = this.#house.list.workspace(place.workspace)?.members ?? [];
    const name = members.find(({ account }) => account === author)?.name ?? author;
    const answer = await notify(
      'warning',
      vscode.l10n.t(
        '{file} was changed by {member} while you are editing it. Your text is kept. Compare the two; when you save, nothing of either is lost.',
        { file: baseName(place.path), member: name },
      ),
      compare,
    );
    if (answer !== compare) return;
    await vscode.window.showTextDocument(uri);
    await vscode.commands.executeCommand('workbench.files.action.compareWithSaved');
  }
}

function isActive(place: FilePlace): boolean {
  const active = activePlace();
  return active !== undefined && isSame(active, place);
}

function isSame(a: FilePlace, b: FilePlace): boolean {
  return a.path === b.path && a.tool === b.tool && a.workspace === b.workspace;
}

function tabsOf(place: FilePlace): readonly vscode.Tab[] {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter((tab) => {
      const shown = placeIn(tab);
      return shown !== undefined && isSame(shown, place);
    });
}

function activePlace(): FilePlace | undefined {
  const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
  return tab && placeIn(tab);
}

function placeIn({ input }: vscode.Tab): FilePlace | undefined {
  if (
    input instanceof vscode.TabInputText ||
    input instanceof vscode.TabInputCustom ||
    input instanceof vscode.TabInputNotebook
  ) {
    return placeOf(input.uri);
  }
  return undefined;
}
