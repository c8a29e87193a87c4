/** The API: files and folders of a tool. */
import type { ToolId } from '../base/ids.ts';
import type { CallKey, FilesApi } from './api.ts';
import type { ByteCache } from './byte-cache.ts';
import type { Calls } from './calls.ts';
import { Files } from './files.ts';
import type { Bridges } from './ports.ts';
import type { Workspaces } from './workspaces.ts';

export function filesApi(
  workspaces: Workspaces,
  calls: Calls,
  bridges: Bridges,
  cache: ByteCache,
  call?: CallKey,
): FilesApi {
  const files = (workspace: string, tool: string): Files =>
    new Files(workspaces.findTool(workspace, tool, 'files').workspace, tool as ToolId, cache);

  return {
    stat: async (workspace, tool, path) => files(workspace, tool).stat(path),

    list: async (workspace, tool, path) => files(workspace, tool).list(path),

    read: (workspace, tool, path, range) => calls.do(() => files(workspace, tool).read(path, range)),

    write: (workspace, tool, path, bytes, options) =>
      calls.once(
        call,
        () => files(workspace, tool).write(path, bytes, options, call),
        ({ delta }) => delta!,
      ),

    makeFolder: (workspace, tool, path) => calls.change(call, () => files(workspace, tool).makeFolder(path, call)),

    remove: (workspace, tool, path, options) =>
      calls.change(call, () => files(workspace, tool).remove(path, options, call)),

    rename: (workspace, tool, from, to, options) =>
      calls.change(call, () => files(workspace, tool).rename(from, to, options, call)),

    copy: (workspace, tool, from, to, options) =>
      calls.change(call, () => files(workspace, tool).copy(from, to, options, call)),

    importPaths: (workspace, tool, folder, localPaths, operation) =>
      calls.long(operation, (signal, onProgress) =>
        files(workspace, tool).import(bridges, folder, localPaths, signal, onProgress),
      ),

    exportPath: (workspace, tool, path, localFolder, operation) =>
      calls.long(operation, (signal, onProgress) =>
        files(workspace, tool).export(bridges, path, localFolder, signal, onProgress),
      ),

    cancel: async (operation) => calls.cancel(operation),
  };
}
