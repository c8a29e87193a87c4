/** Whole files and folders in and out: with amounts, a way to stop, and an account of what was left out. */
import * as vscode from 'vscode';
import type { CoterieApi, ImportReport } from '../../service/api.ts';
import { amount, growth } from '../amounts.ts';
import { counts } from '../counts.ts';
import type { FilePlace } from '../files/place.ts';
import type { House } from '../house.ts';
import { notify, notifyWhile } from '../notify.ts';
import { addsToSome } from '../rights.ts';
import { skipSentences } from '../sentences.ts';
import { asPlace, fileOf, pickFolder, pickTool, type ToolTarget } from '../targets.ts';

/** A dialog has room for them. */
const MAX_LISTED_PATHS = 10;

/** Called on a row, on an address, or on nothing; `paths` (texts or `file:` addresses) stand for the dialog's answer. */
export async function addFiles(house: House, argument?: unknown, paths?: unknown): Promise<ImportReport | undefined> {
  const on = await folderIfFolder(house, argument);
  if (on === GONE) return undefined;
  const target = await pickFolder(house, on, addsToSome('files'));
  if (target === undefined) return undefined;
  const chosen = localPaths(paths) ?? (await askLocalPaths());
  if (chosen === undefined || chosen.length === 0) return undefined;
  return add(house, target, chosen);
}

/** From the explorer: local files and folders were named, the place is asked for. */
export async function addToWorkspace(
  house: House,
  argument?: unknown,
  selection?: unknown,
): Promise<ImportReport | undefined> {
  const chosen = localPaths(selection) ?? localPaths([argument]);
  if (chosen === undefined) {
    void notify(
      'warning',
      vscode.l10n.t(
        'These files are not on the machine where Coterie runs, so they cannot be added from here. Nothing was changed.',
      ),
    );
    return undefined;
  }
  const target = await pickTool(house, undefined, 'files', addsToSome('files'));
  if (target === undefined || !(await mayAdd(target, chosen))) return undefined;
  return add(house, { workspace: target.workspace.id, tool: target.tool.id, path: '/' }, chosen);
}

/** Of what named the files nothing is known: the explorer looks the same as a link that runs the command. A single place picks itself. */
async function mayAdd({ workspace, tool }: ToolTarget, paths: readonly string[]): Promise<boolean> {
  const yes = vscode.l10n.t('Add');
  const more = paths.length - MAX_LISTED_PATHS;
  const detail = [
    ...paths.slice(0, MAX_LISTED_PATHS),
    ...(more > 0 ? [vscode.l10n.t('and {0} more', more)] : []),
    '',
    vscode.l10n.t('Every member gets a copy.'),
  ].join('\n');
  const question = vscode.l10n.t('Add to {0} in {1}?', tool.name, workspace.name);
  return (await vscode.window.showInformationMessage(question, { modal: true, detail }, yes)) === yes;
}

async function add(
  house: House,
  { workspace, tool, path }: FilePlace,
  paths: readonly string[],
): Promise<ImportReport | undefined> {
  const report = await transfer(house, vscode.l10n.t('Adding files'), (api, operation) =>
    api.importPaths(workspace, tool, path, paths, operation),
  );
  if (report !== undefined) void tell(house, report, vscode.l10n.t('added'));
  return report;
}

/** `folder` stands for the dialog's answer. */
export async function exportItem(
  house: House,
  argument?: unknown,
  folder?: unknown,
): Promise<ImportReport | undefined> {
  let place = fileOf(argument)?.place;
  if (place === undefined) {
    const target = await pickTool(house, argument, 'files');
    if (target === undefined) return undefined;
    place = { workspace: target.workspace.id, tool: target.tool.id, path: '/' };
  }
  const { workspace, tool, path } = place;
  const chosen = localPaths([folder])?.[0] ?? (await askFolder(vscode.l10n.t('Export Here')));
  if (chosen === undefined) return undefined;
  const report = await transfer(house, vscode.l10n.t('Exporting files'), (api, operation) =>
    api.exportPath(workspace, tool, path, chosen, operation),
  );
  if (report !== undefined) void tell(house, report, vscode.l10n.t('exported'));
  return report;
}

