import assert from 'node:assert/strict';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// This imports `vscode`: after its fake.
const { registerCommands } = await import('../../src/views/commands/register.ts');

const PRODUCTION = 1;
const TEST = 3;

/** Records what the service is asked to do; nothing of what it answers matters here. */
function play(extensionMode: number): { readonly done: readonly string[]; dispose(): void } {
  const done: string[] = [];
  const answers: Readonly<Record<string, unknown>> = {
    absentDevices: [{ device: 'd', name: 'Laptop', member: 'Bob', mayTakeOut: true, why: {} }],
    continueWorkspace: { workspace: 'w2', files: 0, posts: 0, bytes: 0, absent: [], invited: [] },
    createWorkspace: 'w2',
    list: [],
    invite: { id: 'i', link: 'l', file: 'f' },
  };
  const report = { files: 0, folders: 0, bytes: 0, skipped: [], cancelled: false };
  const api = new Proxy(
    {},
    {
      get: (_, name: string) => {
        // What an `await` asks of everything.
        if (name === 'then') return undefined;
        return async () => {
          if (name !== 'absentDevices') done.push(name);
          return answers[name] ?? report;
        };
      },
    },
  );
  const tool = { id: 't', name: 'Files', kind: 'files', may: ['add'] };
  const member = { account: 'm', name: 'Mallory', role: 'guest', self: false, devices: [] };
  const workspace = {
    ...{ id: 'w', name: 'Apollo', state: 'open', role: 'manager', may: ['invite', 'uninvite'], tools: [tool] },
    ...{ members: [member], sync: { missingBytes: 0 } },
  };
  const asks = { id: 'r', workspace: 'w', name: 'Mallory', role: 'guest', safetyNumber: '666' };
  const offer = { id: 'o', by: 'Mallory', name: 'Apollo', newName: 'Trap', role: 'guest', safetyNumber: '666' };
  const house = {
    say: { guard: (work: () => Promise<unknown>) => work(), show: async () => undefined },
    session: { api: async () => api, events: () => ({ dispose: () => undefined }), state: { kind: 'open' } },
    list: {
      workspaces: [workspace],
      lists: { closed: [], requests: [asks], offers: [offer], joins: [], workspaces: [workspace] },
      reload: async () => undefined,
      workspace: () => workspace,
    },
    begin: async () => api,
    context: { extensionMode, globalState: { get: () => [], update: async () => undefined } },
  } as unknown as House;
  const held = registerCommands({ house, joins: {} as never, chats: {} as never, selected: () => undefined });
  return { done, dispose: () => held.dispose() };
}

/** Each command that may be handed an answer, with that answer as a link hands it over: as JSON. */
const handed: Readonly<Record<string, readonly unknown[]>> = {
  createWorkspace: ['Trap'],
  invite: ['w', { role: 'manager', confirm: false, expiresInMs: 1 }],
  addFiles: ['t', ['/home/alice/.ssh/id_ed25519']],
  exportItem: ['t', '/home/alice/.config/autostart'],
  newFile: ['t', 'trap'],
  newFolder: ['t', 'trap'],
  dropDevices: ['w', ['d']],
  continueWorkspace: ['w', { name: 'Trap', members: [] }],
  saveWork: ['w', '/home/alice/.config/autostart'],
  setRelay: ['ws://evil.example'],
};

describe('what a command is handed in place of the person’s answer', () => {
  for (const [name, args] of Object.entries(handed)) {
    it(`counts for nothing outside tests: ${name} asks`, async () => {
      vscode.clear();
      const { done, dispose } = play(PRODUCTION);
      await vscode.commands.get(`coterie.${name}`)!(...args);
      dispose();
      assert.deepEqual(done, []);
      assert.equal(vscode.settings.size, 0);
      assert.ok(
        vscode.shown.some(({ call }) => /Box|Pick|Dialog/.test(call)),
        'the person is asked',
      );
    });
  }

  it('stands for it in tests inside VS Code', async () => {
    const { done, dispose } = play(TEST);
    for (const [name, args] of Object.entries(handed)) {
      vscode.clear();
      await vscode.commands.get(`coterie.${name}`)!(...args);
      assert.equal(vscode.shown.filter(({ call }) => /Box|Pick|Dialog/.test(call)).length, 0, name);
    }
    dispose();
    assert.equal(vscode.settings.get('relay'), 'ws://evil.example');
    const expected = ['createWorkspace', 'invite', 'importPaths', 'exportPath', 'write', 'list', 'makeFolder'];
    assert.deepEqual(
      done.filter((call) => expected.includes(call)),
      expected,
    );
    for (const call of ['dropDevices', 'continueWorkspace', 'saveWork']) assert.ok(done.includes(call), call);
    vscode.clear();
  });

  it('files named from outside go into no workspace before the person has said so', async () => {
    vscode.clear();
    const { done, dispose } = play(PRODUCTION);
    const uri = vscode.Uri.file('/home/alice/.ssh/id_ed25519');
    await vscode.commands.get('coterie.addToWorkspace')!(uri, [uri]);
    dispose();
    assert.deepEqual(done, []);
    assert.deepEqual(
      vscode.shown.map(({ modal }) => modal),
      [true],
    );
  });

  it('a row of the tree is asked about as it stands there, whatever it is said to say', async () => {
    const member = { account: 'm', name: 'Bob', role: 'guest', self: false };
    const workspace = { id: 'w', name: 'Odyssey', role: 'manager', may: [], tools: [], members: [member] };
    const rows: Readonly<Record<string, object>> = {
      answerJoinRequests: { kind: 'request', request: { id: 'r', workspace: 'w', name: 'Bob', safetyNumber: '123' } },
      answerOffer: { kind: 'offer', offer: { id: 'o', by: 'Bob', name: 'Odyssey', newName: 'Good', role: 'guest' } },
      changeRole: { kind: 'member', workspace, member },
      removeMember: { kind: 'member', workspace, member },
    };
    for (const [name, row] of Object.entries(rows)) {
      vscode.clear();
      const { dispose } = play(PRODUCTION);
      await vscode.commands.get(`coterie.${name}`)!(row);
      dispose();
      const [asked] = vscode.shown;
      assert.match(asked!.text, /Mallory/, name);
      assert.doesNotMatch(asked!.text, /Bob|Odyssey|123/, name);
    }
  });
});
