import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ServiceError, type WorkspaceInfo } from '../../src/service/api.ts';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// This imports `vscode`: after its fake.
const { Say } = await import('../../src/views/say.ts');
const { registerCommands } = await import('../../src/views/commands/register.ts');
const { env, UIKind, window } = await import('vscode');
const { pickTool, pickWorkspace } = await import('../../src/views/targets.ts');

const PRODUCTION = 1;
const TEST = 3;

interface Played {
  readonly house: House;
  readonly done: readonly string[];
  dispose(): void;
}

interface Circumstances {
  /** The row of the tree. */
  readonly selected?: object | undefined;
  /** Of the only workspace. */
  readonly state?: WorkspaceInfo['state'];
  /** What stands where one looks, each time one does; the last stays. */
  readonly versions?: readonly string[];
  /** What the person is out of, or has come back into. */
  readonly closed?: readonly object[];
}

/** Records what the service is asked to do; nothing of what it answers matters here. */
function play(
  extensionMode: number,
  { selected, state = 'open', versions = ['v1'], closed = [] }: Circumstances = {},
): Played {
  const done: string[] = [];
  const answers: Readonly<Record<string, unknown>> = {
    absentDevices: [{ device: 'd', name: 'Laptop', member: 'Bob', mayTakeOut: true, why: {} }],
    continueWorkspace: { workspace: 'w2', files: 0, posts: 0, bytes: 0, absent: [], invited: [] },
    createWorkspace: 'w2',
    list: [],
    invite: { id: 'i', link: 'l', file: 'f' },
  };
  const looks = [...versions];
  const report = { files: 0, folders: 0, bytes: 0, skipped: [], cancelled: false };
  const api = new Proxy(
    {},
    {
      get: (_, name: string) => {
        // What an `await` asks of everything.
        if (name === 'then') return undefined;
        return async () => {
          if (name === 'stat' && looks.length === 0) throw new ServiceError('notFound');
          if (name === 'stat') return { version: looks.length > 1 ? looks.shift() : looks[0] };
          if (name !== 'absentDevices') done.push(name);
          return answers[name] ?? report;
        };
      },
    },
  );
  const tool = { id: 't', name: 'Files', kind: 'files', may: ['add'] };
  const chat = { id: 'c', name: 'Chat', kind: 'chat', may: ['add'] };
  const member = { account: 'm', name: 'Mallory', role: 'guest', self: false, devices: [] };
  const workspace = {
    ...{ id: 'w', name: 'Apollo', state, role: 'manager', may: ['invite', 'uninvite', 'deleteTools'] },
    ...{ tools: [tool, chat], members: [member], sync: { missingBytes: 0 } },
  };
  const asks = { id: 'r', workspace: 'w', name: 'Mallory', role: 'guest', safetyNumber: '666' };
  const offer = { id: 'o', by: 'Mallory', name: 'Apollo', newName: 'Trap', role: 'guest', safetyNumber: '666' };
  const say = new Say(() => ({ error: () => undefined }) as never);
  const house = {
    say: { guard: say.guard.bind(say), show: say.show.bind(say) },
    session: { api: async () => api, events: () => ({ dispose: () => undefined }), state: { kind: 'open' } },
    list: {
      workspaces: [workspace],
      lists: { closed, requests: [asks], offers: [offer], joins: [], workspaces: [workspace] },
      reload: async () => undefined,
      workspace: () => workspace,
    },
    begin: async () => api,
    context: { extensionMode, globalState: { get: () => [], update: async () => undefined } },
  } as unknown as House;
  const parts = { house, joins: {} as never, chats: {} as never, selected: () => selected as never };
  const held = registerCommands(parts);
  return { house, done, dispose: () => held.dispose() };
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

describe('which file a command of the palette or a key is about', () => {
  const place = { workspace: { id: 'aa' }, tool: 'bb' };
  const row = { kind: 'entry', ...place, path: '/src/index.ts', entry: { name: 'index.ts', kind: 'file' } };
  const folder = { kind: 'entry', ...place, path: '/docs', entry: { name: 'docs', kind: 'folder' } };
  const chat = { kind: 'tool', workspace: { id: 'aa' }, tool: { id: 'cc', kind: 'chat' } };
  const member = { kind: 'member', workspace: { id: 'aa' }, member: { account: 'm' } };
  const workspace = { kind: 'workspace', workspace: { id: 'aa' } };
  const others = [undefined, workspace, chat, member];
  const open = (path: string) => vscode.Uri.from({ scheme: 'coterie', authority: 'aa.bb', path });
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly contributes: { readonly keybindings: readonly { readonly command: string; readonly args?: unknown }[] };
  };
  const keys = manifest.contributes.keybindings;

  /** What the person is shown when a command is run while a row is selected. */
  async function run(name: string, selected?: object, ...args: readonly unknown[]): Promise<readonly string[]> {
    vscode.clear();
    const { dispose } = play(PRODUCTION, { selected });
    await vscode.commands.get(name)!(...args);
    dispose();
    return vscode.shown.map(({ text }) => text);
  }

  afterEach(() => vscode.showTab());

  it('from the palette it is the file in front, whatever row is selected, and the dialog names its path', async () => {
    for (const kind of ['text', 'custom'] as const) {
      vscode.showTab(kind, open('/test/index.ts'));
      for (const selected of [row, ...others]) {
        assert.deepEqual(await run('coterie.deleteItem', selected), ['Delete test/index.ts, for every member?']);
        assert.deepEqual(await run('coterie.renameItem', selected), ['Rename']);
        assert.deepEqual(await run('coterie.copyPath', selected), []);
        assert.equal(vscode.copied, '/test/index.ts');
      }
    }
  });

  it('where no shared file is in front it is the row that is selected, and where that is none it is said', async () => {
    vscode.showTab('text', vscode.Uri.file('/home/alice/index.ts'));
    assert.deepEqual(await run('coterie.deleteItem', row), ['Delete src/index.ts, for every member?']);
    assert.deepEqual(await run('coterie.deleteItem', folder), ['Delete docs, for every member?']);
    await run('coterie.copyPath', row);
    assert.equal(vscode.copied, '/src/index.ts');
    for (const selected of others) {
      for (const name of ['deleteItem', 'renameItem', 'copyPath']) {
        const [told, ...more] = await run(`coterie.${name}`, selected);
        assert.match(told!, /^No file or folder is selected/, name);
        assert.deepEqual(more, []);
      }
    }
    assert.equal(vscode.copied, '/src/index.ts');
  });

  it('the keys of the tree are about its selection alone, never about the file in front', async () => {
    assert.deepEqual(
      keys.map(({ command }) => command),
      ['coterie.renameItem', 'coterie.deleteItem'],
    );
    vscode.showTab('text', open('/test/index.ts'));
    for (const { command, args } of keys) {
      for (const selected of others) {
        const [told, ...more] = await run(command, selected, args);
        assert.match(told!, /^No file or folder is selected/, command);
        assert.deepEqual(more, []);
      }
      const asked = { 'coterie.renameItem': 'Rename', 'coterie.deleteItem': 'Delete src/index.ts, for every member?' };
      assert.deepEqual(await run(command, row, args), [asked[command as keyof typeof asked]]);
    }
  });

  it('from the menu of a row it is that row', async () => {
    vscode.showTab('text', open('/test/index.ts'));
    assert.deepEqual(await run('coterie.deleteItem', row, folder), ['Delete docs, for every member?']);
  });
});

