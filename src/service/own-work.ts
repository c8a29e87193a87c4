/**
 * What this person has written that has no effect (D9), or that nobody will take any more (L7): it is his, and is kept for him
 * to take over. Read from his deltas, not from rows, since void deltas make none.
 */
import type { DeltaId, ToolId } from '../base/ids.ts';
import { toUtf8 } from '../base/utf8.ts';
import { MAX_PATCH_CHAIN } from '../protocol/limits.ts';
import type { Delta } from '../sync/delta.ts';
import type { Node } from '../sync/graph.ts';
import { readChatDelta } from '../tools/chat/deltas.ts';
import { POSTS, postFromRow } from '../tools/chat/rows.ts';
import type { Content } from '../tools/files/content.ts';
import { readFilesDelta, type FilesDelta } from '../tools/files/deltas.ts';
import { ITEMS, itemFromRow, VERSIONS, versionFromRow } from '../tools/files/rows.ts';
import { safeName } from '../tools/files/safe-name.ts';
import type { WorkInfo } from './api.ts';
import { Deeds, type Deed } from './deeds.ts';
import type { ExportEntry } from './ports.ts';
import type { Said } from './left-behind.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** Of what waits for its past, which the disk may have lost (`sentences.ts`): nobody else need have that. */
const WAITS = 'waits';

/** Where it would stand, had it been taken. */
export interface WorkPlace {
  readonly tool: ToolId;
  /** The post that an edit is of, the version that a version is upon, the folder that a file is in; undefined for none. */
  readonly upon: DeltaId | undefined;
}

export interface Work extends WorkInfo, WorkPlace {
  /** Of a file. */
  readonly stream: () => AsyncIterable<Uint8Array>;
  /** Of what has no content. */
  readonly deed: Deed | undefined;
}

/** Own content that some rule took the effect from, or that nothing here can come before, oldest first. */
export function notAccepted(workspace: SharedWorkspace): readonly Work[] {
  const standing = ownDeltas(workspace).flatMap((delta) => {
    const verdict = workspace.replica.verdictOf(delta.id);
    return verdict === undefined || verdict === 'accepted' ? [] : [{ delta, reason: verdict }];
  });
  const kept = workspace.keptVoid.all.flatMap(({ delta, reason }) => (isContent(delta) ? [{ delta, reason }] : []));
  const waiting = ownWaiting(workspace).map((delta) => ({ delta, reason: WAITS }));
  const all = [...kept, ...standing, ...waiting].flatMap(({ delta, reason }) => workOf(workspace, delta, reason) ?? []);
  return [...all, ...leftBehind(workspace)].sort((a, b) => a.time - b.time);
}

/** What a fresh copy lacks (L6). */
function leftBehind(workspace: SharedWorkspace): readonly Work[] {
  return workspace.leftBehind.all.flatMap((said) => workOf(workspace, said, said.reason) ?? []);
}

/** Own content, and deeds, that the word which took us out did not know of, or nobody ever had: nobody takes it from us any more. */
export function unsentBeyond(workspace: SharedWorkspace, word: Node): readonly Work[] {
  const { replica } = workspace;
  // A word whose past is folded elsewhere does not say what its author had seen: that is what he had said before, at least. Whoever holds
  // more may have taken it without having heard the word, and then it is void.
  const own = word.delta.feed;
  const last = replica.nodeAt(own, replica.vector().get(own) ?? 0);
  const isBare = replica.node(word.delta.id) === undefined;
  const seen = isBare ? last : word;
  const deeds = new Deeds(workspace);
  const beyond = [...ownDeltas(workspace), ...ownWaiting(workspace)]
    .filter(({ seq, feed }) => !seen || seq > replica.feeds.reach(seen, feed))
    .flatMap((delta) => workOf(workspace, delta, 'cutOff') ?? deedWork(workspace, delta, deeds.of(delta)) ?? []);
  return [...leftBehind(workspace), ...beyond];
}

type OwnDelta = Delta & { readonly tool: ToolId };

function isContent(delta: Delta): delta is OwnDelta {
  return delta.tool !== undefined;
}

function ownDeltas(workspace: SharedWorkspace): readonly OwnDelta[] {
  const { device } = workspace;
  return [...workspace.replica.nodes()].flatMap(({ delta }) =>
    delta.device === device && isContent(delta) ? [delta] : [],
  );
}

/** What a fresh copy lacks may wait in it, too. */
function ownWaiting({ replica, leftBehind }: SharedWorkspace): readonly OwnDelta[] {
  return replica.ownWaiting().flatMap((delta) => (isContent(delta) && !leftBehind.find(delta.id) ? [delta] : []));
}

function ownDelta(workspace: SharedWorkspace, id: DeltaId): Pick<Said, 'kind' | 'body'> | undefined {
  return workspace.ownDelta(id) ?? ownWaiting(workspace).find((delta) => delta.id === id);
}

function aboutOf(workspace: SharedWorkspace, { id, tool, time }: Said, reason: string) {
  return { id, tool, toolName: workspace.roster.tools.get(tool)?.name ?? '', reason, time };
}

