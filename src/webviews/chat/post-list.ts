/**
 * Posts in their order, and the lines between them. The elements of the page are the order; what comes, goes or changes touches what is
 * beside it and nothing else: a post costs the same in a long chat, and what is read by a screen reader or selected stays so.
 *
 * Before a post stand, in this order, where they are due: the line of its day, and the line before what is new.
 */
import { isBefore, shownTime, type Labels, type ShownPost } from './messages.ts';
import { PostView } from './post-view.ts';

export class PostList {
  readonly #list: HTMLElement;
  readonly #views = new Map<string, PostView>();
  readonly #byElement = new WeakMap<Element, PostView>();
  #labels: Labels | undefined;
  #more = false;
  /** From here on all are here; of those before, what is new alone. It may be gone by now: then it still says from where. */
  #wholeFrom: ShownPost | undefined;
  #newFrom: string | undefined;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  // ---- looking ----------------------------------------------------------------------------------------------------------

  /** Whether there are older ones that are not here. */
  get more(): boolean {
    return this.#more;
  }

  get first(): PostView | undefined {
    return this.#from(this.#list.firstElementChild, 'nextElementSibling');
  }

  get last(): PostView | undefined {
    return this.#from(this.#list.lastElementChild, 'previousElementSibling');
  }

  /** The first from which on all are here. */
  get firstOfWhole(): PostView | undefined {
    let view = this.first;
    while (view && this.isFurtherUp(view.post)) view = this.after(view);
    return view;
  }

  /** Whether it belongs among the older ones that are not here. */
  isFurtherUp(post: ShownPost): boolean {
    return this.#more && this.#wholeFrom !== undefined && isBefore(post, this.#wholeFrom);
  }

  find(id: string | undefined): PostView | undefined {
    return id === undefined ? undefined : this.#views.get(id);
  }

  /** That of which an element is a part. */
  around(element: Element | null): PostView | undefined {
    const article = element?.closest('article.post');
    return article ? this.#byElement.get(article) : undefined;
  }

  before({ element }: PostView): PostView | undefined {
    return this.#from(element.previousElementSibling, 'previousElementSibling');
  }

  after({ element }: PostView): PostView | undefined {
    return this.#from(element.nextElementSibling, 'nextElementSibling');
  }

  /** Between two posts stand two lines at most. */
  #from(start: Element | null, step: 'nextElementSibling' | 'previousElementSibling'): PostView | undefined {
    for (let at = start; at !== null; at = at[step]) {
      const view = this.#byElement.get(at);
      if (view) return view;
    }
    return undefined;
  }

  /** The post that the line of what is new stands before, whether it is here or not. */
  get newFrom(): string | undefined {
    return this.#newFrom;
  }

  set newFrom(id: string | undefined) {
    if (id === this.#newFrom) return;
    const views = [this.find(this.#newFrom), this.find(id)];
    this.#newFrom = id;
    for (const view of views) if (view) this.#tidy(view);
  }

  get newLine(): Element | undefined {
    const view = this.find(this.#newFrom);
    return view && this.#linesOf(view).find((line) => line.classList.contains('unread'));
  }

  // ---- changing ---------------------------------------------------------------------------------------------------------

  reset(posts: readonly ShownPost[], more: boolean, labels: Labels): void {
    this.#labels = labels;
    this.#list.replaceChildren();
    this.#views.clear();
    this.#newFrom = undefined;
    for (const post of posts) this.#place(post, undefined);
    this.#wholeFrom = posts[0];
    this.#setMore(more);
  }

  /** The page before those from which on all are here; what is here already is left as it is. Answers what was not. */
  prepend(posts: readonly ShownPost[], more: boolean): readonly ShownPost[] {
    const next = this.firstOfWhole;
    const older = posts.filter(({ id }) => !this.#views.has(id));
    for (const post of older) this.#insert(post, next);
    this.#wholeFrom = posts[0] ?? this.#wholeFrom;
    this.#setMore(more);
    return older;
  }

  add(post: ShownPost): void {
    this.#insert(post, undefined);
    this.#top();
  }

  remove(id: string): void {
    const view = this.#views.get(id);
    if (!view) return;
    const next = this.after(view);
    for (const line of this.#linesOf(view)) line.remove();
    view.element.remove();
    this.#views.delete(id);
    if (next) this.#tidy(next);
    this.#top();
  }

  /** Where it stands in the order, looked for from there upwards: of a page the one before is there, and what is new comes last mostly. */
  #insert(post: ShownPost, from: PostView | undefined): void {
    let next = from;
    for (let view = from ? this.before(from) : this.last; view && isBefore(post, view.post); view = this.before(view))
      next = view;
    this.#place(post, next);
  }

  #place(post: ShownPost, next: PostView | undefined): void {
    if (!this.#labels) return;
    const view = new PostView(post, this.#labels);
    this.#views.set(post.id, view);
    this.#byElement.set(view.element, view);
    this.#list.insertBefore(view.element, next ? (this.#linesOf(next)[0] ?? next.element) : null);
    this.#tidy(view);
    if (next) this.#tidy(next);
  }

  /** Its heading, and the lines before it. */
  #tidy(view: PostView): void {
    const before = this.before(view)?.post;
    view.follow(before);
    const day = dayOf(view.post);
    const wanted: [string, string][] = before && dayOf(before) === day ? [] : [['day', day]];
    if (view.post.id === this.#newFrom) wanted.push(['unread', this.#labels!.unread]);
    const lines = this.#linesOf(view);
    const isLine = (line: Element, [kind, text]: [string, string]) =>
      line.classList.contains(kind) && line.textContent === text;
    for (const line of lines) if (!wanted.some((one) => isLine(line, one))) line.remove();
    let at: Element = view.element;
    for (const one of wanted.toReversed()) {
      const present = lines.find((line) => isLine(line, one));
      const line = present ?? lineOf(...one);
      if (!present) this.#list.insertBefore(line, at);
      at = line;
    }
  }

  /** Those between it and the post before. */
  #linesOf({ element }: PostView): readonly Element[] {
    const lines: Element[] = [];
    for (let at = element.previousElementSibling; isBetween(at); at = at.previousElementSibling) lines.unshift(at);
    return lines;
  }

  #setMore(more: boolean): void {
    this.#more = more;
    this.#top();
  }

  /** What stands before all posts: that there are none, or that there are older ones. */
  #top(): void {
    if (!this.#labels) return;
    const { empty, older } = this.#labels;
    this.#show('older', older, this.#more);
    this.#show('empty', empty, this.#views.size === 0);
  }

  #show(kind: string, text: string, isDue: boolean): void {
    const [first, second] = this.#list.children;
    const present = [first, second].find((line) => line?.classList.contains(kind));
    if (isDue && !present) this.#list.prepend(lineOf(kind, text));
    if (!isDue) present?.remove();
  }
}

function isBetween(element: Element | null): element is Element {
  return element !== null && (element.classList.contains('day') || element.classList.contains('unread'));
}

function lineOf(kind: string, text: string): Element {
  const line = document.createElement('div');
  line.className = `note ${kind}`;
  line.setAttribute('role', 'separator');
  line.setAttribute('aria-label', text);
  const words = document.createElement('span');
  words.textContent = text;
  line.append(words);
  return line;
}

function dayOf(post: ShownPost): string {
  const { lang } = document.documentElement;
  return new Date(shownTime(post)).toLocaleDateString(lang === '' ? undefined : lang, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
}
