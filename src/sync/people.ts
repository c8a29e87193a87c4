/**
 * Who is who in a copy: whose a device is and what he may do, by which words it is in or out, and who is waited for. What all those words add up to is the
 * roster; here is asked about one of them.
 */
import type { AccountId, DeviceId, ToolId } from '../base/ids.ts';
import type { Authority } from './authority.ts';
import type { Role } from './control.ts';
import type { Delta } from './delta.ts';
import type { DeltaPlace } from './delta.ts';
import type { Door } from './door.ts';
import type { Endings } from './endings.ts';
import type { Entrances } from './entrances.ts';
import { inPast, type Graph, type Node, type Vector } from './graph.ts';
import type { Grounds } from './grounds.ts';
import type { LetInVain } from './let-in-vain.ts';
import type { OwnFeed } from './own-feed.ts';
import type { Action, Scope } from './permissions.ts';
import type { Allowance } from './settings.ts';
import { activeDevices, firstUnacknowledged, isActive } from './stability.ts';
import type { ToldWords } from './told-words.ts';

export interface PeopleOptions {
  readonly door: Door;
  readonly graph: Graph;
  readonly authority: Authority;
  readonly entrances: Entrances;
  readonly endings: Endings;
  readonly toldWords: ToldWords;
  readonly letInVain: LetInVain;
  readonly grounds: Grounds;
  readonly own: OwnFeed;
}

export class People {
  readonly #door: Door;
  readonly #graph: Graph;
  readonly #authority: Authority;
  readonly #entrances: Entrances;
  readonly #endings: Endings;
  readonly #toldWords: ToldWords;
  readonly #letInVain: LetInVain;
  readonly #grounds: Grounds;
  readonly #own: OwnFeed;

  constructor({ door, graph, authority, entrances, endings, toldWords, letInVain, grounds, own }: PeopleOptions) {
    this.#door = door;
    this.#graph = graph;
    this.#authority = authority;
    this.#entrances = entrances;
    this.#endings = endings;
    this.#toldWords = toldWords;
    this.#letInVain = letInVain;
    this.#grounds = grounds;
    this.#own = own;
  }

  // ---- whose it is, and what he may do ----------------------------------------------------------------------------------

  accountOf(device: DeviceId): AccountId | undefined {
    this.#door.settle();
    return this.#authority.accountOf(device);
  }

  allowance(scope: Scope, action: Action, role: Role, tool?: ToolId): Allowance {
    this.#door.settle();
    return this.#authority.settings.allowance(scope, action, role, tool);
  }

  /** A1: whether one account stands above another, so that its manager may take the other's devices out (A2). */
  isSenior(account: AccountId, to: AccountId): boolean {
    this.#door.settle();
    return this.#authority.isSenior(account, to);
  }

  /** D8: devices that have shown two histories. */
  get forked(): ReadonlySet<DeviceId> {
    return this.#endings.forked;
  }

  // ---- by which words it is in ------------------------------------------------------------------------------------------

  /** I4: whether a device may write here: some control delta lets it in. */
  isLetIn(device: DeviceId): boolean {
    return this.#entrances.has(device);
  }

  /** The last word that let a device in (I4, L7). */
  entranceOf(device: DeviceId): Node | undefined {
    this.#door.settle();
    return this.#endings.standingEntrances(device).at(-1);
  }

  /** Devices that have been let in again, each with the last word that took it out (L7). */
  returned(): ReadonlyMap<DeviceId, Node> {
    return this.#endings.returned(this.#door.settle().devices.keys());
  }

  /** What cuts off those by whose words a device is let in, and is not, in D6 order (K2). */
  cutsOfWhoLetIn(device: DeviceId): readonly Node[] {
    this.#door.settle();
    return this.#letInVain.cutsOf(device);
  }

  /** K2, A4: the first word that cuts off who has let a device in, where nothing that counts here ever has. */
  cutOfWhoLetIn(device: DeviceId): Node | undefined {
    return this.#letInVain.cutOf(device, this.#door.settle());
  }

  /** K2, N3: other devices that are out though no word names them. */
  letInVain(): readonly DeviceId[] {
    return this.#letInVain.devices(this.#own.device, this.#door.settle());
  }

  // ---- by which it is out -----------------------------------------------------------------------------------------------

  /** L7: whether a device was ever dropped, let in again since or not: it may ask to come back. */
  wasDropped(device: DeviceId): boolean {
    this.#door.settle();
    return this.#endings.wasDropped(device);
  }

  /** Whether a device was ever taken out, or its account, let in again since or not. */
  wasTakenOut(device: DeviceId): boolean {
    return this.#lastWordAgainst(device) !== undefined;
  }

  /** A4, L7: whether a place is beyond the cut of a word on its device, in a feed that this has not begun since, as far as is known. */
  isCutShort(place: DeltaPlace): boolean {
    this.#door.settle();
    return this.#endings.isCutShort(place);
  }

  /** K2: what takes a device out, and was not known to who said that its person leaves. */
  takenOutBeside(leave: Node, device: DeviceId): Node | undefined {
    const word = this.#lastWordAgainst(device);
    return word && !inPast(word, leave) ? word : undefined;
  }

  /** K2: the last word that takes out a device which nothing that counts here has ever let in. */
  wordOnStranger(device: DeviceId): Node | undefined {
    return this.#door.settle().devices.has(device) ? undefined : this.#lastWordAgainst(device);
  }

  #lastWordAgainst(device: DeviceId): Node | undefined {
    this.#door.settle();
    return this.#endings.returned([device]).get(device);
  }

  /** K2: a word against a device that can never come in here, and is believed all the same. */
  wordAgainst(device: DeviceId, account: AccountId): Node | undefined {
    return this.#toldWords.wordAgainst(device, account, this.#door.settle());
  }

  /** K2, A7: whether it is a device of this person's that may say so: one that is out says nothing for him, to whoever knows that, for it may be stolen. */
  speaksFor(device: DeviceId, account: AccountId): boolean {
    const roster = this.#door.settle();
    const isOf = this.#authority.accountOf(device) === account;
    return isOf && isActive(this.#graph, this.#authority, roster, device);
  }

  /** A7: what somebody has said to leave, and waits here for what it rests on. */
  leavesWaiting(account: AccountId): readonly Delta[] {
    const isLeave = ({ kind, tool, device }: Delta) =>
      kind === 'leave' && tool === undefined && this.speaksFor(device, account);
    return this.#graph.waiting > 0 ? [...this.#graph.waitingDeltas()].filter(isLeave) : [];
  }

  /** K2: what goes along with a word that takes out who holds this, so that he knows by what its author stands. */
  groundsOf(word: Node, held: Vector): readonly Node[] {
    this.#door.settle();
    return this.#grounds.of(word, held);
  }

  /** A4, L7: the word beyond whose cut the own feed has gone on as if it had not heard of it. */
  get endOfOwn(): Node | undefined {
    this.#door.settle();
    return this.#endings.endOf(this.#own.feed) ?? this.#endings.endBefore(this.#own.feed);
  }

  // ---- who is waited for (L4) -------------------------------------------------------------------------------------------

  /** Whose acknowledgement a delta needs to be stable. */
  get active(): ReadonlySet<DeviceId> {
    const roster = this.#door.settle();
    return activeDevices(this.#graph, this.#authority, roster, this.#entrances.devices());
  }

  /** L7: the arrival of the first delta that holds back the log since a device has not acknowledged it; undefined for none. */
  heldBackFrom(device: DeviceId): number | undefined {
    const record = this.#door.settle().records.get(device);
    return record && firstUnacknowledged(this.#graph, device, record.letIn);
  }
}
