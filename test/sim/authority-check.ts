/**
 * What must hold of any set of accepted deltas, whatever algorithm chose them (section 3): each rule asked of the result, with a
 * notion of the past of our own (`past.ts`). It does not say which deltas are accepted, but for a founder's, who is senior to all.
 */
import type { AccountId, DeltaId, DeviceId, ToolId } from '../../src/base/ids.ts';
import { Role, readControl, type Control } from '../../src/sync/control.ts';
import type { Replica } from '../../src/sync/replica.ts';
import { allowedByDefault, type Action } from '../../src/sync/permissions.ts';
import { compare, isPast, type Past, type Placed } from './past.ts';
import { CHAT, FILES, type World } from './world.ts';

interface Accepted {
  readonly placed: Placed;
  readonly control: Control | undefined;
  readonly author: AccountId | undefined;
}

interface Setting extends Accepted {
  readonly control: Control & { kind: 'setPerm' };
}

interface Grant extends Accepted {
  readonly account: AccountId;
  readonly role: Role;
}

export function checkAuthority(world: World, union: Replica, past: Past): void {
  for (const fault of past.faults) world.violate('D5', fault);
  new Checker(world, union, past).check();
}

class Checker {
  readonly #world: World;
  readonly #union: Replica;
  readonly #past: Past;
  readonly #accepted: Accepted[] = [];
  readonly #grants = new Map<DeltaId, Grant>();
  /** Whatever their verdict: a senior's setRole keeps in whom a void one named (A10). */
  readonly #admissions: (Pick<Accepted, 'placed'> & { readonly control: Control & { kind: 'admit' } })[] = [];
  readonly #restrictions: (Accepted & { readonly target: AccountId })[] = [];
  readonly #settings: Setting[] = [];
  /** Few of all that is accepted: what brings certificates, and what takes devices out. */
  readonly #entrances: Accepted[] = [];
  readonly #exits: Accepted[] = [];

  constructor(world: World, union: Replica, past: Past) {
    this.#world = world;
    this.#union = union;
    this.#past = past;
    for (const placed of past.all()) {
      const control = placed.delta.tool === undefined ? readControl(world.crypto, placed.delta) : undefined;
      if (control?.kind === 'admit') this.#admissions.push({ placed, control });
    }
    for (const placed of past.all()) if (union.verdictOf(placed.delta.id) === 'accepted') this.#take(placed);
  }

  #take(placed: Placed): void {
    const { delta } = placed;
    const control = delta.tool === undefined ? readControl(this.#world.crypto, delta) : undefined;
    const accepted = { placed, control, author: this.#world.personOf.get(delta.device)?.account };
    this.#accepted.push(accepted);
    if (control?.kind === 'genesis')
      this.#grants.set(delta.id, { ...accepted, account: control.certificates[0]!.account, role: Role.manager });
    if (control?.kind === 'admit' || control?.kind === 'setRole')
      this.#grants.set(delta.id, { ...accepted, account: control.account, role: control.role });
    if (control?.kind === 'remove' || control?.kind === 'setRole')
      this.#restrictions.push({ ...accepted, target: control.account });
    if (control?.kind === 'leave' && accepted.author) this.#restrictions.push({ ...accepted, target: accepted.author });
    if (control?.kind === 'setPerm') this.#settings.push({ ...accepted, control });
    if (control && 'certificates' in control) this.#entrances.push(accepted);
    if (takesOut(control)) this.#exits.push(accepted);
  }

  check(): void {
    for (const one of this.#accepted) if (one.control?.kind !== 'genesis') this.#checkOne(one);
    this.#checkInvitations();
    this.#checkFounder();
    this.#world.counts.add(
      'removals in force',
      this.#restrictions.filter(({ control }) => control?.kind === 'remove').length,
    );
    if (this.#world.hostile.size > 0) this.#world.counts.add('void deltas', this.#union.size - this.#accepted.length);
  }

  #violate(rule: string, { placed: { delta } }: Accepted, what: string): void {
    this.#world.violate(rule, `${delta.kind} ${delta.seq} of ${this.#world.nameOf(delta.device)} is accepted, ${what}`);
  }

  #checkOne(one: Accepted): void {
    const { placed, control, author } = one;
    const cited = this.#grants.get(placed.delta.credential ?? ('' as DeltaId));
    if (!cited) return this.#violate('A3', one, 'upon nothing');
    if (cited.account !== author) return this.#violate('A1', one, 'upon another’s credential');
    if (!isPast(cited.placed, placed)) return this.#violate('A1', one, 'upon a credential that it had not seen');
    this.#checkCut(one, cited);
    this.#checkDeviceCut(one, cited);
    const better = [...this.#grants.values()].find(
      (grant) => grant.account === author && this.#isLive(grant, placed) && isSenior(grant, cited),
    );
    if (better) this.#violate('A3', one, 'not upon the best credential of its author');
    if (control && MANAGERS_ONLY.has(control.kind) && cited.role !== Role.manager)
      this.#violate('A2', one, 'of no manager');
    if (
      (control?.kind === 'admit' || control?.kind === 'setRole' || control?.kind === 'invite') &&
      control.role < cited.role
    )
      this.#violate('A2', one, 'and grants a role above its author’s');
    if (control?.kind === 'remove' || control?.kind === 'setRole') this.#checkTarget(one, cited, control.account);
    const right = this.#rightFor(one);
    if (right && !this.#may(placed, cited.role, ...right))
      this.#violate('A5', one, `without the right to ${right.slice(0, 2).join(' ')}`);
  }

  /** A4, A7. */
  #checkCut(one: Accepted, cited: Grant): void {
    const { placed, control } = one;
    for (const r of this.#restrictions) {
      if (r.target !== cited.account || r.control?.kind === 'setRole') continue;
      if (r.placed === cited.placed || isPast(r.placed, cited.placed)) continue;
      if (r.control?.kind === 'leave') {
        const upon = this.#grants.get(r.placed.delta.credential!);
        // A6: what he does under a role that he was given at the time he left is judged before his leave.
        const isBefore = upon !== undefined && isSenior(cited, upon);
        if (isPast(r.placed, placed) && !isBefore) this.#violate('A7', one, 'after its author had left');
        continue;
      }
      const by = this.#grants.get(r.placed.delta.credential!);
      if (control?.kind === 'leave' || r.placed === placed || isPast(placed, r.placed)) continue;
      if (by && isSenior(by, cited)) this.#violate('A4', one, 'beyond the cut of its author’s removal');
    }
  }

