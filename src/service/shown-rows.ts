/** What follows when rows of a workspace change: the index, the trees of its files, what is unread and needed, and whoever shows them. */
import type { ToolId } from '../base/ids.ts';
import type { RowChange } from '../sync/fold.ts';
import type { ContentNeeds } from './content-needs.ts';
import { FileTree } from './file-tree.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import type { UnreadItems } from './unread-items.ts';

type ShownWorkspace = Pick<SharedWorkspace, 'id' | 'roster' | 'replica' | 'nameOf'>;

export interface ShownRowsOptions {
  readonly hub: Pick<Hub, 'index' | 'emit'>;
  readonly workspace: ShownWorkspace;
  readonly unread: UnreadItems;
  readonly needs: ContentNeeds;
  onChat(tool: ToolId, changes: readonly RowChange[]): void;
}

export class ShownRows {
  readonly #options: ShownRowsOptions;
  readonly #hub: Pick<Hub, 'index' | 'emit'>;
  readonly #workspace: ShownWorkspace;
  readonly #trees = new Map<ToolId, FileTree>();

  constructor(options: ShownRowsOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#workspace = options.workspace;
  }

  changed(changes: readonly RowChange[]): void {
    if (changes.length === 0) return;
    this.#hub.index.apply(this.#workspace.id, changes);
    const byTool = new Map<ToolId, RowChange[]>();
    for (const change of changes) {
      const own = byTool.get(change.tool);
      if (own) own.push(change);
      else byTool.set(change.tool, [change]);
    }
    for (const [tool, own] of byTool) this.#toolChanged(tool, own);
  }

  #toolChanged(tool: ToolId, changes: readonly RowChange[]): void {
    this.#options.unread.forget(tool, changes);
    const kind = this.#workspace.roster.tools.get(tool)?.kind;
    if (kind === 'chat') this.#options.onChat(tool, changes);
    if (kind !== 'files') return;
    const paths = this.tree(tool).apply(changes);
    if (paths.length > 0) this.#hub.emit({ type: 'files', workspace: this.#workspace.id, tool, changes: paths });
    this.#options.needs.need(changes);
  }

  tree(tool: ToolId): FileTree {
    const known = this.#trees.get(tool);
    if (known) return known;
    const tree = new FileTree({
      children: (folder) => this.#hub.index.children(this.#workspace.id, tool, folder),
      row: (table, key) => this.#workspace.replica.fold.row(tool, table, key),
      nameOf: (account) => this.#workspace.nameOf(account),
    });
    this.#trees.set(tool, tree);
    return tree;
  }
}
