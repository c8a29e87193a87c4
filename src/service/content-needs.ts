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
/** What is remembered of a list. When these have come it is read again. */
const LAST_OF_LIST = 1_024;
/** How long what fills the room has to come, before others have their turn: nobody may have it, or ever have had. Twice as long each time around. */
const TURN_MS = 30_000;
const MAX_TURN_MS = 60 * 60_000;

export class ContentNeeds {
  readonly #hub: Hub;
  readonly #workspace: WorkspaceId;
  readonly #contents: ContentStore;
  readonly #exchange: ChunkExchange;
  /** Contents whose list of chunks is itself on its way, by its first chunk. */
  readonly #lists = new Map<ChunkId, Content & { kind: 'chunks' }>();
  /** Lists that are here, of which all or not all that they name is: of these, the last that are lacking, which come last. */
  readonly #whole = new Set<ChunkId>();
  readonly #partly = new Map<
    ChunkId,
    { readonly content: Content & { kind: 'chunks' }; readonly last: readonly ChunkRef[] }
  >();
  /** Parcels that were offered and are not on disk yet, as they came. */
  readonly #unsaved = new Set<readonly ParcelNotice[]>();

  constructor(hub: Hub, workspace: WorkspaceId, contents: ContentStore, exchange: ChunkExchange) {
    this.#hub = hub;
    this.#workspace = workspace;
    this.#contents = contents;
    this.#exchange = exchange;
  }

  /** After a restart: parcels that were offered, and every version that is known, in pieces: nobody waits for that. */
  restore(rows: () => Iterable<RowChange>): void {
    for (const [, value] of this.#hub.local.under(this.#parcelKey(''))) this.#offerStored(value);
    this.#rows = rows;
    this.#lookThrough();
  }

  #rows: () => Iterable<RowChange> = () => [];
  #isLooking = false;
  /** Whether it looks for what there was no room for: then one list at a time, so that each has its turn. */
  #isAgain = false;
  #turn_ms = TURN_MS;
  #cancel: (() => void) | undefined;
  #hasRoom: (() => void) | undefined;
  #stopped = false;

  #lookThrough(): void {
    this.#isLooking = true;
    this.#goOn(this.#rows()[Symbol.iterator](), this.#exchange.dropped);
  }

