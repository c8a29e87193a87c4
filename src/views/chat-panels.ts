/** The open chats of a window: one tab for each, which comes back when the window does. */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import { isAllowedLink, readPageState } from '../webviews/chat/messages.ts';
import type { ChatPlace } from '../rpc/messages.ts';
import { ChatDrafts, keyOf } from './chat-drafts.ts';
import { giveBackDrafts } from './chat-closed.ts';
import { ChatPanel, chatTitle } from './chat-panel.ts';
import type { House } from './house.ts';
import { invitationOfLink } from './invitation-text.ts';
import { tabsAsleep } from './tabs-asleep.ts';
import { pickTool } from './targets.ts';

export const CHAT_VIEW = 'coterie.chat';

export class ChatPanels implements Disposable, vscode.WebviewPanelSerializer {
  readonly #house: House;
  readonly #drafts: ChatDrafts;
  readonly #open = new Map<string, ChatPanel>();
  readonly #held = new DisposableStore();

  constructor(house: House) {
    this.#house = house;
    this.#drafts = new ChatDrafts(house.context.workspaceState);
    this.#held.add(vscode.window.registerWebviewPanelSerializer(CHAT_VIEW, this));
  }

  async openChat(argument?: unknown): Promise<void> {
    const target = await pickTool(this.#house, argument, 'chat');
    if (target === undefined) return;
    const place = { workspace: target.workspace.id, tool: target.tool.id };
    await this.#closeAsleep(place);
    const present = this.#open.get(keyOf(place));
    if (present !== undefined) {
      present.reveal();
      return;
    }
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
    const present = place && this.#open.get(keyOf(place));
    if (place !== undefined && present === undefined) {
      this.#add(place, panel);
      return;
    }
    // The chat was opened while this tab of it slept, and the person has gone to it.
    panel.dispose();
    present?.reveal();
  }

  /** What stands in them is the person's own, and not erased with the workspace. */
  closeOf(workspace: string): void {
    for (const [key, panel] of this.#open) if (key.startsWith(`${workspace}.`)) panel.close();
    void giveBackDrafts(this.#drafts.take(workspace));
  }

  dispose(): void {
    for (const panel of this.#open.values()) panel.leave();
    this.#held.dispose();
  }

  /** A tab from before a restart that nobody has looked at yet is no panel: opened beside it, the chat would stand there twice. */
  async #closeAsleep({ workspace, tool }: ChatPlace): Promise<void> {
    const title = chatTitle(this.#house, workspace, tool);
    const awake = [...this.#open.values()].map((chat) => chat.title);
    const asleep = tabsAsleep(chatTabs(), title, awake, chatTitles(this.#house));
    if (asleep.length > 0) await vscode.window.tabGroups.close(asleep, true);
  }

  #add(place: ChatPlace, panel: vscode.WebviewPanel): void {
    const chat = new ChatPanel(this.#house, place, panel, this.#drafts, (href) => void openLink(href));
    this.#open.set(keyOf(place), chat);
    this.#held.add(
      chat.onClosed(() => {
        this.#open.delete(keyOf(place));
        chat.dispose();
      }),
    );
  }
}

/** An invitation is handled here, with its confirmation; all else VS Code opens, which asks about strangers' addresses by itself. */
async function openLink(href: string): Promise<void> {
  if (!isAllowedLink(href)) return;
  const uri = vscode.Uri.parse(href, true);
  const invitation = uri.scheme === 'vscode' && uri.authority === 'coterie.coterie' ? invitationOfLink(uri) : undefined;
  if (invitation !== undefined) await vscode.commands.executeCommand('coterie.acceptInvitation', invitation);
  // A text, which it takes too and opens as it stands: a Uri it would write anew, and `%26` or `%2B` in it would be something else.
  else await vscode.env.openExternal(href as unknown as vscode.Uri);
}

function chatTabs(): readonly vscode.Tab[] {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return tabs.filter(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith(CHAT_VIEW));
}

/** Of all chats that there are. */
function chatTitles(house: House): readonly string[] {
  return house.list.workspaces.flatMap(({ id, tools }) =>
    tools.filter(({ kind }) => kind === 'chat').map((tool) => chatTitle(house, id, tool.id)),
  );
}
