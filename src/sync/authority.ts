/**
 * Who may do what, on every replica alike (section 3). The verdict is a pure function of the set of deltas: the control
 * deltas are sorted by (key of the credential, leave first, height, id) and judged in one pass, each resting on earlier
 * entries only (A6). A content delta is judged by the same questions against the settled control deltas.
 */
import type { AccountId, DeltaId, DeviceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MAX_MEMBERS } from '../protocol/limits.ts';
import { Role, readControl, type Control } from './control.ts';
import { compareNodes, inPast, type Graph, type Node } from './graph.ts';
import { allowedByDefault, type Action, type Scope } from './permissions.ts';

export type VoidReason =
  | 'malformed'
  | 'noCredential' // cites none, or one that is not his, not accepted or not his best (A3)
  | 'cutOff' // of somebody removed or demoted, outside the cut (A4)
  | 'left' // after his own leave (A7)
  | 'notPermitted' // (A2, A5, A10)
  | 'noTarget' // somebody or something that is not there (A10)
  | 'invitation'; // used up or revoked (N3)

export type Verdict = { readonly accepted: true } | { readonly accepted: false; readonly reason: VoidReason };

const ACCEPTED: Verdict = { accepted: true };
const refused = (reason: VoidReason): Verdict => ({ accepted: false, reason });

/** key(cred) of A1: lower is senior. */
interface Key {
  readonly role: Role;
  readonly height: number;
  readonly id: DeltaId;
}

/** A delta that gave an account a role. */
interface Credential {
  readonly node: Node;
  readonly account: AccountId;
  readonly key: Key;
}

/** An accepted remove or demotion. */
interface Restriction {
  readonly node: Node;
  readonly key: Key;
}

interface Entry {
  readonly node: Node;
  readonly control: Control;
  readonly key: Key;
}

export interface PermSetting {
  readonly node: Node;
  readonly scope: Scope;
  readonly action: string;
  readonly role: Role;
  readonly allow: boolean;
}

export interface Accepted {
  readonly node: Node;
  readonly control: Control;
}

export class Authority {
  readonly #graph: Graph;
  readonly #crypto: Crypto;
  /** Every control delta with a readable body, whatever its verdict. */
  readonly #controls = new Map<DeltaId, Accepted>();
  readonly #verdicts = new Map<DeltaId, Verdict>();
  readonly #credentials = new Map<AccountId, Credential[]>();
  readonly #restrictions = new Map<AccountId, Restriction[]>();
  readonly #leaves = new Map<AccountId, Node[]>();
  readonly #settings: PermSetting[] = [];
  readonly #accounts = new Map<DeviceId, AccountId>();
  #accepted: readonly Accepted[] = [];

  constructor(crypto: Crypto, graph: Graph) {
    this.#crypto = crypto;
    this.#graph = graph;
  }

  /** Accepted control deltas in D6 order: what the roster is folded from. */
  get accepted(): readonly Accepted[] {
    return this.#accepted;
  }

  verdictOf(id: DeltaId): Verdict | undefined {
    return this.#verdicts.get(id);
  }

  accountOf(device: DeviceId): AccountId | undefined {
    return this.#accounts.get(device);
  }

