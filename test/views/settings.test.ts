/** What stands in a person's settings, by hand: VS Code warns of what is no valid value there, and hands it on all the same. */
import assert from 'node:assert/strict';
import '../fakes/fake-vscode.ts';

// These import `vscode`: after its fake.
const { workspace } = await import('vscode');
const { ensureName, readSettings } = await import('../../src/views/settings.ts');

const NAMES = ['relay', 'displayName', 'deviceName', 'directPort', 'lanDiscovery', 'absentAfterDays'];

async function set(values: Readonly<Record<string, unknown>>): Promise<void> {
  for (const name of NAMES) await workspace.getConfiguration('coterie').update(name, values[name]);
}

describe('the settings', () => {
  afterEach(() => set({}));

  it('are as they are set, without blanks around them', async () => {
    const valid = { directPort: 0, lanDiscovery: false, absentAfterDays: 30 };
    await set({ relay: ' wss://relay.example ', displayName: 'Alice ', deviceName: 'Laptop', ...valid });
    assert.deepEqual(readSettings(), { relay: 'wss://relay.example', name: 'Alice', deviceName: 'Laptop', ...valid });
    assert.equal(await ensureName(), true);
  });

  it('that are no valid ones keep nobody from his workspaces: they count as not set', async () => {
    await set({});
    const unset = readSettings();
    for (const value of [null, [], {}, true, 'x', -1, 2.5, 70_000, '2492'])
      for (const name of NAMES) {
        const isText = ['relay', 'displayName', 'deviceName'].includes(name);
        if (typeof value === (isText ? 'string' : name === 'lanDiscovery' ? 'boolean' : '')) continue;
        if (name === 'absentAfterDays' && typeof value === 'number') continue;
        await set({ [name]: value });
        assert.deepEqual(readSettings(), unset, `${name}: ${JSON.stringify(value)}`);
      }
    await set({ displayName: null });
    assert.equal(await ensureName(), false, 'the name is asked for');
  });
});
