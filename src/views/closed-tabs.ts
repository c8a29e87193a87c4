/** What is erased is not to stay before the eyes: the tabs of a workspace that this person is out of close. One with unsaved text stays: it is his. */
import * as vscode from 'vscode';
import type { Disposable } from '../base/disposable.ts';
import { placeOf } from './files/place.ts';
import type { House } from './house.ts';

export function closeErasedTabs({ list, session }: House, closeChats: (workspace: string) => void): Disposable {
  let out: ReadonlySet<string> = new Set();
  let deleted: ReadonlySet<string> = new Set();
  return list.onChange(({ closed, workspaces }) => {
    // Who is back in it reads what is there, though work of before is kept.
    const now = new Set(closed.filter(({ isBack }) => !isBack).map(({ id }) => id));
    // A8: one that was deleted for all goes when its person removes it from the list. Without a connection there is no list.
    const removed = [...deleted].filter((id) => workspaces.every((one) => one.id !== id));
    const gone = [...[...now].filter((id) => !out.has(id)), ...(session.state.kind === 'open' ? removed : [])];
    out = now;
    deleted = new Set(workspaces.filter(({ state }) => state === 'closed').map(({ id }) => id));
    for (const id of gone) {
      closeChats(id);
      void vscode.window.tabGroups.close(cleanTabs(id), true);
    }
  });
}

function cleanTabs(workspace: string): vscode.Tab[] {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return tabs.filter(({ input, isDirty }) => !isDirty && placesOf(input).includes(workspace));
}

/** The workspaces whose files a tab shows. */
function placesOf(input: unknown): (string | undefined)[] {
  if (input instanceof vscode.TabInputTextDiff)
    return [input.original, input.modified].map((uri) => placeOf(uri)?.workspace);
  const isFile =
    input instanceof vscode.TabInputText ||
    input instanceof vscode.TabInputCustom ||
    input instanceof vscode.TabInputNotebook;
  return isFile ? [placeOf(input.uri)?.workspace] : [];
}
