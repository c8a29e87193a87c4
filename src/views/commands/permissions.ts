/**
 * *Permissions…*: what participants and guests may do in a workspace, in all tools of a kind, and in one tool (A5). Managers change it,
 * everybody sees it.
 */
import * as vscode from 'vscode';
import type {
  PermissionAction,
  PermissionInfo,
  PermissionScope,
  PermissionTarget,
  ToolInfo,
  ToolKind,
  WorkspaceInfo,
} from '../../service/api.ts';
import type { House } from '../house.ts';
import {
  changed,
  changesBack,
  changesTo,
  permissionsOf,
  scopesOf,
  widest,
  type PermissionChange,
} from '../permission-choices.ts';
import { manages } from '../rights.ts';
import { asNode, pickWorkspace, toolIcon } from '../targets.ts';

type Role = PermissionInfo['role'];
const ROLES: readonly Role[] = ['participant', 'guest'];

/** What is looked at, with what is said of it in words. */
interface Subject {
  readonly workspace: WorkspaceInfo;
  readonly scope: PermissionScope;
  /** Undefined: the workspace itself, or all tools of a kind. */
  readonly tool: ToolInfo | undefined;
}

/** On a workspace, on a tool, or on what is picked. Goes on until the person leaves the list. */
export async function permissions(house: House, argument?: unknown): Promise<void> {
  const workspace = await pickWorkspace(house, argument);
  if (workspace === undefined) return;
  const node = asNode(argument);
  const own = node?.kind === 'tool' ? { workspace, scope: node.tool.kind, tool: node.tool } : undefined;
  for (;;) {
    const all = await house.say.guard(async () => (await house.session.api()).permissions(workspace.id));
    if (all === undefined) return;
    const subject = own ?? (await pickSubject(workspace, all));
    if (subject === undefined) return;
    const ofSubject = permissionsOf(all, targetOf(subject));
    const choice = await pickRole(subject, ofSubject);
    // Back to the list that one came from; where there was none, out.
    if (choice === undefined && own !== undefined) return;
    if (choice !== undefined) await change(house, subject, ofSubject, choice);
  }
}

async function pickSubject(workspace: WorkspaceInfo, all: readonly PermissionInfo[]): Promise<Subject | undefined> {
  const row = (subject: Subject, label: string) => ({
    label,
    ...described([changedWords(subject, changed(permissionsOf(all, targetOf(subject))).length)]),
    subject,
  });
  const scopes = scopesOf(all).map((scope): Subject => ({ workspace, scope, tool: undefined }));
  const tools = workspace.tools.map((tool): Subject => ({ workspace, scope: tool.kind, tool }));
  const separator = { label: vscode.l10n.t('One Tool'), kind: vscode.QuickPickItemKind.Separator, subject: undefined };
  const rows = [
    ...scopes.map((subject) => row(subject, subjectLabel(subject))),
    ...(tools.length > 0 ? [separator] : []),
    ...tools.map((subject) => row(subject, `$(${toolIcon(subject.tool!.kind)}) ${subjectLabel(subject)}`)),
  ];
  const title = vscode.l10n.t('Permissions in {0}', workspace.name);
  const placeHolder = vscode.l10n.t('Choose the workspace itself, all tools of a kind, or one tool');
  return (await vscode.window.showQuickPick(rows, { title, placeHolder }))?.subject;
}

/** A role, or everything back as it was in the beginning. */
async function pickRole(subject: Subject, all: readonly PermissionInfo[]): Promise<Role | 'back' | undefined> {
  const roles = ROLES.map((role) => {
    const own = all.filter((one) => one.role === role);
    const allowed = widest(own).map((action) => actionWords(subject.scope, action));
    return {
      label: rolesLabel(role),
      ...described([changedWords(subject, changed(own).length)]),
      // One line, that a long list does not lay itself over the next row.
      detail: allowed.length === 0 ? vscode.l10n.t('see everything, change nothing') : allowed.join(', '),
      choice: role,
    };
  });
  const count = changed(all).length;
  const back = { label: `$(discard) ${backLabel(subject)}`, ...described([changedWords(subject, count)]) };
  const isThere = manages(subject.workspace) && count > 0;
  const rows = [...roles, ...(isThere ? [{ ...back, choice: 'back' as const }] : [])];
  const title = vscode.l10n.t('{0} in {1}', subjectLabel(subject), subject.workspace.name);
  const placeHolder =
    subject.tool === undefined
      ? vscode.l10n.t('Managers may do everything; everybody sees everything.')
      : vscode.l10n.t('Of this tool alone. Managers may do everything; everybody sees everything.');
  return (await vscode.window.showQuickPick(rows, { title, placeHolder }))?.choice;
}

