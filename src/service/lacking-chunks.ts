/**
 * Which chunks are lacking, in which order they are asked for, and who has said that he has not got them (F1). Whatever is asked of it for a message
 * takes no longer when more is lacking: each device has its own place in each row, and goes on from there.
 */
import type { ChunkId, DeviceId } from '../base/ids.ts';
import { MAX_LACKING_CHUNKS } from '../protocol/limits.ts';
import type { ChunkRef } from '../tools/files/content.ts';

/** Of what is opened, one before the other: of more, the oldest share a row. */
const MAX_HURRIED = 16;

interface Lacking {
  readonly id: ChunkId;
  /** As each version names it, by generation and length: who lies about another's chunk is not to be the only one who is believed. */
  readonly refs: Map<string, ChunkRef>;
  /** As it was named first. */
  readonly bytes: number;
  row: Row;
  /** Of use if it comes: a key of those that it is named with is here. */
  isWanted: boolean;
  relayAsked: number;
}

export class LackingChunks {
  readonly #limit: number;
  readonly #chunks = new Map<ChunkId, Lacking>();
  /** What needs a key that is not here, by its generation. */
  readonly #locked = new Map<string, Set<ChunkId>>();
  readonly #absent = new Map<DeviceId, Set<ChunkId>>();
  /** What is opened, the last first. */
  #hurried: Row[] = [];
  readonly #others = new Row();
  #bytes = 0;
  #dropped = 0;
  #wanted = 0;

  constructor(limit = MAX_LACKING_CHUNKS) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#chunks.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How often there was no room, and what was named first was given up. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Half of the room is taken. */
  get isCrowded(): boolean {
    return 2 * this.#others.named >= this.#limit;
  }

  /** Grows with each that becomes of use. */
  get wanted(): number {
    return this.#wanted;
  }

  isWanted(id: ChunkId): boolean {
    return this.#chunks.get(id)?.isWanted === true;
  }

  has(ref: ChunkRef): boolean {
    return this.#chunks.get(ref.id)?.refs.has(nameOf(ref)) === true;
  }

  /** What versions say of it. */
  named(id: ChunkId): readonly ChunkRef[] {
    return [...(this.#chunks.get(id)?.refs.values() ?? [])];
  }

  bytesOf(id: ChunkId): number {
    return this.#chunks.get(id)?.bytes ?? 0;
  }

  add(ref: ChunkRef, isOpenable: boolean): void {
    if (this.has(ref)) return;
    if (this.#others.named >= this.#limit) this.#dropOldest();
    this.#name(ref, isOpenable, this.#others);
  }

  /** These go before all others. Whatever the limit is, they find room: they are what a person waits for. */
  hurry(refs: readonly ChunkRef[], isOpenable: (ref: ChunkRef) => boolean): void {
    const row = new Row();
    for (const ref of refs) {
      const lacking = this.#chunks.get(ref.id);
      if (lacking && lacking.row !== row) this.#move(lacking, row);
      if (!this.has(ref)) this.#name(ref, isOpenable(ref), row);
    }
    this.#hurried = [row, ...this.#hurried].filter(({ size }) => size > 0);
    const second = this.#hurried.length > MAX_HURRIED ? this.#hurried.splice(-2, 1)[0] : undefined;
    if (second) this.#moveAll(second, this.#hurried.at(-1)!);
    while (this.#hurried.length > 1 && this.#hurriedNames() > this.#limit)
      this.#moveAll(this.#hurried.pop()!, this.#others);
    if (this.#others.named > this.#limit) this.#dropOldest();
  }

  #hurriedNames(): number {
    return this.#hurried.reduce((sum, { named }) => sum + named, 0);
  }

  #name(ref: ChunkRef, isOpenable: boolean, row: Row): void {
    const { id, bytes, generation } = ref;
    const lacking = this.#chunks.get(id) ?? { id, refs: new Map(), bytes, row, isWanted: false, relayAsked: -Infinity };
    if (lacking.refs.size === 0) {
      this.#chunks.set(id, lacking);
      row.put(id);
      this.#bytes += bytes;
    }
    lacking.refs.set(nameOf(ref), ref);
    lacking.row.named++;
    if (isOpenable) return this.#want(lacking);
    const locked = this.#locked.get(generation);
    if (locked) locked.add(id);
    else this.#locked.set(generation, new Set([id]));
  }

  #want(lacking: Lacking): void {
    if (lacking.isWanted) return;
    lacking.isWanted = true;
    lacking.row.ask(lacking.id);
    this.#wanted++;
  }

  #move(lacking: Lacking, row: Row): void {
    const { id, refs } = lacking;
    lacking.row.delete(id, refs.size);
    lacking.row = row;
    row.put(id);
    row.named += refs.size;
    if (lacking.isWanted) row.ask(id);
  }

  #moveAll(from: Row, to: Row): void {
    for (const id of from.ids()) this.#move(this.#chunks.get(id)!, to);
  }

