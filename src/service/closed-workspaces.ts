/**
 * The workspaces that this person is out of and has not dismissed, and how one that is open becomes one (K2, L7, A8): first the word that
 * it is closed and what is kept of it, durably; then the copy goes.
 */
import type { WorkspaceId } from '../base/ids.ts';
import type { Node } from '../sync/graph.ts';
import { ServiceError, type ClosedInfo } from './api.ts';
import type { Calls } from './calls.ts';
import { ClosedWorkspace, eraseCopy } from './closed-workspace.ts';
import type { Hub } from './hub.ts';
import type { Joins } from './joins.ts';
import { notAccepted, unsentBeyond, workEntries } from './own-work.ts';
import type { ExportEntry } from './ports.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import type { Workspaces } from './workspaces.ts';

export interface ClosedWorkspacesOptions {
  readonly hub: Hub;
  readonly workspaces: Workspaces;
  readonly joins: Joins;
  readonly calls: Calls;
  /** The journal is written anew, without what counts no more. */
  compact(): Promise<void>;
}

export class ClosedWorkspaces {
  readonly #options: ClosedWorkspacesOptions;
  readonly #hub: Hub;
  readonly #workspaces: Workspaces;
  readonly #closed = new Map<WorkspaceId, ClosedWorkspace>();
  readonly #closing = new Set<WorkspaceId>();

  constructor(options: ClosedWorkspacesOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#workspaces = options.workspaces;
  }

  restore(): void {
    for (const [id, value] of this.#hub.local.under('closed/')) {
      const closed = ClosedWorkspace.read(this.#hub, id as WorkspaceId, value);
      if (closed) this.#closed.set(closed.id, closed);
    }
  }

  infos(): readonly ClosedInfo[] {
    return [...this.#closed.values()].map((closed) => closed.info());
  }

  /** What is kept of a closed workspace, or what was not accepted in an open one. Throws ServiceError('notFound'). */
  work(workspace: string): Iterable<ExportEntry> {
    const closed = this.#closed.get(workspace as WorkspaceId);
    return closed ? closed.entries() : workEntries(notAccepted(this.#workspaces.find(workspace).workspace));
  }

  /** The person has seen to it: of one that is deleted for all, the copy goes now. Throws ServiceError('notFound'). */
  async forget(id: WorkspaceId): Promise<void> {
    const open = this.#workspaces.get(id)?.workspace;
    const deleted = open?.roster.deleted ? open : undefined;
    if (deleted) await this.#erase(deleted);
    const closed = this.#closed.get(id);
    if (!closed && !deleted) throw new ServiceError('notFound', {});
    await closed?.forget();
    this.#closed.delete(id);
    await this.#hub.commit([]);
    this.#hub.emit({ type: 'workspaces' });
  }

  // ---- closing ----------------------------------------------------------------------------------------------------------

  /** Who was removed loses the copy as soon as he knows. Who has left keeps it until the others know, or their relays. */
  expelled(id: WorkspaceId): void {
    const { calls } = this.#options;
    const hosted = this.#workspaces.get(id);
    const word = hosted?.workspace.expulsion;
    if (!hosted || !word || this.#closing.has(id) || calls.ended) return;
    const left = word.delta.kind === 'leave';
    if (left && !hosted.workspace.isHandedOn) return;
    this.#closing.add(id);
    const closing = this.#close(hosted.workspace, word)
      .catch((error: unknown) => this.#hub.fault(error)) // tried again with the next start: the word is in the journal
      .finally(() => this.#closing.delete(id));
    void calls.hold(closing);
  }

  /** A crash between the word and the copy's going does it again. */
  async #close(workspace: SharedWorkspace, word: Node): Promise<void> {
    const { id } = workspace;
    const name = workspace.roster.name;
    const { kind } = word.delta;
    const account = workspace.replica.accountOf(word.delta.device);
    const isOwn = account === this.#hub.identity.account;
    const how = kind === 'leave' ? 'left' : isOwn ? 'device' : 'removed';
    const by = account === undefined ? '' : workspace.nameOf(account);
    const at = Math.min(word.delta.time, this.#hub.clock.now());
    const unsent = how === 'left' ? [] : unsentBeyond(workspace, word);
    await workspace.handOver();
    const closed = await ClosedWorkspace.close(this.#hub, workspace, { how, by, at }, unsent);
    await this.#hub.commit([]);
    // Let in again meanwhile he is in this copy, and has written in it.
    if (!workspace.expulsion) {
      await closed.forget();
      return this.#hub.commit([]);
    }
    this.#closed.set(id, closed);
    await this.#erase(workspace);
    const code = how === 'device' ? 'deviceRemoved' : 'removed';
    if (how !== 'left') this.#hub.emit({ type: 'notice', code, workspace: id, detail: { name, member: by } });
    this.#hub.emit({ type: 'workspaces' });
  }

  async #erase(workspace: SharedWorkspace): Promise<void> {
    this.#workspaces.letGo(workspace);
    this.#options.joins.letGo(workspace);
    await eraseCopy(this.#hub, workspace);
    // Two generations are kept on the disk: after the second nothing of it is left.
    await this.#hub.commit([]);
    await this.#options.compact();
    await this.#options.compact();
    this.#hub.changed();
    // A join that was begun meanwhile has waited for this.
    this.#options.joins.ask();
  }
}
