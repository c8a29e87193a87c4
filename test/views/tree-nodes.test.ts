import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type {
  ClosedInfo,
  FileEntry,
  JoinInfo,
  MemberDeviceInfo,
  OfferInfo,
  Role,
  WorkspaceInfo,
} from '../../src/service/api.ts';
import { amount, badge, growth } from '../../src/views/amounts.ts';
import {
  contextValue,
  deviceNodes,
  forgettable,
  forgettableOf,
  memberNodes,
  type Node,
  nodeId,
  rootNodes,
  sortEntries,
  workspaceNodes,
} from '../../src/views/tree-nodes.ts';
import { lacksManager } from '../../src/views/rights.ts';
import { FakeService, mayAs } from '../fakes/fake-service.ts';

const join: JoinInfo = {
  workspace: 'ff',
  workspaceName: 'Zeus',
  own: false,
  state: 'waiting',
  doneBytes: 0,
  totalBytes: 0,
};

const offer: OfferInfo = {
  ...{ id: 'bb.aa', name: 'Apollo', newName: 'Apollo (continued)', by: 'Bob' },
  ...{ safetyNumber: '1', role: 'participant', expires: 0 },
};

describe('the tree', () => {
  async function apollo() {
    const service = new FakeService();
    const id = await service.api.createWorkspace({ name: 'Apollo' });
    service.addMember(id, 'Zoe');
    service.addMember(id, 'Bob', { verified: true });
    const [workspace] = await service.api.workspaces();
    return { service, workspace: workspace! };
  }

  it('shows workspaces with their tools and members, ourselves first', async () => {
    const { workspace } = await apollo();
    const lists = { workspaces: [workspace], joins: [join], requests: [], offers: [], closed: [] };
    assert.deepEqual(
      rootNodes(lists).map(({ kind }) => kind),
      ['workspace', 'join'],
    );
    const children = workspaceNodes(workspace, lists);
    assert.deepEqual(
      children.map((node) => (node.kind === 'tool' ? node.tool.name : node.kind)),
      ['Files', 'Chat', 'members'],
    );
    const members = memberNodes(workspace, []).map((node) => (node.kind === 'member' ? node.member.name : ''));
    assert.deepEqual(members, ['Alice', 'Bob', 'Zoe']);
  });

  it('a workspace that is being joined stands there once', async () => {
    const { workspace } = await apollo();
    const joining = { ...workspace, state: 'joining' as const };
    const copying: JoinInfo = { ...join, workspace: workspace.id, state: 'copying' };
    const shown = rootNodes({ workspaces: [joining], joins: [copying], requests: [], offers: [], closed: [] });
    assert.deepEqual(
      shown.map(({ kind }) => kind),
      ['join'],
    );
  });

  it('who asks to join stands first under the members', async () => {
    const { workspace } = await apollo();
    const request = {
      id: 'r1',
      workspace: workspace.id,
      name: 'Carol',
      account: 'cc',
      safetyNumber: '1',
      role: 'guest' as const,
    };
    assert.equal(memberNodes(workspace, [request])[0]!.kind, 'request');
  });

  it('rows keep their ids when what they show changes, and no two share one', async () => {
    const { workspace } = await apollo();
    const lists = { workspaces: [workspace], joins: [], requests: [], offers: [], closed: [] };
    const renamed = { ...workspace, name: 'Artemis' };
    assert.equal(nodeId({ kind: 'workspace', workspace }), nodeId({ kind: 'workspace', workspace: renamed }));
    const all = [...rootNodes(lists), ...workspaceNodes(workspace, lists), ...memberNodes(workspace, [])];
    assert.equal(new Set(all.map(nodeId)).size, all.length);
  });

  it('folders come first, then names as people count', () => {
    const entry = (name: string, kind: 'file' | 'folder'): FileEntry => ({ name, kind }) as FileEntry;
    const names = sortEntries([entry('b10', 'file'), entry('B2', 'file'), entry('src', 'folder'), entry('a', 'file')]);
    assert.deepEqual(
      names.map(({ name }) => name),
      ['src', 'a', 'B2', 'b10'],
    );
  });

  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
    contributes: { menus: { 'view/item/context': { command: string; when: string }[] } };
  };

  it('A2: every row offers by role what its menus ask for', async () => {
    const { workspace } = await apollo();
    const menus = manifest.contributes.menus['view/item/context'];
    const offered = (node: Node): string[] => {
      const value = contextValue(node);
      const matching = menus.filter(({ when }) => new RegExp(/viewItem =~ \/(.*)\/$/.exec(when)![1]!).test(value));
      return [...new Set(matching.map(({ command }) => command.replace('coterie.', '')))].sort();
    };
    const as = (role: Role) => ({
      ...workspace,
      role,
      may: mayAs(role, 'workspace'),
      tools: workspace.tools.map((one) => ({ ...one, may: mayAs(role, one.kind) })),
    });
    const tool = (role: Role, of = 0): Node => ({ kind: 'tool', workspace: as(role), tool: as(role).tools[of]! });
    assert.deepEqual(offered(tool('guest')), ['exportItem', 'markAllRead', 'openAsFolder', 'permissions']);
    assert.ok(offered(tool('participant')).includes('addFiles'));
    assert.ok(!offered(tool('participant')).includes('deleteTool'));
    assert.ok(offered(tool('manager')).includes('deleteTool'));
    assert.ok(offered(tool('guest', 1)).includes('openChat'));
    const everybody = [
      ...['continueWorkspace', 'leaveWorkspace', 'markAllRead', 'permissions', 'saveWork', 'showNotAccepted'],
    ];
    assert.deepEqual(offered({ kind: 'workspace', workspace: as('guest') }), everybody);
    assert.ok(offered({ kind: 'workspace', workspace: as('participant') }).includes('invite'));
    assert.ok(!offered({ kind: 'workspace', workspace: as('participant') }).includes('renameWorkspace'));
    const closed = { ...workspace, state: 'closed' as const };
    const whenClosed = ['forgetWorkspace', 'markAllRead', 'saveWork'];
    assert.deepEqual(offered({ kind: 'workspace', workspace: closed }), whenClosed);
    const [files, chat] = closed.tools.map((one): Node => ({ kind: 'tool', workspace: closed, tool: one }));
    for (const needed of ['exportItem', 'openAsFolder']) assert.ok(offered(files!).includes(needed), needed);
    assert.ok(offered(chat!).includes('openChat'), 'it is there to be read');
    assert.ok(!offered(files!).includes('addFiles'));
    const [self, other] = memberNodes(workspace, []);
    assert.deepEqual(offered(self!), []);
    assert.deepEqual(offered(other!), ['changeRole', 'removeMember', 'showSafetyNumber', 'verifyMember']);
    const [, seen] = memberNodes(as('participant'), []);
    assert.deepEqual(offered(seen!), ['showSafetyNumber', 'verifyMember']);
    const out = {
      id: 'ff',
      name: 'Zeus',
      how: 'removed' as const,
      by: 'Alice',
      at: 0,
      isBack: false,
      isAsking: false,
      work: [],
    };
    assert.deepEqual(offered({ kind: 'closed', closed: out }), ['forgetWorkspace']);
    const work = { id: 'a', kind: 'post' as const, toolName: 'Chat', name: '', text: 'x', reason: 'cutOff', time: 0 };
    assert.deepEqual(offered({ kind: 'closed', closed: { ...out, work: [work] } }), ['forgetWorkspace', 'saveWork']);
    assert.deepEqual(offered({ kind: 'join', join }), ['cancelJoin']);
    assert.deepEqual(offered({ kind: 'offer', offer }), ['answerOffer']);
  });

  it('L7 D8 a member shows his devices where there is something to see, each with what may be done about it', async () => {
    const { workspace } = await apollo();
    const device = (more: Partial<MemberDeviceInfo> = {}): MemberDeviceInfo => ({
      ...{ device: 'd1', name: 'laptop', self: false, online: false, standing: 'active', forked: false },
      ...{ mayTakeOut: true, ...more },
    });
    const [, plain] = memberNodes(workspace, []);
    assert.ok(plain?.kind === 'member');
    const valueOf = (...devices: readonly MemberDeviceInfo[]) =>
      deviceNodes(workspace, { ...plain.member, devices }).map(contextValue);
    assert.deepEqual(valueOf(device()), []);
    assert.deepEqual(valueOf(device(), device({ device: 'd2' })).length, 2);
    const rights = 'toolAdder toolDeleter inviter remover manager ';
    assert.deepEqual(valueOf(device({ absentSince: 1 })), [`device active absent below ${rights}`]);
    assert.deepEqual(valueOf(device({ absentSince: 1, mayTakeOut: false })), [`device active absent ${rights}`]);
    assert.deepEqual(valueOf(device({ forked: true })), [`device active forked below ${rights}`]);
    assert.deepEqual(valueOf(device({ standing: 'frozen', mayTakeOut: false })), [`device frozen ${rights}`]);
    assert.deepEqual(valueOf(device({ standing: 'dropped', mayTakeOut: false })), [`device dropped ${rights}`]);
    const menus = manifest.contributes.menus['view/item/context'];
    const offered = (value: string) =>
      menus
        .filter(({ when }) => new RegExp(/viewItem =~ \/(.*)\/$/.exec(when)![1]!).test(value))
        .map(({ command }) => command.replace('coterie.', ''));
    assert.deepEqual(new Set(offered(`device active absent below ${rights}`)), new Set(['dropDevices']));
    assert.deepEqual(new Set(offered(`device active forked below ${rights}`)), new Set(['freezeDevice']));
    assert.deepEqual(offered(`device active forked absent ${rights}`), []);
    assert.deepEqual(offered('device active absent below '), []);
    const both = new Set(offered(`device active forked absent below ${rights}`));
    assert.deepEqual(both, new Set(['dropDevices', 'freezeDevice']));
    const out = { id: 'ff', name: 'Zeus', how: 'dropped' as const, by: 'Alice', at: 0, isBack: false, isAsking: false };
    const work = [{ id: 'a', kind: 'post' as const, toolName: 'Chat', name: '', text: 'x', reason: 'cutOff', time: 0 }];
    const closed = (more: Partial<ClosedInfo>) =>
      [...new Set(offered(contextValue({ kind: 'closed', closed: { ...out, work: [], ...more } })))].sort();
    assert.deepEqual(closed({}), ['fetchAgain', 'forgetWorkspace']);
    assert.deepEqual(closed({ isAsking: true }), ['forgetWorkspace']);
    assert.deepEqual(closed({ how: 'frozen', work }), ['forgetWorkspace', 'saveWork']);
    assert.deepEqual(closed({ isBack: true, work }), ['forgetWorkspace', 'putBack', 'saveWork']);
    // Of a move there is nothing to be saved.
    const moved = [{ ...work[0]!, kind: 'move' as const }];
    assert.deepEqual(closed({ work: moved }), ['fetchAgain', 'forgetWorkspace']);
    assert.deepEqual(closed({ isBack: true, work: moved }), ['forgetWorkspace', 'putBack', 'saveWork']);
  });

  it('A8 what is removed from the list is what its row is, also where it is deleted for all and one is not out of it', async () => {
    const { workspace } = await apollo();
    const deleted = { ...workspace, state: 'closed' as const };
    const out = { how: 'removed', by: 'Alice', at: 0, isBack: false, isAsking: false, work: [] } as const;
    const zeus: ClosedInfo = { ...out, id: 'ff', name: 'Zeus' };
    const all = forgettable({ workspaces: [workspace, deleted], closed: [zeus] });
    assert.deepEqual(
      all.map(({ name, isDeleted }) => [name, isDeleted]),
      [
        [workspace.name, true],
        ['Zeus', false],
      ],
    );
    assert.equal(forgettableOf(all, { kind: 'closed', closed: zeus })?.id, 'ff');
    assert.equal(forgettableOf(all, { kind: 'workspace', workspace: deleted })?.id, workspace.id);
    // The only other one is not taken for it.
    const others = forgettable({ workspaces: [workspace], closed: [zeus] });
    assert.equal(forgettableOf(others, { kind: 'workspace', workspace }), undefined);
  });

  it('A5 what a manager has changed for a role is offered, or not any more', async () => {
    const { workspace } = await apollo();
    const [files] = workspace.tools;
    const entry = { name: 'a', kind: 'file' } as FileEntry;
    const value = (may: WorkspaceInfo['may'], inTool: WorkspaceInfo['may'], kind: 'workspace' | 'tool' | 'entry') => {
      const tool = { ...files!, may: inTool };
      const info = { ...workspace, role: 'participant' as const, may, tools: [tool] };
      if (kind === 'workspace') return contextValue({ kind, workspace: info });
      if (kind === 'tool') return contextValue({ kind, workspace: info, tool });
      return contextValue({ kind, workspace: info, tool: tool.id, path: '/a', entry });
    };
    assert.equal(value(['uninvite', 'deleteTools'], [], 'workspace'), 'workspace toolDeleter remover ');
    assert.equal(value([], ['add'], 'tool'), 'tool files writer ');
    assert.equal(value([], ['editOwn', 'delete'], 'entry'), 'entry file editor deleter ');
    assert.equal(value([], [], 'entry'), 'entry file ');
    const joining = contextValue({ kind: 'workspace', workspace: { ...workspace, state: 'joining' } });
    assert.equal(joining, 'workspace ', 'what is not here yet offers nothing');
  });

  it('A7 who asks along stands among the workspaces, and where no manager is left it shows', async () => {
    const { workspace } = await apollo();
    const shown = rootNodes({ workspaces: [workspace], joins: [], requests: [], offers: [offer], closed: [] });
    assert.deepEqual(shown.map(nodeId), [workspace.id, 'offer/bb.aa']);
    const without = { ...workspace, members: workspace.members.filter(({ role }) => role !== 'manager') };
    assert.deepEqual([lacksManager(workspace), lacksManager(without)], [false, true]);
    assert.equal(lacksManager({ ...without, state: 'joining' }), false, 'who they are is not known yet');
  });

  it('amounts are short, and progress never goes back', () => {
    assert.deepEqual([0, 999, 1000, 30_400_000, 5e12].map(amount), [
      '0 bytes',
      '999 bytes',
      '1.0 KB',
      '30.4 MB',
      '5.0 TB',
    ]);
    assert.deepEqual([1, 9, 10].map(badge), ['1', '9', '9+']);
    assert.deepEqual(growth(0, 50, 200), { increment: 25, now: 25 });
    assert.deepEqual(growth(25, 10, 200), { increment: 0, now: 25 });
    assert.deepEqual(growth(25, 10, 0), { increment: 0, now: 25 });
    assert.deepEqual(growth(25, 999, 200), { increment: 75, now: 100 });
  });
});
