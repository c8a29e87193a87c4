/**
 * A workspace that this person is not in any more (K2, L7, A8): what was others' is erased, what is his and nobody has taken is
 * kept until he has seen to it. Kept in local state: [name, how, by, at, [work …]], content in chunks under a key of its own.
 */
import type { ChunkId, DeltaId, ToolId, WorkspaceId } from '../base/ids.ts';
import { asArray, asCount, asList, asText, type Value } from '../protocol/codec.ts';
import { MAX_CHAT_TEXT_BYTES, MAX_NAME_BYTES } from '../protocol/limits.ts';
import { readFilesDelta } from '../tools/files/deltas.ts';
import { contentFromValue, contentToValue, type Content } from '../tools/files/content.ts';
import { VERSIONS, versionFromRow } from '../tools/files/rows.ts';
import type { ClosedInfo, WorkInfo } from './api.ts';
import { deedFromValue, deedToValue, type Deed } from './deeds.ts';
import type { Hub } from './hub.ts';
import { workEntries, type Work, type WorkPlace } from './own-work.ts';
import type { ContentStore, ExportEntry } from './ports.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** What goes with the workspace. The identity, other workspaces and what is kept of this one stay. */
const ERASED = [
  ...['epoch/', 'generation/', 'peer/', 'address/', 'parcel/', 'seen/'],
  ...['request/', 'unread/', 'void/', 'behind/', 'held/', 'fork/'],
  ...['expected/', 'taken/', 'renewal/'],
];
const GENERATION = '00000000000000ff';
const MAX_WORK = 10_000;

type How = ClosedInfo['how'];
const HOWS: readonly How[] = ['removed', 'left', 'device', 'dropped', 'frozen'];

const KINDS: readonly WorkInfo['kind'][] = ['post', 'file', 'folder', 'move', 'deletion'];

type About = Pick<ClosedInfo, 'name' | 'how' | 'by' | 'at'>;

/** A piece of work that nobody has taken. */
export interface Kept {
  readonly info: WorkInfo;
  readonly content: Content | undefined;
  readonly place: WorkPlace;
  readonly deed: Deed | undefined;
}

export class ClosedWorkspace {
  readonly id: WorkspaceId;
  readonly #hub: Hub;
  readonly #contents: ContentStore;
  readonly #about: About;
  #kept: readonly Kept[];

  private constructor(hub: Hub, id: WorkspaceId, about: About, kept: readonly Kept[]) {
    this.#hub = hub;
    this.id = id;
    this.#about = about;
    this.#kept = kept;
    this.#contents = keptContents(hub, id);
  }

