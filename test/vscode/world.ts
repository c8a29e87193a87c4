/** The extension as VS Code runs it here, its real service, and ways to wait for what happens. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { TestDoor } from '../../src/extension.ts';
import type { CoterieApi, ToolInfo } from '../../src/service/api.ts';
import { uriOf } from '../../src/views/files/uri.ts';

export function extension(): vscode.Extension<TestDoor | undefined> {
  const found = vscode.extensions.getExtension<TestDoor | undefined>('coterie.coterie');
  assert.ok(found, 'the extension is installed');
  return found;
}

export async function door(): Promise<TestDoor> {
  const opened = await extension().activate();
  assert.ok(opened, 'a test gets the door');
  return opened;
}

export interface World {
  readonly api: CoterieApi;
  readonly workspace: string;
  readonly files: ToolInfo;
  readonly chat: ToolInfo;
  /** The address of a path in the workspace's files. */
  uri(path: string): vscode.Uri;
}

/** A workspace of its own for a suite, in the one store of this VS Code. */
export async function makeWorld(name: string): Promise<World> {
  const { house } = (await door()).window;
  await vscode.workspace.getConfiguration('coterie').update('displayName', 'Alice', vscode.ConfigurationTarget.Global);
  const workspace = await vscode.commands.executeCommand<string>('coterie.createWorkspace', name);
  const info = house.list.workspace(workspace);
  assert.ok(info, 'the workspace stands in the list');
  const files = info.tools.find(({ kind }) => kind === 'files');
  const chat = info.tools.find(({ kind }) => kind === 'chat');
  assert.ok(files && chat, 'it has files and a chat');
  const api = await house.session.api();
  return { api, workspace, files, chat, uri: (path) => uriOf({ workspace, tool: files.id, path }) };
}

/** The next event that fits; subscribe before doing what causes it. */
export function next<T>(event: vscode.Event<T>, fits: (value: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const subscription = event((value) => {
      if (!fits(value)) return;
      subscription.dispose();
      resolve(value);
    });
  });
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (content: Uint8Array): string => new TextDecoder().decode(content);

export async function closeTabs(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}
