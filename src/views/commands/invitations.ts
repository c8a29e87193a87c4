/** Commands by which people come together: invite, revoke, accept, answer, cancel. */
import * as vscode from 'vscode';
import type { InvitationInfo, Role, WorkspaceInfo } from '../../service/api.ts';
import type { House } from '../house.ts';
import { invitationOfText, MAX_INVITATION_CHARACTERS } from '../invitation-text.ts';
import type { Joins } from '../joins.ts';
import { askAboutRequest } from '../notices.ts';
import { notify } from '../notify.ts';
import { besideNumber } from '../plain.ts';
import { invites } from '../rights.ts';
import { asNode, pick, pickWorkspace, workspaceOf } from '../targets.ts';
import { roleWord } from '../tree-item.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** What this window's person may want to revoke: ids and a time, no secret and no name. */
interface MadeInvitation {
  readonly id: string;
  readonly workspace: string;
  readonly role: Role;
  readonly expires: number;
}

const MADE_KEY = 'coterie.invitations';

export interface InviteOptions {
  readonly role: Role;
  readonly confirm: boolean;
  readonly expiresInMs: number;
}

/** Answers the link. `given` stands for the person's answers. */
export async function invite(house: House, argument?: unknown, given?: unknown): Promise<string | undefined> {
  const workspace = await pickWorkspace(house, argument, invites);
  if (workspace === undefined) return undefined;
  // A second argument of a menu is the list of selected rows.
  const options = isInviteOptions(given) ? given : await askInviteOptions(workspace);
  if (options === undefined) return undefined;
  const scheme = vscode.env.uriScheme;
  const invitation = await house.say.guard(async () => {
    const api = await house.session.api();
    return api.invite(workspace.id, { ...options, uses: 1, scheme });
  });
  if (invitation === undefined) return undefined;
  await remember(house, {
    id: invitation.id,
    workspace: workspace.id,
    role: options.role,
    expires: Date.now() + options.expiresInMs,
  });
  await vscode.env.clipboard.writeText(invitation.link);
  void offerFile(house, workspace, invitation.file);
  return invitation.link;
}

async function askInviteOptions(workspace: WorkspaceInfo): Promise<InviteOptions | undefined> {
  const title = vscode.l10n.t('Invite to {0}', workspace.name);
  // One line each: VS Code lays the hover of a second line over the next row.
  const roles: readonly (readonly [Role, string])[] = [
    ['participant', vscode.l10n.t('participant: adds and changes content, may invite')],
    ['guest', vscode.l10n.t('guest: sees everything, changes nothing')],
    // Nobody grants a role above their own (A2).
    ...(workspace.role === 'manager' ? [['manager', vscode.l10n.t('manager: may do everything')] as const] : []),
  ];
  const role = await pick(roles, `${title}: ${vscode.l10n.t('Role')}`, ([, label]) => ({ label }));
  if (role === undefined) return undefined;
  const confirmations: readonly (readonly [boolean, string])[] = [
    [true, vscode.l10n.t('Ask me before they join: a link in the wrong hands opens nothing')],
    [false, vscode.l10n.t('Let them join at once: whoever has the link first is in')],
  ];
  const confirm = await pick(confirmations, `${title}: ${vscode.l10n.t('Confirmation')}`, ([, label]) => ({ label }));
  if (confirm === undefined) return undefined;
  const expiries: readonly (readonly [string, number])[] = [
    [vscode.l10n.t('7 days'), 7 * DAY_MS],
    [vscode.l10n.t('1 day'), DAY_MS],
    [vscode.l10n.t('1 hour'), HOUR_MS],
    [vscode.l10n.t('30 days'), 30 * DAY_MS],
  ];
  const expiry = await pick(expiries, `${title}: ${vscode.l10n.t('Good For')}`, ([label]) => ({ label }));
  return expiry && { role: role[0], confirm: confirm[0], expiresInMs: expiry[1] };
}

