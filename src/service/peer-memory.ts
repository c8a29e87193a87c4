/**
 * What other devices are known to hold, and what their relays keep for them, remembered across a restart: it is written a while after it has changed,
 * and the more of it there is, the less often.
 *
 * In local state: `peer/<workspace>/<device>` = [[[feed text, seq] …], [[feed text, seq] …]].
 */
import { equalBytes } from '../base/bytes.ts';
import type { DeviceId, FeedId, WorkspaceId } from '../base/ids.ts';
import { asArray, asCount, asList, asText, encode, type Value } from '../protocol/codec.ts';
import type { Mark } from '../sync/peer.ts';
import type { Session } from '../sync/session.ts';
import type { Hub } from './hub.ts';

const MAX_MARKS = 65_536;
const MAX_FEED_TEXT = 80;
/** One restart may send this much again; written more often it would cost a commit each. */
const REMEMBER_AFTER_MS = 3_000;
/** While somebody is away the journal is not written anew: so much of it a second, and no more. */
const BYTES_PER_MS = 1;

export class PeerMemory {
  readonly #hub: Pick<Hub, 'clock' | 'commit' | 'local'>;
  readonly #workspace: WorkspaceId;
  readonly #session: Session;
  #cancel: (() => void) | undefined;
  #closed = false;
  #writtenBytes = 0;

  constructor(hub: Pick<Hub, 'clock' | 'commit' | 'local'>, workspace: WorkspaceId, session: Session) {
    this.#hub = hub;
    this.#workspace = workspace;
    this.#session = session;
  }

  restore(): void {
    for (const device of this.#session.devices) {
      const value = asArray(this.#hub.local.get(this.#key(device)), 2);
      if (value) this.#session.remember(device, readMarks(value[0]), readMarks(value[1]));
    }
  }

  /** It has changed. */
  changed(): void {
    if (this.#cancel || this.#closed) return;
    const after = Math.max(REMEMBER_AFTER_MS, this.#writtenBytes / BYTES_PER_MS);
    this.#cancel = this.#hub.clock.wakeAt(this.#hub.clock.now() + after, () => {
      this.#cancel = undefined;
      this.#write();
      void this.#hub.commit([]).catch(() => undefined); // tried again with the next commit
    });
  }

  /** It goes to disk with the next commit. */
  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#write();
  }

  /** Of whom something has changed. */
  #write(): void {
    this.#writtenBytes = 0;
    for (const device of this.#session.devices) {
      const { known, relayed } = this.#session.memory(device);
      const value = [writeMarks(known), writeMarks(relayed)];
      const [bytes, before] = [encode(value), this.#hub.local.get(this.#key(device))];
      if (before !== undefined && equalBytes(bytes, encode(before))) continue;
      this.#hub.local.put(this.#key(device), value);
      this.#writtenBytes += bytes.length;
    }
  }

  #key(device: DeviceId): string {
    return `peer/${this.#workspace}/${device}`;
  }
}

export function writeMarks(marks: readonly Mark[]): Value {
  return marks.map(({ feed, seq }) => [feed, seq]);
}

export function readMarks(value: Value | undefined): readonly Mark[] {
  const marks = asList(value, MAX_MARKS, (entry) => {
    const pair = asArray(entry, 2);
    const [feed, seq] = [asText(pair?.[0], MAX_FEED_TEXT), asCount(pair?.[1])];
    return feed !== undefined && seq !== undefined ? { feed: feed as FeedId, seq } : undefined;
  });
  return marks ?? [];
}
