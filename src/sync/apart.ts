/**
 * Who cannot come together with this device (L6): each says again and again what it holds, and what one of the two writes does not come to the other. Nothing
 * that honest members do ends so as far as is known; where it does, be it by somebody's malice, the copies would differ for good and nobody be told. So the
 * fewer give way: theirs are out of step; of as many, those without the most senior. A member whose devices are on both sides counts for neither.
 */
import type { AccountId, DeviceId, FeedId } from '../base/ids.ts';
import { isRecent } from '../base/recent.ts';
import { Role } from './control.ts';
import { feedOf, generationOf } from './delta.ts';
import type { Vector } from './graph.ts';
import type { Lag, Peer } from './peer.ts';
import type { Replica } from './replica.ts';

/** What lags behind is looked at so often, and not oftener: whatever was on its way has come by then … */
export const LOOK_EVERY_MS = 10 * 60_000;
/** … and so many looks in a row at which nothing more of the same feed has come are enough. */
export const LOOKS = 4;
/** After so many nobody has given way: the two do not know of the same members. */
export const MANY_LOOKS = 8;
/** On an open path a question, or its answer, is seldom lost. */
const MOST_ASKED = 4;

type Peers = ReadonlyMap<DeviceId, Peer>;

export class Apart {
  readonly #replicaNow: () => Replica;
  readonly #self: DeviceId;
  readonly #peers: Peers;
  readonly #isRelayable: (device: DeviceId) => boolean;
  /** Before whom this copy gives way, be it that they say then that theirs is no good: who went by that would take turns with them for ever. */
  #gaveWayTo: ReadonlySet<DeviceId> = new Set();

  /** `isRelayable`: whether a device's queue can be written to. */
  constructor(replica: () => Replica, self: DeviceId, peers: Peers, isRelayable: (device: DeviceId) => boolean) {
    this.#replicaNow = replica;
    this.#self = self;
    this.#peers = peers;
    this.#isRelayable = isRelayable;
  }

