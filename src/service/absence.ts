/**
 * Which devices have held back the log for long (L7): they have not acknowledged what this device has held for as many days as its person
 * says. How long something is held is no verdict but a local mark: about once a day is written down how many deltas had arrived by then.
 *
 * Kept in local state: `held/<workspace>/marks` = [[deltas that had arrived, when] …], oldest first; `held/<workspace>/told` =
 * [device 32 …] of which the person was told.
 */
import { toHex } from '../base/bytes.ts';
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import { asArray, asBytes, asCount, asList, type Value } from '../protocol/codec.ts';
import { MAX_DEVICES } from '../protocol/limits.ts';
import { idBytes } from '../sync/delta.ts';
import type { Hub } from './hub.ts';
import type { LocalState } from './local-state.ts';

const DAY_MS = 24 * 60 * 60_000;
/** One a day for a year: the setting goes no further. Marks that nothing rests on go sooner. */
const MAX_MARKS = 400;
/**
 * Who has been away himself has not heard yet what others have acknowledged meanwhile: nobody is called absent before this device has been
 * awake for so long. A look that comes later than that after the one before means that the machine was asleep.
 */
export const SETTLE_MS = 10 * 60_000;

interface HeldMark {
  readonly arrivals: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** What of a workspace it takes. */
export interface WatchedLog {
  readonly id: WorkspaceId;
  readonly device: DeviceId;
  readonly replica: {
    readonly arrivals: number;
    readonly roster: { readonly records: ReadonlyMap<DeviceId, unknown> };
    readonly people: { heldBackFrom(device: DeviceId): number | undefined };
  };
}

export class Absence {
  readonly #hub: Pick<Hub, 'clock' | 'local' | 'absentAfterDays'>;
  readonly #log: WatchedLog;
  #marks: readonly HeldMark[];
  #awakeSince: number;
  #lookedAt: number;
  #since: ReadonlyMap<DeviceId, number> = new Map();

  constructor(hub: Pick<Hub, 'clock' | 'local' | 'absentAfterDays'>, log: WatchedLog) {
    this.#hub = hub;
    this.#log = log;
    this.#marks = readMarks(hub.local.get(this.#key('marks')), hub.clock.now());
    this.#awakeSince = this.#lookedAt = hub.clock.now();
  }

  #key(of: 'marks' | 'told'): string {
    return heldKey(this.#log.id, of);
  }

  /** Since when each absent device has held back the log, in milliseconds since 1970, as far as the marks tell; as of the last look. */
  get since(): ReadonlyMap<DeviceId, number> {
    return this.#since;
  }

  /** From time to time. Answers whether something is to go to disk. */
  look(): boolean {
    const now = this.#hub.clock.now();
    if (this.#hub.local.get(this.#key('marks')) === undefined) this.#marks = [];
    if (now < this.#lookedAt || now - this.#lookedAt > SETTLE_MS) this.#awakeSince = now;
    this.#lookedAt = now;
    const first = this.#firsts();
    const isKept = this.#mark(now, Math.min(...first.values()));
    this.#since = now - this.#awakeSince < SETTLE_MS ? new Map() : this.#absentAt(now, first);
    return isKept;
  }

  /** Of each other device the first arrival that it holds back. */
  #firsts(): ReadonlyMap<DeviceId, number> {
    const { replica, device: self } = this.#log;
    const first = new Map<DeviceId, number>();
    for (const device of replica.roster.records.keys()) {
      const from = device === self ? undefined : replica.people.heldBackFrom(device);
      if (from !== undefined) first.set(device, from);
    }
    return first;
  }

  /** `lowest`: what arrived before it everybody has acknowledged. */
  #mark(now: number, lowest: number): boolean {
    const { arrivals } = this.#log.replica;
    // A clock that was ahead for a while has left marks of days to come.
    const sound = this.#marks.filter(({ time }) => time <= now);
    const needed = sound.filter((mark, i) => mark.arrivals >= lowest || i === sound.length - 1);
    const last = needed.at(-1);
    const isDue = !last || (now - last.time >= DAY_MS && arrivals > last.arrivals);
    const marks = isDue ? [...needed, { arrivals, time: now }].slice(-MAX_MARKS) : needed;
    if (marks.length === this.#marks.length && !isDue) return false;
    this.#marks = marks;
    this.#hub.local.put(
      this.#key('marks'),
      marks.map((mark) => [mark.arrivals, mark.time]),
    );
    return true;
  }

  #absentAt(now: number, first: ReadonlyMap<DeviceId, number>): ReadonlyMap<DeviceId, number> {
    const patience = this.#hub.absentAfterDays() * DAY_MS;
    const since = new Map<DeviceId, number>();
    for (const [device, arrival] of first) {
      const mark = this.#marks.find(({ arrivals }) => arrivals >= arrival);
      if (mark && now - mark.time >= patience) since.set(device, mark.time);
    }
    return since;
  }

  /** Those of these that the person was not told of yet; from now on he was. Who is not absent any more is told of again. */
  takeUntold(devices: readonly DeviceId[]): readonly DeviceId[] {
    const known = asList(this.#hub.local.get(this.#key('told')), MAX_DEVICES, (id) => asBytes(id, 32)) ?? [];
    const told = new Set(known.map((id) => toHex(id)));
    const untold = devices.filter((device) => !told.has(device));
    if (untold.length > 0 || told.size !== devices.length) this.#hub.local.put(this.#key('told'), devices.map(idBytes));
    return untold;
  }
}

function heldKey(workspace: WorkspaceId, of: 'marks' | 'told'): string {
  return `held/${workspace}/${of}`;
}

/** The copy is another (L6): arrivals are counted anew, and how long something was held in the one before says nothing of this. */
export function forgetHeld(local: LocalState, workspace: WorkspaceId): void {
  local.drop(heldKey(workspace, 'marks'));
}

function readMarks(value: Value | undefined, now: number): readonly HeldMark[] {
  const marks = asList(value, MAX_MARKS, (one) => {
    const f = asArray(one, 2);
    const [arrivals, time] = [asCount(f?.[0]), asCount(f?.[1])];
    return arrivals === undefined || time === undefined ? undefined : { arrivals, time };
  });
  return (marks ?? []).filter(({ time }) => time <= now);
}
