/**
 * Who stands behind words that wait for what is folded elsewhere, and may never come in (K2): as far as is known here, and by what else waits. Made for one
 * question, in which nothing changes: anybody can have ten thousand words wait, and each of them is looked at once, however many are
 * asked about.
 */
import { push } from '../base/group.ts';
import type { AccountId, DeviceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Authority } from './authority.ts';
import { readControl, Role, takenOutBy, type Control } from './control.ts';
import type { Delta } from './delta.ts';
import { inPast, type Graph, type Node } from './graph.ts';
import type { Roster } from './roster.ts';
import type { Accepted, Key } from './seniority.ts';
import { isActive } from './stability.ts';
import { pastOf } from './waiting.ts';

export interface HearsayOptions {
  readonly crypto: Crypto;
  readonly graph: Graph;
  readonly authority: Authority;
  readonly roster: Roster;
  /** Accepted words that take a device out, or its account. */
  readonly wordsAgainst: (device: DeviceId) => readonly Accepted[];
}

interface Managers {
  readonly accounts: ReadonlySet<AccountId>;
  readonly of: ReadonlyMap<DeviceId, AccountId>;
}

/** A word that waits, and would let a device into an account. */
interface LettingIn {
  readonly delta: Delta;
  readonly by: AccountId;
  readonly account: AccountId;
}

export class Hearsay {
  readonly #options: HearsayOptions;
  readonly #accounts = new Map<DeviceId, AccountId | undefined>();
  readonly #letIn = new Map<DeviceId, AccountId | undefined>();
  #lettingIn: ReadonlyMap<DeviceId, readonly LettingIn[]> | undefined;
  #managers: Managers | undefined;
  #left: ReadonlySet<AccountId> | undefined;
  readonly #lowered = new Map<AccountId, Role | undefined>();
  /** What waits, and would take a device out, or its person out or down. */
  #restricting: ReadonlyMap<DeviceId | AccountId, readonly Delta[]> | undefined;
  readonly #said = new Map<DeviceId, readonly Delta[]>();
  readonly #doubtful = new Map<Node, boolean>();
  #isDoubting = false;

  constructor(options: HearsayOptions) {
    this.#options = options;
  }

  /** Whether he may take out the devices of an account, as far as is known here. */
  couldSay({ kind }: Delta, author: AccountId, account: AccountId): boolean {
    const role = this.#roleOf(author);
    const isManager = role === Role.manager;
    // A10: nobody removes himself, or gives himself a role.
    if (author === account) return kind === 'removeDevice' || (isManager && (kind === 'drop' || kind === 'freeze'));
    if (role === undefined || !(isManager || (kind === 'remove' && this.#mayRemove(role)))) return false;
    return this.#isAbove(author, role, account) || (isManager && this.#hasLeft(account));
  }

  /** A1, A2: of one whose role has not come seniority is not known among those who have the same. */
  #isAbove(author: AccountId, role: Role, account: AccountId): boolean {
    const { authority } = this.#options;
    const other = this.#loweredTo(account) ?? this.#actsUnder(account)?.role;
    if (other === undefined || role < other) return true;
    const key = this.#actsUnder(author);
    return key?.role === role && authority.isAbove(key, account);
  }

  #roleOf(account: AccountId): Role | undefined {
    const role = this.#actsUnder(account)?.role;
    return role !== Role.manager && this.#managersToBe.accounts.has(account) ? Role.manager : role;
  }

  /**
   * A4: whether a word that is here may be void for others, and not known to be here: its author's device, or its person, is taken out or down by what waits, and may not
   * have known that word. Who says that stands by what is in no doubt himself: each could hang on the next, and anybody can flip a role a thousand times.
   */
  readonly isDoubtful = (word: Node): boolean => {
    if (this.#isDoubting) return false;
    if (!this.#doubtful.has(word)) {
      this.#isDoubting = true;
      this.#doubtful.set(word, this.#isCutByWaiting(word));
      this.#isDoubting = false;
    }
    return this.#doubtful.get(word)!;
  };

  #isCutByWaiting(word: Node): boolean {
    const { device } = word.delta;
    const account = this.#options.authority.accountOf(device);
    if (account === undefined) return false;
    return this.#saidAgainst(device, account).some((delta) => !this.#hasSeen(delta, word));
  }

  /** Of what waits, and would take a device out, or its person out or down, what is said by who may. */
  #saidAgainst(device: DeviceId, account: AccountId): readonly Delta[] {
    let said = this.#said.get(device);
    if (!said) {
      const against = [...this.#restrictingOf(device), ...this.#restrictingOf(account)];
      this.#said.set(device, (said = against.filter((delta) => this.#isSaidOf(account, delta))));
    }
    return said;
  }

  #restrictingOf(target: DeviceId | AccountId): readonly Delta[] {
    this.#restricting ??= this.#findRestricting();
    return this.#restricting.get(target) ?? [];
  }

