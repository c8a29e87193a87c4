/**
 * What a person is told of a workspace by itself: each thing once, since who sends rubbish sends it again and again; and which devices have
 * shown two histories (D8), remembered, since the proof need not be in the log.
 *
 * In local state: `fork/<workspace>/<device>` = true.
 */
import type { AccountId, DeltaId, DeviceId } from '../base/ids.ts';
import { inPast, type Node } from '../sync/graph.ts';
import type { NoticeCode } from './api.ts';
import type { FileTree, TreeEntry } from './file-tree.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

type ToldWorkspace = Pick<
  SharedWorkspace,
  'id' | 'device' | 'roster' | 'replica' | 'engine' | 'nameOf' | 'differing' | 'newer' | 'tree'
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
    const { replica } = this.#workspace;
    const changed = nodes.filter((node) => node.delta.tool === undefined && node.delta.kind === 'setPerm');
    const news = changed.findLast((node) => this.#isSince(node) && replica.verdictOf(node.delta.id) === 'accepted');
    const account = news && replica.people.accountOf(news.delta.device);
    if (account === undefined || account === this.#hub.identity.account) return;
    this.#notice('permissionsChanged', { member: this.#workspace.nameOf(account) });
  }

  /**
   * F2: files that this person and somebody else have changed without knowing of each other, or upon the same, each once as long as both
   * versions stand.
   */
  conflicts(nodes: readonly Node[]): void {
    for (const node of nodes) {
      const { tool, kind, id } = node.delta;
      if (tool === undefined || kind !== 'ver' || this.#workspace.roster.tools.get(tool)?.kind !== 'files') continue;
      const item = this.#workspace.tree(tool).version(id)?.item;
      const both = item && this.#conflictOf(node, this.#workspace.tree(tool), item);
      if (!both) this.over(`conflict/${item}`);
      else if (this.#isSince(node))
        this.tell('conflict', `conflict/${item}`, both.account, { tool, path: both.path, copy: both.copy });
    }
  }

  /** Where a version stands beside another, one of them this person's: whose the other is, and as what they are shown. */
  #conflictOf(node: Node, tree: FileTree, id: DeltaId) {
    const item = tree.item(id);
    const own = this.#hub.identity.account;
    // Which names a folder shows is not looked for where it is nothing to this person.
    if (!item || item.heads.length < 2 || item.heads.every((head) => tree.version(head)?.author !== own))
      return undefined;
    const above = tree.pathOf(item.parent);
    const shown = [...tree.folder(item.parent).values()].filter((entry) => entry.id === id);
    const isOwn = ({ version }: TreeEntry) => version.author === own;
    const [mine, theirs] = [shown.filter(isOwn), shown.filter((entry) => !isOwn(entry))];
    const one = shown.find(({ versionId }) => versionId === node.delta.id);
    const other = one && (isOwn(one) ? theirs : mine).find((entry) => this.#isApart(node, one, entry));
    const copy = other && [one, other].find(({ conflictOf }) => conflictOf !== undefined);
    const plain = shown.find(({ conflictOf }) => conflictOf === undefined);
    if (above === undefined || !copy || !plain) return undefined;
    const { author } = (isOwn(one) ? other : one).version;
    return { account: author, path: `${above}/${plain.name}`, copy: `${above}/${copy.name}` };
  }

  /** Who saves one of two that stand beside each other already, as is to be seen there, makes no other conflict of it. */
  #isApart(node: Node, one: TreeEntry, other: TreeEntry): boolean {
    if (other.version.parents.some((parent) => one.version.parents.includes(parent))) return true;
    const there = this.#workspace.replica.node(other.versionId);
    return there !== undefined && !inPast(there, node) && !inPast(node, there);
  }

  /** Not from before this device was let in. */
  #isSince(node: Node): boolean {
    const { roster, device } = this.#workspace;
    const letIn = roster.records.get(device)?.letIn;
    return letIn !== undefined && !inPast(node, letIn);
  }

  #notice(code: NoticeCode, more: Readonly<Record<string, string>>): void {
    const { id, roster } = this.#workspace;
    this.#hub.emit({ type: 'notice', code, workspace: id, detail: { name: roster.name, ...more } });
  }

  #forkKey(device: string): string {
    return `fork/${this.#workspace.id}/${device}`;
  }
}
