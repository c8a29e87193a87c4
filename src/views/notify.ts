/**
 * The one door to VS Code's notifications (lint bans the others): what goes through it holds no link. Our own words have none there, so
 * that whole texts are made plain, and a link that two names would make together is none either. A dialog reads no links.
 */
import * as vscode from 'vscode';
import { plain } from './plain.ts';
import type { Severity } from './sentences.ts';

export function notify(severity: Severity, text: string, ...buttons: readonly string[]): Thenable<string | undefined> {
  switch (severity) {
    case 'error':
      return vscode.window.showErrorMessage(plain(text), ...buttons);
    case 'warning':
      return vscode.window.showWarningMessage(plain(text), ...buttons);
    case 'information':
      return vscode.window.showInformationMessage(plain(text), ...buttons);
  }
}

type Progress = vscode.Progress<{ readonly message?: string; readonly increment?: number }>;

/** A notification for as long as `work` goes on, with a button that cancels. */
export function notifyWhile<T>(
  title: string,
  work: (progress: Progress, token: vscode.CancellationToken) => Thenable<T>,
): Thenable<T> {
  const location = vscode.ProgressLocation.Notification;
  return vscode.window.withProgress({ location, title: plain(title), cancellable: true }, (progress, token) =>
    work({ report: ({ message, ...rest }) => progress.report({ ...rest, ...plainMessage(message) }) }, token),
  );
}

function plainMessage(message: string | undefined): { readonly message?: string } {
  return message === undefined ? {} : { message: plain(message) };
}