async function change(
  house: House,
  subject: Subject,
  all: readonly PermissionInfo[],
  choice: Role | 'back',
): Promise<void> {
  if (choice === 'back') return save(house, subject, changesBack(all));
  const own = all.filter(({ role }) => role === choice);
  if (!manages(subject.workspace)) return show(subject, choice, own);
  const chosen = await vscode.window.showQuickPick(
    own.map((one) => ({
      label: actionWords(subject.scope, one.action),
      ...described([historyWords(one)]),
      picked: one.allowed,
      action: one.action,
    })),
    { title: whoMay(subject, choice), placeHolder: vscode.l10n.t('What is checked is allowed'), canPickMany: true },
  );
  if (chosen === undefined) return;
  await save(house, subject, changesTo(own, new Set(chosen.map(({ action }) => action))));
}

async function save(house: House, subject: Subject, changes: readonly PermissionChange[]): Promise<void> {
  await house.say.guard(async () => {
    const api = await house.session.api();
    for (const { action, role, allow } of changes)
      await api.setPermission(subject.workspace.id, targetOf(subject), action, role, allow);
  });
}

/** To look at: by a word, not by the icon alone. */
async function show(subject: Subject, role: Role, own: readonly PermissionInfo[]): Promise<void> {
  const rows = own.map((one) => ({
    label: `$(${one.allowed ? 'check' : 'circle-slash'}) ${actionWords(subject.scope, one.action)}`,
    ...described([one.allowed ? vscode.l10n.t('allowed') : vscode.l10n.t('not allowed'), historyWords(one)]),
  }));
  await vscode.window.showQuickPick(rows, {
    title: whoMay(subject, role),
    placeHolder: vscode.l10n.t('To look at: only a manager can change this.'),
  });
}

// ---- words ----------------------------------------------------------------------------------------------------------------

function targetOf({ scope, tool }: Subject): PermissionTarget {
  return tool === undefined ? scope : { tool: tool.id };
}

function whoMay(subject: Subject, role: Role): string {
  const where = vscode.l10n.t('{0} in {1}', subjectLabel(subject), subject.workspace.name);
  return role === 'participant'
    ? vscode.l10n.t('{0}: what participants may', where)
    : vscode.l10n.t('{0}: what guests may', where);
}

function subjectLabel({ scope, tool }: Subject): string {
  if (tool !== undefined) return tool.name;
  switch (scope) {
    case 'workspace':
      return vscode.l10n.t('The Workspace Itself');
    case 'files':
      return vscode.l10n.t('All Files Tools');
    case 'chat':
      return vscode.l10n.t('All Chats');
  }
}

function backLabel({ tool }: Subject): string {
  if (tool === undefined) return vscode.l10n.t('Back to Default');
  return tool.kind === 'files'
    ? vscode.l10n.t('Back to What Holds for All Files Tools')
    : vscode.l10n.t('Back to What Holds for All Chats');
}

function asAllWords(kind: ToolKind): string {
  return kind === 'files' ? vscode.l10n.t('as all Files tools') : vscode.l10n.t('as all chats');
}

function rolesLabel(role: Role): string {
  return role === 'participant' ? vscode.l10n.t('Participants') : vscode.l10n.t('Guests');
}

function changedWords({ tool }: Subject, count: number): string {
  if (tool === undefined) return count === 0 ? '' : vscode.l10n.t('{0} changed', count);
  return count === 0 ? asAllWords(tool.kind) : vscode.l10n.t('{0} of its own', count);
}

/** Whether it is as it would be with nothing said of it, and who has said something last. */
function historyWords(one: PermissionInfo): string {
  const isOwn = changed([one]).length > 0;
  const otherwise = one.tool === undefined ? vscode.l10n.t('default') : asAllWords(one.scope as ToolKind);
  if (one.changed === undefined) return otherwise;
  const { at: time, self, by } = one.changed;
  const at = new Date(time).toLocaleString(vscode.env.language, { dateStyle: 'medium', timeStyle: 'short' });
  const who = self ? vscode.l10n.t('set by you, {0}', at) : vscode.l10n.t('set by {0}, {1}', by, at);
  return isOwn ? who : `${otherwise} · ${who}`;
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