async function offerFile(house: House, workspace: WorkspaceInfo, content: string): Promise<void> {
  const save = vscode.l10n.t('Save as File…');
  const answer = await notify(
    'information',
    vscode.l10n.t(
      'The invitation to {0} is on the clipboard. Send it by any way you trust: whoever has it can ask to join, once.',
      workspace.name,
    ),
    save,
  );
  if (answer !== save) return;
  const name = `${workspace.name.replace(/[^\p{L}\p{N} _-]/gu, '_')}.coterie-invite`;
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri;
  const target = await vscode.window.showSaveDialog({
    ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, name) }),
    filters: { [vscode.l10n.t('Coterie invitation')]: ['coterie-invite'] },
    title: vscode.l10n.t('Save the Invitation'),
  });
  if (target === undefined) return;
  await house.say.guard(async () => vscode.workspace.fs.writeFile(target, new TextEncoder().encode(content)));
}

export async function revokeInvitation(house: House, argument?: unknown): Promise<void> {
  const workspace = await pickWorkspace(house, argument, invites);
  if (workspace === undefined) return;
  const open = made(house).filter((invitation) => invitation.workspace === workspace.id);
  if (open.length === 0) {
    void notify('information', vscode.l10n.t('There is no open invitation to {0} that was made here.', workspace.name));
    return;
  }
  const rows = open.map((invitation) => ({
    label: roleWord(invitation.role),
    description: vscode.l10n.t('good until {0}', new Date(invitation.expires).toLocaleString()),
    invitation,
  }));
  const title = vscode.l10n.t('Revoke Invitation');
  const chosen = await vscode.window.showQuickPick(rows, { title, placeHolder: title });
  if (chosen === undefined) return;
  await house.say.guard(async () => {
    await (await house.session.api()).revokeInvitation(workspace.id, chosen.invitation.id);
    await forget(house, chosen.invitation.id);
    void notify('information', vscode.l10n.t('The invitation is revoked: nobody can join by it any more.'));
  });
}

/** From the palette (asks), a link (text), or a file (address). Nothing happens before the person has seen who invites them to what. */
export async function acceptInvitation(house: House, joins: Joins, argument?: unknown): Promise<void> {
  const text = await invitationFrom(house, argument);
  if (text === undefined) return;
  await house.say.guard(async () => {
    // A name first: reading an invitation already needs an identity, for the safety number.
    const api = await house.begin();
    if (api === undefined) return;
    const invitation = await api.readInvitation(text);
    if (invitation.alreadyMember) {
      void notify(
        'information',
        vscode.l10n.t('You are a member of {0} already. You find it in the Coterie view.', invitation.workspaceName),
      );
      return;
    }
    if (!(await confirmed(invitation))) return;
    const join = await api.acceptInvitation(text);
    joins.follow(join);
    await house.list.reload();
    await vscode.commands.executeCommand('coterie.workspaces.focus');
  });
}

async function confirmed(invitation: InvitationInfo): Promise<boolean> {
  const name = besideNumber(invitation.inviterName);
  const accept = vscode.l10n.t('Accept');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('{name} invites you to {workspace}', {
      name,
      workspace: besideNumber(invitation.workspaceName),
    }),
    {
      modal: true,
      detail: [
        vscode.l10n.t('Your role: {0}', roleWord(invitation.role)),
        vscode.l10n.t('Good until {0}', new Date(invitation.expires).toLocaleString()),
        '',
        vscode.l10n.t('Safety number: {0}', invitation.safetyNumber),
        vscode.l10n.t('It is the same at {0}’s if nobody stands between you: compare it by voice.', name),
      ].join('\n'),
    },
    accept,
  );
  return answer === accept;
}

