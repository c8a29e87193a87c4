/**
 * What this person has done to what is there, of no content of its own: a folder made, something moved or deleted. There is nothing in it
 * to be saved; what nobody had taken when a device was dropped is done anew when it is back (L7), where it still means what it meant:
 * what others have changed meanwhile stands.
 */
import { groupBy } from '../base/group.ts';
import type { DeltaId, ToolId } from '../base/ids.ts';
import { asArray, asText, type Value } from '../protocol/codec.ts';
import type { Delta } from '../sync/delta.ts';
import { compareNodes, inPast, type Node } from '../sync/graph.ts';
import type { Clock } from '../sync/ports.ts';
import type { Entry } from '../sync/replica.ts';
import { chatBody, readChatDelta, type ChatDelta } from '../tools/chat/deltas.ts';
import { POSTS } from '../tools/chat/rows.ts';
import { filesBody, readFilesDelta, type FilesDelta, type FolderId } from '../tools/files/deltas.ts';
import { ITEMS, itemFromRow, VERSIONS, versionFromRow } from '../tools/files/rows.ts';
import { freeName } from './files.ts';
import type { Became, PutAnew, Spot } from './put-anew.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

type Doing = (FilesDelta & { readonly kind: 'folder' | 'move' | 'del' }) | (ChatDelta & { readonly kind: 'unpost' });

export interface Deed {
  readonly doing: Doing;
  /** Of a move: where the item stood before it; undefined where it was not there yet. */
  readonly from: Spot | undefined;
}

/** Deeds as their author has known what they were done to: not what others had done at the time. */
export class Deeds {
  readonly #workspace: SharedWorkspace;
  /** What puts an item somewhere and is not in the base, by item, in D6 order; void is what a rule had refused before. */
  #placing: ReadonlyMap<DeltaId, readonly Node[]> | undefined;

  constructor(workspace: SharedWorkspace) {
    this.#workspace = workspace;
  }

  /** Undefined for a delta that has content, or is none of a tool. */
  of(delta: Delta): Deed | undefined {
    const doing = readDoing(delta.kind, delta.body);
    return doing && { doing, from: doing.kind === 'move' ? this.#spotSeen(delta, doing.item) : undefined };
  }

  #spotSeen({ id, tool }: Delta, item: DeltaId): Spot | undefined {
    const { replica } = this.#workspace;
    const mover = replica.node(id);
    this.#placing ??= groupBy(this.#placers(), itemPlaced);
    const last = (this.#placing.get(item) ?? []).findLast((node) => mover && node !== mover && inPast(node, mover));
    const placed = last && readFilesDelta(last.delta.kind, last.delta.body);
    if (placed && 'name' in placed) return { parent: placed.parent, name: placed.name };
    const row = replica.fold.baseRow(tool!, ITEMS, item);
    const { parent, name } = row ? itemFromRow(row) : {};
    return name === undefined ? undefined : { parent, name };
  }

  #placers(): readonly Node[] {
    const { replica, device } = this.#workspace;
    const isPlacer = ({ delta }: Node) => delta.tool !== undefined && PLACING.has(delta.kind);
    return replica
      .tail()
      .filter((node) => isPlacer(node) && readFilesDelta(node.delta.kind, node.delta.body) !== undefined)
      .filter(({ delta }) => delta.device === device || replica.verdictOf(delta.id) === 'accepted')
      .toSorted(compareNodes);
  }
}

const PLACING: ReadonlySet<string> = new Set<FilesDelta['kind']>(['file', 'folder', 'move']);

function itemPlaced({ delta }: Node): DeltaId {
  const read = readFilesDelta(delta.kind, delta.body);
  return read?.kind === 'move' ? read.item : delta.id;
}

/** What does a piece again. */
export interface Redo extends Pick<Became, 'moved'> {
  readonly entry: Entry;
}

/** Does deeds of one workspace anew, one after the other, as they came. */
export class DoingAnew {
  readonly #workspace: SharedWorkspace;
  readonly #clock: Clock;
  readonly #anew: PutAnew;

  constructor(workspace: SharedWorkspace, clock: Clock, anew: PutAnew) {
    this.#workspace = workspace;
    this.#clock = clock;
    this.#anew = anew;
  }

  /** Undefined where there is nothing to be done any more, or it may not be done. */
  redo({ doing, from }: Deed, tool: ToolId): Redo | undefined {
    const redo = doing.kind === 'move' ? this.#move(doing, from, tool) : this.#still(doing, tool);
    const isRefused = redo && this.#workspace.engine.wouldRefuse([redo.entry], this.#clock.now()) !== undefined;
    return isRefused ? undefined : redo;
  }

