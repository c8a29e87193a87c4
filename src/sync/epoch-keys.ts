/**
 * The epochs of one workspace as one device sees them (K1, K3): which of them it holds, which is in use, and to whom each is
 * boxed. Pure: keys come from control deltas, from a welcome, from a member who was asked, or from the device's own store.
 *
 * An epoch is clean while nobody who may know it is out of the workspace: no device boxed in it, be it by a word that is void, and not its maker. Made by one
 * who leaves in the same breath it would be his to read, so a leave makes none: whoever sends next does.
 */
import { equalBytes, toHex } from '../base/bytes.ts';
import { groupBy } from '../base/group.ts';
import type { DeviceId } from '../base/ids.ts';
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts';
import type { Value } from '../protocol/codec.ts';
import { compareKeys } from './seniority.ts';
import {
  boxEpoch,
  epochOf,
  isBoxedTo,
  openEpoch,
  tagOf,
  type Epoch,
  type EpochNotice,
  type EpochTag,
} from './epoch.ts';
import type { EpochStep, Gate } from './passage.ts';
import type { DeviceRecord, EpochRecord, Roster } from './roster.ts';

/** Of a box: the first 8 bytes of a device id, in hexadecimal. */
const PREFIX_LENGTH = 16;
/** What was made for a delta that was refused is forgotten after a few more. */
const MAX_MADE = 4;

export class EpochKeys implements Gate {
  readonly #crypto: Crypto;
  readonly #self: DeviceId;
  readonly #secret: Uint8Array;
  readonly #held = new Map<EpochTag, Epoch>();
  #records: readonly EpochRecord[] = [];
  /** Of each epoch every notice there is, in words that are void, too. */
  #notices: ReadonlyMap<EpochTag, readonly EpochNotice[]> = new Map();
  /** Made here, and in no delta yet. */
  #made: readonly Epoch[] = [];
  #inUse: Epoch | undefined;
  #isClean = false;
  #steps = new Map<DeviceId, readonly EpochStep[]>();
  #devices: readonly DeviceRecord[] = [];

  constructor(crypto: Crypto, self: DeviceId, agreementSecret: Uint8Array) {
    this.#crypto = crypto;
    this.#self = self;
    this.#secret = agreementSecret;
  }

  // ---- holding ----------------------------------------------------------------------------------------------------------