  /** Takes a control delta in. Answers whether anything but its own verdict may have changed. */
  add(node: Node): boolean {
    const control = readControl(this.#crypto, node.delta);
    if (!control) {
      this.#verdicts.set(node.delta.id, refused('malformed'));
      return false;
    }
    this.#controls.set(node.delta.id, { node, control });
    const before = new Map(this.#verdicts);
    this.#evaluate();
    for (const [id, verdict] of before) if (this.#verdicts.get(id)?.accepted !== verdict.accepted) return true;
    return restricts(control);
  }

  /** The verdict on a content delta, but for what its tool asks (`can`). */
  judge(node: Node): Verdict {
    return this.#standing(node) ?? ACCEPTED;
  }

  /** Whether the author of an accepted delta may do this, as of its past (A5). */
  can(node: Node, scope: Scope, action: Action): boolean {
    const role = this.#credentialOf(node)?.key.role;
    if (role === undefined) return false;
    if (role === Role.manager) return true;
    const settings = this.#settings.filter((s) => s.scope === scope && s.action === action && s.role === role);
    if (settings.some((s) => !s.allow && !inPast(s.node, node) && !inPast(node, s.node))) return false;
    const past = settings.filter((s) => inPast(s.node, node));
    const maximal = past.filter((s) => !past.some((later) => inPast(s.node, later.node)));
    return maximal.length > 0 ? maximal.every((s) => s.allow) : allowedByDefault(scope, action, role);
  }

  /** The best credential an account could cite in a delta that has everything here in its past (A3). */
  bestCredential(account: AccountId): { readonly id: DeltaId; readonly role: Role } | undefined {
    const live = (this.#credentials.get(account) ?? []).filter((c) => this.#liveNow(c));
    live.sort((a, b) => compareKeys(a.key, b.key));
    return live[0] && { id: live[0].node.delta.id, role: live[0].key.role };
  }

  // ---- evaluation ---------------------------------------------------------------------------------------------------

  #evaluate(): void {
    for (const map of [this.#verdicts, this.#credentials, this.#restrictions, this.#leaves, this.#accounts])
      map.clear();
    this.#settings.length = 0;
    const entries = [...this.#controls.values()].map((c) => this.#entry(c)).filter((e) => e !== undefined);
    entries.sort(compareEntries);
    const accepted: Accepted[] = [];
    for (const entry of entries) {
      const verdict = this.#judgeControl(entry, accepted);
      this.#verdicts.set(entry.node.delta.id, verdict);
      if (!verdict.accepted) continue;
      accepted.push(entry);
      this.#takeEffect(entry);
    }
    this.#accepted = accepted.sort((a, b) => compareNodes(a.node, b.node));
  }

  /** An entry needs the key of what it cites, which is there whatever the cited one's verdict. */
  #entry({ node, control }: Accepted): Entry | undefined {
    const own = control.kind === 'genesis';
    const cited = own ? { node, control } : this.#controls.get(node.delta.credential ?? ('' as DeltaId));
    const key = cited && keyOf(cited);
    if (!key) {
      this.#verdicts.set(node.delta.id, refused('noCredential'));
      return undefined;
    }
    return { node, control, key };
  }

  #judgeControl(entry: Entry, accepted: readonly Accepted[]): Verdict {
    const { node, control } = entry;
    if (control.kind === 'genesis') return this.#judgeGenesis(node, control);
    const standing = this.#standing(node);
    if (standing) return standing;
    return this.#judgeConditions(entry, accepted);
  }

  #judgeGenesis(node: Node, control: Control & { kind: 'genesis' }): Verdict {
    const sound = node.height === 1 && node.delta.credential === undefined;
    return sound && control.certificates.some((c) => c.device === node.delta.device) ? ACCEPTED : refused('malformed');
  }

  /** A3, A4, A7: whether the author stands where he says he does. Undefined: he does. */
  #standing(node: Node): Verdict | undefined {
    const account = this.#accounts.get(node.delta.device);
    const credential = this.#credentialOf(node);
    if (account === undefined || !credential) return refused('noCredential');
    for (const r of this.#restrictions.get(account) ?? []) {
      if (compareKeys(r.key, credential.key) >= 0 || inPast(node, r.node)) continue;
      if (!inPast(r.node, credential.node) && r.node !== credential.node) return refused('cutOff');
    }
    for (const leave of this.#leaves.get(account) ?? []) {
      if (inPast(leave, node) && !inPast(leave, credential.node)) return refused('left');
    }
    return this.#isBest(node, credential, account) ? undefined : refused('noCredential');
  }

  #credentialOf(node: Node): Credential | undefined {
    const account = this.#accounts.get(node.delta.device);
    if (account === undefined) return undefined;
    const credential = (this.#credentials.get(account) ?? []).find((c) => c.node.delta.id === node.delta.credential);
    return credential && inPast(credential.node, node) ? credential : undefined;
  }

  /** A3: no senior credential of the account is live in the delta's past. */
  #isBest(node: Node, credential: Credential, account: AccountId): boolean {
    return !(this.#credentials.get(account) ?? []).some(
      (other) => compareKeys(other.key, credential.key) < 0 && inPast(other.node, node) && this.#liveIn(other, node),
    );
  }

  #liveIn(credential: Credential, view: Node): boolean {
    const binds = (r: Node) => inPast(r, view) && !inPast(r, credential.node) && r !== credential.node;
    const cut = (this.#restrictions.get(credential.account) ?? []).some(
      (r) => compareKeys(r.key, credential.key) < 0 && binds(r.node),
    );
    return !cut && !(this.#leaves.get(credential.account) ?? []).some(binds);
  }

  #liveNow(credential: Credential): boolean {
    const binds = (r: Node) => !inPast(r, credential.node) && r !== credential.node;
    const cut = (this.#restrictions.get(credential.account) ?? []).some(
      (r) => compareKeys(r.key, credential.key) < 0 && binds(r.node),
    );
    return !cut && !(this.#leaves.get(credential.account) ?? []).some(binds);
  }

  #bestIn(account: AccountId, view: Node): Credential | undefined {
    return (this.#credentials.get(account) ?? [])
      .filter((c) => inPast(c.node, view) && this.#liveIn(c, view))
      .sort((a, b) => compareKeys(a.key, b.key))[0];
  }

  /** A2, A10 and N3. */
  #judgeConditions({ node, control, key }: Entry, accepted: readonly Accepted[]): Verdict {
    const allowed = (yes: boolean) => (yes ? ACCEPTED : refused('notPermitted'));
    switch (control.kind) {
      case 'admit': {
        if (!this.can(node, 'workspace', 'invite') || control.role < key.role) return refused('notPermitted');
        if (this.#bestIn(control.account, node)) return refused('noTarget');
        if (control.certificates.some((c) => (this.#accounts.get(c.device) ?? c.account) !== c.account))
          return refused('noTarget');
        if (this.#membersIn(node) >= MAX_MEMBERS) return refused('notPermitted');
        return control.invite === undefined ? ACCEPTED : this.#judgeInvitation(node, control, control.invite, accepted);
      }
      case 'remove': {
        const target = this.#bestIn(control.account, node);
        if (!target || control.account === this.#accounts.get(node.delta.device)) return refused('noTarget');
        return allowed(this.can(node, 'workspace', 'uninvite') && compareKeys(key, target.key) < 0);
      }
      case 'setRole': {
        const target = this.#bestIn(control.account, node);
        if (!target || control.account === this.#accounts.get(node.delta.device)) return refused('noTarget');
        return allowed(key.role === Role.manager && control.role >= key.role && compareKeys(key, target.key) < 0);
      }
      case 'setPerm':
        return allowed(key.role === Role.manager && control.role !== Role.manager);
      case 'invite':
        return allowed(this.can(node, 'workspace', 'invite') && control.role >= key.role);
      case 'revoke': {
        const invite = accepted.find((a) => a.node.delta.id === control.invite);
        if (invite?.control.kind !== 'invite' || !inPast(invite.node, node)) return refused('noTarget');
        const own = this.#accounts.get(invite.node.delta.device) === this.#accounts.get(node.delta.device);
        return allowed(own || key.role === Role.manager);
      }
      case 'addTool':
        return allowed(this.can(node, 'workspace', 'addTools'));
      case 'renameTool':
      case 'deleteTool':
        return allowed(this.can(node, 'workspace', 'deleteTools'));
      case 'rename':
        return allowed(key.role === Role.manager);
      case 'leave':
      case 'profile':
      case 'ack':
        return ACCEPTED;
      case 'genesis':
        return refused('malformed');
    }
  }

  /** N3: of concurrent admits on one use the first in A6 order stands; a revocation in its past voids it. */
  #judgeInvitation(
    node: Node,
    admit: Control & { kind: 'admit' },
    id: DeltaId,
    accepted: readonly Accepted[],
  ): Verdict {
    const invite = accepted.find((a) => a.node.delta.id === id);
    if (invite?.control.kind !== 'invite' || !inPast(invite.node, node) || admit.role !== invite.control.role) {
      return refused('invitation');
    }
    const revoked = accepted.some(
      (a) => a.control.kind === 'revoke' && a.control.invite === id && inPast(a.node, node),
    );
    const used = accepted.filter((a) => a.control.kind === 'admit' && a.control.invite === id).length;
    return revoked || used >= invite.control.uses ? refused('invitation') : ACCEPTED;
  }

  #membersIn(view: Node): number {
    let members = 0;
    for (const account of this.#credentials.keys()) if (this.#bestIn(account, view)) members++;
    return members;
  }

  #takeEffect({ node, control, key }: Entry): void {
    switch (control.kind) {
      case 'genesis':
      case 'admit': {
        const account = control.certificates[0]!.account;
        for (const certificate of control.certificates) this.#accounts.set(certificate.device, account);
        this.#grant(account, { node, control });
        return;
      }
      case 'setRole': {
        const target = this.#bestIn(control.account, node);
        if (target && control.role > target.key.role) push(this.#restrictions, control.account, { node, key });
        this.#grant(control.account, { node, control });
        return;
      }
      case 'remove':
        push(this.#restrictions, control.account, { node, key });
        return;
      case 'leave':
        push(this.#leaves, this.#accounts.get(node.delta.device)!, node);
        return;
      case 'setPerm':
        this.#settings.push({
          node,
          scope: control.scope,
          action: control.action,
          role: control.role,
          allow: control.allow,
        });
        return;
      default:
        return;
    }
  }

  #grant(account: AccountId, granting: Accepted): void {
    const key = keyOf(granting);
    if (key) push(this.#credentials, account, { node: granting.node, account, key });
  }

  get graph(): Graph {
    return this.#graph;
  }
}

function restricts(control: Control): boolean {
  return (
    control.kind === 'remove' || control.kind === 'setRole' || control.kind === 'setPerm' || control.kind === 'leave'
  );
}

function keyOf({ node, control }: Accepted): Key | undefined {
  const role =
    control.kind === 'genesis'
      ? Role.manager
      : control.kind === 'admit' || control.kind === 'setRole'
        ? control.role
        : undefined;
  return role === undefined ? undefined : { role, height: node.height, id: node.delta.id };
}

function compareKeys(a: Key, b: Key): number {
  return a.role - b.role || a.height - b.height || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** A6. */
function compareEntries(a: Entry, b: Entry): number {
  const leaveFirst = Number(b.control.kind === 'leave') - Number(a.control.kind === 'leave');
  return compareKeys(a.key, b.key) || leaveFirst || compareNodes(a.node, b.node);
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
