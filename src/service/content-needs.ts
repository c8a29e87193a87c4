/** Which content a workspace's versions name that is not here yet, and the parcels it may be in (F1, F3, R9). */
import { toHex } from '../base/bytes.ts';
import type { ChunkId, WorkspaceId } from '../base/ids.ts';
import { asArray, asBytes, asCount, asList, asText, type Value } from '../protocol/codec.ts';
import { MAX_ADDRESS_BYTES } from '../protocol/limits.ts';
import { idBytes } from '../sync/delta.ts';
import type { RowChange } from '../sync/fold.ts';
import type { ParcelNotice } from '../sync/messages.ts';
import type { ChunkRef, Content } from '../tools/files/content.ts';
import { VERSIONS, versionFromRow } from '../tools/files/rows.ts';
import { beyondRoom, type ChunkExchange } from './chunk-exchange.ts';
import type { Hub } from './hub.ts';
import type { ContentStore } from './ports.ts';

const MAX_PARCEL_CHUNKS = 65_536;
/** Rows looked at before others have their turn: a few milliseconds. */
const AT_ONCE = 500;

export class ContentNeeds {
  readonly #hub: Hub;
  readonly #workspace: WorkspaceId;
  readonly #contents: ContentStore;
  readonly #exchange: ChunkExchange;
  /** Contents whose list of chunks is itself on its way, by its first chunk. */
  readonly #lists = new Map<ChunkId, Content & { kind: 'chunks' }>();
  /** What the lists that are here name. */
  readonly #listed = new Map<ChunkId, readonly ChunkRef[]>();
  /** Parcels that were offered and are not on disk yet, as they came. */
  readonly #unsaved = new Set<readonly ParcelNotice[]>();

  constructor(hub: Hub, workspace: WorkspaceId, contents: ContentStore, exchange: ChunkExchange) {
    this.#hub = hub;
    this.#workspace = workspace;
    this.#contents = contents;
    this.#exchange = exchange;
  }

  /** After a restart: parcels that were offered, and every version that is known, in pieces: nobody waits for that. */
  restore(rows: Iterable<RowChange>): void {
    for (const [, value] of this.#hub.local.under(this.#parcelKey(''))) this.#offerStored(value);
    this.#lookThrough(rows[Symbol.iterator]());
  }

  #lookThrough(rows: Iterator<RowChange>): void {
    const piece: RowChange[] = [];
    let next = rows.next();
    for (; !next.done && piece.length < AT_ONCE; next = rows.next()) piece.push(next.value);
    if (!next.done) piece.push(next.value);
    this.need(piece);
    if (next.done) return;
    const { clock } = this.#hub;
    this.#cancel = clock.wakeAt(clock.now(), () => this.#lookThrough(rows));
  }

  #cancel: (() => void) | undefined;

  stop(): void {
    this.#cancel?.();
  }

  need(changes: Iterable<RowChange>): void {
    const refs: ChunkRef[] = [];
    for (const { table, row } of changes) {
      const content = table === VERSIONS && row ? versionFromRow(row).content : undefined;
      if (content?.kind !== 'chunks') continue;
      for (const ref of content.chunks) refs.push(ref);
      this.#needList(content);
    }
    if (refs.length > 0) this.#exchange.need(refs);
  }

  #needList(content: Content & { kind: 'chunks' }): void {
    const list = content.indirect ? content.chunks[0]?.id : undefined;
    if (list === undefined || this.#listed.has(list) || this.#lists.has(list)) return;
    this.#lists.set(list, content);
    void this.#needListed(list, content);
  }

  /** A long list of chunks is content itself: what it names is known once it is here. */
  async #needListed(list: ChunkId, content: Content & { kind: 'chunks' }): Promise<void> {
    try {
      const refs = await this.#contents.chunkRefs(content);
      if (!refs || !this.#lists.delete(list)) return;
      this.#listed.set(list, refs);
      this.#exchange.need(refs);
    } catch (error) {
      // A part of it was not on the disk as it should be; what is no list at all will never be one.
      if (error instanceof Error && error.name === 'ContentMissing') this.#exchange.need(content.chunks);
      else this.#lists.delete(list);
    }
    this.#hub.emit({ type: 'workspaces' });
  }

  /** Whether some of a content is not here yet. */
  lacks(content: Content): boolean {
    if (content.kind === 'patch') return false;
    const list = content.indirect ? content.chunks[0]?.id : undefined;
    const refs = list === undefined ? content.chunks : this.#listed.get(list);
    return !refs || refs.some((ref) => this.#exchange.lacks(ref.id));
  }

  /** Chunks known to be missing; a list that is not read yet counts for one. */
  get lackingChunks(): number {
    return this.#exchange.lackingChunks + this.#lists.size;
  }

  arrived(): void {
    for (const [list, content] of this.#lists) void this.#needListed(list, content);
    if (this.lackingChunks > 0) return;
    for (const [key] of [...this.#hub.local.under(this.#parcelKey(''))]) this.#hub.local.drop(this.#parcelKey(key));
  }

  // ---- parcels ----------------------------------------------------------------------------------------------------------

  /** A notice is all that leads to a parcel: it is kept until the content is here. */
  async offered(parcels: readonly ParcelNotice[]): Promise<void> {
    if (parcels.length === 0 || (this.#hub.isDiskFailing && this.#isBeyondRoom(parcels))) return;
    this.#unsaved.add(parcels);
    for (const { relay, parcel, chunks } of parcels) {
      const value: Value = [relay, parcel, chunks.map((c) => [idBytes(c.id), c.offset, c.length])];
      this.#hub.local.put(this.#parcelKey(toHex(parcel)), value);
    }
    this.#dropOldest();
    await this.#hub.commit([]);
    if (this.#unsaved.delete(parcels)) this.#exchange.offered(parcels);
  }

  /**
   * While the disk takes nothing, each waits for it in memory, also one that was dropped: no more do than are remembered at all. What is in the
   * others is asked for again.
   */
  #isBeyondRoom(parcels: readonly ParcelNotice[]): boolean {
    return beyondRoom([...this.#unsaved, parcels].flat().map(({ chunks }) => chunks.length)) > 0;
  }

  /** The disk, which had failed, is well. */
  saved(): void {
    const parcels = [...this.#unsaved].flat();
    this.#unsaved.clear();
    this.#exchange.offered(parcels);
  }

  #dropOldest(): void {
    const kept = [...this.#hub.local.under(this.#parcelKey(''))];
    const sizes = kept.map(([, value]) => asArray(asArray(value, 3)?.[2], 0, MAX_PARCEL_CHUNKS)?.length ?? 0);
    for (const [key] of kept.slice(0, beyondRoom(sizes))) this.#hub.local.drop(this.#parcelKey(key));
  }

  #parcelKey(parcel: string): string {
    return `parcel/${this.#workspace}/${parcel}`;
  }

  #offerStored(value: Value): void {
    const f = asArray(value, 3);
    const [relay, parcel] = [asText(f?.[0], MAX_ADDRESS_BYTES), asBytes(f?.[1], 32)];
    const chunks = asList(f?.[2], MAX_PARCEL_CHUNKS, (entry) => {
      const c = asArray(entry, 3);
      const [id, offset, length] = [asBytes(c?.[0], 32), asCount(c?.[1]), asCount(c?.[2])];
      return id && offset !== undefined && length !== undefined
        ? { id: toHex(id) as ChunkId, offset, length }
        : undefined;
    });
    if (relay !== undefined && parcel && chunks) this.#exchange.offered([{ relay, parcel, chunks }]);
  }
}
