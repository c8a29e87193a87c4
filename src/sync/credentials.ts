/**
 * What gave each account its role, what has ended that since, and whether the author of a delta stands under the credential that he cites (A3, A4, A7):
 * as far as the pass has come.
 */
import { push } from '../base/group.ts';
import type { AccountId, DeltaId } from '../base/ids.ts';
import { Role } from './control.ts';
import type { DeviceStanding } from './device-standing.ts';
import { compareNodes, inPast, type Node } from './graph.ts';
import { compareKeys, keyOf, type Accepted, type Key } from './seniority.ts';
import { refused, type Refusal } from './verdict.ts';

/** A delta that gave an account a role. */
export interface Credential {
  readonly node: Node;
  readonly account: AccountId;
  readonly key: Key;
  /** Accepted restrictions that reach it and that it had not seen: it is dead where one of them is seen (A4). */
  readonly ends: Node[];
  /** Accepted leaves of its account that it had not seen, the first of them: whoever has seen another has seen one of these (A7). */
  readonly left: Node[];
}

/** An accepted remove or demotion. */
export interface Restriction {
  readonly node: Node;
  readonly key: Key;
  /** Credentials of this role and lower ones stay as they are: of a demotion; NOBODY for a removal. */
  readonly spares: number;
}

/** An accepted leave. */
interface Leave {
  readonly node: Node;
  readonly key: Key;
}

export const NOBODY = Role.guest + 1;
const NONE: readonly never[] = [];

export class Credentials {
  readonly #devices: DeviceStanding;
  readonly #byAccount = new Map<AccountId, Credential[]>();
  readonly #byId = new Map<DeltaId, Credential>();
  #all: Credential[] = [];
  readonly #restrictions = new Map<AccountId, Restriction[]>();
  readonly #leaves = new Map<AccountId, Leave[]>();

  constructor(devices: DeviceStanding) {
    this.#devices = devices;
  }

  // ---- what becomes of them -------------------------------------------------------------------------------------------

