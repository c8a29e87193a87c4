/** Commands on who is in a workspace and as what; and on workspaces that one is out of. */
import * as vscode from 'vscode';
import type { ClosedInfo, ImportReport, MemberInfo, Role, WorkspaceInfo } from '../../service/api.ts';
import { errorCode, errorDetail } from '../errors.ts';
import type { House } from '../house.ts';
import { manages, removes } from '../rights.ts';
import { errorSentence } from '../sentences.ts';
import { asNode, isNamed, pick, pickWorkspace, workspaceOf } from '../targets.ts';
import { keptWords, roleWord } from '../tree-item.ts';
import { type Forgettable, forgettable, forgettableOf, hasWork } from '../tree-nodes.ts';
import { continueWorkspace } from './continuing.ts';
import { askFolder, tell, transfer } from './transfers.ts';

interface Place {
  readonly workspace: WorkspaceInfo;
  readonly member: MemberInfo;
}

/** The row it was called on, or a pick of the workspaces where one may and the people in them. */
async function pickOther(
  house: House,
  argument: unknown,
  may: (workspace: WorkspaceInfo) => boolean,
): Promise<Place | undefined> {
  const node = asNode(argument);
  // As it stands in the list: who runs the command may say of a row what he likes.
  const workspace =
    node?.kind === 'member' ? house.list.workspace(node.workspace.id) : await pickWorkspace(house, argument, may);
  if (workspace === undefined) return undefined;
  const others = workspace.members.filter(({ self }) => !self);
  // Of a row the one whose it is, or nobody.
  const meant = node?.kind === 'member' ? others.filter(({ account }) => account === node.member.account) : others;
  const member = await pick(meant, vscode.l10n.t('Member'), ({ name, role }) => ({
    label: name,
    description: roleWord(role),
  }));
  return member && { workspace, member };
}

export async function changeRole(house: House, argument?: unknown): Promise<void> {
  const place = await pickOther(house, argument, manages);
  if (place === undefined) return;
  const { workspace, member } = place;
  const roles: readonly { readonly role: Role; readonly detail: string }[] = [
    {
      role: 'manager',
      detail: vscode.l10n.t('Invites and removes members, changes roles, deletes what is anybody’s.'),
    },
    { role: 'participant', detail: vscode.l10n.t('Adds and changes files, writes in the chat, invites others.') },
    { role: 'guest', detail: vscode.l10n.t('Reads everything and changes nothing.') },
  ];
  const chosen = await pick(roles, vscode.l10n.t('Role of {0} in {1}', member.name, workspace.name), (one) => ({
    label: roleWord(one.role),
    detail: one.detail,
    ...(one.role === member.role ? { description: vscode.l10n.t('now') } : {}),
  }));
  if (chosen === undefined || chosen.role === member.role) return;
  await orContinue(house, place, async () =>
    (await house.session.api()).setRole(workspace.id, member.account, chosen.role),
  );
}

export async function removeMember(house: House, argument?: unknown): Promise<void> {
  const place = await pickOther(house, argument, removes);
  if (place === undefined) return;
  const { workspace, member } = place;
  const yes = vscode.l10n.t('Remove');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('Remove {0} from {1}?', member.name, workspace.name),
    {
      modal: true,
      detail: vscode.l10n.t(
        'A new key is made at once: {0} can read nothing that is written from now on. At the next contact the copy there is erased, and {0} is told that it was you. A program that was changed may keep what it already had.',
        member.name,
      ),
    },
    yes,
  );
  if (answer !== yes) return;
  await orContinue(house, place, async () => (await house.session.api()).removeMember(workspace.id, member.account));
}

/** A7: where a senior cannot be reached, there is another way on. */
async function orContinue(house: House, { workspace, member }: Place, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const detail = errorDetail(error);
    if (detail['reason'] !== 'senior') return void house.say.error(error);
    const go = vscode.l10n.t('Continue in a New Workspace…');
    const answer = await house.say.show(errorSentence(errorCode(error), detail), detail, go);
    if (answer !== go) return;
    await continueWorkspace(house, workspace.id, { without: member.account });
  }
}

export async function leaveWorkspace(house: House, argument?: unknown): Promise<void> {
  const workspace = await pickWorkspace(house, argument);
  if (workspace === undefined) return;
  const managers = workspace.members.filter(({ role }) => role === 'manager');
  const isLast = managers.length === 1 && managers[0]!.self && workspace.members.length > 1;
  const yes = vscode.l10n.t('Leave');
  const detail = [
    vscode.l10n.t(
      'Your copy is erased as soon as the others have all that you wrote. Export first what you want to keep.',
    ),
    ...(isLast
      ? [
          vscode.l10n.t(
            'You are the only manager. Without one, nobody can remove members or change roles: make somebody a manager first.',
          ),
        ]
      : []),
  ].join('\n\n');
  const question = vscode.l10n.t('Leave {0}?', workspace.name);
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) return;
  await house.say.guard(async () => (await house.session.api()).leaveWorkspace(workspace.id));
}

