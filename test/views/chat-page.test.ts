import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import { browser as browserPath } from '../../scripts/vscode/install.ts';
import { MAX_CHAT_TEXT_BYTES } from '../../src/protocol/limits.ts';
import { chatPage } from '../../src/views/chat-page.ts';
import {
  type ChatRights,
  type FromHost,
  isAllowedLink,
  type Labels,
  readToHost,
  type ShownPost,
  type ToHost,
  type Unsent,
} from '../../src/webviews/chat/messages.ts';

/** Runs in the page before its own script: the test is the host, and lies in these. As text, since this realm knows no DOM. */
const fakeHost = `
  window.fired = [];
  window.acquireVsCodeApi = () => ({
    postMessage: (message) => void window.tellHost(message),
    getState: () => JSON.parse(localStorage.getItem('state') ?? 'null') ?? undefined,
    setState: (value) => localStorage.setItem('state', JSON.stringify(value)),
  });
`;

const labels = Object.fromEntries(
  [
    ...['posts', 'write', 'send', 'editing', 'edit', 'delete', 'edited', 'waiting', 'sent', 'unread', 'older', 'empty'],
    ...['you', 'readOnly', 'tooLong'],
  ]
    .map((key) => [key, key])
    .concat([
      ['many', '{0} new'],
      ['told', 'carried over by {0}'],
      ['toldAtLength', 'the word of {1} on {0}'],
    ]),
) as unknown as Labels;

const participant: ChatRights = { post: true, edit: true, delete: 'own' };
const guest: ChatRights = { post: false, edit: false, delete: 'none' };

/** What people have tried elsewhere, each meant to run or to load something. */
const hostile = [
  '<script>fired.push("script")</script>',
  '<img src=x onerror="fired.push(\'img\')">',
  '<svg onload="fired.push(\'svg\')"><animate onbegin="fired.push(1)" attributeName="x"></svg>',
  '<iframe srcdoc="<script>parent.fired.push(1)</script>"></iframe>',
  '<a href="javascript:fired.push(1)">x</a>',
  '[x](javascript:fired.push(1))',
  '[x](JaVaScRiPt&colon;fired.push(1))',
  '[x](data:text/html,<script>fired.push(1)</script>)',
  '[x](command:workbench.action.terminal.new)',
  '[x](file:///etc/passwd)',
  '[x](vbscript:x)',
  '![x](https://example.com/spy.png)',
  '![x](x"onerror="fired.push(1))',
  '<style>*{display:none}</style>',
  '<form action="https://example.com"><input name=a autofocus onfocus="fired.push(1)"></form>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=fired.push(1)&gt;">',
  '<base href="https://example.com/">',
  '<details open ontoggle="fired.push(1)">',
  '`<img src=x onerror=fired.push(1)>`',
  '```html" onmouseover="fired.push(1)\n<b>x</b>\n```',
  '<https://example.com/"onmouseover="fired.push(1)>',
  '| a |\n|---|\n| <script>fired.push(1)</script> |',
  '> '.repeat(5000),
  '['.repeat(8000),
  '*a '.repeat(6000),
];

