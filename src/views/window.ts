/** Puts the parts of a window together: the views, the commands, the file system, and what they share. */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import { ChatPanels } from './chat-panels.ts';
import { closeErasedTabs } from './closed-tabs.ts';
import { registerCommands } from './commands/register.ts';
import { KeptBases } from './files/kept-bases.ts';
import { OpenEditors } from './files/open-editors.ts';
import { SCHEME } from './files/place.ts';
import { CoterieFiles } from './files/provider.ts';
import type { House } from './house.ts';
import { Joins } from './joins.ts';
import { linkHandler } from './links.ts';
import { showNotices } from './notices.ts';
import { Say } from './say.ts';
import { Session, type SessionPorts } from './session.ts';
import { changesSettings, ensureName, readSettings } from './settings.ts';
import { StatusBar } from './status-bar.ts';
import { WorkspaceTree } from './tree.ts';
import { forgettable, type Node } from './tree-nodes.ts';
import { showUnreadOn, UnreadDecorations } from './unread.ts';
import { WorkspaceList } from './workspace-list.ts';

export interface WindowParts {
  readonly context: vscode.ExtensionContext;
  /** Made when there is something to log, or to show. */
  readonly makeLog: () => vscode.LogOutputChannel;
  readonly connect: SessionPorts['connect'];
  readonly storeExists: SessionPorts['storeExists'];
  /** Whether secrets are in the file for development. */
  readonly development: boolean;
}

export interface CoterieWindow extends Disposable {
  readonly house: House;
  readonly files: CoterieFiles;
  /** What VS Code does not wait for at activation; then the service, where a store exists. */
  start(): Promise<void>;
  /** Resolves when everything is flushed. */
  close(): Promise<void>;
}

export function openWindow({ context, makeLog, connect, storeExists, development }: WindowParts): CoterieWindow {
  const held = new DisposableStore();
  const say = held.add(new Say(makeLog));
  const session = new Session({ connect, storeExists, later });
  const list = held.add(new WorkspaceList(session));
  const house: House = {
    session,
    list,
    say,
    context,
    async begin() {
      if (session.current !== undefined) return session.current;
      return (await ensureName()) ? session.api({ create: true }) : undefined;
    },
  };

  const files = held.add(new CoterieFiles(house));
  held.add(new KeptBases(context.workspaceState, files.versions));
  held.add(vscode.workspace.registerFileSystemProvider(SCHEME, files, { isCaseSensitive: true }));
  let view: vscode.TreeView<Node> | undefined;
  const chats = held.add(new ChatPanels(house));
  const joins = held.add(new Joins(house));
  held.add(registerCommands({ house, joins, chats, selected: () => view?.selection[0] }));
  held.add(vscode.window.registerUriHandler(linkHandler));

  return {
    house,
    files,
    start() {
      const treeDataProvider = held.add(new WorkspaceTree(house));
      view = held.add(vscode.window.createTreeView('coterie.workspaces', { treeDataProvider, showCollapseAll: true }));
      held.add(showUnreadOn(view, house));
      const decorations = held.add(new UnreadDecorations(house));
      held.add(vscode.window.registerFileDecorationProvider(decorations));
      held.add(new OpenEditors(house, files));
      held.add(closeErasedTabs(house, (workspace) => chats.closeOf(workspace)));
      held.add(new StatusBar(house, { development }));
      held.add(showNotices(house));
      held.add(followContexts(house));
      held.add(followSettings(house));
      return session.open();
    },
    close: () => session.close(),
    dispose: () => {
      session.dispose();
      held.dispose();
    },
  };
}

/** What `when` clauses of package.json ask for. */
function followContexts(house: House): Disposable {
  const held = new DisposableStore();
  const set = (name: string, value: unknown): void =>
    void vscode.commands.executeCommand('setContext', `coterie.${name}`, value);
  held.add(house.session.onState(({ kind }) => set('state', kind)));
  held.add(
    house.list.onChange(({ workspaces, joins, offers, closed, linking }) => {
      set('workspaceCount', workspaces.length);
      set('closedCount', closed.length);
      set('forgettableCount', forgettable({ workspaces, closed }).length);
      set('joinCount', joins.length);
      set('offerCount', offers.length);
      set('linking', linking);
    }),
  );
  return held;
}

function followSettings(house: House): Disposable {
  const held = new DisposableStore();
  const configure = (): void => {
    const api = house.session.current;
    if (api !== undefined) void house.say.guard(() => api.configure(readSettings()));
  };
  held.add(
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (changesSettings(event)) configure();
    }),
  );
  // VS Code may have read the settings while the service was starting with what was there before.
  held.add(house.session.onState(({ kind }) => (kind === 'open' ? configure() : undefined)));
  return held;
}

function later(delay_ms: number, run: () => void): Disposable {
  const timer = setTimeout(run, delay_ms);
  return { dispose: () => clearTimeout(timer) };
}
