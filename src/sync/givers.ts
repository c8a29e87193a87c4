/**
 * Of whom this device takes a base (L6): who may give it one, of whom a fresh one is asked, and whether it needs one. How a base is taken is the
 * engine's, what it then is the copy's.
 */
import type { AccountId, DeviceId } from '../base/ids.ts';
import { Role } from './control.ts';
import type { Copy } from './copy.ts';
import type { Entrance } from './entrance.ts';
import type { Replica } from './replica.ts';
import type { Roster } from './roster.ts';
import type { Session } from './session.ts';
import { Sources } from './sources.ts';

/** A copy that is to begin anew, with the base of another device. */
export interface Renewal {
  readonly from: DeviceId;
  /** Of the feed that is written then. */
  readonly generation: number;
}

interface Self {
  readonly account: AccountId;
  readonly device: DeviceId;
}

export class Givers {
  readonly #identity: Self;
  readonly #copy: Copy;
  readonly #session: Session;
  readonly #entrance: Entrance;
  readonly #sources = new Sources();
  #renewal: Renewal | undefined;
  /** Who was asked for the base that this copy has begun with. */
  #renewedBy: DeviceId | undefined;
  /** Who is asked, or was last, had said that his own was no good: there was no other. */
  #isInWant = false;
  /** It has begun with such a one, and that names others, who may have a better. */
  #isStopgap = false;

  constructor(identity: Self, copy: Copy, session: Session, entrance: Entrance) {
    this.#identity = identity;
    this.#copy = copy;
    this.#session = session;
    this.#entrance = entrance;
  }

  get #replica(): Replica {
    return this.#copy.replica;
  }

  // ---- who may give one -------------------------------------------------------------------------------------------------

  /**
   * Who has written nothing yet takes the first copy from who let it in, or from a manager; who has lost its log, in a new feed
   * (D2), likewise; where it is the only manager's own device, from any member. Who has asked for a fresh one takes it from whom he has asked,
   * and another in the place of that only from who is known to be ahead: whoever else gives one may be out of step himself;
   * and none at all of who has said that he is.
   */
  mayGive(from: DeviceId): boolean {
    const { roster } = this.#replica;
    const member = roster.devices.get(from);
    if (this.#renewal) return this.#renewal.from === from && member !== undefined;
    // Durable or not: what begins with a base was on this disk before.
    if (this.#replica.feeds.generationsOf(this.#identity.device).includes(this.#copy.generation)) return false;
    const isOther = this.#renewedBy !== undefined && from !== this.#renewedBy;
    if (isOther && (!this.#isAheadOf(this.#renewedBy!, from) || this.#session.needsCopy(from))) return false;
    if (this.#entrance.isSponsor(from) || member?.role === Role.manager) return true;
    return member !== undefined && this.devicesInCharge.length === 1;
  }

  /** Whether all that was asked for has come, and another holds all of that: what is here would wait for ever for what he does not take. */
  #isAheadOf(asked: DeviceId, other: DeviceId): boolean {
    return !this.#session.lacksOf(asked) && this.#session.inSync(other);
  }

  /** A part of a base of his was not taken. */
  refused(from: DeviceId, part: number): void {
    const holdsMore = this.#isMember(from) && this.#session.lacksOf(from);
    this.#sources.offered({ device: from, holdsMore, needsCopy: this.#session.needsCopy(from) }, part);
  }

  /**
   * L6: whether a manager's device gives a base to another manager's, who stands for it from then on, as he could by a word of his own: where each of two
   * had the other's, nobody could vouch for either, and nobody else would be given a copy. By relay only where he has asked him for it.
   */
  isBetweenManagers(from: DeviceId): boolean {
    const { roster } = this.#replica;
    return [from, this.#identity.device].every((device) => roster.devices.get(device)?.role === Role.manager);
  }

  /**
   * Where this one's person is the only manager, his devices: nobody else can vouch for what is here, and he stands for it. A manager all
   * of whose devices are out can vouch for nothing.
   */
  get devicesInCharge(): readonly DeviceId[] {
    const managers = [...this.#replica.roster.members.values()].filter(
      ({ role, devices }) => role === Role.manager && devices.length > 0,
    );
    const isOurs = managers.every(({ account }) => account === this.#identity.account);
    return isOurs ? managers.flatMap(({ devices }) => devices.map(({ certificate }) => certificate.device)) : [];
  }

  #isMember(device: DeviceId): boolean {
    return this.#replica.roster.devices.has(device);
  }

  // ---- whether another is needed, and whose -----------------------------------------------------------------------------

  /**
   * L6: the copy may have folded what others have in another way, or lacks what members have folded: they give a base, again and again, that a
   * copy which has written does not take.
   */
  get isOutOfStep(): boolean {
    if (this.#isStopgap) return true;
    for (const device of this.#sources.inVain())
      if (this.#session.lacksOf(device) && this.#isMember(device)) return true;
    return this.#replica.isOutOfStep || this.#session.isApart;
  }

  /** L6: what is here is no good for others: it is out of step, or not all of what its inviter holds has come. */
  get needsCopy(): boolean {
    return this.#entrance.isOutside || this.isOutOfStep;
  }

  /**
   * L6: whose copy should take the place of this one, of those that are online (`sources.ts`). Nobody's of whom it is known that he has
   * something else, unless most of the others have: then the odd one is this.
   */
  freshCopyFrom(isOnline: (device: DeviceId) => boolean): DeviceId | undefined {
    const { members } = this.#replica.roster;
    const differing = new Set(
      this.#session.differing.flatMap((device) => this.#replica.people.accountOf(device) ?? []),
    );
    const others = [...members.values()].filter(({ account }) => account !== this.#identity.account);
    // Some may be away, and one be wrong as well.
    const isOdd = 2 * others.filter(({ account }) => differing.has(account)).length > others.length;
    const sources = [...members.values()]
      .filter(({ account }) => isOdd || !differing.has(account))
      .flatMap(({ role, devices }) => devices.map(({ certificate: { device } }) => ({ device, role })))
      .filter(({ device }) => device !== this.#identity.device && isOnline(device))
      .map(({ device, role }) => ({
        ...{ device, role, isDirect: this.#session.reach(device) === 'direct' },
        holdsMore: this.#session.lacksOf(device) || this.#session.isApartFrom(device),
        needsCopy: this.#session.needsCopy(device),
      }));
    return this.#sources.best(sources, this.needsCopy ? this.#identity.device : undefined);
  }

  // ---- who is asked -----------------------------------------------------------------------------------------------------

  get renewal(): Renewal | undefined {
    return this.#renewal;
  }

  /** Undefined: nobody any more. */
  ask(renewal: Renewal | undefined): void {
    if (renewal) {
      this.#sources.asked(renewal.from);
      this.#isInWant = this.#session.needsCopy(renewal.from);
    }
    this.#renewal = renewal;
  }

  /** The copy has begun with a base, be it that of who was asked for it. `before`: who was in, as far as was known. */
  begunAnew(asked: DeviceId | undefined, before: Roster): void {
    this.#sources.begunAnew(asked, (device) => this.#session.needsCopy(device));
    this.#renewedBy = asked;
    const { device: self } = this.#identity;
    const isNew = (device: DeviceId) => device !== self && !before.devices.has(device);
    const isWiser = [...this.#replica.roster.devices.keys()].some(isNew);
    this.#isStopgap = asked !== undefined && this.#isInWant && isWiser;
  }
}
