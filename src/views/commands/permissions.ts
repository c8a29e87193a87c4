/** *Permissions…*: what participants and guests may do in a workspace and its tools (A5). Managers change it, everybody sees it. */
import * as vscode from 'vscode';
import type { PermissionAction, PermissionInfo, PermissionScope, WorkspaceInfo } from '../../service/api.ts';
import type { House } from '../house.ts';
import {
  changed,
  changesTo,
  changesToDefault,
  permissionsOf,
  scopesOf,
  widest,
  type PermissionChange,
} from '../permission-choices.ts';
import { manages } from '../rights.ts';
import { asNode, pickWorkspace } from '../targets.ts';

type Role = PermissionInfo['role'];
const ROLES: readonly Role[] = ['participant', 'guest'];

/** On a workspace, on a tool, or on what is picked. Goes on until the person leaves the list. */
export async function permissions(house: House, argument?: unknown): Promise<void> {
  const workspace = await pickWorkspace(house, argument);
  if (workspace === undefined) return;
  const node = asNode(argument);
  const own = node?.kind === 'tool' ? node.tool.kind : undefined;
  for (;;) {
    const all = await house.say.guard(async () => (await house.session.api()).permissions(workspace.id));
    if (all === undefined) return;
    const scope = own ?? (await pickScope(workspace, all));
    if (scope === undefined) return;
    const choice = await pickRole(workspace, scope, permissionsOf(all, scope));
    // Back to the list that one came from; where there was none, out.
    if (choice === undefined && own !== undefined) return;
    if (choice !== undefined) await change(house, workspace, scope, permissionsOf(all, scope), choice);
  }
}

async function pickScope(
  workspace: WorkspaceInfo,
  all: readonly PermissionInfo[],
): Promise<PermissionScope | undefined> {
  const rows = scopesOf(all).map((scope) => ({
    label: scopeLabel(scope),
    ...described([toolNames(workspace, scope), changedWords(changed(permissionsOf(all, scope)).length)]),
    scope,
  }));
  const title = vscode.l10n.t('Permissions in {0}', workspace.name);
  return (await vscode.window.showQuickPick(rows, { title, placeHolder: vscode.l10n.t('Permissions of What?') }))
    ?.scope;
}

/** A role, or everything back as it was in the beginning. */
async function pickRole(
  workspace: WorkspaceInfo,
  scope: PermissionScope,
  all: readonly PermissionInfo[],
): Promise<Role | 'default' | undefined> {
  const roles = ROLES.map((role) => {
    const own = permissionsOf(all, scope, role);
    const allowed = widest(own).map((action) => actionWords(scope, action));
    return {
      label: rolesLabel(role),
      ...described([changedWords(changed(own).length)]),
      // One line, that a long list does not lay itself over the next row.
      detail: allowed.length === 0 ? vscode.l10n.t('see everything, change nothing') : allowed.join(', '),
      choice: role,
    };
  });
  const count = changed(all).length;
  const back = { label: `$(discard) ${vscode.l10n.t('Back to Default')}`, ...described([changedWords(count)]) };
  const rows = [...roles, ...(manages(workspace) && count > 0 ? [{ ...back, choice: 'default' as const }] : [])];
  const title = vscode.l10n.t('{0} in {1}', scopeLabel(scope), workspace.name);
  const placeHolder = vscode.l10n.t('Managers may do everything; everybody sees everything.');
  return (await vscode.window.showQuickPick(rows, { title, placeHolder }))?.choice;
}

async function change(
  house: House,
  workspace: WorkspaceInfo,
  scope: PermissionScope,
  all: readonly PermissionInfo[],
  choice: Role | 'default',
): Promise<void> {
  if (choice === 'default') return save(house, workspace, scope, changesToDefault(all));
  const own = permissionsOf(all, scope, choice);
  if (!manages(workspace)) return show(workspace, scope, choice, own);
  const chosen = await vscode.window.showQuickPick(
    own.map((one) => ({
      label: actionWords(scope, one.action),
      ...described([historyWords(one)]),
      picked: one.allowed,
      action: one.action,
    })),
    { title: whoMay(workspace, scope, choice), placeHolder: vscode.l10n.t('Checked Is Allowed'), canPickMany: true },
  );
  if (chosen === undefined) return;
  await save(house, workspace, scope, changesTo(own, new Set(chosen.map(({ action }) => action))));
}