describe('the chat’s page', function () {
  this.timeout(60_000);
  let folder: string;
  let chrome: Browser;
  let page: Page;
  let posts = 0;
  let told: ToHost[] = [];
  let unsent: Unsent | undefined;
  const heard = new Set<() => void>();

  const post = (text: string, more: Partial<ShownPost> = {}): ShownPost => ({
    id: `p${String(++posts).padStart(6, '0')}`,
    author: 'bob',
    authorName: 'Bob',
    self: false,
    text,
    time: Date.UTC(2026, 0, 5, 9) + posts * 1000,
    // One may come between two.
    height: 2 * posts,
    edited: false,
    unread: false,
    delivery: 'sent',
    ...more,
  });
  const own = (text: string, more: Partial<ShownPost> = {}): ShownPost =>
    post(text, { self: true, author: 'alice', authorName: 'Alice', ...more });
  const tell = (message: FromHost): Promise<unknown> =>
    page.evaluate(`window.postMessage(${JSON.stringify(message)}, '*')`);
  const snapshot = (
    shown: readonly ShownPost[],
    more = false,
    rights: ChatRights = participant,
    kept: Unsent | undefined = undefined,
  ): Promise<unknown> =>
    tell({
      ...{ type: 'snapshot', workspace: 'aa', tool: 'bb', language: 'en', labels, rights, posts: shown, more },
      ...(kept ? { unsent: kept } : {}),
    });
  const sent = async (): Promise<readonly ToHost[]> => told;
  const waitForSent = (type: ToHost['type']): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!told.some((message) => message.type === type)) return;
        heard.delete(look);
        resolve();
      };
      heard.add(look);
      look();
    });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cot-page-'));
    await build({
      entryPoints: ['src/webviews/chat/main.ts'],
      outfile: join(folder, 'main.js'),
      bundle: true,
      format: 'iife',
      target: 'chrome128',
    });
    chrome = await chromium.launch({
      executablePath: await browserPath(),
      chromiumSandbox: process.getuid?.() !== 0,
    });
  });

  after(async () => {
    await chrome.close();
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    const context = await chrome.newContext({ viewport: { width: 800, height: 500 } });
    page = await context.newPage();
    const policy =
      "default-src 'none'; style-src https://page.test; script-src 'nonce-n'; base-uri 'none'; form-action 'none'";
    await page.route('**/*', async (route) => {
      const { pathname, host } = new URL(route.request().url());
      if (host !== 'page.test') return route.abort();
      if (pathname === '/') {
        const html = chatPage({
          policy,
          nonce: 'n',
          style: 'https://page.test/main.css',
          script: 'https://page.test/main.js',
        });
        return route.fulfill({ contentType: 'text/html', body: html });
      }
      const contentType = pathname.endsWith('.css') ? 'text/css' : 'text/javascript';
      return route.fulfill({ contentType, body: await readFile(join(folder, pathname)) });
    });
    told = [];
    await page.exposeFunction('tellHost', (message: ToHost) => {
      // With each change of what is written.
      if (message.type === 'unsent') unsent = message.unsent;
      else told.push(message);
      for (const look of [...heard]) look();
    });
    await page.addInitScript(fakeHost);
    await page.goto('https://page.test/');
    await waitForSent('ready');
  });

  afterEach(async () => {
    await page.context().close();
  });

  it('hostile text neither runs nor loads anything, and leaves only harmless elements', async () => {
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(request.url()));
    await snapshot(hostile.map((text) => post(text, { authorName: '<img src=x onerror="fired.push(2)">' })));
    await page
      .locator('.post')
      .nth(hostile.length - 1)
      .waitFor();
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))');
    assert.deepEqual(await page.evaluate('window.fired'), []);
    assert.deepEqual(loaded, []);
    const found = await page.evaluate<{ names: string[]; attributes: string[]; links: string[] }>(`(() => {
      const elements = [...document.querySelectorAll('.body *')];
      return {
        names: [...new Set(elements.map(({ localName }) => localName))],
        attributes: [...new Set(elements.flatMap((one) => one.getAttributeNames()))],
        links: elements.filter(({ localName }) => localName === 'a').map((one) => one.getAttribute('href')),
      };
    })()`);
    const allowed =
      'p br hr strong em s code pre blockquote ul ol li a h1 h2 h3 h4 h5 h6 table thead tbody tr th td'.split(' ');
    assert.deepEqual(
      found.names.filter((name) => !allowed.includes(name)),
      [],
    );
    assert.deepEqual(
      found.attributes.filter((name) => name !== 'href' && name !== 'title'),
      [],
    );
    assert.deepEqual(
      found.links.filter((href) => !isAllowedLink(href)),
      [],
    );
  });

  it('A7 what was carried over shows whose it was and that another tells it, and is nobody’s to edit', async () => {
    const told = { account: 'bob', name: '<b>Bob</b>', time: Date.UTC(2025, 2, 3, 9) };
    const alices = { author: 'alice', authorName: 'Alice', self: true };
    await snapshot([
      post('one', { ...alices, told }),
      post('two', { ...alices, told: { ...told, account: 'carol', name: 'Carol' } }),
      post('of her own', alices),
      post('from the end of days', { told: { ...told, time: 2 ** 53 - 1 } }),
    ]);
    const first = page.locator('.post').first();
    await first.waitFor();
    assert.equal(await first.locator('.author').textContent(), '<b>Bob</b>');
    assert.equal(await first.locator('.told').textContent(), 'carried over by Alice');
    assert.equal(await first.locator('.told').getAttribute('title'), 'the word of Alice on <b>Bob</b>');
    assert.match((await first.getAttribute('aria-label'))!, /^<b>Bob<\/b>, carried over by Alice, /);
    assert.match((await first.locator('time').getAttribute('title'))!, /2025/);
    assert.equal(await page.locator('.post.together').count(), 0, 'of three people, though one has signed all');
    assert.deepEqual(await page.locator('.post.carried').count(), 3);
    assert.equal(await first.locator('button.edit').count(), 0);
    assert.equal(await first.locator('button.delete').count(), 1);
    await first.focus();
    await page.keyboard.press('Enter');
    await page.locator('textarea').focus();
    await page.keyboard.press('ArrowUp');
    assert.equal(await page.locator('textarea').inputValue(), 'of her own', 'the last that is hers to edit');
  });

  it('a post’s links go to the host, and nowhere by themselves, nor to VS Code beside it', async () => {
    await page.evaluate(`window.addEventListener('click', () => fired.push('click'))`);
    await snapshot([post('see [the site](https://example.com/a) and https://example.org')]);
    await page.locator('.body a').first().click();
    await waitForSent('open');
    assert.deepEqual((await sent()).at(-1), { type: 'open', href: 'https://example.com/a' });
    assert.equal(await page.locator('.body a').first().getAttribute('title'), 'https://example.com/a');
    assert.deepEqual(await page.evaluate('window.fired'), []);
    assert.equal(page.url(), 'https://page.test/');
  });

  it('Enter sends, Shift+Enter is a new line, and an empty text is not sent', async () => {
    await snapshot([]);
    const box = page.locator('textarea');
    await box.press('Enter');
    await box.pressSequentially('one');
    await box.press('Shift+Enter');
    await box.pressSequentially('two');
    await box.press('Enter');
    await waitForSent('post');
    assert.deepEqual((await sent()).slice(1), [{ type: 'post', text: 'one\ntwo' }]);
    assert.equal(await box.inputValue(), '');
  });

  it('Up edits the last own post, Escape gives up, Enter saves', async () => {
    await snapshot([own('mine'), post('theirs')]);
    const box = page.locator('textarea');
    await box.press('ArrowUp');
    assert.equal(await box.inputValue(), 'mine');
    await box.press('Escape');
    assert.equal(await box.inputValue(), '');
    await box.press('ArrowUp');
    await box.pressSequentially('!');
    await box.press('Enter');
    await waitForSent('edit');
    const edit = (await sent()).at(-1);
    assert.ok(edit?.type === 'edit' && edit.text === 'mine!');
  });

  it('the list is a log for screen readers, and can be gone through by keyboard', async () => {
    await snapshot([post('a'), own('b')]);
    const log = page.getByRole('log');
    assert.equal(await log.getAttribute('aria-live'), 'polite');
    await log.focus();
    await page.keyboard.press('ArrowUp');
    assert.match(await page.evaluate<string>(`document.activeElement.getAttribute('aria-label')`), /^Alice \(you\), /);
    await page.keyboard.press('Delete');
    await waitForSent('delete');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Delete');
    assert.equal((await sent()).filter(({ type }) => type === 'delete').length, 1);
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate('document.activeElement.localName'), 'textarea');
  });

  it('few new messages are read out, and of many how many they are', async () => {
    const news = page.locator('#news');
    // While the list changes; what is put in is read out by what it says then.
    await page.evaluate(`
      window.live = [];
      new MutationObserver(() => live.push(document.getElementById('posts').ariaLive))
        .observe(document.getElementById('posts'), { childList: true });
    `);
    const older = Array.from({ length: 9 }, (_, i) => post(`older ${i}`));
    await snapshot([post('first')], true);
    await page.locator('.post').waitFor();
    await page.locator('#posts[aria-live=polite]').waitFor();
    // Of messages further up is known that they have been read.
    await tell({ type: 'posts', posts: older, removed: [] });
    for (const [count, live, said] of [
      [5, 'polite', ''],
      [6, 'off', '6 new'],
    ] as const) {
      await page.evaluate('void live.splice(0)');
      const posts = Array.from({ length: count }, (_, i) => post(`${count} ${i}`, { unread: true }));
      await tell({ type: 'posts', posts, removed: [] });
      await page.locator('.post', { hasText: posts.at(-1)!.text }).waitFor();
      assert.deepEqual(await page.evaluate('[...new Set(live)]'), [live]);
      assert.equal(await news.textContent(), said);
      await page.locator('#posts[aria-live=polite]').waitFor();
    }
  });

  it('who goes through the list hears what was said, and goes on beside a post that is deleted', async () => {
    const shown = [own('first'), own('second'), own('third')];
    await snapshot(shown);
    await page.getByRole('log').focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    const described = `document.getElementById(document.activeElement.getAttribute('aria-describedby'))?.textContent.trim()`;
    for (const [removed, next] of [
      [1, 'third'],
      [2, 'first'],
    ] as const) {
      // As the question does it.
      if (removed === 2) await page.evaluate('document.activeElement.blur()');
      await tell({ type: 'posts', posts: [], removed: [shown[removed]!.id] });
      await page.locator('.post', { hasText: shown[removed]!.text }).waitFor({ state: 'detached' });
      assert.equal(await page.evaluate(described), next);
    }
    await tell({ type: 'posts', posts: [], removed: [shown[0]!.id] });
    await page.locator('.empty').waitFor();
    assert.equal(await page.evaluate('document.activeElement.id'), 'posts');
  });

  it('the keyboard is taken from nobody who is elsewhere, and is in the box once they come', async () => {
    // The page in a frame, as VS Code has it, beside an editor.
    await page.route('https://page.test/window', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<input><iframe src="/" width="700" height="400"></iframe>' }),
    );
    told = [];
    await page.goto('https://page.test/window');
    const editor = page.locator('input');
    await waitForSent('ready');
    await editor.focus();
    const frame = page.frames().find((one) => one.parentFrame() !== null)!;
    const says = (message: FromHost) => frame.evaluate(`window.postMessage(${JSON.stringify(message)}, '*')`);
    const posts = [own('mine')];
    await says({
      ...{ type: 'snapshot', workspace: 'aa', tool: 'bb', language: 'en', more: false },
      labels,
      rights: participant,
      posts,
    });
    await frame.locator('.post').waitFor();
    await page.keyboard.type('a');
    await says({ type: 'failed', sentence: 'No.', text: 'lost?' });
    await frame.locator('#status', { hasText: 'No.' }).waitFor();
    await page.keyboard.type('b');
    await says({ type: 'failed', sentence: 'No edit.', text: 'mine!', post: posts[0]!.id });
    await frame.locator('#status', { hasText: 'No edit.' }).waitFor();
    await page.keyboard.type('c');
    assert.equal(await editor.inputValue(), 'abc');
    assert.equal(await frame.locator('textarea').inputValue(), 'mine!');
    await page.evaluate(`document.querySelector('iframe').contentWindow.focus()`);
    await frame.locator('textarea:focus').waitFor();
  });

  it('new, edited and deleted posts show at once, and a line stands before the first unread', async () => {
    const [first, second] = [post('first'), post('second', { unread: true })];
    await snapshot([first, second]);
    assert.equal(await page.locator('.unread').count(), 1);
    await tell({
      type: 'posts',
      posts: [{ ...second, text: 'changed', edited: true, unread: false }],
      removed: [first.id],
    });
    await page.locator('.post', { hasText: 'changed' }).waitFor();
    assert.deepEqual(await page.locator('.body').allInnerTexts(), ['changed']);
    assert.equal(await page.locator('.state').innerText(), 'edited');
    assert.equal(await page.locator('.unread').count(), 1);
    const mine = own('mine', { delivery: 'waiting' });
    await tell({ type: 'posts', posts: [mine], removed: [] });
    await page.locator('.state.waiting').waitFor();
    await tell({ type: 'posts', posts: [{ ...mine, delivery: 'sent' }], removed: [] });
    await page.locator('.own .state', { hasText: 'sent' }).waitFor();
  });

  it('that a post was delivered is shown on it, and moves neither what one reads, selects nor writes', async () => {
    const list = `document.getElementById('posts')`;
    const mine = [own('early', { delivery: 'waiting' }), ...Array.from({ length: 40 }, (_, i) => post(`p ${i}`))];
    const last = own('late', { delivery: 'waiting' });
    const fresh = post('fresh', { unread: true });
    await snapshot([...mine, last, fresh]);
    await page.locator('textarea').pressSequentially('a draft');
    const look = (): Promise<unknown> =>
      page.evaluate(`({
        top: ${list}.scrollTop,
        elements: ${list}.children.length,
        selected: String(getSelection()),
        draft: document.querySelector('textarea').value,
        focus: document.activeElement.localName,
        unread: ${list}.querySelectorAll('.unread').length,
      })`);
    const delivered = async (...ids: readonly ShownPost[]): Promise<void> => {
      const posts = ids.map((one): ShownPost => ({ ...one, delivery: 'sent' }));
      await tell({ type: 'posts', posts, removed: [] });
      for (const { text } of ids)
        await page
          .locator('.own', { hasText: text })
          .locator('.state', { hasText: 'sent' })
          .waitFor({ state: 'attached' });
    };
    // Far up, and not quite at the end: neither is pulled there.
    for (const [top, one] of [
      ['200', mine[0]!],
      [`${list}.scrollHeight - ${list}.clientHeight - 20`, last],
    ] as const) {
      await page.evaluate(`${list}.scrollTo(0, ${top})`);
      await page.evaluate(`getSelection().selectAllChildren(${list}.querySelector('.own .author'))`);
      await page.locator('textarea').focus();
      const before = await look();
      await delivered(one);
      assert.deepEqual(await look(), before);
    }
    // Said a second time it is the same.
    await delivered(mine[0]!, last);
    assert.equal(await page.locator('.state.waiting').count(), 0);
    assert.equal(await page.locator('.unread').count(), 1);
    // One's own new post is what one wants to see.
    await page.evaluate(`${list}.scrollTo(0, 200)`);
    await tell({ type: 'posts', posts: [own('new', { delivery: 'waiting' })], removed: [] });
    await page.locator('.post', { hasText: 'new' }).waitFor();
    assert.ok(
      (await page.evaluate<number>(`${list}.scrollHeight - ${list}.scrollTop - ${list}.clientHeight`)) < 4,
      'at the end',
    );
    assert.equal(await page.locator('.unread').count(), 0);
  });

  it('a post costs as much in a long chat as in a short one, and the lines between stand where they belong', async () => {
    const day = 24 * 60 * 60_000;
    const lines = () =>
      page.evaluate<
        string[]
      >(`[...document.querySelectorAll('#posts > *')].map((one) => one.textContent.includes('text ')
        ? one.querySelector('.body').textContent.trim() : one.className)`);
    // Each looks at its day and at that of a neighbour.
    const daysLookedAt = async (work: () => Promise<unknown>): Promise<number> => {
      await page.evaluate(`{
        window.looks = 0;
        const { toLocaleDateString } = window.shown ??= { toLocaleDateString: Date.prototype.toLocaleDateString };
        Date.prototype.toLocaleDateString = function (...all) { window.looks++; return toLocaleDateString.apply(this, all); };
      }`);
      await work();
      return page.evaluate<number>('window.looks');
    };
    const costs: number[] = [];
    for (const count of [2, 400]) {
      const shown = Array.from({ length: count }, (_, i) => post(`text ${i}`));
      await snapshot(shown);
      await page
        .locator('.post')
        .nth(count - 1)
        .waitFor();
      const late = post('text late', { height: shown[1]!.height - 1 });
      costs.push(
        await daysLookedAt(async () => {
          for (let i = 0; i < 5; i++) await tell({ type: 'posts', posts: [post(`text and ${i}`)], removed: [] });
          await tell({ type: 'posts', posts: [late], removed: [shown[0]!.id] });
          await page.locator('.post', { hasText: 'text late' }).waitFor();
        }),
      );
      assert.deepEqual((await lines()).slice(0, 3), ['note day', 'text late', 'text 1']);
    }
    assert.equal(costs[0], costs[1]);
    const nine = Date.UTC(2026, 0, 5, 9);
    const [first, second] = [post('text before', { time: nine - day }), post('text 1', { unread: true })];
    const last = post('text tomorrow', { time: nine + day });
    await snapshot([second, last], true);
    await tell({ type: 'posts', posts: [], removed: [] });
    await page.locator('.unread').waitFor();
    assert.deepEqual(await lines(), ['note older', 'note day', 'note unread', 'text 1', 'note day', 'text tomorrow']);
    await tell({ type: 'older', before: second.id, posts: [first], more: false });
    await page.locator('.post', { hasText: 'text before' }).waitFor();
    assert.deepEqual(await lines(), [
      'note day',
      'text before',
      'note day',
      'note unread',
      'text 1',
      'note day',
      'text tomorrow',
    ]);
    await tell({ type: 'posts', posts: [], removed: [second.id, first.id] });
    await page.locator('.unread').waitFor({ state: 'detached' });
    assert.deepEqual(await lines(), ['note day', 'text tomorrow']);
    await tell({ type: 'posts', posts: [], removed: [last.id] });
    await page.locator('.empty').waitFor();
    assert.deepEqual(await lines(), ['note empty']);
  });

  it('older posts come by scrolling up, once, and what one reads stays where it is', async () => {
    const older = Array.from({ length: 30 }, (_, i) => post(`older ${i}`));
    const newer = Array.from({ length: 30 }, (_, i) => post(`newer ${i}`));
    await snapshot(newer, true);
    await page.locator('.post', { hasText: 'newer 29' }).waitFor();
    const list = `document.getElementById('posts')`;
    const below_px = await page.evaluate<number>(`${list}.scrollHeight - ${list}.scrollTop - ${list}.clientHeight`);
    assert.ok(below_px < 4, 'at the end');
    // A change to a post of an older page does not show it out of place.
    await tell({ type: 'posts', posts: [older[3]!], removed: [] });
    await page.evaluate(`${list}.scrollTo(0, 0)`);
    await waitForSent('older');
    const top = await page.locator('.post', { hasText: 'newer 0' }).boundingBox();
    assert.equal(await page.locator('.post').count(), 30);
    await tell({ type: 'older', before: newer[0]!.id, posts: older, more: false });
    await page.locator('.post', { hasText: 'older 0' }).waitFor({ state: 'attached' });
    const after = await page.locator('.post', { hasText: 'newer 0' }).boundingBox();
    assert.ok(Math.abs(top!.y - after!.y) < 60, `moved by ${after!.y - top!.y}`);
    assert.equal((await sent()).filter(({ type }) => type === 'older').length, 1);
    assert.equal(await page.locator('.post').count(), 60);
  });

  it('a list that begins anew, as when another window takes the store over, is where it was', async () => {
    const shown = Array.from({ length: 50 }, (_, i) => post(`shown ${i}`));
    await snapshot(shown);
    const one = page.locator('.post', { hasText: 'shown 20' });
    await one.waitFor();
    await one.focus();
    await page.evaluate(`document.getElementById('posts').scrollTo(0, 333)`);
    const before = await one.boundingBox();
    await snapshot([...shown.slice(5), post('new')]);
    await page.locator('.post', { hasText: 'new' }).waitFor({ state: 'attached' });
    assert.ok(Math.abs((await one.boundingBox())!.y - before!.y) < 2);
    assert.equal(await page.evaluate(`document.activeElement.querySelector('.body')?.textContent.trim()`), 'shown 20');
  });

  it('older posts that were asked for before the list began anew leave no gap in it', async () => {
    const all = Array.from({ length: 60 }, (_, i) => post(`post ${i}`));
    await snapshot(all.slice(20), true);
    await page.locator('.post', { hasText: 'post 59' }).waitFor();
    await page.evaluate(`document.getElementById('posts').scrollTo(0, 0)`);
    await waitForSent('older');
    await snapshot(all.slice(40), true);
    await tell({ type: 'older', before: all[20]!.id, posts: all.slice(0, 20), more: false });
    await tell({ type: 'posts', posts: [{ ...all[59]!, text: 'the last' }], removed: [] });
    await page.locator('.post', { hasText: 'the last' }).waitFor();
    assert.equal(await page.locator('.body').first().innerText(), 'post 40');
    assert.equal(await page.locator('.note.older').count(), 1);
  });

  it('D6 a new post shows where it stands in the order, however far behind or ahead its clock is', async () => {
    const hour = 60 * 60_000;
    const shown = Array.from({ length: 50 }, (_, i) => post(`shown ${i}`));
    await snapshot(shown, true);
    const behind = { time: shown[0]!.time - hour };
    const [mine, carols] = [own('mine', behind), post('Carol’s', { ...behind, unread: true })];
    const [daves, bobs] = [post('Dave’s', { time: shown[0]!.time + hour }), post('Bob’s')];
    const late = post('late', { ...behind, height: shown[49]!.height });
    const beside = post('beside', { height: mine.height, id: 'p', time: bobs.time });
    for (const one of [bobs, daves, carols, mine, late, beside])
      await tell({ type: 'posts', posts: [one], removed: [] });
    await page.locator('.post', { hasText: 'beside' }).waitFor();
    assert.deepEqual((await page.locator('.body').allInnerTexts()).slice(-7), [
      'shown 49',
      'late',
      'beside',
      'mine',
      'Carol’s',
      'Dave’s',
      'Bob’s',
    ]);
  });

  it('D6 a new post that stands before all that are here shows, and what is between comes by scrolling', async () => {
    const older = Array.from({ length: 6 }, (_, i) => post(`older ${i}`));
    const newer = Array.from({ length: 30 }, (_, i) => post(`newer ${i}`));
    await snapshot(newer, true);
    const late = [1, 3].map((i) => post(`late ${i}`, { height: older[i]!.height + 1, unread: true }));
    await tell({ type: 'posts', posts: late, removed: [] });
    await tell({ type: 'posts', posts: [{ ...newer[0]!, text: 'newer, the first' }], removed: [] });
    await page.locator('.post', { hasText: 'newer, the first' }).waitFor();
    const texts = async () => (await page.locator('.body').allInnerTexts()).slice(0, -29);
    assert.deepEqual(await texts(), ['late 1', 'late 3', 'newer, the first']);
    // Which may be gone by then.
    await tell({ type: 'posts', posts: [], removed: [newer[0]!.id] });
    const pages: [readonly ShownPost[], boolean][] = [
      [[older[2]!, older[3]!, late[1]!, older[4]!, older[5]!], true],
      [[older[0]!, older[1]!, late[0]!], false],
    ];
    for (const [posts, more] of pages) {
      told = [];
      await page.evaluate(`document.getElementById('posts').scrollTo(0, 100)`);
      await page.evaluate(`document.getElementById('posts').scrollTo(0, 0)`);
      await waitForSent('older');
      const before = more ? newer[1]!.id : older[2]!.id;
      assert.deepEqual(await sent(), [{ type: 'older', before }]);
      await tell({ type: 'older', before, posts, more });
      await page.locator('.post', { hasText: posts[0]!.text }).waitFor({ state: 'attached' });
    }
    assert.deepEqual(await texts(), [
      'older 0',
      'older 1',
      'late 1',
      'older 2',
      'older 3',
      'late 3',
      'older 4',
      'older 5',
    ]);
  });

  it('a draft, and an edit under way, survive the page', async () => {
    const mine = own('mine');
    await snapshot([mine]);
    await page.locator('textarea').press('ArrowUp');
    await page.locator('textarea').pressSequentially(' and more');
    told = [];
    await page.reload();
    await waitForSent('ready');
    await snapshot([mine]);
    await page.locator('#composer.editing').waitFor();
    assert.equal(await page.locator('textarea').inputValue(), 'mine and more');
  });

  it('what could not be sent comes back, with the reason', async () => {
    await snapshot([]);
    await page.locator('textarea').pressSequentially('lost?');
    await page.locator('textarea').press('Enter');
    await tell({ type: 'failed', sentence: 'The disk is full.', text: 'lost?' });
    await page.locator('#status', { hasText: 'The disk is full.' }).waitFor();
    assert.equal(await page.locator('textarea').inputValue(), 'lost?');
  });

  it('what could not be sent, and is told before the page has its draft, loses neither', async () => {
    await snapshot([]);
    await page.locator('textarea').pressSequentially('a draft');
    told = [];
    await page.reload();
    await waitForSent('ready');
    await tell({ type: 'failed', sentence: 'The disk is full.', text: 'lost?' });
    await page.locator('#status', { hasText: 'The disk is full.' }).waitFor();
    await snapshot([]);
    await page.locator('textarea[placeholder=write]').waitFor();
    assert.equal(await page.locator('textarea').inputValue(), 'lost?\na draft');
    assert.equal(await page.locator('#status').textContent(), 'The disk is full.');
  });

  it('what is written is told with each change, and a tab that is new has it in its box', async () => {
    const mine = own('mine');
    await snapshot([mine]);
    await page.locator('textarea').pressSequentially('a draft');
    await page.locator('.post button.edit').click();
    await page.locator('textarea').pressSequentially('!');
    await page.evaluate(`tellHost({ type: 'ready' })`);
    assert.deepEqual(readToHost({ type: 'unsent', unsent }), {
      type: 'unsent',
      unsent: { draft: 'mine!', editing: mine.id, put: 'a draft', later: [] },
    });
    const kept = unsent!;
    await page.evaluate('localStorage.clear()');
    told = [];
    await page.reload();
    await waitForSent('ready');
    await snapshot([mine], false, participant, kept);
    await page.locator('#composer.editing').waitFor();
    assert.equal(await page.locator('textarea').inputValue(), 'mine!');
    await page.locator('textarea').press('Escape');
    assert.equal(await page.locator('textarea').inputValue(), 'a draft');
  });

  it('what is too long for one message is not sent and stays in the box, with why, also when it was pasted', async () => {
    const mine = own('mine');
    await snapshot([mine]);
    const box = page.locator('textarea');
    const staysWhole = async (text: string): Promise<void> => {
      await box.press('Enter');
      await page.locator('#status', { hasText: 'tooLong' }).waitFor();
      assert.equal(await box.inputValue(), text);
      assert.deepEqual(
        (await sent()).filter(({ type }) => type !== 'ready'),
        [],
      );
    };
    const [draft, failed] = ['a'.repeat(20_000), 'b'.repeat(20_000)];
    await page.locator('textarea:focus').waitFor();
    await page.keyboard.insertText(draft);
    await tell({ type: 'failed', sentence: 'No.', text: failed });
    await page.locator('#status', { hasText: 'No.' }).waitFor();
    await staysWhole(`${failed}\n${draft}`);
    for (const pasted of ['c'.repeat(MAX_CHAT_TEXT_BYTES + 1), 'ä'.repeat(20_000)]) {
      await box.fill('');
      await page.keyboard.insertText(pasted);
      await staysWhole(pasted);
    }
    await box.fill('');
    await box.press('ArrowUp');
    await page.keyboard.insertText(draft + failed);
    await staysWhole(`mine${draft}${failed}`);
    assert.equal(await page.locator('#composer.editing').count(), 1);
    await box.press('Escape');
    await box.fill(`${'d'.repeat(MAX_CHAT_TEXT_BYTES)}\n`);
    await box.press('Enter');
    await waitForSent('post');
    assert.ok(readToHost((await sent()).at(-1)));
    assert.equal(await page.locator('#status').textContent(), '');
  });

  describe('an edit', () => {
    const box = () => page.locator('textarea');
    const reload = async (...args: Parameters<typeof snapshot>): Promise<void> => {
      told = [];
      await page.reload();
      await waitForSent('ready');
      await snapshot(...args);
      await page.locator('textarea[placeholder=write]').waitFor();
    };
    const fail = async (text: string, edited?: ShownPost): Promise<void> => {
      const sentence = `No: ${text}`;
      await tell({ type: 'failed', sentence, text, ...(edited === undefined ? {} : { post: edited.id }) });
      await page.locator('#status', { hasText: sentence }).waitFor();
    };
    const isEditing = async (): Promise<boolean> => (await page.locator('#composer.editing').count()) === 1;
    const enter = async (): Promise<ToHost | undefined> => {
      told = [];
      await box().press('Enter');
      await Promise.race([waitForSent('post'), waitForSent('edit')]);
      return told.at(-1);
    };

    it('of a message further up than the page goes stays one when the page comes back', async () => {
      const [mine, newer] = [own('mine'), post('newer')];
      await snapshot([mine, newer]);
      await box().press('ArrowUp');
      await box().pressSequentially('!');
      await reload([newer], true);
      assert.equal(await box().inputValue(), 'mine!');
      assert.equal(await isEditing(), true);
      assert.deepEqual(await enter(), { type: 'edit', post: mine.id, text: 'mine!' });
    });

    it('gives the draft back that was put aside for it, also when the page was away', async () => {
      const mine = own('mine');
      await snapshot([mine]);
      await box().pressSequentially('a draft');
      await page.locator('.post button.edit').click();
      assert.equal(await box().inputValue(), 'mine');
      await reload([mine]);
      await box().press('Escape');
      assert.equal(await box().inputValue(), 'a draft');
      assert.equal(await isEditing(), false);
    });

    it('that fails comes back as an edit, and a draft after it', async () => {
      const mine = own('mine');
      await snapshot([mine]);
      await box().pressSequentially('a draft');
      await fail('mine!', mine);
      assert.equal(await box().inputValue(), 'mine!');
      assert.deepEqual(await enter(), { type: 'edit', post: mine.id, text: 'mine!' });
      assert.equal(await box().inputValue(), 'a draft');
      assert.deepEqual(await enter(), { type: 'post', text: 'a draft' });
    });

    it('is not mixed with what fails while it is under way, an edit or a message, and loses neither', async () => {
      const [first, second] = [own('first'), own('second')];
      await snapshot([first, second]);
      await box().pressSequentially('a draft');
      await page.locator('.post button.edit').last().click();
      await box().pressSequentially('!');
      await fail('first?', first);
      await fail('a message');
      assert.equal(await box().inputValue(), 'second!');
      await reload([first, second]);
      assert.deepEqual(await enter(), { type: 'edit', post: second.id, text: 'second!' });
      assert.equal(await isEditing(), true);
      assert.deepEqual(await enter(), { type: 'edit', post: first.id, text: 'first?' });
      assert.equal(await isEditing(), false);
      assert.deepEqual(await enter(), { type: 'post', text: 'a message\na draft' });
      assert.equal(await box().inputValue(), '');
    });

    it('is not lost for that of another message, nor begun anew where it is asked for again', async () => {
      const [first, second] = [own('first'), own('second')];
      await snapshot([first, second]);
      const edit = page.locator('.post button.edit');
      await box().pressSequentially('a draft');
      await edit.first().click();
      await box().pressSequentially('!');
      await edit.first().click();
      assert.equal(await box().inputValue(), 'first!');
      await edit.last().click();
      assert.equal(await box().inputValue(), 'second');
      await box().pressSequentially('?');
      await edit.first().click();
      assert.equal(await box().inputValue(), 'first!');
      await reload([first, second]);
      assert.deepEqual(await enter(), { type: 'edit', post: first.id, text: 'first!' });
      assert.deepEqual(await enter(), { type: 'edit', post: second.id, text: 'second?' });
      assert.deepEqual(await enter(), { type: 'post', text: 'a draft' });
    });

    it('or a message that is sent leaves nothing standing of what failed before', async () => {
      const mine = own('mine');
      await snapshot([mine]);
      for (const edited of [undefined, mine]) {
        await fail('again', edited);
        assert.equal((await enter())?.type, edited === undefined ? 'post' : 'edit');
        assert.equal(await page.locator('#status').textContent(), '');
      }
    });
  });

  it('who asks for the chat again has the keyboard in its box', async () => {
    await snapshot([post('a')]);
    await page.locator('#posts').focus();
    assert.equal(await page.locator('textarea:focus').count(), 0);
    await tell({ type: 'focus' });
    await page.locator('textarea:focus').waitFor();
  });

  it('who may only read is told so, and cannot write', async () => {
    await snapshot([post('a')], false, guest);
    await page.locator('textarea[placeholder=readOnly]').waitFor();
    await page.keyboard.type('a');
    assert.equal(await page.locator('textarea').inputValue(), '');
    await tell({ type: 'rights', rights: participant });
    await page.locator('textarea:read-write').waitFor();
  });

  it('A5 offers what the person may do, and no more, by mouse and by keyboard', async () => {
    const carried = { account: 'carol', name: 'Carol', time: 1 };
    await snapshot([own('mine'), own('carried', { told: carried }), post('theirs')]);
    const [list, box] = [page.getByRole('log'), page.locator('textarea')];
    const offered = (name: string): Promise<number> => list.getByRole('button', { name }).count();
    const cases: [ChatRights, number, number][] = [
      [guest, 0, 0],
      [{ post: true, edit: false, delete: 'own' }, 0, 2],
      [{ post: true, edit: true, delete: 'any' }, 1, 3],
      [{ post: false, edit: true, delete: 'none' }, 1, 0],
    ];
    for (const [rights, edits, deletes] of cases) {
      await tell({ type: 'rights', rights });
      await tell({ type: 'failed', sentence: JSON.stringify(rights) });
      await page.locator('#status', { hasText: JSON.stringify(rights) }).waitFor();
      assert.deepEqual([await offered('edit'), await offered('delete')], [edits, deletes]);
      told = [];
      for (const one of await page.locator('.post').all()) {
        await one.focus();
        await page.keyboard.press('Delete');
      }
      await box.press('ArrowUp');
      assert.equal(await box.inputValue(), edits === 0 ? '' : 'mine');
      if (edits > 0) {
        await page.keyboard.type('!');
        await page.keyboard.press('Enter');
        await waitForSent('edit');
      }
      // Whoever may not write anything new has changed his own, and is done.
      await page.keyboard.type('x');
      assert.equal(await box.inputValue(), rights.post ? 'x' : '');
      await page.keyboard.press('Backspace');
      await page.evaluate(`tellHost({ type: 'ready' })`);
      assert.equal(told.filter(({ type }) => type === 'delete').length, deletes);
    }
  });

  it('who may not write any more keeps what is in the box, to select and copy it, and the keyboard there', async () => {
    await snapshot([post('a')]);
    const box = page.locator('textarea');
    await box.pressSequentially('a draft');
    await tell({ type: 'rights', rights: guest });
    await page.locator('textarea[placeholder=readOnly]').waitFor();
    await page.keyboard.press('ControlOrMeta+a');
    const selected = '(({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd))';
    assert.equal(await page.evaluate(`${selected}(document.activeElement)`), 'a draft');
    await box.press('Enter');
    await page.keyboard.type('!');
    assert.equal(await box.inputValue(), 'a draft');
    assert.deepEqual(await sent(), [{ type: 'ready' }]);
  });
});

