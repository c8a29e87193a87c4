import assert from 'node:assert/strict';
import {
  changed,
  changesBack,
  changesTo,
  permissionsOf,
  scopesOf,
  widest,
} from '../../src/views/permission-choices.ts';
import { FakeService } from '../fakes/fake-service.ts';

describe('what is chosen of the permissions', () => {
  async function apollo() {
    const { api } = new FakeService();
    const id = await api.createWorkspace({ name: 'Apollo' });
    return { api, id, all: await api.permissions(id) };
  }

  it('A5 only what is another than before is said', async () => {
    const { all } = await apollo();
    const own = permissionsOf(all, 'chat', 'participant');
    assert.deepEqual(scopesOf(all), ['workspace', 'files', 'chat']);
    const before = own.filter(({ allowed }) => allowed).map(({ action }) => action);
    assert.deepEqual(before, ['add', 'editOwn', 'deleteOwn']);
    assert.deepEqual(widest(own), before);
    assert.deepEqual(widest(permissionsOf(all, 'files', 'participant')), ['add', 'edit', 'deleteOwn']);
    assert.deepEqual(changesTo(own, new Set(before)), []);
    assert.deepEqual(changesTo(own, new Set(['add', 'editOwn', 'delete'])), [
      { action: 'delete', role: 'participant', allow: true },
      { action: 'deleteOwn', role: 'participant', allow: false },
    ]);
  });

  it('A5 back to default takes back all that is another, for both roles', async () => {
    const { api, id, all } = await apollo();
    assert.deepEqual(changesBack(all), []);
    await api.setPermission(id, 'files', 'delete', 'participant', true);
    await api.setPermission(id, 'files', 'add', 'guest', true);
    await api.setPermission(id, 'chat', 'add', 'guest', true);
    const files = permissionsOf(await api.permissions(id), 'files');
    assert.equal(changed(files).length, 2);
    assert.deepEqual(changesBack(files), [
      { action: 'add', role: 'guest', allow: null },
      { action: 'delete', role: 'participant', allow: null },
    ]);
  });

  it('A5 of one tool is changed what is said of it, be it what holds for all, and goes back to that', async () => {
    const { api, id } = await apollo();
    const plans = await api.addTool(id, 'files', 'Plans');
    const [files] = (await api.workspaces())[0]!.tools;
    const of = async (tool: string) => permissionsOf(await api.permissions(id), { tool });
    assert.deepEqual(
      (await of(plans)).map(({ scope, tool }) => [scope, tool]),
      Array(10).fill(['files', plans]),
    );
    await api.setPermission(id, 'files', 'add', 'guest', true);
    assert.deepEqual(changed(await of(plans)), [], 'what holds for all is nothing of its own');
    assert.ok(permissionsOf(await of(plans), { tool: plans }, 'guest').find(({ action }) => action === 'add')?.allowed);
    await api.setPermission(id, { tool: plans }, 'add', 'guest', false);
    await api.setPermission(id, { tool: plans }, 'edit', 'participant', true);
    assert.equal(changed(permissionsOf(await api.permissions(id), 'files')).length, 1);
    assert.deepEqual(changed(await of(files!.id)), []);
    assert.deepEqual(changesBack(await of(plans)), [
      { action: 'add', role: 'guest', allow: null },
      { action: 'edit', role: 'participant', allow: null },
    ]);
  });
});
