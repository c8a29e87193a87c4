/** Commands on workspaces, their tools and what is unread in them. */
import * as vscode from 'vscode';
import type { ToolKind } from '../../service/api.ts';
import type { House } from '../house.ts';
import { addsTools, deletesTools, manages } from '../rights.ts';
import { doneSentences } from '../sentences.ts';
import { asNode, askName, pick, pickTool, pickWorkspace } from '../targets.ts';

export async function createWorkspace(house: House, argument?: unknown): Promise<string | undefined> {
  const title = vscode.l10n.t('Create a Workspace');
  const name = typeof argument === 'string' ? argument : await askWorkspaceName(title);
  if (name === undefined) return undefined;
  return house.say.guard(
    async () => {
      const api = await house.begin();
      if (api === undefined) return undefined;
      const id = await api.createWorkspace({ name });
      await house.list.reload();
      await vscode.commands.executeCommand('coterie.workspaces.focus');
      return id;
    },
    { name },
  );
}

async function askWorkspaceName(title: string): Promise<string | undefined> {
  const name = await vscode.window.showInputBox({
    title,
    prompt: vscode.l10n.t('A name that the members will see, of a team or a project.'),
    placeHolder: vscode.l10n.t('Apollo'),
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() === '' ? vscode.l10n.t('A name is needed.') : undefined),
  });
  return name?.trim();
}

export async function renameWorkspace(house: House, argument?: unknown): Promise<void> {
  const workspace = await pickWorkspace(house, argument, manages);
  if (workspace === undefined) return;
  const name = await askName(vscode.l10n.t('Rename Workspace'), workspace.name);
  if (name === undefined || name === workspace.name) return;
  await house.say.guard(async () => (await house.session.api()).renameWorkspace(workspace.id, name), { name });
}

/** L6: of one whose copy is out of step, or says something else than another member's. */
export async function renewCopy(house: House, argument?: unknown): Promise<void> {
  const workspace = await pickWorkspace(house, argument);
  if (workspace === undefined) return;
  const yes = vscode.l10n.t('Fetch');
  const detail = vscode.l10n.t(
    'The machine of a member who is online, of a manager if there is one, is asked for its copy, and yours goes on with that. What you have written, and nobody has yet, comes along, or is listed as not accepted where it cannot. You can go on working meanwhile.',
  );
  const question = vscode.l10n.t('Fetch a fresh copy of {0}?', workspace.name);
  if ((await vscode.window.showInformationMessage(question, { modal: true, detail }, yes)) !== yes) return;
  const { name } = workspace;
  await house.say.guard(
    async () => {
      const member = await (await house.session.api()).renewCopy(workspace.id);
      void house.say.show(doneSentences.asksForCopy, { name, member });
    },
    { name },
  );
}

export async function addTool(house: House, argument?: unknown): Promise<void> {
  const workspace = await pickWorkspace(house, argument, addsTools);
  if (workspace === undefined) return;
  const kinds: readonly { readonly kind: ToolKind; readonly label: string; readonly icon: string }[] = [
    { kind: 'files', label: vscode.l10n.t('Files'), icon: 'files' },
    { kind: 'chat', label: vscode.l10n.t('Chat'), icon: 'comment-discussion' },
  ];
  const chosen = await pick(kinds, vscode.l10n.t('Kind of Tool'), ({ label, icon }) => ({
    label: `$(${icon}) ${label}`,
  }));
  if (chosen === undefined) return;
  const name = await askName(vscode.l10n.t('Name of the Tool'), chosen.label);
  if (name === undefined) return;
  await house.say.guard(async () => (await house.session.api()).addTool(workspace.id, chosen.kind, name), { name });
}

export async function renameTool(house: House, argument?: unknown): Promise<void> {
  const target = await pickTool(house, argument, undefined, deletesTools);
  if (target === undefined) return;
  const { workspace, tool } = target;
  const name = await askName(vscode.l10n.t('Rename Tool'), tool.name);
  if (name === undefined || name === tool.name) return;
  await house.say.guard(async () => (await house.session.api()).renameTool(workspace.id, tool.id, name), { name });
}

export async function deleteTool(house: House, argument?: unknown): Promise<void> {
  const target = await pickTool(house, argument, undefined, deletesTools);
  if (target === undefined) return;
  const { workspace, tool } = target;
  const yes = vscode.l10n.t('Delete');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('Delete {0} from {1}, for every member?', tool.name, workspace.name),
    { modal: true, detail: vscode.l10n.t('What is in it goes too. Export it first if you may need it.') },
    yes,
  );
  if (answer !== yes) return;
  await house.say.guard(async () => (await house.session.api()).deleteTool(workspace.id, tool.id));
}

/** Of a tool or a workspace where called on one, else of all. */
export async function markAllRead(house: House, argument?: unknown): Promise<void> {
  const node = asNode(argument);
  const workspaces = node?.kind === 'workspace' || node?.kind === 'tool' ? [node.workspace] : house.list.workspaces;
  await house.say.guard(async () => {
    const api = await house.session.api();
    for (const { id, tools } of workspaces) {
      for (const tool of tools) {
        if (node?.kind !== 'tool' || node.tool.id === tool.id) await api.markSeen(id, tool.id);
      }
    }
  });
}
