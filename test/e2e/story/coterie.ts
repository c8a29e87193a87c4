/** What a person does in Coterie, in the words of the story: through side bar, palette, tabs and the chat's page alone. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import type { Workbench } from '../driver/workbench.ts';

/** A long copy on a busy machine. */
export const COPY_PATIENCE_MS = 90_000;

export type InvitationTerms = 'ask me' | 'at once';

/** Invites by the palette; answers the link on the clipboard. */
export async function invite(window: Workbench, terms: InvitationTerms, workspace?: string): Promise<string> {
  await window.command('Coterie: Invite…');
  if (workspace !== undefined) await window.choose(workspace);
  await window.choose(/^participant/);
  await window.choose(terms === 'ask me' ? /^Ask me/ : /^Let them join at once/);
  await window.choose(/^7 days/);
  await window.toast('is on the clipboard').waitFor();
  return window.clipboard();
}

/** Pastes an invitation. */
export async function paste(window: Workbench, invitation: string): Promise<void> {
  await window.command('Coterie: Accept Invitation…');
  await window.answer(invitation);
}

/** The digits that two people compare, wherever they are shown. */
export async function safetyNumberIn(shown: Locator): Promise<string> {
  const text = await shown.innerText();
  const digits = /Safety number:\s*([\d ]+\d)/.exec(text)?.[1];
  assert.ok(digits, `no safety number in: ${text}`);
  return digits;
}

/** A sentence for people: nothing in it is of the program's inside. */
export async function sentenceOf(toast: Locator): Promise<string> {
  const text = (await toast.locator('.notification-list-item-message').innerText()).trim();
  assert.doesNotMatch(text, /\n\s*at |Error:|undefined|\[object|ECONN|^\w+$/, text);
  assert.match(text, /[.?!]$/, text);
  return text;
}

/** Waits for what an import or export says when it is done. */
export async function amountsOf(window: Workbench, done: 'added' | 'exported'): Promise<string> {
  const toast = window.toast(new RegExp(`\\d+ files? and \\d+ folders? ${done}`));
  await toast.waitFor({ timeout: COPY_PATIENCE_MS });
  return sentenceOf(toast);
}

/** Exports a folder that stands in the tree into a local one; answers where it then is. */
export async function exportFolder(window: Workbench, name: string, into: string): Promise<string> {
  await window.rowMenu(name, 'Export…');
  await window.chooseFolder(into);
  assert.doesNotMatch(await amountsOf(window, 'exported'), /left out/i);
  await window.clearToasts();
  return join(into, name);
}

/** Waits until this window says that every copy agrees and no content is on its way. */
export async function allInSync(window: Workbench): Promise<void> {
  const status = window.statusItem('Coterie').locator('.codicon-check-all');
  await status.waitFor({ timeout: COPY_PATIENCE_MS });
}

export async function showTree(window: Workbench): Promise<void> {
  await window.showSideBar('Coterie');
  await window.treeRow('Apollo').waitFor();
}

/** Opens a file of the shared folder as a tab. */
export async function openFile(window: Workbench, folder: string, name: string): Promise<void> {
  await showTree(window);
  await window.expand('Files');
  await window.expand(folder);
  await window.treeRow(name).click();
  await window.tab(name, '.active').waitFor();
  await window.editor.waitFor();
}

/** Types before what the active editor holds, and leaves it unsaved. */
export async function typeAtStart(window: Workbench, text: string): Promise<void> {
  await window.editor.click();
  await window.page.keyboard.press('Control+Home');
  await window.page.keyboard.type(text);
}

/** Waits until the active editor shows a text. */
export async function editorShows(window: Workbench, text: string): Promise<void> {
  await window.page.locator('.editor-instance .view-line', { hasText: text }).first().waitFor();
}

export async function saveTab(window: Workbench, name: string): Promise<void> {
  await window.save();
  await window.tab(name, ':not(.dirty)').waitFor();
}

// ---- chat -----------------------------------------------------------------------------------------------------------

/** Opens the chat by the palette; its box then has the keyboard. */
export async function openChat(window: Workbench): Promise<void> {
  await showTree(window); // in the palette only where there is a workspace: a window that starts learns of it a moment later
  await window.command('Coterie: Open Chat');
  await window.panel().locator('textarea:enabled:focus').waitFor();
}

/** Writes where the keyboard is. `shown` is how the page shows it, where that differs: a message is Markdown. */
export async function say(window: Workbench, text: string, shown = text.trim()): Promise<void> {
  await window.page.keyboard.type(text);
  await window.page.keyboard.press('Enter');
  await heard(window, shown);
}

export async function heard(window: Workbench, text: string): Promise<void> {
  await window.panel().locator('.post .body', { hasText: text }).waitFor();
}