describe('F2 a file that is deleted after its person was asked', () => {
  const row = { kind: 'entry', workspace: { id: 'aa' }, tool: 'bb', path: '/plan.md', entry: { kind: 'file' } };

  /** What the service is asked for, and the person shown after the question. */
  async function remove(...versions: readonly string[]): Promise<readonly string[]> {
    vscode.clear();
    const { done, dispose } = play(PRODUCTION, { versions });
    const asked = vscode.answerNext('Delete');
    await vscode.commands.get('coterie.deleteItem')!(row);
    dispose();
    assert.ok(asked.isAnswered);
    return [...done, ...vscode.shown.slice(1).map(({ text }) => text)];
  }

  it('goes as he saw it, and not with what another has saved, or put in its place, while the question stood', async () => {
    assert.deepEqual(await remove('v1'), ['remove']);
    const [told, ...more] = await remove('v1', 'v2');
    assert.match(told!, /plan\.md was changed by another member.*Nothing was deleted/);
    assert.deepEqual(more, []);
  });
});

describe('what is added is chosen in a dialog that offers it', () => {
  const { platform } = process;
  const { showOpenDialog, showQuickPick } = window;

  afterEach(() => {
    Object.defineProperty(process, 'platform', { value: platform });
    Object.assign(env, { uiKind: UIKind.Desktop, remoteName: undefined });
    Object.assign(window, { showOpenDialog, showQuickPick });
  });

  /** What the person may choose, where he is asked first what it is and takes the row of that number. */
  async function offered(row: number): Promise<string> {
    let asked = false;
    let offers = '';
    Object.assign(window, {
      showQuickPick: async (rows: readonly unknown[]) => ((asked = true), rows[row]),
      showOpenDialog: async ({ canSelectFiles, canSelectFolders }: Record<string, unknown>) => {
        offers = [...(canSelectFiles ? ['files'] : []), ...(canSelectFolders ? ['folders'] : [])].join(' and ');
      },
    });
    const { dispose } = play(PRODUCTION);
    await vscode.commands.get('coterie.addFiles')!('t');
    dispose();
    return asked ? `${offers}, asked first` : offers;
  }

  it('files or folders where the system has no dialog for both, and then VS Code would offer folders alone', async () => {
    for (const value of ['win32', 'linux']) {
      Object.defineProperty(process, 'platform', { value });
      assert.equal(await offered(0), 'files, asked first', value);
      assert.equal(await offered(1), 'folders, asked first', value);
    }
  });

  it('both where there is one: on macOS, in a browser, on another machine', async () => {
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    assert.equal(await offered(0), 'files and folders');
    Object.defineProperty(process, 'platform', { value: 'linux' });
    Object.assign(env, { uiKind: UIKind.Web });
    assert.equal(await offered(0), 'files and folders');
    Object.assign(env, { uiKind: UIKind.Desktop, remoteName: 'ssh-remote' });
    assert.equal(await offered(0), 'files and folders');
  });
});