describe('what the chat’s page asks of its host', () => {
  it('is taken only in the shapes that exist', () => {
    assert.deepEqual(readToHost({ type: 'ready', more: 1 }), { type: 'ready' });
    assert.deepEqual(readToHost({ type: 'post', text: 'x' }), { type: 'post', text: 'x' });
    for (const value of [
      undefined,
      null,
      'ready',
      {},
      { type: 'post' },
      { type: 'post', text: ' ' },
      { type: 'post', text: 'x'.repeat(40_000) },
      { type: 'edit', text: 'x' },
      { type: 'edit', text: 'x', post: '../x' },
      { type: 'delete', post: { toString: 1 } },
      { type: 'older', before: '' },
      { type: 'open', href: 'command:x' },
      { type: 'constructor' },
    ]) {
      assert.equal(readToHost(value), undefined, JSON.stringify(value));
    }
  });

  it('links lead to the web, to mail, or to a question in VS Code', () => {
    for (const href of [
      'https://a.b/c?d#e',
      'http://localhost:3000',
      'mailto:a@b.c',
      'vscode://coterie.coterie/join#x',
    ]) {
      assert.equal(isAllowedLink(href), true, href);
    }
    for (const href of [
      '',
      '/a',
      'javascript:x',
      ' https://a',
      'https://a b',
      'command:x',
      'file:///a',
      'data:x',
      'coterie://a',
    ]) {
      assert.equal(isAllowedLink(href), false, href);
    }
  });
});
