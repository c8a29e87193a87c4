import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { bytes, closeTabs, door, makeWorld, text, type World } from './world.ts';
import { uriOf } from '../../src/views/files/uri.ts';

describe('continuing in a new workspace, on the real service', () => {
  let world: World;

  before(async () => {
    world = await makeWorld('Odyssey');
    await vscode.workspace.fs.createDirectory(world.uri('/docs'));
    await vscode.workspace.fs.writeFile(world.uri('/docs/plan.md'), bytes('the plan'));
    await world.api.post(world.workspace, world.chat.id, 'said there');
  });
  after(closeTabs);

  it('A7 the command makes it, and it stands in the list with all that was there', async () => {
    const { house } = (await door()).window;
    const given = { name: 'Odyssey (continued)', members: [] };
    const id = await vscode.commands.executeCommand<string>('coterie.continueWorkspace', world.workspace, given);
    const info = house.list.workspace(id);
    assert.equal(info?.name, 'Odyssey (continued)');
    assert.equal(info.role, 'manager');
    const [files, chat] = [
      info.tools.find(({ kind }) => kind === 'files')!,
      info.tools.find(({ kind }) => kind === 'chat')!,
    ];
    const uri = uriOf({ workspace: id, tool: files.id, path: '/docs/plan.md' });
    assert.equal(text(await vscode.workspace.fs.readFile(uri)), 'the plan');
    const { posts } = await world.api.chat(id, chat.id, { limit: 9 });
    assert.deepEqual(
      posts.map((post) => [post.text, post.told?.name]),
      [['said there', 'Alice']],
    );
    assert.ok(house.list.workspace(world.workspace), 'the old one is still there');
  });

  it('A5 what is permitted is the default until a manager says something else', async () => {
    const all = await world.api.permissions(world.workspace);
    assert.ok(all.length > 20);
    assert.deepEqual(
      all.filter(({ own, changed }) => own || changed !== undefined),
      [],
    );
    await world.api.setPermission(world.workspace, 'chat', 'add', 'guest', true);
    const [changed] = (await world.api.permissions(world.workspace)).filter((one) => one.changed !== undefined);
    assert.deepEqual(
      [changed?.scope, changed?.action, changed?.role, changed?.allowed],
      ['chat', 'add', 'guest', true],
    );
    assert.equal(changed?.changed?.self, true);
  });
});
