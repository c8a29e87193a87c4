/** The chat's page: composes, shows, and tells its host. State that must outlive it is in VS Code's setState. */
import './style.css';
import { Composer } from './composer.ts';
import { focusWhenHere } from './focus.ts';
import { readUnsent, type FromHost, type Labels, type PageState, type ToHost } from './messages.ts';
import { PostLog } from './post-log.ts';

interface Host {
  postMessage(message: ToHost): void;
  getState(): PageState | undefined;
  setState(state: PageState): void;
}

type Failed = Extract<FromHost, { type: 'failed' }>;

declare function acquireVsCodeApi(): Host;

const host = acquireVsCodeApi();
const element = (id: string): HTMLElement => document.getElementById(id)!;

const log = new PostLog(element('posts'), {
  older: (before) => host.postMessage({ type: 'older', before }),
  edit: (post) => composer.edit(post),
  delete: (post) => host.postMessage({ type: 'delete', post: post.id }),
  open: (href) => host.postMessage({ type: 'open', href }),
  many: (count) => (element('news').textContent = labels.many.replace('{0}', String(count))),
});
const composer = new Composer(element('composer') as HTMLFormElement, {
  send,
  refuse: (sentence) => (status.textContent = sentence),
  lastOwn: () => log.lastOwn(),
  shown: (post) => log.post(post),
  changed: keep,
});
const status = element('status');

let labels: Labels;
let place: { readonly workspace: string; readonly tool: string } | undefined;
/** What failed and came before the draft: it would be overwritten by that. */
const early: Failed[] = [];

function keep(): void {
  if (place === undefined) return;
  const { unsent } = composer;
  host.setState({ ...place, ...unsent });
  if (readUnsent(unsent) !== undefined) host.postMessage({ type: 'unsent', unsent });
}

/** What failed before is over with the next try. */
function send(message: ToHost): void {
  status.textContent = '';
  host.postMessage(message);
}

function fail(failed: Failed): void {
  const { sentence, text, post } = failed;
  status.textContent = sentence;
  if (text === undefined) return;
  if (place === undefined) {
    early.push(failed);
    return;
  }
  if (post === undefined) composer.giveBack(text);
  else composer.giveBackEdit({ post, text });
}

function receive(message: FromHost): void {
  switch (message.type) {
    case 'snapshot': {
      const first = place === undefined;
      place = { workspace: message.workspace, tool: message.tool };
      document.documentElement.lang = message.language;
      labels = message.labels;
      composer.label(labels, message.rights);
      log.snapshot(message);
      const state = host.getState();
      const unsent = state?.tool === message.tool ? state : message.unsent;
      if (first && unsent !== undefined) composer.restore(unsent);
      status.textContent = '';
      keep();
      if (first) focusWhenHere(composer.box);
      for (const failed of early.splice(0)) fail(failed);
      return;
    }
    case 'posts':
      log.put(message.posts, message.removed);
      return;
    case 'older':
      log.prepend(message);
      return;
    case 'focus':
      composer.focus();
      return;
    case 'rights':
      if (place === undefined) return;
      composer.allow(message.rights);
      log.allow(message.rights);
      return;
    case 'failed':
      fail(message);
  }
}

window.addEventListener('message', (event: MessageEvent<FromHost>) => receive(event.data));
// Typing anywhere in the page begins to write; Escape in the list goes back to the composer.
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && event.target !== composer.box) composer.focus();
});
host.postMessage({ type: 'ready' });
