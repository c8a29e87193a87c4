/**
 * What a device says of itself on its LAN (T2): one datagram of 27 bytes.
 *
 * | field | bytes | meaning |
 * | --- | --- | --- |
 * | magic | 8 | `coterie1` |
 * | reserved | 1 | 0 |
 * | tag | 16 | first half of HMAC-SHA256(device id, `coterie lan 1` and the hour since 1970 as 8 bytes, big-endian) |
 * | port | 2 | of the direct listener, big-endian; 0: I do not listen, but tell me of yourself |
 *
 * What this shows to everybody on the LAN: that this address runs Coterie, and on which port. Only who knows a device's id
 * already (its members, their relays) can tell which device it is; to others the tag is new every hour.
 */
import { concatBytes, equalBytes, fromHex, toHex } from '../base/bytes.ts';
import { domain, FORMAT } from '../base/format.ts';
import type { DeviceId } from '../base/ids.ts';
import { toUtf8 } from '../base/utf8.ts';
import type { Crypto } from '../crypto/crypto.ts';

const MAGIC = toUtf8(`coterie${FORMAT}`);
const DOMAIN = domain('lan');
const TAG_BYTES = 16;
const TAG_AT = MAGIC.length + 1;
export const ANNOUNCEMENT_BYTES = TAG_AT + TAG_BYTES + 2;
const HOUR_MS = 3_600_000;

export interface Announcement {
  /** Hexadecimal. */
  readonly tag: string;
  readonly port: number;
}

export function writeAnnouncement(tag: string, port: number): Uint8Array {
  return concatBytes(MAGIC, Uint8Array.of(0), fromHex(tag)!, Uint8Array.of(port >> 8, port & 255));
}

/** Anybody may send anything to a multicast group: undefined where it is not one of ours. */
export function readAnnouncement(bytes: Uint8Array): Announcement | undefined {
  if (bytes.length !== ANNOUNCEMENT_BYTES || bytes[MAGIC.length] !== 0) return undefined;
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return undefined;
  const end = TAG_AT + TAG_BYTES;
  return { tag: toHex(bytes.subarray(TAG_AT, end)), port: (bytes[end]! << 8) | bytes[end + 1]! };
}

export function hourOf(now_ms: number): number {
  return Math.floor(now_ms / HOUR_MS);
}

export function tagOf(crypto: Crypto, device: DeviceId, hour: number): string {
  const count = new Uint8Array(8);
  new DataView(count.buffer).setBigUint64(0, BigInt(hour));
  return toHex(crypto.hmacSha256(fromHex(device)!, DOMAIN, count).subarray(0, TAG_BYTES));
}

/** Tags of the devices looked for, in the hour before, this one and the next: clocks differ. */
export class TagTable {
  readonly #crypto: Crypto;
  #devices: readonly DeviceId[] = [];
  #hour = -1;
  #tags = new Map<string, DeviceId>();

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  set(devices: readonly DeviceId[]): void {
    this.#devices = devices;
    this.#hour = -1;
  }

  find(tag: string, now_ms: number): DeviceId | undefined {
    const hour = hourOf(now_ms);
    if (hour !== this.#hour) {
      this.#hour = hour;
      this.#tags = new Map();
      for (const device of this.#devices) {
        for (const near of [hour - 1, hour, hour + 1]) this.#tags.set(tagOf(this.#crypto, device, near), device);
      }
    }
    return this.#tags.get(tag);
  }
}