  /** Answers whether it is new. */
  add(epoch: Epoch): boolean {
    if (this.#held.has(epoch.tag)) return false;
    this.#held.set(epoch.tag, epoch);
    this.#choose();
    return true;
  }

  /** K4: nothing more can be opened that was sealed under it. */
  erase(tag: EpochTag): void {
    this.#held.delete(tag);
    this.#choose();
  }

  held(): readonly Epoch[] {
    return [...this.#held.values()];
  }

  find(tag: EpochTag): Epoch | undefined {
    return this.#held.get(tag);
  }

  /** Takes the members as they are now. Answers the epochs that it could open for the first time: to be remembered. */
  follow(roster: Roster): readonly Epoch[] {
    this.#records = roster.epochs;
    const notices = [...roster.epochs.map(({ notice }) => notice), ...roster.boxedInVain];
    this.#notices = groupBy(notices, ({ commit }) => tagOf(commit));
    this.#devices = [...roster.members.values()].flatMap(({ devices }) => devices);
    this.#isLive = prefixesOf(this.#devices);
    const opened: Epoch[] = [];
    for (const { notice } of roster.epochs) {
      const epoch = this.open(notice);
      if (epoch) opened.push(epoch);
    }
    this.#choose();
    return opened;
  }

  #isLive: (prefix: string) => boolean = () => false;

  /** A box that was not open yet and opens now. */
  open(notice: EpochNotice): Epoch | undefined {
    if (this.#held.has(tagOf(notice.commit))) return undefined;
    const made = this.#made.find(({ commit }) => equalBytes(commit, notice.commit));
    const epoch = made ?? openEpoch(this.#crypto, notice, this.#self, this.#secret);
    return epoch && this.add(epoch) ? epoch : undefined;
  }

  // ---- which is in use --------------------------------------------------------------------------------------------------

  /** K3: of the clean ones that are held, the one with the lowest (maker's key, id); where none is clean, the newest held. */
  get epoch(): Epoch | undefined {
    return this.#inUse;
  }

  get inUse(): EpochTag | undefined {
    return this.#inUse?.tag;
  }

  /** Whether what is in use is clean: if not, whoever is about to write makes a new one first (K3). */
  get isClean(): boolean {
    return this.#isClean;
  }

  #choose(): void {
    this.#steps = new Map();
    const clean = this.#makers().filter((record) => this.#held.has(tagOf(record.notice.commit)) && this.#clean(record));
    clean.sort((a, b) => compareKeys(a.key, b.key) || (a.maker.delta.id < b.maker.delta.id ? -1 : 1));
    const first = clean[0];
    this.#isClean = first !== undefined;
    const newest = this.#records.findLast(({ notice }) => this.#held.has(tagOf(notice.commit)));
    const chosen = first ?? newest;
    this.#inUse = chosen ? this.#held.get(tagOf(chosen.notice.commit)) : this.#held.values().next().value;
  }

  /** Of each epoch the delta that made it: the first that commits to its key. The others box it to more devices. */
  #makers(): EpochRecord[] {
    const makers = new Map<EpochTag, EpochRecord>();
    for (const record of this.#records) {
      const tag = tagOf(record.notice.commit);
      if (!makers.has(tag)) makers.set(tag, record);
    }
    return [...makers.values()];
  }

  #clean(maker: EpochRecord): boolean {
    if (!this.#isLive(maker.maker.delta.device)) return false;
    const boxes = this.#notices.get(tagOf(maker.notice.commit)) ?? [];
    return boxes.every(({ boxes: { entries } }) => entries.every(({ prefix }) => this.#isLive(toHex(prefix))));
  }

  // ---- boxing -----------------------------------------------------------------------------------------------------------

  /** A new epoch, boxed to every device but these: for the body of whatever makes it (K2). It is held once that is here. */
  make(without: ReadonlySet<DeviceId> = new Set()): Value {
    const epoch = epochOf(this.#crypto, this.#crypto.randomBytes(KEY_BYTES));
    this.#made = [...this.#made.slice(1 - MAX_MADE), epoch];
    return boxEpoch(
      this.#crypto,
      epoch,
      this.#targets((device) => !without.has(device)),
    );
  }

  /** The epoch in use, boxed to these devices; undefined where none is held. */
  box(targets: readonly { readonly device: DeviceId; readonly agreementKey: Uint8Array }[]): Value | undefined {
    return this.#inUse && boxEpoch(this.#crypto, this.#inUse, targets);
  }

  /** An epoch, boxed to one of the devices (K1); undefined where either is not known here. */
  boxTo(tag: EpochTag, device: DeviceId): Value | undefined {
    const epoch = this.#held.get(tag);
    const targets = this.#targets((other) => other === device);
    return epoch && targets.length > 0 ? boxEpoch(this.#crypto, epoch, targets) : undefined;
  }

  #targets(wanted: (device: DeviceId) => boolean): { device: DeviceId; agreementKey: Uint8Array }[] {
    return this.#devices
      .map(({ certificate }) => ({ device: certificate.device, agreementKey: certificate.agreementKey }))
      .filter(({ device }) => wanted(device));
  }

  stepsOf(device: DeviceId): readonly EpochStep[] {
    const known = this.#steps.get(device);
    if (known) return known;
    const steps: EpochStep[] = [];
    for (const { notice, maker, lets } of this.#records) {
      const tag = tagOf(notice.commit);
      if (!this.#held.has(tag) || !isBoxedTo(notice, device)) continue;
      steps.push({ tag, word: lets.includes(device) ? undefined : maker });
    }
    this.#steps.set(device, steps);
    return steps;
  }
}

function prefixesOf(devices: readonly DeviceRecord[]): (id: string) => boolean {
  const prefixes = new Set(devices.map(({ certificate }) => certificate.device.slice(0, PREFIX_LENGTH)));
  return (id) => prefixes.has(id.slice(0, PREFIX_LENGTH));
}
