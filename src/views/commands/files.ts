/** Commands on single shared files and folders. */
import * as vscode from 'vscode';
import { baseName, childPath, parentPath } from '../files/place.ts';
import { uriOf } from '../files/uri.ts';
import type { House } from '../house.ts';
import { notify } from '../notify.ts';
import { askName, type FileTarget, fileInFront, fileOf, pickFolder, pickTool } from '../targets.ts';
import { addsToSome } from '../rights.ts';
import { doneSentences } from '../sentences.ts';
import type { Node } from '../tree-nodes.ts';

export async function newFile(house: House, argument?: unknown, given?: unknown): Promise<void> {
  const folder = await pickFolder(house, argument, addsToSome('files'));
  const name = folder && (typeof given === 'string' ? given : await askName(vscode.l10n.t('New File')));
  if (folder === undefined || name === undefined) return;
  const place = { ...folder, path: childPath(folder.path, name) };
  await house.say.guard(
    async () => {
      const api = await house.session.api();
      const options = { create: true, overwrite: false };
      const version = await api.write(place.workspace, place.tool, place.path, new Uint8Array(), options);
      // A name that some system refuses is shown as another one (F4).
      const entries = await api.list(folder.workspace, folder.tool, folder.path);
      const shown = entries.find((entry) => entry.version === version)?.name ?? name;
      await vscode.commands.executeCommand('vscode.open', uriOf({ ...folder, path: childPath(folder.path, shown) }));
    },
    { path: place.path, name },
  );
}

export async function newFolder(house: House, argument?: unknown, given?: unknown): Promise<void> {
  const folder = await pickFolder(house, argument, addsToSome('files'));
  const name = folder && (typeof given === 'string' ? given : await askName(vscode.l10n.t('New Folder')));
  if (folder === undefined || name === undefined) return;
  const path = childPath(folder.path, name);
  await house.say.guard(async () => (await house.session.api()).makeFolder(folder.workspace, folder.tool, path), {
    path,
    name,
  });
}

/** Through VS Code's own edit, so that open tabs follow the file. */
export async function renameItem(house: House, selected: Selected, argument?: unknown): Promise<void> {
  const target = targetOf(selected, argument);
  if (target === undefined || target.place.path === '/') return;
  const { place } = target;
  const old = baseName(place.path);
  const dot = target.kind === 'file' ? old.lastIndexOf('.') : -1;
  const name = await askName(vscode.l10n.t('Rename'), old, [0, dot > 0 ? dot : old.length]);
  if (name === undefined || name === old) return;
  const path = childPath(parentPath(place.path), name);
  await house.say.guard(
    async () => {
      const api = await house.session.api();
      const edit = new vscode.WorkspaceEdit();
      edit.renameFile(uriOf(place), uriOf({ ...place, path }), { overwrite: false });
      if (await vscode.workspace.applyEdit(edit)) return;
      // The edit says only that it did not work: the service says why.
      await api.rename(place.workspace, place.tool, place.path, path, { overwrite: false });
    },
    { path, name },
  );
}

export async function deleteItem(house: House, selected: Selected, argument?: unknown): Promise<void> {
  const target = targetOf(selected, argument);
  if (target === undefined || target.place.path === '/') return;
  const { workspace, tool, path } = target.place;
  const look = async (): Promise<string> => (await (await house.session.api()).stat(workspace, tool, path)).version;
  await house.say.guard(
    async () => {
      const asked = await look();
      if (!(await mayDelete(target))) return;
      // The question may have stood for long: what has come meanwhile its person has not seen.
      if ((await look()) !== asked) return void house.say.show(doneSentences.changedMeanwhile, { path });
      await (await house.session.api()).remove(workspace, tool, path, { recursive: true });
    },
    { path },
  );
}

async function mayDelete({ place, kind }: FileTarget): Promise<boolean> {
  const yes = vscode.l10n.t('Delete');
  const answer = await vscode.window.showWarningMessage(
    // Whole: there may be an index.ts in every folder.
    vscode.l10n.t('Delete {0}, for every member?', place.path.slice(1)),
    { modal: true, ...(kind === 'folder' ? { detail: vscode.l10n.t('What is in the folder goes too.') } : {}) },
    yes,
  );
  return answer === yes;
}

export async function copyPath(selected: Selected, argument?: unknown): Promise<void> {
  const target = targetOf(selected, argument);
  if (target !== undefined) await vscode.env.clipboard.writeText(target.place.path);
}

/** Shows a tool's files, or a folder of them, in VS Code's explorer beside the local folders. */
export async function openAsFolder(house: House, argument?: unknown): Promise<void> {
  const folder = fileOf(argument);
  const target = await pickTool(house, argument, 'files');
  if (target === undefined) return;
  const { workspace, tool } = target;
  const path = folder?.place.path ?? '/';
  const uri = uriOf({ workspace: workspace.id, tool: tool.id, path });
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.some((one) => one.uri.toString() === uri.toString())) {
    await vscode.commands.executeCommand('revealInExplorer', uri);
    return;
  }
  const name = [workspace.name, tool.name, ...(path === '/' ? [] : [baseName(path)])].join(' – ');
  vscode.workspace.updateWorkspaceFolders(folders.length, 0, { uri, name });
}

export type Selected = () => Node | undefined;

/** What the keys of the tree hand over (package.json): whoever presses one there means no file that is open somewhere. */
const SELECTION = 'selection';

/** A row or an address; from the palette the file in front, which the person sees, before a row that he may have left long ago. */
function targetOf(selected: Selected, argument: unknown): FileTarget | undefined {
  const target = namedBy(selected, argument);
  if (target === undefined) {
    void notify('information', vscode.l10n.t('No file or folder is selected in the Coterie view. Click one first.'));
  }
  return target;
}

function namedBy(selected: Selected, argument: unknown): FileTarget | undefined {
  if (argument === undefined) return fileInFront() ?? fileOf(selected());
  return fileOf(argument === SELECTION ? selected() : argument);
}
