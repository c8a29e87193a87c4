/** Unread counts: as badges on rows, on the icon of the activity bar, and in the explorer where a workspace is opened as a folder. */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import { badge } from './amounts.ts';
import { placeOf, SCHEME } from './files/place.ts';
import type { House } from './house.ts';
import { unreadWords } from './tree-item.ts';

export class UnreadDecorations implements vscode.FileDecorationProvider, Disposable {
  readonly #house: House;
  readonly #changes = new vscode.EventEmitter<vscode.Uri[] | undefined>();
  readonly #held = new DisposableStore();

  constructor(house: House) {
    this.#house = house;
    this.#held.add(this.#changes);
    this.#held.add(house.list.onChange(() => this.#changes.fire(undefined)));
  }

  get onDidChangeFileDecorations(): vscode.Event<vscode.Uri[] | undefined> {
    return this.#changes.event;
  }

  async provideFileDecoration(uri: vscode.Uri): Promise<vscode.FileDecoration | undefined> {
    if (uri.scheme !== SCHEME) return undefined;
    const place = placeOf(uri);
    if (place === undefined) return counted(this.#house.list.workspace(uri.authority)?.unread);
    if (place.path === '/') return counted(this.#house.list.tool(place.workspace, place.tool)?.unread);
    // A tool without unread content has no unread file: nothing to ask.
    if ((this.#house.list.tool(place.workspace, place.tool)?.unread ?? 0) === 0) return undefined;
    try {
      const entry = await this.#house.session.current?.stat(place.workspace, place.tool, place.path);
      return entry?.unread === true ? decoration('●', vscode.l10n.t('unread')) : undefined;
    } catch {
      return undefined;
    }
  }

  dispose(): void {
    this.#held.dispose();
  }
}

function counted(unread = 0): vscode.FileDecoration | undefined {
  return unread === 0 ? undefined : decoration(badge(unread), unreadWords(unread).join(''));
}

function decoration(text: string, tooltip: string): vscode.FileDecoration {
  return new vscode.FileDecoration(text, tooltip, new vscode.ThemeColor('coterie.unreadForeground'));
}

/** Keeps the number on the icon of the activity bar. */
export function showUnreadOn(view: vscode.TreeView<unknown>, house: House): Disposable {
  return house.list.onChange(() => {
    const { unread } = house.list;
    view.badge = unread === 0 ? undefined : { value: unread, tooltip: unreadWords(unread).join('') };
  });
}
