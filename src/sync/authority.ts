/**
 * Who may do what, on every replica alike (section 3). The verdict is a pure function of the set of deltas: the control
 * deltas are sorted by (key of the credential, leave first, height, id), those on which nothing rests behind all others, and
 * judged in one pass, each resting on earlier entries only (A6). A content delta is judged by the same questions against the settled ones.
 *
 * Two words of an account on itself cannot wait for their turn. That one of its own devices is out: whoever has that device writes under
 * the same key and may claim any height. And that it leaves: meanwhile a senior may have given it a role under which all is judged
 * earlier. Where such a word turns out to reach what is judged before it, it is in force from the beginning of another pass.
 *
 * Here are the order, the passes and what each accepted delta does. What there is to judge, and what is judged so far, is in `control-words.ts`, who stands by that in
 * `credentials.ts` and `device-standing.ts`, what each kind asks in `conditions.ts`.
 */
import type { AccountId, DeltaId, DeviceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { Conditions } from './conditions.ts';
import { ControlWords, letInBy } from './control-words.ts';
import { Role, readControl, takenOutBy, type Control } from './control.ts';
import { Credentials, NOBODY } from './credentials.ts';
import { outByOneAnother } from './cut-chain.ts';
import { DeviceStanding, type DeviceRestriction } from './device-standing.ts';
import { compareNodes, type Graph, type Node } from './graph.ts';
import { InTurn } from './in-turn.ts';
import { InviteUses } from './invite-uses.ts';
import { compareEntries, isInert, type Accepted, type Entry, type Key } from './seniority.ts';
import { Settings } from './settings.ts';
import { ACCEPTED, refused, type Refusal, type Verdict } from './verdict.ts';
import { WordsOut } from './words-out.ts';

/** Whether the author of a content delta stands where he says he does, and in which role. */
export type Standing = { readonly accepted: true; readonly role: Role } | Refusal;

/** By role: every delta asks, and nothing is made for it. */
const STANDING: readonly Standing[] = [Role.manager, Role.participant, Role.guest].map((role) => ({
  accepted: true,
  role,
}));

/** An admission, and the words that have given its person a role before it was judged. */
interface Vouched extends Accepted {
  readonly account: AccountId;
  readonly by: Node[];
}

/** A word that is in force from the beginning, and is to be judged in its turn, with what counts for nothing that had let its device in. */
interface Baseless {
  readonly id: DeltaId;
  /** What cuts it. */
  readonly by: readonly DeltaId[];
  readonly upon: readonly DeltaId[];
}

export class Authority {
  readonly #graph: Graph;
  readonly #crypto: Crypto;
  readonly #words: ControlWords;
  readonly settings = new Settings();
  readonly wordsOut: WordsOut;
  readonly #invites: InviteUses;
  readonly #devices: DeviceStanding;
  readonly #credentials: Credentials;
  readonly #conditions: Conditions;
  /** Admissions whose person a senior has given a role before they were judged. */
  readonly #vouched = new Map<DeltaId, Vouched>();
  #accepted: Accepted[] = [];

  constructor(crypto: Crypto, graph: Graph) {
    this.#crypto = crypto;
    this.#graph = graph;
    this.#words = new ControlWords(crypto);
    this.#invites = new InviteUses(this.#words);
    this.#devices = new DeviceStanding(
      this.#words,
      (id) => (this.#inVain.has(id) ? false : this.#words.verdictOf(id)?.accepted),
      (id) => this.#vouched.has(id),
      (drop) => this.#conditions.mayDrop(drop),
    );
    this.#credentials = new Credentials(this.#devices);
    this.#conditions = new Conditions({
      ...{ words: this.#words, settings: this.settings, credentials: this.#credentials },
      ...{ devices: this.#devices, invites: this.#invites },
    });
    this.wordsOut = new WordsOut(this.#words, this.#credentials, this.#devices);
  }

  /** Accepted control deltas in D6 order: what the roster is folded from. */
  get accepted(): readonly Accepted[] {
    return this.#accepted;
  }

  /** Void admissions of people who are in by the word of a senior who gave them a role. */
  get vouched(): readonly Accepted[] {
    return [...this.#vouched.values()].filter(({ node }) => this.#words.isVoid(node.delta.id));
  }

  verdictOf(id: DeltaId): Verdict | undefined {
    return this.#words.verdictOf(id);
  }

  /** What a control delta says, whatever its verdict. */
  controlOf(id: DeltaId): Control | undefined {
    return this.#words.get(id)?.control;
  }

  accountOf(device: DeviceId): AccountId | undefined {
    return this.#devices.accountOf(device);
  }

  /** Takes control deltas in, judged together. Answers whether anything but their own verdicts may have changed. */
  addAll(nodes: readonly Node[]): boolean {
    const read = nodes.flatMap((node) => this.#words.note(node) ?? []);
    if (read.every(({ control }) => isInert(control))) {
      for (const one of read) this.#judgeInert(one);
      return false;
    }
    const before = this.#words.verdicts();
    this.#evaluate();
    if (read.some(({ control }) => restricts(control))) return true;
    for (const [id, verdict] of before) if (this.#words.verdictOf(id)?.accepted !== verdict.accepted) return true;
    return false;
  }

  /** D8: these are as if they had never come. Answers whether there is a control delta among them. */
  withdraw(nodes: ReadonlySet<Node>): boolean {
    if (!this.#words.withdraw(nodes)) return false;
    this.#evaluate();
    return true;
  }

  /** D8: others may have named more of a branch, or what is here has become one. Answers whether anything is judged anew. */
  recut(): boolean {
    const isTurned = ({ node }: Accepted) => {
      const verdict = this.#words.verdictOf(node.delta.id);
      return this.#graph.isUnnamed(node) !== (verdict?.accepted === false && verdict.reason === 'forked');
    };
    if (!this.#graph.isForked || ![...this.#words.all()].some(isTurned)) return false;
    this.#evaluate();
    return true;
  }

  /**
   * What no other verdict rests on needs no new pass: all that its own rests on sorts before it (A6), and stays as it was.
   * An ack a minute from every device must not cost a look at the whole history.
   */
  #judgeInert(one: Accepted): void {
    const entry = this.#entry(one);
    if (!entry) return;
    const verdict = this.#judgeControl(entry);
    this.#words.judged(one.node.delta.id, verdict);
    if (verdict.accepted) this.#accept(entry);
  }

  /** Most come in order: looked for from the end. */
  #accept(entry: Entry): void {
    let at = this.#accepted.length;
    while (at > 0 && compareNodes(this.#accepted[at - 1]!.node, entry.node) > 0) at--;
    this.#accepted.splice(at, 0, entry);
  }

  /** What would be said of a control delta that is not written yet and has everything here in its past. */
  judgeDraft(draft: Node): Verdict {
    const control = readControl(this.#crypto, draft.delta);
    if (!control) return refused('malformed');
    const entry = this.#words.entryOf({ node: draft, control });
    if (!entry) return refused('noCredential');
    return this.#isBackLater(entry) ? refused('cutOff') : this.#judgeControl(entry);
  }

  /**
   * A6: whether what has let its device in again is judged after it, as after a leave, or after what is said under a role that the account was given
   * by a senior of who let it in. It would be void, and another device of the account says it.
   */
  #isBackLater(entry: Entry): boolean {
    const { node, key } = entry;
    const account = this.#words.namedAuthorOf(node);
    const isEarlier = (addition: Accepted) => compareEntries(this.#words.entryOf(addition)!, entry) < 0;
    return account !== undefined && this.#devices.cutsOf(node, account, key, isEarlier).length > 0;
  }

  /** How many people an invitation has let in. */
  usesOf(invite: DeltaId): number {
    return this.#invites.countOf(invite);
  }

  /** The verdict on a content delta, but for what its tool asks (`can`). */
  judge(node: Node): Standing {
    const credential = this.#credentials.citedBy(node);
    return this.#credentials.refusalUnder(credential, node) ?? STANDING[credential!.key.role]!;
  }

  /** Whether the author of an accepted delta stands as a manager in it. */
  isManagers(node: Node): boolean {
    return this.#credentials.citedBy(node)?.key.role === Role.manager;
  }

  /** Whether one account stands above another, as far as is known here (A1). */
  isSenior(account: AccountId, to: AccountId): boolean {
    const own = this.#credentials.bestNow(account);
    return own !== undefined && this.isAbove(own.key, to);
  }

  isAbove(key: Key, to: AccountId): boolean {
    return this.#credentials.isAbove(key, to);
  }

  /**
   * Under what an account acts; of who has left, what a device of his that has not heard it goes on under (A7). `isDoubtful`: what has taken
   * somebody down or out here, and may be void for others (K2).
   */
  actsUnder(account: AccountId, isDoubtful?: (end: Node) => boolean): Key | undefined {
    return this.#credentials.actsUnder(account, isDoubtful);
  }

  /** The best credential an account could cite in a delta that has everything here in its past (A3). */
  bestCredential(account: AccountId): { readonly id: DeltaId; readonly role: Role } | undefined {
    const best = this.#credentials.bestNow(account);
    return best && { id: best.node.delta.id, role: best.key.role };
  }

  // ---- evaluation ---------------------------------------------------------------------------------------------------

  #evaluate(): void {
    const early = new Map<DeltaId, DeviceRestriction>();
    const inTurn = new InTurn();
    this.#inVain.clear();
    this.#needless.clear();
    for (let isSettled = false; !isSettled;) {
      this.#passWithLeaves(early);
      const late = this.#lateWords().filter(({ node: { delta } }) => !early.has(delta.id) && !inTurn.has(delta.id));
      for (const word of late) early.set(word.node.delta.id, word);
      // Not before: what is void now may stand once these are in force.
      const baseless = late.length > 0 ? [] : this.#baselessOf(early);
      for (const { id, by, upon } of baseless) {
        inTurn.put(early.get(id)!, by);
        early.delete(id);
        for (const addition of upon) this.#inVain.add(addition);
      }
      for (const word of inTurn.takeRings()) early.set(word.node.delta.id, word);
      const isSound = late.length + baseless.length === 0;
      const inVain = isSound ? this.#additionsInVain().filter((id) => !this.#inVain.has(id)) : [];
      const needless = isSound ? this.#vouchedNeedlessly() : [];
      for (const addition of [...inVain, ...needless]) this.#inVain.add(addition);
      for (const admission of needless) this.#needless.add(admission);
      const groundless = isSound ? this.#groundlessOf(early) : [];
      for (const id of groundless) {
        inTurn.put(early.get(id)!, []);
        early.delete(id);
      }
      isSettled = isSound && inVain.length + needless.length + groundless.length === 0;
    }
    this.wordsOut.follow(this.#accepted);
  }

  /**
   * Of the words that are in force from the beginning those whose author turns out to be cut off by another of them, or, where there is none, to be let in by nothing that
   * stands, with that: they are judged in their turn. Not by words of which that is to be said themselves: what these have made void may stand, and of a ring of them
   * all do.
   */
  #baselessOf(early: ReadonlyMap<DeltaId, DeviceRestriction>): readonly Baseless[] {
    const isCut = ({ node }: DeviceRestriction) => this.#cutsOnDevice(node).length > 0;
    const doubtful = new Set([...early.values()].filter((word) => isCut(word) || !this.#isLetIn(word.node)));
    const isSure = (node: Node) => this.#cutsOnDevice(node).some((word) => !doubtful.has(word));
    const isVain = (id: DeltaId) => !this.#words.isCutOff(id) || isSure(this.#words.get(id)!.node);
    const cut = [...doubtful].filter(({ node }) => isSure(node));
    // What had let in the author of another may be void by one of these alone.
    if (cut.length > 0) {
      const cutsOn = ({ node }: DeviceRestriction) => this.#cutsOnDevice(node);
      const isLetIn = ({ node }: DeviceRestriction) => this.#isLetIn(node);
      const out = outByOneAnother({ early, doubtful, cut, all: this.#words.all(), cutsOn, isLetIn });
      const idsOf = (words: readonly DeviceRestriction[]) => words.map(({ node }) => node.delta.id);
      return Array.from(out, (word) => ({ id: word.node.delta.id, by: idsOf(cutsOn(word)), upon: [] }));
    }
    return [...doubtful].flatMap(({ node }) => {
      const upon = this.#devices.voidAdditionsOf(node);
      return !this.#isLetIn(node) && upon.every(isVain) ? { id: node.delta.id, by: [], upon } : [];
    });
  }

  /** A3: of the words that are in force from the beginning those that cite what turns out void, though their author is in by something else. */
  #groundlessOf(early: ReadonlyMap<DeltaId, DeviceRestriction>): readonly DeltaId[] {
    return [...early].flatMap(([id, { node }]) => (this.#credentials.has(node.delta.credential) ? [] : id));
  }

  #isLetIn(node: Node): boolean {
    const account = this.#words.namedAuthorOf(node);
    return account !== undefined && this.#devices.isIn(node, account);
  }

  #cutsOnDevice(node: Node): readonly DeviceRestriction[] {
    const account = this.#words.namedAuthorOf(node);
    const entry = this.#words.get(node.delta.id);
    return account !== undefined && entry ? this.#devices.cutsOf(node, account, this.#words.entryOf(entry)!.key) : [];
  }

  /**
   * What has let a device in may be judged after what that has written since: a leave, or the word of a senior. Where it turned out void, and
   * what was accepted rests on it, it counts for nothing from the beginning of another pass.
   */
  #additionsInVain(): readonly DeltaId[] {
    return this.#accepted.flatMap(({ node, control }) => {
      const additions = this.#devices.voidAdditionsOf(node);
      const account = additions.length > 0 ? this.#words.namedAuthorOf(node) : undefined;
      if (account === undefined) return [];
      const isCut = this.#devices.cutsOf(node, account, this.#words.entryOf({ node, control })!.key).length > 0;
      return this.#devices.isIn(node, account) && !isCut ? [] : additions;
    });
  }

  /** Void additions of devices on which something rested that was judged before them. */
  readonly #inVain = new Set<DeltaId>();

  /**
   * A10: void admissions of somebody who was in by another word, for whoever has given him a role: of a device that he has by the void one alone nobody has said
   * anything, and whoever holds the account's key may have made it.
   */
  #vouchedNeedlessly(): readonly DeltaId[] {
    return [...this.#vouched].flatMap(([id, { account, by }]) =>
      this.#words.isVoid(id) && by.every((word) => this.#credentials.bestIn(account, word)) ? id : [],
    );
  }

  /** Of these what counts for nothing from the beginning of another pass. */
  readonly #needless = new Set<DeltaId>();

  /** A7: until every leave that is accepted is in force from the beginning. */
  #passWithLeaves(early: ReadonlyMap<DeltaId, DeviceRestriction>): void {
    const leaves = new Map<DeltaId, Entry>();
    for (let known = -1; known < leaves.size;) {
      known = leaves.size;
      this.#pass(early, leaves);
      for (const leave of this.#left()) leaves.set(leave.node.delta.id, leave);
    }
  }

  /** `early`: words on devices that are in force, and accepted, from the beginning; so are `leaves`. */
  #pass(early: ReadonlyMap<DeltaId, DeviceRestriction>, leaves: ReadonlyMap<DeltaId, Entry>): void {
    this.#words.restart();
    this.#credentials.restart();
    this.#conditions.restart();
    this.#invites.restart();
    this.#vouched.clear();
    this.settings.clear();
    this.#devices.restart(early.values());
    for (const [id, leave] of leaves) {
      this.#words.judged(id, ACCEPTED);
      this.#takeEffect(leave);
    }
    const entries = [...this.#words.all()].map((c) => this.#entry(c)).filter((e) => e !== undefined);
    entries.sort(compareEntries);
    const accepted: Accepted[] = [];
    for (const entry of entries) {
      const isEarly = early.has(entry.node.delta.id) || leaves.has(entry.node.delta.id);
      const verdict = isEarly ? ACCEPTED : this.#judgeControl(entry);
      this.#words.judged(entry.node.delta.id, verdict);
      if (!verdict.accepted) continue;
      accepted.push(entry);
      if (!isEarly) this.#takeEffect(entry);
    }
    this.#accepted = accepted.sort((a, b) => compareNodes(a.node, b.node));
  }

  #left(): readonly Entry[] {
    return this.#accepted.flatMap((one) => (one.control.kind === 'leave' ? this.#words.entryOf(one)! : []));
  }

  /** Words on devices that cut what was accepted before they were judged. */
  #lateWords(): readonly DeviceRestriction[] {
    const late = new Set<DeviceRestriction>();
    for (const { node, control } of this.#accepted) {
      const account = this.#words.namedAuthorOf(node);
      const key = this.#words.entryOf({ node, control })!.key;
      for (const word of account === undefined ? [] : this.#devices.cutsOf(node, account, key)) late.add(word);
    }
    return [...late];
  }

  /** What cites no credential of its past, or stands on a branch that nobody has named (D8), has no place in the order: it is void whatever else is here. */
  #entry(one: Accepted): Entry | undefined {
    const entry = this.#words.entryOf(one);
    const reason = this.#graph.isUnnamed(one.node) ? 'forked' : entry ? undefined : 'noCredential';
    if (reason) this.#words.judged(one.node.delta.id, refused(reason));
    return reason ? undefined : entry;
  }

  #judgeControl(entry: Entry): Verdict {
    return this.#refusalOfAuthor(entry) ?? this.#conditions.judge(entry);
  }

  /** The genesis rests on nothing. */
  #refusalOfAuthor({ node, control }: Entry): Refusal | undefined {
    if (control.kind === 'genesis') return undefined;
    return this.#credentials.refusalUnder(this.#credentials.citedBy(node), node);
  }

  #takeEffect({ node, control, key }: Entry): void {
    switch (control.kind) {
      case 'genesis':
      case 'admit': {
        const account = control.certificates[0]!.account;
        for (const { device } of control.certificates) this.#devices.assign(device, account);
        if (control.kind === 'admit' && control.invite !== undefined)
          this.#invites.take(control.invite, { account, node });
        this.#credentials.grant(account, { node, control });
        return;
      }
      case 'setRole': {
        const spares = this.#credentials.sparedBy(node, control);
        if (spares !== undefined) this.#credentials.restrict(control.account, { node, key, spares });
        if (this.#credentials.bestIn(control.account, node) === undefined) this.#vouchFor(control.account, node);
        this.#credentials.grant(control.account, { node, control });
        return;
      }
      case 'remove':
        this.#credentials.restrict(control.account, { node, key, spares: NOBODY });
        return;
      case 'addDevice':
        for (const { device } of control.certificates) this.#devices.assign(device, control.account);
        return;
      case 'removeDevice':
      case 'drop':
      case 'freeze': {
        const by = this.#words.namedAuthorOf(node)!;
        const kept = control.kind === 'freeze' ? control.kept : undefined;
        this.#devices.restrict({ node, key, by, kind: control.kind, devices: takenOutBy(control), kept });
        return;
      }
      case 'leave':
        this.#credentials.leave(this.#words.namedAuthorOf(node)!, node, key);
        return;
      case 'setPerm':
        this.settings.take(node, control);
        return;
      default:
        return;
    }
  }

  /**
   * Who gives a role to somebody whose admission is judged later keeps him in by his own word: should the admission turn out void,
   * as its author was cut off, its devices are his still.
   */
  #vouchFor(account: AccountId, node: Node): void {
    for (const admission of this.#words.pendingAdmissions(account, node)) {
      const { id } = admission.node.delta;
      if (this.#needless.has(id)) continue;
      this.#vouched.set(id, { ...admission, account, by: [...(this.#vouched.get(id)?.by ?? []), node] });
      for (const device of letInBy(admission.control))
        if (this.#devices.accountOf(device) === undefined) this.#devices.assign(device, account);
    }
  }

  /** A4: what cuts off the author of a delta, who acts under a credential that stood. */
  cutsOf(node: Node): readonly Node[] {
    return this.#credentials.cutsOf(node);
  }

  /** key(cred) of whoever wrote an accepted control delta (A1). */
  keyOf(accepted: Accepted): Key {
    return this.#words.entryOf(accepted)!.key;
  }

  /** Words that are void, whatever they would have done. */
  refused(): Iterable<Accepted> {
    return this.#words.refused();
  }

  get graph(): Graph {
    return this.#graph;
  }
}

const RESTRICTING: ReadonlySet<Control['kind']> = new Set([
  ...(['remove', 'setRole', 'setPerm', 'leave', 'removeDevice', 'drop', 'freeze', 'addDevice'] as const),
]);

function restricts(control: Control): boolean {
  return RESTRICTING.has(control.kind);
}
