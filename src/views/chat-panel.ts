/** A chat in an editor tab: the page (src/webviews/chat) shows and asks, this side answers from the service. */
import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import type { ChatPlace } from '../rpc/messages.ts';
import type { CoterieApi, PermissionAction, ServiceEvent, ToolInfo } from '../service/api.ts';
import {
  type ChatRights,
  type FromHost,
  type Labels,
  readToHost,
  type ShownPost,
  type ToHost,
} from '../webviews/chat/messages.ts';
import type { ChatDrafts, Sending } from './chat-drafts.ts';
import { chatHtml } from './chat-html.ts';
import { errorCode, errorDetail } from './errors.ts';
import type { House } from './house.ts';
import { failureDetail, tellOfClosed } from './chat-closed.ts';
import { addsTo } from './rights.ts';

const PAGE_POSTS = 50;

/** Of what the person did; what they wrote for it comes back where it is not sent. */
interface Deed {
  readonly sending?: Sending;
}

/** Of what VS Code ended before it was known. */
const unknownEnd = { code: 'stopped' };

interface Failed {
  readonly error: unknown;
  /** None where something was only to be shown. */
  readonly deed: Deed | undefined;
}

export class ChatPanel implements Disposable {
  readonly #house: House;
  readonly #place: ChatPlace;
  readonly #panel: vscode.WebviewPanel;
  readonly #drafts: ChatDrafts;
  readonly #openLink: (href: string) => void;
  readonly #held = new DisposableStore();
  /** Events that come while a snapshot is being made follow it. */
  #waiting: FromHost[] | undefined;
  /** For a snapshot that has not been begun. */
  #isAsked = false;
  /** The page has been shown the chat, and has what is not sent in its box. */
  #isFilled = false;
  /** Failures that the page has not been told: it is gone while its tab is hidden, and what was written there with it. */
  #untold: readonly Failed[] = [];
  #isClosed = false;
  #ready = false;
  /** While the page is there. */
  #shown: Disposable | undefined;
  #rights: ChatRights = rightsIn(undefined);