  #move(doing: Doing & { kind: 'move' }, from: Spot | undefined, tool: ToolId): Redo | undefined {
    const item = this.#now(doing.item);
    const spot = this.#moveTo(doing, from, tool);
    return spot && { entry: filesEntry(tool, { kind: 'move', item, ...spot }), moved: { item, ...spot } };
  }

  #still(doing: Exclude<Doing, { kind: 'move' }>, tool: ToolId): Redo | undefined {
    const entry = this.#entryOf(doing, tool);
    return entry && { entry, moved: undefined };
  }

  #entryOf(doing: Exclude<Doing, { kind: 'move' }>, tool: ToolId): Entry | undefined {
    const { replica } = this.#workspace;
    switch (doing.kind) {
      case 'folder': {
        const parent = this.#folderIn(tool, doing.parent) ?? undefined;
        return filesEntry(tool, { kind: 'folder', ...this.#free(tool, { parent, name: doing.name }) });
      }
      case 'del': {
        const parents = doing.parents.map((id) => this.#now(id)).filter((id) => replica.fold.row(tool, VERSIONS, id));
        return parents.some((id) => this.#isHead(tool, id)) ? filesEntry(tool, { kind: 'del', parents }) : undefined;
      }
      case 'unpost': {
        const post = this.#now(doing.post);
        const isThere = replica.fold.row(tool, POSTS, post) !== undefined;
        return isThere ? { tool, kind: 'unpost', body: chatBody({ kind: 'unpost', post }) } : undefined;
      }
    }
  }

  /** Undefined where the item is gone, somebody else has moved it, or the folder it went into is gone. */
  #moveTo({ item: before, parent: into, name }: Doing & { kind: 'move' }, from: Spot | undefined, tool: ToolId) {
    const [item, parent] = [this.#now(before), this.#folderIn(tool, into)];
    const tree = this.#workspace.tree(tool);
    const known = tree.item(item);
    if (!known || tree.pathOf(item) === undefined || parent === null) return undefined;
    const expected = this.#anew.spotOf(item) ?? (from && { ...from, parent: from.parent && this.#now(from.parent) });
    // What is new itself stands where it was put, be it under another name.
    const isNew = this.#anew.isNew(before);
    if (!isNew && expected && (expected.parent !== known.parent || expected.name !== known.name)) return undefined;
    const clash = tree.clashes(parent, name);
    return !clash || clash.id === item ? { parent, name } : this.#free(tool, { parent, name });
  }

  #free(tool: ToolId, { parent, name }: Spot): Spot {
    const tree = this.#workspace.tree(tool);
    return { parent, name: tree.clashes(parent, name) ? freeName(tree, parent, name) : name };
  }

  /** Null for one that is gone. */
  #folderIn(tool: ToolId, folder: FolderId): FolderId | null {
    const now = folder && this.#now(folder);
    return now === undefined || this.#workspace.tree(tool).pathOf(now) !== undefined ? now : null;
  }

  #isHead(tool: ToolId, version: DeltaId): boolean {
    const { replica } = this.#workspace;
    const row = replica.fold.row(tool, VERSIONS, version);
    const item = row && replica.fold.row(tool, ITEMS, versionFromRow(row).item);
    return item !== undefined && itemFromRow(item).heads.includes(version);
  }

  #now(id: DeltaId): DeltaId {
    return this.#anew.idOf(id);
  }
}

function filesEntry(tool: ToolId, delta: FilesDelta): Entry {
  return { tool, kind: delta.kind, body: filesBody(delta) };
}

// ---- keeping --------------------------------------------------------------------------------------------------------------

export function deedToValue({ doing, from }: Deed): Value {
  const body = doing.kind === 'unpost' ? chatBody(doing) : filesBody(doing);
  const spot = from && filesBody({ kind: 'folder', ...from });
  return [doing.kind, body, spot ?? null];
}

export function deedFromValue(value: Value): Deed | undefined {
  const f = asArray(value, 3);
  const doing = f && readDoing(asText(f[0], MAX_KIND) ?? '', f[1]!);
  if (!f || !doing) return undefined;
  const spot = f[2] === null ? undefined : readFilesDelta('folder', f[2]!);
  if (f[2] !== null && spot?.kind !== 'folder') return undefined;
  return { doing, from: spot?.kind === 'folder' ? { parent: spot.parent, name: spot.name } : undefined };
}

const MAX_KIND = 16;

function readDoing(kind: string, body: Value): Doing | undefined {
  const files = readFilesDelta(kind, body);
  if (files?.kind === 'folder' || files?.kind === 'move' || files?.kind === 'del') return files;
  const chat = readChatDelta(kind, body);
  return chat?.kind === 'unpost' ? chat : undefined;
}
