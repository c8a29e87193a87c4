/**
 * Work that nobody had taken when this device was taken out of a workspace, written into it anew now that it is in it again (L7): each piece
 * as a delta of its own, which goes to disk together with the word of what the piece has become (`put-anew.ts`), so that a crash doubles
 * nothing: who asks again goes on. What has no content and cannot be done any more goes without: there is nothing of it to keep.
 */
import type { DeltaId, ToolId } from '../base/ids.ts';
import type { Entry } from '../sync/replica.ts';
import { chatBody } from '../tools/chat/deltas.ts';
import { POSTS, postFromRow } from '../tools/chat/rows.ts';
import { filesBody } from '../tools/files/deltas.ts';
import { VERSIONS } from '../tools/files/rows.ts';
import type { PutBack } from './api.ts';
import { unlessWhole, type ClosedWorkspace, type Kept } from './closed-workspace.ts';
import { DoingAnew, type Deed, type Redo } from './deeds.ts';
import { freeName } from './files.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** Throws ServiceError where one may not be written, and KeptError; what was written before stands, and the rest is kept; where the person lets go of it, none is. */
export async function putBack(hub: Hub, workspace: SharedWorkspace, closed: ClosedWorkspace): Promise<PutBack> {
  const { anew } = closed;
  const deeds = new DoingAnew(workspace, hub.clock, anew);
  const report = { posts: 0, files: 0, deeds: 0 };
  for (const piece of closed.kept) {
    if (closed.isLetGo) break;
    const { deed } = piece;
    const redo = deed ? redone(workspace, deeds, piece, deed) : await rewritten(workspace, closed, piece);
    if (!redo) {
      if (deed) closed.settle(piece, { id: undefined, moved: undefined });
      continue;
    }
    const { entry, moved } = redo;
    await workspace.author([entry], undefined, (nodes) => closed.settle(piece, { id: nodes.at(-1)!.delta.id, moved }));
    report[deed ? 'deeds' : piece.info.kind === 'post' ? 'posts' : 'files']++;
  }
  await hub.commit([]);
  return { ...report, left: closed.isLetGo ? 0 : closed.kept.length };
}

function redone(workspace: SharedWorkspace, deeds: DoingAnew, { place }: Kept, deed: Deed): Redo | undefined {
  const isThere = workspace.roster.tools.has(place.tool);
  return isThere ? deeds.redo(deed, place.tool) : undefined;
}

async function rewritten(workspace: SharedWorkspace, closed: ClosedWorkspace, piece: Kept): Promise<Redo | undefined> {
  const entry = await entryOf(workspace, closed, piece);
  return entry && { entry, moved: undefined };
}

/** Undefined for what cannot be written: its content is not whole here, or there is no tool that could hold it. */
async function entryOf(workspace: SharedWorkspace, closed: ClosedWorkspace, piece: Kept): Promise<Entry | undefined> {
  const { info, content, place } = piece;
  const tool = toolFor(workspace, place.tool, info.kind === 'post' ? 'chat' : 'files');
  if (tool === undefined) return undefined;
  const upon = place.upon && closed.anew.idOf(place.upon);
  if (info.kind === 'post') return postEntry(workspace, tool, info.text, upon);
  if (!content) return undefined;
  const own = await workspace.contents.writeStream(closed.read(content)).catch(unlessWhole);
  if (!own) return undefined;
  if (upon !== undefined && workspace.replica.fold.row(tool, VERSIONS, upon) && !isFolder(workspace, tool, upon))
    return { tool, kind: 'ver', body: filesBody({ kind: 'ver', parents: [upon], content: own }) };
  const tree = workspace.tree(tool);
  const parent = upon !== undefined && tree.pathOf(upon) !== undefined ? upon : undefined;
  const name = tree.clashes(parent, info.name) ? freeName(tree, parent, info.name) : info.name;
  return { tool, kind: 'file', body: filesBody({ kind: 'file', parent, name, content: own }) };
}

/** An edit of a post that is there still and his own; else a post. */
function postEntry(workspace: SharedWorkspace, tool: ToolId, text: string, edited: DeltaId | undefined): Entry {
  const row = edited === undefined ? undefined : workspace.replica.fold.row(tool, POSTS, edited);
  if (edited !== undefined && row && postFromRow(row).author === workspace.self?.account)
    return { tool, kind: 'edit', body: chatBody({ kind: 'edit', post: edited, text }) };
  return { tool, kind: 'post', body: chatBody({ kind: 'post', text }) };
}

function isFolder(workspace: SharedWorkspace, tool: ToolId, id: DeltaId): boolean {
  return workspace.tree(tool).item(id)?.folder === true;
}

/** Where it was, or in the first of its kind where that one is gone. */
function toolFor({ roster }: SharedWorkspace, tool: ToolId, kind: string): ToolId | undefined {
  if (roster.tools.get(tool)?.kind === kind) return tool;
  return [...roster.tools.values()].find((one) => one.kind === kind)?.tool;
}
