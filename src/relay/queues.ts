/**
 * The queues of a relay over its tables (R1–R4): plain statements, to be called inside a transaction.
 *
 * A message is put where its sender stands:
 *
 * | recipient | capability | answer |
 * | --- | --- | --- |
 * | not registered | any | `refused` |
 * | registered | among the confirmed | `ok`, or `full` and a marker where the queue or the sender's share of it is full |
 * | registered | unknown or outdated, which look alike | `ok` into the first-contact queue, `refused` where that is full |
 * | any | any, under a message id that stands for a body of another size | `refused` |
 */
import type { DatabaseSync } from 'node:sqlite';
import { toHex } from '../base/bytes.ts';
import { Code, Marker } from '../protocol/relay-messages.ts';
import type { QueueLimits } from './limits.ts';
import { prepareQueues, type DeviceRow, type QueueStatements } from './queue-statements.ts';
import {
  MAX_PAGE_ENTRIES,
  type DeviceKeys,
  type Entry,
  type Page,
  type Placement,
  type Registration,
  type Submission,
} from './store.ts';

/** Submissions whose last ack has come, and that a sender who missed the answer may repeat: a few minutes' worth. */
const RECENT_SUBMISSIONS = 10_000;

const REFUSED: Placement = { code: Code.refused, position: 0, marked: false };

export class Queues {
  readonly #sql: QueueStatements;
  readonly #limits: QueueLimits;
  /**
   * The marker of each kind that a device was given last: a later loss needs a new one, for he may have resynchronised before it. Nothing is taken out of
   * it, since a commit that fails undoes what is in the tables alone.
   */
  readonly #handedOut = new Map<string, number>();
  /** Sender and message id, with the devices it went to. In memory only: nothing is kept after the ack (R5). */
  readonly #recent = new Map<string, ReadonlySet<number>>();

  constructor(database: DatabaseSync, limits: QueueLimits) {
    this.#sql = prepareQueues(database);
    this.#limits = limits;
  }

  registration({ device, account, agreement }: DeviceKeys): Registration {
    const row = this.#sql.device(device);
    if (!row) return 'unknown';
    return same(row.account, account) && same(row.agreement, agreement) ? 'registered' : 'otherKeys';
  }

  register(keys: DeviceKeys): Registration {
    const found = this.registration(keys);
    if (found !== 'unknown') return found;
    this.#sql.addDevice(keys);
    return 'registered';
  }

  confirm(device: Uint8Array, hashes: readonly Uint8Array[]): void {
    const row = this.#sql.device(device);
    if (!row) return;
    this.#sql.clearCapabilities(row.id);
    for (const hash of hashes) this.#sql.addCapability(row.id, hash);
  }

  capabilities(device: Uint8Array): readonly Uint8Array[] {
    const row = this.#sql.device(device);
    return row ? this.#sql.capabilities(row.id) : [];
  }

