/**
 * What other devices are known to hold, and what their relays keep for them, remembered across a restart: it is written a while after it has changed.
 *
 * In local state: `peer/<workspace>/<device>` = [[[feed text, seq] …], [[feed text, seq] …]].
 */
import type { DeviceId, FeedId, WorkspaceId } from '../base/ids.ts';
import { asArray, asCount, asList, asText, type Value } from '../protocol/codec.ts';
import type { Mark } from '../sync/peer.ts';
import type { Session } from '../sync/session.ts';
import type { Hub } from './hub.ts';

const MAX_MARKS = 65_536;
const MAX_FEED_TEXT = 80;
/** One restart may send this much again; written more often it would cost a commit each. */
const REMEMBER_AFTER_MS = 3_000;

export class PeerMemory {
  readonly #hub: Pick<Hub, 'clock' | 'commit' | 'local'>;
  readonly #workspace: WorkspaceId;
  readonly #session: Session;
  #cancel: (() => void) | undefined;
  #closed = false;

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
    this.#cancel = this.#hub.clock.wakeAt(this.#hub.clock.now() + REMEMBER_AFTER_MS, () => {
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

  #write(): void {
    for (const device of this.#session.devices) {
      const { known, relayed } = this.#session.memory(device);
      this.#hub.local.put(this.#key(device), [writeMarks(known), writeMarks(relayed)]);
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