  /** A4 of devices, and I4: let in in its past, and not beyond the cut of what took it out, unless let in again since. */
  #checkDeviceCut(one: Accepted, cited: Grant): void {
    const { device, feed, seq } = one.placed.delta;
    const lets = this.#entrances.filter((other) => letsIn(other.control, device));
    if (
      !lets.some(({ placed }) => isPast(placed, one.placed)) &&
      !this.#isVouchedFor(device, cited.account, one.placed)
    )
      this.#violate('I4', one, 'of a device that was not let in');
    for (const { placed, control, author } of this.#exits) {
      if (!takesOut(control, device)) continue;
      const isBefore = isPast(one.placed, placed) || one.placed === placed;
      if (control?.kind === 'freeze' ? (control.kept.get(feed) ?? 0) >= seq : isBefore) continue;
      const by = this.#grants.get(placed.delta.credential!);
      if (author !== cited.account && !(by && isSenior(by, cited))) continue;
      // Two of one account that do not know of each other's word are both out.
      if (author === cited.account && takesOut(one.control) && !isPast(placed, one.placed)) continue;
      if (lets.some((again) => isPast(placed, again.placed) && again.placed.delta.device !== device)) continue;
      this.#violate('A4', one, `beyond the cut of the ${control?.kind} of its device`);
    }
  }

  /** Given a role by somebody who had seen an admission that turned out void, and no other word by which he was in. */
  #isVouchedFor(device: DeviceId, account: AccountId, at: Placed): boolean {
    const seen = this.#admissions.filter(({ control }) => letsIn(control, device) && control.account === account);
    return [...this.#grants.values()].some(
      (grant) =>
        grant.control?.kind === 'setRole' &&
        grant.account === account &&
        isPast(grant.placed, at) &&
        seen.some(({ placed }) => isPast(placed, grant.placed)) &&
        ![...this.#grants.values()].some((one) => one.account === account && this.#isLive(one, grant.placed)),
    );
  }

  /** Surely live there: in its past, and nothing that restricts its account since. */
  #isLive(grant: Grant, at: Placed): boolean {
    if (!isPast(grant.placed, at)) return false;
    return !this.#restrictions.some(
      (r) =>
        r.target === grant.account &&
        r.placed !== grant.placed &&
        isPast(r.placed, at) &&
        !isPast(r.placed, grant.placed),
    );
  }

  #checkTarget(one: Accepted, cited: Grant, target: AccountId): void {
    if (target === one.author) return this.#violate('A10', one, 'upon its author');
    for (const grant of this.#grants.values()) {
      if (grant.account !== target || grant.placed === one.placed || !this.#isLive(grant, one.placed)) continue;
      if (!isSenior(cited, grant)) return this.#violate('A2', one, 'upon somebody senior');
    }
  }

  #rightFor({ placed: { delta }, control }: Accepted): readonly [string, Action, ToolId?] | undefined {
    switch (control?.kind) {
      case 'admit':
      case 'invite':
        return ['workspace', 'invite'];
      case 'remove':
        return ['workspace', 'uninvite'];
      case 'addTool':
        return ['workspace', 'addTools'];
      case 'renameTool':
      case 'deleteTool':
        return ['workspace', 'deleteTools'];
      default:
    }
    if (this.#toolsChanged) return undefined;
    if (delta.tool === CHAT && delta.kind === 'post') return ['chat', 'add', CHAT];
    if (delta.tool === FILES && (delta.kind === 'file' || delta.kind === 'folder')) return ['files', 'add', FILES];
    return undefined;
  }

  /** A tool that was deleted and added anew may be of another kind. */
  get #toolsChanged(): boolean {
    return this.#accepted.some(({ control }) => control?.kind === 'deleteTool');
  }

  /** A5. */
  #may(at: Placed, role: Role, scope: string, action: Action, tool?: ToolId): boolean {
    if (role === Role.manager) return true;
    const own = this.#settings.filter(({ control: c }) => c.action === action && c.role === role);
    const widely = isAllowedBy(
      own.filter(({ control: c }) => c.scope === scope),
      at,
      allowedByDefault(scope, action, role),
    );
    const ofTool = own.filter(({ control: c }) => typeof c.scope !== 'string' && c.scope.tool === tool);
    return isAllowedBy(ofTool, at, widely);
  }

  /** N3. */
  #checkInvitations(): void {
    const admits = new Map<DeltaId, Accepted[]>();
    for (const one of this.#accepted) {
      if (one.control?.kind !== 'admit' || one.control.invite === undefined) continue;
      admits.set(one.control.invite, [...(admits.get(one.control.invite) ?? []), one]);
    }
    for (const [id, uses] of admits) {
      const invite = this.#accepted.find(({ placed }) => placed.delta.id === id)?.control;
      if (invite?.kind !== 'invite') continue;
      const people = new Set(uses.map(({ control }) => (control as Control & { kind: 'admit' }).account));
      if (people.size > invite.uses)
        this.#violate('N3', uses.at(-1)!, `the ${people.size}th upon a link for ${invite.uses}`);
      for (const use of uses) {
        const revoked = this.#accepted.some(
          ({ control, placed }) => control?.kind === 'revoke' && control.invite === id && isPast(placed, use.placed),
        );
        if (revoked) this.#violate('N3', use, 'upon a link that was known to be revoked');
        if ((use.control as Control & { kind: 'admit' }).role !== invite.role)
          this.#violate('N3', use, 'in a role that its link does not give');
      }
    }
  }

  /** Who began the workspace is senior to all: until he leaves, what he may do counts. */
  #checkFounder(): void {
    const { account } = this.#world.people[0]!;
    if (this.#restrictions.some(({ target, control }) => target === account && control?.kind === 'leave')) return;
    if (this.#restrictions.some(({ target }) => target === account))
      this.#world.violate('A2', 'the founder is restricted');
    for (const at of this.#past.all()) {
      const { delta } = at;
      if (this.#world.personOf.get(delta.device)?.account !== account || delta.tool !== undefined) continue;
      // While his leave counted he could go on only by what let him in again: with the leave that is void, too (world “jade.1728”).
      if (delta.credential !== undefined && !this.#grants.has(delta.credential)) continue;
      if (!ALWAYS_HIS.has(delta.kind) || this.#exits.some(({ control }) => takesOut(control, delta.device))) continue;
      // What let it in may lie beyond the cut of another device of his.
      const isIn = this.#entrances.some((one) => letsIn(one.control, delta.device) && isUpTo(one.placed, at));
      if (!isIn) continue;
      const verdict = this.#union.verdictOf(delta.id);
      if (verdict !== 'accepted') this.#world.violate('A6', `the founder’s ${delta.kind} is void: ${verdict}`);
    }
  }
}

function isUpTo(one: Placed, at: Placed): boolean {
  return one === at || isPast(one, at);
}

/** A5, of the settings of one scope: the last that are known, and what takes the right away meanwhile; undefined is as `otherwise`. */
function isAllowedBy(settings: readonly Setting[], at: Placed, otherwise: boolean): boolean {
  const before = settings.filter(({ placed }) => isPast(placed, at));
  const last = before.filter(({ placed }) => !before.some((other) => isPast(placed, other.placed)));
  const meanwhile = settings.filter(({ placed }) => !isPast(placed, at) && !isPast(at, placed));
  const taken = meanwhile.some(({ control }) => control.allow === false || (control.allow === undefined && !otherwise));
  if (taken) return false;
  return last.length > 0 ? last.every(({ control }) => control.allow ?? otherwise) : otherwise;
}

function letsIn(control: Control | undefined, device: DeviceId): boolean {
  return (
    (control?.kind === 'genesis' || control?.kind === 'admit' || control?.kind === 'addDevice') &&
    control.certificates.some((certificate) => certificate.device === device)
  );
}

/** One device, or any. */
function takesOut(control: Control | undefined, device?: DeviceId): boolean {
  if (control?.kind === 'freeze') return device === undefined || control.device === device;
  if (control?.kind !== 'removeDevice' && control?.kind !== 'drop') return false;
  return device === undefined || control.devices.includes(device);
}

const MANAGERS_ONLY: ReadonlySet<string> = new Set(['setRole', 'setPerm', 'rename']);
const ALWAYS_HIS: ReadonlySet<string> = new Set(['genesis', 'rename', 'addTool', 'profile', 'ack', 'invite']);

/** A1. */
function isSenior(a: Grant, b: Grant): boolean {
  return (a.role - b.role || compare(a.placed, b.placed)) < 0;
}