  /** Keeps what is unsent, and writes down that and why it is closed. The copy itself is erased by `eraseCopy`, after this is on disk. */
  static async close(
    hub: Hub,
    workspace: SharedWorkspace,
    about: Omit<About, 'name'>,
    unsent: readonly Work[],
  ): Promise<ClosedWorkspace> {
    const contents = keptContents(hub, workspace.id);
    const kept: Kept[] = [];
    for (const { stream, tool, upon, deed, ...info } of unsent.slice(-MAX_WORK)) {
      // What is not whole here cannot be kept whole: its name still says that there was something.
      const content = info.kind === 'file' ? await contents.writeStream(stream()).catch(() => undefined) : undefined;
      kept.push({ info, content, place: { tool, upon }, deed });
    }
    await hub.chunks.sync();
    const closed = new ClosedWorkspace(hub, workspace.id, { ...about, name: workspace.roster.name }, kept);
    hub.local.put(`closed/${workspace.id}`, closed.#toValue());
    return closed;
  }

  static read(hub: Hub, id: WorkspaceId, value: Value): ClosedWorkspace | undefined {
    const f = asArray(value, 5);
    const [name, how, by, at] = [
      asText(f?.[0], MAX_NAME_BYTES),
      asCount(f?.[1], HOWS.length - 1),
      asText(f?.[2], MAX_NAME_BYTES),
      asCount(f?.[3]),
    ];
    const kept = asList(f?.[4], MAX_WORK, keptFromValue);
    if (name === undefined || how === undefined || by === undefined || at === undefined || !kept) return undefined;
    return new ClosedWorkspace(hub, id, { name, how: HOWS[how]!, by, at }, kept);
  }

  #toValue(): Value {
    const { name, how, by, at } = this.#about;
    return [name, HOWS.indexOf(how), by, at, this.#kept.map(keptToValue)];
  }

  info(): Omit<ClosedInfo, 'isBack' | 'isAsking'> {
    return { id: this.id, ...this.#about, work: this.#kept.map(({ info }) => info) };
  }

  /** All that is kept, as files. */
  entries(): Generator<ExportEntry> {
    const whole = this.#kept.filter(({ info, content }) => info.kind === 'post' || content);
    return workEntries(
      whole.map(({ info, content, place, deed }) => {
        return { ...info, ...place, deed, stream: () => this.#contents.read(content!) };
      }),
    );
  }

  get kept(): readonly Kept[] {
    return this.#kept;
  }

  read(content: Content): AsyncIterable<Uint8Array> {
    return this.#contents.read(content);
  }

  /** It is in the workspace again: goes to disk with the next commit, which is to be that of what was written. */
  settle(piece: Kept): void {
    this.#kept = this.#kept.filter((one) => one !== piece);
    this.#hub.local.put(`closed/${this.id}`, this.#toValue());
  }

  /** It was not written after all. */
  restore(pieces: readonly Kept[]): void {
    this.#kept = pieces;
    this.#hub.local.put(`closed/${this.id}`, this.#toValue());
  }

  /** What was kept of a piece that is settled, durably. */
  drop({ content }: Kept): Promise<void> {
    return dropChunks(this.#hub, this.#contents, content);
  }

  /** The owner has seen to it. */
  async forget(): Promise<void> {
    for (const { content } of this.#kept) await dropChunks(this.#hub, this.#contents, content);
    this.#hub.local.drop(`closed/${this.id}`);
    this.#hub.local.drop(`keptKey/${this.id}`);
  }
}

/** What was others' goes: keys, chunks, what was known of them. The journal loses the deltas when it is next compacted. */
export async function eraseCopy(hub: Hub, workspace: SharedWorkspace): Promise<void> {
  for (const id of await chunksIn(workspace)) await hub.chunks.delete(id);
  hub.index.forget(workspace.id);
  for (const prefix of ERASED) {
    for (const [key] of [...hub.local.under(`${prefix}${workspace.id}/`)])
      hub.local.drop(`${prefix}${workspace.id}/${key}`);
  }
}

async function chunksIn(workspace: SharedWorkspace): Promise<ReadonlySet<ChunkId>> {
  const ids = new Set<ChunkId>();
  for (const content of contentsIn(workspace)) {
    if (content.kind === 'chunks') for (const { id } of content.chunks) ids.add(id);
    for (const { id } of (await workspace.contents.chunkRefs(content).catch(() => [])) ?? []) ids.add(id);
  }
  return ids;
}

function* contentsIn(workspace: SharedWorkspace): Generator<Content> {
  for (const { table, row } of workspace.replica.rows()) {
    const content = table === VERSIONS && row ? versionFromRow(row).content : undefined;
    if (content) yield content;
  }
  // Void versions are in no row.
  for (const { delta } of workspace.replica.nodes()) {
    const read = delta.tool === undefined ? undefined : readFilesDelta(delta.kind, delta.body);
    if (read?.kind === 'file' || read?.kind === 'ver') yield read.content;
  }
}

async function dropChunks(hub: Hub, contents: ContentStore, content: Content | undefined): Promise<void> {
  for (const { id } of (content && (await contents.chunkRefs(content).catch(() => []))) ?? [])
    await hub.chunks.delete(id);
}

/** Under a key that only this device has: the epochs are erased with the copy. */
function keptContents(hub: Hub, workspace: WorkspaceId): ContentStore {
  const name = `keptKey/${workspace}`;
  const known = hub.local.get(name);
  const key = known instanceof Uint8Array ? known : hub.crypto.randomBytes(32);
  if (known !== key) hub.local.put(name, key);
  const find = (generation: string) => (generation === GENERATION ? key : undefined);
  return hub.makeContents({ current: () => ({ generation: GENERATION, key }), find });
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

function keptFromValue(value: Value): Kept | undefined {
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
  return { info: { id, kind, toolName, name, text, reason, time }, content, place, deed };
}