  #goOn(rows: Iterator<RowChange>, dropped: number): void {
    if (this.#stopped) return;
    const refs: ChunkRef[] = [];
    const reading: Promise<void>[] = [];
    let next = rows.next();
    for (let looked = 1; !next.done; looked++) {
      const list = this.#needRow(next.value, refs);
      if (list) reading.push(list);
      if (looked > AT_ONCE || (list && this.#isAgain)) break;
      next = rows.next();
    }
    if (refs.length > 0) this.#exchange.need(refs);
    const isDone = next.done === true;
    const goOn = () => (isDone ? this.#lookedThrough(dropped) : this.#pause(() => this.#goOn(rows, dropped)));
    if (reading.length === 0) goOn();
    else
      Promise.all(reading)
        .then(goOn)
        .catch((error: unknown) => this.#hub.fault(error));
  }

  #lookedThrough(dropped: number): void {
    this.#isLooking = false;
    const isAll = this.#exchange.dropped === dropped;
    this.#turn_ms = isAll ? TURN_MS : Math.min(2 * this.#turn_ms, MAX_TURN_MS);
    if (isAll) this.#exchange.allNamed();
    else this.#lookAgain();
  }

  /** For what there was no room for. */
  #lookAgain(): void {
    if (this.#isLooking || this.#stopped) return;
    [this.#isLooking, this.#isAgain] = [true, true];
    this.#pause(() => {
      this.#partly.clear();
      this.#lookThrough();
    });
  }

  /** Others have their turn. Where much is lacking, until there is room for more, or what is lacking has had its turn. */
  #pause(work: () => void): void {
    if (this.#stopped) return;
    const { clock } = this.#hub;
    const goOn = () => {
      this.#hasRoom = undefined;
      this.#cancel?.();
      work();
    };
    const isCrowded = this.#exchange.isCrowded;
    this.#hasRoom = isCrowded ? goOn : undefined;
    this.#cancel = clock.wakeAt(clock.now() + (isCrowded ? this.#turn_ms : 0), goOn);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  need(changes: Iterable<RowChange>): void {
    const refs: ChunkRef[] = [];
    for (const change of changes) void this.#needRow(change, refs);
    if (refs.length > 0) this.#need(refs);
  }

  #need(refs: readonly ChunkRef[]): void {
    const { dropped } = this.#exchange;
    this.#exchange.need(refs);
    if (this.#exchange.dropped !== dropped) this.#lookAgain();
  }

  /** Adds what a version names to `refs`. Answers the reading of its list, if it has one that is not read. */
  #needRow({ table, row }: RowChange, refs: ChunkRef[]): Promise<void> | undefined {
    const content = table === VERSIONS && row ? versionFromRow(row).content : undefined;
    if (content?.kind !== 'chunks') return undefined;
    for (const ref of content.chunks) refs.push(ref);
    return this.#needList(content);
  }

  #needList(content: Content & { kind: 'chunks' }): Promise<void> | undefined {
    const list = content.indirect ? content.chunks[0]?.id : undefined;
    if (list === undefined || this.#whole.has(list) || this.#partly.has(list) || this.#lists.has(list))
      return undefined;
    this.#lists.set(list, content);
    return this.#needListed(list, content);
  }

  /** A long list of chunks is content itself: what it names is known once it is here. */
  async #needListed(list: ChunkId, content: Content & { kind: 'chunks' }): Promise<void> {
    try {
      const refs = await this.#contents.chunkRefs(content);
      if (!refs || !this.#lists.delete(list)) return;
      const lacking = refs.filter((ref) => this.#exchange.lacks(ref.id));
      if (lacking.length === 0) this.#whole.add(list);
      else this.#partly.set(list, { content, last: lacking.slice(-LAST_OF_LIST) });
      this.#need(lacking);
    } catch (error) {
      // A part of it was not on the disk as it should be; what is no list at all will never be one.
      if (error instanceof Error && error.name === 'ContentMissing') this.#need(content.chunks);
      else this.#lists.delete(list);
    }
    this.#hub.emit({ type: 'workspaces' });
  }

  /** Whether some of a content is not here yet. */
  lacks(content: Content): boolean {
    if (content.kind === 'patch') return false;
    const list = content.indirect ? content.chunks[0]?.id : undefined;
    if (list === undefined) return this.#lacksSome(content.chunks);
    if (this.#hasLast(list)) void this.#needListed(list, content);
    return !this.#whole.has(list);
  }

  #lacksSome(refs: readonly ChunkRef[]): boolean {
    return refs.some((ref) => this.#exchange.lacks(ref.id));
  }

  /** Chunks known to be missing; a list that is not read yet counts for one. */
  get lackingChunks(): number {
    return this.#exchange.lackingChunks + this.#lists.size;
  }

  arrived(): void {
    for (const list of this.#partly.keys()) this.#hasLast(list);
    const reading = [...this.#lists].map(([list, content]) => this.#needListed(list, content));
    void Promise.all(reading).then(() => this.#dropParcels());
    if (!this.#exchange.isCrowded) this.#hasRoom?.();
  }

  /** The last that were lacking of a list have come: it is to be read again. */
  #hasLast(list: ChunkId): boolean {
    const partly = this.#partly.get(list);
    if (!partly || this.#lacksSome(partly.last)) return false;
    this.#partly.delete(list);
    this.#lists.set(list, partly.content);
    return true;
  }

  #dropParcels(): void {
    if (this.lackingChunks > 0 || this.#isLooking) return;
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
