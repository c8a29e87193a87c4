/** What is told of a chat whose tab is closed: there is no box any more that what was written could stand in. */
import * as vscode from 'vscode';
import type { Sending } from './chat-drafts.ts';
import { errorTrace } from './errors.ts';
import { notify } from './notify.ts';
import type { Say } from './say.ts';

export function failureDetail(): Readonly<Record<string, string>> {
  return { path: vscode.l10n.t('The message') };
}

/** What became of what the person did there: of what he was sending, or else of what he deleted. */
export function tellOfClosed(say: Say, error: unknown, sending: Sending | undefined): void {
  if (sending === undefined) void say.error(error, failureDetail());
  else void giveBack(say, error, sending);
}

async function giveBack(say: Say, error: unknown, { text, post }: Sending): Promise<void> {
  say.log.error(errorTrace(error));
  const words =
    post === undefined
      ? notSent(text)
      : vscode.l10n.t('Your change to a message was not saved, and its chat is closed: {0}', text);
  await offerCopy(`${say.textOf(error, failureDetail())} ${words}`, text);
}

/** Of what was written in chats that are no more. */
export async function giveBackDrafts(texts: readonly string[]): Promise<void> {
  const text = texts.join('\n');
  if (text !== '') await offerCopy(notSent(text), text);
}

function notSent(text: string): string {
  return vscode.l10n.t('Your message was not sent, and its chat is closed: {0}', text);
}

async function offerCopy(words: string, text: string): Promise<void> {
  const copy = vscode.l10n.t('Copy Message');
  if ((await notify('error', words, copy)) === copy) await vscode.env.clipboard.writeText(text);
}
