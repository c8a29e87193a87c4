/**
 * Parcels at one relay (R9), in slices of RELAY_PARCEL_SLICE_BYTES, PARCEL_SLICES_IN_FLIGHT at a time.
 * Putting begins by asking from where to go on, and again after every loss of the connection; each slice's answer says where
 * the next one belongs, and an answer that says otherwise than expected is followed.
 */
import { joinBytes } from '../base/bytes.ts';
import { asArray, asBytes, asCount } from '../protocol/codec.ts';
import { PARCEL_SLICES_IN_FLIGHT, RELAY_MAX_PARCEL_BYTES, RELAY_PARCEL_SLICE_BYTES } from '../protocol/limits.ts';
import { Code, type RelayRequest } from '../protocol/relay-messages.ts';
import { Lane, TransportError } from '../sync/ports.ts';
import { ByteGate } from './byte-gate.ts';
import type { RelayConnection, Reply } from './relay-connection.ts';

/** In a row, without a byte of progress. */
const FRUITLESS_TRIES = 4;

export interface ParcelSlice {
  readonly total: number;
  readonly bytes: Uint8Array;
}

type Answer = Extract<Reply, { readonly type: 'answer' }>;

export class RelayParcels {
  readonly #connection: RelayConnection;
  /** Shared by all parcels: however many are on their way, messages find room beside them. */
  readonly #gate = new ByteGate(PARCEL_SLICES_IN_FLIGHT * RELAY_PARCEL_SLICE_BYTES);

  constructor(connection: RelayConnection) {
    this.#connection = connection;
  }

  async put(parcel: Uint8Array, bytes: Uint8Array): Promise<void> {
    if (bytes.length > RELAY_MAX_PARCEL_BYTES)
      throw new TransportError('tooLarge', 'the parcel is larger than any relay keeps');
    const total = bytes.length;
    const slice = async (offset: number, length: number): Promise<number | 'down'> => {
      const piece = bytes.subarray(offset, offset + length);
      const reply = await this.#request({ type: 'parcelPut', parcel, total, offset, bytes: piece }, piece.length);
      if (reply.type !== 'answer') return 'down';
      if (reply.code !== Code.ok) throw errorOf(reply.code);
      const next = asCount(reply.value, total);
      if (next === undefined) throw new TransportError('unreachable', 'the relay answers nonsense');
      return next;
    };
    let reached = -1;
    for (let fruitless = 0; fruitless < FRUITLESS_TRIES; fruitless++) {
      await this.#reachable();
      // Empty where there is nothing to ask for: a parcel of no bytes is put by the same request.
      let at = await slice(0, 0);
      if (at !== 'down' && at < total) at = await this.#stream(at, total, slice);
      if (at === total) return;
      if (at !== 'down' && at > reached) fruitless = 0;
      if (at !== 'down') reached = Math.max(reached, at);
    }
    throw new TransportError('unreachable', 'the relay does not take the parcel');
  }

  /** Undefined where the relay has no such parcel. */
  async get(parcel: Uint8Array, offset: number, length: number): Promise<ParcelSlice | undefined> {
    const first = await this.#slice(parcel, offset, Math.min(length, RELAY_PARCEL_SLICE_BYTES));
    if (!first) return undefined;
    const end = Math.min(offset + length, first.total);
    const parts: Uint8Array[] = [first.bytes];
    let at = offset + first.bytes.length;
    while (at < end) {
      const asked: Promise<ParcelSlice | undefined>[] = [];
      for (let i = 0; i < PARCEL_SLICES_IN_FLIGHT && at < end; i++) {
        const size = Math.min(RELAY_PARCEL_SLICE_BYTES, end - at);
        asked.push(this.#slice(parcel, at, size));
        at += size;
      }
      for (const slice of await Promise.all(asked)) {
        // It expired meanwhile.
        if (!slice) return undefined;
        if (slice.total !== first.total) throw new TransportError('unreachable', 'the relay contradicts itself');
        parts.push(slice.bytes);
      }
    }
    return { total: first.total, bytes: parts.length === 1 ? first.bytes : joinBytes(parts) };
  }

  async drop(parcel: Uint8Array): Promise<void> {
    const answer = await this.#ask({ type: 'parcelKeep', parcel, references: 0 });
    if (answer.code !== Code.ok && answer.code !== Code.notFound) throw errorOf(answer.code);
  }

  /** Sends from `from` on, several slices under way; answers how far the relay got. */
  async #stream(
    from: number,
    total: number,
    slice: (offset: number, length: number) => Promise<number | 'down'>,
  ): Promise<number | 'down'> {
    const underWay: { readonly end: number; readonly next: Promise<number | 'down'> }[] = [];
    let at = from;
    let reached: number | 'down' = from;
    let astray = false;
    while (underWay.length > 0 || (at < total && !astray)) {
      while (!astray && at < total && underWay.length < PARCEL_SLICES_IN_FLIGHT) {
        const length = Math.min(RELAY_PARCEL_SLICE_BYTES, total - at);
        const next = slice(at, length);
        // It is awaited below, in order; until then its failure must not count as unhandled.
        next.catch(() => {});
        underWay.push({ end: (at += length), next });
      }
      const { end, next } = underWay.shift()!;
      reached = await next;
      astray ||= reached !== end;
    }
    return reached;
  }

  /** A slice as long as asked, or up to the parcel's end. */
  async #slice(parcel: Uint8Array, offset: number, length: number): Promise<ParcelSlice | undefined> {
    const { code, value } = await this.#ask({ type: 'parcelGet', parcel, offset, length });
    if (code === Code.notFound) return undefined;
    if (code !== Code.ok) throw errorOf(code);
    const pair = asArray(value, 2);
    const total = asCount(pair?.[0], RELAY_MAX_PARCEL_BYTES);
    const bytes = asBytes(pair?.[1], 0, length);
    if (total === undefined || !bytes || bytes.length !== Math.max(0, Math.min(length, total - offset))) {
      throw new TransportError('unreachable', 'the relay answers nonsense');
    }
    return { total, bytes };
  }

  async #ask(request: RelayRequest): Promise<Answer> {
    for (let tries = 0; tries < FRUITLESS_TRIES; tries++) {
      await this.#reachable();
      const reply = await this.#request(request, request.type === 'parcelGet' ? request.length : 0);
      if (reply.type === 'answer') return reply;
    }
    throw new TransportError('unreachable', 'the relay does not answer');
  }

  async #request(request: RelayRequest, size: number): Promise<Reply> {
    if (!this.#gate.tryEnter(size)) await this.#gate.enter(size);
    try {
      return await this.#connection.request(request, Lane.chunks);
    } finally {
      this.#gate.leave(size);
    }
  }

  async #reachable(): Promise<void> {
    if (this.#connection.isReady || (await this.#connection.open())) return;
    const failure = this.#connection.failure;
    throw new TransportError(failure?.reason ?? 'unreachable', 'the relay cannot be reached');
  }
}

function errorOf(code: Code): TransportError {
  switch (code) {
    case Code.full:
      return new TransportError('full', 'the relay is full');
    case Code.quota:
      return new TransportError('quota', 'the quota at the relay is used up');
    case Code.tooLarge:
      return new TransportError('tooLarge', 'the relay does not keep parcels of this size');
    case Code.tooFast:
    case Code.unavailable:
      return new TransportError('unreachable', 'the relay is busy');
    default:
      return new TransportError('refused', 'the relay refuses');
  }
}
