/**
 * The operator's settings of one relay (R3, R4, R9) with their defaults, and the rates that keep one peer from
 * crowding out the others. The figures that devices need are published in the `hello` notice.
 */
import {
  MAX_MESSAGE_BYTES,
  RELAY_FIRST_CONTACT_BYTES,
  RELAY_FIRST_CONTACT_MESSAGES,
  RELAY_MAX_CAPABILITIES,
  RELAY_MAX_PARCEL_BYTES,
  RELAY_MAX_RECIPIENTS,
  RELAY_PARCEL_QUOTA_BYTES,
  RELAY_PARCEL_SLICE_BYTES,
  RELAY_QUEUE_BYTES,
  RELAY_QUEUE_MESSAGES,
  RELAY_SENDER_SHARE,
  RELAY_TTL_DAYS,
} from '../protocol/limits.ts';

const MIB = 1024 * 1024;

/** What a queue may hold: the part of the limits that the store keeps. */
export interface QueueLimits {
  readonly queueBytes: number;
  readonly queueMessages: number;
  /** Of both, the part that one sender may fill; of the first-contact queue too. */
  readonly senderShare: number;
  readonly firstContactBytes: number;
  readonly firstContactMessages: number;
  /** With less than this free on the disk nothing new is taken, so that acks, which make room, still can be written. */
  readonly reserveBytes: number;
}

/** A token bucket: so many a second, and so many at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface RelayLimits extends QueueLimits {
  readonly ttlDays: number;
  readonly parcelQuotaBytes: number;
  /**
   * Connections at once of devices that have proved themselves: each holds about 100 KB. Half of them are for devices that have a queue here. Beyond it
   * the oldest of the account with the most gives way.
   */
  readonly connections: number;
  /** Sockets beside them that have proved no device yet; the oldest gives way. So many come within a slow handshake when a relay is there again. */
  readonly pendingHandshakes: number;
  /**
   * What devices without a queue here may hold in memory, all of them together: messages that have not come whole, requests under way, answers that they
   * have not taken. One holds up to 16 MiB, and anybody can make up thousands. Beyond it the one that has not gone on for the longest goes.
   */
  readonly strangersHeldBytes: number;
  /** A device and its windows' owner need one; a reconnect briefly has two. */
  readonly connectionsPerDevice: number;
  readonly requestRate: Rate;
  /** Bytes into the relay on one connection: the initial copy of a workspace should still run at disk speed. */
  readonly byteRate: Rate;
  /** The same for all connections of an account together. */
  readonly accountRequestRate: Rate;
  readonly accountByteRate: Rate;
  /** Of all devices without a queue here together: anybody can make up thousands, with as many accounts, and the store is everybody's. */
  readonly strangersRequestRate: Rate;
  /** Wrong registration tokens, over the whole relay: a token of 144 bits is not guessed at this rate. */
  readonly badTokenRate: Rate;
  /** Devices that come to have a queue, over the whole relay: whoever has the token could make some up for each limit of a device or an account. */
  readonly newDeviceRate: Rate;
}

export const DEFAULT_LIMITS: RelayLimits = {
  queueBytes: RELAY_QUEUE_BYTES,
  queueMessages: RELAY_QUEUE_MESSAGES,
  senderShare: RELAY_SENDER_SHARE,
  firstContactBytes: RELAY_FIRST_CONTACT_BYTES,
  firstContactMessages: RELAY_FIRST_CONTACT_MESSAGES,
  reserveBytes: 64 * MIB,
  ttlDays: RELAY_TTL_DAYS,
  parcelQuotaBytes: RELAY_PARCEL_QUOTA_BYTES,
  connections: 4_096,
  pendingHandshakes: 512,
  strangersHeldBytes: 512 * MIB,
  connectionsPerDevice: 8,
  requestRate: { perSecond: 2_000, burst: 4_000 },
  byteRate: { perSecond: 64 * MIB, burst: 128 * MIB },
  accountRequestRate: { perSecond: 4_000, burst: 8_000 },
  accountByteRate: { perSecond: 128 * MIB, burst: 256 * MIB },
  badTokenRate: { perSecond: 1, burst: 32 },
  strangersRequestRate: { perSecond: 4_000, burst: 8_000 },
  // A team of 50 with two devices each, at once; then one a minute.
  newDeviceRate: { perSecond: 1 / 60, burst: 128 },
};

/** R3: the figures of the `hello` notice. */
export function publishedLimits(limits: RelayLimits): readonly (readonly [string, number])[] {
  return [
    ['messageBytes', MAX_MESSAGE_BYTES],
    ['recipients', RELAY_MAX_RECIPIENTS],
    ['queueBytes', limits.queueBytes],
    ['queueMessages', limits.queueMessages],
    ['capabilities', RELAY_MAX_CAPABILITIES],
    ['ttlDays', limits.ttlDays],
    ['parcelBytes', RELAY_MAX_PARCEL_BYTES],
    ['parcelSliceBytes', RELAY_PARCEL_SLICE_BYTES],
    ['parcelQuotaBytes', limits.parcelQuotaBytes],
  ];
}
