/** Who is in a workspace and as what (section 3), as a person changes it: roles, permissions, removal, leaving, deleting. */
import type { AccountId, DeviceId, ToolId } from '../base/ids.ts';
import { controlBody, headsKept, type Role } from '../sync/control.ts';
import type { Member } from '../sync/roster.ts';
import {
  type CallKey,
  type PermissionAction,
  type PermissionTarget,
  type Role as RoleName,
  ServiceError,
} from './api.ts';
import { mayIn } from './permissions.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import { ROLE_NAMES } from './workspace-info.ts';

export class Membership {
  readonly #workspace: SharedWorkspace;
  readonly #call: CallKey | undefined;

  /** For one call. */
  constructor(workspace: SharedWorkspace, call: CallKey | undefined) {
    this.#workspace = workspace;
    this.#call = call;
  }

  /** Throws ServiceError('notFound' | 'notPermitted'). */
  async setRole(account: string, role: RoleName): Promise<void> {
    const member = this.#find(account);
    const wanted = ROLE_NAMES.indexOf(role) as Role;
    if (member.role === wanted) return;
    if (this.#workspace.isManager) this.#mustStandAbove(member);
    await this.#workspace.control('setRole', controlBody.setRole(member.account, wanted), this.#call);
  }

  /** The new epoch is in the removal itself (K2): what is written from now on he cannot read. */
  async remove(account: string): Promise<void> {
    const member = this.#find(account);
    if (mayIn(this.#workspace, 'workspace').includes('uninvite')) this.#mustStandAbove(member);
    const devices = new Set(member.devices.map(({ certificate }) => certificate.device));
    const epoch = this.#workspace.engine.keys.make(devices);
    await this.#workspace.control('remove', controlBody.remove(member.account, epoch), this.#call);
  }

  /**
   * L7: membership stays; the new epoch is in the word (K2). Of one's own devices by a word of its own (A4). Throws ServiceError('notFound' | 'notPermitted').
   */
  async drop(devices: readonly string[]): Promise<void> {
    const wanted = new Set(devices as readonly DeviceId[]);
    const { roster, engine } = this.#workspace;
    if (wanted.size === 0 || [...wanted].some((device) => !roster.devices.has(device)))
      throw new ServiceError('notFound', {});
    const isOwn = (device: DeviceId) => roster.devices.get(device)?.account === this.#workspace.self?.account;
    for (const part of [[...wanted].filter(isOwn), [...wanted].filter((device) => !isOwn(device))])
      if (part.length > 0)
        await this.#workspace.control('drop', controlBody.devices(part, engine.keys.make(new Set(part))), this.#call);
  }

  /** D8: what stands of its feeds here goes on to stand. Throws ServiceError('notFound' | 'notPermitted'). */
  async freeze(device: string): Promise<void> {
    const id = device as DeviceId;
    const { roster, engine, replica } = this.#workspace;
    if (!roster.devices.has(id) || !this.#workspace.forks.has(id)) throw new ServiceError('notFound', {});
    const body = controlBody.freeze(id, headsKept(replica.feeds.standing(), id), engine.keys.make(new Set([id])));
    await this.#workspace.control('freeze', body, this.#call);
  }

  /** Throws ServiceError('notFound' | 'notPermitted'). */
  async setPermission(
    target: PermissionTarget,
    action: PermissionAction,
    role: RoleName,
    allow: boolean | null,
  ): Promise<void> {
    if (role === 'manager') throw new ServiceError('notPermitted', { reason: 'managers' });
    const scope = typeof target === 'string' ? target : { tool: this.#findTool(target.tool) };
    const body = controlBody.setPerm(scope, action, ROLE_NAMES.indexOf(role) as Role, allow ?? undefined);
    await this.#workspace.control('setPerm', body, this.#call);
  }

  async leave(): Promise<void> {
    await this.#workspace.control('leave', controlBody.leave(), this.#call);
  }

  /** Closes it for all (A8). */
  async deleteWorkspace(): Promise<void> {
    await this.#workspace.control('deleteWorkspace', controlBody.deleteWorkspace(), this.#call);
  }

  /** A7: nobody can reach a senior; what is to be done then is another sentence than for who has not the right at all. */
  #mustStandAbove({ account, name }: Member): void {
    const { replica, self } = this.#workspace;
    if (!self || account === self.account || replica.people.isSenior(self.account, account)) return;
    throw new ServiceError('notPermitted', { reason: 'senior', member: name });
  }

  #findTool(tool: string): ToolId {
    const found = this.#workspace.roster.tools.get(tool as ToolId);
    if (!found) throw new ServiceError('notFound', {});
    return found.tool;
  }

  #find(account: string): Member {
    const member = this.#workspace.roster.members.get(account as AccountId);
    if (!member) throw new ServiceError('notFound', {});
    return member;
  }
}