export async function deleteWorkspace(house: House, argument?: unknown): Promise<void> {
  const workspace = await pickWorkspace(house, argument, manages);
  if (workspace === undefined) return;
  const yes = vscode.l10n.t('Delete for All');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('Delete {0} for all its members?', workspace.name),
    {
      modal: true,
      detail: vscode.l10n.t(
        'Every member is told, and may export before the copy on that machine goes. There is no way back.',
      ),
    },
    yes,
  );
  if (answer !== yes) return;
  await house.say.guard(async () => (await house.session.api()).deleteWorkspace(workspace.id));
}

// ---- work that has no effect --------------------------------------------------------------------------------------------

/** Of a closed workspace, or of an open one what was not accepted in it. `folder` stands for the dialog's answer. */
export async function saveWork(house: House, argument?: unknown, folder?: unknown): Promise<ImportReport | undefined> {
  const place = await pickWork(house, argument);
  if (place === undefined) return undefined;
  const into = typeof folder === 'string' ? folder : await askFolder(vscode.l10n.t('Save Here'));
  if (into === undefined) return undefined;
  const report = await transfer(house, vscode.l10n.t('Saving unsent work'), (api, operation) =>
    api.saveWork(place, into, operation),
  );
  if (report !== undefined) void tell(house, report, vscode.l10n.t('saved'));
  return report;
}

async function pickWork(house: House, argument: unknown): Promise<string | undefined> {
  const node = asNode(argument);
  const id = node?.kind === 'closed' ? node.closed.id : (workspaceOf(node)?.id ?? argument);
  const closed = house.list.lists.closed
    .filter(hasWork)
    .map(({ id, name, work }) => ({ id, name, what: keptWords(work) }));
  const open = house.list.workspaces.map(({ id, name }) => ({
    id,
    name,
    what: vscode.l10n.t('what was not accepted'),
  }));
  const all = [...closed, ...open];
  const named = all.find((one) => one.id === id);
  if (named !== undefined) return named.id;
  const chosen = await pick(
    isNamed(argument) ? [] : all,
    vscode.l10n.t('Save Unsent Work'),
    ({ name, what }) => ({ label: name, description: what }),
    vscode.l10n.t('Choose the workspace in which you wrote it'),
  );
  return chosen?.id;
}

export async function forgetWorkspace(house: House, argument?: unknown): Promise<void> {
  const all = forgettable(house.list.lists);
  const node = asNode(argument);
  const chosen =
    node === undefined
      ? await pick(all, vscode.l10n.t('Remove from List'), ({ name, isDeleted, closed }) => ({
          label: name,
          ...(isDeleted ? { description: vscode.l10n.t('deleted') } : {}),
          ...(closed === undefined || closed.work.length === 0 ? {} : { description: keptWords(closed.work) }),
        }))
      : forgettableOf(all, node);
  if (chosen === undefined || !(await mayForget(house, chosen))) return;
  await house.say.guard(async () => (await house.session.api()).forget(chosen.id));
}

/** What is lost with it is asked about before. */
async function mayForget(house: House, { name, closed }: Forgettable): Promise<boolean> {
  // A8: of what is deleted for all the copy goes, too.
  if (closed === undefined)
    return mayRemove(
      name,
      vscode.l10n.t(
        'It was deleted for all members. Your copy of it is erased as soon as the others can hear of that without it. Export first what you want to keep.',
      ),
    );
  if (closed.work.length > 0) return mayLose(house, closed);
  if (closed.how !== 'dropped' || closed.isBack) return true;
  // L7: with the row goes the way back.
  return mayRemove(
    name,
    vscode.l10n.t(
      'You are still a member of it. Once it is removed from the list, this machine can fetch no fresh copy of it any more: a member would have to invite you again.',
    ),
  );
}

async function mayRemove(name: string, detail: string): Promise<boolean> {
  const yes = vscode.l10n.t('Remove');
  const question = vscode.l10n.t('Remove {0} from the list?', name);
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) === yes;
}

/** Saving unsent work comes first, as what a mere Enter does. */
async function mayLose(house: House, closed: ClosedInfo): Promise<boolean> {
  const yes = vscode.l10n.t('Remove and Lose It');
  const save = vscode.l10n.t('Save Unsent Work…');
  const question = vscode.l10n.t('{0} holds work of yours that nobody received.', closed.name);
  const detail = vscode.l10n.t('“Save Unsent Work…” puts it into a folder. Removed from the list, it is gone.');
  const answers = hasWork(closed) ? [save, yes] : [yes];
  const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, ...answers);
  if (answer === save) await saveWork(house, closed.id);
  return answer === yes;
}
