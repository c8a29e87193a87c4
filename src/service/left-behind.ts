/**
 * What this person has written that a fresh copy lacks (L6, D9): what rests on something that others have settled without it, and
 * what only the copy before had folded. It is his, and is listed as not accepted until it has come along after all.
 *
 * Kept in local state: `behind/<workspace>/<id>` = [tool, kind, body, time, reason, whether it is his]. What is not his is there for what
 * is: it is made upon it, and is no whole content without.
 */
import type { AccountId, DeltaId, DeviceId, ToolId, WorkspaceId } from '../base/ids.ts';
import { asArray, asCount, asFlag, asText, type Value } from '../protocol/codec.ts';
import { MAX_PATCH_CHAIN } from '../protocol/limits.ts';
import type { Delta } from '../sync/delta.ts';
import type { RowChange } from '../sync/fold.ts';
import type { Replica } from '../sync/replica.ts';
import { chatBody, readChatDelta, type ChatDelta } from '../tools/chat/deltas.ts';
import { POSTS, postFromRow } from '../tools/chat/rows.ts';
import { filesBody, readFilesDelta, type FilesDelta } from '../tools/files/deltas.ts';
import { ITEMS, itemFromRow, VERSIONS, versionFromRow, type Version } from '../tools/files/rows.ts';
import type { LocalState } from './local-state.ts';

/** Of what rests on something that others have settled without it, or have not settled at all (`sentences.ts`). */
const APART = 'apart';
const MAX_TEXT = 64;

/** What was said, whether there is a delta of it or only what it has become. */
export interface Said {
  readonly id: DeltaId;
  readonly tool: ToolId;
  readonly kind: string;
  readonly body: Value;
  readonly time: number;
}

export interface Behind extends Said {
  readonly reason: string;
  readonly isOwn: boolean;
}

/** What of a copy it takes. */
export interface Copy extends Pick<Replica, 'nodes' | 'node' | 'verdictOf'> {
  readonly fold: Pick<Replica['fold'], 'row' | 'baseRow'> & { rows(): Iterable<RowChange> };
  readonly feeds: Pick<Replica['feeds'], 'cut'>;
  readonly people: Pick<Replica['people'], 'accountOf'>;
}

export interface Whose {
  readonly account: AccountId;
  readonly device: DeviceId;
}

export class LeftBehind {
  readonly #local: LocalState;
  readonly #prefix: string;
  readonly #pieces = new Map<DeltaId, Behind>();

  constructor(local: LocalState, workspace: WorkspaceId) {
    this.#local = local;
    this.#prefix = `behind/${workspace}/`;
  }

  /** With the copy as it is: a crash may have kept the word of what is left behind, and not the copy that lacks it. */
  restore(copy: Copy): void {
    for (const [id, value] of this.#local.under(this.#prefix)) {
      const piece = fromValue(id as DeltaId, value);
      if (piece) this.#pieces.set(piece.id, piece);
    }
    this.settle(copy);
  }

