/** The chat's page as VS Code loads it: nothing may run or load but our own script and style sheet. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { chatPage } from './chat-page.ts';

export function chatHtml(webview: vscode.Webview, folder: vscode.Uri): string {
  const nonce = randomBytes(16).toString('base64url');
  const source = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  return chatPage({ policy, nonce, style: source('main.css'), script: source('main.js') });
}
