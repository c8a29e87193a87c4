/** The view *Workspaces*: workspaces, their tools and members, and the files, down to each. */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import type { ServiceEvent } from '../service/api.ts';
import { childPath, parentPath } from './files/place.ts';
import type { House } from './house.ts';
import { treeItem } from './tree-item.ts';
import {
  deviceNodes,
  type EntryNode,
  memberNodes,
  type Node,
  nodeId,
  rootNodes,
  sortEntries,
  workspaceNodes,
} from './tree-nodes.ts';

/** Changes that come together (an import of hundreds of files) are shown together. */
const REFRESH_AFTER_MS = 100;

export class WorkspaceTree implements vscode.TreeDataProvider<Node>, Disposable {
  readonly #house: House;
  readonly #changes = new vscode.EventEmitter<Node | Node[] | undefined>();
  readonly #held = new DisposableStore();
  /** The rows as VS Code has them: a refresh names a row by the object it was given. */
  readonly #rows = new Map<string, Node>();
  readonly #stale = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(house: House) {
    this.#house = house;
    this.#held.add(this.#changes);
    this.#held.add(house.list.onChange(() => this.#refreshAll()));
    this.#held.add(house.session.events((event) => this.#follow(event)));
    this.#held.add({ dispose: () => clearTimeout(this.#timer) });
  }

  get onDidChangeTreeData(): vscode.Event<Node | Node[] | undefined> {
    return this.#changes.event;
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return treeItem(node);
  }

  async getChildren(node?: Node): Promise<Node[]> {
    const children = await this.#childrenOf(node);
    for (const child of children) this.#rows.set(nodeId(child), child);
    return [...children];
  }

  getParent(node: Node): Node | undefined {
    switch (node.kind) {
      case 'workspace':
      case 'join':
      case 'offer':
      case 'closed':
        return undefined;
      case 'tool':
      case 'members':
        return this.#rows.get(node.workspace.id);
      case 'member':
      case 'request':
        return this.#rows.get(`${node.workspace.id}/members`);
      case 'device':
        return this.#rows.get(`${node.workspace.id}/members/${node.member.account}`);
      case 'entry':
        return this.#rows.get(folderId(node.workspace.id, node.tool, parentPath(node.path)));
    }
  }

  dispose(): void {
    this.#held.dispose();
  }

  async #childrenOf(node: Node | undefined): Promise<readonly Node[]> {
    const { list } = this.#house;
    if (node === undefined) return rootNodes(list.lists);
    switch (node.kind) {
      case 'workspace':
        return workspaceNodes(list.workspace(node.workspace.id) ?? node.workspace, list.lists);
      case 'members': {
        const workspace = list.workspace(node.workspace.id) ?? node.workspace;
        return memberNodes(
          workspace,
          list.lists.requests.filter((request) => request.workspace === workspace.id),
        );
      }
      case 'tool':
        return node.tool.kind === 'files' ? this.#entries(node.workspace.id, node.tool.id, '/') : [];
      case 'entry':
        return node.entry.kind === 'folder' ? this.#entries(node.workspace.id, node.tool, node.path) : [];
      case 'member': {
        const workspace = list.workspace(node.workspace.id) ?? node.workspace;
        const member = workspace.members.find(({ account }) => account === node.member.account);
        return member === undefined ? [] : deviceNodes(workspace, member);
      }
      case 'device':
      case 'request':
      case 'join':
      case 'offer':
      case 'closed':
        return [];
    }
  }

  async #entries(workspace: string, tool: string, folder: string): Promise<EntryNode[]> {
    const { session, list } = this.#house;
    const info = list.workspace(workspace);
    if (info === undefined || session.current === undefined) return [];
    try {
      const entries = await session.current.list(workspace, tool, folder);
      return sortEntries(entries).map((entry) => ({
        kind: 'entry',
        workspace: info,
        tool,
        path: childPath(folder, entry.name),
        entry,
      }));
    } catch {
      // The folder went while it was being opened; the event that says so refreshes its parent.
      return [];
    }
  }

  #follow(event: ServiceEvent): void {
    if (event.type !== 'files') return;
    for (const { path } of event.changes) this.#stale.add(folderId(event.workspace, event.tool, parentPath(path)));
    this.#timer ??= setTimeout(() => this.#refreshFolders(), REFRESH_AFTER_MS);
  }

  #refreshFolders(): void {
    this.#timer = undefined;
    const rows = [...this.#stale].map((id) => this.#rows.get(id)).filter((row) => row !== undefined);
    this.#stale.clear();
    for (const row of rows) this.#changes.fire(row);
  }

  /** Counts and names stand in many rows. VS Code asks again only for what is expanded. */
  #refreshAll(): void {
    this.#changes.fire(undefined);
  }
}

function folderId(workspace: string, tool: string, folder: string): string {
  return folder === '/' ? `${workspace}.${tool}` : `${workspace}.${tool}${folder}`;
}
