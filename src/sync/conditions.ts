/**
 * What each kind of control delta asks of an author who stands, and of whom or what it is about (A2, A5, A10, N3): as far as the pass has come, and
 * of what is judged later by what it may come to be.
 */
import type { AccountId, DeviceId } from '../base/ids.ts';
import { MAX_DEVICES, MAX_MEMBERS } from '../protocol/limits.ts';
import type { ControlWords } from './control-words.ts';
import { Role, type Control } from './control.ts';
import { ends, isLiveIn, type Credential, type Credentials } from './credentials.ts';
import { Crowd } from './crowd.ts';
import type { DeviceStanding } from './device-standing.ts';
import { inPast, type Node } from './graph.ts';
import type { InviteUses } from './invite-uses.ts';
import type { Action } from './permissions.ts';
import { compareKeys, type Accepted, type Entry, type Key } from './seniority.ts';
import type { Settings } from './settings.ts';
import { ACCEPTED, refused, type Verdict } from './verdict.ts';

/** What is said so far: of which nothing changes here. */
export interface ConditionsOptions {
  readonly words: ControlWords;
  readonly settings: Settings;
  readonly credentials: Credentials;
  readonly devices: DeviceStanding;
  readonly invites: InviteUses;
}

export class Conditions {
  readonly #words: ControlWords;
  readonly #settings: Settings;
  readonly #credentials: Credentials;
  readonly #devices: DeviceStanding;
  readonly #invites: InviteUses;
  readonly #crowd: Crowd;

  constructor({ words, settings, credentials, devices, invites }: ConditionsOptions) {
    this.#words = words;
    this.#settings = settings;
    this.#credentials = credentials;
    this.#devices = devices;
    this.#invites = invites;
    this.#crowd = new Crowd(credentials, devices);
  }

  /** Of a new pass. */
  restart(): void {
    this.#crowd.restart();
  }

