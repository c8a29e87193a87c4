/**
 * The rows that a person has removed of workspaces that are deleted for all (A8), where the copy is needed still so that the others hear of it. Kept
 * in local state: `forgotten/<workspace>` = the delta by which it was deleted. Where that turns out void, the workspace is listed again.
 */
import type { WorkspaceId } from '../base/ids.ts';
import type { LocalState } from './local-state.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

const PREFIX = 'forgotten/';

type Listed = Pick<SharedWorkspace, 'id' | 'roster'>;

export class OffList {
  readonly #local: LocalState;

  constructor(local: LocalState) {
    this.#local = local;
  }

  has({ id, roster }: Listed): boolean {
    return roster.deleted !== undefined && this.#local.get(PREFIX + id) === roster.deleted.delta.id;
  }

  /** Goes to disk with the next commit, as what follows. */
  put({ id, roster }: Listed): void {
    this.#local.put(PREFIX + id, roster.deleted!.delta.id);
  }

  drop(id: WorkspaceId): void {
    this.#local.drop(PREFIX + id);
  }

  /** Words about copies that are gone, or that stand no more. `isThere`: whether a workspace is off the list by its word. */
  tidy(isThere: (id: WorkspaceId) => boolean): void {
    for (const [id] of [...this.#local.under(PREFIX)]) if (!isThere(id as WorkspaceId)) this.drop(id as WorkspaceId);
  }
}