/** With its amounts shown, and a way to stop it. */
export async function transfer<T>(
  house: House,
  title: string,
  work: (api: CoterieApi, operation: string) => Promise<T>,
): Promise<T | undefined> {
  const operation = globalThis.crypto.randomUUID();
  return house.say.guard(async () => {
    const api = await house.session.api();
    return notifyWhile(title, async (progress, token) => {
      const cancelling = token.onCancellationRequested(() => void house.say.guard(() => api.cancel(operation)));
      let shown = 0;
      const following = house.session.events((event) => {
        if (event.type !== 'import' || event.operation !== operation) return;
        const { doneFiles, doneBytes, totalBytes = 0 } = event;
        const { increment, now } = growth(shown, doneBytes, totalBytes);
        shown = now;
        const done =
          totalBytes > 0 ? vscode.l10n.t('{0} of {1}', amount(doneBytes), amount(totalBytes)) : amount(doneBytes);
        progress.report({ message: `${counts.files(doneFiles)}, ${done}`, increment });
      });
      try {
        return await work(api, operation);
      } finally {
        cancelling.dispose();
        following.dispose();
      }
    });
  });
}

export async function tell(house: House, report: ImportReport, done: string): Promise<void> {
  const all = vscode.l10n.t(
    '{0} and {1} {2}, {3}.',
    counts.files(report.files),
    counts.folders(report.folders),
    done,
    amount(report.bytes),
  );
  const text = report.cancelled ? `${vscode.l10n.t('Cancelled. What was finished before is kept.')} ${all}` : all;
  if (report.skipped.length === 0) {
    await notify('information', text);
    return;
  }
  const show = vscode.l10n.t('Show Which');
  const answer = await notify(
    'warning',
    `${text} ${vscode.l10n.t('Left out, and as before: {0}.', counts.files(report.skipped.length))}`,
    show,
  );
  if (answer !== show) return;
  await showList(
    house,
    report.skipped.map(({ path, reason }) => `${path}: ${vscode.l10n.t(skipSentences[reason])}`),
  );
}

/** In a tab, to be read and copied. */
export async function showList(house: House, lines: readonly string[]): Promise<void> {
  await house.say.guard(async () => {
    const document = await vscode.workspace.openTextDocument({ content: lines.join('\n'), language: 'plaintext' });
    await vscode.window.showTextDocument(document);
  });
}

async function askLocalPaths(): Promise<readonly string[] | undefined> {
  const title = vscode.l10n.t('Add Files or Folder');
  const both = { canSelectFiles: true, canSelectFolders: true };
  const kinds = [
    { label: vscode.l10n.t('Files…'), canSelectFiles: true, canSelectFolders: false },
    { label: vscode.l10n.t('Folders…'), canSelectFiles: false, canSelectFolders: true },
  ];
  const kind = hasDialogForBoth() ? both : await vscode.window.showQuickPick(kinds, { title, placeHolder: title });
  if (kind === undefined) return undefined;
  const { canSelectFiles, canSelectFolders } = kind;
  const openLabel = vscode.l10n.t('Add');
  return localPaths(
    await vscode.window.showOpenDialog({ title, openLabel, canSelectFiles, canSelectFolders, canSelectMany: true }),
  );
}

/** The system's own of Windows and of Linux offers one of the two: asked for both, VS Code shows the one for folders. */
function hasDialogForBoth(): boolean {
  const isOwn = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
  const isSimple = vscode.workspace.getConfiguration('files').get('simpleDialog.enable') === true;
  return !isOwn || isSimple || process.platform === 'darwin';
}

/** A folder of this machine; `openLabel` says what will be done with it. */
export async function askFolder(openLabel: string): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: openLabel,
    openLabel,
    canSelectFiles: false,
    canSelectFolders: true,
    canSelectMany: false,
  });
  return localPaths(chosen)?.[0];
}

/** Paths on the disk of the machine where we run; undefined where the value names none, as a menu's second argument. */
function localPaths(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return typeof value === 'string' ? [value] : undefined;
  const paths = value.map((one: unknown) => {
    if (typeof one === 'string') return one;
    return one instanceof vscode.Uri && one.scheme === 'file' ? one.fsPath : undefined;
  });
  const found = paths.filter((path) => path !== undefined);
  return found.length > 0 && found.length === paths.length ? found : undefined;
}

/** What was named is not there any more, and that has been said. */
const GONE = Symbol();

/** An address from the explorer says nothing of its kind: a folder is added into, a file is added beside. */
async function folderIfFolder(house: House, argument: unknown): Promise<unknown> {
  const place = asPlace(argument);
  if (place === undefined || place.path === '/') return argument;
  const workspace = house.list.workspace(place.workspace);
  if (workspace === undefined) return argument;
  const entry = await house.say.guard(async () =>
    (await house.session.api()).stat(place.workspace, place.tool, place.path),
  );
  return entry === undefined ? GONE : { kind: 'entry', workspace, tool: place.tool, path: place.path, entry };
}
