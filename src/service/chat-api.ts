/** The API: posts of a chat. */
import type { ToolId } from '../base/ids.ts';
import type { CallKey, ChatApi } from './api.ts';
import type { Calls } from './calls.ts';
import { Chat } from './chat.ts';
import type { Hub } from './hub.ts';
import type { Workspaces } from './workspaces.ts';

export function chatApi(hub: Hub, workspaces: Workspaces, calls: Calls, call?: CallKey): ChatApi {
  const chat = (workspace: string, tool: string): Chat =>
    new Chat(workspaces.findTool(workspace, tool, 'chat').workspace, tool as ToolId, hub.index);

  return {
    post: (workspace, tool, text) =>
      calls.once(
        call,
        () => chat(workspace, tool).post(text, call),
        ({ delta }) => chat(workspace, tool).postOf(delta!),
      ),

    editPost: (workspace, tool, post, text) => calls.change(call, () => chat(workspace, tool).edit(post, text, call)),

    deletePost: (workspace, tool, post) => calls.change(call, () => chat(workspace, tool).delete(post, call)),

    chat: async (workspace, tool, options) => chat(workspace, tool).page(options),
  };
}
