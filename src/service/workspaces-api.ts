/** The API: workspaces and their tools. */
import { toHex } from '../base/bytes.ts';
import type { ToolId } from '../base/ids.ts';
import { MAX_TOOLS } from '../protocol/limits.ts';
import { controlBody } from '../sync/control.ts';
import { ServiceError, type ToolKind, type WorkspaceInfo, type WorkspacesApi } from './api.ts';
import type { Calls } from './calls.ts';
import { Chat } from './chat.ts';
import type { Hub } from './hub.ts';
import type { Joins } from './joins.ts';
import { named } from './names.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import { workspaceInfo } from './workspace-info.ts';
import type { Workspaces } from './workspaces.ts';

const TOOL_ID_BYTES = 8;

export function workspacesApi(hub: Hub, workspaces: Workspaces, joins: Joins, calls: Calls): WorkspacesApi {
  const addTool = async (target: SharedWorkspace, kind: ToolKind, name: string): Promise<string> => {
    if (target.roster.tools.size >= MAX_TOOLS) throw new ServiceError('tooLarge', { what: 'tools' });
    const tool = toHex(hub.crypto.randomBytes(TOOL_ID_BYTES)) as ToolId;
    await calls.do(() => target.control('addTool', controlBody.addTool(tool, kind, named(name))));
    return tool;
  };

  const stateOf = (workspace: SharedWorkspace): WorkspaceInfo['state'] => {
    if (workspace.roster.deleted) return 'closed';
    return joins.has(workspace.id) ? 'joining' : 'open';
  };

  return {
    workspaces: async () => {
      const own = [...workspaces].filter(({ workspace }) => workspace.self !== undefined);
      return own.map(({ workspace }) => workspaceInfo(hub, workspace, stateOf(workspace)));
    },

    createWorkspace: async ({ name }) => {
      const founded = await calls.do(() => workspaces.found(named(name)));
      await addTool(founded, 'files', 'Files');
      await addTool(founded, 'chat', 'Chat');
      await founded.announceSelf();
      hub.changed();
      return founded.id;
    },

    renameWorkspace: async (workspace, name) => {
      const target = workspaces.find(workspace).workspace;
      await calls.do(() => target.control('rename', controlBody.rename(named(name))));
    },

    addTool: async (workspace, kind, name) => addTool(workspaces.find(workspace).workspace, kind, name),

    renameTool: async (workspace, tool, name) => {
      const target = workspaces.findTool(workspace, tool).workspace;
      await calls.do(() => target.control('renameTool', controlBody.renameTool(tool as ToolId, named(name))));
    },

    deleteTool: async (workspace, tool) => {
      const target = workspaces.findTool(workspace, tool).workspace;
      await calls.do(() => target.control('deleteTool', controlBody.deleteTool(tool as ToolId)));
    },

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
