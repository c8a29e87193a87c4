/** The open chats of a window: one tab for each, which comes back when the window does. */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import { isAllowedLink, readPageState } from '../webviews/chat/messages.ts';
import type { ChatPlace } from '../rpc/messages.ts';
import { ChatPanel, chatTitle } from './chat-panel.ts';
import type { House } from './house.ts';
import { invitationOfLink } from './invitation-text.ts';
import { pickTool } from './targets.ts';

export const CHAT_VIEW = 'coterie.chat';

export class ChatPanels implements Disposable, vscode.WebviewPanelSerializer {
  readonly #house: House;
  readonly #open = new Map<string, ChatPanel>();
  readonly #held = new DisposableStore();

  constructor(house: House) {
    this.#house = house;
    this.#held.add(vscode.window.registerWebviewPanelSerializer(CHAT_VIEW, this));
  }

  async openChat(argument?: unknown): Promise<void> {
    const target = await pickTool(this.#house, argument, 'chat');
    if (target === undefined) return;
    const place = { workspace: target.workspace.id, tool: target.tool.id };
    const present = this.#open.get(keyOf(place));
    if (present !== undefined) {
      present.reveal();
      return;
    }
    await closeAsleep(this.#house, place);
    this.#add(
      place,
      vscode.window.createWebviewPanel(CHAT_VIEW, target.tool.name, vscode.ViewColumn.Active, {
        enableFindWidget: true,
      }),
    );
  }

  /** VS Code brings a tab back that was open when the window was closed. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const place = readPageState(state);
    if (place === undefined || this.#open.has(keyOf(place))) panel.dispose();
    else this.#add(place, panel);
  }

  closeOf(workspace: string): void {
    for (const [key, panel] of this.#open) if (key.startsWith(`${workspace}.`)) panel.close();
  }

  dispose(): void {
    for (const panel of this.#open.values()) panel.dispose();
    this.#held.dispose();
  }

  #add(place: ChatPlace, panel: vscode.WebviewPanel): void {
    const chat = new ChatPanel(this.#house, place, panel, (href) => void openLink(href));
    this.#open.set(keyOf(place), chat);
    this.#held.add(
      chat.onClosed(() => {
        this.#open.delete(keyOf(place));
        chat.dispose();
      }),
    );
  }
}

/** A tab from before a restart that nobody has looked at yet is no panel: opened beside it, the chat would stand there twice. */
async function closeAsleep(house: House, { workspace, tool }: ChatPlace): Promise<void> {
  const title = chatTitle(house, workspace, tool);
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  const asleep = tabs.filter(
    ({ input, label }) =>
      input instanceof vscode.TabInputWebview && input.viewType.endsWith(CHAT_VIEW) && label === title,
  );
  if (asleep.length > 0) await vscode.window.tabGroups.close(asleep, true);
}

/** An invitation is handled here, with its confirmation; all else VS Code opens, which asks about strangers' addresses by itself. */
async function openLink(href: string): Promise<void> {
  if (!isAllowedLink(href)) return;
  const uri = vscode.Uri.parse(href, true);
  const invitation = uri.scheme === 'vscode' && uri.authority === 'coterie.coterie' ? invitationOfLink(uri) : undefined;
  if (invitation !== undefined) await vscode.commands.executeCommand('coterie.acceptInvitation', invitation);
  else await vscode.env.openExternal(uri);
}

function keyOf({ workspace, tool }: ChatPlace): string {
  return `${workspace}.${tool}`;
}