  constructor(
    house: House,
    place: ChatPlace,
    panel: vscode.WebviewPanel,
    drafts: ChatDrafts,
    openLink: (href: string) => void,
  ) {
    this.#house = house;
    this.#place = place;
    this.#panel = panel;
    this.#drafts = drafts;
    this.#openLink = openLink;
    this.#untold = drafts.left(place).map((sending) => ({ error: unknownEnd, deed: { sending } }));
    const { webview } = panel;
    const folder = vscode.Uri.joinPath(house.context.extensionUri, 'dist', 'webviews', 'chat');
    webview.options = { enableScripts: true, localResourceRoots: [folder] };
    panel.iconPath = {
      light: vscode.Uri.joinPath(house.context.extensionUri, 'media', 'chat-light.svg'),
      dark: vscode.Uri.joinPath(house.context.extensionUri, 'media', 'chat-dark.svg'),
    };
    this.#held.add(webview.onDidReceiveMessage((message: unknown) => void this.#receive(readToHost(message))));
    this.#held.add(
      panel.onDidChangeViewState(() => {
        // Hidden, the page is gone; it says `ready` when it is back.
        if (!panel.visible) this.#rest();
        this.#see();
      }),
    );
    this.#held.add(vscode.window.onDidChangeWindowState(() => this.#see()));
    this.#held.add(house.session.events((event) => this.#follow(event)));
    this.#held.add(house.list.onChange(() => this.#retitle()));
    this.#held.add(
      house.session.onState((state) => {
        if (state.kind === 'open' && this.#ready) void this.#snapshot();
      }),
    );
    this.#retitle();
    webview.html = chatHtml(webview, folder);
  }

  get onClosed(): vscode.Event<void> {
    return this.#panel.onDidDispose;
  }

  get title(): string {
    return this.#panel.title;
  }

  /** To the front, with the keyboard in its box. A page that was hidden begins there by itself. */
  reveal(): void {
    this.#panel.reveal();
    this.#send({ type: 'focus' });
  }

  close(): void {
    this.#panel.dispose();
  }

  /** With the window: its tab stays, and what is not told is kept for when it is back. */
  leave(): void {
    this.#rest();
    this.#held.dispose();
  }

  /** Its tab was closed. */
  dispose(): void {
    this.#isClosed = true;
    this.#rest();
    this.#held.dispose();
    this.#tellFailures();
  }

  #rest(): void {
    this.#ready = false;
    this.#isFilled = false;
    // A page that comes is shown how it is then: what was said for one that is gone may be outdated.
    this.#waiting?.splice(0);
    this.#shown?.dispose();
    this.#shown = undefined;
  }

  #retitle(): void {
    const { workspace, tool } = this.#place;
    const [info, toolInfo] = [this.#house.list.workspace(workspace), this.#house.list.tool(workspace, tool)];
    const title = chatTitle(this.#house, workspace, tool);
    if (this.#panel.title !== title) this.#panel.title = title;
    const rights = rightsIn(info?.state === 'open' ? toolInfo : undefined);
    if (isDeepStrictEqual(rights, this.#rights)) return;
    this.#rights = rights;
    this.#send({ type: 'rights', rights });
  }

  #follow(event: ServiceEvent): void {
    if (event.type !== 'chat' || event.workspace !== this.#place.workspace || event.tool !== this.#place.tool) return;
    this.#send({ type: 'posts', posts: event.posts, removed: event.removed });
    if (event.posts.some(({ unread }) => unread)) this.#see();
  }

  async #receive(message: ToHost | undefined): Promise<void> {
    const { workspace, tool } = this.#place;
    switch (message?.type) {
      case undefined:
        return;
      case 'ready':
        this.#ready = true;
        // Moved to another group the page begins anew, and was never hidden.
        this.#isFilled = false;
        this.#shown ??= this.#house.session.shows(this.#place);
        return this.#snapshot();
      case 'post':
        // What is answered comes as an event as well, and by now a later one may have said that it is delivered.
        return this.#author(message, async (api) => void (await api.post(workspace, tool, message.text)));
      case 'edit':
        return this.#author(message, (api) => api.editPost(workspace, tool, message.post, message.text));
      case 'delete':
        return this.#delete(message.post);
      case 'older':
        return this.#attempt(async (api) => {
          const page = await api.chat(workspace, tool, { before: message.before, limit: PAGE_POSTS });
          this.#send({ type: 'older', before: message.before, posts: page.posts, more: page.more });
        });
      case 'unsent':
        this.#drafts.keep(this.#place, message.unsent);
        return;
      case 'open':
        this.#openLink(message.href);
    }
  }

  #author(
    message: Extract<ToHost, { type: 'post' | 'edit' }>,
    work: (api: CoterieApi) => Promise<void>,
  ): Promise<void> {
    const { type: _, ...wrote } = message;
    const sending = { ...wrote, since: Date.now() };
    this.#drafts.begin(this.#place, sending);
    return this.#attempt(work, { sending });
  }

  async #delete(post: string): Promise<void> {
    const yes = vscode.l10n.t('Delete');
    const question = vscode.l10n.t('Delete this message, for every member?');
    if ((await vscode.window.showWarningMessage(question, { modal: true }, yes)) !== yes) return;
    await this.#attempt((api) => api.deletePost(this.#place.workspace, this.#place.tool, post), {});
  }

  /** One at a time. Asked for meanwhile, one more follows: what is being read may be older, and the page another. */
  async #snapshot(): Promise<void> {
    this.#isAsked = true;
    if (this.#waiting !== undefined) return;
    const waiting: FromHost[] = [];
    this.#waiting = waiting;
    while (this.#isAsked) {
      this.#isAsked = false;
      await this.#attempt((api) => this.#show(api));
    }
    this.#waiting = undefined;
    for (const message of waiting) this.#send(message);
    this.#tellFailures();
    this.#see();
  }

  async #show(api: CoterieApi): Promise<void> {
    const { workspace, tool } = this.#place;
    if (this.#house.list.tool(workspace, tool) === undefined) await this.#house.list.reload();
    const page = await api.chat(workspace, tool, { limit: PAGE_POSTS });
    // Its page is gone; of a tab that is closed, asking for it throws.
    if (!this.#ready) return;
    this.#isFilled = true;
    this.#endSent(page.posts);
    const unsent = this.#drafts.unsent(this.#place);
    await this.#panel.webview.postMessage({
      type: 'snapshot',
      ...this.#place,
      language: vscode.env.language,
      labels: labels(),
      rights: this.#rights,
      posts: page.posts,
      more: page.more,
      ...(unsent ? { unsent } : {}),
    } satisfies FromHost);
    this.#forgetUnshown();
  }

  /** Of what was being sent as VS Code ended some was. */
  #endSent(posts: readonly ShownPost[]): void {
    const isSent = ({ error, deed }: Failed) => error === unknownEnd && deed?.sending && stands(deed.sending, posts);
    for (const { deed } of this.#untold.filter(isSent)) this.#settle(deed);
    this.#untold = this.#untold.filter((one) => !isSent(one));
  }

  #settle(deed: Deed | undefined): void {
    if (deed?.sending) this.#drafts.end(this.#place, deed.sending);
  }

  /** What could not be shown is, by now. */
  #forgetUnshown(): void {
    this.#untold = this.#untold.filter(({ deed }) => deed !== undefined);
  }

  #send(message: FromHost): void {
    if (!this.#ready) return;
    if (this.#waiting !== undefined) this.#waiting.push(message);
    else void this.#panel.webview.postMessage(message);
  }

  /** A failure is said on the page, beside what was written, which comes back. */
  async #attempt(work: (api: CoterieApi) => Promise<void>, deed?: Deed): Promise<void> {
    try {
      await work(await this.#house.session.api());
      this.#settle(deed);
    } catch (error) {
      // What stands already must not be sent a second time.
      const isKept = errorDetail(error)['reason'] === 'kept';
      if (isKept) this.#settle(deed);
      this.#untold = [...this.#untold, { error, deed: isKept && deed !== undefined ? {} : deed }];
      this.#tellFailures();
    }
  }

  /** On the page, when it is there. Where its tab was closed meanwhile there is none any more. */
  #tellFailures(): void {
    if (!this.#isClosed && (!this.#ready || this.#waiting !== undefined)) return;
    const { say } = this.#house;
    // What was written would be overwritten in a page that has not got its draft back.
    const isDue = ({ deed }: Failed) => this.#isClosed || this.#isFilled || deed?.sending === undefined;
    const due = this.#untold.filter(isDue);
    this.#untold = this.#untold.filter((one) => !isDue(one));
    for (const { error, deed } of due) {
      if (this.#isClosed && deed !== undefined) tellOfClosed(say, error, deed.sending);
      if (!this.#isClosed)
        this.#send({ type: 'failed', sentence: say.textOf(error, failureDetail()), ...wroteFor(error, deed) });
      this.#settle(deed);
    }
  }

  /** Seen is what stands before a person's eyes: the tab in front, in the window they are in. */
  #see(): void {
    if (!this.#ready || !this.#panel.active || !vscode.window.state.focused) return;
    const { workspace, tool } = this.#place;
    void this.#house.session.current?.markSeen(workspace, tool).catch(() => undefined);
  }
}

function rightsIn(tool: ToolInfo | undefined): ChatRights {
  const may = (action: PermissionAction) => tool?.may.includes(action) ?? false;
  return {
    post: addsTo(tool),
    edit: may('editOwn'),
    delete: may('delete') ? 'any' : may('deleteOwn') ? 'own' : 'none',
  };
}

/** What was to be put otherwise, and is deleted, would be a change that fails for ever: it comes back as a message of its own. */
function wroteFor(error: unknown, deed: Deed | undefined): { readonly text?: string; readonly post?: string } {
  if (deed?.sending === undefined) return {};
  const { text, post } = deed.sending;
  return post === undefined || errorCode(error) === 'notFound' ? { text } : { text, post };
}

/** Whether it is there: as the post that it was to change, or as one's own that has come since. */
function stands({ text, post, since }: Sending, posts: readonly ShownPost[]): boolean {
  return posts.some(
    (one) => one.self && one.text === text && (post === undefined ? one.time >= since : one.id === post),
  );
}

/** Of the tab. */
export function chatTitle({ list }: House, workspace: string, tool: string): string {
  const [info, toolInfo] = [list.workspace(workspace), list.tool(workspace, tool)];
  return toolInfo === undefined ? vscode.l10n.t('Chat') : `${toolInfo.name} – ${info?.name ?? ''}`;
}

function labels(): Labels {
  const { t } = vscode.l10n;
  return {
    posts: t('Messages'),
    write: t('Write a message'),
    send: t('Send'),
    editing: t('Editing: Enter saves, Escape gives up'),
    edit: t('Edit'),
    delete: t('Delete'),
    edited: t('edited'),
    told: t('carried over by {0}'),
    toldAtLength: t('{0} has not signed this here: that it was said, and when, is the word of {1}.'),
    waiting: t('waiting'),
    sent: t('sent'),
    unread: t('New'),
    many: t('{0} new messages'),
    older: t('Loading older messages…'),
    empty: t('Nothing has been said here yet.'),
    you: t('you'),
    readOnly: t('You can read this chat, and not write in it.'),
    tooLong: t('This is too long for one message, and was not sent. Shorten it, or send it in parts.'),
  };
}
