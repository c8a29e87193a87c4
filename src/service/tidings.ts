/**
 * What a person is told of a workspace by itself: each thing once, since who sends rubbish sends it again and again; and which devices have
 * shown two histories (D8), remembered, since the proof need not be in the log.
 *
 * In local state: `fork/<workspace>/<device>` = true.
 */
import type { AccountId, DeviceId } from '../base/ids.ts';
import { inPast, type Node } from '../sync/graph.ts';
import type { NoticeCode } from './api.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

type ToldWorkspace = Pick<
  SharedWorkspace,
  'id' | 'device' | 'roster' | 'replica' | 'engine' | 'nameOf' | 'differing' | 'newer'
>;

export class Tidings {
  readonly #hub: Pick<Hub, 'emit' | 'identity' | 'local'>;
  readonly #workspace: ToldWorkspace;
  readonly #told = new Set<string>();
  /** What is remembered: all of the local state is looked through for it once. */
  readonly #forks = new Set<DeviceId>();

  constructor(hub: Pick<Hub, 'emit' | 'identity' | 'local'>, workspace: ToldWorkspace) {
    this.#hub = hub;
    this.#workspace = workspace;
  }

  restore(): void {
    for (const [device] of this.#hub.local.under(this.#forkKey(''))) this.#forks.add(device as DeviceId);
  }

  tell(code: NoticeCode, once: string, account: AccountId | undefined, more = {}): void {
    if (this.#told.has(once)) return;
    this.#told.add(once);
    const member = account === undefined ? '' : this.#workspace.nameOf(account);
    this.#notice(code, { member, ...more });
  }

  /** It is over: if it happens again, that is told again. */
  over(once: string): void {
    this.#told.delete(once);
  }

  /** Once for each member and kind; of a device that has shown two histories, of each such device. */
  fault(device: DeviceId, tag: string): void {
    const account = this.#workspace.replica.people.accountOf(device);
    if (tag !== 'fork') return this.tell('badDelta', `badDelta/${account ?? device}`, account);
    this.#forks.add(device);
    this.#hub.local.put(this.#forkKey(device), true);
    this.tell('fork', `fork/${device}`, account, { device });
  }

  get forks(): ReadonlySet<DeviceId> {
    return new Set([...this.#forks, ...this.#workspace.replica.people.forked]);
  }

  /** Once for each member: all keep what they have, and their people are told. */
  doubts(): void {
    const before = this.#told.size;
    const { differing, newer, engine } = this.#workspace;
    for (const account of differing) this.tell('diverged', `diverged/${account}`, account);
    for (const account of newer) this.tell('newerVersion', `newer/${account}`, account);
    if (engine.isOutOfStep) this.tell('outOfStep', 'outOfStep', undefined);
    if (this.#told.size > before) this.#hub.emit({ type: 'workspaces' });
  }

  /** Once: with each start it is in the list as closed. */
  deletion(): void {
    const { deleted } = this.#workspace.roster;
    const account = deleted && this.#workspace.replica.people.accountOf(deleted.delta.device);
    if (!account || this.#told.has('deleted')) return;
    this.#told.add('deleted');
    if (account === this.#hub.identity.account) return;
    this.#notice('deleted', { member: this.#workspace.nameOf(account) });
  }

  /** What another manager has changed since this device was let in, once for all that comes together. */
  permissions(nodes: readonly Node[]): void {
    const { roster, replica, device } = this.#workspace;
    const letIn = roster.records.get(device)?.letIn;
    const changed = nodes.filter((node) => node.delta.tool === undefined && node.delta.kind === 'setPerm');
    const news = changed.findLast(
      (node) => letIn && !inPast(node, letIn) && replica.verdictOf(node.delta.id) === 'accepted',
    );
    const account = news && replica.people.accountOf(news.delta.device);
    if (account === undefined || account === this.#hub.identity.account) return;
    this.#notice('permissionsChanged', { member: this.#workspace.nameOf(account) });
  }

  #notice(code: NoticeCode, more: Readonly<Record<string, string>>): void {
    const { id, roster } = this.#workspace;
    this.#hub.emit({ type: 'notice', code, workspace: id, detail: { name: roster.name, ...more } });
  }

  #forkKey(device: string): string {
    return `fork/${this.#workspace.id}/${device}`;
  }
}