  get #replica(): Replica {
    return this.#replicaNow();
  }

  /** A device has said what it holds. Answers whether by that it has turned out that it cannot come together with this, or that nobody has given way. */
  heard(device: DeviceId, peer: Peer, now: number): boolean {
    const before = stageOf(peer);
    peer.heardAt = now;
    peer.lookAsked = { times: 0, at: 0 };
    peer.lags = this.#between(device, peer.known).map((lag) => {
      const last = peer.lags.find(({ feed, reached }) => feed === lag.feed && reached >= lag.reached);
      return last ? lookedAt(last, now) : { ...lag, looks: 1, since: now, lookedAt: now };
    });
    this.#gaveWayTo = new Set(this.isSo ? this.#apart() : []);
    return stageOf(peer) > before;
  }

  /** It has acknowledged something: it may lag behind no more. */
  acknowledged(device: DeviceId, peer: Peer, now: number): void {
    if (peer.lags.length > 0) this.heard(device, peer, now);
    else peer.heardAt = now;
  }

  /** What each of the two writes now, as far as the other lacks it. To who holds nothing a base comes first. */
  #between(device: DeviceId, known: Vector): readonly Pick<Lag, 'feed' | 'reached'>[] {
    const here = this.#replica.vector();
    if (known.size === 0 || here.size === 0) return [];
    const lags = [];
    const ours = this.#replica.own.feed;
    const taken = known.get(ours) ?? 0;
    if ((here.get(ours) ?? 0) > taken) lags.push({ feed: ours, reached: taken });
    const theirs = newestOf(device, known);
    const held = here.get(theirs) ?? 0;
    if ((known.get(theirs) ?? 0) > held) lags.push({ feed: theirs, reached: held });
    return lags;
  }

  /** The copy is another one. */
  begunAnew(): void {
    this.#gaveWayTo = new Set();
    for (const peer of this.#peers.values()) peer.lags = [];
  }

  // ---- when it is looked ------------------------------------------------------------------------------------------------

  /** Who is to be asked now what he holds. */
  due(now: number): readonly DeviceId[] {
    const due = [...this.#peers].filter((one) => now >= (this.#nextLook(...one) ?? NEVER));
    for (const [, peer] of due) peer.lookAsked = { times: peer.lookAsked.times + 1, at: now };
    return due.map(([device]) => device);
  }

  /** When `due` is next worth asking. */
  get dueAt(): number {
    let at = NEVER;
    for (const one of this.#peers) at = Math.min(at, this.#nextLook(...one) ?? NEVER);
    return at;
  }

  /** Who never answers is not asked for ever; through a relay but once: when he is there again both say what they hold in any case. */
  #nextLook(device: DeviceId, peer: Peer): number | undefined {
    const { lags, lookAsked, reach, introduced } = peer;
    if (lags.length === 0 ? !this.#lacksOurs(peer) : stageOf(peer) === LAST_STAGE) return undefined;
    const isDirect = reach === 'direct';
    const isReached = isDirect ? introduced : this.#isRelayable(device);
    if (!isReached || lookAsked.times >= (isDirect ? MOST_ASKED : 1) || !this.#isGood(device)) return undefined;
    return Math.max(lookAsked.at, peer.heardAt, ...lags.map((lag) => lag.lookedAt)) + LOOK_EVERY_MS;
  }

  /** As it was when it was heard of last. */
  #lacksOurs({ known, heardAt }: Peer): boolean {
    const ours = this.#replica.own.feed;
    return heardAt > 0 && known.size > 0 && (this.#replica.vector().get(ours) ?? 0) > (known.get(ours) ?? 0);
  }

  // ---- what follows -----------------------------------------------------------------------------------------------------

  /** Whether a device cannot come together with this. Whose has shown two histories, or whose copy is no good by his own word, need not. */
  isFrom(device: DeviceId): boolean {
    return this.#peers.get(device)?.lags.some(isEnough) === true && this.#isGood(device);
  }

  /** Whether the copy that is here has to give way. */
  get isSo(): boolean {
    const apart = this.#apart();
    return apart.length > 0 && (this.#isOfFewer(apart) || apart.some((device) => this.#isToGiveWayTo(device)));
  }

  #apart(): readonly DeviceId[] {
    return [...this.#peers.keys()].filter((device) => this.isFrom(device));
  }

  #isOfFewer(apart: readonly DeviceId[]): boolean {
    const ours = this.#accountsOf([this.#self, ...this.#togetherSince(this.#begun(apart))]);
    const theirs = this.#accountsOf(apart);
    const [us, them] = [without(ours, theirs), without(theirs, ours)];
    if (us.length !== them.length) return us.length < them.length;
    // Of one person's devices none is senior.
    if (us.length === 0) return apart.some((device) => device < this.#self);
    const { people } = this.#replica;
    return them.some((one) => us.every((other) => people.isSenior(one, other)));
  }

  /** Of two that both think themselves with the more. To a senior manager alone, who could take it out as well, and to one of its person. */
  #isToGiveWayTo(device: DeviceId): boolean {
    if (stageOf(this.#peers.get(device)!) < LAST_STAGE) return false;
    const { people, roster } = this.#replica;
    const [account, own] = [people.accountOf(device), people.accountOf(this.#self)];
    if (account === undefined || own === undefined) return false;
    if (account === own) return device < this.#self;
    return roster.members.get(account)?.role === Role.manager && people.isSenior(account, own);
  }

  #begun(apart: readonly DeviceId[]): number {
    const lags = apart.flatMap((device) => this.#peers.get(device)!.lags.filter(isEnough));
    return Math.min(...lags.map(({ since }) => since));
  }

  /** Who has been heard of since, and lags nowhere behind. */
  #togetherSince(time: number): readonly DeviceId[] {
    return [...this.#peers].flatMap(([device, { heardAt, lags }]) =>
      heardAt >= time && lags.length === 0 && this.#isGood(device) ? device : [],
    );
  }

  #accountsOf(devices: readonly DeviceId[]): ReadonlySet<AccountId> {
    return new Set(devices.flatMap((device) => this.#replica.people.accountOf(device) ?? []));
  }

  #isGood(device: DeviceId): boolean {
    const { people, roster } = this.#replica;
    const isNoGood = this.#peers.get(device)!.needsCopy && !this.#gaveWayTo.has(device);
    return roster.devices.has(device) && !people.forked.has(device) && !isNoGood;
  }
}

const NEVER = Number.POSITIVE_INFINITY;

function lookedAt(lag: Lag, now: number): Lag {
  if (isRecent(lag.lookedAt, LOOK_EVERY_MS, now)) return lag;
  // A clock that was set back says nothing of the time that has gone by.
  return { ...lag, looks: lag.looks + Number(now > lag.lookedAt), lookedAt: now };
}

const LAST_STAGE = 2;

/** How long it has lagged behind: 1, enough; 2, and nobody has given way. */
function stageOf({ lags }: Pick<Peer, 'lags'>): number {
  if (!lags.some(isEnough)) return 0;
  return lags.some(({ looks }) => looks >= MANY_LOOKS) ? LAST_STAGE : 1;
}

function isEnough({ looks }: Lag): boolean {
  return looks >= LOOKS;
}

function without(some: ReadonlySet<AccountId>, others: ReadonlySet<AccountId>): readonly AccountId[] {
  return [...some].filter((one) => !others.has(one));
}

/** D2: the feed that a device writes, as far as it says. */
function newestOf(device: DeviceId, known: Vector): FeedId {
  const own = [...known.keys()].filter((feed) => feed.startsWith(`${device}.`));
  return feedOf(device, Math.max(0, ...own.map(generationOf)));
}
