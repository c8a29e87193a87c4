/** The person's settings, as the service takes them; and their name, asked for once. */
import { execFile } from 'node:child_process';
import { hostname, userInfo } from 'node:os';
import * as vscode from 'vscode';
import type { Settings } from '../service/api.ts';

const SECTION = 'coterie';
const DIRECT_PORT = 2492;
const ABSENT_AFTER_DAYS = 21;

const MAX_PORT = 65_535;

export function readSettings(): Settings {
  return {
    relay: textIn('relay'),
    name: textIn('displayName') || accountName(),
    deviceName: textIn('deviceName') || hostname(),
    directPort: read('directPort', isPort, DIRECT_PORT),
    lanDiscovery: read('lanDiscovery', (value) => typeof value === 'boolean', true),
    absentAfterDays: read('absentAfterDays', (value) => typeof value === 'number', ABSENT_AFTER_DAYS),
  };
}

/** Of a text that is set, without blanks around it. */
export function textIn(name: 'relay' | 'displayName' | 'deviceName'): string {
  return read(name, (value) => typeof value === 'string', '').trim();
}

/** VS Code hands on whatever stands there: what is no valid value counts as not set. */
function read<T>(name: string, isValid: (value: unknown) => value is T, otherwise: T): T {
  const value = vscode.workspace.getConfiguration(SECTION).get<unknown>(name);
  return isValid(value) ? value : otherwise;
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_PORT;
}

export function changesSettings(event: vscode.ConfigurationChangeEvent): boolean {
  return event.affectsConfiguration(SECTION);
}

export async function setRelay(address: string): Promise<void> {
  await vscode.workspace.getConfiguration(SECTION).update('relay', address, vscode.ConfigurationTarget.Global);
}

/** Asks under which name others shall see this person, unless they have said so; false where they would not. */
export async function ensureName(): Promise<boolean> {
  if (textIn('displayName') !== '') return true;
  const name = await vscode.window.showInputBox({
    title: vscode.l10n.t('Your Name'),
    prompt: vscode.l10n.t('The name under which other members see you. You can change it in the settings.'),
    value: (await gitName()) ?? accountName(),
    ignoreFocusOut: true,
    validateInput: (value) => (value.trim() === '' ? vscode.l10n.t('A name is needed.') : undefined),
  });
  if (name === undefined) return false;
  const settings = vscode.workspace.getConfiguration(SECTION);
  await settings.update('displayName', name.trim(), vscode.ConfigurationTarget.Global);
  return true;
}

/** Not every system has an account name to tell (a container without a password file has none). */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'me';
  }
}

function gitName(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('git', ['config', '--global', 'user.name'], { timeout: 2000 }, (error, stdout) => {
      const name = stdout.trim();
      resolve(error === null && name !== '' ? name : undefined);
    });
  });
}
