/** What becomes of a message that cannot be sent, while its tab is hidden or closed. */
import assert from 'node:assert/strict';
import type { FromHost } from '../../src/webviews/chat/messages.ts';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// This imports `vscode`: after its fake.
const { ChatPanel } = await import('../../src/views/chat-panel.ts');

const nothing = { dispose: () => undefined };

/** A tab as VS Code has it: what goes to a hidden page is dropped, and the page says `ready` when it is back. */
class Tab {
  readonly told: FromHost[] = [];
  readonly #receive: ((message: unknown) => void)[] = [];
  readonly #changed: (() => void)[] = [];
  visible = true;
  active = true;
  title = '';
  iconPath: unknown;
  readonly webview = {
    options: {},
    html: '',
    cspSource: '',
    asWebviewUri: (uri: unknown) => uri,
    onDidReceiveMessage: (listener: (message: unknown) => void) => (this.#receive.push(listener), nothing),
    postMessage: async (message: FromHost) => this.visible && this.told.push(message) > 0,
  };
  readonly onDidDispose = () => nothing;

  onDidChangeViewState(listener: () => void): typeof nothing {
    this.#changed.push(listener);
    return nothing;
  }

  says(message: unknown): void {
    for (const listener of this.#receive) listener(message);
  }

  show(visible: boolean): void {
    this.visible = visible;
    for (const listener of this.#changed) listener();
  }

  get failures(): readonly (string | undefined)[] {
    return this.told.flatMap((message) => (message.type === 'failed' ? [message.text] : []));
  }
}

function open() {
  let reject: (error: Error) => void = () => undefined;
  const post = new Promise<never>((_, no) => (reject = no));
  const told: string[] = [];
  const api = {
    post: () => post,
    chat: async () => ({ posts: [], more: false }),
    markSeen: async () => undefined,
  };
  const subscribe = () => nothing;
  const house = {
    context: { extensionUri: vscode.Uri.file('/extension') },
    session: { api: async () => api, current: api, events: subscribe, onState: subscribe, shows: subscribe },
    list: { onChange: subscribe, workspace: () => ({ state: 'open' }), tool: () => ({ name: 'Chat', may: ['add'] }) },
    say: {
      textOf: String,
      error: async (error: unknown) => void told.push(String(error)),
      log: { error: () => undefined },
    },
  } as unknown as House;
  const tab = new Tab();
  const panel = new ChatPanel(house, { workspace: 'w', tool: 't' }, tab as never, () => undefined);
  const fail = async () => {
    reject(new Error('no'));
    await post.catch(() => undefined);
    await settled();
  };
  return { tab, panel, told, fail };
}

/** What hangs on promises that are settled has been done. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('A message that cannot be sent', () => {
  it('comes back into its box, with why', async () => {
    const { tab, fail } = open();
    tab.says({ type: 'ready' });
    await settled();
    tab.says({ type: 'post', text: 'hello' });
    await fail();
    assert.deepEqual(tab.failures, ['hello']);
  });

  it('comes back when its tab, that was hidden meanwhile, is shown again, once', async () => {
    const { tab, fail } = open();
    tab.says({ type: 'ready' });
    await settled();
    tab.says({ type: 'post', text: 'hello' });
    tab.show(false);
    await fail();
    tab.show(true);
    assert.deepEqual(tab.failures, []);
    for (let time = 0; time < 2; time++) {
      tab.says({ type: 'ready' });
      await settled();
    }
    assert.deepEqual(tab.failures, ['hello']);
  });

  it('is told, and can be copied, where its tab was closed meanwhile, before it failed or after', async () => {
    for (const isBefore of [true, false]) {
      const { tab, panel, told, fail } = open();
      vscode.clear();
      tab.says({ type: 'ready' });
      await settled();
      tab.says({ type: 'post', text: 'hello' });
      tab.show(false);
      if (isBefore) panel.dispose();
      await fail();
      if (!isBefore) panel.dispose();
      assert.deepEqual(told, []);
      assert.deepEqual(
        vscode.shown.map(({ call, text }) => [call, text]),
        [['showErrorMessage', 'Error: no Your message was not sent, and its chat is closed: hello']],
      );
    }
  });
});
