/** *Show What Was Not Accepted…*: what this person has written that has no effect, why, and ways to take it over (D9). */
import * as vscode from 'vscode';
import type { WorkInfo } from '../../service/api.ts';
import type { House } from '../house.ts';
import { notify } from '../notify.ts';
import { reasonWords } from '../sentences.ts';
import { pickWorkspace } from '../targets.ts';
import { saveWork } from './members.ts';

/** In letters: a row has room for twice as many. */
const MAX_LABEL = 48;

export async function showNotAccepted(house: House, argument?: unknown): Promise<void> {
  const workspace = await pickWorkspace(house, argument);
  if (workspace === undefined) return;
  const work = await house.say.guard(async () => (await house.session.api()).notAccepted(workspace.id));
  if (work === undefined) return;
  if (work.length === 0) {
    void notify('information', vscode.l10n.t('All that you wrote in {0} was accepted.', workspace.name));
    return;
  }
  const all = { label: `$(save-all) ${vscode.l10n.t('Save All in a Folder…')}`, work: undefined };
  const title = vscode.l10n.t('Not accepted in {0}', workspace.name);
  const placeHolder = vscode.l10n.t('A message opens as text, to be copied; files are saved in a folder.');
  const chosen = await vscode.window.showQuickPick([all, ...work.map(rowOf)], { title, placeHolder });
  if (chosen === undefined) return;
  if (chosen.work?.kind === 'post') await openText(house, chosen.work.text);
  else await saveWork(house, { kind: 'workspace', workspace });
}

function rowOf(work: WorkInfo) {
  const first = work.text.split('\n').find((line) => line.trim() !== '') ?? '';
  const name = short(work.kind === 'file' ? work.name : first);
  const at = new Date(work.time).toLocaleString(vscode.env.language, { dateStyle: 'medium', timeStyle: 'short' });
  return {
    label:
      work.kind === 'file'
        ? `$(file) ${name || vscode.l10n.t('A file')}`
        : `$(comment) ${name || vscode.l10n.t('A message')}`,
    description: [work.toolName, at].filter((part) => part !== '').join(' · '),
    detail: vscode.l10n.t(reasonWords(work.reason)),
    work,
  };
}

/** Where and when it was written is to be seen beside it. */
function short(text: string): string {
  const letters = [...text.trim()];
  return letters.length > MAX_LABEL ? `${letters.slice(0, MAX_LABEL).join('')}…` : text.trim();
}

async function openText(house: House, content: string): Promise<void> {
  await house.say.guard(async () => {
    const document = await vscode.workspace.openTextDocument({ content, language: 'markdown' });
    await vscode.window.showTextDocument(document);
  });
}