  submit({ sender, messageId, recipients, body }: Submission, now: number): readonly Placement[] {
    const known = this.#sql.bodyOf(sender, messageId);
    // What a place takes up is counted by its body, off it again by the one that is kept: they are to be one.
    if (known && known.size !== body.length) return recipients.map(() => REFUSED);
    const accepted = new Set<number>([
      ...(known ? splitIds(known.accepted) : []),
      ...(this.#recent.get(recentKey(sender, messageId)) ?? []),
    ]);
    const places: { device: number; position: number; stranger: boolean }[] = [];
    const placements = recipients.map(({ device, hash }): Placement => {
      const row = this.#sql.device(device);
      if (!row) return REFUSED;
      if (accepted.has(row.id)) return { code: Code.ok, position: 0, marked: false };
      const stranger = !this.#sql.hasCapability(row.id, hash);
      if (!this.#hasRoom(row, sender, body.length, stranger)) {
        return stranger ? REFUSED : { code: Code.full, position: 0, marked: this.#mark(row.id, Marker.full) };
      }
      const position = this.#sql.takePosition(row.id);
      this.#sql.grow(row.id, stranger, 1, body.length);
      this.#sql.growShare(row.id, sender, stranger, 1, body.length);
      accepted.add(row.id);
      places.push({ device: row.id, position, stranger });
      return { code: Code.ok, position, marked: false };
    });
    if (places.length > 0) {
      const ids = [...accepted].join(' ');
      const bodyId = known?.id ?? this.#sql.addBody(sender, messageId, now, body, ids);
      this.#sql.refer(bodyId, places.length, ids);
      for (const place of places) this.#sql.enqueue(place.device, place.position, bodyId, place.stranger);
    }
    return placements;
  }

  page(device: Uint8Array, after: number, maxBytes: number): Page {
    const row = this.#sql.device(device);
    const entries: Entry[] = [];
    if (!row) return { entries, end: true };
    let bytes = 0;
    for (const place of this.#sql.places(row.id, after)) {
      const isFull = bytes + (place.size ?? 0) > maxBytes || entries.length === MAX_PAGE_ENTRIES;
      if (entries.length > 0 && isFull) return { entries, end: false };
      bytes += place.size ?? 0;
      if (place.marker === null) {
        entries.push({
          type: 'message',
          position: place.position,
          sender: place.sender!,
          messageId: place.message!,
          body: place.body!,
        });
      } else {
        this.#handedOut.set(`${row.id} ${place.marker}`, place.position);
        entries.push({ type: 'marker', position: place.position, reason: place.marker as Marker });
      }
    }
    return { entries, end: true };
  }

  ack(device: Uint8Array, position: number): boolean {
    const row = this.#sql.device(device);
    if (!row || position >= row.next) return false;
    if (position <= row.acked) return true;
    this.#sql.setAcked(row.id, position);
    this.#remove(row.id, this.#sql.upTo(row.id, position));
    return true;
  }

  expireMessages(before: number): readonly Uint8Array[] {
    const marked: Uint8Array[] = [];
    for (const device of this.#sql.devices()) {
      const expired = this.#sql.receivedBefore(device.id, before);
      if (expired.length === 0) continue;
      this.#remove(device.id, expired);
      this.#mark(device.id, Marker.expired);
      marked.push(device.key);
    }
    return marked;
  }

  #hasRoom(row: DeviceRow, sender: Uint8Array, size: number, stranger: boolean): boolean {
    const { queueMessages, queueBytes, firstContactMessages, firstContactBytes, senderShare } = this.#limits;
    const maxMessages = stranger ? firstContactMessages : queueMessages;
    const maxBytes = stranger ? firstContactBytes : queueBytes;
    const messages = stranger ? row.strangerMessages : row.messages;
    const bytes = stranger ? row.strangerBytes : row.bytes;
    if (messages + 1 > maxMessages || bytes + size > maxBytes) return false;
    const share = this.#sql.share(row.id, sender, stranger);
    return share.messages + 1 <= maxMessages * senderShare && share.bytes + size <= maxBytes * senderShare;
  }

  /** One marker of a kind stands in a queue, behind what was kept when the last loss was. False: one waits already. */
  #mark(device: number, reason: Marker): boolean {
    const waiting = this.#sql.markers(device).find((marker) => marker.marker === (reason as number));
    if (waiting && this.#handedOut.get(`${device} ${reason}`) !== waiting.position) return false;
    if (waiting) this.#sql.dequeue(device, waiting.position);
    this.#sql.enqueueMarker(device, this.#sql.takePosition(device), reason);
    return true;
  }

  #remove(device: number, places: readonly { position: number; body: number | null; stranger: number }[]): void {
    for (const { position, body: bodyId, stranger } of places) {
      this.#sql.dequeue(device, position);
      if (bodyId === null) continue;
      const body = this.#sql.body(bodyId);
      this.#sql.grow(device, stranger === 1, -1, -body.size);
      this.#sql.growShare(device, body.sender, stranger === 1, -1, -body.size);
      if (body.refs > 1) this.#sql.refer(bodyId, -1, body.accepted);
      else {
        this.#remember(recentKey(body.sender, body.message), new Set(splitIds(body.accepted)));
        this.#sql.dropBody(bodyId);
      }
    }
    this.#sql.dropEmptyShares(device);
  }

  #remember(key: string, devices: ReadonlySet<number>): void {
    this.#recent.delete(key);
    this.#recent.set(key, devices);
    if (this.#recent.size <= RECENT_SUBMISSIONS) return;
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest);
      return;
    }
  }
}

function recentKey(sender: Uint8Array, messageId: Uint8Array): string {
  return toHex(sender) + toHex(messageId);
}

function splitIds(text: string): number[] {
  return text.split(' ').map(Number);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return toHex(a) === toHex(b);
}
