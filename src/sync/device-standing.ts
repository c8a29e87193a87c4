/**
 * Which devices speak for an account, as of a delta (I4, K2, L7, D8): a device must have been let in in its past, and what it
 * wrote beyond the cut of a restriction on it does not count, unless it was let in again after that.
 *
 * | restriction | by | cut |
 * | --- | --- | --- |
 * | removeDevice | its account, or a senior manager | its past |
 * | drop | a senior manager, or its account | its past; any member may let the device in again |
 * | freeze | a senior manager, or its account | the heads it names |
 */
import { push } from '../base/group.ts';
import type { AccountId, DeltaId, DeviceId, FeedId } from '../base/ids.ts';
import { accountIn, type ControlWords } from './control-words.ts';
import { compareNodes, inPast, type Node } from './graph.ts';
import { compareKeys, type Accepted, type Key } from './seniority.ts';

export interface DeviceRestriction {
  readonly node: Node;
  readonly key: Key;
  readonly by: AccountId;
  readonly kind: 'removeDevice' | 'drop' | 'freeze';
  readonly devices: readonly DeviceId[];
  /** Of a freeze: what stands, per feed. */
  readonly kept: ReadonlyMap<FeedId, number> | undefined;
}

export class DeviceStanding {
  readonly #words: ControlWords;
  /** Of devices that were let in, by what has its effect, or is vouched for. */
  readonly #accounts = new Map<DeviceId, AccountId>();
  /** How many each account has of these. */
  readonly #counts = new Map<AccountId, number>();
  readonly #restrictions = new Map<DeviceId, DeviceRestriction[]>();
  /** Undefined for what is judged later in the pass. */
  readonly #stands: (id: DeltaId) => boolean | undefined;
  /** Whether whom it names is in by the word of a senior, should it be void (A10). */
  readonly #isVouched: (id: DeltaId) => boolean;
  /** Of a drop that is judged later in the pass: whether its author may say it of these devices by what he cites, as far as is judged yet. */
  readonly #mayDrop: (drop: Accepted) => boolean;

  constructor(
    words: ControlWords,
    stands: (id: DeltaId) => boolean | undefined,
    isVouched: (id: DeltaId) => boolean,
    mayDrop: (drop: Accepted) => boolean,
  ) {
    this.#words = words;
    this.#stands = stands;
    this.#isVouched = isVouched;
    this.#mayDrop = mayDrop;
  }

  /** Of a device that was let in in a delta's past by what is not void: the first in D6 order says whose it is. */
  namedAccountOf(device: DeviceId, view: Node): AccountId | undefined {
    const seen = this.#words.lettingIn(device).filter(({ node }) => inPast(node, view) && this.#letsIn(node));
    const first = seen.sort((a, b) => compareNodes(a.node, b.node))[0];
    return first && accountIn(first);
  }

  /** Of a new pass, with what is in force from its beginning. */
  restart(restrictions: Iterable<DeviceRestriction>): void {
    this.#accounts.clear();
    this.#counts.clear();
    this.#restrictions.clear();
    for (const restriction of restrictions) this.restrict(restriction);
  }

  assign(device: DeviceId, account: AccountId): void {
    const before = this.#accounts.get(device);
    if (before === account) return;
    this.#accounts.set(device, account);
    if (before !== undefined) this.#counts.set(before, this.countOf(before) - 1);
    this.#counts.set(account, this.countOf(account) + 1);
  }

  accountOf(device: DeviceId): AccountId | undefined {
    return this.#accounts.get(device);
  }

  /** How many were ever let in. */
  get count(): number {
    return this.#accounts.size;
  }

  /** Of an account. */
  countOf(account: AccountId): number {
    return this.#counts.get(account) ?? 0;
  }