  judge({ node, control, key }: Entry): Verdict {
    const allowed = (yes: boolean) => (yes ? ACCEPTED : refused('notPermitted'));
    switch (control.kind) {
      case 'genesis':
        return this.#judgeGenesis(node, control);
      case 'admit': {
        if (!this.#settings.can(node, key.role, 'workspace', 'invite') || control.role < key.role)
          return refused('notPermitted');
        if (control.account === this.#words.namedAuthorOf(node) || this.#livesOnIn(control.account, node))
          return refused('noTarget');
        if (control.certificates.some((c) => (this.#devices.accountOf(c.device) ?? c.account) !== c.account))
          return refused('noTarget');
        if (!this.#hasRoomFor(control.account, control.certificates.length, node)) return refused('notPermitted');
        return control.invite === undefined ? ACCEPTED : this.#invites.judge(node, control, control.invite);
      }
      case 'remove': {
        if (!this.#isTarget(control.account, node)) return refused('noTarget');
        return allowed(
          this.#settings.can(node, key.role, 'workspace', 'uninvite') &&
            this.#credentials.outranks(key, control.account, node),
        );
      }
      case 'setRole': {
        if (!this.#isTarget(control.account, node)) return refused('noTarget');
        const granted = key.role === Role.manager && control.role >= key.role;
        return allowed(granted && this.#credentials.outranks(key, control.account, node));
      }
      case 'setPerm':
        return allowed(key.role === Role.manager && control.role !== Role.manager);
      case 'invite':
        return allowed(this.#settings.can(node, key.role, 'workspace', 'invite') && control.role >= key.role);
      case 'revoke': {
        const invite = this.#invites.seenFrom(node, control.invite);
        if (!invite) return refused('noTarget');
        const own = this.#words.namedAuthorOf(invite.node) === this.#words.namedAuthorOf(node);
        return allowed(own || key.role === Role.manager);
      }
      case 'addTool': {
        // Who brings back what somebody has deleted undoes that.
        const isBack = this.#words.deletionsOf(control.tool).some((one) => inPast(one.node, node));
        const may = (action: Action) => this.#settings.can(node, key.role, 'workspace', action);
        return allowed(may('addTools') && (!isBack || may('deleteTools')));
      }
      case 'renameTool':
      case 'deleteTool':
        return allowed(this.#settings.can(node, key.role, 'workspace', 'deleteTools'));
      case 'rename':
        return allowed(key.role === Role.manager);
      case 'addDevice':
        return this.#judgeAddDevice(node, control);
      case 'removeDevice':
      case 'drop':
        return this.#judgeDeviceRestriction(control.devices, node, key, control.kind === 'drop');
      case 'freeze':
        return this.#judgeDeviceRestriction([control.device], node, key, true);
      case 'checkpoint':
      case 'deleteWorkspace':
        return allowed(key.role === Role.manager);
      case 'leave':
      case 'profile':
      case 'epoch':
      case 'ack':
        return ACCEPTED;
    }
  }

  #judgeGenesis(node: Node, control: Control & { kind: 'genesis' }): Verdict {
    const sound = node.height === 1 && node.delta.credential === undefined;
    return sound && control.certificates.some((c) => c.device === node.delta.device) ? ACCEPTED : refused('malformed');
  }

  /** I4: by a device of the account; or by any member, for what was dropped (L7). */
  #judgeAddDevice(node: Node, { account, certificates }: Control & { kind: 'addDevice' }): Verdict {
    const author = this.#words.namedAuthorOf(node);
    if (certificates.some(({ device }) => (this.#devices.accountOf(device) ?? account) !== account))
      return refused('noTarget');
    const unknown = certificates.filter(({ device }) => this.#devices.accountOf(device) === undefined);
    const hasRoom = this.#devices.count + unknown.length <= MAX_DEVICES;
    if (!hasRoom && this.#crowdIn(node).devices + unknown.length > MAX_DEVICES) return refused('notPermitted');
    if (author === account) return ACCEPTED;
    if (!this.#isInOrPending(account, node)) return refused('noTarget');
    const dropped = certificates.every(({ device }) => this.#devices.wasDropped(device, node));
    return dropped ? ACCEPTED : refused('notPermitted');
  }

  /**
   * Its own account, or a manager senior to it; a manager also says that of his own, and not with others in one word: two devices of an account
   * that take each other out are both out, whom else the stolen one takes out stays. Whom a junior let in is a target (A10).
   */
  #judgeDeviceRestriction(
    devices: readonly DeviceId[],
    node: Node,
    key: Key,
    managersOnly: boolean,
    outranks = (account: AccountId) => this.#credentials.outranks(key, account, node),
  ): Verdict {
    const author = this.#words.namedAuthorOf(node);
    const accounts = devices.map(
      (device) => this.#devices.accountOf(device) ?? this.#devices.namedAccountOf(device, node),
    );
    if (accounts.includes(author) && !accounts.every((account) => account === author)) return refused('notPermitted');
    for (const account of accounts) {
      if (account === undefined || !this.#isInOrPending(account, node)) return refused('noTarget');
      if (account === author && !managersOnly) continue;
      if (key.role !== Role.manager) return refused('notPermitted');
      if (account !== author && !outranks(account)) return refused('notPermitted');
    }
    return ACCEPTED;
  }

  /** L7: whether a drop that is judged later may come to stand. */
  mayDrop(drop: Accepted): boolean {
    const entry = this.#words.isPending(drop) ? this.#words.entryOf(drop) : undefined;
    if (entry?.control.kind !== 'drop') return false;
    const { node, control, key } = entry;
    return this.#judgeDeviceRestriction(control.devices, node, key, true, (account) =>
      this.#mayOutrank(key, account, node),
    ).accepted;
  }

  /** Whether nobody is senior to a key but by a role that somebody has taken from him since, whose word is judged later as well. */
  #mayOutrank(key: Key, account: AccountId, view: Node): boolean {
    const senior = this.#credentials
      .of(account)
      .filter((c) => inPast(c.node, view) && isLiveIn(c, view) && compareKeys(c.key, key) < 0);
    const ends = senior.length > 0 ? this.#words.pendingEnds(account, view) : [];
    return senior.every((c) => ends.some((end) => compareKeys(end.key, c.key) < 0 && !inPast(end.node, c.node)));
  }

  // ---- who is there ---------------------------------------------------------------------------------------------------

  /** A live target other than oneself (A10). */
  #isTarget(account: AccountId, node: Node): boolean {
    return account !== this.#words.namedAuthorOf(node) && this.#isInOrPending(account, node);
  }

  /**
   * Whom a junior has admitted is judged later in the pass: an admission in the past that has no verdict yet counts, or no
   * senior could remove him.
   */
  #isInOrPending(account: AccountId, view: Node): boolean {
    return (
      this.#credentials.bestIn(account, view) !== undefined || this.#words.pendingAdmissions(account, view).length > 0
    );
  }

  /**
   * Whether somebody is in, and nothing that whoever admits him has seen, and that is judged later, takes him out (A10): who has seen a leave, a
   * junior's removal, or lower roles that did not know of it or of each other, and take him out with it, may take him back.
   */
  #livesOnIn(account: AccountId, view: Node): boolean {
    const live = this.#credentials.of(account).filter((c) => inPast(c.node, view) && isLiveIn(c, view));
    if (live.length === 0) return false;
    const departing = this.#words.pendingDepartures(account, view);
    const roles = this.#words.pendingEnds(account, view).filter(({ control }) => control.kind === 'setRole');
    return live.some((credential) => {
      if (!departing.every((word) => inPast(word, credential.node))) return false;
      const lower = roles.filter((role) => this.#wouldEnd(role, credential));
      const words = [...departing, ...lower.map(({ node }) => node)];
      // Whichever of them turn out void: of those that stand the last has seen the others, and he is in by that.
      const keepsHimIn = (role: Entry) => words.every((word) => knowOfOneAnother(word, role.node));
      return lower.every((role) => this.#credentials.wouldLiveIn(account, role, view) && keepsHimIn(role));
    });
  }

  /** A4, of a role that is judged later. */
  #wouldEnd({ node, control, key }: Entry, credential: Credential): boolean {
    const spares = control.kind === 'setRole' ? this.#credentials.sparedBy(node, control) : undefined;
    return spares !== undefined && ends({ node, key, spares }, credential);
  }

  /** Who was ever in is counted first: to see who of them is costs a look at everybody's past. */
  #hasRoomFor(account: AccountId, devices: number, view: Node): boolean {
    const others = this.#credentials.othersThan(account);
    if (others < MAX_MEMBERS && this.#devices.count + devices <= MAX_DEVICES) return true;
    const crowd = this.#crowdIn(view);
    return crowd.members < MAX_MEMBERS && crowd.devices + devices <= MAX_DEVICES;
  }

  #crowdIn(view: Node): ReturnType<Crowd['in']> {
    return this.#crowd.in(view, this.#words.get(view.delta.id) === undefined);
  }
}

function knowOfOneAnother(a: Node, b: Node): boolean {
  return a === b || inPast(a, b) || inPast(b, a);
}
