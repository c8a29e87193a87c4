/** The API: posts of a chat. */
import type { ToolId } from '../base/ids.ts';
import type { ChatApi } from './api.ts';
import type { Calls } from './calls.ts';
import { Chat } from './chat.ts';
import type { Hub } from './hub.ts';
import type { Workspaces } from './workspaces.ts';

export function chatApi(hub: Hub, workspaces: Workspaces, calls: Calls): ChatApi {
  const chat = (workspace: string, tool: string): Chat =>
    new Chat(workspaces.findTool(workspace, tool, 'chat').workspace, tool as ToolId, hub.index);

  return {
    post: (workspace, tool, text) => calls.do(() => chat(workspace, tool).post(text)),

    editPost: (workspace, tool, post, text) => calls.do(() => chat(workspace, tool).edit(post, text)),

    deletePost: (workspace, tool, post) => calls.do(() => chat(workspace, tool).delete(post)),

    chat: async (workspace, tool, options) => chat(workspace, tool).page(options),
  };
}