  #findRestricting(): ReadonlyMap<DeviceId | AccountId, readonly Delta[]> {
    const restricting = new Map<DeviceId | AccountId, Delta[]>();
    for (const delta of this.#waiting(...RESTRICTING)) {
      const control = readControl(this.#options.crypto, delta);
      if (control?.kind === 'remove' || isLowering(control)) push(restricting, control.account, delta);
      else if (control) for (const device of takenOutBy(control)) push(restricting, device, delta);
    }
    return restricting;
  }

  /** Whether what waits is said of an account, or a device of its, by who may. */
  #isSaidOf(account: AccountId, delta: Delta): boolean {
    const author = this.accountBehind(delta);
    return author !== undefined && this.couldSay(delta, author, account);
  }

  /** The member whose device has written what waits; undefined for one that is out, or was when it began the feed. */
  accountBehind(delta: Delta): AccountId | undefined {
    const { authority, roster, wordsAgainst } = this.#options;
    const { device } = delta;
    const account = authority.accountOf(device);
    if (account === undefined) return this.#accountLetIn(device, undefined) ?? this.#managersToBe.of.get(device);
    if (wordsAgainst(device).length === 0) return this.#accountOf(device);
    if (!this.#isBegunSince(delta)) return undefined;
    return roster.devices.has(device) ? account : this.#accountLetIn(device, account);
  }

  #isManager(account: AccountId): boolean {
    return this.#actsUnder(account)?.role === Role.manager;
  }

  #actsUnder(account: AccountId): Key | undefined {
    return this.#options.authority.actsUnder(account, this.isDoubtful);
  }

  /** A2: the lowest role that what waits gives to somebody who has a higher one, by who may. */
  #loweredTo(account: AccountId): Role | undefined {
    if (!this.#lowered.has(account)) {
      this.#lowered.set(account, undefined);
      this.#lowered.set(account, this.#findLowered(account));
    }
    return this.#lowered.get(account);
  }

  #findLowered(account: AccountId): Role | undefined {
    const own = this.#actsUnder(account)?.role;
    const roles = this.#restrictingOf(account).flatMap((delta) => {
      const control = readControl(this.#options.crypto, delta);
      return control?.kind === 'setRole' && this.#isSaidOf(account, delta) ? control.role : [];
    });
    const lowest = Math.max(...roles) as Role;
    return own !== undefined && lowest > own ? lowest : undefined;
  }

  /** A5: whether those of a role may remove others, by what is here or waits. */
  #mayRemove(role: Role): boolean {
    const { authority, crypto } = this.#options;
    if (authority.settings.allowance('workspace', 'uninvite', role).allowed) return true;
    return this.#waiting('setPerm').some((delta) => {
      const control = readControl(crypto, delta);
      const by = this.#accountOf(delta.device);
      if (control?.kind !== 'setPerm' || by === undefined || !this.#isManager(by)) return false;
      return (
        control.scope === 'workspace' &&
        control.action === 'uninvite' &&
        control.role === role &&
        control.allow === true
      );
    });
  }

  /** A10: whom managers have admitted as managers, or made such, by words that wait; with the devices that came with them. */
  get #managersToBe(): Managers {
    return (this.#managers ??= this.#findManagers());
  }

  #findManagers(): Managers {
    const accounts = new Set<AccountId>();
    const of = new Map<DeviceId, AccountId>();
    for (const delta of this.#waiting('admit', 'setRole')) {
      const by = this.#accountOf(delta.device);
      const control = by !== undefined && this.#isManager(by) ? readControl(this.#options.crypto, delta) : undefined;
      if ((control?.kind !== 'admit' && control?.kind !== 'setRole') || control.role !== Role.manager) continue;
      accounts.add(control.account);
      if (control.kind === 'admit')
        for (const { device } of control.certificates) if (!of.has(device)) of.set(device, control.account);
    }
    return { accounts, of };
  }

  /**
   * A7: whether a device that speaks for an account has said that it leaves, though what that rests on may never come: nobody is junior to who is let in
   * after that. One that is out says nothing for its person, to whoever knows that: it may be stolen.
   */
  #hasLeft(account: AccountId): boolean {
    this.#left ??= new Set(this.#waiting('leave').flatMap(({ device }) => this.#accountOf(device) ?? []));
    return this.#left.has(account);
  }

  /** For whom a device speaks: also one of somebody who has left that has not heard it, this device's own person perhaps (A7). */
  #accountOf(device: DeviceId): AccountId | undefined {
    if (!this.#accounts.has(device)) this.#accounts.set(device, this.#findAccountOf(device));
    return this.#accounts.get(device);
  }

  #findAccountOf(device: DeviceId): AccountId | undefined {
    const { authority, graph, roster } = this.#options;
    const isIn = isActive(graph, authority, roster, device);
    return isIn ? authority.accountOf(device) : undefined;
  }

  /** Whether a feed knows the words against its device, or is one of which nothing is here yet. */
  #isBegunSince({ device, feed, generation }: Delta): boolean {
    const { graph, wordsAgainst } = this.#options;
    const lanes = graph.lanesOf(device).filter(({ end }) => end > 0);
    const tip = graph.tip(feed);
    if (!tip) return lanes.every((lane) => lane.generation < generation);
    const isNewest = lanes.every((lane) => lane.generation <= generation);
    return isNewest && wordsAgainst(device).every(({ node: word }) => inPast(word, tip));
  }

  /** Whose device it is by a word that waits: of who may say it where it was taken out, of its own account where nothing is known of it (I4). */
  #accountLetIn(device: DeviceId, account: AccountId | undefined): AccountId | undefined {
    if (!this.#letIn.has(device)) this.#letIn.set(device, this.#findLetIn(device, account));
    return this.#letIn.get(device);
  }

  #findLetIn(device: DeviceId, account: AccountId | undefined): AccountId | undefined {
    this.#lettingIn ??= this.#findLettingIn();
    // L7: what was dropped any member lets in again; what was taken out otherwise, another device of its account.
    const isDropped = this.#options.roster.gone.get(device)?.delta.kind === 'drop';
    return this.#lettingIn.get(device)?.find(({ delta, by, account: into }) => {
      if (into !== (account ?? by)) return false;
      return account === undefined || isDropped || (by === account && this.#hasSeenAllAgainst(device, delta));
    })?.account;
  }

  #findLettingIn(): ReadonlyMap<DeviceId, readonly LettingIn[]> {
    const lettingIn = new Map<DeviceId, LettingIn[]>();
    for (const delta of this.#waiting('addDevice')) {
      const by = this.#accountOf(delta.device);
      const control = by === undefined ? undefined : readControl(this.#options.crypto, delta);
      if (by === undefined || control?.kind !== 'addDevice') continue;
      for (const { device } of control.certificates) push(lettingIn, device, { delta, by, account: control.account });
    }
    return lettingIn;
  }

  /** A4: whether what waits had seen every word against a device, by where its feed ends here or by what it names. */
  #hasSeenAllAgainst(device: DeviceId, delta: Delta): boolean {
    return this.#options.wordsAgainst(device).every(({ node: word }) => this.#hasSeen(delta, word));
  }

  /** Whether what waits is known to have something in its past. */
  #hasSeen(delta: Delta, word: Node): boolean {
    const { graph } = this.#options;
    const before = [graph.tip(delta.feed), ...pastOf(delta).map((id) => graph.get(id))];
    return before.some((node) => node !== undefined && (node === word || inPast(word, node)));
  }

  #waiting(...kinds: readonly string[]): readonly Delta[] {
    return [...this.#options.graph.waitingDeltas()].filter(
      ({ kind, tool }) => tool === undefined && kinds.includes(kind),
    );
  }
}

/** Of somebody who may be a manager. */
function isLowering(control: Control | undefined): control is Control & { kind: 'setRole' } {
  return control?.kind === 'setRole' && control.role !== Role.manager;
}

const RESTRICTING = ['remove', 'setRole', 'removeDevice', 'freeze', 'drop'] as const;
