/** *Continue in a New Workspace…* (A7), and the answer of those whom somebody asks along. */
import * as vscode from 'vscode';
import type { ContinueReport, InvitedMember, MemberInfo, OfferInfo, WorkspaceInfo } from '../../service/api.ts';
import { amount } from '../amounts.ts';
import { counts } from '../counts.ts';
import type { House } from '../house.ts';
import { notify } from '../notify.ts';
import { besideNumber } from '../plain.ts';
import { askName, asNode, pick, pickWorkspace } from '../targets.ts';
import { roleWord } from '../tree-item.ts';
import { showList, transfer } from './transfers.ts';

export interface ContinueGiven {
  /** Stand for the person's answers: accounts. */
  readonly name?: string;
  readonly members?: readonly string[];
  /** Whom it is about that somebody cannot be reached: not chosen to begin with. */
  readonly without?: string;
}

/** Answers the new workspace. `more` is what is chosen to begin with, or stands for the person's answers. */
export async function continueWorkspace(house: House, argument?: unknown, more?: unknown): Promise<string | undefined> {
  const workspace = await pickWorkspace(house, argument);
  if (workspace === undefined) return undefined;
  const given = isGiven(more) ? more : {};
  const wanted = await ask(workspace, given);
  if (wanted === undefined) return undefined;
  const { name, members } = wanted;
  const report = await transfer(house, vscode.l10n.t('Continuing {0}', workspace.name), (api, operation) => {
    const options = { name, members: members.map(({ account }) => account), scheme: vscode.env.uriScheme };
    return api.continueWorkspace(workspace.id, options, operation);
  });
  if (report === undefined) return undefined;
  await house.list.reload();
  await vscode.commands.executeCommand('coterie.workspaces.focus');
  void tell(house, workspace.name, name, report);
  return report.workspace;
}

interface Wanted {
  readonly name: string;
  readonly members: readonly MemberInfo[];
}

async function ask(workspace: WorkspaceInfo, given: ContinueGiven): Promise<Wanted | undefined> {
  const others = workspace.members.filter(({ self }) => !self);
  if (given.name !== undefined && given.members !== undefined)
    return { name: given.name, members: others.filter(({ account }) => given.members!.includes(account)) };
  const title = vscode.l10n.t('Continue {0} in a New Workspace', workspace.name);
  const name = await askName(title, vscode.l10n.t('{0} (continued)', workspace.name));
  if (name === undefined) return undefined;
  const members = others.length === 0 ? [] : await askMembers(title, others, given.without);
  if (members === undefined) return undefined;
  return (await confirmed(workspace, name, members)) ? { name, members } : undefined;
}

async function askMembers(
  title: string,
  others: readonly MemberInfo[],
  without: string | undefined,
): Promise<readonly MemberInfo[] | undefined> {
  const rows = others.map((member) => ({
    label: member.name,
    description: [roleWord(member.role), ...(member.verified ? [vscode.l10n.t('verified')] : [])].join(' · '),
    picked: member.account !== without,
    member,
  }));
  const placeHolder = vscode.l10n.t('Who is asked to come along');
  const chosen = await vscode.window.showQuickPick(rows, { title, placeHolder, canPickMany: true });
  return chosen?.map(({ member }) => member);
}

async function confirmed(workspace: WorkspaceInfo, name: string, members: readonly MemberInfo[]): Promise<boolean> {
  const yes = vscode.l10n.t('Continue');
  const { missingBytes } = workspace.sync;
  const detail = [
    vscode.l10n.t(
      'Comes along: the tools, folders and files as they are now, the chats, and what participants and guests may do.',
    ),
    vscode.l10n.t(
      'Does not: earlier versions of files, and who signed what. Files stand under your name; a message shows whose it was, and that you have carried it over.',
    ),
    members.length === 0
      ? vscode.l10n.t('Nobody is asked along. You are its manager, and can invite later.')
      : vscode.l10n.t(
          'You are its manager. Asked along, each in the role held here: {0}. They decide for themselves.',
          members.map((member) => member.name).join(', '),
        ),
    ...(missingBytes === 0
      ? []
      : [
          vscode.l10n.t(
            '{0} of files are not on this machine yet: they are fetched where somebody who has them is reachable, and left out where not.',
            amount(missingBytes),
          ),
        ]),
    vscode.l10n.t('{0} stays as it is, for everybody in it.', workspace.name),
  ].join('\n\n');
  const question = vscode.l10n.t('Continue {0} as {1}?', workspace.name, name);
  return (await vscode.window.showInformationMessage(question, { modal: true, detail }, yes)) === yes;
}

