/**
 * Getting the chunks that versions name, and giving those that others ask for (F1, F3, R9). Pulled, so the asker paces it:
 * from members on a direct path first, else from parcels on a relay, else a member is asked by relay to leave one there.
 *
 * A chunk is believed only when it opens under its generation's key and is the plaintext its id names. Who came after a change of keys has
 * not got those from before it: he asks for a key first, and for the chunks under it when it is here.
 */
import { joinBytes, toHex } from '../base/bytes.ts';
import type { ChunkId, DeviceId } from '../base/ids.ts';
import { isRecent } from '../base/recent.ts';
import { TAG_BYTES, type Crypto } from '../crypto/crypto.ts';
import {
  MAX_CHUNK_REQUESTS,
  MAX_MESSAGE_BYTES,
  MAX_OFFERED_CHUNKS,
  MAX_OFFERED_PARCELS,
  RELAY_PARCEL_SLICE_BYTES,
} from '../protocol/limits.ts';
import type { Message, ParcelNotice } from '../sync/messages.ts';
import { Lane, StoreError, TransportError, type ChunkStore, type Clock, type Transport } from '../sync/ports.ts';
import { openChunk, type ChunkRef } from '../tools/files/content.ts';
import { LackingChunks } from './lacking-chunks.ts';
import type { ChunkKeys } from './ports.ts';

export interface ChunkExchangeOptions {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly chunks: ChunkStore;
  readonly keys: ChunkKeys;
  readonly transport: Transport;
  /** Own relay, where parcels are left. */
  relay(): string | undefined;
  /** Other devices of the workspace. */
  devices(): readonly DeviceId[];
  sendDirect(device: DeviceId, message: Message, lane: Lane): boolean;
  sendByRelay(devices: readonly DeviceId[], message: Message): Promise<boolean>;
  /** What comes cannot be kept now: nothing is asked for, and `pump` is called when it can. */
  isDiskFailing(): boolean;
  /** Chunks have come (durably): who waits for content looks again. */
  onArrived(chunks: readonly ChunkId[]): void;
  onProgress(): void;
  /** The key of a generation that chunks are lacking of is not here: told with each asking, until it is. */
  onLocked(generation: string): void;
  /** Nothing is lacking any more: whoever thinks he owes us something need not. */
  onWhole(): void;
  /** An error that nobody waits for. */
  onFault(error: unknown): void;
  /** Tests need not fill the memory. */
  readonly maxLacking?: number;
}

/** Answers are cut so that one message, sealed and padded, stays within its limit. */
const ANSWER_BYTES = MAX_MESSAGE_BYTES - 160 * 1024;
const PARCEL_BYTES = 8 * 1024 * 1024;
const WANTED_BYTES_AT_ONCE = 4 * 1024 * 1024;
const WANT_PATIENCE_MS = 20_000;
const PAUSE_MS = 5;
/** How long somebody who opens a file waits for what is on its way. */
const FETCH_PATIENCE_MS = 20_000;
/** Of a relayed request: what one parcel can hold, asked for again when that has come. */
const RELAY_WANT_CHUNKS = 512;
const RELAY_WANT_AGAIN_MS = 60_000;
/** So many chunks are looked at for what is to be asked of a relay; where they are more, it is a while until the next look: a hundredth of the time. */
const RELAY_LOOKS_AT_ONCE = 1_024;
const RELAY_LOOKS_PER_MS = 64;
/** Keys that are looked for at once: as many changes of members as a workspace has in years. Of more, the others the next time. */
const GENERATIONS_AT_ONCE = 256;

interface Request {
  readonly ids: Set<ChunkId>;
  readonly cancel: () => void;
}