async function save(
  house: House,
  workspace: WorkspaceInfo,
  scope: PermissionScope,
  changes: readonly PermissionChange[],
): Promise<void> {
  await house.say.guard(async () => {
    const api = await house.session.api();
    for (const { action, role, allow } of changes) await api.setPermission(workspace.id, scope, action, role, allow);
  });
}

/** To look at: by a word, not by the icon alone. */
async function show(
  workspace: WorkspaceInfo,
  scope: PermissionScope,
  role: Role,
  own: readonly PermissionInfo[],
): Promise<void> {
  const rows = own.map((one) => ({
    label: `$(${one.allowed ? 'check' : 'circle-slash'}) ${actionWords(scope, one.action)}`,
    ...described([one.allowed ? vscode.l10n.t('allowed') : vscode.l10n.t('not allowed'), historyWords(one)]),
  }));
  await vscode.window.showQuickPick(rows, {
    title: whoMay(workspace, scope, role),
    placeHolder: vscode.l10n.t('To look at: only a manager can change this.'),
  });
}

// ---- words ----------------------------------------------------------------------------------------------------------------

function whoMay(workspace: WorkspaceInfo, scope: PermissionScope, role: Role): string {
  const where = vscode.l10n.t('{0} in {1}', scopeLabel(scope), workspace.name);
  return role === 'participant'
    ? vscode.l10n.t('{0}: what participants may', where)
    : vscode.l10n.t('{0}: what guests may', where);
}

function scopeLabel(scope: PermissionScope): string {
  switch (scope) {
    case 'workspace':
      return vscode.l10n.t('The Workspace Itself');
    case 'files':
      return vscode.l10n.t('Files');
    case 'chat':
      return vscode.l10n.t('Chat');
  }
}

/** One setting holds for all tools of a kind: which these are is said where their names do not. */
function toolNames({ tools }: WorkspaceInfo, scope: PermissionScope): string {
  const names = tools.filter(({ kind }) => kind === scope).map(({ name }) => name);
  return names.length === 1 && names[0] === scopeLabel(scope) ? '' : names.join(', ');
}

function rolesLabel(role: Role): string {
  return role === 'participant' ? vscode.l10n.t('Participants') : vscode.l10n.t('Guests');
}

function changedWords(count: number): string {
  return count === 0 ? '' : vscode.l10n.t('{0} changed', count);
}

function historyWords({ allowed, byDefault, changed: last }: PermissionInfo): string {
  if (last === undefined) return vscode.l10n.t('default');
  const at = new Date(last.at).toLocaleString(vscode.env.language, { dateStyle: 'medium', timeStyle: 'short' });
  const who = last.self ? vscode.l10n.t('set by you, {0}', at) : vscode.l10n.t('set by {0}, {1}', last.by, at);
  return allowed === byDefault ? `${vscode.l10n.t('default')} · ${who}` : who;
}

function actionWords(scope: PermissionScope, action: PermissionAction): string {
  const { t } = vscode.l10n;
  switch (action) {
    case 'invite':
      return t('invite people');
    case 'uninvite':
      return t('remove members below them');
    case 'addTools':
      return t('add tools');
    case 'deleteTools':
      return t('rename and delete tools');
    case 'add':
      return scope === 'chat' ? t('write messages') : t('add files and folders');
    case 'edit':
      return scope === 'chat' ? t('edit anybody’s messages') : t('change and move any file');
    case 'editOwn':
      return scope === 'chat' ? t('edit their own messages') : t('change and move files they added');
    case 'delete':
      return scope === 'chat' ? t('delete anybody’s messages') : t('delete any file');
    case 'deleteOwn':
      return scope === 'chat' ? t('delete their own messages') : t('delete files they added');
  }
}

function described(parts: readonly string[]): { readonly description?: string } {
  const words = parts.filter((part) => part !== '').join(' · ');
  return words === '' ? {} : { description: words };
}