async function tell(house: House, old: string, name: string, report: ContinueReport): Promise<void> {
  const { files, posts, bytes, absent, invited } = report;
  const done = vscode.l10n.t(
    '{0} goes on in {1}. Carried over: {2}, {3}, and {4}.',
    ...[old, name, counts.files(files), amount(bytes), counts.messages(posts)],
  );
  const untold = invited.filter(({ told }) => !told);
  const words = [
    done,
    ...(absent.length === 0
      ? []
      : [
          vscode.l10n.t(
            'Left out: {0}. The content is not here, and nobody who has it is reachable.',
            counts.files(absent.length),
          ),
        ]),
    ...(untold.length === 0
      ? []
      : [
          vscode.l10n.t(
            'Not reached yet: {0}. They are asked by themselves when they are met; or send each the link that is theirs.',
            untold.map((member) => member.name).join(', '),
          ),
        ]),
  ].join(' ');
  const [show, copy, ok] = [vscode.l10n.t('Show Which'), vscode.l10n.t('Copy a Link…'), vscode.l10n.t('OK')];
  // Of a notification without a button VS Code shows the first line alone.
  const actions = [...(untold.length > 0 ? [copy] : []), ...(absent.length > 0 ? [show] : []), ok];
  const say = () => notify(absent.length > 0 ? 'warning' : 'information', words, ...actions);
  // Asked again after each: there may be several to send to, and something to look at.
  for (let answer = await say(); answer === copy || answer === show; answer = await say()) {
    if (answer === copy) await copyLink(untold);
    else await showList(house, absent);
  }
}

async function copyLink(untold: readonly InvitedMember[]): Promise<void> {
  const chosen = await pick(untold, vscode.l10n.t('Whose Link?'), ({ name }) => ({ label: name }));
  if (chosen === undefined) return;
  await vscode.env.clipboard.writeText(chosen.link);
  void vscode.window.setStatusBarMessage(vscode.l10n.t('The link for {0} is on the clipboard.', chosen.name), 5_000);
}

function isGiven(value: unknown): value is ContinueGiven {
  // A second argument of a menu is the list of selected rows.
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// ---- who is asked along ---------------------------------------------------------------------------------------------------

export async function answerOffer(house: House, argument?: unknown): Promise<void> {
  const node = asNode(argument);
  const { offers } = house.list.lists;
  // As it stands in the list: who runs the command may say of a row what he likes.
  const offer =
    node?.kind === 'offer'
      ? offers.find(({ id }) => id === node.offer.id)
      : await pick(offers, vscode.l10n.t('Workspace'), ({ newName, by }) => ({ label: newName, description: by }));
  if (offer === undefined) return;
  const detail = [
    vscode.l10n.t('Your role: {0}', roleWord(offer.role)),
    vscode.l10n.t('Good until {0}', new Date(offer.expires).toLocaleString()),
    '',
    vscode.l10n.t(
      'Accepted, a copy of the new workspace comes to this machine. Your copy of {0} stays as it is, and you stay in it.',
      besideNumber(offer.name),
    ),
    '',
    vscode.l10n.t('Safety number: {0}', offer.safetyNumber),
  ].join('\n');
  await answered(house, offer, (...answers) =>
    vscode.window.showInformationMessage(offerWords(offer), { modal: true, detail }, ...answers),
  );
}

/** Accept, decline, or leave it for later: it stays in the tree. */
export function askAboutOffer(house: House, offer: OfferInfo): Promise<void> {
  return answered(house, offer, (...answers) => notify('information', offerWords(offer), ...answers));
}

async function answered(
  house: House,
  offer: OfferInfo,
  show: (...answers: readonly string[]) => Thenable<string | undefined>,
): Promise<void> {
  const [accept, decline] = [vscode.l10n.t('Accept'), vscode.l10n.t('Decline')];
  const answer = await show(accept, decline);
  if (answer === undefined) return;
  await house.say.guard(async () => (await house.session.api()).answerOffer(offer.id, answer === accept));
}

function offerWords({ by, name, newName, role }: OfferInfo): string {
  return vscode.l10n.t('{by} continues {name} in a new workspace, {newName}, and asks you along as {role}.', {
    by: besideNumber(by),
    name: besideNumber(name),
    newName: besideNumber(newName),
    role: roleWord(role),
  });
}