export class ChunkExchange {
  readonly #options: ChunkExchangeOptions;
  /** What is named by versions and not here. */
  readonly #lacking: LackingChunks;
  readonly #asked = new Map<DeviceId, Request>();
  /** What a device was not asked for when it was its turn, since another was, or has not answered. */
  readonly #passed = new Map<DeviceId, Set<ChunkId>>();
  readonly #parcels: ParcelNotice[] = [];
  readonly #uploaded = new Map<ChunkId, { readonly notice: ParcelNotice; readonly at: number }>();
  readonly #serving = new Set<DeviceId>();
  /** Who waits for something to come, or for nobody to be there any more. */
  readonly #waiting = new Set<() => void>();
  readonly #timers = new Set<() => void>();
  #fetching = false;
  /** Not all that is lacking is known here: there was no room. */
  #isPart = false;
  /** What was of use when no parcel had any of it. */
  #soughtInParcels = -1;
  #relayLookedAt = Number.NEGATIVE_INFINITY;
  #relayRests_ms = 0;
  #isToLook = false;
  #stopped = false;

  constructor(options: ChunkExchangeOptions) {
    this.#options = options;
    this.#lacking = new LackingChunks(options.maxLacking);
  }

  /** Those that there was no room for count for one. */
  get lackingChunks(): number {
    return this.#lacking.size + (this.#isPart ? 1 : 0);
  }

  get lackingBytes(): number {
    return this.#lacking.bytes;
  }

  /** How often there was no room for what is lacking, and what was named first was given up. */
  get dropped(): number {
    return this.#lacking.dropped;
  }

  /** Whoever looks for more waits until some of it has come. */
  get isCrowded(): boolean {
    return this.#lacking.isCrowded;
  }