  /** Half of what nobody waits for, at once, so that it is not looked through for each that is added. */
  #dropOldest(): void {
    this.#dropped++;
    for (const id of this.#others.ids()) {
      if (!this.isCrowded) break;
      this.delete(id);
    }
  }

  delete(id: ChunkId): void {
    const lacking = this.#chunks.get(id);
    if (!lacking) return;
    this.#chunks.delete(id);
    lacking.row.delete(id, lacking.refs.size);
    this.#bytes -= lacking.bytes;
    for (const absent of this.#absent.values()) absent.delete(id);
    for (const { generation } of lacking.refs.values()) {
      const locked = this.#locked.get(generation);
      if (locked?.delete(id) && locked.size === 0) this.#locked.delete(generation);
    }
  }

  // ---- keys -------------------------------------------------------------------------------------------------------------

  /** Generations whose keys are not here: so many, and the next time others. */
  locked(count: number): readonly string[] {
    const generations: string[] = [];
    for (const generation of this.#locked.keys()) if (generations.push(generation) === count) break;
    if (generations.length === this.#locked.size) return generations;
    for (const generation of generations) {
      const ids = this.#locked.get(generation)!;
      this.#locked.delete(generation);
      this.#locked.set(generation, ids);
    }
    return generations;
  }

  unlock(generation: string): void {
    const ids = this.#locked.get(generation) ?? [];
    this.#locked.delete(generation);
    for (const id of ids) this.#want(this.#chunks.get(id)!);
  }

  // ---- asking -----------------------------------------------------------------------------------------------------------

  /** The next that a device may be asked for: each comes once, until `refresh`. */
  next(device: DeviceId): ChunkId | undefined {
    const absent = this.#absent.get(device);
    for (const row of [...this.#hurried, this.#others])
      for (let id = row.next(device); id !== undefined; id = row.next(device)) if (!absent?.has(id)) return id;
    return undefined;
  }

  /** It has got more than it said: what it lacked it may have now. What is beyond its place comes before it begins anew. */
  refresh(device: DeviceId): void {
    this.#absent.delete(device);
    for (const row of [...this.#hurried, this.#others]) row.again(device);
  }

  /** It is not there any more: when it is, it begins anew. */
  leave(device: DeviceId): void {
    for (const row of [...this.#hurried, this.#others]) row.leave(device);
  }

  isAbsentAt(device: DeviceId, id: ChunkId): boolean {
    return this.#absent.get(device)?.has(id) === true;
  }

  /** Of what is lacking: anybody can name any number of others. */
  setAbsentAt(device: DeviceId, id: ChunkId): void {
    if (!this.#chunks.has(id)) return;
    const absent = this.#absent.get(device);
    if (absent) absent.add(id);
    else this.#absent.set(device, new Set([id]));
  }

  /** All that are of use, in order. */
  *all(): Iterable<ChunkId> {
    for (const row of [...this.#hurried, this.#others]) yield* row.asked();
  }

  relayAsked(id: ChunkId): number {
    return this.#chunks.get(id)?.relayAsked ?? Number.NEGATIVE_INFINITY;
  }

  setRelayAsked(id: ChunkId, at: number): void {
    const lacking = this.#chunks.get(id);
    if (lacking) lacking.relayAsked = at;
  }
}

interface Place {
  /** Goes on over what is added after it was made, as long as it has not been told that there is no more: so it meets a number before that. */
  readonly rest: Iterator<ChunkId | number>;
  /** How many had been added when it met the end, or -1. */
  ended: number;
  isAgain: boolean;
}

class Row {
  /** Versions' words about those in it: what takes up memory. */
  named = 0;
  readonly #all = new Set<ChunkId>();
  /** Of these, what is of use, and behind all of that how many were added. */
  readonly #asked = new Set<ChunkId | number>([0]);
  readonly #places = new Map<DeviceId, Place>();
  #added = 0;

  get size(): number {
    return this.#all.size;
  }

  ids(): Iterable<ChunkId> {
    return this.#all;
  }

  *asked(): Iterable<ChunkId> {
    for (const id of this.#asked) if (typeof id !== 'number') yield id;
  }

  put(id: ChunkId): void {
    this.#all.add(id);
  }

  ask(id: ChunkId): void {
    this.#asked.delete(this.#added);
    this.#asked.add(id).add(++this.#added);
  }

  delete(id: ChunkId, named: number): void {
    if (!this.#all.delete(id)) return;
    this.#asked.delete(id);
    this.named -= named;
  }

  next(device: DeviceId): ChunkId | undefined {
    let place = this.#places.get(device) ?? this.#begin(device);
    for (;;) {
      if (place.ended === this.#added) {
        if (!place.isAgain) return undefined;
        place = this.#begin(device);
      }
      const { value } = place.rest.next() as { value: ChunkId | number };
      if (typeof value !== 'number') return value;
      place.ended = value;
    }
  }

  #begin(device: DeviceId): Place {
    const place: Place = { rest: this.#asked.values(), ended: -1, isAgain: false };
    this.#places.set(device, place);
    return place;
  }

  again(device: DeviceId): void {
    const place = this.#places.get(device);
    if (place) place.isAgain = true;
  }

  leave(device: DeviceId): void {
    this.#places.delete(device);
  }
}

function nameOf({ generation, bytes }: ChunkRef): string {
  return `${generation}.${bytes}`;
}
