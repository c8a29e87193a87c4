/**
 * Who stands behind words that wait for what is folded elsewhere, and may never come in (K2): as far as is known here, and by what else waits. Made for one
 * question, in which nothing changes: anybody can have ten thousand words wait, and each of them is looked at once, however many are
 * asked about.
 */
import { push } from '../base/group.ts';
import type { AccountId, DeviceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Authority } from './authority.ts';
import { readControl, Role } from './control.ts';
import type { Delta } from './delta.ts';
import { inPast, type Graph, type Node } from './graph.ts';
import type { Roster } from './roster.ts';
import type { Accepted } from './seniority.ts';
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
  #managers: { readonly accounts: ReadonlySet<AccountId>; readonly of: ReadonlyMap<DeviceId, AccountId> } | undefined;
  #left: ReadonlySet<AccountId> | undefined;

  constructor(options: HearsayOptions) {
    this.#options = options;
  }

  /** Whether he may take out the devices of an account, as far as is known here. */
  couldSay({ kind }: Delta, author: AccountId, account: AccountId): boolean {
    const { authority } = this.#options;
    const key = authority.actsUnder(author);
    // Whoever stands below every manager: seniority is not known of one whose admission has not come.
    if (!key) return this.#admittedManagers.accounts.has(author) && !this.#isManager(account);
    const isManager = key.role === Role.manager;
    if (author === account) return isManager || kind === 'removeDevice';
    return isManager && (authority.isAbove(key, account) || this.#hasLeft(account));
  }

  /** The member whose device has written what waits; undefined for one that is out, or was when it began the feed. */
  accountBehind(delta: Delta): AccountId | undefined {
    const { authority, roster, wordsAgainst } = this.#options;
    const { device } = delta;
    const account = authority.accountOf(device);
    if (account === undefined) return this.#accountLetIn(device, undefined) ?? this.#admittedManagers.of.get(device);
    if (wordsAgainst(device).length === 0) return this.#accountOf(device);
    if (!this.#isBegunSince(delta)) return undefined;
    return roster.devices.has(device) ? account : this.#accountLetIn(device, account);
  }

  #isManager(account: AccountId): boolean {
    return this.#options.authority.actsUnder(account)?.role === Role.manager;
  }

  /** A10: whom managers have admitted as managers, by words that wait; with their devices. */
  get #admittedManagers() {
    return (this.#managers ??= this.#findManagers());
  }

  #findManagers(): { readonly accounts: ReadonlySet<AccountId>; readonly of: ReadonlyMap<DeviceId, AccountId> } {
    const { crypto } = this.#options;
    const admitted = new Map<AccountId, readonly DeviceId[]>();
    for (const delta of this.#waiting('admit')) {
      const by = this.#accountOf(delta.device);
      const control = by !== undefined && this.#isManager(by) ? readControl(crypto, delta) : undefined;
      if (control?.kind === 'admit' && control.role === Role.manager)
        admitted.set(
          control.account,
          control.certificates.map(({ device }) => device),
        );
    }
    const of = new Map<DeviceId, AccountId>();
    for (const [account, devices] of admitted)
      for (const device of devices) if (!of.has(device)) of.set(device, account);
    return { accounts: new Set(admitted.keys()), of };
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
    const { graph, wordsAgainst } = this.#options;
    const before = [graph.tip(delta.feed), ...pastOf(delta).map((id) => graph.get(id))];
    const hasSeen = (word: Node) => before.some((node) => node !== undefined && (node === word || inPast(word, node)));
    return wordsAgainst(device).every(({ node: word }) => hasSeen(word));
  }

  #waiting(kind: string): readonly Delta[] {
    return [...this.#options.graph.waitingDeltas()].filter((delta) => delta.kind === kind && delta.tool === undefined);
  }
}
