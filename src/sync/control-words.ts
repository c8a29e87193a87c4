/**
 * The control deltas of a copy, by all that they may be asked for by, each with its verdict as far as the pass has come (A6): what is judged
 * later in it has none yet, and counts already where it may come to stand. It judges nothing: that is the authority's.
 */
import { filterGroups, push } from '../base/group.ts';
import type { AccountId, DeltaId, DeviceId, ToolId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { readControl, takenOutBy, type Control } from './control.ts';
import { inPast, type Node } from './graph.ts';
import { compareEntries, keyOf, type Accepted, type Entry } from './seniority.ts';
import { refused, type Verdict } from './verdict.ts';

export class ControlWords {
  readonly #crypto: Crypto;
  /** Every control delta with a readable body, whatever its verdict. */
  readonly #controls = new Map<DeltaId, Accepted>();
  /** Void by their form alone. */
  readonly #malformed = new Set<DeltaId>();
  readonly #verdicts = new Map<DeltaId, Verdict>();
  /** By account and by invitation, whatever the verdict: what they depend on may sort later in the pass (A6). */
  readonly #admissions = new Map<AccountId, Accepted[]>();
  readonly #revocations = new Map<DeltaId, Accepted[]>();
  readonly #deletions = new Map<ToolId, Accepted[]>();
  /** Likewise, by whom they take out. */
  readonly #departures = new Map<AccountId, Accepted[]>();
  /** What removes somebody, or gives him another role, likewise. */
  readonly #ends = new Map<AccountId, Accepted[]>();
  /** Deltas that let a device in, accepted or not judged yet: a junior's is judged later in the pass (A6). */
  readonly #additions = new Map<DeviceId, Accepted[]>();
  /** Words that drop a device, likewise. */
  readonly #drops = new Map<DeviceId, Accepted[]>();
  /** Whom each word takes out, likewise. */
  readonly #takenOut = new Map<DeltaId, readonly DeviceId[]>();

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Keeps a control delta under all that it may be asked for by; undefined for one that its form makes void. */
  note(node: Node): Accepted | undefined {
    const { id, credential } = node.delta;
    const control = readControl(this.#crypto, node.delta);
    if (!control) {
      this.#malformed.add(id);
      this.#verdicts.set(id, refused('malformed'));
      return undefined;
    }
    const entry = { node, control };
    this.#controls.set(id, entry);
    // What cites nothing is void, whatever else is here: nobody is named by it.
    if (control.kind !== 'genesis' && credential === undefined) return entry;
    this.#noteDevices(entry);
    if (control.kind === 'genesis' || control.kind === 'admit') {
      push(this.#admissions, control.certificates[0]!.account, entry);
    }
    const leaver = leaverIn(control, this.citedBy(node));
    if (leaver !== undefined) push(this.#departures, leaver, entry);
    if (control.kind === 'remove' || control.kind === 'setRole') push(this.#ends, control.account, entry);
    if (control.kind === 'revoke') push(this.#revocations, control.invite, entry);
    if (control.kind === 'deleteTool') push(this.#deletions, control.tool, entry);
    return entry;
  }

  /** What lets devices in and what drops them, whatever its verdict: that is asked for when it counts. */
  #noteDevices(entry: Accepted): void {
    const { node, control } = entry;
    const takenOut = takenOutBy(control);
    if (takenOut.length > 0) this.#takenOut.set(node.delta.id, takenOut);
    if (control.kind === 'drop') for (const device of control.devices) push(this.#drops, device, entry);
    for (const device of letInBy(control)) push(this.#additions, device, entry);
  }

  /** These are as if they had never come. Answers whether there was one of them. */
  withdraw(nodes: ReadonlySet<Node>): boolean {
    const gone = [...nodes].filter(({ delta }) => this.#controls.delete(delta.id));
    const isLeft = ({ node }: Accepted) => !nodes.has(node);
    const ofPeople = [this.#admissions, this.#departures, this.#ends];
    const ofDevices = [this.#additions, this.#drops];
    const groups = [...ofPeople, ...ofDevices, this.#revocations, this.#deletions] as Map<unknown, Accepted[]>[];
    for (const one of groups) filterGroups(one, isLeft);
    for (const { delta } of gone) this.#takenOut.delete(delta.id);
    return gone.length > 0;
  }

  /** Of a new pass: nothing is judged yet but what has no form. */
  restart(): void {
    this.#verdicts.clear();
    for (const id of this.#malformed) this.#verdicts.set(id, refused('malformed'));
  }

  judged(id: DeltaId, verdict: Verdict): void {
    this.#verdicts.set(id, verdict);
  }

  get(id: DeltaId): Accepted | undefined {
    return this.#controls.get(id);
  }

  all(): Iterable<Accepted> {
    return this.#controls.values();
  }

  /** Undefined for what is judged later in the pass. */
  verdictOf(id: DeltaId): Verdict | undefined {
    return this.#verdicts.get(id);
  }

  verdicts(): ReadonlyMap<DeltaId, Verdict> {
    return new Map(this.#verdicts);
  }

  isVoid(id: DeltaId): boolean {
    return this.#verdicts.get(id)?.accepted === false;
  }

  isCutOff(id: DeltaId): boolean {
    const verdict = this.#verdicts.get(id);
    return verdict?.accepted === false && verdict.reason === 'cutOff';
  }

  /** Words that are void, whatever they would have done. */
  *refused(): Generator<Accepted> {
    for (const entry of this.#controls.values()) if (this.isVoid(entry.node.delta.id)) yield entry;
  }

  // ---- who says it ----------------------------------------------------------------------------------------------------

  /** What a delta cites as the one that gave its author his role, whatever became of it (A3). */
  citedBy({ delta }: Node): Accepted | undefined {
    return delta.credential === undefined ? undefined : this.#controls.get(delta.credential);
  }

  /** An entry needs the key of what it cites, whatever the cited one's verdict. */
  entryOf({ node, control }: Accepted): Entry | undefined {
    const own = control.kind === 'genesis';
    const cited = own ? { node, control } : this.citedBy(node);
    // Of what is not in its past nobody knows when it comes: what has a place by that would have none for whoever has folded before.
    const key = cited && (own || inPast(cited.node, node)) ? keyOf(cited) : undefined;
    return key && { node, control, key };
  }

  /**
   * Who wrote a delta, as its credential says, whatever the verdicts: a certificate binds a device to an account for good (I1),
   * and a promoted member acts, in the order of A6, before what let him or his device in is judged.
   */
  namedAuthorOf(node: Node): AccountId | undefined {
    const cited = this.citedBy(node);
    if (!cited || !inPast(cited.node, node)) return undefined;
    const account = accountGivenBy(cited.control);
    return account !== undefined && this.#isNamed(node, account) ? account : undefined;
  }

  /**
   * Whether a certificate in a delta's past says that its device is of an account: whatever became of it, but not in what cites no credential. Without one
   * it has no place in the order (A6), and names nobody.
   */
  #isNamed(node: Node, account: AccountId): boolean {
    return this.lettingIn(node.delta.device).some(
      (a) => accountIn(a) === account && inPast(a.node, node) && this.entryOf(a) !== undefined,
    );
  }

  // ---- what it is about -----------------------------------------------------------------------------------------------

  /**
   * Whether what sorts behind an entry may come to stand, as a pass has it that has come so far: also where more is judged already, as for what is
   * not written yet.
   */
  isPendingBehind(one: Accepted, entry: Entry): boolean {
    for (let at = one; ; at = this.citedBy(at.node)!) {
      const own = this.entryOf(at);
      if (!own || this.namedAuthorOf(at.node) === undefined) return false;
      if (compareEntries(own, entry) <= 0) return this.#verdicts.get(at.node.delta.id)?.accepted === true;
    }
  }

  /** What may still come to stand later in the pass: judged before it are the credentials it rests on, one upon the other. */
  isPending(one: Accepted): boolean {
    if (this.#verdicts.has(one.node.delta.id)) return false;
    for (let at = one; ;) {
      const verdict = this.#verdicts.get(at.node.delta.id);
      if (verdict) return verdict.accepted;
      if (at.control.kind === 'genesis') return true;
      if (this.namedAuthorOf(at.node) === undefined) return false;
      at = this.citedBy(at.node)!;
    }
  }

  /** Admissions of an account in a delta's past that are judged later in the pass. */
  pendingAdmissions(account: AccountId, view: Node): readonly Accepted[] {
    return (this.#admissions.get(account) ?? []).filter((one) => inPast(one.node, view) && this.isPending(one));
  }

  /**
   * Leaves and removals of an account in a delta's past that are judged later in the pass. The last that came first: what a credential of his has seen, since he was
   * let in again upon it, need not be gone through.
   */
  pendingDepartures(account: AccountId, view: Node): readonly Node[] {
    const words = (this.#departures.get(account) ?? []).filter((one) => inPast(one.node, view) && this.isPending(one));
    return words.map(({ node }) => node).reverse();
  }

  /** Removals of an account, and roles that it was given, in a delta's past that are judged later in the pass. */
  pendingEnds(account: AccountId, view: Node): readonly Entry[] {
    const words = (this.#ends.get(account) ?? []).filter((one) => inPast(one.node, view) && this.isPending(one));
    return words.flatMap((one) => this.entryOf(one) ?? []);
  }

  revocationsOf(invite: DeltaId): readonly Accepted[] {
    return this.#revocations.get(invite) ?? NONE;
  }

  deletionsOf(tool: ToolId): readonly Accepted[] {
    return this.#deletions.get(tool) ?? NONE;
  }

  lettingIn(device: DeviceId): readonly Accepted[] {
    return this.#additions.get(device) ?? NONE;
  }

  dropsOf(device: DeviceId): readonly Accepted[] {
    return this.#drops.get(device) ?? NONE;
  }

  takenOutIn({ delta }: Node): readonly DeviceId[] {
    return this.#takenOut.get(delta.id) ?? NONE;
  }
}

const NONE: readonly never[] = [];

/** Devices whose certificates a word brings. */
export function letInBy(control: Control): readonly DeviceId[] {
  if (control.kind !== 'genesis' && control.kind !== 'admit' && control.kind !== 'addDevice') return NONE;
  return control.certificates.map(({ device }) => device);
}

/** Whose they are: certificates of one delta are of one account. */
export function accountIn({ control }: Accepted): AccountId | undefined {
  if (control.kind === 'admit' || control.kind === 'addDevice') return control.account;
  return control.kind === 'genesis' ? control.certificates[0]!.account : undefined;
}

/** Whose credential a control delta is; undefined for what is none. */
function accountGivenBy(control: Control): AccountId | undefined {
  if (control.kind === 'setRole') return control.account;
  return control.kind === 'genesis' || control.kind === 'admit' ? control.certificates[0]!.account : undefined;
}

/** Whom a word takes out, if it stands: of a leave whose credential it cites, which is here where it is in its past. */
function leaverIn(control: Control, cited: Accepted | undefined): AccountId | undefined {
  if (control.kind === 'remove') return control.account;
  return control.kind === 'leave' && cited ? accountGivenBy(cited.control) : undefined;
}
