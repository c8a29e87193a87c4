/** Shared files as VS Code's own while others change them: what a save builds upon, and which tabs hear of a change. */
import assert from 'node:assert/strict';
import { Emitter } from '../../src/base/event.ts';
import { type FileChange, ServiceError, type ServiceEvent } from '../../src/service/api.ts';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// These import `vscode`: after its fake.
const { CoterieFiles } = await import('../../src/views/files/provider.ts');
const { Say } = await import('../../src/views/say.ts');
const { OpenEditors } = await import('../../src/views/files/open-editors.ts');
const { FileChangeType, window, workspace } = await import('vscode');

const [WORKSPACE, TOOL] = ['aa', 'bb'];
const uriOf = (path: string) =>
  vscode.Uri.from({ scheme: 'coterie', authority: `${WORKSPACE}.${TOOL}`, path }) as never;

interface Tab {
  readonly path: string;
  isDirty?: boolean;
}

/** Files by path, each by its version; whoever else is in the workspace changes them by `files` and tells by `hear`. */
function open(...tabs: readonly Tab[]) {
  const files = new Map<string, string>();
  const written: unknown[] = [];
  const told: string[] = [];
  const events = new Emitter<ServiceEvent>();
  const states = new Emitter<{ readonly kind: string }>();
  const entryAt = (path: string) => {
    const version = files.get(path);
    if (version === undefined) throw new ServiceError('notFound', { path });
    return {
      kind: 'file',
      version,
      bytes: 1,
      created: 1,
      modified: 1,
      modifiedBy: 'Bob',
      unread: false,
      present: true,
    };
  };
  const api = {
    rename: async (_w: string, _t: string, _from: string, path: string) => {
      throw new ServiceError('exists', { path });
    },
    stat: async (_w: string, _t: string, path: string) => entryAt(path),
    read: async () => new Uint8Array(1),
    write: async (_w: string, _t: string, path: string, _bytes: Uint8Array, { base }: { readonly base?: string }) => {
      written.push({ path, base });
      files.set(path, 'ours');
      return 'ours';
    },
  };
  const house = {
    session: { api: async () => api, current: api, events: events.event, onState: states.event },
    list: { tool: () => undefined, workspace: () => undefined },
    say: new Say(() => ({ error: () => undefined }) as never),
  } as unknown as House;
  const documents = tabs.map((tab) => Object.assign(tab, { uri: uriOf(tab.path) }));
  Object.assign(workspace, { textDocuments: documents, onDidCloseTextDocument: () => ({ dispose: () => undefined }) });
  const never = () => ({ dispose: () => undefined });
  Object.assign(window, {
    tabGroups: { all: [], activeTabGroup: {}, onDidChangeTabs: never, onDidChangeTabGroups: never },
  });
  const provider = new CoterieFiles(house);
  new OpenEditors(house, provider);
  const names = {
    [FileChangeType.Changed]: 'changed',
    [FileChangeType.Created]: 'created',
    [FileChangeType.Deleted]: 'deleted',
  };
  provider.onDidChangeFile((changes) => told.push(...changes.map(({ type, uri }) => `${names[type]} ${uri.path}`)));
  const settle = () => new Promise(setImmediate);
  const hear = async (...changes: readonly FileChange[]): Promise<readonly string[]> => {
    events.fire({ type: 'files', workspace: WORKSPACE, tool: TOOL, changes });
    await settle();
    return told.splice(0);
  };
  const reconnect = async () => {
    states.fire({ kind: 'open' });
    await settle();
  };
  return { files, provider, written, hear, reconnect };
}

const save = { create: true, overwrite: true };

describe('the file system of shared files, while others change them', () => {
  const before = [{ ...window }, { ...workspace }];
  beforeEach(() => vscode.clear());
  after(() => {
    Object.assign(window, before[0]);
    Object.assign(workspace, before[1]);
  });

  it('F2 what is typed in a tab whose file was deleted is no version of the file that came in its place', async () => {
    const tab: Tab = { path: '/plan.md' };
    const { files, provider, written } = open(tab);
    files.set('/plan.md', 'v1');
    await provider.readFile(uriOf('/plan.md'));
    files.delete('/plan.md');
    await assert.rejects(provider.stat(uriOf('/plan.md')), { code: 'FileNotFound' });
    tab.isDirty = true;
    files.set('/plan.md', 'of another file');
    await provider.stat(uriOf('/plan.md'));
    await provider.writeFile(uriOf('/plan.md'), new Uint8Array(1), save);
    assert.deepEqual(written, [{ path: '/plan.md', base: 'v1' }]);
  });

  it('what is gone, and shown in no tab, is forgotten', async () => {
    const { files, provider, written } = open();
    files.set('/plan.md', 'v1');
    await provider.readFile(uriOf('/plan.md'));
    files.delete('/plan.md');
    await assert.rejects(provider.stat(uriOf('/plan.md')), { code: 'FileNotFound' });
    await provider.writeFile(uriOf('/plan.md'), new Uint8Array(1), save);
    assert.deepEqual(written, [{ path: '/plan.md', base: undefined }]);
  });

  it('F4 where a name is taken, be it in other letters, that name is said to be', async () => {
    const { provider } = open();
    const renamed = provider.rename(uriOf('/plan.md'), uriOf('/README.MD'), { overwrite: false });
    const about = '/README.MD exists already. Nothing was overwritten. Choose another name.';
    await assert.rejects(renamed, { code: 'FileExists', about });
  });

  it('a tab hears of the folder that it is in: of another that has come in its place, or is back', async () => {
    const { files, hear } = open({ path: '/docs/plan.md' }, { path: '/docs/old/list.md' }, { path: '/docs.md' });
    files.set('/docs/plan.md', 'v2');
    for (const type of ['changed', 'created'] as const) {
      assert.deepEqual(await hear({ path: '/docs', type }), [
        `${type} /docs`,
        // What VS Code holds for deleted it reads again only if it is created.
        'created /docs/plan.md',
        'deleted /docs/old/list.md',
      ]);
    }
    assert.deepEqual(await hear({ path: '/docs', type: 'deleted' }), ['deleted /docs']);
    assert.deepEqual(await hear({ path: '/docs.md', type: 'changed' }), ['changed /docs.md']);
  });

  it('who has unsaved text is told of a newer version that comes with its folder, or while nobody told', async () => {
    for (const how of ['folder', 'reconnect'] as const) {
      vscode.clear();
      const { files, provider, hear, reconnect } = open({ path: '/docs/plan.md', isDirty: true });
      files.set('/docs/plan.md', 'v1');
      provider.versions.read(String(uriOf('/docs/plan.md')), 'v1');
      files.set('/docs/plan.md', 'v2');
      if (how === 'folder') await hear({ path: '/docs', type: 'changed' });
      else await reconnect();
      assert.deepEqual(
        vscode.shown.map(({ text }) => text.slice(0, 26)),
        ['plan.md was changed by Bob'],
        how,
      );
    }
  });
});
