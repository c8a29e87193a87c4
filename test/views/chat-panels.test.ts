/** Which tabs of chats are closed, and brought to the front, when one is opened. A tab may hold what is not sent. */
import assert from 'node:assert/strict';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// These import `vscode`: after its fake.
const { CHAT_VIEW, ChatPanels } = await import('../../src/views/chat-panels.ts');
const { env, TabInputWebview, Uri, window } = await import('vscode');

const nothing = { dispose: () => undefined };

/** A tab with a panel, or asleep, without. Its label follows the panel's title later, as in VS Code. */
class Tab {
  readonly input = new TabInputWebview(`mainThreadWebview-${CHAT_VIEW}`);
  label: string;
  isClosed = false;
  revealed = 0;
  says: (message: unknown) => void = () => undefined;
  readonly #disposed: (() => void)[] = [];
  readonly panel;

  constructor(label: string) {
    this.label = label;
    this.panel = {
      title: label,
      iconPath: undefined,
      visible: true,
      active: true,
      webview: {
        options: {},
        html: '',
        cspSource: '',
        asWebviewUri: (uri: unknown) => uri,
        onDidReceiveMessage: (listener: (message: unknown) => void) => ((this.says = listener), nothing),
        postMessage: async () => true,
      },
      onDidChangeViewState: () => nothing,
      onDidDispose: (listener: () => void) => (this.#disposed.push(listener), nothing),
      reveal: () => void this.revealed++,
      dispose: () => this.close(),
    };
  }

  close(): void {
    this.isClosed = true;
    for (const listener of this.#disposed.splice(0)) listener();
  }
}

/** Chats by the name of their workspace, which all have one called Chat. */
function open(names: Readonly<Record<string, string>>) {
  const tabs: Tab[] = [];
  const tools = [{ id: 't', name: 'Chat', kind: 'chat', may: ['add'] }];
  const workspaces = Object.entries(names).map(([id, name]) => ({ id, name, state: 'open', tools }));
  const workspace = (wanted: string) => workspaces.find(({ id }) => id === wanted);
  const subscribe = () => nothing;
  const house = {
    context: {
      extensionUri: Uri.file('/extension'),
      workspaceState: { get: () => undefined, update: async () => undefined },
    },
    session: { events: subscribe, onState: subscribe },
    list: { onChange: subscribe, workspaces, workspace, tool: (id: string) => workspace(id)?.tools[0] },
  } as unknown as House;
  const add = (label: string) => {
    const tab = new Tab(label);
    tabs.push(tab);
    return tab;
  };
  Object.assign(window, {
    registerWebviewPanelSerializer: subscribe,
    createWebviewPanel: (_type: string, title: string) => add(title).panel,
    tabGroups: {
      get all() {
        return [{ tabs: tabs.filter(({ isClosed }) => !isClosed) }];
      },
      close: async (closed: readonly Tab[]) => {
        for (const tab of closed) tab.close();
      },
    },
  });
  const chats = new ChatPanels(house);
  const show = async (id: string) => {
    await chats.openChat({ kind: 'tool', workspace: workspace(id), tool: tools[0] });
    return tabs.at(-1)!;
  };
  const label = (tab: Tab) => void (tab.label = tab.panel.title);
  const wake = (tab: Tab, id: string) =>
    chats.deserializeWebviewPanel(tab.panel as never, { workspace: id, tool: 't', draft: '' });
  return { show, label, wake, add, tabs, erase: (id: string) => chats.closeOf(id) };
}

describe('A chat that is opened', () => {
  // All tests of a process share the fake.
  const before = { ...window };
  after(() => Object.assign(window, before));

  it('closes its tab that sleeps, and no other', async () => {
    const { show, add } = open({ a: 'Apollo', b: 'Gemini' });
    const [apollo, gemini] = [add('Chat – Apollo'), add('Chat – Gemini')];
    await show('a');
    assert.deepEqual([apollo.isClosed, gemini.isClosed], [true, false]);
  });

  it('closes none of another chat that is open and has the same title', async () => {
    const { show, label } = open({ a: 'Apollo', b: 'Apollo' });
    const first = await show('a');
    label(first);
    await show('b');
    assert.equal(first.isClosed, false);
  });

  it('closes none that sleeps where another chat has the same title', async () => {
    const { show, add } = open({ a: 'Apollo', b: 'Apollo' });
    const asleep = add('Chat – Apollo');
    await show('b');
    assert.equal(asleep.isClosed, false);
  });

  it('closes none while one that is open has another’s title on its tab', async () => {
    const { show, add, wake } = open({ a: 'Apollo', b: 'Gemini' });
    // It was called so before.
    const renamed = add('Chat – Gemini');
    await wake(renamed, 'a');
    assert.equal(renamed.panel.title, 'Chat – Apollo');
    await show('b');
    assert.equal(renamed.isClosed, false);
  });

  it('comes to the front where it is open, and where a tab of it that slept is gone to, which is closed', async () => {
    const { show, label, wake, add, tabs } = open({ a: 'Apollo', b: 'Apollo' });
    const asleep = add('Chat – Apollo');
    const first = await show('a');
    label(first);
    await show('a');
    assert.equal(first.revealed, 1);
    await wake(asleep, 'a');
    assert.deepEqual([asleep.isClosed, first.isClosed, first.revealed], [true, false, 2]);
    assert.equal(tabs.length, 2);
  });
});

describe('A link in a chat', () => {
  const before = { ...window };
  after(() => Object.assign(window, before));

  it('is opened as it stands, since VS Code would write it anew', async () => {
    const opened: unknown[] = [];
    Object.assign(env, { openExternal: async (target: unknown) => opened.push(target) });
    const { show } = open({ a: 'Apollo' });
    const href = 'https://example.com/C%23?q=C%2B%2B%26D#%25';
    (await show('a')).says({ type: 'open', href });
    assert.deepEqual(opened, [href]);
  });
});

describe('A chat of a workspace that is erased', () => {
  const before = { ...window };
  after(() => Object.assign(window, before));

  it('closes, and what was written in it can be copied', async () => {
    const { show, erase } = open({ a: 'Apollo', b: 'Gemini' });
    const [apollo, gemini] = [await show('a'), await show('b')];
    for (const { says } of [apollo, gemini]) says({ type: 'unsent', unsent: { draft: 'half', put: 'put aside' } });
    vscode.clear();
    erase('a');
    assert.deepEqual([apollo.isClosed, gemini.isClosed], [true, false]);
    assert.deepEqual(
      vscode.shown.map(({ text }) => text),
      ['Your message was not sent, and its chat is closed: put aside\nhalf'],
    );
  });
});