  restrict(restriction: DeviceRestriction): void {
    for (const device of restriction.devices) push(this.#restrictions, device, restriction);
  }

  /** I4: whether the account's device was let in in the delta's past. No device lets itself in. */
  isIn(node: Node, account: AccountId): boolean {
    // Every delta asks, and no list is made for it.
    for (const a of this.#words.lettingIn(node.delta.device))
      if (accountIn(a) === account && inPast(a.node, node) && this.#letsIn(a.node)) return true;
    return false;
  }

  #letsIn({ delta: { id } }: Node): boolean {
    return this.#isVouched(id) || this.#stands(id) !== false;
  }

  /** What would let the author's device in, in a delta's past, and is void. */
  voidAdditionsOf(node: Node): readonly DeltaId[] {
    const all = this.#words.lettingIn(node.delta.device);
    return all.flatMap((a) => (inPast(a.node, node) && this.#stands(a.node.delta.id) === false ? a.node.delta.id : []));
  }

  /**
   * A4 for devices: the restrictions that reach its author's credential and beyond whose cut a delta lies. `isJudged`: of what stands, what does when
   * the delta is judged.
   */
  cutsOf(
    node: Node,
    account: AccountId,
    credential: Key,
    isJudged: (addition: Accepted) => boolean = anyOf,
  ): readonly DeviceRestriction[] {
    const { device } = node.delta;
    const all = this.#of(device);
    if (all.length === 0) return NONE;
    return all.filter(
      (r) =>
        reaches(r, account, credential) &&
        !isKept(r, node) &&
        !this.#isMutual(r, node, account) &&
        !this.#isBackIn(device, r, account, node, isJudged),
    );
  }

  /**
   * The restriction that holds a device out, as far as all that is here says; undefined where it is active. Of several one that is no drop:
   * whoever sees a drop may let the device in again (L7), and gives it the key.
   */
  heldOutBy(device: DeviceId, account: AccountId, credential: Key): DeviceRestriction | undefined {
    const all = this.#of(device).filter(
      (r) => reaches(r, account, credential) && !this.#isBackIn(device, r, account, undefined),
    );
    return all.find(({ kind }) => kind !== 'drop') ?? all[0];
  }

  /** What would let a device in again that a drop holds out, and is void (L7). */
  voidReturnsOf(device: DeviceId, drop: Node): readonly Node[] {
    const returns = this.#words.lettingIn(device).filter(({ node }) => inPast(drop, node));
    return returns.flatMap(({ node }) => (this.#stands(node.delta.id) === false ? node : []));
  }

  /** L7: whether a device was dropped in a delta's past, so that any member may let it in again: by who is judged later, too. */
  wasDropped(device: DeviceId, view: Node): boolean {
    return this.#words
      .dropsOf(device)
      .some((drop) => inPast(drop.node, view) && (this.#stands(drop.node.delta.id) ?? this.#mayDrop(drop)));
  }

  /**
   * Two devices of one account that take each other out are both out: which of the two is the stolen one no third can know, and
   * heights are what their authors say. Whom else it takes out is beyond its cut as all that it writes (world “jade.2588”).
   */
  #isMutual(r: DeviceRestriction, node: Node, account: AccountId): boolean {
    const isOwn = r.by === account && this.#words.takenOutIn(node).includes(r.node.delta.device);
    return isOwn && !inPast(r.node, node);
  }

  #of(device: DeviceId): readonly DeviceRestriction[] {
    return this.#restrictions.get(device) ?? NONE;
  }

  /**
   * Let in again by who has seen the restriction: by another device of its own account, or after a drop by anybody. What is judged
   * later counts after a drop alone, which any member may undo: else two devices that were removed could let each other in, one of
   * them under a credential so senior that the other's word is not judged yet. Who gives its person a role says nothing of that, and
   * boxes it no key: what is void lets in again nothing that was taken out (A10, world “umber.18450”).
   */
  #isBackIn(
    device: DeviceId,
    r: DeviceRestriction,
    account: AccountId,
    view: Node | undefined,
    isJudged: (addition: Accepted) => boolean = anyOf,
  ): boolean {
    return this.#words.lettingIn(device).some((a) => {
      if (this.#stands(a.node.delta.id) === false) return false;
      if (a.node.delta.device === device || !inPast(r.node, a.node) || (view && !inPast(a.node, view))) return false;
      if (r.kind === 'drop') return true;
      const isHis = a.control.kind === 'admit' || this.#words.namedAuthorOf(a.node) === account;
      return isHis && this.#stands(a.node.delta.id) === true && isJudged(a);
    });
  }
}

const NONE: readonly never[] = [];
const anyOf = () => true;

/** Its own account may take a device out whatever its role; others only who is junior to them (A2). */
function reaches(r: DeviceRestriction, account: AccountId, credential: Key): boolean {
  return r.by === account || compareKeys(r.key, credential) < 0;
}

function isKept({ node: restriction, kept }: DeviceRestriction, node: Node): boolean {
  if (kept) return (kept.get(node.delta.feed) ?? 0) >= node.delta.seq;
  return node === restriction || inPast(node, restriction);
}
