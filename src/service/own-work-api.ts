/** The API: what is this person's own and nobody takes, in open workspaces and of closed ones. */
import type { WorkspaceId } from '../base/ids.ts';
import type { OwnWorkApi } from './api.ts';
import type { Calls } from './calls.ts';
import type { ClosedWorkspaces } from './closed-workspaces.ts';
import { notAccepted } from './own-work.ts';
import type { Bridges } from './ports.ts';
import type { Workspaces } from './workspaces.ts';

export function ownWorkApi(
  workspaces: Workspaces,
  closed: ClosedWorkspaces,
  calls: Calls,
  bridges: Bridges,
): OwnWorkApi {
  return {
    notAccepted: async (workspace) =>
      notAccepted(workspaces.find(workspace).workspace).map(
        ({ stream: _, tool: __, upon: ___, deed: ____, ...info }) => info,
      ),

    closed: async () => closed.infos(),

    saveWork: async (workspace, localFolder, operation) => {
      const entries = closed.work(workspace);
      return calls.long(operation, (signal, onProgress) =>
        bridges.exportEntries(entries, { into: localFolder, signal, onProgress }),
      );
    },

    putBack: (workspace) => calls.do(() => closed.putBack(workspace as WorkspaceId)),

    forget: (workspace) => calls.do(() => closed.forget(workspace as WorkspaceId)),
  };
}
