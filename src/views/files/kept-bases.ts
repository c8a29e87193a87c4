/**
 * What unsaved text was typed upon, over a restart: VS Code brings the text back without reading the file, and a save that did not know its base
 * would be one upon what others have saved meanwhile (F2). It stands where VS Code keeps the text: with the window's folder, or workspace.
 */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable.ts';
import { placeOf } from './place.ts';
import type { Versions } from './versions.ts';

const KEY = 'coterie.bases';
/** Nobody has as many unsaved files. Of more the first are forgotten. */
const MAX_KEPT = 1000;

interface Written {
  readonly uri: vscode.Uri;
  readonly isDirty: boolean;
}

export class KeptBases implements Disposable {
  readonly #state: vscode.Memento;
  readonly #versions: Versions;
  readonly #kept: Map<string, string>;
  readonly #held = new DisposableStore();

  constructor(state: vscode.Memento, versions: Versions) {
    this.#state = state;
    this.#versions = versions;
    this.#kept = new Map(basesIn(state.get(KEY)));
    for (const [key, version] of this.#kept) versions.read(key, version);
    const { workspace } = vscode;
    const follow = (document: Written) => this.#follow(document);
    const forget = ({ uri }: Written) => this.#clean(uri.toString());
    this.#held.add(workspace.onDidOpenTextDocument(follow));
    this.#held.add(workspace.onDidChangeTextDocument(({ document }) => follow(document)));
    this.#held.add(workspace.onDidSaveTextDocument(forget));
    this.#held.add(workspace.onDidCloseTextDocument(forget));
    this.#held.add(workspace.onDidChangeNotebookDocument(({ notebook }) => follow(notebook)));
    this.#held.add(workspace.onDidSaveNotebookDocument(forget));
    this.#held.add(workspace.onDidCloseNotebookDocument(forget));
  }

  dispose(): void {
    this.#held.dispose();
  }

  #follow({ uri, isDirty }: Written): void {
    if (placeOf(uri) === undefined) return;
    const key = uri.toString();
    if (isDirty) this.#keep(key, this.#versions.base(key));
    else this.#clean(key);
  }

  #clean(key: string): void {
    this.#versions.adopt(key);
    this.#keep(key, undefined);
  }

  #keep(key: string, version: string | undefined): void {
    if (this.#kept.get(key) === version) return;
    this.#kept.delete(key);
    if (version !== undefined) this.#kept.set(key, version);
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    void this.#state.update(KEY, [...this.#kept]);
  }
}

/** As they were kept, by whichever version of this. */
function basesIn(kept: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(kept)) return [];
  const isBase = (one: unknown): one is readonly [string, string] =>
    Array.isArray(one) && one.length === 2 && one.every((part) => typeof part === 'string');
  return kept.filter(isBase);
}
