import assert from 'node:assert/strict';
import {
  changed,
  changesTo,
  changesToDefault,
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

  it('A5 back to default says what it was of all that is another, for both roles', async () => {
    const { api, id, all } = await apollo();
    assert.deepEqual(changesToDefault(all), []);
    await api.setPermission(id, 'files', 'delete', 'participant', true);
    await api.setPermission(id, 'files', 'add', 'guest', true);
    await api.setPermission(id, 'chat', 'add', 'guest', true);
    const files = permissionsOf(await api.permissions(id), 'files');
    assert.equal(changed(files).length, 2);
    assert.deepEqual(changesToDefault(files), [
      { action: 'add', role: 'guest', allow: false },
      { action: 'delete', role: 'participant', allow: false },
    ]);
  });
});
