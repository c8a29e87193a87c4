/** What a person is told once, and not again. */
import assert from 'node:assert/strict';
import type { WorkspaceInfo } from '../../src/service/api.ts';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// This imports `vscode`: after its fake.
const { showNotices } = await import('../../src/views/notices.ts');

const nothing = { dispose: () => undefined };

function open() {
  const kept = new Map<string, unknown>();
  let changed: (lists: { workspaces: readonly WorkspaceInfo[] }) => void = () => undefined;
  const house = {
    context: {
      globalState: {
        get: (key: string, otherwise: unknown) => kept.get(key) ?? otherwise,
        update: async (key: string, value: unknown) => void kept.set(key, value),
      },
    },
    session: { events: () => nothing, onStalled: () => nothing },
    list: { onChange: (listener: typeof changed) => ((changed = listener), nothing) },
  } as unknown as House;
  showNotices(house);
  const list = async (...workspaces: readonly WorkspaceInfo[]) => {
    changed({ workspaces });
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { list };
}

const workspace = (id: string, ...roles: readonly string[]) =>
  ({ id, name: id, state: 'open', members: roles.map((role) => ({ role })) }) as unknown as WorkspaceInfo;

describe('That no manager is left', () => {
  beforeEach(() => vscode.clear());

  it('A7 is told once of each workspace, also where there was no list in between, and again when there was one meanwhile', async () => {
    const { list } = open();
    await list(workspace('Apollo', 'participant'), workspace('Gemini', 'manager'));
    assert.equal(vscode.shown.length, 1);
    await list();
    await list(workspace('Apollo', 'participant'), workspace('Gemini', 'participant'));
    assert.equal(vscode.shown.length, 2);
    assert.match(vscode.shown[1]!.text, /Gemini/);
    await list(workspace('Apollo', 'manager'));
    await list(workspace('Apollo', 'participant'));
    assert.equal(vscode.shown.length, 3);
  });
});