  /** Of a new pass. */
  restart(): void {
    for (const map of [this.#byAccount, this.#byId, this.#restrictions, this.#leaves]) map.clear();
    this.#all = [];
  }

  grant(account: AccountId, granting: Accepted): void {
    const key = keyOf(granting);
    if (!key) return;
    const credential: Credential = { node: granting.node, account, key, ends: [], left: [] };
    for (const leave of this.#leaves.get(account) ?? NONE) endBy(leave, credential);
    for (const r of this.restrictionsOf(account)) if (ends(r, credential)) credential.ends.push(r.node);
    push(this.#byAccount, account, credential);
    this.#all.push(credential);
    this.#byId.set(granting.node.delta.id, credential);
  }

  restrict(account: AccountId, restriction: Restriction): void {
    push(this.#restrictions, account, restriction);
    for (const credential of this.of(account))
      if (ends(restriction, credential)) credential.ends.push(restriction.node);
  }

  /** Which roles of its target a change of role leaves as they are; undefined where it restricts nothing. */
  sparedBy(node: Node, { account, role }: { readonly account: AccountId; readonly role: Role }): number | undefined {
    const target = this.bestIn(account, node);
    // Where his best is not judged yet, whatever turns out to be above the new role is cut.
    if (target === undefined) return role;
    return role > target.key.role ? NOBODY : undefined;
  }

  leave(account: AccountId, node: Node, key: Key): void {
    const leave = { node, key };
    push(this.#leaves, account, leave);
    for (const credential of this.of(account)) endBy(leave, credential);
  }

  // ---- whether an author stands ---------------------------------------------------------------------------------------

  /** Whether what a delta cites gives a role, and stands. */
  has(cited: DeltaId | undefined): boolean {
    return cited !== undefined && this.#byId.has(cited);
  }

  /** What a delta cites: accepted, in its past, and of an account that has let the delta's device speak for it (I4). */
  citedBy(node: Node): Credential | undefined {
    const credential = node.delta.credential === undefined ? undefined : this.#byId.get(node.delta.credential);
    const isHis = credential && inPast(credential.node, node) && this.#devices.isIn(node, credential.account);
    return isHis ? credential : undefined;
  }

  /** A3, A4, A7: why the author of a delta does not stand where he says he does, by this credential. Undefined: he does. */
  refusalUnder(credential: Credential | undefined, node: Node): Refusal | undefined {
    if (!credential) return refused('noCredential');
    const { account } = credential;
    if (this.#devices.cutsOf(node, account, credential.key).length > 0) return refused('cutOff');
    if (credential.ends.some((end) => !inPast(node, end))) return refused('cutOff');
    if (credential.left.some((leave) => inPast(leave, node))) return refused('left');
    return this.#isBest(node, credential) ? undefined : refused('noCredential');
  }

  /** A4: what cuts off the author of a delta, who acts under a credential that stood. */
  cutsOf(node: Node): readonly Node[] {
    const credential = this.citedBy(node);
    if (!credential) return NONE;
    const cuts = this.#devices.cutsOf(node, credential.account, credential.key).map((word) => word.node);
    return [...cuts, ...credential.ends.filter((end) => !inPast(node, end))];
  }

  /** A3: no senior credential of the account is live in the delta's past. */
  #isBest(node: Node, credential: Credential): boolean {
    return !this.of(credential.account).some(
      (other) => compareKeys(other.key, credential.key) < 0 && inPast(other.node, node) && isLiveIn(other, node),
    );
  }

  // ---- of an account --------------------------------------------------------------------------------------------------

  of(account: AccountId): readonly Credential[] {
    return this.#byAccount.get(account) ?? NONE;
  }

  /** Everybody's, in the order of the pass. */
  get all(): readonly Credential[] {
    return this.#all;
  }

  /** How many others were ever in. */
  othersThan(account: AccountId): number {
    return this.#byAccount.size - (this.#byAccount.has(account) ? 1 : 0);
  }

  restrictionsOf(account: AccountId): readonly Restriction[] {
    return this.#restrictions.get(account) ?? NONE;
  }

  restrictions(): Iterable<readonly Restriction[]> {
    return this.#restrictions.values();
  }

  leavesOf(account: AccountId): readonly Node[] {
    return this.#leaves.get(account)?.map(({ node }) => node) ?? NONE;
  }

  /** The most senior that is live in a delta's past. */
  bestIn(account: AccountId, view: Node): Credential | undefined {
    return this.of(account)
      .filter((c) => inPast(c.node, view) && isLiveIn(c, view))
      .sort((a, b) => compareKeys(a.key, b.key))[0];
  }

  /** The most senior that is live by all that is here. `isDoubtful`: what ends one, and may be void for others (K2). */
  bestNow(account: AccountId, isDoubtful: (end: Node) => boolean = nothing): Credential | undefined {
    const live = this.of(account).filter(({ ends, left }) => left.length === 0 && ends.every(isDoubtful));
    return live.sort((a, b) => compareKeys(a.key, b.key))[0];
  }

  /** Under what an account acts; of who has left, what a device of his that has not heard it goes on under (A7). */
  actsUnder(account: AccountId, isDoubtful?: (end: Node) => boolean): Key | undefined {
    const leaves = [...(this.#leaves.get(account) ?? [])].sort((a, b) => compareNodes(a.node, b.node));
    return this.bestNow(account, isDoubtful)?.key ?? leaves.at(-1)?.key;
  }

  /** Whether what gives a role, and has no verdict yet, would be live in a delta's past by what is judged so far. */
  wouldLiveIn(account: AccountId, granting: Accepted, view: Node): boolean {
    const key = keyOf(granting);
    const { node } = granting;
    const isSeen = (end: Node) => inPast(end, view) && !inPast(end, node);
    if (!key || this.leavesOf(account).some(isSeen)) return false;
    return !this.restrictionsOf(account).some((r) => inPast(r.node, view) && ends(r, { node, key }));
  }

  // ---- who is senior --------------------------------------------------------------------------------------------------

  /** A1, as far as is known here. */
  isAbove(key: Key, to: AccountId): boolean {
    const other = this.bestNow(to);
    return other === undefined || compareKeys(key, other.key) < 0;
  }

  /** A2: what is still to be judged rests on a greater key. */
  outranks(key: Key, account: AccountId, view: Node): boolean {
    const target = this.bestIn(account, view);
    return target === undefined || compareKeys(key, target.key) < 0;
  }
}

/** A7: a leave ends a credential that has not seen it, for whoever has: of leaves that have seen each other the first says it for all. */
function endBy({ node }: Leave, credential: Credential): void {
  if (!inPast(node, credential.node) && !credential.left.some((other) => inPast(other, node)))
    credential.left.push(node);
}

export function isLiveIn({ ends, left }: Credential, view: Node): boolean {
  return !ends.some((end) => inPast(end, view)) && !left.some((leave) => inPast(leave, view));
}

const nothing = () => false;

/** A4: a restriction reaches credentials with a strictly greater key, a demotion those above the new role, if they have not seen it. */
export function ends(r: Restriction, { node, key }: Pick<Credential, 'node' | 'key'>): boolean {
  const isReached = key.role < r.spares && compareKeys(r.key, key) < 0;
  return isReached && r.node !== node && !inPast(r.node, node);
}