async function invitationFrom(house: House, argument: unknown): Promise<string | undefined> {
  if (typeof argument === 'string') return invitationOfText(argument);
  if (argument instanceof vscode.Uri) return readInvitationFile(house, argument);
  const file: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('folder-opened'),
    tooltip: vscode.l10n.t('Choose a .coterie-invite file…'),
  };
  const box = vscode.window.createInputBox();
  box.title = vscode.l10n.t('Accept an Invitation');
  box.prompt = vscode.l10n.t('Paste the link that you got, or choose the file with the button above.');
  box.placeholder = 'vscode://coterie.coterie/join#…';
  box.ignoreFocusOut = true;
  box.buttons = [file];
  try {
    const answer = await new Promise<string | typeof file | undefined>((resolve) => {
      box.onDidAccept(() => {
        if (box.value.trim() === '') box.validationMessage = vscode.l10n.t('Paste an invitation first.');
        else resolve(box.value);
      });
      box.onDidChangeValue(() => {
        box.validationMessage = undefined;
      });
      box.onDidTriggerButton(() => resolve(file));
      box.onDidHide(() => resolve(undefined));
      box.show();
    });
    if (answer === undefined || typeof answer === 'string') return answer && invitationOfText(answer);
  } finally {
    box.dispose();
  }
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Choose an Invitation'),
      filters: { [vscode.l10n.t('Coterie invitation')]: ['coterie-invite'] },
    })) ?? [];
  return chosen && readInvitationFile(house, chosen);
}

async function readInvitationFile(house: House, uri: vscode.Uri): Promise<string | undefined> {
  return house.say.guard(async () => {
    const { size } = await vscode.workspace.fs.stat(uri);
    // Not an invitation, whatever it is: the service says so of an empty one.
    if (size > MAX_INVITATION_CHARACTERS) return '-';
    return invitationOfText(new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)));
  });
}

export async function answerJoinRequests(house: House, argument?: unknown): Promise<void> {
  const node = asNode(argument);
  const { requests } = house.list.lists;
  if (node?.kind === 'request') {
    // As it stands in the list: who runs the command may say of a row what he likes.
    const named = requests.find(({ id }) => id === node.request.id);
    return named && askAboutRequest(house, named);
  }
  const about = workspaceOf(node)?.id;
  const open = requests.filter(({ workspace }) => about === undefined || workspace === about);
  if (open.length === 0) {
    void notify('information', vscode.l10n.t('Nobody asks to join.'));
    return;
  }
  const request = await pick(open, vscode.l10n.t('Who Asks to Join'), ({ name, role, workspace, safetyNumber }) => ({
    label: besideNumber(name),
    description: `${house.list.workspace(workspace)?.name ?? ''} · ${roleWord(role)}`,
    detail: safetyNumber,
  }));
  if (request !== undefined) await askAboutRequest(house, request);
}

export async function cancelJoin(house: House, argument?: unknown): Promise<void> {
  const node = asNode(argument);
  const join =
    node?.kind === 'join'
      ? node.join
      : await pick(house.list.lists.joins, vscode.l10n.t('Cancel Joining'), ({ workspaceName }) => ({
          label: workspaceName,
        }));
  if (join === undefined) return;
  await house.say.guard(async () => {
    await (await house.session.api()).cancelJoin(join.workspace);
    await house.list.reload();
  });
}

function isInviteOptions(value: unknown): value is InviteOptions {
  return typeof value === 'object' && value !== null && 'expiresInMs' in value;
}

function made(house: House): readonly MadeInvitation[] {
  const all = house.context.globalState.get<readonly MadeInvitation[]>(MADE_KEY, []);
  return all.filter(({ expires }) => expires > Date.now());
}

async function remember(house: House, invitation: MadeInvitation): Promise<void> {
  await house.context.globalState.update(MADE_KEY, [...made(house), invitation]);
}

async function forget(house: House, id: string): Promise<void> {
  await house.context.globalState.update(
    MADE_KEY,
    made(house).filter((invitation) => invitation.id !== id),
  );
}
