/** The relay's store as plain lists: what the contract says, in the shortest way. It forgets everything when the process ends. */
import { toHex } from '../../src/base/bytes.ts';
import { Code, Marker } from '../../src/protocol/relay-messages.ts';
import type { QueueLimits } from '../../src/relay/limits.ts';
import {
  MAX_PAGE_ENTRIES,
  type Entry,
  type Placement,
  type Registration,
  type RelayStore,
  type Submission,
} from '../../src/relay/store.ts';

type Kept = Entry & { readonly stranger: boolean; readonly received: number };

interface Device {
  readonly key: Uint8Array;
  readonly owner: string;
  capabilities: readonly Uint8Array[];
  next: number;
  queue: Kept[];
  readonly handedOut: Set<number>;
}

interface Parcel {
  readonly id: Uint8Array;
  readonly account: string;
  readonly total: number;
  received: number;
  renewed: number;
}

export function memoryRelayStore(limits: QueueLimits): RelayStore {
  const devices = new Map<string, Device>();
  const accepted = new Set<string>();
  const parcels = new Map<string, Parcel>();
  const deviceOf = (key: Uint8Array) => devices.get(toHex(key));

  const registration: RelayStore['registration'] = async ({ device, account, agreement }): Promise<Registration> => {
    const found = deviceOf(device);
    if (!found) return 'unknown';
    return found.owner === toHex(account) + toHex(agreement) ? 'registered' : 'otherKeys';
  };

  const mark = (device: Device, reason: Marker): boolean => {
    const at = device.queue.findIndex((entry) => entry.type === 'marker' && entry.reason === reason);
    if (at >= 0 && !device.handedOut.has(device.queue[at]!.position)) return false;
    if (at >= 0) device.queue.splice(at, 1);
    device.queue.push({ type: 'marker', position: device.next++, reason, stranger: false, received: Infinity });
    return true;
  };

  const isOfAnotherSize = ({ sender, messageId, body }: Submission): boolean =>
    [...devices.values()].some(({ queue }) =>
      queue.some(
        (entry) =>
          entry.type === 'message' &&
          toHex(entry.sender) === toHex(sender) &&
          toHex(entry.messageId) === toHex(messageId) &&
          entry.body.length !== body.length,
      ),
    );

  const place = (message: Submission, key: Uint8Array, hash: Uint8Array, now: number): Placement => {
    const { sender, messageId, body } = message;
    const device = deviceOf(key);
    if (!device) return { code: Code.refused, position: 0, marked: false };
    const once = [sender, messageId, key].map(toHex).join();
    if (accepted.has(once)) return { code: Code.ok, position: 0, marked: false };
    const stranger = !device.capabilities.some((one) => toHex(one) === toHex(hash));
    const maxMessages = stranger ? limits.firstContactMessages : limits.queueMessages;
    const maxBytes = stranger ? limits.firstContactBytes : limits.queueBytes;
    const there = device.queue.filter((entry) => entry.type === 'message' && entry.stranger === stranger);
    const his = there.filter((entry) => entry.type === 'message' && toHex(entry.sender) === toHex(sender));
    const fits = (entries: readonly Kept[], share: number) =>
      entries.length + 1 <= maxMessages * share &&
      entries.reduce((sum, entry) => sum + (entry.type === 'message' ? entry.body.length : 0), body.length) <=
        maxBytes * share;
    if (!fits(there, 1) || !fits(his, limits.senderShare)) {
      if (stranger) return { code: Code.refused, position: 0, marked: false };
      return { code: Code.full, position: 0, marked: mark(device, Marker.full) };
    }
    accepted.add(once);
    const position = device.next++;
    device.queue.push({ type: 'message', position, sender, messageId, body, stranger, received: now });
    return { code: Code.ok, position, marked: false };
  };

  return {
    registration,
    register: async (keys) => {
      const found = await registration(keys);
      if (found !== 'unknown') return found;
      const owner = toHex(keys.account) + toHex(keys.agreement);
      devices.set(toHex(keys.device), {
        ...{ key: keys.device, owner, capabilities: [], next: 1, queue: [] },
        handedOut: new Set(),
      });
      return 'registered';
    },
    confirm: async (key, hashes) => {
      const device = deviceOf(key);
      if (device) device.capabilities = hashes;
    },
    capabilities: async (key) => deviceOf(key)?.capabilities ?? [],
    submit: async (message, now) =>
      message.recipients.map(({ device, hash }) =>
        isOfAnotherSize(message)
          ? { code: Code.refused, position: 0, marked: false }
          : place(message, device, hash, now),
      ),
    page: async (key, after, maxBytes) => {
      const device = deviceOf(key);
      const entries: Entry[] = [];
      let bytes = 0;
      for (const { stranger: _stranger, received: _received, ...entry } of device?.queue ?? []) {
        if (entry.position <= after) continue;
        const size = entry.type === 'message' ? entry.body.length : 0;
        const isFull = bytes + size > maxBytes || entries.length === MAX_PAGE_ENTRIES;
        if (entries.length > 0 && isFull) return { entries, end: false };
        bytes += size;
        if (entry.type === 'marker') device?.handedOut.add(entry.position);
        entries.push(entry);
      }
      return { entries, end: true };
    },
    ack: async (key, position) => {
      const device = deviceOf(key);
      if (!device || position >= device.next) return false;
      device.queue = device.queue.filter((entry) => entry.position > position);
      return true;
    },
    expireMessages: async (before) => {
      const marked: Uint8Array[] = [];
      for (const device of devices.values()) {
        const kept = device.queue.filter((entry) => entry.received >= before);
        if (kept.length === device.queue.length) continue;
        device.queue = kept;
        mark(device, Marker.expired);
        marked.push(device.key);
      }
      return marked;
    },
    openParcel: async (id, account, total, quotaBytes, now, { eachBytes = 0, begin = true } = {}) => {
      const found = parcels.get(toHex(id));
      if (found && found.account !== toHex(account)) return { code: Code.refused, received: 0 };
      if (found) return { code: found.total === total ? Code.ok : Code.badRequest, received: found.received };
      const his = [...parcels.values()].filter((parcel) => parcel.account === toHex(account));
      const bytes = his.reduce((sum, parcel) => sum + parcel.total, total) + (his.length + 1) * eachBytes;
      if (bytes > quotaBytes) return { code: Code.quota, received: 0 };
      if (begin) parcels.set(toHex(id), { id, account: toHex(account), total, received: 0, renewed: now });
      return { code: Code.ok, received: 0 };
    },
    advanceParcel: async (id, received, now) => {
      const found = parcels.get(toHex(id));
      if (found) Object.assign(found, { received, renewed: now });
    },
    parcel: async (id) => {
      const found = parcels.get(toHex(id));
      return found && { total: found.total, received: found.received };
    },
    keepParcel: async (id, account, references, now) => {
      const found = parcels.get(toHex(id));
      if (!found) return Code.notFound;
      if (found.account !== toHex(account)) return Code.refused;
      if (references === 0) parcels.delete(toHex(id));
      else found.renewed = now;
      return Code.ok;
    },
    expireParcels: async (before) => {
      const old = [...parcels.values()].filter((parcel) => parcel.renewed < before);
      for (const parcel of old) parcels.delete(toHex(parcel.id));
      return old.map((parcel) => parcel.id);
    },
    parcelIds: async () => [...parcels.values()].map((parcel) => parcel.id),
    close: async () => {},
  };
}