describe('what a command names that is not there any more', () => {
  const NOTHING = 'There is nothing here that this could be done with.';
  const work = [{ kind: 'post', text: 'hello' }];
  const back = { id: 'w2', name: 'Gemini', how: 'dropped', isBack: true, isAsking: false, work };
  const dropped = { ...back, id: 'w3', name: 'Mercury', isBack: false, work: [] };

  /** What the service is asked for and the person is shown. */
  async function run(name: string, ...args: readonly unknown[]): Promise<readonly string[]> {
    vscode.clear();
    const { done, dispose } = play(PRODUCTION, { closed: [back, dropped] });
    await vscode.commands.get(`coterie.${name}`)!(...args);
    dispose();
    return [...done, ...vscode.shown.map(({ text }) => text)];
  }

  it('is put back, fetched or opened in no other’s place: by the button of a notice, or on its row', async () => {
    const row = { kind: 'closed', closed: { ...back, id: 'gone' } };
    for (const name of ['putBack', 'fetchAgain']) {
      for (const named of ['gone', row]) assert.deepEqual(await run(name, named), [NOTHING], name);
    }
    for (const name of ['renewCopy', 'dropDevices', 'permissions', 'continueWorkspace', 'showNotAccepted'])
      assert.deepEqual(await run(name, 'gone'), [NOTHING], name);
    for (const named of ['gone', row]) assert.deepEqual(await run('saveWork', named), [NOTHING]);
    assert.deepEqual(await run('freezeDevice', 'gone', 'device'), [NOTHING]);
    const member = { kind: 'member', workspace: { id: 'w' }, member: { account: 'gone', name: 'Bob' } };
    for (const name of ['removeMember', 'changeRole']) assert.deepEqual(await run(name, member), [NOTHING], name);
    const tool = { kind: 'tool', workspace: { id: 'w' }, tool: { id: 'gone', kind: 'files' } };
    for (const name of ['openAsFolder', 'exportItem', 'deleteTool'])
      assert.deepEqual(await run(name, tool), [NOTHING], name);
  });

  it('nothing is added above a folder that has gone since the explorer showed it', async () => {
    vscode.clear();
    const { done, dispose } = play(TEST, { versions: [] });
    const uri = vscode.Uri.from({ scheme: 'coterie', authority: 'aa.bb', path: '/docs' });
    await vscode.commands.get('coterie.addFiles')!(uri, ['/home/alice/plan.md']);
    dispose();
    assert.deepEqual(done, []);
  });

  it('and what is there is found by its id, by its row, and where nothing is named', async () => {
    assert.equal((await run('putBack', back.id))[0], 'putBack');
    assert.equal((await run('putBack'))[0], 'putBack');
    assert.equal((await run('fetchAgain', { kind: 'closed', closed: dropped }))[0], 'fetchAgain');
    assert.deepEqual(await run('renewCopy', 'w'), ['Fetch a fresh copy of Apollo?']);
  });
});

