/** One post on the page. Names and text come from others: they go in as text, or through the sanitiser. */
import { renderPost } from './markdown.ts';
import { isEditable, shownTime, type Labels, type ShownPost } from './messages.ts';

/** Posts of one author that follow each other within this time share a heading. */
const TOGETHER_MS = 5 * 60_000;

export class PostView {
  readonly element = document.createElement('article');
  readonly #labels: Labels;
  readonly #author = document.createElement('bdi');
  readonly #told = document.createElement('span');
  readonly #time = document.createElement('time');
  readonly #body = document.createElement('div');
  readonly #state = document.createElement('span');
  #post: ShownPost;

  constructor(post: ShownPost, labels: Labels) {
    this.#labels = labels;
    this.#post = post;
    this.element.className = 'post';
    this.element.tabIndex = -1;
    this.#author.className = 'author';
    this.#told.className = 'told';
    this.#body.className = 'body';
    this.#body.dir = 'auto';
    // The label says who and when: whoever goes from post to post by keyboard is to hear what, too.
    this.#body.id = `said-${post.id}`;
    this.element.setAttribute('aria-describedby', this.#body.id);
    this.#state.className = 'state';
    // That a post has been delivered is there to be looked up, not to be read out.
    this.#state.setAttribute('aria-live', 'off');
    const head = document.createElement('header');
    head.append(this.#author, ...(post.told ? [this.#told] : []), this.#time);
    const foot = document.createElement('footer');
    if (isEditable(post)) foot.append(this.#button('edit', labels.edit));
    foot.append(this.#button('delete', labels.delete), this.#state);
    this.element.append(head, this.#body, foot);
    this.#show();
    this.#render();
  }

  get post(): ShownPost {
    return this.#post;
  }

  update(post: ShownPost): void {
    const changed = post.text !== this.#post.text;
    this.#post = post;
    this.#show();
    if (changed) this.#render();
  }

  /** Told which post stands before, says whether it needs a heading. */
  follow(before: ShownPost | undefined): void {
    const { author, told } = this.#post;
    const isSame = before?.author === author && before.told?.account === told?.account;
    const together = isSame && Math.abs(shownTime(this.#post) - shownTime(before)) < TOGETHER_MS;
    this.element.classList.toggle('together', together);
  }

  #show(): void {
    const { authorName, told, edited, delivery } = this.#post;
    // What one tells of others is not shown as one's own.
    const self = isEditable(this.#post);
    const labels = this.#labels;
    this.element.classList.toggle('own', self);
    this.element.classList.toggle('signed', this.#post.self);
    const shownName = told?.name ?? authorName;
    setText(this.#author, shownName);
    this.#showTold(authorName);
    const at = new Date(shownTime(this.#post));
    const { lang } = document.documentElement;
    const locale = lang === '' ? undefined : lang;
    this.#time.dateTime = at.toISOString();
    setText(this.#time, at.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' }));
    this.#time.title = at.toLocaleString(locale);
    const states = [...(edited ? [labels.edited] : []), ...(self ? [labels[delivery]] : [])];
    setText(this.#state, states.join(' · '));
    this.#state.classList.toggle('waiting', self && delivery === 'waiting');
    const name = self ? `${authorName} (${labels.you})` : shownName;
    const who = told ? `${name}, ${this.#told.textContent}` : name;
    this.element.setAttribute(
      'aria-label',
      `${who}, ${this.#time.textContent}${states.length > 0 ? `, ${states.join(', ')}` : ''}`,
    );
  }

  /** Whose word it is stands beside the name, in every post of the kind. */
  #showTold(carrier: string): void {
    const { told } = this.#post;
    if (!told) return;
    const name = document.createElement('bdi');
    name.textContent = carrier;
    const [before = '', after = ''] = this.#labels.told.split('{0}');
    this.#told.replaceChildren(before, name, after);
    this.#told.title = this.#labels.toldAtLength.replace('{0}', () => told.name).replace('{1}', () => carrier);
    this.element.classList.add('carried');
  }

  #render(): void {
    this.#body.replaceChildren(renderPost(this.#post.text));
  }

  #button(kind: 'edit' | 'delete', label: string): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = kind;
    button.textContent = label;
    return button;
  }
}

/** The same again would end a selection in it, and be read out once more. */
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
