/** The API: workspaces and their tools. */
import { toHex } from '../base/bytes.ts';
import type { DeltaId, ToolId } from '../base/ids.ts';
import { MAX_TOOLS } from '../protocol/limits.ts';
import { controlBody, readControl } from '../sync/control.ts';
import { type CallKey, ServiceError, type ToolKind, type WorkspaceInfo, type WorkspacesApi } from './api.ts';
import type { Calls } from './calls.ts';
import type { Continuing } from './continuing.ts';
import { Chat } from './chat.ts';
import type { Hub } from './hub.ts';
import type { Joins } from './joins.ts';
import { named } from './names.ts';
import { OffList } from './off-list.ts';
import { announceSelf } from './own-names.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import { workspaceInfo } from './workspace-info.ts';
import type { Workspaces } from './workspaces.ts';

const TOOL_ID_BYTES = 8;

export function workspacesApi(
  hub: Hub,
  workspaces: Workspaces,
  joins: Joins,
  continuing: Continuing,
  calls: Calls,
  call?: CallKey,
): WorkspacesApi {
  const addTool = async (target: SharedWorkspace, kind: ToolKind, name: string, by?: CallKey): Promise<string> => {
    if (target.roster.tools.size >= MAX_TOOLS) throw new ServiceError('tooLarge', { what: 'tools' });
    const tool = toHex(hub.crypto.randomBytes(TOOL_ID_BYTES)) as ToolId;
    await target.control('addTool', controlBody.addTool(tool, kind, named(name)), by);
    return tool;
  };

  const toolAddedBy = (target: SharedWorkspace, delta: DeltaId): string => {
    const node = target.replica.node(delta);
    const control = node && readControl(hub.crypto, node.delta);
    if (control?.kind !== 'addTool') throw new ServiceError('notFound', {});
    return control.tool;
  };

  /** With what is not there yet of what everybody begins with. */
  const furnish = async (founded: SharedWorkspace): Promise<string> => {
    const kinds = [...founded.roster.tools.values()].map(({ kind }) => kind);
    if (!kinds.includes('files')) await addTool(founded, 'files', 'Files');
    if (!kinds.includes('chat')) await addTool(founded, 'chat', 'Chat');
    await announceSelf(hub, founded);
    hub.changed();
    return founded.id;
  };

  const stateOf = (workspace: SharedWorkspace): WorkspaceInfo['state'] => {
    if (workspace.roster.deleted) return 'closed';
    // D2: what is there can be read all the same.
    return joins.has(workspace.id) && !workspace.isFromBefore ? 'joining' : 'open';
  };

  const offList = new OffList(hub.local);

  return {
    workspaces: async () => {
      const own = [...workspaces].filter(
        ({ workspace }) =>
          workspace.self !== undefined && !continuing.isUnfinished(workspace.id) && !offList.has(workspace),
      );
      return own.map((hosted) => workspaceInfo(hub, hosted, stateOf(hosted.workspace)));
    },

    createWorkspace: ({ name }) =>
      calls.once(
        call,
        async () => furnish(await workspaces.found(named(name), { call })),
        ({ delta }) => furnish(workspaces.find(delta!).workspace),
      ),

    renameWorkspace: (workspace, name) =>
      calls.change(call, async () => {
        const target = workspaces.find(workspace).workspace;
        await target.control('rename', controlBody.rename(named(name)), call);
      }),

    renewCopy: (workspace) => calls.do(() => workspaces.find(workspace).renewing.ask()),

    addTool: (workspace, kind, name) =>
      calls.once(
        call,
        async () => addTool(workspaces.find(workspace).workspace, kind, name, call),
        ({ delta }) => toolAddedBy(workspaces.find(workspace).workspace, delta!),
      ),

    renameTool: (workspace, tool, name) =>
      calls.change(call, async () => {
        const target = workspaces.findTool(workspace, tool).workspace;
        await target.control('renameTool', controlBody.renameTool(tool as ToolId, named(name)), call);
      }),

    deleteTool: (workspace, tool) =>
      calls.change(call, async () => {
        const target = workspaces.findTool(workspace, tool).workspace;
        await target.control('deleteTool', controlBody.deleteTool(tool as ToolId), call);
      }),

    markSeen: async (workspace, tool, item) => {
      const { workspace: target, kind } = workspaces.findTool(workspace, tool);
      const seen = target.see(tool as ToolId, item);
      if (seen.length === 0) return;
      if (kind === 'chat') {
        const posts = new Chat(target, tool as ToolId, hub.index).describeAll(seen);
        hub.emit({ type: 'chat', workspace, tool, posts, removed: [] });
      }
      await calls.do(() => hub.commit([]));
    },
  };
}