  /** Whatever is lacking has been named, and there was room for it. */
  allNamed(): void {
    if (!this.#isPart) return;
    this.#isPart = false;
    if (this.#lacking.size === 0) this.#options.onWhole();
  }

  lacks(id: ChunkId): boolean {
    return !this.#options.chunks.has(id);
  }

  stop(): void {
    this.#stopped = true;
    for (const request of this.#asked.values()) request.cancel();
    for (const cancel of this.#timers) cancel();
    this.#settleWaiting();
  }

  // ---- wanting --------------------------------------------------------------------------------------------------------

  need(refs: readonly ChunkRef[]): void {
    for (const ref of refs) if (!this.#options.chunks.has(ref.id)) this.#lack(ref);
    this.pump();
  }

  #lack(ref: ChunkRef): void {
    const { dropped } = this.#lacking;
    this.#lacking.add(ref, this.#isOpenable(ref));
    this.#isPart ||= this.#lacking.dropped > dropped;
  }

  #isOpenable(ref: ChunkRef): boolean {
    return this.#options.keys.find(ref.generation) !== undefined;
  }

  /** Fetches these before all others. Answers whether they came: false at once where nobody is there to ask. */
  async fetch(refs: readonly ChunkRef[]): Promise<boolean> {
    this.hurry(refs);
    const isHere = (ref: ChunkRef) => this.#options.chunks.has(ref.id) && !this.#lacking.has(ref);
    let first = 0;
    const here = () => {
      while (first < refs.length && isHere(refs[first]!)) first++;
      return first === refs.length;
    };
    // By a timer: a clock that is set back says nothing of the time that has gone by.
    const patience = { isOver: false };
    const cancel = this.#later(FETCH_PATIENCE_MS, () => {
      patience.isOver = true;
      this.#settleWaiting();
    });
    while (!here() && !patience.isOver && !this.#stopped && this.#isAnybodyThere())
      await new Promise<void>((resume) => void this.#waiting.add(resume));
    cancel();
    return here();
  }

  #isAnybodyThere(): boolean {
    const { transport } = this.#options;
    return this.#fetching || this.#options.devices().some((device) => transport.reach(device) === 'direct');
  }

  #settleWaiting(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const settle of waiting) settle();
  }

  #later(ms: number, work: () => void): () => void {
    const stop = this.#options.clock.wakeAt(this.#options.clock.now() + ms, () => {
      this.#timers.delete(cancel);
      work();
    });
    const cancel = () => {
      this.#timers.delete(cancel);
      stop();
    };
    this.#timers.add(cancel);
    return cancel;
  }

  /**
   * What is here is not what a version says of it: it is damaged, or that is a lie, and then it is the content of somebody else's version. It goes
   * when what is to stand in its place has come.
   */
  replace(ref: ChunkRef): void {
    this.#lack(ref);
    this.pump();
  }

  /** Somebody opens what is not here: it goes first. */
  hurry(refs: readonly ChunkRef[]): void {
    const { dropped } = this.#lacking;
    const lacking = refs.filter((ref) => !this.#options.chunks.has(ref.id) || this.#lacking.has(ref));
    this.#lacking.hurry(lacking, (ref) => this.#isOpenable(ref));
    this.#isPart ||= this.#lacking.dropped > dropped;
    this.pump();
  }

  /** A path has opened or closed, a request was answered, or the disk has room again: ask on. */
  pump(): void {
    this.#settleWaiting();
    if (this.#stopped || this.#lacking.size === 0 || this.#options.isDiskFailing()) return;
    this.#unlock();
    const direct = this.#options.devices().filter((device) => this.#options.transport.reach(device) === 'direct');
    const there = new Set(direct);
    for (const device of new Set([...this.#asked.keys(), ...this.#passed.keys()]))
      if (!there.has(device)) this.#leave(device);
    for (const device of direct) if (!this.#asked.has(device)) this.#ask(device);
    this.#fetchParcels().catch((error: unknown) => this.#options.onFault(error));
    this.#askByRelay(direct);
  }

  #unlock(): void {
    for (const generation of this.#lacking.locked(GENERATIONS_AT_ONCE)) {
      if (this.#options.keys.find(generation)) this.#lacking.unlock(generation);
      else this.#options.onLocked(generation);
    }
  }

  #ask(device: DeviceId): void {
    const ids = new Set<ChunkId>();
    const passed = this.#passed.get(device) ?? new Set();
    this.#passed.set(device, passed);
    let bytes = 0;
    const isFull = () => bytes >= WANTED_BYTES_AT_ONCE || ids.size >= 16 * MAX_CHUNK_REQUESTS;
    const take = (id: ChunkId) => {
      ids.add(id);
      bytes += this.#lacking.bytesOf(id);
    };
    for (const id of passed) {
      if (isFull()) break;
      if (this.#isTaken(id)) continue;
      passed.delete(id);
      if (this.#lacking.isWanted(id) && !this.#lacking.isAbsentAt(device, id)) take(id);
    }
    while (!isFull()) {
      const id = this.#lacking.next(device);
      if (id === undefined) break;
      if (this.#isTaken(id)) passed.add(id);
      else if (!ids.has(id)) take(id);
    }
    if (ids.size === 0) return;
    if (!this.#options.sendDirect(device, { kind: 'want', chunks: [...ids] }, Lane.structured)) {
      for (const id of ids) passed.add(id);
      return;
    }
    const cancel = this.#options.clock.wakeAt(this.#options.clock.now() + WANT_PATIENCE_MS, () => {
      this.#end(device);
      this.pump();
    });
    this.#asked.set(device, { ids, cancel });
  }

  #isTaken(id: ChunkId): boolean {
    for (const request of this.#asked.values()) if (request.ids.has(id)) return true;
    return false;
  }

  #end(device: DeviceId): void {
    const request = this.#asked.get(device);
    if (!request) return;
    request.cancel();
    this.#asked.delete(device);
    for (const id of request.ids) this.#passed.get(device)?.add(id);
  }

  #leave(device: DeviceId): void {
    this.#end(device);
    this.#passed.delete(device);
    this.#lacking.leave(device);
  }

  /** What nobody on a direct path has: whoever else is online may leave a parcel. */
  #askByRelay(direct: readonly DeviceId[]): void {
    const others = this.#options.devices().filter((device) => !direct.includes(device));
    if (others.length === 0) return;
    const now = this.#options.clock.now();
    if (isRecent(this.#relayLookedAt, this.#relayRests_ms, now)) {
      if (this.#isToLook) return;
      this.#isToLook = true;
      this.#later(this.#relayLookedAt + this.#relayRests_ms - now, () => {
        this.#isToLook = false;
        this.pump();
      });
      return;
    }
    const known = new Set(this.#parcels.flatMap((parcel) => parcel.chunks.map((chunk) => chunk.id)));
    const ids: ChunkId[] = [];
    let looks = known.size;
    for (const id of this.#lacking.all()) {
      looks++;
      if (direct.some((device) => !this.#lacking.isAbsentAt(device, id))) continue;
      if (known.has(id) || isRecent(this.#lacking.relayAsked(id), RELAY_WANT_AGAIN_MS, now)) continue;
      ids.push(id);
      if (ids.length >= RELAY_WANT_CHUNKS) break;
    }
    this.#relayLookedAt = now;
    this.#relayRests_ms = looks > RELAY_LOOKS_AT_ONCE ? looks / RELAY_LOOKS_PER_MS : 0;
    if (ids.length === 0) return;
    for (const id of ids) this.#lacking.setRelayAsked(id, now);
    void this.#options.sendByRelay(others, { kind: 'want', chunks: ids });
  }

  async received(device: DeviceId, message: Message & { kind: 'chunks' }): Promise<void> {
    for (const id of message.absent) this.#lacking.setAbsentAt(device, id);
    await this.#take(message.chunks);
    // What it sent under that name is something else: asked again at once, it would send that again at once.
    for (const { id } of message.chunks) if (this.#lacking.isWanted(id)) this.#lacking.setAbsentAt(device, id);
    const request = this.#asked.get(device);
    if (request) {
      for (const { id } of message.chunks) request.ids.delete(id);
      for (const id of message.absent) request.ids.delete(id);
      if (request.ids.size === 0) this.#end(device);
    }
    this.pump();
  }

  /** Verifies, stores, makes durable, then tells. */
  async #take(chunks: readonly { readonly id: ChunkId; readonly bytes: Uint8Array }[]): Promise<void> {
    const taken: ChunkId[] = [];
    for (const { id, bytes } of chunks) {
      if (!this.#lacking.named(id).some((ref) => this.#isWhatIsNamed(ref, bytes))) continue;
      if (this.#options.chunks.has(id)) await this.#options.chunks.delete(id);
      await this.#options.chunks.put(id, bytes);
      taken.push(id);
    }
    if (taken.length === 0) return;
    await this.#options.chunks.sync();
    // A chunk whose fsync has failed is given up, and only whoever had asked for that fsync is told (L2).
    const kept = taken.filter((id) => this.#options.chunks.has(id));
    for (const id of kept) this.#lacking.delete(id);
    if (kept.length > 0) {
      this.#options.onArrived(kept);
      this.#options.onProgress();
      if (this.lackingChunks === 0) this.#options.onWhole();
    }
    if (kept.length < taken.length) throw new StoreError('io', 'what came is not on the disk');
  }

  #isWhatIsNamed({ generation, id, bytes: length }: ChunkRef, bytes: Uint8Array): boolean {
    const key = bytes.length === length + TAG_BYTES ? this.#options.keys.find(generation) : undefined;
    return key !== undefined && openChunk(this.#options.crypto, key, id, bytes) !== undefined;
  }

  /** Somebody has got more than he said: those who had nothing may have it now. */
  refresh(device: DeviceId): void {
    this.#lacking.refresh(device);
    this.pump();
  }

  // ---- parcels ----------------------------------------------------------------------------------------------------------

  /** Parcels were left for us. */
  offered(notices: readonly ParcelNotice[]): void {
    this.#parcels.push(...notices);
    this.#soughtInParcels = -1;
    this.#parcels.splice(0, beyondRoom(this.#parcels.map(({ chunks }) => chunks.length))); // what is in these is asked for again
    this.pump();
  }

  /** A parcel may come before the delta that names its chunks: it is kept until something in it is lacking, or all is here. */
  async #fetchParcels(): Promise<void> {
    if (this.#fetching) return;
    this.#fetching = true;
    let fetched = false;
    try {
      for (let parcel = this.#takeParcel(); parcel && !this.#stopped; parcel = this.#takeParcel()) {
        fetched = true;
        const taken = parcel;
        await this.#fetchParcel(taken).catch((error: unknown) => {
          if (!(error instanceof StoreError)) throw error;
          this.#fetchLater(taken); // the disk may have room again
        });
      }
    } finally {
      this.#fetching = false;
    }
    if (fetched) this.pump(); // what was in none of them is asked for
  }

  #takeParcel(): ParcelNotice | undefined {
    if (this.#options.isDiskFailing() || this.#soughtInParcels === this.#lacking.wanted) return undefined;
    const at = this.#parcels.findIndex((parcel) => parcel.chunks.some((chunk) => this.#lacking.isWanted(chunk.id)));
    const parcel = this.#parcels[at];
    if (!parcel) {
      this.#soughtInParcels = this.#lacking.wanted;
      return undefined;
    }
    const later = parcel.chunks.filter(({ id }) => !this.#lacking.isWanted(id) && !this.#options.chunks.has(id));
    this.#parcels.splice(at, 1, ...(later.length > 0 ? [{ ...parcel, chunks: later }] : []));
    return parcel;
  }

  #fetchLater(parcel: ParcelNotice): void {
    this.#later(WANT_PATIENCE_MS, () => this.offered([parcel]));
  }

  async #fetchParcel(parcel: ParcelNotice): Promise<void> {
    for (const slice of slicesOf(parcel.chunks.filter((chunk) => this.#lacking.isWanted(chunk.id)))) {
      const [first, last] = [slice[0]!, slice.at(-1)!];
      const from = first.offset;
      const bytes = await this.#fetchRange(parcel, from, last.offset + last.length - from);
      if (!bytes) return;
      const cut = slice.map((chunk) => ({
        id: chunk.id,
        bytes: bytes.subarray(chunk.offset - from, chunk.offset - from + chunk.length),
      }));
      await this.#take(cut);
    }
  }

  async #fetchRange(parcel: ParcelNotice, from: number, length: number): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    for (let done = 0; done < length;) {
      const asked = Math.min(RELAY_PARCEL_SLICE_BYTES, length - done);
      try {
        const part = await this.#options.transport.getParcel(parcel.relay, parcel.parcel, from + done, asked);
        // Expired: it is asked for again. So is what a relay gives drop by drop, which would hold up all others.
        if (!part || part.bytes.length < asked) return undefined;
        parts.push(part.bytes);
        done += part.bytes.length;
      } catch {
        this.#fetchLater(parcel);
        return undefined;
      }
    }
    return joinBytes(parts);
  }

  /**
   * Leaves chunks at the own relay. Answers notices for all that could be left; those left before are not sent again, nor those that are on their way
   * there for somebody else.
   */
  async leave(ids: readonly ChunkId[]): Promise<readonly ParcelNotice[]> {
    const relay = this.#options.relay();
    if (relay === undefined) return [];
    const wanted = [...new Set(ids)];
    const others = wanted.flatMap((id) => this.#leaving.get(id) ?? []);
    const mine = wanted.filter((id) => !this.#uploaded.has(id) && !this.#leaving.has(id));
    const leaving = this.#uploadAll(relay, mine).finally(() => {
      for (const id of mine) this.#leaving.delete(id);
    });
    for (const id of mine) this.#leaving.set(id, leaving);
    await Promise.all([leaving, ...others]);
    return this.#noticesFor(wanted);
  }

  readonly #leaving = new Map<ChunkId, Promise<void>>();

  async #uploadAll(relay: string, ids: readonly ChunkId[]): Promise<void> {
    let part: { id: ChunkId; bytes: Uint8Array }[] = [];
    let bytes = 0;
    const flush = async () => {
      if (part.length > 0) await this.#upload(relay, part);
      [part, bytes] = [[], 0];
    };
    for (const id of ids) {
      const chunk = await this.#options.chunks.get(id);
      if (!chunk) continue;
      part.push({ id, bytes: chunk });
      bytes += chunk.length;
      if (bytes >= PARCEL_BYTES) await flush();
    }
    await flush();
  }

  async #upload(relay: string, part: readonly { readonly id: ChunkId; readonly bytes: Uint8Array }[]): Promise<void> {
    const parcel = this.#options.crypto.randomBytes(32);
    let offset = 0;
    const chunks = part.map(({ id, bytes }) => {
      const place = { id, offset, length: bytes.length };
      offset += bytes.length;
      return place;
    });
    await this.#options.transport.putParcel(parcel, joinBytes(part.map((chunk) => chunk.bytes)));
    const notice: ParcelNotice = { relay: withoutToken(relay), parcel, chunks };
    const at = this.#options.clock.now();
    for (const { id } of chunks) this.#uploaded.set(id, { notice, at });
  }

  #noticesFor(ids: readonly ChunkId[]): readonly ParcelNotice[] {
    const byParcel = new Map<string, { notice: ParcelNotice; ids: Set<ChunkId> }>();
    for (const id of ids) {
      const notice = this.#uploaded.get(id)?.notice;
      if (!notice) continue;
      const key = toHex(notice.parcel);
      const entry = byParcel.get(key) ?? { notice, ids: new Set() };
      entry.ids.add(id);
      byParcel.set(key, entry);
    }
    return [...byParcel.values()].map(({ notice, ids: own }) => ({
      ...notice,
      chunks: notice.chunks.filter((chunk) => own.has(chunk.id)),
    }));
  }

  // ---- giving -------------------------------------------------------------------------------------------------------------

  async wanted(device: DeviceId, path: 'direct' | 'relay', ids: readonly ChunkId[]): Promise<void> {
    if (path === 'relay') return this.#toLeave(device, ids);
    if (this.#serving.has(device)) return; // one request at a time: the next is asked when this is answered
    this.#serving.add(device);
    try {
      await this.#answer(device, ids);
    } finally {
      this.#serving.delete(device);
    }
  }

  /**
   * Each device in its turn, and one after the other: of a large workspace many requests come at once, and each is read into memory. Nobody waits for it: a
   * relay is to keep nothing else till then, and who is left nothing asks again.
   */
  #toLeave(device: DeviceId, ids: readonly ChunkId[]): void {
    const asked = this.#askedByRelay.get(device) ?? new Set();
    for (const id of ids) if (this.#options.chunks.has(id)) asked.add(id);
    if (asked.size > 0) this.#askedByRelay.set(device, asked);
    if (!this.#isLeaving) void this.#leaveInTurns();
  }

  /** By device, what it has asked for by relay, and is here. */
  readonly #askedByRelay = new Map<DeviceId, Set<ChunkId>>();
  #isLeaving = false;

  async #leaveInTurns(): Promise<void> {
    this.#isLeaving = true;
    for (let next = this.#nextTurn(); next && !this.#stopped; next = this.#nextTurn())
      await this.#leaveFor(...next).catch((error: unknown) => this.#options.onFault(error));
    this.#isLeaving = false;
  }

  #nextTurn(): [device: DeviceId, ids: readonly ChunkId[]] | undefined {
    const [device, asked] = this.#askedByRelay.entries().next().value ?? [];
    if (device === undefined || !asked) return undefined;
    this.#askedByRelay.delete(device);
    const ids: ChunkId[] = [];
    for (const id of asked) {
      if (ids.length === RELAY_WANT_CHUNKS) break;
      asked.delete(id);
      ids.push(id);
    }
    if (asked.size > 0) this.#askedByRelay.set(device, asked);
    return [device, ids];
  }

  /** Who asks although it was left has not found it: the relay may have dropped it. */
  async #leaveFor(device: DeviceId, ids: readonly ChunkId[]): Promise<void> {
    const here = ids.filter((id) => this.#options.chunks.has(id));
    for (const id of here) {
      const uploaded = this.#uploaded.get(id);
      if (uploaded && !isRecent(uploaded.at, RELAY_WANT_AGAIN_MS, this.#options.clock.now())) this.#uploaded.delete(id);
    }
    try {
      const parcels = await this.leave(here);
      // His relay may take it and never answer: that is not to keep the others waiting.
      if (parcels.length > 0) void this.#options.sendByRelay([device], { kind: 'parcels', parcels });
    } catch (error) {
      // The own relay is away or full: he asks again.
      if (!(error instanceof TransportError)) throw error;
    }
  }

  async #answer(device: DeviceId, ids: readonly ChunkId[]): Promise<void> {
    let chunks: { id: ChunkId; bytes: Uint8Array }[] = [];
    let bytes = 0;
    const absent: ChunkId[] = [];
    for (const id of new Set(ids)) {
      const chunk = await this.#options.chunks.get(id);
      if (!chunk) {
        absent.push(id);
        continue;
      }
      if (bytes + chunk.length > ANSWER_BYTES && chunks.length > 0) {
        if (!(await this.#push(device, { kind: 'chunks', chunks, absent: [] }))) return;
        [chunks, bytes] = [[], 0];
      }
      chunks.push({ id, bytes: chunk });
      bytes += chunk.length;
    }
    const last: Message = { kind: 'chunks', chunks, absent };
    this.#serving.delete(device); // the answer may be followed by the next request at once
    if (this.#options.sendDirect(device, last, Lane.chunks)) return;
    // Who takes nothing is given nothing more: all that he asks for would be held in memory.
    this.#serving.add(device);
    await this.#push(device, last);
  }

  /** Waits while the peer's buffer is full; gives up when the path is gone. */
  async #push(device: DeviceId, message: Message): Promise<boolean> {
    while (!this.#stopped && this.#options.transport.reach(device) === 'direct') {
      if (this.#options.sendDirect(device, message, Lane.chunks)) return true;
      const { clock } = this.#options;
      await new Promise<void>((resume) => void clock.wakeAt(clock.now() + PAUSE_MS, resume));
    }
    return false;
  }
}

/** Of offered parcels, the oldest first, with so many chunks each: for how many of the oldest there is no room. */
export function beyondRoom(sizes: readonly number[]): number {
  let [kept, chunks] = [0, 0];
  for (const size of sizes.toReversed()) {
    chunks += size;
    if (kept === MAX_OFFERED_PARCELS || chunks > MAX_OFFERED_CHUNKS) break;
    kept++;
  }
  return sizes.length - kept;
}

/** Runs of neighbouring chunks, each of about one parcel slice. */
function slicesOf(chunks: ParcelNotice['chunks']): readonly (readonly ParcelNotice['chunks'][number][])[] {
  const slices: ParcelNotice['chunks'][number][][] = [];
  let end = -1;
  let bytes = 0;
  for (const chunk of chunks.toSorted((a, b) => a.offset - b.offset)) {
    const last = slices.at(-1);
    if (last && chunk.offset === end && bytes + chunk.length <= 2 * RELAY_PARCEL_SLICE_BYTES) {
      last.push(chunk);
      bytes += chunk.length;
    } else {
      slices.push([chunk]);
      bytes = chunk.length;
    }
    end = chunk.offset + chunk.length;
  }
  return slices;
}

/** A token lets a device register; who only fetches needs none, and it is not ours to spread. */
function withoutToken(relay: string): string {
  return relay.split('/').slice(0, 4).join('/');
}
