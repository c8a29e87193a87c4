/**
 * A1 to A7 and A10 as PROTOCOL.md says them, word for word and as slowly as can be: sets of names, no index, one pass. It shares
 * no line with the engine, which must come to the same (authority-worlds.test.ts).
 *
 * Where the rules alone leave something open, it says so with "judged later": a verdict rests on earlier entries only (A6), so
 * what lies in a delta's past and is judged after it is taken as its author saw it.
 */
import { ROLES, type Op } from '../../scripts/authority/world.ts';

export interface Modelled {
  readonly accepted: readonly string[];
  readonly members: Readonly<Record<string, string>>;
}

const MANAGER = 0;
const PARTICIPANT = 1;

/** `place` is that of an operation's delta id among all of the world. */
export function modelVerdicts(ops: readonly Op[], place: ReadonlyMap<string, number>): Modelled {
  const model = new Model(ops, place);
  const accepted = new Set(model.evaluate().map(({ id }) => id));
  return { accepted: ops.filter(({ id }) => accepted.has(id)).map(({ id }) => id), members: model.members() };
}

class Model {
  readonly #ops: readonly Op[];
  readonly #byId: ReadonlyMap<string, Op>;
  readonly #place: ReadonlyMap<string, number>;
  /** The order in which operations are written: each after its past. */
  readonly #turns: ReadonlyMap<string, number>;
  readonly #heights = new Map<string, number>();
  /** Judged, in the order of A6. */
  readonly #judged = new Map<Op, boolean>();
  /** Accepted changes of role that restrict: of those whose target was still to be judged, only what is above the new role (A10). */
  readonly #demotions = new Map<Op, 'all' | 'above'>();

  constructor(ops: readonly Op[], place: ReadonlyMap<string, number>) {
    this.#ops = ops;
    this.#byId = new Map(ops.map((op) => [op.id, op]));
    this.#turns = new Map(ops.map(({ id }, turn) => [id, turn]));
    this.#place = place;
    for (const op of ops.toSorted((a, b) => a.past.size - b.past.size))
      this.#heights.set(op.id, 1 + Math.max(0, ...[...op.past].map((id) => this.#heights.get(id)!)));
  }

  /** A7: a leave that stands binds what has it in its past, wherever that sorts: it is known in another pass. */
  evaluate(): readonly Op[] {
    const leaves = new Set<Op>();
    for (;;) {
      this.#pass(leaves);
      const found = this.#accepted(({ type }) => type === 'leave');
      if (found.every((leave) => leaves.has(leave))) return this.#accepted(() => true);
      for (const leave of found) leaves.add(leave);
    }
  }

  /** A6. What cites no credential has no place in the order, and is void (A1). */
  #pass(leaves: ReadonlySet<Op>): void {
    this.#judged.clear();
    this.#demotions.clear();
    for (const leave of leaves) this.#judged.set(leave, true);
    const entries = this.#ops.filter((op) => this.#credentialOf(op) !== undefined);
    const rank = ({ type }: Op): number => (type === 'genesis' ? 0 : type === 'leave' ? 1 : 2);
    entries.sort(
      (a, b) =>
        this.#compareKeys(this.#credentialOf(a)!, this.#credentialOf(b)!) ||
        rank(a) - rank(b) ||
        this.#heights.get(a.id)! - this.#heights.get(b.id)! ||
        this.#place.get(a.id)! - this.#place.get(b.id)!,
    );
    for (const op of entries) {
      if (leaves.has(op)) continue;
      const credential = this.#credentialOf(op)!;
      const stands = op.type === 'genesis' || (this.#stands(op, credential) && this.#meetsConditions(op, credential));
      if (stands && op.type === 'setRole') this.#noteDemotion(op);
      this.#judged.set(op, stands);
    }
  }

