/**
 * A workspace that this person is not in any more (K2, L7, A8): what was others' is erased, what is his and nobody has taken is
 * kept until he has seen to it. Kept in local state: `closed/<workspace>` = [name, how, by, at], `kept/<workspace>/<number>` = a piece of
 * work, in the order of the numbers, with its content in chunks under a key of its own.
 */
import type { ChunkId, DeltaId, ToolId, WorkspaceId } from '../base/ids.ts';
import { asArray, asCount, asText, type Value } from '../protocol/codec.ts';
import { MAX_CHAT_TEXT_BYTES, MAX_NAME_BYTES } from '../protocol/limits.ts';
import { readFilesDelta } from '../tools/files/deltas.ts';
import { contentFromValue, contentToValue, type Content } from '../tools/files/content.ts';
import { VERSIONS, versionFromRow } from '../tools/files/rows.ts';
import type { ClosedInfo, WorkInfo } from './api.ts';
import { deedFromValue, deedToValue, type Deed } from './deeds.ts';
import type { Hub } from './hub.ts';
import { PutAnew, type Became } from './put-anew.ts';
import type { Said } from './left-behind.ts';
import type { Work, WorkPlace } from './own-work.ts';
import type { ContentStore } from './ports.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** What goes with the workspace. The identity, other workspaces and what is kept of this one stay. */
const ERASED = [
  ...['epoch/', 'generation/', 'peer/', 'address/', 'parcel/', 'seen/'],
  ...['request/', 'unread/', 'void/', 'behind/', 'held/', 'fork/'],
  ...['expected/', 'taken/', 'renewal/'],
];
const GENERATION = '00000000000000ff';

type How = ClosedInfo['how'];
const HOWS: readonly How[] = ['removed', 'left', 'device', 'dropped', 'frozen', 'letInVain', 'overtaken'];

const KINDS: readonly WorkInfo['kind'][] = ['post', 'file', 'folder', 'move', 'deletion'];

/** How it was closed. */
export type About = Pick<ClosedInfo, 'how' | 'by' | 'at'>;

/** A piece of work that nobody has taken. */
export interface Kept {
  readonly number: number;
  readonly info: WorkInfo;
  readonly content: Content | undefined;
  readonly place: WorkPlace;
  readonly deed: Deed | undefined;
}

export class ClosedWorkspace {
  readonly id: WorkspaceId;
  readonly #hub: Hub;
  readonly #key: Uint8Array;
  readonly #contents: ContentStore;
  readonly #about: About & { readonly name: string };
  /** Also what was written into the workspace anew. */
  readonly #pieces: readonly Kept[];
  readonly anew: PutAnew;

  private constructor(
    hub: Hub,
    id: WorkspaceId,
    about: About & { readonly name: string },
    kept: readonly Kept[],
    { key, contents }: KeptContents,
  ) {
    this.#hub = hub;
    this.id = id;
    this.#about = about;
    this.#pieces = kept;
    this.anew = new PutAnew(hub.local, id);
    this.#key = key;
    this.#contents = contents;
  }

