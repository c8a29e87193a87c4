/** A chat's tab while it is hidden, shown or closed: what the page is told, and what becomes of what cannot be sent or shown. */
import assert from 'node:assert/strict';
import type { FromHost } from '../../src/webviews/chat/messages.ts';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// This imports `vscode`: after its fake.
const { ChatPanel } = await import('../../src/views/chat-panel.ts');
const { window } = await import('vscode');

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
  isClosed = false;
  readonly #webview = {
    options: {},
    html: '',
    cspSource: '',
    asWebviewUri: (uri: unknown) => uri,
    onDidReceiveMessage: (listener: (message: unknown) => void) => (this.#receive.push(listener), nothing),
    postMessage: async (message: FromHost) => this.visible && this.told.push(message) > 0,
  };
  readonly onDidDispose = () => nothing;

  get webview() {
    if (this.isClosed) throw new Error('Webview is disposed');
    return this.#webview;
  }

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

interface Page {
  readonly posts: readonly [];
  readonly more: boolean;
}

const noPosts: Page = { posts: [], more: false };

/** `chat` answers what is to be shown. */
function open(chat: () => Promise<Page> = async () => noPosts) {
  const { promise: post, reject } = later<never>();
  const told: string[] = [];
  const api = { post: () => post, deletePost: () => post, chat, markSeen: async () => undefined };
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
  const close = () => {
    tab.isClosed = true;
    panel.dispose();
  };
  return { tab, panel, told, fail, close };
}

/** A promise that the test settles. */
function later<T>() {
  let [resolve, reject]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

/** The person says yes to whatever is asked meanwhile. */
async function saidYes(work: () => Promise<void>): Promise<void> {
  const { showWarningMessage } = window;
  const yes = async (_text: string, _options: object, button: string) => button;
  Object.assign(window, { showWarningMessage: yes });
  await work().finally(() => Object.assign(window, { showWarningMessage }));
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

describe('A chat that is closed', () => {
  beforeEach(() => vscode.clear());

  it('while it is read, says nothing, whether it could be read or not', async () => {
    for (const asked of [{ type: 'ready' }, { type: 'older', before: 'p' }]) {
      for (const isRead of [true, false]) {
        const page = later<Page>();
        const { tab, told, close } = open(() => page.promise);
        tab.says(asked);
        await settled();
        close();
        if (isRead) page.resolve(noPosts);
        else page.reject(new Error('no'));
        await settled();
        assert.deepEqual([told, vscode.shown], [[], []], `${asked.type}, ${isRead}`);
      }
    }
  });

  it('says nothing of what could not be shown in it while its page was away', async () => {
    const page = later<Page>();
    const { tab, told, close } = open(() => page.promise);
    tab.says({ type: 'ready' });
    await settled();
    tab.show(false);
    page.reject(new Error('no'));
    await settled();
    close();
    assert.deepEqual(told, []);
  });

  it('still says that a message in it was not deleted', async () => {
    const { tab, told, fail, close } = open();
    tab.says({ type: 'ready' });
    await settled();
    await saidYes(async () => {
      tab.says({ type: 'delete', post: 'p' });
      await settled();
    });
    close();
    await fail();
    assert.deepEqual(told, ['Error: no']);
  });
});
