/** A chat's tab while it is hidden, shown or closed: what the page is told, and what becomes of what cannot be sent or shown. */
import assert from 'node:assert/strict';
import type { FromHost, ShownPost, Unsent } from '../../src/webviews/chat/messages.ts';
import type { House } from '../../src/views/house.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// This imports `vscode`: after its fake.
const { ChatDrafts } = await import('../../src/views/chat-drafts.ts');
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
  readonly posts: readonly ShownPost[];
  readonly more: boolean;
}

const noPosts: Page = { posts: [], more: false };

/** What VS Code keeps for the window over a restart, as text. */
function memento() {
  let kept: string | undefined;
  return {
    get: () => (kept === undefined ? undefined : JSON.parse(kept)) as unknown,
    update: async (_key: string, value: unknown) => void (kept = JSON.stringify(value)),
  };
}

/** `chat` answers what is to be shown. */
function open(chat: () => Promise<Page> = async () => noPosts, state = memento()) {
  const { promise: post, reject, resolve } = later<undefined>();
  const told: string[] = [];
  const api = { post: () => post, editPost: () => post, deletePost: () => post, chat, markSeen: async () => undefined };
  const subscribe = () => nothing;
  let events: (event: object) => void = () => undefined;
  let states: (state: object) => void = () => undefined;
  let lists: () => void = () => undefined;
  const known = { state: 'open', may: ['add'] as readonly string[] };
  const house = {
    context: { extensionUri: vscode.Uri.file('/extension') },
    session: {
      api: async () => api,
      current: api,
      events: (listener: typeof events) => ((events = listener), nothing),
      onState: (listener: typeof states) => ((states = listener), nothing),
      shows: subscribe,
    },
    list: {
      onChange: (listener: typeof lists) => ((lists = listener), nothing),
      workspace: () => ({ state: known.state }),
      tool: () => ({ name: 'Chat', may: known.may }),
    },
    say: {
      textOf: String,
      error: async (error: unknown) => void told.push(String(error)),
      log: { error: () => undefined },
    },
  } as unknown as House;
  const drafts = new ChatDrafts(state as never);
  const show = () => {
    const tab = new Tab();
    return { tab, panel: new ChatPanel(house, { workspace: 'w', tool: 't' }, tab as never, drafts, () => undefined) };
  };
  const { tab, panel } = show();
  const reopen = () => show().tab;
  const fail = async (error = new Error('no')) => {
    reject(error);
    await post.catch(() => undefined);
    await settled();
  };
  const succeed = async () => {
    resolve(undefined);
    await settled();
  };
  const close = () => {
    tab.isClosed = true;
    panel.dispose();
  };
  const happens = (event: object) => events({ workspace: 'w', tool: 't', ...event });
  const allow = (may: readonly string[], state = 'open') => {
    Object.assign(known, { may, state });
    lists();
  };
  const reconnect = () => states({ kind: 'open' });
  return { tab, panel, told, fail, succeed, close, reopen, allow, happens, reconnect };
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

/** The person presses the button below whatever is said to have failed meanwhile. */
async function pressing(work: () => Promise<void>): Promise<void> {
  const { showErrorMessage } = window;
  const press = async (text: string, button: string) => (await showErrorMessage(text), button);
  Object.assign(window, { showErrorMessage: press });
  await work().finally(() => Object.assign(window, { showErrorMessage }));
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

  it('comes back as an edit of its message where it was one', async () => {
    const { tab, fail } = open();
    tab.says({ type: 'ready' });
    await settled();
    tab.says({ type: 'edit', post: 'p', text: 'hello' });
    await fail();
    assert.deepEqual(tab.told.at(-1), { type: 'failed', sentence: 'Error: no', text: 'hello', post: 'p' });
  });

  it('comes back as one of its own where it was to change one that is deleted', async () => {
    const { tab, fail } = open();
    tab.says({ type: 'ready' });
    await settled();
    tab.says({ type: 'edit', post: 'p', text: 'hello' });
    await fail(Object.assign(new Error('no'), { code: 'notFound' }));
    assert.deepEqual(tab.told.at(-1), { type: 'failed', sentence: 'Error: no', text: 'hello' });
  });

  it('is told, and can be copied, where its tab was closed meanwhile, before it failed or after', async () => {
    const cases = [
      [{ type: 'post' }, 'Your message was not sent, and its chat is closed'],
      [{ type: 'edit', post: 'p' }, 'Your change to a message was not saved, and its chat is closed'],
    ] as const;
    for (const [asked, words] of cases) {
      for (const isBefore of [true, false]) {
        const { tab, panel, told, fail } = open();
        vscode.clear();
        tab.says({ type: 'ready' });
        await settled();
        const text = `${asked.type} ${isBefore}`;
        tab.says({ ...asked, text });
        tab.show(false);
        await pressing(async () => {
          if (isBefore) panel.dispose();
          await fail();
          if (!isBefore) panel.dispose();
          await settled();
        });
        assert.deepEqual(told, []);
        assert.deepEqual(
          vscode.shown.map((shown) => [shown.call, shown.text]),
          [['showErrorMessage', `Error: no ${words}: ${text}`]],
        );
        assert.equal(vscode.copied, text);
      }
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

describe('A chat that is to be shown while it is being read', () => {
  /** What is read is given one after another. */
  function openSlowly() {
    const pages: ReturnType<typeof later<Page>>[] = [];
    const opened = open(() => {
      const page = later<Page>();
      pages.push(page);
      return page.promise;
    });
    return { ...opened, pages };
  }

  const snapshots = (tab: Tab) => tab.told.flatMap((message) => (message.type === 'snapshot' ? [message.more] : []));

  it('is read once more after that, and then told what has happened meanwhile', async () => {
    const { tab, pages, happens, reconnect } = openSlowly();
    tab.says({ type: 'ready' });
    await settled();
    for (let time = 0; time < 3; time++) reconnect();
    happens({ type: 'chat', posts: [], removed: ['p'] });
    await settled();
    assert.equal(pages.length, 1);
    pages[0]!.resolve({ ...noPosts, more: true });
    await settled();
    assert.equal(pages.length, 2);
    pages[1]!.resolve(noPosts);
    await settled();
    assert.deepEqual(snapshots(tab), [true, false]);
    assert.equal(pages.length, 2);
    assert.equal(tab.told.at(-1)?.type, 'posts');
  });

  it('gives back what failed when the page that is there now has been shown it, and tells it nothing older', async () => {
    const { tab, pages, fail, happens } = openSlowly();
    tab.says({ type: 'ready' });
    await settled();
    tab.says({ type: 'post', text: 'hello' });
    happens({ type: 'chat', posts: [], removed: [] });
    tab.show(false);
    happens({ type: 'chat', posts: [], removed: [] });
    await fail();
    pages[0]!.resolve(noPosts);
    tab.show(true);
    tab.says({ type: 'ready' });
    await settled();
    assert.deepEqual(tab.failures, []);
    pages[1]!.resolve(noPosts);
    await settled();
    assert.deepEqual(tab.failures, ['hello']);
    assert.ok(tab.told.every(({ type }) => type !== 'posts'));
  });

  it('gives nothing back to a page that has not been shown it, and may have a draft', async () => {
    const { tab, pages, fail, reconnect } = openSlowly();
    tab.says({ type: 'ready' });
    await settled();
    pages[0]!.resolve(noPosts);
    await settled();
    tab.says({ type: 'post', text: 'hello' });
    tab.show(false);
    await fail();
    tab.show(true);
    tab.says({ type: 'ready' });
    await settled();
    pages[1]!.reject(new Error('no'));
    await settled();
    assert.deepEqual(tab.failures, [undefined]);
    reconnect();
    await settled();
    pages[2]!.resolve(noPosts);
    await settled();
    assert.deepEqual(tab.failures, [undefined, 'hello']);
  });

  it('is not said to have failed where it was read the second time', async () => {
    const { tab, pages, reconnect } = openSlowly();
    tab.says({ type: 'ready' });
    await settled();
    reconnect();
    pages[0]!.reject(new Error('no'));
    await settled();
    pages[1]!.resolve(noPosts);
    await settled();
    assert.deepEqual([snapshots(tab), tab.failures], [[false], []]);
  });
});

describe('What is written in a chat and not sent', () => {
  const unsentIn = (tab: Tab) => tab.told.find((message) => message.type === 'snapshot')?.unsent;

  it('is there again when its tab was closed, and the chat is opened anew, also after a restart', async () => {
    const state = memento();
    const unsent: Unsent = { draft: 'half', put: '', later: [{ post: 'p', text: 'an edit' }] };
    const first = open(undefined, state);
    first.tab.says({ type: 'unsent', unsent });
    first.close();
    const second = open(undefined, state);
    second.tab.says({ type: 'ready' });
    await settled();
    assert.deepEqual(unsentIn(second.tab), unsent);
    second.tab.says({ type: 'unsent', unsent: { draft: ' ', later: [] } });
    second.close();
    const third = open(undefined, state);
    third.tab.says({ type: 'ready' });
    await settled();
    assert.equal(unsentIn(third.tab), undefined);
  });

  it('comes back after a restart where it was being sent, as long as it does not stand there', async () => {
    const mine = { self: true, text: 'hello', time: Date.now() + 1000 } as ShownPost;
    const before = { ...mine, id: 'before', time: 0 };
    const cases: [readonly ShownPost[], object, readonly string[]][] = [
      [[before], { type: 'post', text: 'hello' }, ['hello']],
      [[{ ...mine, self: false }], { type: 'post', text: 'hello' }, ['hello']],
      [[mine], { type: 'post', text: 'hello' }, []],
      [[{ ...before, text: 'other' }], { type: 'edit', post: 'before', text: 'hello' }, ['hello']],
      [[before], { type: 'edit', post: 'before', text: 'hello' }, []],
    ];
    for (const [posts, said, failures] of cases) {
      const state = memento();
      const { tab, panel, fail } = open(undefined, state);
      tab.says({ type: 'ready' });
      await settled();
      tab.says(said);
      panel.leave();
      await fail();
      for (const due of [failures, []]) {
        const again = open(async () => ({ posts, more: false }), state);
        again.tab.says({ type: 'ready' });
        await settled();
        assert.deepEqual(again.tab.failures, due);
      }
    }
  });

  it('is not taken for what VS Code ended with where it is still being sent as its chat is opened again', async () => {
    const { tab, reopen, fail, close } = open();
    tab.says({ type: 'ready' });
    await settled();
    tab.says({ type: 'post', text: 'hello' });
    close();
    const again = reopen();
    again.says({ type: 'ready' });
    await settled();
    assert.deepEqual(again.failures, []);
    await fail();
  });

  it('does not where it was sent, or was told to have failed', async () => {
    for (const isSent of [true, false]) {
      const state = memento();
      const { tab, fail, succeed } = open(undefined, state);
      tab.says({ type: 'ready' });
      await settled();
      tab.says({ type: 'post', text: 'hello' });
      await (isSent ? succeed() : fail());
      assert.deepEqual(state.get(), []);
    }
  });
});

describe('A chat’s page', () => {
  it('A5 is told what the person may do there, and when that changes', async () => {
    const { tab, allow } = open();
    tab.says({ type: 'ready' });
    await settled();
    const all = ['add', 'edit', 'editOwn', 'delete', 'deleteOwn'];
    allow(['add', 'editOwn', 'deleteOwn']);
    allow(all);
    allow(all);
    allow(all, 'deleted');
    const rights = tab.told.flatMap((message) => ('rights' in message ? [message.rights] : []));
    assert.deepEqual(rights, [
      { post: true, edit: false, delete: 'none' },
      { post: true, edit: true, delete: 'own' },
      { post: true, edit: true, delete: 'any' },
      { post: false, edit: false, delete: 'none' },
    ]);
  });
});
