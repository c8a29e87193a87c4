/** The other devices of a workspace as the world has them: where they are reached, and whether they are online (T2). */
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import { isRecent } from '../base/recent.ts';
import { asList, asText } from '../protocol/codec.ts';
import { MAX_ADDRESSES, MAX_ADDRESS_BYTES } from '../protocol/limits.ts';
import type { Route } from '../sync/ports.ts';
import type { Roster } from '../sync/roster.ts';
import type { Hub } from './hub.ts';

/** Beats come every 30 s (T2): two may be lost. */
const PRESENCE_LASTS_MS = 75_000;
/** A device that changes its network has other addresses a moment later, and then for long. */
const ROUTE_RESTS_MS = 2_000;

export class Peers {
  readonly #hub: Hub;
  readonly #workspace: WorkspaceId;
  readonly #roster: () => Roster;
  /** When a beat of its presence came last. */
  readonly #heardAt = new Map<DeviceId, number>();
  readonly #addresses = new Map<DeviceId, readonly string[]>();
  /** When routes were last made anew for a device, and who waits for the next time. */
  readonly #changedAt = new Map<DeviceId, number>();
  readonly #cancelChange = new Map<DeviceId, () => void>();
  #closed = false;
  /** Of who was let in just now, until they say so themselves. */
  readonly #joinerRelays = new Map<DeviceId, string>();
  /** Whoever let us in: not in the roster until the first copy is here. */
  sponsors: readonly Route[] = [];

  constructor(hub: Hub, workspace: WorkspaceId, roster: () => Roster) {
    this.#hub = hub;
    this.#workspace = workspace;
    this.#roster = roster;
  }

  /** What was learnt before a restart. */
  restore(): void {
    for (const [key, value] of this.#hub.local.under(`address/${this.#workspace}/`)) {
      const addresses = asList(value, MAX_ADDRESSES, (address) => asText(address, MAX_ADDRESS_BYTES));
      if (addresses) this.#addresses.set(key as DeviceId, addresses);
    }
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#cancelChange.values()) cancel();
    this.#cancelChange.clear();
  }

  isSponsor(device: DeviceId): boolean {
    return this.sponsors.some((sponsor) => sponsor.device === device);
  }

  // ---- ways -------------------------------------------------------------------------------------------------------------

  routeOf(device: DeviceId): Route {
    const sponsor = this.sponsors.find((one) => one.device === device);
    const addresses = this.#addresses.get(device) ?? sponsor?.addresses ?? [];
    return { device, addresses, relay: this.relayOf(device) };
  }

  relayOf(device: DeviceId): string | undefined {
    const { records, goneRecords } = this.#roster();
    const record = records.get(device) ?? goneRecords.get(device);
    if (record?.relay) return record.relay;
    const sponsor = this.sponsors.find((one) => one.device === device);
    return sponsor?.relay ?? this.#joinerRelays.get(device);
  }

  /** A device was admitted just now: how to reach it until it says so itself. */
  meet(device: DeviceId, addresses: readonly string[], relay: string): void {
    if (relay !== '') this.#joinerRelays.set(device, relay);
    this.learnAddresses(device, addresses);
  }

  learnAddresses(device: DeviceId, addresses: readonly string[]): void {
    const before = this.#addresses.get(device)?.join();
    if (addresses.length === 0 || addresses.join() === before) return;
    this.#addresses.set(device, addresses);
    this.#hub.local.put(`address/${this.#workspace}/${device}`, [...addresses]);
    this.#routeChanged(device);
  }

  /** All routes, keys and capabilities are made anew for it: at once, but not as often as one device says that it is elsewhere. */
  #routeChanged(device: DeviceId): void {
    if (this.#closed) return;
    const { clock } = this.#hub;
    const now = clock.now();
    const at = this.#changedAt.get(device);
    if (at === undefined || !isRecent(at, ROUTE_RESTS_MS, now)) {
      this.#changedAt.set(device, now);
      return this.#hub.changed();
    }
    if (this.#cancelChange.has(device)) return;
    const cancel = clock.wakeAt(at + ROUTE_RESTS_MS, () => {
      this.#cancelChange.delete(device);
      this.#routeChanged(device);
    });
    this.#cancelChange.set(device, cancel);
  }

  // ---- presence ---------------------------------------------------------------------------------------------------------

  heardFrom(device: DeviceId, isLeaving: boolean): void {
    if (isLeaving) this.#heardAt.delete(device);
    else this.#heardAt.set(device, this.#hub.clock.now());
  }

  isOnline(device: DeviceId): boolean {
    if (this.#hub.transport.reach(device) === 'direct') return true;
    const at = this.#heardAt.get(device);
    return at !== undefined && isRecent(at, PRESENCE_LASTS_MS, this.#hub.clock.now());
  }
}