describe('L7 a workspace that this machine was dropped from', () => {
  const none = { name: 'Gemini', isAsking: false, work: [] };
  const dropped = { ...none, id: 'w2', how: 'dropped', isBack: false };
  const left = { ...none, id: 'w3', how: 'left', isBack: false };

  async function forget(closed: object): Promise<readonly string[]> {
    vscode.clear();
    const { done, dispose } = play(PRODUCTION, { closed: [closed] });
    await vscode.commands.get('coterie.forgetWorkspace')!({ kind: 'closed', closed });
    dispose();
    return [...done, ...vscode.shown.map(({ text }) => text)];
  }

  it('is not removed from the list, and the way back with it, before the person has said so', async () => {
    assert.deepEqual(await forget(dropped), ['Remove Gemini from the list?']);
    assert.deepEqual(await forget(left), ['forget']);
  });
});

describe('A8 of a workspace that was deleted for all', () => {
  const NOTHING = 'There is nothing here that this could be done with.';
  const tool = (id: string, kind: string) => ({ kind: 'tool', workspace: { id: 'w' }, tool: { id, kind } });
  const rows = { files: tool('t', 'files'), chat: tool('c', 'chat') };

  /** What the service is asked for and the person is shown, on a row of a workspace in this state. */
  async function run(state: WorkspaceInfo['state'], name: string, ...args: readonly unknown[]): Promise<string[]> {
    vscode.clear();
    const { done, dispose } = play(TEST, { state });
    await vscode.commands.get(`coterie.${name}`)!(...args);
    dispose();
    return [...done, ...vscode.shown.map(({ text }) => text)];
  }

  async function chatOf(state: WorkspaceInfo['state']): Promise<string | undefined> {
    vscode.clear();
    const { house, dispose } = play(TEST, { state });
    const target = await pickTool(house, rows.chat, 'chat');
    dispose();
    return target?.tool.name;
  }

  it('what is done with a workspace that is open is done with no other in its place', async () => {
    vscode.clear();
    const { house, dispose } = play(TEST, { state: 'open' });
    const elsewhere = { ...rows.files, workspace: { id: 'deleted' } };
    assert.equal((await pickWorkspace(house, rows.files))?.name, 'Apollo');
    assert.equal(await pickWorkspace(house, elsewhere), undefined);
    assert.equal((await pickWorkspace(house, undefined))?.name, 'Apollo');
    dispose();
    assert.deepEqual(
      vscode.shown.map(({ text }) => text),
      [NOTHING],
    );
  });

  it('what is there is exported, opened in the explorer and read in its chat', async () => {
    for (const state of ['open', 'closed'] as const) {
      assert.ok((await run(state, 'exportItem', rows.files, '/home/alice/out')).includes('exportPath'), state);
      assert.deepEqual(await run(state, 'openAsFolder', rows.files), ['Apollo – Files']);
      assert.equal(await chatOf(state), 'Chat');
    }
  });

  it('nothing is written, whatever it says that one may', async () => {
    for (const name of ['addFiles', 'newFile', 'newFolder', 'renameTool', 'deleteTool']) {
      assert.deepEqual(await run('closed', name, rows.files, 'x'), [NOTHING], name);
    }
  });

  it('one that is only being joined offers nothing yet', async () => {
    for (const name of ['exportItem', 'openAsFolder', 'newFile']) {
      assert.deepEqual(await run('joining', name, rows.files, 'x'), [NOTHING], name);
    }
    assert.equal(await chatOf('joining'), undefined);
  });
});