  /**
   * Keeps what is unsent, and writes down that and why it is closed. The copy itself is erased by `eraseCopy`, after this is on disk. `before`:
   * of when it was closed last, where what was kept then is not put back, or a crash has come before the copy was gone. Throws StoreError where
   * the disk does not take it, and what else may come in between: then the copy is to stay.
   */
  static async close(
    hub: Hub,
    workspace: SharedWorkspace,
    about: About,
    unsent: readonly Work[],
    before: ClosedWorkspace | undefined,
  ): Promise<ClosedWorkspace> {
    const keptIn = keptContents(hub, workspace.id);
    // What is numbered from nought is not to be taken for what has become of something else.
    if (!before) dropUnder(hub, `anew/${workspace.id}/`);
    const kept: Kept[] = before ? [...before.#pieces] : [];
    const known = new Set(kept.map(({ info, place }) => pieceName(info.id, place.upon)));
    const more = unsent.filter(({ id, upon }) => !known.has(pieceName(id, upon)));
    let number = 1 + (kept.at(-1)?.number ?? -1);
    for (const { stream, tool, upon, deed, ...info } of more) {
      const content = info.kind === 'file' ? await keptIn.contents.writeStream(stream()).catch(unlessWhole) : undefined;
      kept.push({ number: number++, info, content, place: { tool, upon }, deed });
    }
    await hub.chunks.sync();
    const closed = new ClosedWorkspace(hub, workspace.id, { ...about, name: workspace.roster.name }, kept, keptIn);
    closed.#put();
    return closed;
  }

  /** The word that it is closed goes last: a crash may keep the beginning of what is much, and then it is done again. */
  #put(): void {
    const { name, how, by, at } = this.#about;
    this.#hub.local.put(`keptKey/${this.id}`, this.#key);
    for (const piece of this.#pieces) this.#hub.local.put(`kept/${this.id}/${piece.number}`, keptToValue(piece));
    this.#hub.local.put(`closed/${this.id}`, [name, HOWS.indexOf(how), by, at]);
  }

  static read(hub: Hub, id: WorkspaceId, value: Value): ClosedWorkspace | undefined {
    const f = asArray(value, 4);
    const [name, how, by, at] = [
      asText(f?.[0], MAX_NAME_BYTES),
      asCount(f?.[1], HOWS.length - 1),
      asText(f?.[2], MAX_NAME_BYTES),
      asCount(f?.[3]),
    ];
    if (name === undefined || how === undefined || by === undefined || at === undefined) return undefined;
    const kept = [...hub.local.under(`kept/${id}/`)].flatMap(([key, piece]) => keptFromValue(Number(key), piece) ?? []);
    kept.sort((a, b) => a.number - b.number);
    return new ClosedWorkspace(hub, id, { name, how: HOWS[how]!, by, at }, kept, keptContents(hub, id));
  }

  info(): Omit<ClosedInfo, 'isBack' | 'isAsking'> {
    return { id: this.id, ...this.#about, work: this.kept.map(({ info }) => info) };
  }

  /** All that is kept and whole. */
  get work(): readonly Work[] {
    const whole = this.kept.filter(({ info, content }) => info.kind === 'post' || content);
    return whole.map(({ info, content, place, deed }) => {
      return { ...info, ...place, deed, stream: () => this.#contents.read(content!) };
    });
  }

  /** What is not in the workspace again. */
  get kept(): readonly Kept[] {
    return this.#pieces.filter(({ number }) => !this.anew.has(number));
  }

  read(content: Content): AsyncIterable<Uint8Array> {
    return this.#contents.read(content);
  }

  /** It is in the workspace again: goes to disk with the next commit, which is to be that of what was written. */
  settle({ number, info }: Kept, became: Became): void {
    this.anew.note(number, info.id as DeltaId, became);
  }

  /** Asked for, and not done yet: a restart goes on with it. */
  get isBeingPutBack(): boolean {
    return this.#hub.local.get(`putting/${this.id}`) === true;
  }

  set isBeingPutBack(is: boolean) {
    if (is) this.#hub.local.put(`putting/${this.id}`, true);
    else this.#hub.local.drop(`putting/${this.id}`);
  }

  /** It was not closed after all: what was kept before is. */
  async undo(before: ClosedWorkspace | undefined): Promise<void> {
    if (!before) return this.forget();
    for (const { number } of this.#pieces)
      if (!before.#pieces.some((piece) => piece.number === number)) this.#hub.local.drop(`kept/${this.id}/${number}`);
    before.#put();
  }

  /** Whether its person wants it no more: nothing further of it is put back. */
  get isLetGo(): boolean {
    return this.#letGoing > 0;
  }

  #letGoing = 0;

  /** `forget`: what takes it away when it can; where that fails it is wanted still. */
  async letGo(forget: () => Promise<void>): Promise<void> {
    this.#letGoing++;
    try {
      await forget();
    } finally {
      this.#letGoing--;
    }
  }

  /** The owner has seen to it. Only now its chunks go, also of what was written anew: pieces that are alike have the same. */
  async forget(): Promise<void> {
    for (const { content } of this.#pieces) await dropChunks(this.#hub, this.#contents, content);
    this.anew.forget();
    this.isBeingPutBack = false;
    dropUnder(this.#hub, `kept/${this.id}/`);
    this.#hub.local.drop(`closed/${this.id}`);
    this.#hub.local.drop(`keptKey/${this.id}`);
  }
}

/**
 * What is not whole here, or is damaged on the disk, can be neither kept whole nor put back, and is to hold up nothing else: its name still says that
 * there was something. Any other fault is no reason to give it up.
 */
export function unlessWhole(error: unknown): undefined {
  if (!(error instanceof Error) || !/^Content(Missing|Damaged)$/.test(error.name)) throw error;
}

/**
 * What was others' goes: keys, chunks, what was known of them. The journal loses the deltas when it is next compacted. What another workspace
 * names, too, stays: whoever is in both can name here what is that one's. `letGo`: nobody comes to it any more.
 */
export async function eraseCopy(
  hub: Hub,
  workspace: SharedWorkspace,
  others: Iterable<SharedWorkspace> = [],
  letGo: () => void = () => undefined,
): Promise<void> {
  const ids = await chunksIn(workspace);
  for (const other of others) for (const id of await chunksIn(other)) ids.delete(id);
  for (const id of ids) await hub.chunks.delete(id);
  letGo();
  hub.index.forget(workspace.id);
  for (const prefix of ERASED) dropUnder(hub, `${prefix}${workspace.id}/`);
}

function dropUnder({ local }: Hub, prefix: string): void {
  for (const [key] of [...local.under(prefix)]) local.drop(prefix + key);
}

async function chunksIn(workspace: SharedWorkspace): Promise<Set<ChunkId>> {
  const ids = new Set<ChunkId>();
  for (const content of contentsIn(workspace)) {
    if (content.kind === 'chunks') for (const { id } of content.chunks) ids.add(id);
    for (const { id } of (await workspace.contents.chunkRefs(content).catch(() => [])) ?? []) ids.add(id);
  }
  return ids;
}

function* contentsIn(workspace: SharedWorkspace): Generator<Content> {
  for (const { table, row } of workspace.replica.fold.rows()) {
    const content = table === VERSIONS && row ? versionFromRow(row).content : undefined;
    if (content) yield content;
  }
  // Void versions are in no row, nor is what is kept beside the log.
  for (const { kind, body } of saidIn(workspace)) {
    const read = readFilesDelta(kind, body);
    if (read?.kind === 'file' || read?.kind === 'ver') yield read.content;
  }
}

function* saidIn({ replica, leftBehind, keptVoid }: SharedWorkspace): Generator<Pick<Said, 'kind' | 'body'>> {
  for (const { delta } of replica.nodes()) if (delta.tool !== undefined) yield delta;
  yield* replica.ownWaiting();
  for (const { delta } of keptVoid.all) yield delta;
  yield* leftBehind.pieces;
}

async function dropChunks(hub: Hub, contents: ContentStore, content: Content | undefined): Promise<void> {
  for (const { id } of (content && (await contents.chunkRefs(content).catch(() => []))) ?? [])
    await hub.chunks.delete(id);
}

interface KeptContents {
  readonly key: Uint8Array;
  readonly contents: ContentStore;
}

/** Under a key that only this device has: the epochs are erased with the copy. */
function keptContents(hub: Hub, workspace: WorkspaceId): KeptContents {
  const name = `keptKey/${workspace}`;
  const known = hub.local.get(name);
  const key = known instanceof Uint8Array ? known : hub.crypto.randomBytes(32);
  if (known !== key) hub.local.put(name, key);
  const find = (generation: string) => (generation === GENERATION ? key : undefined);
  return { key, contents: hub.makeContents({ current: () => ({ generation: GENERATION, key }), find }) };
}

/** What was edited is called as its edit where there is no delta of that (`left-behind.ts`). */
function pieceName(id: string, upon: DeltaId | undefined): string {
  return upon === id ? `edit of ${id}` : id;
}

function keptToValue({ info, content, place, deed }: Kept): Value {
  const { id, kind, toolName, name, text, reason, time } = info;
  return [
    id,
    kind,
    toolName,
    name,
    text,
    reason,
    time,
    content ? contentToValue(content) : null,
    place.tool,
    place.upon ?? '',
    deed ? deedToValue(deed) : null,
  ];
}

function keptFromValue(number: number, value: Value): Kept | undefined {
  const f = asArray(value, 11);
  const [id, kind, toolName, name] = [
    asText(f?.[0], 64),
    KINDS.find((one) => one === f?.[1]),
    asText(f?.[2], MAX_NAME_BYTES),
    asText(f?.[3], 1024),
  ];
  const [text, reason, time] = [asText(f?.[4], MAX_CHAT_TEXT_BYTES), asText(f?.[5], 32), asCount(f?.[6])];
  if (id === undefined || toolName === undefined || name === undefined || text === undefined) return undefined;
  if (kind === undefined || reason === undefined || time === undefined) return undefined;
  const deed = f![10] === null ? undefined : deedFromValue(f![10]!);
  if ((deed === undefined) !== (kind === 'post' || kind === 'file')) return undefined;
  const content = f![7] === null ? undefined : contentFromValue(f![7]);
  const [tool, upon] = [asText(f![8], 64), asText(f![9], 64)];
  if (tool === undefined || upon === undefined) return undefined;
  const place = { tool: tool as ToolId, upon: upon === '' ? undefined : (upon as DeltaId) };
  return { number, info: { id, kind, toolName, name, text, reason, time }, content, place, deed };
}