  members(): Readonly<Record<string, string>> {
    const everything = new Set(this.#byId.keys());
    const roles = [...new Set(this.#ops.flatMap(({ author, target }) => [author, target]))]
      .sort()
      .flatMap((account) => {
        const best = this.#best(account, everything);
        return best ? [[account, ROLES[roleGiven(best)]!] as const] : [];
      });
    return Object.fromEntries(roles);
  }

  /** A1. */
  #compareKeys(a: Op, b: Op): number {
    return (
      roleGiven(a) - roleGiven(b) ||
      this.#heights.get(a.id)! - this.#heights.get(b.id)! ||
      this.#place.get(a.id)! - this.#place.get(b.id)!
    );
  }

  #credentialOf(op: Op): Op | undefined {
    if (op.type === 'genesis') return op;
    const cited = op.cred === undefined ? undefined : this.#byId.get(op.cred);
    // Nobody can cite what is written after what he writes: its hash is not there yet. Such a citation is none.
    return cited && isGrant(cited) && this.#turns.get(cited.id)! < this.#turns.get(op.id)! ? cited : undefined;
  }

  #accepted(which: (op: Op) => boolean): readonly Op[] {
    return this.#ops.filter((op) => this.#judged.get(op) === true && which(op));
  }

  /** And may come to stand: it cites a credential of its author's that does or may, and an admission that has a place in the order names his device (I4), both in its past. */
  #isJudgedLater(op: Op): boolean {
    const credential = this.#credentialOf(op);
    if (!credential || this.#judged.has(op)) return false;
    if (accountGiven(credential) !== op.author || !op.past.has(credential.id)) return false;
    if (
      !this.#ops.some(
        (other) =>
          other.type !== 'setRole' &&
          isGrant(other) &&
          accountGiven(other) === op.author &&
          op.past.has(other.id) &&
          this.#credentialOf(other) !== undefined,
      )
    )
      return false;
    return this.#judged.get(credential) ?? this.#isJudgedLater(credential);
  }

  /** A3, A4, A7. */
  #stands(op: Op, credential: Op): boolean {
    if (this.#judged.get(credential) !== true || accountGiven(credential) !== op.author) return false;
    if (!op.past.has(credential.id)) return false;
    const cut = this.#restrictionsOn(credential).some(
      (r) => !r.past.has(op.id) && !credential.past.has(r.id) && r !== credential,
    );
    const left = this.#leavesOf(op.author).some((leave) => op.past.has(leave.id) && !credential.past.has(leave.id));
    const best = this.#best(op.author, op.past);
    return !cut && !left && best === credential;
  }

  /** Accepted restrictions that reach a credential (A4). */
  #restrictionsOn(credential: Op): readonly Op[] {
    return this.#accepted((r) => {
      if (r.target !== accountGiven(credential)) return false;
      if (this.#compareKeys(this.#credentialOf(r)!, credential) >= 0) return false;
      if (r.type === 'remove') return true;
      const demotion = this.#demotions.get(r);
      return demotion === 'all' || (demotion === 'above' && roleGiven(credential) < r.role);
    });
  }

  #leavesOf(account: string): readonly Op[] {
    return this.#accepted(({ type, author }) => type === 'leave' && author === account);
  }

  #live(account: string, past: ReadonlySet<string>): readonly Op[] {
    const grants = this.#accepted((op) => isGrant(op) && accountGiven(op) === account && past.has(op.id));
    return grants.filter((grant) => this.#isLive(grant, past));
  }

  /** Also of a grant that is judged later, by what is judged so far. */
  #isLive(grant: Op, past: ReadonlySet<string>): boolean {
    return [...this.#restrictionsOn(grant), ...this.#leavesOf(accountGiven(grant))].every(
      (end) => !past.has(end.id) || grant.past.has(end.id) || end === grant,
    );
  }

  /** The lowest key of those that are live. */
  #best(account: string, past: ReadonlySet<string>): Op | undefined {
    return this.#live(account, past).toSorted((a, b) => this.#compareKeys(a, b))[0];
  }

  /** A5. */
  #isAllowed(op: Op, credential: Op, perm: Op['perm']): boolean {
    const role = roleGiven(credential);
    if (role === MANAGER) return true;
    const settings = this.#accepted((s) => s.type === 'setPerm' && s.perm === perm && s.role === role);
    const byDefault = role === PARTICIPANT && perm !== 'uninvite';
    const ofAll = this.#isAllowedBy(
      settings.filter(({ tool }) => tool === undefined),
      op,
      byDefault,
    );
    if (op.type !== 'data') return ofAll;
    return this.#isAllowedBy(
      settings.filter(({ tool }) => tool === op.tool),
      op,
      ofAll,
    );
  }

  /** Of one scope: what counts are the last settings that are known, and whatever takes a right away at the same time. */
  #isAllowedBy(settings: readonly Op[], op: Op, otherwise: boolean): boolean {
    const before = settings.filter((s) => op.past.has(s.id));
    const last = before.filter((s) => !before.some((later) => later.past.has(s.id)));
    const meanwhile = settings.filter((s) => s.allow !== true && !s.past.has(op.id) && !op.past.has(s.id));
    const said = [...last, ...meanwhile].map(({ allow }) => (allow === null ? otherwise : allow));
    return !said.includes(false) && (last.length > 0 || otherwise);
  }

  /** A2, A10. */
  #meetsConditions(op: Op, credential: Op): boolean {
    switch (op.type) {
      case 'admit':
        return (
          this.#isAllowed(op, credential, 'invite') &&
          op.role >= roleGiven(credential) &&
          op.target !== op.author &&
          !this.#live(op.target, op.past).some((grant) => this.#outlives(grant, op))
        );
      case 'remove':
        return this.#isAllowed(op, credential, 'uninvite') && this.#isBelow(op, credential);
      case 'setRole':
        return roleGiven(credential) === MANAGER && this.#isBelow(op, credential);
      case 'setPerm':
        return roleGiven(credential) === MANAGER && op.role !== MANAGER;
      case 'data':
        return this.#isAllowed(op, credential, 'edit');
      case 'leave':
        return true;
      case 'genesis':
        return false;
    }
  }

  /** A live target with a strictly greater key; one whose admission is judged later rests on a greater key anyhow. */
  #isBelow(op: Op, credential: Op): boolean {
    if (op.target === op.author) return false;
    const best = this.#best(op.target, op.past);
    return best ? this.#compareKeys(credential, best) < 0 : this.#isAdmittedLater(op.target, op.past);
  }

  #isAdmittedLater(account: string, past: ReadonlySet<string>): boolean {
    return this.#ops.some(
      (op) => op.type === 'admit' && op.target === account && past.has(op.id) && this.#isJudgedLater(op),
    );
  }

  /**
   * Whether whoever admits has seen nothing that is judged later and takes out, with this grant, its target: a leave or a junior's removal that
   * the grant has not seen; or, of roles that reach it, one that would itself be dead, or does not know of such, nor such of it.
   */
  #outlives(grant: Op, admit: Op): boolean {
    const later = this.#ops.filter((op) => admit.past.has(op.id) && this.#isJudgedLater(op));
    const departures = later.filter(
      (op) => (op.type === 'leave' ? op.author : op.type === 'remove' ? op.target : undefined) === admit.target,
    );
    const lower = later.filter(
      (op) => op.type === 'setRole' && op.target === admit.target && this.#wouldReach(op, grant),
    );
    const words = [...departures, ...lower];
    return (
      departures.every((word) => grant.past.has(word.id)) &&
      lower.every((a) => words.every((b) => a === b || a.past.has(b.id) || b.past.has(a.id))) &&
      lower.every((role) => this.#isLive(role, admit.past))
    );
  }

  /** A4, of a role that is judged later. */
  #wouldReach(role: Op, grant: Op): boolean {
    const demotion = this.#demotionBy(role);
    const isReached = demotion === 'all' || (demotion === 'above' && roleGiven(grant) < role.role);
    return (
      isReached && this.#compareKeys(this.#credentialOf(role)!, grant) < 0 && role !== grant && !grant.past.has(role.id)
    );
  }

  #noteDemotion(op: Op): void {
    const demotion = this.#demotionBy(op);
    if (demotion) this.#demotions.set(op, demotion);
  }

  #demotionBy(op: Op): 'all' | 'above' | undefined {
    const best = this.#best(op.target, op.past);
    if (!best) return 'above';
    return op.role > roleGiven(best) ? 'all' : undefined;
  }
}

function isGrant({ type }: Op): boolean {
  return type === 'genesis' || type === 'admit' || type === 'setRole';
}

function accountGiven(grant: Op): string {
  return grant.type === 'genesis' ? grant.author : grant.target;
}

function roleGiven(grant: Op): number {
  return grant.type === 'genesis' ? MANAGER : grant.role;
}