function deedWork(workspace: SharedWorkspace, delta: OwnDelta, deed: Deed | undefined): Work | undefined {
  if (!deed) return undefined;
  const about = {
    ...aboutOf(workspace, delta, 'cutOff'),
    ...{ upon: undefined, deed, stream: () => only(new Uint8Array(0)) },
  };
  const { doing } = deed;
  switch (doing.kind) {
    case 'folder':
    case 'move':
      return { ...about, kind: doing.kind, name: safeName(doing.name), text: '' };
    case 'del': {
      const name = nameOf(workspace, delta.tool, doing.parents[0]!) ?? 'file';
      return { ...about, kind: 'deletion', name: safeName(name), text: '' };
    }
    case 'unpost':
      return { ...about, kind: 'deletion', name: '', text: textOf(workspace, delta.tool, doing.post) };
  }
}

/** Of a post that is there still, or is this person's own. */
function textOf(workspace: SharedWorkspace, tool: ToolId, post: DeltaId): string {
  const row = workspace.replica.fold.row(tool, POSTS, post);
  if (row) return postFromRow(row).text;
  const delta = ownDelta(workspace, post);
  const read = delta && readChatDelta(delta.kind, delta.body);
  return read?.kind === 'post' ? read.text : '';
}

function workOf(workspace: SharedWorkspace, said: Said, reason: string): Work | undefined {
  const { tool } = said;
  const about = { ...aboutOf(workspace, said, reason), deed: undefined };
  const chat = readChatDelta(said.kind, said.body);
  if (chat?.kind === 'post' || chat?.kind === 'edit') {
    const upon = chat.kind === 'edit' ? chat.post : undefined;
    return { ...about, upon, kind: 'post', name: '', text: chat.text, stream: () => only(toUtf8(chat.text)) };
  }
  const files = readFilesDelta(said.kind, said.body);
  if (files?.kind !== 'file' && files?.kind !== 'ver') return undefined;
  const name = safeName(nameOf(workspace, tool, said.id) ?? 'file');
  const upon = files.kind === 'ver' ? files.parents[0] : files.parent;
  return { ...about, upon, kind: 'file', name, text: '', stream: () => streamOf(workspace, tool, said.id) };
}

/** Of the item that a version belongs to, as its first version or a row of it says. */
function nameOf(workspace: SharedWorkspace, tool: ToolId, version: DeltaId): string | undefined {
  for (
    let [at, steps]: [DeltaId | undefined, number] = [version, 0];
    at !== undefined && steps < MAX_PATCH_CHAIN;
    steps++
  ) {
    const row = workspace.replica.fold.row(tool, VERSIONS, at);
    const item = row && workspace.replica.fold.row(tool, ITEMS, versionFromRow(row).item);
    if (item) return itemFromRow(item).name;
    const delta: Pick<Said, 'kind' | 'body'> | undefined = ownDelta(workspace, at);
    const read: FilesDelta | undefined = delta && readFilesDelta(delta.kind, delta.body);
    if (read?.kind === 'file') return read.name;
    at = read?.kind === 'ver' ? read.parents[0] : undefined;
  }
  return undefined;
}

async function* streamOf(workspace: SharedWorkspace, tool: ToolId, version: DeltaId): AsyncIterable<Uint8Array> {
  const chain = chainOf(workspace, tool, version);
  const [first] = chain;
  if (!first) return;
  // A difference alone is damaged: what it is upon is not here.
  if (chain.length === 1 && first.kind === 'chunks') yield* workspace.contents.read(first);
  else yield await workspace.contents.resolvePatched(chain);
}

/** The content in chunks at the bottom, then the differences upon it. */
function chainOf(workspace: SharedWorkspace, tool: ToolId, version: DeltaId): readonly Content[] {
  const chain: Content[] = [];
  for (let at: DeltaId | undefined = version; at !== undefined && chain.length <= MAX_PATCH_CHAIN;) {
    const found = contentAt(workspace, tool, at);
    if (!found) break;
    chain.unshift(found.content);
    at = found.content.kind === 'patch' ? found.parent : undefined;
  }
  return chain;
}

function contentAt(
  workspace: SharedWorkspace,
  tool: ToolId,
  version: DeltaId,
): { readonly content: Content; readonly parent: DeltaId | undefined } | undefined {
  const row = workspace.replica.fold.row(tool, VERSIONS, version);
  const known = row && versionFromRow(row);
  if (known?.content) return { content: known.content, parent: known.parents[0] };
  const delta = ownDelta(workspace, version);
  const read = delta && readFilesDelta(delta.kind, delta.body);
  if (read?.kind === 'file') return { content: read.content, parent: undefined };
  return read?.kind === 'ver' ? { content: read.content, parent: read.parents[0] } : undefined;
}

/** Work as files to be saved: posts become one of Markdown. */
export function* workEntries(work: readonly Work[]): Generator<ExportEntry> {
  const names = new Set(['chat.md']);
  const posts = work.filter(({ kind }) => kind === 'post').map(({ text }) => text);
  if (posts.length > 0) {
    const bytes = toUtf8(posts.join('\n\n---\n\n'));
    yield { kind: 'file', path: 'chat.md', modified: work.at(-1)!.time, read: () => only(bytes) };
  }
  for (const { kind, name, time, stream } of work) {
    if (kind === 'file') yield { kind: 'file', path: unusedName(name, names), modified: time, read: stream };
  }
}

function unusedName(name: string, used: Set<string>): string {
  let path = name;
  for (let n = 2; used.has(path.toLowerCase()); n++) path = `${n} ${name}`;
  used.add(path.toLowerCase());
  return path;
}

async function* only(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