  /** His own, oldest first. */
  get all(): readonly Behind[] {
    return [...this.#pieces.values()].filter(({ isOwn }) => isOwn).sort((a, b) => a.time - b.time);
  }

  /** With what they are made upon. */
  get pieces(): Iterable<Said> {
    return this.#pieces.values();
  }

  find(id: DeltaId): Said | undefined {
    return this.#pieces.get(id);
  }

  /** A copy has taken the place of another. Goes to disk with the next commit, which is to be before the copy itself. */
  begun(before: Copy, copy: Copy, whose: Whose): void {
    this.settle(copy);
    for (const piece of lacking(before, copy, whose)) this.#keep(piece);
    for (const piece of [...this.#pieces.values()]) this.#keepWhatIsUnder(piece, before, copy);
  }

  /** D2: of what has come back, and waits for what may never be taken. Goes to disk with the next commit. */
  hold(waiting: Iterable<Delta>): void {
    for (const { id, tool, kind, body, time } of waiting)
      if (tool !== undefined && hasContent(kind, body) && !this.#pieces.has(id))
        this.#keep({ id, tool, kind, body, time, reason: APART, isOwn: true });
  }

  /** What is here now has come along. */
  settle(copy: Copy): void {
    for (const piece of this.#pieces.values()) {
      if (!isHere(piece, copy)) continue;
      this.#pieces.delete(piece.id);
      this.#local.drop(this.#prefix + piece.id);
    }
  }

  #keep(piece: Behind): void {
    this.#pieces.set(piece.id, piece);
    const { id, tool, kind, body, time, reason, isOwn } = piece;
    this.#local.put(this.#prefix + id, [tool, kind, body, time, reason, isOwn]);
  }

  /** Down to the first version: that has the name, and content that is no difference. */
  #keepWhatIsUnder(piece: Behind, before: Copy, copy: Copy): void {
    let at = parentOf(piece);
    for (let steps = 0; at !== undefined && steps < MAX_PATCH_CHAIN; steps++) {
      if (this.#pieces.has(at) || copy.fold.row(piece.tool, VERSIONS, at)) return;
      const under = versionIn(before, piece.tool, at);
      if (!under) return;
      this.#keep({ ...under, reason: APART, isOwn: false });
      at = parentOf(under);
    }
  }
}

function* lacking(before: Copy, copy: Copy, whose: Whose): Generator<Behind> {
  yield* unfolded(before, copy, whose);
  if (isShort(before, copy, whose)) yield* folded(before, copy, whose);
}

/** Of this device: others of his keep their own. */
function* unfolded(before: Copy, copy: Copy, { device }: Whose): Generator<Behind> {
  const cut = copy.feeds.cut();
  for (const { delta } of before.nodes()) {
    const { id, feed, seq, tool, kind, body, time, bytes } = delta;
    if (delta.device !== device || tool === undefined || bytes.length === 0) continue;
    if (copy.node(id) || seq <= (cut.get(feed) ?? 0) || !hasContent(kind, body)) continue;
    const verdict = before.verdictOf(id);
    const reason = verdict === undefined || verdict === 'accepted' ? APART : verdict;
    yield { id, tool, kind, body, time, reason, isOwn: true };
  }
}

/** Whether the copy before had folded something of his that was never in this one: else what is not here was taken away by somebody. */
function isShort(before: Copy, copy: Copy, { account }: Whose): boolean {
  const cut = copy.feeds.cut();
  for (const [feed, seq] of before.feeds.cut()) {
    const device = feed.slice(0, feed.indexOf('.')) as DeviceId;
    if (seq > (cut.get(feed) ?? 0) && before.people.accountOf(device) === account) return true;
  }
  return false;
}

function* folded(before: Copy, copy: Copy, { account }: Whose): Generator<Behind> {
  for (const { tool, table, key, row } of before.fold.rows()) {
    const id = key as DeltaId;
    if (!row || isInLog(before, id)) continue;
    const said = table === POSTS ? postIn(before, copy, tool, id, account) : undefined;
    const version = table === VERSIONS && !copy.fold.row(tool, VERSIONS, id) ? versionIn(before, tool, id) : undefined;
    const isOwn = table === VERSIONS && versionFromRow(row).author === account;
    if (said) yield { ...said, reason: APART, isOwn: true };
    else if (version && isOwn) yield { ...version, reason: APART, isOwn };
  }
}

/** A delta that is folded may stand there still as what another names. */
function isInLog(copy: Copy, id: DeltaId): boolean {
  const delta = copy.node(id)?.delta;
  return delta !== undefined && delta.seq > (copy.feeds.cut().get(delta.feed) ?? 0);
}

/** A post, or, where that is here, what has become of it with an edit that is not. What somebody carried over another has said. */
function postIn(before: Copy, copy: Copy, tool: ToolId, id: DeltaId, account: AccountId): Said | undefined {
  const row = before.fold.baseRow(tool, POSTS, id);
  const post = row && postFromRow(row);
  if (!post || post.author !== account || post.told) return undefined;
  const here = copy.fold.row(tool, POSTS, id);
  const { text, time, edited } = post;
  if (!here) return chatSaid(tool, id, time, { kind: 'post', text });
  return edited > postFromRow(here).edited ? chatSaid(tool, id, edited, { kind: 'edit', post: id, text }) : undefined;
}

/** As the delta would say it that it was made by, of which there may be no row, as it was void. */
function versionIn(copy: Copy, tool: ToolId, id: DeltaId): Said | undefined {
  const row = copy.fold.row(tool, VERSIONS, id);
  const said = row && versionSaid(copy, tool, id, versionFromRow(row));
  if (said) return said;
  const delta = copy.node(id)?.delta;
  return delta && hasContent(delta.kind, delta.body) ? { ...delta, tool } : undefined;
}

function versionSaid(copy: Copy, tool: ToolId, id: DeltaId, version: Version): Said | undefined {
  const { item, content, parents, time } = version;
  if (!content) return undefined;
  if (parents.length > 0) return filesSaid(tool, id, time, { kind: 'ver', parents, content });
  const row = copy.fold.row(tool, ITEMS, item);
  if (!row) return undefined;
  const { parent, name } = itemFromRow(row);
  return filesSaid(tool, id, time, { kind: 'file', parent, name, content });
}

function chatSaid(tool: ToolId, id: DeltaId, time: number, delta: ChatDelta): Said {
  return { id, tool, kind: delta.kind, body: chatBody(delta), time };
}

function filesSaid(tool: ToolId, id: DeltaId, time: number, delta: FilesDelta): Said {
  return { id, tool, kind: delta.kind, body: filesBody(delta), time };
}

function parentOf({ kind, body }: Said): DeltaId | undefined {
  const read = readFilesDelta(kind, body);
  return read?.kind === 'ver' ? read.parents[0] : undefined;
}

function hasContent(kind: string, body: Value): boolean {
  return WITH_CONTENT.has((readChatDelta(kind, body) ?? readFilesDelta(kind, body))?.kind ?? '');
}

const WITH_CONTENT: ReadonlySet<string> = new Set(['post', 'edit', 'file', 'ver']);

/** In the log, or in what that adds up to. */
function isHere({ id, tool, kind, body, time }: Said, copy: Copy): boolean {
  if (copy.node(id)) return true;
  const read = readChatDelta(kind, body);
  const post = copy.fold.row(tool, POSTS, id);
  if (read?.kind === 'edit' && read.post === id) return post !== undefined && postFromRow(post).edited >= time;
  return post !== undefined || copy.fold.row(tool, VERSIONS, id) !== undefined;
}

function fromValue(id: DeltaId, value: Value): Behind | undefined {
  const f = asArray(value, 6);
  const [tool, kind, time] = [asText(f?.[0], MAX_TEXT), asText(f?.[1], MAX_TEXT), asCount(f?.[3])];
  const [reason, isOwn] = [asText(f?.[4], MAX_TEXT), asFlag(f?.[5])];
  if (!f || tool === undefined || kind === undefined || time === undefined) return undefined;
  if (reason === undefined || isOwn === undefined) return undefined;
  return { id, tool: tool as ToolId, kind, body: f[2]!, time, reason, isOwn };
}
