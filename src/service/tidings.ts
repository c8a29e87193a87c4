/**
 * What a person is told of a workspace by itself: each thing once, since who sends rubbish sends it again and again; and which devices have
 * shown two histories (D8), remembered, since the proof need not be in the log.
 *
 * In local state: `fork/<workspace>/<device>` = true.
 */
import type { AccountId, DeltaId, DeviceId } from '../base/ids.ts';
import { inPast, type Node } from '../sync/graph.ts';
import type { NoticeCode } from './api.ts';
import type { FileTree } from './file-tree.ts';
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
      const tree = this.#workspace.tree(tool);
      const item = tree.version(id)?.item;
      const once = `conflict/${item}`;
      const others = item && this.#standAgainst(id, tree, item);
      if (!others) this.over(once);
      else if (!this.#told.has(once) && this.#isSince(node)) {
        // Which names a folder shows is looked for when it is to be told, and once: it may have a hundred thousand, and a member save as often.
        const other = others.find((one) => this.#isApart(node, tree, one));
        const shown = other && this.#shownAs([id, other], tree, item);
        if (shown) this.tell('conflict', once, shown.account, { tool, path: shown.path, copy: shown.copy });
      }
    }
  }

  /** The heads beside one that are this person's, or, where it is, those that are not; undefined where either has none. */
  #standAgainst(id: DeltaId, tree: FileTree, item: DeltaId): readonly DeltaId[] | undefined {
    const heads = tree.item(item)?.heads ?? [];
    const isOwn = (head: DeltaId) => tree.version(head)?.author === this.#hub.identity.account;
    const others = heads.length < 2 ? [] : heads.filter((head) => isOwn(head) !== isOwn(id));
    return others.length > 0 ? others : undefined;
  }

  /** Who saves one of two that stand beside each other already, as is to be seen there, makes no other conflict of it. */
  #isApart(node: Node, tree: FileTree, other: DeltaId): boolean {
    const [own, others] = [node.delta.id, other].map((id) => tree.version(id)?.parents ?? []) as [DeltaId[], DeltaId[]];
    if (others.some((parent) => own.includes(parent))) return true;
    const there = this.#workspace.replica.node(other);
    return there !== undefined && !inPast(there, node) && !inPast(node, there);
  }

  /** Whose the other one of the two is, and as what they are shown. */
  #shownAs(both: readonly DeltaId[], tree: FileTree, item: DeltaId) {
    const parent = tree.item(item)?.parent;
    const above = tree.pathOf(parent);
    const shown = [...tree.folder(parent).values()].filter(({ id }) => id === item);
    const [one, other] = both.map((head) => shown.find(({ versionId }) => versionId === head));
    const copy = [one, other].find((entry) => entry?.conflictOf !== undefined);
    const plain = shown.find(({ conflictOf }) => conflictOf === undefined);
    if (above === undefined || !one || !other || !copy || !plain) return undefined;
    const isOwn = one.version.author === this.#hub.identity.account;
    const { author } = (isOwn ? other : one).version;
    return { account: author, path: `${above}/${plain.name}`, copy: `${above}/${copy.name}` };
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
